//! Records wrapped under another KEK while everybody works on, and the end of the KEK that they lay under.

use super::assembly::{is, put_policy, voter};
use super::asynchronous::{correlation, submit};
use super::governing::destroy;
use super::moody::{Scene, get, objects};
use super::restarts::restarted;
use super::testing::{TestHouse, create};
use crate::administration::rewrap::BATCH;
use crate::authority::quorum::{Scope, template};
use crate::failure::Fault;
use crate::objects::{self, OBJECT};
use crate::operations::pending::PENDING;
use crate::store::{TrailQuery, Work};
use kmip_protocol::{
    Attribute, GetAttributesRequest, KekActivateRequest, KekDeleteRequest, KekMarkCompromisedRequest, KekRewrapRequest,
    KekState, ModifyAttributeRequest, Operation, PersonRole, PolicyTemplate, ProposalState, ResponsePayload,
    ResultStatus, RewrapState, UniqueIdentifier, Version,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

async fn attributes(house: &TestHouse, identifier: &str) -> Option<ResponsePayload> {
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
        ..GetAttributesRequest::default()
    };
    house.item(Version::NEWEST, request, &house.alice).await.payload
}

#[tokio::test]
async fn what_lay_under_a_kek_lies_under_another_and_nobody_sees_a_difference() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut made = Vec::new();
    for number in 0..BATCH + 5 {
        let name = format!("key {number}");
        made.push(house.create(&name, vec![Attribute::ObjectGroup("a".into())]).await);
    }
    scene.activate(2).await;
    let mut before = Vec::new();
    for identifier in &made {
        before.push((
            get(house, identifier).await.unwrap(),
            attributes(house, identifier).await.unwrap(),
        ));
    }
    // Time passes: a change would have a date of its own.
    house.clock.advance(60);
    scene.rewrap().await;
    scene.tend().await;
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
    let told = scene.progress().await;
    assert_eq!(
        (told.rewrap_state, told.records_left, told.records_failed),
        (RewrapState::Ended, 0, 0)
    );
    assert!(told.records_done >= i64::try_from(made.len()).unwrap() && told.finished.is_some());
    for (identifier, (key, attributes_before)) in made.iter().zip(before) {
        assert!(get(house, identifier).await.unwrap() == key);
        assert!(attributes(house, identifier).await.unwrap() == attributes_before);
    }
}

/// Everything that the table of references has is counted, wrapped anew, and opens afterwards.
#[tokio::test]
async fn requests_that_wait_are_wrapped_anew_too() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let waits = correlation(&submit(house, Version::NEWEST, create("late", Vec::new()), &house.alice).await);
    assert_eq!(waits.len(), 16);
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    let pending = house.store.scan(house.tenant, PENDING, None, 100).await.unwrap();
    assert!(!pending.is_empty());
    assert_eq!(scene.delete().await, ProposalState::Executed);
    let told = super::asynchronous::poll(house, Version::NEWEST, &waits, &house.alice).await;
    assert!(
        matches!(told.payload, Some(ResponsePayload::Create(_))),
        "{:?}",
        told.result_message
    );
}

/// What was found when the deletion was asked for is not believed when it is carried out.
#[tokio::test]
async fn what_comes_back_under_a_kek_meanwhile_keeps_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let made = house.create("kept", Vec::new()).await;
    let row = house.row(objects::key(house.tenant, &made)).await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    let id = scene.olga.propose(house, KekDeleteRequest { kek_generation: 1 }).await;
    scene.olga.approve(house, &id).await;
    scene.otto.approve(house, &id).await;
    house.plant(row);
    scene.otto.complete(house, &id).await;
    assert_ne!(scene.olga.state(house, &id).await, ProposalState::Executed);
    assert_eq!(
        scene.states().await,
        [(2, KekState::Active), (1, KekState::Deactivated)]
    );
    assert_eq!(scene.key_file(), 4);
    assert!(get(house, &made).await.is_some());
}

