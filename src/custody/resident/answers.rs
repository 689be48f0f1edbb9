//! What a worker answers, handed to those who wait for it. Where the worker takes microseconds, one task looks for its answers, and the
//! runtime is not told of them: to wake a thread that sleeps takes longer than such an answer, and the worker would pay for it with each one
//! that it sends. Where the worker takes its time, the runtime tells when there is something.

use std::collections::HashMap;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use zeroize::Zeroize;

use crate::custody::harden::receive_now;
use crate::custody::slab::{Locked, Slab};
use crate::custody::worker::protocol::{FrameReader, Status};

/// The answers of a worker that takes less than this are looked for.
const QUICK: Duration = Duration::from_micros(120);
/// How much longer than twice what the worker takes they are.
const LOOK: Duration = Duration::from_micros(40);
/// So long without a request, and the runtime is asked to tell: the worker's end is noticed then too.
const IDLE: Duration = Duration::from_millis(100);

/// An answer of the worker.
pub(super) struct Answer {
    pub status: Status,
    pub detail: u64,
    pub payload: Locked,
}

/// Those who wait, by the number of their request.
type Waiting = HashMap<u64, oneshot::Sender<Answer>>;

pub(super) struct Answers {
    /// `None` when the worker is gone.
    waiting: Mutex<Option<Waiting>>,
    /// There is a request whose answer is to be looked for.
    roused: Notify,
    /// What the worker took for its last answers, in microseconds.
    pace: AtomicU64,
    slab: Slab,
}

/// What was found in the socket.
#[derive(PartialEq, Eq)]
enum Found {
    Nothing,
    Answers,
    /// The worker is gone, or talks nonsense.
    End,
}

impl Answers {
    pub(super) fn new(slab: Slab) -> Self {
        Self {
            waiting: Mutex::new(Some(Waiting::new())),
            roused: Notify::new(),
            // Nobody knows yet.
            pace: AtomicU64::new(u64::MAX),
            slab,
        }
    }

    /// A place for the answer to a request; `None` if the worker is gone.
    pub(super) fn expect(&self, number: u64) -> Option<oneshot::Receiver<Answer>> {
        let (answered, answer) = oneshot::channel();
        self.waiting().as_mut()?.insert(number, answered);
        Some(answer)
    }

    /// Has whoever delivers look for answers, where they are quick: a request was sent.
    pub(super) fn rouse(&self) {
        if self.looking_time().is_some() {
            self.roused.notify_one();
        }
    }

    /// Whether the worker was alive when last heard of.
    pub(super) fn are_expected(&self) -> bool {
        self.waiting().is_some()
    }

    /// Lets everybody who waits know that nothing comes any more.
    pub(super) fn end(&self) {
        *self.waiting() = None;
        self.roused.notify_one();
    }

    /// Hands out what comes, until the worker is gone.
    pub(super) async fn deliver(&self, socket: &UnixDatagram, mut buffer: Locked) {
        while self.listen(socket, &mut buffer).await && self.look(socket, &mut buffer).await {}
        self.end();
    }

    /// Hands out what the runtime tells of, as long as the worker takes its time or has nothing to do. Says whether it lives.
    async fn listen(&self, socket: &UnixDatagram, buffer: &mut Locked) -> bool {
        let Ok(inbox) = told_of(socket) else { return false };
        loop {
            let received = tokio::select! {
                received = inbox.recv(buffer.expose_mut()) => received,
                () = self.roused.notified() => return self.are_expected(),
            };
            match received {
                Ok(received) if received > 0 && self.hand_out(buffer, received) => {}
                _ => return false,
            }
            if self.looking_time().is_some() {
                return true;
            }
        }
    }

