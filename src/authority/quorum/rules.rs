//! Which rules govern a request. Rules only tighten: all that match must be satisfied.

use crate::authority::{Target, TargetObject};
use kmip_protocol::{Operation, Policy, RequestPayload, Rule, RuleMatch};

/// What a policy cannot govern: acts that protect, one's own password and votes, reading, and what the exchange of messages itself
/// consists of. Who would have to wait for others to lock a door lets the thief in.
const NEVER_GOVERNED: &[Operation] = &[
    Operation::PersonSuspend,
    Operation::ClientSuspend,
    Operation::TenantSuspend,
    Operation::CertificateRevoke,
    Operation::CredentialRevoke,
    Operation::PasswordChange,
    Operation::OneTimeEnroll,
    Operation::OneTimeConfirm,
    Operation::PersonModify,
    Operation::PersonGet,
    Operation::PersonList,
    Operation::ProposalList,
    Operation::ProposalGet,
    Operation::ProposalVote,
    Operation::ProposalWithdrawVote,
    Operation::ProposalComplete,
    Operation::ProposalVeto,
    Operation::ProposalFollowUp,
    Operation::ProposalShare,
    Operation::ShareKeyRevoke,
    Operation::SharingList,
    Operation::PolicyEvaluate,
    Operation::PolicyGet,
    Operation::PolicyList,
    Operation::GroupList,
    Operation::TenantGet,
    Operation::TenantList,
    Operation::ClientGet,
    Operation::ClientList,
    Operation::AuthorityList,
    Operation::RevocationListGet,
    Operation::ApplicationList,
    Operation::NamespaceList,
    Operation::EndpointGet,
    Operation::EndpointList,
    // It sends nothing, and where to is judged beforehand.
    Operation::EndpointTest,
    // Nothing leaves any more.
    Operation::EndpointDelete,
    Operation::HsmProfileList,
    Operation::HsmProfileGet,
    Operation::HsmProfileTest,
    Operation::KekList,
    Operation::KekRewrapGet,
    Operation::KeyResidue,
    // It takes nothing away, and whoever knows of a leak says so at once.
    Operation::KekMarkCompromised,
    Operation::StateVerify,
    Operation::QuarantineList,
    // The shares are the agreement: as many people as they need have come.
    Operation::CeremonyStatus,
    Operation::ShareSubmit,
    Operation::CeremonyMigrate,
    Operation::CeremonyAbort,
    Operation::ServerStatus,
    Operation::AuditQuery,
    Operation::PermissionList,
    Operation::Login,
    Operation::Logout,
    Operation::DelegatedLogin,
    Operation::Query,
    Operation::DiscoverVersions,
    Operation::Ping,
    Operation::SetEndpointRole,
    Operation::Poll,
    Operation::Cancel,
    Operation::Process,
    Operation::QueryAsynchronousRequests,
    Operation::Log,
];

/// Whether no rule can govern this operation.
#[must_use]
pub fn is_never_governed(operation: Operation) -> bool {
    NEVER_GOVERNED.contains(&operation)
}

/// The rules that govern an operation on a target. All of them must be satisfied; none: it may be done alone.
///
/// A rule that names an operation governs also what comes to the same: the use of an object for another's sake, or what its target says. And a rule for objects with
/// some label governs taking that label off, whichever operations it names: else it would hold only until somebody did so.
#[must_use]
pub fn governing<'p>(policy: &'p Policy, operation: Operation, target: &Target) -> Vec<&'p Rule> {
    if is_never_governed(operation) {
        return Vec::new();
    }
    let used = |rule: &Rule, (operation, object): &(Operation, TargetObject)| {
        let alone = Target {
            objects: vec![object.clone()],
            ..Target::default()
        };
        matches(&rule.rule_match, *operation, &alone)
    };
    let leaves = |rule: &Rule, (before, after): &(TargetObject, TargetObject)| {
        is_chosen(&rule.rule_match, before) && !is_chosen(&rule.rule_match, after)
    };
    let governs = |rule: &&Rule| {
        matches(&rule.rule_match, operation, target)
            || target.also.is_some_and(|also| matches(&rule.rule_match, also, target))
            || target.uses.iter().any(|one| used(rule, one))
            || target.relabels.iter().any(|one| leaves(rule, one))
    };
    policy.rules.iter().filter(governs).collect()
}

/// The rules that govern a request: those of [`governing`] and, where it replaces the policy, every rule that it would weaken or
/// remove; where it changes a group, every rule that counts the votes of that group. Who decides by a rule decides who shall.
#[must_use]
pub fn governing_request<'p>(policy: &'p Policy, request: &RequestPayload, target: &Target) -> Vec<&'p Rule> {
    let mut rules = governing(policy, request.operation(), target);
    let concerned = match request {
        RequestPayload::PolicyPut(put) => super::weakened(policy, &put.policy),
        RequestPayload::GroupPut(put) => counting(policy, &put.group.group_name),
        RequestPayload::GroupDelete(delete) => counting(policy, &delete.group_name),
        _ => Vec::new(),
    };
    for rule in concerned {
        if !rules.iter().any(|other| other.rule_name == rule.rule_name) {
            rules.push(rule);
        }
    }
    rules
}

