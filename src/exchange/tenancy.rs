//! Clients, their settings, certificates and namespaces, from an operator's request to what a client meets.

use super::ConnectionFacts;
use super::testing::{BEGIN, TestHouse, create, facts, leaf, validity};
use crate::administration::keeper::Keeper;
use crate::failure::Fault;
use crate::identity::{Enroll, IdentityChange, Principal, TenantRecord};
use crate::store::{Domain, Store, Work};
use certs::{CertificateRequest, CrlFacts, KeyKind, KeyStore, PrivateKey, Subject};
use kmip_protocol::{
    ApplicationCreateRequest, ApplicationDeleteRequest, ApplicationJoinRequest, ApplicationListRequest,
    ApplicationSpecificInformation, Attribute, AuthorityCreateRequest, AuthorityDeleteRequest, AuthorityListRequest,
    CertificateIssueRequest, CertificateIssueResponse, CertificateRevokeRequest, ClientCreateRequest, ClientCredential,
    ClientDeleteRequest, ClientGetRequest, ClientListRequest, ClientModifyRequest, ClientPassword, ClientResumeRequest,
    ClientSettings, ClientSuspendRequest, CryptoProfile, CryptographicAlgorithm, DestroyRequest, GetAttributesRequest,
    GetRequest, LocateRequest, Namespace, NamespaceCreateRequest, NamespaceDeleteRequest, NamespaceListRequest,
    NamespaceModifyRequest, Operation, Operations, PersonRole, QueryFunction, QueryRequest, Request, ResponseItem,
    ResponsePayload, ResultStatus, RevocationListGetRequest, SecretText, TenantSettings, UniqueIdentifier, Version,
};
use std::sync::Arc;

/// An operator of alice's tenant, and what it does.
struct Office {
    house: TestHouse,
    tenant: Domain,
    operator: Principal,
}

fn told(item: &ResponseItem) -> Option<&str> {
    match item.result_status {
        ResultStatus::Success => None,
        _ => Some(item.result_message.as_deref().unwrap_or_default()),
    }
}

/// Asserts that an item failed with this fault, or succeeded.
macro_rules! expect {
    ($item:expr, ok) => {{
        let item = $item;
        assert_eq!(told(&item), None);
        item
    }};
    ($item:expr, $fault:ident) => {{
        let item = $item;
        assert_eq!(told(&item), Some(Fault::$fault.message()));
    }};
}

impl Office {
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let tenant = house.tenant_of(&house.alice).await;
        let operator = house.known(tenant, PersonRole::Operator);
        Self {
            house,
            tenant,
            operator,
        }
    }

    async fn act<R: Request>(&self, request: R) -> ResponseItem {
        self.house.act(&self.operator, request).await
    }

    /// As a client, by its connection.
    async fn ask<R: Request>(&self, facts: &ConnectionFacts, request: R) -> ResponseItem {
        self.house.item(Version::NEWEST, request, facts).await
    }

    async fn issuer(&self) {
        let made = self.act(authority_of("own")).await;
        expect!(made, ok);
    }

    async fn client(&self, name: &str, application: Option<&str>, settings: Option<ClientSettings>) -> ResponseItem {
        let request = ClientCreateRequest {
            client_name: name.into(),
            application_name: application.map(str::to_owned),
            settings,
            credentials: Vec::new(),
            password: None,
        };
        self.act(request).await
    }

    /// Makes a client with a certificate, and the connection that it opens.
    async fn connected(&self, name: &str, application: Option<&str>, settings: ClientSettings) -> ConnectionFacts {
        expect!(self.client(name, application, Some(settings)).await, ok);
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let issued = self.issue(name, &key).await;
        facts(vec![issued.certificate, issued.authority])
    }

    async fn issue(&self, name: &str, key: &PrivateKey) -> CertificateIssueResponse {
        let item = expect!(self.act(issue_for(name, key)).await, ok);
        match item.payload {
            Some(ResponsePayload::CertificateIssue(issued)) => issued,
            _ => panic!("no certificate"),
        }
    }

    /// Changes the tenant's settings, as an administrator would.
    async fn set(&self, settings: TenantSettings) {
        let services = self.house.server.services();
        let keeper = Keeper(Arc::clone(&services.custody));
        let store: Arc<dyn Store> = Arc::clone(&services.store);
        let mut work = Work::new(Arc::clone(&store));
        let record = work.load(TenantRecord::key(self.tenant)).await.unwrap().unwrap();
        let body = crate::records::open(&services.custody, &record).unwrap();
        let mut record = TenantRecord::decode(body).unwrap();
        record.settings = settings;
        Enroll::new(&mut work, &keeper)
            .tenant(self.tenant, &record)
            .await
            .unwrap();
        store.commit(work.into_change_set(0)).await.unwrap();
        let changed = IdentityChange::Tenant(self.tenant);
        self.house.server.identity().changed(changed).await.unwrap();
    }
}

