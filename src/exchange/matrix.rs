//! Every role and session against every operation, through the exchange, compared with the table of permissions cell by cell.

use super::admission::Admission;
use super::batch::Run;
use super::testing::{BEGIN, TestHouse};
use crate::administration::login::Verified;
use crate::authority::permission::{Needed, PERMISSIONS, Who};
use crate::failure::Fault;
use crate::identity::{
    Identity, PersonPrincipal, Principal, Session, Sessions, StoreDirectory, UnregisteredCertificate,
};
use crate::operations::keeper::Keeper;
use crate::store::Domain;
use kmip_protocol::{
    Item, Operation, PersonRole, QueryFunction, QueryRequest, RequestItem, RequestMessage, RequestPayload,
    ResponseHeader, ResponseItem, ResponseMessage, ResponsePayload, ResultStatus, Version, tag,
};
use kmip_ttlv::{Secret, Writer};
use std::sync::Arc;

/// Everybody there is: who, how far authenticated, and the principal.
fn everybody(tenant: Domain, client: Principal) -> Vec<(Who, Needed, Principal)> {
    let stranger = Principal::Unregistered(Arc::new(UnregisteredCertificate { fingerprint: [7; 32] }));
    let mut everybody = vec![
        (Who::CLIENT, Needed::Full, client),
        (Who::STRANGER, Needed::Certificate, stranger),
    ];
    for role in PersonRole::ALL.iter().copied() {
        let domain = match role {
            PersonRole::Administrator | PersonRole::SystemAuditor => Domain::SYSTEM,
            _ => tenant,
        };
        for (needed, session) in [
            (Needed::Certificate, Session::Certificate),
            (Needed::Initial, Session::Initial([5; 16])),
            (Needed::Full, Session::Full([5; 16])),
        ] {
            let person = Principal::Person(Arc::new(PersonPrincipal {
                domain,
                person: [6; 16],
                name: "somebody".into(),
                role,
                key_fingerprint: [8; 32],
                hardware: false,
                session,
                seen: None,
                tenant_seen: None,
                migration_required: false,
                ticket_seen: None,
            }));
            everybody.push((Who::of_role(role), needed, person));
        }
    }
    everybody
}

/// The first tenant's client.
async fn client(house: &TestHouse) -> Principal {
    let services = house.server.services();
    let keeper = Arc::new(Keeper(Arc::clone(&services.custody)));
    let directory = StoreDirectory::new(Arc::clone(&services.store), keeper);
    let identity = Identity::open(Arc::new(directory)).await.unwrap();
    identity.resolve(&house.alice.certificate, BEGIN).await.unwrap()
}

async fn answer(house: &TestHouse, principal: &Principal, message: &RequestMessage) -> ResponseItem {
    let sessions = Sessions::default();
    let admission = Admission::default();
    let mut run = Run::new(
        house.server.services(),
        &sessions,
        principal,
        message,
        &house.alice,
        &admission,
        0,
    );
    let outcome = run.all(&mut Verified::default()).await;
    let mut writer = Writer::new();
    writer.structure(tag::RESPONSE_MESSAGE, |writer| {
        let header = ResponseHeader::new(Version::NEWEST, kmip_protocol::DateTime(0), 1);
        header.write_item(writer, tag::RESPONSE_HEADER, Version::NEWEST);
        writer.raw(outcome.items.as_bytes());
    });
    ResponseMessage::read(writer.as_bytes()).unwrap().items.remove(0)
}

/// A request as it comes from the wire, with nothing in its payload: whoever may not ask is told so before anything else.
fn empty(operation: Operation) -> RequestMessage {
    let payload = RequestPayload::Unknown {
        operation,
        items: Secret::new(Vec::new()),
    };
    let mut writer = Writer::new();
    let header = kmip_protocol::RequestHeader::new(Version::NEWEST, 1);
    let items = vec![RequestItem::new(payload)];
    RequestMessage { header, items }.write(&mut writer);
    RequestMessage::read(writer.as_bytes()).ok().unwrap()
}

/// What the table says of a cell: `None` if it permits.
fn told(who: Who, session: Needed, operation: Operation) -> Option<Fault> {
    let row = PERMISSIONS.iter().find(|row| row.operation == operation).unwrap();
    let may = row.who.meets(who);
    match (who, session) {
        _ if may && session >= row.session => None,
        (Who::STRANGER, _) => Some(Fault::NotAuthenticated),
        (_, Needed::Certificate) => Some(Fault::LoginRequired),
        _ if may => Some(Fault::PasswordChangeRequired),
        _ => Some(Fault::PermissionDenied),
    }
}

#[tokio::test]
async fn each_cell_of_the_table_holds() {
    let house = TestHouse::new().await;
    let client = client(&house).await;
    let tenant = client.domain().unwrap();
    let refusals = [
        Fault::NotAuthenticated,
        Fault::LoginRequired,
        Fault::PasswordChangeRequired,
        Fault::PermissionDenied,
    ];
    let (mut permitted, mut denied) = (0, 0);
    for (who, session, principal) in everybody(tenant, client) {
        for operation in kmip_protocol::OPERATIONS.iter().copied() {
            let item = answer(&house, &principal, &empty(operation)).await;
            let cell = format!("{who:?} {session:?} {operation}");
            match told(who, session, operation) {
                Some(fault) => {
                    denied += 1;
                    assert_eq!(item.result_status, ResultStatus::OperationFailed, "{cell}");
                    assert_eq!(item.result_reason, Some(fault.reason(Version::NEWEST)), "{cell}");
                    assert_eq!(item.result_message.as_deref(), Some(fault.message()), "{cell}");
                }
                None => {
                    permitted += 1;
                    let message = item.result_message.as_deref();
                    assert!(
                        refusals.iter().all(|f| message != Some(f.message())),
                        "{cell}: {message:?}"
                    );
                }
            }
        }
    }
    assert!(permitted > 100 && denied > 1000, "{permitted} {denied}");
}

#[tokio::test]
async fn query_tells_exactly_what_one_may_use() {
    let mut house = TestHouse::new().await;
    house.server.about().interop = true;
    let client = client(&house).await;
    let tenant = client.domain().unwrap();
    for (who, session, principal) in everybody(tenant, client) {
        let request = QueryRequest {
            query_functions: vec![QueryFunction::QueryOperations],
            object_groups: None,
        };
        let item = answer(&house, &principal, &RequestMessage::single(Version::NEWEST, request)).await;
        let Some(ResponsePayload::Query(response)) = item.payload else {
            panic!("no answer")
        };
        let expected: Vec<Operation> = crate::operations::CARRIED_OUT
            .iter()
            .copied()
            .filter(|operation| told(who, session, *operation).is_none())
            .collect();
        assert_eq!(response.operations, expected, "{who:?} {session:?}");
        let vendor = response.operations.iter().any(|o| o.0 >= 0x8000_0000);
        assert!(!vendor || !matches!(who, Who::CLIENT | Who::STRANGER));
    }
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_not_supported() {
    let house = TestHouse::new().await;
    let client = client(&house).await;
    let item = answer(&house, &client, &empty(Operation(0x8001_7F01))).await;
    assert_eq!(
        item.result_message.as_deref(),
        Some(Fault::OperationNotSupported.message())
    );
}
