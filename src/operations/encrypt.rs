//! Encrypt (KMIP 2.1 §6.1.17; KMIP 1.4 §4.29).

use super::ciphering::{Asked, process};
use super::keyed::Purpose;
use super::part::Part;
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::Direction;
use crate::failure::Failure;
use kmip_protocol::{CryptographicUsageMask, DataKind, EncryptRequest, EncryptResponse, Request};

impl Handle for EncryptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EncryptResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::Encrypt;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Protect, usage)
            .await?;
        let data = turn.data(context, self.data.as_ref())?;
        take_allowance(context, &key.object, data.len(), part.continues()).await?;
        let asked = Asked {
            direction: Direction::Encrypt,
            parameters: self.cryptographic_parameters.as_ref(),
            iv: self.iv_counter_nonce.as_deref(),
            additional_data: self.authenticated_encryption_additional_data.as_deref(),
            tag: None,
        };
        let mut given = process(context, &turn, &key, &asked, &data)?;
        let data = given.data(part);
        context.produce(DataKind::Encrypt, data.as_deref())?;
        context.tell(&key.object.unique_identifier);
        Ok(EncryptResponse {
            unique_identifier: key.object.unique_identifier,
            data,
            iv_counter_nonce: given.iv,
            correlation_value: given.correlation,
            authenticated_encryption_tag: given.tag,
        })
    }
}
