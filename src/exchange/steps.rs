//! What needs an HSM to be carried out: a tenant, for which a KEK is made, in two steps; anything else that others agreed to, in one.

use super::asynchronous::{correlation, poll, submit};
use super::governing::{approve, approve_in, destroy, govern, govern_in, is_there, newest, newest_in, rule};
use super::restarts::{restarted, services_again, started};
use super::tenants::{domain_of, new};
use super::testing::{TestHouse, create};
use super::timer;
use crate::administration::kek;
use crate::authority::quorum::ADMINISTRATORS;
use crate::custody::{
    Capabilities, CustodyError, KekProvider, KekRecord, Locked, NewKek, Placement, ProfileId, Sealer, SealerKind,
    SoftwareKeks, WrapContext,
};
use crate::identity::{PersonPrincipal, Principal, Session, TenantRecord};
use crate::store::Domain;
use crate::wait::Wait;
use kmip_protocol::{
    Completion, Interval, Operation, PersonRole, PollRequest, ProcessRequest, ProposalState, ResponseItem,
    ResponsePayload, ResultReason, ResultStatus, Rule, Version,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Key files behind an HSM that is slow, or away, to make a KEK.
struct Moody {
    keks: SoftwareKeks,
    /// One for each KEK that may be made.
    gate: Semaphore,
    away: Arc<AtomicBool>,
    panics: AtomicBool,
    asked: AtomicUsize,
    /// Somebody waits at the gate.
    waits: Notify,
}

impl KekProvider for Moody {
    fn kind(&self) -> SealerKind {
        self.keks.kind()
    }

    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            assert!(!self.panics.load(Ordering::SeqCst), "as it was told to");
            if self.away.load(Ordering::SeqCst) {
                return Err(CustodyError::Unavailable);
            }
            self.waits.notify_one();
            self.gate.acquire().await.unwrap().forget();
            self.keks.create(kek, login).await
        })
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.find(kek)
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        self.keks.destroy(record, login)
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        Ok(Arc::new(MoodySealer {
            inner: self.keks.sealer(record)?,
            away: Arc::clone(&self.away),
        }))
    }

    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        self.keks.examine(login)
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.keks.health()
    }
}

/// A KEK of that HSM.
struct MoodySealer {
    inner: Arc<dyn Sealer>,
    away: Arc<AtomicBool>,
}

impl MoodySealer {
    fn answers(&self) -> Result<(), CustodyError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(CustodyError::Unavailable),
            false => Ok(()),
        }
    }
}

impl Sealer for MoodySealer {
    fn kind(&self) -> SealerKind {
        self.inner.kind()
    }

    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async move {
            self.answers()?;
            self.inner.wrap(context, key).await
        })
    }

    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        Box::pin(async move {
            self.answers()?;
            self.inner.unwrap(context, wrapped).await
        })
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.inner.health()
    }
}

struct Scene {
    house: TestHouse,
    hsm: Arc<Moody>,
    administrator: Principal,
}

fn tenants_rule(completion: Completion) -> Rule {
    let mut rule = rule(Operation::TenantCreate, completion);
    rule.alternatives[0].groups[0].group_name = ADMINISTRATORS.into();
    rule
}

impl Scene {
    async fn new(rule: Rule, gate: usize) -> Self {
        let house = TestHouse::new().await;
        govern_in(&house, Domain::SYSTEM, PersonRole::Administrator, vec![rule]).await;
        let services = house.server.services();
        let keks = SoftwareKeks::new(
            house.folder(),
            services.custody.slab().clone(),
            Arc::clone(&services.randomness),
        );
        let hsm = Arc::new(Moody {
            keks,
            gate: Semaphore::new(gate),
            away: Arc::default(),
            panics: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            waits: Notify::new(),
        });
        services.custody.add_provider(ProfileId([1; 16]), hsm.clone());
        let administrator = Principal::Person(Arc::new(PersonPrincipal {
            domain: Domain::SYSTEM,
            person: [3; 16],
            name: "operator 3".into(),
            role: PersonRole::Administrator,
            key_fingerprint: [8; 32],
            hardware: false,
            session: Session::Full([5; 16]),
            seen: None,
            tenant_seen: None,
            migration_required: false,
            ticket_seen: None,
        }));
        Self {
            house,
            hsm,
            administrator,
        }
    }

    /// Asks for a tenant; what to poll with.
    async fn propose(&self) -> Vec<u8> {
        let request = new("acme", &["olga", "oscar"]);
        correlation(&self.house.act_and_wait(&self.administrator, request).await)
    }

    async fn poll(&self, value: &[u8]) -> ResponseItem {
        let asynchronous_correlation_value = value.to_vec();
        let request = PollRequest {
            asynchronous_correlation_value,
        };
        self.house.act(&self.administrator, request).await
    }

