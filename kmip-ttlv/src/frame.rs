//! Whole messages out of a stream of bytes, without I/O: the caller pushes what arrived and pulls messages.
//!
//! The first eight bytes are judged before anything is allocated for what they announce, memory grows only with what
//! has really arrived, and it is wiped once a message was taken, for it may have held keys.

use crate::error::{Error, ErrorKind};
use crate::item::ItemType;
use crate::limits::HEADER_LENGTH;
use crate::tag::Tag;
use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Memory that a frame begins with and keeps between messages: holds a typical request, and a thousand idle
/// connections keep one megabyte.
const KEPT_LENGTH: usize = 1024;

/// Why a stream cannot go on: where the next message would begin is not known any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The first eight bytes are not those of an expected message.
    NotMessage(Error),
    /// The message announces more than the limit allows.
    TooLong {
        /// The announced length in bytes, header included.
        length: u64,
        /// The limit that it exceeds.
        limit: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMessage(error) => write!(f, "not a message: {error}"),
            Self::TooLong { length, limit } => write!(f, "a message of {length} bytes, where {limit} are allowed"),
        }
    }
}

impl std::error::Error for FrameError {}

/// One direction of one connection. Holds at most one message; what follows it stays with the caller until it was taken.
pub struct Frame {
    expected: &'static [Tag],
    limit: usize,
    /// Zero beyond `filled`.
    buffer: Vec<u8>,
    filled: usize,
    /// The length of the message, header included, once its header is known to be sound.
    total: Option<usize>,
    failure: Option<FrameError>,
}

impl Frame {
    /// A frame at the beginning of a stream, for messages with one of these tags, of at most `limit` bytes each.
    #[must_use]
    pub const fn new(expected: &'static [Tag], limit: usize) -> Self {
        Self {
            expected,
            limit,
            buffer: Vec::new(),
            filled: 0,
            total: None,
            failure: None,
        }
    }

