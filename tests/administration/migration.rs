//! Cryptotoken migration (P-KMS-TNT-07): a legacy token is brought to a tenant, its custodians' shares are gathered, and it becomes an
//! HSM-Profile; until then nobody of the tenant goes on.

use super::office::{CONFLICT, DENIED, NOT_FOUND, Office, PROGRAM, USAGE, value, words};
use std::process::Command;

const BOTH: [&str; 2] = ["alice", "bob"];

/// A legacy token of acme, three shares of which two open it, in the folder `old`.
fn legacy(office: &Office, name: &str, label: &str, pin: &str) {
    let pin = office.file(&format!("{name}.pin"), pin);
    let make = [
        "legacy-token",
        "make",
        "--folder",
        "old",
        "--tenant",
        "acme",
        "--shares",
        "3",
        "--threshold",
        "2",
    ];
    let hsm = [
        "--name",
        name,
        "--module",
        "softhsm",
        "--label",
        label,
        "--pin-file",
        &pin,
    ];
    let make: Vec<_> = make.into_iter().chain(hsm).collect();
    office.run(&make).done();
}

#[test]
fn legacy_tokens_are_migrated_by_those_who_hold_their_shares() {
    let Some(office) = Office::on_a_token() else { return };
    office.found("acme", ["olga", "otto"]);
    let operators = ["olga", "otto"];
    office.invite(operators, "carla", "custodian", "acme");
    office.invite(operators, "anna", "auditor", "acme");
    office.token("old safe", "12345678");
    legacy(&office, "safe", "old safe", "12345678");

    // The administrators bring it. What is no token, and what is another tenant's, is not even proposed.
    office
        .by("alice", &["legacy-token", "import", "acme", "safe.pin"])
        .code(USAGE);
    let import = ["legacy-token", "import", "acme", "old/safe.token"];
    let imported = office.agree(BOTH, &import, &["tenant", "show", "acme"]);
    let shown = office.by("alice", &["tenant", "show", "acme"]).done();
    assert_eq!(value(&shown, "TenantStatus"), "MigrationRequired");

    // Step 01: whoever logs in is shown the way, and goes no other.
    let login = office.login("olga");
    assert!(login.err.contains("claviger ceremony status"), "{}", login.err);
    for person in ["olga", "otto", "carla"] {
        let denied = office.by(person, &["proposal", "list"]).code(DENIED);
        assert!(denied.err.contains("legacy tokens"), "{}", denied.err);
    }
    office.by("olga", &["kek", "list"]).code(DENIED);
    office.by("anna", &["person", "list"]).done();
    let status = office.by("carla", &["ceremony", "status"]).done();
    assert!(status.contains("Waiting") && status.contains("2 of 3"), "{status}");
    let share = |number: usize| format!("old/safe.share-{number}");
    let hand_in = |person: &str, file: &str| office.by(person, &["ceremony", "share", "--share-file", file]);
    office.by("carla", &["ceremony", "share"]).code(USAGE);
    assert!(hand_in("carla", &share(1)).done().contains("carla"));
    hand_in("carla", &share(2)).code(CONFLICT);
    hand_in("otto", &share(1)).code(CONFLICT);
    hand_in("anna", &share(2)).code(DENIED);
    let text = std::fs::read_to_string(office.at(&share(2))).unwrap();
    let last = text.trim_end().chars().last().unwrap();
    let typo = format!(
        "{}{}",
        &text.trim_end()[..text.trim_end().len() - 1],
        if last == '0' { '1' } else { '0' }
    );
    let typo = office.file("typo", &typo);
    assert!(
        hand_in("otto", &typo)
            .code(super::office::FAILED)
            .err
            .contains("compare")
    );
    office.by("olga", &["ceremony", "migrate", "safe"]).code(CONFLICT);
    office.by("olga", &["ceremony", "migrate", "other"]).code(NOT_FOUND);

    // Whoever has doubts begins anew.
    office.by("otto", &["ceremony", "abort", "safe"]).done();
    assert!(!office.by("carla", &["ceremony", "status"]).done().contains("carla"));
    hand_in("carla", &share(1)).done();
    hand_in("otto", &share(3)).done();

    // Step 02: at the threshold.
    office.by("carla", &["ceremony", "migrate", "safe"]).code(DENIED);
    let migrated = office.by("olga", &["ceremony", "migrate", "safe"]).done();
    assert!(migrated.contains("Migrated"), "{migrated}");
    let shown = office.by("alice", &["tenant", "show", "acme"]).done();
    assert_eq!(value(&shown, "TenantStatus"), "Active");
    office.by("olga", &["proposal", "list"]).done();
    hand_in("otto", &share(1)).code(CONFLICT);
    // The HSM of old serves: a KEK is made in it.
    office.agree(operators, &["kek", "create", "--profile", "safe"], &["kek", "list"]);
    let keks = office.by("olga", &["kek", "list"]).done();
    assert!(
        keks.lines().any(|line| line.contains("safe") && line.contains("yes")),
        "{keks}"
    );

    // One whose PIN is not the HSM's any more is tried once and given up.
    office.token("older safe", "87654321");
    legacy(&office, "second", "older safe", "12345678");
    let import = ["legacy-token", "import", "acme", "old/second.token"];
    office.agree(BOTH, &import, &["tenant", "show", "acme"]);
    hand_in("carla", "old/second.share-2").done();
    hand_in("olga", "old/second.share-3").done();
    let refused = office.by("otto", &["ceremony", "migrate", "second"]).code(DENIED);
    assert!(
        refused.out.contains("CredentialsRefused"),
        "{}{}",
        refused.out,
        refused.err
    );
    office.by("otto", &["ceremony", "migrate", "second"]).code(CONFLICT);
    office.by("olga", &["person", "list"]).code(DENIED);
    let withdraw = ["legacy-token", "withdraw", "acme", "second", "--yes"];
    office.agree(BOTH, &withdraw, &["tenant", "show", "acme"]);
    office.by("olga", &["person", "list"]).done();

    let trail = office.trail("anna");
    trail.has("ShareSubmit", &["Success", "legacy token safe"]);
    trail.has("ShareSubmit", &["OperationFailed"]);
    trail.has("CeremonyAbort", &["Success", "legacy token safe"]);
    trail.has("CeremonyMigrate", &["Success", "legacy token safe"]);
    // Alarms stand there by their numbers.
    trail.has("0x8001FF71", &["legacy token"]);
    trail.has("0x8001FF72", &["legacy token"]);
    for needle in [&text[20..60], "12345678"] {
        assert!(!trail.0.contains(needle));
    }
    assert!(!imported.id.is_empty());
}

