//! KEKs made and activated by the people of a tenant, while its clients work.

use super::assembly::{Voter, is, put_policy, voter};
use super::restarts::{custody_again, services_again, started};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::authority::quorum::{Scope, template};
use crate::custody::KekId;
use crate::failure::Fault;
use crate::objects::{OBJECT, Object};
use crate::records;
use crate::store::Store;
use kmip_protocol::{
    GetRequest, Kek, KekActivateRequest, KekCreateRequest, KekKind, KekListRequest, KekState, PersonRole,
    PolicyTemplate, ProposalState, ResponsePayload, ResultStatus, UniqueIdentifier, Version,
};
use std::collections::BTreeSet;
use std::sync::Arc;

struct Scene {
    house: TestHouse,
    olga: Voter,
    otto: Voter,
}

impl Scene {
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let olga = voter(&house, house.tenant, "olga", PersonRole::Operator).await;
        let otto = voter(&house, house.tenant, "otto", PersonRole::Operator).await;
        put_policy(&house, house.tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
        Self { house, olga, otto }
    }

    /// A KEK on which both agree.
    async fn agree(&self) -> ProposalState {
        let id = self.olga.propose(&self.house, KekCreateRequest::default()).await;
        self.olga.approve(&self.house, &id).await;
        self.otto.approve(&self.house, &id).await;
        self.otto.complete(&self.house, &id).await;
        self.olga.state(&self.house, &id).await
    }

    async fn activate(&self, kek_generation: i32) -> kmip_protocol::ResponseItem {
        self.olga.ask(&self.house, KekActivateRequest { kek_generation }).await
    }

    async fn list(&self, by: &Voter) -> Vec<Kek> {
        match by.ask(&self.house, KekListRequest::default()).await.payload {
            Some(ResponsePayload::KekList(list)) => list.keks,
            _ => panic!("no list"),
        }
    }

    async fn states(&self) -> Vec<(i32, KekState)> {
        let keks = self.list(&self.olga).await;
        keks.iter().map(|kek| (kek.kek_generation, kek.kek_state)).collect()
    }

    async fn is_fetched(&self, identifier: &str) -> bool {
        let request = GetRequest {
            unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
            ..GetRequest::default()
        };
        let item = self.house.item(Version::NEWEST, request, &self.house.alice).await;
        item.result_status == ResultStatus::Success
    }

    /// The generations of the KEKs that the tenant's objects lie under.
    async fn in_use(&self) -> BTreeSet<u32> {
        let custody = &self.house.server.services().custody;
        let found = self
            .house
            .store
            .scan(self.house.tenant, OBJECT, None, 100)
            .await
            .unwrap();
        let kek = |record| {
            let object = Object::decode(records::open(custody, record).unwrap()).unwrap();
            object.material.unwrap().sealed.kek_generation
        };
        found.iter().map(kek).collect()
    }
}

#[tokio::test]
async fn a_new_kek_wraps_what_is_new_once_it_is_active() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let old = house.create("old", Vec::new()).await;
    assert_eq!(scene.agree().await, ProposalState::Executed);
    assert_eq!(scene.states().await, [(2, KekState::PreActive), (1, KekState::Active)]);
    let between = house.create("between", Vec::new()).await;
    assert_eq!(scene.in_use().await, BTreeSet::from([1]));

    assert_eq!(scene.activate(2).await.result_status, ResultStatus::Success);
    assert_eq!(
        scene.states().await,
        [(2, KekState::Active), (1, KekState::Deactivated)]
    );
    let new = house.create("new", Vec::new()).await;
    assert_eq!(scene.in_use().await, BTreeSet::from([1, 2]));
    for identifier in [&old, &between, &new] {
        assert!(scene.is_fetched(identifier).await);
    }
    // And back: it opens all the while what it wrapped.
    assert_eq!(scene.activate(1).await.result_status, ResultStatus::Success);
    assert_eq!(
        scene.states().await,
        [(2, KekState::Deactivated), (1, KekState::Active)]
    );
    assert!(scene.is_fetched(&new).await);
}

#[tokio::test]
async fn what_was_activated_is_so_after_a_restart() {
    let scene = Scene::open().await;
    let house = &scene.house;
    scene.agree().await;
    scene.activate(2).await;
    let kept = house.create("kept", Vec::new()).await;
    // Nothing but what the store has.
    let custody = &house.server.services().custody;
    custody.close_domain(house.tenant);
    assert!(!scene.is_fetched(&kept).await);
    let store: Arc<dyn Store> = Arc::clone(&house.store);
    kek::open_domain(custody, &store, house.tenant).await.unwrap();
    assert!(scene.is_fetched(&kept).await);
    house.create("after", Vec::new()).await;
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
}

