//! The policies in force at one glance: what an item is decided by that no rule names, without asking the store and without
//! allocating. The commit rests on what was seen all the same.

use super::policy::InForce;
use crate::store::{self, Domain};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A domain's policy as it was last seen.
#[derive(Clone)]
pub struct Glance {
    /// Which state of its record this is; `None`: there is none.
    pub seen: Option<store::Seen>,
    /// What is in force; `None`: nothing was ever put.
    pub policy: Option<Arc<InForce>>,
}

/// What was last seen of each domain. Forgotten when a policy is put, and when a commit meets another one.
#[derive(Default)]
pub struct Glances(RwLock<Seen>);

#[derive(Default)]
struct Seen {
    /// Grows whenever something is forgotten: what was looked up before is not remembered after.
    generation: u64,
    known: HashMap<Domain, Glance>,
}

impl Glances {
    /// What was last seen of a domain.
    #[must_use]
    pub fn of(&self, domain: Domain) -> Option<Glance> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        seen.known.get(&domain).cloned()
    }

    /// To be asked before the store is: [`Glances::remember`] wants it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Remembers what was seen in the store, unless something was forgotten since.
    pub fn remember(&self, domain: Domain, glance: Glance, generation: u64) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.generation == generation {
            seen.known.insert(domain, glance);
        }
    }

    /// Has a domain's policy looked up again.
    pub fn forget(&self, domain: Domain) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.generation = seen.generation.wrapping_add(1);
        seen.known.remove(&domain);
    }

    /// Has the policies of all domains looked up again.
    pub fn forget_all(&self) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.generation = seen.generation.wrapping_add(1);
        seen.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_before_it_was_forgotten_is_not_remembered() {
        let (glances, domain) = (Glances::default(), Domain([1; 16]));
        let glance = || Glance {
            seen: None,
            policy: None,
        };
        let before = glances.generation();
        glances.forget(domain);
        glances.remember(domain, glance(), before);
        assert!(glances.of(domain).is_none());
        glances.remember(domain, glance(), glances.generation());
        assert!(glances.of(domain).is_some());
    }
}
