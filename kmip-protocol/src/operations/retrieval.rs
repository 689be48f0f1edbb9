//! Operations that find and fetch objects.

use crate::field::structure;
use crate::{
    CryptographicUsageMask, Interval, KeyCompressionType, KeyFormatType, KeyWrapType, KeyWrappingSpecification,
    ManagedObject, ObjectGroupMember, ObjectType, StorageStatusMask, TemplateAttribute, UniqueIdentifier,
    attribute::{AttributePatterns, Attributes},
};

structure! {
    /// Locate (KMIP 2.1 §6.1.28).
    #[derive(Default)]
    LocateRequest {
        maximum_items: Option<i32> = MAXIMUM_ITEMS;
        /// In the specification since 1.3; clients send it from 1.0 on.
        offset_items: Option<i32> = OFFSET_ITEMS;
        storage_status_mask: Option<StorageStatusMask> = STORAGE_STATUS_MASK;
        object_group_member: Option<ObjectGroupMember> = OBJECT_GROUP_MEMBER [V1_1..];
        attributes: AttributePatterns = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        /// Not in the specification: one vendor's firewalls wrap the attributes so.
        template_attribute: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Locate, the answer.
    #[derive(Default)]
    LocateResponse {
        located_items: Option<i32> = LOCATED_ITEMS [V1_3..];
        unique_identifiers: Vec<String> = UNIQUE_IDENTIFIER;
    }

    /// Check (KMIP 2.1 §6.1.7).
    #[derive(Default)]
    CheckRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT;
        cryptographic_usage_mask: Option<CryptographicUsageMask> = CRYPTOGRAPHIC_USAGE_MASK;
        lease_time: Option<Interval> = LEASE_TIME;
    }

    /// Check, the answer; a failure repeats what the server refuses.
    #[derive(Default)]
    CheckResponse {
        unique_identifier: Option<String> = UNIQUE_IDENTIFIER;
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT;
        cryptographic_usage_mask: Option<CryptographicUsageMask> = CRYPTOGRAPHIC_USAGE_MASK;
        lease_time: Option<Interval> = LEASE_TIME;
    }

    /// Get (KMIP 2.1 §6.1.19).
    #[derive(Default)]
    GetRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        key_format_type: Option<KeyFormatType> = KEY_FORMAT_TYPE;
        key_wrap_type: Option<KeyWrapType> = KEY_WRAP_TYPE [V1_4..];
        key_compression_type: Option<KeyCompressionType> = KEY_COMPRESSION_TYPE;
        key_wrapping_specification: Option<Box<KeyWrappingSpecification>> = KEY_WRAPPING_SPECIFICATION;
    }

    /// Get, the answer.
    GetResponse {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// The object.
        object: ManagedObject;
    }

    /// Export (KMIP 2.1 §6.1.18).
    #[derive(Default)]
    ExportRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        key_format_type: Option<KeyFormatType> = KEY_FORMAT_TYPE;
        key_wrap_type: Option<KeyWrapType> = KEY_WRAP_TYPE;
        key_compression_type: Option<KeyCompressionType> = KEY_COMPRESSION_TYPE;
        key_wrapping_specification: Option<Box<KeyWrappingSpecification>> = KEY_WRAPPING_SPECIFICATION;
    }

    /// Export, the answer.
    ExportResponse {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Attributes = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        /// The object.
        object: ManagedObject;
    }
}
