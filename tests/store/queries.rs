//! Questions to the index, scans, and the high-water mark.

use crate::engines::{
    APPLICATION, DATE, NAME, OBJECT, OTHER, Opened, TENANT, dated, draft, key, named, on_every_store,
};
use claviger::store::{ChangeSet, IndexQuery, IndexRange, IndexRow, IndexValue, Kind};

on_every_store! {
    hits_come_newest_first_and_resume,
    an_overwritten_record_is_found_by_its_new_values_only,
    ranges_of_dates_are_found,
    what_is_due_is_found_oldest_first,
    any_value_is_found,
    queries_stay_in_their_place,
    a_scan_sees_each_record_once,
    the_high_water_mark_never_goes_back,
    long_and_many_values_are_kept,
}

fn query(attribute: u32, range: IndexRange) -> IndexQuery {
    IndexQuery {
        domain: TENANT,
        kind: OBJECT,
        application: APPLICATION,
        attribute,
        range,
        before: None,
        limit: 1000,
    }
}

fn equal(name: &str) -> IndexQuery {
    query(NAME, IndexRange::Equal(IndexValue::bytes(name.as_bytes())))
}

async fn numbers(opened: &Opened, query: &IndexQuery) -> Vec<u64> {
    let hits = opened.store.find(query).await.unwrap();
    hits.iter()
        .map(|hit| u64::from_be_bytes(hit.key.id[8..].try_into().unwrap()))
        .collect()
}

async fn hits_come_newest_first_and_resume(opened: Opened) {
    for n in 0..25 {
        opened.create(n * 7 % 25, vec![named("same")]).await;
    }
    let newest: Vec<u64> = (0..25).rev().map(|n| n * 7 % 25).collect();
    assert_eq!(numbers(&opened, &equal("same")).await, newest);
    let mut page = IndexQuery {
        limit: 4,
        ..equal("same")
    };
    let mut seen = Vec::new();
    loop {
        let hits = opened.store.find(&page).await.unwrap();
        let Some(last) = hits.last() else { break };
        page.before = Some(last.creation);
        seen.extend(
            hits.iter()
                .map(|hit| u64::from_be_bytes(hit.key.id[8..].try_into().unwrap())),
        );
        // What is made meanwhile is newer than every page to come.
        opened
            .create(100 + u64::try_from(seen.len()).unwrap(), vec![named("same")])
            .await;
    }
    assert_eq!(seen, newest);
    assert!(
        numbers(
            &opened,
            &IndexQuery {
                limit: 0,
                ..equal("same")
            }
        )
        .await
        .is_empty()
    );
    assert_eq!(
        numbers(
            &opened,
            &IndexQuery {
                before: Some(u64::MAX),
                ..equal("same")
            }
        )
        .await
        .len(),
        32
    );
}

async fn an_overwritten_record_is_found_by_its_new_values_only(opened: Opened) {
    opened.create(1, vec![named("a"), named("b"), dated(5)]).await;
    let mut work = opened.work();
    work.load(key(1)).await.unwrap();
    work.put(key(1), vec![1], vec![named("b"), named("c")]);
    opened.commit(work).await.unwrap();
    assert!(numbers(&opened, &equal("a")).await.is_empty());
    assert_eq!(numbers(&opened, &equal("b")).await, [1]);
    assert_eq!(numbers(&opened, &equal("c")).await, [1]);
    assert!(numbers(&opened, &query(DATE, IndexRange::Any)).await.is_empty());
    let mut work = opened.work();
    work.delete(key(1)).await.unwrap();
    opened.commit(work).await.unwrap();
    assert!(numbers(&opened, &equal("b")).await.is_empty());
}

async fn ranges_of_dates_are_found(opened: Opened) {
    for (n, date) in [(1, -100), (2, 0), (3, 50), (4, 50), (5, 900)] {
        opened.create(n, vec![dated(date)]).await;
    }
    opened.create(6, vec![dated(10), dated(20)]).await;
    let between = |from, to| query(DATE, IndexRange::Between { from, to });
    assert_eq!(
        numbers(&opened, &between(-100, 50)).await,
        [6, 4, 3, 2, 1],
        "both ends belong to it, each record once"
    );
    assert_eq!(numbers(&opened, &between(51, i64::MAX)).await, [5]);
    assert_eq!(numbers(&opened, &between(i64::MIN, -1)).await, [1]);
    assert!(numbers(&opened, &between(10, 5)).await.is_empty());
    let page = IndexQuery {
        limit: 2,
        ..between(0, 1000)
    };
    assert_eq!(numbers(&opened, &page).await, [6, 5]);
    let hits = opened.store.find(&page).await.unwrap();
    let page = IndexQuery {
        before: Some(hits[1].creation),
        ..page
    };
    assert_eq!(numbers(&opened, &page).await, [4, 3]);
}

