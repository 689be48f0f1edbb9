//! The records of tenants, certificate authorities, clients and applications: what is kept, and the claims that keep it
//! unique. TTLV, with tags of our own; the record MAC that covers them is custody's.

use super::rule::{CertificateName, Rule};
use super::tag;
use crate::store::{ClaimKey, Domain, GuardKey, Key};
use kmip_ttlv::{ErrorKind, Reader, Result, Tag, Writer};

/// The id of a record: 16 random bytes, never re-used.
pub type Id = [u8; 16];

/// Kinds of records kept here.
pub mod kind {
    use crate::store::Kind;

    /// [`super::TenantRecord`], in the system domain; the id is the tenant's domain.
    pub const TENANT: Kind = Kind(0x10);
    /// [`super::AuthorityRecord`], in its tenant's domain.
    pub const AUTHORITY: Kind = Kind(0x11);
    /// [`super::ClientRecord`], in its tenant's domain.
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

/// The format that these records are written in.
const FORMAT: i32 = 1;

/// A tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TenantRecord {
    /// Its name, unique in the installation.
    pub name: String,
    /// Suspended: none of its clients is served.
    pub suspended: bool,
    /// Marked as one whose objects a conformance run may clear.
    pub test: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A certificate authority that a tenant has enrolled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthorityRecord {
    /// A name for people.
    pub name: String,
    /// Its certificate, as DER.
    pub certificate: Vec<u8>,
    /// Revocation lists (DER) of it and of authorities below it.
    pub revocation_lists: Vec<Vec<u8>>,
    /// Whether an overdue revocation list keeps everybody out.
    pub refuse_stale: bool,
    /// Whether the keys it certifies are in hardware.
    pub hardware: bool,
    /// Suspended: its certificates are not accepted.
    pub suspended: bool,
    /// When it was enrolled, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A client of a tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientRecord {
    /// Its name, unique in the tenant.
    pub name: String,
    /// The application it belongs to.
    pub application: Id,
    /// Suspended: it is not served.
    pub suspended: bool,
    /// Last second in which it is served, if there is an end.
    pub expires: Option<i64>,
    /// How it is recognised.
    pub credentials: Vec<Credential>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// An application: a named set of clients that see the same objects.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApplicationRecord {
    /// Its name, unique in the tenant.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// How a client is recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    /// By its key (SPKI SHA-256), in a certificate of one of its tenant's authorities.
    Key([u8; 32]),
    /// By exactly this certificate, whoever issued it.
    Pinned {
        /// SHA-256 of the `SubjectPublicKeyInfo`.
        key: [u8; 32],
        /// SHA-256 of the certificate.
        certificate: [u8; 32],
    },
    /// By what its certificate says, if one of its tenant's authorities issued it.
    Rule(Rule),
}

/// A client of a tenant, by its ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId {
    /// Whose client.
    pub tenant: Domain,
    /// Which one.
    pub client: Id,
}

impl ClientId {
    /// Where its record is kept.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key {
            domain: self.tenant,
            kind: kind::CLIENT,
            id: self.client,
        }
    }

    /// The guard of the set of clients that it belongs to.
    #[must_use]
    pub const fn guard(&self) -> GuardKey {
        GuardKey {
            domain: self.tenant,
            set: guard_set::CLIENTS,
            id: [0; 16],
        }
    }
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

    /// What must be unique: the name.
    #[must_use]
    pub fn claims(&self) -> Vec<ClaimKey> {
        vec![ClaimKey::new(
            Domain::SYSTEM,
            claim_space::TENANT_NAME,
            self.name.as_bytes(),
        )]
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            suspended,
            test,
            created_ms,
        } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.boolean(tag::SUSPENDED, *suspended);
            w.boolean(tag::TEST, *test);
            w.long_integer(tag::CREATED, *created_ms);
        })
    }

    /// Reads what [`TenantRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            Ok(Self {
                name: r.text(tag::NAME)?.to_owned(),
                suspended: r.boolean(tag::SUSPENDED)?,
                test: r.boolean(tag::TEST)?,
                created_ms: r.long_integer(tag::CREATED)?,
            })
        })
    }
}

impl AuthorityRecord {
    /// Where the record of an authority is kept.
    #[must_use]
    pub const fn key(tenant: Domain, id: Id) -> Key {
        Key {
            domain: tenant,
            kind: kind::AUTHORITY,
            id,
        }
    }

