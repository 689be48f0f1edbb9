//! Certificate authorities of a domain (family 06): enrolled from outside, or made here with a key that custody seals.

use super::desk;
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{AuthorityRecord, Id, IdentityChange, IssuerRecord, TenantRecord, kind};
use crate::operations::{Context, Handle, Notice, issuers};
use certs::{
    CertificateAuthority, CertificateFacts, CrlFacts, KeyKind, Revocation, RevocationList, RevocationReason, Subject,
    Validity,
};
use kmip_protocol::{
    Authority, AuthorityCreateRequest, AuthorityCreateResponse, AuthorityDeleteRequest, AuthorityDeleteResponse,
    AuthorityListRequest, AuthorityListResponse, AuthorityModifyRequest, AuthorityModifyResponse, AuthorityStatus,
    DateTime, RevocationListGetRequest, RevocationListGetResponse,
};
use kmip_ttlv::Secret;

/// Days that an authority made here is valid: its key never leaves, and it is renewed by making another beside it.
const AUTHORITY_DAYS: u32 = 3_650;

/// Days until a revocation list should be read anew by those who fetch it. The server itself has the newest one always.
const LIST_DAYS: i64 = 7;

/// With so many days left a list is made anew when it is fetched, so that whoever fetches it once a day never has one that ended.
const RENEWAL_DAYS: i64 = 3;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Revocation lists enrolled with an authority: its own and those of authorities below it.
const MOST_LISTS: usize = 8;

impl Handle for AuthorityCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AuthorityCreateResponse, Failure> {
        let domain = desk::domain(context)?;
        let name = desk::name(&self.authority_name)?.to_owned();
        let id = context.services.randomness.array()?;
        let mut record = AuthorityRecord {
            name,
            hardware: self.hardware.unwrap_or(false),
            created_ms: context.now.0,
            ..AuthorityRecord::default()
        };
        match &self.certificate {
            Some(certificate) => {
                enrolled(&mut record, certificate)?;
                replace_lists(context, &mut record, &self.revocation_lists).await?;
            }
            None if record.hardware || !self.revocation_lists.is_empty() => return Err(Fault::InvalidField.into()),
            None => made(context, &mut record, id).await?,
        }
        keep(context, id, &record).await?;
        let key = AuthorityRecord::key(domain, id);
        desk::touch(context, "authority", &record.name, key)?;
        Ok(AuthorityCreateResponse {
            authority: told(record),
        })
    }

    /// Whoever holds the key of an authority can show itself as every client that is recognised by a rule.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let reaches = self.certificate.is_some() && desk::tenant_owns_objects(context, domain).await?;
        Ok(Target {
            description: Some(format!("authority {}", self.authority_name)),
            reaches_objects: reaches,
            ..Target::default()
        })
    }
}

impl Handle for AuthorityListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AuthorityListResponse, Failure> {
        let domain = desk::domain(context)?;
        let all = desk::all(context, domain, kind::AUTHORITY, AuthorityRecord::decode).await?;
        let mut authorities: Vec<Authority> = all.into_iter().map(|(_, record)| told(record)).collect();
        authorities.sort_by(|a, b| a.authority_name.cmp(&b.authority_name));
        Ok(AuthorityListResponse { authorities })
    }
}

impl Handle for AuthorityModifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AuthorityModifyResponse, Failure> {
        let domain = desk::domain(context)?;
        let (id, mut record) = desk::authority(context, &self.authority_name).await?;
        let own = record.issuer.is_some();
        // Of an authority of the server's own the server makes the lists, and one overdue is no sign of anything.
        if own && (self.refuse_stale.is_some() || !self.revocation_lists.is_empty()) {
            return Err(Fault::InvalidField.into());
        }
        if let Some(new) = &self.new_name {
            desk::name(new)?.clone_into(&mut record.name);
        }
        record.refuse_stale = self.refuse_stale.unwrap_or(record.refuse_stale);
        (record.suspended, record.retired) = match self.status {
            None => (record.suspended, record.retired),
            Some(AuthorityStatus::Active) => (false, false),
            Some(AuthorityStatus::Retired) if own => (false, true),
            Some(AuthorityStatus::Suspended) => (true, record.retired),
            Some(_) => return Err(Fault::InvalidField.into()),
        };
        replace_lists(context, &mut record, &self.revocation_lists).await?;
        keep(context, id, &record).await?;
        desk::touch(context, "authority", &record.name, AuthorityRecord::key(domain, id))?;
        Ok(AuthorityModifyResponse {
            authority: told(record),
        })
    }

    /// Accepting what was not accepted opens; a fresh list and a suspension protect.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let (id, record) = desk::authority(context, &self.authority_name).await?;
        let resumed = record.suspended && self.status.is_some_and(|status| status != AuthorityStatus::Suspended);
        let opens = resumed || (record.refuse_stale && self.refuse_stale == Some(false));
        Ok(Target {
            description: Some(format!("authority {}", record.name)),
            records: vec![AuthorityRecord::key(domain, id)],
            reaches_objects: opens && desk::tenant_owns_objects(context, domain).await?,
            ..Target::default()
        })
    }
}

