//! Operations on the life of an object: states, storage, leases, allowances, validity.

use crate::field::structure;
use crate::{Certificate, DateTime, Interval, RevocationReason, UniqueIdentifier, ValidityIndicator};

structure! {
    /// Activate (KMIP 2.1 §6.1.1).
    #[derive(Default)]
    ActivateRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Activate, the answer.
    ActivateResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Revoke (KMIP 2.1 §6.1.44).
    RevokeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        revocation_reason: RevocationReason = REVOCATION_REASON;
        compromise_occurrence_date: Option<DateTime> = COMPROMISE_OCCURRENCE_DATE;
    }

    /// Revoke, the answer.
    RevokeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Destroy (KMIP 2.1 §6.1.15).
    #[derive(Default)]
    DestroyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Destroy, the answer.
    DestroyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Archive (KMIP 2.1 §6.1.4).
    #[derive(Default)]
    ArchiveRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Archive, the answer.
    ArchiveResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Recover (KMIP 2.1 §6.1.42).
    #[derive(Default)]
    RecoverRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Recover, the answer.
    RecoverResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Obtain Lease (KMIP 2.1 §6.1.35).
    #[derive(Default)]
    ObtainLeaseRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Obtain Lease, the answer.
    ObtainLeaseResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        lease_time: Interval = LEASE_TIME;
        last_change_date: DateTime = LAST_CHANGE_DATE;
    }

    /// Get Usage Allocation (KMIP 2.1 §6.1.23).
    GetUsageAllocationRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        usage_limits_count: i64 = USAGE_LIMITS_COUNT;
    }

    /// Get Usage Allocation, the answer.
    GetUsageAllocationResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Validate (KMIP 2.1 §6.1.57).
    #[derive(Default)]
    ValidateRequest {
        certificates: Vec<Certificate> = CERTIFICATE;
        unique_identifiers: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        validity_date: Option<DateTime> = VALIDITY_DATE;
    }

    /// Validate, the answer.
    ValidateResponse {
        validity_indicator: ValidityIndicator = VALIDITY_INDICATOR;
    }
}
