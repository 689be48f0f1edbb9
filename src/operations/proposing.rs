//! Putting a request to a vote: frozen, recognised when it comes again, within the limits of its requester and its domain.

use super::deferred::{self, Pending};
use super::keeper::Keeper;
use super::proposed::{
    Around, around, canonical_form, concluded_as, deliver, has_outside_effect, load, names, note, pending_answer,
    refusal, register, run, save,
};
use super::{Answer, Context, frozen, pending, shares, target};
use crate::authority::Governed;
use crate::authority::proposal::{BoundTarget, Claimant, NewProposal, ProposalRecord, Requester, bind_target};
use crate::failure::{Failure, Fault, Told};
use crate::identity::Principal;
use crate::identity::name::is_reason;
use crate::store::{Domain, GuardKey};
use kmip_protocol::{ProposalNote, RequestPayload, Version};
use kmip_ttlv::Secret;

/// The set of a domain's live proposals, for decisions over their number.
const GUARD: u8 = 0x31;

/// What a request says about itself beside its payload.
#[derive(Clone, Default)]
pub struct Ask {
    /// Whether its client can wait for the answer.
    pub can_wait: bool,
    /// Our own extension, if it carried one.
    pub note: Option<ProposalNote>,
}

/// Puts a request to a vote, if its client can wait or has it proposed all the same. While a proposal lives, the same request again is
/// the same proposal; once it was carried out, it is a new one, or to a client that cannot wait, the answer.
pub async fn submit(
    context: &mut Context<'_>,
    payload: &RequestPayload,
    governed: Governed,
    ask: &Ask,
) -> Result<Answer, Failure> {
    let (domain, requester) = deferred::requester(context.principal)?;
    let salt = context.services.randomness.array()?;
    let bytes = frozen::write_request(payload, Version::NEWEST, Some(&salt));
    // What the newest version cannot say would not be seen by those who agree.
    if frozen::read_request(bytes.expose())?.payload != *payload {
        return Err(Fault::NotProposable.into());
    }
    let same_key = same_key(context, domain, requester, payload)?;
    let claim = pending::same_claim(domain, &same_key);
    if let Some(place) = context.work.claimed(&claim).await?
        && let Some(pending) = deferred::load(context, place).await?
        && let Some(answer) = again(context, pending, ask).await?
    {
        return Ok(answer);
    }
    if !ask.can_wait && !proposes_unasked(context.principal) {
        let told = Told::governed(names(&governed.rules), None);
        return Err(Failure::telling(Fault::ApprovalRequired, told));
    }
    let (id, reason) = wishes(context, domain, ask.note.as_ref()).await?;
    let around = around(context, domain, None).await?;
    bound(context, domain, requester, &around).await?;
    let target = BoundTarget {
        digest: Some(target::digest(&governed.target.records, bind_target(&governed.rules), context).await?),
        description: governed.target.description,
        records: governed.target.records,
        subjects: governed.target.subjects,
        sharings: governed.target.sharings,
        recovery: governed.target.recovery,
    };
    let pending = deferred::submit(context, payload.operation(), &bytes, Some(id), Some(same_key)).await?;
    let new = NewProposal {
        id,
        operation: payload.operation(),
        requester: who(context.principal, requester),
        correlation: pending.place.id,
        reason,
        rules: governed.rules,
        seasoning_ms: around.all.policy.as_ref().map_or(0, |policy| policy.seasoning_ms()),
        canonical: canonical_form(payload, salt)?,
        target,
    };
    let proposal = ProposalRecord::open(new, &around.situation()).map_err(refusal)?;
    context.work.take(claim, pending.place).await?;
    save(context, domain, &proposal).await?;
    if ask.can_wait {
        return Ok(pending_answer(&pending, &proposal));
    }
    Ok(waits_unasked(&proposal))
}

/// What a client is told that cannot wait: it is refused, and asks again once others have agreed.
fn waits_unasked(proposal: &ProposalRecord) -> Answer {
    let told = Told::governed(names(&proposal.rules), Some(&proposal.id));
    Answer::Failed {
        operation: proposal.operation,
        failure: Failure::telling(Fault::ApprovalRequired, told),
        note: Some(note(proposal)),
    }
}

