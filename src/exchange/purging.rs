//! What remains of destroyed objects, until somebody has it removed.

use super::ConnectionFacts;
use super::assembly::{is, put_policy, voter};
use super::office::{Office, answered};
use super::restarts::restarted;
use super::testing::{BEGIN, TestHouse, create, named};
use crate::audit::Entry;
use crate::authority::quorum::{Scope, template};
use crate::failure::Fault;
use crate::objects::{self, AttributeSet, OBJECT, Object, index};
use crate::operations::{Answer, Batch, Context, dispatch};
use crate::records;
use crate::store::{Domain, TrailQuery, Work};
use kmip_protocol::{
    ApplicationDeleteRequest, Attribute, ClientDeleteRequest, DateTime, DestroyRequest, GetAttributesRequest, Interval,
    LocateRequest, ObjectPurgeRequest, ObjectPurgeResponse, ObjectType, Operation, PersonRole, PolicyTemplate,
    ProposalState, ResponseItem, ResponsePayload, ResultStatus, RevocationReason, RevocationReasonCode, RevokeRequest,
    ServerStatusRequest, StorageStatusMask, TenantSettings, UniqueIdentifier,
};
use std::sync::Arc;

const DAY: i64 = 24 * 60 * 60;

fn retention(days: i64) -> TenantSettings {
    TenantSettings {
        retention: Some(Interval(u32::try_from(days * DAY).unwrap())),
        ..TenantSettings::default()
    }
}

fn of(key: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(key))
}

async fn destroyed(office: &Office, name: &str, by: &ConnectionFacts) -> String {
    let made = answered!(office.ask(by, create(name, Vec::new())).await, ok);
    let Some(ResponsePayload::Create(made)) = made.payload else {
        panic!()
    };
    let request = DestroyRequest {
        unique_identifier: of(&made.unique_identifier),
    };
    answered!(office.ask(by, request).await, ok);
    made.unique_identifier
}

