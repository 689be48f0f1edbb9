//! HSMs as they are: what they can do, and what goes wrong with them. SoftHSM2 behind the fault-injecting shim stands for all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test file through and through

mod envelopes;
mod examination;
#[path = "../support/folder.rs"]
mod folder;
mod matrix;
mod other;
mod pins;
mod schemes;
mod shares;
mod worker;
mod world;
