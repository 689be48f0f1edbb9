//! `claviger proposal`: see what others ask for, agree or not, off line too.

pub(super) mod ballot;
mod offline;
mod picture;
pub(super) use picture::tree;
mod review;

use super::call::Caller;
use super::failure::{Exit, Failure, Outcome};
use super::kmip::words;
use super::nouns::certificate;
use super::options::{Format, Options, Page};
use super::output::{self, Table, moment};
use super::session::{Answer, Pending, is_over, read_payload};
use super::{hex, private, say, tell};
use ballot::Voter;
use clap::{Args, Subcommand};
use kmip_protocol::{
    CancellationResult, CertificateIssueRequest, Completion, ProposalCompleteRequest, ProposalDetail,
    ProposalFollowUpRequest, ProposalGetRequest, ProposalListRequest, ProposalListResponse, ProposalNote,
    ProposalShareRequest, ProposalState, ProposalVetoRequest, ProposalVoteResponse, ProposalWithdrawVoteRequest,
    VoteDecision, tag,
};
use kmip_ttlv::{Reader, Tag, Writer};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `claviger proposal`: what others must agree to.
#[derive(Args)]
pub(super) struct ProposalArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List proposals, newest first
    List {
        /// Only those that await your vote, or your look at what was done in an emergency
        #[arg(long)]
        mine: bool,
        /// Only those in these states: open, approved, executed …
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show a proposal: what is asked for, who must agree, who has
    Show(Identified),
    /// Agree to a proposal, after showing it
    Vote(Identified),
    /// Vote against a proposal, after showing it
    Reject(Identified),
    /// Take your vote back
    Withdraw(Identified),
    /// End a proposal
    Veto(Identified),
    /// Have an approved proposal carried out
    Complete(Identified),
    /// Say what you found when you looked at how an alternative for emergencies was used (--reason)
    FollowUp(Identified),
    /// Cancel your own request
    Cancel {
        /// The correlation value that your request was answered with
        correlation: String,
    },
    /// Fetch the answer to your own request, once others have agreed; --wait waits for them
    Result {
        /// The correlation value that your request was answered with
        correlation: String,
        /// Where an issued certificate is written, with its authority's, PEM
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// Where a keystore is written that was issued; CORRELATION.p12 if absent
        #[arg(long, value_name = "FILE")]
        keystore: Option<PathBuf>,
    },
    /// Hand in your shares of a key-management credential, for a proposal that you have voted for
    Share(Identified),
    /// Go through what awaits your vote, one by one
    Review,
    /// Write a file with all that is needed to vote on another machine
    Export {
        #[command(flatten)]
        proposal: Identified,
        /// The file
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Sign a vote on an exported proposal; needs no server
    Sign {
        /// The exported proposal
        file: PathBuf,
        /// Vote against it
        #[arg(long)]
        reject: bool,
        /// Where the vote is written
        #[arg(long, value_name = "FILE")]
        vote: PathBuf,
    },
    /// Cast a vote that was signed off line
    Import {
        /// The signed vote
        vote: PathBuf,
    },
}

#[derive(Args)]
struct Identified {
    /// The proposal's identifier, 32 hexadecimal digits
    id: String,
}

impl Identified {
    fn bytes(&self) -> Outcome<Vec<u8>> {
        words::bytes(&self.id).map_err(Failure::usage)
    }
}

/// `claviger proposal`.
pub(super) fn run(arguments: &ProposalArguments) -> Outcome<()> {
    let options = &arguments.options;
    // Signing off line must not ask for a server.
    if let Verb::Sign { file, reject, vote } = &arguments.verb {
        return offline::sign(options, file, decision(*reject), vote);
    }
    let caller = &mut Caller::open(options)?;
    match &arguments.verb {
        Verb::List { mine, state, page } => {
            let states = state
                .iter()
                .map(|word| words::value(tag::PROPOSAL_STATE, word).map(ProposalState));
            let request = ProposalListRequest {
                proposal_states: states.collect::<Result<_, _>>().map_err(Failure::usage)?,
                awaiting_requester: mine.then_some(true),
                maximum_items: page.maximum,
                offset_items: page.offset,
            };
            caller.list(request, table)
        }
        Verb::Show(which) => {
            let proposal = get(caller, which.bytes()?)?;
            show(&proposal, options)
        }
        Verb::Vote(which) => vote(caller, which, VoteDecision::Approve),
        Verb::Reject(which) => vote(caller, which, VoteDecision::Reject),
        Verb::Withdraw(which) => {
            let proposal_identifier = which.bytes()?;
            caller.show(ProposalWithdrawVoteRequest { proposal_identifier })
        }
        Verb::Veto(which) => {
            let request = ProposalVetoRequest {
                proposal_identifier: which.bytes()?,
                reason: options.reason.clone(),
            };
            caller.show(request)
        }
        Verb::FollowUp(which) => {
            let request = ProposalFollowUpRequest {
                proposal_identifier: which.bytes()?,
                reason: options.reason.clone(),
            };
            caller.show(request)
        }
        Verb::Share(which) => share(caller, which.bytes()?),
        Verb::Complete(which) => complete(caller, which.bytes()?),
        Verb::Cancel { correlation } => {
            let asynchronous_correlation_value = words::bytes(correlation).map_err(Failure::usage)?;
            cancel(caller, asynchronous_correlation_value)
        }
        Verb::Result {
            correlation,
            certificate,
            keystore,
        } => result(caller, correlation, certificate.as_deref(), keystore.as_deref()),
        Verb::Review => review::review(caller),
        Verb::Export { proposal, file } => {
            let proposal = get(caller, proposal.bytes()?)?;
            show(&proposal, options)?;
            offline::export(&proposal, file)
        }
        Verb::Import { vote } => {
            let request = offline::import(vote)?;
            let id = request.proposal_identifier.clone();
            let response = caller.session.ask(request)?;
            tell_vote(&response, options, &id)
        }
        Verb::Sign { .. } => Ok(()),
    }
}

const fn decision(reject: bool) -> VoteDecision {
    if reject {
        VoteDecision::Reject
    } else {
        VoteDecision::Approve
    }
}

/// A proposal in full.
fn get(caller: &mut Caller<'_>, proposal_identifier: Vec<u8>) -> Outcome<ProposalDetail> {
    let response = caller.session.ask(ProposalGetRequest {
        proposal_identifier: proposal_identifier.clone(),
    })?;
    if response.proposal.summary.proposal_identifier != proposal_identifier {
        return Err("the server tells another proposal than was asked for".to_owned().into());
    }
    Ok(response.proposal)
}

fn show(proposal: &ProposalDetail, options: &Options) -> Outcome<()> {
    if options.output == Format::Table {
        say(picture::picture(proposal)?.trim_end());
        return Ok(());
    }
    output::print(proposal, tag::PROPOSAL, options.output, None)
}

fn vote(caller: &mut Caller<'_>, which: &Identified, decision: VoteDecision) -> Outcome<()> {
    let proposal = get(caller, which.bytes()?)?;
    ballot::check(&proposal)?;
    // Whether or not it is asked for: what is signed is shown, beside the answer.
    tell(&picture::picture(&proposal)?);
    caller.confirm(&format!("Sign your vote ({decision})?"))?;
    cast(caller, &proposal, decision)
}

/// Opens the reader's shares and hands them in.
fn share(caller: &mut Caller<'_>, proposal_identifier: Vec<u8>) -> Outcome<()> {
    let proposal = get(caller, proposal_identifier.clone())?;
    ballot::check(&proposal)?;
    let opened_shares = Voter::of(&caller.profile)?.open(&proposal)?;
    if opened_shares.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "none of your shares is awaited that your share key opens",
        ));
    }
    let response = caller.session.ask(ProposalShareRequest {
        proposal_identifier,
        opened_shares,
    })?;
    output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, None)
}

