//! Whether others must agree to a request: the policy of the principal's own domain, asked before anything is done.

use super::keeper::Keeper;
use super::proposed::register;
use super::{Context, Handle, target};
use crate::authority::glance::Glance;
use crate::authority::policy::InForce;
use crate::authority::quorum::{governing_request, is_never_governed, may_govern};
use crate::authority::{Governed, policy::PolicyRecord};
use crate::failure::{Failure, Fault};
use crate::identity::Principal;
use crate::store::Domain;
use kmip_protocol::{Operation, Policy, RequestPayload};
use std::sync::Arc;

/// The rules that govern a request, with what it acts upon; `None`: it may be done alone.
pub async fn of<R: Handle>(
    payload: &RequestPayload,
    context: &mut Context<'_>,
) -> Result<Option<Box<Governed>>, Failure> {
    if is_never_governed(R::OPERATION) {
        return Ok(None);
    }
    let Some(domain) = context.principal.domain() else {
        return Ok(None);
    };
    // What decides who decides may be governed by rules that do not name it.
    let decides = matches!(
        R::OPERATION,
        Operation::PolicyPut | Operation::GroupPut | Operation::GroupDelete
    );
    let concerned = |policy: &Policy| decides || may_govern(policy, R::OPERATION);
    let Some(seen) = glance(domain, context).await? else {
        return without_policy(context);
    };
    if !concerned(&seen.record.policy) {
        return Ok(None);
    }
    // A rule names it: from here on the decision rests on the record itself.
    let Some(policy) = in_force(domain, context).await? else {
        return without_policy(context);
    };
    // Boxed: else each operation's future has room for what finding targets takes.
    let target = Box::pin(target::of_request(payload, context)).await?;
    let rules: Vec<_> = governing_request(&policy.record.policy, payload, &target)
        .into_iter()
        .cloned()
        .collect();
    Ok((!rules.is_empty()).then(|| Box::new(Governed { rules, target })))
}

/// A domain has had a policy since it was made. Where there is none somebody took it away, and nobody acts by that.
fn without_policy(context: &Context<'_>) -> Result<Option<Box<Governed>>, Failure> {
    let itself = matches!(context.principal, Principal::Process(_));
    if itself || context.services.policies.are_optional() {
        return Ok(None);
    }
    Err(Failure::detailed(Fault::Internal, "the domain has no policy"))
}

/// The policy of a domain as it was last seen.
async fn glance(domain: Domain, context: &mut Context<'_>) -> Result<Option<Arc<InForce>>, Failure> {
    let key = PolicyRecord::key(domain);
    // A message that has put a policy itself is decided by that one.
    if !context.work.is_changed()
        && let Some(Glance { seen, policy }) = context.services.glances.of(domain)
    {
        context.batch.policy_seen = Some((key, seen));
        return Ok(policy);
    }
    let generation = context.services.glances.generation();
    let policy = in_force(domain, context).await?;
    if !context.work.is_changed() {
        let seen = context.work.load(key).await?.map(|record| record.seen());
        let policy = policy.clone();
        let glance = Glance { seen, policy };
        context.services.glances.remember(domain, glance, generation);
    }
    Ok(policy)
}

/// The policy of a domain, as a read of the change.
pub async fn in_force(domain: Domain, context: &mut Context<'_>) -> Result<Option<Arc<InForce>>, Failure> {
    let keeper = Keeper(&*context.services.custody);
    register(context.services, &keeper).policy(domain, context.work).await
}
