//! Key pairs: made, found and destroyed by key management, and by key usage asked to open a protected KEK.

use super::engine::{Engine, Fault, Seat, Trouble};
use super::protocol::{FrameReader, FrameWriter, Kind, Role, Status};
use super::{kek, managed};
use crate::custody::context::{KekId, Purpose};
use crate::custody::error::CustodyError;
use crate::custody::protected::envelope::{self, POINT, SHARED};
use crate::custody::sealing::KEY;
use crate::custody::slab::Slab;

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
    fields.end()?;
    managed(&context)?;
    match kind {
        Kind::MakePair => Ok(answer.raw(&make(engine, seat, id, context.kek)?)?),
        Kind::FindPair => Ok(answer.raw(&find(engine, seat, id)?)?),
        _ => destroy(engine, seat, id),
    }
}

/// Makes a pair, unless there is one.
fn make(engine: &Engine, seat: &mut Seat, id: &[u8], kek: KekId) -> Result<[u8; POINT], Fault> {
    if count(engine, seat, id)? > 0 {
        return Err(Fault::new(Status::Exists));
    }
    let label = format!("claviger KEK {}", kmip_ttlv::Hex(&kek.0));
    engine.with_session(seat, &mut |_, session| {
        // An attempt before this one may have made it and lost the answer.
        if engine.module.find_private(session, id)?.is_empty() {
            engine.module.generate_pair(session, id, &label)?;
        }
        Ok(())
    })?;
    match find(engine, seat, id) {
        // It was just made.
        Err(fault) if fault.status == Status::Missing => Err(Fault::new(Status::Outage)),
        outcome => outcome,
    }
}

/// The public key of a pair whose private key cannot leave. Answers Missing only if a token that has just been logged in to
/// does not have it.
fn find(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<[u8; POINT], Fault> {
    engine.with_object(seat, id, &mut |_, session| {
        let (private, public) = (
            engine.module.find_private(session, id)?,
            engine.module.find_public(session, id)?,
        );
        match (private.as_slice(), public.as_slice()) {
            ([], []) => Err(Trouble::Missing),
            ([private], [public]) if engine.module.is_captive(session, *private)? => {
                Ok(engine.module.point(session, *public)?)
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

/// Opens a protected KEK: the token agrees on the secret, which goes no further than this call.
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
    let point = envelope::ephemeral(sealed)?;
    let mut shared = slab.allocate(SHARED).map_err(CustodyError::from)?;
    let agreed = shared.expose_mut();
    engine.with_object(
        seat,
        id,
        &mut |_, session| match engine.module.find_private(session, id)?.as_slice() {
            [] => Err(Trouble::Missing),
            [private] => Ok(engine.module.agree(session, *private, point, agreed)?),
            _ => Err(Trouble::Ambiguous),
        },
    )?;
    let key = envelope::open(slab, &shared, public_key, &context, more, sealed)?;
    if key.len() != KEY {
        return Err(Fault::new(Status::Refused));
    }
    Ok(answer.raw(key.expose())?)
}
