//! How far a comparison has come, so that a restart does not begin it anew. The record may be an old one put back like any other: it counts
//! only where the trail has it as the newest.

use super::table::Slice;
use crate::custody::{Custody, CustodyError};
use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// The one record, in the system's domain.
const CURSOR: Kind = Kind(0x2F);

/// The format that is written.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const CURSOR: Tag = Tag(0x54_FA10);
    pub(super) const FORMAT: Tag = Tag(0x54_FA11);
    pub(super) const SALT: Tag = Tag(0x54_FA12);
    pub(super) const PLACE: Tag = Tag(0x54_FA13);
    pub(super) const OF: Tag = Tag(0x54_FA14);
    pub(super) const BEGUN: Tag = Tag(0x54_FA15);
    pub(super) const COMPARED: Tag = Tag(0x54_FA16);
}

/// Where a comparison stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// What its parts are cut by, with a secret of custody's.
    pub salt: [u8; 16],
    /// The part that is next.
    pub place: u64,
    /// Of how many.
    pub of: u64,
    /// When it began, in milliseconds since 1970.
    pub begun_ms: i64,
    /// Records compared in the parts before.
    pub compared: u64,
}

impl Cursor {
    /// Where it is kept.
    pub const KEY: Key = Key {
        domain: Domain::SYSTEM,
        kind: CURSOR,
        id: [0; 16],
    };

    /// Of a comparison that begins, with all records in one part.
    #[must_use]
    pub const fn begin(salt: [u8; 16], begun_ms: i64) -> Self {
        Self {
            salt,
            place: 0,
            of: 1,
            begun_ms,
            compared: 0,
        }
    }

    /// The same, begun anew with parts half as large.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self {
            place: 0,
            of: self.of.saturating_mul(2),
            compared: 0,
            ..self
        }
    }

    /// The same after its part; `None`: that was the last one.
    #[must_use]
    pub fn after(self, compared: u64) -> Option<Self> {
        let place = self.place.saturating_add(1);
        (place < self.of).then(|| Self {
            place,
            compared: self.compared.saturating_add(compared),
            ..self
        })
    }

    /// Its part.
    ///
    /// # Errors
    /// [`CustodyError`] if the system's record key is not open.
    pub fn slice(&self, custody: &Custody) -> core::result::Result<Slice, CustodyError> {
        Ok(Slice {
            secret: custody.keyed_hash(Domain::SYSTEM, "parts of a comparison", &self.salt)?,
            place: self.place,
            of: self.of,
        })
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            salt,
            place,
            of,
            begun_ms,
            compared,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::CURSOR, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::SALT, salt);
            w.long_integer(tag::PLACE, place.cast_signed());
            w.long_integer(tag::OF, of.cast_signed());
            w.long_integer(tag::BEGUN, *begun_ms);
            w.long_integer(tag::COMPARED, compared.cast_signed());
        });
        writer.into_bytes()
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let cursor = reader.structure(tag::CURSOR, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            Ok(Self {
                salt: r.array(tag::SALT)?,
                place: r.long_integer(tag::PLACE)?.cast_unsigned(),
                of: r.long_integer(tag::OF)?.cast_unsigned(),
                begun_ms: r.long_integer(tag::BEGUN)?,
                compared: r.long_integer(tag::COMPARED)?.cast_unsigned(),
            })
        })?;
        reader.finish()?;
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written_and_goes_to_its_end() {
        let cursor = Cursor {
            compared: 5,
            ..Cursor::begin([3; 16], -9).halved()
        };
        let bytes = cursor.encode();
        assert_eq!(Cursor::decode(&bytes).unwrap(), cursor);
        for length in 0..bytes.len() {
            assert!(Cursor::decode(&bytes[..length]).is_err());
        }
        let next = cursor.after(2).unwrap();
        assert_eq!((next.place, next.of, next.compared), (1, 2, 7));
        assert_eq!(next.after(1), None);
    }
}
