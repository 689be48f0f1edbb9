//! Carries what waits in the outbox to endpoints that have an address: in order, each message until it is accepted or given up, to many
//! endpoints at once and to none twice.

#[cfg(test)]
mod tests;

use crate::exchange::Server;
use crate::exchange::outgoing::{Outgoing, Verdict};
use crate::exchange::patience::{LONGEST_WAIT, wait};
use crate::listener::{DialError, Dialer, Link};
use crate::outbox::{EndpointId, EndpointRecord};
use crate::store::Domain;
use kmip_protocol::{ResponseMessage, ResultStatus};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

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
    round.find_all().await;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !*down.borrow() {
        tokio::select! {
            _ = ticks.tick() => round.find_unread().await,
            changed = news.changed() => if changed.is_err() { break },
            Some(ended) = round.at_work.join_next(), if !round.at_work.is_empty() => round.ended(ended),
            changed = down.changed() => if changed.is_err() { break },
        }
        round.take_up();
    }
    // A peer that hangs does not keep the server from ending: nothing is lost that was not noted.
    round.at_work.shutdown().await;
}

struct Round {
    server: Arc<Server>,
    dialer: Arc<Dialer>,
    due: HashMap<EndpointId, Due>,
    busy: HashSet<EndpointId>,
    /// Domains whose endpoints are yet to be read, and when.
    unread: Vec<Domain>,
    read_at: Instant,
    at_work: JoinSet<(EndpointId, u32, Visit)>,
}

impl Round {
    fn new(server: Arc<Server>, dialer: Arc<Dialer>) -> Self {
        Self {
            server,
            dialer,
            due: HashMap::new(),
            busy: HashSet::new(),
            unread: Vec::new(),
            read_at: Instant::now(),
            at_work: JoinSet::new(),
        }
    }

    /// What was left when the server starts.
    async fn find_all(&mut self) {
        match self.server.identity().directory().tenants().await {
            Ok(tenants) => self.unread = tenants,
            Err(error) => {
                tracing::error!(%error, "the tenants could not be read; what waits for their endpoints waits")
            }
        }
        self.find_unread().await;
    }

    async fn find_unread(&mut self) {
        if self.unread.is_empty() || Instant::now() < self.read_at {
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
        for endpoint in self.server.outbox().stirred() {
            self.note(endpoint);
        }
        for (endpoint, told) in self.server.outbox().reports.trials() {
            let (server, dialer) = (Arc::clone(&self.server), Arc::clone(&self.dialer));
            // A test is bounded by its own deadlines, and their number by the outbox.
            tokio::spawn(async move {
                let _ = told.send(try_out(&server, &dialer, endpoint).await);
            });
        }
        let now = Instant::now();
        for (endpoint, due) in &mut self.due {
            // A test has reached it: what waits need not wait longer.
            if due.failures > 0 && self.server.outbox().reports.of(*endpoint).trouble.is_none() {
                *due = Due { at: now, failures: 0 };
            }
        }
        let mut ready: Vec<(EndpointId, Due)> = self.due.iter().map(|(id, due)| (*id, *due)).collect();
        ready.retain(|(id, due)| due.at <= now && !self.busy.contains(id));
        ready.sort_by_key(|(_, due)| due.at);
        ready.truncate(MOST_AT_ONCE.saturating_sub(self.at_work.len()));
        for (endpoint, due) in ready {
            self.due.remove(&endpoint);
            self.busy.insert(endpoint);
            let (server, dialer) = (Arc::clone(&self.server), Arc::clone(&self.dialer));
            self.at_work
                .spawn(async move { (endpoint, due.failures, visit(&server, &dialer, endpoint).await) });
        }
    }

    fn ended(&mut self, ended: Result<(EndpointId, u32, Visit), tokio::task::JoinError>) {
        match ended {
            Ok((endpoint, _, Visit::Done)) => {
                self.busy.remove(&endpoint);
            }
            Ok((endpoint, failures, Visit::Later { answered })) => {
                self.busy.remove(&endpoint);
                let failures = if answered { 0 } else { failures };
                let later = Due {
                    at: Instant::now() + wait(failures),
                    failures: failures.saturating_add(1),
                };
                self.due.insert(endpoint, later);
            }
            // Which one it was is not known: all are looked at again.
            Err(error) => {
                tracing::error!(%error, "carrying messages ended badly");
                for endpoint in core::mem::take(&mut self.busy) {
                    self.due.insert(
                        endpoint,
                        Due {
                            at: Instant::now() + LONGEST_WAIT,
                            failures: 0,
                        },
                    );
                }
            }
        }
    }
}

/// Carries what waits for an endpoint.
async fn visit(server: &Server, dialer: &Dialer, endpoint: EndpointId) -> Visit {
    let record = match server.endpoint(endpoint).await {
        Ok(Some(record)) => record,
        Ok(None) => {
            server.outbox().reports.forget(endpoint);
            return Visit::Done;
        }
        Err(_) => return Visit::Later { answered: false },
    };
    // On its own connection the client fetches by itself.
    if record.address.is_none() {
        return Visit::Done;
    }
    match server.has_waiting(endpoint).await {
        Ok(true) => {}
        Ok(false) => return Visit::Done,
        Err(_) => return Visit::Later { answered: false },
    }
    let mut link = match connect(server, dialer, &record).await {
        Ok(link) => link,
        Err(error) => return trouble(server, (endpoint, &record), false, &error.to_string()),
    };
    let visit = carry(server, &mut link, endpoint, &record).await;
    link.close().await;
    visit
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

/// What goes wrong with an endpoint, if anything does.
async fn try_out(server: &Server, dialer: &Dialer, endpoint: EndpointId) -> Option<String> {
    let record = match server.endpoint(endpoint).await {
        Ok(Some(record)) => record,
        Ok(None) => return Some("there is no such endpoint".to_owned()),
        Err(failure) => return Some(failure.fault().message().to_owned()),
    };
    match connect(server, dialer, &record).await {
        Ok(link) => {
            link.close().await;
            server.outbox().reports.answered(endpoint, server.clock_ms());
            None
        }
        Err(error) => {
            server.outbox().reports.trouble(endpoint, &error.to_string());
            Some(error.to_string())
        }
    }
}
