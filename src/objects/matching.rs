//! Whether an object matches what Locate asks for (KMIP 2.1 §6.1.28). Values are compared as TTLV, so that a structure given
//! in part matches by the fields that were given, whichever attribute it is.

use super::record::Object;
use kmip_protocol::{
    Attribute, AttributeKind, AttributePattern, AttributeReference, DateTime, UniqueIdentifier, UsageLimits,
};
use kmip_ttlv::{Reader, Value, Writer};

/// The largest Date-Time stands for "not defined" (KMIP 2.1 §6.1.28).
const UNDEFINED_DATE: i64 = i64::MAX;

/// Whether the object matches all patterns at `now`.
#[must_use]
pub fn matches(object: &Object, patterns: &[AttributePattern], now: i64) -> bool {
    patterns
        .iter()
        .all(|pattern| matches_one(object, pattern, patterns, now))
}

fn matches_one(object: &Object, pattern: &AttributePattern, all: &[AttributePattern], now: i64) -> bool {
    let reference = pattern.reference();
    match pattern.date() {
        Some(date) => {
            // Two instances of a date are the ends of a range.
            let ends: Vec<i64> = all
                .iter()
                .filter(|p| p.reference() == reference)
                .filter_map(AttributePattern::date)
                .collect();
            let from = ends.iter().copied().min().unwrap_or(date);
            let to = ends.iter().copied().max().unwrap_or(date);
            candidates(object, reference, now)
                .iter()
                .filter_map(date_of)
                .any(|d| (from..=to).contains(&d))
                || (date == UNDEFINED_DATE && candidates(object, reference, now).is_empty())
        }
        None => candidates(object, reference, now)
            .iter()
            .any(|candidate| value_matches(candidate, pattern)),
    }
}

/// The object's values of an attribute, the derived ones included.
fn candidates(object: &Object, reference: &AttributeReference, now: i64) -> Vec<Attribute> {
    match reference {
        AttributeReference::Known(kind) => match derived(object, *kind, now) {
            Some(attribute) => vec![attribute],
            None => object.attributes.of(reference).map(|i| i.attribute.clone()).collect(),
        },
        _ => object.attributes.of(reference).map(|i| i.attribute.clone()).collect(),
    }
}

/// The operation policy of the specification: what is secret is its owner's alone (KMIP 1.4 §3.18.2).
pub const OWNERS_POLICY: &str = "default";

/// The operation policy of objects for which none was asked: all clients of the application do everything.
pub const APPLICATIONS_POLICY: &str = "application";

/// Attributes that are told otherwise than they are stored, or not stored, because they follow from the record.
#[must_use]
pub fn derived(object: &Object, kind: AttributeKind, now: i64) -> Option<Attribute> {
    Some(match kind {
        AttributeKind::UniqueIdentifier => {
            Attribute::UniqueIdentifier(UniqueIdentifier::Text(object.unique_identifier.clone()))
        }
        AttributeKind::ObjectType => Attribute::ObjectType(object.object_type),
        AttributeKind::State => Attribute::State(object.state(now)?),
        // Clients look for what they made without a policy under the name that the specification has for that (KMIP 1.4 §3.18).
        AttributeKind::OperationPolicyName => match object.attributes.first(kind)? {
            Attribute::OperationPolicyName(name) if name == APPLICATIONS_POLICY => {
                Attribute::OperationPolicyName(OWNERS_POLICY.to_owned())
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn date_of(attribute: &Attribute) -> Option<i64> {
    let mut writer = Writer::new();
    attribute.write_value_item(&mut writer);
    match Reader::new(writer.as_bytes()).item() {
        Ok((_, Value::DateTime(seconds))) => Some(seconds),
        _ => None,
    }
}

fn value_matches(candidate: &Attribute, pattern: &AttributePattern) -> bool {
    let mut writer = Writer::new();
    candidate.write_value_item(&mut writer);
    let (Ok((_, have)), Ok((_, want))) = (
        Reader::new(writer.as_bytes()).item(),
        Reader::new(pattern.value()).item(),
    ) else {
        return false;
    };
    match candidate {
        // All bits that are asked for must be there; there may be more.
        Attribute::CryptographicUsageMask(mask) => {
            matches!(want, Value::Integer(bits) if mask.0 & bits.cast_unsigned() == bits.cast_unsigned())
        }
        Attribute::UsageLimits(limits) => at_least(limits, want),
        _ => item_matches(&have, &want),
    }
}

/// Count and total must be at least what is asked for.
fn at_least(limits: &UsageLimits, want: Value<'_>) -> bool {
    let Value::Structure(mut wanted) = want else {
        return false;
    };
    while !wanted.is_empty() {
        let Ok((tag, value)) = wanted.item() else { return false };
        let enough = match (tag, value) {
            (kmip_protocol::tag::USAGE_LIMITS_TOTAL, Value::LongInteger(n)) => {
                limits.usage_limits_total.is_some_and(|total| total >= n)
            }
            (kmip_protocol::tag::USAGE_LIMITS_COUNT, Value::LongInteger(n)) => {
                limits.usage_limits_count.is_some_and(|count| count >= n)
            }
            (_, Value::Enumeration(unit)) => limits.usage_limits_unit.is_some_and(|u| u.0 == unit),
            _ => false,
        };
        if !enough {
            return false;
        }
    }
    true
}

/// Whether the wanted value is the one that is there; of a structure, whether each wanted field is.
fn item_matches(have: &Value<'_>, want: &Value<'_>) -> bool {
    match (have, want) {
        (Value::Structure(have), Value::Structure(want)) => {
            let mut want = *want;
            while !want.is_empty() {
                let Ok((tag, wanted)) = want.item() else { return false };
                let mut fields = *have;
                let mut found = false;
                while let (false, false) = (found, fields.is_empty()) {
                    let Ok((field, value)) = fields.item() else {
                        return false;
                    };
                    found = field == tag && item_matches(&value, &wanted);
                }
                if !found {
                    return false;
                }
            }
            true
        }
        (Value::Integer(a), Value::Integer(b)) => a == b,
        (Value::LongInteger(a), Value::LongInteger(b))
        | (Value::DateTime(a), Value::DateTime(b))
        | (Value::DateTimeExtended(a), Value::DateTimeExtended(b)) => a == b,
        (Value::Enumeration(a), Value::Enumeration(b)) | (Value::Interval(a), Value::Interval(b)) => a == b,
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::TextString(a), Value::TextString(b)) => a == b,
        (Value::ByteString(a), Value::ByteString(b)) | (Value::BigInteger(a), Value::BigInteger(b)) => a == b,
        _ => false,
    }
}

/// The date in an attribute, if it is one.
#[must_use]
pub fn date_value(attribute: &Attribute) -> Option<DateTime> {
    date_of(attribute).map(DateTime)
}
