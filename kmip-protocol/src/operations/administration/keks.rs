//! KEKs of a tenant, or of the system (family 05, P-KMS-TNT-02).

use crate::field::structure;
use crate::{DateTime, Kek, KekKind, KekState, Residue, Rewrap};

structure! {
    /// Makes a KEK, which wraps nothing before it is activated.
    #[derive(Default)]
    KekCreateRequest {
        /// HSM-Profiles of the tenant; absent for its first. More than one for a protected KEK only.
        hsm_profile_names: Vec<String> = HSM_PROFILE_NAME;
        /// What the HSM-Profile keeps by itself if absent: resident KEKs in a token.
        kek_kind: Option<KekKind> = KEK_KIND;
    }

    /// Kek Create, the answer.
    KekCreateResponse {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Has a KEK wrap what is new; the one that did so opens from then on what it wrapped, and wraps nothing.
    KekActivateRequest {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Kek Activate, the answer.
    #[derive(Default)]
    KekActivateResponse {}

    /// Lists KEKs.
    #[derive(Default)]
    KekListRequest {}

    /// Kek List, the answer: the newest first.
    KekListResponse {
        keks: Vec<Kek> = KEK;
    }
    /// Has the records that lie under a KEK wrapped anew, under the active one, in the background. One that is under way already ends
    /// with it.
    #[derive(Default)]
    KekRewrapRequest {
        /// The KEK that they lie under; absent for all that are not active.
        kek_generation: Option<i32> = KEK_GENERATION;
        /// How fast at most; the server's choice if absent.
        records_per_second: Option<i32> = RECORDS_PER_SECOND;
    }

    /// Kek Rewrap, the answer: it has begun.
    #[derive(Default)]
    KekRewrapResponse {}

    /// Says how far the last Kek Rewrap has come.
    #[derive(Default)]
    KekRewrapGetRequest {}

    /// Kek Rewrap Get, the answer.
    KekRewrapGetResponse {
        /// Absent if there was none yet.
        rewrap: Option<Rewrap> = REWRAP;
    }

    /// Destroys a KEK that nothing lies under any more, and verifies that it is gone.
    KekDeleteRequest {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Kek Delete, the answer.
    #[derive(Default)]
    KekDeleteResponse {}

    /// Says of a KEK that others may know it. It is not activated any more.
    KekMarkCompromisedRequest {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Kek Mark Compromised, the answer.
    KekMarkCompromisedResponse {
        /// What it still is: of an active one another is to be made and activated.
        kek_state: KekState = KEK_STATE;
    }

    /// Has another HSM-Profile open a protected KEK too.
    KekAddProfileRequest {
        kek_generation: i32 = KEK_GENERATION;
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// Kek Add Profile, the answer.
    #[derive(Default)]
    KekAddProfileResponse {}

    /// Has an HSM-Profile open a protected KEK no more: its key pair is destroyed. The last one stays.
    KekRemoveProfileRequest {
        kek_generation: i32 = KEK_GENERATION;
        hsm_profile_name: String = HSM_PROFILE_NAME;
    }

    /// Kek Remove Profile, the answer.
    #[derive(Default)]
    KekRemoveProfileResponse {}

    /// Tells a protected KEK, sealed to those who can open it.
    KekBackupRequest {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Kek Backup, the answer.
    KekBackupResponse {
        backup_string: String = BACKUP_STRING;
    }

    /// Takes a protected KEK of this tenant in again.
    KekRestoreRequest {
        backup_string: String = BACKUP_STRING;
        /// The HSM-Profile whose token opens it; the tenant's first if absent.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        /// Whether it is opened by the shares of its recovery group: the HSM-Profile gets a new key pair for it.
        recover: Option<bool> = RECOVER;
    }

    /// Kek Restore, the answer: the KEK opens what it wrapped; it wraps what is new if it is activated.
    KekRestoreResponse {
        kek_generation: i32 = KEK_GENERATION;
    }

    /// Asks which KEKs can still open what destroyed objects were.
    #[derive(Default)]
    KeyResidueRequest {
        /// Of this object; else of all that were destroyed.
        unique_identifier: Option<String> = UNIQUE_IDENTIFIER;
        /// Of those only that were destroyed at this moment or later.
        destroyed_since: Option<DateTime> = DESTROYED_SINCE;
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        /// So many of them are passed over: 10,000 at most. Those destroyed first come first; whoever has more goes on from the last one's moment.
        offset_items: Option<i32> = OFFSET_ITEMS;
    }

    /// Key Residue, the answer.
    KeyResidueResponse {
        residues: Vec<Residue> = RESIDUE;
        /// How many more there are; absent if these are all. Not more than 10,000 are counted.
        remaining_count: Option<i32> = REMAINING_COUNT;
    }

    /// Destroys the KEKs of a deleted tenant, once its retention is over: nothing of it can be opened any more.
    TenantPurgeRequest {
        tenant_name: String = TENANT_NAME;
        /// When it was made: wanted where several that are deleted had this name.
        created: Option<DateTime> = TIME_STAMP;
    }

    /// Tenant Purge, the answer.
    TenantPurgeResponse {
        /// The KEKs that were destroyed, by this request or one before it that was interrupted.
        kek_generations: Vec<i32> = KEK_GENERATION;
    }
}
