//! The KMS-Admin's tasks: HSM-Profiles, with two SoftHSM tokens.

use super::office::{CONFLICT, NOT_FOUND, Office, USAGE, value};

const BOTH: [&str; 2] = ["alice", "bob"];
const OPERATORS: [&str; 2] = ["olga", "otto"];
const LIST: [&str; 4] = ["hsm", "profile", "list", "--output=json"];

fn create<'a>(name: &'a str, token: &'a str, pin: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let create = [
        "hsm", "profile", "create", name, "--module", "softhsm", "--token", token,
    ];
    create
        .into_iter()
        .chain(["--pin-file", pin])
        .chain(more.iter().copied())
        .collect()
}

/// A second token is put to work, linked to a tenant, used, and its PIN changed; what is in use is not taken away.
#[test]
fn hsm_profiles_take_two_administrators() {
    let Some(office) = Office::on_a_token() else { return };
    office.found("acme", OPERATORS);
    office.token("second", "1234");
    let (right, wrong) = (office.file("pin", "1234\n"), office.file("wrong", "4321\n"));

    // Refused at once: what code is loaded the settings alone say.
    let nowhere = [
        "hsm",
        "profile",
        "create",
        "x",
        "--module",
        "/tmp/evil.so",
        "--token",
        "t",
    ];
    let nowhere: Vec<_> = nowhere.into_iter().chain(["--pin-file", &right]).collect();
    office.by("alice", &nowhere).code(NOT_FOUND);
    office
        .by("alice", &["hsm", "profile", "create", "x", "--token", "t"])
        .code(USAGE);
    // Refused by the token, or there is none: nothing is made.
    office.agree_in_vain(BOTH, &create("second", "second", &wrong, &[]), &LIST, CONFLICT);
    let elsewhere = create("second", "second", &right, &["--serial", "0000"]);
    office.agree_in_vain(BOTH, &elsewhere, &LIST, CONFLICT);

    office.agree(BOTH, &create("second", "second", &right, &[]), &LIST);
    let shown = office.by("alice", &["hsm", "profile", "show", "second"]).done();
    assert_eq!(
        (value(&shown, "Answers").as_str(), value(&shown, "Separated").as_str()),
        ("true", "false")
    );
    assert!(!shown.contains("1234"));

    // For a tenant that is not linked it does not exist.
    office.by("olga", &["hsm", "profile", "show", "second"]).code(NOT_FOUND);
    office
        .by("olga", &["kek", "create", "--profile", "second"])
        .code(NOT_FOUND);
    let link = ["hsm", "profile", "link", "second", "--tenant", "acme"];
    office.agree(BOTH, &link, &LIST);
    let make = ["kek", "create", "--profile", "second"];
    office.agree(OPERATORS, &make, &["kek", "list"]);
    let unlink = ["hsm", "profile", "unlink", "second", "--tenant", "acme"];
    office.agree_in_vain(BOTH, &unlink, &LIST, CONFLICT);
    office.agree_in_vain(BOTH, &["hsm", "profile", "delete", "second"], &LIST, CONFLICT);

    // Another PIN, which nobody learns: the one before opens nothing more, and the KEKs go on.
    let rotate = office.approve(BOTH, &["hsm", "profile", "rotate-pin", "second"], &LIST);
    office.by("bob", &["proposal", "complete", &rotate.id]).done();
    let tested = office.by("olga", &["hsm", "profile", "test", "second"]).done();
    assert_eq!(value(&tested, "Answers"), "true");
    office.by("olga", &["kek", "activate", "2"]).done();
    let keks = office.by("olga", &["kek", "list"]).done();
    assert_eq!(keks.matches(" yes").count(), 2, "{keks}");
    office.agree_in_vain(BOTH, &create("again", "second", &right, &[]), &LIST, CONFLICT);
}
