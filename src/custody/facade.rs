//! `Custody`: what the rest of the server sees of the room. It knows domains, their KEKs and record keys, and seals and
//! opens by them; no plaintext DEK or material outlives the call that used it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use kmip_ttlv::Secret;

use super::context::{KekId, ProfileId, Purpose, SealContext, WrapContext};
use super::emptied::Emptied;
use super::error::CustodyError;
use super::legacy::Gatherings;
use super::protected::Protected;
use super::record::{KekRecord, KekState, MAX_KEKS, Placement, RecordKeyRecord};
use super::sealed::{Fresh, Sealed};
use super::sealer::{KekProvider, Sealer, SealerKind};
use super::sealing::{self, KEY};
use super::sharing::Openings;
use super::slab::{Locked, Protection, Slab};
use crate::crypto::Randomness;
use crate::store::Domain;

/// How a domain is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CustodyState {
    /// Which domain.
    pub domain: Domain,
    /// What keeps its active KEK; `None` if it has none.
    pub kind: Option<SealerKind>,
    /// Its KEKs that can open something.
    pub keks: usize,
    /// Those of them that were marked compromised.
    pub compromised: usize,
    /// Whether its record key is open.
    pub open: bool,
}

/// The room.
pub struct Custody {
    pub(super) slab: Slab,
    pub(super) randomness: Arc<dyn Randomness>,
    providers: RwLock<HashMap<ProfileId, Arc<dyn KekProvider>>>,
    pub(super) domains: RwLock<HashMap<Domain, Arc<DomainKeys>>>,
    pub(super) protected: Protected,
    pub(super) openings: Openings,
    gatherings: Gatherings,
    emptied: Emptied,
}

/// The keys of a domain as last opened. It is replaced as a whole, never changed.
pub(super) struct DomainKeys {
    /// The revision of the guard of its KEKs when they were read.
    as_of: u64,
    pub(super) keks: Vec<Kek>,
    pub(super) sealed_record_key: RecordKeyRecord,
    pub(super) record_key: Arc<OnceLock<Locked>>,
}

#[derive(Clone)]
pub(super) struct Kek {
    pub(super) record: KekRecord,
    pub(super) sealer: Arc<dyn Sealer>,
}

impl DomainKeys {
    fn fresh(&self, domain: Domain, kek: &Kek, wrapped_dek: Vec<u8>, blob: Vec<u8>) -> Fresh {
        Fresh {
            sealed: Sealed {
                kek: kek.record.id,
                kek_generation: kek.record.generation,
                wrapped_dek,
                blob,
            },
            domain,
            as_of: self.as_of,
        }
    }

    fn active(&self) -> Result<&Kek, CustodyError> {
        self.keks
            .iter()
            .find(|kek| kek.record.state == KekState::Active)
            .ok_or(CustodyError::UnknownKek)
    }

    fn live(&self, id: KekId, generation: u32) -> Result<&Kek, CustodyError> {
        self.keks
            .iter()
            .find(|kek| kek.record.id == id && kek.record.generation == generation && kek.record.is_live())
            .ok_or(CustodyError::UnknownKek)
    }
}

