//! What the server sets by itself, by the column "When implicitly set": over every operation that makes an object.

use super::error_tables::things::{authority, by_authority, certify, id, one, subject};
use super::samples;
use super::testing::{TestHouse, create, derivation};
use kmip_protocol::{
    Attribute, AttributeKind, Attributes, CreateKeyPairRequest, CreateSplitKeyRequest, CryptographicAlgorithm,
    CryptographicUsageMask, DerivationMethod, DeriveKeyRequest, GetAttributesRequest, ImportRequest,
    JoinSplitKeyRequest, LinkType, ObjectType, Operation, ReKeyKeyPairRequest, ReKeyRequest, Request, ResponsePayload,
    SplitKeyMethod, TemplateAttribute, UniqueIdentifier, Version,
};

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

async fn ask<R: Request>(house: &TestHouse, request: R) -> ResponsePayload {
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    item.payload
        .unwrap_or_else(|| panic!("{:?} {:?}", item.result_reason, item.result_message))
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
        made.private_key_unique_identifier.clone(),
    );
    let private = made.private_key_unique_identifier;
    note(
        Operation::CreateKeyPair,
        ObjectType::PublicKey,
        made.public_key_unique_identifier,
    );
    let issuer = authority(house).await;
    let (public, request) = subject(house).await;
    let certified = one(house, Operation::Certify, |w| certify(w, &public, &request, &issuer));
    let certified = certified.await;
    note(Operation::Certify, ObjectType::Certificate, certified.clone());
    let again = one(house, Operation::ReCertify, |w| {
        id(w, &certified);
        by_authority(w, &issuer);
    });
    note(Operation::ReCertify, ObjectType::Certificate, again.await);
    // A template has neither state nor value.
    for object_type in samples::TYPES.into_iter().filter(|one| *one != ObjectType::Template) {
        let made = samples::registered(house, object_type, Vec::new()).await;
        note(Operation::Register, object_type, made);
        let request = ImportRequest {
            unique_identifier: UniqueIdentifier::Text(format!("imported {object_type}")),
            object_type: Some(object_type),
            replace_existing: None,
            key_wrap_type: None,
            attributes: Attributes::default(),
            object: samples::object(house, object_type),
        };
        let ResponsePayload::Import(made) = ask(house, request).await else {
            panic!()
        };
        note(Operation::Import, object_type, made.unique_identifier);
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
    note(
        Operation::DeriveKey,
        ObjectType::SymmetricKey,
        made.unique_identifier.clone(),
    );
    let derived = made.unique_identifier;
    let again = ReKeyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(derived.clone())),
        ..ReKeyRequest::default()
    };
    let ResponsePayload::ReKey(made) = ask(house, again).await else {
        panic!()
    };
    note(Operation::ReKey, ObjectType::SymmetricKey, made.unique_identifier);
    let again = ReKeyKeyPairRequest {
        private_key_unique_identifier: Some(UniqueIdentifier::Text(private)),
        ..ReKeyKeyPairRequest::default()
    };
    let ResponsePayload::ReKeyKeyPair(made) = ask(house, again).await else {
        panic!()
    };
    let (private, public) = (made.private_key_unique_identifier, made.public_key_unique_identifier);
    note(Operation::ReKeyKeyPair, ObjectType::PrivateKey, private);
    note(Operation::ReKeyKeyPair, ObjectType::PublicKey, public);
    let split = CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: Some(UniqueIdentifier::Text(derived)),
        split_key_parts: 2,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::XOR,
        prime_field_size: None,
        attributes: TemplateAttribute::default(),
        protection_storage_masks: None,
    };
    let ResponsePayload::CreateSplitKey(made) = ask(house, split).await else {
        panic!()
    };
    for part in &made.unique_identifiers {
        note(Operation::CreateSplitKey, ObjectType::SplitKey, part.clone());
    }
    let join = JoinSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: made
            .unique_identifiers
            .into_iter()
            .map(UniqueIdentifier::Text)
            .collect(),
        secret_data_type: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let ResponsePayload::JoinSplitKey(made) = ask(house, join).await else {
        panic!()
    };
    note(
        Operation::JoinSplitKey,
        ObjectType::SymmetricKey,
        made.unique_identifier,
    );
    all
}

/// Operations that make objects and that the tables of attributes do not name.
const IN_NO_ROW: [Operation; 3] = [Operation::CreateSplitKey, Operation::JoinSplitKey, Operation::Import];

/// What an object does not have although its row says that there always is a value: there is none to be had (KMIP 2.1 §4.13, §4.15:
/// "required for … keys"; §4.17).
fn cannot_have(object_type: ObjectType, kind: AttributeKind) -> bool {
    // A request that is none and a PGP key that is none tell nothing of themselves either.
    let has_no_length = matches!(object_type, ObjectType::OpaqueObject | ObjectType::CertificateRequest);
    match kind {
        AttributeKind::DigitalSignatureAlgorithm => object_type == ObjectType::PGPKey,
        AttributeKind::CryptographicAlgorithm => has_no_length || object_type == ObjectType::SecretData,
        AttributeKind::CryptographicLength => has_no_length,
        AttributeKind::CryptographicUsageMask => object_type == ObjectType::OpaqueObject,
        _ => false,
    }
}

#[tokio::test]
async fn what_always_has_a_value_has_one_from_the_beginning() {
    let house = TestHouse::new().await;
    let mut count = 0;
    let mut wrong = Vec::new();
    for made in all(&house).await {
        let Made {
            by,
            object_type,
            unique_identifier,
        } = made;
        for version in Version::ALL
            .into_iter()
            .filter(|version| object_type.is_known_in(*version))
        {
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
                if got.attributes.first(kind).is_some() == cannot_have(object_type, kind) {
                    wrong.push(place);
                }
                count += 1;
            }
            // Set by the operation, although there need not be a value.
            let is_brought = matches!(by, Operation::Register | Operation::Import | Operation::JoinSplitKey);
            let is_issued = matches!(by, Operation::Certify | Operation::ReCertify);
            let knows_link = by != Operation::CreateSplitKey || LinkType::NextLink.is_known_in(version);
            let more = [
                (AttributeKind::LeaseTime, object_type != ObjectType::OpaqueObject),
                (AttributeKind::RandomNumberGenerator, !is_brought && !is_issued),
                (AttributeKind::OriginalCreationDate, !is_brought),
                (
                    AttributeKind::Link,
                    !is_brought && by != Operation::Create && knows_link,
                ),
                (AttributeKind::OperationPolicyName, true),
            ];
            for (kind, expected) in more
                .into_iter()
                .filter(|(kind, _)| kind.rules().versions.include(version))
            {
                let place = format!("{kind:?} of {object_type} by {by} in {version}");
                // A certificate that is issued is generated by the server too (KMIP 2.1 §4.38), though its row does not name what issues.
                let is_issuing = is_issued && kind == AttributeKind::OriginalCreationDate;
                let by_row = kind == AttributeKind::LeaseTime || is_issuing || kind.rules().implicitly_by.contains(&by);
                if expected && !by_row && !IN_NO_ROW.contains(&by) {
                    wrong.push(format!("{place}: not by its row"));
                }
                if got.attributes.first(kind).is_some() != expected {
                    wrong.push(place);
                }
            }
            let own: Vec<AttributeKind> = got.attributes.iter().map(Attribute::kind).collect();
            let known = own.iter().all(|kind| kind.rules().versions.include(version));
            assert!(known, "{own:?} in {version}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 1_500, "{count}");
}
