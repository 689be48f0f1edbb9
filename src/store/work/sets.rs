//! Sets of records, with the overlay's own changes: those of a kind, those that the index finds, those that were changed.

use super::Work;
use crate::store::contract::{IndexHit, IndexQuery, IndexRange, Record, StoreError};
use crate::store::key::{Domain, Key, Kind};
use std::collections::{BTreeMap, HashSet};

/// Records to a page of a scan.
const PAGE: usize = 256;

impl Work {
    /// The records of a kind that this overlay has written, in the order in which it began to: each as it was found, and as it will be. Those
    /// that it deletes are not among them.
    #[must_use]
    pub fn changed(&self, kind: Kind) -> Vec<(Option<Record>, Record)> {
        let mut places: Vec<(u64, Key)> = self
            .writes
            .iter()
            .filter(|(key, _)| key.kind == kind)
            .map(|(key, pending)| (pending.order, *key))
            .collect();
        places.sort_unstable_by_key(|(order, _)| *order);
        let states = places.into_iter().filter_map(|(_, key)| {
            let after = self.current(key)?;
            Some((self.base(key).cloned(), after))
        });
        states.collect()
    }

    /// All records of a kind, in the order of their ids, with this overlay's changes: for sets that are small, and that a guard stands
    /// for. They are no reads of the ChangeSet.
    pub async fn all(&mut self, domain: Domain, kind: Kind) -> Result<Vec<Record>, StoreError> {
        let mut found: BTreeMap<[u8; 16], Record> = BTreeMap::new();
        loop {
            self.reads = self.reads.saturating_add(1);
            let after = found.last_key_value().map(|(id, _)| *id);
            let page = self.store.scan(domain, kind, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            found.extend(page.into_iter().map(|record| (record.key.id, record)));
            if is_last {
                break;
            }
        }
        let mine = self
            .writes
            .keys()
            .filter(|key| key.domain == domain && key.kind == kind);
        for key in mine {
            match self.current(*key) {
                Some(record) => drop(found.insert(key.id, record)),
                None => drop(found.remove(&key.id)),
            }
        }
        Ok(found.into_values().collect())
    }

    /// Records by an indexed value, newest first, with this overlay's changes. Hits are no reads: load them. Of [`IndexRange::InOrder`] those
    /// that this overlay wrote come last.
    pub async fn find(&mut self, query: &IndexQuery) -> Result<Vec<IndexHit>, StoreError> {
        let mine: HashSet<Key> = self
            .writes
            .keys()
            .filter(|k| k.domain == query.domain && k.kind == query.kind)
            .copied()
            .collect();
        // A record changed here may match no more, so ask for as many hits more as there are changed records.
        let widened = IndexQuery {
            limit: query.limit.saturating_add(mine.len()),
            ..query.clone()
        };
        self.reads = self.reads.saturating_add(1);
        let mut hits = self.store.find(&widened).await?;
        hits.retain(|hit| !mine.contains(&hit.key));
        hits.extend(mine.into_iter().filter_map(|key| self.own_hit(query, key)));
        if !matches!(query.range, IndexRange::InOrder { .. }) {
            hits.sort_by_key(|hit| core::cmp::Reverse(hit.creation));
        }
        hits.truncate(query.limit);
        Ok(hits)
    }

    fn own_hit(&self, query: &IndexQuery, key: Key) -> Option<IndexHit> {
        let pending = self.writes.get(&key)?;
        let creation = self.creation(key, pending);
        let resumed = query.before.is_none_or(|before| creation < before);
        let rows = &pending.content.as_ref()?.rows;
        (resumed && rows.iter().any(|row| query.matches(row))).then_some(IndexHit { key, creation })
    }
}
