//! The library's digests and ciphers, each looked up by name once. A look-up costs more than hashing a short message.

use super::error::CryptoError;
use super::native;
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm};
use openssl::cipher::{Cipher, CipherRef};
use openssl::md::{Md, MdRef};
use std::sync::OnceLock;

struct DigestRow {
    algorithm: HashingAlgorithm,
    name: &'static str,
    found: OnceLock<Option<Md>>,
}

macro_rules! digests {
    ($($algorithm:ident $name:literal)+) => {
        /// Every digest that KMIP names and the library has (KMIP 2.1 §11.21). Tiger it has not.
        static DIGESTS: [DigestRow; digests!(@count $($name)+)] = [$(DigestRow {
            algorithm: HashingAlgorithm::$algorithm, name: $name, found: OnceLock::new(),
        },)+];
    };
    (@count $($name:literal)+) => { 0 $(+ digests!(@one $name))+ };
    (@one $name:literal) => { 1 };
}

digests! {
    MD2 "MD2"
    MD4 "MD4"
    MD5 "MD5"
    SHA_1 "SHA1"
    SHA_224 "SHA224"
    SHA_256 "SHA256"
    SHA_384 "SHA384"
    SHA_512 "SHA512"
    RIPEMD_160 "RIPEMD160"
    Whirlpool "WHIRLPOOL"
    SHA_512_224 "SHA512-224"
    SHA_512_256 "SHA512-256"
    SHA3_224 "SHA3-224"
    SHA3_256 "SHA3-256"
    SHA3_384 "SHA3-384"
    SHA3_512 "SHA3-512"
}

/// The digest of this name.
///
/// # Errors
/// [`CryptoError::Unsupported`].
pub(super) fn digest(algorithm: HashingAlgorithm) -> Result<&'static MdRef, CryptoError> {
    native::prepare()?;
    let row = DIGESTS
        .iter()
        .find(|row| row.algorithm == algorithm)
        .ok_or(CryptoError::Unsupported)?;
    let found = row.found.get_or_init(|| Md::fetch(None, row.name, None).ok());
    found.as_deref().ok_or(CryptoError::Unsupported)
}

/// Every digest there is here, for Query and for tests.
pub(super) fn digests() -> impl Iterator<Item = HashingAlgorithm> {
    DIGESTS.iter().map(|row| row.algorithm)
}

/// One cipher of the library: an algorithm, the length of its key and a mode.
pub(super) struct CipherRow {
    pub(super) algorithm: CryptographicAlgorithm,
    /// The key's length in bytes; none if the cipher takes any.
    pub(super) key_length: Option<usize>,
    /// The mode; none for stream ciphers.
    pub(super) mode: Option<BlockCipherMode>,
    name: &'static str,
    found: OnceLock<Option<Cipher>>,
}

impl CipherRow {
    /// The library's cipher.
    pub(super) fn cipher(&self) -> Result<&CipherRef, CryptoError> {
        native::prepare()?;
        let found = self.found.get_or_init(|| Cipher::fetch(None, self.name, None).ok());
        found.as_deref().ok_or(CryptoError::Unsupported)
    }
}

macro_rules! ciphers {
    ($( $algorithm:ident $length:tt $prefix:literal { $($mode:ident $suffix:literal)+ } )+) => {
        static CIPHERS: [CipherRow; 3 $($(+ ciphers!(@one $suffix))+)+] = [$($(CipherRow {
            algorithm: CryptographicAlgorithm::$algorithm,
            key_length: ciphers!(@length $length),
            mode: Some(BlockCipherMode::$mode),
            name: concat!($prefix, $suffix),
            found: OnceLock::new(),
        },)+)+
            stream(CryptographicAlgorithm::RC4, None, "RC4"),
            stream(CryptographicAlgorithm::ChaCha20, Some(32), "ChaCha20"),
            stream(CryptographicAlgorithm::ChaCha20Poly1305, Some(32), "ChaCha20-Poly1305"),
        ];
    };
    (@one $suffix:literal) => { 1 };
    (@length any) => { None };
    (@length $length:literal) => { Some($length) };
}

const fn stream(algorithm: CryptographicAlgorithm, key_length: Option<usize>, name: &'static str) -> CipherRow {
    CipherRow {
        algorithm,
        key_length,
        mode: None,
        name,
        found: OnceLock::new(),
    }
}

