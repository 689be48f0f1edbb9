//! The spelling in which a server keeps attributes: independent of versions, so that nothing is lost of an attribute that the
//! newest version no longer has. A known attribute stands under its own tag, a Vendor Attribute in its structure.

use super::reference::NO_OWN_TAG;
use super::{Attribute, AttributeKind, AttributeReference, VendorAttribute, VendorName};
use crate::field::{Item, Structure};
use crate::{AnyValue, Version, tag};
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

    /// The value alone, whatever its type; `None`: there is none.
    #[must_use]
    pub fn any_value(&self) -> Option<AnyValue> {
        let mut writer = Writer::new();
        self.write_value_item(&mut writer);
        AnyValue::read_item(&mut Reader::new(writer.as_bytes()), self.kind().tag(), KEPT).ok()
    }

    /// Writes the value alone, as one item under the attribute's tag: what indexes and searches compare.
    pub fn write_value_item(&self, writer: &mut Writer) {
        self.write_value(writer, self.kind().tag(), KEPT);
    }
}

impl AttributeReference {
    /// The attribute with this value; `None`: it is not of the attribute's type, or there is no such attribute.
    #[must_use]
    pub fn with_value(&self, value: &AnyValue) -> Option<Attribute> {
        match self {
            Self::Known(kind) => {
                let mut writer = Writer::new();
                value.write_item(&mut writer, kind.tag(), KEPT);
                let mut reader = Reader::new(writer.as_bytes());
                kind.read_value(&mut reader, kind.tag(), KEPT).ok()
            }
            Self::Vendor(name) => Some(Attribute::Vendor(VendorAttribute {
                name: name.clone(),
                value: value.clone(),
            })),
            Self::UnknownTag(_) | Self::UnknownName(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DateTime, Interval};

    #[test]
    fn a_value_comes_out_of_an_attribute_and_goes_into_it() {
        let date = Attribute::ActivationDate(DateTime(7));
        let value = date.any_value().unwrap();
        assert!(value == AnyValue::DateTime(DateTime(7)));
        assert!(date.reference().with_value(&value) == Some(date.clone()));
        assert!(date.reference().with_value(&AnyValue::Interval(Interval(7))).is_none());
    }
}
