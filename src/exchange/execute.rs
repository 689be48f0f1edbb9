//! Looks after proposals between requests: what is approved and due is carried out for its requester, exactly once, and what is over
//! ends. Each step is one commit with the proposal's record, so that a second one, or a second server, meets the first.

use super::agenda::{Matter, Place};
use super::guard::Guarded;
use super::server::{MOST_RUNS, Server, log, rest_on};
use super::upkeep::{PANICKED_MS, SWEEP_MS};
use crate::administration::REWRAP;
use crate::administration::purge::PURGE;
use crate::audit::alarm::Alarm;
use crate::audit::{Actor, ActorKind, AuditDraft};
use crate::authority::policy::POLICY;
use crate::authority::proposal::{PROPOSAL, ProposalRecord};
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::objects::OBJECT;
use crate::objects::index::{ROTATES, TURNS};
use crate::operations::pending::PENDING;
use crate::operations::tending::{self, Progress};
use crate::operations::{Batch, Context};
use crate::outbox::{self, EndpointId};
use crate::records;
use crate::store::{ChangeSet, CommitError, Content, Domain, Work};
use kmip_protocol::{Operation, ResultStatus};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long to wait before what failed in passing is tried again, in milliseconds.
pub(super) const AGAIN_MS: i64 = 5_000;

/// What follows from a change once it is committed.
pub(super) struct Sequel {
    /// The proposals that it touches.
    pub proposals: Vec<Place>,
    /// The domains whose policy it puts.
    policies: Vec<Domain>,
    /// The domains in which it keeps requests for later.
    pending: Vec<Domain>,
    /// The domains in which a purge was ordered.
    purges: Vec<Domain>,
    /// The domains in which records are to be wrapped under another KEK.
    rewraps: Vec<Domain>,
    /// The domains with objects that the server replaces by itself.
    rotating: Vec<Domain>,
    /// The domains with objects whose states dates are to change.
    turning: BTreeSet<Domain>,
    /// The endpoints that it writes or deletes.
    endpoints: Vec<EndpointId>,
    /// The endpoints for which it has messages.
    addressed: BTreeSet<EndpointId>,
}

impl Sequel {
    pub(super) fn of(change: &ChangeSet) -> Self {
        let of = |kind| {
            change
                .writes
                .iter()
                .map(|write| write.key)
                .filter(move |key| key.kind == kind)
        };
        let mut pending: Vec<Domain> = of(PENDING).map(|key| key.domain).collect();
        pending.dedup();
        // The domains of objects with such a row.
        let with = |attribute: u32| {
            let has = move |content: &Content| content.rows.iter().any(|row| row.attribute == attribute);
            let objects = change.writes.iter().filter(|write| write.key.kind == OBJECT);
            let found = objects.filter(move |write| write.content.as_ref().is_some_and(has));
            found.map(|write| write.key.domain)
        };
        Self {
            rotating: with(ROTATES).collect(),
            turning: with(TURNS).collect(),
            proposals: of(PROPOSAL).map(|key| (key.domain, key.id)).collect(),
            policies: of(POLICY).map(|key| key.domain).collect(),
            purges: of(PURGE).map(|key| key.domain).collect(),
            rewraps: of(REWRAP).map(|key| key.domain).collect(),
            endpoints: outbox::changed(change),
            addressed: outbox::addressed(change),
            pending,
        }
    }
}

/// One step of a proposal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Whatever is to be done.
    Advance,
    /// The effect of what was begun.
    Complete,
    /// The end of what nobody here has begun, or what could not be done in time.
    Abandon,
}

impl Server {
    /// Looks after these proposals now.
    pub(super) async fn look_after(&self, places: Vec<Place>) {
        for place in places {
            // Whoever is answered after this is answered, whatever becomes of it.
            if Guarded::new(self.look_after_one(place)).await.is_none() {
                tracing::error!(domain = %place.0, "carrying a proposal out panicked");
                let again = self.now().0.saturating_add(PANICKED_MS);
                self.agenda.note(again, place.0, Matter::Proposal(place.1));
            }
        }
    }

    async fn look_after_one(&self, place: Place) {
        self.agenda.alone(place, self.look_after_alone(place)).await;
    }

    async fn look_after_alone(&self, place: Place) {
        let (domain, id) = place;
        let mut act = Act::Advance;
        loop {
            match self.step(place, act).await {
                Ok(Progress::Ended) => {
                    self.services.custody.openings().forget(&place);
                    return self.agenda.forget(place);
                }
                Ok(Progress::Waits(at_ms)) => return self.agenda.note(at_ms, domain, Matter::Proposal(id)),
                Ok(Progress::Begun) => act = Act::Complete,
                Ok(Progress::Lost) => act = Act::Abandon,
                // Its tenant was deleted.
                Err(_) if !self.services.custody.is_at_work(domain) => {
                    self.services.custody.openings().forget(&place);
                    return self.agenda.forget(place);
                }
                Err(failure) => {
                    log(&failure, None);
                    let again = self.now().0.saturating_add(AGAIN_MS);
                    return self.agenda.note(again, domain, Matter::Proposal(id));
                }
            }
        }
    }

    /// Looks after what is due, once.
    #[cfg(test)]
    pub(super) async fn tend(&self) {
        self.watch_clock().await;
        self.wipe_late_shares().await;
        self.end_idle_streams();
        for (domain, matters) in self.due(usize::MAX) {
            self.attend(domain, matters).await;
        }
    }

