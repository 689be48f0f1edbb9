//! Encrypt (KMIP 2.1 §6.1.17; KMIP 1.4 §4.29).

use super::keyed::{Key, Purpose, whole};
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::{self, CipherRequest, Direction, Encrypted};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, EncryptRequest, EncryptResponse, ManagedObject};

impl Handle for EncryptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EncryptResponse, Failure> {
        let usage = CryptographicUsageMask::Encrypt;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Protect, usage).await?;
        let data = whole(
            self.data.as_ref(),
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        take_allowance(context, &key.object, data.len()).await?;
        let Encrypted { data, iv, tag } = encrypt(self, &key, data.expose())?;
        context.place(&key.object.unique_identifier);
        Ok(EncryptResponse {
            unique_identifier: key.object.unique_identifier,
            data: Some(data),
            iv_counter_nonce: iv,
            correlation_value: None,
            authenticated_encryption_tag: tag,
        })
    }
}

fn encrypt(request: &EncryptRequest, key: &Key, data: &[u8]) -> Result<Encrypted, Failure> {
    let parameters = key.parameters(request.cryptographic_parameters.as_ref())?;
    if !matches!(key.managed, ManagedObject::SymmetricKey(_)) {
        let data = crypto::encrypt_to(&key.public()?, &parameters, data)?;
        return Ok(Encrypted {
            data,
            iv: None,
            tag: None,
        });
    }
    let algorithm = key.algorithm().ok_or(Failure::new(Fault::BadParameters))?;
    if parameters
        .cryptographic_algorithm
        .is_some_and(|named| named != algorithm)
    {
        return Err(Fault::BadParameters.into());
    }
    let request = CipherRequest {
        direction: Direction::Encrypt,
        algorithm,
        key: key.bytes()?,
        parameters: &parameters,
        iv: request.iv_counter_nonce.as_deref(),
        additional_data: request
            .authenticated_encryption_additional_data
            .as_deref()
            .unwrap_or_default(),
        tag: None,
    };
    Ok(crypto::encrypt(request, data)?)
}
