//! Connections over which the server asks: what it asks, what it takes for an answer, and when it stops.

use super::members::password;
use super::office::{Office, answered, told};
use super::outgoings::{subscribe, subscribe_at};
use super::testing::{TestHouse, batch, create};
use super::{Asked, ConnectionFacts, Conversation, Exchange, Roles, Turn};
use crate::failure::Fault;
use kmip_protocol::{
    ClientCreateRequest, ClientModifyRequest, ClientPassword, ClientSettings, ClientSuspendRequest, ClientUser,
    Credential, DateTime, DiscoverVersionsResponse, EndpointRole, Operation, PutResponse, QueryResponse, RequestItem,
    RequestMessage, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResponsePayload, ResultReason,
    SecretText, SetEndpointRoleRequest, SetEndpointRoleResponse, UniqueIdentifier, Version,
};
use kmip_ttlv::Writer;
use std::time::Duration;

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
    introduced_over(house, &house.alice, operations).await
}

async fn introduced_over<'a>(
    house: &'a TestHouse,
    facts: &'a ConnectionFacts,
    operations: &[Operation],
) -> Box<dyn Conversation + 'a> {
    let mut conversation = house.server.converse(facts).unwrap();
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
    // What is refused is sent again, each time later.
    let answers = [
        (failure(Operation::Put), 1),
        (failure(Operation::Put), 2),
        (success(PutResponse::default()), 0),
    ];
    for (answer, rest) in answers {
        let RequestPayload::Put(put) = asked(conversation).await else {
            panic!("no Put");
        };
        assert!(put.unique_identifier == UniqueIdentifier::Text(key.clone()));
        assert!(conversation.heard(answer).await);
        if rest > 0 {
            house.clock.advance(rest - 1);
            assert!(matches!(conversation.turn().await, Turn::Wait(left) if left == Duration::from_secs(1)));
            house.clock.advance(1);
        }
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
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
    house.create("later", Vec::new()).await;
    assert!(matches!(asked(conversation).await, RequestPayload::Put(_)));
    assert!(conversation.heard(success(PutResponse::default())).await);
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
}

#[tokio::test]
async fn whoever_refuses_its_role_is_asked_on() {
    let house = TestHouse::new().await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[Operation::SetEndpointRole]).await;
    let conversation = conversation.as_mut();
    assert!(matches!(asked(conversation).await, RequestPayload::SetEndpointRole(_)));
    assert!(conversation.heard(failure(Operation::SetEndpointRole)).await);
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
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
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
    // Its certificate has run out.
    house.clock.advance(40 * 365 * 86_400);
    assert!(matches!(conversation.turn().await, Turn::End));
}

/// A client of an office's, asked over its connection by whoever asked for it with these credentials; once nothing is to be said.
async fn asked_over<'a>(
    office: &'a Office,
    facts: &'a ConnectionFacts,
    credentials: Vec<Credential>,
) -> Box<dyn Conversation + 'a> {
    answered!(
        office
            .house
            .ask_over(be(EndpointRole::Client), facts, credentials)
            .await,
        ok
    );
    let mut conversation = introduced_over(&office.house, facts, &[]).await;
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
    conversation
}

fn change(name: &str) -> ClientModifyRequest {
    ClientModifyRequest {
        client_name: name.into(),
        new_name: None,
        settings: None,
        credentials: Vec::new(),
        password: None,
        user: None,
    }
}

fn login(username: &str, text: &str) -> Option<ClientPassword> {
    Some(ClientPassword {
        username: username.into(),
        password: SecretText::new(text),
    })
}

/// Whoever was changed since it had the server ask is asked no more: of its password, for one, it is not known that it is there.
#[tokio::test]
async fn who_was_changed_since_is_asked_no_more() {
    let office = Office::open().await;
    office.issuer().await;
    let client = office.connected("client", None, ClientSettings::default()).await;
    let other = office.connected("other", None, ClientSettings::default()).await;
    let with_password = ClientModifyRequest {
        password: login("wilma", "the password of wilma"),
        ..change("client")
    };
    // The same networks in other words.
    let settings = ClientSettings {
        allowed_networks: vec!["0.0.0.0/0".into()],
        ..ClientSettings::default()
    };
    let elsewhere = ClientModifyRequest {
        settings: Some(settings),
        ..change("client")
    };
    let shown = || vec![password("wilma", "the password of wilma")];
    for (changed, credentials) in [(with_password, Vec::new()), (elsewhere, shown())] {
        let mut unchanged = asked_over(&office, &other, Vec::new()).await;
        let mut conversation = asked_over(&office, &client, credentials).await;
        answered!(office.act(changed).await, ok);
        assert!(matches!(conversation.turn().await, Turn::End));
        assert!(matches!(unchanged.turn().await, Turn::Wait(_)));
    }
    let mut conversation = asked_over(&office, &client, shown()).await;
    let client_name = "client".into();
    answered!(office.act(ClientSuspendRequest { client_name }).await, ok);
    assert!(matches!(conversation.turn().await, Turn::End));
}

