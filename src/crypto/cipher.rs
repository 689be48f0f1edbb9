//! Symmetric encryption and decryption, whole or in parts (KMIP 2.1 §6.1.11, §6.1.17).
//!
//! A context takes data in parts and gives out what is ready. Modes that must see the data whole (CCM, XTS, key
//! wrapping) hold it back until the end.

use super::algorithm::key_lengths;
use super::error::{CryptoError, internal, or};
use super::fetch::{self, CipherRow};
use super::native;
use super::nonce::{self, Nonce};
use super::padding::Padding;
use super::parameters::count;
use super::random::randomness;
use kmip_protocol::{BlockCipherMode, CryptographicAlgorithm, CryptographicParameters};
use kmip_ttlv::Secret;
use openssl::cipher::CipherRef;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use zeroize::{Zeroize, Zeroizing};

/// The library counts in `int`; this is far above every message limit.
const MOST_BYTES: usize = 1 << 30;

/// Tag lengths of GCM and ChaCha20-Poly1305 that are taken, in bytes (NIST SP 800-38D §5.2.1.2).
const TAG_LENGTHS: [usize; 5] = [12, 13, 14, 15, 16];
/// Tag lengths of CCM in bytes (RFC 3610).
const CCM_TAG_LENGTHS: [usize; 7] = [4, 6, 8, 10, 12, 14, 16];
/// The tag length where none is named.
const DEFAULT_TAG_LENGTH: usize = 16;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From plaintext to ciphertext.
    Encrypt,
    /// From ciphertext to plaintext.
    Decrypt,
}

/// All that a symmetric operation starts from.
pub struct CipherRequest<'a> {
    /// Which way.
    pub direction: Direction,
    /// The key's algorithm.
    pub algorithm: CryptographicAlgorithm,
    /// The key's bytes.
    pub key: &'a Secret,
    /// Mode, padding, lengths.
    pub parameters: &'a CryptographicParameters,
    /// The initialization vector, counter block or nonce. Encryption without one makes one, see
    /// [`CipherContext::generated_iv`]; decryption without one fails.
    pub iv: Option<&'a [u8]>,
    /// What is authenticated beside the data; empty for modes that authenticate nothing.
    pub additional_data: &'a [u8],
    /// The tag to check, for decryption with a mode that authenticates.
    pub tag: Option<&'a [u8]>,
}

/// An encryption or decryption under way.
pub struct CipherContext {
    direction: Direction,
    engine: Engine,
    generated_iv: Option<Vec<u8>>,
    /// The length of the tag that encryption gives out at the end.
    tag_length: Option<usize>,
    /// Whether the end judges a tag.
    judges_tag: bool,
}

enum Engine {
    /// The library takes parts as they come.
    Parts(Parts),
    /// The library needs all data at once.
    Whole {
        context: CipherCtx,
        data: Zeroizing<Vec<u8>>,
        additional_data: Vec<u8>,
        ccm: bool,
    },
}

struct Parts {
    context: CipherCtx,
    padding: Padding,
    block: usize,
    /// Bytes of data in the block begun.
    filled: usize,
    /// The last decrypted block, of which only the end will tell how much is padding.
    held: Zeroizing<Vec<u8>>,
}

