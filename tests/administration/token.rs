//! People whose keys are in a token: they log in and vote with them, and rules that want hardware count them alone.

use crate::office::{Office, PROGRAM, value};
use certs::{KeyKind, Leaf, Subject, Usage, Validity};
use claviger::custody::token::find_module;
use std::path::Path;
use std::process::Command;

/// A SoftHSM token in the folder, with a PIN in a file; none where there is no SoftHSM.
fn token(folder: &Path) -> bool {
    if find_module("softhsm").is_none() {
        eprintln!("SKIPPED: there is no SoftHSM2 here, so that keys in tokens are not tried");
        return false;
    }
    let tokens = folder.join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let configuration = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    std::fs::write(folder.join("softhsm2.conf"), configuration).unwrap();
    std::fs::write(folder.join("pin"), "1234\n").unwrap();
    let init = [
        "--init-token",
        "--free",
        "--label",
        "people",
        "--pin",
        "1234",
        "--so-pin",
        "5678",
    ];
    let made = Command::new("softhsm2-util")
        .args(init)
        .env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))
        .output();
    let made = made.expect("softhsm2-util comes with SoftHSM2");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    true
}

fn uri(folder: &Path, object: &str) -> String {
    format!(
        "pkcs11:token=people;object={object}?module-path=softhsm&pin-source=file:{}",
        folder.join("pin").display()
    )
}

/// A command that needs no server, in the folder.
#[track_caller]
fn at(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))
        .current_dir(folder)
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), err)
}

#[test]
fn who_has_a_key_in_a_token_logs_in_and_votes_and_counts_where_hardware_is_wanted() {
    let folder = crate::folder::in_memory();
    if !token(folder.path()) {
        return;
    }
    let tina = uri(folder.path(), "tina");
    let (code, err) = at(folder.path(), &["person", "key", "tina", "--in", &tina]);
    assert_eq!(code, 0, "{err}");
    assert!(!folder.path().join("tina-key.pem").exists());
    // A key that is there already is taken: another certificate, the same key.
    let again = ["person", "key", "tina", "--in", &tina, "--folder", "again"];
    assert_eq!(at(folder.path(), &again).0, 0);
    at(
        folder.path(),
        &["person", "key", "otto", "--in", &uri(folder.path(), "otto")],
    );

    let first = ["--administrator", "tina=tina.pem", "--hardware", "tina"];
    let office = Office::open_in(folder, &first);
    let tina = uri(office.at("").as_path(), "tina");
    office.introduce_with("tina", "tina.pem", &tina);
    for person in ["alice", "bob"] {
        office.introduce(person, "kms/people");
        office.arrive(person, &format!("kms/people/{person}.password"));
    }
    office.arrive("tina", "kms/people/tina.password");

    // Another's key, and a wrong PIN.
    let other = uri(office.at("").as_path(), "otto");
    let with = |key: &str| office.by("alice", &["person", "list", "--cert", "tina.pem", "--key", key]);
    assert!(with(&other).code(2).err.contains("not that of the certificate"));
    let wrong = office.file("wrong-pin", "4321\n");
    let guess = format!("pkcs11:token=people;object=tina?module-path=softhsm&pin-source={wrong}");
    with(&guess).code(3);
    with("pkcs11:token=nobody;object=tina?module-path=softhsm").code(5);

    let shown = office.by("alice", &["person", "show", "tina"]).done();
    assert_eq!(value(&shown, "Hardware"), "true", "{shown}");
    let shown = office.by("alice", &["person", "show", "bob"]).done();
    assert_eq!(value(&shown, "Hardware"), "false", "{shown}");

    // A rule that wants hardware, in a file that is written by hand.
    let policy = office.by("alice", &["policy", "get", "-o", "toml"]).done();
    let rule = "[[rule]]\nname = \"in-hardware\"\nproof = \"hardware\"\nrequester-counts = true\n\
                match = { operations = [\"TenantCreate\"] }\nalternative = [{ groups = [\"1 of administrators\"] }]\n";
    let file = office.file("policy.toml", &format!("{policy}\n{rule}"));
    let put = office.by("alice", &["policy", "put", &file]).code(7);
    let id = value(&put.out, "proposal");
    let voted = office.by("tina", &["proposal", "vote", &id, "--yes"]);
    assert!(
        voted.err.contains("in-hardware") || voted.err.contains("PolicyPut"),
        "{}",
        voted.err
    );
    assert_eq!(value(&voted.done(), "state"), "Approved");
    office.by("alice", &["proposal", "complete", &id]).done();

    // Two with files are enough for the rule of the template, not for this one; the one with the token is.
    for name in ["olga", "otto"] {
        office.run(&["person", "key", name, "--folder", "made"]).done();
    }
    let create = [
        "tenant",
        "create",
        "acme",
        "--operator",
        "olga=made/olga.pem",
        "--operator",
        "otto=made/otto.pem",
    ];
    let create: Vec<_> = create.into_iter().chain(["--hardware", "olga"]).collect();
    let proposed = office.by("alice", &create).code(7);
    assert_eq!(proposed.err.matches("shown only now").count(), 2, "{}", proposed.err);
    let id = value(&proposed.out, "proposal");
    assert_eq!(
        value(&office.by("bob", &["proposal", "vote", &id, "--yes"]).done(), "state"),
        "Open"
    );
    let voted = office.by("tina", &["proposal", "vote", &id, "--yes"]);
    assert!(
        voted.err.contains("Hardware"),
        "what is declared of the keys is shown: {}",
        voted.err
    );
    assert_eq!(value(&voted.done(), "state"), "Approved");
    office.by("tina", &["proposal", "complete", &id]).done();
}

#[test]
fn keys_of_each_kind_sign_in_the_token() {
    let folder = crate::folder::in_memory();
    if !token(folder.path()) {
        return;
    }
    for (i, kind) in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa3072, KeyKind::Ed25519]
        .iter()
        .enumerate()
    {
        let name = format!("key{i}");
        let leaf = Leaf {
            subject: Subject::named(&name),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: Validity::days(1_700_000_000, 1),
        };
        let (certificate, key) = leaf.self_signed(*kind).unwrap();
        let at_name = |ending: &str| folder.path().join(format!("{name}{ending}"));
        std::fs::write(at_name(".pem"), certs::pem::write_certificate(&certificate)).unwrap();
        std::fs::write(at_name("-key.pem"), key.to_pem().as_bytes()).unwrap();
        let import = ["--token", "people", "--pin", "1234", "--label", &name, "--id"];
        let imported = Command::new("softhsm2-util")
            .arg("--import")
            .arg(at_name("-key.pem"))
            .args(import)
            .arg(format!("0{i}"))
            .env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf"))
            .output()
            .unwrap();
        if !imported.status.success() {
            eprintln!("SKIPPED: this SoftHSM2 takes no key of kind {kind:?}");
            assert_eq!(*kind, KeyKind::Ed25519);
            continue;
        }
        // A proof of possession: made in the token, checked by the certificate before anything is written.
        let (certificate, proof) = (format!("{name}.pem"), format!("{name}.proof"));
        let place = uri(folder.path(), &name);
        let prove = [
            "person",
            "prove",
            &name,
            "--role",
            "operator",
            "--installation",
            "00",
            "--certificate",
            &certificate,
            "--private-key",
            &place,
        ];
        let prove: Vec<_> = prove.into_iter().chain(["--proof", &proof]).collect();
        let (code, err) = at(folder.path(), &prove);
        assert_eq!(code, 0, "{kind:?}: {err}");
        assert!(at_name(".proof").exists());
    }
}
