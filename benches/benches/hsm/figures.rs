//! Rates and medians.

use std::time::Duration;

/// How often in a second, and the median.
pub fn summary(mut times: Vec<Duration>, took: Duration) -> (f64, Duration) {
    times.sort_unstable();
    let rate = f64::from(u32::try_from(times.len()).unwrap()) / took.as_secs_f64();
    (rate, *times.get(times.len() / 2).unwrap())
}
