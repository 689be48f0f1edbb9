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
    let mac = custody.record_mac(key.domain, &[&place(key, revision), &body])?;
    body.extend_from_slice(&mac);
    Ok((body, mac))
}

/// A body and its MAC, as they lie together in a record; the MAC is not checked.
#[must_use]
pub fn parts(body: &[u8]) -> Option<(&[u8], [u8; MAC])> {
    body.split_last_chunk().map(|(body, mac)| (body, *mac))
}

/// The body of a record, if its MAC is right.
pub fn open<'a>(custody: &Custody, record: &'a Record) -> Result<&'a [u8], CustodyError> {
    let (body, mac) = parts(&record.body).ok_or(CustodyError::Record)?;
    let place = place(record.key, record.revision);
    custody.verify_record_mac(record.key.domain, &[&place, body], &mac)?;
    Ok(body)
}

/// Bytes of an encoded place.
const PLACE: usize = 8 + 16 + 1 + 16 + 8;

/// Where a record lies, and which revision of it: what the MAC covers before the body. Of fixed width, so that no two places
/// have the same bytes.
fn place(key: Key, revision: Revision) -> [u8; PLACE] {
    let Key { domain, kind, id } = key;
    let mut place = [0; PLACE];
    let fields = b"record 1"
        .iter()
        .copied()
        .chain(domain.0)
        .chain([kind.0])
        .chain(id)
        .chain(revision.0.to_be_bytes());
    place.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    place
}