impl Custody {
    /// An empty room.
    #[must_use]
    pub fn new(slab: Slab, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            slab,
            randomness,
            providers: RwLock::default(),
            domains: RwLock::default(),
            protected: Protected::default(),
            openings: Openings::default(),
            gatherings: Gatherings::default(),
            emptied: Emptied::default(),
        }
    }

    /// The secret memory of the process.
    #[must_use]
    pub fn slab(&self) -> &Slab {
        &self.slab
    }

    /// The shares of legacy tokens that are being gathered.
    #[must_use]
    pub fn gatherings(&self) -> &Gatherings {
        &self.gatherings
    }

    /// KEKs under which nothing was found to lie.
    #[must_use]
    pub fn emptied(&self) -> &Emptied {
        &self.emptied
    }

    /// How that memory is protected.
    #[must_use]
    pub fn memory(&self) -> Protection {
        self.slab.protection()
    }

    /// Puts an HSM-Profile to work, or replaces it. Domains opened before keep what they had; open them again.
    pub fn add_provider(&self, profile: ProfileId, provider: Arc<dyn KekProvider>) {
        self.providers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(profile, provider);
    }

    /// Takes an HSM-Profile out of work; domains opened before keep using it until they are opened again.
    pub fn remove_provider(&self, profile: ProfileId) {
        self.providers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&profile);
    }

    /// Every HSM-Profile at work.
    #[must_use]
    pub fn providers(&self) -> Vec<(ProfileId, Arc<dyn KekProvider>)> {
        let providers = self.providers.read().unwrap_or_else(PoisonError::into_inner);
        providers
            .iter()
            .map(|(id, provider)| (*id, Arc::clone(provider)))
            .collect()
    }

    /// The domains at work that have a KEK in this HSM-Profile.
    #[must_use]
    pub fn domains_in(&self, profile: ProfileId) -> Vec<Domain> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        let there = |keys: &DomainKeys| keys.keks.iter().any(|kek| kek.record.lies_in(profile));
        let found = domains.iter().filter(|(_, keys)| there(keys));
        found.map(|(domain, _)| *domain).collect()
    }

    /// How each domain at work is kept.
    #[must_use]
    pub fn states(&self) -> Vec<CustodyState> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        let states = domains.iter().map(|(domain, keys)| CustodyState {
            domain: *domain,
            kind: keys.active().ok().map(|kek| kek.sealer.kind()),
            keks: keys.keks.len(),
            compromised: keys
                .keks
                .iter()
                .filter(|kek| kek.record.compromised_ms.is_some())
                .count(),
            open: keys.record_key.get().is_some(),
        });
        states.collect()
    }

    /// The HSM-Profile at work.
    ///
    /// # Errors
    /// [`CustodyError::UnknownProfile`]
    pub fn provider(&self, profile: ProfileId) -> Result<Arc<dyn KekProvider>, CustodyError> {
        let providers = self.providers.read().unwrap_or_else(PoisonError::into_inner);
        providers.get(&profile).cloned().ok_or(CustodyError::UnknownProfile)
    }

    /// Puts a domain to work with the KEKs and the record key that the store has, at start and after each change of
    /// them, and tries to open the record key. A KEK whose HSM is away does not fail this: [`Custody::ready`] tries
    /// again.
    ///
    /// # Errors
    /// [`CustodyError::Record`] if the records are not of this domain, or more than one KEK is active;
    /// [`CustodyError::UnknownProfile`]; [`CustodyError::Limit`]; [`CustodyError::Refused`] if the record key opens
    /// under no KEK although all answer.
    pub async fn open_domain(
        &self,
        domain: Domain,
        keks: &[KekRecord],
        record_key: &RecordKeyRecord,
    ) -> Result<(), CustodyError> {
        self.open_domain_as_of(domain, keks, record_key, 0).await
    }

    /// The same, with the revision of [`super::kek_guard`] that was read before the records were: what is sealed from now on rests on
    /// it. A domain that is open as of a later one stays as it is.
    ///
    /// # Errors
    /// Those of [`Custody::open_domain`].
    pub async fn open_domain_as_of(
        &self,
        domain: Domain,
        keks: &[KekRecord],
        record_key: &RecordKeyRecord,
        as_of: u64,
    ) -> Result<(), CustodyError> {
        let fits = record_key.domain == domain && keks.iter().all(|kek| kek.domain == domain);
        let active = keks.iter().filter(|kek| kek.state == KekState::Active).count();
        if !fits || active > 1 {
            return Err(CustodyError::Record);
        }
        if keks.iter().filter(|kek| kek.is_live()).count() > MAX_KEKS {
            return Err(CustodyError::Limit);
        }
        let before = self.domain(domain).ok();
        self.put_protected_to_work(keks).await;
        let mut opened = Vec::with_capacity(keks.len());
        for record in keks.iter().filter(|kek| kek.is_live()) {
            let sealer = self.sealer(record)?;
            opened.push(Kek {
                record: record.clone(),
                sealer,
            });
        }
        let same_key = before.filter(|before| {
            let (old, new) = (&before.sealed_record_key, record_key);
            (old.id, old.generation) == (new.id, new.generation)
        });
        let record_key_slot = same_key
            .map(|before| Arc::clone(&before.record_key))
            .unwrap_or_default();
        let opened = Arc::new(DomainKeys {
            as_of,
            keks: opened,
            sealed_record_key: record_key.clone(),
            record_key: record_key_slot,
        });
        {
            let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
            if domains.get(&domain).is_none_or(|present| present.as_of <= as_of) {
                domains.insert(domain, opened);
            }
        }
        match self.ready(domain).await {
            Err(CustodyError::Unavailable | CustodyError::Credential) => Ok(()),
            outcome => outcome,
        }
    }

    /// Forgets a domain; its record key and its protected KEKs are wiped when the last call that uses them has returned.
    pub fn close_domain(&self, domain: Domain) {
        self.protected.forget_domain(domain);
        self.gatherings.wipe_domain(domain);
        self.domains
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&domain);
    }

    /// As of which revision of [`super::kek_guard`] a domain is open, if it is.
    #[must_use]
    pub fn as_of(&self, domain: Domain) -> Option<u64> {
        self.domain(domain).ok().map(|opened| opened.as_of)
    }

    /// Whether a domain is open, its keys answering or not.
    #[must_use]
    pub fn is_at_work(&self, domain: Domain) -> bool {
        self.domain(domain).is_ok()
    }

    /// What wraps and unwraps with a KEK.
    pub(super) fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        match &record.placement {
            Placement::Protected(protected) => Ok(self.protected_sealer(record, protected)),
            Placement::Software | Placement::Resident(_) => self.provider(record.profile)?.sealer(record),
        }
    }

    pub(super) fn domain(&self, domain: Domain) -> Result<Arc<DomainKeys>, CustodyError> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains.get(&domain).cloned().ok_or(CustodyError::UnknownDomain)
    }

    /// Makes sure that the record key of a domain is open: nothing but a look when it is, else one try at each KEK.
    /// Await it at the beginning of a request; what follows need not wait for record keys.
    ///
    /// # Errors
    /// [`CustodyError::UnknownDomain`]; [`CustodyError::Unavailable`] while no KEK of it answers; others as [`Sealer`].
    pub async fn ready(&self, domain: Domain) -> Result<(), CustodyError> {
        let opened = self.domain(domain)?;
        if opened.record_key.get().is_some() {
            return Ok(());
        }
        let record = &opened.sealed_record_key;
        let mut failure = CustodyError::UnknownKek;
        for wrap in &record.wraps {
            let Ok(kek) = opened.live(wrap.kek, wrap.kek_generation) else {
                continue;
            };
            let context = record_key_context(record, wrap.kek, wrap.kek_generation);
            match kek.sealer.unwrap(context, &wrap.wrapped).await {
                Ok(key) if sealing::equal(&record_key_check(record, &key), &record.check) => {
                    opened.record_key.get_or_init(|| key);
                    return Ok(());
                }
                // Authentic, and not what was wrapped: whatever opened it is not in order. What is judged or made with another record
                // key would be lost.
                Ok(_) => {
                    tracing::error!("an HSM gave another record key than the one that it wrapped");
                    failure = CustodyError::Unavailable;
                }
                // An outage outweighs the rest: another try may succeed.
                Err(_) if failure == CustodyError::Unavailable => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Seals the material of an object under a new DEK and the active KEK of its domain.
    ///
    /// # Errors
    /// [`CustodyError::UnknownDomain`], [`CustodyError::UnknownKek`] if none is active; those of [`Sealer`].
    pub async fn seal(&self, domain: Domain, context: SealContext, material: &Secret) -> Result<Fresh, CustodyError> {
        let opened = self.domain(domain)?;
        let kek = opened.active()?;
        let mut dek = self.slab.allocate(KEY)?;
        self.randomness
            .fill(dek.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        let blob = sealing::seal(
            self.randomness.as_ref(),
            &dek,
            &context.material_aad(domain),
            material.expose(),
        )?;
        let wrapping = dek_context(domain, context, &kek.record);
        let wrapped_dek = kek.sealer.wrap(wrapping, &dek).await?;
        Ok(opened.fresh(domain, kek, wrapped_dek, blob))
    }

    /// Opens the material of an object.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if anything of it was sealed for another domain, object, generation or type, or was
    /// edited; [`CustodyError::UnknownKek`], [`CustodyError::UnknownDomain`]; those of [`Sealer`].
    pub async fn open(&self, domain: Domain, context: SealContext, sealed: &Sealed) -> Result<Secret, CustodyError> {
        self.open_with_dek(domain, context, sealed)
            .await
            .map(|(_, material)| material)
    }

    /// Opens the material, and tells the DEK that opened it. Where it does not open, the DEK is asked for once more, and the KEK for its
    /// known answer: a token that gives another one now is out of order, and the material is as it was.
    async fn open_with_dek(
        &self,
        domain: Domain,
        context: SealContext,
        sealed: &Sealed,
    ) -> Result<(Locked, Secret), CustodyError> {
        let aad = context.material_aad(domain);
        let dek = self.open_dek(domain, context, sealed).await?;
        if let Ok(material) = sealing::open(&dek, &aad, &sealed.blob) {
            return Ok((dek, material));
        }
        let again = self.open_dek(domain, context, sealed).await?;
        match sealing::open(&again, &aad, &sealed.blob) {
            Ok(material) => Ok((again, material)),
            Err(_) if !sealing::equal(dek.expose(), again.expose()) => Err(CustodyError::Unavailable),
            Err(error) => {
                let opened = self.domain(domain)?;
                opened.live(sealed.kek, sealed.kek_generation)?.sealer.health().await?;
                Err(error)
            }
        }
    }

    /// Wraps the DEK of sealed material anew, under the active KEK; the material is not touched.
    ///
    /// # Errors
    /// Those of [`Custody::open`] and [`Custody::seal`].
    pub async fn rewrap(&self, domain: Domain, context: SealContext, sealed: &Sealed) -> Result<Fresh, CustodyError> {
        // What is put in the place of the present one must open the material; else an error of a token would be for ever.
        let (dek, _) = self.open_with_dek(domain, context, sealed).await?;
        let opened = self.domain(domain)?;
        let kek = opened.active()?;
        let wrapped_dek = kek.sealer.wrap(dek_context(domain, context, &kek.record), &dek).await?;
        let Sealed {
            kek: _,
            kek_generation: _,
            wrapped_dek: _,
            blob,
        } = sealed.clone();
        Ok(opened.fresh(domain, kek, wrapped_dek, blob))
    }

    async fn open_dek(&self, domain: Domain, context: SealContext, sealed: &Sealed) -> Result<Locked, CustodyError> {
        let opened = self.domain(domain)?;
        let kek = opened.live(sealed.kek, sealed.kek_generation)?;
        kek.sealer
            .unwrap(dek_context(domain, context, &kek.record), &sealed.wrapped_dek)
            .await
    }

    /// The MAC of a record of the domain, whose parts follow one another: HMAC-SHA-256 under its record key.
    ///
    /// # Errors
    /// [`CustodyError::UnknownDomain`]; [`CustodyError::Unavailable`] while the record key is not open (see
    /// [`Custody::ready`]).
    pub fn record_mac(&self, domain: Domain, record: &[&[u8]]) -> Result<[u8; 32], CustodyError> {
        self.mac(domain, b"record", record)
    }

    /// Checks the MAC of a record.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if it is not that of these bytes in this domain; those of [`Custody::record_mac`].
    pub fn verify_record_mac(&self, domain: Domain, record: &[&[u8]], mac: &[u8]) -> Result<(), CustodyError> {
        let expected = self.record_mac(domain, record)?;
        if sealing::equal(&expected, mac) {
            Ok(())
        } else {
            Err(CustodyError::Refused)
        }
    }

    /// A keyed hash of the domain, for whatever needs one that outsiders cannot compute; each label is a hash of its
    /// own.
    ///
    /// # Errors
    /// Those of [`Custody::record_mac`].
    pub fn keyed_hash(&self, domain: Domain, label: &str, bytes: &[u8]) -> Result<[u8; 32], CustodyError> {
        self.mac(domain, format!("hash:{label}").as_bytes(), &[bytes])
    }

    fn mac(&self, domain: Domain, label: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CustodyError> {
        let opened = self.domain(domain)?;
        let key = opened.record_key.get().ok_or(CustodyError::Unavailable)?;
        Ok(sealing::mac(key, label, parts))
    }
}

fn dek_context(domain: Domain, context: SealContext, kek: &KekRecord) -> WrapContext {
    let SealContext {
        internal_id,
        generation,
        object_type: _,
    } = context;
    WrapContext {
        purpose: Purpose::Dek,
        domain,
        internal_id,
        generation,
        kek: kek.id,
        kek_generation: kek.generation,
    }
}

/// By what a record key is known to be the right one.
pub(super) fn record_key_check(record: &RecordKeyRecord, key: &Locked) -> [u8; 32] {
    sealing::mac(key, b"check", &[&record.id, &record.generation.to_be_bytes()])
}

pub(super) fn record_key_context(record: &RecordKeyRecord, kek: KekId, kek_generation: u32) -> WrapContext {
    WrapContext {
        purpose: Purpose::RecordKey,
        domain: record.domain,
        internal_id: record.id,
        generation: record.generation,
        kek,
        kek_generation,
    }
}
