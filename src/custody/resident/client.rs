//! The server's side of an HSM worker: requests with deadlines, restarts, and the breaker.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::timeout;

use super::answers::Answer;
use super::breaker::{Breaker, Pass};
use super::link::{Link, WorkerCommand};
use crate::custody::error::CustodyError;
use crate::custody::probe::{PairScheme, Scheme};
use crate::custody::slab::{Locked, Slab};
use crate::custody::worker::protocol::{FrameWriter, KEK_FRAME, Kind, MAX_FRAME, Role, Status};

/// Requests at a worker at most, and for each of its sessions; more wait in the server, so that a deadline measures the HSM and not the
/// queue before it.
const IN_FLIGHT: usize = 256;
const IN_FLIGHT_EACH: usize = 8;

/// How many deadlines a trial of the token has: it may make an RSA key pair.
const TRIAL_DEADLINES: u32 = 4;

/// A token and how to reach it.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// How the worker is started.
    pub command: WorkerCommand,
    /// The PKCS#11 module.
    pub module: PathBuf,
    /// The token's label.
    pub label: String,
    /// Its serial number, if it is to be checked too.
    pub serial: Option<String>,
    /// Sessions for requests at most; the token may grant fewer.
    pub sessions: u16,
    /// How long the HSM may take for one request before its worker is killed and started anew.
    pub deadline: Duration,
    /// How new KEKs are to wrap.
    pub scheme: Scheme,
    /// What new key pairs are to be; `None` if the token can have none that serve.
    pub pairs: Option<PairScheme>,
}

impl TokenSettings {
    /// 8 sessions and 5 seconds.
    #[must_use]
    pub fn new(command: WorkerCommand, module: PathBuf, label: &str) -> Self {
        Self {
            command,
            module,
            label: label.to_owned(),
            serial: None,
            sessions: 8,
            deadline: Duration::from_secs(5),
            scheme: Scheme::default(),
            pairs: Some(PairScheme::default()),
        }
    }
}

/// Why there is no answer.
enum Failure {
    /// The worker died by itself.
    Died,
    /// The worker was killed, since it hung.
    Killed,
    /// The request was not sent.
    Here(CustodyError),
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        Self::Here(error)
    }
}

/// A worker, and the PIN that it was given.
#[derive(Clone)]
struct Worker {
    link: Arc<Link>,
    pin: Arc<Locked>,
}

/// A worker that was started and that nobody keeps yet. Dropped, it is killed: it would stay for ever, logged in, and nobody would ask it
/// anything.
struct Newcomer(Option<Worker>);

impl Newcomer {
    fn keep(mut self) -> Option<Worker> {
        self.0.take()
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(worker) = self.0.take() {
            worker.link.kill();
        }
    }
}

pub(super) struct Client {
    settings: TokenSettings,
    role: Role,
    /// The PIN, and another one that it may have been changed to.
    pins: Mutex<(Arc<Locked>, Option<Arc<Locked>>)>,
    slab: Slab,
    worker: Mutex<Option<Worker>>,
    /// When a start failed last. Whoever waited for it meanwhile has its answer.
    starting: AsyncMutex<Option<Instant>>,
    breaker: Breaker,
    in_flight: Semaphore,
}

impl Client {
    /// Starts nothing yet.
    pub(super) fn new(settings: TokenSettings, role: Role, pin: Arc<Locked>, slab: Slab) -> Self {
        let in_flight = usize::from(settings.sessions.max(1)).saturating_mul(IN_FLIGHT_EACH);
        Self {
            settings,
            role,
            pins: Mutex::new((pin, None)),
            slab,
            worker: Mutex::default(),
            starting: AsyncMutex::default(),
            breaker: Breaker::default(),
            in_flight: Semaphore::new(in_flight.min(IN_FLIGHT)),
        }
    }

    /// The same token with another role and PIN.
    pub(super) fn with_role(&self, role: Role, pin: Arc<Locked>) -> Self {
        Self::new(self.settings.clone(), role, pin, self.slab.clone())
    }

    /// The same token for trials, which may take longer than what is done every day.
    pub(super) fn for_examination(&self, role: Role, pin: Arc<Locked>) -> Self {
        let mut client = self.with_role(role, pin);
        client.settings.deadline *= TRIAL_DEADLINES;
        client
    }

    /// Whether the PIN was refused, so that it is not sent any more.
    pub(super) fn is_refused(&self) -> bool {
        self.breaker.is_stopped()
    }

    /// Takes note of a refusal that another worker with the same PIN has met.
    pub(super) fn note_refusal(&self) {
        self.breaker.stop();
    }

    /// How new KEKs are to wrap.
    pub(super) fn scheme(&self) -> Scheme {
        self.settings.scheme
    }

    /// What new key pairs are to be.
    pub(super) fn pairs(&self) -> Option<PairScheme> {
        self.settings.pairs
    }

    /// Sessions for requests at most.
    pub(super) fn sessions(&self) -> u16 {
        self.settings.sessions
    }

