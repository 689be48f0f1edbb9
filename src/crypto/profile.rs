//! Which algorithms a tenant's keys may have, where its profile limits them: one table for everything that creates, brings in or
//! uses a key. It is mapped to BSI TR-02102-1; what is not listed is refused.

use kmip_protocol::{
    BlockCipherMode, CryptoProfile, CryptographicAlgorithm, CryptographicParameters, DigitalSignatureAlgorithm,
    HashingAlgorithm, PaddingMethod, RecommendedCurve,
};

/// Algorithms with their shortest and longest keys in bits.
const KEYS: &[(CryptographicAlgorithm, i32, i32)] = &[
    (CryptographicAlgorithm::AES, 128, 256),
    (CryptographicAlgorithm::RSA, 3_000, 16_384),
    (CryptographicAlgorithm::EC, 250, 600),
    (CryptographicAlgorithm::ECDSA, 250, 600),
    (CryptographicAlgorithm::ECDH, 250, 600),
    (CryptographicAlgorithm::HMAC_SHA256, 128, i32::MAX),
    (CryptographicAlgorithm::HMAC_SHA384, 128, i32::MAX),
    (CryptographicAlgorithm::HMAC_SHA512, 128, i32::MAX),
    (CryptographicAlgorithm::HMAC_SHA3_256, 128, i32::MAX),
    (CryptographicAlgorithm::HMAC_SHA3_384, 128, i32::MAX),
    (CryptographicAlgorithm::HMAC_SHA3_512, 128, i32::MAX),
];

/// Curves of 250 bits or more that were chosen in the open.
const CURVES: &[RecommendedCurve] = &[
    RecommendedCurve::P_256,
    RecommendedCurve::P_384,
    RecommendedCurve::P_521,
    RecommendedCurve::BRAINPOOLP256R1,
    RecommendedCurve::BRAINPOOLP384R1,
    RecommendedCurve::BRAINPOOLP512R1,
];

/// Modes of block ciphers: no ECB, none that only other ciphers have.
const MODES: &[BlockCipherMode] = &[
    BlockCipherMode::CBC,
    BlockCipherMode::CTR,
    BlockCipherMode::CMAC,
    BlockCipherMode::CCM,
    BlockCipherMode::GCM,
    BlockCipherMode::XTS,
    BlockCipherMode::AESKeyWrapPadding,
    BlockCipherMode::NISTKeyWrap,
    BlockCipherMode::AEAD,
];

/// Hash functions.
const HASHES: &[HashingAlgorithm] = &[
    HashingAlgorithm::SHA_256,
    HashingAlgorithm::SHA_384,
    HashingAlgorithm::SHA_512,
    HashingAlgorithm::SHA_512_256,
    HashingAlgorithm::SHA3_256,
    HashingAlgorithm::SHA3_384,
    HashingAlgorithm::SHA3_512,
];

/// Signatures.
const SIGNATURES: &[DigitalSignatureAlgorithm] = &[
    DigitalSignatureAlgorithm::SHA_256WithRSAEncryption,
    DigitalSignatureAlgorithm::SHA_384WithRSAEncryption,
    DigitalSignatureAlgorithm::SHA_512WithRSAEncryption,
    DigitalSignatureAlgorithm::RSASSA_PSS,
    DigitalSignatureAlgorithm::ECDSAWithSHA256,
    DigitalSignatureAlgorithm::ECDSAWithSHA384,
    DigitalSignatureAlgorithm::ECDSAWithSHA512,
    DigitalSignatureAlgorithm::SHA3_256WithRSAEncryption,
    DigitalSignatureAlgorithm::SHA3_384WithRSAEncryption,
    DigitalSignatureAlgorithm::SHA3_512WithRSAEncryption,
];

/// Whether a profile permits a key. What is not known of it, is not judged: secret data has no algorithm.
#[must_use]
pub fn permits_key(
    profile: Option<CryptoProfile>,
    algorithm: Option<CryptographicAlgorithm>,
    length: Option<i32>,
    curve: Option<RecommendedCurve>,
) -> bool {
    if !limits(profile) {
        return true;
    }
    let Some(algorithm) = algorithm else { return true };
    let row = KEYS.iter().find(|(listed, ..)| *listed == algorithm);
    let Some((_, shortest, longest)) = row else {
        return false;
    };
    length.is_none_or(|length| (*shortest..=*longest).contains(&length))
        && curve.is_none_or(|curve| CURVES.contains(&curve))
}

