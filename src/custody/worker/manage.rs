//! Making, finding and destroying KEKs, and initialising tokens: what an approved command does, in a worker of its own.

use super::engine::{Engine, Fault, Seat, Trouble};
use super::protocol::{FrameReader, FrameWriter, Kind, Status};
use super::wrapping::scheme;
use super::{kek, managed, text};
use crate::custody::context::KekId;
use crate::custody::pkcs11::{Class, Outcome, Rv};
use crate::custody::probe::Scheme;
use crate::custody::worker::Role;

pub(super) fn handle(
    engine: &Engine,
    seat: &mut Seat,
    kind: Kind,
    mut fields: FrameReader<'_>,
    answer: &mut FrameWriter,
) -> Result<(), Fault> {
    let allowed = match kind {
        Kind::Create | Kind::Destroy | Kind::SetPin => engine.role() == Role::Management,
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
            // Some modules tell what they remember of a token that is gone; this it must do.
            engine.with_session(
                seat,
                &mut |_, session| match engine.module.random(session, &mut [0; 16]) {
                    Err(rv) if rv.has_no_randomness() => Ok(()),
                    outcome => Ok::<_, Trouble>(outcome?),
                },
            )
        }
        Kind::SetPin => {
            let pin = fields.field()?;
            fields.end()?;
            set_pin(engine, seat, pin)
        }
        Kind::Prepare => {
            let (label, officer_pin, pin) = (text(fields.field()?)?, fields.field()?, fields.field()?);
            fields.end()?;
            let serial = prepare(engine, label, officer_pin, pin)?;
            Ok(answer.raw(serial.as_bytes())?)
        }
        _ => {
            let (id, context) = kek(&mut fields)?;
            let scheme = scheme(&mut fields)?;
            fields.end()?;
            managed(&context)?;
            match kind {
                Kind::Create => create(engine, seat, id, scheme, context.kek),
                Kind::Find => find(engine, seat, id, scheme),
                _ => destroy(engine, seat, id),
            }
        }
    }
}

/// How much of a KEK a token shows: its AES keys, and its keys for HMAC.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown {
    ciphers: usize,
    macs: usize,
}

impl Shown {
    fn look(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<Self, Fault> {
        engine.with_session(seat, &mut |_, session| {
            Ok(Self {
                ciphers: engine.module.find(session, id)?.len(),
                macs: engine.module.find_mac(session, id)?.len(),
            })
        })
    }

    /// Whether that is the KEK; a part of one, which an interrupted command has left, is none. More than one key of a kind is an
    /// outage: nobody knows which is meant.
    fn is_whole(self, scheme: Scheme) -> Result<bool, Fault> {
        let Self { ciphers, macs } = self;
        if ciphers > 1 || macs > 1 {
            return Err(Fault::new(Status::Outage));
        }
        Ok(ciphers == 1 && (macs == 1 || scheme != Scheme::CbcHmac))
    }
}

/// Makes a KEK, unless there is one.
fn create(engine: &Engine, seat: &mut Seat, id: &[u8], scheme: Scheme, kek: KekId) -> Result<(), Fault> {
    if Shown::look(engine, seat, id)?.is_whole(scheme)? {
        return Err(Fault::new(Status::Exists));
    }
    let label = format!("claviger KEK {}", kmip_ttlv::Hex(&kek.0));
    engine.with_session(seat, &mut |_, session| {
        // An attempt before this one may have made it, or a part of it, and lost the answer.
        if engine.module.find(session, id)?.is_empty() {
            engine.module.generate(session, id, &label)?;
        }
        if scheme == Scheme::CbcHmac && engine.module.find_mac(session, id)?.is_empty() {
            engine.module.generate_mac(session, id, &label)?;
        }
        Ok(())
    })?;
    if Shown::look(engine, seat, id)?.is_whole(scheme)? {
        Ok(())
    } else {
        Err(Fault::new(Status::Outage))
    }
}

/// Answers Missing only if a token that has just been logged in to does not have the KEK.
fn find(engine: &Engine, seat: &mut Seat, id: &[u8], scheme: Scheme) -> Result<(), Fault> {
    if Shown::look(engine, seat, id)?.is_whole(scheme)? {
        return Ok(());
    }
    engine.initialize(engine.epoch())?;
    if Shown::look(engine, seat, id)?.is_whole(scheme)? {
        Ok(())
    } else {
        Err(Fault::new(Status::Missing))
    }
}

fn destroy(engine: &Engine, seat: &mut Seat, id: &[u8]) -> Result<(), Fault> {
    engine.with_session(seat, &mut |_, session| {
        let module = &engine.module;
        let found = [module.find(session, id)?, module.find_mac(session, id)?];
        for key in found.into_iter().flatten() {
            module.destroy(session, key)?;
        }
        Ok(())
    })?;
    engine.forget(id);
    // Only a token that has been logged in to anew is believed that it has nothing.
    engine.initialize(engine.epoch())?;
    match Shown::look(engine, seat, id)? {
        Shown { ciphers: 0, macs: 0 } => Ok(()),
        _ => Err(Fault::new(Status::Outage)),
    }
}

/// Changes the PIN, and asks once: whether a call that failed has changed it, only a login tells.
fn set_pin(engine: &Engine, seat: &mut Seat, pin: &[u8]) -> Result<(), Fault> {
    let mut answer = None;
    engine.with_session(seat, &mut |_, session| {
        if answer.is_none() {
            answer = Some(engine.set_pin(session, pin));
        }
        Ok(())
    })?;
    match answer {
        Some(Ok(())) => Ok(()),
        Some(Err(rv)) => Err(Fault {
            status: match rv.class() {
                _ if rv.is_unfit_pin() => Status::Refused,
                Class::Credential => Status::Credential,
                _ => Status::Outage,
            },
            detail: rv.0,
        }),
        None => Err(Fault::new(Status::Outage)),
    }
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