impl CipherContext {
    /// Starts an encryption or decryption.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`], [`CryptoError::BadParameters`], [`CryptoError::BadKey`],
    /// [`CryptoError::MissingIv`], [`CryptoError::BadTagLength`], [`CryptoError::Random`].
    pub fn start(request: &CipherRequest<'_>) -> Result<Self, CryptoError> {
        let mode = request.parameters.block_cipher_mode;
        let key = spread_key(request.algorithm, request.key);
        let row = fetch::cipher(request.algorithm, key.len(), mode)?;
        if !key_lengths(request.algorithm).is_some_and(|lengths| lengths.contain(key.len())) {
            return Err(CryptoError::BadKey);
        }
        let cipher = row.cipher()?;
        let authenticates = authenticates(row);
        if !authenticates && (!request.additional_data.is_empty() || request.tag.is_some()) {
            return Err(CryptoError::BadParameters);
        }
        let tag_length = if authenticates {
            Some(tag_length(request, mode)?)
        } else {
            None
        };
        let Nonce { bytes: iv, generated } = nonce::choose(request, row, cipher)?;
        let iv = (!iv.is_empty()).then_some(iv.as_slice());
        let mut context = CipherCtx::new().map_err(internal)?;
        initialise(&mut context, cipher, request, &key, iv, tag_length)?;
        let engine = if needs_whole(row.mode) {
            let ccm = row.mode == Some(BlockCipherMode::CCM);
            let additional_data = request.additional_data.to_vec();
            Engine::Whole {
                context,
                data: Zeroizing::default(),
                additional_data,
                ccm,
            }
        } else {
            if authenticates && !request.additional_data.is_empty() {
                check_length(request.additional_data)?;
                context.cipher_update(request.additional_data, None).map_err(internal)?;
            }
            let pads = matches!(row.mode, Some(BlockCipherMode::ECB | BlockCipherMode::CBC));
            let padding = if pads {
                Padding::of(request.parameters.padding_method)?
            } else {
                Padding::None
            };
            let block = if pads { cipher.block_size() } else { 1 };
            Engine::Parts(Parts {
                context,
                padding,
                block,
                filled: 0,
                held: Zeroizing::default(),
            })
        };
        let tag_length = tag_length.filter(|_| request.direction == Direction::Encrypt);
        Ok(Self {
            direction: request.direction,
            engine,
            generated_iv: generated,
            tag_length,
            judges_tag: authenticates && request.direction == Direction::Decrypt,
        })
    }

    /// The initialization vector that was made because the request had none, as the client has to give it for
    /// decryption.
    #[must_use]
    pub fn generated_iv(&self) -> Option<&[u8]> {
        self.generated_iv.as_deref()
    }

    /// Whether parts of the result may be given out before the end: not where the mode must see the data whole, nor where a tag
    /// is judged at the end, since nothing of a plaintext is given out before that (NIST SP 800-38D §7.2).
    #[must_use]
    pub const fn gives_parts(&self) -> bool {
        matches!(self.engine, Engine::Parts(_)) && !self.judges_tag
    }

    /// A second context in the state of this one, where it [gives parts](Self::gives_parts).
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] where it does not; [`CryptoError::Internal`].
    pub fn fork(&self) -> Result<Self, CryptoError> {
        let Engine::Parts(parts) = &self.engine else {
            return Err(CryptoError::Unsupported);
        };
        let mut context = CipherCtx::new().map_err(internal)?;
        context.copy(&parts.context).map_err(internal)?;
        Ok(Self {
            direction: self.direction,
            engine: Engine::Parts(Parts {
                context,
                padding: parts.padding,
                block: parts.block,
                filled: parts.filled,
                held: parts.held.clone(),
            }),
            generated_iv: self.generated_iv.clone(),
            tag_length: self.tag_length,
            judges_tag: self.judges_tag,
        })
    }

    /// Takes a part and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`].
    pub fn update(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        check_length(data)?;
        match &mut self.engine {
            Engine::Parts(parts) => parts.update(self.direction, data, out),
            Engine::Whole { data: held, .. } => {
                if held.len().saturating_add(data.len()) > MOST_BYTES {
                    return Err(CryptoError::BadLength);
                }
                append(held, data);
                Ok(())
            }
        }
    }

    /// Ends it: appends the rest to `out` and gives the tag, if the mode makes one. After a failure `out` is empty:
    /// nothing of a plaintext whose check failed comes out.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if tag, padding or integrity did not hold; [`CryptoError::BadLength`] if the data does
    /// not end where the mode needs it.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<Option<Vec<u8>>, CryptoError> {
        let Self {
            direction,
            engine,
            tag_length,
            ..
        } = self;
        let result = match engine {
            Engine::Parts(parts) => parts.finish(direction, out),
            Engine::Whole {
                context,
                data,
                additional_data,
                ccm,
            } => finish_whole(context, direction, &data, &additional_data, ccm, out),
        };
        let context = result.inspect_err(|_| {
            out.zeroize();
        })?;
        tag_length
            .map(|length| {
                let mut tag = vec![0; length];
                context.tag(&mut tag).map_err(internal)?;
                Ok(tag)
            })
            .transpose()
    }
}

/// What an encryption gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext.
    pub data: Vec<u8>,
    /// The initialization vector, if it was made here.
    pub iv: Option<Vec<u8>>,
    /// The authentication tag, if the mode makes one.
    pub tag: Option<Vec<u8>>,
}

