//! A proposal as its approver sees it: the frozen request in words, from the very bytes that are signed.

use super::ballot;
use crate::cli::kmip::output::{moment, show};
use crate::cli::output::missing;
use kmip_protocol::{KmipVocabulary, Operation, ProposalDetail, ProposalSummary, tag};
use kmip_ttlv::{Reader, Result, Scope, Tag, Value, Vocabulary as _};
use std::fmt::Write as _;

/// Bytes of a value that are shown; longer ones are shown by their digest.
const SHOWN: usize = 64;

/// The whole proposal in words.
pub(super) fn picture(proposal: &ProposalDetail) -> Result<String> {
    let summary = &proposal.summary;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12} {value}");
    };
    line("proposal", &crate::cli::hex(&summary.proposal_identifier));
    line("state", &state(summary));
    line(
        "domain",
        summary.tenant_name.as_deref().map_or("the system", |name| name),
    );
    line("requester", &plain(&summary.requester_name));
    if let Some(reason) = &summary.reason {
        line("reason", &plain(reason));
    }
    line("submitted", &moment(summary.submitted.0));
    line("expires", &moment(summary.expires.0));
    if let Some(target) = &proposal.target {
        line("acts upon", &plain(target));
    }
    line("completion", &proposal.completion.to_string());
    let checked = if ballot::check(proposal).is_ok() {
        "computed again from the request below: the same"
    } else {
        "NOT that of the request below"
    };
    line(
        "digest",
        &format!("{} ({checked})", crate::cli::hex(&proposal.request_digest)),
    );
    let _ = writeln!(text, "\n{}", operation_name(summary.operation));
    let mut reader = Reader::new(&proposal.frozen_request);
    reader.structure(tag::REQUEST_PAYLOAD, |inner| tree(inner, &mut text, 1))?;
    reader.finish()?;
    text.push('\n');
    for requirement in &proposal.requirements {
        let _ = writeln!(
            text,
            "rule         {}: {}",
            plain(&requirement.rule_name),
            missing(requirement)
        );
    }
    for vote in &proposal.votes {
        let state = match (vote.withdrawn, vote.counts) {
            (Some(_), _) => "withdrawn",
            (None, true) => "counts",
            (None, false) => "does not count",
        };
        let signed = if vote.signature.is_some() { ", signed" } else { "" };
        let _ = writeln!(
            text,
            "vote         {} {} at {} ({state}{signed})",
            plain(&vote.person_name),
            vote.decision,
            moment(vote.time_stamp.0)
        );
    }
    for name in &proposal.share_givers {
        let _ = writeln!(text, "share        handed in by {}", plain(name));
    }
    for held in &proposal.held_shares {
        let profile = held.hsm_profile_name.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "share        yours of the credential of {}, not handed in",
            plain(profile)
        );
    }
    for event in &proposal.events {
        let by = event.person_name.as_deref().map_or("the server", |name| name);
        let reason = event.reason.as_deref().map(|why| format!(": {}", plain(why)));
        let _ = writeln!(
            text,
            "event        {} by {} at {}{}",
            event.state,
            plain(by),
            moment(event.time_stamp.0),
            reason.unwrap_or_default()
        );
    }
    if let Some(reason) = proposal.result_reason {
        let _ = writeln!(text, "failed       {reason}");
    }
    Ok(text)
}

/// How far a proposal is, and whether it waits for what votes are to open.
pub(super) fn state(proposal: &ProposalSummary) -> String {
    match proposal.awaiting_shares {
        Some(true) => format!("{}, awaiting shares", proposal.state),
        _ => proposal.state.to_string(),
    }
}

/// An operation as a heading.
pub(super) fn operation_name(operation: Operation) -> String {
    operation.to_string()
}

/// Text of others, without anything that a terminal would act upon.
pub(super) fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}

/// Items in words, a line for each value; certificates by what they say.
pub(in crate::cli) fn tree(reader: &mut Reader<'_>, text: &mut String, depth: usize) -> Result<()> {
    while !reader.is_empty() {
        let (tag, value) = reader.item()?;
        let name = KmipVocabulary
            .tag_name(tag)
            .map_or_else(|| tag.to_string(), str::to_owned);
        let indent = 2 * depth;
        match value {
            Value::Structure(mut inner) if tag == tag::COMMITMENT => {
                let _ = writeln!(text, "{:indent$}{}", "", committed(&mut inner)?);
            }
            Value::Structure(mut inner) => {
                let _ = writeln!(text, "{:indent$}{name}", "");
                tree(&mut inner, text, depth + 1)?;
            }
            Value::ByteString(bytes) => {
                let _ = writeln!(text, "{:indent$}{name:<26} {}", "", shown_bytes(tag, bytes));
            }
            other => {
                let scope = Scope { tag, attribute: None };
                let _ = writeln!(text, "{:indent$}{name:<26} {}", "", show(&other, scope));
            }
        }
    }
    Ok(())
}

/// A secret, which nobody but its sender sees.
fn committed(inner: &mut Reader<'_>) -> Result<String> {
    let of = Tag(inner.integer(tag::COMMITTED_TAG)?.cast_unsigned());
    let value = inner.bytes(tag::COMMITTED_VALUE)?;
    let name = KmipVocabulary
        .tag_name(of)
        .map_or_else(|| of.to_string(), str::to_owned);
    let short = value.get(..8).map(crate::cli::hex).unwrap_or_default();
    Ok(format!("{name:<26} (secret; commitment {short}…)"))
}

fn shown_bytes(tag: Tag, bytes: &[u8]) -> String {
    let certificate = matches!(tag, tag::CERTIFICATE_VALUE | tag::CERTIFICATE_CHAIN);
    if certificate && let Ok(facts) = certs::CertificateFacts::read(bytes) {
        return format!(
            "certificate of {}, issued by {}, until {}, key {}",
            plain(&facts.subject),
            plain(&facts.issuer),
            moment(facts.not_after),
            crate::cli::hex(&facts.key_fingerprint)
        );
    }
    if bytes.len() <= SHOWN {
        return crate::cli::hex(bytes);
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    format!("{} bytes, SHA-256 {}", bytes.len(), crate::cli::hex(digest.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::proposal::ballot::tests::proposal;

    #[test]
    fn the_picture_comes_from_the_bytes_that_are_signed() {
        let text = picture(&proposal()).unwrap();
        assert!(
            text.contains("PersonDelete") && text.contains("bob") && text.contains("the same"),
            "{text}"
        );
        let mut changed = proposal();
        changed.request_digest[0] ^= 1;
        assert!(picture(&changed).unwrap().contains("NOT that of the request"));
    }

    #[test]
    fn what_others_wrote_does_not_move_the_cursor() {
        let mut loud = proposal();
        loud.summary.reason = Some("fine\u{1b}[2J\nstate        Executed".to_owned());
        let text = picture(&loud).unwrap();
        assert!(
            !text.contains('\u{1b}') && !text.contains("\nstate        Executed"),
            "{text}"
        );
    }
}
