//! How requests of clients come out that others must agree to: how they end, what may not have changed, who is bounded by what.

use super::asynchronous::{cancel, correlation, poll, stages, submit};
use super::governing::{
    approve, change_client, destroy, get, govern, governed, is_there, newest, put_policy, rule, vote,
};
use super::testing::{TestHouse, batch, create};
use crate::authority::policy::PolicyRecord;
use crate::store::Work;
use kmip_protocol::{
    ActivateRequest, AsynchronousIndicator, BatchErrorContinuationOption, BindTarget, CancellationResult, Completion,
    Interval, Operation, ProposalState, RequestItem, ResultReason, ResultStatus, UniqueIdentifier, Version,
    VoteDecision,
};
use std::sync::Arc;

const VERSIONS: [Version; 2] = [Version::OLDEST, Version::NEWEST];

#[tokio::test]
async fn how_it_ended_is_told_with_its_reason() {
    let ends: [(&str, ResultReason); 4] = [
        ("rejected", ResultReason::NotAuthorised),
        ("expired", ResultReason::NotAuthorised),
        ("void", ResultReason::NotAuthorised),
        ("withdrawn", ResultReason::OperationCanceledByRequester),
    ];
    for version in VERSIONS {
        for (end, reason) in &ends {
            let house = governed(Operation::Destroy, Completion::OnQuorum).await;
            let key = house.create("", Vec::new()).await;
            let value = correlation(&submit(&house, version, destroy(&key), &house.alice).await);
            match *end {
                "rejected" => drop(vote(&house, 1, VoteDecision::Reject).await.unwrap()),
                "expired" => house.clock.advance(3_601),
                "void" => {
                    let mut work = Work::new(Arc::clone(&house.store));
                    work.load(PolicyRecord::key(house.tenant)).await.unwrap();
                    put_policy(&house, house.tenant, &mut work, Vec::new());
                    house.store.commit(work.into_change_set(0)).await.unwrap();
                }
                _ => assert_eq!(cancel(&house, &value, &house.alice).await, CancellationResult::Canceled),
            }
            if *end != "withdrawn" {
                assert_eq!(
                    cancel(&house, &value, &house.alice).await,
                    CancellationResult::Failed,
                    "{end}"
                );
            }
            let told = poll(&house, version, &value, &house.alice).await;
            assert_eq!(told.result_reason, Some(reason.for_version(version)), "{end}");
            assert_eq!(told.operation, Some(Operation::Destroy));
            assert!(is_there(&house, &key).await);
            assert!(stages(&house, &house.alice).await.is_empty());
        }
    }
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_not_what_was_agreed_to() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    let activated = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
    };
    house.item(Version::NEWEST, activated, &house.alice).await;
    assert_eq!(approve(&house).await, ProposalState::Failed);
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::NotAuthorised));
    assert!(is_there(&house, &key).await);
}

#[tokio::test]
async fn a_failure_of_what_was_approved_has_its_own_reason() {
    let mut loose = rule(Operation::Destroy, Completion::OnQuorum);
    loose.bind_target = BindTarget::Identifier;
    let house = TestHouse::new().await;
    govern(&house, vec![loose]).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    let activated = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
    };
    house.item(Version::NEWEST, activated, &house.alice).await;
    assert_eq!(approve(&house).await, ProposalState::Failed);
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::WrongKeyLifecycleState));
}

#[tokio::test]
async fn a_suspended_requester_has_nothing_carried_out() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    change_client(&house, |client| client.suspended = true).await;
    // Nobody can vote on what a client asked that is not there.
    house
        .server
        .look_after(vec![(house.tenant, newest(&house).await.id)])
        .await;
    assert_eq!(newest(&house).await.state(), ProposalState::Void);
}

