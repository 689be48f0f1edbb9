//! What the server says by itself of an object that comes into being, and what it does not believe of one.

use super::testing::{TestHouse, create, derivation};
use kmip_protocol::{
    Attribute, AttributeKind, AttributePattern, AttributePatterns, AttributeReference, Attributes, Certificate,
    CertificateType, CryptographicAlgorithm, CryptographicUsageMask, DerivationMethod, DeriveKeyRequest,
    EncodingOption, GetAttributesRequest, GetRequest, Interval, KeyBlock, KeyFormatType, KeyInformation, KeyMaterial,
    KeyValue, KeyWrappingData, Link, LinkType, LocateRequest, ManagedObject, ObjectGroupMember, ObjectType,
    PlainKeyValue, PrivateKey, PublicKey, RNGAlgorithm, RNGParameters, RegisterRequest, ResponseItem, ResponsePayload,
    ResultReason, ResultStatus, SecretData, SecretDataType, SetAttributeRequest, SymmetricKey, TemplateAttribute,
    TransparentSymmetricKey, UniqueIdentifier, Version, WrappingMethod,
};
use kmip_ttlv::Secret;

fn block(format: KeyFormatType, material: Option<KeyMaterial>, algorithm: CryptographicAlgorithm) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: material.map(|key_material| {
            KeyValue::Plain(PlainKeyValue {
                key_material,
                attributes: None,
            })
        }),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: Some(256),
        key_wrapping_data: None,
    }
}

fn aes(material: Option<Vec<u8>>) -> ManagedObject {
    let material = material.map(|bytes| KeyMaterial::Bytes(Secret::new(bytes)));
    let key_block = block(KeyFormatType::Raw, material, CryptographicAlgorithm::AES);
    SymmetricKey { key_block }.into()
}

/// Registers an object as alice.
pub(super) async fn register(house: &TestHouse, object: ManagedObject, attributes: Vec<Attribute>) -> ResponseItem {
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()),
        object,
        protection_storage_masks: None,
    };
    house.item(Version::NEWEST, request, &house.alice).await
}

fn registered(item: &ResponseItem) -> Option<UniqueIdentifier> {
    match &item.payload {
        Some(ResponsePayload::Register(made)) => Some(UniqueIdentifier::Text(made.unique_identifier.clone())),
        _ => panic!("not registered: {:?} {:?}", item.result_reason, item.result_message),
    }
}

async fn value(house: &TestHouse, object: Option<UniqueIdentifier>, kind: AttributeKind) -> Option<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: object,
        references: vec![AttributeReference::Known(kind)],
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::GetAttributes(got)) => got.attributes.first(kind).cloned(),
        _ => panic!("no answer"),
    }
}

async fn located(house: &TestHouse, request: LocateRequest) -> Vec<String> {
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::Locate(found)) => found.unique_identifiers,
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn what_the_server_makes_tells_its_lease_and_its_generator() {
    let house = TestHouse::new().await;
    let key = Some(UniqueIdentifier::Text(house.create("", Vec::new()).await));
    let lease = value(&house, key.clone(), AttributeKind::LeaseTime).await;
    assert!(lease == Some(Attribute::LeaseTime(Interval(3_600))));
    assert!(
        value(&house, key.clone(), AttributeKind::RandomNumberGenerator)
            .await
            .is_some()
    );
    assert!(value(&house, key, AttributeKind::KeyValuePresent).await.is_none());
}

#[tokio::test]
async fn a_key_may_be_kept_elsewhere() {
    let house = TestHouse::new().await;
    let key = registered(&register(&house, aes(None), Vec::new()).await);
    assert!(registered(&register(&house, aes(Some(vec![1; 32])), Vec::new()).await).is_some());
    let absent = Attribute::KeyValuePresent(false);
    assert!(value(&house, key.clone(), AttributeKind::KeyValuePresent).await == Some(absent.clone()));
    let locate = LocateRequest {
        attributes: AttributePatterns(vec![AttributePattern::exactly(&absent)]),
        ..LocateRequest::default()
    };
    let found = located(&house, locate).await;
    assert!(
        found
            .into_iter()
            .map(UniqueIdentifier::Text)
            .map(Some)
            .eq([key.clone()])
    );
    let mut get = GetRequest {
        unique_identifier: key,
        ..GetRequest::default()
    };
    let plain = house.item(Version::NEWEST, get.clone(), &house.alice).await;
    assert_eq!(plain.result_status, ResultStatus::Success);
    get.key_format_type = Some(KeyFormatType::TransparentSymmetricKey);
    let converted = house.item(Version::NEWEST, get, &house.alice).await;
    assert_eq!(converted.result_reason, Some(ResultReason::KeyValueNotPresent));
    let key_block = block(KeyFormatType::PKCS_1, None, CryptographicAlgorithm::RSA);
    let public = register(&house, PublicKey { key_block }.into(), Vec::new()).await;
    assert_eq!(public.result_status, ResultStatus::OperationFailed);
}

