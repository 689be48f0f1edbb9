//! Create Key Pair (KMIP 2.1 §6.1.9; KMIP 1.4 §4.2).

use super::creation::{self, Source};
use super::{Context, Handle, key_formats, links, presets};
use crate::authority::Granted;
use crate::crypto::generate::PairRequest;
use crate::crypto::{CryptoError, PrivateKey, PublicKey, format};
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object};
use kmip_protocol::{
    Attribute, AttributeKind, CreateKeyPairRequest, CreateKeyPairResponse, CryptographicAlgorithm, KeyBlock,
    KeyFormatType, KeyMaterial, KeyValue, LinkType, ManagedObject, ObjectType, PlainKeyValue, ProtectionStorageMasks,
    RecommendedCurve, TemplateAttribute, Version,
};

impl Handle for CreateKeyPairRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CreateKeyPairResponse, Failure> {
        permit_storage(
            self.common_protection_storage_masks.as_ref(),
            self.private_protection_storage_masks.as_ref(),
            self.public_protection_storage_masks.as_ref(),
        )?;
        let common = self.common_attributes.as_ref();
        let mut of_private = given(context, ObjectType::PrivateKey, common, &self.private_key_attributes).await?;
        let mut of_public = given(context, ObjectType::PublicKey, common, &self.public_key_attributes).await?;
        creation::complete(context, ObjectType::PrivateKey, &mut of_private).await?;
        creation::complete(context, ObjectType::PublicKey, &mut of_public).await?;
        let (private, public) = make(context, of_private, of_public).await?;
        // The ID Placeholder is the private key (KMIP 2.1 §6.1.9).
        context.batch.placeholder = Some(private.unique_identifier.clone());
        Ok(CreateKeyPairResponse {
            private_key_unique_identifier: private.unique_identifier,
            public_key_unique_identifier: public.unique_identifier,
            private_key_attributes: None,
            public_key_attributes: None,
        })
    }
}

/// Whether both keys may be kept where this server keeps objects.
///
/// # Errors
/// What is said of the key that may not.
pub(super) fn permit_storage(
    common: Option<&ProtectionStorageMasks>,
    private: Option<&ProtectionStorageMasks>,
    public: Option<&ProtectionStorageMasks>,
) -> Result<(), Fault> {
    creation::permit_storage(private.or(common), Fault::PrivateProtectionStorage)?;
    creation::permit_storage(public.or(common), Fault::PublicProtectionStorage)
}

/// Makes a pair, private key and public key, with Links to each other.
pub(super) async fn make(
    context: &mut Context<'_>,
    of_private: AttributeSet,
    of_public: AttributeSet,
) -> Result<(Object, Object), Failure> {
    let wanted = wanted(context.version, &of_private, &of_public)?;
    let generate = move || wanted.generate();
    let made = if wanted.is_heavy() {
        context.services.heavy.run(context.principal.into(), generate).await?
    } else {
        generate()
    };
    let key = made.map_err(refusal)?;
    let version = context.version;
    let private = private(version, &key, &of_private, wanted)?;
    let public = public(version, &key, &of_public, wanted)?;
    drop(key);
    let mut private = creation::insert(context, of_private, &private, Source::Generated).await?;
    let mut public = creation::insert(context, of_public, &public, Source::Generated).await?;
    links::tie(&mut private, LinkType::PublicKeyLink, &public.unique_identifier);
    links::tie(&mut public, LinkType::PrivateKeyLink, &private.unique_identifier);
    context.save(&mut private)?;
    context.save(&mut public)?;
    Ok((private, public))
}

/// The attributes of one half: its own go before those that are common to both.
pub(super) async fn given(
    context: &mut Context<'_>,
    object_type: ObjectType,
    common: Option<&TemplateAttribute>,
    own: &Option<TemplateAttribute>,
) -> Result<AttributeSet, Failure> {
    creation::stated(context, object_type, common.into_iter().chain(own)).await
}

