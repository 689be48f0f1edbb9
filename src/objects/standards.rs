//! What an application's clients have set for the objects that come into being there: defaults for what a request leaves out, and
//! constraints on what it may say (KMIP 2.1 §7.6, §7.22). One record for both.

use super::attributes::AttributeSet;
use crate::store::{Domain, Key, Kind};
use kmip_protocol::{
    Attribute, Attributes, Constraint, Constraints, DefaultsInformation, Item, ObjectDefaults, ObjectGroups,
    ObjectType, Version, tag,
};
use kmip_ttlv::{Reader, Result, Writer};

/// The record of an application's standards.
pub const STANDARDS: Kind = Kind(0x57);

/// Defaults and constraints of an application.
#[derive(Clone, PartialEq, Default)]
pub struct Standards {
    /// What objects get of what is left out.
    pub defaults: DefaultsInformation,
    /// What they must keep.
    pub constraints: Constraints,
}

impl Standards {
    /// Where it is kept.
    #[must_use]
    pub const fn key(tenant: Domain, application: [u8; 16]) -> Key {
        Key {
            domain: tenant,
            kind: STANDARDS,
            id: application,
        }
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { defaults, constraints } = self;
        let mut writer = Writer::new();
        defaults.write_item(&mut writer, tag::DEFAULTS_INFORMATION, Version::NEWEST);
        constraints.write_item(&mut writer, tag::CONSTRAINTS, Version::NEWEST);
        writer.into_bytes()
    }

    /// Reads what [`Standards::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let standards = Self {
            defaults: DefaultsInformation::read_item(&mut reader, tag::DEFAULTS_INFORMATION, Version::NEWEST)?,
            constraints: Constraints::read_item(&mut reader, tag::CONSTRAINTS, Version::NEWEST)?,
        };
        reader.finish()?;
        Ok(standards)
    }

    /// Gives an object what its request left out. What is set for one of its Object Groups goes before what is set for all, then what
    /// was named first.
    pub fn complete(&self, object_type: ObjectType, attributes: &mut AttributeSet, gives: impl Fn(&Attribute) -> bool) {
        let mut fitting: Vec<(bool, &Attributes)> = Vec::new();
        for one in &self.defaults.object_defaults {
            let grouped = one.object_groups.is_some();
            if of_type(one, object_type) && in_groups(one.object_groups.as_ref(), attributes) {
                fitting.push((grouped, &one.attributes));
            }
        }
        let (special, common): (Vec<_>, Vec<_>) = fitting.into_iter().partition(|(grouped, _)| *grouped);
        for (_, given) in special.into_iter().chain(common) {
            let absent = |attribute: &&Attribute| attributes.of(&attribute.reference()).next().is_none();
            let missing: Vec<Attribute> = given.iter().filter(absent).filter(|one| gives(one)).cloned().collect();
            for attribute in missing {
                attributes.add(attribute);
            }
        }
    }

    /// Whether an object may come into being. Of the constraints on its type, those on one of its Object Groups go before those on
    /// all; it must keep one of them. Several values of an attribute are alternatives; a usage mask is the widest that is permitted.
    #[must_use]
    pub fn permit(&self, object_type: ObjectType, attributes: &AttributeSet) -> bool {
        let fitting = self.constraints.constraints.iter().filter(|one| {
            let types = one.object_types.as_ref();
            types.is_none_or(|types| types.object_types.contains(&object_type))
                && in_groups(one.object_groups.as_ref(), attributes)
        });
        let (special, common): (Vec<&Constraint>, Vec<&Constraint>) =
            fitting.partition(|one| one.object_groups.is_some());
        let decisive = if special.is_empty() { common } else { special };
        decisive.is_empty() || decisive.into_iter().any(|one| keeps(one, attributes))
    }

    /// The defaults that concern objects of these groups; all, where none is named.
    #[must_use]
    pub fn defaults_of(&self, groups: &[String]) -> Vec<ObjectDefaults> {
        let concerned = |one: &&ObjectDefaults| {
            groups.is_empty()
                || one
                    .object_groups
                    .as_ref()
                    .is_none_or(|named| named.object_groups.iter().any(|group| groups.contains(group)))
        };
        let defaults = self.defaults.object_defaults.iter();
        defaults.filter(concerned).cloned().collect()
    }

    /// Whether an Object Group is named in any of it.
    #[must_use]
    pub fn names_group(&self, group: &str) -> bool {
        let defaults = self.defaults.object_defaults.iter().map(|one| &one.object_groups);
        let constraints = self.constraints.constraints.iter().map(|one| &one.object_groups);
        let mut named = defaults.chain(constraints).flatten();
        named.any(|groups| groups.object_groups.iter().any(|one| one == group))
    }
}

fn of_type(defaults: &ObjectDefaults, object_type: ObjectType) -> bool {
    let several = defaults.object_types.as_ref();
    defaults.object_type == Some(object_type) || several.is_some_and(|types| types.object_types.contains(&object_type))
}

