//! Secrets in shares: any threshold of them give it back, and fewer say nothing.

use super::OsRandomness;
use super::error::CryptoError;
use super::field::{ByteField, PairField};
use super::split::{Scheme, Share};
use super::testing::hex;
use kmip_protocol::{BigInteger, SplitKeyMethod};
use kmip_ttlv::Secret;
use openssl::bn::BigNum;
use proptest::prelude::*;

const METHODS: [SplitKeyMethod; 4] = [
    SplitKeyMethod::XOR,
    SplitKeyMethod::PolynomialSharingGF2_8,
    SplitKeyMethod::PolynomialSharingGF2_16,
    SplitKeyMethod::PolynomialSharingPrimeField,
];

/// 2^521 - 1.
fn mersenne() -> BigInteger {
    let mut bytes = vec![0xFF; 66];
    bytes[0] = 0x01;
    BigInteger::from_magnitude(&bytes)
}

fn scheme(method: SplitKeyMethod, parts: i32, threshold: i32) -> Result<Scheme, CryptoError> {
    let prime = (method == SplitKeyMethod::PolynomialSharingPrimeField).then(mersenne);
    Scheme::new(method, parts, threshold, prime.as_ref(), ByteField::D)
}

/// `wanted` of the points from 1 to `count`, in an order that the numbers choose.
fn choose(count: i32, wanted: i32, order: &[u32]) -> Vec<i32> {
    let mut points: Vec<i32> = (1..=count).collect();
    points.sort_by_key(|point| {
        let point = point.unsigned_abs();
        order[usize::try_from(point).unwrap() % order.len()].wrapping_mul(point * 2 + 1)
    });
    points.truncate(usize::try_from(wanted).unwrap());
    points
}

