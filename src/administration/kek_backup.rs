//! Backup strings of protected KEKs (family 05, P-KMS-TNT-03A): told, and taken in again by the tenant that they are of, or by a
//! tenant that is made to be that one.

use super::kek_life::{change_of, keep_new, keks_of, of_generation, told_generation};
use super::kek_profiles::profile;
use super::{desk, kek, kek_profiles, recovery};
use crate::authority::quorum::Group;
use crate::authority::{Granted, Target};
use crate::custody::record::MAX_KEKS;
use crate::custody::{Backup, CustodyError, KekRecord, KekState, ProfileId};
use crate::failure::{Failure, Fault};
use crate::identity::TenantRecord;
use crate::operations::{Context, Handle};
use crate::store::Domain;
use kmip_protocol::{KekBackupRequest, KekBackupResponse, KekRestoreRequest, KekRestoreResponse};
use std::sync::Arc;

/// How far the number of a KEK that comes back may be beyond the newest one: as many KEKs may have been made since the database was copied
/// that is in use now. A number further up, which whoever makes a text can choose, would leave none for those that are made from now on.
const FURTHEST: u32 = 1 << 16;
/// The highest number in a text: the KEKs of a tenant that is made from it have as many again.
const HIGHEST: u32 = 1 << 30;

impl Handle for KekBackupRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<KekBackupResponse, Failure> {
        let domain = desk::domain(context)?;
        let keks = keks_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        kek_profiles::protected(chosen)?;
        let people = recovery::people(context, domain).await?;
        let backup = context.services.custody.back_up(chosen, people.as_deref());
        let backup = backup.map_err(|error| match error {
            CustodyError::Limit => Failure::detailed(Fault::LimitExceeded, error),
            error => error.into(),
        })?;
        let backup_string = backup.to_text()?;
        Ok(KekBackupResponse { backup_string })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let keks = keks_of(context, domain).await?;
        let chosen = of_generation(&keks, self.kek_generation)?;
        kek_profiles::protected(chosen)?;
        let groups = recovery::of(context, domain).await?;
        // Who can open it is part of what is agreed to.
        let mut records = vec![kek::place(domain, chosen.id), recovery::place(domain)];
        records.extend(groups.iter().map(|group| Group::key(domain, &group.group_name)));
        let people = match groups.as_slice() {
            [] => String::new(),
            groups => format!(", opened by {} as well", recovery::told(groups)),
        };
        Ok(Target {
            description: Some(format!("the backup of KEK {}{people}", chosen.generation)),
            records,
            ..Target::default()
        })
    }
}

impl Handle for KekRestoreRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<KekRestoreResponse, Failure> {
        desk::agreed(granted.origin(), context)?;
        let domain = desk::domain(context)?;
        let backup = read(&self.backup_string)?;
        let mut keks = change_of(context, domain).await?;
        can_restore(domain, &keks, &backup)?;
        let (_, profile) = profile(context, domain, self.hsm_profile_name.as_deref()).await?;
        let mut restored = match self.recover {
            Some(true) => recovery::recovered(context, granted.origin(), &backup, profile).await?,
            _ => restored(context, &backup, profile).await?,
        };
        restored.state = KekState::Inactive;
        // A mark stays with the KEK, wherever it comes from.
        let former = keks.iter().find(|kek| kek.id == backup.kek);
        restored.compromised_ms = former.and_then(|kek| kek.compromised_ms);
        restored.taken_in = former.is_none();
        keks.retain(|kek| kek.id != backup.kek);
        keks.push(restored.clone());
        keep_new(context, domain, &keks, &restored).await?;
        let kek_generation = told_generation(&restored)?;
        Ok(KekRestoreResponse { kek_generation })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let backup = read(&self.backup_string)?;
        let keks = keks_of(context, domain).await?;
        can_restore(domain, &keks, &backup)?;
        let whose = match keks.iter().any(|kek| kek.id == backup.kek) {
            true => "",
            false => UNKNOWN,
        };
        let (name, profile) = profile(context, domain, self.hsm_profile_name.as_deref()).await?;
        kek_profiles::keeps_pairs(context, profile)?;
        let what = format!(
            "KEK {} of backup {}{whose}, opened by",
            backup.generation,
            short(&backup)
        );
        if self.recover != Some(true) {
            return Ok(Target {
                description: Some(format!("{what} HSM-Profile {name}")),
                ..Target::default()
            });
        }
        let (recovery, people) = recovery::shared(context, &backup).await?;
        let what = format!("{what} {people}, into HSM-Profile {name}");
        let (description, sharings) = kek_profiles::managed(context, domain, &[profile], what).await?;
        Ok(Target {
            description: Some(description),
            sharings,
            recovery: Some(recovery),
            ..Target::default()
        })
    }
}

