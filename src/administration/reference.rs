//! What lies under KEKs: one table of the kinds of records that carry something sealed, how it is read there and put in the place of what
//! was. It is counted by this table before a KEK is destroyed, and wrapped anew by it. The record key of a domain lies under each of its
//! KEKs besides; its wrapping is dropped with a KEK and stands in nobody's way.

use super::sealed;
use crate::custody::{Custody, CustodyError, KekId, SealContext, Sealed};
use crate::failure::Failure;
use crate::identity::{AuthorityRecord, Id, PersonId, PersonRecord, kind};
use crate::objects::{OBJECT, Object, index};
use crate::operations::context::seal_context;
use crate::operations::pending::{PENDING, PendingRecord};
use crate::operations::{Context, Services, digests, frozen, issuers};
use crate::records;
use crate::store::{Domain, IndexRow, Key, Kind, Record, Store};
use kmip_ttlv::Hex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records to a page of a scan.
const PAGE: usize = 256;
/// Records that cannot be read and are named.
pub(super) const MOST_NAMED: usize = 8;

/// Something sealed, with what it is bound to.
pub(super) struct Holding {
    context: SealContext,
    pub(super) sealed: Sealed,
}

/// A record's body, and its index rows.
type Whole = (Vec<u8>, Vec<IndexRow>);

type Replace = fn(&Custody, Key, &[u8], Vec<Sealed>) -> Result<Whole, CustodyError>;

/// A kind of record that carries something sealed.
pub(super) struct Row {
    pub(super) kind: Kind,
    /// What it is called where one cannot be read.
    name: &'static str,
    /// What is sealed in the record at this key, always in the same order.
    read: fn(Key, &[u8]) -> Result<Vec<Holding>, CustodyError>,
    /// The record with these in place of what `read` gave.
    replace: Replace,
}

/// Every kind of record that carries something sealed.
pub(super) const TABLE: &[Row] = &[
    Row {
        kind: OBJECT,
        name: "object",
        read: read_object,
        replace: replace_object,
    },
    Row {
        kind: PENDING,
        name: "pending request",
        read: read_pending,
        replace: replace_pending,
    },
    Row {
        kind: kind::PERSON,
        name: "person",
        read: read_person,
        replace: replace_person,
    },
    Row {
        kind: kind::AUTHORITY,
        name: "authority",
        read: read_authority,
        replace: replace_authority,
    },
];

fn bad<E>(_: E) -> CustodyError {
    CustodyError::Record
}

fn read_object(_: Key, body: &[u8]) -> Result<Vec<Holding>, CustodyError> {
    let object = crate::objects::Kept::read(body).map_err(bad)?;
    let holding = object.material.as_ref().map(|material| Holding {
        context: seal_context(&object, material.generation),
        sealed: material.sealed.clone(),
    });
    Ok(holding.into_iter().collect())
}

/// Nothing that a client sees changes, its Last Change Date neither.
fn replace_object(custody: &Custody, key: Key, body: &[u8], sealed: Vec<Sealed>) -> Result<Whole, CustodyError> {
    let mut object = Object::decode(body).map_err(bad)?;
    object.leave_kek();
    if let (Some(material), Some(sealed)) = (object.material.as_mut(), sealed.into_iter().next()) {
        material.sealed = sealed;
    }
    let body = object.encode();
    // The index has the digests as clients know them.
    digests::turn(custody, key.domain, &mut object)?;
    Ok((body, index::rows(&object)))
}

fn read_pending(key: Key, body: &[u8]) -> Result<Vec<Holding>, CustodyError> {
    let PendingRecord { request, result, .. } = PendingRecord::decode(body).map_err(bad)?;
    let request = request.map(|sealed| Holding {
        context: frozen::request_context(key),
        sealed,
    });
    let result = result.map(|sealed| Holding {
        context: frozen::result_context(key),
        sealed,
    });
    Ok(request.into_iter().chain(result).collect())
}

fn replace_pending(_: &Custody, _: Key, body: &[u8], sealed: Vec<Sealed>) -> Result<Whole, CustodyError> {
    let mut pending = PendingRecord::decode(body).map_err(bad)?;
    let mut sealed = sealed.into_iter();
    for slot in [&mut pending.request, &mut pending.result] {
        if slot.is_some() {
            *slot = sealed.next();
        }
    }
    Ok((pending.encode(), pending.rows()))
}

