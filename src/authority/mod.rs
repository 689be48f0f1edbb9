//! Who may, and who must agree. This is the only room that mints a [`Granted`]; a handler cannot be called without one.
//!
//! Today's rule is: a registered client may do every object operation within its application; an unregistered
//! certificate may discover versions and query. Quorum rules hang in here, and answer [`Decision::Pending`].

mod installation;
mod target;

pub use installation::{INSTALLATION, InstallationRecord};
pub use target::{Target, TargetObject};

use crate::failure::Fault;
use crate::identity::Principal;
use kmip_protocol::{Operation, Request};
use std::marker::PhantomData;

/// Where a permission came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A request that its client may make alone.
    Client,
    /// A proposal that its quorum approved; the proposal's identifier.
    Proposal([u8; 16]),
    /// The server itself: timers, start, genesis.
    Server,
}

/// The proof that operation `R` was permitted. Only this room makes one.
pub struct Granted<R> {
    origin: Origin,
    operation: PhantomData<fn() -> R>,
}

impl<R> Granted<R> {
    /// Where the permission came from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }
}

/// What was decided about one request.
pub enum Decision<R> {
    /// It may be carried out now.
    Granted(Granted<R>),
    /// It may not; what the client is told.
    Denied(Fault),
    /// Others must agree first; the proposal's identifier.
    Pending([u8; 16]),
}

/// Decides about a request.
#[must_use]
pub fn decide<R: Request>(principal: &Principal) -> Decision<R> {
    let origin = match principal {
        Principal::Client(_) => Origin::Client,
        Principal::Unregistered(_) if open_to_strangers(R::OPERATION) => Origin::Client,
        Principal::Unregistered(_) => return Decision::Denied(Fault::NotAuthenticated),
        // People administer; they touch no client's keys.
        Principal::Person(_) => return Decision::Denied(Fault::PermissionDenied),
        Principal::Process(_) => Origin::Server,
    };
    Decision::Granted(Granted {
        origin,
        operation: PhantomData,
    })
}

/// What a certificate that nobody registered may do: learn what it talks to (DESIGN §5).
#[must_use]
pub const fn open_to_strangers(operation: Operation) -> bool {
    matches!(operation, Operation::DiscoverVersions | Operation::Query)
}
