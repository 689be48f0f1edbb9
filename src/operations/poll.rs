//! Poll (KMIP 2.1 §6.1.38; KMIP 1.4 §4.28): answered with what the polled operation answers, once.

use super::deferred::{self, Pending, carry_out, tell};
use super::pending::Stage;
use super::proposed;
use super::{Answer, Context};
use crate::failure::{Failure, Fault};
use crate::wait::Wait;
use kmip_protocol::PollRequest;

/// Answers a Poll. The asking itself has what is waited for carried out, if nobody has begun.
pub fn answer<'a>(request: &'a PollRequest, context: &'a mut Context<'_>) -> Wait<'a, Result<Answer, Failure>> {
    Box::pin(async move {
        let own = deferred::own(context, &request.asynchronous_correlation_value).await?;
        let pending = own.ok_or(Failure::new(Fault::AsynchronousValue))?;
        match pending.record.proposal {
            Some(id) => proposed::poll(context, pending, id).await,
            None => ungoverned(pending, context).await,
        }
    })
}

async fn ungoverned(pending: Pending, context: &mut Context<'_>) -> Result<Answer, Failure> {
    let operation = pending.record.operation;
    let conclusion = match pending.record.stage {
        Stage::Submitted => carry_out(context, &pending, None).await?,
        Stage::Completed => pending.conclusion(context).await?,
        Stage::Canceled => Err(Fault::Withdrawn.into()),
    };
    pending.remove(context).await?;
    Ok(tell(operation, conclusion))
}
