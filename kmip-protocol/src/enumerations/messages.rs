//! Enumerations of messages, operations and credentials. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Operation (KMIP 2.1 §11.36).
    Operation(OPERATION) {
        Create = 0x01 "Create";
        CreateKeyPair = 0x02 "Create Key Pair";
        Register = 0x03 "Register";
        ReKey = 0x04 "Re-key";
        DeriveKey = 0x05 "Derive Key";
        Certify = 0x06 "Certify";
        ReCertify = 0x07 "Re-certify";
        Locate = 0x08 "Locate";
        Check = 0x09 "Check";
        Get = 0x0A "Get";
        GetAttributes = 0x0B "Get Attributes";
        GetAttributeList = 0x0C "Get Attribute List";
        AddAttribute = 0x0D "Add Attribute";
        ModifyAttribute = 0x0E "Modify Attribute";
        DeleteAttribute = 0x0F "Delete Attribute";
        ObtainLease = 0x10 "Obtain Lease";
        GetUsageAllocation = 0x11 "Get Usage Allocation";
        Activate = 0x12 "Activate";
        Revoke = 0x13 "Revoke";
        Destroy = 0x14 "Destroy";
        Archive = 0x15 "Archive";
        Recover = 0x16 "Recover";
        Validate = 0x17 "Validate";
        Query = 0x18 "Query";
        Cancel = 0x19 "Cancel";
        Poll = 0x1A "Poll";
        Notify = 0x1B "Notify";
        Put = 0x1C "Put";
        ReKeyKeyPair = 0x1D "Re-key Key Pair" [V1_1..];
        DiscoverVersions = 0x1E "Discover Versions" [V1_1..];
        Encrypt = 0x1F "Encrypt" [V1_2..];
        Decrypt = 0x20 "Decrypt" [V1_2..];
        Sign = 0x21 "Sign" [V1_2..];
        SignatureVerify = 0x22 "Signature Verify" [V1_2..];
        MAC = 0x23 "MAC" [V1_2..];
        MACVerify = 0x24 "MAC Verify" [V1_2..];
        RNGRetrieve = 0x25 "RNG Retrieve" [V1_2..];
        RNGSeed = 0x26 "RNG Seed" [V1_2..];
        Hash = 0x27 "Hash" [V1_2..];
        CreateSplitKey = 0x28 "Create Split Key" [V1_2..];
        JoinSplitKey = 0x29 "Join Split Key" [V1_2..];
        Import = 0x2A "Import" [V1_4..];
        Export = 0x2B "Export" [V1_4..];
        Log = 0x2C "Log" [V2_0..];
        Login = 0x2D "Login" [V2_0..];
        Logout = 0x2E "Logout" [V2_0..];
        DelegatedLogin = 0x2F "Delegated Login" [V2_0..];
        AdjustAttribute = 0x30 "Adjust Attribute" [V2_0..];
        SetAttribute = 0x31 "Set Attribute" [V2_0..];
        SetEndpointRole = 0x32 "Set Endpoint Role" [V2_0..];
        PKCS_11 = 0x33 "PKCS#11" [V2_0..];
        Interop = 0x34 "Interop" [V2_0..];
        ReProvision = 0x35 "Re-Provision" [V2_0..];
        SetDefaults = 0x36 "Set Defaults" [V2_1..];
        SetConstraints = 0x37 "Set Constraints" [V2_1..];
        GetConstraints = 0x38 "Get Constraints" [V2_1..];
        QueryAsynchronousRequests = 0x39 "Query Asynchronous Requests" [V2_1..];
        Process = 0x3A "Process" [V2_1..];
        Ping = 0x3B "Ping" [V2_1..];
        // Administration: extensions of our own, 8001ffnn by family ff. Append-only: a golden file keeps the numbers.
        ProposalList = 0x8001_0001 "Proposal List" [V2_0..];
        ProposalGet = 0x8001_0002 "Proposal Get" [V2_0..];
        ProposalVote = 0x8001_0003 "Proposal Vote" [V2_0..];
        ProposalWithdrawVote = 0x8001_0004 "Proposal Withdraw Vote" [V2_0..];
        ProposalComplete = 0x8001_0005 "Proposal Complete" [V2_0..];
        ProposalVeto = 0x8001_0006 "Proposal Veto" [V2_0..];
        PolicyEvaluate = 0x8001_0007 "Policy Evaluate" [V2_0..];
        ProposalFollowUp = 0x8001_0008 "Proposal Follow Up" [V2_0..];
        PolicyGet = 0x8001_0101 "Policy Get" [V2_0..];
        PolicyPut = 0x8001_0102 "Policy Put" [V2_0..];
        PolicyList = 0x8001_0103 "Policy List" [V2_0..];
        GroupList = 0x8001_0104 "Group List" [V2_0..];
        GroupPut = 0x8001_0105 "Group Put" [V2_0..];
        GroupDelete = 0x8001_0106 "Group Delete" [V2_0..];
        PersonCreate = 0x8001_0201 "Person Create" [V2_0..];
        PersonGet = 0x8001_0202 "Person Get" [V2_0..];
        PersonList = 0x8001_0203 "Person List" [V2_0..];
        PersonModify = 0x8001_0204 "Person Modify" [V2_0..];
        PersonSuspend = 0x8001_0205 "Person Suspend" [V2_0..];
        PersonResume = 0x8001_0206 "Person Resume" [V2_0..];
        PersonReset = 0x8001_0207 "Person Reset" [V2_0..];
        PersonDelete = 0x8001_0208 "Person Delete" [V2_0..];
        CredentialAdd = 0x8001_0209 "Credential Add" [V2_0..];
        CredentialRevoke = 0x8001_020A "Credential Revoke" [V2_0..];
        PasswordChange = 0x8001_020B "Password Change" [V2_0..];
        OneTimeEnroll = 0x8001_020C "One Time Enroll" [V2_0..];
        OneTimeConfirm = 0x8001_020D "One Time Confirm" [V2_0..];
        PersonUnlock = 0x8001_020E "Person Unlock" [V2_0..];
        TenantCreate = 0x8001_0301 "Tenant Create" [V2_0..];
        TenantGet = 0x8001_0302 "Tenant Get" [V2_0..];
        TenantList = 0x8001_0303 "Tenant List" [V2_0..];
        TenantModify = 0x8001_0304 "Tenant Modify" [V2_0..];
        TenantSuspend = 0x8001_0305 "Tenant Suspend" [V2_0..];
        TenantResume = 0x8001_0306 "Tenant Resume" [V2_0..];
        TenantDelete = 0x8001_0307 "Tenant Delete" [V2_0..];
        TenantRecover = 0x8001_0308 "Tenant Recover" [V2_0..];
        HsmProfileCreate = 0x8001_0401 "HSM Profile Create" [V2_0..];
        HsmProfileList = 0x8001_0402 "HSM Profile List" [V2_0..];
        HsmProfileGet = 0x8001_0403 "HSM Profile Get" [V2_0..];
        HsmProfileDelete = 0x8001_0404 "HSM Profile Delete" [V2_0..];
        HsmProfileLink = 0x8001_0405 "HSM Profile Link" [V2_0..];
        HsmProfileUnlink = 0x8001_0406 "HSM Profile Unlink" [V2_0..];
        HsmProfileRotatePin = 0x8001_0407 "HSM Profile Rotate PIN" [V2_0..];
        HsmProfileTest = 0x8001_0408 "HSM Profile Test" [V2_0..];
        HsmProfileAbandon = 0x8001_0409 "HSM Profile Abandon" [V2_0..];
        ShareKeyPut = 0x8001_0410 "Share Key Put" [V2_0..];
        SharingRenew = 0x8001_0411 "Sharing Renew" [V2_0..];
        ManagementPut = 0x8001_0412 "Management Put" [V2_0..];
        SharingList = 0x8001_0413 "Sharing List" [V2_0..];
        ProposalShare = 0x8001_0414 "Proposal Share" [V2_0..];
        ShareKeyRevoke = 0x8001_0415 "Share Key Revoke" [V2_0..];
        SharingGrant = 0x8001_0416 "Sharing Grant" [V2_0..];
        RecoveryPut = 0x8001_0417 "Recovery Put" [V2_0..];
        KekCreate = 0x8001_0501 "Kek Create" [V2_0..];
        KekActivate = 0x8001_0502 "Kek Activate" [V2_0..];
        KekList = 0x8001_0503 "Kek List" [V2_0..];
        KekAddProfile = 0x8001_0504 "Kek Add Profile" [V2_0..];
        KekRemoveProfile = 0x8001_0505 "Kek Remove Profile" [V2_0..];
        KekBackup = 0x8001_0506 "Kek Backup" [V2_0..];
        KekRestore = 0x8001_0507 "Kek Restore" [V2_0..];
        KekRewrap = 0x8001_0508 "Kek Rewrap" [V2_0..];
        KekDelete = 0x8001_0509 "Kek Delete" [V2_0..];
        KekMarkCompromised = 0x8001_050A "Kek Mark Compromised" [V2_0..];
        KeyResidue = 0x8001_050C "Key Residue" [V2_0..];
        TenantPurge = 0x8001_050D "Tenant Purge" [V2_0..];
        KekRewrapGet = 0x8001_050E "Kek Rewrap Get" [V2_0..];
        LegacyTokenImport = 0x8001_0510 "Legacy Token Import" [V2_0..];
        LegacyTokenWithdraw = 0x8001_0511 "Legacy Token Withdraw" [V2_0..];
        CeremonyStatus = 0x8001_0512 "Ceremony Status" [V2_0..];
        ShareSubmit = 0x8001_0513 "Share Submit" [V2_0..];
        CeremonyMigrate = 0x8001_0514 "Ceremony Migrate" [V2_0..];
        CeremonyAbort = 0x8001_0515 "Ceremony Abort" [V2_0..];
        StateVerify = 0x8001_0520 "State Verify" [V2_0..];
        QuarantineRelease = 0x8001_0521 "Quarantine Release" [V2_0..];
        QuarantineList = 0x8001_0522 "Quarantine List" [V2_0..];
        RestoreAccept = 0x8001_0530 "Restore Accept" [V2_0..];
        ClientCreate = 0x8001_0601 "Client Create" [V2_0..];
        ClientGet = 0x8001_0602 "Client Get" [V2_0..];
        ClientList = 0x8001_0603 "Client List" [V2_0..];
        ClientModify = 0x8001_0604 "Client Modify" [V2_0..];
        ClientSuspend = 0x8001_0605 "Client Suspend" [V2_0..];
        ClientResume = 0x8001_0606 "Client Resume" [V2_0..];
        ClientDelete = 0x8001_0607 "Client Delete" [V2_0..];
        CertificateIssue = 0x8001_0608 "Certificate Issue" [V2_0..];
        CertificateRevoke = 0x8001_0609 "Certificate Revoke" [V2_0..];
        AuthorityCreate = 0x8001_060A "Authority Create" [V2_0..];
        AuthorityList = 0x8001_060B "Authority List" [V2_0..];
        AuthorityDelete = 0x8001_060C "Authority Delete" [V2_0..];
        RevocationListGet = 0x8001_060D "Revocation List Get" [V2_0..];
        ApplicationCreate = 0x8001_060E "Application Create" [V2_0..];
        ApplicationList = 0x8001_060F "Application List" [V2_0..];
        ApplicationDelete = 0x8001_0610 "Application Delete" [V2_0..];
        ApplicationJoin = 0x8001_0611 "Application Join" [V2_0..];
        AuthorityModify = 0x8001_0612 "Authority Modify" [V2_0..];
        EndpointCreate = 0x8001_0613 "Endpoint Create" [V2_0..];
        EndpointGet = 0x8001_0614 "Endpoint Get" [V2_0..];
        EndpointList = 0x8001_0615 "Endpoint List" [V2_0..];
        EndpointDelete = 0x8001_0616 "Endpoint Delete" [V2_0..];
        EndpointTest = 0x8001_0617 "Endpoint Test" [V2_0..];
        NamespaceCreate = 0x8001_0701 "Namespace Create" [V2_0..];
        NamespaceModify = 0x8001_0702 "Namespace Modify" [V2_0..];
        NamespaceDelete = 0x8001_0703 "Namespace Delete" [V2_0..];
        NamespaceList = 0x8001_0704 "Namespace List" [V2_0..];
        ObjectPurge = 0x8001_0705 "Object Purge" [V2_0..];
        ServerStatus = 0x8001_0901 "Server Status" [V2_0..];
        AuditQuery = 0x8001_0902 "Audit Query" [V2_0..];
        PermissionList = 0x8001_0903 "Permission List" [V2_0..];
    }

    /// Result Status (KMIP 2.1 §11.47).
    ResultStatus(RESULT_STATUS) {
        Success = 0x00 "Success";
        OperationFailed = 0x01 "Operation Failed";
        OperationPending = 0x02 "Operation Pending";
        OperationUndone = 0x03 "Operation Undone";
    }

    /// Batch Error Continuation Option (KMIP 2.1 §11.5).
    BatchErrorContinuationOption(BATCH_ERROR_CONTINUATION_OPTION) {
        Continue = 0x01 "Continue";
        Stop = 0x02 "Stop";
        Undo = 0x03 "Undo";
    }

    /// Asynchronous Indicator (KMIP 2.1 §11.3).
    AsynchronousIndicator(ASYNCHRONOUS_INDICATOR) {
        Mandatory = 0x01 "Mandatory" [V2_0..];
        Optional = 0x02 "Optional" [V2_0..];
        Prohibited = 0x03 "Prohibited" [V2_0..];
    }

    /// Credential Type (KMIP 2.1 §11.11).
    CredentialType(CREDENTIAL_TYPE) {
        UsernameAndPassword = 0x01 "Username and Password";
        Device = 0x02 "Device" [V1_1..];
        Attestation = 0x03 "Attestation" [V1_2..];
        OneTimePassword = 0x04 "One Time Password" [V2_0..];
        HashedPassword = 0x05 "Hashed Password" [V2_0..];
        Ticket = 0x06 "Ticket" [V2_0..];
    }

    /// Attestation Type (KMIP 2.1 §11.4).
    AttestationType(ATTESTATION_TYPE) {
        TPMQuote = 0x01 "TPM Quote" [V1_2..];
        TCGIntegrityReport = 0x02 "TCG Integrity Report" [V1_2..];
        SAMLAssertion = 0x03 "SAML Assertion" [V1_2..];
    }

    /// Cancellation Result (KMIP 2.1 §11.7).
    CancellationResult(CANCELLATION_RESULT) {
        Canceled = 0x01 "Canceled";
        UnableToCancel = 0x02 "Unable to Cancel";
        Completed = 0x03 "Completed";
        Failed = 0x04 "Failed";
        Unavailable = 0x05 "Unavailable";
    }

    /// Put Function (KMIP 2.1 §11.43).
    PutFunction(PUT_FUNCTION) {
        New = 0x01 "New";
        Replace = 0x02 "Replace";
    }

    /// Validity Indicator (KMIP 2.1 §11.61).
    ValidityIndicator(VALIDITY_INDICATOR) {
        Valid = 0x01 "Valid";
        Invalid = 0x02 "Invalid";
        Unknown = 0x03 "Unknown";
    }

    /// Adjustment Type (KMIP 2.1 §11.1).
    AdjustmentType(ADJUSTMENT_TYPE) {
        Increment = 0x01 "Increment" [V2_0..];
        Decrement = 0x02 "Decrement" [V2_0..];
        Negate = 0x03 "Negate" [V2_0..];
    }

    /// Data (KMIP 2.1 §11.13).
    DataKind(DATA) {
        Decrypt = 0x01 "Decrypt" [V2_0..];
        Encrypt = 0x02 "Encrypt" [V2_0..];
        Hash = 0x03 "Hash" [V2_0..];
        MACMACData = 0x04 "MAC MAC Data" [V2_0..];
        RNGRetrieve = 0x05 "RNG Retrieve" [V2_0..];
        SignSignatureData = 0x06 "Sign Signature Data" [V2_0..];
        SignatureVerify = 0x07 "Signature Verify" [V2_0..];
    }

    /// Endpoint Role (KMIP 2.1 §11.19).
    EndpointRole(ENDPOINT_ROLE) {
        Client = 0x01 "Client" [V2_0..];
        Server = 0x02 "Server" [V2_0..];
    }

    /// Interop Function (KMIP 2.1 §11.22).
    InteropFunction(INTEROP_FUNCTION) {
        Begin = 0x01 "Begin" [V2_0..];
        End = 0x02 "End" [V2_0..];
        Reset = 0x03 "Reset" [V2_0..];
    }

    /// Processing Stage (KMIP 2.1 §11.40).
    ProcessingStage(PROCESSING_STAGE) {
        Submitted = 0x01 "Submitted" [V2_1..];
        InProcess = 0x02 "In Process" [V2_1..];
        Completed = 0x03 "Completed" [V2_1..];
    }

    /// Ticket Type (KMIP 2.1 §11.57).
    TicketType(TICKET_TYPE) {
        Login = 0x01 "Login" [V2_0..];
    }
}
