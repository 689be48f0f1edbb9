//! Watches the machine's clock: whoever sets it would shorten or lengthen what waits for time to pass.

use super::server::Server;
use crate::audit::alarm::{Event, raise};
use crate::clock::{JUMP_MS, Moment};
use crate::store::{Domain, Work};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How the clock stood when somebody was last told of it.
#[derive(Default)]
pub(super) struct Vigil {
    /// How far it was ahead of the time that has passed, in milliseconds.
    told_ms: AtomicI64,
}

impl Vigil {
    /// How far the clock was set since somebody was last told, if it was. It is told once.
    fn jump(&self, ahead_ms: i64) -> Option<i64> {
        let jump = ahead_ms.saturating_sub(self.told_ms.load(Ordering::Relaxed));
        if jump.saturating_abs() <= JUMP_MS {
            return None;
        }
        self.told_ms.store(ahead_ms, Ordering::Relaxed);
        Some(jump)
    }
}

impl Server {
    /// Alarms if the clock was set, ahead or back.
    pub(super) async fn watch_clock(&self) {
        if let Some(jump) = self.vigil.jump(self.services.clock.bearing().ahead_ms) {
            let way = if jump > 0 { "ahead" } else { "back" };
            let seconds = jump.saturating_abs() / 1000;
            self.tell_of_clock(&format!("{way} by {seconds} s")).await;
        }
    }

    /// Alarms if the clock is behind what was committed: it was set back while nobody looked.
    pub(super) async fn compare_clock(&self) {
        let behind = Moment(self.services.store.high_water())
            .0
            .saturating_sub(self.services.clock.now().0);
        if behind > JUMP_MS {
            let seconds = behind / 1000;
            self.tell_of_clock(&format!("{seconds} s behind the last commit")).await;
        }
    }

    async fn tell_of_clock(&self, note: &str) {
        let now = self.now();
        let mut work = Work::new(Arc::clone(&self.services.store));
        if let Some(draft) = raise(Event::ClockJumped, Domain::SYSTEM.0, now.0, note) {
            work.audit(draft);
        }
        if let Err(error) = self.commit(work.into_change_set(now.0), now).await {
            tracing::error!(%error, "an alarm of the clock could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_once_in_either_direction() {
        let vigil = Vigil::default();
        assert_eq!(vigil.jump(JUMP_MS), None);
        assert_eq!(vigil.jump(-JUMP_MS), None);
        assert_eq!(vigil.jump(JUMP_MS + 1), Some(JUMP_MS + 1));
        assert_eq!(vigil.jump(JUMP_MS + 1), None);
        assert_eq!(vigil.jump(0), Some(-JUMP_MS - 1));
        // Many small steps are a large one.
        assert_eq!(vigil.jump(-JUMP_MS / 2), None);
        assert_eq!(vigil.jump(-JUMP_MS * 2), Some(-JUMP_MS * 2));
    }
}
