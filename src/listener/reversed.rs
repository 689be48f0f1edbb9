//! A connection whose roles were set the other way round (KMIP 2.1 §6.1.54): the server asks, the client answers.

use super::connection::{Connection, EXPECTED, Ended, RESPONSE, read_message, within};
use crate::exchange::{Conversation, Turn};
use kmip_ttlv::frame::Frame;
use kmip_ttlv::limits::HEADER_LENGTH;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, sleep_until};

impl Connection {
    /// Asks for as long as the roles are reversed, if they are. It returns when the server answers again.
    pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S) -> Result<(), Ended> {
        let exchange = self.exchange.clone();
        let facts = self.facts.clone();
        let Some(mut conversation) = exchange.converse(&facts) else {
            return Ok(());
        };
        let mut quiet_until = Instant::now() + self.limits.idle;
        loop {
            match conversation.turn().await {
                Turn::Ask(request) => {
                    self.write(stream, request).await?;
                    self.hear(stream, conversation.as_mut()).await?;
                    quiet_until = Instant::now() + self.limits.idle;
                }
                Turn::Wait(patience) => {
                    let look_at = Instant::now() + patience;
                    let ends = look_at.min(quiet_until);
                    self.pause(stream, conversation.as_mut(), ends).await?;
                    if Instant::now() >= quiet_until {
                        return Err(Ended::Idle);
                    }
                }
                Turn::Answer => return Ok(()),
                Turn::End => return Err(Ended::Dismissed),
            }
            if *self.shutdown.borrow() {
                return Err(Ended::Shutdown);
            }
        }
    }

    /// The answer to what was asked: whole, in time, and an answer.
    async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        conversation: &mut dyn Conversation,
    ) -> Result<(), Ended> {
        let deadline = Instant::now() + self.limits.message;
        let mut header = [0_u8; HEADER_LENGTH];
        within(deadline, stream.read_exact(&mut header)).await?;
        let mut frame = Frame::new(EXPECTED, self.limits.message_length);
        if !header.starts_with(&RESPONSE) || frame.push(&header).is_err() {
            return Err(Ended::Unasked);
        }
        let response = read_message(stream, frame, deadline).await?;
        if conversation.heard(response).await {
            Ok(())
        } else {
            Err(Ended::Unasked)
        }
    }

    /// Waits for something to say. Whoever is not asked says nothing.
    async fn pause<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        conversation: &mut dyn Conversation,
        until: Instant,
    ) -> Result<(), Ended> {
        let mut shutdown = self.shutdown.clone();
        let mut unasked = [0_u8; 1];
        tokio::select! {
            biased;
            read = stream.read(&mut unasked) => Err(match read {
                Ok(0) | Err(_) => Ended::ByPeer,
                Ok(_) => Ended::Unasked,
            }),
            _ = shutdown.wait_for(|down| *down) => Err(Ended::Shutdown),
            () = conversation.news() => Ok(()),
            () = sleep_until(until) => Ok(()),
        }
    }
}
