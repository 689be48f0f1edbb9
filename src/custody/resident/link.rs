//! A running worker process and the packets to and from it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError, mpsc};
use std::time::{Duration, Instant};

use tokio::net::UnixDatagram;
use tokio::sync::{oneshot, watch};
use zeroize::Zeroize;

use crate::custody::error::CustodyError;
use crate::custody::harden::{receive_now, socket_pair};
use crate::custody::slab::{Locked, Slab};
use crate::custody::worker::PARENT;
use crate::custody::worker::protocol::{FrameReader, MAX_FRAME, Status};

/// How a worker process is started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program that has `hsm-worker`: this one.
    pub program: PathBuf,
    /// What the module reads from its environment, beside what the server itself has (`SOFTHSM2_CONF` …).
    pub environment: Vec<(String, OsString)>,
}

impl WorkerCommand {
    /// The running program itself.
    ///
    /// # Errors
    /// [`CustodyError::Unavailable`] if the operating system cannot tell its path.
    pub fn this_program(environment: Vec<(String, OsString)>) -> Result<Self, CustodyError> {
        let program = std::env::current_exe().map_err(|_| CustodyError::Unavailable)?;
        Ok(Self { program, environment })
    }
}

/// Whoever asks a worker that takes less than this for an answer looks for it before he sleeps.
const QUICK: Duration = Duration::from_micros(120);
/// How much longer than the worker takes he looks.
const LOOK: Duration = Duration::from_micros(40);

/// An answer of the worker.
pub(super) struct Answer {
    pub status: Status,
    pub detail: u64,
    pub payload: Locked,
}

pub(super) struct Link {
    socket: UnixDatagram,
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>,
    numbers: AtomicU64,
    kill: mpsc::Sender<()>,
    killed: AtomicBool,
    /// Becomes true when the process is gone.
    buried: watch::Receiver<bool>,
    process: u32,
    slab: Slab,
    /// Where answers are received by whoever looks for his own.
    room: Mutex<Locked>,
    /// Whether somebody does.
    looking: AtomicBool,
    /// What the worker took for its last answers, in microseconds.
    pace: AtomicU64,
}

/// Somebody looks for his answer, until this is dropped.
struct Looking<'a>(&'a AtomicBool);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Link {
    /// Starts a worker. Needs a tokio runtime, which then delivers its answers.
    pub(super) async fn start(command: &WorkerCommand, slab: &Slab) -> Result<Arc<Self>, CustodyError> {
        let (near, far) = socket_pair().map_err(|_| CustodyError::Limit)?;
        let mut child = Command::new(&command.program);
        child
            .arg("hsm-worker")
            .stdin(Stdio::from(far))
            .stdout(Stdio::null())
            .envs(command.environment.iter().map(|(name, value)| (name, value)))
            .env_remove(crate::custody::token::MANAGEMENT_VARIABLE)
            .env(PARENT, std::process::id().to_string());
        // The terminal's interrupt is for the server, which drains first.
        std::os::unix::process::CommandExt::process_group(&mut child, 0);
        let (kill, killed) = mpsc::channel();
        let (started, start) = oneshot::channel();
        let (bury, buried) = watch::channel(false);
        // A thread of its own: the worker asks the kernel to die with the thread that started it, and the runtime's
        // threads come and go.
        std::thread::Builder::new()
            .name("hsm-keeper".to_owned())
            .spawn(move || {
                keep(child, started, &killed);
                // Nobody may wait for it.
                let _ = bury.send(true);
            })
            .map_err(|_| CustodyError::Limit)?;
        let process = start.await.ok().flatten().ok_or(CustodyError::Unavailable)?;

        let near = std::os::unix::net::UnixDatagram::from(near);
        near.set_nonblocking(true).map_err(|_| CustodyError::Unavailable)?;
        let link = Arc::new(Self {
            socket: UnixDatagram::from_std(near).map_err(|_| CustodyError::Unavailable)?,
            waiting: Mutex::new(Some(HashMap::new())),
            numbers: AtomicU64::new(1),
            kill,
            killed: AtomicBool::new(false),
            buried,
            process,
            slab: slab.clone(),
            room: Mutex::new(slab.allocate(MAX_FRAME)?),
            looking: AtomicBool::new(false),
            // Nobody knows yet.
            pace: AtomicU64::new(u64::MAX),
        });
        let buffer = slab.allocate(MAX_FRAME)?;
        tokio::spawn(deliver(Arc::clone(&link), buffer));
        Ok(link)
    }

