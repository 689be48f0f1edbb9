//! Sealed records in front of an engine, by their full key. The engine's committer tells the cache of every write before it
//! acknowledges it; a load that began before a write cannot put the old record back.

use super::contract::Record;
use super::key::Key;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks held for a lookup only; enough of them that readers on all cores seldom meet.
const SHARDS: usize = 16;

/// What an entry costs besides its body: key, record, map and queue slots.
const OVERHEAD: usize = 200;

/// A bounded cache of records.
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Bytes that each shard may keep.
    share: usize,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Key, Entry>,
    /// Candidates for eviction, oldest first; one that was used meanwhile gets a second chance.
    queue: VecDeque<Key>,
    size: usize,
    /// Counts the writes: a load that began under an older count is not kept.
    writes: u64,
}

struct Entry {
    record: Record,
    used: bool,
}

/// Says when a load began.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl Cache {
    /// A cache of about this many bytes; 0 keeps nothing.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            share: bytes.div_ceil(SHARDS),
        }
    }

    fn shard(&self, key: Key) -> Option<MutexGuard<'_, Shard>> {
        let shards = u64::try_from(SHARDS).unwrap_or(1);
        let place = self.hasher.hash_one(key).checked_rem(shards)?;
        let shard = self.shards.get(usize::try_from(place).ok()?)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The record, or the ticket with which a load begins.
    pub(super) fn get(&self, key: Key) -> Result<Record, Ticket> {
        let Some(mut shard) = self.shard(key) else {
            return Err(Ticket(u64::MAX));
        };
        let writes = shard.writes;
        let entry = shard.entries.get_mut(&key).ok_or(Ticket(writes))?;
        entry.used = true;
        Ok(entry.record.clone())
    }

    /// Keeps what was loaded, unless something was written since the ticket was given.
    pub(super) fn keep(&self, ticket: Ticket, record: &Record) {
        if let Some(mut shard) = self.shard(record.key)
            && shard.writes == ticket.0
        {
            shard.insert(record.clone(), self.share);
        }
    }

    /// A record was written: the cache has the new one from now on.
    pub(super) fn write(&self, record: Record) {
        if let Some(mut shard) = self.shard(record.key) {
            shard.writes = shard.writes.wrapping_add(1);
            shard.insert(record, self.share);
        }
    }

    /// A record was deleted.
    pub(super) fn forget(&self, key: Key) {
        if let Some(mut shard) = self.shard(key) {
            shard.writes = shard.writes.wrapping_add(1);
            shard.remove(key);
        }
    }
}

fn cost(record: &Record) -> usize {
    record.body.len().saturating_add(OVERHEAD)
}

impl Shard {
    fn insert(&mut self, record: Record, share: usize) {
        let (key, cost_now) = (record.key, cost(&record));
        self.size = self.size.saturating_add(cost_now);
        match self.entries.insert(key, Entry { record, used: false }) {
            Some(before) => self.size = self.size.saturating_sub(cost(&before.record)),
            None => self.queue.push_back(key),
        }
        while self.size > share && self.evict_one() {}
    }

    fn remove(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            self.size = self.size.saturating_sub(cost(&entry.record));
            self.queue.retain(|queued| *queued != key);
        }
    }

    /// Passes over used entries once; whether there was anything to look at.
    fn evict_one(&mut self) -> bool {
        let Some(key) = self.queue.pop_front() else {
            return false;
        };
        match self.entries.get_mut(&key) {
            Some(entry) if entry.used => {
                entry.used = false;
                self.queue.push_back(key);
            }
            Some(_) => {
                if let Some(entry) = self.entries.remove(&key) {
                    self.size = self.size.saturating_sub(cost(&entry.record));
                }
            }
            None => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::Revision;
    use super::super::key::{Domain, Kind};
    use super::*;
    use std::sync::Arc;

    fn record(n: u8, revision: u64) -> Record {
        let key = Key {
            domain: Domain([1; 16]),
            kind: Kind(1),
            id: [n; 16],
        };
        Record {
            key,
            revision: Revision(revision),
            creation: u64::from(n),
            body: Arc::from([0_u8; 100]),
        }
    }

    #[test]
    fn a_load_that_began_before_a_write_does_not_bring_the_old_record_back() {
        let cache = Cache::new(1 << 20);
        let old = record(1, 1);
        let ticket = cache.get(old.key).err().unwrap();
        cache.write(record(1, 2));
        cache.keep(ticket, &old);
        assert!(cache.get(old.key).is_ok_and(|r| r.revision == Revision(2)));
        let ticket = cache.get(record(2, 1).key).err().unwrap();
        cache.forget(record(2, 1).key);
        cache.keep(ticket, &record(2, 1));
        assert!(cache.get(record(2, 1).key).is_err());
    }

    #[test]
    fn it_stays_within_its_bytes_and_keeps_what_is_used() {
        let cache = Cache::new(16 * 1024);
        for n in 0..=255 {
            cache.write(record(n, 1));
            let _ = cache.get(record(0, 1).key);
        }
        let size: usize = cache.shards.iter().map(|s| s.lock().unwrap().size).sum();
        assert!(size <= 16 * 1024, "{size}");
        assert!(cache.get(record(0, 1).key).is_ok());
        let nothing = Cache::new(0);
        nothing.write(record(1, 1));
        assert!(nothing.get(record(1, 1).key).is_err());
    }
}
