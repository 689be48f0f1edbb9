//! Every operation leaves exactly one record, whoever asks and whatever becomes of it: in the change trail if it changed something or was
//! refused, else in the access trail.

use super::separation::{Names, Rest, Things, Way, names, setting, wired};
use super::testing::TestHouse;
use crate::audit::{AuditDraft, Entry};
use crate::identity::Principal;
use crate::operations::CARRIED_OUT;
use crate::store::{Domain, TrailQuery};
use kmip_protocol::{Operation, PersonRole, ResponseItem, ResponseMessage, ResultStatus};
use std::collections::BTreeSet;

/// How far both trails have been read.
struct Trails<'a> {
    house: &'a TestHouse,
    change: u64,
    access: usize,
}

impl Trails<'_> {
    /// What is new in either.
    async fn unread(&mut self) -> Vec<AuditDraft> {
        let heads = self.house.store.trail_heads().await.unwrap();
        let stream = heads[0].position.stream;
        let query = TrailQuery {
            stream,
            domain: None,
            after: self.change,
            limit: 1_000_000,
        };
        let change = self.house.store.trail(query).await.unwrap();
        self.change += u64::try_from(change.len()).unwrap();
        let access = self.house.access.records();
        let read = |bytes: &[u8]| Entry::read(bytes).unwrap().draft;
        let mut found: Vec<_> = change.iter().map(|record| read(&record.bytes)).collect();
        found.extend(access[self.access..].iter().map(|bytes| read(bytes)));
        self.access = access.len();
        found
    }
}

fn nothing(_: &mut kmip_ttlv::Writer, _: &Things, _: &Rest) {}

async fn ask(
    house: &TestHouse,
    who: &Principal,
    operation: Operation,
    way: Way,
    it: &Things,
    rest: &Rest,
) -> ResponseItem {
    let message = wired(operation, way, it, rest);
    let answer = house.server.answer_as(who, &message, &house.alice).await;
    ResponseMessage::read(&answer).unwrap().items.remove(0)
}

#[tokio::test]
async fn every_operation_leaves_one_record_that_says_what_became_of_it() {
    let house = TestHouse::new().await;
    let (own, rest) = setting(&house).await;
    let now = house.now_ms() / 1000;
    let client = house.server.identity().resolve(&house.alice.certificate, now);
    let client = client.await.unwrap();
    let operator = house.known(house.tenant, PersonRole::Operator);
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let mut trails = Trails {
        house: &house,
        change: 0,
        access: 0,
    };
    trails.unread().await;
    let mut done = BTreeSet::new();
    for who in [&client, &operator, &administrator] {
        for operation in CARRIED_OUT.iter().copied() {
            let mut ways: Vec<Way> = vec![nothing];
            if let Names::Ways(more) | Names::Alike(more) = names(operation) {
                ways.extend(more);
            }
            for (number, way) in ways.into_iter().enumerate() {
                let item = ask(&house, who, operation, way, &own, &rest).await;
                let records = trails.unread().await;
                let mut of_it = records.iter().filter(|draft| draft.operation == operation.0);
                let (Some(record), None) = (of_it.next(), of_it.next()) else {
                    panic!("{operation} {number}: {} records", records.len());
                };
                assert_eq!(record.result_status, item.result_status.0, "{operation} {number}");
                assert_eq!(
                    record.result_reason,
                    item.result_reason.map(|reason| reason.0),
                    "{operation} {number}"
                );
                assert_eq!(record.tenant, who.domain().unwrap().0, "{operation} {number}");
                if item.result_status == ResultStatus::Success {
                    done.insert(operation.to_string());
                }
            }
        }
    }
    assert!(done.len() >= 45, "{} operations succeeded: {done:?}", done.len());
}
