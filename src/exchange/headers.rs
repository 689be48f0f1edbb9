//! What the header and the batch say, over every operation: the room for an answer, waiting, times, order, the ID Placeholder, and what
//! is done with the items beside one that fails.

use super::error_tables::item;
use super::error_tables::things::{Things, message};
use super::mutants::{is_told, with_failure};
use super::requests::{payload_of, requests};
use super::restarts::{services_again, started};
use super::testing::{TestHouse, batch, create};
use crate::operations::deferred::is_immediate;
use kmip_protocol::{
    ActivateRequest, AnyItem, AsynchronousIndicator, Attribute, AttributePattern, AttributePatterns,
    BatchErrorContinuationOption, DateTime, Field, GetRequest, LocateRequest, Occurrence, Operation, RequestItem,
    RequestPayload, ResponseMessage, ResultReason, ResultStatus, StorageStatusMask, UniqueIdentifier, Version, tag,
};
use kmip_ttlv::{Reader, Secret, Tag, Writer};

/// Nothing of an answer that has no room is done (KMIP 2.1 §9.9).
#[tokio::test]
async fn what_cannot_be_answered_is_not_done() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for version in Version::ALL {
        for (operation, item) in requests(&things, version) {
            let mut short = message(item);
            short.header.protocol_version = version.into();
            short.header.maximum_response_size = Some(64);
            let told = house.message(&short, &house.alice).await.items.remove(0);
            if told.result_reason != Some(ResultReason::ResponseTooLarge) {
                wrong.push(format!("{operation} in {version}: {:?}", told.result_message));
            }
            if house.contents().await != before {
                wrong.push(format!("{operation} in {version} leaves something"));
                break;
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 200, "{count}");
}

/// Every operation is answered later, if it is asked to be, or says that it is not.
#[tokio::test]
async fn what_is_to_be_answered_later_is_or_says_that_it_is_not() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let (mut pending, mut refused) = (0, 0);
    for version in Version::ALL {
        for (operation, item) in requests(&things, version) {
            let mut later = message(item);
            later.header.protocol_version = version.into();
            later.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
            let told = house.message(&later, &house.alice).await.items.remove(0);
            let place = format!("{operation} in {version}: {:?}", told.result_message);
            if is_immediate(operation) {
                let failed = told.result_status == ResultStatus::OperationFailed;
                assert!(
                    told.result_status == ResultStatus::Success || failed && is_told(&told),
                    "{place}"
                );
                refused += 1;
            } else {
                assert_eq!(told.result_status, ResultStatus::OperationPending, "{place}");
                assert!(told.asynchronous_correlation_value.is_some(), "{place}");
                pending += 1;
            }
        }
    }
    assert!(pending > 150 && refused > 20, "{pending} {refused}");
}

/// The time that a client says it is, and the order that it does not ask for, change nothing (KMIP 2.1 §9.17, §9.4).
#[tokio::test]
async fn a_clients_time_and_order_change_nothing() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    for version in Version::ALL {
        for (operation, item) in requests(&things, version) {
            for time in [i64::MIN, -1, 0, 253_402_300_800, i64::MAX] {
                let mut dated = with_failure(item.clone(), &things, version);
                dated.header.time_stamp = Some(DateTime(time));
                dated.header.batch_order_option = Some(false);
                let told = house.message(&dated, &house.alice).await.items.remove(0);
                let place = format!("{operation} in {version} at {time}: {:?}", told.result_message);
                assert_eq!(told.result_status, ResultStatus::OperationUndone, "{place}");
            }
        }
    }
    assert!(house.contents().await == before);
}

/// Items stand in their order all the same where the client does not ask for it: a later one may mean what an earlier one made.
#[tokio::test]
async fn items_are_done_in_their_order() {
    let house = TestHouse::new().await;
    for version in Version::ALL {
        let items = vec![
            RequestItem::new(create("", Vec::new())),
            RequestItem::new(ActivateRequest {
                unique_identifier: None,
            }),
            RequestItem::new(GetRequest::default()),
        ];
        let mut unordered = batch(version, items);
        unordered.header.batch_order_option = Some(false);
        let told = house.message(&unordered, &house.alice).await;
        assert!(
            told.items
                .iter()
                .all(|item| item.result_status == ResultStatus::Success),
            "{version}"
        );
    }
}

/// An item about an object, without its identifier.
fn nameless(operation: Operation, item: &RequestItem, version: Version) -> Option<(RequestItem, String)> {
    let (rows, _) = operation.fields()?;
    let named = |tags: &[(Tag, kmip_protocol::Versions)]| {
        tags.iter()
            .any(|(tag, versions)| *tag == tag::UNIQUE_IDENTIFIER && versions.include(version))
    };
    rows.iter()
        .find(|row| named(row.tags) && row.occurrence == Occurrence::Optional)?;
    let mut whole = message(item.clone());
    whole.header.protocol_version = version.into();
    let mut items: Vec<AnyItem> = Field::read_field(&mut Reader::new(&payload_of(&whole)), Tag(0), version).unwrap();
    let at = items.iter().position(|item| item.tag == tag::UNIQUE_IDENTIFIER)?;
    let kmip_protocol::AnyValue::TextString(name) = items.remove(at).value else {
        return None;
    };
    let mut writer = Writer::new();
    items.write_field(&mut writer, Tag(0), version);
    let items = Secret::new(writer.into_bytes());
    Some((RequestItem::new(RequestPayload::Unknown { operation, items }), name))
}

