//! Keys that two tenants register: whoever knows a certificate can, and only its holder can prove it.

use super::assembly::{Voter, is, voter};
use super::members::{certificate, given, password, ticket};
use super::testing::{TestHouse, facts};
use crate::failure::Fault;
use crate::identity::{IdentityError, Principal};
use crate::store::Domain;
use certs::{CertificateFacts, PrivateKey};
use kmip_protocol::{
    ClientCreateRequest, ClientCredential, ClientGetRequest, ClientModifyRequest, KeyHolder, LoginRequest, NewPerson,
    PasswordChangeRequest, PersonCreateRequest, PersonDeleteRequest, PersonGetRequest, PersonRole,
    PersonSuspendRequest, ResponseItem, ResponsePayload, ResultStatus, SecretText,
};

const INITIAL: &str = "correct horse battery 47";

/// Two tenants, an operator in each: the second one is dishonest.
struct Scene {
    house: TestHouse,
    olga: Voter,
    mallory: Voter,
}

impl Scene {
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let other = house.tenant_of(&house.bob).await;
        Self {
            olga: voter(&house, house.tenant, "olga", PersonRole::Operator).await,
            mallory: voter(&house, other, "mallory", PersonRole::Operator).await,
            house,
        }
    }

    async fn whose(&self, der: &[u8]) -> Result<Domain, IdentityError> {
        let facts = facts(vec![der.to_vec()]);
        let now = self.house.clock_seconds();
        let found = self.house.server.identity().resolve(&facts.certificate, now).await?;
        assert!(matches!(found, Principal::Person(_) | Principal::Client(_)));
        Ok(found.domain().unwrap())
    }

    async fn invite(&self, by: &Voter, der: &[u8], proof: Option<Vec<u8>>) -> ResponseItem {
        let person = NewPerson {
            person_name: "nina".into(),
            person_role: PersonRole::Auditor,
            certificate: der.to_vec(),
            initial_password: SecretText::new(INITIAL),
            hardware: None,
            attestation: Vec::new(),
            possession_proof: proof,
        };
        by.ask(&self.house, PersonCreateRequest { person }).await
    }

    async fn client(&self, by: &Voter, credential: ClientCredential) -> ResponseItem {
        let request = ClientCreateRequest {
            client_name: "db".into(),
            application_name: None,
            settings: None,
            credentials: vec![credential],
            password: None,
            user: None,
        };
        by.ask(&self.house, request).await
    }
}

fn done(item: &ResponseItem) {
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
}

fn proof(key: &PrivateKey, tenant: &str, holder: KeyHolder<'_>) -> Vec<u8> {
    super::members::proof(key, Some(tenant), holder)
}

fn pinned(der: &[u8]) -> ClientCredential {
    ClientCredential {
        certificate: Some(der.to_vec()),
        ..ClientCredential::default()
    }
}

#[tokio::test]
async fn who_holds_the_key_takes_it_back_from_whoever_said_it_was_his() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let (der, key) = certificate("nina");
    let nina = KeyHolder::Person(PersonRole::Auditor, "nina");
    done(&scene.invite(&scene.mallory, &der, None).await);
    assert!(is(&scene.invite(&scene.olga, &der, None).await, Fault::PersonTaken));
    // Not with a proof for another place, or by another key.
    for wrong in [
        proof(&key, "bob", nina),
        proof(&key, "alice", KeyHolder::Person(PersonRole::Operator, "nina")),
        proof(&key, "alice", KeyHolder::Client),
        proof(&certificate("x").1, "alice", nina),
    ] {
        let item = scene.invite(&scene.olga, &der, Some(wrong)).await;
        assert!(is(&item, Fault::PossessionNotShown));
    }
    done(&scene.invite(&scene.olga, &der, Some(proof(&key, "alice", nina))).await);
    assert_eq!(scene.whose(&der).await, Ok(house.tenant));
    // The other record is there still, and can be changed and deleted; the key stays where it is.
    let person_name = || "nina".to_owned();
    done(
        &scene
            .mallory
            .ask(
                house,
                PersonSuspendRequest {
                    person_name: person_name(),
                },
            )
            .await,
    );
    done(
        &scene
            .mallory
            .ask(
                house,
                PersonDeleteRequest {
                    person_name: person_name(),
                },
            )
            .await,
    );
    assert!(is(&scene.invite(&scene.mallory, &der, None).await, Fault::PersonTaken));
    assert_eq!(scene.whose(&der).await, Ok(house.tenant));
}

