//! What becomes of shared credentials when those who hold the shares change: people, their share keys, groups, rules. What changes who can
//! open them takes a new sharing along, wherever those who agree can open the present one.

use super::desk;
use super::management::{Ground, all, name, opened, seal};
use crate::audit::alarm::Event;
use crate::authority::{Origin, Target};
use crate::custody::sharing::SHARING;
use crate::custody::{ProfileId, Sharing};
use crate::failure::{Failure, Fault};
use crate::identity::PersonId;
use crate::operations::{Context, shares};
use crate::store::{Domain, Key};

/// What a change of who can open credentials takes along.
#[derive(Default)]
pub(super) struct Affected {
    /// The sharings that are dealt anew with it.
    pub(super) sharings: Vec<Key>,
    told: String,
}

impl Affected {
    /// The target of a request, with what it takes along, which those who agree are told.
    pub(super) fn in_target(self, mut target: Target) -> Target {
        if let Some(description) = &mut target.description {
            description.push_str(&self.told);
        }
        target.sharings = self.sharings;
        target
    }
}

/// What a request binds its proposal to that changes who can open credentials: those of its domain that `concerns` it, as far as they can
/// still be opened. What nobody can open any more waits for nobody.
///
/// # Errors
/// [`Fault::ShareKeysMissing`] if afterwards too few could open what is shared now.
pub(super) async fn affected(
    context: &mut Context<'_>,
    domain: Domain,
    concerns: impl Fn(&Sharing) -> bool,
    after: impl FnOnce(Ground) -> Ground,
) -> Result<Affected, Failure> {
    let sharings = all(context, domain).await?;
    if !sharings.iter().any(&concerns) {
        return Ok(Affected::default());
    }
    let ground = Ground::of(context, domain).await?;
    let concerned = sharings.iter().filter(|one| concerns(one) && ground.can_recover(one));
    let profiles: Vec<ProfileId> = concerned.map(|one| one.binding.profile).collect();
    if profiles.is_empty() {
        return Ok(Affected::default());
    }
    if !after(ground).is_enough() {
        return Err(Fault::ShareKeysMissing.into());
    }
    let mut names = Vec::with_capacity(profiles.len());
    for profile in &profiles {
        names.extend(name(context, *profile).await?);
    }
    Ok(Affected {
        sharings: profiles
            .into_iter()
            .map(|profile| Sharing::key(domain, profile))
            .collect(),
        told: format!(
            " (the key-management credential of {} is shared anew)",
            names.join(", ")
        ),
    })
}

/// What those are told who agree to a person more in a domain, who brings no share key: what becomes of its credentials.
pub(super) async fn told_of_newcomer(context: &mut Context<'_>, domain: Domain) -> Result<String, Failure> {
    let sharings = all(context, domain).await?;
    if sharings.is_empty() {
        return Ok(String::new());
    }
    let ground = Ground::of(context, domain).await?;
    let mut told = String::new();
    for sharing in &sharings {
        let name = name(context, sharing.binding.profile).await?.unwrap_or_default();
        told.push_str(&match ground.can_recover(sharing) {
            true => format!(
                " (the key-management credential of {name} is shared anew only once the newcomer has a share key)"
            ),
            false => format!(
                " (too few can open the key-management credential of {name}: once the newcomer has a share key, it has to be granted again)"
            ),
        });
    }
    Ok(told)
}

/// Alarms if a person who can act no more was one too many to lose: what those who stay can open is told.
pub(super) async fn mourn(context: &mut Context<'_>, domain: Domain) -> Result<(), Failure> {
    let sharings = all(context, domain).await?;
    if sharings.is_empty() {
        return Ok(());
    }
    let ground = Ground::of(context, domain).await?;
    for sharing in sharings.iter().filter(|sharing| !ground.can_recover(sharing)) {
        let name = name(context, sharing.binding.profile).await?.unwrap_or_default();
        let now = context.now;
        context
            .batch
            .alarm(context.work, Event::CredentialLost, domain, now, &name);
    }
    Ok(())
}

/// Refuses to take the share key of somebody without whom the others could open a credential no more.
pub(super) async fn spare(context: &mut Context<'_>, id: PersonId) -> Result<(), Failure> {
    let sharings = all(context, id.domain).await?;
    if sharings.is_empty() {
        return Ok(());
    }
    let ground = Ground::of(context, id.domain).await?;
    let open: Vec<&Sharing> = sharings.iter().filter(|sharing| ground.can_recover(sharing)).collect();
    let rest = ground.without(&id.person);
    match open.iter().all(|sharing| rest.can_recover(sharing)) {
        true => Ok(()),
        false => Err(Fault::LastShareKey.into()),
    }
}

/// Removes all sharings of a domain that is no more.
pub(super) async fn remove_all(context: &mut Context<'_>, domain: Domain) -> Result<(), Failure> {
    for record in context.work.all(domain, SHARING).await? {
        context.work.delete(record.key).await?;
    }
    Ok(())
}

/// Shares anew, as part of a change, what is no longer shared as rules and people are after it, if those who agreed have opened it.
/// What was not opened stays as it is, and is told as no longer fitting.
pub(super) async fn follow(context: &mut Context<'_>, origin: Origin) -> Result<(), Failure> {
    let domain = desk::domain(context)?;
    let Origin::Proposal(proposal) = origin else {
        return Ok(());
    };
    let sharings = all(context, domain).await?;
    if sharings.is_empty() {
        return Ok(());
    }
    let plan = Ground::of(context, domain).await?.plan();
    let occasion = shares::occasion(context, &proposal)?;
    for sharing in sharings {
        let is_open = context.services.custody.openings().is_sufficient(&occasion, &sharing);
        if is_open && !sharing.fits(&plan) {
            let credential = opened(context, origin, &sharing)?;
            seal(context, domain, sharing.binding.profile, &credential).await?;
        }
    }
    Ok(())
}
