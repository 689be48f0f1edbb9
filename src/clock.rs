//! Time as the server knows it. Read once per item and again at commit; simulation brings its own.

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

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }
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
}
