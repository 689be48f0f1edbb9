//! Re-key and Re-key Key Pair as clients meet them: what goes over, what is made anew, what is refused for which reason.

use super::governing::{change_client, govern, rule};
use super::lives::{of, told};
use super::testing::{BEGIN, TestHouse, batch, named};
use crate::audit::alarm::Event;
use kmip_protocol::{
    ArchiveRequest, Attribute, AttributeKind, AttributePattern, AttributePatterns, AttributeReference, Attributes,
    BatchErrorContinuationOption, Completion, CreateKeyPairRequest, CreateRequest, CryptographicAlgorithm,
    CryptographicDomainParameters, CryptographicUsageMask, DateTime, DestroyRequest, GetAttributesRequest, GetRequest,
    GetUsageAllocationRequest, Interval, LinkType, LocateRequest, ObjectType, Operation, Operations,
    ReKeyKeyPairRequest, ReKeyRequest, RecommendedCurve, RequestItem, ResponsePayload, ResultReason, ResultStatus,
    State, TemplateAttribute, UniqueIdentifier, UsageLimits, UsageLimitsUnit, Version,
};

async fn attributes(house: &TestHouse, key: &str) -> Attributes {
    let request = GetAttributesRequest {
        unique_identifier: of(key),
        references: Vec::new(),
    };
    match told(house, Version::NEWEST, request).await {
        Ok(ResponsePayload::GetAttributes(got)) => got.attributes,
        _ => panic!("no attributes"),
    }
}

fn one(attributes: &Attributes, kind: AttributeKind) -> Attribute {
    attributes.first(kind).cloned().unwrap_or_else(|| panic!("no {kind:?}"))
}

fn names(attributes: &Attributes) -> Vec<String> {
    let names = attributes.0.iter().filter_map(|instance| match &instance.attribute {
        Attribute::Name(name) => Some(name.name_value.clone()),
        _ => None,
    });
    names.collect()
}

fn links(attributes: &Attributes) -> Vec<(LinkType, UniqueIdentifier)> {
    let links = attributes.0.iter().filter_map(|instance| match &instance.attribute {
        Attribute::Link(link) => Some((link.link_type, link.linked_object_identifier.clone())),
        _ => None,
    });
    links.collect()
}

fn template(attributes: Vec<Attribute>) -> Option<TemplateAttribute> {
    Some(TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()))
}

fn rekey(key: &str) -> ReKeyRequest {
    ReKeyRequest {
        unique_identifier: of(key),
        ..ReKeyRequest::default()
    }
}

async fn replaced(house: &TestHouse, version: Version, request: ReKeyRequest) -> Result<String, ResultReason> {
    told(house, version, request).await.map(|payload| match payload {
        ResponsePayload::ReKey(made) => made.unique_identifier,
        _ => panic!("another answer"),
    })
}

async fn material(house: &TestHouse, key: &str) -> ResponsePayload {
    let get = GetRequest {
        unique_identifier: of(key),
        ..GetRequest::default()
    };
    told(house, Version::NEWEST, get).await.unwrap()
}

async fn located(house: &TestHouse, name: &str) -> Vec<String> {
    let request = LocateRequest {
        attributes: AttributePatterns(vec![AttributePattern::exactly(&named(name))]),
        ..LocateRequest::default()
    };
    match told(house, Version::NEWEST, request).await {
        Ok(ResponsePayload::Locate(found)) => found.unique_identifiers,
        _ => panic!("not located"),
    }
}

fn full() -> Vec<Attribute> {
    vec![
        named("second"),
        Attribute::ObjectGroup("tapes".into()),
        Attribute::ContactInformation("us".into()),
        Attribute::Sensitive(false),
        Attribute::ActivationDate(DateTime(BEGIN)),
        Attribute::ProtectStopDate(DateTime(BEGIN + 500)),
        Attribute::DeactivationDate(DateTime(BEGIN + 1_000)),
        Attribute::UsageLimits(UsageLimits {
            usage_limits_total: Some(100),
            usage_limits_count: None,
            usage_limits_unit: Some(UsageLimitsUnit::Byte),
        }),
    ]
}