fn issue_for(name: &str, key: &PrivateKey) -> CertificateIssueRequest {
    CertificateIssueRequest {
        client_name: name.into(),
        authority_name: None,
        certificate_request: Some(CertificateRequest::create(&Subject::named("whatever"), &[], key).unwrap()),
        keystore_password: None,
        validity: None,
    }
}

fn authority_of(name: &str) -> AuthorityCreateRequest {
    AuthorityCreateRequest {
        authority_name: name.into(),
        certificate: None,
        hardware: None,
        revocation_lists: Vec::new(),
    }
}

fn query() -> QueryRequest {
    QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    }
}

fn get(identifier: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.into())),
        ..GetRequest::default()
    }
}

fn identifier(item: ResponseItem) -> String {
    match expect!(item, ok).payload {
        Some(ResponsePayload::Create(made)) => made.unique_identifier,
        _ => panic!("not created"),
    }
}

fn group(name: &str) -> Attribute {
    Attribute::ObjectGroup(name.into())
}

fn information(namespace: &str, data: Option<&str>) -> Attribute {
    Attribute::ApplicationSpecificInformation(ApplicationSpecificInformation {
        application_namespace: namespace.into(),
        application_data: data.map(str::to_owned),
    })
}

#[tokio::test]
async fn a_client_lives_from_its_creation_to_its_deletion() {
    let office = Office::open().await;
    office.issuer().await;
    let db = office.connected("db", None, ClientSettings::default()).await;
    expect!(office.ask(&db, create("one", Vec::new())).await, ok);
    // It has an application of its own: alice's objects do not exist for it.
    let foreign = office.house.create("two", Vec::new()).await;
    expect!(office.ask(&db, get(&foreign)).await, ObjectNotFound);

    expect!(office.client("db", None, None).await, Taken);
    expect!(office.client("d\u{e9}", None, None).await, InvalidName);
    expect!(office.client("x", Some("nowhere"), None).await, NotFound);

    let name = || "db".to_owned();
    let suspend = ClientSuspendRequest { client_name: name() };
    expect!(office.act(suspend).await, ok);
    expect!(office.ask(&db, query()).await, NotAuthenticated);
    let resume = ClientResumeRequest { client_name: name() };
    expect!(office.act(resume).await, ok);
    expect!(office.ask(&db, query()).await, ok);

    let modify = ClientModifyRequest {
        client_name: name(),
        new_name: Some("database".into()),
        settings: None,
        credentials: Vec::new(),
        password: None,
    };
    expect!(office.act(modify).await, ok);
    expect!(office.act(ClientGetRequest { client_name: name() }).await, NotFound);
    let item = expect!(office.act(ClientListRequest::default()).await, ok);
    let Some(ResponsePayload::ClientList(list)) = item.payload else {
        panic!()
    };
    let names: Vec<_> = list
        .clients
        .iter()
        .map(|c| (&*c.client_name, &*c.application_name))
        .collect();
    assert_eq!(names, [("alice", "alice"), ("database", "db")]);
    assert_eq!(list.clients[1].credentials.len(), 1);

    let delete = ClientDeleteRequest {
        client_name: "database".into(),
    };
    expect!(office.act(delete).await, ok);
    // Nobody's certificate: what strangers may do.
    expect!(office.ask(&db, create("three", Vec::new())).await, NotAuthenticated);
    // Its name, its key's claim and its rules are free again.
    expect!(office.client("database", None, None).await, ok);
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_on_its_open_connection() {
    let office = Office::open().await;
    office.issuer().await;
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    expect!(office.client("db", None, None).await, ok);
    let first = office.issue("db", &key).await;
    // Renewal is issuing again, for the same key or another.
    let renewed = office.issue("db", &key).await;
    let other = office.issue("db", &PrivateKey::generate(KeyKind::P256).unwrap()).await;
    let connect = |issued: &CertificateIssueResponse| facts(vec![issued.certificate.clone(), issued.authority.clone()]);
    let connections = [connect(&first), connect(&renewed), connect(&other)];
    for connection in &connections {
        expect!(office.ask(connection, query()).await, ok);
    }
    let list = || RevocationListGetRequest {
        authority_name: "own".into(),
    };
    let revoked = async || {
        let item = expect!(office.act(list()).await, ok);
        let Some(ResponsePayload::RevocationListGet(told)) = item.payload else {
            panic!()
        };
        CrlFacts::read(&told.revocation_list).unwrap().revoked.len()
    };
    assert_eq!(revoked().await, 0);
    let revoke = || CertificateRevokeRequest {
        client_name: "db".into(),
        key_fingerprint: connections[0].certificate.key_fingerprint().to_vec(),
    };
    expect!(office.act(revoke()).await, ok);
    assert_eq!(revoked().await, 2);
    expect!(office.ask(&connections[0], query()).await, NotAuthenticated);
    expect!(office.ask(&connections[1], query()).await, NotAuthenticated);
    expect!(office.ask(&connections[2], query()).await, ok);
    let trust = office.house.server.identity().trust();
    let judged = trust.judge(connections[0].certificate.chain(), BEGIN);
    assert_eq!(judged.err(), Some(certs::ChainError::Revoked));
    expect!(office.act(revoke()).await, NotFound);
    // An authority that is withdrawn takes with it what it issued.
    let withdraw = AuthorityDeleteRequest {
        authority_name: "own".into(),
    };
    expect!(office.act(withdraw).await, ok);
    expect!(office.ask(&connections[2], query()).await, NotAuthenticated);
}

#[tokio::test]
async fn a_keystore_is_told_once_and_kept_nowhere() {
    let office = Office {
        house: TestHouse::on_disk().await,
        ..Office::open().await
    };
    let tenant = office.house.tenant_of(&office.house.alice).await;
    let operator = office.house.known(tenant, PersonRole::Operator);
    let office = Office {
        tenant,
        operator,
        ..office
    };
    office.issuer().await;
    expect!(office.client("db", None, None).await, ok);
    let password = "correct horse battery";
    let request = |password: &str| CertificateIssueRequest {
        certificate_request: None,
        keystore_password: Some(SecretText::new(password)),
        ..issue_for("db", &PrivateKey::generate(KeyKind::P256).unwrap())
    };
    expect!(office.act(request("short")).await, WeakPassword);
    let item = expect!(office.act(request(password)).await, ok);
    let Some(ResponsePayload::CertificateIssue(issued)) = item.payload else {
        panic!()
    };
    let keystore = issued.keystore.unwrap();
    let opened = KeyStore::open(keystore.expose(), password).unwrap();
    assert_eq!(opened.certificate, issued.certificate);
    assert_eq!(opened.chain, std::slice::from_ref(&issued.authority));
    assert!(KeyStore::open(keystore.expose(), "wrong password 1").is_err());
    let connection = facts(vec![opened.certificate, issued.authority.clone()]);
    expect!(office.ask(&connection, create("one", Vec::new())).await, ok);

    // The file, the key in it and its scalar are nowhere on the disk; the certificate's own key is, so that we see enough.
    let der = opened.key.to_der();
    let scalar = der.get(36..68).unwrap();
    let files = office.house.files();
    assert!(files.iter().map(Vec::len).sum::<usize>() > 10_000);
    let found = |needle: &[u8]| files.iter().any(|file| file.windows(needle.len()).any(|w| w == needle));
    assert!(!found(scalar) && !found(&der) && !found(keystore.expose().get(100..164).unwrap()));
    assert!(!found(password.as_bytes()));
}

#[tokio::test]
async fn what_the_settings_of_a_client_withhold_is_refused() {
    let office = Office::open().await;
    office.issuer().await;
    let operations = Operations {
        operations: vec![Operation::Create, Operation::Get],
    };
    let settings = ClientSettings {
        operations: Some(operations),
        allowed_networks: vec!["127.0.0.0/8".into()],
        requests_per_second: Some(4),
        expires: Some(kmip_protocol::DateTime(BEGIN + 3_600)),
        ..ClientSettings::default()
    };
    let db = office.connected("db", None, settings).await;
    let made = identifier(office.ask(&db, create("one", Vec::new())).await);
    expect!(office.ask(&db, get(&made)).await, ok);
    expect!(office.ask(&db, LocateRequest::default()).await, PermissionDenied);
    let item = expect!(office.ask(&db, query()).await, ok);
    let Some(ResponsePayload::Query(answer)) = item.payload else {
        panic!()
    };
    let mut operations = answer.operations;
    operations.sort_unstable_by_key(|operation| operation.0);
    let permitted = [
        Operation::Create,
        Operation::Get,
        Operation::Query,
        Operation::DiscoverVersions,
    ];
    assert_eq!(operations, permitted);
    // The fifth within a second.
    expect!(office.ask(&db, query()).await, TooManyRequests);
    office.house.clock.advance(1);
    expect!(office.ask(&db, query()).await, ok);
    let elsewhere = ConnectionFacts {
        peer: "192.0.2.7:4000".parse().unwrap(),
        ..db.clone()
    };
    expect!(office.ask(&elsewhere, query()).await, NotAuthenticated);
    office.house.clock.advance(3_600);
    expect!(office.ask(&db, query()).await, NotAuthenticated);
}

#[tokio::test]
async fn objects_outside_of_a_clients_groups_and_namespaces_do_not_exist_for_it() {
    let office = Office::open().await;
    office.issuer().await;
    let settings = ClientSettings {
        object_groups: vec!["blue".into()],
        application_namespaces: vec!["disk".into()],
        ..ClientSettings::default()
    };
    let narrow = office.connected("narrow", Some("alice"), settings).await;
    let alice = office.house.alice.clone();
    let attributes = |groups: &str, namespace: &str| vec![group(groups), information(namespace, Some("1"))];
    let seen = identifier(office.ask(&alice, create("", attributes("blue", "disk"))).await);
    let red = identifier(office.ask(&alice, create("", attributes("red", "disk"))).await);
    let tape = identifier(office.ask(&alice, create("", attributes("blue", "tape"))).await);
    let bare = identifier(office.ask(&alice, create("", Vec::new())).await);
    expect!(office.ask(&narrow, get(&seen)).await, ok);
    for hidden in [&red, &tape, &bare] {
        expect!(office.ask(&narrow, get(hidden)).await, ObjectNotFound);
    }
    let item = expect!(office.ask(&narrow, LocateRequest::default()).await, ok);
    let Some(ResponsePayload::Locate(located)) = item.payload else {
        panic!()
    };
    assert_eq!(located.unique_identifiers, std::slice::from_ref(&seen));
    // It makes nothing that it does not see.
    expect!(
        office.ask(&narrow, create("", attributes("red", "disk"))).await,
        PermissionDenied
    );
    expect!(office.ask(&narrow, create("", attributes("blue", "disk"))).await, ok);
    // The others see everything.
    expect!(office.ask(&alice, get(&red)).await, ok);
}

#[tokio::test]
async fn applications_are_joined_and_deleted_when_they_are_empty() {
    let office = Office::open().await;
    office.issuer().await;
    let one = |name: &str| ApplicationCreateRequest {
        application_name: name.into(),
    };
    expect!(office.act(one("archive")).await, ok);
    expect!(office.act(one("archive")).await, Taken);
    let db = office.connected("db", Some("archive"), ClientSettings::default()).await;
    let kept = office.house.create("one", Vec::new()).await;
    expect!(office.ask(&db, get(&kept)).await, ObjectNotFound);
    let join = |application: &str| ApplicationJoinRequest {
        client_name: "db".into(),
        application_name: application.into(),
    };
    expect!(office.act(join("alice")).await, ok);
    expect!(office.ask(&db, get(&kept)).await, ok);
    let delete = |name: &str| ApplicationDeleteRequest {
        application_name: name.into(),
    };
    expect!(office.act(delete("alice")).await, InUse);
    expect!(office.act(join("archive")).await, ok);
    expect!(office.act(delete("archive")).await, InUse);
    expect!(office.act(join("alice")).await, ok);
    expect!(office.act(delete("archive")).await, ok);
    let item = expect!(office.act(ApplicationListRequest::default()).await, ok);
    let Some(ResponsePayload::ApplicationList(list)) = item.payload else {
        panic!()
    };
    assert_eq!(list.applications.len(), 1);
    assert_eq!(list.applications[0].clients, ["alice", "db"]);
}

#[tokio::test]
async fn registered_namespaces_are_the_only_ones() {
    let office = Office::open().await;
    let alice = office.house.alice.clone();
    let made = |attribute: Attribute| create("", vec![attribute]);
    // Where none is registered, all are.
    let before = identifier(office.ask(&alice, made(information("old", None))).await);
    let namespace = |name: &str, generated_data| Namespace {
        application_namespace: name.into(),
        description: None,
        generated_data,
    };
    let add = |name: &str, generated| NamespaceCreateRequest {
        namespace: namespace(name, generated),
    };
    expect!(office.act(add("disk", true)).await, ok);
    expect!(office.act(add("disk", false)).await, Taken);
    expect!(office.act(add("tape", false)).await, ok);
    expect!(
        office.ask(&alice, made(information("old", Some("1")))).await,
        ApplicationNamespace
    );
    expect!(
        office.ask(&alice, made(information("tape", None))).await,
        ApplicationNamespace
    );
    let used = identifier(office.ask(&alice, made(information("tape", Some("7")))).await);
    let generated = identifier(office.ask(&alice, made(information("disk", None))).await);
    let asked = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(generated)),
        ..GetAttributesRequest::default()
    };
    let item = expect!(office.ask(&alice, asked).await, ok);
    let Some(ResponsePayload::GetAttributes(answer)) = item.payload else {
        panic!()
    };
    let data = answer.attributes.iter().find_map(|attribute| match attribute {
        Attribute::ApplicationSpecificInformation(information) => information.application_data.clone(),
        _ => None,
    });
    assert_eq!(data.map(|data| data.len()), Some(36));

    let names = QueryRequest {
        query_functions: vec![QueryFunction::QueryApplicationNamespaces],
        object_groups: None,
    };
    let item = expect!(office.ask(&alice, names).await, ok);
    let Some(ResponsePayload::Query(answer)) = item.payload else {
        panic!()
    };
    assert_eq!(answer.application_namespaces, ["disk", "tape"]);

    let delete = |name: &str| NamespaceDeleteRequest {
        application_namespace: name.into(),
    };
    expect!(office.act(delete("tape")).await, InUse);
    expect!(office.act(delete("old")).await, NotFound);
    let destroy = |identifier: &str| DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.into())),
    };
    expect!(office.ask(&alice, destroy(&used)).await, ok);
    expect!(office.act(delete("tape")).await, ok);
    let modify = NamespaceModifyRequest {
        namespace: namespace("disk", false),
    };
    expect!(office.act(modify).await, ok);
    expect!(
        office.ask(&alice, made(information("disk", None))).await,
        ApplicationNamespace
    );
    let item = expect!(office.act(NamespaceListRequest::default()).await, ok);
    let Some(ResponsePayload::NamespaceList(list)) = item.payload else {
        panic!()
    };
    assert_eq!(list.namespaces, [namespace("disk", false)]);
    // What was there before stays what it is.
    expect!(office.ask(&alice, get(&before)).await, ok);
}

