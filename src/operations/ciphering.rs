//! What Encrypt and Decrypt share: one part after another through a cipher, or all at once (KMIP 2.1 §6.1.11, §6.1.17).

use super::context::Context;
use super::keyed::Key;
use super::part::{Opening, Part, State, Turn, hold, joined};
use crate::crypto::{self, CipherContext, CipherRequest, Direction};
use crate::failure::{Failure, Fault};
use kmip_protocol::{CryptographicParameters, ManagedObject};
use kmip_ttlv::Secret;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a request says beside its data.
pub struct Asked<'a> {
    /// Which way.
    pub direction: Direction,
    /// The parameters.
    pub parameters: Option<&'a CryptographicParameters>,
    /// The initialization vector, counter or nonce.
    pub iv: Option<&'a [u8]>,
    /// What is authenticated beside the data: with the first part only.
    pub additional_data: Option<&'a [u8]>,
    /// The tag to check: with the first part only.
    pub tag: Option<&'a [u8]>,
}

/// What a part gives.
#[derive(Default)]
pub struct Given {
    /// The result as far as it is ready.
    pub data: Zeroizing<Vec<u8>>,
    /// The vector that was made because the request had none.
    pub iv: Option<Vec<u8>>,
    /// The tag that the mode makes at the end.
    pub tag: Option<Vec<u8>>,
    /// What the next part has to name.
    pub correlation: Option<Vec<u8>>,
}

impl Given {
    /// With room for what becomes of the data: a vector that grows leaves copies behind.
    fn with_room(data: &Secret) -> Self {
        Self {
            data: Zeroizing::new(Vec::with_capacity(data.len().saturating_add(64))),
            ..Self::default()
        }
    }

    /// The result, if this part has any: a single one always does.
    pub fn data(&mut self, part: Part<'_>) -> Option<Vec<u8>> {
        let data = core::mem::take(&mut *self.data);
        Some(data).filter(|data| part == Part::Only || !data.is_empty())
    }
}

/// Carries one part out.
///
/// # Errors
/// What the cipher says; [`Fault::InvalidField`] for what belongs to the first part and comes with a later one.
pub fn process(
    context: &mut Context<'_>,
    turn: &Turn<'_>,
    key: &Key,
    asked: &Asked<'_>,
    data: &Secret,
) -> Result<Given, Failure> {
    let Some(stream) = &turn.stream else {
        let opening = Opening {
            parameters: key.parameters(asked.parameters)?,
            iv: asked.iv.map(<[u8]>::to_vec),
            additional_data: asked.additional_data.unwrap_or_default().to_vec(),
            mark: asked.tag.map(<[u8]>::to_vec),
        };
        return if turn.part == Part::Only {
            whole(key, asked.direction, &opening, data)
        } else {
            begin(context, turn, key, asked.direction, opening, data)
        };
    };
    let opening = &stream.opening;
    opening.check(asked.parameters, asked.iv)?;
    if asked.additional_data.is_some() || asked.tag.is_some() {
        return Err(Fault::InvalidField.into());
    }
    key.parameters(Some(&opening.parameters))?;
    match stream.state.fork()? {
        State::Cipher(mut cipher) => {
            let mut given = Given::with_room(data);
            cipher.update(data.expose(), &mut given.data)?;
            if turn.part.ends() {
                given.tag = cipher.finish(&mut given.data)?;
                turn.end(context)?;
            } else {
                given.correlation = turn.keep(context, Some(key), Arc::clone(opening), State::Cipher(cipher))?;
            }
            Ok(given)
        }
        State::Held(pieces) if turn.part.ends() => {
            let given = whole(key, asked.direction, opening, &joined(&pieces, data))?;
            turn.end(context)?;
            Ok(given)
        }
        State::Held(pieces) => keep(context, turn, key, Arc::clone(opening), pieces, data),
        _ => Err(Failure::detailed(Fault::Internal, "a stream of another kind")),
    }
}

/// The first part. Where nothing may be given out before the end, data is held back, without anything of the key.
fn begin(
    context: &mut Context<'_>,
    turn: &Turn<'_>,
    key: &Key,
    direction: Direction,
    mut opening: Opening,
    data: &Secret,
) -> Result<Given, Failure> {
    if !is_symmetric(key) {
        match direction {
            Direction::Encrypt => drop(key.public()?),
            Direction::Decrypt => drop(key.private()?),
        }
        return keep(context, turn, key, opening, Vec::new(), data);
    }
    let mut cipher = CipherContext::start(&request(key, direction, &opening)?)?;
    let iv = cipher.generated_iv().map(<[u8]>::to_vec);
    if iv.is_some() {
        opening.iv.clone_from(&iv);
    }
    let given = if cipher.gives_parts() {
        let mut given = Given::with_room(data);
        cipher.update(data.expose(), &mut given.data)?;
        // The cipher has it.
        opening.additional_data = Vec::new();
        given.correlation = turn.keep(context, Some(key), opening, State::Cipher(cipher))?;
        given
    } else {
        keep(context, turn, key, opening, Vec::new(), data)?
    };
    Ok(Given { iv, ..given })
}

fn keep(
    context: &mut Context<'_>,
    turn: &Turn<'_>,
    key: &Key,
    opening: impl Into<Arc<Opening>>,
    mut pieces: Vec<Arc<Secret>>,
    data: &Secret,
) -> Result<Given, Failure> {
    hold(&mut pieces, data);
    Ok(Given {
        correlation: turn.keep(context, Some(key), opening, State::Held(pieces))?,
        ..Given::default()
    })
}

/// All at once.
fn whole(key: &Key, direction: Direction, opening: &Opening, data: &Secret) -> Result<Given, Failure> {
    let parameters = &opening.parameters;
    let data = data.expose();
    let mut given = Given::default();
    match (direction, is_symmetric(key)) {
        (Direction::Encrypt, false) => *given.data = crypto::encrypt_to(&key.public()?, parameters, data)?,
        (Direction::Decrypt, false) => {
            let plain = crypto::decrypt_with(&key.private()?, parameters, data)?;
            given.data.extend_from_slice(plain.expose());
        }
        (Direction::Encrypt, true) => {
            let sealed = crypto::encrypt(request(key, direction, opening)?, data)?;
            *given.data = sealed.data;
            (given.iv, given.tag) = (sealed.iv, sealed.tag);
        }
        (Direction::Decrypt, true) => {
            let plain = crypto::decrypt(request(key, direction, opening)?, data)?;
            given.data.extend_from_slice(plain.expose());
        }
    }
    Ok(given)
}

const fn is_symmetric(key: &Key) -> bool {
    matches!(key.managed, ManagedObject::SymmetricKey(_))
}

fn request<'a>(key: &'a Key, direction: Direction, opening: &'a Opening) -> Result<CipherRequest<'a>, Failure> {
    let parameters = &opening.parameters;
    let algorithm = key.algorithm().ok_or(Failure::new(Fault::BadParameters))?;
    if parameters
        .cryptographic_algorithm
        .is_some_and(|named| named != algorithm)
    {
        return Err(Fault::BadParameters.into());
    }
    Ok(CipherRequest {
        direction,
        algorithm,
        key: key.bytes()?,
        parameters,
        iv: opening.iv.as_deref(),
        additional_data: &opening.additional_data,
        tag: opening.mark.as_deref(),
    })
}
