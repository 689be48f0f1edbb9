//! Share keys of people, and key-management credentials as they are shared (family 04).

use super::management_change::Affected;
use super::people::{alarm, asker, named, target};
use super::possession::Registry;
use super::{desk, hsm_profile, kek, management, management_change, tenant_create};
use crate::audit::alarm::Event;
use crate::authority::{Granted, Target};
use crate::custody::sharing::{EnrolledKey, LONGEST_CREDENTIAL};
use crate::custody::{ProfileId, ShareKey, Sharing};
use crate::failure::{Failure, Fault};
use crate::identity::{PersonId, PersonRecord, people_guard};
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    DateTime, KeyHolder, ManagementPutRequest, ManagementPutResponse, PersonRole, PersonStatus, Severity,
    ShareKeyPutRequest, ShareKeyPutResponse, ShareKeyRevokeRequest, ShareKeyRevokeResponse, SharingGrantRequest,
    SharingGrantResponse, SharingListRequest, SharingListResponse, SharingRenewRequest, SharingRenewResponse,
};

impl Handle for ShareKeyPutRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<ShareKeyPutResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (id, record) = named(context, &self.person_name).await?;
        let key = judge(self, id, &record, context).await?;
        let enrolled = EnrolledKey {
            key,
            enrolled_ms: context.now.0,
            revoked_ms: None,
        };
        keep(context, id, &record, &enrolled).await?;
        management_change::follow(context, granted.origin()).await?;
        Ok(ShareKeyPutResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = named(context, &self.person_name).await?;
        let key = judge(self, id, &record, context).await?;
        let with = |ground: management::Ground| ground.with_key(id.person, key);
        let affected = match management_change::affected(context, id.domain, |_| true, with).await {
            // It takes nobody's away, and may be the one that is missing.
            Err(failure) if failure.fault() == Fault::ShareKeysMissing => Affected::default(),
            affected => affected?,
        };
        Ok(affected.in_target(target(context, &self.person_name).await?))
    }
}

/// The new key, if its holder has shown that it is the person's.
async fn judge(
    request: &ShareKeyPutRequest,
    id: PersonId,
    record: &PersonRecord,
    context: &mut Context<'_>,
) -> Result<ShareKey, Failure> {
    if record.status == PersonStatus::Deleted {
        return Err(Fault::PersonState.into());
    }
    // A custodian has a say in what is his.
    let asker = asker(context)?;
    if asker.role == PersonRole::Custodian && asker.person != id.person {
        return Err(Fault::PermissionDenied.into());
    }
    let key = ShareKey::read(&request.public_key_info);
    let key = key.map_err(|error| Failure::detailed(Fault::ShareKeyRefused, error))?;
    let registry = Registry::of(context, id.domain).await?;
    let holder = KeyHolder::Shares(record.role, &record.name);
    let proof = Some(request.possession_proof.as_slice());
    registry.judge(holder, &key.fingerprint(), &request.public_key_info, proof)?;
    Ok(key)
}

async fn keep(
    context: &mut Context<'_>,
    id: PersonId,
    record: &PersonRecord,
    enrolled: &EnrolledKey,
) -> Result<(), Failure> {
    let place = EnrolledKey::place(id.domain, id.person);
    kek::put(&context.services.custody, context.work, place, enrolled.encode()).await?;
    // Whoever shares a credential at the same moment has looked at another key.
    context.work.read_guard(people_guard(id.domain)).await?;
    context.work.bump_guard(people_guard(id.domain));
    desk::touch(context, "share key of", &record.name, place)
}

/// The share key of a person, if it has one.
pub(super) async fn share_key(context: &mut Context<'_>, id: PersonId) -> Result<Option<EnrolledKey>, Failure> {
    let Some(record) = context.work.load(EnrolledKey::place(id.domain, id.person)).await? else {
        return Ok(None);
    };
    let enrolled = EnrolledKey::decode(records::open(&context.services.custody, &record)?)?;
    Ok(Some(enrolled).filter(|enrolled| enrolled.revoked_ms.is_none()))
}

