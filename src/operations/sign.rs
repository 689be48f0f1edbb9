//! Sign (KMIP 2.1 §6.1.55; KMIP 1.4 §4.31).

use super::authenticating::Message;
use super::keyed::Purpose;
use super::part::Part;
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::signature;
use crate::failure::Failure;
use kmip_protocol::{CryptographicUsageMask, DataKind, Request, SignRequest, SignResponse};

impl Handle for SignRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SignResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::Sign;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Protect, usage)
            .await?;
        let private = key.private()?;
        let given = (self.data.as_ref(), self.digested_data.as_ref());
        let parameters = self.cryptographic_parameters.as_ref();
        let (message, taken) = Message::take(context, &turn, &key, private.kind()?, parameters, given)?;
        take_allowance(context, &key.object, taken, part.continues()).await?;
        let (signature_data, correlation_value) = if part.ends() {
            turn.end(context)?;
            let made = if signature::is_heavy(&private) {
                let account = context.principal.into();
                context
                    .services
                    .heavy
                    .run(account, move || message.sign(&private))
                    .await?
            } else {
                message.sign(&private)
            };
            (Some(made?), None)
        } else {
            (None, message.keep(context, &turn, &key)?)
        };
        context.produce(DataKind::SignSignatureData, signature_data.as_deref())?;
        context.tell(&key.object.unique_identifier);
        Ok(SignResponse {
            unique_identifier: key.object.unique_identifier,
            signature_data,
            correlation_value,
        })
    }
}
