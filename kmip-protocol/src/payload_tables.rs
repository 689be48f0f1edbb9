//! Payloads against the specification's own tables, where they are at hand.

use crate::sample::Maker;
use crate::*;
use kmip_ttlv::{Reader, Tag, Writer};
use serde_json::Value;
use std::path::PathBuf;

/// Where rows say something else than the table on purpose: operation, request or response, field.
const DIFFERENCES: &[(&str, &str, Tag)] = &[
    // Clients send it from 1.0 on.
    ("Locate", "request", tag::OFFSET_ITEMS),
    // One vendor's firewalls wrap the attributes so.
    ("Locate", "request", tag::TEMPLATE_ATTRIBUTE),
    // Published cases return it; the table is empty.
    ("Process", "response", tag::ASYNCHRONOUS_CORRELATION_VALUE),
];

#[test]
fn payloads_have_the_fields_of_the_tables() {
    let shared = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("kmip/tables/SPEC_TABLES.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no reference data at {} (set CLAVIGER_SHARED)", path.display());
        return;
    };
    let tables: Value = serde_json::from_str(&text).unwrap();
    let mut faults = Vec::new();
    for version in Version::ALL {
        let operations = tables[version.to_string()]["operations"].as_object().unwrap();
        let maker = &mut Maker::new(version, true, 3);
        for payload in RequestPayload::samples(maker) {
            compare(
                operations,
                payload.operation(),
                "request",
                version,
                |w| payload.write(w, version),
                &mut faults,
            );
        }
        for payload in ResponsePayload::samples(maker) {
            compare(
                operations,
                payload.operation(),
                "response",
                version,
                |w| payload.write(w, version),
                &mut faults,
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn compare(
    operations: &serde_json::Map<String, Value>,
    operation: Operation,
    side: &str,
    version: Version,
    write: impl FnOnce(&mut Writer),
    faults: &mut Vec<String>,
) {
    let found = operations.iter().find(|(name, _)| {
        let plain: String = name.replace(" (server to client)", "");
        let alone = name.contains("(server to client)") == matches!(operation, Operation::Notify | Operation::Put);
        alone && enumerations_name(&plain) == operation.name()
    });
    let Some((name, table)) = found else {
        if operation.is_known_in(version) {
            faults.push(format!("{operation}: no table in {version}"));
        }
        return;
    };
    let fields = table[side].as_array().map(Vec::as_slice).unwrap_or_default();
    let expected: Vec<Option<Tag>> = fields.iter().map(|f| tag_of(f[0].as_str().unwrap())).collect();
    let mut writer = Writer::new();
    write(&mut writer);
    let mut written = Vec::new();
    let mut reader = Reader::new(writer.as_bytes());
    while let Some(found) = reader.peek() {
        reader.skip().unwrap();
        let object = ObjectType::ALL.iter().any(|t| t.name() == tag::name(found));
        let own = expected.contains(&Some(found));
        written.push((!object || own).then_some(found));
    }
    written.dedup();
    written.retain(|found| {
        let differs = |f: &Tag| DIFFERENCES.contains(&(operation.name().unwrap_or_default(), side, *f));
        expected.contains(found) || !found.as_ref().is_some_and(differs)
    });
    if written != expected {
        faults.push(format!(
            "{name} {side} in {version}: {:?} for {:?}",
            names(&written),
            names(&expected)
        ));
    }
}

fn enumerations_name(name: &str) -> Option<&'static str> {
    let squeezed = |text: &str| text.to_lowercase().replace([' ', '-', '#', '_'], "");
    Operation::ALL
        .iter()
        .filter_map(|o| o.name())
        .find(|o| squeezed(o) == squeezed(name))
}

/// The tag of a field in a table; none for "any object".
fn tag_of(field: &str) -> Option<Tag> {
    let name = field.split(", see").next().unwrap_or_default();
    tag::from_specification_name(name)
}

fn names(tags: &[Option<Tag>]) -> Vec<&'static str> {
    tags.iter().map(|t| t.and_then(tag::name).unwrap_or("OBJECT")).collect()
}
