//! Secret memory: pages that neither the swap, a core dump, a child nor (with `memfd_secret`) the kernel's own
//! interfaces show, cut into slots that are wiped when they are given back.
//!
//! Root, KEKs, record keys, PINs and DEKs in flight live here. A slot is a run of 32-byte units.
#![allow(unsafe_code)] // mapping pages and handing out parts of them

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize;

/// Slots are multiples of this many bytes: the length of nearly every secret kept here.
pub const UNIT: usize = 32;
/// The longest single secret. Frames to an HSM worker are the longest things kept.
pub const MAX_LENGTH: usize = 4096;
/// Bytes mapped at once: a few tens of pages, so that a small installation stays far below the usual 8 MiB of
/// lockable memory.
const CHUNK: usize = 64 * 1024;
/// Chunks at most (32 MiB): beyond that something leaks slots.
const MAX_CHUNKS: usize = 512;
const UNITS: usize = CHUNK / UNIT;
const WORDS: usize = UNITS / 64;

/// Why no slot was given. Texts carry no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SlabError {
    /// The operating system gives no (more) locked memory; `LimitMEMLOCK` is too low.
    #[error("no locked memory left for secrets")]
    Exhausted,
    /// The secret is longer than [`MAX_LENGTH`].
    #[error("secret too long for the slab")]
    TooLong,
}

/// How the pages of a slab are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// `memfd_secret`: absent from the kernel's direct map; not even root reads them through `/proc`.
    Secret,
    /// `mlock`, left out of core dumps and children; root can read them.
    Locked,
}

/// A slab of secret memory. Clones share it; it is unmapped when the last slot and the last clone are gone.
#[derive(Clone)]
pub struct Slab {
    inner: Arc<Inner>,
}

struct Inner {
    chunks: Mutex<Vec<Chunk>>,
    protection: Protection,
}

struct Chunk {
    base: NonNull<u8>,
    used: [u64; WORDS],
}

// SAFETY: a chunk is a plain mapping, not tied to the thread that made it; its bitmap changes only under the mutex,
// and its bytes only through the one `Locked` that owns them.
unsafe impl Send for Chunk {}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: `base` came from a successful mmap of CHUNK bytes, and no `Locked` is left (each holds the slab).
        unsafe {
            libc::munmap(self.base.as_ptr().cast(), CHUNK);
        }
    }
}

impl Slab {
    /// Maps the first chunk, by `memfd_secret` where the kernel has it.
    ///
    /// # Errors
    /// [`SlabError::Exhausted`] if no memory can be locked at all.
    pub fn new() -> Result<Self, SlabError> {
        let (chunk, protection) = match map_secret() {
            Ok(chunk) => (chunk, Protection::Secret),
            Err(_) => (map_locked().map_err(|_| SlabError::Exhausted)?, Protection::Locked),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                chunks: Mutex::new(vec![chunk]),
                protection,
            }),
        })
    }

    /// How the pages are protected.
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.inner.protection
    }

    /// A slot of `length` zero bytes.
    ///
    /// # Errors
    /// [`SlabError`]
    pub fn allocate(&self, length: usize) -> Result<Locked, SlabError> {
        if length > MAX_LENGTH {
            return Err(SlabError::TooLong);
        }
        let units = length.div_ceil(UNIT).max(1);
        let mut chunks = self.inner.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, chunk) in chunks.iter_mut().enumerate() {
            if let Some(unit) = chunk.take(units) {
                return Ok(self.slot(chunk.base, index, unit, length));
            }
        }
        if chunks.len() >= MAX_CHUNKS {
            return Err(SlabError::Exhausted);
        }
        let mut chunk = match self.inner.protection {
            Protection::Secret => map_secret(),
            Protection::Locked => map_locked(),
        }
        .map_err(|_| SlabError::Exhausted)?;
        let unit = chunk.take(units).ok_or(SlabError::Exhausted)?;
        let slot = self.slot(chunk.base, chunks.len(), unit, length);
        chunks.push(chunk);
        Ok(slot)
    }

    /// A slot that holds a copy of `bytes`.
    ///
    /// # Errors
    /// [`SlabError`]
    pub fn copy_from(&self, bytes: &[u8]) -> Result<Locked, SlabError> {
        let mut slot = self.allocate(bytes.len())?;
        slot.expose_mut().copy_from_slice(bytes);
        Ok(slot)
    }

    fn slot(&self, base: NonNull<u8>, chunk: usize, unit: usize, length: usize) -> Locked {
        // SAFETY: `take` gives only units whose run ends inside the chunk.
        let start = unsafe { base.add(unit * UNIT) };
        Locked {
            owner: Arc::clone(&self.inner),
            start,
            chunk,
            unit,
            length,
        }
    }
}

impl Chunk {
    /// Takes the first run of `units` free units.
    fn take(&mut self, units: usize) -> Option<usize> {
        let mut run = 0;
        let mut unit = 0;
        while unit < UNITS {
            if unit.is_multiple_of(64) && self.used.get(unit / 64) == Some(&u64::MAX) {
                run = 0;
                unit += 64;
                continue;
            }
            run = if self.is_used(unit) { 0 } else { run + 1 };
            unit += 1;
            if run == units {
                let first = unit - units;
                self.mark(first, units, true);
                return Some(first);
            }
        }
        None
    }

