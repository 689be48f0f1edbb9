//! The life of proposals: the edge cases by name.

use super::*;
use crate::authority::quorum::samples::*;
use crate::authority::quorum::{CUSTODIANS, OPERATORS};
use kmip_protocol::{Interval, Veto, VoteDecision};

pub(super) const POLICY: [u8; 32] = [5; 32];

pub(super) fn situation(electorate: &Electorate, now_ms: i64) -> Situation<'_> {
    Situation {
        electorate,
        policy_digest: POLICY,
        instance: [1; 16],
        epoch: 0,
        client_remains: true,
        now_ms,
    }
}

fn asked_by(number: u8) -> Requester {
    Requester {
        is_person: true,
        id: id(number),
        name: format!("operator {number}"),
        fingerprint: Some([number; 32]),
    }
}

fn new(rules: Vec<Rule>) -> NewProposal {
    NewProposal {
        id: [7; 16],
        operation: Operation::PersonDelete,
        requester: asked_by(1),
        correlation: [8; 16],
        reason: None,
        rules,
        seasoning_ms: DAY_MS,
        canonical: b"canonical".to_vec(),
        target: BoundTarget::default(),
    }
}

pub(super) fn vote(number: u8, decision: VoteDecision) -> NewVote {
    NewVote {
        person: id(number),
        person_name: format!("operator {number}"),
        key: [number; 32],
        decision,
        signed: Some((rand_statement(number), vec![number])),
        reason: None,
    }
}

/// Statements differ from one another, as those of the command line do by the time they are issued.
fn rand_statement(number: u8) -> Vec<u8> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes().to_vec();
    bytes.push(number);
    bytes
}

fn two_of_operators() -> Vec<Rule> {
    vec![rule(&[way(&[(OPERATORS, 2)])])]
}

pub(super) fn locked(seconds: u32) -> Vec<Rule> {
    let mut rules = two_of_operators();
    rules[0].alternatives[0].timelock = Interval(seconds);
    rules
}

/// A proposal of operator 1, with the votes of these.
pub(super) fn opened(rules: Vec<Rule>, people: &Electorate, voters: &[u8]) -> ProposalRecord {
    let mut record = ProposalRecord::open(new(rules), &situation(people, SUBMITTED)).unwrap();
    for voter in voters {
        record
            .vote(vote(*voter, VoteDecision::Approve), &situation(people, SUBMITTED))
            .unwrap();
    }
    record
}

fn step(from: ProposalState, to: ProposalState) -> Option<Step> {
    Some(Step { from, to })
}

#[test]
fn two_agree_and_it_is_carried_out_once() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut record = opened(two_of_operators(), &people, &[1]);
    assert_eq!(record.claim(Claimant::Server, &now), Err(ProposalFault::NotApproved));
    let moved = record.vote(vote(2, VoteDecision::Approve), &now).unwrap();
    assert_eq!(moved, step(ProposalState::Open, ProposalState::Approved));
    record.claim(Claimant::Server, &now).unwrap();
    assert_eq!(record.claim(Claimant::Server, &now), Err(ProposalFault::Executing));
    assert_eq!(record.claim(Claimant::Requester, &now), Err(ProposalFault::Executing));
    record.finish(Outcome::Executed, SUBMITTED).unwrap();
    assert_eq!(record.state(), ProposalState::Executed);
    assert!(record.finish(Outcome::Executed, SUBMITTED).is_err());
    let refused = record.vote(vote(3, VoteDecision::Reject), &now);
    assert_eq!(refused, Err(ProposalFault::NotLive(ProposalState::Executed)));
    let states: Vec<_> = record.events().iter().map(|event| event.state).collect();
    let life = [
        ProposalState::Open,
        ProposalState::Approved,
        ProposalState::Executing,
        ProposalState::Executed,
    ];
    assert_eq!(states, life);
    assert_eq!(ProposalRecord::decode(&record.encode()).unwrap(), record);
}

#[test]
fn nobody_votes_by_asking() {
    let people = operators(3);
    let record = opened(two_of_operators(), &people, &[]);
    assert!(record.ballots().is_empty() && record.state() == ProposalState::Open);
}

