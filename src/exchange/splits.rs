//! Split keys as clients meet them: made of a key or of nothing, given out, registered elsewhere, put together.

use super::office::{Office, answered};
use super::testing::{BEGIN, TestHouse, create};
use kmip_protocol::{
    Attribute, AttributeKind, AttributeReference, Attributes, BigInteger, CreateSplitKeyRequest,
    CryptographicAlgorithm, CryptographicUsageMask, DateTime, GetAttributesRequest, GetRequest, JoinSplitKeyRequest,
    KeyBlock, KeyFormatType, KeyMaterial, KeyValue, ManagedObject, ObjectType, Operation, PlainKeyValue,
    RegisterRequest, ResponseItem, ResponsePayload, ResultReason, ResultStatus, RevocationReason, RevocationReasonCode,
    RevokeRequest, SecretData, SecretDataType, SplitKeyMethod, SymmetricKey, TemplateAttribute, TenantSettings,
    UniqueIdentifier, UsageLimits, UsageLimitsUnit, Version,
};
use kmip_ttlv::Secret;

const METHODS: [SplitKeyMethod; 4] = [
    SplitKeyMethod::XOR,
    SplitKeyMethod::PolynomialSharingGF2_8,
    SplitKeyMethod::PolynomialSharingGF2_16,
    SplitKeyMethod::PolynomialSharingPrimeField,
];

pub(super) fn split_of(
    key: Option<&str>,
    method: SplitKeyMethod,
    (parts, threshold): (i32, i32),
) -> CreateSplitKeyRequest {
    let mut prime = vec![0xFF; 66];
    prime[0] = 0x01;
    let given = match key {
        Some(_) => Vec::new(),
        None => vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(256),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        ],
    };
    CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: key.map(UniqueIdentifier::from),
        split_key_parts: parts,
        split_key_threshold: threshold,
        split_key_method: method,
        prime_field_size: (method == SplitKeyMethod::PolynomialSharingPrimeField)
            .then(|| BigInteger::from_magnitude(&prime)),
        attributes: TemplateAttribute::from(given.into_iter().collect::<Attributes>()),
        protection_storage_masks: None,
    }
}

pub(super) fn join_of(object_type: ObjectType, parts: &[String]) -> JoinSplitKeyRequest {
    JoinSplitKeyRequest {
        object_type,
        unique_identifiers: parts.iter().cloned().map(UniqueIdentifier::Text).collect(),
        secret_data_type: (object_type == ObjectType::SecretData).then_some(SecretDataType::Password),
        attributes: None,
        protection_storage_masks: None,
    }
}

pub(super) fn parts_of(item: ResponseItem) -> Vec<String> {
    match item.payload {
        Some(ResponsePayload::CreateSplitKey(made)) => made.unique_identifiers,
        _ => panic!("not split: {:?} {:?}", item.result_reason, item.result_message),
    }
}

fn joined(item: ResponseItem) -> String {
    match item.payload {
        Some(ResponsePayload::JoinSplitKey(made)) => made.unique_identifier,
        _ => panic!("not joined: {:?} {:?}", item.result_reason, item.result_message),
    }
}

fn get_of(key: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(key.into()),
        ..GetRequest::default()
    }
}

async fn got(house: &TestHouse, key: &str) -> ManagedObject {
    let item = house.item(Version::NEWEST, get_of(key), &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Get(got)) => got.object,
        _ => panic!("not got: {:?} {:?}", item.result_reason, item.result_message),
    }
}

fn material(object: &ManagedObject) -> Secret {
    match &object.key_block().unwrap().key_value {
        Some(KeyValue::Plain(value)) => match &value.key_material {
            KeyMaterial::Bytes(bytes) => bytes.clone(),
            _ => panic!("a structure"),
        },
        _ => panic!("no value"),
    }
}

async fn attribute(house: &TestHouse, key: &str, kind: AttributeKind) -> Option<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: Some(key.into()),
        references: vec![AttributeReference::Known(kind)],
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::GetAttributes(told)) => told.attributes.first(kind).cloned(),
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn a_key_is_split_and_joined_in_every_way_and_version() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let whole = material(&got(&house, &key).await);
    let versions = Version::ALL
        .into_iter()
        .filter(|version| Operation::CreateSplitKey.is_spoken_in(*version));
    for version in versions {
        for method in METHODS {
            let numbers = if method == SplitKeyMethod::XOR { (3, 3) } else { (4, 3) };
            let request = split_of(Some(&key), method, numbers);
            let parts = parts_of(house.item(version, request, &house.alice).await);
            assert_eq!(parts.len(), usize::try_from(numbers.0).unwrap());
            for part in &parts {
                let object = got(&house, part).await;
                let block = object.key_block().unwrap();
                assert_eq!(block.cryptographic_algorithm, Some(CryptographicAlgorithm::AES));
                assert!(material(&object) != whole);
            }
            let enough = &parts[parts.len() - 3..];
            // In whichever version the parts were made, they are joined in any.
            let request = join_of(ObjectType::SymmetricKey, enough);
            let key = joined(house.item(Version::NEWEST, request, &house.alice).await);
            assert!(material(&got(&house, &key).await) == whole, "{method} {version}");
            let mask = attribute(&house, &key, AttributeKind::CryptographicUsageMask).await;
            let both = CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt;
            assert!(mask == Some(Attribute::CryptographicUsageMask(both)));
            let fewer = join_of(ObjectType::SymmetricKey, &parts[..2]);
            let item = house.item(version, fewer, &house.alice).await;
            assert_eq!(item.result_reason, Some(ResultReason::CryptographicFailure));
        }
    }
}

