//! Our own extensions: their numbers are kept for ever, and texts that hold them are read by anybody.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use kmip_protocol::{
    Item, KmipVocabulary, Operation, PersonRole, PolicyPutRequest, ProposalState, RequestMessage, Severity, Structure,
    Version, enumerations, tag,
};
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Reader, Scope, Tag, Vocabulary, Writer, json, xml};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Where the numbers are kept.
fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/extensions.txt")
}

/// Every number of ours, as `kind number name`, sorted by kind and number.
fn numbers() -> Vec<String> {
    let mut lines = Vec::new();
    for tag in tag::extension::ALL {
        lines.push(format!("tag {tag} {}", tag::name(*tag).unwrap()));
    }
    for names in enumerations::ENUMERATIONS {
        let ours = names.tag.is_extension();
        for (value, _) in names.rows {
            let name = (names.name)(*value).unwrap();
            if ours {
                lines.push(format!("value {} 0x{value:08X} {name}", names.type_name));
            } else if *value >= 0x8000_0000 {
                lines.push(format!("extension {} 0x{value:08X} {name}", names.type_name));
            }
        }
    }
    lines.sort();
    lines
}

/// What of the kept numbers is not as it was: a line that changed or went.
fn lost(kept: &str, now: &[String]) -> Vec<String> {
    let kept = kept.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    kept.filter(|line| !now.iter().any(|n| n == line))
        .map(str::to_owned)
        .collect()
}

/// New rows are added to the file by running this test with `CLAVIGER_UPDATE_GOLDEN=1`; no line of it is ever changed.
#[test]
fn no_number_of_ours_ever_changes() {
    let kept = std::fs::read_to_string(golden()).unwrap_or_default();
    let now = numbers();
    assert_eq!(
        lost(&kept, &now),
        Vec::<String>::new(),
        "numbers changed or disappeared"
    );
    let mut text = String::from("# Numbers of our own extensions. Append-only: see tests/extensions.rs.\n");
    for line in &now {
        writeln!(text, "{line}").unwrap();
    }
    if std::env::var_os("CLAVIGER_UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), text).unwrap();
    } else {
        assert!(kept == text, "new rows: run this test with CLAVIGER_UPDATE_GOLDEN=1");
    }
}

/// The canary: a number that changes, and a row that goes, are seen.
#[test]
fn a_changed_number_is_seen() {
    let now = numbers();
    let mut kept = now.join("\n");
    assert!(lost(&kept, &now).is_empty());
    kept.push_str("\ntag 0x540001 AnotherName\n");
    assert_eq!(lost(&kept, &now), ["tag 0x540001 AnotherName"]);
    assert_eq!(lost(&now[0], &now[1..]), [now[0].clone()]);
}

/// An item in TTLV, by what writes it.
fn ttlv(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.into_bytes()
}

fn xml_of(item: &[u8]) -> String {
    xml::from_ttlv_compact(item, &KmipVocabulary).unwrap().to_string()
}

fn json_of(item: &[u8]) -> String {
    json::from_ttlv_compact(item, &KmipVocabulary).unwrap().to_string()
}

/// KMIP Additional Message Encodings: a tag that the specification does not name is written as a number; so is an enumeration value
/// of the extension range. The values of an enumeration of ours stand under a tag of ours: without our vocabulary nobody can give a
/// number to their names, so they are numbers as well.
#[test]
fn extensions_are_written_so_that_anybody_reads_them() {
    let role = ttlv(|w| PersonRole::Operator.write_item(w, tag::PERSON_ROLE, Version::NEWEST));
    assert_eq!(
        xml_of(&role),
        r#"<TTLV tag="0x540003" name="PersonRole" type="Enumeration" value="0x00000003"/>"#
    );
    assert_eq!(
        json_of(&role),
        r#"{"tag":"0x540003","name":"PersonRole","type":"Enumeration","value":"0x00000003"}"#
    );
    let operation = ttlv(|w| Operation::TenantCreate.write_item(w, tag::OPERATION, Version::NEWEST));
    assert_eq!(
        xml_of(&operation),
        r#"<Operation type="Enumeration" value="0x80010301"/>"#
    );
    assert_eq!(
        json_of(&operation),
        r#"{"tag":"Operation","type":"Enumeration","value":"0x80010301"}"#
    );
}

