//! Proposals as people are shown them.

use crate::authority::proposal::ProposalRecord;
use crate::authority::quorum::{Electorate, RuleTally, Tally};
use crate::identity::Id;
use crate::operations::shares::Standing;
use kmip_protocol::{DateTime, ProposalDetail, ProposalEvent, ProposalState, ProposalSummary, Requirement, Vote};

/// A proposal as lists show it, to this person.
pub(super) fn summary(
    record: &ProposalRecord,
    tenant_name: Option<String>,
    electorate: &Electorate,
    reader: &Id,
    now_ms: i64,
) -> ProposalSummary {
    let awaited = record.is_live() && record.tally(electorate, now_ms).is_awaited(reader);
    let awaiting = awaited || record.may_follow_up(reader, electorate);
    ProposalSummary {
        proposal_identifier: record.id.to_vec(),
        state: record.state(),
        operation: record.operation,
        tenant_name,
        requester_name: record.requester.name.clone(),
        submitted: moment(record.submitted_ms),
        expires: moment(record.expires_ms()),
        reason: record.reason.clone(),
        awaiting_requester: awaiting,
        awaiting_shares: None,
    }
}

/// Says of a proposal that has votes enough whether it waits for shares, and whether for the reader's.
pub(super) fn tell_awaited(shown: &mut ProposalSummary, record: &ProposalRecord, standing: &Standing, reader: &Id) {
    let approved = record.state() == ProposalState::Approved;
    if approved && standing.awaited {
        shown.awaiting_shares = Some(true);
        shown.awaiting_requester |= !standing.held.is_empty() && record.approves(reader);
    }
}

/// Tells the reader its shares, and who has handed in theirs.
pub(super) fn tell_shares(
    shown: &mut ProposalDetail,
    record: &ProposalRecord,
    standing: &Standing,
    electorate: &Electorate,
    reader: &Id,
) {
    tell_awaited(&mut shown.summary, record, standing, reader);
    let name = |person: &Id| electorate.member(person).map(|member| member.name.clone());
    shown.share_givers = standing.givers.iter().filter_map(name).collect();
    shown.share_givers.sort_unstable();
}

/// Everything that an approver needs to see.
pub(super) fn detail(
    record: &ProposalRecord,
    tenant_name: Option<String>,
    electorate: &Electorate,
    reader: &Id,
    now_ms: i64,
) -> ProposalDetail {
    let tally = record.tally(electorate, now_ms);
    let counts = |person: &Id| tally.rules.iter().any(|rule| rule.approving.contains(person));
    let latest = |at: usize, person: &Id| {
        !record
            .ballots()
            .iter()
            .skip(at.saturating_add(1))
            .any(|b| b.person == *person)
    };
    let votes = record.ballots().iter().enumerate().map(|(at, ballot)| Vote {
        person_name: ballot.person_name.clone(),
        decision: ballot.decision,
        time_stamp: moment(ballot.cast_ms),
        counts: ballot.withdrawn_ms.is_none() && latest(at, &ballot.person) && counts(&ballot.person),
        withdrawn: ballot.withdrawn_ms.map(moment),
        statement: ballot.statement.clone(),
        signature: ballot.signature.clone(),
        voter_fingerprint: ballot.key.map(|key| key.to_vec()),
    });
    let events = record.events().iter().map(|event| ProposalEvent {
        state: event.state,
        time_stamp: moment(event.at_ms),
        person_name: event.person_name.clone(),
        reason: event.reason.clone(),
    });
    ProposalDetail {
        summary: summary(record, tenant_name, electorate, reader, now_ms),
        frozen_request: record.canonical.clone(),
        request_digest: record.request_digest.to_vec(),
        target: record.target.description.clone(),
        target_digest: record.target.digest.map(|digest| digest.to_vec()),
        policy_digest: record.policy_digest.to_vec(),
        instance_identifier: record.instance.to_vec(),
        epoch: record.epoch,
        completion: record.completion(),
        requirements: requirements(&tally, electorate),
        votes: votes.collect(),
        events: events.collect(),
        result_reason: record.result_reason(),
        held_shares: Vec::new(),
        share_givers: Vec::new(),
    }
}

/// What each rule still wants, and who could give it.
pub(super) fn requirements(tally: &Tally, electorate: &Electorate) -> Vec<Requirement> {
    tally.rules.iter().map(|rule| requirement(rule, electorate)).collect()
}

fn requirement(rule: &RuleTally, electorate: &Electorate) -> Requirement {
    let name = |person: &Id| electorate.member(person).map(|member| member.name.clone());
    let mut warnings = Vec::new();
    if !rule.reachable {
        warnings.push("too few people could agree to this".to_owned());
    }
    Requirement {
        rule_name: rule.rule_name.clone(),
        satisfied: !rule.satisfied.is_empty(),
        remaining: i32::try_from(rule.remaining).unwrap_or(i32::MAX),
        eligible: rule.awaited.iter().filter_map(name).collect(),
        warnings,
    }
}

const fn moment(milliseconds: i64) -> DateTime {
    DateTime(milliseconds.div_euclid(1000))
}
