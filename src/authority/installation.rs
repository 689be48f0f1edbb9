//! Which installation this is, and how often it was restored: votes and their statements are bound to both.

use crate::store::{Domain, Key, Kind};
use kmip_protocol::tag;
use kmip_ttlv::{Reader, Result, Writer};

/// The record of an installation, in the system domain.
pub const INSTALLATION: Kind = Kind(0x40);

mod own {
    use kmip_ttlv::Tag;

    pub const ANCHORED: Tag = Tag(0x54_E700);
}

/// Which installation this is. Written at genesis, and when its database was put back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstallationRecord {
    /// 16 random bytes: no statement made for one installation counts in another.
    pub instance: [u8; 16],
    /// How often it was restored from a backup: what was live before counts no longer.
    pub epoch: i32,
    /// Whether it has an anchor: that there is none any more is to be noticed.
    pub anchored: bool,
}

impl InstallationRecord {
    /// A new installation.
    #[must_use]
    pub const fn new(instance: [u8; 16]) -> Self {
        Self {
            instance,
            epoch: 0,
            anchored: false,
        }
    }

    /// Where it is kept.
    #[must_use]
    pub const fn key() -> Key {
        Key {
            domain: Domain::SYSTEM,
            kind: INSTALLATION,
            id: [0; 16],
        }
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            instance,
            epoch,
            anchored,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::TARGET, |w| {
            w.bytes(tag::INSTANCE_IDENTIFIER, instance);
            w.integer(tag::EPOCH, *epoch);
            w.boolean(own::ANCHORED, *anchored);
        });
        writer.into_bytes()
    }

    /// Reads what [`InstallationRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::TARGET, |r| {
            Ok(Self {
                instance: r.array(tag::INSTANCE_IDENTIFIER)?,
                epoch: r.integer(tag::EPOCH)?,
                anchored: r.boolean(own::ANCHORED)?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_reads_as_it_was_written() {
        for anchored in [false, true] {
            let record = InstallationRecord {
                epoch: 3,
                anchored,
                ..InstallationRecord::new([7; 16])
            };
            assert_eq!(InstallationRecord::decode(&record.encode()), Ok(record));
        }
        assert!(InstallationRecord::decode(&[]).is_err());
    }
}
