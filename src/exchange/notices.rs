//! Tells those who remember something that it has changed, between the commit and the answer: who is answered can rely on the
//! change being in force.

use crate::administration::{hsm_profile, kek};
use crate::identity::{Identity, IdentityChange};
use crate::operations::{Notice, Services};

/// Delivers what the items of a committed message have changed. The change stands, so nothing here fails the answer: whoever
/// cannot read what is new no longer serves what is old, and says so in the log.
pub(super) async fn deliver(notices: &[Notice], identity: &Identity, services: &Services) {
    for (place, notice) in notices.iter().enumerate() {
        let told = |earlier: &[Notice]| earlier.contains(notice);
        if notices.get(..place).is_some_and(told) {
            continue;
        }
        match notice {
            Notice::Identity(change) => {
                if let Err(error) = identity.changed(*change).await {
                    tracing::error!(%error, ?change, "a change of who is who could not be read");
                }
                if let IdentityChange::Client(id) = change
                    && let Ok(None) = identity.directory().client(*id).await
                {
                    services.streams.end_of_client(id.tenant, id.client);
                }
            }
            Notice::Destroyed(internal_id) => services.streams.end_of_key(*internal_id),
            Notice::Alarm(alarm) => alarm.sound(),
            Notice::Policy(domain) => {
                services.policies.forget(*domain);
                services.glances.forget(*domain);
            }
            Notice::Keys(domain) => {
                let opened = kek::open_domain(&services.custody, &services.store, *domain).await;
                if let Err(error) = opened {
                    tracing::error!(%error, %domain, "a change of KEKs could not be read");
                }
            }
            Notice::Profile(profile) => {
                let changed = hsm_profile::changed(&services.custody, &services.outfit, &services.store, *profile);
                if let Err(error) = changed.await {
                    tracing::error!(%error, "a change of an HSM-Profile could not be read");
                }
            }
            Notice::Quarantine => {
                let held = services.quarantine.reload(&services.store, &services.custody).await;
                if let Err(error) = held {
                    tracing::error!(%error, "what is held could not be read");
                }
                // Whoever was recognised by a record that is held now is recognised anew, and by no policy that is.
                services.policies.forget_all();
                services.glances.forget_all();
                if let Err(error) = identity.changed(IdentityChange::All).await {
                    tracing::error!(%error, "who is who could not be read");
                }
            }
            Notice::RestoreAccepted => {
                services.freshness.accept();
                super::anchoring::renew(services).await;
            }
            Notice::Share(domain, token, person) => services.custody.gatherings().count((*domain, *token), *person),
            Notice::SharesOver(domain, token) => {
                services.custody.gatherings().wipe((*domain, *token));
            }
            Notice::Gone(domain) => {
                services.custody.close_domain(*domain);
                services.streams.end_of_tenant(*domain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestHouse;
    use super::*;
    use crate::identity::{ClientId, Directory, Enroll, StoreDirectory};
    use crate::operations::keeper::Keeper;
    use crate::store::{Store, Work};
    use kmip_protocol::{QueryFunction, QueryRequest, ResultStatus, Version};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_change_is_in_force_once_it_was_told() {
        let house = TestHouse::new().await;
        let query = || QueryRequest {
            query_functions: vec![QueryFunction::QueryObjects],
            object_groups: None,
        };
        let served = async || house.item(Version::NEWEST, query(), &house.alice).await.result_status;
        assert_eq!(served().await, ResultStatus::Success);
        let services = house.server.services();
        let keeper = Arc::new(Keeper(Arc::clone(&services.custody)));
        let store: Arc<dyn Store> = house.store.clone();
        let directory = StoreDirectory::new(Arc::clone(&store), keeper.clone());
        let mut notices = Vec::new();
        let mut work = Work::new(Arc::clone(&store));
        for tenant in directory.tenants().await.unwrap() {
            for (client, mut record) in directory.clients(tenant, None, 10).await.unwrap() {
                record.suspended = true;
                let id = ClientId { tenant, client };
                Enroll::new(&mut work, keeper.as_ref())
                    .client(id, &record)
                    .await
                    .unwrap();
                notices.push(Notice::Identity(IdentityChange::Client(id)));
            }
        }
        store.commit(work.into_change_set(0)).await.unwrap();
        // A read rests on what is remembered.
        assert_eq!(served().await, ResultStatus::Success);
        deliver(&notices, house.server.identity(), services).await;
        assert_eq!(served().await, ResultStatus::OperationFailed);
    }
}
