//! MAC Verify (KMIP 2.1 §6.1.33; KMIP 1.4 §4.34).

use super::keyed::{Key, Purpose, whole};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::{MacContext, MacMethod};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicUsageMask, MACVerifyRequest, MACVerifyResponse, ValidityIndicator};

impl Handle for MACVerifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<MACVerifyResponse, Failure> {
        let usage = CryptographicUsageMask::MACVerify;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Process, usage).await?;
        let data = whole(
            self.data.as_ref(),
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        let expected = self.mac_data.as_deref().ok_or(Failure::new(Fault::MissingField))?;
        let parameters = key.parameters(self.cryptographic_parameters.as_ref())?;
        let holds = {
            let mut mac = MacContext::start(MacMethod::choose(&parameters, key.algorithm())?, key.bytes()?)?;
            mac.update(data.expose())?;
            mac.verify(expected)?
        };
        context.place(&key.object.unique_identifier);
        Ok(MACVerifyResponse {
            unique_identifier: key.object.unique_identifier,
            validity_indicator: Some(if holds {
                ValidityIndicator::Valid
            } else {
                ValidityIndicator::Invalid
            }),
            correlation_value: None,
        })
    }
}
