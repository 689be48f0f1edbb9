//! The change trail lives in the commit of what it records.

use crate::engines::{OBJECT, OTHER, Opened, STREAM, TENANT, chain_start, creation, draft, key, on_every_store};
use claviger::audit::{AuditDraft, CounterState, Entry, RecordState, TrailKind, Verifier, WRITTEN};
use claviger::store::{ChangeSet, Counter, Key, Kind, TrailQuery, Work, mark};

on_every_store! {
    the_trail_is_in_the_commit_and_verifies,
    a_domain_sees_its_own_records,
    the_trail_says_what_every_commit_left,
    the_trail_says_how_every_commit_counted,
}

fn all(limit: usize) -> TrailQuery {
    TrailQuery {
        stream: STREAM,
        domain: None,
        after: 0,
        limit,
    }
}

async fn the_trail_is_in_the_commit_and_verifies(opened: Opened) {
    for n in 1..=30 {
        let mut change = creation(n, b"x");
        change.audit.push(draft(2));
        change.time_ms = 1_000 - i64::try_from(n).unwrap();
        let receipt = opened.store.commit(change).await.unwrap();
        let sequences: Vec<u64> = receipt.audit.iter().map(|position| position.sequence).collect();
        assert_eq!(sequences, [2 * n - 1, 2 * n]);
    }
    let mut verifier = Verifier::new(TrailKind::Change, chain_start());
    let mut query = all(7);
    loop {
        let page = opened.store.trail(query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = last.position.sequence;
        for record in &page {
            let entry = verifier.check(&record.bytes).unwrap();
            assert_eq!(entry.place.committed_ms, 999, "the time of the commit never goes back");
            assert_eq!(entry.place.position, record.position);
        }
    }
    let heads = opened.store.trail_heads().await.unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].position.sequence, 60);
    assert!(verifier.finish(Some(heads[0])).is_ok());
}

async fn a_domain_sees_its_own_records(opened: Opened) {
    let mut foreign = draft(2);
    foreign.tenant = OTHER.0;
    let change = ChangeSet {
        audit: vec![draft(1), foreign, draft(3)],
        ..ChangeSet::default()
    };
    opened.store.commit(change).await.unwrap();
    let query = TrailQuery {
        domain: Some(TENANT),
        ..all(10)
    };
    let records = opened.store.trail(query).await.unwrap();
    let operations: Vec<u32> = records
        .iter()
        .map(|record| Entry::read(&record.bytes).unwrap().draft.operation)
        .collect();
    assert_eq!(operations, [1, 3]);
    let rest = TrailQuery {
        after: 1,
        limit: 1,
        ..query
    };
    assert_eq!(opened.store.trail(rest).await.unwrap()[0].position.sequence, 3);
}

async fn drafts(opened: &Opened) -> Vec<AuditDraft> {
    let records = opened.store.trail(all(100)).await.unwrap();
    let read = |bytes: &[u8]| Entry::read(bytes).unwrap().draft;
    records.iter().map(|record| read(&record.bytes)).collect()
}

