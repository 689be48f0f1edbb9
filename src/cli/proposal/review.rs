//! Going through what awaits one's vote: see, understand, sign.

use super::{cast, get, picture};
use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::{private, say, tell};
use kmip_protocol::{ProposalListRequest, ProposalState, VoteDecision};
use std::io::{IsTerminal as _, Write as _};

/// Shows each proposal that awaits the reader's vote and asks what to do with it.
pub(super) fn review(caller: &mut Caller<'_>) -> Outcome<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "a review needs a terminal; use `claviger proposal vote`",
        ));
    }
    let request = ProposalListRequest {
        proposal_states: vec![ProposalState::Open, ProposalState::Approved],
        awaiting_requester: Some(true),
        ..ProposalListRequest::default()
    };
    let waiting = caller.session.ask(request)?.proposals;
    if waiting.is_empty() {
        say("nothing awaits your vote");
    }
    for summary in waiting {
        let proposal = get(caller, summary.proposal_identifier)?;
        tell(&picture::picture(&proposal)?);
        let mut err = std::io::stderr();
        let _ = write!(err, "[a]pprove, [r]eject, [s]kip, [q]uit? ").and_then(|()| err.flush());
        match private::line()?.trim() {
            "a" | "approve" => cast(caller, &proposal, VoteDecision::Approve)?,
            "r" | "reject" => cast(caller, &proposal, VoteDecision::Reject)?,
            "q" | "quit" => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}
