//! The contract of custody, run on every sealer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test file through and through

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::crypto::OsRandomness;
use claviger::custody::{
    Custody, CustodyError, KekId, KekProvider, KekRecord, KekState, NewKek, ProfileId, RecordKeyRecord, SealContext,
    Sealed, Slab, SoftwareKeks,
};
use claviger::store::Domain;
use kmip_ttlv::Secret;
use support::Token;

mod support;

const TENANT: Domain = Domain([1; 16]);
const OTHER: Domain = Domain([2; 16]);
const PROFILE: ProfileId = ProfileId([3; 16]);
/// How long a worker may take where one is to hang: the others, on a busy machine, must not.
const DEADLINE: Duration = Duration::from_secs(3);
/// How long a test waits for what must come.
const LONGEST: Duration = Duration::from_secs(180);

fn context(byte: u8) -> SealContext {
    SealContext {
        internal_id: [byte; 16],
        generation: 1,
        object_type: 2,
    }
}

fn new_kek(domain: Domain, byte: u8, generation: u32) -> NewKek {
    NewKek {
        id: KekId([byte; 16]),
        domain,
        generation,
        profile: PROFILE,
        cka_id: vec![byte; 16],
        created_ms: 1_700_000_000_000,
    }
}

/// A room with one profile and two tenants of one KEK each.
struct Room {
    custody: Custody,
    keks: Vec<KekRecord>,
    record_keys: Vec<RecordKeyRecord>,
}

async fn room(slab: &Slab, provider: Arc<dyn KekProvider>) -> Room {
    let custody = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    custody.add_provider(PROFILE, provider);
    let mut keks = Vec::new();
    let mut record_keys = Vec::new();
    for (domain, byte) in [(TENANT, 1), (OTHER, 2)] {
        let mut kek = custody.create_kek(&new_kek(domain, byte, 1), None).await.unwrap();
        kek.state = KekState::Active;
        let kek = KekRecord::decode(&kek.encode().unwrap()).unwrap();
        let record_key = custody
            .create_record_key(domain, std::slice::from_ref(&kek), 5)
            .await
            .unwrap();
        let record_key = RecordKeyRecord::decode(&record_key.encode().unwrap()).unwrap();
        custody
            .open_domain(domain, std::slice::from_ref(&kek), &record_key)
            .await
            .unwrap();
        keks.push(kek);
        record_keys.push(record_key);
    }
    Room {
        custody,
        keks,
        record_keys,
    }
}

async fn refused(custody: &Custody, domain: Domain, context: SealContext, sealed: &Sealed) {
    let outcome = custody.open(domain, context, sealed).await;
    assert!(
        matches!(outcome, Err(CustodyError::Refused | CustodyError::UnknownKek)),
        "{:?}",
        outcome.err()
    );
}

async fn objects_open_only_in_their_place(room: &Room) {
    let custody = &room.custody;
    let material = Secret::copy_from(b"the material of an object");
    let sealed = custody.seal(TENANT, context(1), &material).await.unwrap();
    assert!(custody.open(TENANT, context(1), &sealed).await.unwrap() == material);

    refused(
        custody,
        TENANT,
        SealContext {
            internal_id: [9; 16],
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(
        custody,
        TENANT,
        SealContext {
            generation: 2,
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(
        custody,
        TENANT,
        SealContext {
            object_type: 3,
            ..context(1)
        },
        &sealed,
    )
    .await;
    refused(custody, OTHER, context(1), &sealed).await;
    let moved = Sealed {
        kek: room.keks[1].id,
        ..sealed.clone()
    };
    refused(custody, OTHER, context(1), &moved).await;
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            kek_generation: 2,
            ..sealed.clone()
        },
    )
    .await;

    // Parts of another object, and edited bytes.
    let other = custody.seal(TENANT, context(2), &material).await.unwrap();
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            blob: other.blob.clone(),
            ..sealed.clone()
        },
    )
    .await;
    refused(
        custody,
        TENANT,
        context(1),
        &Sealed {
            wrapped_dek: other.wrapped_dek.clone(),
            ..sealed.clone()
        },
    )
    .await;
    refused(custody, TENANT, context(1), &other).await;
    for position in 0..sealed.wrapped_dek.len() {
        let mut edited = sealed.clone();
        edited.wrapped_dek[position] ^= 0x40;
        refused(custody, TENANT, context(1), &edited).await;
        edited.wrapped_dek.truncate(position);
        refused(custody, TENANT, context(1), &edited).await;
    }
    for position in 0..sealed.blob.len() {
        let mut edited = sealed.clone();
        edited.blob[position] ^= 0x40;
        refused(custody, TENANT, context(1), &edited).await;
    }
    let nobody = custody.seal(Domain([7; 16]), context(1), &material).await;
    assert_eq!(nobody.err(), Some(CustodyError::UnknownDomain));
    // Data faults do not disturb the sealer.
    assert!(custody.open(TENANT, context(1), &sealed).await.unwrap() == material);
}

