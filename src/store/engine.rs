//! What every embedded engine does with a ChangeSet: judge all of it first, then carry it out. A refused ChangeSet has touched
//! nothing, so its neighbours in the same transaction are not disturbed.

use super::contract::{
    Adjustment, ChangeSet, Claim, ClaimChange, CommitError, Counters, FieldChange, IndexRow, Receipt, Revision, Seen,
    Write, Written, add_within,
};
use super::key::{ClaimKey, Domain, GuardKey, Key, Kind};
use crate::audit::{Actor, ActorKind, AuditDraft, Chain, CounterState, Linked, RecordState, WRITTEN, hash};
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

/// The tables of an engine, inside one transaction.
pub(super) trait Tables {
    /// What the engine itself can fail with.
    type Error;

    fn seen(&mut self, key: Key) -> Result<Option<Seen>, Self::Error>;
    fn guard(&mut self, key: GuardKey) -> Result<u64, Self::Error>;
    fn holder(&mut self, claim: &ClaimKey) -> Result<Option<Key>, Self::Error>;
    fn counter(&mut self, key: Key, field: u32) -> Result<Option<i64>, Self::Error>;
    /// All counters beside a record.
    fn counters(&mut self, key: Key) -> Result<Counters, Self::Error>;

    /// Writes a record: with `before`, in place of what is there; else new.
    fn put(
        &mut self,
        key: Key,
        seen: Seen,
        is_new: bool,
        body: &std::sync::Arc<[u8]>,
        rows: &[IndexRow],
    ) -> Result<(), Self::Error>;
    /// Removes a record with its index rows and counters.
    fn remove(&mut self, key: Key, seen: Seen) -> Result<(), Self::Error>;
    fn set_guard(&mut self, key: GuardKey, revision: u64) -> Result<(), Self::Error>;
    fn set_holder(&mut self, claim: &ClaimKey, holder: Option<Key>) -> Result<(), Self::Error>;
    fn set_counter(&mut self, key: Key, field: u32, value: Option<i64>) -> Result<(), Self::Error>;
    fn append(&mut self, domain: Domain, linked: Linked) -> Result<(), Self::Error>;
}

/// Numbers of the whole store, written with each transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marks {
    /// The creation number of the next new record.
    pub next_creation: u64,
    /// The greatest time of all commits, in milliseconds since 1970.
    pub high_water: i64,
}

impl Marks {
    /// Of an empty store.
    pub const START: Self = Self {
        next_creation: 1,
        high_water: 0,
    };
}

/// Why a ChangeSet was not carried out.
pub(super) enum Failure<E> {
    /// It was judged and refused; the tables are untouched.
    Refused(CommitError),
    /// The engine failed; the whole transaction is void.
    Engine(E),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Engine(error)
    }
}

/// Judges a ChangeSet and carries it out.
pub(super) fn perform<T: Tables>(
    tables: &mut T,
    marks: &mut Marks,
    chain: &mut dyn Chain,
    change: &ChangeSet,
) -> Result<Receipt, Failure<T::Error>> {
    check_form(change).map_err(Failure::Refused)?;
    check_reads(tables, change)?;
    let bumps = check_guards(tables, change)?;
    for claim in &change.claims {
        check_claim(tables, claim)?;
    }
    let counters = check_adjustments(tables, &change.adjustments)?;
    carry_out(tables, marks, chain, change, (&bumps, &counters)).map_err(Failure::Engine)
}

fn refuse<T, E>(error: CommitError) -> Result<T, Failure<E>> {
    Err(Failure::Refused(error))
}

/// What no correct caller sends.
fn check_form(change: &ChangeSet) -> Result<(), CommitError> {
    let reads: BTreeMap<Key, Option<Seen>> = change.reads.iter().copied().collect();
    let once = is_each_once(change.reads.iter().map(|(key, _)| key))
        && is_each_once(change.writes.iter().map(|write| &write.key))
        && is_each_once(change.guards.iter().map(|guard| &guard.key))
        && is_each_once(change.claims.iter().map(|claim| &claim.key));
    if !once {
        return Err(CommitError::Malformed("the same key twice"));
    }
    for Write { key, content } in &change.writes {
        match (reads.get(key), content) {
            (None, _) => return Err(CommitError::Malformed("a write of what was not read")),
            (Some(None), None) => return Err(CommitError::Malformed("a deletion of what is absent")),
            (Some(_), _) => {}
        }
    }
    Ok(())
}