    async fn state(&self) -> ProposalState {
        newest_in(&self.house, Domain::SYSTEM).await.state()
    }

    async fn is_made(&self) -> bool {
        let claim = TenantRecord::name_claim("acme");
        self.house.store.claimed(&claim).await.unwrap().is_some()
    }

    fn asked(&self) -> usize {
        self.hsm.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_tenant_is_made_in_two_steps_once_others_have_agreed() {
    for completion in [Completion::OnQuorum, Completion::Manual, Completion::OnClaim] {
        let scene = Scene::new(tenants_rule(completion), 9).await;
        let value = scene.propose().await;
        assert_eq!(scene.asked(), 0);
        let agreed = approve_in(&scene.house, Domain::SYSTEM).await;
        if completion == Completion::Manual {
            assert_eq!((agreed, scene.asked()), (ProposalState::Approved, 0));
            let request = ProcessRequest {
                asynchronous_correlation_value: value.clone(),
            };
            let processed = scene.house.act(&scene.administrator, request).await;
            assert_eq!(processed.result_status, ResultStatus::Success);
        }
        if completion == Completion::OnClaim {
            assert_eq!((agreed, scene.asked()), (ProposalState::Approved, 0));
            assert_eq!(correlation(&scene.poll(&value).await), value);
        }
        assert_eq!((scene.state().await, scene.asked()), (ProposalState::Executed, 1));
        let events = newest_in(&scene.house, Domain::SYSTEM).await;
        let states: Vec<_> = events.events().iter().map(|event| event.state).collect();
        let whole_life = [
            ProposalState::Open,
            ProposalState::Approved,
            ProposalState::Executing,
            ProposalState::Executed,
        ];
        assert_eq!(states, whole_life);
        let tenant = domain_of(&scene.house, "acme").await;
        assert!(scene.house.server.services().custody.is_at_work(tenant));
        let told = scene.poll(&value).await;
        assert!(matches!(told.payload, Some(ResponsePayload::TenantCreate(_))));
    }
}

#[tokio::test]
async fn a_server_that_goes_down_between_the_two_steps_leaves_an_outcome_that_is_not_known() {
    let mut scene = Scene::new(tenants_rule(Completion::OnQuorum), 0).await;
    let value = scene.propose().await;
    tokio::select! {
        biased;
        _ = approve_in(&scene.house, Domain::SYSTEM) => panic!("there is no KEK"),
        () = scene.hsm.waits.notified() => {}
    }
    assert_eq!(scene.state().await, ProposalState::Executing);
    scene.hsm.gate.add_permits(9);
    scene.house.server = restarted(&scene.house).await;
    assert_eq!(scene.state().await, ProposalState::Failed);
    let told = scene.poll(&value).await;
    assert_eq!(told.result_reason, Some(ResultReason::GeneralFailure));
    // It was not tried again.
    scene.house.clock.advance(60);
    scene.house.server.tend().await;
    assert_eq!((scene.asked(), scene.is_made().await), (1, false));
}

#[tokio::test]
async fn an_hsm_that_is_away_is_asked_again_by_the_server_that_began() {
    let scene = Scene::new(tenants_rule(Completion::OnQuorum), 9).await;
    scene.propose().await;
    scene.hsm.away.store(true, Ordering::SeqCst);
    assert_eq!(approve_in(&scene.house, Domain::SYSTEM).await, ProposalState::Executing);
    scene.house.server.tend().await;
    assert_eq!(scene.asked(), 1);
    scene.hsm.away.store(false, Ordering::SeqCst);
    scene.house.clock.advance(5);
    scene.house.server.tend().await;
    assert_eq!((scene.state().await, scene.asked()), (ProposalState::Executed, 2));
    assert!(scene.is_made().await);
}

#[tokio::test]
async fn an_hsm_that_stays_away_is_given_up_in_the_end() {
    let scene = Scene::new(tenants_rule(Completion::OnQuorum), 9).await;
    let value = scene.propose().await;
    scene.hsm.away.store(true, Ordering::SeqCst);
    approve_in(&scene.house, Domain::SYSTEM).await;
    scene.house.clock.advance(3_600);
    scene.house.server.tend().await;
    assert_eq!(scene.state().await, ProposalState::Failed);
    let told = scene.poll(&value).await;
    assert_eq!(told.result_reason, Some(ResultReason::GeneralFailure));
}

#[tokio::test]
async fn what_panics_ends_no_clockwork_and_is_tried_again() {
    let mut rule = tenants_rule(Completion::OnQuorum);
    rule.execute_ttl = Interval(86_400);
    let scene = Scene::new(rule, 9).await;
    scene.propose().await;
    scene.hsm.panics.store(true, Ordering::SeqCst);
    // Who votes is answered all the same.
    let told = approve_in(&scene.house, Domain::SYSTEM).await;
    assert_eq!((told, scene.asked()), (ProposalState::Executing, 1));
    scene.hsm.panics.store(false, Ordering::SeqCst);
    scene.house.clock.advance(3_600);
    scene.house.server.tend().await;
    assert_eq!((scene.state().await, scene.asked()), (ProposalState::Executed, 2));
}

/// What is one step leaves no trace where its HSM is away: it stays approved until its time is over.
#[tokio::test]
async fn what_is_approved_waits_for_its_hsm_until_its_time_is_over() {
    for returns in [true, false] {
        let scene = Scene::new(tenants_rule(Completion::OnQuorum), 9).await;
        let house = &scene.house;
        let custody = &house.server.services().custody;
        kek::open_domain(custody, &house.store, house.tenant).await.unwrap();
        govern(house, vec![rule(Operation::Create, Completion::OnQuorum)]).await;
        let value = correlation(&submit(house, Version::NEWEST, create("late", Vec::new()), &house.alice).await);
        scene.hsm.away.store(true, Ordering::SeqCst);
        assert_eq!(approve(house).await, ProposalState::Approved);
        house.clock.advance(5);
        house.server.tend().await;
        assert_eq!(newest(house).await.state(), ProposalState::Approved);
        scene.hsm.away.store(!returns, Ordering::SeqCst);
        house.clock.advance(if returns { 5 } else { 3_600 });
        house.server.tend().await;
        let told = poll(house, Version::NEWEST, &value, &house.alice).await;
        if returns {
            assert_eq!(newest(house).await.state(), ProposalState::Executed);
            assert!(matches!(told.payload, Some(ResponsePayload::Create(_))));
        } else {
            assert_eq!(newest(house).await.state(), ProposalState::Expired);
            assert_eq!(told.result_reason, Some(ResultReason::NotAuthorised));
        }
    }
}

/// Far more than either takes: what hangs is told from what does not.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_slow_hsm_holds_up_no_other_proposal() {
    let scene = Scene::new(tenants_rule(Completion::OnQuorum), 0).await;
    let house = &scene.house;
    govern(house, vec![rule(Operation::Destroy, Completion::OnQuorum)]).await;
    let key = house.create("", Vec::new()).await;
    scene.propose().await;
    let slow = approve_in(house, Domain::SYSTEM);
    let quick = async {
        scene.hsm.waits.notified().await;
        correlation(&submit(house, Version::NEWEST, destroy(&key), &house.alice).await);
        let ended = approve(house).await;
        scene.hsm.gate.add_permits(1);
        ended
    };
    let both = tokio::time::timeout(PATIENCE, async { tokio::join!(slow, quick) }).await;
    assert_eq!(both, Ok((ProposalState::Executed, ProposalState::Executed)));
}

#[tokio::test]
async fn the_clockwork_attends_to_each_domain_beside_the_others() {
    let mut locked = tenants_rule(Completion::OnQuorum);
    locked.alternatives[0].timelock = Interval(600);
    let mut scene = Scene::new(locked, 0).await;
    let mut locked = rule(Operation::Destroy, Completion::OnQuorum);
    locked.alternatives[0].timelock = Interval(600);
    govern(&scene.house, vec![locked]).await;
    let key = scene.house.create("", Vec::new()).await;
    correlation(&submit(&scene.house, Version::NEWEST, destroy(&key), &scene.house.alice).await);
    scene.propose().await;
    approve(&scene.house).await;
    approve_in(&scene.house, Domain::SYSTEM).await;
    scene.house.clock.advance(600);
    let fresh = started(&scene.house, services_again(&scene.house)).await;
    let server = Arc::new(std::mem::replace(&mut scene.house.server, fresh));
    let mut at_work = JoinSet::new();
    timer::begin(&server, &mut at_work);
    assert_eq!(at_work.len(), 2);
    scene.hsm.waits.notified().await;
    let first = tokio::time::timeout(PATIENCE, at_work.join_next()).await;
    assert!(first.is_ok_and(|ended| ended.unwrap().is_ok()));
    assert_eq!(newest(&scene.house).await.state(), ProposalState::Executed);
    assert!(!is_there(&scene.house, &key).await);
    // Nobody else takes up what is being done.
    timer::begin(&server, &mut at_work);
    assert_eq!((at_work.len(), scene.state().await), (1, ProposalState::Executing));
    scene.hsm.gate.add_permits(1);
    assert!(at_work.join_next().await.unwrap().is_ok());
    assert_eq!((scene.state().await, scene.asked()), (ProposalState::Executed, 1));
}
