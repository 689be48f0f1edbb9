//! Requests that are answered later: submitted, polled, processed, cancelled, listed, in old versions and new ones.

use super::ConnectionFacts;
use super::testing::{TestHouse, batch, create};
use crate::operations::pending::PENDING;
use kmip_protocol::{
    AsynchronousIndicator, BatchErrorContinuationOption, CancelRequest, CancellationResult, DestroyRequest,
    LocateRequest, Operation, Operations, PollRequest, ProcessRequest, ProcessingStage,
    QueryAsynchronousRequestsRequest, Request, RequestItem, ResponseItem, ResponsePayload, ResultReason, ResultStatus,
    UniqueIdentifier, Version,
};

/// Submits a request whose client can wait.
pub async fn submit<R: Request>(
    house: &TestHouse,
    version: Version,
    request: R,
    facts: &ConnectionFacts,
) -> ResponseItem {
    let mut message = batch(version, vec![RequestItem::new(request)]);
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    house.message(&message, facts).await.items.remove(0)
}

/// The correlation value of a request that is pending.
pub fn correlation(item: &ResponseItem) -> Vec<u8> {
    assert_eq!(
        item.result_status,
        ResultStatus::OperationPending,
        "{:?}",
        item.result_message
    );
    assert!(item.payload.is_none() && item.result_reason.is_none() && item.message_extensions.is_empty());
    item.asynchronous_correlation_value.clone().unwrap()
}

pub async fn poll(house: &TestHouse, version: Version, value: &[u8], facts: &ConnectionFacts) -> ResponseItem {
    let request = PollRequest {
        asynchronous_correlation_value: value.to_vec(),
    };
    house.item(version, request, facts).await
}

pub async fn cancel(house: &TestHouse, value: &[u8], facts: &ConnectionFacts) -> CancellationResult {
    let request = CancelRequest {
        asynchronous_correlation_value: value.to_vec(),
    };
    match house.item(Version::NEWEST, request, facts).await.payload {
        Some(ResponsePayload::Cancel(told)) => told.cancellation_result,
        _ => panic!("no answer"),
    }
}

pub async fn process(house: &TestHouse, value: &[u8], facts: &ConnectionFacts) -> ResponseItem {
    let request = ProcessRequest {
        asynchronous_correlation_value: value.to_vec(),
    };
    house.item(Version::NEWEST, request, facts).await
}

pub async fn stages(house: &TestHouse, facts: &ConnectionFacts) -> Vec<ProcessingStage> {
    let request = QueryAsynchronousRequestsRequest::default();
    match house.item(Version::NEWEST, request, facts).await.payload {
        Some(ResponsePayload::QueryAsynchronousRequests(told)) => {
            told.asynchronous_requests.iter().map(|r| r.processing_stage).collect()
        }
        _ => panic!("no answer"),
    }
}

const VERSIONS: [Version; 2] = [Version::OLDEST, Version::NEWEST];

#[tokio::test]
async fn a_request_is_carried_out_and_delivered_once() {
    for version in VERSIONS {
        let house = TestHouse::new().await;
        let value = correlation(&submit(&house, version, create("later", Vec::new()), &house.alice).await);
        assert_eq!(value.len(), 16);
        assert_eq!(stages(&house, &house.alice).await, [ProcessingStage::Submitted]);
        let told = poll(&house, version, &value, &house.alice).await;
        assert_eq!(told.operation, Some(Operation::Create));
        assert!(
            matches!(told.payload, Some(ResponsePayload::Create(_))),
            "{:?}",
            told.result_message
        );
        assert!(stages(&house, &house.alice).await.is_empty());
        let again = poll(&house, version, &value, &house.alice).await;
        assert_eq!(
            again.result_reason,
            Some(ResultReason::InvalidAsynchronousCorrelationValue.for_version(version))
        );
    }
}

#[tokio::test]
async fn a_request_is_processed_before_it_is_polled() {
    let house = TestHouse::new().await;
    let value = correlation(&submit(&house, Version::NEWEST, create("now", Vec::new()), &house.alice).await);
    let processed = process(&house, &value, &house.alice).await;
    let Some(ResponsePayload::Process(told)) = processed.payload else {
        panic!("not processed: {:?}", processed.result_message);
    };
    assert_eq!(told.asynchronous_correlation_value.as_deref(), Some(&value[..]));
    assert_eq!(stages(&house, &house.alice).await, [ProcessingStage::Completed]);
    let twice = process(&house, &value, &house.alice).await;
    assert_eq!(twice.result_reason, Some(ResultReason::DuplicateProcessRequest));
    assert_eq!(
        cancel(&house, &value, &house.alice).await,
        CancellationResult::Completed
    );
    // Carried out under a newer version, told in an older one.
    let told = poll(&house, Version::OLDEST, &value, &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Create(_))));
}

