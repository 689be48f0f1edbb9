//! The races of the contract: each pair of decisions that could spoil each other, and those that must not get in each other's way.

use crate::engines::{GUARD, OTHER, Opened, claim, creation, draft, key, named, on_every_store};
use claviger::store::{
    Adjustment, Bound, ChangeSet, Claim, ClaimChange, ClaimKey, CommitError, FieldChange, Guard, Key, Revision, Taken,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

on_every_store! {
    one_of_two_takers_gets_the_claim,
    a_claim_taken_blindly_is_named,
    a_claim_passes_and_is_released,
    a_lost_update_is_refused,
    a_decision_over_a_set_conflicts_with_its_change,
    changes_of_a_set_commute_unless_they_look,
    two_creations_of_one_record_conflict,
    what_was_absent_and_came_conflicts,
    a_record_made_again_is_another_record,
    adjustments_stay_within_their_bounds,
    adjustments_do_not_conflict_with_each_other,
    a_bound_tightened_below_the_value_still_lets_it_return,
    adding_nothing_asserts_the_bound,
    users_of_one_counter_do_not_run_again,
    a_refused_change_set_does_not_disturb_its_neighbours,
    nothing_of_a_refused_change_set_remains,
    what_breaks_the_contract_is_refused,
    domains_do_not_meet,
    a_load_after_an_acknowledgement_sees_it,
}

/// Both looked when it was free; both commit.
async fn one_of_two_takers_gets_the_claim(opened: Opened) {
    let (mut a, mut b) = (opened.work(), opened.work());
    for (work, n) in [(&mut a, 1), (&mut b, 2)] {
        work.put(key(n), vec![1], vec![]);
        assert_eq!(work.take(claim("name"), key(n)).await.unwrap(), Taken::Yes);
    }
    let (a, b) = tokio::join!(opened.commit(a), opened.commit(b));
    assert!(a.is_ok());
    assert_eq!(b.err(), Some(CommitError::Conflict));
    // Run again, the second taker sees who was first.
    let mut again = opened.work();
    assert_eq!(again.take(claim("name"), key(2)).await.unwrap(), Taken::By(key(1)));
    assert_eq!(opened.body(2).await, None);
}

async fn a_claim_taken_blindly_is_named(opened: Opened) {
    let take = |holder: Key| ChangeSet {
        claims: vec![Claim {
            key: claim("name"),
            seen: None,
            change: ClaimChange::Take(holder),
        }],
        ..ChangeSet::default()
    };
    opened.store.commit(take(key(1))).await.unwrap();
    opened.store.commit(take(key(1))).await.unwrap();
    assert_eq!(
        opened.store.commit(take(key(2))).await.err(),
        Some(CommitError::ClaimTaken(claim("name")))
    );
    let mut release = take(key(2));
    release.claims[0].change = ClaimChange::Release(key(2));
    assert_eq!(
        opened.store.commit(release).await.err(),
        Some(CommitError::Conflict),
        "only its holder releases a claim"
    );
}

async fn a_claim_passes_and_is_released(opened: Opened) {
    let mut work = opened.work();
    work.take(claim("name"), key(1)).await.unwrap();
    opened.commit(work).await.unwrap();

    let mut work = opened.work();
    assert!(!work.release(claim("name"), key(2)).await.unwrap());
    assert!(work.release(claim("name"), key(1)).await.unwrap());
    assert_eq!(work.claimed(&claim("name")).await.unwrap(), None);
    assert_eq!(work.take(claim("name"), key(2)).await.unwrap(), Taken::Yes);
    opened.commit(work).await.unwrap();
    assert_eq!(opened.store.claimed(&claim("name")).await.unwrap(), Some(key(2)));

    let mut work = opened.work();
    work.release(claim("name"), key(2)).await.unwrap();
    opened.commit(work).await.unwrap();
    assert_eq!(opened.store.claimed(&claim("name")).await.unwrap(), None);
}

async fn a_lost_update_is_refused(opened: Opened) {
    opened.create(1, vec![]).await;
    let (mut a, mut b) = (opened.work(), opened.work());
    for (work, value) in [(&mut a, 10), (&mut b, 20)] {
        work.load(key(1)).await.unwrap();
        assert_eq!(work.next_revision(key(1)), Revision(2));
        work.put(key(1), vec![value], vec![]);
    }
    let receipt = opened.commit(a).await.unwrap();
    assert_eq!(receipt.written[0].revision, Revision(2));
    assert_eq!(opened.commit(b).await.err(), Some(CommitError::Conflict));
    assert_eq!(opened.body(1).await, Some(vec![10]));
}

/// Write skew: one decides over the operators, another removes an operator; the records they write are different ones.
async fn a_decision_over_a_set_conflicts_with_its_change(opened: Opened) {
    let (mut decision, mut removal) = (opened.work(), opened.work());
    assert_eq!(decision.read_guard(GUARD).await.unwrap(), 0);
    decision.put(key(1), vec![1], vec![]);
    removal.read_guard(GUARD).await.unwrap();
    removal.bump_guard(GUARD);
    removal.put(key(2), vec![2], vec![]);
    opened.commit(removal).await.unwrap();
    assert_eq!(opened.commit(decision).await.err(), Some(CommitError::Conflict));
    assert_eq!(opened.store.guard(GUARD).await.unwrap(), 1);
    assert_eq!(opened.body(1).await, None);
}

async fn changes_of_a_set_commute_unless_they_look(opened: Opened) {
    let bump = |seen| ChangeSet {
        guards: vec![Guard {
            key: GUARD,
            seen,
            bump: true,
        }],
        ..ChangeSet::default()
    };
    opened.store.commit(bump(None)).await.unwrap();
    opened.store.commit(bump(None)).await.unwrap();
    assert_eq!(
        opened.store.commit(bump(Some(1))).await.err(),
        Some(CommitError::Conflict)
    );
    opened.store.commit(bump(Some(2))).await.unwrap();
    assert_eq!(opened.store.guard(GUARD).await.unwrap(), 3);
}

async fn two_creations_of_one_record_conflict(opened: Opened) {
    let (a, b) = tokio::join!(
        opened.store.commit(creation(1, b"a")),
        opened.store.commit(creation(1, b"b"))
    );
    assert!(a.is_ok());
    assert_eq!(b.err(), Some(CommitError::Conflict));
}

/// Phantom: a decision that rests on the absence of a record.
async fn what_was_absent_and_came_conflicts(opened: Opened) {
    let mut work = opened.work();
    assert!(work.load(key(1)).await.unwrap().is_none());
    work.put(key(2), vec![], vec![]);
    opened.create(1, vec![]).await;
    assert_eq!(opened.commit(work).await.err(), Some(CommitError::Conflict));
}

/// A record deleted and made again has the same revision, and is not the same.
async fn a_record_made_again_is_another_record(opened: Opened) {
    opened.create(1, vec![]).await;
    let mut decision = opened.work();
    decision.load(key(1)).await.unwrap();
    decision.put(key(1), vec![9], vec![]);
    let mut deletion = opened.work();
    assert!(deletion.delete(key(1)).await.unwrap());
    opened.commit(deletion).await.unwrap();
    opened.create(1, vec![]).await;
    assert_eq!(opened.commit(decision).await.err(), Some(CommitError::Conflict));
}

fn adjust(amount: i64, min: i64, max: i64) -> ChangeSet {
    let change = FieldChange::Add { amount, min, max };
    ChangeSet {
        adjustments: vec![Adjustment {
            key: key(1),
            field: 3,
            change,
        }],
        ..ChangeSet::default()
    }
}

/// 64 clients on one limited key: each unit is given once, and nobody runs again.
async fn adjustments_stay_within_their_bounds(opened: Opened) {
    let store = Arc::clone(&opened.store);
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut given = 0;
                for _ in 0..4 {
                    match store.commit(adjust(3, 0, 500)).await {
                        Ok(_) => given += 3,
                        Err(error) => {
                            let refused = CommitError::OutOfBounds {
                                key: key(1),
                                field: 3,
                                bound: Bound::Max,
                            };
                            assert_eq!(error, refused);
                        }
                    }
                }
                given
            })
        })
        .collect();
    let mut given = 0;
    for task in tasks {
        given += task.await.unwrap();
    }
    assert_eq!(given, 498);
    assert_eq!(store.counters(key(1)).await.unwrap(), vec![(3, 498)]);
}

