//! An HSM with two users: the PIN of the one that makes and destroys keys is opened by what the votes of two people carry, and by nothing
//! else that there is.

use super::office::{DENIED, Office, value};
use claviger::custody::{Slab, token};
use std::path::{Path, PathBuf};

const BOTH: [&str; 2] = ["alice", "bob"];
const OPERATORS: [&str; 2] = ["olga", "otto"];
pub const KEEPER: &str = "keeper:nobody-has-this-alone";

/// A token of two users behind the shim: what the server has in its environment. `None`, loudly, if SoftHSM is not installed.
pub fn prepare(folder: &Path) -> Option<Vec<(&'static str, String)>> {
    let Some(module) = token::find_module("softhsm") else {
        eprintln!("SKIPPED: SoftHSM2 is not installed (apt install softhsm2), management credentials are NOT tested");
        return None;
    };
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    token::configure_softhsm(folder).unwrap();
    let mut settings = token::softhsm_settings(&module, folder, "two users").unwrap();
    settings.command.program = env!("CARGO_BIN_EXE_claviger").into();
    let slab = Slab::new().unwrap();
    let (officer, user) = (slab.copy_from(b"officer").unwrap(), slab.copy_from(b"123456").unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(token::initialize_token(&settings, &slab, &officer, &user))
        .unwrap();
    let (name, password) = KEEPER.split_once(':').unwrap();
    let users = format!("pin 123456\nserver usage first\n{name} management {password}\n");
    std::fs::write(folder.join("users"), users).unwrap();
    let script = format!("module {}\nusers {}\n", module.display(), at("users"));
    std::fs::write(folder.join("script"), script).unwrap();
    Some(vec![("SOFTHSM2_CONF", at("softhsm2.conf")), ("HSM_SHIM", at("script"))])
}

/// The shim, as cargo builds it beside the tests that depend on it.
pub fn shim() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().unwrap().join("libhsm_shim.so")
}

/// Every byte that an installation keeps: database, log, root key, settings.
fn kept(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            bytes.extend(kept(&entry.path()));
        } else {
            bytes.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    bytes
}

fn has(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// What two people agree to, of whom the second completes it.
pub fn together(office: &Office, [one, other]: [&str; 2], arguments: &[&str]) {
    let asked = office.propose(one, arguments);
    office.by(other, &["proposal", "vote", &asked.id, "--yes"]).done();
    office.by(other, &["proposal", "complete", &asked.id]).done();
}

/// Two who have votes give a share key to each of them.
pub fn enroll(office: &Office, [one, other]: [&str; 2]) {
    together(office, [one, other], &["person", "share-key"]);
    together(office, [other, one], &["person", "share-key"]);
}

#[test]
fn two_operators_open_the_hsm_for_a_kek_and_nobody_else_can() {
    let folder = tempfile::tempdir().unwrap();
    let Some(environment) = prepare(folder.path()) else {
        return;
    };
    let settings = format!("\n[custody.modules]\nshim = {:?}\n", shim().to_str().unwrap());
    let mut office = Office::open_with(folder, &[], &settings, environment);
    for person in BOTH {
        office.introduce(person, "kms/people");
    }
    office.arrive_together(&BOTH, "kms/people");
    office.found("acme", OPERATORS);
    enroll(&office, BOTH);
    enroll(&office, OPERATORS);

    // The HSM-Profile with the user that works with keys, for acme.
    let usage = office.file("usage.pin", "server:first\n");
    let create = [
        "hsm",
        "profile",
        "create",
        "two",
        "--module",
        "shim",
        "--token",
        "two users",
        "--pin-file",
        &usage,
    ];
    let profiles = ["hsm", "profile", "list"];
    office.agree(BOTH, &create, &profiles);
    let link = ["hsm", "profile", "link", "two", "--tenant", "acme"];
    together(&office, BOTH, &link);
    assert!(
        office
            .by("olga", &["status"])
            .done()
            .contains("no separation: quorum enforced by software only")
    );

    // Its other user's PIN is entered once, and given to the operators by shares of both administrators.
    let keeper = office.file("keeper.pin", &format!("{KEEPER}\n"));
    office.agree(
        BOTH,
        &["share", "enter", "two", "--pin-file", &keeper],
        &["share", "list"],
    );
    let create = ["kek", "create", "--profile", "two"];
    office.by("olga", &create).code(DENIED);
    together(&office, BOTH, &["share", "grant", "two", "acme"]);
    let list = office.by("olga", &["share", "list"]).done();
    assert!(
        list.contains("2 of 2 operators") && list.contains("olga, otto"),
        "{list}"
    );
    assert!(!office.by("olga", &["status"]).done().contains("no separation"));

    // Two votes, of which one comes without its share: it waits, over a restart too, until both have opened theirs again.
    let asked = office.propose("olga", &create);
    let share_key = office.at("acme/otto-share-key.pem");
    std::fs::rename(&share_key, office.at("elsewhere.pem")).unwrap();
    let voted = office.by("otto", &["proposal", "vote", &asked.id, "--yes"]).done();
    assert_eq!(value(&voted, "state"), "Approved");
    office.by("otto", &["proposal", "complete", &asked.id]).code(DENIED);
    std::fs::rename(office.at("elsewhere.pem"), &share_key).unwrap();
    office.restart();
    for person in BOTH.iter().chain(&OPERATORS) {
        let people = if BOTH.contains(person) { "kms/people" } else { "acme" };
        office.introduce(person, people);
        office.login(person).done();
    }
    for person in OPERATORS {
        let shown = office.by(person, &["proposal", "show", &asked.id]).done();
        assert!(shown.contains("Approved, awaiting shares"), "{shown}");
        office.by("otto", &["proposal", "complete", &asked.id]).code(DENIED);
        office.by(person, &["proposal", "share", &asked.id]).done();
    }
    office.by("otto", &["proposal", "complete", &asked.id]).done();
    let keks = office.by("olga", &["kek", "list"]).done();
    assert!(
        keks.lines().any(|line| line.contains("two") && line.contains("yes")),
        "{keks}"
    );

    // Nothing that the server keeps has it; that the search finds what is there, the canary shows.
    let kept = kept(&office.at("kms"));
    assert!(has(&kept, "shim") && !has(&kept, KEEPER) && !has(&kept, "nobody-has-this-alone"));
}
