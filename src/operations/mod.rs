//! One file per KMIP operation, each an `impl Handle`. A handler loads through the overlay of its [`Context`], computes, and
//! leaves its changes there; nothing else happens, because it runs again when the commit finds a conflict.

pub mod context;
mod creation;
mod faults;
pub mod services;

mod activate;
mod add_attribute;
mod create;
mod delete_attribute;
mod destroy;
mod discover_versions;
mod get;
mod get_attribute_list;
mod get_attributes;
mod locate;
mod modify_attribute;
mod query;
mod register;
mod revoke;
mod set_attribute;

pub use context::{Batch, Context};
pub use services::{Limits, Services};

use crate::authority::{self, Decision, Granted};
use crate::failure::{Failure, Fault};
use kmip_protocol::{Operation, Request, RequestPayload, ResponsePayload};
use std::future::Future;

/// What carries an operation out.
pub trait Handle: Request + Sync {
    /// Answers the request. The grant is the proof that it was permitted.
    fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> impl Future<Output = Result<Self::Response, Failure>> + Send;
}

/// The operations that this server carries out: dispatch, Query and the tests come from this list.
macro_rules! handlers {
    ($($operation:ident)*) => {
        /// Every operation that is carried out, in the order of the specification's numbers.
        pub const CARRIED_OUT: &[Operation] = &[$(Operation::$operation),*];

        /// Decides about an item and, if it is granted, carries it out.
        pub async fn dispatch(payload: &RequestPayload, context: &mut Context<'_>) -> Result<ResponsePayload, Failure> {
            match payload {
                $(RequestPayload::$operation(request) => carry_out(request, context).await,)*
                _ => Err(Fault::OperationNotSupported.into()),
            }
        }
    };
}

handlers! {
    Create
    Register
    Locate
    Get
    GetAttributes
    GetAttributeList
    AddAttribute
    ModifyAttribute
    DeleteAttribute
    Activate
    Revoke
    Destroy
    Query
    DiscoverVersions
    SetAttribute
}

async fn carry_out<R: Handle>(request: &R, context: &mut Context<'_>) -> Result<ResponsePayload, Failure> {
    match authority::decide::<R>(context.principal) {
        // Boxed, so that the future of a batch is not as large as that of the largest handler.
        Decision::Granted(granted) => Box::pin(request.handle(&granted, context)).await.map(Into::into),
        Decision::Denied(fault) => Err(fault.into()),
        Decision::Pending(_) => Err(Failure::detailed(Fault::PermissionDenied, "approval is required")),
    }
}
