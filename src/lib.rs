//! Claviger: a key-management server that speaks KMIP natively. `docs/ARCHITECTURE.md` walks one request through the house.

pub mod audit;
pub mod crypto;
pub mod custody;
pub mod exchange;
pub mod identity;
pub mod listener;
pub mod store;
pub mod wait;
