//! People administer people: made, suspended, reset, deleted, with passwords and certificates of their own.

use super::hall::put_template;
use super::members::{Member, NEEDLE, certificate, given, password, proof, ticket};
use super::testing::{TestHouse, facts};
use crate::audit::alarm::Event;
use crate::failure::Fault;
use crate::identity::{PersonId, one_time};
use crate::store::{Domain, Kind, TrailQuery};
use kmip_protocol::{
    CredentialAddRequest, CredentialRevokeRequest, KeyHolder, LoginRequest, NewPerson, OneTimeConfirmRequest,
    OneTimeEnrollRequest, PasswordChangeRequest, Person, PersonCreateRequest, PersonDeleteRequest, PersonGetRequest,
    PersonListRequest, PersonModifyRequest, PersonResetRequest, PersonResumeRequest, PersonRole, PersonStatus,
    PersonSuspendRequest, PersonUnlockRequest, PolicyTemplate, Request, ResponseItem, ResponsePayload, ResultStatus,
    SecretText, Ticket, Version,
};

const INITIAL: &str = "needle handed over";

fn refused(item: &ResponseItem, fault: Fault) -> bool {
    item.result_message.as_deref() == Some(fault.message())
        && item.result_reason == Some(fault.reason(Version::NEWEST))
        && item.result_status == ResultStatus::OperationFailed
}

fn done(item: &ResponseItem) -> bool {
    item.result_status == ResultStatus::Success
}

/// A person that is logged in.
struct Logged {
    who: Member,
    ticket: Ticket,
}

impl Logged {
    async fn ask<R: Request>(&self, house: &TestHouse, request: R) -> ResponseItem {
        house.ask(request, &self.who, vec![ticket(&self.ticket)]).await
    }
}

async fn logged(house: &TestHouse, domain: Domain, name: &str, role: PersonRole) -> Logged {
    let who = house.person(domain, name, role).await;
    let ticket = house.login(&who).await;
    Logged { who, ticket }
}

async fn operator(house: &TestHouse, name: &str) -> Logged {
    logged(house, house.tenant, name, PersonRole::Operator).await
}

fn new_person(name: &str, role: PersonRole, certificate: &[u8]) -> PersonCreateRequest {
    PersonCreateRequest {
        person: NewPerson {
            person_name: name.into(),
            person_role: role,
            certificate: certificate.to_vec(),
            initial_password: SecretText::new(INITIAL),
            hardware: None,
            attestation: Vec::new(),
            possession_proof: None,
        },
    }
}

fn change(current: &str, new: &str) -> PasswordChangeRequest {
    PasswordChangeRequest {
        current_password: SecretText::new(current),
        new_password: SecretText::new(new),
    }
}

fn suspend(name: &str) -> PersonSuspendRequest {
    let person_name = name.into();
    PersonSuspendRequest { person_name }
}

fn reset(name: &str) -> PersonResetRequest {
    PersonResetRequest {
        person_name: name.into(),
        initial_password: SecretText::new(INITIAL),
    }
}

fn delete(name: &str) -> PersonDeleteRequest {
    let person_name = name.into();
    PersonDeleteRequest { person_name }
}

async fn told(house: &TestHouse, by: &Logged, name: &str) -> Result<Person, ResponseItem> {
    let person_name = Some(name.into());
    let item = by.ask(house, PersonGetRequest { person_name }).await;
    match item.payload {
        Some(ResponsePayload::PersonGet(response)) => Ok(response.person),
        _ => Err(item),
    }
}

async fn names(house: &TestHouse, by: &Logged) -> Vec<String> {
    match by.ask(house, PersonListRequest::default()).await.payload {
        Some(ResponsePayload::PersonList(list)) => list.persons.into_iter().map(|p| p.person_name).collect(),
        _ => panic!("no list"),
    }
}

/// Makes a person and gives what it has in hand.
async fn invite(house: &TestHouse, by: &Logged, name: &str, role: PersonRole) -> Member {
    let (der, _) = certificate(name);
    let item = by.ask(house, new_person(name, role, &der)).await;
    assert!(done(&item), "{:?}", item.result_message);
    Member {
        id: PersonId {
            domain: by.who.id.domain,
            person: [0; 16],
        },
        name: name.into(),
        password: INITIAL.into(),
        facts: facts(vec![der]),
    }
}

