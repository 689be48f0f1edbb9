//! Create Split Key (KMIP 2.1 §6.1.10; KMIP 1.4 §4.38): shares of an existing object, or of a new key that nobody has whole.

use super::context::Wanted;
use super::creation::{self, Source};
use super::faults::as_item;
use super::{Context, Handle, create, key_formats, presets};
use crate::authority::Granted;
use crate::crypto::split::Scheme;
use crate::crypto::{ByteField, CryptoError, PrivateKey, PublicKey, ReadHints, format};
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Kept, rules};
use certs::CertificateFacts;
use kmip_protocol::{
    AnyValue, Attribute, AttributeKind, AttributeReference, CreateSplitKeyRequest, CreateSplitKeyResponse, KeyBlock,
    KeyFormatType, KeyMaterial, KeyValue, Link, LinkType, ManagedObject, ObjectType, PlainKeyValue, SplitKey,
    SplitKeyMethod, State, UniqueIdentifier, VendorAttribute, Version,
};
use kmip_ttlv::Secret;

/// The most parts of one secret: each becomes an object that is sealed by itself.
pub(super) const MOST_PARTS: i32 = 64;

/// What a share takes over from the object that is split: "the attributes of the key take precedence".
const TAKEN_OVER: [AttributeKind; 5] = [
    AttributeKind::CryptographicAlgorithm,
    AttributeKind::CryptographicLength,
    AttributeKind::CryptographicUsageMask,
    AttributeKind::CryptographicParameters,
    AttributeKind::CryptographicDomainParameters,
];

/// What was told of the GF(2^8) under GF(2^16), as the polynomial's number.
const POLYNOMIALS: [(i32, ByteField); 2] = [(283, ByteField::AES), (285, ByteField::D)];

impl Handle for CreateSplitKeyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CreateSplitKeyResponse, Failure> {
        if self.object_type != ObjectType::SplitKey {
            return Err(Fault::InvalidObjectType.into());
        }
        if self.split_key_parts > MOST_PARTS {
            return Err(Fault::LimitExceeded.into());
        }
        creation::permit_storage(self.protection_storage_masks.as_ref(), Fault::ProtectionStorage)?;
        let pairs = pairs_of(context.version);
        let scheme = Scheme::new(
            self.split_key_method,
            self.split_key_parts,
            self.split_key_threshold,
            self.prime_field_size.as_ref(),
            pairs,
        )
        .map_err(refusal)?;
        let mut attributes = creation::given(context, ObjectType::SplitKey, core::iter::once(&self.attributes)).await?;
        let (block, secret) = match &self.unique_identifier {
            Some(given) => existing(context, given, &mut attributes).await?,
            None => {
                presets::complete(context.version, ObjectType::SplitKey, &mut attributes);
                new(context, &attributes)?
            }
        };
        match self.split_key_method {
            SplitKeyMethod::PolynomialSharingGF2_16 => {
                let number = POLYNOMIALS.iter().find(|(_, field)| *field == pairs);
                remember(
                    &mut attributes,
                    rules::split_key_polynomial(),
                    number.map(|(number, _)| *number),
                );
            }
            SplitKeyMethod::PolynomialSharingPrimeField => {
                let length = i32::try_from(secret.len()).ok();
                remember(&mut attributes, rules::split_key_length(), length);
            }
            _ => {}
        }
        let shares = shares(context, scheme, secret).await?;
        let mut unique_identifiers = Vec::with_capacity(shares.len());
        for (part, share) in (1..).zip(shares) {
            let managed = SplitKey {
                split_key_parts: self.split_key_parts,
                key_part_identifier: part,
                split_key_threshold: self.split_key_threshold,
                split_key_method: self.split_key_method,
                prime_field_size: self.prime_field_size.clone(),
                key_block: KeyBlock {
                    key_value: Some(KeyValue::Plain(PlainKeyValue {
                        key_material: KeyMaterial::Bytes(share),
                        attributes: None,
                    })),
                    ..block.clone()
                },
            };
            let managed = key_formats::as_asked(managed.into(), &attributes)?;
            let object = creation::insert(context, attributes.clone(), &managed, Source::Generated).await?;
            unique_identifiers.push(object.unique_identifier);
        }
        // The ID Placeholder is the first part.
        context.batch.placeholder = unique_identifiers.first().cloned();
        Ok(CreateSplitKeyResponse {
            object_type: Some(ObjectType::SplitKey),
            unique_identifiers,
            attributes: None,
        })
    }
}

