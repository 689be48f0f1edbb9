//! The tables inside the writer's transaction.

use super::super::contract::{Counters, IndexRow, Seen};
use super::super::engine::{Marks, Tables};
use super::super::key::{ClaimKey, Domain, GuardKey, Key};
use super::erasure::{ERASED, Veiled, veil};
use super::rows::{claim_blob, decode_rows, encode_rows, guard_blob, key_blob, key_from, place};
use crate::audit::Linked;
use ring::rand::SystemRandom;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, params};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The tables, through the writer's connection.
pub(super) struct Rows<'c> {
    pub connection: &'c Connection,
    pub random: &'c SystemRandom,
    /// Whether something was overwritten or deleted, whose bytes must leave the WAL.
    pub leaves_residue: bool,
}

/// A column that does not hold what we once wrote there.
pub(super) fn damaged(column: usize) -> Error {
    Error::FromSqlConversionFailure(column, Type::Blob, "damaged".into())
}

impl Rows<'_> {
    fn indexed(&self, seen: Seen) -> Result<Vec<IndexRow>, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT rows FROM record WHERE creation = ?1")?;
        let blob: Vec<u8> = select.query_row([seen.creation.cast_signed()], |row| row.get(0))?;
        decode_rows(&blob).ok_or_else(|| damaged(0))
    }

    fn index(&self, key: Key, seen: Seen, row: &IndexRow) -> Result<(), Error> {
        let insert = "INSERT INTO index_row (place, value, creation, id) VALUES (?1, ?2, ?3, ?4)";
        let place = place(key.domain, key.kind, row.application, row.attribute);
        let values = params![place, row.value.encoded(), seen.creation.cast_signed(), key.id];
        self.connection.prepare_cached(insert)?.execute(values).map(drop)
    }

    fn unindex(&self, key: Key, seen: Seen, row: &IndexRow) -> Result<(), Error> {
        let delete = "DELETE FROM index_row WHERE place = ?1 AND value = ?2 AND creation = ?3";
        let place = place(key.domain, key.kind, row.application, row.attribute);
        let values = params![place, row.value.encoded(), seen.creation.cast_signed()];
        self.connection.prepare_cached(delete)?.execute(values).map(drop)
    }
}

impl Rows<'_> {
    /// In place: the same length in the same row.
    fn overwrite_erasure(&mut self, seen: Seen, key: &[u8]) -> Result<(), Error> {
        self.leaves_residue = true;
        let update = "UPDATE erasure SET key = ?2 WHERE creation = ?1";
        self.connection
            .prepare_cached(update)?
            .execute(params![seen.creation.cast_signed(), key])
            .map(drop)
    }
}

