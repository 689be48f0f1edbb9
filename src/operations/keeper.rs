//! Puts MACs to records and checks them: what identity and authority ask of custody.

use crate::custody::{Custody, CustodyError};
use crate::failure::{Failure, Fault};
use crate::identity::{EnrollError, RecordOpener, RecordSealer, Unopened};
use crate::records;
use crate::store::{Key, Record, Revision};
use std::ops::Deref;
use std::sync::Arc;

/// The keeper of record MACs; it has the custody, or borrows it.
pub struct Keeper<C = Arc<Custody>>(pub C);

impl<C: Deref<Target = Custody> + Send + Sync> RecordOpener for Keeper<C> {
    fn open(&self, record: &Record) -> Result<Vec<u8>, Unopened> {
        match records::open(&self.0, record) {
            Ok(body) => Ok(body.to_vec()),
            Err(CustodyError::Refused | CustodyError::Record) => Err(Unopened::Damaged),
            Err(_) => Err(Unopened::Away),
        }
    }
}

impl<C: Deref<Target = Custody> + Send + Sync> RecordSealer for Keeper<C> {
    fn seal(&self, key: Key, revision: Revision, bytes: &[u8]) -> Option<Vec<u8>> {
        let closed = records::close(&self.0, key, revision, bytes.to_vec());
        closed.ok().map(|(body, _)| body)
    }
}

impl From<EnrollError> for Failure {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Store(why) => why.into(),
            EnrollError::Taken => Fault::Taken.into(),
            EnrollError::Certificate(why) => Self::detailed(Fault::InvalidField, why),
            EnrollError::Sealing => Self::detailed(Fault::CustodyUnavailable, error),
        }
    }
}
