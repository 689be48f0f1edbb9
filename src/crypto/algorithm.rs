//! What is known of each symmetric algorithm's keys, and which algorithms a profile permits.

use super::error::CryptoError;
use super::hash::hash_length;
use super::mac::hmac_hash;
use kmip_protocol::CryptographicAlgorithm;

/// The longest key that is made or taken here, in bytes. Real ones are far shorter; one-time pads set the bound.
const MOST_KEY_BYTES: usize = 65_536;

/// Which key lengths an algorithm has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLengths {
    /// These and no others.
    Only(&'static [usize]),
    /// Every whole number of bytes between these two, both included.
    Between(usize, usize),
}

impl KeyLengths {
    /// Whether a key of this many bytes is one.
    #[must_use]
    pub fn contain(self, bytes: usize) -> bool {
        match self {
            Self::Only(lengths) => lengths.contains(&bytes),
            Self::Between(least, most) => (least..=most).contains(&bytes),
        }
    }
}

/// The lengths of the material of a symmetric key, parity bits of DES included; none for algorithms that have no
/// symmetric keys. Algorithms without an implementation here are listed as well: their keys can be made and kept.
#[must_use]
pub fn key_lengths(algorithm: CryptographicAlgorithm) -> Option<KeyLengths> {
    use KeyLengths::{Between, Only};
    Some(match algorithm {
        CryptographicAlgorithm::DES => Only(&[8]),
        CryptographicAlgorithm::DES3 => Only(&[8, 16, 24]),
        // 64 bytes are the two keys of XTS with 256 bits each.
        CryptographicAlgorithm::AES => Only(&[16, 24, 32, 64]),
        CryptographicAlgorithm::Camellia | CryptographicAlgorithm::ARIA | CryptographicAlgorithm::Twofish => {
            Only(&[16, 24, 32])
        }
        CryptographicAlgorithm::Blowfish => Between(4, 56),
        CryptographicAlgorithm::CAST5 => Between(5, 16),
        CryptographicAlgorithm::IDEA | CryptographicAlgorithm::SEED => Only(&[16]),
        // 32 bytes are the two keys of XTS.
        CryptographicAlgorithm::SM4 => Only(&[16, 32]),
        CryptographicAlgorithm::MARS => Between(16, 56),
        CryptographicAlgorithm::RC2 => Between(1, 128),
        CryptographicAlgorithm::RC4 => Between(5, 256),
        CryptographicAlgorithm::RC5 => Between(1, 255),
        CryptographicAlgorithm::SKIPJACK => Only(&[10]),
        CryptographicAlgorithm::ChaCha20
        | CryptographicAlgorithm::ChaCha20Poly1305
        | CryptographicAlgorithm::Poly1305
        | CryptographicAlgorithm::GOST28147_89
        | CryptographicAlgorithm::GOSTR34_13_2015 => Only(&[32]),
        CryptographicAlgorithm::OneTimePad => Between(1, MOST_KEY_BYTES),
        hmac if hmac_hash(hmac).is_some() => Between(1, MOST_KEY_BYTES),
        _ => return None,
    })
}

/// The Cryptographic Length that a symmetric key has where nobody says which: of the lengths of the algorithm the one nearest to 256 bits, as
/// a single key of XTS would have it; of an HMAC that of its hash (RFC 2104 §3).
#[must_use]
pub fn usual_length(algorithm: CryptographicAlgorithm) -> Option<i32> {
    const USUAL: usize = 32;
    let bytes = match (algorithm, key_lengths(algorithm)?) {
        (CryptographicAlgorithm::SM4, _) => 16,
        (hmac, KeyLengths::Between(..)) if hmac_hash(hmac).is_some() => hash_length(hmac_hash(hmac)?).ok()?,
        (_, KeyLengths::Between(least, most)) => USUAL.clamp(least, most),
        (_, KeyLengths::Only(lengths)) => lengths.iter().copied().filter(|bytes| *bytes <= USUAL).max()?,
    };
    Some(length_in_bits(algorithm, bytes))
}