/// Signs and casts.
fn cast(caller: &mut Caller<'_>, proposal: &ProposalDetail, decision: VoteDecision) -> Outcome<()> {
    let voter = Voter::of(&caller.profile)?;
    let reason = caller.options.reason.clone();
    let request = ballot::vote(proposal, &voter, decision, reason, ballot::ONLINE)?;
    let response = caller.session.ask(request)?;
    tell_vote(&response, caller.options, &proposal.summary.proposal_identifier)
}

fn tell_vote(response: &ProposalVoteResponse, options: &Options, id: &[u8]) -> Outcome<()> {
    let mut table = Table::of(["", ""]);
    table.push(["state".to_owned(), response.state.to_string()]);
    for requirement in response.requirements.iter().filter(|r| !r.satisfied) {
        table.push(["missing".to_owned(), output::missing(requirement)]);
    }
    if response.state == ProposalState::Approved && response.completion == Completion::Manual {
        table.push([
            "missing".to_owned(),
            format!("completion: claviger proposal complete {}", hex(id)),
        ]);
    }
    output::print(response, tag::RESPONSE_PAYLOAD, options.output, Some(table))
}

/// Presses the button, and tells what came of it: a proposal that failed is a failure of the command.
fn complete(caller: &mut Caller<'_>, proposal_identifier: Vec<u8>) -> Outcome<()> {
    let request = ProposalCompleteRequest {
        proposal_identifier: proposal_identifier.clone(),
    };
    let mut response = match caller.session.ask(request) {
        Ok(response) => response,
        Err(failure) => {
            // Refused because it has ended: that is told, and not as a denial.
            let state = get(caller, proposal_identifier).map(|proposal| proposal.summary.state);
            return Err(match state {
                Ok(state) if is_over(state) => Failure::ended(state, None),
                Ok(ProposalState::Executed) => Failure {
                    text: "it was carried out already".to_owned(),
                    ..failure
                },
                _ => failure,
            });
        }
    };
    let begun = std::time::Instant::now();
    while matches!(response.state, ProposalState::Approved | ProposalState::Executing)
        && begun.elapsed() < Duration::from_secs(caller.options.timeout)
    {
        std::thread::sleep(Duration::from_millis(100));
        response.state = get(caller, proposal_identifier.clone())?.summary.state;
    }
    output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, None)?;
    match response.state {
        ProposalState::Executed => Ok(()),
        ProposalState::Open | ProposalState::Approved | ProposalState::Executing => {
            Err(Failure::new(Exit::Pending, "it is not carried out yet"))
        }
        state => {
            let reason = get(caller, proposal_identifier)?.result_reason;
            Err(Failure::ended(state, reason))
        }
    }
}

