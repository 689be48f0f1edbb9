//! Messages that leave: what is written for whom, and what is sent of it.

use super::outgoing::{MOST_TRIES, Outgoing, Verdict};
use super::testing::{TestHouse, create};
use super::{ConnectionFacts, Server, restarts};
use crate::administration::kek;
use crate::audit::Entry;
use crate::identity::{ClientId, Principal};
use crate::operations::Services;
use crate::outbox::{
    self, AllowList, Appended, EndpointId, EndpointRecord, MESSAGE, MOST_WAITING, MessageRecord, Outbox, What, counter,
};
use crate::records;
use crate::scrub::{Finding, Wrong};
use crate::store::{ChangeSet, CommitError, Record, Revision, StoreError, Work};
use kmip_protocol::{
    AddAttributeRequest, AnyValue, Attribute, AttributeKind, AttributeReference, Attributes, DeleteAttributeRequest,
    DestroyRequest, GetRequest, ManagedObject, NotifyRequest, Operation, PutFunction, PutRequest, ReKeyRequest,
    Request, RequestItem, RequestMessage, RequestPayload, ResponsePayload, ResultStatus, UniqueIdentifier,
    VendorAttribute, VendorName, Version,
};
use std::sync::Arc;

fn uid(object: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::Text(object.to_owned()))
}

async fn client_of(house: &TestHouse, facts: &ConnectionFacts) -> ClientId {
    let found = house
        .server
        .identity()
        .resolve(&facts.certificate, house.clock_seconds())
        .await;
    match found.unwrap() {
        Principal::Client(client) => ClientId {
            tenant: client.tenant,
            client: client.client,
        },
        _ => panic!("no client"),
    }
}

/// An endpoint of a client on its own connection.
pub(super) async fn subscribe(
    house: &TestHouse,
    facts: &ConnectionFacts,
    change: impl Fn(&mut EndpointRecord),
) -> EndpointId {
    let client = client_of(house, facts).await;
    let services = house.server.services();
    let mut record = EndpointRecord {
        name: "own".into(),
        client: client.client,
        address: None,
        pin: None,
        version: Version::NEWEST.into(),
        puts: true,
        notifies: true,
        objects: Vec::new(),
        groups: Vec::new(),
        created_ms: 1,
    };
    change(&mut record);
    let id = EndpointId {
        domain: client.tenant,
        id: services.randomness.array().unwrap(),
    };
    let mut work = Work::new(Arc::clone(&house.store));
    let revision = work.next_revision(id.key());
    let (body, _) = records::close(&services.custody, id.key(), revision, record.encode()).unwrap();
    work.put(id.key(), body, Vec::new());
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    services.outbox.known.forget(id.domain);
    id
}

/// An endpoint of a client at an address.
pub(crate) async fn subscribe_at(
    house: &TestHouse,
    facts: &ConnectionFacts,
    address: &str,
    pin: [u8; 32],
) -> EndpointId {
    subscribe(house, facts, |record| {
        record.address = Some(address.to_owned());
        record.pin = Some(pin);
    })
    .await
}

/// Another server over the same store, whose messages may go to these places.
pub(crate) async fn serving(house: &TestHouse, allow: &[&str]) -> Arc<Server> {
    let allowed = AllowList::new(allow.iter().map(|entry| entry.parse().unwrap()).collect());
    let services = Services {
        outbox: Arc::new(Outbox::new(allowed)),
        ..restarts::services_again(house)
    };
    Arc::new(restarts::started(house, services).await)
}

async fn next(house: &TestHouse, endpoint: EndpointId) -> Option<Outgoing> {
    house.server.next_outgoing(endpoint, None).await.unwrap()
}

/// The next message, which is accepted.
async fn take(house: &TestHouse, endpoint: EndpointId) -> Option<RequestPayload> {
    let outgoing = next(house, endpoint).await?;
    house.server.delivered(&outgoing).await.unwrap();
    // What is sent can be read as it was meant.
    let read = RequestMessage::read(outgoing.encode().expose()).ok().unwrap();
    Some(read.items.into_iter().next().unwrap().payload.unwrap())
}

async fn put(house: &TestHouse, endpoint: EndpointId) -> PutRequest {
    match take(house, endpoint).await {
        Some(RequestPayload::Put(put)) => put,
        _ => panic!("no Put"),
    }
}

async fn notified(house: &TestHouse, endpoint: EndpointId) -> NotifyRequest {
    match take(house, endpoint).await {
        Some(RequestPayload::Notify(notify)) => notify,
        _ => panic!("no Notify"),
    }
}

