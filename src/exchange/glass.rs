//! The way out for emergencies: loud, open once, and closed until somebody who took no part has looked at its use.

use super::assembly::{Voter, is, put_policy, voter};
use super::note;
use super::testing::{TestHouse, batch};
use crate::audit::alarm::Event;
use crate::authority::quorum::{CUSTODIANS, OPERATORS, Scope, template};
use crate::failure::Fault;
use kmip_protocol::{
    AsynchronousIndicator, Interval, Namespace, NamespaceCreateRequest, Operation, PersonRole, Policy, PolicyTemplate,
    ProposalFollowUpRequest, ProposalListRequest, ProposalNote, ProposalState, RequestItem, ResponseItem,
    ResponseMessage, ResponsePayload, ResultStatus, RuleAlternative, RuleGroup, Severity, Version, VoteDecision,
};

const HOUR: i64 = 60 * 60;
const WEEK: i64 = 7 * 24 * HOUR;

/// Those who decide: two operators, or in an emergency three custodians.
pub struct Crew {
    olga: Voter,
    otto: Voter,
    custodians: Vec<Voter>,
    /// The first proposal.
    id: Vec<u8>,
}

fn way(timelock: i64, severity: Option<Severity>, group_name: &str, quorum: i32) -> RuleAlternative {
    RuleAlternative {
        timelock: Interval(timelock.try_into().unwrap()),
        severity,
        groups: vec![RuleGroup {
            group_name: group_name.into(),
            quorum,
        }],
    }
}

/// A policy of two, in which namespaces have a way out.
fn policy() -> Policy {
    let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
    let mut rule = policy.rules[0].clone();
    rule.rule_name = "namespaces".into();
    rule.rule_match.operations = vec![Operation::NamespaceCreate];
    rule.reason_required = true;
    rule.completion = kmip_protocol::Completion::OnQuorum;
    rule.alternatives = vec![
        way(0, None, OPERATORS, 2),
        way(HOUR, Some(Severity::Critical), CUSTODIANS, 3),
    ];
    policy.rules.push(rule);
    policy
}

/// Asks for a namespace: the proposal that becomes of it.
async fn propose(house: &TestHouse, who: &Voter, name: &str) -> Vec<u8> {
    let mut item = RequestItem::new(NamespaceCreateRequest {
        namespace: Namespace {
            application_namespace: name.into(),
            description: None,
            generated_data: false,
        },
    });
    let why = ProposalNote {
        reason: Some("otto cannot be reached".into()),
        ..ProposalNote::default()
    };
    item.message_extensions.push(note::extension(&why).unwrap());
    let mut message = batch(Version::NEWEST, vec![item]);
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Optional);
    let answer = house
        .server
        .answer_as(&who.principal, &message, &who.member.facts)
        .await;
    let told = ResponseMessage::read(&answer).unwrap().items.remove(0);
    assert_eq!(
        told.result_status,
        ResultStatus::OperationPending,
        "{:?}",
        told.result_message
    );
    who.list(house).await[0].proposal_identifier.clone()
}

/// What awaits somebody.
async fn awaits(house: &TestHouse, who: &Voter) -> Vec<Vec<u8>> {
    let request = ProposalListRequest {
        awaiting_requester: Some(true),
        ..ProposalListRequest::default()
    };
    match who.ask(house, request).await.payload {
        Some(ResponsePayload::ProposalList(list)) => {
            list.proposals.into_iter().map(|one| one.proposal_identifier).collect()
        }
        _ => panic!("no list"),
    }
}

async fn follow_up(house: &TestHouse, who: &Voter, id: &[u8], found: Option<&str>) -> ResponseItem {
    let request = ProposalFollowUpRequest {
        proposal_identifier: id.to_vec(),
        reason: found.map(str::to_owned),
    };
    who.ask(house, request).await
}

async fn count(house: &TestHouse, event: Event) -> usize {
    house.alarms().await.iter().filter(|one| **one == event).count()
}

/// A house in which the way out was gone once.
pub async fn broken() -> (TestHouse, Crew) {
    let house = TestHouse::new().await;
    let tenant = house.tenant;
    let mut crew = Crew {
        olga: voter(&house, tenant, "olga", PersonRole::Operator).await,
        otto: voter(&house, tenant, "otto", PersonRole::Operator).await,
        custodians: Vec::new(),
        id: Vec::new(),
    };
    for name in ["carl", "cleo", "cora"] {
        crew.custodians
            .push(voter(&house, tenant, name, PersonRole::Custodian).await);
    }
    put_policy(&house, tenant, policy()).await;
    crew.id = propose(&house, &crew.olga, "ssl").await;
    for (place, custodian) in crew.custodians.iter().enumerate() {
        let state = custodian.approve(&house, &crew.id).await;
        let expected = [ProposalState::Open, ProposalState::Open, ProposalState::Approved][place];
        assert_eq!(state, expected);
    }
    // Those who could object hear of it while they can.
    assert_eq!(count(&house, Event::BreakGlass).await, 1);
    house.clock.advance(HOUR - 1);
    house.server.tend().await;
    assert_eq!(crew.olga.state(&house, &crew.id).await, ProposalState::Approved);
    house.clock.advance(1);
    house.server.tend().await;
    assert_eq!(crew.olga.state(&house, &crew.id).await, ProposalState::Executed);
    assert_eq!(count(&house, Event::BreakGlass).await, 2);
    (house, crew)
}