#[tokio::test]
async fn what_the_settings_of_a_tenant_withhold_is_refused() {
    let office = Office::open().await;
    let alice = office.house.alice.clone();
    let weak = || {
        let mut request = create("", Vec::new());
        let attributes = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::DES3),
            Attribute::CryptographicLength(192),
            Attribute::CryptographicUsageMask(kmip_protocol::CryptographicUsageMask::Encrypt),
        ];
        request.attributes = attributes.into_iter().collect::<kmip_protocol::Attributes>().into();
        request
    };
    let old = identifier(office.ask(&alice, weak()).await);
    let made = identifier(office.ask(&alice, create("", Vec::new())).await);
    expect!(office.ask(&alice, get(&made)).await, ok);
    office
        .set(TenantSettings {
            crypto_profile: Some(CryptoProfile::Bsi),
            plaintext_get: Some(false),
            object_quota: Some(1),
            client_quota: Some(1),
            requests_per_second: Some(100),
            ..TenantSettings::default()
        })
        .await;
    expect!(office.ask(&alice, weak()).await, ProfileRefused);
    expect!(office.ask(&alice, get(&made)).await, Sensitive);
    expect!(office.ask(&alice, get(&old)).await, Sensitive);
    // The quota counts from when it was set.
    let last = identifier(office.ask(&alice, create("", Vec::new())).await);
    expect!(office.ask(&alice, create("", Vec::new())).await, QuotaExceeded);
    let destroy = DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(last)),
    };
    expect!(office.ask(&alice, destroy).await, ok);
    expect!(office.ask(&alice, create("", Vec::new())).await, ok);
    expect!(office.client("one", None, None).await, ok);
    expect!(office.client("two", None, None).await, QuotaExceeded);
    // Other tenants are not concerned.
    let bob = office.house.bob.clone();
    expect!(office.ask(&bob, weak()).await, ok);
}