#[tokio::test]
async fn a_failure_is_delivered_with_its_own_reason() {
    for version in VERSIONS {
        let house = TestHouse::new().await;
        let destroy = DestroyRequest {
            unique_identifier: Some(UniqueIdentifier::from("nothing")),
        };
        let at_once = house.item(version, destroy.clone(), &house.alice).await;
        let value = correlation(&submit(&house, version, destroy, &house.alice).await);
        let told = poll(&house, version, &value, &house.alice).await;
        assert_eq!(told.result_status, ResultStatus::OperationFailed);
        assert!(told == at_once);
        let again = poll(&house, version, &value, &house.alice).await;
        assert!(again.result_reason != told.result_reason || again.result_message != told.result_message);
    }
}

#[tokio::test]
async fn what_was_cancelled_does_not_happen() {
    let house = TestHouse::new().await;
    let value = correlation(&submit(&house, Version::OLDEST, create("never", Vec::new()), &house.alice).await);
    let later = correlation(&submit(&house, Version::NEWEST, create("later", Vec::new()), &house.alice).await);
    process(&house, &later, &house.alice).await;
    let stages_told = [ProcessingStage::Submitted, ProcessingStage::Completed];
    assert_eq!(
        stages(&house, &house.alice).await,
        stages_told,
        "in the order of their making"
    );
    assert_eq!(cancel(&house, &value, &house.alice).await, CancellationResult::Canceled);
    // Its end was told (KMIP 2.1 §6.1.41).
    assert_eq!(stages(&house, &house.alice).await, [ProcessingStage::Completed]);
    let processed = process(&house, &value, &house.alice).await;
    assert_eq!(
        processed.result_reason,
        Some(ResultReason::OperationCanceledByRequester)
    );
    let told = poll(&house, Version::OLDEST, &value, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::OperationCanceledByRequester));
    // The Name was never taken.
    house.create("never", Vec::new()).await;
}

#[tokio::test]
async fn a_foreign_correlation_value_is_like_an_unknown_one() {
    let house = TestHouse::new().await;
    let value = correlation(&submit(&house, Version::NEWEST, create("mine", Vec::new()), &house.alice).await);
    let unknown = [7; 16];
    for version in VERSIONS {
        let foreign = poll(&house, version, &value, &house.bob).await;
        assert!(foreign == poll(&house, version, &unknown, &house.bob).await);
        assert_eq!(foreign.result_status, ResultStatus::OperationFailed);
    }
    assert!(process(&house, &value, &house.bob).await == process(&house, &unknown, &house.bob).await);
    assert_eq!(
        cancel(&house, &value, &house.bob).await,
        CancellationResult::Unavailable
    );
    assert_eq!(
        cancel(&house, &unknown, &house.bob).await,
        CancellationResult::Unavailable
    );
    assert!(stages(&house, &house.bob).await.is_empty());
    let stranger = poll(&house, Version::NEWEST, &value, &house.stranger).await;
    assert_eq!(stranger.result_reason, Some(ResultReason::AuthenticationNotSuccessful));
    assert_eq!(stages(&house, &house.alice).await.len(), 1);
}

#[tokio::test]
async fn each_item_of_a_batch_is_answered_later_by_itself() {
    let house = TestHouse::new().await;
    let items = ["one", "two"].map(|name| RequestItem::new(create(name, Vec::new())));
    let mut message = batch(Version::NEWEST, items.into());
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let told = house.message(&message, &house.alice).await;
    let values: Vec<_> = told.items.iter().map(correlation).collect();
    assert_ne!(values[0], values[1]);
    // Only what is asked for is listed.
    let listed = QueryAsynchronousRequestsRequest {
        asynchronous_correlation_values: None,
        operations: Some(Operations {
            operations: vec![Operation::Locate],
        }),
    };
    let none = house.item(Version::NEWEST, listed, &house.alice).await;
    assert!(
        matches!(none.payload, Some(ResponsePayload::QueryAsynchronousRequests(l)) if l.asynchronous_requests.is_empty())
    );
    // A Poll is never put off itself.
    let asked = values.iter().map(|value| {
        RequestItem::new(PollRequest {
            asynchronous_correlation_value: value.clone(),
        })
    });
    let mut message = batch(Version::NEWEST, asked.collect());
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    let told = house.message(&message, &house.alice).await;
    assert!(told.items.iter().all(|i| i.result_status == ResultStatus::Success));
}

