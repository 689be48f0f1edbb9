//! A backup as text that a person can copy by hand: lines of eight groups of five letters, each with its number and a check group.
//!
//! Letters are those of Crockford's Base32: no I, L, O and U, so that nothing looks like something else; read without regard to
//! case, with I and L taken for 1 and O for 0. A line has 25 bytes, the last one what is left, and ends in 25 bits of SHA-256 over
//! its number and its bytes. The last 16 bytes of all are SHA-256 over those before them.

use ring::digest;

use super::backup::Backup;
use crate::custody::error::CustodyError;

/// The first line.
const TITLE: &str = "CLAVIGER KEK BACKUP 1";
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of a line.
const LINE: usize = 25;
/// Letters of a group.
const GROUP: usize = 5;
/// Bytes of the check over everything.
const TOTAL: usize = 16;
/// Lines at most: far more than the largest backup has.
const MAX_LINES: usize = 999;

/// Why a text is no backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Misread {
    /// The first line is not that of a backup of this version.
    #[error("this is no backup string, or one of another version")]
    Title,
    /// A line is mistyped, missing, or in the wrong place.
    #[error("line {0} is mistyped, missing, or in the wrong place")]
    Line(usize),
    /// Each line is right, and the whole is not.
    #[error("lines are missing at the end, or are of another backup")]
    Whole,
}

