//! Message authentication: HMAC over every hash, CMAC and CBC-MAC over block ciphers, Poly1305 (KMIP 2.1 §6.1.32).

use super::cipher::{CipherContext, CipherRequest, Direction};
use super::error::{CryptoError, internal, or};
use super::fetch;
use super::native;
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicParameters, HashingAlgorithm, PaddingMethod,
};
use kmip_ttlv::Secret;
use openssl::md_ctx::MdCtx;
use openssl::pkey::{Id, PKey, Private};
use openssl::symm::Cipher;

/// The key of Poly1305, which serves one message only.
const POLY1305_KEY: usize = 32;

/// One way of authenticating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacMethod {
    /// HMAC with this hash (RFC 2104).
    Hmac(HashingAlgorithm),
    /// CMAC with this block cipher (NIST SP 800-38B).
    Cmac(CryptographicAlgorithm),
    /// The last block of CBC from a zero vector, data filled with zeros (ISO/IEC 9797-1, algorithm 1). It is safe for
    /// messages of one fixed length only.
    CbcMac(CryptographicAlgorithm),
    /// Poly1305 (RFC 8439) with a one-time key.
    Poly1305,
}

impl MacMethod {
    /// The method that the parameters ask for, given the key's own algorithm.
    ///
    /// # Errors
    /// [`CryptoError::BadParameters`] if neither says how; [`CryptoError::Unsupported`].
    pub fn choose(
        parameters: &CryptographicParameters,
        key: Option<CryptographicAlgorithm>,
    ) -> Result<Self, CryptoError> {
        let named = parameters.cryptographic_algorithm;
        if let Some(hash) = named.or(key).and_then(hmac_hash) {
            return Ok(Self::Hmac(hash));
        }
        let algorithm = named.or(key);
        match (parameters.block_cipher_mode, algorithm) {
            (Some(BlockCipherMode::CMAC), Some(cipher)) => Ok(Self::Cmac(cipher)),
            (Some(BlockCipherMode::CBC_MAC), Some(cipher)) => Ok(Self::CbcMac(cipher)),
            (Some(BlockCipherMode::CMAC | BlockCipherMode::CBC_MAC), None) => Err(CryptoError::BadParameters),
            (Some(_), _) => Err(CryptoError::Unsupported),
            (None, Some(CryptographicAlgorithm::Poly1305)) => Ok(Self::Poly1305),
            // Clients name the cipher alone and mean CMAC with it.
            (None, _) if named.is_some_and(is_block_cipher) => named.map(Self::Cmac).ok_or(CryptoError::BadParameters),
            (None, _) => parameters
                .hashing_algorithm
                .map(Self::Hmac)
                .ok_or(CryptoError::BadParameters),
        }
    }
}

/// The hash of an HMAC algorithm (KMIP 2.1 §11.12).
pub(super) fn hmac_hash(algorithm: CryptographicAlgorithm) -> Option<HashingAlgorithm> {
    Some(match algorithm {
        CryptographicAlgorithm::HMAC_MD5 => HashingAlgorithm::MD5,
        CryptographicAlgorithm::HMAC_SHA1 => HashingAlgorithm::SHA_1,
        CryptographicAlgorithm::HMAC_SHA224 => HashingAlgorithm::SHA_224,
        CryptographicAlgorithm::HMAC_SHA256 => HashingAlgorithm::SHA_256,
        CryptographicAlgorithm::HMAC_SHA384 => HashingAlgorithm::SHA_384,
        CryptographicAlgorithm::HMAC_SHA512 => HashingAlgorithm::SHA_512,
        CryptographicAlgorithm::HMAC_SHA3_224 => HashingAlgorithm::SHA3_224,
        CryptographicAlgorithm::HMAC_SHA3_256 => HashingAlgorithm::SHA3_256,
        CryptographicAlgorithm::HMAC_SHA3_384 => HashingAlgorithm::SHA3_384,
        CryptographicAlgorithm::HMAC_SHA3_512 => HashingAlgorithm::SHA3_512,
        _ => return None,
    })
}

