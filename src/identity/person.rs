//! A person as it is kept.

use super::record::{Id, claim_space, decode, encode, guard_set, kind};
use super::tag;
use crate::store::{ClaimKey, Domain, GuardKey, Key};
use kmip_protocol::{PersonRole, PersonStatus};
use kmip_ttlv::{Reader, Result, Writer};

/// A person, by its ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PersonId {
    /// Its domain: its tenant, or [`Domain::SYSTEM`].
    pub domain: Domain,
    /// Which one.
    pub person: Id,
}

impl PersonId {
    /// Where its record is kept.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key {
            domain: self.domain,
            kind: kind::PERSON,
            id: self.person,
        }
    }

    /// The guard of the people of its domain.
    #[must_use]
    pub const fn guard(&self) -> GuardKey {
        people_guard(self.domain)
    }
}

/// The guard of the people of a domain: bumped by each change of a person or of a group.
#[must_use]
pub const fn people_guard(domain: Domain) -> GuardKey {
    GuardKey {
        domain,
        set: guard_set::PEOPLE,
        id: [0; 16],
    }
}

/// What is counted beside the record of a person or a client of its failed passwords.
pub mod lockout_counter {
    /// Failures since the last success.
    pub const FAILED: u32 = 1;
    /// Until when it is locked out, in milliseconds since 1970.
    pub const LOCKED_UNTIL: u32 = 2;
}

/// What is counted beside a person's record besides. Adjustments and settings of these change no revision.
pub mod person_counter {
    /// When it last logged in, in milliseconds since 1970.
    pub const LAST_LOGIN: u32 = 3;
    /// Logins with the present initial password: one is permitted.
    pub const INITIAL_LOGINS: u32 = 4;
    /// The last time step whose one-time password was used, so that no code is used twice.
    pub const LAST_STEP: u32 = 5;
    /// The last minute in which it voted, in minutes since 1970.
    pub const VOTE_MINUTE: u32 = 6;
    /// Votes cast in that minute.
    pub const VOTES: u32 = 7;
}

/// A person of a tenant, or of the system ([`crate::store::Domain::SYSTEM`]): in its own domain, under a random id.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// Its name, unique in its domain.
    pub name: String,
    /// Its one role.
    pub role: PersonRole,
    /// Whether it may act.
    pub status: PersonStatus,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// Since when it counts as a member of its domain and role. Those of genesis and of a tenant's creation are seasoned: 0.
    pub member_since_ms: i64,
    /// Who proposed it; absent for those of genesis.
    pub created_by: Option<Id>,
    /// Its certificates, revoked ones included: they stay as evidence.
    pub credentials: Vec<PersonKey>,
    /// Its password, if it has one.
    pub password: Option<PasswordRecord>,
    /// The secret of its one-time passwords (RFC 6238), sealed.
    pub one_time: Option<OneTimeRecord>,
}

/// A certificate of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// SHA-256 of its key (SubjectPublicKeyInfo): unique in the installation.
    pub fingerprint: [u8; 32],
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// Whether it counts as a key in hardware: an authority that is marked so vouches for it, or those who agreed to it do.
    pub hardware: bool,
    /// The authority that vouches for it, as it was called then.
    pub attested_by: Option<String>,
    /// Whether its holder has signed, or shown by logging in, that it is this person's.
    pub proven: bool,
    /// When it was enrolled, in milliseconds since 1970.
    pub enrolled_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordRecord {
    /// The PHC string (`$argon2id$…`).
    pub hash: String,
    /// Given by somebody else: single-use, and good only for changing it.
    pub initial: bool,
    /// When an initial one runs out, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Passwords of before, which may not come again.
    pub history: Vec<String>,
}

/// One-time passwords as they are kept.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeRecord {
    /// The secret, sealed by custody under the person's domain (its encoding is the keeper's).
    pub sealed: Vec<u8>,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
}

impl PersonRecord {
    /// The claim on a person's name within its domain.
    #[must_use]
    pub fn name_claim(domain: Domain, name: &str) -> ClaimKey {
        ClaimKey::new(domain, claim_space::PERSON_NAME, name.as_bytes())
    }

