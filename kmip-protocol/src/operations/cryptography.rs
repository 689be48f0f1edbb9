//! Operations that use keys, in one part or as a stream (KMIP 1.3 and later).

use crate::field::structure;
use crate::{CryptographicParameters, Data, UniqueIdentifier, ValidityIndicator};
use kmip_ttlv::Secret;

structure! {
    /// Encrypt (KMIP 2.1 §6.1.17).
    #[derive(Default)]
    EncryptRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        iv_counter_nonce: Option<Vec<u8>> = IV_COUNTER_NONCE;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
        authenticated_encryption_additional_data: Option<Vec<u8>> = AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA [V1_4..];
    }

    /// Encrypt, the answer.
    EncryptResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        data: Option<Vec<u8>> = DATA;
        iv_counter_nonce: Option<Vec<u8>> = IV_COUNTER_NONCE;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        authenticated_encryption_tag: Option<Vec<u8>> = AUTHENTICATED_ENCRYPTION_TAG [V1_4..];
    }

    /// Decrypt (KMIP 2.1 §6.1.11).
    #[derive(Default)]
    DecryptRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        iv_counter_nonce: Option<Vec<u8>> = IV_COUNTER_NONCE;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
        authenticated_encryption_additional_data: Option<Vec<u8>> = AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA [V1_4..];
        authenticated_encryption_tag: Option<Vec<u8>> = AUTHENTICATED_ENCRYPTION_TAG [V1_4..];
    }

    /// Decrypt, the answer.
    DecryptResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        data: Option<Secret> = DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }

    /// Sign (KMIP 2.1 §6.1.55).
    #[derive(Default)]
    SignRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        digested_data: Option<Vec<u8>> = DIGESTED_DATA [V1_4..];
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
    }

    /// Sign, the answer.
    SignResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        signature_data: Option<Vec<u8>> = SIGNATURE_DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }

    /// Signature Verify (KMIP 2.1 §6.1.56).
    #[derive(Default)]
    SignatureVerifyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        digested_data: Option<Vec<u8>> = DIGESTED_DATA [V1_4..];
        signature_data: Option<Vec<u8>> = SIGNATURE_DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
    }

    /// Signature Verify, the answer. The indicator may be missing in the midst of a stream only.
    SignatureVerifyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        validity_indicator: Option<ValidityIndicator> = VALIDITY_INDICATOR;
        data: Option<Secret> = DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }

    /// MAC (KMIP 2.1 §6.1.32).
    #[derive(Default)]
    MACRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
    }

    /// MAC, the answer.
    MACResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        mac_data: Option<Vec<u8>> = MAC_DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }

    /// MAC Verify (KMIP 2.1 §6.1.33).
    #[derive(Default)]
    MACVerifyRequest {
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER;
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        mac_data: Option<Vec<u8>> = MAC_DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
    }

    /// MAC Verify, the answer. The indicator may be missing in the midst of a stream only.
    MACVerifyResponse {
        unique_identifier: String = UNIQUE_IDENTIFIER;
        validity_indicator: Option<ValidityIndicator> = VALIDITY_INDICATOR;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }

    /// RNG Retrieve (KMIP 2.1 §6.1.49). The length is in bytes.
    RNGRetrieveRequest {
        data_length: i32 = DATA_LENGTH;
    }

    /// RNG Retrieve, the answer.
    RNGRetrieveResponse {
        data: Secret = DATA;
    }

    /// RNG Seed (KMIP 2.1 §6.1.50).
    RNGSeedRequest {
        data: Data = DATA;
    }

    /// RNG Seed, the answer: how many bytes were used.
    RNGSeedResponse {
        data_length: i32 = DATA_LENGTH;
    }

    /// Hash (KMIP 2.1 §6.1.24).
    HashRequest {
        cryptographic_parameters: CryptographicParameters = CRYPTOGRAPHIC_PARAMETERS;
        data: Option<Data> = DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
        init_indicator: Option<bool> = INIT_INDICATOR [V1_3..];
        final_indicator: Option<bool> = FINAL_INDICATOR [V1_3..];
    }

    /// Hash, the answer.
    #[derive(Default)]
    HashResponse {
        data: Option<Vec<u8>> = DATA;
        correlation_value: Option<Vec<u8>> = CORRELATION_VALUE [V1_3..];
    }
}
