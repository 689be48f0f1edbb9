//! Clients, their settings, certificates and namespaces, from an operator's request to what a client meets.

use super::ConnectionFacts;
use super::office::{Office, answered, authority_of, issue_for, query};
use super::testing::{BEGIN, TestHouse, batch, create, facts, leaf, validity};
use certs::{KeyKind, KeyStore, PrivateKey, Subject};
use kmip_protocol::{
    ApplicationCreateRequest, ApplicationDeleteRequest, ApplicationJoinRequest, ApplicationListRequest,
    ApplicationSpecificInformation, Attribute, AuthorityCreateRequest, AuthorityListRequest, CertificateIssueRequest,
    ClientCreateRequest, ClientCredential, ClientDeleteRequest, ClientGetRequest, ClientListRequest,
    ClientModifyRequest, ClientResumeRequest, ClientSettings, ClientSuspendRequest, CryptoProfile,
    CryptographicAlgorithm, DestroyRequest, GetAttributesRequest, GetRequest, InteropFunction, InteropRequest,
    LocateRequest, Namespace, NamespaceCreateRequest, NamespaceDeleteRequest, NamespaceListRequest,
    NamespaceModifyRequest, Operation, Operations, PersonRole, QueryFunction, QueryRequest, RequestItem, ResponseItem,
    ResponsePayload, SecretText, TenantSettings, UniqueIdentifier, Version,
};

fn get(identifier: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.into())),
        ..GetRequest::default()
    }
}

