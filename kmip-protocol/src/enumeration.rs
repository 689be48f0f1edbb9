//! What every enumeration and bit mask of the vocabulary has in common, and the macro that makes one from its rows.

use crate::version::Versions;
use kmip_ttlv::Tag;

/// An enumeration or mask as text encodings and tests see it: names and numbers without the type.
#[derive(Clone, Copy)]
pub struct Names {
    /// The type's name, which is the normalised name of the specification's table.
    pub type_name: &'static str,
    /// The tag under which values of this type travel by default.
    pub tag: Tag,
    /// Whether values are bits of an Integer.
    pub is_mask: bool,
    /// The name of a value (of a bit, for masks).
    pub name: fn(u32) -> Option<&'static str>,
    /// The value (the bit) with this name, in any spelling that a version has given it.
    pub value: fn(&str) -> Option<u32>,
    /// Every value, with the versions that have it.
    pub rows: &'static [(u32, Versions)],
}

/// Declares enumerations: open integers with named constants. An unknown value survives and prints as hex.
///
/// A row is `Name = number "Name in the specification" [versions] else Other;`, where `else Other` is what a peer is
/// told whose version does not have the value (`else Other [..=V2_0]`: what peers up to 2.0 are told, although the value
/// is numbered there). `also "Spelling"` adds a spelling that some version or published case uses.
macro_rules! enumeration {
    ($(
        $(#[$meta:meta])*
        $type:ident($tag:ident) {
            $(
                $name:ident = $value:literal $spec:literal $([$($range:tt)+])?
                $(also $($spelling:literal),+)?
                $(else $other:ident $([$($told:tt)+])?)? ;
            )*
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u32);

        $crate::enumeration::shared! { $type($tag) false {
            $($name = $value $spec [$($($range)+)?] [$($($spelling),+)?] [$($other [$($($told)+)?])?];)*
        } }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:08X}", self.0),
                }
            }
        }
    )+};
}

/// Declares bit masks: the same rows, where each number is one bit.
macro_rules! mask {
    ($(
        $(#[$meta:meta])*
        $type:ident($tag:ident) {
            $(
                $name:ident = $value:literal $spec:literal $([$($range:tt)+])? $(also $($spelling:literal),+)? ;
            )+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $type(pub u32);

        $crate::enumeration::shared! { $type($tag) true {
            $($name = $value $spec [$($($range)+)?] [$($($spelling),+)?] [];)+
        } }

        impl $type {
            /// No bit at all.
            pub const NONE: Self = Self(0);

            /// Whether every bit of `other` is set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl core::ops::BitOr for $type {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut rest = self.0;
                let mut separator = "";
                for bit in Self::ALL {
                    if let (true, Some(name)) = (self.0 & bit.0 != 0, bit.name()) {
                        write!(f, "{separator}{name}")?;
                        separator = " ";
                        rest &= !bit.0;
                    }
                }
                if rest != 0 || self.0 == 0 {
                    write!(f, "{separator}0x{rest:08X}")?;
                }
                Ok(())
            }
        }
    )+};
}

/// The part that enumerations and masks share.
macro_rules! shared {
    ($type:ident($tag:ident) $mask:literal {
        $($name:ident = $value:literal $spec:literal [$($range:tt)*] [$($spelling:literal),*]
            [$($other:ident [$($told:tt)*])?];)*
    }) => {
        #[allow(non_upper_case_globals)] // identifiers are the names on the wire of XML and JSON
        impl $type {
            $(
                #[doc = $spec]
                pub const $name: Self = Self($value);
            )*

            /// Every named value, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The names, without the type.
            pub const NAMES: $crate::enumeration::Names = $crate::enumeration::Names {
                type_name: stringify!($type),
                tag: $crate::tag::$tag,
                is_mask: $mask,
                name: |value| Self(value).name(),
                value: |name| Self::from_name(name).map(|v| v.0),
                rows: &[$(($value, $crate::version::versions!($($range)*))),*],
            };

            /// The name of this value, as XML and JSON spell it.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The value with this name, in any spelling that a version has given it.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) $(| $spelling)* => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The versions that have this value; `None` for a number without a name.
            #[must_use]
            pub const fn versions(self) -> Option<$crate::Versions> {
                match self.0 {
                    $($value => Some($crate::version::versions!($($range)*)),)*
                    _ => None,
                }
            }

            /// Whether `version` has this value.
            #[must_use]
            pub const fn is_known_in(self, version: $crate::Version) -> bool {
                match self.versions() {
                    Some(versions) => versions.include(version),
                    None => false,
                }
            }

            $crate::enumeration::substitutes! { $($($name $other [$($told)*];)?)* }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// `for_version`, for enumerations with an `else` column.
macro_rules! substitutes {
    () => {};
    ($($name:ident $other:ident [$($told:tt)*];)+) => {
        /// The value that a peer of this version is told: this one where the version has it, else what its row names.
        #[must_use]
        pub fn for_version(self, version: $crate::Version) -> Self {
            let mut value = self;
            // A substitute may itself be too new; the rows are shorter than this many steps.
            for _ in 0..4 {
                value = match value {
                    $(Self::$name if $crate::enumeration::told!(value, version, $($told)*) => Self::$other,)+
                    known => return known,
                };
            }
            value
        }
    };
}

/// Whether the substitute applies: in the versions that the row says, else wherever the value is absent.
macro_rules! told {
    ($value:ident, $version:ident,) => {
        !$value.is_known_in($version)
    };
    ($value:ident, $version:ident, $($told:tt)+) => {
        $crate::version::versions!($($told)+).include($version)
    };
}

pub(crate) use {enumeration, mask, shared, substitutes, told};

#[cfg(test)]
mod tests {
    use crate::{CryptographicAlgorithm, CryptographicUsageMask, ResultReason, Version};

    #[test]
    fn unknown_values_survive_and_print_as_hex() {
        assert_eq!(CryptographicAlgorithm(0x8000_0001).to_string(), "0x80000001");
        assert_eq!(format!("{:?}", CryptographicAlgorithm::AES), "AES");
        assert_eq!(
            (CryptographicUsageMask::Sign | CryptographicUsageMask(1 << 31)).to_string(),
            "Sign 0x80000000"
        );
    }

    #[test]
    fn older_peers_are_told_what_they_know() {
        for reason in ResultReason::ALL {
            for version in Version::ALL {
                let told = reason.for_version(version);
                assert!(told.is_known_in(version), "{reason} becomes {told} in {version}");
            }
        }
        let state = ResultReason::WrongKeyLifecycleState;
        assert_eq!(state.for_version(Version::V2_0), ResultReason::PermissionDenied);
        assert_eq!(state.for_version(Version::V2_1), state);
        assert_eq!(
            ResultReason::ObjectDestroyed.for_version(Version::V1_4),
            ResultReason::ItemNotFound
        );
    }
}
