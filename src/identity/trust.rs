//! Which chains are accepted: the authorities that tenants enrolled and the certificates that are pinned, in memory, since
//! a handshake cannot wait. Changes take hold at the next handshake and the next request, without a restart.

use super::authority::AuthorityRecord;
use super::certificate::fingerprint_of_chain;
use super::client::{ClientId, ClientRecord};
use super::person::{PersonId, PersonRecord};
use super::pins::{Fingerprint, Holder, Pins, pinned_by_client, pinned_by_person};
use super::record::Id;
use crate::store::Domain;
use certs::{
    CertificateFacts, ChainError, Judgement, PooledList, Purpose, RevocationList, Revocations, StaleList,
    TrustedAuthority, judge, judge_pinned,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Judgements kept, so that a client that connects for each request costs one chain verification. About 200 bytes each.
const MAX_JUDGEMENTS: usize = 16_384;

/// The accepted chains.
#[derive(Default)]
pub struct Trust {
    known: RwLock<Known>,
    /// Grows with each change, so that no judgement outlives what it rests on.
    generation: AtomicU64,
    judged: Mutex<Judgements>,
}

/// Judgements by the chain's fingerprint, each with the generation that it was made in.
type Judgements = HashMap<[u8; 32], (u64, Arc<Accepted>)>;

#[derive(Default)]
struct Known {
    /// Authorities by their subject (DER), as a certificate's issuer names them.
    authorities: HashMap<Vec<u8>, Vec<Arc<Enrolled>>>,
    /// What each domain's authorities say of revocation, those that are suspended as well.
    listing: BTreeMap<(Domain, Id), Listing>,
    pools: HashMap<Domain, Pool>,
    pins: Pins,
}

struct Enrolled {
    tenant: Domain,
    id: Id,
    /// Somebody outside issues its certificates. Those that this server issues bear the names that clients have here, which one
    /// person alone may give: rules do not go by them.
    outside: bool,
    authority: Arc<TrustedAuthority>,
    stale: StaleList,
}

/// What one authority says of revocation.
struct Listing {
    certificate: Vec<u8>,
    authority: Arc<TrustedAuthority>,
    lists: Vec<Arc<RevocationList>>,
}

/// What the authorities of one domain say of revocation together.
#[derive(Default)]
struct Pool {
    lists: Vec<PooledList>,
    /// Those that one above them has revoked: they are trusted by themselves, so that no chain would show it.
    revoked: HashSet<Id>,
}

/// Why a chain is accepted, and for how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Tenants with an authority that the chain leads to, each once.
    pub tenants: Vec<Domain>,
    /// Those of them whose rules may be asked: tenants with an authority outside this server that the chain leads to.
    pub ruled: Vec<Domain>,
    /// Clients for which exactly this certificate is registered.
    pub pinned: Vec<ClientId>,
    /// People of whom exactly this certificate is one.
    pub people: Vec<PersonId>,
    /// From when, in seconds since 1970.
    pub from: i64,
    /// Last second.
    pub until: i64,
}

impl Trust {
    /// Whom this chain (DER, end entity first) leads to at this time, in seconds since 1970. An error if it is accepted by
    /// nobody.
    pub fn judge(&self, chain: &[impl AsRef<[u8]>], now: i64) -> Result<Arc<Accepted>, ChainError> {
        self.judge_known(&fingerprint_of_chain(chain), chain, now)
    }

