//! What Certify and Re-certify share: which authority issues, what it is asked for, and the making of the certificate.
//!
//! An authority is a managed Certificate with a managed Private Key whose usage mask has Certificate Sign (KMIP 2.1 §11.57); Links
//! lead from the one to the other. The request names it by a Link of type Certificate Link, which of a certificate leads to the
//! certificate above it; else it is the one that the client's settings name. It is never an authority by which anybody is recognised
//! here: a client that gets certificates must not get identities.

use super::certificate_attributes;
use super::context::{Context, Wanted};
use super::creation;
use super::keyed::{Key, Purpose};
use super::links::ends;
use crate::crypto::{PublicKey, ReadHints, format, signature};
use crate::failure::{Failure, Fault};
use crate::identity::AuthorityRecord;
use crate::objects::{AttributeSet, Dates, Kept};
use certs::{
    CertificateFacts, Issuer, KeyUsages, MAX_CHAIN_LENGTH, RequestEncoding, Validity, Wish, distinguished_name,
    is_issued_by,
};
use kmip_protocol::{
    Attribute, AttributeKind, Certificate, CertificateRequestType, CertificateType, CryptographicUsageMask,
    KeyFormatType, KeyMaterial, LinkType, ManagedObject, ObjectType, State, TemplateAttribute, UniqueIdentifier,
};
use kmip_ttlv::Secret;

/// Seconds that a certificate is valid whose request says nothing of it: a year.
const USUAL: i64 = 365 * 86_400;

/// The longest validity that a request gets, in seconds: ten years.
const LONGEST: i64 = 3_650 * 86_400;

/// Seconds by which the beginning is dated back, since clocks differ.
const SKEW: i64 = 300;

/// The attributes of a request, those apart that say whom the certificate is for.
pub struct Asked {
    /// What becomes attributes of the certificate.
    pub attributes: AttributeSet,
    /// A subject (DER), if they have one.
    subject: Option<Vec<u8>>,
}

impl Asked {
    /// Judges the attributes of a request.
    ///
    /// # Errors
    /// Those of every creation; [`Fault::InvalidAttributeValue`] if a name cannot stand in a certificate.
    pub async fn of(context: &mut Context<'_>, template: Option<&TemplateAttribute>) -> Result<Self, Failure> {
        let mut given = template.cloned().unwrap_or_default();
        let mut parts = Vec::new();
        let mut subject = None;
        given.attributes.0.retain(|instance| {
            let part = certificate_attributes::subject_name(&instance.attribute);
            match (&instance.attribute, part) {
                (_, Some((oid, text))) => parts.push((oid, text.to_owned())),
                (Attribute::X_509CertificateSubject(name), None) => {
                    subject = Some(name.subject_distinguished_name.clone());
                }
                _ => return true,
            }
            false
        });
        if subject.is_none() && !parts.is_empty() {
            let parts = parts.iter().map(|(oid, text)| (*oid, text.as_str()));
            let name = distinguished_name(parts);
            subject = Some(name.map_err(|why| Failure::detailed(Fault::InvalidAttributeValue, why))?);
        }
        Ok(Self {
            // Without defaults: of a renewed certificate they would take the place of what the former one has.
            attributes: creation::stated(context, ObjectType::Certificate, core::iter::once(&given)).await?,
            subject,
        })
    }

    /// Whether they say whom the certificate is for.
    #[must_use]
    pub const fn names_somebody(&self) -> bool {
        self.subject.is_some()
    }

    /// The type of certificate that they name.
    pub fn certificate_type(&self) -> Option<CertificateType> {
        match self.attributes.first(AttributeKind::CertificateType) {
            Some(Attribute::CertificateType(named)) => Some(*named),
            _ => None,
        }
    }

    /// Names the holder of the key as the attributes do, where a request itself does not (it takes precedence, KMIP 2.1 §6.1.6).
    pub fn name(&self, wish: &mut Wish, over: bool) {
        if let Some(subject) = &self.subject
            && (over || !wish.has_subject())
        {
            wish.subject.clone_from(subject);
        }
    }
}

