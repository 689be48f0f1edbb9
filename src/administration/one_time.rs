//! One's own one-time passwords: begun, and shown to work. From then on Login wants them; only a reset by another takes them away.

use super::people::{asker, id_of, keep, load};
use super::sealed;
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::identity::{OneTimeRecord, one_time, person_counter};
use crate::operations::{Context, Handle};
use kmip_protocol::{
    OneTimeConfirmRequest, OneTimeConfirmResponse, OneTimeEnrollRequest, OneTimeEnrollResponse, SecretText,
};

impl Handle for OneTimeEnrollRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<OneTimeEnrollResponse, Failure> {
        let id = id_of(asker(context)?.as_ref());
        let record = load(context, id).await?;
        let mut record = record.ok_or(Failure::new(Fault::PersonNotFound))?;
        if record.one_time.as_ref().is_some_and(|one_time| one_time.confirmed) {
            return Err(Fault::PersonState.into());
        }
        let secret = context.services.randomness.secret(one_time::SECRET_BYTES)?;
        record.one_time = Some(OneTimeRecord {
            sealed: sealed::seal(&context.services.custody, context.work, id, &secret).await?,
            confirmed: false,
        });
        keep(context, id, &record).await?;
        let text = zeroize::Zeroizing::new(one_time::base32(secret.expose()));
        Ok(OneTimeEnrollResponse {
            secret: SecretText::new(&text),
        })
    }
}

impl Handle for OneTimeConfirmRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<OneTimeConfirmResponse, Failure> {
        let id = id_of(asker(context)?.as_ref());
        let record = load(context, id).await?;
        let mut record = record.ok_or(Failure::new(Fault::PersonNotFound))?;
        let pending = record.one_time.as_mut().filter(|one_time| !one_time.confirmed);
        let pending = pending.ok_or(Failure::new(Fault::PersonState))?;
        let secret = sealed::open(&context.services.custody, id, &pending.sealed).await?;
        let counter = person_counter::LAST_STEP;
        let last = context.work.counter(id.key(), counter).await?.unwrap_or(0);
        let step = one_time::step_of(secret.expose(), self.code.expose(), context.seconds(), last);
        let step = step.ok_or(Failure::new(Fault::CredentialRefused))?;
        pending.confirmed = true;
        keep(context, id, &record).await?;
        let ahead = step.saturating_sub(last);
        let counted = context.work.adjust(id.key(), counter, ahead, (0, step)).await?;
        counted.map_err(|_| Failure::new(Fault::CredentialRefused))?;
        Ok(OneTimeConfirmResponse::default())
    }
}
