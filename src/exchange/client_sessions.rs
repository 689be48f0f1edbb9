//! Sessions of clients: what a ticket counts, what it is delegated for, whose it is and when it ends.

use super::ConnectionFacts;
use super::asynchronous::correlation;
use super::members::{password, ticket};
use super::office::{Office, answered};
use super::testing::{create, named};
use crate::failure::Fault;
use kmip_protocol::{
    AsynchronousIndicator, Authentication, CancelRequest, ClientModifyRequest, ClientPassword, ClientSettings,
    Credential, DateTime, DelegatedLoginRequest, EndpointRole, GetAttributesRequest, GetConstraintsRequest, GetRequest,
    Interval, LocateRequest, LoginRequest, LogoutRequest, Objects, Operation, Operations, PollRequest, ProcessRequest,
    QueryAsynchronousRequestsRequest, QueryFunction, QueryRequest, RNGRetrieveRequest, Request, RequestMessage,
    ResponseItem, ResponsePayload, Right, Rights, SecretText, SetConstraintsRequest, SetDefaultsRequest,
    SetEndpointRoleRequest, Ticket, TicketLease, TicketType, UniqueIdentifier, UsageLimits, Version,
};

struct Desk {
    office: Office,
    client: ConnectionFacts,
}

fn query() -> QueryRequest {
    QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    }
}

fn get(name: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(name.into())),
        ..GetRequest::default()
    }
}

fn right(operations: &[Operation], object: Option<&str>) -> Right {
    Right {
        usage_limits: None,
        operations: Some(Operations {
            operations: operations.to_vec(),
        }),
        objects: object.map(|name| Objects {
            unique_identifiers: vec![UniqueIdentifier::Text(name.into())],
        }),
        object_groups: None,
    }
}

fn delegated(rights: Vec<Right>) -> DelegatedLoginRequest {
    DelegatedLoginRequest {
        lease_time: Some(TicketLease::For(Interval(0))),
        request_count: None,
        usage_limits: None,
        rights: Rights { rights },
    }
}

fn limits() -> UsageLimits {
    UsageLimits {
        usage_limits_total: Some(1),
        usage_limits_count: None,
        usage_limits_unit: None,
    }
}

fn given(item: ResponseItem) -> Ticket {
    match answered!(item, ok).payload {
        Some(ResponsePayload::Login(given)) => given.ticket,
        Some(ResponsePayload::DelegatedLogin(given)) => given.ticket,
        _ => panic!("no ticket"),
    }
}

fn made(item: ResponseItem) -> String {
    match answered!(item, ok).payload {
        Some(ResponsePayload::Create(made)) => made.unique_identifier,
        _ => panic!("nothing made"),
    }
}

impl Desk {
    async fn open() -> Self {
        let office = Office::open().await;
        office.issuer().await;
        let client = office.connected("client", None, ClientSettings::default()).await;
        Self { office, client }
    }

    async fn show<R: Request>(&self, request: R, credentials: Vec<Credential>) -> ResponseItem {
        self.show_as(&self.client, request, credentials, false).await
    }

    async fn show_as<R: Request>(
        &self,
        facts: &ConnectionFacts,
        request: R,
        credentials: Vec<Credential>,
        later: bool,
    ) -> ResponseItem {
        let mut message = RequestMessage::single(Version::NEWEST, request);
        message.header.authentication = (!credentials.is_empty()).then_some(Authentication { credentials });
        if later {
            message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
        }
        let mut answer = self.office.house.message(&message, facts).await;
        answer.items.remove(0)
    }

    async fn change(&self, password: Option<&str>) {
        let request = ClientModifyRequest {
            client_name: "client".into(),
            new_name: None,
            settings: None,
            credentials: Vec::new(),
            password: password.map(|text| ClientPassword {
                username: "fred".into(),
                password: SecretText::new(text),
            }),
            user: None,
        };
        answered!(self.office.act(request).await, ok);
    }
}

