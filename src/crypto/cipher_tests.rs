//! Symmetric ciphers against published values, against themselves, and against what must fail.

use super::cipher::{CipherRequest, Direction, Encrypted, decrypt, encrypt};
use super::error::CryptoError;
use super::testing::{hex, secret};
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicParameters, PaddingMethod};
use kmip_ttlv::Secret;

pub(super) fn with(mode: BlockCipherMode, padding: PaddingMethod) -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method: Some(padding),
        ..CryptographicParameters::default()
    }
}

pub(super) fn plain(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(mode),
        ..CryptographicParameters::default()
    }
}

pub(super) fn request<'a>(
    algorithm: Algorithm,
    key: &'a Secret,
    parameters: &'a CryptographicParameters,
    iv: &'a [u8],
) -> CipherRequest<'a> {
    let iv = (!iv.is_empty()).then_some(iv);
    CipherRequest {
        direction: Direction::Encrypt,
        algorithm,
        key,
        parameters,
        iv,
        additional_data: &[],
        tag: None,
    }
}

#[test]
fn published_blocks() {
    let ecb = Some(BlockCipherMode::ECB);
    for (algorithm, mode, key, iv, data, value) in [
        // FIPS 197, appendix B of the standard's examples; NIST SP 800-38A, appendix F.
        (
            Algorithm::AES,
            ecb,
            "000102030405060708090a0b0c0d0e0f",
            "",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::CBC),
            "2b7e151628aed2a6abf7158809cf4f3c",
            "000102030405060708090a0b0c0d0e0f",
            "6bc1bee22e409f96e93d7e117393172a",
            "7649abac8119b246cee98e9b12e9197d",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::CFB),
            "2b7e151628aed2a6abf7158809cf4f3c",
            "000102030405060708090a0b0c0d0e0f",
            "6bc1bee22e409f96e93d7e117393172a",
            "3b3fd92eb72dad20333449f8e83cfb4a",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::OFB),
            "2b7e151628aed2a6abf7158809cf4f3c",
            "000102030405060708090a0b0c0d0e0f",
            "6bc1bee22e409f96e93d7e117393172a",
            "3b3fd92eb72dad20333449f8e83cfb4a",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::CTR),
            "2b7e151628aed2a6abf7158809cf4f3c",
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            "6bc1bee22e409f96e93d7e117393172a",
            "874d6191b620e3261bef6864990db6ce",
        ),
        // IEEE 1619, vector 2.
        (
            Algorithm::AES,
            Some(BlockCipherMode::XTS),
            "1111111111111111111111111111111122222222222222222222222222222222",
            "33333333330000000000000000000000",
            "4444444444444444444444444444444444444444444444444444444444444444",
            "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
        ),
        // RFC 3394 §4.1, RFC 5649 §6.
        (
            Algorithm::AES,
            Some(BlockCipherMode::NISTKeyWrap),
            "000102030405060708090a0b0c0d0e0f",
            "",
            "00112233445566778899aabbccddeeff",
            "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::AESKeyWrapPadding),
            "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
            "",
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
        ),
        (
            Algorithm::AES,
            Some(BlockCipherMode::AESKeyWrapPadding),
            "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
            "",
            "466f7250617369",
            "afbeb0f07dfbf5419200f2ccb50bb24f",
        ),
        (
            Algorithm::DES,
            ecb,
            "0123456789abcdef",
            "",
            "4e6f772069732074",
            "3fa40e8a984d4815",
        ),
        (
            Algorithm::DES3,
            ecb,
            "0123456789abcdef0123456789abcdef0123456789abcdef",
            "",
            "4e6f772069732074",
            "3fa40e8a984d4815",
        ),
        (
            Algorithm::DES3,
            ecb,
            "0123456789abcdef0123456789abcdef",
            "",
            "4e6f772069732074",
            "3fa40e8a984d4815",
        ),
        (
            Algorithm::DES3,
            ecb,
            "0123456789abcdef",
            "",
            "4e6f772069732074",
            "3fa40e8a984d4815",
        ),
        (
            Algorithm::Blowfish,
            ecb,
            "0000000000000000",
            "",
            "0000000000000000",
            "4ef997456198dd78",
        ),
        // RFC 2144 appendix B.1, whose shorter keys have 80 and 40 bits; RFC 2268 §5; RFC 4269; RFC 3713; RFC 5794.
        (
            Algorithm::CAST5,
            ecb,
            "0123456712345678234567893456789a",
            "",
            "0123456789abcdef",
            "238b4fe5847e44b2",
        ),
        (
            Algorithm::CAST5,
            ecb,
            "01234567123456782345",
            "",
            "0123456789abcdef",
            "eb6a711a2c02271b",
        ),
        (
            Algorithm::CAST5,
            ecb,
            "0123456712",
            "",
            "0123456789abcdef",
            "7ac816d16e9b302e",
        ),
        (
            Algorithm::RC2,
            ecb,
            "3000000000000000",
            "",
            "1000000000000001",
            "30649edf9be7d2c2",
        ),
        (
            Algorithm::RC2,
            ecb,
            "ffffffffffffffff",
            "",
            "ffffffffffffffff",
            "278b27e42e2f0d49",
        ),
        (
            Algorithm::SEED,
            ecb,
            "00000000000000000000000000000000",
            "",
            "000102030405060708090a0b0c0d0e0f",
            "5ebac6e0054e166819aff1cc6d346cdb",
        ),
        (
            Algorithm::Camellia,
            ecb,
            "0123456789abcdeffedcba9876543210",
            "",
            "0123456789abcdeffedcba9876543210",
            "67673138549669730857065648eabe43",
        ),
        (
            Algorithm::ARIA,
            ecb,
            "000102030405060708090a0b0c0d0e0f",
            "",
            "00112233445566778899aabbccddeeff",
            "d718fbd6ab644c739da95f3be6451778",
        ),
        (
            Algorithm::SM4,
            ecb,
            "0123456789abcdeffedcba9876543210",
            "",
            "0123456789abcdeffedcba9876543210",
            "681edf34d206965e86b3e94f536e4246",
        ),
        (
            Algorithm::IDEA,
            ecb,
            "00010002000300040005000600070008",
            "",
            "0000000100020003",
            "11fbed2b01986de5",
        ),
        (
            Algorithm::RC5,
            ecb,
            "00000000000000000000000000000000",
            "",
            "0000000000000000",
            "21a5dbee154b8f6d",
        ),
        (
            Algorithm::RC4,
            None,
            "0123456789abcdef",
            "",
            "0123456789abcdef",
            "75b7878099e0c596",
        ),
        // The original ChaCha20, with its 64-bit nonce.
        (
            Algorithm::ChaCha20,
            None,
            "0000000000000000000000000000000000000000000000000000000000000001",
            "0000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "4540f05a9f1fb296d7736e7b208e3c96eb4fe1834688d2604f450952ed432d41",
        ),
    ] {
        let parameters = CryptographicParameters {
            block_cipher_mode: mode,
            ..CryptographicParameters::default()
        };
        let (key, iv) = (secret(key), hex(iv));
        let request = || request(algorithm, &key, &parameters, &iv);
        let encrypted = encrypt(request(), &hex(data)).unwrap_or_else(|error| panic!("{algorithm} {mode:?}: {error}"));
        assert_eq!(
            encrypted,
            Encrypted {
                data: hex(value),
                iv: None,
                tag: None
            },
            "{algorithm}"
        );
        assert_eq!(
            decrypt(request(), &hex(value)).unwrap().expose(),
            hex(data),
            "{algorithm}"
        );
    }
}

