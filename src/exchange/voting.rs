//! Votes, policies and groups through the handlers: what people of a tenant can do with one another, and what they cannot.

use super::hall::{Hall, enrol, person_id};
use crate::authority::quorum::{OPERATORS, Scope, template};
use crate::failure::Fault;
use crate::operations::keeper::Keeper;
use crate::operations::proposed::register;
use crate::store::{CommitError, Work};
use kmip_protocol::{
    GroupDeleteRequest, GroupListRequest, GroupPutRequest, Operation, PolicyEvaluateRequest, PolicyGetRequest,
    PolicyListRequest, PolicyPutRequest, PolicyTemplate, ProposalCompleteRequest, ProposalGetRequest,
    ProposalListRequest, ProposalState, ProposalVetoRequest, ProposalVoteRequest, ProposalWithdrawVoteRequest,
    RequestPayload, ResponsePayload, VoteDecision,
};
use std::sync::Arc;

#[tokio::test]
async fn two_vote_one_presses_complete_and_it_becomes_ready() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], None).await;
    let [one, two, three] = &hall.operators[..] else {
        panic!()
    };
    let listed = |answer: ResponsePayload| match answer {
        ResponsePayload::ProposalList(list) => list.proposals,
        _ => panic!(),
    };
    let awaiting = ProposalListRequest {
        awaiting_requester: Some(true),
        ..ProposalListRequest::default()
    };
    let mine = listed(hall.ask(two, awaiting.clone()).await.0.unwrap());
    assert_eq!((mine.len(), mine[0].tenant_name.as_deref()), (1, Some("alice")));
    for voter in [one, two] {
        let (answer, _) = hall.ask(voter, hall.vote(voter, &record, VoteDecision::Approve)).await;
        assert!(answer.is_ok() && !hall.is_ready(record.id).await);
    }
    assert!(listed(hall.ask(two, awaiting).await.0.unwrap()).is_empty());
    assert_eq!(hall.state(record.id).await, ProposalState::Approved);
    let complete = ProposalCompleteRequest {
        proposal_identifier: record.id.to_vec(),
    };
    let (answer, _) = hall.ask(three, complete).await;
    assert!(answer.is_ok() && hall.is_ready(record.id).await);
    // What an approver is shown is what the digest is of, and votes stay as evidence that can be checked anywhere.
    let get = ProposalGetRequest {
        proposal_identifier: record.id.to_vec(),
    };
    let Ok(ResponsePayload::ProposalGet(shown)) = hall.ask(three, get).await.0 else {
        panic!()
    };
    let detail = shown.proposal;
    let digest = crate::authority::quorum::statement::request_digest(detail.summary.operation, &detail.frozen_request);
    assert_eq!(detail.request_digest, digest);
    assert_eq!(detail.votes.iter().filter(|vote| vote.counts).count(), 2);
    let vote = &detail.votes[0];
    certs::verify_by_holder(
        &one.certificate,
        vote.statement.as_ref().unwrap(),
        vote.signature.as_ref().unwrap(),
    )
    .unwrap();
}

#[tokio::test]
async fn a_foreign_proposal_and_a_random_one_answer_the_same() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], None).await;
    let id = |id: &[u8]| id.to_vec();
    for identifier in [record.id.to_vec(), vec![0xEE; 16], vec![], vec![1; 40]] {
        let requests: Vec<RequestPayload> = vec![
            ProposalGetRequest {
                proposal_identifier: id(&identifier),
            }
            .into(),
            ProposalVoteRequest {
                proposal_identifier: id(&identifier),
                ..hall.vote(&hall.foreigner, &record, VoteDecision::Approve)
            }
            .into(),
            ProposalWithdrawVoteRequest {
                proposal_identifier: id(&identifier),
            }
            .into(),
            ProposalCompleteRequest {
                proposal_identifier: id(&identifier),
            }
            .into(),
            ProposalVetoRequest {
                proposal_identifier: id(&identifier),
                reason: None,
            }
            .into(),
        ];
        // What may concern a tenant is looked for in the system as well, whatever the identifier.
        for (request, expected) in requests.into_iter().zip([2, 1, 1, 1, 2]) {
            let (answer, reads) = hall.ask(&hall.foreigner, request).await;
            assert_eq!((answer.err(), reads), (Some(Fault::ProposalNotFound), expected));
        }
    }
    let (Ok(ResponsePayload::ProposalList(list)), ..) = hall.ask(&hall.foreigner, ProposalListRequest::default()).await
    else {
        panic!()
    };
    assert!(list.proposals.is_empty());
    assert_eq!(hall.state(record.id).await, ProposalState::Open);
}