/// The same request again. `None`: what came of it before is over, and it is a new request.
async fn again(context: &mut Context<'_>, pending: Pending, ask: &Ask) -> Result<Option<Answer>, Failure> {
    let domain = pending.place.domain;
    let found = match pending.record.proposal {
        Some(id) => load(context, domain, &id).await?,
        None => None,
    };
    let Some(mut proposal) = found else {
        pending.remove(context).await?;
        return Ok(None);
    };
    let around = around(context, domain, Some(&proposal)).await?;
    if proposal.refresh(&around.situation()).is_some() {
        save(context, domain, &proposal).await?;
    }
    let live = proposal.is_live();
    let concluded = pending.record.result.is_some();
    if ask.can_wait {
        if live {
            return Ok(Some(pending_answer(&pending, &proposal)));
        }
        if concluded {
            // What came of the former one waits to be fetched under its own correlation value. It answers nothing that is asked now:
            // things may have changed since, and "done" would be said of what was not done.
            if let Some(same_key) = &pending.record.same_key {
                let claim = pending::same_claim(domain, same_key);
                context.work.release(claim, pending.place).await?;
            }
        } else {
            pending.remove(context).await?;
        }
        return Ok(None);
    }
    if live {
        let situation = around.situation();
        if has_outside_effect(proposal.operation)
            || proposal.claimable(Claimant::Requester, &situation).is_err()
            || !shares::are_open(context, &proposal).await?
        {
            return Ok(Some(waits_unasked(&proposal)));
        }
        let conclusion = run(context, &mut proposal, &pending, Claimant::Requester, &around).await?;
        return deliver(context, &pending, &proposal, conclusion).await.map(Some);
    }
    let conclusion = concluded_as(context, &pending, proposal.state()).await?;
    deliver(context, &pending, &proposal, conclusion).await.map(Some)
}

/// The identifier and the reason that the request's client chose.
async fn wishes(
    context: &mut Context<'_>,
    domain: Domain,
    note: Option<&ProposalNote>,
) -> Result<([u8; 16], Option<String>), Failure> {
    let chosen = note.and_then(|note| note.proposal_identifier.as_deref());
    let id = match chosen {
        Some(chosen) => chosen.try_into().map_err(|_| Failure::new(Fault::ProposalRefused))?,
        None => context.services.randomness.array()?,
    };
    let taken = context.work.load(ProposalRecord::key(domain, id)).await?.is_some();
    let reason = note.and_then(|note| note.reason.as_deref());
    if id == ProposalRecord::NOBODYS || taken || reason.is_some_and(|reason| !is_reason(reason)) {
        return Err(Fault::ProposalRefused.into());
    }
    Ok((id, reason.map(str::to_owned)))
}

/// Keeps the number of live proposals within bounds, also when several are submitted at once.
async fn bound(context: &mut Context<'_>, domain: Domain, requester: [u8; 16], around: &Around) -> Result<(), Failure> {
    let guard = GuardKey {
        domain,
        set: GUARD,
        id: [0; 16],
    };
    context.work.read_guard(guard).await?;
    context.work.bump_guard(guard);
    let keeper = Keeper(&*context.services.custody);
    let proposals = register(context.services, &keeper);
    if proposals
        .has_room(domain, &requester, &around.all, context.work)
        .await?
    {
        Ok(())
    } else {
        Err(Fault::TooManyProposals.into())
    }
}

/// What a request is recognised by when it comes again: nobody else can compute it.
fn same_key(
    context: &Context<'_>,
    domain: Domain,
    requester: [u8; 16],
    payload: &RequestPayload,
) -> Result<[u8; 32], Failure> {
    let bytes = frozen::write_request(payload, Version::NEWEST, None);
    let mut all = requester.to_vec();
    all.extend_from_slice(bytes.expose());
    let all = Secret::new(all);
    Ok(context
        .services
        .custody
        .keyed_hash(domain, "same request", all.expose())?)
}

fn who(principal: &Principal, id: [u8; 16]) -> Requester {
    let (is_person, name, fingerprint) = match principal {
        Principal::Person(person) => (true, person.name.clone(), Some(person.key_fingerprint)),
        Principal::Client(client) => (false, client.name.clone(), None),
        Principal::Unregistered(_) | Principal::Process(_) => (false, String::new(), None),
    };
    Requester {
        is_person,
        id,
        name,
        fingerprint,
    }
}

/// Whether a governed request of this client becomes a proposal although the client cannot wait.
fn proposes_unasked(principal: &Principal) -> bool {
    principal.client().is_some_and(|client| client.limits.auto_propose)
}
