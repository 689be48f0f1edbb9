//! Proofs that the holder of a key agrees to its registration. A certificate is no secret: without a proof anybody could register
//! another's key, so what is registered without one gives way to what is registered with one (`identity/candidate.rs`).

use super::desk;
use crate::failure::{Failure, Fault};
use crate::identity::TenantRecord;
use crate::operations::Context;
use crate::store::Domain;
use certs::CertificateFacts;
use kmip_protocol::{KeyHolder, NewPerson, Possession, possession_statement};

/// Where keys are registered, and whether they must be proven there.
pub(super) struct Registry {
    instance: [u8; 16],
    tenant_name: Option<String>,
    required: bool,
}

impl Registry {
    /// That of a domain whose tenant there is, be it in this unit of work only.
    pub(super) async fn of(context: &mut Context<'_>, domain: Domain) -> Result<Self, Failure> {
        let tenant_name = match domain {
            Domain::SYSTEM => None,
            tenant => {
                let record = desk::read(context, TenantRecord::key(tenant), TenantRecord::decode).await?;
                Some(record.ok_or(Failure::new(Fault::NotFound))?.name)
            }
        };
        Ok(Self {
            instance: context.services.installation.instance,
            tenant_name,
            required: context.services.about.require_possession,
        })
    }

    /// That of a tenant of an installation of tests.
    #[cfg(test)]
    pub(super) fn supposed(tenant_name: &str, required: bool) -> Self {
        Self {
            instance: [3; 16],
            tenant_name: Some(tenant_name.to_owned()),
            required,
        }
    }

    /// Whether a key is proven, given the proof that came with it.
    ///
    /// # Errors
    /// A proof that does not verify; none, where one is required.
    pub(super) fn judge(
        &self,
        holder: KeyHolder<'_>,
        key_fingerprint: &[u8; 32],
        key_info: &[u8],
        proof: Option<&[u8]>,
    ) -> Result<bool, Failure> {
        let Some(proof) = proof else {
            return match self.required {
                true => Err(Fault::PossessionRequired.into()),
                false => Ok(false),
            };
        };
        let statement = possession_statement(&Possession {
            instance_identifier: &self.instance,
            tenant_name: self.tenant_name.as_deref(),
            holder,
            key_fingerprint,
        });
        let verified = certs::verify_by_key(key_info, statement.as_bytes(), proof);
        verified.map_err(|error| Failure::detailed(Fault::PossessionNotShown, error))?;
        Ok(true)
    }

    /// The same for a new person.
    pub(super) fn judge_person(&self, new: &NewPerson) -> Result<bool, Failure> {
        let facts = CertificateFacts::read(&new.certificate);
        let facts = facts.map_err(|error| Failure::detailed(Fault::InvalidField, error))?;
        let holder = KeyHolder::Person(new.person_role, &new.person_name);
        let proof = new.possession_proof.as_deref();
        self.judge(holder, &facts.key_fingerprint, &facts.public_key.info, proof)
    }
}