/// The rules that count the votes of a group.
#[must_use]
pub fn counting<'p>(policy: &'p Policy, group: &str) -> Vec<&'p Rule> {
    let counts = |rule: &&Rule| {
        let mut groups = rule.alternatives.iter().flat_map(|way| &way.groups);
        groups.any(|counted| counted.group_name == group)
    };
    policy.rules.iter().filter(counts).collect()
}

/// What an object may be used as for giving out another: as a key that wraps it, or that unwraps it.
const GIVES: [Operation; 6] = [
    Operation::Encrypt,
    Operation::MAC,
    Operation::Sign,
    Operation::Decrypt,
    Operation::MACVerify,
    Operation::SignatureVerify,
];

/// What an operation may use an object as, beside doing itself: a wrapping encrypts, an unwrapping decrypts, a derivation can do either
/// what Encrypt or what MAC does, an authority signs. Who exports, splits or joins an object has it as by Get; what is replaced is destroyed.
/// And what its target may say that it comes to.
const USES: &[(Operation, &[&[Operation]])] = &[
    (Operation::Get, &[&GIVES]),
    (Operation::Export, &[&GIVES, &[Operation::Get]]),
    (Operation::CreateSplitKey, &[&[Operation::Get]]),
    (Operation::JoinSplitKey, &[&[Operation::Get]]),
    (
        Operation::Import,
        &[&[
            Operation::Destroy,
            Operation::Decrypt,
            Operation::MACVerify,
            Operation::SignatureVerify,
        ]],
    ),
    (Operation::DeriveKey, &[&[Operation::Encrypt, Operation::MAC]]),
    (Operation::Certify, &[&[Operation::Sign]]),
    (Operation::ReCertify, &[&[Operation::Sign, Operation::CertificateIssue]]),
    // One that came from a backup of what was never known here becomes this domain's own.
    (Operation::KekActivate, &[&[Operation::KekRestore]]),
];

/// What changes the labels of objects. What replaces an object takes its Names.
const RELABELS: &[Operation] = &[
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::SetAttribute,
    Operation::AdjustAttribute,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
    Operation::ReCertify,
    Operation::Import,
];

/// What an operation may use objects as, beside doing itself: a rule on one of these may govern it.
pub fn uses(operation: Operation) -> impl Iterator<Item = Operation> {
    let of = USES.iter().find(move |(of, _)| *of == operation);
    of.into_iter()
        .flat_map(|(_, uses)| uses.iter().copied().flatten().copied())
}

/// Whether an operation may take labels off objects.
#[must_use]
pub fn is_relabelling(operation: Operation) -> bool {
    RELABELS.contains(&operation)
}

/// Whether a rule may govern this operation: quicker than to find out what it acts upon.
#[must_use]
pub fn may_govern(policy: &Policy, operation: Operation) -> bool {
    let named = |rule: &Rule| {
        let operations = &rule.rule_match.operations;
        operations.contains(&operation) || uses(operation).any(|used| operations.contains(&used))
    };
    let labels = is_relabelling(operation);
    let governs = |rule: &Rule| named(rule) || (labels && goes_by_labels(&rule.rule_match));
    !is_never_governed(operation) && policy.rules.iter().any(governs)
}

/// Whether a match is confined to objects by what clients can change of them.
fn goes_by_labels(wanted: &RuleMatch) -> bool {
    !(wanted.object_groups.is_empty() && wanted.object_names.is_empty() && wanted.application_namespaces.is_empty())
}

/// Whether an object is one of those that a match is confined to.
fn is_chosen(wanted: &RuleMatch, object: &TargetObject) -> bool {
    let RuleMatch {
        operations: _,
        object_types,
        object_groups,
        object_names,
        application_namespaces,
        unique_identifiers,
        person_roles: _,
        reaches_objects: _,
    } = wanted;
    any(object_types, |t| object.object_type == *t)
        && any(object_groups, |g| object.groups.contains(g))
        && any(object_names, |pattern| object.names.iter().any(|n| is_like(pattern, n)))
        && any(application_namespaces, |n| object.namespaces.contains(n))
        && any(unique_identifiers, |u| object.unique_identifier == *u)
}

fn matches(wanted: &RuleMatch, operation: Operation, target: &Target) -> bool {
    let of_objects =
        goes_by_labels(wanted) || !(wanted.object_types.is_empty() && wanted.unique_identifiers.is_empty());
    wanted.operations.contains(&operation)
        && (!of_objects || target.objects.iter().any(|object| is_chosen(wanted, object)))
        && any(&wanted.person_roles, |role| target.roles.contains(role))
        && (wanted.reaches_objects != Some(true) || target.reaches_objects)
}

/// An empty list permits everything.
fn any<T>(list: &[T], is: impl FnMut(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(is)
}

/// Whether a text is like a pattern, in which `*` stands for any characters. Linear in the text for each `*`.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest
            .find(piece)
            .and_then(|at| rest.get(at.saturating_add(piece.len())..))
        {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}
