//! KEKs under which nothing was found to lie. To find that out takes a look at every record of a domain; what was found stays so as long as
//! the KEKs of the domain are the same, since nothing is sealed under a KEK that is not active.

use super::context::KekId;
use crate::store::Domain;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The findings, each with the revision of [`super::kek_guard`] that it holds for.
#[derive(Default)]
pub struct Emptied(Mutex<HashMap<(Domain, KekId), u64>>);

impl Emptied {
    fn all(&self) -> MutexGuard<'_, HashMap<(Domain, KekId), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing lies under this KEK, as of this revision, which was read before anybody looked.
    pub fn note(&self, domain: Domain, kek: KekId, as_of: u64) {
        self.all().insert((domain, kek), as_of);
    }

    /// Whether that was found as of this revision.
    #[must_use]
    pub fn has(&self, domain: Domain, kek: KekId, as_of: u64) -> bool {
        self.all().get(&(domain, kek)) == Some(&as_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_holds_for_the_same_keks_only() {
        let emptied = Emptied::default();
        let (domain, kek) = (Domain([1; 16]), KekId([2; 16]));
        assert!(!emptied.has(domain, kek, 0));
        emptied.note(domain, kek, 7);
        assert!(emptied.has(domain, kek, 7));
        assert!(!emptied.has(domain, kek, 8) && !emptied.has(domain, KekId([3; 16]), 7));
        assert!(!emptied.has(Domain([2; 16]), kek, 7));
        emptied.note(domain, kek, 8);
        assert!(emptied.has(domain, kek, 8) && !emptied.has(domain, kek, 7));
    }
}
