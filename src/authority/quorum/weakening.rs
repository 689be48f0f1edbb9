//! What a new policy would weaken of the old one. Whatever is not surely as strict as before counts as weaker.

use kmip_protocol::{BindTarget, Completion, Policy, Rule, RuleAlternative, RuleMatch, Veto};

/// The rules of the old policy that the new one removes or weakens: those whom they empower must agree to that as well. A new policy
/// that lowers what holds for all rules weakens all of them.
#[must_use]
pub fn weakened<'p>(old: &'p Policy, new: &Policy) -> Vec<&'p Rule> {
    let all = new.seasoning < old.seasoning
        || new.margin < old.margin
        || new.fewest_operators < old.fewest_operators
        || (old.separation_required == Some(true) && new.separation_required != Some(true));
    let stands = |rule: &Rule| !all && new.rules.iter().any(|candidate| is_as_strict(candidate, rule));
    old.rules.iter().filter(|rule| !stands(rule)).collect()
}

/// Whether a rule asks at least what another one asked, wherever that one did.
fn is_as_strict(new: &Rule, old: &Rule) -> bool {
    covers(&new.rule_match, &old.rule_match)
        && (new.reason_required || !old.reason_required)
        && (!new.requester_counts || old.requester_counts)
        && (new.exclude_subject || !old.exclude_subject)
        && new.proof >= old.proof
        && (new.veto == old.veto || new.veto == Veto::Any)
        && (new.bind_target == old.bind_target || new.bind_target == BindTarget::Exact)
        && (new.completion == old.completion || old.completion == Completion::OnQuorum)
        && new.approve_ttl <= old.approve_ttl
        && new.execute_ttl <= old.execute_ttl
        && !new.alternatives.is_empty()
        && new
            .alternatives
            .iter()
            .all(|way| old.alternatives.iter().any(|before| is_as_hard(way, before)))
}

/// Whether a match catches everything that another one caught.
fn covers(new: &RuleMatch, old: &RuleMatch) -> bool {
    let RuleMatch {
        operations,
        object_types,
        object_groups,
        object_names,
        application_namespaces,
        unique_identifiers,
        person_roles,
        reaches_objects,
    } = new;
    old.operations.iter().all(|operation| operations.contains(operation))
        && is_as_wide(object_types, &old.object_types)
        && is_as_wide(object_groups, &old.object_groups)
        && is_as_wide(object_names, &old.object_names)
        && is_as_wide(application_namespaces, &old.application_namespaces)
        && is_as_wide(unique_identifiers, &old.unique_identifiers)
        && is_as_wide(person_roles, &old.person_roles)
        && (*reaches_objects != Some(true) || old.reaches_objects == Some(true))
}

/// An empty list is no limit.
fn is_as_wide<T: PartialEq>(new: &[T], old: &[T]) -> bool {
    new.is_empty() || (!old.is_empty() && old.iter().all(|value| new.contains(value)))
}

/// Whether a way to agree is at least as hard as another one: it waits as long, alarms as loud, and wants as many of each group.
fn is_as_hard(new: &RuleAlternative, old: &RuleAlternative) -> bool {
    let asks = |group_name: &str| {
        let same = new.groups.iter().filter(|group| group.group_name == group_name);
        same.map(|group| i64::from(group.quorum)).sum::<i64>()
    };
    new.timelock >= old.timelock
        && new.severity >= old.severity
        && old.groups.iter().all(|group| {
            let same = old.groups.iter().filter(|other| other.group_name == group.group_name);
            asks(&group.group_name) >= same.map(|other| i64::from(other.quorum)).sum::<i64>()
        })
}
