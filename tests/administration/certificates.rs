//! Certificates of clients.

use super::client::{Application, refused, unpack};
use super::office::{CONFLICT, DENIED, NOT_FOUND, Office, PENDING, mode};
use kmip_protocol::ResultReason;

const BOTH: [&str; 2] = ["olga", "otto"];

/// P-KMS-TNT-05: generating a client's certificate and exporting it with its keystore, once.
#[test]
fn p_kms_tnt_05_client_certificates() {
    let office = Office::with_tenant();
    office.invite(BOTH, "anna", "auditor", "acme");
    office.by("olga", &["client", "create", "app"]).done();
    let password = office.file("secret", "open this keystore\n");
    let short = office.file("short", "open\n");
    let keystore = |file: &'static str, password: &str| -> Vec<String> {
        let all = [
            "certificate",
            "issue",
            "app",
            "--keystore",
            file,
            "--keystore-password-file",
            password,
        ];
        all.map(str::to_owned).to_vec()
    };
    let by = |person: &str, arguments: &[String]| {
        let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        office.by(person, &all)
    };
    // There is no authority yet that could issue it.
    by("olga", &keystore("app.p12", &password)).code(CONFLICT);
    assert!(!office.at("app.p12").exists());
    office
        .by("olga", &["authority", "create", "house", "--write", "house.pem"])
        .done();

    // 01: generated and exported, with a password that could not be guessed. The server keeps no copy.
    by("olga", &keystore("app.p12", &short)).code(CONFLICT);
    by("olga", &keystore("app.p12", &password)).done();
    assert_eq!(mode(&office.at("app.p12")), 0o600);
    let unpacked = ["app.p12", "app.pem", "app-key.pem"].map(|name| office.at(name));
    unpack(&unpacked[0], "open this keystore", &unpacked[1], &unpacked[2]);
    let mut app = Application::connect(&office, "app.pem", "app-key.pem");
    let key = app.create().unwrap();
    app.get(&key).unwrap();

    // The same by a request, whose key never left the client. Now that there are keys, it lets somebody in: two must agree.
    let request = [
        "certificate",
        "request",
        "app",
        "--private-key",
        "second-key.pem",
        "--request",
        "second.csr",
    ];
    office.run(&request).done();
    let issue = [
        "certificate",
        "issue",
        "app",
        "--request",
        "second.csr",
        "--certificate",
        "second.pem",
    ];
    let issued = office.approve(BOTH, &issue, &["client", "show", "app"]);
    // Nobody completes what only the proposer may have.
    office.by("otto", &["proposal", "complete", &issued.id]).code(DENIED);
    assert!(!office.at("second.pem").exists());
    let collect = ["proposal", "result", &issued.correlation, "--certificate", "second.pem"];
    office.by("olga", &collect).done();
    office.by("olga", &collect).code(NOT_FOUND);
    let mut second = Application::connect(&office, "second.pem", "second-key.pem");
    second.get(&key).unwrap();
    // Again for the same key: a renewal opens nothing.
    office.by("olga", &issue).done();

    // And as a keystore: it is fetched once, by the one who asked, and not by anybody else.
    let proposed = by("olga", &keystore("third.p12", &password)).code(PENDING);
    let (id, correlation) = (
        super::office::value(&proposed.out, "proposal"),
        super::office::value(&proposed.out, "correlation"),
    );
    office.by("otto", &["proposal", "vote", &id, "--yes"]).done();
    let collect = ["proposal", "result", &correlation, "--keystore", "third.p12"];
    office.by("otto", &collect).code(NOT_FOUND);
    office.by("olga", &collect).done();
    assert_eq!(mode(&office.at("third.p12")), 0o600);
    office.by("olga", &collect).code(NOT_FOUND);
    let unpacked = ["third.p12", "third.pem", "third-key.pem"].map(|name| office.at(name));
    unpack(&unpacked[0], "open this keystore", &unpacked[1], &unpacked[2]);
    let mut third = Application::connect(&office, "third.pem", "third-key.pem");
    third.get(&key).unwrap();

    // Revoked by one, at the next request of a connection that there is; the others stay.
    office
        .by("otto", &["certificate", "revoke", "app", "second.pem"])
        .done();
    assert_eq!(refused(second.get(&key)), ResultReason::AuthenticationNotSuccessful);
    app.get(&key).unwrap();
    third.get(&key).unwrap();
    office
        .by("otto", &["certificate", "revoke", "app", "second.pem"])
        .code(NOT_FOUND);
    let list = office.by("otto", &["authority", "revocation-list", "house"]).done();
    assert!(list.contains("X509 CRL"), "{list}");

    let trail = office.trail("anna");
    trail.has("CertificateIssue", &["Success", "client app"]);
    trail.has("CertificateIssue", &["OperationFailed", "ConstraintViolation"]);
    trail.has("CertificateIssue", &["OperationPending", &issued.id]);
    trail.has("ProposalVote", &["Success", &issued.id]);
    trail.has("CertificateIssue", &["Success", "client app", &issued.id]);
    trail.has("CertificateIssue", &["OperationPending", &id]);
    trail.has("CertificateRevoke", &["Success", "client app"]);
}

