//! Users at the exchange: who comes by name and password over another client's connection, and whose the objects are that they make.

use super::ConnectionFacts;
use super::admission::Admission;
use super::batch::Run;
use super::members::{given, password, ticket};
use super::office::{Office, answered, query, told};
use super::testing::{BEGIN, create, derivation};
use crate::administration::login::Verified;
use crate::audit::alarm::Event;
use crate::failure::Fault;
use crate::identity::Sessions;
use kmip_protocol::{
    Attribute, AttributeKind, AttributePattern, AttributeReference, Attributes, Authentication, CertificateType,
    CertifyRequest, ClientCreateRequest, ClientCredential, ClientGetRequest, ClientModifyRequest, ClientPassword,
    ClientSettings, ClientSuspendRequest, ClientUser, CreateKeyPairRequest, CryptographicAlgorithm,
    CryptographicUsageMask, DateTime, DerivationMethod, DeriveKeyRequest, DestroyRequest, GetAttributeListRequest,
    GetAttributesRequest, GetRequest, Interval, LocateRequest, LoginRequest, LogoutRequest, ObjectType, Request,
    RequestMessage, ResponseItem, ResponsePayload, ResultReason, ResultStatus, SecretText, TicketLease,
    UniqueIdentifier, Version,
};

/// Two gateways that admit users, and a client that does not.
struct Gate {
    office: Office,
    gate: ConnectionFacts,
    other: ConnectionFacts,
    plain: ConnectionFacts,
}

const FRED: &str = "the password of fred";
const BARNEY: &str = "the password of barney";

fn user(name: &str, text: &str, over: &[&str]) -> ClientCreateRequest {
    ClientCreateRequest {
        client_name: format!("user-{name}"),
        application_name: Some("gate".into()),
        settings: None,
        credentials: Vec::new(),
        password: Some(ClientPassword {
            username: name.into(),
            password: SecretText::new(text),
        }),
        user: Some(ClientUser {
            connection_clients: over.iter().map(|name| (*name).to_owned()).collect(),
        }),
    }
}

fn change(name: &str) -> ClientModifyRequest {
    ClientModifyRequest {
        client_name: name.into(),
        new_name: None,
        settings: None,
        credentials: Vec::new(),
        password: None,
        user: None,
    }
}

fn identifier(item: &ResponseItem) -> UniqueIdentifier {
    match &item.payload {
        Some(ResponsePayload::Create(made)) => UniqueIdentifier::Text(made.unique_identifier.clone()),
        _ => panic!("nothing was made: {:?}", item.result_message),
    }
}

impl Gate {
    async fn open() -> Self {
        let office = Office::open().await;
        office.issuer().await;
        let admits = || ClientSettings {
            admits_users: Some(true),
            ..ClientSettings::default()
        };
        let gate = office.connected("gate", None, admits()).await;
        let other = office.connected("other-gate", Some("gate"), admits()).await;
        let plain = office.connected("plain", Some("gate"), ClientSettings::default()).await;
        answered!(office.act(user("fred", FRED, &[])).await, ok);
        answered!(office.act(user("barney", BARNEY, &["gate"])).await, ok);
        Self {
            office,
            gate,
            other,
            plain,
        }
    }

    async fn say<R: Request>(&self, who: (&str, &str), request: R) -> ResponseItem {
        self.office
            .house
            .ask_over(request, &self.gate, vec![password(who.0, who.1)])
            .await
    }

    async fn query_over(&self, over: &ConnectionFacts, who: (&str, &str)) -> ResponseItem {
        self.office
            .house
            .ask_over(query(), over, vec![password(who.0, who.1)])
            .await
    }

    /// An item in a version that has policies.
    async fn in_words_of<R: Request>(&self, who: (&str, &str), version: Version, request: R) -> ResponseItem {
        let mut message = RequestMessage::single(version, request);
        let credentials = vec![password(who.0, who.1)];
        message.header.authentication = Some(Authentication { credentials });
        self.office.house.message(&message, &self.gate).await.items.remove(0)
    }
}

