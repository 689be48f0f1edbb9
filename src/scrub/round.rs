//! One comparison of all records with the trail.
//!
//! The trail is read once for each part of the keys, and then the rows of that part. What does not agree is looked at again: the row,
//! and after it the trail as far as it reaches by then. A row is right if it is what the trail had as the newest at any moment between,
//! so that no change that goes on meanwhile is taken for an old row.

use super::ScrubError;
use super::finding::Wrong;
use super::streams::{Known, Reached, Read, Streams, TrailFault, rest};
use super::table::{Newest, Slice, State, Table, breaks, place};
use crate::audit::RecordState;
use crate::custody::{Custody, CustodyError};
use crate::records;
use crate::store::{Key, Record, Store, mark};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::sync::Arc;
use std::time::Duration;

/// Records of which the newest state is held in memory at a time: about 30 MiB.
const MOST_AT_ONCE: usize = 250_000;

/// Rows read at once.
const PAGE: usize = 256;

/// Findings of one comparison; whoever has more has a database of another time, and looks at that first.
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
}

impl Scrub<'_> {
    /// Compares everything.
    pub async fn run(&self) -> Result<Outcome, ScrubError> {
        let most = self.most_at_once.unwrap_or(MOST_AT_ONCE);
        let hasher = RandomState::new();
        let mut of = 1_u64;
        loop {
            if let Some(outcome) = self.in_parts(&hasher, of, most).await? {
                return Ok(outcome);
            }
            of = of.saturating_mul(2);
        }
    }

    /// `None`: a part was too large to be held.
    async fn in_parts(&self, hasher: &RandomState, of: u64, most: usize) -> Result<Option<Outcome>, ScrubError> {
        let mut outcome = Outcome::default();
        for place in 0..of {
            let mut table = Table::new(Slice { hasher, place, of }, most);
            let mut reached = Reached::default();
            let Read { records, faults } = self.streams().read(&mut reached, &mut |s| table.learn(s)).await?;
            if table.overflows() {
                return Ok(None);
            }
            outcome.trail = records;
            outcome.heads = reached.heads();
            if !faults.is_empty() {
                outcome.findings.clear();
                outcome.trail_faults = faults;
                return Ok(Some(outcome));
            }
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

    /// The records that do not agree with the trail as it was.
    async fn suspects(&self, table: &mut Table<'_>, compared: &mut u64) -> Result<Vec<Key>, ScrubError> {
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
        Ok(suspects)
    }

    /// Judges those again, by the trail as it is now.
    async fn settle(
        &self,
        table: &Table<'_>,
        mut reached: Reached,
        suspects: Vec<Key>,
        outcome: &mut Outcome,
    ) -> Result<(), ScrubError> {
        if suspects.is_empty() {
            return Ok(());
        }
        let mut rows: HashMap<Key, Option<Record>> = HashMap::new();
        for key in suspects {
            if rows.len() >= MOST_FINDINGS {
                outcome.more = true;
                break;
            }
            rows.insert(key, self.row(key).await?);
        }
        let track = |key: &Key| (*key, Track::new(table.newest(*key)));
        let mut tracks: HashMap<Key, Track> = rows.keys().map(track).collect();
        let mut learn = |state: &RecordState| {
            if let Some(track) = tracks.get_mut(&place(state)) {
                track.learn(state);
            }
        };
        let read = self.streams().read(&mut reached, &mut learn).await?;
        outcome.trail_faults.extend(read.faults);
        for (key, row) in rows {
            let wrong = tracks.get(&key).and_then(|track| self.wrong(row.as_ref(), track));
            if let Some(wrong) = wrong
                && outcome.findings.len() < MOST_FINDINGS
            {
                outcome.findings.push((key, wrong));
            }
        }
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

/// What the trail had of a record as the newest when the table was made, and everything since.
struct Track {
    states: Vec<Option<State>>,
    known: bool,
    broken: bool,
}

impl Track {
    fn new(newest: Option<Newest>) -> Self {
        Self {
            states: vec![newest.and_then(|newest| newest.left)],
            known: newest.is_some(),
            broken: newest.is_some_and(|newest| newest.broken),
        }
    }

    fn learn(&mut self, state: &RecordState) {
        let before = self.states.last().copied().flatten();
        self.broken = (self.broken || breaks(before, state)) && !state.accepted;
        self.known = true;
        self.states.push(state.left);
    }
}

fn state(row: &Record) -> State {
    (row.revision.0, mark(&row.body))
}
