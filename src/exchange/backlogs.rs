//! What the status says of endpoints, to whom.

use super::outgoings::{overflown, subscribe};
use super::testing::TestHouse;
use crate::identity::Principal;
use crate::store::Domain;
use kmip_protocol::{PersonRole, ResponsePayload, ServerStatusRequest, Severity};

/// How grave a line of the status is, and what it says.
type Line = (Option<Severity>, String);

async fn line(house: &TestHouse, who: &Principal, name: &str) -> Option<Line> {
    let item = house.act(who, ServerStatusRequest::default()).await;
    let Some(ResponsePayload::ServerStatus(status)) = item.payload else {
        panic!("no status: {:?}", item.result_message)
    };
    let found = status.items.into_iter().find(|item| item.status_name == name)?;
    Some((found.severity, found.status_value))
}

#[tokio::test]
async fn what_waits_is_told_to_its_tenant_and_summed_up_for_administrators() {
    let (house, endpoint, _) = overflown().await;
    let olga = house.known(house.tenant, PersonRole::Operator);
    let ada = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let words = "1000 messages wait, the oldest for 0 s; 2 were lost";
    let expected = Some((Some(Severity::Notice), words.to_owned()));
    assert_eq!(line(&house, &olga, "endpoint.own").await, expected);
    assert_eq!(line(&house, &ada, "endpoints.tenant alice").await, expected);
    // Names of endpoints are their tenant's.
    assert_eq!(line(&house, &ada, "endpoint.own").await, None);
    let other = house.tenant_of(&house.bob).await;
    let fred = house.known(other, PersonRole::Operator);
    assert_eq!(line(&house, &fred, "endpoint.own").await, None);
    assert_eq!(line(&house, &ada, "endpoints.tenant bob").await, None);

    house.server.outbox().reports.trouble(endpoint, "it is away");
    let told = line(&house, &olga, "endpoint.own").await.unwrap();
    assert_eq!(told, (Some(Severity::Warning), format!("{words}; it is away")));
    let told = line(&house, &ada, "endpoints.tenant alice").await.unwrap();
    assert_eq!(
        told,
        (Some(Severity::Warning), format!("{words}; trouble with 1 endpoints"))
    );
}

#[tokio::test]
async fn what_waits_for_long_is_warned_of() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    let olga = house.known(house.tenant, PersonRole::Operator);
    let nothing = Some((None, "0 messages wait".to_owned()));
    assert_eq!(line(&house, &olga, "endpoint.own").await, nothing);
    house.create("", Vec::new()).await;
    house.clock.advance(3599);
    let told = line(&house, &olga, "endpoint.own").await.unwrap();
    assert_eq!(told, (None, "1 messages wait, the oldest for 3599 s".to_owned()));
    house.clock.advance(1);
    assert_eq!(
        line(&house, &olga, "endpoint.own").await.unwrap().0,
        Some(Severity::Warning)
    );
}
