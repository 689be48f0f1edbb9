//! From XML to TTLV, in one pass, without recursion.

use super::{GENERIC, ROOT, is_xml_character};
use crate::error::{Error, ErrorKind, Result};
use crate::item::ItemType;
use crate::limits::{MAX_DEPTH, TextLimits};
use crate::scalar;
use crate::tag::Tag;
use crate::text::Wiped;
use crate::vocabulary::{Scope, Vocabulary};
use crate::writer::Writer;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

/// Attributes of one element that are looked at: the four of ours, and declarations of namespaces, which mean nothing here.
const MAX_ATTRIBUTES: usize = 16;

/// One message of a text.
pub struct Message {
    /// Its tag.
    pub tag: Tag,
    /// The name of its element as the text has it.
    pub name: String,
    /// Its TTLV; wiped when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The messages of an XML text. See [`super::messages`].
pub struct Messages<'t> {
    source: quick_xml::Reader<&'t [u8]>,
    vocabulary: &'t dyn Vocabulary,
    limits: TextLimits,
    place: Place,
    /// Where the event that is being looked at begins.
    offset: usize,
}

/// What comes next in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeRoot,
    InsideRoot,
    AfterRoot,
    /// After the end, or after an error.
    Done,
}

/// An element that was begun and not yet ended.
struct Open {
    tag: Tag,
    /// Where the items of a structure start in the writer; `None` for an item that cannot hold others.
    start: Option<usize>,
    /// The Attribute Name among the items so far.
    attribute: Option<String>,
}

impl<'t> Messages<'t> {
    pub(super) fn new(text: &'t str, vocabulary: &'t dyn Vocabulary, limits: TextLimits) -> Result<Self> {
        if text.len() > limits.text {
            return Err(Error::new(ErrorKind::TooLong, limits.text));
        }
        Ok(Self {
            source: quick_xml::Reader::from_str(text),
            vocabulary,
            limits,
            place: Place::BeforeRoot,
            offset: 0,
        })
    }

