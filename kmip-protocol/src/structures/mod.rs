//! Structures: rows of fields, in the order of the specification.

mod attributes;
mod credentials;
mod cryptography;
mod identifiers;
mod key_block;
mod objects;
mod rights;
mod server;
mod transparent;

pub use attributes::*;
pub use credentials::*;
pub use cryptography::*;
pub use identifiers::*;
pub use key_block::*;
pub use objects::*;
pub use rights::*;
pub use server::*;
pub use transparent::*;
