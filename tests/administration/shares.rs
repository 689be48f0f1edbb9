//! An HSM with two users: the PIN of the one that makes and destroys keys is opened by what the votes of two people carry, and by nothing
//! else that there is.

use super::office::{CONFLICT, DENIED, Office, value};
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

/// What two people agree to, of whom the second completes it, and the first alone has nothing done.
pub fn together(office: &Office, [one, other]: [&str; 2], arguments: &[&str]) {
    let asked = office.propose(one, arguments);
    office.by(one, &["proposal", "complete", &asked.id]).code(DENIED);
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
    let folder = crate::folder::in_memory();
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

    // Of another HSM-Profile the credential comes with it, and with its link.
    let again = [
        "hsm",
        "profile",
        "create",
        "three",
        "--module",
        "shim",
        "--token",
        "two users",
    ];
    let pins = ["--pin-file", &usage, "--management-pin-file", &keeper];
    let again = [&again[..], &pins].concat();
    office.agree(BOTH, &again, &profiles);
    together(&office, BOTH, &["hsm", "profile", "link", "three", "--tenant", "acme"]);
    let list = office.by("olga", &["share", "list"]).done();
    assert!(
        list.lines()
            .any(|line| line.contains("three") && line.contains("olga, otto")),
        "{list}"
    );
    office.agree(OPERATORS, &["kek", "create", "--profile", "three"], &["kek", "list"]);

    // Nothing that the server keeps has it; that the search finds what is there, the canary shows.
    let kept = kept(&office.at("kms"));
    assert!(has(&kept, "shim") && !has(&kept, KEEPER) && !has(&kept, "nobody-has-this-alone"));
}

/// The HSM's other user is there from the beginning: its credential makes the first KEK, and from then on it is the administrators', who open
/// it for the tenant's first KEK, for its operators, and in the end for its last.
#[test]
fn an_installation_begins_with_an_hsm_of_two_users() {
    let folder = crate::folder::in_memory();
    let Some(environment) = prepare(folder.path()) else {
        return;
    };
    for (name, pin) in [("usage.pin", "server:first"), ("keeper.pin", KEEPER)] {
        std::fs::write(folder.path().join(name), format!("{pin}\n")).unwrap();
    }
    let module = shim();
    let first = ["--hsm", module.to_str().unwrap(), "--token", "two users"];
    let pins = ["--pin-file", "usage.pin", "--management-pin-file", "keeper.pin"];
    let office = Office::open_with(folder, &[&first[..], &pins].concat(), "", environment);
    for person in BOTH {
        office.introduce(person, "kms/people");
    }
    office.arrive_together(&BOTH, "kms/people");
    let list = office.by("alice", &["share", "list"]).done();
    assert!(
        list.contains("2 of 2 administrators") && list.contains("alice, bob"),
        "{list}"
    );
    office.agree(BOTH, &["kek", "create"], &["kek", "list"]);

    // A tenant of three, its first KEK by the administrators' shares. Its people have theirs once they have share keys.
    let three = ["olga", "otto", "oskar"];
    office.found_with("acme", three, &[]);
    let create = ["kek", "create"];
    office.by("olga", &create).code(DENIED);
    for [one, other] in [["olga", "otto"], ["otto", "oskar"], ["oskar", "olga"]] {
        together(&office, [one, other], &["person", "share-key"]);
    }
    together(&office, BOTH, &["share", "grant", "token two users", "acme"]);
    let holders = |expected: &str| {
        let list = office.by("olga", &["share", "list"]).done();
        assert!(list.contains(expected), "{list}");
    };
    holders("olga, oskar, otto");

    // One of them is suspended: the others still make a KEK. Without one more nobody could, which takes a clear word and is told.
    office.by("otto", &["person", "suspend", "oskar"]).done();
    holders("olga, otto");
    office.agree(OPERATORS, &create, &["kek", "list"]);
    let revoke = ["person", "revoke-share-key", "otto"];
    office.by("olga", &revoke).code(CONFLICT);
    holders("olga, otto");
    office.by("olga", &[&revoke[..], &["--force"]].concat()).done();
    let status = office.by("olga", &["status"]).done();
    assert!(status.contains("LOST: too few can open a share"), "{status}");
    let doctor = office.by("olga", &["doctor"]);
    assert!(doctor.code != 0 && doctor.out.contains("LOST"), "{}", doctor.out);

    // When it is gone its KEKs are destroyed, by the administrators' shares.
    office.by("alice", &["tenant", "suspend", "acme"]).done();
    let tenants = ["tenant", "list"];
    office.agree(BOTH, &["tenant", "delete", "acme", "--yes"], &tenants);
    let purged = office.approve(BOTH, &["tenant", "purge", "acme", "--yes"], &tenants);
    office.by("bob", &["proposal", "complete", &purged.id]).done();
    let result = office.by("alice", &["proposal", "result", &purged.correlation]).done();
    assert_eq!(result.matches("KekGeneration").count(), 2, "{result}");

    let kept = kept(&office.at("kms/data"));
    assert!(!has(&kept, KEEPER) && !has(&kept, "nobody-has-this-alone"));
}
