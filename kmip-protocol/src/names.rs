//! Names for the text encodings: which enumeration an item's value belongs to, and what its values are called.

use crate::enumeration::Names;
use crate::{enumerations, tag};
use kmip_ttlv::{Scope, Tag, Vocabulary};

/// The vocabulary of KMIP, as XML and JSON need it.
#[derive(Clone, Copy, Default, Debug)]
pub struct KmipVocabulary;

/// Items whose values belong to an enumeration that is declared under another tag.
const BORROWED: &[(Tag, Tag)] = &[
    (tag::MASK_GENERATOR_HASHING_ALGORITHM, tag::HASHING_ALGORITHM),
    (tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, tag::UNIQUE_IDENTIFIER),
    (tag::PUBLIC_KEY_UNIQUE_IDENTIFIER, tag::UNIQUE_IDENTIFIER),
    (tag::LINKED_OBJECT_IDENTIFIER, tag::UNIQUE_IDENTIFIER),
    (tag::REPLACED_UNIQUE_IDENTIFIER, tag::UNIQUE_IDENTIFIER),
    (tag::CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER, tag::UNIQUE_IDENTIFIER),
];

/// Enumeration values from here on are extensions: read by name or number, but written as numbers, which everybody reads.
pub(crate) const EXTENSIONS: u32 = 0x8000_0000;

/// The enumeration or mask of an item's value.
#[must_use]
pub fn of_tag(tag: Tag) -> Option<&'static Names> {
    let declared = BORROWED
        .iter()
        .find(|(borrower, _)| *borrower == tag)
        .map_or(tag, |(_, lender)| *lender);
    enumerations::ENUMERATIONS.iter().find(|names| names.tag == declared)
}

/// Whether the value of this item is itself the number of a tag (KMIP 2.1 §5.5, §11.56).
const fn holds_a_tag(tag: Tag) -> bool {
    matches!(tag, tag::ATTRIBUTE_REFERENCE | tag::TAG)
}

fn of_scope(scope: Scope<'_>) -> Option<&'static Names> {
    if scope.tag != tag::ATTRIBUTE_VALUE {
        return of_tag(scope.tag);
    }
    of_tag(tag::from_specification_name(scope.attribute?)?)
}

impl Vocabulary for KmipVocabulary {
    fn tag_name(&self, tag: Tag) -> Option<&str> {
        tag::name(tag)
    }

    fn tag_named(&self, name: &str) -> Option<Tag> {
        tag::from_name(name)
    }

    fn value_name(&self, scope: Scope<'_>, value: u32) -> Option<&str> {
        if holds_a_tag(scope.tag) {
            return tag::name(Tag(value));
        }
        let names = of_scope(scope)?;
        if !names.is_mask && value >= EXTENSIONS {
            return None;
        }
        (names.name)(value)
    }

    fn value_named(&self, scope: Scope<'_>, name: &str) -> Option<u32> {
        if holds_a_tag(scope.tag) {
            return tag::from_name(name).map(|t| t.0);
        }
        (of_scope(scope)?.value)(name)
    }

    fn is_mask(&self, scope: Scope<'_>) -> bool {
        of_scope(scope).is_some_and(|names| names.is_mask)
    }

    fn is_attribute_name(&self, tag: Tag) -> bool {
        tag == tag::ATTRIBUTE_NAME
    }
}