async fn adjustments_do_not_conflict_with_each_other(opened: Opened) {
    opened.create(1, vec![]).await;
    let (mut a, mut b) = (opened.work(), opened.work());
    for work in [&mut a, &mut b] {
        work.load(key(1)).await.unwrap();
        assert_eq!(work.adjust(key(1), 3, 5, (0, 10)).await.unwrap(), Ok(5));
        assert_eq!(work.adjust(key(1), 3, 6, (0, 10)).await.unwrap(), Err(Bound::Max));
    }
    opened.commit(a).await.unwrap();
    opened.commit(b).await.unwrap();
    let mut third = opened.work();
    assert_eq!(third.counter(key(1), 3).await.unwrap(), Some(10));
    assert_eq!(third.adjust(key(1), 3, 1, (0, 10)).await.unwrap(), Err(Bound::Max));
    assert_eq!(third.adjust(key(1), 3, -11, (0, 10)).await.unwrap(), Err(Bound::Min));
    assert!(!third.is_changed());
}

async fn a_bound_tightened_below_the_value_still_lets_it_return(opened: Opened) {
    opened.store.commit(adjust(9, 0, 10)).await.unwrap();
    opened.store.commit(adjust(-1, 0, 5)).await.unwrap();
    assert!(matches!(
        opened.store.commit(adjust(1, 0, 5)).await,
        Err(CommitError::OutOfBounds { bound: Bound::Max, .. })
    ));
    assert!(matches!(
        opened.store.commit(adjust(i64::MAX, 0, i64::MAX)).await,
        Err(CommitError::OutOfBounds { .. })
    ));
    assert_eq!(opened.store.counters(key(1)).await.unwrap(), vec![(3, 8)]);
}

