//! Requests that are answered later: kept as they were submitted, carried out once, delivered once, to their requester only.

use super::frozen::{self, Conclusion, Frozen, Refused};
use super::pending::{self, PendingRecord, Stage};
use super::{Answer, Batch, Context, dispatch};
use crate::authority::{Approval, is_of_restore};
use crate::failure::{Failure, Fault};
use crate::identity::Principal;
use crate::records;
use crate::store::{Domain, GuardKey, IndexQuery, Key};
use kmip_protocol::{Operation, RequestPayload, Version};

/// How long an outcome waits for its requester, in milliseconds.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Requests of one requester that are kept at a time, outcomes not fetched included: more than any client waits for.
const MOST_KEPT: usize = 1_000;
/// Requests that are over and removed in one change.
const MOST_REMOVED: usize = 256;
/// Bytes of a request that is kept: it is kept for days, and shown to people.
const MOST_BYTES: usize = 1024 * 1024;
/// The set of a requester's pending requests, for decisions over their number.
const GUARD: u8 = 0x30;

/// Operations that are never answered later: those that ask for what is answered later, those about the session, and those that
/// only say what the server is.
#[must_use]
pub const fn is_immediate(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Poll
            | Operation::Cancel
            | Operation::Process
            | Operation::QueryAsynchronousRequests
            | Operation::Query
            | Operation::DiscoverVersions
            | Operation::Ping
            | Operation::Login
            | Operation::Logout
            | Operation::DelegatedLogin
            | Operation::SetEndpointRole
            | Operation::Interop
            // Their secrets are told once and kept nowhere, not even sealed until somebody asks.
            | Operation::CertificateIssue
            | Operation::OneTimeEnroll
            | Operation::PasswordChange
            // It carries a share, which is kept nowhere.
            | Operation::ShareSubmit
    )
}

/// Who submits, as records name him.
pub fn requester(principal: &Principal) -> Result<(Domain, [u8; 16]), Failure> {
    match principal {
        Principal::Client(client) => Ok((client.tenant, client.client)),
        Principal::Person(person) => Ok((person.domain, person.person)),
        Principal::Unregistered(_) | Principal::Process(_) => Err(Fault::NotAuthenticated.into()),
    }
}

/// A pending request with its place.
pub struct Pending {
    /// Where it is kept.
    pub place: Key,
    /// What is kept.
    pub record: PendingRecord,
}

impl Pending {
    /// Keeps it, as it is now.
    pub fn keep(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        let revision = context.work.next_revision(self.place);
        let (body, _) = records::close(&context.services.custody, self.place, revision, self.record.encode())?;
        context.work.put(self.place, body, self.record.rows());
        Ok(())
    }

    /// Removes it, with what it claims.
    pub async fn remove(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        if let Some(same_key) = &self.record.same_key {
            let claim = pending::same_claim(self.place.domain, same_key);
            context.work.release(claim, self.place).await?;
        }
        context.work.delete(self.place).await?;
        Ok(())
    }

    /// Puts an outcome into it; what was asked is needed no more.
    pub async fn conclude(&mut self, context: &mut Context<'_>, conclusion: &Conclusion) -> Result<(), Failure> {
        let version = self.record.version.version().unwrap_or(Version::NEWEST);
        let sealed = frozen::seal_conclusion(context.services, self.place, conclusion, version).await?;
        self.record.result = Some(sealed.settle_in(context.work));
        self.record.request = None;
        self.record.stage = Stage::Completed;
        self.record.expires_ms = context.now.0.saturating_add(KEPT_MS);
        Ok(())
    }

    /// Gives up what was asked: it will not be carried out any more. That it ended is kept for its requester.
    pub async fn retire(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        self.release(context).await?;
        self.record.request = None;
        self.record.expires_ms = context.now.0.saturating_add(KEPT_MS);
        self.keep(context)
    }

    /// Lets the same request be made anew.
    async fn release(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        if let Some(same_key) = self.record.same_key.take() {
            let claim = pending::same_claim(self.place.domain, &same_key);
            context.work.release(claim, self.place).await?;
        }
        Ok(())
    }