impl Handle for ShareKeyRevokeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ShareKeyRevokeResponse, Failure> {
        let (id, record) = named(context, &self.person_name).await?;
        let enrolled = share_key(context, id).await?;
        let mut enrolled = enrolled.ok_or(Failure::new(Fault::NotFound))?;
        if self.force != Some(true) {
            management_change::spare(context, id).await?;
        }
        enrolled.revoked_ms = Some(context.now.0);
        keep(context, id, &record, &enrolled).await?;
        context.services.custody.openings().forget_person(id.domain, &id.person);
        alarm(context, Event::CredentialRevoked, id, &record);
        management_change::mourn(context, id.domain).await?;
        Ok(ShareKeyRevokeResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}

impl Handle for SharingRenewRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<SharingRenewResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let (profile, _) = hsm_profile::find(context, domain, Some(&self.hsm_profile_name)).await?;
        let credential = management::login(context, granted.origin(), profile).await?;
        let credential = credential.ok_or(Failure::new(Fault::NotFound))?;
        management::seal(context, domain, profile, &credential).await?;
        Ok(SharingRenewResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let (profile, _) = hsm_profile::find(context, domain, Some(&self.hsm_profile_name)).await?;
        let sharings = management::needed(context, domain, profile).await?;
        if sharings.is_empty() {
            return Err(Fault::NotFound.into());
        }
        Ok(Target {
            description: Some(format!("how the credential of {} is shared", self.hsm_profile_name)),
            records: sharings.clone(),
            sharings,
            ..Target::default()
        })
    }
}

impl Handle for ManagementPutRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<ManagementPutResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let profile = judge_credential(self, context).await?;
        let slab = context.services.custody.slab();
        let credential = slab.copy_from(self.management_pin.expose().as_bytes());
        let credential = credential.map_err(|_| Failure::new(Fault::LimitExceeded))?;
        management::enter(context, profile, &credential).await?;
        // What the tenants' people hold opens the former one.
        for tenant in tenants(context).await? {
            if context.work.load(Sharing::key(tenant, profile)).await?.is_none() {
                continue;
            }
            match management::seal(context, tenant, profile, &credential).await {
                // A tenant that cannot hold shares now stands in nobody's way; those that it has would open what the HSM refuses.
                Err(failure) if failure.fault() != Fault::StoreUnavailable => {
                    tracing::error!(%tenant, ?failure, "a tenant lost its shares of a credential that was entered anew");
                    lose(context, tenant, profile, &self.hsm_profile_name).await?;
                }
                sealed => sealed?,
            }
        }
        Ok(ManagementPutResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let profile = judge_credential(self, context).await?;
        Ok(Target {
            description: Some(format!("the key-management credential of {}", self.hsm_profile_name)),
            records: vec![Sharing::key(Domain::SYSTEM, profile)],
            ..Target::default()
        })
    }
}

/// Takes the shares of a credential from a tenant, which is told.
async fn lose(context: &mut Context<'_>, tenant: Domain, profile: ProfileId, name: &str) -> Result<(), Failure> {
    let place = Sharing::key(tenant, profile);
    context.work.delete(place).await?;
    desk::touch(context, "sharing of the credential of", name, place)?;
    let now = context.now;
    context
        .batch
        .alarm(context.work, Event::CredentialLost, tenant, now, name);
    Ok(())
}

async fn judge_credential(request: &ManagementPutRequest, context: &mut Context<'_>) -> Result<ProfileId, Failure> {
    let length = request.management_pin.expose().len();
    if length == 0 || length > LONGEST_CREDENTIAL {
        return Err(Fault::InvalidField.into());
    }
    let (profile, _) = hsm_profile::named(context, Some(&request.hsm_profile_name)).await?;
    Ok(profile)
}

