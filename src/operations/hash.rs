//! Hash (KMIP 2.1 §6.1.24; KMIP 1.4 §4.37).

use super::keyed::whole;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto;
use crate::failure::{Failure, Fault};
use kmip_protocol::{HashRequest, HashResponse};

impl Handle for HashRequest {
    async fn handle(&self, _: &Granted<Self>, _: &mut Context<'_>) -> Result<HashResponse, Failure> {
        let data = whole(
            self.data.as_ref(),
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let algorithm = self.cryptographic_parameters.hashing_algorithm;
        let algorithm = algorithm.ok_or(Failure::new(Fault::BadParameters))?;
        Ok(HashResponse {
            data: Some(crypto::hash(algorithm, data.expose())?),
            correlation_value: None,
        })
    }
}
