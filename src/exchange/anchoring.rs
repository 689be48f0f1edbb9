//! Keeps the anchor in step with the change trail, and the server apart from its clients while the database is one that was put back.

use super::Server;
use super::server::log;
use crate::audit::alarm::{Event, raise};
use crate::authority::is_of_restore;
use crate::failure::{Failure, Fault};
use crate::identity::Principal;
use crate::operations::Services;
use crate::store::Domain;
use kmip_protocol::{Operation, RequestMessage};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How far the anchor is behind the trail at most: what is put back within it is not noticed.
const TICK: Duration = Duration::from_secs(1);

/// Writes the anchor until the server is told to end. The last one is written by whoever ends it, once nobody commits any more.
pub async fn run(server: Arc<Server>, mut down: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => renew(server.services()).await,
            changed = down.changed() => if changed.is_err() { break },
        }
    }
}

/// Writes the anchor now, if the trail has grown.
pub async fn renew(services: &Services) {
    if !services.freshness.is_anchored() {
        return;
    }
    let (installation, now_ms) = (services.installation, services.clock.now().0);
    let freshness = &services.freshness;
    let renewed = freshness.renew(&services.custody, installation.instance, installation.epoch, now_ms);
    let renewed = renewed.await;
    if freshness.note(renewed.is_err())
        && let Err(why) = renewed
    {
        raise(Event::AnchorUnavailable, Domain::SYSTEM.0, now_ms, &why.to_string());
    }
}

impl Server {
    /// Whether the database was put back, and nobody has agreed to go on with it.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.services.freshness.is_restored()
    }

    /// Why this message is not answered now, if it is not: in a database that was put back, its administrators look and agree, and nobody
    /// does anything else.
    pub(super) fn withheld(&self, principal: &Principal, message: &RequestMessage) -> Option<Failure> {
        if !self.is_restored() {
            return None;
        }
        let of_system = matches!(principal, Principal::Person(person) if person.domain == Domain::SYSTEM);
        let may = |operation| operation == Operation::DiscoverVersions || (of_system && is_of_restore(operation));
        let all = message.items.iter().all(|item| item.operation.is_some_and(may));
        let failure = (!all).then(|| Failure::new(Fault::DatabaseRestored))?;
        log(&failure, None);
        Some(failure)
    }
}
