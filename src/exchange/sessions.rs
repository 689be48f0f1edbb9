//! How people get in, and how they do not: certificates, passwords, one-time passwords, tickets, lock-outs.

use super::members::{Member, certificate, given, password, ticket};
use super::testing::{TestHouse, create, facts};
use crate::administration::login::{self, Scene, Shown, Verified};
use crate::audit::alarm::Event;
use crate::failure::Fault;
use crate::identity::{OneTimeRecord, PersonKey, Principal, one_time};
use crate::operations::Batch;
use crate::store::{CommitError, Domain, Work};
use kmip_protocol::{
    Credential, Interval, LoginRequest, LogoutRequest, PersonListRequest, PersonRole, PersonStatus, QueryFunction,
    QueryRequest, ResponseItem, ResultReason, ResultStatus, SecretText, Ticket, TicketLease, TicketType, UsageLimits,
    Version,
};
use kmip_ttlv::Secret;
use std::sync::Arc;

fn refused(item: &ResponseItem, fault: Fault) -> bool {
    item.result_message.as_deref() == Some(fault.message())
        && item.result_reason == Some(fault.reason(Version::NEWEST))
        && item.result_status == ResultStatus::OperationFailed
}

fn query() -> QueryRequest {
    QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    }
}

async fn operator(house: &TestHouse) -> Member {
    house.person(house.tenant, "olga", PersonRole::Operator).await
}

/// Whether a ticket opens what needs both factors.
async fn opens(house: &TestHouse, who: &Member, with: &Ticket) -> Result<(), Fault> {
    let item = house.ask(PersonListRequest::default(), who, vec![ticket(with)]).await;
    for fault in [
        Fault::InvalidTicket,
        Fault::LoginRequired,
        Fault::PasswordChangeRequired,
        Fault::NotAuthenticated,
    ] {
        if refused(&item, fault) {
            return Err(fault);
        }
    }
    Ok(())
}

async fn log_in(house: &TestHouse, who: &Member, credential: Credential) -> ResponseItem {
    house.ask(LoginRequest::default(), who, vec![credential]).await
}

#[tokio::test]
async fn a_certificate_alone_reaches_login_and_nothing_else() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let item = house.ask(query(), &olga, vec![]).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    let item = house.ask(PersonListRequest::default(), &olga, vec![]).await;
    assert!(refused(&item, Fault::LoginRequired));
    let item = house.ask(create("x", vec![]), &olga, vec![]).await;
    assert_eq!(item.result_status, ResultStatus::OperationFailed);
    let item = house.ask(LoginRequest::default(), &olga, vec![]).await;
    assert!(refused(&item, Fault::CredentialRefused));
    let with = house.login(&olga).await;
    assert_eq!(with.ticket_type, TicketType::Login);
    assert_eq!(with.ticket_value.len(), 32);
    assert_eq!(opens(&house, &olga, &with).await, Ok(()));
    // People touch no client's keys, logged in or not.
    let item = house.ask(create("x", vec![]), &olga, vec![ticket(&with)]).await;
    assert!(refused(&item, Fault::PermissionDenied));
    // The password of a session is for Login: it opens nothing by itself.
    let item = house
        .ask(PersonListRequest::default(), &olga, vec![olga.password()])
        .await;
    assert!(refused(&item, Fault::LoginRequired));
}

#[tokio::test]
async fn whoever_is_suspended_or_deleted_is_refused_at_the_next_request() {
    let house = TestHouse::new().await;
    for status in [PersonStatus::Suspended, PersonStatus::Deleted] {
        let name = format!("p{}", status.0);
        let who = house.person(house.tenant, &name, PersonRole::Operator).await;
        let with = house.login(&who).await;
        assert_eq!(opens(&house, &who, &with).await, Ok(()));
        let mut record = house.record(who.id).await;
        record.status = status;
        house.put(who.id, &record).await;
        assert_eq!(opens(&house, &who, &with).await, Err(Fault::NotAuthenticated));
    }
    // A revoked key, on the connection that it opened.
    let olga = operator(&house).await;
    let with = house.login(&olga).await;
    let mut record = house.record(olga.id).await;
    record.credentials[0].revoked_ms = Some(house.now_ms());
    house.put(olga.id, &record).await;
    assert_eq!(opens(&house, &olga, &with).await, Err(Fault::NotAuthenticated));
}