    /// The same for a chain whose fingerprint is known already.
    pub(super) fn judge_known(
        &self,
        fingerprint: &[u8; 32],
        chain: &[impl AsRef<[u8]>],
        now: i64,
    ) -> Result<Arc<Accepted>, ChainError> {
        // Read before the judgement: a change meanwhile makes it count no longer.
        let generation = self.generation();
        if let Some((judged_in, accepted)) = self.judgements().get(fingerprint)
            && *judged_in == generation
            && (accepted.from..=accepted.until).contains(&now)
        {
            return Ok(accepted.clone());
        }
        let accepted = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            Arc::new(known.judge(chain, now)?)
        };
        let mut judged = self.judgements();
        if judged.len() >= MAX_JUDGEMENTS {
            judged.clear();
        }
        judged.insert(*fingerprint, (generation, accepted.clone()));
        Ok(accepted)
    }

    /// Grows with each change.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Accepts the chains of an authority, in place of what was enrolled under this id before.
    pub fn enroll(&self, tenant: Domain, id: Id, record: &AuthorityRecord) -> Result<(), certs::Error> {
        let listing = read(record)?;
        let authority = Arc::clone(&listing.authority);
        self.change(|known| {
            known.withdraw(tenant, id);
            known.listing.insert((tenant, id), listing);
            known.pool(tenant);
            if !record.suspended {
                let subject = authority.facts.subject_der.clone();
                let enrolled = Enrolled::new(tenant, id, record, authority);
                known.authorities.entry(subject).or_default().push(Arc::new(enrolled));
            }
        });
        Ok(())
    }

    /// Accepts an authority's chains no longer.
    pub fn withdraw(&self, tenant: Domain, id: Id) {
        self.change(|known| {
            known.withdraw(tenant, id);
            known.pool(tenant);
        });
    }

    /// Accepts exactly the certificates that this client's record pins, in place of those it pinned before.
    pub fn pin(&self, client: ClientId, record: Option<&ClientRecord>) {
        self.repin(Holder::Client(client), pinned_by_client(record));
    }

    /// Accepts the certificates that this person has, in place of those it had before: whoever issued them, they were enrolled.
    pub fn pin_person(&self, person: PersonId, record: Option<&PersonRecord>) {
        self.repin(Holder::Person(person), pinned_by_person(record));
    }

    /// Accepts these pins, and none besides.
    pub(super) fn pin_all(&self, list: Vec<(Fingerprint, Holder)>) {
        self.change(|known| known.pins = Pins::of(list));
    }

    /// Pins these certificates, in order, for somebody, in place of those before.
    pub(super) fn repin(&self, holder: Holder, pins: Vec<Fingerprint>) {
        let unchanged = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.pins.held_by(&holder).eq(pins.iter().copied())
        };
        if !unchanged {
            self.change(|known| known.pins.replace(holder, &pins));
        }
    }

    /// Takes over everything that another one accepts.
    pub fn replace(&self, other: Self) {
        let other = other.known.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.change(|known| *known = other);
    }

    /// How many authorities and pinned certificates there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        (known.authorities.values().map(Vec::len).sum(), known.pins.len())
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        // Within the lock: whoever reads the new generation reads what it stands for.
        self.generation.fetch_add(1, Ordering::AcqRel);
        drop(known);
        self.judgements().clear();
    }

    fn judgements(&self) -> MutexGuard<'_, Judgements> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one of a domain's authorities vouches for a chain, by the revocation lists of all of them.
pub(crate) fn vouches(
    id: Id,
    authorities: &[(Id, AuthorityRecord)],
    chain: &[impl AsRef<[u8]>],
    now: i64,
) -> Result<bool, certs::Error> {
    let domain = Domain::SYSTEM;
    let mut known = Known::default();
    let mut meant = None;
    for (own, record) in authorities {
        let listing = read(record)?;
        if *own == id {
            meant = Some(Enrolled::new(domain, id, record, Arc::clone(&listing.authority)));
        }
        known.listing.insert((domain, *own), listing);
    }
    known.pool(domain);
    Ok(meant.is_some_and(|enrolled| known.judge_by(&enrolled, chain, now).is_ok()))
}

impl Enrolled {
    fn new(tenant: Domain, id: Id, record: &AuthorityRecord, authority: Arc<TrustedAuthority>) -> Self {
        Self {
            tenant,
            id,
            outside: record.issuer.is_none(),
            authority,
            stale: if record.refuse_stale {
                StaleList::Refuse
            } else {
                StaleList::Accept
            },
        }
    }
}

fn read(record: &AuthorityRecord) -> Result<Listing, certs::Error> {
    let lists = record.revocation_lists.iter();
    Ok(Listing {
        certificate: record.certificate.clone(),
        authority: Arc::new(TrustedAuthority::new(&record.certificate)?),
        lists: lists
            .map(|der| RevocationList::read(der).map(Arc::new))
            .collect::<Result<_, _>>()?,
    })
}

