//! Making a tenant (family 03): by administrators.

use super::hsm_profile_life::described;
use super::person::{KeyStanding, Membership, hardware_of, invite};
use super::possession::Registry;
use super::{
    AdministrationError, desk, hsm_profile, kek, kek_backup, legacy_pending, management, policy, recovery,
    tenant_settings,
};
use crate::audit::alarm::Event;
use crate::authority::policy::PolicyRecord;
use crate::authority::quorum::{Scope, template};
use crate::authority::{Granted, Origin, Target};
use crate::custody::{Backup, KekId, Links, ProfileId};
use crate::failure::{Failure, Fault};
use crate::identity::{Id, IdentityChange, Principal, TenantRecord};
use crate::operations::{Context, Handle, Notice};
use crate::store::Domain;
use kmip_protocol::{NewPerson, PersonRole, PolicyTemplate, TenantCreateRequest, TenantCreateResponse};
use std::sync::Arc;

/// Operators that a tenant may begin with: a request for more is a mistake.
const MOST_OPERATORS: usize = 32;

impl Handle for TenantCreateRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<TenantCreateResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let template = judge(self)?;
        let settings = match &self.settings {
            Some(settings) => tenant_settings::judge(settings)?,
            None => Default::default(),
        };
        let name = desk::name(&self.tenant_name)?.to_owned();
        // Taken before any key is made: nothing is made for a name that another tenant has.
        if context.work.claimed(&TenantRecord::name_claim(&name)).await?.is_some() {
            return Err(Fault::Taken.into());
        }
        let (profile, _) = hsm_profile::named(context, self.hsm_profile_name.as_deref()).await?;
        let required = of_template(template);
        management::judge_required(context, profile, required).await?;
        let backup = self.backup_string.as_deref().map(kek_backup::read).transpose()?;
        let tenant = match &backup {
            Some(backup) => kek_backup::identity(context, backup).await?,
            None => Domain(desk::made_by(granted.origin(), "tenant", context)?),
        };
        let first = match backup {
            Some(backup) if self.recover == Some(true) => First::Recovered(backup),
            Some(backup) => First::Restored(backup),
            None => First::New(KekId(desk::made_by(granted.origin(), "kek", context)?)),
        };
        let record = TenantRecord {
            name,
            settings,
            created_ms: context.now.0,
            ..TenantRecord::default()
        };
        let made = make(
            self,
            granted.origin(),
            context,
            tenant,
            &record,
            template,
            (profile, first),
        )
        .await;
        if made.is_err() {
            // Custody knows of no domain that there is not.
            context.services.custody.close_domain(tenant);
        }
        made.map(|()| TenantCreateResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let chosen = judge(self)?;
        desk::name(&self.tenant_name)?;
        let (profile, record) = hsm_profile::named(context, self.hsm_profile_name.as_deref()).await?;
        let required = of_template(chosen);
        let mut description = format!("tenant {}, with a KEK in {}", self.tenant_name, described(&record));
        let mut shared = None;
        if let Some(backup) = self.backup_string.as_deref().map(kek_backup::read).transpose()? {
            let backup_is = (kek_backup::short(&backup), kek_backup::UNKNOWN);
            description.push_str(&format!(", that of backup {}{}", backup_is.0, backup_is.1));
            if self.recover == Some(true) {
                let (recovery, people) = recovery::shared(context, &backup).await?;
                description.push_str(&format!(", opened by {people}"));
                shared = Some(recovery);
            }
        }
        if let Some(warning) = management::judge_required(context, profile, required).await? {
            description.push_str(&format!(" ({warning})"));
        }
        Ok(Target {
            description: Some(description),
            sharings: management::needed(context, Domain::SYSTEM, profile).await?,
            recovery: shared,
            // Which one is the first may have changed meanwhile.
            records: vec![hsm_profile::links_place(Domain::SYSTEM)],
            roles: vec![PersonRole::Operator],
            ..Target::default()
        })
    }
}

/// Whether a tenant's KEKs are to lie where key management has a user of its own.
fn of_template(chosen: PolicyTemplate) -> bool {
    template(chosen, Scope::Tenant).separation_required == Some(true)
}

/// The first KEK of a tenant.
enum First {
    New(KekId),
    Restored(Backup),
    Recovered(Backup),
}

