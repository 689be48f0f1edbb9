//! Structures that a case takes over from what the server has told: a policy with one rule more need not be written out whole.
//!
//! An element of a request with the attribute `amends="true"` begins with what the last structure of its tag has in the responses of the
//! case so far, the innermost one where they are nested; its own children follow.

use crate::element::Element;
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::xml;

/// The attribute.
const AMENDS: &str = "amends";

/// The request with what it takes over.
///
/// # Errors
/// Nothing of that tag has been told.
pub fn completed(request: &Element, responses: &[Vec<u8>]) -> Result<Element, String> {
    let mut copy = request.clone();
    copy.children.clear();
    if request.attribute(AMENDS).is_some() {
        copy.attributes.retain(|(name, _)| name != AMENDS);
        let newest = responses.iter().rev().find_map(|bytes| {
            let text = xml::from_ttlv_compact(bytes, &KmipVocabulary).ok()?;
            found(&Element::parse(&text).ok()?, request)
        });
        let told = newest.ok_or_else(|| format!("no {} was told yet", request.name))?;
        copy.children.extend(told.children);
    }
    for child in &request.children {
        copy.children.push(completed(child, responses)?);
    }
    Ok(copy)
}

/// What an element is: its name or, where that says only that it is an item, its tag.
fn name_of(element: &Element) -> &str {
    element.attribute("tag").unwrap_or(&element.name)
}

/// The first structure that is what the other is, and has none such within.
fn found(tree: &Element, like: &Element) -> Option<Element> {
    let within = tree.children.iter().find_map(|child| found(child, like));
    within.or_else(|| (name_of(tree) == name_of(like)).then(|| tree.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::encode;

    fn response(rules: &str) -> Vec<u8> {
        let text = format!(
            "<ResponseMessage><TTLV tag='0x54001D'><TTLV tag='0x54001D'>{rules}</TTLV></TTLV></ResponseMessage>"
        );
        encode(&Element::parse(&text).unwrap()).unwrap()
    }

    #[test]
    fn what_was_told_last_comes_first() {
        let rule = |number: i32| format!("<TTLV tag='0x540022' type='Integer' value='{number}'/>");
        let request = "<RequestMessage><TTLV tag='0x54001D' amends='true'><A/></TTLV></RequestMessage>";
        let request = Element::parse(request).unwrap();
        assert!(completed(&request, &[]).is_err());
        let told = [response(&rule(1)), response(&rule(2)), Vec::new()];
        let whole = completed(&request, &told).unwrap();
        let policy = &whole.children[0];
        assert_eq!(policy.attribute(AMENDS), None);
        assert_eq!(policy.children.len(), 2);
        assert_eq!(policy.children[0].value(), Some("2"));
        assert_eq!(policy.children[1].name, "A");
        // What takes nothing over stays as it is.
        assert_eq!(completed(&whole, &[]).unwrap(), whole);
    }
}
