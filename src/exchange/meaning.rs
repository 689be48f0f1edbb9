//! Objects that an item does not name: by the ID Placeholder, by place, by the operation that gave them (KMIP 2.1 §6.1, §4.58, §11.58).

use super::splits::{join_of, parts_of, split_of};
use super::testing::{TestHouse, batch, create};
use kmip_protocol::{
    ActivateRequest, Attribute, AttributePattern, AttributePatterns, BatchErrorContinuationOption,
    CreateKeyPairRequest, CryptographicAlgorithm, CryptographicUsageMask, GetAttributesRequest, LocateRequest,
    ObjectType, RequestItem, ResponseItem, ResponsePayload, ResultReason, ResultStatus, SplitKeyMethod,
    TemplateAttribute, UniqueIdentifier, UniqueIdentifierKind as Kind, Version,
};

async fn items(house: &TestHouse, items: Vec<RequestItem>) -> Vec<ResponseItem> {
    let mut message = batch(Version::NEWEST, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
    house.message(&message, &house.alice).await.items
}

fn ask(unique_identifier: Option<UniqueIdentifier>) -> RequestItem {
    RequestItem::new(GetAttributesRequest {
        unique_identifier,
        references: Vec::new(),
    })
}

fn activate(unique_identifier: Option<UniqueIdentifier>) -> RequestItem {
    RequestItem::new(ActivateRequest { unique_identifier })
}

/// What items were about, in order; `None` for one that failed.
fn about(items: &[ResponseItem]) -> Vec<Option<String>> {
    let one = |item: &ResponseItem| match item.payload.as_ref()? {
        ResponsePayload::Create(answer) => Some(answer.unique_identifier.clone()),
        ResponsePayload::GetAttributes(answer) => Some(answer.unique_identifier.clone()),
        ResponsePayload::Activate(answer) => Some(answer.unique_identifier.clone()),
        _ => None,
    };
    items.iter().map(one).collect()
}

fn pair() -> CreateKeyPairRequest {
    let given = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::Ed25519),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Sign),
    ];
    CreateKeyPairRequest {
        common_attributes: Some(TemplateAttribute::from(
            given.into_iter().collect::<kmip_protocol::Attributes>(),
        )),
        ..CreateKeyPairRequest::default()
    }
}

#[tokio::test]
async fn only_what_makes_or_finds_objects_sets_the_placeholder() {
    let house = TestHouse::new().await;
    let other = house.create("other", Vec::new()).await;
    let named = Some(UniqueIdentifier::from(other.as_str()));
    let made = RequestItem::new(create("made", Vec::new()));
    let answers = about(&items(&house, vec![made, ask(named.clone()), activate(None)]).await);
    assert_eq!(answers[1].as_deref(), Some(&*other));
    assert_eq!(
        answers[2], answers[0],
        "an object that was only looked at was activated"
    );
    let answers = items(&house, vec![ask(named), activate(None)]).await;
    assert_eq!(answers[1].result_reason, Some(ResultReason::ObjectNotFound));
}

#[tokio::test]
async fn the_name_of_an_operation_means_what_its_last_item_gave() {
    let house = TestHouse::new().await;
    let by = |kind| ask(Some(UniqueIdentifier::Kind(kind)));
    let answers = items(
        &house,
        vec![
            RequestItem::new(create("first", Vec::new())),
            RequestItem::new(create("second", Vec::new())),
            RequestItem::new(pair()),
            by(Kind::Create),
            by(Kind::CreateKeyPairPrivateKey),
            by(Kind::CreateKeyPairPublicKey),
            by(Kind::Register),
            ask(Some(UniqueIdentifier::Position(0))),
            ask(Some(UniqueIdentifier::Position(-1))),
        ],
    )
    .await;
    let Some(ResponsePayload::CreateKeyPair(made)) = &answers[2].payload else {
        panic!("{:?}", answers[2].result_message);
    };
    let (private, public) = (&made.private_key_unique_identifier, &made.public_key_unique_identifier);
    let named = about(&answers);
    assert_eq!(named[3], named[1]);
    assert_eq!(named[4].as_ref(), Some(private));
    assert_eq!(named[5].as_ref(), Some(public));
    assert_eq!(answers[6].result_reason, Some(ResultReason::ObjectNotFound));
    assert_eq!(named[7], named[0]);
    assert_eq!(named[8], named[7]);
}

#[tokio::test]
async fn an_item_that_means_several_is_carried_out_for_each() {
    let house = TestHouse::new().await;
    let group = Attribute::ObjectGroup("group".into());
    let older = house.create("", vec![group.clone()]).await;
    let newer = house.create("", vec![group.clone()]).await;
    let locate = |group: &Attribute| {
        RequestItem::new(LocateRequest {
            attributes: AttributePatterns(vec![AttributePattern::exactly(group)]),
            ..LocateRequest::default()
        })
    };
    let mut both = activate(Some(UniqueIdentifier::Kind(Kind::Locate)));
    both.unique_batch_item_id = Some(vec![7]);
    let answers = items(&house, vec![locate(&group), both, RequestItem::new(pair())]).await;
    assert_eq!(answers.len(), 4);
    assert_eq!(about(&answers)[1..3], [Some(newer), Some(older)]);
    assert!(answers[1..3].iter().all(|a| a.unique_batch_item_id == Some(vec![7])));
    // A Locate that finds nothing is the last one all the same.
    let none = locate(&Attribute::ObjectGroup("nobody's".into()));
    let by_locate = ask(Some(UniqueIdentifier::Kind(Kind::Locate)));
    let answers = items(&house, vec![locate(&group), none, by_locate]).await;
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[2].result_reason, Some(ResultReason::ObjectNotFound));
}

#[tokio::test]
async fn what_is_carried_out_for_each_is_bounded() {
    let house = TestHouse::new().await;
    let most = house.server.services.limits.batch_items;
    let group = Attribute::ObjectGroup("group".into());
    for _ in 0..3 {
        house.create("", vec![group.clone()]).await;
    }
    let mut all = vec![RequestItem::new(LocateRequest {
        attributes: AttributePatterns(vec![AttributePattern::exactly(&group)]),
        ..LocateRequest::default()
    })];
    all.extend((0..most / 2 + 10).map(|_| ask(Some(UniqueIdentifier::Kind(Kind::Locate)))));
    let answers = items(&house, all).await;
    assert!(answers.len() <= 2 * most, "{}", answers.len());
    let last = answers.last().unwrap();
    assert_eq!(last.result_reason, Some(ResultReason::ServerLimitExceeded));
}

#[tokio::test]
async fn the_parts_of_a_split_are_joined_by_its_name() {
    let house = TestHouse::new().await;
    let mut join = join_of(ObjectType::SymmetricKey, &[]);
    join.unique_identifiers = vec![UniqueIdentifier::Kind(Kind::CreateSplitKey)];
    let split = RequestItem::new(split_of(None, SplitKeyMethod::XOR, (3, 3)));
    let mut answers = items(&house, vec![split, RequestItem::new(join)]).await;
    assert_eq!(answers.len(), 2);
    assert_eq!(
        answers[1].result_status,
        ResultStatus::Success,
        "{:?}",
        answers[1].result_message
    );
    assert_eq!(parts_of(answers.remove(0)).len(), 3);
}
