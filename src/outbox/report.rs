//! How it stands with each endpoint, as far as this process knows; and who wants to know it now.

use super::endpoint::EndpointId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Endpoints of which something is remembered: as many as an installation has, and a bound.
const MOST: usize = 100_000;

/// Tests that wait at a time.
const MOST_TRIALS: usize = 64;

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

/// Somebody who waits for an answer: what went wrong, if anything did.
pub type Trial = (EndpointId, oneshot::Sender<Option<String>>);

/// What is known.
#[derive(Default)]
pub struct Reports {
    known: Mutex<HashMap<EndpointId, Report>>,
    trials: Mutex<Vec<Trial>>,
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

    /// Has an endpoint tried. `None`: too many wait.
    pub(super) fn ask(&self, endpoint: EndpointId) -> Option<oneshot::Receiver<Option<String>>> {
        let mut trials = lock(&self.trials);
        // Who asked and went away waits no more.
        trials.retain(|(_, told)| !told.is_closed());
        if trials.len() >= MOST_TRIALS {
            return None;
        }
        let (told, tells) = oneshot::channel();
        trials.push((endpoint, told));
        Some(tells)
    }

    /// Whom to answer.
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
        assert!(reports.ask(endpoint).is_some());
    }
}
