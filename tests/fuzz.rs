//! The functions that the fuzz targets call (`fuzz/`), on a stable toolchain: they compile, each has its target, and each survives some
//! thousand inputs that are like what it is for and are not quite that. The same inputs each time: to find what is new is a fuzzer's task.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)] // a test
#![allow(missing_docs, unreachable_pub, clippy::must_use_candidate, clippy::pedantic)] // what is included has lints of its own

#[path = "../fuzz/src/lib.rs"]
mod targets;

use certs::{CertificateAuthority, CertificateRequest, KeyKind, Leaf, PrivateKey, Subject, Usage, Validity};
use kmip_protocol::KmipVocabulary;
use kmip_ttlv::Encoding;
use std::fs;
use std::path::{Path, PathBuf};

/// Inputs of each target.
const ROUNDS: usize = 3_000;

/// Those of targets that compute long with some inputs.
const FEW: usize = 300;

/// The longest input, in bytes.
const LONGEST: usize = 4_096;

/// xorshift64*: the same numbers in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let rolled = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(rolled).unwrap() % below.max(1)
    }

    /// A seed with some things wrong.
    fn spoil(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.roll(seeds.len())].clone();
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.roll(8),
                1 if at < bytes.len() => bytes[at] = [0, 0x7F, 0x80, 0xFF][self.roll(4)],
                2 => bytes.truncate(at),
                3 => bytes.insert(at, u8::try_from(self.roll(256)).unwrap()),
                4 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + self.roll(8)).min(bytes.len()))),
                5 => {
                    let other = &seeds[self.roll(seeds.len())];
                    let from = self.roll(other.len() + 1);
                    bytes.splice(at.., other[from..].iter().copied());
                }
                _ => {
                    let to = (at + self.roll(32)).min(bytes.len());
                    let again = bytes[at..to].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }
}

fn play(target: fn(&[u8]), rounds: usize, seeds: &[Vec<u8>]) {
    let mut dice = Dice(0x5EED);
    seeds.iter().for_each(|seed| target(seed));
    for _ in 0..rounds {
        let input = dice.spoil(seeds);
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("{}", input.escape_ascii());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The requests of this project's own cases, in XML.
fn requests() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("conformance/cases")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                let text = fs::read_to_string(&path).unwrap();
                let pieces = text.split("<RequestMessage>").skip(1);
                let whole = pieces.filter_map(|piece| piece.split_once("</RequestMessage>"));
                found
                    .extend(whole.map(|(inside, _)| format!("<RequestMessage>{inside}</RequestMessage>").into_bytes()));
            }
        }
    }
    found.retain(|request| request.len() < LONGEST);
    assert!(found.len() > 50, "{}", found.len());
    found
}

/// With a first byte that says what the rest is.
fn kinds(kind: u8, seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| [&[kind][..], seed].concat()).collect()
}

/// The same messages in other encodings, as far as their placeholders let them be read.
fn encoded(texts: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let read = |text: &Vec<u8>| Encoding::Xml.read(text, &KmipVocabulary, 65_536).ok();
    let ttlv: Vec<Vec<u8>> = texts.iter().filter_map(read).map(|bytes| bytes.to_vec()).collect();
    let json = ttlv
        .iter()
        .map(|bytes| Encoding::Json.write(bytes.clone(), &KmipVocabulary).unwrap().to_vec());
    let json = json.collect();
    assert!(!ttlv.is_empty());
    (ttlv, json)
}

#[test]
fn messages_in_every_encoding() {
    let xml = requests();
    let (ttlv, json) = encoded(&xml);
    play(targets::binary, ROUNDS, &ttlv);
    play(targets::frame, ROUNDS, &kinds(7, &ttlv));
    let known = br#"<KMIP><Message><AttributeName type="TextString" value="Mask"/><AttributeValue type="Integer" value="One 0x8"/></Message></KMIP>"#;
    play(targets::xml, ROUNDS, &[known.to_vec(), xml[0].clone()]);
    let known = br#"{"tag":"Message","value":[{"tag":"0x42000D","type":"LongInteger","value":"0x1"},{"tag":"Vendor","name":"a","type":"Boolean","value":true}]}"#;
    play(targets::json, ROUNDS, &[known.to_vec(), json[0].clone()]);
    let all = [kinds(0, &ttlv), kinds(1, &xml), kinds(2, &json)].concat();
    play(targets::message, ROUNDS, &all);
}

#[test]
fn certificates_requests_and_lists() {
    let validity = Validity::days(1_700_000_000, 100);
    let ca = CertificateAuthority::create(&Subject::named("ca"), validity, KeyKind::P256).unwrap();
    let leaf = Leaf {
        subject: Subject::named("leaf"),
        alternative_names: vec![certs::AlternativeName::Dns("host.example".into())],
        usage: Usage::Client,
        validity,
    };
    let (certificate, key) = ca.issue(&leaf, KeyKind::P256).unwrap();
    let request = CertificateRequest::create(&Subject::named("x"), &leaf.alternative_names, &key).unwrap();
    let revoked = certs::Revocation {
        serial: vec![1],
        time: 1_700_000_000,
        reason: certs::RevocationReason::Unspecified,
    };
    let list = ca.revocation_list(1, 1_700_000_000, 1_700_600_000, &[revoked]).unwrap();
    let pems = [
        certs::pem::write_certificate(&certificate),
        certs::pem::write_request(&request),
        certs::pem::write_revocation_list(&list),
    ];
    let pems = pems.map(String::into_bytes);
    play(
        targets::certificate,
        ROUNDS,
        &[certificate.clone(), ca.certificate().to_vec()],
    );
    let requests = [
        kinds(0, std::slice::from_ref(&request)),
        kinds(1, &[request]),
        kinds(2, &pems),
    ]
    .concat();
    play(targets::request, ROUNDS, &requests);
    play(targets::revocation_list, ROUNDS, &[list]);
    play(targets::pem, ROUNDS, &pems);
}

