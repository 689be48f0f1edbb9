//! Whom a certificate may belong to, and which of them it does.

use super::client::{ClientId, ClientRecord, Credential};
use super::directory::{DirectoryError, Found as Read};
use super::person::{PersonId, PersonRecord};
use super::resolve::IdentityError;
use super::rule::Rule;
use crate::store::Domain;

/// How a client was found.
pub(super) enum Found {
    Key {
        key: [u8; 32],
        /// The certificate's fingerprint, if it is pinned.
        pinned: Option<[u8; 32]>,
        /// Whether the chain leads to an authority of the client's tenant.
        chained: bool,
    },
    Rules(Vec<Rule>),
}

/// Whom a certificate may belong to.
pub(super) struct Candidate {
    pub(super) who: Who,
    pub(super) standing: Standing,
}

/// How well it is founded that a certificate belongs to somebody: what stands first counts first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    /// Its domain is there.
    pub(super) live: bool,
    /// The key's holder has signed that it is there for this domain.
    pub(super) proven: bool,
    /// An authority of the domain vouches for the certificate.
    pub(super) vouched: bool,
}

/// A record as it was found, if it was; or why it cannot be read, as when the keys of its domain are away: that is not the outage of
/// others who have registered the same key.
pub(super) type Kept<T> = Result<Option<Read<T>>, DirectoryError>;

/// Somebody, with its record.
#[allow(clippy::large_enum_variant)] // one value per handshake, moved a few times
pub(super) enum Who {
    Person {
        id: PersonId,
        found: Kept<PersonRecord>,
        /// Whether the certificate shows the person: it was enrolled, or the person's authorities issued it.
        shown: bool,
    },
    Client {
        id: ClientId,
        found: Kept<ClientRecord>,
        by: Found,
    },
}

/// Tells a record that cannot be read from a store that does not answer.
pub(super) fn read<T>(found: Kept<T>) -> Result<Kept<T>, DirectoryError> {
    match found {
        Err(error @ DirectoryError::Store(_)) => Err(error),
        found => Ok(found),
    }
}

impl Candidate {
    /// Why its record cannot be read, if it cannot.
    pub(super) fn unread(&self) -> Option<DirectoryError> {
        match &self.who {
            Who::Client { found, .. } => found.as_ref().err().cloned(),
            Who::Person { found, .. } => found.as_ref().err().cloned(),
        }
    }

    /// The tenant, if it is a client.
    pub(super) const fn tenant(&self) -> Option<Domain> {
        match &self.who {
            Who::Client { id, .. } => Some(id.tenant),
            Who::Person { .. } => None,
        }
    }
}

/// The one that is better founded than all others.
pub(super) fn foremost(mut candidates: Vec<Candidate>) -> Result<Option<Candidate>, IdentityError> {
    let Some(best) = candidates.iter().map(|candidate| candidate.standing).max() else {
        return Ok(None);
    };
    candidates.retain(|candidate| candidate.standing == best);
    match (candidates.pop(), candidates.is_empty()) {
        (found, true) => Ok(found),
        _ => Err(IdentityError::Ambiguous),
    }
}

impl Found {
    /// Whether a client's record has the credential by which it was found.
    pub(super) fn holds(&self, client: &ClientRecord) -> bool {
        client.credentials.iter().any(|credential| self.is_shown_by(credential))
    }

    /// Whether this credential of the client's record is the one by which it was found.
    fn is_shown_by(&self, credential: &Credential) -> bool {
        match (self, credential) {
            (Self::Key { key, chained, .. }, Credential::Key(own)) => *chained && own == key,
            (Self::Key { key, pinned, chained }, Credential::Pinned { key: own, certificate }) => {
                *pinned == Some(*certificate) || (*chained && own == key)
            }
            (Self::Rules(rules), Credential::Rule(own)) => rules.contains(own),
            _ => false,
        }
    }
}
