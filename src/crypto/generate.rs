//! Making keys (KMIP 2.1 §6.1.8 Create, §6.1.9 Create Key Pair).

use super::algorithm::material_length;
use super::curve;
use super::error::{CryptoError, internal, or};
use super::key::PrivateKey;
use super::native;
use super::post_quantum;
use super::random::Randomness;
use kmip_protocol::{CryptographicAlgorithm, RecommendedCurve};
use kmip_ttlv::Secret;
use openssl::dh::Dh;
use openssl::dsa::Dsa;
use openssl::ec::EcKey;
use openssl::pkey::{Id, PKey};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Rsa;

/// The shortest RSA key that is made. Clients that test with old cases still ask for 512 bits.
const LEAST_RSA: i32 = 512;
/// The longest RSA key that is made: the next step takes minutes.
const MOST_RSA: i32 = 8192;
/// Moduli of DSA and DH, in bits. Parameters for DSA are made anew each time, which takes seconds for 3072.
const DSA_LENGTHS: [i32; 4] = [512, 1024, 2048, 3072];
/// How often a weak key of DES is thrown away before the generator is blamed. One of 2^52 keys is weak.
const DES_TRIES: usize = 8;

/// Makes the material of a symmetric key.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the algorithm has no symmetric keys, [`CryptoError::BadLength`],
/// [`CryptoError::Random`].
pub fn symmetric(
    algorithm: CryptographicAlgorithm,
    bits: i32,
    randomness: &dyn Randomness,
) -> Result<Secret, CryptoError> {
    let length = material_length(algorithm, bits)?;
    let is_des = matches!(algorithm, CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3);
    for _ in 0..DES_TRIES {
        let mut bytes = vec![0; length];
        randomness.fill(&mut bytes)?;
        if is_des {
            bytes.iter_mut().for_each(set_parity);
        }
        let key = Secret::new(bytes);
        if !is_des || is_strong_des(&key) {
            return Ok(key);
        }
    }
    Err(CryptoError::Random)
}

/// Makes random bytes for Secret Data of so many bits.
///
/// # Errors
/// [`CryptoError::BadLength`], [`CryptoError::Random`].
pub fn secret_data(bits: i32, randomness: &dyn Randomness) -> Result<Secret, CryptoError> {
    symmetric(CryptographicAlgorithm::OneTimePad, bits, randomness)
}

/// Odd parity in the lowest bit, as FIPS 46-3 wants it.
fn set_parity(byte: &mut u8) {
    let ones = (*byte & 0xFE).count_ones();
    *byte = (*byte & 0xFE) | u8::from(ones.is_multiple_of(2));
}

/// No part is a weak key of DES (those whose halves are all zeros or all ones are the four; NIST SP 800-67 §3.3.2 adds
/// the semi-weak ones), and no two parts of a triple key are the same.
fn is_strong_des(key: &Secret) -> bool {
    const WEAK: [u64; 16] = [
        0x0101_0101_0101_0101,
        0xFEFE_FEFE_FEFE_FEFE,
        0xE0E0_E0E0_F1F1_F1F1,
        0x1F1F_1F1F_0E0E_0E0E,
        0x011F_011F_010E_010E,
        0x1F01_1F01_0E01_0E01,
        0x01E0_01E0_01F1_01F1,
        0xE001_E001_F101_F101,
        0x01FE_01FE_01FE_01FE,
        0xFE01_FE01_FE01_FE01,
        0x1FE0_1FE0_0EF1_0EF1,
        0xE01F_E01F_F10E_F10E,
        0x1FFE_1FFE_0EFE_0EFE,
        0xFE1F_FE1F_FE0E_FE0E,
        0xE0FE_E0FE_F1FE_F1FE,
        0xFEE0_FEE0_FEF1_FEF1,
    ];
    let (parts, _) = key.expose().as_chunks::<8>();
    let weak = parts.iter().any(|part| WEAK.contains(&u64::from_be_bytes(*part)));
    let repeated = parts
        .windows(2)
        .any(|pair| matches!(pair, [first, second] if first == second));
    !weak && !repeated
}

/// Which key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairRequest {
    /// The algorithm. EC, ECDSA and ECDH all mean a key on a curve.
    pub algorithm: CryptographicAlgorithm,
    /// The length in bits: of the modulus, or of the curve where no curve is named.
    pub length: Option<i32>,
    /// The curve.
    pub curve: Option<RecommendedCurve>,
}