#[tokio::test]
async fn a_kek_is_deleted_when_nothing_lies_under_it_and_not_before() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let made = house.create("kept", Vec::new()).await;
    for number in [2, 1] {
        scene.activate(number).await;
        let request = KekDeleteRequest { kek_generation: number };
        let refused = scene.olga.ask(house, request).await;
        assert!(is(&refused, Fault::KekState), "it is active");
    }
    scene.activate(2).await;
    let refused = scene.olga.ask(house, KekDeleteRequest { kek_generation: 1 }).await;
    let message = refused.result_message.unwrap();
    assert!(
        message.starts_with(Fault::KekReferenced.message()) && message.ends_with(')'),
        "{message}"
    );
    assert_eq!(scene.key_file(), 4);
    scene.rewrap().await;
    scene.tend().await;
    assert_eq!(scene.delete().await, ProposalState::Executed);
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Destroyed)]);
    assert_eq!((scene.key_file(), scene.hsm.destroyed.load(Ordering::SeqCst)), (3, 1));
    assert!(get(house, &made).await.is_some());
    // Twice is once too often.
    let refused = scene.olga.ask(house, KekDeleteRequest { kek_generation: 1 }).await;
    assert!(is(&refused, Fault::KekState));
    // A server that starts anew needs it for nothing.
    let custody = super::restarts::custody_again(house).await;
    assert!(custody.ready(house.tenant).await.is_ok());
}

/// One record that cannot be read may lie under any KEK.
#[tokio::test]
async fn a_record_that_cannot_be_read_stands_in_the_way_and_is_named() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let good = house.create("good", Vec::new()).await;
    let bad = house.create("bad", Vec::new()).await;
    scene.activate(2).await;
    let key = crate::objects::key(house.tenant, &bad);
    let mut work = Work::new(Arc::clone(&house.store));
    let record = work.load(key).await.unwrap().unwrap();
    let mut body = record.body.to_vec();
    body[40] ^= 1;
    work.put(key, body, Vec::new());
    house.store.commit(work.into_change_set(0)).await.unwrap();
    scene.rewrap().await;
    scene.tend().await;
    let told = scene.progress().await;
    assert_eq!(
        (told.rewrap_state, told.records_failed, told.records_left),
        (RewrapState::Ended, 1, 1)
    );
    assert_eq!(told.failed_records, [format!("object {}", kmip_ttlv::Hex(&key.id))]);
    assert!(get(house, &good).await.is_some());
    let refused = scene.olga.ask(house, KekDeleteRequest { kek_generation: 1 }).await;
    assert!(
        refused
            .result_message
            .unwrap()
            .ends_with("(1, of which 1 cannot be read)")
    );
}

/// The one that changes a record at the same moment comes first, and the record is done after that.
#[tokio::test]
async fn whoever_changes_a_record_meanwhile_loses_nothing() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut made = Vec::new();
    for number in 0..9 {
        made.push(
            house
                .create(
                    &format!("key {number}"),
                    vec![Attribute::ContactInformation("0".into())],
                )
                .await,
        );
    }
    scene.activate(2).await;
    scene.rewrap().await;
    let tending = async {
        for _ in 0..40 {
            house.server.tend().await;
            house.clock.advance(1);
        }
    };
    let changing = async {
        for round in 1..=20 {
            for identifier in &made {
                let request = ModifyAttributeRequest {
                    unique_identifier: Some(UniqueIdentifier::Text(identifier.clone())),
                    attribute: Attribute::ContactInformation(round.to_string()).into(),
                    current_attribute: None,
                };
                let item = house.item(Version::NEWEST, request, &house.alice).await;
                assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
                assert!(get(house, identifier).await.is_some());
            }
        }
    };
    tokio::join!(tending, changing);
    scene.tend().await;
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
    for object in objects(house).await {
        let last = Attribute::ContactInformation("20".into());
        assert!(object.attributes.iter().any(|instance| instance.attribute == last));
    }
}

