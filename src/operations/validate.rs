//! Validate (KMIP 2.1 §6.1.57; KMIP 1.4 §4.24): whether a chain of certificates holds. Which authorities end a chain is the server's
//! to say: those that the tenant has enrolled, the one that certifies for the client, and self-signed ones that the client keeps here
//! and names. One that a request merely brings is trusted by nobody. Revoked is what a list at hand says so of.

use super::context::Wanted;
use super::keeper::Keeper;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::identity::{AuthorityRecord, Directory as _, StoreDirectory};
use certs::{CertificateFacts, MAX_CHAIN_LENGTH, PooledList, RevocationList, Standing, pool, validate};
use kmip_protocol::{
    Certificate, CertificateType, ManagedObject, ValidateRequest, ValidateResponse, ValidityIndicator,
};
use std::sync::Arc;

impl Handle for ValidateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ValidateResponse, Failure> {
        let count = self.certificates.len().saturating_add(self.unique_identifiers.len());
        if count == 0 {
            return Err(Fault::MissingField.into());
        }
        if count > MAX_CHAIN_LENGTH {
            return Err(Fault::LimitExceeded.into());
        }
        let now = self.validity_date.map_or(context.seconds(), |date| date.0);
        let enrolled = enrolled(context).await?;
        let mut trusted: Vec<Vec<u8>> = enrolled.iter().map(|record| record.certificate.clone()).collect();
        trusted.extend(issuing(context).await?);
        let mut chain: Vec<Certificate> = self.certificates.clone();
        for given in &self.unique_identifiers {
            let kept = context.kept(Some(given), Wanted::Whole).await?;
            let ManagedObject::Certificate(certificate) = context.open(&kept).await? else {
                return Err(Fault::InvalidObjectType.into());
            };
            if is_root(&certificate) {
                trusted.push(certificate.certificate_value.clone());
            }
            chain.push(certificate);
        }
        if chain.iter().any(|c| c.certificate_type != CertificateType::X_509) {
            return Ok(told(Standing::Unknown));
        }
        let chain: Vec<Vec<u8>> = chain.into_iter().map(|c| c.certificate_value).collect();
        let anchors: Vec<_> = trusted
            .iter()
            .filter_map(|der| CertificateFacts::read(der).ok())
            .collect();
        let lists = enrolled
            .iter()
            .flat_map(|record| &record.revocation_lists)
            .filter_map(|der| RevocationList::read(der).ok())
            .map(Arc::new);
        let lists = pool(lists, anchors.iter());
        let keeps_out = |record: &AuthorityRecord| record.suspended || is_stale(record, &lists, now);
        let out: Vec<&Vec<u8>> = enrolled
            .iter()
            .filter(|record| keeps_out(record))
            .map(|record| &record.certificate)
            .collect();
        trusted.retain(|der| !out.contains(&der));
        let standing = validate(&chain, &trusted, &lists, now);
        // They are no chain (KMIP 1.4 §11.25).
        let standing = standing.map_err(|why| Failure::detailed(Fault::InvalidMessage, why))?;
        Ok(told(standing))
    }
}

const fn told(standing: Standing) -> ValidateResponse {
    ValidateResponse {
        validity_indicator: match standing {
            Standing::Valid => ValidityIndicator::Valid,
            Standing::Invalid => ValidityIndicator::Invalid,
            Standing::Unknown => ValidityIndicator::Unknown,
        },
    }
}

fn is_root(certificate: &Certificate) -> bool {
    let facts = CertificateFacts::read(&certificate.certificate_value);
    facts.is_ok_and(|facts| facts.is_authority && facts.is_self_issued())
}

/// The authorities that the tenant has enrolled. One whose record is damaged or held is none, and keeps no other from being one.
async fn enrolled(context: &Context<'_>) -> Result<Vec<AuthorityRecord>, Failure> {
    let tenant = context.client()?.tenant;
    let keeper = Arc::new(Keeper(Arc::clone(&context.services.custody)));
    let directory = StoreDirectory::new(Arc::clone(&context.services.store), keeper);
    let found = directory.authorities(tenant).await?;
    let quarantine = &context.services.quarantine;
    let found = found
        .into_iter()
        .filter(|(id, _)| !quarantine.holds(AuthorityRecord::key(tenant, *id)));
    Ok(found.map(|(_, record)| record).collect())
}

/// Whether nobody below an authority is admitted until it has a newer revocation list.
fn is_stale(record: &AuthorityRecord, lists: &[PooledList], now: i64) -> bool {
    let facts = CertificateFacts::read(&record.certificate);
    record.refuse_stale && facts.is_ok_and(|facts| lists.iter().any(|list| list.is_overdue(&facts, now)))
}

/// The authority that certifies for the client, if there is one.
async fn issuing(context: &mut Context<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(name) = context.client()?.limits.issuing_certificate.clone() else {
        return Ok(None);
    };
    let Some(kept) = context.of_tenant(&name).await? else {
        return Ok(None);
    };
    Ok(match context.open(&kept).await? {
        ManagedObject::Certificate(certificate) => Some(certificate.certificate_value),
        _ => None,
    })
}
