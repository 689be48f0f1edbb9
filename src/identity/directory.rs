//! Where tenants, authorities and clients are looked up.

use super::authority::AuthorityRecord;
use super::client::{ClientId, ClientRecord};
use super::person::{PersonId, PersonRecord};
use super::record::{Id, TenantRecord, kind};
use crate::store::{ClaimKey, Domain, Kind, Record, Seen, Store, StoreError};
use crate::wait::Wait;
use std::sync::Arc;

/// A record with the state it was found in.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The record.
    pub record: T,
    /// Its revision, where the directory has revisions.
    pub seen: Option<Seen>,
}

/// Looks up what identity rests on.
pub trait Directory: Send + Sync {
    /// The domains of the tenants that there are: not of deleted ones.
    fn tenants(&self) -> Wait<'_, Result<Vec<Domain>, DirectoryError>>;

    /// A tenant.
    fn tenant(&self, tenant: Domain) -> Wait<'_, Result<Option<Found<TenantRecord>>, DirectoryError>>;

    /// The authorities that a tenant has enrolled.
    fn authorities(&self, tenant: Domain) -> Wait<'_, Result<Vec<(Id, AuthorityRecord)>, DirectoryError>>;

    /// One authority.
    fn authority(&self, tenant: Domain, id: Id) -> Wait<'_, Result<Option<AuthorityRecord>, DirectoryError>>;

    /// At most `limit` clients of a tenant, in the order of their ids, after this one.
    fn clients(
        &self,
        tenant: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, ClientRecord)>, DirectoryError>>;

    /// A client.
    fn client(&self, client: ClientId) -> Wait<'_, Result<Option<Found<ClientRecord>>, DirectoryError>>;

    /// Which client holds this claim (a key or a rule).
    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<ClientId>, DirectoryError>>;

    /// At most `limit` people of a domain, in the order of their ids, after this one. Deleted ones are among them.
    fn people(
        &self,
        domain: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, PersonRecord)>, DirectoryError>>;

    /// A person.
    fn person(&self, person: PersonId) -> Wait<'_, Result<Option<Found<PersonRecord>>, DirectoryError>>;

    /// Which person has claimed the key with this fingerprint.
    fn person_with<'a>(&'a self, key_fingerprint: &'a [u8; 32]) -> Wait<'a, Result<Option<PersonId>, DirectoryError>>;
}

/// Why a look-up failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys that a record's MAC is checked with are away. Nobody is recognised by it until they are back.
    #[error("the keys of a record of kind {} are away", .0.0)]
    Away(Kind),
    /// A record cannot be read, or its MAC is wrong. Nobody is recognised by it.
    #[error("a record of kind {} is damaged", .0.0)]
    Damaged(Kind),
}

/// Checks a record's MAC and gives the bytes it covers. Custody knows how; this room only insists on it.
pub trait RecordOpener: Send + Sync {
    /// The bytes that the record's maker encoded.
    ///
    /// # Errors
    /// Why they are not given.
    fn open(&self, record: &Record) -> Result<Vec<u8>, Unopened>;
}

/// Why a record does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unopened {
    /// The keys of its domain are away.
    Away,
    /// Its MAC is wrong.
    Damaged,
}

/// The directory in the store.
pub struct StoreDirectory {
    store: Arc<dyn Store>,
    opener: Arc<dyn RecordOpener>,
}

/// Records to a page of a scan.
const PAGE: usize = 512;

