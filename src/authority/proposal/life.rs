//! The steps of a proposal's life. Each method judges anew where it stands before it does what it is asked.

use super::terms::{Claimant, NewProposal, NewVote, Outcome, ProposalFault, Situation, Step};
use super::{Event, FollowUp, ProposalRecord, Reached, milliseconds};
use crate::authority::quorum::{Ballot, FOLLOW_UP_MS, Tally, ordinary};
use crate::identity::Id;
use kmip_protocol::{Completion, ProposalState, ResultReason, Veto, VoteDecision};

/// Votes of a proposal, withdrawn ones included: history is kept, but is no store of its own.
const MOST_BALLOTS: usize = 256;

/// Of these, votes of one person: nobody who changes his mind without end takes the others' votes.
const MOST_OF_PERSON: usize = 16;

type Outcomes<T> = Result<T, ProposalFault>;

impl ProposalRecord {
    /// Opens a proposal.
    ///
    /// # Errors
    /// [`ProposalFault::Unreachable`], [`ProposalFault::ReasonRequired`]: then nothing is to be kept.
    pub fn open(new: NewProposal, situation: &Situation<'_>) -> Outcomes<Self> {
        let NewProposal {
            id,
            operation,
            requester,
            correlation,
            reason,
            rules,
            seasoning_ms,
            canonical,
            target,
        } = new;
        let silent = reason.as_deref().is_none_or(|reason| reason.trim().is_empty());
        if silent && rules.iter().any(|rule| rule.reason_required) {
            return Err(ProposalFault::ReasonRequired);
        }
        let submitted_ms = situation.now_ms;
        let approve_ttl = rules.iter().map(|rule| rule.approve_ttl.0).min().unwrap_or(0);
        let opened = Event {
            state: ProposalState::Open,
            at_ms: submitted_ms,
            person_name: Some(requester.name.clone()),
            reason: reason.clone(),
        };
        let record = Self {
            id,
            operation,
            requester,
            correlation,
            reason,
            submitted_ms,
            approve_by_ms: submitted_ms.saturating_add(milliseconds(approve_ttl)),
            rules,
            seasoning_ms,
            policy_digest: situation.policy_digest,
            instance: situation.instance,
            epoch: situation.epoch,
            request_digest: crate::authority::quorum::statement::request_digest(operation, &canonical),
            canonical,
            target,
            state: ProposalState::Open,
            ballots: Vec::new(),
            events: vec![opened],
            reached: Vec::new(),
            completed_by: None,
            result_reason: None,
            follow_up: None,
        };
        let tally = record.tally(situation.electorate, situation.now_ms);
        if record.rules.is_empty() || !tally.is_reachable() {
            return Err(ProposalFault::Unreachable);
        }
        Ok(record)
    }

    /// Judges where it stands now: people, policy and time may have changed since. The step, if one was made.
    pub fn refresh(&mut self, situation: &Situation<'_>) -> Option<Step> {
        let from = self.state;
        // Approved falls back to Open, which may have expired meanwhile: two steps at most.
        while self.step(situation) {}
        (self.state != from).then_some(Step { from, to: self.state })
    }

    fn step(&mut self, situation: &Situation<'_>) -> bool {
        let now_ms = self.time(situation.now_ms);
        if !matches!(self.state, ProposalState::Open | ProposalState::Approved) {
            return false;
        }
        if let Some(why) = self.voided(situation) {
            return self.enter(ProposalState::Void, now_ms, None, Some(why));
        }
        if self.state == ProposalState::Open && now_ms >= self.approve_by_ms {
            return self.enter(ProposalState::Expired, now_ms, None, Some("not approved in time"));
        }
        let tally = self.tally(situation.electorate, now_ms);
        if tally.is_vetoed() {
            return self.enter(ProposalState::Rejected, now_ms, None, Some("rejected by vote"));
        }
        if self.is_out_of_reach(&tally) {
            return self.enter(
                ProposalState::Rejected,
                now_ms,
                None,
                Some("the quorum cannot be reached any more"),
            );
        }
        self.note_reached(&tally, now_ms);
        match self.state {
            ProposalState::Open if tally.is_satisfied() => self.enter(ProposalState::Approved, now_ms, None, None),
            ProposalState::Approved if !tally.is_satisfied() => {
                self.completed_by = None;
                self.enter(ProposalState::Open, now_ms, None, Some("approvals were lost"))
            }
            ProposalState::Approved if now_ms >= self.expires_ms() => {
                self.enter(ProposalState::Expired, now_ms, None, Some("not carried out in time"))
            }
            _ => false,
        }
    }