fn in_groups(wanted: Option<&ObjectGroups>, attributes: &AttributeSet) -> bool {
    let is_wanted = |group: &str| wanted.is_some_and(|wanted| wanted.object_groups.iter().any(|one| one == group));
    wanted.is_none() || attributes.groups().any(is_wanted)
}

/// Whether attributes have the values that a constraint names, of each attribute one of them.
fn keeps(constraint: &Constraint, attributes: &AttributeSet) -> bool {
    let named: Vec<&Attribute> = constraint.attributes.iter().flat_map(|named| named.iter()).collect();
    named.iter().all(|one| {
        let reference = one.reference();
        let mut own = attributes.of(&reference).map(|instance| &instance.attribute);
        own.any(|own| named.iter().any(|permitted| is_within(own, permitted)))
    })
}

fn is_within(own: &Attribute, permitted: &Attribute) -> bool {
    match (own, permitted) {
        (Attribute::CryptographicUsageMask(own), Attribute::CryptographicUsageMask(widest)) => own.0 & !widest.0 == 0,
        _ => own == permitted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{CryptographicAlgorithm, CryptographicUsageMask, ObjectTypes};

    fn groups(names: &[&str]) -> Option<ObjectGroups> {
        let object_groups = names.iter().map(|name| (*name).to_owned()).collect();
        Some(ObjectGroups { object_groups })
    }

    fn set(attributes: &[Attribute]) -> AttributeSet {
        let mut set = AttributeSet::default();
        for one in attributes {
            set.add(one.clone());
        }
        set
    }

    fn aes(length: i32) -> Vec<Attribute> {
        vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(length),
        ]
    }

    fn constraint(named: Option<&[&str]>, attributes: Vec<Attribute>) -> Constraint {
        Constraint {
            object_types: Some(ObjectTypes {
                object_types: vec![ObjectType::SymmetricKey],
            }),
            object_groups: named.and_then(groups),
            attributes: Some(attributes.into_iter().collect()),
        }
    }

    fn sample() -> Standards {
        let defaults = |named: Option<&[&str]>, length| ObjectDefaults {
            object_type: Some(ObjectType::SymmetricKey),
            object_types: None,
            attributes: aes(length).into_iter().collect(),
            object_groups: named.and_then(groups),
        };
        Standards {
            defaults: DefaultsInformation {
                object_defaults: vec![defaults(None, 128), defaults(Some(&["a"]), 256)],
            },
            constraints: Constraints {
                constraints: vec![constraint(Some(&["a"]), aes(256)), constraint(None, aes(192))],
            },
        }
    }

    #[test]
    fn the_record_reads_back() {
        let standards = sample();
        assert!(Standards::decode(&standards.encode()).is_ok_and(|read| read == standards));
        assert!(Standards::decode(&[1, 2, 3]).is_err());
    }

    #[test]
    fn what_is_left_out_comes_from_the_group_first() {
        let standards = sample();
        let length = |given: &[Attribute], object_type| {
            let mut set = set(given);
            standards.complete(object_type, &mut set, |_| true);
            set.length()
        };
        assert_eq!(length(&[], ObjectType::SymmetricKey), Some(128));
        let group = Attribute::ObjectGroup("a".into());
        assert_eq!(
            length(core::slice::from_ref(&group), ObjectType::SymmetricKey),
            Some(256)
        );
        let given = [group, Attribute::CryptographicLength(192)];
        assert_eq!(length(&given, ObjectType::SymmetricKey), Some(192));
        assert_eq!(length(&[], ObjectType::PrivateKey), None);
    }

    #[test]
    fn one_of_the_narrowest_constraints_is_kept() {
        let standards = sample();
        let permitted = |length, group: Option<&str>, object_type| {
            let mut attributes = aes(length);
            attributes.extend(group.map(|group| Attribute::ObjectGroup(group.into())));
            standards.permit(object_type, &set(&attributes))
        };
        let key = ObjectType::SymmetricKey;
        assert!(permitted(256, Some("a"), key) && !permitted(192, Some("a"), key));
        assert!(permitted(192, Some("b"), key) && permitted(192, None, key) && !permitted(256, None, key));
        assert!(permitted(512, None, ObjectType::SecretData));
    }

    #[test]
    fn several_values_are_alternatives_and_a_mask_is_the_widest() {
        let mut attributes = aes(128);
        attributes.push(Attribute::CryptographicLength(256));
        let mask = CryptographicUsageMask::Encrypt;
        attributes.push(Attribute::CryptographicUsageMask(mask));
        let standards = Standards {
            constraints: Constraints {
                constraints: vec![constraint(None, attributes)],
            },
            ..Standards::default()
        };
        let permitted = |length, mask| {
            let mut attributes = aes(length);
            attributes.push(Attribute::CryptographicUsageMask(mask));
            standards.permit(ObjectType::SymmetricKey, &set(&attributes))
        };
        assert!(permitted(128, mask) && permitted(256, CryptographicUsageMask::NONE));
        assert!(!permitted(192, mask) && !permitted(256, CryptographicUsageMask::Decrypt));
    }
}
