//! The HSM worker: a process of its own around one PKCS#11 module and one login, spoken to over one inherited socket
//! pair. It answers only requests that carry tenant, KEK and full authenticated data, and dies with its parent.

mod engine;
mod examine;
mod manage;
mod pair;
pub(super) mod protocol;
mod spares;
mod turns;
mod wrapping;

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use zeroize::Zeroize;

use self::engine::{Engine, Fault, Seat, TokenName, Trouble};
use self::protocol::{FrameReader, FrameWriter, Kind, MAX_FRAME, Role, Status};
use self::turns::{Turn, Turns};
use self::wrapping::SLACK;
use super::context::{Purpose, WrapContext};
use super::error::CustodyError;
use super::harden::{die_with_parent, harden, receive_now, take_standard_input};
use super::pkcs11::Module;
use super::sealing::WRAPPED_CBC;
use super::slab::{Locked, Slab};

/// The environment variable in which the server tells its process number.
pub(super) const PARENT: &str = "CLAVIGER_WORKER_PARENT";
/// Threads, and so sessions, at most: HSMs gain nothing from more.
const MOST_SESSIONS: u16 = 64;
/// How long the thread that takes all requests looks for the next one before it sleeps: what it takes to be put to sleep and woken.
const LOOK: Duration = Duration::from_micros(60);

/// The whole life of a worker: what `claviger hsm-worker` calls. Standard input is the socket pair's end.
#[must_use]
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {
        // A thread less would be a session less for ever; the server starts a new worker at once.
        std::process::exit(70)
    }));
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> Result<(), CustodyError> {
    let parent = std::env::var(PARENT).ok().and_then(|number| number.parse().ok());
    harden().map_err(|_| CustodyError::Limit)?;
    die_with_parent(parent.ok_or(CustodyError::Unavailable)?).map_err(|_| CustodyError::Unavailable)?;
    let socket = UnixDatagram::from(take_standard_input().map_err(|_| CustodyError::Unavailable)?);
    let slab = Slab::new()?;

    let mut buffer = slab.allocate(MAX_FRAME)?;
    let received = socket
        .recv(buffer.expose_mut())
        .map_err(|_| CustodyError::Unavailable)?;
    let greeting = buffer.expose().get(..received).unwrap_or_default();
    let (kind, number, fields) = FrameReader::request(greeting)?;
    if kind != Kind::Hello {
        return Err(CustodyError::Record);
    }
    let mut answer = FrameWriter::empty(&slab)?;
    let greeted = greet(&slab, fields);
    let outcome = greeted
        .as_ref()
        .map(|(_, _, started)| *started)
        .unwrap_or_else(|fault| Err(*fault));
    reply(&socket, &mut answer, number, outcome)?;
    buffer.expose_mut().zeroize();
    let (engine, wanted, _) = greeted.map_err(|_| CustodyError::Unavailable)?;

    let most = engine
        .most_sessions()
        .and_then(|count| u16::try_from(count).ok())
        .unwrap_or(MOST_SESSIONS);
    let turns = Turns::default();
    std::thread::scope(|scope| {
        for _ in 0..wanted.clamp(1, MOST_SESSIONS).min(most) {
            scope.spawn(|| {
                // An end is the end of the process: the server is gone.
                let _ = attend(&slab, &socket, &engine, &turns);
                engine.close()
            });
        }
    });
    Ok(())
}

/// Reads the greeting, loads the module and logs in. A login that fails is told, and tried again as requests come.
fn greet(slab: &Slab, mut fields: FrameReader<'_>) -> Result<(Engine, u16, Result<(), Fault>), Fault> {
    let role = fields.role()?;
    let sessions = u16::from_be_bytes(fields.raw()?);
    let path = text(fields.field()?)?;
    let label = text(fields.field()?)?.to_owned();
    let serial = Some(text(fields.field()?)?.to_owned()).filter(|serial| !serial.is_empty());
    let pin = slab.copy_from(fields.field()?).map_err(CustodyError::from)?;
    fields.end()?;
    let module = Module::load(Path::new(path)).map_err(|rv| Fault {
        status: Status::Outage,
        detail: rv.0,
    })?;
    let engine = Engine::new(module, TokenName { label, serial }, pin, role);
    let started = match role {
        // What needs a login there has one made when it is asked for.
        Role::Preparation | Role::Examination => engine.module.initialize().map_err(|rv| Fault {
            status: Status::Outage,
            detail: rv.0,
        }),
        Role::Usage | Role::Management => engine.start(),
    };
    Ok((engine, if role == Role::Usage { sessions } else { 1 }, started))
}

fn text(bytes: &[u8]) -> Result<&str, CustodyError> {
    std::str::from_utf8(bytes).map_err(|_| CustodyError::Record)
}

fn reply(
    socket: &UnixDatagram,
    answer: &mut FrameWriter,
    number: u64,
    outcome: Result<(), Fault>,
) -> Result<(), CustodyError> {
    let fault = outcome.err().unwrap_or(Fault::new(Status::Done));
    answer.answer(fault.status, number, fault.detail)?;
    send(socket, answer)
}

