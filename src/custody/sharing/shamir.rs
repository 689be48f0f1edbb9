//! Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial of AES. No branch and no index depends on a secret.

use crate::crypto::{ByteField, Randomness};
use crate::custody::error::CustodyError;
use crate::custody::slab::{Locked, Slab};

const fn multiply(a: u8, b: u8) -> u8 {
    ByteField::AES.multiply(a, b)
}

/// The inverse; that of 0 is 0.
const fn invert(a: u8) -> u8 {
    ByteField::AES.invert(a)
}

/// Adds what stands in `from` to `into`.
pub(super) fn add(into: &mut [u8], from: &[u8]) {
    into.iter_mut().zip(from).for_each(|(to, byte)| *to ^= byte);
}

/// Shares of a secret for the points 1 to `count`, of which any `threshold` give it back.
pub(in crate::custody) fn split(
    slab: &Slab,
    randomness: &dyn Randomness,
    secret: &Locked,
    threshold: u8,
    count: u8,
) -> Result<Vec<Locked>, CustodyError> {
    if threshold == 0 || count < threshold {
        return Err(CustodyError::Limit);
    }
    let mut coefficients = vec![secret.duplicate()?];
    for _ in 1..threshold {
        let mut coefficient = slab.allocate(secret.len())?;
        randomness
            .fill(coefficient.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        coefficients.push(coefficient);
    }
    (1..=count).map(|point| evaluate(slab, &coefficients, point)).collect()
}

/// The value at a point of the polynomials with these coefficients, the lowest first.
fn evaluate(slab: &Slab, coefficients: &[Locked], point: u8) -> Result<Locked, CustodyError> {
    let length = coefficients.first().map_or(0, Locked::len);
    let mut value = slab.allocate(length)?;
    for coefficient in coefficients.iter().rev() {
        for (to, byte) in value.expose_mut().iter_mut().zip(coefficient.expose()) {
            *to = multiply(*to, point) ^ byte;
        }
    }
    Ok(value)
}

/// The secret that these shares belong to: the value at 0 of the polynomials through them. Their points are different and none is 0;
/// fewer than the threshold give something else.
pub(in crate::custody) fn combine(slab: &Slab, shares: &[(u8, &Locked)]) -> Result<Locked, CustodyError> {
    let length = shares.first().map_or(0, |(_, share)| share.len());
    let mut secret = slab.allocate(length)?;
    for (place, (point, share)) in shares.iter().enumerate() {
        let mut weight = 1;
        for (_, (other, _)) in shares.iter().enumerate().filter(|(at, _)| *at != place) {
            if *other == *point || *other == 0 {
                return Err(CustodyError::Limit);
            }
            weight = multiply(weight, multiply(*other, invert(*other ^ *point)));
        }
        for (to, byte) in secret.expose_mut().iter_mut().zip(share.expose()) {
            *to ^= multiply(*byte, weight);
        }
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::OsRandomness;
    use proptest::prelude::*;

    /// The coefficients of the polynomials of least degree through these points, by Lagrange's formula: computed otherwise than above.
    fn through(slab: &Slab, points: &[(u8, Vec<u8>)]) -> Vec<Locked> {
        let length = points[0].1.len();
        let mut sum = vec![vec![0; length]; points.len()];
        for (x, value) in points {
            let mut basis = vec![1];
            for (other, _) in points.iter().filter(|(other, _)| other != x) {
                // Times (X + other) / (x + other).
                let scale = invert(x ^ other);
                let mut next = vec![0; basis.len() + 1];
                for (power, coefficient) in basis.iter().enumerate() {
                    next[power] ^= multiply(multiply(*coefficient, *other), scale);
                    next[power + 1] ^= multiply(*coefficient, scale);
                }
                basis = next;
            }
            for (power, coefficient) in basis.iter().enumerate() {
                for (place, byte) in value.iter().enumerate() {
                    sum[power][place] ^= multiply(*coefficient, *byte);
                }
            }
        }
        sum.iter().map(|bytes| slab.copy_from(bytes).unwrap()).collect()
    }

    /// `wanted` of `count` points, chosen by the numbers.
    fn choose(count: u8, wanted: u8, order: &[u32]) -> Vec<u8> {
        let mut points: Vec<u8> = (1..=count).collect();
        points.sort_by_key(|point| order[usize::from(*point) % order.len()].wrapping_mul(u32::from(*point) * 2 + 1));
        points.truncate(usize::from(wanted));
        points
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_of_the_threshold_give_the_secret(
            secret in proptest::collection::vec(any::<u8>(), 32),
            threshold in 1_u8..=12,
            more in 0_u8..=12,
            order in proptest::collection::vec(any::<u32>(), 7),
        ) {
            let slab = Slab::new().unwrap();
            let count = threshold + more;
            let kept = slab.copy_from(&secret).unwrap();
            let shares = split(&slab, &OsRandomness::new(), &kept, threshold, count).unwrap();
            prop_assert_eq!(shares.len(), usize::from(count));
            let given: Vec<(u8, &Locked)> = choose(count, threshold, &order)
                .into_iter()
                .map(|point| (point, &shares[usize::from(point) - 1]))
                .collect();
            let combined = combine(&slab, &given).unwrap();
            prop_assert_eq!(combined.expose(), &secret[..]);
            // And all of them.
            let all: Vec<(u8, &Locked)> = (1..=count).zip(&shares).collect();
            let combined = combine(&slab, &all).unwrap();
            prop_assert_eq!(combined.expose(), &secret[..]);
        }

        /// Whatever the secret were, exactly one choice of the random coefficients would have given just these shares, if they are one too
        /// few: so each secret is as likely as before.
        #[test]
        fn fewer_say_nothing(
            shares in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 32), 1..12),
            supposed in proptest::collection::vec(any::<u8>(), 32),
            order in proptest::collection::vec(any::<u32>(), 7),
        ) {
            let slab = Slab::new().unwrap();
            let known = u8::try_from(shares.len()).unwrap();
            let points = choose(30, known, &order);
            let mut all: Vec<(u8, Vec<u8>)> = points.iter().copied().zip(shares).collect();
            all.push((0, supposed.clone()));
            // One polynomial of degree `known` goes through these points and the supposed secret, and no other: Lagrange.
            let coefficients = through(&slab, &all);
            prop_assert_eq!(coefficients.len(), usize::from(known) + 1);
            prop_assert_eq!(coefficients[0].expose(), &supposed[..]);
            for (point, share) in all.iter().filter(|(point, _)| *point != 0) {
                let evaluated = evaluate(&slab, &coefficients, *point).unwrap();
                prop_assert_eq!(evaluated.expose(), &share[..]);
            }
        }
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        let slab = Slab::new().unwrap();
        let secret = slab.copy_from(&[7; 32]).unwrap();
        let randomness = OsRandomness::new();
        for (threshold, count) in [(0, 3), (3, 2)] {
            assert!(split(&slab, &randomness, &secret, threshold, count).is_err());
        }
        assert!(combine(&slab, &[(1, &secret), (1, &secret)]).is_err());
        assert!(combine(&slab, &[(1, &secret), (0, &secret)]).is_err());
    }
}