/// Takes a request back; that it can be taken back no more is a failure of the command.
fn cancel(caller: &mut Caller<'_>, asynchronous_correlation_value: Vec<u8>) -> Outcome<()> {
    let response = caller.session.ask(kmip_protocol::CancelRequest {
        asynchronous_correlation_value,
    })?;
    output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, None)?;
    let (exit, why) = match response.cancellation_result {
        CancellationResult::Canceled => return Ok(()),
        CancellationResult::Unavailable => (Exit::NotFound, "no request of yours has this correlation value"),
        CancellationResult::Completed => (Exit::Conflict, "the request was carried out already"),
        CancellationResult::Failed => (Exit::Ended, "the request had ended before"),
        _ => (Exit::Conflict, "the request is being carried out"),
    };
    Err(Failure::new(exit, why))
}

/// The answer to a request that had to wait, whatever it was: what the polled operation answers. It is told once, so that a keystore in
/// it goes to a file whether or not one was named.
fn result(
    caller: &mut Caller<'_>,
    correlation: &str,
    certificate: Option<&Path>,
    keystore: Option<&Path>,
) -> Outcome<()> {
    let pending = Pending {
        correlation: words::bytes(correlation).map_err(Failure::usage)?,
        note: ProposalNote::default(),
    };
    let mut otherwise = PathBuf::from(format!("{}.p12", hex(&pending.correlation)));
    match keystore {
        Some(path) => private::check_place(path)?,
        None if private::check_place(&otherwise).is_err() => {
            otherwise = super::context::place()?.with_file_name(otherwise);
        }
        None => {}
    }
    let patience = caller.options.patience()?.unwrap_or_default();
    let payload = match caller.session.wait_bytes(pending, patience)? {
        Answer::Done(payload) => payload,
        Answer::Pending(pending) => return Err(pending.failure()),
    };
    let has_keystore = has(payload.as_bytes(), tag::KEYSTORE)?;
    if has_keystore || certificate.is_some() {
        let issued = read_payload::<CertificateIssueRequest>(payload.as_bytes())?;
        let keystore = has_keystore.then_some(keystore.unwrap_or(&otherwise));
        return certificate::write(&issued, certificate, keystore);
    }
    let mut writer = Writer::new();
    writer.structure(tag::RESPONSE_PAYLOAD, |inner| inner.raw(payload.as_bytes()));
    output::print_bytes(writer.as_bytes(), caller.options.output, None)
}

/// Whether there is an item of this tag among these.
fn has(items: &[u8], wanted: Tag) -> kmip_ttlv::Result<bool> {
    let mut reader = Reader::new(items);
    while !reader.is_empty() {
        if reader.item()?.0 == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn table(response: &ProposalListResponse) -> Table {
    let rows = response.proposals.iter().map(|proposal| {
        [
            hex(&proposal.proposal_identifier),
            picture::state(proposal),
            picture::operation_name(proposal.operation),
            picture::plain(&proposal.requester_name),
            moment(proposal.submitted.0),
            if proposal.awaiting_requester { "yes" } else { "" }.to_owned(),
            picture::plain(proposal.reason.as_deref().unwrap_or_default()),
        ]
    });
    Table::from_rows(
        [
            "PROPOSAL",
            "STATE",
            "OPERATION",
            "REQUESTER",
            "SUBMITTED",
            "AWAITS YOU",
            "REASON",
        ],
        rows,
    )
}
