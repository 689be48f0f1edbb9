//! Migrating a legacy token once enough shares are there (family 05, P-KMS-TNT-07): it is opened, what it keeps is tried on the real HSM,
//! once, and becomes an HSM-Profile of the tenant. The shares are the agreement: as many people as they need have handed theirs in.

use super::ceremony::told;
use super::legacy_token::{self, LegacyTokenRecord, change_of, keep, lift, release_profile};
use super::people::load;
use super::{desk, hsm_profile};
use crate::audit::alarm::Event;
use crate::authority::Granted;
use crate::custody::legacy::{Credentials, Holder, Share};
use crate::custody::profile::MAX_LINKS;
use crate::custody::{CustodyError, ProfileId, ProfileRecord, TokenRecord};
use crate::failure::{Failure, Fault};
use crate::identity::{PersonId, TenantRecord};
use crate::operations::{Context, Handle, Notice};
use crate::store::Domain;
use kmip_protocol::{CeremonyMigrateRequest, CeremonyMigrateResponse, LegacyTokenState, PersonRole};
use std::sync::Arc;

impl Handle for CeremonyMigrateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CeremonyMigrateResponse, Failure> {
        let domain = desk::domain(context)?;
        let tenant = desk::read(context, TenantRecord::key(domain), TenantRecord::decode).await?;
        let tenant = tenant.ok_or(Failure::new(Fault::NotFound))?;
        let mut record = legacy_token::named(context, domain, &self.legacy_token_name).await?;
        if record.state != LegacyTokenState::Waiting {
            return Err(Fault::LegacyTokenState.into());
        }
        let mut tokens = change_of(context, domain).await?;
        tokens.retain(|other| other.token.id != record.token.id);
        let place = (domain, record.token.id);
        let gatherings = context.services.custody.gatherings();
        // Of a run that met another's commit: a PIN that was wrong is not shown to the HSM again.
        let accepted = match gatherings.was_refused(place) {
            true => None,
            false => try_out(context, domain, &mut record).await?,
        };
        let event = match accepted {
            Some((id, profile)) => {
                record.state = LegacyTokenState::Migrated;
                record.sealed = None;
                become_profile(context, domain, &record, id, &profile).await?;
                Event::LegacyTokenMigrated
            }
            None => {
                context.services.custody.gatherings().note_refused(place);
                record.state = LegacyTokenState::CredentialsRefused;
                record.opened_by.clear();
                Event::LegacyCredentialsRefused
            }
        };
        let now = context.now;
        context
            .batch
            .alarm(context.work, event, domain, now, &record.token.name);
        keep(context, domain, &record).await?;
        tokens.push(record.clone());
        let migration_required = lift(context, domain, tenant, &tokens).await?;
        context.batch.notices.push(Notice::SharesOver(domain, record.token.id));
        let mut legacy_token = told(context, domain, &record, None).await?;
        // They are wiped when this is committed.
        legacy_token.shares_until = None;
        legacy_token.holders.truncate(record.opened_by.len());
        Ok(CeremonyMigrateResponse {
            legacy_token,
            migration_required,
        })
    }
}

/// Opens a token by the shares that have been handed in, and tries what it keeps on its HSM. Nothing, if that does not accept the PIN: it
/// locks a token whose PIN is wrong too often, so that is not tried again.
async fn try_out(
    context: &mut Context<'_>,
    domain: Domain,
    record: &mut LegacyTokenRecord,
) -> Result<Option<(ProfileId, ProfileRecord)>, Failure> {
    let credentials = open(context, domain, record).await?;
    // By the token's own identifier: a run that follows one whose commit failed makes the same profile.
    let id = ProfileId(record.token.id);
    let outfit = &context.services.outfit;
    let mut token = TokenRecord {
        module: credentials.module.clone(),
        label: credentials.label.clone(),
        serial: credentials.serial.clone(),
        ..TokenRecord::default()
    };
    token.pin = outfit.seal_pin(id, &token, &credentials.usage)?;
    let mut profile = ProfileRecord {
        name: record.profile.clone(),
        token: Some(token),
        created_ms: context.now.0,
        ..ProfileRecord::default()
    };
    let provider = outfit.provider(id, &profile, None)?;
    match provider.health().await {
        Ok(()) => {
            // What is not found out now is found out by a test of the profile.
            if let Ok(found) = provider.examine(None).await {
                profile.capabilities = Some(found.encode()?);
                profile.probed_ms = Some(context.now.0);
            }
            Ok(Some((id, profile)))
        }
        Err(CustodyError::Credential) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

/// Opens a token, and puts into its record by whom. The shares of people who are not of the tenant any more, or are suspended, do not count.
async fn open(
    context: &mut Context<'_>,
    domain: Domain,
    record: &mut LegacyTokenRecord,
) -> Result<Credentials, Failure> {
    let custody = Arc::clone(&context.services.custody);
    let place = (domain, record.token.id);
    let mut admitted = Vec::new();
    for holder in custody.gatherings().holders(place, context.now.0) {
        let person = load(
            context,
            PersonId {
                domain,
                person: holder.person,
            },
        )
        .await?;
        let may = |role| matches!(role, PersonRole::Operator | PersonRole::Custodian);
        if let Some(person) = person.filter(|person| person.is_admitted() && may(person.role)) {
            admitted.push((holder, person.name));
        }
    }
    let sealed = record.sealed.as_ref().ok_or(Failure::new(Fault::LegacyTokenState))?;
    let opened = custody.gatherings().with(place, context.now.0, |shares| {
        let counts = |holder: &Holder| admitted.iter().any(|(other, _)| other == holder);
        let counting = shares.iter().filter(|(holder, _)| counts(holder));
        let shares: Vec<&Share> = counting.map(|(_, share)| *share).collect();
        if shares.len() < usize::from(record.token.threshold) {
            return Err(Failure::new(Fault::TooFewShares));
        }
        let opened = record.token.open(custody.slab(), sealed, &shares);
        // Each share is the one that was handed out: what does not open was edited.
        opened.map_err(|why| Failure::detailed(Fault::LegacyToken, why))
    })?;
    record.opened_by = admitted
        .into_iter()
        .map(|(holder, name)| (name, holder.at_ms))
        .collect();
    Ok(opened)
}

/// Writes the HSM-Profile that a token has become, and links it to the tenant.
async fn become_profile(
    context: &mut Context<'_>,
    domain: Domain,
    record: &LegacyTokenRecord,
    id: ProfileId,
    profile: &ProfileRecord,
) -> Result<(), Failure> {
    release_profile(context, domain, record).await?;
    let custody = Arc::clone(&context.services.custody);
    hsm_profile::put(&custody, context.work, id, profile).await?;
    let mut links = hsm_profile::links(context, domain).await?;
    if !links.0.contains(&id) {
        links.0.push(id);
    }
    if links.0.len() > MAX_LINKS {
        return Err(Fault::LimitExceeded.into());
    }
    hsm_profile::put_links(&custody, context.work, domain, &links).await?;
    context.batch.notices.push(Notice::Profile(id));
    Ok(())
}
