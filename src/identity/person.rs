//! A person as it is kept.

use super::record::Id;
use kmip_protocol::{PersonRole, PersonStatus};

/// A person of a tenant, or of the system ([`crate::store::Domain::SYSTEM`]): in its own domain, under a random id.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// Its name, unique in its domain.
    pub name: String,
    /// Its one role.
    pub role: PersonRole,
    /// Whether it may act.
    pub status: PersonStatus,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// Since when it counts as a member of its domain and role. Those of genesis and of a tenant's creation are seasoned: 0.
    pub member_since_ms: i64,
    /// Who proposed it; absent for those of genesis.
    pub created_by: Option<Id>,
    /// Its certificates, revoked ones included: they stay as evidence.
    pub credentials: Vec<PersonKey>,
    /// Its password, if it has one.
    pub password: Option<PasswordRecord>,
    /// The secret of its one-time passwords (RFC 6238), sealed.
    pub one_time: Option<OneTimeRecord>,
}

/// A certificate of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// SHA-256 of its key (SubjectPublicKeyInfo): unique in the installation.
    pub fingerprint: [u8; 32],
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// Whether an authority that is marked so vouches that the key is in hardware.
    pub hardware: bool,
    /// When it was enrolled, in milliseconds since 1970.
    pub enrolled_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordRecord {
    /// The PHC string (`$argon2id$…`).
    pub hash: String,
    /// Given by somebody else: single-use, and good only for changing it.
    pub initial: bool,
    /// When an initial one runs out, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Passwords of before, which may not come again.
    pub history: Vec<String>,
}

/// One-time passwords as they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeRecord {
    /// The secret, sealed by custody under the person's domain (its encoding is the keeper's).
    pub sealed: Vec<u8>,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
    /// The last time step that was used, so that no code is used twice.
    pub last_step: i64,
}
