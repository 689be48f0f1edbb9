//! What administration says of keys that keep keys.

use crate::field::structure;
use crate::{DateTime, KekKind, KekState, RecordFault, RewrapState, StatusItem};

structure! {
    /// An HSM-Profile as it is told. Of its credentials nothing is.
    #[derive(Eq, Debug)]
    HsmProfile {
        hsm_profile_name: String = HSM_PROFILE_NAME;
        /// The name that the settings have for the module; absent for key files on the server's disk.
        module_name: Option<String> = MODULE_NAME;
        token_label: Option<String> = TOKEN_LABEL;
        token_serial: Option<String> = TOKEN_SERIAL;
        session_limit: Option<i32> = SESSION_LIMIT;
        deadline_milliseconds: Option<i32> = DEADLINE_MILLISECONDS;
        created: DateTime = TIME_STAMP;
        /// Whether making and destroying KEKs takes another login than using them; else the quorum is enforced by software only.
        separated: bool = SEPARATED;
        /// When it was last asked what it can do.
        probed: Option<DateTime> = PROBED;
        /// What it was found to be able to do then.
        findings: Vec<StatusItem> = STATUS_ITEM;
        /// Whether it answers at this moment, where that was asked.
        answers: Option<bool> = ANSWERS;
        /// The tenants that may use it, as administrators are told.
        tenant_names: Vec<String> = TENANT_NAME;
        /// When it was given up, because its HSM is gone for good.
        abandoned: Option<DateTime> = ABANDONED;
        /// The proposal by which it was.
        abandoned_by: Option<Vec<u8>> = ABANDONED_BY;
    }

    /// A KEK as it is told.
    #[derive(Eq, Debug)]
    Kek {
        /// Counts the KEKs of the tenant, and names one of them.
        kek_generation: i32 = KEK_GENERATION;
        kek_state: KekState = KEK_STATE;
        kek_kind: KekKind = KEK_KIND;
        /// The HSM-Profile that serves it, unless the settings name it no more; the first of a protected one.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        created: DateTime = TIME_STAMP;
        /// Whether it opens what it wrapped, at this moment; absent when it is not to be asked any more.
        answers: Option<bool> = ANSWERS;
        /// When it was marked compromised: it is not activated any more, and what it wrapped is to be rewrapped.
        compromised: Option<DateTime> = COMPROMISED;
        /// Which HSM-Profiles open it, where it is protected.
        kek_profiles: Vec<KekProfile> = KEK_PROFILE;
        /// When its HSM-Profile was given up, without which it does not open.
        abandoned: Option<DateTime> = ABANDONED;
        /// The proposal by which it was.
        abandoned_by: Option<Vec<u8>> = ABANDONED_BY;
        /// Records that lay under it then, and are lost with it.
        lost_records: Option<i64> = LOST_RECORDS;
    }

    /// An HSM-Profile that opens a protected KEK.
    #[derive(Eq, Debug)]
    KekProfile {
        /// Its name, unless it has none any more.
        hsm_profile_name: Option<String> = HSM_PROFILE_NAME;
        /// Whether its token opens the KEK at this moment; absent when it is not to be asked any more.
        answers: Option<bool> = ANSWERS;
    }

    /// How far the wrapping of a domain's records under its active KEK has come.
    #[derive(Eq, Debug)]
    Rewrap {
        rewrap_state: RewrapState = REWRAP_STATE;
        /// The KEK that the records lay under; absent if it is all that are not active.
        kek_generation: Option<i32> = KEK_GENERATION;
        records_per_second: i32 = RECORDS_PER_SECOND;
        /// Records that lie under the active KEK by it.
        records_done: i64 = RECORDS_DONE;
        /// Records that it could not open when it last came by: damaged, or under a KEK that is gone.
        records_failed: i64 = RECORDS_FAILED;
        /// Records that it is still to come to, as far as they are counted.
        records_left: i64 = RECORDS_LEFT;
        /// Some of those that it could not open.
        failed_records: Vec<String> = FAILED_RECORD;
        started: DateTime = TIME_STAMP;
        finished: Option<DateTime> = FINISHED;
    }

    /// A record that is not as the change trail has it.
    #[derive(Eq, Debug)]
    Finding {
        finding_identifier: Vec<u8> = FINDING_IDENTIFIER;
        /// Whose record it is; absent for the system's.
        tenant_name: Option<String> = TENANT_NAME;
        /// What it is: an object by its Unique Identifier, others by kind and number.
        record_name: String = RECORD_NAME;
        record_fault: RecordFault = RECORD_FAULT;
        /// When it was found.
        found: DateTime = TIME_STAMP;
        /// Whether requests for it are refused until it is released.
        held: bool = HELD;
    }

    /// What can still open the former material of an object: backups that were made while it was there, and the KEKs under which it lay.
    #[derive(Eq, Debug)]
    Residue {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// When the object was destroyed; absent while it is there.
        destroyed: Option<DateTime> = TIME_STAMP;
        /// The KEKs under which it lay and that are not destroyed. With none of them nothing can open it any more.
        kek_generations: Vec<i32> = KEK_GENERATION;
    }
}
