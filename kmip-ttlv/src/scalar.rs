//! How the text encodings spell a value, as far as XML and JSON agree: names, masks, hexadecimal numbers, date-times
//! (KMIP Additional Message Encodings 1.0, the sections on the two encodings).

use crate::error::ErrorKind;
use crate::item::ItemType;
use crate::moment;
use crate::reader::Value;
use crate::tag::Tag;
use crate::text::TextBuffer;
use crate::vocabulary::{Scope, Vocabulary};
use crate::writer::Writer;
use core::fmt::Write;
use zeroize::Zeroizing;

type Result<T> = core::result::Result<T, ErrorKind>;

/// From here on, enumeration values are the extensions of a vendor, which only hexadecimal spells unmistakably.
const FIRST_EXTENSION: u32 = 0x8000_0000;

/// The tag that a text names: `0x420001` or a name.
pub(crate) fn tag(text: &str, vocabulary: &dyn Vocabulary) -> Result<Tag> {
    match hexadecimal(text, 6) {
        Some(number) => u32::try_from(number?).map(Tag).map_err(|_| NOT_HEXADECIMAL),
        None => vocabulary.tag_named(text).ok_or(ErrorKind::UnknownName),
    }
}

/// Whether a tag is written by name: extensions are not, since a name of ours means nothing to others.
pub(crate) fn plain_name(tag: Tag, vocabulary: &dyn Vocabulary) -> Option<&str> {
    if tag.is_extension() {
        None
    } else {
        vocabulary.tag_name(tag)
    }
}

/// Writes the item that a text spells. Structures have no text.
pub(crate) fn write(
    writer: &mut Writer,
    kind: ItemType,
    text: &str,
    scope: Scope<'_>,
    vocabulary: &dyn Vocabulary,
) -> Result<()> {
    let tag = scope.tag;
    match kind {
        ItemType::Structure => return Err(ErrorKind::Syntax("a structure has no value of its own")),
        ItemType::Integer => writer.integer(tag, integer(text, scope, vocabulary)?),
        ItemType::LongInteger => writer.long_integer(tag, long_integer(text)?),
        ItemType::BigInteger => {
            let value = hex_bytes(text.strip_prefix("0x").unwrap_or(text))?;
            if value.is_empty() {
                return Err(ErrorKind::Syntax("a Big Integer has digits"));
            }
            writer.big_integer(tag, &value);
        }
        ItemType::Enumeration => writer.enumeration(tag, named(text, scope, vocabulary)?),
        ItemType::Boolean => writer.boolean(tag, boolean(text)?),
        ItemType::TextString => writer.text(tag, text),
        ItemType::ByteString => writer.bytes(tag, &hex_bytes(text)?),
        ItemType::DateTime => writer.date_time(tag, date_time(text)?),
        ItemType::Interval => writer.interval(tag, interval(text)?),
        ItemType::DateTimeExtended => writer.date_time_extended(tag, date_time_extended(text)?),
    }
    Ok(())
}

/// Appends the text of an Enumeration: its name, or hexadecimal.
pub(crate) fn push_enumeration(text: &mut TextBuffer, value: u32, scope: Scope<'_>, vocabulary: &dyn Vocabulary) {
    // Nor does a name of ours mean anything to others under a tag of ours.
    let spelled = value < FIRST_EXTENSION && !scope.tag.is_extension();
    match vocabulary.value_name(scope, value).filter(|_| spelled) {
        Some(name) => text.push(name),
        None => push_hexadecimal(text, value),
    }
}

/// Appends the words of a mask, lowest bit first, unknown bits as one hexadecimal number at the end.
pub(crate) fn push_mask(
    text: &mut TextBuffer,
    mask: u32,
    separator: &str,
    scope: Scope<'_>,
    vocabulary: &dyn Vocabulary,
) {
    let mut unnamed = mask;
    let mut first = true;
    for bit in (0..32).map(|n| 1_u32 << n).filter(|bit| mask & bit != 0) {
        if let Some(name) = vocabulary.value_name(scope, bit) {
            text.push(if first { "" } else { separator });
            text.push(name);
            first = false;
            unnamed &= !bit;
        }
    }
    if unnamed != 0 || first {
        text.push(if first { "" } else { separator });
        push_hexadecimal(text, unnamed);
    }
}

/// Appends the text of a value for which both encodings have the same one; `false` where they differ.
pub(crate) fn push_common(text: &mut TextBuffer, value: &Value<'_>) -> bool {
    match value {
        Value::ByteString(bytes) => text.push_hex(bytes),
        Value::DateTime(seconds) => push_moment(text, moment::format(*seconds), *seconds),
        Value::DateTimeExtended(microseconds) => {
            push_moment(text, moment::format_extended(*microseconds), *microseconds);
        }
        _ => return false,
    }
    true
}

