//! Every key in every format it has, there and back.

use super::curve::curves;
use super::error::CryptoError;
use super::format::{convert, default_format, facts, plain};
use super::generate::PairRequest;
use super::key::{PrivateKey, PublicKey};
use super::post_quantum;
use super::private_format::ReadHints;
use super::testing::hex;
use kmip_protocol::{
    CryptographicAlgorithm as Algorithm, KeyBlock, KeyCompressionType as Compression, KeyFormatType as Format,
    KeyMaterial, KeyValue, ObjectType, PlainKeyValue, RecommendedCurve,
};
use kmip_ttlv::Secret;

fn pair(algorithm: Algorithm, length: Option<i32>, curve: Option<RecommendedCurve>) -> PrivateKey {
    PairRequest {
        algorithm,
        length,
        curve,
    }
    .generate()
    .unwrap()
}

fn block(format: Format, material: KeyMaterial, algorithm: Option<Algorithm>, length: Option<i32>) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: material,
            attributes: None,
        })),
        cryptographic_algorithm: algorithm,
        cryptographic_length: length,
        key_wrapping_data: None,
    }
}

fn same(one: &PrivateKey, other: &PrivateKey) -> bool {
    one.matches(&other.public_key().unwrap()) && other.matches(&one.public_key().unwrap())
}

fn check(key: &PrivateKey, private_formats: &[Format], public_formats: &[Format]) {
    let facts = key.facts().unwrap();
    let hints = ReadHints {
        algorithm: Some(facts.algorithm),
        curve: facts.curve,
        password: None,
    };
    for format in private_formats {
        let material = key
            .write(*format)
            .unwrap_or_else(|error| panic!("{} {format}: {error}", facts.algorithm));
        let read = PrivateKey::read(*format, &material, hints)
            .unwrap_or_else(|error| panic!("{} {format}: {error}", facts.algorithm));
        assert!(same(key, &read), "{} {format}", facts.algorithm);
        assert_eq!(read.facts(), Ok(facts));
    }
    let public = key.public_key().unwrap();
    for format in public_formats {
        let material = public
            .write(*format, None)
            .unwrap_or_else(|error| panic!("{} {format}: {error}", facts.algorithm));
        let read = PublicKey::read(*format, &material, hints).unwrap();
        assert!(key.matches(&read), "{} {format}", facts.algorithm);
        assert_eq!(read.facts(), Ok(facts));
    }
}

#[test]
fn every_key_in_every_format_comes_back() {
    let rsa = pair(Algorithm::RSA, Some(1024), None);
    check(
        &rsa,
        &[Format::PKCS_1, Format::PKCS_8, Format::TransparentRSAPrivateKey],
        &[
            Format::PKCS_1,
            Format::X_509,
            Format::PKCS_8,
            Format::TransparentRSAPublicKey,
        ],
    );
    let dsa = pair(Algorithm::DSA, Some(1024), None);
    check(
        &dsa,
        &[Format::PKCS_8, Format::TransparentDSAPrivateKey],
        &[Format::X_509, Format::TransparentDSAPublicKey],
    );
    for length in [1024, 2048] {
        let dh = pair(Algorithm::DH, Some(length), None);
        check(
            &dh,
            &[Format::PKCS_8, Format::TransparentDHPrivateKey],
            &[Format::X_509, Format::TransparentDHPublicKey],
        );
    }
    for curve in curves() {
        let key = pair(Algorithm::EC, None, Some(curve));
        check(
            &key,
            &[
                Format::PKCS_8,
                Format::ECPrivateKey,
                Format::Raw,
                Format::TransparentECPrivateKey,
                Format::TransparentECDSAPrivateKey,
            ],
            &[
                Format::X_509,
                Format::Raw,
                Format::TransparentECPublicKey,
                Format::TransparentECDHPublicKey,
            ],
        );
    }
    for algorithm in [Algorithm::Ed25519, Algorithm::Ed448] {
        check(
            &pair(algorithm, None, None),
            &[Format::PKCS_8, Format::Raw],
            &[Format::X_509, Format::Raw],
        );
    }
    for curve in [RecommendedCurve::CURVE25519, RecommendedCurve::CURVE448] {
        check(
            &pair(Algorithm::ECDH, None, Some(curve)),
            &[Format::PKCS_8, Format::Raw],
            &[Format::X_509, Format::Raw],
        );
    }
    for algorithm in [
        post_quantum::ML_KEM_768,
        post_quantum::ML_DSA_65,
        post_quantum::SLH_DSA_SHA2_128F,
    ] {
        check(&pair(algorithm, None, None), &[Format::PKCS_8], &[Format::X_509]);
    }
}

