//! `claviger restore`: a database that was put back.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use clap::{Args, Subcommand};
use kmip_protocol::RestoreAcceptRequest;

/// `claviger restore`: a database that is older than its anchor serves nobody before people have agreed to it.
#[derive(Args)]
pub(in crate::cli) struct RestoreArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Go on with the database as it is now; others must agree. What was changed after it was saved is lost: destroyed keys, suspended
    /// people and revoked certificates are there again, and have to be looked after
    Accept,
}

/// `claviger restore`.
pub(in crate::cli) fn run(arguments: &RestoreArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match arguments.verb {
        Verb::Accept => caller.change(RestoreAcceptRequest {}, "the server serves its clients again"),
    }
}