#[tokio::test]
async fn a_new_person_becomes_active_by_its_first_password() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    let mut anna = invite(&house, &olga, "anna", PersonRole::Custodian).await;
    let person = told(&house, &olga, "anna").await.ok().unwrap();
    assert_eq!(
        (person.person_status, person.person_role),
        (PersonStatus::Invited, PersonRole::Custodian)
    );
    house.clock.advance(60);
    let with = house.login(&anna).await;
    let asks = async |request| house.ask(request, &anna, vec![ticket(&with)]).await;
    assert!(refused(
        &asks(change("wrong", "a good garden gate")).await,
        Fault::CredentialRefused
    ));
    for bad in ["short", "anna has a gate", "password1234", INITIAL] {
        assert!(
            refused(&asks(change(INITIAL, bad)).await, Fault::PasswordPolicy),
            "{bad}"
        );
    }
    assert!(done(&asks(change(INITIAL, "needle and garden gate")).await));
    // The session of the initial password is over.
    assert!(refused(
        &asks(change("needle and garden gate", "x")).await,
        Fault::InvalidTicket
    ));
    let item = house.ask(LoginRequest::default(), &anna, vec![anna.password()]).await;
    assert!(refused(&item, Fault::CredentialRefused));
    anna.password = "needle and garden gate".into();
    let anna = Logged {
        ticket: house.login(&anna).await,
        who: anna,
    };
    let person = told(&house, &anna, "anna").await.ok().unwrap();
    assert_eq!(person.person_status, PersonStatus::Active);
    assert_eq!(person.member_since.0, house.now_ms() / 1000);
    assert_eq!(person.last_login, Some(person.member_since));
    // A custodian reads itself.
    assert!(
        told(&house, &anna, "olga")
            .await
            .is_err_and(|item| refused(&item, Fault::PermissionDenied))
    );
}

#[tokio::test]
async fn the_last_passwords_do_not_come_again() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    let second = house.login(&olga.who).await;
    let mut current = olga.who.password.clone();
    let chosen: Vec<String> = (0..6).map(|n| format!("garden gate number {n}")).collect();
    for new in &chosen {
        assert!(done(&olga.ask(&house, change(&current, new)).await));
        current.clone_from(new);
    }
    for before in &chosen {
        assert!(refused(
            &olga.ask(&house, change(&current, before)).await,
            Fault::PasswordPolicy
        ));
    }
    // Long enough ago; and every other session ended with the first change.
    assert!(done(&olga.ask(&house, change(&current, &olga.who.password)).await));
    let item = house
        .ask(PersonListRequest::default(), &olga.who, vec![ticket(&second)])
        .await;
    assert!(refused(&item, Fault::InvalidTicket));
}

#[tokio::test]
async fn wrong_present_passwords_lock_out_too() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    for _ in 0..5 {
        let item = olga.ask(&house, change("wrong", "a good garden gate")).await;
        assert!(refused(&item, Fault::CredentialRefused));
    }
    let item = olga.ask(&house, change(&olga.who.password, "a good garden gate")).await;
    assert!(refused(&item, Fault::CredentialRefused));
    // Without a session nothing is judged.
    let item = house.ask(change("x", "y"), &olga.who, vec![]).await;
    assert!(refused(&item, Fault::LoginRequired));
    // Another operator ends it; oneself cannot.
    let unlock = || PersonUnlockRequest {
        person_name: "olga".into(),
    };
    assert!(refused(&olga.ask(&house, unlock()).await, Fault::NotByOneself));
    let otto = operator(&house, "otto").await;
    assert!(told(&house, &otto, "olga").await.ok().unwrap().locked_until.is_some());
    assert!(done(&otto.ask(&house, unlock()).await));
    assert!(told(&house, &otto, "olga").await.ok().unwrap().locked_until.is_none());
    house.login(&olga.who).await;
}

