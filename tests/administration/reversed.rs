//! Messages that come over the client's own connection, which the client has the server ask over (KMIP 2.1 §6.1.54).

use super::client::Application;
use super::office::{Office, value, words};
use kmip_protocol::{
    EndpointRole, Operation, PutRequest, PutResponse, RequestPayload, SetEndpointRoleResponse, UniqueIdentifier,
};

/// A tenant with the client web, whose own connection is an endpoint.
fn office() -> (Office, Application) {
    let office = Office::with_tenant();
    let web = Application::of(&office, "olga", "house");
    office.by("olga", &words("endpoint create mine --client web")).done();
    (office, web)
}

fn waiting(office: &Office) -> String {
    value(
        &office.by("olga", &words("endpoint show mine")).done(),
        "MessagesWaiting",
    )
}

/// The Put of this key that the server asks for next.
#[track_caller]
fn put(web: &mut Application, key: &str) -> PutRequest {
    let RequestPayload::Put(put) = web.asked() else {
        panic!("no Put")
    };
    assert!(put.unique_identifier == UniqueIdentifier::Text(key.to_owned()));
    put
}

#[test]
fn what_waits_comes_over_the_clients_own_connection_which_is_then_its_own_again() {
    let (office, mut web) = office();
    let key = web.create().unwrap();
    assert_eq!(waiting(&office), "1");
    web.be_asked(&[Operation::Put, Operation::SetEndpointRole]);
    let sent = put(&mut web, &key);
    web.answer(PutResponse::default());
    let RequestPayload::SetEndpointRole(back) = web.asked() else {
        panic!("it goes on")
    };
    let endpoint_role = EndpointRole::Client;
    assert_eq!(back.endpoint_role, endpoint_role);
    assert_eq!(waiting(&office), "0");
    web.answer(SetEndpointRoleResponse { endpoint_role });
    assert!(web.object(&key).unwrap() == sent.object, "the key itself was sent");
}

/// At least once: what was sent and not answered is sent again. A client that cannot be given its role back is sent what comes, when it comes.
#[test]
fn what_was_not_answered_comes_again_over_the_next_connection() {
    let (office, mut web) = office();
    let key = web.create().unwrap();
    web.be_asked(&[Operation::Put]);
    put(&mut web, &key);
    drop(web);
    let connect = || Application::connect(&office, "web.pem", "web-key.pem");
    let mut again = connect();
    again.be_asked(&[Operation::Put]);
    put(&mut again, &key);
    assert_eq!(waiting(&office), "1");
    again.answer(PutResponse::default());
    let later = connect().create().unwrap();
    put(&mut again, &later);
    again.answer(PutResponse::default());
}
