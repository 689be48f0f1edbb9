//! Carries what waits in the outbox to endpoints that have an address: in order, each message until it is accepted or given up, to many
//! endpoints at once and to none twice.

#[cfg(test)]
mod tests;

use crate::exchange::Server;
use crate::exchange::outgoing::{Outgoing, Verdict};
use crate::exchange::patience::{LONGEST_WAIT, wait};
use crate::listener::{DialError, Dialer, Link};
use crate::outbox::{EndpointId, EndpointRecord, TRIAL};
use crate::store::Domain;
use kmip_protocol::{ResponseMessage, ResultStatus};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, timeout};

/// Endpoints that are served at once: one that hangs holds up nobody else while there are fewer.
const MOST_AT_ONCE: usize = 64;

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(250);

/// How long to wait before a domain whose endpoints could not be read is asked again.
const UNREAD: Duration = Duration::from_secs(10);

/// When an endpoint is to be served next, and how often that has failed since it last answered.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    failures: u32,
}

/// How a visit came out.
enum Visit {
    /// Nothing waits any more, or there is no such endpoint.
    Done,
    /// Something went wrong: again, later. Whether it had answered before that.
    Later {
        /// It had.
        answered: bool,
    },
}

/// Carries messages until the server is told to end. What is on its way then is finished or sent again by the next server.
pub async fn run(server: Arc<Server>, dialer: Arc<Dialer>, mut down: watch::Receiver<bool>) {
    let mut news = server.outbox().news();
    let mut round = Round::new(server, dialer);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => round.find_unread().await,
            changed = news.changed() => if changed.is_err() { break },
            Some(ended) = round.at_work.join_next_with_id(), if !round.at_work.is_empty() => round.ended(ended),
            Some(tried) = round.trials.join_next(), if !round.trials.is_empty() => round.tried(tried),
            changed = down.changed() => if changed.is_err() { break },
        }
        round.take_up();
    }
    // A peer that hangs does not keep the server from ending: nothing is lost that was not noted.
    round.at_work.shutdown().await;
    round.trials.shutdown().await;
}

struct Round {
    server: Arc<Server>,
    dialer: Arc<Dialer>,
    due: HashMap<EndpointId, Due>,
    /// Domains whose endpoints are yet to be read, and when.
    unread: Vec<Domain>,
    read_at: Instant,
    at_work: JoinSet<(u32, Visit)>,
    /// Whom each task at work serves: known also of one that panics.
    busy: HashMap<task::Id, EndpointId>,
    /// Tests, and whether they reached their endpoint. The outbox bounds their number.
    trials: JoinSet<(EndpointId, bool)>,
}

impl Round {
    fn new(server: Arc<Server>, dialer: Arc<Dialer>) -> Self {
        Self {
            server,
            dialer,
            due: HashMap::new(),
            unread: Vec::new(),
            read_at: Instant::now(),
            at_work: JoinSet::new(),
            busy: HashMap::new(),
            trials: JoinSet::new(),
        }
    }

    /// Looks for what nobody said that it waits: when the server starts, and when more was said than is remembered.
    async fn find_unread(&mut self) {
        if Instant::now() < self.read_at {
            return;
        }
        let outbox = self.server.outbox();
        if outbox.all_are_sought() {
            match self.server.identity().directory().tenants().await {
                Ok(tenants) => self.unread = tenants,
                Err(error) => {
                    tracing::error!(%error, "the tenants could not be read; what waits for their endpoints waits");
                    outbox.seek_all();
                    self.read_at = Instant::now() + UNREAD;
                }
            }
        }
        if self.unread.is_empty() {
            return;
        }
        for domain in core::mem::take(&mut self.unread) {
            match self.server.endpoints(domain).await {
                Ok(endpoints) => endpoints.iter().for_each(|(id, _)| self.note(*id)),
                // Its keys are away.
                Err(_) => self.unread.push(domain),
            }
        }
        self.read_at = Instant::now() + UNREAD;
    }