async fn what_is_due_is_found_oldest_first(opened: Opened) {
    for (n, date) in [(1, 70), (2, -100), (3, 50), (4, 50), (5, i64::MAX), (6, i64::MIN)] {
        opened.create(n, vec![dated(date)]).await;
    }
    let within = |from, to| query(DATE, IndexRange::InOrder { from, to });
    let up_to = |to| within(i64::MIN, to);
    assert_eq!(numbers(&opened, &within(-100, 50)).await, [2, 4, 3]);
    assert_eq!(numbers(&opened, &within(71, i64::MAX)).await, [5]);
    assert_eq!(numbers(&opened, &within(60, 50)).await, [0_u64; 0]);
    assert_eq!(numbers(&opened, &up_to(70)).await, [6, 2, 4, 3, 1]);
    assert_eq!(numbers(&opened, &up_to(49)).await, [6, 2]);
    assert_eq!(numbers(&opened, &up_to(i64::MAX)).await, [6, 2, 4, 3, 1, 5]);
    let first = IndexQuery { limit: 2, ..up_to(70) };
    assert_eq!(numbers(&opened, &first).await, [6, 2]);
    // What an overlay deleted is passed over, and what it wrote comes last.
    let mut work = opened.work();
    work.delete(key(6)).await.unwrap();
    work.load(key(1)).await.unwrap();
    work.put(key(1), vec![1], vec![dated(1)]);
    let hits = work.find(&up_to(60)).await.unwrap();
    let found: Vec<_> = hits.into_iter().map(|hit| hit.key).collect();
    assert_eq!(found, [key(2), key(4), key(3), key(1)]);
}

async fn any_value_is_found(opened: Opened) {
    opened.create(1, vec![named("a"), named("b")]).await;
    opened.create(2, vec![dated(1)]).await;
    opened.create(3, vec![named(&"long".repeat(100))]).await;
    assert_eq!(numbers(&opened, &query(NAME, IndexRange::Any)).await, [3, 1]);
    assert_eq!(numbers(&opened, &query(DATE, IndexRange::Any)).await, [2]);
}

async fn queries_stay_in_their_place(opened: Opened) {
    opened.create(1, vec![named("n")]).await;
    assert!(
        numbers(
            &opened,
            &IndexQuery {
                domain: OTHER,
                ..equal("n")
            }
        )
        .await
        .is_empty()
    );
    assert!(
        numbers(
            &opened,
            &IndexQuery {
                kind: Kind(2),
                ..equal("n")
            }
        )
        .await
        .is_empty()
    );
    assert!(
        numbers(
            &opened,
            &IndexQuery {
                application: [0; 16],
                ..equal("n")
            }
        )
        .await
        .is_empty()
    );
    assert!(
        numbers(
            &opened,
            &IndexQuery {
                attribute: DATE,
                ..equal("n")
            }
        )
        .await
        .is_empty()
    );
    assert_eq!(numbers(&opened, &equal("n")).await, [1]);
}

async fn a_scan_sees_each_record_once(opened: Opened) {
    for n in (0..50).rev() {
        opened.create(n, vec![]).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = opened.store.scan(TENANT, OBJECT, after, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.id);
        seen.extend(page.iter().map(|record| record.key));
    }
    assert_eq!(seen, (0..50).map(key).collect::<Vec<_>>());
    assert!(opened.store.scan(TENANT, Kind(2), None, 7).await.unwrap().is_empty());
    let last = Some([0xFF; 16]);
    assert!(opened.store.scan(TENANT, OBJECT, last, 7).await.unwrap().is_empty());
}

async fn the_high_water_mark_never_goes_back(opened: Opened) {
    let at = |time_ms| ChangeSet {
        audit: vec![draft(1)],
        time_ms,
        ..ChangeSet::default()
    };
    opened.store.commit(at(5_000)).await.unwrap();
    assert_eq!(opened.store.high_water(), 5_000);
    opened.store.commit(at(4_000)).await.unwrap();
    assert_eq!(opened.store.high_water(), 5_000);
    opened.store.commit(at(6_000)).await.unwrap();
    assert_eq!(opened.store.high_water(), 6_000);
}

async fn long_and_many_values_are_kept(opened: Opened) {
    let rows: Vec<IndexRow> = (0..300).map(|n| named(&format!("{n}").repeat(40))).collect();
    opened.create(1, rows).await;
    assert_eq!(numbers(&opened, &equal(&"7".repeat(40))).await, [1]);
    assert_eq!(numbers(&opened, &equal(&"299".repeat(40))).await, [1]);
    assert!(numbers(&opened, &equal("7")).await.is_empty());
}