/// Edge case 14, and everything else that a vote can lie about.
#[tokio::test]
async fn forged_replayed_foreign_and_late_votes_change_nothing() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], Some(3)).await;
    let other = hall.propose([2; 16], Some(3)).await;
    let [one, two, three] = &hall.operators[..] else {
        panic!()
    };
    let good = hall.vote(two, &record, VoteDecision::Approve);
    // Another's statement, under one's own session.
    assert_eq!(hall.fault(one, good.clone()).await, Fault::VoteInvalid);
    // A signature of another key.
    let mut forged = good.clone();
    forged.signature = hall.vote(one, &record, VoteDecision::Approve).signature;
    assert_eq!(hall.fault(two, forged).await, Fault::VoteInvalid);
    let mut half = good.clone();
    half.signature = None;
    assert_eq!(hall.fault(two, half).await, Fault::VoteInvalid);
    // Made for another proposal, or turned round.
    let mut elsewhere = good.clone();
    elsewhere.proposal_identifier = other.id.to_vec();
    assert_eq!(hall.fault(two, elsewhere).await, Fault::VoteInvalid);
    let mut turned = good.clone();
    turned.decision = VoteDecision::Reject;
    assert_eq!(hall.fault(two, turned).await, Fault::VoteInvalid);
    // The session alone is not what the rule wants.
    let mut unsigned = good.clone();
    (unsigned.statement, unsigned.signature) = (None, None);
    assert_eq!(hall.fault(two, unsigned).await, Fault::VoteProof);
    // The person concerned.
    assert_eq!(
        hall.fault(three, hall.vote(three, &record, VoteDecision::Approve))
            .await,
        Fault::NoVote
    );
    let veto = ProposalVetoRequest {
        proposal_identifier: record.id.to_vec(),
        reason: None,
    };
    assert_eq!(hall.fault(three, veto).await, Fault::NoVote);
    assert_eq!(hall.state(record.id).await, ProposalState::Open);
    // Cast once, it is not cast again; taken back, neither.
    hall.ask(two, good.clone()).await.0.unwrap();
    assert_eq!(hall.fault(two, good.clone()).await, Fault::VoteInvalid);
    let back = ProposalWithdrawVoteRequest {
        proposal_identifier: record.id.to_vec(),
    };
    hall.ask(two, back.clone()).await.0.unwrap();
    assert_eq!(hall.fault(two, back).await, Fault::NoVoteCast);
    assert_eq!(hall.fault(two, good).await, Fault::VoteInvalid);
    // A statement that has run out.
    let late = hall.vote(two, &record, VoteDecision::Approve);
    hall.house.clock.advance(301);
    assert_eq!(hall.fault(two, late).await, Fault::VoteInvalid);
    // A proposal that has run out.
    hall.house.clock.advance(3 * 24 * 3600);
    let expired = hall.vote(two, &record, VoteDecision::Approve);
    assert_eq!(hall.fault(two, expired).await, Fault::ProposalEnded);
    assert_eq!(hall.state(record.id).await, ProposalState::Expired);
}

#[tokio::test]
async fn a_veto_ends_it() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], None).await;
    let veto = ProposalVetoRequest {
        proposal_identifier: record.id.to_vec(),
        reason: Some("not him".into()),
    };
    hall.ask(&hall.operators[2], veto).await.0.unwrap();
    assert_eq!(hall.state(record.id).await, ProposalState::Rejected);
    let vote = hall.vote(&hall.operators[1], &record, VoteDecision::Approve);
    assert_eq!(hall.fault(&hall.operators[1], vote).await, Fault::ProposalEnded);
}

#[tokio::test]
async fn of_two_votes_at_once_neither_is_lost() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], None).await;
    let [one, two, _] = &hall.operators[..] else { panic!() };
    let first = hall.try_ask(one, hall.vote(one, &record, VoteDecision::Approve)).await;
    let second = hall.try_ask(two, hall.vote(two, &record, VoteDecision::Approve)).await;
    assert!(first.0.is_ok() && second.0.is_ok());
    let now = hall.house.server.services().clock.now().0;
    let store = &hall.house.store;
    store.commit(first.1.into_change_set(now)).await.unwrap();
    let met = store.commit(second.1.into_change_set(now)).await;
    assert!(matches!(met, Err(CommitError::Conflict)));
    // It runs again, and finds the first one there.
    hall.ask(two, hall.vote(two, &record, VoteDecision::Approve))
        .await
        .0
        .unwrap();
    assert_eq!(hall.state(record.id).await, ProposalState::Approved);
}

