use super::access::{AccessTrail, MemoryTrail, TrailError};
use super::chain::{ChainStart, RatchetChain};
use super::draft::AuditDraft;
use super::entry::TrailKind;
use super::position::StreamId;
use super::segment::{SegmentSettings, SegmentTrail, segments, split};
use super::verify::{Fault, Verifier};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const STREAM: StreamId = StreamId([4; 16]);

fn start() -> ChainStart {
    ChainStart::new_stream(STREAM, [0; 32], Zeroizing::new([5; 32]))
}

fn chain() -> Box<RatchetChain> {
    Box::new(RatchetChain::new(TrailKind::Access, start()))
}

fn draft(n: u32) -> AuditDraft {
    AuditDraft {
        operation: n,
        at_ms: i64::from(n % 3),
        ..AuditDraft::default()
    }
}

fn read(folder: &Path) -> Vec<u8> {
    let files = segments(folder, STREAM).unwrap();
    files
        .into_iter()
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn verify(bytes: &[u8]) -> (u64, Option<Fault>) {
    let mut verifier = Verifier::new(TrailKind::Access, start());
    for record in split(bytes).0 {
        if let Err(bad) = verifier.check(record) {
            return (bad.sequence, Some(bad.fault));
        }
    }
    (verifier.finish(None).unwrap().head.position.sequence, None)
}

#[tokio::test]
async fn records_are_in_the_file_before_the_answer_and_verify_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = SegmentSettings::new(folder.path());
    settings.longest = 2_000;
    let trail = Arc::new(SegmentTrail::open(settings, chain()).unwrap());
    for n in 1..=40 {
        let position = trail.append(draft(n)).await.unwrap();
        assert_eq!(position.sequence, u64::from(n));
        assert_eq!(verify(&read(folder.path())), (u64::from(n), None));
    }
    assert!(segments(folder.path(), STREAM).unwrap().len() > 3);
    drop(trail);
    let mut bytes = read(folder.path());
    bytes.truncate(bytes.len() - 5);
    assert!(split(&bytes).1 > 0, "a torn record at the end is told apart");
    assert_eq!(verify(&bytes), (39, None));
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    assert!(verify(&bytes).1.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_trail_answers_after_the_fsync_and_groups_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = SegmentSettings::new(folder.path());
    settings.durable = true;
    let trail = Arc::new(SegmentTrail::open(settings, chain()).unwrap());
    let begun = Instant::now();
    let tasks = (0..50).map(|n| {
        let trail = Arc::clone(&trail);
        tokio::spawn(async move { trail.append(draft(n)).await.unwrap() })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "one fsync serves many");
    assert_eq!(verify(&read(folder.path())), (50, None));
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_and_leaves_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let trail = SegmentTrail::open(SegmentSettings::new(folder.path().join("trail")), chain()).unwrap();
    std::fs::remove_dir(folder.path().join("trail")).unwrap();
    assert!(matches!(trail.append(draft(1)).await, Err(TrailError::Unavailable(_))));
    std::fs::create_dir(folder.path().join("trail")).unwrap();
    assert_eq!(trail.append(draft(2)).await.unwrap().sequence, 1);
    assert_eq!(verify(&read(&folder.path().join("trail"))), (1, None));
}

#[tokio::test]
async fn the_memory_trail_is_the_same_chain() {
    let trail = MemoryTrail::new(chain());
    trail.append(draft(1)).await.unwrap();
    trail.refuse_next(TrailError::Full);
    assert_eq!(trail.append(draft(2)).await, Err(TrailError::Full));
    trail.append(draft(3)).await.unwrap();
    assert_eq!(verify(&trail.records().concat()), (2, None));
}
