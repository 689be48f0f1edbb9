//! The reference engine: everything in ordered maps under one lock. For simulation and tests; it forgets when dropped.

use super::contract::{
    ChangeSet, CommitError, Counter, Counters, IndexHit, IndexQuery, IndexRange, IndexRow, Receipt, Record, Seen,
    Store, StoreError, TrailQuery, TrailRecord,
};
use super::engine::{Failure, Marks, Tables, perform};
use super::key::{ClaimKey, Domain, GuardKey, IndexValue, Key, Kind};
use crate::audit::{Chain, Head, Linked, Position, StreamId, hash};
use crate::wait::{Wait, ready};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory.
pub struct MemoryStore {
    state: Mutex<State>,
}

struct State {
    tables: Maps,
    marks: Marks,
    chain: Box<dyn Chain>,
    refusals: Vec<CommitError>,
}

struct Stored {
    seen: Seen,
    body: Arc<[u8]>,
    rows: Vec<IndexRow>,
}

/// Domain, kind, application, attribute, value, creation, id.
type IndexEntry = (Domain, Kind, [u8; 16], u32, IndexValue, u64, [u8; 16]);

type Trail = BTreeMap<(StreamId, u64), (Domain, Arc<[u8]>)>;

#[derive(Default)]
struct Maps {
    records: BTreeMap<Key, Stored>,
    index: BTreeSet<IndexEntry>,
    claims: BTreeMap<ClaimKey, Key>,
    guards: BTreeMap<GuardKey, u64>,
    counters: BTreeMap<(Key, u32), i64>,
    trail: Trail,
}

