//! Requests of standard operations that wait, over a restart: listed, polled, processed, cancelled by the server that comes after.

use super::asynchronous::{cancel, correlation, poll, process, stages, submit};
use super::lives::of;
use super::restarts::restarted;
use super::testing::{TestHouse, create};
use kmip_protocol::{
    AddAttributeRequest, Attribute, CancellationResult, CheckRequest, CryptographicUsageMask, DestroyRequest, Interval,
    LocateRequest, Operation, ProcessingStage, ReKeyRequest, RequestPayload, ResponseItem, ResponsePayload,
    ResultReason, ResultStatus, Version,
};

/// Submits one of several.
async fn submitted(house: &TestHouse, version: Version, request: RequestPayload) -> Vec<u8> {
    let facts = &house.alice;
    let item: ResponseItem = match request {
        RequestPayload::Create(request) => submit(house, version, request, facts).await,
        RequestPayload::ReKey(request) => submit(house, version, request, facts).await,
        RequestPayload::AddAttribute(request) => submit(house, version, request, facts).await,
        RequestPayload::Destroy(request) => submit(house, version, request, facts).await,
        RequestPayload::Locate(request) => submit(house, version, request, facts).await,
        _ => panic!("not one of these"),
    };
    correlation(&item)
}

fn requests(key: &str) -> Vec<RequestPayload> {
    vec![
        create("waiting", Vec::new()).into(),
        AddAttributeRequest {
            unique_identifier: of(key),
            attribute: Attribute::ObjectGroup("late".into()).into(),
        }
        .into(),
        ReKeyRequest {
            unique_identifier: of(key),
            ..ReKeyRequest::default()
        }
        .into(),
        LocateRequest::default().into(),
        DestroyRequest {
            unique_identifier: of(key),
        }
        .into(),
    ]
}

#[tokio::test]
async fn what_waits_survives_a_restart_and_is_carried_out_by_a_poll() {
    for version in Version::ALL {
        let mut house = TestHouse::new().await;
        let key = house.create("", Vec::new()).await;
        let mut waiting: Vec<(Operation, Vec<u8>)> = Vec::new();
        for request in requests(&key) {
            let operation = request.operation();
            waiting.push((operation, submitted(&house, version, request).await));
        }
        house.server = restarted(&house).await;
        let listed = stages(&house, &house.alice).await;
        assert_eq!(listed, vec![ProcessingStage::Submitted; waiting.len()], "{version}");
        assert!(stages(&house, &house.bob).await.is_empty());
        for (operation, value) in &waiting {
            let told = poll(&house, version, value, &house.alice).await;
            assert_eq!(told.operation, Some(*operation));
            assert_eq!(told.result_status, ResultStatus::Success, "{operation} {version}");
        }
        house.server = restarted(&house).await;
        assert!(stages(&house, &house.alice).await.is_empty());
    }
}

#[tokio::test]
async fn what_was_processed_or_cancelled_is_so_after_a_restart() {
    let mut house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let version = Version::NEWEST;
    let mut values = Vec::new();
    for request in requests(&key) {
        values.push(submitted(&house, version, request).await);
    }
    let (processed, cancelled) = (values.remove(0), values.pop().unwrap());
    let told = process(&house, &processed, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
    house.server = restarted(&house).await;
    let twice = process(&house, &processed, &house.alice).await;
    assert_eq!(twice.result_reason, Some(ResultReason::DuplicateProcessRequest));
    assert_eq!(
        cancel(&house, &cancelled, &house.alice).await,
        CancellationResult::Canceled
    );
    house.server = restarted(&house).await;
    assert_eq!(
        cancel(&house, &processed, &house.alice).await,
        CancellationResult::Completed
    );
    let gone = poll(&house, version, &cancelled, &house.alice).await;
    assert_eq!(gone.result_reason, Some(ResultReason::OperationCanceledByRequester));
    let made = poll(&house, version, &processed, &house.alice).await;
    assert!(matches!(made.payload, Some(ResponsePayload::Create(_))));
    // The key that was to be destroyed is there.
    let add = requests(&key).remove(1);
    let value = submitted(&house, version, add).await;
    let told = poll(&house, version, &value, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

/// A Check that fails repeats what was refused, whenever it is answered.
#[tokio::test]
async fn a_check_that_fails_late_says_what_it_refuses() {
    let mut house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let refused = Some(CryptographicUsageMask::Sign);
    for is_processed in [false, true] {
        let check = CheckRequest {
            unique_identifier: of(&key),
            cryptographic_usage_mask: refused,
            // Of several the reason names one.
            lease_time: Some(Interval(u32::MAX)),
            ..CheckRequest::default()
        };
        let value = correlation(&submit(&house, Version::NEWEST, check, &house.alice).await);
        if is_processed {
            process(&house, &value, &house.alice).await;
            house.server = restarted(&house).await;
        }
        let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
        assert_eq!(
            told.result_reason,
            Some(ResultReason::IncompatibleCryptographicUsageMask)
        );
        match told.payload {
            Some(ResponsePayload::Check(said)) => assert!(said.cryptographic_usage_mask == refused),
            _ => panic!("nothing said"),
        }
    }
}
