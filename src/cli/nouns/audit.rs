//! `claviger audit`: the change trail of one's own domain.

use crate::audit::Entry;
use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::{Format, Options};
use crate::cli::output::{self, Table};
use clap::{Args, Subcommand};
use kmip_protocol::{AuditQueryRequest, AuditQueryResponse, Operation, ResultReason, ResultStatus, tag};
use std::time::Duration;

/// How often a tail looks for more.
const PAUSE: Duration = Duration::from_secs(1);

/// `claviger audit`: the change trail.
#[derive(Args)]
pub(in crate::cli) struct AuditArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the newest stream of the change trail
    Tail {
        /// Only records after this one
        #[arg(long)]
        after: Option<i64>,
        /// At most so many at once
        #[arg(long)]
        maximum: Option<i32>,
        /// Go on as records come
        #[arg(short, long)]
        follow: bool,
    },
}

/// `claviger audit`.
pub(in crate::cli) fn run(arguments: &AuditArguments) -> Outcome<()> {
    let Verb::Tail { after, maximum, follow } = &arguments.verb;
    let mut caller = Caller::open(&arguments.options)?;
    let mut request = AuditQueryRequest {
        audit_stream: None,
        audit_sequence: *after,
        maximum_items: *maximum,
    };
    loop {
        let response = caller.session.ask(request.clone())?;
        let more = !response.audit_records.is_empty();
        if more || !follow {
            print(&response, arguments.options.output)?;
        }
        if !follow {
            return Ok(());
        }
        request.audit_stream = response.audit_stream.or(request.audit_stream);
        request.audit_sequence = response.audit_sequence.or(request.audit_sequence);
        if !more {
            std::thread::sleep(PAUSE);
        }
    }
}

fn print(response: &AuditQueryResponse, format: Format) -> Outcome<()> {
    let rows = response.audit_records.iter().map(|record| line(record.as_slice()));
    let headings = [
        "RECORD",
        "TIME",
        "ACTOR",
        "OPERATION",
        "RESULT",
        "PROPOSAL",
        "ACTED UPON",
        "NOTE",
    ];
    let table = Table::from_rows(headings, rows);
    output::print(response, tag::RESPONSE_PAYLOAD, format, Some(table))
}

/// A record as a row; one that cannot be read is shown as it came.
fn line(record: &[u8]) -> [String; 8] {
    let Ok(entry) = Entry::read(record) else {
        let mut row: [String; 8] = Default::default();
        if let Some(first) = row.first_mut() {
            *first = crate::cli::hex(record);
        }
        return row;
    };
    let draft = &entry.draft;
    let actor = if draft.actor.id == [0; 16] {
        format!("{:?}", draft.actor.kind)
    } else {
        format!("{:?} {}", draft.actor.kind, crate::cli::hex(&draft.actor.id))
    };
    let reason = draft.result_reason.map(|reason| format!(" {}", ResultReason(reason)));
    let proposal = draft.proposal.map(|id| crate::cli::hex(&id));
    let objects: Vec<String> = draft
        .objects
        .iter()
        .map(|object| object.unique_identifier.escape_debug().to_string())
        .collect();
    [
        entry.place.position.sequence.to_string(),
        output::moment(draft.at_ms.div_euclid(1_000)),
        actor,
        Operation(draft.operation).to_string(),
        format!("{}{}", ResultStatus(draft.result_status), reason.unwrap_or_default()),
        output::or_dash(proposal),
        if objects.is_empty() {
            "-".to_owned()
        } else {
            objects.join(", ")
        },
        draft.note.as_deref().unwrap_or_default().escape_debug().to_string(),
    ]
}
