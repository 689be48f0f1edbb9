//! From JSON to TTLV. Members may come in any order, and a structure's value before its tag; so an item is taken apart
//! into its members first, its value staying as it stands in the text, and only then written. The value is scanned once
//! for each level around it, of which there are few.

use super::{FIRST_INEXACT, Message};
use crate::error::{Error, ErrorKind, Result};
use crate::item::ItemType;
use crate::limits::{MAX_DEPTH, TextLimits};
use crate::scalar;
use crate::tag::Tag;
use crate::text::Wiped;
use crate::vocabulary::{Scope, Vocabulary};
use crate::writer::Writer;
use core::fmt;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use zeroize::Zeroizing;

pub(super) fn messages(text: &str, vocabulary: &dyn Vocabulary, limits: TextLimits) -> Result<Vec<Message>> {
    if text.len() > limits.text {
        return Err(Error::new(ErrorKind::TooLong, limits.text));
    }
    let source = Source {
        text,
        vocabulary,
        limits,
    };
    let root: &RawValue = source.parse(text, "not well-formed JSON")?;
    let mut messages = Vec::new();
    if root.get().starts_with('[') {
        source.each(root, |item| {
            messages.push(source.message(item)?);
            Ok(())
        })?;
    } else {
        messages.push(source.message(root)?);
    }
    Ok(messages)
}

/// The members of an item.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'t> {
    #[serde(borrow)]
    tag: Cow<'t, str>,
    // For people only: the number decides.
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow)]
    value: &'t RawValue,
}

struct Source<'t> {
    text: &'t str,
    vocabulary: &'t dyn Vocabulary,
    limits: TextLimits,
}

impl<'t> Source<'t> {
    /// Where a part of the text begins.
    fn offset(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn error(&self, kind: ErrorKind, part: &str) -> Error {
        Error::new(kind, self.offset(part))
    }

    fn syntax(&self, why: &'static str, part: &str) -> Error {
        self.error(ErrorKind::Syntax(why), part)
    }

    /// A part of the text as a value; an error points into the part.
    fn parse<T: serde::Deserialize<'t>>(&self, part: &'t str, why: &'static str) -> Result<T> {
        serde_json::from_str(part).map_err(|error| {
            let lines = part.split_inclusive('\n').take(error.line().saturating_sub(1));
            let place = lines.map(str::len).sum::<usize>() + error.column();
            Error::new(
                ErrorKind::Syntax(why),
                self.offset(part) + place.saturating_sub(1).min(part.len()),
            )
        })
    }

    fn message(&self, item: &'t RawValue) -> Result<Message> {
        let mut writer = Writer::new();
        let Written { tag, name, .. } = self.item(item, &mut writer, 0, None)?;
        Ok(Message {
            tag,
            name,
            bytes: Zeroizing::new(writer.into_bytes()),
        })
    }

    /// Writes one item. Recursion is bounded by [`MAX_DEPTH`].
    fn item(&self, raw: &'t RawValue, writer: &mut Writer, depth: u8, attribute: Option<&str>) -> Result<Written> {
        let text = raw.get();
        // A list of the members' values would do for the parser as well.
        if !text.starts_with('{') {
            return Err(self.syntax("an item is an object", text));
        }
        let members: Members<'t> = self.parse(text, "a member is missing, unknown, repeated or of the wrong type")?;
        let tag = scalar::tag(&members.tag, self.vocabulary).map_err(|kind| self.error(kind, text))?;
        let kind = match &members.kind {
            None => ItemType::Structure,
            Some(name) => ItemType::from_name(name).ok_or_else(|| self.error(ErrorKind::UnknownName, text))?,
        };
        let attribute = if kind == ItemType::Structure {
            self.structure(members.value, writer, tag, depth)
                .map_err(|e| e.within(tag))?;
            None
        } else {
            self.leaf(members.value, kind, writer, Scope { tag, attribute })
                .map_err(|e| e.within(tag))?
        };
        if writer.len() > self.limits.message {
            return Err(self.error(ErrorKind::TooLong, text).within(tag));
        }
        Ok(Written {
            tag,
            name: members.tag.into_owned(),
            attribute,
        })
    }

