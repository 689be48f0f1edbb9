//! Operations: one row each, from which come the payloads' enumerations and their reading and writing.

mod administration;
mod attributes;
#[cfg(test)]
mod bad_payloads;
mod creation;
mod cryptography;
mod retrieval;
mod server;
mod states;
mod to_client;

pub use administration::*;
pub use attributes::*;
pub use creation::*;
pub use cryptography::*;
pub use retrieval::*;
pub use server::*;
pub use states::*;
pub use to_client::*;

use crate::field::{FieldRow, Structure};
use crate::{Operation, Version};
use kmip_ttlv::{Reader, Result, Secret, Writer};

/// A request payload, tied to its operation and its answer.
pub trait Request: Structure + Into<RequestPayload> {
    /// The operation.
    const OPERATION: Operation;
    /// The answer.
    type Response: Structure + Into<ResponsePayload>;
}

/// Declares the operations with their payloads. An answer that is rare and much larger than Get's is held `in Box`: every payload
/// takes the room of the largest, and is moved with it.
macro_rules! operations {
    (@held $response:ident) => { $response };
    (@held $response:ident Box) => { Box<$response> };
    ($($operation:ident($request:ident) -> ($response:ident $(in $held:ident)?) $(also [$($also:tt)+])?;)+) => {
        /// The payload of a request item.
        #[allow(clippy::large_enum_variant)] // one value per item, moved a few times
        #[derive(Clone, PartialEq)]
        pub enum RequestPayload {
            $(
                #[doc = stringify!($operation)]
                $operation($request),
            )+
            /// An operation that the version does not have, with its items in TTLV as they came.
            Unknown {
                /// The operation.
                operation: Operation,
                /// The items of the payload.
                items: Secret,
            },
        }

        /// The payload of a response item.
        #[allow(clippy::large_enum_variant)] // one value per item, moved a few times
        #[derive(Clone, PartialEq)]
        pub enum ResponsePayload {
            $(
                #[doc = stringify!($operation)]
                $operation(operations!(@held $response $($held)?)),
            )+
            /// A payload without the fields of its operation, as an ephemeral item answers (KMIP 2.1 §8.3).
            Empty(Operation),
            /// An operation that the version does not have, with its items in TTLV as they came.
            Unknown {
                /// The operation.
                operation: Operation,
                /// The items of the payload.
                items: Secret,
            },
        }

        $(
            impl Request for $request {
                const OPERATION: Operation = Operation::$operation;
                type Response = $response;
            }

            impl From<$request> for RequestPayload {
                fn from(payload: $request) -> Self {
                    Self::$operation(payload)
                }
            }

            impl From<$response> for ResponsePayload {
                fn from(payload: $response) -> Self {
                    Self::$operation(payload.into())
                }
            }
        )+

        /// Every operation that has payloads here.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$operation),+];

        impl Operation {
            /// Whether messages of this version can carry the operation: where the specification has it, and where its row
            /// says `also`.
            #[must_use]
            pub const fn is_spoken_in(self, version: Version) -> bool {
                match self {
                    $(Self::$operation => {
                        self.is_known_in(version) $(|| crate::version::versions!($($also)+).include(version))?
                    })+
                    _ => false,
                }
            }
        }

        impl Operation {
            /// The fields of its payloads: of the request, and of the answer.
            #[must_use]
            pub const fn fields(self) -> Option<(&'static [FieldRow], &'static [FieldRow])> {
                match self {
                    $(Self::$operation => {
                        Some((<$request as Structure>::FIELDS, <$response as Structure>::FIELDS))
                    })+
                    _ => None,
                }
            }
        }

        #[cfg(test)]
        impl RequestPayload {
            /// One of each.
            pub(crate) fn samples(maker: &mut crate::sample::Maker) -> Vec<Self> {
                vec![$(Self::$operation(maker.make())),+]
            }
        }

        impl RequestPayload {
            /// The operation.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)+
                    Self::Unknown { operation, .. } => *operation,
                }
            }

            /// Reads the items of the payload of an operation.
            pub fn read(reader: &mut Reader<'_>, operation: Operation, version: Version) -> Result<Self> {
                match operation {
                    $(Operation::$operation if operation.is_spoken_in(version) => {
                        Structure::read(reader, version).map(Self::$operation)
                    })+
                    _ => Ok(Self::Unknown { operation, items: crate::field::raw_items(reader)? }),
                }
            }

            /// Writes the items of the payload.
            pub fn write(&self, writer: &mut Writer, version: Version) {
                match self {
                    $(Self::$operation(payload) => Structure::write(payload, writer, version),)+
                    Self::Unknown { items, .. } => writer.raw(items.expose()),
                }
            }
        }

        #[cfg(test)]
        impl ResponsePayload {
            /// One of each.
            pub(crate) fn samples(maker: &mut crate::sample::Maker) -> Vec<Self> {
                vec![$(maker.make::<$response>().into()),+]
            }
        }

        impl ResponsePayload {
            /// The operation.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)+
                    Self::Empty(operation) | Self::Unknown { operation, .. } => *operation,
                }
            }

            /// Reads the items of the payload of an operation's answer.
            pub fn read(reader: &mut Reader<'_>, operation: Operation, version: Version) -> Result<Self> {
                let empty = reader.is_empty();
                let read = match operation {
                    $(Operation::$operation if operation.is_spoken_in(version) => {
                        <$response as Structure>::read(reader, version).map(Self::from)
                    })+
                    _ => Ok(Self::Unknown { operation, items: crate::field::raw_items(reader)? }),
                };
                read.or_else(|error| if empty { Ok(Self::Empty(operation)) } else { Err(error) })
            }

            /// Writes the items of the payload.
            pub fn write(&self, writer: &mut Writer, version: Version) {
                match self {
                    $(Self::$operation(payload) => <$response as Structure>::write(payload, writer, version),)+
                    Self::Empty(_) => {}
                    Self::Unknown { items, .. } => writer.raw(items.expose()),
                }
            }
        }
    };
}