/// The key and the digest of TC_181 (KMIP 1.2 test cases).
#[tokio::test]
async fn a_structure_is_digested_as_ttlv() {
    let house = TestHouse::new().await;
    let bytes: Vec<u8> = (0..16_u8).flat_map(|n| [n * 0x11; 2]).collect();
    let material = KeyMaterial::TransparentSymmetricKey(Box::new(TransparentSymmetricKey {
        key: Secret::new(bytes),
    }));
    let key_block = block(
        KeyFormatType::TransparentSymmetricKey,
        Some(material),
        CryptographicAlgorithm::AES,
    );
    let key = registered(&register(&house, SymmetricKey { key_block }.into(), Vec::new()).await);
    let Some(Attribute::Digest(digest)) = value(&house, key, AttributeKind::Digest).await else {
        panic!("no digest");
    };
    let hex: String = digest
        .digest_value
        .unwrap()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, "499ce96ff6f5e19fe9fe7a2fe4c3e92b88db0001a4e8df28d9966856b6c4b87c");
    assert_eq!(digest.key_format_type, Some(KeyFormatType::TransparentSymmetricKey));
}

#[tokio::test]
async fn what_is_not_true_of_an_object_is_not_registered() {
    let house = TestHouse::new().await;
    let short = register(&house, aes(Some(vec![1; 16])), Vec::new()).await;
    assert_eq!(short.result_reason, Some(ResultReason::InvalidField));
    let other = vec![Attribute::CryptographicLength(128)];
    let contradicted = register(&house, aes(Some(vec![1; 32])), other).await;
    assert_eq!(contradicted.result_reason, Some(ResultReason::InvalidAttributeValue));
    // What cannot be read as a key is kept as it came: clients name formats wrongly.
    let unread = Some(KeyMaterial::Bytes(Secret::new(vec![1; 40])));
    let key_block = block(KeyFormatType::PKCS_8, unread, CryptographicAlgorithm::RSA);
    let unread = register(&house, PrivateKey { key_block }.into(), Vec::new()).await;
    assert_eq!(unread.result_status, ResultStatus::Success);
    let certificate = |stated| {
        let object = Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: vec![0x30, 0],
        };
        register(&house, object.into(), vec![Attribute::CertificateType(stated)])
    };
    assert_eq!(
        certificate(CertificateType::PGP).await.result_reason,
        Some(ResultReason::InvalidAttributeValue)
    );
    assert_eq!(
        certificate(CertificateType::X_509).await.result_status,
        ResultStatus::Success
    );
}

#[tokio::test]
async fn members_of_a_group_are_given_out_in_their_order() {
    let house = TestHouse::new().await;
    let group = Attribute::ObjectGroup("pool".into());
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(house.create("", vec![group.clone()]).await);
    }
    let mut fresh = LocateRequest {
        object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
        attributes: AttributePatterns(vec![AttributePattern::exactly(&group)]),
        ..LocateRequest::default()
    };
    let newest_first = |from: usize, to: usize| members[from..to].iter().rev().cloned().collect::<Vec<_>>();
    assert_eq!(located(&house, fresh.clone()).await, newest_first(0, 3));
    fresh.maximum_items = Some(2);
    assert_eq!(located(&house, fresh).await, newest_first(0, 2));
    let next = |member| LocateRequest {
        maximum_items: Some(1),
        object_group_member: Some(member),
        attributes: AttributePatterns(vec![AttributePattern::exactly(&group)]),
        ..LocateRequest::default()
    };
    for member in &members {
        for order in [
            ObjectGroupMember::GroupMemberFresh,
            ObjectGroupMember::GroupMemberDefault,
        ] {
            assert_eq!(located(&house, next(order)).await, std::slice::from_ref(member));
        }
        let get = GetRequest {
            unique_identifier: Some(UniqueIdentifier::from(member.as_str())),
            ..GetRequest::default()
        };
        let got = house.item(Version::NEWEST, get, &house.alice).await;
        assert_eq!(got.result_status, ResultStatus::Success);
    }
    assert!(
        located(&house, next(ObjectGroupMember::GroupMemberFresh))
            .await
            .is_empty()
    );
    assert_eq!(
        located(&house, next(ObjectGroupMember::GroupMemberDefault)).await,
        members[..1]
    );
}

