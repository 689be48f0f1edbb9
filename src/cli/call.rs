//! How every noun asks: open the session of the chosen context, ask, vote for what was proposed, wait, print.

use super::context::Profile;
use super::failure::{Exit, Failure, Outcome};
use super::options::Options;
use super::output::{self, Table};
use super::proposal::ballot::{self, Voter};
use super::session::{Answer, Pending, Session, payload_bytes};
use super::{private, say, say_problem, tickets};
use kmip_protocol::{
    Completion, Operation, PolicyEvaluateRequest, ProposalGetRequest, Request, RequestPayload, Structure, VoteDecision,
    tag,
};
use kmip_ttlv::Secret;
use std::time::Duration;

/// A command at work.
pub(super) struct Caller<'a> {
    pub(super) options: &'a Options,
    pub(super) profile: Profile,
    pub(super) session: Session,
}

impl<'a> Caller<'a> {
    /// Connects as the options say, with the ticket of the session that there is.
    pub(super) fn open(options: &'a Options) -> Outcome<Self> {
        let profile = options.profile()?;
        let ticket = tickets::load(&profile)?;
        let session = Session::open(&profile, Duration::from_secs(options.timeout), ticket)?;
        Ok(Self {
            options,
            profile,
            session,
        })
    }

    /// Asks and prints the answer line by line.
    pub(super) fn show<R: Request>(&mut self, request: R) -> Outcome<()> {
        let response = self.session.ask(request)?;
        print(&response, self.options, None)
    }

    /// Asks and prints the answer, as a table where people read it.
    pub(super) fn list<R: Request>(&mut self, request: R, table: impl FnOnce(&R::Response) -> Table) -> Outcome<()> {
        let response = self.session.ask(request)?;
        let table = table(&response);
        print(&response, self.options, Some(table))
    }

    /// Asks for a change whose answer says no more than that it is done.
    pub(super) fn change<R: Request>(&mut self, request: R, done: &str) -> Outcome<()> {
        self.change_noting(request, done, &mut || Ok(()))
    }

    /// Asks for something whose answer is a text for people.
    pub(super) fn tell<R: Request>(&mut self, request: R, text: impl FnOnce(&R::Response) -> String) -> Outcome<()> {
        if let Some(response) = self.carry(request)? {
            match self.options.output {
                super::options::Format::Table => say(text(&response).trim_end()),
                _ => print(&response, self.options, None)?,
            }
        }
        Ok(())
    }

    /// The same as [`Caller::change`], noting when it was taken, as [`Caller::carry_noting`] does.
    pub(super) fn change_noting<R: Request>(
        &mut self,
        request: R,
        done: &str,
        taken: &mut dyn FnMut() -> Outcome<()>,
    ) -> Outcome<()> {
        if let Some(response) = self.carry_noting(request, taken)? {
            match self.options.output {
                super::options::Format::Table => say(done),
                _ => print(&response, self.options, None)?,
            }
        }
        Ok(())
    }

    /// Asks for a change, sees it through as far as the options want, and gives the answer; nothing if only a dry run was wanted.
    pub(super) fn carry<R: Request>(&mut self, request: R) -> Outcome<Option<R::Response>> {
        self.carry_noting(request, &mut || Ok(()))
    }

    /// The same. `taken` is called as soon as the server may have taken the request, which is unless it says that it refuses it: before
    /// the own vote and before any waiting, so that what belongs to the request is not lost with them.
    pub(super) fn carry_noting<R: Request>(
        &mut self,
        request: R,
        taken: &mut dyn FnMut() -> Outcome<()>,
    ) -> Outcome<Option<R::Response>> {
        let payload: RequestPayload = request.into();
        let sent = payload_bytes(&payload);
        if self.options.dry_run {
            self.evaluate(R::OPERATION, sent)?;
            return Ok(None);
        }
        let patience = self.options.patience()?;
        let answer = self.session.change::<R>(payload, self.options.reason.as_deref());
        if !answer.as_ref().is_err_and(|failure| failure.refused) {
            taken()?;
        }
        let pending = match answer? {
            Answer::Done(response) => return Ok(Some(response)),
            Answer::Pending(pending) => pending,
        };
        if !self.options.no_vote {
            // The request stands, whether or not the own vote does.
            match self.vote_for_own(&pending, R::OPERATION, &sent) {
                Err(failure) if failure.refused => remark(&format!("your own vote does not count: {}", failure.text)),
                outcome => outcome?,
            }
        }
        // What needs nobody else is carried out at once: a request of one's own that no longer waits is an answer, not a proposal.
        let pause = patience.unwrap_or_default();
        match self.session.wait::<R>(pending, pause)? {
            Answer::Done(response) => Ok(Some(response)),
            Answer::Pending(pending) => Err(self.tell_pending(&pending)),
        }
    }

