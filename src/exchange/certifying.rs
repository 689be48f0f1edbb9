//! Certify, Re-certify and Validate: who gets which certificate, from whom, and what nobody gets.

use super::ConnectionFacts;
use super::office::{Office, answered};
use super::testing::{BEGIN, leaf, named};
use crate::identity::kind;
use certs::{
    AlternativeName, CertificateAuthority, CertificateFacts, CertificateRequest, KeyKind, PrivateKey, Subject, Validity,
};
use kmip_protocol::{
    ArchiveRequest, Attribute, Attributes, AuthorityCreateRequest, AuthorityModifyRequest, Certificate,
    CertificateRequestType, CertificateType, CertifyRequest, ClientSettings, CryptographicUsageMask, DateTime,
    GetAttributesRequest, GetRequest, Interval, KeyBlock, KeyFormatType, KeyMaterial, KeyValue, Link, LinkType,
    ManagedObject, PlainKeyValue, ReCertifyRequest, RecoverRequest, RegisterRequest, ResponseItem, ResponsePayload,
    RevocationReason, RevocationReasonCode, RevokeRequest, TemplateAttribute, UniqueIdentifier, ValidateRequest,
    ValidityIndicator,
};
use kmip_ttlv::Secret;

struct Bureau {
    office: Office,
    /// The client that keeps the authority.
    keeper: ConnectionFacts,
    /// The authority's certificate object, and its private key's.
    issuer: String,
    key: String,
    ca: CertificateAuthority,
    /// A client that it certifies for.
    client: ConnectionFacts,
}

fn block(format: KeyFormatType, bytes: &[u8]) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(Secret::copy_from(bytes)),
            attributes: None,
        })),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

fn link(link_type: LinkType, to: &str) -> Attribute {
    Attribute::Link(Link {
        link_type,
        linked_object_identifier: text(to),
    })
}

fn text(name: &str) -> UniqueIdentifier {
    UniqueIdentifier::Text(name.to_owned())
}

fn template(attributes: Vec<Attribute>) -> TemplateAttribute {
    attributes.into_iter().collect()
}

fn certificate(der: &[u8]) -> ManagedObject {
    Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: der.to_vec(),
    }
    .into()
}

fn csr(key: &PrivateKey, name: &str) -> Option<Vec<u8>> {
    let names = [AlternativeName::Dns("host.example".into())];
    Some(CertificateRequest::create(&Subject::named(name), &names, key).unwrap())
}

fn by_request(request: Option<Vec<u8>>, attributes: Vec<Attribute>) -> CertifyRequest {
    CertifyRequest {
        certificate_request_type: Some(CertificateRequestType::PKCS_10),
        certificate_request: request,
        attributes: Some(template(attributes)),
        ..CertifyRequest::default()
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::P256).unwrap()
}

fn made(item: &ResponseItem) -> String {
    match &item.payload {
        Some(ResponsePayload::Certify(made)) => made.unique_identifier.clone(),
        Some(ResponsePayload::ReCertify(made)) => made.unique_identifier.clone(),
        Some(ResponsePayload::Register(made)) => made.unique_identifier.clone(),
        _ => panic!("nothing made: {:?} {:?}", item.result_reason, item.result_message),
    }
}

async fn put(office: &Office, as_: &ConnectionFacts, object: ManagedObject, attributes: Vec<Attribute>) -> String {
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: template(attributes),
        object,
        protection_storage_masks: None,
    };
    made(&office.ask(as_, request).await)
}

