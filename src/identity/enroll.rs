//! Writing the records of this room: with their claims, and with the guards that decisions over them read. Who may do so is
//! decided elsewhere.

use super::authority::AuthorityRecord;
use super::client::{ClientId, ClientRecord, Credential};
use super::directory::RecordOpener;
use super::person::{PersonId, PersonRecord};
use super::record::{ApplicationRecord, Id, TenantRecord, guard_set, kind};
use crate::store::{ClaimKey, Domain, GuardKey, Key, Revision, StoreError, Taken, Work};

/// Puts the MAC to a record's bytes: the other half of [`RecordOpener`].
pub trait RecordSealer: RecordOpener {
    /// The body to be kept; `None` if the domain's record key is not open.
    fn seal(&self, key: Key, revision: Revision, bytes: &[u8]) -> Option<Vec<u8>>;
}

/// Why nothing was enrolled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EnrollError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another record has this name, key or rule.
    #[error("another record has this name, key or rule")]
    Taken,
    /// The certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] certs::Error),
    /// The record cannot be MACed or checked now.
    #[error("the record key is not open, or a record is damaged")]
    Sealing,
}

/// Who has claimed a key, and whether he has proven it.
struct Holder {
    of: PersonId,
    proven: bool,
}

/// Writes records of this room into a unit of work.
pub struct Enroll<'a> {
    work: &'a mut Work,
    sealer: &'a dyn RecordSealer,
}

impl<'a> Enroll<'a> {
    /// Enrols within this unit of work.
    pub fn new(work: &'a mut Work, sealer: &'a dyn RecordSealer) -> Self {
        Self { work, sealer }
    }

    /// Makes or changes a tenant.
    pub async fn tenant(&mut self, tenant: Domain, record: &TenantRecord) -> Result<(), EnrollError> {
        let key = TenantRecord::key(tenant);
        let before = self.bytes(key).await?.map(|b| TenantRecord::decode(&b)).transpose();
        let before = before.map_err(|_| EnrollError::Sealing)?;
        let old = before.map(|b| b.claims()).unwrap_or_default();
        self.put(key, old, record.claims(), &record.encode()).await?;
        self.bump(Domain::SYSTEM, guard_set::TENANTS);
        Ok(())
    }

    /// Makes or changes an authority of a tenant.
    pub async fn authority(&mut self, tenant: Domain, id: Id, record: &AuthorityRecord) -> Result<(), EnrollError> {
        let key = AuthorityRecord::key(tenant, id);
        let before = self.bytes(key).await?.map(|b| AuthorityRecord::decode(&b)).transpose();
        let before = before.map_err(|_| EnrollError::Sealing)?;
        let old = before.map(|b| b.claims(tenant)).transpose()?.unwrap_or_default();
        self.put(key, old, record.claims(tenant)?, &record.encode()).await?;
        self.bump(tenant, guard_set::AUTHORITIES);
        Ok(())
    }

    /// Makes or changes an application of a tenant.
    pub async fn application(&mut self, tenant: Domain, id: Id, record: &ApplicationRecord) -> Result<(), EnrollError> {
        let key = ApplicationRecord::key(tenant, id);
        let before = self
            .bytes(key)
            .await?
            .map(|b| ApplicationRecord::decode(&b))
            .transpose();
        let before = before.map_err(|_| EnrollError::Sealing)?;
        let old = before.map(|b| b.claims(tenant)).unwrap_or_default();
        self.put(key, old, record.claims(tenant), &record.encode()).await?;
        self.bump(tenant, guard_set::CLIENTS);
        Ok(())
    }

    /// Makes or changes a client of a tenant.
    pub async fn client(&mut self, id: ClientId, record: &ClientRecord) -> Result<(), EnrollError> {
        let before = self
            .bytes(id.key())
            .await?
            .map(|b| ClientRecord::decode(&b))
            .transpose();
        let before = before.map_err(|_| EnrollError::Sealing)?;
        for key in record.credentials.iter().filter_map(Credential::key) {
            // What somebody elsewhere has merely said is his keeps nobody's client out.
            if let Some(person) = self.holder(key).await?
                && (person.of.domain == id.tenant || person.proven)
            {
                return Err(EnrollError::Taken);
            }
        }
        let old = before.map(|b| b.claims(id.tenant)).unwrap_or_default();
        self.put(id.key(), old, record.claims(id.tenant), &record.encode())
            .await?;
        self.bump(id.tenant, guard_set::CLIENTS);
        Ok(())
    }

