//! Who of a worker's threads takes the next request. Where the module answers within microseconds, one thread takes them all, and looks for
//! the next for a moment before it sleeps: to wake another thread takes longer than such an answer, and modules that compute gain nothing
//! from more threads. Where it takes its time, all of them listen, so that as many calls are under way as there are sessions. Which it is
//! is measured; and while one thread has them all, another one watches that it does not get stuck.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A module that takes less for a request is quick.
pub(super) const QUICK: Duration = Duration::from_micros(80);
/// How often the watcher looks, which is also how long one request may keep the others waiting.
const TICK: Duration = Duration::from_millis(2);
/// So many ticks without a request, and the watcher sleeps until there is one.
const IDLE_TICKS: u32 = 100;
/// How long all listen before it is tried whether one does; it doubles with each trial that fails at once.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// Requests after which a trial has succeeded.
const PROVEN: u32 = 512;

/// What a thread is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Take every request, until told otherwise.
    Alone,
    /// Take one, as the others do.
    One,
}

pub(super) struct Turns {
    /// Whether one thread takes all requests.
    alone: AtomicBool,
    /// Counts the requests that the one thread has begun and ended: odd while it is at one.
    steps: AtomicU64,
    /// Whether the watcher sleeps until there is a request.
    dozing: AtomicBool,
    state: Mutex<State>,
    /// The mode has changed, or the one thread's place is free.
    changed: Condvar,
    /// There is a request again.
    roused: Condvar,
}

struct State {
    taken: bool,
    watched: bool,
    /// The mean of what the last requests took, one outlier weighing little.
    mean: Duration,
    /// Requests in this trial.
    count: u32,
    rest: Duration,
    until: Option<Instant>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            alone: AtomicBool::new(true),
            steps: AtomicU64::new(0),
            dozing: AtomicBool::new(false),
            state: Mutex::new(State {
                taken: false,
                watched: false,
                mean: Duration::ZERO,
                count: 0,
                rest: FIRST_REST,
                until: None,
            }),
            changed: Condvar::new(),
            roused: Condvar::new(),
        }
    }
}

impl Turns {
    /// Waits until this thread is to listen.
    pub(super) fn take(&self) -> Turn {
        let mut state = self.state();
        loop {
            if !self.alone.load(Ordering::Acquire) {
                return Turn::One;
            }
            if !state.taken {
                state.taken = true;
                return Turn::Alone;
            }
            state = if state.watched {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                state.watched = true;
                let mut state = self.watch(state);
                state.watched = false;
                state
            };
        }
    }

    /// Watches the one thread, and has all listen if it is stuck, or its place is free.
    fn watch<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let (mut seen, mut idle) = (self.steps.load(Ordering::Acquire), 0);
        while state.taken && self.alone.load(Ordering::Acquire) {
            if idle >= IDLE_TICKS {
                self.dozing.store(true, Ordering::SeqCst);
                // It may have begun one just before.
                if self.steps.load(Ordering::SeqCst) == seen {
                    state = self.roused.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                self.dozing.store(false, Ordering::SeqCst);
                idle = 0;
            }
            state = self
                .roused
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            let steps = self.steps.load(Ordering::Acquire);
            if steps != seen {
                (seen, idle) = (steps, 0);
            } else if steps % 2 == 1 {
                self.all(&mut state);
            } else {
                idle += 1;
            }
        }
        state
    }

    /// The one thread has a request.
    pub(super) fn begin(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
        if self.dozing.load(Ordering::SeqCst) {
            let _state = self.state();
            self.roused.notify_all();
        }
    }

    /// A request is done, and took so long. Says whether this thread is to go on as it did.
    pub(super) fn end(&self, turn: Turn, took: Duration) -> bool {
        match turn {
            Turn::Alone => self.end_alone(took),
            Turn::One => self.end_one(Instant::now()),
        }
    }

    fn end_alone(&self, took: Duration) -> bool {
        self.steps.fetch_add(1, Ordering::AcqRel);
        let mut state = self.state();
        if self.alone.load(Ordering::Acquire) {
            state.mean = (state.mean * 3 + took.min(QUICK * 2)) / 4;
            state.count = state.count.saturating_add(1);
            if state.count == PROVEN {
                state.rest = FIRST_REST;
            }
            if state.mean <= QUICK {
                return true;
            }
            self.all(&mut state);
        }
        state.taken = false;
        false
    }

    /// From time to time it is tried again whether one thread does.
    fn end_one(&self, now: Instant) -> bool {
        let mut state = self.state();
        if state.until.is_some_and(|until| until <= now) && !state.taken {
            (state.until, state.mean, state.count) = (None, Duration::ZERO, 0);
            self.steps.store(0, Ordering::Release);
            self.alone.store(true, Ordering::Release);
        }
        !self.alone.load(Ordering::Acquire)
    }

    /// All threads listen from now on, for a while.
    fn all(&self, state: &mut State) {
        state.until = Some(Instant::now() + state.rest);
        if state.count < PROVEN {
            state.rest = (state.rest * 2).min(LONGEST_REST);
        }
        self.alone.store(false, Ordering::Release);
        self.changed.notify_all();
        self.roused.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(20);
    const LONG: Duration = Duration::from_millis(1);

    #[test]
    fn one_thread_takes_all_as_long_as_the_module_is_quick() {
        let turns = Turns::default();
        let turn = turns.take();
        assert_eq!(turn, Turn::Alone);
        for number in 0..2000 {
            turns.begin();
            // A thread that the system did not let run now and then proves nothing.
            let took = if number % 50 == 49 { LONG } else { SHORT };
            assert!(turns.end(turn, took));
        }
    }

    #[test]
    fn all_listen_to_a_slow_one_and_it_is_tried_again() {
        let turns = Turns::default();
        let mut rests = Vec::new();
        for _ in 0..3 {
            let turn = turns.take();
            assert_eq!(turn, Turn::Alone);
            let mut more = true;
            while more {
                turns.begin();
                more = turns.end(turn, LONG);
            }
            assert_eq!(turns.take(), Turn::One);
            assert_eq!(turns.take(), Turn::One);
            let state = turns.state();
            let until = state.until.unwrap();
            rests.push(state.rest);
            drop(state);
            assert!(turns.end_one(until - SHORT));
            assert!(!turns.end_one(until));
        }
        assert_eq!(rests, [FIRST_REST * 2, FIRST_REST * 4, FIRST_REST * 8]);
    }

    #[test]
    fn who_is_stuck_is_left_alone() {
        let turns = Turns::default();
        assert_eq!(turns.take(), Turn::Alone);
        turns.begin();
        std::thread::scope(|scope| {
            // Both would wait for ever if nobody watched.
            let others = [scope.spawn(|| turns.take()), scope.spawn(|| turns.take())];
            for other in others {
                assert_eq!(other.join().unwrap(), Turn::One);
            }
        });
        // When it comes back it is one of them.
        assert!(!turns.end(Turn::Alone, SHORT));
        assert_eq!(turns.take(), Turn::One);
    }

    #[test]
    fn a_watcher_that_dozes_is_roused() {
        let turns = Turns::default();
        assert_eq!(turns.take(), Turn::Alone);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| turns.take());
            while !turns.dozing.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            turns.begin();
            assert_eq!(watcher.join().unwrap(), Turn::One);
        });
    }
}