impl Bureau {
    async fn open(mask: CryptographicUsageMask) -> Self {
        let office = Office::open().await;
        office.issuer().await;
        let keeper = office.connected("keeper", None, ClientSettings::default()).await;
        let validity = Validity::days(BEGIN, 1_000);
        let ca = CertificateAuthority::create(&Subject::named("bureau"), validity, KeyKind::P256).unwrap();
        let block = block(KeyFormatType::PKCS_8, &ca.key().to_der());
        let private: ManagedObject = kmip_protocol::PrivateKey { key_block: block }.into();
        let usage = vec![
            Attribute::CryptographicUsageMask(mask),
            Attribute::ActivationDate(DateTime(BEGIN - 10)),
        ];
        let key = put(&office, &keeper, private, usage).await;
        let to_key = vec![link(LinkType::PrivateKeyLink, &key)];
        let issuer = put(&office, &keeper, certificate(ca.certificate()), to_key).await;
        let settings = ClientSettings {
            issuing_certificate: Some(issuer.clone()),
            ..ClientSettings::default()
        };
        let client = office.connected("client", None, settings).await;
        Self {
            office,
            keeper,
            issuer,
            key,
            ca,
            client,
        }
    }

    async fn signing() -> Self {
        Self::open(CryptographicUsageMask::CertificateSign).await
    }

    async fn certify(&self, request: CertifyRequest) -> ResponseItem {
        self.office.ask(&self.client, request).await
    }

    async fn value(&self, name: &str) -> CertificateFacts {
        let request = GetRequest {
            unique_identifier: Some(text(name)),
            ..GetRequest::default()
        };
        match self.office.ask(&self.client, request).await.payload {
            Some(ResponsePayload::Get(got)) => match got.object {
                ManagedObject::Certificate(certificate) => {
                    CertificateFacts::read(&certificate.certificate_value).unwrap()
                }
                _ => panic!("no certificate"),
            },
            _ => panic!("not got"),
        }
    }

    async fn attributes(&self, name: &str) -> Attributes {
        let request = GetAttributesRequest {
            unique_identifier: Some(text(name)),
            references: Vec::new(),
        };
        match self.office.ask(&self.client, request).await.payload {
            Some(ResponsePayload::GetAttributes(got)) => got.attributes,
            _ => panic!("no attributes"),
        }
    }

    async fn links(&self, name: &str) -> Vec<(LinkType, UniqueIdentifier)> {
        let attributes = self.attributes(name).await;
        let links = attributes
            .0
            .into_iter()
            .filter_map(|instance| match instance.attribute {
                Attribute::Link(link) => Some((link.link_type, link.linked_object_identifier)),
                _ => None,
            });
        links.collect()
    }

    async fn public_key(&self, key: &PrivateKey, mask: CryptographicUsageMask) -> String {
        let key_block = block(KeyFormatType::X_509, &key.public_key_info());
        let public: ManagedObject = kmip_protocol::PublicKey { key_block }.into();
        let usage = vec![Attribute::CryptographicUsageMask(mask)];
        put(&self.office, &self.client, public, usage).await
    }

    async fn validity(&self, as_: &ConnectionFacts, request: ValidateRequest) -> ValidityIndicator {
        match self.office.ask(as_, request).await.payload {
            Some(ResponsePayload::Validate(told)) => told.validity_indicator,
            _ => panic!("not told"),
        }
    }
}

/// What is put away is used for nothing, also where people have named it.
#[tokio::test]
async fn an_archived_authority_issues_nothing() {
    for put_away in [0, 1] {
        let bureau = Bureau::signing().await;
        let request = || by_request(csr(&key(), "one"), Vec::new());
        made(&bureau.certify(request()).await);
        let unique_identifier = || Some(text([&bureau.issuer, &bureau.key][put_away]));
        let archive = ArchiveRequest {
            unique_identifier: unique_identifier(),
        };
        answered!(bureau.office.ask(&bureau.keeper, archive).await, ok);
        answered!(bureau.certify(request()).await, NoIssuer);
        let recover = RecoverRequest {
            unique_identifier: unique_identifier(),
        };
        answered!(bureau.office.ask(&bureau.keeper, recover).await, ok);
        made(&bureau.certify(request()).await);
    }
}

