//! The share key of a person as it is kept.

use super::envelope::ShareKey;
use crate::custody::error::CustodyError;
use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// A share key, in its person's domain, under its person's id.
pub const SHARE_KEY: Kind = Kind(0x29);

const FORMAT: i32 = 1;

mod tag {
    use super::Tag;

    pub(super) const SHARE_KEY: Tag = Tag(0x54_F420);
    pub(super) const FORMAT: Tag = Tag(0x54_F421);
    pub(super) const INFO: Tag = Tag(0x54_F422);
    pub(super) const ENROLLED: Tag = Tag(0x54_F423);
    pub(super) const REVOKED: Tag = Tag(0x54_F424);
}

/// The key that a person's shares are encrypted to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnrolledKey {
    /// The key.
    pub key: ShareKey,
    /// When it was enrolled, in milliseconds since 1970.
    pub enrolled_ms: i64,
    /// When it was taken.
    pub revoked_ms: Option<i64>,
}

impl EnrolledKey {
    /// Where a person's share key is kept.
    #[must_use]
    pub const fn place(domain: Domain, person: [u8; 16]) -> Key {
        Key {
            domain,
            kind: SHARE_KEY,
            id: person,
        }
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            key,
            enrolled_ms,
            revoked_ms,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::SHARE_KEY, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::INFO, &key.info());
            w.long_integer(tag::ENROLLED, *enrolled_ms);
            if let Some(revoked) = revoked_ms {
                w.long_integer(tag::REVOKED, *revoked);
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`EnrolledKey::encode`] wrote.
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn decode(bytes: &[u8]) -> core::result::Result<Self, CustodyError> {
        let mut reader = Reader::new(bytes);
        let read = reader.structure(tag::SHARE_KEY, Self::read);
        let key = read.map_err(|_| CustodyError::Record)?;
        reader.finish().map_err(|_| CustodyError::Record)?;
        Ok(key)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        if r.integer(tag::FORMAT)? != FORMAT {
            return Err(r.error(ErrorKind::Version));
        }
        let wrong = r.error(ErrorKind::Invalid("share key"));
        Ok(Self {
            key: ShareKey::kept(r.bytes(tag::INFO)?).ok_or(wrong)?,
            enrolled_ms: r.long_integer(tag::ENROLLED)?,
            revoked_ms: r.at(tag::REVOKED).then(|| r.long_integer(tag::REVOKED)).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_key_reads_as_it_was_written() {
        let key = super::super::envelope::tests::secret().key().clone();
        for revoked_ms in [None, Some(7)] {
            let enrolled = EnrolledKey {
                key: key.clone(),
                enrolled_ms: 5,
                revoked_ms,
            };
            let bytes = enrolled.encode();
            assert_eq!(EnrolledKey::decode(&bytes), Ok(enrolled));
            assert!((0..bytes.len()).all(|cut| EnrolledKey::decode(&bytes[..cut]).is_err()));
        }
    }
}
