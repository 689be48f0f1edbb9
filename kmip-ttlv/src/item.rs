//! Item types.

/// The type byte of an item (KMIP 2.1 §10.1.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum ItemType {
    /// Items within an item.
    Structure = 0x01,
    /// 32 bits, signed.
    Integer = 0x02,
    /// 64 bits, signed.
    LongInteger = 0x03,
    /// Any number of 64-bit words, two's complement, big-endian.
    BigInteger = 0x04,
    /// 32 bits, unsigned, named by the vocabulary.
    Enumeration = 0x05,
    /// 64 bits, 0 or 1.
    Boolean = 0x06,
    /// UTF-8 without terminator.
    TextString = 0x07,
    /// Bytes.
    ByteString = 0x08,
    /// Seconds since 1970, signed 64 bits.
    DateTime = 0x09,
    /// Seconds, unsigned 32 bits.
    Interval = 0x0A,
    /// Microseconds since 1970, signed 64 bits (2.0 and later).
    DateTimeExtended = 0x0B,
}

impl ItemType {
    /// Every item type, in the order of their numbers.
    pub const ALL: [ItemType; 11] = [
        Self::Structure,
        Self::Integer,
        Self::LongInteger,
        Self::BigInteger,
        Self::Enumeration,
        Self::Boolean,
        Self::TextString,
        Self::ByteString,
        Self::DateTime,
        Self::Interval,
        Self::DateTimeExtended,
    ];

    /// The type that a byte names, if it names one.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Structure,
            0x02 => Self::Integer,
            0x03 => Self::LongInteger,
            0x04 => Self::BigInteger,
            0x05 => Self::Enumeration,
            0x06 => Self::Boolean,
            0x07 => Self::TextString,
            0x08 => Self::ByteString,
            0x09 => Self::DateTime,
            0x0A => Self::Interval,
            0x0B => Self::DateTimeExtended,
            _ => return None,
        })
    }

    /// The byte on the wire.
    #[must_use]
    #[allow(clippy::as_conversions)] // a repr(u8) enumeration
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The length that the type prescribes, in bytes without padding; `None` where values differ in length.
    #[must_use]
    pub const fn fixed_length(self) -> Option<usize> {
        match self {
            Self::Integer | Self::Enumeration | Self::Interval => Some(4),
            Self::LongInteger | Self::Boolean | Self::DateTime | Self::DateTimeExtended => Some(8),
            Self::Structure | Self::BigInteger | Self::TextString | Self::ByteString => None,
        }
    }

    /// The name in XML and JSON (`type="LongInteger"`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "LongInteger",
            Self::BigInteger => "BigInteger",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "TextString",
            Self::ByteString => "ByteString",
            Self::DateTime => "DateTime",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "DateTimeExtended",
        }
    }

    /// The type with this name in XML and JSON.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
}