#[tokio::test]
async fn a_vote_rests_on_the_people_and_the_policy_that_it_was_counted_with() {
    let hall = Hall::new().await;
    let record = hall.propose([1; 16], None).await;
    let [one, two, _] = &hall.operators[..] else { panic!() };
    hall.ask(one, hall.vote(one, &record, VoteDecision::Approve))
        .await
        .0
        .unwrap();
    let vote = hall.try_ask(two, hall.vote(two, &record, VoteDecision::Approve)).await;
    enrol(&hall.house, hall.tenant, 7).await;
    let now = hall.house.server.services().clock.now().0;
    let met = hall.house.store.commit(vote.1.into_change_set(now)).await;
    assert!(matches!(met, Err(CommitError::Conflict)));
}

#[tokio::test]
async fn policies_are_put_told_and_refused() {
    let hall = Hall::new().await;
    let one = &hall.operators[0];
    let record = hall.propose([1; 16], None).await;
    let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
    policy.rules[1].reason_required = true;
    let put = |policy: &kmip_protocol::Policy| PolicyPutRequest { policy: policy.clone() };
    let Ok(ResponsePayload::PolicyPut(answer)) = hall.ask(one, put(&policy)).await.0 else {
        panic!()
    };
    assert_eq!(answer.policy_version, 2);
    // Edge case 7: what was proposed under the old one is void.
    assert_eq!(hall.state(record.id).await, ProposalState::Void);
    let get = |version| PolicyGetRequest {
        policy_version: version,
    };
    let Ok(ResponsePayload::PolicyGet(newest)) = hall.ask(one, get(None)).await.0 else {
        panic!()
    };
    assert_eq!(newest.policy.policy.as_ref(), Some(&policy));
    let digest = crate::authority::policy::policy_digest(2, &policy);
    assert_eq!(newest.policy.policy_digest, digest);
    let Ok(ResponsePayload::PolicyGet(first)) = hall.ask(one, get(Some(1))).await.0 else {
        panic!()
    };
    assert_eq!(first.policy.policy_version, 1);
    assert_eq!(hall.fault(one, get(Some(3))).await, Fault::PolicyNotFound);
    let Ok(ResponsePayload::PolicyList(list)) = hall.ask(one, PolicyListRequest {}).await.0 else {
        panic!()
    };
    let versions: Vec<i32> = list.policies.iter().map(|policy| policy.policy_version).collect();
    assert_eq!(versions, [2, 1]);
    // Refused, and nothing changed.
    let refuse = |change: fn(&mut kmip_protocol::Policy)| {
        let mut refused = policy.clone();
        change(&mut refused);
        PolicyPutRequest { policy: refused }
    };
    for (request, fault) in [
        (refuse(|p| p.rules.clear()), Fault::PolicyFloor),
        (refuse(|p| p.margin = 9), Fault::QuorumBroken),
        (refuse(|p| p.fewest_operators = 4), Fault::QuorumBroken),
        (refuse(|p| p.rules[0].alternatives.clear()), Fault::PolicyMalformed),
        (
            refuse(|p| p.rules[0].alternatives[0].groups[0].group_name = "x".into()),
            Fault::PolicyGroup,
        ),
    ] {
        assert_eq!(hall.fault(one, request).await, fault);
    }
    let Ok(ResponsePayload::PolicyGet(still)) = hall.ask(one, get(None)).await.0 else {
        panic!()
    };
    assert_eq!(still.policy.policy_version, 2);
}

#[tokio::test]
async fn it_is_told_who_would_have_to_agree() {
    let hall = Hall::new().await;
    let ask = |operation| PolicyEvaluateRequest {
        operation,
        frozen_request: None,
    };
    let evaluated = |answer| match answer {
        Ok(ResponsePayload::PolicyEvaluate(answer)) => answer,
        _ => panic!(),
    };
    let delete = evaluated(hall.ask(&hall.operators[0], ask(Operation::PersonDelete)).await.0);
    assert!(delete.permitted);
    assert_eq!(delete.requirements.len(), 1);
    let wanted = &delete.requirements[0];
    assert_eq!(
        (wanted.rule_name.as_str(), wanted.remaining, wanted.eligible.len()),
        ("people", 2, 3)
    );
    let suspend = evaluated(hall.ask(&hall.operators[0], ask(Operation::PersonSuspend)).await.0);
    assert!(suspend.requirements.is_empty());
    let create = evaluated(hall.ask(&hall.operators[0], ask(Operation::TenantCreate)).await.0);
    assert!(!create.permitted && create.requirements.is_empty());
}

