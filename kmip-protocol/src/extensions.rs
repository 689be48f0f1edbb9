//! What our extensions are, as Query's Extension List and Extension Map tell (KMIP 2.1 §6.1.40, §7.13): from the rows that use them.

use crate::field::{FieldRow, Structure};
use crate::{Commitment, ItemType, OPERATIONS, ProposalNote, VoteStatement, enumerations, tag};
use kmip_ttlv::Tag;

/// One tag of ours, with what the rows that use it say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// The tag.
    pub tag: Tag,
    /// Its name in XML and JSON.
    pub name: &'static str,
    /// The type of its item.
    pub item_type: ItemType,
    /// The one structure that it stands in; none where it stands in several, or directly in payloads.
    pub parent: Option<Tag>,
    /// What there is to say of it: the values of an enumeration.
    pub description: Option<String>,
}

/// Every tag of ours that a row uses, in the order of the numbers.
#[must_use]
pub fn extensions() -> Vec<Extension> {
    let mut uses = Vec::new();
    for operation in OPERATIONS {
        if let Some((request, response)) = operation.fields() {
            collect(request, None, &mut uses);
            collect(response, None, &mut uses);
        }
    }
    // These travel outside payloads, or as bytes within them.
    for (own, fields) in [
        (tag::PROPOSAL_NOTE, ProposalNote::FIELDS),
        (tag::VOTE_STATEMENT, VoteStatement::FIELDS),
        (tag::COMMITMENT, Commitment::FIELDS),
    ] {
        if !uses.iter().any(|u| u.tag == own) {
            uses.push(Use {
                tag: own,
                item_type: ItemType::Structure,
                values: None,
                parent: None,
            });
        }
        collect(fields, Some(own), &mut uses);
    }
    let mut known: Vec<Extension> = Vec::new();
    for tag in tag::extension::ALL.iter().copied() {
        let mut of_tag = uses.iter().filter(|u| u.tag == tag);
        let (Some(first), Some(name)) = (of_tag.next(), tag::name(tag)) else {
            continue;
        };
        known.push(Extension {
            tag,
            name,
            item_type: first.item_type,
            parent: first.parent.filter(|p| of_tag.all(|u| u.parent == Some(*p))),
            description: first.values.and_then(describe),
        });
    }
    known
}

/// One place where a row uses a tag of ours.
struct Use {
    tag: Tag,
    item_type: ItemType,
    values: Option<&'static str>,
    parent: Option<Tag>,
}

/// The uses among these fields and below them. Structures do not contain themselves, so this ends.
fn collect(fields: &'static [FieldRow], parent: Option<Tag>, uses: &mut Vec<Use>) {
    for field in fields {
        for (tag, _) in field.tags {
            if let (true, Some(item_type)) = (tag.is_extension(), field.item_type) {
                uses.push(Use {
                    tag: *tag,
                    item_type,
                    values: field.values,
                    parent,
                });
            }
            collect(field.fields, Some(*tag), uses);
        }
    }
}

/// The values of an enumeration, as `1 Open, 2 Approved`.
fn describe(type_name: &str) -> Option<String> {
    let names = enumerations::ENUMERATIONS
        .iter()
        .find(|names| names.type_name == type_name)?;
    let values = names
        .rows
        .iter()
        .filter_map(|(value, _)| Some(format!("{value} {}", (names.name)(*value)?)));
    Some(values.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_that_a_row_uses_is_told_with_one_type() {
        let mut uses = Vec::new();
        for operation in OPERATIONS {
            let (request, response) = operation.fields().unwrap();
            collect(request, None, &mut uses);
            collect(response, None, &mut uses);
        }
        let told = extensions();
        assert!(uses.len() > 200 && told.is_sorted_by(|a, b| a.tag < b.tag));
        for one in &uses {
            let told = told.iter().find(|e| e.tag == one.tag).unwrap();
            assert_eq!(told.item_type, one.item_type, "{}", told.name);
        }
    }

    #[test]
    fn what_the_rows_say_is_told() {
        let told = extensions();
        let of = |tag: Tag| told.iter().find(|e| e.tag == tag).unwrap();
        assert_eq!(of(tag::PERSON_NAME).item_type, ItemType::TextString);
        assert_eq!(of(tag::PERSON_NAME).parent, None);
        assert_eq!(of(tag::QUORUM).parent, Some(tag::RULE_GROUP));
        assert_eq!(of(tag::TIMELOCK).item_type, ItemType::Interval);
        assert_eq!(of(tag::VOTE).item_type, ItemType::Structure);
        assert_eq!(
            of(tag::VOTE_DECISION).description.as_deref(),
            Some("1 Approve, 2 Reject")
        );
        assert_eq!(of(tag::KEYSTORE).item_type, ItemType::ByteString);
        assert_eq!(of(tag::ISSUED).parent, Some(tag::VOTE_STATEMENT));
    }
}
