//! Has the records compared with the change trail: soon after the start, once a day, and when somebody asks. What is found is kept,
//! alarmed and held before the next request.

use super::Server;
use super::guard::Guarded;
use super::notices;
use super::server::log;
use crate::administration::{act, kek, server_act};
use crate::audit::alarm::{Alarm, Event};
use crate::failure::{Failure, Fault};
use crate::operations::Notice;
use crate::records;
use crate::scrub::{Cursor, Finding, Outcome, Scrub, ScrubError, Slice, State, Summary, Wrong, findings, state};
use crate::store::{CommitError, Domain, Key, Work};
use kmip_ttlv::Hex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often it looks whether somebody wants a comparison.
const TICK: Duration = Duration::from_millis(500);
/// How long after the start the first one begins: whoever starts a server wants it to serve first.
const FIRST: Duration = Duration::from_secs(60);
/// How long after the end of one the next one begins by itself.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Rest after each page of 256 records: at most some 25 thousand records in a second are compared, beside requests.
const PACE: Duration = Duration::from_millis(10);
/// Findings that one change keeps: each is a record of its own, and the commit holds up others.
const AT_ONCE: usize = 256;
/// Alarms that sound of one comparison one by one; of the rest there is a count.
const MOST_ALARMS: usize = 100;

/// Compares until the server is told to end.
pub async fn run(server: Arc<Server>, mut down: watch::Receiver<bool>) {
    let mut next = Instant::now().checked_add(FIRST);
    let mut begin = Begin::Resumed;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = down.changed() => if changed.is_err() { break },
        }
        let is_due = next.is_some_and(|next| next <= Instant::now());
        let wanted = server.services.quarantine.progress().wanted;
        if !is_due && !wanted {
            continue;
        }
        if wanted {
            begin = Begin::Anew;
        }
        tokio::select! {
            done = Guarded::new(server.scrub(begin, PACE, None)) => if done.is_none() {
                tracing::error!("comparing records with the trail panicked");
                server.services.quarantine.progress().under_way = false;
            },
            // The parts that were compared are not compared again after the next start.
            _ = down.wait_for(|down| *down) => break,
        }
        next = Instant::now().checked_add(AGAIN);
        begin = Begin::Anew;
    }
}

fn failure(error: ScrubError) -> Failure {
    match error {
        ScrubError::Store(error) => error.into(),
        ScrubError::Custody(error) => error.into(),
    }
}

/// Where a comparison begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Begin {
    /// With the first part: whoever asks for one wants everything looked at from now on.
    Anew,
    /// Where one stands that a shutdown or a crash has interrupted.
    Resumed,
}

impl Server {
    /// Compares all records and counters with the trail, from where an interrupted comparison stands if this one resumes. `most`: records
    /// at a time, fewer in tests.
    pub(super) async fn scrub(&self, begin: Begin, pace: Duration, most: Option<usize>) {
        let known = {
            let mut progress = self.services.quarantine.progress();
            (progress.wanted, progress.under_way) = (false, true);
            progress.known.clone()
        };
        let scrub = Scrub {
            store: &self.services.store,
            custody: &self.services.custody,
            known: &known,
            pace,
            most_at_once: most,
        };
        if let Err(failure) = self.compare(&scrub, begin).await {
            tracing::error!("records could not be compared with the trail");
            log(&failure, None);
        }
        self.services.quarantine.progress().under_way = false;
    }

    /// Part by part: what a part has shown is kept before the next one begins.
    async fn compare(&self, scrub: &Scrub<'_>, begin: Begin) -> Result<(), Failure> {
        let custody = &self.services.custody;
        let fresh = || Ok::<_, Failure>(Cursor::begin(self.services.randomness.array()?, self.now().0));
        let resumed = match begin {
            Begin::Anew => None,
            Begin::Resumed => self.kept_cursor().await?,
        };
        let mut cursor = match resumed {
            Some((cursor, _)) => cursor,
            None => fresh()?,
        };
        let mut unproven = resumed.map(|(_, state)| state);
        let mut alarms = MOST_ALARMS;
        loop {
            let slice = cursor.slice(custody)?;
            let Some(outcome) = scrub.part(slice).await.map_err(failure)? else {
                cursor = cursor.halved();
                continue;
            };
            // A kept place that is not the newest which the trail has was put back: what lies before it was not compared.
            if let Some(state) = unproven.take()
                && outcome.trail_faults.is_empty()
                && outcome.cursor != Some(state)
            {
                cursor = fresh()?;
                continue;
            }
            self.conclude(&outcome, slice, &mut alarms).await?;
            let next = cursor.after(outcome.compared);
            match next.filter(|_| outcome.trail_faults.is_empty()) {
                Some(next) => {
                    cursor = next;
                    self.keep_cursor(Some(cursor)).await?;
                }
                None => {
                    self.finish(cursor, outcome);
                    return self.keep_cursor(None).await;
                }
            }
        }
    }