#[tokio::test]
async fn who_may_wait_but_need_not_is_answered_at_once() {
    let house = TestHouse::new().await;
    let mut message = batch(Version::NEWEST, vec![RequestItem::new(create("soon", Vec::new()))]);
    for indicator in [AsynchronousIndicator::Optional, AsynchronousIndicator::Prohibited] {
        message.header.asynchronous_indicator = Some(indicator);
        message.items = vec![RequestItem::new(LocateRequest::default())];
        let told = house.message(&message, &house.alice).await;
        assert_eq!(told.items[0].result_status, ResultStatus::Success);
    }
}

#[tokio::test]
async fn an_answer_too_large_for_the_poll_is_not_lost() {
    let house = TestHouse::new().await;
    let value = correlation(&submit(&house, Version::NEWEST, create("large", Vec::new()), &house.alice).await);
    let asked = PollRequest {
        asynchronous_correlation_value: value.clone(),
    };
    let mut message = batch(Version::NEWEST, vec![RequestItem::new(asked)]);
    message.header.maximum_response_size = Some(64);
    let told = house.message(&message, &house.alice).await;
    assert_eq!(told.items[0].result_reason, Some(ResultReason::ResponseTooLarge));
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn an_outcome_that_nobody_fetches_is_dropped_after_a_day() {
    let house = TestHouse::new().await;
    let value = correlation(&submit(&house, Version::NEWEST, create("old", Vec::new()), &house.alice).await);
    process(&house, &value, &house.alice).await;
    house.clock.advance(24 * 60 * 60 + 1);
    assert!(stages(&house, &house.alice).await.is_empty());
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(
        told.result_reason,
        Some(ResultReason::InvalidAsynchronousCorrelationValue)
    );
}

/// A thousand requests of Alice that she does not come back for, and how the last one came out.
async fn fill(house: &TestHouse, messages: usize) -> Option<ResultReason> {
    let mut last = None;
    for _ in 0..messages {
        let many = (0..100).map(|_| RequestItem::new(LocateRequest::default())).collect();
        let mut message = batch(Version::NEWEST, many);
        message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
        let told = house.message(&message, &house.alice).await;
        last = told.items.last().and_then(|i| i.result_reason);
    }
    last
}

/// How many requests are kept for the first tenant.
async fn kept(house: &TestHouse) -> usize {
    let found = house.store.scan(house.tenant, PENDING, None, 2_000).await;
    found.unwrap().len()
}

/// Longer than any outcome is kept.
const OVER: i64 = 24 * 60 * 60 + 1;

#[tokio::test]
async fn nobody_fills_the_store_with_requests_that_he_never_fetches() {
    let house = TestHouse::new().await;
    assert_eq!(fill(&house, 12).await, Some(ResultReason::ServerLimitExceeded));
    assert_eq!(stages(&house, &house.alice).await.len(), 1_000);
    // Others are not concerned.
    correlation(&submit(&house, Version::NEWEST, create("bobs", Vec::new()), &house.bob).await);
}

#[tokio::test]
async fn what_is_over_makes_room_for_what_is_new() {
    let house = TestHouse::new().await;
    assert_eq!(fill(&house, 10).await, None);
    assert_eq!(fill(&house, 1).await, Some(ResultReason::ServerLimitExceeded));
    house.clock.advance(OVER);
    correlation(&submit(&house, Version::NEWEST, create("new", Vec::new()), &house.alice).await);
    assert_eq!(stages(&house, &house.alice).await.len(), 1);
    assert!(kept(&house).await < 1_000);
}

#[tokio::test]
async fn what_nobody_fetches_leaves_the_store_by_itself() {
    let house = TestHouse::new().await;
    fill(&house, 3).await;
    let value = correlation(&submit(&house, Version::NEWEST, create("done", Vec::new()), &house.alice).await);
    process(&house, &value, &house.alice).await;
    house.clock.advance(60 * 60);
    house.server.tend().await;
    assert_eq!(kept(&house).await, 301);
    house.clock.advance(OVER);
    // Some at a time.
    house.server.tend().await;
    let left = kept(&house).await;
    assert!((1..301).contains(&left), "{left}");
    house.clock.advance(5);
    house.server.tend().await;
    assert_eq!(kept(&house).await, 0);
}
