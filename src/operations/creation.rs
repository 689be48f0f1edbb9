//! What all operations share that make an object: judging the attributes given, setting those that the server sets by itself,
//! sealing, claiming Names.

use super::certificate_attributes;
use super::context::Context;
use super::{key_formats, links, namespaces, ownership, standards, templates};
use crate::crypto::format;
use crate::failure::{Failure, Fault};
use crate::objects::matching::APPLICATIONS_POLICY;
use crate::objects::{AttributeSet, Object, rules};
use kmip_protocol::{
    Attribute, AttributeKind, CertificateType, CryptographicUsageMask, DateTime, Interval, KeyBlock, KeyFormatType,
    ManagedObject, ObjectType, ProtectionStorageMask, ProtectionStorageMasks, TemplateAttribute,
};
use ring::digest;

/// Where the material of a new object comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The server made it: it knows the generator and the time.
    Generated,
    /// The server made it of what there was: it knows the time.
    Issued,
    /// The client brought it.
    Registered,
}

/// Judges the attributes that a request gives, and takes over those of the templates that it names. Where there is one value only,
/// that of the last Template-Attribute holds, there that of the request itself, else that of the last template. Of attributes with
/// several values all hold (KMIP 1.4 §4, §4.2; KMIP 2.1 §6.1.9).
///
/// # Errors
/// Those of [`rules::at_creation`] and [`templates::named`].
pub async fn stated<'a>(
    context: &mut Context<'_>,
    object_type: ObjectType,
    sources: impl Iterator<Item = &'a TemplateAttribute> + Send,
) -> Result<AttributeSet, Failure> {
    let mut attributes = AttributeSet::default();
    for source in sources {
        if source.templates.len() > templates::MOST_NAMED {
            return Err(Fault::LimitExceeded.into());
        }
        for name in &source.templates {
            attributes.lay_over(&templates::named(context, name, object_type).await?);
            if attributes.iter().count() > context.services.limits.attributes {
                return Err(Fault::TooManyAttributes.into());
            }
        }
        attributes.lay_over(&rules::at_creation(object_type, source.attributes.0.iter())?);
    }
    rules::in_order(attributes.dates())?;
    Ok(attributes)
}

/// As [`stated`], of an object that the server makes anew: what is left out comes from the defaults of the application.
pub async fn given<'a>(
    context: &mut Context<'_>,
    object_type: ObjectType,
    sources: impl Iterator<Item = &'a TemplateAttribute> + Send,
) -> Result<AttributeSet, Failure> {
    let mut attributes = stated(context, object_type, sources).await?;
    complete(context, object_type, &mut attributes).await?;
    Ok(attributes)
}

/// Gives an object that the server makes anew what was left out.
pub async fn complete(
    context: &mut Context<'_>,
    object_type: ObjectType,
    attributes: &mut AttributeSet,
) -> Result<(), Failure> {
    let standards = standards::of_application(context).await?;
    standards.complete(object_type, attributes, |_| true);
    Ok(())
}

/// As [`given`], of an object that the client brings: it says itself what it is, which no default does.
pub async fn brought(
    context: &mut Context<'_>,
    object_type: ObjectType,
    source: &TemplateAttribute,
) -> Result<AttributeSet, Failure> {
    let mut attributes = stated(context, object_type, core::iter::once(source)).await?;
    let standards = standards::of_application(context).await?;
    standards.complete(object_type, &mut attributes, |one| one.kind().rules().set_by.client());
    Ok(attributes)
}

/// Where objects are kept.
pub const STORAGE: ProtectionStorageMask = ProtectionStorageMask::Software;

/// Whether an object may be kept where this server keeps objects (KMIP 2.1 §6.1.8, Protection Storage Masks: the selections that are
/// permissible).
///
/// # Errors
/// What the operation says where it may not.
pub fn permit_storage(masks: Option<&ProtectionStorageMasks>, otherwise: Fault) -> Result<(), Fault> {
    let masks = masks.map_or(&[][..], |masks| masks.protection_storage_masks.as_slice());
    let here = |mask: &ProtectionStorageMask| mask.0 & !STORAGE.0 == 0;
    if masks.is_empty() || masks.iter().any(here) {
        Ok(())
    } else {
        Err(otherwise)
    }
}

