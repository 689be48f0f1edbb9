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
    ended: Option<Ended>,
}

/// In which phase a connection is; shared by the stream, and whoever answers.
#[derive(Clone)]
pub(super) struct Phase {
    state: Arc<Mutex<State>>,
    message: Duration,
    idle: Duration,
}

impl Phase {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The request is there, whole.
    pub(super) fn answering(&self) {
        self.with(|state| state.awaited = Awaited::Answer);
    }

    /// It is answered: the next one may come.
    pub(super) fn answered(&self) {
        let until = Instant::now() + self.idle;
        self.with(|state| state.awaited = Awaited::Request(until));
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
    write: Duration,
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
            ended: None,
        };
        let phase = Phase {
            state: Arc::new(Mutex::new(state)),
            message: limits.message,
            idle: limits.idle,
        };
        let reading = Box::pin(sleep_until(until));
        let one = Self {
            stream,
            phase: phase.clone(),
            write: limits.write,
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
        let until = Instant::now() + self.write;
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
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}
