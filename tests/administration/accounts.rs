//! User accounts of a tenant.

use super::office::{DENIED, ENDED, Office, UNKNOWN, value};

const BOTH: [&str; 2] = ["olga", "otto"];
const PEOPLE: [&str; 2] = ["person", "list"];

/// P-KMS-TNT-01: the list of users; creating one by proposal and vote; one's own name and password; resetting an account; deleting one by
/// proposal and confirmation.
#[test]
fn p_kms_tnt_01_user_accounts_of_a_tenant() {
    let office = Office::with_tenant();
    let auditor = office.invite(BOTH, "anna", "auditor", "acme");

    // 01: the list.
    let people = office.by("olga", &PEOPLE).done();
    assert_eq!(people.matches("Operator").count(), 2, "{people}");
    // With two operators neither can go, however many agree: the policy could not be met any more.
    office.by("olga", &["person", "delete", "otto", "--yes"]).code(DENIED);

    // 02, 03: a request, and a second person's vote. The first login changes the initial password.
    let created = office.invite(BOTH, "oscar", "operator", "acme");
    let shown = office.by("oscar", &["person", "show"]).done();
    assert_eq!(value(&shown, "PersonStatus"), "Active");
    assert_eq!(value(&shown, "PersonRole"), "Operator");
    // Who has just come has no vote on what olga asks: friends invited for the purpose decide nothing.
    let early = office.propose("olga", &["person", "delete", "anna", "--yes"]);
    office
        .by("oscar", &["proposal", "vote", &early.id, "--yes"])
        .code(DENIED);
    let state = office.by("olga", &["proposal", "show", &early.id]).done();
    assert_eq!(value(&state, "state"), "Open");
    office.by("olga", &["proposal", "complete", &early.id]).code(DENIED);
    office.by("olga", &["proposal", "cancel", &early.correlation]).done();

    // 04, 05: one's own name and password; nobody else's.
    office.by("oscar", &["person", "rename", "oskar"]).done();
    let context = [
        "context",
        "add",
        "oscar",
        "--address",
        office.address(),
        "--ca",
        "kms/ca.pem",
        "--person",
        "oskar",
    ];
    let files = ["--cert", "acme/oscar.pem", "--key", "acme/oscar-key.pem"];
    let context: Vec<_> = context.into_iter().chain(files).collect();
    office.run_at("oscar", &context).done();
    let own = office.at("oscar.chosen");
    let (own, next) = (own.to_str().unwrap(), office.file("oscar.next", "the next long way\n"));
    let change = [
        "person",
        "password",
        "--password-file",
        own,
        "--new-password-file",
        &next,
    ];
    office.by("oscar", &change).done();
    office.by("oscar", &["login", "--password-file", own]).code(UNKNOWN);
    office.by("oscar", &["login", "--password-file", &next]).done();
    let wrong = [
        "person",
        "password",
        "--password-file",
        own,
        "--new-password-file",
        &next,
    ];
    office.by("oscar", &wrong).code(UNKNOWN);

    // 06: another operator resets an account; the one whose it is changes what he is given.
    office
        .by("oscar", &["person", "reset", "oskar", "--passwords", "acme"])
        .code(DENIED);
    office
        .by("anna", &["person", "reset", "oskar", "--passwords", "acme"])
        .code(DENIED);
    office
        .by("otto", &["person", "reset", "oskar", "--passwords", "acme"])
        .done();
    office.by("oscar", &["login", "--password-file", &next]).code(UNKNOWN);
    office.arrive("oscar", "acme/oskar.password");

    // One locks out, two let in.
    office.by("otto", &["person", "suspend", "oskar"]).done();
    office.by("oscar", &PEOPLE).code(UNKNOWN);
    let resumed = office.agree(BOTH, &["person", "resume", "oskar"], &PEOPLE);

    // 07, 08: a request to delete, which whom it concerns has no say in, and a second operator's confirmation.
    office.login("oscar").done();
    let own_end = office.propose("olga", &["person", "delete", "oskar", "--yes"]);
    office
        .by("oscar", &["proposal", "vote", &own_end.id, "--yes"])
        .code(DENIED);
    office.by("otto", &["proposal", "reject", &own_end.id, "--yes"]).done();
    office.by("olga", &["proposal", "complete", &own_end.id]).code(ENDED);
    let deleted = office.agree(BOTH, &["person", "delete", "oskar", "--yes"], &PEOPLE);
    office.by("oscar", &PEOPLE).code(UNKNOWN);
    office.login("oscar").code(UNKNOWN);

    let trail = office.trail("anna");
    for (operation, proposed) in [
        ("PersonCreate", &auditor),
        ("PersonCreate", &created),
        ("PersonResume", &resumed),
        ("PersonDelete", &deleted),
    ] {
        trail.has_agreed(operation, proposed);
    }
    for operation in [
        "PersonModify",
        "PasswordChange",
        "PersonReset",
        "PersonSuspend",
        "Login",
        "Cancel",
    ] {
        trail.has(operation, &["Success"]);
    }
    trail.has("PersonReset", &["OperationFailed", "PermissionDenied"]);
    trail.has("ProposalVote", &["OperationFailed", &own_end.id]);
    // The trail is for the auditor.
    office.by("olga", &["audit", "tail"]).code(DENIED);
}