#[tokio::test]
async fn parts_of_nothing_make_a_key_of_any_type() {
    let house = TestHouse::new().await;
    let request = split_of(None, SplitKeyMethod::PolynomialSharingGF2_8, (3, 2));
    let parts = parts_of(house.item(Version::NEWEST, request, &house.alice).await);
    for object_type in [ObjectType::SymmetricKey, ObjectType::SecretData] {
        let item = house
            .item(Version::NEWEST, join_of(object_type, &parts), &house.alice)
            .await;
        let key = joined(item);
        assert_eq!(material(&got(&house, &key).await).len(), 32);
    }
    let opaque = house
        .item(Version::NEWEST, join_of(ObjectType::OpaqueObject, &parts), &house.alice)
        .await;
    let ManagedObject::OpaqueObject(opaque) = got(&house, &joined(opaque)).await else {
        panic!("no opaque object")
    };
    assert_eq!(opaque.opaque_data_value.len(), 32);
    // 32 random bytes are no private key.
    let item = house
        .item(Version::NEWEST, join_of(ObjectType::PrivateKey, &parts), &house.alice)
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::CryptographicFailure));
    let item = house
        .item(Version::NEWEST, join_of(ObjectType::SplitKey, &parts), &house.alice)
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::InvalidObjectType));
}

/// The types that bytes of a symmetric key can be put together as. As a public key they are any point of the curve.
const JOINED: [ObjectType; 4] = [
    ObjectType::SymmetricKey,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
    ObjectType::PublicKey,
];

fn joined_as(object_type: ObjectType, parts: &[String]) -> JoinSplitKeyRequest {
    let point = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::Ed25519),
        Attribute::CryptographicLength(256),
    ];
    let is_point = object_type == ObjectType::PublicKey;
    JoinSplitKeyRequest {
        attributes: is_point.then(|| point.into_iter().collect()),
        ..join_of(object_type, parts)
    }
}

#[tokio::test]
async fn what_may_not_leave_does_not_in_parts() {
    let house = TestHouse::new().await;
    for (protected, reason) in [
        (Attribute::Sensitive(true), ResultReason::Sensitive),
        (Attribute::Extractable(false), ResultReason::NotExtractable),
    ] {
        let key = house.create("", vec![protected]).await;
        let request = split_of(Some(&key), SplitKeyMethod::XOR, (2, 2));
        let mut objects = parts_of(house.item(Version::NEWEST, request, &house.alice).await);
        let parts = objects.clone();
        for object_type in JOINED {
            let item = house.item(Version::NEWEST, joined_as(object_type, &parts), &house.alice);
            objects.push(joined(item.await));
        }
        for object in objects {
            let item = house.item(Version::NEWEST, get_of(&object), &house.alice).await;
            assert_eq!(item.result_reason, Some(reason));
        }
        // A key is no certificate.
        let request = join_of(ObjectType::Certificate, &parts);
        let item = house.item(Version::NEWEST, request, &house.alice).await;
        assert_eq!(item.result_reason, Some(ResultReason::CryptographicFailure));
    }
}

/// Where keys leave encrypted only, none leaves as what may be given to anybody.
#[tokio::test]
async fn what_leaves_encrypted_only_is_called_nothing_else() {
    let office = Office::open().await;
    let (house, alice) = (&office.house, &office.house.alice);
    let key = house.create("", Vec::new()).await;
    let request = split_of(Some(&key), SplitKeyMethod::XOR, (2, 2));
    let parts = parts_of(house.item(Version::NEWEST, request, alice).await);
    office
        .set(TenantSettings {
            plaintext_get: Some(false),
            ..TenantSettings::default()
        })
        .await;
    for part in &parts {
        answered!(office.ask(alice, get_of(part)).await, Sensitive);
    }
    for object_type in JOINED {
        let item = office.ask(alice, joined_as(object_type, &parts)).await;
        if object_type == ObjectType::PublicKey {
            answered!(item, Sensitive);
        } else {
            answered!(office.ask(alice, get_of(&joined(item))).await, Sensitive);
        }
    }
    answered!(
        office.ask(alice, join_of(ObjectType::Certificate, &parts)).await,
        Sensitive
    );
}

