//! An installation that is opened feeds the cipher library from the server's own source. One test, in a process of its own:
//! a source is chosen once for a process, so whoever chose it here first was `compose`.
#![allow(clippy::unwrap_used, clippy::panic)] // a test

use claviger::compose;
use claviger::crypto::{self, OsRandomness};
use claviger::settings::Settings;
use std::process::Command;
use std::sync::Arc;

#[tokio::test]
async fn whoever_opens_an_installation_chooses_the_source_first() {
    let folder = tempfile::tempdir().unwrap();
    // Founded by another process, so that only opening it is tried here.
    let dir = folder.path().join("house");
    let founded = Command::new(env!("CARGO_BIN_EXE_claviger"))
        .args(["init", "--administrators", "alice,bob", "--dir"])
        .arg(&dir)
        .output()
        .unwrap();
    assert!(founded.status.success(), "{}", String::from_utf8_lossy(&founded.stderr));
    let settings = Settings::read(&dir.join("claviger.toml"), []).unwrap();
    drop(compose::open(&settings).await.unwrap());
    let again = crypto::install(Arc::new(OsRandomness::new()));
    assert!(again.is_err(), "nobody had chosen a source");
    // The same process may open it again, as a demonstration founds and serves.
    assert!(compose::open(&settings).await.is_ok());
}
