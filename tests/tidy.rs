//! Style as a test: which rooms may use which, how long a file may be, and words that may not occur.
//!
//! The rules read lines, not syntax trees: rustfmt gives the lines their shape. Each rule has a planted violation below
//! that it must find.

// A test that cannot read its own tree fails; its helpers say so with a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms of `src/`, lowest first: each with the rooms that it may use, all of which stand above it in this table.
/// So arrows point downward only, and there are no circles.
#[rustfmt::skip] // a row a line
const ROOMS: &[(&str, &[&str])] = &[
    ("wait", &[]),
    ("clock", &["wait"]),
    ("audit", &["wait"]),
    ("store", &["wait", "clock", "audit"]),
    ("crypto", &["wait"]),
    ("custody", &["wait", "clock", "audit", "store", "crypto"]),
    ("records", &["store", "custody"]),
    ("scrub", &["wait", "audit", "store", "custody", "records"]),
    ("identity", &["wait", "clock", "store"]),
    ("failure", &["store", "audit", "crypto", "custody", "records", "identity"]),
    ("heavy", &["wait", "store", "identity", "failure"]),
    ("objects", &["clock", "store", "crypto", "custody", "records", "identity", "failure"]),
    ("outbox", &["clock", "audit", "store", "crypto", "custody", "records", "identity", "objects"]),
    ("authority", &["wait", "clock", "audit", "store", "records", "identity", "failure", "objects"]),
    ("operations", &["wait", "clock", "audit", "store", "crypto", "custody",
        "records", "scrub", "identity", "failure", "heavy", "objects", "outbox", "authority"]),
    ("administration", &["wait", "clock", "audit", "store", "crypto", "custody", "records", "scrub",
        "identity", "failure", "heavy", "objects", "outbox", "authority", "operations"]),
    ("exchange", &["wait", "clock", "audit", "store", "crypto", "custody", "records", "scrub",
        "identity", "failure", "heavy", "objects", "outbox", "authority", "operations", "administration"]),
    ("listener", &["wait", "clock", "identity", "outbox", "exchange"]),
    ("courier", &["store", "outbox", "exchange", "listener"]),
    ("settings", &["outbox", "listener"]),
    // The only one that names concrete stores and sealers, hence the only one that knows everything below it.
    ("compose", &["wait", "clock", "audit", "store", "crypto", "custody", "records", "scrub", "identity",
        "failure", "heavy", "objects", "outbox", "authority", "operations", "administration", "exchange", "listener", "courier", "settings"]),
    ("cli", &["wait", "clock", "audit", "custody", "records", "crypto", "identity", "objects", "authority", "settings", "compose"]),
];

/// A file that cannot be read in one sitting has two subjects.
const LONGEST_FILE: usize = 500;

/// Tests are tables of cases: they are read by the piece.
const LONGEST_TEST_FILE: usize = 800;

/// Files that are longer, with their length: entries may be lowered or removed, not added.
const LONGER_FILES: &[(&str, usize)] = &[];

/// The only files with unsafe code, and why.
const UNSAFE_FILES: &[(&str, &str)] = &[
    ("src/crypto/native.rs", "calls of OpenSSL that its crate does not offer"),
    ("src/custody/allocator.rs", "an allocator that wipes what is freed"),
    ("src/custody/harden.rs", "prctl, limits, socketpair"),
    ("src/custody/pkcs11.rs", "a vendor's library"),
    ("src/custody/pkcs11/pair.rs", "a vendor's library"),
    ("src/custody/pkcs11/operations.rs", "a vendor's library"),
    ("src/custody/slab.rs", "secret memory"),
    (
        "benches/benches/hsm.rs",
        "a module alone, called as the worker calls it",
    ),
    ("hsm-shim/src/entry.rs", "a module for callers, and one to call"),
    ("hsm-shim/tests/softhsm.rs", "the environment of a module"),
];

/// Kinds of stores and sealers, with the room that they live in: elsewhere only `compose` names them, others know contracts.
const CONCRETE: &[(&str, &str)] = &[
    ("MemoryStore", "store"),
    ("SqliteStore", "store"),
    ("SoftwareKeks", "custody"),
    ("ResidentKeks", "custody"),
];

