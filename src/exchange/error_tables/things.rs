//! What the requests of the error tables are about, and how they are written.

use super::super::samples::registered;
use super::super::testing::{BEGIN, TestHouse, named as called, validity};
use super::item;
use certs::{CertificateAuthority, CertificateRequest, KeyKind, PrivateKey, Subject};
use kmip_protocol::{
    ArchiveRequest, AsynchronousIndicator, CryptographicUsageMask, KeyFormatType, LinkType, ObjectType, Operation,
    RequestHeader, RequestMessage, ResponsePayload, ResultReason, Version, tag,
};
use kmip_ttlv::{Tag, Writer};

/// Writes the payload of a request.
pub(in crate::exchange) type Say = fn(&mut Writer, &Things);

/// Operation, reason, and how it is provoked.
pub(in crate::exchange) type Row = (Operation, ResultReason, Say);

/// Declares rows: operation, reason, and how it is provoked.
macro_rules! rows {
    ($($operation:ident { $($reason:ident: $say:expr;)+ })+) => {
        /// Operation, reason, and how it is provoked.
        pub(in crate::exchange) const ROWS: &[super::things::Row] = &[$($(
            (kmip_protocol::Operation::$operation, kmip_protocol::ResultReason::$reason, $say),
        )+)+];
    };
}

pub(in crate::exchange) use rows;

/// Every usage that keys have in these tables.
const ALL_USES: i32 = 0x3FF;
/// A tag that no version has.
pub(in crate::exchange) const NOWHERE: Tag = Tag(0x42_FF00);

/// Objects of one client.
pub(in crate::exchange) struct Things {
    /// A key with two Object Groups, a Comment, a Contact Information, a Name; Pre-Active.
    pub key: String,
    /// An active one, which is called `taken`.
    pub active: String,
    /// One that is Deactivated.
    pub deactivated: String,
    pub archived: String,
    pub destroyed: String,
    /// One with as many attributes as an object may have.
    pub full: String,
    /// An active key that may be used for everything.
    pub working: String,
    /// One that may be used for nothing.
    pub idle: String,
    /// One that wraps in one way only.
    pub particular: String,
    /// One whose Usage Limits are nought.
    pub spent: String,
    /// One whose value is elsewhere.
    pub absent: String,
    /// One that came wrapped.
    pub wrapped: String,
    pub sensitive: String,
    pub kept: String,
    /// Secret Data that is permitted everything, which it is no good for.
    pub secret: String,
    /// A pair of RSA, likewise.
    pub private: String,
    pub public: String,
    /// A pair that agrees on keys and does not sign.
    pub agreeing: String,
    pub agreed: String,
    /// A public key on a curve over a prime field.
    pub point: String,
    /// A private key whose value is elsewhere, of that public one.
    pub absent_private: String,
    pub certificate: String,
    /// Parts of a key, of which three are needed.
    pub parts: Vec<String>,
    /// A part by XOR of which not all would be needed.
    pub odd: String,
    /// A part of a method of somebody else's.
    pub strange: String,
    /// A key whose Usage Limits are large.
    pub limited: String,
    /// A key, and a private one, that end and never began.
    pub undated: String,
    pub undated_private: String,
    pub compromised: String,
    /// One that has Application Specific Information.
    pub spoken_for: String,
    /// A template. Another one, which is archived, is called [`PUT_AWAY`].
    pub template: String,
    /// A public key, and a certificate request for it.
    pub subject: String,
    pub request: Vec<u8>,
    /// An authority's certificate, and one that it issued.
    pub issuer: String,
    pub issued: String,
    /// The Asynchronous Correlation Value of a request that waits.
    pub pending: Vec<u8>,
    /// What a delegated ticket is shown by.
    pub ticket: Vec<u8>,
}

