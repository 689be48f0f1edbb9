//! Sessions of people, and what needs no server.

use super::office::{DENIED, NOT_FOUND, Office, PROGRAM, UNKNOWN, USAGE, mode};
use std::process::Command;

#[test]
fn a_person_needs_certificate_and_password_and_changes_the_first_one() {
    let office = Office::open();
    office.introduce("alice", "kms/people");
    assert_eq!(
        office
            .run_at("alice", &["context", "list"])
            .done()
            .matches("* alice")
            .count(),
        1
    );
    assert_eq!(mode(&office.home("alice").join("contexts.toml")), 0o600);

    // A certificate alone opens nothing; nor does a wrong password, or the right one with another's certificate.
    office.by("alice", &["tenant", "list"]).code(UNKNOWN);
    let wrong = office.file("wrong", "not-the-password\n");
    office.by("alice", &["login", "--password-file", &wrong]).code(UNKNOWN);
    let initial = "kms/people/alice.password";
    office
        .by("alice", &["login", "--person", "bob", "--password-file", initial])
        .code(UNKNOWN);

    let login = office.by("alice", &["login", "--password-file", initial]).code(0);
    assert!(login.err.contains("claviger person password"), "{}", login.err);
    assert_eq!(mode(&office.home("alice").join("tickets")), 0o600);
    let ticket = std::fs::read_to_string(office.home("alice").join("tickets")).unwrap();
    let ticket = ticket.trim().rsplit(' ').next().unwrap();
    assert!(!login.out.contains(ticket) && !login.err.contains(ticket));
    office.by("alice", &["tenant", "list"]).code(DENIED);
    office.by("alice", &["logout"]).done();
    assert!(
        !std::fs::read_to_string(office.home("alice").join("tickets"))
            .unwrap()
            .contains(ticket)
    );

    office.by("nobody", &["tenant", "list"]).code(NOT_FOUND);
    office.run(&["tenant", "frobnicate"]).code(USAGE);
}

#[test]
fn what_needs_no_server_asks_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completion", shell]).contains("proposal"), "{shell}");
    }
    run(&["manual", "man"]);
    assert!(folder.path().join("man/claviger-proposal-vote.1").exists());
    let fingerprint = run(&["person", "key", "ida"]);
    assert_eq!(fingerprint.trim().len(), 64);
    assert_eq!(mode(&folder.path().join("ida-key.pem")), 0o600);
    run(&[
        "certificate",
        "request",
        "app",
        "--private-key",
        "app-key.pem",
        "--request",
        "app.csr",
    ]);
    let request = std::fs::read_to_string(folder.path().join("app.csr")).unwrap();
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
}

#[test]
fn who_has_changed_the_first_password_sees_people_rules_and_permissions() {
    let office = Office::staffed();
    // The initial one is good for nothing any more.
    office
        .by("alice", &["login", "--password-file", "kms/people/alice.password"])
        .code(UNKNOWN);
    let chosen = office.at("alice.chosen");
    let login = office
        .by("alice", &["login", "--password-file", chosen.to_str().unwrap()])
        .done();
    assert!(login.contains("0 proposals await your vote"), "{login}");

    let people = office.by("alice", &["person", "list"]).done();
    assert_eq!(people.matches("Administrator").count(), 2, "{people}");
    assert_eq!(people.matches("Active").count(), 2, "{people}");
    let policy = office.by("bob", &["policy", "show"]).done();
    assert!(
        policy.contains("2 of administrators") && policy.contains("computed again: the same"),
        "{policy}"
    );
    // What is shown can be put again.
    let xml = office.by("bob", &["policy", "show", "-o", "xml"]).done();
    let file = office.file("policy.xml", &xml);
    let would = office.by("bob", &["policy", "put", &file, "--dry-run"]).done();
    assert!(would.contains("policy") && would.contains("alice"), "{would}");
    for format in ["json", "yaml", "xml", "ttlv"] {
        assert!(
            office.by("bob", &["person", "show", "-o", format]).done().len() > 100,
            "{format}"
        );
    }
    office.by("bob", &["person", "show", "nobody"]).code(NOT_FOUND);
}
