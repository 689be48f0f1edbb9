//! Who may ask for what: the one table of it. What no row names is denied. What others must agree to besides is the policy's.
//!
//! Query, Permission List, the generated documentation and the tests come from these rows. Roles are bound to domains: administrators
//! and system auditors to the system, all others to their tenant; handlers act in the domain of whoever asks.

use super::delegation;
use super::quorum::is_never_governed;
use crate::failure::Fault;
use crate::identity::{Principal, Session};
use kmip_protocol::{Operation, PersonRole};

/// A set of those who may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who(u8);

/// How far a person must be authenticated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Needed {
    /// Its certificate is enough.
    Certificate,
    /// Logged in, be it with an initial password.
    Initial,
    /// Logged in with both factors.
    Full,
}

/// One row: who may ask for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permission {
    /// The operation.
    pub operation: Operation,
    /// Who may.
    pub who: Who,
    /// From which session on, for people.
    pub session: Needed,
}

impl Who {
    /// Nobody: the server sends it, or nobody yet.
    pub const NOBODY: Self = Self(0);
    /// Administrators of the system.
    pub const ADMINISTRATOR: Self = Self(1 << 0);
    /// Auditors of the system.
    pub const SYSTEM_AUDITOR: Self = Self(1 << 1);
    /// Operators of a tenant.
    pub const OPERATOR: Self = Self(1 << 2);
    /// Auditors of a tenant.
    pub const AUDITOR: Self = Self(1 << 3);
    /// Custodians of a tenant.
    pub const CUSTODIAN: Self = Self(1 << 4);
    /// Registered clients.
    pub const CLIENT: Self = Self(1 << 5);
    /// Certificates that are accepted and nobody's.
    pub const STRANGER: Self = Self(1 << 6);

    /// Who changes things in its domain.
    const MANAGERS: Self = Self::ADMINISTRATOR.or(Self::OPERATOR);
    /// Who reads everything in its domain.
    const READERS: Self = Self::MANAGERS.or(Self::SYSTEM_AUDITOR).or(Self::AUDITOR);
    /// Who may be asked to agree.
    const VOTERS: Self = Self::MANAGERS.or(Self::CUSTODIAN);
    /// Every person.
    const PEOPLE: Self = Self::READERS.or(Self::CUSTODIAN);
    /// Who reads what belongs to a tenant.
    const TENANT_READERS: Self = Self::OPERATOR.or(Self::AUDITOR);
    /// Who reads what belongs to the system.
    const SYSTEM_READERS: Self = Self::ADMINISTRATOR.or(Self::SYSTEM_AUDITOR);
    /// Who may hold a share of a legacy token.
    const SHARE_HOLDERS: Self = Self::OPERATOR.or(Self::CUSTODIAN);
    /// Every person of a tenant.
    const TENANT_PEOPLE: Self = Self::TENANT_READERS.or(Self::CUSTODIAN);
    /// Everybody with a name.
    const REGISTERED: Self = Self::PEOPLE.or(Self::CLIENT);
    /// Everybody.
    const ANYONE: Self = Self::REGISTERED.or(Self::STRANGER);

