//! A tenant is recovered by administrators only where its own people can invite nobody, and over nobody's head.

use super::assembly::{Voter, is, put_policy, voter};
use super::members::certificate;
use super::testing::TestHouse;
use crate::authority::quorum::{Scope, template};
use crate::failure::Fault;
use crate::identity::{PersonRecord, TenantRecord, person_counter};
use crate::store::{Domain, Store, Work};
use kmip_protocol::{
    NewPerson, PersonRole, PersonStatus, PolicyTemplate, ProposalState, ProposalVoteRequest, ResultStatus, SecretText,
    TenantRecoverRequest, TenantResumeRequest, TenantSuspendRequest, VoteDecision,
};
use std::sync::Arc;

const DAY: i64 = 24 * 60 * 60;

struct Scene {
    house: TestHouse,
    ada: Voter,
    alan: Voter,
    olga: Voter,
    otto: Voter,
}

impl Scene {
    /// Two administrators, and a tenant with two operators.
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let tenant = house.tenant;
        let scene = Self {
            ada: voter(&house, Domain::SYSTEM, "ada", PersonRole::Administrator).await,
            alan: voter(&house, Domain::SYSTEM, "alan", PersonRole::Administrator).await,
            olga: voter(&house, tenant, "olga", PersonRole::Operator).await,
            otto: voter(&house, tenant, "otto", PersonRole::Operator).await,
            house,
        };
        put_policy(
            &scene.house,
            Domain::SYSTEM,
            template(PolicyTemplate::Mtg, Scope::System),
        )
        .await;
        put_policy(&scene.house, tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
        scene
    }

    async fn set(&self, who: &Voter, status: PersonStatus) {
        let mut record = self.house.record(who.member.id).await;
        record.status = status;
        self.house.put(who.member.id, &record).await;
    }

    /// A proposal to invite nina that both administrators have agreed to.
    async fn agreed(&self) -> Vec<u8> {
        let id = self.ada.propose(&self.house, recover()).await;
        self.ada.approve(&self.house, &id).await;
        assert_eq!(self.alan.approve(&self.house, &id).await, ProposalState::Approved);
        id
    }

    async fn is_invited(&self) -> bool {
        let claim = PersonRecord::name_claim(self.house.tenant, "nina");
        self.house.store.claimed(&claim).await.unwrap().is_some()
    }

    async fn last_login(&self, who: &Voter, at_ms: i64) {
        let store: Arc<dyn Store> = self.house.store.clone();
        let mut work = Work::new(store);
        work.set_counter(who.member.id.key(), person_counter::LAST_LOGIN, at_ms);
        let change = work.into_change_set(self.house.now_ms());
        self.house.store.commit(change).await.unwrap();
    }
}

pub(super) fn recover() -> TenantRecoverRequest {
    TenantRecoverRequest {
        tenant_name: "alice".into(),
        operator: NewPerson {
            person_name: "nina".into(),
            person_role: PersonRole::Operator,
            certificate: certificate("nina").0,
            initial_password: SecretText::new("correct horse battery 47"),
            hardware: None,
            attestation: Vec::new(),
            possession_proof: None,
        },
    }
}

#[tokio::test]
async fn who_can_help_himself_is_not_recovered() {
    let scene = Scene::open().await;
    let house = &scene.house;
    // Two operators can still agree.
    assert!(is(&scene.ada.ask(house, recover()).await, Fault::RecoveryNotNeeded));
    assert!(scene.ada.list(house).await.is_empty());
    // One cannot.
    scene.set(&scene.otto, PersonStatus::Suspended).await;
    let id = scene.agreed().await;
    assert!(is(&scene.ada.complete(house, &id).await, Fault::TimelockRunning));
    // Meanwhile two can again: nothing is carried out any more.
    scene.set(&scene.otto, PersonStatus::Active).await;
    house.clock.advance(3 * DAY + 60);
    scene.ada.complete(house, &id).await;
    assert_eq!(scene.ada.state(house, &id).await, ProposalState::Failed);
    assert!(!scene.is_invited().await);
    // And where nobody can and nobody objects, it happens once the time is over.
    scene.set(&scene.otto, PersonStatus::Suspended).await;
    let id = scene.agreed().await;
    house.clock.advance(3 * DAY + 60);
    scene.ada.complete(house, &id).await;
    assert_eq!(scene.ada.state(house, &id).await, ProposalState::Executed);
    assert!(scene.is_invited().await);
    // With her there are enough: nobody else is brought in meanwhile, unless she does not come.
    let another = || {
        let mut request = recover();
        request.operator.person_name = "nora".into();
        request
    };
    assert!(is(&scene.ada.ask(house, another()).await, Fault::RecoveryNotNeeded));
    house.clock.advance(3 * DAY + 60);
    let item = scene.ada.ask(house, another()).await;
    assert_eq!(item.result_status, ResultStatus::OperationPending);
}

