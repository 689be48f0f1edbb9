//! The KMS-Admin's tasks: tenants.

use super::client::{Application, refused};
use super::office::{CONFLICT, DENIED, NOT_FOUND, Office, UNKNOWN, value};
use kmip_protocol::ResultReason;

const BOTH: [&str; 2] = ["alice", "bob"];

/// Tenants (KMS-Admin): add with two operators, configure, suspend, resume, delete, and the way out when operators are lost.
#[test]
fn tenants_take_two_administrators() {
    let office = Office::staffed();
    office.invite(BOTH, "sam", "system-auditor", "made");
    let made = office.found("acme", ["olga", "otto"]);
    office.run(&["person", "key", "solo", "--folder", "solo"]).done();
    let alone = [
        "tenant",
        "create",
        "solo",
        "--operator",
        "solo=solo/solo.pem",
        "--passwords",
        "solo",
    ];
    office.by("alice", &alone).code(CONFLICT);
    let shown = office.by("alice", &["tenant", "show", "acme"]).done();
    assert_eq!(value(&shown, "TenantStatus"), "Active");
    // Its operators are known in it, not to administrators, and administer nothing else.
    assert_eq!(
        office
            .by("olga", &["person", "list"])
            .done()
            .matches("Operator")
            .count(),
        2
    );
    assert!(!office.by("alice", &["person", "list"]).done().contains("olga"));
    office.by("olga", &["tenant", "list"]).code(DENIED);
    office.by("olga", &["tenant", "suspend", "acme"]).code(DENIED);
    office.by("alice", &["client", "list"]).code(DENIED);

    office.by("olga", &["authority", "create", "house"]).done();
    office.by("olga", &["client", "create", "app"]).done();
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
    let issue = [
        "certificate",
        "issue",
        "app",
        "--request",
        "app.csr",
        "--certificate",
        "app.pem",
    ];
    office.by("olga", &issue).done();
    let mut app = Application::connect(&office, "app.pem", "app-key.pem");
    let key = app.create().unwrap();

    // Settings: two agree, and they hold.
    let modify = [
        "tenant",
        "modify",
        "acme",
        "--object-quota",
        "2",
        "--crypto-profile",
        "bsi",
    ];
    let modified = office.agree(BOTH, &modify, &["tenant", "show", "acme"]);
    app.create().unwrap();
    assert_eq!(refused(app.create()), ResultReason::ServerLimitExceeded);

    // One stops it at once, for clients and people on connections that there are; two have it go on.
    office.agree_in_vain(
        BOTH,
        &["tenant", "delete", "acme", "--yes"],
        &["tenant", "list"],
        CONFLICT,
    );
    office.by("bob", &["tenant", "suspend", "acme"]).done();
    assert_eq!(refused(app.get(&key)), ResultReason::AuthenticationNotSuccessful);
    office.by("olga", &["person", "list"]).code(UNKNOWN);
    let resumed = office.agree(BOTH, &["tenant", "resume", "acme"], &["tenant", "list"]);
    app.get(&key).unwrap();
    office.by("olga", &["person", "list"]).done();

    // A third operator by way of the administrators only where operators cannot help themselves, and after three days, whatever
    // anybody votes.
    office.run(&["person", "key", "nora", "--folder", "acme"]).done();
    let recover = [
        "tenant",
        "recover",
        "acme",
        "--operator",
        "nora=acme/nora.pem",
        "--passwords",
        "acme",
    ];
    office.by("alice", &recover).code(DENIED);
    office.by("otto", &["person", "suspend", "olga"]).done();
    let recovery = office.propose("alice", &recover);
    office.by("bob", &["proposal", "vote", &recovery.id, "--yes"]).done();
    office.by("bob", &["proposal", "complete", &recovery.id]).code(DENIED);
    assert!(!office.by("otto", &["person", "list"]).done().contains("nora"));
    office
        .by("bob", &["proposal", "veto", &recovery.id, "--reason", "olga is back"])
        .done();

    office.by("alice", &["tenant", "suspend", "acme"]).done();
    let deleted = office.agree(BOTH, &["tenant", "delete", "acme", "--yes"], &["tenant", "list"]);
    office.by("alice", &["tenant", "show", "acme"]).code(NOT_FOUND);
    assert_eq!(refused(app.get(&key)), ResultReason::AuthenticationNotSuccessful);
    office.by("otto", &["person", "list"]).code(UNKNOWN);

    let trail = office.trail("sam");
    for (operation, proposed) in [
        ("TenantCreate", &made),
        ("TenantModify", &modified),
        ("TenantResume", &resumed),
        ("TenantDelete", &deleted),
    ] {
        trail.has_agreed(operation, proposed);
    }
    trail.has("TenantSuspend", &["Success", "tenant acme"]);
    trail.has("TenantCreate", &["OperationFailed"]);
    trail.has("TenantRecover", &["OperationPending", &recovery.id]);
    assert!(
        !trail.0.contains("ClientCreate"),
        "what happens in a tenant is its own:\n{}",
        trail.0
    );
}
