//! What comes to the same as what a rule names, or takes an object out of the rule's sight, needs the agreement that the rule wants.

use super::governing::{govern, rule};
use super::lives::of;
use super::splits::{join_of, parts_of, split_of};
use super::testing::{BEGIN, TestHouse, create, named, validity};
use certs::{CertificateAuthority, KeyKind, Subject};
use kmip_protocol::{
    Attribute, AttributeKind, Attributes, BlockCipherMode, Certificate, CertificateType, Completion,
    CreateKeyPairRequest, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DateTime,
    EncodingOption, EncryptRequest, ExportRequest, GetRequest, ImportRequest, KeyInformation, KeyWrapType,
    KeyWrappingSpecification, ManagedObject, ObjectType, Operation, ReCertifyRequest, ReKeyKeyPairRequest,
    ReKeyRequest, RegisterRequest, Request, ResponsePayload, ResultStatus, RuleMatch, SplitKeyMethod,
    TemplateAttribute, UniqueIdentifier, Version, WrappingMethod,
};
use kmip_ttlv::Secret;

const V: Version = Version::NEWEST;

/// Whose group a rule is for.
fn gold() -> Attribute {
    Attribute::ObjectGroup("gold".into())
}

/// A house in which others must agree to an operation on objects of the group, and to nothing else.
async fn guarded(operation: Operation) -> TestHouse {
    let house = TestHouse::new().await;
    let mut only = rule(operation, Completion::OnQuorum);
    only.rule_match = RuleMatch {
        operations: vec![operation],
        object_groups: vec!["gold".into()],
        ..RuleMatch::default()
    };
    govern(&house, vec![only]).await;
    house
}

/// The same for objects by their Names.
async fn guarded_by_name(operation: Operation) -> TestHouse {
    let house = TestHouse::new().await;
    let mut only = rule(operation, Completion::OnQuorum);
    only.rule_match = RuleMatch {
        operations: vec![operation],
        object_names: vec!["gold*".into()],
        ..RuleMatch::default()
    };
    govern(&house, vec![only]).await;
    house
}

/// An active key for what is said.
async fn key(house: &TestHouse, uses: CryptographicUsageMask, more: Vec<Attribute>) -> String {
    let mut request = create("", more);
    let given = &mut request.attributes.attributes.0;
    given.retain(|instance| instance.attribute.kind() != AttributeKind::CryptographicUsageMask);
    given.push(Attribute::CryptographicUsageMask(uses).into());
    given.push(Attribute::ActivationDate(DateTime(BEGIN)).into());
    match did(house, request).await {
        ResponsePayload::Create(made) => made.unique_identifier,
        _ => panic!("no key"),
    }
}

async fn did<R: Request>(house: &TestHouse, request: R) -> ResponsePayload {
    let item = house.item(V, request, &house.alice).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    item.payload.unwrap()
}

/// Whether a request is refused because others must agree to it.
async fn waits<R: Request>(house: &TestHouse, request: R) -> bool {
    let item = house.item(V, request, &house.alice).await;
    let message = item.result_message.unwrap_or_default();
    message == "others must agree to this request (rule two-operators)"
}

fn export(key: &str) -> ExportRequest {
    ExportRequest {
        unique_identifier: of(key),
        ..ExportRequest::default()
    }
}

