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
use crate::scrub::{AnchorError, Expected, Freshness, ScrubError, Why};
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

/// What there is of an anchor: the file that the settings name, what was found in it, and what tells how far the trail reaches.
pub type Place<'a> = (Option<AnchorFile>, Option<&'a [u8]>, LateChain);

/// Compares the database with its anchor, and writes down what follows: that there is to be one, once there is; that the database was put
/// back, so that no vote and no proposal of before counts, at each start anew until people have agreed to it. Gives the installation's
/// record as it is then.
///
/// # Errors
/// When store or custody do not answer; within, why there is no anchor although the settings name one for the first time.
pub async fn compare(
    place: Place<'_>,
    (store, custody): (&Arc<dyn Store>, &Custody),
    installation: InstallationRecord,
    now: Moment,
) -> Result<Result<(Arc<Freshness>, InstallationRecord), AnchorError>, AdministrationError> {
    let (file, found, heads) = place;
    let expected = Expected {
        instance: installation.instance,
        anchored: installation.anchored,
    };
    let freshness = Freshness::compare(file, found, heads, (store, custody), expected).await?;
    let mut record = installation;
    if let Some(restored) = freshness.restored() {
        // Above that of each history that is known.
        record.epoch = installation.epoch.max(restored.epoch).saturating_add(1);
        let why = restored.why.to_string();
        let alarm = Alarm::new(Event::DatabaseRestored, Domain::SYSTEM.0, now.0, &why);
        keep(
            store,
            custody,
            (record, installation),
            "database put back",
            Some(&alarm),
            now,
        )
        .await?;
        alarm.sound();
    } else if freshness.is_anchored() && !installation.anchored {
        // First the anchor, which takes a record of the trail to name: that it is gone is no news before it was there.
        keep(store, custody, (record, installation), "anchor to be kept", None, now).await?;
        let InstallationRecord { instance, epoch, .. } = installation;
        if let Err(why) = freshness.renew(custody, instance, epoch, now.0).await {
            return Ok(Err(why));
        }
        record.anchored = true;
        keep(store, custody, (record, installation), "anchor kept", None, now).await?;
    }
    Ok(Ok((Arc::new(freshness), record)))
}

/// Writes the installation's record, if it is another one, with a record of the trail.
async fn keep(
    store: &Arc<dyn Store>,
    custody: &Custody,
    (record, before): (InstallationRecord, InstallationRecord),
    note: &str,
    alarm: Option<&Alarm>,
    now: Moment,
) -> Result<(), AdministrationError> {
    let mut work = Work::new(Arc::clone(store));
    if record != before {
        kek::put(custody, &mut work, InstallationRecord::key(), record.encode()).await?;
    }
    work.audit(server_act(act::RESTORED, Domain::SYSTEM, now, note));
    if let Some(draft) = alarm.and_then(Alarm::draft) {
        work.audit(draft);
    }
    store.commit(work.into_change_set(now.0)).await?;
    Ok(())
}

impl Handle for RestoreAcceptRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RestoreAcceptResponse, Failure> {
        let found = context.services.freshness.restored();
        let found = found.ok_or(Failure::new(Fault::NotRestored))?;
        let key = InstallationRecord::key();
        let record = desk::read(context, key, InstallationRecord::decode).await?;
        let record = record.ok_or(Failure::new(Fault::RecordDamaged))?;
        if found.why == Why::Unset {
            let body = InstallationRecord {
                anchored: false,
                ..record
            };
            kek::put(&context.services.custody, context.work, key, body.encode()).await?;
        }
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
