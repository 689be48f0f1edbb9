//! What a server does with proposals that it finds when it starts, and without a policy.

use super::asynchronous::{cancel, correlation, poll, process, submit};
use super::governing::{approve, destroy, govern, governed, is_there, keeper, newest, rule};
use super::testing::TestHouse;
use super::{ConnectionFacts, Server};
use crate::administration::kek;
use crate::authority::Policies;
use crate::authority::glance::Glances;
use crate::custody::{Custody, ProfileId, Slab, SoftwareKeks};
use crate::heavy::Heavy;
use crate::identity::{Identity, StoreDirectory};
use crate::operations::Services;
use crate::operations::keeper::Keeper;
use crate::operations::proposed::register;
use crate::store::{Domain, Work};
use kmip_protocol::{
    CancellationResult, Completion, Interval, LocateRequest, Operation, ProposalState, ResultReason, ResultStatus,
    Version,
};
use std::sync::Arc;

/// The same installation, served by a server that has just been started.
pub(super) async fn restarted(house: &TestHouse) -> Server {
    let server = started(house, services_again(house)).await;
    server.take_up();
    // The domains, then what is in them.
    server.tend().await;
    server.tend().await;
    server
}

/// A server over these rooms.
pub(super) async fn started(house: &TestHouse, services: Services) -> Server {
    let keeper = Keeper(Arc::clone(&services.custody));
    let directory = StoreDirectory::new(Arc::clone(&house.store), Arc::new(keeper));
    let identity = Arc::new(Identity::open(Arc::new(directory)).await.unwrap());
    Server::new(services, identity, house.access.clone())
}

/// The rooms of a server that begins anew on what is stored.
pub(super) fn services_again(house: &TestHouse) -> Services {
    let old = house.server.services();
    Services {
        policies: Policies::optional(),
        glances: Glances::default(),
        store: Arc::clone(&house.store),
        custody: Arc::clone(&old.custody),
        randomness: Arc::clone(&old.randomness),
        clock: Arc::clone(&old.clock),
        passwords: crate::identity::Passwords::cheap(),
        heavy: Heavy::in_place(),
        installation: old.installation,
        quarantine: Arc::clone(&old.quarantine),
        freshness: Arc::clone(&old.freshness),
        outfit: Arc::clone(&old.outfit),
        streams: Arc::default(),
        outbox: Arc::default(),
        limits: old.limits,
        about: old.about.clone(),
    }
}

#[tokio::test]
async fn what_was_approved_before_a_crash_is_carried_out_after_it() {
    let mut locked = rule(Operation::Destroy, Completion::OnQuorum);
    locked.alternatives[0].timelock = Interval(600);
    let mut house = TestHouse::new().await;
    govern(&house, vec![locked]).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    approve(&house).await;
    house.server = restarted(&house).await;
    assert_eq!(newest(&house).await.state(), ProposalState::Approved);
    house.clock.advance(600);
    house.server.tend().await;
    assert!(!is_there(&house, &key).await);
    house.server = restarted(&house).await;
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn what_a_crash_interrupted_is_not_tried_again_in_silence() {
    use crate::authority::proposal::Claimant;
    let mut house = governed(Operation::Destroy, Completion::Manual).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    approve(&house).await;
    // The first of two steps, and then nothing.
    let keeper = keeper(&house);
    let mut work = Work::new(Arc::clone(&house.store));
    let mut record = newest(&house).await;
    {
        let proposals = register(house.server.services(), &keeper);
        let now = house.server.now().0;
        let around = proposals.surroundings(house.tenant, now, &mut work).await.unwrap();
        record.claim(Claimant::Requester, &around.situation(true)).unwrap();
        proposals.keep(house.tenant, &record, &mut work).await.unwrap();
    }
    house.store.commit(work.into_change_set(0)).await.unwrap();
    assert_eq!(
        cancel(&house, &value, &house.alice).await,
        CancellationResult::UnableToCancel
    );
    let twice = process(&house, &value, &house.alice).await;
    assert_eq!(twice.result_reason, Some(ResultReason::DuplicateProcessRequest));
    correlation(&poll(&house, Version::NEWEST, &value, &house.alice).await);
    house.server = restarted(&house).await;
    assert_eq!(newest(&house).await.state(), ProposalState::Failed);
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::GeneralFailure));
    assert!(is_there(&house, &key).await);
}

/// The custody of a server that begins anew on the key files that there are.
pub(super) async fn custody_again(house: &TestHouse) -> Arc<Custody> {
    let old = house.server.services();
    let slab = Slab::new().unwrap();
    let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&old.randomness)));
    let keks = SoftwareKeks::new(house.folder(), slab, Arc::clone(&old.randomness));
    custody.add_provider(ProfileId([1; 16]), Arc::new(keks));
    let mut domains = house.server.identity().directory().tenants().await.unwrap();
    domains.push(Domain::SYSTEM);
    for domain in domains {
        kek::open_domain(&custody, &house.store, domain).await.unwrap();
    }
    custody
}

#[tokio::test]
async fn a_tenant_whose_keys_were_away_at_the_start_is_looked_after_once_they_are_back() {
    let mut locked = rule(Operation::Destroy, Completion::OnQuorum);
    locked.alternatives[0].timelock = Interval(600);
    let mut house = TestHouse::new().await;
    govern(&house, vec![locked]).await;
    let key = house.create("", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    assert_eq!(approve(&house).await, ProposalState::Approved);
    house.clock.advance(600);
    let keks = house.store.scan(house.tenant, kek::KEK, None, 9).await.unwrap();
    let file = house.folder().join(format!("{}.kek", kmip_ttlv::Hex(&keks[0].key.id)));
    let aside = house.folder().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    let services = Services {
        custody: custody_again(&house).await,
        ..services_again(&house)
    };
    house.server = started(&house, services).await;
    house.server.take_up();
    for _ in 0..3 {
        house.server.tend().await;
    }
    // Another tenant's clients are served.
    assert_eq!(is_served(&house, &house.bob).await, ResultStatus::Success);
    assert_eq!(is_served(&house, &house.alice).await, ResultStatus::OperationFailed);
    std::fs::rename(&aside, &file).unwrap();
    house.server.tend().await;
    assert_eq!(is_served(&house, &house.alice).await, ResultStatus::OperationFailed);
    house.clock.advance(10);
    house.server.tend().await;
    assert_eq!(newest(&house).await.state(), ProposalState::Executed);
    assert_eq!(is_served(&house, &house.alice).await, ResultStatus::Success);
    assert!(!is_there(&house, &key).await);
}

async fn is_served(house: &TestHouse, facts: &ConnectionFacts) -> ResultStatus {
    let locate = LocateRequest::default();
    house.item(Version::NEWEST, locate, facts).await.result_status
}

/// Whoever can delete rows of the database takes the policy away, and gains nothing by it.
#[tokio::test]
async fn without_its_policy_a_domain_is_not_served() {
    let mut house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    let strict = Services {
        policies: Policies::default(),
        ..services_again(&house)
    };
    let strict = started(&house, strict).await;
    let lenient = std::mem::replace(&mut house.server, strict);
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::InternalServerError));
    house.server = lenient;
    assert!(is_there(&house, &key).await);
}
