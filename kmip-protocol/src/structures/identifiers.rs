//! Values that may point instead of say: identifiers and data that refer to other items of the batch; protocol versions.

use crate::field::{Item, structure};
use crate::{DataKind, UniqueIdentifierKind, Version};
use kmip_ttlv::{ItemType, Reader, Result, Secret, Tag, Writer};

/// The identifier of an object (KMIP 2.1 §4.58). Up to 1.4 it is always text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum UniqueIdentifier {
    /// The identifier itself.
    Text(String),
    /// The ID Placeholder, or the identifier that an earlier item of the batch produced.
    Kind(UniqueIdentifierKind),
    /// The identifier with this zero-based number in the response; negative: counted backwards from the current item.
    Position(i32),
}

impl UniqueIdentifier {
    /// The identifier, if it is given as such.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Kind(_) | Self::Position(_) => None,
        }
    }
}

impl From<&str> for UniqueIdentifier {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for UniqueIdentifier {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Item for UniqueIdentifier {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        match reader.peek_type() {
            Some(ItemType::Enumeration) if version.has_tagged_attributes() => {
                Ok(Self::Kind(UniqueIdentifierKind(reader.enumeration(tag)?)))
            }
            Some(ItemType::Integer) if version.has_tagged_attributes() => Ok(Self::Position(reader.integer(tag)?)),
            _ => Ok(Self::Text(reader.text(tag)?.to_owned())),
        }
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, _: Version) {
        match self {
            Self::Text(text) => writer.text(tag, text),
            Self::Kind(kind) => writer.enumeration(tag, kind.0),
            Self::Position(position) => writer.integer(tag, *position),
        }
    }
}

/// Data of a cryptographic operation (KMIP 2.1 §7.9). Up to 1.4 it is always bytes.
#[derive(Clone, PartialEq)]
pub enum Data {
    /// The data itself.
    Bytes(Secret),
    /// What an earlier item of the batch produced.
    Kind(DataKind),
    /// The data with this zero-based number in the response; negative: counted backwards from the current item.
    Position(i32),
}

impl Data {
    /// The data, if it is given as such.
    #[must_use]
    pub fn bytes(&self) -> Option<&Secret> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Kind(_) | Self::Position(_) => None,
        }
    }
}

impl From<Secret> for Data {
    fn from(bytes: Secret) -> Self {
        Self::Bytes(bytes)
    }
}

impl Item for Data {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        match reader.peek_type() {
            Some(ItemType::Enumeration) if version.has_tagged_attributes() => {
                Ok(Self::Kind(DataKind(reader.enumeration(tag)?)))
            }
            Some(ItemType::Integer) if version.has_tagged_attributes() => Ok(Self::Position(reader.integer(tag)?)),
            _ => Ok(Self::Bytes(Secret::copy_from(reader.bytes(tag)?))),
        }
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, _: Version) {
        match self {
            Self::Bytes(bytes) => writer.bytes(tag, bytes.expose()),
            Self::Kind(kind) => writer.enumeration(tag, kind.0),
            Self::Position(position) => writer.integer(tag, *position),
        }
    }
}

structure! {
    /// The numbers of a protocol version (KMIP 2.1 §9.16).
    #[derive(Copy, Eq, Debug)]
    ProtocolVersion {
        major: i32 = PROTOCOL_VERSION_MAJOR;
        /// Required by the specification; one client library leaves a zero out.
        minor: Option<i32> = PROTOCOL_VERSION_MINOR;
    }
}

impl ProtocolVersion {
    /// The version with these numbers, if it is one of ours.
    #[must_use]
    pub fn version(self) -> Option<Version> {
        Version::from_numbers(self.major, self.minor.unwrap_or(0))
    }
}

impl From<Version> for ProtocolVersion {
    fn from(version: Version) -> Self {
        Self {
            major: version.major(),
            minor: Some(version.minor()),
        }
    }
}
