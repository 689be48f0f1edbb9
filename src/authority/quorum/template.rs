//! Policies to begin with: `mtg`, `strict`, `off`.

use super::people::{ADMINISTRATORS, OPERATORS};
use kmip_protocol::{
    BindTarget, Completion, Interval, Operation, Policy, PolicyTemplate, Proof, Rule, RuleAlternative, RuleGroup,
    RuleMatch, Severity, Veto,
};

/// Whose policy it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The installation's: its people are administrators.
    System,
    /// A tenant's: its people are operators.
    Tenant,
}

impl Scope {
    /// The group that administers there.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::System => ADMINISTRATORS,
            Self::Tenant => OPERATORS,
        }
    }
}

const HOUR: u32 = 60 * 60;

/// How long a new member does not count, unless a policy says otherwise: long enough to be noticed.
const SEASONING: u32 = 24 * HOUR;
/// How long votes can be cast: over a weekend.
const APPROVE_TTL: u32 = 72 * HOUR;
/// How long after that it can be carried out.
const EXECUTE_TTL: u32 = 24 * HOUR;
/// How long a tenant's recovery waits for somebody to object.
pub(super) const RECOVERY_TIMELOCK: u32 = 72 * HOUR;

/// What decides who decides: no policy of several people leaves it to one.
pub(super) const FLOOR: &[Operation] = &[
    Operation::PolicyPut,
    Operation::GroupPut,
    Operation::GroupDelete,
    Operation::PersonCreate,
    Operation::PersonDelete,
    // A reset password and a key of one's own would make one person two.
    Operation::PersonResume,
    Operation::CredentialAdd,
    // Whoever could say alone which key is somebody else's would be handed that one's shares, too.
    Operation::ShareKeyPut,
    // The people of a domain have agreed to each of its KEKs, that one goes, and to who holds what opens the HSM.
    Operation::KekCreate,
    Operation::KekAddProfile,
    Operation::KekRemoveProfile,
    Operation::KekRestore,
    Operation::KekDelete,
    Operation::SharingRenew,
    Operation::RecoveryPut,
    // What was found altered behind the server's back counts again only if people say so.
    Operation::QuarantineRelease,
];

/// KEKs as they come and go, who holds what opens the HSM, and what moves from one KEK to another.
const KEKS: &[Operation] = &[
    Operation::KekCreate,
    Operation::KekAddProfile,
    Operation::KekRemoveProfile,
    Operation::KekRestore,
    Operation::KekRewrap,
    Operation::KekDelete,
    Operation::SharingRenew,
    Operation::RecoveryPut,
];

/// What belongs to the floor of the system's policy beside that.
pub(super) const SYSTEM_FLOOR: &[Operation] = &[
    Operation::TenantCreate,
    Operation::TenantModify,
    Operation::TenantResume,
    Operation::TenantDelete,
    Operation::TenantRecover,
    Operation::TenantPurge,
    Operation::ManagementPut,
    Operation::SharingGrant,
    Operation::HsmProfileCreate,
    Operation::HsmProfileDelete,
    Operation::HsmProfileLink,
    Operation::HsmProfileUnlink,
    Operation::HsmProfileRotatePin,
    Operation::HsmProfileAbandon,
    // What stops a tenant's people, and what lets them go on without those who hold the shares.
    Operation::LegacyTokenImport,
    Operation::LegacyTokenWithdraw,
    // What one person did yesterday could be undone by yesterday's database.
    Operation::RestoreAccept,
];

/// A policy made from a template. `Off` in the system's scope is one that [`super::check_policy`] refuses.
#[must_use]
pub fn template(template: PolicyTemplate, scope: Scope) -> Policy {
    match template {
        PolicyTemplate::Off => off(scope),
        PolicyTemplate::Strict => strict(scope),
        _ => mtg(scope),
    }
}

/// As the products do it that have two people's agreement: the proposer is the first of two, somebody presses "complete".
fn mtg(scope: Scope) -> Policy {
    let shape = Shape {
        requester_counts: true,
        completion: Completion::Manual,
        reason_required: false,
        group: scope.group(),
        quorum: 2,
    };
    let mut rules = vec![
        shape.rule(
            "policy",
            &[Operation::PolicyPut, Operation::GroupPut, Operation::GroupDelete],
        ),
        shape.rule(
            "people",
            &[
                Operation::PersonCreate,
                Operation::PersonDelete,
                Operation::PersonResume,
            ],
        ),
        shape.credentials(),
        shape.rule("keks", KEKS),
        shape.rule("quarantine", &[Operation::QuarantineRelease]),
    ];
    match scope {
        Scope::System => rules.extend(shape.tenants()),
        Scope::Tenant => {
            rules.extend(shape.access());
            rules.push(shape.purge());
        }
    }
    Policy {
        policy_template: Some(PolicyTemplate::Mtg),
        seasoning: Interval(SEASONING),
        margin: 0,
        fewest_operators: 2,
        rules,
        separation_required: None,
    }
}

