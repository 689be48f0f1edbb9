//! The first start of a demonstration. It takes a few seconds, in which it can be ended; what is half made nobody has used yet, so the
//! next start begins anew.

use crate::cli::Problem;
use crate::cli::folder::{Folder, problem};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The file that says so, while it is being made and after a start that did not come to its end.
const MARK: &str = "unfinished";

/// What a start makes that did not come to its end. Authority and clients' certificates are made anew or used again.
const MADE: [&str; 4] = ["claviger.toml", "claviger.toml.unfinished", "data", "people"];

/// A demonstration that is being made, by this process alone.
pub(super) struct Beginning {
    mark: PathBuf,
    folder: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Beginning {
    /// Begins, unless there is a demonstration in the folder that is whole. What an interrupted start left is removed.
    pub(super) fn of(folder: &Folder) -> Result<Option<Self>, Problem> {
        let (mark, settings) = (folder.at(MARK), folder.at("claviger.toml"));
        if settings.exists() && !mark.exists() {
            return Ok(None);
        }
        let at_mark = |why: std::io::Error| problem(&mark, &why);
        let opened = OpenOptions::new().create(true).append(true).open(&mark);
        let mut file = opened.map_err(at_mark)?;
        if file.try_lock().is_err() {
            return Err(format!(
                "{}: another process is making a demonstration here",
                mark.display()
            ));
        }
        if file.metadata().map_err(at_mark)?.len() > 0 {
            if !mark.exists() {
                // Its maker came to its end just now.
                return Ok(None);
            }
            for name in MADE {
                remove(&folder.at(name))?;
            }
        } else if settings.exists() {
            // Likewise, before this process made the mark anew.
            std::fs::remove_file(&mark).map_err(at_mark)?;
            return Ok(None);
        } else {
            let written = file.write_all(b"A demonstration is being made here, or its first start was interrupted.\n");
            written.and_then(|()| file.sync_all()).map_err(at_mark)?;
        }
        let beginning = Self {
            mark,
            folder: folder.at(""),
            _file: file,
        };
        beginning.settle()?;
        Ok(Some(beginning))
    }

    /// The demonstration is whole.
    pub(super) fn end(self) -> Result<(), Problem> {
        std::fs::remove_file(&self.mark).map_err(|why| problem(&self.mark, &why))?;
        self.settle()
    }

    /// Makes durable that the mark is there, or is not.
    fn settle(&self) -> Result<(), Problem> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|why| problem(&self.folder, &why))
    }
}

fn remove(path: &Path) -> Result<(), Problem> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(problem(path, &why)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Folder) -> Vec<String> {
        let entries = std::fs::read_dir(folder.at("")).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_half_made_is_made_anew_and_what_is_whole_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let first = Beginning::of(&folder).unwrap().unwrap();
        assert!(Beginning::of(&folder).is_err(), "two at a time");
        folder.write("claviger.toml", "").unwrap();
        folder.make("data").unwrap();
        folder.write("data/store", "old").unwrap();
        folder.write("ca.pem", "").unwrap();
        assert!(
            Beginning::of(&folder).is_err(),
            "two at a time, when the settings are there"
        );
        drop(first);
        let second = Beginning::of(&folder).unwrap().unwrap();
        assert_eq!(names(&folder), ["ca.pem", MARK]);
        folder.write("claviger.toml", "").unwrap();
        second.end().unwrap();
        assert!(Beginning::of(&folder).unwrap().is_none());
        assert_eq!(names(&folder), ["ca.pem", "claviger.toml"]);
    }
}