fn of<'a>(shares: &'a [Secret], points: &[i32]) -> Vec<Share<'a>> {
    points
        .iter()
        .map(|point| (*point, &shares[usize::try_from(*point - 1).unwrap()]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_of_the_threshold_give_the_secret(
        secret in proptest::collection::vec(any::<u8>(), 16).prop_union(proptest::collection::vec(any::<u8>(), 64)),
        threshold in 1_i32..=7,
        more in 0_i32..=5,
        order in proptest::collection::vec(any::<u32>(), 7),
    ) {
        let secret = Secret::new(secret);
        for method in METHODS {
            let parts = if method == SplitKeyMethod::XOR { threshold } else { threshold + more };
            let scheme = scheme(method, parts, threshold).unwrap();
            let shares = scheme.split(&secret, &OsRandomness::new()).unwrap();
            prop_assert_eq!(shares.len(), usize::try_from(parts).unwrap());
            let chosen = choose(parts, threshold, &order);
            let joined = scheme.join(&of(&shares, &chosen), Some(secret.len())).unwrap();
            prop_assert!(joined == secret);
            let all: Vec<i32> = (1..=parts).collect();
            prop_assert!(scheme.join(&of(&shares, &all), Some(secret.len())).unwrap() == secret);
            let fewer = choose(parts, threshold - 1, &order);
            prop_assert_eq!(scheme.join(&of(&shares, &fewer), None).err(), Some(CryptoError::Failed));
        }
    }

    /// Whatever fewer shares are, they fit every secret: there is a last share that makes it the one.
    #[test]
    fn fewer_fit_every_secret(
        share in proptest::collection::vec(any::<u8>(), 16),
        secret in proptest::collection::vec(any::<u8>(), 16),
    ) {
        let (share, zero) = (Secret::new(share), Secret::new(vec![0; 16]));
        for pairs in [None, Some(ByteField::D), Some(ByteField::AES)] {
            let (method, one) = match pairs {
                None => (SplitKeyMethod::PolynomialSharingGF2_8, [1_u8; 16]),
                Some(_) => (SplitKeyMethod::PolynomialSharingGF2_16, core::array::from_fn(|i| u8::from(i % 2 == 1))),
            };
            let scheme = Scheme::new(method, 3, 2, None, pairs.unwrap_or(ByteField::D)).unwrap();
            // Joining is linear: what the last share must be follows from what it weighs.
            let alone = scheme.join(&[(1, &share), (2, &zero)], None).unwrap();
            let weights = scheme.join(&[(1, &zero), (2, &Secret::new(one.to_vec()))], None).unwrap();
            let missing: Vec<u8> = secret.iter().zip(alone.expose()).map(|(a, b)| a ^ b).collect();
            let (missing, _) = missing.as_chunks::<2>();
            let (weights, _) = weights.expose().as_chunks::<2>();
            let last: Vec<u8> = missing.iter().zip(weights).flat_map(|(missing, weight)| match pairs {
                None => [0, 1].map(|i| ByteField::D.multiply(missing[i], ByteField::D.invert(weight[i]))),
                Some(field) => {
                    let inverse = PairField(field).invert(u16::from_be_bytes(*weight));
                    PairField(field).multiply(u16::from_be_bytes(*missing), inverse).to_be_bytes()
                }
            }).collect();
            let joined = scheme.join(&[(1, &share), (2, &Secret::new(last))], None).unwrap();
            prop_assert_eq!(joined.expose(), &secret[..]);
        }
    }
}

/// TC-SJ-3 of the published cases.
#[test]
fn published_shares_are_joined() {
    let shares = [
        "66C46A7754F94DE420C7B1A7FFF5EC56",
        "CF93D1E2A7E593CD5B8D6247F4E5D49C",
        "A855B891F61AD9217240D8EC061E37DA",
        "803DBAD55CDD329FAD19D99AE2C5A415",
    ]
    .map(|text| Secret::new(hex(text)));
    let scheme = scheme(SplitKeyMethod::PolynomialSharingGF2_8, 4, 2).unwrap();
    for chosen in [vec![1, 3], vec![4, 2], vec![1, 2, 3, 4]] {
        let joined = scheme.join(&of(&shares, &chosen), None).unwrap();
        assert_eq!(joined.expose(), hex("0102030405060708090A0B0C0D0E0F10"));
    }
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let secret = Secret::new(vec![7; 32]);
    for method in METHODS {
        let parts = if method == SplitKeyMethod::XOR { 2 } else { 4 };
        let scheme = scheme(method, parts, 2).unwrap();
        let shares = scheme.split(&secret, &OsRandomness::new()).unwrap();
        let join = |given: &[Share<'_>]| scheme.join(given, Some(32)).err();
        let short = Secret::new(vec![1; 31]);
        assert_eq!(join(&[(1, &shares[0]), (1, &shares[0])]), Some(CryptoError::Failed));
        assert_eq!(join(&[(1, &shares[0]), (0, &shares[1])]), Some(CryptoError::Failed));
        assert_eq!(
            join(&[(1, &shares[0]), (parts + 1, &shares[1])]),
            Some(CryptoError::Failed)
        );
        assert_eq!(join(&[(1, &shares[0]), (2, &short)]), Some(CryptoError::Failed));
        if parts == 4 {
            let mut other = shares[3].expose().to_vec();
            other[20] ^= 1;
            let other = Secret::new(other);
            assert_eq!(
                join(&[(1, &shares[0]), (2, &shares[1]), (4, &other)]),
                Some(CryptoError::Failed)
            );
        }
    }
}

#[test]
fn numbers_that_make_no_scheme_are_refused() {
    let bad = Some(CryptoError::BadParameters);
    for (parts, threshold) in [(0, 0), (2, 0), (2, 3), (-1, -1), (70_000, 2)] {
        for method in METHODS {
            assert_eq!(scheme(method, parts, threshold).err(), bad, "{method}");
        }
    }
    assert_eq!(scheme(SplitKeyMethod::XOR, 3, 2).err(), bad);
    assert_eq!(scheme(SplitKeyMethod::PolynomialSharingGF2_8, 256, 2).err(), bad);
    assert_eq!(scheme(SplitKeyMethod(9), 3, 2).err(), Some(CryptoError::Unsupported));
    let in_field = |prime: &BigInteger| {
        let method = SplitKeyMethod::PolynomialSharingPrimeField;
        Scheme::new(method, 3, 2, Some(prime), ByteField::D)
    };
    let split = |prime: &BigInteger, length: usize| {
        let scheme = in_field(prime).unwrap();
        scheme.split(&Secret::new(vec![1; length]), &OsRandomness::new()).err()
    };
    assert_eq!(split(&mersenne(), 65), None);
    assert_eq!(split(&mersenne(), 66), Some(CryptoError::BadLength));
    // 2^521 + 1 is a multiple of 3.
    let mut composite = vec![0; 66];
    (composite[0], composite[65]) = (2, 1);
    assert_eq!(split(&BigInteger::from_magnitude(&composite), 32), bad);
    assert_eq!(in_field(&BigInteger::from_magnitude(&[4])).err(), bad);
    assert_eq!(in_field(&BigInteger::from_magnitude(&[0xFF; 257])).err(), bad);
    let none = Scheme::new(SplitKeyMethod::PolynomialSharingPrimeField, 3, 2, None, ByteField::D);
    assert_eq!(none.err(), bad);
    let odd = scheme(SplitKeyMethod::PolynomialSharingGF2_16, 3, 2).unwrap();
    assert_eq!(
        odd.split(&Secret::new(vec![1; 15]), &OsRandomness::new()).err(),
        Some(CryptoError::BadLength)
    );
}

/// Numbers below the prime: leading zeros of a secret come back, and a share that is no number of the field is refused.
#[test]
fn numbers_keep_their_length() {
    let scheme = scheme(SplitKeyMethod::PolynomialSharingPrimeField, 3, 2).unwrap();
    let mut bytes = vec![0; 32];
    bytes[31] = 5;
    let secret = Secret::new(bytes);
    let shares = scheme.split(&secret, &OsRandomness::new()).unwrap();
    assert!(shares.iter().all(|share| share.len() == 66));
    assert!(scheme.join(&of(&shares, &[3, 1]), Some(32)).unwrap() == secret);
    assert_eq!(scheme.join(&of(&shares, &[3, 1]), None).unwrap().expose(), [5]);
    for length in [67, usize::MAX] {
        assert_eq!(
            scheme.join(&of(&shares, &[3, 1]), Some(length)).err(),
            Some(CryptoError::Failed)
        );
    }
    let large = Secret::new(vec![0xFF; 66]);
    assert_eq!(
        scheme.join(&[(1, &large), (2, &shares[1])], None).err(),
        Some(CryptoError::Failed)
    );
    let prime = BigNum::from_slice(mersenne().magnitude().unwrap()).unwrap();
    assert_eq!(prime.num_bits(), 521);
}

#[test]
fn no_point_of_a_prime_field_is_zero_in_it() {
    let prime = BigInteger::from_magnitude(&[0x01, 0x01]);
    let scheme = Scheme::new(
        SplitKeyMethod::PolynomialSharingPrimeField,
        300,
        2,
        Some(&prime),
        ByteField::D,
    );
    assert!(scheme.is_err(), "the share of point 257 would be the secret");
}

/// What takes long is told apart from what does not, and what takes too long is not begun.
#[test]
fn work_is_measured_and_bounded() {
    let of = |method, parts, threshold| scheme(method, parts, threshold).unwrap();
    let bytes = SplitKeyMethod::PolynomialSharingGF2_8;
    for method in METHODS {
        let one = of(method, 5, if method == SplitKeyMethod::XOR { 5 } else { 3 });
        let is_prime = method == SplitKeyMethod::PolynomialSharingPrimeField;
        assert_eq!(one.is_heavy_to_split(32), is_prime, "{method}");
        assert_eq!(one.is_heavy_to_join(5, 32), is_prime, "{method}");
        assert!(
            one.is_heavy_to_split(64 * 1024) && one.is_heavy_to_join(5, 64 * 1024),
            "{method}"
        );
    }
    // Also with a short secret: of many shares beyond the threshold each is compared.
    assert!(of(bytes, 64, 32).is_heavy_to_join(64, 16));
    let long = Secret::new(vec![1; 64 * 1024]);
    let split = |scheme: &Scheme| scheme.split(&long, &OsRandomness::new()).map(drop);
    assert_eq!(split(&of(bytes, 64, 64)), Err(CryptoError::BadLength));
    assert_eq!(split(&of(SplitKeyMethod::XOR, 64, 64)), Ok(()));
    let shares = vec![long.clone(); 64];
    let all: Vec<i32> = (1..=64).collect();
    let joined = of(bytes, 64, 32).join(&self::of(&shares, &all), None);
    assert_eq!(joined.err(), Some(CryptoError::BadLength));
}
