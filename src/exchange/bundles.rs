//! PKCS#12 bundles and keys wrapped together with their attributes, as clients meet them.

use super::creations::register;
use super::members::certificate;
use super::testing::{TestHouse, create};
use crate::crypto::{PrivateKey, ReadHints, pkcs12};
use kmip_protocol::{
    ArchiveRequest, Attribute, AttributeKind, AttributeReference, BlockCipherMode, CertificateRequest,
    CertificateRequestType, CreateRequest, CryptographicParameters, CryptographicUsageMask, DateTime, EncodingOption,
    ExportRequest, GetAttributesRequest, GetRequest, ImportRequest, KeyBlock, KeyFormatType, KeyInformation,
    KeyMaterial, KeyValue, KeyWrapType, KeyWrappingSpecification, Link, LinkType, ManagedObject, PGPKey, PlainKeyValue,
    ProtectionStorageMask, ProtectionStorageMasks, ResponseItem, ResponsePayload, ResultReason, ResultStatus,
    SecretData, SecretDataType, UniqueIdentifier, Version, WrappingMethod,
};
use kmip_ttlv::Secret;

fn block(format: KeyFormatType, bytes: Vec<u8>) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(Secret::new(bytes)),
            attributes: None,
        })),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

fn registered(item: &ResponseItem) -> String {
    match &item.payload {
        Some(ResponsePayload::Register(made)) => made.unique_identifier.clone(),
        _ => panic!("not registered: {:?} {:?}", item.result_reason, item.result_message),
    }
}

async fn get(house: &TestHouse, version: Version, request: GetRequest) -> Result<ManagedObject, Option<ResultReason>> {
    let item = house.item(version, request, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Get(got)) => Ok(got.object),
        _ => Err(item.result_reason),
    }
}

async fn told(house: &TestHouse, key: &str, kind: AttributeKind) -> Vec<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: Some(key.into()),
        references: vec![AttributeReference::Known(kind)],
    };
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::GetAttributes(told)) => told.attributes.0.into_iter().map(|i| i.attribute).collect(),
        _ => panic!("no answer"),
    }
}

fn bytes(object: &ManagedObject) -> Secret {
    match &object.key_block().unwrap().key_value {
        Some(KeyValue::Wrapped(bytes)) => bytes.clone(),
        Some(KeyValue::Plain(value)) => match &value.key_material {
            KeyMaterial::Bytes(bytes) => bytes.clone(),
            _ => panic!("a structure"),
        },
        None => panic!("no value"),
    }
}

fn link(link_type: LinkType, to: &str) -> Attribute {
    Attribute::Link(Link {
        link_type,
        linked_object_identifier: UniqueIdentifier::from(to),
    })
}

async fn password(house: &TestHouse, text: &str, attributes: Vec<Attribute>) -> String {
    let secret = SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: block(KeyFormatType::Opaque, text.into()),
    };
    registered(&register(house, secret.into(), attributes).await)
}

fn bundle(format: KeyFormatType, bytes: Vec<u8>) -> ManagedObject {
    let key_block = block(format, bytes);
    kmip_protocol::PrivateKey { key_block }.into()
}

