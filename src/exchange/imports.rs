//! Export and Import: an object moves from one tenant to another with all that it is, and nothing that may not leave does.

use super::governing::change_client;
use super::office::{Office, answered};
use super::testing::{TestHouse, create, validity};
use kmip_protocol::{
    Attribute, AttributeInstance, AttributeKind, AttributeReference, Attributes, BlockCipherMode, Certificate,
    CertificateType, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DateTime, DestroyRequest,
    Digest, EncodingOption, ExportRequest, ExportResponse, GetAttributesRequest, GetRequest, HashingAlgorithm,
    ImportRequest, KeyFormatType, KeyInformation, KeyMaterial, KeyValue, KeyWrapType, KeyWrappingSpecification,
    ManagedObject, Name, NameType, ObjectType, Operation, Operations, PlainKeyValue, PublicKey, ResponseItem,
    ResponsePayload, ResultReason, ResultStatus, State, TenantSettings, UniqueIdentifier, UsageLimits, UsageLimitsUnit,
    Version, WrappingMethod, X_509CertificateSubject,
};
use kmip_ttlv::Secret;

fn export_of(key: &str) -> ExportRequest {
    ExportRequest {
        unique_identifier: Some(key.into()),
        ..ExportRequest::default()
    }
}

async fn export(house: &TestHouse, request: ExportRequest) -> ExportResponse {
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Export(exported)) => *exported,
        _ => panic!("not exported: {:?} {:?}", item.result_reason, item.result_message),
    }
}

fn import_of(exported: &ExportResponse) -> ImportRequest {
    ImportRequest {
        unique_identifier: UniqueIdentifier::Text(exported.unique_identifier.clone()),
        object_type: Some(exported.object_type),
        replace_existing: None,
        key_wrap_type: None,
        attributes: exported.attributes.clone(),
        object: exported.object.clone(),
    }
}

/// The newest version in which attributes go by their names.
fn named() -> Version {
    let mut versions = Version::ALL.into_iter();
    versions.rfind(|version| !version.has_tagged_attributes()).unwrap()
}

fn name(value: &str) -> Attribute {
    Attribute::Name(Name {
        name_value: value.into(),
        name_type: NameType::UninterpretedTextString,
    })
}

fn reason(item: &ResponseItem) -> Option<ResultReason> {
    item.result_reason
}

fn with(mut request: ImportRequest, attribute: Attribute) -> ImportRequest {
    request
        .attributes
        .0
        .retain(|instance| instance.attribute.kind() != attribute.kind());
    request.attributes.0.push(AttributeInstance::from(attribute));
    request
}

/// Makes a key that others are wrapped with.
async fn wrapping_key(house: &TestHouse) -> String {
    let mask = CryptographicUsageMask::WrapKey | CryptographicUsageMask::UnwrapKey;
    let mut wrapping = create("", vec![Attribute::ActivationDate(DateTime(1))]);
    for instance in &mut wrapping.attributes.attributes.0 {
        if instance.attribute.kind() == AttributeKind::CryptographicUsageMask {
            instance.attribute = Attribute::CryptographicUsageMask(mask);
        }
    }
    let item = house.item(Version::NEWEST, wrapping, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Create(made)) => made.unique_identifier,
        _ => panic!("{:?}", item.result_message),
    }
}

/// How a key is wrapped with another.
fn under(wrapping: &str) -> KeyWrappingSpecification {
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        ..CryptographicParameters::default()
    };
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(KeyInformation {
            unique_identifier: wrapping.into(),
            cryptographic_parameters: Some(parameters),
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    }
}

#[tokio::test]
async fn an_object_moves_with_all_its_attributes() {
    let house = TestHouse::new().await;
    let limits = Attribute::UsageLimits(UsageLimits {
        usage_limits_total: Some(10),
        usage_limits_count: None,
        usage_limits_unit: Some(UsageLimitsUnit::Object),
    });
    let given = vec![
        limits,
        Attribute::ObjectGroup("a".into()),
        Attribute::ObjectGroup("b".into()),
    ];
    let key = house.create("moved", given).await;
    house.clock.advance(1_000);
    // The newest of each of the two spellings of attributes.
    for version in [Version::NEWEST, named()] {
        let item = house.item(version, export_of(&key), &house.alice).await;
        let Some(ResponsePayload::Export(exported)) = item.payload else {
            panic!("not exported: {:?}", item.result_message)
        };
        house.clock.advance(1_000);
        let mut request = import_of(&exported);
        if version == named() {
            request.object_type = None;
            request.replace_existing = Some(true);
        }
        let imported = house.item(version, request, &house.bob).await;
        assert_eq!(
            imported.result_status,
            ResultStatus::Success,
            "{:?}",
            imported.result_message
        );
        let again = house.item(version, export_of(&key), &house.bob).await;
        let Some(ResponsePayload::Export(again)) = again.payload else {
            panic!("not exported again: {:?}", again.result_message)
        };
        let sorted = |attributes: &Attributes| {
            let mut all: Vec<String> = attributes
                .0
                .iter()
                .map(|i| {
                    let mut writer = kmip_ttlv::Writer::new();
                    i.attribute.write_value_item(&mut writer);
                    format!("{:?} {:?} {:?}", i.attribute.kind(), i.index, writer.as_bytes())
                })
                .collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&again.attributes), sorted(&exported.attributes));
        assert!(again.object == exported.object);
    }
}

