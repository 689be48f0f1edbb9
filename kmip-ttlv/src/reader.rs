//! Reading TTLV: strict, borrowed, without allocation. A structure that is read leaves no byte behind, by construction.

use crate::error::{Error, ErrorKind, Result};
use crate::item::ItemType;
use crate::limits::{HEADER_LENGTH, MAX_DEPTH};
use crate::tag::Tag;

/// A position inside a structure (or before the outermost item), with the end it may not pass.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The bytes that remain of this structure.
    rest: &'a [u8],
    /// Offset of `rest` from the start of the message.
    offset: usize,
    depth: u8,
}

/// The value of an item that was read; strings borrow from the message.
pub enum Value<'a> {
    /// A reader over the items within.
    Structure(Reader<'a>),
    /// 32 bits, signed.
    Integer(i32),
    /// 64 bits, signed.
    LongInteger(i64),
    /// Two's complement, big-endian, a multiple of eight bytes.
    BigInteger(&'a [u8]),
    /// 32 bits, unsigned.
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// UTF-8.
    TextString(&'a str),
    /// Bytes.
    ByteString(&'a [u8]),
    /// Seconds since 1970.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// Microseconds since 1970.
    DateTimeExtended(i64),
}

impl Value<'_> {
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
}

/// An item's header, read and checked, with its value's bytes (padding checked and removed).
struct Raw<'a> {
    tag: Tag,
    kind: ItemType,
    bytes: &'a [u8],
    /// Offset of the value.
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a whole message. The caller has bounded its length.
    #[must_use]
    pub const fn new(message: &'a [u8]) -> Self {
        Self {
            rest: message,
            offset: 0,
            depth: 0,
        }
    }

    /// Bytes from the start of the message to the next item.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes of the items that remain in this structure, unread.
    #[must_use]
    pub const fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all items of this structure have been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// An error of this kind at the present position.
    #[must_use]
    #[cold]
    pub fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.offset)
    }

    /// The tag of the next item, or `None` at the end of the structure.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<Tag> {
        match self.rest {
            [a, b, c, ..] => Some(Tag(u32::from_be_bytes([0, *a, *b, *c]))),
            _ => None,
        }
    }

    /// Whether the next item has this tag.
    #[must_use]
    #[inline]
    pub fn at(&self, tag: Tag) -> bool {
        let start = self.rest.first_chunk();
        start.is_some_and(|start| u32::from_be_bytes(*start) >> 8 == tag.0)
    }

    /// The type of the next item.
    #[must_use]
    pub fn peek_type(&self) -> Option<ItemType> {
        self.rest.get(3).and_then(|b| ItemType::from_byte(*b))
    }

    /// Ends the structure: what remains is an error.
    pub fn finish(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(ErrorKind::Unexpected(self.peek())))
        }
    }

    /// The next item, whatever it is.
    pub fn item(&mut self) -> Result<(Tag, Value<'a>)> {
        let depth = self.depth;
        let raw = self.raw()?;
        let tag = raw.tag;
        match raw.value(depth) {
            Ok(value) => Ok((tag, value)),
            Err(error) => Err(error.within(tag)),
        }
    }

    /// Skips the next item, checking all that it contains.
    pub fn skip(&mut self) -> Result<()> {
        let (tag, value) = self.item()?;
        if let Value::Structure(mut inner) = value {
            while !inner.is_empty() {
                inner.skip().map_err(|e| e.within(tag))?;
            }
        }
        Ok(())
    }

    /// Reads a structure with this tag by `read`, and refuses what it leaves unread.
    #[inline(always)]
    pub fn structure<T>(&mut self, tag: Tag, read: impl FnOnce(&mut Reader<'a>) -> Result<T>) -> Result<T> {
        let depth = self.depth;
        let raw = self.expect(tag, ItemType::Structure)?;
        let mut inner = raw.structure(depth).map_err(|e| e.within(tag))?;
        // In place: what is read may be large, and is not moved once more for each level around it.
        let mut result = read(&mut inner);
        if result.is_ok() && !inner.is_empty() {
            result = inner.finish().and(result);
        }
        if let Err(error) = &mut result {
            error.enclose(tag);
        }
        result
    }

    /// An Integer with this tag.
    #[inline]
    pub fn integer(&mut self, tag: Tag) -> Result<i32> {
        self.word(tag, ItemType::Integer).map(u32::cast_signed)
    }

    /// An Enumeration with this tag.
    #[inline]
    pub fn enumeration(&mut self, tag: Tag) -> Result<u32> {
        self.word(tag, ItemType::Enumeration)
    }

    /// An Interval with this tag, in seconds.
    #[inline]
    pub fn interval(&mut self, tag: Tag) -> Result<u32> {
        self.word(tag, ItemType::Interval)
    }

    /// A Long Integer with this tag.
    #[inline]
    pub fn long_integer(&mut self, tag: Tag) -> Result<i64> {
        self.double_word(tag, ItemType::LongInteger).map(u64::cast_signed)
    }

    /// A Date-Time with this tag, in seconds since 1970.
    #[inline]
    pub fn date_time(&mut self, tag: Tag) -> Result<i64> {
        self.double_word(tag, ItemType::DateTime).map(u64::cast_signed)
    }

    /// A Date-Time Extended with this tag, in microseconds since 1970.
    #[inline]
    pub fn date_time_extended(&mut self, tag: Tag) -> Result<i64> {
        self.double_word(tag, ItemType::DateTimeExtended).map(u64::cast_signed)
    }

    /// A Boolean with this tag.
    #[inline]
    pub fn boolean(&mut self, tag: Tag) -> Result<bool> {
        if let Some(value @ (0 | 1)) = self.small(tag, ItemType::Boolean, 8) {
            self.pass_small();
            return Ok(value == 1);
        }
        let raw = self.scrutinise(tag, ItemType::Boolean)?;
        raw.boolean().map_err(|e| e.within(tag))
    }

    /// A Text String with this tag.
    #[inline]
    pub fn text(&mut self, tag: Tag) -> Result<&'a str> {
        let raw = self.expect(tag, ItemType::TextString)?;
        raw.text().map_err(|e| e.within(tag))
    }

    /// A Byte String with this tag.
    #[inline]
    pub fn bytes(&mut self, tag: Tag) -> Result<&'a [u8]> {
        Ok(self.expect(tag, ItemType::ByteString)?.bytes)
    }

    /// A Byte String of just so many bytes with this tag.
    ///
    /// # Errors
    /// Those of [`Reader::bytes`]; [`ErrorKind::WrongLength`].
    pub fn array<const N: usize>(&mut self, tag: Tag) -> Result<[u8; N]> {
        let wrong = self.error(ErrorKind::WrongLength);
        self.bytes(tag)?.try_into().map_err(|_| wrong.within(tag))
    }

    /// A Big Integer with this tag: two's complement, big-endian, a multiple of eight bytes.
    #[inline]
    pub fn big_integer(&mut self, tag: Tag) -> Result<&'a [u8]> {
        Ok(self.expect(tag, ItemType::BigInteger)?.bytes)
    }

    /// The value of the next item, if it is one of eight bytes under exactly this header.
    #[inline(always)]
    fn small(&self, tag: Tag, kind: ItemType, length: u32) -> Option<u64> {
        let item = u128::from_be_bytes(*self.rest.first_chunk()?);
        u64::try_from(item ^ (u128::from(first_word(tag, kind) | u64::from(length)) << 64)).ok()
    }

    /// Goes past an item of eight bytes.
    #[inline(always)]
    fn pass_small(&mut self) {
        self.rest = self.rest.get(2 * HEADER_LENGTH..).unwrap_or_default();
        self.offset += 2 * HEADER_LENGTH;
    }

    /// The next item's four bytes, if it has this tag and type.
    #[inline(always)]
    fn word(&mut self, tag: Tag, kind: ItemType) -> Result<u32> {
        if let Some(value) = self.small(tag, kind, 4) {
            let [a, b, c, d, 0, 0, 0, 0] = value.to_be_bytes() else {
                return Err(self.refusal(ErrorKind::Padding, tag));
            };
            self.pass_small();
            return Ok(u32::from_be_bytes([a, b, c, d]));
        }
        self.scrutinise(tag, kind)?.word()
    }

    /// The next item's eight bytes, if it has this tag and type.
    #[inline(always)]
    fn double_word(&mut self, tag: Tag, kind: ItemType) -> Result<u64> {
        if let Some(value) = self.small(tag, kind, 8) {
            self.pass_small();
            return Ok(value);
        }
        self.scrutinise(tag, kind)?.double_word()
    }

    /// The next item's bytes, if it has this tag and type, neither of which has a fixed length.
    #[inline(always)]
    fn expect(&mut self, tag: Tag, kind: ItemType) -> Result<Raw<'a>> {
        if let Some((header, after)) = self.rest.split_first_chunk()
            && let Ok(length) = u32::try_from(u64::from_be_bytes(*header) ^ first_word(tag, kind))
            && let Ok(length) = usize::try_from(length)
            && let Some(padded) = length.checked_next_multiple_of(8)
            && let Some((field, rest)) = after.split_at_checked(padded)
            && let Some(bytes) = field.get(..length)
            && fills(kind, length)
            && padding_is_zero(field, padded - length)
        {
            let offset = self.offset + HEADER_LENGTH;
            self.rest = rest;
            self.offset = offset + padded;
            return Ok(Raw {
                tag,
                kind,
                bytes,
                offset,
            });
        }
        self.scrutinise(tag, kind)
    }

    /// The next item's header and bytes, which must have this tag and type, and what is wrong if not.
    fn scrutinise(&mut self, tag: Tag, kind: ItemType) -> Result<Raw<'a>> {
        if self.peek() != Some(tag) {
            return Err(self.error(ErrorKind::Missing(tag)));
        }
        let start = self.offset;
        let raw = self.raw()?;
        if raw.kind == kind {
            Ok(raw)
        } else {
            let mismatch = ErrorKind::WrongType {
                expected: kind,
                found: raw.kind,
            };
            Err(Error::new(mismatch, start).within(tag))
        }
    }

    /// The next item's header and bytes; type, length and padding are checked, the value is not yet looked at.
    fn raw(&mut self) -> Result<Raw<'a>> {
        let Some((header, after)) = self.rest.split_first_chunk::<HEADER_LENGTH>() else {
            return Err(self.error(ErrorKind::Truncated));
        };
        let [t0, t1, t2, kind, l0, l1, l2, l3] = *header;
        let tag = Tag(u32::from_be_bytes([0, t0, t1, t2]));
        let Some(kind) = ItemType::from_byte(kind) else {
            return Err(self.refusal(ErrorKind::UnknownType(kind), tag));
        };
        let Ok(length) = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])) else {
            return Err(self.refusal(ErrorKind::WrongLength, tag));
        };
        if !fills(kind, length) || kind.fixed_length().is_some_and(|fixed| fixed != length) {
            return Err(self.refusal(ErrorKind::WrongLength, tag));
        }
        let spare = length.wrapping_neg() % 8;
        let split = length
            .checked_add(spare)
            .and_then(|padded| after.split_at_checked(padded));
        let Some((field, rest)) = split else {
            return Err(self.refusal(ErrorKind::Truncated, tag));
        };
        if !padding_is_zero(field, spare) {
            return Err(self.refusal(ErrorKind::Padding, tag));
        }
        let Some(bytes) = field.get(..length) else {
            return Err(self.refusal(ErrorKind::Truncated, tag));
        };
        let offset = self.offset + HEADER_LENGTH;
        self.rest = rest;
        self.offset = offset + field.len();
        Ok(Raw {
            tag,
            kind,
            bytes,
            offset,
        })
    }

    /// An error of the item at the present position.
    #[cold]
    fn refusal(&self, kind: ErrorKind, tag: Tag) -> Error {
        self.error(kind).within(tag)
    }
}

