//! Rules on chosen objects: nobody leaves one by changing the label it goes by, or goes round it by using the object for something else.

use super::assembly::{is, put_policy};
use super::governing::{approve, destroy, govern, newest, rule};
use super::testing::{TestHouse, create, derivation, named};
use crate::failure::Fault;
use kmip_protocol::{
    ActivateRequest, AddAttributeRequest, Attribute, AttributeInstance, AttributeReference, BlockCipherMode,
    Completion, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DeleteAttributeRequest,
    DerivationMethod, DeriveKeyRequest, GetRequest, KeyInformation, KeyWrapType, KeyWrappingSpecification,
    ManagedObject, ModifyAttributeRequest, ObjectType, Operation, Policy, ProposalState, RegisterRequest, Request,
    ResponseItem, ResponsePayload, ResultStatus, Rule, SetAttributeRequest, UniqueIdentifier, Version, WrappingMethod,
};

fn of(identifier: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(identifier))
}

fn group(name: &str) -> Attribute {
    Attribute::ObjectGroup(name.into())
}

fn instance(attribute: Attribute, index: Option<i32>) -> AttributeInstance {
    AttributeInstance { attribute, index }
}

async fn ask<R: Request>(house: &TestHouse, version: Version, request: R) -> ResponseItem {
    house.item(version, request, &house.alice).await
}

/// Whether others must agree, be it that the form of an old version cannot be put to them.
async fn is_governed<R: Request>(house: &TestHouse, version: Version, request: R) -> bool {
    let item = ask(house, version, request).await;
    let governed = is(&item, Fault::ApprovalRequired) || is(&item, Fault::NotProposable);
    assert!(
        governed || item.result_status == ResultStatus::Success,
        "{:?}",
        item.result_message
    );
    item.result_status != ResultStatus::Success
}

/// A rule for destroying objects of the group gold, and one for those named vault-….
fn rules() -> Vec<Rule> {
    let mut gold = rule(Operation::Destroy, Completion::OnQuorum);
    gold.rule_match.object_groups = vec!["gold".into(), "platinum".into()];
    let mut vault = rule(Operation::Destroy, Completion::OnQuorum);
    vault.rule_name = "vault".into();
    vault.rule_match.object_names = vec!["vault-*".into()];
    vec![gold, vault]
}

#[tokio::test]
async fn a_label_that_a_rule_goes_by_is_taken_off_by_those_of_the_rule() {
    let house = TestHouse::new().await;
    govern(&house, rules()).await;
    let (old, new) = (Version::OLDEST, Version::NEWEST);
    let key = house.create("vault-1", vec![group("gold"), group("silver")]).await;
    let modify = |attribute: Attribute, current: Option<Attribute>, index| ModifyAttributeRequest {
        unique_identifier: of(&key),
        attribute: instance(attribute, index),
        current_attribute: current.map(|current| instance(current, None)),
    };
    let delete = |current: Option<Attribute>, reference: Option<AttributeReference>, index| DeleteAttributeRequest {
        unique_identifier: of(&key),
        reference,
        attribute_index: index,
        current_attribute: current.map(|current| instance(current, None)),
    };
    let set = |attribute: Attribute| SetAttributeRequest {
        unique_identifier: of(&key),
        attribute: instance(attribute, None),
    };
    let all_groups = || Some(group("").reference());
    // Whatever takes the object out of a rule.
    assert!(is_governed(&house, new, modify(group("bronze"), Some(group("gold")), None)).await);
    assert!(is_governed(&house, old, modify(group("bronze"), None, Some(0))).await);
    assert!(is_governed(&house, new, delete(Some(group("gold")), None, None)).await);
    assert!(is_governed(&house, new, delete(None, all_groups(), None)).await);
    assert!(is_governed(&house, old, delete(None, all_groups(), Some(0))).await);
    assert!(is_governed(&house, new, set(named("other"))).await);
    assert!(is_governed(&house, new, delete(None, Some(named("").reference()), None)).await);
    // What leaves it within, or makes it stricter, is free.
    assert!(!is_governed(&house, new, modify(group("platinum"), Some(group("gold")), None)).await);
    assert!(!is_governed(&house, new, delete(Some(group("silver")), None, None)).await);
    assert!(!is_governed(&house, new, set(named("vault-2"))).await);
    let free = house.create("other", vec![group("bronze")]).await;
    let add = AddAttributeRequest {
        unique_identifier: of(&free),
        attribute: instance(group("gold"), None),
    };
    assert!(!is_governed(&house, new, add).await);
    // It was what they are about, to the end.
    assert!(is_governed(&house, new, destroy(&key)).await);
    assert!(is_governed(&house, new, destroy(&free)).await);
    // Those of the rule can have it taken off.
    let request = DeleteAttributeRequest {
        unique_identifier: of(&free),
        reference: all_groups(),
        ..DeleteAttributeRequest::default()
    };
    let item = super::asynchronous::submit(&house, new, request, &house.alice).await;
    super::asynchronous::correlation(&item);
    assert_eq!(newest(&house).await.rules[0].rule_name, "two-operators");
    assert_eq!(approve(&house).await, ProposalState::Executed);
    assert!(!is_governed(&house, new, destroy(&free)).await);
}

