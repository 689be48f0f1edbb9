//! Requests that others must agree to: put to a vote, and followed by whoever made them. What becomes of a proposal is decided by its
//! record alone; here it is loaded, judged, carried out and kept.

use super::deferred::{Pending, carry_out};
use super::frozen::Conclusion;
use super::keeper::Keeper;
use super::{Answer, Context, Services, governance, shares, target};
use crate::audit::alarm::{Alarm, Event};
use crate::authority::Approval;
use crate::authority::proposal::{Claimant, Outcome, ProposalFault, ProposalRecord, Situation};
use crate::authority::proposals::{Keep, Proposals, Surroundings};
use crate::authority::quorum::governing_request;
use crate::authority::quorum::statement::{Salt, canonical, request_digest};
use crate::failure::{Failure, Fault};
use crate::store::Domain;
use kmip_protocol::{
    CancellationResult, Completion, DateTime, Operation, ProcessingStage, ProposalNote, ProposalState, RequestPayload,
    Rule, Version, tag,
};
use kmip_ttlv::{Hex, Secret, Writer};

/// What is true around a proposal now.
pub struct Around {
    /// What is around all proposals of its domain.
    pub all: Surroundings,
    client_remains: bool,
}

impl Around {
    /// The proposal's situation.
    #[must_use]
    pub fn situation(&self) -> Situation<'_> {
        self.all.situation(self.client_remains)
    }
}

/// What is around a proposal, or around those of a domain.
pub async fn around(
    context: &mut Context<'_>,
    domain: Domain,
    proposal: Option<&ProposalRecord>,
) -> Result<Around, Failure> {
    let keeper = Keeper(&*context.services.custody);
    let proposals = register(context.services, &keeper);
    let now_ms = context.now.0;
    let all = proposals.surroundings(domain, now_ms, context.work).await?;
    let client_remains = match proposal {
        Some(proposal) => proposals.client_remains(domain, proposal, now_ms, context.work).await?,
        None => true,
    };
    Ok(Around { all, client_remains })
}

/// The proposals of this server.
pub fn register<'a>(services: &'a Services, keeper: &'a dyn Keep) -> Proposals<'a> {
    Proposals {
        keeper,
        policies: &services.policies,
        installation: services.installation,
        clock: services.clock.as_ref(),
    }
}

/// The proposal with this identifier.
pub async fn load(context: &mut Context<'_>, domain: Domain, id: &[u8]) -> Result<Option<ProposalRecord>, Failure> {
    let keeper = Keeper(&*context.services.custody);
    register(context.services, &keeper).load(domain, id, context.work).await
}

/// Keeps a proposal as it is now.
pub async fn save(context: &mut Context<'_>, domain: Domain, proposal: &ProposalRecord) -> Result<(), Failure> {
    let keeper = Keeper(&*context.services.custody);
    register(context.services, &keeper)
        .keep(domain, proposal, context.work)
        .await?;
    context.touch(identifier(proposal), ProposalRecord::key(domain, proposal.id))?;
    context.batch.proposal = Some((proposal.id, Some(proposal.request_digest)));
    Ok(())
}

/// What an answer tells of a proposal in our own extension.
#[must_use]
pub fn note(proposal: &ProposalRecord) -> ProposalNote {
    ProposalNote {
        proposal_identifier: Some(proposal.id.to_vec()),
        reason: None,
        rule_names: proposal.rules.iter().map(|rule| rule.rule_name.clone()).collect(),
        state: Some(proposal.state()),
        expires: Some(DateTime(proposal.expires_ms().div_euclid(1000))),
    }
}

pub(super) fn pending_answer(pending: &Pending, proposal: &ProposalRecord) -> Answer {
    Answer::Pending {
        operation: proposal.operation,
        correlation: pending.place.id,
        note: Some(note(proposal)),
    }
}

pub(super) fn names(rules: &[Rule]) -> impl Iterator<Item = &str> {
    rules.iter().map(|rule| rule.rule_name.as_str())
}

/// The canonical form of a request, which votes are about.
pub(super) fn canonical_form(payload: &RequestPayload, salt: [u8; 32]) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_PAYLOAD, |w| payload.write(w, Version::NEWEST));
    let plain = Secret::new(writer.into_bytes());
    canonical(payload.operation(), plain.expose(), &Salt::new(salt))
        .map_err(|error| Failure::detailed(Fault::NotProposable, error))
}

