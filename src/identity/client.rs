//! Clients as they are kept: how they are recognised, what they may do, and the certificates that the server issued to them.

use super::record::{Id, claim_space, decode, encode, guard_set, kind, optional_text};
use super::rule::{CertificateName, Rule};
use super::tag;
use crate::store::{ClaimKey, Domain, GuardKey, Key};
use kmip_protocol::{ClientSettings, Item, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// Certificates of one client that have not run out: revoke one before the next is issued.
pub const MOST_ISSUED: usize = 32;

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
    /// What it may do. Its end is [`ClientRecord::expires`].
    pub settings: ClientSettings,
    /// A user name and password that it must show beside its certificate.
    pub password: Option<ClientPasswordRecord>,
    /// The certificates that the server has issued to it and that have neither run out nor been revoked.
    pub issued: Vec<IssuedCertificate>,
    /// Keys among its credentials (SPKI SHA-256) whose holder has signed that they are this tenant's client's.
    pub proven: Vec<[u8; 32]>,
    /// What makes it a user, if it is one: it has a password, and no credential.
    pub user: Option<UserRecord>,
}

/// Over which connections a user is admitted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserRecord {
    /// Those of these clients; if there are none, of any client of its tenant that admits users.
    pub connections: Vec<Id>,
}

/// A user name and password of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientPasswordRecord {
    /// Unique in the tenant.
    pub username: String,
    /// The PHC string (`$argon2id$...`).
    pub hash: String,
}

/// Tells the user name only.
impl core::fmt::Debug for ClientPasswordRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientPasswordRecord")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A certificate that the server has issued to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuedCertificate {
    /// The authority that issued it.
    pub authority: Id,
    /// Its serial number.
    pub serial: Vec<u8>,
    /// SHA-256 of its key (SPKI).
    pub key: [u8; 32],
    /// Its last second.
    pub not_after: i64,
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

impl ClientRecord {
    /// The claim on the name of a client.
    #[must_use]
    pub fn name_claim(tenant: Domain, name: &str) -> ClaimKey {
        ClaimKey::new(tenant, claim_space::CLIENT_NAME, name.as_bytes())
    }

    /// The claim on a user name.
    #[must_use]
    pub fn username_claim(tenant: Domain, username: &str) -> ClaimKey {
        ClaimKey::new(tenant, claim_space::USERNAME, username.as_bytes())
    }

    /// Whether it is neither suspended nor past its time, in seconds since 1970.
    #[must_use]
    pub fn is_served(&self, now: i64) -> bool {
        !self.suspended && self.expires.is_none_or(|end| now <= end)
    }

    /// Whether it is a user that this client's connections are for, and served at this time in seconds since 1970.
    #[must_use]
    pub fn is_admitted_over(&self, connection: Id, now: i64) -> bool {
        let over = |user: &UserRecord| user.connections.is_empty() || user.connections.contains(&connection);
        self.is_served(now) && self.user.as_ref().is_some_and(over)
    }

    /// What must be unique in the tenant: the name, the user name, the keys and the rules.
    #[must_use]
    pub fn claims(&self, tenant: Domain) -> Vec<ClaimKey> {
        let username = self.password.as_ref();
        let username = username.map(|p| Self::username_claim(tenant, &p.username));
        core::iter::once(Self::name_claim(tenant, &self.name))
            .chain(username)
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
            settings,
            password,
            issued,
            proven,
            user,
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
            settings.write_item(w, tag::SETTINGS, Version::NEWEST);
            if let Some(ClientPasswordRecord { username, hash }) = password {
                w.text(tag::USERNAME, username);
                w.text(tag::CLIENT_PASSWORD, hash);
            }
            for certificate in issued {
                w.structure(tag::ISSUED_CERTIFICATE, |w| certificate.write(w));
            }
            for key in proven {
                w.bytes(tag::PROVEN, key);
            }
            if let Some(UserRecord { connections }) = user {
                w.structure(tag::USER, |w| {
                    connections.iter().for_each(|id| w.bytes(tag::CONNECTION, id))
                });
            }
        })
    }

    /// Reads what [`ClientRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            let name = r.text(tag::NAME)?.to_owned();
            let suspended = r.boolean(tag::SUSPENDED)?;
            let application = r.array(tag::APPLICATION)?;
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
                settings: ClientSettings::read_item(r, tag::SETTINGS, Version::NEWEST)?,
                password: ClientPasswordRecord::read(r)?,
                issued: IssuedCertificate::all(r)?,
                proven: {
                    let mut keys = Vec::new();
                    while r.at(tag::PROVEN) {
                        keys.push(r.array(tag::PROVEN)?);
                    }
                    keys
                },
                user: r
                    .at(tag::USER)
                    .then(|| r.structure(tag::USER, UserRecord::read))
                    .transpose()?,
            })
        })
    }
}

impl Credential {
    /// The key that it names, if it names one.
    #[must_use]
    pub const fn key(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Key(key) | Self::Pinned { key, .. } => Some(key),
            Self::Rule(_) => None,
        }
    }

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
        let key = r.array(tag::KEY_FINGERPRINT)?;
        if r.is_empty() {
            return Ok(Self::Key(key));
        }
        Ok(Self::Pinned {
            key,
            certificate: r.array(tag::PINNED_CERTIFICATE)?,
        })
    }
}

impl UserRecord {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let mut connections = Vec::new();
        while r.at(tag::CONNECTION) {
            connections.push(r.array(tag::CONNECTION)?);
        }
        Ok(Self { connections })
    }
}

impl ClientPasswordRecord {
    fn read(r: &mut Reader<'_>) -> Result<Option<Self>> {
        let Some(username) = optional_text(r, tag::USERNAME)? else {
            return Ok(None);
        };
        let hash = r.text(tag::CLIENT_PASSWORD)?.to_owned();
        Ok(Some(Self { username, hash }))
    }
}

impl IssuedCertificate {
    fn write(&self, w: &mut Writer) {
        let Self {
            authority,
            serial,
            key,
            not_after,
        } = self;
        w.bytes(tag::AUTHORITY, authority);
        w.bytes(tag::SERIAL, serial);
        w.bytes(tag::KEY_FINGERPRINT, key);
        w.date_time(tag::EXPIRES, *not_after);
    }

    fn all(r: &mut Reader<'_>) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        while r.at(tag::ISSUED_CERTIFICATE) {
            let one = r.structure(tag::ISSUED_CERTIFICATE, |r| {
                Ok(Self {
                    authority: r.array(tag::AUTHORITY)?,
                    serial: r.bytes(tag::SERIAL)?.to_vec(),
                    key: r.array(tag::KEY_FINGERPRINT)?,
                    not_after: r.date_time(tag::EXPIRES)?,
                })
            })?;
            all.push(one);
        }
        Ok(all)
    }
}
