//! Proposals, as people see and decide them: of their own domain only. A proposal of another domain is one that does not exist.

use super::proposal_view::{self, detail, requirements, summary};
use super::tenant_recover::recovers;
use super::{desk, management};
use crate::audit::alarm::Event;
use crate::authority::Granted;
use crate::authority::proposal::{NewVote, ProposalFault, ProposalRecord};
use crate::authority::quorum::statement::{self, VoteFault, verify_statement};
use crate::failure::{Failure, Fault};
use crate::identity::name::is_reason;
use crate::identity::{PersonId, PersonPrincipal, PersonRecord, Principal, TenantRecord, person_counter};
use crate::operations::keeper::Keeper;
use crate::operations::proposed::{self, Around, register};
use crate::operations::{Context, Handle, shares};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    HeldShare, PersonRole, ProposalCompleteRequest, ProposalCompleteResponse, ProposalFollowUpRequest,
    ProposalFollowUpResponse, ProposalGetRequest, ProposalGetResponse, ProposalListRequest, ProposalListResponse,
    ProposalShareRequest, ProposalShareResponse, ProposalState, ProposalVetoRequest, ProposalVetoResponse,
    ProposalVoteRequest, ProposalVoteResponse, ProposalWithdrawVoteRequest, ProposalWithdrawVoteResponse, VoteDecision,
};
use kmip_ttlv::Hex;
use std::sync::Arc;

/// Proposals that a list shows unless it is asked for fewer, and at most.
const MOST_LISTED: usize = 500;
/// Proposals that a list looks at: a filter that nothing matches ends there.
const MOST_EXAMINED: usize = 2000;
/// Other proposals that one is compared with: warnings are help, no protection.
const MOST_COMPARED: usize = 200;

/// Votes that a person casts in one minute: more than anybody does who looks at what he agrees to, few enough that nobody keeps the store
/// busy with them.
const MOST_VOTES: i64 = 60;

/// The person that asks.
pub(super) fn person<'a>(context: &'a Context<'_>) -> Result<&'a PersonPrincipal, Failure> {
    match context.principal {
        Principal::Person(person) => Ok(person),
        _ => Err(Fault::PermissionDenied.into()),
    }
}

/// What opens the records of a context.
pub(super) fn keeper(context: &Context<'_>) -> Keeper {
    Keeper(Arc::clone(&context.services.custody))
}

/// A proposal of the reader's domain, judged as things are now, with what is around it.
struct Opened {
    domain: Domain,
    record: ProposalRecord,
    around: Around,
}

async fn open(identifier: &[u8], context: &mut Context<'_>) -> Result<Opened, Failure> {
    let domain = person(context)?.domain;
    let found = proposed::load(context, domain, identifier).await?;
    opened(domain, found, context).await
}

/// The same, or one of the system's by which the reader's tenant is to be recovered. Whichever it is not takes the same way.
async fn open_concerning(identifier: &[u8], context: &mut Context<'_>) -> Result<Opened, Failure> {
    let domain = person(context)?.domain;
    if let Some(own) = proposed::load(context, domain, identifier).await? {
        return opened(domain, Some(own), context).await;
    }
    let of_system = proposed::load(context, Domain::SYSTEM, identifier).await?;
    let concerning = of_system.filter(|record| recovers(record, domain));
    opened(Domain::SYSTEM, concerning, context).await
}

async fn opened(domain: Domain, found: Option<ProposalRecord>, context: &mut Context<'_>) -> Result<Opened, Failure> {
    let mut record = found.ok_or(Failure::new(Fault::ProposalNotFound))?;
    let around = proposed::around(context, domain, Some(&record)).await?;
    record.refresh(&around.situation());
    context.batch.proposal = Some((record.id, Some(record.request_digest)));
    Ok(Opened { domain, record, around })
}

/// What a person is told of a step that is not possible.
pub(super) fn refused(fault: ProposalFault) -> Failure {
    let told = match fault {
        ProposalFault::Unreachable => Fault::QuorumUnreachable,
        ProposalFault::ReasonRequired => Fault::ReasonRequired,
        ProposalFault::NotLive(_) => Fault::ProposalEnded,
        ProposalFault::Executing => Fault::ProposalEnded,
        ProposalFault::NotEligible | ProposalFault::NotYours => Fault::NoVote,
        ProposalFault::ProofMissing => Fault::VoteProof,
        ProposalFault::Replayed => Fault::VoteInvalid,
        ProposalFault::NoVote => Fault::NoVoteCast,
        ProposalFault::TooManyVotes => Fault::LimitExceeded,
        ProposalFault::NotApproved => Fault::NotApproved,
        ProposalFault::NotDue => Fault::TimelockRunning,
        ProposalFault::NothingOwed => Fault::ProposalEnded,
    };
    Failure::detailed(told, fault)
}

