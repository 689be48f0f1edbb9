//! The variables of a case: what they stand for while it is played.

use crate::element::Element;
use crate::freedom;
use crate::tree::{Content, Node, iso_8601};
use kmip_protocol::tag;
use kmip_ttlv::Tag;
use std::collections::{HashMap, HashSet};

/// Items whose last value in a response a later request may use without having named it: published cases print a
/// literal in the response and the variable in the request.
const IMPLICIT: [(Tag, &str); 11] = [
    (tag::SIGNATURE_DATA, "SIGNATURE_DATA"),
    (tag::MAC_DATA, "MAC_DATA"),
    (tag::IV_COUNTER_NONCE, "IV_COUNTER_NONCE"),
    (tag::AUTHENTICATED_ENCRYPTION_TAG, "AUTHENTICATED_ENCRYPTION_TAG"),
    (tag::DATA, "DATA"),
    (tag::DIGEST_VALUE, "DIGEST_VALUE"),
    (tag::KEY_MATERIAL, "KEY_MATERIAL"),
    (tag::KEY_VALUE, "KEY_VALUE"),
    (tag::CORRELATION_VALUE, "CORRELATION_VALUE"),
    (tag::ASYNCHRONOUS_CORRELATION_VALUE, "ASYNCHRONOUS_CORRELATION_VALUE"),
    (tag::TICKET_VALUE, "TICKET_VALUE"),
];

/// Bytes of a Short Unique Identifier (KMIP 2.1 §4.56).
const SHORT_IDENTIFIER: usize = 32;

/// What the variables of a case stand for, and what is known of its objects.
#[derive(Clone)]
pub struct Bindings {
    /// The moment that `$NOW` stands for, in seconds since 1970: the start of the case.
    pub now: i64,
    bound: HashMap<String, Content>,
    latest: HashMap<&'static str, Content>,
    /// Unique Identifiers of objects that the server made itself, or from such: their material is the server's choice.
    made: HashSet<String>,
    /// Dates that requests of the case fixed: (object, attribute without blanks, seconds).
    fixed: HashSet<(String, String, i64)>,
    /// When the newest response came, in seconds since 1970.
    answered: i64,
    /// Attributes that requests of the case named.
    named: HashSet<String>,
    random_encryption: bool,
    random_iv: bool,
    random_signatures: bool,
}

