//! Policies and groups (family 01).

use crate::field::structure;
use crate::{Group, Policy, PolicyRevision};

structure! {
    /// Tells the policy in force, or a version of it.
    #[derive(Default)]
    PolicyGetRequest {
        policy_version: Option<i32> = POLICY_VERSION;
    }

    /// Policy Get, the answer.
    PolicyGetResponse {
        policy: PolicyRevision = POLICY;
    }

    /// Replaces the policy of the requester's domain.
    PolicyPutRequest {
        policy: Policy = POLICY;
    }

    /// Policy Put, the answer.
    PolicyPutResponse {
        policy_version: i32 = POLICY_VERSION;
    }

    /// Lists the versions of the policy.
    #[derive(Default)]
    PolicyListRequest {}

    /// Policy List, the answer.
    PolicyListResponse {
        policies: Vec<PolicyRevision> = POLICY;
    }

    /// Lists the groups of the domain.
    #[derive(Default)]
    GroupListRequest {}

    /// Group List, the answer.
    GroupListResponse {
        groups: Vec<Group> = GROUP;
    }

    /// Makes a group or replaces its members.
    GroupPutRequest {
        group: Group = GROUP;
    }

    /// Group Put, the answer.
    #[derive(Default)]
    GroupPutResponse {}

    /// Deletes a group.
    GroupDeleteRequest {
        group_name: String = GROUP_NAME;
    }

    /// Group Delete, the answer.
    #[derive(Default)]
    GroupDeleteResponse {}
}
