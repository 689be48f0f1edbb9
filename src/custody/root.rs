//! The installation root: 32 bytes that are never in the database, and the PINs that it seals.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::context::{ProfileId, pin_aad};
use super::error::CustodyError;
use super::sealing::{self, KEY};
use super::slab::{Locked, Slab};
use crate::crypto::Randomness;

/// Whom a PIN logs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinRole {
    /// Wraps and unwraps with KEKs that exist.
    KeyUsage,
    /// Creates and deletes KEKs.
    KeyManagement,
}

impl PinRole {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::KeyUsage => 1,
            Self::KeyManagement => 2,
        }
    }
}

/// Where the root came from, which says how well it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootOrigin {
    /// A credential that systemd decrypted for this service.
    Credential,
    /// A file on the server's disk: weak, since who takes the disk has it. Reported wherever the root is.
    File,
}

/// The installation root. It seals key-usage PINs only, each under a key derived for that PIN.
pub struct InstallationRoot {
    key: Locked,
    origin: RootOrigin,
}

impl InstallationRoot {
    /// Makes a root and writes it to a new file of mode 0600, durably.
    ///
    /// # Errors
    /// [`CustodyError::KeyFile`] if the file exists or cannot be written; [`CustodyError::Randomness`];
    /// [`CustodyError::Limit`].
    pub fn create_file(slab: &Slab, randomness: &dyn Randomness, path: &Path) -> Result<Self, CustodyError> {
        Ok(Self {
            key: create_key_file(slab, randomness, path)?,
            origin: RootOrigin::File,
        })
    }

    /// Reads the root from a file of exactly 32 bytes, readable by its owner only.
    ///
    /// # Errors
    /// [`CustodyError::KeyFile`], [`CustodyError::Limit`]
    pub fn from_file(slab: &Slab, path: &Path) -> Result<Self, CustodyError> {
        Ok(Self {
            key: read_key_file(slab, path)?,
            origin: RootOrigin::File,
        })
    }

    /// Reads the root from the systemd credential `name` (`LoadCredentialEncrypted=name` of the unit).
    ///
    /// # Errors
    /// [`CustodyError::KeyFile`] if the service has no credentials or not this one.
    pub fn from_credential(slab: &Slab, name: &str) -> Result<Self, CustodyError> {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or(CustodyError::KeyFile)?;
        let path = PathBuf::from(folder).join(name);
        Ok(Self {
            key: read_key_file(slab, &path)?,
            origin: RootOrigin::Credential,
        })
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> RootOrigin {
        self.origin
    }

    /// Sixteen bytes by which a root is recognised, and from which it cannot be found.
    ///
    /// # Errors
    /// [`CustodyError::Limit`]
    pub fn check_value(&self, slab: &Slab) -> Result<[u8; 16], CustodyError> {
        let derived = sealing::derive(slab, &self.key, &[b"check value"])?;
        derived.expose().first_chunk::<16>().copied().ok_or(CustodyError::Limit)
    }

    /// The key by which this installation knows the protected KEKs that it made or took in. Whoever can write to the
    /// database only cannot have it use a KEK of his own.
    ///
    /// # Errors
    /// [`CustodyError::Limit`]
    pub fn binding_key(&self, slab: &Slab) -> Result<Locked, CustodyError> {
        sealing::derive(slab, &self.key, &[b"protected KEKs"])
    }

    /// Seals a PIN for the database, for the token at this address and no other.
    ///
    /// # Errors
    /// [`CustodyError::Randomness`], [`CustodyError::Limit`]
    pub fn seal_pin(
        &self,
        slab: &Slab,
        randomness: &dyn Randomness,
        profile: ProfileId,
        role: PinRole,
        address: &[u8; 32],
        pin: &Locked,
    ) -> Result<Vec<u8>, CustodyError> {
        let key = self.pin_key(slab, profile, role)?;
        sealing::seal(randomness, &key, &pin_aad(profile, role.byte(), address), pin.expose())
    }

    /// Opens a sealed PIN into the slab.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if it was sealed under another root, for another profile, role or token, or was edited.
    pub fn open_pin(
        &self,
        slab: &Slab,
        profile: ProfileId,
        role: PinRole,
        address: &[u8; 32],
        sealed: &[u8],
    ) -> Result<Locked, CustodyError> {
        let key = self.pin_key(slab, profile, role)?;
        sealing::open_locked(slab, &key, &pin_aad(profile, role.byte(), address), sealed)
    }

    fn pin_key(&self, slab: &Slab, profile: ProfileId, role: PinRole) -> Result<Locked, CustodyError> {
        sealing::derive(slab, &self.key, &[b"pin", &profile.0, &[role.byte()]])
    }
}

/// Makes 32 random bytes and writes them to a new file of mode 0600; file and folder are synced.
pub(super) fn create_key_file(slab: &Slab, randomness: &dyn Randomness, path: &Path) -> Result<Locked, CustodyError> {
    let mut key = slab.allocate(KEY)?;
    randomness
        .fill(key.expose_mut())
        .map_err(|_| CustodyError::Randomness)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => CustodyError::Exists,
            _ => CustodyError::KeyFile,
        })?;
    let written = file
        .write_all(key.expose())
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder(path));
    written.map(|()| key).map_err(|_| CustodyError::KeyFile)
}

