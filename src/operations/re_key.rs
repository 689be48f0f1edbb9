//! Re-key (KMIP 2.1 §6.1.46; KMIP 1.4 §4.4): a new symmetric key in the place of another.

use super::context::Wanted;
use super::creation::{self, Source};
use super::replacement::{self, MOVED};
use super::{Context, Handle, create, key_formats};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{ObjectType, ReKeyRequest, ReKeyResponse};

impl Handle for ReKeyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ReKeyResponse, Failure> {
        creation::permit_storage(self.protection_storage_masks.as_ref(), Fault::ProtectionStorage)?;
        let given = self.unique_identifier.as_ref();
        let mut existing = context.object(given, Wanted::Whole).await?;
        if existing.object_type != ObjectType::SymmetricKey {
            return Err(Fault::UnusableObjectType.into());
        }
        let given = creation::stated(context, ObjectType::SymmetricKey, self.attributes.iter()).await?;
        let attributes = replacement::attributes(context, &existing, given, self.offset, &MOVED)?;
        let managed = key_formats::as_asked(create::symmetric_key(context, &attributes)?, &attributes)?;
        replacement::release_names(context, &mut existing).await?;
        let mut replacement = creation::insert(context, attributes, &managed, Source::Generated).await?;
        replacement::tie(context, &mut existing, &mut replacement).await?;
        Ok(ReKeyResponse {
            unique_identifier: replacement.unique_identifier,
            attributes: None,
        })
    }
}
