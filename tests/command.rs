//! The command as its user meets it: the demonstration, an installation, the signals, and what it says when it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_claviger");

/// A server in a process of its own.
struct Server {
    process: Child,
    address: String,
    said: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        #[allow(clippy::zombie_processes)] // waited for when it is dropped
        let mut process = Command::new(PROGRAM)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "ended before it was ready: {said}"
            );
            if let Some(address) = line.trim().strip_prefix("ready on ") {
                let address = address.to_owned();
                std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
                return Self { process, address, said };
            }
            said.push_str(&line);
        }
    }

    fn signal(&self, name: &str) {
        let number = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &number]).status().unwrap().success());
    }

    /// Ends it by SIGTERM; gives whether it said that all was well.
    fn end(mut self) -> bool {
        self.signal("-TERM");
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.success();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "SIGTERM does not end it");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kmip(&self, dir: &Path, client: &str, arguments: &[&str]) -> Output {
        Command::new(PROGRAM)
            .args(["kmip", "--address", &self.address, "--client", client, "--dir"])
            .arg(dir)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The value in the last line of an answer that must be a success.
    fn ask(&self, dir: &Path, client: &str, arguments: &[&str]) -> String {
        let output = self.kmip(dir, client, arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text.split_whitespace().last().unwrap().to_owned()
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn fails(arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_demonstration_leaves_what_it_says_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let arguments = ["demo", "--dir", &text(&dir), "--listen", "127.0.0.1:0"].map(str::to_owned);
    let arguments = arguments.each_ref().map(String::as_str);
    let server = Server::start(&arguments);
    let files = [
        "ca.pem",
        "ca-key.pem",
        "client.pem",
        "client-key.pem",
        "other-client.pem",
        "other-client-key.pem",
        "pykmip.conf",
        "claviger.toml",
        "data",
        "server.log",
        "server.pid",
    ];
    for file in files {
        assert!(dir.join(file).exists(), "{file}");
    }
    assert_eq!(server.said.matches("python3 -c").count(), 3);
    let number = std::fs::read_to_string(dir.join("server.pid")).unwrap();
    assert_eq!(number.trim(), server.process.id().to_string());
    let port = server.address.rsplit(':').next().unwrap();
    assert!(
        std::fs::read_to_string(dir.join("pykmip.conf"))
            .unwrap()
            .contains(&format!("port={port}\n"))
    );
    use std::os::unix::fs::PermissionsExt as _;
    for file in [
        "ca-key.pem",
        "client-key.pem",
        "other-client-key.pem",
        "data/server-key.pem",
        "data/root.key",
    ] {
        assert_eq!(
            dir.join(file).metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{file}"
        );
    }

    let key = server.ask(&dir, "client", &["create", "--name", "first"]);
    assert_eq!(server.ask(&dir, "client", &["locate"]), key);
    assert_eq!(
        server.ask(&dir, "other-client", &["locate"]),
        "0",
        "another tenant sees nothing"
    );
    assert!(!server.kmip(&dir, "other-client", &["get", &key]).status.success());
    server.signal("-HUP");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.ask(&dir, "client", &["locate"]), key);
    assert!(fails(&["serve", "--config", &text(&dir.join("claviger.toml"))]).contains("another process"));
    let settings = std::fs::read_to_string(dir.join("claviger.toml")).unwrap();
    assert!(settings.contains("demo = true"), "{settings}");
    assert!(server.end());
    assert!(!dir.join("server.pid").exists());

    let again = Server::start(&arguments);
    assert_eq!(again.ask(&dir, "client", &["locate"]), key, "the folder is used again");
    assert!(again.end());
    let log = std::fs::read_to_string(dir.join("server.log")).unwrap();
    assert_eq!(log.matches(" ready ").count(), 2, "{log}");
    assert!(fails(&["demo", "--dir", &text(&dir), "--hsm", "softhsm"]).contains("without a token"));
}

/// What a command ends with that is given as one of a demonstration's people.
fn person(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env("CLAVIGER_CLIENT_CONFIG", dir.join("people/contexts.toml"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_people_of_a_demonstration_have_made_its_tenants_and_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let arguments = ["demo", "--dir", &text(&dir), "--listen", "127.0.0.1:0"].map(str::to_owned);
    let arguments = arguments.each_ref().map(String::as_str);
    let server = Server::start(&arguments);
    let done = |arguments: &[&str]| {
        let output = person(&dir, arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{why}");
        said
    };
    for name in ["alice", "bob", "olga", "otto", "paula", "peter"] {
        let password = text(&dir.join(format!("people/{name}.password")));
        done(&["login", "--context", name, "--password-file", &password]);
    }
    let status = done(&["status", "--context", "alice"]);
    assert!(status.contains("DEMO: one person holds all keys"), "{status}");
    let tenants = done(&["tenant", "list", "--context", "bob"]);
    assert!(tenants.contains("demo") && tenants.contains("other"), "{tenants}");
    // Each was proposed, agreed to by two, and carried out.
    let proposals = done(&["proposal", "list", "--context", "alice"]);
    assert_eq!(proposals.matches("TenantCreate").count(), 2, "{proposals}");
    // As were the share keys of those who agree.
    assert_eq!(proposals.matches("ShareKeyPut").count(), 2, "{proposals}");
    assert_eq!(proposals.matches("Executed").count(), 4, "{proposals}");
    assert!(done(&["client", "list", "--context", "otto"]).contains("client"));
    assert!(done(&["client", "list", "--context", "peter"]).contains("client"));
    // One operator alone brings nobody in.
    let certificate = text(&dir.join("client.pem"));
    let create = [
        "person",
        "create",
        "mallory",
        "--role",
        "operator",
        "--certificate",
        &certificate,
    ];
    let create: Vec<_> = create.into_iter().chain(["--context", "olga"]).collect();
    assert_eq!(person(&dir, &create).status.code(), Some(7));
    assert!(server.end());
}

#[test]
fn a_demonstration_that_was_killed_half_made_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let arguments = ["demo", "--dir", &text(&dir), "--listen", "127.0.0.1:0"].map(str::to_owned);
    let arguments = arguments.each_ref().map(String::as_str);
    // While nobody has logged in, and while there is a tenant without a client.
    for half in ["administrators", "operators"] {
        let mut process = Command::new(PROGRAM)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let come = lines.any(|line| line.unwrap().starts_with(half));
        // It stands still, so that it does not come to its end meanwhile.
        let number = process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-STOP", &number])
                .status()
                .unwrap()
                .success()
        );
        let second = Command::new(PROGRAM).args(arguments).output().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(come, "it never came to its {half}");
        // Nobody takes away what another process is making.
        assert!(!second.status.success());
        assert!(dir.join("unfinished").exists() && dir.join("claviger.toml").exists());
    }
    let server = Server::start(&arguments);
    assert!(!dir.join("unfinished").exists());
    let key = server.ask(&dir, "client", &["create"]);
    assert_eq!(server.ask(&dir, "other-client", &["locate"]), "0");
    assert!(server.end());
    let again = Server::start(&arguments);
    assert_eq!(again.ask(&dir, "client", &["locate"]), key);
    assert!(again.end());
}

#[test]
fn an_installation_is_made_once_checked_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kms");
    let (dir_text, config) = (text(&dir), text(&dir.join("claviger.toml")));
    let alone = ["init", "--dir", &dir_text, "--administrators", "alice"];
    assert!(fails(&alone).contains("at least 2 administrators"));
    let administrators = ["--administrators", "alice,bob"];
    let init = ["init", "--dir", &dir_text];
    let init: Vec<_> = init.into_iter().chain(administrators).collect();
    assert!(Command::new(PROGRAM).args(&init).output().unwrap().status.success());
    assert!(fails(&init).contains("already"));
    let elsewhere = text(&folder.path().join("x"));
    assert!(fails(&["init", "--dir", &elsewhere, "--administrators", "alice,../x"]).contains("name"));
    let check = ["serve", "--config", &config, "--check"];
    assert!(Command::new(PROGRAM).args(check).output().unwrap().status.success());
    let server = Server::start(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]);
    // There is nobody in it yet but those who administer, and they have no keys.
    assert!(!server.kmip(&dir, "people/alice", &["create"]).status.success());
    assert!(server.end());

    let mut settings = std::fs::read_to_string(&config).unwrap();
    settings.insert_str(0, "colour = \"red\"\n");
    std::fs::write(&config, settings).unwrap();
    assert!(fails(&check).contains("colour"));
    assert!(fails(&["serve", "--config", &text(&dir.join("none.toml"))]).contains("none.toml"));
}

#[test]
fn a_token_keeps_the_keks_of_a_demonstration() {
    let module = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];
    if !module.iter().any(|path| Path::new(path).exists()) {
        println!("SKIPPED: SoftHSM2 is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let arguments = [
        "demo",
        "--dir",
        &text(&dir),
        "--listen",
        "127.0.0.1:0",
        "--hsm",
        "softhsm",
    ]
    .map(str::to_owned);
    let arguments = arguments.each_ref().map(String::as_str);
    let server = Server::start(&arguments);
    assert!(server.said.contains("PKCS#11 token"));
    let key = server.ask(&dir, "client", &["create"]);
    assert!(server.end());
    let again = Server::start(&arguments);
    assert!(again.kmip(&dir, "client", &["get", "--reveal", &key]).status.success());
    assert!(!dir.join("data/keks").exists(), "no key file");
    assert!(again.end());
}