    fn structure(&self, value: &'t RawValue, writer: &mut Writer, tag: Tag, depth: u8) -> Result<()> {
        if depth >= MAX_DEPTH {
            return Err(self.error(ErrorKind::TooDeep, value.get()));
        }
        let start = writer.open(tag);
        let mut attribute = None;
        self.each(value, |item| {
            let written = self.item(item, writer, depth + 1, attribute.as_deref())?;
            attribute = written.attribute.or(attribute.take());
            Ok(())
        })?;
        writer.close(start);
        Ok(())
    }

    /// Writes an item that is not a structure; its text if it is the Attribute Name.
    fn leaf(
        &self,
        value: &'t RawValue,
        kind: ItemType,
        writer: &mut Writer,
        scope: Scope<'_>,
    ) -> Result<Option<String>> {
        let text = value.get();
        if text.starts_with('"') {
            let string: Text<'t> = self.parse(text, "not a string")?;
            let string = Wiped(string.0);
            scalar::write(writer, kind, &string.0, scope, self.vocabulary).map_err(|kind| self.error(kind, text))?;
            let names = kind == ItemType::TextString && self.vocabulary.is_attribute_name(scope.tag);
            return Ok(names.then(|| string.0.clone().into_owned()));
        }
        let mismatch = || self.syntax("not a value of this type", text);
        match kind {
            ItemType::Boolean if text == "true" => writer.boolean(scope.tag, true),
            ItemType::Boolean if text == "false" => writer.boolean(scope.tag, false),
            _ => {
                // The parser has found it to be a JSON value: what parses as an integer now is a number without
                // fraction and exponent.
                let number: i64 = text.parse().map_err(|_| mismatch())?;
                if number.unsigned_abs() >= FIRST_INEXACT {
                    return Err(self.syntax("a number that only a hexadecimal string carries exactly", text));
                }
                let narrow = || u32::try_from(number).map_err(|_| mismatch());
                match kind {
                    ItemType::Integer => {
                        writer.integer(scope.tag, i32::try_from(number).map_err(|_| mismatch())?);
                    }
                    ItemType::Enumeration => writer.enumeration(scope.tag, narrow()?),
                    ItemType::Interval => writer.interval(scope.tag, narrow()?),
                    ItemType::LongInteger => writer.long_integer(scope.tag, number),
                    ItemType::BigInteger => writer.big_integer(scope.tag, &number.to_be_bytes()),
                    ItemType::DateTimeExtended => writer.date_time_extended(scope.tag, number),
                    _ => return Err(mismatch()),
                }
            }
        }
        Ok(None)
    }

    /// Hands each element of an array to `take`, without a list of them in between.
    fn each(&self, array: &'t RawValue, mut take: impl FnMut(&'t RawValue) -> Result<()>) -> Result<()> {
        let text = array.get();
        let mut failure = None;
        let elements = Elements(|element| {
            let result = take(element);
            let going_on = result.is_ok();
            failure = result.err();
            going_on
        });
        let done = serde_json::Deserializer::from_str(text).deserialize_seq(elements);
        match (failure, done) {
            (Some(failure), _) => Err(failure),
            (None, Ok(())) => Ok(()),
            (None, Err(_)) => Err(self.syntax("the value of a structure is an array", text)),
        }
    }
}

/// What an item was.
struct Written {
    tag: Tag,
    name: String,
    /// Its text, if it is the Attribute Name.
    attribute: Option<String>,
}

/// A string of the text: borrowed from it where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Visits the elements of an array until its function says to stop.
struct Elements<F>(F);

impl<'t, F: FnMut(&'t RawValue) -> bool> Visitor<'t> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut array: A) -> core::result::Result<(), A::Error> {
        while let Some(element) = array.next_element::<&'t RawValue>()? {
            if !(self.0)(element) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
