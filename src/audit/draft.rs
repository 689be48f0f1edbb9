//! What a handler says about one act, before the committer gives it a place in the trail.

use core::fmt;

/// One record of a trail without its place. Exactly one per batch item; secrets never appear in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditDraft {
    /// The tenant concerned; all zero for the system domain.
    pub tenant: [u8; 16],
    /// When it was decided, in milliseconds since 1970. The committer adds the time of the commit.
    pub at_ms: i64,
    /// The same moment by the clock that nobody can set, in milliseconds since the process started.
    pub monotonic_ms: u64,
    /// Who acted.
    pub actor: Actor,
    /// Where the request came from: address and port. Empty for the server's own acts.
    pub source: String,
    /// The KMIP operation, vendor operations included; the server's own events have numbers of the vendor range.
    pub operation: u32,
    /// The item's place in its batch, from 0.
    pub batch_item: u32,
    /// What was acted upon.
    pub objects: Vec<AuditObject>,
    /// The Result Status of the answer.
    pub result_status: u32,
    /// The Result Reason of the answer, where it has one.
    pub result_reason: Option<u32>,
    /// The client's correlation value, as given (bounded by the header's limit).
    pub client_correlation: Option<String>,
    /// The server's correlation value: the same for all items of a request.
    pub server_correlation: Option<String>,
    /// The proposal that this act belongs to.
    pub proposal: Option<[u8; 16]>,
    /// The digest of what was decided upon: of the request that was proposed or voted on, of the settings put.
    pub digest: Option<[u8; 32]>,
    /// The records that the commit left behind, written or deleted: the committer adds them, so that no change of a record is without
    /// its trail. Of several drafts of one commit the last has them all.
    pub records: Vec<RecordState>,
    /// The counters that the commit has changed; the committer adds them, as it does the records.
    pub counters: Vec<CounterState>,
    /// Words for the auditor: the text of Log, the reason given with a veto. Bounded by [`MAX_NOTE`].
    pub note: Option<String>,
}

/// The operation of a record of the trail that no draft asked for: of a commit that wrote records and said nothing of why.
pub const WRITTEN: u32 = 0x8001_0912;

/// Longest note kept, in bytes: a record stays a record, not a store of its own.
pub const MAX_NOTE: usize = 4096;

/// Who acted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Actor {
    /// Which sort of actor.
    pub kind: ActorKind,
    /// The person's or client's id; all zero for the others.
    pub id: [u8; 16],
    /// SHA-256 of the public key (SubjectPublicKeyInfo) of the credential used.
    pub fingerprint: Option<[u8; 32]>,
}

/// Which sort of actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ActorKind {
    /// Somebody without a registered identity.
    #[default]
    Unknown,
    /// A client of a tenant.
    Client,
    /// A person.
    Person,
    /// The server itself: a timer, a start, a job.
    Server,
}

/// An object that was acted upon.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AuditObject {
    /// The Unique Identifier as the client knows it.
    pub unique_identifier: String,
    /// The key of its record: kind and id.
    pub record: Option<(u8, [u8; 16])>,
}

/// A record as a commit left it: what the scrub compares with what is there, since a whole old row that is put back has another state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordState {
    /// Whose record it is: the tenant's, or all zero for the system.
    pub domain: [u8; 16],
    /// What it is.
    pub kind: u8,
    /// Which one.
    pub id: [u8; 16],
    /// Its revision and the hash of its MAC; `None`: it was deleted.
    pub left: Option<(u64, [u8; 32])>,
    /// Whether nobody wrote it so, and people have agreed to take it as it is.
    pub accepted: bool,
}

/// A counter as a commit found and left it. A counter has no MAC: what it should be, only the trail knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CounterState {
    /// Beside which record: whose that is.
    pub domain: [u8; 16],
    /// What it is.
    pub kind: u8,
    /// Which one.
    pub id: [u8; 16],
    /// Which of the counters there.
    pub field: u32,
    /// Its value before; `None`: there was none. Another one than the commit before has left, and somebody else has written it.
    pub before: Option<i64>,
    /// Its value since; `None`: there is none.
    pub left: Option<i64>,
    /// Whether people have agreed to take it as it is.
    pub accepted: bool,
}

impl fmt::Debug for AuditObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditObject({})", self.unique_identifier)
    }
}
