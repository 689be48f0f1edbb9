//! What every store must do, run on every engine; and what the file of the embedded engine must survive.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop where they are surprised"
)]

mod audit_trail;
mod crash;
mod differential;
mod disk;
mod engines;
mod erasure;
mod overlay;
mod queries;
mod races;