fn is_block_cipher(algorithm: CryptographicAlgorithm) -> bool {
    fetch::ciphers()
        .iter()
        .any(|row| row.algorithm == algorithm && row.mode.is_some())
}

/// A MAC under way.
pub struct MacContext(Engine);

enum Engine {
    Digest(MdCtx),
    Chain {
        context: CipherContext,
        block: usize,
        last: Vec<u8>,
    },
}

impl MacContext {
    /// Starts a MAC.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`], [`CryptoError::BadKey`].
    pub fn start(method: MacMethod, key: &Secret) -> Result<Self, CryptoError> {
        native::prepare()?;
        let bad_key = or(CryptoError::BadKey);
        let (digest, key) = match method {
            MacMethod::Hmac(hash) => (Some(fetch::digest(hash)?), hmac_key(key)?),
            MacMethod::Cmac(algorithm) => (None, cmac_key(algorithm, key)?),
            MacMethod::Poly1305 if key.len() == POLY1305_KEY => (
                None,
                PKey::private_key_from_raw_bytes(key.expose(), Id::POLY1305).map_err(&bad_key)?,
            ),
            MacMethod::Poly1305 => return Err(CryptoError::BadKey),
            MacMethod::CbcMac(algorithm) => return Self::start_chain(algorithm, key),
        };
        let mut context = MdCtx::new().map_err(internal)?;
        context.digest_sign_init(digest, &key).map_err(bad_key)?;
        Ok(Self(Engine::Digest(context)))
    }

    fn start_chain(algorithm: CryptographicAlgorithm, key: &Secret) -> Result<Self, CryptoError> {
        let row = fetch::cipher(algorithm, key.len(), Some(BlockCipherMode::CBC))?;
        let block = row.cipher()?.block_size();
        let parameters = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CBC),
            padding_method: Some(PaddingMethod::Zeros),
            ..CryptographicParameters::default()
        };
        let context = CipherContext::start(&CipherRequest {
            direction: Direction::Encrypt,
            algorithm,
            key,
            parameters: &parameters,
            iv: Some(&vec![0; block]),
            additional_data: &[],
            tag: None,
        })?;
        Ok(Self(Engine::Chain {
            context,
            block,
            last: Vec::new(),
        }))
    }

    /// A second MAC that has the same parts so far.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn fork(&self) -> Result<Self, CryptoError> {
        Ok(Self(match &self.0 {
            Engine::Digest(context) => Engine::Digest(native::copy_digest(context)?),
            Engine::Chain { context, block, last } => Engine::Chain {
                context: context.fork()?,
                block: *block,
                last: last.clone(),
            },
        }))
    }

    /// Adds a part.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match &mut self.0 {
            Engine::Digest(context) => context.digest_sign_update(data).map_err(internal),
            Engine::Chain { context, block, last } => {
                context.update(data, last)?;
                keep_last(last, *block);
                Ok(())
            }
        }
    }

    /// The value over all parts.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`] for a CBC-MAC over nothing.
    pub fn finish(self) -> Result<Vec<u8>, CryptoError> {
        match self.0 {
            Engine::Digest(mut context) => {
                let mut value = Vec::new();
                context.digest_sign_final_to_vec(&mut value).map_err(internal)?;
                Ok(value)
            }
            Engine::Chain {
                context,
                block,
                mut last,
            } => {
                context.finish(&mut last)?;
                keep_last(&mut last, block);
                if last.is_empty() {
                    Err(CryptoError::BadLength)
                } else {
                    Ok(last)
                }
            }
        }
    }

    /// Whether `expected` is the value over all parts. The time does not depend on where they differ.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn verify(self, expected: &[u8]) -> Result<bool, CryptoError> {
        let value = self.finish()?;
        Ok(value.len() == expected.len() && openssl::memcmp::eq(&value, expected))
    }
}

fn keep_last(bytes: &mut Vec<u8>, block: usize) {
    let surplus = bytes.len().saturating_sub(block);
    bytes.drain(..surplus);
}

