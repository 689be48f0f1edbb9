//! MAC (KMIP 2.1 §6.1.32; KMIP 1.4 §4.33).

use super::keyed::{Key, Purpose, whole};
use super::usage::take_allowance;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::crypto::{self, MacMethod};
use crate::failure::Failure;
use kmip_protocol::{CryptographicUsageMask, MACRequest, MACResponse};

impl Handle for MACRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<MACResponse, Failure> {
        let usage = CryptographicUsageMask::MACGenerate;
        let key = Key::of(context, self.unique_identifier.as_ref(), Purpose::Protect, usage).await?;
        let data = whole(
            self.data.as_ref(),
            self.correlation_value.as_ref(),
            self.init_indicator,
            self.final_indicator,
        )?;
        take_allowance(context, &key.object, data.len()).await?;
        let parameters = key.parameters(self.cryptographic_parameters.as_ref())?;
        let method = MacMethod::choose(&parameters, key.algorithm())?;
        let mac_data = crypto::mac(method, key.bytes()?, data.expose())?;
        context.place(&key.object.unique_identifier);
        Ok(MACResponse {
            unique_identifier: key.object.unique_identifier,
            mac_data: Some(mac_data),
            correlation_value: None,
        })
    }
}