    /// The number for the next request.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and waits for its answer, however long; `None` if the worker is dead or dies.
    pub(super) async fn ask(&self, number: u64, frame: &[u8]) -> Option<Answer> {
        let (answered, mut answer) = oneshot::channel();
        self.waiting().as_mut()?.insert(number, answered);
        let sent = match self.socket.try_send(frame) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.socket.send(frame).await,
            outcome => outcome,
        };
        if sent.is_err() {
            self.end();
        } else if let Some(time) = self.worth_looking() {
            // Others have their turn in between, here and on the processor.
            let begun = Instant::now();
            let _looking = Looking(&self.looking);
            while begun.elapsed() < time {
                self.look();
                match answer.try_recv() {
                    Ok(answer) => return Some(answer),
                    Err(oneshot::error::TryRecvError::Closed) => return None,
                    Err(oneshot::error::TryRecvError::Empty) => {}
                }
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
        }
        answer.await.ok()
    }

    /// How long to look for an answer: it is there sooner than a thread that sleeps is woken. One does, for all who wait.
    fn worth_looking(&self) -> Option<Duration> {
        let pace = Duration::from_micros(self.pace.load(Ordering::Relaxed));
        let first = pace < QUICK && !self.looking.swap(true, Ordering::AcqRel);
        first.then(|| pace * 2 + LOOK)
    }

    /// Hands out the answers that are there.
    fn look(&self) {
        let mut room = match self.room.try_lock() {
            Ok(room) => room,
            Err(TryLockError::Poisoned(room)) => room.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        loop {
            match receive_now(&self.socket, room.expose_mut()) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Ok(received) if received > 0 && self.hand_out(&mut room, received) => {}
                _ => return self.end(),
            }
        }
    }

    /// Hands an answer to the request that waits for it. Says whether it could be read.
    fn hand_out(&self, buffer: &mut Locked, received: usize) -> bool {
        let frame = buffer.expose().get(..received).unwrap_or_default();
        let read = FrameReader::answer(frame).and_then(|(status, number, detail, fields)| {
            Ok((
                number,
                Answer {
                    status,
                    detail,
                    payload: self.slab.copy_from(fields.rest())?,
                },
            ))
        });
        buffer.expose_mut().get_mut(..received).unwrap_or_default().zeroize();
        let Ok((number, answer)) = read else { return false };
        if answer.status == Status::Done {
            self.note_pace(answer.detail);
        }
        let asked = self.waiting().as_mut().and_then(|waiting| waiting.remove(&number));
        if let Some(asked) = asked {
            // Whoever asked may have stopped waiting.
            let _ = asked.send(answer);
        }
        true
    }

    /// One that took long weighs little. Two that do this at once lose one of them, which matters to nobody.
    fn note_pace(&self, took: u64) {
        let took = took.min(2 * u64::try_from(QUICK.as_micros()).unwrap_or(u64::MAX));
        let pace = match self.pace.load(Ordering::Relaxed) {
            u64::MAX => took,
            before => before.saturating_mul(3).saturating_add(took) / 4,
        };
        self.pace.store(pace, Ordering::Relaxed);
    }

    /// Whether the worker was alive when last heard of.
    pub(super) fn is_alive(&self) -> bool {
        self.waiting().is_some()
    }

    /// Kills the worker, at once.
    pub(super) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.end();
    }

    /// Waits until the process is gone: as long as it is not, it may go on with what it was asked.
    pub(super) async fn buried(&self) {
        // The keeper's end is that of the process too.
        let _ = self.buried.clone().wait_for(|gone| *gone).await;
    }

    /// Whether it was killed, and did not die by itself.
    pub(super) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Lets everybody who waits know, and has the process buried.
    fn end(&self) {
        *self.waiting() = None;
        // The keeper may be gone, and the worker with it.
        let _ = self.kill.send(());
    }

    /// The worker's process number.
    pub(super) fn process(&self) -> u32 {
        self.process
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Answer>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the process, waits for the order to end it (or for nobody being left to give one), and buries it.
fn keep(mut command: Command, started: oneshot::Sender<Option<u32>>, killed: &mpsc::Receiver<()>) {
    let child = command.spawn();
    // Holds the worker's end of the socket pair, which must be the worker's alone.
    drop(command);
    let Ok(mut child) = child else {
        let _ = started.send(None);
        return;
    };
    if started.send(Some(child.id())).is_ok() {
        let _ = killed.recv();
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Hands out what comes, until the worker is gone.
async fn deliver(link: Arc<Link>, mut buffer: Locked) {
    loop {
        match link.socket.recv(buffer.expose_mut()).await {
            Ok(received) if received > 0 && link.hand_out(&mut buffer, received) => {}
            _ => break,
        }
    }
    link.end();
}
