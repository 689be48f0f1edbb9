//! Time as the server knows it. Read once per item and again at commit; simulation brings its own.

use rustix::time::{ClockId, clock_gettime};
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
}

/// How far the wall clock may run ahead of the time that has really passed since the start, in milliseconds: a jump beyond needs
/// an approved clock change, and until then does not count.
const MOST_AHEAD_MS: i64 = 10 * 60 * 1000;

/// The machine's clock, held to the time that has really passed.
pub struct SystemClock {
    /// The time since boot at the start.
    started: i64,
    wall: i64,
}

impl SystemClock {
    /// A clock that begins at the wall's present time.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started: since_boot_ms(),
            wall: wall_ms(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let elapsed = since_boot_ms().saturating_sub(self.started);
        held(wall_ms(), self.wall.saturating_add(elapsed))
    }
}

/// The wall's time, but at most so far ahead of the time that must have come.
fn held(wall: i64, expected: i64) -> Moment {
    Moment(wall.min(expected.saturating_add(MOST_AHEAD_MS)))
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
