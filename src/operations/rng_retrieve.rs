//! RNG Retrieve (KMIP 2.1 §6.1.49; KMIP 1.4 §4.35).

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{DataKind, RNGRetrieveRequest, RNGRetrieveResponse};

impl Handle for RNGRetrieveRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RNGRetrieveResponse, Failure> {
        let length = usize::try_from(self.data_length).map_err(|_| Failure::new(Fault::InvalidField))?;
        if length > context.services.limits.random_bytes {
            return Err(Fault::LimitExceeded.into());
        }
        let data = context.services.randomness.secret(length)?;
        context.produce(DataKind::RNGRetrieve, Some(data.expose()))?;
        Ok(RNGRetrieveResponse { data })
    }
}
