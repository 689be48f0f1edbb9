//! Sessions that go from thread to thread, where the token grants fewer than there are threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cryptoki_sys::CK_SESSION_HANDLE;

/// How long a thread waits for a session of another's. Whoever waits keeps the module from being initialised again.
const PATIENCE: Duration = Duration::from_millis(250);

/// A session and its login epoch.
type Session = (u64, CK_SESSION_HANDLE);

#[derive(Default)]
pub(super) struct Spares {
    waiting: AtomicUsize,
    free: Mutex<Vec<Session>>,
    freed: Condvar,
}

impl Spares {
    /// Whether somebody waits for a session.
    pub(super) fn are_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Gives up a thread's session, after its request.
    pub(super) fn lend(&self, session: &mut Option<Session>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(session.take());
        self.freed.notify_one();
    }

    /// Waits for a session of this epoch.
    pub(super) fn borrow(&self, epoch: u64) -> Option<CK_SESSION_HANDLE> {
        let until = Instant::now() + PATIENCE;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let borrowed = loop {
            // Those of former epochs ended with them.
            free.retain(|(of, _)| *of == epoch);
            let left = until.saturating_duration_since(Instant::now());
            if let Some((_, session)) = free.pop() {
                break Some(session);
            }
            if left.is_zero() {
                break None;
            }
            free = self
                .freed
                .wait_timeout(free, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        borrowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_go_to_who_waits() {
        let spares = Spares::default();
        assert!(!spares.are_wanted());
        assert_eq!(spares.borrow(1), None);
        let mut session = Some((1, 7));
        spares.lend(&mut session);
        assert_eq!(session, None);
        assert_eq!(spares.borrow(1), Some(7));
        spares.lend(&mut Some((1, 8)));
        assert_eq!(spares.borrow(2), None, "a session of a former epoch");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| spares.borrow(3));
            while !spares.are_wanted() {
                std::thread::yield_now();
            }
            spares.lend(&mut Some((3, 9)));
            assert_eq!(waiting.join().unwrap(), Some(9));
        });
    }
}