/// Edge case 1.
#[test]
fn an_approval_is_lost_with_its_voter() {
    let people = operators(3);
    let mut record = opened(two_of_operators(), &people, &[2, 3]);
    assert_eq!(record.state(), ProposalState::Approved);
    let mut fewer = people.clone();
    fewer.members[2].active = false;
    let now = situation(&fewer, SUBMITTED + 1);
    assert_eq!(record.claim(Claimant::Server, &now), Err(ProposalFault::NotApproved));
    assert_eq!(record.state(), ProposalState::Open);
    record.vote(vote(1, VoteDecision::Approve), &now).unwrap();
    record.claim(Claimant::Server, &now).unwrap();
    record.finish(Outcome::Executed, SUBMITTED + 1).unwrap();
    // Afterwards it stays as evidence.
    let nobody = people.without(&id(2)).without(&id(1));
    assert_eq!(record.refresh(&situation(&nobody, SUBMITTED + 2)), None);
    assert_eq!(record.ballots().len(), 3);
}

/// Edge case 3.
#[test]
fn a_requester_who_is_gone_voids_it() {
    let people = operators(4);
    let mut record = opened(two_of_operators(), &people, &[2]);
    let without = people.without(&id(1));
    assert_eq!(
        record.refresh(&situation(&without, SUBMITTED + 1)),
        step(ProposalState::Open, ProposalState::Void)
    );
    let mut of_client = new(two_of_operators());
    of_client.requester.is_person = false;
    let mut record = ProposalRecord::open(of_client, &situation(&people, SUBMITTED)).unwrap();
    let mut now = situation(&without, SUBMITTED + 1);
    assert_eq!(record.refresh(&now), None);
    now.client_remains = false;
    assert_eq!(record.refresh(&now), step(ProposalState::Open, ProposalState::Void));
}

/// Edge case 6 (c).
#[test]
fn what_could_never_be_agreed_to_is_not_opened() {
    let one = operators(1);
    let refused = ProposalRecord::open(new(two_of_operators()), &situation(&one, SUBMITTED));
    assert_eq!(refused, Err(ProposalFault::Unreachable));
    let nothing = ProposalRecord::open(new(Vec::new()), &situation(&one, SUBMITTED));
    assert_eq!(nothing, Err(ProposalFault::Unreachable));
    let two = operators(2);
    let mut about_two = new(two_of_operators());
    about_two.target.subjects = vec![id(2)];
    assert_eq!(
        ProposalRecord::open(about_two, &situation(&two, SUBMITTED)),
        Err(ProposalFault::Unreachable)
    );
}

/// Edge case 6 (d).
#[test]
fn a_rule_may_end_it_when_those_who_remain_cannot_make_it() {
    let people = operators(3);
    let mut rules = two_of_operators();
    rules[0].veto = Veto::Unreachable;
    let mut record = opened(rules, &people, &[1]);
    let now = situation(&people, SUBMITTED + 1);
    assert_eq!(record.vote(vote(2, VoteDecision::Reject), &now), Ok(None));
    let moved = record.vote(vote(3, VoteDecision::Reject), &now).unwrap();
    assert_eq!(moved, step(ProposalState::Open, ProposalState::Rejected));
}

/// Edge case 7.
#[test]
fn another_policy_voids_it_except_the_proposal_that_made_it() {
    let people = operators(3);
    let mut record = opened(two_of_operators(), &people, &[1, 2]);
    let mut changed = situation(&people, SUBMITTED + 1);
    changed.policy_digest = [6; 32];
    let mut other = record.clone();
    assert_eq!(
        other.refresh(&changed),
        step(ProposalState::Approved, ProposalState::Void)
    );
    // The one that is being carried out ends as it should.
    record.claim(Claimant::Server, &situation(&people, SUBMITTED)).unwrap();
    assert_eq!(record.refresh(&changed), None);
    record.finish(Outcome::Executed, SUBMITTED + 1).unwrap();
    assert_eq!(record.state(), ProposalState::Executed);
}

