//! Values that are not plain numbers or strings: times, big integers, secret text, values of any type.

use crate::Version;
use crate::field::{Field, Item, items};
use kmip_ttlv::{ErrorKind, ItemType, Reader, Result, Secret, Tag, Value, Writer};

/// Seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DateTime(pub i64);

/// Microseconds since 1970 (2.0 and later).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DateTimeExtended(pub i64);

/// Seconds.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Interval(pub u32);

/// A big integer: two's complement, big-endian. Part of a key more often than not, so it is kept like one.
#[derive(Clone, PartialEq, Eq)]
pub struct BigInteger(pub Secret);

impl BigInteger {
    /// A number that is not negative, from its big-endian magnitude.
    #[must_use]
    pub fn from_magnitude(magnitude: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(magnitude.len() + 1);
        if magnitude.first().is_none_or(|b| b & 0x80 != 0) {
            bytes.push(0);
        }
        bytes.extend_from_slice(magnitude);
        Self(Secret::new(bytes))
    }

    /// The magnitude without leading zeros, if the number is not negative.
    #[must_use]
    pub fn magnitude(&self) -> Option<&[u8]> {
        let bytes = self.0.expose();
        if bytes.first().is_some_and(|b| b & 0x80 != 0) {
            return None;
        }
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        bytes.get(zeros..)
    }
}

/// Text that nobody should see, such as a password. UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Secret);

impl SecretText {
    /// Keeps a text secret. What the caller's copy leaves behind is the caller's to wipe.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Secret::copy_from(text.as_bytes()))
    }

    /// The text in clear. The caller answers for what becomes of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        // It was made from text, so it is UTF-8.
        core::str::from_utf8(self.0.expose()).unwrap_or_default()
    }
}

items! {
    DateTime, DateTime: |reader, tag| reader.date_time(tag).map(Self), |value, writer, tag| writer.date_time(tag, value.0);
    DateTimeExtended, DateTimeExtended: |reader, tag| reader.date_time_extended(tag).map(Self),
        |value, writer, tag| writer.date_time_extended(tag, value.0);
    Interval, Interval: |reader, tag| reader.interval(tag).map(Self), |value, writer, tag| writer.interval(tag, value.0);
    BigInteger, BigInteger: |reader, tag| reader.big_integer(tag).map(|b| Self(Secret::copy_from(b))),
        |value, writer, tag| writer.big_integer(tag, value.0.expose());
    SecretText, TextString: |reader, tag| reader.text(tag).map(Self::new), |value, writer, tag| writer.text(tag, value.expose());
}

/// A value of any item type, for attributes and extensions whose type their owner chose.
#[derive(Clone, PartialEq)]
pub enum AnyValue {
    /// Items in order.
    Structure(Vec<AnyItem>),
    /// 32 bits, signed.
    Integer(i32),
    /// 64 bits, signed.
    LongInteger(i64),
    /// Two's complement, big-endian.
    BigInteger(BigInteger),
    /// 32 bits.
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// Text.
    TextString(String),
    /// Bytes.
    ByteString(Vec<u8>),
    /// Seconds since 1970.
    DateTime(DateTime),
    /// Seconds.
    Interval(Interval),
    /// Microseconds since 1970.
    DateTimeExtended(DateTimeExtended),
}

impl AnyValue {
    /// Whether it is a time in microseconds, or has one in it: a type that there is from 2.0 on (KMIP 2.0 §1.5).
    #[must_use]
    pub fn has_extended_time(&self) -> bool {
        match self {
            Self::DateTimeExtended(_) => true,
            Self::Structure(items) => items.iter().any(|item| item.value.has_extended_time()),
            _ => false,
        }
    }

    /// The type of this value.
    #[must_use]
    pub const fn item_type(&self) -> ItemType {
        match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::TextString(_) => ItemType::TextString,
            Self::ByteString(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }

    /// Takes over a value that was read.
    fn of(value: Value<'_>) -> Result<Self> {
        Ok(match value {
            Value::Structure(mut inner) => Self::Structure(read_all(&mut inner)?),
            Value::Integer(v) => Self::Integer(v),
            Value::LongInteger(v) => Self::LongInteger(v),
            Value::BigInteger(v) => Self::BigInteger(BigInteger(Secret::copy_from(v))),
            Value::Enumeration(v) => Self::Enumeration(v),
            Value::Boolean(v) => Self::Boolean(v),
            Value::TextString(v) => Self::TextString(v.to_owned()),
            Value::ByteString(v) => Self::ByteString(v.to_vec()),
            Value::DateTime(v) => Self::DateTime(DateTime(v)),
            Value::Interval(v) => Self::Interval(Interval(v)),
            Value::DateTimeExtended(v) => Self::DateTimeExtended(DateTimeExtended(v)),
        })
    }
}

impl Item for AnyValue {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, _: Version) -> Result<Self> {
        if !reader.at(tag) {
            return Err(reader.error(ErrorKind::Missing(tag)));
        }
        let (tag, value) = reader.item()?;
        Self::of(value).map_err(|e| e.within(tag))
    }

    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        match self {
            Self::Structure(items) => writer.structure(tag, |inner| items.write_field(inner, tag, version)),
            Self::Integer(v) => writer.integer(tag, *v),
            Self::LongInteger(v) => writer.long_integer(tag, *v),
            Self::BigInteger(v) => v.write_item(writer, tag, version),
            Self::Enumeration(v) => writer.enumeration(tag, *v),
            Self::Boolean(v) => writer.boolean(tag, *v),
            Self::TextString(v) => writer.text(tag, v),
            Self::ByteString(v) => writer.bytes(tag, v),
            Self::DateTime(v) => writer.date_time(tag, v.0),
            Self::Interval(v) => writer.interval(tag, v.0),
            Self::DateTimeExtended(v) => writer.date_time_extended(tag, v.0),
        }
    }
}

/// An item of any tag and type.
#[derive(Clone, PartialEq)]
pub struct AnyItem {
    /// Its tag.
    pub tag: Tag,
    /// Its value.
    pub value: AnyValue,
}

/// As a field: all items that remain of the structure.
impl Field for Vec<AnyItem> {
    fn read_field(reader: &mut Reader<'_>, _: Tag, _: Version) -> Result<Self> {
        read_all(reader)
    }
    fn write_field(&self, writer: &mut Writer, _: Tag, version: Version) {
        for item in self {
            item.value.write_item(writer, item.tag, version);
        }
    }
    fn absent(_: &Reader<'_>, _: Tag) -> Result<Self> {
        Ok(Self::new())
    }
}

/// Reads whatever remains. Depth is bounded by the reader.
fn read_all(reader: &mut Reader<'_>) -> Result<Vec<AnyItem>> {
    let mut items = Vec::new();
    while !reader.is_empty() {
        let (tag, value) = reader.item()?;
        items.push(AnyItem {
            tag,
            value: AnyValue::of(value).map_err(|e| e.within(tag))?,
        });
    }
    Ok(items)
}
