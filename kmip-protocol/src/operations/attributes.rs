//! Operations on attributes.

use crate::attribute::{AttributeInstance, AttributeReference, Attributes};
use crate::field::structure;
use crate::{AdjustmentType, AnyValue, UniqueIdentifier};

structure! {
    /// Get Attributes (KMIP 2.1 §6.1.20).
    #[derive(Default)]
    GetAttributesRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        /// Those wanted; all, if there are none.
        references: Vec<AttributeReference> = ATTRIBUTE_NAME [..=V1_4] | ATTRIBUTE_REFERENCE [V2_0..];
    }

    /// Get Attributes, the answer.
    GetAttributesResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Attributes = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
    }

    /// Get Attribute List (KMIP 2.1 §6.1.21).
    #[derive(Default)]
    GetAttributeListRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Get Attribute List, the answer.
    GetAttributeListResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        references: Vec<AttributeReference> = ATTRIBUTE_NAME [..=V1_4] | ATTRIBUTE_REFERENCE [V2_0..];
    }

    /// Add Attribute (KMIP 2.1 §6.1.2).
    AddAttributeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        attribute: AttributeInstance = ATTRIBUTE [..=V1_4] | NEW_ATTRIBUTE [V2_0..];
    }

    /// Add Attribute, the answer.
    AddAttributeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// What was added; required up to 1.4.
        attribute: Option<AttributeInstance> = ATTRIBUTE [..=V1_4];
    }

    /// Modify Attribute (KMIP 2.1 §6.1.34).
    ModifyAttributeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        current_attribute: Option<AttributeInstance> = CURRENT_ATTRIBUTE [V2_0..];
        attribute: AttributeInstance = ATTRIBUTE [..=V1_4] | NEW_ATTRIBUTE [V2_0..];
    }

    /// Modify Attribute, the answer.
    ModifyAttributeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// What it is now; required up to 1.4.
        attribute: Option<AttributeInstance> = ATTRIBUTE [..=V1_4];
    }

    /// Delete Attribute (KMIP 2.1 §6.1.13). The reference is required up to 1.4.
    #[derive(Default)]
    DeleteAttributeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        current_attribute: Option<AttributeInstance> = CURRENT_ATTRIBUTE [V2_0..];
        reference: Option<AttributeReference> = ATTRIBUTE_NAME [..=V1_4] | ATTRIBUTE_REFERENCE [V2_0..];
        attribute_index: Option<i32> = ATTRIBUTE_INDEX [..=V1_4];
    }

    /// Delete Attribute, the answer.
    DeleteAttributeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// What was deleted; required up to 1.4.
        attribute: Option<AttributeInstance> = ATTRIBUTE [..=V1_4];
    }

    /// Set Attribute (KMIP 2.1 §6.1.51).
    SetAttributeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        attribute: AttributeInstance = NEW_ATTRIBUTE;
    }

    /// Set Attribute, the answer.
    SetAttributeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Adjust Attribute (KMIP 2.1 §6.1.3). The value has the attribute's type.
    AdjustAttributeRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        reference: AttributeReference = ATTRIBUTE_REFERENCE;
        adjustment_type: AdjustmentType = ADJUSTMENT_TYPE;
        adjustment_value: Option<AnyValue> = ADJUSTMENT_VALUE;
    }

    /// Adjust Attribute, the answer.
    AdjustAttributeResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }
}
