//! What an authenticated client, or a stranger, tries against the server: to see more, to leave less of a trace, to take more
//! than its share.

use super::testing::{TestHouse, batch, create, derivation};
use crate::audit::Entry;
use crate::identity::{ClientId, Directory, Enroll, StoreDirectory};
use crate::operations::keeper::Keeper;
use crate::store::{Domain, Store, TrailQuery, Work};
use kmip_protocol::{
    ActivateRequest, Attribute, AttributeKind, AttributePattern, AttributePatterns, AttributeReference,
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, DerivationMethod, DeriveKeyRequest,
    GetAttributesRequest, GetRequest, KeyInformation, KeyWrappingSpecification, Link, LinkType, LocateRequest,
    ObjectType, OpaqueDataType, OpaqueObject, QueryRequest, RNGRetrieveRequest, RegisterRequest, RequestItem,
    ResponseItem, ResponsePayload, ResultReason, ResultStatus, UniqueIdentifier, UniqueIdentifierKind, VendorName,
    Version, WrappingMethod,
};
use kmip_ttlv::Secret;
use std::sync::Arc;

async fn trail(house: &TestHouse) -> Vec<Entry> {
    let heads = house.store.trail_heads().await.unwrap();
    let query = TrailQuery {
        stream: heads[0].position.stream,
        domain: None,
        after: 0,
        limit: 100_000,
    };
    let records = house.store.trail(query).await.unwrap();
    records.iter().map(|r| Entry::read(&r.bytes).unwrap()).collect()
}

