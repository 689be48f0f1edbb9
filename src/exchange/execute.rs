//! Looks after proposals between requests: what is approved and due is carried out for its requester, exactly once, and what is over
//! ends. Each step is one commit with the proposal's record, so that a second one, or a second server, meets the first.

use super::server::{MOST_RUNS, Server, log, rest_on};
use crate::audit::{Actor, ActorKind, AuditDraft};
use crate::authority::policy::POLICY;
use crate::authority::proposal::{PROPOSAL, ProposalRecord};
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::operations::tending::{self, Progress};
use crate::operations::{Batch, Context, Services};
use crate::records;
use crate::store::{ChangeSet, CommitError, Domain, Work};
use kmip_protocol::{Operation, ResultStatus, Version};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A proposal, by its place.
pub(super) type Place = (Domain, [u8; 16]);

/// How long to wait before what failed in passing is tried again, in milliseconds.
const AGAIN_MS: i64 = 5_000;

/// When there is something to do about which proposal, in milliseconds since 1970.
#[derive(Default)]
pub(super) struct Agenda {
    entries: Mutex<BTreeSet<(i64, Domain, [u8; 16])>>,
    /// One at a time: what reaches outside must not be begun twice by one server.
    one: tokio::sync::Mutex<()>,
}

impl Agenda {
    fn note(&self, at_ms: i64, (domain, id): Place) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(_, d, i)| (*d, *i) != (domain, id));
        entries.insert((at_ms, domain, id));
    }

    fn forget(&self, (domain, id): Place) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(_, d, i)| (*d, *i) != (domain, id));
    }

    /// What is due, and is taken off.
    fn due(&self, now_ms: i64) -> Vec<Place> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let later = entries.split_off(&(now_ms.saturating_add(1), Domain([0; 16]), [0; 16]));
        let due = core::mem::replace(&mut *entries, later);
        due.into_iter().map(|(_, domain, id)| (domain, id)).collect()
    }
}

/// The proposals that a change touches.
pub(super) fn touched(change: &ChangeSet) -> Vec<Place> {
    let proposals = change.writes.iter().filter(|write| write.key.kind == PROPOSAL);
    proposals.map(|write| (write.key.domain, write.key.id)).collect()
}

/// Forgets the policies that a committed change has replaced.
pub(super) fn forget_policies(services: &Services, replaced: &[Domain]) {
    for domain in replaced {
        services.policies.forget(*domain);
        services.glances.forget(*domain);
    }
}

/// The domains whose policy a change puts.
pub(super) fn policies_put(change: &ChangeSet) -> Vec<Domain> {
    let policies = change.writes.iter().filter(|write| write.key.kind == POLICY);
    policies.map(|write| write.key.domain).collect()
}

/// One step of a proposal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Whatever is to be done.
    Advance,
    /// The effect of what was begun.
    Complete,
    /// What was found begun at the start.
    Abandon,
}

impl Server {
    /// Looks after these proposals now.
    pub(super) async fn look_after(&self, places: Vec<Place>) {
        for place in places {
            // Boxed: few requests touch a proposal.
            Box::pin(self.look_after_one(place)).await;
        }
    }

    async fn look_after_one(&self, place: Place) {
        let _one = self.agenda.one.lock().await;
        let mut act = Act::Advance;
        loop {
            match self.step(place, act).await {
                Ok(Progress::Ended) => return self.agenda.forget(place),
                Ok(Progress::Waits(at_ms)) => return self.agenda.note(at_ms, place),
                Ok(Progress::Begun) => act = Act::Complete,
                Err(failure) => {
                    log(&failure, None);
                    return self.agenda.note(self.now().0.saturating_add(AGAIN_MS), place);
                }
            }
        }
    }

    /// What is due: called at least once a second.
    pub async fn tend(&self) {
        self.look_after(self.agenda.due(self.now().0)).await;
    }

    /// Finds what is to be looked after when the server starts. What is found begun was begun by a server that is gone: whether its
    /// effect took place is not known.
    pub async fn take_up(&self) -> Result<(), Failure> {
        let mut domains = self
            .identity
            .directory()
            .tenants()
            .await
            .map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        domains.push(Domain::SYSTEM);
        for domain in domains {
            if self.services.custody.ready(domain).await.is_err() {
                tracing::warn!(%domain, "the keys of a domain are away; its proposals are looked after when it is asked for");
                continue;
            }
            let live = self.live(domain).await;
            if let Err(error) = &live {
                tracing::error!(%domain, ?error, "the proposals of a domain could not be read");
            }
            for id in live.unwrap_or_default() {
                // One damaged proposal keeps nobody else's waiting.
                if let Err(error) = self.step((domain, id), Act::Abandon).await {
                    tracing::error!(%domain, ?error, "a proposal could not be taken up");
                }
                self.look_after(vec![(domain, id)]).await;
            }
        }
        Ok(())
    }

    async fn live(&self, domain: Domain) -> Result<Vec<[u8; 16]>, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        let hits = tending::live(&self.services, domain, &mut work).await?;
        Ok(hits.into_iter().map(|key| key.id).collect())
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
        let mut context = Context {
            services: &self.services,
            principal: &principal,
            version: Version::NEWEST,
            now,
            work: &mut work,
            batch: &mut batch,
            approval: None,
            defer: false,
        };
        let progress = match act {
            Act::Advance => tending::advance(&mut context, domain, id).await?,
            Act::Complete => {
                tending::complete(&mut context, domain, id).await?;
                Progress::Ended
            }
            Act::Abandon => {
                if tending::abandon(&mut context, domain, id).await? {
                    tracing::error!(%domain, operation = ?proposal.operation, "a proposal was being carried out when the server went down; its outcome is not known");
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
        let mut change = work.into_change_set(now.0);
        rest_on(&mut change, principal.seen(), None);
        let replaced = policies_put(&change);
        match self.commit(change, now).await {
            Ok(()) => {
                forget_policies(&self.services, &replaced);
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
