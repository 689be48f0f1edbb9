//! The ceremony that migrates legacy tokens (family 05, P-KMS-TNT-07): those who hold shares hand them in, one each, until enough are there.
//! Shares are verified by themselves before they count, lie in secret memory only, and are gone with the server or when the next one does
//! not come.

use super::desk;
use super::legacy_token::{self, LegacyTokenRecord, all, keep, place};
use super::people::{asker, id_of, load};
use crate::audit::alarm::Event;
use crate::authority::Granted;
use crate::custody::legacy::{Holder, IDLE_MS, Share, ShareError, Unfit};
use crate::failure::{Failure, Fault};
use crate::identity::{Id, PersonId, TenantRecord};
use crate::operations::{Context, Handle, Notice};
use crate::store::Domain;
use kmip_protocol::{
    CeremonyAbortRequest, CeremonyAbortResponse, CeremonyStatusRequest, CeremonyStatusResponse, DateTime, LegacyToken,
    LegacyTokenState, ShareHolder, ShareSubmitRequest, ShareSubmitResponse,
};

impl Handle for CeremonyStatusRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CeremonyStatusResponse, Failure> {
        let domain = desk::domain(context)?;
        let tenant = desk::read(context, TenantRecord::key(domain), TenantRecord::decode).await?;
        let tenant = tenant.ok_or(Failure::new(Fault::NotFound))?;
        let mut legacy_tokens = Vec::new();
        for record in all(context, domain).await? {
            legacy_tokens.push(told(context, domain, &record, None).await?);
        }
        Ok(CeremonyStatusResponse {
            migration_required: tenant.migration.stops_people(),
            legacy_tokens,
        })
    }
}

impl Handle for ShareSubmitRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ShareSubmitResponse, Failure> {
        let person = id_of(asker(context)?.as_ref());
        let custody = &context.services.custody;
        let share = Share::read(custody.slab(), self.legacy_share.expose()).map_err(unreadable)?;
        let (domain, token) = (person.domain, share.token);
        let record = desk::read(context, place(domain, token), LegacyTokenRecord::decode).await?;
        // A token that there is not, and a share that was not handed out, are told alike.
        let record = record.filter(|record| record.token.has(&share));
        let record = record.ok_or(Failure::new(Fault::LegacyShareRefused))?;
        if record.state != LegacyTokenState::Waiting {
            return Err(Fault::LegacyTokenState.into());
        }
        let holder = Holder {
            person: person.person,
            at_ms: context.now.0,
        };
        let gatherings = context.services.custody.gatherings();
        gatherings.lay_down((domain, token), holder, share).map_err(|unfit| {
            Failure::new(match unfit {
                Unfit::Person => Fault::LegacyShareByPerson,
                Unfit::Share => Fault::LegacyShareTaken,
            })
        })?;
        // Written so that it stands in the trail of changes, and that of two at once the second sees the first.
        keep(context, domain, &record).await?;
        let counts = Notice::Share(domain, token, person.person);
        context.batch.notices.push(counts);
        Ok(ShareSubmitResponse {
            legacy_token: told(context, domain, &record, Some(holder)).await?,
        })
    }
}

fn unreadable(why: ShareError) -> Failure {
    match why {
        ShareError::Unreadable | ShareError::Checksum => Failure::detailed(Fault::LegacyShareUnreadable, why),
        ShareError::Custody(why) => why.into(),
    }
}

impl Handle for CeremonyAbortRequest {
    /// Wiped at once, whatever becomes of the record of it.
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CeremonyAbortResponse, Failure> {
        let domain = desk::domain(context)?;
        let record = legacy_token::named(context, domain, &self.legacy_token_name).await?;
        let wiped = context.services.custody.gatherings().wipe((domain, record.token.id));
        keep(context, domain, &record).await?;
        if wiped > 0 {
            let now = context.now;
            context
                .batch
                .alarm(context.work, Event::SharesWiped, domain, now, &record.token.name);
        }
        Ok(CeremonyAbortResponse {})
    }
}

/// A token as it is told, with a share that will count once this is committed.
pub(super) async fn told(
    context: &mut Context<'_>,
    domain: Domain,
    record: &LegacyTokenRecord,
    new: Option<Holder>,
) -> Result<LegacyToken, Failure> {
    let count = |number: usize| i32::try_from(number).map_err(|_| Failure::new(Fault::Internal));
    let seconds = |ms: i64| DateTime(ms.div_euclid(1000));
    let place = (domain, record.token.id);
    let now_ms = context.now.0;
    let mut gathered = context.services.custody.gatherings().holders(place, now_ms);
    gathered.extend(new);
    let mut holders = Vec::new();
    for (person_name, at_ms) in record.opened_by.iter().cloned() {
        let time = seconds(at_ms);
        holders.push(ShareHolder { person_name, time });
    }
    for holder in &gathered {
        holders.push(ShareHolder {
            person_name: name_of(context, domain, holder.person).await?,
            time: seconds(holder.at_ms),
        });
    }
    let last = gathered.iter().map(|holder| holder.at_ms).max();
    Ok(LegacyToken {
        legacy_token_name: record.token.name.clone(),
        legacy_token_state: record.state,
        share_count: count(record.token.shares())?,
        share_threshold: i32::from(record.token.threshold),
        hsm_profile_name: record.profile.clone(),
        created: seconds(record.created_ms),
        holders,
        shares_until: last.map(|last| seconds(last.saturating_add(IDLE_MS))),
    })
}

/// The name of a person of this domain.
pub(super) async fn name_of(context: &mut Context<'_>, domain: Domain, person: Id) -> Result<String, Failure> {
    let record = load(context, PersonId { domain, person }).await?;
    Ok(record.map(|record| record.name).unwrap_or_default())
}