impl Bindings {
    /// No variable bound; `now` in seconds since 1970.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self::after(now, HashSet::new())
    }

    /// No variable bound, and these objects known to be the server's own making, from cases before this one.
    #[must_use]
    pub fn after(now: i64, made: HashSet<String>) -> Self {
        Self {
            now,
            bound: HashMap::new(),
            latest: HashMap::new(),
            made,
            fixed: HashSet::new(),
            answered: now,
            named: HashSet::new(),
            random_encryption: false,
            random_iv: false,
            random_signatures: false,
        }
    }

    /// What a variable (without `$`) stands for.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<Content> {
        if let Some(seconds) = self.moment(variable) {
            return Some(Content::DateTime(seconds));
        }
        // A correlation value is good for one part of a stream: the newest one is meant, whatever its number. That of an asynchronous
        // request is good until its outcome was fetched, and several wait at once: their numbers tell them apart.
        let is_numbered = variable.starts_with("ASYNCHRONOUS") && variable != without_number(variable);
        if is_token(variable) && !is_numbered {
            let newest = self.latest.get(without_number(variable)).cloned();
            return newest.or_else(|| self.bound.get(variable).cloned());
        }
        let bound = self.bound.get(variable).cloned();
        bound.or_else(|| self.latest.get(without_number(variable)).cloned())
    }

    /// `$NOW`, `$NOW-3600`, `$NOW+60` as seconds since 1970.
    #[must_use]
    pub fn moment(&self, variable: &str) -> Option<i64> {
        let offset = variable.strip_prefix("NOW")?;
        if offset.is_empty() {
            return Some(self.now);
        }
        offset
            .parse::<i64>()
            .ok()
            .map(|seconds| self.now.saturating_add(seconds))
    }

    /// Binds a variable, replacing what it stood for.
    pub fn bind(&mut self, variable: &str, content: Content) {
        self.bound.insert(variable.to_owned(), content);
    }

    /// Whether a response has bound the variable.
    #[must_use]
    pub fn is_bound(&self, variable: &str) -> bool {
        self.bound.contains_key(variable)
    }

    /// Every text that a variable for a Unique Identifier was bound to, in no order.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        let named = self
            .bound
            .iter()
            .filter(|(name, _)| name.starts_with("UNIQUE_IDENTIFIER"));
        named.filter_map(|(_, content)| match content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Puts the values of variables into a request.
    ///
    /// # Errors
    /// The name of a variable that nothing was bound to.
    pub fn substitute(&mut self, request: &Element) -> Result<Element, String> {
        request.with_values(&mut |element: &Element| {
            let Some(variable) = element.value().and_then(|v| v.strip_prefix('$')) else {
                return Ok(None);
            };
            if variable.contains("UNIQUE_IDENTIFIER_RANDOM") && !self.is_bound(variable) {
                let chosen = format!("chosen-{}-{}", self.now, self.bound.len());
                let content = if variable.starts_with("SHORT") {
                    let mut bytes = chosen.into_bytes();
                    bytes.resize(SHORT_IDENTIFIER, 0);
                    Content::Bytes(bytes)
                } else {
                    Content::Text(chosen)
                };
                self.bind(variable, content);
            }
            let content = self
                .get(variable)
                .ok_or_else(|| format!("no response bound ${variable}"))?;
            let long = element.attribute("type") == Some("DateTimeExtended");
            Ok(Some(match content {
                Content::DateTime(seconds) if long => iso_8601(seconds),
                other => other.to_xml_value(),
            }))
        })
    }

    /// Notes what a request says: attribute names, and what makes an output random.
    pub fn note_request(&mut self, request: &Node) {
        request.walk(None, &mut |node, attribute| {
            self.named.insert(scope_name(node.tag, attribute));
            if let Some(name) = attribute {
                self.named.insert(squeeze(name));
            }
            self.random_iv |= node.tag == tag::RANDOM_IV && node.content == Content::Boolean(true);
            if let Content::Enumeration(value) = node.content {
                self.random_encryption |= freedom::randomises_encryption(node.tag, value);
                self.random_signatures |= freedom::randomises_signatures(node.tag, attribute, value);
            }
        });
    }

    /// Notes the dates that an item of a request fixed for these objects.
    pub fn note_dates(&mut self, request: &Node, objects: &[String]) {
        request.walk(None, &mut |node, attribute| {
            if let Content::DateTime(seconds) = node.content {
                let name = scope_name(node.tag, attribute);
                let dates = objects.iter().map(|object| (object.clone(), name.clone(), seconds));
                self.fixed.extend(dates);
                if objects.is_empty() {
                    self.fixed.insert((String::new(), name, seconds));
                }
            }
        });
    }

    /// Whether a request of the case fixed this date for one of these objects, or, where none is named, for any.
    #[must_use]
    pub fn is_fixed(&self, objects: &[String], name: &str, seconds: i64) -> bool {
        let mut fixed = self.fixed.iter();
        fixed.any(|(object, fixed, at)| {
            fixed == name && *at == seconds && (objects.is_empty() || objects.contains(object))
        })
    }

    /// Notes that a response came, at this moment in seconds since 1970.
    pub fn note_answer(&mut self, seconds: i64) {
        self.answered = self.answered.max(seconds);
    }

    /// Whether a moment lies in the time of the case, as far as two clocks may differ: what `$NOW` means in a response.
    #[must_use]
    pub fn is_now(&self, seconds: i64, tolerance: i64) -> bool {
        (self.now - tolerance..=self.answered + tolerance).contains(&seconds)
    }

    /// Whether a request of the case named this attribute (without blanks).
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.named.contains(name)
    }

    /// Whether a request of the case asked for padding that randomises encryption.
    #[must_use]
    pub const fn knows_random_encryption(&self) -> bool {
        self.random_encryption
    }

    /// Whether a request of the case left the IV to the server, for its key or for itself.
    #[must_use]
    pub const fn knows_random_iv(&self) -> bool {
        self.random_iv
    }

    /// Whether a request of the case named an algorithm whose signatures are randomised.
    #[must_use]
    pub const fn knows_random_signatures(&self) -> bool {
        self.random_signatures
    }

    /// Notes the newest value of each item that a variable may stand for unnamed.
    pub fn note_response(&mut self, response: &Node) {
        response.walk(None, &mut |node, _| {
            let known = IMPLICIT.iter().find(|(tag, _)| *tag == node.tag);
            if let Some((_, name)) = known
                && !matches!(node.content, Content::Structure(_))
            {
                self.latest.insert(name, node.content.clone());
            }
        });
    }

    /// Notes that the server made this object.
    pub fn note_made(&mut self, identifier: &str) {
        self.made.insert(identifier.to_owned());
    }

    /// The objects that the server made, for the cases after this one.
    #[must_use]
    pub fn into_made(self) -> HashSet<String> {
        self.made
    }

    /// Whether the server made the object itself, or from one that it made.
    #[must_use]
    pub fn is_made(&self, identifier: &str) -> bool {
        self.made.contains(identifier)
    }
}

