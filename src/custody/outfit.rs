//! What makes an HSM-Profile work on this machine: the modules that the settings name, the installation root that opens its PIN, the
//! worker's program. Records say which profiles there are; nothing but this says what code is loaded for them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::absent::AbsentKeks;
use super::context::ProfileId;
use super::error::CustodyError;
use super::facade::Custody;
use super::probe::Capabilities;
use super::probe::{Feature, Finding};
use super::profile::{ProfileRecord, StagedPin, TokenRecord};
use super::reservoir::Reservoir;
use super::resident::{self, ResidentKeks, TokenSettings, WorkerCommand};
use super::root::{InstallationRoot, PinRole};
use super::sealer::KekProvider;
use super::slab::{Locked, Slab};
use super::software::SoftwareKeks;
use super::token;
use crate::crypto::Randomness;

/// What the settings say of HSMs.
#[derive(Clone, Debug, Default)]
pub struct Benches {
    /// PKCS#11 modules by name. SoftHSM2's is known as `softhsm` without being listed, where it is installed.
    pub modules: BTreeMap<String, PathBuf>,
    /// What workers have in their environment beside what the server has.
    pub environment: Vec<(String, OsString)>,
    /// The program that has `hsm-worker`; this one unless set.
    pub program: Option<PathBuf>,
    /// The folder of software KEKs.
    pub keks: PathBuf,
}

/// Puts HSM-Profiles to work.
pub struct Outfit {
    benches: Benches,
    root: InstallationRoot,
    slab: Slab,
    randomness: Arc<dyn Randomness>,
    /// PINs that a token has refused, by what they were tried for: they are not sent again for the same.
    refused: Mutex<BTreeSet<[u8; 16]>>,
    #[cfg(test)]
    stand_ins: std::sync::Mutex<BTreeMap<String, Arc<dyn KekProvider>>>,
    /// What draws randomness from a profile, and from which.
    drawing: Mutex<Option<(Reservoir, ProfileId)>>,
}

/// Refusals remembered at most; the proposals behind them are over long before.
const MOST_REFUSED: usize = 4_096;

impl Benches {
    /// The file of a module.
    ///
    /// # Errors
    /// [`CustodyError::UnknownModule`]
    pub fn module(&self, name: &str) -> Result<PathBuf, CustodyError> {
        let listed = self.modules.get(name).cloned();
        let known = || (name == token::SOFTHSM).then(|| token::find_module(name)).flatten();
        listed.or_else(known).ok_or(CustodyError::UnknownModule)
    }

    /// How the worker of a token is started and what it finds there.
    ///
    /// # Errors
    /// [`CustodyError::UnknownModule`]; [`CustodyError::Unavailable`] if the own program is not known.
    pub fn token(&self, token: &TokenRecord) -> Result<TokenSettings, CustodyError> {
        let command = match &self.program {
            Some(program) => WorkerCommand {
                program: program.clone(),
                environment: self.environment.clone(),
            },
            None => WorkerCommand::this_program(self.environment.clone())?,
        };
        let mut settings = TokenSettings::new(command, self.module(&token.module)?, &token.label);
        settings.serial.clone_from(&token.serial);
        settings.sessions = token.sessions.unwrap_or(settings.sessions);
        let deadline = token.deadline_ms.map(|ms| Duration::from_millis(u64::from(ms)));
        settings.deadline = deadline.unwrap_or(settings.deadline);
        Ok(settings)
    }
}