/// Of a user both count: itself, and the client whose connection it is.
#[tokio::test]
async fn a_user_that_was_changed_since_is_asked_no_more() {
    let office = Office::open().await;
    office.issuer().await;
    let admits = ClientSettings {
        admits_users: Some(true),
        ..ClientSettings::default()
    };
    let gate = office.connected("gate", None, admits).await;
    let fred = ClientCreateRequest {
        client_name: "fred".into(),
        application_name: Some("gate".into()),
        settings: None,
        credentials: Vec::new(),
        password: login("fred", "the password of fred"),
        user: Some(ClientUser {
            connection_clients: Vec::new(),
        }),
    };
    answered!(office.act(fred).await, ok);
    let shown = |text| vec![password("fred", text)];
    let mut conversation = asked_over(&office, &gate, shown("the password of fred")).await;
    let other_password = ClientModifyRequest {
        password: login("fred", "another password of fred"),
        ..change("fred")
    };
    answered!(office.act(other_password).await, ok);
    assert!(matches!(conversation.turn().await, Turn::End));
    let mut conversation = asked_over(&office, &gate, shown("another password of fred")).await;
    let renamed = ClientModifyRequest {
        new_name: Some("another-gate".into()),
        ..change("gate")
    };
    answered!(office.act(renamed).await, ok);
    assert!(matches!(conversation.turn().await, Turn::End));
}

/// Whether there is news already.
async fn is_told(conversation: &mut dyn Conversation) -> bool {
    tokio::select! {
        biased;
        () = conversation.news() => true,
        () = std::future::ready(()) => false,
    }
}

/// Of messages for others nothing is heard.
#[tokio::test]
async fn what_is_written_for_it_is_news_and_nothing_else() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    subscribe(&house, &house.bob, |_| {}).await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[]).await;
    assert!(matches!(conversation.turn().await, Turn::Wait(_)));
    let at = subscribe_at(&house, &house.alice, "127.0.0.1:1", [0; 32]).await;
    house.server.outbox().stir(at);
    answered!(
        house.item(Version::NEWEST, create("", Vec::new()), &house.bob).await,
        ok
    );
    assert!(!is_told(conversation.as_mut()).await);
    house.create("", Vec::new()).await;
    assert!(is_told(conversation.as_mut()).await);
    assert!(matches!(asked(conversation.as_mut()).await, RequestPayload::Put(_)));
}

/// A full queue of what is refused is not lost at once: it takes minutes for each message.
#[tokio::test]
async fn what_is_refused_is_given_up_after_minutes() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    house.create("", Vec::new()).await;
    house.create("", Vec::new()).await;
    reversed(&house).await;
    let mut conversation = introduced(&house, &[]).await;
    let (mut sent, mut seconds) = (Vec::new(), 0);
    while sent.len() < 10 {
        match conversation.turn().await {
            Turn::Ask(request) => {
                let request = RequestMessage::read(&request).ok().unwrap();
                let Ok(RequestPayload::Put(put)) = &request.items[0].payload else {
                    panic!("no Put");
                };
                sent.push(put.unique_identifier.clone());
                assert!(conversation.heard(failure(Operation::Put)).await);
            }
            Turn::Wait(_) => {
                house.clock.advance(1);
                seconds += 1;
            }
            _ => panic!("nothing more is asked"),
        }
    }
    // Eight times the one, and then the other, which has waits of its own.
    assert!(sent[..8].iter().all(|one| *one == sent[0]) && sent[8..].iter().all(|one| *one == sent[8]));
    assert!(sent[0] != sent[8]);
    assert_eq!(seconds, 1 + 2 + 4 + 8 + 16 + 32 + 64 + 128);
}

/// Over one connection at a time: else messages would overtake each other. Over the other one once the first is through with it, or gone.
#[tokio::test]
async fn two_connections_of_a_client_do_not_carry_at_once() {
    let house = TestHouse::new().await;
    subscribe(&house, &house.alice, |_| {}).await;
    house.create("", Vec::new()).await;
    reversed(&house).await;
    let another = ConnectionFacts {
        roles: Some(Roles::default()),
        ..house.alice.clone()
    };
    answered!(
        house.item(Version::NEWEST, be(EndpointRole::Client), &another).await,
        ok
    );
    let mut first = introduced(&house, &[]).await;
    let mut second = introduced_over(&house, &another, &[]).await;
    assert!(matches!(asked(first.as_mut()).await, RequestPayload::Put(_)));
    assert!(matches!(second.turn().await, Turn::Wait(_)));
    assert!(!is_told(second.as_mut()).await);
    drop(first);
    assert!(is_told(second.as_mut()).await);
    assert!(matches!(asked(second.as_mut()).await, RequestPayload::Put(_)));
    let mut first = introduced(&house, &[]).await;
    assert!(matches!(first.turn().await, Turn::Wait(_)));
    assert!(second.heard(success(PutResponse::default())).await);
    // Nothing is left, and that both have looked tells neither to look again.
    assert!(is_told(first.as_mut()).await);
    for conversation in [&mut first, &mut second] {
        assert!(matches!(conversation.turn().await, Turn::Wait(_)));
    }
    assert!(!is_told(first.as_mut()).await && !is_told(second.as_mut()).await);
}
