//! Tenants and what administrators see of the server. Extensions of our own.

use crate::field::structure;
use crate::{CryptoProfile, DateTime, Interval, Operation, PersonRole, Severity, TenantStatus};

structure! {
    /// What can be set for a tenant. An absent setting is the server's.
    #[derive(Eq, Debug, Default)]
    TenantSettings {
        crypto_profile: Option<CryptoProfile> = CRYPTO_PROFILE;
        /// Objects that the tenant may have.
        object_quota: Option<i64> = OBJECT_QUOTA;
        /// Clients that the tenant may have.
        client_quota: Option<i64> = CLIENT_QUOTA;
        /// How long what remains of a destroyed object is kept at least; for ever if absent.
        retention: Option<Interval> = RETENTION;
        /// Whether keys may leave in clear (true unless set).
        plaintext_get: Option<bool> = PLAINTEXT_GET;
        /// Requests per second of all its clients together.
        requests_per_second: Option<i32> = REQUESTS_PER_SECOND;
        /// Whether it is for tests alone, so that Interop may clear it: said when it is made, and never later.
        test_tenant: Option<bool> = TEST_TENANT;
    }

    /// A tenant as it is told.
    #[derive(Eq, Debug)]
    Tenant {
        tenant_name: String = TENANT_NAME;
        tenant_status: TenantStatus = TENANT_STATUS;
        created: DateTime = TIME_STAMP;
        settings: TenantSettings = TENANT_SETTINGS;
        /// Where its KEKs can be; the first is where new ones are made unless another is named.
        hsm_profile_names: Vec<String> = HSM_PROFILE_NAME;
        /// When its KEKs were destroyed, after it was deleted.
        purged: Option<DateTime> = PURGED;
    }

    /// One line of the server's status.
    #[derive(Eq, Debug)]
    StatusItem {
        status_name: String = STATUS_NAME;
        status_value: String = STATUS_VALUE;
        /// How grave it is, where it is a finding that somebody should look at.
        severity: Option<Severity> = SEVERITY;
    }

    /// One row of the table of permissions.
    #[derive(Eq, Debug)]
    Permission {
        operation: Operation = OPERATION;
        operation_name: String = OPERATION_NAME;
        /// Who may ask for it.
        person_roles: Vec<PersonRole> = PERSON_ROLE;
    }
}
