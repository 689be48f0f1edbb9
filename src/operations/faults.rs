//! What a client is told when a room below fails. The rooms' own texts go to the log.

use crate::crypto::CryptoError;
use crate::custody::CustodyError;
use crate::failure::{Failure, Fault};
use crate::identity::DirectoryError;
use crate::store::StoreError;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let fault = match error {
            StoreError::Quarantined => Fault::Quarantined,
            _ => Fault::StoreUnavailable,
        };
        Self::detailed(fault, error)
    }
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        let fault = match error {
            CustodyError::Unavailable
            | CustodyError::Credential
            | CustodyError::UnknownProfile
            | CustodyError::UnknownModule
            | CustodyError::UnknownDomain
            | CustodyError::Limit
            | CustodyError::Randomness => Fault::CustodyUnavailable,
            CustodyError::NoPairs => Fault::NoKeyPairs,
            CustodyError::Refused | CustodyError::Record => Fault::RecordDamaged,
            CustodyError::UnknownKek | CustodyError::Exists | CustodyError::KeyFile => Fault::Internal,
        };
        Self::detailed(fault, error)
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let fault = match error {
            DirectoryError::Store(error) => return error.into(),
            DirectoryError::Away(_) => Fault::CustodyUnavailable,
            DirectoryError::Damaged(_) => Fault::RecordDamaged,
        };
        Self::detailed(fault, error)
    }
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        let fault = match error {
            CryptoError::Unsupported => Fault::UnsupportedParameters,
            CryptoError::BadParameters => Fault::BadParameters,
            CryptoError::MissingIv => Fault::MissingIv,
            CryptoError::BadEncoding => Fault::EncodingOption,
            CryptoError::BadTagLength => Fault::ParameterRange,
            CryptoError::BadKey | CryptoError::BadLength | CryptoError::Failed => Fault::Cryptographic,
            CryptoError::Random | CryptoError::Internal => Fault::Internal,
        };
        Self::detailed(fault, error)
    }
}

impl From<kmip_ttlv::Error> for Failure {
    /// Only records of our own are decoded below the exchange, so a codec error is a fault of the server.
    fn from(error: kmip_ttlv::Error) -> Self {
        Self::detailed(Fault::Internal, error)
    }
}

/// What operations say of an object that is not there whose table has Item Not Found for it (KMIP 2.1 §6.1.3, §6.1.6, §6.1.10).
#[must_use]
pub fn as_item(failure: Failure) -> Failure {
    match failure.fault() {
        Fault::ObjectNotFound | Fault::ObjectDestroyed => Failure::new(Fault::NotFound),
        _ => failure,
    }
}
