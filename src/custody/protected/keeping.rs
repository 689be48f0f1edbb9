//! Keeping protected KEKs: opened when an HSM is back, renewed at an interval, dropped when no HSM has confirmed them for too long.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Custody;
use super::held::{Due, Held, Keeping};
use crate::audit::alarm::{Event, raise};
use crate::custody::error::CustodyError;
use crate::custody::sealing::KEY;
use crate::custody::slab::Locked;

/// KEKs that HSMs are asked for at once: what their sessions can take.
const AT_ONCE: usize = 64;

impl Custody {
    /// Says how protected KEKs are kept, and by which key of the installation they are known. Before the first one is made or
    /// opened; without it they are known to this process only.
    pub fn keep_protected(&self, binding_key: Locked, keeping: Keeping) {
        // The first one stays: KEKs may be known by it.
        let _ = self.protected.binding.set(binding_key);
        *self.protected.keeping.write().unwrap_or_else(PoisonError::into_inner) = keeping;
    }

    pub(super) fn binding_key(&self) -> Result<&Locked, CustodyError> {
        if let Some(key) = self.protected.binding.get() {
            return Ok(key);
        }
        let mut key = self.slab.allocate(KEY)?;
        self.randomness
            .fill(key.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        Ok(self.protected.binding.get_or_init(|| key))
    }

    /// Asks the HSMs for each protected KEK that is due: not in memory, or not confirmed for as long as the interval is. One that
    /// they do not give is kept until its grace is over.
    pub async fn tend(self: &Arc<Self>, now: Instant) {
        self.protected.forget_unused(now);
        let mut asked = JoinSet::new();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        for held in self.protected.all() {
            if held.due(now) == Due::Nothing {
                continue;
            }
            let (custody, places) = (Arc::clone(self), Arc::clone(&places));
            asked.spawn(async move {
                let _place = places.acquire().await;
                // Why is logged; it is tried again.
                let _ = custody.open_protected(&held, now).await;
            });
        }
        while asked.join_next().await.is_some() {}
    }

    /// Has a KEK opened by any of its profiles, and puts it in the place of the copy before.
    pub(super) async fn open_protected(&self, held: &Held, now: Instant) -> Result<(), CustodyError> {
        let _alone = held.opening.lock().await;
        if held.is_open() && held.due(now) == Due::Nothing {
            return Ok(());
        }
        let keeping = self.protected.keeping();
        let mut failure = CustodyError::Unavailable;
        for wrap in held.wraps().iter() {
            match self.open_by(held.name, &held.binding, wrap).await {
                Ok(key) => {
                    held.confirm(key, now, keeping.renew);
                    return Ok(());
                }
                Err(error) => {
                    if !matches!(error, CustodyError::Unavailable | CustodyError::Credential) {
                        let (domain, generation) = (held.name.domain, held.name.generation);
                        tracing::error!(%domain, generation, %error, "an HSM-Profile does not open a protected KEK");
                    }
                    failure = error;
                }
            }
        }
        if held.missed(now, keeping.grace) {
            let note = "a protected KEK is dropped from memory, since no HSM has confirmed it for too long";
            raise(Event::CustodyOutage, held.name.domain.0, 0, note);
        }
        Err(failure)
    }
}