async fn ask<R: Request>(house: &TestHouse, request: R) -> ResponsePayload {
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    item.payload.unwrap()
}

fn vendor(value: &str) -> Attribute {
    Attribute::Vendor(VendorAttribute {
        name: VendorName {
            vendor_identification: "x".into(),
            attribute_name: "provider".into(),
        },
        value: AnyValue::TextString(value.into()),
    })
}

fn add(object: &str, attribute: Attribute) -> AddAttributeRequest {
    AddAttributeRequest {
        unique_identifier: uid(object),
        attribute: attribute.into(),
    }
}

fn kinds(attributes: Option<Attributes>) -> Vec<AttributeKind> {
    let attributes = attributes.unwrap();
    attributes.0.iter().map(|one| one.attribute.kind()).collect()
}

#[tokio::test]
async fn what_is_made_is_put_and_what_changes_is_notified_in_order() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("", Vec::new()).await;
    ask(&house, add(&key, vendor("unknown"))).await;
    let put = put(&house, endpoint).await;
    assert!(put.unique_identifier == UniqueIdentifier::Text(key.clone()));
    assert_eq!(put.put_function, PutFunction::New);
    assert!(matches!(put.object, ManagedObject::SymmetricKey(_)));
    let told = kinds(put.attributes);
    for kind in [
        AttributeKind::UniqueIdentifier,
        AttributeKind::State,
        AttributeKind::Digest,
    ] {
        assert!(told.contains(&kind), "{kind:?}");
    }
    let notify = notified(&house, endpoint).await;
    assert!(notify.unique_identifier == UniqueIdentifier::Text(key.clone()));
    assert_eq!(
        kinds(notify.attributes),
        [AttributeKind::Vendor, AttributeKind::LastChangeDate]
    );
    assert!(notify.references.is_empty());
    assert!(take(&house, endpoint).await.is_none());
    let counted = house.store.counters(endpoint.key()).await.unwrap();
    assert_eq!(counted, [(counter::WAITING, 0)]);
}

#[tokio::test]
async fn what_replaces_a_key_names_it_and_what_is_deleted_is_told_by_version() {
    let house = TestHouse::new().await;
    let old = house.create("old", Vec::new()).await;
    let endpoint = subscribe(&house, &house.alice, |record| record.objects = vec![old.clone()]).await;
    let other = house.create("", Vec::new()).await;
    let made = ask(
        &house,
        ReKeyRequest {
            unique_identifier: uid(&old),
            ..ReKeyRequest::default()
        },
    )
    .await;
    let ResponsePayload::ReKey(made) = made else {
        panic!("no key")
    };
    ask(&house, add(&other, vendor("x"))).await;
    let mut told = Vec::new();
    while let Some(payload) = take(&house, endpoint).await {
        told.push(payload);
    }
    // Nothing of the other one.
    assert_eq!(told.len(), 2);
    let put = told.iter().find_map(|one| match one {
        RequestPayload::Put(put) => Some(put),
        _ => None,
    });
    let put = put.unwrap();
    assert!(put.unique_identifier == UniqueIdentifier::Text(made.unique_identifier));
    assert_eq!(put.put_function, PutFunction::Replace);
    assert!(put.replaced_unique_identifier == Some(UniqueIdentifier::Text(old.clone())));
    let notify = told.iter().find_map(|one| match one {
        RequestPayload::Notify(notify) => Some(notify),
        _ => None,
    });
    // The Name went over.
    let name = AttributeReference::Known(AttributeKind::Name);
    assert!(notify.unwrap().references.contains(&name));
}

#[tokio::test]
async fn up_to_the_last_of_one_what_is_deleted_stands_without_a_value() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    ask(&house, add(&key, vendor("x"))).await;
    let endpoint = subscribe(&house, &house.alice, |record| record.version = Version::OLDEST.into()).await;
    let deleted = DeleteAttributeRequest {
        unique_identifier: uid(&key),
        reference: Some(vendor("x").reference()),
        ..DeleteAttributeRequest::default()
    };
    ask(&house, deleted).await;
    let notify = notified(&house, endpoint).await;
    let attributes = notify.attributes.unwrap();
    let valueless = Attribute::Valueless(vendor("x").reference());
    assert!(attributes.0.iter().any(|one| one.attribute == valueless));
    assert!(
        attributes
            .0
            .iter()
            .any(|one| one.attribute.kind() == AttributeKind::LastChangeDate)
    );
}

