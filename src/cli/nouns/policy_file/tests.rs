//! Policies are read as they were written, in each form; what is wrong in a file is told where it is.

use super::*;
use crate::authority::quorum::{Scope, template};
use kmip_ttlv::Writer;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A file with every field that is not said left out, and one of each.
const SHORT: &str = r#"
seasoning = "24h"
fewest-people = 3

[[rule]]
name = "destroy"
match = { operations = ["Destroy", "revoke"], object-types = ["symmetric-key"], names = ["prod-*"] }
alternative = [
    { groups = ["2 of operators", "1 of custodians"] },
    { groups = ["1 of the owners of keys"], timelock = "72h", alarm = "critical" },
]
"#;

#[test]
fn a_short_file_means_the_safest() {
    let policy = from_toml(SHORT).unwrap();
    assert_eq!(
        (policy.seasoning, policy.margin, policy.fewest_operators),
        (Interval(86_400), 0, 3)
    );
    let rule = &policy.rules[0];
    assert_eq!(rule.rule_match.operations, [Operation::Destroy, Operation::Revoke]);
    assert_eq!(rule.rule_match.object_types, [ObjectType::SymmetricKey]);
    assert!(!rule.requester_counts && rule.exclude_subject && !rule.reason_required);
    assert_eq!((rule.proof, rule.veto), (Proof::Signature, Veto::Any));
    assert_eq!(
        (rule.bind_target, rule.completion),
        (BindTarget::Exact, Completion::Manual)
    );
    let [both, late] = rule.alternatives.as_slice() else {
        panic!("not two")
    };
    assert_eq!((both.groups.len(), both.groups[0].quorum), (2, 2));
    assert_eq!(late.groups[0].group_name, "the owners of keys");
    assert_eq!(
        (late.timelock, late.severity),
        (Interval(72 * 3_600), Some(Severity::Critical))
    );
}

#[test]
fn what_is_wrong_is_told_with_line_and_field() {
    let wrong = |from: &str, to: &str| {
        let text = SHORT.replace(from, to);
        assert_ne!(text, SHORT);
        from_toml(&text).unwrap_err()
    };
    let cases = [
        ("seasoning = \"24h\"", "seasoning = \"a day\"", "line 2", "seasoning"),
        ("fewest-people = 3", "fewest-people = \"3\"", "line 3", "fewest-people"),
        ("name = \"destroy\"", "nam = \"destroy\"", "line 6", "nam"),
        ("\"revoke\"", "\"revolve\"", "line 7", "revolve is none of"),
        (
            "name = \"destroy\"",
            "name = \"d\"\nproof = \"word\"",
            "line 7",
            "word is none of: Session",
        ),
        ("2 of operators", "operators", "line 9", "2 of operators"),
        ("alarm", "alert", "line 10", "alert"),
    ];
    for (from, to, line, field) in cases {
        let told = wrong(from, to);
        assert!(told.contains(line) && told.contains(field), "{to}: {told}");
    }
    assert!(wrong("fewest-people = 3", "").contains("fewest-people"));
}

#[test]
fn the_templates_are_read_as_they_are_shown_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy");
    for scope in [Scope::System, Scope::Tenant] {
        for of in PolicyTemplate::ALL {
            let policy = template(*of, scope);
            let mut writer = Writer::new();
            policy.write_item(&mut writer, tag::POLICY, Version::NEWEST);
            let xml = kmip_ttlv::xml::from_ttlv(writer.as_bytes(), &KmipVocabulary).unwrap();
            let json = kmip_ttlv::json::from_ttlv(writer.as_bytes(), &KmipVocabulary).unwrap();
            let toml = to_toml(&policy).unwrap();
            for text in [xml.as_bytes(), json.as_bytes(), toml.as_bytes()] {
                std::fs::write(&file, text).unwrap();
                assert!(read(&file).unwrap() == policy, "{of} {}", String::from_utf8_lossy(text));
            }
        }
    }
    std::fs::write(&file, "<Policy/>").unwrap();
    assert!(read(&file).is_err());
}

fn number(most: usize) -> impl Strategy<Value = u32> {
    // One beyond: a value that this program has no name for.
    1..=u32::try_from(most).unwrap() + 1
}