#[tokio::test]
async fn a_replacement_has_what_the_tables_say() {
    let house = TestHouse::new().await;
    let old = house.create("first", full()).await;
    let take = GetUsageAllocationRequest {
        unique_identifier: of(&old),
        usage_limits_count: 60,
    };
    assert!(told(&house, Version::NEWEST, take).await.is_ok());
    let before = attributes(&house, &old).await;
    house.clock.advance(100);
    let request = ReKeyRequest {
        offset: Some(Interval(40)),
        attributes: template(vec![named("third"), Attribute::ContactInformation("them".into())]),
        ..rekey(&old)
    };
    let new = replaced(&house, Version::NEWEST, request).await.unwrap();
    let (was, is) = (attributes(&house, &old).await, attributes(&house, &new).await);
    assert!(names(&was).is_empty());
    assert_eq!(names(&is), ["first", "second", "third"]);
    assert_eq!(located(&house, "first").await, [&new[..]]);
    assert!(links(&was) == [(LinkType::ReplacementObjectLink, UniqueIdentifier::from(&new[..]))]);
    assert!(links(&is) == [(LinkType::ReplacedObjectLink, UniqueIdentifier::from(&old[..]))]);
    let now = DateTime(BEGIN + 100);
    let expected = [
        Attribute::ObjectGroup("tapes".into()),
        Attribute::ContactInformation("them".into()),
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::InitialDate(now),
        Attribute::OriginalCreationDate(now),
        Attribute::LastChangeDate(now),
        Attribute::ActivationDate(DateTime(BEGIN + 140)),
        Attribute::ProtectStopDate(DateTime(BEGIN + 640)),
        Attribute::DeactivationDate(DateTime(BEGIN + 1_140)),
        Attribute::State(State::PreActive),
        Attribute::RotateGeneration(1),
        Attribute::RotateLatest(true),
    ];
    for attribute in expected {
        assert!(one(&is, attribute.kind()) == attribute, "{:?}", attribute.kind());
    }
    let left = |attributes: &Attributes| match one(attributes, AttributeKind::UsageLimits) {
        Attribute::UsageLimits(limits) => (limits.usage_limits_total, limits.usage_limits_count),
        _ => panic!("no limits"),
    };
    assert_eq!((left(&was), left(&is)), ((Some(100), Some(40)), (Some(100), Some(100))));
    assert!(is.first(AttributeKind::RotateDate).is_none());
    assert!(one(&was, AttributeKind::RotateDate) == Attribute::RotateDate(now));
    assert!(one(&was, AttributeKind::RotateLatest) == Attribute::RotateLatest(false));
    assert!(one(&was, AttributeKind::LastChangeDate) == Attribute::LastChangeDate(now));
    for kind in [AttributeKind::Digest, AttributeKind::ShortUniqueIdentifier] {
        assert!(one(&was, kind) == one(&before, kind) && one(&was, kind) != one(&is, kind));
    }
    assert!(one(&is, AttributeKind::RandomNumberGenerator) == one(&was, AttributeKind::RandomNumberGenerator));
    assert!(material(&house, &old).await != material(&house, &new).await);
    // Once more: generations count on.
    let third = replaced(&house, Version::OLDEST, rekey(&new)).await.unwrap();
    let third = attributes(&house, &third).await;
    assert!(one(&third, AttributeKind::RotateGeneration) == Attribute::RotateGeneration(2));
    assert!(one(&third, AttributeKind::ActivationDate) == Attribute::ActivationDate(DateTime(BEGIN + 140)));
}