#[tokio::test]
async fn a_ticket_runs_out_after_four_hours_and_when_it_is_not_used() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let with = house.login(&olga).await;
    for _ in 0..16 {
        house.clock.advance(15 * 60);
        assert_eq!(opens(&house, &olga, &with).await, Ok(()));
    }
    // Four hours to the second, and one more.
    house.clock.advance(1);
    assert_eq!(opens(&house, &olga, &with).await, Err(Fault::InvalidTicket));
    let with = house.login(&olga).await;
    house.clock.advance(15 * 60 + 1);
    assert_eq!(opens(&house, &olga, &with).await, Err(Fault::InvalidTicket));
    // A longer lease is cut, a shorter one holds.
    for (lease, held) in [(u32::MAX, 15 * 60), (60, 60)] {
        let request = LoginRequest {
            lease_time: Some(TicketLease::For(Interval(lease))),
            ..LoginRequest::default()
        };
        let with = given(house.ask(request, &olga, vec![olga.password()]).await);
        house.clock.advance(held);
        assert_eq!(opens(&house, &olga, &with).await, Ok(()));
        house.clock.advance(if lease == 60 { 1 } else { 4 * 3600 });
        assert_eq!(opens(&house, &olga, &with).await, Err(Fault::InvalidTicket));
    }
}

#[tokio::test]
async fn a_ticket_is_bound_to_its_person_and_its_key() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let otto = house.person(house.tenant, "otto", PersonRole::Operator).await;
    let root = house.person(Domain::SYSTEM, "olga", PersonRole::Administrator).await;
    let with = house.login(&olga).await;
    for other in [&otto, &root] {
        assert_eq!(opens(&house, other, &with).await, Err(Fault::InvalidTicket));
    }
    // Another certificate of the same person.
    let (der, _) = certificate("olga");
    let second = Member {
        facts: facts(vec![der.clone()]),
        name: olga.name.clone(),
        password: olga.password.clone(),
        id: olga.id,
    };
    let mut record = house.record(olga.id).await;
    record.credentials.push(PersonKey {
        fingerprint: *second.facts.certificate.key_fingerprint(),
        certificate: der,
        ..record.credentials[0].clone()
    });
    house.put(olga.id, &record).await;
    assert_eq!(opens(&house, &second, &with).await, Err(Fault::InvalidTicket));
    assert_eq!(opens(&house, &olga, &with).await, Ok(()));
    let mine = house.login(&second).await;
    assert_eq!(opens(&house, &second, &mine).await, Ok(()));
    // Whatever is no ticket.
    for (ticket_type, value) in [
        (TicketType::Login, vec![0; 32]),
        (TicketType::Login, vec![]),
        (TicketType(9), vec![1]),
    ] {
        let wrong = Ticket {
            ticket_type,
            ticket_value: Secret::new(value),
        };
        assert_eq!(opens(&house, &olga, &wrong).await, Err(Fault::InvalidTicket));
    }
    // A person's is no client's, nor anybody's who is not registered.
    let item = house.ask_over(query(), &house.alice, vec![ticket(&with)]).await;
    assert!(refused(&item, Fault::InvalidTicket));
    let item = house.ask_over(query(), &house.stranger, vec![ticket(&with)]).await;
    assert!(refused(&item, Fault::CredentialRefused));
    // A password in another's name is refused wherever it stands.
    let item = house.ask(query(), &olga, vec![ticket(&with), otto.password()]).await;
    assert!(refused(&item, Fault::CredentialRefused));
}

