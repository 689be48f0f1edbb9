//! Enumerations of objects and their attributes. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Object Type (KMIP 2.1 §11.34).
    ObjectType(OBJECT_TYPE) {
        Certificate = 0x01 "Certificate";
        SymmetricKey = 0x02 "Symmetric Key";
        PublicKey = 0x03 "Public Key";
        PrivateKey = 0x04 "Private Key";
        SplitKey = 0x05 "Split Key";
        Template = 0x06 "Template" [..=V1_4];
        SecretData = 0x07 "Secret Data";
        OpaqueObject = 0x08 "Opaque Object";
        PGPKey = 0x09 "PGP Key" [V1_2..];
        CertificateRequest = 0x0A "Certificate Request" [V2_0..];
    }

    /// State (KMIP 2.1 §11.55).
    State(STATE) {
        PreActive = 0x01 "Pre-Active";
        Active = 0x02 "Active";
        Deactivated = 0x03 "Deactivated";
        Compromised = 0x04 "Compromised";
        Destroyed = 0x05 "Destroyed";
        DestroyedCompromised = 0x06 "Destroyed Compromised";
    }

    /// Certificate Type (KMIP 2.1 §11.9).
    CertificateType(CERTIFICATE_TYPE) {
        X_509 = 0x01 "X.509";
        PGP = 0x02 "PGP";
    }

    /// Certificate Request Type (KMIP 2.1 §11.8).
    CertificateRequestType(CERTIFICATE_REQUEST_TYPE) {
        CRMF = 0x01 "CRMF";
        PKCS_10 = 0x02 "PKCS#10";
        PEM = 0x03 "PEM";
        PGP = 0x04 "PGP" [..=V1_4];
    }

    /// Name Type (KMIP 2.1 §11.31).
    NameType(NAME_TYPE) {
        UninterpretedTextString = 0x01 "Uninterpreted Text String";
        URI = 0x02 "URI";
    }

    /// Alternative Name Type (KMIP 2.1 §11.2).
    AlternativeNameType(ALTERNATIVE_NAME_TYPE) {
        UninterpretedTextString = 0x01 "Uninterpreted Text String" [V1_2..];
        URI = 0x02 "URI" [V1_2..];
        ObjectSerialNumber = 0x03 "Object Serial Number" [V1_2..];
        EmailAddress = 0x04 "Email Address" [V1_2..];
        DNSName = 0x05 "DNS Name" [V1_2..];
        X_500DistinguishedName = 0x06 "X.500 Distinguished Name" [V1_2..];
        IPAddress = 0x07 "IP Address" [V1_2..];
    }

    /// Rotate Name Type (KMIP 2.1 §11.51).
    RotateNameType(ROTATE_NAME_TYPE) {
        UninterpretedTextString = 0x01 "Uninterpreted Text String" [V2_1..];
        URI = 0x02 "URI" [V2_1..];
    }

    /// Link Type (KMIP 2.1 §11.28).
    LinkType(LINK_TYPE) {
        CertificateLink = 0x101 "Certificate Link";
        PublicKeyLink = 0x102 "Public Key Link";
        PrivateKeyLink = 0x103 "Private Key Link";
        DerivationBaseObjectLink = 0x104 "Derivation Base Object Link";
        DerivedKeyLink = 0x105 "Derived Key Link";
        ReplacementObjectLink = 0x106 "Replacement Object Link";
        ReplacedObjectLink = 0x107 "Replaced Object Link";
        ParentLink = 0x108 "Parent Link" [V1_2..];
        ChildLink = 0x109 "Child Link" [V1_2..];
        PreviousLink = 0x10A "Previous Link" [V1_2..];
        NextLink = 0x10B "Next Link" [V1_2..];
        PKCS_12CertificateLink = 0x10C "PKCS#12 Certificate Link" [V1_4..];
        PKCS_12PasswordLink = 0x10D "PKCS#12 Password Link" [V1_4..];
        WrappingKeyLink = 0x10E "Wrapping Key Link" [V2_0..];
    }

    /// Opaque Data Type (KMIP 2.1 §11.35).
    OpaqueDataType(OPAQUE_DATA_TYPE) {
    }

    /// Secret Data Type (KMIP 2.1 §11.52).
    SecretDataType(SECRET_DATA_TYPE) {
        Password = 0x01 "Password";
        Seed = 0x02 "Seed";
    }

    /// Split Key Method (KMIP 2.1 §11.54).
    SplitKeyMethod(SPLIT_KEY_METHOD) {
        XOR = 0x01 "XOR";
        PolynomialSharingGF2_16 = 0x02 "Polynomial Sharing GF (2^16)" also "PolynomialSharingGF216";
        PolynomialSharingPrimeField = 0x03 "Polynomial Sharing Prime Field";
        PolynomialSharingGF2_8 = 0x04 "Polynomial Sharing GF (2^8)" [V1_2..] also "PolynomialSharingGF28";
    }

    /// Key Value Location Type (KMIP 2.1 §11.27).
    KeyValueLocationType(KEY_VALUE_LOCATION_TYPE) {
        UninterpretedTextString = 0x01 "Uninterpreted Text String" [V1_2..];
        URI = 0x02 "URI" [V1_2..];
    }

    /// Usage Limits Unit (KMIP 2.1 §11.60).
    UsageLimitsUnit(USAGE_LIMITS_UNIT) {
        Byte = 0x01 "Byte";
        Object = 0x02 "Object";
    }

    /// Revocation Reason Code (KMIP 2.1 §11.48).
    RevocationReasonCode(REVOCATION_REASON_CODE) {
        Unspecified = 0x01 "Unspecified";
        KeyCompromise = 0x02 "Key Compromise";
        CACompromise = 0x03 "CA Compromise";
        AffiliationChanged = 0x04 "Affiliation Changed";
        Superseded = 0x05 "Superseded";
        CessationOfOperation = 0x06 "Cessation of Operation";
        PrivilegeWithdrawn = 0x07 "Privilege Withdrawn";
    }

    /// Object Group Member (KMIP 2.1 §11.33).
    ObjectGroupMember(OBJECT_GROUP_MEMBER) {
        GroupMemberFresh = 0x01 "Group Member Fresh" [V1_1..];
        GroupMemberDefault = 0x02 "Group Member Default" [V1_1..];
    }

    /// Protection Level (KMIP 2.1 §11.42).
    ProtectionLevel(PROTECTION_LEVEL) {
        High = 0x01 "High" [V2_0..];
        Low = 0x02 "Low" [V2_0..];
    }

    /// NIST Key Type (KMIP 2.1 §11.32).
    NISTKeyType(NIST_KEY_TYPE) {
        PrivateSignatureKey = 0x01 "Private signature key" [V2_0..];
        PublicSignatureVerificationKey = 0x02 "Public signature verification key" [V2_0..];
        SymmetricAuthenticationKey = 0x03 "Symmetric authentication key" [V2_0..];
        PrivateAuthenticationKey = 0x04 "Private authentication key" [V2_0..];
        PublicAuthenticationKey = 0x05 "Public authentication key" [V2_0..];
        SymmetricDataEncryptionKey = 0x06 "Symmetric data encryption key" [V2_0..];
        SymmetricKeyWrappingKey = 0x07 "Symmetric key wrapping key" [V2_0..];
        SymmetricRandomNumberGenerationKey = 0x08 "Symmetric random number generation key" [V2_0..];
        SymmetricMasterKey = 0x09 "Symmetric master key" [V2_0..];
        PrivateKeyTransportKey = 0x0A "Private key transport key" [V2_0..];
        PublicKeyTransportKey = 0x0B "Public key transport key" [V2_0..];
        SymmetricKeyAgreementKey = 0x0C "Symmetric key agreement key" [V2_0..];
        PrivateStaticKeyAgreementKey = 0x0D "Private static key agreement key" [V2_0..];
        PublicStaticKeyAgreementKey = 0x0E "Public static key agreement key" [V2_0..];
        PrivateEphemeralKeyAgreementKey = 0x0F "Private ephemeral key agreement key" [V2_0..];
        PublicEphemeralKeyAgreementKey = 0x10 "Public ephemeral key agreement key" [V2_0..];
        SymmetricAuthorizationKey = 0x11 "Symmetric authorization key" [V2_0..];
        PrivateAuthorizationKey = 0x12 "Private authorization key" [V2_0..];
        PublicAuthorizationKey = 0x13 "Public authorization key" [V2_0..];
    }

    /// Unique Identifier (KMIP 2.1 §11.58).
    UniqueIdentifierKind(UNIQUE_IDENTIFIER) {
        IDPlaceholder = 0x01 "ID Placeholder" [V2_0..];
        Certify = 0x02 "Certify" [V2_0..];
        Create = 0x03 "Create" [V2_0..];
        CreateKeyPair = 0x04 "Create Key Pair" [V2_0..];
        CreateKeyPairPrivateKey = 0x05 "Create Key Pair Private Key" [V2_0..];
        CreateKeyPairPublicKey = 0x06 "Create Key Pair Public Key" [V2_0..];
        CreateSplitKey = 0x07 "Create Split Key" [V2_0..];
        DeriveKey = 0x08 "Derive Key" [V2_0..];
        Import = 0x09 "Import" [V2_0..];
        JoinSplitKey = 0x0A "Join Split Key" [V2_0..];
        Locate = 0x0B "Locate" [V2_0..];
        Register = 0x0C "Register" [V2_0..];
        ReKey = 0x0D "Re-key" [V2_0..];
        ReCertify = 0x0E "Re-certify" [V2_0..];
        ReKeyKeyPair = 0x0F "Re-key Key Pair" [V2_0..];
        ReKeyKeyPairPrivateKey = 0x10 "Re-key Key Pair Private Key" [V2_0..];
        ReKeyKeyPairPublicKey = 0x11 "Re-key Key Pair Public Key" [V2_0..];
    }
}
