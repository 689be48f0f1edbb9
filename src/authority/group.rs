//! Groups of people as they are kept.

use super::quorum::statement::sha256;
use super::quorum::{Group, GroupMember};
use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// A group, in its domain. The id comes from its name, so that a name is there once.
pub const GROUP: Kind = Kind(0x34);

/// The format that is written.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub(super) const GROUP: Tag = Tag(0x54_C300);
    pub(super) const FORMAT: Tag = Tag(0x54_C301);
    pub(super) const NAME: Tag = Tag(0x54_C302);
    pub(super) const MEMBER: Tag = Tag(0x54_C303);
    pub(super) const PERSON: Tag = Tag(0x54_C304);
    pub(super) const SINCE: Tag = Tag(0x54_C305);
}

/// What is kept is what the quorum counts with.
pub type GroupRecord = Group;

impl Group {
    /// Where a group of this name is kept.
    #[must_use]
    pub fn key(domain: Domain, name: &str) -> Key {
        let digest = sha256(&[b"group\0", name.as_bytes()]);
        let id = digest.first_chunk::<16>().copied().unwrap_or_default();
        Key {
            domain,
            kind: GROUP,
            id,
        }
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { name, members } = self;
        let mut writer = Writer::new();
        writer.structure(tag::GROUP, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.text(tag::NAME, name);
            for GroupMember { person, since_ms } in members {
                w.structure(tag::MEMBER, |w| {
                    w.bytes(tag::PERSON, person);
                    w.long_integer(tag::SINCE, *since_ms);
                });
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Group::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let group = reader.structure(tag::GROUP, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Version));
            }
            let name = r.text(tag::NAME)?.to_owned();
            let mut members = Vec::new();
            while r.at(tag::MEMBER) {
                members.push(r.structure(tag::MEMBER, |r| {
                    let wrong = r.error(ErrorKind::WrongLength);
                    Ok(GroupMember {
                        person: r.bytes(tag::PERSON)?.try_into().map_err(|_| wrong)?,
                        since_ms: r.long_integer(tag::SINCE)?,
                    })
                })?);
            }
            Ok(Self { name, members })
        })?;
        reader.finish()?;
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_reads_as_it_was_written() {
        let group = crate::authority::quorum::samples::group("four eyes", &[1, 2]);
        let bytes = group.encode();
        assert_eq!(Group::decode(&bytes).unwrap(), group);
        assert!(Group::decode(&bytes[..bytes.len() - 8]).is_err());
        let domain = Domain([1; 16]);
        assert_ne!(Group::key(domain, "a"), Group::key(domain, "b"));
    }
}