/// An installation that begins with a legacy token: the tenant that it is for begins with its migration.
#[test]
fn a_legacy_token_given_to_init_waits_for_its_tenant() {
    if claviger::custody::token::find_module("softhsm").is_none() {
        eprintln!("SKIPPED: there is no SoftHSM2 here, so that no legacy token is given to init");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let run = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(folder.path())
            .output();
        run.unwrap().status.code().unwrap()
    };
    std::fs::write(folder.path().join("safe.pin"), "12345678\n").unwrap();
    let make = "legacy-token make --folder old --tenant acme --shares 3 --threshold 2 --name safe --module softhsm";
    let make: Vec<_> = words(make)
        .into_iter()
        .chain(["--label", "old safe", "--pin-file", "safe.pin"])
        .collect();
    assert_eq!(run(&make), 0);
    // What is no token is none for init either, and nothing is begun with it.
    let init = words("init --administrators alice,bob --dir kms --listen 127.0.0.1:0 --legacy-token");
    for bad in ["safe.pin", "gone"] {
        let init: Vec<_> = init.iter().copied().chain([bad]).collect();
        assert_ne!(run(&init), 0, "{bad}");
    }
    std::fs::write(folder.path().join("long"), vec![b'x'; 1 << 20]).unwrap();
    let long: Vec<_> = init.iter().copied().chain(["long"]).collect();
    assert_ne!(run(&long), 0);
    assert!(!folder.path().join("kms/data").exists());

    let more = words("--hsm softhsm --legacy-token old/safe.token");
    let office = Office::open_in(folder, &more).staff();
    office.token("old safe", "12345678");
    let operators = ["olga", "otto"];
    office.found("acme", operators);
    office.found("other", ["fred", "frida"]);
    let shown = office.by("alice", &["tenant", "show", "acme"]).done();
    assert_eq!(value(&shown, "TenantStatus"), "MigrationRequired");
    office.by("olga", &["proposal", "list"]).code(DENIED);
    office.by("fred", &["proposal", "list"]).done();
    for (person, number) in [("olga", 1), ("otto", 3)] {
        let file = format!("old/safe.share-{number}");
        office.by(person, &["ceremony", "share", "--share-file", &file]).done();
    }
    let migrated = office.by("otto", &["ceremony", "migrate", "safe"]).done();
    assert!(migrated.contains("Migrated"), "{migrated}");
    office.by("olga", &["proposal", "list"]).done();
    office.agree(operators, &["kek", "create", "--profile", "safe"], &["kek", "list"]);
}
