//! Clients that renew their own certificate by Re-certify: for the same key, in the same words, for no longer than before, and nobody else's.

use super::ConnectionFacts;
use super::governing::{govern, rule};
use super::members::ticket;
use super::office::{Office, answered, query};
use super::testing::{BEGIN, facts};
use certs::{CertificateAuthority, CertificateFacts, CertificateRequest, KeyKind, PrivateKey, Subject, Validity, Wish};
use kmip_protocol::{
    Attribute, AuthorityModifyRequest, AuthorityStatus, Certificate, CertificateIssueRequest, CertificateRequestType,
    CertificateRevokeRequest, CertificateType, ClientModifyRequest, ClientSettings, Completion, DateTime,
    DelegatedLoginRequest, GetRequest, Interval, Link, LinkType, ManagedObject, Operation, ReCertifyRequest,
    RegisterRequest, ResponseItem, ResponsePayload, Right, Rights, RuleMatch, UniqueIdentifier,
    X_509CertificateSubject,
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A client that renews its certificates, at work.
struct Shop {
    office: Office,
    key: PrivateKey,
    authority: Vec<u8>,
    /// Its first certificate, as its authority issued it, as an object that it keeps, and in a connection.
    first: Vec<u8>,
    object: String,
    client: ConnectionFacts,
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::P256).unwrap()
}

fn renews(renews: bool) -> ClientSettings {
    ClientSettings {
        renews_certificate: Some(renews),
        ..ClientSettings::default()
    }
}

fn renewal(object: &str) -> ReCertifyRequest {
    ReCertifyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(object.into())),
        ..ReCertifyRequest::default()
    }
}

fn with(object: &str, attributes: Vec<Attribute>) -> ReCertifyRequest {
    ReCertifyRequest {
        attributes: Some(attributes.into_iter().collect()),
        ..renewal(object)
    }
}

fn by_request(object: &str, key: &PrivateKey, name: &str) -> ReCertifyRequest {
    let request = CertificateRequest::create(&Subject::named(name), &[], key).unwrap();
    ReCertifyRequest {
        certificate_request_type: Some(CertificateRequestType::PKCS_10),
        certificate_request: Some(request),
        ..renewal(object)
    }
}

fn made(item: ResponseItem) -> String {
    match answered!(item, ok).payload {
        Some(ResponsePayload::ReCertify(made)) => made.unique_identifier,
        Some(ResponsePayload::Register(made)) => made.unique_identifier,
        _ => panic!("nothing made"),
    }
}

impl Shop {
    async fn open() -> Self {
        Self::for_days(None).await
    }

    async fn for_days(days: Option<i64>) -> Self {
        let office = Office::open().await;
        office.issuer().await;
        answered!(office.client("db", None, Some(renews(true))).await, ok);
        let key = key();
        let request = CertificateIssueRequest {
            validity: days.map(|days| Interval(u32::try_from(days * DAY).unwrap())),
            ..super::office::issue_for("db", &key)
        };
        let item = answered!(office.act(request).await, ok);
        let Some(ResponsePayload::CertificateIssue(issued)) = item.payload else {
            panic!("no certificate");
        };
        let (first, authority) = (issued.certificate, issued.authority);
        let client = facts(vec![first.clone(), authority.clone()]);
        let mut shop = Self {
            office,
            key,
            authority,
            first: first.clone(),
            object: String::new(),
            client,
        };
        shop.object = shop.keep(&shop.client, &first).await;
        shop
    }

    async fn keep(&self, as_: &ConnectionFacts, der: &[u8]) -> String {
        let object: ManagedObject = Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: der.to_vec(),
        }
        .into();
        let request = RegisterRequest {
            object_type: object.object_type(),
            attributes: Vec::<Attribute>::new().into_iter().collect(),
            object,
            protection_storage_masks: None,
        };
        made(self.office.ask(as_, request).await)
    }

    async fn renew(&self, request: ReCertifyRequest) -> ResponseItem {
        self.office.ask(&self.client, request).await
    }

    async fn value(&self, object: &str) -> Vec<u8> {
        let request = GetRequest {
            unique_identifier: Some(UniqueIdentifier::Text(object.into())),
            ..GetRequest::default()
        };
        match answered!(self.office.ask(&self.client, request).await, ok).payload {
            Some(ResponsePayload::Get(got)) => match got.object {
                ManagedObject::Certificate(certificate) => certificate.certificate_value,
                _ => panic!("no certificate"),
            },
            _ => panic!("not got"),
        }
    }

    fn connect(&self, der: &[u8]) -> ConnectionFacts {
        facts(vec![der.to_vec(), self.authority.clone()])
    }

    /// When each certificate ends that the client is told to have.
    async fn ends(&self) -> Vec<i64> {
        let request = kmip_protocol::ClientGetRequest {
            client_name: "db".into(),
        };
        match answered!(self.office.act(request).await, ok).payload {
            Some(ResponsePayload::ClientGet(told)) => {
                told.client.certificates.iter().map(|one| one.expires.0).collect()
            }
            _ => panic!("no client"),
        }
    }

    async fn settle(&self, settings: ClientSettings) {
        let request = ClientModifyRequest {
            client_name: "db".into(),
            new_name: None,
            settings: Some(settings),
            credentials: Vec::new(),
            password: None,
            user: None,
        };
        answered!(self.office.act(request).await, ok);
    }

    fn revoke(&self, certificate: Option<&[u8]>) -> CertificateRevokeRequest {
        CertificateRevokeRequest {
            client_name: "db".into(),
            key_fingerprint: self.client.certificate.key_fingerprint().to_vec(),
            certificate: certificate.map(<[u8]>::to_vec),
        }
    }
}

