//! An HSM for tests: key pairs in the memory of the process, which outlive the server and can be away.

use std::collections::HashMap;
use std::future::pending;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use openssl::pkey::{PKey, Private};
use tokio::sync::Notify;

use super::envelope::{self, tests as outside};
use crate::crypto::OsRandomness;
use crate::custody::probe::Capabilities;
use crate::custody::{
    CustodyError, KekProvider, KekRecord, Locked, NewKek, PairName, PairProvider, Placement, Sealer, SealerKind,
    Sealing, Slab, SoftwareKeks,
};
use crate::wait::Wait;

type Pair = (PKey<Private>, Vec<u8>);

/// Beside pairs it keeps software KEKs, as the tests' other HSMs do.
pub(crate) struct FakeHsm {
    keks: SoftwareKeks,
    slab: Slab,
    pairs: Mutex<HashMap<Vec<u8>, Pair>>,
    /// Whether it does not answer.
    pub(crate) away: AtomicBool,
    /// Whether it accepts its credential no more.
    pub(crate) refuses: AtomicBool,
    /// Whether it does what it is told and never says so.
    pub(crate) hangs: AtomicBool,
    /// It hangs now.
    pub(crate) hung: Notify,
    /// How often it was asked to open something.
    pub(crate) opened: AtomicUsize,
}

impl FakeHsm {
    pub(crate) fn new(folder: &Path) -> Arc<Self> {
        let slab = Slab::new().unwrap();
        Arc::new(Self {
            keks: SoftwareKeks::new(folder, slab.clone(), Arc::new(OsRandomness::new())),
            slab,
            pairs: Mutex::default(),
            away: AtomicBool::default(),
            refuses: AtomicBool::default(),
            hangs: AtomicBool::default(),
            hung: Notify::new(),
            opened: AtomicUsize::default(),
        })
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// How many pairs it has.
    pub(crate) fn count(&self) -> usize {
        self.pairs.lock().unwrap().len()
    }

    fn answers(&self) -> Result<(), CustodyError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(CustodyError::Unavailable),
            false if self.refuses.load(Ordering::SeqCst) => Err(CustodyError::Credential),
            false => Ok(()),
        }
    }

    async fn say<T>(&self, answer: T) -> T {
        if self.hangs.load(Ordering::SeqCst) {
            self.hung.notify_one();
            pending::<()>().await;
        }
        answer
    }
}

impl KekProvider for FakeHsm {
    fn kind(&self) -> SealerKind {
        SealerKind::Software
    }

    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.create(kek, login)
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.find(kek)
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        self.keks.destroy(record, login)
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        self.keks.sealer(record)
    }

    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        self.keks.examine(login)
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        Box::pin(async { self.answers() })
    }

    fn pairs(&self) -> Option<&dyn PairProvider> {
        Some(self)
    }
}

impl PairProvider for FakeHsm {
    fn make<'a>(&'a self, pair: &'a PairName, _: Option<&'a Locked>) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async {
            self.answers()?;
            let public = {
                let mut pairs = self.pairs.lock().unwrap();
                if pairs.contains_key(&pair.cka_id) {
                    return Err(CustodyError::Exists);
                }
                let (private, public) = outside::pair();
                pairs.insert(pair.cka_id.clone(), (private, public.clone()));
                public
            };
            self.say(Ok(public)).await
        })
    }

    fn find<'a>(&'a self, pair: &'a PairName) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async {
            self.answers()?;
            let pairs = self.pairs.lock().unwrap();
            let found = pairs.get(&pair.cka_id).ok_or(CustodyError::UnknownKek)?;
            Ok(found.1.clone())
        })
    }

    fn destroy<'a>(&'a self, pair: &'a PairName, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        Box::pin(async {
            self.answers()?;
            self.pairs.lock().unwrap().remove(&pair.cka_id);
            self.say(Ok(())).await
        })
    }

    fn open<'a>(&'a self, pair: &'a PairName, sealing: Sealing<'a>) -> Wait<'a, Result<Locked, CustodyError>> {
        Box::pin(async move {
            self.answers()?;
            self.opened.fetch_add(1, Ordering::SeqCst);
            let pairs = self.pairs.lock().unwrap();
            let (private, _) = pairs.get(&pair.cka_id).ok_or(CustodyError::Unavailable)?;
            envelope::sent(sealing.sealed)?;
            let shared = outside::answered(&self.slab, private, sealing.sealed);
            let Sealing {
                public_key,
                context,
                more,
                sealed,
            } = sealing;
            envelope::open(&self.slab, &shared, public_key, &context, more, sealed)
        })
    }
}
