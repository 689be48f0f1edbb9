//! An installation in a folder of its own, its server, and its people, each with a machine of their own: a folder for contexts and
//! tickets that no other person's commands look into.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_claviger");

/// Where the server's SoftHSM keeps its tokens, a folder for each.
pub const TOKENS: &str = "kms/data/softhsm/tokens";

/// The exit codes of the command line.
pub const FAILED: i32 = 1;
pub const USAGE: i32 = 2;
pub const UNKNOWN: i32 = 3;
pub const DENIED: i32 = 4;
pub const NOT_FOUND: i32 = 5;
pub const CONFLICT: i32 = 6;
pub const PENDING: i32 = 7;
pub const ENDED: i32 = 8;

/// What a command ended with.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The command did what it was asked.
    #[track_caller]
    pub fn done(self) -> String {
        self.code(0).out
    }

    /// The command ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
}

/// A request that others must agree to.
pub struct Proposed {
    pub id: String,
    pub correlation: String,
}

/// An installation that is served.
pub struct Office {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
    environment: Environment,
}

/// What a server has in its environment beside what everybody has.
type Environment = Vec<(&'static str, String)>;

impl Office {
    /// A fresh one with two administrators, alice and bob, who were never there yet. No tenant.
    pub fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), &[])
    }

    /// The same in a folder in which there is something already, with more for `init`.
    pub fn open_in(folder: tempfile::TempDir, more: &[&str]) -> Self {
        Self::open_with(folder, more, "", Vec::new())
    }

    /// The same, with more at the end of the settings and in the server's environment.
    pub fn open_with(folder: tempfile::TempDir, more: &[&str], settings: &str, environment: Environment) -> Self {
        let dir = folder.path().join("kms");
        let init = [
            "init",
            "--administrators",
            "alice,bob",
            "--listen",
            "127.0.0.1:0",
            "--dir",
        ];
        let made = Command::new(PROGRAM)
            .args(init)
            .arg(&dir)
            .args(more)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let path = dir.join("claviger.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + settings).unwrap();
        let (server, address) = Self::serve(&path, &environment);
        Self {
            folder,
            server,
            address,
            environment,
        }
    }

    fn serve(settings: &Path, environment: &Environment) -> (Child, String) {
        #[allow(clippy::zombie_processes)] // waited for when it is dropped
        let mut server = Command::new(PROGRAM)
            .args(["serve", "--config"])
            .arg(settings)
            .envs(environment.iter().map(|(name, value)| (name, value)))
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
        (server, address)
    }

    /// The same, with alice and bob at work.
    pub fn staffed() -> Self {
        Self::open().staff()
    }

    pub fn staff(self) -> Self {
        for person in ["alice", "bob"] {
            self.introduce(person, "kms/people");
        }
        self.arrive_together(&["alice", "bob"], "kms/people");
        self
    }

    /// The same, with the tenant acme, whose operators olga and otto are at work.
    pub fn with_tenant() -> Self {
        let office = Self::staffed();
        office.found("acme", ["olga", "otto"]);
        office
    }

    /// With alice and bob at work, and KEKs in a SoftHSM of its own; none where there is no SoftHSM.
    pub fn on_a_token() -> Option<Self> {
        if claviger::custody::token::find_module("softhsm").is_none() {
            eprintln!("SKIPPED: there is no SoftHSM2 here, so that KEKs in tokens are not tried");
            return None;
        }
        Some(Self::open_in(crate::folder::in_memory(), &["--hsm", "softhsm"]).staff())
    }

    /// Prepares one more token in the server's SoftHSM, as whoever administers the HSM does, with the PIN in the file `LABEL.pin`, and says
    /// in which folder it lies.
    #[track_caller]
    pub fn token(&self, label: &str, pin: &str) -> PathBuf {
        let tokens = self.at(TOKENS);
        let there = || -> Vec<PathBuf> {
            let entries = std::fs::read_dir(&tokens).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let before = there();
        let made = Command::new("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                label,
                "--pin",
                pin,
                "--so-pin",
                "56785678",
            ])
            .env("SOFTHSM2_CONF", self.at("kms/data/softhsm/softhsm2.conf"))
            .output()
            .expect("softhsm2-util comes with SoftHSM2");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.file(&format!("{label}.pin"), &format!("{pin}\n"));
        let made = there().into_iter().find(|path| !before.contains(path));
        made.expect("a token was made")
    }

    /// Makes a tenant with two operators, whose keys lie in the folder of its name, and has them arrive.
    #[track_caller]
    pub fn found(&self, tenant: &str, operators: [&str; 2]) -> Proposed {
        self.found_with(tenant, operators, &[])
    }

    /// The same with as many operators as are named, and with more for `tenant create`.
    #[track_caller]
    pub fn found_with<const N: usize>(&self, tenant: &str, operators: [&str; N], more: &[&str]) -> Proposed {
        let named = operators.map(|operator| {
            self.run(&["person", "key", operator, "--folder", tenant]).done();
            format!("{operator}={tenant}/{operator}.pem")
        });
        let create = ["tenant", "create", tenant, "--passwords", tenant];
        let people = named.iter().flat_map(|named| ["--operator", named]);
        let create: Vec<_> = create.into_iter().chain(people).chain(more.iter().copied()).collect();
        let made = self.agree(["alice", "bob"], &create, &["tenant", "list"]);
        for operator in operators {
            self.introduce(operator, tenant);
        }
        self.arrive_together(&operators, tenant);
        made
    }

    /// Ends the server and starts it again, where it was.
    pub fn restart(&mut self) {
        self.restart_after(|_| {});
    }

    /// The same, with something done to its files meanwhile.
    pub fn restart_after(&mut self, act: impl FnOnce(&Path)) {
        self.stop();
        act(self.folder.path());
        let settings = self.at("kms/claviger.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, text.replace("127.0.0.1:0", &self.address)).unwrap();
        (self.server, self.address) = Self::serve(&settings, &self.environment);
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// What two people do together, and neither alone: nothing of `look` changes before the second has agreed and somebody has it
    /// carried out.
    #[track_caller]
    pub fn agree(&self, by: [&str; 2], arguments: &[&str], look: &[&str]) -> Proposed {
        let before = self.by(by[0], look).done();
        let proposed = self.approve(by, arguments, look);
        self.by(by[1], &["proposal", "complete", &proposed.id]).done();
        assert_ne!(self.by(by[0], look).done(), before, "{arguments:?} agreed to");
        proposed
    }

    /// What two agree to although it cannot be done: it ends with this code, and nothing of `look` has changed.
    #[track_caller]
    pub fn agree_in_vain(&self, by: [&str; 2], arguments: &[&str], look: &[&str], code: i32) -> Proposed {
        let before = self.by(by[0], look).done();
        let proposed = self.approve(by, arguments, look);
        self.by(by[1], &["proposal", "complete", &proposed.id]).code(code);
        assert_eq!(self.by(by[0], look).done(), before, "{arguments:?} failed");
        proposed
    }

    /// Gets a request as far as approved, and tries on the way what one person must not be able to do.
    #[track_caller]
    pub fn approve(&self, [first, second]: [&str; 2], arguments: &[&str], look: &[&str]) -> Proposed {
        let before = self.by(first, look).done();
        let proposed = self.propose(first, arguments);
        let id = proposed.id.as_str();
        // The proposer's vote was cast with the request. It is one, however often it is cast; within the second it was cast in, the same
        // statement is refused as cast before.
        self.by(first, &["proposal", "complete", id]).code(DENIED);
        let again = self.by(first, &["proposal", "vote", id, "--yes"]);
        assert!(
            again.code == FAILED || value(&again.out, "state") == "Open",
            "{}",
            again.out
        );
        self.by(first, &["proposal", "complete", id]).code(DENIED);
        let result = ["proposal", "result", &proposed.correlation];
        self.by(first, &result).code(PENDING);
        assert_eq!(self.by(first, look).done(), before, "{arguments:?} by {first} alone");

        let waiting = self.by(second, &["proposal", "list", "--mine"]).done();
        assert!(waiting.contains(id), "{waiting}");
        let voted = self.by(second, &["proposal", "vote", id, "--yes"]).done();
        assert_eq!(value(&voted, "state"), "Approved");
        assert_eq!(
            self.by(first, look).done(),
            before,
            "{arguments:?} before it is completed"
        );
        proposed
    }

    /// Asks for what others must agree to.
    #[track_caller]
    pub fn propose(&self, person: &str, arguments: &[&str]) -> Proposed {
        let ended = self.by(person, arguments).code(PENDING);
        let id = value(&ended.out, "proposal");
        assert!(ended.err.contains(&id), "{}", ended.err);
        Proposed {
            id,
            correlation: value(&ended.out, "correlation"),
        }
    }

    /// Invites a person, by two who may, and has it arrive. Its key lies in the folder.
    #[track_caller]
    pub fn invite(&self, by: [&str; 2], person: &str, role: &str, folder: &str) -> Proposed {
        self.run(&["person", "key", person, "--folder", folder]).done();
        let certificate = format!("{folder}/{person}.pem");
        let create = [
            "person",
            "create",
            person,
            "--role",
            role,
            "--certificate",
            &certificate,
        ];
        let create: Vec<_> = create.into_iter().chain(["--passwords", folder]).collect();
        let invited = self.agree(by, &create, &["person", "list"]);
        self.introduce(person, folder);
        self.arrive(person, &format!("{folder}/{person}.password"));
        invited
    }

    /// A path below the office's folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with this content.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.at(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The server's process.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A command of nobody in particular.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_at("nobody", arguments)
    }

    /// A command on this person's machine.
    pub fn run_at(&self, person: &str, arguments: &[&str]) -> Ended {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .env("CLAVIGER_CLIENT_CONFIG", self.home(person).join("contexts.toml"))
            .env("SOFTHSM2_CONF", self.at("softhsm2.conf"))
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

    /// Where a person's contexts and tickets are.
    pub fn home(&self, person: &str) -> PathBuf {
        self.at("homes").join(person)
    }

    /// As this person.
    pub fn by(&self, person: &str, arguments: &[&str]) -> Ended {
        let all: Vec<_> = arguments.iter().chain(&["--context", person]).copied().collect();
        self.run_at(person, &all)
    }

    /// A context for this person, whose key and certificate lie in that folder.
    pub fn introduce(&self, person: &str, people: &str) {
        let key = format!("{people}/{person}-key.pem");
        self.introduce_with(person, &format!("{people}/{person}.pem"), &key);
    }

    /// A context for this person, whose key may be elsewhere.
    pub fn introduce_with(&self, person: &str, cert: &str, key: &str) {
        let add = [
            "context",
            "add",
            person,
            "--address",
            &self.address,
            "--ca",
            "kms/ca.pem",
        ];
        let add: Vec<_> = add.into_iter().chain(["--cert", cert, "--key", key]).collect();
        self.run_at(person, &add).done();
    }

    /// The first login of somebody whose initial password is in that file: changes it.
    #[track_caller]
    pub fn arrive(&self, person: &str, initial: &str) {
        let login = self.by(person, &["login", "--password-file", initial]).code(0);
        assert!(login.err.contains("claviger person password"), "{}", login.err);
        // Another one each time: what was used before is refused.
        let given = std::fs::read_to_string(self.at(initial)).unwrap();
        let chosen = self.file(&chosen(person), &format!("a long way from {}\n", &given[..5]));
        let files = ["--password-file", initial, "--new-password-file", &chosen];
        let change: Vec<_> = ["person", "password"].into_iter().chain(files).collect();
        self.by(person, &change).done();
    }

    /// The first logins of several, side by side: a password takes its time to judge.
    #[track_caller]
    pub fn arrive_together(&self, people: &[&str], folder: &str) {
        std::thread::scope(|scope| {
            for person in people {
                scope.spawn(move || self.arrive(person, &format!("{folder}/{person}.password")));
            }
        });
    }

    /// A new session of somebody who has arrived.
    #[track_caller]
    pub fn login(&self, person: &str) -> Ended {
        let password = self.at(&chosen(person));
        self.by(person, &["login", "--password-file", password.to_str().unwrap()])
    }

    /// All that an auditor sees, oldest first.
    #[track_caller]
    pub fn trail(&self, auditor: &str) -> Trail {
        let (mut text, mut after) = (String::new(), "0".to_owned());
        loop {
            let piece = self.by(auditor, &["audit", "tail", "--after", &after]).done();
            let Some(last) = piece
                .lines()
                .rfind(|line| line.starts_with(|c: char| c.is_ascii_digit()))
            else {
                return Trail(text);
            };
            last.split_whitespace().next().unwrap().clone_into(&mut after);
            text.push_str(&piece);
        }
    }
}

/// The file of the password that a person chose.
fn chosen(person: &str) -> String {
    format!("{person}.chosen")
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What an auditor was shown.
pub struct Trail(pub String);

impl Trail {
    /// There is a record of this operation that says all this: a result, what was acted upon, a proposal.
    #[track_caller]
    pub fn has(&self, operation: &str, says: &[&str]) {
        let found = self.0.lines().any(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.contains(&operation) && says.iter().all(|text| line.contains(text))
        });
        assert!(found, "no record of {operation} with {says:?}:\n{}", self.0);
    }

    /// What two agreed to is there: as a request that was put to a vote, the votes, the order to carry it out, and as done.
    #[track_caller]
    pub fn has_agreed(&self, operation: &str, proposed: &Proposed) {
        let id = proposed.id.as_str();
        self.has(operation, &["OperationPending", id]);
        self.has("ProposalVote", &["Success", id]);
        self.has("ProposalComplete", &["Success", id]);
        self.has(operation, &["Success", id, "proposal: Executed"]);
    }
}

/// A line of arguments none of which has a space.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A value in the lines that a command printed.
#[track_caller]
pub fn value(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.split_whitespace().nth(1).unwrap().to_owned()
}

pub fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}