#[tokio::test]
async fn a_ticket_counts_its_requests_and_ends_with_logout_or_its_time() {
    let desk = Desk::open().await;
    let login = LoginRequest {
        lease_time: Some(TicketLease::For(Interval(0))),
        request_count: Some(2),
        usage_limits: None,
    };
    let one = given(desk.show(login.clone(), vec![]).await);
    answered!(desk.show(query(), vec![ticket(&one)]).await, ok);
    answered!(desk.show(create("x", vec![]), vec![ticket(&one)]).await, ok);
    answered!(desk.show(query(), vec![ticket(&one)]).await, TicketUsed);
    // Without it the certificate is who it was.
    answered!(desk.show(query(), vec![]).await, ok);

    let second = given(desk.show(login, vec![]).await);
    let logout = LogoutRequest { ticket: second.clone() };
    answered!(desk.show(logout.clone(), vec![ticket(&second)]).await, ok);
    answered!(desk.show(query(), vec![ticket(&second)]).await, InvalidTicket);
    answered!(desk.show(logout, vec![]).await, InvalidTicket);

    let short = LoginRequest {
        lease_time: Some(TicketLease::For(Interval(60))),
        ..LoginRequest::default()
    };
    let third = given(desk.show(short, vec![]).await);
    desk.office.house.clock.advance(59);
    answered!(desk.show(query(), vec![ticket(&third)]).await, ok);
    desk.office.house.clock.advance(2);
    answered!(desk.show(query(), vec![ticket(&third)]).await, InvalidTicket);
}

/// Lease Time is an Interval or a Date Time (KMIP 2.1 §6.1.30).
#[tokio::test]
async fn a_ticket_may_be_asked_for_up_to_a_moment() {
    let desk = Desk::open().await;
    let house = &desk.office.house;
    let until = |end: i64| LoginRequest {
        lease_time: Some(TicketLease::Until(DateTime(end))),
        ..LoginRequest::default()
    };
    let now = house.clock_seconds();
    for over in [now, now - 1, i64::MIN] {
        answered!(desk.show(until(over), vec![]).await, InvalidField);
    }
    let short = given(desk.show(until(now + 60), vec![]).await);
    let long = given(desk.show(until(i64::MAX), vec![]).await);
    house.clock.advance(60);
    answered!(desk.show(query(), vec![ticket(&short)]).await, ok);
    house.clock.advance(1);
    answered!(desk.show(query(), vec![ticket(&short)]).await, InvalidTicket);
    // No ticket holds for longer than any may.
    house.clock.advance(4 * 3_600 - 61);
    answered!(desk.show(query(), vec![ticket(&long)]).await, ok);
    house.clock.advance(1);
    answered!(desk.show(query(), vec![ticket(&long)]).await, InvalidTicket);
}

#[tokio::test]
async fn a_ticket_of_another_type_is_none() {
    let desk = Desk::open().await;
    let one = given(desk.show(LoginRequest::default(), vec![]).await);
    let odd = Ticket {
        ticket_type: TicketType(0x8000_0001),
        ..one.clone()
    };
    answered!(desk.show(query(), vec![ticket(&odd)]).await, InvalidTicket);
    let logout = LogoutRequest { ticket: odd };
    answered!(desk.show(logout, vec![]).await, InvalidTicket);
    answered!(desk.show(query(), vec![ticket(&one)]).await, ok);
}

/// "If multiple Credential structures are provided then they must ALL be satisfied" (KMIP 2.1 §9.4).
#[tokio::test]
async fn a_password_beside_a_ticket_is_judged_too() {
    let desk = Desk::open().await;
    desk.change(Some("correct horse battery 47")).await;
    let right = || password("fred", "correct horse battery 47");
    let one = given(desk.show(LoginRequest::default(), vec![right()]).await);
    answered!(desk.show(query(), vec![ticket(&one), right()]).await, ok);
    answered!(desk.show(query(), vec![right(), ticket(&one)]).await, ok);
    for wrong in [
        password("fred", "wrong"),
        password("barney", "correct horse battery 47"),
    ] {
        answered!(desk.show(query(), vec![ticket(&one), wrong]).await, CredentialRefused);
    }
    answered!(
        desk.show(query(), vec![ticket(&one), right(), right()]).await,
        CredentialRefused
    );
    let mut odd = one.clone();
    odd.ticket_value = kmip_ttlv::Secret::new(vec![0; 32]);
    answered!(desk.show(query(), vec![right(), ticket(&odd)]).await, InvalidTicket);
    // Guesses beside a ticket count as any.
    for _ in 0..3 {
        let wrong = password("fred", "wrong");
        answered!(desk.show(query(), vec![ticket(&one), wrong]).await, CredentialRefused);
    }
    answered!(desk.show(query(), vec![ticket(&one), right()]).await, CredentialRefused);
    answered!(desk.show(query(), vec![ticket(&one)]).await, ok);
}