const AS_FRED: (&str, &str) = ("fred", FRED);
const AS_BARNEY: (&str, &str) = ("barney", BARNEY);

/// A version that has the attribute Operation Policy Name.
fn with_policies() -> Version {
    let mut versions = Version::ALL.into_iter().rev();
    versions.find(|version| !version.has_tagged_attributes()).unwrap()
}

#[tokio::test]
async fn a_user_is_judged_as_itself_over_the_connections_it_is_bound_to() {
    let gate = Gate::open().await;
    answered!(gate.query_over(&gate.gate, AS_FRED).await, ok);
    answered!(gate.query_over(&gate.gate, AS_BARNEY).await, ok);
    answered!(gate.query_over(&gate.other, AS_FRED).await, ok);
    answered!(gate.query_over(&gate.other, AS_BARNEY).await, CredentialRefused);
    // Without a user it is the client itself; two users are nobody.
    answered!(gate.office.ask(&gate.gate, query()).await, ok);
    let both = vec![password("fred", FRED), password("barney", BARNEY)];
    answered!(
        gate.office.house.ask_over(query(), &gate.gate, both).await,
        CredentialRefused
    );
    // Where users are not admitted a name says nothing, as before.
    answered!(gate.query_over(&gate.plain, ("nobody", "x")).await, ok);
    // Its own settings hold for it, not those of the connection's client.
    let mut narrow = change("user-fred");
    narrow.settings = Some(ClientSettings {
        operations: Some(kmip_protocol::Operations {
            operations: vec![kmip_protocol::Operation::Query],
        }),
        ..ClientSettings::default()
    });
    answered!(gate.office.act(narrow).await, ok);
    answered!(gate.say(AS_FRED, query()).await, ok);
    let made = gate.say(AS_FRED, create("", Vec::new())).await;
    assert_eq!(made.result_status, ResultStatus::OperationFailed);
    answered!(gate.say(AS_BARNEY, create("", Vec::new())).await, ok);
    // And where it may come from.
    let mut elsewhere = change("user-barney");
    elsewhere.settings = Some(ClientSettings {
        allowed_networks: vec!["203.0.113.0/24".into()],
        ..ClientSettings::default()
    });
    answered!(gate.office.act(elsewhere).await, ok);
    answered!(gate.say(AS_BARNEY, query()).await, NotAuthenticated);
}

/// What cannot come in is told apart by nothing: one answer, one computation, as many reads.
#[tokio::test]
async fn whoever_is_refused_learns_nothing_of_why() {
    let gate = Gate::open().await;
    answered!(gate.office.act(user("wilma", "the password of wilma", &[])).await, ok);
    answered!(
        gate.office
            .act(user("betty", "the password of betty", &["other-gate"]))
            .await,
        ok
    );
    let client_name = "user-wilma".to_owned();
    answered!(gate.office.act(ClientSuspendRequest { client_name }).await, ok);
    // A second factor of a client with a certificate is no user's password.
    let mut second = change("plain");
    second.password = Some(ClientPassword {
        username: "plain".into(),
        password: SecretText::new("the password of plain"),
    });
    answered!(gate.office.act(second).await, ok);
    for text in ["1", "2", "3", "4", "5"] {
        answered!(gate.say(("barney", text), query()).await, CredentialRefused);
    }
    assert_eq!(gate.office.house.alarms().await, [Event::ClientLockout]);
    let refused = [
        ("nobody", "x"),
        ("fred", "x"),
        ("user-fred", FRED),
        AS_BARNEY,
        ("wilma", "the password of wilma"),
        ("betty", "the password of betty"),
        ("plain", "the password of plain"),
    ];
    let mut reads = Vec::new();
    for (name, text) in refused {
        answered!(gate.say((name, text), query()).await, CredentialRefused);
        let mut message = RequestMessage::single(Version::NEWEST, query());
        let credentials = vec![password(name, text)];
        message.header.authentication = Some(Authentication { credentials });
        let house = &gate.office.house;
        let identity = house.server.identity();
        let who = identity
            .resolve(&gate.gate.certificate, house.clock_seconds())
            .await
            .unwrap();
        let (sessions, admission) = (Sessions::default(), Admission::default());
        let mut run = Run::new(
            house.server.services(),
            &sessions,
            &who,
            &message,
            &gate.gate,
            &admission,
            0,
        );
        run.all(&mut Verified::default()).await;
        reads.push((run.into_work().reads(), name));
    }
    let wrong = reads[1].0;
    assert!(reads.iter().all(|(count, _)| *count == wrong), "{reads:?}");
    // Guesses at others have locked nobody else out.
    answered!(gate.say(AS_FRED, query()).await, ok);
    gate.office.house.clock.advance(60);
    answered!(gate.say(AS_BARNEY, query()).await, ok);
}

