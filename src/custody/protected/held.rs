//! A protected KEK as this process holds it: in secret memory, for as long as an HSM has confirmed it lately.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as AsyncMutex;

use super::wraps::{CHECK_VALUE, ProfileWrap, ProtectedKek};
use crate::crypto::Randomness;
use crate::custody::context::{KekId, WrapContext};
use crate::custody::error::CustodyError;
use crate::custody::record::KekRecord;
use crate::custody::sealer::{Sealer, SealerKind, check_context, check_known_answer};
use crate::custody::sealing;
use crate::custody::slab::{Locked, Slab};
use crate::store::Domain;
use crate::wait::{Wait, ready};

/// A KEK that no domain uses is forgotten after this time: whoever made it has committed it, or never will.
const UNUSED: Duration = Duration::from_secs(3600);
/// How long to wait before HSMs that did not answer are asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// How protected KEKs are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keeping {
    /// How long a KEK stays in memory after an HSM has confirmed it last.
    pub grace: Duration,
    /// How often an HSM is asked to confirm it.
    pub renew: Duration,
}

impl Default for Keeping {
    /// 24 hours, and each hour.
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(24 * 3600),
            renew: Duration::from_secs(3600),
        }
    }
}

/// The protected KEKs of the process.
#[derive(Default)]
pub(in crate::custody) struct Protected {
    held: RwLock<HashMap<Name, Arc<Held>>>,
    pub(super) binding: OnceLock<Locked>,
    pub(super) keeping: RwLock<Keeping>,
    /// Pairs are destroyed one after the other, so that the last two are not destroyed at the same moment.
    pub(super) turns: AsyncMutex<()>,
}

/// Which KEK, check value included: a record that was edited is another KEK, which nothing has opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Name {
    pub(super) domain: Domain,
    pub(super) id: KekId,
    pub(super) generation: u32,
    pub(super) check_value: [u8; CHECK_VALUE],
}

impl Name {
    pub(super) fn of(record: &KekRecord, protected: &ProtectedKek) -> Self {
        Self {
            domain: record.domain,
            id: record.id,
            generation: record.generation,
            check_value: protected.check_value,
        }
    }
}

/// One KEK.
pub(super) struct Held {
    pub(super) name: Name,
    pub(super) binding: [u8; 32],
    wraps: RwLock<Arc<Vec<ProfileWrap>>>,
    key: RwLock<Option<Arc<Locked>>>,
    times: Mutex<Times>,
    /// Who has leave to ask an HSM for it.
    pub(super) opening: AsyncMutex<()>,
}

struct Times {
    made: Instant,
    confirmed: Option<Instant>,
    next: Instant,
}

/// What is to be done for a KEK now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Nothing,
    Open,
}

impl Protected {
    /// What the process holds of the KEK of a record, which may be nothing yet.
    pub(super) fn held(&self, record: &KekRecord, protected: &ProtectedKek) -> Arc<Held> {
        let name = Name::of(record, protected);
        let found = self
            .held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned();
        found.unwrap_or_else(|| {
            let mut all = self.held.write().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Held::new(name, protected));
            Arc::clone(all.entry(name).or_insert_with(new))
        })
    }

    pub(super) fn all(&self) -> Vec<Arc<Held>> {
        let all = self.held.read().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    pub(super) fn forget(&self, record: &KekRecord, protected: &ProtectedKek) {
        let name = Name::of(record, protected);
        self.retain(|held| held.name != name);
    }

    pub(in crate::custody) fn forget_domain(&self, domain: Domain) {
        self.retain(|held| held.name.domain != domain);
    }

    /// Forgets what was made long ago and is in nobody's hands.
    pub(super) fn forget_unused(&self, now: Instant) {
        self.retain(|held| Arc::strong_count(held) > 1 || now < held.times().made + UNUSED);
    }

    fn retain(&self, keep: impl Fn(&Arc<Held>) -> bool) {
        let mut all = self.held.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| keep(held));
    }

    pub(super) fn keeping(&self) -> Keeping {
        *self.keeping.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn new(name: Name, protected: &ProtectedKek) -> Self {
        let now = Instant::now();
        Self {
            name,
            binding: protected.binding,
            wraps: RwLock::new(Arc::new(protected.wraps.clone())),
            key: RwLock::default(),
            times: Mutex::new(Times {
                made: now,
                confirmed: None,
                next: now,
            }),
            opening: AsyncMutex::default(),
        }
    }

    pub(super) fn key(&self) -> Result<Arc<Locked>, CustodyError> {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        key.clone().ok_or(CustodyError::Unavailable)
    }

    pub(super) fn is_open(&self) -> bool {
        self.key.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// An HSM gave it, or it was made just now: the copy before is wiped when its last user is done.
    pub(super) fn confirm(&self, key: Locked, now: Instant, renew: Duration) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
        let mut times = self.times();
        times.confirmed = Some(now);
        times.next = now + renew;
    }

    /// No HSM gave it. Says whether it was kept for so long that it is kept no longer.
    pub(super) fn missed(&self, now: Instant, grace: Duration) -> bool {
        let mut times = self.times();
        times.next = now + AGAIN;
        let over = times.confirmed.is_some_and(|confirmed| now >= confirmed + grace);
        if over {
            times.confirmed = None;
            *self.key.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        over
    }

    pub(super) fn due(&self, now: Instant) -> Due {
        if now >= self.times().next {
            Due::Open
        } else {
            Due::Nothing
        }
    }

    pub(super) fn wraps(&self) -> Arc<Vec<ProfileWrap>> {
        Arc::clone(&self.wraps.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is committed of its profiles.
    pub(super) fn set_wraps(&self, wraps: &[ProfileWrap]) {
        *self.wraps.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(wraps.to_vec());
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps and unwraps with a KEK in memory. It asks no HSM: while the KEK is not there, it is not available.
pub(super) struct ProtectedSealer {
    pub(super) record: KekRecord,
    pub(super) held: Arc<Held>,
    pub(super) slab: Slab,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl ProtectedSealer {
    fn seal(&self, context: &WrapContext, key: &Locked) -> Result<Vec<u8>, CustodyError> {
        check_context(context, &self.record)?;
        let kek = self.held.key()?;
        sealing::seal(self.randomness.as_ref(), &kek, &context.aad(), key.expose())
    }

    fn open(&self, context: &WrapContext, wrapped: &[u8]) -> Result<Locked, CustodyError> {
        check_context(context, &self.record)?;
        if wrapped.len() != sealing::WRAPPED {
            return Err(CustodyError::Refused);
        }
        let kek = self.held.key()?;
        sealing::open_locked(&self.slab, &kek, &context.aad(), wrapped)
    }
}

impl Sealer for ProtectedSealer {
    fn kind(&self) -> SealerKind {
        SealerKind::Protected
    }

    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        ready(self.seal(&context, key))
    }

    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        ready(self.open(&context, wrapped))
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        Box::pin(check_known_answer(self, &self.record))
    }
}
