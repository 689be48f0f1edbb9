//! What the trail had of a record, or of a counter, as the newest when the table was made, and everything since: whatever was the newest at
//! any moment between is right.

use super::streams::Told;
use super::table::{Counted, Newest, Place, State, breaks, counter_place, ends_counters, place};
use crate::store::Key;
use std::collections::HashMap;

/// Of a record.
pub(super) struct Track {
    pub states: Vec<Option<State>>,
    pub known: bool,
    pub broken: bool,
}

impl Track {
    fn new(newest: Option<Newest>) -> Self {
        Self {
            states: vec![newest.and_then(|newest| newest.left)],
            known: newest.is_some(),
            broken: newest.is_some_and(|newest| newest.broken),
        }
    }
}

/// Of a counter.
pub(super) struct CounterTrack {
    newest: Counted,
    values: Vec<Option<i64>>,
}

impl CounterTrack {
    fn new(newest: Counted) -> Self {
        Self {
            newest,
            values: vec![newest.left],
        }
    }

    /// Whether this is a value that it had, and was left alone.
    pub(super) fn has(&self, value: Option<i64>) -> bool {
        self.values.contains(&value) && !self.newest.broken
    }

    fn follow(&mut self, newest: Counted) {
        self.newest = newest;
        self.values.push(newest.left);
    }
}

/// Of all that are looked at again.
#[derive(Default)]
pub(super) struct Tracks {
    records: HashMap<Key, Track>,
    counters: HashMap<Key, HashMap<u32, CounterTrack>>,
}

impl Tracks {
    pub(super) fn record(&mut self, key: Key, newest: Option<Newest>) {
        self.records.insert(key, Track::new(newest));
    }

    pub(super) fn counter(&mut self, (key, field): Place, newest: Counted) {
        let beside = self.counters.entry(key).or_default();
        beside.insert(field, CounterTrack::new(newest));
    }

    pub(super) fn of_record(&self, key: Key) -> Option<&Track> {
        self.records.get(&key)
    }

    pub(super) fn of_counter(&self, (key, field): Place) -> Option<&CounterTrack> {
        self.counters.get(&key).and_then(|beside| beside.get(&field))
    }

    pub(super) fn learn(&mut self, told: &Told<'_>) {
        match told {
            Told::Record(state) => {
                let key = place(state);
                if let Some(track) = self.records.get_mut(&key) {
                    let before = track.states.last().copied().flatten();
                    track.broken = (track.broken || breaks(before, state)) && !state.accepted;
                    track.known = true;
                    track.states.push(state.left);
                }
                if ends_counters(state) {
                    let beside = self.counters.get_mut(&key).into_iter().flatten();
                    beside.for_each(|(_, track)| track.follow(Counted::default()));
                }
            }
            Told::Counter(state) => {
                let (key, field) = counter_place(state);
                if let Some(track) = self.counters.get_mut(&key).and_then(|beside| beside.get_mut(&field)) {
                    track.follow(track.newest.follow(state));
                }
            }
        }
    }
}