/// Edge case 10.
#[test]
fn a_newcomer_has_no_vote_in_what_is_older() {
    let mut people = operators(3);
    let mut record = opened(two_of_operators(), &people, &[1]);
    people.members[2].member_since_ms = SUBMITTED + 1;
    let refused = record.vote(
        vote(3, VoteDecision::Approve),
        &situation(&people, SUBMITTED + 2 * DAY_MS),
    );
    assert_eq!(refused, Err(ProposalFault::NotEligible));
}

/// Edge case 14, the part that is the proposal's.
#[test]
fn the_same_bytes_are_not_cast_twice() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut record = opened(two_of_operators(), &people, &[]);
    let signed = Some((vec![1, 2, 3], vec![4]));
    let cast = |record: &mut ProposalRecord| {
        let again = NewVote {
            signed: signed.clone(),
            ..vote(2, VoteDecision::Approve)
        };
        record.vote(again, &now)
    };
    cast(&mut record).unwrap();
    record.withdraw_vote(&id(2), &now).unwrap();
    assert_eq!(cast(&mut record), Err(ProposalFault::Replayed));
}

/// Edge case 15.
#[test]
fn a_restored_installation_voids_what_was_live() {
    let people = operators(3);
    for change in [
        |s: &mut Situation<'_>| s.epoch = 1,
        |s: &mut Situation<'_>| s.instance = [2; 16],
    ] {
        let mut record = opened(two_of_operators(), &people, &[1, 2]);
        let mut now = situation(&people, SUBMITTED);
        change(&mut now);
        assert_eq!(record.refresh(&now), step(ProposalState::Approved, ProposalState::Void));
    }
}

/// Edge case 16.
#[test]
fn a_clock_set_back_gives_and_takes_no_time() {
    let people = operators(3);
    let mut record = opened(locked(60), &people, &[1]);
    record
        .vote(vote(2, VoteDecision::Approve), &situation(&people, SUBMITTED + 50_000))
        .unwrap();
    let back = situation(&people, SUBMITTED - 90 * DAY_MS);
    assert_eq!(record.claim(Claimant::Server, &back), Err(ProposalFault::NotDue));
    assert_eq!(record.due_ms(), Some(SUBMITTED + 110_000));
    record.vote(vote(3, VoteDecision::Approve), &back).unwrap();
    assert_eq!(record.ballots()[2].cast_ms, SUBMITTED + 50_000);
}

/// Edge case 17.
#[test]
fn a_timelock_begins_with_the_quorum_and_anew_with_each_loss() {
    let people = operators(4);
    let mut record = opened(locked(3600), &people, &[1, 2]);
    let at = |seconds: i64| situation(&people, SUBMITTED + seconds * 1000);
    assert_eq!(record.claim(Claimant::Server, &at(3599)), Err(ProposalFault::NotDue));
    record.withdraw_vote(&id(2), &at(3599)).unwrap();
    assert_eq!(record.state(), ProposalState::Open);
    record.vote(vote(3, VoteDecision::Approve), &at(4000)).unwrap();
    assert_eq!(record.claim(Claimant::Server, &at(7599)), Err(ProposalFault::NotDue));
    let mut vetoed = record.clone();
    vetoed.veto(&id(4), "operator 4", Some("no"), &at(7599)).unwrap();
    assert_eq!(vetoed.state(), ProposalState::Rejected);
    record.claim(Claimant::Server, &at(7600)).unwrap();
}

#[test]
fn a_quicker_way_waits_its_own_time_from_its_own_quorum() {
    let mut people = operators(4);
    people.members[3].role = kmip_protocol::PersonRole::Custodian;
    let mut slow = way(&[(OPERATORS, 2)]);
    slow.timelock = Interval(24 * 3600);
    let mut quick = way(&[(OPERATORS, 2), (CUSTODIANS, 1)]);
    quick.timelock = Interval(3600);
    let mut record = opened(vec![rule(&[slow, quick])], &people, &[1, 2]);
    let at = |hours: i64| situation(&people, SUBMITTED + hours * 3_600_000);
    record.vote(vote(4, VoteDecision::Approve), &at(20)).unwrap();
    assert_eq!(record.claim(Claimant::Server, &at(20)), Err(ProposalFault::NotDue));
    assert!(record.claim(Claimant::Server, &at(21)).is_ok());
}

