//! Messages that leave the server: who wants to hear of which objects, and what waits for whom, in order (KMIP 2.1 §6.2). A message is
//! written in the commit of the change that it tells of; no key is in it: what it carries is fetched when it is sent.

pub mod address;
mod carrier;
mod endpoint;
mod gather;
mod known;
mod message;
mod queue;
mod report;

pub use address::AllowList;
pub use carrier::Carrier;
pub use endpoint::{ENDPOINT, EndpointId, EndpointRecord, counter};
pub use gather::{Post, gather};
pub use known::{Endpoints, Known};
pub use message::{MESSAGE, MessageRecord, What};
pub use queue::{Appended, MOST_WAITING, QueueError, append, remove_endpoint, remove_waiting, settle, waiting};
pub use report::{Report, Reports, TRIAL, Trial};

use crate::store::ChangeSet;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{broadcast, oneshot, watch};

/// What is remembered of endpoints between requests.
pub struct Outbox {
    /// Where messages may go.
    pub allowed: AllowList,
    /// The endpoints of each domain.
    pub known: Known,
    /// How it stands with each.
    pub reports: Reports,
    stirred: Mutex<BTreeSet<EndpointId>>,
    /// Whether all endpoints are to be looked at: at the start, and whenever it is not known for which there is something.
    all: AtomicBool,
    news: watch::Sender<u64>,
    heralds: broadcast::Sender<EndpointId>,
    carried: carrier::Carried,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new(AllowList::default())
    }
}

impl Outbox {
    /// An outbox whose messages may go there.
    #[must_use]
    pub fn new(allowed: AllowList) -> Self {
        Self {
            allowed,
            known: Known::default(),
            reports: Reports::default(),
            stirred: Mutex::default(),
            all: AtomicBool::new(true),
            news: watch::Sender::new(0),
            heralds: broadcast::Sender::new(MOST_NEWS),
            carried: carrier::Carried::default(),
        }
    }
}

/// Endpoints that are remembered as having something new: beyond that, whoever carries messages looks at all of them.
const MOST_STIRRED: usize = 10_000;

/// Endpoints with something new that are kept for those who listen: who falls behind is told so, and looks.
const MOST_NEWS: usize = 256;

impl Outbox {
    /// Changes whenever there may be something to carry.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Tells each endpoint for which there may be something: to any number of those who listen.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<EndpointId> {
        self.heralds.subscribe()
    }

    /// The endpoints for which something was written since this was last asked.
    #[must_use]
    pub fn stirred(&self) -> BTreeSet<EndpointId> {
        core::mem::take(&mut *self.stirred.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that there may be something for an endpoint.
    pub fn stir(&self, endpoint: EndpointId) {
        let mut stirred = self.stirred.lock().unwrap_or_else(PoisonError::into_inner);
        if stirred.len() < MOST_STIRRED || stirred.contains(&endpoint) {
            stirred.insert(endpoint);
        } else {
            self.seek_all();
        }
        drop(stirred);
        // Nobody may listen.
        let _ = self.heralds.send(endpoint);
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Says that there may be something for any endpoint.
    pub fn seek_all(&self) {
        self.all.store(true, Ordering::Release);
    }

    /// Whether all endpoints are to be looked at; whoever asks does so, or says it again.
    #[must_use]
    pub fn all_are_sought(&self) -> bool {
        self.all.swap(false, Ordering::AcqRel)
    }

    /// Has an endpoint tried. `None`: too many are being tried.
    pub fn try_out(&self, endpoint: EndpointId) -> Option<oneshot::Receiver<Option<String>>> {
        let told = self.reports.ask(endpoint);
        self.stir(endpoint);
        told
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Domain;

    #[test]
    fn of_more_than_can_be_remembered_nothing_is_lost() {
        let outbox = Outbox::default();
        let endpoint = |number: usize| {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
            EndpointId {
                domain: Domain([1; 16]),
                id,
            }
        };
        assert!(outbox.all_are_sought() && !outbox.all_are_sought());
        (0..MOST_STIRRED).for_each(|number| outbox.stir(endpoint(number)));
        outbox.stir(endpoint(0));
        assert!(!outbox.all_are_sought());
        outbox.stir(endpoint(MOST_STIRRED));
        assert!(outbox.all_are_sought());
        assert_eq!(outbox.stirred().len(), MOST_STIRRED);
    }
}
