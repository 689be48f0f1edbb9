//! KEKs in an HSM against the HSM's module alone, with as many sessions: the rate of opening objects, what the way over the worker adds,
//! how it grows with the sessions where each call takes its time, and what a start asks. SoftHSM2 is the module; the shim in front of it
//! gives it a network's latency.
//!
//! `cargo bench -p claviger-benches --bench hsm`; with `-- start 1000` what a start with so many KEKs asks. This program is its own HSM
//! worker, and the process in which the module is measured alone.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, stops where it is surprised, and calls a module as the worker does: with two calls for each decryption"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::crypto::OsRandomness;
use claviger::custody::{
    Custody, KekId, KekRecord, KekState, NewKek, ProfileId, RecordKeyRecord, ResidentKeks, SealContext, Sealed, Slab,
    TokenSettings, token,
};
use claviger::store::Domain;
use cryptoki_sys::*;
use kmip_ttlv::Secret;

const PROFILE: ProfileId = ProfileId([2; 16]);
const CONTEXT: SealContext = SealContext {
    internal_id: [3; 16],
    generation: 1,
    object_type: 2,
};
const PIN: &str = "bench 1234";
const LABEL: &str = "bench";
/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(3);
/// A latency for each call, and sessions.
const CASES: [(u64, u16); 8] = [
    (0, 1),
    (0, 2),
    (0, 8),
    (200, 8),
    (1_000, 1),
    (1_000, 8),
    (1_000, 16),
    (1_000, 32),
];

fn domain(number: u16) -> Domain {
    let mut bytes = [9; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Domain(bytes)
}

/// A token in a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    slab: Slab,
    softhsm: PathBuf,
    settings: TokenSettings,
}

impl Bench {
    async fn prepare(softhsm: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let slab = Slab::new().unwrap();
        token::configure_softhsm(folder.path()).unwrap();
        let mut settings = token::softhsm_settings(softhsm, folder.path(), LABEL).unwrap();
        let pin = slab.copy_from(PIN.as_bytes()).unwrap();
        token::initialize_token(&settings, &slab, &pin, &pin).await.unwrap();
        let script = folder.path().join("script").into_os_string();
        settings.command.environment.push(("HSM_SHIM".to_owned(), script));
        Self {
            folder,
            slab,
            softhsm: softhsm.to_owned(),
            settings,
        }
    }

    /// Puts the shim before the module if it is to do anything.
    fn shim(&mut self, lines: &str) {
        let text = format!("module {}\n{lines}\n", self.softhsm.display());
        std::fs::write(self.folder.path().join("script"), text).unwrap();
        let here = std::env::current_exe().unwrap();
        self.settings.module = match lines {
            "" => self.softhsm.clone(),
            _ => here.parent().unwrap().join("libhsm_shim.so"),
        };
    }

    fn provider(&self) -> Arc<ResidentKeks> {
        let pin = self.slab.copy_from(PIN.as_bytes()).unwrap();
        Arc::new(ResidentKeks::new(self.settings.clone(), pin, self.slab.clone()))
    }

    fn custody(&self) -> Arc<Custody> {
        let custody = Custody::new(self.slab.clone(), Arc::new(OsRandomness::new()));
        custody.add_provider(PROFILE, self.provider());
        Arc::new(custody)
    }

    /// The module alone, in a process of its own, with so many sessions and threads: decryptions a second, and their median.
    fn alone(&self, sessions: u16) -> (f64, Duration) {
        let output = Command::new(std::env::current_exe().unwrap())
            .arg("module-alone")
            .arg(&self.settings.module)
            .arg(sessions.to_string())
            .envs(self.settings.command.environment.iter().cloned())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (rate, nanoseconds) = text.trim().split_once(' ').unwrap();
        (
            rate.parse().unwrap(),
            Duration::from_nanos(nanoseconds.parse().unwrap()),
        )
    }
}

async fn tenant(custody: &Custody, number: u16) -> (KekRecord, RecordKeyRecord) {
    let new = NewKek {
        id: KekId(domain(number).0),
        domain: domain(number),
        generation: 1,
        profile: PROFILE,
        cka_id: domain(number).0.to_vec(),
        created_ms: 0,
    };
    let mut kek = custody.create_kek(&new, None).await.unwrap();
    kek.state = KekState::Active;
    let keks = std::slice::from_ref(&kek);
    let record_key = custody.create_record_key(domain(number), keks, 0).await.unwrap();
    (kek, record_key)
}