/// Edge cases 18 and 19.
#[test]
fn time_ends_a_proposal_and_never_approves_it() {
    let people = operators(3);
    let mut open = opened(two_of_operators(), &people, &[1]);
    let end = SUBMITTED + 3 * DAY_MS;
    assert_eq!(open.refresh(&situation(&people, end - 1)), None);
    let late = open
        .clone()
        .vote(vote(2, VoteDecision::Approve), &situation(&people, end));
    assert_eq!(late, Err(ProposalFault::NotLive(ProposalState::Expired)));
    assert_eq!(
        open.refresh(&situation(&people, end)),
        step(ProposalState::Open, ProposalState::Expired)
    );
    // Approved: it can be tried again and again until it may no longer be carried out.
    let mut approved = opened(two_of_operators(), &people, &[1, 2]);
    assert!(
        approved
            .claimable(Claimant::Server, &situation(&people, SUBMITTED + DAY_MS - 1))
            .is_ok()
    );
    assert_eq!(
        approved.refresh(&situation(&people, SUBMITTED + DAY_MS)),
        step(ProposalState::Approved, ProposalState::Expired)
    );
    // What falls back after its time to approve ends there.
    let mut rules = locked(0);
    rules[0].execute_ttl = Interval(10 * 24 * 3600);
    let mut fallen = opened(rules, &people, &[1, 2]);
    let few = people.without(&id(2));
    assert_eq!(
        fallen.refresh(&situation(&few, end)),
        step(ProposalState::Approved, ProposalState::Expired)
    );
}

/// Edge case 21.
#[test]
fn a_change_of_mind_counts_and_history_is_kept() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED + 1);
    let mut rules = two_of_operators();
    rules[0].veto = Veto::Unreachable;
    let mut record = opened(rules, &people, &[1, 2]);
    let moved = record.vote(vote(2, VoteDecision::Reject), &now).unwrap();
    assert_eq!(moved, step(ProposalState::Approved, ProposalState::Open));
    assert_eq!(record.ballots().len(), 3);
    assert_eq!(record.ballots()[1].withdrawn_ms, Some(SUBMITTED + 1));
    // Taking the rejection back does not bring the approval back.
    record.withdraw_vote(&id(2), &now).unwrap();
    assert_eq!(record.state(), ProposalState::Open);
    // With a veto a rejection is final.
    let mut record = opened(two_of_operators(), &people, &[1]);
    record.vote(vote(2, VoteDecision::Reject), &now).unwrap();
    assert_eq!(record.state(), ProposalState::Rejected);
    assert!(record.withdraw_vote(&id(2), &now).is_err());
}

#[test]
fn who_has_no_vote_cannot_vote_veto_or_complete() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut about_two = new(two_of_operators());
    about_two.target.subjects = vec![id(2)];
    let mut record = ProposalRecord::open(about_two, &now).unwrap();
    for stranger in [2, 9] {
        for decision in [VoteDecision::Approve, VoteDecision::Reject] {
            assert_eq!(
                record.vote(vote(stranger, decision), &now),
                Err(ProposalFault::NotEligible)
            );
        }
        assert_eq!(
            record.veto(&id(stranger), "x", None, &now),
            Err(ProposalFault::NotEligible)
        );
        assert_eq!(record.withdraw_vote(&id(stranger), &now), Err(ProposalFault::NoVote));
    }
    let mut manual = two_of_operators();
    manual[0].completion = Completion::Manual;
    let mut record = opened(manual, &people, &[1, 2]);
    assert_eq!(record.complete(&id(9), "x", &now), Err(ProposalFault::NotYours));
}

