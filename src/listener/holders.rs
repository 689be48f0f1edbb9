//! How many connections each certificate holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The certificates with open connections, by the fingerprint of their key.
#[derive(Default)]
pub(super) struct Holders {
    held: Mutex<HashMap<[u8; 32], usize>>,
}

/// A connection that is held; dropped when it ends.
pub(super) struct Held {
    holders: Arc<Holders>,
    key: [u8; 32],
}

impl Holders {
    /// Room for one more connection of this key, if it has fewer than the limit.
    pub(super) fn hold(self: &Arc<Self>, key: [u8; 32], limit: usize) -> Option<Held> {
        let mut held = self.lock();
        let count = held.entry(key).or_default();
        if *count >= limit {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Held {
            holders: self.clone(),
            key,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.holders.lock();
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_certificate_leaves_room_for_others() {
        let holders = Arc::new(Holders::default());
        let first = holders.hold([1; 32], 2).unwrap();
        let _second = holders.hold([1; 32], 2).unwrap();
        assert!(holders.hold([1; 32], 2).is_none());
        assert!(holders.hold([2; 32], 2).is_some());
        drop(first);
        assert!(holders.hold([1; 32], 2).is_some());
        assert_eq!(holders.lock().len(), 1);
    }
}
