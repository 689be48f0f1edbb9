//! Attribute values that are structures.

use crate::field::structure;
use crate::{
    AlternativeNameType, HashingAlgorithm, KeyFormatType, KeyValueLocationType, LinkType, NameType,
    RevocationReasonCode, RotateNameType, UniqueIdentifier, UsageLimitsUnit,
};

structure! {
    /// Name (KMIP 2.1 §4.32).
    #[derive(Eq, Hash, Debug)]
    Name {
        name_value: String = NAME_VALUE;
        name_type: NameType = NAME_TYPE;
    }

    /// Alternative Name (KMIP 2.1 §4.2).
    #[derive(Eq, Debug)]
    AlternativeName {
        alternative_name_value: String = ALTERNATIVE_NAME_VALUE;
        alternative_name_type: AlternativeNameType = ALTERNATIVE_NAME_TYPE;
    }

    /// Rotate Name (KMIP 2.1 §4.53).
    #[derive(Eq, Debug)]
    RotateName {
        rotate_name_value: String = ROTATE_NAME_VALUE;
        rotate_name_type: RotateNameType = ROTATE_NAME_TYPE;
    }

    /// Link (KMIP 2.1 §4.31).
    #[derive(Eq, Debug)]
    Link {
        link_type: LinkType = LINK_TYPE;
        linked_object_identifier: UniqueIdentifier = LINKED_OBJECT_IDENTIFIER;
    }

    /// Digest (KMIP 2.1 §4.21).
    #[derive(Eq, Debug)]
    Digest {
        hashing_algorithm: HashingAlgorithm = HASHING_ALGORITHM;
        digest_value: Option<Vec<u8>> = DIGEST_VALUE;
        key_format_type: Option<KeyFormatType> = KEY_FORMAT_TYPE [V1_1..];
    }

    /// Usage Limits (KMIP 2.1 §4.59). A client that sets them gives no count.
    #[derive(Eq, Debug)]
    UsageLimits {
        usage_limits_total: Option<i64> = USAGE_LIMITS_TOTAL;
        usage_limits_count: Option<i64> = USAGE_LIMITS_COUNT;
        usage_limits_unit: Option<UsageLimitsUnit> = USAGE_LIMITS_UNIT;
    }

    /// Revocation Reason (KMIP 2.1 §4.47).
    #[derive(Eq, Debug)]
    RevocationReason {
        revocation_reason_code: RevocationReasonCode = REVOCATION_REASON_CODE;
        revocation_message: Option<String> = REVOCATION_MESSAGE;
    }

    /// Application Specific Information (KMIP 2.1 §4.4). The server makes up data that is left out.
    #[derive(Eq, Debug)]
    ApplicationSpecificInformation {
        application_namespace: String = APPLICATION_NAMESPACE;
        application_data: Option<String> = APPLICATION_DATA;
    }

    /// Key Value Location (KMIP 2.1 §4.27).
    #[derive(Eq, Debug)]
    KeyValueLocation {
        key_value_location_value: String = KEY_VALUE_LOCATION_VALUE;
        key_value_location_type: KeyValueLocationType = KEY_VALUE_LOCATION_TYPE;
    }

    /// X.509 Certificate Identifier (KMIP 2.1 §4.61): DER of the issuer's name and of the serial number.
    #[derive(Eq, Debug)]
    X_509CertificateIdentifier {
        issuer_distinguished_name: Vec<u8> = ISSUER_DISTINGUISHED_NAME;
        certificate_serial_number: Vec<u8> = CERTIFICATE_SERIAL_NUMBER;
    }

    /// X.509 Certificate Subject (KMIP 2.1 §4.63): DER of the names.
    #[derive(Eq, Debug)]
    X_509CertificateSubject {
        subject_distinguished_name: Vec<u8> = SUBJECT_DISTINGUISHED_NAME;
        subject_alternative_names: Vec<Vec<u8>> = SUBJECT_ALTERNATIVE_NAME;
    }

    /// X.509 Certificate Issuer (KMIP 2.1 §4.62): DER of the names.
    #[derive(Eq, Debug)]
    X_509CertificateIssuer {
        issuer_distinguished_name: Vec<u8> = ISSUER_DISTINGUISHED_NAME;
        issuer_alternative_names: Vec<Vec<u8>> = ISSUER_ALTERNATIVE_NAME;
    }

    /// Certificate Identifier (KMIP 1.4 §3.13).
    #[derive(Eq, Debug)]
    CertificateIdentifier {
        issuer: String = ISSUER;
        serial_number: Option<String> = SERIAL_NUMBER;
    }

    /// Certificate Subject (KMIP 1.4 §3.14).
    #[derive(Eq, Debug)]
    CertificateSubject {
        certificate_subject_distinguished_name: String = CERTIFICATE_SUBJECT_DISTINGUISHED_NAME;
        certificate_subject_alternative_names: Vec<String> = CERTIFICATE_SUBJECT_ALTERNATIVE_NAME;
    }

    /// Certificate Issuer (KMIP 1.4 §3.15).
    #[derive(Eq, Debug)]
    CertificateIssuer {
        certificate_issuer_distinguished_name: String = CERTIFICATE_ISSUER_DISTINGUISHED_NAME;
        certificate_issuer_alternative_names: Vec<String> = CERTIFICATE_ISSUER_ALTERNATIVE_NAME;
    }
}