/// The types of objects that clients can keep here.
pub const KEPT: [ObjectType; 10] = [
    ObjectType::PGPKey,
    ObjectType::Certificate,
    ObjectType::SymmetricKey,
    ObjectType::PublicKey,
    ObjectType::PrivateKey,
    ObjectType::SplitKey,
    ObjectType::Template,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
    ObjectType::CertificateRequest,
];

/// Makes the object: the one way by which objects come into being.
pub async fn insert(
    context: &mut Context<'_>,
    attributes: AttributeSet,
    managed: &ManagedObject,
    source: Source,
) -> Result<Object, Failure> {
    let client = context.client()?;
    let (application, owner) = (client.application, client.client);
    let mut object = Object {
        internal_id: context.services.randomness.array()?,
        unique_identifier: new_identifier(context)?,
        object_type: managed.object_type(),
        application,
        owner,
        state_at: context.seconds(),
        attributes,
        material: None,
        former: Vec::new(),
    };
    namespaces::judge(context, object.attributes.iter().map(|i| &i.attribute)).await?;
    complete_attributes(context, &mut object)?;
    set_implicit(context, &mut object, managed, source)?;
    // A new object has no identifier yet that a right could name.
    context.reach("", &object.attributes)?;
    if object.object_type != ObjectType::Template {
        context.permit_key(&object.attributes)?;
        standards::judge_new(context, &object).await?;
    }
    context.count_object(1).await?;
    let names: Vec<String> = object.attributes.names().map(|n| n.name_value.clone()).collect();
    for name in names {
        context.claim_name(&object, &name, Fault::NameTaken).await?;
    }
    object.material = Some(context.seal(&object, managed, 1).await?);
    context.save(&mut object)?;
    context.place(&object.unique_identifier);
    Ok(object)
}

/// A Unique Identifier: random, in the form of a UUID (RFC 9562 version 4), 36 characters.
pub(super) fn new_identifier(context: &Context<'_>) -> Result<String, Failure> {
    let mut bytes: [u8; 16] = context.services.randomness.array()?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0F) | 0x40;
    *variant = (*variant & 0x3F) | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(text)
}

/// The attributes that the server sets by itself (KMIP 2.1 §4, "When implicitly set").
pub(super) fn set_implicit(
    context: &Context<'_>,
    object: &mut Object,
    managed: &ManagedObject,
    source: Source,
) -> Result<(), Failure> {
    let now = DateTime(context.seconds());
    ownership::judge(&object.attributes)?;
    object.attributes.set(Attribute::InitialDate(now));
    if object.object_type == ObjectType::Template {
        object
            .attributes
            .set(Attribute::LeaseTime(Interval(context.services.limits.lease_seconds)));
        return Ok(());
    }
    let short = digest::digest(&digest::SHA256, object.unique_identifier.as_bytes())
        .as_ref()
        .to_vec();
    let attributes = &mut object.attributes;
    attributes.set(Attribute::ShortUniqueIdentifier(short));
    attributes.set(Attribute::ProtectionStorageMask(STORAGE));
    attributes.set_if_absent(Attribute::OperationPolicyName(APPLICATIONS_POLICY.to_owned()));
    // Only who brings an object knows that it was served before (KMIP 2.1 §4.24).
    if source == Source::Registered {
        attributes.set_if_absent(Attribute::Fresh(true));
    } else {
        attributes.set(Attribute::Fresh(true));
    }
    attributes.set_if_absent(Attribute::Sensitive(false));
    attributes.set_if_absent(Attribute::Extractable(true));
    // An object that is made of others has been what those were (KMIP 2.1 §4.3, §4.33).
    let always = attributes.flag(AttributeKind::AlwaysSensitive, true);
    let never = attributes.flag(AttributeKind::NeverExtractable, true);
    attributes.set(Attribute::AlwaysSensitive(
        always && attributes.flag(AttributeKind::Sensitive, false),
    ));
    attributes.set(Attribute::NeverExtractable(
        never && !attributes.flag(AttributeKind::Extractable, true),
    ));
    if object.object_type != ObjectType::OpaqueObject {
        attributes.set(Attribute::LeaseTime(Interval(context.services.limits.lease_seconds)));
    }
    if source != Source::Registered {
        // That of what the server makes is not the client's to say (KMIP 2.1 §4.38).
        attributes.set(Attribute::OriginalCreationDate(now));
    }
    if source == Source::Generated {
        let generator = context.services.randomness.generator();
        // Who asks for a generator gets that one or nothing (KMIP 2.1 §4.46).
        if let Some(Attribute::RandomNumberGenerator(wanted)) = attributes.first(AttributeKind::RandomNumberGenerator)
            && !generator.is(wanted)
        {
            return Err(Fault::InvalidAttributeValue.into());
        }
        attributes.set(Attribute::RandomNumberGenerator(generator.parameters()));
    }
    let asked = key_formats::asked(attributes);
    set_from_value(attributes, managed)?;
    if object.object_type != ObjectType::OpaqueObject {
        attributes.set_if_absent(Attribute::CryptographicUsageMask(CryptographicUsageMask::NONE));
    }
    if context.version.measures_secret_data() {
        measure_secret(attributes, managed);
    }
    key_formats::add_digests(context, attributes, managed, asked)
}