/// An item's header with no length in it.
#[inline(always)]
const fn first_word(tag: Tag, kind: ItemType) -> u64 {
    let [_, t0, t1, t2] = tag.0.to_be_bytes();
    u64::from_be_bytes([t0, t1, t2, kind.byte(), 0, 0, 0, 0])
}

/// Whether a value of this length can be one of this type, if the type does not prescribe one length: Structures hold whole items,
/// Big Integers whole words (KMIP 2.1 §10.1.1.3-4); an empty one has no value.
#[inline(always)]
const fn fills(kind: ItemType, length: usize) -> bool {
    match kind {
        ItemType::Structure => length.is_multiple_of(8),
        ItemType::BigInteger => length.is_multiple_of(8) && length != 0,
        _ => true,
    }
}

/// Whether the last so many bytes of an item, which are what follows the value in its last word, are zero.
#[inline(always)]
fn padding_is_zero(field: &[u8], spare: usize) -> bool {
    let last = field.last_chunk().map_or(0, |word| u64::from_be_bytes(*word));
    last & PADDING.get(spare).copied().unwrap_or(u64::MAX) == 0
}

/// The bits of a word's last so many bytes.
const PADDING: [u64; 8] = [
    0,
    0xFF,
    0xFFFF,
    0xFF_FFFF,
    0xFFFF_FFFF,
    0xFF_FFFF_FFFF,
    0xFFFF_FFFF_FFFF,
    0xFF_FFFF_FFFF_FFFF,
];

