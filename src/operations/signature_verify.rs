//! Signature Verify (KMIP 2.1 §6.1.56; KMIP 1.4 §4.32).

use super::keyed::{Key, Purpose, bytes, refuse_parts};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::signature::{self, SignatureScheme};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, SignatureVerifyRequest, SignatureVerifyResponse, ValidityIndicator};

impl Handle for SignatureVerifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SignatureVerifyResponse, Failure> {
        let usage = CryptographicUsageMask::Verify;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Process, usage).await?;
        refuse_parts(
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let public = key.public()?;
        let parameters = key.parameters(self.cryptographic_parameters.as_ref())?;
        let scheme = SignatureScheme::choose(&parameters, public.kind()?)?;
        let mark = self
            .signature_data
            .as_deref()
            .ok_or(Failure::new(Fault::MissingField))?;
        let holds = match (&self.data, &self.digested_data) {
            (Some(data), None) => signature::verify(scheme, &public, bytes(data)?.expose(), mark)?,
            (None, Some(digest)) => signature::verify_digest(scheme, &public, digest, mark)?,
            (None, None) => return Err(Fault::MissingField.into()),
            (Some(_), Some(_)) => return Err(Fault::InvalidField.into()),
        };
        context.place(&key.object.unique_identifier);
        Ok(SignatureVerifyResponse {
            unique_identifier: key.object.unique_identifier,
            validity_indicator: Some(if holds {
                ValidityIndicator::Valid
            } else {
                ValidityIndicator::Invalid
            }),
            data: None,
            correlation_value: None,
        })
    }
}