    /// Why it holds no longer, if so.
    fn voided(&self, situation: &Situation<'_>) -> Option<&'static str> {
        let requester_remains = match self.requesting_person() {
            Some(person) => situation.electorate.member(&person).is_some_and(|member| member.active),
            None => situation.client_remains,
        };
        if (self.instance, self.epoch) != (situation.instance, situation.epoch) {
            Some("the installation was restored")
        } else if self.policy_digest != situation.policy_digest {
            Some("the policy was changed")
        } else if !requester_remains {
            Some("the requester may not ask any more")
        } else {
            None
        }
    }

    /// Whether a rule that says so ends it because those who remain cannot make it.
    fn is_out_of_reach(&self, tally: &Tally) -> bool {
        let mut rules = self.rules.iter().zip(&tally.rules);
        rules.any(|(rule, counted)| rule.veto == Veto::Unreachable && !counted.reachable)
    }

    /// Keeps since when each alternative has been satisfied without a break.
    fn note_reached(&mut self, tally: &Tally, now_ms: i64) {
        let mut reached = Vec::new();
        for (rule, counted) in tally.rules.iter().enumerate() {
            for alternative in &counted.satisfied {
                let before = self
                    .reached
                    .iter()
                    .find(|r| r.rule == rule && r.alternative == *alternative);
                reached.push(Reached {
                    rule,
                    alternative: *alternative,
                    since_ms: before.map_or(now_ms, |before| before.since_ms),
                });
            }
        }
        self.reached = reached;
    }

    fn enter(&mut self, state: ProposalState, at_ms: i64, person: Option<&str>, reason: Option<&str>) -> bool {
        self.state = state;
        self.events.push(Event {
            state,
            at_ms,
            person_name: person.map(str::to_owned),
            reason: reason.map(str::to_owned),
        });
        true
    }

    /// Judges anew, and refuses unless it is open or approved. What it then does is measured from the state before.
    fn votable(&mut self, situation: &Situation<'_>) -> Outcomes<ProposalState> {
        let from = self.state;
        self.refresh(situation);
        match self.state {
            ProposalState::Open | ProposalState::Approved => Ok(from),
            ProposalState::Executing => Err(ProposalFault::Executing),
            ended => Err(ProposalFault::NotLive(ended)),
        }
    }

    fn since(&self, from: ProposalState) -> Option<Step> {
        (self.state != from).then_some(Step { from, to: self.state })
    }

    /// Casts a vote. It takes the place of the person's earlier one. On an error nothing of the record is to be kept.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn vote(&mut self, vote: NewVote, situation: &Situation<'_>) -> Outcomes<Option<Step>> {
        let from = self.votable(situation)?;
        let now_ms = self.time(situation.now_ms);
        let NewVote {
            person,
            person_name,
            key,
            decision,
            signed,
            reason,
        } = vote;
        if !self.tally(situation.electorate, now_ms).is_eligible(&person) {
            return Err(ProposalFault::NotEligible);
        }
        let own = self.ballots.iter().filter(|ballot| ballot.person == person).count();
        if self.ballots.len() >= MOST_BALLOTS || own >= MOST_OF_PERSON {
            return Err(ProposalFault::TooManyVotes);
        }
        let (statement, signature) = signed.unzip();
        if statement.is_some() && self.ballots.iter().any(|ballot| ballot.statement == statement) {
            return Err(ProposalFault::Replayed);
        }
        self.retire(&person, now_ms);
        self.ballots.push(Ballot {
            person,
            person_name,
            key: Some(key),
            decision,
            cast_ms: now_ms,
            withdrawn_ms: None,
            statement,
            signature,
            reason,
        });
        let tally = self.tally(situation.electorate, now_ms);
        // An approval that would count under no rule is refused, so that nobody believes to have approved. Under one of them it may be
        // worth nothing, for want of a key in hardware: the others' answer says who is missing there.
        let counts = tally.rules.iter().any(|counted| counted.approving.contains(&person));
        if decision == VoteDecision::Approve && !counts {
            return Err(ProposalFault::ProofMissing);
        }
        self.refresh(situation);
        Ok(self.since(from))
    }