/// Whoever brings a symmetric key may say its algorithm in the Key Value alone, or not at all.
#[tokio::test]
async fn a_key_without_an_algorithm_in_its_block_is_kept() {
    let house = TestHouse::new().await;
    let kind = AttributeKind::CryptographicAlgorithm;
    let bare = |attributes: Option<Attributes>| {
        let key_material = KeyMaterial::Bytes(Secret::new(vec![1; 16]));
        let mut key_block = block(KeyFormatType::Raw, None, CryptographicAlgorithm::AES);
        key_block.cryptographic_algorithm = None;
        key_block.cryptographic_length = None;
        key_block.key_value = Some(KeyValue::Plain(PlainKeyValue {
            key_material,
            attributes,
        }));
        ManagedObject::from(SymmetricKey { key_block })
    };
    let unsaid = registered(&register(&house, bare(None), Vec::new()).await);
    assert!(unsaid.is_some() && value(&house, unsaid, kind).await.is_none());
    let aes = Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES);
    let enclosed = bare(Some([aes.clone()].into_iter().collect()));
    let said = registered(&register(&house, enclosed, Vec::new()).await);
    assert!(value(&house, said.clone(), kind).await == Some(aes));
    let length = value(&house, said, AttributeKind::CryptographicLength).await;
    assert!(length == Some(Attribute::CryptographicLength(128)));
}

#[tokio::test]
async fn what_is_registered_wrapped_is_linked_to_the_wrapping_key() {
    let house = TestHouse::new().await;
    let wrapping = house.create("", Vec::new()).await;
    let wrapped = |by: &str| {
        let mut key_block = block(KeyFormatType::Raw, None, CryptographicAlgorithm::AES);
        key_block.key_value = Some(KeyValue::Wrapped(Secret::new(vec![1; 40])));
        key_block.key_wrapping_data = Some(Box::new(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier: UniqueIdentifier::from(by),
                cryptographic_parameters: None,
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        }));
        RegisterRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: TemplateAttribute::default(),
            object: SymmetricKey { key_block }.into(),
            protection_storage_masks: None,
        }
    };
    let register = async |version, by: &str| registered(&house.item(version, wrapped(by), &house.alice).await);
    let link = Attribute::Link(Link {
        link_type: LinkType::WrappingKeyLink,
        linked_object_identifier: UniqueIdentifier::from(wrapping.as_str()),
    });
    let linked = register(Version::NEWEST, &wrapping).await;
    assert!(value(&house, linked.clone(), AttributeKind::Link).await == Some(link));
    let elsewhere = register(Version::NEWEST, "nobody's").await;
    assert!(value(&house, elsewhere, AttributeKind::Link).await.is_none());
    // Versions that do not know the Link are neither given it nor told of it.
    let older = register(Version::OLDEST, &wrapping).await;
    assert!(value(&house, older, AttributeKind::Link).await.is_none());
    let all = GetAttributesRequest {
        unique_identifier: linked,
        references: Vec::new(),
    };
    let Some(ResponsePayload::GetAttributes(told)) = house.item(Version::OLDEST, all, &house.alice).await.payload
    else {
        panic!("no answer")
    };
    assert!(told.attributes.first(AttributeKind::Link).is_none());
}

#[tokio::test]
async fn a_key_is_what_is_derived_from_wherever_it_stands_beside_secret_data() {
    let house = TestHouse::new().await;
    let derives = Attribute::CryptographicUsageMask(CryptographicUsageMask::DeriveKey);
    let base = register(&house, aes(Some(vec![1; 32])), vec![derives.clone()]).await;
    let mut key_block = block(KeyFormatType::Raw, None, CryptographicAlgorithm::AES);
    key_block.cryptographic_algorithm = None;
    key_block.cryptographic_length = None;
    key_block.key_value = Some(KeyValue::Plain(PlainKeyValue {
        key_material: KeyMaterial::Bytes(Secret::new(vec![2; 16])),
        attributes: None,
    }));
    let data = SecretData {
        secret_data_type: SecretDataType::Seed,
        key_block,
    };
    let data = register(&house, data.into(), vec![derives]).await;
    let (base, data) = (registered(&base).unwrap(), registered(&data).unwrap());
    let mut digests = Vec::new();
    for unique_identifiers in [vec![base.clone(), data.clone()], vec![data, base]] {
        let derive = DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers,
            derivation_method: DerivationMethod::HMAC,
            derivation_parameters: derivation(&[]),
            attributes: [Attribute::CryptographicLength(128)].into_iter().collect(),
        };
        let made = house.item(Version::NEWEST, derive, &house.alice).await;
        let Some(ResponsePayload::DeriveKey(made)) = made.payload else {
            panic!("not derived: {:?}", made.result_message)
        };
        let made = Some(UniqueIdentifier::Text(made.unique_identifier));
        digests.push(value(&house, made, AttributeKind::Digest).await);
    }
    assert!(digests[0].is_some() && digests[0] == digests[1]);
}

