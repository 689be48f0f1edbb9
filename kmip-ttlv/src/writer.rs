//! Writing TTLV into one buffer. Lengths are back-patched, never computed beforehand; the buffer is wiped when dropped
//! and when it grows, since it may carry keys.

use crate::item::ItemType;
use crate::tag::Tag;
use zeroize::Zeroize;

/// A message under construction.
#[derive(Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

/// First allocation: holds a typical answer whole.
const FIRST_CAPACITY: usize = 512;

impl Writer {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: Vec::with_capacity(FIRST_CAPACITY),
        }
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What was written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The finished message. From here on the caller wipes it.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut self.buffer)
    }

    /// Takes back everything after `length` bytes, wiping it: an item that turned out too large leaves nothing behind.
    pub fn truncate(&mut self, length: usize) {
        if let Some(tail) = self.buffer.get_mut(length..) {
            tail.zeroize();
        }
        self.buffer.truncate(length);
    }

    /// A structure with this tag, whose items `write` writes.
    pub fn structure(&mut self, tag: Tag, write: impl FnOnce(&mut Self)) {
        let start = self.open(tag);
        write(self);
        self.close(start);
    }

    /// Begins a structure, for callers that cannot use a closure; [`Writer::close`] ends it.
    pub fn open(&mut self, tag: Tag) -> usize {
        self.header(tag, ItemType::Structure, 0);
        self.buffer.len()
    }

    /// Ends the structure that [`Writer::open`] began and patches its length.
    pub fn close(&mut self, start: usize) {
        let length = u32::try_from(self.buffer.len().saturating_sub(start)).unwrap_or(u32::MAX);
        if let Some(field) = self.buffer.get_mut(start.wrapping_sub(4)..start) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Items that are already TTLV, copied as they are.
    pub fn raw(&mut self, items: &[u8]) {
        self.reserve(items.len());
        self.buffer.extend_from_slice(items);
    }

    /// An Integer.
    pub fn integer(&mut self, tag: Tag, value: i32) {
        self.word(tag, ItemType::Integer, value.cast_unsigned());
    }

    /// An Enumeration.
    pub fn enumeration(&mut self, tag: Tag, value: u32) {
        self.word(tag, ItemType::Enumeration, value);
    }

    /// An Interval, in seconds.
    pub fn interval(&mut self, tag: Tag, seconds: u32) {
        self.word(tag, ItemType::Interval, seconds);
    }

    /// A Long Integer.
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.double_word(tag, ItemType::LongInteger, value.cast_unsigned());
    }

    /// A Date-Time, in seconds since 1970.
    pub fn date_time(&mut self, tag: Tag, seconds: i64) {
        self.double_word(tag, ItemType::DateTime, seconds.cast_unsigned());
    }

    /// A Date-Time Extended, in microseconds since 1970.
    pub fn date_time_extended(&mut self, tag: Tag, microseconds: i64) {
        self.double_word(tag, ItemType::DateTimeExtended, microseconds.cast_unsigned());
    }

    /// A Boolean.
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.double_word(tag, ItemType::Boolean, u64::from(value));
    }

    /// A Text String.
    pub fn text(&mut self, tag: Tag, value: &str) {
        self.string(tag, ItemType::TextString, value.as_bytes());
    }

    /// A Byte String.
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.string(tag, ItemType::ByteString, value);
    }

    /// A Big Integer: two's complement, big-endian. Sign-extended in front to a multiple of eight bytes (KMIP 2.1 §10.1.1.4).
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let length = value.len().max(1).next_multiple_of(8);
        let sign = if value.first().is_some_and(|b| b & 0x80 != 0) {
            0xFF
        } else {
            0
        };
        self.header(tag, ItemType::BigInteger, length);
        self.reserve(length);
        self.buffer.resize(self.buffer.len() + length - value.len(), sign);
        self.buffer.extend_from_slice(value);
    }

    fn word(&mut self, tag: Tag, kind: ItemType, value: u32) {
        self.header(tag, kind, 4);
        let [a, b, c, d] = value.to_be_bytes();
        self.buffer.extend_from_slice(&[a, b, c, d, 0, 0, 0, 0]);
    }

    fn double_word(&mut self, tag: Tag, kind: ItemType, value: u64) {
        self.header(tag, kind, 8);
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    fn string(&mut self, tag: Tag, kind: ItemType, value: &[u8]) {
        self.header(tag, kind, value.len());
        let padded = value.len().next_multiple_of(8);
        self.reserve(padded);
        self.buffer.extend_from_slice(value);
        self.buffer.resize(self.buffer.len() + padded - value.len(), 0);
    }

    fn header(&mut self, tag: Tag, kind: ItemType, length: usize) {
        // Room for the value of every fixed-length type as well.
        self.reserve(16);
        let [_, a, b, c] = tag.0.to_be_bytes();
        let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.buffer.extend_from_slice(&[a, b, c, kind.byte(), l0, l1, l2, l3]);
    }

    /// Makes room without leaving an unwiped copy behind, as `Vec`'s own growth would.
    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.buffer.capacity() - self.buffer.len() < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = (self.buffer.len() + more)
            .max(self.buffer.capacity() * 2)
            .max(FIRST_CAPACITY);
        let mut larger = Vec::with_capacity(wanted);
        larger.extend_from_slice(&self.buffer);
        self.buffer.zeroize();
        self.buffer = larger;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}
