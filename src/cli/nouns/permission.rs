//! `claviger permission`: who may ask for what.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::Table;
use clap::{Args, Subcommand};
use kmip_protocol::PermissionListRequest;

/// `claviger permission`: who may ask for what.
#[derive(Args)]
pub(in crate::cli) struct PermissionArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List operations, with the roles that may ask for them
    List,
}

/// `claviger permission`.
pub(in crate::cli) fn run(arguments: &PermissionArguments) -> Outcome<()> {
    let Verb::List = arguments.verb;
    Caller::open(&arguments.options)?.list(PermissionListRequest::default(), |response| {
        let rows = response.permissions.iter().map(|permission| {
            let roles = permission.person_roles.iter().map(ToString::to_string);
            [permission.operation_name.clone(), roles.collect::<Vec<_>>().join(", ")]
        });
        Table::from_rows(["OPERATION", "ROLES"], rows)
    })
}
