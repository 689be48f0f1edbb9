//! MAC Verify (KMIP 2.1 §6.1.33; KMIP 1.4 §4.34).

use super::authenticating::{advance, validity};
use super::keyed::Purpose;
use super::part::{Part, State};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, MACVerifyRequest, MACVerifyResponse, Request};

impl Handle for MACVerifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<MACVerifyResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::MACVerify;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Process, usage)
            .await?;
        let data = turn.data(context, self.data.as_ref())?;
        let (mut opening, mac) = advance(&turn, &key, self.cryptographic_parameters.as_ref(), &data)?;
        opening.take_mark(self.mac_data.as_deref())?;
        let (validity_indicator, correlation_value) = if part.ends() {
            let expected = opening.mark.as_deref().ok_or(Failure::new(Fault::MissingField))?;
            turn.end(context)?;
            (Some(validity(mac.verify(expected)?)), None)
        } else {
            (None, turn.keep(context, Some(&key), opening, State::Mac(mac))?)
        };
        context.tell(&key.object.unique_identifier);
        Ok(MACVerifyResponse {
            unique_identifier: key.object.unique_identifier,
            validity_indicator,
            correlation_value,
        })
    }
}