fn wrapped_by(key: &str, wrapping: &str) -> ExportRequest {
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(KeyInformation {
            unique_identifier: wrapping.into(),
            cryptographic_parameters: Some(CryptographicParameters {
                block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
                ..CryptographicParameters::default()
            }),
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    };
    ExportRequest {
        key_wrapping_specification: Some(Box::new(specification)),
        ..export(key)
    }
}

/// The Import of what an Export gives, as an object of this identifier and with these labels beside its own.
async fn import(house: &TestHouse, exported: ExportRequest, name: &str, more: Vec<Attribute>) -> ImportRequest {
    let ResponsePayload::Export(exported) = did(house, exported).await else {
        panic!("not exported");
    };
    let mut attributes = exported.attributes;
    attributes.0.retain(|instance| {
        let kind = instance.attribute.kind();
        kind != AttributeKind::UniqueIdentifier && kind != AttributeKind::ShortUniqueIdentifier
    });
    attributes.0.extend(more.into_iter().map(Into::into));
    ImportRequest {
        unique_identifier: UniqueIdentifier::from(name),
        object_type: Some(exported.object_type),
        replace_existing: Some(true),
        key_wrap_type: None,
        attributes,
        object: exported.object,
    }
}

#[tokio::test]
async fn what_gives_an_object_out_is_governed_as_get() {
    let house = guarded(Operation::Get).await;
    let key = house.create("", vec![gold()]).await;
    let other = house.create("", Vec::new()).await;
    assert!(waits(&house, export(&key)).await);
    let split = |key: &str| split_of(Some(key), SplitKeyMethod::XOR, (2, 2));
    assert!(waits(&house, split(&key)).await);
    // What is not of the group goes as before.
    did(&house, export(&other)).await;
    did(&house, split(&other)).await;
    // Parts that are of the group.
    let mut new = split_of(None, SplitKeyMethod::XOR, (2, 2));
    new.attributes.attributes.0.push(gold().into());
    let parts = parts_of(house.item(V, new, &house.alice).await);
    let get = |key: &str| GetRequest {
        unique_identifier: of(key),
        ..GetRequest::default()
    };
    assert!(waits(&house, get(&parts[0])).await);
    assert!(waits(&house, join_of(ObjectType::SymmetricKey, &parts)).await);
}

#[tokio::test]
async fn what_is_replaced_by_an_import_is_destroyed() {
    let house = guarded(Operation::Destroy).await;
    let key = house.create("", vec![gold()]).await;
    let other = house.create("", Vec::new()).await;
    let over = import(&house, export(&other), &key, vec![gold()]).await;
    assert!(waits(&house, over).await);
    let beside = import(&house, export(&other), "beside", vec![gold()]).await;
    did(&house, beside).await;
}

#[tokio::test]
async fn a_key_that_wraps_and_unwraps_at_an_export_and_an_import_encrypts_and_decrypts() {
    let wraps = CryptographicUsageMask::WrapKey | CryptographicUsageMask::UnwrapKey;
    let house = guarded(Operation::Encrypt).await;
    let wrapping = key(&house, wraps, vec![gold()]).await;
    let other = house.create("", Vec::new()).await;
    assert!(waits(&house, wrapped_by(&other, &wrapping)).await);
    did(&house, export(&other)).await;
    let house = guarded(Operation::Decrypt).await;
    let wrapping = key(&house, wraps, vec![gold()]).await;
    let other = house.create("", Vec::new()).await;
    let mut opened = import(&house, wrapped_by(&other, &wrapping), "opened", Vec::new()).await;
    opened.key_wrap_type = Some(KeyWrapType::NotWrapped);
    assert!(waits(&house, opened.clone()).await);
    opened.key_wrap_type = None;
    did(&house, opened).await;
}

fn rekey(key: &str) -> ReKeyRequest {
    ReKeyRequest {
        unique_identifier: of(key),
        ..ReKeyRequest::default()
    }
}

#[tokio::test]
async fn what_is_replaced_keeps_its_names_unless_those_of_the_rule_agree() {
    // A rule on Get: none of what follows gives anything out.
    let house = guarded_by_name(Operation::Get).await;
    let key = house.create("gold 1", Vec::new()).await;
    let other = house.create("silver", Vec::new()).await;
    assert!(waits(&house, rekey(&key)).await);
    did(&house, rekey(&other)).await;
    let validity = validity();
    let certificate = CertificateAuthority::create(&Subject::named("a"), validity, KeyKind::P256).unwrap();
    let object: ManagedObject = Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: certificate.certificate().to_vec(),
    }
    .into();
    let request = RegisterRequest {
        object_type: ObjectType::Certificate,
        attributes: template(vec![named("gold certificate")]).unwrap(),
        object,
        protection_storage_masks: None,
    };
    let ResponsePayload::Register(certificate) = did(&house, request).await else {
        panic!("not registered");
    };
    let renewal = ReCertifyRequest {
        unique_identifier: of(&certificate.unique_identifier),
        ..ReCertifyRequest::default()
    };
    assert!(waits(&house, renewal).await);
}

fn template(attributes: Vec<Attribute>) -> Option<TemplateAttribute> {
    Some(TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()))
}

#[tokio::test]
async fn a_pair_is_replaced_as_the_rules_for_either_half_want_it() {
    let house = guarded_by_name(Operation::Get).await;
    for (private, public, expected) in [
        ("a", "b", false),
        ("c", "gold public", true),
        ("gold private", "d", true),
    ] {
        let half = |name, usage| template(vec![named(name), Attribute::CryptographicUsageMask(usage)]);
        let request = CreateKeyPairRequest {
            common_attributes: template(vec![
                Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC),
                Attribute::CryptographicLength(256),
            ]),
            private_key_attributes: half(private, CryptographicUsageMask::Sign),
            public_key_attributes: half(public, CryptographicUsageMask::Verify),
            ..CreateKeyPairRequest::default()
        };
        let ResponsePayload::CreateKeyPair(made) = did(&house, request).await else {
            panic!("no pair");
        };
        let request = ReKeyKeyPairRequest {
            private_key_unique_identifier: of(&made.private_key_unique_identifier),
            ..ReKeyKeyPairRequest::default()
        };
        assert_eq!(waits(&house, request).await, expected, "{private}, {public}");
    }
}

#[tokio::test]
async fn an_import_that_replaces_takes_no_label_off() {
    let house = guarded(Operation::Get).await;
    let key = house.create("", vec![gold()]).await;
    let other = house.create("", Vec::new()).await;
    let bare = import(&house, export(&other), &key, Vec::new()).await;
    assert!(waits(&house, bare).await);
    let labelled = import(&house, export(&other), &key, vec![gold()]).await;
    did(&house, labelled).await;
}

/// A rule for some objects does not stop the streams of others: a part that names no key means its stream's.
#[tokio::test]
async fn a_part_that_names_no_key_is_judged_by_its_streams() {
    let house = guarded(Operation::Encrypt).await;
    let encrypts = CryptographicUsageMask::Encrypt;
    let mine = key(&house, encrypts, Vec::new()).await;
    let part = |key: Option<&str>, correlation: Option<Vec<u8>>| EncryptRequest {
        unique_identifier: key.map(UniqueIdentifier::from),
        cryptographic_parameters: correlation.is_none().then(|| CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CTR),
            ..CryptographicParameters::default()
        }),
        data: Some(Secret::copy_from(b"sixteen bytes...").into()),
        iv_counter_nonce: correlation.is_none().then(|| vec![9; 16]),
        init_indicator: correlation.is_none().then_some(true),
        correlation_value: correlation,
        ..EncryptRequest::default()
    };
    let ResponsePayload::Encrypt(begun) = did(&house, part(Some(&mine), None)).await else {
        panic!("not begun");
    };
    let next = part(None, begun.correlation_value.clone());
    let ResponsePayload::Encrypt(_) = did(&house, next).await else {
        panic!("not gone on with");
    };
    let others = key(&house, encrypts, vec![gold()]).await;
    assert!(waits(&house, part(Some(&others), None)).await);
    assert!(waits(&house, part(Some(&others), begun.correlation_value)).await);
}
