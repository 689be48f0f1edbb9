//! Signatures against a published value, against themselves, and against what must fail.

use super::error::CryptoError;
use super::generate::PairRequest;
use super::hash::{hash, hashes};
use super::key::{KeyKind, PrivateKey};
use super::post_quantum;
use super::signature::{MessageContext, SignatureScheme, sign, sign_digest, verify, verify_digest};
use kmip_protocol::{
    CryptographicAlgorithm as Algorithm, CryptographicParameters, DigitalSignatureAlgorithm, HashingAlgorithm,
    PaddingMethod, RecommendedCurve,
};

fn pair(algorithm: Algorithm, length: Option<i32>, curve: Option<RecommendedCurve>) -> PrivateKey {
    PairRequest {
        algorithm,
        length,
        curve,
    }
    .generate()
    .unwrap()
}

fn check(scheme: SignatureScheme, key: &PrivateKey) {
    let public = key.public_key().unwrap();
    let data = b"what is signed";
    let mut signature = sign(scheme, key, data).unwrap_or_else(|error| panic!("{scheme:?}: {error}"));
    assert!(verify(scheme, &public, data, &signature).unwrap(), "{scheme:?}");
    assert!(
        !verify(scheme, &public, b"what was not", &signature).unwrap(),
        "{scheme:?}"
    );
    let mut parts = MessageContext::start(scheme).unwrap();
    parts.update(b"what is ").unwrap();
    parts.update(b"signed").unwrap();
    assert!(parts.verify(scheme, &public, &signature).unwrap());
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
    assert!(!verify(scheme, &public, data, &signature).unwrap(), "{scheme:?}");
    for malformed in [&b""[..], b"x", &[0xFF; 600]] {
        assert!(!verify(scheme, &public, data, malformed).unwrap());
    }
}

#[test]
fn rsa_signs_with_every_padding_and_hash() {
    let key = pair(Algorithm::RSA, Some(2048), None);
    for hash in hashes() {
        // The library has no DigestInfo for Whirlpool, and MD2 has none in the provider.
        if ![HashingAlgorithm::Whirlpool, HashingAlgorithm::MD2].contains(&hash) {
            check(SignatureScheme::RsaPkcs1(Some(hash)), &key);
        }
    }
    for hash in [
        HashingAlgorithm::SHA_1,
        HashingAlgorithm::SHA_256,
        HashingAlgorithm::SHA_512,
        HashingAlgorithm::SHA3_256,
    ] {
        for (mask_hash, salt) in [
            (None, None),
            (Some(HashingAlgorithm::SHA_1), Some(0)),
            (Some(HashingAlgorithm::SHA_384), Some(13)),
        ] {
            check(SignatureScheme::RsaPss { hash, mask_hash, salt }, &key);
        }
    }
    for hash in [HashingAlgorithm::SHA_1, HashingAlgorithm::SHA_256] {
        check(SignatureScheme::RsaX931(hash), &key);
    }
    let wrong_salt = SignatureScheme::RsaPss {
        hash: HashingAlgorithm::SHA_256,
        mask_hash: None,
        salt: Some(20),
    };
    let scheme = SignatureScheme::RsaPss {
        hash: HashingAlgorithm::SHA_256,
        mask_hash: None,
        salt: None,
    };
    let signature = sign(scheme, &key, b"data").unwrap();
    assert!(!verify(wrong_salt, &key.public_key().unwrap(), b"data", &signature).unwrap());
    let short = pair(Algorithm::RSA, Some(512), None);
    assert_eq!(
        sign(SignatureScheme::RsaPkcs1(Some(HashingAlgorithm::SHA_512)), &short, b"").err(),
        Some(CryptoError::BadKey)
    );
}

#[test]
fn an_unnamed_mask_hash_is_verified_either_way() {
    let key = pair(Algorithm::RSA, Some(1024), None);
    let named = |mask_hash| SignatureScheme::RsaPss {
        hash: HashingAlgorithm::SHA_256,
        mask_hash,
        salt: None,
    };
    let signature = sign(named(Some(HashingAlgorithm::SHA_1)), &key, b"data").unwrap();
    assert!(verify(named(None), &key.public_key().unwrap(), b"data", &signature).unwrap());
    assert!(
        !verify(
            named(Some(HashingAlgorithm::SHA_256)),
            &key.public_key().unwrap(),
            b"data",
            &signature
        )
        .unwrap()
    );
}

#[test]
fn every_curve_and_message_algorithm_signs() {
    for curve in super::curve::curves() {
        check(
            SignatureScheme::Digest(Some(HashingAlgorithm::SHA_256)),
            &pair(Algorithm::EC, None, Some(curve)),
        );
    }
    check(
        SignatureScheme::Digest(Some(HashingAlgorithm::SHA_1)),
        &pair(Algorithm::DSA, Some(1024), None),
    );
    let key = pair(Algorithm::EC, None, Some(RecommendedCurve::P_256));
    for hash in hashes() {
        check(SignatureScheme::Digest(Some(hash)), &key);
    }
    for algorithm in [
        Algorithm::Ed25519,
        Algorithm::Ed448,
        post_quantum::ML_DSA_44,
        post_quantum::ML_DSA_65,
        post_quantum::ML_DSA_87,
        post_quantum::SLH_DSA_SHA2_128F,
    ] {
        check(SignatureScheme::Message, &pair(algorithm, None, None));
    }
}