/// A certificate is renewed before it ends, and an authority stops, at once, when it is told to.
#[test]
fn renewal_and_the_state_of_an_authority() {
    let office = Office::with_tenant();
    office.by("olga", &["client", "create", "app"]).done();
    office
        .by("olga", &["authority", "create", "house", "--write", "house.pem"])
        .done();
    let request = [
        "certificate",
        "request",
        "app",
        "--private-key",
        "app-key.pem",
        "--request",
        "app.csr",
    ];
    office.run(&request).done();
    let ask = |verb: &'static str, file: &'static str, more: &[&'static str]| {
        let mut all = vec![
            "certificate",
            verb,
            "app",
            "--request",
            "app.csr",
            "--certificate",
            file,
        ];
        all.extend(more);
        office.by("olga", &all)
    };
    ask("issue", "first.pem", &[]).done();
    let mut first = Application::connect(&office, "first.pem", "app-key.pem");
    let key = first.create().unwrap();

    // For the key that it has: one operator renews it. The first certificate lives on, until one takes its place.
    ask("renew", "second.pem", &[]).done();
    let mut second = Application::connect(&office, "second.pem", "app-key.pem");
    second.get(&key).unwrap();
    first.get(&key).unwrap();
    ask("renew", "third.pem", &["--revoke-former"]).done();
    let mut third = Application::connect(&office, "third.pem", "app-key.pem");
    third.get(&key).unwrap();
    for former in [&mut first, &mut second] {
        assert_eq!(refused(former.get(&key)), ResultReason::AuthenticationNotSuccessful);
    }

    // An authority that issues no more is still believed.
    let status = |status: &'static str| ["authority", "modify", "house", "--status", status];
    office.by("otto", &status("retired")).done();
    ask("renew", "fourth.pem", &[]).code(CONFLICT);
    third.get(&key).unwrap();
    // One operator has it believed no more, on connections that there are; two have it believed again.
    office.by("otto", &status("suspended")).done();
    assert_eq!(refused(third.get(&key)), ResultReason::AuthenticationNotSuccessful);
    office.agree(BOTH, &status("active"), &["authority", "list"]);
    Application::connect(&office, "third.pem", "app-key.pem")
        .get(&key)
        .unwrap();
}

/// A client renews its own certificate, without anybody, once people have permitted it: for its key, and until one of them takes that away.
#[test]
fn a_client_renews_its_own_certificate() {
    let office = Office::with_tenant();
    let mut app = Application::of(&office, "olga", "house");
    let key = app.create().unwrap();
    let file = |name: &str| std::fs::read_to_string(office.at(name)).unwrap();
    let first = certs::pem::certificates(&file("web.pem")).unwrap().remove(0);
    let kept = app.keep(&first).unwrap();
    assert_eq!(refused(app.renew(&kept)), ResultReason::PermissionDenied);
    let permit = ["client", "modify", "web", "--renews-certificate", "true"];
    // It has keys: whoever holds its key is let in for longer than was agreed to.
    office.agree(BOTH, &permit, &["client", "show", "web"]);
    let second = app.renew(&kept).unwrap();
    assert_ne!(first, second);
    std::fs::write(office.at("second.pem"), certs::pem::write_certificate(&second)).unwrap();
    let mut renewed = Application::connect(&office, "second.pem", "web-key.pem");
    renewed.get(&key).unwrap();
    app.get(&key).unwrap();
    // It outlives the server, as what an operator issues does; and it renews itself in turn.
    let kept = renewed.keep(&second).unwrap();
    std::fs::write(
        office.at("third.pem"),
        certs::pem::write_certificate(&renewed.renew(&kept).unwrap()),
    )
    .unwrap();
    let mut third = Application::connect(&office, "third.pem", "web-key.pem");
    third.get(&key).unwrap();
    // One certificate is withdrawn, then the key with all of them.
    office
        .by("otto", &["certificate", "revoke", "web", "web.pem", "--only"])
        .done();
    assert_eq!(refused(app.get(&key)), ResultReason::AuthenticationNotSuccessful);
    renewed.get(&key).unwrap();
    office
        .by("otto", &["certificate", "revoke", "web", "second.pem"])
        .done();
    for former in [&mut renewed, &mut third] {
        assert_eq!(refused(former.get(&key)), ResultReason::AuthenticationNotSuccessful);
    }
}
