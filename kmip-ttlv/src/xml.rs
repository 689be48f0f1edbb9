//! The XML encoding (KMIP Additional Message Encodings 1.0): an item is an element named by its tag, with the
//! attributes `type` (absent: a structure) and `value`; a tag without a name of the standard is written
//! `<TTLV tag="0x54…" name="…" type="…" value="…"/>`.
//!
//! Texts come from outside: a document type, entities of its own, CDATA and unknown attributes are refused, and
//! depth, length and count are bounded. The offset of an error counts bytes of the text (of the message where TTLV is read).

mod read;

pub use read::{Message, Messages};

use crate::error::{ErrorKind, Result};
use crate::limits::TextLimits;
use crate::reader::Reader;
use crate::reader::Value;
use crate::scalar;
use crate::tag::Tag;
use crate::text::TextBuffer;
use crate::vocabulary::{Scope, Vocabulary};
use core::fmt::Write;
use zeroize::Zeroizing;

/// The root that holds several messages in one text.
const ROOT: &str = "KMIP";
/// The element of an item whose tag is given as a number.
const GENERIC: &str = "TTLV";

/// The TTLV of the one message (or other item) in an XML text, with or without the root `<KMIP>` around it.
pub fn to_ttlv(text: &str, vocabulary: &dyn Vocabulary, limits: TextLimits) -> Result<Zeroizing<Vec<u8>>> {
    let mut messages = messages(text, vocabulary, limits)?;
    let Some(message) = messages.next() else {
        return Err(messages.error(ErrorKind::Syntax("no message in the text")));
    };
    let message = message?;
    match messages.next() {
        None => Ok(message.bytes),
        Some(Ok(_)) => Err(messages.error(ErrorKind::Syntax("more than one message in the text"))),
        Some(Err(error)) => Err(error),
    }
}

/// The messages of an XML text, one after the other: the children of the root `<KMIP>`, or the root itself if it has
/// another name. Text between the children of `<KMIP>` has no meaning (published cases number their exchanges there).
/// Ends after the first error.
pub fn messages<'t>(text: &'t str, vocabulary: &'t dyn Vocabulary, limits: TextLimits) -> Result<Messages<'t>> {
    Messages::new(text, vocabulary, limits)
}

/// One item of TTLV as canonical XML: two spaces a level, attributes in the order `tag`, `name`, `type`, `value`,
/// masks as words from the lowest bit, date-times in UTC, hexadecimal digits in lower case.
///
/// Fails where TTLV does, and on a text string with a character that XML 1.0 cannot carry ([`ErrorKind::Invalid`]).
pub fn from_ttlv(bytes: &[u8], vocabulary: &dyn Vocabulary) -> Result<Zeroizing<String>> {
    print(bytes, vocabulary, true)
}

/// The same without indentation and line breaks.
pub fn from_ttlv_compact(bytes: &[u8], vocabulary: &dyn Vocabulary) -> Result<Zeroizing<String>> {
    print(bytes, vocabulary, false)
}

fn print(bytes: &[u8], vocabulary: &dyn Vocabulary, indented: bool) -> Result<Zeroizing<String>> {
    let mut reader = Reader::new(bytes);
    let mut printer = Printer {
        text: TextBuffer::default(),
        vocabulary,
        indented,
    };
    printer.item(&mut reader, 0, None)?;
    reader.finish()?;
    Ok(printer.text.finish())
}

struct Printer<'v> {
    text: TextBuffer,
    vocabulary: &'v dyn Vocabulary,
    indented: bool,
}

impl Printer<'_> {
    /// The next item. Recursion is bounded by the reader's depth.
    fn item<'a>(&mut self, reader: &mut Reader<'a>, level: usize, attribute: Option<&str>) -> Result<Option<&'a str>> {
        let offset = reader.offset();
        let (tag, value) = reader.item()?;
        if level > 0 {
            self.line(level);
        }
        let Value::Structure(mut inner) = value else {
            self.open(tag);
            self.leaf(&value, Scope { tag, attribute })
                .map_err(|kind| crate::Error::new(kind, offset).within(tag))?;
            self.text.push("/>");
            let named = match value {
                Value::TextString(name) if self.vocabulary.is_attribute_name(tag) => Some(name),
                _ => None,
            };
            return Ok(named);
        };
        self.open(tag);
        if inner.is_empty() {
            self.text.push("/>");
            return Ok(None);
        }
        self.text.push(">");
        let mut attribute = None;
        while !inner.is_empty() {
            let named = self.item(&mut inner, level + 1, attribute).map_err(|e| e.within(tag))?;
            attribute = named.or(attribute);
        }
        self.line(level);
        self.close(tag);
        Ok(None)
    }

    fn open(&mut self, tag: Tag) {
        self.text.push("<");
        match scalar::plain_name(tag, self.vocabulary) {
            Some(name) => self.text.push(name),
            None => {
                // Writing to the buffer cannot fail.
                let _ = write!(self.text, "{GENERIC} tag=\"{tag}\"");
                if let Some(name) = self.vocabulary.tag_name(tag) {
                    let _ = write!(self.text, " name=\"{name}\"");
                }
            }
        }
    }

    fn close(&mut self, tag: Tag) {
        self.text.push("</");
        self.text
            .push(scalar::plain_name(tag, self.vocabulary).unwrap_or(GENERIC));
        self.text.push(">");
    }

    fn line(&mut self, level: usize) {
        if self.indented {
            self.text.push_line(level);
        }
    }

    /// The attributes `type` and `value`.
    fn leaf(&mut self, value: &Value<'_>, scope: Scope<'_>) -> core::result::Result<(), ErrorKind> {
        let _ = write!(self.text, " type=\"{}\" value=\"", value.item_type().name());
        match value {
            Value::Integer(number) if self.vocabulary.is_mask(scope) => {
                scalar::push_mask(&mut self.text, number.cast_unsigned(), " ", scope, self.vocabulary);
            }
            Value::Integer(number) => scalar::push_decimal(&mut self.text, i64::from(*number)),
            Value::LongInteger(number) => scalar::push_decimal(&mut self.text, *number),
            Value::Interval(seconds) => scalar::push_decimal(&mut self.text, i64::from(*seconds)),
            Value::Enumeration(number) => scalar::push_enumeration(&mut self.text, *number, scope, self.vocabulary),
            Value::Boolean(true) => self.text.push("true"),
            Value::Boolean(false) => self.text.push("false"),
            Value::BigInteger(bytes) => self.text.push_hex(bytes),
            Value::TextString(string) => self.escape(string)?,
            _ => {
                scalar::push_common(&mut self.text, value);
            }
        }
        self.text.push("\"");
        Ok(())
    }

    fn escape(&mut self, string: &str) -> core::result::Result<(), ErrorKind> {
        for character in string.chars() {
            match character {
                '&' => self.text.push("&amp;"),
                '<' => self.text.push("&lt;"),
                '>' => self.text.push("&gt;"),
                '"' => self.text.push("&quot;"),
                // As they are, a reader would turn these into spaces.
                '\t' => self.text.push("&#9;"),
                '\n' => self.text.push("&#10;"),
                '\r' => self.text.push("&#13;"),
                c if is_xml_character(c) => self.text.push_char(c),
                _ => return Err(ErrorKind::Invalid("a character that XML cannot carry")),
            }
        }
        Ok(())
    }
}

/// Whether XML 1.0 can carry the character at all, be it as a reference.
fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{1_0000}'..)
}
