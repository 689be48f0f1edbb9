//! What handlers work with, put together once by `compose`.

use super::about::About;
use super::streams::Streams;
use crate::authority::glance::Glances;
use crate::authority::{InstallationRecord, Policies};
use crate::clock::Clock;
use crate::crypto::Randomness;
use crate::custody::{Custody, Outfit};
use crate::heavy::Heavy;
use crate::identity::Passwords;
use crate::outbox::Outbox;
use crate::scrub::{Freshness, Quarantine};
use crate::store::Store;
use std::sync::Arc;

/// The rooms below, as handlers see them.
pub struct Services {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// What seals them.
    pub custody: Arc<Custody>,
    /// Where keys come from.
    pub randomness: Arc<dyn Randomness>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How passwords are kept.
    pub passwords: Passwords,
    /// Where heavy work goes.
    pub heavy: Heavy,
    /// The policies in force at one glance.
    pub glances: Glances,
    /// Which installation this is.
    pub installation: InstallationRecord,
    /// The policies in force.
    pub policies: Policies,
    /// Which records are held, since they are not as the change trail has them.
    pub quarantine: Arc<Quarantine>,
    /// Whether the database is the one that was served last.
    pub freshness: Arc<Freshness>,
    /// How the server was set up.
    pub about: About,
    /// What puts HSM-Profiles to work.
    pub outfit: Arc<Outfit>,
    /// Cryptographic operations over several requests.
    pub streams: Arc<Streams>,
    /// Who is told of what.
    pub outbox: Arc<Outbox>,
    /// What one request may ask for.
    pub limits: Limits,
}

/// Limits of requests, each with its reason.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items in a batch: more than any client sends, few enough to answer within a deadline.
    pub batch_items: usize,
    /// Identifiers in a Locate answer: keeps the answer within a default response.
    pub located: usize,
    /// Candidates that the Locates of one message look at before they stop counting.
    pub examined: usize,
    /// Attributes that one Locate asks for: each is compared with every candidate.
    pub patterns: usize,
    /// Bytes that the answers of one message take together, whatever the client could take: a batch of small requests must
    /// not become an answer that fills the memory.
    pub response_bytes: usize,
    /// Objects that one Derive Key rests on: each is opened, and gets a Link.
    pub bases: usize,
    /// Bytes of one RNG Retrieve.
    pub random_bytes: usize,
    /// Attribute instances of one object, or named in one request.
    pub attributes: usize,
    /// Bytes of one Log Message: it becomes part of a record of the trail, which is no store.
    pub log_bytes: usize,
    /// How long a client may use an object before it asks again, in seconds; 0: as long as it likes. Nothing is withdrawn when it
    /// is over; it bounds how old a client's idea of the object may be (KMIP 2.1 §4.30).
    pub lease_seconds: u32,
}

/// The lease unless the settings say otherwise, in seconds: as long as the published cases expect.
pub const LEASE_SECONDS: u32 = 3_600;

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_items: 1_000,
            located: 10_000,
            examined: 100_000,
            patterns: 128,
            response_bytes: 16 * 1024 * 1024,
            bases: 16,
            random_bytes: 64 * 1024,
            attributes: 1_000,
            log_bytes: 1_024,
            lease_seconds: LEASE_SECONDS,
        }
    }
}
