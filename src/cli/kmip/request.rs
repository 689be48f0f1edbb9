//! The request that each subcommand makes.

use super::arguments::*;
use super::{Problem, data, words};
use kmip_protocol as kmip;
use kmip_protocol::{Attribute, RequestPayload, tag};
use kmip_ttlv::Secret;
use std::path::PathBuf;

/// The file that the outcome is to be written to.
pub(super) const fn output_file(operation: &Operation) -> Option<&PathBuf> {
    match operation {
        Operation::Get(Get { output, .. })
        | Operation::Encrypt(Cipher { output, .. })
        | Operation::Decrypt(Cipher { output, .. })
        | Operation::Sign(Sign { output, .. })
        | Operation::Mac(Sign { output, .. })
        | Operation::Hash(Hash { output, .. })
        | Operation::Rng(Rng { output, .. }) => output.as_ref(),
        _ => None,
    }
}

/// The request payload.
///
/// # Errors
/// Words that name nothing, and files that cannot be read.
pub(super) fn payload(operation: &Operation) -> Result<RequestPayload, Problem> {
    Ok(match operation {
        Operation::Create(a) => create(a)?.into(),
        Operation::CreateKeyPair(a) => create_key_pair(a)?.into(),
        Operation::Register(a) => register(a)?.into(),
        Operation::Get(a) => kmip::GetRequest {
            unique_identifier: id(&a.id),
            key_format_type: words::optional(tag::KEY_FORMAT_TYPE, a.key_format.as_ref())?.map(kmip::KeyFormatType),
            ..Default::default()
        }
        .into(),
        Operation::Locate(a) => locate(a)?.into(),
        Operation::Attributes(a) => attributes(a)?.into(),
        Operation::Activate(a) => kmip::ActivateRequest {
            unique_identifier: id(&a.id),
        }
        .into(),
        Operation::Revoke(a) => kmip::RevokeRequest {
            unique_identifier: id(&a.id),
            revocation_reason: kmip::RevocationReason {
                revocation_reason_code: kmip::RevocationReasonCode(words::value(
                    tag::REVOCATION_REASON_CODE,
                    &a.reason,
                )?),
                revocation_message: a.message.clone(),
            },
            compromise_occurrence_date: None,
        }
        .into(),
        Operation::Destroy(a) => kmip::DestroyRequest {
            unique_identifier: id(&a.id),
        }
        .into(),
        Operation::Encrypt(a) => kmip::EncryptRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: cipher_parameters(a)?,
            data: Some(data::read(&a.input)?.into()),
            iv_counter_nonce: hexadecimal(a.iv.as_ref())?,
            authenticated_encryption_additional_data: hexadecimal(a.additional.as_ref())?,
            ..Default::default()
        }
        .into(),
        Operation::Decrypt(a) => kmip::DecryptRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: cipher_parameters(a)?,
            data: Some(data::read(&a.input)?.into()),
            iv_counter_nonce: hexadecimal(a.iv.as_ref())?,
            authenticated_encryption_additional_data: hexadecimal(a.additional.as_ref())?,
            authenticated_encryption_tag: hexadecimal(a.tag.as_ref())?,
            ..Default::default()
        }
        .into(),
        Operation::Sign(a) => kmip::SignRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: parameters(&a.parameters)?,
            data: Some(data::read(&a.input)?.into()),
            ..Default::default()
        }
        .into(),
        Operation::Verify(a) => kmip::SignatureVerifyRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: parameters(&a.parameters)?,
            data: Some(data::read(&a.input)?.into()),
            signature_data: Some(data::read(&a.signature)?.expose().to_vec()),
            ..Default::default()
        }
        .into(),
        Operation::Mac(a) => kmip::MACRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: parameters(&a.parameters)?,
            data: Some(data::read(&a.input)?.into()),
            ..Default::default()
        }
        .into(),
        Operation::MacVerify(a) => kmip::MACVerifyRequest {
            unique_identifier: id(&a.id),
            cryptographic_parameters: parameters(&a.parameters)?,
            data: Some(data::read(&a.input)?.into()),
            mac_data: Some(data::read(&a.signature)?.expose().to_vec()),
            ..Default::default()
        }
        .into(),
        Operation::Hash(a) => kmip::HashRequest {
            cryptographic_parameters: kmip::CryptographicParameters {
                hashing_algorithm: Some(kmip::HashingAlgorithm(words::value(
                    tag::HASHING_ALGORITHM,
                    &a.algorithm,
                )?)),
                ..Default::default()
            },
            data: Some(data::read(&a.input)?.into()),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        }
        .into(),
        Operation::Rng(a) => kmip::RNGRetrieveRequest { data_length: a.length }.into(),
        Operation::Query(a) => kmip::QueryRequest {
            query_functions: (a.functions.iter())
                .map(|word| words::value(tag::QUERY_FUNCTION, word).map(kmip::QueryFunction))
                .collect::<Result<_, _>>()?,
            ..Default::default()
        }
        .into(),
        Operation::Discover => kmip::DiscoverVersionsRequest::default().into(),
        Operation::Send(_) => return Err("whole messages have no payload of their own".to_owned()),
    })
}

