//! `claviger login` and `claviger logout`: sessions of people.

use crate::cli::call::{Caller, remark};
use crate::cli::failure::{Exit, Outcome};
use crate::cli::options::Options;
use crate::cli::{private, say, tickets};
use clap::Args;
use kmip_protocol::{CeremonyStatusRequest, ProposalListRequest, ProposalState};
use std::path::PathBuf;

/// `claviger login`: begin a session, with certificate and password.
#[derive(Args)]
pub(in crate::cli) struct LoginArguments {
    #[command(flatten)]
    options: Options,
    /// Your name at the server, if it is not the Common Name of your certificate
    #[arg(long)]
    person: Option<String>,
    /// The file with the password; - is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Ask for a one-time password too
    #[arg(long)]
    one_time: bool,
    /// The file with the one-time password; - is standard input
    #[arg(long, value_name = "FILE")]
    one_time_file: Option<PathBuf>,
}

/// `claviger logout`: end the session.
#[derive(Args)]
pub(in crate::cli) struct LogoutArguments {
    #[command(flatten)]
    options: Options,
}

/// `claviger login`.
pub(in crate::cli) fn login(arguments: &LoginArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    let person = match &arguments.person {
        Some(person) => person.clone(),
        None => caller.person()?,
    };
    let password = private::secret(arguments.password_file.as_deref(), &format!("Password of {person}"))?;
    let one_time = if arguments.one_time || arguments.one_time_file.is_some() {
        Some(private::secret(
            arguments.one_time_file.as_deref(),
            "One-time password",
        )?)
    } else {
        None
    };
    let with_code = one_time.is_some();
    let ticket = caller
        .session
        .login(&person, password, one_time)
        .map_err(|mut failure| {
            if failure.exit == Exit::Authentication && !with_code {
                failure.text.push_str("; who has one-time passwords gives --one-time");
            }
            failure
        })?;
    tickets::keep(&caller.profile, Some(&ticket))?;
    let waiting = ProposalListRequest {
        proposal_states: vec![ProposalState::Open, ProposalState::Approved],
        awaiting_requester: Some(true),
        ..ProposalListRequest::default()
    };
    match caller.session.ask(waiting) {
        Ok(response) => say(&format!("{} proposals await your vote", response.proposals.len())),
        // The first session is good for one thing only, and so is one of a tenant that has legacy tokens.
        Err(failure) if matches!(failure.exit, Exit::Denied | Exit::Authentication) => {
            match caller.session.ask(CeremonyStatusRequest::default()) {
                Ok(status) if status.migration_required => {
                    remark("legacy tokens are to be migrated before anything else: claviger ceremony status");
                }
                _ => remark("change your initial password: claviger person password"),
            }
        }
        Err(failure) => remark(&failure.text),
    }
    Ok(())
}

/// `claviger logout`.
pub(in crate::cli) fn logout(arguments: &LogoutArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    // Whatever the server says: the ticket is forgotten here.
    let ended = caller.session.logout();
    tickets::keep(&caller.profile, None)?;
    ended
}
