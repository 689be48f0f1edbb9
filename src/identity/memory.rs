//! A directory in memory: for tests of everything that needs to know who asks.

use super::authority::AuthorityRecord;
use super::client::{ClientId, ClientRecord};
use super::directory::{Directory, DirectoryError, Found};
use super::person::{PersonId, PersonRecord};
use super::record::{Id, TenantRecord};
use crate::store::{ClaimKey, Domain};
use crate::wait::{Wait, ready};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tenants, authorities and clients in maps.
#[derive(Default)]
pub struct MemoryDirectory {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    tenants: BTreeMap<Domain, TenantRecord>,
    authorities: BTreeMap<(Domain, Id), AuthorityRecord>,
    clients: BTreeMap<ClientId, ClientRecord>,
    people: BTreeMap<PersonId, PersonRecord>,
}

impl MemoryDirectory {
    /// Keeps a tenant, in place of the one before.
    pub fn put_tenant(&self, tenant: Domain, record: TenantRecord) {
        self.lock().tenants.insert(tenant, record);
    }

    /// Keeps an authority, in place of the one before.
    pub fn put_authority(&self, tenant: Domain, id: Id, record: AuthorityRecord) {
        self.lock().authorities.insert((tenant, id), record);
    }

    /// Keeps a client, in place of the one before.
    pub fn put_client(&self, client: ClientId, record: ClientRecord) {
        self.lock().clients.insert(client, record);
    }

    /// Forgets a client.
    pub fn remove_client(&self, client: ClientId) {
        self.lock().clients.remove(&client);
    }

    /// Keeps a person, in place of the one before.
    pub fn put_person(&self, person: PersonId, record: PersonRecord) {
        self.lock().people.insert(person, record);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for MemoryDirectory {
    fn tenants(&self) -> Wait<'_, Result<Vec<Domain>, DirectoryError>> {
        let inner = self.lock();
        let tenants = inner.tenants.iter().filter(|(_, record)| !record.deleted);
        ready(Ok(tenants.map(|(tenant, _)| *tenant).collect()))
    }

    fn tenant(&self, tenant: Domain) -> Wait<'_, Result<Option<Found<TenantRecord>>, DirectoryError>> {
        let record = self.lock().tenants.get(&tenant).cloned();
        ready(Ok(record.map(|record| Found { record, seen: None })))
    }

    fn authorities(&self, tenant: Domain) -> Wait<'_, Result<Vec<(Id, AuthorityRecord)>, DirectoryError>> {
        let inner = self.lock();
        let own = inner.authorities.iter().filter(|((owner, _), _)| *owner == tenant);
        ready(Ok(own.map(|((_, id), record)| (*id, record.clone())).collect()))
    }

    fn authority(&self, tenant: Domain, id: Id) -> Wait<'_, Result<Option<AuthorityRecord>, DirectoryError>> {
        ready(Ok(self.lock().authorities.get(&(tenant, id)).cloned()))
    }

    fn clients(
        &self,
        tenant: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, ClientRecord)>, DirectoryError>> {
        let inner = self.lock();
        let at = |client| ClientId { tenant, client };
        let from = after.map_or(Bound::Included(at([0; 16])), |id| Bound::Excluded(at(id)));
        let page = inner.clients.range((from, Bound::Included(at([0xFF; 16])))).take(limit);
        ready(Ok(page.map(|(id, record)| (id.client, record.clone())).collect()))
    }

    fn client(&self, client: ClientId) -> Wait<'_, Result<Option<Found<ClientRecord>>, DirectoryError>> {
        let record = self.lock().clients.get(&client).cloned();
        ready(Ok(record.map(|record| Found { record, seen: None })))
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<ClientId>, DirectoryError>> {
        let inner = self.lock();
        let holder = inner
            .clients
            .iter()
            .find(|(id, record)| record.claims(id.tenant).contains(claim));
        ready(Ok(holder.map(|(id, _)| *id)))
    }

    fn people(
        &self,
        domain: Domain,
        after: Option<Id>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<(Id, PersonRecord)>, DirectoryError>> {
        let inner = self.lock();
        let at = |person| PersonId { domain, person };
        let from = after.map_or(Bound::Included(at([0; 16])), |id| Bound::Excluded(at(id)));
        let page = inner.people.range((from, Bound::Included(at([0xFF; 16])))).take(limit);
        ready(Ok(page.map(|(id, record)| (id.person, record.clone())).collect()))
    }

    fn person(&self, person: PersonId) -> Wait<'_, Result<Option<Found<PersonRecord>>, DirectoryError>> {
        let record = self.lock().people.get(&person).cloned();
        ready(Ok(record.map(|record| Found { record, seen: None })))
    }

    fn person_with<'a>(&'a self, key_fingerprint: &'a [u8; 32]) -> Wait<'a, Result<Option<PersonId>, DirectoryError>> {
        let claim = PersonRecord::key_claim(key_fingerprint);
        let inner = self.lock();
        let holders = inner.people.iter();
        let holders = holders.filter(|(id, record)| record.claims(id.domain).contains(&claim));
        // As in the store: who has proven the key has taken the claim from who has not.
        let proves = |record: &PersonRecord| {
            record
                .keys()
                .any(|key| key.proven && key.fingerprint == *key_fingerprint)
        };
        let holder = holders.max_by_key(|(_, record)| proves(record));
        ready(Ok(holder.map(|(id, _)| *id)))
    }
}
