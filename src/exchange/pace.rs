//! How often somebody votes, and what the status tells of who there is to vote.

use super::assembly::{Voter, is, put_policy, voter};
use super::testing::TestHouse;
use crate::authority::quorum::{Scope, template};
use crate::failure::Fault;
use crate::store::Domain;
use kmip_protocol::{
    Group, GroupPutRequest, PersonRole, PersonSuspendRequest, PolicyTemplate, ResponsePayload, ResultStatus,
    ServerStatusRequest, Severity, StatusItem, VoteDecision,
};
use std::collections::BTreeMap;

async fn operators(house: &TestHouse, names: &[&str]) -> Vec<Voter> {
    let mut operators = Vec::new();
    for name in names {
        operators.push(voter(house, house.tenant, name, PersonRole::Operator).await);
    }
    put_policy(house, house.tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
    operators
}

#[tokio::test]
async fn nobody_votes_more_often_than_he_can_look() {
    let house = TestHouse::new().await;
    let people = operators(&house, &["olga", "otto"]).await;
    let mut proposals = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let group = Group {
            group_name: name.into(),
            persons: Vec::new(),
        };
        proposals.push(people[0].propose(&house, GroupPutRequest { group }).await);
    }
    let approve = async |voter: &Voter, proposal: &[u8]| voter.vote(&house, proposal, VoteDecision::Approve).await;
    for number in 0..60 {
        let item = approve(&people[0], &proposals[number % 4]).await;
        assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
    }
    for _ in 0..2 {
        assert!(is(&approve(&people[0], &proposals[4]).await, Fault::TooManyVotes));
    }
    // It is his own bound, and it passes.
    let item = approve(&people[1], &proposals[4]).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    house.clock.advance(60);
    let item = approve(&people[0], &proposals[4]).await;
    assert_eq!(item.result_status, ResultStatus::Success);
}

/// Each rule: what is told of it, and how grave that is.
async fn quorums(house: &TestHouse, who: &Voter) -> BTreeMap<String, (String, Option<Severity>)> {
    let item = who.ask(house, ServerStatusRequest::default()).await;
    let Some(ResponsePayload::ServerStatus(status)) = item.payload else {
        panic!("{:?}", item.result_message)
    };
    let of_rule = |line: StatusItem| {
        let rule = line.status_name.strip_prefix("quorum.")?.to_owned();
        Some((rule, (line.status_value, line.severity)))
    };
    status.items.into_iter().filter_map(of_rule).collect()
}

#[tokio::test]
async fn the_status_tells_which_rules_can_be_met() {
    let house = TestHouse::new().await;
    let people = operators(&house, &["olga", "otto", "oscar"]).await;
    let told = quorums(&house, &people[0]).await;
    assert_eq!(told.len(), template(PolicyTemplate::Mtg, Scope::Tenant).rules.len());
    for (suspended, line, severity) in [
        (None, "can be met, with 1 to spare", None),
        (
            Some("oscar"),
            "can be met, with nobody to spare",
            Some(Severity::Notice),
        ),
        (
            Some("otto"),
            "CANNOT be met by the people there are",
            Some(Severity::Critical),
        ),
    ] {
        if let Some(person) = suspended {
            let suspend = PersonSuspendRequest {
                person_name: person.into(),
            };
            let item = people[0].ask(&house, suspend).await;
            assert_eq!(item.result_status, ResultStatus::Success, "{:?}", item.result_message);
        }
        for (rule, told) in quorums(&house, &people[0]).await {
            assert_eq!(told, (line.to_owned(), severity), "{rule}");
        }
    }
    // Administrators see the system's rules, of which this house has none.
    let ada = voter(&house, Domain::SYSTEM, "ada", PersonRole::Administrator).await;
    assert!(quorums(&house, &ada).await.is_empty());
}
