//! Derive Key (KMIP 2.1 §6.1.14, §7.12; KMIP 1.4 §4.6).

use super::creation::{self, Source};
use super::keyed::{Key, Purpose};
use super::links::link;
use super::{Context, Handle, key_formats, ownership};
use crate::authority::Granted;
use crate::crypto::derive::DerivationRequest;
use crate::crypto::{PrivateKey, PublicKey};
use crate::failure::{Failure, Fault};
use crate::objects::AttributeSet;
use kmip_protocol::{
    CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DerivationMethod, DeriveKeyRequest,
    DeriveKeyResponse, KeyBlock, KeyFormatType, KeyMaterial, KeyValue, LinkType, ManagedObject, ObjectType,
    PlainKeyValue, SecretData, SecretDataType, SymmetricKey,
};
use kmip_ttlv::Secret;

/// The keys that a request derives from: a base, and what else it names.
struct Bases {
    keys: Vec<Key>,
    base: Option<Secret>,
    base_algorithm: Option<CryptographicAlgorithm>,
    agreement: Option<(PrivateKey, PublicKey)>,
    data: Vec<Secret>,
}

/// A base with so many attributes gets no more Links to what was derived from it: it must not become too large to be used.
/// The derived objects are found by their own Links to the base.
const MOST_LINKED: usize = 500;