fn spans() -> impl Strategy<Value = Interval> {
    prop_oneof![Just(0), Just(90), Just(3_600), Just(7 * 86_400), any::<u32>()].prop_map(Interval)
}

fn alternatives() -> impl Strategy<Value = RuleAlternative> {
    let group = (any::<i32>(), ".{0,12}").prop_map(|(quorum, group_name)| RuleGroup { group_name, quorum });
    (spans(), option::of(number(Severity::ALL.len())), vec(group, 0..3)).prop_map(|(timelock, severity, groups)| {
        RuleAlternative {
            timelock,
            severity: severity.map(Severity),
            groups,
        }
    })
}

prop_compose! {
    fn matches()(
        operations in vec(prop_oneof![Just(Operation::Destroy), Just(Operation::PersonCreate), any::<u32>().prop_map(Operation)], 0..4),
        object_types in vec(number(ObjectType::ALL.len()).prop_map(ObjectType), 0..3),
        object_groups in vec(".{0,9}", 0..2),
        object_names in vec(".{0,9}", 0..2),
        application_namespaces in vec(".{0,9}", 0..2),
        unique_identifiers in vec(".{0,9}", 0..2),
        person_roles in vec(number(PersonRole::ALL.len()).prop_map(PersonRole), 0..3),
        reaches_objects in option::of(any::<bool>()),
    ) -> RuleMatch {
        RuleMatch {
            operations, object_types, object_groups, object_names, application_namespaces, unique_identifiers, person_roles,
            reaches_objects,
        }
    }
}

prop_compose! {
    fn rules()(
        rule_name in ".{0,12}",
        rule_match in matches(),
        flags in any::<[bool; 3]>(),
        proof in number(Proof::ALL.len()),
        veto in number(Veto::ALL.len()),
        bind_target in number(BindTarget::ALL.len()),
        completion in number(Completion::ALL.len()),
        approve_ttl in spans(),
        execute_ttl in spans(),
        alternatives in vec(alternatives(), 0..3),
    ) -> Rule {
        Rule {
            rule_name,
            rule_match,
            reason_required: flags[0],
            requester_counts: flags[1],
            exclude_subject: flags[2],
            proof: Proof(proof),
            veto: Veto(veto),
            bind_target: BindTarget(bind_target),
            completion: Completion(completion),
            approve_ttl,
            execute_ttl,
            alternatives,
        }
    }
}

proptest! {
    #[test]
    fn toml_loses_nothing(
        policy_template in option::of(number(PolicyTemplate::ALL.len()).prop_map(PolicyTemplate)),
        seasoning in spans(),
        margin in any::<i32>(),
        fewest_operators in any::<i32>(),
        rules in vec(rules(), 0..3),
        separated in any::<bool>(),
    ) {
        let separation_required = separated.then_some(true);
        let policy = Policy { policy_template, seasoning, margin, fewest_operators, rules, separation_required };
        let text = to_toml(&policy).unwrap();
        prop_assert_eq!(from_toml(&text).unwrap(), policy, "{}", text);
    }
}

#[test]
fn the_example_of_the_documentation_is_a_policy() {
    let text = include_str!("../../../../docs/QUORUM.md");
    let (_, from) = text.split_once("```toml\n").unwrap();
    let (example, _) = from.split_once("```").unwrap();
    let policy = from_toml(example).unwrap();
    assert_eq!(policy.rules.len(), 4);
    assert_eq!(policy.rules[3].alternatives.len(), 2);
    // It governs the floor, of which the template without anything else consists.
    let floor = &template(PolicyTemplate::Off, Scope::Tenant).rules[0]
        .rule_match
        .operations;
    let governed: Vec<_> = policy
        .rules
        .iter()
        .flat_map(|rule| &rule.rule_match.operations)
        .collect();
    assert!(floor.iter().all(|operation| governed.contains(&operation)));
    // What it says is what is taken if it is left out.
    assert_eq!(
        (policy.rules[0].proof, policy.rules[0].veto),
        (Proof::Signature, policy.rules[3].veto)
    );
    assert_eq!(policy.rules[0].approve_ttl, policy.rules[3].approve_ttl);
    assert_eq!(policy.rules[0].execute_ttl, policy.rules[3].execute_ttl);
}
