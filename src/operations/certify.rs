//! Certify (KMIP 2.1 §6.1.6; KMIP 1.4 §4.7): a certificate for a public key, by an authority whose key is kept here.

use super::certification::{self, Asked, Authority};
use super::context::Wanted;
use super::creation::{self, Source};
use super::faults::as_item;
use super::links::{link, tie};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Object};
use certs::Wish;
use kmip_protocol::{
    Attribute, AttributeKind, CertificateType, CertifyRequest, CertifyResponse, LinkType, ManagedObject, ObjectType,
    State, UniqueIdentifier, Version,
};

/// A public key with so many attributes gets no more Links to certificates, which are found by theirs to it.
const MOST_LINKED: usize = 500;

impl Handle for CertifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CertifyResponse, Failure> {
        creation::permit_storage(self.protection_storage_masks.as_ref(), Fault::ProtectionStorage)?;
        let mut asked = Asked::of(context, self.attributes.as_ref()).await?;
        creation::complete(context, ObjectType::Certificate, &mut asked.attributes).await?;
        let wish = certification::wish(self.certificate_request_type, self.certificate_request.as_ref())?;
        judge_type(wish.is_some(), asked.certificate_type())?;
        let (mut wish, public) = match certified(self, context.version) {
            Some(given) => of_object(context, given, wish).await?,
            None => (wish.ok_or(Failure::new(Fault::MissingField))?, None),
        };
        asked.name(&mut wish, false);
        let mask = certification::usage_mask(&asked.attributes);
        let mask = mask.or_else(|| certification::usage_mask(&public.as_ref()?.attributes));
        if let Some(mask) = mask {
            wish.key_usages = wish.key_usages.or(certification::key_usages(mask)?);
            asked.attributes.set(Attribute::CryptographicUsageMask(mask));
        }
        let mut attributes = asked.attributes;
        let authority = Authority::of(context, &attributes).await?.open(context).await?;
        let managed = certification::issue(context, authority, wish, &attributes).await?;
        follow_certificate(&mut attributes);
        if let Some(public) = &public {
            attributes.add(link(LinkType::PublicKeyLink, &public.unique_identifier));
        }
        let object = creation::insert(context, attributes, &managed, Source::Issued).await?;
        if let Some(mut public) = public
            && public.attributes.iter().count() < MOST_LINKED
        {
            tie(&mut public, LinkType::CertificateLink, &object.unique_identifier);
            context.save(&mut public)?;
        }
        Ok(CertifyResponse {
            unique_identifier: object.unique_identifier,
            attributes: None,
        })
    }
}

/// Only X.509 is issued; without a certificate request the type must be said (KMIP 2.1 §6.1.6).
fn judge_type(has_request: bool, named: Option<CertificateType>) -> Result<(), Failure> {
    match named {
        Some(CertificateType::X_509) => Ok(()),
        None if has_request => Ok(()),
        None => Err(Fault::MissingField.into()),
        Some(CertificateType::PGP) => Err(Fault::FeatureNotSupported.into()),
        Some(_) => Err(Fault::InvalidField.into()),
    }
}

/// What the certificate says takes the place of what the request says of it.
pub(super) fn follow_certificate(attributes: &mut AttributeSet) {
    attributes.clear(AttributeKind::CryptographicAlgorithm);
    attributes.clear(AttributeKind::CryptographicLength);
}

/// Which object is to be certified: none, where a certificate request stands alone. Versions without tagged attributes mean the ID
/// Placeholder even then.
pub(super) fn certified(request: &CertifyRequest, version: Version) -> Option<Option<&UniqueIdentifier>> {
    let given = request.unique_identifier.as_ref();
    let alone = given.is_none() && request.certificate_request.is_some() && version.has_tagged_attributes();
    (!alone).then_some(given)
}

/// What is wished for a Public Key or a Certificate Request object, and the public key.
async fn of_object(
    context: &mut Context<'_>,
    given: Option<&UniqueIdentifier>,
    wish: Option<Wish>,
) -> Result<(Wish, Option<Object>), Failure> {
    let kept = context.kept(given, Wanted::Whole).await.map_err(as_item)?;
    if kept.attributes.dates()?.state(context.seconds()) == State::Compromised {
        return Err(Fault::NotCertifiable.into());
    }
    match context.open(&kept).await? {
        ManagedObject::PublicKey(public) => {
            let info = certification::key_info(&public)?;
            let wish = match wish {
                Some(wish) if certification::is_same_key(&wish.key_info, &info)? => wish,
                Some(_) => return Err(Failure::detailed(Fault::InvalidCsr, "of another key")),
                None => Wish::new(info, Vec::new()),
            };
            Ok((wish, Some(context.whole(kept)?)))
        }
        ManagedObject::CertificateRequest(_) if wish.is_some() => Err(Fault::InvalidField.into()),
        ManagedObject::CertificateRequest(request) => {
            let (kind, value) = (request.certificate_request_type, request.certificate_request_value);
            let wish = certification::wish(Some(kind), Some(&value))?;
            Ok((wish.ok_or(Failure::new(Fault::InvalidCsr))?, None))
        }
        _ => Err(Fault::UnusableObjectType.into()),
    }
}
