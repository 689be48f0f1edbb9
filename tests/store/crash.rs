//! `kill -9` in the middle of a load: every change that was acknowledged is there afterwards, and the trail verifies.

use crate::engines::{STREAM, chain, chain_start, creation, key};
use claviger::audit::{TrailKind, Verifier};
use claviger::store::{SqliteSettings, SqliteStore, Store, TrailQuery};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const FOLDER: &str = "CLAVIGER_CRASH_FOLDER";
const ROUNDS: u64 = 8;
const COMMITTERS: u64 = 8;

/// Runs in the child: commits on several tasks and prints each number once its commit is acknowledged, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the crash test"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let settings = SqliteSettings::new(Path::new(&folder).join("store.db"));
    let store = Arc::new(SqliteStore::open(&settings, chain()).unwrap());
    let tasks = (0..COMMITTERS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0.. {
                let number = n * COMMITTERS + task;
                store.commit(creation(number, &number.to_be_bytes())).await.unwrap();
                writeln!(std::io::stdout().lock(), "\nacknowledged {number}").unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn no_acknowledged_change_is_lost() {
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let acknowledged = load_and_kill(folder.path(), Duration::from_millis(120 + 70 * round));
        assert!(!acknowledged.is_empty());
        let store = SqliteStore::open(&SqliteSettings::new(folder.path().join("store.db")), chain()).unwrap();
        for number in &acknowledged {
            let record = store.load(key(*number)).await.unwrap();
            assert_eq!(
                record.unwrap().body.to_vec(),
                number.to_be_bytes(),
                "{number} was acknowledged"
            );
        }
        let records = store
            .trail(TrailQuery {
                stream: STREAM,
                domain: None,
                after: 0,
                limit: usize::MAX,
            })
            .await
            .unwrap();
        assert!(records.len() >= acknowledged.len());
        let mut verifier = Verifier::new(TrailKind::Change, chain_start());
        records
            .iter()
            .for_each(|record| drop(verifier.check(&record.bytes).unwrap()));
    }
}

fn load_and_kill(folder: &Path, after: Duration) -> Vec<u64> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
            .collect::<Vec<u64>>()
    });
    // Counted from the moment when it works, so that every round is killed under load.
    while !folder.join("store.db-wal").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}
