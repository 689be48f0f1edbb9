//! One login to one token: sessions, handles, and the ladder that brings them back after a failure: new session and
//! handle, then the module initialised again. The last rung, a new process, is the server's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cryptoki_sys::{CK_OBJECT_HANDLE, CK_SESSION_HANDLE, CK_SLOT_ID};

use super::protocol::{Role, Status};
use super::spares::Spares;
use crate::custody::pkcs11::{Class, Module, Outcome, Rv, TokenFacts};
use crate::custody::slab::Locked;

/// The module is initialised again at most this often while its token is away, so that a crowd of requests does not
/// hammer it.
const REINITIALIZE_PAUSE: Duration = Duration::from_millis(200);
/// A KEK that a working token does not have is looked for with a new initialisation at most this often: each ends the
/// sessions of everybody on the module.
const MISSING_PAUSE: Duration = Duration::from_secs(10);

/// Why a request failed, and the module's own number for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub status: Status,
    pub detail: u64,
}

impl Fault {
    pub(super) fn new(status: Status) -> Self {
        Self { status, detail: 0 }
    }
}

impl From<crate::custody::error::CustodyError> for Fault {
    fn from(error: crate::custody::error::CustodyError) -> Self {
        use crate::custody::error::CustodyError;
        Self::new(match error {
            CustodyError::Refused => Status::Refused,
            CustodyError::Limit => Status::Limit,
            CustodyError::Record => Status::Misfit,
            _ => Status::Outage,
        })
    }
}

/// What stopped one attempt.
#[derive(Clone, Copy)]
pub(super) enum Trouble {
    /// A function of the module failed.
    Call(Rv),
    /// No key under that CKA_ID, or so the token says.
    Missing,
    /// More than one key under that CKA_ID.
    Ambiguous,
}

impl From<Rv> for Trouble {
    fn from(rv: Rv) -> Self {
        Self::Call(rv)
    }
}

/// Which token of the module.
pub(super) struct TokenName {
    pub label: String,
    /// Some modules give every token the same serial number, so the label decides as well.
    pub serial: Option<String>,
}

pub(super) struct Engine {
    pub(super) module: Module,
    token: TokenName,
    pin: Locked,
    role: Role,
    login: RwLock<Option<Login>>,
    memory: Mutex<Memory>,
    spares: Spares,
}

/// A login epoch. Handles are worth nothing in the next one.
pub(super) struct Login {
    epoch: u64,
    slot: CK_SLOT_ID,
    most_sessions: Option<u64>,
    keys: RwLock<HashMap<Vec<u8>, KekHandles>>,
}

/// The handles of a KEK in a login epoch.
#[derive(Clone, Copy)]
pub(super) struct KekHandles {
    /// The AES key.
    pub(super) cipher: CK_OBJECT_HANDLE,
    /// The key for HMAC, where one was asked for.
    pub(super) mac: Option<CK_OBJECT_HANDLE>,
}

impl Login {
    /// The token's slot.
    pub(super) fn slot(&self) -> CK_SLOT_ID {
        self.slot
    }
}

/// What is remembered from one epoch to the next.
#[derive(Default)]
struct Memory {
    epochs: u64,
    last_attempt: Option<Instant>,
    /// The PIN was refused: it is never sent again by this process.
    stopped: Option<Fault>,
    missing: HashMap<Vec<u8>, Instant>,
}

/// The session of one thread.
#[derive(Default)]
pub(super) struct Seat {
    session: Option<(u64, CK_SESSION_HANDLE)>,
}