    /// What was asked.
    pub async fn request(&self, context: &Context<'_>) -> Result<Frozen, Failure> {
        let Some(sealed) = &self.record.request else {
            return Err(Failure::detailed(
                Fault::Internal,
                "a pending request has lost what was asked",
            ));
        };
        frozen::open_request(context.services, self.place, sealed).await
    }

    /// What came of it.
    pub async fn conclusion(&self, context: &Context<'_>) -> Result<Conclusion, Failure> {
        let Some(sealed) = &self.record.result else {
            return Err(Failure::detailed(Fault::Internal, "a pending request has no outcome"));
        };
        frozen::open_conclusion(context.services, self.place, sealed).await
    }
}

/// The pending request at a place, whoever's it is.
pub async fn load(context: &mut Context<'_>, place: Key) -> Result<Option<Pending>, Failure> {
    let Some(record) = context.work.load(place).await? else {
        return Ok(None);
    };
    let record = PendingRecord::decode(records::open(&context.services.custody, &record)?)?;
    Ok(Some(Pending { place, record }))
}

/// The requester's own pending request with this correlation value. Unknown, foreign and forgotten ones are told apart by
/// nothing: one read, one answer.
pub async fn own(context: &mut Context<'_>, correlation: &[u8]) -> Result<Option<Pending>, Failure> {
    let (domain, requester) = requester(context.principal)?;
    let Ok(correlation) = correlation.try_into() else {
        return Ok(None);
    };
    let found = load(context, pending::place(domain, correlation)).await?;
    let now = context.now.0;
    Ok(found.filter(|p| p.record.requester == requester && !is_over(&p.record, now)))
}

/// Whether an undelivered outcome, or a request that nobody came back for, is dropped.
const fn is_over(record: &PendingRecord, now_ms: i64) -> bool {
    now_ms > record.expires_ms && !record.is_proposed()
}

/// The requester's pending requests, newest first.
pub async fn all_own(context: &mut Context<'_>) -> Result<Vec<Pending>, Failure> {
    let (domain, requester) = requester(context.principal)?;
    let hits = context
        .work
        .find(&pending::of_requester(domain, requester, MOST_KEPT))
        .await?;
    let mut found = Vec::with_capacity(hits.len());
    for hit in hits {
        if let Some(pending) = load(context, hit.key).await? {
            let over = is_over(&pending.record, context.now.0);
            if pending.record.requester == requester && !over {
                found.push(pending);
            }
        }
    }
    Ok(found)
}

