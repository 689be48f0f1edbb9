//! Which installation this is, and how often it was restored: votes and their statements are bound to both.

use crate::store::{Domain, Key, Kind};
use kmip_protocol::tag;
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// The record of an installation, in the system domain.
pub const INSTALLATION: Kind = Kind(0x40);

/// Which installation this is. Written once, at genesis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstallationRecord {
    /// 16 random bytes: no statement made for one installation counts in another.
    pub instance: [u8; 16],
    /// How often it was restored from a backup: what was live before counts no longer.
    pub epoch: i32,
}

impl InstallationRecord {
    /// A new installation.
    #[must_use]
    pub const fn new(instance: [u8; 16]) -> Self {
        Self { instance, epoch: 0 }
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
        let Self { instance, epoch } = self;
        let mut writer = Writer::new();
        writer.structure(tag::TARGET, |w| {
            w.bytes(tag::INSTANCE_IDENTIFIER, instance);
            w.integer(tag::EPOCH, *epoch);
        });
        writer.into_bytes()
    }

    /// Reads what [`InstallationRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::TARGET, |r| {
            let wrong = r.error(ErrorKind::WrongLength);
            Ok(Self {
                instance: r.bytes(tag::INSTANCE_IDENTIFIER)?.try_into().map_err(|_| wrong)?,
                epoch: r.integer(tag::EPOCH)?,
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
        let record = InstallationRecord {
            instance: [7; 16],
            epoch: 3,
        };
        assert_eq!(InstallationRecord::decode(&record.encode()), Ok(record));
        assert!(InstallationRecord::decode(&[]).is_err());
    }
}