    /// Changes the limit for the messages that are not begun yet, as a connection becomes trusted.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes what belongs to the present message and returns how many bytes that was: all of them, or fewer when the
    /// message is complete. The rest belongs to the next message; push it again after [`Frame::clear`] or [`Frame::take`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        let mut rest = bytes;
        loop {
            let space = self.space();
            let count = space.len().min(rest.len());
            if count == 0 {
                // An error stays one, also for callers that push nothing.
                return self.failure.map_or(Ok(bytes.len() - rest.len()), Err);
            }
            let (now, later) = rest.split_at(count);
            if let Some(place) = space.get_mut(..count) {
                place.copy_from_slice(now);
            }
            self.advance(count)?;
            rest = later;
        }
    }

    /// Where the next bytes of the message go, for callers that read into place; then tell [`Frame::advance`] how many
    /// were read. Never reaches into the next message; empty when the message is complete, or after an error.
    pub fn space(&mut self) -> &mut [u8] {
        if self.failure.is_some() {
            return &mut [];
        }
        let wanted = self.total.unwrap_or(HEADER_LENGTH);
        if self.filled == self.buffer.len() && self.filled < wanted {
            self.grow(wanted);
        }
        let end = wanted.min(self.buffer.len());
        self.buffer.get_mut(self.filled..end).unwrap_or_default()
    }

    /// Counts bytes that were read into [`Frame::space`], and judges the header as soon as it is whole.
    pub fn advance(&mut self, count: usize) -> Result<(), FrameError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let end = self.total.unwrap_or(HEADER_LENGTH).min(self.buffer.len());
        self.filled = self.filled.saturating_add(count).min(end);
        let whole = self.total.is_none() && self.filled == HEADER_LENGTH;
        if let Some(header) = self.buffer.first_chunk().filter(|_| whole) {
            match self.judge(header) {
                Ok(total) => self.total = Some(total),
                Err(failure) => {
                    self.failure = Some(failure);
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// The whole message, once it has arrived.
    #[must_use]
    pub fn message(&self) -> Option<&[u8]> {
        self.total
            .filter(|total| *total == self.filled)
            .and_then(|total| self.buffer.get(..total))
    }

    /// Takes the whole message out, once it has arrived, and begins the next.
    pub fn take(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let length = self.message()?.len();
        let mut message = core::mem::take(&mut self.buffer);
        message.truncate(length);
        self.filled = 0;
        self.total = None;
        Some(Zeroizing::new(message))
    }

    /// Wipes the message, whole or not, and begins the next. Memory beyond the first kilobyte is given back.
    /// After an error nothing begins: the stream is lost.
    pub fn clear(&mut self) {
        if let Some(used) = self.buffer.get_mut(..self.filled) {
            used.zeroize();
        }
        if self.buffer.len() > KEPT_LENGTH {
            self.buffer = Vec::new();
        }
        self.filled = 0;
        self.total = None;
    }

    /// Whether the stream stands between messages: a peer that closes here loses nothing.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.filled == 0 && self.failure.is_none()
    }

    /// Bytes of the present message that have arrived.
    #[must_use]
    pub const fn received(&self) -> usize {
        self.filled
    }

    /// The message's length, if this is the header of one that is expected and allowed.
    fn judge(&self, header: &[u8; HEADER_LENGTH]) -> Result<usize, FrameError> {
        let [t0, t1, t2, kind, l0, l1, l2, l3] = *header;
        let tag = Tag(u32::from_be_bytes([0, t0, t1, t2]));
        let refuse = |kind, offset| Err(FrameError::NotMessage(Error::new(kind, offset)));
        if !self.expected.contains(&tag) {
            return refuse(ErrorKind::Unexpected(Some(tag)), 0);
        }
        match ItemType::from_byte(kind) {
            Some(ItemType::Structure) => {}
            Some(found) => {
                let expected = ItemType::Structure;
                return refuse(ErrorKind::WrongType { expected, found }, 3);
            }
            None => return refuse(ErrorKind::UnknownType(kind), 3),
        }
        let length = u64::from(u32::from_be_bytes([l0, l1, l2, l3]));
        if length % 8 != 0 {
            return refuse(ErrorKind::WrongLength, 4);
        }
        // Eight bytes and a 32-bit number: no overflow.
        let length = length + 8;
        match usize::try_from(length) {
            Ok(total) if total <= self.limit => Ok(total),
            _ => Err(FrameError::TooLong {
                length,
                limit: self.limit,
            }),
        }
    }

    /// More room: twice as much as arrived, at most what the message needs.
    fn grow(&mut self, wanted: usize) {
        let length = (self.buffer.len() * 2).clamp(KEPT_LENGTH, wanted.max(KEPT_LENGTH));
        let mut larger = Vec::with_capacity(length);
        larger.extend_from_slice(&self.buffer);
        larger.resize(length, 0);
        self.buffer.zeroize();
        self.buffer = larger;
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Tag = Tag(0x42_0078);
    const EXPECTED: &[Tag] = &[REQUEST];

    /// A message of this length, header included, every byte of whose value is `fill`.
    fn message(length: usize, fill: u8) -> Vec<u8> {
        let mut bytes = vec![0x42, 0x00, 0x78, 0x01];
        bytes.extend(u32::try_from(length - 8).unwrap().to_be_bytes());
        bytes.resize(length, fill);
        bytes
    }

    #[test]
    fn messages_come_out_whole_however_the_stream_is_cut() {
        let messages = [message(8, 0), message(48, 1), message(5000, 2), message(16, 3)];
        let stream = messages.concat();
        for step in [1, 7, 8, 9, 1000, stream.len()] {
            let mut frame = Frame::new(EXPECTED, 5000);
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let taken = frame.push(rest).unwrap();
                    rest = &rest[taken..];
                    if let Some(whole) = frame.message() {
                        let whole = whole.to_vec();
                        assert_eq!(frame.push(b"x"), Ok(0));
                        // Both ways of going on.
                        if found.len() % 2 == 0 {
                            assert_eq!(*frame.take().unwrap(), whole);
                        } else {
                            frame.clear();
                        }
                        found.push(whole);
                        assert!(frame.is_between() && frame.message().is_none());
                    }
                }
            }
            assert_eq!(found, messages, "steps of {step}");
        }
    }

    #[test]
    fn a_header_is_judged_before_anything_is_allocated_for_it() {
        let refused = |bytes: [u8; 8]| Frame::new(EXPECTED, 1000).push(&bytes).unwrap_err();
        let not = |kind, offset| FrameError::NotMessage(Error::new(kind, offset));
        let response = ErrorKind::Unexpected(Some(Tag(0x42_007B)));
        assert_eq!(refused([0x42, 0, 0x7B, 1, 0, 0, 0, 8]), not(response, 0));
        assert_eq!(
            refused(*b"GET / HT"),
            not(ErrorKind::Unexpected(Some(Tag(0x47_4554))), 0)
        );
        let wrong = ErrorKind::WrongType {
            expected: ItemType::Structure,
            found: ItemType::Integer,
        };
        assert_eq!(refused([0x42, 0, 0x78, 2, 0, 0, 0, 4]), not(wrong, 3));
        assert_eq!(
            refused([0x42, 0, 0x78, 0, 0, 0, 0, 8]),
            not(ErrorKind::UnknownType(0), 3)
        );
        assert_eq!(refused([0x42, 0, 0x78, 1, 0, 0, 0, 9]), not(ErrorKind::WrongLength, 4));
        let too_long = |length| FrameError::TooLong { length, limit: 1000 };
        assert_eq!(refused([0x42, 0, 0x78, 1, 0, 0, 3, 0xE8]), too_long(1008));
        assert_eq!(refused([0x42, 0, 0x78, 1, 255, 255, 255, 248]), too_long(0x1_0000_0000));
        let mut frame = Frame::new(EXPECTED, 1000);
        assert_eq!(frame.push(&message(1000, 0)[..8]), Ok(8));
    }

    #[test]
    fn an_error_stays_one() {
        let mut frame = Frame::new(EXPECTED, 1000);
        let failure = frame.push(&message(2000, 0)).unwrap_err();
        frame.clear();
        assert_eq!(frame.push(&message(16, 0)), Err(failure));
        assert_eq!(frame.push(&[]), Err(failure));
        assert_eq!(frame.advance(0), Err(failure));
        assert!(frame.space().is_empty() && frame.message().is_none() && !frame.is_between());
    }

    #[test]
    fn memory_follows_what_arrived_not_what_was_announced() {
        let big = message(1 << 20, 7);
        let mut frame = Frame::new(EXPECTED, 1 << 20);
        for (i, piece) in big.chunks(100).enumerate() {
            assert_eq!(frame.push(piece).unwrap(), piece.len());
            let received = i * 100 + piece.len();
            assert!(frame.buffer.capacity() <= (2 * received).max(KEPT_LENGTH), "{received}");
        }
        assert_eq!(frame.message(), Some(&*big));
        frame.clear();
        assert_eq!(frame.buffer.capacity(), 0);
    }

    #[test]
    fn nothing_of_a_cleared_message_stays() {
        let mut frame = Frame::new(EXPECTED, 1 << 20);
        frame.push(&message(800, 0xAA)).unwrap();
        assert!(frame.buffer.contains(&0xAA));
        frame.clear();
        assert!(frame.buffer.capacity() > 0 && frame.buffer.iter().all(|b| *b == 0));
        // Nor does a part of one.
        frame.push(&message(800, 0xAA)[..500]).unwrap();
        frame.clear();
        assert!(frame.buffer.iter().all(|b| *b == 0) && frame.is_between());
    }

    #[test]
    fn reading_into_place_never_reaches_into_the_next_message() {
        let stream = [message(24, 1), message(2048, 2)].concat();
        let (mut frame, mut position, mut found) = (Frame::new(EXPECTED, 4096), 0, Vec::new());
        while position < stream.len() {
            let space = frame.space();
            let count = space.len();
            assert!(count > 0);
            space.copy_from_slice(&stream[position..position + count]);
            position += count;
            frame.advance(count).unwrap();
            if let Some(message) = frame.take() {
                found.push(message.len());
            }
        }
        assert_eq!(found, [24, 2048]);
        // More than was offered is not believed.
        frame.advance(100).unwrap();
        assert_eq!(frame.received(), 0);
    }
}
