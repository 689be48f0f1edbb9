//! The command.

use claviger::custody::WipingAllocator;
use std::process::ExitCode;

/// Clients' material passes through buffers that no type of ours owns: what is freed is wiped.
#[global_allocator]
static HEAP: WipingAllocator = WipingAllocator;

fn main() -> ExitCode {
    claviger::cli::run()
}
