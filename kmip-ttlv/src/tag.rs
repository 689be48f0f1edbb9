//! The three-byte number that says what an item is.

use core::fmt;

/// A tag: three bytes on the wire (KMIP 2.1 §10.1.1.1). Any value survives a round trip; names are the vocabulary's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// The largest tag that three bytes can carry.
    pub const MAX: u32 = 0x00FF_FFFF;

    /// Whether the tag lies in the range kept for extensions (KMIP 2.1 §10.1.1.1: `0x540000`–`0x54FFFF`).
    #[must_use]
    pub const fn is_extension(self) -> bool {
        self.0 >= 0x0054_0000 && self.0 <= 0x0054_FFFF
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:06X}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
