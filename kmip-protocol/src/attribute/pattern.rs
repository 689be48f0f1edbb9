//! What Locate asks for: an attribute whose value may be given in part. "All of the structure fields are not REQUIRED to be
//! specified" (KMIP 2.1 §6.1.28), so values stay TTLV here.

use super::reference::NO_OWN_TAG;
use super::{AttributeReference, Attributes, VendorName};
use crate::field::{Field, Structure};
use crate::{Version, tag};
use kmip_ttlv::{ErrorKind, ItemType, Reader, Result, Secret, Tag, Writer};

/// An attribute that is asked for.
#[derive(Clone, PartialEq)]
pub struct AttributePattern {
    reference: AttributeReference,
    /// Which of several instances (1.x only); servers ignore it (KMIP 1.4 §4.9).
    index: Option<i32>,
    /// The value as one TTLV item, with its header.
    value: Secret,
}

/// The attributes that are asked for: repeated structures in 1.x, one Attributes structure since (none at all is read as an
/// empty one).
#[derive(Clone, PartialEq, Default)]
pub struct AttributePatterns(pub Vec<AttributePattern>);

impl AttributePattern {
    /// Asks for an attribute with exactly this value.
    #[must_use]
    pub fn exactly(attribute: &super::Attribute) -> Self {
        let mut writer = Writer::new();
        attribute.write_value_item(&mut writer);
        Self {
            reference: attribute.reference(),
            index: None,
            value: Secret::new(writer.into_bytes()),
        }
    }

    /// Which attribute.
    #[must_use]
    pub const fn reference(&self) -> &AttributeReference {
        &self.reference
    }

    /// The value as one TTLV item; its tag says nothing.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.value.expose()
    }

    /// The seconds since 1970, if the value is a Date-Time.
    #[must_use]
    pub fn date(&self) -> Option<i64> {
        let mut reader = Reader::new(self.value());
        let tag = reader.peek()?;
        (reader.peek_type() == Some(ItemType::DateTime))
            .then(|| reader.date_time(tag).ok())
            .flatten()
    }

    fn read_named(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
        reader.structure(tag::ATTRIBUTE, |inner| {
            let reference = AttributeReference::from_name(inner.text(tag::ATTRIBUTE_NAME)?, version);
            let index = Field::read_field(inner, tag::ATTRIBUTE_INDEX, version)?;
            let value = take_item(inner, tag::ATTRIBUTE_VALUE)?;
            Ok(Self {
                reference,
                index,
                value,
            })
        })
    }

    fn read_tagged(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
        let Some(found) = reader.peek() else {
            return Err(reader.error(ErrorKind::Truncated));
        };
        if found == NO_OWN_TAG {
            return reader.structure(found, |inner| {
                let reference = AttributeReference::Vendor(VendorName::read(inner, version)?);
                let value = take_item(inner, tag::ATTRIBUTE_VALUE)?;
                Ok(Self {
                    reference,
                    index: None,
                    value,
                })
            });
        }
        let reference = AttributeReference::from_tag(found, version);
        let value = take_item(reader, found)?;
        Ok(Self {
            reference,
            index: None,
            value,
        })
    }

    fn write_named(&self, writer: &mut Writer, version: Version) {
        let Some(name) = self.reference.name().filter(|_| self.reference.is_known_in(version)) else {
            return;
        };
        writer.structure(tag::ATTRIBUTE, |inner| {
            inner.text(tag::ATTRIBUTE_NAME, &name);
            self.index.write_field(inner, tag::ATTRIBUTE_INDEX, version);
            self.write_value(inner, tag::ATTRIBUTE_VALUE);
        });
    }

    fn write_tagged(&self, writer: &mut Writer, version: Version) {
        if !self.reference.is_known_in(version) {
            return;
        }
        match &self.reference {
            AttributeReference::Vendor(name) => writer.structure(NO_OWN_TAG, |inner| {
                name.write(inner, version);
                self.write_value(inner, tag::ATTRIBUTE_VALUE);
            }),
            AttributeReference::Known(kind) => self.write_value(writer, kind.tag()),
            AttributeReference::UnknownTag(tag) => self.write_value(writer, *tag),
            AttributeReference::UnknownName(_) => {}
        }
    }

    /// The value under another tag: the first three bytes are the tag.
    fn write_value(&self, writer: &mut Writer, tag: Tag) {
        let [_, number @ ..] = tag.0.to_be_bytes();
        if let Some((_, rest)) = self.value().split_at_checked(number.len()) {
            writer.raw(&number);
            writer.raw(rest);
        }
    }
}

/// The next item with this tag, checked to be well formed, as bytes.
fn take_item(reader: &mut Reader<'_>, tag: Tag) -> Result<Secret> {
    if !reader.at(tag) {
        return Err(reader.error(ErrorKind::Missing(tag)));
    }
    let before = reader.remaining();
    reader.skip()?;
    let length = before.len() - reader.remaining().len();
    Ok(Secret::copy_from(before.get(..length).unwrap_or_default()))
}

impl Field for AttributePatterns {
    fn read_field(reader: &mut Reader<'_>, _: Tag, version: Version) -> Result<Self> {
        let tag = Attributes::tag_in(version);
        if version.has_tagged_attributes() && reader.at(tag) {
            return reader.structure(tag, |inner| {
                let mut patterns = Vec::new();
                while !inner.is_empty() {
                    patterns.push(AttributePattern::read_tagged(inner, version)?);
                }
                Ok(Self(patterns))
            });
        }
        let mut patterns = Vec::new();
        while reader.at(tag) {
            patterns.push(AttributePattern::read_named(reader, version)?);
        }
        Ok(Self(patterns))
    }

    fn write_field(&self, writer: &mut Writer, _: Tag, version: Version) {
        if version.has_tagged_attributes() {
            writer.structure(Attributes::tag_in(version), |inner| {
                for pattern in &self.0 {
                    pattern.write_tagged(inner, version);
                }
            });
        } else {
            for pattern in &self.0 {
                pattern.write_named(writer, version);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attribute, DateTime, Name, NameType};

    #[test]
    fn a_structure_may_be_given_in_part() {
        let mut writer = Writer::new();
        writer.structure(tag::ATTRIBUTES, |w| {
            w.structure(tag::NAME, |w| w.text(tag::NAME_VALUE, "k"))
        });
        let bytes = writer.into_bytes();
        let version = Version::NEWEST;
        let patterns = AttributePatterns::read_field(&mut Reader::new(&bytes), tag::ATTRIBUTES, version);
        let Ok(patterns) = patterns else { panic!("not read") };
        let mut again = Writer::new();
        patterns.write_field(&mut again, tag::ATTRIBUTES, version);
        assert_eq!(again.as_bytes(), bytes);
    }

    #[test]
    fn both_spellings_hold_the_same_value() {
        let name = Attribute::Name(Name {
            name_value: "k".into(),
            name_type: NameType::UninterpretedTextString,
        });
        let date = Attribute::ActivationDate(DateTime(7));
        let patterns = AttributePatterns(vec![AttributePattern::exactly(&name), AttributePattern::exactly(&date)]);
        for version in Version::ALL {
            let mut writer = Writer::new();
            patterns.write_field(&mut writer, tag::ATTRIBUTES, version);
            let read = AttributePatterns::read_field(&mut Reader::new(writer.as_bytes()), tag::ATTRIBUTES, version);
            let Ok(read) = read else {
                panic!("not read in {version}")
            };
            assert_eq!(read.0.len(), 2);
            assert_eq!(read.0.iter().filter_map(AttributePattern::date).next(), Some(7));
        }
    }
}
