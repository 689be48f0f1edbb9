//! Administration: vendor operations 8001ffnn, spoken from 2.0 on. One file for each family.

mod ceremony;
mod clients;
mod endpoints;
mod hsm_profiles;
mod keks;
mod namespaces;
mod objects;
mod people;
mod policies;
mod possession;
mod proposals;
mod quarantine;
mod server;
mod shares;
mod tenants;

pub use ceremony::*;
pub use clients::*;
pub use endpoints::*;
pub use hsm_profiles::*;
pub use keks::*;
pub use namespaces::*;
pub use objects::*;
pub use people::*;
pub use policies::*;
pub use possession::*;
pub use proposals::*;
pub use quarantine::*;
pub use server::*;
pub use shares::*;
pub use tenants::*;