impl PairRequest {
    /// Whether making it takes so long that it belongs into the pool for heavy work.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        matches!(
            self.algorithm,
            CryptographicAlgorithm::RSA | CryptographicAlgorithm::DSA | CryptographicAlgorithm::DH
        ) || post_quantum::is_hash_based(self.algorithm)
    }

    /// Makes the pair. The public key is the private one's [`PrivateKey::public_key`].
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`], [`CryptoError::BadLength`], [`CryptoError::BadParameters`] if neither length nor
    /// curve is named where one is needed or they contradict each other, [`CryptoError::Random`].
    pub fn generate(&self) -> Result<PrivateKey, CryptoError> {
        native::prepare()?;
        let key = match self.algorithm {
            CryptographicAlgorithm::RSA => rsa(self.length.ok_or(CryptoError::BadParameters)?),
            CryptographicAlgorithm::DSA => dsa(self.length.ok_or(CryptoError::BadParameters)?),
            CryptographicAlgorithm::DH => dh(self.length.ok_or(CryptoError::BadParameters)?),
            CryptographicAlgorithm::Ed25519 => by_id(Id::ED25519),
            CryptographicAlgorithm::Ed448 => by_id(Id::ED448),
            CryptographicAlgorithm::EC | CryptographicAlgorithm::ECDSA | CryptographicAlgorithm::ECDH => {
                self.on_curve()
            }
            other => {
                let row = post_quantum::row(other).ok_or(CryptoError::Unsupported)?;
                let mut context = native::context_by_name(row.name)?;
                context.keygen_init().and_then(|()| context.keygen()).map_err(internal)
            }
        }?;
        Ok(PrivateKey(key))
    }

    fn on_curve(&self) -> Result<PKey<openssl::pkey::Private>, CryptoError> {
        let named = self.curve.or_else(|| self.length.and_then(curve::curve_of_length));
        let signs = self.algorithm == CryptographicAlgorithm::ECDSA;
        match named {
            None if self.length.is_none() => Err(CryptoError::BadParameters),
            None => Err(CryptoError::BadLength),
            // As EC the curve is for signing (Ed25519 has a number of its own) only if the algorithm says so.
            Some(RecommendedCurve::CURVE25519) => by_id(if signs { Id::ED25519 } else { Id::X25519 }),
            Some(RecommendedCurve::CURVE448) => by_id(if signs { Id::ED448 } else { Id::X448 }),
            Some(curve) => {
                let group = curve::group(curve)?;
                let degree = i32::try_from(group.degree()).map_err(|_| CryptoError::Internal)?;
                if self.length.is_some_and(|length| length != degree) {
                    return Err(CryptoError::BadParameters);
                }
                EcKey::generate(&group).and_then(PKey::from_ec_key).map_err(internal)
            }
        }
    }
}

type Made = Result<PKey<openssl::pkey::Private>, CryptoError>;

fn rsa(bits: i32) -> Made {
    if !(LEAST_RSA..=MOST_RSA).contains(&bits) || bits % 8 != 0 {
        return Err(CryptoError::BadLength);
    }
    let bits = u32::try_from(bits).map_err(|_| CryptoError::BadLength)?;
    Rsa::generate(bits).and_then(PKey::from_rsa).map_err(internal)
}

fn dsa(bits: i32) -> Made {
    if !DSA_LENGTHS.contains(&bits) {
        return Err(CryptoError::BadLength);
    }
    let bits = u32::try_from(bits).map_err(|_| CryptoError::BadLength)?;
    Dsa::generate(bits).and_then(PKey::from_dsa).map_err(internal)
}

/// Keys of Diffie-Hellman are made over the standard groups of RFC 7919 (RFC 5114 and 2409 for the short ones that
/// only old clients ask for): safe primes need not be searched for.
fn dh(bits: i32) -> Made {
    let name = match bits {
        1024 => {
            return Dh::get_1024_160()
                .and_then(Dh::generate_key)
                .and_then(PKey::from_dhx)
                .map_err(internal);
        }
        1536 => c"modp_1536",
        2048 => c"ffdhe2048",
        3072 => c"ffdhe3072",
        4096 => c"ffdhe4096",
        6144 => c"ffdhe6144",
        8192 => c"ffdhe8192",
        _ => return Err(CryptoError::BadLength),
    };
    native::generate_in_group(c"DH", name)
}

fn by_id(id: Id) -> Made {
    let mut context = PkeyCtx::new_id(id).map_err(or(CryptoError::Unsupported))?;
    context.keygen_init().and_then(|()| context.keygen()).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::super::curve::curves;
    use super::super::key::KeyKind;
    use super::super::random::randomness;
    use super::*;

    #[test]
    fn des_keys_have_odd_parity_and_are_strong() {
        for bits in [56, 112, 168] {
            let key = symmetric(CryptographicAlgorithm::DES3, bits, randomness().as_ref()).unwrap();
            assert!(key.expose().iter().all(|byte| byte.count_ones() % 2 == 1));
        }
        assert!(!is_strong_des(&Secret::new(vec![1; 8])));
        assert!(!is_strong_des(&Secret::new(vec![7; 16])));
        assert!(!is_strong_des(&Secret::new(vec![0xFE, 1, 0xFE, 1, 0xFE, 1, 0xFE, 1])));
    }

    #[test]
    fn symmetric_keys_have_their_length() {
        for (algorithm, bits) in [
            (CryptographicAlgorithm::AES, 256),
            (CryptographicAlgorithm::SKIPJACK, 80),
            (CryptographicAlgorithm::HMAC_SHA512, 512),
        ] {
            let first = symmetric(algorithm, bits, randomness().as_ref()).unwrap();
            assert_eq!(first.len() * 8, usize::try_from(bits).unwrap());
            assert!(first != symmetric(algorithm, bits, randomness().as_ref()).unwrap());
        }
        let refused = |algorithm, bits| symmetric(algorithm, bits, randomness().as_ref()).err();
        assert_eq!(refused(CryptographicAlgorithm::AES, 100), Some(CryptoError::BadLength));
        assert_eq!(
            refused(CryptographicAlgorithm::RSA, 2048),
            Some(CryptoError::Unsupported)
        );
        assert_eq!(secret_data(96, randomness().as_ref()).unwrap().len(), 12);
    }

    fn pair(
        algorithm: CryptographicAlgorithm,
        length: Option<i32>,
        curve: Option<RecommendedCurve>,
    ) -> Result<PrivateKey, CryptoError> {
        PairRequest {
            algorithm,
            length,
            curve,
        }
        .generate()
    }

    #[test]
    fn every_curve_gives_keys() {
        for curve in curves() {
            let key = pair(CryptographicAlgorithm::EC, None, Some(curve)).unwrap();
            assert_eq!(key.facts().unwrap().curve, Some(curve));
            assert!(key.matches(&key.public_key().unwrap()));
        }
        let curve25519 = Some(RecommendedCurve::CURVE25519);
        let kind = |algorithm, curve| pair(algorithm, None, curve).unwrap().kind();
        assert_eq!(
            kind(CryptographicAlgorithm::EC, curve25519),
            Ok(KeyKind::Montgomery(RecommendedCurve::CURVE25519))
        );
        assert_eq!(
            kind(CryptographicAlgorithm::ECDSA, curve25519),
            Ok(KeyKind::Edwards(CryptographicAlgorithm::Ed25519))
        );
        assert_eq!(
            kind(CryptographicAlgorithm::Ed448, None),
            Ok(KeyKind::Edwards(CryptographicAlgorithm::Ed448))
        );
        assert_eq!(
            pair(CryptographicAlgorithm::ECDSA, Some(384), None)
                .unwrap()
                .facts()
                .unwrap()
                .curve,
            Some(RecommendedCurve::P_384)
        );
    }

    #[test]
    fn every_other_pair() {
        for (algorithm, length) in [
            (CryptographicAlgorithm::RSA, 1024),
            (CryptographicAlgorithm::DSA, 1024),
            (CryptographicAlgorithm::DH, 1024),
            (CryptographicAlgorithm::DH, 2048),
        ] {
            let request = PairRequest {
                algorithm,
                length: Some(length),
                curve: None,
            };
            let facts = request.generate().unwrap().facts().unwrap();
            assert_eq!((facts.algorithm, facts.length), (algorithm, length));
            assert!(request.is_heavy());
        }
        for row in post_quantum::all() {
            let request = PairRequest {
                algorithm: row.algorithm,
                length: None,
                curve: None,
            };
            // The slow ones of SLH-DSA take a second each.
            if !request.is_heavy() || row.algorithm == post_quantum::SLH_DSA_SHA2_128F {
                assert_eq!(request.generate().unwrap().facts().unwrap().algorithm, row.algorithm);
            }
        }
    }

    #[test]
    fn what_cannot_be_made_is_said() {
        let refused = |algorithm, length, curve| pair(algorithm, length, curve).err();
        assert_eq!(
            refused(CryptographicAlgorithm::RSA, None, None),
            Some(CryptoError::BadParameters)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::RSA, Some(100), None),
            Some(CryptoError::BadLength)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::RSA, Some(65_536), None),
            Some(CryptoError::BadLength)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::DH, Some(1000), None),
            Some(CryptoError::BadLength)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::EC, None, None),
            Some(CryptoError::BadParameters)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::EC, Some(100), None),
            Some(CryptoError::BadLength)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::EC, Some(384), Some(RecommendedCurve::P_256)),
            Some(CryptoError::BadParameters)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::AES, Some(128), None),
            Some(CryptoError::Unsupported)
        );
        assert_eq!(
            refused(CryptographicAlgorithm::McEliece, None, None),
            Some(CryptoError::Unsupported)
        );
    }
}