/// What is to be made. Both halves must be asked for alike.
fn wanted(version: Version, private: &AttributeSet, public: &AttributeSet) -> Result<PairRequest, Failure> {
    let length = agree(private.length(), public.length())?;
    let (curve, qlength) = agree(domain(private), domain(public))?.unwrap_or_default();
    let algorithm = agree(private.algorithm(), public.algorithm())?
        .or_else(|| presets::pair_algorithm(version, length, curve))
        // KMIP 1.4 §11.3, "REQUIRED field(s) missing".
        .ok_or(Failure::new(Fault::MissingField))?;
    // On a curve, Qlength is another word for the length.
    let on_curve = curve.is_some()
        || matches!(
            algorithm,
            CryptographicAlgorithm::EC | CryptographicAlgorithm::ECDSA | CryptographicAlgorithm::ECDH
        );
    let length = length
        .or(qlength.filter(|_| on_curve))
        .or_else(|| presets::pair_length(algorithm, curve));
    Ok(PairRequest {
        algorithm,
        length,
        curve,
    })
}

type Domain = (Option<RecommendedCurve>, Option<i32>);

fn domain(attributes: &AttributeSet) -> Option<Domain> {
    match attributes.first(AttributeKind::CryptographicDomainParameters) {
        Some(Attribute::CryptographicDomainParameters(domain)) => Some((domain.recommended_curve, domain.qlength)),
        _ => None,
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> Result<Option<T>, Failure> {
    match (&one, &other) {
        (Some(a), Some(b)) if a != b => Err(Fault::InvalidField.into()),
        _ => Ok(one.or(other)),
    }
}

fn refusal(error: CryptoError) -> Failure {
    match error {
        CryptoError::BadLength | CryptoError::BadParameters | CryptoError::Unsupported => {
            Failure::detailed(Fault::InvalidAttributeValue, error)
        }
        other => other.into(),
    }
}

fn private(
    version: Version,
    key: &PrivateKey,
    attributes: &AttributeSet,
    wanted: PairRequest,
) -> Result<ManagedObject, Failure> {
    let facts = key.facts()?;
    let formats = formats(version, attributes, ObjectType::PrivateKey, wanted, facts.algorithm);
    let (format, material) = written(formats, |format| key.write(format))?;
    let key_block = block(format, material, wanted.algorithm, facts.length);
    Ok(kmip_protocol::PrivateKey { key_block }.into())
}

fn public(
    version: Version,
    key: &PrivateKey,
    attributes: &AttributeSet,
    wanted: PairRequest,
) -> Result<ManagedObject, Failure> {
    let key: PublicKey = key.public_key()?;
    let facts = key.facts()?;
    let formats = formats(version, attributes, ObjectType::PublicKey, wanted, facts.algorithm);
    let (format, material) = written(formats, |format| key.write(format, None))?;
    let key_block = block(format, material, wanted.algorithm, facts.length);
    Ok(kmip_protocol::PublicKey { key_block }.into())
}

/// The format that the client asked for, or nothing; else the default one, where there is one (KMIP 2.1 §4.26), if the key can be had in it, and
/// one that every version has.
fn formats(
    version: Version,
    attributes: &AttributeSet,
    object_type: ObjectType,
    wanted: PairRequest,
    algorithm: CryptographicAlgorithm,
) -> Vec<KeyFormatType> {
    if let Some(format) = key_formats::asked(attributes) {
        return vec![format];
    }
    let default = format::default_format(object_type, Some(algorithm));
    let common = match object_type {
        ObjectType::PrivateKey => KeyFormatType::PKCS_8,
        _ => KeyFormatType::X_509,
    };
    let is_early = wanted.algorithm == CryptographicAlgorithm::RSA;
    if is_early || version.makes_default_format() {
        vec![default, common]
    } else {
        vec![common]
    }
}

/// A key in the first format that it can be had in.
fn written(
    formats: Vec<KeyFormatType>,
    write: impl Fn(KeyFormatType) -> Result<KeyMaterial, CryptoError>,
) -> Result<(KeyFormatType, KeyMaterial), Failure> {
    let mut refused = CryptoError::Unsupported;
    for format in formats {
        match write(format) {
            Ok(material) => return Ok((format, material)),
            Err(error) => refused = error,
        }
    }
    Err(Failure::detailed(Fault::InvalidAttributeValue, refused))
}

fn block(
    key_format_type: KeyFormatType,
    key_material: KeyMaterial,
    algorithm: CryptographicAlgorithm,
    length: i32,
) -> KeyBlock {
    KeyBlock {
        key_format_type,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material,
            attributes: None,
        })),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: Some(length),
        key_wrapping_data: None,
    }
}
