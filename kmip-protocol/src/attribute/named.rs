//! The spelling of 1.x: a structure with Attribute Name, Attribute Index and Attribute Value (KMIP 1.4 §2.1.1).

use super::{Attribute, AttributeInstance, AttributeReference, UnknownAttribute, VendorAttribute};
use crate::field::{Field, Item};
use crate::{Version, tag};
use kmip_ttlv::{Reader, Result, Tag, Writer};

/// Reads the content of an Attribute structure.
pub(super) fn read(reader: &mut Reader<'_>, version: Version) -> Result<AttributeInstance> {
    let reference = AttributeReference::from_name(reader.text(tag::ATTRIBUTE_NAME)?, version);
    let index = Field::read_field(reader, tag::ATTRIBUTE_INDEX, version)?;
    let attribute = if reader.at(tag::ATTRIBUTE_VALUE) {
        read_value(reader, reference, version)?
    } else {
        Attribute::Valueless(reference)
    };
    Ok(AttributeInstance { attribute, index })
}

fn read_value(reader: &mut Reader<'_>, reference: AttributeReference, version: Version) -> Result<Attribute> {
    Ok(match reference {
        AttributeReference::Known(kind) => kind.read_value(reader, tag::ATTRIBUTE_VALUE, version)?,
        AttributeReference::Vendor(name) => Attribute::Vendor(VendorAttribute {
            name,
            value: Item::read_item(reader, tag::ATTRIBUTE_VALUE, version)?,
        }),
        unknown => Attribute::Unknown(UnknownAttribute {
            reference: unknown,
            value: Item::read_item(reader, tag::ATTRIBUTE_VALUE, version)?,
        }),
    })
}

/// Writes an Attribute structure; nothing, if the version does not have the attribute.
pub(super) fn write(instance: &AttributeInstance, writer: &mut Writer, tag: Tag, version: Version) {
    let reference = instance.attribute.reference();
    let Some(name) = reference.name().filter(|_| reference.is_known_in(version)) else {
        return;
    };
    // A peer of this version could not read past a type that it does not know.
    if let Attribute::Vendor(attribute) = &instance.attribute
        && attribute.value.has_extended_time()
    {
        return;
    }
    writer.structure(tag, |inner| {
        inner.text(tag::ATTRIBUTE_NAME, &name);
        instance.index.write_field(inner, tag::ATTRIBUTE_INDEX, version);
        match &instance.attribute {
            Attribute::Vendor(attribute) => attribute.value.write_item(inner, tag::ATTRIBUTE_VALUE, version),
            Attribute::Unknown(attribute) => attribute.value.write_item(inner, tag::ATTRIBUTE_VALUE, version),
            Attribute::Valueless(_) => {}
            known => known.write_value(inner, tag::ATTRIBUTE_VALUE, version),
        }
    });
}
