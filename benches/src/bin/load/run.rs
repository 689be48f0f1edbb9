//! Many connections, each with one request in flight.

use crate::requests::Requests;
use crate::{Outcome, Target};
use std::fmt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a load ends: at whichever comes first.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub time: Duration,
    pub count: u64,
}

/// Latencies, and how long all took together.
#[derive(Default)]
pub struct Figures {
    latencies: Vec<Duration>,
    wall: Duration,
}

impl Figures {
    pub fn add(&mut self, latency: Duration) {
        self.latencies.push(latency);
    }

    pub fn count(&self) -> usize {
        self.latencies.len()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = |hundredths: usize| {
            let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
            sorted.get(place).map_or(0.0, |d| d.as_secs_f64() * 1e6)
        };
        write!(
            f,
            "{} operations, median {:.0} µs, p99 {:.0} µs",
            sorted.len(),
            at(50),
            at(99)
        )?;
        if !self.wall.is_zero() {
            write!(f, ", {:.0} per second", sorted.len() as f64 / self.wall.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Sends requests until the bounds are reached. An answer that is no success ends everything.
pub fn load(target: &Target, requests: &Requests, connections: usize, bounds: Bounds) -> Outcome<Figures> {
    let next = AtomicU64::new(0);
    let (next, start) = (&next, &Barrier::new(connections));
    let worker = move || -> Outcome<(Vec<Duration>, Duration)> {
        let opened = target.connect();
        // Nobody waits in vain for one that could not connect.
        start.wait();
        let mut connection = opened?;
        let begun = Instant::now();
        let mut latencies = Vec::new();
        while begun.elapsed() < bounds.time {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= bounds.count {
                break;
            }
            let message = requests.message(number);
            let sent = Instant::now();
            let answer = connection.send(&message)?;
            latencies.push(sent.elapsed());
            requests.check(&answer, number)?;
        }
        Ok((latencies, begun.elapsed()))
    };
    let mut figures = Figures::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            let (latencies, wall) = worker.join().map_err(|_| "a connection's thread panicked")??;
            figures.latencies.extend(latencies);
            figures.wall = figures.wall.max(wall);
        }
        Ok(figures)
    })
}