    /// The people of a role. A role that nobody has declared has no rights.
    #[must_use]
    pub const fn of_role(role: PersonRole) -> Self {
        match role {
            PersonRole::Administrator => Self::ADMINISTRATOR,
            PersonRole::SystemAuditor => Self::SYSTEM_AUDITOR,
            PersonRole::Operator => Self::OPERATOR,
            PersonRole::Auditor => Self::AUDITOR,
            PersonRole::Custodian => Self::CUSTODIAN,
            _ => Self::NOBODY,
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether somebody is in both sets.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The rows, each `who, session: operations;`. An operation stands in one row only: a second one could never be reached, which the
/// compiler refuses.
macro_rules! permissions {
    ($($who:ident, $session:ident: $($operation:ident)+;)+) => {
        /// Every row.
        pub const PERMISSIONS: &[Permission] = &[$($(Permission {
            operation: Operation::$operation,
            who: Who::$who,
            session: Needed::$session,
        },)+)+];

        /// The row of an operation.
        #[must_use]
        #[deny(unreachable_patterns)]
        pub const fn permission(operation: Operation) -> Option<Permission> {
            let (who, session) = match operation {
                $($(Operation::$operation)|+ => (Who::$who, Needed::$session),)+
                _ => return None,
            };
            Some(Permission { operation, who, session })
        }
    };
}

permissions! {
    ANYONE, Certificate: Query DiscoverVersions;

    // Clients: the object operations, and what serves them.
    CLIENT, Full:
        Create CreateKeyPair Register ReKey ReKeyKeyPair DeriveKey Certify ReCertify Locate Check Get GetAttributes GetAttributeList
        AddAttribute ModifyAttribute DeleteAttribute SetAttribute AdjustAttribute ObtainLease GetUsageAllocation Activate Revoke
        Destroy Archive Recover Validate Encrypt Decrypt Sign SignatureVerify MAC MACVerify RNGRetrieve RNGSeed Hash CreateSplitKey
        JoinSplitKey Import Export Log DelegatedLogin SetEndpointRole PKCS_11 Interop ReProvision SetDefaults SetConstraints
        GetConstraints;
    // The server sends these to clients.
    NOBODY, Full: Notify Put;

    // Requests that wait, governed ones among them, by whoever made them.
    REGISTERED, Full: Poll Cancel Process QueryAsynchronousRequests Ping;

    // Sessions, and people's own accounts.
    REGISTERED, Certificate: Login;
    REGISTERED, Initial: Logout;
    PEOPLE, Initial: PasswordChange;
    PEOPLE, Full: PersonGet PersonModify OneTimeEnroll OneTimeConfirm PermissionList;

    // Proposals. Auditors only read; custodians read and vote.
    PEOPLE, Full: ProposalList ProposalGet PolicyEvaluate PolicyGet GroupList;
    VOTERS, Full: ProposalVote ProposalWithdrawVote ProposalVeto ProposalFollowUp ProposalShare;
    MANAGERS, Full: ProposalComplete;

    // Policies, groups and people of the own domain.
    READERS, Full: PolicyList PersonList;
    MANAGERS, Full:
        PolicyPut GroupPut GroupDelete PersonCreate PersonSuspend PersonResume PersonReset PersonDelete CredentialAdd
        CredentialRevoke PersonUnlock;

    // Tenants, as administrators see them; a tenant's own readers see theirs.
    READERS, Full: TenantGet;
    SYSTEM_READERS, Full: TenantList;
    ADMINISTRATOR, Full: TenantCreate TenantModify TenantSuspend TenantResume TenantDelete TenantRecover TenantPurge;

    // Clients of a tenant and what belongs to them.
    TENANT_READERS, Full: ClientGet ClientList ApplicationList NamespaceList EndpointGet EndpointList;
    OPERATOR, Full:
        ClientCreate ClientModify ClientSuspend ClientResume ClientDelete CertificateIssue CertificateRevoke ApplicationCreate
        ApplicationDelete ApplicationJoin NamespaceCreate NamespaceModify NamespaceDelete ObjectPurge
        EndpointCreate EndpointDelete EndpointTest;

    // Authorities: of a tenant for its clients and people, of the system for its people.
    READERS, Full: AuthorityList RevocationListGet;
    MANAGERS, Full: AuthorityCreate AuthorityModify AuthorityDelete;

    // Where KEKs lie: administrators have them, a tenant's people see those that it may use.
    READERS, Full: HsmProfileList HsmProfileGet;
    MANAGERS, Full: HsmProfileTest;
    ADMINISTRATOR, Full: HsmProfileCreate HsmProfileDelete HsmProfileLink HsmProfileUnlink HsmProfileRotatePin
        HsmProfileAbandon;

    // Key-management credentials, shared among those who decide.
    READERS, Full: SharingList;
    VOTERS, Full: ShareKeyPut;
    MANAGERS, Full: ShareKeyRevoke SharingRenew RecoveryPut;
    ADMINISTRATOR, Full: ManagementPut SharingGrant;

    // What keeps keys: the KEKs of the own domain.
    READERS, Full: KekList KekRewrapGet KeyResidue;
    MANAGERS, Full:
        KekCreate KekActivate KekAddProfile KekRemoveProfile KekBackup KekRestore KekRewrap KekDelete KekMarkCompromised;

    // Records that are not as the trail has them.
    READERS, Full: StateVerify QuarantineList;
    MANAGERS, Full: QuarantineRelease;

    ADMINISTRATOR, Full: RestoreAccept;

    // Legacy tokens: brought by administrators, opened by those who hold shares of them.
    ADMINISTRATOR, Full: LegacyTokenImport LegacyTokenWithdraw;
    TENANT_PEOPLE, Full: CeremonyStatus;
    SHARE_HOLDERS, Full: ShareSubmit CeremonyAbort;
    OPERATOR, Full: CeremonyMigrate;

    // The server itself. Whoever acts does not read the trail of the acts.
    READERS, Full: ServerStatus;
    SYSTEM_AUDITOR_OR_AUDITOR, Full: AuditQuery;
}

impl Who {
    /// Those who read the trail.
    const SYSTEM_AUDITOR_OR_AUDITOR: Self = Self::SYSTEM_AUDITOR.or(Self::AUDITOR);
}

impl Permission {
    /// The roles that may.
    pub fn roles(self) -> impl Iterator<Item = PersonRole> {
        let who = self.who;
        PersonRole::ALL
            .iter()
            .copied()
            .filter(move |role| who.meets(Who::of_role(*role)))
    }
}

/// Whether this principal may ask for this operation now. Whether others must agree besides is not asked here.
#[must_use]
pub fn permitted(principal: &Principal, operation: Operation) -> bool {
    check(principal, operation).is_ok()
}

/// The same, with what is told to whoever may not.
///
/// # Errors
/// Whoever is not authenticated, or not far enough, is told that and nothing more.
pub fn check(principal: &Principal, operation: Operation) -> Result<(), Fault> {
    let row = permission(operation);
    let who = row.map_or(Who::NOBODY, |row| row.who);
    match principal {
        Principal::Process(_) => Ok(()),
        Principal::Unregistered(_) if who.meets(Who::STRANGER) => Ok(()),
        Principal::Unregistered(_) => Err(Fault::NotAuthenticated),
        Principal::Client(client)
            if client
                .rights()
                .is_some_and(|rights| !delegation::permits(rights, operation)) =>
        {
            Err(Fault::RightsRefused)
        }
        // What everybody may know, a client's settings do not withhold.
        Principal::Client(client) if who.meets(Who::CLIENT) => {
            if client.migration_required && !who.meets(Who::STRANGER) {
                Err(Fault::MigrationRequired)
            } else if who.meets(Who::STRANGER) || client.limits.permits(operation) {
                Ok(())
            } else {
                Err(Fault::PermissionDenied)
            }
        }
        Principal::Client(_) => Err(denied(row)),
        Principal::Person(person) => {
            let session = match person.session {
                Session::Certificate => Needed::Certificate,
                Session::Initial(_) => Needed::Initial,
                Session::Full(_) => Needed::Full,
            };
            let may = who.meets(Who::of_role(person.role));
            match row {
                Some(row) if may && session >= row.session => {
                    let waits = person.migration_required && Who::SHARE_HOLDERS.meets(Who::of_role(person.role));
                    if waits && !is_of_ceremony(operation) {
                        Err(Fault::MigrationRequired)
                    } else {
                        Ok(())
                    }
                }
                _ if session == Needed::Certificate => Err(Fault::LoginRequired),
                Some(_) if may => Err(Fault::PasswordChangeRequired),
                row => Err(denied(row)),
            }
        }
    }
}

/// What a tenant's operators and custodians can do before its legacy tokens have been migrated: log in, see how it stands, and migrate them.
/// Auditors read on.
const fn is_of_ceremony(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Query
            | Operation::DiscoverVersions
            | Operation::Ping
            | Operation::Login
            | Operation::Logout
            | Operation::PasswordChange
            | Operation::OneTimeEnroll
            | Operation::OneTimeConfirm
            | Operation::PermissionList
            | Operation::PersonGet
            | Operation::TenantGet
            | Operation::ServerStatus
            | Operation::CeremonyStatus
            | Operation::ShareSubmit
            | Operation::CeremonyMigrate
            | Operation::CeremonyAbort
    )
}

/// What administrators do in a database that was put back: look, protect, agree, and go on with it.
#[must_use]
pub fn is_of_restore(operation: Operation) -> bool {
    operation == Operation::RestoreAccept || is_never_governed(operation)
}

/// What is told of an operation that is not permitted: that it is not, or that it does not exist.
const fn denied(row: Option<Permission>) -> Fault {
    match row {
        Some(_) => Fault::PermissionDenied,
        None => Fault::OperationNotSupported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::OPERATIONS;

    #[test]
    fn every_operation_has_exactly_one_row() {
        for operation in OPERATIONS {
            let rows = PERMISSIONS.iter().filter(|row| row.operation == *operation);
            assert_eq!(rows.count(), 1, "{operation}");
        }
        assert_eq!(PERMISSIONS.len(), OPERATIONS.len());
    }

    /// Before its legacy tokens are migrated, a tenant's people read how it stands, log in and out, and migrate; nothing else, and nothing
    /// that they could not do otherwise.
    #[test]
    fn a_ceremony_leaves_nothing_else_to_do() {
        let person = |role, migration_required| {
            Principal::Person(std::sync::Arc::new(crate::identity::PersonPrincipal {
                domain: crate::store::Domain([1; 16]),
                person: [2; 16],
                name: "olga".into(),
                role,
                key_fingerprint: [3; 32],
                hardware: false,
                session: Session::Full([4; 16]),
                seen: None,
                tenant_seen: None,
                ticket_seen: None,
                migration_required,
            }))
        };
        let may = |principal: &Principal| -> Vec<Operation> {
            let all = OPERATIONS.iter().copied();
            all.filter(|operation| permitted(principal, *operation)).collect()
        };
        for role in [PersonRole::Operator, PersonRole::Custodian] {
            let (free, bound) = (may(&person(role, false)), may(&person(role, true)));
            assert!(bound.iter().all(|operation| free.contains(operation)), "{role}");
            let kept = free.iter().filter(|operation| is_of_ceremony(**operation));
            assert_eq!(kept.copied().collect::<Vec<_>>(), bound, "{role}");
            assert!(bound.contains(&Operation::ShareSubmit) && bound.contains(&Operation::CeremonyStatus));
            for refused in free.iter().filter(|operation| !bound.contains(operation)) {
                assert_eq!(
                    check(&person(role, true), *refused),
                    Err(Fault::MigrationRequired),
                    "{refused}"
                );
            }
            assert!(free.len() > bound.len());
        }
        assert_eq!(
            may(&person(PersonRole::Auditor, true)),
            may(&person(PersonRole::Auditor, false))
        );
        let changing = |operation: &Operation| {
            let name = operation.name().unwrap_or_default();
            [
                "Create", "Put", "Delete", "Resume", "Reset", "Add", "Activate", "Import",
            ]
            .iter()
            .any(|end| name.ends_with(end))
        };
        assert!(!may(&person(PersonRole::Operator, true)).iter().any(changing));
    }

    #[test]
    fn clients_and_strangers_have_no_vendor_operation_and_people_no_object_operation() {
        for row in PERMISSIONS {
            let vendor = row.operation.0 >= 0x8000_0000;
            assert!(!vendor || !row.who.meets(Who::CLIENT.or(Who::STRANGER)), "{row:?}");
            let serves_both = matches!(
                row.operation,
                Operation::Query
                    | Operation::DiscoverVersions
                    | Operation::Poll
                    | Operation::Cancel
                    | Operation::Process
                    | Operation::QueryAsynchronousRequests
                    | Operation::Ping
                    | Operation::Login
                    | Operation::Logout
            );
            assert!(
                serves_both || !(row.who.meets(Who::CLIENT) && row.who.meets(Who::PEOPLE)),
                "{row:?}"
            );
        }
    }

    #[test]
    fn auditors_only_read_and_custodians_only_vote() {
        let own = [
            Operation::Login,
            Operation::Logout,
            Operation::PasswordChange,
            Operation::PersonModify,
            Operation::OneTimeEnroll,
            Operation::OneTimeConfirm,
            Operation::ShareKeyPut,
            Operation::Cancel,
            Operation::Process,
        ];
        let reads = |operation: Operation| {
            let name = operation.name().unwrap_or_default();
            [
                "List", "Get", "Query", "Verify", "Evaluate", "Status", "Versions", "Poll", "Ping", "Requests",
                "Residue",
            ]
            .iter()
            .any(|end| name.ends_with(end))
        };
        let votes = [
            Operation::ProposalVote,
            Operation::ProposalWithdrawVote,
            Operation::ProposalVeto,
            Operation::ProposalFollowUp,
            Operation::ProposalShare,
        ];
        // A share of a legacy token is its holder's, as a vote is.
        let shares = [Operation::ShareSubmit, Operation::CeremonyAbort];
        for row in PERMISSIONS {
            let operation = row.operation;
            if row.who.meets(Who::AUDITOR.or(Who::SYSTEM_AUDITOR)) {
                assert!(reads(operation) || own.contains(&operation), "{operation}");
            }
            if row.who.meets(Who::CUSTODIAN) {
                assert!(
                    reads(operation)
                        || own.contains(&operation)
                        || votes.contains(&operation)
                        || shares.contains(&operation),
                    "{operation}"
                );
            }
        }
    }
}
