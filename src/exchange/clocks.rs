//! Proposals while somebody sets the machine's clock.

use super::asynchronous::submit;
use super::governing::{approve, destroy, govern, newest, rule, vote};
use super::members::ticket;
use super::testing::TestHouse;
use crate::audit::alarm::Event;
use crate::store::Work;
use kmip_protocol::{
    Completion, Interval, Operation, PersonListRequest, PersonRole, ProposalState, ResultStatus, Ticket, Version,
    VoteDecision,
};
use std::sync::Arc;

/// What waits, in seconds: less than a jump ahead counts for.
const WAIT: u32 = 300;

/// A house with a proposal whose timelock, and whose time to vote, are short.
async fn waiting() -> TestHouse {
    let house = TestHouse::new().await;
    let mut rule = rule(Operation::Destroy, Completion::OnQuorum);
    rule.approve_ttl = Interval(WAIT);
    rule.alternatives[0].timelock = Interval(WAIT);
    govern(&house, vec![rule]).await;
    let key = house.create("", Vec::new()).await;
    submit(&house, Version::NEWEST, destroy(&key), &house.alice).await;
    house
}

/// Where the newest proposal stands, once everything that is due was looked after.
async fn state(house: &TestHouse) -> ProposalState {
    house.server.tend().await;
    house
        .server
        .look_after(vec![(house.tenant, newest(house).await.id)])
        .await;
    newest(house).await.state()
}

async fn jumps(house: &TestHouse) -> usize {
    let alarms = house.alarms().await;
    alarms.iter().filter(|event| **event == Event::ClockJumped).count()
}

#[tokio::test]
async fn a_clock_set_ahead_ends_no_timelock_and_alarms() {
    let house = waiting().await;
    assert_eq!(approve(&house).await, ProposalState::Approved);
    house.clock.advance(i64::from(WAIT) - 10);
    house.clock.set(7_200);
    assert_eq!(state(&house).await, ProposalState::Approved);
    assert_eq!((state(&house).await, jumps(&house).await), (ProposalState::Approved, 1));
    // Time that really passes does not help as long as the clock cannot be believed.
    house.clock.advance(WAIT.into());
    assert_eq!(state(&house).await, ProposalState::Approved);
    house.clock.set(-7_200);
    assert_eq!((state(&house).await, jumps(&house).await), (ProposalState::Executed, 2));
}

#[tokio::test]
async fn a_clock_set_ahead_ends_nobodys_time_to_vote() {
    let house = waiting().await;
    assert_eq!(vote(&house, 1, VoteDecision::Approve).await, Ok(ProposalState::Open));
    house.clock.set(7_200);
    assert_eq!(state(&house).await, ProposalState::Open);
    assert_eq!(
        vote(&house, 2, VoteDecision::Approve).await,
        Ok(ProposalState::Approved)
    );
    // Without a jump the same time ends it.
    let house = waiting().await;
    house.clock.advance(WAIT.into());
    assert_eq!(state(&house).await, ProposalState::Expired);
}

#[tokio::test]
async fn a_clock_set_back_shortens_no_timelock_and_alarms() {
    let house = waiting().await;
    assert_eq!(approve(&house).await, ProposalState::Approved);
    house.clock.set(-3_600);
    assert_eq!((state(&house).await, jumps(&house).await), (ProposalState::Approved, 1));
    house.clock.advance(i64::from(WAIT) - 10);
    assert_eq!(state(&house).await, ProposalState::Approved);
    house.clock.set(3_600);
    assert_eq!(state(&house).await, ProposalState::Approved);
    house.clock.advance(10);
    assert_eq!(state(&house).await, ProposalState::Executed);
}

#[tokio::test]
async fn a_clock_that_is_behind_the_last_commit_is_told_of_at_the_start() {
    let house = TestHouse::new().await;
    house.server.compare_clock().await;
    assert_eq!(jumps(&house).await, 0);
    let later = house.now_ms() + 3_600_000;
    let work = Work::new(Arc::clone(&house.store));
    house.store.commit(work.into_change_set(later)).await.unwrap();
    house.server.compare_clock().await;
    assert_eq!(jumps(&house).await, 1);
}

#[tokio::test]
async fn a_clock_set_back_prolongs_no_session() {
    let house = TestHouse::new().await;
    let olga = house.person(house.tenant, "olga", PersonRole::Operator).await;
    let with = house.login(&olga).await;
    house.clock.set(-3_600);
    let ask = async |with: &Ticket| {
        let told = house.ask(PersonListRequest::default(), &olga, vec![ticket(with)]).await;
        told.result_status == ResultStatus::Success
    };
    house.clock.advance(15 * 60);
    assert!(ask(&with).await);
    house.clock.advance(15 * 60 + 1);
    assert!(!ask(&with).await);
    // What is begun meanwhile lasts as long as ever.
    let with = house.login(&olga).await;
    house.clock.advance(15 * 60);
    assert!(ask(&with).await);
}
