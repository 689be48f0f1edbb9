//! Requests of clients that others must agree to: submitted, refused, approved, carried out once, delivered once.

use super::ConnectionFacts;
use super::asynchronous::{cancel, correlation, poll, process, stages, submit};
use super::governing::{approve, change_client, destroy, get, governed, is_there, newest, vote};
use super::testing::{TestHouse, batch, create};
use crate::audit::Entry;
use crate::authority::proposal::ProposalFault;
use crate::store::TrailQuery;
use kmip_protocol::{
    ActivateRequest, AsynchronousIndicator, CancellationResult, Completion, DestroyRequest, MessageExtension,
    Operation, ProcessingStage, ProposalNote, ProposalState, RequestItem, ResponseItem, ResponsePayload, ResultReason,
    ResultStatus, UniqueIdentifier, Version, VoteDecision,
};

const VERSIONS: [Version; 2] = [Version::OLDEST, Version::NEWEST];

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
    // The same identifier for another request, one of another length, and that of nobody, are refused.
    let other = house.create("", Vec::new()).await;
    for identifier in [vec![9; 16], vec![9; 15], vec![0; 16]] {
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
    let id: String = kmip_ttlv::Hex(&newest(&house).await.id).to_string();
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert!(told.result_message.unwrap().ends_with(&format!(", proposal {id}")));
    approve(&house).await;
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Destroy(_))));
    let told = house.item(Version::NEWEST, destroy(&key), &house.alice).await;
    assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
}

/// What came of a request answers the request that made it, not the next one that looks the same: that would be told "done" of what
/// was not done for it.
#[tokio::test]
async fn what_was_carried_out_answers_no_new_request() {
    let house = governed(Operation::Destroy, Completion::OnQuorum).await;
    let key = house.create("", Vec::new()).await;
    let first = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    approve(&house).await;
    assert_eq!(newest(&house).await.state(), ProposalState::Executed);
    let second = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    assert_ne!(first, second);
    assert_eq!(newest(&house).await.state(), ProposalState::Open);
    // Each has its own answer.
    let told = poll(&house, Version::NEWEST, &first, &house.alice).await;
    assert!(matches!(told.payload, Some(ResponsePayload::Destroy(_))));
    let told = poll(&house, Version::NEWEST, &second, &house.alice).await;
    assert_eq!(told.result_status, ResultStatus::OperationPending);
    // The second is still the one that the same request finds.
    let third = correlation(&submit(&house, Version::NEWEST, destroy(&key), &house.alice).await);
    assert_eq!(second, third);
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
async fn a_client_that_has_it_proposed_is_told_the_proposal_and_answered_when_it_asks_again() {
    for version in VERSIONS {
        let house = governed(Operation::Get, Completion::OnClaim).await;
        change_client(&house, |client| client.settings.auto_propose = Some(true)).await;
        let key = house.create("", Vec::new()).await;
        let told = house.item(version, get(&key), &house.alice).await;
        assert_eq!(told.result_reason, Some(ResultReason::PermissionDenied));
        let id: String = kmip_ttlv::Hex(&newest(&house).await.id).to_string();
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
