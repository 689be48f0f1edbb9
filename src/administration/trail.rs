//! Audit Query: an auditor reads the change trail of its own domain, a piece at a time. System auditors read the system's records,
//! not the tenants'.

use crate::audit::{Entry, StreamId};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::operations::{Context, Handle};
use crate::store::{Store, TrailQuery};
use kmip_protocol::{AuditQueryRequest, AuditQueryResponse};
use std::sync::Arc;

/// Records in one answer: with the longest notes they stay below the longest answer.
const MOST: usize = 1_000;

/// Records in an answer to a request that does not say how many.
const USUAL: usize = 100;

/// Streams that are looked at to find the newest. A server that was started more often is asked by stream.
const STREAMS: usize = 4_096;

impl Handle for AuditQueryRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AuditQueryResponse, Failure> {
        let domain = context
            .principal
            .domain()
            .ok_or(Failure::new(Fault::NotAuthenticated))?;
        let store = &context.services.store;
        let stream = match &self.audit_stream {
            Some(bytes) => {
                let bytes = bytes.as_slice().try_into();
                Some(StreamId(bytes.map_err(|_| Failure::new(Fault::InvalidField))?))
            }
            None => newest(store).await?,
        };
        let after = match self.audit_sequence {
            Some(sequence) => u64::try_from(sequence).map_err(|_| Failure::new(Fault::InvalidField))?,
            None => 0,
        };
        let limit = match self.maximum_items {
            Some(most) => usize::try_from(most)
                .map_err(|_| Failure::new(Fault::InvalidField))?
                .min(MOST),
            None => USUAL,
        };
        let Some(stream) = stream else {
            return Ok(AuditQueryResponse {
                audit_stream: None,
                audit_sequence: self.audit_sequence,
                audit_records: Vec::new(),
            });
        };
        let query = TrailQuery {
            stream,
            domain: Some(domain),
            after,
            limit,
        };
        let found = store.trail(query).await?;
        let last = found.last().map_or(after, |record| record.position.sequence);
        Ok(AuditQueryResponse {
            audit_stream: Some(stream.0.to_vec()),
            audit_sequence: i64::try_from(last).ok(),
            audit_records: found.iter().map(|record| record.bytes.to_vec()).collect(),
        })
    }
}

/// The stream whose last record was committed last.
async fn newest(store: &Arc<dyn Store>) -> Result<Option<StreamId>, Failure> {
    let mut newest: Option<(i64, StreamId)> = None;
    for head in store.trail_heads().await?.iter().take(STREAMS) {
        let query = TrailQuery {
            stream: head.position.stream,
            domain: None,
            after: head.position.sequence.saturating_sub(1),
            limit: 1,
        };
        for record in store.trail(query).await? {
            let committed = Entry::read(&record.bytes)?.place.committed_ms;
            newest = newest.max(Some((committed, record.position.stream)));
        }
    }
    Ok(newest.map(|(_, stream)| stream))
}
