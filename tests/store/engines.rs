//! The engines under test, and short words for what the tests do with them.

use claviger::audit::{AuditDraft, ChainStart, RatchetChain, StreamId, TrailKind};
use claviger::store::{
    ChangeSet, ClaimKey, CommitError, Content, Domain, GuardKey, IndexRow, IndexValue, Key, Kind, MemoryStore, Receipt,
    SqliteSettings, SqliteStore, Store, Work, Write,
};
use std::sync::Arc;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// An engine, with its folder.
pub struct Opened {
    pub store: Arc<dyn Store>,
    _folder: Option<TempDir>,
}

pub const STREAM: StreamId = StreamId([0xA1; 16]);

pub fn chain_start() -> ChainStart {
    ChainStart::new_stream(STREAM, [0; 32], Zeroizing::new([7; 32]))
}

pub fn chain() -> Box<RatchetChain> {
    Box::new(RatchetChain::new(TrailKind::Change, chain_start()))
}

pub fn memory() -> Opened {
    Opened {
        store: Arc::new(MemoryStore::new(chain())),
        _folder: None,
    }
}

pub fn sqlite() -> Opened {
    sqlite_with(|_| {})
}

/// Without a record cache, so that the reference and the engine's own reads meet.
pub fn sqlite_uncached() -> Opened {
    sqlite_with(|settings| settings.record_cache = 0)
}

fn sqlite_with(change: impl FnOnce(&mut SqliteSettings)) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = SqliteSettings::new(folder.path().join("store.db"));
    change(&mut settings);
    Opened {
        store: Arc::new(SqliteStore::open(&settings, chain()).unwrap()),
        _folder: Some(folder),
    }
}

/// Runs each test on each engine.
macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() { super::$test(crate::engines::memory()).await; })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() { super::$test(crate::engines::sqlite()).await; })*
        }
        mod sqlite_uncached {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() { super::$test(crate::engines::sqlite_uncached()).await; })*
        }
    };
}
pub(crate) use on_every_store;

pub const TENANT: Domain = Domain([0x11; 16]);
pub const OTHER: Domain = Domain([0x22; 16]);
pub const OBJECT: Kind = Kind(1);
pub const APPLICATION: [u8; 16] = [0xAA; 16];
pub const NAME: u32 = 0x42_0053;
pub const DATE: u32 = 0x42_0001;
pub const GUARD: GuardKey = GuardKey {
    domain: TENANT,
    set: 1,
    id: [0; 16],
};

pub fn key(n: u64) -> Key {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    Key {
        domain: TENANT,
        kind: OBJECT,
        id,
    }
}

pub fn claim(name: &str) -> ClaimKey {
    ClaimKey::new(TENANT, 1, name.as_bytes())
}

pub fn named(name: &str) -> IndexRow {
    row(NAME, IndexValue::bytes(name.as_bytes()))
}

pub fn dated(date: i64) -> IndexRow {
    row(DATE, IndexValue::number(date))
}

fn row(attribute: u32, value: IndexValue) -> IndexRow {
    IndexRow {
        application: APPLICATION,
        attribute,
        value,
    }
}

pub fn draft(n: u32) -> AuditDraft {
    AuditDraft {
        tenant: TENANT.0,
        operation: n,
        ..AuditDraft::default()
    }
}

impl Opened {
    pub fn work(&self) -> Work {
        Work::new(Arc::clone(&self.store))
    }

    pub async fn commit(&self, work: Work) -> Result<Receipt, CommitError> {
        self.store.commit(work.into_change_set(1)).await
    }

    /// A new record, as most tests begin.
    pub async fn create(&self, n: u64, rows: Vec<IndexRow>) -> Receipt {
        let mut work = self.work();
        work.put(key(n), vec![0], rows);
        self.commit(work).await.unwrap()
    }

    pub async fn body(&self, n: u64) -> Option<Vec<u8>> {
        let record = self.store.load(key(n)).await.unwrap();
        record.map(|record| record.body.to_vec())
    }
}

/// A ChangeSet that makes a record without having looked.
pub fn creation(n: u64, body: &[u8]) -> ChangeSet {
    ChangeSet {
        reads: vec![(key(n), None)],
        writes: vec![Write {
            key: key(n),
            content: Some(Content {
                body: Arc::from(body),
                rows: vec![named(&format!("object {n}"))],
            }),
        }],
        audit: vec![draft(1)],
        time_ms: 1,
        ..ChangeSet::default()
    }
}