/// Removes what a question about pending requests finds and what is over. Says how many those were.
async fn remove_over(context: &mut Context<'_>, query: &IndexQuery) -> Result<usize, Failure> {
    let mut removed = 0_usize;
    for hit in context.work.find(query).await? {
        if let Some(pending) = load(context, hit.key).await?
            && is_over(&pending.record, context.now.0)
        {
            pending.remove(context).await?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

/// Removes what is over in a domain, whoever's it is, up to a bound. Says how many requests that were.
pub async fn sweep(context: &mut Context<'_>, domain: Domain) -> Result<usize, Failure> {
    let over = pending::over(domain, pending::ANYBODY, context.now.0, MOST_REMOVED);
    remove_over(context, &over).await
}

/// Keeps a request for later. `bytes`: as it is frozen. The number of a requester's pending requests is bounded, also when several are
/// submitted at once.
pub async fn submit(
    context: &mut Context<'_>,
    operation: Operation,
    bytes: &kmip_ttlv::Secret,
    proposal: Option<[u8; 16]>,
    same_key: Option<[u8; 32]>,
) -> Result<Pending, Failure> {
    if bytes.expose().len() > MOST_BYTES {
        return Err(Fault::LimitExceeded.into());
    }
    let (domain, requester) = requester(context.principal)?;
    let guard = GuardKey {
        domain,
        set: GUARD,
        id: requester,
    };
    context.work.read_guard(guard).await?;
    let kept = context
        .work
        .find(&pending::of_requester(domain, requester, MOST_KEPT))
        .await?;
    if kept.len() >= MOST_KEPT {
        let over = pending::over(domain, requester, context.now.0, MOST_REMOVED);
        if remove_over(context, &over).await? == 0 {
            return Err(Fault::TooManyProposals.into());
        }
    }
    context.work.bump_guard(guard);
    let place = pending::place(domain, context.services.randomness.array()?);
    let pending = Pending {
        place,
        record: PendingRecord {
            requester,
            operation,
            version: context.version.into(),
            stage: Stage::Submitted,
            submitted_ms: context.now.0,
            expires_ms: context.now.0.saturating_add(KEPT_MS),
            proposal,
            same_key,
            request: Some(
                frozen::seal_request(context.services, place, bytes)
                    .await?
                    .settle_in(context.work),
            ),
            result: None,
        },
    };
    pending.keep(context)?;
    Ok(pending)
}

/// Keeps a request that nobody else must agree to, as its client asked (KMIP 2.1 §6.1: Asynchronous Indicator).
pub async fn defer(context: &mut Context<'_>, payload: &RequestPayload) -> Result<Answer, Failure> {
    let bytes = frozen::write_request(payload, context.version, None);
    let pending = submit(context, payload.operation(), &bytes, None, None).await?;
    Ok(Answer::Pending {
        operation: payload.operation(),
        correlation: pending.place.id,
        note: None,
    })
}

/// Carries a pending request out, on the overlay of whoever has it carried out. A failure takes back all that was done, and is the
/// request's outcome unless it may pass by itself.
pub async fn carry_out(
    context: &mut Context<'_>,
    pending: &Pending,
    approval: Option<Approval>,
) -> Result<Conclusion, Failure> {
    let Frozen { payload, .. } = pending.request(context).await?;
    // It was asked for before the database was put back, or some other way round.
    if context.services.freshness.is_restored() && !is_of_restore(payload.operation()) {
        return Err(Fault::DatabaseRestored.into());
    }
    let mark = context.work.mark();
    let mut batch = Batch {
        examined: context.batch.examined,
        proposal: context.batch.proposal,
        ..Batch::default()
    };
    let mut inner = Context {
        services: context.services,
        principal: context.principal,
        version: pending.record.version.version().unwrap_or(Version::NEWEST),
        now: context.now,
        work: &mut *context.work,
        batch: &mut batch,
        approval,
        defer: false,
    };
    let outcome = match dispatch(&payload, &mut inner).await {
        Ok(Answer::Done(payload)) => Ok(payload),
        Ok(Answer::Governed(_)) => Err(Failure::new(Fault::ApprovalRequired)),
        Ok(_) => Err(Failure::detailed(Fault::Internal, "a pending request was put off")),
        Err(failure) => Err(failure),
    };
    context.batch.examined = batch.examined;
    context.batch.policy_seen = batch.policy_seen.or(context.batch.policy_seen);
    context.batch.performed = Some(payload.operation());
    match outcome {
        Ok(payload) => {
            context.batch.touched.append(&mut batch.touched);
            context.batch.notices.append(&mut batch.notices);
            Ok(Ok(payload))
        }
        Err(failure) => {
            context.work.rollback(mark);
            context.batch.touched.append(&mut batch.touched);
            if failure.fault().is_passing() {
                return Err(failure);
            }
            if let Some(detail) = failure.detail() {
                tracing::debug!(operation = ?payload.operation(), detail, "a pending request failed");
            }
            context.batch.failed = Some(failure.fault());
            Ok(Err(Refused::from(&failure)))
        }
    }
}

/// Tells an outcome as the answer to a Poll.
#[must_use]
pub fn tell(operation: Operation, conclusion: Conclusion) -> Answer {
    match conclusion {
        Ok(payload) => Answer::Done(payload),
        Err(refused) => Answer::Failed {
            operation,
            failure: refused.into(),
            note: None,
        },
    }
}
