//! Secrets in shares, any threshold of which give it back, and fewer nothing (KMIP 2.1 §13.1; KMIP 1.4 §2.2.5).

use super::error::{CryptoError, internal, or};
use super::field::{ByteField, PairField};
use super::random::Randomness;
use kmip_protocol::{BigInteger, SplitKeyMethod};
use kmip_ttlv::Secret;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};

/// The longest prime of a field, in bits: it holds a secret of 255 bytes, and whether it is prime is seen in a fraction of a second.
pub const MOST_PRIME: i32 = 2048;
/// The longest secret that is shared in a binary field, in bytes.
const MOST_SECRET: usize = 64 * 1024;
/// Products in a binary field that are computed where they are asked for: with more of them it takes longer than a millisecond.
const MANY_PRODUCTS: usize = 1 << 15;
/// The most products of one splitting or joining, some tenths of a second: 4 KiB in 64 parts of which all are needed, 64 KiB in 16.
const MOST_PRODUCTS: usize = 1 << 24;
/// What an inverse costs, in products.
const INVERSE: usize = 128;
/// Draws of a number below the prime before the source is held to be broken: each fails with a probability of a half at most.
const DRAWS: usize = 128;

/// In which field secrets are shared.
enum Field {
    Xor,
    Bytes(ByteField),
    Pairs(PairField),
    Prime(BigNum),
}

/// How a secret is shared.
pub struct Scheme {
    field: Field,
    parts: u16,
    threshold: u16,
}

/// One share: its Key Part Identifier and its material.
pub type Share<'a> = (i32, &'a Secret);

impl Scheme {
    /// A scheme of these numbers. Pairs are shared over `pairs`: what versions say of that differs.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for other methods; [`CryptoError::BadParameters`] if the numbers do not fit the method or one another.
    pub fn new(
        method: SplitKeyMethod,
        parts: i32,
        threshold: i32,
        prime: Option<&BigInteger>,
        pairs: ByteField,
    ) -> Result<Self, CryptoError> {
        let count = |number: i32| u16::try_from(number).map_err(|_| CryptoError::BadParameters);
        let (parts, threshold) = (count(parts)?, count(threshold)?);
        let field = match method {
            SplitKeyMethod::XOR => Field::Xor,
            SplitKeyMethod::PolynomialSharingGF2_8 => Field::Bytes(ByteField::D),
            SplitKeyMethod::PolynomialSharingGF2_16 => Field::Pairs(PairField(pairs)),
            SplitKeyMethod::PolynomialSharingPrimeField => {
                let prime = prime
                    .and_then(BigInteger::magnitude)
                    .ok_or(CryptoError::BadParameters)?;
                let prime = BigNum::from_slice(prime).map_err(internal)?;
                if prime.num_bits() > MOST_PRIME || !prime.is_bit_set(0) || prime.num_bits() < 2 {
                    return Err(CryptoError::BadParameters);
                }
                Field::Prime(prime)
            }
            _ => return Err(CryptoError::Unsupported),
        };
        let most = match field {
            Field::Bytes(_) => u16::from(u8::MAX),
            _ => u16::MAX,
        };
        let all = matches!(field, Field::Xor);
        // A point that the field holds as zero would have the secret itself for its share.
        let wraps = matches!(&field, Field::Prime(prime) if prime.num_bits() <= 16);
        let fit = threshold != 0 && threshold <= parts && parts <= most && (!all || threshold == parts);
        if !fit || wraps {
            return Err(CryptoError::BadParameters);
        }
        Ok(Self {
            field,
            parts,
            threshold,
        })
    }

    /// Whether splitting so many bytes takes more than a moment.
    #[must_use]
    pub fn is_heavy_to_split(&self, bytes: usize) -> bool {
        self.to_split(bytes) > MANY_PRODUCTS || matches!(self.field, Field::Prime(_))
    }

    /// Whether joining so many shares, each of so many bytes, takes more than a moment.
    #[must_use]
    pub fn is_heavy_to_join(&self, shares: usize, bytes: usize) -> bool {
        self.to_join(shares, bytes) > MANY_PRODUCTS || matches!(self.field, Field::Prime(_))
    }

    /// What splitting costs, in products.
    fn to_split(&self, bytes: usize) -> usize {
        let polynomials = usize::from(self.parts).saturating_mul(bytes);
        match self.field {
            Field::Xor => polynomials,
            _ => polynomials.saturating_mul(usize::from(self.threshold)),
        }
    }

