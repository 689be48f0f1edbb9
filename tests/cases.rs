//! The published cases that compute with keys, played against the server without a socket. `conformance play` plays all
//! of them over TLS; here those of the cryptographic operations stay within reach of a debugger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use claviger::compose;
use claviger::exchange::{ConnectionFacts, Exchange, Server, TlsFacts};
use claviger::identity::PeerCertificate;
use claviger::settings::Settings;
use conformance::case::{self, Case};
use conformance::play::{History, Outcome, Peer, play};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Families of cases that are played here, by the beginning of their names.
const FAMILIES: [&str; 14] = [
    "CS-AC-",
    "CS-BC-",
    "CS-RNG-M",
    "CS-RNG-O-1",
    "TC-DERIVEKEY",
    "TC-RSA-SIGN",
    "TC-WRAP",
    "TC-SENSITIVE",
    "TC-EXTRACTABLE",
    "TC-ECC",
    "TC_ECC",
    "TC_131",
    "TC_141",
    "AX-M",
];
/// Cases that do not pass, by the beginning of their names, and why.
const EXPECTED: [(&str, &str); 11] = [
    (
        "CS-BC-M-13-12",
        "the case prints a ciphertext under a vector that the server draws",
    ),
    (
        "CS-BC-M-13-14",
        "the case prints a ciphertext under a vector that the server draws",
    ),
    (
        "CS-BC-M-13-20",
        "the case prints a ciphertext under a vector that the server draws",
    ),
    (
        "CS-BC-M-6-12",
        "the ciphertext is not that of the key; later editions print the right one",
    ),
    ("CS-AC-M-3-12", "an Attribute without a name"),
    ("TC-DERIVEKEY-4-10", "requests and responses are out of order"),
    (
        "TC-WRAP-2-14",
        "a key whose mask lacks Unwrap Key is to unwrap; later editions set the bit",
    ),
    (
        "TC-WRAP-3-14",
        "a key whose mask lacks Unwrap Key is to unwrap; later editions set the bit",
    ),
    (
        "TC_ECC_2_1",
        "an encrypted PKCS#8 key is to be given out decrypted, without a password",
    ),
    (
        "TC_ECC_3_10",
        "a plain key that was registered is to be given out encrypted; the edition of 1.2 passes",
    ),
    (
        "TC-ECC-2",
        "an encrypted PKCS#8 key is to be given out decrypted, without a password",
    ),
];

struct Direct {
    runtime: Arc<Runtime>,
    server: Arc<Server>,
    facts: ConnectionFacts,
}

impl Peer for Direct {
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        Ok(self.runtime.block_on(self.server.answer(request.to_vec(), &self.facts)))
    }
}

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("CLAVIGER_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    folder.join("kmip/cases").is_dir().then_some(folder)
}

/// The server of a demonstration within this process, and a connection of its client. Its people made what is in it, in a process of its
/// own that has ended.
fn server(runtime: &Runtime, folder: &Path) -> (Server, ConnectionFacts) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_claviger"))
        .args(["demo", "--listen", "127.0.0.1:0", "--dir"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = lines.any(|line| line.unwrap().starts_with("ready on "));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(ready, "it ended before it was ready");
    let settings = Settings::read(&folder.join("claviger.toml"), []).unwrap();
    let parts = runtime.block_on(compose::open(&settings)).unwrap();
    let chain = std::fs::read_to_string(folder.join("client.pem")).unwrap();
    let facts = ConnectionFacts {
        connection: 1,
        peer: ([127, 0, 0, 1], 1).into(),
        listener: "cases".into(),
        certificate: Arc::new(PeerCertificate::read(certs::pem::certificates(&chain).unwrap()).unwrap()),
        tls: TlsFacts {
            version: "TLSv1.3",
            cipher: "-",
            group: "-",
            resumed: false,
        },
        roles: None,
    };
    (compose::server(parts), facts)
}

#[test]
fn published_cases_of_cryptography_pass() {
    let Some(shared) = shared() else {
        println!("SKIPPED: no published cases beside the project (CLAVIGER_SHARED)");
        return;
    };
    let only = std::env::var("CLAVIGER_CASE").ok();
    let folder = shared.join("kmip/cases");
    let data = tempfile::tempdir().unwrap();
    let runtime = Arc::new(Runtime::new().unwrap());
    let (server, facts) = server(&runtime, &data.path().join("data"));
    let server = Arc::new(server);
    let (mut passed, mut failed, mut history) = (0, Vec::new(), History::default());
    for file in case::files(&folder).unwrap() {
        let name = file
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        let wanted = match &only {
            Some(only) => name.contains(only),
            None => FAMILIES.iter().any(|family| name.starts_with(family)),
        };
        if !wanted || file.starts_with(folder.join("3.0")) {
            continue;
        }
        let Ok(case) = Case::read(&folder, &file) else { continue };
        let mut connect = |_: bool| -> Result<Box<dyn Peer>, String> {
            Ok(Box::new(Direct {
                runtime: runtime.clone(),
                server: server.clone(),
                facts: facts.clone(),
            }))
        };
        match play(&case, &mut history, &mut connect, &mut |_, _| {}) {
            Outcome::Passed => passed += 1,
            Outcome::Failed(_, _) if only.is_none() && EXPECTED.iter().any(|(case, _)| name.starts_with(case)) => {}
            Outcome::Failed(step, why) => failed.push(format!("{name} step {step}: {why}")),
            Outcome::Skipped(_) => {}
        }
    }
    println!("{passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Our own cases of administration, as far as a client can play them.
#[test]
fn our_cases_of_administration_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases");
    let data = tempfile::tempdir().unwrap();
    let runtime = Arc::new(Runtime::new().unwrap());
    let (server, facts) = server(&runtime, &data.path().join("data"));
    let server = Arc::new(server);
    let mut played = 0;
    for file in case::files(&folder).unwrap() {
        if !file.parent().is_some_and(|parent| parent.ends_with("administration")) {
            continue;
        }
        let case = Case::read(&folder, &file).unwrap();
        let mut connect = |_: bool| -> Result<Box<dyn Peer>, String> {
            Ok(Box::new(Direct {
                runtime: runtime.clone(),
                server: server.clone(),
                facts: facts.clone(),
            }))
        };
        match play(&case, &mut History::default(), &mut connect, &mut |_, _| {}) {
            Outcome::Passed => played += 1,
            Outcome::Failed(step, why) => panic!("{} step {step}: {why}", file.display()),
            Outcome::Skipped(why) => panic!("{} skipped: {why}", file.display()),
        }
    }
    assert!(played >= 3, "{played}");
}
