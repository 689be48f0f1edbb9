//! A proposal: a frozen request that others must agree to, its votes, and the one state machine by which it lives.
//!
//! ```text
//!            votes … quorum          due, claimed            done
//!  Open ───────────────────────▶ Approved ─────────▶ Executing ─────▶ Executed
//!   │ ▲────── vote or voter lost ────│                   │
//!   │                                │                   └──────────▶ Failed
//!   └──▶ Rejected · Withdrawn · Expired · Void ◀──┘
//! ```
//!
//! Rules are pinned when it is opened, who may vote is judged at each step. What is terminal never changes again. Nothing approves by
//! time: two clocks only end it (`approve_ttl` while it is open, `execute_ttl` once it is due).

mod encoding;
#[cfg(test)]
mod happenings;
mod life;
mod terms;
#[cfg(test)]
mod tests;

pub use terms::{Claimant, NewProposal, NewVote, Outcome, ProposalFault, Situation, Step};

use super::quorum::{About, Ballot, Electorate, Tally, may_follow_up, tally};
use crate::identity::Id;
use crate::store::{Domain, Key, Kind};
use kmip_protocol::{BindTarget, Completion, Operation, ProposalState, ResultReason, Rule, Severity, VoteDecision};

/// A proposal, in the domain of its requester, under its identifier.
pub const PROPOSAL: Kind = Kind(0x31);

/// Who made a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requester {
    /// Whether it is a person; else a client.
    pub is_person: bool,
    /// Which one.
    pub id: Id,
    /// Its name in its domain.
    pub name: String,
    /// SHA-256 of the key (SubjectPublicKeyInfo) that it showed.
    pub fingerprint: Option<[u8; 32]>,
}

/// What is acted upon, as it was when the request was frozen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BoundTarget {
    /// Words for the approver.
    pub description: Option<String>,
    /// The records acted upon.
    pub records: Vec<Key>,
    /// The digest of what the proposal is bound to: which ones they are and, where a rule says so, their states.
    pub digest: Option<[u8; 32]>,
    /// The people acted upon.
    pub subjects: Vec<Id>,
    /// Where it is kept how the key-management credentials are shared that it needs.
    pub sharings: Vec<Key>,
    /// How the KEK of a backup is shared that it opens.
    pub recovery: Option<Vec<u8>>,
}

/// One step of its life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Into which state.
    pub state: ProposalState,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who made it: a person's name, or the server itself.
    pub person_name: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// An alternative of a rule whose quorum is reached, and since when without a break: its timelock counts from there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reached {
    rule: usize,
    alternative: usize,
    since_ms: i64,
}

/// What is owed once an alternative for emergencies was used: somebody who took no part looks at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowUp {
    /// The rules whose alternatives were used: they are used once.
    pub rules: Vec<String>,
    /// By when it is owed, in milliseconds since 1970.
    pub due_ms: i64,
    /// Whether it was alarmed that nobody has.
    pub overdue: bool,
    /// Who has; what was found is told by the event.
    pub by: Option<String>,
}

/// A proposal as it is kept. What changes in its life is changed by its methods alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposalRecord {
    /// Its identifier: 16 random bytes.
    pub id: [u8; 16],
    /// Which operation.
    pub operation: Operation,
    /// Who asks.
    pub requester: Requester,
    /// The Asynchronous Correlation Value, under which the frozen request and its result are kept. Only its requester learns it.
    pub correlation: [u8; 16],
    /// Why the request is made.
    pub reason: Option<String>,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: i64,
    /// When votes can no longer be cast.
    pub approve_by_ms: i64,
    /// The rules that govern it, as they were.
    pub rules: Vec<Rule>,
    /// How long somebody must have been a member before he counts, as the policy was.
    pub seasoning_ms: i64,
    /// The digest of that policy: another one voids the proposal.
    pub policy_digest: [u8; 32],
    /// Which installation, and which life of it.
    pub instance: [u8; 16],
    /// How often the installation had been restored.
    pub epoch: i32,
    /// The canonical form of the frozen request: secrets are replaced by commitments.
    pub canonical: Vec<u8>,
    /// What votes sign: [`super::quorum::statement::request_digest`] of that.
    pub request_digest: [u8; 32],
    /// What is acted upon.
    pub target: BoundTarget,
    state: ProposalState,
    ballots: Vec<Ballot>,
    events: Vec<Event>,
    reached: Vec<Reached>,
    completed_by: Option<String>,
    result_reason: Option<ResultReason>,
    follow_up: Option<FollowUp>,
}

