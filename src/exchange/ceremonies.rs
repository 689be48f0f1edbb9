//! The ceremony that migrates legacy tokens: who may hand in what, what stops meanwhile, and what remains of shares.

use super::assembly::{is, put_policy};
use super::members::{Member, certificate, ticket};
use super::restarts::{custody_again, services_again, started};
use super::testing::{TestHouse, create};
use crate::administration::legacy_pending;
use crate::audit::alarm::Event;
use crate::authority::quorum::{Scope, template};
use crate::custody::Slab;
use crate::custody::legacy::{Credentials, LegacyToken, Share};
use crate::failure::Fault;
use crate::identity::Principal;
use crate::operations::Services;
use crate::store::{Domain, TrailQuery, Work};
use kmip_protocol::{
    AsynchronousIndicator, Authentication, CeremonyAbortRequest, CeremonyMigrateRequest, CeremonyStatusRequest,
    CeremonyStatusResponse, GetRequest, GroupListRequest, LegacyTokenImportRequest, LegacyTokenState,
    LegacyTokenWithdrawRequest, LocateRequest, NewPerson, PersonListRequest, PersonRole, PolicyTemplate, QueryFunction,
    QueryRequest, Request, RequestMessage, ResponseItem, ResponsePayload, ResultStatus, SecretText,
    ServerStatusRequest, ShareSubmitRequest, TenantCreateRequest, TenantGetRequest, TenantStatus, Ticket,
    UniqueIdentifier, Version,
};
use std::sync::Arc;

/// The PIN that a token keeps, and that is to be found nowhere.
pub(super) const PIN: &str = "needle-4711";
/// The name of its HSM's module, which no settings have.
pub(super) const MODULE: &str = "old module";

/// A legacy token with its shares.
pub(super) struct Old {
    pub text: String,
    pub shares: Vec<String>,
}

/// A token of this tenant: two of three shares open it.
pub(super) fn old_token(tenant: &str, name: &str) -> Old {
    let slab = Slab::new().unwrap();
    let credentials = Credentials {
        module: MODULE.into(),
        label: "old safe".into(),
        serial: None,
        usage: slab.copy_from(PIN.as_bytes()).unwrap(),
        management: None,
    };
    let randomness = crate::crypto::OsRandomness::new();
    let (token, sealed, shares) = LegacyToken::make(&slab, &randomness, (tenant, name), (2, 3), &credentials).unwrap();
    Old {
        text: token.write(&sealed),
        shares: shares.iter().map(|share| share.write().to_string()).collect(),
    }
}

/// A share that nobody was handed out, with a checksum that fits.
fn forged(share: &str) -> String {
    let digits: String = share.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let mut bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    bytes.truncate(bytes.len() - 4);
    *bytes.last_mut().unwrap() ^= 1;
    let sum = ring::digest::digest(&ring::digest::SHA256, &bytes);
    bytes.extend_from_slice(&sum.as_ref()[..4]);
    kmip_ttlv::Hex(&bytes).to_string()
}

/// Two operators and a custodian of alice's tenant, logged in before it has anything to migrate.
pub(super) struct Scene {
    pub house: TestHouse,
    people: Vec<(Member, Ticket)>,
    pub administrator: Principal,
    pub old: Old,
}

pub(super) const OLGA: usize = 0;
pub(super) const OTTO: usize = 1;
pub(super) const CARLA: usize = 2;
const ANNA: usize = 3;

impl Scene {
    async fn open(house: TestHouse) -> Self {
        let roles = [
            ("olga", PersonRole::Operator),
            ("otto", PersonRole::Operator),
            ("carla", PersonRole::Custodian),
            ("anna", PersonRole::Auditor),
        ];
        let mut people = Vec::new();
        for (name, role) in roles {
            let member = house.person(house.tenant, name, role).await;
            let ticket = house.login(&member).await;
            people.push((member, ticket));
        }
        let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
        let old = old_token("alice", "safe a");
        Self {
            house,
            people,
            administrator,
            old,
        }
    }