    /// Something new waits for an endpoint: now, unless it is left alone for a while.
    fn note(&mut self, endpoint: EndpointId) {
        let now = Due {
            at: Instant::now(),
            failures: 0,
        };
        self.due.entry(endpoint).or_insert(now);
    }

    fn take_up(&mut self) {
        if self.server.is_restored() {
            return;
        }
        for endpoint in self.server.outbox().stirred() {
            self.note(endpoint);
        }
        for trial in self.server.outbox().reports.trials() {
            let (server, dialer) = (Arc::clone(&self.server), Arc::clone(&self.dialer));
            self.trials.spawn(async move {
                let endpoint = trial.endpoint();
                let outcome = try_out(&server, &dialer, endpoint).await;
                let reached = outcome.is_ok();
                trial.tell(outcome.err());
                (endpoint, reached)
            });
        }
        let now = Instant::now();
        let busy: HashSet<EndpointId> = self.busy.values().copied().collect();
        let mut ready: Vec<(EndpointId, Due)> = self.due.iter().map(|(id, due)| (*id, *due)).collect();
        ready.retain(|(id, due)| due.at <= now && !busy.contains(id));
        ready.sort_by_key(|(_, due)| due.at);
        ready.truncate(MOST_AT_ONCE.saturating_sub(self.at_work.len()));
        for (endpoint, due) in ready {
            self.due.remove(&endpoint);
            let (server, dialer) = (Arc::clone(&self.server), Arc::clone(&self.dialer));
            let visit = async move { (due.failures, visit(&server, &dialer, endpoint).await) };
            self.busy.insert(self.at_work.spawn(visit).id(), endpoint);
        }
    }

    /// What waits for an endpoint that a test has reached need not wait longer.
    fn tried(&mut self, tried: Result<(EndpointId, bool), JoinError>) {
        match tried {
            Ok((endpoint, true)) => {
                if let Some(due) = self.due.get_mut(&endpoint) {
                    *due = Due {
                        at: Instant::now(),
                        failures: 0,
                    };
                }
            }
            Ok((_, false)) => {}
            Err(error) => tracing::error!(%error, "a test of an endpoint ended badly"),
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, (u32, Visit)), JoinError>) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let Some(endpoint) = self.busy.remove(&task) else {
            return;
        };
        let again = match ended {
            Ok((_, (_, Visit::Done))) => return,
            Ok((_, (failures, Visit::Later { answered }))) => {
                let failures = if answered { 0 } else { failures };
                Due {
                    at: Instant::now() + wait(failures),
                    failures: failures.saturating_add(1),
                }
            }
            Err(error) => {
                tracing::error!(%error, domain = %endpoint.domain, "carrying messages to an endpoint ended badly");
                let why = "carrying its messages failed in the server";
                self.server.outbox().reports.trouble(endpoint, why);
                Due {
                    at: Instant::now() + LONGEST_WAIT,
                    failures: u32::MAX,
                }
            }
        };
        self.due.insert(endpoint, again);
    }
}

/// Carries what waits for an endpoint.
async fn visit(server: &Server, dialer: &Dialer, endpoint: EndpointId) -> Visit {
    let record = match server.endpoint(endpoint).await {
        Ok(Some(record)) => record,
        Ok(None) => {
            server.outbox().reports.forget(endpoint);
            if let Err(failure) = server.remove_orphans(endpoint).await {
                tracing::error!(domain = %endpoint.domain, why = failure.fault().message(), "what waited for an endpoint that is gone is still there");
            }
            return Visit::Done;
        }
        Err(failure) => return unread(server, endpoint, failure.fault().message()),
    };
    // On its own connection the client fetches by itself.
    if record.address.is_none() {
        return Visit::Done;
    }
    match server.has_waiting(endpoint).await {
        Ok(true) => {}
        Ok(false) => return Visit::Done,
        Err(failure) => return unread(server, endpoint, failure.fault().message()),
    }
    let mut link = match connect(server, dialer, &record).await {
        Ok(link) => link,
        Err(error) => return trouble(server, (endpoint, &record), false, &error.to_string()),
    };
    let visit = carry(server, &mut link, endpoint, &record).await;
    link.close().await;
    visit
}