#[tokio::test]
async fn another_tenants_user_is_nobody() {
    let gate = Gate::open().await;
    let (tenant, operator) = {
        let house = &gate.office.house;
        let tenant = house.tenant_of(&house.bob).await;
        (tenant, house.known(tenant, kmip_protocol::PersonRole::Operator))
    };
    assert_ne!(tenant, gate.office.tenant);
    let request = ClientCreateRequest {
        application_name: None,
        ..user("dino", "the password of dino", &[])
    };
    answered!(gate.office.house.act(&operator, request).await, ok);
    answered!(
        gate.say(("dino", "the password of dino"), query()).await,
        CredentialRefused
    );
}

/// Whoever was recognised just before its tenant was suspended is not served by what it shows just after.
#[tokio::test]
async fn users_of_a_suspended_tenant_are_refused_by_its_record() {
    let gate = Gate::open().await;
    let own = given(gate.say(AS_FRED, LoginRequest::default()).await);
    let house = &gate.office.house;
    let shown = || vec![ticket(&own)];
    answered!(gate.say(AS_FRED, query()).await, ok);
    answered!(house.ask_over(query(), &gate.gate, shown()).await, ok);
    gate.office.change_unsaid(|tenant| tenant.suspended = true).await;
    answered!(gate.say(AS_FRED, query()).await, NotAuthenticated);
    answered!(gate.say(("nobody", "x"), query()).await, NotAuthenticated);
    answered!(house.ask_over(query(), &gate.gate, shown()).await, NotAuthenticated);
    gate.office.change_unsaid(|tenant| tenant.suspended = false).await;
    answered!(gate.say(AS_FRED, query()).await, ok);
    // Said, it holds for the connection's client, and so for all who come over it.
    gate.office.suspend(true).await;
    answered!(gate.say(AS_FRED, query()).await, NotAuthenticated);
    answered!(house.ask_over(query(), &gate.gate, shown()).await, NotAuthenticated);
}

#[tokio::test]
async fn a_change_of_the_record_counts_at_once() {
    let gate = Gate::open().await;
    answered!(gate.say(AS_FRED, query()).await, ok);
    let mut renewed = change("user-fred");
    renewed.password = Some(ClientPassword {
        username: "fred".into(),
        password: SecretText::new("another password"),
    });
    answered!(gate.office.act(renewed).await, ok);
    answered!(gate.say(AS_FRED, query()).await, CredentialRefused);
    answered!(gate.say(("fred", "another password"), query()).await, ok);
    let mut bound = change("user-fred");
    bound.user = Some(ClientUser {
        connection_clients: vec!["other-gate".into()],
    });
    answered!(gate.office.act(bound).await, ok);
    answered!(gate.say(("fred", "another password"), query()).await, CredentialRefused);
    let get = |name: &str| ClientGetRequest {
        client_name: name.into(),
    };
    let item = answered!(gate.office.act(get("user-fred")).await, ok);
    let Some(ResponsePayload::ClientGet(got)) = item.payload else {
        panic!("no client");
    };
    assert_eq!(got.client.user.unwrap().connection_clients, ["other-gate"]);
    // The client of the connection no longer admits users: they are no more judged, and no more admitted.
    let mut closed = change("gate");
    closed.settings = Some(ClientSettings::default());
    answered!(gate.office.act(closed).await, ok);
    let item = answered!(gate.say(AS_BARNEY, create("", Vec::new())).await, ok);
    let of_gate = GetRequest {
        unique_identifier: Some(identifier(&item)),
        ..GetRequest::default()
    };
    answered!(gate.office.ask(&gate.gate, of_gate).await, ok);
}

