//! Objects whose state a date changes: noted at that moment, each in a commit with its record in the trail and what is told of it to
//! endpoints. That it was noted stands in the object's record, so that it is told once, whoever is started anew meanwhile.

use super::agenda::Matter;
use super::execute::Sequel;
use super::guard::Guarded;
use super::server::{MOST_RUNS, Server};
use crate::administration::{act, server_act};
use crate::audit::alarm::Alarm;
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::objects::index;
use crate::operations::{Batch, Context, turning};
use crate::store::{CommitError, Domain, Key, Work};
use crate::wait::breathe;
use std::sync::Arc;

/// How long to wait before what could not be noted is tried again, in milliseconds: a record that is damaged or held stays so for a while.
const FAILED_MS: i64 = 60 * 1000;
/// Objects found at a time.
const PAGE: usize = 64;
/// Objects that are noted before others have their turn.
const MOST: usize = 512;

/// Who notes it.
const TIMER: Principal = Principal::Process(Process::Timer);

/// How a look at a domain came out.
struct Turned {
    /// There are more than others could wait for.
    more: bool,
    /// Some could not be noted.
    failed: usize,
}

impl Server {
    /// Notes what dates have changed in a domain by now, and comes back when the next one comes.
    pub(super) async fn turn(&self, domain: Domain) {
        // Its tenant was deleted.
        if !self.services.custody.is_at_work(domain) {
            return;
        }
        let now = self.now();
        let note = |at_ms| self.agenda.note_by(at_ms, domain, Matter::Turn);
        match self.turn_some(domain, now.seconds()).await {
            Ok(Turned { more: true, .. }) => return note(now.0),
            Ok(Turned { failed: 0, .. }) => {}
            Ok(Turned { failed, .. }) => {
                tracing::error!(%domain, failed, "that dates have changed the states of objects could not be noted");
                note(now.0.saturating_add(FAILED_MS));
            }
            Err(failure) => {
                super::server::log(&failure, None);
                return note(now.0.saturating_add(FAILED_MS));
            }
        }
        match self.next_turn(domain, now.seconds()).await {
            Ok(Some(at)) => note(at.saturating_mul(1000)),
            Ok(None) => {}
            // It is not known when that is.
            Err(_) => note(now.0.saturating_add(FAILED_MS)),
        }
    }

    async fn turn_some(&self, domain: Domain, now: i64) -> Result<Turned, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        let (mut turned, mut failed, mut before) = (0_usize, 0_usize, None);
        loop {
            let hits = work.find(&index::turning(domain, now, before, PAGE)).await?;
            for hit in &hits {
                // A panic over one object keeps no others waiting.
                match Guarded::new(self.turn_one(hit.key)).await {
                    Some(Ok(())) => turned = turned.saturating_add(1),
                    Some(Err(_)) | None => failed = failed.saturating_add(1),
                }
            }
            before = hits.last().map(|hit| hit.creation);
            if hits.len() < PAGE {
                return Ok(Turned { more: false, failed });
            }
            if turned >= MOST {
                return Ok(Turned { more: true, failed });
            }
            breathe().await;
        }
    }

    async fn turn_one(&self, place: Key) -> Result<(), Failure> {
        for _ in 0..MOST_RUNS {
            if self.try_to_turn(place).await? {
                return Ok(());
            }
        }
        Err(Fault::Contention.into())
    }

    /// Notes one. `false`: others changed the same.
    async fn try_to_turn(&self, place: Key) -> Result<bool, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &TIMER, now, &mut work, &mut batch);
        let Some(state) = turning::turn(&mut context, place).await? else {
            return Ok(true);
        };
        let mut draft = server_act(act::TURN, place.domain, now, &format!("{state:?}, by date"));
        draft.objects = core::mem::take(&mut batch.touched);
        work.audit(draft);
        let gathered = self.gather(&mut work, now).await;
        let alarms = gathered.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        let change = work.into_change_set(now.0);
        let sequel = Sequel::of(&change);
        match self.commit(change, now).await {
            Ok(()) => {
                self.follow(&sequel);
                alarms.iter().for_each(Alarm::sound);
                Ok(true)
            }
            Err(CommitError::Conflict | CommitError::ClaimTaken(_) | CommitError::OutOfBounds { .. }) => Ok(false),
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }

    /// When a date changes a state next in a domain, after this moment.
    async fn next_turn(&self, domain: Domain, now: i64) -> Result<Option<i64>, Failure> {
        let mut work = Work::new(Arc::clone(&self.services.store));
        let hits = work.find(&index::turning_next(domain, now)).await?;
        let Some(hit) = hits.first() else {
            return Ok(None);
        };
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &TIMER, self.now(), &mut work, &mut batch);
        // It was changed since, and whoever did so has noted when to look.
        turning::next(&mut context, hit.key).await
    }
}
