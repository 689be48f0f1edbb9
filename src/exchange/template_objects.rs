//! Template objects of 1.x, and what of them later versions and others see.

use super::testing::TestHouse;
use kmip_protocol::{
    Attribute, AttributeKind, AttributePattern, AttributePatterns, CreateRequest, CryptographicAlgorithm,
    CryptographicUsageMask, GetRequest, LocateRequest, Name, NameType, ObjectType, RegisterRequest, Request,
    ResponseItem, ResponsePayload, ResultReason, Template, TemplateAttribute, UniqueIdentifier, Version,
};

/// The newest version that has templates.
fn with_templates() -> Version {
    let mut versions = Version::ALL.into_iter().rev();
    versions.find(|v| ObjectType::Template.is_known_in(*v)).unwrap()
}

fn name(value: &str) -> Name {
    Name {
        name_value: value.into(),
        name_type: NameType::UninterpretedTextString,
    }
}

fn template(title: &str, held: Vec<Attribute>) -> RegisterRequest {
    RegisterRequest {
        object_type: ObjectType::Template,
        attributes: [Attribute::Name(name(title))].into_iter().collect(),
        object: Template {
            attributes: held.into_iter().collect(),
        }
        .into(),
        protection_storage_masks: None,
    }
}

fn by(templates: &[&str]) -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: TemplateAttribute {
            templates: templates.iter().map(|one| name(one)).collect(),
            ..TemplateAttribute::default()
        },
        protection_storage_masks: None,
    }
}

fn aes(length: i32) -> Vec<Attribute> {
    vec![
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(length),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]
}

async fn alice<R: Request>(house: &TestHouse, request: R) -> ResponseItem {
    house.item(with_templates(), request, &house.alice).await
}

fn registered(item: &ResponseItem) -> UniqueIdentifier {
    match &item.payload {
        Some(ResponsePayload::Register(made)) => UniqueIdentifier::Text(made.unique_identifier.clone()),
        _ => panic!("not registered: {:?} {:?}", item.result_reason, item.result_message),
    }
}

fn located(item: &ResponseItem) -> usize {
    match &item.payload {
        Some(ResponsePayload::Locate(found)) => found.unique_identifiers.len(),
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn a_template_is_there_for_those_whose_version_has_templates() {
    let house = TestHouse::new().await;
    let made = registered(&alice(&house, template("t", aes(128))).await);
    let get = || GetRequest {
        unique_identifier: Some(made.clone()),
        ..GetRequest::default()
    };
    let pattern = AttributePattern::exactly(&Attribute::Name(name("t")));
    let locate = || LocateRequest {
        attributes: AttributePatterns(vec![pattern.clone()]),
        ..LocateRequest::default()
    };
    for version in Version::ALL {
        let known = ObjectType::Template.is_known_in(version);
        let got = house.item(version, get(), &house.alice).await;
        assert_eq!(got.payload.is_some(), known, "{version}");
        let found = house.item(version, locate(), &house.alice).await;
        assert_eq!(located(&found), usize::from(known), "{version}");
    }
}

#[tokio::test]
async fn another_tenants_template_does_not_exist() {
    let house = TestHouse::new().await;
    registered(&alice(&house, template("t", aes(128))).await);
    let version = with_templates();
    let unknown = house.item(version, by(&["nobody's"]), &house.bob).await;
    let foreign = house.item(version, by(&["t"]), &house.bob).await;
    assert_eq!(foreign.result_reason, Some(ResultReason::ItemNotFound));
    assert_eq!(foreign.result_message, unknown.result_message);
    registered(&house.item(version, template("t", aes(128)), &house.bob).await);
    assert!(house.item(version, by(&["t"]), &house.bob).await.payload.is_some());
}

#[tokio::test]
async fn a_key_of_the_name_is_no_template() {
    let house = TestHouse::new().await;
    house.create("k", Vec::new()).await;
    let refused = alice(&house, by(&["k"])).await.result_reason;
    assert_eq!(refused, Some(ResultReason::ItemNotFound));
    // Nor can a template take a Name that is taken, although other objects can in its version.
    let refused = alice(&house, template("k", aes(128))).await.result_reason;
    assert_eq!(refused, Some(ResultReason::InvalidField));
}

#[tokio::test]
async fn so_many_templates_are_named_and_no_more() {
    let house = TestHouse::new().await;
    registered(&alice(&house, template("t", aes(128))).await);
    assert!(alice(&house, by(&["t"; 16])).await.payload.is_some());
    let refused = alice(&house, by(&["t"; 17])).await.result_reason;
    assert_eq!(refused, Some(ResultReason::GeneralFailure));
}

#[tokio::test]
async fn what_a_template_gives_is_judged_by_the_object_that_gets_it() {
    let house = TestHouse::new().await;
    let mut held = aes(128);
    held.push(Attribute::CryptographicDomainParameters(Default::default()));
    registered(&alice(&house, template("pairs", held)).await);
    let refused = alice(&house, by(&["pairs"])).await.result_reason;
    assert_eq!(refused, Some(ResultReason::InvalidField));
    let unknown = Attribute::CertificateLength(1);
    let refused = alice(&house, template("of the server", vec![unknown])).await;
    assert_eq!(refused.result_reason, Some(ResultReason::InvalidField));
    assert!(!AttributeKind::CertificateLength.rules().set_by.client());
}
