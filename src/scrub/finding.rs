//! What a comparison finds, and how it is kept: a record of its own in the system's domain, so that it outlives a restart.

use crate::audit::hash;
use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// A finding, in the system's domain. The id comes from the record that it is about, so that there is one of each.
pub const FINDING: Kind = Kind(0x2A);

/// The format that is written.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const FINDING: Tag = Tag(0x54_F610);
    pub(super) const FORMAT: Tag = Tag(0x54_F611);
    pub(super) const DOMAIN: Tag = Tag(0x54_F612);
    pub(super) const KIND: Tag = Tag(0x54_F613);
    pub(super) const ID: Tag = Tag(0x54_F614);
    pub(super) const WRONG: Tag = Tag(0x54_F615);
    pub(super) const FOUND: Tag = Tag(0x54_F616);
}

/// In what a record is not as the trail has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// It is another state than the newest: an earlier one put back, or one that nobody wrote.
    Stale,
    /// It was deleted, and is there.
    Returned,
    /// It was not deleted, and is not there.
    Missing,
    /// The trail never had it.
    Unknown,
    /// Its MAC is not right.
    Damaged,
    /// A counter beside it has another value than the newest.
    Counter,
}

/// With their numbers in records.
const WRONGS: [(Wrong, u32); 6] = [
    (Wrong::Stale, 1),
    (Wrong::Returned, 2),
    (Wrong::Missing, 3),
    (Wrong::Unknown, 4),
    (Wrong::Damaged, 5),
    (Wrong::Counter, 6),
];

impl Wrong {
    /// Its number, which is that of the vocabulary too.
    #[must_use]
    pub fn number(self) -> u32 {
        WRONGS
            .iter()
            .find(|(wrong, _)| *wrong == self)
            .map_or(0, |(_, number)| *number)
    }

    fn of_number(number: u32) -> Option<Self> {
        let mut wrongs = WRONGS.iter();
        wrongs.find(|(_, own)| *own == number).map(|(wrong, _)| *wrong)
    }
}

/// A record that is not as the trail has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The record.
    pub key: Key,
    /// In what.
    pub wrong: Wrong,
    /// When that was found, in milliseconds since 1970.
    pub found_ms: i64,
}

impl Finding {
    /// Where the finding about a record is kept.
    #[must_use]
    pub fn place(about: Key) -> Key {
        let mut place = b"finding\0".to_vec();
        place.extend_from_slice(&about.domain.0);
        place.push(about.kind.0);
        place.extend_from_slice(&about.id);
        Self::at(hash(&place).first_chunk().copied().unwrap_or_default())
    }

    /// Where the finding with this identifier is kept.
    #[must_use]
    pub const fn at(id: [u8; 16]) -> Key {
        Key {
            domain: Domain::SYSTEM,
            kind: FINDING,
            id,
        }
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            key: Key { domain, kind, id },
            wrong,
            found_ms,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::FINDING, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::DOMAIN, &domain.0);
            w.integer(tag::KIND, i32::from(kind.0));
            w.bytes(tag::ID, id);
            w.enumeration(tag::WRONG, wrong.number());
            w.long_integer(tag::FOUND, *found_ms);
        });
        writer.into_bytes()
    }

    /// Reads what [`Finding::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let finding = reader.structure(tag::FINDING, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            let domain = Domain(r.array(tag::DOMAIN)?);
            let wrong = r.error(ErrorKind::Invalid("finding"));
            let kind = Kind(u8::try_from(r.integer(tag::KIND)?).map_err(|_| wrong)?);
            let id = r.array(tag::ID)?;
            Ok(Self {
                key: Key { domain, kind, id },
                wrong: Wrong::of_number(r.enumeration(tag::WRONG)?).ok_or(wrong)?,
                found_ms: r.long_integer(tag::FOUND)?,
            })
        })?;
        reader.finish()?;
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_it_was_written() {
        for (wrong, _) in WRONGS {
            let finding = Finding {
                key: Key {
                    domain: Domain([1; 16]),
                    kind: Kind(0x14),
                    id: [2; 16],
                },
                wrong,
                found_ms: -3,
            };
            let bytes = finding.encode();
            assert_eq!(Finding::decode(&bytes).unwrap(), finding);
            for length in 0..bytes.len() {
                assert!(Finding::decode(&bytes[..length]).is_err());
            }
            let other = Key {
                kind: Kind(0x15),
                ..finding.key
            };
            assert_ne!(Finding::place(finding.key), Finding::place(other));
        }
    }
}
