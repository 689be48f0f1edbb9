//! Folders for tokens of SoftHSM, which syncs its files over and over: on a slow disk that takes longer than all that is tested.

use std::path::Path;
use std::process::Command;

/// Where Linux has a disk in memory.
const MEMORY: &str = "/dev/shm";
/// What it must have left, in KiB: containers may have very little of it.
const ROOM: u64 = 512 * 1024;

/// A temporary folder, in memory where there is a disk for that with room enough.
pub fn in_memory() -> tempfile::TempDir {
    let memory = Path::new(MEMORY);
    let made = has_room(memory).then(|| tempfile::tempdir_in(memory).ok()).flatten();
    made.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

fn has_room(disk: &Path) -> bool {
    let told = Command::new("df").args(["-Pk", "--"]).arg(disk).output();
    let table = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let left = table.ok().and_then(|table| {
        let line = table.lines().nth(1)?;
        line.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    disk.is_dir() && left.is_some_and(|left| left >= ROOM)
}
