//! `claviger quarantine`: records that are not as the change trail has them.

use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::kmip::words;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment, or_dash};
use clap::{Args, Subcommand};
use kmip_protocol::{QuarantineListRequest, QuarantineReleaseRequest, RecordFault};

/// `claviger quarantine`: records that somebody put back, removed or altered in the database.
#[derive(Args)]
pub(in crate::cli) struct QuarantineArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List what was found, the newest first
    List,
    /// Take a record as it is now for what it should be; others must agree
    Release {
        /// The finding, as the list names it
        finding: String,
    },
}

/// `claviger quarantine`.
pub(in crate::cli) fn run(arguments: &QuarantineArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(QuarantineListRequest::default(), |response| {
            let rows = response.findings.iter().map(|finding| {
                [
                    crate::cli::hex(&finding.finding_identifier),
                    moment(finding.found.0),
                    RecordFault::name(finding.record_fault).unwrap_or("-").to_owned(),
                    or_dash(finding.tenant_name.as_ref()),
                    finding.record_name.escape_debug().to_string(),
                    if finding.held { "yes" } else { "no" }.to_owned(),
                ]
            });
            Table::from_rows(["FINDING", "FOUND", "FAULT", "TENANT", "RECORD", "HELD"], rows)
        }),
        Verb::Release { finding } => {
            let finding_identifier = words::bytes(finding).map_err(Failure::usage)?;
            let request = QuarantineReleaseRequest { finding_identifier };
            caller.change(request, "the record counts as it is now")
        }
    }
}
