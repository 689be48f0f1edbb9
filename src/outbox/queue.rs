//! What waits for an endpoint: written, found in order, taken off. All on the unit of work that it belongs to.

use super::endpoint::{EndpointId, EndpointRecord, counter};
use super::message::MessageRecord;
use crate::custody::{Custody, CustodyError};
use crate::records;
use crate::store::{Key, StoreError, Work};

/// Messages that may wait for one endpoint: one that is away for a night, of a client that makes a key a minute, misses nothing. The oldest
/// are kept, so that what arrives is without gaps up to the first that is missing.
pub const MOST_WAITING: i64 = 1_000;

/// Messages found at a time.
const PAGE: usize = 1_000;

/// Counters of endpoints have no bounds of their own.
const UNBOUNDED: (i64, i64) = (i64::MIN, i64::MAX);

/// Why a message was not written.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record key is away.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// It waits.
    Waits,
    /// There was no room, which is counted.
    Lost,
    /// Its endpoint is no more, or held: whoever remembered it did not know that yet.
    NoEndpoint,
}

/// Writes a message under this identifier, if its endpoint is there and there is room. The unit of work rests on the endpoint: nothing is
/// written for one that is deleted meanwhile.
///
/// # Errors
/// See [`QueueError`].
pub async fn append(
    custody: &Custody,
    work: &mut Work,
    (endpoint, id): (EndpointId, [u8; 16]),
    message: &MessageRecord,
) -> Result<Appended, QueueError> {
    match work.load(endpoint.key()).await {
        Ok(Some(_)) => {}
        Ok(None) | Err(StoreError::Quarantined) => return Ok(Appended::NoEndpoint),
        Err(error) => return Err(error.into()),
    }
    let waiting = work.counter(endpoint.key(), counter::WAITING).await?.unwrap_or(0);
    if waiting >= MOST_WAITING {
        let _ = work.adjust(endpoint.key(), counter::LOST, 1, UNBOUNDED).await?;
        return Ok(Appended::Lost);
    }
    let key = Key {
        domain: endpoint.domain,
        kind: super::MESSAGE,
        id,
    };
    let revision = work.next_revision(key);
    let (body, _) = records::close(custody, key, revision, message.encode())?;
    work.put(key, body, message.rows());
    let _ = work.adjust(endpoint.key(), counter::WAITING, 1, UNBOUNDED).await?;
    Ok(Appended::Waits)
}

/// The places of what waits for an endpoint, oldest first.
///
/// # Errors
/// The store did not answer.
pub async fn waiting(work: &mut Work, endpoint: EndpointId) -> Result<Vec<Key>, StoreError> {
    let mut query = MessageRecord::query(endpoint, PAGE);
    let mut found = Vec::new();
    loop {
        let hits = work.find(&query).await?;
        found.extend(hits.iter().map(|hit| hit.key));
        match hits.last() {
            Some(last) if hits.len() >= PAGE => query.before = Some(last.creation),
            _ => break,
        }
    }
    found.reverse();
    Ok(found)
}

/// Takes a message off. Whether it was there.
///
/// # Errors
/// The store did not answer.
pub async fn settle(work: &mut Work, endpoint: EndpointId, message: Key) -> Result<bool, StoreError> {
    let existed = work.delete(message).await?;
    // The counter goes with the endpoint.
    if existed && work.peek(endpoint.key()).await?.is_some() {
        let _ = work.adjust(endpoint.key(), counter::WAITING, -1, UNBOUNDED).await?;
    }
    Ok(existed)
}

/// Removes an endpoint with all that waits for it.
///
/// # Errors
/// The store did not answer.
pub async fn remove_endpoint(work: &mut Work, id: EndpointId, record: &EndpointRecord) -> Result<(), StoreError> {
    remove_waiting(work, id).await?;
    let claim = EndpointRecord::name_claim(id.domain, &record.name);
    work.release(claim, id.key()).await?;
    work.delete(id.key()).await?;
    Ok(())
}

/// Removes what waits for an endpoint. How many messages those were.
///
/// # Errors
/// The store did not answer.
pub async fn remove_waiting(work: &mut Work, id: EndpointId) -> Result<usize, StoreError> {
    let messages = waiting(work, id).await?;
    for message in &messages {
        work.delete(*message).await?;
    }
    Ok(messages.len())
}
