//! The expected response as a pattern: a TTLV tree whose leaves are literals or variables.

use crate::element::Element;
use crate::tree::{Content, Node};
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{ItemType, Tag};

/// The attribute of a structure in an expected response whose content is not compared.
const ANYTHING: &str = "anything";

/// An item of an expected response.
#[derive(Clone)]
pub struct Pattern {
    /// Its tag.
    pub tag: Tag,
    /// What it has to hold.
    pub expected: Expected,
}

/// What an item has to hold.
#[derive(Clone)]
pub enum Expected {
    /// Items within.
    Structure(Vec<Pattern>),
    /// This value, unless it is one of those that may differ.
    Literal(Content),
    /// A structure, whatever is in it.
    Anything,
    /// What the variable (without `$`) stands for; bound here if it stands for nothing yet.
    Variable(String, ItemType),
}

impl Pattern {
    /// The pattern that an element of a case describes.
    ///
    /// # Errors
    /// An element that is no KMIP, in words.
    pub fn of(element: &Element) -> Result<Self, String> {
        let literal = element.with_values(&mut |e: &Element| {
            let is_variable = e.value().is_some_and(|v| v.starts_with('$'));
            Ok::<_, String>(is_variable.then(|| stand_in(e.attribute("type").unwrap_or_default())))
        })?;
        let literal = without(ANYTHING, literal);
        let node = Node::read(&encode(&literal)?).map_err(|e| e.to_string())?;
        Self::zip(element, node)
    }

    /// Element and item have the same shape: one item for each element, in the same order.
    fn zip(element: &Element, node: Node) -> Result<Self, String> {
        let tag = node.tag;
        let kind = node.content.item_type();
        let expected = match (element.value().and_then(|v| v.strip_prefix('$')), node.content) {
            (Some(variable), _) => Expected::Variable(variable.to_owned(), kind),
            (None, Content::Structure(_)) if element.attribute(ANYTHING).is_some() => Expected::Anything,
            (None, Content::Structure(children)) => {
                if children.len() != element.children.len() {
                    return Err(format!("{} has items that its XML has not", element.name));
                }
                let inner = element.children.iter().zip(children);
                Expected::Structure(inner.map(|(e, n)| Self::zip(e, n)).collect::<Result<_, _>>()?)
            }
            (None, content) => Expected::Literal(content),
        };
        Ok(Self { tag, expected })
    }

    /// The items within, none if it is no structure.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.expected {
            Expected::Structure(children) => children,
            _ => &[],
        }
    }

    /// The first item within that has this tag.
    #[must_use]
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|c| c.tag == tag)
    }

    /// The literal text with this tag within.
    #[must_use]
    pub fn text(&self, tag: Tag) -> Option<&str> {
        match &self.child(tag)?.expected {
            Expected::Literal(Content::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The literal enumeration with this tag within.
    #[must_use]
    pub fn enumeration(&self, tag: Tag) -> Option<u32> {
        match self.child(tag)?.expected {
            Expected::Literal(Content::Enumeration(value)) => Some(value),
            _ => None,
        }
    }

    /// The expectation in words, for a report.
    #[must_use]
    pub fn show(&self, attribute: Option<&str>) -> String {
        match &self.expected {
            Expected::Variable(name, _) => format!("${name}"),
            Expected::Literal(content) => Node {
                tag: self.tag,
                content: content.clone(),
            }
            .show(attribute),
            Expected::Anything => "anything".to_owned(),
            Expected::Structure(children) => {
                let names: Vec<String> = children.iter().map(|c| crate::tree::tag_name(c.tag)).collect();
                format!("{{{}}}", names.join(" "))
            }
        }
    }
}

fn without(attribute: &str, mut element: Element) -> Element {
    element.attributes.retain(|(name, _)| name != attribute);
    element.children = element
        .children
        .into_iter()
        .map(|child| without(attribute, child))
        .collect();
    element
}

/// The TTLV of a message in XML.
///
/// # Errors
/// What the transcoder finds.
pub fn encode(element: &Element) -> Result<Vec<u8>, String> {
    let bytes = kmip_ttlv::xml::to_ttlv(&element.to_xml(), &KmipVocabulary, TextLimits::default());
    bytes.map(|b| b.to_vec()).map_err(|e| e.to_string())
}

/// Some value of a type, to be read where a variable stands.
fn stand_in(kind: &str) -> String {
    match kind {
        "DateTime" | "DateTimeExtended" => "1970-01-01T00:00:00Z",
        "Integer" | "LongInteger" | "Interval" | "Enumeration" => "0",
        "Boolean" => "false",
        "BigInteger" => "0000000000000000",
        "ByteString" => "00",
        _ => "x",
    }
    .to_owned()
}
