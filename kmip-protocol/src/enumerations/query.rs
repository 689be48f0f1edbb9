//! Enumerations of what a server says about itself. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Query Function (KMIP 2.1 §11.44).
    QueryFunction(QUERY_FUNCTION) {
        QueryOperations = 0x01 "Query Operations";
        QueryObjects = 0x02 "Query Objects";
        QueryServerInformation = 0x03 "Query Server Information";
        QueryApplicationNamespaces = 0x04 "Query Application Namespaces";
        QueryExtensionList = 0x05 "Query Extension List" [V1_1..];
        QueryExtensionMap = 0x06 "Query Extension Map" [V1_1..];
        QueryAttestationTypes = 0x07 "Query Attestation Types" [V1_2..];
        QueryRNGs = 0x08 "Query RNGs" [V1_3..];
        QueryValidations = 0x09 "Query Validations" [V1_3..];
        QueryProfiles = 0x0A "Query Profiles" [V1_3..];
        QueryCapabilities = 0x0B "Query Capabilities" [V1_3..];
        QueryClientRegistrationMethods = 0x0C "Query Client Registration Methods" [V1_3..];
        QueryDefaultsInformation = 0x0D "Query Defaults Information" [V2_0..];
        QueryStorageProtectionMasks = 0x0E "Query Storage Protection Masks" [V2_0..];
    }

    /// Item Type (KMIP 2.1 §11.23).
    ItemType(EXTENSION_TYPE) {
        Structure = 0x01 "Structure" [V2_0..];
        Integer = 0x02 "Integer" [V2_0..];
        LongInteger = 0x03 "Long Integer" [V2_0..];
        BigInteger = 0x04 "Big Integer" [V2_0..];
        Enumeration = 0x05 "Enumeration" [V2_0..];
        Boolean = 0x06 "Boolean" [V2_0..];
        TextString = 0x07 "Text String" [V2_0..];
        ByteString = 0x08 "Byte String" [V2_0..];
        DateTime = 0x09 "Date Time" [V2_0..];
        Interval = 0x0A "Interval" [V2_0..];
        DateTimeExtended = 0x0B "Date Time Extended" [V2_0..];
    }

    /// Client Registration Method (KMIP 2.1 §11.10).
    ClientRegistrationMethod(CLIENT_REGISTRATION_METHOD) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        ServerPreGenerated = 0x02 "Server Pre-Generated" [V1_3..];
        ServerOnDemand = 0x03 "Server On-Demand" [V1_3..];
        ClientGenerated = 0x04 "Client Generated" [V1_3..];
        ClientRegistered = 0x05 "Client Registered" [V1_3..];
    }

    /// Validation Authority Type (KMIP 2.1 §11.63).
    ValidationAuthorityType(VALIDATION_AUTHORITY_TYPE) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        NISTCMVP = 0x02 "NIST CMVP" [V1_3..];
        CommonCriteria = 0x03 "Common Criteria" [V1_3..];
    }

    /// Validation Type (KMIP 2.1 §11.64).
    ValidationType(VALIDATION_TYPE) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        Hardware = 0x02 "Hardware" [V1_3..];
        Software = 0x03 "Software" [V1_3..];
        Firmware = 0x04 "Firmware" [V1_3..];
        Hybrid = 0x05 "Hybrid" [V1_3..];
    }

    /// Unwrap Mode (KMIP 2.1 §11.59).
    UnwrapMode(UNWRAP_MODE) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        Processed = 0x02 "Processed" [V1_3..];
        NotProcessed = 0x03 "Not Processed" [V1_3..];
    }

    /// Destroy Action (KMIP 2.1 §11.15).
    DestroyAction(DESTROY_ACTION) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        KeyMaterialDeleted = 0x02 "Key Material Deleted" [V1_3..];
        KeyMaterialShredded = 0x03 "Key Material Shredded" [V1_3..];
        MetaDataDeleted = 0x04 "Meta Data Deleted" [V1_3..];
        MetaDataShredded = 0x05 "Meta Data Shredded" [V1_3..];
        Deleted = 0x06 "Deleted" [V1_3..];
        Shredded = 0x07 "Shredded" [V1_3..];
    }

    /// Shredding Algorithm (KMIP 2.1 §11.53).
    ShreddingAlgorithm(SHREDDING_ALGORITHM) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        Cryptographic = 0x02 "Cryptographic" [V1_3..];
        Unsupported = 0x03 "Unsupported" [V1_3..];
    }

    /// RNG Mode (KMIP 2.1 §11.50).
    RNGMode(RNG_MODE) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        SharedInstantiation = 0x02 "Shared Instantiation" [V1_3..];
        NonSharedInstantiation = 0x03 "Non-Shared Instantiation" [V1_3..];
    }
}
