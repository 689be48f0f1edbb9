//! PKCS#12 bundles: taken apart when they are registered, put together when a key is asked for as one (KMIP 2.1 §4.39, §6.1.19).

use super::context::{Context, Wanted};
use super::creation::{self, Source};
use super::links::{ends, link};
use crate::crypto::{CryptoError, PrivateKey, PublicKey, ReadHints, format, pkcs12};
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Kept};
use kmip_protocol::{
    Attribute, AttributeKind, Certificate, CertificateType, GetRequest, KeyBlock, KeyFormatType, KeyMaterial, KeyValue,
    LinkType, ManagedObject, ObjectType, PlainKeyValue, RegisterResponse, SecretDataType, State, UniqueIdentifier,
};
use kmip_ttlv::Secret;

/// The friendly name of a key that has none (KMIP 2.1 §4.39).
const DEFAULT_NAME: &str = "alias";

/// Certificates of one bundle: no chain of trust is longer.
const LONGEST_CHAIN: usize = 10;

/// Whether a private key comes as a bundle that is to be taken apart: one that is wrapped besides stays as it is.
pub(super) fn is_bundle(managed: &ManagedObject) -> bool {
    matches!(managed, ManagedObject::PrivateKey(key)
        if key.key_block.key_format_type == KeyFormatType::PKCS_12
            && key.key_block.key_wrapping_data.is_none()
            && key.key_block.key_value.is_some())
}

/// Registers what a bundle holds: the private key, and its certificates, each with a Link to the next.
///
/// # Errors
/// [`Fault::BundlePassword`]; [`Fault::WrongState`] if the password is not active; [`Fault::InvalidField`] if it is no bundle.
pub(super) async fn register(
    context: &mut Context<'_>,
    mut attributes: AttributeSet,
    managed: &ManagedObject,
) -> Result<RegisterResponse, Failure> {
    let password = password(context, &attributes).await?;
    let bytes = managed
        .key_block()
        .and_then(octets)
        .ok_or(Failure::new(Fault::InvalidField))?;
    let wanted = match attributes.first(AttributeKind::PKCS_12FriendlyName) {
        Some(Attribute::PKCS_12FriendlyName(name)) => Some(name.clone()),
        _ => None,
    };
    let account = context.principal.into();
    let read = move || pkcs12::read(&bytes, &password, wanted.as_deref());
    let bundle = context.services.heavy.run(account, read).await?.map_err(refusal)?;
    let name = bundle.friendly_name.map(Attribute::PKCS_12FriendlyName);
    let mut above: Option<String> = None;
    for certificate in bundle.chain.into_iter().take(LONGEST_CHAIN).rev() {
        let mut own = AttributeSet::default();
        name.iter().cloned().for_each(|name| own.set(name));
        if let Some(above) = above.take() {
            own.add(link(LinkType::CertificateLink, &above));
        }
        let certificate = Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: certificate,
        };
        let object = creation::insert(context, own, &certificate.into(), Source::Registered).await?;
        above = Some(object.unique_identifier);
    }
    if let Some(first) = above {
        attributes.add(link(LinkType::PKCS_12CertificateLink, &first));
    }
    name.into_iter().for_each(|name| attributes.set_if_absent(name));
    let mut key_block = KeyBlock {
        key_format_type: KeyFormatType::PKCS_8,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bundle.key),
            attributes: None,
        })),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    };
    let facts = PrivateKey::of(&key_block, ReadHints::default())?.facts()?;
    // The certificates are not in the answer: only the key is given to later items.
    context.batch.identifiers.forget();
    key_block.cryptographic_algorithm = Some(facts.algorithm);
    key_block.cryptographic_length = Some(facts.length);
    let key = kmip_protocol::PrivateKey { key_block }.into();
    super::register::check(&mut attributes, &key)?;
    // The key comes last, so that the ID Placeholder is it.
    let object = creation::insert(context, attributes, &key, Source::Registered).await?;
    Ok(RegisterResponse {
        unique_identifier: object.unique_identifier,
        attributes: None,
    })
}

/// Gives a private key out as a bundle with its certificates, or a certificate with those above it.
///
/// # Errors
/// [`Fault::KeyFormat`] for other objects; [`Fault::BundlePassword`]; [`Fault::BundleChain`].
pub(super) async fn give(
    context: &mut Context<'_>,
    object: &Kept,
    managed: ManagedObject,
    request: &GetRequest,
) -> Result<ManagedObject, Failure> {
    if request.key_wrapping_specification.is_some() {
        return Err(Fault::WrapNotPossible.into());
    }
    let ManagedObject::PrivateKey(key) = managed else {
        return Err(Fault::KeyFormat.into());
    };
    if key.key_block.key_wrapping_data.is_some() || key.key_block.key_value.is_none() {
        return Err(Fault::KeyFormat.into());
    }
    let attributes = context.whole(object.clone())?.attributes;
    let password = password(context, &attributes).await?;
    let chain = chain(context, &attributes).await?;
    let name = match attributes.first(AttributeKind::PKCS_12FriendlyName) {
        Some(Attribute::PKCS_12FriendlyName(name)) => name.clone(),
        _ => DEFAULT_NAME.to_owned(),
    };
    let block = key.key_block;
    let write = move || {
        let key = PrivateKey::of(&block, ReadHints::default())?;
        pkcs12::write(&key, &chain, &name, &password)
    };
    let account = context.principal.into();
    let written = context.services.heavy.run(account, write).await?;
    let bundle = written.map_err(|error| match error {
        CryptoError::BadKey => Failure::detailed(Fault::BundleChain, error),
        CryptoError::BadParameters => Failure::detailed(Fault::BundlePassword, error),
        other => other.into(),
    })?;
    let key_value = if context.version.has_bundles_as_material() {
        KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bundle),
            attributes: None,
        })
    } else {
        KeyValue::Wrapped(bundle)
    };
    let key_block = KeyBlock {
        key_format_type: KeyFormatType::PKCS_12,
        key_compression_type: None,
        key_value: Some(key_value),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    };
    Ok(kmip_protocol::PrivateKey { key_block }.into())
}