fn record_macs_are_of_their_domain(room: &Room) {
    let custody = &room.custody;
    let mac = custody.record_mac(TENANT, &[b"record"]).unwrap();
    assert_eq!(custody.verify_record_mac(TENANT, &[b"record"], &mac), Ok(()));
    assert_eq!(
        custody.verify_record_mac(TENANT, &[b"recorD"], &mac),
        Err(CustodyError::Refused)
    );
    assert_eq!(
        custody.verify_record_mac(OTHER, &[b"record"], &mac),
        Err(CustodyError::Refused)
    );
    assert_eq!(
        custody.verify_record_mac(TENANT, &[b"record"], &mac[..31]),
        Err(CustodyError::Refused)
    );
    let hash = custody.keyed_hash(TENANT, "a", b"record").unwrap();
    assert_ne!(hash, mac);
    assert_ne!(hash, custody.keyed_hash(TENANT, "b", b"record").unwrap());
    assert_ne!(hash, custody.keyed_hash(OTHER, "a", b"record").unwrap());
}

async fn a_second_kek_takes_over(room: &Room) {
    let custody = &room.custody;
    let material = Secret::copy_from(b"older than the second KEK");
    let old = custody.seal(TENANT, context(3), &material).await.unwrap();
    let mac = custody.record_mac(TENANT, &[b"record"]).unwrap();

    let new = new_kek(TENANT, 8, 2);
    let mut second = custody.create_kek(&new, None).await.unwrap();
    assert_eq!(custody.create_kek(&new, None).await.err(), Some(CustodyError::Exists));
    assert_eq!(custody.adopt_kek(&new).await.unwrap().placement, second.placement);
    let missing = custody.adopt_kek(&new_kek(TENANT, 99, 3)).await;
    assert_eq!(missing.err(), Some(CustodyError::UnknownKek));

    let mut first = room.keks[0].clone();
    first.state = KekState::Inactive;
    second.state = KekState::Active;
    let keks = [first.clone(), second.clone()];
    let record_key = custody.rewrap_record_key(&room.record_keys[0], &keks).await.unwrap();
    assert_eq!(record_key.wraps.len(), 2);
    // What lies under the first stays as it is: no KEK is asked for what it did before.
    assert!(record_key.wraps[0] == room.record_keys[0].wraps[0]);
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();

    assert!(custody.open(TENANT, context(3), &old).await.unwrap() == material);
    let fresh = custody.seal(TENANT, context(4), &material).await.unwrap();
    assert_eq!((fresh.kek, fresh.kek_generation), (second.id, 2));
    let moved = custody.rewrap(TENANT, context(3), &old).await.unwrap();
    assert_eq!((moved.kek, &moved.blob), (second.id, &old.blob));
    assert!(custody.open(TENANT, context(3), &moved).await.unwrap() == material);
    assert_eq!(custody.verify_record_mac(TENANT, &[b"record"], &mac), Ok(()));

    // The first one goes.
    assert_eq!(custody.destroy_kek(&first, None).await, Err(CustodyError::Limit));
    first.state = KekState::Deleting;
    let keks = [first.clone(), second];
    let record_key = custody.rewrap_record_key(&record_key, &keks).await.unwrap();
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    assert_eq!(
        custody.open(TENANT, context(3), &old).await.err(),
        Some(CustodyError::UnknownKek)
    );
    custody.destroy_kek(&first, None).await.unwrap();
    custody.destroy_kek(&first, None).await.unwrap();
    assert!(custody.open(TENANT, context(3), &moved).await.unwrap() == material);

    // As after a restart, with what the store has.
    custody.close_domain(TENANT);
    assert_eq!(
        custody.record_mac(TENANT, &[b"record"]),
        Err(CustodyError::UnknownDomain)
    );
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    assert_eq!(custody.verify_record_mac(TENANT, &[b"record"], &mac), Ok(()));
    let two_active = [
        KekRecord {
            state: KekState::Active,
            ..keks[0].clone()
        },
        keks[1].clone(),
    ];
    assert_eq!(
        custody.open_domain(TENANT, &two_active, &record_key).await,
        Err(CustodyError::Record)
    );
}