impl StoreDirectory {
    /// A directory over this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, opener: Arc<dyn RecordOpener>) -> Self {
        Self { store, opener }
    }

    fn decode<T>(
        &self,
        record: &Record,
        decode: impl FnOnce(&[u8]) -> kmip_ttlv::Result<T>,
    ) -> Result<T, DirectoryError> {
        let kind = record.key.kind;
        let bytes = self.opener.open(record).map_err(|why| match why {
            Unopened::Away => DirectoryError::Away(kind),
            Unopened::Damaged => DirectoryError::Damaged(kind),
        })?;
        decode(&bytes).map_err(|_| DirectoryError::Damaged(kind))
    }

    /// At most `limit` records that can be read, in the order of their ids: one that is damaged is nobody, and does not keep the others
    /// from being somebody.
    async fn readable<T>(
        &self,
        (domain, kind): (Domain, Kind),
        mut after: Option<Id>,
        limit: usize,
        decode: impl Fn(&[u8]) -> kmip_ttlv::Result<T> + Send + Sync,
    ) -> Result<Vec<(Id, T)>, DirectoryError> {
        let mut read = Vec::new();
        loop {
            let wanted = limit.saturating_sub(read.len());
            let page = self.store.scan(domain, kind, after, wanted).await?;
            for record in &page {
                match self.decode(record, &decode) {
                    Ok(one) => read.push((record.key.id, one)),
                    Err(error @ DirectoryError::Damaged(_)) => {
                        tracing::error!(record = %record.key, %error, "passed over");
                    }
                    Err(error) => return Err(error),
                }
            }
            after = page.last().map(|record| record.key.id);
            if page.len() < wanted || read.len() >= limit {
                return Ok(read);
            }
        }
    }

    fn found<T>(
        &self,
        record: &Record,
        decode: impl FnOnce(&[u8]) -> kmip_ttlv::Result<T>,
    ) -> Result<Found<T>, DirectoryError> {
        let seen = Some(record.seen());
        let record = self.decode(record, decode)?;
        Ok(Found { record, seen })
    }

    async fn all(&self, domain: Domain, kind: Kind) -> Result<Vec<Record>, DirectoryError> {
        let mut records = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.scan(domain, kind, after, PAGE).await?;
            let last = page.len() < PAGE;
            after = page.last().map(|r| r.key.id);
            records.extend(page);
            if last {
                return Ok(records);
            }
        }
    }
}

impl Directory for StoreDirectory {
    fn tenants(&self) -> Wait<'_, Result<Vec<Domain>, DirectoryError>> {
        Box::pin(async move {
            let records = self.all(Domain::SYSTEM, kind::TENANT).await?;
            // A damaged one is met where it is asked for.
            let deleted = |r: &Record| self.decode(r, TenantRecord::decode).is_ok_and(|tenant| tenant.deleted);
            let records = records.into_iter().filter(|record| !deleted(record));
            Ok(records.map(|r| Domain(r.key.id)).collect())
        })
    }

    fn tenant(&self, tenant: Domain) -> Wait<'_, Result<Option<Found<TenantRecord>>, DirectoryError>> {
        Box::pin(async move {
            let record = self.store.load(TenantRecord::key(tenant)).await?;
            record.map(|r| self.found(&r, TenantRecord::decode)).transpose()
        })
    }

    fn authorities(&self, tenant: Domain) -> Wait<'_, Result<Vec<(Id, AuthorityRecord)>, DirectoryError>> {
        Box::pin(async move {
            let place = (tenant, kind::AUTHORITY);
            self.readable(place, None, usize::MAX, AuthorityRecord::decode).await
        })
    }

    fn authority(&self, tenant: Domain, id: Id) -> Wait<'_, Result<Option<AuthorityRecord>, DirectoryError>> {
        Box::pin(async move {
            let record = self.store.load(AuthorityRecord::key(tenant, id)).await?;
            record.map(|r| self.decode(&r, AuthorityRecord::decode)).transpose()
        })
    }

    fn clients(
        &self,
        tenant: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, ClientRecord)>, DirectoryError>> {
        Box::pin(async move {
            self.readable((tenant, kind::CLIENT), after, limit, ClientRecord::decode)
                .await
        })
    }

    fn client(&self, client: ClientId) -> Wait<'_, Result<Option<Found<ClientRecord>>, DirectoryError>> {
        Box::pin(async move {
            let record = self.store.load(client.key()).await?;
            record.map(|r| self.found(&r, ClientRecord::decode)).transpose()
        })
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<ClientId>, DirectoryError>> {
        Box::pin(async move {
            let holder = self.store.claimed(claim).await?;
            Ok(holder.filter(|key| key.kind == kind::CLIENT).map(|key| ClientId {
                tenant: key.domain,
                client: key.id,
            }))
        })
    }

    fn people(
        &self,
        domain: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, PersonRecord)>, DirectoryError>> {
        Box::pin(async move {
            self.readable((domain, kind::PERSON), after, limit, PersonRecord::decode)
                .await
        })
    }

    fn person(&self, person: PersonId) -> Wait<'_, Result<Option<Found<PersonRecord>>, DirectoryError>> {
        Box::pin(async move {
            let record = self.store.load(person.key()).await?;
            record.map(|r| self.found(&r, PersonRecord::decode)).transpose()
        })
    }

    fn person_with<'a>(&'a self, key_fingerprint: &'a [u8; 32]) -> Wait<'a, Result<Option<PersonId>, DirectoryError>> {
        Box::pin(async move {
            let holder = self.store.claimed(&PersonRecord::key_claim(key_fingerprint)).await?;
            Ok(holder.filter(|key| key.kind == kind::PERSON).map(|key| PersonId {
                domain: key.domain,
                person: key.id,
            }))
        })
    }
}
