//! Another PIN for a token, interrupted at each step: whatever goes down, the server has the PIN that the token has.

use super::client::Application;
use super::office::{Office, value, words};
use claviger::custody::{Slab, token};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ADMINISTRATORS: [&str; 2] = ["alice", "bob"];
const OPERATORS: [&str; 2] = ["olga", "otto"];
const PROFILES: [&str; 3] = ["hsm", "profile", "list"];

/// A SoftHSM token behind the shim.
struct Hsm {
    module: PathBuf,
    folder: PathBuf,
}

impl Hsm {
    /// `None`, loudly, if SoftHSM is not installed.
    fn prepare(folder: &Path) -> Option<Self> {
        let Some(module) = token::find_module("softhsm") else {
            eprintln!("SKIPPED: SoftHSM2 is not installed (apt install softhsm2), PINs are NOT changed");
            return None;
        };
        token::configure_softhsm(folder).unwrap();
        let mut settings = token::softhsm_settings(&module, folder, "safe").unwrap();
        settings.command.program = env!("CARGO_BIN_EXE_claviger").into();
        let slab = Slab::new().unwrap();
        let (officer, user) = (slab.copy_from(b"officer").unwrap(), slab.copy_from(b"123456").unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime
            .block_on(token::initialize_token(&settings, &slab, &officer, &user))
            .unwrap();
        let hsm = Self {
            module,
            folder: folder.to_owned(),
        };
        hsm.script("");
        Some(hsm)
    }

    fn at(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// Tells the shim what goes wrong from now on, and has it begin a new log.
    fn script(&self, lines: &str) {
        let _ = std::fs::remove_file(self.at("log"));
        let text = format!("module {}\nlog {}\n{lines}\n", self.module.display(), self.at("log"));
        std::fs::write(self.at("script.new"), text).unwrap();
        std::fs::rename(self.at("script.new"), self.at("script")).unwrap();
    }

    fn until_called(&self, function: &str) {
        let begun = Instant::now();
        let called = || {
            let log = std::fs::read_to_string(self.at("log")).unwrap_or_default();
            log.lines().any(|line| line == function)
        };
        while !called() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{function} was never called");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SOFTHSM2_CONF", self.at("softhsm2.conf")),
            ("HSM_SHIM", self.at("script")),
        ]
    }
}

/// The shim, as cargo builds it beside the tests that depend on it.
fn shim() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().unwrap().join("libhsm_shim.so")
}

/// Has the PIN changed, and kills the server with `kill -9` once the token is asked for this.
fn killed_at(office: &mut Office, hsm: &Hsm, faults: &str, function: &str) {
    let asked = office.approve(ADMINISTRATORS, &words("hsm profile rotate-pin safe"), &PROFILES);
    hsm.script(faults);
    std::thread::scope(|scope| {
        let completing = scope.spawn(|| office.by("bob", &["proposal", "complete", &asked.id]));
        hsm.until_called(function);
        let killed = Command::new("kill").args(["-9", &office.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_ne!(completing.join().unwrap().code, 0, "it was not interrupted");
    });
    hsm.script("");
    office.restart();
    for person in ADMINISTRATORS {
        office.login(person).done();
    }
}

fn reads(office: &Office, key: &str) {
    let mut web = Application::connect(office, "web.pem", "web-key.pem");
    web.get(key).expect("the token's PIN is lost");
    web.create().unwrap();
}

fn answers(office: &Office) {
    let tested = office.by("alice", &["hsm", "profile", "test", "safe"]).done();
    assert_eq!(value(&tested, "Answers"), "true", "{tested}");
}

#[test]
fn a_change_of_pin_that_is_interrupted_anywhere_loses_no_pin() {
    let folder = crate::folder::in_memory();
    let Some(hsm) = Hsm::prepare(folder.path()) else { return };
    let settings = format!("\n[custody.modules]\nshim = {:?}\n", shim().to_str().unwrap());
    let mut office = Office::open_with(folder, &[], &settings, hsm.environment()).staff();
    office.found("acme", OPERATORS);
    let pin = office.file("safe.pin", "123456\n");
    let create = [
        "hsm", "profile", "create", "safe", "--module", "shim", "--token", "safe",
    ];
    let create: Vec<_> = create.into_iter().chain(["--pin-file", &pin]).collect();
    office.agree(ADMINISTRATORS, &create, &PROFILES);
    let link = words("hsm profile link safe --tenant acme");
    office.agree(ADMINISTRATORS, &link, &["tenant", "show", "acme"]);
    office.agree(OPERATORS, &words("kek create --profile safe"), &["kek", "list"]);
    office.by("olga", &["kek", "activate", "2"]).done();
    let key = Application::of(&office, "olga", "house").create().unwrap();

    // The new PIN is kept, and the token was not asked: it has the old one, and the server goes on with that.
    killed_at(&mut office, &hsm, "fault C_SetPIN hang", "C_SetPIN");
    reads(&office, &key);
    answers(&office);
    reads(&office, &key);

    // The token has taken it, and what asked for it dies before it can say so.
    let lost = office.approve(ADMINISTRATORS, &words("hsm profile rotate-pin safe"), &PROFILES);
    hsm.script("fault C_SetPIN wrong");
    office.by("bob", &["proposal", "complete", &lost.id]).done();
    hsm.script("");
    answers(&office);
    office.restart();
    for person in ADMINISTRATORS {
        office.login(person).done();
    }
    reads(&office, &key);

    // The token has taken it, and the server dies before its record says so.
    killed_at(
        &mut office,
        &hsm,
        "fault C_SetPIN wrong\nfault C_GenerateKey hang",
        "C_GenerateKey",
    );
    reads(&office, &key);
    answers(&office);
    office.restart();
    for person in ADMINISTRATORS.iter().chain(&OPERATORS) {
        office.login(person).done();
    }
    reads(&office, &key);
    answers(&office);

    // One that people choose; then the HSM's own administrator gives it another, which the server is told afterwards.
    let chosen = office.file("chosen.pin", "24681357\n");
    let rotate = ["hsm", "profile", "rotate-pin", "safe", "--new-pin-file", &chosen];
    let rotated = office.approve(ADMINISTRATORS, &rotate, &PROFILES);
    office.by("bob", &["proposal", "complete", &rotated.id]).done();
    std::fs::write(hsm.at("users"), "pin 24681357\nserver usage third\n").unwrap();
    hsm.script(&format!("users {}", hsm.at("users")));
    let third = office.file("third.pin", "server:third\n");
    let wrong = office.file("wrong.pin", "server:fourth\n");
    let told = words("hsm profile rotate-pin safe --stored-only --new-pin-file");
    for (file, right) in [(wrong.as_str(), false), (third.as_str(), true)] {
        let arguments: Vec<_> = told.iter().copied().chain([file]).collect();
        let asked = office.approve(ADMINISTRATORS, &arguments, &PROFILES);
        let ended = office.by("bob", &["proposal", "complete", &asked.id]);
        assert_eq!(ended.code == 0, right, "{}", ended.err);
    }
    reads(&office, &key);
    office.restart();
    reads(&office, &key);
}
