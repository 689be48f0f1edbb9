//! Credentials of every kind in every version (KMIP 2.1 §9.11): which are judged, which are refused and why, and that nothing comes of them.

use super::ConnectionFacts;
use super::members::{Member, password};
use super::office::{Office, answered, query};
use crate::failure::Fault;
use kmip_protocol::{
    Attestation, AttestationType, Authentication, ClientModifyRequest, ClientPassword, ClientSettings, Credential,
    CredentialType, DateTimeExtended, Device, HashedPassword, Nonce, OneTimePassword, PersonRole, RequestMessage,
    ResponseItem, ResultStatus, SecretText, Ticket, TicketCredential, TicketType, Version,
};
use kmip_ttlv::Secret;

/// A client with a password, one that admits users, one with neither, a person, and somebody without a name.
struct Row {
    office: Office,
    plain: ConnectionFacts,
    secret: ConnectionFacts,
    gate: ConnectionFacts,
    person: Member,
}

const WRONG: &str = "not the password";

impl Row {
    async fn open() -> Self {
        let office = Office::open().await;
        office.issuer().await;
        let plain = office.connected("plain", None, ClientSettings::default()).await;
        let secret = office.connected("secret", None, ClientSettings::default()).await;
        let admits = ClientSettings {
            admits_users: Some(true),
            ..ClientSettings::default()
        };
        let gate = office.connected("gate", None, admits).await;
        let set = ClientModifyRequest {
            client_name: "secret".into(),
            new_name: None,
            settings: None,
            credentials: Vec::new(),
            password: Some(ClientPassword {
                username: "fred".into(),
                password: SecretText::new("the password of fred"),
            }),
            user: None,
        };
        answered!(office.act(set).await, ok);
        let person = office.house.person(office.tenant, "olga", PersonRole::Operator).await;
        Self {
            office,
            plain,
            secret,
            gate,
            person,
        }
    }

    async fn show(&self, version: Version, facts: &ConnectionFacts, credentials: Vec<Credential>) -> ResponseItem {
        let mut message = RequestMessage::single(version, query());
        message.header.authentication = Some(Authentication { credentials });
        self.office.house.message(&message, facts).await.items.remove(0)
    }

    /// What each of them is told for this credential: nothing, or why not.
    async fn told(&self, version: Version, credential: &Credential) -> [Option<Fault>; 5] {
        let stranger = self.office.house.stranger.clone();
        let all = [&self.plain, &self.secret, &self.gate, &stranger, &self.person.facts];
        let mut told = [None; 5];
        for (place, facts) in told.iter_mut().zip(all) {
            let item = self.show(version, facts, vec![credential.clone()]).await;
            *place = fault(&item, version);
        }
        told
    }
}

/// The fault that an item was refused for: with its reason for the version, and its words, which name nobody.
fn fault(item: &ResponseItem, version: Version) -> Option<Fault> {
    if item.result_status == ResultStatus::Success {
        return None;
    }
    let known = [
        Fault::CredentialRefused,
        Fault::InvalidTicket,
        Fault::AttestationFailed,
        Fault::UnknownValue,
        Fault::InvalidMessage,
    ];
    let text = item.result_message.as_deref().unwrap_or_default();
    let found = known.into_iter().find(|fault| fault.message() == text);
    let found = found.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(item.result_reason, Some(found.reason(version)), "{text} in {version}");
    Some(found)
}

fn device(serial: Option<&str>) -> Credential {
    Credential::Device(Device {
        device_serial_number: serial.map(str::to_owned),
        password: None,
        device_identifier: None,
        network_identifier: None,
        machine_identifier: None,
        media_identifier: None,
    })
}

fn attestation() -> Credential {
    Credential::Attestation(Attestation {
        nonce: Nonce {
            nonce_id: vec![1],
            nonce_value: vec![2],
        },
        attestation_type: AttestationType::TPMQuote,
        attestation_measurement: Some(vec![3]),
        attestation_assertion: None,
    })
}

fn one_time() -> Credential {
    Credential::OneTimePassword(OneTimePassword {
        username: "fred".into(),
        password: Some(SecretText::new("the password of fred")),
        one_time_password: SecretText::new("123456"),
    })
}

fn hashed() -> Credential {
    Credential::HashedPassword(HashedPassword {
        username: "fred".into(),
        time_stamp: DateTimeExtended(1_700_000_000_000_000),
        hashing_algorithm: None,
        hashed_password: vec![7; 32],
    })
}

fn ticket() -> Credential {
    Credential::Ticket(TicketCredential {
        ticket: Ticket {
            ticket_type: TicketType::Login,
            ticket_value: Secret::new(vec![9; 32]),
        },
    })
}

