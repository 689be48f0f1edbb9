//! The trails. What happened is said in an [`AuditDraft`]; the committer gives it a place in a chain, from which no record can be
//! altered, removed or moved without notice.

mod draft;
mod position;

pub use draft::{Actor, ActorKind, AuditDraft, AuditObject, MAX_NOTE};
pub use position::{Head, Position, StreamId};