    /// What must be unique in the whole installation: the authority's key.
    pub fn claims(&self) -> core::result::Result<Vec<ClaimKey>, certs::Error> {
        let facts = certs::CertificateFacts::read(&self.certificate)?;
        Ok(vec![ClaimKey::new(
            Domain::SYSTEM,
            claim_space::AUTHORITY_KEY,
            &facts.key_fingerprint,
        )])
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            certificate,
            revocation_lists,
            refuse_stale,
            hardware,
            suspended,
            created_ms,
        } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.boolean(tag::SUSPENDED, *suspended);
            w.bytes(tag::CERTIFICATE, certificate);
            for list in revocation_lists {
                w.bytes(tag::REVOCATION_LIST, list);
            }
            w.boolean(tag::REFUSE_STALE, *refuse_stale);
            w.boolean(tag::HARDWARE, *hardware);
            w.long_integer(tag::CREATED, *created_ms);
        })
    }

    /// Reads what [`AuthorityRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            let name = r.text(tag::NAME)?.to_owned();
            let suspended = r.boolean(tag::SUSPENDED)?;
            let certificate = r.bytes(tag::CERTIFICATE)?.to_vec();
            let mut revocation_lists = Vec::new();
            while r.at(tag::REVOCATION_LIST) {
                revocation_lists.push(r.bytes(tag::REVOCATION_LIST)?.to_vec());
            }
            Ok(Self {
                name,
                certificate,
                revocation_lists,
                refuse_stale: r.boolean(tag::REFUSE_STALE)?,
                hardware: r.boolean(tag::HARDWARE)?,
                suspended,
                created_ms: r.long_integer(tag::CREATED)?,
            })
        })
    }
}

impl ClientRecord {
    /// What must be unique in the tenant: the name, the keys and the rules.
    #[must_use]
    pub fn claims(&self, tenant: Domain) -> Vec<ClaimKey> {
        let name = ClaimKey::new(tenant, claim_space::CLIENT_NAME, self.name.as_bytes());
        core::iter::once(name)
            .chain(self.credentials.iter().map(|c| c.claim(tenant)))
            .collect()
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            application,
            suspended,
            expires,
            credentials,
            created_ms,
        } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.boolean(tag::SUSPENDED, *suspended);
            w.bytes(tag::APPLICATION, application);
            if let Some(expires) = expires {
                w.date_time(tag::EXPIRES, *expires);
            }
            for credential in credentials {
                w.structure(tag::CREDENTIAL, |w| credential.write(w));
            }
            w.long_integer(tag::CREATED, *created_ms);
        })
    }

    /// Reads what [`ClientRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            let name = r.text(tag::NAME)?.to_owned();
            let suspended = r.boolean(tag::SUSPENDED)?;
            let application = fixed(r, tag::APPLICATION)?;
            let expires = r.at(tag::EXPIRES).then(|| r.date_time(tag::EXPIRES)).transpose()?;
            let mut credentials = Vec::new();
            while r.at(tag::CREDENTIAL) {
                credentials.push(r.structure(tag::CREDENTIAL, Credential::read)?);
            }
            Ok(Self {
                name,
                application,
                suspended,
                expires,
                credentials,
                created_ms: r.long_integer(tag::CREATED)?,
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

    /// What must be unique in the tenant: the name.
    #[must_use]
    pub fn claims(&self, tenant: Domain) -> Vec<ClaimKey> {
        vec![ClaimKey::new(
            tenant,
            claim_space::APPLICATION_NAME,
            self.name.as_bytes(),
        )]
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

impl Credential {
    /// The claim that stands for it within a tenant.
    #[must_use]
    pub fn claim(&self, tenant: Domain) -> ClaimKey {
        match self {
            Self::Key(key) | Self::Pinned { key, .. } => Self::key_claim(tenant, key),
            Self::Rule(rule) => rule.claim(tenant),
        }
    }

    /// The claim on a registered key within a tenant.
    #[must_use]
    pub fn key_claim(tenant: Domain, key_fingerprint: &[u8; 32]) -> ClaimKey {
        ClaimKey::new(tenant, claim_space::CLIENT_KEY, key_fingerprint)
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::Key(key) => w.bytes(tag::KEY_FINGERPRINT, key),
            Self::Pinned { key, certificate } => {
                w.bytes(tag::KEY_FINGERPRINT, key);
                w.bytes(tag::PINNED_CERTIFICATE, certificate);
            }
            Self::Rule(rule) => {
                w.enumeration(tag::RULE_KIND, rule.name().number());
                w.bytes(tag::RULE_VALUE, rule.value());
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        if r.at(tag::RULE_KIND) {
            let unknown = r.error(ErrorKind::Invalid("rule kind"));
            let name = CertificateName::from_number(r.enumeration(tag::RULE_KIND)?).ok_or(unknown)?;
            return Ok(Self::Rule(Rule::new(name, r.bytes(tag::RULE_VALUE)?)));
        }
        let key = fixed(r, tag::KEY_FINGERPRINT)?;
        if r.is_empty() {
            return Ok(Self::Key(key));
        }
        Ok(Self::Pinned {
            key,
            certificate: fixed(r, tag::PINNED_CERTIFICATE)?,
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

pub(super) fn fixed<const N: usize>(r: &mut Reader<'_>, tag: Tag) -> Result<[u8; N]> {
    let wrong = r.error(ErrorKind::WrongLength);
    r.bytes(tag)?.try_into().map_err(|_| wrong)
}
