//! Making, finding and destroying KEKs, and initialising tokens: what an approved command does, in a worker of its own.

use super::engine::{Engine, Fault, Seat, Trouble};
use super::protocol::{FrameReader, FrameWriter, Kind, Status};
use super::{kek, managed, text};
use crate::custody::context::KekId;
use crate::custody::pkcs11::{Outcome, Rv};
use crate::custody::worker::Role;

pub(super) fn handle(
    engine: &Engine,
    seat: &mut Seat,
    kind: Kind,
    mut fields: FrameReader<'_>,
    answer: &mut FrameWriter,
) -> Result<(), Fault> {
    let allowed = match kind {
        Kind::Create | Kind::Destroy => engine.role() == Role::Management,
        Kind::Find => matches!(engine.role(), Role::Usage | Role::Management),
        Kind::Probe => true,
        Kind::Prepare => engine.role() == Role::Preparation,
        _ => false,
    };
    if !allowed {
        return Err(Fault::new(Status::Misfit));
    }
    match kind {
        Kind::Probe => {
            fields.end()?;
            let slots = &mut |_: &_, _: _| Ok::<_, Trouble>(());
            engine.with_session(seat, slots)
        }
        Kind::Prepare => {
            let (label, officer_pin, pin) = (text(fields.field()?)?, fields.field()?, fields.field()?);
            fields.end()?;
            let serial = prepare(engine, label, officer_pin, pin)?;
            Ok(answer.raw(serial.as_bytes())?)
        }
        _ => {
            let (id, context) = kek(&mut fields)?;
            fields.end()?;
            managed(&context)?;
            match kind {
                Kind::Create => create(engine, seat, id, context.kek),
                Kind::Find => find(engine, seat, id),
                _ => destroy(engine, seat, id),
            }
        }
    }
}

/// Makes a KEK, unless there is one.
fn create(engine: &Engine, seat: &mut Seat, id: &[u8], kek: KekId) -> Result<(), Fault> {
    if count(engine, seat, id)? > 0 {
        return Err(Fault::new(Status::Exists));
    }
    let label = format!("claviger KEK {}", kmip_ttlv::Hex(&kek.0));
    engine.with_session(seat, &mut |_, session| {
        // An attempt before this one may have made it and lost the answer.
        if engine.module.find(session, id)?.is_empty() {
            engine.module.generate(session, id, &label)?;
        }
        Ok(())
    })?;
    if count(engine, seat, id)? == 1 {
        Ok(())
    } else {
        Err(Fault::new(Status::Outage))
    }
}

/// Answers Missing only if a token that has just been logged in to does not have the KEK.
fn find(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<(), Fault> {
    let mut found = count(engine, seat, id)?;
    if found == 0 {
        engine.initialize(engine.epoch())?;
        found = count(engine, seat, id)?;
    }
    match found {
        0 => Err(Fault::new(Status::Missing)),
        1 => Ok(()),
        _ => Err(Fault::new(Status::Outage)),
    }
}

fn destroy(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<(), Fault> {
    engine.with_session(seat, &mut |_, session| {
        for key in engine.module.find(session, id)? {
            engine.module.destroy(session, key)?;
        }
        Ok(())
    })?;
    engine.forget(id);
    match find(engine, seat, id) {
        Err(fault) if fault.status == Status::Missing => Ok(()),
        Err(fault) => Err(fault),
        Ok(()) => Err(Fault::new(Status::Outage)),
    }
}

fn count(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<usize, Fault> {
    engine.with_session(seat, &mut |_, session| Ok(engine.module.find(session, id)?.len()))
}

/// Initialises the first token that is not yet, and answers its serial number.
fn prepare(engine: &Engine, label: &str, officer_pin: &[u8], pin: &[u8]) -> Result<String, Fault> {
    let fault = |rv: Rv| Fault {
        status: Status::Outage,
        detail: rv.0,
    };
    let module = &engine.module;
    if find_slot(engine, Some(label)).map_err(fault)?.is_some() {
        return Err(Fault::new(Status::Exists));
    }
    let (slot, _) = find_slot(engine, None)
        .map_err(fault)?
        .ok_or(Fault::new(Status::Missing))?;
    module.init_token(slot, officer_pin, label).map_err(fault)?;
    // Some modules give a token another slot when they initialise it.
    let (slot, serial) = find_slot(engine, Some(label))
        .map_err(fault)?
        .ok_or(Fault::new(Status::Missing))?;
    let session = module.open_session(slot, true).map_err(fault)?;
    let outcome = module
        .login(session, true, officer_pin)
        .and_then(|()| module.init_pin(session, pin))
        .and_then(|()| module.logout(session));
    module.close_session(session);
    outcome.map(|()| serial).map_err(fault)
}

/// The initialised token of that label, or the first that is not initialised.
fn find_slot(engine: &Engine, label: Option<&str>) -> Outcome<Option<(u64, String)>> {
    for slot in engine.module.slots()? {
        let Ok(facts) = engine.module.token(slot) else { continue };
        let fits = match label {
            Some(label) => facts.initialized && facts.label == label,
            None => !facts.initialized,
        };
        if fits {
            return Ok(Some((slot, facts.serial)));
        }
    }
    Ok(None)
}
