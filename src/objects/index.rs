//! Under which values an object can be found, and which of a search's patterns leads to the fewest candidates. Index rows are
//! hints: every hit is compared with its record.

use super::matching;
use super::record::Object;
use crate::store::{Domain, IndexQuery, IndexRange, IndexRow, IndexValue};
use kmip_protocol::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeKind, AttributePattern, AttributeReference,
    Link, Name, UniqueIdentifier, VendorName, tag,
};
use kmip_ttlv::{Reader, Tag, Value, Writer};
use ring::digest;

/// The row that every object has: its existence, for searches that name nothing indexed. It has one value for all, so that
/// hits are found in their order, however many there are.
const EXISTENCE: u32 = 0;

/// The row for each namespace in which an object has Application Specific Information: outside the range of tags.
const NAMESPACE: u32 = 1;

/// The row of each destroyed object, of whichever application: what remains of a tenant's is found by when it was destroyed.
const DESTROYED: u32 = 2;

/// The row of each object that the server is to replace by itself, of whichever application: by when that is due.
pub const ROTATES: u32 = 3;

/// The row of each object whose state a date is to change, of whichever application: by when that is. It is there until the change is noted.
pub const TURNS: u32 = 4;

fn existence() -> IndexValue {
    IndexValue::number(0)
}

/// Attributes that are found by their whole value.
const BY_VALUE: [AttributeKind; 5] = [
    AttributeKind::ObjectGroup,
    AttributeKind::X_509CertificateIdentifier,
    AttributeKind::X_509CertificateSubject,
    AttributeKind::X_509CertificateIssuer,
    AttributeKind::ShortUniqueIdentifier,
];

/// Attributes that are found by date and by range of dates.
const BY_DATE: [AttributeKind; 9] = [
    AttributeKind::InitialDate,
    AttributeKind::ActivationDate,
    AttributeKind::ProcessStartDate,
    AttributeKind::ProtectStopDate,
    AttributeKind::DeactivationDate,
    AttributeKind::CompromiseDate,
    AttributeKind::DestroyDate,
    AttributeKind::ArchiveDate,
    AttributeKind::LastChangeDate,
];

/// In rows that are for no application's clients.
const NO_APPLICATION: [u8; 16] = [0; 16];

/// All index rows of an object.
#[must_use]
pub fn rows(object: &Object) -> Vec<IndexRow> {
    let row = |attribute, value| IndexRow {
        application: object.application,
        attribute,
        value,
    };
    let existence = row(EXISTENCE, existence());
    let indexed = object.attributes.iter().filter_map(|i| of_attribute(&i.attribute));
    let namespaces = object.attributes.namespaces();
    let namespaces = namespaces.map(|namespace| row(NAMESPACE, IndexValue::bytes(namespace.as_bytes())));
    let destroyed = object.attributes.dates().destroy.map(|date| IndexRow {
        application: NO_APPLICATION,
        attribute: DESTROYED,
        value: IndexValue::number(date),
    });
    let rotates = super::rotation::due(object).map(|date| IndexRow {
        application: NO_APPLICATION,
        attribute: ROTATES,
        value: IndexValue::number(date),
    });
    let turns = object.turns().map(|date| IndexRow {
        application: NO_APPLICATION,
        attribute: TURNS,
        value: IndexValue::number(date),
    });
    let mut rows: Vec<IndexRow> = core::iter::once(existence)
        .chain(destroyed)
        .chain(rotates)
        .chain(turns)
        .chain(namespaces)
        .chain(indexed.map(|(attribute, value)| row(attribute, value)))
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

/// Attribute number and value of one attribute, if it is indexed.
fn of_attribute(attribute: &Attribute) -> Option<(u32, IndexValue)> {
    let number = attribute.kind().tag().0;
    let value = match attribute {
        Attribute::Name(Name { name_value, .. }) => IndexValue::bytes(name_value.as_bytes()),
        Attribute::AlternativeName(AlternativeName {
            alternative_name_value, ..
        }) => IndexValue::bytes(alternative_name_value.as_bytes()),
        Attribute::ApplicationSpecificInformation(information) => of_information(information)?,
        Attribute::Link(Link {
            linked_object_identifier: UniqueIdentifier::Text(linked),
            ..
        }) => IndexValue::bytes(linked.as_bytes()),
        Attribute::Vendor(vendor) => return Some((of_vendor(&vendor.name), value_of(attribute))),
        known if BY_DATE.contains(&known.kind()) => IndexValue::number(matching::date_value(known)?.0),
        known if BY_VALUE.contains(&known.kind()) => value_of(known),
        _ => return None,
    };
    Some((number, value))
}

fn of_information(information: &ApplicationSpecificInformation) -> Option<IndexValue> {
    let data = information.application_data.as_deref()?;
    Some(information_value(&information.application_namespace, data))
}

fn information_value(namespace: &str, data: &str) -> IndexValue {
    IndexValue::bytes(format!("{namespace}\0{data}").as_bytes())
}

/// The number under which a Vendor Attribute is indexed: outside the range of tags.
fn of_vendor(name: &VendorName) -> u32 {
    let text = format!("{}\0{}", name.vendor_identification, name.attribute_name);
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    match digest.as_ref() {
        [a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]) | 0x8000_0000,
        _ => 0x8000_0000,
    }
}