fn read_person(key: Key, body: &[u8]) -> Result<Vec<Holding>, CustodyError> {
    let person = PersonRecord::decode(body).map_err(bad)?;
    let id = PersonId {
        domain: key.domain,
        person: key.id,
    };
    let holding = person.one_time.map(|one_time| {
        Ok(Holding {
            context: sealed::context(id),
            sealed: sealed::read(&one_time.sealed).ok_or(CustodyError::Record)?,
        })
    });
    holding.into_iter().collect()
}

fn replace_person(_: &Custody, _: Key, body: &[u8], sealed: Vec<Sealed>) -> Result<Whole, CustodyError> {
    let mut person = PersonRecord::decode(body).map_err(bad)?;
    if let (Some(one_time), Some(fresh)) = (person.one_time.as_mut(), sealed.first()) {
        one_time.sealed = sealed::write(fresh);
    }
    Ok((person.encode(), Vec::new()))
}

fn read_authority(key: Key, body: &[u8]) -> Result<Vec<Holding>, CustodyError> {
    let authority = AuthorityRecord::decode(body).map_err(bad)?;
    let holding = authority.issuer.as_ref().map(|issuer| Holding {
        context: issuers::seal_context(key.id),
        sealed: issuers::sealed_key(issuer),
    });
    Ok(holding.into_iter().collect())
}

fn replace_authority(_: &Custody, _: Key, body: &[u8], sealed: Vec<Sealed>) -> Result<Whole, CustodyError> {
    let mut authority = AuthorityRecord::decode(body).map_err(bad)?;
    if let (Some(issuer), Some(sealed)) = (authority.issuer.as_mut(), sealed.into_iter().next()) {
        issuer.kek = sealed.kek.0;
        issuer.kek_generation = sealed.kek_generation;
        issuer.wrapped_dek = sealed.wrapped_dek;
        issuer.blob = sealed.blob;
    }
    Ok((authority.encode(), Vec::new()))
}

