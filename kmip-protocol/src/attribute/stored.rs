//! The spelling in which a server keeps attributes: independent of versions, so that nothing is lost of an attribute that the
//! newest version no longer has. A known attribute stands under its own tag, a Vendor Attribute in its structure.

use super::reference::NO_OWN_TAG;
use super::{Attribute, AttributeKind, VendorAttribute, VendorName};
use crate::field::{Item, Structure};
use crate::{Version, tag};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// The version whose rules govern the values inside. Kept values do not change when a newer version comes.
const KEPT: Version = Version::V2_1;

impl Attribute {
    /// Writes the attribute as it is kept. An attribute that is unknown or has no value is not kept.
    pub fn write_stored(&self, writer: &mut Writer) {
        match self {
            Self::Vendor(VendorAttribute { name, value }) => writer.structure(NO_OWN_TAG, |inner| {
                name.write(inner, KEPT);
                value.write_item(inner, tag::ATTRIBUTE_VALUE, KEPT);
            }),
            Self::Unknown(_) | Self::Valueless(_) => {}
            known => known.write_value(writer, known.kind().tag(), KEPT),
        }
    }

    /// Reads what [`Attribute::write_stored`] wrote.
    pub fn read_stored(reader: &mut Reader<'_>) -> Result<Self> {
        let Some(tag) = reader.peek() else {
            return Err(reader.error(ErrorKind::Truncated));
        };
        if tag == NO_OWN_TAG {
            return reader.structure(tag, |inner| {
                let name = VendorName::read(inner, KEPT)?;
                let value = Item::read_item(inner, tag::ATTRIBUTE_VALUE, KEPT)?;
                Ok(Self::Vendor(VendorAttribute { name, value }))
            });
        }
        match AttributeKind::from_tag(tag) {
            Some(kind) => kind.read_value(reader, tag, KEPT),
            None => Err(reader.error(ErrorKind::Unexpected(Some(tag)))),
        }
    }

    /// Writes the value alone, as one item under the attribute's tag: what indexes and searches compare.
    pub fn write_value_item(&self, writer: &mut Writer) {
        self.write_value(writer, self.kind().tag(), KEPT);
    }
}
