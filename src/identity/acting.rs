//! Those whose requests are carried out although they are not there: once others have agreed, or when a time has come.

use super::client::ClientId;
use super::directory::{DirectoryError, Found};
use super::person::{PersonId, PersonRecord};
use super::principal::{ClientPrincipal, PersonPrincipal, Principal, Session};
use super::record::Id;
use super::resolve::Identity;
use crate::store::{Domain, Seen};
use kmip_protocol::PersonStatus;
use std::sync::Arc;

impl Identity {
    /// Somebody as his records say that he is now; nobody, if he would not be served.
    pub async fn acting(
        &self,
        domain: Domain,
        id: Id,
        is_person: bool,
        now: i64,
    ) -> Result<Option<Principal>, DirectoryError> {
        let mut of_tenant = None;
        if domain != Domain::SYSTEM {
            match self.directory().tenant(domain).await? {
                Some(tenant) if !tenant.record.suspended => of_tenant = Some(tenant),
                _ => return Ok(None),
            }
        }
        if is_person {
            let tenant_seen = of_tenant.as_ref().and_then(|tenant| tenant.seen);
            let person = self.acting_person(PersonId { domain, person: id }, tenant_seen).await?;
            let person = person.map(|person| PersonPrincipal {
                migration_required: of_tenant.is_some_and(|tenant| tenant.record.migration.stops_people()),
                ..person
            });
            return Ok(person.map(|person| Principal::Person(Arc::new(person))));
        }
        let Some(tenant) = of_tenant else {
            return Ok(None);
        };
        let id = ClientId {
            tenant: domain,
            client: id,
        };
        let found = self.directory().client(id).await?;
        let served = found.filter(|found| found.record.is_served(now));
        Ok(served.map(|found| Principal::Client(Arc::new(ClientPrincipal::new(id, found, &tenant)))))
    }

    /// A person whose request was approved: it was logged in when it made it.
    async fn acting_person(
        &self,
        id: PersonId,
        tenant_seen: Option<Seen>,
    ) -> Result<Option<PersonPrincipal>, DirectoryError> {
        let found = self.directory().person(id).await?;
        let active = found.filter(|found| found.record.status == PersonStatus::Active);
        let key = |found: &Found<PersonRecord>| found.record.keys().next().map_or([0; 32], |key| key.fingerprint);
        Ok(active.map(|found| PersonPrincipal {
            domain: id.domain,
            person: id.person,
            role: found.record.role,
            key_fingerprint: key(&found),
            hardware: false,
            session: Session::Full([0; 16]),
            seen: found.seen,
            tenant_seen,
            ticket_seen: None,
            migration_required: false,
            name: found.record.name,
        }))
    }
}
