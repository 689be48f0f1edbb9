//! What of each standard operation there is: on which objects, within which limits, and where it departs from the letter. For
//! `docs/OPERATIONS.md`; `exchange/coverage.rs` holds the objects against the server's answers.

use kmip_protocol::{ObjectType, Operation};

/// One operation.
pub struct Coverage {
    /// Which.
    pub operation: Operation,
    /// The objects that it acts upon or makes; none where it acts upon no object.
    pub object_types: &'static [ObjectType],
    /// Limits and deviations. A limit is named in braces; `document.rs` puts its number there.
    pub remark: &'static str,
}

macro_rules! coverage {
    ($($operation:ident [$($object_type:ident)*] $remark:literal;)+) => {
        /// Every standard operation.
        pub const COVERAGE: &[Coverage] = &[$(Coverage {
            operation: Operation::$operation,
            object_types: &[$(ObjectType::$object_type),*],
            remark: $remark,
        }),+];
    };
}

coverage! {
    Create [SymmetricKey SecretData] "At most {attributes} attributes. Kept in Software only.";
    CreateKeyPair [PublicKey PrivateKey] "Kept in Software only.";
    Register [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "Private and public keys that cannot be read here, and wrapped ones, are kept as they come. Templates up to 1.4.";
    ReKey [SymmetricKey] "An Offset needs an Activation Date where later dates are to follow it.";
    DeriveKey [SymmetricKey SecretData PrivateKey PublicKey Certificate] "All methods. At most {bases} bases and {derived} bytes; PBKDF2 at most {rounds} rounds. A Pre-Active base is accepted. Private with public key or certificate by Asymmetric Key only.";
    Certify [PublicKey CertificateRequest] "X.509 from PKCS#10, PEM and CRMF, by the authority that the client's settings name; no certificates of authorities, no PGP.";
    ReCertify [Certificate] "As Certify.";
    Locate [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "At most {located} identifiers in an answer, {patterns} attributes in a request, {examined} candidates in a message. Offset Items from 1.0 on.";
    Check [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "";
    Get [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "All key formats that the key has; all wrapping methods but TR-31. A compression is judged for public keys on curves only.";
    GetAttributes [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "What the object does not have is left out. Archived objects are answered for in every version.";
    GetAttributeList [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "As Get Attributes.";
    AddAttribute [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "At most {attributes} attributes of one object.";
    ModifyAttribute [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "";
    DeleteAttribute [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "";
    ObtainLease [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "As long as `[objects] lease_seconds`, and no longer than to the object's next date.";
    GetUsageAllocation [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "Objects whose usage mask protects something.";
    Activate [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "";
    Revoke [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "";
    Destroy [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "";
    Archive [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "Archived objects lie where all others do; nobody uses one before it is recovered.";
    Recover [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "An object that is not archived is answered for.";
    Validate [Certificate] "Chains of X.509 to an authority that the tenant has enrolled, or to a root of the client's own that it names.";
    Query [] "Tells each what it may use.";
    Cancel [] "";
    Poll [] "";
    Notify [] "Sent by the server.";
    Put [] "Sent by the server.";
    ReKeyKeyPair [PrivateKey] "The private key must be linked to its public key.";
    DiscoverVersions [] "From 1.0 on.";
    Encrypt [SymmetricKey PublicKey PrivateKey Certificate] "By parts from 1.3 on; with a pair, RSA.";
    Decrypt [SymmetricKey PrivateKey] "By parts from 1.3 on; nothing is given out before the tag of an authenticated mode has been seen.";
    Sign [PrivateKey] "By parts from 1.3 on.";
    SignatureVerify [PublicKey PrivateKey Certificate] "By parts from 1.3 on.";
    MAC [SymmetricKey SecretData] "By parts from 1.3 on.";
    MACVerify [SymmetricKey SecretData] "By parts from 1.3 on.";
    RNGRetrieve [] "At most {random} bytes.";
    RNGSeed [] "A seed is mixed in and replaces nothing.";
    Hash [] "By parts from 1.3 on.";
    CreateSplitKey [SymmetricKey PrivateKey PublicKey SecretData] "XOR, GF(2^8), GF(2^16), prime fields up to {prime} bits. At most {parts} parts.";
    JoinSplitKey [SplitKey] "At most {parts} parts.";
    Import [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "A right that clients do not have unless it is given. Identifiers of at most {identifier} bytes.";
    Export [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey Template] "As Get.";
    Log [] "At most {words} bytes, into the trail.";
    Login [] "No Usage Limits.";
    Logout [] "";
    DelegatedLogin [] "No Usage Limits; what was delegated is not passed on.";
    AdjustAttribute [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "";
    SetAttribute [Certificate CertificateRequest OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey] "";
    SetEndpointRole [] "Alone in its message, over TLS without HTTPS, and not for who comes by a delegated ticket.";
    PKCS_11 [] "Between C_Initialize and C_Finalize, C_GetInfo alone is carried out; other functions say that they are not supported.";
    Interop [] "Where the settings allow it, for tenants that are marked as ones for tests.";
    ReProvision [] "";
    SetDefaults [] "A right that clients do not have unless it is given.";
    SetConstraints [] "A right that clients do not have unless it is given.";
    GetConstraints [] "";
    QueryAsynchronousRequests [] "";
    Process [] "";
    Ping [] "";
}