#[test]
fn digested_data_signs_as_its_data() {
    let digest = hash(HashingAlgorithm::SHA_256, b"data").unwrap();
    let some = Some(HashingAlgorithm::SHA_256);
    for (key, scheme) in [
        (pair(Algorithm::RSA, Some(1024), None), SignatureScheme::RsaPkcs1(some)),
        (
            pair(Algorithm::RSA, Some(1024), None),
            SignatureScheme::RsaPss {
                hash: HashingAlgorithm::SHA_256,
                mask_hash: None,
                salt: None,
            },
        ),
        (pair(Algorithm::EC, Some(256), None), SignatureScheme::Digest(some)),
    ] {
        let public = key.public_key().unwrap();
        let signature = sign_digest(scheme, &key, &digest).unwrap();
        assert!(verify(scheme, &public, b"data", &signature).unwrap());
        let signature = sign(scheme, &key, b"data").unwrap();
        assert!(verify_digest(scheme, &public, &digest, &signature).unwrap());
        assert_eq!(
            sign_digest(scheme, &key, &digest[1..]).err(),
            Some(CryptoError::BadLength)
        );
    }
    // Without a hash PKCS#1 signs the bytes themselves, as the published case for Digested Data has it.
    let key = pair(Algorithm::RSA, Some(1024), None);
    let raw = SignatureScheme::RsaPkcs1(None);
    let signature = sign_digest(raw, &key, &[7; 16]).unwrap();
    assert!(verify_digest(raw, &key.public_key().unwrap(), &[7; 16], &signature).unwrap());
    assert_eq!(sign(raw, &key, b"data").err(), Some(CryptoError::BadParameters));
    let ed25519 = pair(Algorithm::Ed25519, None, None);
    assert_eq!(
        sign_digest(SignatureScheme::Message, &ed25519, &digest).err(),
        Some(CryptoError::BadParameters)
    );
}

#[test]
fn parameters_choose_the_scheme() {
    let choose = |parameters: CryptographicParameters, kind| SignatureScheme::choose(&parameters, kind);
    let empty = CryptographicParameters::default;
    let digital = |algorithm| CryptographicParameters {
        digital_signature_algorithm: Some(algorithm),
        ..empty()
    };
    let sha256 = Some(HashingAlgorithm::SHA_256);
    let ec = KeyKind::Ec(Some(RecommendedCurve::P_256));
    assert_eq!(
        choose(
            digital(DigitalSignatureAlgorithm::SHA_256WithRSAEncryption),
            KeyKind::Rsa
        ),
        Ok(SignatureScheme::RsaPkcs1(sha256))
    );
    assert_eq!(
        choose(digital(DigitalSignatureAlgorithm::ECDSAWithSHA256), ec),
        Ok(SignatureScheme::Digest(sha256))
    );
    assert_eq!(
        choose(digital(DigitalSignatureAlgorithm::ECDSAWithSHA256), KeyKind::Rsa),
        Err(CryptoError::BadParameters)
    );
    assert_eq!(
        choose(digital(DigitalSignatureAlgorithm::SHA_256WithRSAEncryption), ec),
        Err(CryptoError::BadParameters)
    );
    assert_eq!(
        choose(digital(DigitalSignatureAlgorithm(77)), ec),
        Err(CryptoError::Unsupported)
    );
    let pss = SignatureScheme::RsaPss {
        hash: HashingAlgorithm::SHA_256,
        mask_hash: None,
        salt: None,
    };
    let padded = |padding_method| CryptographicParameters {
        padding_method: Some(padding_method),
        hashing_algorithm: sha256,
        ..empty()
    };
    assert_eq!(choose(padded(PaddingMethod::PSS), KeyKind::Rsa), Ok(pss));
    let by_name = CryptographicParameters {
        hashing_algorithm: sha256,
        ..digital(DigitalSignatureAlgorithm::RSASSA_PSS)
    };
    assert_eq!(choose(by_name, KeyKind::Rsa), Ok(pss));
    assert_eq!(
        choose(padded(PaddingMethod::PKCS1V1_5), KeyKind::Rsa),
        Ok(SignatureScheme::RsaPkcs1(sha256))
    );
    assert_eq!(
        choose(padded(PaddingMethod::OAEP), KeyKind::Rsa),
        Err(CryptoError::BadParameters)
    );
    let named = |algorithm| CryptographicParameters {
        cryptographic_algorithm: Some(algorithm),
        ..empty()
    };
    assert_eq!(
        choose(named(Algorithm::RSA), KeyKind::Rsa),
        Ok(SignatureScheme::RsaPkcs1(None))
    );
    assert_eq!(choose(named(Algorithm::ECDSA), ec), Ok(SignatureScheme::Digest(None)));
    assert_eq!(choose(named(Algorithm::RSA), ec), Err(CryptoError::BadParameters));
    assert_eq!(
        choose(empty(), KeyKind::Edwards(Algorithm::Ed25519)),
        Ok(SignatureScheme::Message)
    );
    assert_eq!(choose(empty(), KeyKind::Dh), Err(CryptoError::BadKey));
    let contradiction = CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_1),
        ..digital(DigitalSignatureAlgorithm::ECDSAWithSHA256)
    };
    assert_eq!(choose(contradiction, ec), Err(CryptoError::BadParameters));
}
