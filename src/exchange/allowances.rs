//! Usage Limits as clients meet them: many at once on one key, what they are told, what they may change.

use super::testing::{TestHouse, batch};
use crate::objects;
use crate::store::Revision;
use kmip_protocol::{
    ActivateRequest, Attribute, AttributeKind, AttributePattern, AttributePatterns, AttributeReference,
    BatchErrorContinuationOption, BlockCipherMode, CryptographicParameters, DeleteAttributeRequest, EncryptRequest,
    GetAttributesRequest, GetRequest, LocateRequest, ModifyAttributeRequest, PaddingMethod, RequestItem,
    ResponsePayload, ResultReason, ResultStatus, SetAttributeRequest, UniqueIdentifier, UsageLimits, UsageLimitsUnit,
    Version,
};
use kmip_ttlv::Secret;
use std::sync::Arc;

fn of(key: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(key))
}

fn limits(total: i64, count: Option<i64>, unit: UsageLimitsUnit) -> Attribute {
    Attribute::UsageLimits(UsageLimits {
        usage_limits_total: Some(total),
        usage_limits_count: count,
        usage_limits_unit: Some(unit),
    })
}

fn encrypt(key: &str, bytes: usize) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: of(key),
        cryptographic_parameters: Some(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CBC),
            padding_method: Some(PaddingMethod::PKCS5),
            ..CryptographicParameters::default()
        }),
        data: Some(Secret::new(vec![7; bytes]).into()),
        iv_counter_nonce: Some(vec![9; 16]),
        ..EncryptRequest::default()
    }
}

/// An active key with these limits.
async fn key(house: &TestHouse, limits: Attribute) -> String {
    let key = house.create("limited", vec![limits]).await;
    let activate = ActivateRequest {
        unique_identifier: of(&key),
    };
    let told = house.item(Version::NEWEST, activate, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
    key
}

async fn told(house: &TestHouse, key: &str) -> Option<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: of(key),
        references: vec![AttributeReference::Known(AttributeKind::UsageLimits)],
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::GetAttributes(got)) => got.attributes.first(AttributeKind::UsageLimits).cloned(),
        _ => panic!("no answer"),
    }
}

async fn is_located(house: &TestHouse, least: i64) -> bool {
    let pattern = AttributePattern::exactly(&limits(least, Some(least), UsageLimitsUnit::Object));
    let request = LocateRequest {
        attributes: AttributePatterns(vec![pattern]),
        ..LocateRequest::default()
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::Locate(found)) => !found.unique_identifiers.is_empty(),
        _ => panic!("no answer"),
    }
}

/// What a Modify, a Set and a Delete of the limits are told, in this order.
async fn changed(house: &TestHouse, key: &str) -> [Option<ResultReason>; 3] {
    let attribute = limits(50, None, UsageLimitsUnit::Object);
    let modify = ModifyAttributeRequest {
        unique_identifier: of(key),
        current_attribute: None,
        attribute: attribute.clone().into(),
    };
    let set = SetAttributeRequest {
        unique_identifier: of(key),
        attribute: attribute.into(),
    };
    let delete = DeleteAttributeRequest {
        unique_identifier: of(key),
        reference: Some(AttributeReference::Known(AttributeKind::UsageLimits)),
        ..DeleteAttributeRequest::default()
    };
    [
        house.item(Version::NEWEST, modify, &house.alice).await.result_reason,
        house.item(Version::NEWEST, set, &house.alice).await.result_reason,
        house.item(Version::NEWEST, delete, &house.alice).await.result_reason,
    ]
}

