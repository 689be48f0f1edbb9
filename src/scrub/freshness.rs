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
use std::time::Duration;

/// How long the disk of the anchor is waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// Why a database does not fit its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It lacks the record that the anchor names, written at this time (milliseconds since 1970).
    Behind(i64),
    /// There is no anchor any more.
    Missing,
    /// The anchor is another installation's, or somebody altered it.
    Foreign,
    /// The settings name none, though there was one.
    Unset,
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
            Self::Unset => f.write_str("it had an anchor, and the settings name none"),
        }
    }
}

/// A database that does not fit its anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Why it does not.
    pub why: Why,
    /// How often the installation had been restored, as the anchor has it.
    pub epoch: i32,
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
    /// The disk does not answer.
    #[error("the disk does not answer")]
    Hangs,
}

/// Whether the database is the one that was served last.
#[derive(Default)]
pub struct Freshness {
    file: Option<AnchorFile>,
    heads: LateChain,
    is_restored: AtomicBool,
    /// The anchor could not be written the last time.
    is_stuck: AtomicBool,
    state: Mutex<State>,
    /// Whoever writes the anchor: none overtakes another.
    writing: Arc<tokio::sync::Mutex<()>>,
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
}

impl Freshness {
    /// Compares the database with what was found in its anchor's file, if it has one, before anything of this process is in the trail. `heads`
    /// tells from then on how far the trail reaches.
    ///
    /// # Errors
    /// When the store or custody does not answer.
    pub async fn compare(
        file: Option<AnchorFile>,
        found: Option<&[u8]>,
        heads: LateChain,
        (store, custody): (&Arc<dyn Store>, &Custody),
        expected: Expected,
    ) -> Result<Self, ScrubError> {
        let gone = |why| Restored { why, epoch: 0 };
        let restored = match (&file, found) {
            (None, _) => expected.anchored.then_some(gone(Why::Unset)),
            (Some(_), None) => expected.anchored.then_some(gone(Why::Missing)),
            (Some(_), Some(bytes)) => judge(bytes, store, custody, expected.instance).await?,
        };
        Ok(Self {
            file,
            heads,
            is_restored: AtomicBool::new(restored.is_some()),
            is_stuck: AtomicBool::new(false),
            state: Mutex::new(State {
                restored,
                written: None,
            }),
            writing: Arc::default(),
        })
    }

    /// Whether there is to be an anchor at all.
    #[must_use]
    pub const fn is_anchored(&self) -> bool {
        self.file.is_some()
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

    /// Writes the anchor, if the trail has grown since. Not while the database is one that does not fit it: the anchor is the proof.
    ///
    /// # Errors
    /// When it cannot be written, or not in time; the old one stands.
    pub async fn renew(
        &self,
        custody: &Custody,
        instance: [u8; 16],
        epoch: i32,
        now_ms: i64,
    ) -> Result<(), AnchorError> {
        let written = tokio::time::timeout(LONGEST, self.renew_in_turn(custody, instance, epoch, now_ms));
        written.await.unwrap_or(Err(AnchorError::Hangs))
    }

    async fn renew_in_turn(
        &self,
        custody: &Custody,
        instance: [u8; 16],
        epoch: i32,
        now_ms: i64,
    ) -> Result<(), AnchorError> {
        // Whoever hangs has it until it ends: none piles up behind it.
        let turn = Arc::clone(&self.writing).lock_owned().await;
        let (Some(file), Some(head)) = (self.file.clone(), self.heads.kept()) else {
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
        let text = anchor.text(|lines| mac(custody, lines))?;
        let write = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            file.write(&text)
        });
        write.await.map_err(std::io::Error::other)??;
        self.lock().written = Some((head, now_ms));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is found in the file of an anchor, if it is there.
///
/// # Errors
/// When it cannot be read, or not in time.
pub async fn found(file: &AnchorFile) -> Result<Option<Vec<u8>>, AnchorError> {
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || file.read());
    let read = tokio::time::timeout(LONGEST, read).await;
    let read = read.map_err(|_| AnchorError::Hangs)?;
    Ok(read.map_err(std::io::Error::other)??)
}

/// What is wrong with a database of which this anchor was kept, if anything is.
async fn judge(
    bytes: &[u8],
    store: &Arc<dyn Store>,
    custody: &Custody,
    instance: [u8; 16],
) -> Result<Option<Restored>, ScrubError> {
    let anchor = Anchor::read(bytes, |lines| mac(custody, lines))?;
    let Some(anchor) = anchor.filter(|anchor| anchor.instance == instance) else {
        let (why, epoch) = (Why::Foreign, 0);
        return Ok(Some(Restored { why, epoch }));
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
    Ok((!is_there).then_some(Restored {
        why: Why::Behind(anchor.written_ms),
        epoch: anchor.epoch,
    }))
}

fn mac(custody: &Custody, lines: &[u8]) -> Result<[u8; 32], CustodyError> {
    custody.keyed_hash(Domain::SYSTEM, "anchor", lines)
}