    /// The claim on a person's key in the installation.
    #[must_use]
    pub fn key_claim(key_fingerprint: &[u8; 32]) -> ClaimKey {
        ClaimKey::new(Domain::SYSTEM, claim_space::PERSON_KEY, key_fingerprint)
    }

    /// What must be unique: the name in its domain, and in the installation each key that is not revoked. A deleted person's record
    /// remains as evidence and claims nothing.
    #[must_use]
    pub fn claims(&self, domain: Domain) -> Vec<ClaimKey> {
        if self.status == PersonStatus::Deleted {
            return Vec::new();
        }
        let keys = self.keys().map(|key| Self::key_claim(&key.fingerprint));
        core::iter::once(Self::name_claim(domain, &self.name))
            .chain(keys)
            .collect()
    }

    /// Its certificates that are not revoked.
    pub fn keys(&self) -> impl Iterator<Item = &PersonKey> {
        self.credentials.iter().filter(|key| key.revoked_ms.is_none())
    }

    /// Whether it may show itself at all: it is neither suspended nor deleted.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        matches!(self.status, PersonStatus::Invited | PersonStatus::Active)
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            role,
            status,
            created_ms,
            member_since_ms,
            created_by,
            credentials,
            password,
            one_time,
        } = self;
        encode(|w| {
            w.text(tag::NAME, name);
            w.enumeration(tag::ROLE, role.0);
            w.enumeration(tag::STATUS, status.0);
            w.long_integer(tag::CREATED, *created_ms);
            w.long_integer(tag::MEMBER_SINCE, *member_since_ms);
            if let Some(by) = created_by {
                w.bytes(tag::CREATED_BY, by);
            }
            for key in credentials {
                w.structure(tag::PERSON_KEY, |w| key.write(w));
            }
            if let Some(password) = password {
                w.structure(tag::PASSWORD, |w| password.write(w));
            }
            if let Some(one_time) = one_time {
                w.structure(tag::ONE_TIME, |w| one_time.write(w));
            }
        })
    }

    /// Reads what [`PersonRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes, |r| {
            let name = r.text(tag::NAME)?.to_owned();
            let role = PersonRole(r.enumeration(tag::ROLE)?);
            let status = PersonStatus(r.enumeration(tag::STATUS)?);
            let created_ms = r.long_integer(tag::CREATED)?;
            let member_since_ms = r.long_integer(tag::MEMBER_SINCE)?;
            let created_by = r.at(tag::CREATED_BY).then(|| r.array(tag::CREATED_BY)).transpose()?;
            let mut credentials = Vec::new();
            while r.at(tag::PERSON_KEY) {
                credentials.push(r.structure(tag::PERSON_KEY, PersonKey::read)?);
            }
            let password = r.at(tag::PASSWORD);
            let password = password.then(|| r.structure(tag::PASSWORD, PasswordRecord::read));
            let password = password.transpose()?;
            let one_time = r.at(tag::ONE_TIME);
            let one_time = one_time.then(|| r.structure(tag::ONE_TIME, OneTimeRecord::read));
            Ok(Self {
                name,
                role,
                status,
                created_ms,
                member_since_ms,
                created_by,
                credentials,
                password,
                one_time: one_time.transpose()?,
            })
        })
    }
}