/// Has something made. Gives the identifiers of what was.
async fn make(house: &TestHouse, operation: Operation, say: impl Fn(&mut Writer)) -> Vec<String> {
    let told = house
        .message(&message(item(operation, say)), &house.alice)
        .await
        .items
        .remove(0);
    match told.payload {
        Some(ResponsePayload::Create(made)) => vec![made.unique_identifier],
        Some(ResponsePayload::Register(made)) => vec![made.unique_identifier],
        Some(ResponsePayload::Certify(made)) => vec![made.unique_identifier],
        Some(ResponsePayload::ReCertify(made)) => vec![made.unique_identifier],
        Some(ResponsePayload::CreateSplitKey(made)) => made.unique_identifiers,
        Some(ResponsePayload::CreateKeyPair(made)) => {
            vec![made.private_key_unique_identifier, made.public_key_unique_identifier]
        }
        Some(_) => Vec::new(),
        None => panic!("{operation}: {:?} {:?}", told.result_reason, told.result_message),
    }
}

/// A message of one item.
pub(in crate::exchange) fn message(item: kmip_protocol::RequestItem) -> RequestMessage {
    RequestMessage {
        header: RequestHeader::new(Version::NEWEST, 1),
        items: vec![item],
    }
}

pub(in crate::exchange) async fn one(house: &TestHouse, operation: Operation, say: impl Fn(&mut Writer)) -> String {
    make(house, operation, say).await.remove(0)
}

/// A key that the server makes.
async fn created(house: &TestHouse, mask: i32, more: impl Fn(&mut Writer)) -> String {
    one(house, Operation::Create, |w| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        attributes(w, |w| {
            aes(w, mask);
            more(w);
        });
    })
    .await
}

/// A pair of keys that may be used for everything.
async fn pair(house: &TestHouse, algorithm: u32, more: impl Fn(&mut Writer)) -> (String, String) {
    let mut pair = make(house, Operation::CreateKeyPair, |w| {
        w.structure(tag::COMMON_ATTRIBUTES, |w| {
            w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, algorithm);
            w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, ALL_USES);
            more(w);
            begun(w);
        });
    })
    .await;
    (pair.remove(0), pair.remove(0))
}

fn curve(w: &mut Writer, number: u32) {
    w.structure(tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS, |w| {
        w.enumeration(tag::RECOMMENDED_CURVE, number);
    });
}

/// An object that the client brings.
async fn brought(
    house: &TestHouse,
    object_type: u32,
    more: impl Fn(&mut Writer),
    object: impl Fn(&mut Writer),
) -> String {
    one(house, Operation::Register, |w| {
        w.enumeration(tag::OBJECT_TYPE, object_type);
        attributes(w, |w| more(w));
        object(w);
    })
    .await
}

