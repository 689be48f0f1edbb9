//! The server itself (family 09).

use crate::field::structure;
use crate::{Permission, StatusItem};

structure! {
    /// Tells how the server is.
    #[derive(Default)]
    ServerStatusRequest {}

    /// Server Status, the answer.
    ServerStatusResponse {
        items: Vec<StatusItem> = STATUS_ITEM;
    }

    /// Reads records of the change trail of the reader's domain, oldest first.
    #[derive(Default)]
    AuditQueryRequest {
        /// Which stream; the newest if absent.
        audit_stream: Option<Vec<u8>> = AUDIT_STREAM;
        /// Only records after this one.
        audit_sequence: Option<i64> = AUDIT_SEQUENCE;
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
    }

    /// Audit Query, the answer.
    AuditQueryResponse {
        audit_stream: Option<Vec<u8>> = AUDIT_STREAM;
        /// Where to go on.
        audit_sequence: Option<i64> = AUDIT_SEQUENCE;
        /// Each an Audit Record in TTLV.
        audit_records: Vec<Vec<u8>> = AUDIT_RECORD;
    }

    /// Tells who may ask for what.
    #[derive(Default)]
    PermissionListRequest {}

    /// Permission List, the answer.
    PermissionListResponse {
        permissions: Vec<Permission> = PERMISSION;
    }
}
