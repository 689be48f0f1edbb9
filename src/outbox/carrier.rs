//! What is on its way to an endpoint over a connection of its client's: over one connection at a time, or messages would overtake each
//! other where a client has the server ask over several.

use super::{EndpointId, Outbox};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The endpoints to which something is on its way.
#[derive(Default)]
pub(super) struct Carried(Mutex<BTreeSet<EndpointId>>);

impl Carried {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<EndpointId>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Nobody else carries anything to the endpoint until this is dropped, and then those who listen are told.
pub struct Carrier {
    outbox: Arc<Outbox>,
    endpoint: EndpointId,
    carries: bool,
}

impl Carrier {
    /// The one that carries to this endpoint, if there is none already.
    #[must_use]
    pub fn to(endpoint: EndpointId, outbox: &Arc<Outbox>) -> Option<Self> {
        let is_new = outbox.carried.with(|carried| carried.insert(endpoint));
        is_new.then(|| Self {
            outbox: Arc::clone(outbox),
            endpoint,
            carries: true,
        })
    }

    /// There is nothing to carry: nobody else need look.
    pub fn leave(mut self) {
        self.carries = false;
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.outbox.carried.with(|carried| carried.remove(&self.endpoint));
        if self.carries {
            // Nobody may listen.
            let _ = self.outbox.heralds.send(self.endpoint);
        }
    }
}