    /// The same with a token imported.
    pub(super) async fn waiting() -> Self {
        let scene = Self::open(TestHouse::new().await).await;
        scene.import().await;
        scene
    }

    pub(super) async fn import(&self) {
        let item = self.house.act(&self.administrator, import("alice", &self.old)).await;
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    }

    pub(super) async fn ask<R: Request>(&self, who: usize, request: R) -> ResponseItem {
        let (member, own) = &self.people[who];
        self.house.ask(request, member, vec![ticket(own)]).await
    }

    pub(super) async fn hand_in(&self, who: usize, share: &str) -> ResponseItem {
        self.ask(who, submit(share)).await
    }

    pub(super) async fn status(&self, who: usize) -> CeremonyStatusResponse {
        let item = self.ask(who, CeremonyStatusRequest::default()).await;
        match item.payload {
            Some(ResponsePayload::CeremonyStatus(status)) => status,
            _ => panic!("no status: {:?}", item.result_message),
        }
    }

    /// Whose shares are there.
    pub(super) async fn holders(&self) -> Vec<String> {
        let token = self.status(OLGA).await.legacy_tokens.remove(0);
        token.holders.into_iter().map(|holder| holder.person_name).collect()
    }

    pub(super) async fn migrate(&self) -> ResponseItem {
        let legacy_token_name = "safe a".to_owned();
        self.ask(OLGA, CeremonyMigrateRequest { legacy_token_name }).await
    }

    async fn fetch(&self, key: &str) -> ResponseItem {
        let request = GetRequest {
            unique_identifier: Some(UniqueIdentifier::from(key)),
            ..GetRequest::default()
        };
        self.house.item(Version::NEWEST, request, &self.house.alice).await
    }
}

pub(super) fn import(tenant: &str, old: &Old) -> LegacyTokenImportRequest {
    LegacyTokenImportRequest {
        tenant_name: tenant.into(),
        legacy_token_text: old.text.clone(),
        hsm_profile_name: None,
    }
}

fn submit(share: &str) -> ShareSubmitRequest {
    ShareSubmitRequest {
        legacy_share: SecretText::new(share),
    }
}

pub(super) fn withdraw() -> LegacyTokenWithdrawRequest {
    LegacyTokenWithdrawRequest {
        tenant_name: "alice".into(),
        legacy_token_name: "safe a".into(),
    }
}

pub(super) fn done(item: &ResponseItem) -> bool {
    item.result_status == ResultStatus::Success
}

#[tokio::test]
async fn people_of_a_tenant_with_a_legacy_token_can_do_nothing_but_migrate_it() {
    let scene = Scene::open(TestHouse::new().await).await;
    assert!(done(&scene.ask(OLGA, GroupListRequest::default()).await));
    assert!(!scene.status(OLGA).await.migration_required);
    scene.import().await;
    for who in [OLGA, OTTO, CARLA] {
        assert!(is(
            &scene.ask(who, GroupListRequest::default()).await,
            Fault::MigrationRequired
        ));
        let status = scene.status(who).await;
        assert!(status.migration_required);
        let token = &status.legacy_tokens[0];
        assert_eq!(token.legacy_token_state, LegacyTokenState::Waiting);
        assert_eq!((token.share_threshold, token.share_count), (2, 3));
        assert_eq!(token.hsm_profile_name, "safe a");
    }
    assert!(is(
        &scene.ask(OLGA, PersonListRequest::default()).await,
        Fault::MigrationRequired
    ));
    assert!(done(&scene.ask(OLGA, ServerStatusRequest::default()).await));
    // Auditors read on.
    assert!(done(&scene.ask(ANNA, PersonListRequest::default()).await));
    assert!(scene.status(ANNA).await.migration_required);
    // Who logs in now is in the same place; another tenant goes on.
    scene.house.login(&scene.people[OTTO].0).await;
    assert!(done(
        &scene
            .house
            .item(Version::NEWEST, create("", vec![]), &scene.house.bob)
            .await
    ));
    let told = scene
        .house
        .act(
            &scene.administrator,
            TenantGetRequest {
                tenant_name: Some("alice".into()),
            },
        )
        .await;
    match told.payload {
        Some(ResponsePayload::TenantGet(told)) => {
            assert_eq!(told.tenant.tenant_status, TenantStatus::MigrationRequired)
        }
        _ => panic!("not told"),
    }
    assert!(scene.house.alarms().await.contains(&Event::MigrationRequired));
}