#[tokio::test]
async fn a_rewrap_waits_for_its_hsm_and_goes_on_by_itself() {
    let scene = Scene::open().await;
    let house = &scene.house;
    house.create("one", Vec::new()).await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.hsm.away.store(true, Ordering::SeqCst);
    scene.tend().await;
    assert_eq!(scene.progress().await.rewrap_state, RewrapState::Paused);
    assert_eq!(scene.in_use().await, BTreeSet::from([1]));
    scene.hsm.away.store(false, Ordering::SeqCst);
    scene.tend().await;
    assert_eq!(scene.progress().await.rewrap_state, RewrapState::Ended);
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_commit_was() {
    let mut scene = Scene::open().await;
    for number in 0..20 {
        scene.house.create(&format!("key {number}"), Vec::new()).await;
    }
    scene.activate(2).await;
    let request = KekRewrapRequest {
        kek_generation: None,
        records_per_second: Some(10),
    };
    assert_eq!(scene.agree(request).await, ProposalState::Executed);
    scene.house.server.tend().await;
    let told = scene.progress().await;
    assert_eq!((told.rewrap_state, told.records_done), (RewrapState::Running, 5));
    assert_eq!(scene.in_use().await, BTreeSet::from([1, 2]));
    scene.house.server = restarted(&scene.house).await;
    scene.tend().await;
    let told = scene.progress().await;
    assert_eq!((told.rewrap_state, told.records_left), (RewrapState::Ended, 0));
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
}

/// No more in a second than was said.
#[tokio::test]
async fn the_rate_that_was_agreed_to_is_kept() {
    let scene = Scene::open().await;
    for number in 0..30 {
        scene.house.create(&format!("key {number}"), Vec::new()).await;
    }
    scene.activate(2).await;
    let request = KekRewrapRequest {
        kek_generation: None,
        records_per_second: Some(20),
    };
    assert_eq!(scene.agree(request).await, ProposalState::Executed);
    let mut before = 0;
    for _ in 0..4 {
        scene.house.server.tend().await;
        let done = scene.progress().await.records_done;
        assert!(done - before <= 10);
        before = done;
        // Not yet due again.
        scene.house.server.tend().await;
        assert_eq!(scene.progress().await.records_done, done);
        scene.house.clock.advance(1);
    }
    let out_of_range = KekRewrapRequest {
        kek_generation: None,
        records_per_second: Some(0),
    };
    assert_eq!(scene.agree(out_of_range).await, ProposalState::Failed);
}

/// Each record that was wrapped anew is in the trail with its revision and its MAC, and each commit has one audit record.
#[tokio::test]
async fn the_trail_has_each_record_that_was_wrapped_anew() {
    let scene = Scene::open().await;
    let house = &scene.house;
    for number in 0..BATCH + 9 {
        house.create(&format!("key {number}"), Vec::new()).await;
    }
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    let heads = house.store.trail_heads().await.unwrap();
    let query = TrailQuery {
        stream: heads[0].position.stream,
        domain: Some(house.tenant),
        after: 0,
        limit: 100_000,
    };
    let entries = house.store.trail(query).await.unwrap();
    let entries = entries
        .iter()
        .map(|record| crate::audit::Entry::read(&record.bytes).unwrap().draft);
    let rewrapped: Vec<_> = entries
        .filter(|draft| draft.operation == Operation::KekRewrap.0)
        .filter(|draft| {
            draft
                .note
                .as_deref()
                .is_some_and(|note| note.contains("records, up to"))
        })
        .collect();
    // Those, and the record of the rewrap itself.
    let sizes: Vec<usize> = rewrapped.iter().map(|draft| draft.records.len()).collect();
    assert!(
        sizes.len() >= 2 && sizes.iter().all(|size| *size <= BATCH + 1),
        "{sizes:?}"
    );
    let stands = house.store.scan(house.tenant, OBJECT, None, 1_000).await.unwrap();
    for record in stands {
        let mut told = rewrapped.iter().flat_map(|draft| &draft.records);
        assert!(told.any(|state| {
            (state.kind, state.id) == (record.key.kind.0, record.key.id)
                && state.left.is_some_and(|(revision, _)| revision == record.revision.0)
        }));
    }
}

#[tokio::test]
async fn an_outage_leaves_a_kek_deleting_and_a_new_approval_goes_on() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let made = house.create("kept", Vec::new()).await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    scene.hsm.stuck.store(true, Ordering::SeqCst);
    assert_eq!(scene.delete().await, ProposalState::Executing);
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Deleting)]);
    // It stays away for longer than it may take.
    house.clock.advance(100 * 3_600);
    house.server.tend().await;
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Deleting)]);
    assert_eq!(scene.key_file(), 4);
    // It can neither be used any more nor come back.
    let again = scene.olga.ask(house, KekActivateRequest { kek_generation: 1 }).await;
    assert!(again.result_status != ResultStatus::Success);
    scene.hsm.stuck.store(false, Ordering::SeqCst);
    let scene = Scene {
        olga: voter(&scene.house, scene.house.tenant, "olga2", PersonRole::Operator).await,
        otto: voter(&scene.house, scene.house.tenant, "otto2", PersonRole::Operator).await,
        ..scene
    };
    assert_eq!(scene.delete().await, ProposalState::Executed);
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Destroyed)]);
    assert_eq!(scene.key_file(), 3);
    assert!(get(&scene.house, &made).await.is_some());
}

