//! What was overwritten or deleted cannot be read from the files: its erasure key is nowhere in them, however much the pages
//! were split and merged meanwhile.

use crate::engines::{chain, creation, key, named};
use claviger::store::{SqliteSettings, SqliteStore, Store, Work};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::tempdir;

type ErasureKey = [u8; 32];

/// The keys in a copy of the database, WAL included, by creation number.
fn keys_in(folder: &Path) -> HashMap<i64, ErasureKey> {
    let copy = tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let connection = rusqlite::Connection::open(copy.path().join("store.db")).unwrap();
    let mut select = connection.prepare("SELECT creation, key FROM erasure").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).filter(|(_, key)| *key != [0; 32]).collect()
}

/// How many of these keys the files hold.
fn found(folder: &Path, keys: &HashSet<ErasureKey>) -> usize {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let mut found = HashSet::new();
    for bytes in files {
        found.extend(bytes.windows(32).filter_map(|window| keys.get(window)).copied());
    }
    found.len()
}

fn needles(folder: &Path, needle: &[u8]) -> usize {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files
        .map(|bytes| bytes.windows(needle.len()).filter(|window| *window == needle).count())
        .sum()
}

/// Numbers that look random and are the same in every run.
fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test]
async fn what_was_deleted_leaves_file_and_log() {
    const NEEDLE: &[u8] = b"never in clear in the file";
    let folder = tempdir().unwrap();
    let settings = SqliteSettings::new(folder.path().join("store.db"));
    let store = Arc::new(SqliteStore::open(&settings, chain()).unwrap());
    let mut random = 88_172_645_463_325_252;
    let mut every_key = HashSet::new();
    for _ in 0..40 {
        let mut work = Work::new(store.clone());
        for _ in 0..100 {
            let n = xorshift(&mut random) % 600;
            work.load(key(n)).await.unwrap();
            if xorshift(&mut random).is_multiple_of(4) {
                work.delete(key(n)).await.unwrap();
            } else {
                let mut body = NEEDLE.to_vec();
                body.resize(usize::try_from(xorshift(&mut random) % 3000).unwrap(), 0x2E);
                work.put(key(n), body, vec![named(&format!("object {n}"))]);
            }
        }
        store.commit(work.into_change_set(1)).await.unwrap();
        every_key.extend(keys_in(folder.path()).into_values());
    }
    assert!(store.erase().await);
    let live: HashSet<ErasureKey> = keys_in(folder.path()).into_values().collect();
    let gone: HashSet<ErasureKey> = every_key.difference(&live).copied().collect();
    assert!(live.len() > 200 && gone.len() > 1000, "{} {}", live.len(), gone.len());
    assert_eq!(found(folder.path(), &live), live.len(), "the canary is found");
    assert_eq!(found(folder.path(), &gone), 0);
    assert_eq!(needles(folder.path(), NEEDLE), 0);
}

#[tokio::test]
async fn the_log_is_erased_in_time_without_being_asked() {
    let folder = tempdir().unwrap();
    let mut settings = SqliteSettings::new(folder.path().join("store.db"));
    settings.erase_after = Duration::from_millis(300);
    let store = Arc::new(SqliteStore::open(&settings, chain()).unwrap());
    store.commit(creation(1, b"x")).await.unwrap();
    let before: HashSet<ErasureKey> = keys_in(folder.path()).into_values().collect();
    let mut work = Work::new(store.clone());
    work.load(key(1)).await.unwrap();
    work.put(key(1), b"y".to_vec(), vec![]);
    store.commit(work.into_change_set(1)).await.unwrap();
    assert_eq!(found(folder.path(), &before), 1, "the canary is found");
    let log = || std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    let begun = Instant::now();
    while found(folder.path(), &before) > 0 || log() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it was never erased");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