#[tokio::test]
async fn secret_data_has_its_length_as_an_attribute_only() {
    let house = TestHouse::new().await;
    let mut request = create("", Vec::new());
    request.object_type = ObjectType::SecretData;
    request.attributes =
        TemplateAttribute::from([Attribute::CryptographicLength(80)].into_iter().collect::<Attributes>());
    let made = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::Create(made)) = made.payload else {
        panic!("not created")
    };
    let object = Some(UniqueIdentifier::Text(made.unique_identifier));
    let length = value(&house, object.clone(), AttributeKind::CryptographicLength).await;
    assert!(length == Some(Attribute::CryptographicLength(80)));
    let get = GetRequest {
        unique_identifier: object,
        ..GetRequest::default()
    };
    match house.item(Version::NEWEST, get, &house.alice).await.payload {
        Some(ResponsePayload::Get(got)) => {
            assert_eq!(got.object.key_block().unwrap().cryptographic_length, None);
        }
        _ => panic!("no answer"),
    }
}

/// What is required to withstand a quantum computer is of an algorithm and a length that does (KMIP 2.1 §4.45), when it is made and
/// when that is asked of it later.
#[tokio::test]
async fn a_key_is_quantum_safe_or_refused() {
    let house = TestHouse::new().await;
    let short = |safe| {
        let mut request = create("", Vec::new());
        let attributes = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(128),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
            Attribute::QuantumSafe(safe),
        ];
        request.attributes = TemplateAttribute::from(attributes.into_iter().collect::<Attributes>());
        request
    };
    let unsafe_one = Some(ResultReason::GeneralFailure);
    let told = house.item(Version::NEWEST, short(true), &house.alice).await;
    assert_eq!(told.result_reason, unsafe_one);
    let told = house.item(Version::NEWEST, short(false), &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
    let Some(ResponsePayload::Create(made)) = told.payload else {
        panic!()
    };
    house.create("", vec![Attribute::QuantumSafe(true)]).await;
    let later = SetAttributeRequest {
        unique_identifier: Some(UniqueIdentifier::from(made.unique_identifier.as_str())),
        attribute: Attribute::QuantumSafe(true).into(),
    };
    let told = house.item(Version::NEWEST, later, &house.alice).await;
    assert_eq!(told.result_reason, unsafe_one);
}

/// Who asks for a generator gets that one or nothing (KMIP 2.1 §4.46).
#[tokio::test]
async fn a_key_comes_from_the_generator_that_was_asked_for() {
    let house = TestHouse::new().await;
    let own = house.server.services().randomness.generator().parameters();
    let wanted = |rng_algorithm, cryptographic_algorithm| {
        Attribute::RandomNumberGenerator(RNGParameters {
            rng_algorithm,
            cryptographic_algorithm,
            cryptographic_length: None,
            hashing_algorithm: None,
            drbg_algorithm: None,
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: None,
        })
    };
    for (wanted, reason) in [
        (wanted(own.rng_algorithm, None), None),
        (wanted(RNGAlgorithm::Unspecified, None), None),
        (
            wanted(RNGAlgorithm::ANSIX9_31, None),
            Some(ResultReason::InvalidAttributeValue),
        ),
        (
            wanted(own.rng_algorithm, Some(CryptographicAlgorithm::IDEA)),
            Some(ResultReason::InvalidAttributeValue),
        ),
    ] {
        let told = house
            .item(Version::NEWEST, create("", vec![wanted]), &house.alice)
            .await;
        assert_eq!(told.result_reason, reason);
        if let Some(ResponsePayload::Create(made)) = told.payload {
            let object = Some(UniqueIdentifier::Text(made.unique_identifier));
            let kept = value(&house, object, AttributeKind::RandomNumberGenerator).await;
            assert!(kept == Some(Attribute::RandomNumberGenerator(own.clone())));
        }
    }
}
