//! The records of tenants and applications, and what all records of this room share: kinds, claims that keep things unique,
//! guards. TTLV, with tags of our own; the record MAC that covers them is custody's.

use super::tag;
use crate::store::{ClaimKey, Domain, Key};
use kmip_protocol::{Item, TenantSettings, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// The id of a record: 16 random bytes, never re-used.
pub type Id = [u8; 16];

/// Kinds of records kept here.
pub mod kind {
    use crate::store::Kind;

    /// [`super::TenantRecord`], in the system domain; the id is the tenant's domain.
    pub const TENANT: Kind = Kind(0x10);
    /// [`super::super::AuthorityRecord`], in its tenant's domain.
    pub const AUTHORITY: Kind = Kind(0x11);
    /// [`super::super::ClientRecord`], in its tenant's domain.
    pub const CLIENT: Kind = Kind(0x12);
    /// [`super::ApplicationRecord`], in its tenant's domain.
    pub const APPLICATION: Kind = Kind(0x13);
    /// [`crate::identity::PersonRecord`], in its domain.
    pub const PERSON: Kind = Kind(0x14);
    /// The ticket of a person's session, in its domain; the id is the beginning of the value's digest.
    pub const TICKET: Kind = Kind(0x15);
}

/// Spaces of claims made here.
pub mod claim_space {
    /// Name of a tenant, in the system domain.
    pub const TENANT_NAME: u8 = 0x10;
    /// Key of an enrolled authority (SPKI SHA-256), in the system domain: an authority belongs to one tenant.
    pub const AUTHORITY_KEY: u8 = 0x11;
    /// Name of a client within its tenant.
    pub const CLIENT_NAME: u8 = 0x12;
    /// Name of an application within its tenant.
    pub const APPLICATION_NAME: u8 = 0x13;
    /// Registered key (SPKI SHA-256) within a tenant.
    pub const CLIENT_KEY: u8 = 0x14;
    /// Subject rule.
    pub const SUBJECT: u8 = 0x15;
    /// Common Name rule.
    pub const COMMON_NAME: u8 = 0x16;
    /// DNS name rule.
    pub const DNS: u8 = 0x17;
    /// Mail address rule.
    pub const EMAIL: u8 = 0x18;
    /// URI rule.
    pub const URI: u8 = 0x19;
    /// IP address rule.
    pub const IP: u8 = 0x1A;
    /// User name of a client within its tenant.
    pub const USERNAME: u8 = 0x1B;
    /// Name of an authority within its domain.
    pub const AUTHORITY_NAME: u8 = 0x1C;
    /// Name of a person within its domain.
    pub const PERSON_NAME: u8 = 0x20;
    /// Key of a person (SPKI SHA-256), in the system domain: a key is one person's in the whole installation.
    pub const PERSON_KEY: u8 = 0x21;
}

/// Sets that decisions are taken over.
pub mod guard_set {
    /// The tenants of the installation, in the system domain.
    pub const TENANTS: u8 = 0x10;
    /// The authorities of a tenant.
    pub const AUTHORITIES: u8 = 0x11;
    /// The clients of a tenant and what each may reach.
    pub const CLIENTS: u8 = 0x12;
    /// The people of a domain, their roles and their groups.
    pub const PEOPLE: u8 = 0x13;
}

/// What is counted of a tenant, at [`TenantRecord::counters`].
pub mod tenant_counter {
    /// Its clients.
    pub const CLIENTS: u32 = 1;
    /// Its objects that are not destroyed, since it has a quota of them.
    pub const OBJECTS: u32 = 2;
}

/// The format that these records are written in.
const FORMAT: i32 = 1;

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TenantRecord {
    /// Its name, unique in the installation.
    pub name: String,
    /// Suspended: none of its clients is served. A deleted tenant is suspended as well.
    pub suspended: bool,
    /// Deleted: the record remains as evidence, and its name is free.
    pub deleted: bool,
    /// When it was deleted, in milliseconds since 1970.
    pub deleted_ms: Option<i64>,
    /// When its KEKs were destroyed after that.
    pub purged_ms: Option<i64>,
    /// What is set for it.
    pub settings: TenantSettings,
    /// Whether legacy tokens are to be migrated.
    pub migration: Migration,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// Who of a tenant waits until its legacy tokens have been migrated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Migration {
    /// Nobody: there is nothing to migrate, or no more.
    #[default]
    Done,
    /// Its people. Its clients go on with the keys that they have.
    People,
    /// Its people and its clients, who have no keys yet.
    Everybody,
}

impl Migration {
    /// Whether people wait.
    #[must_use]
    pub const fn stops_people(self) -> bool {
        !matches!(self, Self::Done)
    }

    /// Whether clients wait.
    #[must_use]
    pub const fn stops_clients(self) -> bool {
        matches!(self, Self::Everybody)
    }

    fn write(self, writer: &mut Writer) {
        let number = match self {
            Self::Done => 0,
            Self::People => 1,
            Self::Everybody => 2,
        };
        writer.integer(tag::MIGRATION, number);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        match reader.integer(tag::MIGRATION)? {
            0 => Ok(Self::Done),
            1 => Ok(Self::People),
            2 => Ok(Self::Everybody),
            _ => Err(reader.error(ErrorKind::Invalid("no such migration"))),
        }
    }
}

/// An application: a named set of clients that see the same objects.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApplicationRecord {
    /// Its name, unique in the tenant.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

impl TenantRecord {
    /// Where the record of a tenant is kept.
    #[must_use]
    pub const fn key(tenant: Domain) -> Key {
        Key {
            domain: Domain::SYSTEM,
            kind: kind::TENANT,
            id: tenant.0,
        }
    }

    /// Where what is counted of a tenant is counted: in its own domain.
    #[must_use]
    pub const fn counters(tenant: Domain) -> Key {
        Key {
            domain: tenant,
            kind: kind::TENANT,
            id: tenant.0,
        }
    }

    /// The claim on the name of a tenant.
    #[must_use]
    pub fn name_claim(name: &str) -> ClaimKey {
        ClaimKey::new(Domain::SYSTEM, claim_space::TENANT_NAME, name.as_bytes())
    }

    /// What must be unique: the name, unless it is deleted.
    #[must_use]
    pub fn claims(&self) -> Vec<ClaimKey> {
        let live = !self.deleted;
        live.then(|| Self::name_claim(&self.name)).into_iter().collect()
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            suspended,
            deleted,
            deleted_ms,
            purged_ms,
            settings,
            migration,
            created_ms,
        } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.boolean(tag::SUSPENDED, *suspended);
            w.long_integer(tag::CREATED, *created_ms);
            w.boolean(tag::DELETED, *deleted);
            for (tag, moment) in [(tag::DELETED_AT, deleted_ms), (tag::PURGED_AT, purged_ms)] {
                if let Some(moment) = moment {
                    w.long_integer(tag, *moment);
                }
            }
            settings.write_item(w, tag::SETTINGS, Version::NEWEST);
            migration.write(w);
        })
    }

    /// Reads what [`TenantRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            Ok(Self {
                name: r.text(tag::NAME)?.to_owned(),
                suspended: r.boolean(tag::SUSPENDED)?,
                created_ms: r.long_integer(tag::CREATED)?,
                deleted: r.boolean(tag::DELETED)?,
                deleted_ms: optional_moment(r, tag::DELETED_AT)?,
                purged_ms: optional_moment(r, tag::PURGED_AT)?,
                settings: TenantSettings::read_item(r, tag::SETTINGS, Version::NEWEST)?,
                migration: Migration::read(r)?,
            })
        })
    }
}

