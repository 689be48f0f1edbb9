//! The rules of attributes, applied: who may set, add, modify and delete what, on which object, in which state. Everything
//! comes from the columns of the attribute's row; there is no case per attribute here.

use super::attributes::{AttributeSet, is_multi};
use super::state::Dates;
use super::values::check as check_value;
use crate::failure::Fault;
use kmip_protocol::{Attribute, AttributeInstance, AttributeKind, AttributeReference, ObjectType, VendorName};

/// Attributes that the server takes over from a request that creates an object, although their row says "set by server".
/// Whoever makes the object checks them against it.
const TAKEN_OVER: [AttributeKind; 4] = [
    AttributeKind::CryptographicAlgorithm,
    AttributeKind::CryptographicLength,
    AttributeKind::CertificateType,
    // A client may ask for a format (KMIP 2.1 §4.21, §4.26).
    AttributeKind::KeyFormatType,
];

/// Attributes that a request may give to a new object: they are compared with one another, and each Name is a claim.
const MOST_GIVEN: usize = 1_000;

/// Judges the attributes that a request gives to a new object and takes them over.
///
/// # Errors
/// Too many attributes, or one that is unknown, not for this type of object, set by the server alone, or given too often.
pub fn at_creation<'a>(
    object_type: ObjectType,
    given: impl Iterator<Item = &'a AttributeInstance>,
) -> Result<AttributeSet, Fault> {
    all_given(object_type, given, |set, kind, instance| {
        let attribute = &instance.attribute;
        if !(kind.rules().set_by.client() || TAKEN_OVER.contains(&kind)) || is_servers_own(attribute) {
            return Err(Fault::ReadOnlyAtCreation);
        }
        check_given(set, kind, instance)?;
        set.add(as_kept(attribute));
        Ok(())
    })
}

/// The attribute, of the server's own, that says of a share over GF(2^16) by which polynomial the GF(2^8) under it is made: versions differ in
/// that, and a share is nothing without it. It travels with the share.
#[must_use]
pub fn split_key_polynomial() -> AttributeReference {
    servers_own("Split Key Polynomial")
}

/// The attribute, of the server's own, that says of a share over a prime field how many bytes the number that is shared stands for: a number
/// says nothing of the zeros that it begins with. It travels with the share.
#[must_use]
pub fn split_key_length() -> AttributeReference {
    servers_own("Split Key Length")
}

fn servers_own(name: &str) -> AttributeReference {
    AttributeReference::Vendor(VendorName {
        vendor_identification: VendorName::SERVER.to_owned(),
        attribute_name: name.to_owned(),
    })
}

/// Judges the attributes that an object is imported with and takes them over as they are: who sets an attribute otherwise, and when, does
/// not matter (KMIP 2.1 §6.1.25).
///
/// # Errors
/// Too many attributes, or one that is unknown, not for this type of object, in the server's part of the vendor names, or given too often.
pub fn at_import<'a>(
    object_type: ObjectType,
    given: impl Iterator<Item = &'a AttributeInstance>,
) -> Result<AttributeSet, Fault> {
    all_given(object_type, given, |set, kind, instance| {
        let attribute = &instance.attribute;
        let travels = [split_key_polynomial(), split_key_length()].contains(&attribute.reference());
        if is_servers_own(attribute) && !travels {
            return Err(Fault::AttributeReadOnly);
        }
        check_given(set, kind, instance)?;
        match instance.index {
            None => drop(set.add(attribute.clone())),
            Some(index) if set.insert(index, attribute.clone()) => {}
            Some(_) => return Err(Fault::InvalidAttributeValue),
        }
        Ok(())
    })
}

/// A new object's attributes, each of a kind that it may have, once they were judged and taken over one by one.
fn all_given<'a>(
    object_type: ObjectType,
    given: impl Iterator<Item = &'a AttributeInstance>,
    take_over: impl Fn(&mut AttributeSet, AttributeKind, &AttributeInstance) -> Result<(), Fault>,
) -> Result<AttributeSet, Fault> {
    let mut set = AttributeSet::default();
    for (count, instance) in given.enumerate() {
        if count >= MOST_GIVEN {
            return Err(Fault::TooManyAttributes);
        }
        let kind = applicable(&instance.attribute, object_type)?;
        take_over(&mut set, kind, instance)?;
    }
    Ok(set)
}

