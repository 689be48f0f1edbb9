//! One object of each type, as a client brings it.

use super::testing::TestHouse;
use kmip_protocol::{
    Attribute, AttributeKind, Certificate, CertificateRequest, CertificateRequestType, CertificateType,
    CryptographicAlgorithm, KeyBlock, KeyFormatType, KeyMaterial, KeyValue, ManagedObject, ObjectType, OpaqueDataType,
    OpaqueObject, PGPKey, PlainKeyValue, PrivateKey, PublicKey, RegisterRequest, ResponsePayload, SecretData,
    SecretDataType, SplitKey, SplitKeyMethod, SymmetricKey, Template, TemplateAttribute, Version,
};
use kmip_ttlv::Secret;

/// The types that clients keep here.
pub(super) const TYPES: [ObjectType; 10] = [
    ObjectType::Certificate,
    ObjectType::CertificateRequest,
    ObjectType::OpaqueObject,
    ObjectType::PGPKey,
    ObjectType::PrivateKey,
    ObjectType::PublicKey,
    ObjectType::SecretData,
    ObjectType::SplitKey,
    ObjectType::SymmetricKey,
    ObjectType::Template,
];

/// A key of these bytes.
pub(super) fn block(
    key_format_type: KeyFormatType,
    bytes: &[u8],
    algorithm: Option<CryptographicAlgorithm>,
) -> KeyBlock {
    KeyBlock {
        key_format_type,
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

/// An object of this type. Private and public keys are kept as they come, whether or not they can be read.
pub(super) fn object(house: &TestHouse, object_type: ObjectType) -> ManagedObject {
    let aes = Some(CryptographicAlgorithm::AES);
    let rsa = Some(CryptographicAlgorithm::RSA);
    match object_type {
        ObjectType::SymmetricKey => SymmetricKey {
            key_block: block(KeyFormatType::Raw, &[1; 16], aes),
        }
        .into(),
        ObjectType::PrivateKey => PrivateKey {
            key_block: block(KeyFormatType::PKCS_8, &[1; 16], rsa),
        }
        .into(),
        ObjectType::PublicKey => PublicKey {
            key_block: block(KeyFormatType::X_509, &[1; 16], rsa),
        }
        .into(),
        ObjectType::SecretData => SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: block(KeyFormatType::Opaque, b"secret", None),
        }
        .into(),
        ObjectType::SplitKey => SplitKey {
            split_key_parts: 3,
            key_part_identifier: 1,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::PolynomialSharingGF2_8,
            prime_field_size: None,
            key_block: block(KeyFormatType::Raw, &[1; 16], aes),
        }
        .into(),
        ObjectType::PGPKey => PGPKey {
            pgp_key_version: 4,
            key_block: block(KeyFormatType::Raw, &[1; 16], rsa),
        }
        .into(),
        ObjectType::OpaqueObject => OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0000),
            opaque_data_value: Secret::new(vec![1, 2, 3]),
        }
        .into(),
        ObjectType::Certificate => Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: house.alice.certificate.chain()[0].clone(),
        }
        .into(),
        ObjectType::CertificateRequest => CertificateRequest {
            certificate_request_type: CertificateRequestType::PKCS_10,
            certificate_request_value: vec![1, 2, 3],
        }
        .into(),
        ObjectType::Template => Template {
            attributes: [Attribute::ObjectGroup("held".into())].into_iter().collect(),
        }
        .into(),
        other => panic!("no sample of {other}"),
    }
}

/// The newest version that has objects of this type: the newest of all, but for templates.
fn version_of(object_type: ObjectType) -> Version {
    let mut versions = Version::ALL.into_iter().rev();
    versions.find(|version| object_type.is_known_in(*version)).unwrap()
}

/// Registers an object of this type with these attributes. Templates need a Name.
pub(super) async fn registered(house: &TestHouse, object_type: ObjectType, mut attributes: Vec<Attribute>) -> String {
    let is_named = attributes.iter().any(|one| one.kind() == AttributeKind::Name);
    if object_type == ObjectType::Template && !is_named {
        let count = house.all_rows().await.len();
        attributes.push(super::testing::named(&format!("template {count}")));
    }
    let request = RegisterRequest {
        object_type,
        attributes: attributes.into_iter().collect::<TemplateAttribute>(),
        object: object(house, object_type),
        protection_storage_masks: None,
    };
    let item = house.item(version_of(object_type), request, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::Register(made)) => made.unique_identifier,
        _ => panic!("{object_type}: {:?} {:?}", item.result_reason, item.result_message),
    }
}