#[tokio::test]
async fn names_keys_and_roles_are_kept_apart() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    let root = logged(&house, Domain::SYSTEM, "root", PersonRole::Administrator).await;
    let (der, _) = certificate("new");
    // Each in its own domain.
    for (by, role) in [
        (&olga, PersonRole::Administrator),
        (&olga, PersonRole::SystemAuditor),
        (&olga, PersonRole(77)),
        (&root, PersonRole::Operator),
        (&root, PersonRole::Auditor),
        (&root, PersonRole::Custodian),
    ] {
        let item = by.ask(&house, new_person("new", role, &der)).await;
        assert!(refused(&item, Fault::PersonRoleRefused));
    }
    let asked = async |by: &Logged, name: &str, role, der: &[u8]| by.ask(&house, new_person(name, role, der)).await;
    let taken = asked(&olga, "olga", PersonRole::Auditor, &der).await;
    assert!(refused(&taken, Fault::PersonTaken));
    // A key is one person's in the whole installation, and no client's of its tenant.
    let olgas = olga.who.facts.certificate.chain()[0].clone();
    assert!(refused(
        &asked(&olga, "twin", PersonRole::Auditor, &olgas).await,
        Fault::PersonTaken
    ));
    assert!(refused(
        &asked(&root, "twin", PersonRole::SystemAuditor, &olgas).await,
        Fault::PersonTaken
    ));
    let clients = house.alice.certificate.chain()[0].clone();
    assert!(refused(
        &asked(&olga, "twin", PersonRole::Auditor, &clients).await,
        Fault::PersonTaken
    ));
    for name in ["", " new", "new ", "ne\nw", &"n".repeat(65)] {
        assert!(refused(
            &asked(&olga, name, PersonRole::Auditor, &der).await,
            Fault::PersonName
        ));
    }
    assert!(refused(
        &asked(&olga, "new", PersonRole::Auditor, b"no certificate").await,
        Fault::InvalidField
    ));
    // The same name in another domain is another person.
    assert!(done(&asked(&root, "olga", PersonRole::SystemAuditor, &der).await));
    // Nobody sees, or changes, people of another domain.
    assert_eq!(names(&house, &olga).await, ["olga"]);
    assert_eq!(names(&house, &root).await, ["olga", "root"]);
    assert!(
        told(&house, &olga, "root")
            .await
            .is_err_and(|item| refused(&item, Fault::PersonNotFound))
    );
    assert!(refused(&olga.ask(&house, suspend("root")).await, Fault::PersonNotFound));
    let auditor = logged(&house, house.tenant, "audi", PersonRole::Auditor).await;
    assert!(refused(
        &auditor.ask(&house, suspend("olga")).await,
        Fault::PermissionDenied
    ));
    assert_eq!(names(&house, &auditor).await, ["audi", "olga"]);
}