/// Judges the place and the value of an attribute of a new object, and whether it may have one more of it.
fn check_given(set: &AttributeSet, kind: AttributeKind, instance: &AttributeInstance) -> Result<(), Fault> {
    // What there is one of has the index 0 (KMIP 1.4 §2.1.1).
    if !is_multi(kind) && instance.index.is_some_and(|index| index != 0) {
        return Err(Fault::InvalidAttributeValue);
    }
    if !is_multi(kind) && set.has(kind) {
        return Err(Fault::SingleValuedAtCreation);
    }
    check_value(&instance.attribute)
}

/// Judges an attribute that a client adds (KMIP 1.4 §4.14; KMIP 2.1 §6.1.2).
pub fn at_addition(object_type: ObjectType, set: &AttributeSet, attribute: &Attribute, now: i64) -> Result<(), Fault> {
    let kind = applicable(attribute, object_type).map_err(|_| Fault::AttributeNotSupported)?;
    // What exists and may not exist twice says so, before it is said who may set it.
    if !is_multi(kind) && set.has(kind) && !is_read_only(kind) {
        return Err(Fault::AttributeSingleValued);
    }
    if !kind.rules().set_by.client() || is_servers_own(attribute) {
        return Err(Fault::AttributeNotSettable);
    }
    in_permitted_state(object_type, kind, set.dates(), now)?;
    in_order_with(set, attribute)?;
    check_value(attribute)
}

/// Judges a change of one instance by a client (KMIP 1.4 §4.15; KMIP 2.1 §6.1.34).
pub fn at_modification(
    object_type: ObjectType,
    set: &AttributeSet,
    attribute: &Attribute,
    now: i64,
) -> Result<(), Fault> {
    let kind = applicable(attribute, object_type)?;
    if !kind.rules().modified_by.client() || is_servers_own(attribute) || is_read_only(kind) {
        return Err(Fault::AttributeReadOnly);
    }
    if kind == AttributeKind::UsageLimits && is_used(set) {
        return Err(Fault::AttributeReadOnly);
    }
    in_permitted_state(object_type, kind, set.dates(), now)?;
    in_order_with(set, attribute)?;
    check_value(attribute)
}

/// Refuses dates that contradict each other: a Process Start Date before the Activation Date, a Protect Stop Date after the Deactivation Date
/// (KMIP 2.1 §4.40, §4.41).
///
/// # Errors
/// [`Fault::InvalidAttributeValue`].
pub fn in_order(dates: Dates) -> Result<(), Fault> {
    let is_after = |later: Option<i64>, earlier: Option<i64>| later.zip(earlier).is_some_and(|(later, it)| later > it);
    if is_after(dates.activation, dates.process_start) || is_after(dates.protect_stop, dates.deactivation) {
        return Err(Fault::InvalidAttributeValue);
    }
    Ok(())
}

/// Refuses a date that contradicts the one that it goes with. What time has brought about among the others is not this change's.
fn in_order_with(set: &AttributeSet, attribute: &Attribute) -> Result<(), Fault> {
    let mut dates = set.dates();
    dates.note(attribute);
    match attribute {
        Attribute::ActivationDate(_) | Attribute::ProcessStartDate(_) => in_order(Dates {
            protect_stop: None,
            ..dates
        }),
        Attribute::ProtectStopDate(_) | Attribute::DeactivationDate(_) => in_order(Dates {
            process_start: None,
            ..dates
        }),
        _ => Ok(()),
    }
}

/// Whether some of the Usage Limits was taken: from then on no client changes or deletes them, for that would give back what
/// was used up (KMIP 2.1 §4.59; KMIP 1.4 §3.21). The set has them as they are told (see [`super::usage`]).
fn is_used(set: &AttributeSet) -> bool {
    match set.first(AttributeKind::UsageLimits) {
        Some(Attribute::UsageLimits(limits)) => {
            let both = limits.usage_limits_count.zip(limits.usage_limits_total);
            both.is_some_and(|(count, total)| count < total)
        }
        _ => false,
    }
}

