//! The FORMAT of KMIP messages: TTLV, and its XML and JSON spellings.
//!
//! This crate knows items, lengths and nesting; it knows no tag by name, does no I/O and asks no clock.
//! TTLV is the canonical form: typed values are read from and written to it, XML and JSON are transcoded
//! to and from it with the names that a [`Vocabulary`] supplies.
//!
//! KMIP 2.1 §10 (Message Encoding); KMIP Additional Message Encodings 1.0.

pub mod encoding;
pub mod error;
pub mod frame;
mod hex;
pub mod item;
pub mod json;
pub mod limits;
mod moment;
pub mod reader;
mod scalar;
pub mod secret;
pub mod tag;
mod text;
pub mod vocabulary;
pub mod writer;
pub mod xml;

pub use encoding::Encoding;
pub use error::{Error, ErrorKind, Result};
pub use frame::{Frame, FrameError};
pub use hex::Hex;
pub use item::ItemType;
pub use limits::TextLimits;
pub use reader::{Reader, Value};
pub use secret::Secret;
pub use tag::Tag;
pub use vocabulary::{Scope, Vocabulary};
pub use writer::Writer;