#[tokio::test]
async fn nothing_of_another_tenant_appears_and_only_what_is_wanted() {
    let house = TestHouse::new().await;
    let foreign = subscribe(&house, &house.bob, |_| {}).await;
    let silent = subscribe(&house, &house.alice, |record| record.puts = false).await;
    let key = house.create("", Vec::new()).await;
    assert!(next(&house, foreign).await.is_none());
    assert!(next(&house, silent).await.is_none());
    ask(&house, add(&key, vendor("x"))).await;
    assert!(take(&house, silent).await.is_some());
    assert!(next(&house, foreign).await.is_none());
    let bob = client_of(&house, &house.bob).await;
    assert!(
        house
            .server
            .next_for_client(bob, Version::NEWEST)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn serving_a_key_is_no_change_and_a_key_that_is_gone_is_not_put() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("", Vec::new()).await;
    let get = GetRequest {
        unique_identifier: uid(&key),
        ..GetRequest::default()
    };
    ask(&house, get).await;
    let destroy = DestroyRequest {
        unique_identifier: uid(&key),
    };
    ask(&house, destroy).await;
    // The Put was dropped; of the end the client hears.
    let notify = notified(&house, endpoint).await;
    let told = kinds(notify.attributes);
    assert!(told.contains(&AttributeKind::State) && told.contains(&AttributeKind::DestroyDate));
    assert!(next(&house, endpoint).await.is_none());
    let dropped = |entry: &Entry| {
        entry
            .draft
            .note
            .as_deref()
            .is_some_and(|note| note.contains("dropped: "))
    };
    assert!(super::tests::trail(&house).await.iter().any(dropped));
}

#[tokio::test]
async fn a_change_that_is_taken_back_is_told_to_nobody() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let mut message = super::testing::batch(
        Version::NEWEST,
        vec![
            RequestItem::new(create("", Vec::new())),
            RequestItem::new(GetRequest {
                unique_identifier: uid("nowhere"),
                ..GetRequest::default()
            }),
        ],
    );
    message.header.batch_error_continuation_option = Some(kmip_protocol::BatchErrorContinuationOption::Undo);
    house.message(&message, &house.alice).await;
    assert!(next(&house, endpoint).await.is_none());
}

/// At least once: what was sent and not noted is sent again, by the next server too.
#[tokio::test]
async fn what_waits_survives_a_restart() {
    let house = TestHouse::on_disk().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("", Vec::new()).await;
    let got = ask(
        &house,
        GetRequest {
            unique_identifier: uid(&key),
            ..GetRequest::default()
        },
    )
    .await;
    let ResponsePayload::Get(got) = got else {
        panic!("no key")
    };
    let is_the_key = |outgoing: &Outgoing| match &outgoing.request.items[0].payload {
        Ok(RequestPayload::Put(put)) => {
            put.unique_identifier == UniqueIdentifier::Text(key.clone()) && put.object == got.object
        }
        _ => false,
    };
    assert!(is_the_key(&next(&house, endpoint).await.unwrap()));
    let again = restarts::restarted(&house).await;
    let outgoing = again.next_outgoing(endpoint, None).await.unwrap().unwrap();
    assert!(is_the_key(&outgoing));
    again.delivered(&outgoing).await.unwrap();
    assert!(again.next_outgoing(endpoint, None).await.unwrap().is_none());
}

/// A house in which an endpoint has refused a message too often, which was given up.
pub(super) async fn given_up() -> (TestHouse, EndpointId) {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("", Vec::new()).await;
    ask(&house, add(&key, vendor("x"))).await;
    for _ in 1..MOST_TRIES {
        let outgoing = next(&house, endpoint).await.unwrap();
        assert_eq!(outgoing.operation, Operation::Put);
        assert_eq!(house.server.refused(&outgoing, "no").await.unwrap(), Verdict::Again);
    }
    let outgoing = next(&house, endpoint).await.unwrap();
    assert_eq!(house.server.refused(&outgoing, "no").await.unwrap(), Verdict::GivenUp);
    (house, endpoint)
}

#[tokio::test]
async fn what_is_refused_too_often_is_given_up_and_the_next_one_comes() {
    let (house, endpoint) = given_up().await;
    assert_eq!(next(&house, endpoint).await.unwrap().operation, Operation::Notify);
}

/// A house in which an endpoint has missed two messages; with the key of the one that waits.
pub(super) async fn overflown() -> (TestHouse, EndpointId, String) {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let first = house.create("", Vec::new()).await;
    let mut work = Work::new(Arc::clone(&house.store));
    work.set_counter(endpoint.key(), counter::WAITING, MOST_WAITING);
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    house.create("", Vec::new()).await;
    house.create("", Vec::new()).await;
    (house, endpoint, first)
}

