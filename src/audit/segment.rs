//! The access trail in files: segments of one stream, each a row of records as [`super::Entry`] reads them.
//!
//! A record is in the page cache before its answer leaves (it survives the end of the process), and on the disk at most
//! [`SegmentSettings::sync_every`] later (it survives the end of the machine).

use super::access::{AccessTrail, TrailError};
use super::chain::{Chain, Linked};
use super::draft::AuditDraft;
use super::position::{Position, StreamId};
use crate::wait::{Wait, breathe, ready};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// How long the trail waits before it tries a new segment after the disk refused to keep the old one.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// How often whoever finds the chain taken lets others on its thread have their turn, before it has the thread wait.
const MOST_TURNS: usize = 16;

/// How the trail is kept.
#[derive(Clone, Debug)]
pub struct SegmentSettings {
    /// The folder of the segments.
    pub folder: PathBuf,
    /// A segment that has grown this long is closed, in bytes.
    pub longest: u64,
    /// How much later than its answer a record may reach the disk.
    pub sync_every: Duration,
    /// Whether each answer waits until its record is on the disk (`audit.reads = durable`).
    pub durable: bool,
}

impl SegmentSettings {
    /// The defaults: segments of 64 MiB, on the disk 50 ms later at most.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            longest: 64 * 1024 * 1024,
            sync_every: Duration::from_millis(50),
            durable: false,
        }
    }
}

/// A trail in files.
pub struct SegmentTrail {
    shared: Arc<Shared>,
    synced: watch::Receiver<Progress>,
    syncer: Option<JoinHandle<()>>,
}

struct Shared {
    settings: SegmentSettings,
    state: Mutex<State>,
    /// Wakes the syncer.
    work: Condvar,
}

struct State {
    chain: Box<dyn Chain>,
    last_ms: i64,
    segment: Option<Segment>,
    /// Segments that are full and not yet known to be on the disk.
    retired: Vec<Arc<File>>,
    /// The last record written, and the last one that is on the disk.
    written: u64,
    synced: u64,
    /// Why nothing can be written, until a new segment could be opened.
    failed: Option<TrailError>,
    closing: bool,
    /// The syncer waits for work. To wake it costs a system call, which only the first record after a pause pays.
    waits: bool,
}

/// What the syncer tells those who wait.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// The last record that was dealt with.
    reached: u64,
    /// Records after the first number, up to the second, may not be on the disk.
    lost: (u64, u64),
}

struct Segment {
    file: Arc<File>,
    length: u64,
}

impl SegmentTrail {
    /// Opens the trail. `chain` begins a stream of its own; its first segment is made with the first record.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(settings: SegmentSettings, chain: Box<dyn Chain>) -> Result<Self, TrailError> {
        std::fs::create_dir_all(&settings.folder).map_err(|error| trail_error(&error))?;
        let state = State {
            chain,
            last_ms: i64::MIN,
            segment: None,
            retired: Vec::new(),
            written: 0,
            synced: 0,
            failed: None,
            closing: false,
            waits: false,
        };
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::new(state),
            work: Condvar::new(),
        });
        let (announce, synced) = watch::channel(Progress::default());
        let thread = std::thread::Builder::new().name("access-trail".to_owned());
        let run = Arc::clone(&shared);
        let thread = thread.spawn(move || run.sync_until_closed(&announce));
        Ok(Self {
            shared,
            synced,
            syncer: Some(thread.map_err(|error| trail_error(&error))?),
        })
    }

    /// Records an access while others record theirs. The chain is one, and each link is some microseconds of work: meanwhile the
    /// thread has other requests to go on with, whereas to sleep and be woken costs more than the link.
    async fn append_in_turn(&self, draft: AuditDraft) -> Result<Position, TrailError> {
        for _ in 0..MOST_TURNS {
            breathe().await;
            if let Some(appended) = self.shared.try_append(&draft) {
                return self.finish(appended).await;
            }
        }
        let appended = self.shared.append(&draft);
        self.finish(appended).await
    }

    /// Waits for the disk, if answers are to.
    fn finish(&self, appended: Result<Position, TrailError>) -> Wait<'_, Result<Position, TrailError>> {
        match appended {
            Ok(position) if self.shared.settings.durable => Box::pin(self.until_synced(position)),
            outcome => ready(outcome),
        }
    }

    async fn until_synced(&self, position: Position) -> Result<Position, TrailError> {
        let mut synced = self.synced.clone();
        let sequence = position.sequence;
        let stopped = |_| TrailError::Unavailable("the trail has stopped".to_owned());
        let progress = *synced
            .wait_for(|progress| progress.reached >= sequence)
            .await
            .map_err(stopped)?;
        let (after, last) = progress.lost;
        if sequence > after && sequence <= last {
            return Err(TrailError::Unavailable("the disk did not keep the record".to_owned()));
        }
        Ok(position)
    }
}

impl AccessTrail for SegmentTrail {
    fn append(&self, draft: AuditDraft) -> Wait<'_, Result<Position, TrailError>> {
        match self.shared.try_append(&draft) {
            Some(appended) => self.finish(appended),
            None => Box::pin(self.append_in_turn(draft)),
        }
    }
}

/// Puts what was written on the disk.
impl Drop for SegmentTrail {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_all();
        if let Some(syncer) = self.syncer.take()
            && syncer.join().is_err()
        {
            tracing::error!("the access trail's syncer had panicked");
        }
    }
}

