//! Join Split Key (KMIP 2.1 §6.1.27; KMIP 1.4 §4.39): what shares belong to, as an object of any type.

use super::context::Wanted;
use super::create_split_key::{MOST_PARTS, begin_anew, check_read, field_of, pairs_of, protect, refusal, remembered};
use super::creation::{self, Source};
use super::{Context, Handle, register};
use crate::authority::Granted;
use crate::crypto::split::{Scheme, Share};
use crate::crypto::{ByteField, format, material_length};
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Kept, rules};
use kmip_protocol::{
    Attribute, AttributeKind, AttributeReference, Certificate, CertificateType, JoinSplitKeyRequest,
    JoinSplitKeyResponse, KeyBlock, KeyMaterial, KeyValue, ManagedObject, ObjectType, OpaqueDataType, OpaqueObject,
    PlainKeyValue, PrivateKey, PublicKey, SecretData, SecretDataType, SplitKey, SymmetricKey, TemplateAttribute,
    UniqueIdentifier,
};
use kmip_ttlv::Secret;

/// What the joined object takes over from its parts where the request does not say otherwise.
const TAKEN_OVER: [AttributeKind; 4] = [
    AttributeKind::CryptographicAlgorithm,
    AttributeKind::CryptographicLength,
    AttributeKind::CryptographicUsageMask,
    AttributeKind::CryptographicDomainParameters,
];