fn id(text: &str) -> Option<kmip::UniqueIdentifier> {
    Some(text.into())
}

fn hexadecimal(digits: Option<&String>) -> Result<Option<Vec<u8>>, Problem> {
    digits.map(|digits| words::bytes(digits)).transpose()
}

fn name(text: &str) -> Attribute {
    Attribute::Name(kmip::Name {
        name_value: text.to_owned(),
        name_type: kmip::NameType::UninterpretedTextString,
    })
}

fn usage(list: &[String]) -> Result<Attribute, Problem> {
    let mask = words::mask(tag::CRYPTOGRAPHIC_USAGE_MASK, list)?;
    Ok(Attribute::CryptographicUsageMask(kmip::CryptographicUsageMask(mask)))
}

impl Common {
    fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let name = self.name.as_deref().map(name);
        name.into_iter().chain(self.group.clone().map(Attribute::ObjectGroup))
    }
}

fn algorithm(word: &str) -> Result<kmip::CryptographicAlgorithm, Problem> {
    words::value(tag::CRYPTOGRAPHIC_ALGORITHM, word).map(kmip::CryptographicAlgorithm)
}

fn create(a: &Create) -> Result<kmip::CreateRequest, Problem> {
    let fixed = [
        Attribute::CryptographicAlgorithm(algorithm(&a.algorithm)?),
        Attribute::CryptographicLength(a.length),
        usage(&a.usage)?,
    ];
    Ok(kmip::CreateRequest {
        object_type: kmip::ObjectType::SymmetricKey,
        attributes: fixed.into_iter().chain(a.common.attributes()).collect(),
        protection_storage_masks: None,
    })
}

fn create_key_pair(a: &CreateKeyPair) -> Result<kmip::CreateKeyPairRequest, Problem> {
    let mut common = vec![Attribute::CryptographicAlgorithm(algorithm(&a.algorithm)?)];
    common.extend(a.length.map(Attribute::CryptographicLength));
    if let Some(curve) = &a.curve {
        common.push(Attribute::CryptographicDomainParameters(
            kmip::CryptographicDomainParameters {
                qlength: None,
                recommended_curve: Some(kmip::RecommendedCurve(words::value(tag::RECOMMENDED_CURVE, curve)?)),
            },
        ));
    }
    let own = |words: &[String], end: &str| -> Result<Vec<Attribute>, Problem> {
        let name = a.name.as_ref().map(|text| name(&format!("{text}-{end}")));
        Ok(std::iter::once(usage(words)?).chain(name).collect())
    };
    Ok(kmip::CreateKeyPairRequest {
        common_attributes: Some(common.into_iter().collect()),
        private_key_attributes: Some(own(&a.usage_private, "private")?.into_iter().collect()),
        public_key_attributes: Some(own(&a.usage_public, "public")?.into_iter().collect()),
        ..Default::default()
    })
}

fn locate(a: &Locate) -> Result<kmip::LocateRequest, Problem> {
    let mut wanted: Vec<Attribute> = Vec::new();
    wanted.extend(a.name.as_deref().map(name));
    wanted.extend(a.group.clone().map(Attribute::ObjectGroup));
    let object_type = words::optional(tag::OBJECT_TYPE, a.object_type.as_ref())?;
    wanted.extend(object_type.map(|v| Attribute::ObjectType(kmip::ObjectType(v))));
    let state = words::optional(tag::STATE, a.state.as_ref())?;
    wanted.extend(state.map(|v| Attribute::State(kmip::State(v))));
    wanted.extend(
        a.algorithm
            .as_deref()
            .map(algorithm)
            .transpose()?
            .map(Attribute::CryptographicAlgorithm),
    );
    Ok(kmip::LocateRequest {
        maximum_items: a.maximum,
        offset_items: a.offset,
        attributes: kmip::AttributePatterns(wanted.iter().map(kmip::AttributePattern::exactly).collect()),
        ..Default::default()
    })
}

fn attributes(a: &Attributes) -> Result<kmip::GetAttributesRequest, Problem> {
    let reference = |text: &String| {
        let own = kmip::VendorName::from_custom_name(text).map(kmip::AttributeReference::Vendor);
        let known = || kmip::AttributeKind::from_name(text).map(kmip::AttributeReference::Known);
        own.or_else(known).ok_or_else(|| format!("{text} is no attribute"))
    };
    Ok(kmip::GetAttributesRequest {
        unique_identifier: id(&a.id),
        references: a.names.iter().map(reference).collect::<Result<_, _>>()?,
    })
}

