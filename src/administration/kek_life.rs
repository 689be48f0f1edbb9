//! The life of KEKs (family 05, P-KMS-TNT-02): made, activated, listed, by the people of the domain whose keys they keep. A domain has
//! many, of which one is active: it wraps what is new, the others open what they wrapped.

use super::{desk, hsm_profile, kek, kek_backup, kek_profiles, management};
use crate::authority::{Granted, Origin, Target};
use crate::custody::{
    KekId, KekRecord, KekState, NewKek, NewProtected, Placement, ProfileId, RecordKeyRecord, SealerKind,
    record::MAX_KEKS,
};
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle, Notice};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    DateTime, Kek, KekActivateRequest, KekActivateResponse, KekCreateRequest, KekCreateResponse, KekKind,
    KekListRequest, KekListResponse, Operation,
};
use std::sync::Arc;

impl Handle for KekCreateRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<KekCreateResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let mut keks = change_of(context, domain).await?;
        if keks.iter().filter(|kek| kek.is_live()).count() >= MAX_KEKS {
            return Err(Fault::LimitExceeded.into());
        }
        let newest = keks.iter().map(|kek| kek.generation).max().unwrap_or(0);
        let generation = newest.checked_add(1).ok_or(Failure::new(Fault::LimitExceeded))?;
        let made = make(self, granted.origin(), context, domain, generation).await?;
        keks.push(made.clone());
        keep_new(context, domain, &keks, &made).await?;
        let kek_generation = told_generation(&made)?;
        Ok(KekCreateResponse { kek_generation })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let profiles = kek_profiles::named(context, domain, &self.hsm_profile_names).await?;
        let what = match kind(self, context, &profiles)? {
            KekKind::Protected => "a protected KEK",
            _ => "a KEK",
        };
        let names: Vec<&str> = profiles.iter().map(|(name, _)| name.as_str()).collect();
        let description = format!("{what} of HSM-Profile {}", names.join(", "));
        let managed: Vec<ProfileId> = profiles.iter().map(|(_, profile)| *profile).collect();
        let (description, sharings) = kek_profiles::managed(context, domain, &managed, description).await?;
        Ok(Target {
            description: Some(description),
            sharings,
            // Which one is the first may have changed meanwhile.
            records: vec![hsm_profile::links_place(domain)],
            ..Target::default()
        })
    }
}

impl Handle for KekActivateRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<KekActivateResponse, Failure> {
        let domain = desk::domain(context)?;
        let mut keks = change_of(context, domain).await?;
        let mut chosen = of_generation(&keks, self.kek_generation)?.clone();
        if chosen.state == KekState::Active || !chosen.is_live() || chosen.compromised_ms.is_some() {
            return Err(Fault::KekState.into());
        }
        let claim = kek::active_claim(domain);
        for active in keks.iter().filter(|kek| kek.state == KekState::Active) {
            let mut former = active.clone();
            former.state = KekState::Inactive;
            context
                .work
                .release(claim.clone(), kek::place(domain, former.id))
                .await?;
            keep(context, &former).await?;
        }
        chosen.state = KekState::Active;
        context.work.take(claim, kek::place(domain, chosen.id)).await?;
        if !chosen.taken_in {
            keep(context, &chosen).await?;
            return Ok(KekActivateResponse {});
        }
        // Only now it is this domain's own, and the record key is wrapped under it as well.
        desk::agreed(granted.origin(), context)?;
        chosen.taken_in = false;
        keks.retain(|kek| kek.id != chosen.id);
        keks.push(chosen.clone());
        keep_new(context, domain, &keks, &chosen).await?;
        Ok(KekActivateResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let keks = keks_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        let number = chosen.generation;
        let (description, also) = match chosen.taken_in {
            true => (
                format!("KEK {number}{}", kek_backup::UNKNOWN),
                Some(Operation::KekRestore),
            ),
            false => (format!("KEK {number}"), None),
        };
        Ok(Target {
            description: Some(description),
            records: vec![kek::place(domain, chosen.id)],
            also,
            ..Target::default()
        })
    }
}

impl Handle for KekListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<KekListResponse, Failure> {
        let domain = desk::domain(context)?;
        let mut keks = keks_of(context, domain).await?;
        keks.sort_by_key(|kek| core::cmp::Reverse(kek.generation));
        let mut told = Vec::with_capacity(keks.len());
        for kek in &keks {
            told.push(tell(context, kek).await?);
        }
        Ok(KekListResponse { keks: told })
    }
}

/// Makes a KEK in its HSM-Profiles, or finds what an interrupted run of the same proposal made.
async fn make(
    request: &KekCreateRequest,
    origin: Origin,
    context: &mut Context<'_>,
    domain: Domain,
    generation: u32,
) -> Result<KekRecord, Failure> {
    let profiles = kek_profiles::named(context, domain, &request.hsm_profile_names).await?;
    let id = KekId(desk::made_by(origin, "kek", context)?);
    let created_ms = context.now.0;
    let custody = Arc::clone(&context.services.custody);
    if kind(request, context, &profiles)? == KekKind::Protected {
        let mut pairs = Vec::with_capacity(profiles.len());
        for (_, profile) in profiles {
            pairs.push(kek_profiles::new_pair(origin, context, domain, profile).await?);
        }
        let new = NewProtected {
            id,
            domain,
            generation,
            pairs,
            created_ms,
        };
        let login = new.pairs.iter().find_map(|pair| pair.login.as_ref());
        let made = custody.create_protected(&new).await;
        return made.map_err(management::refusal(login));
    }
    let (_, profile) = profiles.into_iter().next().ok_or(Failure::new(Fault::NotFound))?;
    management::judge_separation(context, domain, profile).await?;
    let login = management::login(context, origin, profile).await?;
    let new = NewKek {
        id,
        domain,
        generation,
        profile,
        cka_id: id.0.to_vec(),
        created_ms,
    };
    let made = kek::make(&custody, &new, login.as_ref()).await;
    made.map_err(management::refusal(login.as_ref()))
}

