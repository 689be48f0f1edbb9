//! Decrypt (KMIP 2.1 §6.1.11; KMIP 1.4 §4.30).

use super::ciphering::{Asked, process};
use super::keyed::Purpose;
use super::part::Part;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::Direction;
use crate::failure::Failure;
use kmip_protocol::{CryptographicUsageMask, DataKind, DecryptRequest, DecryptResponse, Request};
use kmip_ttlv::Secret;

impl Handle for DecryptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DecryptResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::Decrypt;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Process, usage)
            .await?;
        let data = turn.data(context, self.data.as_ref())?;
        let asked = Asked {
            direction: Direction::Decrypt,
            parameters: self.cryptographic_parameters.as_ref(),
            iv: self.iv_counter_nonce.as_deref(),
            additional_data: self.authenticated_encryption_additional_data.as_deref(),
            tag: self.authenticated_encryption_tag.as_deref(),
        };
        let mut given = process(context, &turn, &key, &asked, &data)?;
        let data = given.data(part).map(Secret::new);
        context.produce(DataKind::Decrypt, data.as_ref().map(Secret::expose))?;
        context.tell(&key.object.unique_identifier);
        Ok(DecryptResponse {
            unique_identifier: key.object.unique_identifier,
            data,
            correlation_value: given.correlation,
        })
    }
}
