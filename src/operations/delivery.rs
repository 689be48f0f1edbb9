//! How a key leaves: unwrapped or as it was registered, in the format and compression asked for, wrapped as specified
//! (KMIP 2.1 §6.1.19, §7.18).

use super::context::Context;
use super::keyed::{Key, Purpose};
use super::{bundle, get_attributes};
use crate::crypto::wrap::{AuthenticationKey, EncryptionKey, WrappingKeys, unwrap, wrap};
use crate::crypto::{CryptoError, PrivateKey, PublicKey, ReadHints, format};
use crate::failure::{Failure, Fault};
use crate::objects::Kept;
use kmip_protocol::{
    AttributeReference, CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, EncodingOption,
    GetRequest, KeyBlock, KeyFormatType, KeyInformation, KeyMaterial, KeyValue, KeyWrapType, KeyWrappingSpecification,
    ManagedObject, ObjectType, PlainKeyValue, Version,
};
use kmip_ttlv::Secret;

/// The object as the request wants it.
///
/// # Errors
/// [`Fault::KeyFormat`], [`Fault::KeyCompression`], [`Fault::KeyWrapType`], [`Fault::WrapNotPossible`],
/// [`Fault::EncodingOption`], and what is said of the wrapping key.
pub async fn deliver(
    context: &mut Context<'_>,
    object: &Kept,
    mut managed: ManagedObject,
    request: &GetRequest,
) -> Result<ManagedObject, Failure> {
    let object_type = managed.object_type();
    let is_bundled = managed
        .key_block()
        .is_some_and(|block| block.key_format_type == KeyFormatType::PKCS_12);
    if request.key_format_type == Some(KeyFormatType::PKCS_12) && !is_bundled {
        return bundle::give(context, object, managed, request).await;
    }
    let Some(block) = managed.key_block_mut() else {
        return without_block(managed, request);
    };
    // What came in wrapped goes out as it is, unless it is asked for in clear.
    if block.key_wrapping_data.is_some() {
        match request.key_wrap_type {
            Some(KeyWrapType::NotWrapped) => *block = open(context, block).await?,
            None | Some(KeyWrapType::AsRegistered) if request.key_wrapping_specification.is_some() => {
                return Err(Fault::WrapNotPossible.into());
            }
            None | Some(KeyWrapType::AsRegistered) => return as_registered(managed, request),
            Some(_) => return Err(Fault::KeyWrapType.into()),
        }
    }
    if request.key_format_type.is_some() || request.key_compression_type.is_some() {
        *block = converted(object_type, block, request)?;
    } else if let Some(known) = known_format(context.version, object_type, block)
        && let Ok(known) = format::convert(object_type, block, known, None, ReadHints::default())
    {
        *block = known;
    }
    if let Some(specification) = &request.key_wrapping_specification {
        *block = close(context, object, block, specification).await?;
    }
    Ok(managed)
}

/// The format of a key that is kept in one that the peer's version does not have, and did not ask for by name.
fn known_format(version: Version, object_type: ObjectType, block: &KeyBlock) -> Option<KeyFormatType> {
    let usual = match object_type {
        ObjectType::PrivateKey => KeyFormatType::PKCS_8,
        ObjectType::PublicKey => KeyFormatType::X_509,
        _ => return None,
    };
    let default = format::default_format(object_type, block.cryptographic_algorithm);
    let known = if default.is_known_in(version) { default } else { usual };
    (!block.key_format_type.is_known_in(version)).then_some(known)
}

/// Certificates and opaque objects have one format each and are not wrapped.
fn without_block(managed: ManagedObject, request: &GetRequest) -> Result<ManagedObject, Failure> {
    if request.key_wrapping_specification.is_some() {
        return Err(Fault::WrapNotPossible.into());
    }
    let own = match managed.object_type() {
        ObjectType::Certificate => KeyFormatType::X_509,
        ObjectType::CertificateRequest => KeyFormatType::PKCS_10,
        _ => KeyFormatType::Opaque,
    };
    match request.key_format_type {
        Some(format) if format != own => Err(Fault::KeyFormat.into()),
        _ => Ok(managed),
    }
}

/// A wrapped key cannot be converted.
fn as_registered(managed: ManagedObject, request: &GetRequest) -> Result<ManagedObject, Failure> {
    let own = managed.key_block().map(|block| block.key_format_type);
    if request.key_format_type.is_some() && request.key_format_type != own {
        return Err(Fault::KeyFormat.into());
    }
    Ok(managed)
}

