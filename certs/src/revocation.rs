//! Revocation lists (RFC 5280 §5) that were read once and can be asked quickly, and the pool of those that a set of authorities has:
//! a list counts for every chain that leads over the key that signed it, with whichever authority it was given.

use crate::chain::StaleList;
use crate::crl::CrlFacts;
use crate::error::{Error, Result};
use crate::facts::CertificateFacts;
use crate::first_version::SIGNATURES;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509Crl};
use std::sync::Arc;
use webpki::{CertRevocationList, OwnedCertRevocationList};

/// A revocation list that was read.
#[derive(Debug)]
pub struct RevocationList {
    pub(crate) list: CertRevocationList<'static>,
    pub(crate) der: Vec<u8>,
    signature_algorithm: String,
    /// The issuer as DER.
    pub issuer_der: Vec<u8>,
    /// When it was made.
    pub this_update: i64,
    /// When the next one is due, if it says so.
    pub next_update: Option<i64>,
}

impl RevocationList {
    /// Reads a list (DER).
    pub fn read(der: &[u8]) -> Result<Self> {
        let list = OwnedCertRevocationList::from_der(der).map_err(|_| Error::RevocationList)?;
        let facts = CrlFacts::read(der)?;
        Ok(Self {
            list: CertRevocationList::Owned(list),
            der: der.to_vec(),
            signature_algorithm: facts.signature_algorithm,
            issuer_der: facts.issuer_der,
            this_update: facts.this_update,
            next_update: facts.next_update,
        })
    }

    /// Whether this authority made it: it stands in its name, and its key signed it.
    #[must_use]
    pub fn is_by(&self, authority: &CertificateFacts) -> bool {
        self.issuer_der == authority.subject_der
            && SIGNATURES.contains(&self.signature_algorithm.as_str())
            && PKey::public_key_from_der(&authority.public_key.info)
                .and_then(|key| X509Crl::from_der(&self.der)?.verify(&key))
                .unwrap_or(false)
    }

    /// Whether it speaks of the same certificates of the issuer's (RFC 5280 §5.2.5): one of the two replaces the other.
    #[must_use]
    pub fn has_scope_of(&self, other: &Self) -> bool {
        self.list.issuing_distribution_point() == other.list.issuing_distribution_point()
    }

    pub(crate) fn revokes(&self, serial: &[u8]) -> bool {
        // What cannot be looked up is not taken for good.
        !matches!(self.list.find_serial(serial), Ok(None))
    }
}

/// A list in a pool.
#[derive(Clone, Debug)]
pub struct PooledList {
    pub(crate) list: Arc<RevocationList>,
    /// The key that signed it. Of a list that no authority of the pool signed it is not known: it is judged by its name, and a chain
    /// that it does not verify for is refused.
    pub(crate) signer: Option<[u8; 32]>,
}

impl PooledList {
    /// Whether this authority's next list is due: this one says less than there may be to say.
    #[must_use]
    pub fn is_overdue(&self, authority: &CertificateFacts, now: i64) -> bool {
        self.signer == Some(authority.key_fingerprint) && self.list.next_update.is_some_and(|due| due < now)
    }
}

/// The lists that authorities have together, newest first, so that an older one hides nothing.
#[must_use]
pub fn pool<'a>(
    lists: impl IntoIterator<Item = Arc<RevocationList>>,
    authorities: impl Iterator<Item = &'a CertificateFacts> + Clone,
) -> Vec<PooledList> {
    let mut pool: Vec<PooledList> = lists
        .into_iter()
        .map(|list| PooledList {
            signer: authorities
                .clone()
                .find(|authority| list.is_by(authority))
                .map(|authority| authority.key_fingerprint),
            list,
        })
        .collect();
    pool.sort_by_key(|pooled| core::cmp::Reverse(pooled.list.this_update));
    pool
}

/// Whether a list of the pool revokes an authority that is trusted by itself, by the authority above it that signed both.
#[must_use]
pub fn is_revoked<'a>(
    certificate: &[u8],
    facts: &CertificateFacts,
    pool: &[PooledList],
    authorities: impl Iterator<Item = &'a CertificateFacts> + Clone,
) -> bool {
    let mut named = pool.iter().filter(|pooled| pooled.list.issuer_der == facts.issuer_der);
    named.any(|pooled| {
        let signer = authorities
            .clone()
            .find(|above| Some(above.key_fingerprint) == pooled.signer);
        signer.is_some_and(|above| is_issued_by(certificate, above)) && pooled.list.revokes(&facts.serial)
    })
}

/// Whether the key of an authority signed a certificate (DER).
#[must_use]
pub fn is_issued_by(certificate: &[u8], above: &CertificateFacts) -> bool {
    PKey::public_key_from_der(&above.public_key.info)
        .and_then(|key| X509::from_der(certificate)?.verify(&key))
        .unwrap_or(false)
}

/// What is known of revocation when a chain is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revocations<'a> {
    /// The lists at hand, as [`pool`] gives them.
    pub lists: &'a [PooledList],
    /// What becomes of chains for which a list is overdue.
    pub stale: StaleList,
}

impl<'a> Revocations<'a> {
    /// The lists that concern a chain over these authorities. Another list in one of their names is somebody else's.
    pub(crate) fn of(self, authorities: &[&CertificateFacts]) -> Vec<&'a RevocationList> {
        let concerns = |pooled: &&PooledList| {
            authorities.iter().any(|authority| {
                authority.subject_der == pooled.list.issuer_der
                    && pooled.signer.is_none_or(|signer| signer == authority.key_fingerprint)
            })
        };
        let concerned = self.lists.iter().filter(concerns);
        concerned.map(|pooled| pooled.list.as_ref()).collect()
    }
}
