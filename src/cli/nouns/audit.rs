//! `claviger audit`: the change trail of one's own domain.

use crate::audit::Entry;
use crate::cli::call::Caller;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::options::{Format, Options};
use crate::cli::output::{self, Table};
use clap::{Args, Subcommand};
use kmip_protocol::{
    AuditQueryRequest, AuditQueryResponse, DateTime, Operation, ResultReason, ResultStatus, StateVerifyRequest, tag,
};
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
    /// Verify the trail, and have what lies in the store compared with it
    Verify {
        /// Compare the records, too: at present the trail is verified by nothing else
        #[arg(long, required = true)]
        state: bool,
        /// Do not begin: tell of the last time
        #[arg(long)]
        last: bool,
    },
}

/// `claviger audit`.
pub(in crate::cli) fn run(arguments: &AuditArguments) -> Outcome<()> {
    let mut caller = Caller::open(&arguments.options)?;
    let (after, maximum, follow) = match &arguments.verb {
        Verb::Tail { after, maximum, follow } => (after, maximum, follow),
        Verb::Verify { last, .. } => return verify(&mut caller, !last),
    };
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

/// Has it done, waits for the end, and says what came of it. What is not as it should be is a failure of the command.
fn verify(caller: &mut Caller<'_>, begin: bool) -> Outcome<()> {
    let mut response = caller.session.ask(StateVerifyRequest {
        verify_now: begin.then_some(true),
    })?;
    while begin && response.verifying {
        std::thread::sleep(PAUSE);
        response = caller.session.ask(StateVerifyRequest::default())?;
    }
    let when = |moment: Option<DateTime>| output::or_dash(moment.map(|moment| output::moment(moment.0)));
    let count = |count: Option<i64>| output::or_dash(count.map(|count| count.to_string()));
    let mut rows = vec![
        ["begun".to_owned(), when(response.begun)],
        ["ended".to_owned(), when(response.ended)],
        ["records of the trail".to_owned(), count(response.trail_records)],
        ["records compared".to_owned(), count(response.records_compared)],
        ["not as the trail has them".to_owned(), response.findings.to_string()],
    ];
    let faults = response.trail_faults.iter();
    rows.extend(faults.map(|fault| ["trail".to_owned(), fault.escape_debug().to_string()]));
    let table = Table::from_rows(["WHAT", "VALUE"], rows.into_iter());
    output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, Some(table))?;
    if response.findings > 0 || !response.trail_faults.is_empty() {
        return Err(Failure::new(
            Exit::Error,
            "claviger quarantine list names what is not as the trail has it",
        ));
    }
    Ok(())
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