/// Whoever commits: with several records of the trail, with one, with none.
async fn the_trail_says_what_every_commit_left(opened: Opened) {
    let (first, second) = (
        key(1),
        Key {
            domain: OTHER,
            ..key(2)
        },
    );
    let state = |key: Key, left| RecordState {
        domain: key.domain.0,
        kind: key.kind.0,
        id: key.id,
        left,
        accepted: false,
    };
    let long = [7; 100];
    let mut work = Work::new(opened.store.clone());
    work.put(first, long.to_vec(), Vec::new());
    work.put(second, b"short".to_vec(), Vec::new());
    work.audit(draft(1));
    work.audit(draft(2));
    opened.store.commit(work.into_change_set(1)).await.unwrap();
    let mut work = Work::new(opened.store.clone());
    work.load(first).await.unwrap();
    work.put(first, b"x".to_vec(), Vec::new());
    opened.store.commit(work.into_change_set(2)).await.unwrap();
    let mut work = Work::new(opened.store.clone());
    work.delete(first).await.unwrap();
    work.audit(draft(3));
    opened.store.commit(work.into_change_set(3)).await.unwrap();
    let mut work = Work::new(opened.store.clone());
    work.audit(draft(4));
    opened.store.commit(work.into_change_set(4)).await.unwrap();

    let drafts = drafts(&opened).await;
    let operations: Vec<u32> = drafts.iter().map(|draft| draft.operation).collect();
    assert_eq!(operations, [1, 2, WRITTEN, 3, 4]);
    let records: Vec<_> = drafts.iter().map(|draft| draft.records.clone()).collect();
    assert_eq!(
        records,
        [
            vec![],
            vec![
                state(first, Some((1, mark(&long[..32])))),
                state(second, Some((1, mark(b"short"))))
            ],
            vec![state(first, Some((2, mark(b"x"))))],
            vec![state(first, None)],
            vec![],
        ]
    );
    // Rows of all domains and kinds, in the order of their keys.
    let rows = async |from, limit| {
        let rows = opened.store.rows(from, limit).await.unwrap();
        rows.iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let third = Key {
        kind: Kind(OBJECT.0 + 1),
        ..key(1)
    };
    let mut work = Work::new(opened.store.clone());
    for key in [first, third] {
        work.put(key, b"y".to_vec(), Vec::new());
    }
    opened.store.commit(work.into_change_set(5)).await.unwrap();
    let mut keys = vec![first, second, third];
    keys.sort();
    assert_eq!(rows(Key::FIRST, 10).await, keys);
    assert_eq!(rows(keys[0].next().unwrap(), 1).await, keys[1..2]);
    assert_eq!(rows(keys[1], 10).await, keys[1..]);
}

/// Also where nothing but counters changes; what stays as it was is not told.
async fn the_trail_says_how_every_commit_counted(opened: Opened) {
    let (first, second) = (key(1), key(2));
    let bounds = (i64::MIN, i64::MAX);
    let mut work = Work::new(opened.store.clone());
    work.adjust(second, 7, 4, bounds).await.unwrap().unwrap();
    work.adjust(first, u32::MAX, -5, bounds).await.unwrap().unwrap();
    work.adjust(first, u32::MAX, 3, bounds).await.unwrap().unwrap();
    work.adjust(first, 1, 0, bounds).await.unwrap().unwrap();
    opened.store.commit(work.into_change_set(1)).await.unwrap();
    let mut work = Work::new(opened.store.clone());
    work.set_counter(second, 7, 4);
    work.remove_counter(first, u32::MAX);
    work.set_counter(first, 1, 9);
    work.audit(draft(1));
    work.audit(draft(2));
    opened.store.commit(work.into_change_set(2)).await.unwrap();
    let accepted = RecordState {
        domain: first.domain.0,
        kind: first.kind.0,
        id: first.id,
        left: None,
        accepted: true,
    };
    let mut work = Work::new(opened.store.clone());
    work.accept(accepted);
    opened.store.commit(work.into_change_set(3)).await.unwrap();

    let state = |key: Key, field, before, left, accepted| CounterState {
        domain: key.domain.0,
        kind: key.kind.0,
        id: key.id,
        field,
        before,
        left,
        accepted,
    };
    let counters: Vec<_> = drafts(&opened).await.into_iter().map(|draft| draft.counters).collect();
    assert_eq!(
        counters,
        [
            vec![
                state(first, 1, None, Some(0), false),
                state(first, u32::MAX, None, Some(-2), false),
                state(second, 7, None, Some(4), false),
            ],
            vec![],
            vec![
                state(first, 1, Some(0), Some(9), false),
                state(first, u32::MAX, Some(-2), None, false),
            ],
            vec![state(first, 1, None, Some(9), true)],
        ]
    );
    // As they lie there, in the order of their keys and fields.
    let counter = |key, field, value| Counter { key, field, value };
    let all = [counter(first, 1, 9), counter(second, 7, 4)];
    let rows = async |from, limit| opened.store.counter_rows(from, limit).await.unwrap();
    assert_eq!(rows((Key::FIRST, 0), 10).await, all);
    assert_eq!(rows((Key::FIRST, 0), 1).await, all[..1]);
    assert_eq!(rows((first, 2), 10).await, all[1..]);
    assert_eq!(rows((second, 8), 10).await, []);
}