#[tokio::test]
async fn a_client_is_a_user_or_has_a_certificate() {
    let gate = Gate::open().await;
    let office = &gate.office;
    let without_password = ClientCreateRequest {
        password: None,
        ..user("pebbles", "", &[])
    };
    let with_key = ClientCreateRequest {
        credentials: vec![ClientCredential {
            key_fingerprint: Some(vec![9; 32]),
            ..ClientCredential::default()
        }],
        ..user("pebbles", FRED, &[])
    };
    let of_a_user = user("pebbles", FRED, &["user-fred"]);
    for request in [without_password, with_key, of_a_user] {
        answered!(office.act(request).await, InvalidField);
    }
    answered!(office.act(user("pebbles", FRED, &["unknown"])).await, NotFound);
    answered!(office.act(user("fred", FRED, &[])).await, Taken);
    let mut made_user = change("plain");
    made_user.user = Some(ClientUser::default());
    let mut both = change("gate");
    both.password = Some(ClientPassword {
        username: "gate".into(),
        password: SecretText::new(FRED),
    });
    for request in [made_user, both] {
        answered!(office.act(request).await, InvalidField);
    }
    let key = certs::PrivateKey::generate(certs::KeyKind::P256).unwrap();
    let issue = super::office::issue_for("user-fred", &key);
    answered!(office.act(issue).await, InvalidField);
}

#[tokio::test]
async fn a_users_ticket_is_its_own() {
    let gate = Gate::open().await;
    let login = LoginRequest {
        lease_time: Some(TicketLease::For(Interval(0))),
        request_count: Some(0),
        ..LoginRequest::default()
    };
    let own = given(gate.say(AS_FRED, login).await);
    let house = &gate.office.house;
    let shown = || vec![ticket(&own)];
    answered!(house.ask_over(query(), &gate.gate, shown()).await, ok);
    answered!(house.ask_over(query(), &gate.other, shown()).await, ok);
    answered!(house.ask_over(query(), &gate.plain, shown()).await, InvalidTicket);
    answered!(house.ask_over(query(), &house.bob, shown()).await, InvalidTicket);
    // It is the user's, and not that of the client that carries it.
    let policy = vec![Attribute::OperationPolicyName("default".into())];
    let made = gate.in_words_of(AS_FRED, with_policies(), create("", policy)).await;
    let get = || GetRequest {
        unique_identifier: Some(identifier(&made)),
        ..GetRequest::default()
    };
    answered!(house.ask_over(get(), &gate.gate, vec![ticket(&own)]).await, ok);
    answered!(house.ask_over(get(), &gate.gate, Vec::new()).await, PermissionDenied);
    // A password beside it has to be right, and the same user's.
    let beside = |(name, text): (&str, &str)| vec![ticket(&own), password(name, text)];
    answered!(house.ask_over(query(), &gate.gate, beside(AS_FRED)).await, ok);
    answered!(
        house.ask_over(query(), &gate.gate, beside(("fred", "x"))).await,
        CredentialRefused
    );
    answered!(
        house.ask_over(query(), &gate.gate, beside(AS_BARNEY)).await,
        InvalidTicket
    );
    let logout = LogoutRequest { ticket: own.clone() };
    answered!(house.ask_over(logout, &gate.gate, vec![ticket(&own)]).await, ok);
    answered!(house.ask_over(query(), &gate.gate, shown()).await, InvalidTicket);
}

