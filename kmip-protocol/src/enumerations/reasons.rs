//! Result Reason, with what an older peer is told. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Result Reason (KMIP 2.1 §11.46).
    ResultReason(RESULT_REASON) {
        ItemNotFound = 0x01 "Item Not Found";
        ResponseTooLarge = 0x02 "Response Too Large";
        AuthenticationNotSuccessful = 0x03 "Authentication Not Successful";
        InvalidMessage = 0x04 "Invalid Message";
        OperationNotSupported = 0x05 "Operation Not Supported";
        MissingData = 0x06 "Missing Data";
        InvalidField = 0x07 "Invalid Field";
        FeatureNotSupported = 0x08 "Feature Not Supported";
        OperationCanceledByRequester = 0x09 "Operation Canceled By Requester";
        CryptographicFailure = 0x0A "Cryptographic Failure";
        IllegalOperation = 0x0B "Illegal Operation" [..=V1_4] else PermissionDenied;
        PermissionDenied = 0x0C "Permission Denied";
        ObjectArchived = 0x0D "Object Archived";
        IndexOutOfBounds = 0x0E "Index Out of Bounds" [..=V1_4] else ServerLimitExceeded;
        ApplicationNamespaceNotSupported = 0x0F "Application Namespace Not Supported";
        KeyFormatTypeNotSupported = 0x10 "Key Format Type Not Supported";
        KeyCompressionTypeNotSupported = 0x11 "Key Compression Type Not Supported";
        EncodingOptionError = 0x12 "Encoding Option Error" [V1_1..] else FeatureNotSupported;
        KeyValueNotPresent = 0x13 "Key Value Not Present" [V1_2..] else IllegalOperation;
        AttestationRequired = 0x14 "Attestation Required" [V1_2..] else PermissionDenied;
        AttestationFailed = 0x15 "Attestation Failed" [V1_2..] else PermissionDenied;
        Sensitive = 0x16 "Sensitive" [V1_4..] else PermissionDenied;
        NotExtractable = 0x17 "Not Extractable" [V1_4..] else PermissionDenied;
        ObjectAlreadyExists = 0x18 "Object Already Exists" [V1_4..] else InvalidField;
        InvalidTicket = 0x19 "Invalid Ticket" [V2_0..] else AuthenticationNotSuccessful;
        UsageLimitExceeded = 0x1A "Usage Limit Exceeded" [V2_0..] else PermissionDenied;
        NumericRange = 0x1B "Numeric Range" [V2_0..] else InvalidField;
        InvalidDataType = 0x1C "Invalid Data Type" [V2_0..] else InvalidField;
        ReadOnlyAttribute = 0x1D "Read Only Attribute" [V2_0..] else PermissionDenied;
        MultiValuedAttribute = 0x1E "Multi Valued Attribute" [V2_0..] else InvalidField;
        UnsupportedAttribute = 0x1F "Unsupported Attribute" [V2_0..] else InvalidField;
        AttributeInstanceNotFound = 0x20 "Attribute Instance Not Found" [V2_0..] else ItemNotFound;
        AttributeNotFound = 0x21 "Attribute Not Found" [V2_0..] else ItemNotFound;
        AttributeReadOnly = 0x22 "Attribute Read Only" [V2_0..] else PermissionDenied;
        AttributeSingleValued = 0x23 "Attribute Single Valued" [V2_0..] else IllegalOperation;
        BadCryptographicParameters = 0x24 "Bad Cryptographic Parameters" [V2_0..] else InvalidField;
        BadPassword = 0x25 "Bad Password" [V2_0..] else InvalidField;
        CodecError = 0x26 "Codec Error" [V2_0..] else InvalidMessage;
        IllegalObjectType = 0x28 "Illegal Object Type" [V2_0..] else IllegalOperation;
        IncompatibleCryptographicUsageMask = 0x29 "Incompatible Cryptographic Usage Mask" [V2_0..] else PermissionDenied;
        InternalServerError = 0x2A "Internal Server Error" [V2_0..] else GeneralFailure;
        InvalidAsynchronousCorrelationValue = 0x2B "Invalid Asynchronous Correlation Value" [V2_0..] else ItemNotFound;
        InvalidAttribute = 0x2C "Invalid Attribute" [V2_0..] else InvalidField;
        InvalidAttributeValue = 0x2D "Invalid Attribute Value" [V2_0..] else InvalidField;
        InvalidCorrelationValue = 0x2E "Invalid Correlation Value" [V2_0..] else ItemNotFound;
        InvalidCSR = 0x2F "Invalid CSR" [V2_0..] else InvalidField;
        InvalidObjectType = 0x30 "Invalid Object Type" [V2_0..] else InvalidField;
        KeyWrapTypeNotSupported = 0x32 "Key Wrap Type Not Supported" [V2_0..] else FeatureNotSupported;
        MissingInitializationVector = 0x34 "Missing Initialization Vector" [V2_0..] else InvalidMessage;
        NonUniqueNameAttribute = 0x35 "Non Unique Name Attribute" [V2_0..] else InvalidField;
        ObjectDestroyed = 0x36 "Object Destroyed" [V2_0..] else ItemNotFound [..=V2_0];
        ObjectNotFound = 0x37 "Object Not Found" [V2_0..] else ItemNotFound [..=V2_0];
        NotAuthorised = 0x39 "Not Authorised" [V2_0..] also "NotAuthorized" else PermissionDenied;
        ServerLimitExceeded = 0x3A "Server Limit Exceeded" [V2_0..] else IndexOutOfBounds;
        UnknownEnumeration = 0x3B "Unknown Enumeration" [V2_0..] else InvalidField;
        UnknownMessageExtension = 0x3C "Unknown Message Extension" [V2_0..] else FeatureNotSupported;
        UnknownTag = 0x3D "Unknown Tag" [V2_0..] else InvalidField;
        UnsupportedCryptographicParameters = 0x3E "Unsupported Cryptographic Parameters" [V2_0..] else FeatureNotSupported;
        UnsupportedProtocolVersion = 0x3F "Unsupported Protocol Version" [V2_0..] else InvalidMessage;
        WrappingObjectArchived = 0x40 "Wrapping Object Archived" [V2_0..] else ObjectArchived;
        WrappingObjectDestroyed = 0x41 "Wrapping Object Destroyed" [V2_0..] else ItemNotFound;
        WrappingObjectNotFound = 0x42 "Wrapping Object Not Found" [V2_0..] else ItemNotFound;
        WrongKeyLifecycleState = 0x43 "Wrong Key Lifecycle State" [V2_0..] else PermissionDenied [..=V2_0];
        ProtectionStorageUnavailable = 0x44 "Protection Storage Unavailable" [V2_0..] else FeatureNotSupported;
        PKCS_11CodecError = 0x45 "PKCS#11 Codec Error" [V2_0..] else InvalidField;
        PKCS_11InvalidFunction = 0x46 "PKCS#11 Invalid Function" [V2_0..] else InvalidField;
        PKCS_11InvalidInterface = 0x47 "PKCS#11 Invalid Interface" [V2_0..] else InvalidField;
        PrivateProtectionStorageUnavailable = 0x48 "Private Protection Storage Unavailable" [V2_0..] else FeatureNotSupported;
        PublicProtectionStorageUnavailable = 0x49 "Public Protection Storage Unavailable" [V2_0..] else FeatureNotSupported;
        UnknownObjectGroup = 0x4A "Unknown Object Group" [V2_1..] else InvalidField;
        ConstraintViolation = 0x4B "Constraint Violation" [V2_1..] else PermissionDenied;
        DuplicateProcessRequest = 0x4C "Duplicate Process Request" [V2_1..] else InvalidField;
        GeneralFailure = 0x100 "General Failure";
    }
}
