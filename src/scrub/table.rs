//! The newest state that the trail has of each record, for a part of all records at a time: what is held in memory is bounded, however
//! many there are.

use crate::audit::RecordState;
use crate::store::{Domain, Key, Kind};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// A revision and the mark of the body.
pub(super) type State = (u64, [u8; 32]);

/// One of several parts of all keys, chosen by a hash that nobody outside can foretell.
#[derive(Clone, Copy)]
pub(super) struct Slice<'h> {
    pub hasher: &'h RandomState,
    pub place: u64,
    pub of: u64,
}

impl Slice<'_> {
    pub(super) fn has(&self, key: Key) -> bool {
        self.hasher.hash_one(key).checked_rem(self.of) == Some(self.place)
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

pub(super) struct Table<'h> {
    slice: Slice<'h>,
    newest: HashMap<Key, Newest>,
    most: usize,
    overflows: bool,
}

/// Where the record lies that a state is told of.
pub(super) const fn place(state: &RecordState) -> Key {
    Key {
        domain: Domain(state.domain),
        kind: Kind(state.kind),
        id: state.id,
    }
}

impl<'h> Table<'h> {
    pub(super) fn new(slice: Slice<'h>, most: usize) -> Self {
        Self {
            slice,
            newest: HashMap::new(),
            most,
            overflows: false,
        }
    }

    /// Whether it could not hold all: the slice must be smaller.
    pub(super) const fn overflows(&self) -> bool {
        self.overflows
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.slice.has(key)
    }

    /// Later states take the place of earlier ones.
    pub(super) fn learn(&mut self, state: &RecordState) {
        let key = place(state);
        if !self.slice.has(key) {
            return;
        }
        if self.newest.len() >= self.most && !self.newest.contains_key(&key) {
            self.overflows = true;
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

    /// Records that should be there, and whose rows were not met.
    pub(super) fn unmet(&self) -> impl Iterator<Item = Key> {
        let lost = self
            .newest
            .iter()
            .filter(|(_, newest)| newest.left.is_some() && !newest.met);
        lost.map(|(key, _)| *key)
    }
}
