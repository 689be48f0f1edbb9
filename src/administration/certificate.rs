//! Certificates of clients (family 06): issued by an authority of the server's own, and revoked. A keystore with a new key is told
//! once and kept nowhere.

use super::{authority, client, desk};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{
    AuthorityRecord, ClientRecord, Credential, Id, IssuedCertificate, MOST_ISSUED, RevokedCertificate, kind,
};
use crate::operations::{Context, Handle};
use certs::{CertificateAuthority, CertificateFacts, KeyKind, Leaf, Subject, Usage, Validity, read_request};
use kmip_protocol::{
    CertificateIssueRequest, CertificateIssueResponse, CertificateRevokeRequest, CertificateRevokeResponse, SecretText,
};
use kmip_ttlv::Secret;

/// Days that a client's certificate is valid unless the request says otherwise.
const DAYS: u32 = 365;

/// The longest validity that may be asked for, in days.
const MOST_DAYS: u32 = 3_650;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// The shortest password of a keystore: whoever has the file may guess for ever.
const SHORTEST_PASSWORD: usize = 12;

impl Handle for CertificateIssueRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CertificateIssueResponse, Failure> {
        let now = context.seconds();
        let (id, mut record) = desk::client(context, &self.client_name).await?;
        let (issuer, issuing) = issuer(context, self.authority_name.as_deref()).await?;
        record.issued.retain(|one| one.not_after >= now);
        if record.issued.len() >= MOST_ISSUED && self.revoke_former != Some(true) {
            return Err(Fault::LimitExceeded.into());
        }
        let ca = authority::open(context, issuer, &issuing).await?;
        let leaf = Leaf {
            subject: Subject::named(&record.name),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity: self.validity(now, &issuing)?,
        };
        let (certificate, keystore) = match (&self.certificate_request, &self.keystore_password) {
            (Some(request), None) => {
                let made = ca.issue_for_request(&leaf, request);
                (made.map_err(|why| Failure::detailed(Fault::InvalidField, why))?, None)
            }
            (None, Some(password)) => {
                let (certificate, keystore) = keystore(context, ca, leaf, password, &record.name).await?;
                (certificate, Some(keystore))
            }
            _ => return Err(Fault::InvalidField.into()),
        };
        let facts = CertificateFacts::read(&certificate);
        let facts = facts.map_err(|why| Failure::detailed(Fault::Internal, why))?;
        if self.revoke_former == Some(true) {
            let former = std::mem::take(&mut record.issued);
            // A key that is certified anew remains known.
            let gone = |key: &[u8; 32]| *key != facts.key_fingerprint && former.iter().any(|one| one.key == *key);
            forget_keys(&mut record, gone);
            revoke(context, &former, now).await?;
        }
        // The server has made the key for this client itself.
        if keystore.is_some() {
            record.proven.push(facts.key_fingerprint);
        }
        record.issued.push(IssuedCertificate {
            authority: issuer,
            serial: facts.serial,
            key: facts.key_fingerprint,
            not_after: facts.not_after,
        });
        let registered = Credential::Key(facts.key_fingerprint);
        if !record.credentials.contains(&registered) {
            record.credentials.push(registered);
        }
        client::keep(context, id, &record).await?;
        Ok(CertificateIssueResponse {
            certificate,
            authority: issuing.certificate,
            keystore,
        })
    }

    /// For a key that the client has already nothing is opened: that is a renewal.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        let asked = self.certificate_request.as_ref();
        let known = asked.and_then(|der| read_request(der).ok()).is_some_and(|facts| {
            let registered = Credential::Key(facts.key_fingerprint);
            record.credentials.contains(&registered)
        });
        client::target(context, id, &record, !known).await
    }
}

impl Handle for CertificateRevokeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CertificateRevokeResponse, Failure> {
        let now = context.seconds();
        let (id, mut record) = desk::client(context, &self.client_name).await?;
        let is_key = |key: &[u8; 32]| key.as_slice() == self.key_fingerprint.as_slice();
        let serial = match &self.certificate {
            Some(der) => {
                let facts = CertificateFacts::read(der);
                let facts = facts.map_err(|why| Failure::detailed(Fault::InvalidField, why))?;
                Some(facts)
                    .filter(|facts| is_key(&facts.key_fingerprint))
                    .map(|f| f.serial)
            }
            None => None,
        };
        let is_meant = |one: &IssuedCertificate| match &serial {
            Some(serial) => is_key(&one.key) && one.serial == *serial,
            None => self.certificate.is_none() && is_key(&one.key),
        };
        let (revoked, kept): (Vec<_>, Vec<_>) = record.issued.drain(..).partition(is_meant);
        record.issued = kept;
        let registered = record.credentials.len();
        // While another certificate for the key holds, the key remains known.
        if self.certificate.is_none() || !(revoked.is_empty() || record.issued.iter().any(|one| is_key(&one.key))) {
            forget_keys(&mut record, is_key);
        }
        if revoked.is_empty() && record.credentials.len() == registered {
            return Err(Fault::NotFound.into());
        }
        revoke(context, &revoked, now).await?;
        client::keep(context, id, &record).await?;
        Ok(CertificateRevokeResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        client::target(context, id, &record, false).await
    }
}

