//! Application Namespaces.

use super::client::{Application, refused};
use super::office::{CONFLICT, DENIED, NOT_FOUND, Office, PENDING};
use kmip_protocol::{ResultReason, Version};

const LIST: [&str; 2] = ["namespace", "list"];

/// P-KMS-TNT-06: creating, modifying and deleting a namespace, as clients see it.
#[test]
fn p_kms_tnt_06_application_namespaces() {
    let office = Office::with_tenant();
    office.invite(["olga", "otto"], "anna", "auditor", "acme");
    office.by("olga", &["authority", "create", "house"]).done();
    office.by("olga", &["client", "create", "web"]).done();
    let request = [
        "certificate",
        "request",
        "web",
        "--private-key",
        "web-key.pem",
        "--request",
        "web.csr",
    ];
    office.run(&request).done();
    let issue = [
        "certificate",
        "issue",
        "web",
        "--request",
        "web.csr",
        "--certificate",
        "web.pem",
    ];
    office.by("olga", &issue).done();
    let mut web = Application::connect(&office, "web.pem", "web-key.pem");

    // 01: one operator creates it.
    office.by("anna", &["namespace", "create", "ssl"]).code(DENIED);
    office
        .by("olga", &["namespace", "create", "ssl", "--description", "web servers"])
        .done();
    assert_ne!(
        office.by("otto", &["namespace", "create", "ssl"]).code,
        0,
        "a name is given once"
    );
    assert!(office.by("otto", &LIST).done().contains("web servers"));
    assert_eq!(web.namespaces(), ["ssl"]);
    let key = web.create_in("ssl", Some("www.example.org")).unwrap();
    let unknown = refused(web.create_in("vpn", Some("gate")));
    assert_eq!(unknown, ResultReason::ApplicationNamespaceNotSupported);
    let unnamed = refused(web.create_in("ssl", None));
    assert_eq!(unnamed, ResultReason::ApplicationNamespaceNotSupported);

    // 02: modified, it makes the data that a client leaves out.
    let modify = [
        "namespace",
        "modify",
        "ssl",
        "--description",
        "web and mail",
        "--generated-data",
    ];
    office.by("otto", &modify).done();
    assert!(office.by("olga", &LIST).done().contains("web and mail"));
    let made = web.create_in("ssl", None).unwrap();
    let mut old = Application::at_version(&office, "web.pem", "web-key.pem", Version::from_numbers(1, 4).unwrap());
    assert_eq!(old.namespaces(), ["ssl"]);
    office.by("otto", &["namespace", "modify", "vpn"]).code(NOT_FOUND);

    // 03: deleted only when no object is in it.
    office
        .by("olga", &["namespace", "delete", "ssl", "--yes"])
        .code(CONFLICT);
    web.destroy(&key).unwrap();
    office
        .by("olga", &["namespace", "delete", "ssl", "--yes"])
        .code(CONFLICT);
    web.destroy(&made).unwrap();
    office.by("olga", &["namespace", "delete", "ssl", "--yes"]).done();
    assert!(!office.by("otto", &LIST).done().contains("ssl"));
    assert!(web.namespaces().is_empty());

    let trail = office.trail("anna");
    for operation in ["NamespaceCreate", "NamespaceModify", "NamespaceDelete"] {
        trail.has(operation, &["Success", "namespace ssl"]);
    }
    trail.has("NamespaceDelete", &["OperationFailed", "ConstraintViolation"]);
}

/// Where a tenant wants it, namespaces take two as well: one rule more, which two agreed to.
#[test]
fn a_rule_more_puts_namespaces_to_a_vote() {
    let office = Office::with_tenant();
    let policy = office.by("olga", &["policy", "show", "-o", "xml"]).done();
    let start = policy.find("  <TTLV tag=\"0x540014\" name=\"Rule\">").unwrap();
    let end = start + policy[start..].find("\n  </TTLV>\n").unwrap() + "\n  </TTLV>\n".len();
    let rule = renamed(&policy[start..end]);
    let file = office.file("policy.xml", &format!("{}{rule}{}", &policy[..start], &policy[start..]));
    office.agree(["olga", "otto"], &["policy", "put", &file], &["policy", "show"]);
    office.by("olga", &["namespace", "create", "ssl"]).code(PENDING);
    let made = office.agree(["otto", "olga"], &["namespace", "create", "vpn"], &LIST);
    office.by("otto", &["proposal", "result", &made.correlation]).done();
}

/// The rule, under another name and for another operation.
fn renamed(rule: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in rule.lines() {
        if line.contains("name=\"RuleName\"") {
            lines
                .push("<TTLV tag=\"0x540015\" name=\"RuleName\" type=\"TextString\" value=\"namespaces\"/>".to_owned());
        } else if line.contains("name=\"RuleMatch\"") {
            lines.push(line.to_owned());
            lines.push("<Operation type=\"Enumeration\" value=\"0x80010701\"/>".to_owned());
        } else if !line.contains("<Operation ") {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}
