//! Key pairs: made, found and destroyed by key management, and by key usage asked to open a protected KEK.

use super::engine::{Engine, Fault, Seat, Trouble};
use super::protocol::{FrameReader, FrameWriter, Kind, Role, Status};
use super::{kek, managed};
use crate::custody::context::{KekId, Purpose};
use crate::custody::error::CustodyError;
use crate::custody::pkcs11::{Class, Module, Outcome, Rv};
use crate::custody::probe::PairScheme;
use crate::custody::protected::envelope::{self, MOST_MODULUS, SECRET, SHARED, Sent};
use crate::custody::sealing::KEY;
use crate::custody::slab::{Locked, Slab};
use cryptoki_sys::{CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CKA_MODULUS, CKA_PUBLIC_EXPONENT};

pub(super) fn manage(
    engine: &Engine,
    seat: &mut Seat,
    kind: Kind,
    mut fields: FrameReader<'_>,
    answer: &mut FrameWriter,
) -> Result<(), Fault> {
    let allowed = match kind {
        Kind::FindPair => matches!(engine.role(), Role::Usage | Role::Management),
        _ => engine.role() == Role::Management,
    };
    if !allowed {
        return Err(Fault::new(Status::Misfit));
    }
    let (id, context) = kek(&mut fields)?;
    let [scheme] = fields.raw()?;
    let scheme = PairScheme::from_number(scheme)?;
    fields.end()?;
    managed(&context)?;
    match kind {
        Kind::MakePair => Ok(answer.raw(&make(engine, seat, scheme, id, context.kek)?)?),
        Kind::FindPair => Ok(answer.raw(&find(engine, seat, scheme, id)?)?),
        _ => destroy(engine, seat, id),
    }
}

/// Makes a pair, unless there is one, of whatever kind.
fn make(engine: &Engine, seat: &mut Seat, scheme: PairScheme, id: &[u8], kek: KekId) -> Result<Vec<u8>, Fault> {
    if count(engine, seat, id)? > 0 {
        return Err(Fault::new(Status::Exists));
    }
    let label = format!("claviger KEK {}", kmip_ttlv::Hex(&kek.0));
    engine.with_session(seat, &mut |_, session| {
        // An attempt before this one may have made it and lost the answer.
        if engine.module.find_private(session, id)?.is_empty() {
            engine.module.generate_pair(session, scheme, id, &label)?;
        }
        Ok(())
    })?;
    match find(engine, seat, scheme, id) {
        // It was just made.
        Err(fault) if fault.status == Status::Missing => Err(Fault::new(Status::Outage)),
        outcome => outcome,
    }
}

/// The public key of a pair whose private key cannot leave. Answers Missing only if a token that has just been logged in to
/// does not have it.
fn find(engine: &Engine, seat: &mut Seat, scheme: PairScheme, id: &[u8]) -> Result<Vec<u8>, Fault> {
    engine.with_object(seat, id, &mut |_, session| {
        let (private, public) = (
            engine.module.find_private(session, id)?,
            engine.module.find_public(session, id)?,
        );
        match (private.as_slice(), public.as_slice()) {
            ([], []) => Err(Trouble::Missing),
            ([private], [public]) if engine.module.is_captive(session, *private)? => {
                Ok(engine.module.recipient(session, *public, scheme)?)
            }
            _ => Err(Trouble::Ambiguous),
        }
    })
}

