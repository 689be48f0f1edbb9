//! The embedded engine: one SQLite file in WAL mode, one writer with group commit, readers in place, a cache in front.

mod erasure;
mod error;
mod reader;
mod rows;
mod schema;
mod tables;
mod writer;

use super::cache::Cache;
use super::contract::{
    ChangeSet, CommitError, Counter, Counters, IndexHit, IndexQuery, Receipt, Record, Store, StoreError, TrailQuery,
    TrailRecord,
};
use super::key::{ClaimKey, Domain, GuardKey, Key, Kind};
use crate::audit::{Chain, Head};
use crate::wait::{Wait, ready};
use error::store_error;
use reader::Readers;
use ring::rand::SystemRandom;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{Job, Writer};

/// How the file is kept.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// The database file; `-wal` and `.lock` stand beside it.
    pub path: PathBuf,
    /// Connections that read at the same time: as many as there are cores is enough.
    pub readers: usize,
    /// Bytes of sealed records kept in memory.
    pub record_cache: usize,
    /// Kibibytes of pages that the writer keeps in memory; each reader keeps a quarter.
    pub page_cache: u32,
    /// How long deleted bytes may stay in the write-ahead log. With a reader in the way it takes a second or so longer.
    pub erase_after: Duration,
    /// Most pages (of 4096 bytes) that the file may have: a quota. `None`: the disk's.
    pub most_pages: Option<u32>,
}

impl SqliteSettings {
    /// The defaults for this file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: std::thread::available_parallelism().map_or(4, usize::from).min(8),
            record_cache: 16 * 1024 * 1024,
            page_cache: 8 * 1024,
            erase_after: Duration::from_secs(30),
            most_pages: None,
        }
    }
}

/// A store in one SQLite file.
pub struct SqliteStore {
    readers: Readers,
    cache: Arc<Cache>,
    high_water: Arc<AtomicI64>,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Kept open: the lock goes with it.
    _lock: File,
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings its schema up to date. The change trail is linked by `chain`.
    ///
    /// # Errors
    /// [`StoreError::Held`] when another process has the file, [`StoreError::Newer`] when a newer release wrote it,
    /// [`StoreError::Damaged`] when it is no database of ours.
    pub fn open(settings: &SqliteSettings, chain: Box<dyn Chain>) -> Result<Self, StoreError> {
        let path: &Path = &settings.path;
        let lock = schema::lock(path)?;
        drop(schema::create(path)?);
        let mut connection = schema::connect(path, settings.page_cache)?;
        schema::migrate(&mut connection)?;
        if let Some(pages) = settings.most_pages {
            let quota = format!("PRAGMA max_page_count = {pages}");
            connection.query_row(&quota, [], |_| Ok(())).map_err(store_error)?;
        }
        let marks = tables::load_marks(&connection).map_err(store_error)?;
        let readers = (0..settings.readers.max(1)).map(|_| {
            let reader = schema::connect(path, settings.page_cache.div_ceil(4))?;
            reader.execute_batch("PRAGMA query_only = ON").map_err(store_error)?;
            Ok(reader)
        });
        let readers = Readers::new(readers.collect::<Result<_, StoreError>>()?);
        let cache = Arc::new(Cache::new(settings.record_cache));
        let high_water = Arc::new(AtomicI64::new(marks.high_water));
        let writer = Writer {
            connection,
            random: SystemRandom::new(),
            chain,
            marks,
            cache: Arc::clone(&cache),
            high_water: Arc::clone(&high_water),
            erase_after: settings.erase_after,
            erase_at: None,
        };
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || writer.run(&queue));
        let thread = thread.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            readers,
            cache,
            high_water,
            jobs: Some(jobs),
            writer: Some(thread),
            _lock: lock,
        })
    }

    /// Erases what was deleted from the write-ahead log now, instead of when it is due. Whether nothing is left of it.
    pub fn erase(&self) -> Wait<'static, bool> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Erase(reply));
        Box::pin(async move { answer.await.unwrap_or(false) })
    }

    /// A job that finds no writer drops its reply, which tells whoever waits.
    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }

    fn load_now(&self, key: Key) -> Result<Option<Record>, StoreError> {
        let ticket = match self.cache.get(key) {
            Ok(record) => return Ok(Some(record)),
            Err(ticket) => ticket,
        };
        let record = self.readers.load(key)?;
        if let Some(record) = &record {
            self.cache.keep(ticket, record);
        }
        Ok(record)
    }
}

/// Finishes what was accepted, erases the log and closes the file.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

impl Store for SqliteStore {
    fn load(&self, key: Key) -> Wait<'_, Result<Option<Record>, StoreError>> {
        ready(self.load_now(key))
    }

    fn counters(&self, key: Key) -> Wait<'_, Result<Counters, StoreError>> {
        ready(self.readers.counters(key))
    }

    fn claimed<'a>(&'a self, claim: &'a ClaimKey) -> Wait<'a, Result<Option<Key>, StoreError>> {
        ready(self.readers.claimed(claim))
    }

    fn guard(&self, guard: GuardKey) -> Wait<'_, Result<u64, StoreError>> {
        ready(self.readers.guard(guard))
    }

    fn find<'a>(&'a self, query: &'a IndexQuery) -> Wait<'a, Result<Vec<IndexHit>, StoreError>> {
        ready(self.readers.find(query))
    }

    fn scan(
        &self,
        domain: Domain,
        kind: Kind,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        ready(self.readers.scan((domain, kind), after, limit))
    }

    fn rows(&self, from: Key, limit: usize) -> Wait<'_, Result<Vec<Record>, StoreError>> {
        ready(self.readers.rows(from, limit))
    }

    fn counter_rows(&self, from: (Key, u32), limit: usize) -> Wait<'_, Result<Vec<Counter>, StoreError>> {
        ready(self.readers.counter_rows(from, limit))
    }

    fn commit(&self, change: ChangeSet) -> Wait<'_, Result<Receipt, CommitError>> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Commit(change, reply));
        Box::pin(async move {
            let gone = |_| Err(CommitError::Unavailable("the writer has stopped".to_owned()));
            answer.await.unwrap_or_else(gone)
        })
    }

    fn high_water(&self) -> i64 {
        self.high_water.load(Ordering::Acquire)
    }

    fn trail(&self, query: TrailQuery) -> Wait<'_, Result<Vec<TrailRecord>, StoreError>> {
        ready(self.readers.trail(query))
    }

    fn trail_heads(&self) -> Wait<'_, Result<Vec<Head>, StoreError>> {
        ready(self.readers.trail_heads())
    }
}