impl MemoryStore {
    /// An empty store whose change trail is linked by `chain`.
    #[must_use]
    pub fn new(chain: Box<dyn Chain>) -> Self {
        let state = State {
            tables: Maps::default(),
            marks: Marks::START,
            chain,
            refusals: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Refuses the next commit with this error (several calls queue up): how simulation and tests play a full disk, an outage,
    /// a conflict.
    pub fn refuse_next(&self, error: CommitError) {
        self.lock().refusals.insert(0, error);
    }

    /// Puts a row there behind everybody's back, as somebody does who writes to the file of a database.
    pub fn plant(&self, record: Record) {
        let Record {
            key,
            revision,
            creation,
            body,
        } = record;
        let seen = Seen { revision, creation };
        let rows = Vec::new();
        self.lock().tables.records.insert(key, Stored { seen, body, rows });
    }

    /// Takes a row away behind everybody's back.
    pub fn uproot(&self, key: Key) {
        self.lock().tables.records.remove(&key);
    }

    /// Gives a counter another value behind everybody's back; `None`: takes it away.
    pub fn miscount(&self, key: Key, field: u32, value: Option<i64>) {
        let counters = &mut self.lock().tables.counters;
        match value {
            Some(value) => drop(counters.insert((key, field), value)),
            None => drop(counters.remove(&(key, field))),
        }
    }

    /// Takes the last record of the trail away behind everybody's back.
    pub fn cut_trail(&self) {
        self.lock().tables.trail.pop_last();
    }

    /// Every commit under the lock either finishes or never began, so a poisoned lock still guards whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(key: Key, creation: u64, row: &IndexRow) -> IndexEntry {
    (
        key.domain,
        key.kind,
        row.application,
        row.attribute,
        row.value.clone(),
        creation,
        key.id,
    )
}

impl Tables for Maps {
    type Error = Infallible;

    fn seen(&mut self, key: Key) -> Result<Option<Seen>, Infallible> {
        Ok(self.records.get(&key).map(|stored| stored.seen))
    }

    fn guard(&mut self, key: GuardKey) -> Result<u64, Infallible> {
        Ok(self.guards.get(&key).copied().unwrap_or(0))
    }

    fn holder(&mut self, claim: &ClaimKey) -> Result<Option<Key>, Infallible> {
        Ok(self.claims.get(claim).copied())
    }

    fn counter(&mut self, key: Key, field: u32) -> Result<Option<i64>, Infallible> {
        Ok(self.counters.get(&(key, field)).copied())
    }

    fn counters(&mut self, key: Key) -> Result<Counters, Infallible> {
        Ok(self.beside(key))
    }

    fn put(&mut self, key: Key, seen: Seen, _: bool, body: &Arc<[u8]>, rows: &[IndexRow]) -> Result<(), Infallible> {
        self.unindex(key);
        self.index.extend(rows.iter().map(|row| entry(key, seen.creation, row)));
        let stored = Stored {
            seen,
            body: Arc::clone(body),
            rows: rows.to_vec(),
        };
        self.records.insert(key, stored);
        Ok(())
    }

    fn remove(&mut self, key: Key, _: Seen) -> Result<(), Infallible> {
        self.unindex(key);
        self.records.remove(&key);
        for (field, _) in self.beside(key) {
            self.counters.remove(&(key, field));
        }
        Ok(())
    }

    fn set_guard(&mut self, key: GuardKey, revision: u64) -> Result<(), Infallible> {
        self.guards.insert(key, revision);
        Ok(())
    }

    fn set_holder(&mut self, claim: &ClaimKey, holder: Option<Key>) -> Result<(), Infallible> {
        match holder {
            Some(holder) => drop(self.claims.insert(claim.clone(), holder)),
            None => drop(self.claims.remove(claim)),
        }
        Ok(())
    }

    fn set_counter(&mut self, key: Key, field: u32, value: Option<i64>) -> Result<(), Infallible> {
        match value {
            Some(value) => drop(self.counters.insert((key, field), value)),
            None => drop(self.counters.remove(&(key, field))),
        }
        Ok(())
    }

    fn append(&mut self, domain: Domain, linked: Linked) -> Result<(), Infallible> {
        let Position { stream, sequence } = linked.position;
        self.trail.insert((stream, sequence), (domain, Arc::from(linked.bytes)));
        Ok(())
    }
}

impl Maps {
    fn beside(&self, key: Key) -> Counters {
        let range = self.counters.range((key, 0)..=(key, u32::MAX));
        range.map(|((_, field), value)| (*field, *value)).collect()
    }

    fn unindex(&mut self, key: Key) {
        if let Some(stored) = self.records.get(&key) {
            for row in &stored.rows {
                self.index.remove(&entry(key, stored.seen.creation, row));
            }
        }
    }

    fn record(&self, key: Key) -> Option<Record> {
        self.records.get(&key).map(|stored| Record {
            key,
            revision: stored.seen.revision,
            creation: stored.seen.creation,
            body: Arc::clone(&stored.body),
        })
    }

    fn find(&self, query: &IndexQuery) -> Vec<IndexHit> {
        let (low, high) = bounds(&query.range);
        let from = |value, creation, id| {
            (
                query.domain,
                query.kind,
                query.application,
                query.attribute,
                value,
                creation,
                id,
            )
        };
        let range = from(low, 0, [0; 16])..=from(high, u64::MAX, [0xFF; 16]);
        let found = self
            .index
            .range(range)
            .filter(|(.., creation, _)| query.before.is_none_or(|before| *creation < before));
        let found = found.map(|(.., value, creation, id)| (value, *creation, *id));
        let hit = |(creation, id)| {
            let key = Key {
                domain: query.domain,
                kind: query.kind,
                id,
            };
            IndexHit { key, creation }
        };
        if matches!(query.range, IndexRange::InOrder { .. }) {
            let mut found: Vec<_> = found.collect();
            found.sort_by_key(|(value, creation, _)| (*value, Reverse(*creation)));
            let found = found.into_iter().take(query.limit);
            return found.map(|(_, creation, id)| hit((creation, id))).collect();
        }
        // Ordered by creation, each record once.
        let found: BTreeMap<u64, [u8; 16]> = found.map(|(_, creation, id)| (creation, id)).collect();
        found.into_iter().rev().take(query.limit).map(hit).collect()
    }

    fn scan(&self, domain: Domain, kind: Kind, after: Option<[u8; 16]>, limit: usize) -> Vec<Record> {
        let first = Key {
            domain,
            kind,
            id: after.unwrap_or([0; 16]),
        };
        let last = Key {
            domain,
            kind,
            id: [0xFF; 16],
        };
        let keys = self
            .records
            .range(first..=last)
            .map(|(key, _)| *key)
            .filter(|key| Some(key.id) != after);
        keys.take(limit).filter_map(|key| self.record(key)).collect()
    }
}

/// The least and the greatest encoded value of a range.
fn bounds(range: &IndexRange) -> (IndexValue, IndexValue) {
    match range {
        IndexRange::Equal(value) => (value.clone(), value.clone()),
        IndexRange::Between { from, to } | IndexRange::InOrder { from, to } if from <= to => {
            (IndexValue::number(*from), IndexValue::number(*to))
        }
        // An empty range: nothing is encoded as no bytes.
        IndexRange::Between { .. } | IndexRange::InOrder { .. } => {
            (IndexValue::from_encoded(&[]), IndexValue::from_encoded(&[]))
        }
        IndexRange::Any => (IndexValue::from_encoded(&[]), IndexValue::from_encoded(&[0xFF])),
    }
}

impl Store for MemoryStore {
    fn load(&self, key: Key) -> Wait<'_, Result<Option<Record>, StoreError>> {
        ready(Ok(self.lock().tables.record(key)))
    }

    fn counters(&self, key: Key) -> Wait<'_, Result<Counters, StoreError>> {
        ready(Ok(self.lock().tables.beside(key)))
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<Key>, StoreError>> {
        ready(Ok(self.lock().tables.claims.get(claim).copied()))
    }

    fn guard(&self, guard: GuardKey) -> Wait<'_, Result<u64, StoreError>> {
        ready(Ok(self.lock().tables.guards.get(&guard).copied().unwrap_or(0)))
    }