    /// The proposer's own vote, where it counts: a second call, over what the server froze, if that is what was sent.
    fn vote_for_own(&mut self, pending: &Pending, operation: Operation, sent: &Secret) -> Outcome<()> {
        let Some(identifier) = pending.note.proposal_identifier.clone() else {
            return Ok(());
        };
        let proposal_identifier = identifier.clone();
        let proposal = self.session.ask(ProposalGetRequest { proposal_identifier })?.proposal;
        if !proposal.summary.awaiting_requester {
            return Ok(());
        }
        let same = proposal.summary.proposal_identifier == identifier
            && proposal.summary.operation == operation
            && ballot::is_of(operation, sent.expose(), &proposal.frozen_request)?;
        if !same {
            return Err(Failure::new(
                Exit::Error,
                format!(
                    "the server froze another request than was sent: nothing was signed; look at it with `claviger proposal show {}`",
                    super::hex(&identifier)
                ),
            ));
        }
        let voter = Voter::of(&self.profile)?;
        let reason = self.options.reason.clone();
        let vote = ballot::vote(&proposal, &voter, VoteDecision::Approve, reason, ballot::ONLINE)?;
        self.session.ask(vote)?;
        Ok(())
    }

    /// Prints what is known of a pending request.
    fn tell_pending(&mut self, pending: &Pending) -> Failure {
        let note = &pending.note;
        let mut table = Table::of(["", ""]);
        let mut row = |name: &str, value: String| table.push([name.to_owned(), value]);
        row("state", "pending approval".to_owned());
        if let Some(id) = pending.proposal() {
            row("proposal", id);
        }
        row("correlation", super::hex(&pending.correlation));
        if !note.rule_names.is_empty() {
            row("rules", note.rule_names.join(", "));
        }
        let proposal = note.proposal_identifier.clone().and_then(|proposal_identifier| {
            let asked = self.session.ask(ProposalGetRequest { proposal_identifier });
            asked.ok().map(|response| response.proposal)
        });
        if let Some(proposal) = &proposal {
            for requirement in proposal.requirements.iter().filter(|r| !r.satisfied) {
                row("missing", output::missing(requirement));
            }
            if proposal.requirements.iter().all(|r| r.satisfied) && proposal.completion == Completion::Manual {
                let id = pending.proposal().unwrap_or_default();
                row("missing", format!("completion: claviger proposal complete {id}"));
            }
        }
        if let Some(expires) = note.expires {
            row("expires", output::moment(expires.0));
        }
        row(
            "then",
            format!("claviger proposal result {}", super::hex(&pending.correlation)),
        );
        let told = output::print(note, tag::PROPOSAL_NOTE, self.options.output, Some(table));
        told.err().unwrap_or_else(|| pending.failure())
    }

    /// Says who would have to agree.
    fn evaluate(&mut self, operation: Operation, sent: Secret) -> Outcome<()> {
        let response = self.session.ask(PolicyEvaluateRequest {
            operation,
            frozen_request: Some(sent),
        })?;
        let mut table = Table::of(["RULE", "AGREEMENT"]);
        for requirement in &response.requirements {
            table.push([requirement.rule_name.clone(), output::missing(requirement)]);
        }
        if response.requirements.is_empty() && response.permitted {
            table.push(["-".to_owned(), "nobody else need agree".to_owned()]);
        }
        let permitted = response.permitted;
        print(&response, self.options, Some(table))?;
        if permitted {
            Ok(())
        } else {
            Err(Failure::new(Exit::Denied, "you may not ask for this at all"))
        }
    }

    /// Asks back before something that cannot be undone, unless told not to.
    pub(super) fn confirm(&self, question: &str) -> Outcome<()> {
        if self.options.yes || self.options.dry_run || private::confirmed(question)? {
            return Ok(());
        }
        Err(Failure::new(Exit::Error, "nothing was done"))
    }

    /// The person's name at the server.
    pub(super) fn person(&self) -> Outcome<String> {
        if let Some(person) = &self.profile.person {
            return Ok(person.clone());
        }
        let voter = certs::CertificateFacts::read(&ballot::certificate(&self.profile.cert)?);
        let facts = voter.map_err(|why| why.to_string())?;
        facts
            .common_names
            .into_iter()
            .next()
            .ok_or_else(|| Failure::usage("the certificate has no Common Name; give --person"))
    }
}

/// Tells something beside the answer, on standard error.
pub(super) fn remark(text: &str) {
    say_problem(text);
}

fn print<T: Structure>(response: &T, options: &Options, table: Option<Table>) -> Outcome<()> {
    output::print(response, tag::RESPONSE_PAYLOAD, options.output, table)
}

#[cfg(test)]
mod tests;
