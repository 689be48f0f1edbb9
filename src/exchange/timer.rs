//! The clockwork of proposals: timelocks that end, times that run out, executions that are tried again.

use super::Server;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);

/// Looks after proposals until the server is told to end. What has begun is finished first.
pub async fn run(server: Arc<Server>, mut down: watch::Receiver<bool>) {
    if let Err(error) = server.take_up().await {
        tracing::error!(?error, "proposals could not be taken up");
    }
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => server.tend().await,
            changed = down.changed() => if changed.is_err() { return },
        }
    }
}
