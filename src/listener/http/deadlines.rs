//! The deadlines of a connection that somebody else reads and writes: for the next request, for the whole of one, and for taking what
//! is written.

use crate::listener::Limits;
use crate::listener::connection::Ended;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// The first byte of a request, until then.
    Request(Instant),
    /// The rest of one, until then.
    Rest(Instant),
    /// Nothing of the peer's: it is being answered.
    Answer,
}

struct State {
    awaited: Awaited,
    /// By when the answers that are being written are to be taken, all of them: whoever takes some bytes now and then has no more time.
    taken_by: Option<Instant>,
    ended: Option<Ended>,
}

/// In which phase a connection is; shared by the stream, and whoever answers.
#[derive(Clone)]
pub(super) struct Phase {
    state: Arc<Mutex<State>>,
    message: Duration,
    idle: Duration,
    write: Duration,
}

impl Phase {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The request is there, whole.
    pub(super) fn answering(&self) {
        self.with(|state| state.awaited = Awaited::Answer);
    }

    /// It is answered: the answer is to be taken, and the next one may come.
    pub(super) fn answered(&self) {
        let now = Instant::now();
        self.with(|state| {
            state.awaited = Awaited::Request(now + self.idle);
            state.taken_by.get_or_insert(now + self.write);
        });
    }

    /// All that was written is taken.
    fn taken(&self) {
        self.with(|state| state.taken_by = None);
    }

    /// No further request is waited for.
    pub(super) fn close(&self) {
        self.with(|state| {
            if let Awaited::Request(until) = &mut state.awaited {
                *until = Instant::now();
            }
        });
    }

    /// Why the connection failed.
    pub(super) fn ended(&self) -> Ended {
        self.with(|state| state.ended.unwrap_or(Ended::Transport))
    }

    /// The beginning of a request is there: the rest has its time.
    pub(super) fn began(&self) {
        let until = Instant::now() + self.message;
        self.with(|state| {
            if let Awaited::Request(_) = state.awaited {
                state.awaited = Awaited::Rest(until);
            }
        });
    }

    fn deadline(&self) -> Option<(Instant, Ended)> {
        self.with(|state| match state.awaited {
            Awaited::Request(until) => Some((until, Ended::Idle)),
            Awaited::Rest(until) => Some((until, Ended::SlowMessage)),
            Awaited::Answer => None,
        })
    }

    fn over(&self, why: Ended) -> io::Error {
        self.with(|state| state.ended = Some(why));
        io::ErrorKind::TimedOut.into()
    }
}

/// A stream whose reads and writes fail when their time is over.
pub(super) struct Deadlines<S> {
    stream: S,
    phase: Phase,
    reading: Pin<Box<Sleep>>,
    /// Set while a write waits for the peer.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Deadlines<S> {
    /// A stream on which a request is awaited, and its phase.
    pub(super) fn over(stream: S, limits: &Limits) -> (Self, Phase) {
        let until = Instant::now() + limits.idle;
        let state = State {
            awaited: Awaited::Request(until),
            taken_by: None,
            ended: None,
        };
        let phase = Phase {
            state: Arc::new(Mutex::new(state)),
            message: limits.message,
            idle: limits.idle,
            write: limits.write,
        };
        let reading = Box::pin(sleep_until(until));
        let one = Self {
            stream,
            phase: phase.clone(),
            reading,
            writing: None,
        };
        (one, phase)
    }

    /// What came of a write, in its time.
    fn written<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.writing = None;
            return result;
        }
        // What belongs to no answer has its time by itself.
        let own = || Instant::now() + self.phase.write;
        let until = self.phase.with(|state| state.taken_by).unwrap_or_else(own);
        let timer = self.writing.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(self.phase.over(Ended::SlowReader)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Deadlines<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    this.phase.began();
                }
                return Poll::Ready(read);
            }
            Poll::Pending => {}
        }
        let Some((until, why)) = this.phase.deadline() else {
            return Poll::Pending;
        };
        if this.reading.deadline() != until {
            this.reading.as_mut().reset(until);
        }
        ready!(this.reading.as_mut().poll(cx));
        Poll::Ready(Err(this.phase.over(why)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deadlines<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = &result {
            self.phase.taken();
        }
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    /// Writes an answer of so many bytes to a peer that takes one now and then. Whether it was taken.
    async fn taken(write: Duration, length: usize) -> (bool, Phase) {
        let limits = Limits {
            write,
            ..Limits::default()
        };
        let (mut peer, stream) = duplex(1);
        let (mut stream, phase) = Deadlines::over(stream, &limits);
        let takes = async {
            while peer.read_u8().await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let writes = async {
            phase.answered();
            stream.write_all(&vec![7; length]).await.is_ok() && stream.flush().await.is_ok()
        };
        let taken = tokio::select! {
            () = takes => false,
            taken = writes => taken,
        };
        (taken, phase)
    }

    #[tokio::test]
    async fn who_takes_a_little_now_and_then_is_cut() {
        // A byte in a millisecond at most: all of it would take a quarter of an hour.
        let (is_taken, phase) = taken(Duration::from_millis(50), 1_000_000).await;
        assert_eq!((is_taken, phase.ended()), (false, Ended::SlowReader));
    }

    #[tokio::test]
    async fn what_is_taken_gives_the_next_answer_its_own_time() {
        let (is_taken, phase) = taken(Duration::from_secs(3_600), 20).await;
        assert!(is_taken && phase.with(|state| state.taken_by).is_none());
        phase.answered();
        assert!(phase.with(|state| state.taken_by).is_some());
    }
}
