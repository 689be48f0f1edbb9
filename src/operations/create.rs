//! Create (KMIP 2.1 §6.1.8; KMIP 1.4 §4.1): a symmetric key, or random Secret Data.

use super::creation::{self, Source};
use super::{Context, Handle, key_formats, presets};
use crate::authority::Granted;
use crate::crypto;
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{
    CreateRequest, CreateResponse, CryptographicAlgorithm, KeyBlock, KeyFormatType, KeyMaterial, KeyValue,
    ManagedObject, ObjectType, PlainKeyValue, SecretData, SecretDataType, SymmetricKey,
};
use kmip_ttlv::Secret;

impl Handle for CreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CreateResponse, Failure> {
        let masks = self.protection_storage_masks.as_ref();
        creation::permit_storage(masks, Fault::ProtectionStorage)?;
        let mut attributes = creation::given(context, self.object_type, core::iter::once(&self.attributes)).await?;
        presets::complete(context.version, self.object_type, &mut attributes);
        let managed = match self.object_type {
            ObjectType::SymmetricKey => symmetric_key(context, &attributes)?,
            ObjectType::SecretData => secret_data(context, &attributes)?,
            _ => return Err(Fault::InvalidObjectType.into()),
        };
        let managed = key_formats::as_asked(managed, &attributes)?;
        let object = creation::insert(context, attributes, &managed, Source::Generated).await?;
        Ok(CreateResponse {
            object_type: object.object_type,
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// A symmetric key as its attributes want it.
pub(super) fn symmetric_key(context: &Context<'_>, attributes: &AttributeSet) -> Result<ManagedObject, Failure> {
    let algorithm = attributes.algorithm().ok_or(Failure::new(Fault::InvalidField))?;
    let length = attributes.length().ok_or(Failure::new(Fault::InvalidField))?;
    let bytes = crypto::material_length(algorithm, length)
        .and_then(|bytes| context.services.randomness.secret(bytes))
        .map_err(|error| Failure::detailed(Fault::InvalidAttributeValue, error))?;
    let mut block = block(bytes, length);
    block.cryptographic_algorithm = Some(algorithm);
    Ok(SymmetricKey { key_block: block }.into())
}

fn secret_data(context: &Context<'_>, attributes: &AttributeSet) -> Result<ManagedObject, Failure> {
    let length = attributes.length().ok_or(Failure::new(Fault::InvalidField))?;
    let bytes = crypto::material_length(CryptographicAlgorithm::OneTimePad, length)
        .and_then(|bytes| context.services.randomness.secret(bytes))
        .map_err(|error| Failure::detailed(Fault::InvalidAttributeValue, error))?;
    // A Cryptographic Length belongs to keys; of secret data it is an attribute only (KMIP 2.1 §3.1).
    let key_block = KeyBlock {
        cryptographic_length: None,
        ..block(bytes, length)
    };
    Ok(SecretData {
        secret_data_type: SecretDataType::Password,
        key_block,
    }
    .into())
}

fn block(bytes: Secret, length: i32) -> KeyBlock {
    KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bytes),
            attributes: None,
        })),
        cryptographic_algorithm: None,
        cryptographic_length: Some(length),
        key_wrapping_data: None,
    }
}