#[tokio::test]
async fn the_tenants_authority_certifies_for_whom_the_settings_permit() {
    let bureau = Bureau::signing().await;
    let one = key();
    let item = bureau.certify(by_request(csr(&one, "db"), vec![named("cert")])).await;
    let name = made(&item);
    let facts = bureau.value(&name).await;
    assert_eq!(facts.issuer, "CN=bureau");
    assert_eq!(facts.public_key.info, one.public_key_info());
    assert!(facts.not_before <= BEGIN && facts.not_after == BEGIN + 365 * 86_400);
    assert!(bureau.links(&name).await.is_empty());
    // The authority is there for its issuing alone, and for nobody whose settings do not say so.
    let get = GetRequest {
        unique_identifier: Some(text(&bureau.key)),
        ..GetRequest::default()
    };
    answered!(bureau.office.ask(&bureau.client, get).await, ObjectNotFound);
    let other = bureau.office.connected("other", None, ClientSettings::default()).await;
    let again = by_request(csr(&one, "db"), Vec::new());
    answered!(bureau.office.ask(&other, again.clone()).await, NoIssuer);
    let above = link(LinkType::CertificateLink, &bureau.issuer);
    let naming = by_request(csr(&one, "db"), vec![above.clone()]);
    answered!(bureau.office.ask(&other, naming.clone()).await, ObjectNotFound);
    // Whoever keeps it names it.
    let item = answered!(bureau.office.ask(&bureau.keeper, naming).await, ok);
    assert!(!made(&item).is_empty());
    answered!(bureau.office.ask(&bureau.keeper, again).await, NoIssuer);
}

#[tokio::test]
async fn an_authority_that_recognises_people_or_clients_certifies_for_nobody() {
    let bureau = Bureau::signing().await;
    let enroll = AuthorityCreateRequest {
        authority_name: "bureau".into(),
        certificate: Some(bureau.ca.certificate().to_vec()),
        hardware: None,
        revocation_lists: Vec::new(),
    };
    answered!(bureau.certify(by_request(csr(&key(), "db"), Vec::new())).await, ok);
    answered!(bureau.office.act(enroll).await, ok);
    answered!(
        bureau.certify(by_request(csr(&key(), "db"), Vec::new())).await,
        NoIssuer
    );
}