#[tokio::test]
async fn groups_are_put_told_and_deleted_unless_a_rule_needs_them() {
    let hall = Hall::new().await;
    let one = &hall.operators[0];
    let put = |name: &str, persons: &[&str]| GroupPutRequest {
        group: kmip_protocol::Group {
            group_name: name.into(),
            persons: persons.iter().map(|person| (*person).to_owned()).collect(),
        },
    };
    assert_eq!(hall.fault(one, put(OPERATORS, &[])).await, Fault::InvalidField);
    assert_eq!(hall.fault(one, put("", &[])).await, Fault::InvalidField);
    assert_eq!(hall.fault(one, put("a", &["nobody"])).await, Fault::PersonNotFound);
    // Of another tenant.
    assert_eq!(hall.fault(one, put("a", &["operator 9"])).await, Fault::PersonNotFound);
    assert_eq!(
        hall.fault(one, put("a", &["operator 1", "operator 1"])).await,
        Fault::InvalidField
    );
    hall.ask(one, put("a", &["operator 1", "operator 2"])).await.0.unwrap();
    let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
    policy.rules[2].alternatives[0].groups[0].group_name = "a".into();
    hall.ask(one, PolicyPutRequest { policy }).await.0.unwrap();
    assert_eq!(hall.fault(one, put("a", &["operator 1"])).await, Fault::QuorumBroken);
    let delete = |name: &str| GroupDeleteRequest {
        group_name: name.into(),
    };
    assert_eq!(hall.fault(one, delete("a")).await, Fault::PolicyGroup);
    assert_eq!(hall.fault(one, delete("b")).await, Fault::GroupNotFound);
    hall.ask(one, put("a", &["operator 1", "operator 2", "operator 3"]))
        .await
        .0
        .unwrap();
    let Ok(ResponsePayload::GroupList(list)) = hall.ask(one, GroupListRequest {}).await.0 else {
        panic!()
    };
    assert_eq!(list.groups.len(), 1);
    assert_eq!(list.groups[0].persons.len(), 3);
    let Ok(ResponsePayload::GroupList(list)) = hall.ask(&hall.foreigner, GroupListRequest {}).await.0 else {
        panic!()
    };
    assert!(list.groups.is_empty());
}

/// Edge case 12.
#[tokio::test]
async fn two_proposals_on_one_target_warn_of_each_other() {
    let hall = Hall::new().await;
    for (id, subject) in [([1; 16], 3), ([2; 16], 3), ([4; 16], 2)] {
        hall.propose(id, Some(subject)).await;
    }
    let warnings = async |id: [u8; 16]| {
        let get = ProposalGetRequest {
            proposal_identifier: id.to_vec(),
        };
        let Ok(ResponsePayload::ProposalGet(shown)) = hall.ask(&hall.operators[0], get).await.0 else {
            panic!()
        };
        shown.proposal.requirements[0].warnings.clone()
    };
    let told = warnings([1; 16]).await;
    assert_eq!(told, [format!("proposal {} acts on the same", "02".repeat(16))]);
    // The one about operator 2 shares nothing; of those on one target a vetoed one warns no more.
    assert!(warnings([4; 16]).await.is_empty());
    let veto = ProposalVetoRequest {
        proposal_identifier: vec![2; 16],
        reason: None,
    };
    hall.ask(&hall.operators[0], veto).await.0.unwrap();
    assert!(warnings([1; 16]).await.is_empty());
}

/// Edge case 20.
#[tokio::test]
async fn proposals_of_one_requester_are_bounded_and_lapsed_ones_make_room() {
    let hall = Hall::new().await;
    let services = hall.house.server.services();
    let keeper = Keeper(Arc::clone(&services.custody));
    let register = register(services, &keeper);
    let has_room = async || {
        let mut work = Work::new(Arc::clone(&services.store));
        let now_ms = services.clock.now().0;
        let around = register.surroundings(hall.tenant, now_ms, &mut work).await.unwrap();
        register
            .has_room(hall.tenant, &person_id(1), &around, &mut work)
            .await
            .unwrap()
    };
    for number in 0..32 {
        assert!(has_room().await, "{number}");
        hall.propose([number; 16], None).await;
    }
    assert!(!has_room().await);
    hall.house.clock.advance(4 * 24 * 3600);
    assert!(has_room().await);
}
