//! Links between objects (KMIP 2.1 §4.31).

use crate::objects::Object;
use kmip_protocol::{Attribute, Link, LinkType, UniqueIdentifier};

/// A Link to an object.
#[must_use]
pub fn link(link_type: LinkType, unique_identifier: &str) -> Attribute {
    Attribute::Link(Link {
        link_type,
        linked_object_identifier: UniqueIdentifier::Text(unique_identifier.to_owned()),
    })
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
