//! `claviger key`: what can still open keys that were destroyed.

use super::instant;
use crate::cli::call::{Caller, remark};
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment};
use clap::{Args, Subcommand};
use kmip_protocol::KeyResidueRequest;

/// `claviger key`: what can still open keys that were destroyed.
#[derive(Args)]
pub(in crate::cli) struct KeyArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say which KEKs can still open, from backups, what destroyed objects were
    Residue {
        /// The object; all that were destroyed if absent
        object: Option<String>,
        /// Only of what was destroyed since: `2026-12-31T00:00:00Z`
        #[arg(long, value_name = "MOMENT")]
        since: Option<String>,
        /// At most so many
        #[arg(long)]
        maximum: Option<i32>,
        /// Pass over so many, those destroyed first
        #[arg(long)]
        offset: Option<i32>,
    },
}

/// `claviger key`.
pub(in crate::cli) fn run(arguments: &KeyArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::Residue {
            object,
            since,
            maximum,
            offset,
        } => {
            let request = KeyResidueRequest {
                unique_identifier: object.clone(),
                destroyed_since: since.as_deref().map(instant).transpose()?,
                maximum_items: *maximum,
                offset_items: *offset,
            };
            caller.list(request, |response| {
                if let Some(remaining) = response.remaining_count {
                    remark(&format!(
                        "{remaining} more: go on with --offset, or with --since the last of these"
                    ));
                }
                let rows = response.residues.iter().map(|residue| {
                    let keks: Vec<String> = residue.kek_generations.iter().map(i32::to_string).collect();
                    [
                        residue.unique_identifier.clone(),
                        residue
                            .destroyed
                            .map_or("-".to_owned(), |destroyed| moment(destroyed.0)),
                        if keks.is_empty() {
                            "nothing".to_owned()
                        } else {
                            keks.join(", ")
                        },
                    ]
                });
                Table::from_rows(["OBJECT", "DESTROYED", "OPENS BY KEK"], rows)
            })
        }
    }
}
