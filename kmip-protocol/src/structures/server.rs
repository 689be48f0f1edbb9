//! What a server says about itself (KMIP 2.1 §7.5, §7.13, §7.31, §7.37, §7.41).

use crate::field::structure;
use crate::{
    AnyItem, DestroyAction, ItemType, ProfileName, RNGMode, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType,
    ValidationType,
};

structure! {
    /// Server Information (KMIP 2.1 §7.37). Up to 1.4 all of its content is the vendor's.
    #[derive(Default)]
    ServerInformation {
        server_name: Option<String> = SERVER_NAME [V2_0..];
        server_serial_number: Option<String> = SERVER_SERIAL_NUMBER [V2_0..];
        server_version: Option<String> = SERVER_VERSION [V2_0..];
        server_load: Option<String> = SERVER_LOAD [V2_0..];
        product_name: Option<String> = PRODUCT_NAME [V2_0..];
        build_level: Option<String> = BUILD_LEVEL [V2_0..];
        build_date: Option<String> = BUILD_DATE [V2_0..];
        cluster_info: Option<String> = CLUSTER_INFO [V2_0..];
        alternate_failover_endpoints: Vec<String> = ALTERNATE_FAILOVER_ENDPOINTS [V2_0..];
        /// Whatever else a vendor says.
        vendor_specific: Vec<AnyItem>;
    }

    /// Extension Information (KMIP 2.1 §7.13).
    #[derive(Eq, Debug)]
    ExtensionInformation {
        extension_name: String = EXTENSION_NAME;
        extension_tag: Option<i32> = EXTENSION_TAG;
        extension_type: Option<ItemType> = EXTENSION_TYPE;
        extension_enumeration: Option<i32> = EXTENSION_ENUMERATION [V2_0..];
        extension_attribute: Option<bool> = EXTENSION_ATTRIBUTE [V2_0..];
        extension_parent_structure_tag: Option<i32> = EXTENSION_PARENT_STRUCTURE_TAG [V2_0..];
        extension_description: Option<String> = EXTENSION_DESCRIPTION [V2_0..];
    }

    /// Profile Information (KMIP 2.1 §7.31).
    #[derive(Eq, Debug)]
    ProfileInformation {
        profile_name: ProfileName = PROFILE_NAME;
        profile_version: Option<ProfileVersion> = PROFILE_VERSION [V2_0..];
        server_uri: Option<String> = SERVER_URI;
        server_port: Option<i32> = SERVER_PORT;
    }

    /// Profile Version (KMIP 2.1 §7.32).
    #[derive(Copy, Eq, Debug)]
    ProfileVersion {
        profile_version_major: i32 = PROFILE_VERSION_MAJOR;
        profile_version_minor: i32 = PROFILE_VERSION_MINOR;
    }

    /// Validation Information (KMIP 2.1 §7.41).
    #[derive(Eq, Debug)]
    ValidationInformation {
        validation_authority_type: ValidationAuthorityType = VALIDATION_AUTHORITY_TYPE;
        validation_authority_country: Option<String> = VALIDATION_AUTHORITY_COUNTRY;
        validation_authority_uri: Option<String> = VALIDATION_AUTHORITY_URI;
        validation_version_major: i32 = VALIDATION_VERSION_MAJOR;
        validation_version_minor: Option<i32> = VALIDATION_VERSION_MINOR;
        validation_type: ValidationType = VALIDATION_TYPE;
        validation_level: i32 = VALIDATION_LEVEL;
        validation_certificate_identifier: Option<String> = VALIDATION_CERTIFICATE_IDENTIFIER;
        validation_certificate_uri: Option<String> = VALIDATION_CERTIFICATE_URI;
        validation_vendor_uri: Option<String> = VALIDATION_VENDOR_URI;
        validation_profiles: Vec<String> = VALIDATION_PROFILE;
    }

    /// Capability Information (KMIP 2.1 §7.5).
    #[derive(Eq, Debug, Default)]
    CapabilityInformation {
        streaming_capability: Option<bool> = STREAMING_CAPABILITY;
        asynchronous_capability: Option<bool> = ASYNCHRONOUS_CAPABILITY;
        attestation_capability: Option<bool> = ATTESTATION_CAPABILITY;
        batch_undo_capability: Option<bool> = BATCH_UNDO_CAPABILITY [V1_4..];
        batch_continue_capability: Option<bool> = BATCH_CONTINUE_CAPABILITY [V1_4..];
        unwrap_mode: Option<UnwrapMode> = UNWRAP_MODE;
        destroy_action: Option<DestroyAction> = DESTROY_ACTION;
        shredding_algorithm: Option<ShreddingAlgorithm> = SHREDDING_ALGORITHM;
        rng_mode: Option<RNGMode> = RNG_MODE;
        quantum_safe_capability: Option<bool> = QUANTUM_SAFE_CAPABILITY [V2_0..];
    }
}
