//! The lock-out that failed passwords lead to, of people and of clients: counted beside the record that has the password, bound to the
//! number that was seen, so that of many guesses at once each counts.

use crate::failure::{Failure, Fault};
use crate::identity::lockout_counter;
use crate::store::{Key, Work};

/// Failures until somebody is locked out.
const FAILURES: i64 = 5;
/// How long the first lock-out lasts, in milliseconds; each further failure doubles it.
const FIRST_LOCK_MS: i64 = 60_000;
/// How long one lasts at most.
const LONGEST_LOCK_MS: i64 = 60 * 60_000;

/// What was counted of somebody when it was looked at.
#[derive(Clone, Copy)]
pub struct Lockout {
    key: Key,
    failed: i64,
    until: Option<i64>,
}

impl Lockout {
    /// Reads what is counted beside a record.
    pub async fn read(key: Key, work: &mut Work) -> Result<Self, Failure> {
        let failed = work.counter(key, lockout_counter::FAILED).await?;
        Ok(Self {
            key,
            failed: failed.unwrap_or(0),
            until: work.counter(key, lockout_counter::LOCKED_UNTIL).await?,
        })
    }

    /// Whether nothing that is shown is accepted, at this time in milliseconds since 1970.
    #[must_use]
    pub fn holds(&self, now_ms: i64) -> bool {
        self.until.is_some_and(|until| now_ms < until)
    }

    /// Counts a failure. Whether it locks out: when there are too many.
    pub async fn fail(&self, now_ms: i64, work: &mut Work) -> Result<bool, Failure> {
        let failures = self.failed.saturating_add(1);
        let counted = work.adjust(self.key, lockout_counter::FAILED, 1, (0, failures));
        counted.await?.map_err(|_| Failure::new(Fault::Contention))?;
        let locks = failures >= FAILURES;
        if locks {
            let until = now_ms.saturating_add(lock_ms(failures));
            work.set_counter(self.key, lockout_counter::LOCKED_UNTIL, until);
        }
        Ok(locks)
    }

    /// Counts a success, against the failures seen: one that was counted meanwhile makes this run again.
    pub async fn succeed(&self, work: &mut Work) -> Result<(), Failure> {
        let contention = |_| Failure::new(Fault::Contention);
        let counter = lockout_counter::FAILED;
        let seen = work.adjust(self.key, counter, 0, (0, self.failed)).await?;
        seen.map_err(contention)?;
        if self.failed > 0 {
            let reset = work.adjust(self.key, counter, self.failed.saturating_neg(), (0, i64::MAX));
            reset.await?.map_err(contention)?;
            work.remove_counter(self.key, lockout_counter::LOCKED_UNTIL);
        }
        Ok(())
    }

    /// Forgets what was counted: by somebody else's decision.
    pub fn clear(key: Key, work: &mut Work) {
        for counter in [lockout_counter::FAILED, lockout_counter::LOCKED_UNTIL] {
            work.remove_counter(key, counter);
        }
    }
}

/// How long somebody is locked out after so many failures.
fn lock_ms(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(FAILURES))
        .unwrap_or(u32::MAX)
        .min(16);
    FIRST_LOCK_MS.saturating_mul(1_i64 << doublings).min(LONGEST_LOCK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_outs_double_up_to_an_hour() {
        let minutes = [5, 6, 7, 10, 11, 12, 1_000_000, i64::MAX].map(|failures| lock_ms(failures) / 60_000);
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
