//! Counting: the edge cases by name, and what must hold for all votes there can be.

use super::samples::*;
use super::*;
use kmip_protocol::{Proof, Rule, Veto, VoteDecision};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn satisfied(rules: &[Rule], electorate: &Electorate, ballots: &[Ballot]) -> bool {
    tally(rules, electorate, ballots, &about()).is_satisfied()
}

fn two_operators() -> Vec<Rule> {
    vec![rule(&[way(&[(OPERATORS, 2)])])]
}

/// Edge case 1.
#[test]
fn a_voter_who_is_lost_stops_counting() {
    let mut people = operators(3);
    let votes = [yes(1), yes(2)];
    assert!(satisfied(&two_operators(), &people, &votes));
    assert!(!satisfied(&two_operators(), &people.without(&id(2)), &votes));
    people.members[1].active = false;
    assert!(!satisfied(&two_operators(), &people, &votes));
    people.members[1].active = true;
    people.members[1].role = kmip_protocol::PersonRole::Auditor;
    assert!(!satisfied(&two_operators(), &people, &votes));
}

/// Edge case 2.
#[test]
fn a_vote_whose_key_was_revoked_or_has_expired_does_not_count_where_a_signature_is_wanted() {
    let votes = [yes(1), yes(2)];
    let mut revoked = operators(3);
    revoked.members[1].keys = vec![key(9, false)];
    assert!(!satisfied(&two_operators(), &revoked, &votes));
    let mut expired = operators(3);
    expired.members[1].keys[0].not_after_ms = SUBMITTED;
    assert!(!satisfied(&two_operators(), &expired, &votes));
    let mut session = two_operators();
    session[0].proof = Proof::Session;
    assert!(satisfied(&session, &revoked, &votes) && satisfied(&session, &expired, &votes));
    // Cast again with the new key it counts.
    let mut again = yes(2);
    again.key = Some([9; 32]);
    again.cast_ms += 1;
    assert!(satisfied(&two_operators(), &revoked, &[yes(1), yes(2), again]));
}

#[test]
fn a_vote_without_a_signature_does_not_count_where_one_is_wanted() {
    let mut unsigned = yes(2);
    unsigned.signature = None;
    assert!(!satisfied(&two_operators(), &operators(3), &[yes(1), unsigned]));
}

#[test]
fn a_hardware_proof_wants_a_hardware_key() {
    let mut rules = two_operators();
    rules[0].proof = Proof::Hardware;
    let mut people = operators(2);
    let votes = [yes(1), yes(2)];
    people.members[0].keys = vec![key(1, true)];
    assert!(!satisfied(&rules, &people, &votes));
    // Having one somewhere is not enough: it must have signed.
    people.members[1].keys = vec![key(2, false), key(8, true)];
    assert!(!satisfied(&rules, &people, &votes));
    people.members[1].keys = vec![key(2, true)];
    assert!(satisfied(&rules, &people, &votes));
}

/// Edge case 4.
#[test]
fn one_person_with_two_certificates_has_one_vote() {
    let mut people = operators(2);
    people.members[0].keys.push(key(7, false));
    let mut second = yes(1);
    second.key = Some([7; 32]);
    assert!(!satisfied(&two_operators(), &people, &[yes(1), second]));
}

/// Edge case 5.
#[test]
fn a_person_in_two_groups_fills_one_slot() {
    let mut people = operators(3);
    people.groups = vec![group("a", &[1, 2]), group("b", &[1, 3])];
    let rules = vec![rule(&[way(&[("a", 1), ("b", 1)])])];
    assert!(!satisfied(&rules, &people, &[yes(1)]));
    assert!(satisfied(&rules, &people, &[yes(1), yes(2)]));
    assert!(satisfied(&rules, &people, &[yes(1), yes(3)]));
    assert!(satisfied(&rules, &people, &[yes(2), yes(3)]));
    let both = vec![rule(&[way(&[("a", 2), ("b", 1)])])];
    assert!(!satisfied(&both, &people, &[yes(1), yes(2)]));
    assert!(satisfied(&both, &people, &[yes(1), yes(2), yes(3)]));
}