#[tokio::test]
async fn clients_wait_too_unless_there_are_keys_that_they_go_on_with() {
    let scene = Scene::waiting().await;
    let alice = &scene.house.alice;
    let locate = scene.house.item(Version::NEWEST, LocateRequest::default(), alice).await;
    assert!(is(&locate, Fault::MigrationRequired), "{:?}", locate.result_message);
    let query = QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations],
        object_groups: None,
    };
    assert!(done(&scene.house.item(Version::NEWEST, query, alice).await));

    let house = TestHouse::new().await;
    let key = house.create("there before", Vec::new()).await;
    let scene = Scene::open(house).await;
    scene.import().await;
    assert!(done(&scene.fetch(&key).await));
    assert!(is(
        &scene.ask(OLGA, GroupListRequest::default()).await,
        Fault::MigrationRequired
    ));
    // What was given up stops nobody.
    assert!(done(&scene.house.act(&scene.administrator, withdraw()).await));
    assert!(done(&scene.ask(OLGA, GroupListRequest::default()).await));
    assert!(!scene.status(OLGA).await.migration_required);
    assert!(scene.house.alarms().await.contains(&Event::LegacyTokenWithdrawn));
}

#[tokio::test]
async fn each_person_hands_in_one_share_and_each_share_is_handed_in_once() {
    let scene = Scene::waiting().await;
    let shares = &scene.old.shares;
    let first = scene.hand_in(CARLA, &shares[0]).await;
    match first.payload {
        Some(ResponsePayload::ShareSubmit(told)) => assert_eq!(told.legacy_token.holders.len(), 1),
        _ => panic!("{:?}", first.result_message),
    }
    assert!(is(&scene.hand_in(CARLA, &shares[1]).await, Fault::LegacyShareByPerson));
    assert!(is(&scene.hand_in(CARLA, &shares[0]).await, Fault::LegacyShareByPerson));
    assert!(is(&scene.hand_in(OTTO, &shares[0]).await, Fault::LegacyShareTaken));
    assert_eq!(scene.holders().await, ["carla"]);
    assert!(is(&scene.migrate().await, Fault::TooFewShares));
    // What was refused has not used up his turn.
    assert!(done(&scene.hand_in(OTTO, &shares[2]).await));
    // One more than it takes does no harm.
    assert!(done(&scene.hand_in(OLGA, &shares[1]).await));
    assert_eq!(scene.holders().await, ["carla", "otto", "olga"]);
}

#[tokio::test]
async fn what_is_no_share_of_the_tenants_token_is_refused() {
    let scene = Scene::waiting().await;
    let share = &scene.old.shares[0];
    let other = old_token("alice", "safe a");
    for (given, fault) in [
        (forged(share), Fault::LegacyShareRefused),
        (other.shares[0].clone(), Fault::LegacyShareRefused),
        (
            share.replacen(' ', "", 1).replace('0', "1"),
            Fault::LegacyShareUnreadable,
        ),
        ("0000".to_owned(), Fault::LegacyShareUnreadable),
        ("x".repeat(100_000), Fault::LegacyShareUnreadable),
    ] {
        assert!(is(&scene.hand_in(OLGA, &given).await, fault), "{fault:?}");
    }
    assert!(is(&scene.hand_in(ANNA, share).await, Fault::PermissionDenied));
    // A person of another tenant has the right share of the wrong house.
    let bob = scene.house.tenant_of(&scene.house.bob).await;
    let bert = scene.house.person(bob, "bert", PersonRole::Operator).await;
    let own = scene.house.login(&bert).await;
    let item = scene.house.ask(submit(share), &bert, vec![ticket(&own)]).await;
    assert!(is(&item, Fault::LegacyShareRefused));
    assert_eq!(scene.holders().await, [""; 0]);
}