/// Who changes a limit as long as nothing was taken loses to the first who takes, and not to another who only looked.
async fn adding_nothing_asserts_the_bound(opened: Opened) {
    opened.create(1, vec![]).await;
    let (mut change, mut other, mut take) = (opened.work(), opened.work(), opened.work());
    for work in [&mut change, &mut other] {
        assert_eq!(work.adjust(key(1), 3, 0, (0, 0)).await.unwrap(), Ok(0));
    }
    take.adjust(key(1), 3, 1, (0, 10)).await.unwrap().unwrap();
    opened.commit(other).await.unwrap();
    opened.commit(take).await.unwrap();
    assert!(matches!(
        opened.commit(change).await,
        Err(CommitError::OutOfBounds { bound: Bound::Max, .. })
    ));
    let mut again = opened.work();
    assert_eq!(again.adjust(key(1), 3, 0, (0, 0)).await.unwrap(), Err(Bound::Max));
    assert!(!again.is_changed());
}

/// As users of one limited key do it: each loads the record and takes a unit. While there are units, every commit succeeds.
async fn users_of_one_counter_do_not_run_again(opened: Opened) {
    opened.create(1, vec![]).await;
    let users: Vec<_> = (0..64)
        .map(|_| {
            let mut work = opened.work();
            let store = Arc::clone(&opened.store);
            tokio::spawn(async move {
                work.load(key(1)).await.unwrap();
                work.adjust(key(1), 3, 1, (0, 64)).await.unwrap().unwrap();
                store.commit(work.into_change_set(1)).await.map(drop)
            })
        })
        .collect();
    for user in users {
        assert_eq!(user.await.unwrap(), Ok(()));
    }
    assert_eq!(opened.store.counters(key(1)).await.unwrap(), vec![(3, 64)]);
}

