//! A running worker process and the packets to and from it.

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::answers::{Answer, Answers, told_of};
use crate::custody::error::CustodyError;
use crate::custody::harden::socket_pair;
use crate::custody::slab::Slab;
use crate::custody::worker::PARENT;
use crate::custody::worker::protocol::MAX_FRAME;

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

pub(super) struct Link {
    socket: Arc<UnixDatagram>,
    answers: Arc<Answers>,
    numbers: AtomicU64,
    kill: mpsc::Sender<()>,
    killed: AtomicBool,
    /// Becomes true when the process is gone.
    buried: watch::Receiver<bool>,
    process: u32,
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

        let near = UnixDatagram::from(near);
        near.set_nonblocking(true).map_err(|_| CustodyError::Unavailable)?;
        let link = Arc::new(Self {
            socket: Arc::new(near),
            answers: Arc::new(Answers::new(slab.clone())),
            numbers: AtomicU64::new(1),
            kill,
            killed: AtomicBool::new(false),
            buried,
            process,
        });
        let (socket, answers) = (Arc::clone(&link.socket), Arc::clone(&link.answers));
        let (buffer, kill) = (slab.allocate(MAX_FRAME)?, link.kill.clone());
        tokio::spawn(async move {
            answers.deliver(&socket, buffer).await;
            // The keeper may be gone, and the worker with it.
            let _ = kill.send(());
        });
        Ok(link)
    }

    /// The number for the next request.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and waits for its answer, however long; `None` if the worker is dead or dies.
    pub(super) async fn ask(&self, number: u64, frame: &[u8]) -> Option<Answer> {
        let answer = self.answers.expect(number)?;
        if self.send(frame).await.is_err() {
            self.end();
        }
        self.answers.rouse();
        answer.await.ok()
    }

    /// Sends a frame, once the worker's queue has room for it.
    async fn send(&self, frame: &[u8]) -> std::io::Result<()> {
        let begun = Instant::now();
        loop {
            match self.socket.send(frame) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                outcome => return outcome.map(drop),
            }
            if self.answers.looking_time().is_none_or(|time| begun.elapsed() > time) {
                break;
            }
            tokio::task::yield_now().await;
        }
        told_of(&self.socket)?.send(frame).await.map(drop)
    }

    /// Whether the worker was alive when last heard of.
    pub(super) fn is_alive(&self) -> bool {
        self.answers.are_expected()
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
        self.answers.end();
        // The keeper may be gone, and the worker with it.
        let _ = self.kill.send(());
    }

    /// The worker's process number.
    pub(super) fn process(&self) -> u32 {
        self.process
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
