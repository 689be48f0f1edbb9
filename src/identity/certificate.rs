//! The certificate that a peer proved to hold the key of.

use certs::{AlternativeName, CertificateFacts, Error};

/// A peer's chain as the handshake showed it, with what identity rests on, read once per connection. That the handshake
/// accepted it says nothing about now: see `Identity::resolve`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerCertificate {
    chain: Vec<Vec<u8>>,
    chain_fingerprint: [u8; 32],
    fingerprint: [u8; 32],
    key_fingerprint: [u8; 32],
    subject_der: Vec<u8>,
    subject: String,
    common_names: Vec<String>,
    alternative_names: Vec<AlternativeName>,
    not_before: i64,
    not_after: i64,
}

impl PeerCertificate {
    /// Reads a chain of DER certificates, end entity first.
    pub fn read(chain: Vec<Vec<u8>>) -> Result<Self, Error> {
        let leaf = chain.first().ok_or(Error::Certificate)?;
        let facts = CertificateFacts::read(leaf)?;
        Ok(Self {
            chain_fingerprint: fingerprint_of_chain(&chain),
            chain,
            fingerprint: facts.fingerprint,
            key_fingerprint: facts.key_fingerprint,
            subject_der: facts.subject_der,
            subject: facts.subject,
            common_names: facts.common_names,
            alternative_names: facts.alternative_names,
            not_before: facts.not_before,
            not_after: facts.not_after,
        })
    }

    /// The chain as it was sent: DER, end entity first.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// A digest of the whole chain: equal chains are judged once.
    #[must_use]
    pub const fn chain_fingerprint(&self) -> &[u8; 32] {
        &self.chain_fingerprint
    }

    /// SHA-256 of the end entity's certificate.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// SHA-256 of the end entity's `SubjectPublicKeyInfo`: the name of the key.
    #[must_use]
    pub const fn key_fingerprint(&self) -> &[u8; 32] {
        &self.key_fingerprint
    }

    /// The subject as DER.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The subject in text, for logs. The peer chose it.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject's Common Names.
    #[must_use]
    pub fn common_names(&self) -> &[String] {
        &self.common_names
    }

    /// The Subject Alternative Names.
    #[must_use]
    pub fn alternative_names(&self) -> &[AlternativeName] {
        &self.alternative_names
    }

    /// First second of its validity, since 1970.
    #[must_use]
    pub const fn not_before(&self) -> i64 {
        self.not_before
    }

    /// Last second of its validity, since 1970.
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }
}

/// A digest of a chain in which no two chains flow into one another: each certificate counts by its own digest.
pub(super) fn fingerprint_of_chain(chain: &[impl AsRef<[u8]>]) -> [u8; 32] {
    let digests: Vec<u8> = chain.iter().flat_map(|c| certs::fingerprint(c.as_ref())).collect();
    certs::fingerprint(&digests)
}
