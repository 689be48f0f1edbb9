//! Check (KMIP 2.1 §6.1.7; KMIP 1.4 §4.10): may the object be used like this? What may not be is repeated in the answer, which
//! fails, unless its reason says as much.

use super::context::Wanted;
use super::obtain_lease::grantable;
use super::{Context, Handle, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::state::protects;
use crate::objects::{AttributeSet, usage as limits};
use kmip_protocol::{
    Attribute, AttributeKind, CheckRequest, CheckResponse, CryptographicUsageMask, Interval, ObjectType, ResultReason,
    State,
};

impl Handle for CheckRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CheckResponse, Failure> {
        if self.usage_limits_count.is_some_and(|count| count < 0) {
            return Err(Fault::InvalidField.into());
        }
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        if object.object_type == ObjectType::Template {
            return Err(Fault::IllegalObjectType.into());
        }
        usage::tell(context, &mut object).await?;
        let attributes = &object.attributes;
        let state = attributes.dates().state(context.seconds());
        let refused = CheckResponse {
            unique_identifier: None,
            usage_limits_count: self.usage_limits_count.filter(|count| !leaves(attributes, *count)),
            cryptographic_usage_mask: self
                .cryptographic_usage_mask
                .filter(|mask| !permits(attributes, state, *mask)),
            lease_time: self.lease_time.filter(|lease| !lends(context, attributes, *lease)),
        };
        if let Some(fault) = fault(&refused) {
            let is_said = fault.reason(context.version) != ResultReason::PermissionDenied && is_one(&refused);
            return Err(Failure::denying(fault, (!is_said).then(|| refused.into())));
        }
        context.tell(&object.unique_identifier);
        Ok(CheckResponse {
            unique_identifier: Some(object.unique_identifier),
            ..CheckResponse::default()
        })
    }
}

/// The reason for what is refused; nothing is if there is none.
const fn fault(refused: &CheckResponse) -> Option<Fault> {
    match refused {
        CheckResponse {
            cryptographic_usage_mask: Some(_),
            ..
        } => Some(Fault::UsageMask),
        CheckResponse {
            usage_limits_count: Some(_),
            ..
        } => Some(Fault::UsageAllocation),
        CheckResponse {
            lease_time: Some(_), ..
        } => Some(Fault::LeaseRefused),
        _ => None,
    }
}

/// Whether one thing alone is refused. Where the reason names it, a payload would say nothing more, and the published cases have none
/// (none of its fields is required).
fn is_one(refused: &CheckResponse) -> bool {
    let refused = [
        refused.usage_limits_count.is_some(),
        refused.cryptographic_usage_mask.is_some(),
        refused.lease_time.is_some(),
    ];
    refused.into_iter().filter(|one| *one).count() == 1
}

/// Whether so many units are left, where they are limited.
fn leaves(attributes: &AttributeSet, count: i64) -> bool {
    let told = limits::limits(attributes).map(limits::allowance);
    told.is_none_or(|left| count <= left)
}

/// Whether the object may be used like this: by its mask, and not to protect anything more once that is over for good.
fn permits(attributes: &AttributeSet, state: State, mask: CryptographicUsageMask) -> bool {
    let own = match attributes.first(AttributeKind::CryptographicUsageMask) {
        Some(Attribute::CryptographicUsageMask(own)) => *own,
        _ => CryptographicUsageMask::NONE,
    };
    let over = matches!(state, State::Deactivated | State::Compromised);
    own.contains(mask) && !(over && protects(mask))
}

/// Whether a lease so long would be given. 0 asks for one without an end.
fn lends(context: &Context<'_>, attributes: &AttributeSet, Interval(wanted): Interval) -> bool {
    match grantable(context, attributes) {
        Some(0) => true,
        Some(most) => wanted > 0 && wanted <= most,
        None => false,
    }
}
