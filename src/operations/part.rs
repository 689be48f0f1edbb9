//! Which part of an operation a request is, and what a stream has come to by the parts before (KMIP 2.1 §6.1).

use super::context::Context;
use super::keyed::{Key, Purpose};
use super::streams::Correlation;
use crate::crypto::{CipherContext, CryptoError, HashContext, MacContext, signature::MessageContext};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicParameters, CryptographicUsageMask, Data, Operation, UniqueIdentifier};
use kmip_ttlv::Secret;
use std::borrow::Cow;
use std::sync::Arc;

/// What a stream counts as beside all whose length a client chooses.
const STREAM_BYTES: usize = 1024;
/// What the library's context counts as.
const CONTEXT_BYTES: usize = 2 * 1024;
/// What a piece of data counts as beside its length.
const PIECE_BYTES: usize = 64;
/// Pieces that together are no longer than this are one: each part passes through all that there are.
const PIECE: usize = 4 * 1024;

/// Which part of an operation a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// All of it.
    Only,
    /// The first of several.
    First,
    /// One in the midst of the stream with this Correlation Value.
    Next(&'a [u8]),
    /// The last.
    Last(&'a [u8]),
}

impl<'a> Part<'a> {
    /// What the fields of a request say.
    ///
    /// # Errors
    /// [`Fault::CorrelationValue`] for an end without a beginning; [`Fault::InvalidField`] for a beginning in the midst.
    pub fn of(
        correlation_value: Option<&'a Vec<u8>>,
        init_indicator: Option<bool>,
        final_indicator: Option<bool>,
    ) -> Result<Self, Failure> {
        let (begins, ends) = (init_indicator == Some(true), final_indicator == Some(true));
        match (correlation_value, begins, ends) {
            (None, false, false) | (None, true, true) => Ok(Self::Only),
            (None, true, false) => Ok(Self::First),
            (None, false, true) => Err(Fault::CorrelationValue.into()),
            (Some(_), true, _) => Err(Fault::InvalidField.into()),
            (Some(value), false, false) => Ok(Self::Next(value)),
            (Some(value), false, true) => Ok(Self::Last(value)),
        }
    }

    /// Whether it goes on with what was begun.
    #[must_use]
    pub const fn continues(self) -> bool {
        matches!(self, Self::Next(_) | Self::Last(_))
    }

    /// Whether it ends the operation.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Self::Only | Self::Last(_))
    }

    /// Whether it may have no data: the first and the last part (KMIP 2.1 §6.1).
    const fn may_be_empty(self) -> bool {
        matches!(self, Self::First | Self::Last(_))
    }
}

/// What a stream began with: what holds for all its parts.
#[derive(Clone, Default)]
pub struct Opening {
    /// The parameters that count.
    pub parameters: CryptographicParameters,
    /// The initialization vector, counter or nonce, given or made.
    pub iv: Option<Vec<u8>>,
    /// What is authenticated beside the data.
    pub additional_data: Vec<u8>,
    /// The tag by which a decryption is judged, or the signature or MAC that is to be verified.
    pub mark: Option<Vec<u8>>,
}

impl Opening {
    /// What a later part repeats must be what was said first. What belongs to the first part alone may not change afterwards.
    ///
    /// # Errors
    /// [`Fault::BadParameters`] for other parameters; [`Fault::InvalidField`] for another vector.
    pub fn check(&self, parameters: Option<&CryptographicParameters>, iv: Option<&[u8]>) -> Result<(), Failure> {
        if parameters.is_some_and(|again| *again != self.parameters) {
            return Err(Fault::BadParameters.into());
        }
        if iv.is_some_and(|again| self.iv.as_deref() != Some(again)) {
            return Err(Fault::InvalidField.into());
        }
        Ok(())
    }