fn converted(object_type: ObjectType, block: &KeyBlock, request: &GetRequest) -> Result<KeyBlock, Failure> {
    let wanted = request.key_format_type.unwrap_or(block.key_format_type);
    let compression = request.key_compression_type;
    format::convert(object_type, block, wanted, compression, ReadHints::default()).map_err(|error| match error {
        CryptoError::Unsupported if wanted == block.key_format_type => Failure::detailed(Fault::KeyCompression, error),
        // Also a key that cannot be read, or not without its password, can be had as it came only.
        CryptoError::Unsupported | CryptoError::BadKey | CryptoError::BadParameters => {
            Failure::detailed(Fault::KeyFormat, error)
        }
        other => other.into(),
    })
}

async fn close(
    context: &mut Context<'_>,
    object: &Kept,
    block: &KeyBlock,
    specification: &KeyWrappingSpecification,
) -> Result<KeyBlock, Failure> {
    let block = &with_attributes(context, object, block, specification).await?;
    let ring = Ring::load(
        context,
        specification.encryption_key_information.as_ref(),
        specification.mac_signature_key_information.as_ref(),
        Purpose::Protect,
    )
    .await?;
    let wrapped = wrap(block, specification, &ring.keys(), context.version).map_err(|error| match error {
        CryptoError::BadKey | CryptoError::BadLength => Failure::detailed(Fault::WrapNotPossible, error),
        other => Failure::from(other),
    })?;
    let bare = specification.encoding_option == Some(EncodingOption::NoEncoding);
    Ok(if bare && ring.lenient {
        as_material(wrapped)
    } else {
        wrapped
    })
}

/// The key with the attributes that are to be wrapped together with it (KMIP 2.1 §7.18). What the object does not have is left out.
async fn with_attributes(
    context: &mut Context<'_>,
    object: &Kept,
    block: &KeyBlock,
    specification: &KeyWrappingSpecification,
) -> Result<KeyBlock, Failure> {
    let names = &specification.attribute_names;
    let mut block = block.clone();
    if names.is_empty() {
        return Ok(block);
    }
    if specification.encoding_option == Some(EncodingOption::NoEncoding) {
        return Err(Fault::EncodingOption.into());
    }
    if names.len() > context.services.limits.attributes {
        return Err(Fault::LimitExceeded.into());
    }
    let mut references = Vec::new();
    for name in names {
        let reference = AttributeReference::from_name(name, context.version);
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    let whole = context.whole(object.clone())?;
    let attributes = get_attributes::told(context, whole, &references).await?;
    if let Some(KeyValue::Plain(value)) = &mut block.key_value {
        value.attributes = Some(attributes);
    }
    Ok(block)
}

/// A key wrapped without encoding is a Byte String in place of the Key Value (KMIP 1.4 §2.1.4). By the letter a wrapping key must
/// have the Cryptographic Parameters that are named (§2.1.6); clients that count on a server which does not insist, PyKMIP first
/// of all, also read the wrapped bytes in one place only: as Key Material. They get them there.
fn as_material(mut block: KeyBlock) -> KeyBlock {
    if let Some(KeyValue::Wrapped(bytes)) = block.key_value.take() {
        let key_material = KeyMaterial::Bytes(bytes);
        block.key_value = Some(KeyValue::Plain(PlainKeyValue {
            key_material,
            attributes: None,
        }));
    }
    block
}

/// A key that came in wrapped, in clear.
///
/// # Errors
/// What is said of the wrapping key; [`Fault::Cryptographic`] if the key does not come out.
pub(super) async fn open(context: &mut Context<'_>, block: &KeyBlock) -> Result<KeyBlock, Failure> {
    let data = block.key_wrapping_data.clone().ok_or(Failure::new(Fault::Internal))?;
    let ring = Ring::load(
        context,
        data.encryption_key_information.as_ref(),
        data.mac_signature_key_information.as_ref(),
        Purpose::Process,
    )
    .await?;
    Ok(unwrap(block, &ring.keys(), context.version)?)
}

/// A wrapping key.
enum Held {
    Symmetric(Option<CryptographicAlgorithm>, Secret),
    Private(PrivateKey),
    Public(PublicKey),
}

/// The keys of one wrapping.
struct Ring {
    encryption: Option<(Held, CryptographicParameters)>,
    authentication: Option<(Held, CryptographicParameters)>,
    /// Whether the wrapping key has no Cryptographic Parameters of its own, which the specification would refuse.
    lenient: bool,
}

impl Ring {
    async fn load(
        context: &mut Context<'_>,
        encryption: Option<&KeyInformation>,
        authentication: Option<&KeyInformation>,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let protects = purpose == Purpose::Protect;
        let (wraps, macs, signs) = if protects {
            (
                CryptographicUsageMask::WrapKey,
                CryptographicUsageMask::MACGenerate,
                CryptographicUsageMask::Sign,
            )
        } else {
            (
                CryptographicUsageMask::UnwrapKey,
                CryptographicUsageMask::MACVerify,
                CryptographicUsageMask::Verify,
            )
        };
        let mut ring = Self {
            encryption: None,
            authentication: None,
            lenient: false,
        };
        if let Some(information) = encryption {
            let (held, parameters, configured) = held(context, information, purpose, wraps, wraps).await?;
            ring.lenient = !configured;
            ring.encryption = Some((held, parameters));
        }
        if let Some(information) = authentication {
            let (held, parameters, _) = held(context, information, purpose, macs, signs).await?;
            ring.authentication = Some((held, parameters));
        }
        Ok(ring)
    }

    fn keys(&self) -> WrappingKeys<'_> {
        let encryption = self.encryption.as_ref().and_then(|(held, parameters)| {
            let key = match held {
                Held::Symmetric(algorithm, key) => EncryptionKey::Symmetric((*algorithm)?, key),
                Held::Private(key) => EncryptionKey::Private(key),
                Held::Public(key) => EncryptionKey::Public(key),
            };
            Some((key, parameters.clone()))
        });
        let authentication = self.authentication.as_ref().map(|(held, parameters)| {
            let key = match held {
                Held::Symmetric(algorithm, key) => AuthenticationKey::Symmetric(*algorithm, key),
                Held::Private(key) => AuthenticationKey::Private(key),
                Held::Public(key) => AuthenticationKey::Public(key),
            };
            (key, parameters.clone())
        });
        WrappingKeys {
            encryption,
            authentication,
        }
    }
}