/// The bundle's bytes, which clients send as the Key Value or as its Key Material.
fn octets(block: &KeyBlock) -> Option<Secret> {
    match &block.key_value {
        Some(KeyValue::Wrapped(bytes)) => Some(bytes.clone()),
        Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bytes),
            ..
        })) => Some(bytes.clone()),
        _ => None,
    }
}

fn refusal(error: CryptoError) -> Failure {
    match error {
        CryptoError::Failed => Failure::detailed(Fault::BundlePassword, error),
        CryptoError::BadKey => Failure::detailed(Fault::InvalidField, error),
        other => other.into(),
    }
}

/// The password that a key is linked to.
async fn password(context: &mut Context<'_>, attributes: &AttributeSet) -> Result<Secret, Failure> {
    let mut found = ends(attributes, LinkType::PKCS_12PasswordLink);
    let (Some(only), None) = (found.next(), found.next()) else {
        return Err(Fault::BundlePassword.into());
    };
    let given = UniqueIdentifier::from(only);
    let object = match context.kept(Some(&given), Wanted::Whole).await {
        Err(failure) if failure.fault() == Fault::ObjectNotFound => return Err(Fault::BundlePassword.into()),
        other => other?,
    };
    if object.object_type != ObjectType::SecretData {
        return Err(Fault::BundlePassword.into());
    }
    if object.attributes.dates()?.state(context.seconds()) != State::Active {
        return Err(Fault::WrongState.into());
    }
    match context.open(&object).await? {
        ManagedObject::SecretData(secret) if secret.secret_data_type == SecretDataType::Password => {
            let value = format::plain(&secret.key_block).map_err(|_| Failure::new(Fault::BundlePassword))?;
            Ok(format::material_bytes(&value.key_material)?.clone())
        }
        _ => Err(Fault::BundlePassword.into()),
    }
}

/// The certificates of a key: the one that it or its public key links to, then each one's issuer.
async fn chain(context: &mut Context<'_>, key: &AttributeSet) -> Result<Vec<Vec<u8>>, Failure> {
    let mut next = one(key, LinkType::PKCS_12CertificateLink)?;
    if next.is_none()
        && let Some(public) = one(key, LinkType::PublicKeyLink)?
        && let Some(public) = context.find(&public).await?
    {
        next = above(&public.attributes)?;
    }
    let mut chain = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    while let Some(certificate) = next {
        if seen.len() >= LONGEST_CHAIN || seen.contains(&certificate) {
            return Err(Fault::BundleChain.into());
        }
        let given = UniqueIdentifier::from(certificate.as_str());
        let object = match context.kept(Some(&given), Wanted::Whole).await {
            Err(failure) if is_gone(failure.fault()) => return Err(Fault::BundleChain.into()),
            other => other?,
        };
        let ManagedObject::Certificate(certificate_object) = context.open(&object).await? else {
            return Err(Fault::BundleChain.into());
        };
        // What is in it must be one that can be read; whether it vouches is not asked here.
        PublicKey::from_certificate(&certificate_object.certificate_value)
            .map_err(|error| Failure::detailed(Fault::BundleChain, error))?;
        chain.push(certificate_object.certificate_value);
        seen.push(certificate);
        next = above(&object.attributes.decode()?)?;
    }
    Ok(chain)
}

/// What an object's Links say comes next: published cases link chains by the one type, the specification by the other.
fn above(attributes: &AttributeSet) -> Result<Option<String>, Failure> {
    match one(attributes, LinkType::PKCS_12CertificateLink)? {
        Some(found) => Ok(Some(found)),
        None => one(attributes, LinkType::CertificateLink),
    }
}

const fn is_gone(fault: Fault) -> bool {
    matches!(fault, Fault::ObjectNotFound | Fault::ObjectDestroyed)
}

/// Where the only Link of a type leads.
fn one(attributes: &AttributeSet, link_type: LinkType) -> Result<Option<String>, Failure> {
    let mut found = ends(attributes, link_type).map(str::to_owned);
    match (found.next(), found.next()) {
        (only, None) => Ok(only),
        _ => Err(Fault::BundleChain.into()),
    }
}