impl Shared {
    /// A record is written whole or taken back, so a poisoned lock still guards whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, draft: &AuditDraft) -> Result<Position, TrailError> {
        self.link(&mut self.lock(), draft)
    }

    /// Nothing, while somebody else has the chain.
    fn try_append(&self, draft: &AuditDraft) -> Option<Result<Position, TrailError>> {
        match self.state.try_lock() {
            Ok(mut state) => Some(self.link(&mut state, draft)),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.link(&mut poisoned.into_inner(), draft)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn link(&self, state: &mut State, draft: &AuditDraft) -> Result<Position, TrailError> {
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let committed_ms = state.last_ms.max(draft.at_ms);
        let linked = state.chain.link(draft, committed_ms);
        match self.write(state, &linked) {
            Ok(()) => {
                state.chain.confirm();
                state.last_ms = committed_ms;
                state.written = linked.position.sequence;
                if std::mem::take(&mut state.waits) {
                    self.work.notify_one();
                }
                Ok(linked.position)
            }
            Err(error) => {
                state.chain.undo();
                Err(error)
            }
        }
    }

    fn write(&self, state: &mut State, linked: &Linked) -> Result<(), TrailError> {
        let mut segment = match state.segment.take() {
            Some(segment) if segment.length < self.settings.longest => segment,
            full => {
                state.retired.extend(full.map(|segment| segment.file));
                Segment::create(&self.settings.folder, linked.position).map_err(|error| trail_error(&error))?
            }
        };
        match (&*segment.file).write_all(&linked.bytes) {
            Ok(()) => {
                let length = u64::try_from(linked.bytes.len()).unwrap_or(u64::MAX);
                segment.length = segment.length.saturating_add(length);
                state.segment = Some(segment);
                Ok(())
            }
            Err(error) => {
                // A part may have been written: cut it off, else give the segment up.
                if segment.file.set_len(segment.length).is_ok() {
                    state.segment = Some(segment);
                }
                Err(trail_error(&error))
            }
        }
    }

    fn sync_until_closed(&self, announce: &watch::Sender<Progress>) {
        loop {
            let mut state = self.lock();
            while state.written == state.synced && !state.closing {
                state.waits = true;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let closing = state.closing;
            drop(state);
            if !closing {
                // Records written meanwhile share the one fsync.
                std::thread::sleep(self.settings.sync_every.div_f64(2.0));
            }
            self.sync(announce);
            if closing {
                return;
            }
        }
    }

    fn sync(&self, announce: &watch::Sender<Progress>) {
        let mut state = self.lock();
        let (written, synced) = (state.written, state.synced);
        let mut files = std::mem::take(&mut state.retired);
        files.extend(state.segment.as_ref().map(|segment| Arc::clone(&segment.file)));
        drop(state);
        match files.iter().try_for_each(|file| file.sync_data()) {
            Ok(()) => {
                self.lock().synced = written;
                announce.send_modify(|progress| progress.reached = written);
            }
            Err(error) => {
                let written = self.give_up(&error);
                announce.send_replace(Progress {
                    reached: written,
                    lost: (synced, written),
                });
            }
        }
    }

    /// What the disk refused once it may have forgotten: nothing more goes into that segment, and nothing is accepted for a
    /// while. The verification shows what is missing. The last record in doubt.
    fn give_up(&self, error: &std::io::Error) -> u64 {
        tracing::error!(%error, "the access trail's segment could not be put on the disk");
        let mut state = self.lock();
        state.failed = Some(trail_error(error));
        state.segment = None;
        drop(state);
        std::thread::sleep(TRY_AGAIN);
        let mut state = self.lock();
        state.failed = None;
        state.synced = state.written;
        state.written
    }
}

impl Segment {
    fn create(folder: &Path, first: Position) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.append(true).create_new(true).mode(0o600);
        let path = segment_path(folder, first);
        let file = match options.open(&path) {
            // Left by a first record that could not be written: it is empty.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => OpenOptions::new().append(true).open(&path)?,
            opened => opened?,
        };
        File::open(folder)?.sync_all()?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            length,
        })
    }
}

fn segment_path(folder: &Path, first: Position) -> PathBuf {
    folder.join(format!("access-{}-{:020}.trail", first.stream, first.sequence))
}

fn trail_error(error: &std::io::Error) -> TrailError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TrailError::Full,
        _ => TrailError::Unavailable(error.to_string()),
    }
}

/// The segments of a stream in this folder, in their order.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments(folder: &Path, stream: StreamId) -> std::io::Result<Vec<PathBuf>> {
    let prefix = format!("access-{stream}-");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The records of a segment, as bytes, and how many bytes at its end are no whole record: what a machine that went down in the
/// middle of a write leaves at the end of its last segment, and nowhere else.
#[must_use]
pub fn split(segment: &[u8]) -> (Vec<&[u8]>, usize) {
    let (mut records, mut rest) = (Vec::new(), segment);
    while let Some((record, after)) = first_record(rest) {
        records.push(record);
        rest = after;
    }
    (records, rest.len())
}

/// A record is one TTLV structure: tag and type in four bytes, the length in four.
fn first_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, _) = bytes.split_first_chunk::<8>()?;
    let [_, _, _, _, length @ ..] = *header;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    bytes.split_at_checked(length.checked_add(header.len())?)
}
