//! Archive (KMIP 2.1 §6.1.4; KMIP 1.4 §4.22). Archived objects lie where all others do: what an archive is, is the server's to say. What
//! counts is that nobody uses one before it is recovered.

use super::context::Wanted;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{ArchiveRequest, ArchiveResponse, Attribute, DateTime};

impl Handle for ArchiveRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ArchiveResponse, Failure> {
        let mut object = context.object(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        object
            .attributes
            .set(Attribute::ArchiveDate(DateTime(context.seconds())));
        context.save(&mut object)?;
        context.tell(&object.unique_identifier);
        Ok(ArchiveResponse {
            unique_identifier: object.unique_identifier,
        })
    }
}
