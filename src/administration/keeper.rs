//! Puts MACs to administrative records and checks them: what identity asks of custody.

use crate::custody::Custody;
use crate::identity::{RecordOpener, RecordSealer};
use crate::records;
use crate::store::{Key, Record, Revision};
use std::sync::Arc;

/// The keeper of record MACs.
pub struct Keeper(pub Arc<Custody>);

impl RecordOpener for Keeper {
    fn open(&self, record: &Record) -> Option<Vec<u8>> {
        records::open(&self.0, record).ok().map(<[u8]>::to_vec)
    }
}

impl RecordSealer for Keeper {
    fn seal(&self, key: Key, revision: Revision, bytes: &[u8]) -> Option<Vec<u8>> {
        records::close(&self.0, key, revision, bytes.to_vec())
            .ok()
            .map(|(body, _)| body)
    }
}
