//! Which reasons the specification lists for which operation (KMIP 2.1 §6.1), but for those that it lists for all.

use kmip_protocol::{Operation, ResultReason};

macro_rules! tables {
    ($($operation:ident: $($reason:ident)*;)+) => {
        /// Operations, and the reasons of their tables.
        pub(super) const TABLES: &[(Operation, &[ResultReason])] = &[$(
            (Operation::$operation, &[$(ResultReason::$reason),*]),
        )+];
    };
}

/// Reasons in the tables of all operations.
pub(super) const OF_EVERY: &[ResultReason] = &[
    ResultReason::AttestationFailed,
    ResultReason::AttestationRequired,
    ResultReason::FeatureNotSupported,
    ResultReason::InvalidField,
    ResultReason::InvalidMessage,
    ResultReason::OperationNotSupported,
    ResultReason::PermissionDenied,
    ResultReason::ResponseTooLarge,
];

tables! {
    Activate: InvalidObjectType ObjectNotFound WrongKeyLifecycleState;
    AddAttribute: AttributeSingleValued InvalidAttribute NonUniqueNameAttribute ObjectNotFound ReadOnlyAttribute
        ServerLimitExceeded WrongKeyLifecycleState;
    AdjustAttribute: InvalidDataType ItemNotFound MultiValuedAttribute NumericRange ObjectArchived ReadOnlyAttribute
        UnsupportedAttribute WrongKeyLifecycleState;
    Archive: ObjectArchived ObjectNotFound;
    Cancel: InvalidAsynchronousCorrelationValue;
    Certify: InvalidCSR InvalidObjectType ItemNotFound ProtectionStorageUnavailable;
    Check: IllegalObjectType IncompatibleCryptographicUsageMask ObjectNotFound UsageLimitExceeded;
    Create: AttributeReadOnly AttributeSingleValued CryptographicFailure InvalidAttribute InvalidAttributeValue InvalidObjectType
        NonUniqueNameAttribute ReadOnlyAttribute ServerLimitExceeded UnsupportedAttribute ProtectionStorageUnavailable;
    CreateKeyPair: AttributeReadOnly AttributeSingleValued CryptographicFailure InvalidAttribute InvalidAttributeValue
        NonUniqueNameAttribute ServerLimitExceeded PrivateProtectionStorageUnavailable PublicProtectionStorageUnavailable;
    CreateSplitKey: BadCryptographicParameters CryptographicFailure InvalidAttribute InvalidAttributeValue InvalidObjectType
        ItemNotFound NonUniqueNameAttribute ServerLimitExceeded UnsupportedCryptographicParameters ProtectionStorageUnavailable;
    Decrypt: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent MissingInitializationVector ObjectNotFound UnsupportedCryptographicParameters
        WrongKeyLifecycleState;
    DelegatedLogin:;
    DeleteAttribute: AttributeInstanceNotFound AttributeNotFound AttributeReadOnly InvalidAttribute ObjectNotFound
        WrongKeyLifecycleState;
    DeriveKey: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidAttribute
        InvalidObjectType KeyValueNotPresent NonUniqueNameAttribute ObjectNotFound UnsupportedCryptographicParameters
        WrongKeyLifecycleState;
    Destroy: ObjectDestroyed ObjectNotFound WrongKeyLifecycleState;
    DiscoverVersions:;
    Encrypt: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent MissingInitializationVector ObjectNotFound UnsupportedCryptographicParameters
        UsageLimitExceeded WrongKeyLifecycleState;
    Export: BadCryptographicParameters EncodingOptionError IncompatibleCryptographicUsageMask InvalidObjectType
        KeyCompressionTypeNotSupported KeyFormatTypeNotSupported KeyValueNotPresent KeyWrapTypeNotSupported ObjectNotFound
        WrappingObjectArchived WrappingObjectDestroyed WrappingObjectNotFound;
    Get: BadCryptographicParameters EncodingOptionError IncompatibleCryptographicUsageMask InvalidObjectType
        KeyCompressionTypeNotSupported KeyFormatTypeNotSupported KeyValueNotPresent KeyWrapTypeNotSupported NotExtractable
        ObjectNotFound Sensitive WrappingObjectArchived WrappingObjectDestroyed WrappingObjectNotFound;
    GetAttributeList: ObjectNotFound;
    GetAttributes: InvalidAttribute ObjectNotFound;
    GetConstraints: InvalidObjectType;
    GetUsageAllocation: AttributeNotFound InvalidObjectType ObjectNotFound UsageLimitExceeded;
    Hash: CryptographicFailure InvalidCorrelationValue;
    Import: AttributeReadOnly AttributeSingleValued EncodingOptionError InvalidAttribute InvalidAttributeValue
        NonUniqueNameAttribute ObjectAlreadyExists ServerLimitExceeded ProtectionStorageUnavailable;
    Interop:;
    JoinSplitKey: AttributeReadOnly AttributeSingleValued BadCryptographicParameters CryptographicFailure InvalidAttribute
        InvalidAttributeValue InvalidObjectType NonUniqueNameAttribute ObjectNotFound ServerLimitExceeded
        UnsupportedCryptographicParameters ProtectionStorageUnavailable;
    Locate: InvalidAttribute;
    Log:;
    Login:;
    Logout: InvalidTicket;
    MAC: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent ObjectNotFound UsageLimitExceeded WrongKeyLifecycleState;
    MACVerify: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent ObjectNotFound WrongKeyLifecycleState;
    ModifyAttribute: AttributeInstanceNotFound AttributeNotFound AttributeReadOnly NonUniqueNameAttribute ObjectNotFound
        WrongKeyLifecycleState;
    ObtainLease: ObjectNotFound UsageLimitExceeded;
    PKCS_11: InvalidAsynchronousCorrelationValue PKCS_11CodecError PKCS_11InvalidFunction PKCS_11InvalidInterface;
    Poll: InvalidAsynchronousCorrelationValue;
    Process: InvalidAsynchronousCorrelationValue;
    Query: UnknownObjectGroup;
    QueryAsynchronousRequests:;
    RNGRetrieve: CryptographicFailure;
    RNGSeed: CryptographicFailure;
    ReCertify: InvalidCSR InvalidObjectType ObjectNotFound ProtectionStorageUnavailable;
    ReKey: CryptographicFailure InvalidObjectType KeyValueNotPresent ObjectNotFound ProtectionStorageUnavailable;
    ReKeyKeyPair: CryptographicFailure InvalidObjectType KeyValueNotPresent ObjectNotFound PrivateProtectionStorageUnavailable
        PublicProtectionStorageUnavailable;
    ReProvision: CryptographicFailure;
    Recover: ObjectNotFound;
    Register: AttributeReadOnly AttributeSingleValued BadPassword EncodingOptionError InvalidAttribute InvalidAttributeValue
        InvalidObjectType NonUniqueNameAttribute ServerLimitExceeded ProtectionStorageUnavailable;
    Revoke: InvalidObjectType ObjectNotFound WrongKeyLifecycleState;
    SetAttribute: InvalidAttributeValue MultiValuedAttribute NonUniqueNameAttribute ObjectNotFound ReadOnlyAttribute
        WrongKeyLifecycleState;
    SetConstraints: InvalidObjectType;
    SetDefaults: InvalidObjectType;
    SetEndpointRole:;
    Sign: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent ObjectNotFound UnsupportedCryptographicParameters UsageLimitExceeded
        WrongKeyLifecycleState;
    SignatureVerify: BadCryptographicParameters CryptographicFailure IncompatibleCryptographicUsageMask InvalidCorrelationValue
        InvalidObjectType KeyValueNotPresent ObjectNotFound UnsupportedCryptographicParameters WrongKeyLifecycleState;
    Validate: InvalidObjectType ObjectNotFound;
}
