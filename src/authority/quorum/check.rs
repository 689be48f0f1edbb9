//! Whether a policy can be lived with: it is well formed, does not undercut the floor, and the people there are can satisfy it.

use super::emergency::{is_emergency, is_harder};
use super::people::{Electorate, Member, MemberKey};
use super::rules::is_never_governed;
use super::tally::filled;
use super::template::{FLOOR, RECOVERY_TIMELOCK, SYSTEM_FLOOR, Scope};
use crate::identity::Id;
use crate::identity::name::is_name;
use kmip_protocol::{Operation, Policy, PolicyTemplate, Proof, Rule, RuleAlternative, RuleGroup, RuleMatch};

/// Rules of a policy: more than anybody oversees.
const MOST_RULES: usize = 64;
/// Alternatives of a rule, and groups of an alternative.
const MOST_PARTS: usize = 8;
/// Values of one list of a match.
const MOST_VALUES: usize = 256;
/// Approvals that a group may be asked for. More than there ever are people to ask.
const MOST_QUORUM: i32 = 20;
/// Votes cannot be cast for longer: what nobody agreed to in a fortnight nobody wants.
const LONGEST_TTL: u32 = 14 * 24 * 60 * 60;
/// The longest timelock and seasoning.
const LONGEST_WAIT: u32 = 30 * 24 * 60 * 60;
/// People who must agree to what the floor holds, in a policy of several people.
const FLOOR_QUORUM: i32 = 2;

/// Why a policy is refused. Names in it are those of the policy itself.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyFault {
    /// A value is out of its limits; which one.
    #[error("{0} is missing, too long, too many, or out of range")]
    Limit(&'static str),
    /// Two rules have one name.
    #[error("two rules are named {0}")]
    DuplicateRule(String),
    /// A rule names an operation that nothing can govern.
    #[error("rule {0} names {1}, which is never governed")]
    NeverGoverned(String, Operation),
    /// A rule names a group that there is not.
    #[error("rule {0} names the group {1}, which does not exist")]
    UnknownGroup(String, String),
    /// The system's scope cannot be without rules.
    #[error("the template off is not for the system")]
    Off,
    /// What decides who decides must be agreed to by several people.
    #[error("no rule lets {1} people or more agree to every {0}")]
    Floor(Operation, i32),
    /// A way out for emergencies is no easier than the ordinary ones.
    #[error(
        "the alternative for emergencies of rule {0} must want more people than the ordinary ones, a delay and a reason"
    )]
    Emergency(String),
    /// Those whom a recovery passes over must have the time to object.
    #[error("a way to agree to a tenant's recovery waits for less than 72 hours")]
    Recovery,
    /// There are not as many people as the policy says that there must be.
    #[error("{is} eligible people of the group {group} are fewer than the {wanted} that must remain")]
    TooFewPeople {
        /// Which group.
        group: &'static str,
        /// How many there are.
        is: usize,
        /// How many there must be.
        wanted: i32,
    },
    /// Nobody could ever satisfy this rule, or too narrowly.
    #[error("rule {0} could not be satisfied with the people there are and the margin that the policy wants")]
    Unsatisfiable(String),
}

/// Checks a policy for a domain with these people: for a policy that is to be put, and for the one in force when people or groups are
/// to become fewer. What is permitted but unwise comes back as warnings.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_policy(policy: &Policy, electorate: &Electorate, scope: Scope) -> Result<Vec<String>, PolicyFault> {
    check_form(policy, electorate)?;
    check_floor(policy, scope)?;
    let active = electorate.group(scope.group()).iter().filter(|(m, _)| m.active).count();
    if i32::try_from(active).is_ok_and(|active| active < policy.fewest_operators) {
        return Err(PolicyFault::TooFewPeople {
            group: scope.group(),
            is: active,
            wanted: policy.fewest_operators,
        });
    }
    let mut warnings = Vec::new();
    for rule in &policy.rules {
        if !is_satisfiable(rule, electorate, policy.margin, false) {
            return Err(PolicyFault::Unsatisfiable(rule.rule_name.clone()));
        }
        if rule.exclude_subject && !is_satisfiable(rule, electorate, 0, true) {
            let name = &rule.rule_name;
            warnings.push(format!(
                "rule {name} cannot be satisfied where one of its own people is acted upon"
            ));
        } else if !is_satisfiable(rule, electorate, 1, false) {
            let name = &rule.rule_name;
            warnings.push(format!(
                "rule {name} has no margin: if one person is missing it cannot be satisfied"
            ));
        }
    }
    Ok(warnings)
}

