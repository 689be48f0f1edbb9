//! The end of KEKs (family 05, P-KMS-TNT-02): marked compromised, deleted. A KEK that something lies under is not deleted. One that is goes
//! by steps, each of which stands before the next is begun: it is used no more; what lies under it is counted once more; the record key is
//! no longer wrapped under it; it is destroyed where it is kept, and its absence verified. What an outage interrupts stays Deleting, and goes
//! on once people have agreed to it again.

use super::kek_life::{change_of, keep, keks_of, of_generation, tell_of};
use super::{desk, kek, management, rewrap, server_act};
use crate::audit::alarm::Event;
use crate::authority::{Granted, Target};
use crate::custody::{KekRecord, KekState, RecordKeyRecord};
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::{CommitError, Domain, Work};
use kmip_protocol::{
    KekDeleteRequest, KekDeleteResponse, KekMarkCompromisedRequest, KekMarkCompromisedResponse, Operation,
};
use std::sync::Arc;

impl Handle for KekDeleteRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<KekDeleteResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let mut doomed = chosen(context, domain, self.kek_generation).await?;
        if doomed.state != KekState::Deleting {
            rewrap::free(context, domain, doomed.id).await?;
            doomed = set_apart(context, &doomed, KekState::Deleting).await?;
        }
        // Nothing new can have come to lie under it: what seals rests on the guard that the step before has bumped.
        if let Err(failure) = rewrap::free_now(context, domain, doomed.id).await {
            if failure.fault() == Fault::KekReferenced {
                set_apart(context, &doomed, KekState::Inactive).await?;
            }
            return Err(failure);
        }
        unwrap_record_key(context, domain).await?;
        let custody = Arc::clone(&context.services.custody);
        for profile in doomed.profiles() {
            let login = management::login(context, granted.origin(), profile).await?;
            let destroyed = custody.destroy_kek_in(&doomed, profile, login.as_ref()).await;
            destroyed.map_err(management::refusal(login.as_ref()))?;
        }
        // Only now, so that nothing of this unit of work is older than the steps before.
        let keks = change_of(context, domain).await?;
        let mut destroyed = of_generation(&keks, self.kek_generation)?.clone();
        destroyed.state = KekState::Destroyed;
        keep(context, &destroyed).await?;
        let (now, what) = (context.now, format!("KEK {}", destroyed.generation));
        context
            .batch
            .alarm(context.work, Event::KekDestroyed, domain, now, &what);
        Ok(KekDeleteResponse {})
    }

    /// Not bound to the state of its record, which changes by the steps: which KEK it is says its number, and what it may be is judged when
    /// it is carried out.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let kek = chosen(context, domain, self.kek_generation).await?;
        if kek.state != KekState::Deleting {
            rewrap::free(context, domain, kek.id).await?;
        }
        let mut sharings = Vec::new();
        for profile in kek.profiles() {
            sharings.extend(management::needed(context, domain, profile).await?);
        }
        Ok(Target {
            description: Some(format!("KEK {}, for ever", kek.generation)),
            sharings,
            ..Target::default()
        })
    }
}

/// The KEK that is to be deleted, if it can be.
async fn chosen(context: &mut Context<'_>, domain: Domain, generation: i32) -> Result<KekRecord, Failure> {
    let keks = keks_of(context, domain).await?;
    let kek = of_generation(&keks, generation)?;
    match kek.state {
        KekState::Active | KekState::Destroyed | KekState::Abandoned => Err(Fault::KekState.into()),
        KekState::PreActive | KekState::Inactive | KekState::Deleting => Ok(kek.clone()),
    }
}

/// Puts a KEK into this state, in a commit of its own, unless somebody else has meanwhile changed it.
async fn set_apart(context: &Context<'_>, record: &KekRecord, state: KekState) -> Result<KekRecord, Failure> {
    let custody = &context.services.custody;
    let (domain, place) = (record.domain, kek::place(record.domain, record.id));
    let mut work = Work::new(Arc::clone(&context.services.store));
    work.read_guard(kek::guard(domain)).await?;
    work.bump_guard(kek::guard(domain));
    let found = work.load(place).await?.ok_or(Failure::new(Fault::NotFound))?;
    let mut changed = KekRecord::decode(records::open(custody, &found)?)?;
    if changed != *record {
        return Err(Fault::Contention.into());
    }
    changed.state = state;
    kek::put(custody, &mut work, place, changed.encode()?).await?;
    let words = format!("KEK {}: {state:?}", changed.generation);
    step(context, work, domain, Operation::KekDelete, &words).await?;
    kek::open_domain(custody, &context.services.store, domain).await?;
    Ok(changed)
}

/// Has the record key of a domain wrapped under no KEK any more that is not live.
async fn unwrap_record_key(context: &Context<'_>, domain: Domain) -> Result<(), Failure> {
    let custody = &context.services.custody;
    let place = kek::record_key_place(domain);
    let mut work = Work::new(Arc::clone(&context.services.store));
    work.read_guard(kek::guard(domain)).await?;
    work.bump_guard(kek::guard(domain));
    let mut keks = Vec::new();
    for record in work.all(domain, kek::KEK).await? {
        keks.push(KekRecord::decode(records::open(custody, &record)?)?);
    }
    let found = work.load(place).await?.ok_or(Failure::new(Fault::Internal))?;
    let before = RecordKeyRecord::decode(records::open(custody, &found)?)?;
    let after = custody.rewrap_record_key(&before, &keks).await?;
    if after == before {
        return Ok(());
    }
    kek::put(custody, &mut work, place, after.encode()?).await?;
    let words = format!("the record key lies under {} KEKs", after.wraps.len());
    step(context, work, domain, Operation::KekDelete, &words).await?;
    Ok(kek::open_domain(custody, &context.services.store, domain).await?)
}

/// Commits a step, with its audit record.
pub(super) async fn step(
    context: &Context<'_>,
    mut work: Work,
    domain: Domain,
    operation: Operation,
    words: &str,
) -> Result<(), Failure> {
    let services = context.services;
    work.audit(server_act(operation.0, domain, context.now, words));
    match services.store.commit(work.into_change_set(context.now.0)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict | CommitError::ClaimTaken(_)) => Err(Fault::Contention.into()),
        Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
    }
}

impl Handle for KekMarkCompromisedRequest {
    async fn handle(
        &self,
        _: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<KekMarkCompromisedResponse, Failure> {
        let domain = desk::domain(context)?;
        let keks = change_of(context, domain).await?;
        let mut known = of_generation(&keks, self.kek_generation)?.clone();
        if known.state == KekState::Destroyed {
            return Err(Fault::KekState.into());
        }
        if known.compromised_ms.is_none() {
            known.compromised_ms = Some(context.now.0);
            keep(context, &known).await?;
            let (now, what) = (context.now, format!("KEK {}", known.generation));
            context
                .batch
                .alarm(context.work, Event::KekCompromised, domain, now, &what);
        }
        Ok(KekMarkCompromisedResponse {
            kek_state: tell_of(known.state),
        })
    }
}
