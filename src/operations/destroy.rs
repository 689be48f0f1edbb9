//! Destroy (KMIP 2.1 §6.1.15; KMIP 1.4 §4.21). The material goes with this commit; the attributes stay.

use super::context::Wanted;
use super::{Context, Handle, Notice};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{Attribute, DateTime, DestroyRequest, DestroyResponse, State};

impl Handle for DestroyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DestroyResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Remains).await?;
        let dates = object.attributes.dates();
        if dates.destroy.is_some() {
            return Err(Fault::AlreadyDestroyed.into());
        }
        if dates.archive.is_some() && !context.version.destroys_archived() {
            return Err(Fault::ObjectArchived.into());
        }
        let now = context.seconds();
        if object.state(now) == Some(State::Active) {
            return Err(Fault::WrongState.into());
        }
        object.attributes.set(Attribute::DestroyDate(DateTime(now)));
        // What a backup from before can still be opened by.
        object.leave_kek();
        object.material = None;
        let names: Vec<String> = object.attributes.names().map(|n| n.name_value.clone()).collect();
        for name in names {
            context.release_name(&object, &name).await?;
        }
        context.count_object(-1).await?;
        context.save(&mut object)?;
        context.batch.notices.push(Notice::Destroyed(object.internal_id));
        context.tell(&object.unique_identifier);
        Ok(DestroyResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