/// Operation Policy Name, `default` (KMIP 1.4 §3.18.2): what is secret is its owner's alone.
#[tokio::test]
async fn what_is_made_under_the_default_policy_is_its_owners() {
    let gate = Gate::open().await;
    let old = with_policies();
    let policy = |name: &str| vec![Attribute::OperationPolicyName(name.into())];
    let made = gate.in_words_of(AS_FRED, old, create("own", policy("default"))).await;
    let name = Some(identifier(&made));
    let get = || GetRequest {
        unique_identifier: name.clone(),
        ..GetRequest::default()
    };
    let list = || GetAttributeListRequest {
        unique_identifier: name.clone(),
    };
    let destroy = || DestroyRequest {
        unique_identifier: name.clone(),
    };
    for version in [old, Version::NEWEST] {
        for item in [
            gate.in_words_of(AS_BARNEY, version, get()).await,
            gate.in_words_of(AS_BARNEY, version, list()).await,
            gate.in_words_of(AS_BARNEY, version, destroy()).await,
        ] {
            assert_eq!(told(&item), Some(Fault::PermissionDenied.message()));
            assert_eq!(item.result_reason, Some(ResultReason::PermissionDenied));
        }
        // It is not found either, by nothing and by its identifier.
        for by in [None, name.clone()] {
            let mut locate = LocateRequest::default();
            if let Some(UniqueIdentifier::Text(text)) = by {
                let only = Attribute::UniqueIdentifier(UniqueIdentifier::Text(text));
                locate.attributes.0.push(AttributePattern::exactly(&only));
            }
            let item = gate.in_words_of(AS_BARNEY, version, locate.clone()).await;
            let Some(ResponsePayload::Locate(found)) = item.payload else {
                panic!("no answer");
            };
            assert_eq!(found.unique_identifiers, [""; 0]);
            let item = gate.in_words_of(AS_FRED, version, locate).await;
            assert!(
                matches!(item.payload, Some(ResponsePayload::Locate(found)) if found.unique_identifiers.len() == 1)
            );
        }
        answered!(gate.in_words_of(AS_FRED, version, get()).await, ok);
    }
    let asked = |unique_identifier| GetAttributesRequest {
        unique_identifier,
        references: vec![AttributeReference::Known(
            kmip_protocol::AttributeKind::OperationPolicyName,
        )],
    };
    let item = answered!(gate.in_words_of(AS_FRED, old, asked(name.clone())).await, ok);
    let Some(ResponsePayload::GetAttributes(got)) = item.payload else {
        panic!("no attributes");
    };
    let owners = Attribute::OperationPolicyName("default".into());
    assert!(got.attributes.iter().eq([&owners]));
    answered!(gate.in_words_of(AS_FRED, old, destroy()).await, ok);
    // What was asked for nothing, or for the application, is all its clients'; another policy there is none.
    for more in [Vec::new(), policy("application")] {
        let made = gate.in_words_of(AS_FRED, old, create("", more)).await;
        let get = GetRequest {
            unique_identifier: Some(identifier(&made)),
            ..GetRequest::default()
        };
        answered!(gate.in_words_of(AS_BARNEY, old, get).await, ok);
        // It is told as clients look for it.
        let item = gate.in_words_of(AS_BARNEY, old, asked(Some(identifier(&made)))).await;
        assert!(
            matches!(item.payload, Some(ResponsePayload::GetAttributes(got)) if got.attributes.iter().eq([&owners]))
        );
    }
    answered!(
        gate.in_words_of(AS_FRED, old, create("", policy("other"))).await,
        InvalidAttributeValue
    );
}