fn is_each_once<'a, K: Hash + Eq + 'a>(keys: impl Iterator<Item = &'a K>) -> bool {
    let mut seen = HashSet::new();
    keys.into_iter().all(|key| seen.insert(key))
}

fn check_reads<T: Tables>(tables: &mut T, change: &ChangeSet) -> Result<(), Failure<T::Error>> {
    for (key, seen) in &change.reads {
        if tables.seen(*key)? != *seen {
            return refuse(CommitError::Conflict);
        }
    }
    Ok(())
}

/// The new revisions of the guards that are bumped.
fn check_guards<T: Tables>(tables: &mut T, change: &ChangeSet) -> Result<Vec<(GuardKey, u64)>, Failure<T::Error>> {
    let mut bumps = Vec::new();
    for guard in &change.guards {
        let revision = tables.guard(guard.key)?;
        if guard.seen.is_some_and(|seen| seen != revision) {
            return refuse(CommitError::Conflict);
        }
        if guard.bump {
            bumps.push((guard.key, revision.saturating_add(1)));
        }
    }
    Ok(bumps)
}

fn check_claim<T: Tables>(tables: &mut T, claim: &Claim) -> Result<(), Failure<T::Error>> {
    let holder = tables.holder(&claim.key)?;
    if claim.seen.is_some_and(|seen| seen != holder) {
        return refuse(CommitError::Conflict);
    }
    match claim.change {
        ClaimChange::Keep => Ok(()),
        ClaimChange::Take(taker) if holder.is_none_or(|holder| holder == taker) => Ok(()),
        ClaimChange::Take(_) => refuse(CommitError::ClaimTaken(claim.key.clone())),
        ClaimChange::Release(from) | ClaimChange::Pass(from, _) if holder == Some(from) => Ok(()),
        ClaimChange::Release(_) | ClaimChange::Pass(..) => refuse(CommitError::Conflict),
    }
}

/// Each counter that is adjusted: what it was and what it becomes.
type Outcomes = BTreeMap<(Key, u32), (Option<i64>, Option<i64>)>;

fn check_adjustments<T: Tables>(tables: &mut T, all: &[Adjustment]) -> Result<Outcomes, Failure<T::Error>> {
    let mut outcomes = Outcomes::new();
    for Adjustment { key, field, change } in all {
        let (before, value) = match outcomes.get(&(*key, *field)) {
            Some(known) => *known,
            None => {
                let value = tables.counter(*key, *field)?;
                (value, value)
            }
        };
        let outcome = match change {
            FieldChange::Set(value) => Some(*value),
            FieldChange::Remove => None,
            FieldChange::Add { amount, min, max } => match add_within(value.unwrap_or(0), *amount, *min, *max) {
                Ok(outcome) => Some(outcome),
                Err(bound) => {
                    let (key, field) = (*key, *field);
                    return refuse(CommitError::OutOfBounds { key, field, bound });
                }
            },
        };
        outcomes.insert((*key, *field), (before, outcome));
    }
    Ok(outcomes)
}

