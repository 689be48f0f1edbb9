//! `docs/OPERATIONS.md`, from the rows: operations, who may, payloads, what is told of failures, alarms. The test fails when the
//! document is not what the rows say; with `CLAVIGER_UPDATE_DOCUMENTS=1` it writes it.

use super::coverage::{COVERAGE, Coverage};
use super::services::Limits;
use super::{CARRIED_OUT, create_split_key, derive_key, import, unprovoked};
use crate::audit::alarm::Event;
use crate::authority::permission::{Needed, PERMISSIONS, Permission, Who, permission};
use crate::failure::Fault;
use kmip_protocol::{FieldRow, OPERATIONS, ObjectType, Occurrence, Operation, PersonRole, Version, extensions, tag};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The families of vendor operations, by the third byte of their numbers.
const FAMILIES: &[(u32, &str)] = &[
    (0x00, "Proposals"),
    (0x01, "Policies and groups"),
    (0x02, "People"),
    (0x03, "Tenants"),
    (0x04, "HSM-Profiles"),
    (0x05, "KEKs"),
    (0x06, "Clients"),
    (0x07, "Namespaces and objects"),
    (0x09, "The server"),
];

fn who(row: Permission) -> String {
    let mut names: Vec<&str> = row.roles().filter_map(PersonRole::name).collect();
    names.extend(row.who.meets(Who::CLIENT).then_some("Client"));
    names.extend(
        row.who
            .meets(Who::STRANGER)
            .then_some("anybody whose certificate is accepted"),
    );
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}

const fn session(row: Permission) -> &'static str {
    match row.session {
        Needed::Certificate => "certificate",
        Needed::Initial => "logged in, be it with an initial password",
        Needed::Full => "logged in with both factors",
    }
}

fn first_version(operation: Operation) -> String {
    let versions = Version::ALL.into_iter().find(|v| operation.is_spoken_in(*v));
    versions.map_or_else(String::new, |v| v.to_string())
}

fn carried_out(operation: Operation) -> bool {
    CARRIED_OUT.contains(&operation)
}

/// What the server asks of clients.
const SENT: [Operation; 2] = [Operation::Notify, Operation::Put];

/// The limits that remarks name.
fn limits() -> Vec<(&'static str, usize)> {
    let limits = Limits::default();
    let number = |number: i32| usize::try_from(number).unwrap();
    vec![
        ("{attributes}", limits.attributes),
        ("{bases}", limits.bases),
        ("{derived}", derive_key::LONGEST),
        ("{examined}", limits.examined),
        ("{identifier}", import::LONGEST_IDENTIFIER),
        ("{located}", limits.located),
        ("{parts}", number(create_split_key::MOST_PARTS)),
        ("{patterns}", limits.patterns),
        ("{prime}", number(crate::crypto::split::MOST_PRIME)),
        ("{random}", limits.random_bytes),
        ("{rounds}", number(crate::crypto::derive::MOST_ITERATIONS)),
        ("{words}", limits.log_bytes),
    ]
}

/// A number as it is read: 20,000,000.
fn in_thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

/// A remark with its numbers.
fn remark(row: &Coverage) -> String {
    let words = match row.remark {
        "" if !carried_out(row.operation) => "Not carried out.",
        words => words,
    };
    let limits = limits().into_iter();
    let told = limits.fold(words.to_owned(), |told, (name, limit)| {
        told.replace(name, &in_thousands(limit))
    });
    assert!(!told.contains('{'), "{told}");
    told
}

fn fields(text: &mut String, rows: &[FieldRow], depth: usize) {
    for row in rows {
        let Some((number, _)) = row.tags.last() else { continue };
        let name = tag::name(*number).unwrap_or(row.name);
        let kind = match (row.item_type, row.values) {
            (Some(kind), Some(values)) if values != name => format!("{kind} {values}"),
            (Some(kind), _) => kind.to_string(),
            (None, _) => "any type".to_owned(),
        };
        let times = match row.occurrence {
            Occurrence::One => "",
            Occurrence::Optional => ", may be absent",
            Occurrence::Many => ", any number",
        };
        let indent = "  ".repeat(depth);
        writeln!(text, "{indent}- `{name}` {number}: {kind}{times}").unwrap();
        // What a standard structure holds is the specification's to say.
        if number.is_extension() {
            fields(text, row.fields, depth + 1);
        }
    }
}

fn payload(text: &mut String, title: &str, rows: &[FieldRow]) {
    if rows.is_empty() {
        writeln!(text, "{title}: empty.\n").unwrap();
        return;
    }
    writeln!(text, "{title}:\n").unwrap();
    fields(text, rows, 0);
    text.push('\n');
}

/// Operations by version, by the objects that they act upon, with limits and deviations.
fn covered(text: &mut String) {
    let versions = Version::ALL.map(|version| version.to_string());
    writeln!(text, "\n### By version and object\n").unwrap();
    text.push_str(
        "Whatever acts upon the objects of a client acts upon all that are named, in every version that has operation and object; what\n\
         makes objects, makes those. Key Format Types, wrapping and algorithms are those of Query's Capability Information.\n\n",
    );
    writeln!(
        text,
        "| operation | {} | objects | limits and deviations |",
        versions.join(" | ")
    )
    .unwrap();
    writeln!(text, "|---|{}---|---|", "---|".repeat(versions.len())).unwrap();
    for row in COVERAGE {
        let operation = row.operation;
        let done = carried_out(operation) || SENT.contains(&operation);
        let spoken = Version::ALL.map(|version| {
            if done && operation.is_spoken_in(version) {
                "yes"
            } else {
                ""
            }
        });
        let objects: Vec<String> = row.object_types.iter().map(ToString::to_string).collect();
        let objects = if objects.len() >= 9 && !row.object_types.contains(&ObjectType::Template) {
            "all but Template".to_owned()
        } else if objects.len() >= 9 {
            "all".to_owned()
        } else {
            objects.join(", ")
        };
        let remark = remark(row);
        writeln!(text, "| {operation} | {} | {objects} | {remark} |", spoken.join(" | ")).unwrap();
    }
}