#[tokio::test]
async fn a_client_renews_its_own_certificate_for_its_own_key() {
    let shop = Shop::open().await;
    shop.office.house.clock.advance(100 * DAY);
    let second = shop.value(&made(shop.renew(renewal(&shop.object)).await)).await;
    let (was, is) = (
        CertificateFacts::read(&shop.first).unwrap(),
        CertificateFacts::read(&second).unwrap(),
    );
    assert_eq!(
        (is.subject_der, is.key_fingerprint),
        (was.subject_der, was.key_fingerprint)
    );
    assert_eq!((is.issuer, is.is_authority), (was.issuer, false));
    assert_eq!(is.extended_key_usages, was.extended_key_usages);
    assert_ne!(is.serial, was.serial);
    assert_eq!(is.not_after, BEGIN + 465 * DAY);
    assert_eq!(shop.ends().await, [BEGIN + 365 * DAY, BEGIN + 465 * DAY]);
    let (old, new) = (&shop.client, shop.connect(&second));
    answered!(shop.office.ask(&new, query()).await, ok);
    answered!(shop.office.ask(old, query()).await, ok);
    // The trail says of whom.
    let entries = shop.office.house.entries().await.into_iter();
    let of_client = entries.filter(|entry| entry.operation == Operation::ReCertify.0);
    let objects: Vec<_> = of_client
        .flat_map(|entry| entry.objects)
        .map(|one| one.unique_identifier)
        .collect();
    assert!(objects.iter().any(|name| name == "client db"), "{objects:?}");
    // The former holds to its end, and the new one on its own from then on.
    shop.office.house.clock.advance(265 * DAY + 1);
    answered!(shop.office.ask(old, query()).await, NotAuthenticated);
    answered!(shop.office.ask(&new, query()).await, ok);
    // One person takes both away, with the key.
    answered!(shop.office.act(shop.revoke(None)).await, ok);
    answered!(shop.office.ask(&new, query()).await, NotAuthenticated);
}

#[tokio::test]
async fn one_certificate_of_two_is_taken_back_alone() {
    let shop = Shop::open().await;
    let second = shop.value(&made(shop.renew(renewal(&shop.object)).await)).await;
    answered!(shop.office.act(shop.revoke(Some(&shop.first))).await, ok);
    answered!(shop.office.ask(&shop.client, query()).await, NotAuthenticated);
    let second = shop.connect(&second);
    answered!(shop.office.ask(&second, query()).await, ok);
    // One that was revoked is renewed no more, whoever still keeps it.
    answered!(shop.office.ask(&second, renewal(&shop.object)).await, NoIssuer);
    assert_eq!(shop.ends().await.len(), 1);
}

#[tokio::test]
async fn whoever_renews_becomes_nobody_else_and_nothing_more() {
    let shop = Shop::open().await;
    // A request for a certificate shows its key, and says nothing.
    let named = made(shop.renew(by_request(&shop.object, &shop.key, "administrator")).await);
    let named = CertificateFacts::read(&shop.value(&named).await).unwrap();
    assert_eq!(named.subject, CertificateFacts::read(&shop.first).unwrap().subject);
    answered!(shop.renew(by_request(&shop.object, &key(), "db")).await, InvalidCsr);
    let subject_distinguished_name = CertificateFacts::read(&shop.authority).unwrap().subject_der;
    let subject = Attribute::X_509CertificateSubject(X_509CertificateSubject {
        subject_distinguished_name,
        subject_alternative_names: Vec::new(),
    });
    answered!(shop.renew(with(&shop.object, vec![subject])).await, NotCertifiable);
    // Somebody else's certificate, which is no secret.
    answered!(shop.office.client("other", None, Some(renews(true))).await, ok);
    let others = shop.office.issue("other", &key()).await;
    let kept = shop.keep(&shop.client, &others.certificate).await;
    answered!(shop.renew(renewal(&kept)).await, NoIssuer);
    // And one that only looks like its own: the same key and number, from another authority.
    let validity = Validity::days(BEGIN, 3_000);
    let forger = CertificateAuthority::create(&Subject::named("forger"), validity, KeyKind::P256).unwrap();
    let forger = certs::Issuer::new(forger.certificate(), &forger.key().to_der()).unwrap();
    let own = shop.value(&made(shop.renew(renewal(&shop.object)).await)).await;
    let serial = CertificateFacts::read(&own).unwrap().serial;
    let wish = Wish::of_certificate(&own).unwrap();
    let forged = forger.certify(&wish, validity, serial.try_into().unwrap()).unwrap();
    let kept = shop.keep(&shop.client, &forged).await;
    answered!(shop.renew(renewal(&kept)).await, NoIssuer);
    let kept = shop.keep(&shop.client, &own).await;
    let last = made(shop.renew(renewal(&kept)).await);
    // There is an end to it, until one has run out or somebody takes one back.
    answered!(shop.renew(renewal(&last)).await, LimitExceeded);
    assert_eq!(shop.ends().await.len(), 4);
}