/// The kind of KEK that is asked for, if these HSM-Profiles keep it.
fn kind(
    request: &KekCreateRequest,
    context: &Context<'_>,
    profiles: &[(String, ProfileId)],
) -> Result<KekKind, Failure> {
    let custody = &context.services.custody;
    let mut kept = None;
    for (_, profile) in profiles {
        if request.kek_kind == Some(KekKind::Protected) {
            kek_profiles::keeps_pairs(context, *profile)?;
        }
        kept = Some(match custody.provider(*profile)?.kind() {
            SealerKind::Software => KekKind::Software,
            SealerKind::Resident | SealerKind::Protected => KekKind::Resident,
        });
    }
    let wanted = request.kek_kind.or(kept).ok_or(Failure::new(Fault::NotFound))?;
    if wanted == KekKind::Protected || (Some(wanted) == kept && profiles.len() == 1) {
        Ok(wanted)
    } else {
        Err(Fault::KekKindRefused.into())
    }
}

/// Writes a KEK that was just made or taken in, and the record key, which it wraps from now on too.
pub(super) async fn keep_new(
    context: &mut Context<'_>,
    domain: Domain,
    keks: &[KekRecord],
    made: &KekRecord,
) -> Result<(), Failure> {
    let custody = Arc::clone(&context.services.custody);
    let place = kek::record_key_place(domain);
    let sealed = context.work.load(place).await?.ok_or(Failure::new(Fault::Internal))?;
    let sealed = RecordKeyRecord::decode(records::open(&custody, &sealed)?)?;
    let sealed = custody.rewrap_record_key(&sealed, keks).await?;
    kek::put(&custody, context.work, place, sealed.encode()?).await?;
    keep(context, made).await
}

/// A KEK's number as it is told.
pub(super) fn told_generation(kek: &KekRecord) -> Result<i32, Failure> {
    i32::try_from(kek.generation).map_err(|_| Failure::new(Fault::LimitExceeded))
}

async fn tell(context: &mut Context<'_>, kek: &KekRecord) -> Result<Kek, Failure> {
    let answers = if kek.is_live() {
        Some(context.services.custody.kek_answers(kek).await.is_ok())
    } else {
        None
    };
    let profile = hsm_profile::load(context, kek.profile).await?;
    Ok(Kek {
        kek_generation: i32::try_from(kek.generation).map_err(|_| Failure::new(Fault::Internal))?,
        kek_state: tell_of(kek.state),
        kek_kind: match kek.placement {
            Placement::Software => KekKind::Software,
            Placement::Resident(_) => KekKind::Resident,
            Placement::Protected(_) => KekKind::Protected,
        },
        hsm_profile_name: profile.map(|profile| profile.name),
        created: DateTime(kek.created_ms.div_euclid(1000)),
        answers,
        compromised: kek.compromised_ms.map(|ms| DateTime(ms.div_euclid(1000))),
        kek_profiles: kek_profiles::tell(context, kek).await?,
        abandoned: kek.abandoned.map(|given_up| DateTime(given_up.at_ms.div_euclid(1000))),
        abandoned_by: kek.abandoned.map(|given_up| given_up.proposal.to_vec()),
        lost_records: kek
            .abandoned
            .map(|given_up| i64::try_from(given_up.records).unwrap_or(i64::MAX)),
    })
}

/// The state of a KEK as it is told.
pub(super) const fn tell_of(state: KekState) -> kmip_protocol::KekState {
    match state {
        KekState::PreActive => kmip_protocol::KekState::PreActive,
        KekState::Active => kmip_protocol::KekState::Active,
        KekState::Inactive => kmip_protocol::KekState::Deactivated,
        KekState::Deleting => kmip_protocol::KekState::Deleting,
        KekState::Destroyed => kmip_protocol::KekState::Destroyed,
        KekState::Abandoned => kmip_protocol::KekState::Abandoned,
    }
}

/// The KEKs of a domain.
pub(super) async fn keks_of(context: &mut Context<'_>, domain: Domain) -> Result<Vec<KekRecord>, Failure> {
    let found = context.work.all(domain, kek::KEK).await?;
    let custody = &context.services.custody;
    let decode = |record| -> Result<_, Failure> { Ok(KekRecord::decode(records::open(custody, record)?)?) };
    found.iter().map(decode).collect()
}

/// The same, to change them: nobody else does before this is committed.
pub(super) async fn change_of(context: &mut Context<'_>, domain: Domain) -> Result<Vec<KekRecord>, Failure> {
    context.work.read_guard(kek::guard(domain)).await?;
    context.work.bump_guard(kek::guard(domain));
    keks_of(context, domain).await
}

pub(super) fn of_generation(keks: &[KekRecord], generation: i32) -> Result<&KekRecord, Failure> {
    let mut keks = keks.iter();
    let found = keks.find(|kek| i32::try_from(kek.generation) == Ok(generation));
    found.ok_or(Failure::new(Fault::NotFound))
}

/// Writes a KEK; custody is told once it is committed.
pub(super) async fn keep(context: &mut Context<'_>, record: &KekRecord) -> Result<(), Failure> {
    let place = kek::place(record.domain, record.id);
    kek::put(&context.services.custody, context.work, place, record.encode()?).await?;
    desk::touch(context, "KEK", &record.generation.to_string(), place)?;
    let changed = Notice::Keys(record.domain);
    context.batch.notices.push(changed);
    Ok(())
}
