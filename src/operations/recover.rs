//! Recover (KMIP 2.1 §6.1.42; KMIP 1.4 §4.23).

use super::context::Wanted;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{AttributeKind, RecoverRequest, RecoverResponse};

impl Handle for RecoverRequest {
    /// An object that is not archived is at hand already: no error is foreseen for it, and nothing changes.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RecoverResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Stored).await?;
        if object.attributes.has(AttributeKind::ArchiveDate) {
            object.attributes.clear(AttributeKind::ArchiveDate);
            context.save(&mut object)?;
        }
        context.place(&object.unique_identifier);
        Ok(RecoverResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
