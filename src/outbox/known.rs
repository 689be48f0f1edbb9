//! The endpoints of each domain as they were last read: asked by every commit that writes an object.

use super::endpoint::{ENDPOINT, EndpointId, EndpointRecord};
use crate::custody::{Custody, CustodyError};
use crate::records;
use crate::store::{Domain, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Records to a page of a scan.
const PAGE: usize = 256;

/// Endpoints of a domain.
pub type Endpoints = Arc<Vec<(EndpointId, EndpointRecord)>>;

/// What is remembered.
#[derive(Default)]
pub struct Known(RwLock<Seen>);

#[derive(Default)]
struct Seen {
    /// Grows whenever something is forgotten: what was looked up before is not remembered after.
    generation: u64,
    endpoints: HashMap<Domain, Endpoints>,
}

impl Known {
    /// The endpoints of a domain, in the order of their ids. One whose record is damaged is none: it is said in the log, and nobody else
    /// is kept from working.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn of(&self, domain: Domain, store: &Arc<dyn Store>, custody: &Custody) -> Result<Endpoints, StoreError> {
        let generation = {
            let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = seen.endpoints.get(&domain) {
                return Ok(Arc::clone(known));
            }
            seen.generation
        };
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = store.scan(domain, ENDPOINT, after, PAGE).await?;
            after = page.last().map(|record| record.key.id);
            for record in &page {
                let id = EndpointId {
                    domain,
                    id: record.key.id,
                };
                let bytes = match records::open(custody, record) {
                    Ok(bytes) => bytes,
                    Err(error @ (CustodyError::Refused | CustodyError::Record)) => {
                        tracing::error!(%domain, %error, "the record of an endpoint is damaged");
                        continue;
                    }
                    // The keys are away: whether it is damaged is not known.
                    Err(error) => return Err(StoreError::Unavailable(error.to_string())),
                };
                match EndpointRecord::decode(bytes) {
                    Ok(endpoint) => found.push((id, endpoint)),
                    Err(error) => tracing::error!(%domain, %error, "the record of an endpoint cannot be read"),
                }
            }
            if page.len() < PAGE {
                break;
            }
        }
        let found = Arc::new(found);
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.generation == generation {
            seen.endpoints.insert(domain, Arc::clone(&found));
        }
        Ok(found)
    }

    /// Has a domain's endpoints looked up again.
    pub fn forget(&self, domain: Domain) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.generation = seen.generation.wrapping_add(1);
        seen.endpoints.remove(&domain);
    }
}
