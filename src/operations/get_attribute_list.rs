//! Get Attribute List (KMIP 2.1 §6.1.21; KMIP 1.4 §4.13).

use super::context::Wanted;
use super::get_attributes::present;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{GetAttributeListRequest, GetAttributeListResponse};

impl Handle for GetAttributeListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<GetAttributeListResponse, Failure> {
        let object = context.object(self.unique_identifier.as_ref(), Wanted::Remains).await?;
        let references = present(&object, context);
        context.tell(&object.unique_identifier);
        Ok(GetAttributeListResponse {
            unique_identifier: object.unique_identifier,
            references,
        })
    }
}
