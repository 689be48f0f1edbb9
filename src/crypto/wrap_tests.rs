//! Wrapping and unwrapping, by every method, with what must fail.

use super::error::CryptoError;
use super::generate::PairRequest;
use super::testing::{hex, secret};
use super::wrap::{AuthenticationKey, EncryptionKey, WrappingKeys, unwrap, wrap};
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicParameters, EncodingOption, HashingAlgorithm,
    KeyBlock, KeyFormatType, KeyMaterial, KeyValue, KeyWrappingSpecification, PaddingMethod, PlainKeyValue,
    TransparentSymmetricKey, Version, WrappingMethod,
};
use kmip_ttlv::Secret;

fn version() -> Version {
    Version::from_numbers(2, 1).unwrap()
}

fn block(material: KeyMaterial) -> KeyBlock {
    let format = match material {
        KeyMaterial::Bytes(_) => KeyFormatType::Raw,
        _ => KeyFormatType::TransparentSymmetricKey,
    };
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: material,
            attributes: None,
        })),
        cryptographic_algorithm: Some(Algorithm::AES),
        cryptographic_length: Some(128),
        key_wrapping_data: None,
    }
}

fn specification(wrapping_method: WrappingMethod, encoding_option: Option<EncodingOption>) -> KeyWrappingSpecification {
    KeyWrappingSpecification {
        wrapping_method,
        encryption_key_information: None,
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option,
    }
}

fn mode(mode: BlockCipherMode) -> CryptographicParameters {
    let padding_method = Some(PaddingMethod::PKCS5);
    CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method,
        ..CryptographicParameters::default()
    }
}

fn encrypting(key: &Secret, parameters: CryptographicParameters) -> WrappingKeys<'_> {
    WrappingKeys {
        encryption: Some((EncryptionKey::Symmetric(Algorithm::AES, key), parameters)),
        authentication: None,
    }
}

