//! Numbers of keys between the protocol's form and the library's, and what can be computed of a key from the rest.

use super::error::{CryptoError, internal, or};
use kmip_protocol::BigInteger;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::pkey::Private;
use openssl::rsa::Rsa;
use zeroize::Zeroizing;

/// The longest number of a key that is computed with, in bytes (16,384 bits, as the library takes in signatures). A client
/// chooses these numbers, and what they cost grows with the third power of their length.
const MOST_BYTES: usize = 2048;
/// The longest modulus whose factors are searched for, in bits: a second of searching at most, for a key that has none.
const MOST_TO_FACTOR: i32 = 4096;
/// The longest public exponent with which they are, in bits.
const MOST_EXPONENT: i32 = 64;
/// The longest prime in which a public number is computed, in bits: as long as the longest group that keys are made in.
const MOST_PRIME: i32 = 8192;
/// Random bases that are tried for the factors of a modulus. Each one fails with a probability of a half at most.
const FACTOR_TRIES: usize = 32;
/// The public exponent of almost all RSA keys, taken where none is stated.
const USUAL_EXPONENT: u32 = 65_537;

/// The library's number.
///
/// # Errors
/// [`CryptoError::BadKey`] if it is negative, [`CryptoError::Unsupported`] if it is longer than any key's.
pub(super) fn from_protocol(number: &BigInteger) -> Result<BigNum, CryptoError> {
    let magnitude = number.magnitude().ok_or(CryptoError::BadKey)?;
    if magnitude.len() > MOST_BYTES {
        return Err(CryptoError::Unsupported);
    }
    BigNum::from_slice(magnitude).map_err(internal)
}

/// The protocol's number.
pub(super) fn to_protocol(number: &BigNumRef) -> BigInteger {
    BigInteger::from_magnitude(&Zeroizing::new(number.to_vec()))
}

/// The numbers of an RSA private key as far as they are known.
pub(super) struct RsaNumbers {
    pub(super) modulus: BigNum,
    pub(super) public_exponent: Option<BigNum>,
    pub(super) private_exponent: Option<BigNum>,
    pub(super) p: Option<BigNum>,
    pub(super) q: Option<BigNum>,
}

impl RsaNumbers {
    /// The whole key: factors from the exponents, or the exponent from the factors.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] if the numbers do not make a key.
    pub(super) fn complete(self) -> Result<Rsa<Private>, CryptoError> {
        let bad = or(CryptoError::BadKey);
        let Self {
            modulus,
            public_exponent,
            private_exponent,
            p,
            q,
        } = self;
        let e = match public_exponent {
            Some(e) => e,
            None => BigNum::from_u32(USUAL_EXPONENT).map_err(internal)?,
        };
        let mut context = BigNumContext::new_secure().map_err(internal)?;
        let (p, q) = match (p, q, &private_exponent) {
            (Some(p), Some(q), _) => (p, q),
            (_, _, Some(d)) => factors(&modulus, &e, d, &mut context)?,
            _ => return Err(CryptoError::BadKey),
        };
        let (p_less, q_less) = (less_one(&p)?, less_one(&q)?);
        let d = match private_exponent {
            Some(d) => d,
            None => {
                let mut phi = BigNum::new().map_err(internal)?;
                phi.checked_mul(&p_less, &q_less, &mut context).map_err(internal)?;
                inverse(&e, &phi, &mut context)?
            }
        };
        let (mut dp, mut dq) = (BigNum::new().map_err(internal)?, BigNum::new().map_err(internal)?);
        dp.nnmod(&d, &p_less, &mut context).map_err(&bad)?;
        dq.nnmod(&d, &q_less, &mut context).map_err(&bad)?;
        let coefficient = inverse(&q, &p, &mut context)?;
        // Not whether the factors are prime: that takes seconds for long ones, and whoever brings a key answers for it.
        let (mut product, mut one) = (BigNum::new().map_err(internal)?, BigNum::new().map_err(internal)?);
        product.checked_mul(&p, &q, &mut context).map_err(internal)?;
        let mut fits = product == modulus;
        for part in [(&dp, &p_less), (&dq, &q_less)] {
            one.mod_mul(part.0, &e, part.1, &mut context).map_err(&bad)?;
            fits &= one == BigNum::from_u32(1).map_err(internal)?;
        }
        if !fits {
            return Err(CryptoError::BadKey);
        }
        Rsa::from_private_components(modulus, e, d, p, q, dp, dq, coefficient).map_err(bad)
    }
}

/// `generator` to the `exponent`, modulo `prime`: the public number of a DSA or DH key.
pub(super) fn power(generator: &BigNumRef, exponent: &BigNumRef, prime: &BigNumRef) -> Result<BigNum, CryptoError> {
    if prime.num_bits() > MOST_PRIME || exponent.num_bits() > MOST_PRIME {
        return Err(CryptoError::Unsupported);
    }
    let mut context = BigNumContext::new_secure().map_err(internal)?;
    let mut result = BigNum::new().map_err(internal)?;
    result
        .mod_exp(generator, exponent, prime, &mut context)
        .map_err(or(CryptoError::BadKey))?;
    Ok(result)
}

/// Whether `order` is all that a safe prime's group has, `(prime - 1) / 2`: then it says nothing that the prime does not.
pub(super) fn is_half_of(order: &BigNumRef, prime: &BigNumRef) -> Result<bool, CryptoError> {
    let mut half = BigNum::new().map_err(internal)?;
    half.rshift1(prime).map_err(internal)?;
    Ok(half == *order)
}

fn less_one(number: &BigNumRef) -> Result<BigNum, CryptoError> {
    let mut result = number.to_owned().map_err(internal)?;
    result.sub_word(1).map_err(internal)?;
    Ok(result)
}