#[tokio::test]
async fn logout_ends_a_session_and_a_count_of_requests_does() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let otto = house.person(house.tenant, "otto", PersonRole::Operator).await;
    let (with, other) = (house.login(&olga).await, house.login(&olga).await);
    let logout = |ticket: &Ticket| LogoutRequest { ticket: ticket.clone() };
    // Nobody ends another's.
    let his = house.login(&otto).await;
    let item = house.ask(logout(&with), &otto, vec![ticket(&his)]).await;
    assert!(refused(&item, Fault::InvalidTicket));
    assert_eq!(opens(&house, &olga, &with).await, Ok(()));
    let item = house.ask(logout(&with), &olga, vec![ticket(&with)]).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    assert_eq!(opens(&house, &olga, &with).await, Err(Fault::InvalidTicket));
    assert_eq!(opens(&house, &olga, &other).await, Ok(()));
    let request = LoginRequest {
        request_count: Some(2),
        ..LoginRequest::default()
    };
    let with = given(house.ask(request, &olga, vec![olga.password()]).await);
    for expected in [Ok(()), Ok(()), Err(Fault::InvalidTicket)] {
        assert_eq!(opens(&house, &olga, &with).await, expected);
    }
    // What is not kept is not promised.
    let limits = Some(UsageLimits {
        usage_limits_total: Some(1),
        usage_limits_count: None,
        usage_limits_unit: None,
    });
    let request = LoginRequest {
        usage_limits: limits,
        ..LoginRequest::default()
    };
    let item = house.ask(request, &olga, vec![olga.password()]).await;
    assert_eq!(item.result_reason, Some(ResultReason::FeatureNotSupported));
}

#[tokio::test]
async fn failures_lock_a_person_out_and_the_right_password_then_fails_too() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    for _ in 0..5 {
        let item = log_in(&house, &olga, password("olga", "wrong")).await;
        assert!(refused(&item, Fault::CredentialRefused));
    }
    let item = log_in(&house, &olga, olga.password()).await;
    assert!(refused(&item, Fault::CredentialRefused));
    assert_eq!(house.alarms().await, [Event::LoginLockout]);
    house.clock.advance(59);
    assert!(refused(
        &log_in(&house, &olga, olga.password()).await,
        Fault::CredentialRefused
    ));
    house.clock.advance(1);
    // One more failure: two minutes now.
    assert!(refused(
        &log_in(&house, &olga, password("olga", "")).await,
        Fault::CredentialRefused
    ));
    house.clock.advance(119);
    assert!(refused(
        &log_in(&house, &olga, olga.password()).await,
        Fault::CredentialRefused
    ));
    house.clock.advance(1);
    house.login(&olga).await;
    // From the beginning again.
    for _ in 0..4 {
        log_in(&house, &olga, password("olga", "wrong")).await;
    }
    house.login(&olga).await;
    // Others are not locked out; names that are another's or nobody's say the same.
    let otto = house.person(house.tenant, "otto", PersonRole::Operator).await;
    for name in ["olga", "nobody"] {
        let item = log_in(&house, &otto, password(name, &olga.password)).await;
        assert!(refused(&item, Fault::CredentialRefused));
    }
    house.login(&otto).await;
}

/// What judging a password leaves to be committed, while others are judged.
async fn judged(house: &TestHouse, who: &Member, password: &str) -> (bool, Work) {
    let services = house.server.services();
    let now = services.clock.now();
    let principal = house
        .server
        .identity()
        .resolve(&who.facts.certificate, now.seconds())
        .await;
    let Ok(Principal::Person(person)) = principal else {
        panic!("nobody");
    };
    let mut work = Work::new(Arc::clone(&house.store));
    let mut batch = Batch::default();
    let secret = SecretText::new(password);
    let mut shown = Shown::default();
    shown.add(&person, &who.name, Some(&secret), None);
    let scene = Scene {
        services,
        work: &mut work,
        batch: &mut batch,
        now,
    };
    let right = login::judge(scene, &person, &shown, &mut Verified::default())
        .await
        .is_ok();
    (right, work)
}

#[tokio::test]
async fn of_guesses_at_once_each_counts() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let first = judged(&house, &olga, "wrong").await;
    let second = judged(&house, &olga, "wrong too").await;
    let right = judged(&house, &olga, &olga.password).await;
    assert!(!first.0 && !second.0 && right.0);
    let commit = async |work: Work| house.store.commit(work.into_change_set(house.now_ms())).await;
    assert!(commit(first.1).await.is_ok());
    // Judged on a number that is no longer the number: whoever meets this runs again, the right one too.
    for late in [second.1, right.1] {
        let outcome = commit(late).await.map(drop);
        assert!(matches!(outcome, Err(CommitError::OutOfBounds { .. })), "{outcome:?}");
    }
    for _ in 0..4 {
        log_in(&house, &olga, password("olga", "wrong")).await;
    }
    assert!(refused(
        &log_in(&house, &olga, olga.password()).await,
        Fault::CredentialRefused
    ));
}

