//! The people of a domain and its groups, read from their records: who there is to agree, now.

use super::group::GROUP;
use super::quorum::{Electorate, Group, Member, MemberKey};
use crate::failure::{Failure, Fault};
use crate::identity::{Id, PersonRecord, RecordOpener, kind, people_guard};
use crate::store::{Domain, Record, Work};
use kmip_protocol::PersonStatus;

/// Reads the people of a domain. What is decided with them rests on the guard of the people: if one of them or a group changes before
/// the commit, it is decided again. Deleted people are not among them.
///
/// # Errors
/// A store that does not answer; a damaged record, by which nobody is to be counted.
pub async fn electorate(domain: Domain, work: &mut Work, opener: &dyn RecordOpener) -> Result<Electorate, Failure> {
    work.read_guard(people_guard(domain)).await?;
    let mut electorate = Electorate::default();
    for record in work.all(domain, kind::PERSON).await? {
        let person = decode(&record, opener, PersonRecord::decode)?;
        if person.status != PersonStatus::Deleted {
            electorate.members.push(member(record.key.id, &person));
        }
    }
    for record in work.all(domain, GROUP).await? {
        electorate.groups.push(decode(&record, opener, Group::decode)?);
    }
    Ok(electorate)
}

/// A person as the quorum sees it.
#[must_use]
pub fn member(person: Id, record: &PersonRecord) -> Member {
    let key = |key: &crate::identity::PersonKey| MemberKey {
        fingerprint: key.fingerprint,
        hardware: key.hardware,
        // A certificate that cannot be read is good for nothing.
        not_after_ms: certs::CertificateFacts::read(&key.certificate).map_or(i64::MIN, |facts| {
            facts.not_after.saturating_mul(1000).saturating_add(999)
        }),
    };
    Member {
        person,
        name: record.name.clone(),
        role: record.role,
        active: record.status == PersonStatus::Active,
        member_since_ms: record.member_since_ms,
        keys: record.keys().map(key).collect(),
    }
}

fn decode<T>(
    record: &Record,
    opener: &dyn RecordOpener,
    decode: impl FnOnce(&[u8]) -> kmip_ttlv::Result<T>,
) -> Result<T, Failure> {
    let damaged = || {
        Failure::detailed(
            Fault::RecordDamaged,
            format_args!("the record {} is damaged", record.key),
        )
    };
    let bytes = opener.open(record).map_err(|_| damaged())?;
    decode(&bytes).map_err(|_| damaged())
}