    /// What joining costs, in products: one interpolation gives the secret, and one each share beyond the threshold.
    fn to_join(&self, shares: usize, bytes: usize) -> usize {
        let threshold = usize::from(self.threshold);
        let interpolations = shares.saturating_sub(threshold).saturating_add(1);
        let weight = match self.field {
            Field::Xor => 0,
            _ => threshold.saturating_mul(INVERSE),
        };
        let each = threshold.saturating_mul(bytes.saturating_add(weight));
        interpolations.saturating_mul(each)
    }

    /// The shares of a secret, that of Key Part Identifier 1 first.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`] if the field does not hold the secret, or it is too long for so many parts;
    /// [`CryptoError::BadParameters`] if the field's size is no prime; [`CryptoError::Random`].
    pub fn split(&self, secret: &Secret, randomness: &dyn Randomness) -> Result<Vec<Secret>, CryptoError> {
        if secret.is_empty() || secret.len() > MOST_SECRET || self.to_split(secret.len()) > MOST_PRODUCTS {
            return Err(CryptoError::BadLength);
        }
        match &self.field {
            Field::Xor => self.split_by_xor(secret, randomness),
            Field::Prime(prime) => self.split_in_prime_field(secret, prime, randomness),
            Field::Pairs(_) if !secret.len().is_multiple_of(2) => Err(CryptoError::BadLength),
            Field::Bytes(_) | Field::Pairs(_) => {
                let mut coefficients = vec![secret.clone()];
                for _ in 1..self.threshold {
                    coefficients.push(randomness.secret(secret.len())?);
                }
                (1..=self.parts)
                    .map(|point| self.evaluate(&coefficients, point))
                    .collect()
            }
        }
    }

    /// The secret that shares belong to; numbers of a prime field as long as `length` says, else without leading zeros.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if they are fewer than the threshold, two have the same identifier, or they do not belong together;
    /// [`CryptoError::BadLength`] if they are too many of too many bytes.
    pub fn join(&self, shares: &[Share<'_>], length: Option<usize>) -> Result<Secret, CryptoError> {
        let mut points = Vec::with_capacity(shares.len());
        for (identifier, material) in shares {
            let point = u16::try_from(*identifier).map_err(|_| CryptoError::Failed)?;
            if point == 0 || point > self.parts || points.iter().any(|(other, _)| *other == point) {
                return Err(CryptoError::Failed);
            }
            points.push((point, *material));
        }
        let (needed, more) = points
            .split_at_checked(usize::from(self.threshold))
            .ok_or(CryptoError::Failed)?;
        let size = needed.first().map_or(0, |(_, share)| share.len());
        if size == 0 || size > MOST_SECRET || points.iter().any(|(_, share)| share.len() != size) {
            return Err(CryptoError::Failed);
        }
        if self.to_join(points.len(), size) > MOST_PRODUCTS {
            return Err(CryptoError::BadLength);
        }
        match &self.field {
            Field::Xor => Ok(needed
                .iter()
                .fold(Secret::new(vec![0; size]), |sum, (_, share)| add(&sum, share))),
            Field::Prime(prime) => join_in_prime_field(needed, more, prime, length),
            Field::Bytes(_) | Field::Pairs(_) => {
                // Shares beyond the threshold must lie on the same polynomial.
                for (point, share) in more {
                    let expected = self.interpolate(needed, *point)?;
                    if !openssl::memcmp::eq(expected.expose(), share.expose()) {
                        return Err(CryptoError::Failed);
                    }
                }
                self.interpolate(needed, 0)
            }
        }
    }

    fn split_by_xor(&self, secret: &Secret, randomness: &dyn Randomness) -> Result<Vec<Secret>, CryptoError> {
        let mut shares = Vec::new();
        let mut last = secret.clone();
        for _ in 1..self.parts {
            let share = randomness.secret(secret.len())?;
            last = add(&last, &share);
            shares.push(share);
        }
        shares.push(last);
        Ok(shares)
    }

    /// The value at a point of the polynomials with these coefficients, the lowest first.
    fn evaluate(&self, coefficients: &[Secret], point: u16) -> Result<Secret, CryptoError> {
        let length = coefficients.first().map_or(0, Secret::len);
        let mut value = Secret::new(vec![0; length]);
        for coefficient in coefficients.iter().rev() {
            value = add(&self.scale(&value, point)?, coefficient);
        }
        Ok(value)
    }

    /// The value at `at` of the polynomials of least degree through these points, which are different.
    fn interpolate(&self, points: &[(u16, &Secret)], at: u16) -> Result<Secret, CryptoError> {
        let size = points.first().map_or(0, |(_, share)| share.len());
        let mut value = Secret::new(vec![0; size]);
        for (point, share) in points {
            let mut weight = 1;
            for (other, _) in points.iter().filter(|(other, _)| other != point) {
                let ratio = self.multiply(at ^ other, self.invert(point ^ other)?)?;
                weight = self.multiply(weight, ratio)?;
            }
            value = add(&value, &self.scale(share, weight)?);
        }
        Ok(value)
    }

    /// Every element of a binary field, times one.
    fn scale(&self, elements: &Secret, by: u16) -> Result<Secret, CryptoError> {
        let mut scaled = Vec::with_capacity(elements.len());
        match &self.field {
            Field::Bytes(field) => {
                let by = u8::try_from(by).map_err(|_| CryptoError::Internal)?;
                scaled.extend(elements.expose().iter().map(|byte| field.multiply(*byte, by)));
            }
            Field::Pairs(field) => {
                let (pairs, rest) = elements.expose().as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(CryptoError::Failed);
                }
                for pair in pairs {
                    scaled.extend(field.multiply(u16::from_be_bytes(*pair), by).to_be_bytes());
                }
            }
            Field::Xor | Field::Prime(_) => return Err(CryptoError::Internal),
        }
        Ok(Secret::new(scaled))
    }

