//! Where work goes that costs more than about a millisecond of processor time: RSA and DH generation, hash-based signatures,
//! password hashing. A bounded pool, so that such requests queue behind one another and not before everybody's reads.

use crate::failure::{Failure, Fault};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The pool. Simulation and unit tests run jobs in place.
#[derive(Clone)]
pub struct Heavy {
    places: Option<Arc<Semaphore>>,
}

impl Heavy {
    /// Runs jobs on threads of their own, at most `places` at a time.
    #[must_use]
    pub fn threads(places: usize) -> Self {
        Self {
            places: Some(Arc::new(Semaphore::new(places.max(1)))),
        }
    }

    /// Runs jobs where they are called: one thread, deterministic.
    #[must_use]
    pub const fn in_place() -> Self {
        Self { places: None }
    }

    /// Runs a job. Its panic is an internal error of this request alone.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let Some(places) = &self.places else { return Ok(job()) };
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.map_err(|_| Failure::detailed(Fault::Internal, "the pool is closed"))?;
        let done = tokio::task::spawn_blocking(move || {
            let outcome = job();
            drop(place);
            outcome
        });
        done.await
            .map_err(|_| Failure::detailed(Fault::Internal, "a job panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_one_request_and_frees_its_place() {
        let pool = Heavy::threads(1);
        let failed = pool.run(|| std::panic::panic_any("gone")).await;
        assert!(failed.is_err_and(|f| f.fault() == Fault::Internal));
        assert!(pool.run(|| 7).await.is_ok_and(|seven| seven == 7));
    }
}