#[tokio::test]
async fn the_new_key_is_what_the_batch_goes_on_with_and_undo_gives_the_name_back() {
    let house = TestHouse::new().await;
    let old = house.create("mine", Vec::new()).await;
    let items = |last: RequestItem| {
        let mut message = batch(Version::NEWEST, vec![RequestItem::new(rekey(&old)), last]);
        message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
        message
    };
    let unknown = RequestItem::new(GetRequest {
        unique_identifier: of("nothing"),
        ..GetRequest::default()
    });
    let undone = house.message(&items(unknown), &house.alice).await.items;
    assert_eq!(undone[0].result_status, ResultStatus::OperationUndone);
    assert_eq!(located(&house, "mine").await, [&old[..]]);
    let mut done = house
        .message(&items(RequestItem::new(GetRequest::default())), &house.alice)
        .await
        .items;
    let (got, made) = (done.pop().unwrap().payload, done.pop().unwrap().payload);
    let (Some(ResponsePayload::ReKey(made)), Some(ResponsePayload::Get(got))) = (made, got) else {
        panic!("not carried out");
    };
    assert_eq!(made.unique_identifier, got.unique_identifier);
    assert_eq!(located(&house, "mine").await, [got.unique_identifier]);
}

#[tokio::test]
async fn what_cannot_be_replaced_is_refused_for_the_right_reason() {
    for version in [Version::OLDEST, Version::NEWEST] {
        let house = TestHouse::new().await;
        let newer = version == Version::NEWEST;
        let pick = |new, old| Some(if newer { new } else { old });
        let secret = CreateRequest {
            object_type: ObjectType::SecretData,
            attributes: template(vec![
                Attribute::CryptographicLength(128),
                Attribute::CryptographicUsageMask(CryptographicUsageMask::NONE),
            ])
            .unwrap(),
            protection_storage_masks: None,
        };
        let Ok(ResponsePayload::Create(secret)) = told(&house, Version::NEWEST, secret).await else {
            panic!("no secret");
        };
        let refused = replaced(&house, version, rekey(&secret.unique_identifier)).await.err();
        assert_eq!(
            refused,
            pick(ResultReason::InvalidObjectType, ResultReason::PermissionDenied)
        );
        let pair = ReKeyKeyPairRequest {
            private_key_unique_identifier: of(&secret.unique_identifier),
            ..ReKeyKeyPairRequest::default()
        };
        let refused = told(&house, Version::NEWEST, pair).await.err();
        assert_eq!(refused, Some(ResultReason::InvalidObjectType));
        let old = house
            .create("a", vec![Attribute::DeactivationDate(DateTime(BEGIN + 9))])
            .await;
        let offset = || ReKeyRequest {
            offset: Some(Interval(0)),
            ..rekey(&old)
        };
        let refused = replaced(&house, version, offset()).await.err();
        assert_eq!(
            refused,
            pick(ResultReason::InvalidField, ResultReason::IllegalOperation)
        );
        let both = ReKeyRequest {
            attributes: template(vec![Attribute::ActivationDate(DateTime(BEGIN))]),
            ..offset()
        };
        assert_eq!(
            replaced(&house, version, both).await.err(),
            Some(ResultReason::InvalidMessage)
        );
        let servers = ReKeyRequest {
            attributes: template(vec![Attribute::InitialDate(DateTime(BEGIN))]),
            ..rekey(&old)
        };
        let refused = replaced(&house, version, servers).await.err();
        assert_eq!(
            refused,
            pick(ResultReason::AttributeReadOnly, ResultReason::InvalidField)
        );
        // All that was refused changed nothing.
        assert_eq!(located(&house, "a").await, [&old[..]]);
        let archive = ArchiveRequest {
            unique_identifier: of(&old),
        };
        assert!(told(&house, version, archive).await.is_ok());
        assert_eq!(
            replaced(&house, version, rekey(&old)).await.err(),
            Some(ResultReason::ObjectArchived)
        );
        let destroy = DestroyRequest {
            unique_identifier: of(&old),
        };
        assert!(told(&house, Version::NEWEST, destroy).await.is_ok());
        let gone = ResultReason::ObjectDestroyed.for_version(version);
        assert_eq!(replaced(&house, version, rekey(&old)).await.err(), Some(gone));
        let unknown = ResultReason::ObjectNotFound.for_version(version);
        assert_eq!(replaced(&house, version, rekey("nothing")).await.err(), Some(unknown));
    }
}

