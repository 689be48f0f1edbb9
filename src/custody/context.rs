//! What sealed bytes are bound to: the additional authenticated data (AAD), one fixed-width encoding per purpose.
//!
//! Every encoding begins with purpose and format, and each purpose has one length, so no two contexts have the same
//! bytes.

use crate::store::Domain;

/// The format of blobs and of their AAD.
pub(super) const FORMAT: u8 = 1;

/// The identifier of a KEK: 16 random bytes, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KekId(pub [u8; 16]);

/// The identifier of an HSM-Profile, or of the software key file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProfileId(pub [u8; 16]);

/// What the material of an object is bound to, beside its domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealContext {
    /// The object's internal identifier: 16 random bytes, never used again; not the Unique Identifier.
    pub internal_id: [u8; 16],
    /// The generation of the material: it counts up whenever an object's material is replaced.
    pub generation: u32,
    /// The Object Type by its KMIP number.
    pub object_type: u32,
}

/// What a wrapped key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The material of an object under its DEK.
    Material,
    /// The DEK of an object under a KEK.
    Dek,
    /// The record key of a domain under a KEK.
    RecordKey,
    /// The known answer by which a KEK is checked.
    KnownAnswer,
    /// A PIN under the installation root.
    Pin,
    /// A protected KEK, sealed to the key pair of an HSM-Profile.
    Protected,
    /// A protected KEK in a backup string, sealed to one of those who can open it.
    Backup,
}

impl Purpose {
    const fn byte(self) -> u8 {
        match self {
            Self::Material => 1,
            Self::Dek => 2,
            Self::RecordKey => 3,
            Self::KnownAnswer => 4,
            Self::Pin => 5,
            Self::Protected => 6,
            Self::Backup => 7,
        }
    }
}

/// What a key wrapped under a KEK is bound to: purpose, format, domain, owner, generation, KEK and its generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrapContext {
    /// [`Purpose::Dek`], [`Purpose::RecordKey`], [`Purpose::KnownAnswer`], [`Purpose::Protected`] or [`Purpose::Backup`].
    pub purpose: Purpose,
    /// The tenant, or the system domain.
    pub domain: Domain,
    /// The object's internal identifier, or that of the record key; the KEK's own for a known answer; for a KEK that is
    /// sealed itself, whoever can open it.
    pub internal_id: [u8; 16],
    /// The generation of the material, or of the record key.
    pub generation: u32,
    /// The KEK.
    pub kek: KekId,
    /// Its generation.
    pub kek_generation: u32,
}

/// Bytes of an encoded [`WrapContext`].
pub(super) const WRAP_AAD: usize = 58;
/// Bytes of the AAD of an object's material.
pub(super) const MATERIAL_AAD: usize = 42;

/// A fixed buffer that is filled from front to back.
struct Fields<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Fields<N> {
    fn begin(purpose: Purpose) -> Self {
        Self {
            bytes: [0; N],
            filled: 0,
        }
        .add(&[purpose.byte(), FORMAT])
    }

    fn add(mut self, field: &[u8]) -> Self {
        let end = self.filled + field.len();
        if let Some(part) = self.bytes.get_mut(self.filled..end) {
            part.copy_from_slice(field);
        }
        debug_assert!(end <= N, "field past the end");
        self.filled = end;
        self
    }

    fn end(self) -> [u8; N] {
        debug_assert_eq!(self.filled, N, "encoding not full");
        self.bytes
    }
}

impl SealContext {
    /// The AAD of the material: purpose, format, domain, internal id, generation, object type.
    pub(super) fn material_aad(&self, domain: Domain) -> [u8; MATERIAL_AAD] {
        let Self {
            internal_id,
            generation,
            object_type,
        } = self;
        Fields::begin(Purpose::Material)
            .add(&domain.0)
            .add(internal_id)
            .add(&generation.to_be_bytes())
            .add(&object_type.to_be_bytes())
            .end()
    }
}

impl WrapContext {
    /// The AAD of the wrapped key.
    #[must_use]
    pub(super) fn aad(&self) -> [u8; WRAP_AAD] {
        let Self {
            purpose,
            domain,
            internal_id,
            generation,
            kek,
            kek_generation,
        } = self;
        Fields::begin(*purpose)
            .add(&domain.0)
            .add(internal_id)
            .add(&generation.to_be_bytes())
            .add(&kek.0)
            .add(&kek_generation.to_be_bytes())
            .end()
    }

    /// Reads the AAD back; `None` if it is not one of a wrapped key. A worker serves no request without it.
    pub(super) fn from_aad(aad: &[u8; WRAP_AAD]) -> Option<Self> {
        let (head, rest) = aad.split_first_chunk::<2>()?;
        let (domain, rest) = rest.split_first_chunk::<16>()?;
        let (internal_id, rest) = rest.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (kek, rest) = rest.split_first_chunk::<16>()?;
        let kek_generation = rest.first_chunk::<4>()?;
        let purpose = match head {
            [2, FORMAT] => Purpose::Dek,
            [3, FORMAT] => Purpose::RecordKey,
            [4, FORMAT] => Purpose::KnownAnswer,
            [6, FORMAT] => Purpose::Protected,
            [7, FORMAT] => Purpose::Backup,
            _ => return None,
        };
        Some(Self {
            purpose,
            domain: Domain(*domain),
            internal_id: *internal_id,
            generation: u32::from_be_bytes(*generation),
            kek: KekId(*kek),
            kek_generation: u32::from_be_bytes(*kek_generation),
        })
    }
}

/// The AAD of a PIN: purpose, format, profile, role, and which token it is for.
pub(super) fn pin_aad(profile: ProfileId, role: u8, address: &[u8; 32]) -> [u8; 51] {
    Fields::begin(Purpose::Pin)
        .add(&profile.0)
        .add(&[role])
        .add(address)
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap() -> WrapContext {
        WrapContext {
            purpose: Purpose::Dek,
            domain: Domain([1; 16]),
            internal_id: [2; 16],
            generation: 3,
            kek: KekId([4; 16]),
            kek_generation: 5,
        }
    }

    #[test]
    fn every_field_is_in_the_aad_and_comes_back() {
        let base = wrap();
        let others = [
            WrapContext {
                purpose: Purpose::RecordKey,
                ..base
            },
            WrapContext {
                domain: Domain([9; 16]),
                ..base
            },
            WrapContext {
                internal_id: [9; 16],
                ..base
            },
            WrapContext { generation: 9, ..base },
            WrapContext {
                kek: KekId([9; 16]),
                ..base
            },
            WrapContext {
                kek_generation: 9,
                ..base
            },
        ];
        assert_eq!(WrapContext::from_aad(&base.aad()), Some(base));
        for other in others {
            assert_ne!(other.aad(), base.aad());
            assert_eq!(WrapContext::from_aad(&other.aad()), Some(other));
        }
        let mut wrong = base.aad();
        wrong[1] = 2;
        assert_eq!(WrapContext::from_aad(&wrong), None);
    }

    #[test]
    fn material_aad_is_as_designed() {
        let context = SealContext {
            internal_id: [2; 16],
            generation: 3,
            object_type: 4,
        };
        let mut expected = vec![1, 1];
        expected.extend([1; 16]);
        expected.extend([2; 16]);
        expected.extend([0, 0, 0, 3, 0, 0, 0, 4]);
        assert_eq!(context.material_aad(Domain([1; 16])).to_vec(), expected);
    }
}
