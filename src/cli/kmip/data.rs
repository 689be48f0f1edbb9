//! Data from files and standard input, and into files that only their owner reads.

use super::Problem;
use kmip_protocol::{KmipVocabulary, tag};
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Secret, Tag};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The longest input: what fits into one message of the default limit, with room for the rest of it.
const LONGEST: u64 = 1_000_000;

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// What cannot be read, or is too long for one message.
pub fn read(path: &Path) -> Result<Secret, Problem> {
    let problem = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut bytes = Vec::with_capacity(usize::try_from(LONGEST).unwrap_or_default() + 1);
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .map_err(problem)?
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)
    };
    let length = read.map_err(problem)?;
    let secret = Secret::new(bytes);
    if u64::try_from(length).unwrap_or(u64::MAX) > LONGEST {
        return Err(format!("{}: longer than {LONGEST} bytes", path.display()));
    }
    Ok(secret)
}

/// Writes a new file, or anew a file that there is, readable by its owner alone.
///
/// # Errors
/// What cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let problem = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(problem)?;
    file.write_all(bytes).map_err(problem)
}

/// The Request Messages of a file in XML or JSON, in TTLV.
///
/// # Errors
/// A file that cannot be read or is neither.
pub fn messages(path: &Path) -> Result<Vec<Secret>, Problem> {
    let bytes = read(path)?;
    let problem = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = core::str::from_utf8(bytes.expose()).map_err(|e| problem(&e))?;
    let is_json = path.extension().is_some_and(|e| e == "json");
    let mut found: Vec<(Tag, Secret)> = Vec::new();
    if is_json {
        for message in
            kmip_ttlv::json::messages(text, &KmipVocabulary, TextLimits::default()).map_err(|e| problem(&e))?
        {
            found.push((message.tag, Secret::copy_from(&message.bytes)));
        }
    } else {
        for message in
            kmip_ttlv::xml::messages(text, &KmipVocabulary, TextLimits::default()).map_err(|e| problem(&e))?
        {
            let message = message.map_err(|e| problem(&e))?;
            found.push((message.tag, Secret::copy_from(&message.bytes)));
        }
    }
    let requests: Vec<Secret> = found
        .into_iter()
        .filter(|(t, _)| *t == tag::REQUEST_MESSAGE)
        .map(|(_, m)| m)
        .collect();
    if requests.is_empty() {
        return Err(problem(&"no Request Message"));
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_private(&path, b"secret").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().expose(), b"secret");
    }

    #[test]
    fn requests_are_found_among_responses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.xml");
        let text =
            "<KMIP><RequestMessage><BatchCount type='Integer' value='1'/></RequestMessage><ResponseMessage/></KMIP>";
        std::fs::write(&path, text).unwrap();
        assert_eq!(messages(&path).unwrap().len(), 1);
        std::fs::write(&path, "<KMIP><ResponseMessage/></KMIP>").unwrap();
        assert!(messages(&path).is_err());
    }
}