fn carry_out<T: Tables>(
    tables: &mut T,
    marks: &mut Marks,
    chain: &mut dyn Chain,
    change: &ChangeSet,
    (bumps, counters): (&[(GuardKey, u64)], &Outcomes),
) -> Result<Receipt, T::Error> {
    for (guard, revision) in bumps {
        tables.set_guard(*guard, *revision)?;
    }
    for claim in &change.claims {
        match claim.change {
            ClaimChange::Keep => {}
            ClaimChange::Take(holder) | ClaimChange::Pass(_, holder) => tables.set_holder(&claim.key, Some(holder))?,
            ClaimChange::Release(_) => tables.set_holder(&claim.key, None)?,
        }
    }
    let mut counted = Vec::new();
    for ((key, field), (before, left)) in counters {
        if before != left {
            tables.set_counter(*key, *field, *left)?;
            counted.push(counter_state(*key, *field, (*before, *left), false));
        }
    }
    for state in &change.accepted {
        let key = key_of(state);
        let found = tables.counters(key)?.into_iter();
        counted.extend(found.map(|(field, value)| counter_state(key, field, (None, Some(value)), true)));
    }
    let reads: BTreeMap<Key, Option<Seen>> = change.reads.iter().copied().collect();
    let mut written = Vec::with_capacity(change.writes.len());
    for write in &change.writes {
        let before = reads.get(&write.key).copied().flatten();
        written.push(put(tables, marks, write, before)?);
    }
    marks.high_water = marks.high_water.max(change.time_ms);
    let mut append = |draft: &AuditDraft| {
        let linked = chain.link(draft, marks.high_water);
        let position = linked.position;
        tables.append(Domain(draft.tenant), linked)?;
        Ok(position)
    };
    let mut audit = Vec::with_capacity(change.audit.len());
    let states: Vec<RecordState> = left(change, &written).collect();
    let domain = states.first().map(|state| state.domain);
    let domain = domain.or(counted.first().map(|state| state.domain));
    match (change.audit.split_last(), domain) {
        (Some((last, before)), Some(_)) => {
            for draft in before {
                audit.push(append(draft)?);
            }
            let mut last = last.clone();
            last.records.extend(states);
            last.counters.extend(counted);
            audit.push(append(&last)?);
        }
        (Some(_), None) => {
            for draft in &change.audit {
                audit.push(append(draft)?);
            }
        }
        // Whoever commits has said nothing, and the trail knows of the records all the same.
        (None, Some(domain)) => {
            append(&silent(domain, change.time_ms, states, counted))?;
        }
        (None, None) => {}
    }
    Ok(Receipt { written, audit })
}

/// Bytes at the end of a record that its mark is made of: those of its MAC.
const MARKED: usize = 32;

/// By what the trail knows the state of a record: the hash of its last bytes, where its MAC stands. A hash, so that nothing of a
/// record that has none is repeated where it is never erased.
#[must_use]
pub fn mark(body: &[u8]) -> [u8; 32] {
    let end = body.len().saturating_sub(MARKED);
    hash(body.get(end..).unwrap_or_default())
}

/// The state in which a commit leaves each record that it writes or accepts.
fn left<'c>(change: &'c ChangeSet, written: &'c [Written]) -> impl Iterator<Item = RecordState> + 'c {
    let written = change.writes.iter().zip(written).map(|(write, written)| RecordState {
        domain: write.key.domain.0,
        kind: write.key.kind.0,
        id: write.key.id,
        left: write
            .content
            .as_ref()
            .map(|content| (written.revision.0, mark(&content.body))),
        accepted: false,
    });
    change.accepted.iter().copied().chain(written)
}

const fn key_of(state: &RecordState) -> Key {
    Key {
        domain: Domain(state.domain),
        kind: Kind(state.kind),
        id: state.id,
    }
}

const fn counter_state(key: Key, field: u32, values: (Option<i64>, Option<i64>), accepted: bool) -> CounterState {
    let (before, left) = values;
    CounterState {
        domain: key.domain.0,
        kind: key.kind.0,
        id: key.id,
        field,
        before,
        left,
        accepted,
    }
}

/// The record of the trail of a commit that brought none.
fn silent(tenant: [u8; 16], at_ms: i64, records: Vec<RecordState>, counters: Vec<CounterState>) -> AuditDraft {
    AuditDraft {
        tenant,
        at_ms,
        actor: Actor {
            kind: ActorKind::Server,
            ..Actor::default()
        },
        operation: WRITTEN,
        records,
        counters,
        ..AuditDraft::default()
    }
}

fn put<T: Tables>(tables: &mut T, marks: &mut Marks, write: &Write, before: Option<Seen>) -> Result<Written, T::Error> {
    let key = write.key;
    let seen = match (&write.content, before) {
        (None, before) => {
            let seen = before.unwrap_or(Seen {
                revision: Revision::FIRST,
                creation: 0,
            });
            tables.remove(key, seen)?;
            seen
        }
        (Some(content), before) => {
            let seen = match before {
                Some(before) => Seen {
                    revision: before.revision.next(),
                    ..before
                },
                None => {
                    let creation = marks.next_creation;
                    marks.next_creation = creation.saturating_add(1);
                    Seen {
                        revision: Revision::FIRST,
                        creation,
                    }
                }
            };
            tables.put(key, seen, before.is_none(), &content.body, &content.rows)?;
            seen
        }
    };
    let Seen { revision, creation } = seen;
    Ok(Written {
        key,
        revision,
        creation,
    })
}