/// What a requester is told whose request cannot be proposed, or not be carried out yet.
pub(super) fn refusal(fault: ProposalFault) -> Failure {
    match fault {
        ProposalFault::Unreachable => Fault::QuorumUnreachable.into(),
        ProposalFault::ReasonRequired => Fault::ReasonRequired.into(),
        ProposalFault::NotLive(state) => ended(state).into(),
        ProposalFault::Executing => Fault::DuplicateProcess.into(),
        ProposalFault::NotApproved | ProposalFault::NotDue | ProposalFault::NotYours => Fault::NotApproved.into(),
        other => Failure::detailed(Fault::Internal, other),
    }
}

/// What the requester of a proposal is told that ended without being carried out.
const fn ended(state: ProposalState) -> Fault {
    match state {
        ProposalState::Withdrawn => Fault::Withdrawn,
        ProposalState::Rejected => Fault::ProposalRejected,
        ProposalState::Expired => Fault::ProposalExpired,
        ProposalState::Void => Fault::ProposalVoid,
        ProposalState::Executed | ProposalState::Failed => Fault::DuplicateProcess,
        _ => Fault::Internal,
    }
}

pub(super) async fn concluded_as(
    context: &Context<'_>,
    pending: &Pending,
    state: ProposalState,
) -> Result<Conclusion, Failure> {
    match state {
        _ if pending.record.result.is_some() => pending.conclusion(context).await,
        ProposalState::Executed | ProposalState::Failed => Ok(Err(Fault::OutcomeUnknown.into())),
        state => Ok(Err(ended(state).into())),
    }
}

pub(super) async fn deliver(
    context: &mut Context<'_>,
    pending: &Pending,
    proposal: &ProposalRecord,
    conclusion: Conclusion,
) -> Result<Answer, Failure> {
    pending.remove(context).await?;
    context.batch.proposal = Some((proposal.id, Some(proposal.request_digest)));
    Ok(match conclusion {
        Ok(payload) => Answer::Done(payload),
        Err(refused) => Answer::Failed {
            operation: proposal.operation,
            failure: refused.into(),
            note: Some(note(proposal)),
        },
    })
}

/// Whether carrying an operation out reaches beyond the store before it is committed, so that it cannot be one step with its record: it
/// has keys made or destroyed in an HSM.
#[must_use]
pub const fn has_outside_effect(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::TenantCreate
            | Operation::KekCreate
            | Operation::KekAddProfile
            | Operation::KekRemoveProfile
            | Operation::KekDelete
            | Operation::KekRestore
            | Operation::HsmProfileCreate
            | Operation::HsmProfileRotatePin
            | Operation::HsmProfileAbandon
            | Operation::TenantPurge
    )
}

/// The first of two steps: whoever meets it from here on knows that its effect may have taken place.
pub(super) async fn begin(
    context: &mut Context<'_>,
    domain: Domain,
    proposal: &mut ProposalRecord,
    by: Claimant,
    around: &Around,
) -> Result<(), Failure> {
    shares::ensure_open(context, proposal).await?;
    proposal.claim(by, &around.situation()).map_err(refusal)?;
    context.batch.begun.push((domain, proposal.id));
    save(context, domain, proposal).await
}

/// Carries an approved proposal out, in one step with its record: on the overlay of whoever has it carried out. What may pass by itself
/// fails without a trace, and the proposal stays approved.
pub(super) async fn run(
    context: &mut Context<'_>,
    proposal: &mut ProposalRecord,
    pending: &Pending,
    by: Claimant,
    around: &Around,
) -> Result<Conclusion, Failure> {
    shares::ensure_open(context, proposal).await?;
    proposal.claim(by, &around.situation()).map_err(refusal)?;
    let conclusion = perform(context, proposal, pending).await?;
    finish(context, pending.place.domain, proposal, &conclusion).await?;
    Ok(conclusion)
}

/// Does what an executing proposal asks for, if it still is what was agreed to.
pub(super) async fn perform(
    context: &mut Context<'_>,
    proposal: &ProposalRecord,
    pending: &Pending,
) -> Result<Conclusion, Failure> {
    context.batch.proposal = Some((proposal.id, Some(proposal.request_digest)));
    if let Some(fault) = flaw(context, proposal, pending).await? {
        return Ok(Err(fault.into()));
    }
    let approval = Approval::of(proposal).ok_or(Failure::new(Fault::NotApproved))?;
    carry_out(context, pending, Some(approval)).await
}

