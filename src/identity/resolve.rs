//! From a connection's certificate to a principal, for each request anew.
//!
//! A person's registered key → that person, if the chain's authority belongs to its domain or to the system, or the certificate
//! itself was enrolled. A client's registered key → that client, if the chain's authority belongs to its tenant or the certificate is
//! pinned; else a rule, asked only within the tenants whose authorities the chain leads to.
//!
//! A certificate is no secret, and whoever knows one can register it. So of several matches the one counts whose holder has proven to
//! that domain that the key is his; then the one for which an authority of the domain vouches. Two that stand alike are a refusal, which
//! the holder mends by a proof. What is found is kept until something changes that it rests on, so that a request costs one look into a
//! map.

use super::candidate::{Candidate, Found, Standing, Who, foremost, read};
use super::certificate::PeerCertificate;
use super::client::{ClientId, ClientRecord, Credential};
use super::directory::{Directory, DirectoryError, Found as Read};
use super::person::{PersonId, PersonRecord};
use super::pins::{Fingerprint, Holder, pinned_by_client, pinned_by_person};
use super::principal::{ClientPrincipal, PersonPrincipal, Principal, Session, UnregisteredCertificate};
use super::record::Id;
use super::rule::Rule;
use super::trust::{Accepted, Trust};
use crate::store::Domain;
use certs::ChainError;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Principals kept. Each is about 300 bytes; when there are more, all are forgotten and found again.
const MAX_KEPT: usize = 65_536;

/// Clients to a page when all are read at the start.
const PAGE: usize = 512;

/// Why a certificate is nobody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityError {
    /// The chain is not accepted any more: expired, revoked, its authority withdrawn.
    #[error("the certificate is not accepted: {0}")]
    Chain(#[from] ChainError),
    /// More than one client matches, or a client and a person.
    #[error("the certificate matches more than one")]
    Ambiguous,
    /// The client, the person or the tenant is suspended, or the client's time is over.
    #[error("the client is suspended")]
    Suspended,
    /// The directory did not answer, or holds a damaged record.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// What has changed, told by those who changed it once their commit is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdentityChange {
    /// A tenant was suspended, resumed or otherwise changed.
    Tenant(Domain),
    /// An authority was enrolled, withdrawn, suspended, or has a new revocation list.
    Authority(Domain, Id),
    /// A client or one of its credentials was added, changed or removed.
    Client(ClientId),
    /// A person or one of its certificates was added, changed or removed.
    Person(PersonId),
    /// Anything: everything is read again.
    All,
}

/// Knows who is who.
pub struct Identity {
    trust: Arc<Trust>,
    directory: Arc<dyn Directory>,
    /// Grows with each change. What was found under another generation counts no longer.
    generation: AtomicU64,
    kept: RwLock<HashMap<[u8; 32], Kept>>,
}

struct Kept {
    /// Of the directory and of the trust that the answer rests on.
    generations: (u64, u64),
    /// Seconds since 1970 in which it holds.
    validity: RangeInclusive<i64>,
    answer: Result<Principal, IdentityError>,
}

impl Identity {
    /// Reads authorities and pinned certificates from the directory.
    pub async fn open(directory: Arc<dyn Directory>) -> Result<Self, DirectoryError> {
        let identity = Self {
            trust: Arc::new(Trust::default()),
            directory,
            generation: AtomicU64::new(0),
            kept: RwLock::new(HashMap::new()),
        };
        identity.read_all().await?;
        Ok(identity)
    }

    /// Which chains the handshake accepts.
    #[must_use]
    pub const fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// Where it reads from.
    #[must_use]
    pub fn directory(&self) -> &dyn Directory {
        self.directory.as_ref()
    }

    /// Who holds this certificate, at this time in seconds since 1970.
    pub async fn resolve(&self, certificate: &PeerCertificate, now: i64) -> Result<Principal, IdentityError> {
        // Read before anything is looked up: what changes meanwhile makes the answer count no longer.
        let generations = (self.generation.load(Ordering::Acquire), self.trust.generation());
        if let Some(answer) = self.kept(certificate, generations, now) {
            return answer;
        }
        let fingerprint = certificate.chain_fingerprint();
        let accepted = self.trust.judge_known(fingerprint, certificate.chain(), now)?;
        let (answer, until) = match self.find(certificate, &accepted, now).await {
            Ok((principal, until)) => (Ok(principal), until),
            Err(IdentityError::Directory(why)) => return Err(IdentityError::Directory(why)),
            Err(refusal) => (Err(refusal), accepted.until),
        };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let entry = Kept {
            generations,
            validity: accepted.from..=until,
            answer: answer.clone(),
        };
        kept.insert(*fingerprint, entry);
        answer
    }

