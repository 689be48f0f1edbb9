//! How it stands with each endpoint, as far as this process knows; and who wants to know it now.

use super::endpoint::EndpointId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Endpoints of which something is remembered: as many as an installation has, and a bound.
const MOST: usize = 100_000;

/// Tests that wait or are made at a time.
const MOST_TRIALS: usize = 64;

/// How long a test takes at most: a few addresses of a name, the handshake, and a moment in which it is seen whether the peer stays. Who asks
/// for one waits as long, and those who connect to us with the usual sixty seconds of patience have their answer.
pub const TRIAL: Duration = Duration::from_secs(25);

/// Longest description of what went wrong: it may hold words of whoever answered.
const LONGEST: usize = 256;

/// What is known of an endpoint since this process was started.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// When it last accepted something, in milliseconds since 1970.
    pub answered_ms: Option<i64>,
    /// What has gone wrong since.
    pub trouble: Option<String>,
}

/// A test that is to be made, for somebody who waits for its outcome.
pub struct Trial {
    endpoint: EndpointId,
    told: oneshot::Sender<Option<String>>,
    /// Its place among those that may wait or be made.
    _place: OwnedSemaphorePermit,
}

impl Trial {
    /// Of which endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Tells what went wrong, if anything did.
    pub fn tell(self, trouble: Option<String>) {
        // Who asked may have gone away.
        let _ = self.told.send(trouble);
    }
}

/// What is known.
pub struct Reports {
    known: Mutex<HashMap<EndpointId, Report>>,
    trials: Mutex<Vec<Trial>>,
    places: Arc<Semaphore>,
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            trials: Mutex::default(),
            places: Arc::new(Semaphore::new(MOST_TRIALS)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reports {
    /// What is known of an endpoint.
    #[must_use]
    pub fn of(&self, endpoint: EndpointId) -> Report {
        lock(&self.known).get(&endpoint).cloned().unwrap_or_default()
    }

    /// It has answered.
    pub fn answered(&self, endpoint: EndpointId, at_ms: i64) {
        let report = Report {
            answered_ms: Some(at_ms),
            trouble: None,
        };
        self.keep(endpoint, report);
    }

    /// It could be connected to, which says nothing of whether it accepts anything.
    pub fn reached(&self, endpoint: EndpointId) {
        if let Some(report) = lock(&self.known).get_mut(&endpoint) {
            report.trouble = None;
        }
    }

    /// Something went wrong.
    pub fn trouble(&self, endpoint: EndpointId, why: &str) {
        let report = Report {
            trouble: Some(plain(why)),
            ..self.of(endpoint)
        };
        self.keep(endpoint, report);
    }

    fn keep(&self, endpoint: EndpointId, report: Report) {
        let mut known = lock(&self.known);
        if known.len() < MOST || known.contains_key(&endpoint) {
            known.insert(endpoint, report);
        }
    }

    /// It is no more.
    pub fn forget(&self, endpoint: EndpointId) {
        lock(&self.known).remove(&endpoint);
    }

    /// Has an endpoint tried. `None`: too many are being tried.
    pub(super) fn ask(&self, endpoint: EndpointId) -> Option<oneshot::Receiver<Option<String>>> {
        let mut trials = lock(&self.trials);
        // Who asked and went away waits no more.
        trials.retain(|trial| !trial.told.is_closed());
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (told, tells) = oneshot::channel();
        trials.push(Trial {
            endpoint,
            told,
            _place: place,
        });
        Some(tells)
    }

    /// What is to be tried.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        core::mem::take(&mut *lock(&self.trials))
    }
}

/// Words without control characters, bounded.
fn plain(words: &str) -> String {
    let visible = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut length = 0_usize;
    let fits = |c: &char| {
        length = length.saturating_add(c.len_utf8());
        length <= LONGEST
    };
    visible.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Domain;

    #[test]
    fn what_went_wrong_is_told_until_it_answers() {
        let reports = Reports::default();
        let endpoint = EndpointId {
            domain: Domain([1; 16]),
            id: [2; 16],
        };
        reports.trouble(endpoint, &format!("line\nline{}", "x".repeat(500)));
        let told = reports.of(endpoint).trouble.unwrap();
        assert!(told.starts_with("line line") && told.len() == LONGEST);
        reports.answered(endpoint, 5);
        let expected = Report {
            answered_ms: Some(5),
            trouble: None,
        };
        assert_eq!(reports.of(endpoint), expected);
        // A test that reaches it takes the trouble away, and is no answer.
        reports.trouble(endpoint, "slow");
        reports.reached(endpoint);
        assert_eq!(reports.of(endpoint), expected);
    }

    #[test]
    fn tests_that_nobody_waits_for_take_no_room() {
        let reports = Reports::default();
        let endpoint = EndpointId {
            domain: Domain([1; 16]),
            id: [2; 16],
        };
        let waiting: Vec<_> = (0..MOST_TRIALS).map(|_| reports.ask(endpoint).unwrap()).collect();
        assert!(reports.ask(endpoint).is_none());
        drop(waiting);
        // One that is being made counts until it is over.
        let asked: Vec<_> = (0..MOST_TRIALS).map(|_| reports.ask(endpoint).unwrap()).collect();
        let mut made = reports.trials();
        assert!(reports.ask(endpoint).is_none());
        made.pop().unwrap().tell(None);
        assert!(reports.ask(endpoint).is_some());
        drop(asked);
    }
}
