//! Enumerations and bit masks: open integers with the names of the specification.

mod cryptography;
mod curves;
mod keys;
mod masks;
mod messages;
mod objects;
mod profiles;
mod query;
mod reasons;

pub use cryptography::*;
pub use curves::*;
pub use keys::*;
pub use masks::*;
pub use messages::*;
pub use objects::*;
pub use profiles::*;
pub use query::*;
pub use reasons::*;

use crate::enumeration::Names;

macro_rules! every {
    ($($type:ident),+ $(,)?) => {
        /// Every enumeration and mask.
        pub const ALL: &[Names] = &[$($type::NAMES),+];
    };
}

every! {
    AdjustmentType,
    AlternativeNameType,
    AsynchronousIndicator,
    AttestationType,
    BatchErrorContinuationOption,
    BlockCipherMode,
    CancellationResult,
    CertificateRequestType,
    CertificateType,
    ClientRegistrationMethod,
    CredentialType,
    CryptographicAlgorithm,
    CryptographicUsageMask,
    DRBGAlgorithm,
    DataKind,
    DerivationMethod,
    DestroyAction,
    DigitalSignatureAlgorithm,
    EncodingOption,
    EndpointRole,
    FIPS186Variation,
    HashingAlgorithm,
    InteropFunction,
    ItemType,
    KeyCompressionType,
    KeyFormatType,
    KeyRoleType,
    KeyValueLocationType,
    KeyWrapType,
    LinkType,
    MaskGenerator,
    NISTKeyType,
    NameType,
    ObjectGroupMember,
    ObjectType,
    OpaqueDataType,
    Operation,
    PaddingMethod,
    ProcessingStage,
    ProfileName,
    ProtectionLevel,
    ProtectionStorageMask,
    PutFunction,
    QueryFunction,
    RNGAlgorithm,
    RNGMode,
    RecommendedCurve,
    ResultReason,
    ResultStatus,
    RevocationReasonCode,
    RotateNameType,
    SecretDataType,
    ShreddingAlgorithm,
    SplitKeyMethod,
    State,
    StorageStatusMask,
    TicketType,
    UniqueIdentifierKind,
    UnwrapMode,
    UsageLimitsUnit,
    ValidationAuthorityType,
    ValidationType,
    ValidityIndicator,
    WrappingMethod,
}