#[test]
fn points_are_compressed_as_their_field_wants() {
    for (curve, right, wrong) in [
        (
            RecommendedCurve::P_256,
            Compression::ECPublicKeyTypeX9_62CompressedPrime,
            Compression::ECPublicKeyTypeX9_62CompressedChar2,
        ),
        (
            RecommendedCurve::B_283,
            Compression::ECPublicKeyTypeX9_62CompressedChar2,
            Compression::ECPublicKeyTypeX9_62CompressedPrime,
        ),
    ] {
        let key = pair(Algorithm::EC, None, Some(curve));
        let public = key.public_key().unwrap();
        let hints = ReadHints {
            curve: Some(curve),
            ..ReadHints::default()
        };
        for format in [Format::X_509, Format::Raw, Format::TransparentECPublicKey] {
            let mut forms = Vec::new();
            for compression in [
                right,
                Compression::ECPublicKeyTypeUncompressed,
                Compression::ECPublicKeyTypeX9_62Hybrid,
            ] {
                let material = public.write(format, Some(compression)).unwrap();
                assert!(key.matches(&PublicKey::read(format, &material, hints).unwrap()));
                assert!(forms.iter().all(|form| *form != material));
                forms.push(material);
            }
            assert_eq!(public.write(format, Some(wrong)).err(), Some(CryptoError::Unsupported));
        }
    }
}

#[test]
fn an_rsa_key_needs_only_some_of_its_numbers() {
    let key = pair(Algorithm::RSA, Some(1024), None);
    let KeyMaterial::TransparentRSAPrivateKey(whole) = key.write(Format::TransparentRSAPrivateKey).unwrap() else {
        panic!()
    };
    let read = |numbers| {
        PrivateKey::read(
            Format::TransparentRSAPrivateKey,
            &KeyMaterial::TransparentRSAPrivateKey(numbers),
            ReadHints::default(),
        )
    };
    let mut exponents = whole.clone();
    (
        exponents.p,
        exponents.q,
        exponents.prime_exponent_p,
        exponents.prime_exponent_q,
        exponents.crt_coefficient,
    ) = (None, None, None, None, None);
    assert!(same(&key, &read(exponents.clone()).unwrap()));
    let mut factors = whole.clone();
    (factors.private_exponent, factors.public_exponent) = (None, None);
    assert!(same(&key, &read(factors).unwrap()));
    exponents.private_exponent = None;
    assert_eq!(read(exponents).err(), Some(CryptoError::BadKey));
}

#[test]
fn blocks_are_read_checked_and_converted() {
    let bytes = |bytes: &[u8]| KeyMaterial::Bytes(Secret::copy_from(bytes));
    let aes = block(Format::Raw, bytes(&[7; 16]), Some(Algorithm::AES), Some(128));
    let symmetric = |block: &KeyBlock| facts(ObjectType::SymmetricKey, block, ReadHints::default());
    assert_eq!(symmetric(&aes).map(|facts| facts.length), Ok(128));
    let transparent = convert(
        ObjectType::SymmetricKey,
        &aes,
        Format::TransparentSymmetricKey,
        None,
        ReadHints::default(),
    )
    .unwrap();
    assert!(matches!(
        plain(&transparent).unwrap().key_material,
        KeyMaterial::TransparentSymmetricKey(_)
    ));
    assert!(
        convert(
            ObjectType::SymmetricKey,
            &transparent,
            Format::Raw,
            None,
            ReadHints::default()
        )
        .unwrap()
            == aes
    );
    assert_eq!(
        convert(
            ObjectType::SymmetricKey,
            &aes,
            Format::PKCS_1,
            None,
            ReadHints::default()
        )
        .err(),
        Some(CryptoError::Unsupported)
    );
    let wrong = block(Format::Raw, bytes(&[7; 16]), Some(Algorithm::AES), Some(256));
    assert_eq!(symmetric(&wrong).err(), Some(CryptoError::BadKey));

    let key = pair(Algorithm::RSA, Some(1024), None);
    let private = |length| {
        block(
            Format::PKCS_1,
            key.write(Format::PKCS_1).unwrap(),
            Some(Algorithm::RSA),
            length,
        )
    };
    assert_eq!(
        facts(ObjectType::PrivateKey, &private(Some(1024)), ReadHints::default()),
        key.facts()
    );
    assert_eq!(
        facts(ObjectType::PrivateKey, &private(None), ReadHints::default()),
        key.facts()
    );
    assert_eq!(
        facts(ObjectType::PrivateKey, &private(Some(2048)), ReadHints::default()).err(),
        Some(CryptoError::BadKey)
    );
    let said_ec = block(
        Format::PKCS_1,
        key.write(Format::PKCS_1).unwrap(),
        Some(Algorithm::EC),
        None,
    );
    assert_eq!(
        facts(ObjectType::PrivateKey, &said_ec, ReadHints::default()).err(),
        Some(CryptoError::BadKey)
    );
    let pkcs8 = convert(
        ObjectType::PrivateKey,
        &private(Some(1024)),
        Format::PKCS_8,
        None,
        ReadHints::default(),
    )
    .unwrap();
    assert_eq!(pkcs8.key_format_type, Format::PKCS_8);
    assert!(same(&key, &PrivateKey::of(&pkcs8, ReadHints::default()).unwrap()));
    assert_eq!(
        convert(
            ObjectType::PrivateKey,
            &pkcs8,
            Format::ECPrivateKey,
            None,
            ReadHints::default()
        )
        .err(),
        Some(CryptoError::Unsupported)
    );
}