#[tokio::test]
async fn an_export_leaves_an_object_fresh_since_get_alone_serves_it() {
    let house = TestHouse::new().await;
    for (version, stays) in [(named(), false), (Version::NEWEST, true)] {
        let key = house.create("", Vec::new()).await;
        let fresh = || async {
            let told = export(&house, export_of(&key)).await.attributes.0;
            told.contains(&Attribute::Fresh(true).into())
        };
        let item = house.item(version, export_of(&key), &house.alice).await;
        assert_eq!(item.result_status, ResultStatus::Success);
        assert_eq!(fresh().await, stays, "{version}");
        let get = GetRequest {
            unique_identifier: Some(key.as_str().into()),
            ..GetRequest::default()
        };
        house.item(version, get, &house.alice).await;
        assert!(!fresh().await, "{version}");
    }
}

#[tokio::test]
async fn what_exists_is_replaced_only_if_that_is_asked_for() {
    let house = TestHouse::new().await;
    let key = house.create("one", Vec::new()).await;
    let exported = export(&house, export_of(&key)).await;
    let mut request = import_of(&exported);
    let import = |request: ImportRequest| house.item(Version::NEWEST, request, &house.alice);
    assert_eq!(
        reason(&import(request.clone()).await),
        Some(ResultReason::ObjectAlreadyExists)
    );
    request.replace_existing = Some(true);
    request = with(request, name("other"));
    assert_eq!(import(request.clone()).await.result_status, ResultStatus::Success);
    // The Name that it had is free again; the one that it has is not.
    for (name, taken) in [("one", None), ("other", Some(ResultReason::NonUniqueNameAttribute))] {
        let item = house
            .item(Version::NEWEST, create(name, Vec::new()), &house.alice)
            .await;
        assert_eq!(reason(&item), taken, "{name}");
    }
    // A destroyed object comes back, once that is asked for.
    let destroy = DestroyRequest {
        unique_identifier: Some(key.as_str().into()),
    };
    let destroyed = house.item(Version::NEWEST, destroy, &house.alice).await;
    assert_eq!(destroyed.result_status, ResultStatus::Success);
    let remains = export(&house, export_of(&key)).await;
    assert!(
        remains
            .object
            .key_block()
            .is_some_and(|block| block.key_value.is_none())
    );
    request.replace_existing = Some(false);
    assert_eq!(
        reason(&import(request.clone()).await),
        Some(ResultReason::ObjectAlreadyExists)
    );
    request.replace_existing = Some(true);
    assert_eq!(import(request).await.result_status, ResultStatus::Success);
    let back = export(&house, export_of(&key)).await;
    assert!(back.object == exported.object);
}

#[tokio::test]
async fn what_is_not_true_of_an_object_is_not_imported() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let exported = export(&house, export_of(&key)).await;
    let base = import_of(&exported);
    let digest = |value| {
        Attribute::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(value),
            key_format_type: Some(KeyFormatType::Raw),
        })
    };
    let value = ResultReason::InvalidAttributeValue;
    let wrong_type = ImportRequest {
        object_type: Some(ObjectType::SecretData),
        ..base.clone()
    };
    let long = ImportRequest {
        unique_identifier: UniqueIdentifier::Text("x".repeat(128)),
        ..base.clone()
    };
    let refused = [
        (with(base.clone(), Attribute::State(State::Active)), value),
        (with(base.clone(), Attribute::ObjectType(ObjectType::SecretData)), value),
        (with(base.clone(), Attribute::UniqueIdentifier("another".into())), value),
        (with(base.clone(), Attribute::DestroyDate(DateTime(5))), value),
        (with(base.clone(), Attribute::AlwaysSensitive(true)), value),
        (with(base.clone(), Attribute::NeverExtractable(true)), value),
        (with(base.clone(), Attribute::CryptographicLength(128)), value),
        (with(base.clone(), digest(vec![7; 32])), value),
        (
            with(base.clone(), Attribute::CertificateLength(5)),
            ResultReason::InvalidAttribute,
        ),
        (wrong_type, ResultReason::InvalidObjectType),
        (long, ResultReason::InvalidField),
    ];
    for (number, (request, expected)) in refused.into_iter().enumerate() {
        let item = house.item(Version::NEWEST, request, &house.bob).await;
        assert_eq!(reason(&item), Some(expected), "{number}");
    }
    // An identifier left open is the server's to choose; dates are as given.
    let mut open = with(base, Attribute::InitialDate(DateTime(1_000)));
    open.attributes
        .0
        .retain(|i| !matches!(i.attribute.kind(), AttributeKind::UniqueIdentifier));
    open.unique_identifier = UniqueIdentifier::Text(String::new());
    let item = house.item(Version::NEWEST, open, &house.bob).await;
    let Some(ResponsePayload::Import(made)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let dates = GetAttributesRequest {
        unique_identifier: Some(made.unique_identifier.as_str().into()),
        references: vec![AttributeReference::Known(AttributeKind::InitialDate)],
    };
    let item = house.item(Version::NEWEST, dates, &house.bob).await;
    let Some(ResponsePayload::GetAttributes(told)) = item.payload else {
        panic!()
    };
    assert!(told.attributes.first(AttributeKind::InitialDate) == Some(&Attribute::InitialDate(DateTime(1_000))));
}