fn bounded(reason: Option<&String>) -> Result<Option<String>, Failure> {
    match reason {
        Some(text) if !is_reason(text) => Err(Fault::InvalidField.into()),
        given => Ok(given.cloned()),
    }
}

impl Handle for ProposalListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalListResponse, Failure> {
        let (domain, me) = (person(context)?.domain, person(context)?.person);
        let may_object = person(context)?.role == PersonRole::Operator;
        let keeper = keeper(context);
        let services = context.services;
        let register = register(services, &keeper);
        let awaiting = self.awaiting_requester == Some(true);
        let live = |state: &ProposalState| crate::authority::proposal::is_live(*state);
        let live_only = awaiting || (!self.proposal_states.is_empty() && self.proposal_states.iter().all(live));
        let most = desk::count(self.maximum_items, MOST_LISTED)?.min(MOST_LISTED);
        let mut skip = desk::count(self.offset_items, 0)?;
        let mut found = Vec::new();
        // A tenant's people see what of the system's would recover their tenant, while they can still object.
        let concerning = (domain != Domain::SYSTEM).then_some((Domain::SYSTEM, true));
        for (of, live_only) in concerning.into_iter().chain([(domain, live_only)]) {
            let around = register.surroundings(of, context.now.0, context.work).await?;
            let mut hits = register.list(of, live_only, None, MOST_EXAMINED, context.work).await?;
            if awaiting && of == domain {
                // What is to be looked at has ended, and is on no list of what is live.
                let owed = register.owed(of, context.work).await?;
                let new = owed.into_iter().filter(|one| hits.iter().all(|hit| hit.key != one.key));
                hits.extend(new.collect::<Vec<_>>());
            }
            let tenant_name = tenant_name(of, context).await?;
            for hit in hits {
                if found.len() >= most {
                    break;
                }
                let Some(mut record) = register.peek(&hit, context.work).await? else {
                    continue;
                };
                if of != domain && !recovers(&record, domain) {
                    continue;
                }
                let remains = register
                    .client_remains(of, &record, context.now.0, context.work)
                    .await?;
                record.refresh(&around.situation(remains));
                let mut shown = summary(&record, tenant_name.clone(), &around.electorate, &me, context.now.0);
                let standing = shares::standing(context, &record, &me).await?;
                proposal_view::tell_awaited(&mut shown, &record, &standing, &me);
                if of != domain {
                    shown.awaiting_requester = record.is_live() && may_object;
                }
                let wanted = (self.proposal_states.is_empty() || self.proposal_states.contains(&shown.state))
                    && self
                        .awaiting_requester
                        .is_none_or(|wanted| wanted == shown.awaiting_requester);
                if wanted && skip > 0 {
                    skip = skip.saturating_sub(1);
                } else if wanted {
                    found.push(shown);
                }
            }
        }
        Ok(ProposalListResponse { proposals: found })
    }
}

impl Handle for ProposalGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalGetResponse, Failure> {
        let (own, me) = (person(context)?.domain, person(context)?.person);
        let opened = open_concerning(&self.proposal_identifier, context).await?;
        let tenant_name = tenant_name(opened.domain, context).await?;
        let mut proposal = detail(
            &opened.record,
            tenant_name,
            &opened.around.all.electorate,
            &me,
            context.now.0,
        );
        let rivals = match opened.domain == own {
            true => rivals(&opened, context).await?,
            // Of the system's other proposals a tenant is told nothing.
            false => Vec::new(),
        };
        let standing = shares::standing(context, &opened.record, &me).await?;
        let people = &opened.around.all.electorate;
        proposal_view::tell_shares(&mut proposal, &opened.record, &standing, people, &me);
        for (profile, held) in standing.held {
            let hsm_profile_name = management::name(context, profile).await?;
            proposal.held_shares.push(HeldShare {
                hsm_profile_name,
                ..held
            });
        }
        if let Some(first) = proposal.requirements.first_mut() {
            let warning = |id: &[u8; 16]| format!("proposal {} acts on the same", Hex(id));
            first.warnings.extend(rivals.iter().map(warning));
        }
        Ok(ProposalGetResponse { proposal })
    }
}

/// Other live proposals that act upon the same: of them the first that is carried out may be the last that can be.
async fn rivals(opened: &Opened, context: &mut Context<'_>) -> Result<Vec<[u8; 16]>, Failure> {
    if !opened.record.is_live() || opened.record.target.records.is_empty() {
        return Ok(Vec::new());
    }
    let keeper = keeper(context);
    let register = register(context.services, &keeper);
    let hits = register
        .list(opened.domain, true, None, MOST_COMPARED, context.work)
        .await?;
    let mut rivals = Vec::new();
    for hit in hits.iter().filter(|hit| hit.key.id != opened.record.id) {
        let Some(mut other) = register.peek(hit, context.work).await? else {
            continue;
        };
        let shares = other
            .target
            .records
            .iter()
            .any(|key| opened.record.target.records.contains(key));
        other.refresh(&opened.around.all.situation(true));
        if shares && other.is_live() {
            rivals.push(other.id);
        }
    }
    Ok(rivals)
}

