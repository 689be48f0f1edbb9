//! Export (KMIP 2.1 §6.1.18; KMIP 1.4 §4.40): an object with all its attributes, for another server to import.

use super::context::Wanted;
use super::get::{give, note_served};
use super::{Context, Handle, get_attributes};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::Object;
use kmip_protocol::{
    Attribute, AttributeKind, ExportRequest, ExportResponse, GetRequest, KeyBlock, KeyFormatType, ManagedObject,
    ObjectType, PrivateKey, PublicKey, SymmetricKey,
};

impl Handle for ExportRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ExportResponse, Failure> {
        let kept = context.kept(self.unique_identifier.as_ref(), Wanted::Remains).await?;
        let object = context.whole(kept.clone())?;
        if object.attributes.has(AttributeKind::ArchiveDate) {
            return Err(Fault::ObjectArchived.into());
        }
        let managed = if object.material.is_some() {
            let managed = give(context, &kept, &as_get(self)).await?;
            if !context.version.stays_fresh_when_exported() {
                note_served(context, &kept)?;
            }
            managed
        } else {
            remains(&object).ok_or(Failure::new(Fault::ObjectDestroyed))?
        };
        // As they were before this: to have been exported is no property of what another server gets.
        let references = get_attributes::present(&object, context);
        let attributes = get_attributes::told(context, object, &references).await?;
        context.place(&kept.unique_identifier);
        Ok(ExportResponse {
            object_type: kept.object_type,
            unique_identifier: kept.unique_identifier,
            attributes,
            object: managed,
        })
    }
}

/// The Get that gives the same object: format, compression and wrapping mean the same.
pub(super) fn as_get(request: &ExportRequest) -> GetRequest {
    let ExportRequest {
        unique_identifier,
        key_format_type,
        key_wrap_type,
        key_compression_type,
        key_wrapping_specification,
    } = request.clone();
    GetRequest {
        unique_identifier,
        key_format_type,
        key_wrap_type,
        key_compression_type,
        key_wrapping_specification,
    }
}

/// What can be told of a destroyed object: its key block without the key. Other objects are nothing without their value.
fn remains(object: &Object) -> Option<ManagedObject> {
    let key_format_type = match object.attributes.first(AttributeKind::KeyFormatType) {
        Some(Attribute::KeyFormatType(format)) => *format,
        _ => KeyFormatType::Raw,
    };
    let key_block = KeyBlock {
        key_format_type,
        key_compression_type: None,
        key_value: None,
        cryptographic_algorithm: object.attributes.algorithm(),
        cryptographic_length: object.attributes.length(),
        key_wrapping_data: None,
    };
    match object.object_type {
        ObjectType::SymmetricKey => Some(SymmetricKey { key_block }.into()),
        ObjectType::PrivateKey => Some(PrivateKey { key_block }.into()),
        ObjectType::PublicKey => Some(PublicKey { key_block }.into()),
        _ => None,
    }
}
