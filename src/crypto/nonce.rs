//! Initialization vectors, counter blocks and nonces: what the client gives, what the mode needs, what is made here.

use super::cipher::{CipherRequest, Direction};
use super::error::CryptoError;
use super::fetch::CipherRow;
use super::parameters::count;
use super::random::randomness;
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm, CryptographicParameters};
use openssl::cipher::CipherRef;

/// The nonce of GCM, CCM and ChaCha20-Poly1305 where no length is named: 96 bits (NIST SP 800-38D §5.2.1.1).
const DEFAULT_NONCE: usize = 12;
/// The longest nonce that GCM takes here, in bytes: the library's limit.
const MOST_GCM_NONCE: usize = 64;
/// The library's block for ChaCha20: a counter, then the nonce, 128 bits together, little endian.
const CHACHA20_BLOCK: usize = 16;
/// Integers of the protocol have 32 bits; so has the counter of RFC 3686.
const COUNTER_BYTES: usize = 4;

/// What the library starts from.
pub(super) struct Nonce {
    /// The library's bytes; empty for modes that take none.
    pub(super) bytes: Vec<u8>,
    /// The client's part of them, if it was made here.
    pub(super) generated: Option<Vec<u8>>,
}

/// Takes the request's vector, or makes one for an encryption that has none.
///
/// # Errors
/// [`CryptoError::MissingIv`] for a decryption without one; [`CryptoError::BadParameters`] if its length does not fit.
pub(super) fn choose(request: &CipherRequest<'_>, row: &CipherRow, cipher: &CipherRef) -> Result<Nonce, CryptoError> {
    if takes_none(row) {
        return Ok(Nonce {
            bytes: Vec::new(),
            generated: None,
        });
    }
    let given = request.iv.filter(|iv| !iv.is_empty());
    if wraps(row.mode) {
        // The wrapping modes have their own initial value and check it; another one may be given.
        let bytes = given.unwrap_or_default();
        let fits = bytes.is_empty() || bytes.len() == cipher.iv_length();
        return if fits {
            Ok(Nonce {
                bytes: bytes.to_vec(),
                generated: None,
            })
        } else {
            Err(CryptoError::BadParameters)
        };
    }
    let made = match (given, request.direction) {
        (Some(_), _) => None,
        (None, Direction::Decrypt) => return Err(CryptoError::MissingIv),
        // Who says that none is to be made gets none.
        (None, Direction::Encrypt) if request.parameters.random_iv == Some(false) => {
            return Err(CryptoError::MissingIv);
        }
        (None, Direction::Encrypt) => Some(generate(request.parameters, row, cipher)?),
    };
    let client = given.or(made.as_deref()).ok_or(CryptoError::MissingIv)?;
    let has_counter = row.mode == Some(BlockCipherMode::CTR) || row.algorithm == CryptographicAlgorithm::ChaCha20;
    let stated = stated_bits(request.parameters)?;
    if !has_counter && stated.is_some_and(|bits| bits != client.len().saturating_mul(8)) {
        return Err(CryptoError::BadParameters);
    }
    Ok(Nonce {
        bytes: arrange(client, request.parameters, row, cipher)?,
        generated: made,
    })
}

/// The length of a vector in bits, as far as the parameters say: by itself, or by its fixed field and its invocation field, which make
/// it up together (NIST SP 800-38D §8.2.1). A counter is no part of what the client gives.
fn stated_bits(parameters: &CryptographicParameters) -> Result<Option<usize>, CryptoError> {
    let stated = parameters.iv_length.map(count).transpose()?;
    let fixed = parameters.fixed_field_length.map(count).transpose()?;
    let invocation = parameters.invocation_field_length.map(count).transpose()?;
    match (stated, fixed, invocation) {
        (Some(stated), Some(fixed), Some(invocation)) if fixed.saturating_add(invocation) != stated => {
            Err(CryptoError::BadParameters)
        }
        (Some(stated), Some(one), None) | (Some(stated), None, Some(one)) if one > stated => {
            Err(CryptoError::BadParameters)
        }
        (None, Some(fixed), Some(invocation)) => Ok(Some(fixed.saturating_add(invocation))),
        (stated, ..) => Ok(stated),
    }
}

