//! Parameters of algorithms.

use crate::field::structure;
use crate::{
    BlockCipherMode, CryptographicAlgorithm, DRBGAlgorithm, DigitalSignatureAlgorithm, FIPS186Variation,
    HashingAlgorithm, KeyRoleType, MaskGenerator, PaddingMethod, RNGAlgorithm, RecommendedCurve,
};
use kmip_ttlv::Secret;

structure! {
    /// Cryptographic Parameters (KMIP 2.1 §4.16).
    #[derive(Default)]
    CryptographicParameters {
        block_cipher_mode: Option<BlockCipherMode> = BLOCK_CIPHER_MODE;
        padding_method: Option<PaddingMethod> = PADDING_METHOD;
        hashing_algorithm: Option<HashingAlgorithm> = HASHING_ALGORITHM;
        key_role_type: Option<KeyRoleType> = KEY_ROLE_TYPE;
        digital_signature_algorithm: Option<DigitalSignatureAlgorithm> = DIGITAL_SIGNATURE_ALGORITHM [V1_2..];
        cryptographic_algorithm: Option<CryptographicAlgorithm> = CRYPTOGRAPHIC_ALGORITHM [V1_2..];
        random_iv: Option<bool> = RANDOM_IV [V1_2..];
        iv_length: Option<i32> = IV_LENGTH [V1_2..];
        tag_length: Option<i32> = TAG_LENGTH [V1_2..];
        fixed_field_length: Option<i32> = FIXED_FIELD_LENGTH [V1_2..];
        invocation_field_length: Option<i32> = INVOCATION_FIELD_LENGTH [V1_2..];
        counter_length: Option<i32> = COUNTER_LENGTH [V1_2..];
        initial_counter_value: Option<i32> = INITIAL_COUNTER_VALUE [V1_2..];
        salt_length: Option<i32> = SALT_LENGTH [V1_4..];
        mask_generator: Option<MaskGenerator> = MASK_GENERATOR [V1_4..];
        mask_generator_hashing_algorithm: Option<HashingAlgorithm> = MASK_GENERATOR_HASHING_ALGORITHM [V1_4..];
        p_source: Option<Vec<u8>> = P_SOURCE [V1_4..];
        trailer_field: Option<i32> = TRAILER_FIELD [V1_4..];
    }

    /// Cryptographic Domain Parameters (KMIP 2.1 §4.14).
    #[derive(Eq, Debug, Default)]
    CryptographicDomainParameters {
        qlength: Option<i32> = QLENGTH;
        recommended_curve: Option<RecommendedCurve> = RECOMMENDED_CURVE;
    }

    /// RNG Parameters (KMIP 2.1 §7.36).
    #[derive(Eq, Debug)]
    RNGParameters {
        rng_algorithm: RNGAlgorithm = RNG_ALGORITHM;
        cryptographic_algorithm: Option<CryptographicAlgorithm> = CRYPTOGRAPHIC_ALGORITHM;
        cryptographic_length: Option<i32> = CRYPTOGRAPHIC_LENGTH;
        hashing_algorithm: Option<HashingAlgorithm> = HASHING_ALGORITHM;
        drbg_algorithm: Option<DRBGAlgorithm> = DRBG_ALGORITHM;
        recommended_curve: Option<RecommendedCurve> = RECOMMENDED_CURVE;
        fips186_variation: Option<FIPS186Variation> = FIPS186_VARIATION;
        prediction_resistance: Option<bool> = PREDICTION_RESISTANCE;
    }

    /// Derivation Parameters (KMIP 2.1 §7.12; up to 1.4 in two forms, of which this is the union).
    DerivationParameters {
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS;
        initialization_vector: Option<Vec<u8>> = INITIALIZATION_VECTOR;
        derivation_data: Vec<Secret> = DERIVATION_DATA;
        salt: Option<Vec<u8>> = SALT;
        iteration_count: Option<i32> = ITERATION_COUNT;
    }
}
