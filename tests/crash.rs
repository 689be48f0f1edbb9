//! What the disk keeps: every acknowledged key across `kill -9` in the middle of a load, and no key in clear anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use kmip_client::{Connection, Error, Identity, Settings};
use kmip_protocol::{
    Attribute, CreateRequest, CryptographicAlgorithm, CryptographicUsageMask, GetRequest, KeyBlock, KeyFormatType,
    KeyMaterial, KeyValue, ManagedObject, ObjectType, PlainKeyValue, RegisterRequest, SymmetricKey, UniqueIdentifier,
    Version,
};
use kmip_ttlv::Secret;
use rustls::ClientConfig;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often the server is killed; `CRASH_ROUNDS` in the environment overrides.
const ROUNDS: usize = 50;
/// Clients that create keys at the same time, so that a kill meets commits in every stage.
const CLIENTS: usize = 4;
/// Keys fetched anew from all rounds before, each round; the end fetches every one.
const SAMPLE: usize = 20;

/// A demonstration server in a process of its own.
struct Server {
    process: Child,
    settings: Settings,
    tls: Arc<ClientConfig>,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_claviger"))
            .args(["demo", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "ended before it was ready: {said}"
            );
            if let Some(address) = line.trim().strip_prefix("ready on ") {
                break address.to_owned();
            }
            said.push_str(&line);
        };
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self {
            process,
            settings: Settings::new(address),
            tls: Identity::in_folder(dir, "client").tls().unwrap(),
        }
    }

    fn connect(&self) -> Connection {
        Connection::open_with(&self.settings, Arc::clone(&self.tls)).unwrap()
    }

    /// `kill -9`.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn attributes() -> impl Iterator<Item = Attribute> {
    [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]
    .into_iter()
}

fn create(connection: &mut Connection) -> Result<String, Error> {
    let request = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: attributes().collect(),
        protection_storage_masks: None,
    };
    Ok(connection.call(Version::NEWEST, request)?.unique_identifier)
}

/// The bytes of a key.
fn fetch(connection: &mut Connection, key: &str) -> Result<Vec<u8>, Error> {
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.to_owned())),
        ..Default::default()
    };
    let answer = connection.call(Version::NEWEST, request)?;
    let ManagedObject::SymmetricKey(key) = answer.object else {
        panic!("no symmetric key")
    };
    let Some(KeyValue::Plain(value)) = key.key_block.key_value else {
        panic!("no key value")
    };
    let KeyMaterial::Bytes(bytes) = value.key_material else {
        panic!("no bytes")
    };
    Ok(bytes.expose().to_vec())
}