/// Opens an object in so many tasks: rate, and median.
async fn open(custody: &Arc<Custody>, sealed: &Sealed, tasks: usize) -> (f64, Duration) {
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (custody, sealed) = (Arc::clone(custody), sealed.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while start.elapsed() < MEASURED {
                    let before = Instant::now();
                    custody.open(domain(0), CONTEXT, &sealed).await.unwrap();
                    times.push(before.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.unwrap());
    }
    summary(times, start.elapsed())
}

fn summary(mut times: Vec<Duration>, took: Duration) -> (f64, Duration) {
    times.sort_unstable();
    let rate = f64::from(u32::try_from(times.len()).unwrap()) / took.as_secs_f64();
    (rate, *times.get(times.len() / 2).unwrap())
}

async fn rates(softhsm: &Path) {
    for (delay, sessions) in CASES {
        let mut bench = Bench::prepare(softhsm).await;
        let lines = match delay {
            0 => String::new(),
            delay => format!("fault C_DecryptInit delay={delay}\nfault C_Decrypt delay={delay}"),
        };
        bench.shim(&lines);
        bench.settings.sessions = sessions;
        let custody = bench.custody();
        let (kek, record_key) = tenant(&custody, 0).await;
        custody.open_domain(domain(0), &[kek], &record_key).await.unwrap();
        let sealed = custody
            .seal(domain(0), CONTEXT, &Secret::copy_from(&[6; 32]))
            .await
            .unwrap();
        let sealed = Sealed::clone(&sealed);
        let (alone, its_median) = bench.alone(sessions);
        let (_, one_median) = open(&custody, &sealed, 1).await;
        let (rate, _) = open(&custody, &sealed, usize::from(sessions) * 2).await;
        let (again, _) = bench.alone(sessions);
        println!(
            "{delay:>5} µs a call, {sessions:>2} sessions: module alone {alone:>8.0}/s then {again:>8.0}/s, opened {rate:>8.0}/s = {:>5.2}; \
             one at a time {one_median:.1?}, module {its_median:.1?}",
            rate / f64::midpoint(alone, again),
        );
    }
}

async fn start(softhsm: &Path, tenants: u16) {
    let mut bench = Bench::prepare(softhsm).await;
    let custody = bench.custody();
    let mut records = Vec::new();
    for number in 0..tenants {
        records.push(tenant(&custody, number).await);
    }
    let log = bench.folder.path().join("log");
    bench.shim(&format!(
        "log {}\nfault C_DecryptInit delay=1000\nfault C_Decrypt delay=1000",
        log.display()
    ));
    for sessions in [1, 8, 32] {
        let _ = std::fs::remove_file(&log);
        bench.settings.sessions = sessions;
        let custody = bench.custody();
        let start = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for (kek, record_key) in records.iter().cloned() {
            // As the server does it.
            if running.len() >= 64 {
                running.join_next().await.unwrap().unwrap();
            }
            let custody = Arc::clone(&custody);
            running.spawn(async move {
                let domain = kek.domain;
                custody.open_domain(domain, &[kek], &record_key).await.unwrap();
                assert!(custody.record_mac(domain, &[b"open"]).is_ok());
            });
        }
        while running.join_next().await.is_some() {}
        let took = start.elapsed();
        let log = std::fs::read_to_string(&log).unwrap();
        let calls = |name: &str| log.lines().filter(|line| *line == name).count();
        println!(
            "start with {tenants} KEKs, 2 x 1 ms each, {sessions:>2} sessions: {took:.2?}; C_Decrypt {}, C_Encrypt {}, C_Login {}",
            calls("C_Decrypt"),
            calls("C_Encrypt"),
            calls("C_Login")
        );
    }
}

fn ulong(length: usize) -> CK_ULONG {
    CK_ULONG::try_from(length).unwrap()
}

fn ok(rv: CK_RV) {
    assert_eq!(rv, CKR_OK);
}

/// The functions of a module, logged in to, which never ends in this process.
fn logged_in(module: &Path) -> (&'static CK_FUNCTION_LIST, CK_SLOT_ID) {
    // SAFETY: the bench's own module.
    let library: &'static Pkcs11 = Box::leak(Box::new(unsafe { Pkcs11::new(module) }.unwrap()));
    let get = library.C_GetFunctionList.as_ref().unwrap();
    let mut list = std::ptr::null_mut();
    // SAFETY: the function writes one pointer, to a list that lives as long as the library.
    let functions = unsafe {
        ok(get(&raw mut list));
        list.as_ref().unwrap()
    };
    let mut arguments = CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags: CKF_OS_LOCKING_OK,
        pReserved: std::ptr::null_mut(),
    };
    let (mut slots, mut count, mut session) = ([0; 8], 8, 0);
    // SAFETY: pointers to live values, of the types that PKCS#11 names.
    unsafe {
        ok(functions.C_Initialize.unwrap()((&raw mut arguments).cast()));
        ok(functions.C_GetSlotList.unwrap()(
            CK_TRUE,
            slots.as_mut_ptr(),
            &raw mut count,
        ));
        let slot = slots[0];
        ok(functions.C_OpenSession.unwrap()(
            slot,
            CKF_SERIAL_SESSION,
            std::ptr::null_mut(),
            None,
            &raw mut session,
        ));
        let pin = PIN.as_ptr().cast_mut();
        ok(functions.C_Login.unwrap()(session, CKU_USER, pin, ulong(PIN.len())));
        (functions, slot)
    }
}