impl ProposalRecord {
    /// An identifier that no proposal has.
    pub const NOBODYS: [u8; 16] = [0; 16];

    /// Where a proposal is kept.
    #[must_use]
    pub const fn key(domain: Domain, id: [u8; 16]) -> Key {
        Key {
            domain,
            kind: PROPOSAL,
            id,
        }
    }

    /// How far it has come, as last judged: [`ProposalRecord::refresh`] first.
    #[must_use]
    pub const fn state(&self) -> ProposalState {
        self.state
    }

    /// Whether it can still change.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        is_live(self.state)
    }

    /// Every vote that was cast, withdrawn ones included.
    #[must_use]
    pub fn ballots(&self) -> &[Ballot] {
        &self.ballots
    }

    /// Its life so far.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Why it failed, if it did.
    #[must_use]
    pub const fn result_reason(&self) -> Option<ResultReason> {
        self.result_reason
    }

    /// The person that asks, if it is one.
    #[must_use]
    pub fn requesting_person(&self) -> Option<Id> {
        self.requester.is_person.then_some(self.requester.id)
    }

    /// Counts the votes as people are now.
    #[must_use]
    pub fn tally(&self, electorate: &Electorate, now_ms: i64) -> Tally {
        let about = About {
            requester: self.requesting_person(),
            subjects: &self.target.subjects,
            submitted_ms: self.submitted_ms,
            seasoning_ms: self.seasoning_ms,
            now_ms: self.time(now_ms),
        };
        tally(&self.rules, electorate, &self.ballots, &about)
    }

    /// When an approved proposal can be carried out, in milliseconds since 1970: when the timelock of each rule's quickest alternative
    /// is over.
    #[must_use]
    pub fn due_ms(&self) -> Option<i64> {
        let due = (0..self.rules.len()).map(|rule| self.rule_due_ms(rule));
        due.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    fn rule_due_ms(&self, rule: usize) -> Option<i64> {
        let reached = self.reached.iter().filter(|reached| reached.rule == rule);
        let due = reached.filter_map(|reached| {
            let alternative = self.rules.get(rule)?.alternatives.get(reached.alternative)?;
            Some(reached.since_ms.saturating_add(milliseconds(alternative.timelock.0)))
        });
        due.min()
    }

    /// When it ends by itself, in milliseconds since 1970: while it is open, when votes can no longer be cast; then, when it can no
    /// longer be carried out.
    #[must_use]
    pub fn expires_ms(&self) -> i64 {
        match self.due_ms() {
            Some(due) if self.state == ProposalState::Approved || self.state == ProposalState::Executing => {
                let ttl = self.rules.iter().map(|rule| rule.execute_ttl.0).min().unwrap_or(0);
                due.saturating_add(milliseconds(ttl))
            }
            _ => self.approve_by_ms,
        }
    }

    /// The last moment at which it may still be carried out, whatever happens until then, in milliseconds since 1970.
    #[must_use]
    pub fn latest_ms(&self) -> i64 {
        let longest = |of: fn(&Rule) -> u32| milliseconds(self.rules.iter().map(of).max().unwrap_or(0));
        let timelock = |rule: &Rule| rule.alternatives.iter().map(|way| way.timelock.0).max().unwrap_or(0);
        let voting = self.approve_by_ms.saturating_add(longest(timelock));
        voting.saturating_add(longest(|rule| rule.execute_ttl.0))
    }

    /// Whether this person's approval stands.
    #[must_use]
    pub fn approves(&self, person: &Id) -> bool {
        let standing = |ballot: &&Ballot| ballot.person == *person && ballot.withdrawn_ms.is_none();
        let own = self.ballots.iter().rev().find(standing);
        own.is_some_and(|ballot| ballot.decision == VoteDecision::Approve)
    }

    /// When it is carried out. Where one rule keeps secrets back until they are claimed, all do; where one wants somebody to press a
    /// button, somebody must. Rules that are asked only because they are to be weakened have no say in that: they are about something
    /// else.
    #[must_use]
    pub fn completion(&self) -> Completion {
        let own = |rule: &&Rule| rule.rule_match.operations.contains(&self.operation);
        let own: Vec<Rule> = self.rules.iter().filter(own).cloned().collect();
        completion(if own.is_empty() { &self.rules } else { &own })
    }

    /// What of its target it is bound to.
    #[must_use]
    pub fn bind_target(&self) -> BindTarget {
        bind_target(&self.rules)
    }

    /// The rules that it satisfies by alternatives that are marked alone, with how grave that is. `at_ms`: of those that are due by then.
    pub fn marked(&self, at_ms: i64) -> impl Iterator<Item = (&Rule, Severity)> {
        let rules = self.rules.iter().enumerate();
        rules.filter_map(move |(place, rule)| {
            let due = self.reached.iter().filter(|reached| reached.rule == place);
            let due = due.filter_map(|reached| {
                let alternative = rule.alternatives.get(reached.alternative)?;
                let due_ms = reached.since_ms.saturating_add(milliseconds(alternative.timelock.0));
                (due_ms <= at_ms).then_some(alternative.severity)
            });
            // Where an ordinary alternative is satisfied as well, nobody needed the other: `None` is the least.
            Some((rule, due.min()??))
        })
    }

    /// When it began to be carried out, in milliseconds since 1970.
    #[must_use]
    pub fn begun_ms(&self) -> Option<i64> {
        let mut events = self.events.iter().rev();
        let begun = events.find(|event| event.state == ProposalState::Executing);
        begun.map(|event| event.at_ms)
    }

    /// What is still owed because an alternative for emergencies was used.
    #[must_use]
    pub fn owed(&self) -> Option<&FollowUp> {
        self.follow_up.as_ref().filter(|owed| owed.by.is_none())
    }

    /// Whether anything is, or was, owed.
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        self.follow_up.is_some()
    }

    /// When it is to be alarmed that what is owed was not done, in milliseconds since 1970.
    #[must_use]
    pub fn overdue_ms(&self) -> Option<i64> {
        let owed = self.owed().filter(|owed| !owed.overdue && !self.is_live());
        owed.map(|owed| owed.due_ms)
    }

    /// Whether somebody may do what is owed: he has a part in each of the rules, and took none in their use.
    #[must_use]
    pub fn may_follow_up(&self, person: &Id, electorate: &Electorate) -> bool {
        let Some(owed) = self.owed().filter(|_| !self.is_live()) else {
            return false;
        };
        let agreed = self
            .ballots
            .iter()
            .filter(|ballot| ballot.decision == VoteDecision::Approve);
        let agreed = agreed.map(|ballot| ballot.person);
        let took_part: Vec<Id> = agreed.chain(self.requesting_person()).collect();
        let mut rules = self.rules.iter().filter(|rule| owed.rules.contains(&rule.rule_name));
        rules.all(|rule| may_follow_up(rule, electorate, person, &took_part))
    }

    /// Now, but never before its last step: a clock that was set back shortens and lengthens nothing.
    fn time(&self, now_ms: i64) -> i64 {
        let last = self.events.last().map_or(self.submitted_ms, |event| event.at_ms);
        now_ms.max(last)
    }
}

/// Whether a proposal in this state can still change.
#[must_use]
pub const fn is_live(state: ProposalState) -> bool {
    matches!(
        state,
        ProposalState::Open | ProposalState::Approved | ProposalState::Executing
    )
}

/// What of its target a request is bound to that these rules govern: its state where one of them says so, else only which one it is.
#[must_use]
pub fn bind_target(rules: &[Rule]) -> BindTarget {
    let exact = rules.iter().any(|rule| rule.bind_target != BindTarget::Identifier);
    if exact {
        BindTarget::Exact
    } else {
        BindTarget::Identifier
    }
}

/// When what these rules govern is carried out.
#[must_use]
pub fn completion(rules: &[Rule]) -> Completion {
    let any = |completion| rules.iter().any(|rule| rule.completion == completion);
    if any(Completion::OnClaim) {
        Completion::OnClaim
    } else if any(Completion::Manual) {
        Completion::Manual
    } else {
        Completion::OnQuorum
    }
}

fn milliseconds(seconds: u32) -> i64 {
    i64::from(seconds).saturating_mul(1000)
}