impl Handle for AuthorityDeleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<AuthorityDeleteResponse, Failure> {
        let domain = desk::domain(context)?;
        let (id, record) = desk::authority(context, &self.authority_name).await?;
        let registrar = desk::Registrar::new(context);
        registrar.enroll(context).remove_authority(domain, id).await?;
        desk::touch(context, "authority", &record.name, AuthorityRecord::key(domain, id))?;
        let changed = IdentityChange::Authority(domain, id);
        context.batch.notices.push(Notice::Identity(changed));
        Ok(AuthorityDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let (id, record) = desk::authority(context, &self.authority_name).await?;
        Ok(Target {
            description: Some(format!("authority {}", record.name)),
            records: vec![AuthorityRecord::key(domain, id)],
            ..Target::default()
        })
    }
}

impl Handle for RevocationListGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<RevocationListGetResponse, Failure> {
        let (id, mut record) = desk::authority(context, &self.authority_name).await?;
        let now = context.seconds();
        if record.issuer.is_some() && left(&record, now) <= RENEWAL_DAYS.saturating_mul(DAY) {
            match open(context, id, &record).await {
                Ok(ca) => {
                    relist(&ca, &mut record, now)?;
                    keep(context, id, &record).await?;
                    desk::touch(
                        context,
                        "authority",
                        &record.name,
                        AuthorityRecord::key(desk::domain(context)?, id),
                    )?;
                }
                // The list at hand holds for some days yet.
                Err(failure) if failure.fault() == Fault::CustodyUnavailable && left(&record, now) > 0 => {}
                Err(failure) => return Err(failure),
            }
        }
        let list = record.revocation_lists.into_iter().next();
        Ok(RevocationListGetResponse {
            revocation_list: list.ok_or(Failure::new(Fault::NotFound))?,
        })
    }
}

/// Writes an authority, and says so to those who judge chains by it.
pub(super) async fn keep(context: &mut Context<'_>, id: Id, record: &AuthorityRecord) -> Result<(), Failure> {
    let domain = desk::domain(context)?;
    let registrar = desk::Registrar::new(context);
    registrar.enroll(context).authority(domain, id, record).await?;
    let changed = IdentityChange::Authority(domain, id);
    context.batch.notices.push(Notice::Identity(changed));
    Ok(())
}

/// The authority with its key, opened for one act.
pub(super) async fn open(
    context: &Context<'_>,
    id: Id,
    record: &AuthorityRecord,
) -> Result<CertificateAuthority, Failure> {
    let domain = desk::domain(context)?;
    let key = issuers::key(context, domain, id, record).await?;
    CertificateAuthority::from_der(&record.certificate, key.expose())
        .map_err(|why| Failure::detailed(Fault::Internal, why))
}

/// When the first of its revocation lists is due to be replaced.
fn due(record: &AuthorityRecord) -> Option<i64> {
    let facts = record
        .revocation_lists
        .iter()
        .filter_map(|der| CrlFacts::read(der).ok());
    facts.filter_map(|facts| facts.next_update).min()
}

/// Seconds until then.
fn left(record: &AuthorityRecord, now: i64) -> i64 {
    due(record).map_or(0, |due| due.saturating_sub(now))
}

/// Makes the revocation list anew from what the record says is revoked.
pub(super) fn relist(ca: &CertificateAuthority, record: &mut AuthorityRecord, now: i64) -> Result<(), Failure> {
    let issuer = record.issuer.as_mut().ok_or(Failure::new(Fault::CannotIssue))?;
    issuer.revoked.retain(|one| one.not_after >= now);
    issuer.list_number = issuer.list_number.saturating_add(1);
    let revoked = issuer.revoked.iter().map(|one| Revocation {
        serial: one.serial.clone(),
        time: one.time,
        reason: RevocationReason::Unspecified,
    });
    let revoked: Vec<Revocation> = revoked.collect();
    let number = u64::try_from(issuer.list_number).unwrap_or(u64::MAX);
    let next = now.saturating_add(LIST_DAYS.saturating_mul(DAY));
    let list = ca.revocation_list(number, now, next, &revoked).map_err(internal)?;
    record.revocation_lists = vec![list];
    Ok(())
}