/// Encrypts one piece of data. The request's direction is not read.
///
/// # Errors
/// As [`CipherContext`].
pub fn encrypt(request: CipherRequest<'_>, data: &[u8]) -> Result<Encrypted, CryptoError> {
    let mut context = CipherContext::start(&CipherRequest {
        direction: Direction::Encrypt,
        ..request
    })?;
    let iv = context.generated_iv.take();
    let mut out = Vec::with_capacity(data.len().saturating_add(64));
    context.update(data, &mut out)?;
    let tag = context.finish(&mut out)?;
    Ok(Encrypted { data: out, iv, tag })
}

/// Decrypts one piece of data. The request's direction is not read.
///
/// # Errors
/// As [`CipherContext`].
pub fn decrypt(request: CipherRequest<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
    let mut context = CipherContext::start(&CipherRequest {
        direction: Direction::Decrypt,
        ..request
    })?;
    let mut out = Vec::with_capacity(data.len().saturating_add(64));
    let done = context.update(data, &mut out).and_then(|()| context.finish(&mut out));
    if let Err(error) = done {
        out.zeroize();
        return Err(error);
    }
    Ok(Secret::new(out))
}

impl Parts {
    fn update(&mut self, direction: Direction, data: &[u8], out: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.filled = self
            .filled
            .wrapping_add(data.len())
            .checked_rem(self.block)
            .unwrap_or(0);
        if direction == Direction::Encrypt || self.padding == Padding::None {
            self.context.cipher_update_vec(data, out).map_err(internal)?;
            return Ok(());
        }
        let mut ready = Zeroizing::new(Vec::with_capacity(
            data.len().saturating_add(self.block.saturating_mul(3)),
        ));
        ready.extend_from_slice(&self.held);
        self.context.cipher_update_vec(data, &mut ready).map_err(internal)?;
        let released = ready.len().saturating_sub(self.block);
        let (whole, last) = ready.split_at_checked(released).ok_or(CryptoError::Internal)?;
        out.extend_from_slice(whole);
        self.held.zeroize();
        self.held.extend_from_slice(last);
        Ok(())
    }

    fn finish(mut self, direction: Direction, out: &mut Vec<u8>) -> Result<CipherCtx, CryptoError> {
        if direction == Direction::Encrypt {
            let padding = self.padding.bytes(self.filled, self.block, randomness().as_ref())?;
            self.context.cipher_update_vec(&padding, out).map_err(internal)?;
        } else if self.filled != 0 {
            return Err(CryptoError::BadLength);
        }
        // Where the mode authenticates, the tag is judged here.
        let mut rest = Zeroizing::new(Vec::new());
        self.context
            .cipher_final_vec(&mut rest)
            .map_err(or(CryptoError::Failed))?;
        out.extend_from_slice(&rest);
        if direction == Direction::Decrypt && self.padding != Padding::None {
            // Encryption with these paddings gives at least one block, except zeros over nothing.
            if self.held.is_empty() && self.padding != Padding::Zeros {
                return Err(CryptoError::BadLength);
            }
            let kept = self.padding.strip(&self.held)?;
            out.extend_from_slice(self.held.get(..kept).unwrap_or_default());
        }
        Ok(self.context)
    }
}

fn initialise(
    context: &mut CipherCtx,
    cipher: &CipherRef,
    request: &CipherRequest<'_>,
    key: &Secret,
    iv: Option<&[u8]>,
    tag_length: Option<usize>,
) -> Result<(), CryptoError> {
    let parameters = or(CryptoError::BadParameters);
    let bad_key = or(CryptoError::BadKey);
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    let encrypts = request.direction == Direction::Encrypt;
    let set = |context: &mut CipherCtx, cipher, key, iv| {
        if encrypts {
            context.encrypt_init(cipher, key, iv)
        } else {
            context.decrypt_init(cipher, key, iv)
        }
    };
    set(context, Some(cipher), None, None).map_err(internal)?;
    if context.key_length() != key.len() {
        context.set_key_length(key.len()).map_err(&bad_key)?;
    }
    if request.algorithm == CryptographicAlgorithm::RC2 {
        let bits = i32::try_from(key.len().saturating_mul(8)).map_err(|_| CryptoError::BadKey)?;
        native::set_rc2_bits(context, bits)?;
    }
    if let (Some(length), Some(iv)) = (tag_length, iv) {
        if iv.len() != context.iv_length() {
            context.set_iv_length(iv.len()).map_err(&parameters)?;
        }
        match request.tag {
            Some(tag) if !encrypts => context.set_tag(tag).map_err(&parameters)?,
            _ if request.parameters.block_cipher_mode == Some(BlockCipherMode::CCM) => {
                context.set_tag_length(length).map_err(&parameters)?;
            }
            _ => {}
        }
    }
    if iv.is_some_and(|iv| iv.len() < context.iv_length()) {
        return Err(CryptoError::BadParameters);
    }
    // XTS refuses a key whose halves are equal here, and DES no weak keys.
    set(context, None, Some(key.expose()), iv).map_err(bad_key)?;
    context.set_padding(false);
    Ok(())
}

