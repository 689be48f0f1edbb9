//! Counters that somebody else has written to, behind the server's back: found, held, released. And comparisons that are interrupted.

use super::assembly::is;
use super::governing::destroy;
use super::scrubbing::Begin;
use super::testing::TestHouse;
use crate::audit::alarm::Event;
use crate::failure::Fault;
use crate::identity::{lockout_counter, person_counter};
use crate::objects;
use crate::scrub::{Cursor, Known, Wrong};
use crate::store::{Domain, Key, Record, Work};
use kmip_protocol::{
    Finding, GetRequest, PersonRole, QuarantineListRequest, QuarantineReleaseRequest, RecordFault, ResponsePayload,
    ResultStatus, StateVerifyRequest, UniqueIdentifier, Version,
};
use std::sync::Arc;
use std::time::Duration;

/// Counts beside a record, as handlers do.
async fn count(house: &TestHouse, key: Key, field: u32, amount: i64) {
    let mut work = Work::new(Arc::clone(&house.store));
    let counted = work.adjust(key, field, amount, (i64::MIN, i64::MAX)).await.unwrap();
    counted.unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
}

async fn findings(house: &TestHouse) -> Vec<Finding> {
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    house.scrub().await;
    match house
        .act(&administrator, QuarantineListRequest::default())
        .await
        .payload
    {
        Some(ResponsePayload::QuarantineList(list)) => list.findings,
        _ => panic!("no list"),
    }
}

async fn faults(house: &TestHouse) -> Vec<RecordFault> {
    findings(house)
        .await
        .iter()
        .map(|finding| finding.record_fault)
        .collect()
}

async fn key(house: &TestHouse, name: &str) -> (String, Key) {
    let identifier = house.create(name, Vec::new()).await;
    let key = objects::key(house.tenant, &identifier);
    (identifier, key)
}

async fn is_held(house: &TestHouse, identifier: &str) -> bool {
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
        ..GetRequest::default()
    };
    is(
        &house.item(Version::NEWEST, request, &house.alice).await,
        Fault::Quarantined,
    )
}

#[tokio::test]
async fn an_allowance_given_back_behind_the_server_is_found_held_and_released() {
    let house = TestHouse::new().await;
    let (identifier, key) = key(&house, "limited").await;
    for _ in 0..3 {
        count(&house, key, objects::usage::TAKEN, 10).await;
    }
    assert_eq!(faults(&house).await, []);
    house.miscount(key, objects::usage::TAKEN, Some(1));
    let found = findings(&house).await;
    assert_eq!(found[0].record_fault, RecordFault(Wrong::Counter.number()));
    assert_eq!(found[0].record_name, format!("object {identifier}"));
    assert!(found.len() == 1 && found[0].held && is_held(&house, &identifier).await);
    assert!(house.alarms().await.contains(&Event::RecordStale));
    // It is put right, and that is seen; or people take it as it is, and it counts from there.
    house.miscount(key, objects::usage::TAKEN, Some(30));
    assert_eq!(faults(&house).await, []);
    assert!(!is_held(&house, &identifier).await);
    house.miscount(key, objects::usage::TAKEN, Some(2));
    let found = findings(&house).await;
    let olga = house.known(house.tenant, PersonRole::Operator);
    let release = QuarantineReleaseRequest {
        finding_identifier: found[0].finding_identifier.clone(),
    };
    let item = house.act(&olga, release).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    count(&house, key, objects::usage::TAKEN, 1).await;
    assert_eq!(faults(&house).await, []);
    assert!(!is_held(&house, &identifier).await);
}

#[tokio::test]
async fn a_counter_that_is_used_after_it_was_altered_does_not_become_the_newest_by_that() {
    let house = TestHouse::new().await;
    let (_, used) = key(&house, "used").await;
    count(&house, used, objects::usage::TAKEN, 10).await;
    house.miscount(used, objects::usage::TAKEN, Some(3));
    count(&house, used, objects::usage::TAKEN, 7).await;
    assert_eq!(faults(&house).await, [RecordFault::Counter]);
    // Nor does one that is set, or removed, in the ordinary course of things.
    let (_, removed) = key(&house, "removed").await;
    count(&house, removed, objects::usage::TAKEN, 10).await;
    house.miscount(removed, objects::usage::TAKEN, Some(3));
    let mut work = Work::new(Arc::clone(&house.store));
    work.remove_counter(removed, objects::usage::TAKEN);
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    assert_eq!(faults(&house).await.len(), 2);
}

