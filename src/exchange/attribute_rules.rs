//! The columns of the attribute tables, told by the server: every attribute, added, modified, set, adjusted and deleted by a client, on
//! objects of several types, in both spellings.

use super::samples::{self, registered};
use super::testing::TestHouse;
use kmip_protocol::{
    AddAttributeRequest, AdjustAttributeRequest, AdjustmentType, Amount, AnyItem, AnyValue, Attribute, AttributeKind,
    AttributeReference, DateTime, DeleteAttributeRequest, DestroyRequest, GetAttributesRequest, Interval,
    ModifyAttributeRequest, ObjectType, Operation, Request, ResponseItem, ResponsePayload, ResultReason,
    RevocationReason, RevocationReasonCode, RevokeRequest, SetAttributeRequest, State, UniqueIdentifier, Version, tag,
};

/// Some value of an attribute; none that its own type could not have.
fn value(kind: AttributeKind) -> Attribute {
    let item = |tag, value| AnyItem { tag, value };
    let text = |tag| item(tag, AnyValue::TextString("some".into()));
    let bytes = |tag| item(tag, AnyValue::ByteString(vec![7]));
    let one = |tag| item(tag, AnyValue::Enumeration(1));
    let reference = AttributeReference::Known(kind);
    let structure = match kind {
        AttributeKind::Name => vec![text(tag::NAME_VALUE), one(tag::NAME_TYPE)],
        AttributeKind::AlternativeName => vec![text(tag::ALTERNATIVE_NAME_VALUE), one(tag::ALTERNATIVE_NAME_TYPE)],
        AttributeKind::RotateName => vec![text(tag::ROTATE_NAME_VALUE), one(tag::ROTATE_NAME_TYPE)],
        AttributeKind::ApplicationSpecificInformation => {
            vec![text(tag::APPLICATION_NAMESPACE), text(tag::APPLICATION_DATA)]
        }
        AttributeKind::Link => {
            let link_type = item(tag::LINK_TYPE, AnyValue::Enumeration(0x0101));
            vec![link_type, text(tag::LINKED_OBJECT_IDENTIFIER)]
        }
        AttributeKind::Digest => vec![one(tag::HASHING_ALGORITHM)],
        AttributeKind::KeyValueLocation => vec![text(tag::KEY_VALUE_LOCATION_VALUE), one(tag::KEY_VALUE_LOCATION_TYPE)],
        AttributeKind::RandomNumberGenerator => vec![one(tag::RNG_ALGORITHM)],
        AttributeKind::RevocationReason => vec![one(tag::REVOCATION_REASON_CODE)],
        AttributeKind::UsageLimits => {
            let total = item(tag::USAGE_LIMITS_TOTAL, AnyValue::LongInteger(9));
            vec![total, one(tag::USAGE_LIMITS_UNIT)]
        }
        AttributeKind::X_509CertificateIdentifier => {
            vec![
                bytes(tag::ISSUER_DISTINGUISHED_NAME),
                bytes(tag::CERTIFICATE_SERIAL_NUMBER),
            ]
        }
        AttributeKind::X_509CertificateIssuer => vec![bytes(tag::ISSUER_DISTINGUISHED_NAME)],
        AttributeKind::X_509CertificateSubject => vec![bytes(tag::SUBJECT_DISTINGUISHED_NAME)],
        AttributeKind::CertificateIdentifier => vec![text(tag::ISSUER)],
        AttributeKind::CertificateIssuer => vec![text(tag::CERTIFICATE_ISSUER_DISTINGUISHED_NAME)],
        AttributeKind::CertificateSubject => vec![text(tag::CERTIFICATE_SUBJECT_DISTINGUISHED_NAME)],
        _ => Vec::new(),
    };
    if kind == AttributeKind::UniqueIdentifier {
        return Attribute::UniqueIdentifier(UniqueIdentifier::Text("some".into()));
    }
    // What is said to be safe must be (KMIP 2.1 §4.45).
    if kind == AttributeKind::QuantumSafe {
        return Attribute::QuantumSafe(false);
    }
    let simple = [
        AnyValue::Integer(1),
        AnyValue::Enumeration(1),
        AnyValue::Boolean(true),
        AnyValue::DateTime(DateTime(3_000_000_000)),
        AnyValue::Interval(Interval(60)),
        AnyValue::TextString("some".into()),
        AnyValue::ByteString(vec![7]),
        AnyValue::Structure(structure),
    ];
    let mut values = simple.iter().filter_map(|one| reference.with_value(one));
    values.next().unwrap_or_else(|| panic!("no value of {kind:?}"))
}

