//! Strict separation: every operation that is carried out, by each way in which it names something, with what is the other tenant's and
//! with what never existed. Status, reason and message are the same, and so is the number of questions to the store; with what is one's
//! own they are not, so that each row is known to ask.

use super::admission::Admission;
use super::asynchronous::{correlation, submit};
use super::batch::Run;
use super::governing::{destroy, govern_in, newest_in, rule};
use super::members::certificate;
use super::testing::{TestHouse, create};
use crate::administration::login::Verified;
use crate::authority::permission::permitted;
use crate::custody::{Links, ProfileId, ProfileRecord};
use crate::identity::{Principal, Sessions};
use crate::operations::CARRIED_OUT;
use crate::store::{Domain, Work};
use certs::{CertificateRequest, KeyKind, PrivateKey, Subject};
use kmip_protocol::{
    Attribute, Attributes, Completion, CryptographicAlgorithm, CryptographicUsageMask, EndpointCreateRequest,
    GroupPutRequest, Item, NamespaceCreateRequest, Operation, PersonRole, RequestItem, RequestMessage, RequestPayload,
    ResponseItem, ResponsePayload, ResultReason, ResultStatus, TicketType, Version, tag,
};
use kmip_ttlv::{Reader, Secret, Writer};
use std::collections::BTreeMap;

/// What a request may name: of one tenant, or of none.
pub(super) struct Things {
    object: String,
    /// The name of a client, application, authority, person, group and namespace, and of their tenant.
    name: String,
    proposal: Vec<u8>,
    correlation: Vec<u8>,
    ticket: Vec<u8>,
}

/// What the requests say beside that.
pub(super) struct Rest {
    /// A certificate and a request for one, of keys that nobody has.
    certificate: Vec<u8>,
    request: Vec<u8>,
    /// An object and a client of whoever asks.
    object: String,
    client: String,
    /// A key of its own that others are derived from.
    base: String,
}

/// The payload of a request that names these things.
pub(super) type Way = fn(&mut Writer, &Things, &Rest);

/// How an operation names things.
pub(super) enum Names {
    /// In these ways; with one's own it is told apart.
    Ways(Vec<Way>),
    /// In these ways, and one's own differ only by what tests of their own show.
    Alike(Vec<Way>),
    /// It names nothing that is looked up.
    Nothing(&'static str),
}

fn object(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::UNIQUE_IDENTIFIER, &it.object);
}

/// With the data that cryptographic operations want.
fn data(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::UNIQUE_IDENTIFIER, &it.object);
    w.bytes(tag::DATA, &[7; 16]);
}

fn new_attribute(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::UNIQUE_IDENTIFIER, &it.object);
    w.structure(tag::NEW_ATTRIBUTE, |w| w.text(tag::CONTACT_INFORMATION, "us"));
}

/// Attributes of a key, with a Link to something.
fn linked(w: &mut Writer, it: &Things) {
    w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
    w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256);
    w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 12);
    w.structure(tag::LINK, |w| {
        w.enumeration(tag::LINK_TYPE, 0x10A);
        w.text(tag::LINKED_OBJECT_IDENTIFIER, &it.object);
    });
}

fn person(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::PERSON_NAME, &it.name);
}

fn new_person(w: &mut Writer, it: &Things, rest: &Rest) {
    w.structure(tag::PERSON, |w| {
        w.text(tag::PERSON_NAME, &it.name);
        w.enumeration(tag::PERSON_ROLE, PersonRole::Operator.0);
        w.bytes(tag::CERTIFICATE_VALUE, &rest.certificate);
        w.text(tag::INITIAL_PASSWORD, "correct horse battery 47");
    });
}

fn client(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::CLIENT_NAME, &it.name);
}

fn application(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::APPLICATION_NAME, &it.name);
}

fn authority(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::AUTHORITY_NAME, &it.name);
}

fn tenant(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::TENANT_NAME, &it.name);
}

fn namespace(w: &mut Writer, it: &Things, _: &Rest) {
    w.structure(tag::NAMESPACE, |w| {
        w.text(tag::APPLICATION_NAMESPACE, &it.name);
        w.boolean(tag::GENERATED_DATA, false);
    });
}

