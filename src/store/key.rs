//! How rows are addressed. The domain is the first part of every key, so that no query can leave its tenant by forgetting a filter.

use core::fmt::{self, Display as _};
use kmip_ttlv::Hex;
use ring::digest;

/// Whose row it is: the tenant's id, or [`Domain::SYSTEM`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(pub [u8; 16]);

impl Domain {
    /// The installation's own rows: tenants, people, policies, profiles, settings.
    pub const SYSTEM: Self = Self([0; 16]);
}

/// What sort of record it is. The numbers belong to the rooms that keep records; the store gives them no meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u8);

/// The address of a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose it is.
    pub domain: Domain,
    /// What it is.
    pub kind: Kind,
    /// Which one: 16 random bytes, never re-used, or a digest of what identifies it.
    pub id: [u8; 16],
}

impl Key {
    /// The least key.
    pub const FIRST: Self = Self {
        domain: Domain([0; 16]),
        kind: Kind(0),
        id: [0; 16],
    };

    /// The key after this one; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let Self { domain, kind, id } = self;
        if let Some(id) = u128::from_be_bytes(id).checked_add(1) {
            let id = id.to_be_bytes();
            return Some(Self { domain, kind, id });
        }
        let id = [0; 16];
        if let Some(kind) = kind.0.checked_add(1) {
            let kind = Kind(kind);
            return Some(Self { domain, kind, id });
        }
        let domain = u128::from_be_bytes(domain.0).checked_add(1)?;
        Some(Self {
            domain: Domain(domain.to_be_bytes()),
            kind: Kind(0),
            id,
        })
    }
}

/// The address of a guard: the revision of a set that decisions are taken over (the operators of a tenant, its policy, its clients).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuardKey {
    /// Whose set it is.
    pub domain: Domain,
    /// Which set. The numbers belong to the rooms that keep sets.
    pub set: u8,
    /// Which instance of the set; all zero where a domain has one only.
    pub id: [u8; 16],
}

/// A key that one record at most holds at a time: a Name, the key of a certificate, the place of the active KEK.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey {
    domain: Domain,
    space: u8,
    value: Vec<u8>,
}

/// Longer values are kept as their digest, so that keys stay short whatever a client names its objects.
const LONGEST_PLAIN_VALUE: usize = 64;

const FORM_NUMBER: u8 = 1;
const FORM_PLAIN: u8 = 2;
const FORM_HASHED: u8 = 3;

fn short_form(value: &[u8]) -> Vec<u8> {
    let (form, kept) = if value.len() > LONGEST_PLAIN_VALUE {
        (FORM_HASHED, digest::digest(&digest::SHA256, value).as_ref().to_vec())
    } else {
        (FORM_PLAIN, value.to_vec())
    };
    let mut encoded = Vec::with_capacity(kept.len().saturating_add(1));
    encoded.push(form);
    encoded.extend_from_slice(&kept);
    encoded
}

impl ClaimKey {
    /// The claim on `value` in this space (Names, certificate keys, …: the numbers belong to the rooms that make claims) of this domain.
    #[must_use]
    pub fn new(domain: Domain, space: u8, value: &[u8]) -> Self {
        Self {
            domain,
            space,
            value: short_form(value),
        }
    }

    /// Whose space it is.
    #[must_use]
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    /// Which space.
    #[must_use]
    pub const fn space(&self) -> u8 {
        self.space
    }

    /// The value in the short form that engines keep: plain up to 64 bytes, else its digest.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.value
    }
}

/// An indexed value, in a form whose byte order is the order of the values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexValue(Vec<u8>);

impl IndexValue {
    /// A number, a date in seconds, an enumeration: found by value and by range.
    #[must_use]
    pub fn number(value: i64) -> Self {
        let sortable = value.cast_unsigned() ^ (1 << 63);
        let mut encoded = Vec::with_capacity(9);
        encoded.push(FORM_NUMBER);
        encoded.extend_from_slice(&sortable.to_be_bytes());
        Self(encoded)
    }

    /// Text or bytes: found by value only, whatever their length.
    #[must_use]
    pub fn bytes(value: &[u8]) -> Self {
        Self(short_form(value))
    }

    /// The sortable form that engines keep.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.0
    }

    /// Takes back what [`IndexValue::encoded`] gave.
    #[must_use]
    pub fn from_encoded(encoded: &[u8]) -> Self {
        Self(encoded.to_vec())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({self})")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.domain, self.kind.0)?;
        Hex(&self.id).fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl fmt::Debug for GuardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardKey({}/{}/", self.domain, self.set)?;
        Hex(&self.id).fmt(f)?;
        f.write_str(")")
    }
}

/// Shows where the claim is, not its value: names are the clients' business.
impl fmt::Debug for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimKey({}/{}/…)", self.domain, self.space)
    }
}

/// Shows nothing of the value.
impl fmt::Debug for IndexValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_key_is_the_least_of_those_after() {
        let key = |domain: u128, kind, id: u128| Key {
            domain: Domain(domain.to_be_bytes()),
            kind: Kind(kind),
            id: id.to_be_bytes(),
        };
        assert_eq!(Key::FIRST.next(), Some(key(0, 0, 1)));
        assert_eq!(key(0, 0, u128::MAX).next(), Some(key(0, 1, 0)));
        assert_eq!(key(7, u8::MAX, u128::MAX).next(), Some(key(8, 0, 0)));
        assert_eq!(key(u128::MAX, u8::MAX, u128::MAX).next(), None);
    }

    #[test]
    fn numbers_sort_as_numbers() {
        let mut values = [5, -1, i64::MIN, 0, i64::MAX, -700, 256].map(|n| (IndexValue::number(n), n));
        values.sort();
        assert_eq!(values.map(|(_, n)| n), [i64::MIN, -700, -1, 0, 5, 256, i64::MAX]);
    }

    #[test]
    fn long_values_stay_short_and_distinct() {
        let long = [7_u8; 65];
        let claim = ClaimKey::new(Domain::SYSTEM, 1, &long);
        assert_eq!(claim.encoded().len(), 33);
        assert_ne!(claim, ClaimKey::new(Domain::SYSTEM, 1, &[7_u8; 66]));
        let digest = claim.encoded().get(1..).unwrap().to_vec();
        assert_ne!(
            claim,
            ClaimKey::new(Domain::SYSTEM, 1, &digest),
            "a digest given as a value is another value"
        );
    }
}