#[test]
fn an_approval_may_count_under_one_rule_and_not_under_another() {
    let mut people = operators(3);
    people.members[2].keys[0].hardware = true;
    let now = situation(&people, SUBMITTED);
    let mut rules = two_of_operators();
    let mut special = rules[0].clone();
    special.rule_name = "in-hardware".to_owned();
    special.proof = kmip_protocol::Proof::Hardware;
    special.alternatives[0].groups[0].quorum = 1;
    rules.push(special);
    let mut record = opened(rules, &people, &[]);
    record.vote(vote(1, VoteDecision::Approve), &now).unwrap();
    record.vote(vote(2, VoteDecision::Approve), &now).unwrap();
    assert_eq!(record.state(), ProposalState::Open);
    record.vote(vote(3, VoteDecision::Approve), &now).unwrap();
    assert_eq!(record.state(), ProposalState::Approved);
}

#[test]
fn an_approval_that_would_not_count_is_refused() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut record = opened(two_of_operators(), &people, &[]);
    let mut unsigned = vote(2, VoteDecision::Approve);
    unsigned.signed = None;
    assert_eq!(record.clone().vote(unsigned, &now), Err(ProposalFault::ProofMissing));
    let mut other_key = vote(2, VoteDecision::Approve);
    other_key.key = [9; 32];
    assert_eq!(record.clone().vote(other_key, &now), Err(ProposalFault::ProofMissing));
    // Against it, the session is enough.
    let mut unsigned = vote(2, VoteDecision::Reject);
    unsigned.signed = None;
    record.vote(unsigned, &now).unwrap();
    assert_eq!(record.state(), ProposalState::Rejected);
}

#[test]
fn each_way_of_completion_has_its_own_claimant() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    for (completion, server, requester, button) in [
        (Completion::OnQuorum, true, true, true),
        (Completion::Manual, false, true, true),
        (Completion::OnClaim, false, true, false),
    ] {
        let mut rules = two_of_operators();
        rules[0].completion = completion;
        let record = opened(rules, &people, &[1, 2]);
        assert_eq!(
            record.clone().claim(Claimant::Server, &now).is_ok(),
            server,
            "{completion:?}"
        );
        assert_eq!(
            record.clone().claim(Claimant::Requester, &now).is_ok(),
            requester,
            "{completion:?}"
        );
        let mut pressed = record;
        assert_eq!(
            pressed.complete(&id(3), "operator 3", &now).is_ok(),
            button,
            "{completion:?}"
        );
        assert_eq!(
            pressed.claim(Claimant::Server, &now).is_ok(),
            server || button,
            "{completion:?}"
        );
    }
    // Where rules differ, the one that keeps a secret back decides, then the one that wants a button pressed.
    let with = |completion| {
        let mut made = rule(&[way(&[(OPERATORS, 2)])]);
        made.completion = completion;
        made
    };
    let (quorum, claim, manual) = (Completion::OnQuorum, Completion::OnClaim, Completion::Manual);
    assert_eq!(super::completion(&[with(quorum), with(manual), with(claim)]), claim);
    assert_eq!(super::completion(&[with(quorum), with(manual)]), manual);
    assert_eq!(super::completion(&[with(quorum)]), quorum);
}

#[test]
fn a_rule_that_is_only_to_be_weakened_does_not_say_how_to_complete() {
    let people = operators(3);
    let mut weakened = rule(&[way(&[(OPERATORS, 2)])]);
    weakened.rule_name = "export".into();
    weakened.rule_match.operations = vec![Operation::Export];
    weakened.completion = Completion::OnClaim;
    let mut rules = two_of_operators();
    rules.push(weakened);
    assert_eq!(opened(rules, &people, &[]).completion(), Completion::OnQuorum);
}

#[test]
fn a_button_pressed_before_an_approval_was_lost_counts_no_more() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut rules = two_of_operators();
    rules[0].completion = Completion::Manual;
    let mut record = opened(rules, &people, &[1, 2]);
    record.complete(&id(3), "operator 3", &now).unwrap();
    record.withdraw_vote(&id(2), &now).unwrap();
    record.vote(vote(2, VoteDecision::Approve), &now).unwrap();
    assert_eq!(record.claim(Claimant::Server, &now), Err(ProposalFault::NotYours));
}