/// What is kept of an endpoint could not be read: it waits, and that is told of it.
fn unread(server: &Server, endpoint: EndpointId, why: &str) -> Visit {
    server.outbox().reports.trouble(endpoint, why);
    Visit::Later { answered: false }
}

async fn connect(server: &Server, dialer: &Dialer, record: &EndpointRecord) -> Result<Link, DialError> {
    let address = record.address.as_deref().ok_or(DialError::Address)?;
    let pin = record.pin.ok_or(DialError::Address)?;
    dialer.connect(address, pin, &server.outbox().allowed).await
}

async fn carry(server: &Server, link: &mut Link, endpoint: EndpointId, record: &EndpointRecord) -> Visit {
    let mut answered = false;
    loop {
        let outgoing = match server.next_outgoing(endpoint, None).await {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => return Visit::Done,
            Err(failure) => return trouble(server, (endpoint, record), answered, failure.fault().message()),
        };
        let answer = link.ask(outgoing.encode().expose()).await;
        let (accepted, usable) = match &answer {
            Ok(answer) => (judge(answer, &outgoing), true),
            Err(error) => (Err(error.to_string()), false),
        };
        match accepted {
            Ok(()) => match server.delivered(&outgoing).await {
                Ok(()) => {
                    answered = true;
                    server.outbox().reports.answered(endpoint, server.clock_ms());
                }
                Err(failure) => return trouble(server, (endpoint, record), answered, failure.fault().message()),
            },
            Err(why) => match server.refused(&outgoing, &why).await {
                Ok(Verdict::GivenUp) if usable => {}
                Ok(_) | Err(_) => return trouble(server, (endpoint, record), answered, &why),
            },
        }
    }
}

/// Whether an answer accepts a message (KMIP 2.1 §6.2.2: a Response without payload).
fn judge(answer: &[u8], outgoing: &Outgoing) -> Result<(), String> {
    let nonsense = || "what it answers is no answer".to_owned();
    let response = ResponseMessage::read(answer).map_err(|_| nonsense())?;
    let [item] = response.items.as_slice() else {
        return Err(nonsense());
    };
    if item.operation.is_some_and(|operation| operation != outgoing.operation) {
        return Err(nonsense());
    }
    if item.result_status == ResultStatus::Success {
        return Ok(());
    }
    let reason = item.result_reason.map(|reason| reason.to_string()).unwrap_or_default();
    Err(format!("it answers {} {reason}", item.result_status))
}

fn trouble(server: &Server, (endpoint, record): (EndpointId, &EndpointRecord), answered: bool, why: &str) -> Visit {
    let reports = &server.outbox().reports;
    if reports.of(endpoint).trouble.is_none() {
        tracing::warn!(domain = %endpoint.domain, endpoint = record.name, why, "messages for an endpoint wait");
    }
    reports.trouble(endpoint, why);
    Visit::Later { answered }
}

/// Tries an endpoint: a connection, whose peer neither refuses us nor says anything. What goes wrong, if anything does.
async fn try_out(server: &Server, dialer: &Dialer, endpoint: EndpointId) -> Result<(), String> {
    let record = match server.endpoint(endpoint).await {
        Ok(Some(record)) => record,
        Ok(None) => return Err("there is no such endpoint".to_owned()),
        Err(failure) => return Err(failure.fault().message().to_owned()),
    };
    let reports = &server.outbox().reports;
    let greeted = timeout(TRIAL, greet(server, dialer, &record)).await;
    match greeted.unwrap_or(Err(DialError::Slow)) {
        Ok(()) => {
            reports.reached(endpoint);
            Ok(())
        }
        Err(error) => {
            reports.trouble(endpoint, &error.to_string());
            Err(error.to_string())
        }
    }
}

async fn greet(server: &Server, dialer: &Dialer, record: &EndpointRecord) -> Result<(), DialError> {
    let mut link = connect(server, dialer, record).await?;
    link.stays().await?;
    link.close().await;
    Ok(())
}
