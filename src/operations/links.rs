//! Links between objects (KMIP 2.1 §4.31).

use super::context::Context;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object};
use kmip_protocol::{Attribute, Link, LinkType, UniqueIdentifier};

/// A Link to an object.
#[must_use]
pub fn link(link_type: LinkType, unique_identifier: &str) -> Attribute {
    Attribute::Link(Link {
        link_type,
        linked_object_identifier: UniqueIdentifier::Text(unique_identifier.to_owned()),
    })
}

/// A Link that a request gives, with the identifier that it means: the one given, that of the ID Placeholder or of an earlier item (KMIP 2.1 §4.31,
/// Table 90). `None`: it is named, or the attribute is no Link.
///
/// # Errors
/// [`Fault::InvalidAttributeValue`] if it means none.
pub fn resolved(context: &mut Context<'_>, attribute: &Attribute) -> Result<Option<Attribute>, Failure> {
    let Attribute::Link(Link {
        link_type,
        linked_object_identifier: given,
    }) = attribute
    else {
        return Ok(None);
    };
    if matches!(given, UniqueIdentifier::Text(_)) {
        return Ok(None);
    }
    let meant = context
        .identifier(Some(given))
        .map_err(|failure| match failure.fault() {
            Fault::ObjectNotFound => Fault::InvalidAttributeValue.into(),
            _ => failure,
        })?;
    Ok(Some(link(*link_type, &meant)))
}

/// Gives an object a Link to another, unless it has it.
pub fn tie(object: &mut Object, link_type: LinkType, unique_identifier: &str) {
    let link = link(link_type, unique_identifier);
    if !object.attributes.iter().any(|instance| instance.attribute == link) {
        object.attributes.add(link);
    }
}

/// Where the first Link of a type leads.
#[must_use]
pub fn linked(object: &Object, link_type: LinkType) -> Option<UniqueIdentifier> {
    object.attributes.iter().find_map(|instance| match &instance.attribute {
        Attribute::Link(link) if link.link_type == link_type => Some(link.linked_object_identifier.clone()),
        _ => None,
    })
}

/// Has the Link that led to one object lead to another, in its place; a new one, if none led there.
pub fn retie(attributes: &mut AttributeSet, link_type: LinkType, from: &str, to: &str) {
    let former = link(link_type, from);
    let found = attributes.iter().find(|instance| instance.attribute == former);
    match found.map(|instance| instance.index) {
        Some(index) => {
            attributes.replace(index, link(link_type, to));
        }
        None => {
            attributes.add(link(link_type, to));
        }
    }
}

/// Has the Link to what replaces an object lead to this one: there is only one such replacement (KMIP 2.1 §11.28). Gives the former one.
pub fn succeed(existing: &mut Object, replacement: &str) -> Option<String> {
    let link_type = LinkType::ReplacementObjectLink;
    let former = ends(&existing.attributes, link_type).next().map(str::to_owned);
    let from = former.as_deref().unwrap_or_default();
    retie(&mut existing.attributes, link_type, from, replacement);
    former
}

/// The identifiers to which the Links of a type lead, in the order of their index.
pub fn ends(attributes: &AttributeSet, link_type: LinkType) -> impl Iterator<Item = &str> {
    attributes.iter().filter_map(move |instance| match &instance.attribute {
        Attribute::Link(link) if link.link_type == link_type => match &link.linked_object_identifier {
            UniqueIdentifier::Text(text) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_moved_in_its_place() {
        let mut set = AttributeSet::default();
        set.add(link(LinkType::PrivateKeyLink, "a"));
        set.add(link(LinkType::CertificateLink, "b"));
        set.add(link(LinkType::CertificateLink, "c"));
        retie(&mut set, LinkType::CertificateLink, "b", "d");
        let indexes: Vec<i32> = set.iter().map(|instance| instance.index).collect();
        assert_eq!(indexes, [0, 1, 2]);
        assert_eq!(ends(&set, LinkType::CertificateLink).collect::<Vec<_>>(), ["d", "c"]);
        retie(&mut set, LinkType::CertificateLink, "b", "e");
        assert_eq!(
            ends(&set, LinkType::CertificateLink).collect::<Vec<_>>(),
            ["d", "c", "e"]
        );
        assert_eq!(ends(&set, LinkType::PrivateKeyLink).collect::<Vec<_>>(), ["a"]);
    }
}