    fn is_used(&self, unit: usize) -> bool {
        self.used
            .get(unit / 64)
            .is_none_or(|word| word & (1 << (unit % 64)) != 0)
    }

    fn mark(&mut self, first: usize, units: usize, used: bool) {
        for unit in first..first + units {
            if let Some(word) = self.used.get_mut(unit / 64) {
                let bit = 1 << (unit % 64);
                *word = if used { *word | bit } else { *word & !bit };
            }
        }
    }
}

/// Secret bytes in the slab: wiped when dropped, never printed, shown by [`Locked::expose`] only.
pub struct Locked {
    owner: Arc<Inner>,
    start: NonNull<u8>,
    chunk: usize,
    unit: usize,
    length: usize,
}

// SAFETY: the bytes belong to this value alone; shared access only reads them, and writing needs `&mut`.
unsafe impl Send for Locked {}
// SAFETY: as above.
unsafe impl Sync for Locked {}

impl Locked {
    /// The bytes in clear. The caller answers for what becomes of them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        // SAFETY: the run of units from `start` holds `length` initialised bytes (pages come zeroed), is owned by
        // this value, and stays mapped while `owner` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The bytes in clear, to write.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `expose`; `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    /// Another slot of the same slab with the same bytes.
    ///
    /// # Errors
    /// [`SlabError`]
    pub fn duplicate(&self) -> Result<Self, SlabError> {
        Slab {
            inner: Arc::clone(&self.owner),
        }
        .copy_from(self.expose())
    }

    /// The number of bytes, which is not secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.expose_mut().zeroize();
        let units = self.length.div_ceil(UNIT).max(1);
        let mut chunks = self.owner.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chunk) = chunks.get_mut(self.chunk) {
            chunk.mark(self.unit, units, false);
        }
    }
}

fn map_secret() -> io::Result<Chunk> {
    // SAFETY: the call takes a flag word and gives a descriptor or -1.
    let raw = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let raw = i32::try_from(raw).map_err(|_| io::ErrorKind::Unsupported)?;
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    let file = unsafe { OwnedFd::from_raw_fd(raw) };
    let length = libc::off_t::try_from(CHUNK).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open.
    if unsafe { libc::ftruncate(file.as_raw_fd(), length) } != 0 {
        return Err(io::Error::last_os_error());
    }
    map(libc::MAP_SHARED, file.as_raw_fd())
}

fn map_locked() -> io::Result<Chunk> {
    let chunk = map(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
    let address = chunk.base.as_ptr().cast();
    // SAFETY: the whole range was mapped just now.
    let done = unsafe { libc::mlock(address, CHUNK) == 0 && libc::madvise(address, CHUNK, libc::MADV_DONTDUMP) == 0 };
    if done {
        Ok(chunk)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn map(flags: i32, file: i32) -> io::Result<Chunk> {
    // SAFETY: a new mapping at an address of the kernel's choice; nothing existing is touched.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            CHUNK,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            file,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let base = NonNull::new(address.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
    let chunk = Chunk { base, used: [0; WORDS] };
    // SAFETY: the whole range was mapped just now.
    if unsafe { libc::madvise(address, CHUNK, libc::MADV_DONTFORK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_apart_zeroed_and_given_back() {
        let slab = Slab::new().unwrap();
        let mut slots: Vec<Locked> = (0..5000).map(|_| slab.allocate(32).unwrap()).collect();
        for (number, slot) in slots.iter_mut().enumerate() {
            assert!(slot.expose().iter().all(|byte| *byte == 0));
            slot.expose_mut().fill(u8::try_from(number % 251).unwrap());
        }
        for (number, slot) in slots.iter().enumerate() {
            assert!(slot.expose().iter().all(|byte| usize::from(*byte) == number % 251));
        }
        let first = slots.first().unwrap().start;
        slots.clear();
        let again = slab.allocate(MAX_LENGTH).unwrap();
        assert_eq!(again.start, first);
        assert!(again.expose().iter().all(|byte| *byte == 0), "a slot was not wiped");
        assert_eq!(slab.allocate(MAX_LENGTH + 1).err(), Some(SlabError::TooLong));
        assert_eq!(slab.allocate(0).unwrap().len(), 0);
    }

    #[test]
    fn longer_runs_fit_between() {
        let slab = Slab::new().unwrap();
        let kept: Vec<Locked> = (0..UNITS).map(|_| slab.allocate(1).unwrap()).collect();
        let mut kept: Vec<Option<Locked>> = kept.into_iter().map(Some).collect();
        kept[100] = None;
        kept[101] = None;
        let pair = slab.allocate(64).unwrap();
        assert_eq!((pair.chunk, pair.unit), (0, 100));
        assert_eq!(slab.allocate(64).unwrap().chunk, 1);
    }

    #[test]
    fn locked_pages_work_where_secret_ones_are_missing() {
        let mut chunk = map_locked().unwrap();
        assert_eq!(chunk.take(2), Some(0));
        assert_eq!(chunk.take(1), Some(2));
    }
}
