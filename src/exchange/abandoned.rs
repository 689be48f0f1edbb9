//! An HSM that is given up takes along tenants of which nothing else is left, and none of which something is; and what was given up is
//! nowhere said to be destroyed.

use super::assembly::{Voter, is, put_policy, voter};
use super::protected::{EAST, HOUR, Scene, WEST, link};
use super::tenants::{client, domain_of, new};
use super::testing::{TestHouse, create};
use crate::administration::kek;
use crate::audit::alarm::Event;
use crate::authority::quorum::{Scope, template};
use crate::custody::protected::fake::FakeHsm;
use crate::custody::{Custody, KekRecord, KekState, ProfileId};
use crate::failure::Fault;
use crate::identity::Principal;
use crate::store::Domain;
use kmip_protocol::{
    HsmProfileAbandonRequest, HsmProfileAbandonResponse, HsmProfileDeleteRequest, HsmProfileLinkRequest,
    KekAddProfileRequest, KekCreateRequest, KekKind, PersonRole, PolicyTemplate, ProposalState, Request, ResponseItem,
    ResponsePayload, ResultStatus, TenantCreateRequest, TenantDeleteRequest, TenantPurgeRequest, TenantSuspendRequest,
    Version,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// An installation with a tenant whose only KEK is a protected one in west.
struct Moved {
    house: TestHouse,
    east: Arc<FakeHsm>,
    west: Arc<FakeHsm>,
    administrator: Principal,
    tenant: Domain,
    operators: [Voter; 2],
}

fn done(item: ResponseItem) -> ResponsePayload {
    assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    item.payload.unwrap()
}

impl Moved {
    async fn open() -> Self {
        let scene = Scene::open().await;
        scene.protected(&["east", "west"]).await;
        let backup = scene.backup(2).await;
        let house = TestHouse::new().await;
        let (east, west) = (FakeHsm::new(house.folder()), Arc::clone(&scene.west));
        let custody = &house.server.services().custody;
        custody.add_provider(EAST, east.clone());
        custody.add_provider(WEST, west.clone());
        link(&house, house.tenant).await;
        let administrator = house.known(Domain::SYSTEM, PersonRole::Administrator);
        let request = TenantCreateRequest {
            hsm_profile_name: Some("west".into()),
            backup_string: Some(backup),
            ..new("moved", &["olga", "oscar"])
        };
        done(house.act(&administrator, request).await);
        let tenant = domain_of(&house, "moved").await;
        // One record lies under its KEK.
        let db = client(&house, tenant).await;
        done(house.item(Version::NEWEST, create("one", Vec::new()), &db).await);
        put_policy(&house, tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
        let operators = [
            voter(&house, tenant, "oona", PersonRole::Operator).await,
            voter(&house, tenant, "otis", PersonRole::Operator).await,
        ];
        Self {
            house,
            east,
            west,
            administrator,
            tenant,
            operators,
        }
    }

    fn custody(&self) -> &Arc<Custody> {
        &self.house.server.services().custody
    }

    async fn act<R: Request>(&self, request: R) -> ResponseItem {
        self.house.act(&self.administrator, request).await
    }

    /// Two of the tenant's operators agree.
    async fn agree<R: Request>(&self, request: R) {
        let [oona, otis] = &self.operators;
        let id = oona.propose(&self.house, request).await;
        for who in [oona, otis] {
            who.approve(&self.house, &id).await;
        }
        otis.complete(&self.house, &id).await;
        assert_eq!(oona.state(&self.house, &id).await, ProposalState::Executed);
    }

    async fn abandon(&self, name: &str) -> ResponseItem {
        self.act(HsmProfileAbandonRequest {
            hsm_profile_name: name.into(),
        })
        .await
    }

    async fn given_up(&self, name: &str) -> HsmProfileAbandonResponse {
        match done(self.abandon(name).await) {
            ResponsePayload::HsmProfileAbandon(response) => response,
            _ => panic!("another answer"),
        }
    }

    async fn delete(&self) {
        let tenant_name = || "moved".to_owned();
        done(
            self.act(TenantSuspendRequest {
                tenant_name: tenant_name(),
            })
            .await,
        );
        done(
            self.act(TenantDeleteRequest {
                tenant_name: tenant_name(),
            })
            .await,
        );
    }

    async fn purge(&self) -> ResponseItem {
        self.act(TenantPurgeRequest {
            tenant_name: "moved".into(),
            created: None,
        })
        .await
    }

    async fn purged(&self) -> Vec<i32> {
        match done(self.purge().await) {
            ResponsePayload::TenantPurge(response) => response.kek_generations,
            _ => panic!("another answer"),
        }
    }

    /// A server that knows no more of the tenant than what the store has.
    async fn begin_anew(&self) {
        self.custody().close_domain(self.tenant);
        let opened = kek::open_domain(self.custody(), &self.house.store, self.tenant).await;
        opened.unwrap();
    }

    async fn keks(&self, domain: Domain) -> Vec<(KekState, Vec<ProfileId>)> {
        let mut keks = kek::unverified(&self.house.store, domain).await.unwrap();
        keks.sort_by_key(|kek| kek.generation);
        keks.iter().map(|kek: &KekRecord| (kek.state, kek.profiles())).collect()
    }
}

fn protected(names: &[&str]) -> KekCreateRequest {
    KekCreateRequest {
        hsm_profile_names: names.iter().map(|name| (*name).to_owned()).collect(),
        kek_kind: Some(KekKind::Protected),
    }
}

/// Nothing of a deleted tenant is open, and all of it was there: it is counted and given up, and can be forgotten, destroyed or not.
#[tokio::test]
async fn a_deleted_tenant_does_not_keep_an_hsm_from_being_given_up() {
    let moved = Moved::open().await;
    moved.delete().await;
    moved.west.set_away(true);
    assert!(is(&moved.purge().await, Fault::CustodyUnavailable));
    let lost = moved.given_up("west").await;
    assert_eq!(lost.lost_keks, 1);
    assert!(lost.lost_records >= 1, "{}", lost.lost_records);
    assert_eq!(moved.purged().await, [0_i32; 0]);
    assert!(is(&moved.purge().await, Fault::NotFound));
    assert!(moved.house.alarms().await.contains(&Event::TenantPurged));
}

/// After a start without the HSM the tenant's record key opens no more.
#[tokio::test]
async fn a_start_without_an_hsm_does_not_keep_it_from_being_given_up() {
    let moved = Moved::open().await;
    moved.west.set_away(true);
    moved.begin_anew().await;
    let lost = moved.given_up("west").await;
    assert_eq!(lost.lost_keks, 1);
    assert!(lost.lost_records >= 1, "{}", lost.lost_records);
    let link = HsmProfileLinkRequest {
        hsm_profile_name: "west".into(),
        tenant_name: Some("moved".into()),
        first: None,
    };
    assert!(is(&moved.act(link).await, Fault::HsmGivenUp));
}

#[tokio::test]
async fn a_domain_whose_other_hsm_is_away_is_waited_for_and_nothing_is_counted_twice() {
    let moved = Moved::open().await;
    link(&moved.house, moved.tenant).await;
    let add = KekAddProfileRequest {
        kek_generation: 2,
        hsm_profile_name: "east".into(),
    };
    moved.agree(add).await;
    // Another tenant, which has no policy, loses one there, and comes first.
    let operator = moved.house.known(moved.house.tenant, PersonRole::Operator);
    done(moved.house.act(&operator, protected(&["west"])).await);
    moved.west.set_away(true);
    moved.east.set_away(true);
    moved.begin_anew().await;
    assert!(is(&moved.abandon("west").await, Fault::CustodyUnavailable));
    let lost = moved.keks(moved.house.tenant).await;
    assert_eq!(lost[1], (KekState::Abandoned, vec![WEST]));
    assert_eq!(moved.keks(moved.tenant).await[0].1, [WEST, EAST]);
    moved.east.set_away(false);
    moved.custody().tend(Instant::now() + HOUR).await;
    assert_eq!(moved.given_up("west").await.lost_keks, 1);
    assert_eq!(moved.keks(moved.tenant).await, [(KekState::Active, vec![EAST])]);
    assert!(is(&moved.abandon("west").await, Fault::NotFound));
    // What was given up there stands in nobody's way any more.
    let delete = HsmProfileDeleteRequest {
        hsm_profile_name: "west".into(),
    };
    done(moved.act(delete).await);
}

/// Something answers: it is no HSM that is gone.
#[tokio::test]
async fn an_hsm_that_refuses_its_pin_is_not_gone() {
    let moved = Moved::open().await;
    moved.west.refuses.store(true, Ordering::SeqCst);
    assert!(is(&moved.abandon("west").await, Fault::PinRefused));
}

#[tokio::test]
async fn a_purge_that_was_interrupted_ends_beside_a_kek_that_was_given_up() {
    let moved = Moved::open().await;
    link(&moved.house, moved.tenant).await;
    moved.agree(protected(&["east"])).await;
    moved.east.set_away(true);
    assert_eq!(moved.given_up("east").await.lost_keks, 1);
    moved.delete().await;
    moved.west.hangs.store(true, Ordering::SeqCst);
    tokio::select! {
        () = moved.west.hung.notified() => {}
        _ = moved.purge() => panic!("it did not hang"),
    }
    moved.west.hangs.store(false, Ordering::SeqCst);
    moved.custody().close_domain(moved.tenant);
    // Of what was given up nobody says that it is destroyed.
    assert_eq!(moved.purged().await, [2]);
}
