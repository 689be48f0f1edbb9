//! Dual-control orders.

use super::office::{DENIED, ENDED, NOT_FOUND, Office, PENDING, value};
use std::process::{Command, Stdio};

/// P-KMS-TNT-04: the list of pending proposals; voting for one, completing it, deleting it; and what a vote is not.
#[test]
fn p_kms_tnt_04_dual_control_orders() {
    let office = Office::with_tenant();
    office.invite(["olga", "otto"], "anna", "auditor", "acme");
    office.invite(["olga", "otto"], "cato", "custodian", "acme");
    office.run(&["person", "key", "oscar", "--folder", "acme"]).done();
    let create = [
        "person",
        "create",
        "oscar",
        "--role",
        "operator",
        "--certificate",
        "acme/oscar.pem",
    ];
    let create: Vec<_> = create
        .into_iter()
        .chain(["--passwords", "acme", "--reason", "he joins us"])
        .collect();

    // 01: all that is pending, with its properties, for each operator.
    let proposed = office.propose("olga", &create);
    let id = proposed.id.as_str();
    for person in ["olga", "otto", "anna", "cato"] {
        let list = office.by(person, &["proposal", "list", "--state", "open"]).done();
        assert!(list.contains(id) && list.contains("he joins us"), "{person}: {list}");
    }
    assert!(office.login("otto").done().contains("1 proposals await your vote"));
    assert!(!office.by("olga", &["proposal", "list", "--mine"]).done().contains(id));
    let shown = office.by("otto", &["proposal", "show", id]).done();
    for told in [
        "PersonCreate",
        "CN=oscar",
        "the same",
        "commitment",
        "olga Approve",
        "1 vote of: otto",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    // Administrators do not see what is a tenant's, nor do strangers to the quorum have a vote.
    office.by("alice", &["proposal", "show", id]).code(NOT_FOUND);
    office.by("alice", &["proposal", "vote", id, "--yes"]).code(NOT_FOUND);
    office.by("anna", &["proposal", "vote", id, "--yes"]).code(DENIED);
    office.by("anna", &["proposal", "veto", id]).code(DENIED);
    office.by("cato", &["proposal", "vote", id, "--yes"]).code(DENIED);
    office.by("otto", &["proposal", "complete", id]).code(DENIED);
    office
        .by("otto", &["proposal", "result", &proposed.correlation])
        .code(NOT_FOUND);
    office
        .by("otto", &["proposal", "cancel", &proposed.correlation])
        .code(NOT_FOUND);

    // 02: a vote, taken back, and given again on a machine without network; it is good once.
    office.by("otto", &["proposal", "vote", id, "--yes"]).done();
    let withdrawn = office.by("otto", &["proposal", "withdraw", id]).done();
    assert_eq!(value(&withdrawn, "ProposalState"), "Open");
    office.by("otto", &["proposal", "complete", id]).code(DENIED);
    office
        .by("otto", &["proposal", "export", id, "--file", "proposal"])
        .done();
    let sign = ["proposal", "sign", "proposal", "--vote", "vote", "--yes"];
    let key = ["--cert", "acme/otto.pem", "--key", "acme/otto-key.pem"];
    let sign: Vec<_> = sign.into_iter().chain(key).collect();
    office.run(&sign).done();
    let other = office.by("olga", &["proposal", "import", "vote"]);
    assert_ne!(other.code, 0, "another's signature: {}", other.out);
    let imported = office.by("otto", &["proposal", "import", "vote"]).done();
    assert_eq!(value(&imported, "state"), "Approved");
    office.by("otto", &["proposal", "withdraw", id]).done();
    assert_ne!(
        office.by("otto", &["proposal", "import", "vote"]).code,
        0,
        "cast before"
    );
    office.by("otto", &["proposal", "vote", id, "--yes"]).done();

    // 03: completed by any operator, once, and by nobody else.
    office.by("anna", &["proposal", "complete", id]).code(DENIED);
    office.by("olga", &["proposal", "complete", id]).done();
    office.by("otto", &["proposal", "complete", id]).code(DENIED);
    office.by("otto", &["proposal", "vote", id, "--yes"]).code(DENIED);
    office.by("otto", &["proposal", "veto", id]).code(DENIED);
    office.by("olga", &["proposal", "result", &proposed.correlation]).done();
    office.introduce("oscar", "acme");
    office.arrive("oscar", "acme/oscar.password");

    // 04: deleted at once by any operator, or taken back by the proposer. What is over stays over.
    let delete = ["person", "delete", "oscar", "--yes"];
    let vetoed = office.propose("olga", &delete);
    office.by("otto", &["proposal", "vote", &vetoed.id, "--yes"]).done();
    office
        .by("otto", &["proposal", "veto", &vetoed.id, "--reason", "he stays"])
        .done();
    let cancelled = office.propose("olga", &delete);
    office
        .by("olga", &["proposal", "cancel", &cancelled.correlation])
        .done();
    let rejected = office.propose("olga", &delete);
    office.by("otto", &["proposal", "reject", &rejected.id, "--yes"]).done();
    for ended in [&vetoed, &cancelled, &rejected] {
        office
            .by("otto", &["proposal", "vote", &ended.id, "--yes"])
            .code(DENIED);
        office.by("otto", &["proposal", "complete", &ended.id]).code(ENDED);
        office
            .by("olga", &["proposal", "result", &ended.correlation])
            .code(ENDED);
    }
    office.by("oscar", &["person", "list"]).done();
    assert!(
        !office
            .by("otto", &["proposal", "list", "--state", "open,approved"])
            .done()
            .contains("PersonDelete")
    );

    // Two that want the same: the second finds that things have changed.
    let [first, second] = [office.propose("olga", &delete), office.propose("otto", &delete)];
    let warned = office.by("olga", &["proposal", "show", &second.id]).done();
    assert!(warned.contains("acts on the same"), "{warned}");
    office.by("otto", &["proposal", "vote", &first.id, "--yes"]).done();
    office.by("olga", &["proposal", "vote", &second.id, "--yes"]).done();
    office.by("otto", &["proposal", "complete", &first.id]).done();
    office.by("otto", &["proposal", "complete", &second.id]).code(DENIED);

    let trail = office.trail("anna");
    trail.has_agreed("PersonCreate", &proposed);
    trail.has("ProposalWithdrawVote", &["Success", id]);
    trail.has("ProposalVote", &["OperationFailed"]);
    trail.has("ProposalVeto", &["Success", &vetoed.id]);
    trail.has("Cancel", &["Success", &cancelled.id]);
    trail.has("ProposalVote", &["Success", &rejected.id]);
    trail.has("PersonDelete", &["Success", &first.id, "proposal: Executed"]);
    trail.has("ProposalComplete", &["Server", &second.id, "proposal: Failed"]);
}

/// Who proposes may wait for the others; what has become unnecessary ends the command with its own code.
#[test]
fn a_proposer_waits_for_the_others() {
    let office = Office::with_tenant();
    office.run(&["person", "key", "oscar", "--folder", "acme"]).done();
    let create = [
        "person",
        "create",
        "oscar",
        "--role",
        "operator",
        "--certificate",
        "acme/oscar.pem",
    ];
    let waiting = |wait: &str| {
        Command::new(super::office::PROGRAM)
            .args(create)
            .args(["--passwords", "acme", wait, "--context", "olga"])
            .env("CLAVIGER_CLIENT_CONFIG", office.home("olga").join("contexts.toml"))
            .current_dir(office.at(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    // The only line that names an open proposal.
    let open = || loop {
        let list = office.by("otto", &["proposal", "list", "--mine"]).done();
        let line = list.lines().find(|line| line.contains("PersonCreate"));
        if let Some(line) = line {
            return line.split_whitespace().next().unwrap().to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let asked = waiting("--wait=5m");
    let id = open();
    office.by("otto", &["proposal", "reject", &id, "--yes"]).done();
    let ended = asked.wait_with_output().unwrap();
    assert_eq!(
        ended.status.code(),
        Some(ENDED),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );

    let asked = waiting("--wait=5m");
    let id = open();
    office.by("otto", &["proposal", "vote", &id, "--yes"]).done();
    office.by("otto", &["proposal", "complete", &id]).done();
    let done = asked.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));

    // Not for ever, if that was not asked for.
    let delete = ["person", "delete", "oscar", "--yes", "--wait=1s"];
    office.by("olga", &delete).code(PENDING);
}
