//! Records as they lie in the store: a body, followed by a MAC under the domain's record key over where it lies, which
//! revision it is and the body itself. A row that was edited, copied to another place, or put back under a later revision does
//! not open.

use crate::custody::{Custody, CustodyError};
use crate::store::{Key, Record, Revision};

/// Length of the MAC at the end of a body.
const MAC: usize = 32;

/// A body with its MAC, and the MAC by itself for the trail.
pub fn close(
    custody: &Custody,
    key: Key,
    revision: Revision,
    mut body: Vec<u8>,
) -> Result<(Vec<u8>, [u8; MAC]), CustodyError> {
    let mac = custody.record_mac(key.domain, &covered(key, revision, &body))?;
    body.extend_from_slice(&mac);
    Ok((body, mac))
}

/// The body of a record, if its MAC is right.
pub fn open<'a>(custody: &Custody, record: &'a Record) -> Result<&'a [u8], CustodyError> {
    let body_length = record.body.len().checked_sub(MAC).ok_or(CustodyError::Record)?;
    let (body, mac) = record.body.split_at_checked(body_length).ok_or(CustodyError::Record)?;
    custody.verify_record_mac(record.key.domain, &covered(record.key, record.revision, body), mac)?;
    Ok(body)
}

/// Fixed widths first, so that no two places have the same bytes.
fn covered(key: Key, revision: Revision, body: &[u8]) -> Vec<u8> {
    let Key { domain, kind, id } = key;
    let mut bytes = Vec::with_capacity(64_usize.saturating_add(body.len()));
    bytes.extend_from_slice(b"record 1");
    bytes.extend_from_slice(&domain.0);
    bytes.push(kind.0);
    bytes.extend_from_slice(&id);
    bytes.extend_from_slice(&revision.0.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}
