//! The command line: one file for each noun.

mod demo;
mod folder;
mod init;
pub mod kmip;
mod log;
mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Why a command failed, in words for its user.
type Problem = String;

/// Key-management server that speaks KMIP natively.
#[derive(Parser)]
#[command(name = "claviger", version, about, disable_help_subcommand = true)]
struct Claviger {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server with everything in one folder, to try it out
    Demo(demo::DemoArguments),
    /// Make an installation in a folder
    Init(init::InitArguments),
    /// Serve an installation
    Serve(serve::ServeArguments),
    /// Speak KMIP with a server
    Kmip(Box<kmip::KmipArguments>),
    /// The process that talks to an HSM; the server starts it
    #[command(hide = true)]
    HsmWorker,
}

/// Does what the arguments of the process say.
#[must_use]
pub fn run() -> ExitCode {
    // Founding an installation has keys in memory too. What stands in the way is told by `serve`, which has a log.
    let _ = crate::custody::harden();
    let done = match Claviger::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Kmip(arguments) => return kmip::run(&arguments),
        Command::HsmWorker => return crate::custody::worker::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!("{problem}");
            say_problem(&problem);
            ExitCode::FAILURE
        }
    }
}

/// Tells the user on standard error, wherever the log goes.
fn say_problem(problem: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "claviger: {problem}");
}

/// Tells the user on standard output; a closed one is nobody to tell.
fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// The runtime that a server runs in.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_grammar_is_sound() {
        super::Claviger::command().debug_assert();
    }
}
