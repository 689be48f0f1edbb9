//! `claviger status`: how the server is.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::Table;
use clap::Args;
use kmip_protocol::ServerStatusRequest;

/// `claviger status`: how the server is.
#[derive(Args)]
pub(in crate::cli) struct StatusArguments {
    #[command(flatten)]
    options: Options,
}

/// `claviger status`.
pub(in crate::cli) fn run(arguments: &StatusArguments) -> Outcome<()> {
    Caller::open(&arguments.options)?.list(ServerStatusRequest::default(), |response| {
        let rows = response
            .items
            .iter()
            .map(|item| [item.status_name.clone(), item.status_value.clone()]);
        Table::from_rows(["", ""], rows)
    })
}
