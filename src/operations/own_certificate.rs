//! A client's own certificate, which it renews itself (KMIP 2.1 §6.1.45): one that an authority of the server's own has issued to this
//! client, and that has neither run out nor been revoked, for the same key and in the same words. That lets nobody in who is not in by
//! then: who holds the key. A new key is another matter, and people's (`claviger certificate issue`).
//!
//! The client's settings permit it; the former certificate holds until its end, or until somebody revokes the key.

use super::certification::{self, Asked};
use super::keeper::Keeper;
use super::links::ends;
use super::notice::Notice;
use super::{Context, issuers};
use crate::failure::{Failure, Fault};
use crate::identity::{
    AuthorityRecord, ClientId, ClientRecord, Credential, Enroll, IdentityChange, IssuedCertificate, MOST_ISSUED,
};
use crate::objects::AttributeSet;
use crate::records;
use certs::{CertificateFacts, Issuer, Wish, is_issued_by};
use kmip_protocol::{Certificate, CertificateType, LinkType, ManagedObject, ReCertifyRequest};
use std::sync::Arc;

/// Certificates of one key at a time: the client renews no more before one of them has run out.
const MOST_ALIKE: usize = 4;

/// The longest validity that a client gives itself, in seconds: a year, however long the former certificate is valid.
const LONGEST: i64 = 365 * 86_400;

/// A certificate of the client that asks, by which it is recognised.
pub struct OwnCertificate {
    /// Whose it is.
    pub id: ClientId,
    record: ClientRecord,
    former: IssuedCertificate,
    authority: AuthorityRecord,
    facts: CertificateFacts,
}

impl OwnCertificate {
    /// The client's own certificate, if that is what a certificate is, and the client renews it: no authority is named by the request.
    ///
    /// # Errors
    /// [`Fault::RightsRefused`] for a ticket that was delegated: it stands for some rights, not for who has them.
    pub async fn meant(context: &mut Context<'_>, value: &[u8], given: &AttributeSet) -> Result<Option<Self>, Failure> {
        let client = context.client()?;
        let (id, is_delegated) = (client.id(), client.rights().is_some());
        let named = ends(given, LinkType::CertificateLink).next().is_some();
        if named || !client.limits.renews_certificate || client.over.is_some() {
            return Ok(None);
        }
        let Ok(facts) = CertificateFacts::read(value) else {
            return Ok(None);
        };
        let custody = Arc::clone(&context.services.custody);
        let Some(record) = context.work.load(id.key()).await? else {
            return Ok(None);
        };
        let mut record = ClientRecord::decode(records::open(&custody, &record)?)?;
        let now = context.seconds();
        record.issued.retain(|one| one.not_after >= now);
        let is_it = |one: &&IssuedCertificate| one.key == facts.key_fingerprint && one.serial == facts.serial;
        let Some(former) = record.issued.iter().find(is_it).cloned() else {
            return Ok(None);
        };
        let Some(authority) = context
            .work
            .load(AuthorityRecord::key(id.tenant, former.authority))
            .await?
        else {
            return Ok(None);
        };
        let authority = AuthorityRecord::decode(records::open(&custody, &authority)?)?;
        // Anybody can make a certificate with this key and number: what it says is believed only of the one that was issued.
        let above = CertificateFacts::read(&authority.certificate);
        let above = above.map_err(|why| Failure::detailed(Fault::Internal, why))?;
        if !is_issued_by(value, &above) {
            return Ok(None);
        }
        if is_delegated {
            return Err(Fault::RightsRefused.into());
        }
        Ok(Some(Self {
            id,
            record,
            former,
            authority,
            facts,
        }))
    }

    /// The same for what a request names.
    ///
    /// # Errors
    /// Those that the request would fail with.
    pub async fn of_request(request: &ReCertifyRequest, context: &mut Context<'_>) -> Result<Option<Self>, Failure> {
        if !context.client()?.limits.renews_certificate {
            return Ok(None);
        }
        let asked = Asked::of(context, request.attributes.as_ref()).await?;
        let unique_identifier = context.identifier(request.unique_identifier.as_ref())?;
        let found = context.find(&unique_identifier).await?;
        let Some(object) = found.filter(|object| object.material.is_some()) else {
            return Ok(None);
        };
        let ManagedObject::Certificate(certificate) = context.open(&object).await? else {
            return Ok(None);
        };
        Self::meant(context, &certificate.certificate_value, &asked.attributes).await
    }

    /// Issues the next one, and has the client recognised by it too.
    ///
    /// # Errors
    /// [`Fault::NoIssuer`] if its authority issues no more, or the client is not recognised by its key any more;
    /// [`Fault::NotCertifiable`] if somebody else is to be named; [`Fault::LimitExceeded`]; [`Fault::InvalidAttributeValue`] if nothing is
    /// left of its time.
    pub async fn renew(
        self,
        context: &mut Context<'_>,
        wish: Wish,
        (given, attributes): (&Asked, &AttributeSet),
    ) -> Result<ManagedObject, Failure> {
        let Self {
            id,
            mut record,
            former,
            authority,
            facts,
        } = self;
        if given.names_somebody() {
            return Err(Fault::NotCertifiable.into());
        }
        let own = |credential: &Credential| credential.key() == Some(&former.key);
        if !authority.issues() || !record.credentials.iter().any(own) {
            return Err(Fault::NoIssuer.into());
        }
        let alike = record.issued.iter().filter(|one| one.key == former.key).count();
        if alike >= MOST_ALIKE || record.issued.len() >= MOST_ISSUED {
            return Err(Fault::LimitExceeded.into());
        }
        let key = issuers::key(context, id.tenant, former.authority, &authority).await?;
        let issuer = Issuer::new(&authority.certificate, key.expose());
        let issuer = issuer.map_err(|why| Failure::detailed(Fault::Internal, why))?;
        let now = context.seconds();
        let span = certification::lasts(&facts).min(LONGEST);
        let validity = certification::validity(attributes.dates(), issuer.facts(), now, |_| {
            (now.saturating_add(span), now.saturating_add(span))
        });
        let serial = context.services.randomness.array()?;
        let made = issuer
            .certify(&wish, validity, serial)
            .map_err(certification::refusal)?;
        let new = CertificateFacts::read(&made).map_err(|why| Failure::detailed(Fault::Internal, why))?;
        record.issued.push(IssuedCertificate {
            authority: former.authority,
            serial: new.serial,
            key: new.key_fingerprint,
            not_after: new.not_after,
        });
        let keeper = Keeper(Arc::clone(&context.services.custody));
        Enroll::new(context.work, &keeper).client(id, &record).await?;
        context.touch(format!("client {}", record.name), id.key())?;
        let changed = IdentityChange::Client(id);
        context.batch.notices.push(Notice::Identity(changed));
        Ok(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: made,
        }
        .into())
    }
}