/// What makes tenants and KEKs, and the files that may say so: genesis, the handlers of the requests that their people have agreed to,
/// and what these call. A handler runs with a `Granted`, which `authority` alone makes.
const MAKERS: &[(&str, &[&str])] = &[
    ("create_kek", &["src/custody/keks.rs", "src/administration/kek.rs"]),
    ("adopt_kek", &["src/custody/keks.rs", "src/administration/kek.rs"]),
    (
        "create_record_key",
        &["src/custody/keks.rs", "src/administration/kek.rs"],
    ),
    (
        "found_domain",
        &[
            "src/administration/kek.rs",
            "src/administration/genesis.rs",
            "src/administration/tenant_create.rs",
        ],
    ),
    (
        "TenantRecord {",
        &["src/identity/record.rs", "src/administration/tenant_create.rs"],
    ),
    (
        "found_domain_on",
        &["src/administration/kek.rs", "src/administration/tenant_create.rs"],
    ),
    ("kek::make", &["src/administration/kek_life.rs"]),
    (
        "create_protected",
        &["src/custody/protected/mod.rs", "src/administration/kek_life.rs"],
    ),
    (
        "add_profile",
        &["src/custody/protected/mod.rs", "src/administration/kek_profiles.rs"],
    ),
    (
        "restore_kek",
        &["src/custody/protected/backup.rs", "src/administration/kek_backup.rs"],
    ),
    ("genesis::found", &["src/compose.rs"]),
    ("compose::create", &["src/cli/init.rs"]),
];

/// One Rust file, or a planted text.
struct Source {
    /// From the root of the project, with slashes.
    path: String,
    /// Every line as it stands.
    text: String,
    /// The file is compiled for tests only.
    test_only: bool,
}

impl Source {
    /// The first component below `src/` of the server: its room. Elsewhere none.
    fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let room = below.split('/').next()?;
        Some(room.strip_suffix(".rs").unwrap_or(room))
    }

    /// Numbered lines without comments and, unless everything is a test, without what is compiled for tests only.
    fn code(&self) -> Vec<(usize, &str)> {
        if self.test_only {
            return Vec::new();
        }
        let lines: Vec<_> = self
            .text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, uncommented(line)))
            .collect();
        let mut kept = Vec::new();
        let mut rest = lines.into_iter();
        while let Some((number, line)) = rest.next() {
            if !is_test_attribute(line) {
                kept.push((number, line));
                continue;
            }
            // The item that the attribute stands before: to its semicolon, or to the brace at its own indentation.
            let indentation = line.len() - line.trim_start().len();
            let closing = format!("{}}}", " ".repeat(indentation));
            let mut rest_of_item = rest
                .by_ref()
                .map(|(_, line)| line)
                .skip_while(|line| line.trim_start().starts_with("#["));
            let first = rest_of_item.next().unwrap_or("");
            if !first.trim_end().ends_with(';') && !first.trim_end().ends_with('}') {
                rest_of_item.find(|line| {
                    line.starts_with(&closing) || (line.ends_with(';') && indentation_of(line) == indentation)
                });
            }
        }
        kept
    }
}

fn indentation_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_test_attribute(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(any(test")
}

/// The line up to a comment. `//` after a colon belongs to an address.
fn uncommented(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Whether `word` stands in the line by itself, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word))
}

/// Everything that is wrong, a line each: `path:line: what`.
fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for rule in [
        arrows,
        lengths,
        versions,
        leftovers,
        unsafety,
        unwraps,
        concrete_kinds,
        makers,
        module_docs,
    ] {
        rule(sources, &mut found);
    }
    found
}

/// `crate::room` outside of that room, also within `crate::{…}`, must be an arrow of the table.
fn arrows(sources: &[Source], found: &mut Vec<String>) {
    let allowed: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    for source in sources {
        let Some(room) = source.room().filter(|room| !["lib", "main"].contains(room)) else {
            continue;
        };
        let Some(targets) = allowed.get(room) else {
            found.push(format!(
                "{}:1: the room {room} is not in the table of rooms",
                source.path
            ));
            continue;
        };
        for (number, used) in rooms_used(&source.code()) {
            let is_room = allowed.contains_key(used.as_str());
            if is_room && used != room && !targets.contains(&used.as_str()) {
                found.push(format!("{}:{number}: {room} may not use {used}", source.path));
            }
        }
    }
}