async fn shares(context: &Context<'_>, scheme: Scheme, secret: Secret) -> Result<Vec<Secret>, Failure> {
    let randomness = context.services.randomness.clone();
    let is_heavy = scheme.is_heavy_to_split(secret.len());
    let compute = move || scheme.split(&secret, randomness.as_ref());
    let made = if is_heavy {
        context.services.heavy.run(context.principal.into(), compute).await?
    } else {
        compute()
    };
    made.map_err(refusal)
}

/// A key that exists in shares only.
fn new(context: &Context<'_>, attributes: &AttributeSet) -> Result<(KeyBlock, Secret), Failure> {
    let managed = create::symmetric_key(context, attributes)?;
    let block = managed.key_block().ok_or(Failure::new(Fault::Internal))?;
    let secret = format::material_bytes(&format::plain(block)?.key_material)?.clone();
    Ok((without_value(block), secret))
}

/// The block and the bytes of an object that is to be split, what is known of it, and what of it holds for its parts.
async fn existing(
    context: &mut Context<'_>,
    given: &UniqueIdentifier,
    attributes: &mut AttributeSet,
) -> Result<(KeyBlock, Secret), Failure> {
    let object = context.kept(Some(given), Wanted::Whole).await.map_err(as_item)?;
    begin_anew(context, &object)?;
    let managed = context.open(&object).await?;
    let block = match &managed {
        ManagedObject::SymmetricKey(_)
        | ManagedObject::PrivateKey(_)
        | ManagedObject::PublicKey(_)
        | ManagedObject::SecretData(_) => managed.key_block(),
        _ => None,
    };
    let block = block.ok_or(Failure::new(Fault::InvalidObjectType))?;
    if block.key_value.is_none() || block.key_wrapping_data.is_some() {
        return Err(Fault::KeyValueNotPresent.into());
    }
    let block = in_bytes(managed.object_type(), block)?;
    let secret = format::material_bytes(&format::plain(&block)?.key_material)?.clone();
    let whole = context.whole(object.clone())?;
    for kind in TAKEN_OVER {
        let reference = AttributeReference::Known(kind);
        if whole.attributes.has(kind) && kind.rules().applies_to.contains(ObjectType::SplitKey) {
            attributes.clear(kind);
            for instance in whole.attributes.of(&reference) {
                attributes.add(instance.attribute.clone());
            }
        }
    }
    protect(attributes, core::iter::once(&object))?;
    attributes.add(Attribute::Link(Link {
        link_type: LinkType::ParentLink,
        linked_object_identifier: UniqueIdentifier::Text(object.unique_identifier),
    }));
    Ok((without_value(&block), secret))
}

/// A key in a format that is bytes.
fn in_bytes(object_type: ObjectType, block: &KeyBlock) -> Result<KeyBlock, Failure> {
    let hints = ReadHints::default();
    let converted = match (&format::plain(block)?.key_material, object_type) {
        (KeyMaterial::Bytes(_), _) => return Ok(block.clone()),
        (_, ObjectType::PrivateKey) => KeyFormatType::PKCS_8,
        (_, ObjectType::PublicKey) => KeyFormatType::X_509,
        _ => KeyFormatType::Raw,
    };
    Ok(format::convert(object_type, block, converted, None, hints)?)
}

fn without_value(block: &KeyBlock) -> KeyBlock {
    KeyBlock {
        key_compression_type: None,
        key_value: None,
        ..block.clone()
    }
}

