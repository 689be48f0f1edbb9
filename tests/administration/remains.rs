//! What remains of destroyed objects.

use super::client::{Application, refused};
use super::office::{CONFLICT, DENIED, Office, USAGE, value};
use kmip_protocol::ResultReason;

const SHOW: [&str; 3] = ["tenant", "show", "acme"];
const PURGE: [&str; 3] = ["object", "purge", "--yes"];

/// Records of destroyed objects stay until two administrators have said for how long, and two operators have them removed.
#[test]
fn records_of_destroyed_objects_are_purged_by_two_operators() {
    let office = Office::with_tenant();
    office.invite(["olga", "otto"], "anna", "auditor", "acme");
    let mut web = Application::of(&office, "olga", "house");
    let (kept, gone) = (web.create().unwrap(), web.create().unwrap());
    web.destroy(&gone).unwrap();
    assert_eq!(refused(web.get(&gone)), ResultReason::ObjectDestroyed);

    // Without a retention they stay for ever.
    office.by("olga", &PURGE).code(CONFLICT);
    let set = |retention| ["tenant", "modify", "acme", "--retention", retention];
    office.by("alice", &set("a while")).code(USAGE);
    office.agree(["alice", "bob"], &set("90d"), &SHOW);
    assert_eq!(value(&office.by("olga", &SHOW[..2]).done(), "Retention"), "7776000");
    // The time is not over.
    let early = office.approve(["olga", "otto"], &PURGE, &["client", "list"]);
    let done = office.by("otto", &["proposal", "complete", &early.id]).done();
    assert!(!done.is_empty());
    assert_eq!(refused(web.get(&gone)), ResultReason::ObjectDestroyed);

    office.agree(["alice", "bob"], &set("0s"), &SHOW);
    office.by("anna", &PURGE).code(DENIED);
    office.by("alice", &PURGE).code(DENIED);
    let dry = office.by("olga", &["object", "purge", "--dry-run"]).done();
    assert!(dry.contains("purge") && dry.contains("2 votes of"), "{dry}");
    let purged = office.approve(["otto", "olga"], &PURGE, &["client", "list"]);
    let shown = office.by("olga", &["proposal", "show", &purged.id]).done();
    assert!(shown.contains("1 records of destroyed objects"), "{shown}");
    assert_eq!(refused(web.get(&gone)), ResultReason::ObjectDestroyed);
    office.by("olga", &["proposal", "complete", &purged.id]).done();
    let result = office.by("otto", &["proposal", "result", &purged.correlation]).done();
    assert_eq!(value(&result, "PurgedCount"), "1");
    assert_eq!(refused(web.get(&gone)), ResultReason::ObjectNotFound);
    web.get(&kept).unwrap();

    let trail = office.trail("anna");
    trail.has_agreed("ObjectPurge", &purged);
    trail.has("ObjectPurge", &["Success", &purged.id, &gone]);
    trail.has("ObjectPurge", &["OperationFailed", "ConstraintViolation"]);
}
