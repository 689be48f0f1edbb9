//! What becomes of a tenant (family 03): told, configured, suspended, resumed, deleted. By administrators, who see tenants and not what
//! is in them.

use super::tenant_create::{alarm, keep, tenant};
use super::{desk, hsm_profile, management_change, tenant_settings};
use crate::audit::alarm::Event;
use crate::authority::policy::PolicyRecord;
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{AuthorityRecord, Id, IdentityChange, PersonId, PersonRecord, TenantRecord, kind};
use crate::operations::{Context, Handle, Notice};
use crate::store::Domain;
use kmip_protocol::{
    DateTime, PersonStatus, Tenant, TenantDeleteRequest, TenantDeleteResponse, TenantGetRequest, TenantGetResponse,
    TenantListRequest, TenantListResponse, TenantModifyRequest, TenantModifyResponse, TenantResumeRequest,
    TenantResumeResponse, TenantStatus, TenantSuspendRequest, TenantSuspendResponse,
};

impl Handle for TenantGetRequest {
    /// People of a tenant are told their own; another one does not exist for them.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantGetResponse, Failure> {
        let domain = desk::domain(context)?;
        let (id, record) = if domain == Domain::SYSTEM {
            let name = self.tenant_name.as_deref().ok_or(Failure::new(Fault::MissingField))?;
            tenant(context, name).await?
        } else {
            let own = desk::read(context, TenantRecord::key(domain), TenantRecord::decode).await?;
            let own = own.filter(|own| self.tenant_name.as_ref().is_none_or(|name| *name == own.name));
            (domain.0, own.ok_or(Failure::new(Fault::NotFound))?)
        };
        let profiles = hsm_profile::names_of(context, Domain(id)).await?;
        Ok(TenantGetResponse {
            tenant: told(record, profiles),
        })
    }
}

impl Handle for TenantListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantListResponse, Failure> {
        let all = desk::all(context, Domain::SYSTEM, kind::TENANT, TenantRecord::decode).await?;
        let mut tenants = Vec::new();
        for (id, record) in desk::part(sorted(all), self.offset_items, self.maximum_items)? {
            let profiles = hsm_profile::names_of(context, Domain(id)).await?;
            tenants.push(told(record, profiles));
        }
        Ok(TenantListResponse { tenants })
    }
}

impl Handle for TenantModifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantModifyResponse, Failure> {
        let (id, mut record) = tenant(context, &self.tenant_name).await?;
        let settings = tenant_settings::judge(&self.settings)?;
        // What a tenant keeps is never made clearable afterwards.
        if settings.test_tenant.unwrap_or(false) != record.settings.test_tenant.unwrap_or(false) {
            return Err(Fault::InvalidField.into());
        }
        if settings.object_quota.is_some() && record.settings.object_quota.is_none() {
            tenant_settings::count_objects(context, Domain(id)).await?;
        }
        record.settings = settings;
        keep(context, Domain(id), &record).await?;
        Ok(TenantModifyResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.tenant_name).await
    }
}

impl Handle for TenantSuspendRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantSuspendResponse, Failure> {
        suspend(context, &self.tenant_name, true).await?;
        Ok(TenantSuspendResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.tenant_name).await
    }
}

impl Handle for TenantResumeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantResumeResponse, Failure> {
        suspend(context, &self.tenant_name, false).await?;
        Ok(TenantResumeResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.tenant_name).await
    }
}

impl Handle for TenantDeleteRequest {
    /// The record remains, as evidence. Its name is free, and so are the keys of its authorities and its people. Without a policy in
    /// force its live proposals are void.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantDeleteResponse, Failure> {
        let (id, mut record) = tenant(context, &self.tenant_name).await?;
        if !record.suspended {
            return Err(Fault::NotSuspended.into());
        }
        let domain = Domain(id);
        release(context, domain).await?;
        context.work.delete(PolicyRecord::key(domain)).await?;
        context.work.delete(hsm_profile::links_place(domain)).await?;
        // Its people open no HSM any more. Its KEKs are destroyed by the administrators' shares.
        management_change::remove_all(context, domain).await?;
        context.batch.notices.push(Notice::Policy(domain));
        record.deleted = true;
        record.deleted_ms = Some(context.now.0);
        keep(context, domain, &record).await?;
        alarm(context, Event::TenantDeleted, Domain::SYSTEM, &record.name);
        // After all that is read once more.
        context.batch.notices.push(Notice::Gone(domain));
        Ok(TenantDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.tenant_name).await
    }
}

async fn target(context: &mut Context<'_>, name: &str) -> Result<Target, Failure> {
    let (id, record) = tenant(context, name).await?;
    Ok(Target {
        description: Some(format!("tenant {}", record.name)),
        records: vec![TenantRecord::key(Domain(id))],
        ..Target::default()
    })
}

async fn suspend(context: &mut Context<'_>, name: &str, suspended: bool) -> Result<(), Failure> {
    let (id, mut record) = tenant(context, name).await?;
    if suspended && !record.suspended {
        alarm(context, Event::TenantSuspended, Domain::SYSTEM, &record.name);
    }
    record.suspended = suspended;
    keep(context, Domain(id), &record).await
}

/// Frees what a deleted tenant holds in the whole installation: the keys of its authorities and of its people.
async fn release(context: &mut Context<'_>, domain: Domain) -> Result<(), Failure> {
    let registrar = desk::Registrar::new(context);
    for (id, _) in desk::all(context, domain, kind::AUTHORITY, AuthorityRecord::decode).await? {
        registrar.enroll(context).remove_authority(domain, id).await?;
        let changed = IdentityChange::Authority(domain, id);
        context.batch.notices.push(Notice::Identity(changed));
    }
    for (person, mut record) in desk::all(context, domain, kind::PERSON, PersonRecord::decode).await? {
        record.status = PersonStatus::Deleted;
        let id = PersonId { domain, person };
        registrar.enroll(context).person(id, &record).await?;
        let changed = IdentityChange::Person(id);
        context.batch.notices.push(Notice::Identity(changed));
    }
    Ok(())
}

fn sorted(mut all: Vec<(Id, TenantRecord)>) -> Vec<(Id, TenantRecord)> {
    all.sort_by(|(_, a), (_, b)| (&a.name, a.created_ms).cmp(&(&b.name, b.created_ms)));
    all
}

fn told(record: TenantRecord, hsm_profile_names: Vec<String>) -> Tenant {
    Tenant {
        tenant_status: if record.deleted {
            TenantStatus::Deleted
        } else if record.suspended {
            TenantStatus::Suspended
        } else if record.migration.stops_people() {
            TenantStatus::MigrationRequired
        } else {
            TenantStatus::Active
        },
        tenant_name: record.name,
        created: DateTime(record.created_ms.div_euclid(1000)),
        settings: record.settings,
        hsm_profile_names,
        purged: record.purged_ms.map(|ms| DateTime(ms.div_euclid(1000))),
    }
}