/// The value as bytes that do not depend on its tag: type, length and content.
fn value_of(attribute: &Attribute) -> IndexValue {
    let mut writer = Writer::new();
    attribute.write_value_item(&mut writer);
    untagged(writer.as_bytes())
}

fn untagged(item: &[u8]) -> IndexValue {
    IndexValue::bytes(item.get(3..).unwrap_or_default())
}

/// Asks for objects with Application Specific Information in a namespace.
#[must_use]
pub fn in_namespace(tenant: Domain, application: [u8; 16], namespace: &str, limit: usize) -> IndexQuery {
    IndexQuery {
        attribute: NAMESPACE,
        range: IndexRange::Equal(IndexValue::bytes(namespace.as_bytes())),
        limit,
        ..first(tenant, application)
    }
}

/// Asks for destroyed objects of all applications of a tenant up to this Destroy Date, those that were destroyed first at the beginning.
#[must_use]
pub fn destroyed(tenant: Domain, until: i64, limit: usize) -> IndexQuery {
    destroyed_within(tenant, (i64::MIN, until), limit)
}

/// The same of those with a Destroy Date from the one to the other, both included.
#[must_use]
pub fn destroyed_within(tenant: Domain, (from, to): (i64, i64), limit: usize) -> IndexQuery {
    IndexQuery {
        attribute: DESTROYED,
        range: IndexRange::InOrder { from, to },
        limit,
        ..first(tenant, NO_APPLICATION)
    }
}

/// Asks for objects of all applications of a tenant that are to be replaced up to this moment, the newest first, from a creation number on.
#[must_use]
pub fn rotating(tenant: Domain, until: i64, before: Option<u64>, limit: usize) -> IndexQuery {
    IndexQuery {
        attribute: ROTATES,
        range: IndexRange::Between {
            from: i64::MIN,
            to: until,
        },
        before,
        limit,
        ..first(tenant, NO_APPLICATION)
    }
}

/// Asks for objects of all applications of a tenant whose state a date has changed by this moment, the newest first, from a creation number on.
#[must_use]
pub fn turning(tenant: Domain, until: i64, before: Option<u64>, limit: usize) -> IndexQuery {
    IndexQuery {
        attribute: TURNS,
        ..rotating(tenant, until, before, limit)
    }
}

/// Asks for the object whose state a date changes next after this moment.
#[must_use]
pub fn turning_next(tenant: Domain, after: i64) -> IndexQuery {
    IndexQuery {
        attribute: TURNS,
        range: IndexRange::InOrder {
            from: after.saturating_add(1),
            to: i64::MAX,
        },
        ..first(tenant, NO_APPLICATION)
    }
}

/// Asks whether an application has any object at all.
#[must_use]
pub fn first(tenant: Domain, application: [u8; 16]) -> IndexQuery {
    IndexQuery {
        domain: tenant,
        kind: super::OBJECT,
        application,
        attribute: EXISTENCE,
        range: IndexRange::Equal(existence()),
        before: None,
        limit: 1,
    }
}

/// Where to look for the candidates of a search.
pub struct Lookup {
    /// As in [`IndexRow::attribute`].
    pub attribute: u32,
    /// Which values.
    pub range: IndexRange,
}

/// The lookup that leads to the fewest candidates: unique values first, dates later, everything last.
#[must_use]
pub fn best_lookup(patterns: &[AttributePattern]) -> Lookup {
    let exact = patterns
        .iter()
        .filter_map(|p| of_pattern(p).map(|lookup| (rank(p), lookup)));
    let best = exact.min_by_key(|(rank, _)| *rank).map(|(_, lookup)| lookup);
    best.or_else(|| of_dates(patterns)).unwrap_or(Lookup {
        attribute: EXISTENCE,
        range: IndexRange::Equal(existence()),
    })
}

/// How many objects share a value, by experience: fewer first.
fn rank(pattern: &AttributePattern) -> u8 {
    match pattern.reference() {
        AttributeReference::Known(AttributeKind::Name | AttributeKind::ShortUniqueIdentifier) => 0,
        AttributeReference::Known(AttributeKind::X_509CertificateIdentifier) => 1,
        AttributeReference::Known(AttributeKind::Link | AttributeKind::AlternativeName) => 2,
        AttributeReference::Known(AttributeKind::ApplicationSpecificInformation) => 3,
        AttributeReference::Vendor(_) => 4,
        AttributeReference::Known(AttributeKind::ObjectGroup) => 6,
        _ => 5,
    }
}

