//! The anchor: how far the change trail reached, written where whoever takes the database cannot put it back. A database that has not the
//! record that its anchor names is not the one that was served last.

use super::chain::hash;
use super::position::{Head, Position, StreamId};
use kmip_ttlv::Hex;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The first line: what it is, and in which form.
const TITLE: &str = "claviger anchor 1";

/// An anchor is some 300 bytes.
const LONGEST: u64 = 4096;

/// How far the change trail of an installation reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// Which installation.
    pub instance: [u8; 16],
    /// How often it had been restored.
    pub epoch: i32,
    /// When this was written, in milliseconds since 1970.
    pub written_ms: i64,
    /// The last record of the newest stream: it holds all before it, and the heads of all streams before it.
    pub head: Head,
}

impl Anchor {
    /// What is MACed: every line but the last.
    fn lines(&self) -> String {
        let Self {
            instance,
            epoch,
            written_ms,
            head,
        } = self;
        let Position { stream, sequence } = head.position;
        format!(
            "{TITLE}\ninstance {}\nepoch {epoch}\nwritten {written_ms}\nstream {stream}\nsequence {sequence}\nhash {}\n",
            Hex(instance),
            Hex(&head.hash)
        )
    }

    /// The text of the file, with what `mac` makes of it.
    ///
    /// # Errors
    /// Those of `mac`.
    pub fn text<E>(&self, mac: impl FnOnce(&[u8]) -> Result<[u8; 32], E>) -> Result<String, E> {
        let lines = self.lines();
        let tag = mac(lines.as_bytes())?;
        Ok(format!("{lines}mac {}\n", Hex(&tag)))
    }

    /// Reads what [`Anchor::text`] wrote, if `mac` makes the same of it.
    ///
    /// # Errors
    /// Those of `mac`.
    pub fn read<E>(bytes: &[u8], mac: impl FnOnce(&[u8]) -> Result<[u8; 32], E>) -> Result<Option<Self>, E> {
        let Some(anchor) = Self::parse(bytes) else {
            return Ok(None);
        };
        // There is one way to write it, so that to write it again is to check it; digests, so that time tells nothing.
        Ok((hash(anchor.text(mac)?.as_bytes()) == hash(bytes)).then_some(anchor))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        (lines.next()? == TITLE).then_some(())?;
        let mut line = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        Some(Self {
            instance: bytes_of(line("instance")?)?,
            epoch: line("epoch")?.parse().ok()?,
            written_ms: line("written")?.parse().ok()?,
            head: Head {
                position: Position {
                    stream: StreamId(bytes_of(line("stream")?)?),
                    sequence: line("sequence")?.parse().ok()?,
                },
                hash: bytes_of(line("hash")?)?,
            },
        })
    }
}

/// The bytes of a hexadecimal number of this length.
fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    (text.len() == N.checked_mul(2)? && text.is_ascii()).then_some(())?;
    for (at, byte) in out.iter_mut().enumerate() {
        let from = at.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(from..from.checked_add(2)?)?, 16).ok()?;
    }
    Some(out)
}

/// Where an anchor is kept.
#[derive(Clone, Debug)]
pub struct AnchorFile(PathBuf);

impl AnchorFile {
    /// This file.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is in it, if it is there. What is too long to be an anchor is cut off, and is none.
    ///
    /// # Errors
    /// When it cannot be read though it is there.
    pub fn read(&self) -> std::io::Result<Option<Vec<u8>>> {
        let mut options = OpenOptions::new();
        // Whoever owns the folder may have laid anything there; nothing but a file is one, and nothing is waited for.
        let options = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = match options.open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes it: whoever reads finds the old text or the new one, after a power cut too.
    ///
    /// # Errors
    /// When the disk does not take it; the old text stands.
    pub fn write(&self, text: &str) -> std::io::Result<()> {
        let mut beside = self.0.clone().into_os_string();
        beside.push(".new");
        // Left by a write that did not come to its end; or a link to something that is not to be overwritten.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.0)?;
        match self.0.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn anchor() -> Anchor {
        Anchor {
            instance: [1; 16],
            epoch: 2,
            written_ms: 2_000_000_000_123,
            head: Head {
                position: Position {
                    stream: StreamId([0xAB; 16]),
                    sequence: 77,
                },
                hash: [4; 32],
            },
        }
    }

    fn mac(bytes: &[u8]) -> Result<[u8; 32], Infallible> {
        Ok(hash(bytes))
    }

    #[test]
    fn an_anchor_reads_as_it_was_written() {
        let Ok(text) = anchor().text(mac);
        assert_eq!(text.lines().count(), 8);
        assert_eq!(Anchor::read(text.as_bytes(), mac), Ok(Some(anchor())));
    }

    #[test]
    fn whatever_is_altered_is_no_anchor() {
        let Ok(text) = anchor().text(mac);
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= 1;
            assert_eq!(Anchor::read(&altered, mac), Ok(None), "byte {at}");
            assert_eq!(Anchor::read(&text.as_bytes()[..at], mac), Ok(None), "cut at {at}");
        }
        for more in ["\n", "mac 00\n", " "] {
            assert_eq!(Anchor::read(format!("{text}{more}").as_bytes(), mac), Ok(None));
        }
        // Another installation's record key makes another MAC.
        let other = |bytes: &[u8]| mac(&[bytes, b"other"].concat());
        assert_eq!(Anchor::read(text.as_bytes(), other), Ok(None));
        for upper in [
            text.replace("stream abab", "stream ABAB"),
            text.replace("epoch 2", "epoch +2"),
        ] {
            assert_ne!(upper, text);
            assert_eq!(Anchor::read(upper.as_bytes(), mac), Ok(None), "one way to write it");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = AnchorFile::at(folder.path().join("anchor"));
        assert_eq!(file.read().unwrap(), None);
        file.write("one").unwrap();
        file.write("two").unwrap();
        assert_eq!(file.read().unwrap(), Some(b"two".to_vec()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(file.path(), vec![b'x'; 10_000]).unwrap();
        assert_eq!(file.read().unwrap().unwrap().len(), 4096);
        assert!(AnchorFile::at(folder.path()).read().is_err());
        // A link beside it is not followed, and one in its place is none.
        let (other, beside) = (folder.path().join("other"), folder.path().join("anchor.new"));
        std::fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, &beside).unwrap();
        file.write("three").unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"kept");
        std::fs::remove_file(file.path()).unwrap();
        std::os::unix::fs::symlink(&other, file.path()).unwrap();
        assert!(file.read().is_err());
        assert!(AnchorFile::at(folder.path().join("missing/anchor")).write("x").is_err());
    }
}