fn profile(w: &mut Writer, it: &Things, _: &Rest) {
    w.text(tag::HSM_PROFILE_NAME, &it.name);
}

fn proposal(w: &mut Writer, it: &Things, _: &Rest) {
    w.bytes(tag::PROPOSAL_IDENTIFIER, &it.proposal);
}

fn pending(w: &mut Writer, it: &Things, _: &Rest) {
    w.bytes(tag::ASYNCHRONOUS_CORRELATION_VALUE, &it.correlation);
}

/// The table. An operation that it does not have fails the test.
pub(super) fn names(operation: Operation) -> Names {
    use Names::{Alike, Nothing, Ways};
    use Operation as O;
    match operation {
        O::Get | O::Export => Ways(vec![object, |w, it, rest| {
            w.text(tag::UNIQUE_IDENTIFIER, &rest.object);
            w.structure(tag::KEY_WRAPPING_SPECIFICATION, |w| {
                w.enumeration(tag::WRAPPING_METHOD, 1);
                w.structure(tag::ENCRYPTION_KEY_INFORMATION, |w| object(w, it, rest));
            });
        }]),
        O::GetAttributes | O::GetAttributeList | O::Activate | O::Destroy => Ways(vec![object]),
        O::Archive | O::Recover | O::Check | O::ObtainLease => Ways(vec![object]),
        O::GetUsageAllocation => Ways(vec![|w, it, rest| {
            object(w, it, rest);
            w.long_integer(tag::USAGE_LIMITS_COUNT, 1);
        }]),
        O::Log | O::Interop | O::Ping | O::SetEndpointRole => Nothing("they name no object"),
        O::Encrypt | O::Decrypt | O::Sign | O::MAC => Ways(vec![data]),
        O::SignatureVerify => Ways(vec![|w, it, rest| {
            data(w, it, rest);
            w.bytes(tag::SIGNATURE_DATA, &[7; 64]);
        }]),
        O::MACVerify => Ways(vec![|w, it, rest| {
            data(w, it, rest);
            w.bytes(tag::MAC_DATA, &[7; 32]);
        }]),
        O::AddAttribute | O::ModifyAttribute | O::SetAttribute => Ways(vec![new_attribute]),
        O::AdjustAttribute => Ways(vec![|w, it, rest| {
            object(w, it, rest);
            w.enumeration(tag::ATTRIBUTE_REFERENCE, tag::PROTECTION_PERIOD.0);
            w.enumeration(tag::ADJUSTMENT_TYPE, 1);
        }]),
        O::SetDefaults | O::SetConstraints | O::GetConstraints => Nothing("they are about the own application"),
        O::DeleteAttribute => Ways(vec![|w, it, _| {
            w.text(tag::UNIQUE_IDENTIFIER, &it.object);
            w.structure(tag::CURRENT_ATTRIBUTE, |w| w.text(tag::CONTACT_INFORMATION, "us"));
        }]),
        O::Certify => Ways(vec![|w, it, rest| {
            object(w, it, rest);
            w.structure(tag::ATTRIBUTES, |w| w.enumeration(tag::CERTIFICATE_TYPE, 1));
        }]),
        O::ReCertify | O::Validate => Ways(vec![object]),
        O::Revoke => Ways(vec![|w, it, rest| {
            object(w, it, rest);
            w.structure(tag::REVOCATION_REASON, |w| {
                w.enumeration(tag::REVOCATION_REASON_CODE, 1)
            });
        }]),
        O::Locate => Ways(vec![|w, it, rest| {
            w.structure(tag::ATTRIBUTES, |w| object(w, it, rest))
        }]),
        O::DeriveKey => Ways(vec![|w, it, _| derivation(w, &[&it.object]), |w, it, rest| {
            derivation(w, &[&rest.base, &it.object])
        }]),
        // A Link may lead to what is not there: it opens nothing, and nothing is told of where it leads.
        O::Create => Alike(vec![|w, it, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            w.structure(tag::ATTRIBUTES, |w| linked(w, it));
        }]),
        O::Register => Alike(vec![|w, it, _| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            w.structure(tag::ATTRIBUTES, |w| linked(w, it));
            w.structure(tag::SYMMETRIC_KEY, |w| {
                w.structure(tag::KEY_BLOCK, |w| {
                    w.enumeration(tag::KEY_FORMAT_TYPE, 1);
                    w.structure(tag::KEY_VALUE, |w| w.bytes(tag::KEY_MATERIAL, &[7; 32]));
                    w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
                    w.integer(tag::CRYPTOGRAPHIC_LENGTH, 256);
                });
            });
        }]),
        O::CreateSplitKey => Ways(vec![|w, it, rest| {
            w.enumeration(tag::OBJECT_TYPE, 5);
            object(w, it, rest);
            w.integer(tag::SPLIT_KEY_PARTS, 2);
            w.integer(tag::SPLIT_KEY_THRESHOLD, 2);
            w.enumeration(tag::SPLIT_KEY_METHOD, 1);
            w.structure(tag::ATTRIBUTES, |_| {});
        }]),
        O::JoinSplitKey => Ways(vec![|w, it, rest| {
            w.enumeration(tag::OBJECT_TYPE, 2);
            object(w, it, rest);
        }]),
        // Whoever has an object of this identifier is told so, and nobody else.
        O::Import => Ways(vec![|w, it, rest| {
            object(w, it, rest);
            w.enumeration(tag::OBJECT_TYPE, 8);
            w.structure(tag::ATTRIBUTES, |_| {});
            w.structure(tag::OPAQUE_OBJECT, |w| {
                w.enumeration(tag::OPAQUE_DATA_TYPE, 0x8000_0000);
                w.bytes(tag::OPAQUE_DATA_VALUE, &[7; 32]);
            });
        }]),
        O::ReKey => Ways(vec![object]),
        O::ReKeyKeyPair => Alike(vec![|w, it, _| w.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, &it.object)]),
        O::CreateKeyPair => Nothing("its attributes are those of Create"),
        O::Query | O::DiscoverVersions => Nothing("they tell of the server"),
        O::RNGRetrieve | O::RNGSeed | O::Hash | O::PKCS_11 => Nothing("they use no object"),

        O::Poll | O::Cancel | O::Process => Ways(vec![pending]),
        O::QueryAsynchronousRequests => Ways(vec![|w, it, rest| {
            w.structure(tag::ASYNCHRONOUS_CORRELATION_VALUES, |w| pending(w, it, rest));
        }]),

        O::Login | O::DelegatedLogin | O::PasswordChange | O::OneTimeEnroll | O::OneTimeConfirm => {
            Nothing("they are about whoever asks")
        }
        O::Logout => Alike(vec![|w, it, _| {
            w.structure(tag::TICKET, |w| {
                w.enumeration(tag::TICKET_TYPE, TicketType::Login.0);
                w.bytes(tag::TICKET_VALUE, &it.ticket);
            });
        }]),
        O::PersonList | O::GroupList | O::PolicyList | O::ProposalList | O::TenantList => {
            Nothing("they list their domain")
        }
        O::AuthorityList | O::ApplicationList | O::NamespaceList => Nothing("they list their domain"),
        O::ObjectPurge => Nothing("it goes by dates, in the own domain"),
        O::PersonGet | O::PersonSuspend | O::PersonResume | O::PersonDelete | O::PersonUnlock => Ways(vec![person]),
        O::PersonModify => Alike(vec![|w, it, _| w.text(tag::NEW_NAME, &it.name)]),
        O::PersonCreate => Ways(vec![new_person]),
        O::PersonReset => Ways(vec![|w, it, rest| {
            person(w, it, rest);
            w.text(tag::INITIAL_PASSWORD, "correct horse battery 47");
        }]),
        O::CredentialAdd => Ways(vec![|w, it, rest| {
            person(w, it, rest);
            w.bytes(tag::CERTIFICATE_VALUE, &rest.certificate);
            w.bytes(tag::VOTE_SIGNATURE, &[7; 64]);
        }]),
        O::CredentialRevoke => Ways(vec![|w, it, rest| {
            person(w, it, rest);
            w.bytes(tag::KEY_FINGERPRINT, &[7; 32]);
        }]),

        O::ProposalGet | O::ProposalWithdrawVote | O::ProposalComplete | O::ProposalVeto => Ways(vec![proposal]),
        // Only what was agreed to in an emergency is followed up.
        O::ProposalFollowUp => Alike(vec![proposal]),
        O::ProposalVote => Ways(vec![|w, it, rest| {
            proposal(w, it, rest);
            w.enumeration(tag::VOTE_DECISION, 1);
        }]),
        O::PolicyGet => Nothing("versions are numbers of the own policy"),
        O::PolicyEvaluate => Nothing("what it names is looked up as the operation evaluated looks it up"),
        O::PolicyPut => Alike(vec![|w, it, _| {
            let mut governing = rule(Operation::PolicyPut, Completion::OnQuorum);
            governing.alternatives[0].groups[0].group_name.clone_from(&it.name);
            let policy = kmip_protocol::Policy {
                rules: vec![governing],
                ..Default::default()
            };
            policy.write_item(w, tag::POLICY, Version::NEWEST);
        }]),
        O::GroupPut => Ways(vec![|w, it, rest| {
            w.structure(tag::GROUP, |w| {
                w.text(tag::GROUP_NAME, "some");
                person(w, it, rest);
            });
        }]),
        O::GroupDelete => Ways(vec![|w, it, _| w.text(tag::GROUP_NAME, &it.name)]),

        O::TenantGet => Ways(vec![tenant]),
        O::TenantSuspend | O::TenantResume | O::TenantDelete | O::TenantPurge => Ways(vec![tenant]),
        O::KeyResidue => Ways(vec![|w, it, _| w.text(tag::UNIQUE_IDENTIFIER, &it.object)]),
        O::TenantModify => Ways(vec![|w, it, rest| {
            tenant(w, it, rest);
            w.structure(tag::TENANT_SETTINGS, |_| ());
        }]),
        O::TenantCreate | O::TenantRecover => Ways(vec![|w, it, rest| {
            tenant(w, it, rest);
            new_person(w, it, rest);
        }]),

        O::NamespaceCreate | O::NamespaceModify => Ways(vec![namespace]),
        O::EndpointGet | O::EndpointDelete | O::EndpointTest => {
            Ways(vec![|w, it, _| w.text(tag::ENDPOINT_NAME, &it.name)])
        }
        O::EndpointCreate => Ways(vec![|w, it, rest| {
            w.structure(tag::ENDPOINT, |w| {
                w.text(tag::ENDPOINT_NAME, "some");
                client(w, it, rest);
                w.boolean(tag::SENDS_OBJECTS, true);
                w.boolean(tag::SENDS_CHANGES, true);
            });
        }]),
        O::EndpointList => Nothing("it lists the own tenant's"),
        O::NamespaceDelete => Ways(vec![|w, it, _| w.text(tag::APPLICATION_NAMESPACE, &it.name)]),
        O::ClientGet | O::ClientSuspend | O::ClientResume | O::ClientDelete => Ways(vec![client]),
        O::ClientList => Ways(vec![application]),
        O::ClientCreate => Ways(vec![client, |w, it, rest| {
            w.text(tag::CLIENT_NAME, "some");
            application(w, it, rest);
        }]),
        O::ClientModify => Ways(vec![client, |w, it, rest| {
            w.text(tag::CLIENT_NAME, &rest.client);
            w.text(tag::NEW_NAME, &it.name);
        }]),
        O::CertificateIssue => Ways(vec![
            |w, it, rest| {
                client(w, it, rest);
                w.bytes(tag::CERTIFICATE_REQUEST_VALUE, &rest.request);
            },
            |w, it, rest| {
                w.text(tag::CLIENT_NAME, &rest.client);
                authority(w, it, rest);
                w.bytes(tag::CERTIFICATE_REQUEST_VALUE, &rest.request);
            },
        ]),
        O::CertificateRevoke => Alike(vec![|w, it, rest| {
            client(w, it, rest);
            w.bytes(tag::KEY_FINGERPRINT, &[7; 32]);
        }]),
        O::AuthorityCreate | O::AuthorityDelete | O::RevocationListGet => Ways(vec![authority]),
        O::AuthorityModify => Ways(vec![authority, |w, it, rest| {
            w.text(tag::AUTHORITY_NAME, &rest.client);
            w.text(tag::NEW_NAME, &it.name);
        }]),
        O::ApplicationCreate | O::ApplicationDelete => Ways(vec![application]),
        O::ApplicationJoin => Ways(vec![
            |w, it, rest| {
                client(w, it, rest);
                w.text(tag::APPLICATION_NAME, &rest.client);
            },
            |w, it, rest| {
                w.text(tag::CLIENT_NAME, &rest.client);
                application(w, it, rest);
            },
        ]),
        O::HsmProfileGet | O::HsmProfileTest => Ways(vec![profile]),
        O::HsmProfileCreate
        | O::HsmProfileDelete
        | O::HsmProfileLink
        | O::HsmProfileUnlink
        | O::HsmProfileRotatePin
        | O::HsmProfileAbandon => Alike(vec![profile]),
        O::HsmProfileList => Nothing("it lists what the domain may use"),
        O::ShareKeyPut => Ways(vec![|w, it, rest| {
            person(w, it, rest);
            w.bytes(tag::PUBLIC_KEY_INFO, &[7; 91]);
            w.bytes(tag::POSSESSION_PROOF, &[7; 70]);
        }]),
        O::ShareKeyRevoke => Ways(vec![person]),
        O::ProposalShare => Ways(vec![proposal]),
        O::SharingGrant => Nothing("tenants and HSM-Profiles are the administrators' own"),
        O::SharingRenew | O::SharingList | O::ManagementPut | O::RecoveryPut => {
            Nothing("HSM-Profiles are the server's, and sharings those of the own domain")
        }
        O::KekCreate => Ways(vec![profile]),
        O::KekAddProfile | O::KekRemoveProfile => Ways(vec![|w, it, rest| {
            w.integer(tag::KEK_GENERATION, 1);
            profile(w, it, rest);
        }]),
        O::KekBackup | O::KekRestore => Nothing("strings of others are refused by the identity in them"),
        O::KekActivate | O::KekList | O::KekRewrap | O::KekRewrapGet | O::KekDelete | O::KekMarkCompromised => {
            Nothing("generations count the KEKs of the own domain")
        }
        O::StateVerify | O::QuarantineList => Nothing("of what was found each is told of its own domain"),
        O::QuarantineRelease => Nothing("exchange/scrubs.rs names findings of others"),
        O::RestoreAccept => Nothing("it is about the whole database"),
        O::LegacyTokenImport | O::LegacyTokenWithdraw => Nothing("tenants are the administrators' own to see"),
        O::CeremonyMigrate | O::CeremonyAbort => Alike(vec![|w, it, _| w.text(tag::LEGACY_TOKEN_NAME, &it.name)]),
        O::ShareSubmit => Nothing("a share says itself of which token of the own domain it is"),
        O::CeremonyStatus => Nothing("it tells of the own domain"),
        O::ServerStatus | O::PermissionList => Nothing("they tell of the server"),
        O::AuditQuery => Nothing("streams are the installation's, and of their records each reads its domain's"),
        other => panic!("{other} is not in the table: say how it names things, or why it names none"),
    }
}

