//! The listener with real TLS on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod behaviour;
mod handshake;
mod https;
mod memory;
mod reversed;
mod world;
