//! What a server does with proposals that it finds when it starts, and without a policy.

use super::Server;
use super::asynchronous::{cancel, correlation, poll, process, submit};
use super::governed::{approve, destroy, govern, governed, is_there, keeper, newest, proposals, rule};
use super::testing::TestHouse;
use crate::authority::Policies;
use crate::authority::glance::Glances;
use crate::heavy::Heavy;
use crate::identity::{Identity, StoreDirectory};
use crate::operations::Services;
use crate::store::Work;
use kmip_protocol::{
    CancellationResult, Completion, Interval, Operation, ProposalState, ResultReason, ResultStatus, Version,
};
use std::sync::Arc;

/// The same installation, served by a server that has just been started.
async fn restarted(house: &TestHouse) -> Server {
    let server = started(house, services_again(house)).await;
    server.take_up().await.unwrap();
    server
}

/// A server over these rooms.
async fn started(house: &TestHouse, services: Services) -> Server {
    let directory = StoreDirectory::new(Arc::clone(&house.store), Arc::new(keeper(house)));
    let identity = Arc::new(Identity::open(Arc::new(directory)).await.unwrap());
    Server::new(services, identity, house.access.clone())
}

/// The rooms of a server that begins anew on what is stored.
fn services_again(house: &TestHouse) -> Services {
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
        profiles: old.profiles.clone(),
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
        let proposals = proposals(house.server.services(), &keeper);
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