async fn a_refused_change_set_does_not_disturb_its_neighbours(opened: Opened) {
    let store = Arc::clone(&opened.store);
    let waits: Vec<_> = (0..90)
        .map(|n| {
            let mut change = creation(n, b"x");
            if n % 3 == 1 {
                change.adjustments = adjust(1, 0, 0).adjustments;
            }
            if n % 3 == 2 {
                change.reads.push((key(n - 2), None));
            }
            store.commit(change)
        })
        .collect();
    for (n, wait) in (0..).zip(waits) {
        let outcome = wait.await;
        match n % 3 {
            0 => assert!(outcome.is_ok()),
            1 => assert!(matches!(outcome, Err(CommitError::OutOfBounds { .. }))),
            _ => assert_eq!(outcome.err(), Some(CommitError::Conflict)),
        }
        assert_eq!(opened.body(n).await.is_some(), n % 3 == 0, "{n}");
    }
    let head = store.trail_heads().await.unwrap();
    assert_eq!(
        head[0].position.sequence, 30,
        "a refused one leaves no record and no gap"
    );
}

async fn nothing_of_a_refused_change_set_remains(opened: Opened) {
    let mut work = opened.work();
    work.put(key(1), vec![1], vec![named("n")]);
    work.take(claim("n"), key(1)).await.unwrap();
    work.bump_guard(GUARD);
    work.adjust(key(5), 1, 1, (0, 9)).await.unwrap().unwrap();
    work.set_counter(key(1), 2, 7);
    work.audit(draft(1));
    let mut change = work.into_change_set(99);
    change.adjustments.push(adjust(1, 0, 0).adjustments[0]);
    assert!(opened.store.commit(change).await.is_err());
    assert_eq!(opened.body(1).await, None);
    assert_eq!(opened.store.claimed(&claim("n")).await.unwrap(), None);
    assert_eq!(opened.store.guard(GUARD).await.unwrap(), 0);
    assert!(opened.store.counters(key(5)).await.unwrap().is_empty());
    assert!(opened.store.trail_heads().await.unwrap().is_empty());
    assert_eq!(opened.store.high_water(), 0);
    assert_eq!(
        opened.create(2, vec![]).await.written[0].creation,
        1,
        "no creation number is lost"
    );
}

async fn what_breaks_the_contract_is_refused(opened: Opened) {
    let mut unread = creation(1, b"x");
    unread.reads.clear();
    let mut twice = creation(1, b"x");
    twice.writes.push(twice.writes[0].clone());
    let mut absent = creation(1, b"x");
    absent.writes[0].content = None;
    for change in [unread, twice, absent] {
        assert!(matches!(
            opened.store.commit(change).await,
            Err(CommitError::Malformed(_))
        ));
    }
}

async fn domains_do_not_meet(opened: Opened) {
    opened.create(1, vec![named("n")]).await;
    let foreign = Key {
        domain: OTHER,
        ..key(1)
    };
    assert!(opened.store.load(foreign).await.unwrap().is_none());
    assert!(
        opened
            .store
            .scan(OTHER, foreign.kind, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let mut work = opened.work();
    work.take(claim("n"), key(1)).await.unwrap();
    let same_name = ClaimKey::new(OTHER, 1, b"n");
    assert_eq!(work.take(same_name, foreign).await.unwrap(), Taken::Yes);
    opened.commit(work).await.unwrap();
}

/// Readers race the writer; nobody ever sees a record older than one that was acknowledged before the load began.
async fn a_load_after_an_acknowledgement_sees_it(opened: Opened) {
    opened.create(1, vec![]).await;
    let acknowledged = Arc::new(AtomicU64::new(1));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (store, acknowledged) = (Arc::clone(&opened.store), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                loop {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let found = store.load(key(1)).await.unwrap().unwrap();
                    assert!(found.revision.0 >= least, "{} after {least}", found.revision.0);
                    if least > 200 {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..200 {
        let mut work = opened.work();
        work.load(key(1)).await.unwrap();
        work.put(key(1), vec![1], vec![]);
        let receipt = opened.commit(work).await.unwrap();
        acknowledged.store(receipt.written[0].revision.0, Ordering::SeqCst);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}