#[tokio::test]
async fn authorities_from_outside_are_enrolled_once() {
    let office = Office::open().await;
    let ca = certs::CertificateAuthority::create(&Subject::named("outside"), validity(), KeyKind::P256).unwrap();
    let enrol = |name: &str, certificate: &[u8]| AuthorityCreateRequest {
        certificate: Some(certificate.to_vec()),
        ..authority_of(name)
    };
    let (certificate, key) = ca.issue(&leaf("db"), KeyKind::P256).unwrap();
    expect!(office.act(enrol("outside", &certificate)).await, InvalidField);
    expect!(office.act(enrol("outside", ca.certificate())).await, ok);
    expect!(office.act(enrol("again", ca.certificate())).await, Taken);
    expect!(office.act(authority_of("outside")).await, Taken);
    let credential = ClientCredential {
        key_fingerprint: Some(
            certs::CertificateFacts::read(&certificate)
                .unwrap()
                .key_fingerprint
                .to_vec(),
        ),
        ..ClientCredential::default()
    };
    let request = ClientCreateRequest {
        client_name: "db".into(),
        application_name: None,
        settings: None,
        credentials: vec![credential],
        password: None,
    };
    expect!(office.act(request).await, ok);
    expect!(office.ask(&facts(vec![certificate]), query()).await, ok);
    // The server has no key of it.
    expect!(office.act(issue_for("db", &key)).await, CannotIssue);
    let item = expect!(office.act(AuthorityListRequest::default()).await, ok);
    let Some(ResponsePayload::AuthorityList(list)) = item.payload else {
        panic!()
    };
    let told: Vec<_> = list
        .authorities
        .iter()
        .map(|a| (&*a.authority_name, a.issues))
        .collect();
    assert_eq!(told, [("alice", false), ("outside", false)]);
}