/// One operator is missing: two recoveries at once would bring in a quorum.
#[tokio::test]
async fn of_two_recoveries_at_once_one_is_carried_out() {
    let scene = Scene::open().await;
    let house = &scene.house;
    scene.set(&scene.otto, PersonStatus::Suspended).await;
    let first = scene.agreed().await;
    house.clock.advance(1);
    let mut other = recover();
    other.operator.person_name = "nora".into();
    let second = scene.ada.propose(house, other).await;
    assert_ne!(first, second);
    scene.ada.approve(house, &second).await;
    scene.alan.approve(house, &second).await;
    house.clock.advance(3 * DAY + 60);
    scene.ada.complete(house, &first).await;
    scene.ada.complete(house, &second).await;
    let ended = [
        scene.ada.state(house, &first).await,
        scene.ada.state(house, &second).await,
    ];
    assert_eq!(ended, [ProposalState::Executed, ProposalState::Failed]);
}

#[tokio::test]
async fn the_operators_see_their_recovery_and_one_of_them_ends_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let bob = house.tenant_of(&house.bob).await;
    let foreigner = voter(house, bob, "fred", PersonRole::Operator).await;
    put_policy(house, bob, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
    let auditor = voter(house, house.tenant, "aud", PersonRole::Auditor).await;
    let custodian = voter(house, house.tenant, "cus", PersonRole::Custodian).await;
    scene.set(&scene.otto, PersonStatus::Suspended).await;
    let id = scene.agreed().await;
    // It stands among what awaits the operator, and nobody of another tenant learns of it.
    let shown = scene.olga.list(house).await;
    assert_eq!((shown.len(), shown[0].awaiting_requester), (1, true));
    assert_eq!(scene.olga.state(house, &id).await, ProposalState::Approved);
    assert!(!auditor.list(house).await[0].awaiting_requester);
    assert!(foreigner.list(house).await.is_empty());
    assert!(is(&foreigner.look(house, &id).await, Fault::ProposalNotFound));
    assert!(is(&foreigner.veto(house, &id).await, Fault::ProposalNotFound));
    // To see it and to end it is all: nobody of the tenant votes on it, and a custodian does not end it.
    let vote = ProposalVoteRequest {
        proposal_identifier: id.clone(),
        decision: VoteDecision::Reject,
        statement: None,
        signature: None,
        reason: None,
        opened_shares: Vec::new(),
    };
    assert!(is(&scene.olga.ask(house, vote).await, Fault::ProposalNotFound));
    assert!(is(&custodian.veto(house, &id).await, Fault::NoVote));
    assert_eq!(scene.ada.state(house, &id).await, ProposalState::Approved);
    house.clock.advance(2 * DAY);
    assert!(scene.olga.veto(house, &id).await.payload.is_some());
    assert_eq!(scene.ada.state(house, &id).await, ProposalState::Rejected);
    house.clock.advance(2 * DAY);
    assert!(is(&scene.ada.complete(house, &id).await, Fault::ProposalEnded));
    assert!(!scene.is_invited().await);
    // What is over is not listed for them any more; other proposals of the system never are.
    assert!(scene.olga.list(house).await.is_empty());
}

#[tokio::test]
async fn nobody_is_recovered_who_cannot_be_heard() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let tenant_name = || "alice".to_owned();
    scene.set(&scene.otto, PersonStatus::Suspended).await;
    scene
        .ada
        .ask(
            house,
            TenantSuspendRequest {
                tenant_name: tenant_name(),
            },
        )
        .await;
    let key = TenantRecord::key(house.tenant);
    assert!(house.store.load(key).await.unwrap().is_some());
    assert!(is(&scene.ada.ask(house, recover()).await, Fault::RecoveryUnheard));
    let id = scene
        .ada
        .propose(
            house,
            TenantResumeRequest {
                tenant_name: tenant_name(),
            },
        )
        .await;
    scene.ada.approve(house, &id).await;
    scene.alan.approve(house, &id).await;
    scene.ada.complete(house, &id).await;
    let id = scene.agreed().await;
    // Suspended after all: then they could not object, and it fails.
    scene
        .ada
        .ask(
            house,
            TenantSuspendRequest {
                tenant_name: tenant_name(),
            },
        )
        .await;
    house.clock.advance(3 * DAY + 60);
    scene.ada.complete(house, &id).await;
    assert_eq!(scene.ada.state(house, &id).await, ProposalState::Failed);
    assert!(!scene.is_invited().await);
}

#[tokio::test]
async fn who_has_not_come_for_a_quarter_is_not_counted_on() {
    let scene = Scene::open().await;
    let house = &scene.house;
    for (days, refused) in [(89, true), (91, false)] {
        let at_ms = house.now_ms() - days * DAY * 1000;
        scene.last_login(&scene.otto, at_ms).await;
        let item = scene.ada.ask(house, recover()).await;
        assert_eq!(is(&item, Fault::RecoveryNotNeeded), refused, "{days} days");
    }
}