#[tokio::test]
async fn it_is_open_once_until_somebody_who_took_no_part_has_looked_at_it() {
    let (house, crew) = broken().await;
    let Crew {
        olga,
        otto,
        custodians,
        id,
    } = &crew;
    let second = propose(&house, olga, "tls").await;
    for custodian in custodians {
        let told = custodian.vote(&house, &second, VoteDecision::Approve).await;
        assert!(is(&told, Fault::NoVote), "{:?}", told.result_message);
        assert!(awaits(&house, custodian).await.is_empty());
    }
    // The ordinary way is open.
    assert_eq!(awaits(&house, olga).await, std::slice::from_ref(&second));
    assert_eq!(awaits(&house, otto).await, [second.clone(), id.clone()]);
    for who in custodians.iter().chain([olga]) {
        assert!(is(&follow_up(&house, who, id, Some("all well")).await, Fault::NoVote));
    }
    assert!(is(&follow_up(&house, otto, id, None).await, Fault::ReasonRequired));
    assert!(is(&follow_up(&house, otto, id, Some(" ")).await, Fault::ReasonRequired));
    assert!(is(
        &follow_up(&house, otto, &second, Some("too early")).await,
        Fault::ProposalEnded
    ));
    let told = follow_up(&house, otto, id, Some("it was needed")).await;
    assert_eq!(told.result_status, ResultStatus::Success, "{:?}", told.result_message);
    assert!(is(
        &follow_up(&house, otto, id, Some("again")).await,
        Fault::ProposalEnded
    ));
    assert_eq!(awaits(&house, otto).await, std::slice::from_ref(&second));
    match olga.look(&house, id).await.payload {
        Some(ResponsePayload::ProposalGet(told)) => {
            let last = told.proposal.events.last().unwrap();
            assert_eq!(last.person_name.as_deref(), Some("otto"));
            assert_eq!(last.reason.as_deref(), Some("followed up: it was needed"));
            assert_eq!(last.state, ProposalState::Executed);
        }
        _ => panic!("no proposal"),
    }
    // And it can be gone again.
    for custodian in custodians {
        custodian.approve(&house, &second).await;
    }
    assert_eq!(olga.state(&house, &second).await, ProposalState::Approved);
    house.clock.advance(WEEK);
    house.server.tend().await;
    assert_eq!(count(&house, Event::FollowUpOverdue).await, 0);
}

#[tokio::test]
async fn that_nobody_looks_at_it_is_alarmed_once() {
    let (house, crew) = broken().await;
    house.clock.advance(WEEK - 1);
    house.server.tend().await;
    assert_eq!(count(&house, Event::FollowUpOverdue).await, 0);
    // A server that starts anew has not forgotten.
    house.server.take_up();
    for _ in 0..3 {
        house.server.tend().await;
    }
    house.clock.advance(1);
    for _ in 0..3 {
        house.server.tend().await;
        house
            .server
            .look_after(vec![(house.tenant, crew.id.as_slice().try_into().unwrap())])
            .await;
    }
    assert_eq!(count(&house, Event::FollowUpOverdue).await, 1);
    // Late is better than never.
    let told = follow_up(&house, &crew.otto, &crew.id, Some("it was needed")).await;
    assert_eq!(told.result_status, ResultStatus::Success, "{:?}", told.result_message);
}

#[tokio::test]
async fn where_the_ordinary_way_was_gone_as_well_nothing_is_owed() {
    let (house, crew) = broken().await;
    follow_up(&house, &crew.otto, &crew.id, Some("it was needed")).await;
    let second = propose(&house, &crew.olga, "tls").await;
    for custodian in &crew.custodians {
        custodian.approve(&house, &second).await;
    }
    for operator in [&crew.olga, &crew.otto] {
        operator.approve(&house, &second).await;
    }
    assert_eq!(crew.olga.state(&house, &second).await, ProposalState::Executed);
    assert_eq!(
        count(&house, Event::BreakGlass).await,
        3,
        "agreed to, and not carried out"
    );
    assert!(awaits(&house, &crew.otto).await.is_empty());
}