fn parameters(a: &Parameters) -> Result<Option<kmip::CryptographicParameters>, Problem> {
    if a.hash.is_none() && a.padding.is_none() && a.algorithm.is_none() {
        return Ok(None);
    }
    Ok(Some(kmip::CryptographicParameters {
        hashing_algorithm: words::optional(tag::HASHING_ALGORITHM, a.hash.as_ref())?.map(kmip::HashingAlgorithm),
        padding_method: words::optional(tag::PADDING_METHOD, a.padding.as_ref())?.map(kmip::PaddingMethod),
        cryptographic_algorithm: a.algorithm.as_deref().map(algorithm).transpose()?,
        ..Default::default()
    }))
}

fn cipher_parameters(a: &Cipher) -> Result<Option<kmip::CryptographicParameters>, Problem> {
    let words = [&a.algorithm, &a.mode, &a.padding, &a.hash];
    if words.iter().all(|word| word.is_none()) && a.tag_length.is_none() {
        return Ok(None);
    }
    Ok(Some(kmip::CryptographicParameters {
        block_cipher_mode: words::optional(tag::BLOCK_CIPHER_MODE, a.mode.as_ref())?.map(kmip::BlockCipherMode),
        padding_method: words::optional(tag::PADDING_METHOD, a.padding.as_ref())?.map(kmip::PaddingMethod),
        hashing_algorithm: words::optional(tag::HASHING_ALGORITHM, a.hash.as_ref())?.map(kmip::HashingAlgorithm),
        cryptographic_algorithm: a.algorithm.as_deref().map(algorithm).transpose()?,
        tag_length: a.tag_length,
        ..Default::default()
    }))
}

fn register(a: &Register) -> Result<kmip::RegisterRequest, Problem> {
    let object_type = kmip::ObjectType(words::value(tag::OBJECT_TYPE, &a.object_type)?);
    let material = data::read(&a.input)?;
    let mut attributes: Vec<Attribute> = a.common.attributes().collect();
    if !a.usage.is_empty() {
        attributes.push(usage(&a.usage)?);
    }
    let object = match object_type {
        kmip::ObjectType::SymmetricKey => kmip::SymmetricKey {
            key_block: key_block(a, material, kmip::KeyFormatType::Raw)?,
        }
        .into(),
        kmip::ObjectType::SecretData => kmip::SecretData {
            secret_data_type: kmip::SecretDataType::Password,
            key_block: key_block(a, material, kmip::KeyFormatType::Opaque)?,
        }
        .into(),
        kmip::ObjectType::PrivateKey => kmip::PrivateKey {
            key_block: key_block(a, material, kmip::KeyFormatType::PKCS_8)?,
        }
        .into(),
        kmip::ObjectType::PublicKey => kmip::PublicKey {
            key_block: key_block(a, material, kmip::KeyFormatType::X_509)?,
        }
        .into(),
        kmip::ObjectType::OpaqueObject => kmip::OpaqueObject {
            // The one type that the specification leaves to vendors' extensions (KMIP 2.1 §11.35).
            opaque_data_type: kmip::OpaqueDataType(0x8000_0000),
            opaque_data_value: material,
        }
        .into(),
        kmip::ObjectType::Certificate => kmip::Certificate {
            certificate_type: kmip::CertificateType::X_509,
            certificate_value: material.expose().to_vec(),
        }
        .into(),
        other => return Err(format!("an object of type {other} is registered with `send`")),
    };
    Ok(kmip::RegisterRequest {
        object_type,
        attributes: attributes.into_iter().collect(),
        object,
        protection_storage_masks: None,
    })
}

fn key_block(a: &Register, material: Secret, usual: kmip::KeyFormatType) -> Result<kmip::KeyBlock, Problem> {
    let format = words::optional(tag::KEY_FORMAT_TYPE, a.key_format.as_ref())?;
    let key_format_type = format.map_or(usual, kmip::KeyFormatType);
    let is_raw = key_format_type == kmip::KeyFormatType::Raw;
    let bits = i32::try_from(material.len().saturating_mul(8)).ok().filter(|_| is_raw);
    let cryptographic_algorithm = a.algorithm.as_deref().map(algorithm).transpose()?;
    if is_raw && cryptographic_algorithm.is_none() {
        return Err("a raw key does not tell its algorithm: give --algorithm".to_owned());
    }
    Ok(kmip::KeyBlock {
        key_format_type,
        key_compression_type: None,
        key_value: Some(kmip::KeyValue::Plain(kmip::PlainKeyValue {
            key_material: kmip::KeyMaterial::Bytes(material),
            attributes: None,
        })),
        cryptographic_algorithm,
        cryptographic_length: a.length.or(bits),
        key_wrapping_data: None,
    })
}
