//! One comparison of all records and counters with the trail.
//!
//! The trail is read once for each part of the keys, and then the rows of that part. What does not agree is looked at again: the row,
//! and after it the trail as far as it reaches by then. A row is right if it is what the trail had as the newest at any moment between,
//! so that no change that goes on meanwhile is taken for an old row.

use super::ScrubError;
use super::cursor::Cursor;
use super::finding::Wrong;
use super::streams::{Known, Reached, Read, Streams, Told, TrailFault, rest};
use super::table::{Place, Slice, State, Table};
use super::track::{Track, Tracks};
use crate::custody::{Custody, CustodyError};
use crate::records;
use crate::store::{Counter, Key, Record, Store, mark};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Records of which the newest state is held in memory at a time: about 30 MiB.
const MOST_AT_ONCE: usize = 250_000;

/// Rows read at once.
const PAGE: usize = 256;

/// Findings of one part of a comparison; whoever has more has a database of another time, and looks at that first.
const MOST_FINDINGS: usize = 10_000;

/// What a comparison compares.
pub struct Scrub<'a> {
    /// The engine itself.
    pub store: &'a Arc<dyn Store>,
    /// What has the record keys.
    pub custody: &'a Custody,
    /// How far the trail reached once.
    pub known: &'a Known,
    /// How long to rest after each page.
    pub pace: Duration,
    /// Records at a time; fewer in tests.
    pub most_at_once: Option<usize>,
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Records compared.
    pub compared: u64,
    /// Records of the trail that were read and verified.
    pub trail: u64,
    /// What is not as the trail has it.
    pub findings: Vec<(Key, Wrong)>,
    /// Whether there is more than these.
    pub more: bool,
    /// What is wrong with the trail. If anything is, nothing was compared with it.
    pub trail_faults: Vec<TrailFault>,
    /// How far the trail reached.
    pub heads: Known,
    /// The newest state that it has of where a comparison stands.
    pub cursor: Option<State>,
}

