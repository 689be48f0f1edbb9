//! Certificates of people: added with a proof of possession, revoked.

use super::hardware;
use super::people::{alarm, asker, id_of, keep, named, target};
use super::possession::Registry;
use crate::audit::alarm::Event;
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{PersonId, PersonKey, PersonRecord};
use crate::operations::{Context, Handle};
use certs::CertificateFacts;
use kmip_protocol::{
    CredentialAddRequest, CredentialAddResponse, CredentialRevokeRequest, CredentialRevokeResponse, KeyHolder,
};

/// Certificates of one person, revoked ones included: they stay as evidence.
const MOST_KEYS: usize = 64;

impl Handle for CredentialAddRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CredentialAddResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        if record.credentials.len() >= MOST_KEYS {
            return Err(Fault::LimitExceeded.into());
        }
        let (facts, proven) = judge(self, id, &record, context).await?;
        if record.keys().any(|key| key.fingerprint == facts.key_fingerprint) {
            return Err(Fault::PersonTaken.into());
        }
        let hardware = hardware::judge(context, id.domain, &claim(self)).await?;
        record.credentials.push(PersonKey {
            fingerprint: facts.key_fingerprint,
            certificate: self.certificate.clone(),
            hardware: hardware.counts,
            attested_by: hardware.attested_by,
            proven,
            enrolled_ms: context.now.0,
            revoked_ms: None,
        });
        keep(context, id, &record).await?;
        Ok(CredentialAddResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        // Nobody is asked to agree to a key whose holder has not shown it.
        let (id, record) = named(context, &self.person_name).await?;
        judge(self, id, &record, context).await?;
        let target = target(context, &self.person_name).await?;
        let domain = asker(context)?.domain;
        Ok(hardware::judge(context, domain, &claim(self)).await?.tell(target))
    }
}

/// The facts of the new certificate, and whether its key was shown to be the person's.
async fn judge(
    request: &CredentialAddRequest,
    id: PersonId,
    record: &PersonRecord,
    context: &mut Context<'_>,
) -> Result<(CertificateFacts, bool), Failure> {
    let facts = CertificateFacts::read(&request.certificate);
    let facts = facts.map_err(|error| Failure::detailed(Fault::InvalidField, error))?;
    let registry = Registry::of(context, id.domain).await?;
    let holder = KeyHolder::Person(record.role, &record.name);
    let (key, info) = (&facts.key_fingerprint, &facts.public_key.info);
    let proven = registry.judge(holder, key, info, Some(&request.proof))?;
    Ok((facts, proven))
}

/// What is said of the new key.
fn claim(request: &CredentialAddRequest) -> hardware::Claim<'_> {
    hardware::Claim {
        certificate: &request.certificate,
        attestation: &request.attestation,
        declared: request.hardware,
    }
}

impl Handle for CredentialRevokeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<CredentialRevokeResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        let others = record.keys().filter(|key| key.fingerprint[..] != self.key_fingerprint);
        let others = others.count();
        if id == id_of(asker(context)?.as_ref()) && others == 0 {
            return Err(Fault::LastCredential.into());
        }
        let now = context.now.0;
        let live = |key: &&mut PersonKey| key.revoked_ms.is_none() && key.fingerprint[..] == self.key_fingerprint;
        let found = record.credentials.iter_mut().find(live);
        found.ok_or(Failure::new(Fault::CertificateNotFound))?.revoked_ms = Some(now);
        keep(context, id, &record).await?;
        alarm(context, Event::CredentialRevoked, id, &record);
        Ok(CredentialRevokeResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}