#[tokio::test]
async fn a_suspension_holds_on_open_sessions_until_it_is_lifted() {
    let house = TestHouse::new().await;
    let (olga, otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    assert!(done(&otto.ask(&house, PersonListRequest::default()).await));
    assert!(done(&olga.ask(&house, suspend("otto")).await));
    assert_eq!(house.alarms().await, [Event::PersonSuspended]);
    let item = otto.ask(&house, PersonListRequest::default()).await;
    assert!(refused(&item, Fault::NotAuthenticated));
    let resume = || PersonResumeRequest {
        person_name: "otto".into(),
    };
    assert!(done(&olga.ask(&house, resume()).await));
    assert!(refused(&olga.ask(&house, resume()).await, Fault::PersonState));
    // What he was logged in with is gone.
    let item = otto.ask(&house, PersonListRequest::default()).await;
    assert!(refused(&item, Fault::InvalidTicket));
    house.login(&otto.who).await;
    assert_eq!(
        told(&house, &olga, "otto").await.ok().unwrap().person_status,
        PersonStatus::Active
    );
    let ines = invite(&house, &olga, "ines", PersonRole::Operator).await;
    for request in [suspend("ines"), suspend("ines")] {
        assert!(done(&olga.ask(&house, request).await));
    }
    let person_name = "ines".into();
    assert!(done(&olga.ask(&house, PersonResumeRequest { person_name }).await));
    assert_eq!(
        told(&house, &olga, "ines").await.ok().unwrap().person_status,
        PersonStatus::Invited
    );
    house.login(&ines).await;
}

#[tokio::test]
async fn a_reset_is_anothers_and_gives_a_password_for_once() {
    let house = TestHouse::new().await;
    let (olga, otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    assert!(refused(&olga.ask(&house, reset("olga")).await, Fault::NotByOneself));
    // With a one-time password, which is forgotten.
    let secret = match otto.ask(&house, OneTimeEnrollRequest::default()).await.payload {
        Some(ResponsePayload::OneTimeEnroll(response)) => response.secret.expose().to_owned(),
        _ => panic!("no secret"),
    };
    assert_eq!(secret.len(), 32);
    assert!(done(&olga.ask(&house, reset("otto")).await));
    assert_eq!(house.alarms().await, [Event::PasswordReset]);
    assert!(refused(
        &otto.ask(&house, PersonListRequest::default()).await,
        Fault::InvalidTicket
    ));
    let log_in = async |with: &str| {
        house
            .ask(LoginRequest::default(), &otto.who, vec![password("otto", with)])
            .await
    };
    assert!(refused(&log_in(&otto.who.password).await, Fault::CredentialRefused));
    let with = given(log_in(INITIAL).await);
    assert!(refused(&log_in(INITIAL).await, Fault::CredentialRefused));
    let asks = async |request| house.ask(request, &otto.who, vec![ticket(&with)]).await;
    // The one of before does not come again either.
    assert!(refused(
        &asks(change(INITIAL, &otto.who.password)).await,
        Fault::PasswordPolicy
    ));
    assert!(done(&asks(change(INITIAL, "a good garden gate")).await));
    given(log_in("a good garden gate").await);
    assert!(house.record(otto.who.id).await.one_time.is_none());
}

#[tokio::test]
async fn people_are_deleted_while_enough_are_left() {
    let house = TestHouse::new().await;
    let (olga, otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    let ines = invite(&house, &olga, "ines", PersonRole::Operator).await;
    // Whoever never came does not count, neither as left nor as lost.
    for name in ["olga", "otto"] {
        assert!(
            refused(&olga.ask(&house, delete(name)).await, Fault::TooFewLeft),
            "{name}"
        );
    }
    assert!(done(&olga.ask(&house, delete("ines")).await));
    let third = operator(&house, "otis").await;
    assert!(done(&olga.ask(&house, delete("otto")).await));
    assert!(refused(
        &otto.ask(&house, PersonListRequest::default()).await,
        Fault::NotAuthenticated
    ));
    assert_eq!(names(&house, &third).await, ["olga", "otis"]);
    // The record stays; name and key are free.
    let kept = house.record(otto.who.id).await;
    assert_eq!(kept.status, PersonStatus::Deleted);
    assert!(kept.password.is_none() && kept.keys().next().is_none() && kept.credentials.len() == 1);
    let der = otto.who.facts.certificate.chain()[0].clone();
    assert!(done(
        &olga.ask(&house, new_person("otto", PersonRole::Auditor, &der)).await
    ));
    drop(ines);
}

#[tokio::test]
async fn what_a_rule_governs_is_not_done_by_one() {
    let house = TestHouse::new().await;
    let (olga, _otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    put_template(&house, house.tenant, PolicyTemplate::Off).await;
    // Even the loosest template has a deletion agreed to.
    assert!(!done(&olga.ask(&house, delete("otto")).await));
    assert_eq!(names(&house, &olga).await, ["olga", "otto"]);
}

fn prove(name: &str, der: &[u8], key: &certs::PrivateKey) -> CredentialAddRequest {
    CredentialAddRequest {
        person_name: name.into(),
        certificate: der.to_vec(),
        proof: proof(key, Some("alice"), KeyHolder::Person(PersonRole::Operator, name)),
        hardware: None,
        attestation: Vec::new(),
    }
}

#[tokio::test]
async fn certificates_are_added_with_proof_and_the_last_is_not_revoked_by_oneself() {
    let house = TestHouse::new().await;
    let (olga, otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    let (der, key) = certificate("second");
    let stranger = certificate("x").1;
    for wrong in [prove("olga", &der, &stranger), {
        let person_name = "olga".into();
        let request = prove("otto", &der, &key);
        CredentialAddRequest { person_name, ..request }
    }] {
        assert!(refused(&olga.ask(&house, wrong).await, Fault::PossessionNotShown));
    }
    assert!(done(&olga.ask(&house, prove("olga", &der, &key)).await));
    for name in ["olga", "otto"] {
        assert!(refused(
            &olga.ask(&house, prove(name, &der, &key)).await,
            Fault::PersonTaken
        ));
    }
    let second = Member {
        facts: facts(vec![der.clone()]),
        name: "olga".into(),
        password: olga.who.password.clone(),
        id: olga.who.id,
    };
    let with = house.login(&second).await;
    let revoke = |name: &str, facts: &super::ConnectionFacts| CredentialRevokeRequest {
        person_name: name.into(),
        key_fingerprint: facts.certificate.key_fingerprint().to_vec(),
    };
    // The first one goes: its session ends with it, the other's stands.
    assert!(done(&olga.ask(&house, revoke("olga", &olga.who.facts)).await));
    let item = olga.ask(&house, PersonListRequest::default()).await;
    assert!(refused(&item, Fault::NotAuthenticated));
    let asks = async |request| house.ask(request, &second, vec![ticket(&with)]).await;
    assert!(refused(
        &asks(revoke("olga", &olga.who.facts)).await,
        Fault::CertificateNotFound
    ));
    assert!(refused(
        &asks(revoke("olga", &second.facts)).await,
        Fault::LastCredential
    ));
    assert!(done(&otto.ask(&house, revoke("olga", &second.facts)).await));
    assert_eq!(house.alarms().await, [Event::CredentialRevoked; 2]);
    assert!(refused(
        &asks(revoke("olga", &second.facts)).await,
        Fault::NotAuthenticated
    ));
}

#[tokio::test]
async fn one_time_passwords_are_begun_shown_to_work_and_then_wanted() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    assert!(done(&olga.ask(&house, OneTimeEnrollRequest::default()).await));
    let custody = &house.server.services().custody;
    let record = house.record(olga.who.id).await;
    let sealed = record.one_time.unwrap().sealed;
    let secret = crate::administration::sealed::open(custody, olga.who.id, &sealed)
        .await
        .unwrap();
    let code = || one_time::code_at(secret.expose(), house.now_ms() / 1000);
    let confirm = |code: &str| OneTimeConfirmRequest {
        code: SecretText::new(code),
    };
    let wrong = if code() == "000000" { "000001" } else { "000000" };
    assert!(refused(
        &olga.ask(&house, confirm(wrong)).await,
        Fault::CredentialRefused
    ));
    let shown = code();
    assert!(done(&olga.ask(&house, confirm(&shown)).await));
    assert!(refused(&olga.ask(&house, confirm(&shown)).await, Fault::PersonState));
    assert!(refused(
        &olga.ask(&house, OneTimeEnrollRequest::default()).await,
        Fault::PersonState
    ));
    // The code that it was shown to work with is used.
    let log_in = async |code: &str| {
        let credential = olga.who.one_time(code, true);
        house.ask(LoginRequest::default(), &olga.who, vec![credential]).await
    };
    assert!(refused(&log_in(&shown).await, Fault::CredentialRefused));
    house.clock.advance(30);
    given(log_in(&code()).await);
}

#[tokio::test]
async fn renamed_one_is_the_same_person() {
    let house = TestHouse::new().await;
    let (olga, otto) = (operator(&house, "olga").await, operator(&house, "otto").await);
    let rename = |new: &str| PersonModifyRequest { new_name: new.into() };
    assert!(refused(&olga.ask(&house, rename("otto")).await, Fault::PersonTaken));
    for unlike in ["", "o\u{202e}tto", "ot\u{200b}to", "otto "] {
        assert!(refused(&olga.ask(&house, rename(unlike)).await, Fault::PersonName));
    }
    // Who counts from the beginning is a member since he was made, not since 1970.
    let since = told(&house, &olga, "olga").await.ok().unwrap().member_since;
    assert_eq!(since.0, house.now_ms() / 1000);
    assert!(done(&olga.ask(&house, rename("olivia")).await));
    assert_eq!(names(&house, &otto).await, ["olivia", "otto"]);
    assert!(done(&olga.ask(&house, PersonListRequest::default()).await));
    let item = house
        .ask(LoginRequest::default(), &olga.who, vec![olga.who.password()])
        .await;
    assert!(refused(&item, Fault::CredentialRefused));
    let renamed = password("olivia", &olga.who.password);
    given(house.ask(LoginRequest::default(), &olga.who, vec![renamed]).await);
}

#[tokio::test]
async fn nothing_that_is_kept_holds_a_secret_of_people() {
    let house = TestHouse::new().await;
    let olga = operator(&house, "olga").await;
    invite(&house, &olga, "ines", PersonRole::Operator).await;
    let secret = match olga.ask(&house, OneTimeEnrollRequest::default()).await.payload {
        Some(ResponsePayload::OneTimeEnroll(response)) => response.secret,
        _ => panic!("no secret"),
    };
    house
        .ask(
            LoginRequest::default(),
            &olga.who,
            vec![password("olga", "needle that is wrong")],
        )
        .await;
    assert!(done(
        &olga
            .ask(&house, change(&olga.who.password, "needle in a haystack"))
            .await
    ));
    let mut kept = Vec::new();
    for domain in [house.tenant, Domain::SYSTEM] {
        for kind in 0..=255 {
            let records = house.store.scan(domain, Kind(kind), None, 1_000).await.unwrap();
            kept.extend(records.iter().map(|record| record.body.to_vec()));
        }
    }
    assert!(kept.iter().any(|body| contains(body, b"$argon2id$")));
    for head in house.store.trail_heads().await.unwrap() {
        let query = TrailQuery {
            stream: head.position.stream,
            domain: None,
            after: 0,
            limit: 10_000,
        };
        let trail = house.store.trail(query).await.unwrap();
        assert!(trail.len() > 5);
        kept.extend(trail.iter().map(|record| record.bytes.to_vec()));
    }
    let secrets = [
        NEEDLE.as_bytes(),
        olga.ticket.ticket_value.expose(),
        secret.expose().as_bytes(),
    ];
    for secret in secrets {
        assert!(!kept.iter().any(|body| contains(body, secret)));
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}
