//! Process (KMIP 2.1 §6.1.39): what was submitted is carried out now, so that the next Poll has its outcome.

use super::deferred::{self, carry_out};
use super::pending::Stage;
use super::proposed;
use super::{Answer, Context};
use crate::failure::{Failure, Fault};
use crate::wait::Wait;
use kmip_protocol::{ProcessRequest, ProcessResponse};

/// Answers a Process.
pub fn answer<'a>(request: &'a ProcessRequest, context: &'a mut Context<'_>) -> Wait<'a, Result<Answer, Failure>> {
    Box::pin(async move {
        let own = deferred::own(context, &request.asynchronous_correlation_value).await?;
        let mut pending = own.ok_or(Failure::new(Fault::AsynchronousValue))?;
        match (pending.record.proposal, pending.record.stage) {
            (Some(id), _) => proposed::process(context, pending, id).await?,
            (None, Stage::Submitted) => {
                let conclusion = carry_out(context, &pending, None).await?;
                pending.conclude(context, &conclusion).await?;
                pending.keep(context)?;
            }
            (None, Stage::Completed) => return Err(Fault::DuplicateProcess.into()),
            (None, Stage::Canceled) => return Err(Fault::Withdrawn.into()),
        }
        let response = ProcessResponse {
            asynchronous_correlation_value: Some(request.asynchronous_correlation_value.clone()),
        };
        Ok(Answer::Done(response.into()))
    })
}
