//! The module behind the shim, the script in force, and who is logged in.

use crate::script::{Calls, Effect, Script, VARIABLE};
use crate::users::{Role, Users};
use std::cell::Cell;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a call that hangs sleeps between looks at the script.
const NAP: Duration = Duration::from_millis(5);

/// The script in force, as it was when it was last read.
#[derive(Default)]
struct State {
    written: Option<(SystemTime, u64)>,
    sessions: u64,
    script: Script,
    calls: Calls,
    role: Option<Role>,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    STATE
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn path() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// The state under the script as it is now; a script that was changed begins to count anew.
fn renewed() -> Option<MutexGuard<'static, State>> {
    let path = path()?;
    let metadata = std::fs::metadata(&path).ok()?;
    // One that was renamed into its place may be of the same moment.
    let written = (metadata.modified().ok()?, metadata.ino());
    let mut state = state();
    if state.written != Some(written) {
        state.script = Script::read(&std::fs::read_to_string(&path).ok()?).ok()?;
        state.written = Some(written);
        state.calls = Calls::default();
    }
    Some(state)
}

/// The module that the script names.
pub(crate) fn behind() -> Option<PathBuf> {
    renewed().map(|state| state.script.module.clone())
}

thread_local! {
    /// Whether the outcome of the call that this thread makes is to be spoilt.
    static WRONG: Cell<bool> = const { Cell::new(false) };
}

/// Whether the outcome of this thread's call is to be spoilt.
pub(crate) fn is_wrong() -> bool {
    WRONG.get()
}

/// What the script in force says.
pub(crate) fn told<T: Default>(what: impl FnOnce(&Script) -> T) -> T {
    renewed().map(|state| what(&state.script)).unwrap_or_default()
}

/// Counts a session that is to be opened; `false` if the token grants no more.
pub(crate) fn begin_session() -> bool {
    let Some(mut state) = renewed() else { return true };
    let granted = state.script.sessions == 0 || state.sessions < state.script.sessions;
    state.sessions += u64::from(granted);
    granted
}

/// Counts sessions that are over: one, or all.
pub(crate) fn end_sessions(all: bool) {
    let mut state = state();
    state.sessions = if all { 0 } else { state.sessions.saturating_sub(1) };
}

fn note(log: &std::path::Path, function: &str) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
    // One write each, so that those of several processes do not mix.
    let _ = file.and_then(|mut file| file.write_all(format!("{function}\n").as_bytes()));
}

/// Does what is to happen before a call. The value that takes its place, if one does; `None` inside means that there is no script.
pub(crate) fn before(function: &str) -> Option<Option<u64>> {
    let Effect {
        delay,
        mut hang,
        crash,
        wrong,
        code,
    } = {
        let mut state = renewed()?;
        if let Some(log) = &state.script.log {
            note(log, function);
        }
        let State { script, calls, .. } = &mut *state;
        calls.next(script, function)
    };
    if crash {
        std::process::abort();
    }
    WRONG.set(wrong);
    if !delay.is_zero() {
        std::thread::sleep(delay);
    }
    while hang {
        std::thread::sleep(NAP);
        hang = renewed().is_some_and(|state| {
            let mut faults = state.script.faults.iter();
            faults.any(|fault| fault.hang && (fault.function == function || fault.function == "*"))
        });
    }
    Some(code)
}

/// The users of the token with their file, if it has any of its own.
pub(crate) fn users() -> Option<(PathBuf, Option<Users>)> {
    let path = renewed()?.script.users.clone()?;
    let users = Users::load(&path);
    Some((path, users))
}

/// Remembers who is logged in.
pub(crate) fn note_role(role: Option<Role>) {
    state().role = role;
}

/// Who is logged in.
pub(crate) fn role() -> Option<Role> {
    state().role
}
