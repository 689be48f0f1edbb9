//! The VOCABULARY of KMIP 1.0–2.1: what the specifications say, as rows in tables.
//!
//! A row is written once. From it come the type, its reading and writing, its names in XML and JSON, and the versions
//! that have it. Reading is strict: fields in the order of the specification, no field that the version lacks.
//! Typed values carry no version; the version is given when they are read or written, and what it does not have is left out.
//!
//! - [`RequestMessage`] and [`ResponseMessage`] are where reading and writing begin.
//! - A new field, value, attribute or operation is a new row: see [`tag`], `enumerations`, `structures`, `attribute/rows.rs`,
//!   `operations`. A renamed field has a row with both tags; a shape that differs is spelled in a file of its own
//!   (`attribute/named.rs` for 1.x, `attribute/tagged.rs` since 2.0).
//! - Nothing that may hold a secret implements `Debug`.

// Identifiers are the names on the wire of XML and JSON: `X_509CertificateSubject`, `PKCS_12FriendlyName`.
#![allow(non_camel_case_types)]

pub mod attribute;
mod enumeration;
pub mod enumerations;
pub mod errors;
mod extensions;
mod field;
#[cfg(test)]
mod field_tables;
mod known;
mod messages;
pub mod names;
mod operations;
#[cfg(test)]
mod sample;
mod structures;
pub mod tag;
mod values;
mod version;

pub use attribute::*;
pub use enumeration::Names;
pub use enumerations::*;
pub use extensions::{Extension, extensions};
pub use field::{Field, FieldRow, Item, Occurrence, Structure};
pub use known::{JUDGED_IN_USE, holds_attributes};
pub use messages::*;
pub use names::KmipVocabulary;
pub use operations::*;
pub use structures::*;
pub use values::{AnyItem, AnyValue, BigInteger, DateTime, DateTimeExtended, Interval, SecretText};
pub use version::{Version, Versions};
