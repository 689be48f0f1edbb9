//! Usage Limits at work (KMIP 2.1 §4.59): taking from them, telling what is left, and changing them as long as nothing was
//! taken.

use super::context::Context;
use crate::failure::{Failure, Fault};
use crate::objects::{self, AttributeSet, Kept, Object, usage};
use crate::store::Key;
use kmip_protocol::{Attribute, AttributeKind, AttributeReference, DateTime, UsageLimits, UsageLimitsUnit};

/// The attribute.
pub const USAGE_LIMITS: AttributeReference = AttributeReference::Known(AttributeKind::UsageLimits);
/// What an allocation changes beside it.
const LAST_CHANGE_DATE: AttributeReference = AttributeReference::Known(AttributeKind::LastChangeDate);

/// Whether an attribute is told otherwise than the record has it: see [`tell`].
#[must_use]
pub fn is_counted(reference: &AttributeReference) -> bool {
    [USAGE_LIMITS, LAST_CHANGE_DATE].contains(reference)
}

/// Takes what the protection of so many bytes needs, if the object has Usage Limits. It is committed before the answer leaves,
/// and judged once more by the commit: of several who want the last unit, one gets it. A part that `continues` a stream takes bytes,
/// and no further object: that was its first part.
///
/// # Errors
/// [`Fault::UsageLimit`] if not enough is left.
pub async fn take_allowance(
    context: &mut Context<'_>,
    object: &Kept,
    bytes: usize,
    continues: bool,
) -> Result<(), Failure> {
    let Some(Attribute::UsageLimits(limits)) = object.attributes.first(AttributeKind::UsageLimits)? else {
        return Ok(());
    };
    if continues && limits.usage_limits_unit != Some(UsageLimitsUnit::Byte) {
        return Ok(());
    }
    let needed = usage::needed(&limits, bytes).ok_or(Failure::new(Fault::UsageLimit))?;
    take(context, object, &limits, needed, Fault::UsageLimit).await
}

/// Takes so many units for a client that will use them by itself (KMIP 2.1 §6.1.23). As [`take_allowance`] otherwise.
///
/// # Errors
/// [`Fault::UsageAllocation`] if not as many are left, [`Fault::NoUsageLimits`].
pub async fn take_units(context: &mut Context<'_>, object: &Kept, units: i64) -> Result<(), Failure> {
    match object.attributes.first(AttributeKind::UsageLimits)? {
        Some(Attribute::UsageLimits(limits)) => take(context, object, &limits, units, Fault::UsageAllocation).await?,
        _ => return Err(Fault::NoUsageLimits.into()),
    }
    // Of several at once one sets the time, once a second, and the others find it set.
    let (key, now) = (place(context, object)?, context.seconds());
    let last = context.work.counter(key, usage::ALLOCATED).await?.unwrap_or(0);
    if last < now {
        let passed = now.saturating_sub(last);
        let set = context.work.adjust(key, usage::ALLOCATED, passed, (0, now)).await?;
        set.map_err(|_| Failure::new(Fault::Internal))?;
    }
    Ok(())
}

async fn take(
    context: &mut Context<'_>,
    object: &Kept,
    limits: &UsageLimits,
    units: i64,
    refusal: Fault,
) -> Result<(), Failure> {
    let (key, bounds) = (place(context, object)?, (0, usage::allowance(limits)));
    let taken = context.work.adjust(key, usage::TAKEN, units, bounds).await?;
    taken.map(drop).map_err(|_| refusal.into())
}

/// Puts what is left at present in place of the count that is kept, and the time of the last allocation in place of an earlier Last
/// Change Date. What is told is not to be saved.
pub async fn tell(context: &mut Context<'_>, object: &mut Object) -> Result<(), Failure> {
    if usage::limits(&object.attributes).is_some() {
        let taken = taken(context, object).await?;
        usage::tell(&mut object.attributes, taken);
        let key = place(context, object)?;
        let allocated = context.work.counter(key, usage::ALLOCATED).await?.unwrap_or(0);
        let changed = object.attributes.first(AttributeKind::LastChangeDate);
        if matches!(changed, Some(Attribute::LastChangeDate(DateTime(date))) if *date < allocated) {
            object.attributes.set(Attribute::LastChangeDate(DateTime(allocated)));
        }
    }
    Ok(())
}

/// The attributes by which the change of one of them is judged. Of Usage Limits that nothing was taken from, this also makes the
/// commit rest on it: a use that commits first wins, and the change is judged again.
pub async fn judged(
    context: &mut Context<'_>,
    object: &Object,
    changed: &AttributeReference,
) -> Result<AttributeSet, Failure> {
    let mut set = object.attributes.clone();
    if *changed == USAGE_LIMITS && usage::limits(&set).is_some() {
        let key = place(context, object)?;
        // Adding nothing below a bound of nothing changes nothing, and is refused once there is something.
        let untouched = context.work.adjust(key, usage::TAKEN, 0, (0, 0)).await?;
        if untouched.is_err() {
            usage::tell(&mut set, taken(context, object).await?);
        }
    }
    Ok(set)
}

/// Begins to count anew: another object has come in the place of one that was used.
pub fn restart(context: &mut Context<'_>, object: &Object) -> Result<(), Failure> {
    let key = place(context, object)?;
    context.work.set_counter(key, usage::TAKEN, 0);
    Ok(())
}

async fn taken(context: &mut Context<'_>, object: &Object) -> Result<i64, Failure> {
    let key = place(context, object)?;
    Ok(context.work.counter(key, usage::TAKEN).await?.unwrap_or(0))
}

fn place<A>(context: &Context<'_>, object: &Object<A>) -> Result<Key, Failure> {
    Ok(objects::key(context.client()?.tenant, &object.unique_identifier))
}
