//! What the server does by itself between requests: it finds what was left when it starts, as soon as the keys of each domain
//! answer, and removes what nobody has fetched.

use super::agenda::Matter;
use super::execute::AGAIN_MS;
use super::guard::Guarded;
use super::server::{Server, log};
use crate::administration::purge::{self, Step};
use crate::administration::{act, server_act};
use crate::audit::alarm::{Event, raise};
use crate::custody::CustodyError;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::operations::{Batch, Context, deferred, tending};
use crate::store::{CommitError, Domain, Work};
use crate::wait::breathe;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long to wait before keys that did not answer are asked again, in milliseconds: an HSM that is away is not back in a second.
pub(super) const AWAY_MS: i64 = 10_000;
/// How long to wait before what panicked is tried again, in milliseconds: it will as a rule panic again.
pub(super) const PANICKED_MS: i64 = 60 * 60 * 1000;
/// How often what nobody has fetched is removed, in milliseconds: it counts until then, where its requester has no room for more.
pub(super) const SWEEP_MS: i64 = 60 * 60 * 1000;

/// How long others have the store to themselves between two parts of a purge, in milliseconds.
const PURGE_MS: i64 = 500;
/// Commits of such a part: they hold the store for some milliseconds each.
const PURGE_COMMITS: usize = 10;

impl Server {
    /// Has what is to be looked after found: when the server starts.
    pub fn take_up(&self) {
        self.agenda.note(i64::MIN, Domain::SYSTEM, Matter::Installation);
    }

    /// What is due now, of so many domains at most. Each is to be attended to.
    pub(super) fn due(&self, most: usize) -> BTreeMap<Domain, Vec<Matter>> {
        self.agenda.due(self.now().0, most)
    }

    /// Looks after what is due in a domain.
    pub(super) async fn attend(&self, domain: Domain, matters: Vec<Matter>) {
        let _shift = self.agenda.shift(domain);
        for matter in matters {
            // A panic ends the matter that it came from, and no other.
            if Guarded::new(self.attend_to(domain, matter)).await.is_none() {
                tracing::error!(%domain, ?matter, "what was to be looked after panicked");
                self.note_in(PANICKED_MS, domain, matter);
            }
        }
    }

    async fn attend_to(&self, domain: Domain, matter: Matter) {
        // In a database that was put back nothing is done but what its administrators ask for.
        let of_system = domain == Domain::SYSTEM && matches!(matter, Matter::Domain | Matter::Proposal(_));
        if self.is_restored() && !of_system && !matches!(matter, Matter::Installation) {
            return self.note_in(AGAIN_MS, domain, matter);
        }
        match matter {
            Matter::Installation => self.find_domains().await,
            Matter::Domain => self.take_up_domain(domain).await,
            Matter::Sweep => self.sweep(domain).await,
            Matter::Purge => self.purge(domain).await,
            Matter::Rewrap => self.rewrap(domain).await,
            Matter::Rotate => self.rotate(domain).await,
            Matter::Turn => self.turn(domain).await,
            Matter::Proposal(id) => self.look_after(vec![(domain, id)]).await,
        }
    }

    pub(super) fn note_in(&self, wait_ms: i64, domain: Domain, matter: Matter) {
        self.agenda.note(self.now().0.saturating_add(wait_ms), domain, matter);
    }

    /// Wipes the shares of legacy tokens that wait for others in vain.
    pub(super) async fn wipe_late_shares(&self) {
        let now = self.now();
        for (domain, _) in self.services.custody.gatherings().wipe_late(now.0) {
            let mut work = Work::new(Arc::clone(&self.services.store));
            if let Some(draft) = raise(Event::SharesWiped, domain.0, now.0, "the next one did not come in time") {
                work.audit(draft);
            }
            if let Err(error) = self.commit(work.into_change_set(now.0), now).await {
                tracing::error!(%domain, %error, "that shares were wiped could not be recorded");
            }
        }
    }

    /// Ends operations by parts of which nothing was heard for too long.
    pub(super) fn end_idle_streams(&self) {
        self.services.streams.expire(self.services.clock.lapsed(self.now()));
    }