/// Refuses to make of an object what knows nothing of its end: one whose time is over, or whose uses are counted.
///
/// # Errors
/// [`Fault::WrongState`], [`Fault::PermissionDenied`].
pub(super) fn begin_anew(context: &Context<'_>, origin: &Kept) -> Result<(), Failure> {
    let (dates, now) = (origin.attributes.dates()?, context.seconds());
    let is_over = matches!(dates.state(now), State::Deactivated | State::Compromised)
        || dates.protect_stop.is_some_and(|stop| stop <= now);
    if is_over {
        return Err(Fault::WrongState.into());
    }
    match origin.attributes.first(AttributeKind::UsageLimits)? {
        Some(_) => Err(Fault::PermissionDenied.into()),
        None => Ok(()),
    }
}

/// What may not leave in clear, or not at all, does not so in parts either, nor put together again; and it says no better of its past
/// than what it is of.
pub(super) fn protect<'a>(
    attributes: &mut AttributeSet,
    mut origins: impl Iterator<Item = &'a Kept>,
) -> Result<(), Failure> {
    origins.try_for_each(|origin| {
        if origin.attributes.flag(AttributeKind::Sensitive, false)? {
            attributes.set(Attribute::Sensitive(true));
        }
        if !origin.attributes.flag(AttributeKind::Extractable, true)? {
            attributes.set(Attribute::Extractable(false));
        }
        if !origin.attributes.flag(AttributeKind::AlwaysSensitive, false)? {
            attributes.set(Attribute::AlwaysSensitive(false));
        }
        if !origin.attributes.flag(AttributeKind::NeverExtractable, false)? {
            attributes.set(Attribute::NeverExtractable(false));
        }
        Ok(())
    })
}

/// The field under GF(2^16), as a version has it.
pub(super) const fn pairs_of(version: Version) -> ByteField {
    if version.shares_over_285() {
        ByteField::D
    } else {
        ByteField::AES
    }
}

/// Keeps a number with the parts that they are joined by.
fn remember(attributes: &mut AttributeSet, reference: AttributeReference, number: Option<i32>) {
    if let (Some(number), AttributeReference::Vendor(name)) = (number, reference) {
        attributes.set(Attribute::Vendor(VendorAttribute {
            name,
            value: AnyValue::Integer(number),
        }));
    }
}

/// The number that was kept with a part.
pub(super) fn remembered(attributes: &AttributeSet, reference: &AttributeReference) -> Option<i32> {
    attributes.of(reference).find_map(|instance| match &instance.attribute {
        Attribute::Vendor(VendorAttribute {
            value: AnyValue::Integer(number),
            ..
        }) => Some(*number),
        _ => None,
    })
}

/// The field under GF(2^16) with this polynomial.
pub(super) fn field_of(polynomial: i32) -> Option<ByteField> {
    let row = POLYNOMIALS.iter().find(|(own, _)| *own == polynomial);
    row.map(|(_, field)| *field)
}

/// What is said of a scheme that cannot be (KMIP 1.4 §11.39; KMIP 2.1 §6.1.10.1).
pub(super) fn refusal(error: CryptoError) -> Failure {
    match error {
        CryptoError::BadLength => Failure::detailed(Fault::BadParameters, error),
        other => other.into(),
    }
}

/// Reads what a joined object is, so that what is no key or certificate is not called one.
pub(super) fn check_read(managed: &ManagedObject) -> Result<(), Failure> {
    if let ManagedObject::Certificate(certificate) = managed {
        let read = CertificateFacts::read(&certificate.certificate_value);
        read.map_err(|why| Failure::detailed(Fault::Cryptographic, why))?;
    }
    let Some(block) = managed.key_block() else {
        return Ok(());
    };
    match managed {
        ManagedObject::PrivateKey(_) => drop(PrivateKey::of(block, ReadHints::default())?),
        ManagedObject::PublicKey(_) => drop(PublicKey::of(block, ReadHints::default())?),
        _ => {}
    }
    Ok(())
}
