//! The scrub: compares what lies in the store with what the change trail says was left there, and knows which records are held because
//! they were not the same. A whole old row that is put back has a right MAC; that it is old, only the trail knows.

mod cursor;
mod finding;
mod freshness;
mod quarantine;
mod round;
mod streams;
mod table;
mod track;

pub use cursor::Cursor;
pub use finding::{FINDING, Finding, Wrong};
pub use freshness::{AnchorError, Expected, Freshness, Restored, Why, found};
pub use quarantine::{Barrier, Gated, Progress, Quarantine, Summary, findings};
pub use round::{Outcome, Scrub, state};
pub use streams::{Known, TrailFault, first_key};
pub use table::{Slice, State};

use crate::custody::CustodyError;
use crate::store::StoreError;

/// Why a comparison came to no end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScrubError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system's record key is not open.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}
