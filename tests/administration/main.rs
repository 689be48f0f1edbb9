//! Administration as its people meet it: by the command line alone, on a fresh machine, against a server in a process of its own.
//! A file for each process; what one person alone must not do is tried at each step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod accounts;
mod administrators;
mod certificates;
mod client;
mod clients;
mod delivery;
#[path = "../support/folder.rs"]
mod folder;
mod hsm;
mod keks;
mod memory;
mod migration;
mod moving;
mod namespaces;
mod office;
mod proposals;
mod remains;
mod restored;
mod reversed;
mod rotation;
mod session;
mod shares;
mod tenants;
mod token;