    /// The product of two numbers that are no secret.
    fn multiply(&self, a: u16, b: u16) -> Result<u16, CryptoError> {
        let byte = |number| u8::try_from(number).map_err(|_| CryptoError::Internal);
        match &self.field {
            Field::Bytes(field) => Ok(u16::from(field.multiply(byte(a)?, byte(b)?))),
            Field::Pairs(field) => Ok(field.multiply(a, b)),
            Field::Xor | Field::Prime(_) => Err(CryptoError::Internal),
        }
    }

    fn invert(&self, a: u16) -> Result<u16, CryptoError> {
        match &self.field {
            Field::Bytes(field) => {
                let byte = u8::try_from(a).map_err(|_| CryptoError::Internal)?;
                Ok(u16::from(field.invert(byte)))
            }
            Field::Pairs(field) => Ok(field.invert(a)),
            Field::Xor | Field::Prime(_) => Err(CryptoError::Internal),
        }
    }

    fn split_in_prime_field(
        &self,
        secret: &Secret,
        prime: &BigNumRef,
        randomness: &dyn Randomness,
    ) -> Result<Vec<Secret>, CryptoError> {
        let mut context = BigNumContext::new_secure().map_err(internal)?;
        // The prime is to be larger than 2^L, where L is the number of bits that values of the secret take.
        let bits = usize::try_from(prime.num_bits()).map_err(|_| CryptoError::Internal)?;
        if bits <= secret.len().saturating_mul(8) {
            return Err(CryptoError::BadLength);
        }
        if !prime.is_prime(0, &mut context).map_err(internal)? {
            return Err(CryptoError::BadParameters);
        }
        let mut coefficients = vec![secret_number(secret.expose())?];
        for _ in 1..self.threshold {
            coefficients.push(below(prime, randomness)?);
        }
        let width = prime.num_bytes();
        let mut shares = Vec::new();
        for point in 1..=self.parts {
            let point = BigNum::from_u32(u32::from(point)).map_err(internal)?;
            let mut value = BigNum::new_secure().map_err(internal)?;
            for coefficient in coefficients.iter().rev() {
                value = multiply_and_add(&value, &point, coefficient, prime, &mut context)?;
            }
            shares.push(Secret::new(value.to_vec_padded(width).map_err(internal)?));
        }
        Ok(shares)
    }
}

/// The sum in a binary field.
fn add(a: &Secret, b: &Secret) -> Secret {
    Secret::new(a.expose().iter().zip(b.expose()).map(|(a, b)| a ^ b).collect())
}

/// A number that is a secret, marked so that the library treats it as one.
fn secret_number(bytes: &[u8]) -> Result<BigNum, CryptoError> {
    let mut number = BigNum::new_secure().map_err(internal)?;
    number.copy_from_slice(bytes).map_err(internal)?;
    number.set_const_time();
    Ok(number)
}

