//! Moving house: from key files to an HSM, and on to a protected KEK, while clients read; and a server that dies in the middle of it.

use super::client::Application;
use super::office::{Office, value, words};
use claviger::custody::token;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const OPERATORS: [&str; 2] = ["olga", "otto"];
const ADMINISTRATORS: [&str; 2] = ["alice", "bob"];
const LIST: [&str; 2] = ["kek", "list"];
/// Objects that are moved while the server dies.
const MANY: usize = 2_000;
/// Clients that make them side by side: they share the store's commits.
const MAKERS: usize = 8;

/// An office with key files, beside an HSM in which there is a token.
fn beside_a_token() -> Option<Office> {
    if token::find_module("softhsm").is_none() {
        eprintln!("SKIPPED: there is no SoftHSM2 here, so that nobody moves into an HSM");
        return None;
    }
    let folder = crate::folder::in_memory();
    token::configure_softhsm(folder.path()).unwrap();
    let configuration = folder.path().join("softhsm2.conf").to_str().unwrap().to_owned();
    let made = Command::new("softhsm2-util")
        .args(words("--init-token --free --label safe --pin 1234 --so-pin 56785678"))
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util comes with SoftHSM2");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let office = Office::open_with(folder, &[], "", vec![("SOFTHSM2_CONF", configuration)]).staff();
    office.found("acme", OPERATORS);
    Some(office)
}

/// Two have another KEK made, put to work, and what lies under the one before moved; then that one is destroyed.
fn move_on(office: &Office, create: &str, before: &str, after: &str) {
    office.agree(OPERATORS, &words(create), &LIST);
    office.by("olga", &["kek", "activate", after]).done();
    office.agree(OPERATORS, &["kek", "rewrap", before], &words("kek rewrap --status"));
    let ended = office.by("olga", &words("kek rewrap --status --wait=60s")).done();
    assert_eq!(value(&ended, "RewrapState"), "Ended", "{ended}");
    assert_eq!(value(&ended, "RecordsLeft"), "0", "{ended}");
    office.agree(OPERATORS, &["kek", "delete", before, "--yes"], &LIST);
}

#[test]
fn a_tenant_moves_into_an_hsm_and_on_while_its_clients_read() {
    let Some(office) = beside_a_token() else { return };
    let mut web = Application::of(&office, "olga", "house");
    let keys: Vec<String> = (0..60).map(|_| web.create().unwrap()).collect();
    let pin = office.file("safe.pin", "1234\n");
    let create = [
        "hsm", "profile", "create", "safe", "--module", "softhsm", "--token", "safe",
    ];
    let create: Vec<_> = create.into_iter().chain(["--pin-file", &pin]).collect();
    office.agree(ADMINISTRATORS, &create, &["hsm", "profile", "list"]);
    let link = words("hsm profile link safe --tenant acme");
    office.agree(ADMINISTRATORS, &link, &["tenant", "show", "acme"]);

    let (over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reader = Application::connect(&office, "web.pem", "web-key.pem");
            while !over.load(Ordering::SeqCst) {
                for key in &keys {
                    reader.get(key).expect("an object was unreadable for a moment");
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        // Each move begins and ends while somebody reads.
        let read_on = || {
            let seen = reads.load(Ordering::SeqCst);
            while reads.load(Ordering::SeqCst) < seen + keys.len() && !reader.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        read_on();
        move_on(&office, "kek create --profile safe", "1", "2");
        read_on();
        let there = office.by("olga", &LIST).done();
        assert!(there.contains("Resident"), "{there}");
        web.create().unwrap();
        move_on(&office, "kek create --kind protected --hsm-profile safe", "2", "3");
        read_on();
        over.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    let there = office.by("olga", &LIST).done();
    assert_eq!(there.matches("Destroyed").count(), 2, "{there}");
    let late = web.create().unwrap();
    for key in keys.iter().chain([&late]) {
        web.get(key).unwrap();
    }
}

fn done(office: &Office) -> i64 {
    let status = office.by("olga", &words("kek rewrap --status")).done();
    value(&status, "RecordsDone").parse().unwrap()
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_rewrap_goes_on_with_it() {
    let mut office = Office::with_tenant();
    drop(Application::of(&office, "olga", "house"));
    let connect = |office: &Office| Application::connect(office, "web.pem", "web-key.pem");
    let keys: Vec<String> = std::thread::scope(|scope| {
        let make = || {
            let mut maker = connect(&office);
            (0..MANY / MAKERS).map(|_| maker.create().unwrap()).collect::<Vec<_>>()
        };
        let makers: Vec<_> = (0..MAKERS).map(|_| scope.spawn(make)).collect();
        makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect()
    });
    let all_read = |office: &Office| {
        let mut reader = connect(office);
        keys.iter().for_each(|key| reader.get(key).unwrap());
    };
    office.agree(OPERATORS, &["kek", "create"], &LIST);
    office.by("olga", &["kek", "activate", "2"]).done();
    let rewrap = ["kek", "rewrap", "1", "--rate", "80"];
    office.agree(OPERATORS, &rewrap, &words("kek rewrap --status"));
    let (mut before, mut deaths) = (0, 0);
    while deaths < 3 {
        let begun = Instant::now();
        while done(&office) <= before {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not come on");
            std::thread::sleep(Duration::from_millis(20));
        }
        // It kills it with SIGKILL.
        office.restart();
        office.login("olga").done();
        deaths += 1;
        let after = done(&office);
        assert!(after >= before, "it began anew");
        before = after;
        assert!(
            before < i64::try_from(MANY).unwrap(),
            "it was over before it could be disturbed"
        );
        all_read(&office);
    }
    office.login("otto").done();
    let ended = office.by("olga", &words("kek rewrap --status --wait=120s")).done();
    assert_eq!(value(&ended, "RewrapState"), "Ended", "{ended}");
    assert_eq!(value(&ended, "RecordsLeft"), "0", "{ended}");
    assert_eq!(value(&ended, "RecordsFailed"), "0", "{ended}");
    office.agree(OPERATORS, &["kek", "delete", "1", "--yes"], &LIST);
    assert!(office.by("olga", &LIST).done().contains("Destroyed"));
    all_read(&office);
}
