//! The server as a message sees it: batches, states in time, tenants apart, bad input, trails.

use super::testing::{TestHouse, batch, create, named};
use crate::audit::{Entry, TrailError};
use kmip_protocol::{
    ActivateRequest, AddAttributeRequest, Attribute, AttributeKind, AttributePattern, AttributePatterns,
    AttributeReference, BatchErrorContinuationOption, DateTime, DeleteAttributeRequest, DestroyRequest,
    GetAttributesRequest, GetRequest, LocateRequest, ModifyAttributeRequest, Operation, QueryFunction, QueryRequest,
    RequestItem, ResponseItem, ResponsePayload, ResultReason, ResultStatus, RevocationReason, RevocationReasonCode,
    RevokeRequest, State, UniqueIdentifier, Version,
};

fn of(identifier: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(identifier))
}

fn get(identifier: &str) -> GetRequest {
    GetRequest {
        unique_identifier: of(identifier),
        ..GetRequest::default()
    }
}

fn activate(identifier: &str) -> ActivateRequest {
    ActivateRequest {
        unique_identifier: of(identifier),
    }
}

fn destroy(identifier: &str) -> DestroyRequest {
    DestroyRequest {
        unique_identifier: of(identifier),
    }
}

fn locate(name: &str) -> LocateRequest {
    let pattern = AttributePattern::exactly(&named(name));
    LocateRequest {
        attributes: AttributePatterns(vec![pattern]),
        ..LocateRequest::default()
    }
}

fn reason(item: &ResponseItem) -> Option<ResultReason> {
    assert!(item.result_reason.is_some() == (item.result_status == ResultStatus::OperationFailed));
    item.result_reason
}

async fn state(house: &TestHouse, identifier: &str) -> State {
    let request = GetAttributesRequest {
        unique_identifier: of(identifier),
        references: vec![AttributeReference::Known(AttributeKind::State)],
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::GetAttributes(got)) => match got.attributes.first(AttributeKind::State) {
            Some(Attribute::State(state)) => *state,
            _ => panic!("no state"),
        },
        _ => panic!("no answer"),
    }
}

