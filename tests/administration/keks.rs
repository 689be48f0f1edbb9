//! KEKs in tokens: resident ones, and protected ones that several tokens open.

use super::client::Application;
use super::office::{CONFLICT, DENIED, NOT_FOUND, Office, TOKENS, words};
use super::shares::{enroll, together};

const OPERATORS: [&str; 2] = ["olga", "otto"];
const ADMINISTRATORS: [&str; 2] = ["alice", "bob"];
const LIST: [&str; 2] = ["kek", "list"];
const PROFILES: [&str; 3] = ["hsm", "profile", "list"];

/// The line of a KEK in the list.
#[track_caller]
fn kek(office: &Office, number: &str) -> String {
    let list = office.by("olga", &LIST).done();
    let line = list.lines().find(|line| line.split_whitespace().next() == Some(number));
    line.unwrap_or_else(|| panic!("no KEK {number} in {list}")).to_owned()
}

/// The administrators make an HSM-Profile of the token of this name.
#[track_caller]
fn profile(office: &Office, name: &str) {
    let pin = format!("{name}.pin");
    let create = ["hsm", "profile", "create", name, "--module", "softhsm", "--token", name];
    let create: Vec<_> = create.into_iter().chain(["--pin-file", &pin]).collect();
    office.agree(ADMINISTRATORS, &create, &PROFILES);
}

/// Two operators have what lies under a KEK rewrapped, and wait until it is.
#[track_caller]
fn rewrap(office: &Office, number: &str) {
    let ordered = office.propose("olga", &["kek", "rewrap", number]);
    office.by("otto", &["proposal", "vote", &ordered.id, "--yes"]).done();
    office.by("otto", &["proposal", "complete", &ordered.id]).done();
    let ended = office.by("olga", &words("kek rewrap --status --wait=60s")).done();
    assert!(ended.contains("Ended"), "{ended}");
}

/// P-KMS-TNT-02: the list of KEKs; making one, activating it, deleting the former one once nothing lies under it.
#[test]
fn p_kms_tnt_02_keks() {
    let Some(office) = Office::on_a_token() else { return };
    office.found("acme", OPERATORS);
    office.invite(OPERATORS, "anna", "auditor", "acme");
    let mut web = Application::of(&office, "olga", "house");
    let old = web.create().unwrap();

    // 01: the list.
    let first = kek(&office, "1");
    assert!(first.contains("Active") && first.contains("Resident"), "{first}");
    assert!(first.trim_end().ends_with("yes"), "{first}");

    // 02: one proposes, another votes, somebody completes.
    let made = office.agree(OPERATORS, &["kek", "create"], &LIST);
    assert!(kek(&office, "2").contains("Pre-Active") || kek(&office, "2").contains("PreActive"));
    office.by("anna", &["kek", "create"]).code(DENIED);

    // 03: activated by one; what there is stays where it was.
    office.by("anna", &["kek", "activate", "2"]).code(DENIED);
    office.by("olga", &["kek", "activate", "2"]).done();
    assert!(kek(&office, "1").contains("Deactivated"));
    let new = web.create().unwrap();

    // 04, 05: nothing is deleted that something lies under; then two have it moved, and two delete it.
    let delete = ["kek", "delete", "1", "--yes"];
    assert_ne!(office.by("olga", &delete).code, 0, "a KEK in use is deleted");
    rewrap(&office, "1");
    let deleted = office.agree(OPERATORS, &delete, &LIST);
    assert!(kek(&office, "1").contains("Destroyed"));
    for key in [&old, &new] {
        web.get(key).unwrap();
    }
    assert_ne!(
        office.by("olga", &["kek", "activate", "1"]).code,
        0,
        "a destroyed KEK is activated"
    );

    let trail = office.trail("anna");
    trail.has_agreed("KekCreate", &made);
    trail.has_agreed("KekDelete", &deleted);
    trail.has("KekActivate", &["Success"]);
    trail.has("KekActivate", &["OperationFailed"]);
}