fn derivation(w: &mut Writer, bases: &[&str]) {
    w.enumeration(tag::OBJECT_TYPE, 2);
    bases.iter().for_each(|base| w.text(tag::UNIQUE_IDENTIFIER, base));
    w.enumeration(tag::DERIVATION_METHOD, 2);
    w.structure(tag::DERIVATION_PARAMETERS, |w| w.bytes(tag::DERIVATION_DATA, b"x"));
    w.structure(tag::ATTRIBUTES, |w| {
        w.enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3);
        w.integer(tag::CRYPTOGRAPHIC_LENGTH, 128);
        w.integer(tag::CRYPTOGRAPHIC_USAGE_MASK, 12);
    });
}

/// A request as it comes from the wire, that can be read.
fn message(operation: Operation, way: Way, it: &Things, rest: &Rest) -> RequestMessage {
    let read = wired(operation, way, it, rest);
    assert!(read.items[0].payload.is_ok(), "{operation} cannot be read");
    read
}

/// A request as it comes from the wire.
pub(super) fn wired(operation: Operation, way: Way, it: &Things, rest: &Rest) -> RequestMessage {
    let mut items = Writer::new();
    way(&mut items, it, rest);
    let payload = RequestPayload::Unknown {
        operation,
        items: Secret::new(items.into_bytes()),
    };
    let mut writer = Writer::new();
    let header = kmip_protocol::RequestHeader::new(Version::NEWEST, 1);
    let items = vec![RequestItem::new(payload)];
    RequestMessage { header, items }.write(&mut writer);
    RequestMessage::read(writer.as_bytes()).ok().unwrap()
}