/// The one key of those found.
fn only(found: &[CK_OBJECT_HANDLE]) -> Result<CK_OBJECT_HANDLE, Trouble> {
    match found {
        [] => Err(Trouble::Missing),
        [key] => Ok(*key),
        _ => Err(Trouble::Ambiguous),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rung {
    AsItIs,
    NewSession,
    Initialized,
}

impl Engine {
    pub(super) fn new(module: Module, token: TokenName, pin: Locked, role: Role) -> Self {
        Self {
            module,
            token,
            pin,
            role,
            login: RwLock::default(),
            memory: Mutex::default(),
            spares: Spares::default(),
        }
    }

    /// How many sessions the token grants beside the one that holds the login.
    pub(super) fn most_sessions(&self) -> Option<u64> {
        let login = self.login.read().unwrap_or_else(PoisonError::into_inner);
        login
            .as_ref()?
            .most_sessions
            .map(|count| count.saturating_sub(1).max(1))
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Changes the PIN that is logged in with.
    pub(super) fn set_pin(&self, session: CK_SESSION_HANDLE, new: &[u8]) -> Outcome<()> {
        self.module.set_pin(session, self.pin.expose(), new)
    }

    /// Logs in for the first time.
    pub(super) fn start(&self) -> Result<(), Fault> {
        self.initialize(None)
    }

    /// Ends everything; nothing can be called any more.
    pub(super) fn close(&self) -> ! {
        let _nobody_else = self.login.write().unwrap_or_else(PoisonError::into_inner);
        // The process ends either way.
        let _ = self.module.finalize();
        std::process::exit(0)
    }

    /// Runs `step` with a session, climbing the ladder as long as it fails in a way that a rung may cure.
    pub(super) fn with_session<T>(
        &self,
        seat: &mut Seat,
        step: &mut dyn FnMut(&Login, CK_SESSION_HANDLE) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        self.climb(seat, None, step)
    }

    /// Runs `step` with a session, and looks for what it is about once more after a new initialisation where `step` says that
    /// it is missing.
    pub(super) fn with_object<T>(
        &self,
        seat: &mut Seat,
        id: &[u8],
        step: &mut dyn FnMut(&Login, CK_SESSION_HANDLE) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        self.climb(seat, Some(id), step)
    }

    /// Runs `step` with a session and the key under `id`.
    pub(super) fn with_key<T>(
        &self,
        seat: &mut Seat,
        id: &[u8],
        with_mac: bool,
        step: &mut dyn FnMut(CK_SESSION_HANDLE, KekHandles) -> Outcome<T>,
    ) -> Result<T, Fault> {
        self.climb(seat, Some(id), &mut |login, session| {
            let keys = self.keys(login, session, id, with_mac)?;
            Ok(step(session, keys)?)
        })
    }

    fn climb<T>(
        &self,
        seat: &mut Seat,
        id: Option<&[u8]>,
        step: &mut dyn FnMut(&Login, CK_SESSION_HANDLE) -> Result<T, Trouble>,
    ) -> Result<T, Fault> {
        let mut rung = Rung::AsItIs;
        loop {
            let (epoch, trouble) = match self.attempt(seat, rung, id, step) {
                Ok(done) => return Ok(done),
                Err(stopped) => stopped,
            };
            let detail = match trouble {
                Some(Trouble::Call(rv)) => {
                    let detail = rv.0;
                    match rv.class() {
                        Class::Data => {
                            return Err(Fault {
                                status: Status::Refused,
                                detail,
                            });
                        }
                        Class::Credential => {
                            return Err(self.stop(Fault {
                                status: Status::Credential,
                                detail,
                            }));
                        }
                        Class::Capacity => {
                            return Err(Fault {
                                status: Status::Limit,
                                detail,
                            });
                        }
                        Class::Session | Class::Device => detail,
                    }
                }
                Some(Trouble::Ambiguous) => return Err(Fault::new(Status::Outage)),
                Some(Trouble::Missing) | None => 0,
            };
            let missing = matches!(trouble, Some(Trouble::Missing));
            rung = match rung {
                Rung::AsItIs if epoch.is_some() => Rung::NewSession,
                Rung::AsItIs | Rung::NewSession => {
                    if missing && id.is_some_and(|id| self.missed_lately(id)) {
                        return Err(Fault::new(Status::Missing));
                    }
                    self.initialize(epoch)?;
                    Rung::Initialized
                }
                Rung::Initialized if missing => {
                    // The token answers after a new initialisation, so this is no outage that looks like an absence.
                    if let Some(id) = id {
                        self.memory().missing.insert(id.to_vec(), Instant::now());
                    }
                    return Err(Fault::new(Status::Missing));
                }
                Rung::Initialized => {
                    return Err(Fault {
                        status: Status::Outage,
                        detail,
                    });
                }
            };
        }
    }

    /// One attempt. What stopped it comes with the epoch that it ran in; without an epoch there is no login.
    fn attempt<T>(
        &self,
        seat: &mut Seat,
        rung: Rung,
        id: Option<&[u8]>,
        step: &mut dyn FnMut(&Login, CK_SESSION_HANDLE) -> Result<T, Trouble>,
    ) -> Result<T, (Option<u64>, Option<Trouble>)> {
        let login = self.login.read().unwrap_or_else(PoisonError::into_inner);
        let Some(login) = login.as_ref() else {
            return Err((None, None));
        };
        let stopped = |trouble: Trouble| (Some(login.epoch), Some(trouble));
        if rung == Rung::NewSession {
            if let Some((epoch, session)) = seat.session.take()
                && epoch == login.epoch
            {
                self.module.close_session(session);
            }
            if let Some(id) = id {
                login.keys.write().unwrap_or_else(PoisonError::into_inner).remove(id);
            }
        }
        let session = match seat.session {
            Some((epoch, session)) if epoch == login.epoch => session,
            _ => {
                let writing = matches!(self.role, Role::Management | Role::Preparation);
                // The keeper's login is that of all sessions. After a reset of the token nobody is logged in, which the ladder
                // finds out: the PIN is sent at one place, by one thread, so that a wrong one is sent once.
                let session = match self.module.open_session(login.slot, writing) {
                    // The token grants fewer sessions than there are threads, or others have them.
                    Err(rv) if rv.class() == Class::Capacity => self.spares.borrow(login.epoch).ok_or(rv),
                    outcome => outcome,
                };
                let session = session.map_err(|rv| stopped(rv.into()))?;
                seat.session = Some((login.epoch, session));
                session
            }
        };
        let outcome = step(login, session).map_err(stopped);
        if outcome.is_ok() && self.spares.are_wanted() {
            self.spares.lend(&mut seat.session);
        }
        outcome
    }

    fn keys(
        &self,
        login: &Login,
        session: CK_SESSION_HANDLE,
        id: &[u8],
        with_mac: bool,
    ) -> Result<KekHandles, Trouble> {
        if let Some(keys) = login.keys.read().unwrap_or_else(PoisonError::into_inner).get(id)
            && (keys.mac.is_some() || !with_mac)
        {
            return Ok(*keys);
        }
        let keys = KekHandles {
            cipher: only(&self.module.find(session, id)?)?,
            mac: match with_mac {
                true => Some(only(&self.module.find_mac(session, id)?)?),
                false => None,
            },
        };
        login
            .keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_vec(), keys);
        self.memory().missing.remove(id);
        Ok(keys)
    }

    /// Initialises the module again and logs in, unless somebody has done so since epoch `seen`.
    pub(super) fn initialize(&self, seen: Option<u64>) -> Result<(), Fault> {
        let mut login = self.login.write().unwrap_or_else(PoisonError::into_inner);
        let now = login.as_ref().map(|login| login.epoch);
        if now.is_some() && now != seen {
            return Ok(());
        }
        let epoch = {
            let mut memory = self.memory();
            if let Some(fault) = memory.stopped {
                return Err(fault);
            }
            if now.is_none()
                && memory
                    .last_attempt
                    .is_some_and(|last| last.elapsed() < REINITIALIZE_PAUSE)
            {
                return Err(Fault::new(Status::Outage));
            }
            memory.last_attempt = Some(Instant::now());
            memory.epochs += 1;
            memory.epochs
        };
        *login = None;
        match self.log_in(epoch) {
            Ok(fresh) => {
                *login = Some(fresh);
                Ok(())
            }
            Err(Trouble::Call(rv)) if rv.class() == Class::Credential => Err(self.stop(Fault {
                status: Status::Credential,
                detail: rv.0,
            })),
            Err(Trouble::Call(rv)) => Err(Fault {
                status: Status::Outage,
                detail: rv.0,
            }),
            Err(Trouble::Missing | Trouble::Ambiguous) => Err(Fault::new(Status::Outage)),
        }
    }

    fn log_in(&self, epoch: u64) -> Result<Login, Trouble> {
        // It may never have been initialised, or be beyond finalising.
        let _ = self.module.finalize();
        self.module.initialize()?;
        let (slot, facts) = self.find_token()?;
        if !facts.pin.allows_login() {
            return Err(Rv::NO_LOGIN.into());
        }
        // This session stays open and unused: it holds the login while others come and go.
        let keeper = self.module.open_session(slot, false)?;
        self.module.login(keeper, false, self.pin.expose())?;
        Ok(Login {
            epoch,
            slot,
            most_sessions: facts.most_sessions,
            keys: RwLock::default(),
        })
    }

    /// What the token says of itself; needs no login.
    pub(super) fn token_facts(&self) -> Result<TokenFacts, Fault> {
        match self.find_token() {
            Ok((_, facts)) => Ok(facts),
            Err(Trouble::Call(rv)) => Err(Fault {
                status: Status::Outage,
                detail: rv.0,
            }),
            Err(Trouble::Missing | Trouble::Ambiguous) => Err(Fault::new(Status::Outage)),
        }
    }

    fn find_token(&self) -> Result<(CK_SLOT_ID, TokenFacts), Trouble> {
        let mut found = None;
        for slot in self.module.slots()? {
            // A slot that cannot tell is not ours.
            let Ok(facts) = self.module.token(slot) else { continue };
            let serial_fits = self.token.serial.as_ref().is_none_or(|serial| *serial == facts.serial);
            if facts.initialized && facts.label == self.token.label && serial_fits {
                if found.is_some() {
                    return Err(Trouble::Ambiguous);
                }
                found = Some((slot, facts));
            }
        }
        found.ok_or(Trouble::Missing)
    }

    fn stop(&self, fault: Fault) -> Fault {
        self.memory().stopped = Some(fault);
        fault
    }

    fn missed_lately(&self, id: &[u8]) -> bool {
        self.memory()
            .missing
            .get(id)
            .is_some_and(|since| since.elapsed() < MISSING_PAUSE)
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present epoch, to be named to [`Engine::initialize`].
    pub(super) fn epoch(&self) -> Option<u64> {
        self.login
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|login| login.epoch)
    }

    /// Forgets the handle of a key that was destroyed.
    pub(super) fn forget(&self, id: &[u8]) {
        if let Some(login) = self.login.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            login.keys.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
    }
}
