//! KEKs and record keys of a domain, as they are kept, and putting a domain to work.
//!
//! They are read before any MAC can be checked, because the record key is among them; custody's own sealing protects them, and
//! the MAC is checked once the domain is open.

use super::AdministrationError;
use crate::custody::{
    Custody, CustodyError, KekId, KekRecord, KekState, Locked, NewKek, ProfileId, RecordKeyRecord, kek_guard,
};
use crate::records;
use crate::store::{ChangeSet, ClaimKey, Domain, GuardKey, Key, Kind, Record, Store, Work};
use std::sync::Arc;

/// A KEK, in its domain.
pub const KEK: Kind = Kind(0x20);
/// The record key of a domain.
pub const RECORD_KEY: Kind = Kind(0x21);
/// The claim on being a domain's active KEK.
const ACTIVE_KEK: u8 = 0x20;
/// KEK records of a domain read at most; custody's own limit on live ones is smaller.
pub(super) const MOST: usize = 4_096;

/// Where the record key of a domain is kept.
pub(super) const fn record_key_place(domain: Domain) -> Key {
    Key {
        domain,
        kind: RECORD_KEY,
        id: [0; 16],
    }
}

/// Where a KEK is kept.
pub(super) const fn place(domain: Domain, kek: KekId) -> Key {
    Key {
        domain,
        kind: KEK,
        id: kek.0,
    }
}

/// The claim on being the domain's active KEK.
pub(super) fn active_claim(domain: Domain) -> ClaimKey {
    ClaimKey::new(domain, ACTIVE_KEK, b"")
}

/// The guard of a domain's KEKs: whoever changes one has looked at all of them, and whatever is sealed rests on it.
pub(super) const fn guard(domain: Domain) -> GuardKey {
    kek_guard(domain)
}

/// The domains that a change seals something in, or whose KEKs it looks at.
pub fn sealed_in(change: &ChangeSet) -> Vec<Domain> {
    let guards = change.guards.iter().map(|guard| guard.key);
    let sealing = guards.filter(|key| *key == guard(key.domain));
    sealing.map(|key| key.domain).collect()
}

/// Puts a domain to work as the store has it if custody knows its KEKs as they were before: after a change met another one.
pub async fn catch_up(custody: &Custody, store: &Arc<dyn Store>, domain: Domain) -> Result<(), AdministrationError> {
    match custody.as_of(domain) {
        Some(known) if store.guard(guard(domain)).await? != known => open_domain(custody, store, domain).await,
        _ => Ok(()),
    }
}

/// Makes a KEK, or finds the one that an interrupted run of the same proposal made. `login` is the key-management credential, where the
/// HSM-Profile has one of its own (see [`super::management`]).
pub(super) async fn make(custody: &Custody, new: &NewKek, login: Option<&Locked>) -> Result<KekRecord, CustodyError> {
    match custody.create_kek(new, login).await {
        Err(CustodyError::Exists) => custody.adopt_kek(new).await,
        made => made,
    }
}

/// Makes the first KEK and the record key of a domain, puts it to work, and leaves the records in `work`. What was made in an
/// HSM stays there if the commit fails: it is found again by its identifier.
pub async fn found_domain(
    custody: &Custody,
    work: &mut Work,
    domain: Domain,
    profile: ProfileId,
    kek: KekId,
    now_ms: i64,
    login: Option<&Locked>,
) -> Result<(), AdministrationError> {
    let new = NewKek {
        id: kek,
        domain,
        generation: 1,
        profile,
        cka_id: kek.0.to_vec(),
        created_ms: now_ms,
    };
    let kek_record = make(custody, &new, login).await?;
    found_domain_on(custody, work, kek_record, now_ms).await
}

