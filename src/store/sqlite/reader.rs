//! The readers: a few connections with prepared statements. A question is answered in place, in microseconds when its pages are
//! in memory.

use super::super::contract::{
    Counter, Counters, IndexHit, IndexQuery, IndexRange, Record, Revision, Seen, StoreError, TrailQuery, TrailRecord,
};
use super::super::key::{ClaimKey, Domain, GuardKey, IndexValue, Key, Kind};
use super::erasure::unveil;
use super::error::store_error;
use super::rows::{claim_blob, guard_blob, key_blob, key_from, place};
use super::tables::damaged;
use crate::audit::{Head, Position, StreamId, hash};
use rusqlite::{Connection, Error, OptionalExtension, Row, params};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LOAD: &str = "SELECT r.key, revision, creation, body, e.key FROM record r JOIN erasure e USING (creation)
    WHERE r.key = ?1";
const COUNTERS: &str = "SELECT field, value FROM counter WHERE key = ?1 ORDER BY field";
/// What nobody could ask for by key and field is passed over.
const COUNTER_ROWS: &str = "SELECT key, field, value FROM counter
    WHERE (key, field) >= (?1, ?2) AND length(key) = ?3 AND field BETWEEN 0 AND 4294967295 ORDER BY key, field LIMIT ?4";
const CLAIMED: &str = "SELECT holder FROM claim WHERE key = ?1";
const GUARD: &str = "SELECT revision FROM guard WHERE key = ?1";
/// The order is that of the index: the first rows are the answer.
const FIND_EQUAL: &str = "SELECT creation, id FROM index_row WHERE place = ?1 AND value = ?2 AND creation < ?3
    ORDER BY creation DESC LIMIT ?4";
const FIND_BETWEEN: &str = "SELECT DISTINCT creation, id FROM index_row
    WHERE place = ?1 AND value BETWEEN ?2 AND ?3 AND creation < ?4 ORDER BY creation DESC LIMIT ?5";
/// In the order of the index, too.
const FIND_IN_ORDER: &str = "SELECT creation, id FROM index_row
    WHERE place = ?1 AND value BETWEEN ?2 AND ?3 AND creation < ?4 ORDER BY value, creation DESC LIMIT ?5";
/// The first page has no lower neighbour to pass over, so it starts at the least id, included.
const SCAN: &str = "SELECT r.key, revision, creation, body, e.key FROM record r JOIN erasure e USING (creation)
    WHERE r.key >= ?1 AND r.key <= ?2 AND (?3 IS NULL OR r.key > ?3) ORDER BY r.key LIMIT ?4";
/// Rows of whatever was written behind our back among them: a row without its erasure key is one that does not open.
const ROWS: &str =
    "SELECT r.key, revision, creation, body, coalesce(e.key, x'') FROM record r LEFT JOIN erasure e USING (creation)
    WHERE r.key >= ?1 AND length(r.key) = ?2 ORDER BY r.key LIMIT ?3";
const TRAIL: &str = "SELECT sequence, record FROM trail WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
const TRAIL_OF_DOMAIN: &str = "SELECT sequence, record FROM trail
    WHERE domain = ?4 AND stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
/// Leaps from stream to stream through the index, however long the streams are.
const HEADS: &str = "WITH RECURSIVE streams (stream) AS (
        SELECT min(stream) FROM trail
        UNION ALL
        SELECT (SELECT min(stream) FROM trail WHERE stream > streams.stream) FROM streams WHERE streams.stream IS NOT NULL)
    SELECT t.stream, t.sequence, t.record FROM streams s JOIN trail t ON t.stream = s.stream
    WHERE t.sequence = (SELECT max(sequence) FROM trail WHERE stream = s.stream)";

