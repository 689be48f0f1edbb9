//! One file per KMIP operation, each an `impl Handle`. A handler loads through the overlay of its [`Context`], computes, and
//! leaves its changes there; nothing else happens, because it runs again when the commit finds a conflict.

mod certificate_attributes;
pub mod context;
mod creation;
mod faults;
pub mod services;

mod activate;
mod add_attribute;
mod create;
mod create_key_pair;
mod decrypt;
mod delete_attribute;
mod delivery;
mod derive_key;
mod destroy;
mod digests;
mod discover_versions;
mod encrypt;
mod get;
mod get_attribute_list;
mod get_attributes;
mod hash;
mod keyed;
mod locate;
mod mac;
mod mac_verify;
mod modify_attribute;
mod notice;
mod query;
mod register;
mod revoke;
mod rng_retrieve;
mod rng_seed;
mod set_attribute;
mod sign;
mod signature_verify;
mod usage;

pub use context::{Batch, Context};
pub use notice::Notice;
pub use services::{Limits, Services};

use crate::authority::{self, Decision, Granted, Target};
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

    /// What the request acts upon: asked only where a rule may govern it, before it is frozen and again before it is carried out.
    fn target(&self, _: &mut Context<'_>) -> impl Future<Output = Result<Target, Failure>> + Send {
        core::future::ready(Ok(Target::default()))
    }
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
    CreateKeyPair
    Register
    DeriveKey
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
    Encrypt
    Decrypt
    Sign
    SignatureVerify
    MAC
    MACVerify
    RNGRetrieve
    RNGSeed
    Hash
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
