//! Register (KMIP 2.1 §6.1.43; KMIP 1.4 §4.3): an object that the client brings.

use super::creation::{self, Source};
use super::links::{ends, link};
use super::{Context, Handle, bundle, soundness, templates};
use crate::authority::Granted;
use crate::crypto::{CryptoError, PrivateKey, PublicKey, ReadHints, check_material, format, length_in_bits};
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{
    Attribute, AttributeKind, CryptographicAlgorithm, LinkType, ManagedObject, PlainKeyValue, RegisterRequest,
    RegisterResponse,
};

impl Handle for RegisterRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RegisterResponse, Failure> {
        if self.object_type != self.object.object_type() || !creation::KEPT.contains(&self.object_type) {
            return Err(Fault::InvalidObjectType.into());
        }
        let masks = self.protection_storage_masks.as_ref();
        creation::permit_storage(masks, Fault::ProtectionStorage)?;
        let mut attributes = creation::brought(context, self.object_type, &self.attributes).await?;
        if bundle::is_bundle(&self.object) {
            return bundle::register(context, attributes, &self.object).await;
        }
        let template = templates::registered(context, &mut attributes, &self.object).await?;
        check(&mut attributes, &self.object)?;
        tie_to_wrapping_key(context, &mut attributes, &self.object).await?;
        let kept = template.as_ref().unwrap_or(&self.object);
        let object = creation::insert(context, attributes, kept, Source::Registered).await?;
        Ok(RegisterResponse {
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// An object that comes wrapped has a Link to the key that it is wrapped with, where that is one that the client sees here (KMIP 2.1
/// §6.1.43). Versions that have no such Link are told of none.
async fn tie_to_wrapping_key(
    context: &mut Context<'_>,
    attributes: &mut AttributeSet,
    managed: &ManagedObject,
) -> Result<(), Failure> {
    let link_type = LinkType::WrappingKeyLink;
    let data = managed.key_block().and_then(|block| block.key_wrapping_data.as_ref());
    let information = data.and_then(|data| {
        let encryption = data.encryption_key_information.as_ref();
        encryption.or(data.mac_signature_key_information.as_ref())
    });
    let Some(information) = information.filter(|_| link_type.is_known_in(context.version)) else {
        return Ok(());
    };
    let identifier = context.identifier(Some(&information.unique_identifier))?;
    if context.find(&identifier).await?.is_some() && ends(attributes, link_type).all(|end| end != identifier) {
        attributes.add(link(link_type, &identifier));
    }
    Ok(())
}

/// What a client states of an object must be true of it (KMIP 1.4 §11.4: "incorrect attribute value(s)"), and what it does
/// not state follows from the object. A private or public key that cannot be read here is kept as it is: in a format or on a
/// curve that this server does not know, or encrypted.
///
/// # Errors
/// [`Fault::InvalidField`] if its structure is unsound; [`Fault::InvalidAttributeValue`] if attributes and object contradict each other; [`Fault::InvalidField`] if a
/// symmetric key is not what its key block says; [`Fault::MissingField`] if a public key has no value.
pub(super) fn check(attributes: &mut AttributeSet, managed: &ManagedObject) -> Result<(), Failure> {
    if let (ManagedObject::Certificate(certificate), Some(Attribute::CertificateType(stated))) =
        (managed, attributes.first(AttributeKind::CertificateType))
    {
        agree(Some(*stated), Some(certificate.certificate_type))?;
    }
    soundness::judge(managed)?;
    let Some(block) = managed.key_block() else {
        return Ok(());
    };
    // Only the others may be kept elsewhere (KMIP 1.4 §3.41).
    if block.key_value.is_none() && matches!(managed, ManagedObject::PublicKey(_)) {
        return Err(Fault::MissingField.into());
    }
    let algorithm = agree(attributes.algorithm(), block.cryptographic_algorithm)?;
    let length = agree(attributes.length(), block.cryptographic_length)?;
    let Ok(value) = format::plain(block) else {
        return Ok(());
    };
    let hints = ReadHints {
        algorithm,
        ..ReadHints::default()
    };
    let facts = match managed {
        ManagedObject::SymmetricKey(_) => {
            let bytes = format::material_bytes(&value.key_material).map_err(unfit)?;
            // The block may leave it out where the value says it; one that nothing says it of is kept as it is (KMIP 2.1 §3.1).
            let Some(algorithm) = algorithm.or_else(|| enclosed_algorithm(value)) else {
                return Ok(());
            };
            attributes.set_if_absent(Attribute::CryptographicAlgorithm(algorithm));
            check_material(algorithm, bytes.len(), length).map_err(unfit)?;
            // The length may be left out where the value says it (KMIP 2.1 §3.1); the attribute always has a value (§4.15).
            let length = length.unwrap_or_else(|| length_in_bits(algorithm, bytes.len()));
            attributes.set_if_absent(Attribute::CryptographicLength(length));
            return Ok(());
        }
        ManagedObject::PrivateKey(_) => PrivateKey::of(block, hints).and_then(|key| key.facts()),
        ManagedObject::PublicKey(_) => PublicKey::of(block, hints).and_then(|key| key.facts()),
        _ => return Ok(()),
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(error @ (CryptoError::Random | CryptoError::Internal)) => return Err(error.into()),
        // Also one that is in another format than is said: PyKMIP's own tests keep such keys.
        Err(_) => return Ok(()),
    };
    // A length that is stated wrongly stays as stated: PyKMIP's own tests do so, and nothing is decided by it.
    attributes.set_if_absent(Attribute::CryptographicAlgorithm(algorithm.unwrap_or(facts.algorithm)));
    attributes.set_if_absent(Attribute::CryptographicLength(length.unwrap_or(facts.length)));
    Ok(())
}

/// The algorithm that the attributes beside the key material say.
fn enclosed_algorithm(value: &PlainKeyValue) -> Option<CryptographicAlgorithm> {
    match value.attributes.as_ref()?.first(AttributeKind::CryptographicAlgorithm) {
        Some(Attribute::CryptographicAlgorithm(algorithm)) => Some(*algorithm),
        _ => None,
    }
}

/// One statement out of two that may not differ.
fn agree<T: PartialEq>(attribute: Option<T>, block: Option<T>) -> Result<Option<T>, Failure> {
    match (attribute, block) {
        (Some(a), Some(b)) if a != b => Err(Fault::InvalidAttributeValue.into()),
        (a, b) => Ok(a.or(b)),
    }
}

fn unfit(error: CryptoError) -> Failure {
    Failure::detailed(Fault::InvalidField, error)
}