trait Issue {
    fn validity(&self, now: i64, issuer: &AuthorityRecord) -> Result<Validity, Failure>;
}

impl Issue for CertificateIssueRequest {
    /// Within the issuer's own.
    fn validity(&self, now: i64, issuer: &AuthorityRecord) -> Result<Validity, Failure> {
        let facts = CertificateFacts::read(&issuer.certificate);
        let facts = facts.map_err(|why| Failure::detailed(Fault::Internal, why))?;
        let mut validity = Validity::days(now, DAYS);
        if let Some(asked) = self.validity {
            if asked.0 == 0 || asked.0 > MOST_DAYS.saturating_mul(DAY) {
                return Err(Fault::InvalidField.into());
            }
            validity.not_after = now.saturating_add(i64::from(asked.0));
        }
        validity.not_before = validity.not_before.max(facts.not_before);
        validity.not_after = validity.not_after.min(facts.not_after);
        Ok(validity)
    }
}

/// The authority named, or the only one that issues.
async fn issuer(context: &mut Context<'_>, name: Option<&str>) -> Result<(Id, AuthorityRecord), Failure> {
    if let Some(name) = name {
        let (id, record) = desk::authority(context, name).await?;
        return if record.issues() {
            Ok((id, record))
        } else {
            Err(Fault::CannotIssue.into())
        };
    }
    let domain = desk::domain(context)?;
    let all = desk::all(context, domain, kind::AUTHORITY, AuthorityRecord::decode).await?;
    let mut issuing = all.into_iter().filter(|(_, record)| record.issues());
    match (issuing.next(), issuing.next()) {
        (Some((id, record)), None) => {
            // Among the reads of the commit: a list made meanwhile is not lost.
            let key = AuthorityRecord::key(domain, id);
            let current = desk::read(context, key, AuthorityRecord::decode).await?;
            Ok((id, current.unwrap_or(record)))
        }
        (None, _) => Err(Fault::CannotIssue.into()),
        _ => Err(Fault::MissingField.into()),
    }
}

/// A new key with its certificate, in a PKCS#12 file. Making it costs hundreds of milliseconds, by design of its password.
async fn keystore(
    context: &Context<'_>,
    ca: CertificateAuthority,
    leaf: Leaf,
    password: &SecretText,
    name: &str,
) -> Result<(Vec<u8>, Secret), Failure> {
    if password.expose().len() < SHORTEST_PASSWORD {
        return Err(Fault::WeakPassword.into());
    }
    let password = SecretText::new(password.expose());
    let name = name.to_owned();
    let made = context.services.heavy.run(context.principal.into(), move || {
        let (certificate, key) = ca.issue(&leaf, KeyKind::P256)?;
        let chain = [ca.certificate().to_vec()];
        let file = certs::pkcs12(&name, &certificate, &key, &chain, password.expose())?;
        Ok((certificate, Secret::copy_from(&file)))
    });
    let made: Result<_, certs::Error> = made.await?;
    made.map_err(|why| Failure::detailed(Fault::Internal, why))
}

/// Takes keys from what a client is recognised by.
fn forget_keys(record: &mut ClientRecord, gone: impl Fn(&[u8; 32]) -> bool) {
    record.credentials.retain(|credential| match credential {
        Credential::Key(key) | Credential::Pinned { key, .. } => !gone(key),
        Credential::Rule(_) => true,
    });
    record.proven.retain(|key| !gone(key));
}

/// Puts certificates on the lists of the authorities that issued them.
pub(super) async fn revoke(context: &mut Context<'_>, revoked: &[IssuedCertificate], now: i64) -> Result<(), Failure> {
    let mut issuers: Vec<Id> = revoked.iter().map(|one| one.authority).collect();
    issuers.sort_unstable();
    issuers.dedup();
    for issuer in issuers {
        let of_issuer = revoked.iter().filter(|one| one.authority == issuer);
        list(context, issuer, of_issuer, now).await?;
    }
    Ok(())
}

/// Puts revoked certificates on the list of the authority that issued them. One that was deleted needs no list: nobody is accepted
/// by it any more.
async fn list<'a>(
    context: &mut Context<'_>,
    issuer: Id,
    revoked: impl Iterator<Item = &'a IssuedCertificate>,
    now: i64,
) -> Result<(), Failure> {
    let key = AuthorityRecord::key(desk::domain(context)?, issuer);
    let Some(mut record) = desk::read(context, key, AuthorityRecord::decode).await? else {
        return Ok(());
    };
    let ca = authority::open(context, issuer, &record).await?;
    if let Some(issuing) = &mut record.issuer {
        issuing.revoked.extend(revoked.map(|one| RevokedCertificate {
            serial: one.serial.clone(),
            time: now,
            not_after: one.not_after,
        }));
    }
    authority::relist(&ca, &mut record, now)?;
    authority::keep(context, issuer, &record).await
}