    /// Makes or changes a person of a domain. The record of one who is deleted remains, and its name and keys are free.
    ///
    /// Who has proven a key takes its claim from a person elsewhere who has not, and who then has the key in vain. A key that a client of the same domain has is refused; one that is a client's elsewhere is refused when it is shown.
    pub async fn person(&mut self, id: PersonId, record: &PersonRecord) -> Result<(), EnrollError> {
        let before = self
            .bytes(id.key())
            .await?
            .map(|b| PersonRecord::decode(&b))
            .transpose();
        let before = before.map_err(|_| EnrollError::Sealing)?;
        for key in record.keys() {
            self.free(&Credential::key_claim(id.domain, &key.fingerprint)).await?;
        }
        let mut new = record.claims(id.domain);
        for key in record.keys() {
            let Some(other) = self.holder(&key.fingerprint).await?.filter(|other| other.of != id) else {
                continue;
            };
            let claim = PersonRecord::key_claim(&key.fingerprint);
            let had = |before: &PersonRecord| before.keys().any(|own| own.fingerprint == key.fingerprint);
            if key.proven && !other.proven && other.of.domain != id.domain {
                self.work.release(claim, other.of.key()).await?;
            } else if !key.proven && other.proven && before.as_ref().is_some_and(had) {
                // It lost the claim before, and keeps the rest of its record.
                new.retain(|own| *own != claim);
            }
        }
        let old = before.map(|b| b.claims(id.domain)).unwrap_or_default();
        self.put(id.key(), old, new, &record.encode()).await?;
        self.bump(id.domain, guard_set::PEOPLE);
        Ok(())
    }

    /// The person that has claimed a key.
    async fn holder(&mut self, key: &[u8; 32]) -> Result<Option<Holder>, EnrollError> {
        let claimed = self.work.claimed(&PersonRecord::key_claim(key)).await?;
        let Some(place) = claimed.filter(|place| place.kind == kind::PERSON) else {
            return Ok(None);
        };
        let of = PersonId {
            domain: place.domain,
            person: place.id,
        };
        let bytes = self.bytes(place).await?.ok_or(EnrollError::Sealing)?;
        let record = PersonRecord::decode(&bytes).map_err(|_| EnrollError::Sealing)?;
        let proven = record.keys().any(|own| own.proven && own.fingerprint == *key);
        Ok(Some(Holder { of, proven }))
    }

    /// Nobody has this claim; that it stays so is among what the commit rests on.
    async fn free(&mut self, claim: &ClaimKey) -> Result<(), EnrollError> {
        match self.work.claimed(claim).await? {
            Some(_) => Err(EnrollError::Taken),
            None => Ok(()),
        }
    }

    /// Deletes a client. Its name, its keys and its rules are free.
    pub async fn remove_client(&mut self, id: ClientId) -> Result<(), EnrollError> {
        let bytes = self.bytes(id.key()).await?.ok_or(EnrollError::Sealing)?;
        let record = ClientRecord::decode(&bytes).map_err(|_| EnrollError::Sealing)?;
        self.remove(id.key(), record.claims(id.tenant)).await?;
        self.bump(id.tenant, guard_set::CLIENTS);
        Ok(())
    }

    /// Deletes an application.
    pub async fn remove_application(&mut self, tenant: Domain, id: Id) -> Result<(), EnrollError> {
        let key = ApplicationRecord::key(tenant, id);
        let bytes = self.bytes(key).await?.ok_or(EnrollError::Sealing)?;
        let record = ApplicationRecord::decode(&bytes).map_err(|_| EnrollError::Sealing)?;
        self.remove(key, record.claims(tenant)).await?;
        self.bump(tenant, guard_set::CLIENTS);
        Ok(())
    }

    /// Deletes an authority.
    pub async fn remove_authority(&mut self, domain: Domain, id: Id) -> Result<(), EnrollError> {
        let key = AuthorityRecord::key(domain, id);
        let bytes = self.bytes(key).await?.ok_or(EnrollError::Sealing)?;
        let record = AuthorityRecord::decode(&bytes).map_err(|_| EnrollError::Sealing)?;
        self.remove(key, record.claims(domain)?).await?;
        self.bump(domain, guard_set::AUTHORITIES);
        Ok(())
    }

    async fn remove(&mut self, key: Key, claims: Vec<ClaimKey>) -> Result<(), EnrollError> {
        for claim in claims {
            self.work.release(claim, key).await?;
        }
        self.work.delete(key).await?;
        Ok(())
    }

    async fn bytes(&mut self, key: Key) -> Result<Option<Vec<u8>>, EnrollError> {
        let Some(record) = self.work.load(key).await? else {
            return Ok(None);
        };
        self.sealer.open(&record).map(Some).map_err(|_| EnrollError::Sealing)
    }

    async fn put(&mut self, key: Key, old: Vec<ClaimKey>, new: Vec<ClaimKey>, bytes: &[u8]) -> Result<(), EnrollError> {
        for claim in old.into_iter().filter(|claim| !new.contains(claim)) {
            self.work.release(claim, key).await?;
        }
        for claim in new {
            if let Taken::By(_) = self.work.take(claim, key).await? {
                return Err(EnrollError::Taken);
            }
        }
        // The record was loaded by `bytes`, so that its next revision is known.
        let revision = self.work.next_revision(key);
        let body = self.sealer.seal(key, revision, bytes).ok_or(EnrollError::Sealing)?;
        self.work.put(key, body, Vec::new());
        Ok(())
    }

    fn bump(&mut self, domain: Domain, set: u8) {
        let id = [0; 16];
        self.work.bump_guard(GuardKey { domain, set, id });
    }
}