/// Creates keys on several connections, kills the server in the middle; gives the identifiers that were acknowledged.
fn load_and_kill(server: &mut Server, after: Duration) -> Vec<String> {
    let acknowledged = AtomicUsize::new(0);
    let connections: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = connections
            .into_iter()
            .map(|mut connection| {
                let acknowledged = &acknowledged;
                scope.spawn(move || {
                    let mut keys = Vec::new();
                    loop {
                        match create(&mut connection) {
                            Ok(key) => keys.push(key),
                            Err(Error::Failed { reason, message }) => panic!("{reason:?}: {message:?}"),
                            // The server is dead: what is in flight was never acknowledged.
                            Err(_) => return keys,
                        }
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let begun = Instant::now();
        while begun.elapsed() < after || acknowledged.load(Ordering::Relaxed) < CLIENTS {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing is acknowledged");
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn no_acknowledged_key_is_lost() {
    let rounds = std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut all: Vec<String> = Vec::new();
    let mut server = Server::start(&dir);
    for round in 0..rounds {
        // Not always at the same place in the writer's rhythm.
        let after = Duration::from_millis(40 + u64::try_from(round * 37 % 101).unwrap());
        let created = load_and_kill(&mut server, after);
        assert!(created.len() >= CLIENTS);
        server = Server::start(&dir);
        let mut connection = server.connect();
        let step = (all.len() / SAMPLE).max(1);
        for key in created.iter().chain(all.iter().skip(round % step).step_by(step)) {
            assert_eq!(fetch(&mut connection, key).unwrap().len(), 32, "{key}, round {round}");
        }
        all.extend(created);
    }
    let mut connection = server.connect();
    for key in &all {
        assert_eq!(fetch(&mut connection, key).unwrap().len(), 32, "{key}");
    }
    println!("{rounds} kills, {} acknowledged keys, none lost", all.len());
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The names of the files that have the bytes, in clear, in hexadecimal (both cases) or in Base64 at any alignment.
fn holding(dir: &Path, needle: &[u8]) -> Vec<String> {
    let lower: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![needle.to_vec(), lower.to_uppercase().into_bytes(), lower.into_bytes()];
    // What of Base64 does not depend on the bytes before and after.
    for offset in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(needle.iter().copied()).collect();
        let text = base64(&padded[..padded.len() / 3 * 3]);
        forms.push(text[if offset == 0 { 0 } else { 4 }..].to_vec());
    }
    let mut paths = Vec::new();
    files(dir, &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let held = |form: &Vec<u8>| bytes.windows(form.len()).any(|window| window == form);
        if forms.iter().any(held) {
            found.push(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[test]
fn a_planted_key_is_nowhere_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    // Everything is logged that can be.
    drop(Server::start(&dir));
    let config = dir.join("claviger.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    assert!(settings.contains("[log]\n"), "{settings}");
    std::fs::write(&config, settings.replace("[log]\n", "[log]\nlevel = \"trace\"\n")).unwrap();

    let planted: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(73) ^ 0xB7).collect();
    let server = Server::start(&dir);
    let mut connection = server.connect();
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: attributes().collect(),
        object: SymmetricKey {
            key_block: KeyBlock {
                key_format_type: KeyFormatType::Raw,
                key_compression_type: None,
                key_value: Some(KeyValue::Plain(PlainKeyValue {
                    key_material: KeyMaterial::Bytes(Secret::new(planted.clone())),
                    attributes: None,
                })),
                cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
                cryptographic_length: Some(256),
                key_wrapping_data: None,
            },
        }
        .into(),
        protection_storage_masks: None,
    };
    let identifier = connection.call(Version::NEWEST, request).unwrap().unique_identifier;
    assert_eq!(fetch(&mut connection, &identifier).unwrap(), planted);

    // Running, then killed, then started again and ended as it should: the log of the database moves in between.
    check(&dir, &planted, &identifier);
    let mut server = server;
    server.kill();
    check(&dir, &planted, &identifier);
    let server = Server::start(&dir);
    assert_eq!(fetch(&mut server.connect(), &identifier).unwrap(), planted);
    let number = server.process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &number])
            .status()
            .unwrap()
            .success()
    );
    let mut server = server;
    server.process.wait().unwrap();
    check(&dir, &planted, &identifier);
}

fn check(dir: &Path, planted: &[u8], identifier: &str) {
    assert_eq!(holding(dir, planted), Vec::<String>::new(), "the key is on disk");
    // The canary: a search that does not find what is there finds nothing.
    let found = holding(dir, identifier.as_bytes());
    assert!(
        found.iter().any(|file| file.starts_with("data/claviger.db")),
        "the identifier was not found: the search is blind; {found:?}"
    );
    assert!(dir.join("server.log").metadata().unwrap().len() > 0);
}

#[test]
fn the_search_finds_every_form() {
    let needle = [0xFB, 0x10, 0x9C, 0x55, 0x00, 0xE7, 0x31, 0x8A, 0x44, 0xD2, 0x6B, 0x13];
    let folder = tempfile::tempdir().unwrap();
    let raw = [&[9][..], &needle, &[9]].concat();
    let mut expected = vec![("raw".to_owned(), raw)];
    let text: String = needle.iter().map(|byte| format!("{byte:02X}")).collect();
    expected.push(("lower".to_owned(), format!("key={}!", text.to_lowercase()).into_bytes()));
    expected.push(("upper".to_owned(), text.into_bytes()));
    for before in 0..3 {
        // Padded to whole groups, as in the middle of a longer text.
        let around = [&vec![0x77; before][..], &needle, &[0x77; 3]].concat();
        expected.push((format!("base64-{before}"), base64(&around)));
    }
    for (name, bytes) in &expected {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    std::fs::write(folder.path().join("other"), [0; 100]).unwrap();
    let mut names: Vec<_> = expected.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(holding(folder.path(), &needle), names);
}