#[tokio::test]
async fn a_ticket_is_one_clients_as_its_record_stood() {
    let desk = Desk::open().await;
    let other = desk.office.connected("other", None, ClientSettings::default()).await;
    let one = given(desk.show(LoginRequest::default(), vec![]).await);
    answered!(
        desk.show_as(&other, query(), vec![ticket(&one)], false).await,
        InvalidTicket
    );
    let logout = LogoutRequest { ticket: one.clone() };
    answered!(desk.show_as(&other, logout, vec![], false).await, InvalidTicket);
    answered!(
        desk.show(query(), vec![ticket(&one), ticket(&one)]).await,
        CredentialRefused
    );
    answered!(desk.show(query(), vec![ticket(&one)]).await, ok);
    desk.change(Some("correct horse battery 47")).await;
    answered!(desk.show(query(), vec![ticket(&one)]).await, InvalidTicket);
}

#[tokio::test]
async fn a_ticket_stands_for_the_password_that_was_shown_for_it() {
    let desk = Desk::open().await;
    desk.change(Some("correct horse battery 47")).await;
    answered!(desk.show(LoginRequest::default(), vec![]).await, CredentialRefused);
    let right = password("fred", "correct horse battery 47");
    let one = given(desk.show(LoginRequest::default(), vec![right]).await);
    answered!(desk.show(create("x", vec![]), vec![ticket(&one)]).await, ok);
    answered!(desk.show(create("y", vec![]), vec![]).await, CredentialRefused);
}

#[tokio::test]
async fn a_delegated_ticket_permits_its_rights_and_nothing_else() {
    let desk = Desk::open().await;
    let [one, other] = [
        made(desk.show(create("one", vec![]), vec![]).await),
        made(desk.show(create("other", vec![named("second")]), vec![]).await),
    ];
    let rights = vec![
        right(&[Operation::Query, Operation::Locate], None),
        right(&[Operation::GetAttributes, Operation::Create], Some(&one)),
    ];
    let with = given(desk.show(delegated(rights), vec![]).await);
    let ask = || vec![ticket(&with)];
    let attributes = |name: &str| GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(name.into())),
        references: Vec::new(),
    };
    answered!(desk.show(attributes(&one), ask()).await, ok);
    answered!(desk.show(attributes(&other), ask()).await, RightsRefused);
    answered!(desk.show(get(&one), ask()).await, RightsRefused);
    answered!(desk.show(create("third", vec![]), ask()).await, RightsRefused);
    answered!(desk.show(LocateRequest::default(), ask()).await, ok);
    // It is no step to more, and not carried beyond its message.
    answered!(desk.show(LoginRequest::default(), ask()).await, RightsRefused);
    let all = delegated(vec![right(&[Operation::Get], None)]);
    answered!(desk.show(all.clone(), ask()).await, RightsRefused);
    let later = desk.show_as(&desk.client, attributes(&one), ask(), true).await;
    answered!(later, RightsRefused);
    let onward = given(
        desk.show(
            delegated(vec![right(&[Operation::DelegatedLogin, Operation::Login], None)]),
            vec![],
        )
        .await,
    );
    answered!(desk.show(all, vec![ticket(&onward)]).await, RightsRefused);
    answered!(
        desk.show(LoginRequest::default(), vec![ticket(&onward)]).await,
        RightsRefused
    );
    let item = answered!(desk.show(query(), ask()).await, ok);
    let Some(ResponsePayload::Query(told)) = item.payload else {
        panic!("no answer")
    };
    let mut operations = told.operations.clone();
    operations.sort_by_key(|operation| operation.0);
    let permitted = [
        Operation::Create,
        Operation::Locate,
        Operation::GetAttributes,
        Operation::Query,
    ];
    assert_eq!(operations, permitted);
}