fn pair(name: &str) -> CreateKeyPairRequest {
    CreateKeyPairRequest {
        common_attributes: template(vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC),
            Attribute::CryptographicDomainParameters(CryptographicDomainParameters {
                qlength: None,
                recommended_curve: Some(RecommendedCurve::P_384),
            }),
            Attribute::ActivationDate(DateTime(BEGIN)),
            Attribute::DeactivationDate(DateTime(BEGIN + 50)),
        ]),
        private_key_attributes: template(vec![
            named(&format!("{name} private")),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Sign),
        ]),
        public_key_attributes: template(vec![
            named(&format!("{name} public")),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Verify),
        ]),
        ..CreateKeyPairRequest::default()
    }
}

#[tokio::test]
async fn both_halves_of_a_pair_are_replaced() {
    let house = TestHouse::new().await;
    let Ok(ResponsePayload::CreateKeyPair(old)) = told(&house, Version::NEWEST, pair("mine")).await else {
        panic!("no pair");
    };
    house.clock.advance(10);
    let request = ReKeyKeyPairRequest {
        private_key_unique_identifier: of(&old.private_key_unique_identifier),
        offset: Some(Interval(5)),
        private_key_attributes: template(vec![named("more")]),
        ..ReKeyKeyPairRequest::default()
    };
    let Ok(ResponsePayload::ReKeyKeyPair(new)) = told(&house, Version::NEWEST, request).await else {
        panic!("not replaced");
    };
    let halves = [
        (
            &old.private_key_unique_identifier,
            &new.private_key_unique_identifier,
            LinkType::PublicKeyLink,
        ),
        (
            &old.public_key_unique_identifier,
            &new.public_key_unique_identifier,
            LinkType::PrivateKeyLink,
        ),
    ];
    let others = [&new.public_key_unique_identifier, &new.private_key_unique_identifier];
    for ((was, is, across), other) in halves.into_iter().zip(others) {
        let (before, after) = (attributes(&house, was).await, attributes(&house, is).await);
        assert!(names(&before).is_empty());
        let id = |text: &str| UniqueIdentifier::from(text);
        assert!(links(&after) == [(across, id(other)), (LinkType::ReplacedObjectLink, id(was))]);
        assert!(links(&before).contains(&(LinkType::ReplacementObjectLink, id(is))));
        for date in [
            Attribute::ActivationDate(DateTime(BEGIN + 15)),
            Attribute::DeactivationDate(DateTime(BEGIN + 65)),
            Attribute::CryptographicLength(384),
        ] {
            assert!(one(&after, date.kind()) == date);
        }
        assert!(one(&before, AttributeKind::Digest) != one(&after, AttributeKind::Digest));
    }
    let reference = AttributeReference::Known(AttributeKind::Name);
    let request = GetAttributesRequest {
        unique_identifier: of(&new.private_key_unique_identifier),
        references: vec![reference],
    };
    let Ok(ResponsePayload::GetAttributes(got)) = told(&house, Version::NEWEST, request).await else {
        panic!("no names");
    };
    assert_eq!(names(&got.attributes), ["mine private", "more"]);
}

