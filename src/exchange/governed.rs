//! Requests of clients that others must agree to: submitted, refused, approved, carried out once, delivered once.

use super::ConnectionFacts;
use super::asynchronous::{cancel, correlation, poll, process, stages, submit};
use super::testing::{TestHouse, batch, create};
use crate::administration::keeper::Keeper;
use crate::audit::Entry;
use crate::authority::policy::PolicyRecord;
use crate::authority::proposal::{NewVote, ProposalFault, ProposalRecord};
use crate::authority::proposals::Proposals;
use crate::identity::{
    ClientId, ClientRecord, Directory, Enroll, IdentityChange, PersonId, PersonRecord, StoreDirectory,
};
use crate::operations::Services;
use crate::records;
use crate::store::{TrailQuery, Work};
use kmip_protocol::{
    ActivateRequest, AsynchronousIndicator, BatchErrorContinuationOption, BindTarget, CancellationResult, Completion,
    DestroyRequest, GetRequest, Interval, MessageExtension, Operation, PersonRole, PersonStatus, Policy,
    ProcessingStage, Proof, ProposalNote, ProposalState, RequestItem, ResponseItem, ResponsePayload, ResultReason,
    ResultStatus, Rule, RuleAlternative, RuleGroup, RuleMatch, UniqueIdentifier, Version, Veto, VoteDecision,
};
use std::sync::Arc;

const VERSIONS: [Version; 2] = [Version::OLDEST, Version::NEWEST];

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

