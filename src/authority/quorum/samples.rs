//! People, rules and ballots for tests.

use super::*;
use crate::identity::Id;
use kmip_protocol::{
    BindTarget, Completion, Interval, Operation, PersonRole, Proof, Rule, RuleAlternative, RuleGroup, RuleMatch, Veto,
    VoteDecision,
};

pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// When proposals of tests are submitted.
pub const SUBMITTED: i64 = 100 * DAY_MS;

pub fn id(number: u8) -> Id {
    [number; 16]
}

/// An operator, seasoned from the beginning, with one key.
pub fn operator(number: u8) -> Member {
    Member {
        person: id(number),
        name: format!("operator {number}"),
        role: PersonRole::Operator,
        active: true,
        member_since_ms: 0,
        keys: vec![key(number, false)],
    }
}

pub fn key(number: u8, hardware: bool) -> MemberKey {
    MemberKey {
        fingerprint: [number; 32],
        hardware,
        not_after_ms: 10_000 * DAY_MS,
    }
}

/// So many operators, numbered from 1.
pub fn operators(count: u8) -> Electorate {
    Electorate {
        members: (1..=count).map(operator).collect(),
        ..Electorate::default()
    }
}

pub fn group(name: &str, members: &[u8]) -> Group {
    let belonging = |number: &u8| GroupMember {
        person: id(*number),
        since_ms: 0,
    };
    Group {
        name: name.into(),
        members: members.iter().map(belonging).collect(),
    }
}

pub fn way(groups: &[(&str, i32)]) -> RuleAlternative {
    let group = |(name, quorum): &(&str, i32)| RuleGroup {
        group_name: (*name).into(),
        quorum: *quorum,
    };
    RuleAlternative {
        timelock: Interval(0),
        severity: None,
        groups: groups.iter().map(group).collect(),
    }
}

/// A rule for Person Delete that wants a signature and lets any rejection end it.
pub fn rule(ways: &[RuleAlternative]) -> Rule {
    Rule {
        rule_name: "rule".into(),
        rule_match: RuleMatch {
            operations: vec![Operation::PersonDelete],
            ..RuleMatch::default()
        },
        reason_required: false,
        requester_counts: true,
        exclude_subject: true,
        proof: Proof::Signature,
        veto: Veto::Any,
        bind_target: BindTarget::Exact,
        completion: Completion::OnQuorum,
        approve_ttl: Interval(3 * 24 * 60 * 60),
        execute_ttl: Interval(24 * 60 * 60),
        alternatives: ways.to_vec(),
    }
}

pub fn ballot(number: u8, decision: VoteDecision, cast_ms: i64) -> Ballot {
    Ballot {
        person: id(number),
        person_name: format!("operator {number}"),
        key: Some([number; 32]),
        decision,
        cast_ms,
        withdrawn_ms: None,
        statement: Some(vec![number]),
        signature: Some(vec![number]),
        reason: None,
    }
}

pub fn yes(number: u8) -> Ballot {
    ballot(number, VoteDecision::Approve, SUBMITTED + 1)
}

pub fn no(number: u8) -> Ballot {
    ballot(number, VoteDecision::Reject, SUBMITTED + 1)
}

pub fn about() -> About<'static> {
    About {
        requester: None,
        subjects: &[],
        submitted_ms: SUBMITTED,
        seasoning_ms: DAY_MS,
        now_ms: SUBMITTED + 1000,
    }
}
