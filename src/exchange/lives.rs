//! The life of objects as clients meet it: leases, allocations, checks, the archive, and what is said beside.

use super::ConnectionFacts;
use super::restarts::{services_again, started};
use super::testing::{BEGIN, TestHouse, batch};
use crate::audit::Entry;
use kmip_protocol::{
    ActivateRequest, ArchiveRequest, Attribute, AttributeKind, AttributePatterns, AttributeReference,
    BatchErrorContinuationOption, CheckRequest, CheckResponse, CryptographicUsageMask, DateTime, DestroyRequest,
    GetAttributesRequest, GetRequest, GetUsageAllocationRequest, InteropFunction, InteropRequest, Interval,
    LocateRequest, LogRequest, ObtainLeaseRequest, Operation, PingRequest, QueryFunction, QueryRequest, RecoverRequest,
    Request, RequestItem, ResponseItem, ResponsePayload, ResultReason, ResultStatus, RevocationReason,
    RevocationReasonCode, RevokeRequest, StorageStatusMask, UniqueIdentifier, UsageLimits, UsageLimitsUnit, Version,
};
use std::sync::Arc;

pub fn of(key: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(key))
}

fn limited(total: i64) -> Attribute {
    Attribute::UsageLimits(UsageLimits {
        usage_limits_total: Some(total),
        usage_limits_count: None,
        usage_limits_unit: Some(UsageLimitsUnit::Byte),
    })
}

fn active() -> Attribute {
    Attribute::ActivationDate(DateTime(BEGIN))
}

/// What an item of a version was told.
pub async fn told<R: Request>(
    house: &TestHouse,
    version: Version,
    request: R,
) -> Result<ResponsePayload, ResultReason> {
    let item = house.item(version, request, &house.alice).await;
    match item.result_status {
        ResultStatus::Success => Ok(item.payload.unwrap()),
        _ => Err(item.result_reason.unwrap()),
    }
}

async fn attribute(house: &TestHouse, key: &str, kind: AttributeKind) -> Option<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: of(key),
        references: vec![AttributeReference::Known(kind)],
    };
    match told(house, Version::NEWEST, request).await {
        Ok(ResponsePayload::GetAttributes(got)) => got.attributes.first(kind).cloned(),
        _ => panic!("no attributes"),
    }
}