/// What an answer says, and what it cost.
type Answered = (ResultStatus, Option<ResultReason>, Option<String>, u64);

/// The answer, and how many questions went to the store. Nothing is committed.
async fn ask(house: &TestHouse, who: &Principal, message: &RequestMessage) -> (Answered, Vec<u8>) {
    let sessions = Sessions::default();
    let admission = Admission::default();
    let mut run = Run::new(
        house.server.services(),
        &sessions,
        who,
        message,
        &house.alice,
        &admission,
        0,
    );
    let outcome = run.all(&mut Verified::default()).await;
    let mut reader = Reader::new(outcome.items.as_bytes());
    let item = ResponseItem::read_item(&mut reader, tag::BATCH_ITEM, Version::NEWEST).unwrap();
    let answered = (
        item.result_status,
        item.result_reason,
        item.result_message,
        run.into_work().reads(),
    );
    (answered, outcome.items.as_bytes().to_vec())
}

/// Everything that a tenant may have.
async fn things(house: &TestHouse, domain: Domain, name: &str) -> Things {
    let facts = if name == "bob" { &house.bob } else { &house.alice };
    let item = house.item(Version::NEWEST, create("theirs", Vec::new()), facts).await;
    let Some(ResponsePayload::Create(made)) = item.payload else {
        panic!()
    };
    let operator = house.known(domain, PersonRole::Operator);
    let member = house.person(domain, name, PersonRole::Operator).await;
    let group = kmip_protocol::Group {
        group_name: name.into(),
        persons: vec![name.into()],
    };
    let endpoint = kmip_protocol::Endpoint {
        endpoint_name: name.into(),
        client_name: name.into(),
        endpoint_address: None,
        certificate_fingerprint: None,
        protocol_version: None,
        sends_objects: false,
        sends_changes: true,
        unique_identifiers: Vec::new(),
        object_groups: Vec::new(),
    };
    let namespace = kmip_protocol::Namespace {
        application_namespace: name.into(),
        description: None,
        generated_data: false,
    };
    for item in [
        house.act(&operator, GroupPutRequest { group }).await,
        house.act(&operator, NamespaceCreateRequest { namespace }).await,
        house.act(&operator, EndpointCreateRequest { endpoint }).await,
    ] {
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    }
    hsm_profile(house, domain, name).await;
    let ticket = house.login(&member).await;
    let governed = vec![rule(Operation::Destroy, Completion::OnQuorum)];
    govern_in(house, domain, PersonRole::Operator, governed).await;
    let waiting = submit(house, Version::NEWEST, destroy(&made.unique_identifier), facts).await;
    Things {
        object: made.unique_identifier,
        name: name.into(),
        proposal: newest_in(house, domain).await.id.to_vec(),
        correlation: correlation(&waiting),
        ticket: ticket.ticket_value.expose().to_vec(),
    }
}