    /// Ends the vote of a person that stands, if there is one.
    fn retire(&mut self, person: &Id, now_ms: i64) -> bool {
        let mut standing = self
            .ballots
            .iter_mut()
            .filter(|b| b.person == *person && b.withdrawn_ms.is_none());
        let found = standing.next();
        let existed = found.is_some();
        found
            .into_iter()
            .chain(standing)
            .for_each(|ballot| ballot.withdrawn_ms = Some(now_ms));
        existed
    }

    /// Takes a person's own vote back. An approved proposal may fall back by that, and its timelock begins anew.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn withdraw_vote(&mut self, person: &Id, situation: &Situation<'_>) -> Outcomes<Option<Step>> {
        let from = self.votable(situation)?;
        if !self.retire(person, self.time(situation.now_ms)) {
            return Err(ProposalFault::NoVote);
        }
        self.refresh(situation);
        Ok(self.since(from))
    }

    /// Ends it: anybody with a vote may, also while its timelock runs.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn veto(&mut self, person: &Id, name: &str, reason: Option<&str>, situation: &Situation<'_>) -> Outcomes<Step> {
        let from = self.votable(situation)?;
        let now_ms = self.time(situation.now_ms);
        if !self.tally(situation.electorate, now_ms).is_eligible(person) {
            return Err(ProposalFault::NotEligible);
        }
        self.enter(ProposalState::Rejected, now_ms, Some(name), reason);
        Ok(Step { from, to: self.state })
    }

    /// Ends it: somebody whom it passes over objects. Who that is, is the caller's to know.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn object(&mut self, name: &str, reason: Option<&str>, situation: &Situation<'_>) -> Outcomes<Step> {
        let from = self.votable(situation)?;
        self.enter(ProposalState::Rejected, self.time(situation.now_ms), Some(name), reason);
        Ok(Step { from, to: self.state })
    }

    /// Its requester takes it back.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn withdraw(&mut self, situation: &Situation<'_>) -> Outcomes<Step> {
        let from = self.votable(situation)?;
        let name = self.requester.name.clone();
        self.enter(ProposalState::Withdrawn, self.time(situation.now_ms), Some(&name), None);
        Ok(Step { from, to: self.state })
    }

    /// Whether it may be carried out now by this claimant; the same question as [`ProposalRecord::claim`], without the step.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn claimable(&mut self, by: Claimant, situation: &Situation<'_>) -> Outcomes<()> {
        self.votable(situation)?;
        if self.state != ProposalState::Approved {
            return Err(ProposalFault::NotApproved);
        }
        let entitled = match (self.completion(), by) {
            (_, Claimant::Requester) | (Completion::OnQuorum, Claimant::Server) => true,
            (Completion::OnClaim, Claimant::Server) => false,
            (_, Claimant::Server) => self.completed_by.is_some(),
        };
        if !entitled {
            return Err(ProposalFault::NotYours);
        }
        self.is_due(situation)
    }

    fn is_due(&self, situation: &Situation<'_>) -> Outcomes<()> {
        match self.due_ms() {
            Some(due) if due <= self.time(situation.now_ms) => Ok(()),
            _ => Err(ProposalFault::NotDue),
        }
    }

    /// Somebody with a vote, or its requester, presses "complete": from here on the server carries it out. Where the reply is secret only
    /// the requester can, by fetching it.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn complete(&mut self, person: &Id, name: &str, situation: &Situation<'_>) -> Outcomes<()> {
        self.votable(situation)?;
        if self.state != ProposalState::Approved {
            return Err(ProposalFault::NotApproved);
        }
        let tally = self.tally(situation.electorate, situation.now_ms);
        let entitled = self.requesting_person() == Some(*person) || tally.is_eligible(person);
        if !entitled || self.completion() == Completion::OnClaim {
            return Err(ProposalFault::NotYours);
        }
        self.is_due(situation)?;
        self.completed_by = Some(name.to_owned());
        Ok(())
    }

    /// Begins to carry it out. Exactly one can: the second finds it executing, or its commit meets the first one's.
    ///
    /// # Errors
    /// See [`ProposalFault`].
    pub fn claim(&mut self, by: Claimant, situation: &Situation<'_>) -> Outcomes<Step> {
        self.claimable(by, situation)?;
        let from = self.state;
        let by = self.completed_by.clone();
        let at_ms = self.time(situation.now_ms);
        self.enter(ProposalState::Executing, at_ms, by.as_deref(), None);
        let used = self.marked(at_ms).map(|(rule, _)| rule);
        let used = used.filter(|rule| ordinary(rule).next().is_some());
        let rules: Vec<String> = used.map(|rule| rule.rule_name.clone()).collect();
        self.follow_up = (!rules.is_empty()).then(|| FollowUp {
            rules,
            due_ms: at_ms.saturating_add(FOLLOW_UP_MS),
            overdue: false,
            by: None,
        });
        Ok(Step { from, to: self.state })
    }

    /// Somebody who took no part in the use of an alternative for emergencies has looked at it. What is terminal does not change by that;
    /// it is told among its events.
    ///
    /// # Errors
    /// [`ProposalFault::NothingOwed`], [`ProposalFault::NotEligible`].
    pub fn follow_up(&mut self, person: &Id, name: &str, found: &str, situation: &Situation<'_>) -> Outcomes<()> {
        if self.is_live() || self.owed().is_none() {
            return Err(ProposalFault::NothingOwed);
        }
        if !self.may_follow_up(person, situation.electorate) {
            return Err(ProposalFault::NotEligible);
        }
        if let Some(owed) = &mut self.follow_up {
            owed.by = Some(name.to_owned());
        }
        let found = format!("followed up: {found}");
        self.enter(self.state, self.time(situation.now_ms), Some(name), Some(&found));
        Ok(())
    }

    /// Notes that nobody has looked at the use of an alternative for emergencies in time. True once.
    pub fn note_overdue(&mut self, now_ms: i64) -> bool {
        let at_ms = self.time(now_ms);
        if self.overdue_ms().is_none_or(|due| at_ms < due) {
            return false;
        }
        if let Some(owed) = &mut self.follow_up {
            owed.overdue = true;
        }
        self.enter(self.state, at_ms, None, Some("nobody has followed up in time"))
    }

    /// Says how carrying it out went.
    ///
    /// # Errors
    /// [`ProposalFault::NotApproved`] if it was not being carried out.
    pub fn finish(&mut self, outcome: Outcome, now_ms: i64) -> Outcomes<Step> {
        let from = self.state;
        if from != ProposalState::Executing {
            return Err(ProposalFault::NotApproved);
        }
        let at_ms = self.time(now_ms);
        match outcome {
            Outcome::Executed => self.enter(ProposalState::Executed, at_ms, None, None),
            Outcome::Failed(reason, text) => {
                // Nothing was done: the way out is as it was.
                self.follow_up = None;
                self.fail(reason, &text, at_ms)
            }
            Outcome::Unknown(reason, text) => self.fail(reason, &text, at_ms),
        };
        Ok(Step { from, to: self.state })
    }

    fn fail(&mut self, reason: ResultReason, text: &str, at_ms: i64) -> bool {
        self.result_reason = Some(reason);
        self.enter(ProposalState::Failed, at_ms, None, Some(text))
    }
}
