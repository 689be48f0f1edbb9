//! A chain for a store that is opened before its beginning is known.

use super::chain::{Chain, ChainKey, ChainStart, Linked, RatchetChain};
use super::draft::AuditDraft;
use super::entry::TrailKind;
use super::position::{Head, StreamId};
use std::sync::{Arc, Mutex, PoisonError};

/// A chain that gets its beginning after the store is open, since the beginning is read from the store.
#[derive(Clone, Default)]
pub struct LateChain(Arc<Mutex<Option<RatchetChain>>>);

impl LateChain {
    /// Has it begin.
    pub fn begin(&self, chain: RatchetChain) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
    }

    /// The last record that was kept, if there is one.
    #[must_use]
    pub fn kept(&self) -> Option<Head> {
        let chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chain.as_ref().and_then(RatchetChain::kept)
    }

    fn with<T>(&self, act: impl FnOnce(&mut RatchetChain) -> T) -> T {
        let mut chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is committed before the chain has its beginning.
        act(chain.get_or_insert_with(|| {
            let start = ChainStart::new_stream(StreamId([0; 16]), [0; 32], ChainKey::new([0; 32]));
            RatchetChain::new(TrailKind::Change, start)
        }))
    }
}

impl Chain for LateChain {
    fn link(&mut self, draft: &AuditDraft, committed_ms: i64) -> Linked {
        self.with(|chain| chain.link(draft, committed_ms))
    }

    fn confirm(&mut self) {
        self.with(Chain::confirm);
    }

    fn undo(&mut self) {
        self.with(Chain::undo);
    }
}