/// What a client is told; `None`: it is done.
type Told = Option<ResultReason>;

/// One client, one object, one version.
struct Desk<'a> {
    house: &'a TestHouse,
    version: Version,
    object: UniqueIdentifier,
    object_type: ObjectType,
}

impl Desk<'_> {
    async fn ask<R: Request>(&self, request: R) -> ResponseItem {
        self.house.item(self.version, request, &self.house.alice).await
    }

    async fn told<R: Request>(&self, request: R) -> Told {
        self.ask(request).await.result_reason
    }

    async fn has(&self, kind: AttributeKind) -> bool {
        let request = GetAttributesRequest {
            unique_identifier: Some(self.object.clone()),
            references: vec![AttributeReference::Known(kind)],
        };
        match self.ask(request).await.payload {
            Some(ResponsePayload::GetAttributes(got)) => got.attributes.first(kind).is_some(),
            _ => panic!("no attributes"),
        }
    }

    fn add(&self, kind: AttributeKind) -> AddAttributeRequest {
        AddAttributeRequest {
            unique_identifier: Some(self.object.clone()),
            attribute: value(kind).into(),
        }
    }

    fn modify(&self, kind: AttributeKind) -> ModifyAttributeRequest {
        ModifyAttributeRequest {
            unique_identifier: Some(self.object.clone()),
            attribute: value(kind).into(),
            current_attribute: None,
        }
    }

    fn delete(&self, kind: AttributeKind) -> DeleteAttributeRequest {
        DeleteAttributeRequest {
            unique_identifier: Some(self.object.clone()),
            reference: Some(AttributeReference::Known(kind)),
            ..DeleteAttributeRequest::default()
        }
    }

    fn set(&self, kind: AttributeKind) -> SetAttributeRequest {
        SetAttributeRequest {
            unique_identifier: Some(self.object.clone()),
            attribute: value(kind).into(),
        }
    }

    fn adjust(&self, kind: AttributeKind) -> AdjustAttributeRequest {
        AdjustAttributeRequest {
            unique_identifier: Some(self.object.clone()),
            reference: AttributeReference::Known(kind),
            adjustment_type: AdjustmentType::Increment,
            adjustment_value: None,
        }
    }

    fn reason(&self, newest: ResultReason, older: ResultReason) -> Told {
        Some(if self.version.has_tagged_attributes() {
            newest
        } else {
            older
        })
    }

    /// By the columns: what adding comes to.
    fn addition(&self, kind: AttributeKind, present: bool) -> Told {
        let rules = kind.rules();
        let touched = kind != AttributeKind::State && (rules.set_by.client() || rules.modified_by.client());
        if !rules.applies_to.contains(self.object_type) {
            return self.reason(ResultReason::InvalidAttribute, ResultReason::PermissionDenied);
        }
        if rules.amount == Amount::One && present && touched {
            return self.reason(ResultReason::AttributeSingleValued, ResultReason::IllegalOperation);
        }
        if !rules.set_by.client() {
            return self.reason(ResultReason::ReadOnlyAttribute, ResultReason::PermissionDenied);
        }
        None
    }

    /// What changing comes to. What an object does not have cannot be changed.
    fn modification(&self, kind: AttributeKind, present: bool) -> Told {
        let rules = kind.rules();
        if !rules.applies_to.contains(self.object_type) {
            return self.reason(ResultReason::InvalidAttribute, ResultReason::InvalidField);
        }
        if !rules.modified_by.client() || kind == AttributeKind::State {
            return self.reason(ResultReason::AttributeReadOnly, ResultReason::PermissionDenied);
        }
        if !present {
            return self.reason(ResultReason::AttributeNotFound, ResultReason::InvalidField);
        }
        None
    }

    /// What deleting comes to.
    fn deletion(&self, kind: AttributeKind, present: bool) -> Told {
        let rules = kind.rules();
        if !rules.deleted_by.client() || rules.always {
            return self.reason(ResultReason::AttributeReadOnly, ResultReason::PermissionDenied);
        }
        if !present {
            return self.reason(ResultReason::AttributeNotFound, ResultReason::ItemNotFound);
        }
        None
    }
}

