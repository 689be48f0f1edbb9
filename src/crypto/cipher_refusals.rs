//! Symmetric ciphers: vectors that are completed, parts that come out as they fill, and what must be refused.

use super::cipher::{CipherContext, CipherRequest, Direction, decrypt, encrypt};
use super::cipher_tests::{plain, request, with};
use super::error::CryptoError;
use super::testing::{hex, secret};
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicParameters, PaddingMethod};
use kmip_ttlv::Secret;

/// The lengths that parameters state are those of the vector, given or made (NIST SP 800-38D §8.2.1).
#[test]
fn a_vector_is_as_long_as_the_parameters_say() {
    let key = secret("feffe9928665731c6d6a8f9467308308");
    let stated = |length, fixed, invocation, random| CryptographicParameters {
        iv_length: length,
        fixed_field_length: fixed,
        invocation_field_length: invocation,
        random_iv: random,
        ..plain(BlockCipherMode::GCM)
    };
    let bad = Some(CryptoError::BadParameters);
    for (parameters, given, wanted) in [
        (stated(Some(96), None, None, None), 12, None),
        (stated(Some(96), None, None, None), 8, bad),
        (stated(None, Some(32), Some(64), None), 12, None),
        (stated(None, Some(32), Some(64), None), 16, bad),
        (stated(Some(96), Some(32), Some(64), None), 12, None),
        (stated(Some(96), Some(32), Some(32), None), 12, bad),
        (stated(Some(96), Some(97), None, None), 12, bad),
        (stated(Some(96), Some(-1), None, None), 12, bad),
        (stated(None, Some(32), Some(96), Some(true)), 0, None),
        (stated(Some(64), None, None, Some(true)), 0, None),
        (stated(None, None, None, Some(false)), 0, Some(CryptoError::MissingIv)),
        (stated(None, None, None, Some(false)), 12, None),
    ] {
        let iv = vec![7; given];
        let made = encrypt(request(Algorithm::AES, &key, &parameters, &iv), b"some");
        assert_eq!(made.as_ref().err().copied(), wanted, "{given}");
        if let (0, Ok(made)) = (given, made) {
            let bits = parameters.iv_length.unwrap_or(128);
            assert_eq!(made.iv.unwrap().len() * 8, usize::try_from(bits).unwrap());
        }
    }
}

