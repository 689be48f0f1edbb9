//! Outages of the trails: each is alarmed once, however many requests meet it.

use crate::audit::alarm::{Event, raise};
use crate::clock::Moment;
use crate::store::CommitError;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a trail could not be written last time.
pub(super) struct Outage {
    trail: &'static str,
    out: AtomicBool,
}

impl Outage {
    pub(super) const fn of(trail: &'static str) -> Self {
        Self {
            trail,
            out: AtomicBool::new(false),
        }
    }

    /// It could not be written.
    pub(super) fn begins(&self, now: Moment) {
        if !self.out.swap(true, Ordering::Relaxed) {
            // No trail carries this one: it is the trail that is out.
            let _ = raise(Event::TrailUnavailable, [0; 16], now.0, self.trail);
        }
    }

    /// It was written.
    pub(super) fn ends(&self) {
        if self.out.load(Ordering::Relaxed) {
            self.out.store(false, Ordering::Relaxed);
        }
    }

    /// How a commit went, of which the change trail is a part. One that lost a race says nothing of the trail.
    pub(super) fn commit<T>(&self, outcome: &Result<T, CommitError>, now: Moment) {
        match outcome {
            Ok(_) => self.ends(),
            Err(CommitError::Full | CommitError::Unavailable(_)) => self.begins(now),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_one_until_something_was_written() {
        let outage = Outage::of("a trail");
        let is_out = || outage.out.load(Ordering::Relaxed);
        outage.commit::<()>(&Err(CommitError::Conflict), Moment(1));
        assert!(!is_out());
        outage.commit::<()>(&Err(CommitError::Full), Moment(1));
        assert!(is_out());
        outage.commit::<()>(&Err(CommitError::Conflict), Moment(2));
        assert!(is_out());
        outage.commit(&Ok(()), Moment(3));
        assert!(!is_out());
    }
}
