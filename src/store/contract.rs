//! The contract of a store: one unit of work, the [`ChangeSet`], names everything that a decision rests on.
//!
//! What is not named is not protected, whatever the engine's isolation. Two decisions that could spoil each other meet in a
//! read, a guard or a claim; what commutes (usage limits, quotas, failed logins) is an [`Adjustment`] and never conflicts.

use super::key::{ClaimKey, Domain, GuardKey, IndexValue, Key, Kind};
use crate::audit::{AuditDraft, Head, Position, RecordState, StreamId};
use crate::wait::Wait;
use std::sync::Arc;

/// How often a record was written: 1 when it was made. A handler knows the next one before the commit
/// ([`super::Work::next_revision`]), so that the record's MAC can cover it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of a record that is written for the first time.
    pub const FIRST: Self = Self(1);

    /// The revision that the next write makes.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A record as it is kept: opaque bytes, sealed and MACed by those who made them.
#[derive(Clone)]
pub struct Record {
    /// Its address.
    pub key: Key,
    /// How often it was written.
    pub revision: Revision,
    /// Its place in the order in which records were made: greater is newer; unique within the store, given by the commit.
    pub creation: u64,
    /// Its bytes.
    pub body: Arc<[u8]>,
}

impl Record {
    /// Which state of the record this is.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        Seen {
            revision: self.revision,
            creation: self.creation,
        }
    }
}

/// Which state of a record a decision rests on. A record deleted and made again has another creation number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The revision read.
    pub revision: Revision,
    /// The creation number read.
    pub creation: u64,
}

/// One row of the index. Rows are hints: a hit is checked against its record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IndexRow {
    /// The application that sees the object; all zero where the kind has none.
    pub application: [u8; 16],
    /// The attribute's tag, or the hash of a custom attribute's name.
    pub attribute: u32,
    /// The value.
    pub value: IndexValue,
}

/// Which values an [`IndexQuery`] asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IndexRange {
    /// This value. Cost: O(log n + hits).
    Equal(IndexValue),
    /// Numbers and dates from `from` to `to`, both included. Cost: O(log n + rows in the range).
    Between {
        /// The smallest.
        from: i64,
        /// The greatest.
        to: i64,
    },
    /// Numbers and dates from `from` to `to`, both included, the smallest first: what has been due for longest is found without a look at the
    /// rest. Cost: O(log n + hits).
    InOrder {
        /// The smallest.
        from: i64,
        /// The greatest.
        to: i64,
    },
    /// Any value: all records that have the attribute.
    Any,
}

/// A question to the index. Hits come newest first, each record once; those of [`IndexRange::InOrder`] in the order of their values, of equal
/// ones newest first, and once for each value.
#[derive(Clone, Debug)]
pub struct IndexQuery {
    /// Whose records.
    pub domain: Domain,
    /// Which sort of record.
    pub kind: Kind,
    /// As in [`IndexRow::application`].
    pub application: [u8; 16],
    /// As in [`IndexRow::attribute`].
    pub attribute: u32,
    /// Which values.
    pub range: IndexRange,
    /// Resumes: only records made before this creation number, which is that of the last hit seen.
    pub before: Option<u64>,
    /// At most so many hits.
    pub limit: usize,
}

impl IndexQuery {
    /// Whether it asks for this row.
    pub(super) fn matches(&self, row: &IndexRow) -> bool {
        let value = match &self.range {
            IndexRange::Equal(value) => row.value == *value,
            IndexRange::Between { from, to } | IndexRange::InOrder { from, to } => {
                (IndexValue::number(*from)..=IndexValue::number(*to)).contains(&row.value)
            }
            IndexRange::Any => true,
        };
        value && row.application == self.application && row.attribute == self.attribute
    }
}

/// A hit of the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexHit {
    /// The record.
    pub key: Key,
    /// Its creation number: the position to resume after.
    pub creation: u64,
}

/// Numbers kept beside a record (or beside no record), changed by adjustments only: field → value. An absent field counts as 0.
pub type Counters = Vec<(u32, i64)>;

/// One of them, with where it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    /// Beside which record.
    pub key: Key,
    /// Which field.
    pub field: u32,
    /// Its value.
    pub value: i64,
}

/// A write of one record. The key must be among the reads of its ChangeSet.
#[derive(Clone)]
pub struct Write {
    /// Which record.
    pub key: Key,
    /// Its new body and all its index rows, or `None`: delete it, its index rows and its counters.
    pub content: Option<Content>,
}