#[test]
fn every_rule_must_be_satisfied() {
    let mut people = operators(4);
    people.members[3].role = kmip_protocol::PersonRole::Custodian;
    let mut second = rule(&[way(&[(CUSTODIANS, 1)])]);
    second.rule_name = "second".into();
    let rules = vec![two_of_operators().remove(0), second];
    let mut record = opened(rules, &people, &[1, 2]);
    assert_eq!(record.state(), ProposalState::Open);
    record
        .vote(vote(4, VoteDecision::Approve), &situation(&people, SUBMITTED))
        .unwrap();
    assert_eq!(record.state(), ProposalState::Approved);
}

#[test]
fn a_reason_is_given_where_one_is_wanted() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut rules = two_of_operators();
    rules[0].reason_required = true;
    for (reason, fine) in [(None, false), (Some(" "), false), (Some("left the company"), true)] {
        let asked = NewProposal {
            reason: reason.map(str::to_owned),
            ..new(rules.clone())
        };
        assert_eq!(ProposalRecord::open(asked, &now).is_ok(), fine);
    }
}

#[test]
fn a_withdrawn_proposal_is_over() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let mut record = opened(two_of_operators(), &people, &[1, 2]);
    record.withdraw(&now).unwrap();
    assert_eq!(record.state(), ProposalState::Withdrawn);
    assert!(record.claim(Claimant::Requester, &now).is_err() && record.withdraw(&now).is_err());
}

#[test]
fn a_target_is_bound_as_the_strictest_rule_says() {
    let people = operators(3);
    let now = situation(&people, SUBMITTED);
    let with = |bind| {
        let mut rules = two_of_operators();
        rules[0].bind_target = bind;
        ProposalRecord::open(new(rules), &now).unwrap().bind_target()
    };
    assert_eq!(with(BindTarget::Exact), BindTarget::Exact);
    assert_eq!(with(BindTarget::Identifier), BindTarget::Identifier);
    let mut both = two_of_operators();
    both.extend(two_of_operators());
    both[0].bind_target = BindTarget::Identifier;
    assert_eq!(
        ProposalRecord::open(new(both), &now).unwrap().bind_target(),
        BindTarget::Exact
    );
}

#[test]
fn votes_do_not_pile_up_without_end() {
    let people = operators(30);
    let now = situation(&people, SUBMITTED);
    let mut rules = two_of_operators();
    rules[0].alternatives[0].groups[0].quorum = 30;
    let mut record = opened(rules, &people, &[]);
    let mut cast = 0;
    // One alone does not take the others' votes.
    while record.vote(vote(2, VoteDecision::Approve), &now).is_ok() {
        cast += 1;
    }
    assert_eq!(cast, 16);
    assert!(record.vote(vote(3, VoteDecision::Approve), &now).is_ok());
    cast += 1;
    for person in 3..=30 {
        while record.vote(vote(person, VoteDecision::Approve), &now).is_ok() {
            cast += 1;
        }
    }
    assert_eq!(cast, 256);
}

#[test]
fn records_come_back_and_only_whole() {
    let people = operators(3);
    let mut asked = new(locked(60));
    asked.reason = Some("why".into());
    asked.target = BoundTarget {
        description: Some("person dora".into()),
        records: vec![ProposalRecord::key(Domain([3; 16]), [4; 16])],
        digest: Some([9; 32]),
        subjects: vec![id(3)],
        sharings: vec![Key {
            domain: Domain([7; 16]),
            kind: Kind(0x28),
            id: [8; 16],
        }],
        recovery: Some(vec![7; 40]),
    };
    let mut record = ProposalRecord::open(asked, &situation(&people, SUBMITTED)).unwrap();
    for voter in [1, 2] {
        let now = situation(&people, SUBMITTED + 1);
        record.vote(vote(voter, VoteDecision::Approve), &now).unwrap();
    }
    let bytes = record.encode();
    assert_eq!(ProposalRecord::decode(&bytes).unwrap(), record);
    for end in (0..bytes.len()).step_by(8) {
        assert!(ProposalRecord::decode(&bytes[..end]).is_err());
    }
}
