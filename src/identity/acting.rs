//! Those whose requests are carried out although they are not there: once others have agreed, or when a time has come.

use super::client::ClientId;
use super::directory::{DirectoryError, Found};
use super::limits::ClientLimits;
use super::person::{PersonId, PersonRecord};
use super::principal::{ClientPrincipal, PersonPrincipal, Principal, Session};
use super::record::{Id, Migration};
use super::resolve::Identity;
use crate::store::{Domain, Seen};
use kmip_protocol::{PersonStatus, TenantSettings};
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
        let mut tenant_seen = None;
        let mut settings = TenantSettings::default();
        let mut migration = Migration::Done;
        if domain != Domain::SYSTEM {
            match self.directory().tenant(domain).await? {
                Some(tenant) if !tenant.record.suspended => {
                    tenant_seen = tenant.seen;
                    settings = tenant.record.settings;
                    migration = tenant.record.migration;
                }
                _ => return Ok(None),
            }
        }
        if is_person {
            let person = self.acting_person(PersonId { domain, person: id }, tenant_seen).await?;
            let person = person.map(|person| PersonPrincipal {
                migration_required: migration.stops_people(),
                ..person
            });
            return Ok(person.map(|person| Principal::Person(Arc::new(person))));
        }
        let id = ClientId {
            tenant: domain,
            client: id,
        };
        let found = self.directory().client(id).await?;
        let in_time = |expires: Option<i64>| expires.is_none_or(|end| now <= end);
        let served = found.filter(|found| !found.record.suspended && in_time(found.record.expires));
        Ok(served.map(|found| {
            let client = &found.record;
            let limits = ClientLimits::new(&client.settings, &settings, client.password.is_some());
            Principal::Client(Arc::new(ClientPrincipal {
                tenant: id.tenant,
                client: id.client,
                application: found.record.application,
                limits: Arc::new(limits),
                name: found.record.name,
                seen: found.seen,
                tenant_seen,
                migration_required: migration.stops_clients(),
                ticket: None,
            }))
        }))
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