/// A random number below the prime, each as likely as any other.
fn below(prime: &BigNumRef, randomness: &dyn Randomness) -> Result<BigNum, CryptoError> {
    let width = usize::try_from(prime.num_bytes()).map_err(|_| CryptoError::Internal)?;
    for _ in 0..DRAWS {
        let bytes = randomness.secret(width)?;
        let mut number = secret_number(bytes.expose())?;
        if number.num_bits() > prime.num_bits() {
            number.mask_bits(prime.num_bits()).map_err(internal)?;
        }
        if number.ucmp(prime) == core::cmp::Ordering::Less {
            return Ok(number);
        }
    }
    Err(CryptoError::Random)
}

/// `a * b + c` modulo the prime.
fn multiply_and_add(
    a: &BigNumRef,
    b: &BigNumRef,
    c: &BigNumRef,
    prime: &BigNumRef,
    context: &mut BigNumContext,
) -> Result<BigNum, CryptoError> {
    let mut product = BigNum::new_secure().map_err(internal)?;
    product.mod_mul(a, b, prime, context).map_err(internal)?;
    let mut sum = BigNum::new_secure().map_err(internal)?;
    sum.mod_add(&product, c, prime, context).map_err(internal)?;
    Ok(sum)
}

/// The value at `at` of the polynomial of least degree through these points.
fn interpolate_numbers(
    points: &[(u16, &Secret)],
    at: u16,
    prime: &BigNumRef,
    context: &mut BigNumContext,
) -> Result<BigNum, CryptoError> {
    let failed = or(CryptoError::Failed);
    let number = |value: u16| BigNum::from_u32(u32::from(value)).map_err(internal);
    let mut value = BigNum::new_secure().map_err(internal)?;
    let at = number(at)?;
    for (point, share) in points {
        let (mut above, mut under, place) = (number(1)?, number(1)?, number(*point)?);
        for (other, _) in points.iter().filter(|(other, _)| other != point) {
            let other = number(*other)?;
            above = times_difference(&above, &at, &other, prime, context)?;
            under = times_difference(&under, &place, &other, prime, context)?;
        }
        // Inverted once: that costs as much as hundreds of products.
        let (mut inverse, mut weight) = (BigNum::new().map_err(internal)?, BigNum::new().map_err(internal)?);
        inverse.mod_inverse(&under, prime, context).map_err(&failed)?;
        weight.mod_mul(&above, &inverse, prime, context).map_err(internal)?;
        let share = secret_number(share.expose())?;
        if share.ucmp(prime) != core::cmp::Ordering::Less {
            return Err(CryptoError::Failed);
        }
        value = multiply_and_add(&share, &weight, &value, prime, context)?;
    }
    Ok(value)
}

/// `a * (b - c)` modulo the prime, of numbers that are no secret.
fn times_difference(
    a: &BigNumRef,
    b: &BigNumRef,
    c: &BigNumRef,
    prime: &BigNumRef,
    context: &mut BigNumContext,
) -> Result<BigNum, CryptoError> {
    let (mut difference, mut product) = (BigNum::new().map_err(internal)?, BigNum::new().map_err(internal)?);
    difference.mod_sub(b, c, prime, context).map_err(internal)?;
    product.mod_mul(a, &difference, prime, context).map_err(internal)?;
    Ok(product)
}

fn join_in_prime_field(
    needed: &[(u16, &Secret)],
    more: &[(u16, &Secret)],
    prime: &BigNumRef,
    length: Option<usize>,
) -> Result<Secret, CryptoError> {
    let mut context = BigNumContext::new_secure().map_err(internal)?;
    for (point, share) in more {
        let expected = interpolate_numbers(needed, *point, prime, &mut context)?;
        let width = i32::try_from(share.len()).map_err(|_| CryptoError::Failed)?;
        let expected = Secret::new(expected.to_vec_padded(width).map_err(or(CryptoError::Failed))?);
        if !openssl::memcmp::eq(expected.expose(), share.expose()) {
            return Err(CryptoError::Failed);
        }
    }
    let secret = interpolate_numbers(needed, 0, prime, &mut context)?;
    let Some(length) = length else {
        return Ok(Secret::new(secret.to_vec()));
    };
    // A number of the field is no longer than the prime, whatever is said of it.
    let length = i32::try_from(length).map_err(|_| CryptoError::Failed)?;
    if secret.num_bytes() > length || length > prime.num_bytes() {
        return Err(CryptoError::Failed);
    }
    Ok(Secret::new(secret.to_vec_padded(length).map_err(internal)?))
}