#[tokio::test]
async fn a_key_without_certificate_sign_or_after_its_time_issues_nothing() {
    let bureau = Bureau::open(CryptographicUsageMask::Sign).await;
    answered!(
        bureau.certify(by_request(csr(&key(), "db"), Vec::new())).await,
        NoIssuer
    );
    let bureau = Bureau::signing().await;
    let revoke = RevokeRequest {
        unique_identifier: Some(text(&bureau.key)),
        revocation_reason: RevocationReason {
            revocation_reason_code: RevocationReasonCode::KeyCompromise,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    answered!(bureau.office.ask(&bureau.keeper, revoke).await, ok);
    answered!(
        bureau.certify(by_request(csr(&key(), "db"), Vec::new())).await,
        NoIssuer
    );
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused() {
    let bureau = Bureau::signing().await;
    let mask = CryptographicUsageMask::Verify;
    let (one, other) = (key(), key());
    let public = bureau.public_key(&one, mask).await;
    let of = |request: Option<Vec<u8>>, attributes| CertifyRequest {
        unique_identifier: Some(text(&public)),
        ..by_request(request, attributes)
    };
    answered!(bureau.certify(of(csr(&other, "db"), Vec::new())).await, InvalidCsr);
    answered!(bureau.certify(of(Some(b"junk".to_vec()), Vec::new())).await, InvalidCsr);
    answered!(bureau.certify(of(None, Vec::new())).await, MissingField);
    let pgp = CertifyRequest {
        certificate_request_type: Some(CertificateRequestType::PGP),
        ..of(csr(&one, "db"), Vec::new())
    };
    answered!(bureau.certify(pgp).await, FeatureNotSupported);
    let authority = Attribute::CryptographicUsageMask(CryptographicUsageMask::CertificateSign);
    answered!(
        bureau.certify(of(csr(&one, "db"), vec![authority])).await,
        NotCertifiable
    );
    let over = Attribute::DeactivationDate(DateTime(BEGIN));
    answered!(
        bureau.certify(of(csr(&one, "db"), vec![over])).await,
        InvalidAttributeValue
    );
    // Without a certificate request: type and name come with the attributes.
    let plain = |attributes| CertifyRequest {
        unique_identifier: Some(text(&public)),
        attributes: Some(template(attributes)),
        ..CertifyRequest::default()
    };
    let x509 = Attribute::CertificateType(CertificateType::X_509);
    let subject = Attribute::CertificateSubjectCN("db".into());
    answered!(bureau.certify(plain(vec![subject.clone()])).await, MissingField);
    answered!(bureau.certify(plain(vec![x509.clone()])).await, InvalidCsr);
    let country = Attribute::CertificateSubjectC("DE".into());
    let item = answered!(bureau.certify(plain(vec![x509, subject, country])).await, ok);
    assert_eq!(bureau.value(&made(&item)).await.subject, "C=DE, CN=db");
    // No certificate of an object of another type.
    let certificate = CertifyRequest {
        unique_identifier: Some(text(&made(&item))),
        ..by_request(csr(&one, "db"), Vec::new())
    };
    answered!(bureau.certify(certificate).await, UnusableObjectType);
}

fn has(attributes: &Attributes, attribute: &Attribute) -> bool {
    attributes.0.iter().any(|instance| instance.attribute == *attribute)
}

#[tokio::test]
async fn a_renewed_certificate_takes_the_place_of_the_former() {
    let bureau = Bureau::signing().await;
    let one = key();
    let public = bureau.public_key(&one, CryptographicUsageMask::Verify).await;
    let first = CertifyRequest {
        unique_identifier: Some(text(&public)),
        ..by_request(
            csr(&one, "db"),
            vec![
                named("cert"),
                Attribute::ContactInformation("us".into()),
                Attribute::ActivationDate(DateTime(BEGIN + 10)),
                Attribute::DeactivationDate(DateTime(BEGIN + 1_000)),
            ],
        )
    };
    let first = made(&bureau.certify(first).await);
    let facts = bureau.value(&first).await;
    assert_eq!((facts.not_before, facts.not_after), (BEGIN + 10, BEGIN + 1_000));
    let renew = |name: &str, offset, attributes| ReCertifyRequest {
        unique_identifier: Some(text(name)),
        offset,
        attributes: Some(template(attributes)),
        ..ReCertifyRequest::default()
    };
    let ask = |request| bureau.office.ask(&bureau.client, request);
    let both = renew(
        &first,
        Some(Interval(5)),
        vec![Attribute::ActivationDate(DateTime(BEGIN))],
    );
    answered!(ask(both).await, InvalidMessage);
    let other = ReCertifyRequest {
        certificate_request_type: Some(CertificateRequestType::PKCS_10),
        certificate_request: csr(&key(), "db"),
        ..renew(&first, None, Vec::new())
    };
    answered!(ask(other).await, InvalidCsr);
    answered!(ask(renew(&public, None, Vec::new())).await, UnusableObjectType);
    let second = made(&ask(renew(&first, Some(Interval(100)), vec![named("second")])).await);
    let again = bureau.value(&second).await;
    assert_eq!((again.not_before, again.not_after), (BEGIN + 100, BEGIN + 1_090));
    assert_eq!(
        (&again.subject, &again.alternative_names),
        (&facts.subject, &facts.alternative_names)
    );
    assert_ne!(again.serial, facts.serial);
    assert_eq!(
        bureau.links(&public).await,
        [(LinkType::CertificateLink, text(&second))]
    );
    let to = |link_type, name: &str| (link_type, text(name));
    assert_eq!(
        bureau.links(&second).await,
        [
            to(LinkType::ReplacedObjectLink, &first),
            to(LinkType::PublicKeyLink, &public)
        ]
    );
    assert_eq!(
        bureau.links(&first).await,
        [
            to(LinkType::PublicKeyLink, &public),
            to(LinkType::ReplacementObjectLink, &second)
        ]
    );
    let names = |attributes: Attributes| {
        let names = attributes
            .0
            .into_iter()
            .filter_map(|instance| match instance.attribute {
                Attribute::Name(name) => Some(name.name_value),
                _ => None,
            });
        names.collect::<Vec<_>>()
    };
    assert!(names(bureau.attributes(&first).await).is_empty());
    // The server made both: it knows when (KMIP 2.1 §4.38).
    assert!(has(
        &bureau.attributes(&first).await,
        &Attribute::OriginalCreationDate(DateTime(BEGIN))
    ));
    let attributes = bureau.attributes(&second).await;
    assert!(has(&attributes, &Attribute::OriginalCreationDate(DateTime(BEGIN))));
    assert!(has(&attributes, &Attribute::ContactInformation("us".into())));
    assert_eq!(names(attributes), ["cert", "second"]);
}

#[tokio::test]
async fn a_chain_is_told_apart_by_whom_it_leads_to() {
    let bureau = Bureau::signing().await;
    let name = made(&bureau.certify(by_request(csr(&key(), "db"), Vec::new())).await);
    let chain = ValidateRequest {
        unique_identifiers: vec![text(&name)],
        ..ValidateRequest::default()
    };
    assert_eq!(
        bureau.validity(&bureau.client, chain.clone()).await,
        ValidityIndicator::Valid
    );
    let later = ValidateRequest {
        validity_date: Some(DateTime(BEGIN + 400 * 86_400)),
        ..chain
    };
    assert_eq!(bureau.validity(&bureau.client, later).await, ValidityIndicator::Invalid);
    // An authority that a request only brings is nobody's; one that the client keeps is its own.
    let stranger = CertificateAuthority::create(&Subject::named("x"), Validity::days(BEGIN, 9), KeyKind::P256).unwrap();
    let brought = |der: &[u8]| Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: der.to_vec(),
    };
    let given = ValidateRequest {
        certificates: vec![brought(stranger.certificate())],
        ..ValidateRequest::default()
    };
    assert_eq!(bureau.validity(&bureau.client, given).await, ValidityIndicator::Unknown);
    let kept = put(
        &bureau.office,
        &bureau.client,
        certificate(stranger.certificate()),
        Vec::new(),
    )
    .await;
    let given = ValidateRequest {
        unique_identifiers: vec![text(&kept)],
        ..ValidateRequest::default()
    };
    assert_eq!(
        bureau.validity(&bureau.client, given.clone()).await,
        ValidityIndicator::Valid
    );
    let ask = |request| bureau.office.ask(&bureau.keeper, request);
    answered!(ask(given).await, ObjectNotFound);
    answered!(ask(ValidateRequest::default()).await, MissingField);
    let keys = ValidateRequest {
        unique_identifiers: vec![text(&bureau.key)],
        ..ValidateRequest::default()
    };
    answered!(ask(keys).await, InvalidObjectType);
    let junk = ValidateRequest {
        certificates: vec![brought(b"junk")],
        ..ValidateRequest::default()
    };
    answered!(ask(junk).await, InvalidMessage);
}

/// A chain over an authority leads to those above it: where anybody is recognised by one of them, it certifies for nobody. Who is above
/// it must be kept here to be known.
#[tokio::test]
async fn an_authority_below_one_that_recognises_certifies_for_nobody() {
    let bureau = Bureau::signing().await;
    let days = |count| Validity::days(BEGIN, count);
    let root = CertificateAuthority::create(&Subject::named("root"), days(500), KeyKind::P256).unwrap();
    let below = root
        .create_subordinate(&Subject::named("below"), days(300), KeyKind::P256)
        .unwrap();
    let keep = |object, attributes| put(&bureau.office, &bureau.keeper, object, attributes);
    let key_block = block(KeyFormatType::PKCS_8, &below.key().to_der());
    let usage = vec![
        Attribute::CryptographicUsageMask(CryptographicUsageMask::CertificateSign),
        Attribute::ActivationDate(DateTime(BEGIN - 10)),
    ];
    let private = keep(kmip_protocol::PrivateKey { key_block }.into(), usage).await;
    let above = keep(certificate(root.certificate()), Vec::new()).await;
    let mut kept = Vec::new();
    for linked in [None, Some(&bureau.issuer), Some(&above)] {
        let mut links = vec![link(LinkType::PrivateKeyLink, &private)];
        links.extend(linked.map(|above| link(LinkType::CertificateLink, above)));
        kept.push(keep(certificate(below.certificate()), links).await);
    }
    let [alone, strange, whole] = kept.try_into().unwrap();
    let ask = |name: &str| {
        let naming = link(LinkType::CertificateLink, name);
        bureau
            .office
            .ask(&bureau.keeper, by_request(csr(&key(), "db"), vec![naming]))
    };
    answered!(ask(&whole).await, ok);
    answered!(ask(&alone).await, NoIssuer);
    answered!(ask(&strange).await, NoIssuer);
    let enroll = AuthorityCreateRequest {
        authority_name: "root".into(),
        certificate: Some(root.certificate().to_vec()),
        hardware: None,
        revocation_lists: Vec::new(),
    };
    answered!(bureau.office.act(enroll).await, ok);
    answered!(ask(&whole).await, NoIssuer);
}

/// An authority whose list is overdue vouches for nobody where people said so, and one damaged row keeps no other from being asked.
#[tokio::test]
async fn chains_are_judged_by_the_authorities_that_can_be() {
    let bureau = Bureau::signing().await;
    let ca =
        CertificateAuthority::create(&Subject::named("listed"), Validity::days(BEGIN, 500), KeyKind::P256).unwrap();
    let entity = ca.issue(&leaf("entity"), KeyKind::P256).unwrap().0;
    let enroll = AuthorityCreateRequest {
        authority_name: "listed".into(),
        certificate: Some(ca.certificate().to_vec()),
        hardware: None,
        revocation_lists: vec![ca.revocation_list(1, BEGIN, BEGIN + 100, &[]).unwrap()],
    };
    answered!(bureau.office.act(enroll).await, ok);
    let at = |date| ValidateRequest {
        certificates: vec![Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: entity.clone(),
        }],
        validity_date: Some(DateTime(date)),
        ..ValidateRequest::default()
    };
    let stands = |date| bureau.validity(&bureau.client, at(date));
    assert_eq!(stands(BEGIN + 50).await, ValidityIndicator::Valid);
    assert_eq!(stands(BEGIN + 200).await, ValidityIndicator::Valid);
    let refuse = AuthorityModifyRequest {
        authority_name: "listed".into(),
        new_name: None,
        revocation_lists: Vec::new(),
        refuse_stale: Some(true),
        status: None,
    };
    answered!(bureau.office.act(refuse).await, ok);
    assert_eq!(stands(BEGIN + 50).await, ValidityIndicator::Valid);
    assert_eq!(stands(BEGIN + 200).await, ValidityIndicator::Unknown);
    let house = &bureau.office.house;
    let damaged = house
        .all_rows()
        .await
        .into_iter()
        .find(|(place, body)| place.kind == kind::AUTHORITY && body.windows(8).any(|part| part == b"alice CA"));
    let mut row = house.row(damaged.unwrap().0).await;
    let mut body = row.body.to_vec();
    body[0] ^= 1;
    row.body = body.into();
    house.plant(row);
    assert_eq!(stands(BEGIN + 50).await, ValidityIndicator::Valid);
}
