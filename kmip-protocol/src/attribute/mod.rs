//! Attributes: what is known about an object, in the two spellings that versions have for it.

mod instance;
mod named;
mod pattern;
mod reference;
mod rows;
mod rules;
mod stored;
mod tagged;

pub use instance::{AttributeInstance, Attributes, TemplateAttribute};
pub use pattern::{AttributePattern, AttributePatterns};
pub use reference::{AttributeReference, VendorName};
pub use rows::{Attribute, AttributeKind};
pub use rules::{Amount, ObjectTypeSet, Party, Rules};

use crate::AnyValue;

/// An attribute outside the specification: a Vendor Attribute (KMIP 2.1 §4.60), which 1.x calls Custom Attribute and
/// names `x-…` (the client's) or `y-…` (the server's); here these are the vendors `x` and `y`.
#[derive(Clone, PartialEq)]
pub struct VendorAttribute {
    /// Whose attribute it is, and its name.
    pub name: VendorName,
    /// Its value, of the type that its owner chose.
    pub value: AnyValue,
}

/// An attribute that the version does not have, as it was sent: to be refused by name.
#[derive(Clone, PartialEq)]
pub struct UnknownAttribute {
    /// Its name or tag.
    pub reference: AttributeReference,
    /// Its value.
    pub value: AnyValue,
}
