//! KEKs that stay in an HSM: each wrap and unwrap is a request to the profile's worker process.

mod answers;
mod breaker;
mod client;
mod examine;
mod link;
mod pairs;

use std::sync::{Arc, Mutex, PoisonError};

pub use self::client::TokenSettings;
pub use self::link::WorkerCommand;

use self::client::Client;
use super::context::WrapContext;
use super::error::CustodyError;
use super::probe::Capabilities;
use super::record::{KekRecord, MAX_CKA_ID, Placement, Resident};
use super::sealer::{
    KekProvider, NewKek, PairProvider, Sealer, SealerKind, check_context, check_known_answer, known_answer_context,
};
use super::sealing::{self, KEY};
use super::slab::{Locked, Slab};
use super::worker::protocol::{FrameWriter, KEK_FRAME, Kind, MAX_FRAME, Role};
use crate::wait::Wait;

/// An HSM-Profile at work: one token, one worker for key usage.
pub struct ResidentKeks {
    usage: Arc<Client>,
    /// The key-management login that the token refused last.
    refused: Mutex<Option<Locked>>,
}

impl ResidentKeks {
    /// Nothing is started before it is needed, so a missing HSM delays nothing. `pin` is the key-usage credential.
    #[must_use]
    pub fn new(settings: TokenSettings, pin: Locked, slab: Slab) -> Self {
        Self {
            usage: Arc::new(Client::new(settings, Role::Usage, Arc::new(pin), slab)),
            refused: Mutex::default(),
        }
    }

    /// The same, where the PIN may have been changed to another one: if the token does not take the first, it is asked with that one.
    #[must_use]
    pub fn either(settings: TokenSettings, pin: Locked, other: Option<Locked>, slab: Slab) -> Self {
        Self {
            usage: Arc::new(Client::new(settings, Role::Usage, Arc::new(pin), slab).or(other)),
            refused: Mutex::default(),
        }
    }

    /// The process number of the worker that runs now.
    #[must_use]
    pub fn worker_process(&self) -> Option<u32> {
        self.usage.process()
    }

    /// Where a KEK is that was made or found.
    fn placement(&self, kek: &NewKek) -> Placement {
        Placement::Resident(Resident {
            cka_id: kek.cka_id.clone(),
            scheme: self.usage.scheme(),
        })
    }

    /// Asks a short-lived worker that holds the key-management login. `scheme` is the number of that of the KEK, or of its pair.
    async fn manage(
        &self,
        kind: Kind,
        kek: (&[u8], WrapContext),
        scheme: u8,
        login: Option<&Locked>,
    ) -> Result<Locked, CustodyError> {
        self.check_refusals(login)?;
        let pin = match login {
            Some(login) => Arc::new(login.duplicate()?),
            None => self.usage.settled_pin().await?,
        };
        let manager = match kind {
            // It may be a pair of RSA.
            Kind::MakePair => self.usage.for_examination(Role::Management, pin),
            _ => self.usage.with_role(Role::Management, pin),
        };
        let outcome = manager
            .ask(kind, KEK_FRAME, &|frame| {
                address(frame, kek.0, &kek.1)?;
                frame.raw(&[scheme])
            })
            .await;
        self.note_refusal(login, outcome)
    }

    /// Refuses to send again what the token has refused: PINs lock. Another login may be sent.
    fn check_refusals(&self, login: Option<&Locked>) -> Result<(), CustodyError> {
        let refused = match login {
            None => self.usage.is_refused(),
            Some(login) => {
                let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                let mut refused = refused.iter();
                refused.any(|refused| sealing::equal(refused.expose(), login.expose()))
            }
        };
        if refused { Err(CustodyError::Credential) } else { Ok(()) }
    }

    /// Remembers a login that the token has refused.
    fn note_refusal<T>(&self, login: Option<&Locked>, outcome: Result<T, CustodyError>) -> Result<T, CustodyError> {
        if matches!(outcome, Err(CustodyError::Credential)) {
            match login {
                None => self.usage.note_refusal(),
                Some(login) => {
                    *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.duplicate()?);
                }
            }
        }
        outcome
    }
}

/// Has a worker of its own change the PIN of a token.
pub(super) async fn change_pin(
    settings: TokenSettings,
    pin: Locked,
    new: &Locked,
    slab: Slab,
) -> Result<(), CustodyError> {
    let client = Client::new(settings, Role::Management, Arc::new(pin), slab);
    client
        .ask(Kind::SetPin, MAX_FRAME, &|frame| frame.field(new.expose()))
        .await
        .map(|_| ())
}

/// Has a worker of its own initialise a token.
pub(super) async fn prepare(
    settings: TokenSettings,
    no_pin: Arc<Locked>,
    slab: Slab,
    officer_pin: &Locked,
    pin: &Locked,
) -> Result<String, CustodyError> {
    let label = settings.label.clone();
    let client = Client::new(settings, Role::Preparation, no_pin, slab);
    let fields = |frame: &mut FrameWriter| {
        frame.field(label.as_bytes())?;
        frame.field(officer_pin.expose())?;
        frame.field(pin.expose())
    };
    let serial = client.ask(Kind::Prepare, MAX_FRAME, &fields).await?;
    Ok(String::from_utf8_lossy(serial.expose()).into_owned())
}

