//! What is in the memory of the server and of its HSM workers while they run: no password, no PIN, no share of a secret; and neither of
//! them leaves a core.

use super::office::{Office, words};
use super::shares::{self, KEEPER};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const ADMINISTRATORS: [&str; 2] = ["alice", "bob"];
const OPERATORS: [&str; 2] = ["olga", "otto"];
/// How long what a request brought may take to go: its connection ends, its threads come to rest.
const LONGEST: Duration = Duration::from_secs(20);

/// A part of a process's memory.
struct Region {
    start: u64,
    end: u64,
    /// Whether it is kept for secrets: locked, left out of core dumps, or readable by nobody but the process.
    is_secret: bool,
}

fn regions(process: u32) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["VmFlags:", flags @ ..] => {
                if let Some(last) = regions.last_mut() {
                    last.is_secret |= flags.contains(&"lo") || flags.contains(&"dd");
                }
            }
            [range, rights, ..] if rights.starts_with("rw") && range.contains('-') => {
                let (start, end) = range.split_once('-').unwrap();
                regions.push(Region {
                    start: u64::from_str_radix(start, 16).unwrap(),
                    end: u64::from_str_radix(end, 16).unwrap(),
                    is_secret: line.contains("secretmem"),
                });
            }
            // One that is not to be searched: its flags belong to nobody.
            [range, rights, ..] if rights.len() == 4 && range.contains('-') => regions.push(Region {
                start: 0,
                end: 0,
                is_secret: false,
            }),
            _ => {}
        }
    }
    regions
}

/// Which of the needles are in memory that is not kept for secrets.
fn search(process: u32, needles: &[(String, Vec<u8>)]) -> Vec<&str> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let longest = needles.iter().map(|(_, needle)| needle.len()).max().unwrap();
    let mut firsts = vec![false; 1 << 16];
    for (_, needle) in needles {
        firsts[usize::from(needle[0]) << 8 | usize::from(needle[1])] = true;
    }
    let mut found = Vec::new();
    let mut buffer = vec![0_u8; 1 << 20];
    for region in regions(process).iter().filter(|region| !region.is_secret) {
        let mut at = region.start;
        while at < region.end {
            let wanted = usize::try_from(region.end - at).unwrap().min(buffer.len());
            let Ok(read @ 1..) = memory.read_at(&mut buffer[..wanted], at) else {
                break;
            };
            for place in 0..read.saturating_sub(2) {
                if !firsts[usize::from(buffer[place]) << 8 | usize::from(buffer[place + 1])] {
                    continue;
                }
                let here = needles
                    .iter()
                    .filter(|(_, needle)| buffer[place..read].starts_with(needle));
                found.extend(here.map(|(name, _)| name.as_str()));
            }
            let step = if read > longest && read == buffer.len() {
                read - longest
            } else {
                read
            };
            at += u64::try_from(step).unwrap();
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The server, and the workers that it has started.
fn processes(office: &Office) -> Vec<u32> {
    let parent = format!("PPid:\t{}\n", office.id());
    let mut all = vec![office.id()];
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        if status.contains(&parent) {
            all.push(entry.file_name().to_str().unwrap().parse().unwrap());
        }
    }
    all
}

fn needle(name: &str, text: &str) -> (String, Vec<u8>) {
    (name.to_owned(), text.trim_end().as_bytes().to_vec())
}

/// A legacy token whose PIN and one of whose shares are looked for; that share is handed in and waits for the next one.
fn begin_ceremony(office: &Office) -> Vec<(String, Vec<u8>)> {
    const PIN: &str = "a PIN of the old days";
    let pin = office.file("legacy.pin", PIN);
    let make =
        "legacy-token make --folder old --tenant acme --shares 3 --threshold 2 --name safe --module shim --label gone";
    let make: Vec<_> = words(make).into_iter().chain(["--pin-file", &pin]).collect();
    office.run(&make).done();
    shares::together(
        office,
        ADMINISTRATORS,
        &words("legacy-token import acme old/safe.token"),
    );
    let hand_in = words("ceremony share --share-file old/safe.share-1");
    office.by("olga", &hand_in).done();
    let text = std::fs::read_to_string(office.at("old/safe.share-1")).unwrap();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    vec![
        needle("the legacy PIN", PIN),
        needle("the text of a share", &text[50..80]),
        ("the digits of a share".to_owned(), digits.as_bytes()[40..80].to_vec()),
        // Format, token and number come first; they are no secret.
        ("the value of a share".to_owned(), bytes[18..50].to_vec()),
    ]
}

#[test]
fn what_lets_people_and_the_server_in_is_not_left_in_memory() {
    let folder = crate::folder::in_memory();
    let Some(environment) = shares::prepare(folder.path()) else {
        return;
    };
    let settings = format!("\n[custody.modules]\nshim = {:?}\n", shares::shim().to_str().unwrap());
    let office = Office::open_with(folder, &[], &settings, environment).staff();
    office.found("acme", OPERATORS);
    shares::enroll(&office, ADMINISTRATORS);
    shares::enroll(&office, OPERATORS);
    let usage = office.file("usage.pin", "server:first\n");
    let create = words("hsm profile create two --module shim --token");
    let create: Vec<_> = create.into_iter().chain(["two users", "--pin-file", &usage]).collect();
    shares::together(&office, ADMINISTRATORS, &create);
    shares::together(&office, ADMINISTRATORS, &words("hsm profile link two --tenant acme"));
    let keeper = office.file("keeper.pin", &format!("{KEEPER}\n"));
    let enter = ["share", "enter", "two", "--pin-file", &keeper];
    shares::together(&office, ADMINISTRATORS, &enter);
    shares::together(&office, ADMINISTRATORS, &words("share grant two acme"));
    shares::together(&office, OPERATORS, &words("kek create --profile two"));
    office.by("olga", &["kek", "activate", "2"]).done();

    for process in processes(&office) {
        let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        let words: Vec<_> = core.split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"], "{process}: {core}");
        assert!(regions(process).iter().any(|region| region.is_secret), "{process}");
    }
    let [server, worker, ..] = processes(&office)[..] else {
        panic!("no worker runs");
    };
    if File::open(format!("/proc/{server}/mem")).is_err() {
        eprintln!("SKIPPED: nobody but root reads the memory of a server, so that it is NOT searched");
        return;
    }
    let mut needles = begin_ceremony(&office);
    needles.push(needle("the PIN of key usage", "server:first"));
    needles.push(needle("the PIN of key management", KEEPER));
    for person in ADMINISTRATORS.iter().chain(&OPERATORS) {
        let folder: PathBuf = if ADMINISTRATORS.contains(person) {
            "kms/people"
        } else {
            "acme"
        }
        .into();
        let initial = std::fs::read_to_string(office.at(folder.join(format!("{person}.password")).to_str().unwrap()));
        let chosen = std::fs::read_to_string(office.at(&format!("{person}.chosen")));
        needles.push(needle(&format!("the initial password of {person}"), &initial.unwrap()));
        needles.push(needle(&format!("the password of {person}"), &chosen.unwrap()));
    }
    let begun = Instant::now();
    loop {
        let left = [server, worker].map(|process| search(process, &needles));
        if left.iter().all(Vec::is_empty) {
            break;
        }
        assert!(begun.elapsed() < LONGEST, "left in memory: {left:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
    // What is there is found: the tenant's name, and the worker's token.
    let canaries = [needle("tenant", "acme"), needle("token", "two users")];
    assert!(search(server, &canaries).contains(&"tenant"), "the search is blind");
    assert!(search(worker, &canaries).contains(&"token"), "the search is blind");
}
