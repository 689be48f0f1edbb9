//! Get Usage Allocation (KMIP 2.1 §6.1.23; KMIP 1.4 §4.18).

use super::context::Wanted;
use super::{Context, Handle, usage};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::state::protects;
use kmip_protocol::{AttributeKind, GetUsageAllocationRequest, GetUsageAllocationResponse};

impl Handle for GetUsageAllocationRequest {
    async fn handle(
        &self,
        _: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<GetUsageAllocationResponse, Failure> {
        if self.usage_limits_count < 0 {
            return Err(Fault::InvalidField.into());
        }
        let object = context.kept(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let attributes = &object.attributes;
        if !protects(attributes.usage_mask()?) {
            return Err(Fault::IllegalObjectType.into());
        }
        if attributes.first(AttributeKind::UsageLimits)?.is_none() {
            return Err(Fault::NoUsageLimits.into());
        }
        if !attributes.dates()?.may_protect(context.seconds()) {
            return Err(Fault::WrongState.into());
        }
        usage::take_units(context, &object, self.usage_limits_count).await?;
        context.tell(&object.unique_identifier);
        Ok(GetUsageAllocationResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
