//! What a client's settings say of a message before any of its items is looked at: where it may come from, and how often.

use crate::failure::{Failure, Fault};
use crate::identity::{Counted, Principal};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Buckets kept. Each is about 60 bytes; when there are more, those that are full again are forgotten.
const MOST_KEPT: usize = 65_536;

/// Counts requests: for each client and tenant whose rate is limited, a bucket that holds a second's worth and fills evenly.
#[derive(Default)]
pub(super) struct Admission {
    buckets: Mutex<HashMap<Counted, Bucket>>,
}

struct Bucket {
    /// Thousandths of requests that are left.
    left: u64,
    at_ms: i64,
}

/// Thousandths of a request.
const ONE: u64 = 1_000;

impl Admission {
    /// Lets a message of this principal pass, or says why not.
    pub(super) fn admit(&self, principal: &Principal, from: IpAddr, now_ms: i64) -> Result<(), Failure> {
        let Some(client) = principal.client() else {
            return Ok(());
        };
        let limits = &client.limits;
        if !limits.admits(from) {
            return Err(Failure::detailed(Fault::NotAuthenticated, "not from this address"));
        }
        if limits.rate.is_none() && limits.tenant_rate.is_none() {
            return Ok(());
        }
        let own = limits
            .rate
            .map(|rate| (Counted::Client(client.tenant, client.client), rate));
        let all = limits.tenant_rate.map(|rate| (Counted::Tenant(client.tenant), rate));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_KEPT {
            buckets.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < 1_000);
        }
        for (counted, rate) in own.into_iter().chain(all) {
            let bucket = buckets.entry(counted).or_insert(Bucket {
                left: full(rate),
                at_ms: now_ms,
            });
            if !bucket.take(rate, now_ms) {
                return Err(Fault::TooManyRequests.into());
            }
        }
        Ok(())
    }
}

impl Bucket {
    fn take(&mut self, rate: u32, now_ms: i64) -> bool {
        let passed = u64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or(0);
        // A thousandth of a request is what one request per second earns in a millisecond.
        let earned = passed.saturating_mul(u64::from(rate));
        self.left = self.left.saturating_add(earned).min(full(rate));
        self.at_ms = self.at_ms.max(now_ms);
        match self.left.checked_sub(ONE) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

fn full(rate: u32) -> u64 {
    u64::from(rate).saturating_mul(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_a_second_and_fills_evenly() {
        let mut bucket = Bucket {
            left: full(2),
            at_ms: 0,
        };
        assert!(bucket.take(2, 0) && bucket.take(2, 0) && !bucket.take(2, 0));
        assert!(!bucket.take(2, 499) && bucket.take(2, 500) && !bucket.take(2, 500));
        // A pause earns no more than a second's worth; a clock that goes back earns nothing.
        assert!(bucket.take(2, 60_000) && bucket.take(2, 60_000) && !bucket.take(2, 60_000));
        assert!(!bucket.take(2, 0) && !bucket.take(2, 60_000));
    }
}
