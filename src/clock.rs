//! Time as the server knows it. Read once per item and again at commit; simulation brings its own.

use rustix::time::{ClockId, clock_gettime};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Moment(pub i64);

impl Moment {
    /// Whole seconds since 1970, as KMIP's Date-Time counts.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The wall clock. What the server acts on is the later of this and the mark that was persisted (see [`Clock::since`]).
    fn now(&self) -> Moment;

    /// The moment that counts: a clock that was set back reactivates nothing.
    fn since(&self, high_water: Moment) -> Moment {
        self.now().max(high_water)
    }

    /// How the wall clock stands to the time that has really passed.
    fn bearing(&self) -> Bearing {
        Bearing::default()
    }

    /// The moment by which what was granted for a time runs out: a clock that is set back prolongs nothing.
    fn lapsed(&self, now: Moment) -> Moment {
        now
    }

    /// The moment up to which what waits for time to pass goes on. It stands still while the wall clock is too far ahead, so that setting it
    /// ahead ends nobody's time to object and nobody's time to agree.
    fn steady(&self, now: Moment) -> Moment {
        self.bearing().stands.map_or(now, |at| now.min(at))
    }
}

/// How the wall clock stands to the time that has really passed since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bearing {
    /// How far it is ahead, in milliseconds; below zero: behind.
    pub ahead_ms: i64,
    /// While it is too far ahead: the moment at which that was seen first, by the time that has passed.
    pub stands: Option<Moment>,
}

/// How far the wall clock may run ahead of the time that has really passed since the start, in milliseconds: a jump beyond needs
/// an approved clock change, and until then does not count.
const MOST_AHEAD_MS: i64 = 10 * 60 * 1000;

/// How far the wall clock may part from the time that has really passed before it was set, and has not just been corrected, in
/// milliseconds.
pub const JUMP_MS: i64 = 60 * 1000;

/// What a clock reads.
pub trait Hands: Send + Sync {
    /// Milliseconds since 1970, as the machine has them: somebody may set them.
    fn wall_ms(&self) -> i64;
    /// Milliseconds that have passed since some beginning: nobody sets them.
    fn elapsed_ms(&self) -> i64;
}

/// A wall clock, held to the time that has really passed.
pub struct HeldClock<H> {
    hands: H,
    /// The time that had passed at the start.
    started: i64,
    wall: i64,
    /// Since when it has been too far ahead.
    stands: Mutex<Option<Moment>>,
}

/// The machine's clock.
pub type SystemClock = HeldClock<Machine>;

impl HeldClock<Machine> {
    /// A clock that begins at the wall's present time.
    #[must_use]
    pub fn start() -> Self {
        Self::over(Machine)
    }
}

impl<H: Hands> HeldClock<H> {
    /// A clock that begins at these hands' present time.
    pub fn over(hands: H) -> Self {
        Self {
            started: hands.elapsed_ms(),
            wall: hands.wall_ms(),
            hands,
            stands: Mutex::new(None),
        }
    }

    /// What these hands show that nobody sets.
    pub const fn hands(&self) -> &H {
        &self.hands
    }

    /// The time that must have come.
    fn expected(&self) -> i64 {
        let elapsed = self.hands.elapsed_ms().saturating_sub(self.started);
        self.wall.saturating_add(elapsed)
    }
}

impl<H: Hands> Clock for HeldClock<H> {
    fn now(&self) -> Moment {
        held(self.hands.wall_ms(), self.expected())
    }

    fn lapsed(&self, now: Moment) -> Moment {
        now.max(Moment(self.expected()))
    }

    fn bearing(&self) -> Bearing {
        let expected = self.expected();
        let ahead_ms = self.hands.wall_ms().saturating_sub(expected);
        let mut stands = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        *stands = (ahead_ms > JUMP_MS).then(|| stands.unwrap_or(Moment(expected)));
        Bearing {
            ahead_ms,
            stands: *stands,
        }
    }
}

/// The wall's time, but at most so far ahead of the time that must have come.
fn held(wall: i64, expected: i64) -> Moment {
    Moment(wall.min(expected.saturating_add(MOST_AHEAD_MS)))
}

/// The machine that this runs on.
pub struct Machine;

