//! Counting votes. Pure: the same rules, people, ballots and time give the same tally, in whatever order they come.

use super::emergency::is_emergency;
use super::matching::most_filled;
use super::people::{Electorate, Member};
use crate::identity::Id;
use kmip_protocol::{Proof, Rule, RuleAlternative, Veto, VoteDecision};
use std::collections::BTreeMap;

/// A vote as it was cast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ballot {
    /// Whose.
    pub person: Id,
    /// Its name then.
    pub person_name: String,
    /// The key that it was cast with: that of the signature, or of the session.
    pub key: Option<[u8; 32]>,
    /// Yes or no.
    pub decision: VoteDecision,
    /// When it was cast, in milliseconds since 1970.
    pub cast_ms: i64,
    /// When it was withdrawn, or superseded by a later one of the same person.
    pub withdrawn_ms: Option<i64>,
    /// The bytes that were signed, if it was.
    pub statement: Option<Vec<u8>>,
    /// Their signature, verified when it was cast.
    pub signature: Option<Vec<u8>>,
    /// Why.
    pub reason: Option<String>,
}

/// What is voted about, as far as counting needs to know.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The person that made the request; absent for a client's.
    pub requester: Option<Id>,
    /// The people acted upon.
    pub subjects: &'a [Id],
    /// When it was submitted, in milliseconds since 1970. Who became a member later has no vote.
    pub submitted_ms: i64,
    /// How long somebody must have been a member before he counts, in milliseconds.
    pub seasoning_ms: i64,
    /// Now: the later of the clock and all that was ever committed, so that a clock set back gives nobody time.
    pub now_ms: i64,
}

/// How far all rules together are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// One for each rule, in their order.
    pub rules: Vec<RuleTally>,
}

/// How far one rule is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleTally {
    /// Which rule.
    pub rule_name: String,
    /// The alternatives that are satisfied, by their places in the rule.
    pub satisfied: Vec<usize>,
    /// Approvals that are missing in the alternative that is nearest.
    pub remaining: usize,
    /// Whether those who have not voted yet could still satisfy an alternative. Nobody's time of membership that has yet to pass stands
    /// in the way of that.
    pub reachable: bool,
    /// Somebody with a vote has rejected it, and the rule lets one rejection end it.
    pub vetoed: bool,
    /// Whose approvals count.
    pub approving: Vec<Id>,
    /// Who has a vote now and has not cast it, or cast one that does not count.
    pub awaited: Vec<Id>,
    /// Everybody who has a vote now: those who approve, reject, and are awaited.
    pub eligible: Vec<Id>,
}

impl Tally {
    /// Whether every rule has an alternative that is satisfied. No rules at all satisfy nothing: what nobody governs is not voted on.
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        !self.rules.is_empty() && self.rules.iter().all(|rule| !rule.satisfied.is_empty())
    }

    /// Whether every rule could still be satisfied.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.rules.iter().all(|rule| rule.reachable)
    }

    /// Whether one rejection has ended it.
    #[must_use]
    pub fn is_vetoed(&self) -> bool {
        self.rules.iter().any(|rule| rule.vetoed)
    }

    /// Whether somebody has a vote in any of the rules.
    #[must_use]
    pub fn is_eligible(&self, person: &Id) -> bool {
        self.rules.iter().any(|rule| rule.eligible.contains(person))
    }

    /// Whether somebody's vote is missing in any of the rules.
    #[must_use]
    pub fn is_awaited(&self, person: &Id) -> bool {
        self.rules.iter().any(|rule| rule.awaited.contains(person))
    }
}

/// Counts.
#[must_use]
pub fn tally(rules: &[Rule], electorate: &Electorate, ballots: &[Ballot], about: &About<'_>) -> Tally {
    let valid = latest(ballots);
    let count = |rule| count(rule, electorate, &valid, about);
    Tally {
        rules: rules.iter().map(count).collect(),
    }
}

/// The one vote of each person: the latest that is not withdrawn. Of two cast at the same moment the rejection.
fn latest(ballots: &[Ballot]) -> BTreeMap<Id, &Ballot> {
    let mut latest: BTreeMap<Id, &Ballot> = BTreeMap::new();
    for ballot in ballots.iter().filter(|ballot| ballot.withdrawn_ms.is_none()) {
        let rank = |b: &Ballot| (b.cast_ms, b.decision != VoteDecision::Approve, b.key);
        let kept = latest.entry(ballot.person).or_insert(ballot);
        if rank(kept) < rank(ballot) {
            *kept = ballot;
        }
    }
    latest
}

