//! KEKs in key files, one of 32 bytes and mode 0600 for each: for development and the demonstration only.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::context::{KekId, WrapContext};
use super::error::CustodyError;
use super::probe::Capabilities;
use super::record::{KekRecord, Placement};
use super::root::{create_key_file, read_key_file, sync_folder};
use super::sealer::{KekProvider, NewKek, Sealer, SealerKind, check_context, check_known_answer};
use super::sealing;
use super::slab::{Locked, Slab};
use crate::crypto::Randomness;
use crate::wait::{Wait, ready};

/// A folder of key files. Whoever reads the folder opens everything: every status says so.
pub struct SoftwareKeks {
    folder: PathBuf,
    slab: Slab,
    randomness: Arc<dyn Randomness>,
}

impl SoftwareKeks {
    /// Keeps KEKs in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path, slab: Slab, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            folder: folder.to_owned(),
            slab,
            randomness,
        }
    }

    fn path(&self, kek: KekId) -> PathBuf {
        self.folder.join(format!("{}.kek", kmip_ttlv::Hex(&kek.0)))
    }

    fn make(&self, kek: &NewKek) -> Result<Placement, CustodyError> {
        std::fs::create_dir_all(&self.folder).map_err(|_| CustodyError::KeyFile)?;
        create_key_file(&self.slab, self.randomness.as_ref(), &self.path(kek.id))?;
        Ok(Placement::Software)
    }

    fn remove(&self, record: &KekRecord) -> Result<(), CustodyError> {
        let path = self.path(record.id);
        overwrite(&path)?;
        match std::fs::remove_file(&path) {
            Ok(()) => sync_folder(&path).map_err(|_| CustodyError::Unavailable),
            // A folder that is away is an outage, not an absence.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.folder.is_dir() => Ok(()),
            Err(_) => Err(CustodyError::Unavailable),
        }
    }

    fn exists(&self, kek: KekId) -> Result<Placement, CustodyError> {
        match self.path(kek).try_exists() {
            Ok(true) => Ok(Placement::Software),
            Ok(false) if self.folder.is_dir() => Err(CustodyError::UnknownKek),
            _ => Err(CustodyError::Unavailable),
        }
    }
}

/// Overwrites a key file in place, where it is there. What a copying file system or a flash disk keeps of it is out of reach.
fn overwrite(path: &Path) -> Result<(), CustodyError> {
    use std::io::Write;
    let mut file = match std::fs::OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        // Whether that is an absence is seen by who removes it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(_) => return Err(CustodyError::Unavailable),
    };
    let overwritten = file.write_all(&[0; sealing::KEY]).and_then(|()| file.sync_all());
    overwritten.map_err(|_| CustodyError::Unavailable)
}

impl KekProvider for SoftwareKeks {
    fn kind(&self) -> SealerKind {
        SealerKind::Software
    }

    fn create<'a>(&'a self, kek: &'a NewKek, _: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        ready(self.make(kek))
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        ready(self.exists(kek.id))
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        ready(self.remove(record))
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        if record.placement != Placement::Software {
            return Err(CustodyError::Record);
        }
        Ok(Arc::new(SoftwareSealer {
            record: record.clone(),
            path: self.path(record.id),
            slab: self.slab.clone(),
            randomness: Arc::clone(&self.randomness),
            key: OnceLock::new(),
        }))
    }

    /// A folder is no token: there is nothing to be tried.
    fn examine<'a>(&'a self, _: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        ready(Ok(Capabilities::default()))
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        ready(if self.folder.is_dir() {
            Ok(())
        } else {
            Err(CustodyError::Unavailable)
        })
    }
}

/// A KEK in a key file. The file is read when the KEK is first needed, and again if it was away.
struct SoftwareSealer {
    record: KekRecord,
    path: PathBuf,
    slab: Slab,
    randomness: Arc<dyn Randomness>,
    key: OnceLock<Locked>,
}

impl SoftwareSealer {
    fn key(&self) -> Result<&Locked, CustodyError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = read_key_file(&self.slab, &self.path).map_err(|_| CustodyError::Unavailable)?;
        Ok(self.key.get_or_init(|| key))
    }

    fn seal(&self, context: &WrapContext, key: &Locked) -> Result<Vec<u8>, CustodyError> {
        check_context(context, &self.record)?;
        sealing::seal(self.randomness.as_ref(), self.key()?, &context.aad(), key.expose())
    }

    fn open(&self, context: &WrapContext, wrapped: &[u8]) -> Result<Locked, CustodyError> {
        check_context(context, &self.record)?;
        if wrapped.len() != sealing::WRAPPED {
            return Err(CustodyError::Refused);
        }
        sealing::open_locked(&self.slab, self.key()?, &context.aad(), wrapped)
    }
}

impl Sealer for SoftwareSealer {
    fn kind(&self) -> SealerKind {
        SealerKind::Software
    }

    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        ready(self.seal(&context, key))
    }

    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        ready(self.open(&context, wrapped))
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        Box::pin(check_known_answer(self, &self.record))
    }
}