async fn held(
    context: &mut Context<'_>,
    information: &KeyInformation,
    purpose: Purpose,
    symmetric: CryptographicUsageMask,
    asymmetric: CryptographicUsageMask,
) -> Result<(Held, CryptographicParameters, bool), Failure> {
    let none = CryptographicUsageMask::NONE;
    let key = Key::of(context, Some(&information.unique_identifier), purpose, none)
        .await
        .map_err(of_wrapping_key)?;
    let is_symmetric = matches!(key.managed, ManagedObject::SymmetricKey(_));
    let usage = if is_symmetric { symmetric } else { asymmetric };
    if !key.object.attributes.usage_mask()?.contains(usage) {
        return Err(Fault::UsageMask.into());
    }
    let named = information.cryptographic_parameters.as_ref();
    // Parameters that are named must be among the key's own, where it has any (KMIP 2.1 §7.18).
    let configured = !key.own_parameters.is_empty();
    if let Some(named) = named
        && configured
        && !key.own_parameters.iter().any(|own| agrees(named, own))
    {
        return Err(Fault::WrappingParameters.into());
    }
    let parameters = key.parameters(named)?;
    let held = match &key.managed {
        ManagedObject::SymmetricKey(_) => {
            Held::Symmetric(key.algorithm(), key.bytes().map_err(of_wrapping_key)?.clone())
        }
        ManagedObject::PrivateKey(_) => Held::Private(key.private().map_err(of_wrapping_key)?),
        _ => Held::Public(key.public().map_err(of_wrapping_key)?),
    };
    Ok((held, parameters, configured))
}

/// Whether what is named is what the key has: fields that are not named, or that the key leaves open, do not matter.
fn agrees(named: &CryptographicParameters, own: &CryptographicParameters) -> bool {
    fn same<T: PartialEq>(named: Option<T>, own: Option<T>) -> bool {
        named.is_none() || own.is_none() || named == own
    }
    same(named.block_cipher_mode, own.block_cipher_mode)
        && same(named.padding_method, own.padding_method)
        && same(named.hashing_algorithm, own.hashing_algorithm)
        && same(named.digital_signature_algorithm, own.digital_signature_algorithm)
        && same(named.cryptographic_algorithm, own.cryptographic_algorithm)
}

/// What is said of an object is said of the wrapping key in words of its own (KMIP 2.1 §6.1.19.1).
fn of_wrapping_key(failure: Failure) -> Failure {
    match failure.fault() {
        Fault::ObjectNotFound => Fault::WrappingObjectNotFound.into(),
        Fault::ObjectDestroyed => Fault::WrappingObjectDestroyed.into(),
        Fault::ObjectArchived => Fault::WrappingObjectArchived.into(),
        Fault::UnusableObjectType => Fault::WrappingObjectIllegal.into(),
        _ => failure,
    }
}
