//! Which keys withstand a quantum computer, as far as is known (KMIP 2.1 §4.45).

use super::post_quantum;
use kmip_protocol::CryptographicAlgorithm as Algorithm;

/// The shortest symmetric key that counts as safe, in bits: Grover's search halves what a key is worth, and CNSA 2.0 asks for as much.
const SHORTEST: i32 = 256;

/// Ciphers and MACs that nothing better than a search for the key is known against.
const SYMMETRIC: &[Algorithm] = &[
    Algorithm::AES,
    Algorithm::Camellia,
    Algorithm::ARIA,
    Algorithm::Twofish,
    Algorithm::ChaCha20,
    Algorithm::ChaCha20Poly1305,
    Algorithm::OneTimePad,
    Algorithm::HMAC_SHA256,
    Algorithm::HMAC_SHA384,
    Algorithm::HMAC_SHA512,
    Algorithm::HMAC_SHA3_256,
    Algorithm::HMAC_SHA3_384,
    Algorithm::HMAC_SHA3_512,
];

/// Algorithms made for it that the vocabulary names, whether or not they are carried out here.
const NAMED: &[Algorithm] = &[
    Algorithm::McEliece_6960119,
    Algorithm::McEliece_8192128,
    Algorithm::SPHINCS_256,
];

/// Whether keys of this algorithm and length in bits are safe. Factoring and logarithms, on curves as well, are not hard then.
#[must_use]
pub fn is_quantum_safe(algorithm: Algorithm, length: Option<i32>) -> bool {
    let is_long = length.is_some_and(|length| length >= SHORTEST);
    (SYMMETRIC.contains(&algorithm) && is_long) || NAMED.contains(&algorithm) || post_quantum::row(algorithm).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_keys_and_numbers_are_not_safe() {
        let safe = [
            (Algorithm::AES, Some(256)),
            (Algorithm::HMAC_SHA512, Some(512)),
            (post_quantum::ML_KEM_768, None),
            (Algorithm::SPHINCS_256, None),
        ];
        let unsafe_ones = [
            (Algorithm::AES, Some(128)),
            (Algorithm::AES, Some(192)),
            (Algorithm::AES, None),
            (Algorithm::DES3, Some(168)),
            (Algorithm::RC4, Some(2048)),
            (Algorithm::RSA, Some(16_384)),
            (Algorithm::EC, Some(521)),
            (Algorithm::Ed25519, Some(256)),
            (Algorithm(0x7FFF), Some(4096)),
        ];
        for (algorithm, length) in safe {
            assert!(is_quantum_safe(algorithm, length), "{algorithm}");
        }
        for (algorithm, length) in unsafe_ones {
            assert!(!is_quantum_safe(algorithm, length), "{algorithm}");
        }
    }
}