#[test]
fn published_authenticated_encryption() {
    for (algorithm, mode, key, nonce, additional, data, value, tag) in [
        // The GCM specification's case 4; RFC 3610, packet vector 1.
        (
            Algorithm::AES,
            BlockCipherMode::GCM,
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            Algorithm::AES,
            BlockCipherMode::CCM,
            "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf",
            "00000003020100a0a1a2a3a4a5",
            "0001020304050607",
            "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
            "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384",
            "17e8d12cfdf926e0",
        ),
        (
            Algorithm::AES,
            BlockCipherMode::GCM,
            "00000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "",
            "",
            "58e2fccefa7e3061367f1d57a4e7455a",
        ),
    ] {
        let parameters = CryptographicParameters {
            tag_length: i32::try_from(tag.len() / 2).ok(),
            ..plain(mode)
        };
        let (key, nonce, additional, tag) = (secret(key), hex(nonce), hex(additional), hex(tag));
        let request = |tag| CipherRequest {
            additional_data: &additional,
            tag,
            ..request(algorithm, &key, &parameters, &nonce)
        };
        let encrypted = encrypt(request(None), &hex(data)).unwrap();
        assert_eq!((encrypted.data.clone(), encrypted.tag), (hex(value), Some(tag.clone())));
        assert_eq!(decrypt(request(Some(&tag)), &hex(value)).unwrap().expose(), hex(data));
        let mut wrong = tag.clone();
        wrong[0] ^= 1;
        assert_eq!(
            decrypt(request(Some(&wrong)), &hex(value)).err(),
            Some(CryptoError::Failed)
        );
        assert_eq!(
            decrypt(request(None), &hex(value)).err(),
            Some(CryptoError::BadParameters)
        );
        assert_eq!(
            decrypt(request(Some(&tag[..3])), &hex(value)).err(),
            Some(CryptoError::BadTagLength)
        );
        if !additional.is_empty() {
            let less = CipherRequest {
                additional_data: &additional[1..],
                ..request(Some(&tag))
            };
            assert_eq!(decrypt(less, &hex(value)).err(), Some(CryptoError::Failed));
        }
    }
}
