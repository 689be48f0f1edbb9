//! How keys and index rows are laid out in blobs.

use super::super::contract::IndexRow;
use super::super::key::{ClaimKey, Domain, GuardKey, IndexValue, Key, Kind};

/// The length of a record's key.
const KEY_LENGTH: usize = 33;

pub(super) fn key_blob(key: Key) -> [u8; KEY_LENGTH] {
    joined(key.domain, key.kind.0, key.id)
}

pub(super) fn guard_blob(key: GuardKey) -> [u8; KEY_LENGTH] {
    joined(key.domain, key.set, key.id)
}

fn joined(domain: Domain, middle: u8, id: [u8; 16]) -> [u8; KEY_LENGTH] {
    let mut blob = [0; KEY_LENGTH];
    let parts = domain.0.into_iter().chain([middle]).chain(id);
    blob.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    blob
}

pub(super) fn key_from(blob: &[u8]) -> Option<Key> {
    let (domain, rest) = blob.split_first_chunk::<16>()?;
    let (kind, id) = rest.split_first()?;
    Some(Key {
        domain: Domain(*domain),
        kind: Kind(*kind),
        id: id.try_into().ok()?,
    })
}

pub(super) fn claim_blob(claim: &ClaimKey) -> Vec<u8> {
    let mut blob = Vec::with_capacity(claim.encoded().len().saturating_add(17));
    blob.extend_from_slice(&claim.domain().0);
    blob.push(claim.space());
    blob.extend_from_slice(claim.encoded());
    blob
}

/// Domain, kind, application, attribute.
pub(super) fn place(domain: Domain, kind: Kind, application: [u8; 16], attribute: u32) -> Vec<u8> {
    let mut blob = Vec::with_capacity(37);
    blob.extend_from_slice(&domain.0);
    blob.push(kind.0);
    blob.extend_from_slice(&application);
    blob.extend_from_slice(&attribute.to_be_bytes());
    blob
}

/// A record's index rows, kept beside it so that the next write knows which ones to take away: sorted, each once;
/// application, attribute, length of the value in one byte, value.
pub(super) fn encode_rows(rows: &[&IndexRow]) -> Vec<u8> {
    let mut blob = Vec::new();
    for row in rows {
        blob.extend_from_slice(&row.application);
        blob.extend_from_slice(&row.attribute.to_be_bytes());
        let value = row.value.encoded();
        // The short form of a value has at most 65 bytes.
        blob.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        blob.extend_from_slice(value);
    }
    blob
}

/// Takes back what [`encode_rows`] gave; `None`: the blob is damaged.
pub(super) fn decode_rows(mut blob: &[u8]) -> Option<Vec<IndexRow>> {
    let mut rows = Vec::new();
    while !blob.is_empty() {
        let (application, rest) = blob.split_first_chunk::<16>()?;
        let (attribute, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        rows.push(IndexRow {
            application: *application,
            attribute: u32::from_be_bytes(*attribute),
            value: IndexValue::from_encoded(value),
        });
        blob = rest;
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_rows_come_back() {
        let key = Key {
            domain: Domain([1; 16]),
            kind: Kind(2),
            id: [3; 16],
        };
        assert_eq!(key_from(&key_blob(key)), Some(key));
        assert_eq!(key_from(&[0; 32]), None);
        let row = |n| IndexRow {
            application: [n; 16],
            attribute: 0x42_0053,
            value: IndexValue::bytes(&[n; 70]),
        };
        let rows = [row(1), row(2)];
        let blob = encode_rows(&rows.each_ref());
        assert_eq!(decode_rows(&blob).as_deref(), Some(rows.as_slice()));
        assert_eq!(decode_rows(&blob[..blob.len() - 1]), None);
    }
}
