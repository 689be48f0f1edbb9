//! What a client's settings say of a message before any of its items is looked at: where it may come from, and how often. Each item is a
//! request: a batch is no way round the rate.

use crate::failure::{Failure, Fault};
use crate::identity::{ClientPrincipal, Counted, Principal};
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
    /// Thousandths of requests that are left; below zero: what a batch took in advance.
    left: i64,
    at_ms: i64,
}

/// Thousandths of a request.
const ONE: i64 = 1_000;

impl Admission {
    /// Lets a message of this principal with so many items pass, or says why not.
    pub(super) fn admit(&self, principal: &Principal, from: IpAddr, items: usize, now_ms: i64) -> Result<(), Failure> {
        let Some(client) = principal.client() else {
            return Ok(());
        };
        self.pass(client, client.limits.tenant_rate, from, items, now_ms)
    }

    /// The same for a user, whose connection's client was let pass before: the tenant's rate is counted once.
    pub(super) fn admit_user(
        &self,
        user: &ClientPrincipal,
        from: IpAddr,
        items: usize,
        now_ms: i64,
    ) -> Result<(), Failure> {
        self.pass(user, None, from, items, now_ms)
    }

    fn pass(
        &self,
        client: &ClientPrincipal,
        tenant_rate: Option<u32>,
        from: IpAddr,
        items: usize,
        now_ms: i64,
    ) -> Result<(), Failure> {
        let limits = &client.limits;
        if !limits.admits(from) {
            return Err(Failure::detailed(Fault::NotAuthenticated, "not from this address"));
        }
        if limits.rate.is_none() && tenant_rate.is_none() {
            return Ok(());
        }
        let own = limits
            .rate
            .map(|rate| (Counted::Client(client.tenant, client.client), rate));
        let all = tenant_rate.map(|rate| (Counted::Tenant(client.tenant), rate));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_KEPT {
            // One in debt is not forgiven by being forgotten.
            buckets.retain(|_, bucket| bucket.left < 0 || now_ms.saturating_sub(bucket.at_ms) < 1_000);
        }
        let asked: Vec<(Counted, u32)> = own.into_iter().chain(all).collect();
        for (counted, rate) in &asked {
            let bucket = buckets.entry(*counted).or_insert(Bucket {
                left: full(*rate),
                at_ms: now_ms,
            });
            bucket.fill(*rate, now_ms);
            if bucket.left < ONE {
                return Err(Fault::TooManyRequests.into());
            }
        }
        // Taken once all agree: what the tenant's rate refuses costs the client nothing.
        for (counted, _) in &asked {
            if let Some(bucket) = buckets.get_mut(counted) {
                bucket.take(items);
            }
        }
        Ok(())
    }
}

impl Bucket {
    /// Puts in what was earned since last time.
    fn fill(&mut self, rate: u32, now_ms: i64) {
        let passed = now_ms.saturating_sub(self.at_ms).max(0);
        // A thousandth of a request is what one request per second earns in a millisecond.
        let earned = passed.saturating_mul(i64::from(rate));
        self.left = self.left.saturating_add(earned).min(full(rate));
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// Takes the items of a message that has passed. A batch of more than is left passes once, since there is no other time at which it
    /// could, and is paid for by the time in which nothing else passes.
    fn take(&mut self, items: usize) {
        let items = i64::try_from(items).unwrap_or(i64::MAX).max(1);
        self.left = self.left.saturating_sub(items.saturating_mul(ONE));
    }
}

fn full(rate: u32) -> i64 {
    i64::from(rate).saturating_mul(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(bucket: &mut Bucket, rate: u32, now_ms: i64, items: usize) -> bool {
        bucket.fill(rate, now_ms);
        let passes = bucket.left >= ONE;
        if passes {
            bucket.take(items);
        }
        passes
    }

    #[test]
    fn a_bucket_holds_a_second_and_fills_evenly() {
        let mut bucket = Bucket {
            left: full(2),
            at_ms: 0,
        };
        let mut take = |now_ms| takes(&mut bucket, 2, now_ms, 1);
        assert!(take(0) && take(0) && !take(0));
        assert!(!take(499) && take(500) && !take(500));
        // A pause earns no more than a second's worth; a clock that goes back earns nothing.
        assert!(take(60_000) && take(60_000) && !take(60_000));
        assert!(!take(0) && !take(60_000));
    }

    #[test]
    fn a_batch_is_as_many_requests_as_it_has_items() {
        let mut bucket = Bucket {
            left: full(10),
            at_ms: 0,
        };
        let mut take = |now_ms, items| takes(&mut bucket, 10, now_ms, items);
        assert!(take(0, 9) && take(0, 1) && !take(0, 1));
        // More than a second holds: it passes, and the next one waits until it is paid for.
        assert!(take(1_000, 110));
        assert!(!take(2_000, 1) && !take(11_000, 1) && take(11_100, 1));
        // What claims to have no items is a message all the same.
        assert!(take(12_000, 0));
        assert_eq!(bucket.left, full(8));
    }
}
