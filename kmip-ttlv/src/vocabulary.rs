//! What the text encodings need to know of the vocabulary: names for numbers, and back.

use crate::tag::Tag;

/// Where a value stands, which decides what its names mean.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The tag of the item.
    pub tag: Tag,
    /// For an Attribute Value of KMIP 1.x: the Attribute Name beside it. Its value belongs to that attribute's enumeration.
    pub attribute: Option<&'a str>,
}

/// Names for tags, enumeration values and mask bits, as XML and JSON spell them (normalised: `PKCS_1`, `IVCounterNonce`).
pub trait Vocabulary {
    /// The name of a tag.
    fn tag_name(&self, tag: Tag) -> Option<&str>;
    /// The tag with this name.
    fn tag_named(&self, name: &str) -> Option<Tag>;
    /// The name of an enumeration value, or of one bit of a mask.
    fn value_name(&self, scope: Scope<'_>, value: u32) -> Option<&str>;
    /// The enumeration value, or the mask bit, with this name.
    fn value_named(&self, scope: Scope<'_>, name: &str) -> Option<u32>;
    /// Whether an Integer here is a mask, spelled as words.
    fn is_mask(&self, scope: Scope<'_>) -> bool;
    /// Whether this item is the Attribute Name (true for exactly one tag): its text sets the scope of its siblings.
    fn is_attribute_name(&self, tag: Tag) -> bool;
}