    async fn find_domains(&self) {
        match self.identity.directory().tenants().await {
            Ok(tenants) => {
                for domain in tenants.into_iter().chain([Domain::SYSTEM]) {
                    self.note_in(0, domain, Matter::Domain);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the tenants could not be read; their proposals wait");
                self.note_in(AGAIN_MS, Domain::SYSTEM, Matter::Installation);
            }
        }
    }

    /// Looks after what a domain has, or comes back to it.
    async fn take_up_domain(&self, domain: Domain) {
        match self.services.custody.ready(domain).await {
            Ok(()) => {}
            // It was deleted, or it was said at the start why it cannot be opened.
            Err(CustodyError::UnknownDomain) => return,
            Err(error) => {
                if self.agenda.note_away(domain) {
                    tracing::warn!(%domain, %error, "the keys of a domain are away; its proposals wait until they are back");
                }
                return self.note_in(AWAY_MS, domain, Matter::Domain);
            }
        }
        if self.agenda.note_back(domain) {
            tracing::info!(%domain, "the keys of a domain are back");
            if let Err(error) = self.identity.returned(domain).await {
                tracing::error!(%domain, %error, "who is who in a domain could not be read");
                self.agenda.note_away(domain);
                return self.note_in(AWAY_MS, domain, Matter::Domain);
            }
        }
        match self.live(domain).await {
            Ok(live) => self.look_after(live.into_iter().map(|id| (domain, id)).collect()).await,
            Err(failure) => {
                log(&failure, None);
                return self.note_in(AWAY_MS, domain, Matter::Domain);
            }
        }
        self.note_in(0, domain, Matter::Sweep);
        self.note_in(0, domain, Matter::Purge);
        // What was under way goes on; one that is not there, or has ended, is found to be over.
        self.note_in(0, domain, Matter::Rewrap);
        self.note_in(0, domain, Matter::Rotate);
        self.note_in(0, domain, Matter::Turn);
    }

    async fn live(&self, domain: Domain) -> Result<Vec<[u8; 16]>, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        let hits = tending::live(&self.services, domain, &mut work).await?;
        Ok(hits.into_iter().map(|key| key.id).collect())
    }

    /// Removes some of what is over in a domain, and comes back for the rest.
    async fn sweep(&self, domain: Domain) {
        let wait_ms = match self.sweep_some(domain).await {
            Ok(true) => return self.note_in(AGAIN_MS, domain, Matter::Sweep),
            Ok(false) => SWEEP_MS,
            // Its tenant was deleted.
            Err(_) if !self.services.custody.is_at_work(domain) => return,
            Err(failure) => {
                log(&failure, None);
                SWEEP_MS
            }
        };
        self.note_in(wait_ms, domain, Matter::Sweep);
        if let Err(failure) = self.sweep_orphans(domain).await {
            log(&failure, None);
        }
    }

    /// Goes on with a purge that was ordered in a domain, if one was, and comes back for the rest.
    async fn purge(&self, domain: Domain) {
        let mut wait_ms = PURGE_MS;
        for _ in 0..PURGE_COMMITS {
            match self.purge_some(domain).await {
                Ok(Step::Over) => return,
                Ok(Step::More) => breathe().await,
                Ok(Step::Waits) => {
                    wait_ms = AWAY_MS;
                    break;
                }
                // Its tenant was deleted.
                Err(_) if !self.services.custody.is_at_work(domain) => return,
                Err(failure) => {
                    log(&failure, None);
                    wait_ms = AWAY_MS;
                    break;
                }
            }
        }
        self.note_in(wait_ms, domain, Matter::Purge);
    }

    async fn purge_some(&self, domain: Domain) -> Result<Step, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let principal = Principal::Process(Process::Timer);
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &principal, now, &mut work, &mut batch);
        let step = purge::advance(&mut context, domain).await?;
        if !work.is_changed() {
            return Ok(step);
        }
        match self.commit(work.into_change_set(now.0), now).await {
            Ok(()) => Ok(step),
            Err(CommitError::Conflict) => Ok(Step::More),
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }

    /// Whether there may be more.
    async fn sweep_some(&self, domain: Domain) -> Result<bool, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let principal = Principal::Process(Process::Timer);
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &principal, now, &mut work, &mut batch);
        let removed = deferred::sweep(&mut context, domain).await?;
        if removed == 0 {
            return Ok(false);
        }
        let note = format!("{removed} requests that nobody came back for");
        work.audit(server_act(act::FORGET, domain, now, &note));
        match self.commit(work.into_change_set(now.0), now).await {
            Ok(()) | Err(CommitError::Conflict) => Ok(true),
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }
}