/// The pool.
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            connections: connections.into_iter().map(Mutex::new).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// A free connection if there is one, else the next in turn. A reader that panicked left nothing half done.
    fn free(&self) -> Option<MutexGuard<'_, Connection>> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.connections.len();
        let turn = |i: usize| {
            start
                .wrapping_add(i)
                .checked_rem(count)
                .and_then(|place| self.connections.get(place))
        };
        let free = (0..count)
            .filter_map(turn)
            .find_map(|connection| connection.try_lock().ok());
        free.or_else(|| turn(0).map(|connection| connection.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, StoreError> {
        let connection = self
            .free()
            .ok_or_else(|| StoreError::Unavailable("no reader".to_owned()))?;
        question(&connection).map_err(store_error)
    }

    pub(super) fn load(&self, key: Key) -> Result<Option<Record>, StoreError> {
        self.ask(|connection| {
            connection
                .prepare_cached(LOAD)?
                .query_row([key_blob(key)], record)
                .optional()
        })
    }

    pub(super) fn counters(&self, key: Key) -> Result<Counters, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare_cached(COUNTERS)?;
            select
                .query_map([key_blob(key)], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    pub(super) fn counter_rows(&self, from: (Key, u32), limit: usize) -> Result<Vec<Counter>, StoreError> {
        let key = key_blob(from.0);
        let length = i64::try_from(key.len()).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let counter = |row: &Row<'_>| {
            Ok(Counter {
                key: key_from(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged(0))?,
                field: row.get(1)?,
                value: row.get(2)?,
            })
        };
        self.ask(|connection| {
            let mut select = connection.prepare_cached(COUNTER_ROWS)?;
            select
                .query_map(params![key, from.1, length, limit], counter)?
                .collect()
        })
    }

    pub(super) fn claimed(&self, claim: &ClaimKey) -> Result<Option<Key>, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare_cached(CLAIMED)?;
            select
                .query_row([claim_blob(claim)], |row| {
                    key_from(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged(0))
                })
                .optional()
        })
    }

    pub(super) fn guard(&self, guard: GuardKey) -> Result<u64, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare_cached(GUARD)?;
            let revision: Option<i64> = select.query_row([guard_blob(guard)], |row| row.get(0)).optional()?;
            Ok(revision.map_or(0, i64::cast_unsigned))
        })
    }

    pub(super) fn find(&self, query: &IndexQuery) -> Result<Vec<IndexHit>, StoreError> {
        let place = place(query.domain, query.kind, query.application, query.attribute);
        let before = query
            .before
            .map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let hit = |row: &Row<'_>| {
            let id = row.get_ref(1)?.as_blob()?.try_into().map_err(|_| damaged(1))?;
            let key = Key {
                domain: query.domain,
                kind: query.kind,
                id,
            };
            let creation = row.get::<_, i64>(0)?.cast_unsigned();
            Ok(IndexHit { key, creation })
        };
        let (low, high) = match &query.range {
            IndexRange::Equal(value) => {
                return self.ask(|connection| {
                    let mut select = connection.prepare_cached(FIND_EQUAL)?;
                    select
                        .query_map(params![place, value.encoded(), before, limit], hit)?
                        .collect()
                });
            }
            IndexRange::Between { from, to } => (IndexValue::number(*from), IndexValue::number(*to)),
            IndexRange::InOrder { from, to } => (IndexValue::number(*from), IndexValue::number(*to)),
            IndexRange::Any => (IndexValue::from_encoded(&[]), IndexValue::from_encoded(&[0xFF])),
        };
        let statement = match query.range {
            IndexRange::InOrder { .. } => FIND_IN_ORDER,
            _ => FIND_BETWEEN,
        };
        self.ask(|connection| {
            let mut select = connection.prepare_cached(statement)?;
            select
                .query_map(params![place, low.encoded(), high.encoded(), before, limit], hit)?
                .collect()
        })
    }

    pub(super) fn scan(
        &self,
        (domain, kind): (Domain, Kind),
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let at = |id| key_blob(Key { domain, kind, id });
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(|connection| {
            let mut select = connection.prepare_cached(SCAN)?;
            let values = params![at(after.unwrap_or([0; 16])), at([0xFF; 16]), after.map(at), limit];
            select.query_map(values, record)?.collect()
        })
    }

    pub(super) fn rows(&self, from: Key, limit: usize) -> Result<Vec<Record>, StoreError> {
        let from = key_blob(from);
        let length = i64::try_from(from.len()).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(|connection| {
            let mut select = connection.prepare_cached(ROWS)?;
            select.query_map(params![from, length, limit], record)?.collect()
        })
    }

    pub(super) fn trail(&self, query: TrailQuery) -> Result<Vec<TrailRecord>, StoreError> {
        let after = i64::try_from(query.after).unwrap_or(i64::MAX);
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let found = |row: &Row<'_>| {
            let sequence = row.get::<_, i64>(0)?.cast_unsigned();
            let position = Position {
                stream: query.stream,
                sequence,
            };
            let bytes = Arc::from(row.get_ref(1)?.as_blob()?);
            Ok(TrailRecord { position, bytes })
        };
        self.ask(|connection| match query.domain {
            None => {
                let mut select = connection.prepare_cached(TRAIL)?;
                select
                    .query_map(params![query.stream.0, after, limit], found)?
                    .collect()
            }
            Some(domain) => {
                let mut select = connection.prepare_cached(TRAIL_OF_DOMAIN)?;
                select
                    .query_map(params![query.stream.0, after, limit, domain.0], found)?
                    .collect()
            }
        })
    }

    pub(super) fn trail_heads(&self) -> Result<Vec<Head>, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare_cached(HEADS)?;
            let heads = select.query_map([], |row| {
                let stream = StreamId(row.get_ref(0)?.as_blob()?.try_into().map_err(|_| damaged(0))?);
                let sequence = row.get::<_, i64>(1)?.cast_unsigned();
                let hash = hash(row.get_ref(2)?.as_blob()?);
                Ok(Head {
                    position: Position { stream, sequence },
                    hash,
                })
            })?;
            heads.collect()
        })
    }
}

