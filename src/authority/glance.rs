//! The policies in force at one glance: what an item is decided by that no rule names, without asking the store and without
//! allocating. The commit rests on what was seen all the same.

use super::policy::InForce;
use crate::store::{Domain, Seen};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A domain's policy as it was last seen.
#[derive(Clone)]
pub struct Glance {
    /// Which state of its record this is; `None`: there is none.
    pub seen: Option<Seen>,
    /// What is in force; `None`: nothing was ever put.
    pub policy: Option<Arc<InForce>>,
}

/// What was last seen of each domain. Forgotten when a policy is put, and when a commit meets another one.
#[derive(Default)]
pub struct Glances(RwLock<HashMap<Domain, Glance>>);

impl Glances {
    /// What was last seen of a domain.
    #[must_use]
    pub fn of(&self, domain: Domain) -> Option<Glance> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&domain).cloned()
    }

    /// Remembers what was seen in the store.
    pub fn remember(&self, domain: Domain, glance: Glance) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(domain, glance);
    }

    /// Has a domain's policy looked up again.
    pub fn forget(&self, domain: Domain) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&domain);
    }
}
