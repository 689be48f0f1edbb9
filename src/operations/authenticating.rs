//! What MAC and MAC Verify, Sign and Signature Verify share: a message that comes in whole, by parts, or as its digest.

use super::Context;
use super::keyed::Key;
use super::part::{Opening, State, Turn, hold, joined};
use crate::crypto::signature::{self, MessageContext, SignatureScheme};
use crate::crypto::{KeyKind, MacContext, MacMethod, PrivateKey, PublicKey};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicParameters, Data, ValidityIndicator};
use kmip_ttlv::Secret;
use std::sync::Arc;

/// What a Validity Indicator says.
pub const fn validity(holds: bool) -> ValidityIndicator {
    if holds {
        ValidityIndicator::Valid
    } else {
        ValidityIndicator::Invalid
    }
}

/// Adds a part to a MAC, which is begun with the first.
///
/// # Errors
/// What the MAC says; those of [`Opening::check`].
pub fn advance(
    turn: &Turn<'_>,
    key: &Key,
    parameters: Option<&CryptographicParameters>,
    data: &Secret,
) -> Result<(Arc<Opening>, MacContext), Failure> {
    let (opening, mut mac) = match turn.stream.as_deref() {
        None => {
            let parameters = key.parameters(parameters)?;
            let mac = MacContext::start(MacMethod::choose(&parameters, key.algorithm())?, key.bytes()?)?;
            (with(parameters), mac)
        }
        Some(stream) => {
            let opening = again(key, &stream.opening, parameters)?;
            let State::Mac(mac) = stream.state.fork()? else {
                return Err(another_kind());
            };
            (opening, mac)
        }
    };
    mac.update(data.expose())?;
    Ok((opening, mac))
}

/// A message to be signed, or that was.
pub struct Message {
    /// What its stream began with.
    pub opening: Arc<Opening>,
    /// How it is signed.
    pub scheme: SignatureScheme,
    intake: Intake,
}

enum Intake {
    /// Hashed as it comes in.
    Parts(MessageContext),
    /// Not whole yet, and the scheme wants it whole.
    Held(Vec<Arc<Secret>>),
    /// All of it.
    Whole(Secret),
    /// Its digest, made elsewhere.
    Digest(Vec<u8>),
}

impl Intake {
    fn held(mut pieces: Vec<Arc<Secret>>, data: &Secret) -> Self {
        hold(&mut pieces, data);
        Self::Held(pieces)
    }
}

impl Message {
    /// Takes a part of a message. Digested Data is a whole by itself (KMIP 2.1 §6.1.55).
    ///
    /// # Errors
    /// [`Fault::InvalidField`] for Digested Data beside Data or in a stream; what the scheme says.
    pub fn take(
        context: &mut Context<'_>,
        turn: &Turn<'_>,
        key: &Key,
        kind: KeyKind,
        parameters: Option<&CryptographicParameters>,
        (data, digested): (Option<&Data>, Option<&Vec<u8>>),
    ) -> Result<(Self, usize), Failure> {
        let is_stream = turn.stream.is_some() || !turn.part.ends();
        if digested.is_some() && (data.is_some() || is_stream) {
            return Err(Fault::InvalidField.into());
        }
        let opening = match turn.stream.as_deref() {
            None => with(key.parameters(parameters)?),
            Some(stream) => again(key, &stream.opening, parameters)?,
        };
        let scheme = SignatureScheme::choose(&opening.parameters, kind)?;
        let (intake, taken) = if let Some(digest) = digested {
            (Intake::Digest(digest.clone()), digest.len())
        } else {
            let data = turn.data(context, data)?;
            let taken = data.len();
            let before = turn.stream.as_deref().map(|stream| stream.state.fork()).transpose()?;
            (Self::intake(turn, scheme, before, data.into_owned())?, taken)
        };
        let message = Self {
            opening,
            scheme,
            intake,
        };
        Ok((message, taken))
    }

    fn intake(
        turn: &Turn<'_>,
        scheme: SignatureScheme,
        before: Option<State>,
        data: Secret,
    ) -> Result<Intake, Failure> {
        let ends = turn.part.ends();
        Ok(match before {
            None if ends => Intake::Whole(data),
            None if scheme.signs_messages() => Intake::held(Vec::new(), &data),
            None => {
                let mut message = MessageContext::start(scheme)?;
                message.update(data.expose())?;
                Intake::Parts(message)
            }
            Some(State::Message(mut message)) => {
                message.update(data.expose())?;
                Intake::Parts(message)
            }
            Some(State::Held(pieces)) if ends => Intake::Whole(joined(&pieces, &data)),
            Some(State::Held(pieces)) => Intake::held(pieces, &data),
            Some(_) => return Err(another_kind()),
        })
    }

    /// Keeps it until its next part comes. Gives the Correlation Value to tell.
    ///
    /// # Errors
    /// Those of [`Turn::keep`].
    pub fn keep(self, context: &mut Context<'_>, turn: &Turn<'_>, key: &Key) -> Result<Option<Vec<u8>>, Failure> {
        let state = match self.intake {
            Intake::Parts(message) => State::Message(message),
            Intake::Held(pieces) => State::Held(pieces),
            Intake::Whole(_) | Intake::Digest(_) => return Err(another_kind()),
        };
        turn.keep(context, Some(key), self.opening, state)
    }

    /// Signs it.
    ///
    /// # Errors
    /// What the scheme says.
    pub fn sign(self, key: &PrivateKey) -> Result<Vec<u8>, Failure> {
        Ok(match self.intake {
            Intake::Parts(message) => message.sign(self.scheme, key)?,
            Intake::Whole(data) => signature::sign(self.scheme, key, data.expose())?,
            Intake::Digest(digest) => signature::sign_digest(self.scheme, key, &digest)?,
            Intake::Held(_) => return Err(another_kind()),
        })
    }

    /// Whether this is a signature over it.
    ///
    /// # Errors
    /// What the scheme says.
    pub fn verify(self, key: &PublicKey, mark: &[u8]) -> Result<bool, Failure> {
        Ok(match self.intake {
            Intake::Parts(message) => message.verify(self.scheme, key, mark)?,
            Intake::Whole(data) => signature::verify(self.scheme, key, data.expose(), mark)?,
            Intake::Digest(digest) => signature::verify_digest(self.scheme, key, &digest, mark)?,
            Intake::Held(_) => return Err(another_kind()),
        })
    }
}

fn with(parameters: CryptographicParameters) -> Arc<Opening> {
    Arc::new(Opening {
        parameters,
        ..Opening::default()
    })
}

/// What a stream began with, judged anew by the tenant's profile.
fn again(
    key: &Key,
    opening: &Arc<Opening>,
    parameters: Option<&CryptographicParameters>,
) -> Result<Arc<Opening>, Failure> {
    opening.check(parameters, None)?;
    key.parameters(Some(&opening.parameters))?;
    Ok(Arc::clone(opening))
}

fn another_kind() -> Failure {
    Failure::detailed(Fault::Internal, "a stream of another kind")
}