impl Scrub<'_> {
    /// Compares everything, part by part.
    ///
    /// # Errors
    /// [`ScrubError`]
    pub async fn run(&self) -> Result<Outcome, ScrubError> {
        let mut cursor = Cursor::begin([0; 16], 0);
        let mut whole = Outcome::default();
        loop {
            let Some(part) = self.part(cursor.slice(self.custody)?).await? else {
                (cursor, whole) = (cursor.halved(), Outcome::default());
                continue;
            };
            let ends = !part.trail_faults.is_empty();
            whole.findings.extend(part.findings);
            whole.more |= part.more;
            whole.compared = whole.compared.saturating_add(part.compared);
            (whole.trail, whole.trail_faults) = (part.trail, part.trail_faults);
            (whole.heads, whole.cursor) = (part.heads, part.cursor);
            match cursor.after(0) {
                Some(next) if !ends => cursor = next,
                _ => return Ok(whole),
            }
        }
    }

    /// Compares one part of all records. `None`: it is too large to be held.
    ///
    /// # Errors
    /// [`ScrubError`]
    pub async fn part(&self, slice: Slice) -> Result<Option<Outcome>, ScrubError> {
        let most = self.most_at_once.unwrap_or(MOST_AT_ONCE);
        let mut table = Table::new(slice, most, Cursor::KEY);
        let mut reached = Reached::default();
        let mut learn = |told: Told<'_>| table.learn(&told);
        let Read { records, faults } = self.streams().read(&mut reached, &mut learn).await?;
        if table.overflows() {
            return Ok(None);
        }
        let mut outcome = Outcome {
            trail: records,
            heads: reached.heads(),
            cursor: table.watch(),
            trail_faults: faults,
            ..Outcome::default()
        };
        // What a damaged trail says of records proves nothing.
        if outcome.trail_faults.is_empty() {
            let suspects = self.suspects(&mut table, &mut outcome.compared).await?;
            self.settle(&table, reached, suspects, &mut outcome).await?;
        }
        Ok(Some(outcome))
    }

    const fn streams(&self) -> Streams<'_> {
        Streams {
            store: self.store,
            custody: self.custody,
            known: self.known,
            pace: self.pace,
        }
    }

    /// The records and counters that do not agree with the trail as it was.
    async fn suspects(&self, table: &mut Table, compared: &mut u64) -> Result<Suspects, ScrubError> {
        let mut suspects = Vec::new();
        let mut from = Some(Key::FIRST);
        while let Some(first) = from {
            let page = self.store.rows(first, PAGE).await?;
            from = page
                .last()
                .filter(|_| page.len() >= PAGE)
                .and_then(|row| row.key.next());
            for row in &page {
                if !table.has(row.key) {
                    continue;
                }
                *compared = compared.saturating_add(1);
                let newest = table.meet(row.key);
                let right = newest.is_some_and(|newest| newest.left == Some(state(row)) && !newest.broken);
                if !right || self.is_damaged(row) {
                    suspects.push(row.key);
                }
            }
            rest(self.pace).await;
        }
        suspects.extend(table.unmet());
        let counters = self.suspect_counters(table).await?;
        Ok(Suspects {
            records: suspects,
            counters,
        })
    }

    async fn suspect_counters(&self, table: &mut Table) -> Result<Vec<Place>, ScrubError> {
        let mut suspects = Vec::new();
        let mut from = Some((Key::FIRST, 0));
        while let Some(first) = from {
            let page = self.store.counter_rows(first, PAGE).await?;
            let last = page.last().filter(|_| page.len() >= PAGE);
            from = last.and_then(|last| match last.field.checked_add(1) {
                Some(field) => Some((last.key, field)),
                None => last.key.next().map(|key| (key, 0)),
            });
            for Counter { key, field, value } in page {
                if table.has(key) {
                    let counted = table.meet_counter((key, field));
                    if counted.left != Some(value) || counted.broken {
                        suspects.push((key, field));
                    }
                }
            }
            rest(self.pace).await;
        }
        suspects.extend(table.unmet_counters());
        Ok(suspects)
    }

    /// Judges those again, by the trail as it is now.
    async fn settle(
        &self,
        table: &Table,
        mut reached: Reached,
        suspects: Suspects,
        outcome: &mut Outcome,
    ) -> Result<(), ScrubError> {
        let Suspects { records, counters } = suspects;
        if records.is_empty() && counters.is_empty() {
            return Ok(());
        }
        outcome.more = records.len() > MOST_FINDINGS || counters.len() > MOST_FINDINGS;
        let mut tracks = Tracks::default();
        let mut rows: HashMap<Key, Option<Record>> = HashMap::new();
        for key in records.into_iter().take(MOST_FINDINGS) {
            rows.insert(key, self.row(key).await?);
            tracks.record(key, table.newest(key));
        }
        let mut values: HashMap<Place, Option<i64>> = HashMap::new();
        for (key, field) in counters.into_iter().take(MOST_FINDINGS) {
            let beside = self.store.counters(key).await?;
            let found = beside.iter().find(|(known, _)| *known == field);
            values.insert((key, field), found.map(|(_, value)| *value));
            tracks.counter((key, field), table.counted((key, field)));
        }
        let mut learn = |told: Told<'_>| tracks.learn(&told);
        let read = self.streams().read(&mut reached, &mut learn).await?;
        outcome.trail_faults.extend(read.faults);
        if !outcome.trail_faults.is_empty() {
            return Ok(());
        }
        let mut found = BTreeMap::new();
        for (place, value) in values {
            if tracks.of_counter(place).is_some_and(|track| !track.has(value)) {
                found.insert(place.0, Wrong::Counter);
            }
        }
        for (key, row) in rows {
            let track = tracks.of_record(key);
            // What is wrong with the record itself is told rather than that of its counters.
            if let Some(wrong) = track.and_then(|track| self.wrong(row.as_ref(), track)) {
                found.insert(key, wrong);
            }
        }
        outcome.more |= found.len() > MOST_FINDINGS;
        outcome.findings.extend(found.into_iter().take(MOST_FINDINGS));
        Ok(())
    }

    /// The row at a key, from the engine itself.
    async fn row(&self, key: Key) -> Result<Option<Record>, ScrubError> {
        let found = self.store.rows(key, 1).await?;
        Ok(found.into_iter().next().filter(|row| row.key == key))
    }

    fn wrong(&self, row: Option<&Record>, track: &Track) -> Option<Wrong> {
        let Some(row) = row else {
            return (!track.states.contains(&None)).then_some(Wrong::Missing);
        };
        let is_damaged = self.is_damaged(row);
        if track.states.contains(&Some(state(row))) && !track.broken {
            return is_damaged.then_some(Wrong::Damaged);
        }
        if !track.known {
            return Some(Wrong::Unknown);
        }
        Some(match (track.states.last(), is_damaged) {
            (Some(None), _) => Wrong::Returned,
            (_, true) => Wrong::Damaged,
            (_, false) => Wrong::Stale,
        })
    }

    /// Whether a row's MAC is wrong. One whose domain's keys are not open is not judged by it.
    fn is_damaged(&self, row: &Record) -> bool {
        matches!(
            records::open(self.custody, row),
            Err(CustodyError::Refused | CustodyError::Record)
        )
    }
}

/// What is to be looked at again.
struct Suspects {
    records: Vec<Key>,
    counters: Vec<Place>,
}

/// The state of a row, as the trail tells it.
#[must_use]
pub fn state(row: &Record) -> State {
    (row.revision.0, mark(&row.body))
}