#[tokio::test]
async fn software() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let keks = folder.path().join("keks");
    let provider = Arc::new(SoftwareKeks::new(&keks, slab.clone(), Arc::new(OsRandomness::new())));
    let room = room(&slab, provider).await;
    objects_open_only_in_their_place(&room).await;
    record_macs_are_of_their_domain(&room);
    a_second_kek_takes_over(&room).await;
}

#[tokio::test]
async fn software_away_at_start_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let keks = folder.path().join("keks");
    let provider = || Arc::new(SoftwareKeks::new(&keks, slab.clone(), Arc::new(OsRandomness::new())));
    let before = room(&slab, provider()).await;
    let sealed = before
        .custody
        .seal(TENANT, context(1), &Secret::copy_from(b"x"))
        .await
        .unwrap();
    let away = folder.path().join("away");
    std::fs::rename(&keks, &away).unwrap();

    let custody = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    custody.add_provider(PROFILE, provider());
    custody
        .open_domain(TENANT, &before.keks[..1], &before.record_keys[0])
        .await
        .unwrap();
    assert_eq!(custody.ready(TENANT).await, Err(CustodyError::Unavailable));
    assert_eq!(custody.record_mac(TENANT, &[b"record"]), Err(CustodyError::Unavailable));
    assert_eq!(
        custody.open(TENANT, context(1), &sealed).await.err(),
        Some(CustodyError::Unavailable)
    );
    std::fs::rename(&away, &keks).unwrap();
    assert_eq!(custody.ready(TENANT).await, Ok(()));
    assert!(custody.open(TENANT, context(1), &sealed).await.is_ok());
    let status = custody.status().await;
    assert!(status[0].record_key_open && status[0].keks[0].health.is_ok());
}

// ---- resident KEKs, in SoftHSM ----