impl Handle for DeriveKeyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<DeriveKeyResponse, Failure> {
        if !matches!(self.object_type, ObjectType::SymmetricKey | ObjectType::SecretData) {
            return Err(Fault::InvalidObjectType.into());
        }
        if self.unique_identifiers.len() > context.services.limits.bases {
            return Err(Fault::LimitExceeded.into());
        }
        let mut attributes = creation::given(context, self.object_type, core::iter::once(&self.attributes)).await?;
        let length = length(self.object_type, &attributes)?;
        let bases = bases(self, context).await?;
        let derived = derive(self, context, &bases, length).await?;
        let managed = key_formats::as_asked(managed(self.object_type, &attributes, derived)?, &attributes)?;
        for key in &bases.keys {
            let link = link(LinkType::DerivationBaseObjectLink, &key.object.unique_identifier);
            attributes.add(link);
        }
        let object = creation::insert(context, attributes, &managed, Source::Generated).await?;
        let client = context.client()?.client;
        for key in bases.keys {
            let mut base = context.whole(key.object)?;
            if base.attributes.iter().count() >= MOST_LINKED || !ownership::may_change(&base, client) {
                continue;
            }
            base.attributes
                .add(link(LinkType::DerivedKeyLink, &object.unique_identifier));
            context.save(&mut base)?;
        }
        Ok(DeriveKeyResponse {
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// The longest key that is derived, in bytes: far beyond what any algorithm takes.
pub(super) const LONGEST: usize = 64 * 1024;

/// How many bytes are wanted: as many as the client asks for, whether or not the algorithm knows keys of that length. A key needs
/// its algorithm named as well.
fn length(object_type: ObjectType, attributes: &AttributeSet) -> Result<usize, Failure> {
    let bits = attributes.length().ok_or(Failure::new(Fault::InvalidField))?;
    if object_type == ObjectType::SymmetricKey && attributes.algorithm().is_none() {
        return Err(Fault::InvalidField.into());
    }
    match usize::try_from(bits) {
        Ok(bits) if bits > 0 && bits % 8 == 0 && bits / 8 <= LONGEST => Ok(bits / 8),
        _ => Err(Fault::InvalidAttributeValue.into()),
    }
}

/// What is said of an object that nothing can be derived from.
fn as_base(failure: Failure) -> Failure {
    match failure.fault() {
        Fault::UsageMask => Failure::new(Fault::NotDerivable),
        Fault::UnusableObjectType => Failure::new(Fault::InvalidObjectType),
        _ => failure,
    }
}

async fn bases(request: &DeriveKeyRequest, context: &mut Context<'_>) -> Result<Bases, Failure> {
    let usage = CryptographicUsageMask::DeriveKey;
    let mut keys = Vec::new();
    for unique_identifier in &request.unique_identifiers {
        let key = Key::of(context, Some(unique_identifier), Purpose::Derive, usage).await;
        keys.push(key.map_err(as_base)?);
    }
    let mut found = Bases {
        keys: Vec::new(),
        base: None,
        base_algorithm: None,
        agreement: None,
        data: Vec::new(),
    };
    if request.derivation_method == DerivationMethod::AsymmetricKey {
        let private = keys
            .iter()
            .find(|key| matches!(key.managed, ManagedObject::PrivateKey(_)));
        let public = keys
            .iter()
            .find(|key| matches!(key.managed, ManagedObject::PublicKey(_) | ManagedObject::Certificate(_)));
        let (Some(private), Some(public)) = (private, public) else {
            return Err(Fault::InvalidObjectType.into());
        };
        found.agreement = Some((private.private().map_err(as_base)?, public.public().map_err(as_base)?));
    } else {
        // A key is the base wherever it stands, else the first of the Secret Data; what Secret Data there is beside it stands for the
        // Derivation Data.
        let is_secret = |key: &Key| matches!(key.managed, ManagedObject::SecretData(_));
        let base = keys.iter().position(|key| !is_secret(key)).unwrap_or(0);
        for (place, key) in keys.iter().enumerate() {
            if place == base {
                found.base = Some(key.bytes().map_err(as_base)?.clone());
                found.base_algorithm = key.algorithm();
            } else if is_secret(key) {
                found.data.push(key.bytes().map_err(as_base)?.clone());
            } else {
                return Err(Fault::InvalidObjectType.into());
            }
        }
    }
    // Derivation Data is given here or there, not both (KMIP 2.1 §7.12; KMIP 1.4 §11, Derive Key).
    if !found.data.is_empty() && !request.derivation_parameters.derivation_data.is_empty() {
        return Err(Fault::InvalidMessage.into());
    }
    if found.data.is_empty() {
        found.data.clone_from(&request.derivation_parameters.derivation_data);
    }
    found.keys = keys;
    Ok(found)
}

async fn derive(
    request: &DeriveKeyRequest,
    context: &Context<'_>,
    bases: &Bases,
    length: usize,
) -> Result<Secret, Failure> {
    let given = &request.derivation_parameters;
    let parameters: CryptographicParameters = given.cryptographic_parameters.clone().unwrap_or_default();
    let (base, data) = (bases.base.clone(), bases.data.clone());
    let (salt, vector) = (given.salt.clone(), given.initialization_vector.clone());
    let (method, base_algorithm, iteration_count) =
        (request.derivation_method, bases.base_algorithm, given.iteration_count);
    let compute = move |agreement: Option<(&PrivateKey, &PublicKey)>| {
        DerivationRequest {
            method,
            base: base.as_ref(),
            base_algorithm,
            agreement,
            parameters: &parameters,
            initialization_vector: vector.as_deref(),
            data: &data,
            salt: salt.as_deref(),
            iteration_count,
            length,
        }
        .derive()
    };
    let is_heavy = method == DerivationMethod::PBKDF2;
    let derived = match &bases.agreement {
        Some((private, public)) => compute(Some((private, public))),
        None if is_heavy => {
            let account = context.principal.into();
            context.services.heavy.run(account, move || compute(None)).await?
        }
        None => compute(None),
    };
    // Also more than the method gives (KMIP 1.4 §11, Derive Key).
    Ok(derived?)
}

fn managed(object_type: ObjectType, attributes: &AttributeSet, bytes: Secret) -> Result<ManagedObject, Failure> {
    let is_key = object_type == ObjectType::SymmetricKey;
    let key_block = KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain(PlainKeyValue {
            key_material: KeyMaterial::Bytes(bytes),
            attributes: None,
        })),
        cryptographic_algorithm: attributes.algorithm().filter(|_| is_key),
        cryptographic_length: attributes.length(),
        key_wrapping_data: None,
    };
    Ok(if is_key {
        SymmetricKey { key_block }.into()
    } else {
        SecretData {
            secret_data_type: SecretDataType::Seed,
            key_block,
        }
        .into()
    })
}