impl Tables for Rows<'_> {
    type Error = Error;

    fn seen(&mut self, key: Key) -> Result<Option<Seen>, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT revision, creation FROM record WHERE key = ?1")?;
        let row = select.query_row([key_blob(key)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        Ok(row.optional()?.map(|(revision, creation)| Seen {
            revision: super::super::contract::Revision(revision.cast_unsigned()),
            creation: creation.cast_unsigned(),
        }))
    }

    fn guard(&mut self, key: GuardKey) -> Result<u64, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT revision FROM guard WHERE key = ?1")?;
        let revision: Option<i64> = select.query_row([guard_blob(key)], |row| row.get(0)).optional()?;
        Ok(revision.map_or(0, i64::cast_unsigned))
    }

    fn holder(&mut self, claim: &ClaimKey) -> Result<Option<Key>, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT holder FROM claim WHERE key = ?1")?;
        let holder: Option<Vec<u8>> = select.query_row([claim_blob(claim)], |row| row.get(0)).optional()?;
        holder.map(|blob| key_from(&blob).ok_or_else(|| damaged(0))).transpose()
    }

    fn counter(&mut self, key: Key, field: u32) -> Result<Option<i64>, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT value FROM counter WHERE key = ?1 AND field = ?2")?;
        select
            .query_row(params![key_blob(key), field], |row| row.get(0))
            .optional()
    }

    fn counters(&mut self, key: Key) -> Result<Counters, Error> {
        let mut select = self
            .connection
            .prepare_cached("SELECT field, value FROM counter WHERE key = ?1 ORDER BY field")?;
        let all = select.query_map([key_blob(key)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        all.collect()
    }

    fn put(&mut self, key: Key, seen: Seen, is_new: bool, body: &Arc<[u8]>, rows: &[IndexRow]) -> Result<(), Error> {
        let wanted: BTreeSet<&IndexRow> = rows.iter().collect();
        let blob = encode_rows(&wanted.iter().copied().collect::<Vec<_>>());
        let veiled =
            veil(self.random, key, seen, body).map_err(|_| Error::ToSqlConversionFailure("no randomness".into()))?;
        let Veiled { key: erasure, body } = veiled;
        let (revision, creation) = (seen.revision.0.cast_signed(), seen.creation.cast_signed());
        if is_new {
            let insert = "INSERT INTO record (creation, key, revision, body, rows) VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = params![creation, key_blob(key), revision, body, blob];
            self.connection.prepare_cached(insert)?.execute(values)?;
            let insert = "INSERT INTO erasure (creation, key) VALUES (?1, ?2)";
            self.connection
                .prepare_cached(insert)?
                .execute(params![creation, erasure.as_slice()])?;
            return wanted.into_iter().try_for_each(|row| self.index(key, seen, row));
        }
        let before = self.indexed(seen)?;
        let before: BTreeSet<&IndexRow> = before.iter().collect();
        before
            .difference(&wanted)
            .try_for_each(|row| self.unindex(key, seen, row))?;
        wanted
            .difference(&before)
            .try_for_each(|row| self.index(key, seen, row))?;
        self.overwrite_erasure(seen, erasure.as_slice())?;
        let update = "UPDATE record SET revision = ?2, body = ?3, rows = ?4 WHERE creation = ?1";
        self.connection
            .prepare_cached(update)?
            .execute(params![creation, revision, body, blob])
            .map(drop)
    }

    fn remove(&mut self, key: Key, seen: Seen) -> Result<(), Error> {
        for row in self.indexed(seen)? {
            self.unindex(key, seen, &row)?;
        }
        self.overwrite_erasure(seen, &ERASED)?;
        self.connection
            .prepare_cached("DELETE FROM counter WHERE key = ?1")?
            .execute([key_blob(key)])?;
        let delete = "DELETE FROM record WHERE creation = ?1";
        self.connection
            .prepare_cached(delete)?
            .execute([seen.creation.cast_signed()])
            .map(drop)
    }

    fn set_guard(&mut self, key: GuardKey, revision: u64) -> Result<(), Error> {
        let upsert = "INSERT INTO guard (key, revision) VALUES (?1, ?2)
                      ON CONFLICT (key) DO UPDATE SET revision = excluded.revision";
        let values = params![guard_blob(key), revision.cast_signed()];
        self.connection.prepare_cached(upsert)?.execute(values).map(drop)
    }

    fn set_holder(&mut self, claim: &ClaimKey, holder: Option<Key>) -> Result<(), Error> {
        let key = claim_blob(claim);
        match holder {
            Some(holder) => {
                let upsert = "INSERT INTO claim (key, holder) VALUES (?1, ?2)
                              ON CONFLICT (key) DO UPDATE SET holder = excluded.holder";
                self.connection
                    .prepare_cached(upsert)?
                    .execute(params![key, key_blob(holder)])
                    .map(drop)
            }
            None => self
                .connection
                .prepare_cached("DELETE FROM claim WHERE key = ?1")?
                .execute([key])
                .map(drop),
        }
    }

    fn set_counter(&mut self, key: Key, field: u32, value: Option<i64>) -> Result<(), Error> {
        let key = key_blob(key);
        match value {
            Some(value) => {
                let upsert = "INSERT INTO counter (key, field, value) VALUES (?1, ?2, ?3)
                              ON CONFLICT (key, field) DO UPDATE SET value = excluded.value";
                self.connection
                    .prepare_cached(upsert)?
                    .execute(params![key, field, value])
                    .map(drop)
            }
            None => {
                let delete = "DELETE FROM counter WHERE key = ?1 AND field = ?2";
                self.connection
                    .prepare_cached(delete)?
                    .execute(params![key, field])
                    .map(drop)
            }
        }
    }

    fn append(&mut self, domain: Domain, linked: Linked) -> Result<(), Error> {
        let insert = "INSERT INTO trail (domain, stream, sequence, record) VALUES (?1, ?2, ?3, ?4)";
        let position = linked.position;
        let values = params![
            domain.0,
            position.stream.0,
            position.sequence.cast_signed(),
            linked.bytes
        ];
        self.connection.prepare_cached(insert)?.execute(values).map(drop)
    }
}

const NEXT_CREATION: &str = "next creation";
const HIGH_WATER: &str = "high water";

pub(super) fn load_marks(connection: &Connection) -> Result<Marks, Error> {
    let mut select = connection.prepare("SELECT value FROM meta WHERE name = ?1")?;
    let mut number = |name: &str| select.query_row([name], |row| row.get::<_, i64>(0)).optional();
    let start = Marks::START;
    Ok(Marks {
        next_creation: number(NEXT_CREATION)?.map_or(start.next_creation, i64::cast_unsigned),
        high_water: number(HIGH_WATER)?.unwrap_or(start.high_water),
    })
}

pub(super) fn save_marks(connection: &Connection, marks: &Marks) -> Result<(), Error> {
    let upsert =
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let mut upsert = connection.prepare_cached(upsert)?;
    upsert.execute(params![NEXT_CREATION, marks.next_creation.cast_signed()])?;
    upsert.execute(params![HIGH_WATER, marks.high_water]).map(drop)
}
