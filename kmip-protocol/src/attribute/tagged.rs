//! The spelling since 2.0: each attribute under its own tag, Vendor Attributes in a structure (KMIP 2.1 §4).

use super::reference::NO_OWN_TAG;
use super::{Attribute, AttributeReference, UnknownAttribute, VendorAttribute, VendorName};
use crate::field::{Field, Item, Structure};
use crate::{AnyValue, Version, tag};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// Reads the attribute that comes next.
pub(super) fn read(reader: &mut Reader<'_>, version: Version) -> Result<Attribute> {
    let Some(tag) = reader.peek() else {
        return Err(reader.error(ErrorKind::Truncated));
    };
    if tag == NO_OWN_TAG {
        return reader.structure(tag, |inner| read_vendor(inner, version));
    }
    match AttributeReference::from_tag(tag, version) {
        AttributeReference::Known(kind) => kind.read_value(reader, tag, version),
        unknown => Ok(Attribute::Unknown(UnknownAttribute {
            reference: unknown,
            value: Item::read_item(reader, tag, version)?,
        })),
    }
}

/// The value may be missing, as Notify leaves it out.
fn read_vendor(reader: &mut Reader<'_>, version: Version) -> Result<Attribute> {
    let name = VendorName::read(reader, version)?;
    let value: Option<AnyValue> = Field::read_field(reader, tag::ATTRIBUTE_VALUE, version)?;
    Ok(match value {
        Some(value) => Attribute::Vendor(VendorAttribute { name, value }),
        None => Attribute::Valueless(AttributeReference::Vendor(name)),
    })
}

/// Writes an attribute; nothing, if the version does not have it.
pub(super) fn write(attribute: &Attribute, writer: &mut Writer, version: Version) {
    let reference = attribute.reference();
    if !reference.is_known_in(version) {
        return;
    }
    match (attribute, &reference) {
        (Attribute::Vendor(VendorAttribute { name, value }), _) => writer.structure(NO_OWN_TAG, |inner| {
            name.write(inner, version);
            value.write_item(inner, tag::ATTRIBUTE_VALUE, version);
        }),
        (Attribute::Valueless(AttributeReference::Vendor(name)), _) => name.write_item(writer, NO_OWN_TAG, version),
        (Attribute::Unknown(unknown), AttributeReference::UnknownTag(tag)) => {
            unknown.value.write_item(writer, *tag, version)
        }
        (Attribute::Valueless(_) | Attribute::Unknown(_), _) => {}
        (known, _) => known.write_value(writer, known.kind().tag(), version),
    }
}
