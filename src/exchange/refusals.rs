//! Refused strangers, counted: one record for each source and ten seconds, so that nobody fills the trail from outside.

use super::ConnectionFacts;
use crate::audit::{Actor, ActorKind, AuditDraft};
use crate::clock::Moment;
use kmip_protocol::{ResultReason, ResultStatus};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How long refusals of one source are counted together, in milliseconds.
const WINDOW_MS: i64 = 10_000;

/// Sources remembered at a time; beyond, the oldest windows are forgotten.
const MOST_SOURCES: usize = 10_000;

#[derive(Default)]
pub(super) struct Refusals {
    sources: Mutex<HashMap<IpAddr, Window>>,
}

struct Window {
    since: Moment,
    unrecorded: u64,
}

impl Refusals {
    /// Counts a refusal. The record to write, if one is due: the first of a window, with the number of those before it that had
    /// none.
    pub(super) fn note(&self, facts: &ConnectionFacts, now: Moment, monotonic_ms: u64) -> Option<AuditDraft> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= MOST_SOURCES {
            sources.retain(|_, w| now.0.saturating_sub(w.since.0) < WINDOW_MS);
            if sources.len() >= MOST_SOURCES {
                sources.clear();
            }
        }
        let window = sources.entry(facts.peer.ip()).or_insert(Window {
            since: Moment(i64::MIN),
            unrecorded: 0,
        });
        if now.0.saturating_sub(window.since.0) < WINDOW_MS {
            window.unrecorded = window.unrecorded.saturating_add(1);
            return None;
        }
        let missed = core::mem::take(&mut window.unrecorded);
        window.since = now;
        Some(AuditDraft {
            at_ms: now.0,
            monotonic_ms,
            actor: Actor {
                kind: ActorKind::Unknown,
                id: [0; 16],
                fingerprint: Some(*facts.certificate.key_fingerprint()),
            },
            source: facts.peer.to_string(),
            result_status: ResultStatus::OperationFailed.0,
            result_reason: Some(ResultReason::AuthenticationNotSuccessful.0),
            note: (missed > 0).then(|| format!("{missed} refusals of this source before this one have no record")),
            ..AuditDraft::default()
        })
    }
}