/// An attribute as it is kept when a client gives it: the count of Usage Limits is the server's, at first all (KMIP 2.1 §4.59).
#[must_use]
pub fn as_kept(attribute: &Attribute) -> Attribute {
    match attribute {
        Attribute::UsageLimits(limits) => {
            let mut limits = limits.clone();
            limits.usage_limits_count = limits.usage_limits_total;
            Attribute::UsageLimits(limits)
        }
        other => other.clone(),
    }
}

/// An attribute as it is kept when a client changes it: of Usage Limits it may give the total or the unit alone (KMIP 2.1 §4.59).
#[must_use]
pub fn as_changed(old: Option<&Attribute>, new: &Attribute) -> Attribute {
    let mut new = new.clone();
    if let (Some(Attribute::UsageLimits(old)), Attribute::UsageLimits(limits)) = (old, &mut new) {
        limits.usage_limits_total = limits.usage_limits_total.or(old.usage_limits_total);
        limits.usage_limits_unit = limits.usage_limits_unit.or(old.usage_limits_unit);
    }
    as_kept(&new)
}

/// Judges a deletion by a client (KMIP 1.4 §4.16; KMIP 2.1 §6.1.13).
pub fn at_deletion(set: &AttributeSet, reference: &AttributeReference) -> Result<(), Fault> {
    match reference {
        AttributeReference::Known(AttributeKind::UsageLimits) if is_used(set) => Err(Fault::AttributeReadOnly),
        AttributeReference::Known(kind) if kind.rules().deleted_by.client() && !kind.rules().always => Ok(()),
        AttributeReference::Known(_) => Err(Fault::AttributeReadOnly),
        AttributeReference::Vendor(name) if is_servers_name(name) => Err(Fault::AttributeReadOnly),
        AttributeReference::Vendor(_) => Ok(()),
        AttributeReference::UnknownTag(_) | AttributeReference::UnknownName(_) => Err(Fault::AttributeNotFound),
    }
}

/// What follows from a change of an attribute by a client: Always Sensitive and Never Extractable remember (KMIP 2.1 §4.3,
/// §4.33).
pub fn after_change(set: &mut AttributeSet) {
    if set.has(AttributeKind::AlwaysSensitive) && !set.flag(AttributeKind::Sensitive, false) {
        set.set(Attribute::AlwaysSensitive(false));
    }
    if set.has(AttributeKind::NeverExtractable) && set.flag(AttributeKind::Extractable, true) {
        set.set(Attribute::NeverExtractable(false));
    }
}

/// Refuses what is no attribute with a value.
pub fn known(attribute: &Attribute) -> Result<(), Fault> {
    match attribute {
        Attribute::Unknown(_) | Attribute::Valueless(_) => Err(Fault::InvalidAttribute),
        _ => Ok(()),
    }
}

/// The kind of an attribute that an object of this type may have.
fn applicable(attribute: &Attribute, object_type: ObjectType) -> Result<AttributeKind, Fault> {
    match attribute {
        Attribute::Unknown(_) | Attribute::Valueless(_) => Err(Fault::InvalidAttribute),
        known if known.kind().rules().applies_to.contains(object_type) => Ok(known.kind()),
        _ => Err(Fault::InvalidAttribute),
    }
}

/// Whether no client may ever change the attribute once the object exists.
fn is_read_only(kind: AttributeKind) -> bool {
    kind == AttributeKind::State || !(kind.rules().set_by.client() || kind.rules().modified_by.client())
}

/// Whether the attribute is in the server's part of the vendor names (`y-…`), which no client writes.
fn is_servers_own(attribute: &Attribute) -> bool {
    matches!(attribute, Attribute::Vendor(vendor) if is_servers_name(&vendor.name))
}

fn is_servers_name(name: &VendorName) -> bool {
    name.vendor_identification == VendorName::SERVER
}