impl PersonKey {
    fn write(&self, w: &mut Writer) {
        let Self {
            fingerprint,
            certificate,
            hardware,
            attested_by,
            proven,
            enrolled_ms,
            revoked_ms,
        } = self;
        w.bytes(tag::KEY_FINGERPRINT, fingerprint);
        w.bytes(tag::CERTIFICATE, certificate);
        w.boolean(tag::HARDWARE, *hardware);
        if let Some(by) = attested_by {
            w.text(tag::ATTESTED_BY, by);
        }
        w.boolean(tag::PROVEN, *proven);
        w.long_integer(tag::ENROLLED, *enrolled_ms);
        if let Some(revoked) = revoked_ms {
            w.long_integer(tag::REVOKED, *revoked);
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            fingerprint: r.array(tag::KEY_FINGERPRINT)?,
            certificate: r.bytes(tag::CERTIFICATE)?.to_vec(),
            hardware: r.boolean(tag::HARDWARE)?,
            attested_by: r
                .at(tag::ATTESTED_BY)
                .then(|| r.text(tag::ATTESTED_BY).map(str::to_owned))
                .transpose()?,
            proven: r.boolean(tag::PROVEN)?,
            enrolled_ms: r.long_integer(tag::ENROLLED)?,
            revoked_ms: r.at(tag::REVOKED).then(|| r.long_integer(tag::REVOKED)).transpose()?,
        })
    }
}

impl PasswordRecord {
    fn write(&self, w: &mut Writer) {
        let Self {
            hash,
            initial,
            expires_ms,
            history,
        } = self;
        w.text(tag::PASSWORD_HASH, hash);
        w.boolean(tag::INITIAL, *initial);
        if let Some(expires) = expires_ms {
            w.long_integer(tag::EXPIRES, *expires);
        }
        for former in history {
            w.text(tag::FORMER_PASSWORD, former);
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let hash = r.text(tag::PASSWORD_HASH)?.to_owned();
        let initial = r.boolean(tag::INITIAL)?;
        let expires_ms = r.at(tag::EXPIRES).then(|| r.long_integer(tag::EXPIRES)).transpose()?;
        let mut history = Vec::new();
        while r.at(tag::FORMER_PASSWORD) {
            history.push(r.text(tag::FORMER_PASSWORD)?.to_owned());
        }
        Ok(Self {
            hash,
            initial,
            expires_ms,
            history,
        })
    }
}

impl OneTimeRecord {
    fn write(&self, w: &mut Writer) {
        let Self { sealed, confirmed } = self;
        w.bytes(tag::SEALED, sealed);
        w.boolean(tag::CONFIRMED, *confirmed);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            sealed: r.bytes(tag::SEALED)?.to_vec(),
            confirmed: r.boolean(tag::CONFIRMED)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8, revoked_ms: Option<i64>) -> PersonKey {
        PersonKey {
            fingerprint: [number; 32],
            certificate: vec![number; 5],
            hardware: number == 2,
            attested_by: (number == 2).then(|| "tokens".to_owned()),
            proven: number == 1,
            enrolled_ms: 7,
            revoked_ms,
        }
    }

    fn person() -> PersonRecord {
        PersonRecord {
            name: "alice".into(),
            role: PersonRole::Operator,
            status: PersonStatus::Active,
            created_ms: 5,
            member_since_ms: 0,
            created_by: Some([3; 16]),
            credentials: vec![key(1, None), key(2, Some(9))],
            password: Some(PasswordRecord {
                hash: "$argon2id$".into(),
                initial: true,
                expires_ms: Some(11),
                history: vec!["$a".into(), "$b".into()],
            }),
            one_time: Some(OneTimeRecord {
                sealed: vec![1, 2],
                confirmed: true,
            }),
        }
    }

    #[test]
    fn a_person_reads_as_it_was_written() {
        let whole = person();
        let mut bare = person();
        (bare.created_by, bare.password, bare.one_time) = (None, None, None);
        bare.credentials.clear();
        for record in [whole, bare] {
            let bytes = record.encode();
            assert!(PersonRecord::decode(&bytes).is_ok_and(|read| read == record));
            assert!((0..bytes.len()).all(|cut| PersonRecord::decode(&bytes[..cut]).is_err()));
        }
    }

    #[test]
    fn only_what_can_be_used_is_claimed() {
        let domain = Domain([4; 16]);
        let mut record = person();
        let claims = [
            PersonRecord::name_claim(domain, "alice"),
            PersonRecord::key_claim(&[1; 32]),
        ];
        assert_eq!(record.claims(domain), claims);
        record.status = PersonStatus::Deleted;
        assert_eq!(record.claims(domain), []);
    }
}