    /// An error at the present place.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.offset)
    }

    fn syntax(&self, why: &'static str) -> Error {
        self.error(ErrorKind::Syntax(why))
    }

    fn event(&mut self) -> Result<Event<'t>> {
        self.offset = usize::try_from(self.source.buffer_position()).unwrap_or(usize::MAX);
        self.source.read_event().map_err(|error| self.syntax(describe(&error)))
    }

    fn next_message(&mut self) -> Result<Option<Message>> {
        loop {
            let event = self.event()?;
            match (self.place, event) {
                (_, Event::Comment(_) | Event::PI(_)) => {}
                (Place::BeforeRoot, Event::Decl(_)) => {}
                (Place::BeforeRoot, Event::Start(element)) if element.name().0 == ROOT => {
                    self.place = Place::InsideRoot;
                }
                (Place::BeforeRoot, Event::Empty(element)) if element.name().0 == ROOT => {
                    self.place = Place::AfterRoot;
                }
                (Place::BeforeRoot, Event::Start(element)) => {
                    self.place = Place::AfterRoot;
                    return self.message(&element, false).map(Some);
                }
                (Place::BeforeRoot, Event::Empty(element)) => {
                    self.place = Place::AfterRoot;
                    return self.message(&element, true).map(Some);
                }
                (Place::InsideRoot, Event::Start(element)) => return self.message(&element, false).map(Some),
                (Place::InsideRoot, Event::Empty(element)) => return self.message(&element, true).map(Some),
                (Place::InsideRoot, Event::Text(_)) => {}
                (Place::InsideRoot, Event::End(_)) => self.place = Place::AfterRoot,
                (_, Event::Text(text)) if is_blank(&text) => {}
                (Place::AfterRoot, Event::Eof) => return Ok(None),
                (_, Event::Eof) => return Err(self.syntax("the text ends too early")),
                _ => return Err(self.syntax("not allowed here")),
            }
        }
    }

    /// A whole message, whose first element was just read.
    fn message(&mut self, first: &BytesStart<'t>, empty: bool) -> Result<Message> {
        let mut writer = Writer::new();
        let mut opened = Vec::new();
        let name = first.name().0.to_owned();
        let tag = self
            .fill(first, empty, &mut writer, &mut opened)
            .map_err(|error| opened.iter().rev().fold(error, |e, o: &Open| e.within(o.tag)))?;
        Ok(Message {
            tag,
            name,
            bytes: Zeroizing::new(writer.into_bytes()),
        })
    }

    fn fill(
        &mut self,
        first: &BytesStart<'t>,
        empty: bool,
        writer: &mut Writer,
        opened: &mut Vec<Open>,
    ) -> Result<Tag> {
        let tag = self.begin(first, empty, writer, opened)?;
        while !opened.is_empty() {
            match self.event()? {
                Event::Start(element) => self.begin(&element, false, writer, opened).map(drop)?,
                Event::Empty(element) => self.begin(&element, true, writer, opened).map(drop)?,
                Event::End(_) => {
                    if let Some(start) = opened.pop().and_then(|open| open.start) {
                        writer.close(start);
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Eof => return Err(self.syntax("the text ends too early")),
                _ => return Err(self.syntax("text, references, CDATA and declarations have no place in a message")),
            }
        }
        Ok(tag)
    }

    /// An element that begins: writes the item, or the beginning of a structure.
    fn begin(&self, element: &BytesStart<'_>, empty: bool, writer: &mut Writer, opened: &mut Vec<Open>) -> Result<Tag> {
        if opened.last().is_some_and(|open| open.start.is_none()) {
            return Err(self.syntax("items within an item that is not a structure"));
        }
        let Attributes { tag, kind, value } = self.attributes(element)?;
        let kind = kind.unwrap_or(ItemType::Structure);
        let at = |kind| self.error(kind).within(tag);
        let start = match value {
            None if kind == ItemType::Structure => {
                if opened.len() >= usize::from(MAX_DEPTH) {
                    return Err(at(ErrorKind::TooDeep));
                }
                Some(writer.open(tag))
            }
            None => return Err(at(ErrorKind::Syntax("no value"))),
            Some(value) => {
                let attribute = opened.last().and_then(|open| open.attribute.as_deref());
                scalar::write(writer, kind, &value.0, Scope { tag, attribute }, self.vocabulary).map_err(at)?;
                let names = kind == ItemType::TextString && self.vocabulary.is_attribute_name(tag);
                if let Some(open) = opened.last_mut().filter(|_| names) {
                    open.attribute = Some(value.0.clone().into_owned());
                }
                None
            }
        };
        if writer.len() > self.limits.message {
            return Err(at(ErrorKind::TooLong));
        }
        if !empty {
            opened.push(Open {
                tag,
                start,
                attribute: None,
            });
        }
        Ok(tag)
    }

    fn attributes<'e>(&self, element: &'e BytesStart<'_>) -> Result<Attributes<'e>> {
        let (mut number, mut kind, mut value) = (None, None, None);
        // The parser refuses a repeated attribute by comparing each with those before it: the bound keeps that cheap.
        for (count, attribute) in element.attributes().enumerate() {
            let attribute = attribute.map_err(|_| self.syntax("malformed or repeated attribute"))?;
            if count >= MAX_ATTRIBUTES {
                return Err(self.syntax("too many attributes"));
            }
            let text = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map(Wiped)
                .map_err(|_| self.syntax("a reference that is not one of XML's own"))?;
            if !text.0.chars().all(is_xml_character) {
                return Err(self.syntax("a character that XML cannot carry"));
            }
            match attribute.key.0 {
                "tag" if element.name().0 == GENERIC => number = Some(text),
                // For people only: the number decides.
                "name" if element.name().0 == GENERIC => {}
                "type" => {
                    let named = ItemType::from_name(&text.0);
                    kind = Some(named.ok_or_else(|| self.error(ErrorKind::UnknownName))?);
                }
                "value" => value = Some(text),
                key if key == "xmlns" || key.contains(':') => {}
                _ => return Err(self.syntax("unknown attribute")),
            }
        }
        let spelled = match &number {
            Some(number) if number.0.starts_with("0x") => &number.0,
            _ if element.name().0 == GENERIC => return Err(self.syntax("TTLV without the number of its tag")),
            _ => element.name().0,
        };
        let tag = scalar::tag(spelled, self.vocabulary).map_err(|kind| self.error(kind))?;
        Ok(Attributes { tag, kind, value })
    }
}

impl Iterator for Messages<'_> {
    type Item = Result<Message>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.place == Place::Done {
            return None;
        }
        let message = self.next_message().transpose();
        if !matches!(message, Some(Ok(_))) {
            self.place = Place::Done;
        }
        message
    }
}

/// What the attributes of an element say.
struct Attributes<'e> {
    tag: Tag,
    kind: Option<ItemType>,
    value: Option<Wiped<'e>>,
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_whitespace())
}

/// The parser's error in words without any of the text.
fn describe(error: &quick_xml::Error) -> &'static str {
    match error {
        quick_xml::Error::Syntax(_) => "not well-formed XML",
        quick_xml::Error::IllFormed(_) => "elements that do not match",
        quick_xml::Error::InvalidAttr(_) => "malformed attribute",
        quick_xml::Error::Escape(_) => "malformed reference",
        _ => "not XML",
    }
}