/// An authority from outside.
fn enrolled(record: &mut AuthorityRecord, certificate: &[u8]) -> Result<(), Failure> {
    if !read(certificate)?.is_authority {
        return Err(Fault::InvalidField.into());
    }
    record.certificate = certificate.to_vec();
    Ok(())
}

fn read(certificate: &[u8]) -> Result<CertificateFacts, Failure> {
    CertificateFacts::read(certificate).map_err(|why| Failure::detailed(Fault::InvalidField, why))
}

/// Puts revocation lists in place of those of the same issuers. Each must be by an authority of the domain, so that nobody's
/// certificates are refused, or let in again, on somebody else's word; and none older than what it replaces.
async fn replace_lists(
    context: &mut Context<'_>,
    record: &mut AuthorityRecord,
    given: &[Vec<u8>],
) -> Result<(), Failure> {
    if given.is_empty() {
        return Ok(());
    }
    if given.len() > MOST_LISTS {
        return Err(Fault::LimitExceeded.into());
    }
    let domain = desk::domain(context)?;
    let mut authorities = vec![read(&record.certificate)?];
    for (_, other) in desk::all(context, domain, kind::AUTHORITY, AuthorityRecord::decode).await? {
        authorities.push(read(&other.certificate)?);
    }
    let refused = || Failure::new(Fault::RevocationListRefused);
    let signer = |list: &RevocationList| {
        let by = authorities.iter().find(|authority| list.is_by(authority));
        by.map(|authority| authority.key_fingerprint)
    };
    let mut new = Vec::new();
    for der in given {
        let list = RevocationList::read(der).map_err(|why| Failure::detailed(Fault::InvalidField, why))?;
        new.push((signer(&list).ok_or_else(refused)?, list));
    }
    let mut kept = Vec::new();
    for der in &record.revocation_lists {
        let old = RevocationList::read(der).map_err(|why| Failure::detailed(Fault::Internal, why))?;
        let by = signer(&old);
        let next = new
            .iter()
            .filter(|(signer, list)| Some(*signer) == by && list.has_scope_of(&old));
        let mut next = next.peekable();
        if next.peek().is_none() {
            kept.push(der.clone());
        } else if next.any(|(_, list)| list.this_update < old.this_update) {
            return Err(refused());
        }
    }
    kept.extend(given.iter().cloned());
    if kept.len() > MOST_LISTS {
        return Err(Fault::LimitExceeded.into());
    }
    record.revocation_lists = kept;
    Ok(())
}

/// An authority of the server's own. Its key is sealed as an object's material is, and leaves custody for one act at a time.
async fn made(context: &mut Context<'_>, record: &mut AuthorityRecord, id: Id) -> Result<(), Failure> {
    let domain = desk::domain(context)?;
    let owner = desk::read(context, TenantRecord::key(domain), TenantRecord::decode).await?;
    let subject = match owner {
        Some(tenant) => format!("{} {}", tenant.name, record.name),
        None => record.name.clone(),
    };
    let now = context.seconds();
    let validity = Validity::days(now, AUTHORITY_DAYS);
    let ca = CertificateAuthority::create(&Subject::named(&subject), validity, KeyKind::P384).map_err(internal)?;
    let key = Secret::copy_from(&ca.key().to_der());
    let custody = &context.services.custody;
    let sealed = custody
        .seal(domain, issuers::seal_context(id), &key)
        .await?
        .settle_in(context.work);
    record.certificate = ca.certificate().to_vec();
    record.issuer = Some(IssuerRecord {
        kek: sealed.kek.0,
        kek_generation: sealed.kek_generation,
        wrapped_dek: sealed.wrapped_dek,
        blob: sealed.blob,
        ..IssuerRecord::default()
    });
    relist(&ca, record, now)
}

fn internal(why: certs::Error) -> Failure {
    Failure::detailed(Fault::Internal, why)
}

fn told(record: AuthorityRecord) -> Authority {
    let expires = due(&record).map(DateTime);
    Authority {
        authority_name: record.name,
        certificate: record.certificate,
        hardware: record.hardware,
        issues: record.issuer.is_some(),
        status: match (record.suspended, record.retired) {
            (true, _) => AuthorityStatus::Suspended,
            (false, true) => AuthorityStatus::Retired,
            (false, false) => AuthorityStatus::Active,
        },
        refuse_stale: record.refuse_stale,
        expires,
    }
}