/// Whether one of a rule's ways can be gone whoever is missing: the requester whose vote does not count, and perhaps the subject.
fn is_satisfiable(rule: &Rule, electorate: &Electorate, margin: i32, subject: bool) -> bool {
    let missing = usize::from(!rule.requester_counts).saturating_add(usize::from(subject));
    let hardware = |member: &Member| rule.proof <= Proof::Signature || member.keys.iter().any(|key| key.hardware);
    let counts = |member: &Member| member.active && hardware(member);
    // One for emergencies is open once: nobody lives by it.
    let lasting = rule.alternatives.iter().filter(|way| !is_emergency(rule, way));
    let mut ways = lasting.map(|alternative| inflate(alternative, margin));
    ways.any(|way| stands(&way, electorate, missing, &counts))
}

/// Whether people who are there could satisfy all of these rules now, on the request of one of them: with keys that prove what the rules
/// want and have not run out. How long somebody must have been a member is not asked: that passes.
#[must_use]
pub fn is_within_reach(rules: &[&Rule], electorate: &Electorate, requester: &Id, now_ms: i64) -> bool {
    let way_open = |rule: &Rule, way: &RuleAlternative| {
        let others = |member: &Member| rule.requester_counts || member.person != *requester;
        let counts = |member: &Member| counts_now(rule, member, now_ms) && others(member);
        stands(way, electorate, 0, &counts)
    };
    let mut rules = rules.iter();
    rules.all(|rule| rule.alternatives.iter().any(|way| way_open(rule, way)))
}

/// Whether somebody's vote could be counted by a rule now: he is active and, where the rule wants a signature, has a key for it whose
/// certificate has not run out. How long he has been a member is not asked: that passes.
fn counts_now(rule: &Rule, member: &Member, now_ms: i64) -> bool {
    let fits = |key: &MemberKey| now_ms <= key.not_after_ms && (rule.proof <= Proof::Signature || key.hardware);
    member.active && (rule.proof == Proof::Session || member.keys.iter().any(fits))
}

/// How far the people there are now could satisfy a rule, whoever of them asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// With so many people above each quorum of one of its ordinary ways.
    Spare(i32),
    /// By a way for emergencies that was not used yet, and by no other.
    Emergency,
    /// Not at all.
    None,
}

/// How far the people there are now could satisfy a rule, whoever of them asks.
#[must_use]
pub fn reach(rule: &Rule, electorate: &Electorate, now_ms: i64) -> Reach {
    let missing = usize::from(!rule.requester_counts);
    let counts = |member: &Member| counts_now(rule, member, now_ms);
    let open = |way: &RuleAlternative, margin| stands(&inflate(way, margin), electorate, missing, &counts);
    let (marked, lasting): (Vec<_>, Vec<_>) = rule.alternatives.iter().partition(|way| is_emergency(rule, way));
    let kept = |margin: &i32| lasting.iter().any(|way| open(way, *margin));
    match (0..=MOST_QUORUM).take_while(kept).last() {
        Some(margin) => Reach::Spare(margin),
        None if electorate.spent.contains(&rule.rule_name) => Reach::None,
        None if marked.iter().any(|way| open(way, 0)) => Reach::Emergency,
        None => Reach::None,
    }
}

/// Whether a way can be gone without any so many (at most two) of those who count.
fn stands(way: &RuleAlternative, electorate: &Electorate, missing: usize, counts: &impl Fn(&Member) -> bool) -> bool {
    let quorums = way
        .groups
        .iter()
        .map(|group| usize::try_from(group.quorum).unwrap_or(0));
    let slots: usize = quorums.sum();
    let without = |gone: &[Id]| {
        let there = filled(way, electorate, |member, _| {
            counts(member) && !gone.contains(&member.person)
        });
        slots > 0 && there >= slots
    };
    // A group with more people than there are slots and missing people never lacks one (Hall's theorem): only the others can.
    let mut scarce: Vec<Id> = Vec::new();
    for group in &way.groups {
        let members = electorate.group(&group.group_name).into_iter();
        let people: Vec<Id> = members.filter(|(m, _)| counts(m)).map(|(m, _)| m.person).collect();
        if people.len() < slots.saturating_add(missing) {
            scarce.extend(people);
        }
    }
    scarce.sort_unstable();
    scarce.dedup();
    without(&[])
        && (missing == 0 || scarce.iter().all(|one| without(&[*one])))
        && (missing < 2 || scarce.iter().all(|a| scarce.iter().all(|b| without(&[*a, *b]))))
}

/// An alternative that wants a margin more of each group.
fn inflate(alternative: &RuleAlternative, margin: i32) -> RuleAlternative {
    let more = |group: &RuleGroup| RuleGroup {
        group_name: group.group_name.clone(),
        quorum: group.quorum.saturating_add(margin),
    };
    RuleAlternative {
        groups: alternative.groups.iter().map(more).collect(),
        ..alternative.clone()
    }
}

