//! The overlay: what a handler sees while it works, what a batch takes back, what is counted.

use crate::engines::{APPLICATION, GUARD, NAME, OBJECT, Opened, TENANT, claim, draft, key, named, on_every_store};
use claviger::store::{CommitError, IndexQuery, IndexRange, IndexValue, Revision, Taken};

on_every_store! {
    it_sees_its_own_changes,
    finds_see_its_own_changes,
    finds_of_many_pages_see_its_own_changes,
    a_rolled_back_item_leaves_only_its_reads,
    rolling_back_to_the_start_undoes_everything,
    reads_go_to_the_store_once,
    a_foreign_record_costs_as_many_reads_as_none,
    a_record_made_and_deleted_was_never_there,
    a_deleted_record_can_be_written_again,
    counters_are_seen_as_adjusted,
}

fn by_name(name: &str, before: Option<u64>, limit: usize) -> IndexQuery {
    IndexQuery {
        domain: TENANT,
        kind: OBJECT,
        application: APPLICATION,
        attribute: NAME,
        range: IndexRange::Equal(IndexValue::bytes(name.as_bytes())),
        before,
        limit,
    }
}

async fn it_sees_its_own_changes(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut work = opened.work();
    assert_eq!(work.load(key(1)).await.unwrap().unwrap().revision, Revision(1));
    work.put(key(1), vec![5], vec![]);
    let record = work.load(key(1)).await.unwrap().unwrap();
    assert_eq!((record.revision, record.body.to_vec()), (Revision(2), vec![5]));
    work.put(key(1), vec![6], vec![]);
    assert_eq!(
        work.load(key(1)).await.unwrap().unwrap().revision,
        Revision(2),
        "one commit, one revision"
    );
    assert!(work.delete(key(1)).await.unwrap());
    assert!(work.load(key(1)).await.unwrap().is_none());
    assert!(!work.delete(key(1)).await.unwrap());
    work.take(claim("n"), key(1)).await.unwrap();
    assert_eq!(work.claimed(&claim("n")).await.unwrap(), Some(key(1)));
    assert_eq!(work.take(claim("n"), key(2)).await.unwrap(), Taken::By(key(1)));
}

async fn finds_see_its_own_changes(opened: Opened) {
    for n in 1..=3 {
        opened.create(n, vec![named("n")]).await;
    }
    let mut work = opened.work();
    for n in [1, 2] {
        work.load(key(n)).await.unwrap();
    }
    work.put(key(1), vec![], vec![named("other")]);
    work.delete(key(2)).await.unwrap();
    work.put(key(4), vec![], vec![named("n")]);
    work.put(key(5), vec![], vec![named("n"), named("n")]);
    let hits = work.find(&by_name("n", None, 10)).await.unwrap();
    let keys: Vec<_> = hits.iter().map(|hit| hit.key).collect();
    assert_eq!(
        keys,
        [key(5), key(4), key(3)],
        "newest first, uncommitted ones newest of all"
    );
    let rest = work.find(&by_name("n", Some(hits[0].creation), 1)).await.unwrap();
    assert_eq!(rest[0].key, key(4));
    let mark = work.mark();
    work.put(key(6), vec![], vec![named("n")]);
    work.rollback(mark);
    opened.commit(work).await.unwrap();
    let hits = opened.store.find(&by_name("n", None, 10)).await.unwrap();
    let committed: Vec<_> = hits.iter().map(|hit| hit.key).collect();
    assert_eq!(committed, keys, "the commit keeps the order that the overlay showed");
}

async fn finds_of_many_pages_see_its_own_changes(opened: Opened) {
    for n in 0..20 {
        opened.create(n, vec![named("n")]).await;
    }
    let mut work = opened.work();
    for n in (0..20).filter(|n| n % 2 == 0) {
        work.delete(key(n)).await.unwrap();
    }
    let (mut seen, mut before) = (Vec::new(), None);
    while let Some(hit) = work.find(&by_name("n", before, 1)).await.unwrap().first() {
        seen.push(hit.key);
        before = Some(hit.creation);
    }
    let odd: Vec<_> = (0..20).rev().filter(|n| n % 2 == 1).map(key).collect();
    assert_eq!(seen, odd);
}

