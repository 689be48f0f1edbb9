//! Ping (KMIP 2.1 §6.1.36): whether the server answers.

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{PingRequest, PingResponse};

impl Handle for PingRequest {
    async fn handle(&self, _: &Granted<Self>, _: &mut Context<'_>) -> Result<PingResponse, Failure> {
        Ok(PingResponse::default())
    }
}