/// Edge case 6 (c) and (d).
#[test]
fn what_cannot_be_reached_is_told() {
    let rules = two_operators();
    let reachable = |people: &Electorate, votes: &[Ballot]| tally(&rules, people, votes, &about()).is_reachable();
    assert!(reachable(&operators(2), &[]));
    assert!(!reachable(&operators(1), &[]));
    assert!(!reachable(&operators(2), &[no(2)]));
    assert!(reachable(&operators(3), &[no(2)]));
}

/// Edge case 10.
#[test]
fn friends_who_were_just_added_do_not_count() {
    let mut people = operators(3);
    people.members[1].member_since_ms = SUBMITTED - DAY_MS + 2000;
    assert!(!satisfied(&two_operators(), &people, &[yes(1), yes(2)]), "not seasoned");
    let later = About {
        now_ms: SUBMITTED + 2000,
        ..about()
    };
    assert!(tally(&two_operators(), &people, &[yes(1), yes(2)], &later).is_satisfied());
    // Seasoned by now, but younger than the proposal.
    people.members[1].member_since_ms = SUBMITTED + 1;
    let much_later = About {
        now_ms: SUBMITTED + 90 * DAY_MS,
        ..about()
    };
    assert!(!tally(&two_operators(), &people, &[yes(1), yes(2)], &much_later).is_satisfied());
    // The same for a group that an old member joins.
    let mut people = operators(3);
    people.groups = vec![group("a", &[1, 2])];
    let rules = vec![rule(&[way(&[("a", 2)])])];
    assert!(satisfied(&rules, &people, &[yes(1), yes(2)]));
    people.groups[0].members[1].since_ms = SUBMITTED + 1;
    assert!(!tally(&rules, &people, &[yes(1), yes(2)], &much_later).is_satisfied());
}

#[test]
fn the_person_acted_upon_has_no_vote() {
    let subjects = [id(2)];
    let about = About {
        subjects: &subjects,
        ..about()
    };
    let votes = [yes(1), yes(2)];
    let result = tally(&two_operators(), &operators(3), &votes, &about);
    assert!(!result.is_satisfied() && !result.is_eligible(&id(2)) && result.is_awaited(&id(3)));
    // Not even against it.
    assert!(!tally(&two_operators(), &operators(3), &[no(2)], &about).is_vetoed());
    let mut rules = two_operators();
    rules[0].exclude_subject = false;
    assert!(tally(&rules, &operators(3), &votes, &about).is_satisfied());
}

#[test]
fn the_requesters_own_vote_counts_by_rule() {
    let about = About {
        requester: Some(id(1)),
        ..about()
    };
    let mut rules = two_operators();
    assert!(tally(&rules, &operators(3), &[yes(1), yes(2)], &about).is_satisfied());
    rules[0].requester_counts = false;
    assert!(!tally(&rules, &operators(3), &[yes(1), yes(2)], &about).is_satisfied());
    assert!(tally(&rules, &operators(3), &[yes(2), yes(3)], &about).is_satisfied());
}

/// Edge case 21.
#[test]
fn the_latest_vote_that_is_not_withdrawn_counts() {
    let mut reject = no(2);
    reject.cast_ms += 10;
    let rules = two_operators();
    let result = tally(&rules, &operators(3), &[yes(1), yes(2), reject.clone()], &about());
    assert!(result.is_vetoed() && !result.is_satisfied());
    reject.withdrawn_ms = Some(SUBMITTED + 20);
    let result = tally(&rules, &operators(3), &[yes(1), yes(2), reject], &about());
    assert!(!result.is_vetoed() && result.is_satisfied());
}

