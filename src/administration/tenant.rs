//! Tenants, with the authorities, the application and the clients that they begin with.

use super::keeper::Keeper;
use super::{AdministrationError, act, founder, kek, server_act};
use crate::clock::Moment;
use crate::crypto::Randomness;
use crate::custody::{KekId, ProfileId};
use crate::identity::{
    ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Credential, Enroll, TenantRecord, tenant_counter,
};
use crate::store::{Domain, Store, Work};
use kmip_protocol::Policy;
use std::sync::Arc;

/// A tenant to begin with: with an active KEK of its own, and one application for all its clients.
pub struct NewTenant {
    /// Its name, unique in the installation.
    pub name: String,
    /// Whether a conformance run may clear it.
    pub test: bool,
    /// Certificates (DER) of its authorities.
    pub authorities: Vec<Vec<u8>>,
    /// Its clients, by name and credential.
    pub clients: Vec<(String, Credential)>,
}

/// Makes a tenant: its keys in the HSM-Profile of this name, and everything that it begins with, in one commit with its audit records.
pub async fn create(
    keeper: &Keeper,
    store: &Arc<dyn Store>,
    randomness: &Arc<dyn Randomness>,
    (profile_name, profile): (&str, ProfileId),
    new: NewTenant,
    policy: Option<Policy>,
    now: Moment,
) -> Result<Domain, AdministrationError> {
    let tenant = Domain(randomness.array()?);
    let created_ms = now.0;
    let mut work = Work::new(Arc::clone(store));
    kek::found_domain(
        &keeper.0,
        &mut work,
        tenant,
        profile,
        KekId(randomness.array()?),
        created_ms,
    )
    .await?;
    work.audit(server_act(act::TENANT_CREATE, tenant, now, &new.name));
    work.audit(server_act(act::KEK_CREATE, tenant, now, "first KEK"));
    let mut enroll = Enroll::new(&mut work, keeper);
    let record = TenantRecord {
        name: new.name.clone(),
        test: new.test,
        profile: Some(profile_name.to_owned()),
        created_ms,
        ..TenantRecord::default()
    };
    enroll.tenant(tenant, &record).await?;
    for (place, certificate) in new.authorities.into_iter().enumerate() {
        let record = AuthorityRecord {
            name: if place == 0 {
                new.name.clone()
            } else {
                format!("{} {}", new.name, place.saturating_add(1))
            },
            certificate,
            created_ms,
            ..AuthorityRecord::default()
        };
        enroll.authority(tenant, randomness.array()?, &record).await?;
    }
    let application = randomness.array()?;
    let record = ApplicationRecord {
        name: new.name.clone(),
        created_ms,
    };
    enroll.application(tenant, application, &record).await?;
    let count = i64::try_from(new.clients.len()).unwrap_or(i64::MAX);
    let mut names = Vec::with_capacity(new.clients.len());
    for (name, credential) in new.clients {
        let id = ClientId {
            tenant,
            client: randomness.array()?,
        };
        let record = ClientRecord {
            name: name.clone(),
            application,
            credentials: vec![credential],
            created_ms,
            ..ClientRecord::default()
        };
        enroll.client(id, &record).await?;
        names.push(name);
    }
    work.set_counter(TenantRecord::counters(tenant), tenant_counter::CLIENTS, count);
    for name in names {
        work.audit(server_act(act::CLIENT_CREATE, tenant, now, &name));
    }
    if let Some(policy) = policy {
        founder::policy(&keeper.0, &mut work, tenant, policy, now).await?;
    }
    store.commit(work.into_change_set(created_ms)).await?;
    Ok(tenant)
}