fn document() -> String {
    let mut text = String::from(
        "# Operations\n\n\
         Generated from the rows of the tables (`src/operations/document.rs`); do not edit. Numbers of ours are never changed and never\n\
         used again (`kmip-protocol/tests/golden/extensions.txt`). Payloads are those of version 2.1.\n\n\
         In XML and JSON our tags are written `<TTLV tag=\"0x54nnnn\" name=\"…\">`, and values of our enumerations and operations as\n\
         numbers; names are read as well.\n\n\
         ## Standard operations\n\n\
         | operation | number | from | who may | session of people | carried out |\n|---|---|---|---|---|---|\n",
    );
    for operation in OPERATIONS.iter().copied().filter(|o| o.0 < 0x8000_0000) {
        let row = permission(operation).unwrap();
        let people = if row.roles().next().is_some() { session(row) } else { "" };
        let done = match operation {
            _ if carried_out(operation) => "yes",
            _ if SENT.contains(&operation) => "sent",
            _ => "no",
        };
        let version = first_version(operation);
        writeln!(
            text,
            "| {operation} | 0x{:02X} | {version} | {} | {people} | {done} |",
            operation.0,
            who(row)
        )
        .unwrap();
    }
    covered(&mut text);
    text.push_str(
        "\n## Vendor operations\n\n\
         Whoever may not ask is told `Permission Denied`; whoever has not logged in, `Authentication Not Successful`. That others must\n\
         agree besides is the policy's: see `ADMINISTRATION.md`. Query Operations tells each exactly what it may use.\n",
    );
    for (family, title) in FAMILIES {
        writeln!(text, "\n### {title}\n").unwrap();
        for operation in OPERATIONS.iter().copied().filter(|o| o.0 >> 8 == 0x0080_0100 + family) {
            let row = permission(operation).unwrap();
            let done = if carried_out(operation) {
                ""
            } else {
                " Not carried out yet."
            };
            writeln!(text, "#### {operation} `0x{:08X}`\n", operation.0).unwrap();
            writeln!(text, "{}; {}.{done}\n", who(row), session(row)).unwrap();
            let (request, response) = operation.fields().unwrap();
            payload(&mut text, "Request", request);
            payload(&mut text, "Answer", response);
        }
    }
    text.push_str(
        "## Tags\n\nAs Query's Extension Map tells them.\n\n| tag | name | type | values |\n|---|---|---|---|\n",
    );
    for one in extensions() {
        let values = one.description.unwrap_or_default();
        writeln!(text, "| {} | {} | {} | {values} |", one.tag, one.name, one.item_type).unwrap();
    }
    text.push_str("\n## What is told of failures\n\n| reason | message |\n|---|---|\n");
    for fault in Fault::ALL {
        writeln!(text, "| {} | {} |", fault.newest_reason(), fault.message()).unwrap();
    }
    text.push_str(
        "\n### Reasons of the specification's tables that are not given\n\n| operation | reason | why |\n|---|---|---|\n",
    );
    for (reason, why) in unprovoked::OF_ALL {
        writeln!(text, "| all | {reason} | {why} |").unwrap();
    }
    for (operation, reason, why) in unprovoked::OF_ONE {
        writeln!(text, "| {operation} | {reason} | {why} |").unwrap();
    }
    text.push_str(
        "\nOf the tables up to 1.4, which say what is wrong:\n\n| operation | what is wrong | why it is not told so |\n|---|---|---|\n",
    );
    for (operation, mistake, why) in unprovoked::OF_OLDER {
        writeln!(text, "| {operation} | … {mistake} … | {why} |").unwrap();
    }
    text.push_str(
        "\n## Alarms\n\nThe log and a counter carry each; the system's log too, if `log.system` is set.\n\n\
         | event | number in the trail | severity | in the change trail | what it says |\n|---|---|---|---|---|\n",
    );
    for event in Event::ALL {
        let trail = if event.in_trail() { "yes" } else { "no" };
        let (name, number) = (event.name(), event.number());
        writeln!(
            text,
            "| {name} | 0x{number:08X} | {} | {trail} | {} |",
            event.severity(),
            event.text()
        )
        .unwrap();
    }
    text
}

#[test]
fn the_document_is_what_the_rows_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md");
    let now = document();
    if std::env::var_os("CLAVIGER_UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == now,
        "docs/OPERATIONS.md is old: run this test with CLAVIGER_UPDATE_DOCUMENTS=1"
    );
}

#[test]
fn every_limit_is_named_by_a_remark() {
    for (name, _) in limits() {
        assert!(COVERAGE.iter().any(|row| row.remark.contains(name)), "{name}");
    }
}

#[test]
fn every_operation_is_in_the_document() {
    let text = document();
    assert_eq!(PERMISSIONS.len(), OPERATIONS.len());
    let standard = OPERATIONS.iter().filter(|operation| operation.0 < 0x8000_0000);
    let covered: Vec<Operation> = COVERAGE.iter().map(|row| row.operation).collect();
    assert!(standard.eq(&covered), "{covered:?}");
    for operation in OPERATIONS {
        assert!(text.contains(&format!(" {operation} ")), "{operation}");
    }
}
