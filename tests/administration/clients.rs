//! Clients of a tenant.

use super::client::{Application, refused};
use super::office::{DENIED, NOT_FOUND, Office, value};
use kmip_protocol::{ResultReason, Version};

const BOTH: [&str; 2] = ["olga", "otto"];

/// P-KMS-TNT-03: the list of clients; creating, modifying and deleting one, as an application with a KMIP library meets it.
#[test]
fn p_kms_tnt_03_clients() {
    let office = Office::with_tenant();
    office.invite(BOTH, "anna", "auditor", "acme");
    office.by("olga", &["authority", "create", "house"]).done();

    // 02: one operator makes a client, who reaches nothing yet; its key is its own.
    office.by("anna", &["client", "create", "db1"]).code(DENIED);
    office.by("olga", &["client", "create", "db1"]).done();
    assert_ne!(
        office.by("otto", &["client", "create", "db1"]).code,
        0,
        "a name is given once"
    );
    let request = [
        "certificate",
        "request",
        "db1",
        "--private-key",
        "db1-key.pem",
        "--request",
        "db1.csr",
    ];
    office.run(&request).done();
    let issue = [
        "certificate",
        "issue",
        "db1",
        "--request",
        "db1.csr",
        "--certificate",
        "db1.pem",
    ];
    office.by("olga", &issue).done();

    // 01: the list.
    let list = office.by("otto", &["client", "list"]).done();
    assert!(list.contains("db1") && list.contains("Active"), "{list}");
    let shown = office.by("otto", &["client", "show", "db1"]).done();
    assert_eq!(value(&shown, "ClientName"), "db1");

    // The client at work, in two generations of the protocol.
    let mut db = Application::connect(&office, "db1.pem", "db1-key.pem");
    let key = db.create().unwrap();
    db.get(&key).unwrap();
    let mut old = Application::at_version(&office, "db1.pem", "db1-key.pem", Version::from_numbers(1, 4).unwrap());
    old.get(&key).unwrap();

    // 03: what narrows is one operator's; it holds at the next request of a connection that there is.
    office
        .by(
            "olga",
            &[
                "client",
                "modify",
                "db1",
                "--operations",
                "Get,Locate",
                "--network",
                "127.0.0.0/8",
            ],
        )
        .done();
    assert_eq!(refused(db.create()), ResultReason::PermissionDenied);
    db.get(&key).unwrap();
    // What opens, now that there are keys, takes two.
    let open = ["client", "modify", "db1", "--operations", "Get,Locate,Create"];
    let opened = office.agree(BOTH, &open, &["client", "show", "db1"]);
    let second = db.create().unwrap();
    office
        .by("olga", &["client", "modify", "db1", "--rename", "db-one"])
        .done();
    office.by("olga", &["client", "show", "db1"]).code(NOT_FOUND);

    // Another client sees none of its keys until two let it.
    office.by("olga", &["client", "create", "db2"]).done();
    let keystore = [
        "certificate",
        "issue",
        "db2",
        "--keystore",
        "db2.p12",
        "--keystore-password-file",
    ];
    let password = office.file("db2.secret", "open this keystore\n");
    let keystore: Vec<_> = keystore.into_iter().chain([password.as_str()]).collect();
    office.by("olga", &keystore).done();
    let files = ["db2.p12", "db2.pem", "db2-key.pem"].map(|name| office.at(name));
    super::client::unpack(&files[0], "open this keystore", &files[1], &files[2]);
    let mut other = Application::connect(&office, "db2.pem", "db2-key.pem");
    assert_eq!(refused(other.get(&key)), ResultReason::ObjectNotFound);
    let joined = office.agree(BOTH, &["app", "join", "db1", "db2"], &["app", "list"]);
    other.get(&key).unwrap();
    let mut both = other.locate().unwrap();
    both.sort();
    let mut keys = [key.clone(), second];
    keys.sort();
    assert_eq!(both, keys);

    // One stops it at once; two have it go on.
    office.by("otto", &["client", "suspend", "db-one"]).done();
    assert_eq!(refused(db.get(&key)), ResultReason::AuthenticationNotSuccessful);
    assert_eq!(refused(old.get(&key)), ResultReason::AuthenticationNotSuccessful);
    other.get(&key).unwrap();
    let resumed = office.agree(BOTH, &["client", "resume", "db-one"], &["client", "list"]);
    db.get(&key).unwrap();

    // A user name beside the certificate, for those who want one.
    let secret = office.file("db.secret", "a word between programs\n");
    let named = [
        "client",
        "modify",
        "db-one",
        "--username",
        "db",
        "--password-file",
        &secret,
    ];
    office.by("olga", &named).done();
    assert_eq!(refused(db.get(&key)), ResultReason::AuthenticationNotSuccessful);

    // 04: deleted, and gone from the connections that there are.
    office
        .by("otto", &["client", "delete", "db2"])
        .code(super::office::USAGE);
    office.by("otto", &["client", "delete", "db2", "--yes"]).done();
    assert_eq!(refused(other.get(&key)), ResultReason::AuthenticationNotSuccessful);
    office.by("otto", &["client", "show", "db2"]).code(NOT_FOUND);

    let trail = office.trail("anna");
    for (operation, proposed) in [
        ("ClientModify", &opened),
        ("ApplicationJoin", &joined),
        ("ClientResume", &resumed),
    ] {
        trail.has_agreed(operation, proposed);
    }
    trail.has("ClientCreate", &["Success", "client db1"]);
    trail.has("ClientModify", &["Success", "client db-one"]);
    trail.has("ClientSuspend", &["Success", "client db-one"]);
    trail.has("ClientDelete", &["Success", "client db2"]);
    trail.has("ClientCreate", &["OperationFailed", "PermissionDenied"]);
    trail.has("Create", &["Client", "Success"]);
}
