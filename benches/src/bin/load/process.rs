//! What the operating system says about a process.

use crate::Outcome;
use std::time::Duration;

/// A process by its number.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    /// CPU time since its start, user and system, of all its threads.
    pub fn cpu(self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name in parentheses may hold anything; numbers follow its last parenthesis.
        let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<_, _>>()?;
        // A tick is 10 ms wherever Linux runs today (USER_HZ).
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory in KiB.
    pub fn resident_kib(self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}