/// A format goes with a key and its curve: the replacement has its own.
#[tokio::test]
async fn another_curve_is_had_in_its_own_format() {
    let house = TestHouse::new().await;
    let Ok(ResponsePayload::CreateKeyPair(old)) = told(&house, Version::NEWEST, pair("mine")).await else {
        panic!("no pair");
    };
    let request = ReKeyKeyPairRequest {
        private_key_unique_identifier: of(&old.private_key_unique_identifier),
        common_attributes: template(vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::ECDSA),
            Attribute::CryptographicLength(256),
            Attribute::CryptographicDomainParameters(CryptographicDomainParameters {
                qlength: None,
                recommended_curve: Some(RecommendedCurve::CURVE25519),
            }),
        ]),
        ..ReKeyKeyPairRequest::default()
    };
    let new = match told(&house, Version::NEWEST, request).await {
        Ok(ResponsePayload::ReKeyKeyPair(new)) => new,
        Ok(_) => panic!("another answer"),
        Err(reason) => panic!("not replaced: {reason}"),
    };
    for (was, is) in [
        (old.private_key_unique_identifier, new.private_key_unique_identifier),
        (old.public_key_unique_identifier, new.public_key_unique_identifier),
    ] {
        let kind = AttributeKind::KeyFormatType;
        assert!(one(&attributes(&house, &was).await, kind) != one(&attributes(&house, &is).await, kind));
    }
}

fn rotating(seconds: u32) -> Vec<Attribute> {
    vec![
        Attribute::ActivationDate(DateTime(BEGIN)),
        Attribute::RotateAutomatic(true),
        Attribute::RotateInterval(Interval(seconds)),
        Attribute::RotateOffset(Interval(0)),
    ]
}

/// Who has the Name, and the generation of that key.
async fn bearer(house: &TestHouse, name: &str) -> (String, Option<i32>) {
    let key = located(house, name).await.remove(0);
    let generation = match attributes(house, &key).await.first(AttributeKind::RotateGeneration) {
        Some(Attribute::RotateGeneration(count)) => Some(*count),
        _ => None,
    };
    (key, generation)
}

#[tokio::test]
async fn the_server_replaces_keys_by_itself_when_their_interval_is_over() {
    let mut house = TestHouse::new().await;
    let old = house.create("turning", rotating(1_000)).await;
    let still = house
        .create("still", vec![Attribute::RotateInterval(Interval(1_000))])
        .await;
    house.server.tend().await;
    house.clock.advance(990);
    house.server.tend().await;
    assert_eq!(bearer(&house, "turning").await, (old.clone(), None));
    house.clock.advance(100);
    house.server.tend().await;
    let (first, generation) = bearer(&house, "turning").await;
    assert_eq!((first == old, generation), (false, Some(1)));
    let activation = Attribute::ActivationDate(DateTime(BEGIN + 1_090));
    assert!(one(&attributes(&house, &first).await, AttributeKind::ActivationDate) == activation);
    // Over a restart, and only the latest of them.
    house.clock.advance(1_000);
    house.server = super::restarts::restarted(&house).await;
    house.server.tend().await;
    assert_eq!(bearer(&house, "turning").await.1, Some(2));
    house.server.tend().await;
    assert_eq!(bearer(&house, "turning").await.1, Some(2));
    assert_eq!(bearer(&house, "still").await, (still, None));
}

#[tokio::test]
async fn a_key_that_is_gone_is_not_replaced() {
    let house = TestHouse::new().await;
    let mut more = rotating(100);
    more.remove(0);
    let key = house.create("going", more).await;
    let destroy = DestroyRequest {
        unique_identifier: of(&key),
    };
    assert!(told(&house, Version::NEWEST, destroy).await.is_ok());
    house.clock.advance(500);
    house.server.tend().await;
    assert!(located(&house, "going").await.is_empty());
}

/// A house with a key that is due, and whose client may not replace it.
pub(super) async fn unrotated() -> TestHouse {
    let house = TestHouse::new().await;
    house.create("turning", rotating(100)).await;
    let listed = Operations {
        operations: vec![Operation::Create, Operation::Locate, Operation::GetAttributes],
    };
    change_client(&house, |client| client.settings.operations = Some(listed)).await;
    house.clock.advance(200);
    house.server.tend().await;
    house
}

async fn refusals(house: &TestHouse) -> usize {
    let alarms = house.alarms().await;
    alarms.iter().filter(|event| **event == Event::RotationRefused).count()
}

