//! One share of a legacy token's secret, as a custodian keeps it: groups of four hexadecimal digits, with a checksum against slips of the
//! pen and the token that it belongs to.
//!
//! The bytes are `format (1) ‖ token (16) ‖ index (1) ‖ value (32) ‖ checksum (4)`, where the checksum is the beginning of SHA-256 over what
//! stands before it.

use ring::digest;
use zeroize::Zeroizing;

use super::token::SECRET;
use crate::custody::error::CustodyError;
use crate::custody::slab::{Locked, Slab};

/// The format of shares.
const FORMAT: u8 = 1;
const CHECKSUM: usize = 4;
const LENGTH: usize = 1 + 16 + 1 + SECRET + CHECKSUM;
/// Digits to a group.
const GROUP: usize = 4;
/// Groups to a line: what a person reads aloud in one breath.
const LINE: usize = 9;
/// Characters of a share's text at most, with room for other blanks than ours.
pub const LONGEST_SHARE: usize = 512;

/// Why the text of a share is refused. Texts carry no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ShareError {
    /// It is not as long as a share, or has something in it that is no digit.
    #[error("this is not the text of a share")]
    Unreadable,
    /// A digit is wrong.
    #[error("the checksum of the share does not fit: compare it with what was handed out")]
    Checksum,
    /// No secret memory.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// A share, in secret memory.
pub struct Share {
    /// The token that it belongs to.
    pub token: [u8; 16],
    /// Which share it is, counted from 1.
    pub index: u8,
    pub(super) value: Locked,
}

impl Share {
    /// Reads the text of a share. Blanks, line ends, hyphens and the case of letters count for nothing.
    ///
    /// # Errors
    /// [`ShareError`]
    pub fn read(slab: &Slab, text: &str) -> Result<Self, ShareError> {
        if text.len() > LONGEST_SHARE {
            return Err(ShareError::Unreadable);
        }
        let mut bytes = slab.allocate(LENGTH).map_err(CustodyError::from)?;
        let mut digits = text.chars().filter(|c| !c.is_ascii_whitespace() && *c != '-');
        for byte in bytes.expose_mut() {
            *byte = pair(&mut digits).ok_or(ShareError::Unreadable)?;
        }
        if digits.next().is_some() {
            return Err(ShareError::Unreadable);
        }
        let whole: &[u8; LENGTH] = bytes.expose().first_chunk().ok_or(ShareError::Unreadable)?;
        let (body, sum) = whole.split_last_chunk::<CHECKSUM>().ok_or(ShareError::Unreadable)?;
        if checksum(body) != *sum {
            return Err(ShareError::Checksum);
        }
        let (format, rest) = body.split_first().ok_or(ShareError::Unreadable)?;
        let (token, rest) = rest.split_first_chunk::<16>().ok_or(ShareError::Unreadable)?;
        let (index, value) = rest.split_first().ok_or(ShareError::Unreadable)?;
        if *format != FORMAT || *index == 0 {
            return Err(ShareError::Unreadable);
        }
        Ok(Self {
            token: *token,
            index: *index,
            value: slab.copy_from(value).map_err(CustodyError::from)?,
        })
    }

    /// The text of the share.
    #[must_use]
    pub fn write(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.token);
        bytes.push(self.index);
        bytes.extend_from_slice(self.value.expose());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        let mut text = Zeroizing::new(String::with_capacity(LONGEST_SHARE));
        for (group, pair) in bytes.chunks(GROUP / 2).enumerate() {
            if group > 0 {
                text.push(if group % LINE == 0 { '\n' } else { ' ' });
            }
            for byte in pair {
                text.extend([digit(byte >> 4), digit(byte & 0xF)]);
            }
        }
        text
    }

    /// What the token says of this share, so that it can be told by itself whether it is the one that was handed out. The value has 256 bits
    /// that nobody can guess: its digest tells nothing of it.
    pub(super) fn commitment(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"claviger legacy share 1");
        context.update(&self.token);
        context.update(&[self.index]);
        context.update(self.value.expose());
        context.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

fn pair(digits: &mut impl Iterator<Item = char>) -> Option<u8> {
    let high = digits.next()?.to_digit(16)?;
    let low = digits.next()?.to_digit(16)?;
    u8::try_from((high << 4) | low).ok()
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(slab: &Slab) -> Share {
        Share {
            token: [7; 16],
            index: 3,
            value: slab.copy_from(&[0xA5; SECRET]).unwrap(),
        }
    }

    #[test]
    fn a_share_is_read_as_it_was_written_however_it_is_typed() {
        let slab = Slab::new().unwrap();
        let text = sample(&slab).write();
        assert_eq!(text.lines().count(), 3);
        for typed in [
            text.to_string(),
            text.to_uppercase(),
            text.replace(' ', "-"),
            text.replace([' ', '\n'], ""),
            format!("\r\n{}\r\n", text.replace('\n', "\r\n")),
        ] {
            let read = Share::read(&slab, &typed).unwrap();
            assert_eq!(
                (read.token, read.index, read.value.expose()),
                ([7; 16], 3, &[0xA5; SECRET][..])
            );
        }
    }

    #[test]
    fn each_wrong_digit_is_found() {
        let slab = Slab::new().unwrap();
        let text = sample(&slab).write();
        for (place, digit) in text.char_indices().filter(|(_, c)| c.is_ascii_hexdigit()) {
            let mut wrong = text.to_string();
            wrong.replace_range(place..=place, if digit == '0' { "1" } else { "0" });
            assert_eq!(Share::read(&slab, &wrong).err(), Some(ShareError::Checksum), "{place}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused_and_nothing_panics() {
        let slab = Slab::new().unwrap();
        let text = sample(&slab).write();
        for end in 0..text.len() {
            assert!(Share::read(&slab, &text[..end]).is_err());
        }
        for wrong in [
            format!("{}0", *text),
            format!("{} 00", *text),
            text.replacen('0', "g", 1),
            text.replacen('0', "\u{ff10}", 1),
            " ".repeat(LONGEST_SHARE + 1),
            String::new(),
        ] {
            assert_eq!(Share::read(&slab, &wrong).err(), Some(ShareError::Unreadable));
        }
        // The format and the index are under the checksum: such a text was made on purpose.
        let mut none = sample(&slab);
        none.index = 0;
        assert_eq!(Share::read(&slab, &none.write()).err(), Some(ShareError::Unreadable));
    }
}