/// Two operators for the first tenant, and a policy with these rules.
pub(super) async fn govern(house: &TestHouse, rules: Vec<Rule>) {
    let keeper = keeper(house);
    let domain = house.tenant;
    let mut work = Work::new(Arc::clone(&house.store));
    for number in 1..=3_u8 {
        let record = PersonRecord {
            name: format!("operator {number}"),
            role: PersonRole::Operator,
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
    put_policy(house, &mut work, rules);
    house.store.commit(work.into_change_set(0)).await.unwrap();
    house.server.services().glances.forget(domain);
}

fn put_policy(house: &TestHouse, work: &mut Work, rules: Vec<Rule>) {
    let policy = PolicyRecord::first(
        Policy {
            rules,
            ..Policy::default()
        },
        0,
    );
    let key = PolicyRecord::key(house.tenant);
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
    let keeper = keeper(house);
    let services = house.server.services();
    let proposals = proposals(services, &keeper);
    let mut work = Work::new(Arc::clone(&house.store));
    let hits = proposals.list(house.tenant, false, None, 1, &mut work).await.unwrap();
    proposals.peek(&hits[0], &mut work).await.unwrap().unwrap()
}

pub(super) fn proposals<'a>(services: &'a Services, keeper: &'a Keeper) -> Proposals<'a> {
    Proposals {
        keeper,
        policies: &services.policies,
        installation: services.installation,
    }
}

/// A step of a proposal as somebody with a vote makes it; then the server looks after it, as after any message.
async fn step(
    house: &TestHouse,
    act: impl FnOnce(&mut ProposalRecord, &crate::authority::proposal::Situation<'_>) -> Result<(), ProposalFault>,
) -> Result<ProposalState, ProposalFault> {
    let keeper = keeper(house);
    let services = house.server.services();
    let proposals = proposals(services, &keeper);
    let mut work = Work::new(Arc::clone(&house.store));
    let now = house.server.now().0;
    let mut record = newest(house).await;
    let around = proposals.surroundings(house.tenant, now, &mut work).await.unwrap();
    act(&mut record, &around.situation(true))?;
    proposals.keep(house.tenant, &record, &mut work).await.unwrap();
    house.store.commit(work.into_change_set(now)).await.unwrap();
    house.server.look_after(vec![(house.tenant, record.id)]).await;
    Ok(newest(house).await.state())
}

async fn vote(house: &TestHouse, person: u8, decision: VoteDecision) -> Result<ProposalState, ProposalFault> {
    let vote = NewVote {
        person: [person; 16],
        person_name: format!("operator {person}"),
        key: [person; 32],
        decision,
        signed: None,
        reason: None,
    };
    step(house, |record, situation| record.vote(vote, situation).map(drop)).await
}

pub(super) async fn approve(house: &TestHouse) -> ProposalState {
    vote(house, 1, VoteDecision::Approve).await.unwrap();
    vote(house, 2, VoteDecision::Approve).await.unwrap()
}

pub(super) fn destroy(key: &str) -> DestroyRequest {
    DestroyRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
    }
}

fn get(key: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(UniqueIdentifier::from(key)),
        ..GetRequest::default()
    }
}

/// A request with our own extension.
fn with_note(mut item: RequestItem, note: &ProposalNote) -> RequestItem {
    item.message_extensions.push(super::note::extension(note).unwrap());
    item
}

fn waiting(version: Version, item: RequestItem) -> kmip_protocol::RequestMessage {
    let mut message = batch(version, vec![item]);
    message.header.asynchronous_indicator = Some(match version {
        Version::OLDEST => AsynchronousIndicator::Mandatory,
        _ => AsynchronousIndicator::Optional,
    });
    message
}

pub(super) async fn is_there(house: &TestHouse, key: &str) -> bool {
    let told = house.item(Version::NEWEST, get(key), &house.alice).await;
    told.result_status == ResultStatus::Success
}

#[tokio::test]
async fn what_is_governed_happens_once_others_have_agreed() {
    for version in VERSIONS {
        let house = governed(Operation::Destroy, Completion::OnQuorum).await;
        let key = house.create("", Vec::new()).await;
        let told = house
            .message(&waiting(version, RequestItem::new(destroy(&key))), &house.alice)
            .await;
        let value = correlation(&told.items[0]);
        let proposal = newest(&house).await;
        assert_ne!(proposal.id.to_vec(), value);
        assert_eq!(stages(&house, &house.alice).await, [ProcessingStage::Submitted]);
        assert_eq!(correlation(&poll(&house, version, &value, &house.alice).await), value);
        vote(&house, 1, VoteDecision::Approve).await.unwrap();
        assert!(is_there(&house, &key).await);
        assert_eq!(
            vote(&house, 2, VoteDecision::Approve).await,
            Ok(ProposalState::Executed)
        );
        assert!(!is_there(&house, &key).await);
        assert_eq!(stages(&house, &house.alice).await, [ProcessingStage::Completed]);
        assert_eq!(
            cancel(&house, &value, &house.alice).await,
            CancellationResult::Completed
        );
        let told = poll(&house, version, &value, &house.alice).await;
        assert_eq!(told.operation, Some(Operation::Destroy));
        assert!(matches!(told.payload, Some(ResponsePayload::Destroy(gone)) if gone.unique_identifier == key));
        let again = poll(&house, version, &value, &house.alice).await;
        assert_eq!(
            again.result_reason,
            Some(ResultReason::InvalidAsynchronousCorrelationValue.for_version(version))
        );
        assert_eq!(
            vote(&house, 3, VoteDecision::Approve).await,
            Err(ProposalFault::NotLive(ProposalState::Executed))
        );
    }
}

#[tokio::test]
async fn a_client_that_cannot_wait_is_told_the_rule_and_nothing_else() {
    for version in VERSIONS {
        let house = governed(Operation::Destroy, Completion::OnQuorum).await;
        let key = house.create("", Vec::new()).await;
        let told = house.item(version, destroy(&key), &house.alice).await;
        assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
        let message = told.result_message.unwrap();
        assert_eq!(message, "others must agree to this request (rule two-operators)");
        assert!(told.message_extensions.is_empty() && told.asynchronous_correlation_value.is_none());
        assert!(is_there(&house, &key).await && stages(&house, &house.alice).await.is_empty());
        // Who names what he may not see is told so before any rule.
        let foreign = house.item(version, destroy("nothing"), &house.alice).await;
        assert_eq!(
            foreign.result_reason,
            Some(ResultReason::ObjectNotFound.for_version(version))
        );
        // Other operations, and other tenants, are not concerned.
        let activated = ActivateRequest {
            unique_identifier: Some(UniqueIdentifier::from(key.as_str())),
        };
        let told = house.item(version, activated, &house.alice).await;
        assert_eq!(told.result_status, ResultStatus::Success);
    }
}

#[tokio::test]
async fn a_note_is_answered_by_a_note() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    let note = ProposalNote {
        proposal_identifier: Some(vec![9; 16]),
        reason: Some("worn out".into()),
        ..ProposalNote::default()
    };
    let item = with_note(RequestItem::new(destroy(&key)), &note);
    let told = house
        .message(&waiting(Version::NEWEST, item), &house.alice)
        .await
        .items
        .remove(0);
    let answered = answered(&told);
    assert_eq!(answered.proposal_identifier.as_deref(), Some(&[9; 16][..]));
    assert_eq!(
        (answered.state, answered.rule_names),
        (Some(ProposalState::Open), vec!["two-operators".to_owned()])
    );
    assert_eq!(newest(&house).await.reason.as_deref(), Some("worn out"));
    // The same identifier for another request, and one of another length, are refused.
    let other = house.create("", Vec::new()).await;
    for identifier in [vec![9; 16], vec![9; 15]] {
        let note = ProposalNote {
            proposal_identifier: Some(identifier),
            ..ProposalNote::default()
        };
        let item = with_note(RequestItem::new(destroy(&other)), &note);
        let told = house.message(&waiting(Version::NEWEST, item), &house.alice).await;
        assert_eq!(told.items[0].result_reason, Some(ResultReason::InvalidField));
    }
    // A reason that does not look like what it says would be read by those who vote.
    for reason in ["routine\nrule: none", "evitcani \u{202e}yek"] {
        let note = ProposalNote {
            reason: Some(reason.into()),
            ..ProposalNote::default()
        };
        let item = with_note(RequestItem::new(destroy(&other)), &note);
        let told = house.message(&waiting(Version::NEWEST, item), &house.alice).await;
        assert_eq!(
            told.items[0].result_reason,
            Some(ResultReason::InvalidField),
            "{reason:?}"
        );
    }
}