/// What of a proposal is no longer what those who agreed have seen.
async fn flaw(
    context: &mut Context<'_>,
    proposal: &ProposalRecord,
    pending: &Pending,
) -> Result<Option<Fault>, Failure> {
    let request = pending.request(context).await?;
    let same = match request.salt {
        Some(salt) => {
            let canonical = canonical_form(&request.payload, salt)?;
            request_digest(request.payload.operation(), &canonical) == proposal.request_digest
        }
        None => false,
    };
    if !same {
        tracing::error!("a frozen request is not the one that was agreed to");
        return Ok(Some(Fault::Internal));
    }
    changed(context, proposal, &request.payload, pending.place.domain).await
}

/// Why the request, asked today, would not mean what was agreed to: what it acts upon has changed, its names are those of others, it is no
/// longer to be asked at all, or rules govern it that nobody was asked about, as where an application owns objects meanwhile.
async fn changed(
    context: &mut Context<'_>,
    proposal: &ProposalRecord,
    payload: &RequestPayload,
    domain: Domain,
) -> Result<Option<Fault>, Failure> {
    let bound = &proposal.target;
    let digest = target::digest(&bound.records, proposal.bind_target(), context).await?;
    if bound.digest != Some(digest) {
        return Ok(Some(Fault::TargetChanged));
    }
    let target = match target::of_request(payload, context).await {
        Ok(target) => target,
        Err(failure) if failure.fault().is_passing() => return Err(failure),
        Err(failure) => return Ok(Some(failure.fault())),
    };
    let mut same = target.records == bound.records && target.subjects == bound.subjects;
    // Whoever would have had to open a share, or be given another one, was not asked.
    same &= target.sharings == bound.sharings && target.recovery == bound.recovery;
    if let Some(policy) = governance::in_force(domain, context).await? {
        let rules = governing_request(&policy.record.policy, payload, &target);
        same &= rules.into_iter().all(|rule| proposal.rules.contains(rule));
    }
    Ok((!same).then_some(Fault::TargetChanged))
}

/// Ends an executing proposal as its request came out.
pub(super) async fn finish(
    context: &mut Context<'_>,
    domain: Domain,
    proposal: &mut ProposalRecord,
    conclusion: &Conclusion,
) -> Result<(), Failure> {
    let outcome = match conclusion.as_ref().map_err(|refused| refused.fault) {
        Ok(_) => Outcome::Executed,
        Err(Fault::OutcomeUnknown) => Outcome::Unknown(
            Fault::OutcomeUnknown.newest_reason(),
            Fault::OutcomeUnknown.message().to_owned(),
        ),
        Err(fault) => Outcome::Failed(fault.newest_reason(), fault.message().to_owned()),
    };
    proposal.finish(outcome, context.now.0).map_err(refusal)?;
    save(context, domain, proposal).await?;
    if conclusion.is_err() {
        let (now, what) = (context.now, about(proposal));
        context
            .batch
            .alarm(context.work, Event::ProposalFailed, domain, now, &what);
    }
    if proposal.state() == ProposalState::Executed || proposal.is_emergency() {
        let begun = proposal.begun_ms().unwrap_or(i64::MIN);
        alarm_marked(context, domain, proposal, begun, "carried out");
    }
    Ok(())
}

/// Alarms that rules are satisfied by alternatives alone that they mark: of those that are due by this moment.
pub fn alarm_marked(context: &mut Context<'_>, domain: Domain, proposal: &ProposalRecord, by_ms: i64, how: &str) {
    for (rule, severity) in proposal.marked(by_ms) {
        let note = format!("{how}: rule {}, {}", rule.rule_name, about(proposal));
        let mut alarm = Alarm::new(Event::BreakGlass, domain.0, context.now.0, &note);
        alarm.severity = severity;
        context.batch.raise(context.work, alarm);
    }
}

/// What an alarm says of a proposal: which one, and what it asks for.
pub(super) fn about(proposal: &ProposalRecord) -> String {
    format!("{} {}", proposal.operation, identifier(proposal))
}

/// A proposal as people name it.
pub(super) fn identifier(proposal: &ProposalRecord) -> String {
    Hex(&proposal.id).to_string()
}

