//! Protected KEKs in the hands of the people of a tenant, while its clients work: two HSM-Profiles, of which one or both are away, and
//! backup strings.

use super::assembly::{Voter, is, put_policy, voter};
use super::restarts::{restarted, services_again, started};
use super::tenants::{client, domain_of, new};
use super::testing::{TestHouse, create};
use crate::administration::{hsm_profile, kek};
use crate::authority::quorum::{Scope, template};
use crate::custody::protected::fake::FakeHsm;
use crate::custody::{Custody, Keeping, Links, ProfileId, ProfileRecord, Slab, SoftwareKeks};
use crate::failure::Fault;
use crate::operations::Services;
use crate::store::{Domain, Work};
use kmip_protocol::{
    GetRequest, HsmProfileAbandonRequest, HsmProfileGetRequest, Kek, KekActivateRequest, KekAddProfileRequest,
    KekBackupRequest, KekCreateRequest, KekKind, KekListRequest, KekRemoveProfileRequest, KekRestoreRequest, KekState,
    PersonRole, PolicyTemplate, ProposalState, Request, ResponseItem, ResponsePayload, ResultStatus,
    ServerStatusRequest, TenantCreateRequest, TenantDeleteRequest, TenantPurgeRequest, TenantSuspendRequest,
    UniqueIdentifier, Version,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const SOFTWARE: ProfileId = ProfileId([1; 16]);
pub(super) const EAST: ProfileId = ProfileId([2; 16]);
pub(super) const WEST: ProfileId = ProfileId([3; 16]);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct Scene {
    pub(super) house: TestHouse,
    pub(super) olga: Voter,
    pub(super) otto: Voter,
    east: Arc<FakeHsm>,
    pub(super) west: Arc<FakeHsm>,
}

/// Links two HSM-Profiles, east and west, to a domain that has the software's already.
pub(super) async fn link(house: &TestHouse, domain: Domain) {
    let custody = &house.server.services().custody;
    let mut work = Work::new(Arc::clone(&house.store));
    for (id, name) in [(EAST, "east"), (WEST, "west")] {
        let record = ProfileRecord {
            name: name.into(),
            ..ProfileRecord::default()
        };
        hsm_profile::put(custody, &mut work, id, &record).await.unwrap();
    }
    let links = Links(vec![SOFTWARE, EAST, WEST]);
    hsm_profile::put_links(custody, &mut work, domain, &links)
        .await
        .unwrap();
    house.store.commit(work.into_change_set(0)).await.unwrap();
}

impl Scene {
    pub(super) async fn open() -> Self {
        let house = TestHouse::new().await;
        let (east, west) = (FakeHsm::new(house.folder()), FakeHsm::new(house.folder()));
        let custody = &house.server.services().custody;
        custody.add_provider(EAST, east.clone());
        custody.add_provider(WEST, west.clone());
        link(&house, house.tenant).await;
        let olga = voter(&house, house.tenant, "olga", PersonRole::Operator).await;
        let otto = voter(&house, house.tenant, "otto", PersonRole::Operator).await;
        put_policy(&house, house.tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
        Self {
            house,
            olga,
            otto,
            east,
            west,
        }
    }

    /// A process that begins anew: nothing but what the store has, and the HSMs.
    async fn restart(&mut self) {
        let old = self.house.server.services();
        let slab = Slab::new().unwrap();
        let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&old.randomness)));
        custody.keep_protected(old.outfit.root().binding_key(&slab).unwrap(), Keeping::default());
        let software = SoftwareKeks::new(self.house.folder(), slab, Arc::clone(&old.randomness));
        custody.add_provider(SOFTWARE, Arc::new(software));
        custody.add_provider(EAST, self.east.clone());
        custody.add_provider(WEST, self.west.clone());
        for domain in [Domain::SYSTEM, self.house.tenant] {
            kek::open_domain(&custody, &self.house.store, domain).await.unwrap();
        }
        let services = Services {
            custody,
            ..services_again(&self.house)
        };
        self.house.server = started(&self.house, services).await;
    }

    /// Two agree.
    pub(super) async fn agree<R: Request>(&self, request: R) -> ProposalState {
        let id = self.olga.propose(&self.house, request).await;
        self.carried_out(&id).await
    }

    pub(super) async fn carried_out(&self, id: &[u8]) -> ProposalState {
        self.olga.approve(&self.house, id).await;
        self.otto.approve(&self.house, id).await;
        self.otto.complete(&self.house, id).await;
        self.olga.state(&self.house, id).await
    }

    pub(super) async fn refused<R: Request>(&self, request: R, fault: Fault) {
        let item = self.olga.ask(&self.house, request).await;
        assert!(is(&item, fault), "{:?}", item.result_message);
    }

    /// A protected KEK in these profiles, which wraps what is new.
    pub(super) async fn protected(&self, profiles: &[&str]) {
        let request = KekCreateRequest {
            hsm_profile_names: profiles.iter().map(|name| (*name).to_owned()).collect(),
            kek_kind: Some(KekKind::Protected),
        };
        assert_eq!(self.agree(request).await, ProposalState::Executed);
        let kek_generation = self.list().await[0].kek_generation;
        let item = self.olga.ask(&self.house, KekActivateRequest { kek_generation }).await;
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    }

    async fn list(&self) -> Vec<Kek> {
        match self.olga.ask(&self.house, KekListRequest::default()).await.payload {
            Some(ResponsePayload::KekList(list)) => list.keks,
            _ => panic!("no list"),
        }
    }

    /// The profiles of the newest KEK, with whether each opens it.
    async fn profiles(&self) -> Vec<(String, bool)> {
        let keks = self.list().await;
        let told = keks[0].kek_profiles.iter();
        told.map(|told| (told.hsm_profile_name.clone().unwrap(), told.answers.unwrap()))
            .collect()
    }

    async fn is_fetched(&self, identifier: &str) -> bool {
        let request = GetRequest {
            unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
            ..GetRequest::default()
        };
        let item = self.house.item(Version::NEWEST, request, &self.house.alice).await;
        item.result_status == ResultStatus::Success
    }

    pub(super) async fn backup(&self, kek_generation: i32) -> String {
        match self
            .olga
            .ask(&self.house, KekBackupRequest { kek_generation })
            .await
            .payload
        {
            Some(ResponsePayload::KekBackup(told)) => told.backup_string,
            _ => panic!("no backup"),
        }
    }
}

