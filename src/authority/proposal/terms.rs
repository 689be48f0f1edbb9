//! What goes into a step of a proposal's life, and what comes out of it.

use super::{BoundTarget, Requester};
use crate::authority::quorum::Electorate;
use crate::identity::Id;
use kmip_protocol::{Operation, ProposalState, ResultReason, Rule, VoteDecision};

/// What is true around a proposal at the moment of a step.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The people of its domain and their groups.
    pub electorate: &'a Electorate,
    /// The digest of the policy in force in its domain.
    pub policy_digest: [u8; 32],
    /// Which installation this is.
    pub instance: [u8; 16],
    /// How often it was restored.
    pub epoch: i32,
    /// For a client's proposal, whether that client is still there and served. A person's presence is read off the electorate.
    pub client_remains: bool,
    /// Now: the later of the clock and all that was ever committed, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A request to be frozen.
pub struct NewProposal {
    /// Its identifier.
    pub id: [u8; 16],
    /// Which operation.
    pub operation: Operation,
    /// Who asks.
    pub requester: Requester,
    /// The Asynchronous Correlation Value.
    pub correlation: [u8; 16],
    /// Why.
    pub reason: Option<String>,
    /// The rules that govern it.
    pub rules: Vec<Rule>,
    /// The seasoning of the policy, in milliseconds.
    pub seasoning_ms: i64,
    /// The canonical form of the request.
    pub canonical: Vec<u8>,
    /// What is acted upon. Its digest is kept only where a rule binds to it.
    pub target: BoundTarget,
}

/// A vote to be cast; its signature has been verified.
pub struct NewVote {
    /// Whose.
    pub person: Id,
    /// Its name.
    pub person_name: String,
    /// The key that signed it, or that its session was opened with.
    pub key: [u8; 32],
    /// Yes or no.
    pub decision: VoteDecision,
    /// The signed bytes and their signature.
    pub signed: Option<(Vec<u8>, Vec<u8>)>,
    /// Why.
    pub reason: Option<String>,
}

/// Who wants it carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claimant {
    /// The server: it has become due, and where somebody must press "complete", somebody has.
    Server,
    /// Its requester, who fetches the result or asks for it to be done now.
    Requester,
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was done.
    Executed,
    /// It was not: what the requester is told, and words.
    Failed(ResultReason, String),
    /// Nobody knows.
    Unknown(ResultReason, String),
}

/// A step that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// From which state.
    pub from: ProposalState,
    /// Into which.
    pub to: ProposalState,
}

/// Why something cannot be done with a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProposalFault {
    /// Those who there are could never agree to it.
    #[error("the quorum cannot be reached with the people there are")]
    Unreachable,
    /// A rule wants to know why.
    #[error("a reason is required")]
    ReasonRequired,
    /// It has ended.
    #[error("the proposal is no longer live")]
    NotLive(ProposalState),
    /// It is being carried out.
    #[error("the proposal is being carried out")]
    Executing,
    /// Who asks has no vote: a stranger, the person concerned, the requester where he does not count, or too new.
    #[error("no vote in this proposal")]
    NotEligible,
    /// The rule wants a signature, or one by a key in hardware.
    #[error("the rule wants a signature that this vote does not have")]
    ProofMissing,
    /// These very bytes were cast before.
    #[error("this vote was cast before")]
    Replayed,
    /// There is no vote to take back.
    #[error("no vote to withdraw")]
    NoVote,
    /// Too many votes were cast and taken back.
    #[error("too many votes")]
    TooManyVotes,
    /// It is not approved.
    #[error("the proposal is not approved")]
    NotApproved,
    /// Its timelock is not over.
    #[error("the timelock is not over")]
    NotDue,
    /// Nothing is owed.
    #[error("there is nothing to follow up")]
    NothingOwed,
    /// Somebody else is to complete it: its requester, who fetches the result, or a person.
    #[error("somebody else is to complete this")]
    NotYours,
}