async fn registered(house: &TestHouse, attributes: Vec<Attribute>, object: ManagedObject) -> String {
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: attributes.into_iter().collect(),
        object,
        protection_storage_masks: None,
    };
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Register(made)) => made.unique_identifier,
        _ => panic!("not registered: {:?} {:?}", item.result_reason, item.result_message),
    }
}

/// A secret comes back with the zeros that it begins with, whatever it is, also where it is shared as a number.
#[tokio::test]
async fn a_secret_comes_back_as_long_as_it_was() {
    let house = TestHouse::new().await;
    let mut bytes = vec![0; 24];
    bytes[2..].fill(0x5B);
    let block = |algorithm, length| KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(Secret::new(bytes.clone())),
            attributes: None,
        })),
        cryptographic_algorithm: algorithm,
        cryptographic_length: length,
        key_wrapping_data: None,
    };
    let symmetric = |algorithm, length| -> ManagedObject {
        let key_block = block(Some(algorithm), Some(length));
        SymmetricKey { key_block }.into()
    };
    let secret = SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: block(None, None),
    };
    let mask = vec![Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt)];
    for object in [
        symmetric(CryptographicAlgorithm::AES, 192),
        symmetric(CryptographicAlgorithm::DES3, 168),
        secret.into(),
    ] {
        let object_type = object.object_type();
        let key = registered(&house, mask.clone(), object).await;
        let method = SplitKeyMethod::PolynomialSharingPrimeField;
        let item = house.item(Version::NEWEST, split_of(Some(&key), method, (3, 2)), &house.alice);
        let parts = parts_of(item.await);
        let item = house.item(Version::NEWEST, join_of(object_type, &parts[1..]), &house.alice);
        let whole = joined(item.await);
        assert!(material(&got(&house, &whole).await).expose() == bytes, "{object_type}");
        // Parts that came from elsewhere do not say it; the length of a symmetric key does.
        if object_type == ObjectType::SymmetricKey {
            let mut elsewhere = Vec::new();
            for part in &parts[..2] {
                elsewhere.push(registered(&house, mask.clone(), got(&house, part).await).await);
            }
            let item = house.item(Version::NEWEST, join_of(object_type, &elsewhere), &house.alice);
            let whole = joined(item.await);
            assert!(material(&got(&house, &whole).await).expose() == bytes);
        }
    }
}