impl ApplicationRecord {
    /// Where the record of an application is kept.
    #[must_use]
    pub const fn key(tenant: Domain, id: Id) -> Key {
        Key {
            domain: tenant,
            kind: kind::APPLICATION,
            id,
        }
    }

    /// The claim on the name of an application.
    #[must_use]
    pub fn name_claim(tenant: Domain, name: &str) -> ClaimKey {
        ClaimKey::new(tenant, claim_space::APPLICATION_NAME, name.as_bytes())
    }

    /// What must be unique in the tenant: the name.
    #[must_use]
    pub fn claims(&self, tenant: Domain) -> Vec<ClaimKey> {
        vec![Self::name_claim(tenant, &self.name)]
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { name, created_ms } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.long_integer(tag::CREATED, *created_ms);
        })
    }

    /// Reads what [`ApplicationRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            Ok(Self {
                name: r.text(tag::NAME)?.to_owned(),
                created_ms: r.long_integer(tag::CREATED)?,
            })
        })
    }
}

pub(super) fn encode(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tag::RECORD, |w| {
        w.integer(tag::FORMAT, FORMAT);
        write(w);
    });
    writer.into_bytes()
}

pub(super) fn decode<T>(bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<T> {
    let mut reader = Reader::new(bytes);
    let record = reader.structure(tag::RECORD, |r| {
        if r.integer(tag::FORMAT)? != FORMAT {
            return Err(r.error(ErrorKind::Version));
        }
        read(r)
    })?;
    reader.finish()?;
    Ok(record)
}

fn optional_moment(r: &mut Reader<'_>, tag: Tag) -> Result<Option<i64>> {
    r.at(tag).then(|| r.long_integer(tag)).transpose()
}

pub(super) fn optional_text(r: &mut Reader<'_>, tag: Tag) -> Result<Option<String>> {
    r.at(tag).then(|| r.text(tag).map(str::to_owned)).transpose()
}
