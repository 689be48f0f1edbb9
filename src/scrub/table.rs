//! The newest state that the trail has of each record and of each counter, for a part of all records at a time: what is held in memory is
//! bounded, however many there are.

use super::streams::Told;
use crate::audit::{CounterState, RecordState, hash};
use crate::store::{Domain, Key, Kind};
use std::collections::HashMap;

/// A revision and the mark of the body.
pub type State = (u64, [u8; 32]);

/// A counter: beside which record, and which field.
pub(super) type Place = (Key, u32);

/// One of several parts of all keys, chosen by a hash that nobody outside can foretell.
#[derive(Clone, Copy)]
pub struct Slice {
    /// What nobody outside knows of the hash.
    pub secret: [u8; 32],
    /// Which part, counted from 0.
    pub place: u64,
    /// Of how many.
    pub of: u64,
}

impl Slice {
    /// Whether a record belongs to it.
    #[must_use]
    pub fn has(&self, key: Key) -> bool {
        if self.of <= 1 {
            return true;
        }
        let mut bytes = self.secret.to_vec();
        bytes.extend_from_slice(&key.domain.0);
        bytes.push(key.kind.0);
        bytes.extend_from_slice(&key.id);
        let number = hash(&bytes).first_chunk().copied().map_or(0, u64::from_be_bytes);
        number.checked_rem(self.of) == Some(self.place)
    }
}

/// What the trail says of a record.
#[derive(Clone, Copy)]
pub(super) struct Newest {
    /// `None`: that it was deleted.
    pub left: Option<State>,
    /// Whether its row was met.
    pub met: bool,
    /// Whether a state did not follow from the one before it: an old row was put back, and then written anew. What was made of it is the
    /// newest, and must not count for that.
    pub broken: bool,
}

/// Whether a state does not follow from the one before it. A record is made with its first revision, and each write counts one on.
pub(super) fn breaks(before: Option<State>, after: &RecordState) -> bool {
    let Some((revision, _)) = after.left else { return false };
    revision != before.map_or(0, |(revision, _)| revision).saturating_add(1)
}

/// What the trail says of a counter.
#[derive(Clone, Copy, Default)]
pub(super) struct Counted {
    pub left: Option<i64>,
    pub met: bool,
    /// Whether a commit found another value than the one before it had left.
    pub broken: bool,
}

impl Counted {
    /// The same after another commit.
    pub(super) fn follow(self, state: &CounterState) -> Self {
        Self {
            left: state.left,
            met: false,
            broken: (self.broken || state.before != self.left) && !state.accepted,
        }
    }
}

pub(super) struct Table {
    slice: Slice,
    newest: HashMap<Key, Newest>,
    counters: HashMap<Key, Vec<(u32, Counted)>>,
    most: usize,
    overflows: bool,
    watched: Key,
    watch: Option<State>,
}

/// Where the record lies that a state is told of.
pub(super) const fn place(state: &RecordState) -> Key {
    Key {
        domain: Domain(state.domain),
        kind: Kind(state.kind),
        id: state.id,
    }
}

/// Where the counter lies that a state is told of.
pub(super) const fn counter_place(state: &CounterState) -> Place {
    let key = Key {
        domain: Domain(state.domain),
        kind: Kind(state.kind),
        id: state.id,
    };
    (key, state.field)
}

/// Whether nothing of the counters beside a record outlasts this: it is deleted, and they with it, or people have looked at it.
pub(super) const fn ends_counters(state: &RecordState) -> bool {
    state.left.is_none() || state.accepted
}

impl Table {
    /// Of one record more than the slice has, `watched`, the newest state is known at the end.
    pub(super) fn new(slice: Slice, most: usize, watched: Key) -> Self {
        Self {
            slice,
            newest: HashMap::new(),
            counters: HashMap::new(),
            most,
            overflows: false,
            watched,
            watch: None,
        }
    }

    /// Whether it could not hold all: the slice must be smaller.
    pub(super) const fn overflows(&self) -> bool {
        self.overflows
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.slice.has(key)
    }

    /// The newest state of the record that is watched.
    pub(super) const fn watch(&self) -> Option<State> {
        self.watch
    }

    /// Later states take the place of earlier ones.
    pub(super) fn learn(&mut self, told: &Told<'_>) {
        match told {
            Told::Record(state) => self.learn_record(state),
            Told::Counter(state) => self.learn_counter(state),
        }
    }

    fn learn_record(&mut self, state: &RecordState) {
        let key = place(state);
        if key == self.watched {
            self.watch = state.left;
        }
        if !self.slice.has(key) {
            return;
        }
        if ends_counters(state) {
            self.counters.remove(&key);
        }
        if !self.newest.contains_key(&key) && !self.has_room() {
            return;
        }
        let before = self.newest.get(&key);
        let broken = before.is_some_and(|before| before.broken) || breaks(before.and_then(|b| b.left), state);
        let newest = Newest {
            left: state.left,
            met: false,
            broken: broken && !state.accepted,
        };
        self.newest.insert(key, newest);
    }

    fn learn_counter(&mut self, state: &CounterState) {
        let (key, field) = counter_place(state);
        if !self.slice.has(key) || (!self.counters.contains_key(&key) && !self.has_room()) {
            return;
        }
        let beside = self.counters.entry(key).or_default();
        match beside.iter_mut().find(|(known, _)| *known == field) {
            Some((_, counted)) => *counted = counted.follow(state),
            None => beside.push((field, Counted::default().follow(state))),
        }
    }

    fn has_room(&mut self) -> bool {
        let held = self.newest.len().saturating_add(self.counters.len());
        self.overflows |= held >= self.most;
        held < self.most
    }

    /// What the trail says of a record, without remembering that it was asked.
    pub(super) fn newest(&self, key: Key) -> Option<Newest> {
        self.newest.get(&key).copied()
    }

    /// What it says of a record whose row was met.
    pub(super) fn meet(&mut self, key: Key) -> Option<Newest> {
        let newest = self.newest.get_mut(&key)?;
        newest.met = true;
        Some(*newest)
    }

    /// What it says of a counter.
    pub(super) fn counted(&self, (key, field): Place) -> Counted {
        let beside = self.counters.get(&key);
        let found = beside.and_then(|beside| beside.iter().find(|(known, _)| *known == field));
        found.map(|(_, counted)| *counted).unwrap_or_default()
    }

    /// What it says of a counter that was met.
    pub(super) fn meet_counter(&mut self, (key, field): Place) -> Counted {
        let beside = self.counters.get_mut(&key);
        let found = beside.and_then(|beside| beside.iter_mut().find(|(known, _)| *known == field));
        let Some((_, counted)) = found else {
            return Counted::default();
        };
        counted.met = true;
        *counted
    }

    /// Records that should be there, and whose rows were not met.
    pub(super) fn unmet(&self) -> impl Iterator<Item = Key> {
        let lost = self
            .newest
            .iter()
            .filter(|(_, newest)| newest.left.is_some() && !newest.met);
        lost.map(|(key, _)| *key)
    }

    /// Counters that should be there and were not met, and those that are gone, as they should be, and were something else in between.
    pub(super) fn unmet_counters(&self) -> impl Iterator<Item = Place> {
        let all = self
            .counters
            .iter()
            .flat_map(|(key, beside)| beside.iter().map(move |one| (*key, one)));
        let lost = all.filter(|(_, (_, counted))| !counted.met && (counted.left.is_some() || counted.broken));
        lost.map(|(key, (field, _))| (key, *field))
    }
}