async fn compromise(house: &TestHouse, key: &str) {
    let request = RevokeRequest {
        unique_identifier: of(key),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::KeyCompromise,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    assert!(told(house, Version::NEWEST, request).await.is_ok());
}

async fn lease(house: &TestHouse, version: Version, key: &str) -> Result<(u32, i64), ResultReason> {
    let request = ObtainLeaseRequest {
        unique_identifier: of(key),
    };
    told(house, version, request).await.map(|payload| match payload {
        ResponsePayload::ObtainLease(got) => (got.lease_time.0, got.last_change_date.0),
        _ => panic!("another answer"),
    })
}

#[tokio::test]
async fn a_lease_ends_where_the_key_does_and_none_is_given_for_a_compromised_one() {
    for version in [Version::OLDEST, Version::NEWEST] {
        let house = TestHouse::new().await;
        let key = house
            .create(
                "leased",
                vec![active(), Attribute::DeactivationDate(DateTime(BEGIN + 5_000))],
            )
            .await;
        assert_eq!(lease(&house, version, &key).await, Ok((3_600, BEGIN)));
        house.clock.advance(4_900);
        assert_eq!(lease(&house, version, &key).await, Ok((100, BEGIN)));
        house.clock.advance(200);
        assert_eq!(lease(&house, version, &key).await, Ok((3_600, BEGIN)));
        compromise(&house, &key).await;
        assert_eq!(lease(&house, version, &key).await, Err(ResultReason::PermissionDenied));
    }
}

/// A lease that nothing else limits ends with the next date all the same.
#[tokio::test]
async fn a_lease_without_end_ends_with_the_next_date() {
    let mut house = TestHouse::new().await;
    let mut services = services_again(&house);
    services.limits.lease_seconds = 0;
    house.server = started(&house, services).await;
    let dated = vec![active(), Attribute::DeactivationDate(DateTime(BEGIN + 5_000))];
    let dated = house.create("dated", dated).await;
    let endless = house.create("endless", vec![active()]).await;
    assert_eq!(lease(&house, Version::NEWEST, &dated).await, Ok((5_000, BEGIN)));
    assert_eq!(lease(&house, Version::NEWEST, &endless).await, Ok((0, BEGIN)));
}

async fn allocate(house: &TestHouse, version: Version, key: &str, count: i64) -> Result<(), ResultReason> {
    let request = GetUsageAllocationRequest {
        unique_identifier: of(key),
        usage_limits_count: count,
    };
    told(house, version, request).await.map(drop)
}

#[tokio::test]
async fn what_is_allocated_is_gone() {
    let cases = [
        (
            Version::OLDEST,
            ResultReason::PermissionDenied,
            ResultReason::IllegalOperation,
        ),
        (
            Version::NEWEST,
            ResultReason::UsageLimitExceeded,
            ResultReason::AttributeNotFound,
        ),
    ];
    for (version, exhausted, without) in cases {
        let house = TestHouse::new().await;
        let key = house.create("limited", vec![limited(1_000)]).await;
        // Before the key is active nobody protects anything with it.
        let early = allocate(&house, version, &key, 1).await.unwrap_err();
        assert_eq!(early, ResultReason::WrongKeyLifecycleState.for_version(version));
        let activate = ActivateRequest {
            unique_identifier: of(&key),
        };
        assert!(told(&house, version, activate).await.is_ok());
        assert_eq!(
            allocate(&house, version, &key, -1).await,
            Err(ResultReason::InvalidField)
        );
        assert_eq!(allocate(&house, version, &key, 600).await, Ok(()));
        assert_eq!(allocate(&house, version, &key, 401).await, Err(exhausted));
        // The record is not written, and tells of the change all the same.
        house.clock.advance(30);
        assert_eq!(allocate(&house, version, &key, 0).await, Ok(()));
        assert_eq!(lease(&house, version, &key).await, Ok((3_600, BEGIN + 30)));
        let changed = Some(Attribute::LastChangeDate(DateTime(BEGIN + 30)));
        assert!(attribute(&house, &key, AttributeKind::LastChangeDate).await == changed);
        assert_eq!(allocate(&house, version, &key, 400).await, Ok(()));
        assert_eq!(allocate(&house, version, &key, 1).await, Err(exhausted));
        let free = house.create("free", vec![active()]).await;
        assert_eq!(allocate(&house, version, &free, 1).await, Err(without));
    }
}

/// 64 clients, 100 units, each wants 4: 25 of them get theirs.
#[tokio::test]
async fn clients_at_once_never_get_more_than_there_is() {
    let house = Arc::new(TestHouse::new().await);
    let key = house.create("limited", vec![limited(100), active()]).await;
    let clients = (0..64).map(|_| {
        let (house, key) = (Arc::clone(&house), key.clone());
        tokio::spawn(async move { allocate(&house, Version::NEWEST, &key, 4).await })
    });
    let mut granted = 0;
    for client in clients.collect::<Vec<_>>() {
        match client.await.unwrap() {
            Ok(()) => granted += 1,
            Err(reason) => assert_eq!(reason, ResultReason::UsageLimitExceeded),
        }
    }
    assert_eq!(granted, 25);
}

fn check(key: &str, count: Option<i64>, mask: Option<CryptographicUsageMask>, lease: Option<u32>) -> CheckRequest {
    CheckRequest {
        unique_identifier: of(key),
        usage_limits_count: count,
        cryptographic_usage_mask: mask,
        lease_time: lease.map(Interval),
    }
}

fn refused(item: &ResponseItem) -> (Option<ResultReason>, Option<CheckResponse>) {
    match &item.payload {
        Some(ResponsePayload::Check(told)) => (item.result_reason, Some(told.clone())),
        None => (item.result_reason, None),
        _ => panic!("another payload: {:?}", item.result_message),
    }
}

#[tokio::test]
async fn a_check_repeats_only_what_it_refuses() {
    let house = TestHouse::new().await;
    let key = house.create("checked", vec![limited(10), active()]).await;
    let (encrypt, sign) = (CryptographicUsageMask::Encrypt, CryptographicUsageMask::Sign);
    let newest = Version::NEWEST;
    let fine = house
        .item(newest, check(&key, Some(10), Some(encrypt), Some(3_600)), &house.alice)
        .await;
    let (reason, answer) = refused(&fine);
    assert!(reason.is_none() && answer.is_some_and(|told| told.unique_identifier.as_deref() == Some(&key[..])));
    let rows = [
        (
            check(&key, Some(11), Some(encrypt), None),
            ResultReason::UsageLimitExceeded,
        ),
        (
            check(&key, Some(9), Some(sign), None),
            ResultReason::IncompatibleCryptographicUsageMask,
        ),
        (
            check(&key, None, Some(encrypt), Some(3_601)),
            ResultReason::PermissionDenied,
        ),
        (
            check(&key, Some(11), Some(sign), Some(0)),
            ResultReason::IncompatibleCryptographicUsageMask,
        ),
    ];
    for (request, why) in rows {
        for version in [Version::OLDEST, newest] {
            let item = house.item(version, request.clone(), &house.alice).await;
            let (reason, answer) = refused(&item);
            assert_eq!(
                (item.result_status, reason),
                (ResultStatus::OperationFailed, Some(why.for_version(version)))
            );
            let expected = CheckResponse {
                unique_identifier: None,
                usage_limits_count: request.usage_limits_count.filter(|count| *count > 10),
                cryptographic_usage_mask: request.cryptographic_usage_mask.filter(|mask| *mask == sign),
                lease_time: request.lease_time.filter(|lease| lease.0 == 0 || lease.0 > 3_600),
            };
            // One thing that the reason names already is not repeated.
            let said = [
                expected.usage_limits_count.is_some(),
                expected.cryptographic_usage_mask.is_some(),
            ];
            let is_said = version == newest && expected.lease_time.is_none() && said[0] != said[1];
            assert!(answer == (!is_said).then_some(expected));
        }
    }
    compromise(&house, &key).await;
    let item = house
        .item(newest, check(&key, None, Some(encrypt), None), &house.alice)
        .await;
    let told_so = (Some(ResultReason::IncompatibleCryptographicUsageMask), None);
    assert!(refused(&item) == told_so);
    let decrypts = check(&key, None, Some(CryptographicUsageMask::Decrypt), None);
    assert!(told(&house, newest, decrypts).await.is_ok());
}

#[tokio::test]
async fn a_check_that_fails_empties_the_placeholder_and_once_ended_the_batch() {
    let house = TestHouse::new().await;
    let key = house.create("checked", Vec::new()).await;
    for (version, items) in [(Version::OLDEST, 2), (Version::NEWEST, 3)] {
        let get = || RequestItem::new(GetRequest::default());
        let located = RequestItem::new(GetRequest {
            unique_identifier: of(&key),
            ..GetRequest::default()
        });
        let failing = RequestItem::new(CheckRequest {
            unique_identifier: None,
            ..check(&key, None, Some(CryptographicUsageMask::Sign), None)
        });
        let mut message = batch(version, vec![located, failing, get()]);
        message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
        message.header.batch_order_option = Some(true);
        let told = house.message(&message, &house.alice).await.items;
        assert_eq!(told.len(), items, "{version}");
        assert_eq!(told[0].result_status, ResultStatus::Success);
        assert!(
            told[1..]
                .iter()
                .all(|item| item.result_status == ResultStatus::OperationFailed)
        );
    }
}

async fn found(house: &TestHouse, mask: Option<StorageStatusMask>) -> usize {
    let request = LocateRequest {
        storage_status_mask: mask,
        attributes: AttributePatterns::default(),
        ..LocateRequest::default()
    };
    match told(house, Version::NEWEST, request).await {
        Ok(ResponsePayload::Locate(found)) => found.unique_identifiers.len(),
        _ => panic!("not located"),
    }
}

#[tokio::test]
async fn what_is_archived_is_recovered_before_it_is_used() {
    for version in [Version::OLDEST, Version::NEWEST] {
        let house = TestHouse::new().await;
        let key = house.create("old", Vec::new()).await;
        let archive = ArchiveRequest {
            unique_identifier: of(&key),
        };
        let recover = RecoverRequest {
            unique_identifier: of(&key),
        };
        let get = GetRequest {
            unique_identifier: of(&key),
            ..GetRequest::default()
        };
        // At hand already: nothing changes.
        house.clock.advance(10);
        assert!(told(&house, version, recover.clone()).await.is_ok());
        let changed = Some(Attribute::LastChangeDate(DateTime(BEGIN)));
        assert!(attribute(&house, &key, AttributeKind::LastChangeDate).await == changed);
        assert!(told(&house, version, archive.clone()).await.is_ok());
        let date = Some(Attribute::ArchiveDate(DateTime(BEGIN + 10)));
        assert!(attribute(&house, &key, AttributeKind::ArchiveDate).await == date);
        for again in [
            told(&house, version, archive).await,
            told(&house, version, get.clone()).await,
        ] {
            assert_eq!(again.err(), Some(ResultReason::ObjectArchived));
        }
        assert_eq!(lease(&house, version, &key).await, Err(ResultReason::ObjectArchived));
        let both = StorageStatusMask::OnLineStorage | StorageStatusMask::ArchivalStorage;
        assert_eq!((found(&house, None).await, found(&house, Some(both)).await), (0, 1));
        house.clock.advance(10);
        assert!(told(&house, version, recover.clone()).await.is_ok());
        assert!(attribute(&house, &key, AttributeKind::ArchiveDate).await.is_none());
        assert!(told(&house, version, get).await.is_ok());
        let destroy = DestroyRequest {
            unique_identifier: of(&key),
        };
        assert!(told(&house, version, destroy).await.is_ok());
        let gone = ResultReason::ObjectDestroyed.for_version(version);
        assert_eq!(told(&house, version, recover).await.err(), Some(gone));
    }
}

#[tokio::test]
async fn an_archived_object_is_destroyed_where_it_lies_in_newer_versions() {
    let house = TestHouse::new().await;
    for (version, outcome) in [
        (Version::OLDEST, Some(ResultReason::ObjectArchived)),
        (Version::NEWEST, None),
    ] {
        let key = house.create("", Vec::new()).await;
        let archive = ArchiveRequest {
            unique_identifier: of(&key),
        };
        assert!(told(&house, version, archive).await.is_ok());
        let destroy = DestroyRequest {
            unique_identifier: of(&key),
        };
        assert_eq!(told(&house, version, destroy).await.err(), outcome);
    }
}

fn last_note(house: &TestHouse) -> Option<String> {
    let records = house.access.records();
    Entry::read(records.last().unwrap()).unwrap().draft.note
}

async fn operations(house: &TestHouse, facts: &ConnectionFacts) -> Vec<Operation> {
    let request = QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        ..QueryRequest::default()
    };
    match house.item(Version::NEWEST, request, facts).await.payload {
        Some(ResponsePayload::Query(told)) => told.operations,
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn words_of_clients_go_into_the_trail_escaped() {
    let house = TestHouse::new().await;
    let log = |words: &str| LogRequest {
        log_message: words.into(),
    };
    assert!(told(&house, Version::NEWEST, log("one\nline")).await.is_ok());
    assert_eq!(last_note(&house).as_deref(), Some("one\\nline"));
    assert!(told(&house, Version::NEWEST, PingRequest::default()).await.is_ok());
    assert_eq!(last_note(&house), None);
    for words in [String::new(), "x".repeat(1_025)] {
        assert_eq!(
            told(&house, Version::NEWEST, log(&words)).await.err(),
            Some(ResultReason::InvalidField)
        );
    }
}

#[tokio::test]
async fn interop_exists_where_the_settings_say_so() {
    let mut house = TestHouse::new().await;
    let request = |interop_function, identifier: Option<&str>| InteropRequest {
        interop_function,
        interop_identifier: identifier.map(Into::into),
    };
    let begin = request(InteropFunction::Begin, Some("BL-M-1"));
    let none = told(&house, Version::NEWEST, begin.clone()).await;
    assert_eq!(none.err(), Some(ResultReason::OperationNotSupported));
    assert!(!operations(&house, &house.alice).await.contains(&Operation::Interop));
    house.server.about().interop = true;
    assert!(operations(&house, &house.alice).await.contains(&Operation::Interop));
    assert!(told(&house, Version::NEWEST, begin).await.is_ok());
    assert_eq!(last_note(&house).as_deref(), Some("begin BL-M-1"));
    for (function, identifier, why) in [
        (InteropFunction::Begin, None, ResultReason::InvalidMessage),
        (InteropFunction(9), Some("x"), ResultReason::InvalidField),
        (InteropFunction::Reset, Some("x"), ResultReason::PermissionDenied),
    ] {
        let item = told(&house, Version::NEWEST, request(function, identifier)).await;
        assert_eq!(item.err(), Some(why));
    }
}
