//! The policy of a domain as it is kept: the one in force, and every version that ever was.

use super::quorum::statement::sha256;
use crate::store::{Domain, Key, Kind, Record, Revision, StoreError, Work};
use kmip_protocol::{Item as _, Policy, Version};
use kmip_ttlv::{ErrorKind, Reader, Result as Decoded, Writer};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// The policy in force, one in each domain.
pub const POLICY: Kind = Kind(0x32);
/// The versions of a domain's policy: appended, never changed. The id is the version.
pub const POLICY_VERSION: Kind = Kind(0x33);

/// The format that is written.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const POLICY_RECORD: Tag = Tag(0x54_C200);
    pub(super) const FORMAT: Tag = Tag(0x54_C201);
    pub(super) const VERSION: Tag = Tag(0x54_C202);
    pub(super) const PUT: Tag = Tag(0x54_C203);
    pub(super) const PROPOSAL: Tag = Tag(0x54_C204);
    pub(super) const PREVIOUS: Tag = Tag(0x54_C205);
    pub(super) const POLICY: Tag = Tag(0x54_C206);
}

/// A version of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRecord {
    /// Which version, from 1.
    pub version: i32,
    /// When it was put, in milliseconds since 1970.
    pub put_ms: i64,
    /// The proposal that put it; absent for the first.
    pub proposal: Option<[u8; 16]>,
    /// The digest of the version before.
    pub previous: Option<[u8; 32]>,
    /// What it says.
    pub policy: Policy,
}

impl PolicyRecord {
    /// Where a domain's policy in force is kept.
    #[must_use]
    pub const fn key(domain: Domain) -> Key {
        Key {
            domain,
            kind: POLICY,
            id: [0; 16],
        }
    }

    /// Where a version is kept.
    #[must_use]
    pub const fn version_key(domain: Domain, version: i32) -> Key {
        let [a, b, c, d] = version.to_be_bytes();
        Key {
            domain,
            kind: POLICY_VERSION,
            id: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d],
        }
    }

    /// The first policy of a domain.
    #[must_use]
    pub const fn first(policy: Policy, put_ms: i64) -> Self {
        Self {
            version: 1,
            put_ms,
            proposal: None,
            previous: None,
            policy,
        }
    }

    /// The one that follows this one.
    #[must_use]
    pub fn next(&self, policy: Policy, put_ms: i64, proposal: Option<[u8; 16]>) -> Self {
        Self {
            version: self.version.saturating_add(1),
            put_ms,
            proposal,
            previous: Some(self.digest()),
            policy,
        }
    }

    /// What votes are bound to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        policy_digest(self.version, &self.policy)
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            version,
            put_ms,
            proposal,
            previous,
            policy,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::POLICY_RECORD, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.integer(tag::VERSION, *version);
            w.long_integer(tag::PUT, *put_ms);
            if let Some(proposal) = proposal {
                w.bytes(tag::PROPOSAL, proposal);
            }
            if let Some(previous) = previous {
                w.bytes(tag::PREVIOUS, previous);
            }
            policy.write_item(w, tag::POLICY, Version::NEWEST);
        });
        writer.into_bytes()
    }

    /// Reads what [`PolicyRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Decoded<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::POLICY_RECORD, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            Ok(Self {
                version: r.integer(tag::VERSION)?,
                put_ms: r.long_integer(tag::PUT)?,
                proposal: r.at(tag::PROPOSAL).then(|| r.array(tag::PROPOSAL)).transpose()?,
                previous: r.at(tag::PREVIOUS).then(|| r.array(tag::PREVIOUS)).transpose()?,
                policy: Policy::read_item(r, tag::POLICY, Version::NEWEST)?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

/// The digest of a version of a policy: SHA-256 over the version (32 bits, big-endian) and the policy as a Policy structure in TTLV. The
/// command line computes the same from what Policy Get tells.
#[must_use]
pub fn policy_digest(version: i32, policy: &Policy) -> [u8; 32] {
    let mut writer = Writer::new();
    policy.write_item(&mut writer, kmip_protocol::tag::POLICY, Version::NEWEST);
    sha256(&[&version.to_be_bytes(), writer.as_bytes()])
}

/// A policy in force.
#[derive(Debug)]
pub struct InForce {
    /// The version that is in force.
    pub record: PolicyRecord,
    /// Its digest.
    pub digest: [u8; 32],
}

impl InForce {
    /// How long somebody must have been a member before he counts, in milliseconds.
    #[must_use]
    pub fn seasoning_ms(&self) -> i64 {
        i64::from(self.record.policy.seasoning.0).saturating_mul(1000)
    }
}

/// The policies in force, read once for each revision. The record itself is loaded each time and is a read of the change: a decision
/// under a policy that is replaced meanwhile does not stand. So nothing has to be forgotten for the answers to be right.
#[derive(Default)]
pub struct Policies {
    known: RwLock<HashMap<Domain, (Revision, Arc<InForce>)>>,
    /// Domains without a policy are served: only where tests of something else put none.
    optional: bool,
}

/// Why a policy was not had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record cannot be read, or its MAC is wrong. Nothing is permitted by it.
    #[error("the record of a policy is damaged")]
    Damaged,
}

impl Policies {
    /// For tests of something else, in houses whose domains have no policy.
    #[cfg(test)]
    pub(crate) fn optional() -> Self {
        Self {
            optional: true,
            ..Self::default()
        }
    }

    /// Whether a domain without a policy is served. Each gets one in the commit that makes it, so that a missing one was taken away.
    #[must_use]
    pub const fn are_optional(&self) -> bool {
        self.optional
    }

    /// The policy in force in a domain; `None` only where none was ever put. `open` checks a record's MAC.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub async fn load(
        &self,
        domain: Domain,
        work: &mut Work,
        open: impl FnOnce(&Record) -> Option<Vec<u8>>,
    ) -> Result<Option<Arc<InForce>>, PolicyError> {
        let Some(record) = work.load(PolicyRecord::key(domain)).await? else {
            return Ok(None);
        };
        if let Some(known) = self.known(domain, record.revision) {
            return Ok(Some(known));
        }
        let bytes = open(&record).ok_or(PolicyError::Damaged)?;
        let policy = PolicyRecord::decode(&bytes).map_err(|_| PolicyError::Damaged)?;
        let digest = policy.digest();
        let read = Arc::new(InForce { record: policy, digest });
        // What this unit of work itself has put is not yet anybody else's.
        if !work.is_changed() {
            let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            known.insert(domain, (record.revision, Arc::clone(&read)));
        }
        Ok(Some(read))
    }

    fn known(&self, domain: Domain, revision: Revision) -> Option<Arc<InForce>> {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (of, policy) = known.get(&domain)?;
        (*of == revision).then(|| Arc::clone(policy))
    }

    /// Frees what is remembered of a domain: it was deleted, or its policy replaced.
    pub fn forget(&self, domain: Domain) {
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.remove(&domain);
    }

    /// Frees what is remembered of all domains.
    pub fn forget_all(&self) {
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.clear();
    }
}