/// A version of each spelling, with most attributes.
fn spellings() -> [Version; 2] {
    let named = Version::ALL
        .into_iter()
        .rev()
        .find(|version| !version.has_tagged_attributes());
    [named.unwrap(), Version::NEWEST]
}

#[tokio::test]
async fn every_attribute_is_added_modified_and_deleted_by_its_columns() {
    let (mut done, mut refused, mut wrong) = (0, 0, Vec::new());
    for version in spellings() {
        for object_type in samples::TYPES.into_iter().filter(|one| one.is_known_in(version)) {
            let house = TestHouse::new().await;
            for kind in AttributeKind::ALL.iter().copied() {
                if !kind.rules().versions.include(version) {
                    continue;
                }
                let object = registered(&house, object_type, Vec::new()).await;
                let desk = Desk {
                    house: &house,
                    version,
                    object: UniqueIdentifier::Text(object),
                    object_type,
                };
                let place = format!("{kind:?} of {object_type} in {version}");
                let present = desk.has(kind).await;
                let mut judge = |told: Told, expected: Told, what: &str| {
                    if told != expected {
                        wrong.push(format!("{what} {place}: {told:?} for {expected:?}"));
                    }
                };
                let told = desk.told(desk.modify(kind)).await;
                judge(told, desk.modification(kind, present), "modify");
                let deletion = desk.deletion(kind, present);
                judge(desk.told(desk.delete(kind)).await, deletion, "delete");
                let present = present && deletion.is_some();
                let addition = desk.addition(kind, present);
                judge(desk.told(desk.add(kind)).await, addition, "add");
                let present = present || addition.is_none();
                let last = desk.modification(kind, present);
                judge(desk.told(desk.modify(kind)).await, last, "modify again");
                let last = desk.deletion(kind, present);
                judge(desk.told(desk.delete(kind)).await, last, "delete again");
                if desk.has(kind).await != (present && last.is_some()) {
                    wrong.push(format!("{place}: there or not there"));
                }
                done += usize::from(addition.is_none());
                refused += usize::from(addition.is_some());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(done > 300 && refused > 400, "{done} {refused}");
}

#[tokio::test]
async fn what_is_set_is_added_or_modified_and_what_is_adjusted_is_set() {
    let version = Version::NEWEST;
    let house = TestHouse::new().await;
    let read_only = Some(ResultReason::ReadOnlyAttribute);
    let mut adjusted = 0;
    for kind in AttributeKind::ALL.iter().copied() {
        if !kind.rules().versions.include(version) {
            continue;
        }
        let desk = Desk {
            house: &house,
            version,
            object: UniqueIdentifier::Text(house.create("", Vec::new()).await),
            object_type: ObjectType::SymmetricKey,
        };
        let rules = kind.rules();
        let present = desk.has(kind).await;
        let told = |told: Told| match told {
            Some(ResultReason::AttributeReadOnly) => read_only,
            other => other,
        };
        let set = told(if present {
            desk.modification(kind, true)
        } else {
            desk.addition(kind, false)
        });
        assert_eq!(desk.told(desk.set(kind)).await, set, "set {kind:?}");
        let present = present || set.is_none();
        // A name is one instance here; of what has several none was added.
        let adjust = desk.told(desk.adjust(kind)).await;
        let numeric = value(kind).any_value().is_some_and(|value| {
            matches!(
                value,
                AnyValue::Integer(_) | AnyValue::Interval(_) | AnyValue::DateTime(_)
            )
        });
        let may = if present {
            rules.modified_by.client()
        } else {
            rules.set_by.client()
        };
        if numeric && may && rules.applies_to.contains(desk.object_type) && (present || set.is_none()) {
            assert_eq!(adjust, None, "adjust {kind:?}");
            adjusted += 1;
        } else {
            assert!(adjust.is_some(), "adjust {kind:?}");
        }
        if numeric && present && !may {
            assert_eq!(adjust, read_only, "adjust {kind:?}");
        }
        if !numeric && present && may {
            assert_eq!(adjust, Some(ResultReason::InvalidDataType), "adjust {kind:?}");
        }
    }
    assert!(adjusted >= 5, "{adjusted}");
}

/// Has a key come into a state. It is Active at the beginning, unless it is to be Pre-Active.
async fn bring(desk: &Desk<'_>, state: State) {
    let revoke = |code| RevokeRequest {
        unique_identifier: Some(desk.object.clone()),
        revocation_reason: RevocationReason {
            revocation_reason_code: code,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    let code = match state {
        State::Deactivated | State::Destroyed => Some(RevocationReasonCode::CessationOfOperation),
        State::Compromised | State::DestroyedCompromised => Some(RevocationReasonCode::KeyCompromise),
        _ => None,
    };
    if let Some(code) = code {
        assert_eq!(desk.told(revoke(code)).await, None, "{state}");
    }
    if matches!(state, State::Destroyed | State::DestroyedCompromised) {
        let destroy = DestroyRequest {
            unique_identifier: Some(desk.object.clone()),
        };
        assert_eq!(desk.told(destroy).await, None, "{state}");
    }
    let request = GetAttributesRequest {
        unique_identifier: Some(desk.object.clone()),
        references: vec![AttributeReference::Known(AttributeKind::State)],
    };
    let Some(ResponsePayload::GetAttributes(got)) = desk.ask(request).await.payload else {
        panic!("no attributes");
    };
    assert!(
        got.attributes.first(AttributeKind::State) == Some(&Attribute::State(state)),
        "{state}"
    );
}

/// Every date whose row names states, in every state, by every operation that changes it.
#[tokio::test]
async fn a_date_moves_in_the_states_of_its_row_only() {
    let house = TestHouse::new().await;
    let (mut moved, mut stayed) = (0, 0);
    for version in spellings() {
        for kind in AttributeKind::ALL
            .iter()
            .copied()
            .filter(|kind| !kind.rules().modified_in.is_empty())
        {
            for state in State::ALL.iter().copied() {
                let begun = Attribute::ActivationDate(DateTime(super::testing::BEGIN - 10));
                let is_pre_active = state == State::PreActive;
                let more = match kind {
                    AttributeKind::ActivationDate if is_pre_active => vec![value(kind)],
                    AttributeKind::ActivationDate => vec![begun],
                    _ if is_pre_active => vec![value(kind)],
                    _ => vec![begun, value(kind)],
                };
                let desk = Desk {
                    house: &house,
                    version,
                    object: UniqueIdentifier::Text(house.create("", more).await),
                    object_type: ObjectType::SymmetricKey,
                };
                bring(&desk, state).await;
                let permitted = kind.rules().modified_in.contains(&state);
                let refused = match state {
                    State::Destroyed | State::DestroyedCompromised => {
                        desk.reason(ResultReason::ObjectDestroyed, ResultReason::ItemNotFound)
                    }
                    _ => desk.reason(ResultReason::WrongKeyLifecycleState, ResultReason::PermissionDenied),
                };
                let expected = if permitted { None } else { refused };
                let place = format!("{kind:?}, {state} in {version}");
                assert_eq!(desk.told(desk.modify(kind)).await, expected, "{place}");
                if Operation::SetAttribute.is_spoken_in(version) {
                    assert_eq!(desk.told(desk.set(kind)).await, expected, "set, {place}");
                    // Its table has Item Not Found, where others have Object Not Found and Object Destroyed.
                    let adjusted = expected.map(|reason| match reason {
                        ResultReason::ObjectDestroyed => ResultReason::ItemNotFound,
                        other => other,
                    });
                    assert_eq!(desk.told(desk.adjust(kind)).await, adjusted, "adjust, {place}");
                }
                moved += usize::from(permitted);
                stayed += usize::from(!permitted);
            }
        }
    }
    assert_eq!((moved, stayed), (14, 34));
}