#[test]
fn our_names_are_read() {
    let role = ttlv(|w| PersonRole::Operator.write_item(w, tag::PERSON_ROLE, Version::NEWEST));
    let operation = ttlv(|w| Operation::TenantCreate.write_item(w, tag::OPERATION, Version::NEWEST));
    let texts = [
        (r#"<PersonRole type="Enumeration" value="Operator"/>"#, &role),
        (r#"<PersonRole type="Enumeration" value="0x00000003"/>"#, &role),
        (r#"<TTLV tag="0x540003" type="Enumeration" value="Operator"/>"#, &role),
        (
            r#"<TTLV tag="0x540003" name="Whatever" type="Enumeration" value="0x3"/>"#,
            &role,
        ),
        (r#"<Operation type="Enumeration" value="TenantCreate"/>"#, &operation),
        (r#"<Operation type="Enumeration" value="0x80010301"/>"#, &operation),
    ];
    for (text, expected) in texts {
        let read = xml::to_ttlv(text, &KmipVocabulary, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert!(*read == **expected, "{text}");
    }
    let texts = [
        (r#"{"tag":"PersonRole","type":"Enumeration","value":"Operator"}"#, &role),
        (r#"{"tag":"0x540003","type":"Enumeration","value":3}"#, &role),
        (
            r#"{"tag":"0x540003","name":"PersonRole","type":"Enumeration","value":"Operator"}"#,
            &role,
        ),
        (
            r#"{"tag":"Operation","type":"Enumeration","value":"TenantCreate"}"#,
            &operation,
        ),
        (
            r#"{"tag":"Operation","type":"Enumeration","value":"0x80010301"}"#,
            &operation,
        ),
    ];
    for (text, expected) in texts {
        let read =
            json::to_ttlv(text, &KmipVocabulary, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert!(*read == **expected, "{text}");
    }
    let unknown = r#"<PersonRole type="Enumeration" value="Emperor"/>"#;
    assert!(xml::to_ttlv(unknown, &KmipVocabulary, TextLimits::default()).is_err());
}

/// Somebody else's vocabulary: the specification's rows, without ours.
struct Foreign;

impl Vocabulary for Foreign {
    fn tag_name(&self, tag: Tag) -> Option<&str> {
        tag::standard::name(tag)
    }
    fn tag_named(&self, name: &str) -> Option<Tag> {
        tag::standard::from_name(name)
    }
    fn value_name(&self, scope: Scope<'_>, value: u32) -> Option<&str> {
        let ours = scope.tag.is_extension() || value >= 0x8000_0000;
        if ours {
            None
        } else {
            KmipVocabulary.value_name(scope, value)
        }
    }
    fn value_named(&self, scope: Scope<'_>, name: &str) -> Option<u32> {
        let value = KmipVocabulary.value_named(scope, name)?;
        let ours = scope.tag.is_extension() || value >= 0x8000_0000;
        if ours { None } else { Some(value) }
    }
    fn is_mask(&self, scope: Scope<'_>) -> bool {
        !scope.tag.is_extension() && KmipVocabulary.is_mask(scope)
    }
    fn is_attribute_name(&self, tag: Tag) -> bool {
        KmipVocabulary.is_attribute_name(tag)
    }
}

/// A policy with every enumeration of ours in it.
fn policy() -> Vec<u8> {
    let text = r#"<RequestPayload><Policy>
        <PolicyTemplate type="Enumeration" value="Strict"/>
        <Seasoning type="Interval" value="86400"/><Margin type="Integer" value="1"/>
        <FewestOperators type="Integer" value="4"/>
        <Rule><RuleName type="TextString" value="people"/>
            <RuleMatch><Operation type="Enumeration" value="PersonCreate"/>
                <ObjectType type="Enumeration" value="SymmetricKey"/>
                <PersonRole type="Enumeration" value="Operator"/></RuleMatch>
            <ReasonRequired type="Boolean" value="true"/><RequesterCounts type="Boolean" value="false"/>
            <ExcludeSubject type="Boolean" value="true"/>
            <Proof type="Enumeration" value="Signature"/><Veto type="Enumeration" value="Any"/>
            <BindTarget type="Enumeration" value="Exact"/><Completion type="Enumeration" value="OnQuorum"/>
            <ApproveTTL type="Interval" value="259200"/><ExecuteTTL type="Interval" value="86400"/>
            <RuleAlternative><Timelock type="Interval" value="0"/><Severity type="Enumeration" value="Critical"/>
                <RuleGroup><GroupName type="TextString" value="operators"/><Quorum type="Integer" value="2"/></RuleGroup>
            </RuleAlternative>
        </Rule>
    </Policy></RequestPayload>"#;
    xml::to_ttlv(text, &KmipVocabulary, TextLimits::default())
        .unwrap()
        .to_vec()
}

#[test]
fn a_reader_without_our_vocabulary_reads_what_we_write() {
    let policy = policy();
    let mut reader = Reader::new(&policy);
    let read = reader.structure(tag::REQUEST_PAYLOAD, |r| PolicyPutRequest::read(r, Version::NEWEST));
    assert_eq!(
        read.unwrap().policy.rules[0].alternatives[0].severity,
        Some(Severity::Critical)
    );
    let state = ttlv(|w| ProposalState::Void.write_item(w, tag::PROPOSAL_STATE, Version::NEWEST));
    for item in [policy, state] {
        let text = xml::from_ttlv(&item, &KmipVocabulary).unwrap();
        let read = xml::to_ttlv(&text, &Foreign, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {}", *text));
        assert!(*read == *item);
        let text = json::from_ttlv(&item, &KmipVocabulary).unwrap();
        let read = json::to_ttlv(&text, &Foreign, TextLimits::default()).unwrap_or_else(|e| panic!("{e}: {}", *text));
        assert!(*read == *item);
    }
}

/// A peer of a version before 2.0 may send our operations all the same: they come through as they are, in every encoding.
#[test]
fn older_versions_carry_our_operations_unread() {
    for version in Version::ALL
        .into_iter()
        .filter(|v| !Operation::PolicyPut.is_spoken_in(*v))
    {
        let message = ttlv(|w| {
            w.structure(tag::REQUEST_MESSAGE, |w| {
                kmip_protocol::RequestHeader::new(version, 1).write_item(w, tag::REQUEST_HEADER, version);
                w.structure(tag::BATCH_ITEM, |w| {
                    Operation::PolicyPut.write_item(w, tag::OPERATION, version);
                    w.raw(&policy());
                });
            });
        });
        let Ok(read) = RequestMessage::read(&message) else {
            panic!("not read in {version}")
        };
        assert_eq!(read.items[0].operation, Some(Operation::PolicyPut));
        assert!(read.items[0].payload.is_ok());
        assert!(ttlv(|w| read.write(w)) == message, "changed in {version}");
        let text = xml::from_ttlv(&message, &KmipVocabulary).unwrap();
        assert!(*xml::to_ttlv(&text, &Foreign, TextLimits::default()).unwrap() == *message);
        let text = json::from_ttlv(&message, &KmipVocabulary).unwrap();
        assert!(*json::to_ttlv(&text, &Foreign, TextLimits::default()).unwrap() == *message);
    }
}

#[test]
fn names_of_tags_are_unique_over_both_tables() {
    let mut seen = BTreeMap::new();
    for tag in tag::ALL.iter().chain(tag::extension::ALL) {
        let other = seen.insert(tag::name(*tag).unwrap(), *tag);
        assert_eq!(other, None, "{tag}");
    }
}