async fn compromised(office: &Office, key: &str) {
    let request = RevokeRequest {
        unique_identifier: of(key),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::KeyCompromise,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    answered!(office.ask(&office.house.alice, request).await, ok);
}

fn answer(item: ResponseItem) -> ObjectPurgeResponse {
    match answered!(item, ok).payload {
        Some(ResponsePayload::ObjectPurge(answer)) => answer,
        _ => panic!("no answer to a purge"),
    }
}

/// How many an order removes at once, and how many it leaves.
async fn purge(office: &Office, request: ObjectPurgeRequest) -> (i32, i32) {
    let answer = answer(office.act(request).await);
    (answer.purged_count, answer.remaining_count)
}

fn all() -> ObjectPurgeRequest {
    ObjectPurgeRequest::default()
}

async fn attributes(office: &Office, key: &str) -> ResponseItem {
    let request = GetAttributesRequest {
        unique_identifier: of(key),
        ..GetAttributesRequest::default()
    };
    office.ask(&office.house.alice, request).await
}

async fn remains(office: &Office, key: &str) -> bool {
    let item = attributes(office, key).await;
    item.result_status == ResultStatus::Success || !is(&item, Fault::ObjectNotFound)
}

/// Everything that Locate finds of destroyed objects.
async fn located(office: &Office) -> Vec<String> {
    let request = LocateRequest {
        storage_status_mask: Some(StorageStatusMask::DestroyedStorage),
        ..LocateRequest::default()
    };
    match answered!(office.ask(&office.house.alice, request).await, ok).payload {
        Some(ResponsePayload::Locate(located)) => located.unique_identifiers,
        _ => panic!(),
    }
}

/// What purges have left in the change trail: who, and how many objects each names.
async fn trail(office: &Office) -> Vec<(bool, usize)> {
    let store = &office.house.store;
    let stream = store.trail_heads().await.unwrap()[0].position.stream;
    let query = TrailQuery {
        stream,
        domain: Some(office.tenant),
        after: 0,
        limit: 1_000_000,
    };
    let records = store.trail(query).await.unwrap();
    let drafts = records.iter().map(|record| Entry::read(&record.bytes).unwrap().draft);
    let purges = drafts.filter(|draft| draft.operation == Operation::ObjectPurge.0);
    purges
        .map(|draft| {
            let objects = draft
                .objects
                .iter()
                .filter(|object| object.record.is_some_and(|(kind, _)| kind == OBJECT.0));
            (draft.actor.id == [0; 16], objects.count())
        })
        .collect()
}

/// Records of destroyed objects, put behind the server's back.
async fn many(house: &TestHouse, tenant: Domain, count: usize, destroyed: i64) {
    let custody = &house.server.services().custody;
    let mut work = Work::new(Arc::clone(&house.store));
    for number in 0..count {
        let mut attributes = AttributeSet::default();
        attributes.set(Attribute::DestroyDate(DateTime(destroyed)));
        attributes.add(named(&format!("name {number}")));
        let object = Object {
            internal_id: [1; 16],
            unique_identifier: format!("object {number}"),
            object_type: ObjectType::SymmetricKey,
            application: [2; 16],
            owner: [3; 16],
            state_at: 0,
            attributes,
            material: None,
            former: Vec::new(),
        };
        let key = objects::key(tenant, &object.unique_identifier);
        let (body, _) = records::close(custody, key, work.next_revision(key), object.encode()).unwrap();
        work.put(key, body, index::rows(&object));
    }
    house.store.commit(work.into_change_set(0)).await.unwrap();
}

#[tokio::test]
async fn what_remains_of_destroyed_objects_goes_when_its_retention_is_over() {
    let office = Office::open().await;
    let (house, alice) = (&office.house, &office.house.alice);
    let gone = destroyed(&office, "gone", alice).await;
    let tainted = destroyed(&office, "tainted", alice).await;
    compromised(&office, &tainted).await;
    let active = house.create("active", Vec::new()).await;
    let suspect = house.create("suspect", Vec::new()).await;
    compromised(&office, &suspect).await;
    let linked = Attribute::Link(kmip_protocol::Link {
        link_type: kmip_protocol::LinkType::ReplacedObjectLink,
        linked_object_identifier: UniqueIdentifier::from(gone.as_str()),
    });
    let linking = house.create("linking", vec![linked]).await;
    let foreign = destroyed(&office, "gone", &house.bob).await;

    answered!(office.act(all()).await, NoRetention);
    office.set(retention(10)).await;
    house.clock.advance(10 * DAY - 10);
    assert_eq!(purge(&office, all()).await, (0, 0));
    assert!(remains(&office, &gone).await && remains(&office, &tainted).await);

    house.clock.advance(20);
    let later = destroyed(&office, "later", alice).await;
    assert_eq!(purge(&office, all()).await, (2, 0));
    // As what never was.
    for key in [&gone, &tainted, &"never".to_owned()] {
        answered!(attributes(&office, key).await, ObjectNotFound);
        let record = house.store.load(objects::key(office.tenant, key)).await.unwrap();
        assert!(record.is_none());
    }
    assert_eq!(located(&office).await, std::slice::from_ref(&later));
    for key in [&active, &suspect, &linking, &later] {
        assert!(remains(&office, key).await);
    }
    // Another tenant's remains have their own time.
    let record = house
        .store
        .load(objects::key(house.tenant_of(&house.bob).await, &foreign))
        .await;
    assert!(record.unwrap().is_some());
    assert_eq!(trail(&office).await, [(false, 0), (false, 2)]);
    assert_eq!(purge(&office, all()).await, (0, 0));
    // Its name is free, and what bears it is another object.
    let again = destroyed(&office, "gone", alice).await;
    assert_ne!(again, gone);
}

#[tokio::test]
async fn nothing_of_an_object_stays_behind() {
    let office = Office::open().await;
    office.issuer().await;
    office.set(retention(0)).await;
    let db = office
        .connected("db", None, kmip_protocol::ClientSettings::default())
        .await;
    destroyed(&office, "one", &db).await;
    let client = ClientDeleteRequest {
        client_name: "db".into(),
    };
    answered!(office.act(client).await, ok);
    let application = || ApplicationDeleteRequest {
        application_name: "db".into(),
    };
    answered!(office.act(application()).await, InUse);
    assert_eq!(purge(&office, all()).await, (1, 0));
    answered!(office.act(application()).await, ok);
}

#[tokio::test]
async fn an_order_takes_no_more_than_it_says() {
    let office = Office::open().await;
    let (house, alice) = (&office.house, &office.house.alice);
    office.set(retention(1)).await;
    let mut made = Vec::new();
    for name in ["a", "b", "c", "d"] {
        made.push(destroyed(&office, name, alice).await);
        house.clock.advance(DAY);
    }
    let most = |maximum_items| ObjectPurgeRequest {
        maximum_items: Some(maximum_items),
        ..all()
    };
    let until = |seconds| ObjectPurgeRequest {
        destroyed_until: Some(DateTime(seconds)),
        ..all()
    };
    assert_eq!(purge(&office, most(0)).await, (0, 4));
    answered!(office.act(most(-1)).await, InvalidField);
    assert_eq!(purge(&office, until(BEGIN - 1)).await, (0, 0));
    // What was destroyed first goes first.
    assert_eq!(purge(&office, most(1)).await, (1, 3));
    assert!(!remains(&office, &made[0]).await && remains(&office, &made[1]).await);
    assert_eq!(purge(&office, until(BEGIN + DAY + 60)).await, (1, 0));
    assert!(!remains(&office, &made[1]).await && remains(&office, &made[2]).await);
    // No date that is given shortens the retention.
    let answer = answer(office.act(until(i64::MAX)).await);
    assert_eq!(
        (answer.purged_count, answer.destroyed_until.0),
        (2, house.clock_seconds() - DAY)
    );
    house.server.tend().await;
    assert_eq!(trail(&office).await.iter().map(|(_, count)| count).sum::<usize>(), 4);
}

#[tokio::test]
async fn ten_thousand_go_some_at_a_time_and_go_on_after_a_crash() {
    let mut office = Office::open().await;
    office.set(retention(1)).await;
    many(&office.house, office.tenant, 10_000, BEGIN - 2 * DAY).await;
    // One order looks at as many as it removes, and finds them by the index.
    let mut work = Work::new(Arc::clone(&office.house.store));
    let mut batch = Batch::default();
    let now = office.house.server.now();
    let mut context = Context::new(
        office.house.server.services(),
        &office.operator,
        now,
        &mut work,
        &mut batch,
    );
    let answer = dispatch(&all().into(), &mut context).await.unwrap();
    assert!(matches!(answer, Answer::Done(_)));
    assert!(work.reads() < 250, "{} questions to the store", work.reads());

    assert_eq!(purge(&office, all()).await, (100, 9_900));
    office.house.server = restarted(&office.house).await;
    office.house.server.tend().await;
    let there = async || {
        purge(
            &office,
            ObjectPurgeRequest {
                maximum_items: Some(1),
                ..all()
            },
        )
        .await
        .1
    };
    let left = there().await;
    assert!((1..9_900).contains(&left), "{left}");
    // That took the place of the order: nothing goes on.
    office.house.clock.advance(60);
    office.house.server.tend().await;
    assert_eq!(there().await, left - 1);
    assert_eq!(purge(&office, all()).await, (100, left - 101));
    for _ in 0..10 {
        office.house.clock.advance(60);
        office.house.server.tend().await;
    }
    assert_eq!(purge(&office, all()).await, (0, 0));
    let trail = trail(&office).await;
    assert_eq!(trail.iter().map(|(_, count)| count).sum::<usize>(), 10_000);
    assert!(trail.iter().all(|(_, count)| *count <= 100));
    assert!(trail.iter().any(|(server, count)| *server && *count == 100));
}

#[tokio::test]
async fn a_suspended_tenant_keeps_its_records_and_one_without_retention_for_ever() {
    let office = Office::open().await;
    let house = &office.house;
    office.set(retention(1)).await;
    many(house, office.tenant, 300, BEGIN - 2 * DAY).await;
    assert_eq!(purge(&office, all()).await, (100, 200));
    office.suspend(true).await;
    answered!(office.act(all()).await, PermissionDenied);
    house.clock.advance(60);
    house.server.tend().await;
    office.suspend(false).await;
    office.set(TenantSettings::default()).await;
    house.clock.advance(60);
    house.server.tend().await;
    // The order has ended with the retention, and does not begin anew with another.
    office.set(retention(1)).await;
    house.clock.advance(60);
    house.server.tend().await;
    let none = ObjectPurgeRequest {
        maximum_items: Some(0),
        ..all()
    };
    assert_eq!(purge(&office, none).await, (0, 200));
    // A longer retention holds for what was ordered before.
    assert_eq!(purge(&office, all()).await, (100, 100));
    office.set(retention(5)).await;
    house.clock.advance(60);
    house.server.tend().await;
    office.set(retention(1)).await;
    let none = ObjectPurgeRequest {
        maximum_items: Some(0),
        ..all()
    };
    assert_eq!(purge(&office, none).await, (0, 100));
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_removes_nothing_early() {
    let office = Office::open().await;
    let house = &office.house;
    office.set(retention(1)).await;
    let key = destroyed(&office, "one", &house.alice).await;
    house.clock.set(2 * DAY);
    house.server.tend().await;
    assert_eq!(purge(&office, all()).await, (0, 0));
    assert!(remains(&office, &key).await);
}

#[tokio::test]
async fn what_cannot_be_read_is_left_and_holds_nothing_up() {
    let office = Office::open().await;
    let house = &office.house;
    office.set(retention(1)).await;
    many(house, office.tenant, 3, BEGIN - 2 * DAY).await;
    let mut work = Work::new(Arc::clone(&house.store));
    let hits = work.find(&index::destroyed(office.tenant, i64::MAX, 1)).await.unwrap();
    let record = work.load(hits[0].key).await.unwrap().unwrap();
    let rows = index::rows(&Object::decode(records::open(&house.server.services().custody, &record).unwrap()).unwrap());
    let mut body = record.body.to_vec();
    body[40] ^= 1;
    work.put(record.key, body, rows);
    house.store.commit(work.into_change_set(0)).await.unwrap();
    assert_eq!(purge(&office, all()).await, (2, 0));
    assert!(house.store.load(record.key).await.unwrap().is_some());
}

#[tokio::test]
async fn others_agree_to_a_purge_under_the_retention_that_they_have_seen() {
    for (of, approvers) in [(PolicyTemplate::Mtg, 2), (PolicyTemplate::Strict, 2)] {
        let office = Office::open().await;
        let house = &office.house;
        office.set(retention(1)).await;
        let mut voters = Vec::new();
        for name in ["olga", "otto", "oscar"] {
            voters.push(voter(house, office.tenant, name, PersonRole::Operator).await);
        }
        let mut policy = template(of, Scope::Tenant);
        policy.rules.iter_mut().for_each(|rule| rule.reason_required = false);
        put_policy(house, office.tenant, policy).await;
        let key = destroyed_unasked(&office).await;
        house.clock.advance(2 * DAY);
        let until = |seconds| ObjectPurgeRequest {
            destroyed_until: Some(DateTime(seconds)),
            ..all()
        };
        let approve = async |id: &[u8]| {
            for voter in voters.iter().rev().take(approvers) {
                voter.approve(house, id).await;
            }
            voters[0].complete(house, id).await;
        };
        // The retention changes: nobody has agreed to that.
        let id = voters[0].propose(house, until(BEGIN + 10)).await;
        office.set(retention(0)).await;
        approve(&id).await;
        assert_eq!(voters[0].state(house, &id).await, ProposalState::Failed, "{of:?}");
        assert!(
            house
                .store
                .load(objects::key(office.tenant, &key))
                .await
                .unwrap()
                .is_some()
        );

        let id = voters[0].propose(house, until(BEGIN + 20)).await;
        approve(&id).await;
        assert_eq!(voters[0].state(house, &id).await, ProposalState::Executed, "{of:?}");
        assert!(
            house
                .store
                .load(objects::key(office.tenant, &key))
                .await
                .unwrap()
                .is_none()
        );
    }
    let off = template(PolicyTemplate::Off, Scope::Tenant);
    assert!(
        off.rules
            .iter()
            .all(|rule| !rule.rule_match.operations.contains(&Operation::ObjectPurge))
    );
}

/// A destroyed object, whatever rules there are.
async fn destroyed_unasked(office: &Office) -> String {
    many(&office.house, office.tenant, 1, BEGIN).await;
    "object 0".to_owned()
}

#[tokio::test]
async fn the_status_tells_a_tenants_people_what_is_due() {
    let office = Office::open().await;
    let line = async || {
        let item = office.act(ServerStatusRequest::default()).await;
        let Some(ResponsePayload::ServerStatus(status)) = item.payload else {
            panic!()
        };
        let found = status.items.into_iter().find(|item| item.status_name == "retention");
        found.unwrap().status_value
    };
    assert!(line().await.starts_with("no retention"));
    office.set(retention(1)).await;
    many(&office.house, office.tenant, 200, BEGIN - 2 * DAY).await;
    assert_eq!(
        line().await,
        "200 records of destroyed objects have outlived their retention"
    );
    purge(&office, all()).await;
    assert_eq!(
        line().await,
        "100 records of destroyed objects have outlived their retention, which are being purged"
    );
}
