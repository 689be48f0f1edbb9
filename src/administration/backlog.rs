//! What waits for endpoints: how much, since when, and what is wrong. A tenant's people see each endpoint of theirs, administrators how it
//! stands with each tenant.

use crate::failure::Failure;
use crate::operations::Context;
use crate::outbox::{self, EndpointId, MessageRecord, counter};
use crate::records;
use crate::store::Domain;
use kmip_protocol::Severity;

/// How long a message waits until somebody should look at that, in milliseconds: an endpoint that is away for less comes back by itself.
const LONG_MS: i64 = 60 * 60 * 1000;

/// How it stands with an endpoint.
#[derive(Default)]
pub(super) struct Backlog {
    /// Messages that wait.
    pub waiting: i64,
    /// Messages for which there was no room.
    pub lost: i64,
    /// When the oldest of those that wait was written, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// Endpoints with which something is wrong.
    troubled: usize,
}

impl Backlog {
    fn add(&mut self, other: &Self) {
        self.waiting = self.waiting.saturating_add(other.waiting);
        self.lost = self.lost.saturating_add(other.lost);
        self.oldest_ms = [self.oldest_ms, other.oldest_ms].into_iter().flatten().min();
        self.troubled = self.troubled.saturating_add(other.troubled);
    }

    /// How grave it is, and in words.
    fn told(&self, now_ms: i64) -> (Option<Severity>, String) {
        let age_ms = self.oldest_ms.map(|since| now_ms.saturating_sub(since));
        let mut words = format!("{} messages wait", self.waiting);
        if let Some(age_ms) = age_ms {
            words.push_str(&format!(", the oldest for {} s", age_ms / 1000));
        }
        if self.lost > 0 {
            words.push_str(&format!("; {} were lost", self.lost));
        }
        let is_late = age_ms.is_some_and(|age_ms| age_ms >= LONG_MS);
        let severity = match (self.waiting > 0 && self.troubled > 0, is_late, self.lost > 0) {
            (true, ..) | (_, true, _) => Some(Severity::Warning),
            (.., true) => Some(Severity::Notice),
            _ => None,
        };
        (severity, words)
    }
}

/// How it stands with an endpoint.
pub(super) async fn of(context: &mut Context<'_>, id: EndpointId) -> Result<Backlog, Failure> {
    let waiting = context.work.counter(id.key(), counter::WAITING).await?;
    let lost = context.work.counter(id.key(), counter::LOST).await?;
    let report = context.services.outbox.reports.of(id);
    let mut backlog = Backlog {
        waiting: waiting.unwrap_or(0),
        lost: lost.unwrap_or(0),
        oldest_ms: None,
        troubled: usize::from(report.trouble.is_some()),
    };
    if backlog.waiting > 0 {
        let waiting = outbox::waiting(context.work, id).await?;
        if let Some(oldest) = waiting.first() {
            // One that is damaged or held tells nothing.
            let record = context.work.peek(*oldest).await.ok().flatten();
            let bytes = record
                .as_ref()
                .and_then(|record| records::open(&context.services.custody, record).ok());
            let message = bytes.and_then(|bytes| MessageRecord::decode(bytes).ok());
            backlog.oldest_ms = message.map(|message| message.enqueued_ms);
        }
    }
    Ok(backlog)
}

/// A line for each endpoint of a tenant.
pub(super) async fn of_tenant(
    context: &mut Context<'_>,
    tenant: Domain,
) -> Result<Vec<(Option<Severity>, String, String)>, Failure> {
    let services = context.services;
    let endpoints = &services.outbox.known;
    let endpoints = endpoints.of(tenant, &services.store, &services.custody).await?;
    let mut lines = Vec::new();
    for (id, endpoint) in endpoints.iter() {
        let (severity, mut words) = of(context, *id).await?.told(context.now.0);
        if let Some(trouble) = context.services.outbox.reports.of(*id).trouble {
            words.push_str(&format!("; {trouble}"));
        }
        lines.push((severity, format!("endpoint.{}", endpoint.name), words));
    }
    Ok(lines)
}

/// How it stands with all endpoints of a tenant together; nothing, where there are none.
pub(super) async fn sum(
    context: &mut Context<'_>,
    tenant: Domain,
) -> Result<Option<(Option<Severity>, String)>, Failure> {
    let services = context.services;
    let endpoints = &services.outbox.known;
    // Where the keys are away nothing can be said; that they are is told.
    let Ok(endpoints) = endpoints.of(tenant, &services.store, &services.custody).await else {
        return Ok(None);
    };
    let mut sum = Backlog::default();
    for (id, _) in endpoints.iter() {
        sum.add(&of(context, *id).await?);
    }
    let (severity, mut words) = sum.told(context.now.0);
    if sum.troubled > 0 {
        words.push_str(&format!("; trouble with {} endpoints", sum.troubled));
    }
    Ok((!endpoints.is_empty()).then_some((severity, words)))
}
