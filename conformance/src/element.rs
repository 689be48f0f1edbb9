//! XML as a tree of elements: what a case is before its variables have values.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// One element. Text between elements carries no meaning in a case and is dropped.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Element {
    /// The name, as written.
    pub name: String,
    /// The attributes in their order; runs of white space in a value are one blank.
    pub attributes: Vec<(String, String)>,
    /// The elements within.
    pub children: Vec<Element>,
}

/// Elements within elements that a case may have; deeper is no KMIP.
const MAX_DEPTH: usize = 64;

impl Element {
    /// Parses one document and returns its root.
    ///
    /// # Errors
    /// A text that is not well formed, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|e| e.to_string())? {
                Event::Start(start) => {
                    if open.len() > MAX_DEPTH {
                        return Err("elements are nested too deep".to_owned());
                    }
                    open.push(Self::begin(&start)?);
                }
                Event::Empty(start) => {
                    let element = Self::begin(&start)?;
                    innermost(&mut open)?.children.push(element);
                }
                Event::End(_) => {
                    let element = open.pop().ok_or("an element ends that did not begin")?;
                    innermost(&mut open)?.children.push(element);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut document = open.pop().ok_or("no document")?;
        match (open.is_empty(), document.children.pop()) {
            (true, Some(root)) => Ok(root),
            _ => Err("no root element, or elements left open".to_owned()),
        }
    }

    fn begin(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| e.to_string())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|e| e.to_string())?;
            let words: Vec<&str> = value.split_whitespace().collect();
            attributes.push((attribute.key.as_ref().to_owned(), words.join(" ")));
        }
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes,
            children: Vec::new(),
        })
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// What the item holds, if it is no structure.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.attribute("value")
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The same tree with every `value` passed through `replace`, which gets the element and may keep it (`None`).
    ///
    /// # Errors
    /// What `replace` says.
    pub fn with_values<E>(&self, replace: &mut impl FnMut(&Self) -> Result<Option<String>, E>) -> Result<Self, E> {
        let mut copy = Self {
            name: self.name.clone(),
            attributes: self.attributes.clone(),
            children: Vec::with_capacity(self.children.len()),
        };
        if let Some(new) = replace(self)? {
            for (name, value) in &mut copy.attributes {
                if name == "value" {
                    value.clone_from(&new);
                }
            }
        }
        for child in &self.children {
            copy.children.push(child.with_values(replace)?);
        }
        Ok(copy)
    }

    /// The element as XML text.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        text.push('<');
        text.push_str(&self.name);
        for (name, value) in &self.attributes {
            text.push(' ');
            text.push_str(name);
            text.push_str("=\"");
            // A line's end that stands there as it is would be read as a blank.
            text.push_str(&quick_xml::escape::escape(value.as_str()).replace('\n', "&#xA;"));
            text.push('"');
        }
        text.push('>');
        for child in &self.children {
            child.write(text);
        }
        text.push_str("</");
        text.push_str(&self.name);
        text.push('>');
    }
}

fn innermost(open: &mut [Element]) -> Result<&mut Element, String> {
    open.last_mut()
        .ok_or_else(|| "an element ends that did not begin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        let text = "<?xml version='1.0'?><!-- c --><KMIP># TIME 1<A><B type=\"Integer\" value=\"Sign   \n Verify\"/></A></KMIP>";
        let root = Element::parse(text).unwrap();
        assert_eq!(root.name, "KMIP");
        let b = root.child("A").unwrap().child("B").unwrap();
        assert_eq!(b.value(), Some("Sign Verify"));
        assert_eq!(Element::parse(&root.to_xml()).unwrap(), root);
    }

    #[test]
    fn escapes() {
        let mut lines = Element::parse("<A value='x'/>").unwrap();
        lines.attributes[0].1 = "a\nb".to_owned();
        assert_eq!(lines.to_xml(), "<A value=\"a&#xA;b\"></A>");
        let root = Element::parse("<A value=\"&lt;&amp;&quot;&#xFC;\"/>").unwrap();
        assert_eq!(root.value(), Some("<&\"ü"));
        assert_eq!(Element::parse(&root.to_xml()).unwrap(), root);
    }

    #[test]
    fn refuses_what_is_open() {
        assert!(Element::parse("<A><B></A>").is_err());
        assert!(Element::parse("<A>").is_err());
        assert!(Element::parse("").is_err());
    }
}
