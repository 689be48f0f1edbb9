//! TTLV as a tree of items: what is compared.

use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::{ItemType, Reader, Result, Scope, Tag, Value, Vocabulary};
use std::fmt::Write as _;

/// One item.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// Its tag.
    pub tag: Tag,
    /// What it holds.
    pub content: Content,
}

/// What an item holds.
#[derive(Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Content {
    Structure(Vec<Node>),
    Integer(i32),
    LongInteger(i64),
    BigInteger(Vec<u8>),
    Enumeration(u32),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
    DateTime(i64),
    Interval(u32),
    DateTimeExtended(i64),
}

/// How much of a long value a report prints.
const PRINTED: usize = 48;

impl Node {
    /// Reads one whole item and refuses what follows it.
    ///
    /// # Errors
    /// What the reader finds.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let node = Self::next(&mut reader)?;
        reader.finish()?;
        Ok(node)
    }

    fn next(reader: &mut Reader<'_>) -> Result<Self> {
        let (tag, value) = reader.item()?;
        let content = match value {
            Value::Structure(mut inner) => {
                let mut children = Vec::new();
                while !inner.is_empty() {
                    children.push(Self::next(&mut inner).map_err(|e| e.within(tag))?);
                }
                Content::Structure(children)
            }
            Value::Integer(v) => Content::Integer(v),
            Value::LongInteger(v) => Content::LongInteger(v),
            Value::BigInteger(v) => Content::BigInteger(v.to_vec()),
            Value::Enumeration(v) => Content::Enumeration(v),
            Value::Boolean(v) => Content::Boolean(v),
            Value::TextString(v) => Content::Text(v.to_owned()),
            Value::ByteString(v) => Content::Bytes(v.to_vec()),
            Value::DateTime(v) => Content::DateTime(v),
            Value::Interval(v) => Content::Interval(v),
            Value::DateTimeExtended(v) => Content::DateTimeExtended(v),
        };
        Ok(Self { tag, content })
    }

    /// The items within, none if it is no structure.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.content {
            Content::Structure(children) => children,
            _ => &[],
        }
    }

    /// The first item within that has this tag.
    #[must_use]
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|c| c.tag == tag)
    }

    /// The value of the enumeration with this tag within.
    #[must_use]
    pub fn enumeration(&self, tag: Tag) -> Option<u32> {
        match self.child(tag)?.content {
            Content::Enumeration(value) => Some(value),
            _ => None,
        }
    }

    /// The text with this tag within.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<&str> {
        match &self.child(tag)?.content {
            Content::Text(value) => Some(value),
            _ => None,
        }
    }

    /// Calls `visit` for this item and everything within, with the 1.x attribute name that is in force there.
    pub fn walk<'n>(&'n self, attribute: Option<&'n str>, visit: &mut impl FnMut(&'n Self, Option<&'n str>)) {
        visit(self, attribute);
        let name = self.text(kmip_protocol::tag::ATTRIBUTE_NAME).or(attribute);
        for child in self.children() {
            child.walk(name, visit);
        }
    }

    /// The value in words, for a report. `attribute` is the 1.x attribute name that its names depend on.
    #[must_use]
    pub fn show(&self, attribute: Option<&str>) -> String {
        self.content.show(self.tag, attribute)
    }
}

impl Content {
    /// The type of the item.
    #[must_use]
    pub const fn item_type(&self) -> ItemType {
        match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::Text(_) => ItemType::TextString,
            Self::Bytes(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }

    /// The value as the `value` attribute of an element, for sending it back.
    #[must_use]
    pub fn to_xml_value(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) | Self::BigInteger(bytes) => hex(bytes),
            Self::DateTime(seconds) => iso_8601(*seconds),
            Self::Integer(v) => v.to_string(),
            Self::LongInteger(v) | Self::DateTimeExtended(v) => v.to_string(),
            Self::Enumeration(v) => format!("0x{v:08x}"),
            Self::Boolean(v) => v.to_string(),
            Self::Interval(v) => v.to_string(),
            Self::Structure(_) => String::new(),
        }
    }

    fn show(&self, tag: Tag, attribute: Option<&str>) -> String {
        let mut text = match self {
            Self::Enumeration(value) => KmipVocabulary
                .value_name(Scope { tag, attribute }, *value)
                .map_or_else(|| format!("0x{value:08X}"), str::to_owned),
            Self::Structure(children) => {
                let names: Vec<String> = children.iter().map(|c| tag_name(c.tag)).collect();
                format!("{{{}}}", names.join(" "))
            }
            Self::Text(text) => format!("\"{text}\""),
            other => other.to_xml_value(),
        };
        if text.chars().count() > PRINTED {
            text = text.chars().take(PRINTED).collect();
            let _ = write!(text, "…");
        }
        text
    }
}

/// The name of a tag, or its number.
#[must_use]
pub fn tag_name(tag: Tag) -> String {
    KmipVocabulary
        .tag_name(tag)
        .map_or_else(|| tag.to_string(), str::to_owned)
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    kmip_ttlv::Hex(bytes).to_string()
}

/// Seconds since 1970 as XML writes a Date-Time.
#[must_use]
pub fn iso_8601(seconds: i64) -> String {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| seconds.to_string())
}
