//! Inviting an operator to a tenant whose own people can invite nobody any more (family 03): by administrators, and only then. The
//! operators who are left see it coming, and any of them may end it.

use super::people::load;
use super::person::{Membership, hardware_of};
use super::tenant_create::{add, alarm, tenant};
use super::{desk, management_change};
use crate::audit::alarm::Event;
use crate::authority::proposal::ProposalRecord;
use crate::authority::quorum::{Electorate, governing, is_within_reach};
use crate::authority::{Granted, Target, electorate};
use crate::failure::{Failure, Fault};
use crate::identity::{PersonId, TenantRecord, person_counter};
use crate::operations::keeper::Keeper;
use crate::operations::proposed::register;
use crate::operations::{Context, Handle};
use crate::store::Domain;
use kmip_protocol::{Operation, PersonRole, PersonStatus, TenantRecoverRequest, TenantRecoverResponse};
use std::sync::Arc;

/// Who has not logged in for so long (90 days, in milliseconds) is counted on no more: somebody must be able to help where everybody
/// has gone and nobody is left to suspend them.
const ABSENT_AFTER_MS: i64 = 90 * 24 * 60 * 60 * 1000;

impl Handle for TenantRecoverRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<TenantRecoverResponse, Failure> {
        let (domain, record) = judge(self, context).await?;
        add(context, domain, &self.operator, Membership::Joining).await?;
        desk::touch(context, "tenant", &record.name, TenantRecord::key(domain))?;
        // Both hear of it: those who see that tenants are there, and those who are in it.
        for domain in [Domain::SYSTEM, domain] {
            alarm(context, Event::TenantRecovered, domain, &record.name);
        }
        Ok(TenantRecoverResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (domain, record) = judge(self, context).await?;
        let hardware = hardware_of(context, domain, &self.operator).await?;
        let shares = management_change::told_of_newcomer(context, domain).await?;
        Ok(hardware.tell(Target {
            description: Some(format!(
                "operator {} into tenant {}{shares}",
                self.operator.person_name, record.name
            )),
            records: vec![TenantRecord::key(domain)],
            roles: vec![PersonRole::Operator],
            ..Target::default()
        }))
    }
}

/// Whether a proposal of the system is about recovering this tenant.
pub(super) fn recovers(proposal: &ProposalRecord, tenant: Domain) -> bool {
    proposal.operation == Operation::TenantRecover && proposal.target.records.contains(&TenantRecord::key(tenant))
}

/// Which tenant is to be recovered, if it is to be: when it is asked for, and again when it is carried out.
async fn judge(request: &TenantRecoverRequest, context: &mut Context<'_>) -> Result<(Domain, TenantRecord), Failure> {
    if request.operator.person_role != PersonRole::Operator {
        return Err(Fault::PersonRoleRefused.into());
    }
    let (id, record) = tenant(context, &request.tenant_name).await?;
    // Nobody of a suspended tenant could object.
    if record.suspended {
        return Err(Fault::RecoveryUnheard.into());
    }
    if can_invite(context, Domain(id)).await? {
        return Err(Fault::RecoveryNotNeeded.into());
    }
    Ok((Domain(id), record))
}

/// Whether the people of a tenant could invite an operator themselves, as its policy wants it: one of its operators who asks, and those
/// who agree.
async fn can_invite(context: &mut Context<'_>, tenant: Domain) -> Result<bool, Failure> {
    let keeper = Keeper(Arc::clone(&context.services.custody));
    let mut people = electorate(tenant, context.work, &keeper).await?;
    correct_presence(context, tenant, &mut people).await?;
    let services = context.services;
    let policy = register(services, &keeper).policy(tenant, context.work).await?;
    let invited = Target {
        roles: vec![PersonRole::Operator],
        ..Target::default()
    };
    let rules = policy.as_ref().map(|policy| {
        let policy = &policy.record.policy;
        governing(policy, Operation::PersonCreate, &invited)
    });
    let rules = rules.unwrap_or_default();
    let asks = |role| role == PersonRole::Operator;
    let mut operators = people.members.iter().filter(|one| one.active && asks(one.role));
    Ok(operators.any(|one| is_within_reach(&rules, &people, &one.person, context.now.0)))
}

/// Corrects who counts as active: not who is absent, but whoever is on the way. Else two recoveries at once would bring in as many as
/// make a quorum, where one was missing.
async fn correct_presence(context: &mut Context<'_>, domain: Domain, people: &mut Electorate) -> Result<(), Failure> {
    let now_ms = context.now.0;
    for member in &mut people.members {
        let person = member.person;
        let id = PersonId { domain, person };
        let seen = context.work.counter(id.key(), person_counter::LAST_LOGIN).await?;
        let present = seen.is_none_or(|seen| now_ms.saturating_sub(seen) <= ABSENT_AFTER_MS);
        let record = load(context, id).await?;
        let expected = record.is_some_and(|record| {
            let password = record.password.as_ref();
            let good = password.is_some_and(|password| password.expires_ms.is_none_or(|end| now_ms < end));
            record.status == PersonStatus::Invited && good
        });
        member.active = (member.active && present) || expected;
    }
    Ok(())
}
