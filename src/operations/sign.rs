//! Sign (KMIP 2.1 §6.1.55; KMIP 1.4 §4.31).

use super::keyed::{Key, Purpose, bytes, refuse_parts};
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::signature::{self, SignatureScheme};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, SignRequest, SignResponse};
use kmip_ttlv::Secret;

impl Handle for SignRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SignResponse, Failure> {
        let usage = CryptographicUsageMask::Sign;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Protect, usage).await?;
        refuse_parts(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let private = key.private()?;
        let parameters = key.parameters(self.cryptographic_parameters.as_ref())?;
        let scheme = SignatureScheme::choose(&parameters, private.kind()?)?;
        let (taken, is_digest) = match (&self.data, &self.digested_data) {
            (Some(data), None) => (bytes(data)?.clone(), false),
            (None, Some(digest)) => (Secret::new(digest.clone()), true),
            (None, None) => return Err(Fault::MissingField.into()),
            (Some(_), Some(_)) => return Err(Fault::InvalidField.into()),
        };
        take_allowance(context, &key.object, taken.len()).await?;
        let is_heavy = signature::is_heavy(&private);
        let compute = move || {
            if is_digest {
                signature::sign_digest(scheme, &private, taken.expose())
            } else {
                signature::sign(scheme, &private, taken.expose())
            }
        };
        let signature_data = if is_heavy {
            context.services.heavy.run(context.principal.into(), compute).await?
        } else {
            compute()
        }?;
        context.place(&key.object.unique_identifier);
        Ok(SignResponse {
            unique_identifier: key.object.unique_identifier,
            signature_data: Some(signature_data),
            correlation_value: None,
        })
    }
}
