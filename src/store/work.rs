//! The overlay that a handler works on: it loads from the store, remembers what was read, and sees its own changes. Nothing
//! reaches the store before the one commit, so a handler can simply run again after a conflict.

mod sets;

use super::contract::{
    Adjustment, Bound, ChangeSet, Claim, ClaimChange, Content, FieldChange, Guard, IndexRow, Record, Revision, Store,
    StoreError, Write, add_within,
};
use super::key::{ClaimKey, GuardKey, Key};
use crate::audit::{AuditDraft, RecordState};
use std::collections::HashMap;
use std::sync::Arc;

/// Creation numbers of records not yet committed start here: above all that a store gives, in the order in which they were made.
const PROVISIONAL: u64 = 1 << 62;

/// The outcome of [`Work::take`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// The record holds the claim now (or held it already).
    Yes,
    /// Another record holds it.
    By(Key),
}

/// A place in the overlay to go back to. Valid for the overlay that gave it, until an earlier mark is rolled back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    undo: usize,
    adjustments: usize,
    audit: usize,
    accepted: usize,
}

#[derive(Clone)]
struct Pending {
    /// `None`: deleted.
    content: Option<Content>,
    /// In which order writes were begun.
    order: u64,
}

/// What takes one change back.
enum Undo {
    Write(Key, Option<Pending>),
    Claim(ClaimKey, Option<Option<Key>>),
    Bump(GuardKey),
}

/// The overlay. See the module.
pub struct Work {
    store: Arc<dyn Store>,
    /// First state seen of each record; later loads give the same.
    loaded: HashMap<Key, Option<Record>>,
    claims_seen: HashMap<ClaimKey, Option<Key>>,
    guards_seen: HashMap<GuardKey, u64>,
    counters_seen: HashMap<Key, Vec<(u32, i64)>>,
    writes: HashMap<Key, Pending>,
    claims: HashMap<ClaimKey, Option<Key>>,
    bumps: Vec<GuardKey>,
    adjustments: Vec<Adjustment>,
    audit: Vec<AuditDraft>,
    accepted: Vec<RecordState>,
    undo: Vec<Undo>,
    next_order: u64,
    reads: u64,
}

