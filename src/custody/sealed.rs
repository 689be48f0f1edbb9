//! What custody seals, as records keep it.

use super::context::KekId;
use crate::store::{Domain, GuardKey, Work};
use kmip_ttlv::{Reader, Result, Tag, Writer};
use std::ops::Deref;

/// The number of the set of a domain's KEKs.
const KEKS: u8 = 0x20;

/// The guard of a domain's KEKs: each change of them bumps it, and each commit that seals anything rests on it.
#[must_use]
pub const fn kek_guard(domain: Domain) -> GuardKey {
    GuardKey {
        domain,
        set: KEKS,
        id: [0; 16],
    }
}

/// Sealed bytes: the material of an object, a secret of a person, a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The KEK that wrapped the DEK: a reference to it.
    pub kek: KekId,
    /// Its generation.
    pub kek_generation: u32,
    /// The DEK under the KEK.
    pub wrapped_dek: Vec<u8>,
    /// The material under the DEK.
    pub blob: Vec<u8>,
}

/// What was sealed just now, under the KEK that was active as far as custody knew. Whoever keeps it has the commit rest on that: once
/// another KEK is active, nothing new comes to lie under the former one.
pub struct Fresh {
    pub(super) sealed: Sealed,
    pub(super) domain: Domain,
    /// The revision of the guard that custody knew.
    pub(super) as_of: u64,
}

impl Fresh {
    /// What is to be kept, by this unit of work.
    #[must_use]
    pub fn settle_in(self, work: &mut Work) -> Sealed {
        let Self { sealed, domain, as_of } = self;
        work.rest_on_guard(kek_guard(domain), as_of);
        sealed
    }
}

impl Deref for Fresh {
    type Target = Sealed;

    fn deref(&self) -> &Sealed {
        &self.sealed
    }
}

/// Tags of this encoding: extensions of our own that never leave the server.
mod tag {
    use kmip_ttlv::Tag;

    pub(super) const KEK: Tag = Tag(0x54_B00C);
    pub(super) const KEK_GENERATION: Tag = Tag(0x54_B00D);
    pub(super) const WRAPPED_DEK: Tag = Tag(0x54_B00E);
    pub(super) const BLOB: Tag = Tag(0x54_B00F);
}

impl Sealed {
    /// As a structure with this tag.
    pub fn write(&self, writer: &mut Writer, tag: Tag) {
        writer.structure(tag, |w| self.write_fields(w));
    }

    /// As fields of a structure.
    pub fn write_fields(&self, writer: &mut Writer) {
        let Self {
            kek,
            kek_generation,
            wrapped_dek,
            blob,
        } = self;
        writer.bytes(tag::KEK, &kek.0);
        writer.interval(tag::KEK_GENERATION, *kek_generation);
        writer.bytes(tag::WRAPPED_DEK, wrapped_dek);
        writer.bytes(tag::BLOB, blob);
    }

    /// Reads what [`Sealed::write`] wrote.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn read(reader: &mut Reader<'_>, tag: Tag) -> Result<Self> {
        reader.structure(tag, Self::read_fields)
    }

    /// Reads what [`Sealed::write_fields`] wrote.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn read_fields(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            kek: KekId(reader.array(tag::KEK)?),
            kek_generation: reader.interval(tag::KEK_GENERATION)?,
            wrapped_dek: reader.bytes(tag::WRAPPED_DEK)?.to_vec(),
            blob: reader.bytes(tag::BLOB)?.to_vec(),
        })
    }
}
