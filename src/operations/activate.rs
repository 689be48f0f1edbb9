//! Activate (KMIP 2.1 §6.1.1; KMIP 1.4 §4.19).

use super::context::Wanted;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{ActivateRequest, ActivateResponse, Attribute, DateTime, ObjectType, State};

impl Handle for ActivateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ActivateResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        if object.object_type == ObjectType::Template {
            return Err(Fault::IllegalObjectType.into());
        }
        let now = context.seconds();
        if object.attributes.dates().state(now) != State::PreActive {
            return Err(Fault::WrongState.into());
        }
        object.attributes.set(Attribute::ActivationDate(DateTime(now)));
        context.save(&mut object)?;
        context.tell(&object.unique_identifier);
        Ok(ActivateResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