/// A server that has sealed under a KEK as another becomes active does not keep it: it seals again, under the other one.
#[tokio::test]
async fn what_was_sealed_before_an_activation_is_kept_under_the_new_kek_only() {
    let mut scene = Scene::open().await;
    scene.agree().await;
    let custody = custody_again(&scene.house).await;
    assert_eq!(custody.as_of(scene.house.tenant), Some(1));
    let mut services = services_again(&scene.house);
    services.custody = Arc::clone(&custody);
    let other = started(&scene.house, services).await;
    assert_eq!(scene.activate(2).await.result_status, ResultStatus::Success);
    // The other one's custody was told of nothing: it seals under the first KEK, and finds out as it commits.
    let first = std::mem::replace(&mut scene.house.server, other);
    assert_eq!(custody.as_of(scene.house.tenant), Some(1));
    let made = scene.house.create("late", Vec::new()).await;
    assert_eq!(scene.in_use().await, BTreeSet::from([2]));
    assert_eq!(custody.as_of(scene.house.tenant), Some(2));
    assert!(scene.is_fetched(&made).await);
    // Nor does it go back to what it knew before.
    let (store, keks) = (Arc::clone(&scene.house.store), scene.house.tenant);
    kek::catch_up(&custody, &store, keks).await.unwrap();
    assert_eq!(custody.as_of(keks), first.services().custody.as_of(keks));
}

#[tokio::test]
async fn one_operator_makes_no_kek_and_nobody_activates_what_is_none() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let id = scene.olga.propose(house, KekCreateRequest::default()).await;
    scene.olga.approve(house, &id).await;
    assert!(scene.olga.complete(house, &id).await.payload.is_none());
    assert_eq!(scene.states().await, [(1, KekState::Active)]);
    for (number, fault) in [(1, Fault::KekState), (2, Fault::NotFound), (-1, Fault::NotFound)] {
        assert!(is(&scene.activate(number).await, fault), "{number}");
    }
    let elsewhere = KekCreateRequest {
        hsm_profile_names: vec!["elsewhere".into()],
        ..KekCreateRequest::default()
    };
    assert!(is(&scene.olga.ask(house, elsewhere).await, Fault::NotFound));
}

#[tokio::test]
async fn keks_are_told_with_where_they_are() {
    let scene = Scene::open().await;
    let auditor = voter(&scene.house, scene.house.tenant, "aud", PersonRole::Auditor).await;
    let keks = scene.list(&auditor).await;
    let [kek] = keks.as_slice() else {
        panic!("one KEK");
    };
    assert_eq!((kek.kek_kind, kek.answers), (KekKind::Software, Some(true)));
    assert_eq!(kek.hsm_profile_name.as_deref(), Some("software"));
    let activate = KekActivateRequest { kek_generation: 1 };
    assert!(is(&auditor.ask(&scene.house, activate).await, Fault::PermissionDenied));
    // Another tenant has a KEK of this number too.
    let bob = scene.house.tenant_of(&scene.house.bob).await;
    let fred = voter(&scene.house, bob, "fred", PersonRole::Operator).await;
    put_policy(&scene.house, bob, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
    assert_eq!(scene.list(&fred).await.len(), 1);
}

/// Two who make a KEK at the same moment make two, of which each is wrapped under.
#[tokio::test]
async fn keks_made_at_once_do_not_meet() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let mut proposals = Vec::new();
    for who in [&scene.olga, &scene.otto] {
        let id = who.propose(house, KekCreateRequest::default()).await;
        scene.olga.approve(house, &id).await;
        scene.otto.approve(house, &id).await;
        proposals.push(id);
    }
    tokio::join!(
        scene.olga.complete(house, &proposals[0]),
        scene.otto.complete(house, &proposals[1]),
    );
    for id in &proposals {
        assert_eq!(scene.olga.state(house, id).await, ProposalState::Executed);
    }
    let pre = KekState::PreActive;
    assert_eq!(scene.states().await, [(3, pre), (2, pre), (1, KekState::Active)]);
    assert_eq!(scene.activate(3).await.result_status, ResultStatus::Success);
    let made = house.create("under the third", Vec::new()).await;
    assert!(scene.is_fetched(&made).await);
    assert_eq!(scene.in_use().await, BTreeSet::from([3]));
    let custody = &house.server.services().custody;
    let keks: BTreeSet<KekId> = custody
        .status()
        .await
        .iter()
        .filter(|status| status.domain == house.tenant)
        .flat_map(|status| status.keks.iter().map(|kek| kek.id))
        .collect();
    assert_eq!(keks.len(), 3);
}
