//! What handlers work with, put together once by `compose`.

use crate::clock::Clock;
use crate::crypto::Randomness;
use crate::custody::Custody;
use crate::heavy::Heavy;
use crate::store::Store;
use std::sync::Arc;

/// The rooms below, as handlers see them.
pub struct Services {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// What seals them.
    pub custody: Arc<Custody>,
    /// Where keys come from.
    pub randomness: Arc<dyn Randomness>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where heavy work goes.
    pub heavy: Heavy,
    /// What one request may ask for.
    pub limits: Limits,
}

/// Limits of requests, each with its reason.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items in a batch: more than any client sends, few enough to answer within a deadline.
    pub batch_items: usize,
    /// Identifiers in a Locate answer: keeps the answer within a default response.
    pub located: usize,
    /// Candidates that one Locate looks at before it stops counting.
    pub examined: usize,
    /// Bytes of one RNG Retrieve.
    pub random_bytes: usize,
    /// Attribute instances of one object.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_items: 1_000,
            located: 10_000,
            examined: 100_000,
            random_bytes: 64 * 1024,
            attributes: 1_000,
        }
    }
}
