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
];
