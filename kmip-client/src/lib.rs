//! A blocking KMIP client over mutually authenticated TLS: one connection, one message out, one message back,
//! as it is or in HTTP.
//!
//! The command line, the conformance player and the load comparisons speak to servers through it. It trusts a server no
//! more than a server trusts a client: every length is checked against a limit before anything is allocated.

mod connection;
mod endpoint;
mod error;
mod http;
mod identity;

pub use connection::{Carrier, Connection, Settings};
pub use endpoint::{Endpoint, Incoming};
pub use error::Error;
pub use identity::Identity;
