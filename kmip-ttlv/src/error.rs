//! What went wrong while reading a message, and where: a small kind, a byte offset, a path of tags. Never a value.

use crate::item::ItemType;
use crate::limits::MAX_DEPTH;
use crate::tag::Tag;
use core::fmt;

/// The result of reading.
pub type Result<T> = core::result::Result<T, Error>;

/// Why reading stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The message ends inside an item.
    Truncated,
    /// Items or bytes remain where the structure or message should end; the tag found, if there was one.
    Unexpected(Option<Tag>),
    /// The byte names no item type.
    UnknownType(u8),
    /// The item has another type than the field.
    WrongType {
        /// What the field has.
        expected: ItemType,
        /// What the message has.
        found: ItemType,
    },
    /// The length does not fit the type.
    WrongLength,
    /// The bytes that fill an item up to eight are not zero.
    Padding,
    /// More structures within structures than [`MAX_DEPTH`].
    TooDeep,
    /// The message or one of its parts is longer than the limit in force.
    TooLong,
    /// A text string is not UTF-8.
    NotUtf8,
    /// A Boolean is neither 0 nor 1.
    NotBoolean,
    /// A field that the structure requires is absent.
    Missing(Tag),
    /// The value has the right type and is still impossible; why, in words for a log.
    Invalid(&'static str),
    /// An enumeration has a value that nobody knows.
    UnknownValue,
    /// The message's protocol version is not one of ours.
    Version,
    /// An XML or JSON text is not well formed.
    Syntax(&'static str),
    /// An XML or JSON text uses a name that the vocabulary does not have.
    UnknownName,
}

/// An error with its place. `Display` gives numbers only: no value of the message is repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    offset: usize,
    /// Innermost first, as it is collected while returning.
    path: [Tag; PATH_LENGTH],
    depth: u8,
}

/// How many tags of the path an error keeps: the innermost ones.
const PATH_LENGTH: usize = 8;
const _: () = assert!(PATH_LENGTH < 256 && MAX_DEPTH > 8);

impl Error {
    /// An error of this kind at this byte offset of the message.
    #[must_use]
    #[cold]
    pub const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self {
            kind,
            offset,
            path: [Tag(0); PATH_LENGTH],
            depth: 0,
        }
    }

    /// The same error, found inside `tag`.
    #[must_use]
    #[cold]
    pub fn within(mut self, tag: Tag) -> Self {
        self.enclose(tag);
        self
    }

    /// Notes in place that the error lies inside `tag`.
    #[cold]
    pub(crate) fn enclose(&mut self, tag: Tag) {
        if let Some(slot) = self.path.get_mut(usize::from(self.depth)) {
            *slot = tag;
        }
        self.depth = self.depth.saturating_add(1);
    }

    /// Why reading stopped.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the message.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The tags around the place, outermost first (at most the eight innermost).
    pub fn path(&self) -> impl Iterator<Item = Tag> + '_ {
        let kept = usize::from(self.depth).min(PATH_LENGTH);
        self.path.iter().take(kept).rev().copied()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at byte {}", self.kind, self.offset)?;
        for (i, tag) in self.path().enumerate() {
            write!(f, "{}{tag}", if i == 0 { " in " } else { "/" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
