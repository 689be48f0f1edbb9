//! The reference and the embedded engine, given the same random work, answer alike.

use crate::engines::{
    APPLICATION, DATE, GUARD, NAME, OBJECT, Opened, TENANT, claim, dated, draft, key, memory, named, sqlite,
};
use claviger::store::{CommitError, IndexHit, IndexQuery, IndexRange, IndexValue, Key, Work};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const RECORDS: u64 = 12;

fn query(dice: &mut Dice) -> IndexQuery {
    let from = i64::try_from(dice.roll(20)).unwrap();
    let (attribute, range) = match dice.roll(5) {
        0 => (NAME, IndexRange::Any),
        1 => (DATE, IndexRange::Between { from, to: from + 5 }),
        2 => (DATE, IndexRange::Equal(IndexValue::number(from))),
        3 => (DATE, IndexRange::InOrder { from, to: from + 5 }),
        _ => (
            NAME,
            IndexRange::Equal(IndexValue::bytes(format!("n{}", dice.roll(5)).as_bytes())),
        ),
    };
    IndexQuery {
        domain: TENANT,
        kind: OBJECT,
        application: APPLICATION,
        attribute,
        range,
        before: (dice.roll(3) == 0).then(|| dice.roll(60)),
        limit: usize::try_from(dice.roll(6)).unwrap(),
    }
}

/// One random step of a handler; what it saw, as text.
async fn step(work: &mut Work, dice: &mut Dice) -> String {
    let n = dice.roll(RECORDS);
    match dice.roll(9) {
        0 => {
            let record = work.load(key(n)).await.unwrap();
            format!("{:?}", record.map(|r| (r.revision, r.creation, r.body)))
        }
        1 | 2 => {
            work.load(key(n)).await.unwrap();
            let rows = vec![
                named(&format!("n{}", dice.roll(5))),
                dated(i64::try_from(dice.roll(25)).unwrap()),
            ];
            format!("{:?}", work.put(key(n), dice.roll(99).to_be_bytes().to_vec(), rows))
        }
        3 => format!("{}", work.delete(key(n)).await.unwrap()),
        4 => format!(
            "{:?}",
            work.take(claim(&format!("c{}", dice.roll(4))), key(n)).await.unwrap()
        ),
        5 => format!(
            "{}",
            work.release(claim(&format!("c{}", dice.roll(4))), key(n))
                .await
                .unwrap()
        ),
        6 => {
            let amount = i64::try_from(dice.roll(9)).unwrap() - 4;
            format!("{:?}", work.adjust(key(n), 1, amount, (-5, 5)).await.unwrap())
        }
        7 => {
            work.bump_guard(GUARD);
            if dice.roll(2) == 0 {
                format!("{}", work.read_guard(GUARD).await.unwrap())
            } else {
                String::new()
            }
        }
        _ => format!("{:?}", work.find(&query(dice)).await.unwrap()),
    }
}

/// Two handlers at once, so that some conflict; what all of it gave, as text.
async fn round(opened: &Opened, dice: &mut Dice) -> Vec<String> {
    let mut seen = Vec::new();
    let mut works = [opened.work(), opened.work()];
    for _ in 0..dice.roll(12) {
        let work = &mut works[usize::try_from(dice.roll(2)).unwrap()];
        let mark = work.mark();
        seen.push(step(work, dice).await);
        if dice.roll(6) == 0 {
            work.rollback(mark);
        }
    }
    for (work, operation) in works.into_iter().zip(0..) {
        let mut work = work;
        work.audit(draft(operation));
        let outcome = opened.commit(work).await;
        seen.push(outcome_text(outcome.map(|receipt| (receipt.written, receipt.audit))));
    }
    seen
}

fn outcome_text<T: std::fmt::Debug>(outcome: Result<T, CommitError>) -> String {
    format!("{outcome:?}")
}

async fn state(opened: &Opened) -> String {
    let store = &opened.store;
    let records = store.scan(TENANT, OBJECT, None, 100).await.unwrap();
    let records: Vec<_> = records
        .iter()
        .map(|r| (r.key, r.revision, r.creation, r.body.clone()))
        .collect();
    let mut claims: Vec<Option<Key>> = Vec::new();
    for n in 0..4 {
        claims.push(store.claimed(&claim(&format!("c{n}"))).await.unwrap());
    }
    let mut counters = Vec::new();
    for n in 0..RECORDS {
        counters.push(store.counters(key(n)).await.unwrap());
    }
    let all = IndexQuery {
        range: IndexRange::Any,
        attribute: NAME,
        before: None,
        limit: 99,
        ..query(&mut Dice(1))
    };
    let hits: Vec<IndexHit> = store.find(&all).await.unwrap();
    let heads = store.trail_heads().await.unwrap();
    format!(
        "{records:?}{claims:?}{counters:?}{hits:?}{heads:?}{:?}",
        store.guard(GUARD).await.unwrap()
    )
}

#[tokio::test]
async fn engines_answer_alike() {
    for seed in 1..=12 {
        let (reference, engine) = (memory(), sqlite());
        let (mut first, mut second) = (Dice(seed * 7919), Dice(seed * 7919));
        let mut conflicts = 0;
        for n in 0..60 {
            let expected = round(&reference, &mut first).await;
            assert_eq!(expected, round(&engine, &mut second).await, "seed {seed}, round {n}");
            conflicts += expected.iter().filter(|outcome| outcome.contains("Conflict")).count();
            assert_eq!(state(&reference).await, state(&engine).await, "seed {seed}, round {n}");
        }
        assert!(conflicts > 0, "the canary: some rounds conflict");
    }
}
