//! Requests that the server sends to a client over the client's own connection (KMIP 2.1 §6.2, server to client
//! operations): written between answers, never within one; their responses come back in the order of the requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for one connection to write them.
pub(super) const QUEUE_LENGTH: usize = 4;

/// Requests of one connection that may wait for their responses.
pub(super) const MAX_WAITING: usize = 16;

/// The connections through which clients can be reached.
#[derive(Default)]
pub struct Outgoing {
    connections: Mutex<HashMap<u64, mpsc::Sender<OutgoingRequest>>>,
}

/// A request on its way, and where its response goes.
pub(super) struct OutgoingRequest {
    pub(super) message: Vec<u8>,
    pub(super) response: oneshot::Sender<Vec<u8>>,
}

/// Why there is no response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed,
    /// Too many requests wait already.
    #[error("too many requests wait for this connection")]
    Busy,
    /// The client did not answer in time. It may have acted on the request.
    #[error("the client did not answer in time")]
    NoAnswer,
}

impl Outgoing {
    /// Sends a request by this connection ([`crate::exchange::ConnectionFacts::connection`]) and waits for the response.
    pub async fn request(
        &self,
        connection: u64,
        message: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, OutgoingError> {
        let queue = self.lock().get(&connection).cloned().ok_or(OutgoingError::Closed)?;
        let (response, answered) = oneshot::channel();
        queue
            .try_send(OutgoingRequest { message, response })
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => OutgoingError::Busy,
                mpsc::error::TrySendError::Closed(_) => OutgoingError::Closed,
            })?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err(OutgoingError::Closed),
            Err(_) => Err(OutgoingError::NoAnswer),
        }
    }

    pub(super) fn open(&self, connection: u64) -> mpsc::Receiver<OutgoingRequest> {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        self.lock().insert(connection, sender);
        receiver
    }

    pub(super) fn close(&self, connection: u64) {
        self.lock().remove(&connection);
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, mpsc::Sender<OutgoingRequest>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
