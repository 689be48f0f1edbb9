//! Certificate revocation lists (RFC 5280 §5): what to put into one, and what one says.

use crate::error::{Error, Result};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

/// Why a certificate is revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RevocationReason {
    /// No reason given.
    #[default]
    Unspecified,
    /// The private key is known to others.
    KeyCompromise,
    /// The authority's key is known to others.
    AuthorityCompromise,
    /// The holder has left.
    AffiliationChanged,
    /// A newer certificate replaces it.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
}

impl RevocationReason {
    pub(crate) const fn to_rcgen(self) -> rcgen::RevocationReason {
        match self {
            Self::Unspecified => rcgen::RevocationReason::Unspecified,
            Self::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            Self::AuthorityCompromise => rcgen::RevocationReason::CaCompromise,
            Self::AffiliationChanged => rcgen::RevocationReason::AffiliationChanged,
            Self::Superseded => rcgen::RevocationReason::Superseded,
            Self::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
        }
    }
}

/// One certificate to be revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// Its serial number, as [`crate::CertificateFacts::serial`] gives it.
    pub serial: Vec<u8>,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Why.
    pub reason: RevocationReason,
}

/// One entry that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokedEntry {
    /// The serial number: the bytes of the INTEGER.
    pub serial: Vec<u8>,
    /// When, in seconds since 1970.
    pub time: i64,
    /// The reason's number, if one is given.
    pub reason: Option<u8>,
}

/// What a revocation list says. Nothing here has been verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CrlFacts {
    /// The issuer as DER.
    pub issuer_der: Vec<u8>,
    /// The issuer in text.
    pub issuer: String,
    /// The object identifier of the signature's algorithm, dotted.
    pub signature_algorithm: String,
    /// When it was made.
    pub this_update: i64,
    /// When the next one is due, if it says so.
    pub next_update: Option<i64>,
    /// The revoked certificates.
    pub revoked: Vec<RevokedEntry>,
}

impl CrlFacts {
    /// Reads a revocation list; bytes after it are an error.
    pub fn read(der: &[u8]) -> Result<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| Error::RevocationList)?;
        if !rest.is_empty() {
            return Err(Error::RevocationList);
        }
        let revoked = list.iter_revoked_certificates().map(|entry| RevokedEntry {
            serial: entry.raw_serial().to_vec(),
            time: entry.revocation_date.timestamp(),
            reason: entry.reason_code().map(|(_, code)| code.0),
        });
        Ok(Self {
            issuer_der: list.issuer().as_raw().to_vec(),
            issuer: list.issuer().to_string(),
            signature_algorithm: list.signature_algorithm.algorithm.to_id_string(),
            this_update: list.last_update().timestamp(),
            next_update: list.next_update().map(|t| t.timestamp()),
            revoked: revoked.collect(),
        })
    }
}
