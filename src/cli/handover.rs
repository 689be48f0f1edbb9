//! Secrets that are made here for somebody else: they are handed over once, and not lost with the answer to the request that they
//! belong to.

use super::failure::{Failure, Outcome};
use super::{private, say_problem};
use kmip_protocol::SecretText;
use std::path::{Path, PathBuf};

/// Initial passwords that a request gives to people.
pub(super) struct Handover<'a> {
    people: &'a [(String, SecretText)],
    /// Files that are written already, under another name until the server may have taken the request.
    files: Vec<Waiting>,
}

/// A file under its name for the time being, and its true one.
struct Waiting {
    beside: PathBuf,
    path: PathBuf,
}

impl<'a> Handover<'a> {
    /// Makes ready, before anything is sent: into a folder, a file NAME.password for each person; without one they will be shown.
    pub(super) fn prepare(people: &'a [(String, SecretText)], folder: Option<&Path>) -> Outcome<Self> {
        let mut handover = Self {
            people,
            files: Vec::new(),
        };
        let Some(folder) = folder else {
            return Ok(handover);
        };
        for (name, password) in people {
            check(name)?;
            let path = folder.join(format!("{name}.password"));
            if handover.files.iter().any(|file| file.path == path) {
                return Err(Failure::usage(format!("{name} is named twice")));
            }
            let beside = folder.join(format!("{name}.password.new"));
            let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
            private::write(&beside, line.as_bytes())?;
            handover.files.push(Waiting { beside, path });
        }
        Ok(handover)
    }

    /// Hands over: the server may have taken the request.
    pub(super) fn give(&mut self) -> Outcome<()> {
        if self.files.is_empty() {
            for (name, password) in self.people {
                say_problem(&format!(
                    "initial password of {name}, shown only now: {}",
                    password.expose()
                ));
            }
        }
        for Waiting { beside, path } in std::mem::take(&mut self.files) {
            std::fs::rename(&beside, &path)
                .map_err(|why| format!("{}: {why}; the password is in {}", path.display(), beside.display()))?;
            say_problem(&format!("initial password written to {}", path.display()));
        }
        Ok(())
    }
}

impl Drop for Handover<'_> {
    fn drop(&mut self) {
        for file in &self.files {
            // Nobody has this password.
            let _ = std::fs::remove_file(&file.beside);
        }
    }
}

/// A name that can be a file's.
fn check(name: &str) -> Outcome<()> {
    if !super::is_file_name(name, ".@") {
        return Err(Failure::usage(format!(
            "{name:?} cannot be the name of a file: leave --passwords out, and the password is shown"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<(String, SecretText)> {
        let one = |name: &&str| ((*name).to_owned(), SecretText::new("until he changes it"));
        names.iter().map(one).collect()
    }

    #[test]
    fn a_name_that_is_no_files_is_told_before() {
        let folder = tempfile::tempdir().unwrap();
        for names in [
            ["../olga", "otto"],
            ["otto", "olga/otto"],
            ["otto", "otto"],
            ["otto", ".olga"],
        ] {
            let people = people(&names);
            assert!(Handover::prepare(&people, Some(folder.path())).is_err(), "{names:?}");
            assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{names:?}");
        }
    }

    #[test]
    fn what_was_refused_leaves_no_file_and_what_may_have_been_taken_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("olga.password");
        std::fs::write(&path, "the one of before").unwrap();
        let people = people(&["olga"]);
        drop(Handover::prepare(&people, Some(folder.path())).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the one of before");
        Handover::prepare(&people, Some(folder.path())).unwrap().give().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "until he changes it\n");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