/// 64 users, 256 uses, 200 of them allowed. None fails for any other reason than the limit, however many there are at a time,
/// and nobody writes the record, so that nobody has to run again.
async fn many_at_once(house: TestHouse) {
    let house = Arc::new(house);
    let key = key(&house, limits(200, None, UsageLimitsUnit::Object)).await;
    let users: Vec<_> = (0..64)
        .map(|_| {
            let (house, key) = (Arc::clone(&house), key.clone());
            tokio::spawn(async move {
                let mut outcomes = Vec::new();
                for _ in 0..4 {
                    let item = house.item(Version::NEWEST, encrypt(&key, 20), &house.alice).await;
                    assert_eq!(item.payload.is_some(), item.result_reason.is_none());
                    outcomes.push(item.result_reason);
                }
                outcomes
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for user in users {
        outcomes.extend(user.await.unwrap());
    }
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(None), count(Some(ResultReason::PermissionDenied))), (200, 56));
    assert!(told(&house, &key).await == Some(limits(200, Some(0), UsageLimitsUnit::Object)));
    let record = house
        .store
        .load(objects::key(house.tenant, &key))
        .await
        .unwrap()
        .unwrap();
    // Made, and activated.
    assert_eq!(record.revision, Revision(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_users_of_one_key_get_what_is_allowed_in_memory() {
    many_at_once(TestHouse::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_users_of_one_key_get_what_is_allowed_on_disk() {
    many_at_once(TestHouse::on_disk().await).await;
}

#[tokio::test]
async fn what_is_left_is_told_and_found() {
    let house = TestHouse::new().await;
    let key = key(&house, limits(3, Some(99), UsageLimitsUnit::Object)).await;
    assert!(told(&house, &key).await == Some(limits(3, Some(3), UsageLimitsUnit::Object)));
    assert!(is_located(&house, 3).await);
    house.item(Version::NEWEST, encrypt(&key, 100), &house.alice).await;
    assert!(told(&house, &key).await == Some(limits(3, Some(2), UsageLimitsUnit::Object)));
    assert!(is_located(&house, 2).await && !is_located(&house, 3).await);
    // A batch that asks for more than is left gets what is left; one that is undone gives back what it took.
    let many = |count| (0..count).map(|_| RequestItem::new(encrypt(&key, 1))).collect();
    let mut undone: Vec<RequestItem> = many(2);
    undone.push(RequestItem::new(GetRequest {
        unique_identifier: of("nothing"),
        ..GetRequest::default()
    }));
    let mut message = batch(Version::NEWEST, undone);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    house.message(&message, &house.alice).await;
    assert!(told(&house, &key).await == Some(limits(3, Some(2), UsageLimitsUnit::Object)));
    let mut message = batch(Version::NEWEST, many(3));
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let answer = house.message(&message, &house.alice).await;
    let reasons: Vec<_> = answer.items.iter().map(|i| i.result_reason).collect();
    assert_eq!(reasons, [None, None, Some(ResultReason::PermissionDenied)]);
    assert!(told(&house, &key).await == Some(limits(3, Some(0), UsageLimitsUnit::Object)));
}

#[tokio::test]
async fn bytes_are_taken_as_they_are_given() {
    let house = TestHouse::new().await;
    let key = key(&house, limits(100, None, UsageLimitsUnit::Byte)).await;
    let use_of = async |bytes| {
        house
            .item(Version::NEWEST, encrypt(&key, bytes), &house.alice)
            .await
            .result_reason
    };
    assert_eq!(use_of(60).await, None);
    assert_eq!(use_of(41).await, Some(ResultReason::PermissionDenied));
    assert_eq!(use_of(40).await, None);
    assert!(told(&house, &key).await == Some(limits(100, Some(0), UsageLimitsUnit::Byte)));
}

#[tokio::test]
async fn limits_change_until_they_are_used() {
    let house = TestHouse::new().await;
    let key = key(&house, limits(3, None, UsageLimitsUnit::Object)).await;
    assert_eq!(changed(&house, &key).await, [None; 3]);
    assert!(told(&house, &key).await.is_none());
    let add = SetAttributeRequest {
        unique_identifier: of(&key),
        attribute: limits(5, None, UsageLimitsUnit::Object).into(),
    };
    house.item(Version::NEWEST, add, &house.alice).await;
    house.item(Version::NEWEST, encrypt(&key, 1), &house.alice).await;
    // What modifies and deletes has another word for it than what sets (KMIP 2.1 §6.1.34.1, §6.1.51.1, §6.1.13.1).
    let reasons = [
        ResultReason::AttributeReadOnly,
        ResultReason::ReadOnlyAttribute,
        ResultReason::AttributeReadOnly,
    ];
    assert_eq!(changed(&house, &key).await, reasons.map(Some));
    assert!(told(&house, &key).await == Some(limits(5, Some(4), UsageLimitsUnit::Object)));
}
