//! Tickets of sessions, in a file beside the contexts, for its owner alone; never printed.

use super::context::{self, Profile};
use super::failure::Outcome;
use super::private;
use kmip_ttlv::Secret;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Tickets that are kept: one for each server and identity; the oldest goes.
const MOST: usize = 64;

fn place() -> Outcome<PathBuf> {
    Ok(context::place()?.with_file_name("tickets"))
}

/// Which ticket: the server's address and the certificate's file.
fn name(profile: &Profile) -> String {
    let cert = std::path::absolute(&profile.cert).unwrap_or_else(|_| profile.cert.clone());
    let both = format!("{}\n{}", profile.address, cert.display());
    super::hex(ring::digest::digest(&ring::digest::SHA256, both.as_bytes()).as_ref())
}

/// The ticket of the session with this server, as this person.
pub(super) fn load(profile: &Profile) -> Outcome<Option<Secret>> {
    let text = read(&place()?)?;
    let wanted = name(profile);
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(&wanted)?.strip_prefix(' '));
    Ok(found
        .and_then(|digits| super::kmip::words::bytes(digits).ok())
        .map(Secret::new))
}

/// Keeps a ticket; none forgets it.
pub(super) fn keep(profile: &Profile, ticket: Option<&Secret>) -> Outcome<()> {
    let path = place()?;
    let (text, name) = (read(&path)?, name(profile));
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(&name)).collect();
    let digits = ticket.map(|ticket| Zeroizing::new(super::hex(ticket.expose())));
    let line = digits.map(|digits| Zeroizing::new(format!("{name} {}", *digits)));
    lines.extend(line.as_ref().map(|line| line.as_str()));
    let kept = lines.get(lines.len().saturating_sub(MOST)..).unwrap_or_default();
    let mut text = Zeroizing::new(kept.join("\n"));
    text.push('\n');
    private::write(&path, text.as_bytes())
}

fn read(path: &Path) -> Outcome<Zeroizing<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(why) => Err(format!("{}: {why}", path.display()).into()),
    }
}