/// The proposal of a pending request, judged anew.
async fn judged(
    context: &mut Context<'_>,
    pending: &Pending,
    id: [u8; 16],
) -> Result<(ProposalRecord, Around), Failure> {
    let domain = pending.place.domain;
    let found = load(context, domain, &id).await?;
    let mut proposal =
        found.ok_or_else(|| Failure::detailed(Fault::Internal, "a pending request has lost its proposal"))?;
    let around = around(context, domain, Some(&proposal)).await?;
    if proposal.refresh(&around.situation()).is_some() {
        save(context, domain, &proposal).await?;
    }
    context.batch.proposal = Some((id, Some(proposal.request_digest)));
    Ok((proposal, around))
}

/// Answers a Poll about a proposal. What is carried out on claim is carried out now, for whoever asks, and delivered with the same
/// commit.
pub async fn poll(context: &mut Context<'_>, pending: Pending, id: [u8; 16]) -> Result<Answer, Failure> {
    let (mut proposal, around) = judged(context, &pending, id).await?;
    if !proposal.is_live() {
        let conclusion = concluded_as(context, &pending, proposal.state()).await?;
        return deliver(context, &pending, &proposal, conclusion).await;
    }
    let claimed = proposal.completion() == Completion::OnClaim
        && proposal.claimable(Claimant::Requester, &around.situation()).is_ok()
        && shares::are_open(context, &proposal).await?;
    if !claimed {
        return Ok(pending_answer(&pending, &proposal));
    }
    if has_outside_effect(proposal.operation) {
        // Nothing secret comes of it: the next Poll has the outcome.
        begin(
            context,
            pending.place.domain,
            &mut proposal,
            Claimant::Requester,
            &around,
        )
        .await?;
        return Ok(pending_answer(&pending, &proposal));
    }
    let conclusion = run(context, &mut proposal, &pending, Claimant::Requester, &around).await?;
    deliver(context, &pending, &proposal, conclusion).await
}

/// Completes a proposal for its requester, so that the next Poll has its outcome (KMIP 2.1 §6.1.39). What is carried out on claim is
/// left to that Poll: nothing secret is kept.
pub async fn process(context: &mut Context<'_>, mut pending: Pending, id: [u8; 16]) -> Result<(), Failure> {
    let (mut proposal, around) = judged(context, &pending, id).await?;
    proposal
        .claimable(Claimant::Requester, &around.situation())
        .map_err(refusal)?;
    if proposal.completion() == Completion::OnClaim {
        return Ok(());
    }
    if has_outside_effect(proposal.operation) {
        // The effect itself follows the commit, before this is answered.
        return begin(
            context,
            pending.place.domain,
            &mut proposal,
            Claimant::Requester,
            &around,
        )
        .await;
    }
    let conclusion = run(context, &mut proposal, &pending, Claimant::Requester, &around).await?;
    pending.conclude(context, &conclusion).await?;
    pending.keep(context)
}

/// Withdraws a proposal for its requester (KMIP 2.1 §6.1.5).
pub async fn cancel(
    context: &mut Context<'_>,
    mut pending: Pending,
    id: [u8; 16],
) -> Result<CancellationResult, Failure> {
    let (mut proposal, around) = judged(context, &pending, id).await?;
    match proposal.withdraw(&around.situation()) {
        Ok(_) => {
            save(context, pending.place.domain, &proposal).await?;
            pending.retire(context).await?;
            Ok(CancellationResult::Canceled)
        }
        Err(ProposalFault::Executing) => Ok(CancellationResult::UnableToCancel),
        Err(ProposalFault::NotLive(ProposalState::Withdrawn)) => Ok(CancellationResult::Canceled),
        Err(ProposalFault::NotLive(ProposalState::Executed)) => Ok(CancellationResult::Completed),
        Err(_) => Ok(CancellationResult::Failed),
    }
}

/// How far a proposal is, as Query Asynchronous Requests names it.
pub async fn stage(context: &mut Context<'_>, pending: &Pending, id: [u8; 16]) -> Result<ProcessingStage, Failure> {
    let (proposal, _) = judged(context, pending, id).await?;
    Ok(match proposal.state() {
        ProposalState::Open => ProcessingStage::Submitted,
        ProposalState::Approved | ProposalState::Executing => ProcessingStage::InProcess,
        _ => ProcessingStage::Completed,
    })
}
