//! `claviger doctor`: what somebody should look at.

use crate::cli::call::Caller;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::options::{Format, Options};
use crate::cli::output::{self, Table};
use crate::cli::proposal::ballot;
use crate::clock::{Clock as _, SystemClock};
use certs::CertificateFacts;
use clap::Args;
use kmip_protocol::{ServerStatusRequest, ServerStatusResponse, Severity, StatusItem, tag};

/// Days before its end from which a certificate is a finding.
const CERTIFICATE_DAYS: i64 = 30;
/// Seconds that two clocks may differ: one-time codes are good for thirty.
const CLOCKS_DIFFER: u64 = 30;
const DAY: i64 = 24 * 60 * 60;

/// `claviger doctor`: what somebody should look at, as monitoring wants it.
#[derive(Args)]
pub(in crate::cli) struct DoctorArguments {
    #[command(flatten)]
    options: Options,
}

/// `claviger doctor`. Warnings end it as degraded, worse as critical.
pub(in crate::cli) fn run(arguments: &DoctorArguments) -> Outcome<()> {
    let mut found = match examine(&arguments.options) {
        // Nobody can say how a server is that does not answer; but that is the finding.
        Err(Failure {
            exit: Exit::Error,
            text,
            refused: false,
        }) => vec![finding(Severity::Critical, "server", text)],
        examined => examined?,
    };
    found.sort_by_key(|item| core::cmp::Reverse(item.severity.map(|severity| severity.0)));
    let worst = found.first().and_then(|item| item.severity);
    if found.is_empty() && arguments.options.output == Format::Table {
        crate::cli::say("nothing was found");
    } else {
        print(found, arguments.options.output)?;
    }
    match worst {
        Some(Severity::Critical) => Err(Failure::new(Exit::Critical, "")),
        Some(Severity::Warning) => Err(Failure::new(Exit::Degraded, "")),
        _ => Ok(()),
    }
}

fn print(found: Vec<StatusItem>, format: Format) -> Outcome<()> {
    let rows = found.iter().map(|item| {
        let severity = item.severity.and_then(Severity::name).unwrap_or_default();
        [severity.to_owned(), item.status_name.clone(), item.status_value.clone()]
    });
    let table = Table::from_rows(["severity", "what", "finding"], rows);
    let answer = ServerStatusResponse { items: found };
    output::print(&answer, tag::RESPONSE_PAYLOAD, format, Some(table))
}

fn examine(options: &Options) -> Outcome<Vec<StatusItem>> {
    let mut caller = Caller::open(options)?;
    let status = caller.session.ask(ServerStatusRequest::default())?;
    let now = SystemClock::start().now().0;
    let mut found = clocks(&status, now);
    let servers = caller.session.server_certificate().map(<[u8]>::to_vec);
    let own = ballot::certificate(&caller.profile.cert)?;
    let shown = servers.map(|der| ("the server's certificate", der));
    for (whose, der) in shown.into_iter().chain([("your certificate", own)]) {
        let facts = CertificateFacts::read(&der).map_err(|why| Failure::new(Exit::Error, why.to_string()))?;
        found.extend(expiry(whose, facts.not_after, now.div_euclid(1000)));
    }
    found.extend(status.items.into_iter().filter(|item| item.severity.is_some()));
    Ok(found)
}

/// A clock that differs: who is right does not matter, one of both is wrong.
fn clocks(status: &ServerStatusResponse, now_ms: i64) -> Vec<StatusItem> {
    let clock = status.items.iter().find(|item| item.status_name == "clock");
    let told = clock.and_then(|item| item.status_value.split(' ').next()?.parse::<i64>().ok());
    let apart = told.map_or(0, |told| told.abs_diff(now_ms) / 1000);
    let text = format!("the server's and yours are {apart} s apart");
    let differ = apart > CLOCKS_DIFFER;
    differ
        .then(|| finding(Severity::Warning, "clock", text))
        .into_iter()
        .collect()
}

fn expiry(whose: &str, not_after: i64, now: i64) -> Option<StatusItem> {
    let days = not_after.saturating_sub(now).div_euclid(DAY);
    match days {
        ..0 => Some(finding(
            Severity::Critical,
            "certificate",
            format!("{whose} has expired"),
        )),
        0..CERTIFICATE_DAYS => {
            let text = format!("{whose} ends in {days} days");
            Some(finding(Severity::Warning, "certificate", text))
        }
        _ => None,
    }
}

fn finding(severity: Severity, name: &str, text: String) -> StatusItem {
    StatusItem {
        status_name: name.to_owned(),
        status_value: text,
        severity: Some(severity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_before_they_end() {
        let severity = |days: i64, seconds: i64| expiry("it", days * DAY + seconds, 0).and_then(|item| item.severity);
        assert_eq!(severity(0, -1), Some(Severity::Critical));
        assert_eq!(severity(0, 0), Some(Severity::Warning));
        assert_eq!(severity(CERTIFICATE_DAYS, -1), Some(Severity::Warning));
        assert_eq!(severity(CERTIFICATE_DAYS, 0), None);
    }

    #[test]
    fn clocks_differ_in_either_direction() {
        let status = |clock: &str| ServerStatusResponse {
            items: vec![StatusItem {
                status_name: "clock".to_owned(),
                status_value: clock.to_owned(),
                severity: None,
            }],
        };
        for (clock, found) in [
            ("100000 ms since 1970", 0),
            ("131000 ms since 1970", 1),
            ("69000 ms since 1970", 1),
            ("130000 ms since 1970", 0),
            ("no number", 0),
        ] {
            assert_eq!(clocks(&status(clock), 100_000).len(), found, "{clock}");
        }
    }
}