/// The lookup for a pattern that gives enough of its value.
fn of_pattern(pattern: &AttributePattern) -> Option<Lookup> {
    let equal = |attribute: u32, value| {
        Some(Lookup {
            attribute,
            range: IndexRange::Equal(value),
        })
    };
    match pattern.reference() {
        AttributeReference::Known(kind) => {
            let number = kind.tag().0;
            match kind {
                AttributeKind::Name => equal(number, IndexValue::bytes(text(pattern, tag::NAME_VALUE)?.as_bytes())),
                AttributeKind::AlternativeName => equal(
                    number,
                    IndexValue::bytes(text(pattern, tag::ALTERNATIVE_NAME_VALUE)?.as_bytes()),
                ),
                AttributeKind::Link => equal(
                    number,
                    IndexValue::bytes(text(pattern, tag::LINKED_OBJECT_IDENTIFIER)?.as_bytes()),
                ),
                AttributeKind::ApplicationSpecificInformation => {
                    let namespace = text(pattern, tag::APPLICATION_NAMESPACE)?;
                    equal(
                        number,
                        information_value(namespace, text(pattern, tag::APPLICATION_DATA)?),
                    )
                }
                AttributeKind::ObjectGroup | AttributeKind::ShortUniqueIdentifier => {
                    equal(number, untagged(pattern.value()))
                }
                // Structures may be given in part, which the digest of the whole cannot find.
                _ => None,
            }
        }
        AttributeReference::Vendor(name) => equal(of_vendor(name), untagged(pattern.value())),
        AttributeReference::UnknownTag(_) | AttributeReference::UnknownName(_) => None,
    }
}

/// A text field of a structure that is asked for.
fn text(pattern: &AttributePattern, field: Tag) -> Option<&str> {
    let Ok((_, Value::Structure(mut fields))) = Reader::new(pattern.value()).item() else {
        return None;
    };
    while !fields.is_empty() {
        match fields.item() {
            Ok((tag, Value::TextString(text))) if tag == field => return Some(text),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
    None
}

fn of_dates(patterns: &[AttributePattern]) -> Option<Lookup> {
    let dated = |p: &AttributePattern| match p.reference() {
        AttributeReference::Known(kind) if BY_DATE.contains(kind) => p.date().map(|d| (*kind, d)),
        _ => None,
    };
    let (kind, first) = patterns.iter().find_map(dated)?;
    let all = patterns
        .iter()
        .filter_map(dated)
        .filter(|(k, _)| *k == kind)
        .map(|(_, d)| d);
    let (from, to) = all.fold((first, first), |(from, to), d| (from.min(d), to.max(d)));
    // The largest date stands for "not defined": objects without it have no row.
    (to < i64::MAX).then_some(Lookup {
        attribute: kind.tag().0,
        range: IndexRange::Between { from, to },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::AttributeSet;
    use kmip_protocol::{DateTime, NameType, ObjectType};

    fn object() -> Object {
        let mut attributes = AttributeSet::default();
        attributes.add(Attribute::Name(Name {
            name_value: "k1".into(),
            name_type: NameType::UninterpretedTextString,
        }));
        attributes.set(Attribute::ActivationDate(DateTime(50)));
        Object {
            internal_id: [1; 16],
            unique_identifier: "u".into(),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 0,
            attributes,
            material: None,
            former: Vec::new(),
        }
    }

    #[test]
    fn the_lookup_of_a_pattern_finds_the_row_of_its_object() {
        let rows = rows(&object());
        for instance in object().attributes.iter() {
            let lookup = best_lookup(&[AttributePattern::exactly(&instance.attribute)]);
            let found = rows
                .iter()
                .filter(|r| r.attribute == lookup.attribute)
                .any(|r| match &lookup.range {
                    IndexRange::Equal(value) => r.value == *value,
                    IndexRange::Between { from, to } => {
                        (IndexValue::number(*from)..=IndexValue::number(*to)).contains(&r.value)
                    }
                    IndexRange::InOrder { .. } | IndexRange::Any => true,
                });
            assert!(found, "{:?}", instance.attribute.kind());
        }
    }

    #[test]
    fn a_name_is_preferred_to_a_date() {
        let object = object();
        let patterns: Vec<AttributePattern> = object
            .attributes
            .iter()
            .rev_for_test()
            .map(AttributePattern::exactly)
            .collect();
        assert_eq!(best_lookup(&patterns).attribute, tag::NAME.0);
        assert!(matching::matches(&object, &patterns, 100));
    }

    trait RevForTest<'a> {
        fn rev_for_test(self) -> std::vec::IntoIter<&'a Attribute>;
    }
    impl<'a, I: Iterator<Item = &'a crate::objects::Instance>> RevForTest<'a> for I {
        fn rev_for_test(self) -> std::vec::IntoIter<&'a Attribute> {
            let mut all: Vec<&Attribute> = self.map(|i| &i.attribute).collect();
            all.reverse();
            all.into_iter()
        }
    }
}