/// Decrypts in one session until the time is over.
fn decrypt(functions: &CK_FUNCTION_LIST, slot: CK_SLOT_ID, start: Instant) -> Vec<Duration> {
    let (mut session, mut key, mut found) = (0, 0, 0);
    let id = domain(0).0;
    let mut template = [CK_ATTRIBUTE {
        type_: CKA_ID,
        pValue: id.as_ptr().cast_mut().cast(),
        ulValueLen: ulong(id.len()),
    }];
    let (mut nonce, aad, mut plain, mut sealed, mut opened) = ([8; 12], [7; 58], [9; 32], [0; 80], [0; 80]);
    let mut parameters = CK_GCM_PARAMS {
        pIv: nonce.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: aad.as_ptr().cast_mut(),
        ulAADLen: ulong(aad.len()),
        ulTagBits: 128,
    };
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: (&raw mut parameters).cast(),
        ulParameterLen: ulong(size_of::<CK_GCM_PARAMS>()),
    };
    let mut length = ulong(sealed.len());
    let mut times = Vec::new();
    // SAFETY: pointers to live values, of the types that PKCS#11 names, with their lengths.
    unsafe {
        ok(functions.C_OpenSession.unwrap()(
            slot,
            CKF_SERIAL_SESSION,
            std::ptr::null_mut(),
            None,
            &raw mut session,
        ));
        ok(functions.C_FindObjectsInit.unwrap()(session, template.as_mut_ptr(), 1));
        ok(functions.C_FindObjects.unwrap()(
            session,
            &raw mut key,
            1,
            &raw mut found,
        ));
        ok(functions.C_FindObjectsFinal.unwrap()(session));
        assert_eq!(found, 1);
        ok(functions.C_EncryptInit.unwrap()(session, &raw mut mechanism, key));
        ok(functions.C_Encrypt.unwrap()(
            session,
            plain.as_mut_ptr(),
            32,
            sealed.as_mut_ptr(),
            &raw mut length,
        ));
        while start.elapsed() < MEASURED {
            let before = Instant::now();
            let mut room = ulong(opened.len());
            ok(functions.C_DecryptInit.unwrap()(session, &raw mut mechanism, key));
            ok(functions.C_Decrypt.unwrap()(
                session,
                sealed.as_mut_ptr(),
                length,
                opened.as_mut_ptr(),
                &raw mut room,
            ));
            times.push(before.elapsed());
        }
    }
    assert_eq!(opened.get(..32), Some(&plain[..]));
    times
}

fn module_alone(module: &Path, sessions: u16) {
    let (functions, slot) = logged_in(module);
    let start = Instant::now();
    let times = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions)
            .map(|_| scope.spawn(|| decrypt(functions, slot, start)))
            .collect();
        let times = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        times.collect()
    });
    let (rate, median) = summary(times, start.elapsed());
    println!("{rate:.0} {}", median.as_nanos());
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(softhsm) = token::find_module("softhsm") else {
        println!("SoftHSM2 is not installed: no figures");
        return ExitCode::SUCCESS;
    };
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    match words.as_slice() {
        ["hsm-worker", ..] => return claviger::custody::worker::run(),
        ["module-alone", module, sessions] => module_alone(Path::new(module), sessions.parse().unwrap()),
        ["start", tenants, ..] => runtime().block_on(start(&softhsm, tenants.parse().unwrap())),
        _ => runtime().block_on(rates(&softhsm)),
    }
    ExitCode::SUCCESS
}