/// What a write leaves.
#[derive(Clone)]
pub struct Content {
    /// The body.
    pub body: Arc<[u8]>,
    /// All index rows; rows of before that are not among them disappear.
    pub rows: Vec<IndexRow>,
}

/// What a decision has to do with a guard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guard {
    /// Which set.
    pub key: GuardKey,
    /// The revision that the decision saw (0: never bumped); `None`: the set was not looked at.
    pub seen: Option<u64>,
    /// Whether this ChangeSet changes the set.
    pub bump: bool,
}

/// What a decision has to do with a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The key claimed.
    pub key: ClaimKey,
    /// Who held it when the decision looked (`Some(None)`: nobody); `None`: nobody looked.
    pub seen: Option<Option<Key>>,
    /// What becomes of it.
    pub change: ClaimChange,
}

/// What becomes of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimChange {
    /// Nothing: it was looked at only.
    Keep,
    /// The record takes it. Refused with [`CommitError::ClaimTaken`] when another record holds it.
    Take(Key),
    /// It becomes free. The record named must hold it, else the ChangeSet conflicts.
    Release(Key),
    /// It passes from the first record to the second, without being free in between.
    Pass(Key, Key),
}

/// `field += add`, refused when the outcome would leave [min, max]. Commutes, so it needs no revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adjustment {
    /// The record beside which the field is kept.
    pub key: Key,
    /// Which field. The numbers belong to those who keep the record.
    pub field: u32,
    /// What happens to it.
    pub change: FieldChange,
}

/// What happens to a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldChange {
    /// Add this much, staying within both bounds. Adding nothing asserts that the value is not above `max`.
    Add {
        /// How much; may be negative.
        amount: i64,
        /// The least allowed outcome.
        min: i64,
        /// The greatest allowed outcome.
        max: i64,
    },
    /// Give it this value (does not commute: name the record that the value was decided on among the reads).
    Set(i64),
    /// Forget it.
    Remove,
}

/// Which bound an adjustment would have crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// The outcome would be less than `min`.
    Min,
    /// The outcome would be greater than `max`.
    Max,
}

/// A unit of work: committed whole or not at all.
#[derive(Clone, Default)]
pub struct ChangeSet {
    /// The state of each record looked at; `None`: absent.
    pub reads: Vec<(Key, Option<Seen>)>,
    /// Sets looked at or changed.
    pub guards: Vec<Guard>,
    /// Unique keys looked at, taken or released, each once. Releases are judged before takes.
    pub claims: Vec<Claim>,
    /// Records written or deleted, each once. New records get their creation numbers in this order.
    pub writes: Vec<Write>,
    /// Counters changed, in this order. Applied before deletions, so that a deleted record leaves none.
    pub adjustments: Vec<Adjustment>,
    /// Records of the change trail, in this order; the committer adds sequence, time and previous hash.
    pub audit: Vec<AuditDraft>,
    /// States of records that count from now on, although nobody wrote them here: what people have agreed to after they looked. The trail
    /// has them with those that are written.
    pub accepted: Vec<RecordState>,
    /// The time of the decision, in milliseconds since 1970. The high-water mark rises to it, never falls.
    pub time_ms: i64,
}

/// What a commit gave.
#[derive(Clone, Default)]
pub struct Receipt {
    /// The writes' outcome, in their order.
    pub written: Vec<Written>,
    /// Where the audit records stand, in their order.
    pub audit: Vec<Position>,
}

/// The outcome of one write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Which record.
    pub key: Key,
    /// Its revision now; of a deletion: the last one it had.
    pub revision: Revision,
    /// Its creation number.
    pub creation: u64,
}

/// Why a question got no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer; the text is for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The database was made by a newer release.
    #[error("the database has schema {found}, this release knows up to {known}")]
    Newer {
        /// The schema found.
        found: u32,
        /// The newest that this release knows.
        known: u32,
    },
    /// Another process has the database.
    #[error("another process holds the database")]
    Held,
    /// The file is not one of ours, or is damaged.
    #[error("the database is damaged or is none: {0}")]
    Damaged(String),
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// The record is held, since it is not as the change trail has it.
    #[error("the record is held")]
    Quarantined,
}