#[tokio::test]
async fn a_wrapping_that_only_authenticates_does_not_show_a_sensitive_key() {
    let house = TestHouse::new().await;
    let secret = house.create("secret", vec![Attribute::Sensitive(true)]).await;
    let mut mac_key = create("", Vec::new());
    mac_key.attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::HMAC_SHA256),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::MACGenerate),
    ]
    .into_iter()
    .collect();
    let message = batch(
        Version::NEWEST,
        vec![
            RequestItem::new(mac_key),
            RequestItem::new(ActivateRequest {
                unique_identifier: None,
            }),
        ],
    );
    let made = house.message(&message, &house.alice).await;
    let Some(ResponsePayload::Activate(mac_key)) = &made.items[1].payload else {
        panic!("no key");
    };
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::MACSign,
        encryption_key_information: None,
        mac_signature_key_information: Some(KeyInformation {
            unique_identifier: UniqueIdentifier::from(mac_key.unique_identifier.as_str()),
            cryptographic_parameters: None,
        }),
        attribute_names: Vec::new(),
        encoding_option: None,
    };
    let get = |key: &str| GetRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
        key_wrapping_specification: Some(Box::new(specification.clone())),
        ..GetRequest::default()
    };
    let told = house.item(Version::NEWEST, get(&secret), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::Sensitive));
    // A key that is not sensitive may leave like that.
    let open = house.create("open", Vec::new()).await;
    let told = house.item(Version::NEWEST, get(&open), &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn a_long_correlation_value_does_not_fill_the_trail() {
    let house = TestHouse::new().await;
    let missing = || RequestItem::new(GetRequest::default());
    let mut message = batch(Version::NEWEST, (0..50).map(|_| missing()).collect());
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    message.header.client_correlation_value = Some("ü".repeat(100_000));
    let before = trail(&house).await.len();
    house.message(&message, &house.alice).await;
    let records = trail(&house).await.split_off(before);
    assert_eq!(records.len(), 50);
    for record in records {
        let kept = record.draft.client_correlation.unwrap();
        assert!((250..=256).contains(&kept.len()), "{}", kept.len());
    }
}

#[tokio::test]
async fn a_batch_of_small_requests_gets_no_huge_answer() {
    let house = TestHouse::new().await;
    let most = house.server.services().limits.response_bytes;
    let random = || RequestItem::new(RNGRetrieveRequest { data_length: 64 * 1024 });
    let mut message = batch(Version::NEWEST, (0..300).map(|_| random()).collect());
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    let answer = house.message(&message, &house.alice).await;
    let good = |i: &&ResponseItem| i.result_status == ResultStatus::Success;
    let bytes = answer.items.iter().filter(good).count() * 64 * 1024;
    assert!(bytes <= most && bytes > most / 2, "{bytes}");
    assert_eq!(answer.items.len(), 300);
    assert_eq!(answer.items[299].result_reason, Some(ResultReason::ResponseTooLarge));
}

/// What a Create is told once `suspend` has been committed for every tenant, and identity was not told: it would serve Alice
/// from what it remembers.
async fn told_after(suspend: impl AsyncFn(&mut Enroll<'_>, &StoreDirectory, Domain)) -> Option<ResultReason> {
    let house = TestHouse::new().await;
    house.create("before", Vec::new()).await;
    let store: Arc<dyn Store> = house.store.clone();
    let keeper = Arc::new(Keeper(Arc::clone(&house.server.services().custody)));
    let directory = StoreDirectory::new(Arc::clone(&store), keeper.clone());
    let mut work = Work::new(Arc::clone(&store));
    for tenant in directory.tenants().await.unwrap() {
        suspend(&mut Enroll::new(&mut work, keeper.as_ref()), &directory, tenant).await;
    }
    store.commit(work.into_change_set(0)).await.unwrap();
    let after = create("after", Vec::new());
    house.item(Version::NEWEST, after, &house.alice).await.result_reason
}

#[tokio::test]
async fn a_suspension_of_the_client_that_was_committed_wins() {
    let told = told_after(async |enroll, directory, tenant| {
        for (client, mut record) in directory.clients(tenant, None, 10).await.unwrap() {
            record.suspended = true;
            enroll.client(ClientId { tenant, client }, &record).await.unwrap();
        }
    });
    assert_eq!(told.await, Some(ResultReason::AuthenticationNotSuccessful));
}

#[tokio::test]
async fn a_suspension_of_the_tenant_that_was_committed_wins() {
    let told = told_after(async |enroll, directory, tenant| {
        let mut record = directory.tenant(tenant).await.unwrap().unwrap().record;
        record.suspended = true;
        enroll.tenant(tenant, &record).await.unwrap();
    });
    assert_eq!(told.await, Some(ResultReason::AuthenticationNotSuccessful));
}

#[tokio::test]
async fn a_stranger_does_not_fill_the_trail() {
    let house = TestHouse::new().await;
    let before = trail(&house).await.len();
    for _ in 0..20 {
        let item = || RequestItem::new(create("x", Vec::new()));
        let mut message = batch(Version::NEWEST, vec![item(), item(), item()]);
        message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
        let told = house.message(&message, &house.stranger).await;
        assert!(
            told.items
                .iter()
                .all(|i| i.result_status == ResultStatus::OperationFailed)
        );
    }
    assert_eq!(trail(&house).await.len(), before + 1);
}

#[tokio::test]
async fn a_message_refused_as_a_whole_is_recorded() {
    let house = TestHouse::new().await;
    let before = trail(&house).await.len();
    let mut message = batch(Version::NEWEST, vec![RequestItem::new(QueryRequest::default())]);
    message.header.maximum_response_size = Some(-1);
    let told = house.message(&message, &house.alice).await;
    assert_eq!(told.items[0].result_status, ResultStatus::OperationFailed);
    let many = batch(
        Version::NEWEST,
        (0..1_001).map(|_| RequestItem::new(QueryRequest::default())).collect(),
    );
    let told = house.message(&many, &house.alice).await;
    assert_eq!(
        (told.items.len(), told.items[0].result_reason),
        (1, Some(ResultReason::ServerLimitExceeded))
    );
    assert_eq!(trail(&house).await.len(), before + 2);
}

#[tokio::test]
async fn what_is_compared_with_everything_is_bounded() {
    let house = TestHouse::new().await;
    let key = house.create("bounded", Vec::new()).await;
    let references = (0..1_001).map(|n| {
        AttributeReference::Vendor(VendorName {
            vendor_identification: "x".into(),
            attribute_name: n.to_string(),
        })
    });
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
        references: references.collect(),
    };
    let told = house.item(Version::NEWEST, request, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::ServerLimitExceeded));
    let group = AttributePattern::exactly(&Attribute::ObjectGroup("g".into()));
    let request = LocateRequest {
        attributes: AttributePatterns(vec![group; 129]),
        ..LocateRequest::default()
    };
    let told = house.item(Version::NEWEST, request, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::ServerLimitExceeded));
}