#[test]
fn rfc_3394_is_the_default_and_the_published_case() {
    let kek = secret("000102030405060708090a0b0c0d0e0f");
    let key = block(KeyMaterial::Bytes(secret("00112233445566778899aabbccddeeff")));
    let keys = encrypting(&kek, CryptographicParameters::default());
    let specification = specification(WrappingMethod::Encrypt, Some(EncodingOption::NoEncoding));
    let wrapped = wrap(&key, &specification, &keys, version()).unwrap();
    let Some(KeyValue::Wrapped(bytes)) = &wrapped.key_value else {
        panic!()
    };
    assert_eq!(bytes.expose(), hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"));
    assert!(unwrap(&wrapped, &keys, version()).unwrap() == key);
    // Some clients send the wrapped bytes as key material.
    let inside = KeyValue::Plain(PlainKeyValue {
        key_material: KeyMaterial::Bytes(bytes.clone()),
        attributes: None,
    });
    let other_form = KeyBlock {
        key_value: Some(inside),
        ..wrapped.clone()
    };
    assert!(unwrap(&other_form, &keys, version()).unwrap() == key);
    let other = secret("0f0102030405060708090a0b0c0d0e0f");
    assert_eq!(
        unwrap(
            &wrapped,
            &encrypting(&other, CryptographicParameters::default()),
            version()
        )
        .err(),
        Some(CryptoError::Failed)
    );
}

#[test]
fn every_mode_and_encoding_comes_back() {
    let kek = Secret::new((0..32).collect());
    let raw = block(KeyMaterial::Bytes(Secret::new(vec![9; 16])));
    let transparent = block(KeyMaterial::TransparentSymmetricKey(Box::new(
        TransparentSymmetricKey {
            key: Secret::new(vec![9; 16]),
        },
    )));
    for parameters in [
        mode(BlockCipherMode::NISTKeyWrap),
        mode(BlockCipherMode::AESKeyWrapPadding),
        mode(BlockCipherMode::CBC),
        mode(BlockCipherMode::GCM),
        mode(BlockCipherMode::CCM),
        mode(BlockCipherMode::CTR),
    ] {
        let keys = encrypting(&kek, parameters);
        for (block, option) in [
            (&raw, None),
            (&raw, Some(EncodingOption::NoEncoding)),
            (&raw, Some(EncodingOption::TTLVEncoding)),
            (&transparent, None),
        ] {
            let wrapped = wrap(block, &specification(WrappingMethod::Encrypt, option), &keys, version()).unwrap();
            assert!(unwrap(&wrapped, &keys, version()).unwrap() == *block);
        }
        let refused = wrap(
            &transparent,
            &specification(WrappingMethod::Encrypt, Some(EncodingOption::NoEncoding)),
            &keys,
            version(),
        );
        assert_eq!(refused.err(), Some(CryptoError::BadEncoding));
    }
}

#[test]
fn rsa_wraps_and_its_private_half_unwraps() {
    let pair = PairRequest {
        algorithm: Algorithm::RSA,
        length: Some(2048),
        curve: None,
    }
    .generate()
    .unwrap();
    let public = pair.public_key().unwrap();
    let key = block(KeyMaterial::Bytes(Secret::new(vec![9; 32])));
    for padding in [PaddingMethod::OAEP, PaddingMethod::PKCS1V1_5] {
        let parameters = CryptographicParameters {
            padding_method: Some(padding),
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::default()
        };
        let keys = |key| WrappingKeys {
            encryption: Some((key, parameters.clone())),
            authentication: None,
        };
        let wrapped = wrap(
            &key,
            &specification(WrappingMethod::Encrypt, None),
            &keys(EncryptionKey::Public(&public)),
            version(),
        )
        .unwrap();
        assert!(unwrap(&wrapped, &keys(EncryptionKey::Private(&pair)), version()).unwrap() == key);
        assert_eq!(
            unwrap(&wrapped, &keys(EncryptionKey::Public(&public)), version()).err(),
            Some(CryptoError::BadKey)
        );
    }
}

#[test]
fn macs_and_signatures_are_checked() {
    let kek = Secret::new((0..16).collect());
    let signer = PairRequest {
        algorithm: Algorithm::EC,
        length: Some(256),
        curve: None,
    }
    .generate()
    .unwrap();
    let verifier = signer.public_key().unwrap();
    let key = block(KeyMaterial::Bytes(Secret::new(vec![9; 16])));
    let sha256 = || CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        ..CryptographicParameters::default()
    };
    for method in [
        WrappingMethod::MACSign,
        WrappingMethod::EncryptThenMACSign,
        WrappingMethod::MACSignThenEncrypt,
    ] {
        for signs in [false, true] {
            let keys = |makes: bool| WrappingKeys {
                encryption: Some((
                    EncryptionKey::Symmetric(Algorithm::AES, &kek),
                    CryptographicParameters::default(),
                )),
                authentication: Some((
                    match (signs, makes) {
                        (false, _) => AuthenticationKey::Symmetric(Some(Algorithm::HMAC_SHA256), &kek),
                        (true, true) => AuthenticationKey::Private(&signer),
                        (true, false) => AuthenticationKey::Public(&verifier),
                    },
                    sha256(),
                )),
            };
            let mut wrapped = wrap(&key, &specification(method, None), &keys(true), version()).unwrap();
            assert!(unwrap(&wrapped, &keys(false), version()).unwrap() == key);
            let data = wrapped.key_wrapping_data.as_mut().unwrap();
            *data.mac_signature.as_mut().unwrap().last_mut().unwrap() ^= 1;
            assert_eq!(
                unwrap(&wrapped, &keys(false), version()).err(),
                Some(CryptoError::Failed)
            );
            wrapped.key_wrapping_data.as_mut().unwrap().mac_signature = None;
            assert_eq!(
                unwrap(&wrapped, &keys(false), version()).err(),
                Some(CryptoError::BadParameters)
            );
        }
    }
}

#[test]
fn what_is_missing_or_unknown_is_refused() {
    let key = block(KeyMaterial::Bytes(Secret::new(vec![9; 16])));
    let refused = |method, keys: &WrappingKeys<'_>| wrap(&key, &specification(method, None), keys, version()).err();
    assert_eq!(
        refused(WrappingMethod::Encrypt, &WrappingKeys::default()),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(
        refused(WrappingMethod::MACSign, &WrappingKeys::default()),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(
        refused(WrappingMethod::TR_31, &WrappingKeys::default()),
        Some(CryptoError::Unsupported)
    );
    assert_eq!(
        unwrap(&key, &WrappingKeys::default(), version()).err(),
        Some(CryptoError::BadParameters)
    );
    let kek = Secret::new(vec![1; 16]);
    let keys = encrypting(&kek, CryptographicParameters::default());
    let wrapped = wrap(&key, &specification(WrappingMethod::Encrypt, None), &keys, version()).unwrap();
    assert_eq!(
        wrap(
            &wrapped,
            &specification(WrappingMethod::Encrypt, None),
            &keys,
            version()
        )
        .err(),
        Some(CryptoError::BadKey)
    );
}
