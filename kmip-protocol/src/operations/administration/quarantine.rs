//! Records that are not as the change trail has them, and databases that were put back whole (family 05): looked for, listed, released.

use crate::field::structure;
use crate::{DateTime, Finding};

structure! {
    /// Tells of the last comparison of records with the change trail, and may have another begin.
    #[derive(Default)]
    StateVerifyRequest {
        /// Whether a comparison is to begin now, unless one is under way.
        verify_now: Option<bool> = VERIFY_NOW;
    }

    /// State Verify, the answer.
    StateVerifyResponse {
        /// Whether a comparison is under way.
        verifying: bool = VERIFYING;
        /// When the last one that came to its end began.
        begun: Option<DateTime> = VERIFY_BEGUN;
        ended: Option<DateTime> = VERIFY_ENDED;
        /// Records of the whole installation that it compared.
        records_compared: Option<i64> = RECORDS_COMPARED;
        /// Records of the trail that it read and verified.
        trail_records: Option<i64> = TRAIL_RECORDS;
        /// What is wrong with the trail itself; then no record was compared with it.
        trail_faults: Vec<String> = TRAIL_FAULT;
        /// How many records of the asker's domain are not as the trail has them.
        findings: i32 = FINDING_COUNT;
    }

    /// Lists records that are not as the trail has them: administrators and system auditors see all, others those of their tenant.
    #[derive(Default)]
    QuarantineListRequest {
        offset_items: Option<i32> = OFFSET_ITEMS;
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
    }

    /// Quarantine List, the answer: the newest first.
    QuarantineListResponse {
        findings: Vec<Finding> = FINDING;
    }

    /// Takes a record as it is now for what it should be, after people have looked.
    #[derive(Default)]
    QuarantineReleaseRequest {
        finding_identifier: Vec<u8> = FINDING_IDENTIFIER;
    }

    /// Quarantine Release, the answer.
    #[derive(Default)]
    QuarantineReleaseResponse {}

    /// Goes on with a database that is older than its anchor, after people have looked.
    #[derive(Default)]
    RestoreAcceptRequest {}

    /// Restore Accept, the answer.
    RestoreAcceptResponse {
        /// How often the installation was restored.
        epoch: i32 = EPOCH;
    }
}
