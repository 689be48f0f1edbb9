//! Connections over which the server asks: what it asks, what it takes for an answer, and when it stops.

use super::office::{answered, told};
use super::outgoings::subscribe;
use super::testing::{TestHouse, batch};
use super::{Asked, ConnectionFacts, Conversation, Exchange, Turn};
use crate::failure::Fault;
use kmip_protocol::{
    DateTime, DiscoverVersionsResponse, EndpointRole, Operation, PutResponse, QueryResponse, RequestItem,
    RequestMessage, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResponsePayload, ResultReason,
    SetEndpointRoleRequest, SetEndpointRoleResponse, UniqueIdentifier, Version,
};
use kmip_ttlv::Writer;

fn be(endpoint_role: EndpointRole) -> SetEndpointRoleRequest {
    SetEndpointRoleRequest { endpoint_role }
}

fn bytes(items: Vec<ResponseItem>) -> Vec<u8> {
    let count = i32::try_from(items.len()).unwrap();
    let header = ResponseHeader::new(Version::NEWEST, DateTime(0), count);
    let mut writer = Writer::new();
    ResponseMessage { header, items }.write(&mut writer);
    writer.into_bytes()
}

fn success(payload: impl Into<ResponsePayload>) -> Vec<u8> {
    bytes(vec![ResponseItem::success(payload.into())])
}

fn failure(operation: Operation) -> Vec<u8> {
    let reason = ResultReason::GeneralFailure;
    bytes(vec![ResponseItem::failure(
        Some(operation),
        reason,
        String::new(),
        Version::NEWEST,
    )])
}

fn knows(operations: &[Operation]) -> Vec<u8> {
    success(QueryResponse {
        operations: operations.to_vec(),
        ..QueryResponse::default()
    })
}

/// What is asked next.
async fn asked(conversation: &mut dyn Conversation) -> RequestPayload {
    match conversation.turn().await {
        Turn::Ask(request) => {
            let read = RequestMessage::read(&request).ok().unwrap();
            read.items.into_iter().next().unwrap().payload.unwrap()
        }
        _ => panic!("nothing is asked"),
    }
}

/// A connection of alice's over which the server asks.
async fn reversed(house: &TestHouse) {
    answered!(
        house
            .item(Version::NEWEST, be(EndpointRole::Client), &house.alice)
            .await,
        ok
    );
}

/// The beginning of each conversation, with a client that knows these operations.
async fn introduced<'a>(house: &'a TestHouse, operations: &[Operation]) -> Box<dyn Conversation + 'a> {
    let mut conversation = house.server.converse(&house.alice).unwrap();
    let first = asked(conversation.as_mut()).await;
    assert!(matches!(first, RequestPayload::DiscoverVersions(_)));
    assert!(conversation.heard(success(DiscoverVersionsResponse::default())).await);
    let second = asked(conversation.as_mut()).await;
    assert!(matches!(second, RequestPayload::Query(_)));
    assert!(conversation.heard(knows(operations)).await);
    conversation
}

#[tokio::test]
async fn roles_are_set_by_an_item_that_stands_alone() {
    let house = TestHouse::new().await;
    assert!(house.server.converse(&house.alice).is_none());
    answered!(
        house
            .item(Version::NEWEST, be(EndpointRole::Server), &house.alice)
            .await,
        ok
    );
    answered!(
        house.item(Version::NEWEST, be(EndpointRole(7)), &house.alice).await,
        UnknownValue
    );
    let two = vec![
        RequestItem::new(be(EndpointRole::Client)),
        RequestItem::new(be(EndpointRole::Server)),
    ];
    let answer = house.message(&batch(Version::NEWEST, two), &house.alice).await;
    assert_eq!(told(&answer.items[0]), Some(Fault::FeatureNotSupported.message()));
    // Where the server cannot begin.
    let posted = ConnectionFacts {
        roles: None,
        ..house.alice.clone()
    };
    answered!(
        house.item(Version::NEWEST, be(EndpointRole::Client), &posted).await,
        FeatureNotSupported
    );
    assert!(house.server.converse(&house.alice).is_none());
    reversed(&house).await;
    assert!(house.server.converse(&house.alice).is_some());
    let roles = house.alice.roles.as_ref().unwrap();
    assert!(matches!(roles.asked(), Some(Asked { version, .. }) if version == Version::NEWEST));
}

#[tokio::test]
async fn what_waits_is_sent_and_then_the_client_asks_again() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    let key = house.create("sent", Vec::new()).await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[Operation::Put, Operation::SetEndpointRole]).await;
    let conversation = conversation.as_mut();
    // What is refused is sent again.
    for answer in [failure(Operation::Put), success(PutResponse::default())] {
        let RequestPayload::Put(put) = asked(conversation).await else {
            panic!("no Put");
        };
        assert!(put.unique_identifier == UniqueIdentifier::Text(key.clone()));
        assert!(conversation.heard(answer).await);
    }
    let RequestPayload::SetEndpointRole(back) = asked(conversation).await else {
        panic!("it goes on");
    };
    assert_eq!(back.endpoint_role, EndpointRole::Client);
    let role = SetEndpointRoleResponse {
        endpoint_role: EndpointRole::Client,
    };
    assert!(conversation.heard(success(role)).await);
    assert!(matches!(conversation.turn().await, Turn::Answer));
    assert!(house.server.converse(&house.alice).is_none());
}

#[tokio::test]
async fn a_client_that_cannot_ask_again_is_asked_when_there_is_something() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[Operation::Put]).await;
    let conversation = conversation.as_mut();
    assert!(matches!(conversation.turn().await, Turn::Wait));
    house.create("later", Vec::new()).await;
    assert!(matches!(asked(conversation).await, RequestPayload::Put(_)));
    assert!(conversation.heard(success(PutResponse::default())).await);
    assert!(matches!(conversation.turn().await, Turn::Wait));
}

#[tokio::test]
async fn whoever_refuses_its_role_is_asked_on() {
    let house = TestHouse::new().await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[Operation::SetEndpointRole]).await;
    let conversation = conversation.as_mut();
    assert!(matches!(asked(conversation).await, RequestPayload::SetEndpointRole(_)));
    assert!(conversation.heard(failure(Operation::SetEndpointRole)).await);
    assert!(matches!(conversation.turn().await, Turn::Wait));
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let house = TestHouse::new().await;
    reversed(&house).await;
    let other = success(PutResponse::default());
    let twice = bytes(vec![
        ResponseItem::success(DiscoverVersionsResponse::default()),
        ResponseItem::success(DiscoverVersionsResponse::default()),
    ]);
    for answer in [Vec::new(), vec![0; 64], bytes(Vec::new()), other, twice] {
        let mut conversation = house.server.converse(&house.alice).unwrap();
        asked(conversation.as_mut()).await;
        assert!(!conversation.heard(answer).await);
    }
}

#[tokio::test]
async fn who_is_served_no_more_is_asked_no_more() {
    let house = TestHouse::new().await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[]).await;
    assert!(matches!(conversation.turn().await, Turn::Wait));
    // Its certificate has run out.
    house.clock.advance(40 * 365 * 86_400);
    assert!(matches!(conversation.turn().await, Turn::End));
}
