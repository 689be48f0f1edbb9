//! The HSM-Profiles of a protected KEK (family 05, P-KMS-TNT-03A): added, removed, told. Any one of them opens it.

use super::kek_life::{change_of, keep, keks_of, of_generation};
use super::{desk, hsm_profile, kek, management};
use crate::authority::{Granted, Origin, Target};
use crate::custody::protected::MAX_PROFILES;
use crate::custody::{KekRecord, NewPair, Placement, ProfileId, ProtectedKek};
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle};
use crate::store::{Domain, Key};
use kmip_protocol::{
    KekAddProfileRequest, KekAddProfileResponse, KekProfile, KekRemoveProfileRequest, KekRemoveProfileResponse,
};
use std::sync::Arc;

impl Handle for KekAddProfileRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<KekAddProfileResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let keks = change_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        let (_, profile) = profile(context, domain, Some(&self.hsm_profile_name)).await?;
        can_add(context, chosen, profile)?;
        let pair = new_pair(granted.origin(), context, domain, profile).await?;
        let custody = Arc::clone(&context.services.custody);
        let changed = custody.add_profile(chosen, &pair).await;
        let changed = changed.map_err(management::refusal(pair.login.as_ref()))?;
        keep(context, &changed).await?;
        Ok(KekAddProfileResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let keks = keks_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        let (name, profile) = profile(context, domain, Some(&self.hsm_profile_name)).await?;
        can_add(context, chosen, profile)?;
        let what = format!("KEK {}, also opened by HSM-Profile {name}", chosen.generation);
        target(context, chosen, profile, what).await
    }
}

impl Handle for KekRemoveProfileRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<KekRemoveProfileResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let keks = change_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        let (_, profile) = profile(context, domain, Some(&self.hsm_profile_name)).await?;
        can_remove(chosen, profile)?;
        let login = management::login(context, granted.origin(), profile).await?;
        let custody = Arc::clone(&context.services.custody);
        let changed = custody.remove_profile(chosen, profile, login.as_ref()).await;
        let changed = changed.map_err(management::refusal(login.as_ref()))?;
        keep(context, &changed).await?;
        Ok(KekRemoveProfileResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let keks = keks_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        let (name, profile) = profile(context, domain, Some(&self.hsm_profile_name)).await?;
        can_remove(chosen, profile)?;
        let what = format!("KEK {}, no more opened by HSM-Profile {name}", chosen.generation);
        target(context, chosen, profile, what).await
    }
}

/// The HSM-Profile of this name, if it is the domain's; without a name, the domain's first.
pub(super) async fn profile(
    context: &mut Context<'_>,
    domain: Domain,
    name: Option<&str>,
) -> Result<(String, ProfileId), Failure> {
    let (id, record) = hsm_profile::find(context, domain, name).await?;
    Ok((record.name, id))
}

/// The HSM-Profiles of these names, each named once; without a name, the domain's first.
pub(super) async fn named(
    context: &mut Context<'_>,
    domain: Domain,
    names: &[String],
) -> Result<Vec<(String, ProfileId)>, Failure> {
    if names.is_empty() {
        return Ok(vec![profile(context, domain, None).await?]);
    }
    if names.len() > MAX_PROFILES {
        return Err(Fault::LimitExceeded.into());
    }
    let mut found: Vec<(String, ProfileId)> = Vec::with_capacity(names.len());
    for name in names {
        let one = profile(context, domain, Some(name)).await?;
        if found.iter().any(|(_, known)| *known == one.1) {
            return Err(Fault::InvalidField.into());
        }
        found.push(one);
    }
    Ok(found)
}

async fn target(
    context: &mut Context<'_>,
    chosen: &KekRecord,
    profile: ProfileId,
    what: String,
) -> Result<Target, Failure> {
    let (description, sharings) = managed(context, chosen.domain, &[profile], what).await?;
    Ok(Target {
        description: Some(description),
        records: vec![kek::place(chosen.domain, chosen.id)],
        sharings,
        ..Target::default()
    })
}

/// What is told of a request that has keys made or destroyed in the HSMs of these profiles, and the sharings of the credentials that it
/// needs. Refused where the policy wants two users in an HSM that has one.
pub(super) async fn managed(
    context: &mut Context<'_>,
    domain: Domain,
    profiles: &[ProfileId],
    mut description: String,
) -> Result<(String, Vec<Key>), Failure> {
    let (mut sharings, mut warned) = (Vec::new(), None);
    for profile in profiles {
        warned = management::judge_separation(context, domain, *profile)
            .await?
            .or(warned);
        sharings.extend(management::needed(context, domain, *profile).await?);
    }
    if let Some(warning) = warned {
        description.push_str(&format!(" ({warning})"));
    }
    Ok((description, sharings))
}

/// What is protected of a KEK that is still used.
pub(super) fn protected(kek: &KekRecord) -> Result<&ProtectedKek, Failure> {
    if !kek.is_live() {
        return Err(Fault::KekState.into());
    }
    match &kek.placement {
        Placement::Protected(protected) => Ok(protected),
        Placement::Software | Placement::Resident(_) => Err(Fault::NotProtected.into()),
    }
}

fn can_add(context: &Context<'_>, kek: &KekRecord, profile: ProfileId) -> Result<(), Failure> {
    if protected(kek)?.wrap(profile).is_some() {
        return Err(Fault::Taken.into());
    }
    keeps_pairs(context, profile)
}

/// Refuses a profile in which no key pair can lie.
pub(super) fn keeps_pairs(context: &Context<'_>, profile: ProfileId) -> Result<(), Failure> {
    let provider = context.services.custody.provider(profile)?;
    provider.pairs().map(|_| ()).ok_or(Failure::new(Fault::NoKeyPairs))
}

fn can_remove(kek: &KekRecord, profile: ProfileId) -> Result<(), Failure> {
    let protected = protected(kek)?;
    if protected.wrap(profile).is_none() {
        return Err(Fault::NotFound.into());
    }
    if protected.wraps.len() == 1 {
        return Err(Fault::LastProfile.into());
    }
    Ok(())
}

/// The key pair that a proposal makes in a profile.
pub(super) async fn new_pair(
    origin: Origin,
    context: &mut Context<'_>,
    domain: Domain,
    profile: ProfileId,
) -> Result<NewPair, Failure> {
    management::judge_separation(context, domain, profile).await?;
    let what = format!("pair {}", kmip_ttlv::Hex(&profile.0));
    Ok(NewPair {
        profile,
        cka_id: desk::made_by(origin, &what, context)?.to_vec(),
        login: management::login(context, origin, profile).await?,
    })
}

/// The profiles of a protected KEK, each asked whether it opens it.
pub(super) async fn tell(context: &mut Context<'_>, kek: &KekRecord) -> Result<Vec<KekProfile>, Failure> {
    let Placement::Protected(protected) = &kek.placement else {
        return Ok(Vec::new());
    };
    let mut told = Vec::with_capacity(protected.wraps.len());
    for wrap in &protected.wraps {
        let answers = match kek.is_live() {
            true => Some(
                context
                    .services
                    .custody
                    .profile_answers(kek, wrap.profile)
                    .await
                    .is_ok(),
            ),
            false => None,
        };
        let profile = hsm_profile::load(context, wrap.profile).await?;
        told.push(KekProfile {
            hsm_profile_name: profile.map(|profile| profile.name),
            answers,
        });
    }
    Ok(told)
}
