//! Signature Verify (KMIP 2.1 §6.1.56; KMIP 1.4 §4.32).

use super::authenticating::{Message, validity};
use super::keyed::Purpose;
use super::part::Part;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, Request, SignatureVerifyRequest, SignatureVerifyResponse};

impl Handle for SignatureVerifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SignatureVerifyResponse, Failure> {
        let part = Part::of(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let turn = context.turn(part, Self::OPERATION)?;
        let usage = CryptographicUsageMask::Verify;
        let key = turn
            .key(context, self.unique_identifier.as_ref(), Purpose::Process, usage)
            .await?;
        let public = key.public()?;
        let given = (self.data.as_ref(), self.digested_data.as_ref());
        let parameters = self.cryptographic_parameters.as_ref();
        let (mut message, _) = Message::take(context, &turn, &key, public.kind()?, parameters, given)?;
        message.opening.take_mark(self.signature_data.as_deref())?;
        let (validity_indicator, correlation_value) = if part.ends() {
            let mark = message.opening.mark.clone().ok_or(Failure::new(Fault::MissingField))?;
            turn.end(context)?;
            (Some(validity(message.verify(&public, &mark)?)), None)
        } else {
            (None, message.keep(context, &turn, &key)?)
        };
        context.tell(&key.object.unique_identifier);
        Ok(SignatureVerifyResponse {
            unique_identifier: key.object.unique_identifier,
            validity_indicator,
            data: None,
            correlation_value,
        })
    }
}
