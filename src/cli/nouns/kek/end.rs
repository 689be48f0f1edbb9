//! The end of a KEK: what lies under it moved elsewhere, the KEK destroyed.

use crate::cli::call::{Caller, remark};
use crate::cli::failure::{Exit, Failure, Outcome};
use kmip_protocol::{
    KekDeleteRequest, KekListRequest, KekMarkCompromisedRequest, KekRewrapGetRequest, KekRewrapRequest, KekState,
    Rewrap, RewrapState,
};
use std::io::IsTerminal as _;
use std::time::Duration;

/// How often it is asked how far a rewrap has come.
const PAUSE: Duration = Duration::from_secs(1);
/// Characters of the bar.
const BAR: usize = 30;

/// Has records wrapped anew, and shows how that comes on if it is wanted.
pub(super) fn rewrap(caller: &mut Caller<'_>, kek: Option<i32>, rate: Option<i32>, bar: bool) -> Outcome<()> {
    let request = KekRewrapRequest {
        kek_generation: kek,
        records_per_second: rate,
    };
    caller.change(
        request,
        "the server rewraps by itself from now on: claviger kek rewrap --status",
    )?;
    if bar && !caller.options.dry_run {
        follow(caller, true)?;
    }
    Ok(())
}

/// Says how far the last rewrap has come, until it has ended if that is wanted.
pub(super) fn follow(caller: &mut Caller<'_>, wait: bool) -> Outcome<()> {
    if wait {
        watch(caller)?;
    }
    caller.show(KekRewrapGetRequest::default())
}

/// Shows how the last rewrap comes on until it has ended.
fn watch(caller: &mut Caller<'_>) -> Outcome<()> {
    while let Some(rewrap) = caller.session.ask(KekRewrapGetRequest::default())?.rewrap {
        show(&rewrap);
        if rewrap.rewrap_state == RewrapState::Ended {
            if std::io::stderr().is_terminal() {
                eprintln!();
            }
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// One line that replaces the one before, where somebody watches.
fn show(rewrap: &Rewrap) {
    let line = line(rewrap);
    if std::io::stderr().is_terminal() {
        eprint!("\r{line}\x1b[K");
    } else {
        eprintln!("{line}");
    }
}

fn line(rewrap: &Rewrap) -> String {
    let Rewrap {
        records_done: done,
        records_failed: failed,
        records_left: left,
        ..
    } = rewrap;
    let all = done.saturating_add(*left).max(1);
    let share = |of: i64| done.saturating_mul(of).checked_div(all).unwrap_or(0);
    let full = usize::try_from(share(i64::try_from(BAR).unwrap_or(0)))
        .unwrap_or(0)
        .min(BAR);
    let (full, empty) = ("#".repeat(full), ".".repeat(BAR.saturating_sub(full)));
    let state = RewrapState::name(rewrap.rewrap_state).unwrap_or("-");
    format!(
        "[{full}{empty}] {:3} %  {done} done, {failed} failed, {left} left  {state}",
        share(100)
    )
}

/// Destroys a KEK.
pub(super) fn delete(caller: &mut Caller<'_>, kek: i32) -> Outcome<()> {
    caller.confirm(&format!("destroy KEK {kek} for ever?"))?;
    let request = KekDeleteRequest { kek_generation: kek };
    caller.change(
        request,
        "the KEK is destroyed, and nothing that it wrapped can be opened any more",
    )
}

/// The next step towards the end of a KEK. It is asked for again until there is none.
pub(super) fn retire(caller: &mut Caller<'_>, kek: i32) -> Outcome<()> {
    let keks = caller.session.ask(KekListRequest::default())?.keks;
    let found = keks.iter().find(|one| one.kek_generation == kek);
    let state = found.ok_or_else(|| Failure::new(Exit::Error, "no such KEK"))?.kek_state;
    if state == KekState::Active {
        let advice = "the KEK is active: claviger kek create, kek activate, and then this again";
        return Err(Failure::new(Exit::Error, advice));
    }
    if state == KekState::Destroyed {
        remark("the KEK is destroyed: claviger key residue says what of destroyed objects could still be opened");
        return Ok(());
    }
    let last = caller.session.ask(KekRewrapGetRequest::default())?.rewrap;
    let ended = |rewrap: &Rewrap| rewrap.rewrap_state == RewrapState::Ended;
    let covers = |rewrap: &&Rewrap| rewrap.kek_generation.is_none_or(|from| from == kek);
    match last.as_ref().filter(covers) {
        Some(rewrap) if !ended(rewrap) => follow(caller, true)?,
        // It may have been before the KEK was last active: the server refuses to delete it then, and says so.
        Some(rewrap) if rewrap.records_left == 0 => {}
        _ if state == KekState::PreActive || state == KekState::Deleting => {}
        _ => rewrap(caller, Some(kek), None, true)?,
    }
    delete(caller, kek)
}

/// Says that others may know a KEK.
pub(super) fn mark_compromised(caller: &mut Caller<'_>, kek: i32) -> Outcome<()> {
    let request = KekMarkCompromisedRequest { kek_generation: kek };
    if let Some(told) = caller.carry(request)? {
        remark(match told.kek_state {
            KekState::Active => "it still wraps what is new: make another KEK, activate it, and retire this one",
            KekState::Deactivated => "retire it: what it wrapped still lies under it",
            _ => "it is not activated any more",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::DateTime;

    #[test]
    fn the_bar_is_as_long_as_what_is_done() {
        let rewrap = |records_done, records_left| Rewrap {
            rewrap_state: RewrapState::Running,
            kek_generation: None,
            records_per_second: 500,
            records_done,
            records_failed: 0,
            records_left,
            failed_records: Vec::new(),
            started: DateTime(0),
            finished: None,
        };
        assert!(line(&rewrap(0, 0)).starts_with("[.............................."));
        assert!(line(&rewrap(1, 1)).starts_with("[###############...............]  50 %  1 done"));
        assert!(line(&rewrap(9, 0)).starts_with("[##############################] 100 %"));
        assert!(line(&rewrap(i64::MAX, i64::MAX)).starts_with('['));
    }
}
