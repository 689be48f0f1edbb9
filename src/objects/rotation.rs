//! When the server replaces a key by itself (KMIP 2.1 §4.48, §4.51).

use super::record::Object;
use kmip_protocol::{Attribute, AttributeKind, DateTime, Interval, ObjectType};

/// The moment from which on an object is to be replaced, in seconds since 1970; `None`: it is not. Of a pair it is the private key that
/// tells; what was replaced is not replaced again, and nothing that is gone or put away.
#[must_use]
pub fn due(object: &Object) -> Option<i64> {
    let attributes = &object.attributes;
    let is_key = matches!(object.object_type, ObjectType::SymmetricKey | ObjectType::PrivateKey);
    let automatic = attributes.first(AttributeKind::RotateAutomatic) == Some(&Attribute::RotateAutomatic(true));
    let replaced = attributes.first(AttributeKind::RotateLatest) == Some(&Attribute::RotateLatest(false));
    let dates = attributes.dates();
    if !is_key || !automatic || replaced || dates.destroy.is_some() || dates.archive.is_some() {
        return None;
    }
    match (
        attributes.first(AttributeKind::InitialDate),
        attributes.first(AttributeKind::RotateInterval),
    ) {
        (Some(Attribute::InitialDate(DateTime(initial))), Some(Attribute::RotateInterval(Interval(seconds))))
            if *seconds > 0 =>
        {
            Some(initial.saturating_add(i64::from(*seconds)))
        }
        _ => None,
    }
}

/// The Offset with which the server replaces an object by itself (KMIP 2.1 §4.54).
#[must_use]
pub fn offset(object: &Object) -> Option<Interval> {
    match object.attributes.first(AttributeKind::RotateOffset) {
        Some(Attribute::RotateOffset(offset)) => Some(*offset),
        _ => None,
    }
}
