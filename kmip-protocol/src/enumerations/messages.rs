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
