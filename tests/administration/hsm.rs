//! The KMS-Admin's tasks: HSM-Profiles, with two SoftHSM tokens.

use super::office::{CONFLICT, NOT_FOUND, Office, PROGRAM, USAGE, value};
use claviger::custody::{Slab, token};

const BOTH: [&str; 2] = ["alice", "bob"];
const OPERATORS: [&str; 2] = ["olga", "otto"];
const LIST: [&str; 4] = ["hsm", "profile", "list", "--output=json"];

/// One more token in the folder of the installation's SoftHSM.
fn second_token(office: &Office, module: &std::path::Path) {
    let slab = Slab::new().unwrap();
    let mut settings = token::softhsm_settings(module, &office.at("kms/data/softhsm"), "second").unwrap();
    settings.command.program = PROGRAM.into();
    let pin = |text: &[u8]| slab.copy_from(text).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let made = runtime.block_on(token::initialize_token(
        &settings,
        &slab,
        &pin(b"officer"),
        &pin(b"1234"),
    ));
    made.unwrap();
}

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
    let Some(module) = token::find_module("softhsm") else {
        eprintln!("SKIPPED: SoftHSM2 is not installed, HSM-Profiles are NOT tested");
        return;
    };
    let office = Office::open_in(tempfile::tempdir().unwrap(), &["--hsm", "softhsm"]);
    for person in BOTH {
        office.introduce(person, "kms/people");
    }
    office.arrive_together(&BOTH, "kms/people");
    office.found("acme", OPERATORS);
    second_token(&office, &module);
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
