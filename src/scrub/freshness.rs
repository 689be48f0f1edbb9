//! Freshness of the whole database. Each record in it may be right, and the trail whole, and yet all of it be of last week: only the
//! anchor, which lies elsewhere, knows how far the trail reached. A database that does not reach it was put back, and serves nobody until
//! people have agreed to it.

use super::ScrubError;
use crate::audit::{Anchor, AnchorFile, Head, LateChain, hash};
use crate::custody::{Custody, CustodyError};
use crate::store::{Domain, Store, TrailQuery};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a database does not fit its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It lacks the record that the anchor names, written at this time (milliseconds since 1970).
    Behind(i64),
    /// There is no anchor any more.
    Missing,
    /// The anchor is another installation's, or somebody altered it.
    Foreign,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(written_ms) => write!(
                f,
                "it lacks what the anchor written at {written_ms} ms since 1970 names: it was put back"
            ),
            Self::Missing => f.write_str("it had an anchor, which is gone"),
            Self::Foreign => f.write_str("its anchor is another installation's, or was altered"),
        }
    }
}

/// A database that does not fit its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Why it does not.
    pub why: Why,
    /// The digest of the anchor's file; of nothing, if there is none.
    pub digest: [u8; 32],
}

/// Why an anchor was not written.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The disk did not take it.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The system's record key is not open.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// Whether the database is the one that was served last.
#[derive(Default)]
pub struct Freshness {
    file: Option<AnchorFile>,
    heads: LateChain,
    is_fitting: bool,
    is_restored: AtomicBool,
    /// The anchor could not be written the last time.
    is_stuck: AtomicBool,
    state: Mutex<State>,
    /// Whoever writes the anchor: none overtakes another.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    restored: Option<Restored>,
    /// What the anchor names, if this server wrote it, and since when it stands.
    written: Option<(Head, i64)>,
}

/// What the installation's record says of its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Which installation it is.
    pub instance: [u8; 16],
    /// Whether there is to be an anchor.
    pub anchored: bool,
    /// The digest of one that need not fit.
    pub accepted: Option<[u8; 32]>,
}

impl Freshness {
    /// Compares the database with what was found in its anchor's file, before anything of this process is in the trail. `heads` tells from
    /// then on how far the trail reaches.
    ///
    /// # Errors
    /// When the store or custody does not answer.
    pub async fn compare(
        file: AnchorFile,
        found: Option<&[u8]>,
        heads: LateChain,
        (store, custody): (&Arc<dyn Store>, &Custody),
        expected: Expected,
    ) -> Result<Self, ScrubError> {
        let digest = hash(found.unwrap_or_default());
        let why = match found {
            None => expected.anchored.then_some(Why::Missing),
            Some(bytes) => judge(bytes, store, custody, expected.instance).await?,
        };
        let is_fitting = why.is_none() && found.is_some();
        let why = why.filter(|_| expected.accepted != Some(digest));
        Ok(Self {
            is_fitting,
            file: Some(file),
            heads,
            is_restored: AtomicBool::new(why.is_some()),
            is_stuck: AtomicBool::new(false),
            state: Mutex::new(State {
                restored: why.map(|why| Restored { why, digest }),
                written: None,
            }),
            writing: Mutex::default(),
        })
    }

    /// Whether there is to be an anchor at all.
    #[must_use]
    pub const fn is_anchored(&self) -> bool {
        self.file.is_some()
    }

    /// Whether there was an anchor at the start that the database fits.
    #[must_use]
    pub const fn is_fitting(&self) -> bool {
        self.is_fitting
    }

    /// Whether the database was put back and nobody has agreed to it yet.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.is_restored.load(Ordering::Acquire)
    }

    /// The same, and why.
    #[must_use]
    pub fn restored(&self) -> Option<Restored> {
        self.lock().restored
    }

    /// People have agreed to go on with it.
    pub fn accept(&self) {
        self.lock().restored = None;
        self.is_restored.store(false, Ordering::Release);
    }

    /// Since when the anchor is as this server wrote it, in milliseconds since 1970.
    #[must_use]
    pub fn written_ms(&self) -> Option<i64> {
        self.lock().written.map(|(_, at)| at)
    }

    /// Whether the anchor could not be written the last time.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// Remembers whether the anchor could be written. Gives whether it was otherwise before.
    pub fn note(&self, is_stuck: bool) -> bool {
        self.is_stuck.swap(is_stuck, Ordering::Relaxed) != is_stuck
    }

    /// Writes the anchor, if the trail has grown since. Not while the database is one that does not fit it: the anchor is the proof. Blocks
    /// for the disk.
    ///
    /// # Errors
    /// When it cannot be written; the old one stands.
    pub fn renew(&self, custody: &Custody, instance: [u8; 16], epoch: i32, now_ms: i64) -> Result<(), AnchorError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(file), Some(head)) = (&self.file, self.heads.kept()) else {
            return Ok(());
        };
        let written = self.lock().written;
        if self.is_restored() || written.is_some_and(|(written, _)| written == head) {
            return Ok(());
        }
        let anchor = Anchor {
            instance,
            epoch,
            written_ms: now_ms,
            head,
        };
        file.write(&anchor.text(|lines| mac(custody, lines))?)?;
        self.lock().written = Some((head, now_ms));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a database of which this anchor was kept, if anything is.
async fn judge(
    bytes: &[u8],
    store: &Arc<dyn Store>,
    custody: &Custody,
    instance: [u8; 16],
) -> Result<Option<Why>, ScrubError> {
    let anchor = Anchor::read(bytes, |lines| mac(custody, lines))?;
    let Some(anchor) = anchor.filter(|anchor| anchor.instance == instance) else {
        return Ok(Some(Why::Foreign));
    };
    let position = anchor.head.position;
    let query = TrailQuery {
        stream: position.stream,
        domain: None,
        after: position.sequence.saturating_sub(1),
        limit: 1,
    };
    let found = store.trail(query).await?;
    let is_there = found
        .first()
        .is_some_and(|record| hash(&record.bytes) == anchor.head.hash);
    Ok((!is_there).then_some(Why::Behind(anchor.written_ms)))
}

fn mac(custody: &Custody, lines: &[u8]) -> Result<[u8; 32], CustodyError> {
    custody.keyed_hash(Domain::SYSTEM, "anchor", lines)
}