/// The tenants that there are.
async fn tenants(context: &mut Context<'_>) -> Result<Vec<Domain>, Failure> {
    let kind = crate::identity::kind::TENANT;
    let all = desk::all(context, Domain::SYSTEM, kind, crate::identity::TenantRecord::decode).await?;
    let live = all.into_iter().filter(|(_, tenant)| !tenant.deleted);
    Ok(live.map(|(id, _)| Domain(id)).collect())
}

impl Handle for SharingGrantRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<SharingGrantResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (profile, _) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        let (tenant, record) = tenant_create::tenant(context, &self.tenant_name).await?;
        if record.deleted || !management::has_credential(context, profile).await? {
            return Err(Fault::NotFound.into());
        }
        management::grant(context, granted.origin(), Domain(tenant), profile).await?;
        Ok(SharingGrantResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (profile, _) = hsm_profile::named(context, Some(&self.hsm_profile_name)).await?;
        let (tenant, _) = tenant_create::tenant(context, &self.tenant_name).await?;
        let sharings = management::needed(context, Domain::SYSTEM, profile).await?;
        if sharings.is_empty() {
            return Err(Fault::NotFound.into());
        }
        Ok(Target {
            description: Some(format!(
                "the key-management credential of {} for tenant {}",
                self.hsm_profile_name, self.tenant_name
            )),
            records: vec![Sharing::key(Domain(tenant), profile)],
            sharings,
            ..Target::default()
        })
    }
}

impl Handle for SharingListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SharingListResponse, Failure> {
        let domain = asker(context)?.domain;
        let sharings = management::all(context, domain).await?;
        if sharings.is_empty() {
            return Ok(SharingListResponse { sharings: Vec::new() });
        }
        let ground = management::Ground::of(context, domain).await?;
        let plan = ground.plan();
        let mut told = Vec::with_capacity(sharings.len());
        for sharing in &sharings {
            told.push(kmip_protocol::Sharing {
                hsm_profile_name: management::name(context, sharing.binding.profile).await?,
                created: DateTime(sharing.made_ms.div_euclid(1000)),
                sharing_fits: sharing.fits(&plan),
                recoverable: ground.can_recover(sharing),
                ways: sharing.ways(),
                holders: holders(sharing, &ground),
            });
        }
        Ok(SharingListResponse { sharings: told })
    }
}

/// What somebody should look at: credentials that are not shared as they should be, and profiles that have none.
pub(super) async fn findings(
    context: &mut Context<'_>,
    domain: Domain,
) -> Result<Vec<(Option<Severity>, String, String)>, Failure> {
    let mut found = Vec::new();
    let sharings = management::all(context, domain).await?;
    if !sharings.is_empty() {
        let ground = management::Ground::of(context, domain).await?;
        let plan = ground.plan();
        for sharing in &sharings {
            let name = management::name(context, sharing.binding.profile)
                .await?
                .unwrap_or_default();
            let ways = sharing.ways().join(", or ");
            let (severity, told) = match (ground.can_recover(sharing), sharing.fits(&plan)) {
                (true, true) => (None, "as rules and people are"),
                (true, false) => (Some(Severity::Warning), "NOT as rules and people are: share it anew"),
                (false, _) => (
                    Some(Severity::Critical),
                    "LOST: too few can open a share; administrators grant or enter it again",
                ),
            };
            found.push((severity, format!("sharing.{name}"), format!("{ways}: {told}")));
        }
    }
    for profile in hsm_profile::links(context, domain).await?.0 {
        if management::lacks_separation(context, profile).await? {
            let name = management::name(context, profile).await?.unwrap_or_default();
            let told = management::NO_SEPARATION.to_owned();
            found.push((Some(Severity::Warning), format!("separation.{name}"), told));
        }
    }
    Ok(found)
}

/// Who can open a share.
pub(super) fn holders(sharing: &Sharing, ground: &management::Ground) -> Vec<String> {
    let open = sharing
        .shares()
        .filter(|(_, share)| ground.can_open(&share.person, &share.key_fingerprint));
    let mut names: Vec<String> = open.filter_map(|(_, share)| ground.name(&share.person)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
