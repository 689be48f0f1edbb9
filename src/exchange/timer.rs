//! The clockwork of the server: timelocks that end, times that run out, executions that are tried again, keys that come back.

use super::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);
/// Domains that are attended to at once. One whose HSM is slow holds up nobody else while there are fewer.
const MOST_AT_ONCE: usize = 64;

/// Attends to what is due until the server is told to end. What has begun is finished first.
pub async fn run(server: Arc<Server>, mut down: watch::Receiver<bool>) {
    server.compare_clock().await;
    server.take_up();
    let mut at_work = JoinSet::new();
    let mut keks = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => {
                server.watch_clock().await;
                server.wipe_late_shares().await;
                server.end_idle_streams();
                begin(&server, &mut at_work);
                tend_keks(&server, &mut keks);
            }
            changed = down.changed() => if changed.is_err() { break },
        }
    }
    while let Some(ended) = at_work.join_next().await {
        report(ended);
    }
}

/// Attends to what is due now, to each domain beside the others.
pub(super) fn begin(server: &Arc<Server>, at_work: &mut JoinSet<()>) {
    while let Some(ended) = at_work.try_join_next() {
        report(ended);
    }
    for (domain, matters) in server.due(MOST_AT_ONCE.saturating_sub(at_work.len())) {
        let server = Arc::clone(server);
        at_work.spawn(async move { server.attend(domain, matters).await });
    }
}

/// Has HSMs asked for the protected KEKs that are due, unless they are still being asked: one that hangs holds up nothing else.
fn tend_keks(server: &Server, at_work: &mut JoinSet<()>) {
    while let Some(ended) = at_work.try_join_next() {
        report(ended);
    }
    if at_work.is_empty() {
        let custody = Arc::clone(&server.services().custody);
        at_work.spawn(async move { custody.tend(Instant::now()).await });
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the clockwork ended badly");
    }
}
