//! Derivation against published values and against what must fail.

use super::derive::{DerivationRequest, agree};
use super::error::CryptoError;
use super::generate::PairRequest;
use super::testing::{hex, secret};
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicParameters, DerivationMethod as Method,
    HashingAlgorithm, RecommendedCurve,
};
use kmip_ttlv::Secret;

fn hashed(hash: HashingAlgorithm) -> CryptographicParameters {
    CryptographicParameters {
        hashing_algorithm: Some(hash),
        ..CryptographicParameters::default()
    }
}

fn request<'a>(
    method: Method,
    base: &'a Secret,
    parameters: &'a CryptographicParameters,
    length: usize,
) -> DerivationRequest<'a> {
    DerivationRequest {
        method,
        base: Some(base),
        base_algorithm: None,
        agreement: None,
        parameters,
        initialization_vector: None,
        data: &[],
        salt: None,
        iteration_count: None,
        length,
    }
}

#[test]
fn pbkdf2_gives_rfc_6070() {
    let (password, none) = (Secret::copy_from(b"password"), CryptographicParameters::default());
    let with = |rounds| DerivationRequest {
        salt: Some(b"salt"),
        iteration_count: Some(rounds),
        ..request(Method::PBKDF2, &password, &none, 20)
    };
    assert_eq!(
        with(1).derive().unwrap().expose(),
        hex("0c60c80f961f0e71f3a9b524af6012062fe037a6")
    );
    assert_eq!(
        with(4096).derive().unwrap().expose(),
        hex("4b007901b765489abead49d926f721d065a429c1")
    );
    assert_eq!(with(0).derive().err(), Some(CryptoError::BadParameters));
    assert_eq!(with(i32::MAX).derive().err(), Some(CryptoError::BadParameters));
    assert!(with(4096).is_heavy() && !with(1).is_heavy());
    assert_eq!(
        request(Method::PBKDF2, &password, &none, 20).derive().err(),
        Some(CryptoError::BadParameters)
    );
    let sha256 = hashed(HashingAlgorithm::SHA_256);
    let made = DerivationRequest {
        parameters: &sha256,
        ..with(4096)
    }
    .derive()
    .unwrap();
    assert_eq!(made.expose(), hex("c5e478d59288c841aa530db6845c4c8d962893a0"));
}

#[test]
fn hkdf_gives_rfc_5869() {
    let base = Secret::new(vec![0x0B; 22]);
    let none = CryptographicParameters::default();
    let info = [secret("f0f1f2f3f4f5f6f7f8f9")];
    let salt = hex("000102030405060708090a0b0c");
    let with = DerivationRequest {
        salt: Some(&salt),
        data: &info,
        ..request(Method::HKDF, &base, &none, 42)
    };
    let value = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(with.derive().unwrap().expose(), hex(value));
    let bare = request(Method::HKDF, &base, &none, 42).derive().unwrap();
    assert_eq!(
        bare.expose(),
        hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    );
    assert_eq!(
        request(Method::HKDF, &base, &none, 255 * 32 + 1).derive().err(),
        Some(CryptoError::BadLength)
    );
}

