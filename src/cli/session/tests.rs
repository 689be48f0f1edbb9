//! The conversation against a server that answers from a script.

use super::*;
use kmip_protocol::{
    DateTime, Operation, PersonDeleteRequest, PersonDeleteResponse, ProposalState, ResponseHeader, ResultReason,
};
use std::sync::{Arc, Mutex};

/// What was asked.
pub(in crate::cli) type Asked = Arc<Mutex<Vec<RequestMessage>>>;

struct Script {
    answers: Vec<ResponseItem>,
    asked: Asked,
}

impl Transport for Script {
    fn exchange(&mut self, message: &RequestMessage) -> Outcome<ResponseMessage> {
        self.asked.lock().unwrap().push(message.clone());
        // Over bytes, as a connection has it.
        let answer = ResponseMessage {
            header: ResponseHeader::new(Version::NEWEST, DateTime(0), 1),
            items: vec![self.answers.remove(0)],
        };
        let mut writer = Writer::new();
        answer.write(&mut writer);
        Ok(ResponseMessage::read(writer.as_bytes())?)
    }
}

/// A session with a server that answers so, one after the other; and what it was asked.
pub(in crate::cli) fn session(answers: Vec<ResponseItem>) -> (Session, Asked) {
    let asked = Asked::default();
    let script = Script {
        answers,
        asked: Arc::clone(&asked),
    };
    (
        Session::over(Box::new(script), Some(Secret::copy_from(b"ticket"))),
        asked,
    )
}

fn request() -> PersonDeleteRequest {
    PersonDeleteRequest {
        person_name: "bob".to_owned(),
    }
}

fn noted(status: ResultStatus, note: &ProposalNote) -> ResponseItem {
    let mut item = ResponseItem::bare(Some(Operation::PersonDelete), status);
    item.message_extensions.push(note.to_extension());
    item
}

/// Others must agree first: proposal 0707…
pub(in crate::cli) fn pending() -> ResponseItem {
    let note = ProposalNote {
        proposal_identifier: Some(vec![7; 16]),
        state: Some(ProposalState::Open),
        ..ProposalNote::default()
    };
    ResponseItem {
        asynchronous_correlation_value: Some(vec![9; 16]),
        ..noted(ResultStatus::OperationPending, &note)
    }
}

#[test]
fn a_change_carries_ticket_reason_and_an_identifier_of_its_own() {
    let (mut session, asked) = session(vec![ResponseItem::success(PersonDeleteResponse {})]);
    let done = session
        .change::<PersonDeleteRequest>(request().into(), Some("left"))
        .unwrap();
    assert!(matches!(done, Answer::Done(_)));
    let message = asked.lock().unwrap().remove(0);
    assert!(message.header.asynchronous_indicator == Some(AsynchronousIndicator::Optional));
    let credentials = message.header.authentication.unwrap().credentials;
    assert!(matches!(credentials.as_slice(), [Credential::Ticket(_)]));
    let note = ProposalNote::from_extensions(&message.items[0].message_extensions).unwrap();
    assert_eq!(note.reason.as_deref(), Some("left"));
    assert_eq!(note.proposal_identifier.unwrap().len(), 16);
    assert!(!message.items[0].message_extensions[0].criticality_indicator);
}

#[test]
fn a_question_waits_for_nobody() {
    let (mut session, asked) = session(vec![ResponseItem::success(PersonDeleteResponse {})]);
    session.ask(request()).unwrap();
    let message = asked.lock().unwrap().remove(0);
    assert!(message.header.asynchronous_indicator.is_none() && message.items[0].message_extensions.is_empty());
}

#[test]
fn what_others_must_agree_to_is_pending_and_polled_for() {
    let done = ResponseItem::success(PersonDeleteResponse {});
    let (mut session, asked) = session(vec![pending(), pending(), done]);
    let Answer::Pending(first) = session.change::<PersonDeleteRequest>(request().into(), None).unwrap() else {
        panic!("not pending");
    };
    assert_eq!(first.proposal(), Some("07".repeat(16)));
    let failure = first.failure();
    assert!(failure.exit == Exit::Pending && failure.text.contains(&"07".repeat(16)));
    let answer = session.wait::<PersonDeleteRequest>(first, Duration::MAX).unwrap();
    assert!(matches!(answer, Answer::Done(_)));
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[test]
fn patience_ends() {
    let (mut session, _) = session(vec![pending(), pending()]);
    let Answer::Pending(first) = session.change::<PersonDeleteRequest>(request().into(), None).unwrap() else {
        panic!("not pending");
    };
    let answer = session.wait::<PersonDeleteRequest>(first, Duration::ZERO).unwrap();
    assert!(matches!(answer, Answer::Pending(_)));
}

#[test]
fn a_proposal_that_ended_is_told_from_a_denial() {
    let refused = |note: Option<ProposalState>| {
        let note = ProposalNote {
            state: note,
            ..ProposalNote::default()
        };
        ResponseItem {
            result_reason: Some(ResultReason::NotAuthorised),
            ..noted(ResultStatus::OperationFailed, &note)
        }
    };
    let exit = |state| {
        let (mut session, _) = session(vec![refused(state)]);
        session.ask(request()).err().unwrap().exit
    };
    assert_eq!(exit(None), Exit::Denied);
    assert_eq!(exit(Some(ProposalState::Open)), Exit::Denied);
    assert_eq!(exit(Some(ProposalState::Rejected)), Exit::Ended);
    assert_eq!(exit(Some(ProposalState::Expired)), Exit::Ended);
}
