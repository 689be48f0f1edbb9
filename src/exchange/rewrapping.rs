//! Wraps records under another KEK between requests: at a bounded rate, some to a commit, beside everything else. Whoever changes a record
//! at the same moment comes first, and it is done after that.

use super::agenda::Matter;
use super::execute::AGAIN_MS;
use super::server::{Server, log};
use super::upkeep::AWAY_MS;
use crate::administration::rewrap::{self, BATCH, Pace, Step};
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Process};
use crate::operations::{Batch, Context};
use crate::store::{CommitError, Domain, Work};
use std::sync::Arc;

/// How long a turn lasts, in milliseconds: the clockwork looks no more often.
const TURN_MS: i64 = 500;

impl Server {
    /// One turn of the rewrap of a domain, if it has one.
    pub(super) async fn rewrap(&self, domain: Domain) {
        let wait_ms = match self.rewrap_turn(domain).await {
            Ok(Some(wait_ms)) => wait_ms,
            Ok(None) => return,
            // Its tenant was deleted.
            Err(_) if !self.services.custody.is_at_work(domain) => return,
            Err(failure) => {
                log(&failure, None);
                let away = failure.fault() == Fault::CustodyUnavailable;
                if away {
                    self.pause(domain).await;
                }
                if away { AWAY_MS } else { AGAIN_MS }
            }
        };
        self.note_in(wait_ms, domain, Matter::Rewrap);
    }

    /// When there is to be another turn.
    async fn rewrap_turn(&self, domain: Domain) -> Result<Option<i64>, Failure> {
        let begun = self.services.clock.now();
        let (mut spent, mut batch) = (0_usize, BATCH);
        loop {
            let pace = Pace {
                turn_ms: TURN_MS,
                spent,
                batch,
            };
            match self.rewrap_some(domain, pace).await? {
                Some(Step::Over) => return Ok(None),
                Some(Step::On { enough: true, .. }) => return Ok(Some(TURN_MS)),
                Some(Step::On { wrapped, .. }) => (spent, batch) = (spent.saturating_add(wrapped), BATCH),
                // Somebody has changed one of these records: fewer meet fewer.
                None if batch > 1 => batch = batch.div_euclid(2),
                None => return Ok(Some(TURN_MS)),
            }
            if self.services.clock.now().0.saturating_sub(begun.0) > TURN_MS {
                return Ok(Some(0));
            }
            crate::wait::breathe().await;
        }
    }

    /// One commit. `None`: it met another one.
    async fn rewrap_some(&self, domain: Domain, pace: Pace) -> Result<Option<Step>, Failure> {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut batch = Batch::default();
        let principal = Principal::Process(Process::Timer);
        let mut context = Context::new(&self.services, &principal, now, &mut work, &mut batch);
        let step = rewrap::advance(&mut context, domain, pace).await?;
        if !work.is_changed() {
            return Ok(Some(step));
        }
        match self.commit(work.into_change_set(now.0), now).await {
            Ok(()) => {
                super::notices::deliver(&batch.notices, &self.identity, &self.services).await;
                Ok(Some(step))
            }
            Err(CommitError::Conflict) => Ok(None),
            Err(error) => Err(Failure::detailed(Fault::StoreUnavailable, error)),
        }
    }

    /// Says that it waits for an HSM.
    async fn pause(&self, domain: Domain) {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        let mut batch = Batch::default();
        let principal = Principal::Process(Process::Timer);
        let mut context = Context::new(&self.services, &principal, now, &mut work, &mut batch);
        let news = rewrap::pause(&mut context, domain).await;
        if !matches!(news, Ok(true)) {
            return;
        }
        tracing::warn!(%domain, "a rewrap waits for an HSM that is away");
        if let Err(error) = self.commit(work.into_change_set(now.0), now).await {
            tracing::error!(%error, "that a rewrap waits could not be recorded");
        }
    }
}