#[test]
fn a_rejection_ends_it_only_where_the_rule_says_so() {
    let mut rules = two_operators();
    assert!(tally(&rules, &operators(3), &[no(3)], &about()).is_vetoed());
    rules[0].veto = Veto::Unreachable;
    let result = tally(&rules, &operators(3), &[no(3)], &about());
    assert!(!result.is_vetoed() && result.is_reachable());
    // A stranger's rejection is nothing.
    let mut people = operators(3);
    people.members[2].role = kmip_protocol::PersonRole::Auditor;
    assert!(!tally(&two_operators(), &people, &[no(3)], &about()).is_vetoed());
}

#[test]
fn nothing_is_satisfied_by_no_rules_no_ways_no_groups_or_no_quorum() {
    let votes = [yes(1), yes(2)];
    let people = operators(3);
    assert!(!satisfied(&[], &people, &votes));
    assert!(!satisfied(&[rule(&[])], &people, &votes));
    assert!(!satisfied(&[rule(&[way(&[])])], &people, &votes));
    for quorum in [0, -1, i32::MIN] {
        assert!(!satisfied(&[rule(&[way(&[(OPERATORS, quorum)])])], &people, &votes));
        assert!(!satisfied(
            &[rule(&[way(&[(OPERATORS, 1), (AUDITORS, quorum)])])],
            &people,
            &votes
        ));
    }
    assert!(!satisfied(&[rule(&[way(&[(OPERATORS, i32::MAX)])])], &people, &votes));
    assert!(!satisfied(&[rule(&[way(&[("nobody", 1)])])], &people, &votes));
}

/// Edge case 25: another way, with more people and a delay.
#[test]
fn any_alternative_will_do_and_it_is_told_which() {
    let mut people = operators(5);
    people.groups = vec![group("recovery", &[3, 4, 5])];
    let rules = vec![rule(&[way(&[(OPERATORS, 5)]), way(&[("recovery", 3)])])];
    let result = tally(&rules, &people, &[yes(3), yes(4), yes(5)], &about());
    assert_eq!(result.rules[0].satisfied, [1]);
    let result = tally(&rules, &people, &[yes(3), yes(4)], &about());
    assert_eq!((result.rules[0].remaining, result.is_satisfied()), (1, false));
}

#[test]
fn the_same_name_twice_in_a_group_is_one_person() {
    let mut people = operators(2);
    people.groups = vec![group("a", &[1, 1])];
    assert!(!satisfied(&[rule(&[way(&[("a", 2)])])], &people, &[yes(1)]));
}

/// Four groups over eight people; ways of one or two groups; any votes.
fn scenes() -> impl Strategy<Value = (Electorate, Vec<Rule>, Vec<Ballot>)> {
    let groups = proptest::collection::vec(proptest::collection::vec(1..=8_u8, 0..6), 3);
    let quorum = (0..4_usize, 1..4_i32);
    let one_way = proptest::collection::vec(quorum, 1..3);
    let rules = proptest::collection::vec(proptest::collection::vec(one_way, 1..3), 1..3);
    let vote = (1..=9_u8, any::<bool>(), 0..20_i64, any::<bool>());
    let votes = proptest::collection::vec(vote, 0..14);
    (groups, rules, votes).prop_map(|(groups, rules, votes)| {
        const NAMES: [&str; 4] = ["a", "b", "c", OPERATORS];
        let mut people = operators(8);
        people.groups = groups
            .iter()
            .zip(NAMES)
            .map(|(members, name)| group(name, members))
            .collect();
        let to_way = |parts: &Vec<(usize, i32)>| {
            let parts: Vec<_> = parts.iter().map(|(name, quorum)| (NAMES[*name], *quorum)).collect();
            way(&parts)
        };
        let to_rule = |ways: &Vec<Vec<(usize, i32)>>| {
            let ways: Vec<_> = ways.iter().map(to_way).collect();
            let mut made = rule(&ways);
            made.veto = Veto::Unreachable;
            made
        };
        let to_ballot = |(person, approves, at, withdrawn): &(u8, bool, i64, bool)| {
            let decision = if *approves {
                VoteDecision::Approve
            } else {
                VoteDecision::Reject
            };
            let mut cast = ballot(*person, decision, SUBMITTED + at);
            cast.withdrawn_ms = withdrawn.then_some(SUBMITTED + 30);
            cast
        };
        let rules = rules.iter().map(to_rule).collect();
        (people, rules, votes.iter().map(to_ballot).collect())
    })
}

