//! What administration asks of the room: KEKs made, adopted and destroyed, record keys made and wrapped anew, and the
//! status.

use std::sync::{Arc, PoisonError};

use super::context::{KekId, ProfileId};
use super::error::CustodyError;
use super::facade::{Custody, DomainKeys, Kek, record_key_check, record_key_context};
use super::record::{KekRecord, KekState, Placement, RecordKeyRecord, RecordKeyWrap};
use super::sealer::{NewKek, SealerKind, check_known_answer, make_known_answer};
use super::sealing::KEY;
use super::slab::Locked;
use crate::store::Domain;

/// What `status` says of one KEK.
#[derive(Clone, Debug)]
pub struct KekStatus {
    /// The KEK.
    pub id: KekId,
    /// Its generation.
    pub generation: u32,
    /// Its HSM-Profile.
    pub profile: ProfileId,
    /// What keeps it; [`SealerKind::Software`] is to be reported as fit for development only.
    pub kind: SealerKind,
    /// Its state.
    pub state: KekState,
    /// Whether its known answer opens now.
    pub health: Result<(), CustodyError>,
}

/// What `status` says of one domain.
#[derive(Clone, Debug)]
pub struct DomainStatus {
    /// The domain.
    pub domain: Domain,
    /// Whether its record key is open, so that its records can be verified.
    pub record_key_open: bool,
    /// Its KEKs.
    pub keks: Vec<KekStatus>,
}

impl Custody {
    /// Makes a KEK at its profile; the record that comes back is Pre-Active, and is the caller's to store. `login` is the
    /// key-management credential where the token has one of its own.
    ///
    /// # Errors
    /// [`CustodyError::Exists`] if a KEK of that identifier is there already (see [`Custody::adopt_kek`]); those of
    /// [`Sealer`].
    pub async fn create_kek(&self, new: &NewKek, login: Option<&Locked>) -> Result<KekRecord, CustodyError> {
        let provider = self.provider(new.profile)?;
        let placement = provider.create(new, login).await?;
        self.describe_kek(self.blank_record(new, placement)).await
    }

    /// The record of a KEK that an interrupted [`Custody::create_kek`] has made.
    ///
    /// # Errors
    /// [`CustodyError::UnknownKek`] if there is none; those of [`Sealer`].
    pub async fn adopt_kek(&self, new: &NewKek) -> Result<KekRecord, CustodyError> {
        let provider = self.provider(new.profile)?;
        let placement = provider.find(new).await?;
        self.describe_kek(self.blank_record(new, placement)).await
    }

    /// The record of a new KEK, without its known answer.
    pub(super) fn blank_record(&self, new: &NewKek, placement: Placement) -> KekRecord {
        let NewKek {
            id,
            domain,
            generation,
            profile,
            cka_id: _,
            created_ms,
        } = new;
        KekRecord {
            id: *id,
            domain: *domain,
            generation: *generation,
            state: KekState::PreActive,
            profile: *profile,
            placement,
            created_ms: *created_ms,
            compromised_ms: None,
            abandoned: None,
            taken_in: false,
            known_answer: Vec::new(),
        }
    }

    /// Gives the record of a new KEK its known answer.
    pub(super) async fn describe_kek(&self, mut record: KekRecord) -> Result<KekRecord, CustodyError> {
        let sealer = self.sealer(&record)?;
        record.known_answer = make_known_answer(&self.slab, sealer.as_ref(), &record).await?;
        check_known_answer(sealer.as_ref(), &record).await?;
        Ok(record)
    }

    /// Whether a KEK opens its known answer now.
    ///
    /// # Errors
    /// Those of [`Sealer`].
    pub async fn kek_answers(&self, record: &KekRecord) -> Result<(), CustodyError> {
        let sealer = self.sealer(record)?;
        sealer.health().await
    }

    /// Destroys a KEK at all its profiles, with one login for all of them (see [`Custody::destroy_kek_in`]).
    ///
    /// # Errors
    /// Those of [`Custody::destroy_kek_in`].
    pub async fn destroy_kek(&self, record: &KekRecord, login: Option<&Locked>) -> Result<(), CustodyError> {
        for profile in record.profiles() {
            self.destroy_kek_in(record, profile, login).await?;
        }
        Ok(())
    }

    /// Destroys what one profile keeps of a KEK and verifies that it is gone. The caller has counted its references, and stored
    /// the state Deleting; Destroyed may be stored when this has returned for each of its profiles.
    ///
    /// # Errors
    /// Those of [`Sealer`]; [`CustodyError::Limit`] if the record is not in state Deleting.
    pub async fn destroy_kek_in(
        &self,
        record: &KekRecord,
        profile: ProfileId,
        login: Option<&Locked>,
    ) -> Result<(), CustodyError> {
        if record.state != KekState::Deleting {
            return Err(CustodyError::Limit);
        }
        match &record.placement {
            Placement::Protected(_) => self.destroy_protected(record, profile, login).await,
            Placement::Software | Placement::Resident(_) => self.provider(profile)?.destroy(record, login).await,
        }
    }

