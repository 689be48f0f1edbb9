//! Protocol versions, and ranges of them: the first kind of version data that rows carry.

use core::fmt;

/// A version of the protocol that this crate speaks, oldest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// KMIP 1.0.
    V1_0,
    /// KMIP 1.1.
    V1_1,
    /// KMIP 1.2.
    V1_2,
    /// KMIP 1.3.
    V1_3,
    /// KMIP 1.4.
    V1_4,
    /// KMIP 2.0.
    V2_0,
    /// KMIP 2.1.
    V2_1,
}

impl Version {
    /// The oldest version spoken.
    pub const OLDEST: Self = Self::V1_0;
    /// The newest version spoken.
    pub const NEWEST: Self = Self::V2_1;
    /// Every version spoken, oldest first.
    pub const ALL: [Self; 7] = [
        Self::V1_0,
        Self::V1_1,
        Self::V1_2,
        Self::V1_3,
        Self::V1_4,
        Self::V2_0,
        Self::V2_1,
    ];

    /// The version with these numbers, if it is one of ours.
    #[must_use]
    pub const fn from_numbers(major: i32, minor: i32) -> Option<Self> {
        Some(match (major, minor) {
            (1, 0) => Self::V1_0,
            (1, 1) => Self::V1_1,
            (1, 2) => Self::V1_2,
            (1, 3) => Self::V1_3,
            (1, 4) => Self::V1_4,
            (2, 0) => Self::V2_0,
            (2, 1) => Self::V2_1,
            _ => return None,
        })
    }

    /// The number before the point.
    #[must_use]
    pub const fn major(self) -> i32 {
        match self {
            Self::V1_0 | Self::V1_1 | Self::V1_2 | Self::V1_3 | Self::V1_4 => 1,
            Self::V2_0 | Self::V2_1 => 2,
        }
    }

    /// The number after the point.
    #[must_use]
    pub const fn minor(self) -> i32 {
        match self {
            Self::V1_0 | Self::V2_0 => 0,
            Self::V1_1 | Self::V2_1 => 1,
            Self::V1_2 => 2,
            Self::V1_3 => 3,
            Self::V1_4 => 4,
        }
    }

    /// Whether a key is digested in its default format too, where it is kept in another (KMIP 2.1 §4.26).
    #[must_use]
    pub const fn digests_default_format(self) -> bool {
        self.has_tagged_attributes()
    }

    /// Whether the server supplies the algorithm that a client does not name for a new key (KMIP 2.1 §4, Table 28); up to 1.4 a request SHALL
    /// have it (KMIP 1.4 §4.1).
    #[must_use]
    pub const fn supplies_algorithm(self) -> bool {
        Versions::since(Self::V2_0).include(self)
    }

    /// Whether keys that the server makes are in their default format (KMIP 2.1 §4.26, Table 81). Before, there was none, and the transparent
    /// format of keys on curves came late.
    #[must_use]
    pub const fn makes_default_format(self) -> bool {
        self.has_tagged_attributes()
    }

    /// Whether Secret Data has a Cryptographic Length (KMIP 2.1 §4.15: all but Opaque Objects; KMIP 1.4 §3.5: keys and certificates).
    #[must_use]
    pub const fn measures_secret_data(self) -> bool {
        Versions::since(Self::V2_0).include(self)
    }

    /// Whether a PKCS#12 bundle is Key Material, as it is since attributes have tags of their own; before, the published cases have it in place
    /// of the Key Value, as one that is wrapped.
    #[must_use]
    pub const fn has_bundles_as_material(self) -> bool {
        self.has_tagged_attributes()
    }

    /// Whether the field GF(2^8) under GF(2^16), in which split keys are shared, is the one of `x^8 + x^4 + x^3 + x^2 + 1` (KMIP 2.1 §13.1)
    /// rather than that of AES (KMIP 1.4 §2.2.5).
    #[must_use]
    pub const fn shares_over_285(self) -> bool {
        self.has_tagged_attributes()
    }