/// Reads a file of exactly 32 bytes that only its owner, who is this process's user or root, can open.
pub(super) fn read_key_file(slab: &Slab, path: &Path) -> Result<Locked, CustodyError> {
    let mut file = File::open(path).map_err(|_| CustodyError::KeyFile)?;
    let facts = file.metadata().map_err(|_| CustodyError::KeyFile)?;
    if !facts.is_file() || facts.mode() & 0o077 != 0 || facts.len() != KEY.try_into().unwrap_or(u64::MAX) {
        return Err(CustodyError::KeyFile);
    }
    let mut key = slab.allocate(KEY)?;
    file.read_exact(key.expose_mut()).map_err(|_| CustodyError::KeyFile)?;
    Ok(key)
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::crypto::OsRandomness;

    #[test]
    fn a_root_is_kept_in_a_private_file_and_seals_pins() {
        let slab = Slab::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        let root = InstallationRoot::create_file(&slab, &OsRandomness::new(), &path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(
            InstallationRoot::create_file(&slab, &OsRandomness::new(), &path).is_err(),
            "overwritten"
        );
        let pin = slab.copy_from(b"1234").unwrap();
        let profile = ProfileId([1; 16]);
        let sealed = root
            .seal_pin(&slab, &OsRandomness::new(), profile, PinRole::KeyUsage, &[5; 32], &pin)
            .unwrap();

        let again = InstallationRoot::from_file(&slab, &path).unwrap();
        assert_eq!(again.origin(), RootOrigin::File);
        assert_eq!(again.check_value(&slab), root.check_value(&slab));
        let opened = again
            .open_pin(&slab, profile, PinRole::KeyUsage, &[5; 32], &sealed)
            .unwrap();
        assert_eq!(opened.expose(), b"1234");
        let refused = Some(CustodyError::Refused);
        assert_eq!(
            again
                .open_pin(&slab, profile, PinRole::KeyManagement, &[5; 32], &sealed)
                .err(),
            refused
        );
        assert_eq!(
            again
                .open_pin(&slab, ProfileId([2; 16]), PinRole::KeyUsage, &[5; 32], &sealed)
                .err(),
            refused
        );
        let elsewhere = again.open_pin(&slab, profile, PinRole::KeyUsage, &[6; 32], &sealed);
        assert_eq!(elsewhere.err(), refused);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(
            InstallationRoot::from_file(&slab, &path).err(),
            Some(CustodyError::KeyFile)
        );
    }

    #[test]
    fn a_root_of_another_length_is_refused() {
        let slab = Slab::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        std::fs::write(&path, [0; 33]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(
            InstallationRoot::from_file(&slab, &path).err(),
            Some(CustodyError::KeyFile)
        );
    }
}