#[tokio::test]
async fn shares_are_gone_when_the_next_one_does_not_come() {
    let scene = Scene::waiting().await;
    assert!(done(&scene.hand_in(CARLA, &scene.old.shares[0]).await));
    // In steps in which no session ends.
    for _ in 0..3 {
        scene.house.clock.advance(580);
        scene.house.server.tend().await;
        assert_eq!(scene.holders().await, ["carla"]);
    }
    scene.house.clock.advance(60);
    assert_eq!(scene.holders().await, [""; 0]);
    assert!(!scene.house.alarms().await.contains(&Event::SharesWiped));
    scene.house.server.tend().await;
    assert!(scene.house.alarms().await.contains(&Event::SharesWiped));
    // The same may be handed in again, and the token is as it was.
    assert!(done(&scene.hand_in(OLGA, &scene.old.shares[0]).await));
}

#[tokio::test]
async fn shares_are_gone_when_somebody_who_holds_one_wants_it() {
    let scene = Scene::waiting().await;
    assert!(done(&scene.hand_in(OTTO, &scene.old.shares[0]).await));
    let legacy_token_name = || "safe a".to_owned();
    let abort = || CeremonyAbortRequest {
        legacy_token_name: legacy_token_name(),
    };
    assert!(is(&scene.ask(ANNA, abort()).await, Fault::PermissionDenied));
    assert!(done(&scene.ask(CARLA, abort()).await));
    assert_eq!(scene.holders().await, [""; 0]);
    assert!(scene.house.alarms().await.contains(&Event::SharesWiped));
    assert!(done(&scene.ask(CARLA, abort()).await));
    let unknown = CeremonyAbortRequest {
        legacy_token_name: "safe b".into(),
    };
    assert!(is(&scene.ask(CARLA, unknown).await, Fault::NotFound));
}

#[tokio::test]
async fn a_server_that_was_started_anew_asks_for_the_shares_again() {
    let mut scene = Scene::waiting().await;
    assert!(done(&scene.hand_in(CARLA, &scene.old.shares[0]).await));
    let services = Services {
        custody: custody_again(&scene.house).await,
        ..services_again(&scene.house)
    };
    scene.house.server = started(&scene.house, services).await;
    assert!(scene.status(OLGA).await.migration_required);
    assert_eq!(scene.holders().await, [""; 0]);
    assert!(is(
        &scene.ask(OLGA, GroupListRequest::default()).await,
        Fault::MigrationRequired
    ));
    assert!(done(&scene.hand_in(CARLA, &scene.old.shares[0]).await));
}

#[tokio::test]
async fn a_share_is_kept_nowhere_but_in_secret_memory() {
    let scene = Scene::open(TestHouse::on_disk().await).await;
    scene.import().await;
    let share = &scene.old.shares[0];
    assert!(done(&scene.hand_in(CARLA, share).await));
    assert!(is(&scene.hand_in(OTTO, share).await, Fault::LegacyShareTaken));
    assert!(is(
        &scene.hand_in(OTTO, &forged(share)).await,
        Fault::LegacyShareRefused
    ));
    // Whoever wants it to wait is answered at once: what waits is kept.
    let mut message = RequestMessage::single(Version::NEWEST, submit(&scene.old.shares[1]));
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    let (otto, own) = &scene.people[OTTO];
    let credentials = vec![ticket(own)];
    message.header.authentication = Some(Authentication { credentials });
    let item = scene.house.message(&message, &otto.facts).await.items.remove(0);
    assert!(done(&item), "{:?}", item.result_message);

    let digits: String = share.chars().filter(char::is_ascii_hexdigit).collect();
    let value: Vec<u8> = (36..100)
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    let first_line = share.lines().next().unwrap();
    let needles = [
        &value[..16],
        &value[16..],
        first_line.as_bytes(),
        &digits.as_bytes()[36..68],
        PIN.as_bytes(),
    ];
    let mut heaps = scene.house.files();
    assert!(!heaps.is_empty());
    heaps.extend(scene.house.access.records());
    let stream = scene.house.store.trail_heads().await.unwrap()[0].position.stream;
    let query = TrailQuery {
        stream,
        domain: None,
        after: 0,
        limit: 10_000,
    };
    let trail = scene.house.store.trail(query).await.unwrap();
    heaps.extend(trail.into_iter().map(|record| record.bytes.to_vec()));
    for domain in [Domain::SYSTEM, scene.house.tenant] {
        for kind in 0..=u8::MAX {
            let found = scene
                .house
                .store
                .scan(domain, crate::store::Kind(kind), None, 1_000)
                .await
                .unwrap();
            heaps.extend(found.into_iter().map(|record| record.body.to_vec()));
        }
    }
    for (number, needle) in needles.iter().enumerate() {
        let found = heaps
            .iter()
            .any(|heap| heap.windows(needle.len()).any(|window| window == *needle));
        assert!(!found, "{number}");
    }
}

