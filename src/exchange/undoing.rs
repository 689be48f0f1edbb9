//! Batches that undo, over operations of every kind: whatever fails, wherever it stands, nothing of the others is left.

use super::lives::of;
use super::samples;
use super::testing::{TestHouse, batch, create, derivation};
use kmip_protocol::{
    ActivateRequest, AddAttributeRequest, ArchiveRequest, Attribute, Attributes, BatchErrorContinuationOption,
    CreateKeyPairRequest, CreateSplitKeyRequest, CryptographicAlgorithm, CryptographicUsageMask, DerivationMethod,
    DeriveKeyRequest, DestroyRequest, GetRequest, ImportRequest, ObjectType, ReKeyKeyPairRequest, ReKeyRequest,
    RegisterRequest, RequestItem, ResponsePayload, ResultStatus, RevocationReason, RevocationReasonCode, RevokeRequest,
    SplitKeyMethod, TemplateAttribute, UniqueIdentifier, Version,
};

/// Keys that the items act upon, each another one.
struct Keys {
    keys: Vec<String>,
    base: String,
    private: String,
}

async fn keys(house: &TestHouse) -> Keys {
    let mut keys = Vec::new();
    for n in 0..6 {
        keys.push(house.create(&format!("key {n}"), Vec::new()).await);
    }
    let mut base = create("base", Vec::new());
    base.attributes = given(CryptographicAlgorithm::AES, CryptographicUsageMask::DeriveKey);
    let pair = CreateKeyPairRequest {
        common_attributes: Some(given(CryptographicAlgorithm::EC, CryptographicUsageMask::Sign)),
        ..CreateKeyPairRequest::default()
    };
    let base = house.item(Version::NEWEST, base, &house.alice).await;
    let pair = house.item(Version::NEWEST, pair, &house.alice).await;
    match (base.payload, pair.payload) {
        (Some(ResponsePayload::Create(base)), Some(ResponsePayload::CreateKeyPair(pair))) => Keys {
            keys,
            base: base.unique_identifier,
            private: pair.private_key_unique_identifier,
        },
        _ => panic!("not made"),
    }
}

fn given(algorithm: CryptographicAlgorithm, mask: CryptographicUsageMask) -> TemplateAttribute {
    let attributes: Attributes = [
        Attribute::CryptographicAlgorithm(algorithm),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(mask),
    ]
    .into_iter()
    .collect();
    attributes.into()
}

/// An item of each operation that leaves something behind.
fn items(house: &TestHouse, keys: &Keys) -> Vec<RequestItem> {
    let key = |n: usize| of(&keys.keys[n]);
    vec![
        RequestItem::new(create("new", Vec::new())),
        RequestItem::new(RegisterRequest {
            object_type: ObjectType::SecretData,
            attributes: TemplateAttribute::default(),
            object: samples::object(house, ObjectType::SecretData),
            protection_storage_masks: None,
        }),
        RequestItem::new(ImportRequest {
            unique_identifier: UniqueIdentifier::from("imported"),
            object_type: None,
            replace_existing: None,
            key_wrap_type: None,
            attributes: Attributes::default(),
            object: samples::object(house, ObjectType::SymmetricKey),
        }),
        RequestItem::new(ImportRequest {
            unique_identifier: UniqueIdentifier::from(keys.keys[5].as_str()),
            object_type: None,
            replace_existing: Some(true),
            key_wrap_type: None,
            attributes: Attributes::default(),
            object: samples::object(house, ObjectType::SymmetricKey),
        }),
        RequestItem::new(ReKeyRequest {
            unique_identifier: key(0),
            ..ReKeyRequest::default()
        }),
        RequestItem::new(ReKeyKeyPairRequest {
            private_key_unique_identifier: of(&keys.private),
            ..ReKeyKeyPairRequest::default()
        }),
        RequestItem::new(DeriveKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: vec![UniqueIdentifier::from(keys.base.as_str())],
            derivation_method: DerivationMethod::HMAC,
            derivation_parameters: derivation(&[1]),
            attributes: given(CryptographicAlgorithm::AES, CryptographicUsageMask::Encrypt),
        }),
        RequestItem::new(CreateSplitKeyRequest {
            object_type: ObjectType::SplitKey,
            unique_identifier: key(1),
            split_key_parts: 3,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::PolynomialSharingGF2_8,
            prime_field_size: None,
            attributes: TemplateAttribute::default(),
            protection_storage_masks: None,
        }),
        RequestItem::new(ArchiveRequest {
            unique_identifier: key(2),
        }),
        RequestItem::new(ActivateRequest {
            unique_identifier: key(3),
        }),
        RequestItem::new(AddAttributeRequest {
            unique_identifier: key(3),
            attribute: Attribute::ObjectGroup("group".into()).into(),
        }),
        RequestItem::new(RevokeRequest {
            unique_identifier: key(3),
            revocation_reason: RevocationReason {
                revocation_reason_code: RevocationReasonCode::Superseded,
                revocation_message: None,
            },
            compromise_occurrence_date: None,
        }),
        RequestItem::new(DestroyRequest {
            unique_identifier: key(4),
        }),
    ]
}

fn failing() -> RequestItem {
    RequestItem::new(GetRequest {
        unique_identifier: of("nobody"),
        ..GetRequest::default()
    })
}

async fn undone(house: &TestHouse, items: Vec<RequestItem>, place: usize) {
    let mut message = batch(Version::NEWEST, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let told = house.message(&message, &house.alice).await;
    assert_eq!(told.items.len(), place + 1, "{place}");
    for (at, item) in told.items.iter().enumerate() {
        let expected = if at == place {
            ResultStatus::OperationFailed
        } else {
            ResultStatus::OperationUndone
        };
        assert_eq!(
            item.result_status, expected,
            "{at} of {place}: {:?}",
            item.result_message
        );
    }
}

#[tokio::test]
async fn a_failure_in_any_place_undoes_operations_of_every_kind() {
    let house = TestHouse::new().await;
    let keys = keys(&house).await;
    let before = house.all_rows().await;
    let count = items(&house, &keys).len();
    for place in 0..=count {
        let mut items = items(&house, &keys);
        items.insert(place, failing());
        undone(&house, items, place).await;
        assert!(house.all_rows().await == before, "{place}");
    }
    // Without a failure all of them are done.
    let mut message = batch(Version::NEWEST, items(&house, &keys));
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    let told = house.message(&message, &house.alice).await;
    for (at, item) in told.items.iter().enumerate() {
        assert_eq!(
            item.result_status,
            ResultStatus::Success,
            "{at}: {:?}",
            item.result_message
        );
    }
    assert!(house.all_rows().await != before);
}

/// As many items as a batch may have: nothing is left of them, wherever one fails.
#[tokio::test]
async fn the_largest_batch_is_undone_whole() {
    let house = TestHouse::new().await;
    let most = house.server.services().limits.batch_items;
    let before = house.all_rows().await;
    for place in [0, most / 2, most - 1] {
        let names = (1..most).map(|n| RequestItem::new(create(&format!("key {n}"), Vec::new())));
        let mut items: Vec<RequestItem> = names.collect();
        items.insert(place, failing());
        undone(&house, items, place).await;
        assert!(house.all_rows().await == before, "{place}");
    }
}