    /// With another PIN, to be tried if the token does not take the first.
    pub(super) fn or(self, other: Option<Locked>) -> Self {
        self.pins().1 = other.map(Arc::new);
        self
    }

    /// The PIN, once the token has taken it if it may be one of two.
    pub(super) async fn settled_pin(&self) -> Result<Arc<Locked>, CustodyError> {
        let unsettled = self.pins().1.is_some();
        if unsettled {
            self.ask(Kind::Probe, KEK_FRAME, &|_| Ok(())).await?;
        }
        Ok(self.pin())
    }

    /// The PIN, as far as it is known.
    fn pin(&self) -> Arc<Locked> {
        Arc::clone(&self.pins().0)
    }

    /// Puts the other PIN in place of the one that was refused, if there is one: neither is sent twice. Says whether there is one that was
    /// not refused.
    fn turn_from(&self, refused: &Arc<Locked>) -> bool {
        let mut pins = self.pins();
        if !Arc::ptr_eq(&pins.0, refused) {
            // Somebody else was here first.
            return true;
        }
        match pins.1.take() {
            Some(other) => {
                pins.0 = other;
                true
            }
            None => false,
        }
    }

    fn pins(&self) -> std::sync::MutexGuard<'_, (Arc<Locked>, Option<Arc<Locked>>)> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process number of the running worker.
    pub(super) fn process(&self) -> Option<u32> {
        self.present().map(|worker| worker.link.process())
    }

    /// Asks the worker. `fields` writes the request's fields; it may be called again for a second worker.
    pub(super) async fn ask(
        &self,
        kind: Kind,
        capacity: usize,
        fields: &(dyn Fn(&mut FrameWriter) -> Result<(), CustodyError> + Send + Sync),
    ) -> Result<Locked, CustodyError> {
        let pass = self.breaker.enter()?;
        let waited = timeout(self.settings.deadline, self.in_flight.acquire()).await;
        let _room = waited
            .map_err(|_| CustodyError::Unavailable)?
            .map_err(|_| CustodyError::Unavailable)?;
        let mut answer = self.try_ask(kind, capacity, fields).await;
        // Nobody killed it, and asking another one changes nothing in the HSM that was not changed; but for the PIN, which the token may have
        // taken before it died: another one would be refused with what was the PIN before, and that looked like an answer.
        if matches!(answer, Err(Failure::Died)) && kind != Kind::SetPin {
            answer = self.try_ask(kind, capacity, fields).await;
        }
        let (status, detail) = match answer {
            Ok(Answer {
                status: Status::Done,
                payload,
                ..
            }) => {
                pass.answered();
                return Ok(payload);
            }
            Ok(Answer { status, detail, .. }) => (status, detail),
            Err(Failure::Died | Failure::Killed) => (Status::Outage, 0),
            Err(Failure::Here(error)) => return Err(error),
        };
        self.judge(pass, status, detail)
    }

    /// What a failed answer means for the caller, the breaker and the log.
    fn judge(&self, pass: Pass<'_>, status: Status, detail: u64) -> Result<Locked, CustodyError> {
        let token = self.settings.label.as_str();
        match status {
            Status::Outage => {
                let restart = pass.failed();
                tracing::warn!(token, code = format_args!("{detail:#x}"), restart, "HSM outage");
                if restart {
                    self.restart();
                }
                Err(CustodyError::Unavailable)
            }
            Status::Missing => {
                pass.answered();
                Err(CustodyError::UnknownKek)
            }
            Status::Credential => {
                pass.refused();
                tracing::error!(token, code = format_args!("{detail:#x}"), "HSM refused the PIN");
                Err(CustodyError::Credential)
            }
            Status::Refused => {
                pass.answered();
                Err(CustodyError::Refused)
            }
            Status::Exists => {
                pass.answered();
                Err(CustodyError::Exists)
            }
            // No session was left: another time there may be one.
            Status::Limit => {
                if pass.crowded() {
                    tracing::warn!(
                        token,
                        code = format_args!("{detail:#x}"),
                        "the HSM has nothing left for requests"
                    );
                    self.restart();
                }
                Err(CustodyError::Unavailable)
            }
            Status::Misfit | Status::Done => {
                pass.answered();
                Err(CustodyError::Limit)
            }
        }
    }

    /// Has the next request start a worker anew.
    fn restart(&self) {
        if let Some(worker) = self.present() {
            worker.link.kill();
        }
    }

