//! Messages whose endpoint is gone: a change that was committed while the endpoint was being deleted may leave some. Nothing would ever
//! send them, or take them off.

use super::Server;
use super::outgoing::met;
use super::server::MOST_RUNS;
use crate::administration::{act, server_act};
use crate::failure::{Failure, Fault};
use crate::outbox::{self, EndpointId, MESSAGE, MessageRecord};
use crate::records;
use crate::store::{Domain, StoreError, Work};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Messages to a page of a scan.
const PAGE: usize = 256;

impl Server {
    /// Removes what waits for an endpoint that is gone. What waits for one that is there, though its record be damaged, stays.
    ///
    /// # Errors
    /// The store is away.
    pub async fn remove_orphans(&self, endpoint: EndpointId) -> Result<(), Failure> {
        for _ in 0..MOST_RUNS {
            let now = self.now();
            let mut work = Work::new(Arc::clone(&self.services.store));
            match work.load(endpoint.key()).await {
                Ok(Some(_)) | Err(StoreError::Quarantined) => return Ok(()),
                Ok(None) => {}
                Err(error) => return Err(error.into()),
            }
            let removed = outbox::remove_waiting(&mut work, endpoint).await?;
            if removed == 0 {
                return Ok(());
            }
            let note = format!("{removed} messages for an endpoint that is deleted");
            work.audit(server_act(act::FORGET, endpoint.domain, now, &note));
            match self.commit(work.into_change_set(now.0), now).await {
                Ok(()) => return Ok(()),
                Err(error) => met(error)?,
            }
        }
        Err(Fault::Contention.into())
    }

    /// The same for all endpoints of a domain.
    ///
    /// # Errors
    /// The store is away.
    pub(super) async fn sweep_orphans(&self, domain: Domain) -> Result<(), Failure> {
        for endpoint in self.addressees(domain).await? {
            self.remove_orphans(endpoint).await?;
        }
        Ok(())
    }

    /// For whom messages wait in a domain. Those that cannot be read are passed over.
    async fn addressees(&self, domain: Domain) -> Result<BTreeSet<EndpointId>, Failure> {
        let mut found = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.services.store.scan(domain, MESSAGE, after, PAGE).await?;
            after = page.last().map(|record| record.key.id);
            for record in &page {
                let bytes = records::open(&self.services.custody, record).ok();
                let message = bytes.and_then(|bytes| MessageRecord::decode(bytes).ok());
                found.extend(message.map(|message| message.endpoint(domain)));
            }
            if page.len() < PAGE {
                return Ok(found);
            }
        }
    }
}
