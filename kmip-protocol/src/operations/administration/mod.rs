//! Administration: vendor operations 8001ffnn, spoken from 2.0 on. One file for each family.

mod clients;
mod namespaces;
mod people;
mod policies;
mod proposals;
mod server;
mod tenants;

pub use clients::*;
pub use namespaces::*;
pub use people::*;
pub use policies::*;
pub use proposals::*;
pub use server::*;
pub use tenants::*;

/// What a new credential's key signs to show that its holder has it (Credential Add).
#[must_use]
pub fn possession_statement(person_name: &str, key_fingerprint: &[u8]) -> Vec<u8> {
    let mut statement = b"claviger/possession/v1\0".to_vec();
    statement.extend_from_slice(key_fingerprint);
    statement.extend_from_slice(person_name.as_bytes());
    statement
}
