//! `claviger object`: what remains of a tenant's objects.

use super::instant;
use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{self, Table, moment};
use clap::{Args, Subcommand};
use kmip_protocol::{ObjectPurgeRequest, tag};

/// `claviger object`: what remains of a tenant's objects.
#[derive(Args)]
pub(in crate::cli) struct ObjectArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Remove the records of destroyed objects whose retention is over; a further order takes the place of one that is not done
    Purge {
        /// Only of what was destroyed until then: `2026-12-31T00:00:00Z`
        #[arg(long, value_name = "MOMENT")]
        until: Option<String>,
        /// At most so many
        #[arg(long)]
        maximum: Option<i32>,
    },
}

/// `claviger object`.
pub(in crate::cli) fn run(arguments: &ObjectArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::Purge { until, maximum } => {
            caller.confirm("Purge the records of destroyed objects? Nobody brings them back")?;
            let request = ObjectPurgeRequest {
                destroyed_until: until.as_deref().map(instant).transpose()?,
                maximum_items: *maximum,
            };
            let Some(response) = caller.carry(request)? else {
                return Ok(());
            };
            let row = |name: &str, value: String| [name.to_owned(), value];
            // The server goes on by itself, unless it was told how many.
            let goes_on = maximum.is_none_or(|most| most > response.purged_count);
            let rest = if goes_on { "being purged" } else { "still due" };
            let rows = [
                row("purged", response.purged_count.to_string()),
                row(rest, response.remaining_count.to_string()),
                row("destroyed until", moment(response.destroyed_until.0)),
            ];
            let table = Table::from_rows(["", ""], rows.into_iter());
            output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, Some(table))
        }
    }
}
