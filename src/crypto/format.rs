//! Key blocks of every object: which format is usual, what a block's material says of the key, and conversion.

use super::algorithm::{check_material, length_in_bits};
use super::error::CryptoError;
use super::key::{KeyFacts, PrivateKey, PublicKey};
use super::private_format::ReadHints;
use kmip_protocol::{
    CryptographicAlgorithm, KeyBlock, KeyCompressionType, KeyFormatType, KeyMaterial, KeyValue, ObjectType,
    PlainKeyValue, TransparentSymmetricKey,
};
use kmip_ttlv::Secret;

/// The format that a key is given out in where none is asked for (KMIP 2.1 §4.26, table 81). Keys that the table does
/// not list have the format that says of itself what it holds.
#[must_use]
pub fn default_format(object: ObjectType, algorithm: Option<CryptographicAlgorithm>) -> KeyFormatType {
    use KeyFormatType as Format;
    let private = object == ObjectType::PrivateKey;
    let of = |when_private, when_public| if private { when_private } else { when_public };
    match object {
        ObjectType::PrivateKey | ObjectType::PublicKey => match algorithm {
            Some(CryptographicAlgorithm::RSA) => Format::PKCS_1,
            Some(CryptographicAlgorithm::EC | CryptographicAlgorithm::ECDSA | CryptographicAlgorithm::ECDH) => {
                of(Format::TransparentECPrivateKey, Format::TransparentECPublicKey)
            }
            Some(CryptographicAlgorithm::DSA) => of(Format::TransparentDSAPrivateKey, Format::TransparentDSAPublicKey),
            Some(CryptographicAlgorithm::DH) => of(Format::TransparentDHPrivateKey, Format::TransparentDHPublicKey),
            _ => of(Format::PKCS_8, Format::X_509),
        },
        ObjectType::Certificate => Format::X_509,
        ObjectType::CertificateRequest => Format::PKCS_10,
        ObjectType::OpaqueObject => Format::Opaque,
        _ => Format::Raw,
    }
}

/// The material of a block that is not wrapped.
///
/// # Errors
/// [`CryptoError::BadKey`] if there is none or it is wrapped.
pub fn plain(block: &KeyBlock) -> Result<&PlainKeyValue, CryptoError> {
    match &block.key_value {
        Some(KeyValue::Plain(value)) if block.key_wrapping_data.is_none() => Ok(value),
        _ => Err(CryptoError::BadKey),
    }
}

/// The bytes of symmetric material, secret data or opaque material.
///
/// # Errors
/// [`CryptoError::BadKey`] if the material is of another kind.
pub fn material_bytes(material: &KeyMaterial) -> Result<&Secret, CryptoError> {
    match material {
        KeyMaterial::Bytes(bytes) => Ok(bytes),
        KeyMaterial::TransparentSymmetricKey(key) => Ok(&key.key),
        _ => Err(CryptoError::BadKey),
    }
}

impl PrivateKey {
    /// Reads the private key of a block.
    ///
    /// # Errors
    /// As [`PrivateKey::read`].
    pub fn of(block: &KeyBlock, hints: ReadHints<'_>) -> Result<Self, CryptoError> {
        let hints = ReadHints {
            algorithm: hints.algorithm.or(block.cryptographic_algorithm),
            ..hints
        };
        Self::read(block.key_format_type, &plain(block)?.key_material, hints)
    }
}

impl PublicKey {
    /// Reads the public key of a block.
    ///
    /// # Errors
    /// As [`PublicKey::read`].
    pub fn of(block: &KeyBlock, hints: ReadHints<'_>) -> Result<Self, CryptoError> {
        let hints = ReadHints {
            algorithm: hints.algorithm.or(block.cryptographic_algorithm),
            ..hints
        };
        Self::read(block.key_format_type, &plain(block)?.key_material, hints)
    }
}

/// What the material of a block says of its key, checked against what the block says. The name that a client gave an EC
/// key's algorithm is kept.
///
/// # Errors
/// [`CryptoError::BadKey`] if material and statements do not agree, or the material is no key; what
/// [`PrivateKey::read`] says of keys that need a password; [`CryptoError::BadParameters`] if a symmetric key does not
/// say its algorithm.
pub fn facts(object: ObjectType, block: &KeyBlock, hints: ReadHints<'_>) -> Result<KeyFacts, CryptoError> {
    let stated = block.cryptographic_algorithm;
    let facts = match object {
        ObjectType::PrivateKey => PrivateKey::of(block, hints)?.facts()?,
        ObjectType::PublicKey => PublicKey::of(block, hints)?.facts()?,
        _ => {
            let bytes = material_bytes(&plain(block)?.key_material)?.len();
            let algorithm = stated.ok_or(CryptoError::BadParameters)?;
            check_material(algorithm, bytes, block.cryptographic_length)?;
            let length = block
                .cryptographic_length
                .unwrap_or_else(|| length_in_bits(algorithm, bytes));
            return Ok(KeyFacts {
                algorithm,
                length,
                curve: None,
            });
        }
    };
    if block.cryptographic_length.is_some_and(|length| length != facts.length) {
        return Err(CryptoError::BadKey);
    }
    Ok(KeyFacts {
        algorithm: stated.unwrap_or(facts.algorithm),
        ..facts
    })
}

/// The same block in another format. Attributes beside the material stay; the block must not be wrapped.
///
/// # Errors
/// [`CryptoError::Unsupported`] if there is no such format or compression for the key.
pub fn convert(
    object: ObjectType,
    block: &KeyBlock,
    format: KeyFormatType,
    compression: Option<KeyCompressionType>,
    hints: ReadHints<'_>,
) -> Result<KeyBlock, CryptoError> {
    let value = plain(block)?;
    // A client that names a compression for a key without points is not held to it.
    let same_form =
        object != ObjectType::PublicKey || compression == block.key_compression_type || compression.is_none();
    let key_material = if format == block.key_format_type && same_form {
        value.key_material.clone()
    } else {
        match object {
            ObjectType::PrivateKey => PrivateKey::of(block, hints)?.write(format)?,
            ObjectType::PublicKey => PublicKey::of(block, hints)?.write(format, compression)?,
            _ => convert_bytes(object, &value.key_material, format)?,
        }
    };
    let is_point = object == ObjectType::PublicKey && compression.is_some();
    Ok(KeyBlock {
        key_format_type: format,
        key_compression_type: if is_point {
            compression
        } else {
            block.key_compression_type
        },
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material,
            attributes: value.attributes.clone(),
        })),
        ..block.clone()
    })
}

fn convert_bytes(
    object: ObjectType,
    material: &KeyMaterial,
    format: KeyFormatType,
) -> Result<KeyMaterial, CryptoError> {
    let bytes = material_bytes(material)?.clone();
    match format {
        KeyFormatType::Raw | KeyFormatType::Opaque => Ok(KeyMaterial::Bytes(bytes)),
        KeyFormatType::TransparentSymmetricKey if object == ObjectType::SymmetricKey => Ok(
            KeyMaterial::TransparentSymmetricKey(Box::new(TransparentSymmetricKey { key: bytes })),
        ),
        _ => Err(CryptoError::Unsupported),
    }
}