    /// Whether it is certain that there is no such KEK at its profile. An outage is no certainty.
    pub async fn is_absent(&self, kek: &NewKek) -> bool {
        match self.provider(kek.profile) {
            Ok(provider) => provider.find(kek).await == Err(CustodyError::UnknownKek),
            Err(_) => false,
        }
    }

    /// Whether it is certain that nothing which opens this KEK is left at any of its profiles. An outage is no certainty.
    pub async fn is_gone(&self, record: &KekRecord) -> bool {
        let cka_id = match &record.placement {
            Placement::Protected(protected) => return self.pairs_are_gone(record, protected).await,
            Placement::Software => record.id.0.to_vec(),
            Placement::Resident(resident) => resident.cka_id.clone(),
        };
        let sought = NewKek {
            id: record.id,
            domain: record.domain,
            generation: record.generation,
            profile: record.profile,
            cka_id,
            created_ms: record.created_ms,
        };
        self.is_absent(&sought).await
    }

    /// Makes the record key of a new domain, wrapped under each of its KEKs.
    ///
    /// # Errors
    /// Those of [`Sealer`]; [`CustodyError::UnknownKek`] if no KEK is given or one is of another domain.
    pub async fn create_record_key(
        &self,
        domain: Domain,
        keks: &[KekRecord],
        created_ms: i64,
    ) -> Result<RecordKeyRecord, CustodyError> {
        let mut record = RecordKeyRecord {
            id: [0; 16],
            domain,
            generation: 1,
            created_ms,
            check: [0; 32],
            wraps: Vec::new(),
        };
        self.randomness
            .fill(&mut record.id)
            .map_err(|_| CustodyError::Randomness)?;
        let mut key = self.slab.allocate(KEY)?;
        self.randomness
            .fill(key.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        record.check = record_key_check(&record, &key);
        record.wraps = self.wrap_record_key(&record, keks, &key).await?;
        if record.wraps.is_empty() {
            Err(CustodyError::UnknownKek)
        } else {
            Ok(record)
        }
    }

    /// Has the open record key of a domain wrapped under each live one of `keks` that nobody else may know, and no other: after a KEK was made, and
    /// before one is deleted. The caller stores the record and then opens the domain again.
    ///
    /// # Errors
    /// Those of [`Sealer`]; [`CustodyError::Unavailable`] while the record key is not open.
    pub async fn rewrap_record_key(
        &self,
        record: &RecordKeyRecord,
        keks: &[KekRecord],
    ) -> Result<RecordKeyRecord, CustodyError> {
        self.ready(record.domain).await?;
        let domain = self.domain(record.domain)?;
        if domain.sealed_record_key.id != record.id {
            return Err(CustodyError::Refused);
        }
        let key = domain.record_key.get().ok_or(CustodyError::Unavailable)?;
        let wraps = self.wrap_record_key(record, keks, key).await?;
        if wraps.is_empty() {
            Err(CustodyError::UnknownKek)
        } else {
            Ok(RecordKeyRecord {
                wraps,
                ..record.clone()
            })
        }
    }

    async fn wrap_record_key(
        &self,
        record: &RecordKeyRecord,
        keks: &[KekRecord],
        key: &Locked,
    ) -> Result<Vec<RecordKeyWrap>, CustodyError> {
        let mut wraps = Vec::new();
        for kek in keks.iter().filter(|kek| kek.is_live() && !kek.taken_in) {
            if kek.domain != record.domain {
                return Err(CustodyError::UnknownKek);
            }
            // What is wrapped already stays: an HSM that is away does not keep another KEK from being made.
            let known = |wrap: &&RecordKeyWrap| (wrap.kek, wrap.kek_generation) == (kek.id, kek.generation);
            if let Some(wrap) = record.wraps.iter().find(known) {
                wraps.push(wrap.clone());
                continue;
            }
            let sealer = self.sealer(kek)?;
            let context = record_key_context(record, kek.id, kek.generation);
            let wrapped = sealer.wrap(context, key).await?;
            wraps.push(RecordKeyWrap {
                kek: kek.id,
                kek_generation: kek.generation,
                wrapped,
            });
        }
        Ok(wraps)
    }

    /// The domains at work, with the KEKs of each asked for their known answer.
    pub async fn status(&self) -> Vec<DomainStatus> {
        let domains: Vec<(Domain, Arc<DomainKeys>)> = {
            let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
            domains
                .iter()
                .map(|(domain, opened)| (*domain, Arc::clone(opened)))
                .collect()
        };
        let mut statuses = Vec::with_capacity(domains.len());
        for (domain, opened) in domains {
            let mut keks = Vec::with_capacity(opened.keks.len());
            for Kek { record, sealer } in &opened.keks {
                keks.push(KekStatus {
                    id: record.id,
                    generation: record.generation,
                    profile: record.profile,
                    kind: sealer.kind(),
                    state: record.state,
                    health: sealer.health().await,
                });
            }
            statuses.push(DomainStatus {
                domain,
                record_key_open: opened.record_key.get().is_some(),
                keks,
            });
        }
        statuses
    }
}
