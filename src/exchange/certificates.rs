//! Certificates that a tenant's own authority issues: renewed, revoked, and the lists that say so.

use super::ConnectionFacts;
use super::office::{Office, answered, issue_for, query};
use super::testing::{BEGIN, facts};
use certs::{CrlFacts, KeyKind, PrivateKey};
use kmip_protocol::{
    AuthorityDeleteRequest, CertificateIssueRequest, CertificateIssueResponse, CertificateRevokeRequest,
    ClientCertificate, ClientDeleteRequest, ClientGetRequest, ResponseItem, ResponsePayload, RevocationListGetRequest,
};

/// Seconds of a day.
const DAY: i64 = 86_400;

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::P256).unwrap()
}

fn connect(issued: &CertificateIssueResponse) -> ConnectionFacts {
    facts(vec![issued.certificate.clone(), issued.authority.clone()])
}

fn issued(item: ResponseItem) -> CertificateIssueResponse {
    match answered!(item, ok).payload {
        Some(ResponsePayload::CertificateIssue(issued)) => issued,
        _ => panic!("no certificate"),
    }
}

fn revoke(connection: &ConnectionFacts, certificate: Option<&CertificateIssueResponse>) -> CertificateRevokeRequest {
    CertificateRevokeRequest {
        client_name: "db".into(),
        key_fingerprint: connection.certificate.key_fingerprint().to_vec(),
        certificate: certificate.map(|issued| issued.certificate.clone()),
    }
}

impl Office {
    /// The list of the tenant's own authority.
    async fn list(&self) -> CrlFacts {
        let request = RevocationListGetRequest {
            authority_name: "own".into(),
        };
        match answered!(self.act(request).await, ok).payload {
            Some(ResponsePayload::RevocationListGet(told)) => CrlFacts::read(&told.revocation_list).unwrap(),
            _ => panic!("no list"),
        }
    }

    async fn certificates(&self) -> Vec<ClientCertificate> {
        let request = ClientGetRequest {
            client_name: "db".into(),
        };
        match answered!(self.act(request).await, ok).payload {
            Some(ResponsePayload::ClientGet(told)) => told.client.certificates,
            _ => panic!("no client"),
        }
    }