    /// Hands out the answers of a quick worker, until it has nothing to do for a while or is slow for once. Says whether it lives.
    async fn look(&self, socket: &UnixDatagram, buffer: &mut Locked) -> bool {
        let mut rest = std::pin::pin!(tokio::time::sleep(IDLE));
        let mut progress = Instant::now();
        let mut idle = true;
        while let Some(time) = self.looking_time() {
            match self.hand_out_all(socket, buffer) {
                Found::End => return false,
                Found::Answers => progress = Instant::now(),
                Found::Nothing if progress.elapsed() >= time => return true,
                Found::Nothing => {}
            }
            if self.is_nobody_waiting() {
                tokio::select! {
                    biased;
                    () = self.roused.notified() => {
                        if !self.are_expected() {
                            return false;
                        }
                        idle = false;
                    }
                    () = &mut rest => {
                        if idle {
                            return true;
                        }
                        rest.as_mut().reset(tokio::time::Instant::now() + IDLE);
                        idle = true;
                    }
                }
                progress = Instant::now();
            } else {
                // Others have their turn in between, on the processor and here.
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
        }
        true
    }

    /// How long to look for an answer: it is there sooner than a thread that sleeps is woken. `None` where the worker takes its time.
    pub(super) fn looking_time(&self) -> Option<Duration> {
        let pace = Duration::from_micros(self.pace.load(Ordering::Relaxed));
        (pace < QUICK).then(|| pace * 2 + LOOK)
    }

    fn hand_out_all(&self, socket: &UnixDatagram, buffer: &mut Locked) -> Found {
        let mut found = Found::Nothing;
        loop {
            match receive_now(socket, buffer.expose_mut()) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return found,
                Ok(received) if received > 0 && self.hand_out(buffer, received) => found = Found::Answers,
                _ => return Found::End,
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

    /// One that took long weighs little.
    fn note_pace(&self, took: u64) {
        let took = took.min(2 * u64::try_from(QUICK.as_micros()).unwrap_or(u64::MAX));
        let pace = match self.pace.load(Ordering::Relaxed) {
            u64::MAX => took,
            before => before.saturating_mul(3).saturating_add(took) / 4,
        };
        self.pace.store(pace, Ordering::Relaxed);
    }

    fn is_nobody_waiting(&self) -> bool {
        self.waiting().as_ref().is_none_or(HashMap::is_empty)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same socket, of which the runtime tells when something is in it or it has room, as long as this lives.
///
/// # Errors
/// What the operating system says.
pub(super) fn told_of(socket: &UnixDatagram) -> std::io::Result<tokio::net::UnixDatagram> {
    tokio::net::UnixDatagram::from_std(socket.try_clone()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinHandle;

    use super::*;
    use crate::custody::harden::socket_pair;
    use crate::custody::worker::protocol::{FrameWriter, MAX_FRAME};

    /// A worker's end, and who delivers what it says.
    struct Scene {
        slab: Slab,
        worker: UnixDatagram,
        answers: Arc<Answers>,
        delivering: JoinHandle<()>,
    }

    fn scene() -> Scene {
        let (near, far) = socket_pair().unwrap();
        let near = UnixDatagram::from(near);
        near.set_nonblocking(true).unwrap();
        let slab = Slab::new().unwrap();
        let answers = Arc::new(Answers::new(slab.clone()));
        let (same, buffer) = (Arc::clone(&answers), slab.allocate(MAX_FRAME).unwrap());
        Scene {
            slab,
            worker: UnixDatagram::from(far),
            answers,
            delivering: tokio::spawn(async move { same.deliver(&near, buffer).await }),
        }
    }

    impl Scene {
        /// Answers a request, and says what it took.
        fn answer(&self, number: u64, took: u64) {
            let mut frame = FrameWriter::empty(&self.slab).unwrap();
            frame.answer(Status::Done, number, took).unwrap();
            frame.raw(&number.to_be_bytes()).unwrap();
            self.worker.send(frame.bytes()).unwrap();
        }

        /// Asks, has it answered, and sees that the answer is that of the request.
        async fn ask(&self, number: u64, took: u64) {
            let answer = self.answers.expect(number).unwrap();
            self.answers.rouse();
            self.answer(number, took);
            let answer = answer.await.unwrap();
            assert_eq!(answer.payload.expose(), number.to_be_bytes());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_has_its_answer_however_long_the_worker_takes() {
        let scene = scene();
        let slow = 100 * u64::try_from(QUICK.as_micros()).unwrap();
        let mut number = 0;
        for took in [slow, 5, slow, 5] {
            for _ in 0..50 {
                number += 1;
                scene.ask(number, took).await;
            }
            assert_eq!(scene.answers.looking_time().is_some(), took == 5);
        }
        // After a rest the runtime is asked to tell again.
        tokio::time::sleep(IDLE * 3).await;
        scene.ask(number + 1, 5).await;
        // Answers that come late, in another order.
        let early = scene.answers.expect(1000).unwrap();
        let late = scene.answers.expect(1001).unwrap();
        scene.answers.rouse();
        tokio::time::sleep(IDLE).await;
        scene.answer(1001, 5);
        scene.answer(1000, 5);
        assert_eq!(early.await.unwrap().payload.expose(), 1000_u64.to_be_bytes());
        assert_eq!(late.await.unwrap().payload.expose(), 1001_u64.to_be_bytes());
    }

    #[tokio::test]
    async fn an_end_is_noticed_though_nobody_asks() {
        for took in [5, 1_000_000] {
            let scene = scene();
            scene.ask(1, took).await;
            drop(scene.worker);
            scene.delivering.await.unwrap();
            assert!(!scene.answers.are_expected() && scene.answers.expect(2).is_none());
        }
    }

    #[tokio::test]
    async fn an_end_and_nonsense_end_those_who_wait() {
        let silent = scene();
        silent.ask(1, 5).await;
        let waiting = silent.answers.expect(2).unwrap();
        silent.answers.rouse();
        drop(silent.worker);
        assert!(waiting.await.is_err());

        let nonsense = scene();
        nonsense.ask(1, 5).await;
        let waiting = nonsense.answers.expect(2).unwrap();
        nonsense.worker.send(b"?").unwrap();
        assert!(waiting.await.is_err());
        nonsense.delivering.await.unwrap();
    }
}