/// The value over one piece of data.
///
/// # Errors
/// As [`MacContext`].
pub fn mac(method: MacMethod, key: &Secret, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut context = MacContext::start(method, key)?;
    context.update(data)?;
    context.finish()
}

fn hmac_key(key: &Secret) -> Result<PKey<Private>, CryptoError> {
    // HMAC fills its key up with zeros, so an empty one, which the library refuses, is one zero byte.
    let bytes = if key.is_empty() { &[0][..] } else { key.expose() };
    PKey::hmac(bytes).map_err(internal)
}

fn cmac_key(algorithm: CryptographicAlgorithm, key: &Secret) -> Result<PKey<Private>, CryptoError> {
    let row = fetch::cipher(algorithm, key.len(), Some(BlockCipherMode::CBC))?;
    // CMAC has no way of telling the library another key length than the cipher's own.
    if row.cipher()?.key_length() != key.len() {
        return Err(CryptoError::BadKey);
    }
    let cipher = Cipher::from_nid(row.cipher()?.nid()).ok_or(CryptoError::Unsupported)?;
    PKey::cmac(&cipher, key.expose()).map_err(or(CryptoError::BadKey))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{hex, secret};
    use super::*;

    #[test]
    fn published_values() {
        // RFC 4231, test cases 1 and 2; RFC 2202, test case 2.
        let jefe = Secret::copy_from(b"Jefe");
        let what = b"what do ya want for nothing?";
        for (method, key, data, value) in [
            (
                MacMethod::Hmac(HashingAlgorithm::SHA_256),
                Secret::new(vec![0x0B; 20]),
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                MacMethod::Hmac(HashingAlgorithm::SHA_256),
                jefe.clone(),
                &what[..],
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                MacMethod::Hmac(HashingAlgorithm::MD5),
                jefe.clone(),
                &what[..],
                "750c783e6ab0b503eaa86e310a5db738",
            ),
            (
                MacMethod::Hmac(HashingAlgorithm::SHA_1),
                jefe.clone(),
                &what[..],
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            // NIST SP 800-38B, examples 1 and 2.
            (
                MacMethod::Cmac(CryptographicAlgorithm::AES),
                secret("2b7e151628aed2a6abf7158809cf4f3c"),
                &b""[..],
                "bb1d6929e95937287fa37d129b756746",
            ),
            (
                MacMethod::Cmac(CryptographicAlgorithm::AES),
                secret("2b7e151628aed2a6abf7158809cf4f3c"),
                &hex("6bc1bee22e409f96e93d7e117393172a")[..],
                "070a16b46b4d4144f79bdd9dd04a287c",
            ),
            // RFC 8439 §2.5.2.
            (
                MacMethod::Poly1305,
                secret("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
                &b"Cryptographic Forum Research Group"[..],
                "a8061dc1305136c6c22b8baf0c0127a9",
            ),
        ] {
            assert_eq!(mac(method, &key, data).unwrap(), hex(value), "{method:?}");
        }
    }

    #[test]
    fn cbc_mac_is_the_last_block_of_cbc() {
        // NIST SP 800-38A, F.1.1: from a zero vector the first block is ECB's.
        let key = secret("2b7e151628aed2a6abf7158809cf4f3c");
        let value = mac(
            MacMethod::CbcMac(CryptographicAlgorithm::AES),
            &key,
            &hex("6bc1bee22e409f96e93d7e117393172a"),
        );
        assert_eq!(value.unwrap(), hex("3ad77bb40d7a3660a89ecaf32466ef97"));
        assert_eq!(
            mac(MacMethod::CbcMac(CryptographicAlgorithm::AES), &key, b"").err(),
            Some(CryptoError::BadLength)
        );
        assert_eq!(
            mac(
                MacMethod::CbcMac(CryptographicAlgorithm::DES3),
                &Secret::new((0..24).collect()),
                &[1; 21]
            )
            .unwrap()
            .len(),
            8
        );
    }

    #[test]
    fn parts_make_the_whole_and_a_wrong_value_is_seen() {
        let keys = [
            (CryptographicAlgorithm::DES3, 24),
            (CryptographicAlgorithm::Camellia, 32),
            (CryptographicAlgorithm::SEED, 16),
            (CryptographicAlgorithm::ARIA, 16),
            (CryptographicAlgorithm::SM4, 16),
            (CryptographicAlgorithm::IDEA, 16),
            (CryptographicAlgorithm::Blowfish, 16),
        ];
        let ciphers = keys.map(|(algorithm, length)| (MacMethod::Cmac(algorithm), length));
        let chains = keys.map(|(algorithm, length)| (MacMethod::CbcMac(algorithm), length));
        let hashes = super::super::hash::hashes().map(|hash| (MacMethod::Hmac(hash), 20));
        for (method, length) in hashes.chain(ciphers).chain(chains).chain([(MacMethod::Poly1305, 32)]) {
            let key = Secret::new((1..=length).collect());
            let whole = mac(method, &key, b"some data to authenticate").unwrap_or_else(|e| panic!("{method:?} {e}"));
            let mut parts = MacContext::start(method, &key).unwrap();
            parts.update(b"some data ").unwrap();
            parts.update(b"to authenticate").unwrap();
            let mut lost = parts.fork().unwrap();
            lost.update(b"something else").unwrap();
            assert_eq!(parts.fork().unwrap().finish().unwrap(), whole, "{method:?}");
            assert!(parts.verify(&whole).unwrap(), "{method:?}");
            let mut wrong = whole.clone();
            wrong[0] ^= 1;
            let mut context = MacContext::start(method, &key).unwrap();
            context.update(b"some data to authenticate").unwrap();
            assert!(!context.verify(&wrong).unwrap());
        }
        let empty = mac(MacMethod::Hmac(HashingAlgorithm::SHA_256), &Secret::default(), b"").unwrap();
        assert_eq!(
            empty,
            hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
        );
    }

    #[test]
    fn the_method_follows_parameters_and_key() {
        let choose = |parameters: CryptographicParameters, key| MacMethod::choose(&parameters, key);
        let aes = Some(CryptographicAlgorithm::AES);
        let named = |algorithm| CryptographicParameters {
            cryptographic_algorithm: Some(algorithm),
            ..CryptographicParameters::default()
        };
        let sha256 = Ok(MacMethod::Hmac(HashingAlgorithm::SHA_256));
        assert_eq!(choose(named(CryptographicAlgorithm::HMAC_SHA256), aes), sha256);
        assert_eq!(
            choose(
                CryptographicParameters::default(),
                Some(CryptographicAlgorithm::HMAC_SHA256)
            ),
            sha256
        );
        assert_eq!(
            choose(named(CryptographicAlgorithm::AES), aes),
            Ok(MacMethod::Cmac(CryptographicAlgorithm::AES))
        );
        assert_eq!(
            choose(CryptographicParameters::default(), aes),
            Err(CryptoError::BadParameters)
        );
        assert_eq!(
            choose(CryptographicParameters::default(), None),
            Err(CryptoError::BadParameters)
        );
        let mode = |mode| CryptographicParameters {
            block_cipher_mode: Some(mode),
            ..CryptographicParameters::default()
        };
        assert_eq!(
            choose(mode(BlockCipherMode::CBC_MAC), aes),
            Ok(MacMethod::CbcMac(CryptographicAlgorithm::AES))
        );
        assert_eq!(choose(mode(BlockCipherMode::GCM), aes), Err(CryptoError::Unsupported));
        assert_eq!(
            mac(
                MacMethod::Cmac(CryptographicAlgorithm::AES),
                &Secret::new(vec![1; 15]),
                b""
            )
            .err(),
            Some(CryptoError::BadKey)
        );
        assert_eq!(
            mac(MacMethod::Poly1305, &Secret::new(vec![1; 15]), b"").err(),
            Some(CryptoError::BadKey)
        );
        assert_eq!(
            mac(
                MacMethod::Cmac(CryptographicAlgorithm::RSA),
                &Secret::new(vec![1; 16]),
                b""
            )
            .err(),
            Some(CryptoError::Unsupported)
        );
    }
}