/// Reads the certificate request of a request, if it has one.
///
/// # Errors
/// [`Fault::InvalidCsr`] if it is not of the type that is said, or not signed by its own key; [`Fault::NotCertifiable`] if it asks
/// for the certificate of an authority; [`Fault::MissingField`] if one of type and value is absent.
pub fn wish(kind: Option<CertificateRequestType>, value: Option<&Vec<u8>>) -> Result<Option<Wish>, Failure> {
    let (kind, value) = match (kind, value) {
        (None, None) => return Ok(None),
        (Some(kind), Some(value)) => (kind, value),
        _ => return Err(Fault::MissingField.into()),
    };
    let encoding = match kind {
        CertificateRequestType::CRMF => RequestEncoding::Crmf,
        CertificateRequestType::PKCS_10 => RequestEncoding::Pkcs10,
        CertificateRequestType::PEM => RequestEncoding::Pem,
        CertificateRequestType::PGP => return Err(Fault::FeatureNotSupported.into()),
        _ => return Err(Fault::InvalidField.into()),
    };
    Wish::read(encoding, value).map(Some).map_err(refusal)
}

/// What is told of a certificate that cannot be made.
pub fn refusal(why: certs::Error) -> Failure {
    let fault = match why {
        certs::Error::Request | certs::Error::Name => Fault::InvalidCsr,
        certs::Error::Validity => Fault::InvalidAttributeValue,
        _ => Fault::NotCertifiable,
    };
    Failure::detailed(fault, why)
}

/// The key of a Public Key object as `SubjectPublicKeyInfo`.
///
/// # Errors
/// [`Fault::NotCertifiable`] if it cannot be read here.
pub fn key_info(public: &kmip_protocol::PublicKey) -> Result<Vec<u8>, Failure> {
    let key = PublicKey::of(&public.key_block, ReadHints::default());
    let key = key.map_err(|why| Failure::detailed(Fault::NotCertifiable, why))?;
    written(&key)
}

fn written(key: &PublicKey) -> Result<Vec<u8>, Failure> {
    let material = key.write(KeyFormatType::X_509, None);
    let material = material.map_err(|why| Failure::detailed(Fault::NotCertifiable, why))?;
    Ok(format::material_bytes(&material)?.expose().to_vec())
}

/// Whether two `SubjectPublicKeyInfo` are of the same key, in whichever way each is written.
///
/// # Errors
/// [`Fault::NotCertifiable`] if one cannot be read here.
pub fn is_same_key(one: &[u8], other: &[u8]) -> Result<bool, Failure> {
    let read = |info: &[u8]| {
        let material = KeyMaterial::Bytes(Secret::copy_from(info));
        let key = PublicKey::read(KeyFormatType::X_509, &material, ReadHints::default());
        written(&key.map_err(|why| Failure::detailed(Fault::NotCertifiable, why))?)
    };
    Ok(one == other || read(one)? == read(other)?)
}

/// The uses of a key that a usage mask stands for; those that are usual if it stands for none.
///
/// # Errors
/// [`Fault::NotCertifiable`] if they are an authority's.
pub fn key_usages(mask: CryptographicUsageMask) -> Result<Option<KeyUsages>, Failure> {
    const ROWS: &[(CryptographicUsageMask, KeyUsages)] = &[
        (CryptographicUsageMask::Sign, KeyUsages::SIGNATURE),
        (CryptographicUsageMask::Verify, KeyUsages::SIGNATURE),
        (CryptographicUsageMask::ContentCommitment, KeyUsages::COMMITMENT),
        (CryptographicUsageMask::WrapKey, KeyUsages::KEY_ENCIPHERMENT),
        (CryptographicUsageMask::UnwrapKey, KeyUsages::KEY_ENCIPHERMENT),
        (CryptographicUsageMask::Encrypt, KeyUsages::DATA_ENCIPHERMENT),
        (CryptographicUsageMask::Decrypt, KeyUsages::DATA_ENCIPHERMENT),
        (CryptographicUsageMask::KeyAgreement, KeyUsages::AGREEMENT),
        (CryptographicUsageMask::DeriveKey, KeyUsages::AGREEMENT),
    ];
    if mask.contains(CryptographicUsageMask::CertificateSign) || mask.contains(CryptographicUsageMask::CRLSign) {
        return Err(Fault::NotCertifiable.into());
    }
    let named = ROWS.iter().filter(|(bit, _)| mask.contains(*bit));
    Ok(named.map(|(_, usage)| *usage).reduce(KeyUsages::or))
}