fn add(kek_generation: i32, name: &str) -> KekAddProfileRequest {
    KekAddProfileRequest {
        kek_generation,
        hsm_profile_name: name.into(),
    }
}

fn remove(kek_generation: i32, name: &str) -> KekRemoveProfileRequest {
    KekRemoveProfileRequest {
        kek_generation,
        hsm_profile_name: name.into(),
    }
}

pub(super) fn restore(backup_string: &str, name: &str) -> KekRestoreRequest {
    KekRestoreRequest {
        backup_string: backup_string.to_owned(),
        hsm_profile_name: Some(name.to_owned()),
        recover: None,
    }
}

fn opens(profiles: &[(&str, bool)]) -> Vec<(String, bool)> {
    profiles
        .iter()
        .map(|(name, answers)| ((*name).to_owned(), *answers))
        .collect()
}

#[tokio::test]
async fn one_of_two_hsms_is_enough_and_requests_ask_neither() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let keks = scene.list().await;
    assert_eq!((keks[0].kek_kind, keks[0].answers), (KekKind::Protected, Some(true)));
    assert_eq!(keks[0].hsm_profile_name.as_deref(), Some("east"));
    assert_eq!(scene.profiles().await, opens(&[("east", true), ("west", true)]));
    let key = scene.house.create("kept", Vec::new()).await;
    scene.east.set_away(true);
    assert_eq!(scene.profiles().await, opens(&[("east", false), ("west", true)]));
    scene.restart().await;
    let asked = scene.west.opened.load(Ordering::SeqCst);
    assert!(scene.is_fetched(&key).await);
    scene.west.set_away(true);
    for _ in 0..20 {
        assert!(scene.is_fetched(&key).await);
        scene.house.create("", Vec::new()).await;
    }
    assert_eq!(scene.west.opened.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn a_start_asks_one_hsm_once() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    let (east, west) = (&scene.east.opened, &scene.west.opened);
    let before = (east.load(Ordering::SeqCst), west.load(Ordering::SeqCst));
    scene.restart().await;
    assert!(scene.is_fetched(&key).await);
    let after = (
        scene.east.opened.load(Ordering::SeqCst),
        scene.west.opened.load(Ordering::SeqCst),
    );
    assert_eq!(after, (before.0 + 1, before.1));
}

