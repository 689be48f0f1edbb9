//! The change trail lives in the commit of what it records.

use crate::engines::{OTHER, Opened, STREAM, TENANT, chain_start, creation, draft, on_every_store};
use claviger::audit::{Entry, TrailKind, Verifier};
use claviger::store::{ChangeSet, TrailQuery};

on_every_store! {
    the_trail_is_in_the_commit_and_verifies,
    a_domain_sees_its_own_records,
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