#[tokio::test]
async fn an_import_is_a_right_of_its_own() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let request = import_of(&export(&house, export_of(&key)).await);
    change_client(&house, |client| client.settings.may_import = None).await;
    let item = house.item(Version::NEWEST, request.clone(), &house.alice).await;
    assert_eq!(reason(&item), Some(ResultReason::PermissionDenied));
    let listed = Operations {
        operations: vec![Operation::Import],
    };
    change_client(&house, |client| client.settings.operations = Some(listed)).await;
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    assert_eq!(reason(&item), Some(ResultReason::ObjectAlreadyExists));
}

#[tokio::test]
async fn what_may_not_leave_is_not_exported_and_leaves_wrapped() {
    let house = TestHouse::new().await;
    let wrapping = wrapping_key(&house).await;
    let kept = house.create("", vec![Attribute::Extractable(false)]).await;
    let sensitive = house.create("", vec![Attribute::Sensitive(true)]).await;
    for (key, expected) in [
        (&kept, ResultReason::NotExtractable),
        (&sensitive, ResultReason::Sensitive),
    ] {
        let item = house.item(Version::NEWEST, export_of(key), &house.alice).await;
        assert_eq!(reason(&item), Some(expected));
    }
    let wrapped = ExportRequest {
        key_wrapping_specification: Some(Box::new(under(&wrapping))),
        ..export_of(&sensitive)
    };
    let exported = export(&house, wrapped).await;
    assert!(exported.object.key_block().unwrap().key_wrapping_data.is_some());
    let mut request = with(import_of(&exported), Attribute::Sensitive(false));
    request = with(request, Attribute::AlwaysSensitive(false));
    request = with(request, Attribute::UniqueIdentifier("copy".into()));
    request.unique_identifier = UniqueIdentifier::Text("copy".into());
    request.key_wrap_type = Some(KeyWrapType::NotWrapped);
    let item = house.item(Version::NEWEST, request.clone(), &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let get = GetRequest {
        unique_identifier: Some("copy".into()),
        ..GetRequest::default()
    };
    let item = house.item(Version::NEWEST, get, &house.alice).await;
    let Some(ResponsePayload::Get(got)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let ManagedObject::SymmetricKey(key) = got.object else {
        panic!()
    };
    assert_eq!(key.key_block.cryptographic_algorithm, Some(CryptographicAlgorithm::AES));
    let Some(KeyValue::Plain(value)) = key.key_block.key_value else {
        panic!("not unwrapped")
    };
    assert!(matches!(value.key_material, KeyMaterial::Bytes(bytes) if bytes.len() == 32));
    // In a tenant that does not have the wrapping key it stays outside.
    let item = house.item(Version::NEWEST, request, &house.bob).await;
    assert_eq!(reason(&item), Some(ResultReason::WrappingObjectNotFound));
}

/// A key that comes wrapped and is opened here is no public key because it is called one.
#[tokio::test]
async fn what_leaves_encrypted_only_is_not_imported_as_what_does_not() {
    let office = Office::open().await;
    let (house, alice) = (&office.house, &office.house.alice);
    let wrapping = wrapping_key(house).await;
    let key = house.create("", Vec::new()).await;
    let settings = TenantSettings {
        plaintext_get: Some(false),
        ..TenantSettings::default()
    };
    office.set(settings).await;
    let wrapped = ExportRequest {
        key_wrapping_specification: Some(Box::new(under(&wrapping))),
        ..export_of(&key)
    };
    let exported = export(house, wrapped).await;
    let ManagedObject::SymmetricKey(kept) = exported.object else {
        panic!("another object")
    };
    let mut key_block = kept.key_block;
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::Ed25519);
    let point: ManagedObject = PublicKey { key_block }.into();
    let mut request = ImportRequest {
        unique_identifier: UniqueIdentifier::Text("point".into()),
        object_type: Some(ObjectType::PublicKey),
        replace_existing: None,
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        attributes: Attributes::default(),
        object: point,
    };
    answered!(office.ask(alice, request.clone()).await, Sensitive);
    request.key_wrap_type = None;
    answered!(office.ask(alice, request).await, ok);
    let mut get = GetRequest {
        unique_identifier: Some("point".into()),
        ..GetRequest::default()
    };
    answered!(office.ask(alice, get.clone()).await, ok);
    get.key_wrap_type = Some(KeyWrapType::NotWrapped);
    answered!(office.ask(alice, get).await, Sensitive);
}

/// What could not be changed any more is not let in: a key that must be quantum safe is.
#[tokio::test]
async fn a_key_that_is_not_what_it_must_be_is_not_imported() {
    let house = TestHouse::new().await;
    let exported = export(&house, export_of(&house.create("", Vec::new()).await)).await;
    let safe = with(import_of(&exported), Attribute::QuantumSafe(true));
    answered!(house.item(Version::NEWEST, safe.clone(), &house.bob).await, ok);
    let destroy = DestroyRequest {
        unique_identifier: Some(safe.unique_identifier.clone()),
    };
    answered!(house.item(Version::NEWEST, destroy, &house.bob).await, ok);
    let mut short = safe;
    let bytes = Secret::new(vec![7; 16]);
    let ManagedObject::SymmetricKey(key) = &mut short.object else {
        panic!("another object")
    };
    key.key_block.cryptographic_length = Some(128);
    key.key_block.key_value = Some(KeyValue::Plain(PlainKeyValue {
        key_material: KeyMaterial::Bytes(bytes),
        attributes: None,
    }));
    let short = with(short, Attribute::CryptographicLength(128));
    let mut short = with(short, Attribute::UniqueIdentifier("short".into()));
    short.unique_identifier = UniqueIdentifier::Text("short".into());
    short.attributes.0.retain(|instance| {
        let kind = instance.attribute.kind();
        kind != AttributeKind::Digest && kind != AttributeKind::ShortUniqueIdentifier
    });
    answered!(house.item(Version::NEWEST, short, &house.bob).await, NotQuantumSafe);
}

/// What an object's value says of itself is not for its importer to say.
#[tokio::test]
async fn what_the_value_says_stands() {
    let house = TestHouse::new().await;
    let ca = certs::CertificateAuthority::create(&certs::Subject::named("true"), validity(), certs::KeyKind::P256);
    let certificate_value = ca.unwrap().certificate().to_vec();
    let length = i32::try_from(certificate_value.len()).unwrap();
    let forged = [
        Attribute::CertificateLength(1),
        Attribute::KeyFormatType(KeyFormatType::Opaque),
        Attribute::CertificateSubjectCN("forged".into()),
        Attribute::CertificateIssuerCN("forged".into()),
        Attribute::X_509CertificateSubject(X_509CertificateSubject {
            subject_distinguished_name: vec![0x30, 0],
            subject_alternative_names: Vec::new(),
        }),
    ];
    let request = ImportRequest {
        unique_identifier: UniqueIdentifier::Text("certificate".into()),
        object_type: Some(ObjectType::Certificate),
        replace_existing: None,
        key_wrap_type: None,
        attributes: forged.iter().cloned().collect(),
        object: Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value,
        }
        .into(),
    };
    answered!(house.item(Version::NEWEST, request, &house.alice).await, ok);
    let request = GetAttributesRequest {
        unique_identifier: Some("certificate".into()),
        references: Vec::new(),
    };
    let item = answered!(house.item(Version::NEWEST, request, &house.alice).await, ok);
    let Some(ResponsePayload::GetAttributes(told)) = item.payload else {
        panic!("not told")
    };
    let told: Vec<Attribute> = told.attributes.0.into_iter().map(|i| i.attribute).collect();
    assert!(forged.iter().all(|forged| !told.contains(forged)));
    for own in [
        Attribute::CertificateLength(length),
        Attribute::KeyFormatType(KeyFormatType::X_509),
        Attribute::CertificateSubjectCN("true".into()),
        Attribute::CertificateIssuerCN("true".into()),
    ] {
        assert!(told.contains(&own), "{:?}", own.kind());
    }
}