#[tokio::test]
async fn a_clients_password_is_judged_beside_its_certificate() {
    let office = Office::open().await;
    office.issuer().await;
    let db = office.connected("db", None, ClientSettings::default()).await;
    let password = |text: &str| ClientModifyRequest {
        client_name: "db".into(),
        new_name: None,
        settings: None,
        credentials: Vec::new(),
        password: Some(ClientPassword {
            username: "app".into(),
            password: SecretText::new(text),
        }),
    };
    expect!(office.act(password("too short")).await, WeakPassword);
    expect!(office.act(password("a long password")).await, ok);
    let ask = async |name: &str, text: &str| {
        let shown = super::members::password(name, text);
        office.house.ask_over(query(), &db, vec![shown]).await
    };
    expect!(office.ask(&db, query()).await, CredentialRefused);
    expect!(ask("app", "another password").await, CredentialRefused);
    expect!(ask("db", "a long password").await, CredentialRefused);
    for _ in 0..2 {
        expect!(ask("app", "a long password").await, ok);
    }
    expect!(ask("app", "a long passwore").await, CredentialRefused);
    // A new one counts at once.
    expect!(office.act(password("a newer password")).await, ok);
    expect!(ask("app", "a long password").await, CredentialRefused);
    expect!(ask("app", "a newer password").await, ok);
}