/// Every operation whose Unique Identifier may be left out takes the ID Placeholder, and fails where there is none (KMIP 2.1 §6).
#[tokio::test]
async fn what_names_no_object_means_the_one_before() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for version in Version::ALL {
        for (operation, named) in requests(&things, version) {
            // Where no object is named, a new key is split.
            if operation == Operation::CreateSplitKey {
                continue;
            }
            let Some((item_of_none, name)) = nameless(operation, &named, version) else {
                continue;
            };
            let place = format!("{operation} in {version}");
            let mut message = with_failure(item_of_none.clone(), &things, version);
            // Only what makes or finds objects sets it; this finds archived ones too.
            let itself = Attribute::UniqueIdentifier(UniqueIdentifier::Text(name));
            let first = LocateRequest {
                storage_status_mask: Some(StorageStatusMask::OnLineStorage | StorageStatusMask::ArchivalStorage),
                attributes: AttributePatterns(vec![AttributePattern::exactly(&itself)]),
                ..LocateRequest::default()
            };
            message.items.insert(0, RequestItem::new(first));
            message.header.batch_count = 3;
            let told = house.message(&message, &house.alice).await;
            if told.items.len() != 3 || told.items[1].result_status != ResultStatus::OperationUndone {
                let last = told.items.last().unwrap();
                wrong.push(format!("{place}: {:?} {:?}", last.operation, last.result_message));
            }
            let alone = house
                .message(&with_failure(item_of_none, &things, version), &house.alice)
                .await;
            // A certificate request stands for itself where attributes have tags.
            let by_request = operation == Operation::Certify && version.has_tagged_attributes();
            if (alone.items[0].result_status != ResultStatus::OperationFailed) != by_request {
                wrong.push(format!("{place} of nothing: {:?}", alone.items[0].result_status));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 120, "{count}");
    assert!(house.contents().await == before);
}

/// The items of a batch of which one fails.
fn with_one_that_fails(most: usize, place: usize, round: &str) -> Vec<RequestItem> {
    let names = (1..most).map(|n| RequestItem::new(create(&format!("{round} {n}"), Vec::new())));
    let mut items: Vec<RequestItem> = names.collect();
    items.insert(
        place,
        item(Operation::Get, |w| w.text(tag::UNIQUE_IDENTIFIER, "nobody")),
    );
    items
}

fn statuses(told: &ResponseMessage) -> Vec<ResultStatus> {
    told.items.iter().map(|item| item.result_status).collect()
}

/// Batches of as many items as there may be, a failure in each place, for each of the options (KMIP 2.1 §9.5, KMIP 1.4 §11.43).
#[tokio::test]
async fn a_failure_in_each_place_of_the_largest_batch_ends_it_as_the_option_says() {
    const MOST: usize = 9;
    let mut house = TestHouse::new().await;
    let mut services = services_again(&house);
    services.limits.batch_items = MOST;
    house.server = started(&house, services).await;
    let options = [
        BatchErrorContinuationOption::Continue,
        BatchErrorContinuationOption::Stop,
        BatchErrorContinuationOption::Undo,
    ];
    for version in [Version::OLDEST, Version::NEWEST] {
        for (option, place) in options
            .into_iter()
            .flat_map(|option| (0..MOST).map(move |place| (option, place)))
        {
            let round = format!("{version} {} {place}", option.0);
            let before = house.all_rows().await.len();
            let mut message = batch(version, with_one_that_fails(MOST, place, &round));
            message.header.batch_error_continuation_option = Some(option);
            let told = statuses(&house.message(&message, &house.alice).await);
            let after = house.all_rows().await.len();
            let expected = |before: ResultStatus, after: &[ResultStatus]| {
                let mut all = vec![before; place];
                all.push(ResultStatus::OperationFailed);
                all.extend(after);
                all
            };
            match option {
                BatchErrorContinuationOption::Continue => {
                    assert_eq!(
                        told,
                        expected(ResultStatus::Success, &vec![ResultStatus::Success; MOST - place - 1]),
                        "{round}"
                    );
                    assert!(after - before >= MOST - 1, "{round}");
                }
                BatchErrorContinuationOption::Stop => {
                    assert_eq!(told, expected(ResultStatus::Success, &[]), "{round}");
                    assert!(after - before >= place, "{round}");
                }
                _ => {
                    assert_eq!(told, expected(ResultStatus::OperationUndone, &[]), "{round}");
                    assert_eq!(after, before, "{round}");
                }
            }
        }
        // One more than there may be: nothing of it is done.
        for option in options {
            let before = house.contents().await;
            let mut message = batch(version, with_one_that_fails(MOST + 1, MOST, "more"));
            message.header.batch_error_continuation_option = Some(option);
            let told = house.message(&message, &house.alice).await;
            assert!(
                statuses(&told)
                    .iter()
                    .all(|status| *status == ResultStatus::OperationFailed),
                "{version}"
            );
            let reason = ResultReason::ServerLimitExceeded;
            let reasons = [Some(reason.for_version(version)), Some(ResultReason::GeneralFailure)];
            assert!(reasons.contains(&told.items[0].result_reason), "{version}");
            assert!(house.contents().await == before, "{version}");
        }
    }
}