#[test]
fn a_shorter_vector_is_completed_by_the_counter() {
    let key = secret("2b7e151628aed2a6abf7158809cf4f3c");
    let whole = plain(BlockCipherMode::CTR);
    let parts = CryptographicParameters {
        counter_length: Some(32),
        initial_counter_value: Some(1),
        ..whole.clone()
    };
    let expected = encrypt(
        request(Algorithm::AES, &key, &whole, &hex("0102030405060708090a0b0c00000001")),
        &[0; 40],
    )
    .unwrap();
    let made = encrypt(
        request(Algorithm::AES, &key, &parts, &hex("0102030405060708090a0b0c")),
        &[0; 40],
    )
    .unwrap();
    assert_eq!(expected.data, made.data);
    let wrong = CryptographicParameters {
        counter_length: Some(64),
        ..parts
    };
    let refused = encrypt(
        request(Algorithm::AES, &key, &wrong, &hex("0102030405060708090a0b0c")),
        &[0; 40],
    );
    assert_eq!(refused.err(), Some(CryptoError::BadParameters));
    // RFC 8439 §2.4.2 starts ChaCha20 at 1.
    let key = Secret::new((0..32).collect());
    let one = CryptographicParameters {
        initial_counter_value: Some(1),
        ..CryptographicParameters::default()
    };
    let data = b"Ladies and Gentl";
    let made = encrypt(
        request(Algorithm::ChaCha20, &key, &one, &hex("000000000000004a00000000")),
        data,
    )
    .unwrap();
    assert_eq!(made.data, hex("6e2e359a2568f98041ba0728dd0d6981"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let key = secret("2b7e151628aed2a6abf7158809cf4f3c");
    let iv = [7; 16];
    let refused = |algorithm, key: &Secret, parameters: &CryptographicParameters, iv: &[u8], data: &[u8]| {
        encrypt(request(algorithm, key, parameters, iv), data).err()
    };
    let cbc = plain(BlockCipherMode::CBC);
    let aes = Algorithm::AES;
    assert_eq!(
        refused(aes, &key, &CryptographicParameters::default(), &iv, &[0; 16]),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(
        refused(aes, &key, &plain(BlockCipherMode::PCBC), &iv, &[0; 16]),
        Some(CryptoError::Unsupported)
    );
    assert_eq!(
        refused(aes, &Secret::new(vec![1; 15]), &cbc, &iv, &[0; 16]),
        Some(CryptoError::BadKey)
    );
    assert_eq!(
        refused(aes, &key, &cbc, &iv[..8], &[0; 16]),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(refused(aes, &key, &cbc, &iv, &[0; 15]), Some(CryptoError::BadLength));
    assert_eq!(
        refused(
            aes,
            &key,
            &with(BlockCipherMode::CBC, PaddingMethod::OAEP),
            &iv,
            &[0; 15]
        ),
        Some(CryptoError::BadParameters)
    );
    assert_eq!(
        refused(Algorithm::Twofish, &key, &cbc, &iv, &[0; 16]),
        Some(CryptoError::Unsupported)
    );
    assert_eq!(
        refused(Algorithm::RSA, &key, &cbc, &iv, &[0; 16]),
        Some(CryptoError::Unsupported)
    );
    let same_halves = Secret::new(vec![5; 32]);
    assert_eq!(
        refused(aes, &same_halves, &plain(BlockCipherMode::XTS), &iv, &[0; 16]),
        Some(CryptoError::BadKey)
    );
    assert_eq!(
        refused(aes, &key, &plain(BlockCipherMode::NISTKeyWrap), &[], &[0; 15]),
        Some(CryptoError::BadLength)
    );
    assert_eq!(
        refused(Algorithm::CAST5, &Secret::new(vec![1; 17]), &cbc, &[0; 8], &[0; 8]),
        Some(CryptoError::BadKey)
    );
    for length in [1, 11, 17, 32, -1] {
        let gcm = CryptographicParameters {
            tag_length: Some(length),
            ..plain(BlockCipherMode::GCM)
        };
        assert_eq!(
            refused(aes, &key, &gcm, &iv[..12], &[0; 16]),
            Some(CryptoError::BadTagLength)
        );
    }
    let padded = with(BlockCipherMode::CBC, PaddingMethod::PKCS5);
    assert_eq!(
        decrypt(request(aes, &key, &padded, &[]), &[0; 16]).err(),
        Some(CryptoError::MissingIv)
    );
    assert_eq!(
        decrypt(request(aes, &key, &padded, &iv), &[]).err(),
        Some(CryptoError::BadLength)
    );
    assert_eq!(
        decrypt(request(aes, &key, &padded, &iv), &[0; 17]).err(),
        Some(CryptoError::BadLength)
    );
    let unasked = CipherRequest {
        tag: Some(&iv),
        ..request(aes, &key, &padded, &iv)
    };
    assert_eq!(decrypt(unasked, &[0; 16]).err(), Some(CryptoError::BadParameters));
    let wrap = plain(BlockCipherMode::NISTKeyWrap);
    assert_eq!(
        decrypt(request(aes, &key, &wrap, &[]), &[3; 24]).err(),
        Some(CryptoError::Failed)
    );
    let wrap = plain(BlockCipherMode::AESKeyWrapPadding);
    assert_eq!(
        decrypt(request(aes, &key, &wrap, &[]), &[3; 24]).err(),
        Some(CryptoError::Failed)
    );
    let odd_iv = CryptographicParameters {
        iv_length: Some(97),
        ..plain(BlockCipherMode::GCM)
    };
    assert_eq!(
        refused(aes, &key, &odd_iv, &[], &[0; 16]),
        Some(CryptoError::BadParameters)
    );
}

#[test]
fn streamed_blocks_come_out_as_they_fill() {
    let key = secret("0123456789abcdef0123456789abcdef");
    let iv = hex("01020304050607080910111213141516");
    let parameters = with(BlockCipherMode::CBC, PaddingMethod::PKCS5);
    let start = |direction| {
        CipherContext::start(&CipherRequest {
            direction,
            ..request(Algorithm::AES, &key, &parameters, &iv)
        })
        .unwrap()
    };
    let step = |context: &mut CipherContext, data: &[u8]| {
        let mut out = Vec::new();
        context.update(data, &mut out).unwrap();
        out
    };
    let mut context = start(Direction::Encrypt);
    assert_eq!(step(&mut context, &iv[..8]), Vec::<u8>::new());
    assert_eq!(step(&mut context, &iv[8..]), hex("79abc5c23868ad84d388ce61110a6274"));
    let mut out = step(&mut context, &[&iv[..], &[1]].concat());
    assert_eq!(context.finish(&mut out), Ok(None));
    assert_eq!(
        out,
        hex("2bda19d694bbcb757dd06617c0d80fb1df2e71864ad9633d7d797e30860df00d")
    );
    let mut context = start(Direction::Decrypt);
    // The first block might be the last one, so it is held until another follows.
    assert_eq!(
        step(&mut context, &hex("79abc5c23868ad84d388ce61110a6274")),
        Vec::<u8>::new()
    );
    assert_eq!(step(&mut context, &hex("2bda19d694bbcb757dd06617c0d80fb1")), iv);
    let mut out = step(&mut context, &hex("df2e71864ad9633d7d797e30860df00d"));
    assert_eq!(context.finish(&mut out), Ok(None));
    assert_eq!(out, [&iv[..], &[1]].concat());
}