/// Nothing gets younger by being split, has its uses counted anew, or was always what its origin was not.
#[tokio::test]
async fn what_is_over_does_not_begin_anew() {
    let house = TestHouse::new().await;
    let split = |key: &str| split_of(Some(key), SplitKeyMethod::XOR, (2, 2));
    let limits = UsageLimits {
        usage_limits_total: Some(10),
        usage_limits_count: None,
        usage_limits_unit: Some(UsageLimitsUnit::Object),
    };
    let active = |at| Attribute::ActivationDate(DateTime(at));
    for (given, reason) in [
        (vec![Attribute::UsageLimits(limits)], ResultReason::PermissionDenied),
        (
            vec![active(BEGIN - 20), Attribute::DeactivationDate(DateTime(BEGIN - 10))],
            ResultReason::WrongKeyLifecycleState,
        ),
        (
            vec![active(BEGIN - 20), Attribute::ProtectStopDate(DateTime(BEGIN - 10))],
            ResultReason::WrongKeyLifecycleState,
        ),
    ] {
        let key = house.create("", given).await;
        let item = house.item(Version::NEWEST, split(&key), &house.alice).await;
        assert_eq!(item.result_reason, Some(reason));
    }
    let key = house.create("", vec![Attribute::Sensitive(true)]).await;
    let parts = parts_of(house.item(Version::NEWEST, split(&key), &house.alice).await);
    let item = house.item(Version::NEWEST, join_of(ObjectType::SymmetricKey, &parts), &house.alice);
    let always = attribute(&house, &joined(item.await), AttributeKind::AlwaysSensitive).await;
    assert!(always == Some(Attribute::AlwaysSensitive(true)));
    // One that was in clear before, though it is sensitive now.
    let key = house.create("", Vec::new()).await;
    let parts = parts_of(house.item(Version::NEWEST, split(&key), &house.alice).await);
    let mut request = join_of(ObjectType::SymmetricKey, &parts);
    let protected = [Attribute::Sensitive(true), Attribute::Extractable(false)];
    request.attributes = Some(protected.into_iter().collect());
    let whole = joined(house.item(Version::NEWEST, request, &house.alice).await);
    for (kind, expected) in [
        (AttributeKind::Sensitive, Attribute::Sensitive(true)),
        (AttributeKind::AlwaysSensitive, Attribute::AlwaysSensitive(false)),
        (AttributeKind::NeverExtractable, Attribute::NeverExtractable(false)),
    ] {
        assert!(attribute(&house, &whole, kind).await == Some(expected), "{kind:?}");
    }
    let revoke = RevokeRequest {
        unique_identifier: Some(parts[0].as_str().into()),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::KeyCompromise,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    let item = house.item(Version::NEWEST, revoke, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let item = house.item(Version::NEWEST, join_of(ObjectType::SymmetricKey, &parts), &house.alice);
    assert_eq!(item.await.result_reason, Some(ResultReason::WrongKeyLifecycleState));
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let of = |method, numbers| split_of(Some(&key), method, numbers);
    let bytes = SplitKeyMethod::PolynomialSharingGF2_8;
    let mut other_type = of(bytes, (3, 2));
    other_type.object_type = ObjectType::SymmetricKey;
    let mut no_prime = of(SplitKeyMethod::PolynomialSharingPrimeField, (3, 2));
    no_prime.prime_field_size = None;
    let mut small = of(SplitKeyMethod::PolynomialSharingPrimeField, (3, 2));
    small.prime_field_size = Some(BigInteger::from_magnitude(&[0x7F]));
    let unknown = of(SplitKeyMethod(99), (3, 2));
    let parameters = ResultReason::BadCryptographicParameters;
    let refused = [
        (of(bytes, (3, 4)), parameters),
        (of(bytes, (3, 0)), parameters),
        (of(SplitKeyMethod::XOR, (3, 2)), parameters),
        (of(bytes, (65, 2)), ResultReason::ServerLimitExceeded),
        (no_prime, parameters),
        (small, parameters),
        (unknown, ResultReason::UnsupportedCryptographicParameters),
        (other_type, ResultReason::InvalidObjectType),
        (split_of(Some("nothing"), bytes, (3, 2)), ResultReason::ItemNotFound),
    ];
    for (number, (request, reason)) in refused.into_iter().enumerate() {
        let item = house.item(Version::NEWEST, request, &house.alice).await;
        assert_eq!(item.result_reason, Some(reason), "{number}");
    }
    // Of the older versions, those that have the operation say it in their words.
    let item = house
        .item(
            Version::ALL
                .into_iter()
                .find(|version| Operation::CreateSplitKey.is_spoken_in(*version))
                .unwrap(),
            of(bytes, (3, 4)),
            &house.alice,
        )
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::InvalidField));
    let keys = vec![key.clone(), key];
    let item = house
        .item(Version::NEWEST, join_of(ObjectType::SymmetricKey, &keys), &house.alice)
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::InvalidObjectType));
    let none = join_of(ObjectType::SymmetricKey, &[]);
    let item = house.item(Version::NEWEST, none, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::OperationFailed);
}

/// Shares of two secrets, or in two ways, have nothing in common.
#[tokio::test]
async fn parts_of_different_secrets_are_not_joined() {
    let house = TestHouse::new().await;
    let mut mixed = Vec::new();
    for threshold in [2, 3] {
        let item = house.item(Version::NEWEST, create("", Vec::new()), &house.alice).await;
        let Some(ResponsePayload::Create(made)) = item.payload else {
            panic!()
        };
        let request = split_of(
            Some(&made.unique_identifier),
            SplitKeyMethod::PolynomialSharingGF2_8,
            (3, threshold),
        );
        let parts = parts_of(house.item(Version::NEWEST, request, &house.alice).await);
        mixed.push(parts[usize::try_from(threshold).unwrap() - 2].clone());
    }
    let item = house
        .item(Version::NEWEST, join_of(ObjectType::SymmetricKey, &mixed), &house.alice)
        .await;
    assert_eq!(item.result_reason, Some(ResultReason::CryptographicFailure));
    // As clients do it: parts kept by others are registered where they are to be joined.
    let request = split_of(None, SplitKeyMethod::PolynomialSharingGF2_8, (3, 2));
    let parts = parts_of(house.item(Version::NEWEST, request, &house.alice).await);
    let mut elsewhere = Vec::new();
    for part in &parts[1..] {
        let request = RegisterRequest {
            object_type: ObjectType::SplitKey,
            attributes: TemplateAttribute::default(),
            object: got(&house, part).await,
            protection_storage_masks: None,
        };
        let item = house.item(Version::NEWEST, request, &house.bob).await;
        let Some(ResponsePayload::Register(made)) = item.payload else {
            panic!("{:?}", item.result_message)
        };
        elsewhere.push(made.unique_identifier);
    }
    let item = house
        .item(
            Version::NEWEST,
            join_of(ObjectType::SymmetricKey, &elsewhere),
            &house.bob,
        )
        .await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
}
