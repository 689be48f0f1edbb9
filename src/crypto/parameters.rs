//! How Cryptographic Parameters (KMIP 2.1 §4.16) are read here.

use super::error::CryptoError;
use kmip_protocol::{CryptographicParameters, HashingAlgorithm, MaskGenerator};

/// The parameters that count: the request's where it has any, else the key's first ones. They are not mixed: a request
/// that names its own means those (KMIP 2.1 §6.1.17: they "MAY be omitted from the request as they can be specified as
/// associated attributes").
#[must_use]
pub fn effective(
    request: Option<&CryptographicParameters>,
    key: Option<&CryptographicParameters>,
) -> CryptographicParameters {
    request.or(key).cloned().unwrap_or_default()
}

/// The hash of the mask generator, where one is named.
pub(super) fn mask_hash(parameters: &CryptographicParameters) -> Result<Option<HashingAlgorithm>, CryptoError> {
    match parameters.mask_generator {
        None | Some(MaskGenerator::MGF1) => Ok(parameters.mask_generator_hashing_algorithm),
        Some(_) => Err(CryptoError::Unsupported),
    }
}

/// A length field as a count, which is refused where it is negative.
pub(super) fn count(field: i32) -> Result<usize, CryptoError> {
    usize::try_from(field).map_err(|_| CryptoError::BadParameters)
}