    fn find<'a>(&'a self, query: &'a IndexQuery) -> Wait<'a, Result<Vec<IndexHit>, StoreError>> {
        ready(Ok(self.lock().tables.find(query)))
    }

    fn scan(
        &self,
        domain: Domain,
        kind: Kind,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        ready(Ok(self.lock().tables.scan(domain, kind, after, limit)))
    }

    fn rows(&self, from: Key, limit: usize) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        let state = self.lock();
        let keys = state.tables.records.range(from..).map(|(key, _)| *key).take(limit);
        ready(Ok(keys.filter_map(|key| state.tables.record(key)).collect()))
    }

    fn counter_rows(&self, from: (Key, u32), limit: usize) -> Wait<'_, Result<Vec<Counter>, StoreError>> {
        let state = self.lock();
        let range = state.tables.counters.range(from..).take(limit);
        let counter = |(&(key, field), &value): (&(Key, u32), &i64)| Counter { key, field, value };
        ready(Ok(range.map(counter).collect()))
    }

    fn commit(&self, change: ChangeSet) -> Wait<'_, Result<Receipt, CommitError>> {
        let mut state = self.lock();
        if let Some(error) = state.refusals.pop() {
            return ready(Err(error));
        }
        let State {
            tables, marks, chain, ..
        } = &mut *state;
        let outcome = perform(tables, marks, chain.as_mut(), &change);
        chain.confirm();
        ready(outcome.map_err(|failure| match failure {
            Failure::Refused(error) => error,
            Failure::Engine(never) => match never {},
        }))
    }

    fn high_water(&self) -> i64 {
        self.lock().marks.high_water
    }

    fn trail(&self, query: TrailQuery) -> Wait<'_, Result<Vec<TrailRecord>, StoreError>> {
        let state = self.lock();
        let from = (query.stream, query.after.saturating_add(1));
        let records = state.tables.trail.range(from..=(query.stream, u64::MAX));
        let records = records.filter(|(_, (domain, _))| query.domain.is_none_or(|wanted| wanted == *domain));
        let records = records
            .take(query.limit)
            .map(|((stream, sequence), (_, bytes))| TrailRecord {
                position: Position {
                    stream: *stream,
                    sequence: *sequence,
                },
                bytes: Arc::clone(bytes),
            });
        ready(Ok(records.collect()))
    }

    fn trail_heads(&self) -> Wait<'_, Result<Vec<Head>, StoreError>> {
        let state = self.lock();
        let mut heads: BTreeMap<StreamId, Head> = BTreeMap::new();
        for ((stream, sequence), (_, bytes)) in &state.tables.trail {
            let position = Position {
                stream: *stream,
                sequence: *sequence,
            };
            heads.insert(
                *stream,
                Head {
                    position,
                    hash: hash(bytes),
                },
            );
        }
        ready(Ok(heads.into_values().collect()))
    }
}
