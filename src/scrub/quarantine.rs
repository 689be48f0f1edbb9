//! Which records are held: in memory, as the findings in the store say, and a store that does not give them out.

use super::finding::{FINDING, Finding};
use super::streams::{Known, TrailFault};
use crate::audit::Head;
use crate::custody::Custody;
use crate::records;
use crate::store::{
    ChangeSet, ClaimKey, CommitError, Counter, Counters, Domain, GuardKey, IndexHit, IndexQuery, Key, Kind, Receipt,
    Record, Store, StoreError, TrailQuery, TrailRecord,
};
use crate::wait::{Wait, ready};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Findings read at once.
const PAGE: usize = 256;

/// What stands before a record that is not as the trail has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barrier {
    /// The store does not give it out.
    Store,
    /// Its room refuses it, where it is asked for.
    Room,
    /// Nothing: without it nobody could act any more, or its own sealing protects it. It is told, and alarmed.
    Told,
}

/// The records that are held.
pub struct Quarantine {
    barrier: fn(Key) -> Barrier,
    held: RwLock<HashSet<Key>>,
    progress: Mutex<Progress>,
}

/// How the comparison of records with the trail stands.
#[derive(Clone, Default)]
pub struct Progress {
    /// Whether somebody wants one now.
    pub wanted: bool,
    /// Whether one is under way.
    pub under_way: bool,
    /// The last one that came to its end.
    pub last: Option<Summary>,
    /// How far the trail was seen to reach.
    pub known: Known,
}

/// What a comparison has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// When it began, in milliseconds since 1970.
    pub begun_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// Records compared.
    pub compared: u64,
    /// Records of the trail that were read and verified.
    pub trail: u64,
    /// What is wrong with the trail.
    pub trail_faults: Vec<TrailFault>,
}

impl Quarantine {
    /// Nothing is held yet. `barrier` says what is done about each sort of record.
    #[must_use]
    pub fn new(barrier: fn(Key) -> Barrier) -> Self {
        Self {
            barrier,
            held: RwLock::default(),
            progress: Mutex::default(),
        }
    }

    /// What stands before this record, if it is found wrong.
    #[must_use]
    pub fn barrier(&self, key: Key) -> Barrier {
        (self.barrier)(key)
    }

    /// Whether requests for this record are refused.
    #[must_use]
    pub fn holds(&self, key: Key) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// How the comparison stands.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds what the findings in the store say. Gives how many there are.
    pub async fn reload(&self, store: &Arc<dyn Store>, custody: &Custody) -> Result<usize, StoreError> {
        let found = findings(store, custody).await?;
        let held = found.iter().map(|finding| finding.key);
        let held = held.filter(|key| self.barrier(*key) != Barrier::Told).collect();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(found.len())
    }
}

/// All findings in the store. One that is damaged is found by the next comparison, with the record that it is about.
pub async fn findings(store: &Arc<dyn Store>, custody: &Custody) -> Result<Vec<Finding>, StoreError> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.scan(Domain::SYSTEM, FINDING, after, PAGE).await?;
        after = page.last().map(|record| record.key.id);
        let opened = page.iter().filter_map(|record| records::open(custody, record).ok());
        all.extend(opened.filter_map(|bytes| Finding::decode(bytes).ok()));
        if page.len() < PAGE {
            return Ok(all);
        }
    }
}

/// A store that does not give out what is held.
pub struct Gated {
    inner: Arc<dyn Store>,
    quarantine: Arc<Quarantine>,
}

impl Gated {
    /// The same store, without what is held.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, quarantine: Arc<Quarantine>) -> Self {
        Self { inner, quarantine }
    }
}

impl Gated {
    fn withholds(&self, key: Key) -> bool {
        self.quarantine.holds(key) && self.quarantine.barrier(key) == Barrier::Store
    }
}

impl Store for Gated {
    fn load(&self, key: Key) -> Wait<'_, Result<Option<Record>, StoreError>> {
        if self.withholds(key) {
            return ready(Err(StoreError::Quarantined));
        }
        self.inner.load(key)
    }

    fn counters(&self, key: Key) -> Wait<'_, Result<Counters, StoreError>> {
        self.inner.counters(key)
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<Key>, StoreError>> {
        self.inner.claimed(claim)
    }

    fn guard(&self, guard: GuardKey) -> Wait<'_, Result<u64, StoreError>> {
        self.inner.guard(guard)
    }

    fn find<'a>(&'a self, query: &'a IndexQuery) -> Wait<'a, Result<Vec<IndexHit>, StoreError>> {
        self.inner.find(query)
    }

    fn scan(
        &self,
        domain: Domain,
        kind: Kind,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        Box::pin(async move {
            let (mut given, mut after) = (Vec::new(), after);
            // A page that is shorter than asked for is the last one: what is left out is made up for.
            loop {
                let wanted = limit.saturating_sub(given.len());
                let page = self.inner.scan(domain, kind, after, wanted).await?;
                let is_last = page.len() < wanted;
                after = page.last().map(|record| record.key.id);
                given.extend(page.into_iter().filter(|record| !self.withholds(record.key)));
                if is_last || given.len() >= limit {
                    return Ok(given);
                }
            }
        })
    }

    fn rows(&self, from: Key, limit: usize) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        self.inner.rows(from, limit)
    }

    fn counter_rows(&self, from: (Key, u32), limit: usize) -> Wait<'_, Result<Vec<Counter>, StoreError>> {
        self.inner.counter_rows(from, limit)
    }

    fn commit(&self, change: ChangeSet) -> Wait<'_, Result<Receipt, CommitError>> {
        self.inner.commit(change)
    }

    fn high_water(&self) -> i64 {
        self.inner.high_water()
    }

    fn trail(&self, query: TrailQuery) -> Wait<'_, Result<Vec<TrailRecord>, StoreError>> {
        self.inner.trail(query)
    }

    fn trail_heads(&self) -> Wait<'_, Result<Vec<Head>, StoreError>> {
        self.inner.trail_heads()
    }
}