    /// Takes the signature or MAC that is to be verified, with whatever part it comes.
    ///
    /// # Errors
    /// [`Fault::InvalidField`] for another one than before.
    pub fn take_mark(self: &mut Arc<Self>, given: Option<&[u8]>) -> Result<(), Failure> {
        match (given, &self.mark) {
            (Some(again), Some(mark)) if again != mark => Err(Fault::InvalidField.into()),
            (Some(given), None) => {
                Arc::make_mut(self).mark = Some(given.to_vec());
                Ok(())
            }
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }
}

/// What the parts so far have come to.
pub enum State {
    /// A cipher that gives parts.
    Cipher(CipherContext),
    /// A hash.
    Hash(HashContext),
    /// A MAC.
    Mac(MacContext),
    /// What is to be signed, or was.
    Message(MessageContext),
    /// Data of which nothing can be made before the end.
    Held(Vec<Arc<Secret>>),
}

impl State {
    /// The same once more, so that a part can be taken back.
    ///
    /// # Errors
    /// [`CryptoError::Internal`].
    pub fn fork(&self) -> Result<Self, CryptoError> {
        Ok(match self {
            Self::Cipher(context) => Self::Cipher(context.fork()?),
            Self::Hash(context) => Self::Hash(context.fork()?),
            Self::Mac(context) => Self::Mac(context.fork()?),
            Self::Message(context) => Self::Message(context.fork()?),
            Self::Held(pieces) => Self::Held(pieces.clone()),
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Held(pieces) => pieces
                .iter()
                .map(|piece| piece.len().saturating_add(PIECE_BYTES))
                .fold(0, usize::saturating_add),
            _ => CONTEXT_BYTES,
        }
    }
}

/// Holds a piece of data back.
pub fn hold(pieces: &mut Vec<Arc<Secret>>, data: &Secret) {
    if data.is_empty() {
        return;
    }
    let short = |last: &&mut Arc<Secret>| last.len().saturating_add(data.len()) <= PIECE;
    match pieces.last_mut().filter(short) {
        Some(last) => *last = Arc::new(joined(core::slice::from_ref(last), data)),
        None => pieces.push(Arc::new(data.clone())),
    }
}

/// All of the data that a stream has held back, with its last part.
#[must_use]
pub fn joined(pieces: &[Arc<Secret>], last: &Secret) -> Secret {
    let length = pieces
        .iter()
        .map(|piece| piece.len())
        .fold(last.len(), usize::saturating_add);
    let mut all = Vec::with_capacity(length);
    for piece in pieces {
        all.extend_from_slice(piece.expose());
    }
    all.extend_from_slice(last.expose());
    Secret::new(all)
}

/// A stream as it stands after some part.
pub struct Stream {
    /// What it is a stream of.
    pub operation: Operation,
    /// The key, by the identifier that is its own for ever, and by the one that clients know; a hash has none.
    pub key: Option<([u8; 16], String)>,
    /// What it began with: all that there are of it share that.
    pub opening: Arc<Opening>,
    /// What it has come to.
    pub state: State,
}

impl Stream {
    /// What it counts as.
    pub(super) fn bytes(&self) -> usize {
        let Opening {
            parameters,
            iv,
            additional_data,
            mark,
        } = &*self.opening;
        let given = [iv, mark, &parameters.p_source];
        let given = given.into_iter().flatten().map(Vec::len);
        given
            .chain([STREAM_BYTES, additional_data.len()])
            .fold(self.state.bytes(), usize::saturating_add)
    }
}

/// A request's part, with the stream that it goes on with.
pub struct Turn<'a> {
    /// Which part.
    pub part: Part<'a>,
    /// The stream, if it was begun before.
    pub stream: Option<Arc<Stream>>,
    operation: Operation,
}

impl Turn<'_> {
    /// The key that the request means, judged anew for this part: it is the one that the stream began with.
    ///
    /// # Errors
    /// Those of [`Key::of`]; [`Fault::CorrelationValue`] for a stream of another key.
    pub async fn key(
        &self,
        context: &mut Context<'_>,
        given: Option<&UniqueIdentifier>,
        purpose: Purpose,
        usage: CryptographicUsageMask,
    ) -> Result<Key, Failure> {
        let key = match self.own_key(context, given) {
            Some(unique_identifier) => {
                let given = UniqueIdentifier::Text(unique_identifier.to_owned());
                Key::of(context, Some(&given), purpose, usage).await?
            }
            None => Key::of(context, given, purpose, usage).await?,
        };
        match self.stream.as_ref().and_then(|stream| stream.key.as_ref()) {
            Some((internal_id, _)) if *internal_id != key.object.internal_id => Err(Fault::CorrelationValue.into()),
            _ => Ok(key),
        }
    }

