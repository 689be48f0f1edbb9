//! The VOCABULARY of KMIP 1.0–2.1: what the specifications say, as rows in tables.
//!
//! A row is written once. From it come the type, its reading and writing, its names in XML and JSON, and the versions
//! that have it. Reading is strict: fields in the order of the specification, no field that the version lacks.
//! Typed values carry no version; the version is given when they are read or written.

mod enumeration;
pub mod enumerations;
pub mod names;
pub mod tag;
mod version;

pub use enumeration::Names;
pub use enumerations::*;
pub use names::KmipVocabulary;
pub use version::{Version, Versions};