fn send(socket: &UnixDatagram, answer: &mut FrameWriter) -> Result<(), CustodyError> {
    let sent = socket.send(answer.bytes()).map_err(|_| CustodyError::Unavailable);
    answer.clear();
    sent.map(|_| ())
}

/// One thread: takes a request when it is its turn, answers it, takes the next. Where more than one listens, the kernel hands each packet
/// to one of them.
fn attend(slab: &Slab, socket: &UnixDatagram, engine: &Engine, turns: &Turns) -> Result<(), CustodyError> {
    let mut request = slab.allocate(MAX_FRAME)?;
    let mut answer = FrameWriter::empty(slab)?;
    let mut desk = Desk {
        slab,
        engine,
        seat: Seat::default(),
        plain: slab.allocate(WRAPPED_CBC + SLACK)?,
    };
    loop {
        let turn = turns.take();
        loop {
            let received = match receive(socket, &mut request, turn) {
                Ok(0) => return Ok(()),
                Ok(received) => received,
                Err(_) => return Err(CustodyError::Unavailable),
            };
            if turn == Turn::Alone {
                turns.begin();
            }
            let begun = Instant::now();
            let frame = request.expose().get(..received).unwrap_or_default();
            let (kind, number, fields) = FrameReader::request(frame)?;
            answer.answer(Status::Done, number, 0)?;
            let outcome = desk.handle(kind, fields, &mut answer);
            request.expose_mut().get_mut(..received).unwrap_or_default().zeroize();
            let took = begun.elapsed();
            match outcome {
                Ok(()) => {
                    answer.detail(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))?;
                    send(socket, &mut answer)?;
                }
                Err(fault) => reply(socket, &mut answer, number, Err(fault))?,
            }
            if !turns.end(turn, took) {
                break;
            }
        }
    }
}

/// The next request. Who takes them all looks for it first: to be woken from sleep takes longer than a quick module's answer.
fn receive(socket: &UnixDatagram, request: &mut Locked, turn: Turn) -> std::io::Result<usize> {
    if turn == Turn::Alone {
        let begun = Instant::now();
        loop {
            match receive_now(socket, request.expose_mut()) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            if begun.elapsed() >= LOOK {
                break;
            }
            // Whoever else has something to do on this processor does it.
            std::thread::yield_now();
        }
    }
    loop {
        match socket.recv(request.expose_mut()) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// What a thread works with.
struct Desk<'a> {
    slab: &'a Slab,
    engine: &'a Engine,
    seat: Seat,
    plain: Locked,
}

impl Desk<'_> {
    fn handle(&mut self, kind: Kind, mut fields: FrameReader<'_>, answer: &mut FrameWriter) -> Result<(), Fault> {
        match kind {
            Kind::Wrap => {
                let (id, context) = kek(&mut fields)?;
                self.wrap(id, &context.aad(), fields, answer)
            }
            Kind::Unwrap => {
                let (id, context) = kek(&mut fields)?;
                self.unwrap(id, &context.aad(), fields, answer)
            }
            Kind::Create | Kind::Find | Kind::Destroy | Kind::Prepare | Kind::Probe | Kind::SetPin => {
                manage::handle(self.engine, &mut self.seat, kind, fields, answer)
            }
            Kind::MakePair | Kind::FindPair | Kind::DestroyPair => {
                pair::manage(self.engine, &mut self.seat, kind, fields, answer)
            }
            Kind::Open => pair::open(self.slab, self.engine, &mut self.seat, fields, answer),
            Kind::Examine => examine::handle(self.engine, &mut self.seat, fields, answer),
            Kind::Random => self.random(usize::from(u16::from_be_bytes(fields.raw()?)), answer),
            Kind::Hello => Err(Fault::new(Status::Misfit)),
        }
    }

    fn random(&mut self, length: usize, answer: &mut FrameWriter) -> Result<(), Fault> {
        if self.engine.role() != Role::Usage {
            return Err(Fault::new(Status::Misfit));
        }
        let (mut bytes, module) = (
            self.slab.allocate(length).map_err(CustodyError::from)?,
            &self.engine.module,
        );
        self.engine.with_session(&mut self.seat, &mut |_, session| {
            Ok::<_, Trouble>(module.random(session, bytes.expose_mut())?)
        })?;
        Ok(answer.raw(bytes.expose())?)
    }
}

/// The CKA_ID and the whole context of a request about a KEK.
fn kek<'a>(fields: &mut FrameReader<'a>) -> Result<(&'a [u8], WrapContext), CustodyError> {
    let id = fields.field()?;
    if id.is_empty() {
        Err(CustodyError::Record)
    } else {
        Ok((id, fields.context()?))
    }
}

/// Requests that manage a KEK name it by the context of its known answer.
fn managed(context: &WrapContext) -> Result<(), Fault> {
    if context.purpose == Purpose::KnownAnswer {
        Ok(())
    } else {
        Err(Fault::new(Status::Misfit))
    }
}
