//! Attributes in messages: one, or a list of them, in the spelling of the version.

use super::{Attribute, AttributeKind, named, tagged};
use crate::field::{Field, Item};
use crate::{Name, Version, tag};
use kmip_ttlv::{Reader, Result, Tag, Writer};

/// An attribute of an object, with its Attribute Index where 1.x gives one.
#[derive(Clone, PartialEq)]
pub struct AttributeInstance {
    /// The attribute.
    pub attribute: Attribute,
    /// Which of several instances it is (1.x only).
    pub index: Option<i32>,
}

impl From<Attribute> for AttributeInstance {
    fn from(attribute: Attribute) -> Self {
        Self { attribute, index: None }
    }
}

/// As an item: the Attribute structure of 1.x; since then a structure (New Attribute, Current Attribute) around one
/// attribute under its own tag.
impl Item for AttributeInstance {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if version.has_tagged_attributes() {
            return reader
                .structure(tag, |inner| tagged::read(inner, version))
                .map(Self::from);
        }
        reader.structure(tag, |inner| named::read(inner, version))
    }

    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if version.has_tagged_attributes() {
            writer.structure(tag, |inner| tagged::write(&self.attribute, inner, version));
        } else {
            named::write(self, writer, tag, version);
        }
    }
}

/// A list of attributes: repeated Attribute structures in 1.x, one Attributes structure since (KMIP 2.1 §5.1).
///
/// What the version does not have is left out when it is written.
#[derive(Clone, PartialEq, Default)]
pub struct Attributes(pub Vec<AttributeInstance>);

impl Attributes {
    /// The attributes, without their index.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().map(|instance| &instance.attribute)
    }

    /// The first attribute of a kind.
    #[must_use]
    pub fn first(&self, kind: AttributeKind) -> Option<&Attribute> {
        self.iter().find(|attribute| attribute.kind() == kind)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag under which a version lists attributes: repeated, or once.
    #[must_use]
    pub const fn tag_in(version: Version) -> Tag {
        if version.has_tagged_attributes() {
            tag::ATTRIBUTES
        } else {
            tag::ATTRIBUTE
        }
    }

    fn read_tagged(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        reader.structure(tag, |inner| {
            let mut attributes = Vec::new();
            while !inner.is_empty() {
                attributes.push(tagged::read(inner, version)?.into());
            }
            Ok(Self(attributes))
        })
    }

    fn write_tagged(&self, writer: &mut Writer, tag: Tag, version: Version) {
        writer.structure(tag, |inner| {
            for attribute in self.iter() {
                tagged::write(attribute, inner, version);
            }
        });
    }

    fn read_named(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        Vec::read_field(reader, tag, version).map(Self)
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<T: IntoIterator<Item = Attribute>>(attributes: T) -> Self {
        Self(attributes.into_iter().map(AttributeInstance::from).collect())
    }
}

impl Field for Attributes {
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if version.has_tagged_attributes() {
            Self::read_tagged(reader, tag, version)
        } else {
            Self::read_named(reader, tag, version)
        }
    }
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if version.has_tagged_attributes() {
            self.write_tagged(writer, tag, version);
        } else {
            self.0.write_field(writer, tag, version);
        }
    }
    fn absent(_: &Reader<'_>, _: Tag) -> Result<Self> {
        Ok(Self::default())
    }
}

impl Field for Option<Attributes> {
    fn read_field(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        reader
            .at(tag)
            .then(|| Attributes::read_field(reader, tag, version))
            .transpose()
    }
    fn write_field(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if let Some(attributes) = self {
            attributes.write_field(writer, tag, version);
        }
    }
    fn absent(_: &Reader<'_>, _: Tag) -> Result<Self> {
        Ok(None)
    }
}

/// Attributes for a new object: a Template-Attribute structure in 1.x, which may also name templates (KMIP 1.4 §2.1.8);
/// an Attributes structure since.
#[derive(Clone, PartialEq, Default)]
pub struct TemplateAttribute {
    /// Names of templates (1.x only).
    pub templates: Vec<Name>,
    /// Attributes.
    pub attributes: Attributes,
}

impl FromIterator<Attribute> for TemplateAttribute {
    fn from_iter<T: IntoIterator<Item = Attribute>>(attributes: T) -> Self {
        Self {
            templates: Vec::new(),
            attributes: attributes.into_iter().collect(),
        }
    }
}

impl From<Attributes> for TemplateAttribute {
    fn from(attributes: Attributes) -> Self {
        Self {
            templates: Vec::new(),
            attributes,
        }
    }
}

impl Item for TemplateAttribute {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if version.has_tagged_attributes() {
            return Attributes::read_tagged(reader, tag, version).map(Self::from);
        }
        reader.structure(tag, |inner| {
            Ok(Self {
                templates: Field::read_field(inner, tag::NAME, version)?,
                attributes: Attributes::read_named(inner, tag::ATTRIBUTE, version)?,
            })
        })
    }

    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if version.has_tagged_attributes() {
            self.attributes.write_tagged(writer, tag, version);
            return;
        }
        writer.structure(tag, |inner| {
            self.templates.write_field(inner, tag::NAME, version);
            self.attributes.write_field(inner, tag::ATTRIBUTE, version);
        });
    }
}
