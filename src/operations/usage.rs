//! Usage Limits at work (KMIP 2.1 §4.59): taking from them, telling what is left, and changing them as long as nothing was
//! taken.

use super::context::Context;
use crate::failure::{Failure, Fault};
use crate::objects::{self, AttributeSet, Kept, Object, usage};
use crate::store::Key;
use kmip_protocol::{Attribute, AttributeKind, AttributeReference, UsageLimitsUnit};

/// The attribute.
pub const USAGE_LIMITS: AttributeReference = AttributeReference::Known(AttributeKind::UsageLimits);

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
    let (key, bounds) = (place(context, object)?, (0, usage::allowance(&limits)));
    let taken = context.work.adjust(key, usage::TAKEN, needed, bounds).await?;
    taken.map(drop).map_err(|_| Fault::UsageLimit.into())
}

/// Puts what is left at present in place of the count that is kept. What is told is not to be saved.
pub async fn tell(context: &mut Context<'_>, object: &mut Object) -> Result<(), Failure> {
    if usage::limits(&object.attributes).is_some() {
        let taken = taken(context, object).await?;
        usage::tell(&mut object.attributes, taken);
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