#[tokio::test]
async fn without_any_hsm_requests_fail_until_one_is_back() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    scene.east.set_away(true);
    scene.west.set_away(true);
    scene.restart().await;
    assert!(!scene.is_fetched(&key).await);
    scene.west.set_away(false);
    let custody = Arc::clone(&scene.house.server.services().custody);
    custody.tend(Instant::now() + HOUR).await;
    assert!(scene.is_fetched(&key).await);
    // Both away again: kept for its grace, then dropped, and back by itself.
    scene.west.set_away(true);
    custody.tend(Instant::now() + 20 * HOUR).await;
    assert!(scene.is_fetched(&key).await);
    custody.tend(Instant::now() + 30 * HOUR).await;
    assert!(!scene.is_fetched(&key).await);
    scene.east.set_away(false);
    custody.tend(Instant::now() + 31 * HOUR).await;
    assert!(scene.is_fetched(&key).await);
}

#[tokio::test]
async fn profiles_are_added_and_removed_by_two_and_the_last_one_stays() {
    let mut scene = Scene::open().await;
    scene.protected(&["east"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    scene.refused(remove(2, "east"), Fault::LastProfile).await;
    scene.refused(add(2, "east"), Fault::Taken).await;
    scene.refused(add(2, "software"), Fault::NoKeyPairs).await;
    scene.refused(add(2, "north"), Fault::NotFound).await;
    scene.refused(add(9, "west"), Fault::NotFound).await;
    scene.refused(remove(2, "west"), Fault::NotFound).await;
    for request in [add(1, "west"), add(1, "east")] {
        scene.refused(request, Fault::NotProtected).await;
    }
    // One is not enough.
    let id = scene.olga.propose(&scene.house, add(2, "west")).await;
    scene.olga.approve(&scene.house, &id).await;
    assert!(scene.olga.complete(&scene.house, &id).await.payload.is_none());
    assert_eq!(scene.west.count(), 0);
    assert_eq!(scene.carried_out(&id).await, ProposalState::Executed);
    assert_eq!(scene.profiles().await, opens(&[("east", true), ("west", true)]));
    assert_eq!(scene.agree(remove(2, "east")).await, ProposalState::Executed);
    assert_eq!(scene.profiles().await, opens(&[("west", true)]));
    assert_eq!((scene.east.count(), scene.west.count()), (0, 1));
    scene.restart().await;
    assert!(scene.is_fetched(&key).await);
}

/// An HSM is gone: what lay there alone is lost, which is said before and after; the rest goes on, and nobody asks for it any more.
pub(super) async fn given_up() -> TestHouse {
    let scene = Scene::open().await;
    scene.protected(&["east"]).await;
    let lost = scene.house.create("lost", Vec::new()).await;
    scene.protected(&["east", "west"]).await;
    let kept = scene.house.create("kept", Vec::new()).await;
    let house = &scene.house;
    let ada = voter(house, Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    let alan = voter(house, Domain::SYSTEM, "alan", PersonRole::Administrator).await;
    put_policy(house, Domain::SYSTEM, template(PolicyTemplate::Mtg, Scope::System)).await;
    let abandon = || HsmProfileAbandonRequest {
        hsm_profile_name: "east".into(),
    };
    // Not while it answers, and not by a tenant.
    assert!(is(&ada.ask(house, abandon()).await, Fault::HsmAnswers));
    scene.east.set_away(true);
    scene.refused(abandon(), Fault::PermissionDenied).await;
    let id = ada.propose(house, abandon()).await;
    ada.approve(house, &id).await;
    assert!(ada.complete(house, &id).await.payload.is_none());
    let shown = match alan.look(house, &id).await.payload {
        Some(ResponsePayload::ProposalGet(told)) => told.proposal.target.unwrap(),
        _ => panic!("no proposal"),
    };
    // What is lost, and the request by which the other KEK was made.
    assert!(shown.contains("KEK 2 is LOST with 2 records"), "{shown}");
    alan.approve(house, &id).await;
    alan.complete(house, &id).await;
    assert_eq!(ada.state(house, &id).await, ProposalState::Executed);

    let keks = scene.list().await;
    let state = |generation: i32| keks.iter().find(|kek| kek.kek_generation == generation).unwrap();
    assert_eq!((state(3).kek_state, state(3).abandoned), (KekState::Active, None));
    assert_eq!(scene.profiles().await, opens(&[("west", true)]));
    let gone = state(2);
    assert_eq!((gone.kek_state, gone.lost_records), (KekState::Abandoned, Some(2)));
    assert_eq!(gone.abandoned_by.as_deref(), Some(id.as_slice()));
    assert!(scene.is_fetched(&kept).await && !scene.is_fetched(&lost).await);
    scene.house.create("", Vec::new()).await;
    scene.refused(add(3, "east"), Fault::NotFound).await;
    assert!(is(&ada.ask(house, abandon()).await, Fault::NotFound));
    let status = match scene.olga.ask(house, ServerStatusRequest::default()).await.payload {
        Some(ResponsePayload::ServerStatus(status)) => status.items,
        _ => panic!("no status"),
    };
    assert!(status.iter().any(|item| item.status_name == "kek.2.lost"));
    let told = match ada
        .ask(
            house,
            HsmProfileGetRequest {
                hsm_profile_name: "east".into(),
            },
        )
        .await
        .payload
    {
        Some(ResponsePayload::HsmProfileGet(told)) => told.hsm_profile,
        _ => panic!("no profile"),
    };
    assert!(told.abandoned.is_some() && told.abandoned_by.as_deref() == Some(id.as_slice()));
    let mut scene = scene;
    scene.restart().await;
    assert!(scene.is_fetched(&kept).await && !scene.is_fetched(&lost).await);
    scene.house
}

#[tokio::test]
async fn an_hsm_that_is_gone_is_given_up_by_two_and_what_is_elsewhere_goes_on() {
    given_up().await;
}

/// Without the system's own KEK nothing would go on.
#[tokio::test]
async fn the_hsm_of_the_systems_kek_is_not_given_up() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let ada = voter(house, Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    voter(house, Domain::SYSTEM, "alan", PersonRole::Administrator).await;
    put_policy(house, Domain::SYSTEM, template(PolicyTemplate::Mtg, Scope::System)).await;
    house
        .server
        .services()
        .custody
        .add_provider(SOFTWARE, scene.east.clone());
    scene.east.set_away(true);
    let abandon = HsmProfileAbandonRequest {
        hsm_profile_name: "software".into(),
    };
    assert!(is(&ada.ask(house, abandon).await, Fault::SystemKekThere));
}

#[tokio::test]
async fn two_removals_at_once_leave_one_profile() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    let mut proposals = Vec::new();
    for name in ["east", "west"] {
        let id = scene.olga.propose(&scene.house, remove(2, name)).await;
        scene.olga.approve(&scene.house, &id).await;
        scene.otto.approve(&scene.house, &id).await;
        proposals.push(id);
    }
    tokio::join!(
        scene.olga.complete(&scene.house, &proposals[0]),
        scene.otto.complete(&scene.house, &proposals[1]),
    );
    assert_eq!(scene.east.count() + scene.west.count(), 1);
    scene.restart().await;
    assert!(scene.is_fetched(&key).await);
}

#[tokio::test]
async fn a_server_that_goes_down_between_the_two_steps_loses_nothing() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    scene.east.hangs.store(true, Ordering::SeqCst);
    let id = scene.olga.propose(&scene.house, remove(2, "east")).await;
    tokio::select! {
        biased;
        _ = scene.carried_out(&id) => panic!("it hangs"),
        () = scene.east.hung.notified() => {}
    }
    // The pair is gone, and nobody said so.
    assert_eq!(scene.east.count(), 0);
    scene.east.hangs.store(false, Ordering::SeqCst);
    scene.house.server = restarted(&scene.house).await;
    scene.restart().await;
    assert_eq!(scene.olga.state(&scene.house, &id).await, ProposalState::Failed);
    assert!(scene.is_fetched(&key).await);
    assert_eq!(scene.profiles().await, opens(&[("east", false), ("west", true)]));
    // The other is not removed now, and the same is agreed upon again.
    let other = scene.agree(remove(2, "west")).await;
    assert_ne!(other, ProposalState::Executed);
    assert_eq!(scene.west.count(), 1);
    assert_eq!(scene.agree(remove(2, "east")).await, ProposalState::Executed);
    assert_eq!(scene.profiles().await, opens(&[("west", true)]));
    // So it is with one that is made.
    scene.east.hangs.store(true, Ordering::SeqCst);
    let id = scene.olga.propose(&scene.house, add(2, "east")).await;
    tokio::select! {
        biased;
        _ = scene.carried_out(&id) => panic!("it hangs"),
        () = scene.east.hung.notified() => {}
    }
    scene.east.hangs.store(false, Ordering::SeqCst);
    scene.house.server = restarted(&scene.house).await;
    scene.restart().await;
    assert_eq!(scene.agree(add(2, "east")).await, ProposalState::Executed);
    assert_eq!(scene.profiles().await, opens(&[("west", true), ("east", true)]));
    assert!(scene.is_fetched(&key).await);
}

#[tokio::test]
async fn kinds_are_kept_where_they_can_be() {
    let scene = Scene::open().await;
    let ask = |kind, names: &[&str]| KekCreateRequest {
        hsm_profile_names: names.iter().map(|name| (*name).to_owned()).collect(),
        kek_kind: kind,
    };
    let protected = Some(KekKind::Protected);
    scene.refused(ask(protected, &["software"]), Fault::NoKeyPairs).await;
    scene.refused(ask(protected, &[]), Fault::NoKeyPairs).await;
    scene
        .refused(ask(protected, &["east", "software"]), Fault::NoKeyPairs)
        .await;
    scene
        .refused(ask(protected, &["east", "east"]), Fault::InvalidField)
        .await;
    scene.refused(ask(None, &["east", "west"]), Fault::KekKindRefused).await;
    scene
        .refused(ask(Some(KekKind::Resident), &["software"]), Fault::KekKindRefused)
        .await;
    scene
        .refused(ask(Some(KekKind(77)), &["software"]), Fault::KekKindRefused)
        .await;
    assert_eq!(
        scene.agree(ask(Some(KekKind::Software), &["software"])).await,
        ProposalState::Executed
    );
}

#[tokio::test]
async fn a_lost_kek_comes_back_from_its_backup_and_nothing_else_does() {
    let mut scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let key = scene.house.create("kept", Vec::new()).await;
    scene
        .refused(KekBackupRequest { kek_generation: 1 }, Fault::NotProtected)
        .await;
    let backup = scene.backup(2).await;
    assert_ne!(backup, scene.backup(2).await);
    scene.refused(restore(&backup, "west"), Fault::KekState).await;
    scene.refused(restore("ABCDE", "west"), Fault::BackupRefused).await;
    let bob = scene.house.tenant_of(&scene.house.bob).await;
    let fred = voter(&scene.house, bob, "fred", PersonRole::Operator).await;
    let item = fred.ask(&scene.house, restore(&backup, "software")).await;
    assert!(is(&item, Fault::BackupOfAnother), "{:?}", item.result_message);

    // Its row is lost, and one HSM with it. What the first KEK wrapped is served.
    let activated = scene
        .olga
        .ask(&scene.house, KekActivateRequest { kek_generation: 1 })
        .await;
    assert_eq!(activated.result_status, ResultStatus::Success);
    let found = scene
        .house
        .store
        .scan(scene.house.tenant, kek::KEK, None, 9)
        .await
        .unwrap();
    let custody = Arc::clone(&scene.house.server.services().custody);
    let mut work = Work::new(Arc::clone(&scene.house.store));
    for record in &found {
        let body = crate::records::open(&custody, record).unwrap();
        if crate::custody::KekRecord::decode(body).unwrap().generation == 2 {
            work.load(record.key).await.unwrap();
            work.delete(record.key).await.unwrap();
        }
    }
    scene.house.store.commit(work.into_change_set(0)).await.unwrap();
    scene.restart().await;
    assert!(!scene.is_fetched(&key).await);
    scene.refused(restore(&backup, "software"), Fault::NoKeyPairs).await;
    scene.east.set_away(true);
    assert_eq!(scene.agree(restore(&backup, "west")).await, ProposalState::Executed);
    assert!(scene.is_fetched(&key).await);
    let keks = scene.list().await;
    assert_eq!((keks[0].kek_generation, keks[0].kek_state), (2, KekState::Deactivated));
    assert_eq!(scene.profiles().await, opens(&[("west", true)]));
    scene.refused(restore(&backup, "west"), Fault::KekState).await;
    scene.restart().await;
    assert!(scene.is_fetched(&key).await);
}

/// Another installation, with an HSM that survived.
#[tokio::test]
async fn a_tenant_is_made_elsewhere_from_a_backup_and_opens_what_was_sealed_before() {
    let scene = Scene::open().await;
    scene.protected(&["east", "west"]).await;
    let backup = scene.backup(2).await;
    let context = crate::custody::SealContext {
        internal_id: [5; 16],
        generation: 1,
        object_type: 2,
    };
    let material = kmip_ttlv::Secret::copy_from(b"of the first installation");
    let old = &scene.house.server.services().custody;
    let sealed = old.seal(scene.house.tenant, context, &material).await.unwrap();

    let elsewhere = TestHouse::new().await;
    let custody = Arc::clone(&elsewhere.server.services().custody);
    custody.add_provider(WEST, scene.west.clone());
    link(&elsewhere, elsewhere.tenant).await;
    let administrator = elsewhere.known(Domain::SYSTEM, PersonRole::Administrator);
    let with = |backup: &str, profile: &str| TenantCreateRequest {
        hsm_profile_name: Some(profile.to_owned()),
        backup_string: Some(backup.to_owned()),
        recover: None,
        ..new("moved", &["olga", "oscar"])
    };
    let first = backup.lines().nth(1).unwrap();
    let edited = backup.replacen(first, &first.replacen(' ', "  Z", 1), 1);
    for (request, fault) in [
        (with(&edited, "west"), Fault::BackupRefused),
        (with("", "west"), Fault::BackupRefused),
        (with(&backup, "software"), Fault::NoKeyPairs),
    ] {
        let item = elsewhere.act(&administrator, request).await;
        assert!(is(&item, fault), "{:?}", item.result_message);
    }
    let item = elsewhere.act(&administrator, with(&backup, "west")).await;
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let tenant = domain_of(&elsewhere, "moved").await;
    assert_eq!(tenant, scene.house.tenant);
    assert!(custody.open(tenant, context, &sealed).await.unwrap() == material);
    // It works as any other, and there is no second one of this identity.
    let db = client(&elsewhere, tenant).await;
    let made = elsewhere.item(Version::NEWEST, create("one", Vec::new()), &db).await;
    assert_eq!(made.result_status, ResultStatus::Success);
    let again = TenantCreateRequest {
        tenant_name: "again".into(),
        ..with(&backup, "west")
    };
    assert!(is(&elsewhere.act(&administrator, again).await, Fault::Taken));
    // And it goes as any other: what opened its KEK is gone from the HSM.
    let tenant_name = || "moved".to_owned();
    let done = |item: ResponseItem| assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    let suspend = TenantSuspendRequest {
        tenant_name: tenant_name(),
    };
    done(elsewhere.act(&administrator, suspend).await);
    let delete = TenantDeleteRequest {
        tenant_name: tenant_name(),
    };
    done(elsewhere.act(&administrator, delete).await);
    assert_eq!(scene.west.count(), 1);
    let purge = || TenantPurgeRequest {
        tenant_name: tenant_name(),
        created: None,
    };
    // The server goes down after the last pair is gone, before anybody can say so.
    scene.west.hangs.store(true, Ordering::SeqCst);
    tokio::select! {
        () = scene.west.hung.notified() => {}
        _ = elsewhere.act(&administrator, purge()) => panic!("it did not hang"),
    }
    scene.west.hangs.store(false, Ordering::SeqCst);
    assert_eq!(scene.west.count(), 0);
    // While the HSM is away, nobody knows that they are gone.
    scene.west.set_away(true);
    assert!(is(
        &elsewhere.act(&administrator, purge()).await,
        Fault::CustodyUnavailable
    ));
    scene.west.set_away(false);
    done(elsewhere.act(&administrator, purge()).await);
    assert!(is(&elsewhere.act(&administrator, purge()).await, Fault::NotFound));
}