#[tokio::test]
async fn an_initial_password_is_good_once_and_for_nothing_but_its_change() {
    let house = TestHouse::new().await;
    let ines = house.invited(house.tenant, "ines", PersonRole::Operator).await;
    let with = house.login(&ines).await;
    assert_eq!(opens(&house, &ines, &with).await, Err(Fault::PasswordChangeRequired));
    let item = log_in(&house, &ines, ines.password()).await;
    assert!(refused(&item, Fault::CredentialRefused));
    assert_eq!(house.alarms().await, [Event::InitialPasswordReused]);
    // And not for ever.
    let late = house.invited(house.tenant, "late", PersonRole::Operator).await;
    house.clock.advance(72 * 3600 + 1);
    assert!(refused(
        &log_in(&house, &late, late.password()).await,
        Fault::CredentialRefused
    ));
}

#[tokio::test]
async fn a_one_time_password_counts_once() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let secret = Secret::new(b"12345678901234567890".to_vec());
    let custody = &house.server.services().custody;
    let mut work = crate::store::Work::new(std::sync::Arc::clone(&house.store));
    let sealed = crate::administration::sealed::seal(custody, &mut work, olga.id, &secret)
        .await
        .unwrap();
    assert!(!sealed.windows(20).any(|part| part == secret.expose()));
    let mut record = house.record(olga.id).await;
    record.one_time = Some(OneTimeRecord {
        sealed,
        confirmed: false,
    });
    house.put(olga.id, &record).await;
    house.login(&olga).await;
    record.one_time.as_mut().unwrap().confirmed = true;
    house.put(olga.id, &record).await;
    let code = || one_time::code_at(secret.expose(), house.now_ms() / 1000);
    // The password alone is no second factor any more.
    assert!(refused(
        &log_in(&house, &olga, olga.password()).await,
        Fault::CredentialRefused
    ));
    let first = code();
    given(log_in(&house, &olga, olga.one_time(&first, true)).await);
    for with_password in [true, false] {
        let item = log_in(&house, &olga, olga.one_time(&first, with_password)).await;
        assert!(refused(&item, Fault::CredentialRefused));
    }
    house.clock.advance(30);
    given(log_in(&house, &olga, olga.one_time(&code(), false)).await);
    house.clock.advance(30);
    let wrong = Member {
        password: "wrong".into(),
        ..olga
    };
    let item = log_in(&house, &wrong, wrong.one_time(&code(), true)).await;
    assert!(refused(&item, Fault::CredentialRefused));
}

#[tokio::test]
async fn a_key_of_a_client_and_a_person_opens_nothing() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    // Enrolled in the system's domain, where a tenant's clients cannot be seen.
    let mut record = house.record(olga.id).await;
    record.name = "root".into();
    record.role = PersonRole::Administrator;
    record.credentials[0].fingerprint = *house.alice.certificate.key_fingerprint();
    let id = crate::identity::PersonId {
        domain: Domain::SYSTEM,
        person: [5; 16],
    };
    let before = house.item(Version::NEWEST, query(), &house.alice).await;
    assert_eq!(before.result_status, ResultStatus::Success);
    house.put(id, &record).await;
    let after = house.item(Version::NEWEST, query(), &house.alice).await;
    assert!(refused(&after, Fault::NotAuthenticated));
}

#[tokio::test]
async fn a_session_ends_the_oldest_when_there_are_too_many() {
    let house = TestHouse::new().await;
    let olga = operator(&house).await;
    let mut tickets = Vec::new();
    for _ in 0..17 {
        tickets.push(house.login(&olga).await);
    }
    assert_eq!(opens(&house, &olga, &tickets[0]).await, Err(Fault::InvalidTicket));
    assert_eq!(opens(&house, &olga, &tickets[1]).await, Ok(()));
    assert_eq!(opens(&house, &olga, &tickets[16]).await, Ok(()));
}
