//! Tenant Purge (family 05): the KEKs of a deleted tenant are destroyed, once its retention is over: nothing of it can be opened any more,
//! from the database or from any backup of it. By administrators; the tenant has no people left. Each KEK goes by steps that are committed one
//! by one, as in [`super::kek_end`]; what an outage interrupts goes on with a new approval.

use super::kek_end::step;
use super::{desk, hsm_profile, kek, management, tenant_create};
use crate::audit::alarm::Event;
use crate::audit::hash;
use crate::authority::{Granted, Origin, Target};
use crate::custody::{Custody, KekRecord, KekState};
use crate::failure::{Failure, Fault};
use crate::identity::{TenantRecord, kind};
use crate::operations::{Context, Handle};
use crate::store::{Domain, Key, Kind, Work};
use kmip_protocol::{Operation, TenantPurgeRequest, TenantPurgeResponse};
use kmip_ttlv::{Reader, Result as Read, Tag, Writer};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a purge that has begun is to destroy, in the system's domain; the id is the tenant's.
pub(super) const DOOM: Kind = Kind(0x2B);
const DIGEST: Tag = Tag(0x54_FA20);

impl Handle for TenantPurgeRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantPurgeResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (domain, mut record) = doomed(self, context).await?;
        let purged = purge(context, granted.origin(), domain).await;
        // Nobody is served from it, whatever came of it.
        context.services.custody.close_domain(domain);
        let (destroyed, given_up): (Vec<_>, Vec<_>) = purged?.into_iter().partition(|(_, end)| *end == End::Destroyed);
        context.work.delete(doom_place(domain)).await?;
        record.purged_ms = Some(context.now.0);
        tenant_create::keep(context, domain, &record).await?;
        let mut words = record.name.clone();
        if !given_up.is_empty() {
            let keks: Vec<String> = given_up.iter().map(|(generation, _)| generation.to_string()).collect();
            words.push_str(&format!(
                ": KEK {} given up with an HSM, NOT destroyed",
                keks.join(", ")
            ));
        }
        tenant_create::alarm(context, Event::TenantPurged, Domain::SYSTEM, &words);
        let number = |(generation, _)| i32::try_from(generation).map_err(|_| Failure::new(Fault::Internal));
        let kek_generations = destroyed.into_iter().map(number).collect::<Result<_, _>>()?;
        Ok(TenantPurgeResponse { kek_generations })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (domain, record) = doomed(self, context).await?;
        let keks = kek::unverified(&context.services.store, domain).await?;
        let mut sharings = Vec::new();
        let left = keks.iter().filter(|kek| !kek.is_over());
        for profile in left.flat_map(KekRecord::profiles).collect::<BTreeSet<_>>() {
            sharings.extend(management::needed(context, Domain::SYSTEM, profile).await?);
        }
        Ok(Target {
            sharings,
            description: Some(format!("the KEKs of the deleted tenant {}, for ever", record.name)),
            records: vec![TenantRecord::key(domain)],
            ..Target::default()
        })
    }
}

/// The deleted tenant that a request means, if its time is over.
async fn doomed(request: &TenantPurgeRequest, context: &mut Context<'_>) -> Result<(Domain, TenantRecord), Failure> {
    let all = desk::all(context, Domain::SYSTEM, kind::TENANT, TenantRecord::decode).await?;
    let meant = |record: &TenantRecord| {
        let created = record.created_ms.div_euclid(1000);
        let named = record.deleted && record.name == request.tenant_name;
        named && record.purged_ms.is_none() && request.created.is_none_or(|given| given.0 == created)
    };
    let mut found = all.into_iter().filter(|(_, record)| meant(record));
    let (id, _) = found.next().ok_or(Failure::new(Fault::NotFound))?;
    if found.next().is_some() {
        return Err(Fault::MissingField.into());
    }
    // What is decided rests on the record as it is.
    let record = desk::read(context, TenantRecord::key(Domain(id)), TenantRecord::decode).await?;
    let record = record.ok_or(Failure::new(Fault::NotFound))?;
    let kept_ms = record.settings.retention.map_or(0, |retention| i64::from(retention.0));
    let over = record
        .deleted_ms
        .unwrap_or(i64::MAX)
        .saturating_add(kept_ms.saturating_mul(1000));
    if context.services.clock.steady(context.now).0 < over {
        return Err(Fault::RetentionRunning.into());
    }
    Ok((Domain(id), record))
}

/// What became of a KEK.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Destroyed,
    /// Its HSM is gone: whether it is there still, nobody can say.
    GivenUp,
}

