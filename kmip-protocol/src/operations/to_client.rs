//! Operations that only a server sends (KMIP 2.1 §6.2). A client answers them without a payload.

use crate::attribute::{AttributeReference, Attributes};
use crate::field::structure;
use crate::{ManagedObject, PutFunction, UniqueIdentifier};

structure! {
    /// Notify (KMIP 2.1 §6.2.2). Up to 1.4, what was deleted stands among the attributes, without a value.
    NotifyRequest {
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER;
        attributes: Option<Attributes> = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        references: Vec<AttributeReference> = ATTRIBUTE_REFERENCE [V2_0..];
    }

    /// Notify, the answer.
    #[derive(Default)]
    NotifyResponse {}

    /// Put (KMIP 2.1 §6.2.3).
    PutRequest {
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER;
        put_function: PutFunction = PUT_FUNCTION;
        replaced_unique_identifier: Option<UniqueIdentifier> = REPLACED_UNIQUE_IDENTIFIER;
        /// The object.
        object: ManagedObject;
        attributes: Option<Attributes> = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
    }

    /// Put, the answer.
    #[derive(Default)]
    PutResponse {}
}
