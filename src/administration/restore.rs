//! A database that was put back: what follows from that at the start, and going on with it, once its administrators say that it was meant,
//! by the rules that this database has.

use super::{AdministrationError, act, desk, kek, server_act};
use crate::audit::alarm::{Alarm, Event};
use crate::audit::{AnchorFile, LateChain};
use crate::authority::{Granted, InstallationRecord, Target};
use crate::clock::Moment;
use crate::custody::Custody;
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle, Notice};
use crate::scrub::{Expected, Freshness, ScrubError};
use crate::store::{Domain, Store, Work};
use kmip_protocol::{RestoreAcceptRequest, RestoreAcceptResponse};
use std::sync::Arc;

impl From<ScrubError> for AdministrationError {
    fn from(error: ScrubError) -> Self {
        match error {
            ScrubError::Store(why) => why.into(),
            ScrubError::Custody(why) => why.into(),
        }
    }
}

/// Compares the database with its anchor (the file, what was found in it, and what tells how far the trail reaches), and writes down what
/// follows: that there is to be one; that the database was put back, so that no vote and no proposal of before counts. Gives the
/// installation's record as it is then.
///
/// # Errors
/// When store or custody do not answer.
pub async fn compare(
    (file, found, heads): (AnchorFile, Option<&[u8]>, LateChain),
    (store, custody): (&Arc<dyn Store>, &Custody),
    installation: InstallationRecord,
    now: Moment,
) -> Result<(Arc<Freshness>, InstallationRecord), AdministrationError> {
    let expected = Expected {
        instance: installation.instance,
        anchored: installation.anchored,
        accepted: installation.accepted,
    };
    let freshness = Freshness::compare(file, found, heads, (store, custody), expected).await?;
    let mut record = InstallationRecord {
        anchored: true,
        ..installation
    };
    let mut alarm = None;
    match freshness.restored() {
        Some(restored) if installation.refused == Some(restored.digest) => {
            tracing::error!(why = %restored.why, "the database was put back, and nobody has agreed to go on with it yet");
        }
        Some(restored) => {
            record.epoch = installation.epoch.saturating_add(1);
            record.refused = Some(restored.digest);
            let why = restored.why.to_string();
            alarm = Some(Alarm::new(Event::DatabaseRestored, Domain::SYSTEM.0, now.0, &why));
        }
        // What was agreed to once is agreed to until there is an anchor that fits.
        None if freshness.is_fitting() => (record.refused, record.accepted) = (None, None),
        None => {}
    }
    if record != installation {
        let mut work = Work::new(Arc::clone(store));
        kek::put(custody, &mut work, InstallationRecord::key(), record.encode()).await?;
        let note = alarm.as_ref().map_or("anchor kept", |_| "database put back");
        work.audit(server_act(act::RESTORED, Domain::SYSTEM, now, note));
        if let Some(draft) = alarm.as_ref().and_then(Alarm::draft) {
            work.audit(draft);
        }
        store.commit(work.into_change_set(now.0)).await?;
        if let Some(alarm) = alarm {
            alarm.sound();
        }
    }
    Ok((Arc::new(freshness), record))
}

impl Handle for RestoreAcceptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RestoreAcceptResponse, Failure> {
        let found = context.services.freshness.restored();
        let found = found.ok_or(Failure::new(Fault::NotRestored))?;
        let key = InstallationRecord::key();
        let record = desk::read(context, key, InstallationRecord::decode).await?;
        let record = record.ok_or(Failure::new(Fault::RecordDamaged))?;
        // The next start meets the same anchor, should this one come to no new one.
        let body = InstallationRecord {
            accepted: Some(found.digest),
            ..record
        };
        kek::put(&context.services.custody, context.work, key, body.encode()).await?;
        let note = found.why.to_string();
        context
            .batch
            .alarm(context.work, Event::RestoreAccepted, Domain::SYSTEM, context.now, &note);
        context.batch.notices.push(Notice::RestoreAccepted);
        desk::touch(context, "database", "as it is now", key)?;
        Ok(RestoreAcceptResponse { epoch: record.epoch })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let found = context.services.freshness.restored();
        let found = found.ok_or(Failure::new(Fault::NotRestored))?;
        Ok(Target {
            description: Some(format!("the database as it is now: {}", found.why)),
            records: vec![InstallationRecord::key()],
            ..Target::default()
        })
    }
}
