//! Symmetric ciphers against themselves: what was encrypted in some parts is decrypted in others.

use super::cipher::{CipherContext, CipherRequest, Direction, decrypt, encrypt};
use super::cipher_tests::{request, with};
use super::error::CryptoError;
use super::fetch;
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicParameters, PaddingMethod};
use kmip_ttlv::Secret;
use proptest::prelude::*;

fn key_for(row: &fetch::CipherRow, seed: u8) -> Secret {
    let length = row.key_length.unwrap_or(16);
    Secret::new(
        (0..length)
            .map(|at| u8::try_from(at).unwrap().wrapping_mul(37).wrapping_add(seed))
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every cipher: what is encrypted in parts with a vector made here is decrypted in other parts.
    #[test]
    fn every_cipher_comes_back(data in proptest::collection::vec(any::<u8>(), 32..200), seed: u8, cut in 0_usize..32) {
        for row in fetch::ciphers() {
            let key = key_for(row, seed);
            let wraps = row.mode == Some(BlockCipherMode::NISTKeyWrap);
            let data = if wraps { &data[..data.len() / 8 * 8] } else { &data[..] };
            let parameters = CryptographicParameters { block_cipher_mode: row.mode, padding_method: Some(PaddingMethod::PKCS5), ..CryptographicParameters::default() };
            let seals = row.algorithm == Algorithm::ChaCha20Poly1305 || matches!(row.mode, Some(BlockCipherMode::GCM | BlockCipherMode::CCM));
            let additional: &[u8] = if seals { b"beside" } else { b"" };
            let start = CipherRequest { additional_data: additional, ..request(row.algorithm, &key, &parameters, &[]) };
            let mut context = CipherContext::start(&start).unwrap();
            let iv = context.generated_iv().map(<[u8]>::to_vec).unwrap_or_default();
            let mut sealed = Vec::new();
            for part in [&data[..cut], &data[cut..]] {
                context.update(part, &mut sealed).unwrap();
            }
            let tag = context.finish(&mut sealed).unwrap();
            prop_assert_eq!(tag.is_some(), seals);
            let open = || CipherRequest { additional_data: additional, tag: tag.as_deref(), ..request(row.algorithm, &key, &parameters, &iv) };
            let opened = decrypt(open(), &sealed).unwrap();
            prop_assert_eq!(opened.expose(), data);
            if seals || wraps {
                let mut wrong = sealed.clone();
                wrong[cut] ^= 0x10;
                prop_assert_eq!(decrypt(open(), &wrong).err(), Some(CryptoError::Failed));
            }
        }
    }

    /// Every cipher that gives parts: a second context goes on by itself, and leaves the first where it was.
    #[test]
    fn every_cipher_can_be_taken_back(data in proptest::collection::vec(any::<u8>(), 48..100), seed: u8, cut in 0_usize..48) {
        for row in fetch::ciphers() {
            let key = key_for(row, seed);
            let parameters = CryptographicParameters { block_cipher_mode: row.mode, padding_method: Some(PaddingMethod::PKCS5), ..CryptographicParameters::default() };
            let length = row.cipher().unwrap().iv_length();
            let iv = vec![seed; if row.mode == Some(BlockCipherMode::CCM) { 12 } else { length }];
            let sealed = encrypt(request(row.algorithm, &key, &parameters, &iv), &data[..48]).unwrap();
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let (input, tag) = match direction {
                    Direction::Encrypt => (&data[..48], None),
                    Direction::Decrypt => (&sealed.data[..], sealed.tag.as_deref()),
                };
                let start = CipherRequest { direction, tag, ..request(row.algorithm, &key, &parameters, &iv) };
                let mut first = CipherContext::start(&start).unwrap();
                let judges = direction == Direction::Decrypt && tag.is_some();
                prop_assert!(!judges || !first.gives_parts());
                if !first.gives_parts() {
                    continue;
                }
                let mut out = Vec::new();
                first.update(&input[..cut], &mut out).unwrap();
                let mut lost = first.fork().unwrap();
                lost.update(b"something else", &mut Vec::new()).unwrap();
                drop(lost);
                let mut second = first.fork().unwrap();
                let mut again = out.clone();
                for (context, out) in [(&mut first, &mut out), (&mut second, &mut again)] {
                    context.update(&input[cut..], out).unwrap();
                }
                let tags = [first.finish(&mut out).unwrap(), second.finish(&mut again).unwrap()];
                prop_assert_eq!(&out, &again);
                prop_assert_eq!(&tags[0], &tags[1]);
                if direction == Direction::Encrypt {
                    prop_assert_eq!((&out, &tags[0]), (&sealed.data, &sealed.tag));
                } else {
                    prop_assert_eq!(&out, &data[..48]);
                }
            }
        }
    }

    #[test]
    fn every_padding_comes_back(data in proptest::collection::vec(1_u8.., 0..70), cut in 0_usize..70) {
        let key = Secret::new((0..16).collect());
        let cut = cut.min(data.len());
        for padding in [PaddingMethod::PKCS5, PaddingMethod::ANSIX9_23, PaddingMethod::ISO10126, PaddingMethod::SSL3, PaddingMethod::Zeros] {
            let parameters = with(BlockCipherMode::CBC, padding);
            let sealed = encrypt(request(Algorithm::AES, &key, &parameters, &[]), &data).unwrap();
            let iv = sealed.iv.unwrap();
            let open = CipherRequest { direction: Direction::Decrypt, ..request(Algorithm::AES, &key, &parameters, &iv) };
            let mut context = CipherContext::start(&open).unwrap();
            let mut opened = Vec::new();
            for part in [&sealed.data[..cut], &sealed.data[cut..]] {
                context.update(part, &mut opened).unwrap();
            }
            context.finish(&mut opened).unwrap();
            prop_assert_eq!(&opened, &data);
        }
    }
}