    /// Whether an archived object is destroyed where it lies. Up to 1.4 it is to be recovered first (KMIP 1.4 §11.22); from 2.0 on
    /// Object Archived is none of the errors of Destroy (KMIP 2.1 §6.1.15.1).
    #[must_use]
    pub const fn destroys_archived(self) -> bool {
        Versions::since(Self::V2_0).include(self)
    }

    /// Whether a Check that fails is the last item of its batch, whatever the client wants of those after it (KMIP 1.0 §4.9).
    #[must_use]
    pub const fn ends_batch_by_check(self) -> bool {
        !Versions::since(Self::V1_1).include(self)
    }

    /// Whether one of several instances of an attribute is deleted only if it is said which (KMIP 1.0 §4.15, §11.16); later versions mean
    /// the first, or all of them.
    #[must_use]
    pub const fn deletes_by_index_only(self) -> bool {
        !Versions::since(Self::V1_1).include(self)
    }

    /// Whether an object that was exported is fresh all the same: from 2.0 on Get alone serves it (KMIP 2.1 §4.24; KMIP 1.4 §3.34).
    #[must_use]
    pub const fn stays_fresh_when_exported(self) -> bool {
        Versions::since(Self::V2_0).include(self)
    }

    /// Whether attributes are items under their own tags (2.0 and later), not structures with an Attribute Name (1.x).
    #[must_use]
    pub const fn has_tagged_attributes(self) -> bool {
        Versions::since(Self::V2_0).include(self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The versions in which something is present: from a first to a last one, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// The first version.
    pub first: Version,
    /// The last version.
    pub last: Version,
}

impl Versions {
    /// All versions.
    pub const ALL: Self = Self {
        first: Version::OLDEST,
        last: Version::NEWEST,
    };

    /// From this version on.
    #[must_use]
    pub const fn since(first: Version) -> Self {
        Self {
            first,
            last: Version::NEWEST,
        }
    }

    /// Up to this version, included.
    #[must_use]
    pub const fn until(last: Version) -> Self {
        Self {
            first: Version::OLDEST,
            last,
        }
    }

    /// From one version to another, both included.
    #[must_use]
    pub const fn between(first: Version, last: Version) -> Self {
        Self { first, last }
    }

    /// Whether `version` is one of them.
    #[must_use]
    #[allow(clippy::as_conversions)] // comparing fieldless variants in a constant function: `PartialOrd` is not const
    pub const fn include(self, version: Version) -> bool {
        self.first as u8 <= version as u8 && version as u8 <= self.last as u8
    }
}

/// The range that a row names: nothing (all versions), `V1_2..`, `..=V1_4` or `V1_1..=V1_4`.
macro_rules! versions {
    () => {
        $crate::Versions::ALL
    };
    ($first:ident ..) => {
        $crate::Versions::since($crate::Version::$first)
    };
    (..= $last:ident) => {
        $crate::Versions::until($crate::Version::$last)
    };
    ($first:ident ..= $last:ident) => {
        $crate::Versions::between($crate::Version::$first, $crate::Version::$last)
    };
}
pub(crate) use versions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_the_version() {
        for version in Version::ALL {
            assert_eq!(Version::from_numbers(version.major(), version.minor()), Some(version));
        }
        assert_eq!(Version::from_numbers(1, 5), None);
        assert_eq!(Version::from_numbers(3, 0), None);
        assert_eq!(Version::V1_4.to_string(), "1.4");
        assert!(Version::ALL.is_sorted());
    }

    #[test]
    fn ranges_include_their_ends() {
        assert!(versions!().include(Version::V1_0));
        assert!(!versions!(V1_2..).include(Version::V1_1));
        assert!(versions!(V1_2..).include(Version::V2_1));
        assert!(versions!(..=V1_4).include(Version::V1_4));
        assert!(!versions!(V1_1..=V1_2).include(Version::V1_3));
    }
}