const MASK: CryptographicUsageMask = CryptographicUsageMask::Encrypt;

/// An active key that may be used for everything.
async fn key(house: &TestHouse) -> String {
    let mut request = create("", Vec::new());
    let mask = MASK
        | CryptographicUsageMask::Decrypt
        | CryptographicUsageMask::WrapKey
        | CryptographicUsageMask::UnwrapKey
        | CryptographicUsageMask::DeriveKey;
    request.attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(mask),
    ]
    .into_iter()
    .collect();
    let Some(ResponsePayload::Create(made)) = ask(house, Version::NEWEST, request).await.payload else {
        panic!("no key")
    };
    let activate = ActivateRequest {
        unique_identifier: of(&made.unique_identifier),
    };
    ask(house, Version::NEWEST, activate).await;
    made.unique_identifier
}

fn wrapped(key: &str, by: &str) -> GetRequest {
    GetRequest {
        unique_identifier: of(key),
        key_wrapping_specification: Some(Box::new(KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier: UniqueIdentifier::from(by),
                cryptographic_parameters: Some(CryptographicParameters {
                    block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
                    ..CryptographicParameters::default()
                }),
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: None,
        })),
        ..GetRequest::default()
    }
}

fn derive(base: &str, derivation_method: DerivationMethod) -> DeriveKeyRequest {
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![UniqueIdentifier::from(base)],
        derivation_method,
        derivation_parameters: derivation(&[1; 16]),
        attributes: [Attribute::CryptographicLength(128)].into_iter().collect(),
    }
}

#[tokio::test]
async fn a_key_is_governed_by_what_it_is_used_as() {
    let house = TestHouse::new().await;
    let (chosen, other) = (key(&house).await, key(&house).await);
    let get = |identifier: &str, key_wrap_type| GetRequest {
        unique_identifier: of(identifier),
        key_wrap_type,
        ..GetRequest::default()
    };
    // Registered as it left: wrapped under the chosen key.
    let item = ask(&house, Version::NEWEST, wrapped(&other, &chosen)).await;
    let Some(ResponsePayload::Get(left)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let object: ManagedObject = left.object;
    let register = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: [Attribute::CryptographicUsageMask(MASK)].into_iter().collect(),
        object,
        protection_storage_masks: None,
    };
    let item = ask(&house, Version::NEWEST, register).await;
    let Some(ResponsePayload::Register(sealed)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let sealed = sealed.unique_identifier;
    govern(&house, Vec::new()).await;
    let of_chosen = |operation| {
        let mut rule = rule(operation, Completion::OnQuorum);
        rule.rule_match.unique_identifiers = vec![chosen.clone()];
        rule
    };
    let open = Some(KeyWrapType::NotWrapped);
    let hmac = DerivationMethod::HMAC;
    // Which of the requests each rule governs: wrapping with the key, having something wrapped with it in clear, deriving from it,
    // wrapping it, getting it.
    for (operation, expected) in [
        (Operation::Encrypt, [true, false, false, false, false]),
        (Operation::Decrypt, [false, true, false, false, false]),
        (Operation::MAC, [false, false, true, false, false]),
        (Operation::DeriveKey, [false, false, true, false, false]),
        (Operation::Get, [false, false, false, true, true]),
    ] {
        let policy = Policy {
            rules: vec![of_chosen(operation)],
            ..Policy::default()
        };
        put_policy(&house, house.tenant, policy).await;
        let told = [
            is_governed(&house, Version::NEWEST, wrapped(&other, &chosen)).await,
            is_governed(&house, Version::NEWEST, get(&sealed, open)).await,
            is_governed(&house, Version::NEWEST, derive(&chosen, hmac)).await,
            is_governed(&house, Version::NEWEST, wrapped(&chosen, &other)).await,
            is_governed(&house, Version::NEWEST, get(&chosen, None)).await,
        ];
        assert_eq!(told, expected, "{operation}");
        // What does not use it is free.
        assert!(!is_governed(&house, Version::NEWEST, get(&sealed, None)).await);
        assert!(!is_governed(&house, Version::NEWEST, wrapped(&other, &other)).await);
    }
}