fn answered(item: &ResponseItem) -> ProposalNote {
    let mut request = RequestItem::new(DestroyRequest::default());
    let [MessageExtension { .. }] = &item.message_extensions[..] else {
        panic!("no note");
    };
    request.message_extensions.clone_from(&item.message_extensions);
    super::note::of(&request).ok().flatten().unwrap()
}

#[tokio::test]
async fn the_same_request_again_is_the_same_proposal() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    assert_eq!(
        correlation(&submit(&house, Version::OLDEST, destroy(&key), &house.alice).await),
        value
    );
    assert_eq!(stages(&house, &house.alice).await.len(), 1);
    // Who cannot wait is told which proposal there is; once it was carried out, he has his answer, once.
    let id: String = newest(&house).await.id.iter().map(|b| format!("{b:02x}")).collect();
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert!(told.result_message.unwrap().ends_with(&format!(", proposal {id}")));
    approve(&house).await;
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Destroy(_))));
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn a_secret_answer_is_computed_when_it_is_claimed_and_delivered_once() {
    for version in VERSIONS {
        let house = governed(Operation::Get, Completion::OnClaim).await;
        let key = house.create("", Vec::new()).await;
        let value = correlation(&submit(&house, version, get(&key), &house.alice).await);
        assert_eq!(approve(&house).await, ProposalState::Approved);
        assert_eq!(
            process(&house, &value, &house.alice).await.result_status,
            ResultStatus::Success
        );
        assert_eq!(newest(&house).await.state(), ProposalState::Approved);
        let foreign = poll(&house, version, &value, &house.bob).await;
        assert_eq!(foreign.result_status, ResultStatus::OperationFailed);
        let told = poll(&house, version, &value, &house.alice).await;
        assert!(
            matches!(told.payload, Some(ResponsePayload::Get(_))),
            "{:?}",
            told.result_message
        );
        assert_eq!(newest(&house).await.state(), ProposalState::Executed);
        let again = poll(&house, version, &value, &house.alice).await;
        assert_eq!(again.result_status, ResultStatus::OperationFailed);
        // The identical retry asks others anew.
        let retried = house.item(version, get(&key), &house.alice).await;
        assert_eq!(retried.result_reason, Some(ResultReason::PermissionDenied));
    }
}

#[tokio::test]
async fn a_retry_claims_what_was_approved_once() {
    let house = governed(Operation::Get, Completion::OnClaim).await;
    let key = house.create("", Vec::new()).await;
    correlation(&submit(&house, Version::NEWEST, get(&key), &house.alice).await);
    approve(&house).await;
    let told = house.item(Version::NEWEST, get(&key), &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Get(_))));
    let again = house.item(Version::NEWEST, get(&key), &house.alice).await;
    assert_eq!(again.result_reason, Some(ResultReason::PermissionDenied));
    assert!(stages(&house, &house.alice).await.is_empty());
}

