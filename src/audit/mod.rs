//! The trails. What happened is said in an [`AuditDraft`]; the committer gives it a place in a chain, from which no record can be
//! altered, removed or moved without notice.

mod access;
pub mod alarm;
mod anchor;
mod chain;
mod draft;
mod entry;
mod late;
mod position;
mod segment;
#[cfg(test)]
mod segment_tests;
mod state;
mod verify;

pub use access::{AccessTrail, MemoryTrail, TrailError};
pub use anchor::{Anchor, AnchorFile};
pub use chain::{Chain, ChainKey, ChainStart, Linked, RatchetChain, beginning, hash};
pub use draft::{Actor, ActorKind, AuditDraft, AuditObject, CounterState, MAX_NOTE, RecordState, WRITTEN};
pub use entry::{Entry, Place, TrailKind};
pub use late::LateChain;
pub use position::{Head, Position, StreamId};
pub use segment::{SegmentSettings, SegmentTrail, segments, split};
pub use verify::{BadRecord, Fault, Verifier};