/// P-KMS-TNT-03A: a protected KEK in two tokens, one of which is taken away; its backup string; its end. The administrators make the
/// HSM-Profiles and link them.
#[test]
fn p_kms_tnt_03a_protected_keks() {
    let Some(mut office) = Office::on_a_token() else { return };
    office.found("acme", OPERATORS);
    office.invite(OPERATORS, "anna", "auditor", "acme");
    let mut web = Application::of(&office, "olga", "house");

    // The administrators' part, which neither of them does alone.
    let (east, _west) = (office.token("east", "1234"), office.token("west", "1234"));
    for name in ["east", "west"] {
        profile(&office, name);
        // Nobody's, as long as it is linked to nobody.
        let early = ["kek", "create", "--kind", "protected", "--hsm-profile", name];
        office.by("olga", &early).code(NOT_FOUND);
        let link = ["hsm", "profile", "link", name, "--tenant", "acme"];
        office.by("olga", &link).code(DENIED);
        office.agree(ADMINISTRATORS, &link, &["tenant", "show", "acme"]);
    }

    // 02, 03: made by two in one token, activated, used.
    let create = words("kek create --kind protected --hsm-profile east");
    let made = office.agree(OPERATORS, &create, &LIST);
    office.by("otto", &["kek", "activate", "2"]).done();
    let line = kek(&office, "2");
    assert!(
        line.contains("Active") && line.contains("Protected") && line.contains("east"),
        "{line}"
    );
    let key = web.create().unwrap();
    web.get(&key).unwrap();

    // 04, 05: the other token opens it too; without the first, and after a start without it, everything goes on.
    let add = words("kek add-profile 2 --hsm-profile west");
    let added = office.agree(OPERATORS, &add, &LIST);
    let away = office.at("east.away");
    std::fs::rename(&east, &away).unwrap();
    web.get(&key).unwrap();
    drop(web);
    office.restart();
    let mut web = Application::connect(&office, "web.pem", "web-key.pem");
    web.get(&key).unwrap();
    let late = web.create().unwrap();
    office.login("olga").done();
    office.login("otto").done();
    std::fs::rename(&away, &east).unwrap();

    // 06, 07: the first opens it no more; the last one stays.
    let remove = words("kek remove-profile 2 --hsm-profile east");
    let removed = office.agree(OPERATORS, &remove, &LIST);
    assert!(!kek(&office, "2").contains("east"));
    let last = words("kek remove-profile 2 --hsm-profile west");
    assert_ne!(office.by("olga", &last).code, 0, "the last HSM-Profile is removed");

    // 08: the backup string; what is there is not restored over.
    let backup = office.by("olga", &["kek", "backup", "2"]).done();
    let file = office.file("kek2.txt", &backup);
    office.by("olga", &["kek", "backup", "1"]).code(CONFLICT);
    assert_ne!(
        office.by("olga", &["kek", "restore", &file]).code,
        0,
        "restored over itself"
    );
    let wrong: String = backup.chars().map(|c| if c == 'A' { 'B' } else { c }).collect();
    if wrong != backup {
        let wrong = office.file("wrong.txt", &wrong);
        assert_ne!(
            office.by("olga", &["kek", "restore", &wrong]).code,
            0,
            "an edited backup string"
        );
    }

    // 09: deleted by two once nothing lies under it.
    office.by("olga", &["kek", "activate", "1"]).done();
    rewrap(&office, "2");
    let deleted = office.agree(OPERATORS, &["kek", "delete", "2", "--yes"], &LIST);
    assert!(kek(&office, "2").contains("Destroyed"));
    for key in [&key, &late] {
        web.get(key).unwrap();
    }

    let trail = office.trail("anna");
    trail.has_agreed("KekRemoveProfile", &removed);
    trail.has_agreed("KekDelete", &deleted);
    // Before the restart it was another stream, which an auditor reads as well.
    assert!(!made.id.is_empty() && !added.id.is_empty());
}