/// What a client has submitted, and what concerns no object at all, is not for a ticket that is confined to objects.
#[tokio::test]
async fn a_delegated_ticket_reaches_nothing_else_of_its_client() {
    let desk = Desk::open().await;
    let one = made(desk.show(create("one", vec![]), vec![]).await);
    let later = desk.show_as(&desk.client, create("later", vec![]), vec![], true).await;
    let value = correlation(&later);
    let every = |object| Right {
        operations: None,
        ..right(&[], object)
    };
    let confined = given(desk.show(delegated(vec![every(Some(one.as_str()))]), vec![]).await);
    let free = given(desk.show(delegated(vec![every(None)]), vec![]).await);
    for with in [&confined, &free] {
        let be_asked = SetEndpointRoleRequest {
            endpoint_role: EndpointRole::Client,
        };
        answered!(desk.show(be_asked, vec![ticket(with)]).await, RightsRefused);
        let poll = PollRequest {
            asynchronous_correlation_value: value.clone(),
        };
        answered!(desk.show(poll, vec![ticket(with)]).await, RightsRefused);
        let process = ProcessRequest {
            asynchronous_correlation_value: value.clone(),
        };
        answered!(desk.show(process, vec![ticket(with)]).await, RightsRefused);
        let cancel = CancelRequest {
            asynchronous_correlation_value: value.clone(),
        };
        answered!(desk.show(cancel, vec![ticket(with)]).await, RightsRefused);
        let all = QueryAsynchronousRequestsRequest::default();
        answered!(desk.show(all, vec![ticket(with)]).await, RightsRefused);
        answered!(desk.show(get(&one), vec![ticket(with)]).await, ok);
    }
    for (with, is_free) in [(&confined, false), (&free, true)] {
        let told = [
            desk.show(query(), vec![ticket(with)]).await,
            desk.show(RNGRetrieveRequest { data_length: 8 }, vec![ticket(with)])
                .await,
            desk.show(SetDefaultsRequest::default(), vec![ticket(with)]).await,
            desk.show(SetConstraintsRequest::default(), vec![ticket(with)]).await,
            desk.show(GetConstraintsRequest::default(), vec![ticket(with)]).await,
        ];
        for (place, item) in told.into_iter().enumerate() {
            let refused = item.result_message.as_deref() == Some(Fault::RightsRefused.message());
            assert_eq!(refused, !is_free, "{place} {:?}", item.result_message);
        }
    }
    // It is there as it was, for the client.
    let poll = PollRequest {
        asynchronous_correlation_value: value,
    };
    assert!(!made(desk.show(poll, vec![]).await).is_empty());
}

#[tokio::test]
async fn an_attestation_that_nobody_judges_is_refused() {
    let desk = Desk::open().await;
    let attestation = Credential::Attestation(kmip_protocol::Attestation {
        nonce: kmip_protocol::Nonce {
            nonce_id: vec![1],
            nonce_value: vec![2],
        },
        attestation_type: kmip_protocol::AttestationType::TPMQuote,
        attestation_measurement: Some(vec![3]),
        attestation_assertion: None,
    });
    answered!(desk.show(query(), vec![attestation]).await, AttestationFailed);
}

#[tokio::test]
async fn what_is_not_kept_of_rights_is_not_promised() {
    let desk = Desk::open().await;
    let mut limited = right(&[Operation::Get], None);
    limited.usage_limits = Some(limits());
    answered!(desk.show(delegated(vec![limited]), vec![]).await, FeatureNotSupported);
    answered!(desk.show(delegated(vec![]), vec![]).await, InvalidField);
    let limited = LoginRequest {
        usage_limits: Some(limits()),
        ..LoginRequest::default()
    };
    answered!(desk.show(limited, vec![]).await, FeatureNotSupported);
    let negative = LoginRequest {
        request_count: Some(-1),
        ..LoginRequest::default()
    };
    answered!(desk.show(negative, vec![]).await, InvalidField);
}