#[tokio::test]
async fn only_what_can_be_migrated_is_imported_and_only_once() {
    let scene = Scene::open(TestHouse::new().await).await;
    let (house, administrator) = (&scene.house, &scene.administrator);
    let damaged = LegacyTokenImportRequest {
        legacy_token_text: scene.old.text.replace("threshold: 2", "threshold: 1"),
        ..import("alice", &scene.old)
    };
    assert!(is(&house.act(administrator, damaged).await, Fault::LegacyToken));
    assert!(is(
        &house.act(administrator, import("bob", &scene.old)).await,
        Fault::LegacyToken
    ));
    assert!(is(
        &house.act(administrator, import("eve", &scene.old)).await,
        Fault::NotFound
    ));
    // Nobody of bob's tenant could ever hand in two shares.
    let bobs = old_token("bob", "safe b");
    assert!(is(
        &house.act(administrator, import("bob", &bobs)).await,
        Fault::TooFewHolders
    ));
    // Operators do not import.
    assert!(is(
        &scene.ask(OLGA, import("alice", &scene.old)).await,
        Fault::PermissionDenied
    ));
    scene.import().await;
    assert!(is(
        &house.act(administrator, import("alice", &scene.old)).await,
        Fault::Taken
    ));
    let same_name = old_token("alice", "safe a");
    assert!(is(
        &house.act(administrator, import("alice", &same_name)).await,
        Fault::Taken
    ));
    // What was withdrawn may come back, under another name of its HSM-Profile too.
    assert!(done(&house.act(administrator, withdraw()).await));
    assert!(is(
        &scene.hand_in(OLGA, &scene.old.shares[0]).await,
        Fault::LegacyTokenState
    ));
    assert!(is(&house.act(administrator, withdraw()).await, Fault::NotFound));
    let again = LegacyTokenImportRequest {
        hsm_profile_name: Some("main".into()),
        ..import("alice", &scene.old)
    };
    assert!(done(&house.act(administrator, again).await));
    assert!(done(&scene.hand_in(OLGA, &scene.old.shares[0]).await));
    assert_eq!(scene.status(OLGA).await.legacy_tokens[0].hsm_profile_name, "main");
}

#[tokio::test]
async fn administrators_agree_before_a_token_is_imported() {
    let scene = Scene::open(TestHouse::new().await).await;
    for name in ["ada", "ben"] {
        scene
            .house
            .person(Domain::SYSTEM, name, PersonRole::Administrator)
            .await;
    }
    put_policy(
        &scene.house,
        Domain::SYSTEM,
        template(PolicyTemplate::Mtg, Scope::System),
    )
    .await;
    let item = scene
        .house
        .act_and_wait(&scene.administrator, import("alice", &scene.old))
        .await;
    assert_eq!(
        item.result_status,
        ResultStatus::OperationPending,
        "{:?}",
        item.result_message
    );
    assert!(!scene.status(OLGA).await.migration_required);
}

