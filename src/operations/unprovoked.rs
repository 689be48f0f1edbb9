//! Reasons of the specification's error tables that this server does not give, each with why: in `docs/OPERATIONS.md`, and what
//! `exchange/error_tables.rs` holds against the tables.

use kmip_protocol::{Operation, ResultReason};

/// Reasons in the tables of all operations.
pub const OF_ALL: &[(ResultReason, &str)] = &[
    (ResultReason::AttestationFailed, "no operation wants an attestation"),
    (ResultReason::AttestationRequired, "no operation wants an attestation"),
];

/// Reasons in the tables of one.
pub const OF_ONE: &[(Operation, ResultReason, &str)] = &[
    (
        Operation::Create,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::Create,
        ResultReason::ReadOnlyAttribute,
        "Attribute Read Only, in the same table, says it",
    ),
    (
        Operation::Create,
        ResultReason::UnsupportedAttribute,
        "Invalid Attribute, in the same table, says it",
    ),
    (
        Operation::CreateKeyPair,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::DeleteAttribute,
        ResultReason::InvalidAttribute,
        "an attribute that no version has is one that the object does not have: Attribute Not Found",
    ),
    (
        Operation::DeleteAttribute,
        ResultReason::WrongKeyLifecycleState,
        "no attribute that a client deletes depends on the state",
    ),
    (
        Operation::GetAttributes,
        ResultReason::InvalidAttribute,
        "what the object does not have is left out: clients ask for attributes of their own by trying",
    ),
    (
        Operation::Activate,
        ResultReason::InvalidObjectType,
        "every object but a template has a state, and this version has no templates",
    ),
    (
        Operation::Check,
        ResultReason::IllegalObjectType,
        "every object but a template can be checked, and this version has no templates",
    ),
    (
        Operation::CreateSplitKey,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::Decrypt,
        ResultReason::MissingInitializationVector,
        "Invalid Message, in the same table, says it, as the published cases have it",
    ),
    (
        Operation::Encrypt,
        ResultReason::MissingInitializationVector,
        "Invalid Message, in the same table, says it, as the published cases have it",
    ),
    (
        Operation::Encrypt,
        ResultReason::UsageLimitExceeded,
        "Permission Denied, in the same table, says it, as the published cases have it",
    ),
    (
        Operation::GetConstraints,
        ResultReason::InvalidObjectType,
        "the request has no fields",
    ),
    (
        Operation::Hash,
        ResultReason::CryptographicFailure,
        "a hash takes any data",
    ),
    (
        Operation::Import,
        ResultReason::ProtectionStorageUnavailable,
        "the request has no Protection Storage Masks",
    ),
    (
        Operation::MAC,
        ResultReason::UsageLimitExceeded,
        "Permission Denied, in the same table, says it, as the published cases have it",
    ),
    (
        Operation::ObtainLease,
        ResultReason::UsageLimitExceeded,
        "a lease takes nothing of the Usage Limits; Permission Denied, in the same table, says that there is none",
    ),
    (
        Operation::PKCS_11,
        ResultReason::InvalidAsynchronousCorrelationValue,
        "its Correlation Value is no asynchronous one: Invalid Correlation Value",
    ),
    (
        Operation::PKCS_11,
        ResultReason::PKCS_11CodecError,
        "no function that is carried out reads parameters",
    ),
    (
        Operation::ReKey,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::ReKeyKeyPair,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::ReProvision,
        ResultReason::CryptographicFailure,
        "the operation is not carried out",
    ),
    (
        Operation::RNGRetrieve,
        ResultReason::CryptographicFailure,
        "the generator fails with the server only",
    ),
    (
        Operation::RNGSeed,
        ResultReason::CryptographicFailure,
        "a seed of any bytes is taken",
    ),
    (
        Operation::Register,
        ResultReason::EncodingOptionError,
        "a wrapped key is kept as it came",
    ),
    (
        Operation::Revoke,
        ResultReason::InvalidObjectType,
        "every object but a template has a state, and this version has no templates",
    ),
    (
        Operation::Sign,
        ResultReason::UsageLimitExceeded,
        "Permission Denied, in the same table, says it, as the published cases have it",
    ),
    (
        Operation::Cancel,
        ResultReason::InvalidAsynchronousCorrelationValue,
        "the Cancellation Result Unavailable says it",
    ),
];

/// Rows in the tables of versions without tagged attributes: operation, mistake.
pub const OF_OLDER: &[(Operation, &str, &str)] = &[
    (
        Operation::Create,
        "Error creating",
        "the generator fails with the server only",
    ),
    (
        Operation::CreateKeyPair,
        "Error creating",
        "the generator fails with the server only",
    ),
    (
        Operation::CreateSplitKey,
        "Error creating",
        "the generator fails with the server only",
    ),
    (
        Operation::JoinSplitKey,
        "Error creating",
        "parts that are no key are told by the row of too few",
    ),
    (
        Operation::Create,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::CreateKeyPair,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::Register,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::DeriveKey,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::CreateSplitKey,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::JoinSplitKey,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::Import,
        "same Name attribute value as an existing",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::AddAttribute,
        "Name attribute with the same value",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::ModifyAttribute,
        "value already used",
        "objects of one application may share a Name up to 1.4: clients create them so",
    ),
    (
        Operation::Register,
        "Encoding Option not permitted",
        "a wrapped key is kept as it came",
    ),
    (
        Operation::ReKey,
        "Cryptographic error during",
        "the generator fails with the server only",
    ),
    (
        Operation::ReKeyKeyPair,
        "Cryptographic error during",
        "the generator fails with the server only",
    ),
    (
        Operation::Get,
        "only has attributes",
        "a destroyed object is Item Not Found, as the published cases have it; of one whose value is elsewhere the rest is told",
    ),
    (
        Operation::GetAttributes,
        "Object is archived",
        "an archived object's attributes are told, as the published case has it",
    ),
    (
        Operation::GetAttributeList,
        "Object is archived",
        "an archived object's attributes are told, as the published case has it",
    ),
    (
        Operation::GetAttributes,
        "An Attribute Index is specified",
        "the request has no Attribute Index",
    ),
    (
        Operation::RNGRetrieve,
        "Cryptographic error during",
        "the generator fails with the server only",
    ),
    (
        Operation::RNGSeed,
        "Cryptographic error during",
        "a seed of any bytes is taken",
    ),
    (Operation::Hash, "Cryptographic error during", "a hash takes any data"),
    (
        Operation::Import,
        "Object Type is not recognized",
        "the request has no Object Type up to 1.4",
    ),
    (
        Operation::Import,
        "does not match type of",
        "the request has no Object Type up to 1.4",
    ),
];