impl Row {
    /// What is sealed in a record, if its MAC is right and it can be read.
    ///
    /// # Errors
    /// An outage. A record that is damaged gives `None`.
    pub(super) fn holdings(&self, custody: &Custody, record: &Record) -> Result<Option<Vec<Holding>>, Failure> {
        let read = records::open(custody, record).and_then(|body| (self.read)(record.key, body));
        match read {
            Ok(holdings) => Ok(Some(holdings)),
            Err(error) if is_lost(error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same of a record whose MAC cannot be checked.
    fn unproven(&self, record: &Record) -> Option<Vec<Holding>> {
        let (body, _) = records::parts(&record.body)?;
        (self.read)(record.key, body).ok()
    }

    /// What a record of this kind is called that cannot be read: by its key, because nothing else of it can be believed.
    pub(super) fn name_of(&self, id: Id) -> String {
        format!("{} {}", self.name, Hex(&id))
    }

    /// Wraps what of a record lies under KEKs that are not wanted anew, under the active one, and leaves it in the unit of work. Whoever
    /// changes the record meanwhile comes first. `None`: it cannot be opened.
    pub(super) async fn renew(
        &self,
        context: &mut Context<'_>,
        key: Key,
        unwanted: impl Fn(&Sealed) -> bool,
    ) -> Result<Option<bool>, Failure> {
        // Writing a record that is held would have the trail vouch for what was put back.
        if context.services.quarantine.holds(key) {
            return Ok(None);
        }
        let Some(record) = context.work.load(key).await? else {
            return Ok(Some(false));
        };
        let custody = &context.services.custody;
        let Some(holdings) = self.holdings(custody, &record)? else {
            return Ok(None);
        };
        if !holdings.iter().any(|holding| unwanted(&holding.sealed)) {
            return Ok(Some(false));
        }
        let mut fresh = Vec::with_capacity(holdings.len());
        for Holding { context: bound, sealed } in holdings {
            if !unwanted(&sealed) {
                fresh.push(sealed);
                continue;
            }
            match custody.rewrap(key.domain, bound, &sealed).await {
                Ok(sealed) => fresh.push(sealed.settle_in(context.work)),
                Err(error) if is_lost(error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        let body = records::open(custody, &record)?;
        let (body, rows) = (self.replace)(custody, key, body, fresh)?;
        let revision = context.work.next_revision(key);
        let (body, _) = records::close(custody, key, revision, body)?;
        context.work.put(key, body, rows);
        Ok(Some(true))
    }
}

/// Whether a try at another time would come out the same.
const fn is_lost(error: CustodyError) -> bool {
    matches!(
        error,
        CustodyError::Refused | CustodyError::Record | CustodyError::UnknownKek
    )
}

/// What lies under the KEKs of a domain.
#[derive(Default)]
pub struct Tally {
    under: BTreeMap<KekId, u64>,
    /// Records that cannot be read: each may lie under any KEK, and stands in the way of all.
    pub unreadable: u64,
    /// Some of them.
    pub(super) named: Vec<String>,
}

impl Tally {
    /// What is known to lie under a KEK.
    pub(super) fn under(&self, kek: KekId) -> u64 {
        self.under.get(&kek).copied().unwrap_or(0)
    }

    /// What may lie under a KEK.
    pub(super) fn of(&self, kek: KekId) -> u64 {
        self.under(kek).saturating_add(self.unreadable)
    }
}

/// A page of the records of a kind, those that are held among them: what lies under a KEK lies there, whatever may be wrong with it.
pub(super) async fn page(
    store: &Arc<dyn Store>,
    (domain, kind): (Domain, Kind),
    after: Option<Id>,
    limit: usize,
) -> Result<Vec<Record>, Failure> {
    let of = |id| Key { domain, kind, id };
    let Some(from) = after.map_or(Some(of([0; 16])), |id| of(id).next()) else {
        return Ok(Vec::new());
    };
    let mut rows = store.rows(from, limit).await?;
    rows.retain(|row| row.key.domain == domain && row.key.kind == kind);
    Ok(rows)
}

/// Counts what lies under the KEKs of a domain, each record by itself and with its MAC checked.
///
/// # Errors
/// An outage: nothing is known then.
pub async fn tally(services: &Services, domain: Domain) -> Result<Tally, Failure> {
    count(services, domain, |row, record| row.holdings(&services.custody, record)).await
}

/// The same where the record key is not open: nothing is checked, and nothing may rest on it.
pub(super) async fn tally_unproven(services: &Services, domain: Domain) -> Result<Tally, Failure> {
    count(services, domain, |row, record| Ok(row.unproven(record))).await
}

async fn count(
    services: &Services,
    domain: Domain,
    read: impl Fn(&Row, &Record) -> Result<Option<Vec<Holding>>, Failure>,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for row in TABLE {
        let mut after = None;
        loop {
            let page = page(&services.store, (domain, row.kind), after, PAGE).await?;
            for record in &page {
                let Some(holdings) = read(row, record)? else {
                    tally.unreadable = tally.unreadable.saturating_add(1);
                    if tally.named.len() < MOST_NAMED {
                        tally.named.push(row.name_of(record.key.id));
                    }
                    continue;
                };
                for holding in holdings {
                    let under = tally.under.entry(holding.sealed.kek).or_default();
                    *under = under.saturating_add(1);
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE => after = Some(last.key.id),
                _ => break,
            }
            crate::wait::breathe().await;
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The files that keep what custody has sealed, each with the kind of record that it is kept in.
    const SEALERS: &[(&str, &[Kind])] = &[
        ("src/operations/context.rs", &[OBJECT]),
        ("src/operations/deferred.rs", &[PENDING]),
        ("src/administration/sealed.rs", &[kind::PERSON]),
        ("src/administration/authority.rs", &[kind::AUTHORITY]),
        // What lies there already.
        ("src/administration/reference.rs", &[]),
    ];

    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// Nothing that custody seals can be kept without being settled in a unit of work: whoever does that names the kind of record here,
    /// and each such kind is in the table.
    #[test]
    fn every_kind_of_record_that_carries_something_sealed_is_in_the_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut all = Vec::new();
        files(&root.join("src"), &mut all);
        let word = [".settle", "_in("].concat();
        let settles = |path: &Path| std::fs::read_to_string(path).unwrap().contains(&word);
        let mut sealing: Vec<String> = all
            .iter()
            .filter(|path| settles(path))
            .map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
            .collect();
        sealing.sort();
        let mut named: Vec<&str> = SEALERS.iter().map(|(file, _)| *file).collect();
        named.sort_unstable();
        assert_eq!(
            sealing, named,
            "say in which record it is kept, and put that in the table"
        );
        let kinds = |kind: &Kind| TABLE.iter().any(|row| row.kind == *kind);
        assert!(SEALERS.iter().flat_map(|(_, kept)| kept.iter()).all(kinds));
    }
}