/// Two people beside the one who asks, for nearly everything.
fn strict(scope: Scope) -> Policy {
    let shape = Shape {
        requester_counts: false,
        completion: Completion::OnQuorum,
        reason_required: true,
        group: scope.group(),
        quorum: 2,
    };
    let mut rules = vec![
        shape.rule(
            "policy",
            &[Operation::PolicyPut, Operation::GroupPut, Operation::GroupDelete],
        ),
        shape.rule(
            "people",
            &[
                Operation::PersonCreate,
                Operation::PersonDelete,
                Operation::PersonResume,
                Operation::PersonReset,
                Operation::PersonUnlock,
            ],
        ),
        shape.credentials(),
        shape.rule("authorities", &[Operation::AuthorityCreate, Operation::AuthorityDelete]),
        shape.rule("keks", KEKS),
        shape.rule("keks-used", &[Operation::KekActivate, Operation::KekBackup]),
        shape.rule("quarantine", &[Operation::QuarantineRelease]),
    ];
    match scope {
        Scope::System => rules.extend(shape.tenants()),
        Scope::Tenant => {
            rules.push(shape.rule(
                "clients",
                &[
                    Operation::ClientCreate,
                    Operation::ClientModify,
                    Operation::ClientResume,
                    Operation::ClientDelete,
                    Operation::ApplicationCreate,
                    Operation::ApplicationDelete,
                    Operation::ApplicationJoin,
                    Operation::EndpointCreate,
                ],
            ));
            // A fresh revocation list and a suspension protect: they wait for nobody.
            let mut opened = shape.rule("authorities-opened", &[Operation::AuthorityModify]);
            opened.rule_match.reaches_objects = Some(true);
            rules.push(opened);
            rules.push(shape.on_claim("certificates", &[Operation::CertificateIssue]));
            rules.push(shape.rule("destroy", &[Operation::Destroy]));
            rules.push(shape.purge());
            rules.push(shape.on_claim("export", &[Operation::Export]));
        }
    }
    Policy {
        policy_template: Some(PolicyTemplate::Strict),
        seasoning: Interval(SEASONING),
        margin: 1,
        fewest_operators: 4,
        rules,
        separation_required: Some(true),
    }
}

/// Nothing but the floor: what decides who decides is at least said twice, asked and signed, if only by the same person.
fn off(scope: Scope) -> Policy {
    let shape = Shape {
        requester_counts: true,
        completion: Completion::OnQuorum,
        reason_required: false,
        group: scope.group(),
        quorum: 1,
    };
    let mut floor = shape.rule("floor", FLOOR);
    // One operator may be all there is, and may be the one acted upon.
    floor.exclude_subject = false;
    Policy {
        policy_template: Some(PolicyTemplate::Off),
        seasoning: Interval(0),
        margin: 0,
        fewest_operators: 1,
        rules: vec![floor],
        separation_required: None,
    }
}

/// What the rules of a template have in common.
struct Shape {
    requester_counts: bool,
    completion: Completion,
    reason_required: bool,
    group: &'static str,
    quorum: i32,
}

impl Shape {
    fn rule(&self, name: &str, operations: &[Operation]) -> Rule {
        Rule {
            rule_name: name.to_owned(),
            rule_match: RuleMatch {
                operations: operations.to_vec(),
                ..RuleMatch::default()
            },
            reason_required: self.reason_required,
            requester_counts: self.requester_counts,
            exclude_subject: true,
            proof: Proof::Signature,
            veto: Veto::Any,
            bind_target: BindTarget::Exact,
            completion: self.completion,
            approve_ttl: Interval(APPROVE_TTL),
            execute_ttl: Interval(EXECUTE_TTL),
            alternatives: vec![self.alternative(0, None)],
        }
    }

    fn alternative(&self, timelock: u32, severity: Option<Severity>) -> RuleAlternative {
        RuleAlternative {
            timelock: Interval(timelock),
            severity,
            groups: vec![RuleGroup {
                group_name: self.group.to_owned(),
                quorum: self.quorum,
            }],
        }
    }

    /// Where the reply carries a secret: nothing of it is made before the requester fetches it.
    fn on_claim(&self, name: &str, operations: &[Operation]) -> Rule {
        Rule {
            completion: Completion::OnClaim,
            ..self.rule(name, operations)
        }
    }

    /// Another certificate for somebody. He may be one of the two who agree, else two could never renew theirs.
    fn credentials(&self) -> Rule {
        Rule {
            exclude_subject: false,
            ..self.rule("credentials", &[Operation::CredentialAdd, Operation::ShareKeyPut])
        }
    }

    /// What gives a client access to keys that there are already: otherwise one operator could reach every key.
    fn access(&self) -> [Rule; 2] {
        let mut clients = self.rule(
            "access",
            &[
                Operation::ApplicationJoin,
                Operation::ClientCreate,
                Operation::ClientModify,
                Operation::ClientResume,
                Operation::AuthorityCreate,
                Operation::AuthorityModify,
                Operation::EndpointCreate,
            ],
        );
        clients.rule_match.reaches_objects = Some(true);
        let mut certificates = self.on_claim("access-certificates", &[Operation::CertificateIssue]);
        certificates.rule_match.reaches_objects = Some(true);
        [clients, certificates]
    }

    /// Nobody brings back what was purged.
    fn purge(&self) -> Rule {
        self.rule("purge", &[Operation::ObjectPurge])
    }

    fn tenants(&self) -> Vec<Rule> {
        let tenants = self.rule(
            "tenants",
            &[
                Operation::TenantCreate,
                Operation::TenantModify,
                Operation::TenantResume,
                Operation::TenantDelete,
                Operation::LegacyTokenImport,
                Operation::LegacyTokenWithdraw,
                Operation::TenantPurge,
            ],
        );
        let management = self.rule("management", &[Operation::ManagementPut, Operation::SharingGrant]);
        let recovery = Rule {
            alternatives: vec![self.alternative(RECOVERY_TIMELOCK, Some(Severity::Critical))],
            ..self.rule("tenant-recovery", &[Operation::TenantRecover])
        };
        let profiles = self.rule(
            "hsm-profiles",
            &[
                Operation::HsmProfileCreate,
                Operation::HsmProfileDelete,
                Operation::HsmProfileLink,
                Operation::HsmProfileUnlink,
                Operation::HsmProfileRotatePin,
                Operation::HsmProfileAbandon,
            ],
        );
        let restore = self.rule("restore", &[Operation::RestoreAccept]);
        vec![tenants, profiles, management, restore, recovery]
    }
}