    /// Has this certificate looked up again at its next request: what was decided by its client's record met another one.
    pub fn forget(&self, certificate: &PeerCertificate) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.remove(certificate.chain_fingerprint());
    }

    fn kept(
        &self,
        certificate: &PeerCertificate,
        generations: (u64, u64),
        now: i64,
    ) -> Option<Result<Principal, IdentityError>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.get(certificate.chain_fingerprint())?;
        let holds = entry.generations == generations && entry.validity.contains(&now);
        holds.then(|| entry.answer.clone())
    }

    async fn find(
        &self,
        certificate: &PeerCertificate,
        accepted: &Accepted,
        now: i64,
    ) -> Result<(Principal, i64), IdentityError> {
        let mut candidates: Vec<Candidate> = self.holder(certificate, accepted).await?.into_iter().collect();
        candidates.extend(self.registered(certificate, accepted).await?);
        if !candidates.iter().any(|candidate| candidate.standing.proven) {
            candidates.extend(self.described(certificate, accepted, &candidates).await?);
            // What cannot be read may be what was proven: nobody else is served in its place.
            if let Some(error) = candidates.iter().find_map(Candidate::unread) {
                return Err(error.into());
            }
        }
        let Some(candidate) = foremost(candidates)? else {
            let unregistered = UnregisteredCertificate {
                fingerprint: *certificate.fingerprint(),
            };
            return Ok((Principal::Unregistered(Arc::new(unregistered)), accepted.until));
        };
        match candidate.who {
            // A person's key serves nobody else, under whatever authority.
            Who::Person { shown: false, .. } => Err(IdentityError::Ambiguous),
            Who::Person { id, found, .. } => {
                let found = self.person(id, found?, certificate).await?;
                Ok((Principal::Person(Arc::new(found)), accepted.until))
            }
            Who::Client { id, found, by } => self.client(id, found?, &by, accepted, now).await,
        }
    }

    async fn client(
        &self,
        id: ClientId,
        found: Option<Read<ClientRecord>>,
        by: &Found,
        accepted: &Accepted,
        now: i64,
    ) -> Result<(Principal, i64), IdentityError> {
        let tenant = self.directory.tenant(id.tenant).await?;
        let (Some(tenant), Some(found)) = (tenant, found) else {
            return Err(IdentityError::Suspended);
        };
        let client = found.record;
        // A claim only points to the record; the record says whether the credential is still its own.
        if tenant.record.suspended || !client.is_served(now) || !by.holds(&client) {
            return Err(IdentityError::Suspended);
        }
        let until = client.expires.map_or(accepted.until, |end| end.min(accepted.until));
        let seen = found.seen;
        let found = Read { record: client, seen };
        let principal = ClientPrincipal::new(id, found, &tenant);
        Ok((Principal::Client(Arc::new(principal)), until))
    }

    /// A person as its certificate alone shows it.
    async fn person(
        &self,
        id: PersonId,
        found: Option<Read<PersonRecord>>,
        certificate: &PeerCertificate,
    ) -> Result<PersonPrincipal, IdentityError> {
        let key = certificate.key_fingerprint();
        let found = found.ok_or(IdentityError::Suspended)?;
        let person = found.record;
        // The claim only points to the record; the record says whether the key is still its own.
        let own = person.keys().find(|own| own.fingerprint == *key);
        let own = own.filter(|_| person.is_admitted()).ok_or(IdentityError::Suspended)?;
        let (mut tenant_seen, mut migration_required) = (None, false);
        if id.domain != Domain::SYSTEM {
            let tenant = self.directory.tenant(id.domain).await?;
            let tenant = tenant.filter(|tenant| !tenant.record.suspended);
            let tenant = tenant.ok_or(IdentityError::Suspended)?;
            tenant_seen = tenant.seen;
            migration_required = tenant.record.migration.stops_people();
        }
        Ok(PersonPrincipal {
            domain: id.domain,
            person: id.person,
            role: person.role,
            key_fingerprint: *key,
            hardware: own.hardware,
            session: Session::Certificate,
            seen: found.seen,
            tenant_seen,
            ticket_seen: None,
            migration_required,
            name: person.name,
        })
    }

    /// Whether a domain is there still: the keys of a deleted one are closed, and nothing of it can be read.
    async fn is_live(&self, domain: Domain) -> Result<bool, IdentityError> {
        if domain == Domain::SYSTEM {
            return Ok(true);
        }
        let tenant = self.directory.tenant(domain).await?;
        Ok(tenant.is_some_and(|tenant| !tenant.record.deleted))
    }

    /// The person that has claimed the key.
    async fn holder(
        &self,
        certificate: &PeerCertificate,
        accepted: &Accepted,
    ) -> Result<Option<Candidate>, IdentityError> {
        let key = certificate.key_fingerprint();
        let Some(id) = self.directory.person_with(key).await? else {
            return Ok(None);
        };
        let own = |tenant: &Domain| *tenant == id.domain || *tenant == Domain::SYSTEM;
        let shown = accepted.people.contains(&id) || accepted.tenants.iter().any(own);
        let live = self.is_live(id.domain).await?;
        let found = if live {
            read(self.directory.person(id).await)?
        } else {
            Ok(None)
        };
        let proves = |found: &Read<PersonRecord>| found.record.keys().any(|own| own.proven && own.fingerprint == *key);
        let standing = Standing {
            live,
            proven: matches!(&found, Ok(Some(found)) if proves(found)),
            vouched: accepted.tenants.contains(&id.domain),
        };
        let who = Who::Person { id, found, shown };
        Ok(Some(Candidate { who, standing }))
    }

    /// The clients that have registered the key, where the chain leads to.
    async fn registered(
        &self,
        certificate: &PeerCertificate,
        accepted: &Accepted,
    ) -> Result<Vec<Candidate>, IdentityError> {
        let key = *certificate.key_fingerprint();
        let mut clients: BTreeSet<ClientId> = accepted.pinned.iter().copied().collect();
        for tenant in &accepted.tenants {
            clients.extend(self.directory.claimed(&Credential::key_claim(*tenant, &key)).await?);
        }
        let mut candidates = Vec::with_capacity(clients.len());
        for id in clients {
            let chained = accepted.tenants.contains(&id.tenant);
            let pinned = accepted.pinned.contains(&id).then_some(*certificate.fingerprint());
            let by = Found::Key { key, pinned, chained };
            let live = self.is_live(id.tenant).await?;
            let found = if live {
                read(self.directory.client(id).await)?
            } else {
                Ok(None)
            };
            let proves = |found: &Read<ClientRecord>| by.holds(&found.record) && found.record.proven.contains(&key);
            let standing = Standing {
                live,
                proven: matches!(&found, Ok(Some(found)) if proves(found)),
                vouched: chained,
            };
            let who = Who::Client { id, found, by };
            candidates.push(Candidate { who, standing });
        }
        Ok(candidates)
    }

    /// The clients that rules point to, in tenants where no key does.
    async fn described(
        &self,
        certificate: &PeerCertificate,
        accepted: &Accepted,
        registered: &[Candidate],
    ) -> Result<Vec<Candidate>, IdentityError> {
        let by_key = |tenant: &Domain| {
            let mut clients = registered.iter().filter_map(Candidate::tenant);
            clients.any(|of| of == *tenant)
        };
        let mut matched: BTreeMap<ClientId, Vec<Rule>> = BTreeMap::new();
        let rules = Rule::matching(certificate);
        for tenant in accepted.ruled.iter().filter(|tenant| !by_key(tenant)) {
            for rule in &rules {
                if let Some(client) = self.directory.claimed(&rule.claim(*tenant)).await? {
                    matched.entry(client).or_default().push(rule.clone());
                }
            }
        }
        let mut candidates = Vec::with_capacity(matched.len());
        for (id, rules) in matched {
            let live = self.is_live(id.tenant).await?;
            let found = if live {
                read(self.directory.client(id).await)?
            } else {
                Ok(None)
            };
            let who = Who::Client {
                id,
                found,
                by: Found::Rules(rules),
            };
            let standing = Standing {
                live,
                proven: false,
                vouched: true,
            };
            candidates.push(Candidate { who, standing });
        }
        Ok(candidates)
    }

    /// Takes over a change. It holds for every request that is resolved after this returns; if the directory cannot be
    /// read, nobody whom the change concerns is recognised from memory either.
    pub async fn changed(&self, change: IdentityChange) -> Result<(), DirectoryError> {
        self.generation.fetch_add(1, Ordering::AcqRel);
        match change {
            IdentityChange::Tenant(_) => Ok(()),
            IdentityChange::Authority(tenant, id) => self.read_authority(tenant, id).await,
            IdentityChange::Client(client) => {
                let found = self.directory.client(client).await?;
                self.trust.pin(client, found.as_ref().map(|f| &f.record));
                Ok(())
            }
            IdentityChange::Person(person) => {
                let found = self.directory.person(person).await?;
                self.trust.pin_person(person, found.as_ref().map(|f| &f.record));
                Ok(())
            }
            IdentityChange::All => self.read_all().await,
        }
    }

    async fn read_authority(&self, tenant: Domain, id: Id) -> Result<(), DirectoryError> {
        let record = self.directory.authority(tenant, id).await;
        if let Ok(Some(record)) = &record
            && self.trust.enroll(tenant, id, record).is_ok()
        {
            return Ok(());
        }
        self.trust.withdraw(tenant, id);
        match record? {
            Some(_) => Err(DirectoryError::Damaged(super::record::kind::AUTHORITY)),
            None => Ok(()),
        }
    }

    /// Reads the certificates that are pinned in a domain: its clients' and its people's.
    async fn read_pins(&self, tenant: Domain, pins: &mut PinSink<'_>) -> Result<(), DirectoryError> {
        let mut after = None;
        loop {
            let page = self.directory.clients(tenant, after, PAGE).await?;
            after = page.last().map(|(id, _)| *id);
            for (client, record) in &page {
                let client = *client;
                pins(
                    Holder::Client(ClientId { tenant, client }),
                    pinned_by_client(Some(record)),
                );
            }
            if page.len() < PAGE {
                break;
            }
        }
        let mut after = None;
        loop {
            let page = self.directory.people(tenant, after, PAGE).await?;
            after = page.last().map(|(id, _)| *id);
            for (person, record) in &page {
                let (domain, person) = (tenant, *person);
                pins(
                    Holder::Person(PersonId { domain, person }),
                    pinned_by_person(Some(record)),
                );
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn read_all(&self) -> Result<(), DirectoryError> {
        let fresh = Trust::default();
        let mut pins = Vec::new();
        let mut tenants = self.directory.tenants().await?;
        tenants.push(Domain::SYSTEM);
        for tenant in tenants {
            let mut keep = |holder, held: Vec<_>| pins.extend(held.into_iter().map(|pin| (pin, holder)));
            match self.read_domain(tenant, &fresh, &mut keep).await {
                Ok(()) => {}
                // Its keys are away, or a record of it is damaged: that is not the others' outage.
                Err(error @ (DirectoryError::Damaged(_) | DirectoryError::Away(_))) if tenant != Domain::SYSTEM => {
                    tracing::error!(%tenant, %error, "who is who in a tenant cannot be read; its certificates are not accepted");
                }
                Err(error) => return Err(error),
            }
        }
        fresh.pin_all(pins);
        self.trust.replace(fresh);
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Reads a domain again whose keys were away.
    ///
    /// # Errors
    /// As [`Identity::changed`].
    pub async fn returned(&self, domain: Domain) -> Result<(), DirectoryError> {
        self.generation.fetch_add(1, Ordering::AcqRel);
        let mut pin = |holder, held| self.trust.repin(holder, held);
        self.read_domain(domain, &self.trust, &mut pin).await
    }

    async fn read_domain(&self, domain: Domain, trust: &Trust, pins: &mut PinSink<'_>) -> Result<(), DirectoryError> {
        for (id, record) in self.directory.authorities(domain).await? {
            if trust.enroll(domain, id, &record).is_err() {
                tracing::error!(%domain, authority = record.name, "an enrolled authority cannot be read; its certificates are not accepted");
            }
        }
        self.read_pins(domain, pins).await
    }
}

/// What is to be done with the pins of somebody as they are read.
type PinSink<'s> = dyn FnMut(Holder, Vec<Fingerprint>) + Send + 's;