#[test]
fn keys_and_shares() {
    let ec = PrivateKey::generate(KeyKind::P256).unwrap();
    let (private, public) = (ec.to_der().to_vec(), ec.public_key_info());
    let each = |seed: &Vec<u8>| {
        (0..6)
            .flat_map(|kind| kinds(kind, std::slice::from_ref(seed)))
            .collect::<Vec<_>>()
    };
    play(targets::private_key, FEW, &each(&private));
    play(targets::public_key, FEW, &each(&public));
    let digits = b"00112233-44556677 8899aabbccddeeff".to_vec();
    play(targets::share, ROUNDS, &[digits, private, public]);
    // What is no bundle: to make one takes another program.
    play(
        targets::pkcs12,
        FEW,
        &[b"\x08password0\x82\x01\x00\x02\x01\x030\x80".to_vec()],
    );
}

#[test]
fn files_and_words() {
    let backup = b"CLAVIGER KEK BACKUP 1\n1  AAAA AAAA AAAA  AAAA\n".to_vec();
    play(targets::backup, ROUNDS, &[backup]);
    let token = format!(
        "claviger legacy token 1\ntenant: acme\nname: safe\ntoken: {}\nthreshold: 2\nshares: 2\nkdf: HKDF-SHA-256\ncipher: AES-256-GCM\nshare 1: {}\nshare 2: {}\n",
        "0a".repeat(16),
        "0b".repeat(32),
        "0c".repeat(32)
    );
    assert!(claviger::custody::legacy::LegacyToken::read_header(&token).is_ok());
    play(targets::legacy_token, ROUNDS, &[token.into_bytes()]);
    let policy =
        b"seasoning = \"24h\"\nfewest-people = 2\n[[rule]]\nname = \"two\"\n[rule.match]\noperations = [\"Get\"]\n"
            .to_vec();
    play(
        targets::policy,
        ROUNDS,
        &[
            policy,
            b"<Policy/>".to_vec(),
            b"{\"tag\":\"Policy\",\"value\":[]}".to_vec(),
        ],
    );
    let settings = b"data = \"/var/lib/claviger\"\n[listener]\naddress = \"127.0.0.1:5696\"\ncertificate = \"a\"\nkey = \"b\"\n[outbox]\nallow = [\"10.0.0.0/8:5696\"]\n".to_vec();
    play(targets::settings, ROUNDS, &[settings]);
    let addresses = [
        "10.0.0.0/8:5696",
        "[fd00::]/8:*",
        "kms.example:5696",
        "[::1]:1",
        "192.0.2.0/24",
    ];
    play(
        targets::address,
        ROUNDS,
        &addresses.map(|text| text.as_bytes().to_vec()),
    );
}

/// What would be told if something were wrong.
#[test]
fn the_canary_is_found() {
    let seed = b"\x42\x00\x78\x06\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00".to_vec();
    let found = std::panic::catch_unwind(|| play(targets::canary, ROUNDS, &[seed]));
    assert!(found.is_err());
}

/// Each function has its target, each target is built and run, and there are no others.
#[test]
fn each_function_is_a_target() {
    let read = |name: &str| fs::read_to_string(root().join("fuzz").join(name)).unwrap();
    let functions = [read("src/lib.rs"), read("src/outside.rs")].concat();
    let functions = functions.lines().filter_map(|line| line.strip_prefix("pub fn "));
    let mut functions: Vec<&str> = functions
        .filter_map(|line| line.split_once('('))
        .map(|(name, _)| name)
        .collect();
    functions.sort_unstable();
    let manifest = read("Cargo.toml");
    let script = read("run");
    let listed = script.lines().find_map(|line| line.strip_prefix("targets=(")).unwrap();
    let listed: Vec<&str> = listed.trim_end_matches(')').split(' ').collect();
    let played = fs::read_to_string(root().join("tests/fuzz.rs")).unwrap();
    for name in &functions {
        assert!(
            manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")),
            "{name}"
        );
        assert!(
            read(&format!("targets/{name}.rs")).contains(&format!("claviger_fuzz::{name}(bytes)")),
            "{name}"
        );
        assert!(*name == "canary" || listed.contains(name), "{name}");
        assert!(played.contains(&format!("targets::{name},")), "{name}");
    }
    let files = fs::read_dir(root().join("fuzz/targets")).unwrap();
    let mut files: Vec<String> = files
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort_unstable();
    assert_eq!(files, functions);
}