fn count(rule: &Rule, electorate: &Electorate, valid: &BTreeMap<Id, &Ballot>, about: &About<'_>) -> RuleTally {
    let approves = |member: &Member| {
        let ballot = valid.get(&member.person);
        ballot.is_some_and(|b| b.decision == VoteDecision::Approve && proves(rule.proof, member, b, about.now_ms))
    };
    let rejects = |member: &Member| {
        let ballot = valid.get(&member.person);
        ballot.is_some_and(|b| b.decision != VoteDecision::Approve)
    };
    let seasoned = |since_ms: i64| since_ms.saturating_add(about.seasoning_ms) <= about.now_ms || since_ms == 0;
    let mut outcome = RuleTally {
        rule_name: rule.rule_name.clone(),
        satisfied: Vec::new(),
        remaining: usize::MAX,
        reachable: false,
        vetoed: false,
        approving: Vec::new(),
        awaited: Vec::new(),
        eligible: Vec::new(),
    };
    let mut eligible: BTreeMap<Id, &Member> = BTreeMap::new();
    let is_spent = electorate.spent.contains(&rule.rule_name);
    for (place, alternative) in rule.alternatives.iter().enumerate() {
        if is_spent && is_emergency(rule, alternative) {
            continue;
        }
        let slots = slots(alternative);
        let now = filled(alternative, electorate, |member, since| {
            has_vote(rule, member, since, about) && seasoned(since) && approves(member)
        });
        let at_best = filled(alternative, electorate, |member, since| {
            has_vote(rule, member, since, about) && !rejects(member)
        });
        if slots > 0 && now == slots {
            outcome.satisfied.push(place);
        }
        outcome.remaining = outcome.remaining.min(slots.saturating_sub(now));
        outcome.reachable |= slots > 0 && at_best == slots;
        for group in &alternative.groups {
            let of_group = electorate.group(&group.group_name).into_iter();
            let with_vote =
                of_group.filter(|(member, since)| has_vote(rule, member, *since, about) && seasoned(*since));
            eligible.extend(with_vote.map(|(member, _)| (member.person, member)));
        }
    }
    outcome.vetoed = rule.veto != Veto::Unreachable && eligible.values().any(|member| rejects(member));
    for (person, member) in eligible {
        outcome.eligible.push(person);
        if approves(member) {
            outcome.approving.push(person);
        } else if !rejects(member) {
            outcome.awaited.push(person);
        }
    }
    outcome
}

/// Approvals that an alternative wants. A quorum below one is none that could be met.
fn slots(alternative: &RuleAlternative) -> usize {
    let quorums = alternative
        .groups
        .iter()
        .map(|group| usize::try_from(group.quorum).unwrap_or(0));
    quorums.sum()
}

/// How many of an alternative's slots can be filled at once with the people that are permitted, given since when they belong to the
/// group. One person fills one slot.
pub(super) fn filled(
    alternative: &RuleAlternative,
    electorate: &Electorate,
    permitted: impl Fn(&Member, i64) -> bool,
) -> usize {
    let mut fits: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
    let mut first = 0_usize;
    for group in &alternative.groups {
        let Some(quorum) = usize::try_from(group.quorum).ok().filter(|quorum| *quorum > 0) else {
            return 0;
        };
        let members = electorate.group(&group.group_name);
        // A person more than there are slots changes nothing; slots beyond the people there are stay empty.
        let end = first.saturating_add(quorum.min(members.len()));
        for (member, since) in members {
            if permitted(member, since) {
                fits.entry(member.person).or_default().extend(first..end);
            }
        }
        first = end;
    }
    let fits: Vec<Vec<usize>> = fits.into_values().collect();
    most_filled(first, &fits)
}

/// Whether a member of a group has a vote under a rule, its seasoning aside.
fn has_vote(rule: &Rule, member: &Member, since_ms: i64, about: &About<'_>) -> bool {
    member.active
        && since_ms <= about.submitted_ms
        && !(rule.exclude_subject && about.subjects.contains(&member.person))
        && (rule.requester_counts || about.requester != Some(member.person))
}

/// Whether a vote proves what its rule wants, with the keys that the member has now.
fn proves(proof: Proof, member: &Member, ballot: &Ballot, now_ms: i64) -> bool {
    if proof == Proof::Session {
        return true;
    }
    let signed = ballot.statement.is_some() && ballot.signature.is_some();
    let mut keys = member.keys.iter().filter(|key| ballot.key == Some(key.fingerprint));
    signed
        && keys.any(|key| {
            // What is no proof known here is at least hardware.
            now_ms <= key.not_after_ms && (proof == Proof::Signature || key.hardware)
        })
}