async fn a_rolled_back_item_leaves_only_its_reads(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut work = opened.work();
    work.put(key(2), vec![2], vec![]);
    work.adjust(key(2), 1, 1, (0, 9)).await.unwrap().unwrap();
    let mark = work.mark();
    work.load(key(1)).await.unwrap();
    work.put(key(1), vec![9], vec![]);
    work.put(key(2), vec![9], vec![]);
    work.put(key(3), vec![9], vec![]);
    work.take(claim("n"), key(1)).await.unwrap();
    work.bump_guard(GUARD);
    work.adjust(key(2), 1, 5, (0, 9)).await.unwrap().unwrap();
    work.audit(draft(1));
    work.rollback(mark);
    assert_eq!(work.load(key(2)).await.unwrap().unwrap().body.to_vec(), vec![2]);
    assert_eq!(work.claimed(&claim("n")).await.unwrap(), None);
    assert_eq!(work.counter(key(2), 1).await.unwrap(), Some(1));
    work.audit(draft(2));
    let change = work.into_change_set(1);
    assert_eq!(change.writes.len(), 1);
    assert!(
        change
            .reads
            .iter()
            .any(|(read, seen)| *read == key(1) && seen.is_some()),
        "the failure rests on this read"
    );
    assert_eq!(change.audit, vec![draft(2)]);
    assert!(change.guards.is_empty());
    opened.store.commit(change).await.unwrap();
    assert_eq!(opened.body(1).await, Some(vec![0]));
    assert_eq!(opened.body(3).await, None);
}

async fn rolling_back_to_the_start_undoes_everything(opened: Opened) {
    let mut work = opened.work();
    let start = work.mark();
    work.put(key(1), vec![1], vec![]);
    let second = work.mark();
    work.delete(key(1)).await.unwrap();
    work.put(key(1), vec![2], vec![]);
    work.rollback(second);
    assert_eq!(work.load(key(1)).await.unwrap().unwrap().body.to_vec(), vec![1]);
    work.rollback(start);
    assert!(!work.is_changed());
    assert!(work.load(key(1)).await.unwrap().is_none());
    work.audit(draft(1));
    opened.commit(work).await.unwrap();
    assert_eq!(opened.body(1).await, None);
}

async fn reads_go_to_the_store_once(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut work = opened.work();
    for _ in 0..3 {
        work.load(key(1)).await.unwrap();
        work.claimed(&claim("n")).await.unwrap();
        work.read_guard(GUARD).await.unwrap();
        work.counter(key(1), 1).await.unwrap();
    }
    assert_eq!(work.reads(), 4);
    // What was read stays as it was read: a decision is taken on one state.
    let mut other = opened.work();
    other.load(key(1)).await.unwrap();
    other.put(key(1), vec![7], vec![]);
    opened.commit(other).await.unwrap();
    assert_eq!(work.load(key(1)).await.unwrap().unwrap().body.to_vec(), vec![0]);
    work.audit(draft(1));
    assert_eq!(opened.commit(work).await.err(), Some(CommitError::Conflict));
}

async fn a_foreign_record_costs_as_many_reads_as_none(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut counts = Vec::new();
    for n in [1, 2] {
        let mut work = opened.work();
        let mut foreign = key(n);
        foreign.domain = crate::engines::OTHER;
        assert!(work.load(foreign).await.unwrap().is_none());
        counts.push(work.reads());
    }
    assert_eq!(counts, [1, 1]);
}

async fn a_record_made_and_deleted_was_never_there(opened: Opened) {
    let mut work = opened.work();
    work.put(key(1), vec![1], vec![named("n")]);
    assert!(work.delete(key(1)).await.unwrap());
    work.audit(draft(1));
    let receipt = opened.commit(work).await.unwrap();
    assert!(receipt.written.is_empty());
}

async fn a_deleted_record_can_be_written_again(opened: Opened) {
    let first = opened.create(1, vec![named("n")]).await;
    let mut work = opened.work();
    work.delete(key(1)).await.unwrap();
    work.put(key(1), vec![3], vec![]);
    let receipt = opened.commit(work).await.unwrap();
    assert_eq!(receipt.written[0].creation, first.written[0].creation);
    assert_eq!(receipt.written[0].revision, Revision(2));
    assert!(opened.store.find(&by_name("n", None, 10)).await.unwrap().is_empty());
}

async fn counters_are_seen_as_adjusted(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut work = opened.work();
    assert_eq!(work.counter(key(1), 1).await.unwrap(), None);
    work.set_counter(key(1), 1, 100);
    assert_eq!(work.adjust(key(1), 1, -40, (0, 100)).await.unwrap(), Ok(60));
    work.set_counter(key(1), 2, 1);
    work.remove_counter(key(1), 2);
    opened.commit(work).await.unwrap();
    assert_eq!(opened.store.counters(key(1)).await.unwrap(), vec![(1, 60)]);
    let mut work = opened.work();
    work.delete(key(1)).await.unwrap();
    opened.commit(work).await.unwrap();
    assert!(
        opened.store.counters(key(1)).await.unwrap().is_empty(),
        "counters go with their record"
    );
}