impl Handle for ProposalVoteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalVoteResponse, Failure> {
        let voter = person(context)?.clone();
        let mut opened = open(&self.proposal_identifier, context).await?;
        bound(&voter, context).await?;
        let signed = match (&self.statement, &self.signature) {
            (Some(statement), Some(signature)) => Some((statement.clone(), signature.clone())),
            (None, None) => None,
            _ => return Err(Fault::VoteInvalid.into()),
        };
        let key = match &signed {
            Some((statement, signature)) => {
                let subject = subject(&opened, context).await?;
                let signer = signer(&voter, statement, context).await?;
                let verified = verify_statement(
                    statement,
                    signature,
                    &signer.certificate,
                    &subject,
                    self.decision,
                    statement::shares_digest(&self.opened_shares),
                    context.seconds(),
                );
                verified.map_err(|why| Failure::detailed(Fault::VoteInvalid, why))?;
                signer.fingerprint
            }
            None => voter.key_fingerprint,
        };
        let vote = NewVote {
            person: voter.person,
            person_name: voter.name.clone(),
            key,
            decision: self.decision,
            signed,
            reason: bounded(self.reason.as_ref())?,
        };
        if self.decision.name().is_none() {
            return Err(Fault::InvalidField.into());
        }
        let situation = opened.around.situation();
        let step = opened.record.vote(vote, &situation).map_err(refused)?;
        keep_shares(self, context, &opened.record).await?;
        proposed::save(context, opened.domain, &opened.record).await?;
        if step.is_some_and(|step| step.to == ProposalState::Approved) {
            // While it waits there is time to object.
            proposed::alarm_marked(context, opened.domain, &opened.record, i64::MAX, "approved");
        }
        let tally = opened.record.tally(&opened.around.all.electorate, context.now.0);
        Ok(ProposalVoteResponse {
            state: opened.record.state(),
            completion: opened.record.completion(),
            requirements: requirements(&tally, &opened.around.all.electorate),
        })
    }
}

/// Refuses more votes of a person in one minute than anybody casts who looks at them. Counted beside its record: what is refused or taken
/// back does not count.
async fn bound(voter: &PersonPrincipal, context: &mut Context<'_>) -> Result<(), Failure> {
    let id = PersonId {
        domain: voter.domain,
        person: voter.person,
    };
    let key = id.key();
    let minute = context.now.0.div_euclid(60_000);
    context.work.load(key).await?;
    if context.work.counter(key, person_counter::VOTE_MINUTE).await? != Some(minute) {
        context.work.set_counter(key, person_counter::VOTE_MINUTE, minute);
        context.work.set_counter(key, person_counter::VOTES, 0);
    }
    let counted = context.work.adjust(key, person_counter::VOTES, 1, (0, MOST_VOTES));
    counted.await?.map(drop).map_err(|_| Fault::TooManyVotes.into())
}

/// Keeps the shares that an approval carries; whoever no longer agrees has opened nothing.
async fn keep_shares(
    vote: &ProposalVoteRequest,
    context: &mut Context<'_>,
    record: &ProposalRecord,
) -> Result<(), Failure> {
    let me = person(context)?.person;
    let agrees = vote.decision == VoteDecision::Approve;
    if !agrees {
        let occasion = shares::occasion(context, &record.id)?;
        context.services.custody.openings().forget_of(&occasion, &me);
    }
    match vote.opened_shares.as_slice() {
        [] => Ok(()),
        opened if agrees => shares::hand_in(context, record, &me, opened).await,
        _ => Err(Fault::InvalidField.into()),
    }
}

impl Handle for ProposalShareRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalShareResponse, Failure> {
        let me = person(context)?.person;
        let opened = open(&self.proposal_identifier, context).await?;
        if !opened.record.is_live() {
            return Err(Fault::ProposalEnded.into());
        }
        // Only of those who agree, and as long as they do.
        if !opened.record.approves(&me) {
            return Err(Fault::NoVoteCast.into());
        }
        shares::hand_in(context, &opened.record, &me, &self.opened_shares).await?;
        // Written anew, so that it is looked after: it may be all that was missing.
        proposed::save(context, opened.domain, &opened.record).await?;
        Ok(ProposalShareResponse {
            state: opened.record.state(),
            awaiting_shares: !shares::are_open(context, &opened.record).await?,
        })
    }
}

