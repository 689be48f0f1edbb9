//! Usage Limits as they stand (KMIP 2.1 §4.59): the record keeps what was allowed, a counter beside it how much of that was
//! taken. So those who use one key meet in the counter alone, which the store adjusts within its bound, and none of them runs
//! again because of another.

use super::attributes::AttributeSet;
use kmip_protocol::{Attribute, AttributeKind, UsageLimits, UsageLimitsUnit};

/// The counter, beside the object's record, of units that were taken.
pub const TAKEN: u32 = 1;

/// The counter beside it of when something was last allocated, in seconds since 1970: a Last Change Date that nobody who allocates has
/// to write into the record (KMIP 2.1 §4.29).
pub const ALLOCATED: u32 = 2;

/// The Usage Limits as they are kept, if the object has any.
#[must_use]
pub fn limits(set: &AttributeSet) -> Option<&UsageLimits> {
    match set.first(AttributeKind::UsageLimits) {
        Some(Attribute::UsageLimits(limits)) => Some(limits),
        _ => None,
    }
}

/// How many units the counter may reach. The count is kept as it was when the limits were set: the total, or in records that
/// counted by themselves once, what was left when they stopped.
#[must_use]
pub fn allowance(limits: &UsageLimits) -> i64 {
    limits.usage_limits_count.or(limits.usage_limits_total).unwrap_or(0)
}

/// How many units it takes to protect so many bytes; `None`: more than there can be.
#[must_use]
pub fn needed(limits: &UsageLimits, bytes: usize) -> Option<i64> {
    match limits.usage_limits_unit {
        Some(UsageLimitsUnit::Byte) => i64::try_from(bytes).ok(),
        _ => Some(1),
    }
}

/// Puts what is left once so much was taken in place of the kept count.
pub fn tell(set: &mut AttributeSet, taken: i64) {
    if let Some(kept) = limits(set) {
        let left = allowance(kept).saturating_sub(taken);
        let told = UsageLimits {
            usage_limits_count: Some(left),
            ..kept.clone()
        };
        set.set(Attribute::UsageLimits(told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_was_allowed_less_what_was_taken() {
        let kept = |total, count| {
            let mut set = AttributeSet::default();
            set.set(Attribute::UsageLimits(UsageLimits {
                usage_limits_total: total,
                usage_limits_count: count,
                usage_limits_unit: Some(UsageLimitsUnit::Byte),
            }));
            set
        };
        for (total, count, taken, left) in [(10, Some(10), 3, 7), (10, None, 3, 7), (10, Some(4), 3, 1)] {
            let mut set = kept(Some(total), count);
            assert_eq!(needed(limits(&set).unwrap(), 99), Some(99));
            tell(&mut set, taken);
            let told = limits(&set).unwrap();
            assert_eq!(
                (told.usage_limits_total, told.usage_limits_count),
                (Some(total), Some(left))
            );
        }
        assert_eq!(allowance(limits(&kept(None, None)).unwrap()), 0);
        let mut none = AttributeSet::default();
        tell(&mut none, 1);
        assert!(limits(&none).is_none());
    }
}