/// Destroys the KEKs of a domain. Says what became of each.
async fn purge(context: &mut Context<'_>, origin: Origin, domain: Domain) -> Result<Vec<(u32, End)>, Failure> {
    let services = context.services;
    let mut work = Work::new(Arc::clone(&services.store));
    // What is destroyed is what was checked: nobody changes it in between.
    work.read_guard(kek::guard(domain)).await?;
    let ended = |kek: &KekRecord| match kek.abandoned {
        None => (kek.generation, End::Destroyed),
        Some(_) => (kek.generation, End::GivenUp),
    };
    let error = match kek::open_doomed(&services.custody, &services.store, domain).await {
        Ok(mut keks) => {
            destroy(context, origin, work, domain, &mut keks).await?;
            return Ok(keks.iter().map(ended).collect());
        }
        Err(error) => error,
    };
    let keks = kek::unverified(&services.store, domain).await?;
    // All are gone already, and what was left to be said of them can no longer be signed.
    if are_gone(context, domain, &keks).await? {
        return Ok(keks.iter().map(ended).collect());
    }
    if are_given_up(context, &keks).await? {
        // What their records say cannot be verified any more: of none it is said that it is destroyed.
        return Ok(keks.iter().map(|kek| (kek.generation, End::GivenUp)).collect());
    }
    Err(Failure::detailed(Fault::CustodyUnavailable, error))
}

async fn destroy(
    context: &mut Context<'_>,
    origin: Origin,
    mut work: Work,
    domain: Domain,
    keks: &mut [KekRecord],
) -> Result<(), Failure> {
    let custody = &context.services.custody;
    work.bump_guard(kek::guard(domain));
    for record in keks.iter_mut().filter(|kek| !kek.is_over()) {
        let place = kek::place(domain, record.id);
        if record.state == KekState::Active {
            work.release(kek::active_claim(domain), place).await?;
        }
        record.state = KekState::Deleting;
        kek::put(custody, &mut work, place, record.encode()?).await?;
    }
    doom(custody, &mut work, domain, keks).await?;
    step(
        context,
        work,
        domain,
        Operation::TenantPurge,
        "its KEKs are to be destroyed",
    )
    .await?;
    for record in keks.iter_mut().filter(|kek| kek.state == KekState::Deleting) {
        for profile in record.profiles() {
            let login = management::login(context, origin, profile).await?;
            let custody = &context.services.custody;
            let gone = custody.destroy_kek_in(record, profile, login.as_ref()).await;
            gone.map_err(management::refusal(login.as_ref()))?;
        }
        record.state = KekState::Destroyed;
        let mut work = Work::new(Arc::clone(&context.services.store));
        let place = kek::place(domain, record.id);
        kek::put(&context.services.custody, &mut work, place, record.encode()?).await?;
        let words = format!("KEK {}: destroyed", record.generation);
        step(context, work, domain, Operation::TenantPurge, &words).await?;
    }
    Ok(())
}

/// Whether these KEKs are those that a purge has begun to destroy, and it is certain that nothing opens them any more. Their records can no
/// longer be verified by then: with edited ones others would be looked for, which were never there.
async fn are_gone(context: &mut Context<'_>, domain: Domain, keks: &[KekRecord]) -> Result<bool, Failure> {
    let begun = desk::read(context, doom_place(domain), read_doom).await?;
    if begun != Some(digest(keks)?) {
        return Ok(false);
    }
    // What was given up with its HSM before is not looked for.
    for kek in keks.iter().filter(|kek| kek.abandoned.is_none()) {
        if !context.services.custody.is_gone(kek).await {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the record key was lost with HSMs that were given up, and nothing of these KEKs is anywhere else. Their own records can be verified
/// no more; that an HSM was given up says the system's.
async fn are_given_up(context: &mut Context<'_>, keks: &[KekRecord]) -> Result<bool, Failure> {
    let mut is_any = false;
    for kek in keks {
        let mut rest = kek.clone();
        for profile in kek.profiles() {
            let record = hsm_profile::load(context, profile).await?;
            if let Some(given_up) = record.and_then(|record| record.abandoned) {
                rest = rest.without(profile, given_up);
                is_any = true;
            }
        }
        let is_over = rest.state == KekState::Abandoned || context.services.custody.is_gone(&rest).await;
        if !is_over {
            return Ok(false);
        }
    }
    Ok(is_any)
}

/// Leaves in a unit of work which KEKs a purge is about to destroy, in the system's domain: what the tenant's own record key vouches for can
/// be verified no more once they are gone.
pub async fn doom(custody: &Custody, work: &mut Work, domain: Domain, keks: &[KekRecord]) -> Result<(), Failure> {
    let mut writer = Writer::new();
    writer.bytes(DIGEST, &digest(keks)?);
    Ok(kek::put(custody, work, doom_place(domain), writer.into_bytes()).await?)
}

fn read_doom(bytes: &[u8]) -> Read<[u8; 32]> {
    let mut reader = Reader::new(bytes);
    let digest = reader.array(DIGEST)?;
    reader.finish()?;
    Ok(digest)
}

const fn doom_place(domain: Domain) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: DOOM,
        id: domain.0,
    }
}

/// Over the records of KEKs, whatever has become of them meanwhile.
fn digest(keks: &[KekRecord]) -> Result<[u8; 32], Failure> {
    let mut bytes = Vec::new();
    for kek in keks {
        let state = KekState::Destroyed;
        bytes.extend(KekRecord { state, ..kek.clone() }.encode()?);
    }
    Ok(hash(&bytes))
}