fn signal(process: u32, name: &str) {
    let done = std::process::Command::new("kill")
        .args([name, &process.to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}

/// Stops a process, and comes back when it has stopped: the signal alone takes hold a little later, and a worker that is just being
/// asked still answers.
fn stop(process: u32) {
    signal(process, "-STOP");
    let stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The state follows the name, which is in brackets.
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    for _ in 0..1_000 {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        if tasks.map(Result::unwrap).all(stopped) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("process {process} does not stop");
}

/// Tries to open until it works, as clients do; it must in the end, and fail as an outage until then.
async fn recovers(room: &Room, sealed: &Sealed) -> Duration {
    let start = Instant::now();
    loop {
        match room.custody.open(TENANT, context(1), sealed).await {
            Ok(_) => return start.elapsed(),
            Err(error) => assert_eq!(error, CustodyError::Unavailable),
        }
        assert!(start.elapsed() < LONGEST, "no recovery");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn sealed_one(room: &Room) -> Sealed {
    room.custody
        .seal(TENANT, context(1), &Secret::copy_from(b"material"))
        .await
        .unwrap()
        .clone()
}

#[tokio::test]
async fn resident() {
    let Some(token) = Token::prepare().await else { return };
    let room = room(&token.slab, token.provider()).await;
    objects_open_only_in_their_place(&room).await;
    record_macs_are_of_their_domain(&room);
    a_second_kek_takes_over(&room).await;
}

#[tokio::test]
async fn resident_token_away_and_back() {
    let Some(token) = Token::prepare().await else { return };
    let room = room(&token.slab, token.provider()).await;
    let sealed = sealed_one(&room).await;
    for _ in 0..2 {
        token.take_away();
        for _ in 0..20 {
            let outcome = room.custody.open(TENANT, context(1), &sealed).await;
            assert_eq!(outcome.err(), Some(CustodyError::Unavailable));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            room.custody
                .status()
                .await
                .iter()
                .all(|domain| domain.keks[0].health.is_err())
        );
        // What is open stays usable.
        assert!(room.custody.record_mac(TENANT, &[b"record"]).is_ok());
        // An outage is no absence: nothing is made, and nothing counts as destroyed.
        let adopted = room.custody.adopt_kek(&new_kek(TENANT, 1, 1)).await;
        assert_eq!(adopted.err(), Some(CustodyError::Unavailable));
        let deleting = KekRecord {
            state: KekState::Deleting,
            ..room.keks[0].clone()
        };
        assert_eq!(
            room.custody.destroy_kek(&deleting, None).await,
            Err(CustodyError::Unavailable)
        );
        token.bring_back();
        let took = recovers(&room, &sealed).await;
        eprintln!("token back: served again after {took:?}");
    }
}

#[tokio::test]
async fn resident_token_away_at_start() {
    let Some(token) = Token::prepare().await else { return };
    let before = room(&token.slab, token.provider()).await;
    let sealed = sealed_one(&before).await;
    token.take_away();
    let custody = Custody::new(token.slab.clone(), Arc::new(OsRandomness::new()));
    custody.add_provider(PROFILE, token.provider());
    custody
        .open_domain(TENANT, &before.keks[..1], &before.record_keys[0])
        .await
        .unwrap();
    assert_eq!(custody.ready(TENANT).await, Err(CustodyError::Unavailable));
    token.bring_back();
    let room = Room { custody, ..before };
    recovers(&room, &sealed).await;
    assert_eq!(room.custody.ready(TENANT).await, Ok(()));
}

#[tokio::test]
async fn resident_worker_killed() {
    let Some(token) = Token::prepare().await else { return };
    let provider = token.provider();
    let room = room(&token.slab, provider.clone()).await;
    let sealed = sealed_one(&room).await;
    for _ in 0..5 {
        signal(provider.worker_process().unwrap(), "-KILL");
        recovers(&room, &sealed).await;
    }
}

#[tokio::test]
async fn resident_worker_hangs() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.settings.deadline = DEADLINE;
    let provider = token.provider();
    let room = room(&token.slab, provider.clone()).await;
    let sealed = sealed_one(&room).await;
    let hung = provider.worker_process().unwrap();
    stop(hung);
    // It comes back, and says that nobody answered.
    let outcome = room.custody.open(TENANT, context(1), &sealed).await;
    assert_eq!(outcome.err(), Some(CustodyError::Unavailable));
    recovers(&room, &sealed).await;
    assert_ne!(provider.worker_process(), Some(hung));
}

#[tokio::test]
async fn resident_many_wait_for_one_deadline() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    token.settings.deadline = DEADLINE;
    let provider = token.provider();
    let room = Arc::new(room(&token.slab, provider.clone()).await);
    let sealed = sealed_one(&room).await;
    stop(provider.worker_process().unwrap());
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let (room, sealed) = (Arc::clone(&room), sealed.clone());
            tokio::spawn(async move { room.custody.open(TENANT, context(1), &sealed).await.err() })
        })
        .collect();
    let mut refused = 0;
    for outcome in asked {
        // Whoever comes so late that a new worker is there already is served.
        match outcome.await.unwrap() {
            Some(CustodyError::Unavailable) => refused += 1,
            outcome => assert_eq!(outcome, None),
        }
    }
    // One after the other, the first would be refused and all others find a new worker.
    assert!(refused >= 16, "{refused}");
    recovers(&room, &sealed).await;
}

/// A worker that never says a word: whoever asks gets an answer within its deadlines.
#[tokio::test]
async fn resident_worker_hangs_at_start() {
    let Some(mut token) = Token::prepare().await else {
        return;
    };
    // Not beside the token: from a disk in memory nothing may be started.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("worker");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    token.settings.command.program = script;
    token.settings.deadline = Duration::from_millis(300);
    let provider = token.provider();
    let asked: Vec<_> = (0..32)
        .map(|_| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.health().await })
        })
        .collect();
    for outcome in asked {
        assert_eq!(outcome.await.unwrap(), Err(CustodyError::Unavailable));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resident_many_at_once_through_a_kill() {
    let Some(token) = Token::prepare().await else { return };
    let provider = token.provider();
    let room = Arc::new(room(&token.slab, provider.clone()).await);
    let known = sealed_one(&room).await;
    let mut tasks = Vec::new();
    for number in 0..64_u8 {
        let (room, known) = (Arc::clone(&room), known.clone());
        tasks.push(tokio::spawn(async move {
            let mut failed = 0;
            for round in 0..50_u8 {
                let material = Secret::copy_from(&[number, round, 1, 2, 3]);
                let outcome = async {
                    let sealed = room.custody.seal(TENANT, context(number), &material).await?;
                    room.custody.open(TENANT, context(number), &sealed).await
                };
                match outcome.await {
                    Ok(opened) => assert!(opened == material),
                    Err(error) => {
                        assert_eq!(error, CustodyError::Unavailable);
                        failed += 1;
                        // Whoever is refused waits until it is there again: how long that takes is the machine's.
                        recovers(&room, &known).await;
                    }
                }
            }
            failed
        }));
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    if let Some(process) = provider.worker_process() {
        signal(process, "-KILL");
    }
    let mut failed = 0;
    for task in tasks {
        failed += task.await.unwrap();
    }
    eprintln!("{failed} of 3200 failed when the worker was killed");
    assert!(failed < 320);
}

#[tokio::test]
async fn resident_wrong_pin_is_sent_once() {
    let Some(token) = Token::prepare().await else { return };
    drop(room(&token.slab, token.provider()).await);
    let provider = token.provider_with(b"9999");
    assert_eq!(provider.health().await, Err(CustodyError::Credential));
    let process = provider.worker_process();
    for _ in 0..5 {
        assert_eq!(provider.health().await, Err(CustodyError::Credential));
    }
    assert_eq!(
        (process, provider.worker_process()),
        (None, None),
        "a worker was started for a refused PIN"
    );
}

#[tokio::test]
async fn resident_a_lost_kek_disturbs_no_other() {
    let Some(token) = Token::prepare().await else { return };
    let room = room(&token.slab, token.provider()).await;
    let sealed = sealed_one(&room).await;
    let others = room
        .custody
        .seal(OTHER, context(1), &Secret::copy_from(b"other"))
        .await
        .unwrap();
    // Somebody else destroys the tenant's KEK in the token.
    let lost = KekRecord {
        state: KekState::Deleting,
        ..room.keks[0].clone()
    };
    let elsewhere = Custody::new(token.slab.clone(), Arc::new(OsRandomness::new()));
    elsewhere.add_provider(PROFILE, token.provider());
    elsewhere.destroy_kek(&lost, None).await.unwrap();
    for _ in 0..20 {
        let outcome = room.custody.open(TENANT, context(1), &sealed).await;
        assert_eq!(outcome.err(), Some(CustodyError::Unavailable));
        assert!(room.custody.open(OTHER, context(1), &others).await.is_ok());
    }
}