/// What a client gives of an attribute and leaves to the server: Application Data (KMIP 2.1 §4.4), whom a Link leads to (§4.31). `None`:
/// nothing.
///
/// # Errors
/// Those of [`links::resolved`].
pub(super) fn completed(context: &mut Context<'_>, attribute: &Attribute) -> Result<Option<Attribute>, Failure> {
    match links::resolved(context, attribute)? {
        None => namespaces::completed(context, attribute),
        link => Ok(link),
    }
}

/// Completes the attributes that a client gave to a new object.
///
/// # Errors
/// Those of [`completed`].
pub(super) fn complete_attributes(context: &mut Context<'_>, object: &mut Object) -> Result<(), Failure> {
    let mut filled = Vec::new();
    for instance in object.attributes.iter() {
        if let Some(complete) = completed(context, &instance.attribute)? {
            filled.push((instance.index, complete));
        }
    }
    for (index, attribute) in filled {
        object.attributes.replace(index, attribute);
    }
    Ok(())
}

/// What follows from the object's value: algorithm and length, format, digest, type.
pub(super) fn set_from_value(attributes: &mut AttributeSet, managed: &ManagedObject) -> Result<(), Failure> {
    match managed {
        ManagedObject::Certificate(certificate) => {
            attributes.set(Attribute::CertificateType(certificate.certificate_type));
            let length = i32::try_from(certificate.certificate_value.len()).unwrap_or(i32::MAX);
            attributes.set(Attribute::CertificateLength(length));
            certificate_attributes::set(attributes, &certificate.certificate_value);
            let format = match certificate.certificate_type {
                CertificateType::X_509 => KeyFormatType::X_509,
                _ => KeyFormatType::Raw,
            };
            key_formats::set_of_value(attributes, &certificate.certificate_value, format)?;
        }
        ManagedObject::CertificateRequest(request) => {
            certificate_attributes::set_from_request(attributes, request);
            key_formats::set_of_value(attributes, &request.certificate_request_value, KeyFormatType::PKCS_10)?;
        }
        ManagedObject::OpaqueObject(opaque) => {
            attributes.set(Attribute::OpaqueDataType(opaque.opaque_data_type));
            key_formats::set_of_value(attributes, opaque.opaque_data_value.expose(), KeyFormatType::Opaque)?;
        }
        keyed => {
            if let Some(block) = keyed.key_block() {
                set_from_block(attributes, block)?;
            }
        }
    }
    Ok(())
}

fn set_from_block(attributes: &mut AttributeSet, block: &KeyBlock) -> Result<(), Failure> {
    if let Some(algorithm) = block.cryptographic_algorithm {
        attributes.set_if_absent(Attribute::CryptographicAlgorithm(algorithm));
    }
    if let Some(length) = block.cryptographic_length {
        attributes.set_if_absent(Attribute::CryptographicLength(length));
    }
    // Only of keys whose value is elsewhere is it said whether it is here (KMIP 2.1 §4.28).
    if block.key_value.is_none() {
        attributes.set(Attribute::KeyValuePresent(false));
    }
    key_formats::set_of_block(attributes, block)
}

/// The length of Secret Data that can be read here, in bits.
fn measure_secret(attributes: &mut AttributeSet, managed: &ManagedObject) {
    if let ManagedObject::SecretData(secret) = managed
        && let Ok(value) = format::plain(&secret.key_block)
        && let Ok(bytes) = format::material_bytes(&value.key_material)
        && let Ok(length) = i32::try_from(bytes.len().saturating_mul(8))
    {
        attributes.set_if_absent(Attribute::CryptographicLength(length));
    }
}
