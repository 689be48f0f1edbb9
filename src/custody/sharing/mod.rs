//! The key-management credential of an HSM-Profile, which nobody has alone: sealed under a key whose shares those hold who decide, each
//! encrypted to its holder's share key. What is in the database, with all that the server keeps, opens it as little as one person does.

mod deal;
mod enrolled;
mod envelope;
mod openings;
mod record;
pub(super) mod shamir;
#[cfg(test)]
mod tests;

pub use deal::{LONGEST_CREDENTIAL, is_share};
pub use enrolled::{EnrolledKey, SHARE_KEY};
pub use envelope::{Envelope, ShareKey, ShareSecret};
pub use openings::{Occasion, Openings};
pub use record::{Binding, HeldShare, Place, Plan, PlannedGroup, Recipient, SHARING, SharedGroup, Sharing, Slot};