impl Known {
    /// The chain is judged against each authority by itself that a certificate of it names as its issuer: were it judged
    /// against all at once, the first path found would hide that it leads to two tenants.
    fn judge(&self, chain: &[impl AsRef<[u8]>], now: i64) -> Result<Accepted, ChainError> {
        if chain.is_empty() || chain.len() > certs::MAX_CHAIN_LENGTH {
            return Err(ChainError::Length);
        }
        let facts: Vec<_> = chain.iter().map(|c| CertificateFacts::read(c.as_ref())).collect();
        let leaf = facts
            .first()
            .and_then(|f| f.as_ref().ok())
            .ok_or(ChainError::Malformed)?;
        let mut accepted = Accepted {
            tenants: Vec::new(),
            ruled: Vec::new(),
            pinned: Vec::new(),
            people: Vec::new(),
            from: leaf.not_before,
            until: leaf.not_after,
        };
        let mut refusal = ChainError::UnknownIssuer;
        let mut holders = self.pins.holders_of(&leaf.fingerprint).peekable();
        if holders.peek().is_some() {
            match judge_pinned(leaf, now, Purpose::Client) {
                Ok(_) => holders.for_each(|holder| match holder {
                    Holder::Client(client) => accepted.pinned.push(client),
                    Holder::Person(person) => accepted.people.push(person),
                }),
                Err(why) => refusal = why,
            }
        }
        let issuers: HashSet<_> = facts.iter().flatten().map(|f| &f.issuer_der).collect();
        for enrolled in issuers.into_iter().filter_map(|i| self.authorities.get(i)).flatten() {
            match self.judge_by(enrolled, chain, now) {
                Ok(judgement) => {
                    accepted.until = accepted.until.min(judgement.not_after);
                    if !accepted.tenants.contains(&enrolled.tenant) {
                        accepted.tenants.push(enrolled.tenant);
                    }
                    if enrolled.outside && !accepted.ruled.contains(&enrolled.tenant) {
                        accepted.ruled.push(enrolled.tenant);
                    }
                }
                Err(why) => refusal = why,
            }
        }
        if accepted.tenants.is_empty() && accepted.pinned.is_empty() && accepted.people.is_empty() {
            return Err(refusal);
        }
        accepted.pinned.sort_unstable();
        accepted.people.sort_unstable();
        Ok(accepted)
    }

    fn withdraw(&mut self, tenant: Domain, id: Id) {
        let Some(listing) = self.listing.remove(&(tenant, id)) else {
            return;
        };
        let subject = &listing.authority.facts.subject_der;
        if let Some(enrolled) = self.authorities.get_mut(subject) {
            enrolled.retain(|e| e.tenant != tenant || e.id != id);
            if enrolled.is_empty() {
                self.authorities.remove(subject);
            }
        }
    }

    /// Judges a chain by one authority.
    fn judge_by(&self, enrolled: &Enrolled, chain: &[impl AsRef<[u8]>], now: i64) -> Result<Judgement, ChainError> {
        let pool = self.pools.get(&enrolled.tenant);
        if pool.is_some_and(|pool| pool.revoked.contains(&enrolled.id)) {
            return Err(ChainError::Revoked);
        }
        let revocations = Revocations {
            lists: pool.map_or(&[], |pool| &pool.lists),
            stale: enrolled.stale,
        };
        judge(chain, &enrolled.authority, revocations, now, Purpose::Client)
    }

    /// Puts together what a domain's authorities say of revocation.
    fn pool(&mut self, tenant: Domain) {
        let own = || self.listing.range((tenant, [0; 16])..=(tenant, [0xFF; 16]));
        let facts = || own().map(|(_, listing)| &listing.authority.facts);
        let lists = certs::pool(own().flat_map(|(_, listing)| listing.lists.iter().cloned()), facts());
        let is_out =
            |listing: &Listing| certs::is_revoked(&listing.certificate, &listing.authority.facts, &lists, facts());
        let revoked = own().filter(|(_, listing)| is_out(listing)).map(|((_, id), _)| *id);
        let revoked = revoked.collect();
        if lists.is_empty() {
            self.pools.remove(&tenant);
        } else {
            self.pools.insert(tenant, Pool { lists, revoked });
        }
    }
}
