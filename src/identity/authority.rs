//! Certificate authorities as they are kept: those from outside, and those with which the server issues.

use super::record::{Id, claim_space, decode, encode, kind};
use super::tag;
use crate::store::{ClaimKey, Domain, Key};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

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
    /// Retired: it issues no more, and what it has issued is accepted.
    pub retired: bool,
    /// When it was enrolled, in milliseconds since 1970.
    pub created_ms: i64,
    /// Its private key and what it has revoked, if the server issues with it.
    pub issuer: Option<IssuerRecord>,
}

/// The half of an authority of the server's own with which certificates are issued.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IssuerRecord {
    /// The KEK that wrapped the key's DEK.
    pub kek: Id,
    /// Its generation.
    pub kek_generation: u32,
    /// The DEK under the KEK.
    pub wrapped_dek: Vec<u8>,
    /// The private key (PKCS#8) under the DEK, bound to the authority's id.
    pub blob: Vec<u8>,
    /// The number of its latest revocation list.
    pub list_number: i64,
    /// What is revoked and has not run out.
    pub revoked: Vec<RevokedCertificate>,
}

/// A certificate that an authority has revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokedCertificate {
    /// Its serial number.
    pub serial: Vec<u8>,
    /// When it was revoked, in seconds since 1970.
    pub time: i64,
    /// Its last second: afterwards it need not be listed.
    pub not_after: i64,
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

    /// Whether it issues.
    #[must_use]
    pub const fn issues(&self) -> bool {
        self.issuer.is_some() && !self.retired && !self.suspended
    }

    /// The claim on the name of an authority.
    #[must_use]
    pub fn name_claim(domain: Domain, name: &str) -> ClaimKey {
        ClaimKey::new(domain, claim_space::AUTHORITY_NAME, name.as_bytes())
    }

    /// The claim on the key of an authority, in the whole installation.
    #[must_use]
    pub fn key_claim(fingerprint: &[u8; 32]) -> ClaimKey {
        ClaimKey::new(Domain::SYSTEM, claim_space::AUTHORITY_KEY, fingerprint)
    }

    /// What must be unique: the name in its domain, the authority's key in the whole installation.
    pub fn claims(&self, domain: Domain) -> core::result::Result<Vec<ClaimKey>, certs::Error> {
        let facts = certs::CertificateFacts::read(&self.certificate)?;
        Ok(vec![
            Self::key_claim(&facts.key_fingerprint),
            Self::name_claim(domain, &self.name),
        ])
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
            retired,
            created_ms,
            issuer,
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
            w.boolean(tag::RETIRED, *retired);
            w.long_integer(tag::CREATED, *created_ms);
            if let Some(issuer) = issuer {
                w.structure(tag::ISSUER, |w| issuer.write(w));
            }
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
                retired: r.boolean(tag::RETIRED)?,
                created_ms: r.long_integer(tag::CREATED)?,
                issuer: r
                    .at(tag::ISSUER)
                    .then(|| r.structure(tag::ISSUER, IssuerRecord::read))
                    .transpose()?,
            })
        })
    }
}

impl IssuerRecord {
    fn write(&self, w: &mut Writer) {
        let Self {
            kek,
            kek_generation,
            wrapped_dek,
            blob,
            list_number,
            revoked,
        } = self;
        w.bytes(tag::KEK, kek);
        w.long_integer(tag::KEK_GENERATION, i64::from(*kek_generation));
        w.bytes(tag::WRAPPED_DEK, wrapped_dek);
        w.bytes(tag::BLOB, blob);
        w.long_integer(tag::LIST_NUMBER, *list_number);
        for RevokedCertificate {
            serial,
            time,
            not_after,
        } in revoked
        {
            w.structure(tag::REVOKED_CERTIFICATE, |w| {
                w.bytes(tag::SERIAL, serial);
                w.date_time(tag::CREATED, *time);
                w.date_time(tag::EXPIRES, *not_after);
            });
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let kek = r.array(tag::KEK)?;
        let wrong = r.error(ErrorKind::Invalid("generation"));
        let mut record = Self {
            kek,
            kek_generation: u32::try_from(r.long_integer(tag::KEK_GENERATION)?).map_err(|_| wrong)?,
            wrapped_dek: r.bytes(tag::WRAPPED_DEK)?.to_vec(),
            blob: r.bytes(tag::BLOB)?.to_vec(),
            list_number: r.long_integer(tag::LIST_NUMBER)?,
            revoked: Vec::new(),
        };
        while r.at(tag::REVOKED_CERTIFICATE) {
            let one = r.structure(tag::REVOKED_CERTIFICATE, |r| {
                Ok(RevokedCertificate {
                    serial: r.bytes(tag::SERIAL)?.to_vec(),
                    time: r.date_time(tag::CREATED)?,
                    not_after: r.date_time(tag::EXPIRES)?,
                })
            })?;
            record.revoked.push(one);
        }
        Ok(record)
    }
}
