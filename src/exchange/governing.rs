//! A tenant under a policy, for tests: three operators without keys, rules, and steps of proposals as those with a vote make them.

use super::testing::TestHouse;
use crate::authority::policy::PolicyRecord;
use crate::authority::proposal::{NewVote, ProposalFault, ProposalRecord};
use crate::identity::{
    ClientId, ClientRecord, Directory, Enroll, IdentityChange, PersonId, PersonRecord, StoreDirectory,
};
use crate::operations::keeper::Keeper;
use crate::operations::proposed::register;
use crate::records;
use crate::store::{Domain, Work};
use kmip_protocol::{
    BindTarget, Completion, DestroyRequest, GetRequest, Interval, Operation, PersonRole, PersonStatus, Policy, Proof,
    ProposalState, ResultStatus, Rule, RuleAlternative, RuleGroup, RuleMatch, UniqueIdentifier, Version, Veto,
    VoteDecision,
};
use std::sync::Arc;

pub(super) fn rule(operation: Operation, completion: Completion) -> Rule {
    Rule {
        rule_name: "two-operators".into(),
        rule_match: RuleMatch {
            operations: vec![operation],
            ..RuleMatch::default()
        },
        reason_required: false,
        requester_counts: false,
        exclude_subject: true,
        proof: Proof::Session,
        veto: Veto::Any,
        bind_target: BindTarget::Exact,
        completion,
        approve_ttl: Interval(3_600),
        execute_ttl: Interval(3_600),
        alternatives: vec![RuleAlternative {
            timelock: Interval(0),
            severity: None,
            groups: vec![RuleGroup {
                group_name: "operators".into(),
                quorum: 2,
            }],
        }],
    }
}

pub(super) fn keeper(house: &TestHouse) -> Keeper {
    Keeper(Arc::clone(&house.server.services().custody))
}

/// Three operators for the first tenant, and a policy with these rules.
pub(super) async fn govern(house: &TestHouse, rules: Vec<Rule>) {
    govern_in(house, house.tenant, PersonRole::Operator, rules).await;
}

/// Three people of this role for a domain, and a policy with these rules.
pub(super) async fn govern_in(house: &TestHouse, domain: Domain, role: PersonRole, rules: Vec<Rule>) {
    let keeper = keeper(house);
    let mut work = Work::new(Arc::clone(&house.store));
    for number in 1..=3_u8 {
        let record = PersonRecord {
            name: format!("operator {number}"),
            role,
            status: PersonStatus::Active,
            created_ms: 0,
            member_since_ms: 0,
            created_by: None,
            credentials: Vec::new(),
            password: None,
            one_time: None,
        };
        let id = PersonId {
            domain,
            person: [number; 16],
        };
        Enroll::new(&mut work, &keeper).person(id, &record).await.unwrap();
    }
    put_policy(house, domain, &mut work, rules);
    house.store.commit(work.into_change_set(0)).await.unwrap();
    house.server.services().glances.forget(domain);
}

pub(super) fn put_policy(house: &TestHouse, domain: Domain, work: &mut Work, rules: Vec<Rule>) {
    let policy = PolicyRecord::first(
        Policy {
            rules,
            ..Policy::default()
        },
        0,
    );
    let key = PolicyRecord::key(domain);
    let revision = work.next_revision(key);
    let custody = &house.server.services().custody;
    let (body, _) = records::close(custody, key, revision, policy.encode()).unwrap();
    work.put(key, body, Vec::new());
}

pub(super) async fn governed(operation: Operation, completion: Completion) -> TestHouse {
    let house = TestHouse::new().await;
    govern(&house, vec![rule(operation, completion)]).await;
    house
}

/// The newest proposal of the first tenant.
pub(super) async fn newest(house: &TestHouse) -> ProposalRecord {
    newest_in(house, house.tenant).await
}

/// The newest proposal of a domain.
pub(super) async fn newest_in(house: &TestHouse, domain: Domain) -> ProposalRecord {
    let keeper = keeper(house);
    let services = house.server.services();
    let proposals = register(services, &keeper);
    let mut work = Work::new(Arc::clone(&house.store));
    let hits = proposals.list(domain, false, None, 1, &mut work).await.unwrap();
    proposals.peek(&hits[0], &mut work).await.unwrap().unwrap()
}

/// A step of a proposal as somebody with a vote makes it; then the server looks after it, as after any message.
async fn step(
    house: &TestHouse,
    domain: Domain,
    act: impl FnOnce(&mut ProposalRecord, &crate::authority::proposal::Situation<'_>) -> Result<(), ProposalFault>,
) -> Result<ProposalState, ProposalFault> {
    let keeper = keeper(house);
    let services = house.server.services();
    let proposals = register(services, &keeper);
    let mut work = Work::new(Arc::clone(&house.store));
    let now = house.server.now().0;
    let mut record = newest_in(house, domain).await;
    let around = proposals.surroundings(domain, now, &mut work).await.unwrap();
    act(&mut record, &around.situation(true))?;
    proposals.keep(domain, &record, &mut work).await.unwrap();
    house.store.commit(work.into_change_set(now)).await.unwrap();
    house.server.look_after(vec![(domain, record.id)]).await;
    Ok(newest_in(house, domain).await.state())
}

/// A vote of one of the first tenant's operators.
pub(super) async fn vote(
    house: &TestHouse,
    person: u8,
    decision: VoteDecision,
) -> Result<ProposalState, ProposalFault> {
    vote_in(house, house.tenant, person, decision).await
}

async fn vote_in(
    house: &TestHouse,
    domain: Domain,
    person: u8,
    decision: VoteDecision,
) -> Result<ProposalState, ProposalFault> {
    let vote = NewVote {
        person: [person; 16],
        person_name: format!("operator {person}"),
        key: [person; 32],
        decision,
        signed: None,
        reason: None,
    };
    step(house, domain, |record, situation| {
        record.vote(vote, situation).map(drop)
    })
    .await
}

pub(super) async fn approve(house: &TestHouse) -> ProposalState {
    approve_in(house, house.tenant).await
}

pub(super) async fn approve_in(house: &TestHouse, domain: Domain) -> ProposalState {
    vote_in(house, domain, 1, VoteDecision::Approve).await.unwrap();
    vote_in(house, domain, 2, VoteDecision::Approve).await.unwrap()
}

pub(super) fn destroy(key: &str) -> DestroyRequest {
    DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
    }
}

pub(super) fn get(key: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
        ..GetRequest::default()
    }
}

pub(super) async fn is_there(house: &TestHouse, key: &str) -> bool {
    let told = house.item(Version::NEWEST, get(key), &house.alice).await;
    told.result_status == ResultStatus::Success
}

/// Changes the record of the first tenant's client.
pub(super) async fn change_client(house: &TestHouse, change: impl FnOnce(&mut ClientRecord)) {
    let keeper = Arc::new(keeper(house));
    let directory = StoreDirectory::new(Arc::clone(&house.store), keeper.clone());
    let (client, mut record) = directory.clients(house.tenant, None, 1).await.unwrap().remove(0);
    change(&mut record);
    let id = ClientId {
        tenant: house.tenant,
        client,
    };
    let mut work = Work::new(Arc::clone(&house.store));
    Enroll::new(&mut work, keeper.as_ref())
        .client(id, &record)
        .await
        .unwrap();
    house.store.commit(work.into_change_set(0)).await.unwrap();
    house
        .server
        .identity()
        .changed(IdentityChange::Client(id))
        .await
        .unwrap();
}