/// Whether the variable is a token that the server issues anew each time.
#[must_use]
pub fn is_token(variable: &str) -> bool {
    matches!(
        without_number(variable),
        "CORRELATION_VALUE" | "ASYNCHRONOUS_CORRELATION_VALUE" | "SERVER_CORRELATION_VALUE" | "TICKET_VALUE"
    )
}

/// `DATA_1` is `DATA`.
#[must_use]
pub fn without_number(variable: &str) -> &str {
    variable
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('_')
}

/// What a value belongs to, spelled alike in every version: the 1.x attribute name of an Attribute Value, else the
/// name of the tag, without blanks.
#[must_use]
pub fn scope_name(tag: Tag, attribute: Option<&str>) -> String {
    match attribute {
        Some(name) if tag == tag::ATTRIBUTE_VALUE => squeeze(name),
        _ => crate::tree::tag_name(tag),
    }
}

/// An attribute's name without what is no letter or digit.
#[must_use]
pub fn squeeze(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: &str, value: &str) -> Element {
        Element::parse(&format!("<A type='{kind}' value='{value}'/>")).unwrap()
    }

    #[test]
    fn moments_are_relative_to_the_start() {
        let mut bindings = Bindings::new(1_000_000);
        assert_eq!(bindings.moment("NOW"), Some(1_000_000));
        assert_eq!(bindings.moment("NOW-3600"), Some(996_400));
        assert_eq!(bindings.moment("NOW+60"), Some(1_000_060));
        assert_eq!(bindings.moment("NONE"), None);
        let sent = bindings.substitute(&element("DateTime", "$NOW+60")).unwrap();
        assert_eq!(sent.value(), Some("1970-01-12T13:47:40Z"));
    }

    #[test]
    fn identifiers_and_bytes_are_put_back() {
        let mut bindings = Bindings::new(0);
        bindings.bind("UNIQUE_IDENTIFIER_0", Content::Text("a-b".into()));
        bindings.bind("DATA_1", Content::Bytes(vec![1, 0xAB]));
        let sent = bindings
            .substitute(&element("TextString", "$UNIQUE_IDENTIFIER_0"))
            .unwrap();
        assert_eq!(sent.value(), Some("a-b"));
        let sent = bindings.substitute(&element("ByteString", "$DATA_1")).unwrap();
        assert_eq!(sent.value(), Some("01ab"));
        assert!(
            bindings
                .substitute(&element("TextString", "$UNIQUE_IDENTIFIER_7"))
                .is_err()
        );
    }

    #[test]
    fn the_client_chooses_identifiers_of_either_length() {
        let mut bindings = Bindings::new(0);
        let mut chosen = |kind, variable| bindings.substitute(&element(kind, variable)).unwrap();
        let long = chosen("TextString", "$UNIQUE_IDENTIFIER_RANDOM_0");
        let short = chosen("ByteString", "$SHORT_UNIQUE_IDENTIFIER_RANDOM_0");
        assert!(long.value().unwrap().starts_with("chosen-"));
        assert_eq!(short.value().map(str::len), Some(2 * SHORT_IDENTIFIER));
        assert_eq!(chosen("ByteString", "$SHORT_UNIQUE_IDENTIFIER_RANDOM_0"), short);
    }

    #[test]
    fn a_literal_in_a_response_binds_the_variable_of_its_name() {
        let mut bindings = Bindings::new(0);
        let node = |bytes: &[u8]| Node {
            tag: tag::SIGNATURE_DATA,
            content: Content::Bytes(bytes.to_vec()),
        };
        bindings.note_response(&node(&[1]));
        assert!(bindings.get("SIGNATURE_DATA") == Some(Content::Bytes(vec![1])));
        bindings.bind("SIGNATURE_DATA", Content::Bytes(vec![2]));
        assert!(bindings.get("SIGNATURE_DATA") == Some(Content::Bytes(vec![2])));
    }

    #[test]
    fn asynchronous_requests_are_told_apart_by_their_numbers() {
        let mut bindings = Bindings::new(0);
        for (number, value) in [(0, 10), (1, 11)] {
            bindings.bind(
                &format!("ASYNCHRONOUS_CORRELATION_VALUE_{number}"),
                Content::Bytes(vec![value]),
            );
            bindings.note_response(&Node {
                tag: tag::ASYNCHRONOUS_CORRELATION_VALUE,
                content: Content::Bytes(vec![value]),
            });
        }
        let told = |variable| bindings.get(variable);
        assert!(told("ASYNCHRONOUS_CORRELATION_VALUE_0") == Some(Content::Bytes(vec![10])));
        assert!(told("ASYNCHRONOUS_CORRELATION_VALUE_1") == Some(Content::Bytes(vec![11])));
        assert!(told("ASYNCHRONOUS_CORRELATION_VALUE") == Some(Content::Bytes(vec![11])));
    }

    #[test]
    fn a_date_is_fixed_for_the_objects_of_its_request() {
        let mut bindings = Bindings::new(100);
        let date = Node {
            tag: tag::ACTIVATION_DATE,
            content: Content::DateTime(100),
        };
        bindings.note_dates(&date, &["a".to_owned()]);
        assert!(bindings.is_fixed(&["b".to_owned(), "a".to_owned()], "ActivationDate", 100));
        assert!(bindings.is_fixed(&[], "ActivationDate", 100));
        assert!(!bindings.is_fixed(&["b".to_owned()], "ActivationDate", 100));
        assert!(!bindings.is_fixed(&["a".to_owned()], "ActivationDate", 101));
    }

    #[test]
    fn now_lasts_as_long_as_the_case() {
        let mut bindings = Bindings::new(1_000);
        assert!(bindings.is_now(1_060, 60) && !bindings.is_now(1_120, 60) && !bindings.is_now(939, 60));
        bindings.note_answer(1_120);
        assert!(bindings.is_now(1_120, 60) && !bindings.is_now(1_181, 60));
    }

    #[test]
    fn the_newest_correlation_value_is_meant() {
        let mut bindings = Bindings::new(0);
        bindings.bind("CORRELATION_VALUE", Content::Bytes(vec![1]));
        let response = Node {
            tag: tag::CORRELATION_VALUE,
            content: Content::Bytes(vec![2]),
        };
        bindings.note_response(&response);
        assert!(bindings.get("CORRELATION_VALUE") == Some(Content::Bytes(vec![2])));
    }
}