fn finish_whole(
    mut context: CipherCtx,
    direction: Direction,
    data: &[u8],
    additional_data: &[u8],
    ccm: bool,
    out: &mut Vec<u8>,
) -> Result<CipherCtx, CryptoError> {
    // CCM and key wrapping judge integrity in the one update; encryption can fail by its length only.
    let wrong = if direction == Direction::Decrypt {
        CryptoError::Failed
    } else {
        CryptoError::BadLength
    };
    if ccm {
        context.set_data_len(data.len()).map_err(or(CryptoError::BadLength))?;
        if !additional_data.is_empty() {
            check_length(additional_data)?;
            context.cipher_update(additional_data, None).map_err(internal)?;
        }
    } else if data.is_empty() {
        return Err(CryptoError::BadLength);
    }
    // Room for the block that wrapping adds; the library's binding grows the vector for what it knows only.
    out.reserve(data.len().saturating_add(32));
    context.cipher_update_vec(data, out).map_err(or(wrong))?;
    if !ccm {
        context.cipher_final_vec(out).map_err(or(wrong))?;
    }
    Ok(context)
}

/// Whether the mode has an authentication tag.
fn authenticates(row: &CipherRow) -> bool {
    matches!(row.mode, Some(BlockCipherMode::GCM | BlockCipherMode::CCM))
        || row.algorithm == CryptographicAlgorithm::ChaCha20Poly1305
}

fn needs_whole(mode: Option<BlockCipherMode>) -> bool {
    matches!(
        mode,
        Some(
            BlockCipherMode::CCM
                | BlockCipherMode::XTS
                | BlockCipherMode::NISTKeyWrap
                | BlockCipherMode::AESKeyWrapPadding
        )
    )
}

fn tag_length(request: &CipherRequest<'_>, mode: Option<BlockCipherMode>) -> Result<usize, CryptoError> {
    let named = request
        .parameters
        .tag_length
        .map(count)
        .transpose()
        .map_err(|_| CryptoError::BadTagLength)?;
    let given = match request.direction {
        Direction::Encrypt => None,
        // Without a tag nothing can be checked, and an unchecked plaintext is not given out.
        Direction::Decrypt => Some(request.tag.ok_or(CryptoError::BadParameters)?.len()),
    };
    let length = given.or(named).unwrap_or(DEFAULT_TAG_LENGTH);
    if named.is_some_and(|named| named != length) {
        return Err(CryptoError::BadTagLength);
    }
    let allowed: &[usize] = if mode == Some(BlockCipherMode::CCM) {
        &CCM_TAG_LENGTHS
    } else {
        &TAG_LENGTHS
    };
    if allowed.contains(&length) {
        Ok(length)
    } else {
        Err(CryptoError::BadTagLength)
    }
}

/// A triple DES key of one part is that part three times over.
fn spread_key(algorithm: CryptographicAlgorithm, key: &Secret) -> Secret {
    if algorithm == CryptographicAlgorithm::DES3 && key.len() == 8 {
        return Secret::new(key.expose().repeat(3));
    }
    key.clone()
}

/// Appends without leaving an unwiped copy behind where the vector moves.
fn append(held: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let needed = held.len().saturating_add(data.len());
    if held.capacity() < needed {
        let mut moved = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
        moved.extend_from_slice(held);
        *held = moved;
    }
    held.extend_from_slice(data);
}

fn check_length(data: &[u8]) -> Result<(), CryptoError> {
    if data.len() > MOST_BYTES {
        Err(CryptoError::BadLength)
    } else {
        Ok(())
    }
}
