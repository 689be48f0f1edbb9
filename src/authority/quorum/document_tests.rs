//! What `docs/QUORUM.md` says of the floor and of the templates, against the rows.

use super::template::{FLOOR, SYSTEM_FLOOR};
use super::{Scope, template};
use kmip_protocol::{Operation, PolicyTemplate};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/QUORUM.md");

type Names = BTreeSet<String>;

/// What stands between two phrases of the document.
fn between(begin: &str, end: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

/// The operations that are named there.
fn named(text: &str) -> Names {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

fn names<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Names {
    operations.into_iter().map(ToString::to_string).collect()
}

#[test]
fn the_floor_is_what_the_document_says() {
    assert_eq!(named(between("- in every policy:", ";\n- ")), names(FLOOR));
    let besides = between("- in the system's policy besides:", "\n\n");
    assert_eq!(named(besides), names(SYSTEM_FLOOR));
}

#[test]
fn templates_govern_what_the_document_says_beside_the_floor() {
    let mut told = Names::new();
    for (kind, row) in [
        (PolicyTemplate::Mtg, "| `mtg` |"),
        (PolicyTemplate::Strict, "| `strict` |"),
    ] {
        let policies = [Scope::System, Scope::Tenant].map(|scope| template(kind, scope));
        let rules = policies.iter().flat_map(|policy| &policy.rules);
        let governed = names(rules.flat_map(|rule| &rule.rule_match.operations));
        let floor = names(FLOOR.iter().chain(SYSTEM_FLOOR));
        // `strict` governs all that `mtg` does.
        told.extend(named(between(row, " |\n")));
        assert_eq!(told, governed.difference(&floor).cloned().collect(), "{row}");
    }
}