async fn located(house: &TestHouse, name: &str) -> Vec<String> {
    match house.item(Version::NEWEST, locate(name), &house.alice).await.payload {
        Some(ResponsePayload::Locate(found)) => found.unique_identifiers,
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn a_key_lives_from_create_to_destroy() {
    let house = TestHouse::new().await;
    let key = house.create("life", Vec::new()).await;
    assert_eq!(state(&house, &key).await, State::PreActive);
    assert_eq!(
        house
            .item(Version::NEWEST, activate(&key), &house.alice)
            .await
            .result_status,
        ResultStatus::Success
    );
    let early = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(reason(&early), Some(ResultReason::WrongKeyLifecycleState));
    let revoke = RevokeRequest {
        unique_identifier: of(&key),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::CessationOfOperation,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    assert_eq!(
        house.item(Version::NEWEST, revoke, &house.alice).await.result_status,
        ResultStatus::Success
    );
    assert_eq!(state(&house, &key).await, State::Deactivated);
    assert_eq!(located(&house, "life").await, std::slice::from_ref(&key));
    assert_eq!(
        house
            .item(Version::NEWEST, destroy(&key), &house.alice)
            .await
            .result_status,
        ResultStatus::Success
    );
    assert_eq!(state(&house, &key).await, State::Destroyed);
    assert!(located(&house, "life").await.is_empty());
    let gone = house.item(Version::NEWEST, get(&key), &house.alice).await;
    assert_eq!(reason(&gone), Some(ResultReason::ObjectDestroyed));
    // The Name is free again.
    house.create("life", Vec::new()).await;
}

#[tokio::test]
async fn time_moves_an_object_without_anybody_touching_it() {
    let house = TestHouse::new().await;
    let begin = super::testing::BEGIN;
    let dates = vec![
        Attribute::ActivationDate(DateTime(begin + 10)),
        Attribute::DeactivationDate(DateTime(begin + 20)),
    ];
    let key = house.create("dated", dates).await;
    assert_eq!(state(&house, &key).await, State::PreActive);
    house.clock.advance(10);
    assert_eq!(state(&house, &key).await, State::Active);
    let late = ModifyAttributeRequest {
        unique_identifier: of(&key),
        current_attribute: None,
        attribute: Attribute::ActivationDate(DateTime(begin + 99)).into(),
    };
    assert_eq!(
        reason(&house.item(Version::NEWEST, late, &house.alice).await),
        Some(ResultReason::WrongKeyLifecycleState)
    );
    house.clock.advance(10);
    assert_eq!(state(&house, &key).await, State::Deactivated);
    // A clock set back reactivates nothing: the failed change above persisted its time, and this commit a later one.
    house.create("later", Vec::new()).await;
    house.clock.advance(-15);
    assert_eq!(state(&house, &key).await, State::Deactivated);
}

#[tokio::test]
async fn another_tenants_object_does_not_exist() {
    let house = TestHouse::new().await;
    let key = house.create("mine", Vec::new()).await;
    let foreign = house.item(Version::NEWEST, get(&key), &house.bob).await;
    let unknown = house
        .item(Version::NEWEST, get("7c1d4b7e-0000-4000-8000-000000000000"), &house.bob)
        .await;
    assert_eq!(reason(&foreign), Some(ResultReason::ObjectNotFound));
    assert!(foreign == unknown);
    let pattern = house.item(Version::NEWEST, locate("mine"), &house.bob).await;
    assert!(matches!(pattern.payload, Some(ResponsePayload::Locate(found)) if found.unique_identifiers.is_empty()));
    // The same Name is free for another tenant.
    let again = house
        .item(Version::NEWEST, create("mine", Vec::new()), &house.bob)
        .await;
    assert_eq!(again.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn a_name_belongs_to_one_object() {
    let house = TestHouse::new().await;
    let first = house.create("one", Vec::new()).await;
    let second = house
        .item(Version::NEWEST, create("one", Vec::new()), &house.alice)
        .await;
    assert_eq!(reason(&second), Some(ResultReason::NonUniqueNameAttribute));
    // Older clients share a Name between objects and find them all by it, the newest first.
    let shared = house
        .item(Version::OLDEST, create("one", Vec::new()), &house.alice)
        .await;
    let Some(ResponsePayload::Create(shared)) = shared.payload else {
        panic!("not created")
    };
    assert_eq!(located(&house, "one").await, [shared.unique_identifier.clone(), first]);
    // Destroying the one without the claim does not free the Name.
    house
        .item(Version::NEWEST, destroy(&shared.unique_identifier), &house.alice)
        .await;
    let third = house
        .item(Version::NEWEST, create("one", Vec::new()), &house.alice)
        .await;
    assert_eq!(reason(&third), Some(ResultReason::NonUniqueNameAttribute));
}

#[tokio::test]
async fn the_placeholder_carries_an_identifier_through_a_batch() {
    let house = TestHouse::new().await;
    let items = vec![
        RequestItem::new(create("chain", Vec::new())),
        RequestItem::new(ActivateRequest::default()),
        RequestItem::new(GetRequest::default()),
    ];
    let response = house.message(&batch(Version::OLDEST, items), &house.alice).await;
    let outcome: Vec<_> = response.items.iter().map(|i| i.result_status).collect();
    assert_eq!(outcome, [ResultStatus::Success; 3]);
    let alone = house.item(Version::OLDEST, GetRequest::default(), &house.alice).await;
    assert_eq!(reason(&alone), Some(ResultReason::ItemNotFound));
}

#[tokio::test]
async fn without_an_index_the_first_instance_is_deleted_and_no_other() {
    let house = TestHouse::new().await;
    let means_first = |version: &Version| !version.has_tagged_attributes() && !version.deletes_by_index_only();
    let version = Version::ALL.into_iter().find(means_first).unwrap();
    let group = |name: &str| Attribute::ObjectGroup(name.into());
    let key = house.create("", vec![group("one"), group("two")]).await;
    let mut delete = DeleteAttributeRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
        reference: Some(AttributeReference::Known(AttributeKind::ObjectGroup)),
        ..DeleteAttributeRequest::default()
    };
    let first = house.item(version, delete.clone(), &house.alice).await;
    assert_eq!(first.result_status, ResultStatus::Success);
    // An index is no other's when it was deleted (KMIP 1.4 §2.1.1, §4.16).
    let none = house.item(version, delete.clone(), &house.alice).await;
    assert_eq!(reason(&none), Some(ResultReason::ItemNotFound));
    delete.attribute_index = Some(1);
    let second = house.item(version, delete, &house.alice).await;
    assert_eq!(second.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn the_oldest_clients_say_which_instance_they_delete() {
    let house = TestHouse::new().await;
    assert!(Version::OLDEST.deletes_by_index_only());
    let group = |name: &str| Attribute::ObjectGroup(name.into());
    let key = house.create("", vec![group("one"), group("two")]).await;
    let delete = DeleteAttributeRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
        reference: Some(AttributeReference::Known(AttributeKind::ObjectGroup)),
        ..DeleteAttributeRequest::default()
    };
    let refused = house.item(Version::OLDEST, delete, &house.alice).await;
    assert_eq!(reason(&refused), Some(ResultReason::InvalidField));
    let words = refused.result_message.unwrap_or_default();
    assert!(words.contains("index is required"), "{words}");
}

#[tokio::test]
async fn a_message_without_items_is_none() {
    let house = TestHouse::new().await;
    for version in Version::ALL {
        let answer = house.message(&batch(version, Vec::new()), &house.alice).await;
        let [item] = answer.items.as_slice() else {
            panic!("{} items in {version}", answer.items.len());
        };
        assert_eq!(reason(item), Some(ResultReason::InvalidMessage));
        assert_eq!(item.operation, None);
    }
}

async fn failing_batch(option: Option<BatchErrorContinuationOption>) -> (TestHouse, Vec<ResultStatus>) {
    let house = TestHouse::new().await;
    let items = vec![
        RequestItem::new(create("first", Vec::new())),
        RequestItem::new(get("nothing")),
        RequestItem::new(create("third", Vec::new())),
    ];
    let mut message = batch(Version::NEWEST, items);
    message.header.batch_error_continuation_option = option;
    let response = house.message(&message, &house.alice).await;
    let outcome = response.items.iter().map(|i| i.result_status).collect();
    (house, outcome)
}

#[tokio::test]
async fn a_batch_stops_at_a_failure_unless_it_is_told_otherwise() {
    let (house, outcome) = failing_batch(None).await;
    assert_eq!(outcome, [ResultStatus::Success, ResultStatus::OperationFailed]);
    assert_eq!(located(&house, "first").await.len(), 1);
    assert!(located(&house, "third").await.is_empty());
}

#[tokio::test]
async fn a_batch_continues_when_it_is_told_to() {
    let (house, outcome) = failing_batch(Some(BatchErrorContinuationOption::Continue)).await;
    assert_eq!(
        outcome,
        [
            ResultStatus::Success,
            ResultStatus::OperationFailed,
            ResultStatus::Success
        ]
    );
    assert_eq!(located(&house, "third").await.len(), 1);
}

#[tokio::test]
async fn a_batch_is_undone_whole() {
    let (house, outcome) = failing_batch(Some(BatchErrorContinuationOption::Undo)).await;
    assert_eq!(outcome, [ResultStatus::OperationUndone, ResultStatus::OperationFailed]);
    assert!(located(&house, "first").await.is_empty());
    // The Name was given back as well.
    house.create("first", Vec::new()).await;
}

#[tokio::test]
async fn what_is_undone_names_its_object_and_gives_nothing_out() {
    let house = TestHouse::new().await;
    let key = house.create("undone", Vec::new()).await;
    let items = vec![
        RequestItem::new(activate(&key)),
        RequestItem::new(get(&key)),
        RequestItem::new(get("nothing")),
    ];
    let mut message = batch(Version::NEWEST, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let answer = house.message(&message, &house.alice).await.items;
    let [activated, got, _] = &answer[..] else {
        panic!("{} items", answer.len());
    };
    assert_eq!(activated.result_status, ResultStatus::OperationUndone);
    assert!(matches!(&activated.payload, Some(ResponsePayload::Activate(told)) if told.unique_identifier == key));
    assert_eq!(got.result_status, ResultStatus::OperationUndone);
    assert!(got.payload.is_none());
}

#[tokio::test]
async fn a_name_is_given_to_an_object_once() {
    let house = TestHouse::new().await;
    let key = house.create("twice", Vec::new()).await;
    for (version, expected) in [
        (Version::NEWEST, ResultReason::NonUniqueNameAttribute),
        (Version::OLDEST, ResultReason::IllegalOperation),
    ] {
        let request = AddAttributeRequest {
            unique_identifier: of(&key),
            attribute: named("twice").into(),
        };
        let refused = house.item(version, request, &house.alice).await;
        assert_eq!(reason(&refused), Some(expected));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_changes_nothing() {
    let house = TestHouse::new().await;
    let mut message = batch(Version::NEWEST, vec![RequestItem::new(create("large", Vec::new()))]);
    message.header.maximum_response_size = Some(64);
    let response = house.message(&message, &house.alice).await;
    assert_eq!(reason(&response.items[0]), Some(ResultReason::ResponseTooLarge));
    assert!(located(&house, "large").await.is_empty());
}

#[tokio::test]
async fn a_stranger_learns_operations_and_versions_only() {
    let house = TestHouse::new().await;
    let query = QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects],
        object_groups: None,
    };
    let item = house.item(Version::NEWEST, query, &house.stranger).await;
    let Some(ResponsePayload::Query(told)) = item.payload else {
        panic!("no answer")
    };
    assert_eq!(told.operations.len(), 2);
    assert!(told.object_types.is_empty());
    let refused = house
        .item(Version::NEWEST, create("x", Vec::new()), &house.stranger)
        .await;
    assert_eq!(reason(&refused), Some(ResultReason::AuthenticationNotSuccessful));
}

#[tokio::test]
async fn every_prefix_and_every_flipped_byte_gets_an_answer() {
    let house = TestHouse::new().await;
    let message = batch(Version::NEWEST, vec![RequestItem::new(create("bad", Vec::new()))]);
    let mut writer = kmip_ttlv::Writer::new();
    message.write(&mut writer);
    let bytes = writer.into_bytes();
    for length in 0..bytes.len() {
        let response = house.bytes(bytes[..length].to_vec(), &house.alice).await;
        assert_eq!(
            response.items[0].result_status,
            ResultStatus::OperationFailed,
            "prefix of {length}"
        );
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x11;
        house.bytes(damaged, &house.alice).await;
    }
}

#[tokio::test]
async fn every_item_has_exactly_one_record() {
    let house = TestHouse::new().await;
    let before = trail(&house).await;
    let key = house.create("trail", Vec::new()).await;
    // The first Get makes the key fresh no more, which is a change; the second changes nothing.
    house.item(Version::NEWEST, get(&key), &house.alice).await;
    house.item(Version::NEWEST, get(&key), &house.alice).await;
    house.item(Version::NEWEST, get("nothing"), &house.alice).await;
    let changes: Vec<Entry> = trail(&house).await.split_off(before.len());
    let accesses: Vec<Entry> = house.access.records().iter().map(|r| Entry::read(r).unwrap()).collect();
    assert_eq!((changes.len(), accesses.len()), (3, 1));
    assert_eq!(changes[0].draft.objects[0].unique_identifier, key);
    let left = changes[0].draft.records.iter().map(|record| record.kind);
    assert!(left.eq([crate::objects::OBJECT.0]));
    assert_eq!(changes[2].draft.result_reason, Some(ResultReason::ObjectNotFound.0));
    assert_eq!(accesses[0].draft.objects[0].unique_identifier, key);
}

#[tokio::test]
async fn reads_beside_a_change_are_recorded_with_it() {
    let house = TestHouse::new().await;
    let before = trail(&house).await.len();
    let message = |first: RequestItem| {
        let read = GetAttributesRequest {
            unique_identifier: None,
            references: Vec::new(),
        };
        batch(Version::NEWEST, vec![first, RequestItem::new(read)])
    };
    // A change that stands is not answered with failure because the access trail cannot be written.
    house.access.refuse_next(TrailError::Full);
    let made = house
        .message(&message(RequestItem::new(create("kept", Vec::new()))), &house.alice)
        .await;
    let outcome: Vec<_> = made.items.iter().map(|i| i.result_status).collect();
    assert_eq!(outcome, [ResultStatus::Success; 2]);
    let changes = trail(&house).await.split_off(before);
    let operations: Vec<u32> = changes.iter().map(|entry| entry.draft.operation).collect();
    assert_eq!(operations, [Operation::Create.0, Operation::GetAttributes.0]);
    assert!(house.access.records().is_empty());
    // A message that only reads fails while it cannot be recorded.
    let reads = message(RequestItem::new(locate("kept")));
    let refused = house.message(&reads, &house.alice).await;
    assert_eq!(reason(&refused.items[0]), Some(ResultReason::GeneralFailure));
    let told = house.message(&reads, &house.alice).await;
    assert_eq!(told.items[1].result_status, ResultStatus::Success);
    assert_eq!(
        (trail(&house).await.len(), house.access.records().len()),
        (before + 2, 2)
    );
}

pub(super) async fn trail(house: &TestHouse) -> Vec<Entry> {
    let heads = house.store.trail_heads().await.unwrap();
    let query = crate::store::TrailQuery {
        stream: heads[0].position.stream,
        domain: None,
        after: 0,
        limit: 10_000,
    };
    house
        .store
        .trail(query)
        .await
        .unwrap()
        .iter()
        .map(|r| Entry::read(&r.bytes).unwrap())
        .collect()
}

#[tokio::test]
async fn an_unsupported_version_is_told_so_in_the_nearest_one() {
    let house = TestHouse::new().await;
    let message = batch(Version::NEWEST, vec![RequestItem::new(create("v", Vec::new()))]);
    let mut writer = kmip_ttlv::Writer::new();
    message.write(&mut writer);
    let mut bytes = writer.into_bytes();
    // The minor version is the second integer of the header.
    let minor = bytes.windows(4).position(|w| w == [0x42, 0x00, 0x6B, 0x02]).unwrap();
    bytes[minor + 11] = 9;
    let response = house.bytes(bytes, &house.alice).await;
    assert_eq!(response.version(), Version::NEWEST);
    assert_eq!(
        reason(&response.items[0]),
        Some(ResultReason::UnsupportedProtocolVersion)
    );
}