/// What a vote on this proposal must say.
async fn subject(opened: &Opened, context: &mut Context<'_>) -> Result<statement::Subject, Failure> {
    Ok(statement::Subject {
        instance_identifier: opened.record.instance,
        epoch: opened.record.epoch,
        tenant_name: tenant_name(opened.domain, context).await?,
        proposal_identifier: opened.record.id,
        request_digest: opened.record.request_digest,
        target_digest: opened.record.target.digest,
        policy_digest: opened.record.policy_digest,
    })
}

/// The voter's own key that a statement names, if it is not revoked.
async fn signer(
    voter: &PersonPrincipal,
    bytes: &[u8],
    context: &mut Context<'_>,
) -> Result<crate::identity::PersonKey, Failure> {
    let invalid = |why| Failure::detailed(Fault::VoteInvalid, why);
    let given = statement::decode_statement(bytes).map_err(|_| invalid(VoteFault::Unreadable))?;
    let id = PersonId {
        domain: voter.domain,
        person: voter.person,
    };
    let record = context.work.load(id.key()).await?;
    let record = record.ok_or(Failure::new(Fault::PermissionDenied))?;
    let record = PersonRecord::decode(records::open(&context.services.custody, &record)?)?;
    let named = record
        .keys()
        .find(|key| key.fingerprint.as_slice() == given.voter_fingerprint);
    named.cloned().ok_or(invalid(VoteFault::OtherKey))
}

/// The name of a tenant, by its domain; none for the system.
async fn tenant_name(domain: Domain, context: &mut Context<'_>) -> Result<Option<String>, Failure> {
    if domain == Domain::SYSTEM {
        return Ok(None);
    }
    let Some(record) = context.work.peek(TenantRecord::key(domain)).await? else {
        return Ok(None);
    };
    let tenant = TenantRecord::decode(records::open(&context.services.custody, &record)?)?;
    Ok(Some(tenant.name))
}

impl Handle for ProposalWithdrawVoteRequest {
    async fn handle(
        &self,
        _: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<ProposalWithdrawVoteResponse, Failure> {
        let me = person(context)?.person;
        let mut opened = open(&self.proposal_identifier, context).await?;
        let situation = opened.around.situation();
        opened.record.withdraw_vote(&me, &situation).map_err(refused)?;
        let occasion = shares::occasion(context, &opened.record.id)?;
        context.services.custody.openings().forget_of(&occasion, &me);
        proposed::save(context, opened.domain, &opened.record).await?;
        let state = opened.record.state();
        Ok(ProposalWithdrawVoteResponse { state })
    }
}

impl Handle for ProposalCompleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalCompleteResponse, Failure> {
        let me = person(context)?.clone();
        let mut opened = open(&self.proposal_identifier, context).await?;
        let situation = opened.around.situation();
        let pressed = opened.record.complete(&me.person, &me.name, &situation);
        pressed.map_err(refused)?;
        shares::ensure_open(context, &opened.record).await?;
        proposed::save(context, opened.domain, &opened.record).await?;
        let state = opened.record.state();
        Ok(ProposalCompleteResponse { state })
    }
}

impl Handle for ProposalVetoRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalVetoResponse, Failure> {
        let me = person(context)?.clone();
        let reason = bounded(self.reason.as_ref())?;
        let mut opened = open_concerning(&self.proposal_identifier, context).await?;
        let situation = opened.around.situation();
        let ended = if opened.domain == me.domain {
            opened.record.veto(&me.person, &me.name, reason.as_deref(), &situation)
        } else if me.role == PersonRole::Operator {
            opened.record.object(&me.name, reason.as_deref(), &situation)
        } else {
            Err(ProposalFault::NotEligible)
        };
        ended.map_err(refused)?;
        proposed::save(context, opened.domain, &opened.record).await?;
        let now = context.now;
        context
            .batch
            .alarm(context.work, Event::ProposalVetoed, opened.domain, now, &me.name);
        let state = opened.record.state();
        Ok(ProposalVetoResponse { state })
    }
}

impl Handle for ProposalFollowUpRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ProposalFollowUpResponse, Failure> {
        let me = person(context)?.clone();
        let found = bounded(self.reason.as_ref())?.filter(|found| !found.trim().is_empty());
        let found = found.ok_or(Failure::new(Fault::ReasonRequired))?;
        let mut opened = open(&self.proposal_identifier, context).await?;
        let situation = opened.around.situation();
        let noted = opened.record.follow_up(&me.person, &me.name, &found, &situation);
        noted.map_err(refused)?;
        proposed::save(context, opened.domain, &opened.record).await?;
        let state = opened.record.state();
        Ok(ProposalFollowUpResponse { state })
    }
}
