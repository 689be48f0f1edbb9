//! Administration as its people meet it: by the command line alone, against a server in a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_claviger");

/// What a command ended with.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// The command did what it was asked.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The command ended with this code.
    #[track_caller]
    fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
}

/// An installation with two administrators, served.
struct Office {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kms");
        let init = [
            "init",
            "--administrators",
            "alice,bob",
            "--listen",
            "127.0.0.1:0",
            "--dir",
        ];
        let made = Command::new(PROGRAM).args(init).arg(&dir).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        #[allow(clippy::zombie_processes)] // waited for when it is dropped
        let mut server = Command::new(PROGRAM)
            .args(["serve", "--config"])
            .arg(dir.join("claviger.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "ended before it was ready");
            if let Some(address) = line.trim().strip_prefix("ready on ") {
                break address.to_owned();
            }
        };
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self {
            folder,
            server,
            address,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with this content.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.at(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .env("CLAVIGER_CLIENT_CONFIG", self.at("contexts/contexts.toml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// As this person.
    fn by(&self, person: &str, arguments: &[&str]) -> Ended {
        let all: Vec<_> = arguments.iter().chain(&["--context", person]).copied().collect();
        self.run(&all)
    }

    /// A context for this person, whose key and certificate lie in that folder.
    fn introduce(&self, person: &str, people: &str) {
        let (cert, key) = (format!("{people}/{person}.pem"), format!("{people}/{person}-key.pem"));
        let add = [
            "context",
            "add",
            person,
            "--address",
            &self.address,
            "--ca",
            "kms/ca.pem",
        ];
        let add: Vec<_> = add.into_iter().chain(["--cert", &cert, "--key", &key]).collect();
        self.run(&add).done();
    }
}

impl Office {
    /// The first login of somebody whose initial password is in that file: changes it.
    #[track_caller]
    fn arrive(&self, person: &str, initial: &str) {
        self.by(person, &["login", "--password-file", initial]).code(0);
        let chosen = self.file(
            &format!("{person}.chosen"),
            &format!("a long way from {}\n", initial.len()),
        );
        let change = [
            "person",
            "password",
            "--password-file",
            initial,
            "--new-password-file",
            &chosen,
        ];
        self.by(person, &change).done();
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_person_needs_certificate_and_password_and_changes_the_first_one() {
    let office = Office::open();
    office.introduce("alice", "kms/people");
    assert_eq!(office.run(&["context", "list"]).done().matches("* alice").count(), 1);
    assert_eq!(mode(&office.at("contexts/contexts.toml")), 0o600);

    // A certificate alone opens nothing; nor does a wrong password, or the right one with another's certificate.
    office.by("alice", &["tenant", "list"]).code(3);
    let wrong = office.file("wrong", "not-the-password\n");
    office.by("alice", &["login", "--password-file", &wrong]).code(3);
    let initial = "kms/people/alice.password";
    office
        .by("alice", &["login", "--person", "bob", "--password-file", initial])
        .code(3);

    let login = office.by("alice", &["login", "--password-file", initial]).code(0);
    assert!(login.err.contains("claviger person password"), "{}", login.err);
    assert_eq!(mode(&office.at("contexts/tickets")), 0o600);
    let ticket = std::fs::read_to_string(office.at("contexts/tickets")).unwrap();
    let ticket = ticket.trim().rsplit(' ').next().unwrap();
    assert!(!login.out.contains(ticket) && !login.err.contains(ticket));
    office.by("alice", &["tenant", "list"]).code(4);
    office.by("alice", &["logout"]).done();
    assert!(
        !std::fs::read_to_string(office.at("contexts/tickets"))
            .unwrap()
            .contains(ticket)
    );

    office.by("nobody", &["tenant", "list"]).code(5);
    office.run(&["tenant", "frobnicate"]).code(2);
}

#[test]
fn what_needs_no_server_asks_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completion", shell]).contains("proposal"), "{shell}");
    }
    run(&["manual", "man"]);
    assert!(folder.path().join("man/claviger-proposal-vote.1").exists());
    let fingerprint = run(&["person", "key", "ida"]);
    assert_eq!(fingerprint.trim().len(), 64);
    assert_eq!(mode(&folder.path().join("ida-key.pem")), 0o600);
    run(&[
        "certificate",
        "request",
        "app",
        "--private-key",
        "app-key.pem",
        "--request",
        "app.csr",
    ]);
    let request = std::fs::read_to_string(folder.path().join("app.csr")).unwrap();
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
}

#[test]
fn who_has_changed_the_first_password_sees_people_rules_and_permissions() {
    let office = Office::open();
    for person in ["alice", "bob"] {
        office.introduce(person, "kms/people");
        office.arrive(person, &format!("kms/people/{person}.password"));
    }
    // The initial one is good for nothing any more.
    office
        .by("alice", &["login", "--password-file", "kms/people/alice.password"])
        .code(3);
    let chosen = office.at("alice.chosen");
    let login = office
        .by("alice", &["login", "--password-file", chosen.to_str().unwrap()])
        .done();
    assert!(login.contains("0 proposals await your vote"), "{login}");

    let people = office.by("alice", &["person", "list"]).done();
    assert_eq!(people.matches("Administrator").count(), 2, "{people}");
    assert_eq!(people.matches("Active").count(), 2, "{people}");
    let policy = office.by("bob", &["policy", "show"]).done();
    assert!(
        policy.contains("2 of administrators") && policy.contains("computed again: the same"),
        "{policy}"
    );
    // What is shown can be put again.
    let xml = office.by("bob", &["policy", "show", "-o", "xml"]).done();
    let file = office.file("policy.xml", &xml);
    let would = office.by("bob", &["policy", "put", &file, "--dry-run"]).done();
    assert!(would.contains("policy") && would.contains("alice"), "{would}");
    for format in ["json", "yaml", "xml", "ttlv"] {
        assert!(
            office.by("bob", &["person", "show", "-o", format]).done().len() > 100,
            "{format}"
        );
    }
    office.by("bob", &["person", "show", "nobody"]).code(5);
}

/// A value in the lines that a command printed.
#[track_caller]
fn value(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn two_administrators_agree_on_a_third_and_never_one_alone() {
    let office = Office::open();
    for person in ["alice", "bob"] {
        office.introduce(person, "kms/people");
        office.arrive(person, &format!("kms/people/{person}.password"));
    }
    office.run(&["person", "key", "carol", "--folder", "made"]).done();
    let create = [
        "person",
        "create",
        "carol",
        "--role",
        "administrator",
        "--certificate",
        "made/carol.pem",
    ];
    let create: Vec<_> = create
        .into_iter()
        .chain(["--passwords", "made", "--reason", "she joins us"])
        .collect();
    let would: Vec<_> = create.iter().copied().chain(["--dry-run"]).collect();
    assert!(office.by("alice", &would).done().contains("bob"));
    assert!(!office.at("made/carol.password").exists());

    let proposed = office.by("alice", &create).code(7);
    let id = value(&proposed.out, "proposal");
    assert!(proposed.err.contains(&id), "{}", proposed.err);
    assert_eq!(mode(&office.at("made/carol.password")), 0o600);
    // The proposer has voted, and is one.
    assert_ne!(office.by("alice", &["proposal", "complete", &id]).code, 0);
    office.introduce("carol", "made");
    assert_ne!(
        office
            .by("carol", &["login", "--password-file", "made/carol.password"])
            .code,
        0
    );

    let waiting = office.by("bob", &["proposal", "list", "--mine"]).done();
    assert!(waiting.contains(&id) && waiting.contains("she joins us"), "{waiting}");
    let shown = office.by("bob", &["proposal", "show", &id]).done();
    assert!(
        shown.contains("PersonCreate") && shown.contains("CN=carol") && shown.contains("the same"),
        "{shown}"
    );
    assert!(shown.contains("commitment"), "a secret is not shown: {shown}");
    let voted = office.by("bob", &["proposal", "vote", &id, "--yes"]).done();
    assert_eq!(value(&voted, "state"), "Approved");
    office.by("bob", &["proposal", "complete", &id]).done();
    office
        .by("alice", &["proposal", "result", &value(&proposed.out, "correlation")])
        .done();
    office.arrive("carol", "made/carol.password");
    assert_eq!(
        office.by("carol", &["person", "list"]).done().matches("Active").count(),
        3
    );

    // A vote that was signed on another machine; then the others' veto.
    let delete = office.by("alice", &["person", "delete", "carol", "--yes"]).code(7);
    let id = value(&delete.out, "proposal");
    office
        .by("bob", &["proposal", "export", &id, "--file", "proposal"])
        .done();
    let sign = [
        "proposal",
        "sign",
        "proposal",
        "--vote",
        "vote",
        "--yes",
        "--cert",
        "kms/people/bob.pem",
    ];
    let sign: Vec<_> = sign.into_iter().chain(["--key", "kms/people/bob-key.pem"]).collect();
    office.run(&sign).done();
    assert_eq!(
        value(&office.by("bob", &["proposal", "import", "vote"]).done(), "state"),
        "Approved"
    );
    office
        .by("bob", &["proposal", "veto", &id, "--reason", "she stays"])
        .done();
    office.by("alice", &["proposal", "complete", &id]).code(8);
    office
        .by("alice", &["proposal", "result", &value(&delete.out, "correlation")])
        .code(8);

    // And the deletion that both want.
    let delete = office.by("alice", &["person", "delete", "carol", "--yes"]).code(7);
    let id = value(&delete.out, "proposal");
    office.by("bob", &["proposal", "vote", &id, "--yes"]).done();
    office.by("alice", &["proposal", "complete", &id]).done();
    assert_ne!(office.by("carol", &["person", "list"]).code, 0);
    // Two are left, and neither can go.
    assert_ne!(office.by("alice", &["person", "delete", "bob", "--yes"]).code, 0);
}
