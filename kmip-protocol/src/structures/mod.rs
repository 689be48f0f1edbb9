//! Structures: rows of fields, in the order of the specification.

mod attributes;
mod ceremony;
mod clients;
mod credentials;
mod cryptography;
mod custody;
mod endpoints;
mod identifiers;
mod key_block;
mod objects;
mod people;
mod policies;
mod proposals;
mod rights;
mod server;
mod shares;
mod tenants;
mod transparent;

pub use attributes::*;
pub use ceremony::*;
pub use clients::*;
pub use credentials::*;
pub use cryptography::*;
pub use custody::*;
pub use endpoints::*;
pub use identifiers::*;
pub use key_block::*;
pub use objects::*;
pub use people::*;
pub use policies::*;
pub use proposals::*;
pub use rights::*;
pub use server::*;
pub use shares::*;
pub use tenants::*;
pub use transparent::*;