impl<'a> Raw<'a> {
    fn value(self, depth: u8) -> Result<Value<'a>> {
        Ok(match self.kind {
            ItemType::Structure => Value::Structure(self.structure(depth)?),
            ItemType::Integer => Value::Integer(self.word()?.cast_signed()),
            ItemType::LongInteger => Value::LongInteger(self.double_word()?.cast_signed()),
            ItemType::BigInteger => Value::BigInteger(self.bytes),
            ItemType::Enumeration => Value::Enumeration(self.word()?),
            ItemType::Boolean => Value::Boolean(self.boolean()?),
            ItemType::TextString => Value::TextString(self.text()?),
            ItemType::ByteString => Value::ByteString(self.bytes),
            ItemType::DateTime => Value::DateTime(self.double_word()?.cast_signed()),
            ItemType::Interval => Value::Interval(self.word()?),
            ItemType::DateTimeExtended => Value::DateTimeExtended(self.double_word()?.cast_signed()),
        })
    }

    fn structure(&self, depth: u8) -> Result<Reader<'a>> {
        if depth >= MAX_DEPTH {
            return Err(self.error(ErrorKind::TooDeep));
        }
        Ok(Reader {
            rest: self.bytes,
            offset: self.offset,
            depth: depth + 1,
        })
    }

    fn word(&self) -> Result<u32> {
        let bytes = self.bytes.try_into().map_err(|_| self.error(ErrorKind::WrongLength))?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn double_word(&self) -> Result<u64> {
        let bytes = self.bytes.try_into().map_err(|_| self.error(ErrorKind::WrongLength))?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn boolean(&self) -> Result<bool> {
        match self.double_word()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.error(ErrorKind::NotBoolean)),
        }
    }

    fn text(&self) -> Result<&'a str> {
        core::str::from_utf8(self.bytes).map_err(|_| self.error(ErrorKind::NotUtf8))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.offset)
    }
}