/// The backup string of a protected KEK and an HSM that survived make the tenant again in another installation, with its identity.
#[test]
fn a_protected_kek_is_restored_elsewhere() {
    let Some(here) = Office::on_a_token() else { return };
    let west = here.token("west", "1234");
    profile(&here, "west");
    here.found_with("acme", OPERATORS, &["--hsm-profile", "west"]);
    here.agree(
        OPERATORS,
        &words("kek create --kind protected --hsm-profile west"),
        &LIST,
    );
    let backup = here.by("otto", &["kek", "backup", "2"]).done();

    let there = Office::on_a_token().unwrap();
    let survived = there.at(TOKENS).join(west.file_name().unwrap());
    std::fs::create_dir(&survived).unwrap();
    for file in std::fs::read_dir(&west).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), survived.join(file.file_name())).unwrap();
    }
    there.file("west.pin", "1234\n");
    profile(&there, "west");
    let file = there.file("kek2.txt", &backup);
    there.found_with("acme", OPERATORS, &["--hsm-profile", "west", "--backup", &file]);
    let line = kek(&there, "2");
    assert!(line.contains("Protected") && line.contains("west"), "{line}");
    let mut web = Application::of(&there, "olga", "house");
    let key = web.create().unwrap();
    web.get(&key).unwrap();
}

/// No HSM has a key pair of the KEK any more: the people of its recovery group open the backup string by the shares of their votes, and
/// one of them alone does not.
#[test]
fn a_recovery_group_restores_a_kek_that_no_hsm_has() {
    let Some(office) = Office::on_a_token() else { return };
    office.found("acme", OPERATORS);
    let mut web = Application::of(&office, "olga", "house");
    for name in ["east", "west"] {
        office.token(name, "1234");
        profile(&office, name);
        let link = ["hsm", "profile", "link", name, "--tenant", "acme"];
        office.agree(ADMINISTRATORS, &link, &["tenant", "show", "acme"]);
    }
    office.agree(
        OPERATORS,
        &words("kek create --kind protected --hsm-profile east"),
        &LIST,
    );
    // A group whose people have no share keys opens nothing, and is none.
    let recovery = ["share", "recovery", "2 of operators"];
    office.by("olga", &recovery).code(DENIED);
    enroll(&office, OPERATORS);
    let before = office.file("before.txt", &office.by("olga", &["kek", "backup", "2"]).done());
    together(&office, OPERATORS, &recovery);
    let backup = office.file("kek2.txt", &office.by("olga", &["kek", "backup", "2"]).done());

    // It is destroyed, and its key pair with it.
    office.agree(OPERATORS, &["kek", "delete", "2", "--yes"], &LIST);
    assert!(kek(&office, "2").contains("Destroyed"));
    let restore = |file: &str| -> Vec<String> {
        let words = ["kek", "restore", file, "--hsm-profile", "west", "--recover"];
        words.map(str::to_owned).to_vec()
    };
    fn borrowed(words: &[String]) -> Vec<&str> {
        words.iter().map(String::as_str).collect()
    }
    let (early, late) = (restore(&before), restore(&backup));
    assert_ne!(
        office.by("olga", &borrowed(&early)).code,
        0,
        "nobody holds shares of it"
    );

    // Two votes, of which one comes without its share: it waits for that.
    let asked = office.propose("olga", &borrowed(&late));
    let share_key = office.at("acme/otto-share-key.pem");
    std::fs::rename(&share_key, office.at("elsewhere.pem")).unwrap();
    office.by("otto", &["proposal", "vote", &asked.id, "--yes"]).done();
    office.by("otto", &["proposal", "complete", &asked.id]).code(DENIED);
    assert!(kek(&office, "2").contains("Destroyed"));
    std::fs::rename(office.at("elsewhere.pem"), &share_key).unwrap();
    office.by("otto", &["proposal", "share", &asked.id]).done();
    office.by("otto", &["proposal", "complete", &asked.id]).done();
    let line = kek(&office, "2");
    assert!(line.contains("Deactivated") && line.contains("west"), "{line}");
    // It wraps again.
    office.by("otto", &["kek", "activate", "2"]).done();
    let key = web.create().unwrap();
    web.get(&key).unwrap();
}
