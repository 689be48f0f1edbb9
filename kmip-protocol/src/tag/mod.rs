//! Tags: the numbers of items, with their names and the versions that have them (KMIP 2.1 §11.56 and the older specifications).
//!
//! A row is `CONSTANT Name = number "Name in the specification" [versions];`. `Name` is the normalised name of XML and
//! JSON; the specification's name is also the Attribute Name of 1.x.

pub mod extension;
pub mod standard;

pub use extension::*;
// The functions of both files are shadowed by those below; the names are the specification's.
pub use standard::*;

use crate::version::Versions;
use kmip_ttlv::Tag;

macro_rules! tags {
    ($($constant:ident $name:ident = $value:literal $spec:literal $([$($range:tt)+])? ;)+) => {
        $(
            #[doc = $spec]
            pub const $constant: Tag = Tag($value);
        )+

        /// Every tag, in the order of the numbers.
        pub const ALL: &[Tag] = &[$($constant),+];

        /// The name of a tag in XML and JSON.
        #[must_use]
        pub const fn name(tag: Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some(stringify!($name)),)+
                _ => None,
            }
        }

        /// The name of a tag in the text of the specification, which is also the Attribute Name of 1.x.
        #[must_use]
        pub const fn specification_name(tag: Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some($spec),)+
                _ => None,
            }
        }

        /// The tag with this name in XML and JSON.
        #[must_use]
        pub fn from_name(name: &str) -> Option<Tag> {
            match name {
                $(stringify!($name) => Some($constant),)+
                _ => None,
            }
        }

        /// The tag with this name in the text of the specification.
        #[must_use]
        pub fn from_specification_name(name: &str) -> Option<Tag> {
            match name {
                $($spec => Some($constant),)+
                _ => None,
            }
        }

        /// The versions that have this tag.
        #[must_use]
        pub const fn versions(tag: Tag) -> Option<Versions> {
            match tag.0 {
                $($value => Some(versions!($($($range)+)?)),)+
                _ => None,
            }
        }
    };
}

pub(crate) use tags;

/// Every tag of the specification, in the order of the numbers. Ours are in [`extension::ALL`].
pub const ALL: &[Tag] = standard::ALL;

/// The name of a tag in XML and JSON.
#[must_use]
pub const fn name(tag: Tag) -> Option<&'static str> {
    match standard::name(tag) {
        None => extension::name(tag),
        known => known,
    }
}

/// The name of a tag in the text of the specification, which is also the Attribute Name of 1.x.
#[must_use]
pub const fn specification_name(tag: Tag) -> Option<&'static str> {
    match standard::specification_name(tag) {
        None => extension::specification_name(tag),
        known => known,
    }
}

/// The tag with this name in XML and JSON.
#[must_use]
pub fn from_name(name: &str) -> Option<Tag> {
    standard::from_name(name).or_else(|| extension::from_name(name))
}

/// The tag with this name in the text of the specification. No extension is an attribute.
#[must_use]
pub fn from_specification_name(name: &str) -> Option<Tag> {
    standard::from_specification_name(name)
}

/// The versions that have this tag.
#[must_use]
pub const fn versions(tag: Tag) -> Option<Versions> {
    match standard::versions(tag) {
        None => extension::versions(tag),
        known => known,
    }
}
