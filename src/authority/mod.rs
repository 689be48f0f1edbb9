//! Who may, and who must agree. This is the only room that mints a [`Granted`]; a handler cannot be called without one.
//!
//! The table of [`permission`] says who may ask. Quorum rules hang in here, and answer [`Decision::Governed`].

mod delegation;
mod electorate;
pub mod glance;
mod group;
mod installation;
pub mod permission;
pub mod policy;
pub mod proposal;
pub mod proposals;
pub mod quorum;
mod target;

pub use electorate::{electorate, member};
pub use group::{GROUP, GroupRecord};
pub use installation::{INSTALLATION, InstallationRecord};
pub use permission::{check, is_of_restore, permitted};
pub use policy::{InForce, Policies, PolicyRecord, policy_digest};
pub use proposal::{PROPOSAL, ProposalRecord};
pub use proposals::Proposals;
pub use target::{Target, TargetObject};

use crate::failure::Fault;
use crate::identity::Principal;
use kmip_protocol::{ProposalState, Request, Rule};
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

/// A proposal that its quorum approved and that is due: what lets its frozen request be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Approval {
    proposal: [u8; 16],
}

impl Approval {
    /// One that nobody gave, for tests of handlers.
    #[cfg(test)]
    pub(crate) const fn supposed() -> Self {
        Self { proposal: [5; 16] }
    }

    /// Only a proposal that is being carried out gives one.
    #[must_use]
    pub fn of(proposal: &proposal::ProposalRecord) -> Option<Self> {
        let executing = proposal.state() == ProposalState::Executing;
        executing.then_some(Self { proposal: proposal.id })
    }
}

/// A request that others must agree to.
pub struct Governed {
    /// The rules that govern it: all of them must be satisfied.
    pub rules: Vec<Rule>,
    /// What it acts upon.
    pub target: Target,
}

/// What was decided about one request.
pub enum Decision<R> {
    /// It may be carried out now.
    Granted(Granted<R>),
    /// It may not; what the client is told.
    Denied(Fault),
    /// Others must agree first.
    Governed(Box<Governed>),
}

/// Decides about a request: whether its principal may make it at all and, unless it was approved, whether rules govern it.
#[must_use]
pub fn decide<R: Request>(
    principal: &Principal,
    approval: Option<Approval>,
    governed: Option<Box<Governed>>,
) -> Decision<R> {
    if let Err(fault) = check(principal, R::OPERATION) {
        return Decision::Denied(fault);
    }
    let origin = match (approval, governed, principal) {
        (Some(approval), ..) => Origin::Proposal(approval.proposal),
        (None, Some(governed), _) => return Decision::Governed(governed),
        (None, None, Principal::Process(_)) => Origin::Server,
        (None, None, Principal::Client(_) | Principal::Unregistered(_) | Principal::Person(_)) => Origin::Client,
    };
    Decision::Granted(Granted {
        origin,
        operation: PhantomData,
    })
}
