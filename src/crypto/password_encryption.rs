//! Encryption under a password, as PKCS#12 and encrypted PKCS#8 use it: PBES2 (RFC 8018 §6.2) and the older schemes of RFC 7292, appendix C.
//! Only decryption: what is written is written by the library.

use super::cipher::{self, CipherRequest, Direction};
use super::der::Der;
use super::error::{CryptoError, internal, or};
use super::hash::hash;
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicParameters, HashingAlgorithm, PaddingMethod,
};
use kmip_ttlv::Secret;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;

/// Iterations that are computed for one request, whatever it is made of: half a second of work.
const MOST_ITERATIONS: i64 = 1_000_000;

const PBES2: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D";
const PBKDF2: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C";

/// Ciphers of PBES2: identifier, algorithm, length of the key.
const CIPHERS: [(&[u8], CryptographicAlgorithm, usize); 4] = [
    (b"\x60\x86\x48\x01\x65\x03\x04\x01\x02", CryptographicAlgorithm::AES, 16),
    (b"\x60\x86\x48\x01\x65\x03\x04\x01\x16", CryptographicAlgorithm::AES, 24),
    (b"\x60\x86\x48\x01\x65\x03\x04\x01\x2A", CryptographicAlgorithm::AES, 32),
    (b"\x2A\x86\x48\x86\xF7\x0D\x03\x07", CryptographicAlgorithm::DES3, 24),
];

/// The older schemes, all with SHA-1: identifier, algorithm, length of the key.
const OLD: [(&[u8], CryptographicAlgorithm, usize); 4] = [
    (
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x01\x03",
        CryptographicAlgorithm::DES3,
        24,
    ),
    (
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x01\x04",
        CryptographicAlgorithm::DES3,
        16,
    ),
    (
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x01\x05",
        CryptographicAlgorithm::RC2,
        16,
    ),
    (
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x01\x06",
        CryptographicAlgorithm::RC2,
        5,
    ),
];

/// What is spent on passwords so far.
#[derive(Default)]
pub(super) struct Effort(i64);

impl Effort {
    fn spend(&mut self, iterations: i64) -> Result<usize, CryptoError> {
        if iterations < 1 {
            return Err(CryptoError::BadKey);
        }
        self.0 = self.0.saturating_add(iterations);
        if self.0 > MOST_ITERATIONS {
            return Err(CryptoError::Unsupported);
        }
        usize::try_from(iterations).map_err(|_| CryptoError::Unsupported)
    }
}

/// What bytes are derived for (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key,
    Iv,
    Mac,
}

/// Decrypts what an algorithm's identifier describes.
///
/// # Errors
/// [`CryptoError::Failed`] if the password is wrong; [`CryptoError::Unsupported`] for other schemes, or more effort than is spent.
pub(super) fn decrypt(
    mut algorithm: Der<'_>,
    sealed: &[u8],
    password: &Secret,
    effort: &mut Effort,
) -> Result<Secret, CryptoError> {
    let identifier = algorithm.identifier()?;
    if identifier == PBES2 {
        let mut parameters = algorithm.sequence()?;
        let mut derivation = parameters.sequence()?;
        let mut scheme = parameters.sequence()?;
        let cipher = scheme.identifier()?;
        let row = CIPHERS.iter().find(|(own, ..)| *own == cipher);
        let (_, algorithm, length) = row.ok_or(CryptoError::Unsupported)?;
        let key = pbkdf2(&mut derivation, password, *length, effort)?;
        return open(*algorithm, &key, scheme.octets()?, sealed);
    }
    let row = OLD.iter().find(|(own, ..)| *own == identifier);
    let (_, cipher, length) = row.ok_or(CryptoError::Unsupported)?;
    let mut parameters = algorithm.sequence()?;
    let (salt, iterations) = (parameters.octets()?, parameters.integer()?);
    let sha1 = HashingAlgorithm::SHA_1;
    let key = derive(sha1, Purpose::Key, password, salt, iterations, *length, effort)?;
    let iv = derive(sha1, Purpose::Iv, password, salt, iterations, 8, effort)?;
    open(*cipher, &key, iv.expose(), sealed)
}

fn pbkdf2(
    derivation: &mut Der<'_>,
    password: &Secret,
    length: usize,
    effort: &mut Effort,
) -> Result<Secret, CryptoError> {
    if derivation.identifier()? != PBKDF2 {
        return Err(CryptoError::Unsupported);
    }
    let mut parameters = derivation.sequence()?;
    let (salt, iterations) = (parameters.octets()?, parameters.integer()?);
    if parameters.at(0x02) {
        let stated = parameters.integer()?;
        if usize::try_from(stated) != Ok(length) {
            return Err(CryptoError::BadKey);
        }
    }
    let digest = if parameters.is_empty() {
        MessageDigest::sha1()
    } else {
        match parameters.sequence()?.identifier()? {
            b"\x2A\x86\x48\x86\xF7\x0D\x02\x07" => MessageDigest::sha1(),
            b"\x2A\x86\x48\x86\xF7\x0D\x02\x08" => MessageDigest::sha224(),
            b"\x2A\x86\x48\x86\xF7\x0D\x02\x09" => MessageDigest::sha256(),
            b"\x2A\x86\x48\x86\xF7\x0D\x02\x0A" => MessageDigest::sha384(),
            b"\x2A\x86\x48\x86\xF7\x0D\x02\x0B" => MessageDigest::sha512(),
            _ => return Err(CryptoError::Unsupported),
        }
    };
    let iterations = effort.spend(iterations)?;
    let mut key = vec![0; length];
    pbkdf2_hmac(password.expose(), salt, iterations, digest, &mut key).map_err(or(CryptoError::Failed))?;
    Ok(Secret::new(key))
}

