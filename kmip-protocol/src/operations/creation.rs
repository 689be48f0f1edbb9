//! Operations that make objects: create, register, derive, split, certify, re-key, import.

use crate::field::structure;
use crate::{
    BigInteger, Certificate, CertificateRequest, CertificateRequestType, DerivationMethod, DerivationParameters,
    Interval, KeyWrapType, ManagedObject, ObjectType, ProtectionStorageMasks, SecretDataType, SplitKeyMethod,
    TemplateAttribute, UniqueIdentifier, attribute::Attributes,
};

structure! {
    /// Create (KMIP 2.1 §6.1.8).
    CreateRequest {
        object_type: ObjectType = OBJECT_TYPE;
        attributes: TemplateAttribute = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Create, the answer.
    CreateResponse {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifier: String = UNIQUE_IDENTIFIER;
        /// Attributes that the server set by itself.
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Create Key Pair (KMIP 2.1 §6.1.9).
    #[derive(Default)]
    CreateKeyPairRequest {
        common_attributes: Option<TemplateAttribute> = COMMON_TEMPLATE_ATTRIBUTE [..=V1_4] | COMMON_ATTRIBUTES [V2_0..];
        private_key_attributes: Option<TemplateAttribute> =
            PRIVATE_KEY_TEMPLATE_ATTRIBUTE [..=V1_4] | PRIVATE_KEY_ATTRIBUTES [V2_0..];
        public_key_attributes: Option<TemplateAttribute> =
            PUBLIC_KEY_TEMPLATE_ATTRIBUTE [..=V1_4] | PUBLIC_KEY_ATTRIBUTES [V2_0..];
        common_protection_storage_masks: Option<ProtectionStorageMasks> = COMMON_PROTECTION_STORAGE_MASKS [V2_0..];
        private_protection_storage_masks: Option<ProtectionStorageMasks> = PRIVATE_PROTECTION_STORAGE_MASKS [V2_0..];
        public_protection_storage_masks: Option<ProtectionStorageMasks> = PUBLIC_PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Create Key Pair, the answer.
    CreateKeyPairResponse {
        private_key_unique_identifier: String = PRIVATE_KEY_UNIQUE_IDENTIFIER;
        public_key_unique_identifier: String = PUBLIC_KEY_UNIQUE_IDENTIFIER;
        private_key_attributes: Option<TemplateAttribute> = PRIVATE_KEY_TEMPLATE_ATTRIBUTE [..=V1_4];
        public_key_attributes: Option<TemplateAttribute> = PUBLIC_KEY_TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Register (KMIP 2.1 §6.1.43).
    RegisterRequest {
        object_type: ObjectType = OBJECT_TYPE;
        attributes: TemplateAttribute = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        /// The object.
        object: ManagedObject;
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Register, the answer.
    RegisterResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Re-key (KMIP 2.1 §6.1.46).
    #[derive(Default)]
    ReKeyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        offset: Option<Interval> = OFFSET;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Re-key, the answer.
    ReKeyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Re-key Key Pair (KMIP 2.1 §6.1.47).
    #[derive(Default)]
    ReKeyKeyPairRequest {
        private_key_unique_identifier: Option<UniqueIdentifier> = PRIVATE_KEY_UNIQUE_IDENTIFIER;
        offset: Option<Interval> = OFFSET;
        common_attributes: Option<TemplateAttribute> = COMMON_TEMPLATE_ATTRIBUTE [..=V1_4] | COMMON_ATTRIBUTES [V2_0..];
        private_key_attributes: Option<TemplateAttribute> =
            PRIVATE_KEY_TEMPLATE_ATTRIBUTE [..=V1_4] | PRIVATE_KEY_ATTRIBUTES [V2_0..];
        public_key_attributes: Option<TemplateAttribute> =
            PUBLIC_KEY_TEMPLATE_ATTRIBUTE [..=V1_4] | PUBLIC_KEY_ATTRIBUTES [V2_0..];
        common_protection_storage_masks: Option<ProtectionStorageMasks> = COMMON_PROTECTION_STORAGE_MASKS [V2_0..];
        private_protection_storage_masks: Option<ProtectionStorageMasks> = PRIVATE_PROTECTION_STORAGE_MASKS [V2_0..];
        public_protection_storage_masks: Option<ProtectionStorageMasks> = PUBLIC_PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Re-key Key Pair, the answer.
    ReKeyKeyPairResponse {
        private_key_unique_identifier: String = PRIVATE_KEY_UNIQUE_IDENTIFIER;
        public_key_unique_identifier: String = PUBLIC_KEY_UNIQUE_IDENTIFIER;
        private_key_attributes: Option<TemplateAttribute> = PRIVATE_KEY_TEMPLATE_ATTRIBUTE [..=V1_4];
        public_key_attributes: Option<TemplateAttribute> = PUBLIC_KEY_TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Derive Key (KMIP 2.1 §6.1.14).
    DeriveKeyRequest {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifiers: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        derivation_method: DerivationMethod = DERIVATION_METHOD;
        derivation_parameters: DerivationParameters = DERIVATION_PARAMETERS;
        attributes: TemplateAttribute = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
    }

    /// Derive Key, the answer.
    DeriveKeyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Certify (KMIP 2.1 §6.1.6).
    #[derive(Default)]
    CertifyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        certificate_request_type: Option<CertificateRequestType> = CERTIFICATE_REQUEST_TYPE;
        certificate_request: Option<Vec<u8>> = CERTIFICATE_REQUEST [..=V1_4] | CERTIFICATE_REQUEST_VALUE [V2_0..];
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Certify, the answer.
    CertifyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Re-certify (KMIP 2.1 §6.1.45).
    #[derive(Default)]
    ReCertifyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        certificate_request_unique_identifier: Option<UniqueIdentifier> =
            CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER [V2_0..];
        certificate_request_type: Option<CertificateRequestType> = CERTIFICATE_REQUEST_TYPE;
        certificate_request: Option<Vec<u8>> = CERTIFICATE_REQUEST [..=V1_4] | CERTIFICATE_REQUEST_VALUE [V2_0..];
        offset: Option<Interval> = OFFSET;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Re-certify, the answer.
    ReCertifyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Create Split Key (KMIP 2.1 §6.1.10).
    CreateSplitKeyRequest {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        split_key_parts: i32 = SPLIT_KEY_PARTS;
        split_key_threshold: i32 = SPLIT_KEY_THRESHOLD;
        split_key_method: SplitKeyMethod = SPLIT_KEY_METHOD;
        prime_field_size: Option<BigInteger> = PRIME_FIELD_SIZE;
        attributes: TemplateAttribute = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Create Split Key, the answer.
    CreateSplitKeyResponse {
        object_type: Option<ObjectType> = OBJECT_TYPE [V1_2..=V1_2];
        unique_identifiers: Vec<String> = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Join Split Key (KMIP 2.1 §6.1.27).
    JoinSplitKeyRequest {
        object_type: ObjectType = OBJECT_TYPE;
        unique_identifiers: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        secret_data_type: Option<SecretDataType> = SECRET_DATA_TYPE;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        protection_storage_masks: Option<ProtectionStorageMasks> = PROTECTION_STORAGE_MASKS [V2_0..];
    }

    /// Join Split Key, the answer.
    JoinSplitKeyResponse {
        object_type: Option<ObjectType> = OBJECT_TYPE [V1_2..=V1_2];
        unique_identifier: String = UNIQUE_IDENTIFIER;
        attributes: Option<TemplateAttribute> = TEMPLATE_ATTRIBUTE [..=V1_4];
    }

    /// Import (KMIP 2.1 §6.1.25).
    ImportRequest {
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER;
        object_type: Option<ObjectType> = OBJECT_TYPE [V2_0..];
        replace_existing: Option<bool> = REPLACE_EXISTING;
        key_wrap_type: Option<KeyWrapType> = KEY_WRAP_TYPE;
        attributes: Attributes = ATTRIBUTE [..=V1_4] | ATTRIBUTES [V2_0..];
        /// The object.
        object: ManagedObject;
    }

    /// Import, the answer.
    ImportResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
    }

    /// Re-Provision (KMIP 2.1 §6.1.48).
    #[derive(Default)]
    ReProvisionRequest {
        certificate_request: Option<CertificateRequest> = CERTIFICATE_REQUEST;
        certificate: Option<Certificate> = CERTIFICATE;
    }

    /// Re-Provision, the answer.
    #[derive(Default)]
    ReProvisionResponse {
        unique_identifier: Option<String> = UNIQUE_IDENTIFIER;
    }
}
