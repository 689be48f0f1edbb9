//! Where records are kept. A handler works on a [`Work`] overlay, which ends as one [`ChangeSet`]; an engine keeps it whole or
//! refuses it whole. The contract is `contract.rs`; one contract-test file runs on every engine.

mod cache;
mod contract;
mod engine;
mod key;
mod memory;
mod sqlite;
mod work;

pub use contract::{
    Adjustment, Bound, ChangeSet, Claim, ClaimChange, CommitError, Content, Counter, Counters, FieldChange, Guard,
    IndexHit, IndexQuery, IndexRange, IndexRow, Receipt, Record, Revision, Seen, Store, StoreError, TrailQuery,
    TrailRecord, Write, Written,
};
pub use engine::mark;
pub use key::{ClaimKey, Domain, GuardKey, IndexValue, Key, Kind};
pub use memory::MemoryStore;
pub use sqlite::{SqliteSettings, SqliteStore};
pub use work::{Mark, Taken, Work};