/// The bytes of material of a symmetric key with this Cryptographic Length. DES counts its key with or without parity:
/// 112 and 168 bits are kept in 16 and 24 bytes.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the algorithm has no symmetric keys; [`CryptoError::BadLength`] if it has none of
/// this length.
pub fn material_length(algorithm: CryptographicAlgorithm, bits: i32) -> Result<usize, CryptoError> {
    let lengths = key_lengths(algorithm).ok_or(CryptoError::Unsupported)?;
    let bytes = match (algorithm, bits) {
        (CryptographicAlgorithm::DES, 56) | (CryptographicAlgorithm::DES3, 56) => 8,
        (CryptographicAlgorithm::DES3, 112) => 16,
        (CryptographicAlgorithm::DES3, 168) => 24,
        _ if bits % 8 != 0 => return Err(CryptoError::BadLength),
        _ => usize::try_from(bits / 8).map_err(|_| CryptoError::BadLength)?,
    };
    if lengths.contain(bytes) {
        Ok(bytes)
    } else {
        Err(CryptoError::BadLength)
    }
}

/// The Cryptographic Length in bits of symmetric material of this many bytes: without parity for DES.
#[must_use]
pub fn length_in_bits(algorithm: CryptographicAlgorithm, bytes: usize) -> i32 {
    let per_byte = match algorithm {
        CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3 => 7,
        _ => 8,
    };
    i32::try_from(bytes.saturating_mul(per_byte)).unwrap_or(i32::MAX)
}

/// Checks symmetric material against its algorithm and, where one is stated, its length in bits.
///
/// # Errors
/// [`CryptoError::BadKey`].
pub fn check_material(algorithm: CryptographicAlgorithm, bytes: usize, bits: Option<i32>) -> Result<(), CryptoError> {
    let fits = key_lengths(algorithm).is_none_or(|lengths| lengths.contain(bytes));
    let stated = bits.is_none_or(|bits| {
        material_length(algorithm, bits).map_or_else(
            // An algorithm whose keys are not known here: the length says the bytes.
            |error| {
                error == CryptoError::Unsupported && usize::try_from(bits).is_ok_and(|bits| bits.div_ceil(8) == bytes)
            },
            |stated| stated == bytes,
        )
    });
    if fits && stated {
        Ok(())
    } else {
        Err(CryptoError::BadKey)
    }
}

/// Which algorithms a server lets its clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// All that there are.
    #[default]
    Interoperable,
}

/// Whether the profile lets a client use this algorithm. The one place where that is decided.
#[must_use]
pub fn permitted(profile: Profile, _algorithm: CryptographicAlgorithm) -> bool {
    match profile {
        Profile::Interoperable => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_algorithm() {
        for (algorithm, bits, bytes) in [
            (CryptographicAlgorithm::AES, 128, Ok(16)),
            (CryptographicAlgorithm::AES, 256, Ok(32)),
            (CryptographicAlgorithm::AES, 512, Ok(64)),
            (CryptographicAlgorithm::AES, 120, Err(CryptoError::BadLength)),
            (CryptographicAlgorithm::AES, -128, Err(CryptoError::BadLength)),
            (CryptographicAlgorithm::AES, 0, Err(CryptoError::BadLength)),
            (CryptographicAlgorithm::DES3, 112, Ok(16)),
            (CryptographicAlgorithm::DES3, 168, Ok(24)),
            (CryptographicAlgorithm::DES3, 192, Ok(24)),
            (CryptographicAlgorithm::DES, 56, Ok(8)),
            (CryptographicAlgorithm::SKIPJACK, 80, Ok(10)),
            (CryptographicAlgorithm::HMAC_SHA256, 256, Ok(32)),
            (CryptographicAlgorithm::CAST5, 136, Err(CryptoError::BadLength)),
            (CryptographicAlgorithm::RSA, 2048, Err(CryptoError::Unsupported)),
        ] {
            assert_eq!(material_length(algorithm, bits), bytes, "{algorithm} {bits}");
        }
        assert_eq!(length_in_bits(CryptographicAlgorithm::DES3, 24), 168);
        assert_eq!(length_in_bits(CryptographicAlgorithm::AES, 32), 256);
    }

    #[test]
    fn material_must_fit_what_is_said_of_it() {
        let aes = CryptographicAlgorithm::AES;
        assert_eq!(check_material(aes, 16, Some(128)), Ok(()));
        assert_eq!(check_material(aes, 16, None), Ok(()));
        assert_eq!(check_material(aes, 16, Some(256)), Err(CryptoError::BadKey));
        assert_eq!(check_material(aes, 17, None), Err(CryptoError::BadKey));
        assert_eq!(check_material(CryptographicAlgorithm::XMSS, 17, Some(136)), Ok(()));
        assert_eq!(
            check_material(CryptographicAlgorithm::XMSS, 17, Some(128)),
            Err(CryptoError::BadKey)
        );
        assert!(permitted(Profile::default(), CryptographicAlgorithm::DES));
    }
}
