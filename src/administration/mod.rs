//! What administers: the handlers behind the vendor operations, one file for each noun, which are reached by a grant alone, that the policy
//! of a domain has a quorum stand before; and genesis, which is over before anybody can ask. These two make tenants and KEKs.

mod application;
mod authority;
mod backlog;
mod ceremony;
mod certificate;
mod client;
mod client_settings;
mod credential;
mod desk;
mod endpoint;
pub mod genesis;
mod group;
mod hardware;
pub mod hsm_profile;
mod hsm_profile_abandon;
mod hsm_profile_life;
mod hsm_profile_link;
mod hsm_profile_pin;
pub mod kek;
mod kek_backup;
mod kek_end;
mod kek_life;
mod kek_profiles;
pub mod legacy_pending;
pub mod legacy_token;
pub mod lockout;
pub mod login;
mod management;
mod management_change;
mod migration;
mod namespace;
mod one_time;
mod password;
mod people;
mod permission;
pub mod person;
mod person_key;
pub mod policy;
mod possession;
mod proposal;
mod proposal_view;
pub mod purge;
pub mod quarantine;
mod recovery;
pub mod reference;
mod residue;
pub mod restore;
pub mod rewrap;
mod rewrap_record;
pub mod sealed;
mod sharing;
mod status;
mod tenant_create;
pub mod tenant_purge;
mod tenant_recover;
mod tenant_settings;
mod tenant_state;
mod trail;
mod user;

pub use rewrap_record::REWRAP;

use crate::audit::{Actor, ActorKind, AuditDraft};
use crate::clock::Moment;
use crate::custody::CustodyError;
use crate::failure::Fault;
use crate::identity::EnrollError;
use crate::store::{CommitError, Domain, StoreError};
use kmip_protocol::ResultStatus;

/// Numbers of administrative acts, as the trail and the vendor operations name them (block `0x8001ffnn`, ff the family).
pub mod act {
    /// An installation was founded.
    pub const GENESIS: u32 = 0x8001_0900;
    /// Requests that nobody came back for were removed.
    pub const FORGET: u32 = 0x8001_0911;
    /// A date has changed an object's state.
    pub const TURN: u32 = 0x8001_0914;
    /// The installation was given an anchor, or its database was found to be one that was put back.
    pub const RESTORED: u32 = 0x8001_0915;
    /// Records were found that are not as the trail has them, or that are so again.
    pub const FINDINGS: u32 = 0x8001_0913;
}

/// Why an administrative act did not take place.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The change was not kept.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Custody did not answer, or refused.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// A record of identity was not made.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// Somebody whom an installation is to begin with cannot be enrolled.
    #[error("administrator {0}: {why}", why = .1.message())]
    Founder(String, Fault),
    /// The key-management credential that an installation is to begin with cannot be shared.
    #[error("the key-management credential: {why}", why = .0.message())]
    Management(Fault),
    /// A record cannot be read, or its MAC is wrong.
    #[error("a record of kind {0} is damaged")]
    Damaged(u8),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] crate::crypto::CryptoError),
}

/// The record of a server's own successful act.
#[must_use]
pub fn server_act(act: u32, domain: Domain, now: Moment, note: &str) -> AuditDraft {
    AuditDraft {
        tenant: domain.0,
        at_ms: now.0,
        actor: Actor {
            kind: ActorKind::Server,
            ..Actor::default()
        },
        operation: act,
        result_status: ResultStatus::Success.0,
        note: Some(note.to_owned()),
        ..AuditDraft::default()
    }
}

impl From<AdministrationError> for crate::failure::Failure {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Store(why) => why.into(),
            AdministrationError::Custody(why) => why.into(),
            AdministrationError::Enroll(why) => why.into(),
            AdministrationError::Randomness(why) => why.into(),
            other => Self::detailed(Fault::Internal, other),
        }
    }
}
