//! Cancel (KMIP 2.1 §6.1.5; KMIP 1.4 §4.27): what was not begun does not happen.

use super::deferred;
use super::pending::Stage;
use super::proposed;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{CancelRequest, CancelResponse, CancellationResult};

impl Handle for CancelRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CancelResponse, Failure> {
        let cancellation_result = match deferred::own(context, &self.asynchronous_correlation_value).await? {
            // Unknown and foreign ones alike.
            None => CancellationResult::Unavailable,
            Some(mut pending) => match (pending.record.proposal, pending.record.stage) {
                (Some(id), _) => proposed::cancel(context, pending, id).await?,
                (None, Stage::Submitted) => {
                    pending.record.stage = Stage::Canceled;
                    pending.record.request = None;
                    pending.record.expires_ms = context.now.0.saturating_add(deferred::KEPT_MS);
                    pending.keep(context)?;
                    CancellationResult::Canceled
                }
                (None, Stage::Completed) => CancellationResult::Completed,
                (None, Stage::Canceled) => CancellationResult::Canceled,
            },
        };
        Ok(CancelResponse {
            asynchronous_correlation_value: self.asynchronous_correlation_value.clone(),
            cancellation_result,
        })
    }
}