/// The usage mask of a set of attributes, if it has one.
pub fn usage_mask(attributes: &AttributeSet) -> Option<CryptographicUsageMask> {
    match attributes.first(AttributeKind::CryptographicUsageMask) {
        Some(Attribute::CryptographicUsageMask(mask)) => Some(*mask),
        _ => None,
    }
}

/// The objects of an authority.
pub struct Authority {
    certificate: Kept,
    /// Its private key.
    pub key: Kept,
    /// Whether the client named it: what it does not see it does not use then.
    own: bool,
}

/// An authority that can issue now.
pub struct Opened {
    issuer: Issuer,
    /// Whether its key takes long to sign.
    is_heavy: bool,
}

impl Authority {
    /// The authority that a request with these attributes means.
    ///
    /// # Errors
    /// What finding an object says, where the request names one; [`Fault::NoIssuer`] if there is none.
    pub async fn of(context: &mut Context<'_>, attributes: &AttributeSet) -> Result<Self, Failure> {
        let named = ends(attributes, LinkType::CertificateLink).next().map(str::to_owned);
        let (name, own) = match named {
            Some(name) => (name, true),
            None => {
                let set = context.client()?.limits.issuing_certificate.clone();
                (set.ok_or(Failure::new(Fault::NoIssuer))?, false)
            }
        };
        let certificate = look_up(context, &name, own).await?;
        let key = private_key(context, &certificate.attributes.decode()?, own).await?;
        Ok(Self { certificate, key, own })
    }

    /// Makes it issue.
    ///
    /// # Errors
    /// [`Fault::NoIssuer`] if it cannot, or may not.
    pub async fn open(self, context: &mut Context<'_>) -> Result<Opened, Failure> {
        let state = self.certificate.attributes.dates()?.state(context.seconds());
        let ManagedObject::Certificate(certificate) = context.open(&self.certificate).await? else {
            return Err(Fault::NoIssuer.into());
        };
        let attributes = self.certificate.attributes.decode()?;
        judge_line(context, &certificate.certificate_value, attributes, self.own).await?;
        let key = Key::judged(
            context,
            self.key,
            Purpose::Protect,
            CryptographicUsageMask::CertificateSign,
        )
        .await;
        let key = key.and_then(|key| key.private()).map_err(unfit)?;
        let is_heavy = signature::is_heavy(&key);
        let material = key.write(KeyFormatType::PKCS_8)?;
        let key = format::material_bytes(&material)?;
        let issuer = Issuer::new(&certificate.certificate_value, key.expose()).map_err(unusable)?;
        let (now, facts) = (context.seconds(), issuer.facts());
        if state == State::Deactivated
            || state == State::Compromised
            || !(facts.not_before..=facts.not_after).contains(&now)
        {
            return Err(Failure::detailed(Fault::NoIssuer, "the authority's time is over"));
        }
        Ok(Opened { issuer, is_heavy })
    }
}

/// Judges who is above an authority, by the Links of type Certificate Link from certificate to certificate, up to one that signed itself.
/// By none of them may anybody be recognised here: a chain that leads to it over this authority would be somebody's. One that is above
/// it and is not kept here could be any, so that it must be kept.
async fn judge_line(
    context: &mut Context<'_>,
    certificate: &[u8],
    mut attributes: AttributeSet,
    own: bool,
) -> Result<(), Failure> {
    let mut certificate = certificate.to_vec();
    for _ in 0..MAX_CHAIN_LENGTH {
        let facts = CertificateFacts::read(&certificate).map_err(unusable)?;
        let enrolled = AuthorityRecord::key_claim(&facts.key_fingerprint);
        if context.work.claimed(&enrolled).await?.is_some() {
            return Err(Failure::detailed(
                Fault::NoIssuer,
                "people and clients are recognised by it",
            ));
        }
        if is_issued_by(&certificate, &facts) {
            return Ok(());
        }
        let Some(above) = ends(&attributes, LinkType::CertificateLink).next() else {
            break;
        };
        let above = look_up(context, above, own).await?;
        let ManagedObject::Certificate(object) = context.open(&above).await? else {
            break;
        };
        let above_facts = CertificateFacts::read(&object.certificate_value).map_err(unusable)?;
        if !is_issued_by(&certificate, &above_facts) {
            break;
        }
        attributes = above.attributes.decode()?;
        certificate = object.certificate_value;
    }
    Err(Failure::detailed(
        Fault::NoIssuer,
        "who is above the authority is not kept here",
    ))
}