#[tokio::test]
async fn a_renewal_lasts_no_longer_than_what_was_given() {
    let shop = Shop::for_days(Some(10)).await;
    let last = |days: i64| Attribute::DeactivationDate(DateTime(BEGIN + days * DAY));
    let until = async |request| {
        let der = shop.value(&made(shop.renew(request).await)).await;
        CertificateFacts::read(&der).unwrap()
    };
    assert_eq!(
        until(with(&shop.object, vec![last(1_000)])).await.not_after,
        BEGIN + 10 * DAY
    );
    shop.office.house.clock.advance(DAY);
    assert_eq!(
        until(with(&shop.object, vec![last(5)])).await.not_after,
        BEGIN + 5 * DAY
    );
    answered!(
        shop.renew(with(&shop.object, vec![last(0)])).await,
        InvalidAttributeValue
    );
    // To begin later is not to end later.
    let later = ReCertifyRequest {
        offset: Some(Interval(86_400)),
        ..renewal(&shop.object)
    };
    let later = until(later).await;
    assert_eq!((later.not_before, later.not_after), (BEGIN + 2 * DAY, BEGIN + 11 * DAY));
    // Of ten years that people gave it gives itself one.
    let shop = Shop::for_days(Some(3_650)).await;
    let der = shop.value(&made(shop.renew(renewal(&shop.object)).await)).await;
    assert_eq!(CertificateFacts::read(&der).unwrap().not_after, BEGIN + 365 * DAY);
}

#[tokio::test]
async fn it_is_for_people_to_permit_and_to_stop() {
    let shop = Shop::open().await;
    shop.settle(renews(false)).await;
    answered!(shop.renew(renewal(&shop.object)).await, NoIssuer);
    shop.settle(renews(true)).await;
    // An authority that issues no more issues nothing here either.
    let status = |status| AuthorityModifyRequest {
        authority_name: "own".into(),
        new_name: None,
        revocation_lists: Vec::new(),
        refuse_stale: None,
        status: Some(status),
    };
    answered!(shop.office.act(status(AuthorityStatus::Retired)).await, ok);
    answered!(shop.renew(renewal(&shop.object)).await, NoIssuer);
    answered!(shop.office.act(status(AuthorityStatus::Active)).await, ok);
    // Nor is the authority's key one that others are named by.
    let above = shop.keep(&shop.client, &shop.authority).await;
    let link = Attribute::Link(Link {
        link_type: LinkType::CertificateLink,
        linked_object_identifier: UniqueIdentifier::Text(above),
    });
    answered!(shop.renew(with(&shop.object, vec![link])).await, NoIssuer);
    // What was delegated is not who has it.
    let delegated = DelegatedLoginRequest {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights {
            rights: vec![Right {
                usage_limits: None,
                operations: None,
                objects: None,
                object_groups: None,
            }],
        },
    };
    let item = answered!(shop.office.ask(&shop.client, delegated).await, ok);
    let Some(ResponsePayload::DelegatedLogin(given)) = item.payload else {
        panic!("no ticket");
    };
    let house = &shop.office.house;
    let shown = vec![ticket(&given.ticket)];
    answered!(
        house.ask_over(renewal(&shop.object), &shop.client, shown).await,
        RightsRefused
    );
    assert_eq!(shop.ends().await.len(), 1);
    answered!(shop.renew(renewal(&shop.object)).await, ok);
}

/// A tenant whose policy has people agree to each certificate has them agree to these.
#[tokio::test]
async fn a_rule_on_issuing_governs_it() {
    let shop = Shop::open().await;
    let mut only = rule(Operation::CertificateIssue, Completion::OnQuorum);
    only.rule_match = RuleMatch {
        operations: vec![Operation::CertificateIssue],
        ..RuleMatch::default()
    };
    govern(&shop.office.house, vec![only]).await;
    let waits = shop.renew(renewal(&shop.object)).await.result_message;
    assert_eq!(
        waits.as_deref(),
        Some("others must agree to this request (rule two-operators)")
    );
    // What is nobody's identity is not meant by it.
    shop.settle(renews(false)).await;
    answered!(shop.renew(renewal(&shop.object)).await, NoIssuer);
}