impl Work {
    /// An overlay without changes.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            loaded: HashMap::new(),
            claims_seen: HashMap::new(),
            guards_seen: HashMap::new(),
            counters_seen: HashMap::new(),
            writes: HashMap::new(),
            claims: HashMap::new(),
            bumps: Vec::new(),
            adjustments: Vec::new(),
            audit: Vec::new(),
            accepted: Vec::new(),
            undo: Vec::new(),
            next_order: 0,
            reads: 0,
        }
    }

    /// How many questions went to the store. Equal for a foreign and for an unknown identifier.
    #[must_use]
    pub const fn reads(&self) -> u64 {
        self.reads
    }

    /// Whether a commit is needed: something was changed or is to be recorded.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !(self.writes.is_empty()
            && self.claims.is_empty()
            && self.bumps.is_empty()
            && self.adjustments.is_empty()
            && self.audit.is_empty()
            && self.accepted.is_empty())
    }

    /// The record at this key, with this overlay's changes. What the store gave becomes a read of the ChangeSet.
    pub async fn load(&mut self, key: Key) -> Result<Option<Record>, StoreError> {
        self.fetch(key).await?;
        Ok(self.current(key))
    }

    /// The record at this key, with this overlay's changes, for decisions that rest on no single record: what the store gave is
    /// no read of the ChangeSet.
    pub async fn peek(&mut self, key: Key) -> Result<Option<Record>, StoreError> {
        if self.loaded.contains_key(&key) {
            return Ok(self.current(key));
        }
        self.reads = self.reads.saturating_add(1);
        self.store.load(key).await
    }

    async fn fetch(&mut self, key: Key) -> Result<(), StoreError> {
        if !self.loaded.contains_key(&key) {
            self.reads = self.reads.saturating_add(1);
            let record = self.store.load(key).await?;
            self.loaded.insert(key, record);
        }
        Ok(())
    }

    fn base(&self, key: Key) -> Option<&Record> {
        self.loaded.get(&key).and_then(Option::as_ref)
    }

    fn current(&self, key: Key) -> Option<Record> {
        match self.writes.get(&key) {
            Some(pending) => pending.content.as_ref().map(|content| Record {
                key,
                revision: self.next_revision(key),
                creation: self.creation(key, pending),
                body: Arc::clone(&content.body),
            }),
            None => self.base(key).cloned(),
        }
    }

    /// What this overlay has written at this key, if it has and has not deleted it again: the revision that it will have, and its body.
    #[must_use]
    pub fn written(&self, key: Key) -> Option<(Revision, &[u8])> {
        let content = self.writes.get(&key)?.content.as_ref()?;
        Some((self.next_revision(key), &content.body))
    }

    fn creation(&self, key: Key, pending: &Pending) -> u64 {
        match self.base(key) {
            Some(record) => record.creation,
            None => PROVISIONAL.saturating_add(pending.order),
        }
    }

    /// The revision that the record will have if this overlay writes it: what a record MAC covers. A record that was never
    /// loaded counts as absent.
    #[must_use]
    pub fn next_revision(&self, key: Key) -> Revision {
        self.base(key).map_or(Revision::FIRST, |record| record.revision.next())
    }

    /// Writes a record with all its index rows. A record that was never loaded is thereby asserted to be absent: the commit
    /// conflicts if it is not.
    pub fn put(&mut self, key: Key, body: Vec<u8>, rows: Vec<IndexRow>) -> Revision {
        self.loaded.entry(key).or_insert(None);
        let body = Arc::from(body);
        self.write(key, Some(Content { body, rows }));
        self.next_revision(key)
    }

    /// Deletes a record with its index rows and counters. Whether there was one. Claims are released by name.
    pub async fn delete(&mut self, key: Key) -> Result<bool, StoreError> {
        self.fetch(key).await?;
        let existed = self.current(key).is_some();
        if existed {
            self.write(key, None);
        }
        Ok(existed)
    }

    fn write(&mut self, key: Key, content: Option<Content>) {
        let before = self.writes.get(&key).cloned();
        let order = before.as_ref().map_or(self.next_order, |pending| pending.order);
        if before.is_none() {
            self.next_order = self.next_order.saturating_add(1);
        }
        self.undo.push(Undo::Write(key, before));
        self.writes.insert(key, Pending { content, order });
    }

    /// Who holds this claim, with this overlay's changes.
    pub async fn claimed(&mut self, claim: &ClaimKey) -> Result<Option<Key>, StoreError> {
        if !self.claims_seen.contains_key(claim) {
            self.reads = self.reads.saturating_add(1);
            let holder = self.store.claimed(claim).await?;
            self.claims_seen.insert(claim.clone(), holder);
        }
        if let Some(pending) = self.claims.get(claim) {
            return Ok(*pending);
        }
        Ok(self.claims_seen.get(claim).copied().flatten())
    }

    /// Takes a claim for a record, unless another one holds it.
    pub async fn take(&mut self, claim: ClaimKey, holder: Key) -> Result<Taken, StoreError> {
        match self.claimed(&claim).await? {
            Some(other) if other != holder => Ok(Taken::By(other)),
            Some(_) => Ok(Taken::Yes),
            None => {
                self.set_claim(claim, Some(holder));
                Ok(Taken::Yes)
            }
        }
    }

    /// Releases a claim, if this record holds it. Whether it did.
    pub async fn release(&mut self, claim: ClaimKey, holder: Key) -> Result<bool, StoreError> {
        let held = self.claimed(&claim).await? == Some(holder);
        if held {
            self.set_claim(claim, None);
        }
        Ok(held)
    }

    fn set_claim(&mut self, claim: ClaimKey, holder: Option<Key>) {
        let before = self.claims.insert(claim.clone(), holder);
        self.undo.push(Undo::Claim(claim, before));
    }

    /// Rests the decision on a set: if it is bumped before the commit, the handler runs again.
    pub async fn read_guard(&mut self, guard: GuardKey) -> Result<u64, StoreError> {
        if let Some(seen) = self.guards_seen.get(&guard) {
            return Ok(*seen);
        }
        self.reads = self.reads.saturating_add(1);
        let revision = self.store.guard(guard).await?;
        self.guards_seen.insert(guard, revision);
        Ok(revision)
    }

    /// Rests the decision on a set as somebody knew it who looked earlier: if it was bumped since, or is before the commit, the handler
    /// runs again.
    pub fn rest_on_guard(&mut self, guard: GuardKey, known: u64) {
        let seen = self.guards_seen.entry(guard).or_insert(known);
        // Of two that differ the older is out of date, and is what must meet.
        *seen = known.min(*seen);
    }

    /// Says that this unit of work changes a set. Bumps alone commute; a decision over the set also reads the guard.
    pub fn bump_guard(&mut self, guard: GuardKey) {
        if !self.bumps.contains(&guard) {
            self.bumps.push(guard);
            self.undo.push(Undo::Bump(guard));
        }
    }

    /// The value of a counter with this overlay's adjustments; `None` if it was never set. Not a read of the ChangeSet: the
    /// bounds given with each adjustment protect, not the value seen.
    pub async fn counter(&mut self, key: Key, field: u32) -> Result<Option<i64>, StoreError> {
        if !self.counters_seen.contains_key(&key) {
            self.reads = self.reads.saturating_add(1);
            let counters = self.store.counters(key).await?;
            self.counters_seen.insert(key, counters);
        }
        let stored = self
            .counters_seen
            .get(&key)
            .and_then(|all| all.iter().find(|(f, _)| *f == field));
        let mine = self.adjustments.iter().filter(|a| a.key == key && a.field == field);
        Ok(mine.fold(stored.map(|(_, value)| *value), |value, adjustment| {
            match adjustment.change {
                FieldChange::Add { amount, .. } => Some(value.unwrap_or(0).saturating_add(amount)),
                FieldChange::Set(new) => Some(new),
                FieldChange::Remove => None,
            }
        }))
    }

    /// `field += amount` within `[min, max]`. `Err` in the result: the bound that stands in the way as things are now; nothing
    /// was changed. The commit judges again, against the value of that moment.
    pub async fn adjust(
        &mut self,
        key: Key,
        field: u32,
        amount: i64,
        (min, max): (i64, i64),
    ) -> Result<Result<i64, Bound>, StoreError> {
        let value = self.counter(key, field).await?.unwrap_or(0);
        let outcome = match add_within(value, amount, min, max) {
            Ok(outcome) => outcome,
            Err(bound) => return Ok(Err(bound)),
        };
        let change = FieldChange::Add { amount, min, max };
        self.adjustments.push(Adjustment { key, field, change });
        Ok(Ok(outcome))
    }

    /// Gives a counter a value. Does not commute: load the record that the value was decided on.
    pub fn set_counter(&mut self, key: Key, field: u32, value: i64) {
        let change = FieldChange::Set(value);
        self.adjustments.push(Adjustment { key, field, change });
    }

    /// Forgets a counter.
    pub fn remove_counter(&mut self, key: Key, field: u32) {
        let change = FieldChange::Remove;
        self.adjustments.push(Adjustment { key, field, change });
    }

    /// Adds a record to the change trail.
    pub fn audit(&mut self, draft: AuditDraft) {
        self.audit.push(draft);
    }

    /// Takes a state of a record for its newest one, though nobody writes it here.
    pub fn accept(&mut self, state: RecordState) {
        self.accepted.push(state);
    }

    /// A place to go back to: taken before each item of a batch.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            adjustments: self.adjustments.len(),
            audit: self.audit.len(),
            accepted: self.accepted.len(),
        }
    }

    /// Drops every change since the mark, audit records included. The reads remain: the failure was decided on them.
    pub fn rollback(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::Write(key, Some(before))) => drop(self.writes.insert(key, before)),
                Some(Undo::Write(key, None)) => drop(self.writes.remove(&key)),
                Some(Undo::Claim(claim, Some(before))) => drop(self.claims.insert(claim, before)),
                Some(Undo::Claim(claim, None)) => drop(self.claims.remove(&claim)),
                Some(Undo::Bump(guard)) => self.bumps.retain(|bumped| *bumped != guard),
                None => break,
            }
        }
        self.adjustments.truncate(mark.adjustments);
        self.audit.truncate(mark.audit);
        self.accepted.truncate(mark.accepted);
    }

    /// What to commit.
    #[must_use]
    pub fn into_change_set(self, time_ms: i64) -> ChangeSet {
        let Self {
            store: _,
            loaded,
            claims_seen,
            guards_seen,
            counters_seen: _,
            writes,
            claims,
            bumps,
            adjustments,
            audit,
            accepted,
            undo: _,
            next_order: _,
            reads: _,
        } = self;
        // A record made and deleted here leaves only the assertion that it is absent.
        let known = |key: &Key| loaded.get(key).is_some_and(Option::is_some);
        let mut ordered: Vec<(Key, Pending)> = writes
            .into_iter()
            .filter(|(key, pending)| pending.content.is_some() || known(key))
            .collect();
        ordered.sort_by_key(|(_, pending)| pending.order);
        let bumped = bumps.iter().filter(|key| !guards_seen.contains_key(key));
        let bumped: Vec<Guard> = bumped
            .map(|key| Guard {
                key: *key,
                seen: None,
                bump: true,
            })
            .collect();
        let guards = guards_seen.iter().map(|(key, seen)| Guard {
            key: *key,
            seen: Some(*seen),
            bump: bumps.contains(key),
        });
        ChangeSet {
            reads: loaded
                .iter()
                .map(|(key, record)| (*key, record.as_ref().map(Record::seen)))
                .collect(),
            guards: guards.chain(bumped).collect(),
            claims: claims_seen
                .into_iter()
                .map(|(key, seen)| claim(key, seen, &claims))
                .collect(),
            writes: ordered
                .into_iter()
                .map(|(key, Pending { content, .. })| Write { key, content })
                .collect(),
            adjustments,
            audit,
            accepted,
            time_ms,
        }
    }
}

/// Each changed claim was looked at before, so what was seen is complete.
fn claim(key: ClaimKey, seen: Option<Key>, changed: &HashMap<ClaimKey, Option<Key>>) -> Claim {
    let change = match (seen, changed.get(&key).copied()) {
        (_, None) | (None, Some(None)) => ClaimChange::Keep,
        (None, Some(Some(holder))) => ClaimChange::Take(holder),
        (Some(from), Some(None)) => ClaimChange::Release(from),
        (Some(from), Some(Some(to))) if from == to => ClaimChange::Keep,
        (Some(from), Some(Some(to))) => ClaimChange::Pass(from, to),
    };
    Claim {
        key,
        seen: Some(seen),
        change,
    }
}