/// Reads a backup string.
pub(super) fn read(text: &str) -> Result<Backup, Failure> {
    let backup = Backup::from_text(text).map_err(|why| Failure::detailed(Fault::BackupRefused, why))?;
    match (1..=HIGHEST).contains(&backup.generation) {
        true => Ok(backup),
        false => Err(Fault::BackupRefused.into()),
    }
}

/// What those who agree must know of a KEK that no record here is of: nothing shows that the text is not somebody's own work.
pub(super) const UNKNOWN: &str = ", which was NEVER KNOWN HERE (who made the text may know it)";

/// What those who vote can compare with the string that they have: the beginning of the KEK's identifier.
pub(super) fn short(backup: &Backup) -> String {
    let id = kmip_ttlv::Hex(&backup.kek.0).to_string();
    id.chars().take(16).collect()
}

/// Refuses a KEK of another tenant, one that is there, one that is being destroyed, and the number of another one.
fn can_restore(domain: Domain, keks: &[KekRecord], backup: &Backup) -> Result<(), Failure> {
    if backup.domain != domain {
        return Err(Fault::BackupOfAnother.into());
    }
    let number = |kek: &&KekRecord| kek.id == backup.kek || kek.generation == backup.generation;
    for known in keks.iter().filter(number) {
        if known.id != backup.kek {
            return Err(Fault::Taken.into());
        }
        if !known.is_over() {
            return Err(Fault::KekState.into());
        }
        if !known.is_of(backup) {
            return Err(Fault::BackupRefused.into());
        }
    }
    let newest = keks.iter().map(|kek| kek.generation).max().unwrap_or(0);
    if backup.generation > newest.saturating_add(FURTHEST) {
        return Err(Fault::BackupRefused.into());
    }
    if keks.iter().filter(|kek| kek.is_live()).count() >= MAX_KEKS {
        return Err(Fault::LimitExceeded.into());
    }
    Ok(())
}

/// Has the KEK of a backup opened by a profile.
pub(super) async fn restored(context: &Context<'_>, backup: &Backup, profile: ProfileId) -> Result<KekRecord, Failure> {
    let custody = Arc::clone(&context.services.custody);
    let restored = custody.restore_kek(backup, profile, context.now.0).await;
    restored.map_err(|error| match error {
        CustodyError::Refused | CustodyError::UnknownKek => Failure::detailed(Fault::BackupRefused, error),
        error => error.into(),
    })
}

/// The tenant that a backup is of, if there is none of this identity, and nothing that was left of one.
pub(super) async fn identity(context: &mut Context<'_>, backup: &Backup) -> Result<Domain, Failure> {
    let tenant = backup.domain;
    if tenant == Domain::SYSTEM {
        return Err(Fault::BackupOfAnother.into());
    }
    let known = context.work.load(TenantRecord::key(tenant)).await?.is_some();
    if known || context.work.load(kek::record_key_place(tenant)).await?.is_some() {
        return Err(Fault::Taken.into());
    }
    Ok(tenant)
}