impl Things {
    pub(in crate::exchange) async fn of(house: &TestHouse) -> Self {
        let key = created(house, 4, |w| {
            named(w, "own");
            w.text(tag::OBJECT_GROUP, "a");
            w.text(tag::OBJECT_GROUP, "b");
            w.text(tag::COMMENT, "c");
            w.text(tag::CONTACT_INFORMATION, "us");
            w.interval(tag::PROTECTION_PERIOD, u32::MAX);
        })
        .await;
        let active = created(house, 4, |w| {
            named(w, "taken");
            begun(w);
        })
        .await;
        let deactivated = created(house, ALL_USES, |w| {
            begun(w);
            w.date_time(tag::DEACTIVATION_DATE, BEGIN - 5);
        })
        .await;
        let archived = created(house, ALL_USES, |_| {}).await;
        make(house, Operation::Archive, |w| id(w, &archived)).await;
        let destroyed = created(house, ALL_USES, |_| {}).await;
        make(house, Operation::Destroy, |w| id(w, &destroyed)).await;
        let working = created(house, ALL_USES, begun).await;
        let spent = limited(house, 0).await;
        let (private, public) = pair(house, 4, |w| w.integer(tag::CRYPTOGRAPHIC_LENGTH, 2048)).await;
        let (agreeing, agreed) = pair(house, 0x1A, |w| curve(w, 0x45)).await;
        let (_, point) = pair(house, 0x1A, |w| curve(w, 7)).await;
        let uses = |w: &mut Writer| {
            w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, ALL_USES);
            begun(w);
        };
        let absent_private = brought(
            house,
            4,
            |w| {
                uses(w);
                elsewhere(w);
                w.structure(tag::LINK, |w| {
                    w.enumeration(tag::LINK_TYPE, 0x0102);
                    w.text(tag::LINKED_OBJECT_IDENTIFIER, &public);
                });
            },
            |w| {
                w.structure(tag::PRIVATE_KEY, |w| {
                    w.structure(tag::KEY_BLOCK, |w| {
                        w.enumeration(tag::KEY_FORMAT_TYPE, KeyFormatType::PKCS_1.0);
                        w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 4);
                        w.integer(tag::CRYPTOGRAPHIC_LENGTH, 2048);
                    });
                });
            },
        );
        let absent_private = absent_private.await;
        let certificate_value = house.alice.certificate.chain()[0].clone();
        let issuer = authority(house).await;
        let ends = |w: &mut Writer| w.date_time(tag::DEACTIVATION_DATE, BEGIN + 100_000);
        let undated_pair = make(house, Operation::CreateKeyPair, |w| {
            w.structure(tag::COMMON_ATTRIBUTES, |w| {
                w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 0x1A);
                w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256);
                w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 1);
                ends(w);
            });
        });
        let undated_private = undated_pair.await.remove(0);
        let compromised = created(house, ALL_USES, begun).await;
        make(house, Operation::Revoke, |w| {
            id(w, &compromised);
            w.structure(tag::REVOCATION_REASON, |w| {
                w.enumeration(tag::REVOCATION_REASON_CODE, 2)
            });
        })
        .await;
        let spoken_for = created(house, 4, |w| {
            w.structure(tag::APPLICATION_SPECIFIC_INFORMATION, |w| {
                w.text(tag::APPLICATION_NAMESPACE, "somewhere");
                w.text(tag::APPLICATION_DATA, "some");
            });
        });
        let (subject, request) = subject(house).await;
        let issued = one(house, Operation::Certify, |w| certify(w, &subject, &request, &issuer));
        Self {
            issued: issued.await,
            issuer,
            subject,
            request,
            undated: created(house, ALL_USES, ends).await,
            undated_private,
            compromised,
            spoken_for: spoken_for.await,
            template: templates(house).await,
            limited: limited(house, 1_000_000).await,
            pending: waiting(house).await,
            ticket: ticket(house).await,
            full: full(house).await,
            idle: created(house, 0, begun).await,
            particular: created(house, ALL_USES, |w| {
                parameters(w, &[(tag::BLOCK_CIPHER_MODE, 13)]);
                begun(w);
            })
            .await,
            absent: brought(
                house,
                2,
                |w| {
                    uses(w);
                    elsewhere(w);
                },
                |w| symmetric(w, None, |_| {}),
            )
            .await,
            wrapped: brought(house, 2, uses, |w| {
                symmetric(w, Some(&[1; 24]), |w| wrapping(w, &working))
            })
            .await,
            sensitive: created(house, ALL_USES, |w| w.boolean(tag::SENSITIVE, true)).await,
            kept: created(house, ALL_USES, |w| w.boolean(tag::EXTRACTABLE, false)).await,
            secret: brought(house, 7, uses, password).await,
            certificate: brought(house, 1, |_| {}, |w| certificate(w, &certificate_value)).await,
            parts: make(house, Operation::CreateSplitKey, |w| split(w, None, (4, 3, 2), |_| {})).await,
            odd: brought(house, 5, uses, |w| part(w, (3, 2, 1))).await,
            strange: brought(house, 5, uses, |w| part(w, (2, 2, 0x8000_0099))).await,
            key,
            active,
            deactivated,
            archived,
            destroyed,
            working,
            spent,
            absent_private,
            agreeing,
            agreed,
            point,
            private,
            public,
        }
    }
}

/// What the archived template is called.
pub(in crate::exchange) const PUT_AWAY: &str = "put away";

