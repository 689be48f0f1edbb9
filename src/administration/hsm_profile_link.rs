//! Which tenant may use which HSM-Profile (family 04): said by administrators. A profile that is not linked does not exist for a tenant.

use super::hsm_profile_life::described;
use super::tenant_create::tenant;
use super::{desk, hsm_profile, kek, kek_life, management};
use crate::authority::{Granted, Origin, Target};
use crate::custody::{Links, ProfileId, Sharing, profile::MAX_LINKS};
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle, shares};
use crate::store::Domain;
use kmip_protocol::{HsmProfileLinkRequest, HsmProfileLinkResponse, HsmProfileUnlinkRequest, HsmProfileUnlinkResponse};

impl Handle for HsmProfileLinkRequest {
    /// A profile that is linked already can be made the first. Its key-management credential comes along, if the tenant's people can hold
    /// shares of it.
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<HsmProfileLinkResponse, Failure> {
        let (domain, whose) = user(context, self.tenant_name.as_deref()).await?;
        let (id, record) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        if record.abandoned.is_some() {
            return Err(Fault::HsmGivenUp.into());
        }
        let first = self.first.unwrap_or(false);
        let mut links = hsm_profile::links(context, domain).await?.0;
        let present = links.contains(&id);
        if present && !first {
            return Err(Fault::Taken.into());
        }
        if !present && links.len() >= MAX_LINKS {
            return Err(Fault::LimitExceeded.into());
        }
        links.retain(|link| *link != id);
        let place = if first { 0 } else { links.len() };
        links.insert(place, id);
        management::judge_separation(context, domain, id).await?;
        let brings = brings(context, domain, id, present).await?;
        keep(context, domain, &whose, links).await?;
        if brings == Brings::Credential && matches!(granted.origin(), Origin::Proposal(_)) {
            management::grant(context, granted.origin(), domain, id).await?;
        }
        Ok(HsmProfileLinkResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let first = if self.first == Some(true) { " first" } else { "" };
        let what = format!("linked{first} to");
        let name = self.tenant_name.as_deref();
        let target = target(context, &self.hsm_profile_name, name, &what).await?;
        let (domain, _) = user(context, name).await?;
        let (id, record) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        if record.abandoned.is_some() {
            return Err(Fault::HsmGivenUp.into());
        }
        let present = hsm_profile::links(context, domain).await?.0.contains(&id);
        let mut description = target.description.unwrap_or_default();
        if let Some(warning) = management::judge_separation(context, domain, id).await? {
            description.push_str(&format!(" ({warning})"));
        }
        let sharings = match brings(context, domain, id, present).await? {
            Brings::Nothing => Vec::new(),
            Brings::Credential => {
                description.push_str(", with its key-management credential");
                management::needed(context, Domain::SYSTEM, id).await?
            }
            Brings::LinkAlone => {
                description
                    .push_str(", WITHOUT its key-management credential: too few have a share key; grant it later");
                Vec::new()
            }
        };
        Ok(Target {
            description: Some(description),
            sharings,
            ..target
        })
    }
}

impl Handle for HsmProfileUnlinkRequest {
    /// Refused while a KEK of the tenant lies there: it would be cut off from what it opens.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<HsmProfileUnlinkResponse, Failure> {
        let (domain, whose) = user(context, self.tenant_name.as_deref()).await?;
        let (id, _) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        let mut links = hsm_profile::links(context, domain).await?.0;
        if !links.contains(&id) {
            return Err(Fault::NotFound.into());
        }
        // No KEK comes to lie there between this look and the commit.
        context.work.read_guard(kek::guard(domain)).await?;
        let keks = kek_life::keks_of(context, domain).await?;
        if keks.iter().any(|kek| kek.lies_in(id)) {
            return Err(Fault::InUse.into());
        }
        links.retain(|link| *link != id);
        if domain != Domain::SYSTEM {
            // Its people open the credential no more. That of the system stays as long as the profile.
            context.work.delete(Sharing::key(domain, id)).await?;
        }
        keep(context, domain, &whose, links).await?;
        Ok(HsmProfileUnlinkResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let tenant = self.tenant_name.as_deref();
        target(context, &self.hsm_profile_name, tenant, "linked no more to").await
    }
}

/// What comes with a link.
#[derive(PartialEq, Eq)]
enum Brings {
    /// There is nothing to share, or it is shared with them.
    Nothing,
    /// The key-management credential, which is shared among those who decide about KEKs in the tenant.
    Credential,
    /// Nothing of it: they have no share keys, or the administrators can open it no more.
    LinkAlone,
}

async fn brings(
    context: &mut Context<'_>,
    domain: Domain,
    profile: ProfileId,
    present: bool,
) -> Result<Brings, Failure> {
    let Some(own) = shares::load(context, Sharing::key(Domain::SYSTEM, profile)).await? else {
        return Ok(Brings::Nothing);
    };
    if domain == Domain::SYSTEM || present {
        return Ok(Brings::Nothing);
    }
    let theirs = management::Ground::of(context, domain).await?.is_enough();
    let ours = management::Ground::of(context, Domain::SYSTEM).await?.can_recover(&own);
    Ok(if theirs && ours {
        Brings::Credential
    } else {
        Brings::LinkAlone
    })
}

/// Whose links: those of a tenant, or the system's own.
async fn user(context: &mut Context<'_>, name: Option<&str>) -> Result<(Domain, String), Failure> {
    let Some(name) = name else {
        return Ok((Domain::SYSTEM, "the system".to_owned()));
    };
    let (id, record) = tenant(context, name).await?;
    Ok((Domain(id), format!("tenant {}", record.name)))
}

async fn keep(context: &mut Context<'_>, domain: Domain, whose: &str, links: Vec<ProfileId>) -> Result<(), Failure> {
    hsm_profile::put_links(&context.services.custody, context.work, domain, &Links(links)).await?;
    desk::touch(context, "HSM-Profiles of", whose, hsm_profile::links_place(domain))
}

async fn target(context: &mut Context<'_>, profile: &str, tenant: Option<&str>, what: &str) -> Result<Target, Failure> {
    let (domain, whose) = user(context, tenant).await?;
    let (id, record) = hsm_profile::named(context, Some(profile)).await?;
    Ok(Target {
        description: Some(format!("{}, {what} {whose}", described(&record))),
        records: vec![hsm_profile::place(id), hsm_profile::links_place(domain)],
        ..Target::default()
    })
}