/// Makes a tenant with its first KEK, its policy and its operators.
async fn make(
    request: &TenantCreateRequest,
    origin: Origin,
    context: &mut Context<'_>,
    tenant: Domain,
    record: &TenantRecord,
    chosen: PolicyTemplate,
    (profile, first): (ProfileId, First),
) -> Result<(), Failure> {
    let now_ms = record.created_ms;
    let custody = Arc::clone(&context.services.custody);
    match first {
        First::New(kek) => {
            let login = management::login(context, origin, profile).await?;
            let founded = kek::found_domain(&custody, context.work, tenant, profile, kek, now_ms, login.as_ref()).await;
            founded.map_err(|error| match error {
                AdministrationError::Custody(error) => management::refusal(login.as_ref())(error),
                other => other.into(),
            })?;
        }
        First::Recovered(backup) => {
            let kek = recovery::recovered(context, origin, &backup, profile).await?;
            kek::found_domain_on(&custody, context.work, kek, now_ms).await?;
        }
        First::Restored(backup) => {
            let kek = kek_backup::restored(context, &backup, profile).await?;
            kek::found_domain_on(&custody, context.work, kek, now_ms).await?;
        }
    }
    keep(context, tenant, record).await?;
    let links = Links(vec![profile]);
    hsm_profile::put_links(&context.services.custody, context.work, tenant, &links).await?;
    let policy = PolicyRecord::first(template(chosen, Scope::Tenant), now_ms);
    policy::put_policy(tenant, &policy, context).await?;
    for operator in &request.operators {
        add(context, tenant, operator, Membership::Founding).await?;
    }
    legacy_pending::bring(context, tenant, record, request.operators.len()).await
}

/// The tenant of this name.
pub(super) async fn tenant(context: &mut Context<'_>, name: &str) -> Result<(Id, TenantRecord), Failure> {
    let claim = TenantRecord::name_claim(name);
    desk::claimed(context, claim, crate::identity::kind::TENANT, TenantRecord::decode).await
}

/// Writes a tenant, and says so to those who remember it.
pub(super) async fn keep(context: &mut Context<'_>, tenant: Domain, record: &TenantRecord) -> Result<(), Failure> {
    let registrar = desk::Registrar::new(context);
    registrar.enroll(context).tenant(tenant, record).await?;
    desk::touch(context, "tenant", &record.name, TenantRecord::key(tenant))?;
    let changed = IdentityChange::Tenant(tenant);
    context.batch.notices.push(Notice::Identity(changed));
    Ok(())
}

/// Alarms of what happens to a tenant those who read the records of this domain.
pub(super) fn alarm(context: &mut Context<'_>, event: Event, domain: Domain, name: &str) {
    let now = context.now;
    context.batch.alarm(context.work, event, domain, now, name);
}

/// The template asked for, if there are the operators that it wants.
fn judge(request: &TenantCreateRequest) -> Result<PolicyTemplate, Failure> {
    let chosen = request.policy_template.unwrap_or(PolicyTemplate::Mtg);
    if !PolicyTemplate::ALL.contains(&chosen) {
        return Err(Fault::InvalidField.into());
    }
    if request.recover == Some(true) && request.backup_string.is_none() {
        return Err(Fault::MissingField.into());
    }
    let fewest = template(chosen, Scope::Tenant).fewest_operators;
    let operators = &request.operators;
    if operators.len() > MOST_OPERATORS {
        return Err(Fault::LimitExceeded.into());
    }
    if operators.len() < usize::try_from(fewest).unwrap_or(0).max(1) {
        return Err(Fault::TooFewOperators.into());
    }
    // A new tenant has no authority that could vouch.
    if operators.iter().any(|new| !new.attestation.is_empty()) {
        return Err(Fault::AttestationRefused.into());
    }
    if operators.iter().any(|new| new.person_role != PersonRole::Operator) {
        return Err(Fault::PersonRoleRefused.into());
    }
    Ok(chosen)
}

/// Invites an operator to a tenant.
pub(super) async fn add(
    context: &mut Context<'_>,
    tenant: Domain,
    operator: &NewPerson,
    membership: Membership,
) -> Result<(), Failure> {
    let by = match context.principal {
        Principal::Person(person) => Some(person.person),
        _ => None,
    };
    let now_ms = context.now.0;
    let key = KeyStanding {
        hardware: hardware_of(context, tenant, operator).await?,
        proven: Registry::of(context, tenant).await?.judge_person(operator)?,
    };
    let (id, record) = invite(context.services, tenant, operator, key, membership, by, now_ms).await?;
    let registrar = desk::Registrar::new(context);
    registrar.enroll(context).person(id, &record).await?;
    desk::touch(context, "person", &record.name, id.key())?;
    let changed = IdentityChange::Person(id);
    context.batch.notices.push(Notice::Identity(changed));
    Ok(())
}
