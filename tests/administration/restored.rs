//! A database that somebody puts back whole: each record in it is right, and the trail too.

use super::client::{Application, refused};
use super::office::{CONFLICT, DENIED, FAILED, Office, value};
use kmip_protocol::ResultReason;
use std::path::Path;
use std::time::{Duration, Instant};

/// The exit code of `doctor` when something is critical.
const CRITICAL: i32 = 2;

/// The files of a database, and where they are laid by.
const FILES: [&str; 3] = ["claviger.db", "claviger.db-wal", "claviger.db-shm"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in FILES {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

fn with_anchor() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor").to_str().unwrap().to_owned();
    let environment = vec![("CLAVIGER_AUDIT_ANCHOR", anchor)];
    Office::open_with(folder, &[], "", environment).staff()
}

fn anchor(office: &Office) -> String {
    std::fs::read_to_string(office.at("anchor")).unwrap_or_default()
}

/// Waits until the anchor is another one.
#[track_caller]
fn anchor_after(office: &Office, before: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = anchor(office);
        if !now.is_empty() && now != before {
            return now;
        }
        assert!(Instant::now() < deadline, "the anchor was not written");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn web(office: &Office) -> Application {
    Application::connect(office, "web.pem", "web-key.pem")
}

#[test]
fn a_database_that_was_put_back_serves_nobody_before_two_have_agreed() {
    let mut office = with_anchor();
    office.found("acme", ["olga", "otto"]);
    let early = Application::of(&office, "olga", "house").create().unwrap();
    // Asked before the database is saved, and still open then.
    let old = office.propose("alice", &["tenant", "delete", "acme", "--yes"]);
    let first = anchor_after(&office, "");
    office.restart_after(|folder| copy(&folder.join("kms/data"), &folder.join("saved")));
    let mut application = web(&office);
    let late = application.create().unwrap();
    application.destroy(&early).unwrap();
    let second = anchor_after(&office, &first);

    office.restart_after(|folder| copy(&folder.join("saved"), &folder.join("kms/data")));
    // Nobody but the administrators, and these can do nothing but look and agree.
    assert_eq!(refused(web(&office).get(&early)), ResultReason::GeneralFailure);
    assert_ne!(office.login("olga").code, 0);
    office.login("alice").done();
    office.login("bob").done();
    let doctor = office.by("alice", &["doctor"]).code(CRITICAL);
    assert!(doctor.out.contains("was put back"), "{}", doctor.out);
    office.by("alice", &["tenant", "suspend", "acme"]).done();
    office.by("alice", &["tenant", "resume", "acme"]).code(FAILED);
    office.by("bob", &["proposal", "vote", &old.id, "--yes"]).code(DENIED);
    assert_eq!(anchor(&office), second, "the anchor is the proof");

    // A start changes nothing about that, but that it counts itself.
    office.restart();
    office.login("alice").done();
    office.login("bob").done();
    let status = office.by("bob", &["status"]).done();
    assert_eq!(value(&status, "epoch"), "2");
    let accepted = office.approve(["alice", "bob"], &["restore", "accept"], &["tenant", "list"]);
    assert_eq!(anchor(&office), second, "before it is carried out");
    office.by("alice", &["proposal", "complete", &accepted.id]).done();
    let third = anchor_after(&office, &second);
    office.by("alice", &["restore", "accept"]).code(CONFLICT);
    office.agree(
        ["alice", "bob"],
        &["tenant", "resume", "acme"],
        &["tenant", "show", "acme"],
    );
    // What was destroyed after the database was saved is there again; what was made is gone.
    web(&office).get(&early).unwrap();
    assert_eq!(refused(web(&office).get(&late)), ResultReason::ObjectNotFound);
    anchor_after(&office, &third);

    office.restart();
    web(&office).get(&early).unwrap();
    office.login("alice").done();
    assert_eq!(value(&office.by("alice", &["status"]).done(), "epoch"), "2");
}

#[test]
fn an_anchor_that_is_gone_or_altered_is_noticed() {
    let mut office = with_anchor();
    office.by("alice", &["restore", "accept"]).code(CONFLICT);
    let kept = anchor_after(&office, "");
    let looks = |office: &Office| office.by("alice", &["person", "list"]).code;
    for altered in [
        None,
        Some(kept.replace("epoch 0", "epoch 7")),
        Some("nothing".to_owned()),
    ] {
        office.restart_after(|folder| match &altered {
            Some(text) => std::fs::write(folder.join("anchor"), text).unwrap(),
            None => std::fs::remove_file(folder.join("anchor")).unwrap(),
        });
        office.login("alice").done();
        let doctor = office.by("alice", &["doctor"]).code(CRITICAL);
        assert!(doctor.out.contains("nothing is served"), "{}", doctor.out);
        assert_eq!(looks(&office), 0, "administrators look");
    }
    // The right one, put back in its place.
    office.restart_after(|folder| std::fs::write(folder.join("anchor"), &kept).unwrap());
    office.login("alice").done();
    let doctor = office.by("alice", &["doctor"]);
    assert!(!doctor.out.contains("nothing is served"), "{}", doctor.out);
    office.by("alice", &["restore", "accept"]).code(CONFLICT);
}
