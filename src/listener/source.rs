//! How many handshakes each address has in flight, and how often they fail.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures from one address are told once in this time, with their number: a scanner fills no log.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Addresses whose failures are counted at a time. Beyond, failures are counted together.
const MAX_SOURCES: usize = 4096;

/// Addresses with something in flight or to be told.
#[derive(Default)]
pub(super) struct Sources {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    in_flight: HashMap<IpAddr, usize>,
    failures: HashMap<Option<IpAddr>, Failures>,
}

struct Failures {
    told: Instant,
    untold: u64,
}

/// A handshake in flight; dropped when it is over.
pub(super) struct Handshake {
    sources: Arc<Sources>,
    source: IpAddr,
}

/// Whom an address stands for: IPv6 hands out networks of 64 bits, so that one host has as many addresses as it likes.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::from((u128::from(address) & (u128::MAX << 64)).to_be_bytes()),
        v4 => v4,
    }
}

impl Sources {
    /// Room for one more handshake from this address, if it has fewer than the limit.
    pub(super) fn begin(self: &Arc<Self>, source: IpAddr, limit: usize) -> Option<Handshake> {
        let source = holder(source);
        let mut inner = self.lock();
        let in_flight = inner.in_flight.entry(source).or_default();
        if *in_flight >= limit {
            return None;
        }
        *in_flight += 1;
        Some(Handshake {
            sources: self.clone(),
            source,
        })
    }

    /// Counts a failure. Gives how many are to be told now: this one and those that were not told before.
    pub(super) fn failed(&self, source: IpAddr) -> Option<u64> {
        let source = holder(source);
        let mut inner = self.lock();
        let now = Instant::now();
        if inner.failures.len() >= MAX_SOURCES {
            inner
                .failures
                .retain(|_, f| f.untold > 0 || now - f.told < REPORT_EVERY);
        }
        let full = inner.failures.len() >= MAX_SOURCES && !inner.failures.contains_key(&Some(source));
        let failures = inner.failures.entry((!full).then_some(source));
        let mut first = false;
        let failures = failures.or_insert_with(|| {
            first = true;
            Failures { told: now, untold: 0 }
        });
        failures.untold += 1;
        if !first && now - failures.told < REPORT_EVERY {
            return None;
        }
        failures.told = now;
        Some(std::mem::take(&mut failures.untold))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut inner = self.sources.lock();
        if let Some(in_flight) = inner.in_flight.get_mut(&self.source) {
            *in_flight = in_flight.saturating_sub(1);
            if *in_flight == 0 {
                inner.in_flight.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_room() {
        let sources = Arc::new(Sources::default());
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = sources.begin(one, 2).unwrap();
        let _second = sources.begin(one, 2).unwrap();
        assert!(sources.begin(one, 2).is_none());
        assert!(sources.begin(two, 2).is_some());
        drop(first);
        assert!(sources.begin(one, 2).is_some());
    }

    #[test]
    fn one_network_of_ipv6_has_the_room_of_one_address() {
        let sources = Arc::new(Sources::default());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let _first = sources.begin(address("2001:db8::1"), 1).unwrap();
        assert!(sources.begin(address("2001:db8::ffff:2"), 1).is_none());
        assert!(sources.begin(address("2001:db8:0:1::1"), 1).is_some());
        let _mapped = sources.begin(address("::ffff:10.0.0.1"), 1).unwrap();
        assert!(sources.begin(address("10.0.0.1"), 1).is_none());
    }

    #[test]
    fn failures_are_told_together() {
        let sources = Sources::default();
        let one = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(sources.failed(one), Some(1));
        assert_eq!(sources.failed(one), None);
        assert_eq!(sources.failed(one), None);
        assert_eq!(sources.failed(IpAddr::from([10, 0, 0, 2])), Some(1));
    }
}