fn unusable(why: certs::Error) -> Failure {
    Failure::detailed(Fault::NoIssuer, why)
}

/// What keeps a key from issuing is told as one thing; what keeps the server from asking it, as what it is.
fn unfit(failure: Failure) -> Failure {
    match failure.fault() {
        Fault::WrongState | Fault::UsageMask | Fault::UnusableObjectType | Fault::KeyValueNotPresent => {
            Failure::detailed(Fault::NoIssuer, failure.fault().message())
        }
        _ => failure,
    }
}

/// An object of the client's, or one of its tenant's that people have named.
async fn look_up(context: &mut Context<'_>, unique_identifier: &str, own: bool) -> Result<Kept, Failure> {
    if own {
        let given = UniqueIdentifier::Text(unique_identifier.to_owned());
        return context.kept(Some(&given), Wanted::Whole).await;
    }
    let found = context.of_tenant(unique_identifier).await?;
    found.ok_or(Failure::new(Fault::NoIssuer))
}

/// The private key of a certificate: where its Link leads, or that of its public key.
async fn private_key(context: &mut Context<'_>, certificate: &AttributeSet, own: bool) -> Result<Kept, Failure> {
    let direct = ends(certificate, LinkType::PrivateKeyLink).next().map(str::to_owned);
    let name = match direct {
        Some(name) => Some(name),
        None => match ends(certificate, LinkType::PublicKeyLink).next() {
            Some(public) => {
                let public = look_up(context, public, own).await?.attributes.decode()?;
                ends(&public, LinkType::PrivateKeyLink).next().map(str::to_owned)
            }
            None => None,
        },
    };
    look_up(context, &name.ok_or(Failure::new(Fault::NoIssuer))?, own).await
}

/// Makes the certificate of a wish, with the dates that its attributes have, within the issuer's own.
///
/// # Errors
/// [`Fault::InvalidAttributeValue`] if nothing is left of its time.
pub async fn issue(
    context: &Context<'_>,
    authority: Opened,
    wish: Wish,
    attributes: &AttributeSet,
) -> Result<ManagedObject, Failure> {
    let Opened { issuer, is_heavy } = authority;
    let serial = context.services.randomness.array()?;
    let validity = validity(attributes.dates(), issuer.facts(), context.seconds(), |begin| {
        (begin.saturating_add(USUAL), begin.saturating_add(LONGEST))
    });
    let compute = move || issuer.certify(&wish, validity, serial);
    let made = if is_heavy {
        context.services.heavy.run(context.principal.into(), compute).await?
    } else {
        compute()
    };
    let certificate_value = made.map_err(refusal)?;
    Ok(Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value,
    }
    .into())
}

/// From the activation, though not from before now, to the deactivation; `ends` says of a beginning when it ends as a rule, and when at the
/// latest.
pub fn validity(dates: Dates, issuer: &CertificateFacts, now: i64, ends: impl FnOnce(i64) -> (i64, i64)) -> Validity {
    let begin = dates.activation.unwrap_or(now).max(now);
    let (usual, latest) = ends(begin);
    let end = dates.deactivation.unwrap_or(usual);
    let not_before = if begin == now { now.saturating_sub(SKEW) } else { begin };
    Validity {
        not_before: not_before.max(issuer.not_before),
        // What has ended already is empty, however far it is dated back.
        not_after: if end <= now {
            now.saturating_sub(SKEW)
        } else {
            end.min(latest).min(issuer.not_after)
        },
    }
}

/// For how many seconds a certificate is valid that was issued so.
#[must_use]
pub const fn lasts(facts: &CertificateFacts) -> i64 {
    facts.not_after.saturating_sub(facts.not_before).saturating_sub(SKEW)
}
