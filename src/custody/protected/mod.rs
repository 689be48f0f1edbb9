//! Protected KEKs: used in secret memory, and kept sealed to a key pair in each of their HSM-Profiles, any one of which opens them.
//! An HSM is asked when a domain is put to work and at an interval, never in the course of a request.

mod backup;
pub(super) mod envelope;
#[cfg(test)]
pub(crate) mod fake;
mod held;
mod keeping;
mod recipient;
mod text;
mod wraps;

pub use self::backup::{Backup, MAX_GROUPS, judge_recovery};
pub use self::held::Keeping;
pub use self::text::Misread;
pub use self::wraps::{CHECK_VALUE, MAX_PROFILES, ProfileWrap, ProtectedKek};

pub(super) use self::held::Protected;

use std::sync::Arc;
use std::time::Instant;

use self::held::{Name, ProtectedSealer};
use super::context::{KekId, ProfileId, Purpose, WrapContext};
use super::error::CustodyError;
use super::facade::Custody;
use super::record::{KekRecord, Placement};
use super::sealer::{KekProvider, NewKek, PairName, PairProvider, Sealer, Sealing};
use super::sealing::{self, KEY};
use super::slab::Locked;
use crate::store::Domain;

/// A protected KEK to be made.
pub struct NewProtected {
    /// Its identifier.
    pub id: KekId,
    /// The tenant, or the system domain.
    pub domain: Domain,
    /// Its generation in the domain, from 1.
    pub generation: u32,
    /// Where it is to be opened, 1 to [`MAX_PROFILES`].
    pub pairs: Vec<NewPair>,
    /// Now, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A key pair to be made.
pub struct NewPair {
    /// The HSM-Profile.
    pub profile: ProfileId,
    /// The CKA_ID, from the approved command.
    pub cka_id: Vec<u8>,
    /// The key-management credential, where the token has one of its own.
    pub login: Option<Locked>,
}

impl Custody {
    /// Makes a KEK at random, and a key pair in each of its profiles, to which it is sealed. Pairs that an interrupted run of the
    /// same command has made are used. The record that comes back is Pre-Active, and is the caller's to store.
    ///
    /// # Errors
    /// [`CustodyError::NoPairs`]; [`CustodyError::Limit`] for no profile, too many, or the same one twice; those of [`KekProvider`].
    pub async fn create_protected(&self, new: &NewProtected) -> Result<KekRecord, CustodyError> {
        let mut key = self.slab.allocate(KEY)?;
        self.randomness
            .fill(key.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        if !(1..=MAX_PROFILES).contains(&new.pairs.len()) {
            return Err(CustodyError::Limit);
        }
        let name = self.name(new.domain, new.id, new.generation, &key)?;
        let mut wraps: Vec<ProfileWrap> = Vec::with_capacity(new.pairs.len());
        for pair in &new.pairs {
            if wraps.iter().any(|wrap| wrap.profile == pair.profile) {
                return Err(CustodyError::Limit);
            }
            wraps.push(self.seal_to_pair(name, pair, &key).await?);
        }
        self.describe_protected(name, wraps, key, new.created_ms).await
    }

    /// The record of a KEK that is sealed to these pairs, and is in memory from now on.
    async fn describe_protected(
        &self,
        name: Name,
        wraps: Vec<ProfileWrap>,
        key: Locked,
        created_ms: i64,
    ) -> Result<KekRecord, CustodyError> {
        let described = NewKek {
            id: name.id,
            domain: name.domain,
            generation: name.generation,
            profile: wraps.first().ok_or(CustodyError::Limit)?.profile,
            cka_id: Vec::new(),
            created_ms,
        };
        let protected = ProtectedKek {
            check_value: name.check_value,
            binding: self.binding(name)?,
            wraps,
        };
        let record = self.blank_record(&described, Placement::Protected(protected.clone()));
        let held = self.protected.held(&record, &protected);
        held.confirm(key, Instant::now(), self.protected.keeping().renew);
        self.describe_kek(record).await
    }

    /// Makes a key pair in another profile, and seals the KEK to it. The record that comes back is the caller's to store.
    ///
    /// # Errors
    /// [`CustodyError::Exists`] if the profile opens it already; [`CustodyError::Limit`]; [`CustodyError::NoPairs`];
    /// [`CustodyError::Unavailable`] while no HSM has opened the KEK; those of [`KekProvider`].
    pub async fn add_profile(&self, record: &KekRecord, pair: &NewPair) -> Result<KekRecord, CustodyError> {
        let protected = protected_of(record)?;
        if protected.wrap(pair.profile).is_some() {
            return Err(CustodyError::Exists);
        }
        if protected.wraps.len() >= MAX_PROFILES {
            return Err(CustodyError::Limit);
        }
        let held = self.protected.held(record, protected);
        if !held.is_open() {
            self.open_protected(&held, Instant::now()).await?;
        }
        let key = held.key()?;
        let wrap = self.seal_to_pair(held.name, pair, &key).await?;
        let mut protected = protected.clone();
        protected.wraps.push(wrap);
        Ok(KekRecord {
            placement: Placement::Protected(protected),
            ..record.clone()
        })
    }

    /// Destroys the key pair of one profile and verifies that it is gone, once another one has shown that it opens the KEK. What
    /// was interrupted can be done again. The record that comes back is the caller's to store.
    ///
    /// # Errors
    /// [`CustodyError::UnknownProfile`] if it is none of the KEK's; [`CustodyError::Limit`] for the last one;
    /// [`CustodyError::Unavailable`] while no other one opens the KEK; those of [`KekProvider`].
    pub async fn remove_profile(
        &self,
        record: &KekRecord,
        profile: ProfileId,
        login: Option<&Locked>,
    ) -> Result<KekRecord, CustodyError> {
        let mut protected = protected_of(record)?.clone();
        let wrap = protected.wrap(profile).cloned().ok_or(CustodyError::UnknownProfile)?;
        protected.wraps.retain(|wrap| wrap.profile != profile);
        let first = protected.wraps.first().ok_or(CustodyError::Limit)?.profile;
        // The record may be older than what the HSMs have, so they are asked, and nobody else destroys meanwhile.
        let _turn = self.protected.turns.lock().await;
        let name = Name::of(record, &protected);
        let mut opens = Err(CustodyError::Unavailable);
        for other in &protected.wraps {
            opens = self.open_by(name, &protected.binding, other).await;
            if opens.is_ok() {
                break;
            }
        }
        opens?;
        let pair = pair_name(name, profile, &wrap.cka_id);
        self.with_pairs(profile)?.pairs()?.destroy(&pair, login).await?;
        Ok(KekRecord {
            profile: first,
            placement: Placement::Protected(protected),
            ..record.clone()
        })
    }

    /// Asks one profile to open a KEK.
    ///
    /// # Errors
    /// [`CustodyError::UnknownProfile`] if it is none of the KEK's; those of [`KekProvider`].
    pub async fn profile_answers(&self, record: &KekRecord, profile: ProfileId) -> Result<(), CustodyError> {
        let protected = protected_of(record)?;
        let wrap = protected.wrap(profile).ok_or(CustodyError::UnknownProfile)?;
        let opened = self
            .open_by(Name::of(record, protected), &protected.binding, wrap)
            .await;
        opened.map(|_| ())
    }

    /// Wipes a KEK, destroys its key pair in one profile, and verifies that this is gone.
    pub(super) async fn destroy_protected(
        &self,
        record: &KekRecord,
        profile: ProfileId,
        login: Option<&Locked>,
    ) -> Result<(), CustodyError> {
        let protected = protected_of(record)?;
        let wrap = protected.wrap(profile).ok_or(CustodyError::UnknownProfile)?;
        self.protected.forget(record, protected);
        let pair = pair_name(Name::of(record, protected), profile, &wrap.cka_id);
        self.with_pairs(profile)?.pairs()?.destroy(&pair, login).await
    }

    /// Whether it is certain that no HSM has a key pair of a KEK any more.
    pub(super) async fn pairs_are_gone(&self, record: &KekRecord, protected: &ProtectedKek) -> bool {
        let name = Name::of(record, protected);
        for wrap in &protected.wraps {
            let pair = pair_name(name, wrap.profile, &wrap.cka_id);
            let Ok(provider) = self.with_pairs(wrap.profile) else {
                return false;
            };
            let found = match provider.pairs() {
                Ok(pairs) => pairs.find(&pair).await,
                Err(_) => return false,
            };
            if found != Err(CustodyError::UnknownKek) {
                return false;
            }
        }
        !protected.wraps.is_empty()
    }

    /// Opens the protected KEKs that are not in memory, and forgets those that are not live any more. HSMs that are away are asked
    /// again by [`Custody::tend`].
    pub(super) async fn put_protected_to_work(&self, keks: &[KekRecord]) {
        for record in keks {
            let Placement::Protected(protected) = &record.placement else {
                continue;
            };
            if !record.is_live() {
                self.protected.forget(record, protected);
                continue;
            }
            let held = self.protected.held(record, protected);
            held.set_wraps(&protected.wraps);
            if !held.is_open() {
                // Why is logged; what needs it hears of an outage.
                let _ = self.open_protected(&held, Instant::now()).await;
            }
        }
    }

    pub(super) fn protected_sealer(&self, record: &KekRecord, protected: &ProtectedKek) -> Arc<dyn Sealer> {
        Arc::new(ProtectedSealer {
            record: record.clone(),
            held: self.protected.held(record, protected),
            slab: self.slab.clone(),
            randomness: Arc::clone(&self.randomness),
        })
    }

    /// Makes a pair, or finds the one that an interrupted run made, and seals the KEK to it.
    async fn seal_to_pair(&self, name: Name, pair: &NewPair, key: &Locked) -> Result<ProfileWrap, CustodyError> {
        let provider = self.with_pairs(pair.profile)?;
        let named = pair_name(name, pair.profile, &pair.cka_id);
        let public_key = match provider.pairs()?.make(&named, pair.login.as_ref()).await {
            Err(CustodyError::Exists) => provider.pairs()?.find(&named).await?,
            made => made?,
        };
        self.seal_to(name, &named, public_key, key).await
    }

    /// Seals the KEK to a pair that is there, and has it opened again.
    async fn seal_to(
        &self,
        name: Name,
        pair: &PairName,
        public_key: Vec<u8>,
        key: &Locked,
    ) -> Result<ProfileWrap, CustodyError> {
        let context = wrap_context(name, pair.profile);
        let sealed = envelope::seal(&self.slab, self.randomness.as_ref(), &public_key, &context, &[], key)?;
        let wrap = ProfileWrap {
            profile: pair.profile,
            cka_id: pair.cka_id.clone(),
            public_key,
            sealed,
        };
        let opened = self.open_by(name, &self.binding(name)?, &wrap).await?;
        if sealing::equal(opened.expose(), key.expose()) {
            Ok(wrap)
        } else {
            Err(CustodyError::Refused)
        }
    }

    /// Has the KEK opened by one profile, and refuses what is not the KEK that this installation made.
    async fn open_by(&self, name: Name, binding: &[u8; 32], wrap: &ProfileWrap) -> Result<Locked, CustodyError> {
        let provider = self.with_pairs(wrap.profile)?;
        let sealing = Sealing {
            public_key: &wrap.public_key,
            context: wrap_context(name, wrap.profile),
            more: &[],
            sealed: &wrap.sealed,
        };
        let pair = pair_name(name, wrap.profile, &wrap.cka_id);
        let key = provider.pairs()?.open(&pair, sealing).await?;
        let found = self.name(name.domain, name.id, name.generation, &key)?;
        let own = self.binding(name)?;
        if sealing::equal(&found.check_value, &name.check_value) && sealing::equal(&own, binding) {
            Ok(key)
        } else {
            Err(CustodyError::Refused)
        }
    }

    /// A KEK by what it is known by.
    fn name(&self, domain: Domain, id: KekId, generation: u32, key: &Locked) -> Result<Name, CustodyError> {
        let info = [&b"KEK check value"[..], &domain.0, &id.0, &generation.to_be_bytes()];
        let derived = sealing::derive(&self.slab, key, &info)?;
        let check_value = derived.expose().first_chunk().copied().ok_or(CustodyError::Limit)?;
        Ok(Name {
            domain,
            id,
            generation,
            check_value,
        })
    }

    fn binding(&self, name: Name) -> Result<[u8; 32], CustodyError> {
        let Name {
            domain,
            id,
            generation,
            check_value,
        } = name;
        let generation = generation.to_be_bytes();
        let key = self.binding_key()?;
        let parts = [&domain.0[..], &id.0, &generation, &check_value];
        Ok(sealing::mac(key, b"protected KEK", &parts))
    }

    fn with_pairs(&self, profile: ProfileId) -> Result<Pairs, CustodyError> {
        self.provider(profile).map(Pairs)
    }
}

/// A profile at work whose key pairs are asked for.
struct Pairs(Arc<dyn KekProvider>);

impl Pairs {
    fn pairs(&self) -> Result<&dyn PairProvider, CustodyError> {
        self.0.pairs().ok_or(CustodyError::NoPairs)
    }
}

fn protected_of(record: &KekRecord) -> Result<&ProtectedKek, CustodyError> {
    match &record.placement {
        Placement::Protected(protected) => Ok(protected),
        Placement::Software | Placement::Resident(_) => Err(CustodyError::Record),
    }
}

fn pair_name(name: Name, profile: ProfileId, cka_id: &[u8]) -> PairName {
    PairName {
        kek: name.id,
        domain: name.domain,
        generation: name.generation,
        profile,
        cka_id: cka_id.to_vec(),
    }
}

/// What a KEK in one of its profiles is bound to.
fn wrap_context(name: Name, profile: ProfileId) -> WrapContext {
    WrapContext {
        purpose: Purpose::Protected,
        domain: name.domain,
        internal_id: profile.0,
        generation: name.generation,
        kek: name.id,
        kek_generation: name.generation,
    }
}