/// Why nothing of a ChangeSet was kept.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitError {
    /// Something that the decision rests on has changed: decide again.
    #[error("what was read has changed meanwhile")]
    Conflict,
    /// Another record holds this claim.
    #[error("a unique key is taken")]
    ClaimTaken(ClaimKey),
    /// An adjustment would leave its bounds.
    #[error("a counter would leave its bounds")]
    OutOfBounds {
        /// Beside which record.
        key: Key,
        /// Which field.
        field: u32,
        /// Which bound.
        bound: Bound,
    },
    /// No room on the disk. Nothing was written; the same ChangeSet may succeed when there is room.
    #[error("the disk is full")]
    Full,
    /// The database does not answer; the text is for the log. The ChangeSet is not in force in this process; should the
    /// machine go down now, it may come up either way.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The ChangeSet breaks the contract: a mistake of the caller, not of the client.
    #[error("a change set breaks the contract: {0}")]
    Malformed(&'static str),
}

/// A record of the change trail as it is kept.
#[derive(Clone)]
pub struct TrailRecord {
    /// Where it stands.
    pub position: Position,
    /// Its bytes: [`crate::audit::Entry`] reads them.
    pub bytes: Arc<[u8]>,
}

/// A question to the change trail. Records come oldest first.
#[derive(Clone, Copy, Debug)]
pub struct TrailQuery {
    /// Which stream.
    pub stream: StreamId,
    /// Only this domain's records, or all.
    pub domain: Option<Domain>,
    /// Resumes: only sequences after this one. 0 starts at the beginning.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
}

/// A store. Loads are ready futures in the embedded engines: polled in place, without a thread hop.
pub trait Store: Send + Sync {
    /// The record at this key.
    fn load(&self, key: Key) -> Wait<'_, Result<Option<Record>, StoreError>>;

    /// The counters kept beside this record, in order of field.
    fn counters(&self, key: Key) -> Wait<'_, Result<Counters, StoreError>>;

    /// Who holds this claim.
    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<Key>, StoreError>>;

    /// The revision of this guard; 0 when it was never bumped.
    fn guard(&self, guard: GuardKey) -> Wait<'_, Result<u64, StoreError>>;

    /// Records by an indexed value, newest first.
    fn find<'a>(&'a self, query: &'a IndexQuery) -> Wait<'a, Result<Vec<IndexHit>, StoreError>>;

    /// At most `limit` records of a kind in the order of their ids, from the first one after `after`. A record that is there
    /// from the first page to the last is seen exactly once. For start, rewrap and scrub.
    fn scan(
        &self,
        domain: Domain,
        kind: Kind,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<Record>, StoreError>>;

    /// At most `limit` records of all domains and kinds in the order of their keys, from this key on, as they lie in the engine
    /// itself. For the scrub.
    fn rows(&self, from: Key, limit: usize) -> Wait<'_, Result<Vec<Record>, StoreError>>;

    /// At most `limit` counters of all domains and kinds in the order of their keys and fields, from this one on, as they lie in the
    /// engine itself. For the scrub.
    fn counter_rows(&self, from: (Key, u32), limit: usize) -> Wait<'_, Result<Vec<Counter>, StoreError>>;

    /// Keeps the ChangeSet whole, durably, or refuses it whole. Once called, it takes place even if the future is dropped.
    fn commit(&self, change: ChangeSet) -> Wait<'_, Result<Receipt, CommitError>>;

    /// The greatest time of all commits, in milliseconds since 1970. It outlives restarts and never goes back.
    fn high_water(&self) -> i64;

    /// Records of the change trail, oldest first.
    fn trail(&self, query: TrailQuery) -> Wait<'_, Result<Vec<TrailRecord>, StoreError>>;

    /// The last record of each stream.
    fn trail_heads(&self) -> Wait<'_, Result<Vec<Head>, StoreError>>;
}

/// `value + amount`, unless that leaves `[min, max]`: then the bound that it would cross. A step towards the range is allowed
/// from outside it (bounds may be tightened below what is used already).
pub(super) fn add_within(value: i64, amount: i64, min: i64, max: i64) -> Result<i64, Bound> {
    let outcome = value.checked_add(amount);
    match outcome {
        Some(outcome) if amount >= 0 && outcome <= max => Ok(outcome),
        Some(outcome) if amount < 0 && outcome >= min => Ok(outcome),
        _ if amount < 0 => Err(Bound::Min),
        _ => Err(Bound::Max),
    }
}