/// The same with a KEK that there is.
pub async fn found_domain_on(
    custody: &Custody,
    work: &mut Work,
    mut kek_record: KekRecord,
    now_ms: i64,
) -> Result<(), AdministrationError> {
    let (domain, kek) = (kek_record.domain, kek_record.id);
    kek_record.state = KekState::Active;
    let record_key = custody
        .create_record_key(domain, core::slice::from_ref(&kek_record), now_ms)
        .await?;
    custody
        .open_domain(domain, core::slice::from_ref(&kek_record), &record_key)
        .await?;
    let key = place(domain, kek);
    put(custody, work, key, kek_record.encode()?).await?;
    put(custody, work, record_key_place(domain), record_key.encode()?).await?;
    work.take(active_claim(domain), key).await?;
    Ok(())
}

/// Writes a record with its MAC.
pub async fn put(custody: &Custody, work: &mut Work, key: Key, body: Vec<u8>) -> Result<(), AdministrationError> {
    work.load(key).await?;
    let (body, _) = records::close(custody, key, work.next_revision(key), body)?;
    work.put(key, body, Vec::new());
    Ok(())
}

/// Puts a domain to work from what the store has. An HSM that is away does not fail this.
pub async fn open_domain(custody: &Custody, store: &Arc<dyn Store>, domain: Domain) -> Result<(), AdministrationError> {
    // Before the records: a change in between is met by the next that seals.
    let as_of = store.guard(guard(domain)).await?;
    let found = store.scan(domain, KEK, None, MOST).await?;
    let mut keks = Vec::with_capacity(found.len());
    for record in &found {
        keks.push(KekRecord::decode(body(record)?)?);
    }
    let place = record_key_place(domain);
    let record_key = store
        .load(place)
        .await?
        .ok_or(AdministrationError::Damaged(RECORD_KEY.0))?;
    custody
        .open_domain_as_of(domain, &keks, &RecordKeyRecord::decode(body(&record_key)?)?, as_of)
        .await?;
    // With an HSM away the MACs cannot be checked now; the wrapped keys are authentic by themselves.
    if custody.ready(domain).await.is_ok() {
        for record in found.iter().chain([&record_key]) {
            records::open(custody, record).map_err(|_| AdministrationError::Damaged(record.key.kind.0))?;
        }
    }
    Ok(())
}

/// The KEKs of a domain as they lie there: nothing of them is checked.
pub async fn unverified(store: &Arc<dyn Store>, domain: Domain) -> Result<Vec<KekRecord>, AdministrationError> {
    decoded(&store.scan(domain, KEK, None, MOST).await?)
}

fn decoded(found: &[Record]) -> Result<Vec<KekRecord>, AdministrationError> {
    let decode = |record| -> Result<_, AdministrationError> { Ok(KekRecord::decode(body(record)?)?) };
    found.iter().map(decode).collect()
}

/// Opens a domain whose KEKs are to be destroyed, those included that are to be already, and checks their records. Gives what it has checked:
/// only what this server wrote is destroyed.
pub async fn open_doomed(
    custody: &Custody,
    store: &Arc<dyn Store>,
    domain: Domain,
) -> Result<Vec<KekRecord>, AdministrationError> {
    let found = store.scan(domain, KEK, None, MOST).await?;
    let known = decoded(&found)?;
    let mut keks = known.clone();
    for kek in keks.iter_mut().filter(|kek| kek.state == KekState::Deleting) {
        kek.state = KekState::Inactive;
    }
    let place = record_key_place(domain);
    let record_key = store.load(place).await?;
    let record_key = record_key.ok_or(AdministrationError::Damaged(RECORD_KEY.0))?;
    let record_key = RecordKeyRecord::decode(body(&record_key)?)?;
    custody.open_domain(domain, &keks, &record_key).await?;
    custody.ready(domain).await?;
    for record in &found {
        records::open(custody, record).map_err(|_| AdministrationError::Damaged(KEK.0))?;
    }
    Ok(known)
}

/// The body of a record whose MAC is checked later.
pub(super) fn body(record: &Record) -> Result<&[u8], AdministrationError> {
    let parts = records::parts(&record.body);
    parts
        .map(|(body, _)| body)
        .ok_or(AdministrationError::Damaged(record.key.kind.0))
}