#[test]
fn the_aws_key_is_the_documentations() {
    // The example of the AWS documentation, "Examples of how to derive a signing key".
    let base = Secret::copy_from(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let none = CryptographicParameters::default();
    let data = ["20120215", "us-east-1", "iam"].map(|part| Secret::copy_from(part.as_bytes()));
    let with = DerivationRequest {
        data: &data,
        ..request(Method::AWSSignatureVersion4, &base, &none, 32)
    };
    assert_eq!(
        with.derive().unwrap().expose(),
        hex("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d")
    );
    let short = DerivationRequest {
        data: &data[..2],
        ..with
    };
    assert_eq!(short.derive().err(), Some(CryptoError::BadParameters));
}

#[test]
fn hash_hmac_and_encrypt_give_their_first_bytes() {
    let base = secret("2b7e151628aed2a6abf7158809cf4f3c");
    let sha256 = hashed(HashingAlgorithm::SHA_256);
    let abc = [Secret::copy_from(b"a"), Secret::copy_from(b"bc")];
    let with = |method, length| DerivationRequest {
        data: &abc,
        ..request(method, &base, &sha256, length)
    };
    assert_eq!(
        with(Method::HASH, 16).derive().unwrap().expose(),
        hex("ba7816bf8f01cfea414140de5dae2223")
    );
    let of_key = request(Method::HASH, &base, &sha256, 32).derive().unwrap();
    assert_eq!(
        of_key.expose(),
        super::hash::hash(HashingAlgorithm::SHA_256, base.expose()).unwrap()
    );
    assert_eq!(with(Method::HASH, 33).derive().err(), Some(CryptoError::BadLength));
    assert_eq!(with(Method::HMAC, 32).derive().unwrap().len(), 32);
    // More than one HMAC gives is HKDF.
    let expanded = with(Method::HMAC, 33).derive().unwrap();
    assert_eq!(expanded.expose(), with(Method::HKDF, 33).derive().unwrap().expose());
    assert_eq!(
        request(Method::HMAC, &base, &sha256, 32).derive().err(),
        Some(CryptoError::BadParameters)
    );
    // NIST SP 800-38A, F.1.1 and F.2.1.
    let block = [secret("6bc1bee22e409f96e93d7e117393172a")];
    let mode = |mode| CryptographicParameters {
        block_cipher_mode: Some(mode),
        ..CryptographicParameters::default()
    };
    let (ecb, cbc) = (mode(BlockCipherMode::ECB), mode(BlockCipherMode::CBC));
    let aes = |parameters| DerivationRequest {
        base_algorithm: Some(Algorithm::AES),
        data: &block,
        ..request(Method::ENCRYPT, &base, parameters, 16)
    };
    assert_eq!(
        aes(&ecb).derive().unwrap().expose(),
        hex("3ad77bb40d7a3660a89ecaf32466ef97")
    );
    let iv = hex("000102030405060708090a0b0c0d0e0f");
    let with_iv = DerivationRequest {
        initialization_vector: Some(&iv),
        ..aes(&cbc)
    };
    assert_eq!(
        with_iv.derive().unwrap().expose(),
        hex("7649abac8119b246cee98e9b12e9197d")
    );
    // Without a vector it is zeros, so that the same key is derived again.
    assert_eq!(
        aes(&cbc).derive().unwrap().expose(),
        hex("3ad77bb40d7a3660a89ecaf32466ef97")
    );
}

#[test]
fn nist_800_108_is_what_it_is_made_of() {
    let base = secret("0102030405060708090a0b0c0d0e0f10");
    let sha256 = hashed(HashingAlgorithm::SHA_256);
    let data = [Secret::copy_from(b"label\0context")];
    let hmac =
        |data: &[u8]| super::mac::mac(super::mac::MacMethod::Hmac(HashingAlgorithm::SHA_256), &base, data).unwrap();
    let with = |method| DerivationRequest {
        data: &data,
        ..request(method, &base, &sha256, 40)
    };
    let counter = |number: u8| [0, 0, 0, number];
    let fixed = data[0].expose();
    let first = hmac(&[&counter(1), fixed].concat());
    let second = hmac(&[&counter(2), fixed].concat());
    assert_eq!(
        with(Method::NIST800_108_C).derive().unwrap().expose(),
        &[first.clone(), second].concat()[..40]
    );
    let next = hmac(&[&first[..], &counter(2), fixed].concat());
    assert_eq!(
        with(Method::NIST800_108_F).derive().unwrap().expose(),
        &[first, next].concat()[..40]
    );
    let (a1, a2) = (hmac(fixed), hmac(&hmac(fixed)));
    let first = hmac(&[&a1[..], &counter(1), fixed].concat());
    let second = hmac(&[&a2[..], &counter(2), fixed].concat());
    assert_eq!(
        with(Method::NIST800_108_DPI).derive().unwrap().expose(),
        &[first, second].concat()[..40]
    );
    let none = CryptographicParameters::default();
    let cmac = DerivationRequest {
        parameters: &none,
        base_algorithm: Some(Algorithm::AES),
        ..with(Method::NIST800_108_C)
    };
    assert_eq!(cmac.derive().unwrap().len(), 40);
}

/// Values that OpenSSL's KBKDF and HMAC of another library give, with a separator and without the length.
#[test]
fn nist_800_108_gives_what_others_do() {
    let (base, sha256) = (Secret::new((0..32).collect()), hashed(HashingAlgorithm::SHA_256));
    let data = [Secret::copy_from(b"label\0context")];
    let vector = [0x55; 32];
    for (method, value) in [
        (
            Method::NIST800_108_C,
            "18b8910606f09c475658fb393a63521855b7deee922916562c76d87ba4f91aa88d4d4fe95ec82226c6c2bead07a2dfca\
             e6d7c533a683da11b3d108126b583047a817310bab5689850e79df7e76c77098",
        ),
        (
            Method::NIST800_108_F,
            "86e010c705d81796bd34408f782979ca5879365fc37a7095719326adb4c19a62c16e69690d194696f35f17958e076d58\
             c729e38843d220aa55f329dc30b079808f8f70ce14b10c73b40bfd1c2eac34f8",
        ),
        (
            Method::NIST800_108_DPI,
            "80d3e0462dfaf65bdca1b3602dd52bd373e6c927a1a184164c6b71fe08fc665b5bb5a1a7788f40db135c5f3095d0974e\
             45dbd350e0feaa4fdd9108b203068c0a44c36ad8f83b2302c803f433b8731238",
        ),
    ] {
        let request = DerivationRequest {
            data: &data,
            initialization_vector: Some(&vector),
            ..request(method, &base, &sha256, 80)
        };
        assert_eq!(request.derive().unwrap().expose(), hex(value));
    }
    let (base, none) = (Secret::new((0..16).collect()), CryptographicParameters::default());
    let cmac = DerivationRequest {
        data: &data,
        base_algorithm: Some(Algorithm::AES),
        ..request(Method::NIST800_108_C, &base, &none, 40)
    };
    let value = "042226feaeda38b74d524e5778eac4bf3532e39ce7c2552c025c69c9d0b56d7b208957e6946947f3";
    assert_eq!(cmac.derive().unwrap().expose(), hex(value));
}

#[test]
fn both_sides_of_an_agreement_derive_the_same() {
    let none = CryptographicParameters::default();
    for (algorithm, length, curve) in [
        (Algorithm::EC, None, Some(RecommendedCurve::SECP256K1)),
        (Algorithm::EC, None, Some(RecommendedCurve::BRAINPOOLP384R1)),
        (Algorithm::ECDH, None, Some(RecommendedCurve::CURVE25519)),
        (Algorithm::DH, Some(2048), None),
    ] {
        let make = || {
            PairRequest {
                algorithm,
                length,
                curve,
            }
            .generate()
            .unwrap()
        };
        let (one, other) = (make(), make());
        let (one_public, other_public) = (one.public_key().unwrap(), other.public_key().unwrap());
        let empty = Secret::default();
        let with = |agreement, length| DerivationRequest {
            agreement: Some(agreement),
            base: None,
            ..request(Method::AsymmetricKey, &empty, &none, length)
        };
        let first = with((&one, &other_public), 32).derive().unwrap();
        assert!(first == with((&other, &one_public), 32).derive().unwrap());
        assert_eq!(
            with((&one, &other_public), 1000).derive().err(),
            Some(CryptoError::BadLength)
        );
    }
    let make = |curve| {
        PairRequest {
            algorithm: Algorithm::EC,
            length: None,
            curve: Some(curve),
        }
        .generate()
        .unwrap()
    };
    let (one, other) = (make(RecommendedCurve::P_256), make(RecommendedCurve::P_384));
    assert_eq!(
        agree(&one, &other.public_key().unwrap()).err(),
        Some(CryptoError::BadKey)
    );
    let empty = Secret::default();
    assert_eq!(
        request(Method::AsymmetricKey, &empty, &none, 32).derive().err(),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(
        request(Method(99), &empty, &none, 32).derive().err(),
        Some(CryptoError::Unsupported)
    );
    assert_eq!(
        request(Method::HKDF, &empty, &none, 0).derive().err(),
        Some(CryptoError::BadLength)
    );
}