impl Backup {
    /// The text.
    ///
    /// # Errors
    /// [`CustodyError::Limit`]
    pub fn to_text(&self) -> Result<String, CustodyError> {
        let mut bytes = self.encode()?;
        let total = digest::digest(&digest::SHA256, &bytes);
        bytes.extend(total.as_ref().iter().take(TOTAL));
        let mut text = format!("{TITLE}\n");
        for (index, line) in bytes.chunks(LINE).enumerate() {
            let number = index + 1;
            text.push_str(&format!("{number:02} "));
            for group in letters(line).as_bytes().chunks(GROUP) {
                text.push(' ');
                text.extend(group.iter().copied().map(char::from));
            }
            text.push_str("  ");
            text.push_str(&check(number, line));
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Misread`]
    pub fn from_text(text: &str) -> Result<Self, Misread> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let title = lines.next().ok_or(Misread::Title)?;
        if !title.eq_ignore_ascii_case(TITLE) {
            return Err(Misread::Title);
        }
        let mut bytes = Vec::new();
        let mut ended = false;
        for (index, line) in lines.enumerate() {
            let number = index + 1;
            let read = read_line(number, line).filter(|_| !ended && number <= MAX_LINES);
            let read = read.ok_or(Misread::Line(number))?;
            ended = read.len() < LINE;
            bytes.extend(read);
        }
        let (body, total) = bytes.split_last_chunk::<TOTAL>().ok_or(Misread::Whole)?;
        let found = digest::digest(&digest::SHA256, body);
        if found.as_ref().first_chunk() != Some(total) {
            return Err(Misread::Whole);
        }
        Self::decode(body).map_err(|_| Misread::Whole)
    }
}

fn read_line(number: usize, line: &str) -> Option<Vec<u8>> {
    let mut words = line.split_whitespace();
    if words.next()?.parse() != Ok(number) {
        return None;
    }
    let values: Option<Vec<u8>> = words.flat_map(str::bytes).map(value).collect();
    let values = values?;
    let (data, _) = values.split_last_chunk::<GROUP>()?;
    let bytes = bytes_of(data)?;
    let fits = (1..=LINE).contains(&bytes.len());
    // What is written for these bytes is what was read: nothing has two spellings but case and look-alikes.
    let written: Vec<u8> = letters(&bytes)
        .into_bytes()
        .into_iter()
        .chain(check(number, &bytes).bytes())
        .collect();
    let read: Option<Vec<u8>> = values
        .iter()
        .map(|value| LETTERS.get(usize::from(*value)).copied())
        .collect();
    (fits && read? == written).then_some(bytes)
}

/// Five bits for a letter.
fn value(letter: u8) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        letter => letter,
    };
    let place = LETTERS.iter().position(|own| *own == letter)?;
    u8::try_from(place).ok()
}

/// The bytes as letters; the last one is filled up with zero bits.
fn letters(bytes: &[u8]) -> String {
    let bit = |index: usize| {
        let byte = bytes.get(index / 8).copied().unwrap_or(0);
        usize::from(byte >> (7 - index % 8) & 1)
    };
    let count = (bytes.len() * 8).div_ceil(5);
    let letter = |number: usize| (0..5).fold(0, |value, place| value << 1 | bit(number * 5 + place));
    (0..count)
        .filter_map(|number| LETTERS.get(letter(number)))
        .map(|letter| char::from(*letter))
        .collect()
}

/// The whole bytes that these values hold.
fn bytes_of(values: &[u8]) -> Option<Vec<u8>> {
    let bit = |index: usize| values.get(index / 5).map(|value| value >> (4 - index % 5) & 1);
    (0..values.len() * 5 / 8)
        .map(|number| (0..8).try_fold(0_u8, |byte, place| Some(byte << 1 | bit(number * 8 + place)?)))
        .collect()
}

/// The check group of a line.
fn check(number: usize, bytes: &[u8]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"claviger backup line");
    hash.update(&number.to_be_bytes());
    hash.update(bytes);
    let mut text = letters(hash.finish().as_ref());
    text.truncate(GROUP);
    text
}

#[cfg(test)]
mod tests {
    use super::super::backup::tests::backup;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_person_can_copy_it() {
        let text = backup(2).to_text().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "CLAVIGER KEK BACKUP 1");
        assert!(lines.iter().all(|line| line.len() <= 60), "{text}");
        assert_eq!(lines[1].split_whitespace().count(), 10);
        assert_eq!(Backup::from_text(&text), Ok(backup(2)));
        // As somebody types it.
        let typed = text
            .to_lowercase()
            .replace('0', "o")
            .replace('1', "l")
            .replace("  ", " ");
        let typed: Vec<String> = typed
            .lines()
            .enumerate()
            .map(|(number, line)| match number {
                0 => TITLE.to_lowercase(),
                number => format!("\t {number} {} \r", line.split_once(' ').unwrap().1),
            })
            .collect();
        assert_eq!(Backup::from_text(&typed.join("\n\n")), Ok(backup(2)));
    }

    #[test]
    fn each_edited_character_is_refused_in_its_line() {
        let text = backup(2).to_text().unwrap();
        for (place, letter) in text.char_indices().filter(|(_, letter)| !letter.is_whitespace()) {
            let line = text[..place].matches('\n').count();
            for other in ['0', '1', '7', 'A', 'Z', 'U', '-', '\u{e9}'] {
                if other == letter {
                    continue;
                }
                let edited = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                let expected = if place < TITLE.len() {
                    Misread::Title
                } else {
                    Misread::Line(line)
                };
                assert_eq!(Backup::from_text(&edited), Err(expected), "{place} {other}");
            }
        }
    }

    #[test]
    fn lines_that_are_missing_added_or_moved_are_refused() {
        let text = backup(1).to_text().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let read = |lines: &[&str]| Backup::from_text(&lines.join("\n"));
        for missing in 1..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(missing);
            assert!(read(&fewer).is_err(), "{missing}");
            let mut twice = lines.clone();
            twice.insert(missing, lines[missing]);
            assert!(read(&twice).is_err(), "{missing}");
        }
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        assert_eq!(read(&swapped), Err(Misread::Line(1)));
        let other = backup(2).to_text().unwrap();
        let other: Vec<&str> = other.lines().collect();
        let mixed: Vec<&str> = lines[..4].iter().chain(&other[4..]).copied().collect();
        assert_eq!(read(&mixed), Err(Misread::Whole));
        for text in ["", "\n", TITLE, "CLAVIGER KEK BACKUP 2\n"] {
            assert!(Backup::from_text(text).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(CLAVIGER KEK BACKUP 1\n)?[ -~\n]{0,200}") {
            prop_assert!(Backup::from_text(&text).is_err());
        }

        #[test]
        fn letters_come_back(bytes in proptest::collection::vec(any::<u8>(), 1..=25)) {
            let values: Option<Vec<u8>> = letters(&bytes).bytes().map(value).collect();
            prop_assert_eq!(bytes_of(&values.unwrap()), Some(bytes));
        }
    }
}