#[tokio::test]
async fn the_server_replaces_nothing_that_its_owner_may_not() {
    let house = unrotated().await;
    assert_eq!(bearer(&house, "turning").await.1, None);
    assert_eq!(refusals(&house).await, 1);
    // Told once, tried again.
    house.clock.advance(200);
    house.server.tend().await;
    assert_eq!(refusals(&house).await, 1);
    change_client(&house, |client| client.settings.operations = None).await;
    house.clock.advance(200);
    house.server.tend().await;
    assert_eq!(bearer(&house, "turning").await.1, Some(1));
}

#[tokio::test]
async fn the_server_replaces_nothing_that_others_must_agree_to() {
    let house = TestHouse::new().await;
    let mut gold = rule(Operation::ReKey, Completion::OnQuorum);
    gold.rule_match.object_groups = vec!["gold".into()];
    govern(&house, vec![gold]).await;
    let mut more = rotating(100);
    house.create("free", more.clone()).await;
    more.push(Attribute::ObjectGroup("gold".into()));
    house.create("governed", more).await;
    house.clock.advance(200);
    house.server.tend().await;
    assert_eq!(bearer(&house, "governed").await.1, None);
    assert_eq!(bearer(&house, "free").await.1, Some(1));
    assert_eq!(refusals(&house).await, 1);
}

/// Newer keys come first: so many that cannot be replaced keep an older one waiting for one round, not for ever.
#[tokio::test]
async fn keys_that_cannot_be_replaced_keep_no_others_waiting() {
    let house = TestHouse::new().await;
    let mut gold = rule(Operation::ReKey, Completion::OnQuorum);
    gold.rule_match.object_groups = vec!["gold".into()];
    govern(&house, vec![gold]).await;
    house.create("older", rotating(100)).await;
    for _ in 0..64 {
        let mut more = rotating(50);
        more.push(Attribute::ObjectGroup("gold".into()));
        house.create("", more).await;
    }
    house.create("newer", rotating(200)).await;
    house.clock.advance(300);
    for _ in 0..3 {
        house.server.tend().await;
        house.clock.advance(2);
    }
    assert_eq!(bearer(&house, "older").await.1, Some(1));
    assert_eq!(bearer(&house, "newer").await.1, Some(1));
}

#[tokio::test]
async fn a_key_has_one_replacement_at_a_time() {
    let house = TestHouse::new().await;
    let old = house.create("", Vec::new()).await;
    let first = replaced(&house, Version::NEWEST, rekey(&old)).await.unwrap();
    let second = replaced(&house, Version::NEWEST, rekey(&old)).await.unwrap();
    let to = |key: &str| UniqueIdentifier::from(key);
    assert!(links(&attributes(&house, &old).await) == [(LinkType::ReplacementObjectLink, to(&second))]);
    for (key, latest) in [(&old, false), (&first, false), (&second, true)] {
        let attributes = attributes(&house, key).await;
        assert!(one(&attributes, AttributeKind::RotateLatest) == Attribute::RotateLatest(latest));
    }
    // Of a pair each half.
    let Ok(ResponsePayload::CreateKeyPair(old)) = told(&house, Version::NEWEST, pair("mine")).await else {
        panic!("no pair");
    };
    let request = || ReKeyKeyPairRequest {
        private_key_unique_identifier: of(&old.private_key_unique_identifier),
        ..ReKeyKeyPairRequest::default()
    };
    assert!(told(&house, Version::NEWEST, request()).await.is_ok());
    let Ok(ResponsePayload::ReKeyKeyPair(new)) = told(&house, Version::NEWEST, request()).await else {
        panic!("not replaced");
    };
    for (was, is) in [
        (&old.private_key_unique_identifier, &new.private_key_unique_identifier),
        (&old.public_key_unique_identifier, &new.public_key_unique_identifier),
    ] {
        let mut ends = links(&attributes(&house, was).await);
        ends.retain(|(link_type, _)| *link_type == LinkType::ReplacementObjectLink);
        assert!(ends == [(LinkType::ReplacementObjectLink, to(is))]);
    }
}
