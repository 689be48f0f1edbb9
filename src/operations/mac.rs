//! MAC (KMIP 2.1 §6.1.32; KMIP 1.4 §4.33).

use super::authenticating::advance;
use super::keyed::Purpose;
use super::part::{Part, State};
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{CryptographicUsageMask, DataKind, MACRequest, MACResponse, Request};

impl Handle for MACRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<MACResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::MACGenerate;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Protect, usage)
            .await?;
        let data = turn.data(context, self.data.as_ref())?;
        take_allowance(context, &key.object, data.len(), part.continues()).await?;
        let (opening, mac) = advance(&turn, &key, self.cryptographic_parameters.as_ref(), &data)?;
        let (mac_data, correlation_value) = if part.ends() {
            turn.end(context)?;
            (Some(mac.finish()?), None)
        } else {
            (None, turn.keep(context, Some(&key), opening, State::Mac(mac))?)
        };
        context.produce(DataKind::MACMACData, mac_data.as_deref())?;
        context.tell(&key.object.unique_identifier);
        Ok(MACResponse {
            unique_identifier: key.object.unique_identifier,
            mac_data,
            correlation_value,
        })
    }
}
