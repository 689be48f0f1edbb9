//! Keys in hardware: who answers for them, and what they are good for.

use super::members::{Member, certificate, proof, ticket};
use super::testing::{TestHouse, facts};
use crate::failure::Fault;
use crate::identity::PersonId;
use certs::{CertificateAuthority, KeyKind, Leaf, Subject, Usage, Validity};
use kmip_protocol::{
    AuthorityCreateRequest, AuthorityDeleteRequest, CredentialAddRequest, KeyHolder, LoginRequest, NewPerson,
    PersonCreateRequest, PersonCredential, PersonGetRequest, PersonRole, Request, ResponseItem, ResponsePayload,
    ResultStatus, SecretText, Ticket,
};

const INITIAL: &str = "needle handed over";

/// An operator at work.
struct Desk {
    house: TestHouse,
    olga: Member,
    ticket: Ticket,
}

impl Desk {
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
        let ticket = house.login(&olga).await;
        Self { house, olga, ticket }
    }

    async fn ask<R: Request>(&self, request: R) -> ResponseItem {
        self.house.ask(request, &self.olga, vec![ticket(&self.ticket)]).await
    }

    async fn done<R: Request>(&self, request: R) {
        let item = self.ask(request).await;
        assert!(item.result_status == ResultStatus::Success, "{:?}", item.result_message);
    }

    async fn refused<R: Request>(&self, request: R, fault: Fault) {
        assert_eq!(self.ask(request).await.result_message.as_deref(), Some(fault.message()));
    }

    /// The newest key of somebody, as it is told.
    async fn key_of(&self, name: &str) -> PersonCredential {
        let person_name = Some(name.to_owned());
        match self.ask(PersonGetRequest { person_name }).await.payload {
            Some(ResponsePayload::PersonGet(response)) => response.person.credentials.into_iter().last().unwrap(),
            _ => panic!("not told"),
        }
    }

    async fn enrol(&self, name: &str, authority: &CertificateAuthority, hardware: bool) {
        self.done(AuthorityCreateRequest {
            authority_name: name.to_owned(),
            certificate: Some(authority.certificate().to_vec()),
            hardware: Some(hardware),
            revocation_lists: Vec::new(),
        })
        .await;
    }
}

fn authority(name: &str) -> CertificateAuthority {
    let validity = Validity::days(super::testing::BEGIN, 365);
    CertificateAuthority::create(&Subject::named(name), validity, KeyKind::P256).unwrap()
}

fn leaf(name: &str) -> Leaf {
    Leaf {
        subject: Subject::named(name),
        alternative_names: Vec::new(),
        usage: Usage::Client,
        validity: Validity::days(super::testing::BEGIN, 365),
    }
}

fn create(name: &str, certificate: &[u8], hardware: Option<bool>, attestation: &[Vec<u8>]) -> PersonCreateRequest {
    PersonCreateRequest {
        person: NewPerson {
            person_name: name.to_owned(),
            person_role: PersonRole::Operator,
            certificate: certificate.to_vec(),
            initial_password: SecretText::new(INITIAL),
            hardware,
            attestation: attestation.to_vec(),
            possession_proof: None,
        },
    }
}

#[tokio::test]
async fn a_key_counts_by_declaration_or_by_an_authority_of_hardware_and_else_not() {
    let desk = Desk::open().await;
    let (tokens, files) = (authority("tokens"), authority("files"));
    desk.enrol("tokens", &tokens, true).await;
    desk.enrol("files", &files, false).await;
    let told = async |name: &str, certificate: &[u8], hardware| {
        desk.done(create(name, certificate, hardware, &[])).await;
        let key = desk.key_of(name).await;
        (key.hardware, key.attested_by)
    };
    let by_tokens = Some("tokens".to_owned());
    assert_eq!(told("anna", &certificate("anna").0, None).await, (false, None));
    assert_eq!(told("bert", &certificate("bert").0, Some(true)).await, (true, None));
    let issued = |from: &CertificateAuthority, name: &str| from.issue(&leaf(name), KeyKind::P256).unwrap().0;
    assert_eq!(
        told("carl", &issued(&tokens, "carl"), None).await,
        (true, by_tokens.clone())
    );
    assert_eq!(told("dora", &issued(&files, "dora"), None).await, (false, None));
    // Who says that it does not count is believed.
    assert_eq!(told("emil", &issued(&tokens, "emil"), Some(false)).await, (false, None));
    // What was enrolled stays as it was; what comes later finds no authority.
    let authority_name = "tokens".to_owned();
    desk.done(AuthorityDeleteRequest { authority_name }).await;
    assert_eq!(told("fred", &issued(&tokens, "fred"), None).await, (false, None));
    assert_eq!(desk.key_of("carl").await.attested_by, by_tokens);
}