#[test]
fn what_is_no_key_is_refused() {
    let nonsense = KeyMaterial::Bytes(Secret::copy_from(b"nonsense"));
    for format in [
        Format::PKCS_1,
        Format::PKCS_8,
        Format::ECPrivateKey,
        Format::Raw,
        Format::Opaque,
        Format::PKCS_12,
    ] {
        assert_eq!(
            PrivateKey::read(format, &nonsense, ReadHints::default()).err(),
            Some(CryptoError::BadKey),
            "{format}"
        );
    }
    for format in [Format::PKCS_1, Format::X_509, Format::Raw, Format::Opaque] {
        assert_eq!(
            PublicKey::read(format, &nonsense, ReadHints::default()).err(),
            Some(CryptoError::BadKey),
            "{format}"
        );
    }
    assert_eq!(
        PublicKey::read(Format::PKCS_12, &nonsense, ReadHints::default()).err(),
        Some(CryptoError::Unsupported)
    );
    let not_on_curve = KeyMaterial::Bytes(Secret::new([&[4][..], &[1; 64]].concat()));
    let hints = ReadHints {
        curve: Some(RecommendedCurve::P_256),
        ..ReadHints::default()
    };
    assert_eq!(
        PublicKey::read(Format::Raw, &not_on_curve, hints).err(),
        Some(CryptoError::BadKey)
    );
    let zero = KeyMaterial::Bytes(Secret::new(vec![0; 32]));
    assert_eq!(
        PrivateKey::read(Format::Raw, &zero, hints).err(),
        Some(CryptoError::BadKey)
    );
}

#[test]
fn encrypted_private_keys_need_their_password() {
    // An EncryptedPrivateKeyInfo whose content is nonsense: without a password nothing can be said of it.
    let encrypted = KeyMaterial::Bytes(Secret::new(hex("300f300a06082a864886f70d01050d04013 0")));
    let read = |password: Option<&[u8]>| {
        let password = password.map(Secret::copy_from);
        let hints = ReadHints {
            password: password.as_ref(),
            ..ReadHints::default()
        };
        PrivateKey::read(Format::PKCS_8, &encrypted, hints).err()
    };
    assert_eq!(read(None), Some(CryptoError::BadParameters));
    assert_eq!(read(Some(b"password")), Some(CryptoError::Failed));
    assert_eq!(read(Some(b"pass\0word")), Some(CryptoError::BadParameters));
}

#[test]
fn usual_formats_are_the_tables() {
    for (object, algorithm, format) in [
        (ObjectType::SymmetricKey, Some(Algorithm::AES), Format::Raw),
        (ObjectType::SecretData, None, Format::Raw),
        (ObjectType::PrivateKey, Some(Algorithm::RSA), Format::PKCS_1),
        (
            ObjectType::PublicKey,
            Some(Algorithm::EC),
            Format::TransparentECPublicKey,
        ),
        (
            ObjectType::PrivateKey,
            Some(Algorithm::DSA),
            Format::TransparentDSAPrivateKey,
        ),
        (ObjectType::PrivateKey, Some(Algorithm::Ed25519), Format::PKCS_8),
        (ObjectType::Certificate, None, Format::X_509),
    ] {
        assert_eq!(default_format(object, algorithm), format);
    }
}
