//! Custody in one run: seal and open under a software KEK and under a KEK in SoftHSM, the worker's hop alone, and the
//! module's own rate through the crate `cryptoki`, which makes three calls where the worker makes two.
//!
//! `cargo bench -p claviger-benches --bench custody`; prints one line per figure. This program is its own HSM worker.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it is surprised"
)]

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::crypto::OsRandomness;
use claviger::custody::{
    Custody, KekId, KekProvider, KekState, NewKek, ProfileId, ResidentKeks, SealContext, Sealed, Slab, SoftwareKeks,
    token,
};
use claviger::store::Domain;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use kmip_ttlv::Secret;

const TENANT: Domain = Domain([1; 16]);
const PROFILE: ProfileId = ProfileId([2; 16]);
const CONTEXT: SealContext = SealContext {
    internal_id: [3; 16],
    generation: 1,
    object_type: 2,
};
const CKA_ID: [u8; 16] = [4; 16];
const PIN: &[u8] = b"bench 1234";
/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(2);

async fn room(slab: &Slab, provider: Arc<dyn KekProvider>) -> (Arc<Custody>, Sealed) {
    let custody = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    custody.add_provider(PROFILE, provider);
    let new = NewKek {
        id: KekId([5; 16]),
        domain: TENANT,
        generation: 1,
        profile: PROFILE,
        cka_id: CKA_ID.to_vec(),
        created_ms: 0,
    };
    let mut kek = custody.create_kek(&new, None).await.unwrap();
    kek.state = KekState::Active;
    let record_key = custody
        .create_record_key(TENANT, std::slice::from_ref(&kek), 0)
        .await
        .unwrap();
    custody.open_domain(TENANT, &[kek], &record_key).await.unwrap();
    let sealed = custody
        .seal(TENANT, CONTEXT, &Secret::copy_from(&[6; 32]))
        .await
        .unwrap();
    (Arc::new(custody), sealed.clone())
}

/// Runs `operation` in `tasks` tasks, and prints rate and median.
async fn rate<F, W>(name: &str, tasks: usize, operation: F)
where
    F: Fn() -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send,
{
    let operation = Arc::new(operation);
    let start = Instant::now();
    let mut running = Vec::new();
    for _ in 0..tasks {
        let operation = Arc::clone(&operation);
        running.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < MEASURED {
                let before = Instant::now();
                operation().await;
                times.push(before.elapsed());
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.unwrap());
    }
    report(name, tasks, times, start.elapsed());
}

fn report(name: &str, tasks: usize, mut times: Vec<Duration>, took: Duration) {
    times.sort_unstable();
    let count = u32::try_from(times.len()).unwrap();
    let rate = f64::from(count) / took.as_secs_f64();
    let (median, late) = (
        times.get(times.len() / 2).unwrap(),
        times.get(times.len() * 99 / 100).unwrap(),
    );
    println!("{name:<24} {tasks:>3} at once {rate:>10.0}/s   median {median:>9.1?}   p99 {late:>9.1?}");
}

async fn measure(name: &str, custody: &Arc<Custody>, sealed: &Sealed) {
    for tasks in [1, 8, 32] {
        let room = Arc::clone(custody);
        rate(&format!("{name} seal"), tasks, move || {
            let room = Arc::clone(&room);
            async move {
                room.seal(TENANT, CONTEXT, &Secret::copy_from(&[6; 32])).await.unwrap();
            }
        })
        .await;
        let (room, sealed) = (Arc::clone(custody), sealed.clone());
        rate(&format!("{name} open"), tasks, move || {
            let (room, sealed) = (Arc::clone(&room), sealed.clone());
            async move {
                room.open(TENANT, CONTEXT, &sealed).await.unwrap();
            }
        })
        .await;
    }
}

/// The module alone, in this process and thread.
fn module_alone(module: &std::path::Path, label: &str) {
    let library = Pkcs11::new(module).unwrap();
    library
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .unwrap();
    let mut slots = library.get_slots_with_token().unwrap().into_iter();
    let slot = slots
        .find(|slot| library.get_token_info(*slot).is_ok_and(|facts| facts.label() == label))
        .unwrap();
    let session = library.open_ro_session(slot).unwrap();
    session
        .login(UserType::User, Some(&AuthPin::new("bench 1234".into())))
        .unwrap();
    let key = *session
        .find_objects(&[Attribute::Id(CKA_ID.to_vec())])
        .unwrap()
        .first()
        .unwrap();
    let aad = [7; 58];
    let mut nonce = [8; 12];
    let sealed = session
        .encrypt(
            &Mechanism::AesGcm(GcmParams::new(&mut nonce, &aad, 128.into()).unwrap()),
            key,
            &[9; 32],
        )
        .unwrap();
    for (name, encrypting) in [("module encrypt", true), ("module decrypt", false)] {
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < MEASURED {
            let before = Instant::now();
            let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, &aad, 128.into()).unwrap());
            if encrypting {
                session.encrypt(&mechanism, key, &[9; 32]).unwrap();
            } else {
                session.decrypt(&mechanism, key, &sealed).unwrap();
            }
            times.push(before.elapsed());
        }
        report(name, 1, times, start.elapsed());
    }
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let files = SoftwareKeks::new(&folder.path().join("keks"), slab.clone(), Arc::new(OsRandomness::new()));
    let (custody, sealed) = room(&slab, Arc::new(files)).await;
    measure("software", &custody, &sealed).await;
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < MEASURED {
        custody.record_mac(TENANT, &[&[1; 700]]).unwrap();
        count += 1;
    }
    println!("record MAC of 700 bytes {:>9.2?}", start.elapsed() / count);

    let Some(module) = token::find_module("softhsm") else {
        println!("SoftHSM2 is not installed: no resident figures");
        return;
    };
    for sessions in [1, 2, 8] {
        let home = folder.path().join(format!("softhsm-{sessions}"));
        token::configure_softhsm(&home).unwrap();
        let mut settings = token::softhsm_settings(&module, &home, "bench").unwrap();
        settings.sessions = sessions;
        let pin = slab.copy_from(PIN).unwrap();
        token::initialize_token(&settings, &slab, &pin, &pin).await.unwrap();
        let resident = Arc::new(ResidentKeks::new(settings, pin, slab.clone()));
        let (custody, sealed) = room(&slab, resident.clone()).await;
        println!("-- resident, {sessions} sessions");
        rate("worker hop", 1, move || {
            let resident = Arc::clone(&resident);
            async move { resident.health().await.unwrap() }
        })
        .await;
        measure("resident", &custody, &sealed).await;
        if sessions == 8 {
            println!("-- the module alone");
            let environment = token::softhsm_environment(&home);
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .arg("module-alone")
                .arg(&module)
                .envs(environment)
                .status();
            assert!(status.unwrap().success());
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == "hsm-worker" => return claviger::custody::worker::run(),
        Some(first) if first == "module-alone" => module_alone(arguments.next().unwrap().as_ref(), "bench"),
        _ => tokio::runtime::Runtime::new().unwrap().block_on(run()),
    }
    ExitCode::SUCCESS
}