#[tokio::test]
async fn two_claims_at_once_deliver_once() {
    let house = governed(Operation::Get, Completion::OnClaim).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, get(&key), &house.alice).await);
    approve(&house).await;
    let polls = || poll(&house, Version::NEWEST, &value, &house.alice);
    let (a, b, c) = tokio::join!(polls(), polls(), polls());
    let delivered = [a, b, c]
        .iter()
        .filter(|told| told.result_status == ResultStatus::Success)
        .count();
    assert_eq!(delivered, 1);
}

#[tokio::test]
async fn two_completions_at_once_execute_once() {
    let house = governed(Operation::Create, Completion::Manual).await;
    let value = correlation(&submit(&house, Version::NEWEST, create("once", Vec::new()), &house.alice).await);
    let early = process(&house, &value, &house.alice).await;
    assert_eq!(early.result_reason, Some(ResultReason::PermissionDenied));
    assert_eq!(approve(&house).await, ProposalState::Approved);
    // A Poll completes nothing that somebody is to press a button for.
    correlation(&poll(&house, Version::NEWEST, &value, &house.alice).await);
    let before = executions(&house).await;
    let both = tokio::join!(
        process(&house, &value, &house.alice),
        process(&house, &value, &house.alice)
    );
    let good = [&both.0, &both.1]
        .iter()
        .filter(|told| told.result_status == ResultStatus::Success)
        .count();
    assert_eq!(good, 1);
    let refused = if both.0.result_status == ResultStatus::Success {
        &both.1
    } else {
        &both.0
    };
    assert_eq!(refused.result_reason, Some(ResultReason::DuplicateProcessRequest));
    assert_eq!(executions(&house).await, before + 1);
    let told = poll(&house, Version::NEWEST, &value, &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Create(_))));
}

/// How often something was carried out or refused under a proposal, as the trail has it.
async fn executions(house: &TestHouse) -> usize {
    let heads = house.store.trail_heads().await.unwrap();
    let query = TrailQuery {
        stream: heads[0].position.stream,
        domain: None,
        after: 0,
        limit: 100_000,
    };
    let records = house.store.trail(query).await.unwrap();
    let entries = records.iter().map(|record| Entry::read(&record.bytes).unwrap().draft);
    let carried_out = |draft: &crate::audit::AuditDraft| {
        draft.proposal.is_some() && draft.operation == Operation::Create.0 && draft.result_status == 0
    };
    entries.filter(carried_out).count()
}

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
                    put_policy(&house, &mut work, Vec::new());
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

/// Changes the record of the first tenant's client.
async fn change_client(house: &TestHouse, change: impl FnOnce(&mut ClientRecord)) {
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

#[tokio::test]
async fn a_client_that_has_it_proposed_is_told_the_proposal_and_answered_when_it_asks_again() {
    for version in VERSIONS {
        let house = governed(Operation::Get, Completion::OnClaim).await;
        change_client(&house, |client| client.settings.auto_propose = Some(true)).await;
        let key = house.create("", Vec::new()).await;
        let told = house.item(version, get(&key), &house.alice).await;
        assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
        let id: String = newest(&house).await.id.iter().map(|b| format!("{b:02x}")).collect();
        let message = format!("others must agree to this request (rule two-operators), proposal {id}");
        assert_eq!(told.result_message.as_deref(), Some(&message[..]));
        assert!(told.message_extensions.is_empty() && told.asynchronous_correlation_value.is_none());
        let again = house.item(version, get(&key), &house.alice).await;
        assert_eq!(again.result_message, Some(message));
        assert_eq!(stages(&house, &house.alice).await.len(), 1);
        approve(&house).await;
        let told = house.item(version, get(&key), &house.alice).await;
        assert!(
            matches!(told.payload, Some(ResponsePayload::Get(_))),
            "{:?}",
            told.result_message
        );
        // Answered once: the next one is a proposal of its own.
        let next = house.item(version, get(&key), &house.alice).await;
        assert_eq!(next.result_reason, Some(ResultReason::PermissionDenied));
        assert!(!next.result_message.unwrap().ends_with(&id));
    }
}

#[tokio::test]
async fn another_requester_sees_nothing_of_a_proposal() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    let value = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    let bob: &ConnectionFacts = &house.bob;
    let unknown = poll(&house, Version::NEWEST, &[1; 16], bob).await;
    assert!(poll(&house, Version::NEWEST, &value, bob).await == unknown);
    assert!(poll(&house, Version::NEWEST, &newest(&house).await.id, &house.alice).await == unknown);
    assert_eq!(cancel(&house, &value, bob).await, CancellationResult::Unavailable);
    assert!(stages(&house, bob).await.is_empty());
}
