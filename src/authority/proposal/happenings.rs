//! The life of proposals: what must hold whatever happens.

use super::tests::{POLICY, locked, opened, situation, vote};
use super::*;
use crate::authority::quorum::samples::*;
use kmip_protocol::{Veto, VoteDecision};
use proptest::prelude::*;

/// Something that happens to a proposal.
#[derive(Clone, Debug)]
enum Happening {
    Vote(u8, bool),
    WithdrawVote(u8),
    Veto(u8),
    Withdraw,
    Complete(u8),
    Claim(bool),
    Finish(bool),
    Refresh,
    Lose(u8),
    Regain(u8),
    NewPolicy,
    Pass(i64),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let person = 1..=5_u8;
    let one = prop_oneof![
        6 => (person.clone(), prop::bool::weighted(0.85)).prop_map(|(p, yes)| Happening::Vote(p, yes)),
        2 => person.clone().prop_map(Happening::WithdrawVote),
        1 => person.clone().prop_map(Happening::Veto),
        1 => Just(Happening::Withdraw),
        2 => person.clone().prop_map(Happening::Complete),
        4 => any::<bool>().prop_map(Happening::Claim),
        3 => any::<bool>().prop_map(Happening::Finish),
        2 => Just(Happening::Refresh),
        2 => person.clone().prop_map(Happening::Lose),
        2 => person.prop_map(Happening::Regain),
        1 => Just(Happening::NewPolicy),
        3 => (-7_200_000..40_000_000_i64).prop_map(Happening::Pass),
    ];
    proptest::collection::vec(one, 1..60)
}

proptest! {
    #[test]
    fn terminal_states_never_change_and_nothing_runs_twice(
        happenings in happenings(), completion in 1..=3_u32, timelock in prop_oneof![Just(0), Just(3600_u32)],
    ) {
        let mut rules = locked(timelock);
        rules[0].completion = Completion(completion);
        rules[0].veto = if timelock == 0 { Veto::Unreachable } else { Veto::Any };
        let mut people = operators(5);
        let mut record = opened(rules, &people, &[]);
        let (mut now_ms, mut policy) = (SUBMITTED, POLICY);
        let (mut begun, mut done) = (0, 0);
        for happening in happenings {
            let before = record.clone();
            let now = Situation { policy_digest: policy, ..situation(&people, now_ms) };
            // As handlers do: what fails is not kept.
            let mut tried = record.clone();
            let kept = match happening {
                Happening::Vote(p, yes) => {
                    let decision = if yes { VoteDecision::Approve } else { VoteDecision::Reject };
                    tried.vote(vote(p, decision), &now).is_ok()
                }
                Happening::WithdrawVote(p) => tried.withdraw_vote(&id(p), &now).is_ok(),
                Happening::Veto(p) => tried.veto(&id(p), "x", None, &now).is_ok(),
                Happening::Withdraw => tried.withdraw(&now).is_ok(),
                Happening::Complete(p) => tried.complete(&id(p), "x", &now).is_ok(),
                Happening::Claim(server) => {
                    let by = if server { Claimant::Server } else { Claimant::Requester };
                    let claimed = tried.claim(by, &now).is_ok();
                    if claimed {
                        begun += 1;
                        // Never without the people: two who are there now, and whose votes stand.
                        let standing = tried.tally(&people, now_ms);
                        prop_assert!(standing.is_satisfied());
                        prop_assert!(policy == POLICY);
                    }
                    claimed
                }
                Happening::Finish(well) => {
                    let outcome = if well {
                        Outcome::Executed
                    } else {
                        Outcome::Failed(ResultReason::GeneralFailure, "x".into())
                    };
                    let finished = tried.finish(outcome, now_ms).is_ok();
                    done += u32::from(finished);
                    finished
                }
                Happening::Refresh => { tried.refresh(&now); true }
                Happening::Lose(p) => { people.members[usize::from(p) - 1].active = false; false }
                Happening::Regain(p) => { people.members[usize::from(p) - 1].active = true; false }
                Happening::NewPolicy => { policy = [6; 32]; false }
                Happening::Pass(ms) => { now_ms += ms; false }
            };
            if kept {
                record = tried;
            }
            if !before.is_live() {
                prop_assert_eq!(&record, &before);
            }
            prop_assert!(begun <= 1 && done <= begun);
            prop_assert!(record.events().windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
            prop_assert_eq!(record.events().last().map(|event| event.state), Some(record.state()));
            prop_assert!(record.ballots().len() >= before.ballots().len());
            prop_assert_eq!(&ProposalRecord::decode(&record.encode()).unwrap(), &record);
        }
    }
}
