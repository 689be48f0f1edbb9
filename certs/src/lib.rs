//! X.509 for Claviger: issue certificates, sign requests, read facts, judge chains, issue and read revocation lists,
//! write PKCS#12. It knows no tenant and no KMIP, does no I/O and asks no clock: the caller says what time it is, in
//! seconds since 1970.
//!
//! RFC 5280 (certificates and revocation lists), RFC 2986 (requests), RFC 7292 (PKCS#12), RFC 7468 (PEM).

mod authority;
mod certify;
#[cfg(test)]
mod certify_tests;
mod chain;
mod crl;
mod der;
mod error;
mod facts;
mod first_version;
mod key;
mod name;
mod outside;
pub mod pem;
mod pkcs12;
mod revocation;
mod signature;
mod validate;
mod wish;

pub use authority::{CertificateAuthority, CertificateRequest, Leaf, RequestFacts, Usage, Validity, read_request};
pub use certify::{Issuer, distinguished_name};
pub use chain::{
    ChainError, Judgement, MAX_CHAIN_LENGTH, Purpose, StaleList, TrustedAuthority, judge, judge_pinned,
    verify_by_holder, verify_by_key, verify_signature,
};
pub use crl::{CrlFacts, Revocation, RevocationReason, RevokedEntry};
pub use error::{Error, Result};
pub use facts::{CertificateFacts, ExtendedKeyUsages, PublicKeyFacts, fingerprint};
pub use key::{KeyKind, PrivateKey};
pub use name::{AlternativeName, NameAttribute, Subject};
pub use outside::{Signer, SigningKind};
pub use pkcs12::{KeyStore, pkcs12};
pub use revocation::{PooledList, RevocationList, Revocations, is_issued_by, is_revoked, pool};
pub use validate::{Standing, validate};
pub use wish::{KeyUsages, RequestEncoding, Wish};

#[cfg(test)]
mod tests;