#[tokio::test]
async fn who_has_logged_in_has_proven_its_key() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let (der, key) = certificate("nina");
    done(&scene.invite(&scene.olga, &der, None).await);
    let connection = facts(vec![der.clone()]);
    let login = house
        .ask_over(LoginRequest::default(), &connection, vec![password("nina", INITIAL)])
        .await;
    let change = PasswordChangeRequest {
        current_password: SecretText::new(INITIAL),
        new_password: SecretText::new("quite another horse 48"),
    };
    done(&house.ask_over(change, &connection, vec![ticket(&given(login))]).await);
    let show = PersonGetRequest {
        person_name: Some("nina".into()),
    };
    let Some(ResponsePayload::PersonGet(told)) = scene.olga.ask(house, show).await.payload else {
        panic!()
    };
    assert_eq!(told.person.credentials[0].proven, Some(true));
    // Even its holder does not become somebody else with it.
    let elsewhere = proof(&key, "bob", KeyHolder::Person(PersonRole::Auditor, "nina"));
    for proof in [None, Some(elsewhere)] {
        assert!(is(&scene.invite(&scene.mallory, &der, proof).await, Fault::PersonTaken));
    }
}

#[tokio::test]
async fn a_client_is_served_whatever_others_register() {
    let scene = Scene::open().await;
    let house = &scene.house;
    // A person made of the certificate of a client for which its tenant's authority vouches.
    let alices = house.alice.certificate.chain()[0].clone();
    done(&scene.invite(&scene.mallory, &alices, None).await);
    assert_eq!(scene.whose(&alices).await, Ok(house.tenant));
    // A pinned certificate that somebody else has pinned before.
    let (der, key) = certificate("db");
    done(&scene.client(&scene.mallory, pinned(&der)).await);
    done(&scene.client(&scene.olga, pinned(&der)).await);
    assert_eq!(scene.whose(&der).await, Err(IdentityError::Ambiguous));
    // What is told of it is a certificate, and is given back with the proof.
    let client_name = || "db".to_owned();
    let show = ClientGetRequest {
        client_name: client_name(),
    };
    let Some(ResponsePayload::ClientGet(told)) = scene.olga.ask(house, show).await.payload else {
        panic!()
    };
    let facts = CertificateFacts::read(&der).unwrap();
    let credential = told.client.credentials[0].clone();
    assert_eq!(credential.certificate_fingerprint, Some(facts.fingerprint.to_vec()));
    let modify = |credential| ClientModifyRequest {
        client_name: client_name(),
        new_name: None,
        settings: None,
        credentials: vec![credential],
        password: None,
        user: None,
    };
    let proves = ClientCredential {
        possession_proof: Some(proof(&key, "alice", KeyHolder::Client)),
        public_key_info: Some(key.public_key_info()),
        ..credential
    };
    done(&scene.olga.ask(house, modify(proves)).await);
    assert_eq!(scene.whose(&der).await, Ok(house.tenant));
    // The proof is good for its own tenant only.
    let stolen = ClientCredential {
        possession_proof: Some(proof(&key, "alice", KeyHolder::Client)),
        ..pinned(&der)
    };
    assert!(is(
        &scene.mallory.ask(house, modify(stolen)).await,
        Fault::PossessionNotShown
    ));
}

#[tokio::test]
async fn a_person_of_another_tenant_keeps_no_client_from_being_registered() {
    let scene = Scene::open().await;
    let (der, key) = certificate("db");
    done(&scene.invite(&scene.mallory, &der, None).await);
    let proves = ClientCredential {
        possession_proof: Some(proof(&key, "alice", KeyHolder::Client)),
        ..pinned(&der)
    };
    done(&scene.client(&scene.olga, proves).await);
    assert_eq!(scene.whose(&der).await, Ok(scene.house.tenant));
    // Of the same tenant, a key is a person's or a client's.
    let (der, _) = certificate("nina");
    done(&scene.invite(&scene.olga, &der, None).await);
    let taken = scene.client(&scene.olga, pinned(&der)).await;
    assert!(is(&taken, Fault::Taken));
}