#[tokio::test]
async fn a_bundle_is_taken_apart_and_put_together() {
    let house = TestHouse::new().await;
    let (certificate, key) = certificate("a key");
    let plain = KeyMaterial::Bytes(Secret::copy_from(&key.to_der()));
    let key = PrivateKey::read(KeyFormatType::PKCS_8, &plain, ReadHints::default()).unwrap();
    let opens = Secret::copy_from(b"password");
    let written = pkcs12::write(&key, std::slice::from_ref(&certificate), "Mine", &opens).unwrap();
    let object = || bundle(KeyFormatType::PKCS_12, written.expose().to_vec());

    let active = Attribute::ActivationDate(DateTime(1));
    let good = password(&house, "password", vec![active.clone()]).await;
    let early = password(&house, "password", Vec::new()).await;
    let wrong = password(&house, "another", vec![active]).await;
    let by = |id: &str| link(LinkType::PKCS_12PasswordLink, id);
    let bad = ResultReason::BadPassword;
    for (given, reason) in [
        (vec![], bad),
        (vec![by(&good), by(&wrong)], bad),
        (vec![by("nothing")], bad),
        (vec![by(&wrong)], bad),
        (vec![by(&early)], ResultReason::WrongKeyLifecycleState),
        (
            vec![by(&good), Attribute::PKCS_12FriendlyName("theirs".into())],
            ResultReason::InvalidField,
        ),
    ] {
        assert_eq!(register(&house, object(), given).await.result_reason, Some(reason));
    }
    let garbage = register(&house, bundle(KeyFormatType::PKCS_12, vec![0x30; 40]), vec![by(&good)]).await;
    assert_eq!(garbage.result_reason, Some(ResultReason::InvalidField));

    let made = registered(&register(&house, object(), vec![by(&good)]).await);
    let name = told(&house, &made, AttributeKind::PKCS_12FriendlyName).await;
    assert!(name == [Attribute::PKCS_12FriendlyName("Mine".into())]);
    let links = told(&house, &made, AttributeKind::Link).await;
    let Some(Attribute::Link(to)) = links
        .iter()
        .find(|l| matches!(l, Attribute::Link(l) if l.link_type == LinkType::PKCS_12CertificateLink))
    else {
        panic!("no link")
    };
    let of = |id: &str| GetRequest {
        unique_identifier: Some(id.into()),
        ..GetRequest::default()
    };
    let kept = get(&house, Version::NEWEST, of(to.linked_object_identifier.text().unwrap())).await;
    assert!(matches!(kept, Ok(ManagedObject::Certificate(kept)) if kept.certificate_value == certificate));
    let plain = get(&house, Version::NEWEST, of(&made)).await.unwrap();
    assert_eq!(plain.key_block().unwrap().key_format_type, KeyFormatType::PKCS_8);

    // In either spelling the bundle opens by the password, and is this key and this certificate.
    let mut versions = Version::ALL.into_iter();
    let named = versions.rfind(|version| !version.has_tagged_attributes()).unwrap();
    for version in [Version::NEWEST, named] {
        let request = GetRequest {
            key_format_type: Some(KeyFormatType::PKCS_12),
            ..of(&made)
        };
        let again = get(&house, version, request).await.unwrap();
        let is_wrapped = matches!(again.key_block().unwrap().key_value, Some(KeyValue::Wrapped(_)));
        assert_eq!(is_wrapped, version == named);
        let read = pkcs12::read(&bytes(&again), &opens, Some("mine")).unwrap();
        assert_eq!(read.chain, core::slice::from_ref(&certificate));
        assert!(read.key == bytes(&plain));
    }
    // What is archived goes into no bundle.
    let archive = ArchiveRequest {
        unique_identifier: Some(to.linked_object_identifier.clone()),
    };
    let item = house.item(Version::NEWEST, archive, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let request = GetRequest {
        key_format_type: Some(KeyFormatType::PKCS_12),
        ..of(&made)
    };
    let refused = get(&house, Version::NEWEST, request).await.err().flatten();
    assert_eq!(refused, Some(ResultReason::ObjectArchived));
    let other = house.create("", Vec::new()).await;
    let request = GetRequest {
        key_format_type: Some(KeyFormatType::PKCS_12),
        ..of(&other)
    };
    let refused = get(&house, Version::NEWEST, request).await.err().flatten();
    assert_eq!(refused, Some(ResultReason::KeyFormatTypeNotSupported));
}

#[tokio::test]
async fn attributes_are_wrapped_with_a_key_and_come_in_with_it() {
    let house = TestHouse::new().await;
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::AESKeyWrapPadding),
        ..CryptographicParameters::default()
    };
    let mut request = create("", vec![Attribute::ActivationDate(DateTime(1))]);
    for instance in &mut request.attributes.attributes.0 {
        if instance.attribute.kind() == AttributeKind::CryptographicUsageMask {
            let mask = CryptographicUsageMask::WrapKey | CryptographicUsageMask::UnwrapKey;
            instance.attribute = Attribute::CryptographicUsageMask(mask);
        }
    }
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::Create(wrapping)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let key = house
        .create(
            "",
            vec![
                Attribute::ContactInformation("us".into()),
                Attribute::ObjectGroup("a".into()),
            ],
        )
        .await;
    let specification = |encoding| {
        Some(Box::new(KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier: wrapping.unique_identifier.as_str().into(),
                cryptographic_parameters: Some(parameters.clone()),
            }),
            mac_signature_key_information: None,
            attribute_names: vec!["Contact Information".into(), "Object Group".into(), "Nonsense".into()],
            encoding_option: encoding,
        }))
    };
    let bare = ExportRequest {
        unique_identifier: Some(key.as_str().into()),
        key_wrapping_specification: specification(Some(EncodingOption::NoEncoding)),
        ..ExportRequest::default()
    };
    let item = house.item(Version::NEWEST, bare.clone(), &house.alice).await;
    assert_eq!(item.result_reason, Some(ResultReason::EncodingOptionError));
    let encoded = ExportRequest {
        key_wrapping_specification: specification(None),
        ..bare
    };
    let item = house.item(Version::NEWEST, encoded, &house.alice).await;
    let Some(ResponsePayload::Export(exported)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let import = ImportRequest {
        unique_identifier: UniqueIdentifier::from("copy"),
        object_type: Some(exported.object_type),
        replace_existing: None,
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        // What is given outside counts.
        attributes: [Attribute::ObjectGroup("b".into())].into_iter().collect(),
        object: exported.object,
    };
    let item = house.item(Version::NEWEST, import, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let contact = told(&house, "copy", AttributeKind::ContactInformation).await;
    assert!(contact == [Attribute::ContactInformation("us".into())]);
    assert!(told(&house, "copy", AttributeKind::ObjectGroup).await == [Attribute::ObjectGroup("b".into())]);
    let of = |id: &str| GetRequest {
        unique_identifier: Some(id.into()),
        ..GetRequest::default()
    };
    let (one, other) = (
        get(&house, Version::NEWEST, of("copy")).await.unwrap(),
        get(&house, Version::NEWEST, of(&key)).await.unwrap(),
    );
    assert!(bytes(&one) == bytes(&other));
}

#[tokio::test]
async fn pgp_keys_and_certificate_requests_are_kept() {
    let house = TestHouse::new().await;
    let pgp = PGPKey {
        pgp_key_version: 4,
        key_block: block(KeyFormatType::Raw, vec![0x99, 1, 2, 3]),
    };
    let request = CertificateRequest {
        certificate_request_type: CertificateRequestType::PKCS_10,
        certificate_request_value: vec![0x30, 0],
    };
    for (object, format) in [
        (ManagedObject::from(pgp), KeyFormatType::Raw),
        (ManagedObject::from(request), KeyFormatType::PKCS_10),
    ] {
        let key = registered(&register(&house, object.clone(), Vec::new()).await);
        let request = GetRequest {
            unique_identifier: Some(key.as_str().into()),
            ..GetRequest::default()
        };
        assert!(get(&house, Version::NEWEST, request).await == Ok(object));
        assert!(told(&house, &key, AttributeKind::KeyFormatType).await == [Attribute::KeyFormatType(format)]);
        assert_eq!(told(&house, &key, AttributeKind::Digest).await.len(), 1);
    }
}

/// A key that is kept in another format than its default has a digest in both (KMIP 2.1 §4.26).
#[tokio::test]
async fn digests_are_of_the_kept_and_of_the_default_format() {
    let house = TestHouse::new().await;
    let (_, key) = certificate("a key");
    let object = bundle(KeyFormatType::PKCS_8, key.to_der().to_vec());
    let made = registered(&register(&house, object, Vec::new()).await);
    let formats: Vec<_> = told(&house, &made, AttributeKind::Digest)
        .await
        .into_iter()
        .map(|attribute| match attribute {
            Attribute::Digest(digest) => digest.key_format_type,
            _ => None,
        })
        .collect();
    assert_eq!(
        formats,
        [
            Some(KeyFormatType::PKCS_8),
            Some(KeyFormatType::TransparentECPrivateKey)
        ]
    );
}

#[tokio::test]
async fn an_object_is_kept_only_where_it_may_be() {
    let house = TestHouse::new().await;
    for (masks, reason) in [
        (vec![], None),
        (
            vec![ProtectionStorageMask::Hardware, ProtectionStorageMask::Software],
            None,
        ),
        (
            vec![ProtectionStorageMask::Hardware],
            Some(ResultReason::ProtectionStorageUnavailable),
        ),
        (
            vec![ProtectionStorageMask::Hardware | ProtectionStorageMask::Software],
            Some(ResultReason::ProtectionStorageUnavailable),
        ),
    ] {
        let request = CreateRequest {
            protection_storage_masks: Some(ProtectionStorageMasks {
                protection_storage_masks: masks,
            }),
            ..create("", Vec::new())
        };
        let item = house.item(Version::NEWEST, request, &house.alice).await;
        assert_eq!(item.result_reason, reason);
    }
}
