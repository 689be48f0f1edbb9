//! Authorities of a domain: fresh revocation lists, strictness, retirement, suspension; on connections that stand.

use super::ConnectionFacts;
use super::office::{Office, answered, authority_of, issue_for, query, told};
use super::tenants;
use super::testing::{BEGIN, TestHouse, create, facts, leaf, validity};
use crate::store::Domain;
use certs::{CertificateAuthority, CertificateFacts, KeyKind, PrivateKey, Revocation, RevocationReason, Subject};
use kmip_protocol::{
    Authority, AuthorityCreateRequest, AuthorityListRequest, AuthorityModifyRequest, AuthorityStatus,
    ClientCreateRequest, ClientCredential, PersonRole, ResponsePayload, Version,
};

const DAY: i64 = 86_400;

fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::create(&Subject::named(name), validity(), KeyKind::P256).unwrap()
}

/// A list of an authority that revokes these certificates.
fn list(ca: &CertificateAuthority, at: i64, revoked: &[&[u8]]) -> Vec<u8> {
    let entries: Vec<_> = revoked
        .iter()
        .map(|der| Revocation {
            serial: CertificateFacts::read(der).unwrap().serial,
            time: at,
            reason: RevocationReason::KeyCompromise,
        })
        .collect();
    ca.revocation_list(u64::try_from(at).unwrap(), at, at + DAY, &entries)
        .unwrap()
}

fn enrol(name: &str, ca: &CertificateAuthority, lists: &[&[u8]]) -> AuthorityCreateRequest {
    AuthorityCreateRequest {
        certificate: Some(ca.certificate().to_vec()),
        revocation_lists: lists.iter().map(|list| list.to_vec()).collect(),
        ..authority_of(name)
    }
}

fn modify(name: &str) -> AuthorityModifyRequest {
    AuthorityModifyRequest {
        authority_name: name.into(),
        new_name: None,
        revocation_lists: Vec::new(),
        refuse_stale: None,
        status: None,
    }
}

fn with_list(name: &str, list: &[u8]) -> AuthorityModifyRequest {
    AuthorityModifyRequest {
        revocation_lists: vec![list.to_vec()],
        ..modify(name)
    }
}

fn status(name: &str, status: AuthorityStatus) -> AuthorityModifyRequest {
    AuthorityModifyRequest {
        status: Some(status),
        ..modify(name)
    }
}

impl Office {
    /// A client that is known by the key of this certificate.
    async fn known_by(&self, name: &str, chain: Vec<Vec<u8>>) -> ConnectionFacts {
        let connection = facts(chain);
        let request = ClientCreateRequest {
            client_name: name.into(),
            application_name: None,
            settings: None,
            credentials: vec![ClientCredential {
                key_fingerprint: Some(connection.certificate.key_fingerprint().to_vec()),
                ..ClientCredential::default()
            }],
            password: None,
            user: None,
        };
        answered!(self.act(request).await, ok);
        connection
    }

    async fn authority(&self, name: &str) -> Authority {
        let item = answered!(self.act(AuthorityListRequest::default()).await, ok);
        let Some(ResponsePayload::AuthorityList(list)) = item.payload else {
            panic!()
        };
        let mut authorities = list.authorities.into_iter();
        authorities.find(|one| one.authority_name == name).unwrap()
    }
}

