//! Wrapping of keys that are given out and unwrapping of keys that come in (KMIP 2.1 §3.3, §7.18).
//!
//! A wrapped Key Value is a byte string: the ciphertext, followed by the tag where the mode makes one. The specification
//! has no field for a tag here.

use super::asymmetric::{decrypt_with, encrypt_to};
use super::cipher::{CipherRequest, Direction, decrypt, encrypt};
use super::error::CryptoError;
use super::key::{PrivateKey, PublicKey};
use super::mac::{MacContext, MacMethod, mac};
use super::signature::{SignatureScheme, sign, verify};
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicParameters, EncodingOption, KeyBlock, KeyMaterial, KeyValue,
    KeyWrappingData, KeyWrappingSpecification, PlainKeyValue, Version, WrappingMethod,
};
use kmip_ttlv::Secret;

/// The tag that GCM and its like append where no length is named.
const DEFAULT_TAG: usize = 16;

/// The key that encrypts or decrypts.
pub enum EncryptionKey<'a> {
    /// A symmetric key.
    Symmetric(CryptographicAlgorithm, &'a Secret),
    /// A public key, which wraps.
    Public(&'a PublicKey),
    /// A private key, which unwraps.
    Private(&'a PrivateKey),
}

/// The key that authenticates or verifies.
pub enum AuthenticationKey<'a> {
    /// A symmetric key and its algorithm, which may be an HMAC.
    Symmetric(Option<CryptographicAlgorithm>, &'a Secret),
    /// A private key, which signs.
    Private(&'a PrivateKey),
    /// A public key, which verifies.
    Public(&'a PublicKey),
}

/// The keys of a wrapping, each with the parameters that count: those named beside it, else its own.
#[derive(Default)]
pub struct WrappingKeys<'a> {
    /// The key of the Encryption Key Information.
    pub encryption: Option<(EncryptionKey<'a>, CryptographicParameters)>,
    /// The key of the MAC/Signature Key Information.
    pub authentication: Option<(AuthenticationKey<'a>, CryptographicParameters)>,
}

/// Wraps the key of a block as specified.
///
/// # Errors
/// [`CryptoError::BadParameters`] if a key that the method needs is missing; [`CryptoError::BadEncoding`];
/// [`CryptoError::Unsupported`] for TR-31; [`CryptoError::BadKey`] if the block is wrapped already or a key does not
/// wrap; what the cipher says.
pub fn wrap(
    block: &KeyBlock,
    specification: &KeyWrappingSpecification,
    keys: &WrappingKeys<'_>,
    version: Version,
) -> Result<KeyBlock, CryptoError> {
    let value = super::format::plain(block)?;
    let plain = encode(value, specification.encoding_option, version)?;
    let mut iv = None;
    let (key_value, mac_signature) = match specification.wrapping_method {
        WrappingMethod::Encrypt => (seal(keys, &plain, &mut iv)?, None),
        WrappingMethod::EncryptThenMACSign => {
            let sealed = seal(keys, &plain, &mut iv)?;
            let mark = authenticate(keys, sealed.expose())?;
            (sealed, Some(mark))
        }
        WrappingMethod::MACSignThenEncrypt => {
            let mark = authenticate(keys, plain.expose())?;
            (seal(keys, &plain, &mut iv)?, Some(mark))
        }
        WrappingMethod::MACSign => {
            let mark = authenticate(keys, plain.expose())?;
            return Ok(wrapped(
                block,
                KeyValue::Plain(value.clone()),
                specification,
                Some(mark),
                None,
            ));
        }
        _ => return Err(CryptoError::Unsupported),
    };
    Ok(wrapped(
        block,
        KeyValue::Wrapped(key_value),
        specification,
        mac_signature,
        iv,
    ))
}

fn wrapped(
    block: &KeyBlock,
    key_value: KeyValue,
    specification: &KeyWrappingSpecification,
    mac_signature: Option<Vec<u8>>,
    iv_counter_nonce: Option<Vec<u8>>,
) -> KeyBlock {
    KeyBlock {
        key_value: Some(key_value),
        key_wrapping_data: Some(Box::new(KeyWrappingData {
            wrapping_method: specification.wrapping_method,
            encryption_key_information: specification.encryption_key_information.clone(),
            mac_signature_key_information: specification.mac_signature_key_information.clone(),
            mac_signature,
            iv_counter_nonce,
            encoding_option: specification.encoding_option,
        })),
        ..block.clone()
    }
}

/// Unwraps the key of a block.
///
/// # Errors
/// [`CryptoError::Failed`] if tag, padding, MAC or signature does not hold or what comes out is no Key Value;
/// [`CryptoError::BadParameters`] if something that the method needs is missing; [`CryptoError::BadEncoding`];
/// [`CryptoError::Unsupported`]; [`CryptoError::BadKey`].
pub fn unwrap(block: &KeyBlock, keys: &WrappingKeys<'_>, version: Version) -> Result<KeyBlock, CryptoError> {
    let data = block.key_wrapping_data.as_ref().ok_or(CryptoError::BadParameters)?;
    let iv = data.iv_counter_nonce.as_deref();
    let mark = data.mac_signature.as_deref();
    let value = block.key_value.as_ref().ok_or(CryptoError::BadKey)?;
    let encodings = [
        None,
        Some(EncodingOption::NoEncoding),
        Some(EncodingOption::TTLVEncoding),
    ];
    if !encodings.contains(&data.encoding_option) {
        return Err(CryptoError::BadEncoding);
    }
    let value = if data.wrapping_method == WrappingMethod::MACSign {
        let KeyValue::Plain(plain) = value else {
            return Err(CryptoError::BadKey);
        };
        check(keys, encode(plain, data.encoding_option, version)?.expose(), mark)?;
        plain.clone()
    } else {
        let sealed = wrapped_bytes(value)?;
        if data.wrapping_method == WrappingMethod::EncryptThenMACSign {
            check(keys, sealed.expose(), mark)?;
        }
        let plain = open(keys, sealed, iv)?;
        match data.wrapping_method {
            WrappingMethod::MACSignThenEncrypt => check(keys, plain.expose(), mark)?,
            WrappingMethod::Encrypt | WrappingMethod::EncryptThenMACSign => {}
            _ => return Err(CryptoError::Unsupported),
        }
        decode(block, plain, data.encoding_option, version)?
    };
    Ok(KeyBlock {
        key_value: Some(KeyValue::Plain(value)),
        key_wrapping_data: None,
        ..block.clone()
    })
}

/// The wrapped bytes, which clients send as the Key Value or as its Key Material.
fn wrapped_bytes(value: &KeyValue) -> Result<&Secret, CryptoError> {
    match value {
        KeyValue::Wrapped(bytes) => Ok(bytes),
        KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bytes),
            attributes: None,
        }) => Ok(bytes),
        KeyValue::Plain(_) => Err(CryptoError::BadKey),
    }
}

fn encode(value: &PlainKeyValue, option: Option<EncodingOption>, version: Version) -> Result<Secret, CryptoError> {
    match (option, value) {
        (None | Some(EncodingOption::TTLVEncoding), _) => Ok(value.to_ttlv(version)),
        (
            Some(EncodingOption::NoEncoding),
            PlainKeyValue {
                key_material: KeyMaterial::Bytes(bytes),
                attributes: None,
            },
        ) => Ok(bytes.clone()),
        _ => Err(CryptoError::BadEncoding),
    }
}

fn decode(
    block: &KeyBlock,
    plain: Secret,
    option: Option<EncodingOption>,
    version: Version,
) -> Result<PlainKeyValue, CryptoError> {
    match option {
        None | Some(EncodingOption::TTLVEncoding) => {
            PlainKeyValue::from_ttlv(plain.expose(), version, block.key_format_type).map_err(|_| CryptoError::Failed)
        }
        Some(EncodingOption::NoEncoding) => Ok(PlainKeyValue {
            key_material: KeyMaterial::Bytes(plain),
            attributes: None,
        }),
        Some(_) => Err(CryptoError::BadEncoding),
    }
}

/// The mode that counts: AES without one wraps as RFC 3394 says.
fn with_mode(algorithm: CryptographicAlgorithm, parameters: &CryptographicParameters) -> CryptographicParameters {
    let mut parameters = parameters.clone();
    if algorithm == CryptographicAlgorithm::AES && parameters.block_cipher_mode.is_none() {
        parameters.block_cipher_mode = Some(BlockCipherMode::NISTKeyWrap);
    }
    parameters
}

fn symmetric<'a>(
    algorithm: CryptographicAlgorithm,
    key: &'a Secret,
    parameters: &'a CryptographicParameters,
    iv: Option<&'a [u8]>,
) -> CipherRequest<'a> {
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

fn seal(keys: &WrappingKeys<'_>, plain: &Secret, iv: &mut Option<Vec<u8>>) -> Result<Secret, CryptoError> {
    let (key, parameters) = keys.encryption.as_ref().ok_or(CryptoError::BadParameters)?;
    match key {
        EncryptionKey::Symmetric(algorithm, key) => {
            let parameters = with_mode(*algorithm, parameters);
            let sealed = encrypt(symmetric(*algorithm, key, &parameters, None), plain.expose())?;
            *iv = sealed.iv;
            let mut bytes = sealed.data;
            bytes.extend(sealed.tag.unwrap_or_default());
            Ok(Secret::new(bytes))
        }
        EncryptionKey::Public(key) => encrypt_to(key, parameters, plain.expose()).map(Secret::new),
        EncryptionKey::Private(_) => Err(CryptoError::BadKey),
    }
}

fn open(keys: &WrappingKeys<'_>, sealed: &Secret, iv: Option<&[u8]>) -> Result<Secret, CryptoError> {
    let (key, parameters) = keys.encryption.as_ref().ok_or(CryptoError::BadParameters)?;
    match key {
        EncryptionKey::Symmetric(algorithm, key) => {
            let parameters = with_mode(*algorithm, parameters);
            let authenticates = *algorithm == CryptographicAlgorithm::ChaCha20Poly1305
                || matches!(
                    parameters.block_cipher_mode,
                    Some(BlockCipherMode::GCM | BlockCipherMode::CCM)
                );
            let request = symmetric(*algorithm, key, &parameters, iv);
            if !authenticates {
                return decrypt(request, sealed.expose());
            }
            let length = parameters
                .tag_length
                .map(super::parameters::count)
                .transpose()?
                .unwrap_or(DEFAULT_TAG);
            let end = sealed.len().checked_sub(length).ok_or(CryptoError::Failed)?;
            let (data, tag) = sealed.expose().split_at_checked(end).ok_or(CryptoError::Failed)?;
            decrypt(
                CipherRequest {
                    tag: Some(tag),
                    ..request
                },
                data,
            )
        }
        EncryptionKey::Private(key) => decrypt_with(key, parameters, sealed.expose()),
        EncryptionKey::Public(_) => Err(CryptoError::BadKey),
    }
}

fn authenticate(keys: &WrappingKeys<'_>, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (key, parameters) = keys.authentication.as_ref().ok_or(CryptoError::BadParameters)?;
    match key {
        AuthenticationKey::Symmetric(algorithm, key) => mac(MacMethod::choose(parameters, *algorithm)?, key, data),
        AuthenticationKey::Private(key) => sign(SignatureScheme::choose(parameters, key.kind()?)?, key, data),
        AuthenticationKey::Public(_) => Err(CryptoError::BadKey),
    }
}

fn check(keys: &WrappingKeys<'_>, data: &[u8], mark: Option<&[u8]>) -> Result<(), CryptoError> {
    let (key, parameters) = keys.authentication.as_ref().ok_or(CryptoError::BadParameters)?;
    let mark = mark.ok_or(CryptoError::BadParameters)?;
    let holds = match key {
        AuthenticationKey::Symmetric(algorithm, key) => {
            let mut context = MacContext::start(MacMethod::choose(parameters, *algorithm)?, key)?;
            context.update(data)?;
            context.verify(mark)?
        }
        AuthenticationKey::Public(key) => verify(SignatureScheme::choose(parameters, key.kind()?)?, key, data, mark)?,
        AuthenticationKey::Private(key) => {
            let public = key.public_key()?;
            verify(SignatureScheme::choose(parameters, key.kind()?)?, &public, data, mark)?
        }
    };
    if holds { Ok(()) } else { Err(CryptoError::Failed) }
}