fn inverse(number: &BigNumRef, modulus: &BigNumRef, context: &mut BigNumContext) -> Result<BigNum, CryptoError> {
    let mut result = BigNum::new().map_err(internal)?;
    result
        .mod_inverse(number, modulus, context)
        .map_err(or(CryptoError::BadKey))?;
    Ok(result)
}

/// The factors of a modulus from both exponents (NIST SP 800-56B, appendix C).
fn factors(
    modulus: &BigNumRef,
    e: &BigNumRef,
    d: &BigNumRef,
    context: &mut BigNumContext,
) -> Result<(BigNum, BigNum), CryptoError> {
    let bad = or(CryptoError::BadKey);
    if modulus.num_bits() > MOST_TO_FACTOR || e.num_bits() > MOST_EXPONENT {
        return Err(CryptoError::Unsupported);
    }
    if d.num_bits() > modulus.num_bits() {
        return Err(CryptoError::BadKey);
    }
    let new = || BigNum::new().map_err(internal);
    let mut odd = new()?;
    odd.checked_mul(e, d, context).map_err(internal)?;
    let mut odd = less_one(&odd)?;
    if odd.num_bits() == 0 || odd.is_bit_set(0) || modulus.num_bits() < 8 {
        return Err(CryptoError::BadKey);
    }
    let mut halvings = 0_u32;
    while !odd.is_bit_set(0) {
        let mut half = new()?;
        half.rshift1(&odd).map_err(internal)?;
        odd = half;
        halvings = halvings.saturating_add(1);
    }
    let last = less_one(modulus)?;
    let one = BigNum::from_u32(1).map_err(internal)?;
    'tries: for _ in 0..FACTOR_TRIES {
        let mut base = new()?;
        last.rand_range(&mut base).map_err(internal)?;
        let mut root = new()?;
        root.mod_exp(&base, &odd, modulus, context).map_err(&bad)?;
        for _ in 0..halvings {
            if root == one || root == last || root.num_bits() == 0 {
                continue 'tries;
            }
            let mut square = new()?;
            square.mod_sqr(&root, modulus, context).map_err(internal)?;
            if square == one {
                let mut p = new()?;
                let below = less_one(&root)?;
                p.gcd(&below, modulus, context).map_err(internal)?;
                let mut q = new()?;
                q.checked_div(modulus, &p, context).map_err(&bad)?;
                return Ok(if p > q { (p, q) } else { (q, p) });
            }
            root = square;
        }
        // The exponents undo each other for no key with this modulus: other bases would show the same.
        return Err(CryptoError::BadKey);
    }
    Err(CryptoError::BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(number: &BigNumRef) -> BigNum {
        number.to_owned().unwrap()
    }

    #[test]
    fn a_key_is_completed_from_exponents_or_factors() {
        let key = Rsa::generate(1024).unwrap();
        let numbers = |d: bool, factors: bool| RsaNumbers {
            modulus: copy(key.n()),
            public_exponent: Some(copy(key.e())),
            private_exponent: d.then(|| copy(key.d())),
            p: factors.then(|| copy(key.p().unwrap())),
            q: factors.then(|| copy(key.q().unwrap())),
        };
        for made in [numbers(true, false), numbers(false, true), numbers(true, true)] {
            let made = made.complete().unwrap();
            assert!(made.n() == key.n() && made.check_key().unwrap());
        }
        assert_eq!(numbers(false, false).complete().err(), Some(CryptoError::BadKey));
        let mut wrong = numbers(true, false);
        wrong.private_exponent = Some(BigNum::from_u32(12_345).unwrap());
        assert_eq!(wrong.complete().err(), Some(CryptoError::BadKey));
        let mut wrong = numbers(true, true);
        wrong.modulus.add_word(2).unwrap();
        assert_eq!(wrong.complete().err(), Some(CryptoError::BadKey));
    }

    #[test]
    fn hostile_numbers_are_refused_before_they_are_computed_with() {
        let random = |bits| {
            let mut number = BigNum::new().unwrap();
            number.rand(bits, openssl::bn::MsbOption::ONE, true).unwrap();
            number
        };
        let numbers = |bits, exponent| RsaNumbers {
            modulus: random(bits),
            public_exponent: Some(random(exponent)),
            private_exponent: Some(random(bits - 2)),
            p: None,
            q: None,
        };
        assert_eq!(numbers(4096, 64).complete().err(), Some(CryptoError::BadKey));
        assert_eq!(numbers(4096, 4096).complete().err(), Some(CryptoError::Unsupported));
        assert_eq!(numbers(8192, 17).complete().err(), Some(CryptoError::Unsupported));
        let long = random(16_384);
        assert_eq!(power(&long, &long, &long).err(), Some(CryptoError::Unsupported));
    }

    #[test]
    fn numbers_cross_over_and_back() {
        for value in [0_u32, 1, 127, 128, 255, 65_537, u32::MAX] {
            let number = BigNum::from_u32(value).unwrap();
            assert!(from_protocol(&to_protocol(&number)).unwrap() == number);
        }
        let longest = BigInteger::from_magnitude(&vec![0xFF; MOST_BYTES]);
        assert!(from_protocol(&longest).is_ok());
        let longer = BigInteger::from_magnitude(&vec![0xFF; MOST_BYTES + 1]);
        assert_eq!(from_protocol(&longer).err(), Some(CryptoError::Unsupported));
        let negative = BigInteger(kmip_ttlv::Secret::new(vec![0xFF]));
        assert_eq!(from_protocol(&negative).err(), Some(CryptoError::BadKey));
    }
}
