//! The Application Namespaces that a tenant has registered (KMIP 2.1 §4.1, §6.1.40): one record for all, so that a request that
//! names one costs one read.

use crate::store::{Domain, GuardKey, Key, Kind};
use kmip_protocol::{Item as _, Namespace, Version, tag};
use kmip_ttlv::{Reader, Result, Writer};

/// The record of a tenant's namespaces.
pub const NAMESPACES: Kind = Kind(0x17);

/// The set of objects that use namespaces: bumped by each that begins to, read by the deletion of a namespace.
const USED: u8 = 0x17;

/// Namespaces of a tenant.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Namespaces(pub Vec<Namespace>);

impl Namespaces {
    /// Where it is kept.
    #[must_use]
    pub const fn key(tenant: Domain) -> Key {
        Key {
            domain: tenant,
            kind: NAMESPACES,
            id: [0; 16],
        }
    }

    /// The guard of the objects that use namespaces.
    #[must_use]
    pub const fn guard(tenant: Domain) -> GuardKey {
        GuardKey {
            domain: tenant,
            set: USED,
            id: [0; 16],
        }
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Namespace> {
        self.0.iter().find(|one| one.application_namespace == name)
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.structure(tag::TARGET, |w| {
            for one in &self.0 {
                one.write_item(w, tag::NAMESPACE, Version::NEWEST);
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Namespaces::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let all = reader.structure(tag::TARGET, |r| {
            let mut all = Vec::new();
            while r.at(tag::NAMESPACE) {
                all.push(Namespace::read_item(r, tag::NAMESPACE, Version::NEWEST)?);
            }
            Ok(Self(all))
        })?;
        reader.finish()?;
        Ok(all)
    }
}
