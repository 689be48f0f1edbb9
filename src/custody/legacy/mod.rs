//! Legacy cryptotokens: an HSM token's credentials, sealed under a secret that is split in shares, of which each custodian holds one. They
//! are read here, gathered and opened; nothing but the test tool makes new ones.

mod credentials;
mod gathering;
mod share;
mod token;

pub use credentials::Credentials;
pub use gathering::{Gatherings, Holder, IDLE_MS, Unfit};
pub use share::{LONGEST_SHARE, Share, ShareError};
pub use token::{LONGEST_TOKEN, LegacyToken, TokenError};