/// Appends `0x` and eight digits.
fn push_hexadecimal(text: &mut TextBuffer, value: u32) {
    text.push("0x");
    text.push_hex(&value.to_be_bytes());
}

/// Appends `0x` and sixteen digits.
pub(crate) fn push_long_hexadecimal(text: &mut TextBuffer, value: i64) {
    text.push("0x");
    text.push_hex(&value.to_be_bytes());
}

fn push_moment(text: &mut TextBuffer, formatted: Option<String>, number: i64) {
    match formatted {
        Some(formatted) => text.push(&formatted),
        // Beyond the years that a text shows, the number itself.
        None => push_long_hexadecimal(text, number),
    }
}

/// Appends a decimal number.
pub(crate) fn push_decimal(text: &mut TextBuffer, value: i64) {
    // Writing to the buffer cannot fail.
    let _ = write!(text, "{value}");
}

const NOT_HEXADECIMAL: ErrorKind = ErrorKind::Syntax("not a hexadecimal number of this width");

/// The number behind `0x`; `None` without that prefix. Leading zeros may be left out: published examples do.
fn hexadecimal(text: &str, digits: usize) -> Option<Result<u64>> {
    let number = text.strip_prefix("0x")?;
    let sound = (1..=digits).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_hexdigit());
    let number = sound.then(|| u64::from_str_radix(number, 16).ok());
    Some(number.flatten().ok_or(NOT_HEXADECIMAL))
}

/// The same, of four bytes.
fn hexadecimal_word(text: &str) -> Option<Result<u32>> {
    hexadecimal(text, 8).map(|n| u32::try_from(n?).map_err(|_| NOT_HEXADECIMAL))
}

/// Decimal, hexadecimal, or the words of a mask.
fn integer(text: &str, scope: Scope<'_>, vocabulary: &dyn Vocabulary) -> Result<i32> {
    if let Some(number) = hexadecimal_word(text) {
        return number.map(u32::cast_signed);
    }
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    if !vocabulary.is_mask(scope) {
        return Err(ErrorKind::Syntax("not a 32-bit integer"));
    }
    // Words are separated by spaces in XML and by bars in JSON; no name holds either.
    let words = text
        .split(|c: char| c == '|' || c.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let mut mask = 0;
    for word in words {
        mask |= named(word, scope, vocabulary)?;
    }
    Ok(mask.cast_signed())
}

/// A name or a hexadecimal number.
fn named(text: &str, scope: Scope<'_>, vocabulary: &dyn Vocabulary) -> Result<u32> {
    match hexadecimal_word(text) {
        Some(number) => number,
        None => vocabulary.value_named(scope, text).ok_or(ErrorKind::UnknownName),
    }
}

fn long_integer(text: &str) -> Result<i64> {
    match hexadecimal(text, 16) {
        Some(number) => number.map(u64::cast_signed),
        None => text.parse().map_err(|_| ErrorKind::Syntax("not a 64-bit integer")),
    }
}

fn interval(text: &str) -> Result<u32> {
    match hexadecimal_word(text) {
        Some(number) => number,
        None => text
            .parse()
            .map_err(|_| ErrorKind::Syntax("not an unsigned 32-bit integer")),
    }
}

fn boolean(text: &str) -> Result<bool> {
    // XML Schema has the digits too, JSON the hexadecimal number.
    match (text, hexadecimal(text, 16)) {
        ("true" | "1", _) | (_, Some(Ok(1))) => Ok(true),
        ("false" | "0", _) | (_, Some(Ok(0))) => Ok(false),
        _ => Err(ErrorKind::NotBoolean),
    }
}

const NOT_A_DATE_TIME: ErrorKind = ErrorKind::Syntax("not an ISO 8601 date-time");

fn date_time(text: &str) -> Result<i64> {
    match hexadecimal(text, 16) {
        Some(number) => number.map(u64::cast_signed),
        None => moment::parse(text).map(|(seconds, _)| seconds).ok_or(NOT_A_DATE_TIME),
    }
}

fn date_time_extended(text: &str) -> Result<i64> {
    if let Some(number) = hexadecimal(text, 16) {
        return number.map(u64::cast_signed);
    }
    // A plain number counts microseconds.
    if let Ok(microseconds) = text.parse() {
        return Ok(microseconds);
    }
    moment::parse_extended(text).ok_or(NOT_A_DATE_TIME)
}

/// Two hexadecimal digits a byte, without prefix.
fn hex_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    const REFUSED: ErrorKind = ErrorKind::Syntax("not pairs of hexadecimal digits");
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return Err(REFUSED);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push((nibble(*high).ok_or(REFUSED)? << 4) | nibble(*low).ok_or(REFUSED)?);
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