#[tokio::test]
async fn the_share_of_somebody_who_was_suspended_does_not_count() {
    let scene = Scene::waiting().await;
    assert!(done(&scene.hand_in(CARLA, &scene.old.shares[0]).await));
    assert!(done(&scene.hand_in(OTTO, &scene.old.shares[1]).await));
    // Enough: what keeps it from being tried is that no such module is here.
    assert!(!is(&scene.migrate().await, Fault::TooFewShares));
    let id = scene.people[CARLA].0.id;
    let mut record = scene.house.record(id).await;
    record.status = kmip_protocol::PersonStatus::Suspended;
    scene.house.put(id, &record).await;
    assert!(is(&scene.migrate().await, Fault::TooFewShares));
    assert_eq!(scene.holders().await.len(), 2);
}

#[tokio::test]
async fn a_tenant_begins_with_what_the_installation_has_for_it() {
    let house = TestHouse::new().await;
    let services = house.server.services();
    let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
    let (acme, other) = (old_token("acme", "safe a"), old_token("other", "safe b"));
    let mut work = Work::new(Arc::clone(&house.store));
    for old in [&acme, &other] {
        legacy_pending::put(&services.custody, &mut work, &old.text)
            .await
            .unwrap();
    }
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    let make = |operators: &[&str]| TenantCreateRequest {
        tenant_name: "acme".into(),
        operators: operators.iter().map(|name| operator(name)).collect(),
        policy_template: Some(PolicyTemplate::Off),
        settings: None,
        hsm_profile_name: None,
        backup_string: None,
        recover: None,
    };
    // One could never open it.
    assert!(is(
        &house.act(&administrator, make(&["olga"])).await,
        Fault::TooFewHolders
    ));
    assert!(done(&house.act(&administrator, make(&["olga", "otto"])).await));
    let status = async |name: &str| {
        let tenant_name = Some(name.to_owned());
        match house
            .act(&administrator, TenantGetRequest { tenant_name })
            .await
            .payload
        {
            Some(ResponsePayload::TenantGet(told)) => told.tenant.tenant_status,
            _ => panic!("not told"),
        }
    };
    assert_eq!(status("acme").await, TenantStatus::MigrationRequired);
    let left = house
        .store
        .scan(Domain::SYSTEM, legacy_pending::PENDING, None, 9)
        .await
        .unwrap();
    assert_eq!(left.len(), 1);
    let give_up = |tenant: &str, token: &str| LegacyTokenWithdrawRequest {
        tenant_name: tenant.into(),
        legacy_token_name: token.into(),
    };
    assert!(is(
        &house.act(&administrator, give_up("other", "safe a")).await,
        Fault::NotFound
    ));
    assert!(done(&house.act(&administrator, give_up("other", "safe b")).await));
    assert!(is(
        &house.act(&administrator, give_up("other", "safe b")).await,
        Fault::NotFound
    ));
    assert!(done(&house.act(&administrator, give_up("acme", "safe a")).await));
    assert_eq!(status("acme").await, TenantStatus::Active);
}

fn operator(name: &str) -> NewPerson {
    NewPerson {
        person_name: name.into(),
        person_role: PersonRole::Operator,
        certificate: certificate(name).0,
        initial_password: SecretText::new("correct horse battery 47"),
        hardware: None,
        attestation: Vec::new(),
        possession_proof: None,
    }
}

#[test]
fn shares_of_tests_are_forged_as_they_should_be() {
    let old = old_token("alice", "safe a");
    let slab = Slab::new().unwrap();
    let read = |text: &str| Share::read(&slab, text).map(|share| share.index);
    assert_eq!(read(&forged(&old.shares[2])), Ok(3));
    let (token, _) = LegacyToken::read(&old.text).unwrap();
    assert!(token.has(&Share::read(&slab, &old.shares[2]).unwrap()));
    assert!(!token.has(&Share::read(&slab, &forged(&old.shares[2])).unwrap()));
}
