//! Tenants (family 03): by administrators.

use crate::field::structure;
use crate::{NewPerson, PolicyTemplate, Tenant, TenantSettings};

structure! {
    /// Makes a tenant, with its first operators and its first KEK.
    TenantCreateRequest {
        tenant_name: String = TENANT_NAME;
        /// At least as many as its policy wants.
        operators: Vec<NewPerson> = PERSON;
        policy_template: Option<PolicyTemplate> = POLICY_TEMPLATE;
        settings: Option<TenantSettings> = TENANT_SETTINGS;
        /// Where its KEKs are to be; the server's first choice if absent.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        /// The backup string of a protected KEK, to be the tenant that it is of: with its identity, and with this KEK.
        backup_string: Option<String> = BACKUP_STRING;
        /// Whether the backup is opened by the shares of its recovery group, which administrators hold, and not by an HSM.
        recover: Option<bool> = RECOVER;
    }

    /// Tenant Create, the answer.
    #[derive(Default)]
    TenantCreateResponse {}

    /// Tells a tenant.
    #[derive(Default)]
    TenantGetRequest {
        /// The reader's own if absent.
        tenant_name: Option<String> = TENANT_NAME;
    }

    /// Tenant Get, the answer.
    TenantGetResponse {
        tenant: Tenant = TENANT;
    }

    /// Lists tenants.
    #[derive(Default)]
    TenantListRequest {
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// Tenant List, the answer.
    TenantListResponse {
        tenants: Vec<Tenant> = TENANT;
    }

    /// Replaces the settings of a tenant.
    TenantModifyRequest {
        tenant_name: String = TENANT_NAME;
        settings: TenantSettings = TENANT_SETTINGS;
    }

    /// Tenant Modify, the answer.
    #[derive(Default)]
    TenantModifyResponse {}

    /// Suspends a tenant: one may, at once.
    TenantSuspendRequest {
        tenant_name: String = TENANT_NAME;
    }

    /// Tenant Suspend, the answer.
    #[derive(Default)]
    TenantSuspendResponse {}

    /// Lifts a suspension.
    TenantResumeRequest {
        tenant_name: String = TENANT_NAME;
    }

    /// Tenant Resume, the answer.
    #[derive(Default)]
    TenantResumeResponse {}

    /// Deletes a tenant: it is served no more, and its name is free.
    TenantDeleteRequest {
        tenant_name: String = TENANT_NAME;
    }

    /// Tenant Delete, the answer.
    #[derive(Default)]
    TenantDeleteResponse {}

    /// Invites an operator to a tenant whose quorum can no longer be met.
    TenantRecoverRequest {
        tenant_name: String = TENANT_NAME;
        operator: NewPerson = PERSON;
    }

    /// Tenant Recover, the answer.
    #[derive(Default)]
    TenantRecoverResponse {}
}
