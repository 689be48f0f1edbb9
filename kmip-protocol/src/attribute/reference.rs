//! Attributes named without a value: Attribute Name in 1.x, Attribute Reference since (KMIP 2.1 §5.5).

use super::AttributeKind;
use crate::field::{Item, structure};
use crate::{Version, tag};
use kmip_ttlv::{ItemType, Reader, Result, Tag, Writer};

structure! {
    /// The name of a Vendor Attribute (KMIP 2.1 §4.60).
    #[derive(Eq, Hash, Debug, PartialOrd, Ord)]
    VendorName {
        vendor_identification: String = VENDOR_IDENTIFICATION;
        attribute_name: String = ATTRIBUTE_NAME;
    }
}

impl VendorName {
    /// The vendor that stands for the client in the Custom Attributes of 1.x (`x-…`).
    pub const CLIENT: &'static str = "x";
    /// The vendor that stands for the server in the Custom Attributes of 1.x (`y-…`).
    pub const SERVER: &'static str = "y";

    /// The vendor's name for the Attribute Name of a 1.x Custom Attribute.
    #[must_use]
    pub fn from_custom_name(name: &str) -> Option<Self> {
        let (vendor, rest) = name.split_once('-')?;
        matches!(vendor, Self::CLIENT | Self::SERVER).then(|| Self {
            vendor_identification: vendor.to_owned(),
            attribute_name: rest.to_owned(),
        })
    }

    /// The Attribute Name in 1.x; vendors other than `x` and `y` have none there.
    #[must_use]
    pub fn custom_name(&self) -> Option<String> {
        let vendor = self.vendor_identification.as_str();
        matches!(vendor, Self::CLIENT | Self::SERVER).then(|| format!("{vendor}-{}", self.attribute_name))
    }
}

/// An attribute by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum AttributeReference {
    /// An attribute of the specification.
    Known(AttributeKind),
    /// A Vendor Attribute.
    Vendor(VendorName),
    /// A tag that is no attribute of the version (2.x).
    UnknownTag(Tag),
    /// A name that is no attribute of the version (1.x).
    UnknownName(String),
}

impl AttributeReference {
    /// The attribute with this Attribute Name in a 1.x version.
    #[must_use]
    pub fn from_name(name: &str, version: Version) -> Self {
        if let Some(kind) = AttributeKind::from_name(name).filter(|k| k.rules().versions.include(version)) {
            return Self::Known(kind);
        }
        VendorName::from_custom_name(name).map_or_else(|| Self::UnknownName(name.to_owned()), Self::Vendor)
    }

    /// The attribute with this tag in a 2.x version.
    #[must_use]
    pub fn from_tag(tag: Tag, version: Version) -> Self {
        AttributeKind::from_tag(tag)
            .filter(|kind| kind.rules().versions.include(version))
            .map_or(Self::UnknownTag(tag), Self::Known)
    }

    /// The Attribute Name in 1.x, where there is one.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Known(kind) => Some(kind.name().to_owned()),
            Self::Vendor(name) => name.custom_name(),
            Self::UnknownName(name) => Some(name.clone()),
            Self::UnknownTag(_) => None,
        }
    }

    /// The kind of attribute that is meant.
    #[must_use]
    pub const fn kind(&self) -> AttributeKind {
        match self {
            Self::Known(kind) => *kind,
            Self::Vendor(_) => AttributeKind::Vendor,
            Self::UnknownTag(_) | Self::UnknownName(_) => AttributeKind::Unknown,
        }
    }

    /// Whether a message of this version can carry the reference.
    #[must_use]
    pub fn is_known_in(&self, version: Version) -> bool {
        match self {
            Self::Known(kind) => kind.rules().versions.include(version),
            Self::Vendor(name) => version.has_tagged_attributes() || name.custom_name().is_some(),
            Self::UnknownTag(_) => version.has_tagged_attributes(),
            Self::UnknownName(_) => !version.has_tagged_attributes(),
        }
    }
}

impl From<AttributeKind> for AttributeReference {
    fn from(kind: AttributeKind) -> Self {
        Self::Known(kind)
    }
}

/// Text in 1.x; an Enumeration that holds a tag, or a structure with the vendor, since. What the version cannot carry is
/// left out.
impl Item for AttributeReference {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        if !version.has_tagged_attributes() {
            return reader.text(tag).map(|name| Self::from_name(name, version));
        }
        if reader.peek_type() == Some(ItemType::Structure) {
            return Item::read_item(reader, tag, version).map(Self::Vendor);
        }
        reader
            .enumeration(tag)
            .map(|number| Self::from_tag(Tag(number), version))
    }

    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        if !self.is_known_in(version) {
            return;
        }
        match (self, version.has_tagged_attributes()) {
            (Self::Vendor(name), true) => name.write_item(writer, tag, version),
            (Self::Known(kind), true) => writer.enumeration(tag, kind.tag().0),
            (Self::UnknownTag(number), true) => writer.enumeration(tag, number.0),
            (_, true) => {}
            (_, false) => {
                if let Some(name) = self.name() {
                    writer.text(tag, &name);
                }
            }
        }
    }
}

/// The tag of an attribute that has none of its own: the vendor's structure, or the 1.x structure.
pub(super) const NO_OWN_TAG: Tag = tag::ATTRIBUTE;
