//! Messages that leave the server: who wants to hear of which objects, and what waits for whom, in order (KMIP 2.1 §6.2). A message is
//! written in the commit of the change that it tells of; no key is in it: what it carries is fetched when it is sent.

mod endpoint;
mod gather;
mod known;
mod message;
mod queue;

pub use endpoint::{ENDPOINT, EndpointId, EndpointRecord, counter};
pub use gather::{Post, gather};
pub use known::Known;
pub use message::{MESSAGE, MessageRecord, What};
pub use queue::{MOST_WAITING, QueueError, append, remove_endpoint, settle, waiting};

use crate::store::ChangeSet;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// What is remembered of endpoints between requests.
pub struct Outbox {
    /// The endpoints of each domain.
    pub known: Known,
    stirred: Mutex<BTreeSet<EndpointId>>,
    news: watch::Sender<u64>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            known: Known::default(),
            stirred: Mutex::default(),
            news: watch::Sender::new(0),
        }
    }
}

/// Endpoints that are remembered as having something new: beyond that, whoever carries messages looks at all of them.
const MOST_STIRRED: usize = 10_000;

impl Outbox {
    /// Changes whenever there may be something to carry.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The endpoints for which something was written since this was last asked.
    #[must_use]
    pub fn stirred(&self) -> BTreeSet<EndpointId> {
        core::mem::take(&mut *self.stirred.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that there may be something for an endpoint.
    pub fn stir(&self, endpoint: EndpointId) {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        if stirred.len() < MOST_STIRRED {
            stirred.insert(endpoint);
        }
        drop(stirred);
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Takes note of what a change that is committed means for endpoints.
    pub fn follow(&self, endpoints: &[EndpointId], waiting: &BTreeSet<EndpointId>) {
        for endpoint in endpoints {
            self.known.forget(endpoint.domain);
            self.stir(*endpoint);
        }
        for endpoint in waiting {
            self.stir(*endpoint);
        }
    }
}

/// The endpoints that a change writes or deletes.
#[must_use]
pub fn changed(change: &ChangeSet) -> Vec<EndpointId> {
    let keys = change.writes.iter().map(|write| write.key);
    keys.filter(|key| key.kind == ENDPOINT)
        .map(|key| EndpointId {
            domain: key.domain,
            id: key.id,
        })
        .collect()
}

/// The endpoints for which a change writes messages.
#[must_use]
pub fn addressed(change: &ChangeSet) -> BTreeSet<EndpointId> {
    let messages = change.writes.iter().filter(|write| write.key.kind == MESSAGE);
    messages
        .filter_map(|write| {
            let row = write.content.as_ref()?.rows.first()?;
            Some(EndpointId {
                domain: write.key.domain,
                id: row.application,
            })
        })
        .collect()
}
