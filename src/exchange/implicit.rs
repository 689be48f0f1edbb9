//! What the server sets by itself, by the column "When implicitly set": over every operation that makes an object.

use super::testing::{TestHouse, create, derivation};
use kmip_protocol::{
    Attribute, AttributeKind, Attributes, Certificate, CertificateType, CreateKeyPairRequest, CryptographicAlgorithm,
    CryptographicUsageMask, DerivationMethod, DeriveKeyRequest, GetAttributesRequest, KeyBlock, KeyFormatType,
    KeyMaterial, KeyValue, ManagedObject, ObjectType, OpaqueDataType, OpaqueObject, Operation, PlainKeyValue,
    RegisterRequest, Request, ResponsePayload, SecretData, SecretDataType, SymmetricKey, TemplateAttribute,
    UniqueIdentifier, Version,
};
use kmip_ttlv::Secret;

/// An object, and how it came into being.
struct Made {
    by: Operation,
    object_type: ObjectType,
    unique_identifier: String,
}

fn key(length: i32, mask: CryptographicUsageMask) -> Vec<Attribute> {
    vec![
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(length),
        Attribute::CryptographicUsageMask(mask),
    ]
}

fn given(attributes: Vec<Attribute>) -> TemplateAttribute {
    attributes.into_iter().collect::<Attributes>().into()
}

fn block(bytes: &[u8], algorithm: Option<CryptographicAlgorithm>) -> KeyBlock {
    KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(Secret::new(bytes.to_vec())),
            attributes: None,
        })),
        cryptographic_algorithm: algorithm,
        cryptographic_length: algorithm.map(|_| 128),
        key_wrapping_data: None,
    }
}

async fn ask<R: Request>(house: &TestHouse, request: R) -> ResponsePayload {
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    item.payload
        .unwrap_or_else(|| panic!("{:?} {:?}", item.result_reason, item.result_message))
}

/// Objects to be registered, one of each kind that differs.
fn brought(house: &TestHouse) -> Vec<ManagedObject> {
    let certificate_value = house.alice.certificate.chain()[0].clone();
    vec![
        SymmetricKey {
            key_block: block(&[1; 16], Some(CryptographicAlgorithm::AES)),
        }
        .into(),
        SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: block(b"secret", None),
        }
        .into(),
        OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0000),
            opaque_data_value: Secret::new(vec![1]),
        }
        .into(),
        Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value,
        }
        .into(),
    ]
}

/// One object by each operation that makes some.
async fn all(house: &TestHouse) -> Vec<Made> {
    let mut all = Vec::new();
    let mut note = |by, object_type, unique_identifier| {
        all.push(Made {
            by,
            object_type,
            unique_identifier,
        });
    };
    let ResponsePayload::Create(made) = ask(house, create("", Vec::new())).await else {
        panic!()
    };
    note(Operation::Create, ObjectType::SymmetricKey, made.unique_identifier);
    let pair = CreateKeyPairRequest {
        common_attributes: Some(given(vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC),
            Attribute::CryptographicLength(256),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Sign),
        ])),
        ..CreateKeyPairRequest::default()
    };
    let ResponsePayload::CreateKeyPair(made) = ask(house, pair).await else {
        panic!()
    };
    note(
        Operation::CreateKeyPair,
        ObjectType::PrivateKey,
        made.private_key_unique_identifier,
    );
    note(
        Operation::CreateKeyPair,
        ObjectType::PublicKey,
        made.public_key_unique_identifier,
    );
    for object in brought(house) {
        let object_type = object.object_type();
        let request = RegisterRequest {
            object_type,
            attributes: TemplateAttribute::default(),
            object,
            protection_storage_masks: None,
        };
        let ResponsePayload::Register(made) = ask(house, request).await else {
            panic!()
        };
        note(Operation::Register, object_type, made.unique_identifier);
    }
    let begun = Attribute::ActivationDate(kmip_protocol::DateTime(1));
    let mut base = key(256, CryptographicUsageMask::DeriveKey);
    base.push(begun);
    let base = kmip_protocol::CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: given(base),
        protection_storage_masks: None,
    };
    let ResponsePayload::Create(base) = ask(house, base).await else {
        panic!()
    };
    let derive = DeriveKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![UniqueIdentifier::Text(base.unique_identifier)],
        derivation_method: DerivationMethod::HMAC,
        derivation_parameters: derivation(&[1]),
        attributes: given(key(128, CryptographicUsageMask::Encrypt)),
    };
    let ResponsePayload::DeriveKey(made) = ask(house, derive).await else {
        panic!()
    };
    note(Operation::DeriveKey, ObjectType::SymmetricKey, made.unique_identifier);
    all
}

/// What an object does not have although its row says that there always is a value: there is none to be had (KMIP 2.1 §4.13, §4.15:
/// "required for … keys"; §4.17).
fn cannot_have(object_type: ObjectType, kind: AttributeKind) -> bool {
    let has_no_key = matches!(object_type, ObjectType::SecretData | ObjectType::OpaqueObject);
    match kind {
        AttributeKind::CryptographicAlgorithm | AttributeKind::CryptographicLength => has_no_key,
        AttributeKind::CryptographicUsageMask => object_type == ObjectType::OpaqueObject,
        _ => false,
    }
}

#[tokio::test]
async fn what_always_has_a_value_has_one_from_the_beginning() {
    let house = TestHouse::new().await;
    let mut count = 0;
    for made in all(&house).await {
        let Made {
            by,
            object_type,
            unique_identifier,
        } = made;
        for version in Version::ALL {
            let request = GetAttributesRequest {
                unique_identifier: Some(UniqueIdentifier::Text(unique_identifier.clone())),
                references: Vec::new(),
            };
            let item = house.item(version, request, &house.alice).await;
            let Some(ResponsePayload::GetAttributes(got)) = item.payload else {
                panic!()
            };
            let always = AttributeKind::ALL.iter().copied().filter(|kind| {
                let rules = kind.rules();
                rules.always && rules.versions.include(version) && rules.applies_to.contains(object_type)
            });
            for kind in always {
                let place = format!("{kind:?} of {object_type} by {by} in {version}");
                assert_eq!(
                    got.attributes.first(kind).is_some(),
                    !cannot_have(object_type, kind),
                    "{place}"
                );
                count += 1;
            }
            // Set by the operation, although there need not be a value.
            let more = [
                (AttributeKind::LeaseTime, object_type != ObjectType::OpaqueObject),
                (AttributeKind::RandomNumberGenerator, by != Operation::Register),
                (AttributeKind::OriginalCreationDate, by != Operation::Register),
                (
                    AttributeKind::Link,
                    matches!(by, Operation::CreateKeyPair | Operation::DeriveKey),
                ),
                (AttributeKind::OperationPolicyName, true),
            ];
            for (kind, expected) in more
                .into_iter()
                .filter(|(kind, _)| kind.rules().versions.include(version))
            {
                assert!(!expected || kind == AttributeKind::LeaseTime || kind.rules().implicitly_by.contains(&by));
                let place = format!("{kind:?} of {object_type} by {by} in {version}");
                assert_eq!(got.attributes.first(kind).is_some(), expected, "{place}");
            }
            let own: Vec<AttributeKind> = got.attributes.iter().map(Attribute::kind).collect();
            let known = own.iter().all(|kind| kind.rules().versions.include(version));
            assert!(known, "{own:?} in {version}");
        }
    }
    assert!(count > 500, "{count}");
}