impl Hands for Machine {
    fn wall_ms(&self) -> i64 {
        wall_ms()
    }

    fn elapsed_ms(&self) -> i64 {
        since_boot_ms()
    }
}

/// Milliseconds since the machine was started, those in which it was suspended included: after a night's sleep the wall clock is
/// right, and must not look as if it had been set ahead. `Instant` stands still meanwhile.
fn since_boot_ms() -> i64 {
    let now = clock_gettime(ClockId::Boottime);
    let whole = now.tv_sec.saturating_mul(1000);
    whole.saturating_add(now.tv_nsec.div_euclid(1_000_000))
}

fn wall_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct Fixed(i64);
    impl Clock for Fixed {
        fn now(&self) -> Moment {
            Moment(self.0)
        }
    }

    #[test]
    fn a_step_back_does_not_turn_time_back() {
        assert_eq!(Fixed(5_000).since(Moment(9_999)).seconds(), 9);
        assert_eq!(Fixed(12_000).since(Moment(9_999)).seconds(), 12);
    }

    /// Hands that tests move: the wall's, and the time that has passed.
    struct Moved(AtomicI64, AtomicI64);

    impl Hands for Moved {
        fn wall_ms(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }

        fn elapsed_ms(&self) -> i64 {
            self.1.load(Ordering::SeqCst)
        }
    }

    fn moved(wall: i64, elapsed: i64, clock: &HeldClock<Moved>) -> Bearing {
        clock.hands().0.fetch_add(wall, Ordering::SeqCst);
        clock.hands().1.fetch_add(elapsed, Ordering::SeqCst);
        clock.bearing()
    }

    #[test]
    fn what_waits_stands_still_while_the_wall_clock_is_too_far_ahead() {
        const HOUR_MS: i64 = 3_600_000;
        let clock = HeldClock::over(Moved(AtomicI64::new(1_000_000), AtomicI64::new(7)));
        assert_eq!(moved(5_000, 5_000, &clock), Bearing::default());
        // A correction is no jump.
        let bearing = moved(JUMP_MS, 0, &clock);
        assert_eq!((bearing.ahead_ms, bearing.stands), (JUMP_MS, None));
        assert_eq!(clock.steady(clock.now()), Moment(1_005_000 + JUMP_MS));
        let bearing = moved(HOUR_MS, 0, &clock);
        assert_eq!(bearing.ahead_ms, JUMP_MS + HOUR_MS);
        assert_eq!(bearing.stands, Some(Moment(1_005_000)));
        // It stands where it was seen first, however much time passes.
        moved(HOUR_MS, HOUR_MS, &clock);
        assert_eq!(clock.steady(clock.now()), Moment(1_005_000));
        assert!(clock.now() > Moment(1_005_000));
        // Set right again it goes on, and by the time that has passed.
        let bearing = moved(-HOUR_MS - JUMP_MS, 0, &clock);
        assert_eq!(bearing, Bearing::default());
        assert_eq!(clock.steady(clock.now()), Moment(1_005_000 + HOUR_MS));
        // Set back nothing waits less or longer than until the wall has caught up.
        let bearing = moved(-HOUR_MS, 0, &clock);
        assert_eq!((bearing.ahead_ms, bearing.stands), (-HOUR_MS, None));
    }

    #[test]
    fn time_since_boot_is_the_machines_uptime() {
        // The kernel's uptime counts suspensions; a clock that did not would be behind it on a machine that ever slept.
        let uptime = || {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            let seconds: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
            std::time::Duration::from_secs_f64(seconds)
                .as_millis()
                .try_into()
                .unwrap()
        };
        let (before, own): (i64, i64) = (uptime(), since_boot_ms());
        let after: i64 = uptime();
        // The file counts in hundredths, rounded down.
        assert!((before..=after + 10).contains(&own), "{before} {own} {after}");
    }

    #[test]
    fn a_jump_ahead_counts_for_ten_minutes_only() {
        assert_eq!(held(1_000_000, 999_000), Moment(1_000_000));
        assert_eq!(held(99_999_999, 1_000_000), Moment(1_000_000 + MOST_AHEAD_MS));
        assert_eq!(held(10, 1_000_000), Moment(10));
    }
}