fn record(row: &Row<'_>) -> Result<Record, Error> {
    let key = key_from(row.get_ref(0)?.as_blob()?).ok_or_else(|| damaged(0))?;
    let revision = Revision(row.get::<_, i64>(1)?.cast_unsigned());
    let creation = row.get::<_, i64>(2)?.cast_unsigned();
    let seen = Seen { revision, creation };
    let body = unveil(row.get_ref(4)?.as_blob()?, key, seen, row.get_ref(3)?.as_blob()?);
    // One that does not open is given as an empty one, which has no MAC: it is refused where it is used, and its neighbours are read.
    let body = Arc::from(body.unwrap_or_default());
    Ok(Record {
        key,
        revision,
        creation,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    fn plan(statement: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.db");
        drop(schema::create(&path).unwrap());
        let mut connection = schema::connect(&path, 100).unwrap();
        schema::migrate(&mut connection).unwrap();
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let steps = explain.raw_query().mapped(|row| row.get::<_, String>(3));
        steps.map(|step| step.unwrap() + "\n").collect()
    }

    #[test]
    fn every_question_goes_by_a_key() {
        for statement in [
            LOAD,
            COUNTERS,
            CLAIMED,
            GUARD,
            FIND_EQUAL,
            FIND_BETWEEN,
            FIND_IN_ORDER,
            SCAN,
            ROWS,
            TRAIL,
            TRAIL_OF_DOMAIN,
        ] {
            let plan = plan(statement);
            assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{statement}\n{plan}");
        }
        for ordered in [FIND_EQUAL, FIND_IN_ORDER, SCAN, ROWS, TRAIL, TRAIL_OF_DOMAIN] {
            assert!(!plan(ordered).contains("TEMP B-TREE"), "{ordered}\n{}", plan(ordered));
        }
        assert!(!plan(HEADS).contains("SCAN t"), "{}", plan(HEADS));
    }
}
