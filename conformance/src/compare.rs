//! Compares a response with the expected one and tells the first thing that differs.

use crate::binding::{Bindings, is_token, scope_name};
use crate::freedom::{self, CLOCK_TOLERANCE, ItemFacts, Order};
use crate::pattern::{Expected, Pattern};
use crate::tree::{Content, Node, tag_name};
use kmip_protocol::{Operation, tag};
use kmip_ttlv::{ItemType, Tag};
use std::fmt;

/// The first difference between a response and what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Names of the items around it, innermost first.
    path: Vec<String>,
    expected: String,
    found: String,
}

impl Difference {
    fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn within(mut self, name: impl Into<String>) -> Self {
        self.path.push(name.into());
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        write!(
            f,
            "{}: expected {}, found {}",
            path.join("/"),
            self.expected,
            self.found
        )
    }
}

type Result<T = ()> = std::result::Result<T, Difference>;

/// Compares a whole response. `case` is the case's name, `request` what was sent; variables are bound on the way.
///
/// # Errors
/// The first difference.
pub fn message(case: &str, expected: &Pattern, request: &Node, response: &Node, bindings: &mut Bindings) -> Result {
    let wrap = |d: Difference| d.within("ResponseMessage");
    if expected.tag != response.tag {
        return Err(Difference::new(tag_name(expected.tag), tag_name(response.tag)));
    }
    // Failures come first: whatever else differs in an item that failed follows from it.
    let wanted: Vec<&Pattern> = expected
        .children()
        .iter()
        .filter(|c| c.tag == tag::BATCH_ITEM)
        .collect();
    let got: Vec<&Node> = response
        .children()
        .iter()
        .filter(|c| c.tag == tag::BATCH_ITEM)
        .collect();
    let sent: Vec<&Node> = request.children().iter().filter(|c| c.tag == tag::BATCH_ITEM).collect();
    for (index, (wanted, got)) in wanted.iter().zip(&got).enumerate() {
        status(wanted, got).map_err(|d| wrap(d.within(format!("BatchItem[{index}]"))))?;
    }
    let mut comparison = Comparison {
        bindings,
        facts: ItemFacts::default(),
    };
    if let (Some(wanted), Some(got)) = (
        expected.child(tag::RESPONSE_HEADER),
        response.child(tag::RESPONSE_HEADER),
    ) {
        comparison.item(wanted, got, None).map_err(wrap)?;
    }
    if wanted.len() != got.len() {
        let count = |n: usize| format!("{n} batch items");
        return Err(wrap(Difference::new(count(wanted.len()), count(got.len()))));
    }
    for (index, (wanted, got)) in wanted.iter().zip(&got).enumerate() {
        if let Some(sent) = sent.get(index) {
            comparison.facts = ItemFacts::of(case, sent, got, comparison.bindings);
            comparison.bindings.note_dates(sent, &comparison.facts.objects);
        }
        let name = got
            .enumeration(tag::OPERATION)
            .map_or_else(String::new, |o| Operation(o).to_string());
        comparison
            .item(wanted, got, None)
            .map_err(|d| wrap(d.within(format!("[{index}] {name}"))))?;
        comparison.note_made(got);
    }
    Ok(())
}

/// Result Status and Result Reason: never free.
fn status(expected: &Pattern, response: &Node) -> Result {
    let wanted = (
        expected.enumeration(tag::RESULT_STATUS),
        expected.enumeration(tag::RESULT_REASON),
    );
    let got = (
        response.enumeration(tag::RESULT_STATUS),
        response.enumeration(tag::RESULT_REASON),
    );
    if wanted == got {
        return Ok(());
    }
    let show = |(status, reason): (Option<u32>, Option<u32>)| {
        let name = |tag: Tag, value: u32| {
            let content = Content::Enumeration(value);
            Node { tag, content }.show(None)
        };
        let status = status.map_or_else(|| "no status".to_owned(), |s| name(tag::RESULT_STATUS, s));
        let reason = reason.map(|r| format!(" {}", name(tag::RESULT_REASON, r)));
        format!("{status}{}", reason.unwrap_or_default())
    };
    let message = response.text(tag::RESULT_MESSAGE).map(|m| format!(" \"{m}\""));
    let operation = response
        .enumeration(tag::OPERATION)
        .map(|o| format!(" of {}", Operation(o)));
    let found = format!(
        "{}{}{}",
        show(got),
        operation.unwrap_or_default(),
        message.unwrap_or_default()
    );
    Err(Difference::new(show(wanted), found))
}

