//! The file: who may open it, what happens when there is no room, and that what was deleted is gone from it.

use crate::engines::{chain, creation, draft, key};
use claviger::store::{ChangeSet, CommitError, SqliteSettings, SqliteStore, Store, StoreError, Work};
use std::path::Path;
use std::sync::Arc;
use tempfile::{TempDir, tempdir};

fn settings(folder: &TempDir) -> SqliteSettings {
    SqliteSettings::new(folder.path().join("store.db"))
}

fn open(settings: &SqliteSettings) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(settings, chain()).unwrap())
}

fn bare(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let folder = tempdir().unwrap();
    let store = open(&settings(&folder));
    let mut change = creation(1, b"kept");
    change.time_ms = 77;
    let first = store.commit(change).await.unwrap();
    drop(store);
    let other = claviger::audit::ChainStart::new_stream(
        claviger::audit::StreamId([2; 16]),
        [0; 32],
        zeroize::Zeroizing::new([0; 32]),
    );
    let other = Box::new(claviger::audit::RatchetChain::new(
        claviger::audit::TrailKind::Change,
        other,
    ));
    let store = SqliteStore::open(&settings(&folder), other).unwrap();
    assert_eq!(store.load(key(1)).await.unwrap().unwrap().body.to_vec(), b"kept");
    assert_eq!(store.high_water(), 77);
    let second = store.commit(creation(2, b"next")).await.unwrap();
    assert_eq!(second.written[0].creation, first.written[0].creation + 1);
    assert_eq!(
        store.trail_heads().await.unwrap().len(),
        2,
        "each process writes its own stream"
    );
}

#[tokio::test]
async fn a_second_server_and_foreign_programs_are_locked_out() {
    let folder = tempdir().unwrap();
    let store = open(&settings(&folder));
    store.commit(creation(1, b"x")).await.unwrap();
    assert_eq!(
        SqliteStore::open(&settings(&folder), chain()).err(),
        Some(StoreError::Held)
    );
    // Locks within one process do not show what another one would meet, so ask a program.
    let script = "import sqlite3,sys\ntry:\n sqlite3.connect(sys.argv[1], timeout=0).execute('select count(*) from record').fetchall()\n\
                  except sqlite3.OperationalError as e:\n sys.exit(7)";
    let mut python = std::process::Command::new("python3");
    match python.args(["-c", script]).arg(settings(&folder).path).status() {
        Ok(status) => assert_eq!(status.code(), Some(7), "a foreign program read the database"),
        Err(error) => eprintln!("SKIPPED: no python3 to play the foreign program: {error}"),
    }
    drop(store);
    assert!(SqliteStore::open(&settings(&folder), chain()).is_ok());
}

#[test]
fn newer_and_foreign_files_are_refused() {
    let folder = tempdir().unwrap();
    let newer = settings(&folder);
    drop(open(&newer));
    bare(&newer.path).execute_batch("PRAGMA user_version = 4711").unwrap();
    let refused = SqliteStore::open(&newer, chain()).err();
    assert!(matches!(refused, Some(StoreError::Newer { found: 4711, .. })));
    let foreign = SqliteSettings::new(folder.path().join("foreign.db"));
    bare(&foreign.path).execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(
        SqliteStore::open(&foreign, chain()).err(),
        Some(StoreError::Damaged(_))
    ));
    let garbage = SqliteSettings::new(folder.path().join("garbage.db"));
    std::fs::write(&garbage.path, vec![0x55; 8192]).unwrap();
    assert!(matches!(
        SqliteStore::open(&garbage, chain()).err(),
        Some(StoreError::Damaged(_))
    ));
}

#[tokio::test]
async fn a_full_disk_refuses_whole_changes_and_service_resumes() {
    let folder = tempdir().unwrap();
    let mut small = settings(&folder);
    small.most_pages = Some(60);
    let store = open(&small);
    store.commit(creation(0, b"small")).await.unwrap();
    // One that cannot fit does not take its neighbours along.
    let large = vec![0x5A; 1 << 20];
    let (before, too_large, after) = tokio::join!(
        store.commit(creation(1, b"small")),
        store.commit(creation(2, &large)),
        store.commit(creation(3, b"small"))
    );
    assert!(before.is_ok() && after.is_ok());
    assert_eq!(too_large.err(), Some(CommitError::Full));
    assert!(store.load(key(2)).await.unwrap().is_none());
    let mut kept = 0;
    for n in 10.. {
        match store.commit(creation(n, &vec![0; 3000])).await {
            Ok(_) => kept += 1,
            Err(error) => {
                assert_eq!(error, CommitError::Full);
                assert!(store.load(key(n)).await.unwrap().is_none());
                break;
            }
        }
    }
    assert!(kept > 10);
    let sequence = store.trail_heads().await.unwrap()[0].position.sequence;
    assert_eq!(sequence, 3 + kept, "a refused change leaves no record");
    assert!(store.load(key(0)).await.unwrap().is_some(), "reading goes on");
    let mut work = Work::new(store.clone());
    for n in 10..20 {
        work.delete(key(n)).await.unwrap();
    }
    store.commit(work.into_change_set(1)).await.unwrap();
    store.commit(creation(999, b"there is room again")).await.unwrap();
    drop(store);
    let check: String = bare(&small.path)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let store = open(&settings(&folder));
    let record = ChangeSet {
        audit: vec![draft(1)],
        ..ChangeSet::default()
    };
    store.commit(record).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    assert!(
        !folder.path().join("store.db-shm").exists(),
        "the log's index is in memory"
    );
}
