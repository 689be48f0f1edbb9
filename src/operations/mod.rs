//! One file per KMIP operation, each an `impl Handle`. A handler loads through the overlay of its [`Context`], computes, and
//! leaves its changes there; nothing else happens, because it runs again when the commit finds a conflict.

pub mod about;
mod certificate_attributes;
pub mod context;
mod creation;
mod faults;
pub mod identifiers;
pub mod services;

mod authenticating;
mod ciphering;
mod outputs;
mod own_certificate;
mod ownership;
mod part;
mod pkcs11;
pub mod streams;

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod bundle;
mod cancel;
mod certification;
mod certify;
mod check;
mod client_login;
#[cfg(test)]
pub mod coverage;
mod create;
mod create_key_pair;
mod create_split_key;
mod decrypt;
pub mod deferred;
mod delete_attribute;
mod delivery;
mod derive_key;
mod destroy;
pub mod digests;
mod discover_versions;
#[cfg(test)]
mod document;
mod encrypt;
mod export;
pub mod frozen;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_usage_allocation;
pub mod governance;
mod hash;
mod import;
mod interop;
pub mod issuers;
mod join_split_key;
pub mod keeper;
mod key_formats;
mod keyed;
mod links;
mod locate;
mod log;
mod login;
mod logout;
mod mac;
mod mac_verify;
mod modify_attribute;
pub mod namespaces;
mod notice;
mod obtain_lease;
pub mod pending;
mod ping;
mod poll;
mod presets;
mod process;
mod profiles;
pub mod proposed;
pub mod proposing;
mod query;
mod query_asynchronous_requests;
mod re_certify;
mod re_key;
mod re_key_key_pair;
mod recover;
mod register;
mod replacement;
mod revoke;
mod rng_retrieve;
mod rng_seed;
pub mod rotating;
mod set_attribute;
mod set_endpoint_role;
mod settings;
pub mod shares;
mod sign;
mod signature_verify;
mod soundness;
pub mod standards;
mod target;
mod templates;
pub mod tending;
pub mod turning;
#[cfg(test)]
pub mod unprovoked;
mod usage;
mod validate;

pub use about::{About, HttpsPlace};
pub use context::{Batch, Context};
pub use notice::Notice;
pub use outputs::Outputs;
pub use services::{Limits, Services};
pub use streams::{Desk, StreamLimits, Streams};

use crate::authority::{self, Decision, Governed, Granted, Target};
use crate::failure::{Failure, Fault};
use kmip_protocol::{Operation, ProposalNote, Request, RequestPayload, ResponsePayload};
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

/// How an item came out, where it did not simply fail.
#[allow(clippy::large_enum_variant)] // one value per item, moved a few times
pub enum Answer {
    /// It was carried out.
    Done(ResponsePayload),
    /// It will be: what to poll with.
    Pending {
        /// Which operation.
        operation: Operation,
        /// The Asynchronous Correlation Value.
        correlation: [u8; 16],
        /// What is told of the proposal, to whoever asked in our own extension.
        note: Option<ProposalNote>,
    },
    /// A Poll tells that what it asks about has failed. What the Poll itself changed stands.
    Failed {
        /// Which operation.
        operation: Operation,
        /// Why.
        failure: Failure,
        /// What is told of the proposal, to whoever asked in our own extension.
        note: Option<ProposalNote>,
    },
    /// It may be carried out, and is to be put off, as the context says.
    Deferred,
    /// Others must agree first.
    Governed(Box<Governed>),
}

/// The operations that this server carries out: dispatch, Query and the tests come from this list. Those of the second part answer
/// for other operations, and are answered by a function.
macro_rules! handlers {
    ($($operation:ident)* ; $($own:ident = $answer:path),*) => {
        /// Every operation that is carried out, in the order of the specification's numbers.
        pub const CARRIED_OUT: &[Operation] = &[$(Operation::$operation,)* $(Operation::$own),*];

        /// Decides about an item and, if it is granted, carries it out.
        pub async fn dispatch(payload: &RequestPayload, context: &mut Context<'_>) -> Result<Answer, Failure> {
            match payload {
                $(RequestPayload::$operation(request) => carry_out(request, payload, context).await,)*
                $(RequestPayload::$own(request) => {
                    permit(request, context)?;
                    $answer(request, context).await
                })*
                _ => Err(Fault::OperationNotSupported.into()),
            }
        }

        /// What a request acts upon; nothing in particular, where its handler does not say.
        pub async fn target_of(payload: &RequestPayload, context: &mut Context<'_>) -> Result<Target, Failure> {
            match payload {
                $(RequestPayload::$operation(request) => Box::pin(request.target(context)).await,)*
                _ => Ok(Target::default()),
            }
        }
    };
}