fn in_permitted_state(object_type: ObjectType, kind: AttributeKind, dates: Dates, now: i64) -> Result<(), Fault> {
    // A template has no state (KMIP 1.4 §3.22: "All Cryptographic Objects").
    if object_type == ObjectType::Template {
        return Ok(());
    }
    let permitted = kind.rules().modified_in;
    if !permitted.is_empty() && !permitted.contains(&dates.state(now)) {
        return Err(Fault::WrongState);
    }
    // Start and stop of the protect window can be moved until they are reached (KMIP 2.1 §4.40, §4.41).
    let over = match kind {
        AttributeKind::ProcessStartDate => dates.process_start,
        AttributeKind::ProtectStopDate => dates.protect_stop,
        _ => None,
    };
    if over.is_some_and(|date| date <= now) {
        Err(Fault::WrongState)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{CryptographicAlgorithm, DateTime, State, UsageLimits, UsageLimitsUnit};

    fn creation(attributes: &[Attribute]) -> Result<AttributeSet, Fault> {
        let given: Vec<AttributeInstance> = attributes.iter().cloned().map(AttributeInstance::from).collect();
        at_creation(ObjectType::SymmetricKey, given.iter())
    }

    #[test]
    fn what_the_server_sets_cannot_be_given() {
        assert!(creation(&[Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES)]).is_ok());
        assert_eq!(
            creation(&[Attribute::State(State::Active)]).err(),
            Some(Fault::ReadOnlyAtCreation)
        );
        assert_eq!(
            creation(&[Attribute::InitialDate(DateTime(1))]).err(),
            Some(Fault::ReadOnlyAtCreation)
        );
    }

    #[test]
    fn what_the_server_sets_can_be_imported() {
        let import = |attributes: &[(Attribute, Option<i32>)]| {
            let given: Vec<AttributeInstance> = attributes
                .iter()
                .map(|(attribute, index)| AttributeInstance {
                    index: *index,
                    ..AttributeInstance::from(attribute.clone())
                })
                .collect();
            at_import(ObjectType::SymmetricKey, given.iter())
        };
        let date = Attribute::InitialDate(DateTime(1));
        let group = |name: &str| Attribute::ObjectGroup(name.into());
        let set = import(&[(date.clone(), None), (group("a"), Some(3)), (group("b"), None)]).unwrap_or_default();
        let indexes: Vec<i32> = set.iter().map(|i| i.index).collect();
        assert_eq!(indexes, [0, 3, 4]);
        let refused = [
            (vec![(date.clone(), None), (date, None)], Fault::SingleValuedAtCreation),
            (
                vec![(group("a"), Some(1)), (group("b"), Some(1))],
                Fault::InvalidAttributeValue,
            ),
            (vec![(group("a"), Some(-1))], Fault::InvalidAttributeValue),
            (
                vec![(Attribute::ContactInformation("a".into()), Some(1))],
                Fault::InvalidAttributeValue,
            ),
            (vec![(Attribute::CertificateLength(9), None)], Fault::InvalidAttribute),
            (
                vec![(
                    Attribute::Vendor(kmip_protocol::VendorAttribute {
                        name: VendorName {
                            vendor_identification: VendorName::SERVER.into(),
                            attribute_name: "z".into(),
                        },
                        value: kmip_protocol::AnyValue::Integer(1),
                    }),
                    None,
                )],
                Fault::AttributeReadOnly,
            ),
        ];
        for (given, fault) in refused {
            assert_eq!(import(&given).err(), Some(fault));
        }
    }

    #[test]
    fn a_single_valued_attribute_is_given_once() {
        let twice = [
            Attribute::ContactInformation("a".into()),
            Attribute::ContactInformation("b".into()),
        ];
        assert_eq!(creation(&twice).err(), Some(Fault::SingleValuedAtCreation));
        let groups = [
            Attribute::ObjectGroup("a".into()),
            Attribute::ObjectGroup(String::new()),
        ];
        assert!(creation(&groups).is_ok());
        let placed = |attribute: &Attribute, index| {
            let given = AttributeInstance {
                index: Some(index),
                ..AttributeInstance::from(attribute.clone())
            };
            at_creation(ObjectType::SymmetricKey, core::iter::once(&given)).err()
        };
        let [contact, _] = &twice;
        assert_eq!(placed(contact, 0), None);
        assert_eq!(placed(contact, 1), Some(Fault::InvalidAttributeValue));
    }

    #[test]
    fn dates_keep_their_order() {
        let date = |date: fn(DateTime) -> Attribute, at| date(DateTime(at));
        let mut set = AttributeSet::default();
        set.set(date(Attribute::ActivationDate, 100));
        set.set(date(Attribute::DeactivationDate, 200));
        let told = |attribute| at_addition(ObjectType::SymmetricKey, &set, &attribute, 0);
        assert_eq!(told(date(Attribute::ProcessStartDate, 100)), Ok(()));
        assert_eq!(told(date(Attribute::ProtectStopDate, 200)), Ok(()));
        let refused = Err(Fault::InvalidAttributeValue);
        assert_eq!(told(date(Attribute::ProcessStartDate, 99)), refused);
        assert_eq!(told(date(Attribute::ProtectStopDate, 201)), refused);
        // Activate has begun it later than it was to be used: that is nobody's change of the other two.
        set.set(date(Attribute::ProcessStartDate, 50));
        let later = date(Attribute::DeactivationDate, 300);
        assert_eq!(at_modification(ObjectType::SymmetricKey, &set, &later, 0), Ok(()));
        assert_eq!(in_order(set.dates()), refused);
    }

    #[test]
    fn activation_moves_only_before_it_came() {
        let mut set = AttributeSet::default();
        set.set(Attribute::ActivationDate(DateTime(100)));
        let later = Attribute::ActivationDate(DateTime(200));
        assert_eq!(at_modification(ObjectType::SymmetricKey, &set, &later, 99), Ok(()));
        assert_eq!(
            at_modification(ObjectType::SymmetricKey, &set, &later, 100),
            Err(Fault::WrongState)
        );
    }

    #[test]
    fn every_always_valued_attribute_resists_deletion() {
        for kind in AttributeKind::ALL.iter().filter(|k| k.rules().always) {
            assert!(
                at_deletion(&AttributeSet::default(), &AttributeReference::Known(*kind)).is_err(),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn usage_limits_are_nobodys_to_give_back() {
        let limits = |count| {
            Attribute::UsageLimits(UsageLimits {
                usage_limits_total: Some(10),
                usage_limits_count: count,
                usage_limits_unit: Some(UsageLimitsUnit::Object),
            })
        };
        let mut set = creation(&[limits(Some(99))]).unwrap_or_default();
        assert!(set.first(AttributeKind::UsageLimits) == Some(&limits(Some(10))));
        let reference = AttributeReference::Known(AttributeKind::UsageLimits);
        let modify = |set: &AttributeSet| at_modification(ObjectType::SymmetricKey, set, &limits(None), 0);
        assert!(modify(&set).is_ok() && at_deletion(&set, &reference).is_ok());
        set.set(limits(Some(9)));
        assert_eq!(modify(&set), Err(Fault::AttributeReadOnly));
        assert_eq!(at_deletion(&set, &reference), Err(Fault::AttributeReadOnly));
    }

    #[test]
    fn attributes_given_are_bounded() {
        let many = vec![Attribute::ObjectGroup("a".into()); MOST_GIVEN + 1];
        assert_eq!(creation(&many).err(), Some(Fault::TooManyAttributes));
    }

    #[test]
    fn sensitivity_once_lost_is_remembered() {
        let mut set = AttributeSet::default();
        set.set(Attribute::Sensitive(true));
        set.set(Attribute::AlwaysSensitive(true));
        set.set(Attribute::Extractable(false));
        set.set(Attribute::NeverExtractable(true));
        after_change(&mut set);
        assert!(set.flag(AttributeKind::AlwaysSensitive, false) && set.flag(AttributeKind::NeverExtractable, false));
        set.set(Attribute::Sensitive(false));
        after_change(&mut set);
        set.set(Attribute::Sensitive(true));
        after_change(&mut set);
        assert!(!set.flag(AttributeKind::AlwaysSensitive, true));
    }
}
