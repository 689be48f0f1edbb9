//! HSM-Profiles (family 04): where KEKs lie, and who may use them.

use crate::field::structure;
use crate::{HsmProfile, SecretText};

structure! {
    /// Makes an HSM-Profile. The token is logged in to before there is one.
    HsmProfileCreateRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// One of the modules that the server's settings name; absent for key files on the server's disk.
        module_name: Option<String> = MODULE_NAME;
        token_label: Option<String> = TOKEN_LABEL;
        token_serial: Option<String> = TOKEN_SERIAL;
        /// Sessions that the server opens at most.
        session_limit: Option<i32> = SESSION_LIMIT;
        /// How long the token may take for one request.
        deadline_milliseconds: Option<i32> = DEADLINE_MILLISECONDS;
        key_usage_pin: Option<SecretText> = KEY_USAGE_PIN;
        /// The key-management credential, where the token has a user of its own for that: it is shared among the administrators.
        management_pin: Option<SecretText> = MANAGEMENT_PIN;
    }

    /// HSM Profile Create, the answer.
    #[derive(Default)]
    HsmProfileCreateResponse {}

    /// Lists HSM-Profiles: to administrators and system auditors all, to others those of their tenant.
    #[derive(Default)]
    HsmProfileListRequest {
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// HSM Profile List, the answer. Whether they answer is not asked.
    HsmProfileListResponse {
        hsm_profiles: Vec<HsmProfile> = HSM_PROFILE;
    }

    /// Tells an HSM-Profile, and whether it answers.
    HsmProfileGetRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// HSM Profile Get, the answer.
    HsmProfileGetResponse {
        hsm_profile: HsmProfile = HSM_PROFILE;
    }

    /// Deletes an HSM-Profile that nobody uses.
    HsmProfileDeleteRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// HSM Profile Delete, the answer.
    #[derive(Default)]
    HsmProfileDeleteResponse {}

    /// Lets a tenant use an HSM-Profile.
    HsmProfileLinkRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// The system itself if absent.
        tenant_name: Option<String> = TENANT_NAME;
        /// Whether new KEKs are made there unless another is named.
        first: Option<bool> = FIRST;
    }

    /// HSM Profile Link, the answer.
    #[derive(Default)]
    HsmProfileLinkResponse {}

    /// Lets a tenant use an HSM-Profile no more, in which it has no KEK.
    HsmProfileUnlinkRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// The system itself if absent.
        tenant_name: Option<String> = TENANT_NAME;
    }

    /// HSM Profile Unlink, the answer.
    #[derive(Default)]
    HsmProfileUnlinkResponse {}

    /// Changes the key-usage PIN, at the token and here.
    HsmProfileRotatePinRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// One that the server makes and nobody learns if absent.
        new_pin: Option<SecretText> = NEW_PIN;
        /// Whether the token has it already, and only the server is to learn it.
        stored_only: Option<bool> = STORED_ONLY;
    }

    /// HSM Profile Rotate PIN, the answer.
    #[derive(Default)]
    HsmProfileRotatePinResponse {}

    /// Asks the token anew what it can do.
    HsmProfileTestRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// HSM Profile Test, the answer.
    HsmProfileTestResponse {
        hsm_profile: HsmProfile = HSM_PROFILE;
    }

    /// Gives up an HSM-Profile whose HSM is gone for good. What lies there alone is lost; nobody asks for it any more.
    HsmProfileAbandonRequest {
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// HSM Profile Abandon, the answer.
    HsmProfileAbandonResponse {
        /// KEKs that lay there alone.
        lost_keks: i64 = LOST_KEKS;
        /// Records that lie under them.
        lost_records: i64 = LOST_RECORDS;
    }
}