/// A template, and one that is archived.
async fn templates(house: &TestHouse) -> String {
    let known = Version::ALL
        .into_iter()
        .rfind(|version| ObjectType::Template.is_known_in(*version));
    let archived = registered(house, ObjectType::Template, vec![called(PUT_AWAY)]).await;
    let archive = ArchiveRequest {
        unique_identifier: Some(archived.as_str().into()),
    };
    let told = house.item(known.unwrap(), archive, &house.alice).await;
    assert!(told.payload.is_some(), "{:?}", told.result_message);
    registered(house, ObjectType::Template, Vec::new()).await
}

/// A key with so many uses left.
async fn limited(house: &TestHouse, total: i64) -> String {
    created(house, ALL_USES, |w| {
        w.structure(tag::USAGE_LIMITS, |w| {
            w.long_integer(tag::USAGE_LIMITS_TOTAL, total);
            w.enumeration(tag::USAGE_LIMITS_UNIT, 1);
        });
        begun(w);
    })
    .await
}

/// An authority of the client's own: its certificate, which leads to its key.
pub(in crate::exchange) async fn authority(house: &TestHouse) -> String {
    let ca = CertificateAuthority::create(&Subject::named("own"), validity(), KeyKind::P256).unwrap();
    let key = brought(
        house,
        4,
        |w| {
            w.integer(
                tag::CRYPTOGRAPHIC_USAGE_MASK,
                CryptographicUsageMask::CertificateSign.0.cast_signed(),
            );
            begun(w);
        },
        |w| {
            w.structure(tag::PRIVATE_KEY, |w| {
                w.structure(tag::KEY_BLOCK, |w| {
                    w.enumeration(tag::KEY_FORMAT_TYPE, KeyFormatType::PKCS_8.0);
                    w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, &ca.key().to_der()));
                });
            });
        },
    )
    .await;
    let value = ca.certificate().to_vec();
    brought(
        house,
        1,
        |w| link(w, LinkType::PrivateKeyLink, &key),
        |w| certificate(w, &value),
    )
    .await
}

/// A public key on a curve, and a certificate request for it.
pub(in crate::exchange) async fn subject(house: &TestHouse) -> (String, Vec<u8>) {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let public = brought(
        house,
        3,
        |w| w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 2),
        |w| {
            w.structure(tag::PUBLIC_KEY, |w| {
                w.structure(tag::KEY_BLOCK, |w| {
                    w.enumeration(tag::KEY_FORMAT_TYPE, KeyFormatType::X_509.0);
                    w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, &key.public_key_info()));
                });
            });
        },
    );
    let request = CertificateRequest::create(&Subject::named("subject"), &[], &key).unwrap();
    (public.await, request)
}

/// A certificate for a public key by a request for it.
pub(in crate::exchange) fn certify(w: &mut Writer, subject: &str, request: &[u8], issuer: &str) {
    id(w, subject);
    w.enumeration(tag::CERTIFICATE_REQUEST_TYPE, 2);
    w.bytes(tag::CERTIFICATE_REQUEST_VALUE, request);
    by_authority(w, issuer);
}

/// What is to be issued by an authority of the client's.
pub(in crate::exchange) fn by_authority(w: &mut Writer, issuer: &str) {
    attributes(w, |w| {
        w.enumeration(tag::CERTIFICATE_TYPE, 1);
        link(w, LinkType::CertificateLink, issuer);
    });
}

fn link(w: &mut Writer, link_type: LinkType, to: &str) {
    w.structure(tag::LINK, |w| {
        w.enumeration(tag::LINK_TYPE, link_type.0);
        w.text(tag::LINKED_OBJECT_IDENTIFIER, to);
    });
}

/// A request that is carried out later.
async fn waiting(house: &TestHouse) -> Vec<u8> {
    let mut later = message(item(Operation::Create, |w| {
        w.enumeration(tag::OBJECT_TYPE, 2);
        attributes(w, |w| aes(w, 4));
    }));
    later.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    let told = house.message(&later, &house.alice).await.items.remove(0);
    told.asynchronous_correlation_value.unwrap()
}

