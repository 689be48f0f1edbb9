//! Numbers and names against the specification's own tables, where they are at hand.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod reference;

use kmip_protocol::{Amount, AttributeKind, Version, enumerations, names, tag};
use kmip_ttlv::Tag;
use serde_json::Value;
use std::collections::BTreeMap;

/// Spelled differently in one version's table than in the row, on purpose.
const SPELLINGS: &[(&str, &str)] = &[
    ("Polynomial Sharing GF(216)", "PolynomialSharingGF2_16"),
    ("Polynomial Sharing GF (216)", "PolynomialSharingGF2_16"),
    ("Polynomial Sharing GF (28)", "PolynomialSharingGF2_8"),
];

#[test]
fn tags_are_those_of_the_tables() {
    let Some(tables) = reference::tables() else { return };
    for version in Version::ALL {
        let rows = tables[version.to_string()]["tags"].as_object().unwrap();
        for (name, number) in rows {
            let number = Tag(hex(number));
            assert_eq!(tag::specification_name(number), Some(name.as_str()));
            assert_eq!(tag::name(number), Some(reference::normalise(name).as_str()));
            assert_eq!(tag::from_name(&reference::normalise(name)), Some(number));
            assert!(tag::versions(number).unwrap().include(version), "{name} in {version}");
        }
        let ours = tag::ALL
            .iter()
            .filter(|t| !t.is_extension() && tag::versions(**t).unwrap().include(version));
        assert_eq!(ours.count(), rows.len(), "number of tags in {version}");
    }
}

#[test]
fn enumerations_are_those_of_the_tables() {
    let Some(tables) = reference::tables() else { return };
    for version in Version::ALL {
        for kind in ["enums", "masks"] {
            for (name, rows) in tables[version.to_string()][kind].as_object().unwrap() {
                let type_name = match name.as_str() {
                    "Unique Identifier" => "UniqueIdentifierKind".to_owned(),
                    "Data" => "DataKind".to_owned(),
                    other => reference::normalise(other),
                };
                let ours = enumerations::ENUMERATIONS
                    .iter()
                    .find(|e| e.type_name == type_name)
                    .expect(name);
                assert_eq!(ours.is_mask, kind == "masks");
                let rows = rows.as_object().unwrap();
                let known: BTreeMap<u32, _> = ours
                    .rows
                    .iter()
                    .filter(|(value, v)| v.include(version) && (ours.is_mask || *value < 0x8000_0000))
                    .copied()
                    .collect();
                assert_eq!(known.len(), rows.len(), "{name} in {version}");
                for (value_name, number) in rows {
                    let value_name = value_name.trim_start_matches('(');
                    assert!(known.contains_key(&hex(number)), "{name} {value_name} in {version}");
                    let spelling = SPELLINGS.iter().find(|(table, _)| *table == value_name);
                    let word = spelling.map_or_else(|| reference::normalise(value_name), |(_, row)| (*row).to_owned());
                    assert_eq!((ours.value)(&word), Some(hex(number)), "{name} {word}");
                }
            }
        }
    }
}

#[test]
fn rows_are_in_order_and_spelled_once() {
    assert!(tag::ALL.is_sorted());
    for names in enumerations::ENUMERATIONS {
        assert!(names.rows.iter().is_sorted_by(|a, b| a.0 < b.0), "{}", names.type_name);
        for (value, _) in names.rows {
            let name = (names.name)(*value).unwrap();
            assert_eq!((names.value)(name), Some(*value));
        }
        assert!(names::of_tag(names.tag).is_some_and(|found| found.type_name == names.type_name));
    }
}

fn hex(number: &Value) -> u32 {
    u32::from_str_radix(number.as_str().unwrap(), 16).unwrap()
}

/// Tables that are no attribute of their own: attributes outside the specification, and many attributes in one table.
const NOT_ATTRIBUTES: &[&str] = &["Custom Attribute", "Vendor Attribute", "Certificate Attributes"];

#[test]
fn attributes_have_the_rules_of_their_newest_table() {
    let Some(tables) = reference::tables() else { return };
    let mut newest = BTreeMap::new();
    for version in Version::ALL {
        let rows = tables[version.to_string()]["attributes"].as_object().unwrap();
        for (name, row) in rows.iter().filter(|(name, _)| !NOT_ATTRIBUTES.contains(&name.as_str())) {
            let kind = AttributeKind::from_name(name).expect(name);
            assert!(kind.rules().versions.include(version), "{name} in {version}");
            newest.insert(kind, row["rules"].clone());
        }
        let ours = AttributeKind::ALL
            .iter()
            .filter(|k| k.rules().versions.include(version));
        let in_one_table = ours
            .clone()
            .filter(|k| k.name().starts_with("Certificate Subject "))
            .count()
            + ours
                .clone()
                .filter(|k| k.name().starts_with("Certificate Issuer "))
                .count();
        let tables_of_others = rows
            .keys()
            .filter(|name| NOT_ATTRIBUTES.contains(&name.as_str()))
            .count();
        assert_eq!(
            ours.count() - in_one_table,
            rows.len() - tables_of_others,
            "attributes in {version}"
        );
    }
    for (kind, table) in newest {
        let says = |column: &str| table[column].as_str().unwrap_or_default().to_lowercase();
        let yes = |column: &str| says(column).starts_with("yes");
        let rules = kind.rules();
        assert_eq!(
            rules.amount == Amount::Many,
            yes("Multiple instances permitted"),
            "{kind:?}"
        );
        assert_eq!(rules.always, yes("SHALL always have a value"), "{kind:?}");
        assert_eq!(
            rules.set_by.client(),
            says("Initially set by").contains("client"),
            "{kind:?}"
        );
        assert_eq!(
            rules.set_by.server(),
            says("Initially set by").contains("server"),
            "{kind:?}"
        );
        assert_eq!(rules.modified_by.server(), yes("Modifiable by server"), "{kind:?}");
        assert_eq!(rules.modified_by.client(), yes("Modifiable by client"), "{kind:?}");
        assert_eq!(rules.deleted_by.client(), yes("Deletable by client"), "{kind:?}");
        assert!(!rules.deleted_by.server(), "{kind:?}");
    }
}