ciphers! {
    AES 16 "AES-128" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" NISTKeyWrap "-WRAP" AESKeyWrapPadding "-WRAP-PAD" }
    AES 24 "AES-192" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" NISTKeyWrap "-WRAP" AESKeyWrapPadding "-WRAP-PAD" }
    AES 32 "AES-256" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" NISTKeyWrap "-WRAP" AESKeyWrapPadding "-WRAP-PAD" }
    AES 32 "AES-128" { XTS "-XTS" }
    AES 64 "AES-256" { XTS "-XTS" }
    DES 8 "DES" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    DES3 16 "DES-EDE" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    DES3 24 "DES-EDE3" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    Blowfish any "BF" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    CAST5 any "CAST5" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    IDEA 16 "IDEA" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    RC2 any "RC2" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    RC5 any "RC5" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    SEED 16 "SEED" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" }
    Camellia 16 "CAMELLIA-128" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" }
    Camellia 24 "CAMELLIA-192" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" }
    Camellia 32 "CAMELLIA-256" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" }
    ARIA 16 "ARIA-128" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" }
    ARIA 24 "ARIA-192" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" }
    ARIA 32 "ARIA-256" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" }
    SM4 16 "SM4" { ECB "-ECB" CBC "-CBC" CFB "-CFB" OFB "-OFB" CTR "-CTR" GCM "-GCM" CCM "-CCM" }
    SM4 32 "SM4" { XTS "-XTS" }
}

/// Every cipher there is here.
pub(super) fn ciphers() -> &'static [CipherRow] {
    &CIPHERS
}

/// The cipher of this algorithm and mode for a key of this many bytes.
///
/// # Errors
/// [`CryptoError::BadKey`] if the algorithm and mode are here, but not for such a key; [`CryptoError::BadParameters`]
/// if a block cipher was named without a mode; else [`CryptoError::Unsupported`].
pub(super) fn cipher(
    algorithm: CryptographicAlgorithm,
    key_length: usize,
    mode: Option<BlockCipherMode>,
) -> Result<&'static CipherRow, CryptoError> {
    let rows = || CIPHERS.iter().filter(move |row| row.algorithm == algorithm);
    if rows().next().is_none() {
        return Err(CryptoError::Unsupported);
    }
    // A stream cipher has no mode. KMIP writes AEAD for the one that authenticates as well.
    let is_stream = rows().all(|row| row.mode.is_none());
    let wanted = match mode {
        Some(BlockCipherMode::AEAD) if algorithm == CryptographicAlgorithm::ChaCha20Poly1305 => None,
        other => other,
    };
    if wanted.is_none() && !is_stream {
        return Err(CryptoError::BadParameters);
    }
    if !rows().any(|row| row.mode == wanted) {
        return Err(CryptoError::Unsupported);
    }
    rows()
        .find(|row| row.mode == wanted && row.key_length.is_none_or(|length| length == key_length))
        .ok_or(CryptoError::BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_row() {
        for row in ciphers() {
            let cipher = row.cipher().unwrap_or_else(|_| panic!("{}", row.name));
            assert!(
                row.key_length.is_none_or(|length| length == cipher.key_length()),
                "{}",
                row.name
            );
        }
        for algorithm in digests() {
            assert!(digest(algorithm).is_ok(), "{algorithm}");
        }
        assert_eq!(digest(HashingAlgorithm::Tiger).err(), Some(CryptoError::Unsupported));
    }

    #[test]
    fn what_is_missing_is_said_apart() {
        let find = |algorithm, length, mode| cipher(algorithm, length, mode).err();
        let aes = CryptographicAlgorithm::AES;
        assert_eq!(find(aes, 16, None), Some(CryptoError::BadParameters));
        assert_eq!(find(aes, 17, Some(BlockCipherMode::CBC)), Some(CryptoError::BadKey));
        assert_eq!(
            find(aes, 16, Some(BlockCipherMode::PCBC)),
            Some(CryptoError::Unsupported)
        );
        assert_eq!(
            find(CryptographicAlgorithm::Twofish, 16, Some(BlockCipherMode::CBC)),
            Some(CryptoError::Unsupported)
        );
        assert_eq!(
            find(
                CryptographicAlgorithm::ChaCha20Poly1305,
                32,
                Some(BlockCipherMode::AEAD)
            ),
            None
        );
    }
}
