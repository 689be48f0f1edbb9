//! Completions and manual pages, made from the grammar itself.

use super::Claviger;
use super::failure::{Failure, Outcome};
use clap::{Args, CommandFactory as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// `claviger completion`: completions for a shell.
#[derive(Args)]
pub(super) struct CompletionArguments {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// `claviger manual`: manual pages.
#[derive(Args)]
pub(super) struct ManualArguments {
    /// The folder; a page for each command
    folder: PathBuf,
}

/// `claviger completion`.
pub(super) fn completion(arguments: &CompletionArguments) -> Outcome<()> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Claviger::command(), "claviger", &mut text);
    // A reader that went away is no failure of ours.
    let _ = std::io::stdout().lock().write_all(&text);
    Ok(())
}

/// `claviger manual`.
pub(super) fn pages(arguments: &ManualArguments) -> Outcome<()> {
    std::fs::create_dir_all(&arguments.folder).map_err(|why| problem(&arguments.folder, &why))?;
    let mut command = Claviger::command();
    command.build();
    page(&command, "claviger", &arguments.folder)
}

/// The page of a command, and those of the commands below it.
fn page(command: &clap::Command, name: &str, folder: &Path) -> Outcome<()> {
    let path = folder.join(format!("{name}.1"));
    let mut text = Vec::new();
    let mut shown = command.clone();
    if shown.get_after_long_help().is_none() {
        shown = shown.after_long_help("Exit codes and environment: claviger(1).");
    }
    let rendered = clap_mangen::Man::new(shown).render(&mut text);
    rendered
        .and_then(|()| std::fs::write(&path, &text))
        .map_err(|why| problem(&path, &why))?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        page(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

fn problem(path: &Path, why: &std::io::Error) -> Failure {
    Failure::from(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ManualArguments {
            folder: folder.path().to_owned(),
        };
        pages(&arguments).unwrap();
        for name in ["claviger", "claviger-tenant-create", "claviger-proposal-vote"] {
            let page = std::fs::read_to_string(folder.path().join(format!("{name}.1"))).unwrap();
            assert!(page.contains("Exit codes"), "{name}");
        }
        assert!(!folder.path().join("claviger-hsm-worker.1").exists());
    }
}