    /// The stream's key, where the request names none: who names no key means that one.
    pub(super) fn own_key(&self, context: &Context<'_>, given: Option<&UniqueIdentifier>) -> Option<&str> {
        let names_none = given.is_none() && context.batch.placeholder.is_none();
        let key = self.stream.as_ref().filter(|_| names_none)?.key.as_ref();
        key.map(|(_, unique_identifier)| unique_identifier.as_str())
    }

    /// The request's data.
    ///
    /// # Errors
    /// [`Fault::MissingField`]; those of [`Context::data`].
    pub fn data<'d>(&self, context: &mut Context<'_>, given: Option<&'d Data>) -> Result<Cow<'d, Secret>, Failure> {
        match given {
            Some(data) => context.data(data),
            None if self.part.may_be_empty() => Ok(Cow::Owned(Secret::default())),
            None => Err(Fault::MissingField.into()),
        }
    }

    /// Keeps what the stream has come to by a part that does not end it. Gives the Correlation Value to tell.
    ///
    /// # Errors
    /// [`Fault::LimitExceeded`].
    pub fn keep(
        &self,
        context: &mut Context<'_>,
        key: Option<&Key>,
        opening: impl Into<Arc<Opening>>,
        state: State,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let stream = Stream {
            operation: self.operation,
            key: key.map(|key| (key.object.internal_id, key.object.unique_identifier.clone())),
            opening: opening.into(),
            state,
        };
        let streams = &context.services.streams;
        let correlation = match self.correlation() {
            Some(correlation) => {
                context.batch.streams.keep(streams, correlation, Some(stream))?;
                correlation
            }
            None => {
                let correlation: Correlation = context.services.randomness.array()?;
                let owner = context.client()?.into();
                let now = context.services.clock.lapsed(context.now);
                context.batch.streams.begin(streams, correlation, owner, now, stream)?;
                correlation
            }
        };
        Ok(Some(correlation.to_vec()))
    }

    /// Ends the stream, if there was one.
    ///
    /// # Errors
    /// None that a request could cause.
    pub fn end(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        match self.correlation() {
            Some(correlation) => context.batch.streams.keep(&context.services.streams, correlation, None),
            None => Ok(()),
        }
    }

    fn correlation(&self) -> Option<Correlation> {
        match self.part {
            Part::Next(value) | Part::Last(value) => value.try_into().ok(),
            Part::Only | Part::First => None,
        }
    }
}

impl Context<'_> {
    /// Whose turn it is: finds the stream that a part goes on with.
    ///
    /// # Errors
    /// [`Fault::CorrelationValue`] if there is none of this client and operation; [`Fault::FeatureNotSupported`] where there are no
    /// streams.
    pub fn turn<'p>(&mut self, part: Part<'p>, operation: Operation) -> Result<Turn<'p>, Failure> {
        let stream = match part {
            Part::Only => None,
            Part::First => {
                self.batch.streams.check()?;
                None
            }
            Part::Next(value) | Part::Last(value) => {
                let owner = self.client()?.into();
                let now = self.services.clock.lapsed(self.now);
                let stream = self.batch.streams.take(&self.services.streams, value, owner, now)?;
                if stream.operation != operation {
                    return Err(Fault::CorrelationValue.into());
                }
                Some(stream)
            }
        };
        Ok(Turn {
            part,
            stream,
            operation,
        })
    }
}
