//! How long whoever did not accept a message is left alone.

use std::time::Duration;

/// How long to wait after the first failure; each one after that doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// How long to wait at most: who is back is found within minutes.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How long to wait after so many failures in a row before this one.
#[must_use]
pub fn wait(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(doubled).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = (0..11).map(|failures| wait(failures).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }
}
