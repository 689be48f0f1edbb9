//! A SoftHSM token in a folder of its own, behind the shim where its calls are to take their time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use claviger::crypto::OsRandomness;
use claviger::custody::{Custody, ProfileId, ResidentKeks, Slab, TokenSettings, token};

pub const PROFILE: ProfileId = ProfileId([2; 16]);
pub const PIN: &str = "bench 1234";
const LABEL: &str = "bench";

/// A token in a folder of its own.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub slab: Slab,
    softhsm: PathBuf,
    pub settings: TokenSettings,
}

impl Bench {
    pub async fn prepare(softhsm: &Path) -> Self {
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
    pub fn shim(&mut self, lines: &str) {
        let text = format!("module {}\n{lines}\n", self.softhsm.display());
        std::fs::write(self.folder.path().join("script"), text).unwrap();
        let here = std::env::current_exe().unwrap();
        self.settings.module = match lines {
            "" => self.softhsm.clone(),
            _ => here.parent().unwrap().join("libhsm_shim.so"),
        };
    }

    pub fn provider(&self) -> Arc<ResidentKeks> {
        let pin = self.slab.copy_from(PIN.as_bytes()).unwrap();
        Arc::new(ResidentKeks::new(self.settings.clone(), pin, self.slab.clone()))
    }

    pub fn custody(&self) -> Arc<Custody> {
        let custody = Custody::new(self.slab.clone(), Arc::new(OsRandomness::new()));
        custody.add_provider(PROFILE, self.provider());
        Arc::new(custody)
    }

    /// The module alone, in a process of its own, with so many sessions and threads: decryptions a second, and their median.
    pub fn alone(&self, sessions: u16) -> (f64, Duration) {
        self.measured("module-alone", sessions)
    }

    /// The same, looking for the keys of so many tenants, one after the other: how many a second, and their median.
    pub fn finds(&self, tenants: u16) -> (f64, Duration) {
        self.measured("module-finds", tenants)
    }

    /// What this program prints about the module in a process of its own.
    fn measured(&self, what: &str, number: u16) -> (f64, Duration) {
        let output = Command::new(std::env::current_exe().unwrap())
            .arg(what)
            .arg(&self.settings.module)
            .arg(number.to_string())
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
