//! Plays KMIP test cases, written in XML as OASIS publishes them, against any server over TLS.
//!
//! A case is a sequence of requests and the responses expected to them. What a response may differ in is written down
//! in one place ([`freedom`]); everything else has to match, result reasons included.

pub mod binding;
pub mod case;
pub mod compare;
pub mod element;
pub mod expectations;
pub mod freedom;
pub mod listening;
pub mod pattern;
pub mod people;
pub mod play;
pub mod report;
pub mod told;
pub mod tree;