/// One more HSM-Profile, of this tenant alone.
async fn hsm_profile(house: &TestHouse, domain: Domain, name: &str) {
    use crate::administration::hsm_profile::{put, put_links};
    let services = house.server.services();
    let id = ProfileId(services.randomness.array().unwrap());
    let record = ProfileRecord {
        name: name.into(),
        ..ProfileRecord::default()
    };
    services.outfit.put_to_work(&services.custody, id, &record, None);
    let mut work = Work::new(std::sync::Arc::clone(&house.store));
    put(&services.custody, &mut work, id, &record).await.unwrap();
    let links = Links(vec![ProfileId([1; 16]), id]);
    put_links(&services.custody, &mut work, domain, &links).await.unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
}

async fn base(house: &TestHouse) -> String {
    let mut request = create("", Vec::new());
    let attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::DeriveKey),
    ];
    request.attributes = attributes.into_iter().collect::<Attributes>().into();
    match house.item(Version::NEWEST, request, &house.alice).await.payload {
        Some(ResponsePayload::Create(made)) => made.unique_identifier,
        _ => panic!("no base"),
    }
}

/// What else the requests of the first tenant say.
async fn rest(house: &TestHouse, own: &Things) -> Rest {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    Rest {
        certificate: certificate("somebody").0,
        request: CertificateRequest::create(&Subject::named("x"), &[], &key).unwrap(),
        object: own.object.clone(),
        client: "alice".into(),
        base: base(house).await,
    }
}