fn identifier(item: ResponseItem) -> String {
    match answered!(item, ok).payload {
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
    answered!(office.ask(&db, create("one", Vec::new())).await, ok);
    // It has an application of its own: alice's objects do not exist for it.
    let foreign = office.house.create("two", Vec::new()).await;
    answered!(office.ask(&db, get(&foreign)).await, ObjectNotFound);

    answered!(office.client("db", None, None).await, Taken);
    answered!(office.client("d\u{e9}", None, None).await, InvalidName);
    answered!(office.client("x", Some("nowhere"), None).await, NotFound);

    let name = || "db".to_owned();
    let suspend = ClientSuspendRequest { client_name: name() };
    answered!(office.act(suspend).await, ok);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
    let resume = ClientResumeRequest { client_name: name() };
    answered!(office.act(resume).await, ok);
    answered!(office.ask(&db, query()).await, ok);

    let modify = ClientModifyRequest {
        client_name: name(),
        new_name: Some("database".into()),
        settings: None,
        credentials: Vec::new(),
        password: None,
        user: None,
    };
    answered!(office.act(modify).await, ok);
    answered!(office.act(ClientGetRequest { client_name: name() }).await, NotFound);
    let item = answered!(office.act(ClientListRequest::default()).await, ok);
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
    answered!(office.act(delete).await, ok);
    // Nobody's certificate: what strangers may do.
    answered!(office.ask(&db, create("three", Vec::new())).await, NotAuthenticated);
    // Its name, its key's claim and its rules are free again.
    answered!(office.client("database", None, None).await, ok);
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
    answered!(office.client("db", None, None).await, ok);
    let password = "correct horse battery";
    let request = |password: &str| CertificateIssueRequest {
        certificate_request: None,
        keystore_password: Some(SecretText::new(password)),
        ..issue_for("db", &PrivateKey::generate(KeyKind::P256).unwrap())
    };
    answered!(office.act(request("short")).await, WeakPassword);
    let item = answered!(office.act(request(password)).await, ok);
    let Some(ResponsePayload::CertificateIssue(issued)) = item.payload else {
        panic!()
    };
    let keystore = issued.keystore.unwrap();
    let opened = KeyStore::open(keystore.expose(), password).unwrap();
    assert_eq!(opened.certificate, issued.certificate);
    assert_eq!(opened.chain, std::slice::from_ref(&issued.authority));
    assert!(KeyStore::open(keystore.expose(), "wrong password 1").is_err());
    let connection = facts(vec![opened.certificate, issued.authority.clone()]);
    answered!(office.ask(&connection, create("one", Vec::new())).await, ok);

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
    answered!(office.ask(&db, get(&made)).await, ok);
    answered!(office.ask(&db, LocateRequest::default()).await, PermissionDenied);
    let item = answered!(office.ask(&db, query()).await, ok);
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
    answered!(office.ask(&db, query()).await, TooManyRequests);
    office.house.clock.advance(1);
    answered!(office.ask(&db, query()).await, ok);
    let elsewhere = ConnectionFacts {
        peer: "192.0.2.7:4000".parse().unwrap(),
        ..db.clone()
    };
    answered!(office.ask(&elsewhere, query()).await, NotAuthenticated);
    office.house.clock.advance(3_600);
    answered!(office.ask(&db, query()).await, NotAuthenticated);
}

#[tokio::test]
async fn a_batch_is_no_way_round_a_rate() {
    let office = Office::open().await;
    office.issuer().await;
    let settings = ClientSettings {
        requests_per_second: Some(4),
        ..ClientSettings::default()
    };
    let db = office.connected("db", None, settings).await;
    let items = |count: usize| batch(Version::NEWEST, (0..count).map(|_| RequestItem::new(query())).collect());
    let ask = async |count| office.house.message(&items(count), &db).await.items.remove(0);
    answered!(ask(3).await, ok);
    answered!(ask(1).await, ok);
    answered!(ask(1).await, TooManyRequests);
    office.house.clock.advance(1);
    // More than a second's worth passes once, and is paid for by the seconds that follow.
    answered!(ask(12).await, ok);
    office.house.clock.advance(2);
    answered!(ask(1).await, TooManyRequests);
    office.house.clock.advance(1);
    answered!(ask(4).await, ok);
    answered!(ask(1).await, TooManyRequests);
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
    answered!(office.ask(&narrow, get(&seen)).await, ok);
    for hidden in [&red, &tape, &bare] {
        answered!(office.ask(&narrow, get(hidden)).await, ObjectNotFound);
    }
    let item = answered!(office.ask(&narrow, LocateRequest::default()).await, ok);
    let Some(ResponsePayload::Locate(located)) = item.payload else {
        panic!()
    };
    assert_eq!(located.unique_identifiers, std::slice::from_ref(&seen));
    // It makes nothing that it does not see.
    answered!(
        office.ask(&narrow, create("", attributes("red", "disk"))).await,
        PermissionDenied
    );
    answered!(office.ask(&narrow, create("", attributes("blue", "disk"))).await, ok);
    // The others see everything.
    answered!(office.ask(&alice, get(&red)).await, ok);
}

#[tokio::test]
async fn applications_are_joined_and_deleted_when_they_are_empty() {
    let office = Office::open().await;
    office.issuer().await;
    let one = |name: &str| ApplicationCreateRequest {
        application_name: name.into(),
    };
    answered!(office.act(one("archive")).await, ok);
    answered!(office.act(one("archive")).await, Taken);
    let db = office.connected("db", Some("archive"), ClientSettings::default()).await;
    let kept = office.house.create("one", Vec::new()).await;
    answered!(office.ask(&db, get(&kept)).await, ObjectNotFound);
    let join = |application: &str| ApplicationJoinRequest {
        client_name: "db".into(),
        application_name: application.into(),
    };
    answered!(office.act(join("alice")).await, ok);
    answered!(office.ask(&db, get(&kept)).await, ok);
    let delete = |name: &str| ApplicationDeleteRequest {
        application_name: name.into(),
    };
    answered!(office.act(delete("alice")).await, InUse);
    answered!(office.act(join("archive")).await, ok);
    answered!(office.act(delete("archive")).await, InUse);
    answered!(office.act(join("alice")).await, ok);
    answered!(office.act(delete("archive")).await, ok);
    let item = answered!(office.act(ApplicationListRequest::default()).await, ok);
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
    answered!(office.act(add("disk", true)).await, ok);
    answered!(office.act(add("disk", false)).await, Taken);
    answered!(office.act(add("tape", false)).await, ok);
    answered!(
        office.ask(&alice, made(information("old", Some("1")))).await,
        ApplicationNamespace
    );
    answered!(
        office.ask(&alice, made(information("tape", None))).await,
        ApplicationNamespace
    );
    let used = identifier(office.ask(&alice, made(information("tape", Some("7")))).await);
    let generated = identifier(office.ask(&alice, made(information("disk", None))).await);
    let asked = GetAttributesRequest {
        unique_identifier: Some(UniqueIdentifier::Text(generated)),
        ..GetAttributesRequest::default()
    };
    let item = answered!(office.ask(&alice, asked).await, ok);
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
    let item = answered!(office.ask(&alice, names).await, ok);
    let Some(ResponsePayload::Query(answer)) = item.payload else {
        panic!()
    };
    assert_eq!(answer.application_namespaces, ["disk", "tape"]);

    let delete = |name: &str| NamespaceDeleteRequest {
        application_namespace: name.into(),
    };
    answered!(office.act(delete("tape")).await, InUse);
    answered!(office.act(delete("old")).await, NotFound);
    let destroy = |identifier: &str| DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.into())),
    };
    answered!(office.ask(&alice, destroy(&used)).await, ok);
    answered!(office.act(delete("tape")).await, ok);
    let modify = NamespaceModifyRequest {
        namespace: namespace("disk", false),
    };
    answered!(office.act(modify).await, ok);
    answered!(
        office.ask(&alice, made(information("disk", None))).await,
        ApplicationNamespace
    );
    let item = answered!(office.act(NamespaceListRequest::default()).await, ok);
    let Some(ResponsePayload::NamespaceList(list)) = item.payload else {
        panic!()
    };
    assert_eq!(list.namespaces, [namespace("disk", false)]);
    // What was there before stays what it is.
    answered!(office.ask(&alice, get(&before)).await, ok);
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
    answered!(office.ask(&alice, get(&made)).await, ok);
    office
        .set(TenantSettings {
            crypto_profile: Some(CryptoProfile::Bsi),
            plaintext_get: Some(false),
            object_quota: Some(1),
            // The one that it began with counts.
            client_quota: Some(2),
            requests_per_second: Some(100),
            ..TenantSettings::default()
        })
        .await;
    answered!(office.ask(&alice, weak()).await, ProfileRefused);
    answered!(office.ask(&alice, get(&made)).await, Sensitive);
    answered!(office.ask(&alice, get(&old)).await, Sensitive);
    // The quota counts from when it was set.
    let last = identifier(office.ask(&alice, create("", Vec::new())).await);
    answered!(office.ask(&alice, create("", Vec::new())).await, QuotaExceeded);
    let destroy = DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::Text(last)),
    };
    answered!(office.ask(&alice, destroy).await, ok);
    answered!(office.ask(&alice, create("", Vec::new())).await, ok);
    answered!(office.client("one", None, None).await, ok);
    answered!(office.client("two", None, None).await, QuotaExceeded);
    // Other tenants are not concerned.
    let bob = office.house.bob.clone();
    answered!(office.ask(&bob, weak()).await, ok);
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
    answered!(office.act(enrol("outside", &certificate)).await, InvalidField);
    answered!(office.act(enrol("outside", ca.certificate())).await, ok);
    answered!(office.act(enrol("again", ca.certificate())).await, Taken);
    answered!(office.act(authority_of("outside")).await, Taken);
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
        user: None,
    };
    answered!(office.act(request).await, ok);
    answered!(office.ask(&facts(vec![certificate]), query()).await, ok);
    // The server has no key of it.
    answered!(office.act(issue_for("db", &key)).await, CannotIssue);
    let item = answered!(office.act(AuthorityListRequest::default()).await, ok);
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
async fn the_rate_of_a_tenant_is_that_of_all_its_clients_together() {
    let office = Office::open().await;
    office.issuer().await;
    let db = office.connected("db", None, ClientSettings::default()).await;
    let settings = TenantSettings {
        requests_per_second: Some(2),
        ..TenantSettings::default()
    };
    office.set(settings).await;
    let alice = &office.house.alice;
    answered!(office.ask(alice, query()).await, ok);
    answered!(office.ask(&db, query()).await, ok);
    answered!(office.ask(alice, query()).await, TooManyRequests);
    answered!(office.ask(&office.house.bob, query()).await, ok);
    office.house.clock.advance(1);
    answered!(office.ask(&db, query()).await, ok);
}

#[tokio::test]
async fn interop_clears_a_tenant_of_tests_and_no_other() {
    let mut office = Office::open().await;
    office.house.server.about().interop = true;
    let (alice, bob) = (office.house.alice.clone(), office.house.bob.clone());
    let reset = InteropRequest {
        interop_function: InteropFunction::Reset,
        interop_identifier: None,
    };
    let mine = identifier(office.ask(&alice, create("mine", Vec::new())).await);
    let theirs = identifier(office.ask(&bob, create("theirs", Vec::new())).await);
    answered!(office.ask(&alice, reset.clone()).await, NotForTests);
    answered!(office.ask(&alice, get(&mine)).await, ok);
    let settings = TenantSettings {
        test_tenant: Some(true),
        ..TenantSettings::default()
    };
    office.set(settings).await;
    answered!(office.ask(&alice, reset.clone()).await, ok);
    answered!(office.ask(&alice, get(&mine)).await, ObjectNotFound);
    // The Name is free again, and others have lost nothing.
    answered!(office.ask(&alice, create("mine", Vec::new())).await, ok);
    answered!(office.ask(&bob, get(&theirs)).await, ok);
    answered!(office.ask(&bob, reset).await, NotForTests);
}
