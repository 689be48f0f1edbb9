//! Strict separation: every operation that is carried out, with what belongs to the other tenant and with what never existed. The
//! answers are the same byte for byte, and so is the number of questions to the store.

use super::batch::Run;
use super::testing::{TestHouse, create};
use crate::administration::login::Verified;
use crate::identity::{Principal, Sessions};
use crate::operations::CARRIED_OUT;
use kmip_protocol::{
    Item, Operation, PersonRole, RequestItem, RequestMessage, RequestPayload, ResponseItem, ResponsePayload,
    ResultReason, ResultStatus, Version, tag,
};
use kmip_ttlv::{Reader, Secret, Tag, Writer};

/// The fields by which something is named; in the order in which payloads have them, so that those with two can be read.
const NAMED_BY: &[&[Tag]] = &[
    &[tag::UNIQUE_IDENTIFIER],
    &[tag::TENANT_NAME],
    &[tag::CLIENT_NAME],
    &[tag::APPLICATION_NAME],
    &[tag::CLIENT_NAME, tag::APPLICATION_NAME],
    &[tag::AUTHORITY_NAME],
    &[tag::PERSON_NAME],
    &[tag::GROUP_NAME],
    &[tag::APPLICATION_NAMESPACE],
];

/// A request that names something in these fields and says nothing else.
fn naming(operation: Operation, fields: &[Tag], name: &str) -> RequestMessage {
    let mut items = Writer::new();
    fields.iter().for_each(|field| items.text(*field, name));
    let payload = RequestPayload::Unknown {
        operation,
        items: Secret::new(items.into_bytes()),
    };
    let mut writer = Writer::new();
    let header = kmip_protocol::RequestHeader::new(Version::NEWEST, 1);
    let items = vec![RequestItem::new(payload)];
    RequestMessage { header, items }.write(&mut writer);
    RequestMessage::read(writer.as_bytes()).ok().unwrap()
}

/// The answer's items and how many questions went to the store. Nothing is committed.
async fn ask(house: &TestHouse, who: &Principal, message: &RequestMessage) -> (Vec<u8>, u64) {
    let sessions = Sessions::default();
    let mut run = Run::new(house.server.services(), &sessions, who, message, &house.alice, 0);
    let outcome = run.all(&mut Verified::default()).await;
    (outcome.items.as_bytes().to_vec(), run.into_work().reads())
}

/// How an answer's one item came out.
fn outcome(items: &[u8]) -> (ResultStatus, Option<ResultReason>) {
    let mut reader = Reader::new(items);
    let item = ResponseItem::read_item(&mut reader, tag::BATCH_ITEM, Version::NEWEST).unwrap();
    (item.result_status, item.result_reason)
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let house = TestHouse::new().await;
    let item = house
        .item(Version::NEWEST, create("theirs", Vec::new()), &house.bob)
        .await;
    assert_eq!(item.result_status, ResultStatus::Success);
    let Some(ResponsePayload::Create(theirs)) = item.payload else {
        panic!()
    };
    let theirs = theirs.unique_identifier;
    let now = house.now_ms() / 1000;
    let client = house
        .server
        .identity()
        .resolve(&house.alice.certificate, now)
        .await
        .unwrap();
    let tenant = client.domain().unwrap();
    let operator = house.known(tenant, PersonRole::Operator);
    let random = "0badc0de-0000-4000-8000-000000000000";
    assert_eq!(random.len(), theirs.len());
    let mut readable = 0;
    for who in [&client, &operator] {
        // The first request of a tenant looks its policy up; the next ones remember it.
        ask(&house, who, &naming(Operation::Get, NAMED_BY[0], random)).await;
        ask(&house, who, &naming(Operation::PersonDelete, NAMED_BY[1], "eve")).await;
        for operation in CARRIED_OUT.iter().copied() {
            for fields in NAMED_BY {
                // `bob` is the name of the other tenant, of its client, its application and its authority.
                let (foreign, unknown) = match *fields {
                    [tag::UNIQUE_IDENTIFIER] => (theirs.as_str(), random),
                    _ => ("bob", "eve"),
                };
                let message = naming(operation, fields, foreign);
                readable += usize::from(message.items[0].payload.is_ok());
                let there = ask(&house, who, &message).await;
                let nowhere = ask(&house, who, &naming(operation, fields, unknown)).await;
                assert_eq!(there.1, nowhere.1, "{operation} {fields:?}");
                if operation == Operation::AuthorityCreate {
                    // Makes a new authority, whatever others call theirs: its answer has a new key in it each time.
                    assert_eq!(outcome(&there.0), outcome(&nowhere.0), "{operation} {fields:?}");
                } else {
                    assert_eq!(there.0, nowhere.0, "{operation} {fields:?}");
                }
            }
        }
    }
    assert!(readable > 60, "{readable} requests could be read");
    // The canary: what is its own is told apart.
    let own = house.create("mine", Vec::new()).await;
    let mine = ask(&house, &client, &naming(Operation::Get, NAMED_BY[0], &own)).await;
    assert_ne!(
        mine,
        ask(&house, &client, &naming(Operation::Get, NAMED_BY[0], random)).await
    );
}
