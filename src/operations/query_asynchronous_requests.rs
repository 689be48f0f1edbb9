//! Query Asynchronous Requests (KMIP 2.1 §6.1.41): the requester's own requests whose outcome was not delivered yet.

use super::deferred::{self, Pending};
use super::pending::Stage;
use super::proposed;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{
    AsynchronousRequest, DateTimeExtended, ProcessingStage, QueryAsynchronousRequestsRequest,
    QueryAsynchronousRequestsResponse,
};

impl Handle for QueryAsynchronousRequestsRequest {
    async fn handle(
        &self,
        _: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<QueryAsynchronousRequestsResponse, Failure> {
        let mut asynchronous_requests = Vec::new();
        // Newest first, as they are found; told in the order in which they were made.
        for pending in deferred::all_own(context).await?.into_iter().rev() {
            if is_asked_for(self, &pending) && !was_told(&pending) {
                let processing_stage = match pending.record.proposal {
                    Some(id) => proposed::stage(context, &pending, id).await?,
                    None => stage(&pending),
                };
                asynchronous_requests.push(AsynchronousRequest {
                    asynchronous_correlation_value: pending.place.id.to_vec(),
                    operation: pending.record.operation,
                    submission_date: DateTimeExtended(pending.record.submitted_ms.saturating_mul(1000)),
                    processing_stage,
                });
            }
        }
        Ok(QueryAsynchronousRequestsResponse { asynchronous_requests })
    }
}

/// Whether it is among the correlation values and the operations that were named; who names none asks for all.
fn is_asked_for(request: &QueryAsynchronousRequestsRequest, pending: &Pending) -> bool {
    let values = request.asynchronous_correlation_values.as_ref();
    let operations = request.operations.as_ref();
    values.is_none_or(|v| v.asynchronous_correlation_values.iter().any(|v| *v == pending.place.id))
        && operations.is_none_or(|o| o.operations.contains(&pending.record.operation))
}

/// Whether its end was told by a Cancel already.
fn was_told(pending: &Pending) -> bool {
    pending.record.proposal.is_none() && pending.record.stage == Stage::Canceled
}

fn stage(pending: &Pending) -> ProcessingStage {
    match pending.record.stage {
        Stage::Submitted => ProcessingStage::Submitted,
        Stage::Completed | Stage::Canceled => ProcessingStage::Completed,
    }
}