// Discover Versions is answered at 1.0 too: a client that negotiates cannot know yet that the version lacks it.
operations! {
    Create(CreateRequest) -> (CreateResponse);
    CreateKeyPair(CreateKeyPairRequest) -> (CreateKeyPairResponse);
    Register(RegisterRequest) -> (RegisterResponse);
    ReKey(ReKeyRequest) -> (ReKeyResponse);
    DeriveKey(DeriveKeyRequest) -> (DeriveKeyResponse);
    Certify(CertifyRequest) -> (CertifyResponse);
    ReCertify(ReCertifyRequest) -> (ReCertifyResponse);
    Locate(LocateRequest) -> (LocateResponse);
    Check(CheckRequest) -> (CheckResponse);
    Get(GetRequest) -> (GetResponse);
    GetAttributes(GetAttributesRequest) -> (GetAttributesResponse);
    GetAttributeList(GetAttributeListRequest) -> (GetAttributeListResponse);
    AddAttribute(AddAttributeRequest) -> (AddAttributeResponse);
    ModifyAttribute(ModifyAttributeRequest) -> (ModifyAttributeResponse);
    DeleteAttribute(DeleteAttributeRequest) -> (DeleteAttributeResponse);
    ObtainLease(ObtainLeaseRequest) -> (ObtainLeaseResponse);
    GetUsageAllocation(GetUsageAllocationRequest) -> (GetUsageAllocationResponse);
    Activate(ActivateRequest) -> (ActivateResponse);
    Revoke(RevokeRequest) -> (RevokeResponse);
    Destroy(DestroyRequest) -> (DestroyResponse);
    Archive(ArchiveRequest) -> (ArchiveResponse);
    Recover(RecoverRequest) -> (RecoverResponse);
    Validate(ValidateRequest) -> (ValidateResponse);
    Query(QueryRequest) -> (QueryResponse in Box);
    Cancel(CancelRequest) -> (CancelResponse);
    Poll(PollRequest) -> (PollResponse);
    Notify(NotifyRequest) -> (NotifyResponse);
    Put(PutRequest) -> (PutResponse);
    ReKeyKeyPair(ReKeyKeyPairRequest) -> (ReKeyKeyPairResponse);
    DiscoverVersions(DiscoverVersionsRequest) -> (DiscoverVersionsResponse) also [..=V1_0];
    Encrypt(EncryptRequest) -> (EncryptResponse);
    Decrypt(DecryptRequest) -> (DecryptResponse);
    Sign(SignRequest) -> (SignResponse);
    SignatureVerify(SignatureVerifyRequest) -> (SignatureVerifyResponse);
    MAC(MACRequest) -> (MACResponse);
    MACVerify(MACVerifyRequest) -> (MACVerifyResponse);
    RNGRetrieve(RNGRetrieveRequest) -> (RNGRetrieveResponse);
    RNGSeed(RNGSeedRequest) -> (RNGSeedResponse);
    Hash(HashRequest) -> (HashResponse);
    CreateSplitKey(CreateSplitKeyRequest) -> (CreateSplitKeyResponse);
    JoinSplitKey(JoinSplitKeyRequest) -> (JoinSplitKeyResponse);
    Import(ImportRequest) -> (ImportResponse);
    Export(ExportRequest) -> (ExportResponse in Box);
    Log(LogRequest) -> (LogResponse);
    Login(LoginRequest) -> (LoginResponse);
    Logout(LogoutRequest) -> (LogoutResponse);
    DelegatedLogin(DelegatedLoginRequest) -> (DelegatedLoginResponse);
    AdjustAttribute(AdjustAttributeRequest) -> (AdjustAttributeResponse);
    SetAttribute(SetAttributeRequest) -> (SetAttributeResponse);
    SetEndpointRole(SetEndpointRoleRequest) -> (SetEndpointRoleResponse);
    PKCS_11(PKCS_11Request) -> (PKCS_11Response);
    Interop(InteropRequest) -> (InteropResponse);
    ReProvision(ReProvisionRequest) -> (ReProvisionResponse);
    SetDefaults(SetDefaultsRequest) -> (SetDefaultsResponse);
    SetConstraints(SetConstraintsRequest) -> (SetConstraintsResponse);
    GetConstraints(GetConstraintsRequest) -> (GetConstraintsResponse);
    QueryAsynchronousRequests(QueryAsynchronousRequestsRequest) -> (QueryAsynchronousRequestsResponse);
    Process(ProcessRequest) -> (ProcessResponse);
    Ping(PingRequest) -> (PingResponse);
    ProposalList(ProposalListRequest) -> (ProposalListResponse);
    ProposalGet(ProposalGetRequest) -> (ProposalGetResponse in Box);
    ProposalVote(ProposalVoteRequest) -> (ProposalVoteResponse);
    ProposalWithdrawVote(ProposalWithdrawVoteRequest) -> (ProposalWithdrawVoteResponse);
    ProposalComplete(ProposalCompleteRequest) -> (ProposalCompleteResponse);
    ProposalVeto(ProposalVetoRequest) -> (ProposalVetoResponse);
    ProposalFollowUp(ProposalFollowUpRequest) -> (ProposalFollowUpResponse);
    PolicyEvaluate(PolicyEvaluateRequest) -> (PolicyEvaluateResponse);
    PolicyGet(PolicyGetRequest) -> (PolicyGetResponse);
    PolicyPut(PolicyPutRequest) -> (PolicyPutResponse);
    PolicyList(PolicyListRequest) -> (PolicyListResponse);
    GroupList(GroupListRequest) -> (GroupListResponse);
    GroupPut(GroupPutRequest) -> (GroupPutResponse);
    GroupDelete(GroupDeleteRequest) -> (GroupDeleteResponse);
    PersonCreate(PersonCreateRequest) -> (PersonCreateResponse);
    PersonGet(PersonGetRequest) -> (PersonGetResponse);
    PersonList(PersonListRequest) -> (PersonListResponse);
    PersonModify(PersonModifyRequest) -> (PersonModifyResponse);
    PersonSuspend(PersonSuspendRequest) -> (PersonSuspendResponse);
    PersonResume(PersonResumeRequest) -> (PersonResumeResponse);
    PersonReset(PersonResetRequest) -> (PersonResetResponse);
    PersonDelete(PersonDeleteRequest) -> (PersonDeleteResponse);
    CredentialAdd(CredentialAddRequest) -> (CredentialAddResponse);
    CredentialRevoke(CredentialRevokeRequest) -> (CredentialRevokeResponse);
    PasswordChange(PasswordChangeRequest) -> (PasswordChangeResponse);
    OneTimeEnroll(OneTimeEnrollRequest) -> (OneTimeEnrollResponse);
    OneTimeConfirm(OneTimeConfirmRequest) -> (OneTimeConfirmResponse);
    PersonUnlock(PersonUnlockRequest) -> (PersonUnlockResponse);
    TenantCreate(TenantCreateRequest) -> (TenantCreateResponse);
    TenantGet(TenantGetRequest) -> (TenantGetResponse);
    TenantList(TenantListRequest) -> (TenantListResponse);
    TenantModify(TenantModifyRequest) -> (TenantModifyResponse);
    TenantSuspend(TenantSuspendRequest) -> (TenantSuspendResponse);
    TenantResume(TenantResumeRequest) -> (TenantResumeResponse);
    TenantDelete(TenantDeleteRequest) -> (TenantDeleteResponse);
    TenantRecover(TenantRecoverRequest) -> (TenantRecoverResponse);
    HsmProfileCreate(HsmProfileCreateRequest) -> (HsmProfileCreateResponse);
    HsmProfileList(HsmProfileListRequest) -> (HsmProfileListResponse);
    HsmProfileGet(HsmProfileGetRequest) -> (HsmProfileGetResponse);
    HsmProfileDelete(HsmProfileDeleteRequest) -> (HsmProfileDeleteResponse);
    HsmProfileLink(HsmProfileLinkRequest) -> (HsmProfileLinkResponse);
    HsmProfileUnlink(HsmProfileUnlinkRequest) -> (HsmProfileUnlinkResponse);
    HsmProfileRotatePin(HsmProfileRotatePinRequest) -> (HsmProfileRotatePinResponse);
    HsmProfileTest(HsmProfileTestRequest) -> (HsmProfileTestResponse);
    HsmProfileAbandon(HsmProfileAbandonRequest) -> (HsmProfileAbandonResponse);
    ShareKeyPut(ShareKeyPutRequest) -> (ShareKeyPutResponse);
    SharingRenew(SharingRenewRequest) -> (SharingRenewResponse);
    ManagementPut(ManagementPutRequest) -> (ManagementPutResponse);
    SharingList(SharingListRequest) -> (SharingListResponse);
    ProposalShare(ProposalShareRequest) -> (ProposalShareResponse);
    ShareKeyRevoke(ShareKeyRevokeRequest) -> (ShareKeyRevokeResponse);
    SharingGrant(SharingGrantRequest) -> (SharingGrantResponse);
    RecoveryPut(RecoveryPutRequest) -> (RecoveryPutResponse);
    KekCreate(KekCreateRequest) -> (KekCreateResponse);
    KekActivate(KekActivateRequest) -> (KekActivateResponse);
    KekList(KekListRequest) -> (KekListResponse);
    KekAddProfile(KekAddProfileRequest) -> (KekAddProfileResponse);
    KekRemoveProfile(KekRemoveProfileRequest) -> (KekRemoveProfileResponse);
    KekBackup(KekBackupRequest) -> (KekBackupResponse);
    KekRestore(KekRestoreRequest) -> (KekRestoreResponse);
    KekRewrap(KekRewrapRequest) -> (KekRewrapResponse);
    KekDelete(KekDeleteRequest) -> (KekDeleteResponse);
    KekMarkCompromised(KekMarkCompromisedRequest) -> (KekMarkCompromisedResponse);
    KekRewrapGet(KekRewrapGetRequest) -> (KekRewrapGetResponse);
    LegacyTokenImport(LegacyTokenImportRequest) -> (LegacyTokenImportResponse);
    LegacyTokenWithdraw(LegacyTokenWithdrawRequest) -> (LegacyTokenWithdrawResponse);
    CeremonyStatus(CeremonyStatusRequest) -> (CeremonyStatusResponse);
    ShareSubmit(ShareSubmitRequest) -> (ShareSubmitResponse);
    CeremonyMigrate(CeremonyMigrateRequest) -> (CeremonyMigrateResponse);
    CeremonyAbort(CeremonyAbortRequest) -> (CeremonyAbortResponse);
    StateVerify(StateVerifyRequest) -> (StateVerifyResponse);
    QuarantineRelease(QuarantineReleaseRequest) -> (QuarantineReleaseResponse);
    QuarantineList(QuarantineListRequest) -> (QuarantineListResponse);
    RestoreAccept(RestoreAcceptRequest) -> (RestoreAcceptResponse);
    KeyResidue(KeyResidueRequest) -> (KeyResidueResponse);
    TenantPurge(TenantPurgeRequest) -> (TenantPurgeResponse);
    ClientCreate(ClientCreateRequest) -> (ClientCreateResponse);
    ClientGet(ClientGetRequest) -> (ClientGetResponse in Box);
    ClientList(ClientListRequest) -> (ClientListResponse);
    ClientModify(ClientModifyRequest) -> (ClientModifyResponse);
    ClientSuspend(ClientSuspendRequest) -> (ClientSuspendResponse);
    ClientResume(ClientResumeRequest) -> (ClientResumeResponse);
    ClientDelete(ClientDeleteRequest) -> (ClientDeleteResponse);
    CertificateIssue(CertificateIssueRequest) -> (CertificateIssueResponse);
    CertificateRevoke(CertificateRevokeRequest) -> (CertificateRevokeResponse);
    AuthorityCreate(AuthorityCreateRequest) -> (AuthorityCreateResponse);
    AuthorityList(AuthorityListRequest) -> (AuthorityListResponse);
    AuthorityDelete(AuthorityDeleteRequest) -> (AuthorityDeleteResponse);
    AuthorityModify(AuthorityModifyRequest) -> (AuthorityModifyResponse);
    RevocationListGet(RevocationListGetRequest) -> (RevocationListGetResponse);
    ApplicationCreate(ApplicationCreateRequest) -> (ApplicationCreateResponse);
    ApplicationList(ApplicationListRequest) -> (ApplicationListResponse);
    ApplicationDelete(ApplicationDeleteRequest) -> (ApplicationDeleteResponse);
    ApplicationJoin(ApplicationJoinRequest) -> (ApplicationJoinResponse);
    EndpointCreate(EndpointCreateRequest) -> (EndpointCreateResponse);
    EndpointGet(EndpointGetRequest) -> (EndpointGetResponse);
    EndpointList(EndpointListRequest) -> (EndpointListResponse);
    EndpointDelete(EndpointDeleteRequest) -> (EndpointDeleteResponse);
    EndpointTest(EndpointTestRequest) -> (EndpointTestResponse);
    NamespaceCreate(NamespaceCreateRequest) -> (NamespaceCreateResponse);
    NamespaceModify(NamespaceModifyRequest) -> (NamespaceModifyResponse);
    NamespaceDelete(NamespaceDeleteRequest) -> (NamespaceDeleteResponse);
    NamespaceList(NamespaceListRequest) -> (NamespaceListResponse);
    ObjectPurge(ObjectPurgeRequest) -> (ObjectPurgeResponse);
    ServerStatus(ServerStatusRequest) -> (ServerStatusResponse);
    AuditQuery(AuditQueryRequest) -> (AuditQueryResponse);
    PermissionList(PermissionListRequest) -> (PermissionListResponse);
}
