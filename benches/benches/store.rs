//! The store against its yardsticks, in one run: durable commits against the bare SQLite group-commit rate, and the cost of a
//! find by Name as the store grows.
//!
//! `cargo bench -p claviger-benches --bench store [-- OBJECTS …]`; prints one line per figure.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it is surprised"
)]

use claviger::audit::{AuditDraft, ChainStart, RatchetChain, StreamId, TrailKind};
use claviger::store::{
    ClaimKey, Domain, IndexQuery, IndexRange, IndexRow, IndexValue, Key, Kind, SqliteSettings, SqliteStore, Store, Work,
};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TENANT: Domain = Domain([1; 16]);
const OBJECT: Kind = Kind(1);
const APPLICATION: [u8; 16] = [2; 16];
const NAME: u32 = 0x42_0053;
/// A sealed AES key with its attributes.
const BODY: usize = 700;
/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(3);

fn open(folder: &Path, file: &str) -> Arc<SqliteStore> {
    let start = ChainStart::new_stream(StreamId([3; 16]), [0; 32], [4; 32].into());
    let chain = Box::new(RatchetChain::new(TrailKind::Change, start));
    Arc::new(SqliteStore::open(&SqliteSettings::new(folder.join(file)), chain).unwrap())
}

/// Scatters numbers over the key space, as random identifiers are.
fn key(n: u64) -> Key {
    let mixed = n
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let id = (u128::from(mixed) << 64) | u128::from(n);
    Key {
        domain: TENANT,
        kind: OBJECT,
        id: id.to_be_bytes(),
    }
}

fn row(attribute: u32, value: IndexValue) -> IndexRow {
    IndexRow {
        application: APPLICATION,
        attribute,
        value,
    }
}

fn name(n: u64) -> String {
    format!("object number {n}")
}

/// What a Create leaves: a record, its name, a date, a place in the list of all objects, a claim, an audit record.
async fn create(work: &mut Work, n: u64) {
    let name = name(n);
    let rows = vec![
        row(NAME, IndexValue::bytes(name.as_bytes())),
        row(0x42_0022, IndexValue::number(1_700_000_000)),
        row(0x42_0057, IndexValue::number(2)),
    ];
    work.put(key(n), vec![0x5A; BODY], rows);
    work.take(ClaimKey::new(TENANT, 1, name.as_bytes()), key(n))
        .await
        .unwrap();
    work.audit(AuditDraft {
        tenant: TENANT.0,
        source: "192.0.2.1:40000".to_owned(),
        operation: 1,
        ..AuditDraft::default()
    });
}

async fn creates_per_second(folder: &Path, committers: u64) -> f64 {
    let store = open(folder, &format!("create-{committers}.db"));
    let begun = Instant::now();
    let tasks = (0..committers).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < MEASURED {
                let mut work = Work::new(store.clone());
                create(&mut work, task << 32 | u64::from(done)).await;
                store.commit(work.into_change_set(1)).await.unwrap();
                done += 1;
            }
            done
        })
    });
    let mut done = 0;
    for task in tasks.collect::<Vec<_>>() {
        done += task.await.unwrap();
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// The yardstick: so many rows of the same size a transaction, into one table, nothing else.
fn bare_rows_per_second(folder: &Path, group: u32) -> f64 {
    let connection = rusqlite::Connection::open(folder.join(format!("bare-{group}.db"))).unwrap();
    let settings =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)";
    connection.execute_batch(settings).unwrap();
    let begun = Instant::now();
    let mut rows = 0_u32;
    while begun.elapsed() < MEASURED {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..group {
            let mut insert = connection.prepare_cached("INSERT INTO t (body) VALUES (?1)").unwrap();
            insert.execute([vec![0x5A; BODY]]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        rows += group;
    }
    f64::from(rows) / begun.elapsed().as_secs_f64()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn finds(folder: &Path, objects: u64) {
    let store = open(folder, &format!("find-{objects}.db"));
    let mut filled = 0;
    let begun = Instant::now();
    while filled < objects {
        let mut work = Work::new(store.clone());
        for n in filled..objects.min(filled + 500) {
            create(&mut work, n).await;
        }
        store.commit(work.into_change_set(1)).await.unwrap();
        filled += 500;
    }
    println!("fill {objects} objects: {:.1} s", begun.elapsed().as_secs_f64());
    let (mut found, mut loaded) = (Vec::new(), Vec::new());
    for i in 0..4000_u64 {
        let n = i.wrapping_mul(2_654_435_761) % objects;
        let query = IndexQuery {
            domain: TENANT,
            kind: OBJECT,
            application: APPLICATION,
            attribute: NAME,
            range: IndexRange::Equal(IndexValue::bytes(name(n).as_bytes())),
            before: None,
            limit: 100,
        };
        let begun = Instant::now();
        let hits = store.find(&query).await.unwrap();
        found.push(begun.elapsed());
        assert!(hits.iter().map(|hit| hit.key).eq([key(n)]));
        let begun = Instant::now();
        assert!(store.load(key(n)).await.unwrap().is_some());
        loaded.push(begun.elapsed());
    }
    println!(
        "find by Name among {objects}: median {:.1} µs",
        median(found).as_secs_f64() * 1e6
    );
    println!(
        "load by key among {objects}: median {:.1} µs",
        median(loaded).as_secs_f64() * 1e6
    );
    drop(store);
    let begun = Instant::now();
    drop(open(folder, &format!("find-{objects}.db")));
    println!(
        "open and close with {objects}: {:.1} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let sizes: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 100_000] } else { sizes };
    for group in [1, 8, 64] {
        let bare = bare_rows_per_second(folder.path(), group);
        let ours = creates_per_second(folder.path(), group.into()).await;
        println!(
            "{group} at a time: bare SQLite {bare:.0} rows/s, creates {ours:.0}/s, ratio {:.2}",
            ours / bare
        );
    }
    for objects in sizes {
        finds(folder.path(), objects).await;
    }
}
