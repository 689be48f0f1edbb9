//! RNG Seed (KMIP 2.1 §6.1.50; KMIP 1.4 §4.36).

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{RNGSeedRequest, RNGSeedResponse};

impl Handle for RNGSeedRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RNGSeedResponse, Failure> {
        let seed = context.data(&self.data)?;
        let used = context.services.randomness.absorb(seed.expose());
        Ok(RNGSeedResponse {
            data_length: i32::try_from(used).unwrap_or(i32::MAX),
        })
    }
}