/// RC2 of 40 bits, which is another cipher than RC2 by a key of five bytes.
fn open_rc2_40(key: &Secret, iv: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    let failed = or(CryptoError::Failed);
    let cipher = Cipher::fetch(None, "RC2-40-CBC", None).map_err(or(CryptoError::Unsupported))?;
    let mut context = CipherCtx::new().map_err(internal)?;
    let mut plain = Vec::new();
    context
        .decrypt_init(Some(&cipher), Some(key.expose()), Some(iv))
        .map_err(&failed)?;
    context.cipher_update_vec(sealed, &mut plain).map_err(&failed)?;
    context.cipher_final_vec(&mut plain).map_err(&failed)?;
    Ok(Secret::new(plain))
}

fn open(algorithm: CryptographicAlgorithm, key: &Secret, iv: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
    if algorithm == CryptographicAlgorithm::RC2 && key.len() == 5 {
        return open_rc2_40(key, iv, sealed);
    }
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        ..CryptographicParameters::default()
    };
    let request = CipherRequest {
        direction: Direction::Decrypt,
        algorithm,
        key,
        parameters: &parameters,
        iv: Some(iv),
        additional_data: &[],
        tag: None,
    };
    cipher::decrypt(request, sealed).map_err(|error| match error {
        CryptoError::BadLength | CryptoError::BadKey => CryptoError::Failed,
        other => other,
    })
}

/// Bytes from a password (RFC 7292, appendix B.2).
///
/// # Errors
/// [`CryptoError::Unsupported`] if it takes more effort than is spent.
pub(super) fn derive(
    algorithm: HashingAlgorithm,
    purpose: Purpose,
    password: &Secret,
    salt: &[u8],
    iterations: i64,
    length: usize,
    effort: &mut Effort,
) -> Result<Secret, CryptoError> {
    let iterations = effort.spend(iterations)?;
    let block = match algorithm {
        HashingAlgorithm::SHA_384 | HashingAlgorithm::SHA_512 => 128,
        _ => 64,
    };
    let number = match purpose {
        Purpose::Key => 1,
        Purpose::Iv => 2,
        Purpose::Mac => 3,
    };
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(block).saturating_mul(block);
        bytes.iter().copied().cycle().take(length).collect()
    };
    let text = core::str::from_utf8(password.expose()).map_err(|_| CryptoError::Failed)?;
    let units = text.encode_utf16().chain([0]);
    let wide = Secret::new(units.flat_map(u16::to_be_bytes).collect());
    let mut state = fill(salt);
    state.extend(fill(wide.expose()));
    let mut state = Secret::new(state);
    let mut derived = Vec::with_capacity(length);
    while derived.len() < length {
        let mut input = vec![number; block];
        input.extend_from_slice(state.expose());
        let mut digest = hash(algorithm, &input)?;
        zeroize::Zeroize::zeroize(&mut input);
        for _ in 1..iterations {
            digest = hash(algorithm, &digest)?;
        }
        derived.extend(digest.iter().take(length.saturating_sub(derived.len())));
        let addend: Vec<u8> = digest.iter().copied().cycle().take(block).collect();
        let mut next = Vec::with_capacity(state.len());
        for part in state.expose().chunks(block) {
            next.extend(add_one_more(part, &addend));
        }
        state = Secret::new(next);
    }
    Ok(Secret::new(derived))
}

/// The sum of two numbers and 1, as long as they are.
fn add_one_more(number: &[u8], addend: &[u8]) -> Vec<u8> {
    let mut carry = 1_u16;
    let mut sum: Vec<u8> = number
        .iter()
        .zip(addend)
        .rev()
        .map(|(a, b)| {
            carry = carry.saturating_add(u16::from(*a)).saturating_add(u16::from(*b));
            let [high, low] = carry.to_be_bytes();
            carry = u16::from(high);
            low
        })
        .collect();
    sum.reverse();
    sum
}

#[cfg(test)]
mod tests {
    use super::super::testing::hex;
    use super::*;

    /// Vectors that implementations of RFC 7292 share: password "smeg", 24 and 8 bytes.
    #[test]
    fn published_derivations_come_out() {
        let password = Secret::copy_from(b"smeg");
        for (purpose, salt, length, expected) in [
            (
                Purpose::Key,
                "0A58CF64530D823F",
                24,
                "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3",
            ),
            (Purpose::Iv, "0A58CF64530D823F", 8, "79993DFE048D3B76"),
        ] {
            let mut effort = Effort::default();
            let made = derive(
                HashingAlgorithm::SHA_1,
                purpose,
                &password,
                &hex(salt),
                1,
                length,
                &mut effort,
            );
            assert_eq!(made.unwrap().expose(), hex(expected));
        }
    }

    #[test]
    fn effort_is_bounded_in_all() {
        let mut effort = Effort::default();
        assert!(effort.spend(MOST_ITERATIONS / 2).is_ok());
        assert_eq!(effort.spend(0), Err(CryptoError::BadKey));
        assert!(effort.spend(MOST_ITERATIONS / 2).is_ok());
        assert_eq!(effort.spend(1), Err(CryptoError::Unsupported));
        assert_eq!(Effort::default().spend(i64::MAX), Err(CryptoError::Unsupported));
    }

    #[test]
    fn numbers_are_added_with_their_carries() {
        assert_eq!(add_one_more(&[0, 0xFF], &[0, 0]), [1, 0]);
        assert_eq!(add_one_more(&[0xFF, 0xFF], &[0, 0]), [0, 0]);
        assert_eq!(add_one_more(&[1, 2], &[3, 4]), [4, 7]);
    }
}