#[tokio::test]
async fn each_kind_is_judged_or_refused_in_every_version_that_has_it() {
    use Fault::{AttestationFailed, CredentialRefused, InvalidTicket};
    let row = Row::open().await;
    let before = row.office.house.all_rows().await;
    let refused = [Some(CredentialRefused); 5];
    let kinds = [
        // A password is judged where one is registered, or a user is meant; a person's name is the certificate's.
        (
            password("nobody", WRONG),
            [
                None,
                Some(CredentialRefused),
                Some(CredentialRefused),
                None,
                Some(CredentialRefused),
            ],
        ),
        // What a device calls itself proves nothing, and stands for no password.
        (
            device(Some("4711")),
            [None, Some(CredentialRefused), None, None, Some(CredentialRefused)],
        ),
        // "The client SHALL provide at least one field."
        (device(None), refused),
        (attestation(), [Some(AttestationFailed); 5]),
        (one_time(), refused),
        (hashed(), refused),
        (
            ticket(),
            [
                Some(InvalidTicket),
                Some(InvalidTicket),
                Some(InvalidTicket),
                Some(CredentialRefused),
                Some(InvalidTicket),
            ],
        ),
    ];
    let mut count = 0;
    for version in Version::ALL {
        for (credential, expected) in &kinds {
            if !credential.credential_type().is_known_in(version) {
                continue;
            }
            // Each wrong guess counts: nobody is to be locked out by then.
            row.office.house.clock.advance(3_600);
            assert_eq!(
                row.told(version, credential).await,
                *expected,
                "{version} {:?}",
                credential.credential_type()
            );
            count += 1;
        }
    }
    assert_eq!(count, 30);
    // What was counted lies beside the records, which are as they were.
    assert!(row.office.house.all_rows().await == before);
}

/// A kind of a later version, and one that nobody knows, is no credential.
#[tokio::test]
async fn a_kind_that_a_version_does_not_have_is_refused() {
    let row = Row::open().await;
    for version in Version::ALL {
        for kind in [
            CredentialType::Ticket,
            CredentialType::Attestation,
            CredentialType(0x8000_0001),
        ] {
            if kind.is_known_in(version) && kind.0 < 0x8000_0000 {
                continue;
            }
            let value = kmip_protocol::AnyValue::Structure(Vec::new());
            let credential = Credential::Unknown {
                credential_type: kind,
                value,
            };
            let told = row.told(version, &credential).await;
            assert!(told.iter().all(Option::is_some), "{version} {kind:?} {told:?}");
            assert!(
                told.iter().all(|fault| *fault == told[0]),
                "{version} {kind:?} {told:?}"
            );
        }
    }
}

/// "If multiple Credential structures are provided then they must ALL be satisfied" (KMIP 2.1 §9.4).
#[tokio::test]
async fn of_several_credentials_each_has_to_hold() {
    let row = Row::open().await;
    let right = || password("fred", "the password of fred");
    let newest = Version::NEWEST;
    let own = device(Some("4711"));
    for (credentials, is_good) in [
        (vec![right()], true),
        (vec![right(), own.clone()], true),
        (vec![own.clone(), right()], true),
        (vec![right(), right()], false),
        (vec![right(), password("fred", WRONG)], false),
        (vec![right(), one_time()], false),
        (vec![right(), hashed()], false),
        (vec![right(), attestation()], false),
        (vec![attestation(), right()], false),
        (vec![right(), ticket()], false),
        (vec![right(), device(None)], false),
    ] {
        let kinds: Vec<_> = credentials.iter().map(Credential::credential_type).collect();
        let item = row.show(newest, &row.secret, credentials).await;
        assert_eq!(fault(&item, newest).is_none(), is_good, "{kinds:?}");
    }
}

/// A wrong name costs what a wrong password costs: reads, and the computation.
#[tokio::test]
async fn a_wrong_name_is_a_wrong_password() {
    use super::admission::Admission;
    use super::batch::Run;
    use crate::administration::login::Verified;
    use crate::identity::Sessions;
    let row = Row::open().await;
    let house = &row.office.house;
    let mut seen = Vec::new();
    for (name, text) in [("fred", WRONG), ("nobody", WRONG), ("nobody", "the password of fred")] {
        let mut message = RequestMessage::single(Version::NEWEST, query());
        let credentials = vec![password(name, text)];
        message.header.authentication = Some(Authentication { credentials });
        let who = house.server.identity();
        let who = who
            .resolve(&row.secret.certificate, house.clock_seconds())
            .await
            .unwrap();
        let (sessions, admission) = (Sessions::default(), Admission::default());
        let services = house.server.services();
        let mut run = Run::new(services, &sessions, &who, &message, &row.secret, &admission, 0);
        let mut verified = Verified::default();
        run.all(&mut verified).await;
        seen.push((run.into_work().reads(), verified.is_judged()));
    }
    assert!(seen.iter().all(|one| *one == seen[0] && one.1), "{seen:?}");
}
