//! States that dates change: noted, recorded and told once each.

use super::outgoings::subscribe;
use super::restarts;
use super::testing::{BEGIN, TestHouse};
use super::tests::trail;
use crate::administration::act;
use crate::outbox::EndpointId;
use kmip_protocol::{
    Attribute, AttributeKind, AttributeReference, DateTime, GetAttributesRequest, GetRequest, NotifyRequest,
    RequestPayload, ResponsePayload, State, UniqueIdentifier, Version,
};

/// A house with an endpoint that is told of changes, and a key that becomes active and ceases to be by dates.
async fn scene(house: TestHouse) -> (TestHouse, EndpointId, String) {
    let endpoint = subscribe(&house, &house.alice, |record| record.puts = false).await;
    let key = dated(&house, 100, 200).await;
    (house, endpoint, key)
}

async fn dated(house: &TestHouse, activation: i64, deactivation: i64) -> String {
    let dates = vec![
        Attribute::ActivationDate(DateTime(BEGIN + activation)),
        Attribute::DeactivationDate(DateTime(BEGIN + deactivation)),
    ];
    house.create("", dates).await
}

/// What the next message tells, which is accepted.
async fn told(house: &TestHouse, endpoint: EndpointId) -> Option<NotifyRequest> {
    let outgoing = house.server.next_outgoing(endpoint, None).await.unwrap()?;
    house.server.delivered(&outgoing).await.unwrap();
    match outgoing.request.items.into_iter().next().unwrap().payload {
        Ok(RequestPayload::Notify(notify)) => Some(notify),
        _ => panic!("no Notify"),
    }
}

fn states(notify: &NotifyRequest) -> Vec<State> {
    let attributes = notify.attributes.as_ref().unwrap();
    let states = attributes.0.iter().filter_map(|one| match &one.attribute {
        Attribute::State(state) => Some(*state),
        _ => None,
    });
    states.collect()
}

async fn changed_at(house: &TestHouse, key: &str) -> i64 {
    let request = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.to_owned())),
        references: vec![AttributeReference::Known(AttributeKind::LastChangeDate)],
    };
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    let Some(ResponsePayload::GetAttributes(got)) = item.payload else {
        panic!("no attributes")
    };
    match &got.attributes.0[0].attribute {
        Attribute::LastChangeDate(DateTime(date)) => *date,
        _ => panic!("no date"),
    }
}

async fn noted(house: &TestHouse) -> usize {
    let entries = trail(house).await;
    entries
        .iter()
        .filter(|entry| entry.draft.operation == act::TURN)
        .count()
}

#[tokio::test]
async fn each_change_by_date_is_told_once_over_restarts() {
    let (mut house, endpoint, key) = scene(TestHouse::on_disk().await).await;
    house.server.tend().await;
    house.clock.advance(99);
    house.server.tend().await;
    assert!(told(&house, endpoint).await.is_none());
    for (step, state) in [(1, State::Active), (100, State::Deactivated)] {
        house.clock.advance(step);
        // Whoever is started at that moment tells it as well.
        house.server = restarts::restarted(&house).await;
        house.server.tend().await;
        let notify = told(&house, endpoint).await.unwrap();
        assert!(notify.unique_identifier == UniqueIdentifier::Text(key.clone()));
        assert_eq!(states(&notify), [state]);
        house.server = restarts::restarted(&house).await;
        house.server.tend().await;
        assert!(told(&house, endpoint).await.is_none());
    }
    assert_eq!(changed_at(&house, &key).await, BEGIN + 200);
    assert_eq!(noted(&house).await, 2);
}

#[tokio::test]
async fn what_is_written_between_a_date_and_the_next_look_tells_it_instead() {
    let (house, endpoint, key) = scene(TestHouse::new().await).await;
    house.server.tend().await;
    house.clock.advance(100);
    // To be served is no change, and yet the first that is written after the date.
    let get = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
        ..GetRequest::default()
    };
    house.item(Version::NEWEST, get, &house.alice).await;
    house.server.tend().await;
    assert_eq!(states(&told(&house, endpoint).await.unwrap()), [State::Active]);
    assert!(told(&house, endpoint).await.is_none());
    assert_eq!(changed_at(&house, &key).await, BEGIN + 100);
    // The next date is known all the same.
    house.clock.advance(100);
    house.server.tend().await;
    assert_eq!(states(&told(&house, endpoint).await.unwrap()), [State::Deactivated]);
}

#[tokio::test]
async fn a_damaged_object_keeps_no_others_waiting_and_dates_that_come_earlier_are_looked_at_first() {
    let house = TestHouse::new().await;
    let endpoint = subscribe(&house, &house.alice, |record| record.puts = false).await;
    dated(&house, 1000, 2000).await;
    house.server.tend().await;
    let damaged = dated(&house, 100, 2000).await;
    let sound = dated(&house, 100, 2000).await;
    house.server.tend().await;
    let mut row = house.row(crate::objects::key(house.tenant, &damaged)).await;
    let mut body = row.body.to_vec();
    body[20] ^= 1;
    row.body = body.into();
    house.plant(row);
    house.clock.advance(100);
    house.server.tend().await;
    let notify = told(&house, endpoint).await.unwrap();
    assert!(notify.unique_identifier == UniqueIdentifier::Text(sound));
    assert!(told(&house, endpoint).await.is_none());
}
