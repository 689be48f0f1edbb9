//! The access trail: every successful operation that changed nothing, recorded before its answer leaves. Those that share a
//! message with a change or a failure are in the change trail, committed with it.

use super::chain::{Chain, Linked};
use super::draft::AuditDraft;
use super::position::Position;
use crate::wait::{Wait, ready};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a record was not written. The operation that it records is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TrailError {
    /// No room on the disk.
    #[error("no room for the access trail")]
    Full,
    /// The trail cannot be written; the text is for the log.
    #[error("the access trail is unavailable: {0}")]
    Unavailable(String),
}

/// Where accesses are recorded. The future ends when the record is as safe as the trail is set to make it; the answer may leave
/// then, not before.
pub trait AccessTrail: Send + Sync {
    /// Records one access, in the chain.
    fn append(&self, draft: AuditDraft) -> Wait<'_, Result<Position, TrailError>>;
}

/// A trail in memory, for simulation and tests.
pub struct MemoryTrail {
    state: Mutex<State>,
}

struct State {
    chain: Box<dyn Chain>,
    last_ms: i64,
    records: Vec<Vec<u8>>,
    refusals: Vec<TrailError>,
}

impl MemoryTrail {
    /// An empty trail.
    #[must_use]
    pub fn new(chain: Box<dyn Chain>) -> Self {
        let state = State {
            chain,
            last_ms: i64::MIN,
            records: Vec::new(),
            refusals: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// The records, as they would stand in a file.
    #[must_use]
    pub fn records(&self) -> Vec<Vec<u8>> {
        self.lock().records.clone()
    }

    /// Refuses the next record with this error.
    pub fn refuse_next(&self, error: TrailError) {
        self.lock().refusals.push(error);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessTrail for MemoryTrail {
    fn append(&self, draft: AuditDraft) -> Wait<'_, Result<Position, TrailError>> {
        let mut state = self.lock();
        if let Some(error) = state.refusals.pop() {
            return ready(Err(error));
        }
        state.last_ms = state.last_ms.max(draft.at_ms);
        let committed_ms = state.last_ms;
        let Linked { position, bytes } = state.chain.link(&draft, committed_ms);
        state.chain.confirm();
        state.records.push(bytes);
        ready(Ok(position))
    }
}
