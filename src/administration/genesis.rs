//! How an installation begins. What is written here is written once, before anybody can ask for anything.

use super::{AdministrationError, kek};
use crate::authority::{INSTALLATION, InstallationRecord};
use crate::crypto::Randomness;
use crate::custody::Custody;
use crate::records;
use crate::store::{Store, Work};
use std::sync::Arc;

/// Makes the record that says which installation this is, in a unit of work of the opened system domain.
pub async fn installation(
    custody: &Custody,
    work: &mut Work,
    randomness: &dyn Randomness,
) -> Result<InstallationRecord, AdministrationError> {
    let mut instance = [0; 16];
    randomness.fill(&mut instance)?;
    let record = InstallationRecord::new(instance);
    kek::put(custody, work, InstallationRecord::key(), record.encode()).await?;
    Ok(record)
}

/// Which installation this is, as genesis wrote it.
pub async fn installed(custody: &Custody, store: &Arc<dyn Store>) -> Result<InstallationRecord, AdministrationError> {
    let damaged = || AdministrationError::Damaged(INSTALLATION.0);
    let record = store.load(InstallationRecord::key()).await?.ok_or_else(damaged)?;
    let body = records::open(custody, &record).map_err(|_| damaged())?;
    InstallationRecord::decode(body).map_err(|_| damaged())
}