#[tokio::test]
async fn the_digest_of_a_password_is_not_in_the_store() {
    let house = TestHouse::new().await;
    let password = b"correct horse";
    let register = RegisterRequest {
        object_type: ObjectType::OpaqueObject,
        attributes: [].into_iter().collect(),
        object: OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0001),
            opaque_data_value: Secret::new(password.to_vec()),
        }
        .into(),
        protection_storage_masks: None,
    };
    let made = house.item(Version::NEWEST, register, &house.alice).await;
    let Some(ResponsePayload::Register(made)) = made.payload else {
        panic!("not registered: {:?}", made.result_reason);
    };
    let digest = crate::audit::hash(password);
    let client = house.server.services().store.clone();
    let keeper = Arc::new(Keeper(Arc::clone(&house.server.services().custody)));
    let tenants = StoreDirectory::new(Arc::clone(&client), keeper)
        .tenants()
        .await
        .unwrap();
    let mut records = Vec::new();
    for tenant in tenants {
        records.extend(client.scan(tenant, crate::objects::OBJECT, None, 10).await.unwrap());
    }
    assert_eq!(records.len(), 1);
    assert!(!records[0].body.windows(32).any(|w| w == digest));
    // Its owner is told all the same, and finds the object by it.
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::from(made.unique_identifier.as_str())),
        references: vec![AttributeReference::Known(AttributeKind::Digest)],
    };
    let told = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::GetAttributes(told)) = told.payload else {
        panic!("no attributes");
    };
    let Some(attribute @ Attribute::Digest(told)) = told.attributes.first(AttributeKind::Digest) else {
        panic!("no digest");
    };
    assert_eq!(told.digest_value.as_deref(), Some(&digest[..]));
    let request = LocateRequest {
        attributes: AttributePatterns(vec![AttributePattern::exactly(attribute)]),
        ..LocateRequest::default()
    };
    let found = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::Locate(found)) = found.payload else {
        panic!("not located");
    };
    assert_eq!(found.unique_identifiers, [made.unique_identifier]);
}

#[tokio::test]
async fn a_base_can_be_derived_from_for_ever() {
    let house = TestHouse::new().await;
    let groups = (0..600).map(|n| Attribute::ObjectGroup(n.to_string()));
    let mut base = create("", groups.collect());
    base.attributes = base
        .attributes
        .attributes
        .iter()
        .map(|i| match i {
            Attribute::CryptographicUsageMask(_) => {
                Attribute::CryptographicUsageMask(CryptographicUsageMask::DeriveKey)
            }
            other => other.clone(),
        })
        .collect();
    let derive = DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![UniqueIdentifier::Kind(UniqueIdentifierKind::IDPlaceholder)],
        derivation_method: DerivationMethod::HASH,
        derivation_parameters: derivation(&[]),
        attributes: [Attribute::CryptographicLength(128)].into_iter().collect(),
    };
    let activate = ActivateRequest {
        unique_identifier: None,
    };
    let items = vec![
        RequestItem::new(base),
        RequestItem::new(activate),
        RequestItem::new(derive),
    ];
    let told = house.message(&batch(Version::NEWEST, items), &house.alice).await;
    assert_eq!(
        told.items[2].result_status,
        ResultStatus::Success,
        "{:?}",
        told.items[2].result_message
    );
    let Some(ResponsePayload::Create(base)) = &told.items[0].payload else {
        panic!("no base");
    };
    // It got no Link, and the derived object is found by its own.
    let link = Attribute::Link(Link {
        link_type: LinkType::DerivationBaseObjectLink,
        linked_object_identifier: UniqueIdentifier::from(base.unique_identifier.as_str()),
    });
    let request = LocateRequest {
        attributes: AttributePatterns(vec![AttributePattern::exactly(&link)]),
        ..LocateRequest::default()
    };
    let found = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::Locate(found)) = found.payload else {
        panic!("not located");
    };
    assert_eq!(found.unique_identifiers.len(), 1);
}