/// A comparison under way.
struct Comparison<'b> {
    bindings: &'b mut Bindings,
    facts: ItemFacts,
}

impl Comparison<'_> {
    /// Compares one item. `attribute` is the 1.x attribute name in force.
    fn item(&mut self, expected: &Pattern, node: &Node, attribute: Option<&str>) -> Result {
        let name = scope_name(expected.tag, attribute);
        self.value(expected, node, attribute, &name).map_err(|d| {
            let shown = match attribute {
                Some(attribute) if expected.tag == tag::ATTRIBUTE_VALUE => format!("AttributeValue({attribute})"),
                _ => tag_name(expected.tag),
            };
            d.within(shown)
        })
    }

    fn value(&mut self, expected: &Pattern, node: &Node, attribute: Option<&str>, name: &str) -> Result {
        let differs = || Difference::new(expected.show(attribute), node.show(attribute));
        match &expected.expected {
            Expected::Variable(variable, kind) => {
                let found = node.content.item_type();
                if found != *kind {
                    return Err(Difference::new(kind.name(), found.name()));
                }
                self.variable(variable, name, node).map_err(|why| match why {
                    Some(bound) => Difference::new(format!("${variable} = {bound}"), node.show(attribute)),
                    None => differs(),
                })
            }
            Expected::Literal(literal) => {
                if *literal == node.content {
                    return Ok(());
                }
                let is_free = self.facts.may_differ(expected.tag, name, literal, self.bindings);
                // What the server makes may come in another format, and so in another type.
                let is_material = matches!(expected.tag, tag::KEY_MATERIAL | tag::KEY_VALUE);
                if is_free && (is_material || literal.item_type() == node.content.item_type()) {
                    return Ok(());
                }
                if literal.item_type() != node.content.item_type() {
                    return Err(Difference::new(
                        literal.item_type().name(),
                        node.content.item_type().name(),
                    ));
                }
                Err(differs())
            }
            Expected::Anything => match node.content.item_type() {
                ItemType::Structure => Ok(()),
                other => Err(Difference::new("Structure", other.name())),
            },
            Expected::Structure(children) => {
                if expected.tag == tag::KEY_MATERIAL
                    && self.facts.may_differ(expected.tag, name, &node.content, self.bindings)
                    || expected.tag == tag::SERVER_INFORMATION
                {
                    return Ok(());
                }
                if node.content.item_type() != ItemType::Structure {
                    return Err(Difference::new("Structure", node.content.item_type().name()));
                }
                let inner = expected.text(tag::ATTRIBUTE_NAME).or(attribute);
                if name == "Digest" {
                    return self.digest(children, node);
                }
                self.children(expected.tag, children, node.children(), inner)
            }
        }
    }

    /// A Digest: the server chooses the hash algorithm; a digest of what the client registered, under the algorithm
    /// and format that the case prints, has one right value.
    fn digest(&mut self, expected: &[Pattern], node: &Node) -> Result {
        let same = |tag: Tag| {
            let wanted = expected.iter().find(|p| p.tag == tag);
            let got = node.child(tag);
            matches!((wanted.map(|p| &p.expected), got), (Some(Expected::Literal(l)), Some(n)) if *l == n.content)
        };
        let is_determined = !self.facts.is_made && same(tag::HASHING_ALGORITHM) && same(tag::KEY_FORMAT_TYPE);
        for wanted in expected {
            let Some(got) = node.child(wanted.tag) else {
                return Err(Difference::new(wanted.show(None), "nothing").within(tag_name(wanted.tag)));
            };
            if is_determined || !self.facts.digest_may_differ(wanted.tag) {
                self.item(wanted, got, None)?;
            } else if let Expected::Variable(variable, _) = &wanted.expected {
                self.bindings.bind(variable, got.content.clone());
            }
        }
        Ok(())
    }

    /// Compares what a variable stands for, or binds it. The error is what it stands for, if that is worth telling.
    fn variable(&mut self, variable: &str, name: &str, node: &Node) -> std::result::Result<(), Option<String>> {
        if let Some(moment) = self.bindings.moment(variable) {
            let Content::DateTime(found) = node.content else {
                return Ok(()); // Date-Time Extended: the server's own clock
            };
            let is_fixed = self.bindings.is_fixed(&self.facts.objects, name, moment);
            let is_now = moment == self.bindings.now;
            let is_good = if is_fixed {
                found == moment
            } else {
                let is_near = (found - moment).abs() <= CLOCK_TOLERANCE;
                (freedom::is_servers_date(name) && !is_now)
                    || is_near
                    || self.bindings.is_now(found, CLOCK_TOLERANCE) && is_now
            };
            let bound = Content::DateTime(moment).to_xml_value();
            return if is_good { Ok(()) } else { Err(Some(bound)) };
        }
        let is_fresh = self.facts.is_random || self.produces();
        match self.bindings.get(variable) {
            Some(bound) if self.bindings.is_bound(variable) && !is_token(variable) && !is_fresh => {
                if bound == node.content {
                    Ok(())
                } else {
                    Err(Some(bound.to_xml_value()))
                }
            }
            _ => {
                self.bindings.bind(variable, node.content.clone());
                Ok(())
            }
        }
    }

    /// Whether the operation makes a new output each time, which a variable then stands for.
    fn produces(&self) -> bool {
        [
            Operation::Encrypt,
            Operation::Sign,
            Operation::MAC,
            Operation::RNGRetrieve,
        ]
        .iter()
        .any(|operation| self.facts.is(*operation))
    }

    fn children(&mut self, parent: Tag, expected: &[Pattern], found: &[Node], attribute: Option<&str>) -> Result {
        let (mut expected, mut found) = (expected, found);
        loop {
            match (expected.split_first(), found.split_first()) {
                (None, None) => return Ok(()),
                (wanted, got) => {
                    let set = [wanted.map(|(w, _)| w.tag), got.map(|(g, _)| g.tag)]
                        .into_iter()
                        .flatten()
                        .find_map(|tag| match self.facts.order(parent, tag) {
                            Order::Set { more } => Some((tag, more)),
                            Order::Sequence => None,
                        });
                    if let Some((tag, more)) = set {
                        let any = freedom::is_attribute_container(parent);
                        let wanted = expected.iter().take_while(|p| any || p.tag == tag).count();
                        let got = found.iter().take_while(|n| any || n.tag == tag).count();
                        // A run that begins later on one side: first what stands before it.
                        if wanted > 0 && (got > 0 || found.iter().all(|n| n.tag != tag))
                            || wanted == 0 && got > 0 && expected.iter().all(|p| p.tag != tag)
                        {
                            let (run, rest) = expected.split_at(wanted);
                            let (nodes, others) = found.split_at(got);
                            self.set(run, nodes, more, attribute)?;
                            (expected, found) = (rest, others);
                            continue;
                        }
                    }
                    match (wanted, got) {
                        (Some((w, more)), Some((g, others))) if w.tag == g.tag => {
                            self.item(w, g, attribute)?;
                            (expected, found) = (more, others);
                        }
                        (Some((w, more)), _) if freedom::may_be_absent(parent, w.tag, literal(w)) => expected = more,
                        (_, Some((g, others))) if freedom::may_be_absent(parent, g.tag, Some(&g.content)) => {
                            found = others
                        }
                        (Some((w, _)), g) => {
                            let instead = g.map_or_else(|| "nothing".to_owned(), |(g, _)| tag_name(g.tag));
                            return Err(Difference::new(w.show(attribute), instead).within(tag_name(w.tag)));
                        }
                        (None, Some((g, _))) => {
                            return Err(Difference::new("nothing", g.show(attribute)).within(tag_name(g.tag)));
                        }
                        (None, None) => {}
                    }
                }
            }
        }
    }

    /// Compares items whose order means nothing.
    fn set(&mut self, expected: &[Pattern], found: &[Node], more: bool, attribute: Option<&str>) -> Result {
        let mut left: Vec<&Node> = found.iter().collect();
        // What is bound finds its match before what takes any.
        let (bound, unbound): (Vec<&Pattern>, Vec<&Pattern>) = expected.iter().partition(|p| match &p.expected {
            Expected::Variable(name, _) => self.bindings.is_bound(name),
            _ => true,
        });
        for wanted in bound.into_iter().chain(unbound) {
            let matching = left
                .iter()
                .position(|node| node.tag == wanted.tag && self.try_item(wanted, node, attribute));
            if let Some(position) = matching {
                left.remove(position);
                continue;
            }
            if self.may_be_missing(wanted) {
                continue;
            }
            // The likeliest counterpart says best what differs.
            let name = wanted.text(tag::ATTRIBUTE_NAME);
            let alike = |node: &&&Node| node.tag == wanted.tag && node.text(tag::ATTRIBUTE_NAME) == name;
            if let Some(node) = left.iter().find(alike) {
                let node = (*node).clone();
                self.item(wanted, &node, attribute)?;
            }
            let shown = name.map_or_else(|| wanted.show(attribute), |n| format!("\"{n}\""));
            return Err(Difference::new(shown, "no such item").within(tag_name(wanted.tag)));
        }
        match left.first() {
            Some(node) if !more => Err(Difference::new("no more", node.show(attribute)).within(tag_name(node.tag))),
            _ => Ok(()),
        }
    }

    /// Compares, and takes back what was bound if the items differ.
    fn try_item(&mut self, expected: &Pattern, node: &Node, attribute: Option<&str>) -> bool {
        let before = self.bindings.clone();
        let is_equal = self.item(expected, node, attribute).is_ok();
        if !is_equal {
            *self.bindings = before;
        }
        is_equal
    }

    fn may_be_missing(&self, wanted: &Pattern) -> bool {
        let name = wanted.text(tag::ATTRIBUTE_NAME).or(match &wanted.expected {
            Expected::Literal(Content::Text(text)) if wanted.tag == tag::ATTRIBUTE_NAME => Some(text),
            _ => None,
        });
        let vendor = wanted.text(tag::VENDOR_IDENTIFICATION);
        let is_list = self.facts.is(Operation::Query) && matches!(wanted.tag, tag::OPERATION | tag::OBJECT_TYPE);
        if is_list {
            return literal(wanted).is_some_and(|value| !self.facts.is_required_of_query(wanted.tag, value));
        }
        let is_extension = matches!(wanted.tag, tag::EXTENSION_INFORMATION | tag::APPLICATION_NAMESPACE);
        is_extension || freedom::attribute_may_be_absent(wanted.tag, name, vendor, self.bindings)
    }

    /// Notes the objects that an item left, if their material is the server's.
    fn note_made(&mut self, response: &Node) {
        if !(self.facts.is_made && freedom::leaves_an_object(self.facts.operation)) {
            return;
        }
        let bindings = &mut *self.bindings;
        response.walk(None, &mut |node, _| {
            if let (true, Content::Text(text)) = (freedom::names_an_object(node.tag), &node.content) {
                bindings.note_made(text);
            }
        });
    }
}

fn literal(pattern: &Pattern) -> Option<&Content> {
    match &pattern.expected {
        Expected::Literal(content) => Some(content),
        _ => None,
    }
}
