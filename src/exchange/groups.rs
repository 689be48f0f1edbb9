//! Groups whose votes rules count: who changes them, and who does not.

use super::assembly::{Voter, is, put_policy, voter};
use super::governing::{destroy, newest};
use super::testing::TestHouse;
use crate::authority::quorum::{Scope, template};
use crate::failure::Fault;
use kmip_protocol::{
    AsynchronousIndicator, Group, GroupDeleteRequest, GroupListRequest, GroupPutRequest, Operation,
    PersonModifyRequest, PersonRole, PolicyTemplate, ProposalState, RequestItem, ResponsePayload, RuleMatch,
    VoteDecision,
};

struct Scene {
    house: TestHouse,
    operators: Vec<Voter>,
    custodians: Vec<Voter>,
}

impl Scene {
    /// Three operators, who may change groups by two; four custodians, of whom the first three are those by two of whom keys are
    /// destroyed.
    async fn open() -> Self {
        let house = TestHouse::new().await;
        let (mut operators, mut custodians) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            operators.push(voter(&house, house.tenant, &format!("op{number}"), PersonRole::Operator).await);
        }
        for number in 1..=4 {
            custodians.push(voter(&house, house.tenant, &format!("cu{number}"), PersonRole::Custodian).await);
        }
        let scene = Self {
            house,
            operators,
            custodians,
        };
        // Before any rule counts it, two operators put the group, one of them perhaps a member.
        put_policy(
            &scene.house,
            scene.house.tenant,
            template(PolicyTemplate::Mtg, Scope::Tenant),
        )
        .await;
        let id = scene.put(&["cu1", "cu2", "cu3"]).await;
        scene.operators[0].approve(&scene.house, &id).await;
        scene.operators[1].approve(&scene.house, &id).await;
        scene.operators[0].complete(&scene.house, &id).await;
        let mut policy = template(PolicyTemplate::Mtg, Scope::Tenant);
        let mut gold = policy.rules[0].clone();
        gold.rule_name = "gold".into();
        gold.rule_match = RuleMatch {
            operations: vec![Operation::Destroy],
            ..RuleMatch::default()
        };
        gold.alternatives[0].groups[0].group_name = "keepers".into();
        policy.rules.push(gold);
        put_policy(&scene.house, scene.house.tenant, policy).await;
        scene
    }

    async fn put(&self, persons: &[&str]) -> Vec<u8> {
        self.operators[0].propose(&self.house, put(persons)).await
    }

    async fn members(&self) -> Vec<String> {
        match self.operators[0].ask(&self.house, GroupListRequest {}).await.payload {
            Some(ResponsePayload::GroupList(list)) => list.groups[0].persons.clone(),
            _ => panic!("no groups"),
        }
    }
}

fn put(persons: &[&str]) -> GroupPutRequest {
    GroupPutRequest {
        group: Group {
            group_name: "keepers".into(),
            persons: persons.iter().map(|person| (*person).to_owned()).collect(),
        },
    }
}

/// Edge case 8 for groups: what a rule gives to a group is not taken from it by others.
#[tokio::test]
async fn a_group_that_decides_has_its_say_about_who_is_in_it() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let (op, cu) = (&scene.operators, &scene.custodians);
    let id = scene.put(&["cu1", "cu2", "op3"]).await;
    // Two operators, who may put groups, are not enough for this one.
    op[0].approve(house, &id).await;
    assert_eq!(op[1].approve(house, &id).await, ProposalState::Open);
    // Whoever comes and whoever goes has no vote about it.
    for concerned in [&op[2], &cu[2]] {
        let vote = concerned.vote(house, &id, VoteDecision::Approve).await;
        assert!(is(&vote, Fault::NoVote));
    }
    cu[0].approve(house, &id).await;
    assert_eq!(cu[1].approve(house, &id).await, ProposalState::Approved);
    op[0].complete(house, &id).await;
    assert_eq!(scene.members().await, ["cu1", "cu2", "op3"]);
}

/// Edge cases 1 and 10 for groups: an open proposal counts those who were members when it was made and still are.
#[tokio::test]
async fn an_open_proposal_is_judged_by_those_who_are_and_were_members() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let (op, cu) = (&scene.operators, &scene.custodians);
    let key = house.create("", Vec::new()).await;
    let mut message = super::testing::batch(kmip_protocol::Version::NEWEST, vec![RequestItem::new(destroy(&key))]);
    message.header.asynchronous_indicator = Some(AsynchronousIndicator::Mandatory);
    house.message(&message, &house.alice).await;
    let destroying = newest(house).await.id.to_vec();
    assert_eq!(cu[2].approve(house, &destroying).await, ProposalState::Open);
    house.clock.advance(1);
    let id = scene.put(&["cu1", "cu2", "cu4"]).await;
    for voter in [&op[0], &op[1], &cu[0], &cu[1]] {
        voter.approve(house, &id).await;
    }
    op[0].complete(house, &id).await;
    assert_eq!(scene.members().await, ["cu1", "cu2", "cu4"]);
    // Who has left counts no more, who has come is too late.
    assert!(is(
        &cu[3].vote(house, &destroying, VoteDecision::Approve).await,
        Fault::NoVote
    ));
    assert_eq!(cu[0].approve(house, &destroying).await, ProposalState::Open);
    assert_eq!(cu[1].approve(house, &destroying).await, ProposalState::Approved);
}

/// People are named: a name that has become another's is not who was agreed to.
#[tokio::test]
async fn a_name_that_changes_hands_puts_nobody_into_a_group() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let (op, cu) = (&scene.operators, &scene.custodians);
    let id = scene.put(&["cu1", "cu2", "cu3", "cu4"]).await;
    for voter in [&op[0], &op[1], &cu[0], &cu[1]] {
        voter.approve(house, &id).await;
    }
    let rename = |name: &str| PersonModifyRequest { new_name: name.into() };
    assert!(cu[3].ask(house, rename("gone")).await.payload.is_some());
    assert!(op[2].ask(house, rename("cu4")).await.payload.is_some());
    op[0].complete(house, &id).await;
    assert_eq!(op[0].state(house, &id).await, ProposalState::Failed);
    assert_eq!(scene.members().await, ["cu1", "cu2", "cu3"]);
}

/// Nobody is asked to agree to what cannot be done.
#[tokio::test]
async fn what_cannot_be_done_to_a_group_is_not_put_to_a_vote() {
    let scene = Scene::open().await;
    let (house, op) = (&scene.house, &scene.operators[0]);
    let delete = |name: &str| GroupDeleteRequest {
        group_name: name.into(),
    };
    for name in ["nobody", "operators"] {
        assert!(is(&op.ask(house, delete(name)).await, Fault::GroupNotFound), "{name}");
    }
    assert!(is(&op.ask(house, put(&["cu1", "who"])).await, Fault::PersonNotFound));
    assert!(is(&op.ask(house, put(&["cu1", "cu1"])).await, Fault::InvalidField));
    let mut role = put(&["cu1"]);
    role.group.group_name = "operators".into();
    assert!(is(&op.ask(house, role).await, Fault::InvalidField));
    assert!(
        op.list(house)
            .await
            .iter()
            .all(|proposal| proposal.state == ProposalState::Executed)
    );
}
