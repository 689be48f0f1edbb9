//! Changing the key-usage PIN of an HSM-Profile (family 04). The new one is kept beside the old one before the token is asked, and not
//! forgotten before it is known which of them the token has: whatever goes down in between, one of the two opens it.

use super::hsm_profile_life::{described, first_asked, judge_pin, keep};
use super::{desk, hsm_profile, kek, server_act};
use crate::authority::{Granted, Target};
use crate::custody::{CustodyError, Locked, ProfileId, ProfileRecord, StagedPin, TokenRecord};
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle};
use crate::store::Work;
use kmip_protocol::{HsmProfileRotatePinRequest, HsmProfileRotatePinResponse, Operation};
use std::sync::Arc;

impl Handle for HsmProfileRotatePinRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<HsmProfileRotatePinResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let (id, mut record) = judge(self, context).await?;
        let occasion = desk::made_by(granted.origin(), "PIN", context)?;
        if self.stored_only == Some(true) {
            let token = token(&record)?;
            let pin = given(self, context)?.ok_or(Failure::new(Fault::MissingField))?;
            let outfit = &context.services.outfit;
            outfit.try_pin(occasion, token, &pin).await.map_err(first_asked)?;
            take(context, id, &mut record, &pin)?;
        } else {
            change(self, context, id, &mut record, occasion).await?;
        }
        context.work.delete(hsm_profile::staged_place(id)).await?;
        keep(context, id, &record).await?;
        Ok(HsmProfileRotatePinResponse {})
    }

    /// Bound to no state of the record: another PIN does not change what the profile is.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (_, record) = judge(self, context).await?;
        let whose = if self.new_pin.is_some() {
            "a given one"
        } else {
            "one that nobody learns"
        };
        let how = if self.stored_only == Some(true) {
            "the token has it already"
        } else {
            "at the token and here"
        };
        Ok(Target {
            description: Some(format!("the PIN of {}: {whose}, {how}", described(&record))),
            ..Target::default()
        })
    }
}

/// The new PIN, if the request has it.
fn given(request: &HsmProfileRotatePinRequest, context: &Context<'_>) -> Result<Option<Locked>, Failure> {
    let slab = context.services.custody.slab();
    let given = request.new_pin.as_ref();
    let pin = given.map(|pin| slab.copy_from(pin.expose().as_bytes())).transpose();
    Ok(pin.map_err(CustodyError::from)?)
}

/// Has the token take another PIN. What an interrupted run of the same proposal has begun is ended.
async fn change(
    request: &HsmProfileRotatePinRequest,
    context: &mut Context<'_>,
    id: ProfileId,
    record: &mut ProfileRecord,
    occasion: [u8; 16],
) -> Result<(), Failure> {
    let outfit = Arc::clone(&context.services.outfit);
    let staged = hsm_profile::staged(&context.services.store, id).await?;
    let (new, resumed) = match staged {
        Some(staged) if staged.occasion == occasion => (outfit.open_pin(id, token(record)?, &staged.pin)?, true),
        before => {
            if before.is_some() && !settle(context, id, record).await? {
                return Err(Fault::PinRefused.into());
            }
            let new = match given(request, context)? {
                Some(given) => given,
                None => outfit.random_pin()?,
            };
            let pin = outfit.seal_pin(id, token(record)?, &new)?;
            stage(context, id, record, Some(StagedPin { occasion, pin })).await?;
            (new, false)
        }
    };
    let token_record = token(record)?;
    let old = outfit.open_pin(id, token_record, &token_record.pin)?;
    if let Err(error) = outfit.change_pin(token_record, old, &new).await {
        // It may have been changed all the same: the token's answer was lost, or that to an earlier run. Where neither can be, no PIN is
        // sent that the token does not have.
        let refused = error != CustodyError::Unavailable;
        let tried = match refused && !resumed {
            true => Err(CustodyError::Credential),
            false => outfit.try_pin(occasion, token_record, &new).await,
        };
        match tried {
            Ok(_) => {}
            Err(CustodyError::Credential) if refused => {
                stage(context, id, record, None).await?;
                let fault = match error {
                    CustodyError::Credential => Fault::PinRefused,
                    CustodyError::Refused => Fault::PinUnfit,
                    other => return Err(other.into()),
                };
                return Err(Failure::detailed(fault, error));
            }
            Err(_) => return Err(CustodyError::Unavailable.into()),
        }
    }
    take(context, id, record, &new)
}

/// Finds out which PIN a token has whose change was interrupted, and leaves that one in the record. Whether it is known now.
pub(super) async fn settle(
    context: &mut Context<'_>,
    id: ProfileId,
    record: &mut ProfileRecord,
) -> Result<bool, Failure> {
    let Some(staged) = hsm_profile::staged(&context.services.store, id).await? else {
        return Ok(false);
    };
    let outfit = Arc::clone(&context.services.outfit);
    let token = token(record)?.clone();
    // Each is tried once in the life of this server, however often somebody asks.
    let mut other = staged.occasion;
    other.iter_mut().for_each(|byte| *byte ^= 0xFF);
    for (occasion, sealed) in [(staged.occasion, &staged.pin), (other, &token.pin)] {
        let pin = outfit.open_pin(id, &token, sealed)?;
        match outfit.try_pin(occasion, &token, &pin).await {
            Ok(_) => {
                take(context, id, record, &pin)?;
                context.work.delete(hsm_profile::staged_place(id)).await?;
                return Ok(true);
            }
            Err(CustodyError::Credential) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Keeps the PIN that the token is about to be given, or forgets it: at once, since the token does not wait for the proposal's commit.
async fn stage(
    context: &Context<'_>,
    id: ProfileId,
    record: &ProfileRecord,
    staged: Option<StagedPin>,
) -> Result<(), Failure> {
    let services = context.services;
    let mut work = Work::new(Arc::clone(&services.store));
    let place = hsm_profile::staged_place(id);
    let what = match staged {
        Some(staged) => {
            kek::put(&services.custody, &mut work, place, staged.encode()).await?;
            "a new PIN was kept"
        }
        None => {
            work.delete(place).await?;
            "the new PIN was forgotten, which the token did not take"
        }
    };
    let note = format!("{what}: HSM-Profile {}", record.name);
    let act = Operation::HsmProfileRotatePin.0;
    work.audit(server_act(act, place.domain, context.now, &note));
    let kept = services.store.commit(work.into_change_set(context.now.0)).await;
    kept.map(drop)
        .map_err(|why| Failure::detailed(Fault::StoreUnavailable, why))
}

/// Puts a PIN into the record.
fn take(context: &Context<'_>, id: ProfileId, record: &mut ProfileRecord, pin: &Locked) -> Result<(), Failure> {
    let sealed = context.services.outfit.seal_pin(id, token(record)?, pin)?;
    if let Some(token) = &mut record.token {
        token.pin = sealed;
    }
    Ok(())
}

/// The profile, if its PIN can be changed so.
async fn judge(
    request: &HsmProfileRotatePinRequest,
    context: &mut Context<'_>,
) -> Result<(ProfileId, ProfileRecord), Failure> {
    let (id, record) = hsm_profile::named(context, Some(&request.hsm_profile_name)).await?;
    token(&record)?;
    match &request.new_pin {
        Some(pin) => judge_pin(pin)?,
        None if request.stored_only == Some(true) => return Err(Fault::MissingField.into()),
        None => {}
    }
    Ok((id, record))
}

fn token(record: &ProfileRecord) -> Result<&TokenRecord, Failure> {
    record.token.as_ref().ok_or(Failure::new(Fault::NoToken))
}
