//! The circuit breaker before an HSM: after an outage, requests fail at once instead of each waiting for it, and one
//! after the other is let through to see whether it is back.

use crate::audit::alarm::{Event, raise};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::custody::error::CustodyError;

/// The first pause after an outage; it doubles with each failed trial.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause: what a returned HSM may stay unused.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// So many requests in a row for which no session or memory was left are an outage: a module that has run out for good is cured by a
/// new process alone.
const CROWDED: u32 = 32;
/// Every so many failed trials in a row the worker itself is taken for broken and started anew.
const RESTART_EVERY: u32 = 4;

#[derive(Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Requests in a row for which nothing was left.
    crowded: u32,
    closed_until: Option<Instant>,
    trial: bool,
    stopped: bool,
}

/// Leave to send one request. Dropped without a verdict, it leaves things as they were.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    trial: bool,
}

impl Breaker {
    /// Asks for leave.
    pub(super) fn enter(&self) -> Result<Pass<'_>, CustodyError> {
        let mut state = self.state();
        if state.stopped {
            return Err(CustodyError::Credential);
        }
        let trial = match state.closed_until {
            None => false,
            Some(until) if !state.trial && until <= Instant::now() => true,
            Some(_) => return Err(CustodyError::Unavailable),
        };
        state.trial |= trial;
        Ok(Pass { breaker: self, trial })
    }

    /// Whether the PIN was refused.
    pub(super) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// The PIN was refused, here or elsewhere: nothing is sent any more.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The HSM answered.
    pub(super) fn answered(self) {
        let mut state = self.breaker.state();
        state.crowded = 0;
        // A late answer to a request from before the outage proves nothing; a trial does.
        if self.trial || state.closed_until.is_none() {
            state.failures = 0;
            state.closed_until = None;
        }
    }

    /// The HSM answered that no session or memory was left. Says whether the worker is to be started anew.
    pub(super) fn crowded(self) -> bool {
        let crowded = {
            let mut state = self.breaker.state();
            state.crowded = state.crowded.saturating_add(1);
            state.crowded
        };
        if crowded.is_multiple_of(CROWDED) {
            self.failed();
            return true;
        }
        // That it answers at all is what a trial is to find out.
        if self.trial {
            self.breaker.state().closed_until = None;
        }
        false
    }

    /// The HSM did not answer as it should. Says whether the worker is to be started anew.
    pub(super) fn failed(self) -> bool {
        let mut state = self.breaker.state();
        // Many requests that fail together are one failure.
        if self.trial || state.closed_until.is_none() {
            state.failures = state.failures.saturating_add(1);
            if state.failures == 1 {
                raise(Event::CustodyOutage, [0; 16], 0, "");
            }
            let doubled = FIRST_PAUSE.saturating_mul(1 << (state.failures - 1).min(8));
            state.closed_until = Some(Instant::now() + doubled.min(LONGEST_PAUSE));
            return state.failures.is_multiple_of(RESTART_EVERY);
        }
        false
    }

    /// The HSM refused the PIN: nothing is sent any more.
    pub(super) fn refused(self) {
        self.breaker.stop();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.breaker.state().trial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trial_at_a_time_after_a_pause() {
        let breaker = Breaker::default();
        breaker.enter().unwrap().answered();
        let (first, second) = (breaker.enter().unwrap(), breaker.enter().unwrap());
        assert!(!first.failed());
        assert!(!second.failed());
        assert_eq!(breaker.enter().err(), Some(CustodyError::Unavailable));
        std::thread::sleep(FIRST_PAUSE);
        let trial = breaker.enter().unwrap();
        assert_eq!(breaker.enter().err(), Some(CustodyError::Unavailable));
        drop(trial);
        breaker.enter().unwrap().answered();
        assert!(breaker.enter().is_ok());
    }

    #[test]
    fn nothing_left_for_long_asks_for_a_new_worker() {
        let breaker = Breaker::default();
        let crowded = |times: u32| (0..times).filter(|_| breaker.enter().unwrap().crowded()).count();
        assert_eq!(crowded(CROWDED - 1), 0);
        breaker.enter().unwrap().answered();
        assert_eq!(crowded(CROWDED - 1), 0);
        assert!(breaker.enter().unwrap().crowded());
        assert_eq!(breaker.enter().err(), Some(CustodyError::Unavailable));
    }

    #[test]
    fn a_refused_pin_is_final() {
        let breaker = Breaker::default();
        breaker.enter().unwrap().refused();
        assert_eq!(breaker.enter().err(), Some(CustodyError::Credential));
    }

    #[test]
    fn repeated_failures_ask_for_a_new_worker() {
        let breaker = Breaker::default();
        let mut restarts = 0;
        for _ in 0..RESTART_EVERY {
            breaker.state().closed_until = None;
            restarts += u32::from(breaker.enter().unwrap().failed());
        }
        assert_eq!(restarts, 1);
    }
}