/// Public keys are for all to read (KMIP 1.4 §3.18.2.2).
#[tokio::test]
async fn a_public_key_under_the_default_policy_is_read_by_all_and_changed_by_its_owner() {
    let gate = Gate::open().await;
    let old = with_policies();
    let common: Attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC),
        Attribute::CryptographicLength(256),
        Attribute::OperationPolicyName("default".into()),
    ]
    .into_iter()
    .collect();
    let mask = |mask| [Attribute::CryptographicUsageMask(mask)].into_iter().collect();
    let pair = CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: Some(mask(CryptographicUsageMask::Sign)),
        public_key_attributes: Some(mask(CryptographicUsageMask::Verify)),
        ..CreateKeyPairRequest::default()
    };
    let item = answered!(gate.in_words_of(AS_FRED, old, pair).await, ok);
    let Some(ResponsePayload::CreateKeyPair(pair)) = item.payload else {
        panic!("no pair");
    };
    let get = |name: &str| GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(name.into())),
        ..GetRequest::default()
    };
    let destroy = |name: &str| DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(name.into())),
    };
    let (public, private) = (&pair.public_key_unique_identifier, &pair.private_key_unique_identifier);
    answered!(gate.say(AS_BARNEY, get(public)).await, ok);
    answered!(gate.say(AS_BARNEY, destroy(public)).await, PermissionDenied);
    answered!(gate.say(AS_BARNEY, get(private)).await, PermissionDenied);
    answered!(gate.say(AS_FRED, get(private)).await, ok);
    answered!(gate.say(AS_FRED, destroy(public)).await, ok);
}

/// Whoever uses a public key that is another's leaves nothing in it: no Link to what was derived with it, and no certificate of it.
#[tokio::test]
async fn a_public_key_that_is_anothers_gets_no_links() {
    let gate = Gate::open().await;
    let pair = || {
        let common: Attributes = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::EC),
            Attribute::CryptographicLength(256),
            Attribute::OperationPolicyName("default".into()),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::DeriveKey | CryptographicUsageMask::KeyAgreement),
            Attribute::ActivationDate(DateTime(BEGIN - 10)),
        ]
        .into_iter()
        .collect();
        CreateKeyPairRequest {
            common_attributes: Some(common.into()),
            ..CreateKeyPairRequest::default()
        }
    };
    let mut pairs = Vec::new();
    for who in [AS_FRED, AS_BARNEY] {
        let item = answered!(gate.in_words_of(who, with_policies(), pair()).await, ok);
        let Some(ResponsePayload::CreateKeyPair(pair)) = item.payload else {
            panic!("no pair");
        };
        pairs.push(pair);
    }
    let (public, own) = (
        &pairs[0].public_key_unique_identifier,
        &pairs[1].private_key_unique_identifier,
    );
    let name = |name: &str| UniqueIdentifier::Text(name.into());
    let derive = DeriveKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![name(own), name(public)],
        derivation_method: DerivationMethod::AsymmetricKey,
        derivation_parameters: derivation(&[]),
        attributes: [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(128),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        ]
        .into_iter()
        .collect(),
    };
    answered!(gate.say(AS_BARNEY, derive).await, ok);
    let certify = CertifyRequest {
        unique_identifier: Some(name(public)),
        attributes: Some(
            [Attribute::CertificateType(CertificateType::X_509)]
                .into_iter()
                .collect(),
        ),
        ..CertifyRequest::default()
    };
    answered!(gate.say(AS_BARNEY, certify).await, PermissionDenied);
    for (who, key, expected) in [(AS_FRED, public, 1), (AS_BARNEY, own, 2)] {
        let request = GetAttributesRequest {
            unique_identifier: Some(name(key)),
            references: vec![AttributeReference::Known(AttributeKind::Link)],
        };
        let Some(ResponsePayload::GetAttributes(got)) = gate.say(who, request).await.payload else {
            panic!("no attributes");
        };
        assert_eq!(got.attributes.iter().count(), expected, "{}", who.0);
    }
}