#[tokio::test]
async fn a_full_queue_keeps_the_oldest_and_counts_what_is_lost() {
    let (house, endpoint, first) = overflown().await;
    let counted = house.store.counters(endpoint.key()).await.unwrap();
    assert!(counted.contains(&(counter::LOST, 2)), "{counted:?}");
    assert!(put(&house, endpoint).await.unique_identifier == UniqueIdentifier::Text(first));
    assert!(next(&house, endpoint).await.is_none());
}

/// What waits holds no key, and neither it nor its endpoint can be edited.
#[tokio::test]
async fn a_message_holds_no_key() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("", vec![vendor("a value of an attribute")]).await;
    let rows = house.all_rows().await;
    let (place, body) = rows.into_iter().find(|(place, _)| place.kind == MESSAGE).unwrap();
    let holds = |what: &[u8]| body.windows(what.len()).any(|window| window == what);
    assert!(holds(key.as_bytes()));
    assert!(!holds(b"a value of an attribute"));
    let mut row = house.row(place).await;
    let mut bytes = row.body.to_vec();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    row.body = bytes.into();
    house.plant(row);
    assert!(house.server.next_outgoing(endpoint, None).await.is_err());
}

/// A message for an endpoint, as a change writes it.
async fn append(house: &TestHouse, work: &mut Work, endpoint: EndpointId) -> Appended {
    let message = MessageRecord {
        endpoint: endpoint.id,
        enqueued_ms: 1,
        unique_identifier: "a".into(),
        what: What::Put(None),
    };
    let services = house.server.services();
    let place = (endpoint, services.randomness.array().unwrap());
    outbox::append(&services.custody, work, place, &message).await.unwrap()
}

async fn deletion(house: &TestHouse, endpoint: EndpointId) -> ChangeSet {
    let record = house.server.endpoint(endpoint).await.unwrap().unwrap();
    let mut work = Work::new(Arc::clone(&house.store));
    outbox::remove_endpoint(&mut work, endpoint, &record).await.unwrap();
    work.into_change_set(house.now_ms())
}

async fn rests(house: &TestHouse) -> usize {
    let rows = house.all_rows().await;
    rows.iter().filter(|(key, _)| key.kind == MESSAGE).count()
}

#[tokio::test]
async fn nothing_is_left_for_an_endpoint_that_is_deleted_beside_a_change() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |_| {}).await;
    let mut late = Work::new(Arc::clone(&house.store));
    assert_eq!(append(&house, &mut late, endpoint).await, Appended::Waits);
    let deletion = deletion(&house, endpoint).await;
    // What came before the deletion's commit, and was not seen by it.
    let mut early = Work::new(Arc::clone(&house.store));
    append(&house, &mut early, endpoint).await;
    house.store.commit(early.into_change_set(1)).await.unwrap();
    house.store.commit(deletion).await.unwrap();
    let late = house.store.commit(late.into_change_set(1)).await;
    assert!(matches!(late, Err(CommitError::Conflict)));
    // Whoever still remembers the endpoint writes nothing for it.
    house.create("", Vec::new()).await;
    assert_eq!(rests(&house).await, 1);
    house.server.sweep_orphans(house.tenant).await.unwrap();
    assert_eq!(rests(&house).await, 0);
    assert!(house.store.counters(endpoint.key()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_endpoint_whose_client_is_damaged_or_held_keeps_nobody_from_working() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |record| record.client = [9; 16]).await;
    let key = ClientId {
        tenant: house.tenant,
        client: [9; 16],
    }
    .key();
    house.plant(Record {
        key,
        revision: Revision::FIRST,
        creation: 1,
        body: vec![0; 64].into(),
    });
    house.create("damaged", Vec::new()).await;
    let services = house.server.services();
    let finding = Finding {
        key,
        wrong: Wrong::Damaged,
        found_ms: 1,
    };
    let mut work = Work::new(Arc::clone(&house.store));
    kek::put(&services.custody, &mut work, Finding::place(key), finding.encode())
        .await
        .unwrap();
    house.store.commit(work.into_change_set(1)).await.unwrap();
    let held = services.quarantine.reload(&house.store, &services.custody).await;
    assert_eq!(held.unwrap(), 1);
    assert!(matches!(house.store.load(key).await, Err(StoreError::Quarantined)));
    house.create("held", Vec::new()).await;
    assert!(!house.server.has_waiting(endpoint).await.unwrap());
}
