//! Claviger: a key-management server that speaks KMIP natively. `docs/ARCHITECTURE.md` walks one request through the house.

pub mod administration;
pub mod audit;
pub mod authority;
pub mod cli;
pub mod clock;
pub mod compose;
pub mod courier;
pub mod crypto;
pub mod custody;
pub mod exchange;
pub mod failure;
pub mod heavy;
pub mod identity;
pub mod listener;
pub mod objects;
pub mod operations;
pub mod outbox;
pub mod records;
pub mod scrub;
pub mod settings;
pub mod store;
pub mod wait;
