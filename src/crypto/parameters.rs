//! Cryptographic Parameters (KMIP 2.1 §4.16) as this room reads them, and how a request's are laid over the key's own.

use super::error::CryptoError;
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm, MaskGenerator, PaddingMethod,
};

/// What a request, or the key's attribute, says about how to compute. Nothing of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The mode of a block cipher.
    pub block_cipher_mode: Option<BlockCipherMode>,
    /// The padding of blocks, of RSA encryption or of RSA signatures.
    pub padding_method: Option<PaddingMethod>,
    /// The hash of a signature, HMAC, OAEP, PSS or derivation.
    pub hashing_algorithm: Option<HashingAlgorithm>,
    /// A signature's algorithm, hash included.
    pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// The algorithm, where it is not the key's own (HMAC with an AES key).
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// Whether the server makes the initialization vector.
    pub random_iv: Option<bool>,
    /// The length of an initialization vector in bits, where the mode leaves it open.
    pub iv_length: Option<i32>,
    /// The length of an authentication tag in bytes.
    pub tag_length: Option<i32>,
    /// The length of the counter in bits, for CTR.
    pub counter_length: Option<i32>,
    /// The first value of the counter, for CTR and ChaCha20.
    pub initial_counter_value: Option<i32>,
    /// The length of the salt in bytes, for PSS.
    pub salt_length: Option<i32>,
    /// The mask generator of OAEP and PSS: MGF1 where absent.
    pub mask_generator: Option<MaskGenerator>,
    /// The hash of the mask generator: SHA-1 where absent.
    pub mask_generator_hashing_algorithm: Option<HashingAlgorithm>,
    /// The label of OAEP: empty where absent.
    pub p_source: Option<Vec<u8>>,
    /// The trailer of PSS: 1 (the byte 0xBC) where absent.
    pub trailer_field: Option<i32>,
}

impl Parameters {
    /// The request's parameters where it has any, else the key's first ones. They are not mixed: a request that names
    /// its own parameters means those (KMIP 2.1 §6.1.17: "MAY be omitted from the request as they can be specified as
    /// associated attributes").
    #[must_use]
    pub fn effective(request: Option<&Self>, key: &[Self]) -> Self {
        request.or_else(|| key.first()).cloned().unwrap_or_default()
    }

    /// The hash of the mask generator.
    #[allow(dead_code, reason = "RSA follows")]
    pub(super) fn mask_hash(&self) -> Result<HashingAlgorithm, CryptoError> {
        match self.mask_generator {
            None | Some(MaskGenerator::MGF1) => {
                Ok(self.mask_generator_hashing_algorithm.unwrap_or(HashingAlgorithm::SHA_1))
            }
            Some(_) => Err(CryptoError::Unsupported),
        }
    }
}

/// A length field as a count, which is refused where it is negative.
pub(super) fn count(field: i32) -> Result<usize, CryptoError> {
    usize::try_from(field).map_err(|_| CryptoError::BadParameters)
}