/// A fresh random vector, as long as the parameters or else the mode say.
fn generate(parameters: &CryptographicParameters, row: &CipherRow, cipher: &CipherRef) -> Result<Vec<u8>, CryptoError> {
    let bits = stated_bits(parameters)?;
    if bits.is_some_and(|bits| bits == 0 || !bits.is_multiple_of(8)) {
        return Err(CryptoError::BadParameters);
    }
    let usual = if has_open_length(row) {
        DEFAULT_NONCE
    } else {
        cipher.iv_length()
    };
    let length = bits.map_or(usual, |bits| bits.div_euclid(8));
    if length > MOST_GCM_NONCE {
        return Err(CryptoError::BadParameters);
    }
    let mut bytes = vec![0; length];
    randomness().fill(&mut bytes)?;
    Ok(bytes)
}

/// The client's vector in the form and length that the library takes.
fn arrange(
    client: &[u8],
    parameters: &CryptographicParameters,
    row: &CipherRow,
    cipher: &CipherRef,
) -> Result<Vec<u8>, CryptoError> {
    if row.algorithm == CryptographicAlgorithm::ChaCha20 {
        return chacha20_block(client, parameters);
    }
    let length = cipher.iv_length();
    let fits = match row.mode {
        Some(BlockCipherMode::GCM) => (1..=MOST_GCM_NONCE).contains(&client.len()),
        Some(BlockCipherMode::CCM) => (7..=13).contains(&client.len()),
        Some(BlockCipherMode::CTR) if client.len() < length => return counter_block(client, parameters, length),
        _ => client.len() == length,
    };
    if fits {
        Ok(client.to_vec())
    } else {
        Err(CryptoError::BadParameters)
    }
}

/// ChaCha20's start: the original cipher's nonce has 64 bits, RFC 8439's 96; 128 bits are counter and nonce at once.
fn chacha20_block(client: &[u8], parameters: &CryptographicParameters) -> Result<Vec<u8>, CryptoError> {
    if !matches!(client.len(), 8 | 12 | CHACHA20_BLOCK) {
        return Err(CryptoError::BadParameters);
    }
    let mut block = initial_counter(parameters)?.to_le_bytes().to_vec();
    block.resize(CHACHA20_BLOCK, 0);
    block.truncate(CHACHA20_BLOCK.saturating_sub(client.len()));
    block.extend_from_slice(client);
    Ok(block)
}

/// A counter block from a shorter vector: the counter, big endian, fills the rest (NIST SP 800-38A, B.2; RFC 3686).
fn counter_block(client: &[u8], parameters: &CryptographicParameters, length: usize) -> Result<Vec<u8>, CryptoError> {
    let room = length.saturating_sub(client.len());
    if parameters
        .counter_length
        .map(count)
        .transpose()?
        .is_some_and(|bits| bits != room.saturating_mul(8))
    {
        return Err(CryptoError::BadParameters);
    }
    let counter = initial_counter(parameters)?.to_be_bytes();
    let (zeros, counter) = if room >= COUNTER_BYTES {
        (room.saturating_sub(COUNTER_BYTES), &counter[..])
    } else {
        let (high, low) = counter
            .split_at_checked(COUNTER_BYTES.saturating_sub(room))
            .ok_or(CryptoError::Internal)?;
        if high.iter().any(|byte| *byte != 0) {
            return Err(CryptoError::BadParameters);
        }
        (0, low)
    };
    let mut block = client.to_vec();
    block.resize(block.len().saturating_add(zeros), 0);
    block.extend_from_slice(counter);
    Ok(block)
}

fn initial_counter(parameters: &CryptographicParameters) -> Result<u32, CryptoError> {
    u32::try_from(parameters.initial_counter_value.unwrap_or(0)).map_err(|_| CryptoError::BadParameters)
}

fn takes_none(row: &CipherRow) -> bool {
    row.mode == Some(BlockCipherMode::ECB) || row.algorithm == CryptographicAlgorithm::RC4
}

fn wraps(mode: Option<BlockCipherMode>) -> bool {
    matches!(
        mode,
        Some(BlockCipherMode::NISTKeyWrap | BlockCipherMode::AESKeyWrapPadding)
    )
}

fn has_open_length(row: &CipherRow) -> bool {
    matches!(row.mode, Some(BlockCipherMode::GCM | BlockCipherMode::CCM))
        || matches!(
            row.algorithm,
            CryptographicAlgorithm::ChaCha20 | CryptographicAlgorithm::ChaCha20Poly1305
        )
}