/// Rights to everything.
pub(in crate::exchange) fn rights(w: &mut Writer) {
    w.structure(tag::RIGHTS, |w| {
        w.structure(tag::RIGHT, |w| {
            w.structure(tag::OPERATIONS, |w| w.enumeration(tag::OPERATION, Operation::Get.0));
        });
    });
}

async fn ticket(house: &TestHouse) -> Vec<u8> {
    let asked = message(item(Operation::DelegatedLogin, rights));
    match house.message(&asked, &house.alice).await.items.remove(0).payload {
        Some(ResponsePayload::DelegatedLogin(given)) => given.ticket.ticket_value.expose().to_vec(),
        _ => panic!("no ticket"),
    }
}

/// A key to which no attribute can be added any more.
async fn full(house: &TestHouse) -> String {
    let full = created(house, 4, |w| {
        (0..900).for_each(|n| w.text(tag::OBJECT_GROUP, &n.to_string()));
    })
    .await;
    for n in 900..1_001 {
        let add = item(Operation::AddAttribute, |w| {
            id(w, &full);
            w.structure(tag::NEW_ATTRIBUTE, |w| w.text(tag::OBJECT_GROUP, &n.to_string()));
        });
        let told = house.message(&message(add), &house.alice).await.items.remove(0);
        if told.payload.is_none() {
            return full;
        }
    }
    panic!("no limit");
}

pub(in crate::exchange) fn id(w: &mut Writer, unique_identifier: &str) {
    w.text(tag::UNIQUE_IDENTIFIER, unique_identifier);
}

pub(in crate::exchange) fn key(w: &mut Writer, it: &Things) {
    id(w, &it.key);
}

pub(in crate::exchange) fn active(w: &mut Writer, it: &Things) {
    id(w, &it.active);
}

pub(in crate::exchange) fn nobody(w: &mut Writer, _: &Things) {
    id(w, "nobody");
}

pub(in crate::exchange) fn attributes(w: &mut Writer, more: impl FnOnce(&mut Writer)) {
    w.structure(tag::ATTRIBUTES, more);
}

/// What a symmetric key is told to be.
pub(in crate::exchange) fn aes(w: &mut Writer, mask: i32) {
    w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
    w.integer(tag::CRYPTOGRAPHIC_LENGTH, 128);
    w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, mask);
}

pub(in crate::exchange) fn begun(w: &mut Writer) {
    w.date_time(tag::ACTIVATION_DATE, BEGIN - 10);
}

pub(in crate::exchange) fn comment(w: &mut Writer) {
    w.text(tag::COMMENT, "d");
}

/// More of an attribute than there may be.
pub(in crate::exchange) fn two_comments(w: &mut Writer) {
    comment(w);
    comment(w);
}

/// More attributes than an object may have.
pub(in crate::exchange) fn too_many(w: &mut Writer) {
    (0..1_001).for_each(|n| w.text(tag::OBJECT_GROUP, &n.to_string()));
}

/// What only the server says.
pub(in crate::exchange) fn state(w: &mut Writer) {
    w.enumeration(tag::STATE, 2);
}

/// An attribute that there is not.
pub(in crate::exchange) fn unknown(w: &mut Writer) {
    w.integer(NOWHERE, 1);
}

fn named(w: &mut Writer, name: &str) {
    w.structure(tag::NAME, |w| {
        w.text(tag::NAME_VALUE, name);
        w.enumeration(tag::NAME_TYPE, 1);
    });
}

pub(in crate::exchange) fn taken(w: &mut Writer) {
    named(w, "taken");
}

fn elsewhere(w: &mut Writer) {
    w.structure(tag::KEY_VALUE_LOCATION, |w| {
        w.text(tag::KEY_VALUE_LOCATION_VALUE, "in a safe");
        w.enumeration(tag::KEY_VALUE_LOCATION_TYPE, 1);
    });
}

