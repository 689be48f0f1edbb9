//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Hidden: the server starts it, with one end of a socket pair for standard input.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "hsm-worker")
    {
        return claviger::custody::worker::run();
    }
    ExitCode::SUCCESS
}
