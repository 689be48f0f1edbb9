//! The JSON encoding (KMIP Additional Message Encodings 1.0): an item is an object
//! `{"tag": …, "name": …, "type": …, "value": …}`, where `name` stands only beside a tag given as a number, a structure
//! has no `type` and its `value` is an array of items, masks are words joined by bars, and whole numbers of 2^52 and
//! above are hexadecimal strings.
//!
//! Texts come from outside: repeated and unknown members, fractions and numbers that a double cannot hold are refused,
//! and depth, length and count are bounded. The offset of an error counts bytes of the text (of the message where TTLV is
//! read). A string with escapes passes through a buffer of the parser that is not wiped.

mod read;

pub use crate::xml::Message;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::TextLimits;
use crate::reader::Reader;
use crate::reader::Value;
use crate::scalar;
use crate::tag::Tag;
use crate::text::TextBuffer;
use crate::vocabulary::{Scope, Vocabulary};
use core::fmt::Write;
use zeroize::Zeroizing;

/// The first number that is written, and read, as a hexadecimal string: other languages' numbers are doubles.
const FIRST_INEXACT: u64 = 1 << 52;

/// The TTLV of the one message (or other item) in a JSON text.
pub fn to_ttlv(text: &str, vocabulary: &dyn Vocabulary, limits: TextLimits) -> Result<Zeroizing<Vec<u8>>> {
    let mut messages = messages(text, vocabulary, limits)?;
    match (messages.pop(), messages.is_empty()) {
        (Some(message), true) => Ok(message.bytes),
        (None, _) => Err(Error::new(ErrorKind::Syntax("no message in the text"), 0)),
        (_, false) => Err(Error::new(ErrorKind::Syntax("more than one message in the text"), 0)),
    }
}

/// The messages of a JSON text: of an array of items, or of one item.
pub fn messages(text: &str, vocabulary: &dyn Vocabulary, limits: TextLimits) -> Result<Vec<Message>> {
    read::messages(text, vocabulary, limits)
}

/// One item of TTLV as canonical JSON: an item a line, two spaces a level, members in the order `tag`, `name`, `type`,
/// `value`, masks from the lowest bit, date-times in UTC, hexadecimal digits in lower case.
pub fn from_ttlv(bytes: &[u8], vocabulary: &dyn Vocabulary) -> Result<Zeroizing<String>> {
    print(bytes, vocabulary, true)
}

/// The same without white space.
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
    /// The next item; its text if it is the Attribute Name. Recursion is bounded by the reader's depth.
    fn item<'a>(&mut self, reader: &mut Reader<'a>, level: usize, attribute: Option<&str>) -> Result<Option<&'a str>> {
        let (tag, value) = reader.item()?;
        self.open(tag);
        let Value::Structure(mut inner) = value else {
            self.leaf(&value, Scope { tag, attribute });
            self.text.push("}");
            return Ok(match value {
                Value::TextString(name) if self.vocabulary.is_attribute_name(tag) => Some(name),
                _ => None,
            });
        };
        self.member("value");
        self.text.push("[");
        let (mut attribute, mut first) = (None, true);
        while !inner.is_empty() {
            self.text.push(if first { "" } else { "," });
            self.line(level + 1);
            let named = self.item(&mut inner, level + 1, attribute).map_err(|e| e.within(tag))?;
            attribute = named.or(attribute);
            first = false;
        }
        if !first {
            self.line(level);
        }
        self.text.push("]}");
        Ok(None)
    }

    fn open(&mut self, tag: Tag) {
        // Writing to the buffer cannot fail.
        let _ = match scalar::plain_name(tag, self.vocabulary) {
            Some(name) => write!(self.text, "{{\"tag\":{}\"{name}\"", self.space()),
            None => write!(self.text, "{{\"tag\":{}\"{tag}\"", self.space()),
        };
        if let Some(name) = self.vocabulary.tag_name(tag).filter(|_| tag.is_extension()) {
            self.member("name");
            self.quoted(name);
        }
    }

    /// Begins a member that is not the first.
    fn member(&mut self, name: &str) {
        let space = self.space();
        let _ = write!(self.text, ",{space}\"{name}\":{space}");
    }

    fn space(&self) -> &'static str {
        if self.indented { " " } else { "" }
    }

    fn line(&mut self, level: usize) {
        if self.indented {
            self.text.push_line(level);
        }
    }

    /// The members `type` and `value`.
    fn leaf(&mut self, value: &Value<'_>, scope: Scope<'_>) {
        self.member("type");
        self.quoted(value.item_type().name());
        self.member("value");
        match value {
            Value::Integer(number) if !self.vocabulary.is_mask(scope) => self.number(i64::from(*number)),
            Value::LongInteger(number) => self.number(*number),
            Value::Interval(seconds) => self.number(i64::from(*seconds)),
            Value::Boolean(true) => self.text.push("true"),
            Value::Boolean(false) => self.text.push("false"),
            Value::TextString(string) => self.quoted(string),
            other => {
                self.text.push("\"");
                match other {
                    Value::Integer(mask) => {
                        let mask = mask.cast_unsigned();
                        scalar::push_mask(&mut self.text, mask, "|", scope, self.vocabulary);
                    }
                    Value::Enumeration(number) => {
                        scalar::push_enumeration(&mut self.text, *number, scope, self.vocabulary);
                    }
                    Value::BigInteger(bytes) => {
                        self.text.push("0x");
                        self.text.push_hex(bytes);
                    }
                    _ => {
                        scalar::push_common(&mut self.text, other);
                    }
                }
                self.text.push("\"");
            }
        }
    }

    fn number(&mut self, number: i64) {
        if number.unsigned_abs() < FIRST_INEXACT {
            scalar::push_decimal(&mut self.text, number);
        } else {
            self.text.push("\"");
            scalar::push_long_hexadecimal(&mut self.text, number);
            self.text.push("\"");
        }
    }

    fn quoted(&mut self, string: &str) {
        self.text.push("\"");
        for character in string.chars() {
            match character {
                '"' => self.text.push("\\\""),
                '\\' => self.text.push("\\\\"),
                '\n' => self.text.push("\\n"),
                '\r' => self.text.push("\\r"),
                '\t' => self.text.push("\\t"),
                c if c.is_control() => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push_char(c),
            }
        }
        self.text.push("\"");
    }
}