/// A kind of storage that there is not.
pub(in crate::exchange) fn hardware(w: &mut Writer, tag: Tag) {
    w.structure(tag, |w| w.integer(tag::PROTECTION_STORAGE_MASK, 2));
}

pub(in crate::exchange) fn parameters(w: &mut Writer, named: &[(Tag, u32)]) {
    if !named.is_empty() {
        w.structure(tag::CRYPTOGRAPHIC_PARAMETERS, |w| {
            named.iter().for_each(|(tag, value)| w.enumeration(*tag, *value));
        });
    }
}

/// How a key was wrapped by another.
pub(in crate::exchange) fn wrapping(w: &mut Writer, by: &str) {
    w.structure(tag::KEY_WRAPPING_DATA, |w| {
        w.enumeration(tag::WRAPPING_METHOD, 1);
        w.structure(tag::ENCRYPTION_KEY_INFORMATION, |w| {
            id(w, by);
            parameters(w, &[(tag::BLOCK_CIPHER_MODE, 13)]);
        });
        w.enumeration(tag::ENCODING_OPTION, 99);
    });
}

/// A symmetric key.
pub(in crate::exchange) fn symmetric(w: &mut Writer, value: Option<&[u8]>, wrapping: impl Fn(&mut Writer)) {
    w.structure(tag::SYMMETRIC_KEY, |w| {
        w.structure(tag::KEY_BLOCK, |w| {
            w.enumeration(tag::KEY_FORMAT_TYPE, 1);
            if let Some(value) = value {
                if value.len() == 16 {
                    w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, value));
                } else {
                    w.bytes(tag::KEY_VALUE, value);
                }
            }
            w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
            w.integer(tag::CRYPTOGRAPHIC_LENGTH, 128);
            wrapping(w);
        });
    });
}

fn password(w: &mut Writer) {
    w.structure(tag::SECRET_DATA, |w| {
        w.enumeration(tag::SECRET_DATA_TYPE, 1);
        w.structure(tag::KEY_BLOCK, |w| {
            w.enumeration(tag::KEY_FORMAT_TYPE, 2);
            w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, b"secret"));
        });
    });
}

fn certificate(w: &mut Writer, value: &[u8]) {
    w.structure(tag::CERTIFICATE, |w| {
        w.enumeration(tag::CERTIFICATE_TYPE, 1);
        w.bytes(tag::CERTIFICATE_VALUE, value);
    });
}

/// A request for shares: their number, how many are needed, the method.
pub(in crate::exchange) fn split(
    w: &mut Writer,
    key: Option<&str>,
    numbers: (i32, i32, u32),
    more: impl Fn(&mut Writer),
) {
    w.enumeration(tag::OBJECT_TYPE, 5);
    if let Some(key) = key {
        id(w, key);
    }
    w.integer(tag::SPLIT_KEY_PARTS, numbers.0);
    w.integer(tag::SPLIT_KEY_THRESHOLD, numbers.1);
    w.enumeration(tag::SPLIT_KEY_METHOD, numbers.2);
    attributes(w, |w| {
        if key.is_none() {
            aes(w, 4);
        }
        more(w);
    });
}

/// A share that was made elsewhere.
fn part(w: &mut Writer, numbers: (i32, i32, u32)) {
    w.structure(tag::SPLIT_KEY, |w| {
        w.integer(tag::SPLIT_KEY_PARTS, numbers.0);
        w.integer(tag::KEY_PART_IDENTIFIER, 1);
        w.integer(tag::SPLIT_KEY_THRESHOLD, numbers.1);
        w.enumeration(tag::SPLIT_KEY_METHOD, numbers.2);
        w.structure(tag::KEY_BLOCK, |w| {
            w.enumeration(tag::KEY_FORMAT_TYPE, 1);
            w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, &[1; 16]));
            w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
            w.integer(tag::CRYPTOGRAPHIC_LENGTH, 128);
        });
    });
}