#[tokio::test]
async fn an_attestation_is_of_the_same_key_and_from_an_authority_of_hardware() {
    let desk = Desk::open().await;
    let (maker, stranger) = (authority("maker"), authority("stranger"));
    desk.enrol("maker", &maker, true).await;
    // As tokens attest: a certificate of the key beside the one that it is used with, from an authority in the token.
    let in_token = maker
        .create_subordinate(
            &Subject::named("token 1"),
            Validity::days(super::testing::BEGIN, 365),
            KeyKind::P256,
        )
        .unwrap();
    let (own, key) = leaf("gina").self_signed(KeyKind::P256).unwrap();
    let request = certs::CertificateRequest::create(&Subject::named("slot 9a"), &[], &key).unwrap();
    let attests = |by: &CertificateAuthority| by.issue_for_request(&leaf("slot 9a"), &request).unwrap();
    let good = [attests(&in_token), in_token.certificate().to_vec()];
    desk.refused(create("gina", &own, None, &good[..1]), Fault::AttestationRefused)
        .await;
    desk.refused(
        create("gina", &own, Some(true), &[attests(&stranger)]),
        Fault::AttestationRefused,
    )
    .await;
    desk.refused(
        create("gina", &certificate("other").0, None, &good),
        Fault::AttestationRefused,
    )
    .await;
    desk.done(create("gina", &own, None, &good)).await;
    let told = desk.key_of("gina").await;
    assert_eq!((told.hardware, told.attested_by.as_deref()), (true, Some("maker")));
    // The same for another certificate of somebody.
    let (next, key) = leaf("olga").self_signed(KeyKind::P256).unwrap();
    let holder = KeyHolder::Person(PersonRole::Operator, "olga");
    let add = |attestation: &[Vec<u8>], hardware| CredentialAddRequest {
        person_name: "olga".to_owned(),
        certificate: next.clone(),
        proof: proof(&key, Some("alice"), holder),
        hardware,
        attestation: attestation.to_vec(),
    };
    desk.refused(add(&good, None), Fault::AttestationRefused).await;
    desk.done(add(&[], Some(true))).await;
    let told = desk.key_of("olga").await;
    assert_eq!((told.hardware, told.attested_by), (true, None));
}

#[tokio::test]
async fn with_a_key_that_counts_one_logs_in_where_hardware_is_asked_for() {
    let mut desk = Desk::open().await;
    let arrive = async |name: &str, hardware| {
        let (der, _) = certificate(name);
        desk.done(create(name, &der, hardware, &[])).await;
        Member {
            id: PersonId {
                domain: desk.house.tenant,
                person: [0; 16],
            },
            name: name.to_owned(),
            password: INITIAL.to_owned(),
            facts: facts(vec![der]),
        }
    };
    let (token, file) = (arrive("hans", Some(true)).await, arrive("ines", None).await);
    desk.house.server.about().hardware = vec![PersonRole::Operator];
    let login = async |who: &Member| {
        let item = desk.house.ask(LoginRequest::default(), who, vec![who.password()]).await;
        (item.result_status == ResultStatus::Success, item.result_message)
    };
    assert_eq!(login(&file).await.1.as_deref(), Some(Fault::HardwareRequired.message()));
    assert!(login(&token).await.0);
}