#[tokio::test]
async fn a_fresh_list_takes_hold_on_open_connections() {
    let office = Office::open().await;
    let ca = authority("outside");
    let certificate = ca.issue(&leaf("db"), KeyKind::P256).unwrap().0;
    answered!(office.act(enrol("outside", &ca, &[&list(&ca, BEGIN, &[])])).await, ok);
    let db = office.known_by("db", vec![certificate.clone()]).await;
    answered!(office.ask(&db, query()).await, ok);
    let revoking = list(&ca, BEGIN + 10, &[&certificate]);
    answered!(office.act(with_list("outside", &revoking)).await, ok);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    assert_eq!(office.authority("outside").await.expires.unwrap().0, BEGIN + 10 + DAY);
    // Nobody brings back an older one, nor another authority's, be it of the same name, another tenant's or no list at all.
    let older = list(&ca, BEGIN + 9, &[]);
    let namesake = list(&authority("outside"), BEGIN + 20, &[]);
    for refused in [&older, &namesake] {
        answered!(office.act(with_list("outside", refused)).await, RevocationListRefused);
    }
    let both = AuthorityModifyRequest {
        revocation_lists: vec![list(&ca, BEGIN + 30, &[]), older],
        ..modify("outside")
    };
    answered!(office.act(both).await, RevocationListRefused);
    answered!(office.act(with_list("outside", &certificate)).await, InvalidField);
    let other = authority("another");
    let refused = office.act(enrol("another", &other, &[&namesake])).await;
    answered!(refused, RevocationListRefused);
    let many = AuthorityModifyRequest {
        revocation_lists: vec![revoking.clone(); 9],
        ..modify("outside")
    };
    answered!(office.act(many).await, LimitExceeded);
    answered!(office.act(with_list("nowhere", &revoking)).await, NotFound);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    // The authority itself takes it back: on hold, and off again.
    answered!(office.act(with_list("outside", &list(&ca, BEGIN + 11, &[]))).await, ok);
    answered!(office.ask(&db, query()).await, ok);
    // Bob's tenant has an authority of its own, and nothing of this one.
    let bob = office
        .house
        .known(office.house.tenant_of(&office.house.bob).await, PersonRole::Operator);
    let foreign = office
        .house
        .act(&bob, with_list("bob", &list(&ca, BEGIN + 40, &[])))
        .await;
    answered!(foreign, RevocationListRefused);
}

#[tokio::test]
async fn lists_are_pooled_over_the_authorities_of_a_tenant() {
    let office = Office::open().await;
    let root = authority("root");
    let root = CertificateAuthority::from_der(root.certificate(), &root.key().to_der()).unwrap();
    let middle = root
        .create_subordinate(&Subject::named("middle"), validity(), KeyKind::P256)
        .unwrap();
    let chain = |name: &str| {
        let certificate = middle.issue(&leaf(name), KeyKind::P256).unwrap().0;
        vec![certificate, middle.certificate().to_vec()]
    };
    let (one, two) = (chain("one"), chain("two"));
    answered!(office.act(enrol("middle", &middle, &[])).await, ok);
    answered!(office.act(enrol("root", &root, &[])).await, ok);
    let (first, second) = (
        office.known_by("one", one.clone()).await,
        office.known_by("two", two).await,
    );
    // The list of the one in the middle, given with the root: it counts for chains to either.
    let revoking = list(&middle, BEGIN, &[&one[0]]);
    answered!(office.act(with_list("root", &revoking)).await, ok);
    answered!(office.ask(&first, query()).await, NotAuthenticated);
    answered!(office.ask(&second, query()).await, ok);
    // An older list elsewhere hides nothing.
    answered!(
        office.act(with_list("middle", &list(&middle, BEGIN - 5, &[]))).await,
        ok
    );
    answered!(office.ask(&first, query()).await, NotAuthenticated);
    // The root revokes the one in the middle, which is trusted by itself as well.
    let against = list(&root, BEGIN, &[middle.certificate()]);
    answered!(office.act(with_list("root", &against)).await, ok);
    answered!(office.ask(&second, query()).await, NotAuthenticated);
    // A list counts also while the authority that it was given with is suspended.
    answered!(office.act(status("root", AuthorityStatus::Suspended)).await, ok);
    answered!(office.ask(&second, query()).await, NotAuthenticated);
    answered!(office.ask(&office.house.alice, query()).await, ok);
}

