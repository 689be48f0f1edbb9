//! A token for the tests of custody.
#![allow(dead_code)] // each test file uses what it needs

pub mod folder;

use std::sync::Arc;

use claviger::custody::{CustodyError, ResidentKeks, Slab, TokenSettings, token};

/// A SoftHSM token of its own, prepared in a temporary folder.
pub struct Token {
    pub folder: tempfile::TempDir,
    pub slab: Slab,
    pub settings: TokenSettings,
}

impl Token {
    /// `None`, loudly, if SoftHSM is not installed.
    pub async fn prepare() -> Option<Self> {
        let Some(module) = token::find_module("softhsm") else {
            eprintln!("SKIPPED: SoftHSM2 is not installed (apt install softhsm2), resident KEKs are NOT tested");
            return None;
        };
        let folder = folder::in_memory();
        let slab = Slab::new().unwrap();
        token::configure_softhsm(folder.path()).unwrap();
        let mut settings = token::softhsm_settings(&module, folder.path(), "claviger test").unwrap();
        settings.command.program = env!("CARGO_BIN_EXE_claviger").into();
        let (officer_pin, pin) = (slab.copy_from(b"officer").unwrap(), slab.copy_from(b"1234").unwrap());
        let serial = token::initialize_token(&settings, &slab, &officer_pin, &pin)
            .await
            .unwrap();
        assert_eq!(
            token::initialize_token(&settings, &slab, &officer_pin, &pin).await,
            Err(CustodyError::Exists),
            "a token was initialised twice"
        );
        settings.serial = Some(serial);
        Some(Self { folder, slab, settings })
    }

    pub fn provider(&self) -> Arc<ResidentKeks> {
        self.provider_with(b"1234")
    }

    pub fn provider_with(&self, pin: &[u8]) -> Arc<ResidentKeks> {
        Arc::new(ResidentKeks::new(
            self.settings.clone(),
            self.slab.copy_from(pin).unwrap(),
            self.slab.clone(),
        ))
    }

    pub fn take_away(&self) {
        std::fs::rename(self.folder.path().join("tokens"), self.folder.path().join("away")).unwrap();
    }

    pub fn bring_back(&self) {
        std::fs::rename(self.folder.path().join("away"), self.folder.path().join("tokens")).unwrap();
    }
}
