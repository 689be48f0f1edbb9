//! One connection: whole messages in, whole answers out, in order. Between messages it holds no buffer of its own.

use super::Limits;
use crate::exchange::{ConnectionFacts, Exchange, REFUSED_BEGINNING, Refusal};
use kmip_protocol::tag;
use kmip_ttlv::Tag;
use kmip_ttlv::frame::{Frame, FrameError};
use kmip_ttlv::limits::HEADER_LENGTH;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroize as _;

/// How long a peer whose message was refused may go on sending it, so that it reads the answer before the reset that
/// closing with unread bytes makes.
const LINGER: Duration = Duration::from_secs(2);

/// How many bytes of it are taken and thrown away.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// How long the next piece of a refused message's beginning is waited for.
const PAUSE: Duration = Duration::from_millis(200);

/// What may come: requests, and, where the roles are reversed, responses.
pub(super) const EXPECTED: &[Tag] = &[tag::REQUEST_MESSAGE, tag::RESPONSE_MESSAGE];

/// The first bytes of a request, and of a response.
const REQUEST: [u8; 3] = first_bytes_of(tag::REQUEST_MESSAGE);
pub(super) const RESPONSE: [u8; 3] = first_bytes_of(tag::RESPONSE_MESSAGE);

const fn first_bytes_of(tag: Tag) -> [u8; 3] {
    let [_, a, b, c] = tag.0.to_be_bytes();
    [a, b, c]
}

/// How long saying good-bye may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// The peer closed between messages.
    ByPeer,
    /// The peer closed within a message.
    Truncated,
    /// Nothing came for the idle limit.
    Idle,
    /// A message did not arrive whole in time.
    SlowMessage,
    /// An answer was not taken in time.
    SlowReader,
    /// The client over whose connection the server asked is not served any more.
    Dismissed,
    /// A message was refused.
    Refused(Refusal),
    /// A response came to a request that was never sent.
    Unasked,
    /// The server shuts down.
    Shutdown,
    /// The transport failed.
    Transport,
}

/// What a connection needs besides its stream.
pub(super) struct Connection {
    pub(super) exchange: Arc<dyn Exchange>,
    pub(super) facts: Arc<ConnectionFacts>,
    pub(super) limits: Limits,
    pub(super) shutdown: watch::Receiver<bool>,
}

impl Connection {
    /// Serves the connection to its end and says why it ended.
    pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) -> Ended {
        let ended = loop {
            let served = match self.serve_one(&mut stream).await {
                Ok(()) if *self.shutdown.borrow() => break Ended::Shutdown,
                Ok(()) => self.converse(&mut stream).await,
                Err(ended) => Err(ended),
            };
            if let Err(ended) = served {
                break ended;
            }
        };
        if let Ended::Refused(_) = ended {
            self.linger(&mut stream).await;
        }
        // Close with a word (close_notify), if the peer still listens.
        let _ = timeout(FAREWELL, stream.shutdown()).await;
        ended
    }

    /// Waits for one message and answers it.
    async fn serve_one<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Result<(), Ended> {
        let mut header = [0_u8; HEADER_LENGTH];
        let received = self.first_bytes(stream, &mut header).await?;
        let deadline = Instant::now() + self.limits.message;
        let rest = header.get_mut(received..).unwrap_or_default();
        within(deadline, stream.read_exact(rest)).await?;
        let mut frame = Frame::new(EXPECTED, self.limits.message_length);
        if let Err(error) = frame.push(&header) {
            let refusal = match error {
                FrameError::TooLong { .. } => Refusal::TooLong,
                FrameError::NotMessage(_) => Refusal::NotTtlv,
            };
            return self.refuse(stream, &header, refusal, deadline).await;
        }
        let message = read_message(stream, frame, deadline).await?;
        if header.starts_with(&RESPONSE) {
            return Err(Ended::Unasked);
        }
        let answer = self.exchange.answer(message, &self.facts).await;
        self.write(stream, answer).await
    }

    /// The first bytes of the next message: how many came.
    async fn first_bytes<S: AsyncRead + Unpin>(&mut self, stream: &mut S, header: &mut [u8]) -> Result<usize, Ended> {
        let idle = Instant::now() + self.limits.idle;
        tokio::select! {
            biased;
            read = stream.read(header) => match read {
                Ok(0) => Err(Ended::ByPeer),
                Ok(received) => Ok(received),
                Err(why) => Err(ended_by(&why, Ended::ByPeer)),
            },
            _ = self.shutdown.wait_for(|down| *down) => Err(Ended::Shutdown),
            () = tokio::time::sleep_until(idle) => Err(Ended::Idle),
        }
    }

    /// One write for the whole message: clients read its body with a single call, which must not find half of it.
    pub(super) async fn write<S: AsyncWrite + Unpin>(&self, stream: &mut S, mut message: Vec<u8>) -> Result<(), Ended> {
        let written = timeout(self.limits.write, async {
            stream.write_all(&message).await?;
            stream.flush().await
        });
        let written = written.await;
        message.zeroize();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Transport),
            Err(_) => Err(Ended::SlowReader),
        }
    }

    /// Answers a message that is not read whole, if its beginning says enough to answer it.
    async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        header: &[u8; HEADER_LENGTH],
        refusal: Refusal,
        deadline: Instant,
    ) -> Result<(), Ended> {
        let mut beginning = Vec::with_capacity(REFUSED_BEGINNING);
        beginning.extend_from_slice(header);
        if header.starts_with(&REQUEST) {
            // The header is at the front; what does not follow at once is not waited for.
            while beginning.len() < REFUSED_BEGINNING {
                let room = u64::try_from(REFUSED_BEGINNING - beginning.len()).unwrap_or(0);
                let patience = deadline.min(Instant::now() + PAUSE);
                match timeout_at(patience, (&mut *stream).take(room).read_buf(&mut beginning)).await {
                    Ok(Ok(received)) if received > 0 => {}
                    _ => break,
                }
            }
        }
        if let Some(answer) = self.exchange.refuse(beginning, refusal, &self.facts).await {
            self.write(stream, answer).await?;
        }
        Err(Ended::Refused(refusal))
    }

    /// Says that nothing more comes, and takes what the peer still sends for a moment.
    async fn linger<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S) {
        let _ = timeout(LINGER, async {
            stream.shutdown().await?;
            tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
        })
        .await;
    }
}

/// The rest of a message whose header the frame has accepted. Memory grows only with what arrives.
pub(super) async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut frame: Frame,
    deadline: Instant,
) -> Result<Vec<u8>, Ended> {
    loop {
        if let Some(mut message) = frame.take() {
            return Ok(core::mem::take(&mut *message));
        }
        let received = within(deadline, stream.read(frame.space())).await?;
        if received == 0 || frame.advance(received).is_err() {
            return Err(Ended::Truncated);
        }
    }
}

pub(super) async fn within<T>(deadline: Instant, read: impl Future<Output = io::Result<T>>) -> Result<T, Ended> {
    match timeout_at(deadline, read).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(why)) => Err(ended_by(&why, Ended::Truncated)),
        Err(_) => Err(Ended::SlowMessage),
    }
}

/// Peers that close without close_notify are many, and their messages have lengths of their own.
fn ended_by(why: &io::Error, closed: Ended) -> Ended {
    match why.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => closed,
        _ => Ended::Transport,
    }
}