#[tokio::test]
async fn an_overdue_list_keeps_everybody_out_if_it_shall() {
    let office = Office::open().await;
    let ca = authority("outside");
    let certificate = ca.issue(&leaf("db"), KeyKind::P256).unwrap().0;
    answered!(office.act(enrol("outside", &ca, &[&list(&ca, BEGIN, &[])])).await, ok);
    let db = office.known_by("db", vec![certificate]).await;
    let strict = |refuse: bool| AuthorityModifyRequest {
        refuse_stale: Some(refuse),
        ..modify("outside")
    };
    answered!(office.act(strict(true)).await, ok);
    assert!(office.authority("outside").await.refuse_stale);
    answered!(office.ask(&db, query()).await, ok);
    office.house.clock.advance(DAY + 1);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    answered!(office.act(strict(false)).await, ok);
    answered!(office.ask(&db, query()).await, ok);
    answered!(office.act(strict(true)).await, ok);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    let fresh = list(&ca, BEGIN + DAY, &[]);
    answered!(office.act(with_list("outside", &fresh)).await, ok);
    answered!(office.ask(&db, query()).await, ok);
    // Other authorities' clients go by their own.
    answered!(office.ask(&office.house.alice, query()).await, ok);
}

#[tokio::test]
async fn an_authority_is_retired_or_suspended() {
    let office = Office::open().await;
    office.issuer().await;
    let db = office.connected("db", None, Default::default()).await;
    answered!(office.act(status("own", AuthorityStatus::Retired)).await, ok);
    assert_eq!(office.authority("own").await.status, AuthorityStatus::Retired);
    // What it has issued is accepted; it issues no more, and makes room for the next.
    answered!(office.ask(&db, query()).await, ok);
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    answered!(office.act(issue_for("db", &key)).await, CannotIssue);
    let mut by_name = issue_for("db", &key);
    by_name.authority_name = Some("own".into());
    answered!(office.act(by_name).await, CannotIssue);
    answered!(office.act(authority_of("next")).await, ok);
    let issued = office.issue("db", &key).await;
    assert_eq!(issued.authority, office.authority("next").await.certificate);
    answered!(office.act(status("own", AuthorityStatus::Suspended)).await, ok);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    let renamed = AuthorityModifyRequest {
        new_name: Some("former".into()),
        ..modify("own")
    };
    answered!(office.act(renamed).await, ok);
    answered!(office.act(status("own", AuthorityStatus::Active)).await, NotFound);
    answered!(office.act(status("former", AuthorityStatus::Active)).await, ok);
    answered!(office.ask(&db, query()).await, ok);
    // What makes no sense.
    answered!(
        office.act(status("alice", AuthorityStatus::Retired)).await,
        InvalidField
    );
    answered!(office.act(status("former", AuthorityStatus(9))).await, InvalidField);
    let own = AuthorityModifyRequest {
        refuse_stale: Some(true),
        ..modify("former")
    };
    answered!(office.act(own).await, InvalidField);
    let taken = AuthorityModifyRequest {
        new_name: Some("alice".into()),
        ..modify("former")
    };
    answered!(office.act(taken).await, Taken);
}

#[tokio::test]
async fn accepting_an_authority_again_waits_for_others_and_refusing_it_does_not() {
    let house = TestHouse::new().await;
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let made = house
        .act(&administrator, tenants::new("acme", &["olga", "oscar"]))
        .await;
    answered!(made, ok);
    let tenant = tenants::domain_of(&house, "acme").await;
    let olga = house.known(tenant, PersonRole::Operator);
    let ca = authority("outside");
    answered!(house.act(&olga, enrol("outside", &ca, &[])).await, ok);
    let db = tenants::client(&house, tenant).await;
    answered!(house.item(Version::NEWEST, create("one", Vec::new()), &db).await, ok);
    let strict = |refuse: bool| AuthorityModifyRequest {
        refuse_stale: Some(refuse),
        ..modify("outside")
    };
    for alone in [
        with_list("outside", &list(&ca, BEGIN, &[])),
        strict(true),
        status("outside", AuthorityStatus::Suspended),
    ] {
        answered!(house.act(&olga, alone).await, ok);
    }
    for together in [strict(false), status("outside", AuthorityStatus::Active)] {
        let item = house.act(&olga, together).await;
        assert!(told(&item).unwrap().ends_with("(rule access)"), "{:?}", told(&item));
    }
}