fn check_floor(policy: &Policy, scope: Scope) -> Result<(), PolicyFault> {
    let is_off = policy.policy_template == Some(PolicyTemplate::Off) || policy.fewest_operators < FLOOR_QUORUM;
    let (more, quorum): (&[Operation], i32) = match scope {
        Scope::System if is_off => return Err(PolicyFault::Off),
        Scope::System => (SYSTEM_FLOOR, FLOOR_QUORUM),
        Scope::Tenant if is_off => (&[], 1),
        Scope::Tenant => (&[], FLOOR_QUORUM),
    };
    for operation in FLOOR.iter().chain(more) {
        if !policy.rules.iter().any(|rule| holds_floor(rule, *operation, quorum)) {
            return Err(PolicyFault::Floor(*operation, quorum));
        }
    }
    let waits = |rule: &Rule| rule.alternatives.iter().all(|way| way.timelock.0 >= RECOVERY_TIMELOCK);
    let recovery = |rule: &&Rule| holds_floor(rule, Operation::TenantRecover, FLOOR_QUORUM);
    if scope == Scope::System && !policy.rules.iter().filter(recovery).any(waits) {
        return Err(PolicyFault::Recovery);
    }
    Ok(())
}

/// Whether a rule governs every request of an operation, and each of its ways wants so many people.
fn holds_floor(rule: &Rule, operation: Operation, quorum: i32) -> bool {
    let RuleMatch {
        operations,
        object_types,
        object_groups,
        object_names,
        application_namespaces,
        unique_identifiers,
        person_roles,
        reaches_objects,
    } = &rule.rule_match;
    let everywhere = object_types.is_empty()
        && object_groups.is_empty()
        && object_names.is_empty()
        && application_namespaces.is_empty()
        && unique_identifiers.is_empty()
        && person_roles.is_empty()
        && *reaches_objects != Some(true);
    let wants =
        |way: &RuleAlternative| way.groups.iter().map(|g| i64::from(g.quorum)).sum::<i64>() >= i64::from(quorum);
    everywhere && operations.contains(&operation) && rule.alternatives.iter().all(wants)
}

fn check_form(policy: &Policy, electorate: &Electorate) -> Result<(), PolicyFault> {
    let Policy {
        policy_template: _,
        seasoning,
        margin,
        fewest_operators,
        rules,
        separation_required: _,
    } = policy;
    limit("the seasoning", seasoning.0 <= LONGEST_WAIT)?;
    limit("the margin", (0..=MOST_QUORUM).contains(margin))?;
    limit("the fewest operators", (1..=MOST_QUORUM).contains(fewest_operators))?;
    limit("a rule", rules.len() <= MOST_RULES)?;
    for (place, rule) in rules.iter().enumerate() {
        if rules.iter().take(place).any(|other| other.rule_name == rule.rule_name) {
            return Err(PolicyFault::DuplicateRule(rule.rule_name.clone()));
        }
        check_rule(rule, electorate)?;
    }
    Ok(())
}

fn check_rule(rule: &Rule, electorate: &Electorate) -> Result<(), PolicyFault> {
    let RuleMatch {
        operations,
        object_types,
        object_groups,
        object_names,
        application_namespaces,
        unique_identifiers,
        person_roles,
        reaches_objects: _,
    } = &rule.rule_match;
    limit("a rule's name", is_name(&rule.rule_name))?;
    limit("a rule's operation", (1..=MOST_VALUES).contains(&operations.len()))?;
    let longest = [
        object_types.len(),
        object_groups.len(),
        object_names.len(),
        application_namespaces.len(),
        unique_identifiers.len(),
        person_roles.len(),
    ];
    limit("a list of a rule", longest.iter().all(|length| *length <= MOST_VALUES))?;
    if let Some(operation) = operations.iter().find(|operation| is_never_governed(**operation)) {
        return Err(PolicyFault::NeverGoverned(rule.rule_name.clone(), *operation));
    }
    let known = rule.proof.name().is_some()
        && rule.veto.name().is_some()
        && rule.bind_target.name().is_some()
        && rule.completion.name().is_some();
    limit("a choice of a rule", known)?;
    limit("the time to approve", (1..=LONGEST_TTL).contains(&rule.approve_ttl.0))?;
    limit("the time to execute", (1..=LONGEST_TTL).contains(&rule.execute_ttl.0))?;
    limit("an alternative", (1..=MOST_PARTS).contains(&rule.alternatives.len()))?;
    if !is_harder(rule) {
        return Err(PolicyFault::Emergency(rule.rule_name.clone()));
    }
    for alternative in &rule.alternatives {
        limit("a timelock", alternative.timelock.0 <= LONGEST_WAIT)?;
        limit(
            "a group of an alternative",
            (1..=MOST_PARTS).contains(&alternative.groups.len()),
        )?;
        for group in &alternative.groups {
            limit("a quorum", (1..=MOST_QUORUM).contains(&group.quorum))?;
            if !electorate.has_group(&group.group_name) {
                let (rule, group) = (rule.rule_name.clone(), group.group_name.clone());
                return Err(PolicyFault::UnknownGroup(rule, group));
            }
        }
    }
    Ok(())
}

fn limit(what: &'static str, kept: bool) -> Result<(), PolicyFault> {
    if kept { Ok(()) } else { Err(PolicyFault::Limit(what)) }
}