/// The first tenant's things, and what requests say beside them.
pub(super) async fn setting(house: &TestHouse) -> (Things, Rest) {
    let own = things(house, house.tenant, "alice").await;
    let rest = rest(house, &own).await;
    (own, rest)
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let house = TestHouse::new().await;
    let (tenant, other) = (house.tenant_of(&house.alice).await, house.tenant_of(&house.bob).await);
    let (own, foreign) = (
        things(&house, tenant, "alice").await,
        things(&house, other, "bob").await,
    );
    let unknown = Things {
        object: "0badc0de-0000-4000-8000-000000000000".into(),
        name: "eve".into(),
        proposal: vec![7; 16],
        correlation: vec![7; foreign.correlation.len()],
        ticket: vec![7; 32],
    };
    assert_eq!(unknown.object.len(), foreign.object.len());
    let rest = rest(&house, &own).await;
    let now = house.now_ms() / 1000;
    let client = house
        .server
        .identity()
        .resolve(&house.alice.certificate, now)
        .await
        .unwrap();
    let operator = house.known(tenant, PersonRole::Operator);
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let mut told_apart = BTreeMap::new();
    for (who, own) in [(&client, Some(&own)), (&operator, Some(&own)), (&administrator, None)] {
        for operation in CARRIED_OUT.iter().copied() {
            let (ways, tells) = match names(operation) {
                Names::Ways(ways) => (ways, true),
                Names::Alike(ways) => (ways, false),
                Names::Nothing(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
            };
            // Tenants are the administrators' own, and HSM-Profiles: they see them, and nothing in them.
            let theirs = ["Tenant", "HsmProfile"]
                .iter()
                .any(|noun| operation.to_string().starts_with(noun));
            if own.is_none() && theirs {
                continue;
            }
            for (number, way) in ways.into_iter().enumerate() {
                let request = |it: &Things| message(operation, way, it, &rest);
                // The first request of a domain looks its policy up; the next ones remember it.
                ask(&house, who, &request(&unknown)).await;
                let (there, told) = ask(&house, who, &request(&foreign)).await;
                let (nowhere, also) = ask(&house, who, &request(&unknown)).await;
                assert_eq!(there, nowhere, "{operation} {number}");
                if there.0 != ResultStatus::Success {
                    assert_eq!(told, also, "{operation} {number}");
                }
                let Some(own) = own.filter(|_| tells && permitted(who, operation)) else {
                    continue;
                };
                let (mine, bytes) = ask(&house, who, &request(own)).await;
                let seen = mine != nowhere || bytes != also;
                *told_apart.entry((operation.to_string(), number)).or_insert(false) |= seen;
            }
        }
    }
    // Of requests that wait only the client sees its own; everything else is told apart by whoever may ask.
    let blind: Vec<_> = told_apart.iter().filter(|(_, seen)| !**seen).collect();
    assert!(blind.is_empty(), "they ask nothing: {blind:?}");
    assert!(told_apart.len() > 55, "{} rows were tried", told_apart.len());
}
