//! Which Key Format Type an object has, and the digests of it in that and in other formats (KMIP 2.1 §4.21, §4.26).

use super::Context;
use crate::crypto::{self, ReadHints, format};
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{
    Attribute, AttributeKind, Digest, HashingAlgorithm, KeyBlock, KeyFormatType, KeyMaterial, KeyValue, ManagedObject,
    ObjectType, Version,
};

/// The format that a client asks for.
pub(super) fn asked(attributes: &AttributeSet) -> Option<KeyFormatType> {
    match attributes.first(AttributeKind::KeyFormatType) {
        Some(Attribute::KeyFormatType(format)) => Some(*format),
        _ => None,
    }
}

/// What the server has made, in the format that the client asks for: it has that one, or nothing.
///
/// # Errors
/// [`Fault::InvalidAttributeValue`] if there is no such format for the object.
pub(super) fn as_asked(mut managed: ManagedObject, attributes: &AttributeSet) -> Result<ManagedObject, Failure> {
    let object_type = managed.object_type();
    if let (Some(format), Some(block)) = (asked(attributes), managed.key_block_mut()) {
        *block = converted(object_type, block, format, attributes)
            .map_err(|error| Failure::detailed(Fault::InvalidAttributeValue, error))?;
    }
    Ok(managed)
}

/// Adds the digests in formats that an object is not kept in: in the default one, if it can be had in it here, and in the one that the client
/// asks for.
///
/// # Errors
/// [`Fault::InvalidAttributeValue`] if there is no such format for the object.
pub(super) fn add_digests(
    context: &Context<'_>,
    attributes: &mut AttributeSet,
    managed: &ManagedObject,
    asked: Option<KeyFormatType>,
) -> Result<(), Failure> {
    let object_type = managed.object_type();
    let Some(block) = managed.key_block() else {
        return match asked {
            Some(format)
                if attributes.first(AttributeKind::KeyFormatType) != Some(&Attribute::KeyFormatType(format)) =>
            {
                Err(Fault::InvalidAttributeValue.into())
            }
            _ => Ok(()),
        };
    };
    let default = format::default_format(object_type, attributes.algorithm());
    let by_default = (context.version.digests_default_format() && attributes.has(AttributeKind::Digest))
        .then_some(default)
        .filter(|format| *format != block.key_format_type);
    let asked = asked.filter(|format| *format != block.key_format_type);
    for wanted in by_default.into_iter().chain(asked.filter(|_| asked != by_default)) {
        match converted(object_type, block, wanted, attributes) {
            Ok(block) => {
                let value = format::plain(&block)?;
                attributes.add(Attribute::Digest(digest_of(&value.key_material, wanted)?));
            }
            Err(error) if asked == Some(wanted) => {
                return Err(Failure::detailed(Fault::InvalidAttributeValue, error));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

fn converted(
    object_type: ObjectType,
    block: &KeyBlock,
    format: KeyFormatType,
    attributes: &AttributeSet,
) -> Result<KeyBlock, crypto::CryptoError> {
    let hints = ReadHints {
        algorithm: attributes.algorithm(),
        ..ReadHints::default()
    };
    format::convert(object_type, block, format, None, hints)
}

/// Sets the format of a key, and its digest in that.
pub(super) fn set_of_block(attributes: &mut AttributeSet, block: &KeyBlock) -> Result<(), Failure> {
    attributes.set(Attribute::KeyFormatType(block.key_format_type));
    match &block.key_value {
        Some(KeyValue::Plain(value)) if block.key_wrapping_data.is_none() => {
            attributes.set(Attribute::Digest(digest_of(
                &value.key_material,
                block.key_format_type,
            )?));
        }
        // Of a wrapped key nothing is known but its bytes.
        Some(_) | None => {}
    }
    Ok(())
}

/// Sets the format of an object that is no key, and its digest.
pub(super) fn set_of_value(attributes: &mut AttributeSet, value: &[u8], format: KeyFormatType) -> Result<(), Failure> {
    attributes.set(Attribute::KeyFormatType(format));
    attributes.set(Attribute::Digest(digest(value, format)?));
    Ok(())
}

/// Of a structure, the digest is that of its TTLV (KMIP 2.1 §4.21).
fn digest_of(material: &KeyMaterial, format: KeyFormatType) -> Result<Digest, Failure> {
    match material {
        KeyMaterial::Bytes(bytes) => digest(bytes.expose(), format),
        structure => digest(structure.to_ttlv(Version::NEWEST).expose(), format),
    }
}

fn digest(value: &[u8], format: KeyFormatType) -> Result<Digest, Failure> {
    Ok(Digest {
        hashing_algorithm: HashingAlgorithm::SHA_256,
        digest_value: Some(crypto::hash(HashingAlgorithm::SHA_256, value)?),
        key_format_type: Some(format),
    })
}
