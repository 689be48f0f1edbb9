//! SoftHSM tokens behind the fault-injecting shim, each with a custody of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claviger::crypto::OsRandomness;
use claviger::custody::{
    Custody, CustodyError, Keeping, KekId, KekRecord, KekState, NewKek, ProfileId, RecordKeyRecord, ResidentKeks,
    SealContext, Sealed, Slab, TokenSettings, token,
};
use claviger::store::Domain;
use kmip_ttlv::Secret;

pub const PIN: &str = "1234";
pub const CONTEXT: SealContext = SealContext {
    internal_id: [9; 16],
    generation: 1,
    object_type: 2,
};
pub const MATERIAL: &[u8] = b"the material of an object";

/// A token behind the shim.
pub struct Token {
    folder: tempfile::TempDir,
    pub slab: Slab,
    pub settings: TokenSettings,
    module: PathBuf,
    scripts: AtomicU64,
}

/// The shim, as cargo builds it beside the tests that depend on it.
fn shim() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let shim = here.parent().unwrap().join("libhsm_shim.so");
    assert!(
        shim.is_file(),
        "{} is missing: cargo build -p claviger-hsm-shim",
        shim.display()
    );
    shim
}

impl Token {
    /// `None`, loudly, if SoftHSM is not installed.
    pub async fn prepare() -> Option<Self> {
        let Some(module) = token::find_module("softhsm") else {
            eprintln!("SKIPPED: SoftHSM2 is not installed (apt install softhsm2), faults of HSMs are NOT tested");
            return None;
        };
        let folder = crate::folder::in_memory();
        let slab = Slab::new().unwrap();
        token::configure_softhsm(folder.path()).unwrap();
        let mut settings = token::softhsm_settings(&module, folder.path(), "claviger faults").unwrap();
        settings.command.program = env!("CARGO_BIN_EXE_claviger").into();
        let (officer_pin, pin) = (
            slab.copy_from(b"officer").unwrap(),
            slab.copy_from(PIN.as_bytes()).unwrap(),
        );
        let serial = token::initialize_token(&settings, &slab, &officer_pin, &pin)
            .await
            .unwrap();
        settings.serial = Some(serial);
        settings.module = shim();
        settings.sessions = 2;
        // A busy machine takes seconds to start a process or to sync a file.
        settings.deadline = Duration::from_secs(60);
        let script = folder.path().join("script").into_os_string();
        settings.command.environment.push(("HSM_SHIM".to_owned(), script));
        let token = Self {
            folder,
            slab,
            settings,
            module,
            scripts: AtomicU64::new(0),
        };
        token.script("");
        Some(token)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Tells the shim what to do from now on, in one step.
    pub fn script(&self, lines: &str) {
        let beside = self.path(&format!("script.{}", self.scripts.fetch_add(1, Ordering::SeqCst)));
        std::fs::write(&beside, format!("module {}\n{lines}\n", self.module.display())).unwrap();
        std::fs::rename(beside, self.path("script")).unwrap();
    }

    /// Gives the token two users, whose lines a script must then have.
    pub fn users(&self) -> String {
        let path = self.path("users");
        let users = format!("pin {PIN}\nserver usage first\nkeeper management second\n");
        std::fs::write(&path, users).unwrap();
        format!("users {}", path.display())
    }

    pub fn provider(&self) -> Arc<ResidentKeks> {
        self.provider_with(PIN)
    }

    pub fn provider_with(&self, pin: &str) -> Arc<ResidentKeks> {
        Arc::new(ResidentKeks::new(
            self.settings.clone(),
            self.slab.copy_from(pin.as_bytes()).unwrap(),
            self.slab.clone(),
        ))
    }

    /// How many objects lie in the token, as its files say.
    pub fn objects(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
            entries
                .map(|entry| match entry.file_type().unwrap().is_dir() {
                    true => count(&entry.path()),
                    false => usize::from(
                        entry.path().extension().is_some_and(|extension| extension == "object")
                            && entry.file_name() != "token.object",
                    ),
                })
                .sum()
        }
        count(&self.path("tokens"))
    }

    /// How often a function of the module was called since the log was begun.
    pub fn calls(&self, function: &str) -> usize {
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().filter(|line| *line == function).count()
    }

    /// The line of a script that begins a new log.
    pub fn log(&self) -> String {
        let _ = std::fs::remove_file(self.path("log"));
        format!("log {}", self.path("log").display())
    }
}

pub fn new_kek(domain: Domain, byte: u8, generation: u32) -> NewKek {
    NewKek {
        id: KekId([byte; 16]),
        domain,
        generation,
        profile: ProfileId(domain.0),
        cka_id: vec![byte; 16],
        created_ms: 1_700_000_000_000,
    }
}

/// A tenant with one active KEK and one sealed object.
pub struct Tenant {
    pub domain: Domain,
    pub kek: KekRecord,
    pub record_key: RecordKeyRecord,
    pub sealed: Sealed,
}

/// Puts a provider to work for a tenant of its own in `custody`.
pub async fn tenant(custody: &Custody, byte: u8, provider: Arc<ResidentKeks>) -> Tenant {
    let domain = Domain([byte; 16]);
    custody.add_provider(ProfileId(domain.0), provider);
    let mut kek = custody.create_kek(&new_kek(domain, byte, 1), None).await.unwrap();
    kek.state = KekState::Active;
    let kek = KekRecord::decode(&kek.encode().unwrap()).unwrap();
    let record_key = custody
        .create_record_key(domain, std::slice::from_ref(&kek), 5)
        .await
        .unwrap();
    custody
        .open_domain(domain, std::slice::from_ref(&kek), &record_key)
        .await
        .unwrap();
    let sealed = custody
        .seal(domain, CONTEXT, &Secret::copy_from(MATERIAL))
        .await
        .unwrap();
    let sealed = Sealed::clone(&sealed);
    Tenant {
        domain,
        kek,
        record_key,
        sealed,
    }
}

impl Tenant {
    pub async fn get(&self, custody: &Custody) -> Result<(), CustodyError> {
        let opened = custody.open(self.domain, CONTEXT, &self.sealed).await?;
        assert!(opened.expose() == MATERIAL, "other material than was sealed");
        Ok(())
    }
}

pub fn custody(slab: &Slab) -> Custody {
    let custody = Custody::new(slab.clone(), Arc::new(OsRandomness::new()));
    custody.keep_protected(slab.copy_from(&[6; 32]).unwrap(), Keeping::default());
    custody
}

/// As after a restart: a tenant's domain opened with what the store has.
pub async fn reopen(custody: &Custody, tenant: &Tenant, provider: Arc<ResidentKeks>) {
    custody.add_provider(tenant.kek.profile, provider);
    custody
        .open_domain(tenant.domain, std::slice::from_ref(&tenant.kek), &tenant.record_key)
        .await
        .unwrap();
}
