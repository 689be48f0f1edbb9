//! Re-certify (KMIP 2.1 §6.1.45; KMIP 1.4 §4.8): a new certificate for the key of one that there is, which takes its place.

use super::certification::{self, Asked, Authority};
use super::certify::follow_certificate;
use super::context::Wanted;
use super::creation::{self, Source};
use super::links::{ends, link, retie};
use super::own_certificate::OwnCertificate;
use super::{Context, Handle, links, replacement};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{AttributeSet, Dates, Object, attributes::is_multi};
use certs::Wish;
use kmip_protocol::{
    Attribute, AttributeKind, CertificateType, DateTime, Interval, LinkType, ManagedObject, ReCertifyRequest,
    ReCertifyResponse, State,
};

/// Attributes that a client may give and that a renewed object does not take over (KMIP 2.1 table 299), beside those that the
/// server sets.
const OWN: [AttributeKind; 5] = [
    AttributeKind::Link,
    AttributeKind::ActivationDate,
    AttributeKind::DeactivationDate,
    AttributeKind::Fresh,
    AttributeKind::OriginalCreationDate,
];

impl Handle for ReCertifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ReCertifyResponse, Failure> {
        creation::permit_storage(self.protection_storage_masks.as_ref(), Fault::ProtectionStorage)?;
        let given = Asked::of(context, self.attributes.as_ref()).await?;
        let dated = given.attributes.dates();
        if self.offset.is_some() && (dated.activation.is_some() || dated.deactivation.is_some()) {
            return Err(Fault::InvalidMessage.into());
        }
        let kept = context.kept(self.unique_identifier.as_ref(), Wanted::Whole).await?;
        let ManagedObject::Certificate(certificate) = context.open(&kept).await? else {
            return Err(Fault::UnusableObjectType.into());
        };
        let mut existing = context.whole(kept)?;
        judge(
            &existing,
            certificate.certificate_type,
            given.certificate_type(),
            context.seconds(),
        )?;
        let old = Wish::of_certificate(&certificate.certificate_value).map_err(certification::refusal)?;
        let own = Box::pin(OwnCertificate::meant(
            context,
            &certificate.certificate_value,
            &given.attributes,
        ))
        .await?;
        let same = own.as_ref().map(|_| old.clone());
        let mut wish = match asked_for(self, context).await? {
            Some(wish) if certification::is_same_key(&wish.key_info, &old.key_info)? => {
                let mut wish = wish;
                given.name(&mut wish, false);
                wish
            }
            Some(_) => return Err(Failure::detailed(Fault::InvalidCsr, "of another key")),
            None => {
                let mut wish = old;
                given.name(&mut wish, true);
                wish
            }
        };
        let mut attributes = taken_over(&existing, &given.attributes);
        set_dates(
            &mut attributes,
            existing.attributes.dates(),
            self.offset,
            context.seconds(),
        );
        if let Some(mask) = certification::usage_mask(&given.attributes) {
            wish.key_usages = certification::key_usages(mask)?.or(wish.key_usages);
        }
        let managed = match own.zip(same) {
            // What it says is what it said: of a certificate request only that its key is the same.
            Some((own, same)) => Box::pin(own.renew(context, same, (&given, &attributes))).await?,
            None => {
                let authority = Authority::of(context, &given.attributes).await?.open(context).await?;
                certification::issue(context, authority, wish, &attributes).await?
            }
        };
        follow_certificate(&mut attributes);
        let public = ends(&existing.attributes, LinkType::PublicKeyLink)
            .next()
            .map(str::to_owned);
        let links: Vec<Attribute> = given
            .attributes
            .iter()
            .map(|i| i.attribute.clone())
            .filter(is_link)
            .collect();
        attributes.add(link(LinkType::ReplacedObjectLink, &existing.unique_identifier));
        if let Some(public) = &public {
            attributes.add(link(LinkType::PublicKeyLink, public));
        }
        for own in links {
            attributes.add(own);
        }
        replacement::release_names(context, &mut existing).await?;
        let object = creation::insert(context, attributes, &managed, Source::Issued).await?;
        let (old, new) = (existing.unique_identifier.clone(), object.unique_identifier);
        if let Some(public) = public
            && let Some(mut public) = context.find(&public).await?
            && public.material.is_some()
        {
            retie(&mut public.attributes, LinkType::CertificateLink, &old, &new);
            context.save(&mut public)?;
        }
        links::succeed(&mut existing, &new);
        context.save(&mut existing)?;
        Ok(ReCertifyResponse {
            unique_identifier: new,
            attributes: None,
        })
    }
}