/// Whether a profile permits these parameters. Padding of PKCS #1 v1.5 is permitted for signatures alone.
#[must_use]
pub fn permits_parameters(
    profile: Option<CryptoProfile>,
    parameters: &CryptographicParameters,
    encrypts: bool,
) -> bool {
    if !limits(profile) {
        return true;
    }
    let hash = |hash: Option<HashingAlgorithm>| hash.is_none_or(|hash| HASHES.contains(&hash));
    let padding = parameters.padding_method != Some(PaddingMethod::PKCS1V1_5) || !encrypts;
    let algorithm = permits_key(profile, parameters.cryptographic_algorithm, None, None);
    let signature = parameters.digital_signature_algorithm;
    padding
        && algorithm
        && parameters.block_cipher_mode.is_none_or(|mode| MODES.contains(&mode))
        && signature.is_none_or(|signature| SIGNATURES.contains(&signature))
        && hash(parameters.hashing_algorithm)
        && hash(parameters.mask_generator_hashing_algorithm)
}

/// `interop`, and no profile, permit whatever the server can do.
fn limits(profile: Option<CryptoProfile>) -> bool {
    profile.is_some_and(|profile| profile != CryptoProfile::Interop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BSI: Option<CryptoProfile> = Some(CryptoProfile::Bsi);

    #[test]
    fn keys_that_are_not_listed_are_refused() {
        use CryptographicAlgorithm as A;
        let cases = [
            (A::AES, 128, true),
            (A::AES, 256, true),
            (A::DES3, 168, false),
            (A::RC4, 128, false),
            (A::RSA, 2048, false),
            (A::RSA, 3072, true),
            (A::EC, 192, false),
            (A::ECDSA, 256, true),
            (A::HMAC_SHA1, 256, false),
            (A::HMAC_SHA256, 64, false),
            (A::HMAC_SHA256, 128, true),
            (A::ChaCha20, 256, false),
            (A::DSA, 3072, false),
            (CryptographicAlgorithm(0x7FFF), 256, false),
        ];
        for (algorithm, length, permitted) in cases {
            let judged = permits_key(BSI, Some(algorithm), Some(length), None);
            assert_eq!(judged, permitted, "{algorithm} {length}");
            assert!(permits_key(None, Some(algorithm), Some(length), None));
            assert!(permits_key(
                Some(CryptoProfile::Interop),
                Some(algorithm),
                Some(length),
                None
            ));
        }
        assert!(permits_key(BSI, None, Some(8), None));
        assert!(!permits_key(
            BSI,
            Some(A::EC),
            Some(256),
            Some(RecommendedCurve::SECP256K1)
        ));
        assert!(permits_key(BSI, Some(A::EC), Some(256), Some(RecommendedCurve::P_256)));
        assert!(!permits_key(Some(CryptoProfile(99)), Some(A::DES3), Some(168), None));
    }

    #[test]
    fn parameters_that_are_not_listed_are_refused() {
        let default = CryptographicParameters::default;
        let mode = |mode| CryptographicParameters {
            block_cipher_mode: Some(mode),
            ..default()
        };
        let hash = |hash| CryptographicParameters {
            hashing_algorithm: Some(hash),
            ..default()
        };
        let padding = CryptographicParameters {
            padding_method: Some(PaddingMethod::PKCS1V1_5),
            ..default()
        };
        let signature = CryptographicParameters {
            digital_signature_algorithm: Some(DigitalSignatureAlgorithm::SHA_1WithRSAEncryption),
            ..default()
        };
        let judged = |parameters: &CryptographicParameters| permits_parameters(BSI, parameters, true);
        assert!(judged(&default()) && judged(&mode(BlockCipherMode::GCM)) && judged(&hash(HashingAlgorithm::SHA_256)));
        assert!(!judged(&mode(BlockCipherMode::ECB)) && !judged(&hash(HashingAlgorithm::SHA_1)));
        assert!(!judged(&signature) && !judged(&padding) && permits_parameters(BSI, &padding, false));
        assert!(permits_parameters(None, &mode(BlockCipherMode::ECB), true));
    }
}