#[tokio::test]
async fn a_lock_out_that_was_cleared_and_a_code_that_may_be_used_again_are_found() {
    let house = TestHouse::new().await;
    let person = house.person(house.tenant, "olga", PersonRole::Operator).await;
    let place = person.id.key();
    count(&house, place, lockout_counter::FAILED, 5).await;
    count(&house, place, lockout_counter::LOCKED_UNTIL, i64::MAX / 2).await;
    count(&house, place, person_counter::LAST_STEP, 77).await;
    assert_eq!(faults(&house).await, []);
    for (field, value, right) in [
        (lockout_counter::LOCKED_UNTIL, None, i64::MAX / 2),
        (lockout_counter::FAILED, Some(0), 5),
        (person_counter::LAST_STEP, Some(76), 77),
        // One that nobody ever counted.
        (person_counter::INITIAL_LOGINS, Some(-9), 0),
    ] {
        house.miscount(place, field, value);
        assert_eq!(faults(&house).await, [RecordFault::Counter], "{field}");
        house.miscount(place, field, (right != 0).then_some(right));
        assert_eq!(faults(&house).await, [], "{field}");
    }
}

#[tokio::test]
async fn counters_that_change_meanwhile_and_go_with_their_records_are_right() {
    let house = TestHouse::new().await;
    let (_, kept) = key(&house, "kept").await;
    for _ in 0..20 {
        let (identifier, gone) = key(&house, "").await;
        count(&house, gone, objects::usage::TAKEN, 1).await;
        house.item(Version::NEWEST, destroy(&identifier), &house.alice).await;
    }
    let mut work = Work::new(Arc::clone(&house.store));
    let (_, deleted) = key(&house, "deleted").await;
    count(&house, deleted, objects::usage::TAKEN, 4).await;
    work.delete(deleted).await.unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    let known = Known::default();
    let scrub = house.comparison(&known, Some(8));
    let busy = async {
        for _ in 0..60 {
            count(&house, kept, objects::usage::TAKEN, 1).await;
            crate::wait::breathe().await;
        }
    };
    let (outcome, ()) = tokio::join!(scrub.run(), busy);
    assert_eq!(outcome.unwrap().findings, []);
    // What comes back beside a record that is gone is seen.
    house.miscount(deleted, objects::usage::TAKEN, Some(4));
    assert_eq!(scrub.run().await.unwrap().findings, [(deleted, Wrong::Counter)]);
}

/// Where a comparison stands, as the store has it.
async fn cursor(house: &TestHouse) -> Option<(Cursor, Record)> {
    let record = house.store.load(Cursor::KEY).await.unwrap()?;
    let custody = &house.server.services().custody;
    let body = crate::records::open(custody, &record).unwrap();
    Some((Cursor::decode(body).unwrap(), record.clone()))
}

const SMALL: Option<usize> = Some(12);

/// Compares until some parts are done, and goes down.
async fn interrupted(house: &TestHouse, begin: Begin, parts: u64) -> Cursor {
    let until = async {
        loop {
            match cursor(house).await {
                Some((cursor, _)) if cursor.place >= parts => break cursor,
                _ => crate::wait::breathe().await,
            }
        }
    };
    tokio::select! {
        biased;
        cursor = until => cursor,
        () = house.server.scrub(begin, Duration::ZERO, SMALL) => panic!("it was not interrupted"),
    }
}

async fn begun(house: &TestHouse) -> Option<i64> {
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let item = house.act(&administrator, StateVerifyRequest::default()).await;
    match item.payload {
        Some(ResponsePayload::StateVerify(status)) => status.begun.map(|begun| begun.0),
        _ => panic!("no status"),
    }
}

#[tokio::test]
async fn a_comparison_that_was_interrupted_goes_on_where_it_stood() {
    let house = TestHouse::new().await;
    for _ in 0..60 {
        key(&house, "").await;
    }
    let first = house.now_ms();
    let stood = interrupted(&house, Begin::Resumed, 1).await;
    house.clock.advance(600);
    let later = interrupted(&house, Begin::Resumed, stood.place + 1).await;
    assert_eq!((later.salt, later.begun_ms), (stood.salt, first));
    // A part may well be empty: the salt says what falls into it.
    assert!(later.place > stood.place && later.compared >= stood.compared);
    house.server.scrub(Begin::Resumed, Duration::ZERO, SMALL).await;
    assert_eq!(begun(&house).await, Some(first / 1000));
    assert!(cursor(&house).await.is_none(), "it is over");
    // Whoever asks for one has everything looked at.
    interrupted(&house, Begin::Resumed, 2).await;
    house.clock.advance(600);
    house.server.scrub(Begin::Anew, Duration::ZERO, SMALL).await;
    assert_eq!(begun(&house).await, Some(house.now_ms() / 1000));
}

#[tokio::test]
async fn a_place_that_was_put_back_is_not_gone_on_from() {
    let house = TestHouse::new().await;
    for _ in 0..60 {
        key(&house, "").await;
    }
    interrupted(&house, Begin::Anew, 2).await;
    let (_, old) = cursor(&house).await.unwrap();
    house.server.scrub(Begin::Resumed, Duration::ZERO, SMALL).await;
    assert!(cursor(&house).await.is_none());
    house.clock.advance(600);
    house.plant(old);
    house.server.scrub(Begin::Resumed, Duration::ZERO, SMALL).await;
    assert_eq!(begun(&house).await, Some(house.now_ms() / 1000));
}