    fn verdict(&self, connection: &ConnectionFacts) -> Option<certs::ChainError> {
        let trust = self.house.server.identity().trust();
        trust.judge(connection.certificate.chain(), BEGIN).err()
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_on_its_open_connection() {
    let office = Office::open().await;
    office.issuer().await;
    let one = key();
    answered!(office.client("db", None, None).await, ok);
    let first = office.issue("db", &one).await;
    // Renewal is issuing again, for the same key or another.
    let renewed = office.issue("db", &one).await;
    let other = office.issue("db", &key()).await;
    let connections = [connect(&first), connect(&renewed), connect(&other)];
    for connection in &connections {
        answered!(office.ask(connection, query()).await, ok);
    }
    assert_eq!(office.list().await.revoked.len(), 0);
    answered!(office.act(revoke(&connections[0], None)).await, ok);
    assert_eq!(office.list().await.revoked.len(), 2);
    answered!(office.ask(&connections[0], query()).await, NotAuthenticated);
    answered!(office.ask(&connections[1], query()).await, NotAuthenticated);
    answered!(office.ask(&connections[2], query()).await, ok);
    assert_eq!(office.verdict(&connections[0]), Some(certs::ChainError::Revoked));
    answered!(office.act(revoke(&connections[0], None)).await, NotFound);
    // An authority that is withdrawn takes with it what it issued.
    let withdraw = AuthorityDeleteRequest {
        authority_name: "own".into(),
    };
    answered!(office.act(withdraw).await, ok);
    answered!(office.ask(&connections[2], query()).await, NotAuthenticated);
}

#[tokio::test]
async fn what_was_issued_to_a_client_that_is_deleted_is_revoked() {
    let office = Office::open().await;
    office.issuer().await;
    answered!(office.client("db", None, None).await, ok);
    let keys = [key(), key()];
    let connections = [
        connect(&office.issue("db", &keys[0]).await),
        connect(&office.issue("db", &keys[1]).await),
    ];
    let other = office.connected("other", None, Default::default()).await;
    for connection in &connections {
        answered!(office.ask(connection, query()).await, ok);
    }
    let delete = ClientDeleteRequest {
        client_name: "db".into(),
    };
    answered!(office.act(delete).await, ok);
    assert_eq!(office.list().await.revoked.len(), 2);
    for connection in &connections {
        // Not even as a stranger, on the connection that stands and at the next handshake.
        answered!(office.ask(connection, query()).await, NotAuthenticated);
        assert_eq!(office.verdict(connection), Some(certs::ChainError::Revoked));
    }
    answered!(office.ask(&other, query()).await, ok);
    // Nor does it open a client that is made with the same name and key, as long as nobody issues anew.
    answered!(office.client("db", Some("db"), None).await, ok);
    answered!(office.ask(&connections[0], query()).await, NotAuthenticated);
    let again = connect(&office.issue("db", &keys[0]).await);
    answered!(office.ask(&again, query()).await, ok);
    answered!(office.ask(&connections[0], query()).await, NotAuthenticated);
}

#[tokio::test]
async fn a_renewed_certificate_leaves_the_old_one_until_its_end_or_revokes_it_as_asked() {
    let office = Office::open().await;
    office.issuer().await;
    answered!(office.client("db", None, None).await, ok);
    let one = key();
    let first = office.issue("db", &one).await;
    let days = |days: u32, revoke_former: Option<bool>, key: &PrivateKey| CertificateIssueRequest {
        validity: Some(kmip_protocol::Interval(days * 86_400)),
        revoke_former,
        ..issue_for("db", key)
    };
    let short = issued(office.act(days(2, None, &one)).await);
    let ends: Vec<i64> = office.certificates().await.iter().map(|one| one.expires.0).collect();
    assert_eq!(ends, [BEGIN + 365 * DAY, BEGIN + 2 * DAY]);
    for connection in [connect(&first), connect(&short)] {
        answered!(office.ask(&connection, query()).await, ok);
    }
    // One of two certificates for a key, and the other goes on.
    answered!(office.act(revoke(&connect(&first), Some(&first))).await, ok);
    answered!(office.ask(&connect(&first), query()).await, NotAuthenticated);
    answered!(office.ask(&connect(&short), query()).await, ok);
    answered!(office.act(revoke(&connect(&first), Some(&first))).await, NotFound);
    // The next before this one ends, for the same key.
    let next = issued(office.act(days(30, Some(true), &one)).await);
    answered!(office.ask(&connect(&short), query()).await, NotAuthenticated);
    answered!(office.ask(&connect(&next), query()).await, ok);
    assert_eq!(office.certificates().await.len(), 1);
    assert_eq!(office.list().await.revoked.len(), 2);
    // And for another key: the former key is known no longer.
    let other = key();
    let last = issued(office.act(days(30, Some(true), &other)).await);
    answered!(office.ask(&connect(&next), query()).await, NotAuthenticated);
    answered!(office.ask(&connect(&last), query()).await, ok);
    answered!(office.act(revoke(&connect(&next), None)).await, NotFound);
    // The last one for a key takes the key with it, whatever name stands in it.
    let stranger = office.house.alice.certificate.chain()[0].clone();
    let foreign = CertificateRevokeRequest {
        certificate: Some(stranger),
        ..revoke(&connect(&last), None)
    };
    answered!(office.act(foreign).await, NotFound);
    answered!(office.act(revoke(&connect(&last), Some(&last))).await, ok);
    answered!(office.act(revoke(&connect(&last), None)).await, NotFound);
    assert!(office.certificates().await.is_empty());
}

#[tokio::test]
async fn a_certificate_that_ended_opens_nothing_and_its_renewal_does() {
    let office = Office::open().await;
    office.issuer().await;
    answered!(office.client("db", None, None).await, ok);
    let one = key();
    let request = CertificateIssueRequest {
        validity: Some(kmip_protocol::Interval(3_600)),
        ..issue_for("db", &one)
    };
    let short = connect(&issued(office.act(request).await));
    answered!(office.ask(&short, query()).await, ok);
    office.house.clock.advance(3_601);
    answered!(office.ask(&short, query()).await, NotAuthenticated);
    let renewed = connect(&office.issue("db", &one).await);
    answered!(office.ask(&renewed, query()).await, ok);
    // What has ended is neither told nor put on a list.
    assert_eq!(office.certificates().await.len(), 1);
    answered!(office.act(revoke(&renewed, None)).await, ok);
    assert_eq!(office.list().await.revoked.len(), 1);
}

#[tokio::test]
async fn a_list_is_made_anew_before_it_ends() {
    let office = Office::open().await;
    office.issuer().await;
    let first = office.list().await;
    assert_eq!(first.next_update, Some(BEGIN + 7 * DAY));
    let advance = |days: i64| office.house.clock.advance(days * DAY);
    advance(3);
    assert_eq!(office.list().await.this_update, first.this_update);
    advance(1);
    let second = office.list().await;
    assert_eq!(second.this_update, BEGIN + 4 * DAY);
    assert_eq!(second.next_update, Some(BEGIN + 11 * DAY));
    // Nobody fetched it for long: whoever does has one that holds.
    advance(100);
    assert_eq!(office.list().await.this_update, BEGIN + 104 * DAY);
    let withdraw = AuthorityDeleteRequest {
        authority_name: "own".into(),
    };
    answered!(office.act(withdraw).await, ok);
}