/// What every request about a KEK begins with: its CKA_ID, and the whole context.
fn address(frame: &mut FrameWriter, id: &[u8], context: &WrapContext) -> Result<(), CustodyError> {
    frame.field(id)?;
    frame.raw(&context.aad())
}

fn resident(record: &KekRecord) -> Result<&Resident, CustodyError> {
    match &record.placement {
        Placement::Resident(resident) => Ok(resident),
        Placement::Software | Placement::Protected(_) => Err(CustodyError::Record),
    }
}

impl KekProvider for ResidentKeks {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        Box::pin(async move {
            if kek.cka_id.is_empty() || kek.cka_id.len() > MAX_CKA_ID {
                return Err(CustodyError::Limit);
            }
            let context = known_answer_context(kek.domain, kek.id, kek.generation);
            let scheme = self.usage.scheme();
            self.manage(Kind::Create, (&kek.cka_id, context), scheme.number(), login)
                .await?;
            Ok(self.placement(kek))
        })
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        Box::pin(async move {
            let context = known_answer_context(kek.domain, kek.id, kek.generation);
            let scheme = self.usage.scheme();
            self.manage(Kind::Find, (&kek.cka_id, context), scheme.number(), None)
                .await?;
            Ok(self.placement(kek))
        })
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        Box::pin(async move {
            let context = known_answer_context(record.domain, record.id, record.generation);
            let Resident { cka_id, scheme } = resident(record)?;
            self.manage(Kind::Destroy, (cka_id, context), scheme.number(), login)
                .await?;
            Ok(())
        })
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        resident(record)?;
        Ok(Arc::new(ResidentSealer {
            record: record.clone(),
            client: Arc::clone(&self.usage),
        }))
    }

    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        Box::pin(async move {
            self.check_refusals(None)?;
            self.check_refusals(login)?;
            let management = login.map(Locked::duplicate).transpose()?.map(Arc::new);
            let (examined, whose) = examine::examine(&self.usage, management.as_ref()).await;
            self.note_refusal(login.filter(|_| whose == Role::Management), examined)
        })
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        Box::pin(async move { self.usage.ask(Kind::Probe, KEK_FRAME, &|_| Ok(())).await.map(|_| ()) })
    }

    fn random(&self, length: usize) -> Wait<'_, Result<Locked, CustodyError>> {
        Box::pin(async move {
            let wanted = u16::try_from(length).map_err(|_| CustodyError::Limit)?;
            let fields = |frame: &mut FrameWriter| frame.raw(&wanted.to_be_bytes());
            let drawn = self.usage.ask(Kind::Random, KEK_FRAME, &fields).await?;
            if drawn.len() == length {
                Ok(drawn)
            } else {
                Err(CustodyError::Unavailable)
            }
        })
    }

    fn pairs(&self) -> Option<&dyn PairProvider> {
        Some(self)
    }
}

/// A KEK in the token of a profile.
struct ResidentSealer {
    record: KekRecord,
    client: Arc<Client>,
}

impl ResidentSealer {
    async fn seal(&self, context: &WrapContext, key: &Locked) -> Result<Vec<u8>, CustodyError> {
        check_context(context, &self.record)?;
        let Resident { cka_id, scheme } = resident(&self.record)?;
        let fields = |frame: &mut FrameWriter| {
            address(frame, cka_id, context)?;
            frame.raw(&[scheme.number()])?;
            frame.raw(key.expose())
        };
        let wrapped = self
            .client
            .ask(Kind::Wrap, KEK_FRAME, &fields)
            .await
            .map_err(outage_if_missing)?;
        if sealing::is_wrapped(wrapped.expose()) {
            Ok(wrapped.expose().to_vec())
        } else {
            Err(CustodyError::Unavailable)
        }
    }

    async fn open(&self, context: &WrapContext, wrapped: &[u8]) -> Result<Locked, CustodyError> {
        check_context(context, &self.record)?;
        if !sealing::is_wrapped(wrapped) {
            return Err(CustodyError::Refused);
        }
        let Resident { cka_id, scheme } = resident(&self.record)?;
        let fields = |frame: &mut FrameWriter| {
            address(frame, cka_id, context)?;
            frame.raw(&[scheme.number()])?;
            frame.raw(wrapped)
        };
        let key = self
            .client
            .ask(Kind::Unwrap, KEK_FRAME, &fields)
            .await
            .map_err(outage_if_missing)?;
        if key.len() == KEY {
            Ok(key)
        } else {
            Err(CustodyError::Unavailable)
        }
    }
}

/// A KEK that is on record exists: if the token does not show it, the token is not what it was.
fn outage_if_missing(error: CustodyError) -> CustodyError {
    if error == CustodyError::UnknownKek {
        CustodyError::Unavailable
    } else {
        error
    }
}

impl Sealer for ResidentSealer {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async move { self.seal(&context, key).await })
    }

    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        Box::pin(async move { self.open(&context, wrapped).await })
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        Box::pin(check_known_answer(self, &self.record))
    }
}