proptest! {
    #[test]
    fn the_order_of_ballots_does_not_matter(
        (people, rules, ballots) in scenes(), seed in any::<u64>(),
    ) {
        let mut shuffled = ballots.clone();
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        prop_assert_eq!(tally(&rules, &people, &ballots, &about()), tally(&rules, &people, &shuffled, &about()));
    }

    #[test]
    fn one_more_approval_never_harms((people, rules, ballots) in scenes(), person in 1..=8_u8) {
        let before = tally(&rules, &people, &ballots, &about());
        let mut more = ballots;
        more.push(ballot(person, VoteDecision::Approve, SUBMITTED + 50));
        let after = tally(&rules, &people, &more, &about());
        prop_assert!(after.is_satisfied() || !before.is_satisfied());
        prop_assert!(after.is_reachable() || !before.is_reachable());
        for (before, after) in before.rules.iter().zip(&after.rules) {
            prop_assert!(after.remaining <= before.remaining);
        }
    }

    #[test]
    fn fewer_distinct_people_than_the_quorum_never_satisfy((people, rules, ballots) in scenes()) {
        let result = tally(&rules, &people, &ballots, &about());
        for (rule, counted) in rules.iter().zip(&result.rules) {
            let approving: BTreeSet<_> = counted.approving.iter().collect();
            prop_assert_eq!(approving.len(), counted.approving.len());
            for place in &counted.satisfied {
                let way = &rule.alternatives[*place];
                let wanted: i32 = way.groups.iter().map(|group| group.quorum).sum();
                prop_assert!(approving.len() >= usize::try_from(wanted).unwrap());
                // By exhaustive search: some assignment of distinct people to slots exists.
                prop_assert!(assignable(&people, way, &approving));
            }
        }
    }

    #[test]
    fn another_rule_never_loosens((people, rules, ballots) in scenes(), (_, more, _) in scenes()) {
        let alone = tally(&rules, &people, &ballots, &about());
        let layered: Vec<_> = rules.iter().chain(&more).cloned().collect();
        let both = tally(&layered, &people, &ballots, &about());
        prop_assert!(alone.is_satisfied() || !both.is_satisfied());
        prop_assert!(alone.is_reachable() || !both.is_reachable());
    }

    #[test]
    fn nobody_is_needed_twice((people, _, ballots) in scenes()) {
        // A group with itself wants as many people as both together.
        let twice = vec![rule(&[way(&[("a", 1), ("a", 1)])])];
        let at_once = vec![rule(&[way(&[("a", 2)])])];
        prop_assert_eq!(
            tally(&twice, &people, &ballots, &about()).is_satisfied(),
            tally(&at_once, &people, &ballots, &about()).is_satisfied()
        );
    }
}

/// Whether distinct approving people can be found for each slot: tried in every way.
fn assignable(
    people: &Electorate,
    way: &kmip_protocol::RuleAlternative,
    approving: &BTreeSet<&crate::identity::Id>,
) -> bool {
    let mut slots = Vec::new();
    for group in &way.groups {
        let members: Vec<_> = people
            .group(&group.group_name)
            .iter()
            .map(|(member, _)| member.person)
            .collect();
        slots.extend((0..group.quorum).map(|_| members.clone()));
    }
    fn place(
        slots: &[Vec<crate::identity::Id>],
        used: &mut Vec<crate::identity::Id>,
        free: &BTreeSet<&crate::identity::Id>,
    ) -> bool {
        let Some((first, rest)) = slots.split_first() else {
            return true;
        };
        first.iter().any(|person| {
            if used.contains(person) || !free.contains(person) {
                return false;
            }
            used.push(*person);
            let found = place(rest, used, free);
            used.pop();
            found
        })
    }
    place(&slots, &mut Vec::new(), approving)
}
