//! The KMS-Admin's own tasks: accounts of administrators.

use super::office::{DENIED, ENDED, FAILED, Office, UNKNOWN, USAGE, mode, value};

const BOTH: [&str; 2] = ["alice", "bob"];
const PEOPLE: [&str; 2] = ["person", "list"];

/// The fingerprint of a person's only key that is not revoked.
#[track_caller]
fn fingerprint(office: &Office, person: &str) -> String {
    value(&office.by(person, &["person", "show"]).done(), "KeyFingerprint")
}

/// Administrators' accounts (KMS-Admin): create, rename oneself, change one's own password, reset, suspend, resume, another certificate,
/// unlock, delete.
#[test]
fn administrators_accounts_take_two_administrators() {
    let office = Office::staffed();
    let create = ["person", "create", "carol", "--role", "administrator", "--certificate"];
    let create: Vec<_> = create
        .into_iter()
        .chain(["made/carol.pem", "--passwords", "made"])
        .collect();
    office.run(&["person", "key", "carol", "--folder", "made"]).done();
    let would: Vec<_> = create.iter().copied().chain(["--dry-run"]).collect();
    assert!(office.by("alice", &would).done().contains("bob"));
    assert!(!office.at("made/carol.password").exists());
    let created = office.agree(BOTH, &create, &PEOPLE);
    assert_eq!(mode(&office.at("made/carol.password")), 0o600);
    office.by("alice", &["proposal", "result", &created.correlation]).done();
    office.introduce("carol", "made");
    let invited = office.by("alice", &["person", "show", "carol"]).done();
    assert_eq!(value(&invited, "PersonStatus"), "Invited");
    office.arrive("carol", "made/carol.password");
    let arrived = office.by("alice", &["person", "show", "carol"]).done();
    assert_eq!(value(&arrived, "PersonStatus"), "Active");
    let auditor = office.invite(BOTH, "sam", "system-auditor", "made");

    // One person has one role and one name, and a key is one person's, whatever two agree to.
    let second = [
        "person",
        "create",
        "carola",
        "--role",
        "system-auditor",
        "--certificate",
        "made/carol.pem",
    ];
    let refused = office.agree_in_vain(BOTH, &second, &PEOPLE, FAILED);
    let foreign = [
        "person",
        "create",
        "olga",
        "--role",
        "operator",
        "--certificate",
        "made/carol.pem",
    ];
    office.by("alice", &foreign).code(DENIED);

    // One's own name and password are one's own affair.
    office.by("carol", &["person", "rename", "caroline"]).done();
    assert!(office.by("bob", &PEOPLE).done().contains("caroline"));
    let changed = office.file("carol.second", "quite another way\n");
    let own = office.at("carol.chosen");
    let files = [
        "--password-file",
        own.to_str().unwrap(),
        "--new-password-file",
        &changed,
    ];
    let change: Vec<_> = ["person", "password"].into_iter().chain(files).collect();
    let known_as = ["--person", "caroline"];
    rename_context(&office);
    office.by("carol", &change).done();
    let login: Vec<_> = ["login", "--password-file", own.to_str().unwrap()]
        .into_iter()
        .chain(known_as)
        .collect();
    office.by("carol", &login).code(UNKNOWN);

    // Another one resets an account alone; nobody his own. What it is given is good for one thing only.
    office
        .by("carol", &["person", "reset", "caroline", "--passwords", "made"])
        .code(DENIED);
    office
        .by("bob", &["person", "reset", "caroline", "--passwords", "made"])
        .done();
    let login: Vec<_> = ["login", "--password-file", &changed]
        .into_iter()
        .chain(known_as)
        .collect();
    office.by("carol", &login).code(UNKNOWN);
    office.arrive("carol", "made/caroline.password");

    // One locks out at once, on sessions that there are too; two let in again.
    office.by("carol", &PEOPLE).done();
    office.by("alice", &["person", "suspend", "caroline"]).done();
    office.by("carol", &PEOPLE).code(UNKNOWN);
    let resumed = office.agree(BOTH, &["person", "resume", "caroline"], &PEOPLE);
    office.login("carol").done();

    // Another certificate, for which its key stands good; the old one goes at once.
    let old = fingerprint(&office, "carol");
    office.run(&["person", "key", "caroline", "--folder", "made"]).done();
    let add = [
        "person",
        "add-certificate",
        "caroline",
        "--certificate",
        "made/caroline.pem",
    ];
    let add: Vec<_> = add.into_iter().chain(["--new-key", "made/caroline-key.pem"]).collect();
    let wrong: Vec<_> = add[..5]
        .iter()
        .copied()
        .chain(["--new-key", "made/sam-key.pem"])
        .collect();
    office.by("alice", &wrong).code(USAGE);
    let added = office.agree(BOTH, &add, &["person", "show", "caroline"]);
    office
        .by("alice", &["person", "revoke-certificate", "caroline", &old])
        .done();
    office.by("carol", &PEOPLE).code(UNKNOWN);
    office.introduce("caroline", "made");
    let own = office.at("carol.chosen");
    office
        .by("caroline", &["login", "--password-file", own.to_str().unwrap()])
        .done();

    // Who guesses is locked out, with the right password too, until another ends it or the time is over.
    let guess = office.file("guess", "is it perhaps this\n");
    for _ in 0..5 {
        office
            .by("caroline", &["login", "--password-file", &guess])
            .code(UNKNOWN);
    }
    office
        .by("caroline", &["login", "--password-file", own.to_str().unwrap()])
        .code(UNKNOWN);
    office.by("bob", &["person", "unlock", "caroline"]).done();
    office
        .by("caroline", &["login", "--password-file", own.to_str().unwrap()])
        .done();

    // The deletion that one vetoes, and the one that both want. Nobody has a say in his own.
    let proposed = office.propose("alice", &["person", "delete", "caroline", "--yes"]);
    office
        .by("bob", &["proposal", "veto", &proposed.id, "--reason", "she stays"])
        .done();
    office.by("alice", &["proposal", "complete", &proposed.id]).code(ENDED);
    let proposed = office.propose("alice", &["person", "delete", "caroline", "--yes"]);
    office
        .by("caroline", &["proposal", "vote", &proposed.id, "--yes"])
        .code(DENIED);
    office
        .by("alice", &["proposal", "cancel", &proposed.correlation])
        .done();
    let deleted = office.agree(BOTH, &["person", "delete", "caroline", "--yes"], &PEOPLE);
    office.by("caroline", &PEOPLE).code(UNKNOWN);
    // Two are left, and neither can go.
    office.by("alice", &["person", "delete", "bob", "--yes"]).code(DENIED);

    let trail = office.trail("sam");
    for (operation, proposed) in [
        ("PersonCreate", &created),
        ("PersonCreate", &auditor),
        ("PersonResume", &resumed),
        ("CredentialAdd", &added),
        ("PersonDelete", &deleted),
    ] {
        trail.has_agreed(operation, proposed);
    }
    for operation in [
        "PersonModify",
        "PasswordChange",
        "PersonReset",
        "PersonSuspend",
        "PersonUnlock",
        "CredentialRevoke",
    ] {
        trail.has(operation, &["Success"]);
    }
    trail.has("ProposalVeto", &["Success"]);
    trail.has("Login", &["OperationFailed"]);
    trail.has("PersonDelete", &["OperationFailed"]);
    trail.has("PersonCreate", &["OperationFailed", &refused.id]);
}

/// Tells the command line that carol is called caroline now.
fn rename_context(office: &Office) {
    let add = [
        "context",
        "add",
        "carol",
        "--address",
        office.address(),
        "--ca",
        "kms/ca.pem",
    ];
    let add = add
        .into_iter()
        .chain(["--cert", "made/carol.pem", "--key", "made/carol-key.pem"]);
    let add: Vec<_> = add.chain(["--person", "caroline"]).collect();
    office.run_at("carol", &add).done();
}
