//! Preparing a SoftHSM token: for the demonstration and for tests. Other tokens are prepared with their vendor's tools.

use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CustodyError;
use super::resident::{TokenSettings, WorkerCommand, prepare};
use super::slab::{Locked, Slab};
use crate::crypto::Randomness;

/// Where `init` looks for a key-management credential beside a file. No worker is handed it: a vendor's library runs there.
pub const MANAGEMENT_VARIABLE: &str = "CLAVIGER_INIT_MANAGEMENT_PIN";

/// The name by which SoftHSM2's module is known without being listed.
pub const SOFTHSM: &str = "softhsm";

/// Where distributions put SoftHSM's module.
const SOFTHSM_FILES: [&str; 8] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/softhsm/lib/softhsm/libsofthsm2.so",
];

/// The path of a module: as given, but `softhsm` finds SoftHSM2's by itself. `None` if there is no such file.
#[must_use]
pub fn find_module(name: &str) -> Option<PathBuf> {
    if name == SOFTHSM {
        return SOFTHSM_FILES.iter().map(PathBuf::from).find(|path| path.is_file());
    }
    Some(PathBuf::from(name)).filter(|path| path.is_file())
}

/// What a SoftHSM kept in `folder` needs in the environment of its worker.
#[must_use]
pub fn softhsm_environment(folder: &Path) -> Vec<(String, OsString)> {
    vec![(
        "SOFTHSM2_CONF".to_owned(),
        folder.join("softhsm2.conf").into_os_string(),
    )]
}

/// A PIN of 16 random hexadecimal digits.
///
/// # Errors
/// [`CustodyError::Randomness`], [`CustodyError::Limit`]
pub fn random_pin(slab: &Slab, randomness: &dyn Randomness) -> Result<Locked, CustodyError> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pin = slab.allocate(16)?;
    randomness
        .fill(pin.expose_mut())
        .map_err(|_| CustodyError::Randomness)?;
    for byte in pin.expose_mut() {
        *byte = DIGITS.get(usize::from(*byte & 0x0F)).copied().unwrap_or(b'0');
    }
    Ok(pin)
}

/// Writes SoftHSM's configuration into `folder` (made if missing, mode 0700), with its tokens in `folder/tokens`.
///
/// # Errors
/// [`CustodyError::KeyFile`]
pub fn configure_softhsm(folder: &Path) -> Result<(), CustodyError> {
    let private = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    // SoftHSM does not take a relative path as relative to its configuration.
    let tokens = std::path::absolute(folder.join("tokens")).map_err(|_| CustodyError::KeyFile)?;
    let configuration = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    private(folder)
        .and_then(|()| private(&tokens))
        .and_then(|()| std::fs::write(folder.join("softhsm2.conf"), configuration))
        .map_err(|_| CustodyError::KeyFile)
}

/// Initialises a new token of the label in `settings`, in a worker process, and answers its serial number.
/// `officer_pin` becomes the Security Officer's PIN, `pin` the user's (4 to 255 bytes each).
///
/// # Errors
/// [`CustodyError::Exists`] if there is a token of that label, which is left alone; [`CustodyError::UnknownKek`] if no
/// slot is free; [`CustodyError::Unavailable`].
pub async fn initialize_token(
    settings: &TokenSettings,
    slab: &Slab,
    officer_pin: &Locked,
    pin: &Locked,
) -> Result<String, CustodyError> {
    let no_pin = Arc::new(slab.allocate(0)?);
    prepare(settings.clone(), no_pin, slab.clone(), officer_pin, pin).await
}

/// Settings for a SoftHSM token kept in `folder`, which need not be initialised yet.
///
/// # Errors
/// [`CustodyError::Unavailable`]
pub fn softhsm_settings(module: &Path, folder: &Path, label: &str) -> Result<TokenSettings, CustodyError> {
    let folder = std::path::absolute(folder).map_err(|_| CustodyError::Unavailable)?;
    let command = WorkerCommand::this_program(softhsm_environment(&folder))?;
    Ok(TokenSettings::new(command, module.to_owned(), label))
}
