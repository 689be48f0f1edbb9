//! Texts that may carry keys: the buffer that one is written into and the strings that are read from one leave no
//! unwiped copy behind.

use core::fmt;
use std::borrow::Cow;
use zeroize::{Zeroize, Zeroizing};

/// A text under construction.
#[derive(Default)]
pub(crate) struct TextBuffer {
    text: String,
}

/// First allocation: holds a short message whole.
const FIRST_CAPACITY: usize = 1024;

impl TextBuffer {
    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: &str) {
        if self.text.capacity() - self.text.len() < piece.len() {
            self.grow(piece.len());
        }
        self.text.push_str(piece);
    }

    /// Appends one character.
    pub(crate) fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    /// Appends bytes as lower-case hexadecimal digits, two a byte.
    pub(crate) fn push_hex(&mut self, bytes: &[u8]) {
        for byte in bytes {
            for nibble in [byte >> 4, byte & 0x0F] {
                self.push_char(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
    }

    /// Appends a line break and two spaces a level.
    pub(crate) fn push_line(&mut self, level: usize) {
        self.push("\n");
        for _ in 0..level {
            self.push("  ");
        }
    }

    /// The finished text.
    pub(crate) fn finish(mut self) -> Zeroizing<String> {
        Zeroizing::new(core::mem::take(&mut self.text))
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = (self.text.len() + more)
            .max(self.text.capacity() * 2)
            .max(FIRST_CAPACITY);
        let mut larger = String::with_capacity(wanted);
        larger.push_str(&self.text);
        self.text.zeroize();
        self.text = larger;
    }
}

impl fmt::Write for TextBuffer {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece);
        Ok(())
    }
}

impl Drop for TextBuffer {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// A string that was read: borrowed from the text where that has no escapes, else a copy, wiped when dropped.
pub(crate) struct Wiped<'t>(pub(crate) Cow<'t, str>);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}