    /// What a commit brings with it for those who remember.
    pub(super) fn follow(&self, sequel: &Sequel) {
        for domain in &sequel.policies {
            self.services.policies.forget(*domain);
            self.services.glances.forget(*domain);
        }
        for domain in &sequel.pending {
            let at_ms = self.now().0.saturating_add(SWEEP_MS);
            self.agenda.note_new(at_ms, *domain, Matter::Sweep);
        }
        for domain in &sequel.purges {
            self.agenda.note_new(self.now().0, *domain, Matter::Purge);
        }
        for domain in &sequel.rotating {
            self.agenda.note_new(self.now().0, *domain, Matter::Rotate);
        }
        for domain in &sequel.rewraps {
            self.agenda.note_new(self.now().0, *domain, Matter::Rewrap);
        }
        for domain in &sequel.turning {
            self.agenda.note_by(self.now().0, *domain, Matter::Turn);
        }
        self.services.outbox.follow(&sequel.endpoints, &sequel.addressed);
    }

    async fn step(&self, place: Place, act: Act) -> Result<Progress, Failure> {
        for _ in 0..MOST_RUNS {
            let (progress, conflict) = self.attempt(place, act).await?;
            if !conflict {
                return Ok(progress);
            }
        }
        Err(Fault::Contention.into())
    }

    /// One attempt, and whether it met another one.
    async fn attempt(&self, (domain, id): Place, act: Act) -> Result<(Progress, bool), Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let Some(record) = work.load(ProposalRecord::key(domain, id)).await? else {
            return Ok((Progress::Ended, false));
        };
        let proposal = ProposalRecord::decode(records::open(&self.services.custody, &record)?)?;
        let principal = self.acting(domain, &proposal, now).await?;
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &principal, now, &mut work, &mut batch);
        let progress = match act {
            Act::Advance => {
                let ours = self.agenda.has_begun((domain, id));
                tending::advance(&mut context, domain, id, ours).await?
            }
            Act::Complete => tending::complete(&mut context, domain, id).await?,
            Act::Abandon => {
                if tending::abandon(&mut context, domain, id).await? {
                    tracing::error!(%domain, operation = ?proposal.operation, "a proposal was being carried out and did not come to its end; its outcome is not known");
                }
                Progress::Ended
            }
        };
        if !work.is_changed() {
            return Ok((progress, false));
        }
        let stands = match work.load(ProposalRecord::key(domain, id)).await? {
            Some(record) => ProposalRecord::decode(records::open(&self.services.custody, &record)?)?.state(),
            None => proposal.state(),
        };
        let draft = AuditDraft {
            note: Some(format!("proposal: {stands:?}")),
            ..draft(&proposal, &principal, domain, &mut batch, now)
        };
        work.audit(draft);
        let gathered = self.gather(&mut work, now).await;
        let alarms = gathered.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        let mut change = work.into_change_set(now.0);
        rest_on(&mut change, principal.seen(), None);
        let sequel = Sequel::of(&change);
        batch.begun.iter().for_each(|place| self.agenda.begin(*place));
        match self.commit(change, now).await {
            Ok(()) => {
                self.follow(&sequel);
                alarms.iter().for_each(Alarm::sound);
                super::notices::deliver(&batch.notices, &self.identity, &self.services).await;
                Ok((progress, false))
            }
            Err(CommitError::Conflict | CommitError::ClaimTaken(_) | CommitError::OutOfBounds { .. }) => {
                Ok((progress, true))
            }
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }

    /// The requester, as it is now; the server itself where he is not served at present.
    async fn acting(&self, domain: Domain, proposal: &ProposalRecord, now: Moment) -> Result<Principal, Failure> {
        let who = &proposal.requester;
        let acting = self.identity.acting(domain, who.id, who.is_person, now.seconds()).await;
        let acting = acting.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        Ok(acting.unwrap_or(Principal::Process(Process::Timer)))
    }
}

/// The record of a step: whose request it was, what was done, and how it came out.
fn draft(
    proposal: &ProposalRecord,
    principal: &Principal,
    domain: Domain,
    batch: &mut Batch,
    now: Moment,
) -> AuditDraft {
    let (kind, id) = match principal {
        Principal::Client(client) => (ActorKind::Client, client.client),
        Principal::Person(person) => (ActorKind::Person, person.person),
        Principal::Process(_) | Principal::Unregistered(_) => (ActorKind::Server, [0; 16]),
    };
    let performed = batch.performed.is_some();
    let (status, reason) = match batch.failed {
        Some(fault) => (ResultStatus::OperationFailed, Some(fault.newest_reason().0)),
        None => (ResultStatus::Success, None),
    };
    AuditDraft {
        tenant: domain.0,
        at_ms: now.0,
        actor: Actor {
            kind: if performed { kind } else { ActorKind::Server },
            id: if performed { id } else { [0; 16] },
            fingerprint: None,
        },
        operation: batch.performed.unwrap_or(Operation::ProposalComplete).0,
        objects: core::mem::take(&mut batch.touched),
        result_status: status.0,
        result_reason: reason,
        proposal: Some(proposal.id),
        digest: Some(proposal.request_digest),
        ..AuditDraft::default()
    }
}