    /// Where an interrupted comparison stands, and in which state of its record that was read.
    async fn kept_cursor(&self) -> Result<Option<(Cursor, State)>, Failure> {
        let Some(record) = self.services.store.load(Cursor::KEY).await? else {
            return Ok(None);
        };
        let body = records::open(&self.services.custody, &record).ok();
        let cursor = body.and_then(|body| Cursor::decode(body).ok());
        Ok(cursor.map(|cursor| (cursor, state(&record))))
    }

    /// Keeps where the comparison stands; `None`: it is over.
    async fn keep_cursor(&self, cursor: Option<Cursor>) -> Result<(), Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        let note = match cursor {
            Some(cursor) => {
                kek::put(&self.services.custody, &mut work, Cursor::KEY, cursor.encode()).await?;
                format!("{} of {} parts of all records were compared", cursor.place, cursor.of)
            }
            None if work.delete(Cursor::KEY).await? => "all parts of all records were compared".to_owned(),
            None => return Ok(()),
        };
        work.audit(server_act(act::FINDINGS, Domain::SYSTEM, self.now(), &note));
        self.commit_or_fail(work).await
    }

    fn finish(&self, cursor: Cursor, outcome: Outcome) {
        let mut progress = self.services.quarantine.progress();
        if outcome.trail_faults.is_empty() {
            progress.known = outcome.heads;
        }
        progress.last = Some(Summary {
            begun_ms: cursor.begun_ms,
            ended_ms: self.now().0,
            compared: cursor.compared.saturating_add(outcome.compared),
            trail: outcome.trail,
            trail_faults: outcome.trail_faults,
        });
    }

    /// Keeps what a part has shown, and drops what it no longer shows.
    async fn conclude(&self, outcome: &Outcome, slice: Slice, alarms: &mut usize) -> Result<(), Failure> {
        self.tell_of_trail(outcome).await?;
        let mut kept: BTreeMap<Key, Finding> = findings(&self.services.store, &self.services.custody)
            .await?
            .into_iter()
            .filter(|finding| slice.has(finding.key))
            .map(|finding| (finding.key, finding))
            .collect();
        let mut new = Vec::new();
        for (key, wrong) in &outcome.findings {
            match kept.remove(key) {
                Some(known) if known.wrong == *wrong => {}
                _ => new.push((*key, *wrong)),
            }
        }
        for chunk in new.chunks(AT_ONCE) {
            self.keep_findings(chunk, *alarms).await?;
            *alarms = alarms.saturating_sub(chunk.len());
        }
        // A comparison that did not see everything says nothing of what it did not see.
        if outcome.trail_faults.is_empty() && !outcome.more {
            let right: Vec<Key> = kept.into_keys().collect();
            for chunk in right.chunks(AT_ONCE) {
                self.drop_findings(chunk).await?;
            }
        }
        if outcome.more {
            tracing::error!("more records are not as the trail has them than are listed");
        }
        Ok(())
    }

    /// Keeps findings, and holds what they are about.
    async fn keep_findings(&self, found: &[(Key, Wrong)], alarms: usize) -> Result<(), Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut sounding = Vec::new();
        for (place, (key, wrong)) in found.iter().enumerate() {
            let finding = Finding {
                key: *key,
                wrong: *wrong,
                found_ms: now.0,
            };
            let at = Finding::place(*key);
            kek::put(&self.services.custody, &mut work, at, finding.encode()).await?;
            if place < alarms {
                let note = format!("{wrong:?} {:02x}/{}", key.kind.0, Hex(&key.id));
                let alarm = Alarm::new(Event::RecordStale, key.domain.0, now.0, &note);
                alarm.draft().into_iter().for_each(|draft| work.audit(draft));
                sounding.push(Notice::Alarm(alarm));
            }
        }
        let note = format!("{} records are not as the trail has them", found.len());
        work.audit(server_act(act::FINDINGS, Domain::SYSTEM, now, &note));
        sounding.push(Notice::Quarantine);
        self.commit_or_fail(work).await?;
        notices::deliver(&sounding, &self.identity, &self.services).await;
        Ok(())
    }

    /// Drops findings about records that are again as the trail has them.
    async fn drop_findings(&self, right: &[Key]) -> Result<(), Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        for key in right {
            work.delete(Finding::place(*key)).await?;
        }
        let note = format!("{} records are again as the trail has them", right.len());
        work.audit(server_act(act::FINDINGS, Domain::SYSTEM, now, &note));
        self.commit_or_fail(work).await?;
        notices::deliver(&[Notice::Quarantine], &self.identity, &self.services).await;
        Ok(())
    }

    async fn tell_of_trail(&self, outcome: &Outcome) -> Result<(), Failure> {
        let Some(first) = outcome.trail_faults.first() else {
            return Ok(());
        };
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let alarm = Alarm::new(Event::TrailDamaged, Domain::SYSTEM.0, now.0, &first.to_string());
        alarm.draft().into_iter().for_each(|draft| work.audit(draft));
        let kept = self.commit_or_fail(work).await;
        alarm.sound();
        kept
    }

    async fn commit_or_fail(&self, work: Work) -> Result<(), Failure> {
        let now = self.now();
        match self.commit(work.into_change_set(now.0), now).await {
            Ok(()) => Ok(()),
            // The next comparison finds it again.
            Err(CommitError::Conflict) => Err(Fault::Contention.into()),
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }
}
