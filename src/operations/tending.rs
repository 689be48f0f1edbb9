//! Proposals between requests, as the server itself looks after them: what is over ends, what is due is carried out.

use super::deferred;
use super::keeper::Keeper;
use super::proposed::{about, around, begin, finish, has_outside_effect, load, perform, register, run, save};
use super::{Context, Services, pending, shares};
use crate::audit::alarm::Event;
use crate::authority::proposal::{Claimant, ProposalRecord};
use crate::authority::proposals::MOST_LIVE_OF_DOMAIN;
use crate::failure::{Failure, Fault};
use crate::identity::Principal;
use crate::store::{Domain, Key, Work};
use kmip_protocol::ProposalState;

/// How long to wait before it is asked again whether time goes on, in milliseconds.
const AGAIN_MS: i64 = 5_000;

/// The proposals of a domain that were live when last judged, or that somebody is still to look at.
pub async fn live(services: &Services, domain: Domain, work: &mut Work) -> Result<Vec<Key>, Failure> {
    let keeper = Keeper(&*services.custody);
    let register = register(services, &keeper);
    let mut hits = register.list(domain, true, None, MOST_LIVE_OF_DOMAIN, work).await?;
    hits.extend(register.owed(domain, work).await?);
    Ok(hits.into_iter().map(|hit| hit.key).collect())
}

/// How a proposal came on that the server itself looked after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It has ended.
    Ended,
    /// It is to be carried out by steps, and this server has begun.
    Begun,
    /// It was begun by a server that is gone, or could not be brought to its end in time.
    Lost,
    /// Nothing to do before this moment, in milliseconds since 1970.
    Waits(i64),
}

/// Looks after a proposal for the server: what is over ends, what is due and waits for nobody is carried out, or begun if it reaches
/// outside. The context's principal is its requester; the server itself where that one is not served at present. `ours`: if it has begun,
/// it was this server that began.
pub async fn advance(context: &mut Context<'_>, domain: Domain, id: [u8; 16], ours: bool) -> Result<Progress, Failure> {
    let Some(mut proposal) = load(context, domain, &id).await? else {
        return Ok(Progress::Ended);
    };
    if proposal.state() == ProposalState::Executing {
        // What failed in passing is tried again, by identifiers that the proposal gives, until its time is over.
        let in_time = context.services.clock.steady(context.now).0 < proposal.expires_ms();
        return Ok(if ours && in_time {
            Progress::Begun
        } else {
            Progress::Lost
        });
    }
    if let Some(overdue_ms) = proposal.overdue_ms() {
        return remind(context, domain, proposal, overdue_ms).await;
    }
    let around = around(context, domain, Some(&proposal)).await?;
    if proposal.refresh(&around.situation()).is_some() {
        save(context, domain, &proposal).await?;
    }
    let place = pending::place(domain, proposal.correlation);
    let pending = deferred::load(context, place).await?;
    let Some(mut pending) = pending else {
        return Ok(Progress::Ended);
    };
    if !proposal.is_live() {
        // The frozen request goes; the outcome waits for its requester.
        if pending.record.request.is_some() {
            pending.retire(context).await?;
        }
        return Ok(Progress::Ended);
    }
    let served = !matches!(context.principal, Principal::Process(_));
    if !served || proposal.claimable(Claimant::Server, &around.situation()).is_err() {
        return Ok(Progress::Waits(next_moment(&proposal, context)));
    }
    if !shares::are_open(context, &proposal).await? {
        // Whoever hands his in has it looked after again.
        return Ok(Progress::Waits(proposal.expires_ms()));
    }
    if has_outside_effect(proposal.operation) {
        begin(context, domain, &mut proposal, Claimant::Server, &around).await?;
        return Ok(Progress::Begun);
    }
    let conclusion = run(context, &mut proposal, &pending, Claimant::Server, &around).await?;
    pending.conclude(context, &conclusion).await?;
    pending.keep(context)?;
    Ok(after(&proposal))
}

/// Alarms if nobody has looked at the use of an alternative for emergencies in time.
async fn remind(
    context: &mut Context<'_>,
    domain: Domain,
    mut proposal: ProposalRecord,
    overdue_ms: i64,
) -> Result<Progress, Failure> {
    let now = context.services.clock.steady(context.now);
    if !proposal.note_overdue(now.0) {
        return Ok(Progress::Waits(overdue_ms.max(context.now.0.saturating_add(AGAIN_MS))));
    }
    save(context, domain, &proposal).await?;
    let what = about(&proposal);
    context
        .batch
        .alarm(context.work, Event::FollowUpOverdue, domain, now, &what);
    Ok(Progress::Ended)
}

/// What is left to do for a proposal that has ended.
fn after(proposal: &ProposalRecord) -> Progress {
    proposal.overdue_ms().map_or(Progress::Ended, Progress::Waits)
}

/// The second step of what reaches outside: the effect, and its record.
pub async fn complete(context: &mut Context<'_>, domain: Domain, id: [u8; 16]) -> Result<Progress, Failure> {
    let found = load(context, domain, &id).await?;
    let mut proposal = found.ok_or(Failure::new(Fault::NotApproved))?;
    let place = pending::place(domain, proposal.correlation);
    let pending = deferred::load(context, place).await?;
    let mut pending = pending.ok_or(Failure::new(Fault::NotApproved))?;
    let conclusion = perform(context, &proposal, &pending).await?;
    finish(context, domain, &mut proposal, &conclusion).await?;
    pending.conclude(context, &conclusion).await?;
    pending.keep(context)?;
    Ok(after(&proposal))
}

/// The end of a proposal that was found executing: the server went down, or lost its HSM, between the two steps. Whether the effect took
/// place is not known, and it is not tried again in silence.
pub async fn abandon(context: &mut Context<'_>, domain: Domain, id: [u8; 16]) -> Result<bool, Failure> {
    let Some(mut proposal) = load(context, domain, &id).await? else {
        return Ok(false);
    };
    if proposal.state() != ProposalState::Executing {
        return Ok(false);
    }
    let conclusion = Err(Fault::OutcomeUnknown.into());
    finish(context, domain, &mut proposal, &conclusion).await?;
    if let Some(mut pending) = deferred::load(context, pending::place(domain, proposal.correlation)).await? {
        pending.conclude(context, &conclusion).await?;
        pending.keep(context)?;
    }
    Ok(true)
}

/// When there may be something to do: when a timelock is over, or when it ends by itself. While time stands still for proposals, soon: it
/// may go on at any moment.
fn next_moment(proposal: &ProposalRecord, context: &Context<'_>) -> i64 {
    let now_ms = context.now.0;
    if context.services.clock.bearing().stands.is_some() {
        return now_ms.saturating_add(AGAIN_MS);
    }
    let expires = proposal.expires_ms();
    match proposal.due_ms() {
        Some(due) if due > now_ms => due.min(expires),
        _ => expires,
    }
}
