//! A command at work against a server that answers from a script, and may lie.

use super::*;
use crate::authority::quorum::statement::request_digest;
use crate::cli::failure::Exit;
use crate::cli::nouns::change_with_passwords;
use crate::cli::nouns::person::self_signed;
use crate::cli::session::tests::{Asked, pending, session};
use kmip_protocol::{
    PersonDeleteRequest, PersonDeleteResponse, ProposalDetail, ProposalGetResponse, ProposalVoteResponse, ResponseItem,
    ResultReason, ResultStatus, SecretText,
};
use std::path::Path;

/// Runs a command of somebody whose key lies in the folder; gives what it ended with and what the server was asked.
fn with(
    folder: &Path,
    answers: Vec<ResponseItem>,
    act: impl FnOnce(&mut Caller<'_>) -> Outcome<()>,
) -> (Outcome<()>, Asked) {
    let (certificate, key) = self_signed("alice").unwrap();
    let (cert, key_file) = (folder.join("alice.pem"), folder.join("alice-key.pem"));
    std::fs::write(&cert, certs::pem::write_certificate(&certificate)).unwrap();
    std::fs::write(&key_file, key.to_pem().as_bytes()).unwrap();
    let options = Options::default();
    let (session, asked) = session(answers);
    let profile = Profile {
        cert,
        key: crate::cli::key::KeyPlace::File(key_file),
        ..Profile::default()
    };
    let mut caller = Caller {
        options: &options,
        profile,
        session,
    };
    let outcome = act(&mut caller);
    drop(caller);
    (outcome, asked)
}

fn delete(name: &str) -> PersonDeleteRequest {
    PersonDeleteRequest {
        person_name: name.to_owned(),
    }
}

/// Proposal 0707…, with this frozen request; its digest fits.
fn frozen(operation: Operation, name: &str) -> ProposalDetail {
    let frozen_request = payload_bytes(&delete(name).into()).expose().to_vec();
    let mut proposal = crate::cli::proposal::ballot::tests::proposal();
    proposal.summary.operation = operation;
    proposal.request_digest = request_digest(operation, &frozen_request).to_vec();
    proposal.frozen_request = frozen_request;
    proposal
}

fn told(proposal: ProposalDetail) -> ResponseItem {
    ResponseItem::success(ProposalGetResponse { proposal })
}

/// Whether a vote was sent.
fn voted(asked: &Asked) -> bool {
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .any(|message| message.items[0].operation == Some(Operation::ProposalVote))
}

#[test]
fn the_own_vote_is_over_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let voted_response = ProposalVoteResponse {
        state: kmip_protocol::ProposalState::Open,
        requirements: Vec::new(),
        completion: Completion::Manual,
    };
    let honest = vec![
        pending(),
        told(frozen(Operation::PersonDelete, "bob")),
        ResponseItem::success(voted_response),
        ResponseItem::success(PersonDeleteResponse {}),
    ];
    let (outcome, asked) = with(folder.path(), honest, |caller| caller.change(delete("bob"), "done"));
    outcome.unwrap();
    assert!(voted(&asked));
}

#[test]
fn what_a_lying_server_froze_instead_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut other_proposal = frozen(Operation::PersonDelete, "bob");
    other_proposal.summary.proposal_identifier = vec![8; 16];
    let lies = [
        frozen(Operation::PersonDelete, "carol"),
        frozen(Operation::PersonSuspend, "bob"),
        other_proposal,
    ];
    for lie in lies {
        let (outcome, asked) = with(folder.path(), vec![pending(), told(lie)], |caller| {
            caller.change(delete("bob"), "done")
        });
        let failure = outcome.err().unwrap();
        assert!(failure.text.contains("nothing was signed"), "{}", failure.text);
        assert!(!voted(&asked));
    }
}

/// Asks for something that gives olga a password, which goes into a folder; tells what is there afterwards.
fn password_after(answers: Vec<ResponseItem>) -> (Exit, bool) {
    let folder = tempfile::tempdir().unwrap();
    let people = [("olga".to_owned(), SecretText::new("until she changes it"))];
    let (outcome, _) = with(folder.path(), answers, |caller| {
        change_with_passwords(caller, delete("bob"), &people, Some(&folder.path().join("out")), "done")
    });
    let left = folder.path().join("out").read_dir().unwrap().count();
    let written = folder.path().join("out/olga.password").exists();
    assert_eq!(left, usize::from(written));
    (outcome.err().unwrap().exit, written)
}

#[test]
fn a_password_is_lost_with_a_refusal_only() {
    let refused = || {
        let mut item = ResponseItem::bare(Some(Operation::PersonDelete), ResultStatus::OperationFailed);
        item.result_reason = Some(ResultReason::PermissionDenied);
        item
    };
    assert_eq!(password_after(vec![refused()]), (Exit::Denied, false));
    // Nobody knows what became of a request whose answer makes no sense.
    let strange = told(frozen(Operation::PersonDelete, "bob"));
    assert_eq!(password_after(vec![strange]), (Exit::Error, true));
    // What comes after the request was taken takes nothing back.
    assert_eq!(
        password_after(vec![pending(), refused(), pending(), refused()]),
        (Exit::Pending, true)
    );
    let lie = told(frozen(Operation::PersonDelete, "carol"));
    assert_eq!(password_after(vec![pending(), lie]), (Exit::Error, true));
}