fn is_link(attribute: &Attribute) -> bool {
    attribute.kind() == AttributeKind::Link
}

/// What cannot be renewed: other certificates than X.509, and what is compromised. The type stays what it was.
fn judge(existing: &Object, is: CertificateType, wanted: Option<CertificateType>, now: i64) -> Result<(), Failure> {
    if is != CertificateType::X_509 {
        return Err(Fault::FeatureNotSupported.into());
    }
    if wanted.is_some_and(|wanted| wanted != is) {
        return Err(Fault::InvalidField.into());
    }
    if existing.attributes.dates().state(now) == State::Compromised {
        return Err(Fault::NotCertifiable.into());
    }
    Ok(())
}

/// What the request's certificate request asks for, or the Certificate Request object that it names.
async fn asked_for(request: &ReCertifyRequest, context: &mut Context<'_>) -> Result<Option<Wish>, Failure> {
    let wish = certification::wish(request.certificate_request_type, request.certificate_request.as_ref())?;
    let Some(given) = &request.certificate_request_unique_identifier else {
        return Ok(wish);
    };
    let kept = context.kept(Some(given), Wanted::Whole).await?;
    match context.open(&kept).await? {
        ManagedObject::CertificateRequest(_) if wish.is_some() => Err(Fault::InvalidField.into()),
        ManagedObject::CertificateRequest(request) => {
            let (kind, value) = (request.certificate_request_type, request.certificate_request_value);
            certification::wish(Some(kind), Some(&value))
        }
        _ => Err(Fault::UnusableObjectType.into()),
    }
}

/// The attributes of the new certificate: those of the existing one, and the request's over them. Names come to those that there were.
fn taken_over(existing: &Object, given: &AttributeSet) -> AttributeSet {
    let mut attributes = AttributeSet::default();
    for instance in existing.attributes.iter() {
        let kind = instance.attribute.kind();
        if kind.rules().set_by.client() && !OWN.contains(&kind) {
            attributes.add(instance.attribute.clone());
        }
    }
    for instance in given.iter().filter(|instance| !is_link(&instance.attribute)) {
        if !is_multi(instance.attribute.kind()) {
            attributes.set(instance.attribute.clone());
        } else if !attributes.iter().any(|had| had.attribute == instance.attribute) {
            attributes.add(instance.attribute.clone());
        }
    }
    attributes
}

/// The dates (KMIP 2.1 table 298): without an offset those of the existing certificate, with one the activation lies that long after
/// now, and the deactivation is moved along with it. What the request says stands.
fn set_dates(attributes: &mut AttributeSet, existing: Dates, offset: Option<Interval>, now: i64) {
    let activation = match offset {
        Some(Interval(seconds)) => Some(now.saturating_add(i64::from(seconds))),
        None => existing.activation,
    };
    let moved = match (offset, existing.activation, activation) {
        (Some(_), Some(from), Some(to)) => to.saturating_sub(from),
        _ => 0,
    };
    if let Some(activation) = activation {
        attributes.set_if_absent(Attribute::ActivationDate(DateTime(activation)));
    }
    if let Some(deactivation) = existing.deactivation {
        let deactivation = deactivation.saturating_add(moved);
        attributes.set_if_absent(Attribute::DeactivationDate(DateTime(deactivation)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(activation: Option<i64>, deactivation: Option<i64>, offset: Option<u32>) -> (Option<i64>, Option<i64>) {
        let existing = Dates {
            activation,
            deactivation,
            ..Dates::default()
        };
        let mut attributes = AttributeSet::default();
        set_dates(&mut attributes, existing, offset.map(Interval), 1_000);
        let dates = attributes.dates();
        (dates.activation, dates.deactivation)
    }

    #[test]
    fn dates_are_copied_or_moved() {
        assert_eq!(dates(None, None, None), (None, None));
        assert_eq!(dates(Some(10), Some(500), None), (Some(10), Some(500)));
        assert_eq!(dates(Some(10), Some(500), Some(5)), (Some(1_005), Some(1_495)));
        assert_eq!(dates(None, Some(500), Some(0)), (Some(1_000), Some(500)));
        let mut given = AttributeSet::default();
        given.set(Attribute::ActivationDate(DateTime(7)));
        set_dates(&mut given, Dates::default(), None, 0);
        assert_eq!(given.dates().activation, Some(7));
    }
}
