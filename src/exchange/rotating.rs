//! Keys that the server replaces by itself: found by when that is due, replaced one by one, each in a commit of its own.

use super::agenda::Matter;
use super::execute::Sequel;
use super::server::{MOST_RUNS, Server, log, rest_on};
use crate::administration::server_act;
use crate::audit::alarm::Alarm;
use crate::failure::{Failure, Fault};
use crate::objects::index;
use crate::operations::{Batch, Context, rotating};
use crate::store::{CommitError, Domain, Key, Work};
use std::sync::Arc;

/// How often a domain with such keys is looked at, in milliseconds: intervals of rotation are days.
const ROTATE_MS: i64 = 60 * 1000;
/// Keys that are replaced before others have their turn.
const MOST: usize = 64;

impl Server {
    /// Replaces what is due in a domain, and comes back as long as there are such keys.
    pub(super) async fn rotate(&self, domain: Domain) {
        match self.rotate_some(domain).await {
            Ok(false) => {}
            Ok(true) => self.note_in(ROTATE_MS, domain, Matter::Rotate),
            // Its tenant was deleted.
            Err(_) if !self.services.custody.is_at_work(domain) => {}
            Err(failure) => {
                log(&failure, None);
                self.note_in(ROTATE_MS, domain, Matter::Rotate);
            }
        }
    }

    /// Whether there are more, now or later.
    async fn rotate_some(&self, domain: Domain) -> Result<bool, Failure> {
        // What somebody set the clock ahead for is not due.
        let now = self.services.clock.steady(self.now()).seconds();
        let mut work = Work::new(Arc::clone(&self.services.store));
        for hit in work.find(&index::rotating(domain, now, MOST)).await? {
            if let Err(failure) = self.rotate_one(hit.key, now).await {
                tracing::warn!(%domain, fault = ?failure.fault(), "a key that is to be replaced was not");
            }
        }
        Ok(!work.find(&index::rotating(domain, i64::MAX, 1)).await?.is_empty())
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
        let timer = crate::identity::Principal::Process(crate::identity::Process::Timer);
        let mut context = Context::new(&self.services, &timer, now, &mut work, &mut batch);
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
        rest_on(&mut change, owner.seen(), None);
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