    /// Asks a worker, and another one with the other PIN if the token takes the first no more.
    async fn try_ask(
        &self,
        kind: Kind,
        capacity: usize,
        fields: &(dyn Fn(&mut FrameWriter) -> Result<(), CustodyError> + Send + Sync),
    ) -> Result<Answer, Failure> {
        loop {
            let worker = match self.present() {
                Some(worker) => worker,
                None => match self.start().await? {
                    Ok(worker) => worker,
                    Err(refusal) => return Ok(refusal),
                },
            };
            let number = worker.link.number();
            let mut frame = FrameWriter::request(&self.slab, capacity, kind, number)?;
            fields(&mut frame)?;
            let answer = self.within_deadline(&worker.link, number, &frame).await?;
            // A token that was away at the start is logged in to later.
            if answer.status != Status::Credential || !self.turn_from(&worker.pin) {
                return Ok(answer);
            }
            worker.link.kill();
        }
    }

    async fn within_deadline(&self, link: &Link, number: u64, frame: &FrameWriter) -> Result<Answer, Failure> {
        match timeout(self.settings.deadline, link.ask(number, frame.bytes())).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) if link.was_killed() => Err(Failure::Killed),
            Ok(None) => Err(Failure::Died),
            Err(_) => {
                tracing::error!(token = %self.settings.label, "HSM hangs: its worker is killed");
                link.kill();
                // Whoever is told of the failure may try again, with another worker. One that the system does not let die is waited for
                // no longer than one that hangs.
                let _ = timeout(self.settings.deadline, link.buried()).await;
                Err(Failure::Killed)
            }
        }
    }

    fn present(&self) -> Option<Worker> {
        let mut present = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if present.as_ref().is_some_and(|worker| !worker.link.is_alive()) {
            *present = None;
        }
        present.clone()
    }

    /// Starts a worker, unless somebody else just did or failed to.
    async fn start(&self) -> Result<Result<Worker, Answer>, Failure> {
        let asked = Instant::now();
        let mut failed = self.starting.lock().await;
        if let Some(worker) = self.present() {
            return Ok(Ok(worker));
        }
        if failed.is_some_and(|failed| failed > asked) {
            return Err(Failure::Killed);
        }
        let pin = self.pin();
        let mut outcome = self.start_and_greet(&pin).await;
        let refused = |outcome: &Result<Result<_, Answer>, _>| matches!(outcome, Ok(Err(answer)) if answer.status == Status::Credential);
        if refused(&outcome) && self.turn_from(&pin) {
            outcome = self.start_and_greet(&self.pin()).await;
        }
        if outcome.is_err() {
            *failed = Some(Instant::now());
        }
        outcome
    }

    /// Starts a worker and greets it. One that cannot log in stays, and tries again with each request; one whose PIN
    /// was refused does not.
    async fn start_and_greet(&self, pin: &Arc<Locked>) -> Result<Result<Worker, Answer>, Failure> {
        let link = Link::start(&self.settings.command, &self.slab).await?;
        let newcomer = Newcomer(Some(Worker {
            link: Arc::clone(&link),
            pin: Arc::clone(pin),
        }));
        let number = link.number();
        let mut frame = FrameWriter::request(&self.slab, MAX_FRAME, Kind::Hello, number)?;
        frame.role(self.role)?;
        frame.raw(&self.settings.sessions.to_be_bytes())?;
        frame.field(std::os::unix::ffi::OsStrExt::as_bytes(self.settings.module.as_os_str()))?;
        frame.field(self.settings.label.as_bytes())?;
        frame.field(self.settings.serial.as_deref().unwrap_or_default().as_bytes())?;
        frame.field(pin.expose())?;
        let answer = self.within_deadline(&link, number, &frame).await?;
        if answer.status == Status::Credential || !link.is_alive() {
            return Ok(Err(answer));
        }
        let worker = newcomer.keep();
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = worker.clone();
        worker.map(Ok).ok_or(Failure::Died)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(worker) = self.present() {
            worker.link.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A worker that says nothing, and notes its process number.
    fn silent(folder: &std::path::Path) -> TokenSettings {
        let program = folder.join("worker");
        let number = folder.join("number");
        let text = format!(
            "#!/bin/sh\necho $$ >{0}.new\nmv {0}.new {0}\nexec sleep 600\n",
            number.display()
        );
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let command = WorkerCommand {
            program,
            environment: Vec::new(),
        };
        TokenSettings::new(command, "/no/module".into(), "no token")
    }

    #[tokio::test]
    async fn whoever_stops_waiting_for_a_start_leaves_no_worker() {
        let folder = tempfile::tempdir().unwrap();
        let slab = Slab::new().unwrap();
        let mut settings = silent(folder.path());
        settings.deadline = Duration::from_secs(600);
        let client = Client::new(settings, Role::Usage, Arc::new(slab.allocate(4).unwrap()), slab);
        let number = folder.path().join("number");
        let started = async {
            while !number.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = client.ask(Kind::Probe, KEK_FRAME, &|_| Ok(())) => panic!("it says nothing"),
            () = started => {}
        }
        let process = std::fs::read_to_string(number).unwrap();
        let process = std::path::PathBuf::from(format!("/proc/{}", process.trim()));
        // The keeper buries it. Nothing else ends it within this test's patience.
        let gone = async {
            while process.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(Duration::from_secs(60), gone).await.is_ok());
    }
}