/// The names that follow `crate::`, with their lines.
fn rooms_used(code: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    // Inside `crate::{ … }`: how many braces are open.
    let mut depth = 0_usize;
    for (number, line) in code {
        for (i, piece) in line.split("crate::").enumerate() {
            if i > 0 && !piece.starts_with('{') && depth == 0 {
                used.push((*number, name_at(piece)));
                continue;
            }
            if (i > 0 && piece.starts_with('{')) || depth > 0 {
                let mut name = String::new();
                for c in piece.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    // Names at the first level: at the beginning, and after each comma.
                    if depth == 1 && (c.is_alphanumeric() || c == '_') {
                        name.push(c);
                    } else if !name.is_empty() {
                        used.push((*number, std::mem::take(&mut name)));
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    used
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn lengths(sources: &[Source], found: &mut Vec<String>) {
    let longer: BTreeMap<_, _> = LONGER_FILES.iter().copied().collect();
    for source in sources {
        let (length, path) = (source.text.lines().count(), source.path.as_str());
        let limit = if source.test_only {
            LONGEST_TEST_FILE
        } else {
            LONGEST_FILE
        };
        match longer.get(path) {
            None if length > limit => found.push(format!("{path}:{length}: longer than {limit} lines")),
            Some(known) if length > *known => {
                found.push(format!("{path}:{length}: longer than the {known} lines allowed to it"))
            }
            Some(_) if length <= LONGEST_FILE => {
                found.push(format!("{path}:{length}: not too long any more, remove its exception"))
            }
            _ => {}
        }
    }
}

/// Protocol versions are data of the two protocol crates (DESIGN: declare once).
fn versions(sources: &[Source], found: &mut Vec<String>) {
    for source in sources
        .iter()
        .filter(|s| s.path.starts_with("src/") || s.path.starts_with("kmip-client/"))
    {
        for (number, line) in source.code() {
            let named = ["V1_", "V2_", "V3_"].iter().any(|name| {
                line.match_indices(name)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            // With a number: to compare two versions with each other is no knowledge of either.
            let compared = [".major()", ".minor()"].iter().any(|part| {
                line.split(part).skip(1).any(|after| {
                    let operand = after.trim_start().trim_start_matches(['=', '!', '<', '>']);
                    operand != after.trim_start() && operand.trim_start().starts_with(|c: char| c.is_ascii_digit())
                })
            });
            if named || compared {
                found.push(format!(
                    "{}:{number}: protocol versions are named in kmip-protocol only",
                    source.path
                ));
            }
        }
    }
}

fn leftovers(sources: &[Source], found: &mut Vec<String>) {
    for source in sources {
        for (i, line) in source.text.lines().enumerate() {
            for name in ["todo", "unimplemented", "dbg"] {
                if has_word(uncommented(line), name) && line.contains(&format!("{name}!")) {
                    found.push(format!("{}:{}: {name}!", source.path, i + 1));
                }
            }
        }
    }
}

fn unsafety(sources: &[Source], found: &mut Vec<String>) {
    for source in sources {
        let named = UNSAFE_FILES.iter().any(|(path, _)| *path == source.path);
        let lines = source
            .text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, uncommented(line)));
        let uses = |line: &str| has_word(line, "unsafe") || line.contains("allow(unsafe_code)");
        match lines.clone().find(|(_, line)| uses(line)) {
            Some((number, _)) if !named => {
                found.push(format!("{}:{number}: unsafe code outside the named files", source.path))
            }
            None if named => found.push(format!(
                "{}:1: no unsafe code any more, remove its exception",
                source.path
            )),
            _ => {}
        }
    }
}

/// Lines with `#[allow(clippy::…)]` in reach are clippy's matter; this rule has no exceptions.
fn unwraps(sources: &[Source], found: &mut Vec<String>) {
    for source in sources {
        for (number, line) in source.code() {
            // With its quote: readers have a method of this name that is about something else.
            for call in [".unwrap()", ".expect(\"", ".unwrap_unchecked("] {
                if line.contains(call) {
                    found.push(format!("{}:{number}: {call} outside of tests", source.path));
                }
            }
        }
    }
}

fn concrete_kinds(sources: &[Source], found: &mut Vec<String>) {
    for source in sources {
        let Some(room) = source.room() else { continue };
        for (number, line) in source.code() {
            for (kind, home) in CONCRETE {
                if has_word(line, kind) && room != *home && room != "compose" {
                    found.push(format!("{}:{number}: only compose names {kind}", source.path));
                }
            }
        }
    }
}

fn makers(sources: &[Source], found: &mut Vec<String>) {
    for source in sources {
        for (number, line) in source.code() {
            for (name, homes) in MAKERS {
                let named = line.match_indices(name).any(|(at, _)| {
                    let word = |c: char| c.is_alphanumeric() || c == '_';
                    !line[..at].ends_with(word) && !line[at + name.len()..].starts_with(word)
                });
                if named && !homes.contains(&source.path.as_str()) {
                    found.push(format!(
                        "{}:{number}: {name} is for genesis and executed proposals",
                        source.path
                    ));
                }
            }
        }
    }
}

fn module_docs(sources: &[Source], found: &mut Vec<String>) {
    for source in sources.iter().filter(|source| !source.test_only) {
        let mut lines = source.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.find(|line| !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//! ") && line.len() > 10) {
            found.push(format!("{}:1: no //! that says what the file is for", source.path));
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below the `src` of every package.
fn load() -> Vec<Source> {
    let mut paths = Vec::new();
    for package in ["", "kmip-ttlv", "kmip-protocol", "kmip-client", "certs", "conformance"] {
        collect(&root().join(package).join("src"), &mut paths);
    }
    paths.sort();
    let texts: Vec<_> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let test_files: BTreeSet<_> = paths
        .iter()
        .zip(&texts)
        .flat_map(|(path, text)| test_modules(path, text))
        .collect();
    paths
        .iter()
        .zip(texts)
        .map(|(path, text)| Source {
            path: path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"),
            text,
            test_only: test_files.contains(path),
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

/// The files of `#[cfg(test)] mod name;` lines.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let parent = path.parent().unwrap();
    let stem = path.file_stem().unwrap();
    let folder = if ["mod", "lib", "main"].iter().any(|s| *s == stem) {
        parent.to_owned()
    } else {
        parent.join(stem)
    };
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| is_test_attribute(pair[0]));
    let names = pairs.filter_map(|pair| pair[1].strip_suffix(';')?.split("mod ").nth(1));
    names
        .flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")])
        .collect()
}

#[test]
fn the_house_is_tidy() {
    let sources = load();
    assert!(sources.len() > 20, "the checker does not see the files");
    let found = violations(&sources);
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_table_of_rooms_points_downward() {
    for (i, (room, targets)) in ROOMS.iter().enumerate() {
        for target in *targets {
            let below = ROOMS[..i].iter().any(|(name, _)| name == target);
            assert!(below, "{room} uses {target}, which does not stand before it");
        }
    }
}

#[test]
fn the_page_about_the_house_shows_the_rooms_from_the_top_down() {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `src/"));
    let quoted = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`'));
    let rooms = quoted.filter_map(|cell| cell.strip_prefix("src/"));
    let rooms = rooms
        .map(|room| room.strip_suffix(".rs").unwrap_or(room))
        .filter(|room| *room != "main");
    assert_eq!(
        rooms.collect::<Vec<_>>(),
        ROOMS.iter().rev().map(|(room, _)| *room).collect::<Vec<_>>()
    );
}

fn planted(path: &str, text: &str) -> Vec<String> {
    let text = text.to_owned();
    violations(&[Source {
        path: path.to_owned(),
        text,
        test_only: false,
    }])
}

/// The canary: a checker that finds nothing here finds nothing anywhere.
#[test]
fn each_rule_finds_what_is_planted() {
    let doc = "//! A file of the canary.\n";
    let cases = [
        (
            "src/store/x.rs",
            "use crate::listener::Y;\n",
            "src/store/x.rs:2: store may not use listener",
        ),
        (
            "src/store/x.rs",
            "use crate::{audit::A, exchange};\n",
            "src/store/x.rs:2: store may not use exchange",
        ),
        (
            "src/store/x.rs",
            "use crate::{\n    audit::{A, B},\n    cli::C,\n};\n",
            "src/store/x.rs:4: store may not use cli",
        ),
        (
            "src/objects/x.rs",
            "fn f() { crate::operations::g() }\n",
            "src/objects/x.rs:2: objects may not use operations",
        ),
        (
            "src/attic/x.rs",
            "",
            "src/attic/x.rs:1: the room attic is not in the table of rooms",
        ),
        (
            "src/exchange/x.rs",
            "fn f(v: Version) { v >= Version::V1_4 }\n",
            "src/exchange/x.rs:2: protocol versions are named in kmip-protocol only",
        ),
        (
            "src/exchange/x.rs",
            "fn f() { v.major() == 1 }\n",
            "src/exchange/x.rs:2: protocol versions are named in kmip-protocol only",
        ),
        ("certs/src/x.rs", "fn f() { todo!() }\n", "certs/src/x.rs:2: todo!"),
        (
            "src/store/x.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { dbg!(1) }\n}\n",
            "src/store/x.rs:4: dbg!",
        ),
        (
            "src/store/x.rs",
            "fn f() { unsafe { g() } }\n",
            "src/store/x.rs:2: unsafe code outside the named files",
        ),
        (
            "src/custody/slab.rs",
            "fn f() {}\n",
            "src/custody/slab.rs:1: no unsafe code any more, remove its exception",
        ),
        (
            "src/store/x.rs",
            "fn f() { g().unwrap() }\n",
            "src/store/x.rs:2: .unwrap() outside of tests",
        ),
        (
            "src/store/x.rs",
            "fn f() { g().expect(\"a\") }\n",
            "src/store/x.rs:2: .expect(\" outside of tests",
        ),
        (
            "src/operations/x.rs",
            "fn f(s: SqliteStore) {}\n",
            "src/operations/x.rs:2: only compose names SqliteStore",
        ),
        (
            "src/cli/x.rs",
            "fn f() { kek::found_domain(custody) }\n",
            "src/cli/x.rs:2: found_domain is for genesis and executed proposals",
        ),
        (
            "src/administration/x.rs",
            "fn f() -> R { TenantRecord { name } }\n",
            "src/administration/x.rs:2: TenantRecord { is for genesis and executed proposals",
        ),
        (
            "src/cli/demo.rs",
            "fn f() { compose::create(&settings, genesis) }\n",
            "src/cli/demo.rs:2: compose::create is for genesis and executed proposals",
        ),
        // After a test item, the code is looked at again.
        (
            "src/store/x.rs",
            "#[cfg(test)]\nuse a::b;\n#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap() }\n}\nfn f() { g().unwrap() }\n",
            "src/store/x.rs:8: .unwrap() outside of tests",
        ),
    ];
    for (path, text, expected) in cases {
        assert_eq!(planted(path, &format!("{doc}{text}")), [expected], "{text}");
    }
    assert_eq!(
        planted("src/store/x.rs", "fn f() {}\n"),
        ["src/store/x.rs:1: no //! that says what the file is for"]
    );
    let long = format!("{doc}{}", "fn f() {}\n".repeat(LONGEST_FILE));
    assert_eq!(
        planted("src/store/x.rs", &long),
        ["src/store/x.rs:501: longer than 500 lines"]
    );
}

#[test]
fn what_is_allowed_is_not_reported() {
    let text = "#![allow(unused)]\n//! A file of the canary.\nuse crate::audit::A;\nuse crate::store::key;\n// g().unwrap() and todo!\n\
        fn f(s: &str) { self.expect(tag, s) }\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n    fn f() { g().unwrap() }\n}\n";
    assert_eq!(planted("src/store/x.rs", text), [""; 0]);
    assert_eq!(
        planted("src/compose.rs", "//! A file of the canary.\nfn f(s: SqliteStore) {}\n"),
        [""; 0]
    );
    assert_eq!(
        planted(
            "kmip-protocol/src/x.rs",
            "//! A file of the canary.\nconst V: Version = Version::V1_4;\n"
        ),
        [""; 0]
    );
}
