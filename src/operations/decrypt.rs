//! Decrypt (KMIP 2.1 §6.1.11; KMIP 1.4 §4.30).

use super::keyed::{Key, Purpose, whole};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::{self, CipherRequest, Direction};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, DecryptRequest, DecryptResponse, ManagedObject};
use kmip_ttlv::Secret;

impl Handle for DecryptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DecryptResponse, Failure> {
        let usage = CryptographicUsageMask::Decrypt;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Process, usage).await?;
        let data = whole(
            self.data.as_ref(),
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let plain = decrypt(self, &key, data.expose())?;
        context.place(&key.object.unique_identifier);
        Ok(DecryptResponse {
            unique_identifier: key.object.unique_identifier,
            data: Some(plain),
            correlation_value: None,
        })
    }
}

fn decrypt(request: &DecryptRequest, key: &Key, data: &[u8]) -> Result<Secret, Failure> {
    let parameters = key.parameters(request.cryptographic_parameters.as_ref())?;
    if !matches!(key.managed, ManagedObject::SymmetricKey(_)) {
        return Ok(crypto::decrypt_with(&key.private()?, &parameters, data)?);
    }
    let algorithm = key.algorithm().ok_or(Failure::new(Fault::BadParameters))?;
    if parameters
        .cryptographic_algorithm
        .is_some_and(|named| named != algorithm)
    {
        return Err(Fault::BadParameters.into());
    }
    let request = CipherRequest {
        direction: Direction::Decrypt,
        algorithm,
        key: key.bytes()?,
        parameters: &parameters,
        iv: request.iv_counter_nonce.as_deref(),
        additional_data: request
            .authenticated_encryption_additional_data
            .as_deref()
            .unwrap_or_default(),
        tag: request.authenticated_encryption_tag.as_deref(),
    };
    Ok(crypto::decrypt(request, data)?)
}
