//! Going through what awaits one's vote: see, understand, sign.

use super::{cast, get, picture};
use crate::cli::call::{Caller, remark};
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
        let cast = match ask()? {
            Choice::Approve => cast(caller, &proposal, VoteDecision::Approve),
            Choice::Reject => cast(caller, &proposal, VoteDecision::Reject),
            Choice::Skip => Ok(()),
            Choice::Quit => return Ok(()),
        };
        match cast {
            // One that has ended meanwhile does not keep the others from their votes.
            Err(failure) if failure.refused => remark(&format!("your vote was not taken: {}", failure.text)),
            done => done?,
        }
    }
    Ok(())
}

/// What to do with a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Approve,
    Reject,
    Skip,
    Quit,
}

/// Asks until the answer is one of those there are.
fn ask() -> Outcome<Choice> {
    loop {
        let mut err = std::io::stderr();
        let _ = write!(err, "[a]pprove, [r]eject, [s]kip, [q]uit? ").and_then(|()| err.flush());
        if let Some(choice) = choice(&private::line()?) {
            return Ok(choice);
        }
    }
}

/// What a line says, its end included. None at all is the end of the input: nobody is there any more.
fn choice(line: &str) -> Option<Choice> {
    if line.is_empty() {
        return Some(Choice::Quit);
    }
    match line.trim() {
        "a" | "approve" => Some(Choice::Approve),
        "r" | "reject" => Some(Choice::Reject),
        "s" | "skip" => Some(Choice::Skip),
        "q" | "quit" => Some(Choice::Quit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_that_was_offered() {
        let said = ["a\n", " approve \n", "r\n", "skip\n", "q", ""].map(choice);
        assert_eq!(
            said,
            [
                Some(Choice::Approve),
                Some(Choice::Approve),
                Some(Choice::Reject),
                Some(Choice::Skip),
                Some(Choice::Quit),
                Some(Choice::Quit)
            ]
        );
        for typo in ["\n", "y\n", "yes\n", "A\n", "ar\n", "n\n"] {
            assert_eq!(choice(typo), None, "{typo:?}");
        }
    }
}