#[tokio::test]
async fn an_outage_that_passes_is_waited_for() {
    let scene = Scene::open().await;
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    scene.hsm.stuck.store(true, Ordering::SeqCst);
    assert_eq!(scene.delete().await, ProposalState::Executing);
    scene.hsm.stuck.store(false, Ordering::SeqCst);
    scene.house.clock.advance(5);
    scene.house.server.tend().await;
    assert_eq!(scene.states().await, [(2, KekState::Active), (1, KekState::Destroyed)]);
}

#[tokio::test]
async fn a_compromised_kek_is_not_activated_and_its_rewrap_is_urged() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mark = async |kek_generation| match scene
        .otto
        .ask(house, KekMarkCompromisedRequest { kek_generation })
        .await
        .payload
    {
        Some(ResponsePayload::KekMarkCompromised(told)) => told.kek_state,
        _ => panic!("not marked"),
    };
    assert_eq!(mark(2).await, KekState::PreActive);
    let refused = scene.olga.ask(house, KekActivateRequest { kek_generation: 2 }).await;
    assert!(is(&refused, Fault::KekState));
    assert_eq!(mark(1).await, KekState::Active);
    let custody = &house.server.services().custody;
    let state = custody.states().into_iter().find(|state| state.domain == house.tenant);
    assert_eq!(state.map(|state| state.compromised), Some(2));
    // What there is goes on being served meanwhile.
    let made = house.create("still", Vec::new()).await;
    assert!(get(house, &made).await.is_some());
}

/// A governed request that waits for votes is about an object, not about how it is sealed.
#[tokio::test]
async fn what_waits_for_votes_is_not_touched_by_a_rewrap() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let key = house.create("", Vec::new()).await;
    let policy = {
        let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
        let mut rule = policy.rules[0].clone();
        rule.rule_name = "destroy".into();
        rule.rule_match.operations = vec![Operation::Destroy];
        policy.rules.push(rule);
        policy
    };
    put_policy(house, house.tenant, policy).await;
    correlation(&submit(house, Version::NEWEST, destroy(&key), &house.alice).await);
    let id = scene.olga.list(house).await[0].proposal_identifier.clone();
    scene.activate(2).await;
    scene.rewrap().await;
    scene.tend().await;
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
    scene.olga.approve(house, &id).await;
    scene.otto.approve(house, &id).await;
    scene.otto.complete(house, &id).await;
    assert_eq!(scene.olga.state(house, &id).await, ProposalState::Executed);
}