impl Handle for JoinSplitKeyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<JoinSplitKeyResponse, Failure> {
        context.permit_opened(self.object_type)?;
        creation::permit_storage(self.protection_storage_masks.as_ref(), Fault::ProtectionStorage)?;
        let none = TemplateAttribute::default();
        let template = self.attributes.as_ref().unwrap_or(&none);
        let mut attributes = creation::brought(context, self.object_type, template).await?;
        let parts = Parts::load(self, context).await?;
        parts.describe(&mut attributes, self.object_type)?;
        let secret = parts.join(context, self.object_type, &attributes).await?;
        let managed = managed(self, &parts.first()?.key_block, secret, &attributes)?;
        register::check(&mut attributes, &managed)?;
        check_read(&managed)?;
        let object = creation::insert(context, attributes, &managed, Source::Registered).await?;
        Ok(JoinSplitKeyResponse {
            object_type: Some(object.object_type),
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// The shares that a request names.
struct Parts {
    objects: Vec<Kept>,
    shares: Vec<SplitKey>,
    pairs: ByteField,
    /// How many bytes the secret has, if that was kept.
    length: Option<usize>,
}

impl Parts {
    async fn load(request: &JoinSplitKeyRequest, context: &mut Context<'_>) -> Result<Self, Failure> {
        let mut parts = Self {
            objects: Vec::new(),
            shares: Vec::new(),
            pairs: pairs_of(context.version),
            length: None,
        };
        let mut named = Vec::new();
        for given in &request.unique_identifiers {
            named.extend(context.identifiers(given)?.into_iter().map(UniqueIdentifier::Text));
        }
        if named.len() > usize::try_from(MOST_PARTS).unwrap_or_default() {
            return Err(Fault::LimitExceeded.into());
        }
        for given in &named {
            let object = context.kept(Some(given), Wanted::Whole).await?;
            begin_anew(context, &object)?;
            let ManagedObject::SplitKey(share) = context.open(&object).await? else {
                return Err(Fault::InvalidObjectType.into());
            };
            if share.key_block.key_value.is_none() || share.key_block.key_wrapping_data.is_some() {
                return Err(Fault::KeyValueNotPresent.into());
            }
            parts.objects.push(object);
            parts.shares.push(share);
        }
        let first = parts.first()?;
        // Shares of different secrets, or of one that was shared in different ways, give nothing.
        let same = parts.shares.iter().all(|share| {
            share.split_key_parts == first.split_key_parts
                && share.split_key_threshold == first.split_key_threshold
                && share.split_key_method == first.split_key_method
                && share.prime_field_size == first.prime_field_size
                && share.key_block.key_format_type == first.key_block.key_format_type
        });
        if !same {
            return Err(Fault::Cryptographic.into());
        }
        if let Some(polynomial) = parts.remembered(&rules::split_key_polynomial())? {
            parts.pairs = field_of(polynomial).ok_or(Failure::new(Fault::Cryptographic))?;
        }
        let length = parts.remembered(&rules::split_key_length())?;
        parts.length = length.and_then(|length| usize::try_from(length).ok());
        Ok(parts)
    }

    /// A number that was kept with the parts: the same with each that has it.
    fn remembered(&self, reference: &AttributeReference) -> Result<Option<i32>, Failure> {
        let mut known = None;
        for object in &self.objects {
            match (known, remembered(&object.attributes.decode()?, reference)) {
                (Some(one), Some(other)) if one != other => return Err(Fault::Cryptographic.into()),
                (one, other) => known = one.or(other),
            }
        }
        Ok(known)
    }

    /// How many bytes the secret has. Of shares that were made elsewhere only the length of a symmetric key says it.
    fn length(&self, object_type: ObjectType, attributes: &AttributeSet) -> Option<usize> {
        let bits = attributes.length().filter(|_| object_type == ObjectType::SymmetricKey);
        self.length.or_else(|| {
            let bits = bits?;
            let known = attributes.algorithm().and_then(|own| material_length(own, bits).ok());
            known.or_else(|| usize::try_from(bits).ok().map(|bits| bits.div_ceil(8)))
        })
    }

    fn first(&self) -> Result<&SplitKey, Failure> {
        self.shares.first().ok_or(Failure::new(Fault::Cryptographic))
    }

    /// What is known of the joined object from its parts.
    fn describe(&self, attributes: &mut AttributeSet, object_type: ObjectType) -> Result<(), Failure> {
        let block = &self.first()?.key_block;
        for kind in TAKEN_OVER {
            if !kind.rules().applies_to.contains(object_type) {
                continue;
            }
            if let Some(attribute) = self
                .objects
                .first()
                .map(|o| o.attributes.first(kind))
                .transpose()?
                .flatten()
            {
                attributes.set_if_absent(attribute);
            }
        }
        if let Some(algorithm) = block.cryptographic_algorithm.filter(|_| is_key(object_type)) {
            attributes.set_if_absent(Attribute::CryptographicAlgorithm(algorithm));
        }
        if let Some(length) = block.cryptographic_length.filter(|_| is_key(object_type)) {
            attributes.set_if_absent(Attribute::CryptographicLength(length));
        }
        protect(attributes, self.objects.iter())
    }

    async fn join(
        &self,
        context: &Context<'_>,
        object_type: ObjectType,
        attributes: &AttributeSet,
    ) -> Result<Secret, Failure> {
        let first = self.first()?;
        let scheme = Scheme::new(
            first.split_key_method,
            first.split_key_parts,
            first.split_key_threshold,
            first.prime_field_size.as_ref(),
            self.pairs,
        )
        .map_err(refusal)?;
        let mut shares: Vec<(i32, Secret)> = Vec::new();
        for share in &self.shares {
            let material = &format::plain(&share.key_block)?.key_material;
            shares.push((share.key_part_identifier, format::material_bytes(material)?.clone()));
        }
        let length = self.length(object_type, attributes);
        let bytes = shares.first().map_or(0, |(_, share)| share.len());
        let is_heavy = scheme.is_heavy_to_join(shares.len(), bytes);
        let compute = move || {
            let shares: Vec<Share<'_>> = shares.iter().map(|(part, share)| (*part, share)).collect();
            scheme.join(&shares, length)
        };
        let joined = if is_heavy {
            context.services.heavy.run(context.principal.into(), compute).await?
        } else {
            compute()
        };
        joined.map_err(refusal)
    }
}

const fn is_key(object_type: ObjectType) -> bool {
    matches!(
        object_type,
        ObjectType::SymmetricKey | ObjectType::PrivateKey | ObjectType::PublicKey
    )
}

/// The object that the bytes are wanted as.
fn managed(
    request: &JoinSplitKeyRequest,
    share: &KeyBlock,
    secret: Secret,
    attributes: &AttributeSet,
) -> Result<ManagedObject, Failure> {
    let keyed = is_key(request.object_type);
    let block = |bytes| KeyBlock {
        key_format_type: share.key_format_type,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bytes),
            attributes: None,
        })),
        cryptographic_algorithm: attributes.algorithm().filter(|_| keyed),
        cryptographic_length: attributes.length().filter(|_| keyed),
        key_wrapping_data: None,
    };
    Ok(match request.object_type {
        ObjectType::SymmetricKey => SymmetricKey {
            key_block: block(secret),
        }
        .into(),
        ObjectType::PrivateKey => PrivateKey {
            key_block: block(secret),
        }
        .into(),
        ObjectType::PublicKey => PublicKey {
            key_block: block(secret),
        }
        .into(),
        ObjectType::SecretData => SecretData {
            secret_data_type: request.secret_data_type.unwrap_or(SecretDataType::Seed),
            key_block: block(secret),
        }
        .into(),
        ObjectType::OpaqueObject => OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0000),
            opaque_data_value: secret,
        }
        .into(),
        ObjectType::Certificate => Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: secret.expose().to_vec(),
        }
        .into(),
        _ => return Err(Fault::InvalidObjectType.into()),
    })
}