fn destroy(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<(), Fault> {
    engine.with_session(seat, &mut |_, session| {
        // The private key goes first: without it the other opens nothing.
        for key in engine.module.find_private(session, id)? {
            engine.module.destroy(session, key)?;
        }
        for key in engine.module.find_public(session, id)? {
            engine.module.destroy(session, key)?;
        }
        Ok(())
    })?;
    // Only a token that has been logged in to anew is believed that it has nothing.
    engine.initialize(engine.epoch())?;
    if count(engine, seat, id)? == 0 {
        Ok(())
    } else {
        Err(Fault::new(Status::Outage))
    }
}

/// Private and public keys under a CKA_ID.
fn count(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<usize, Fault> {
    engine.with_session(seat, &mut |_, session| {
        let private = engine.module.find_private(session, id)?.len();
        Ok(private + engine.module.find_public(session, id)?.len())
    })
}

/// Opens a protected KEK: the token comes to the secret, which goes no further than this call.
pub(super) fn open(
    slab: &Slab,
    engine: &Engine,
    seat: &mut Seat,
    mut fields: FrameReader<'_>,
    answer: &mut FrameWriter,
) -> Result<(), Fault> {
    let (id, context) = kek(&mut fields)?;
    if engine.role() != Role::Usage || !matches!(context.purpose, Purpose::Protected | Purpose::Backup) {
        return Err(Fault::new(Status::Misfit));
    }
    let (more, public_key) = (fields.field()?, fields.field()?);
    let sealed = fields.rest();
    let shared = match envelope::sent(sealed)? {
        Sent::Point(point) => {
            let mut shared = slab.allocate(SHARED).map_err(CustodyError::from)?;
            let agreed = shared.expose_mut();
            with_opener(engine, seat, id, PairScheme::P384, &mut |session, private| {
                engine.module.agree(session, private, point, agreed)
            })?;
            shared
        }
        Sent::Secret(scheme, secret) => {
            // Some tokens ask for room for the whole modulus.
            let mut room = slab.allocate(MOST_MODULUS).map_err(CustodyError::from)?;
            let plain = room.expose_mut();
            with_opener(engine, seat, id, scheme, &mut |session, private| {
                decrypt(&engine.module, session, (id, private), (scheme, secret), plain)
            })?;
            first(slab, &room)?
        }
    };
    let key = envelope::open(slab, &shared, public_key, &context, more, sealed)?;
    if key.len() != KEY {
        return Err(Fault::new(Status::Refused));
    }
    Ok(answer.raw(key.expose())?)
}

/// Has something done with the private key that opens this kind.
fn with_opener(
    engine: &Engine,
    seat: &mut Seat,
    id: &[u8],
    scheme: PairScheme,
    step: &mut dyn FnMut(CK_SESSION_HANDLE, CK_OBJECT_HANDLE) -> Outcome<()>,
) -> Result<(), Fault> {
    engine.with_object(
        seat,
        id,
        &mut |_, session| match engine.module.find_opener(session, scheme, id)?.as_slice() {
            [] => Err(Trouble::Missing),
            [private] => Ok(step(session, *private)?),
            _ => Err(Trouble::Ambiguous),
        },
    )
}

/// Decrypts a secret, and finds out whose fault a failure is: tokens say of wrong bytes what they say of a fault of their own. If the pair
/// still opens what is encrypted to it now, and fails on these bytes again, the bytes are wrong.
fn decrypt(
    module: &Module,
    session: CK_SESSION_HANDLE,
    (id, private): (&[u8], CK_OBJECT_HANDLE),
    (scheme, secret): (PairScheme, &[u8]),
    plain: &mut [u8],
) -> Outcome<()> {
    let mut open = |secret: &[u8]| match module.decrypt_oaep(session, private, scheme, secret, plain) {
        Ok(SECRET) => Ok(()),
        Ok(_) => Err(Rv::NOT_AUTHENTIC),
        Err(rv) => Err(rv),
    };
    let failure = match open(secret) {
        Err(rv) if rv.class() == Class::Device => rv,
        outcome => return outcome,
    };
    let public = module.find_public(session, id)?;
    let public = public.first().ok_or(failure)?;
    let modulus = module.read(session, *public, CKA_MODULUS)?;
    let exponent = module.read(session, *public, CKA_PUBLIC_EXPONENT)?;
    let question = envelope::encrypt_to(scheme, &modulus, &exponent, &[0x5a; SECRET]).map_err(|_| failure)?;
    open(&question)?;
    match open(secret) {
        Err(rv) if rv.class() == Class::Device => Err(Rv::NOT_AUTHENTIC),
        outcome => outcome,
    }
}

/// What was decrypted, without the room behind it.
fn first(slab: &Slab, room: &Locked) -> Result<Locked, CustodyError> {
    Ok(slab.copy_from(room.expose().get(..SECRET).unwrap_or_default())?)
}
