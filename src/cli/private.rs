//! Files that their owner alone may read, and secrets: from a prompt, standard input or a file, never from an argument.

use super::failure::{Failure, Outcome};
use kmip_protocol::SecretText;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The longest secret that is read: a passphrase, no file of another kind by mistake.
const LONGEST: u64 = 4_096;

/// Characters of generated passwords: none that looks like another. 32 of them, so that a byte chooses without bias.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Characters of a generated password: 100 bits.
const GENERATED: usize = 20;

/// How often another password is generated that has no name in it.
const TRIES: usize = 64;

/// Writes a file for its owner alone, in place of the one before; nobody ever reads half of it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let problem = |why: std::io::Error| Failure::from(format!("{}: {why}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(problem)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let beside = Path::new(&name);
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(beside, path))
        .map_err(problem)
}

/// That a file can be written there: asked before something is done whose result is told once.
pub(super) fn check_place(path: &Path) -> Outcome<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".try");
    write(Path::new(&name), b"")?;
    std::fs::remove_file(&name).map_err(|why| Failure::from(format!("{}: {why}", path.display())))
}

/// Reads a secret: from the file, from standard input for `-`, else by asking at the terminal.
pub(super) fn secret(file: Option<&Path>, question: &str) -> Outcome<SecretText> {
    let text = match file {
        Some(path) if path == Path::new("-") => line()?,
        Some(path) => {
            use std::io::Read as _;
            let problem = |why: std::io::Error| Failure::usage(format!("{}: {why}", path.display()));
            let mut text = Zeroizing::new(String::with_capacity(128));
            let file = std::fs::File::open(path).map_err(problem)?;
            file.take(LONGEST).read_to_string(&mut text).map_err(problem)?;
            text
        }
        None => asked(question)?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::usage(format!("{question}: nothing was given")));
    }
    Ok(SecretText::new(text))
}

/// Asks at the terminal without showing what is typed.
fn asked(question: &str) -> Outcome<Zeroizing<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(format!(
            "{question}: there is no terminal to ask at; give a file, or - for standard input"
        )));
    }
    let mut err = std::io::stderr();
    let _ = write!(err, "{question}: ").and_then(|()| err.flush());
    let before = rustix::termios::tcgetattr(&stdin).map_err(|why| why.to_string())?;
    let mut silent = before.clone();
    silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
    let set = |modes| rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Flush, modes);
    set(&silent).map_err(|why| why.to_string())?;
    let read = line();
    let restored = set(&before);
    let _ = writeln!(err);
    restored.map_err(|why| why.to_string())?;
    read
}

/// One line of standard input.
pub(super) fn line() -> Outcome<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(128));
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .map_err(|why| why.to_string())?;
    Ok(text)
}

/// A new random password, for a person who is to change it.
pub(super) fn generated() -> Outcome<SecretText> {
    let random: Zeroizing<[u8; GENERATED]> = Zeroizing::new(random()?);
    let mut text = Zeroizing::new(String::with_capacity(2 * GENERATED));
    for (i, byte) in random.iter().enumerate() {
        if i > 0 && i.is_multiple_of(5) {
            text.push('-');
        }
        text.push(char::from(
            ALPHABET.get(usize::from(byte & 0x1F)).copied().unwrap_or(b'a'),
        ));
    }
    Ok(SecretText::new(&text))
}

/// One that does not have the person's name in it by chance: such a password is refused.
pub(super) fn generated_for(person: &str) -> Outcome<SecretText> {
    let person = person.to_lowercase();
    let mut made = generated()?;
    // A name that is in nearly every password is too short for a server to mind.
    for _ in 0..TRIES {
        if !made.expose().contains(&person) {
            break;
        }
        made = generated()?;
    }
    Ok(made)
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| "no randomness".to_owned())?;
    Ok(bytes)
}

/// Asks whether to go on; without a terminal the answer is no.
pub(super) fn confirmed(question: &str) -> Outcome<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{question} Give --yes to go on without being asked"
        )));
    }
    let mut err = std::io::stderr();
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    Ok(matches!(line()?.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_written_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/tickets.toml");
        write(&path, b"x").unwrap();
        write(&path, b"first\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(secret(Some(&path), "secret").unwrap().expose(), "first");
        write(&path, b"\n").unwrap();
        assert!(secret(Some(&path), "secret").is_err());
    }

    #[test]
    fn a_name_is_not_in_its_own_password() {
        // Nearly all passwords have an "a" in them.
        let made: Vec<_> = (0..20).map(|_| generated_for("A").unwrap()).collect();
        assert!(made.iter().all(|password| !password.expose().contains('a')));
    }

    #[test]
    fn generated_passwords_differ_and_are_long_enough() {
        let (a, b) = (generated().unwrap(), generated().unwrap());
        assert!(a != b && a.expose().len() >= GENERATED, "{}", a.expose().len());
        assert!(
            a.expose()
                .chars()
                .all(|c| c == '-' || ALPHABET.contains(&u8::try_from(c).unwrap()))
        );
    }
}
