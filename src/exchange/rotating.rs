//! Keys that the server replaces by itself: found by when that is due, replaced one by one, each in a commit of its own.

use super::agenda::Matter;
use super::execute::Sequel;
use super::guard::Guarded;
use super::server::{MOST_RUNS, Server, log, rest_on};
use crate::administration::server_act;
use crate::audit::alarm::{Alarm, Event, raise};
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::objects::index;
use crate::operations::{Batch, Context, rotating};
use crate::store::{CommitError, Domain, Key, Work};
use kmip_ttlv::Hex;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a domain with such keys is looked at, in milliseconds: intervals of rotation are days.
const ROTATE_MS: i64 = 60 * 1000;
/// How soon again, where there were more than others could wait for.
const MORE_MS: i64 = 1000;
/// Keys that are tried before others have their turn.
const MOST: usize = 64;
/// Keys of which it is remembered that somebody was told of them.
const MOST_TOLD: usize = 100_000;

/// Who looks for them.
const TIMER: Principal = Principal::Process(Process::Timer);

/// What one round knows of those before.
#[derive(Default)]
pub(super) struct Rotations {
    /// Where the last round of a domain stopped, unless it came to the end: keys that cannot be replaced keep no others waiting.
    stopped: Mutex<HashMap<Domain, u64>>,
    /// Keys that could not be replaced, of which somebody was told.
    told: Mutex<HashSet<Key>>,
}

impl Rotations {
    fn with<T, R>(lock: &Mutex<T>, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stopped(&self, domain: Domain) -> Option<u64> {
        Self::with(&self.stopped, |stopped| stopped.get(&domain).copied())
    }

    fn stop(&self, domain: Domain, at: Option<u64>) {
        Self::with(&self.stopped, |stopped| match at {
            Some(at) => stopped.insert(domain, at),
            None => stopped.remove(&domain),
        });
    }

    /// Whether nobody was told yet that this key could not be replaced.
    fn is_news(&self, key: Key) -> bool {
        Self::with(&self.told, |told| told.len() < MOST_TOLD && told.insert(key))
    }

    fn forget(&self, key: Key) {
        Self::with(&self.told, |told| told.remove(&key));
    }
}

impl Server {
    /// Replaces what is due in a domain, and comes back as long as there are such keys.
    pub(super) async fn rotate(&self, domain: Domain) {
        match self.rotate_some(domain).await {
            Ok(None) => {}
            Ok(Some(wait_ms)) => self.note_in(wait_ms, domain, Matter::Rotate),
            // Its tenant was deleted.
            Err(_) if !self.services.custody.is_at_work(domain) => self.rotations.stop(domain, None),
            Err(failure) => {
                log(&failure, None);
                self.note_in(ROTATE_MS, domain, Matter::Rotate);
            }
        }
    }

    /// In how many milliseconds there are more; nothing: there are none.
    async fn rotate_some(&self, domain: Domain) -> Result<Option<i64>, Failure> {
        // What somebody set the clock ahead for is not due.
        let now = self.services.clock.steady(self.now()).seconds();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let stopped = self.rotations.stopped(domain);
        let hits = work.find(&index::rotating(domain, now, stopped, MOST)).await?;
        if !hits.is_empty() {
            let tenant = self.identity().directory().tenant(domain).await;
            let tenant = tenant.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
            // The keys of one that is suspended wait until it goes on.
            match tenant {
                Some(tenant) if tenant.record.deleted => return Ok(None),
                Some(tenant) if tenant.record.suspended => return Ok(Some(ROTATE_MS)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
        for hit in &hits {
            // A panic over one key keeps no others waiting.
            let outcome = Guarded::new(self.rotate_one(hit.key, now)).await;
            match outcome.unwrap_or_else(|| Err(Failure::detailed(Fault::Internal, "a rotation panicked"))) {
                Ok(()) => self.rotations.forget(hit.key),
                Err(failure) => self.tell_of_rotation(hit.key, &failure).await,
            }
        }
        let last = hits.last().filter(|_| hits.len() == MOST).map(|hit| hit.creation);
        self.rotations.stop(domain, last);
        if last.is_some() {
            return Ok(Some(MORE_MS));
        }
        let any = work.find(&index::rotating(domain, i64::MAX, None, 1)).await?;
        Ok((!any.is_empty()).then_some(ROTATE_MS))
    }

    /// Alarms, once for each key, of what does not pass by itself. It is tried again all the same.
    async fn tell_of_rotation(&self, key: Key, failure: &Failure) {
        log(failure, None);
        if failure.fault().is_passing() || !self.rotations.is_news(key) {
            return;
        }
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &TIMER, now, &mut work, &mut batch);
        let object = rotating::due(&mut context, key, i64::MAX).await.ok().flatten();
        let name = object.map_or_else(|| Hex(&key.id).to_string(), |object| object.unique_identifier);
        let note = format!("{}: {}", name.escape_debug(), failure.fault().message());
        if let Some(draft) = raise(Event::RotationRefused, key.domain.0, now.0, &note) {
            work.audit(draft);
        }
        if let Err(error) = self.commit(work.into_change_set(now.0), now).await {
            self.rotations.forget(key);
            tracing::error!(domain = %key.domain, %error, "that a key was not replaced could not be recorded");
        }
    }

    async fn rotate_one(&self, place: Key, seconds: i64) -> Result<(), Failure> {
        for _ in 0..MOST_RUNS {
            if self.try_to_rotate(place, seconds).await? {
                return Ok(());
            }
        }
        Err(Fault::Contention.into())
    }

    /// Replaces one as its owner would. `false`: others changed the same.
    async fn try_to_rotate(&self, place: Key, seconds: i64) -> Result<bool, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut batch = Batch::default();
        let mut context = Context::new(&self.services, &TIMER, now, &mut work, &mut batch);
        let Some(object) = rotating::due(&mut context, place, seconds).await? else {
            return Ok(true);
        };
        let owner = self
            .identity()
            .acting(place.domain, object.owner, false, now.seconds())
            .await;
        let owner = owner.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        let owner = owner.ok_or(Failure::new(Fault::NotAuthenticated))?;
        let mut context = Context::new(&self.services, &owner, now, &mut work, &mut batch);
        let operation = rotating::replace(&mut context, &object).await?;
        let mut draft = server_act(operation.0, place.domain, now, "automatic rotation");
        draft.objects = core::mem::take(&mut batch.touched);
        work.audit(draft);
        let gathered = self.gather(&mut work, now).await;
        let alarms = gathered.map_err(|error| Failure::detailed(Fault::StoreUnavailable, error))?;
        let mut change = work.into_change_set(now.0);
        rest_on(&mut change, owner.seen(), batch.policy_seen);
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
}