handlers! {
    Create
    CreateKeyPair
    Register
    ReKey
    ReKeyKeyPair
    DeriveKey
    Certify
    ReCertify
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
    Archive
    Recover
    Check
    ObtainLease
    GetUsageAllocation
    Validate
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
    CreateSplitKey
    JoinSplitKey
    Import
    Export
    PKCS_11
    Login
    Logout
    DelegatedLogin
    SetAttribute
    AdjustAttribute
    SetDefaults
    SetConstraints
    GetConstraints
    Log
    Interop
    Ping
    SetEndpointRole
    PersonCreate
    PersonGet
    PersonList
    PersonModify
    PersonSuspend
    PersonResume
    PersonReset
    PersonDelete
    PersonUnlock
    CredentialAdd
    CredentialRevoke
    PasswordChange
    OneTimeEnroll
    OneTimeConfirm
    Cancel
    QueryAsynchronousRequests
    ProposalList
    ProposalGet
    ProposalVote
    ProposalWithdrawVote
    ProposalComplete
    ProposalVeto
    ProposalFollowUp
    ProposalShare
    PolicyEvaluate
    PolicyGet
    PolicyPut
    PolicyList
    GroupList
    GroupPut
    GroupDelete
    TenantCreate
    TenantGet
    TenantList
    TenantModify
    TenantSuspend
    TenantResume
    TenantDelete
    TenantRecover
    HsmProfileCreate
    HsmProfileList
    HsmProfileGet
    HsmProfileDelete
    HsmProfileLink
    HsmProfileUnlink
    HsmProfileRotatePin
    HsmProfileAbandon
    HsmProfileTest
    ShareKeyPut
    ShareKeyRevoke
    SharingRenew
    SharingList
    ManagementPut
    SharingGrant
    RecoveryPut
    KekCreate
    KekActivate
    KekList
    KekAddProfile
    KekRemoveProfile
    KekBackup
    KekRestore
    KekRewrap
    KekRewrapGet
    KekDelete
    KekMarkCompromised
    LegacyTokenImport
    LegacyTokenWithdraw
    CeremonyStatus
    ShareSubmit
    CeremonyMigrate
    CeremonyAbort
    StateVerify
    QuarantineRelease
    QuarantineList
    RestoreAccept
    KeyResidue
    TenantPurge
    EndpointCreate
    EndpointGet
    EndpointList
    EndpointDelete
    EndpointTest
    NamespaceCreate
    NamespaceModify
    NamespaceDelete
    NamespaceList
    ObjectPurge
    ClientCreate
    ClientGet
    ClientList
    ClientModify
    ClientSuspend
    ClientResume
    ClientDelete
    CertificateIssue
    CertificateRevoke
    AuthorityCreate
    AuthorityList
    AuthorityDelete
    AuthorityModify
    RevocationListGet
    ApplicationCreate
    ApplicationList
    ApplicationDelete
    ApplicationJoin
    ServerStatus
    AuditQuery
    PermissionList
    ;
    Poll = poll::answer,
    Process = process::answer
}

/// Whether the principal may do this at all.
fn permit<R: Request>(_: &R, context: &Context<'_>) -> Result<(), Failure> {
    authority::check(context.principal, R::OPERATION).map_err(Failure::new)
}

async fn carry_out<R: Handle>(
    request: &R,
    payload: &RequestPayload,
    context: &mut Context<'_>,
) -> Result<Answer, Failure> {
    authority::check(context.principal, R::OPERATION)?;
    context.batch.operation = Some(R::OPERATION);
    let delegated = context
        .principal
        .client()
        .is_some_and(|client| client.rights().is_some());
    let governed = match context.approval {
        Some(_) => None,
        None => governance::of::<R>(payload, context).await?,
    };
    let granted = match authority::decide::<R>(context.principal, context.approval, governed) {
        Decision::Granted(granted) => granted,
        Decision::Denied(fault) => return Err(fault.into()),
        // What is carried out later is carried out without the ticket, and its rights would be forgotten.
        Decision::Governed(_) if delegated => return Err(Fault::RightsRefused.into()),
        Decision::Governed(governed) => return Ok(Answer::Governed(governed)),
    };
    if context.defer && !deferred::is_immediate(R::OPERATION) {
        if delegated {
            return Err(Fault::RightsRefused.into());
        }
        return Ok(Answer::Deferred);
    }
    // Boxed, so that the future of a batch is not as large as that of the largest handler.
    let response = Box::pin(request.handle(&granted, context)).await?;
    Ok(Answer::Done(response.into()))
}
