//! What an object that a client brings must keep whatever its bytes are: the structure around them (KMIP 2.1 §2, §3; KMIP 1.4 §2.1, §2.2).

use crate::failure::Fault;
use kmip_protocol::{
    KeyBlock, KeyFormatType, KeyMaterial, KeyValue, KeyWrappingData, ManagedObject, SplitKey, SplitKeyMethod,
    TransparentRSAPrivateKey,
};

/// Enumeration values from this one on are extensions.
const FIRST_EXTENSION: u32 = 0x8000_0000;

/// Judges the structure of an object.
///
/// # Errors
/// [`Fault::InvalidField`].
pub(super) fn judge(managed: &ManagedObject) -> Result<(), Fault> {
    let sound = match managed {
        ManagedObject::Certificate(certificate) => {
            let kind = certificate.certificate_type;
            is_known(kind.0, kind.name())
        }
        ManagedObject::SplitKey(part) => is_part(part),
        _ => true,
    };
    if sound && managed.key_block().is_none_or(is_sound) {
        Ok(())
    } else {
        Err(Fault::InvalidField)
    }
}

fn is_known(number: u32, name: Option<&str>) -> bool {
    number >= FIRST_EXTENSION || name.is_some()
}

/// A part is one of its parts, no more are needed than there are, and a prime field has its prime (KMIP 2.1 §2.8).
fn is_part(part: &SplitKey) -> bool {
    let parts = 1..=part.split_key_parts;
    let method = part.split_key_method;
    parts.contains(&part.key_part_identifier)
        && parts.contains(&part.split_key_threshold)
        && is_known(method.0, method.name())
        && (method != SplitKeyMethod::PolynomialSharingPrimeField || part.prime_field_size.is_some())
}

fn is_sound(block: &KeyBlock) -> bool {
    let algorithm = block.cryptographic_algorithm;
    let compression = block.key_compression_type;
    is_known(block.key_format_type.0, block.key_format_type.name())
        && algorithm.is_none_or(|algorithm| is_known(algorithm.0, algorithm.name()))
        && compression.is_none_or(|compression| is_known(compression.0, compression.name()))
        && is_value(block)
}

/// What is wrapped says how, and only what is wrapped is bytes in place of a structure (KMIP 2.1 §3.1–3.3); a PKCS#12 bundle may be too.
fn is_value(block: &KeyBlock) -> bool {
    match (&block.key_value, block.key_wrapping_data.as_deref()) {
        (_, Some(wrapping)) => is_wrapping(wrapping),
        (Some(KeyValue::Wrapped(_)), None) => block.key_format_type == KeyFormatType::PKCS_12,
        (Some(KeyValue::Plain(value)), None) => match &value.key_material {
            KeyMaterial::TransparentRSAPrivateKey(key) => is_private(key),
            _ => true,
        },
        (None, None) => true,
    }
}

fn is_wrapping(wrapping: &KeyWrappingData) -> bool {
    is_known(wrapping.wrapping_method.0, wrapping.wrapping_method.name())
        && (wrapping.encryption_key_information.is_some() || wrapping.mac_signature_key_information.is_some())
}

/// The number that makes an RSA key private, in one of its three forms (KMIP 2.1 §3.7).
fn is_private(key: &TransparentRSAPrivateKey) -> bool {
    key.private_exponent.is_some()
        || (key.p.is_some() && key.q.is_some())
        || (key.prime_exponent_p.is_some() && key.prime_exponent_q.is_some())
}