#[tokio::test]
async fn a_timelock_is_waited_for_by_the_server_itself() {
    let mut locked = rule(Operation::Destroy, Completion::OnQuorum);
    locked.alternatives[0].timelock = Interval(600);
    let house = TestHouse::new().await;
    govern(&house, vec![locked]).await;
    let key = house.create("", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    assert_eq!(approve(&house).await, ProposalState::Approved);
    house.clock.advance(599);
    house.server.tend().await;
    assert!(is_there(&house, &key).await);
    house.clock.advance(1);
    house.server.tend().await;
    assert_eq!(newest(&house).await.state(), ProposalState::Executed);
    assert!(!is_there(&house, &key).await);
}

#[tokio::test]
async fn nobody_drowns_those_who_vote() {
    let house = governed(Operation::Create, Completion::OnQuorum).await;
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..10 {
        let named = |n: i32| RequestItem::new(create(&format!("{round} {n}"), Vec::new()));
        let mut message = batch(Version::NEWEST, (0..1_000).map(named).collect());
        message.header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
        message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
        let told = house.message(&message, &house.alice).await;
        for item in told.items {
            match item.result_reason {
                None => accepted += 1,
                Some(reason) => {
                    assert_eq!(reason, ResultReason::ServerLimitExceeded);
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((accepted, refused), (32, 10_000 - 32));
}

#[tokio::test]
async fn a_governed_item_does_not_give_to_others() {
    let house = governed(Operation::Create, Completion::OnQuorum).await;
    let build = |continues: Option<BatchErrorContinuationOption>, second: RequestItem| {
        let mut message = batch(Version::NEWEST, vec![RequestItem::new(create("a", Vec::new())), second]);
        message.header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
        message.header.batch_error_continuation_option = continues;
        message
    };
    let uses = RequestItem::new(ActivateRequest::default());
    let told = house.message(&build(None, uses), &house.alice).await;
    assert_eq!(
        (told.items.len(), told.items[0].result_reason),
        (1, Some(ResultReason::InvalidMessage))
    );
    let apart = || RequestItem::new(get("nothing"));
    let undone = house
        .message(&build(Some(BatchErrorContinuationOption::Undo), apart()), &house.alice)
        .await;
    assert_eq!(undone.items[0].result_reason, Some(ResultReason::InvalidMessage));
    assert!(stages(&house, &house.alice).await.is_empty());
    let told = house.message(&build(None, apart()), &house.alice).await;
    correlation(&told.items[0]);
    assert_eq!(told.items[1].result_reason, Some(ResultReason::ObjectNotFound));
}

#[tokio::test]
async fn a_rule_wants_a_reason_and_people_who_could_agree() {
    let mut strict = rule(Operation::Destroy, Completion::OnQuorum);
    strict.reason_required = true;
    let mut unreachable = rule(Operation::Activate, Completion::OnQuorum);
    unreachable.alternatives[0].groups[0].quorum = 4;
    let house = TestHouse::new().await;
    govern(&house, vec![strict, unreachable]).await;
    let key = house.create("", Vec::new()).await;
    let silent = submit(&house, Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(silent.result_reason, Some(ResultReason::PermissionDenied));
    assert!(silent.result_message.unwrap().contains("reason"));
    let activated = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
    };
    let never = submit(&house, Version::NEWEST, activated, &house.alice).await;
    assert_eq!(never.result_reason, Some(ResultReason::PermissionDenied));
    assert!(never.result_message.unwrap().contains("too few people"));
    assert!(stages(&house, &house.alice).await.is_empty());
}

#[tokio::test]
async fn rules_match_the_objects_that_they_name() {
    let mut named = rule(Operation::Destroy, Completion::OnQuorum);
    named.rule_match.object_names = vec!["vault-*".into()];
    let house = TestHouse::new().await;
    govern(&house, vec![named]).await;
    let (kept, free) = (
        house.create("vault-1", Vec::new()).await,
        house.create("other", Vec::new()).await,
    );
    let told = house.item(Version::NEWEST, destroy(&kept), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
    let told = house.item(Version::NEWEST, destroy(&free), &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::Success);
}

#[tokio::test]
async fn a_policy_that_is_not_asked_costs_no_read() {
    let house = TestHouse::new().await;
    let key = house.create("", Vec::new()).await;
    is_there(&house, &key).await;
    let services = house.server.services();
    let seen = services.glances.of(house.tenant);
    assert!(seen.is_some_and(|glance| glance.policy.is_none() && glance.seen.is_none()));
    // A policy that is put beside the server is met at the next commit, and decides it.
    govern(&house, vec![rule(Operation::Destroy, Completion::OnQuorum)]).await;
    let stale = crate::authority::glance::Glance {
        seen: None,
        policy: None,
    };
    services
        .glances
        .remember(house.tenant, stale, services.glances.generation());
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
}
