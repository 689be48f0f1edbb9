//! Set Endpoint Role (KMIP 2.1 §6.1.54): a client has the server ask over the client's own connection. What follows is `exchange`'s.

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{EndpointRole, SetEndpointRoleRequest, SetEndpointRoleResponse};

impl Handle for SetEndpointRoleRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SetEndpointRoleResponse, Failure> {
        match self.endpoint_role {
            // It has that role already.
            EndpointRole::Server => {}
            // Its answer is the last one that the server gives in its old role.
            EndpointRole::Client if context.batch.can_reverse => context.batch.reverses = true,
            EndpointRole::Client => return Err(Fault::FeatureNotSupported.into()),
            _ => return Err(Fault::InvalidField.into()),
        }
        Ok(SetEndpointRoleResponse {
            endpoint_role: self.endpoint_role,
        })
    }
}