impl Outfit {
    /// With the root that opens the PINs of its profiles.
    #[must_use]
    pub fn new(benches: Benches, root: InstallationRoot, slab: Slab, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            benches,
            root,
            slab,
            randomness,
            refused: Mutex::default(),
            #[cfg(test)]
            stand_ins: std::sync::Mutex::default(),
            drawing: Mutex::default(),
        }
    }

    /// Has randomness drawn from a profile, by a worker of its own, so that nobody who needs a key waits behind those who use one. `staged`
    /// as in [`Outfit::provider`].
    ///
    /// # Errors
    /// Those of [`Outfit::provider`].
    pub fn draw(
        &self,
        reservoir: Reservoir,
        id: ProfileId,
        record: &ProfileRecord,
        staged: Option<&StagedPin>,
    ) -> Result<(), CustodyError> {
        reservoir.attach(self.provider(id, record, staged)?);
        *self.drawing.lock().unwrap_or_else(PoisonError::into_inner) = Some((reservoir, id));
        Ok(())
    }

    /// Has it drawn with what the record says now.
    fn draw_anew(&self, id: ProfileId, record: &ProfileRecord, staged: Option<&StagedPin>) -> Result<(), CustodyError> {
        let drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        match drawing.as_ref().filter(|(_, from)| *from == id) {
            Some((reservoir, _)) => {
                reservoir.attach(self.provider(id, record, staged)?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Has something stand in for the tokens of a module: for tests of what comes of an HSM's answers.
    #[cfg(test)]
    pub fn stand_in(&self, module: &str, provider: Arc<dyn KekProvider>) {
        self.stand_ins.lock().unwrap().insert(module.to_owned(), provider);
    }

    /// The installation root.
    #[must_use]
    pub fn root(&self) -> &InstallationRoot {
        &self.root
    }

    /// What the settings say of HSMs.
    #[must_use]
    pub fn benches(&self) -> &Benches {
        &self.benches
    }

    /// Seals the key-usage PIN of a token, for its record.
    ///
    /// # Errors
    /// [`CustodyError::Randomness`], [`CustodyError::Limit`]
    pub fn seal_pin(&self, profile: ProfileId, token: &TokenRecord, pin: &Locked) -> Result<Vec<u8>, CustodyError> {
        let address = token.address();
        self.root.seal_pin(
            &self.slab,
            self.randomness.as_ref(),
            profile,
            PinRole::KeyUsage,
            &address,
            pin,
        )
    }

    /// Opens what [`Outfit::seal_pin`] gave.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if it was sealed for another profile or token, under another root, or was edited.
    pub fn open_pin(&self, profile: ProfileId, token: &TokenRecord, sealed: &[u8]) -> Result<Locked, CustodyError> {
        let address = token.address();
        self.root
            .open_pin(&self.slab, profile, PinRole::KeyUsage, &address, sealed)
    }

    /// Finds out what a token can do with this PIN. One that it has refused on this occasion is not sent again: PINs lock.
    ///
    /// # Errors
    /// [`CustodyError::UnknownModule`]; [`CustodyError::Unavailable`] if no such token answers; [`CustodyError::Credential`].
    pub async fn try_pin(
        &self,
        occasion: [u8; 16],
        token: &TokenRecord,
        pin: &Locked,
    ) -> Result<Capabilities, CustodyError> {
        self.try_pins(occasion, token, pin, None).await
    }

    /// The same with the key-management credential: also whether the token keeps the two roles apart.
    ///
    /// # Errors
    /// Those of [`Outfit::try_pin`].
    pub async fn try_pins(
        &self,
        occasion: [u8; 16],
        token: &TokenRecord,
        pin: &Locked,
        login: Option<&Locked>,
    ) -> Result<Capabilities, CustodyError> {
        let settings = self.benches.token(token)?;
        if self.refusals().contains(&occasion) {
            return Err(CustodyError::Credential);
        }
        let asked = ResidentKeks::new(settings, pin.duplicate()?, self.slab.clone());
        match asked.examine(login).await {
            Ok(found) if found.token.pin.allows_login() => Ok(found),
            Ok(_) | Err(CustodyError::Credential) => {
                let mut refused = self.refusals();
                if refused.len() >= MOST_REFUSED {
                    refused.pop_first();
                }
                refused.insert(occasion);
                Err(CustodyError::Credential)
            }
            Err(error) => Err(error),
        }
    }

    fn refusals(&self) -> std::sync::MutexGuard<'_, BTreeSet<[u8; 16]>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the PIN of a token. Whether a failed call has changed it, only [`Outfit::try_pin`] tells.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if the token takes no such PIN; those of [`Outfit::try_pin`].
    pub async fn change_pin(&self, token: &TokenRecord, pin: Locked, new: &Locked) -> Result<(), CustodyError> {
        resident::change_pin(self.benches.token(token)?, pin, new, self.slab.clone()).await
    }

    /// A PIN that nobody knows: 16 hexadecimal digits.
    ///
    /// # Errors
    /// [`CustodyError::Randomness`], [`CustodyError::Limit`]
    pub fn random_pin(&self) -> Result<Locked, CustodyError> {
        token::random_pin(&self.slab, self.randomness.as_ref())
    }

    /// A provider for a profile, with nothing started yet. `staged` is the PIN that an interrupted change may have given the token.
    ///
    /// # Errors
    /// [`CustodyError::UnknownModule`]; those of [`Outfit::open_pin`].
    pub fn provider(
        &self,
        id: ProfileId,
        record: &ProfileRecord,
        staged: Option<&StagedPin>,
    ) -> Result<Arc<dyn KekProvider>, CustodyError> {
        let Some(token) = &record.token else {
            let randomness = Arc::clone(&self.randomness);
            return Ok(Arc::new(SoftwareKeks::new(
                &self.benches.keks,
                self.slab.clone(),
                randomness,
            )));
        };
        let pin = self.open_pin(id, token, &token.pin)?;
        let other = staged.map(|staged| self.open_pin(id, token, &staged.pin)).transpose()?;
        #[cfg(test)]
        if let Some(stand_in) = self.stand_ins.lock().unwrap().get(&token.module) {
            return Ok(Arc::clone(stand_in));
        }
        let mut settings = self.benches.token(token)?;
        if let Some(found) = record.found() {
            settings.scheme = found.scheme().unwrap_or(settings.scheme);
            if found.finding(Feature::EcdhP384) != Finding::Untried {
                settings.pairs = found.pair_scheme();
            }
        }
        Ok(Arc::new(ResidentKeks::either(settings, pin, other, self.slab.clone())))
    }

    /// Puts a profile to work, or what its record says now in place of what it said. One that cannot be is away for all who use it, and
    /// delays nobody else.
    pub fn put_to_work(&self, custody: &Custody, id: ProfileId, record: &ProfileRecord, staged: Option<&StagedPin>) {
        if let Err(error) = self.draw_anew(id, record, staged) {
            tracing::error!(profile = %record.name, %error, "randomness cannot be drawn from an HSM-Profile as it is now");
        }
        if record.abandoned.is_some() {
            custody.add_provider(id, Arc::new(AbsentKeks));
            return;
        }
        let provider = self.provider(id, record, staged).unwrap_or_else(|error| {
            tracing::error!(profile = %record.name, %error, "an HSM-Profile cannot be put to work");
            Arc::new(AbsentKeks)
        });
        custody.add_provider(id, provider);
    }
}
