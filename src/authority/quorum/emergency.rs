//! Ways out for emergencies: an alternative that its rule marks by the alarm that it raises, beside ordinary ones. It wants more people
//! than those, a delay and a reason; it is used once, and again only when somebody who took no part has looked at that.

use super::people::Electorate;
use crate::identity::Id;
use kmip_protocol::{Rule, RuleAlternative};

/// How long after its use somebody has to look at it, in milliseconds.
pub const FOLLOW_UP_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The alternatives of a rule that are not marked.
pub fn ordinary(rule: &Rule) -> impl Iterator<Item = &RuleAlternative> {
    rule.alternatives.iter().filter(|way| way.severity.is_none())
}

/// Whether an alternative of a rule is one for emergencies. Where all are marked, none is: that rule is one that alarms.
#[must_use]
pub fn is_emergency(rule: &Rule, way: &RuleAlternative) -> bool {
    way.severity.is_some() && ordinary(rule).next().is_some()
}

/// Whether the alternatives for emergencies of a rule want more than each ordinary one: more people, a delay, and a reason.
#[must_use]
pub fn is_harder(rule: &Rule) -> bool {
    let people = |way: &RuleAlternative| way.groups.iter().map(|group| i64::from(group.quorum)).sum::<i64>();
    let most = ordinary(rule).map(people).max().unwrap_or(0);
    let mut ways = rule.alternatives.iter().filter(|way| is_emergency(rule, way));
    ways.all(|way| rule.reason_required && way.timelock.0 > 0 && people(way) > most)
}

/// Whether somebody may look at how a rule's alternative for emergencies was used: who is active, has a part in the rule, and took none in
/// its use.
#[must_use]
pub fn may_follow_up(rule: &Rule, electorate: &Electorate, person: &Id, took_part: &[Id]) -> bool {
    let mut groups = rule.alternatives.iter().flat_map(|way| &way.groups);
    !took_part.contains(person)
        && groups.any(|group| {
            let members = electorate.group(&group.group_name).into_iter();
            members
                .into_iter()
                .any(|(member, _)| member.person == *person && member.active)
        })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{about, id, operators, rule, way, yes};
    use super::super::{ADMINISTRATORS, OPERATORS, tally};
    use super::*;
    use kmip_protocol::{Interval, Severity};

    /// Two operators, or in an emergency three after an hour.
    fn glass() -> Rule {
        let mut out = way(&[(OPERATORS, 3)]);
        out.severity = Some(Severity::Critical);
        out.timelock = Interval(3_600);
        let mut rule = rule(&[way(&[(OPERATORS, 2)]), out]);
        rule.reason_required = true;
        rule
    }

    #[test]
    fn only_a_marked_way_beside_ordinary_ones_is_for_emergencies() {
        let mut rule = glass();
        assert!(!is_emergency(&rule, &rule.alternatives[0]) && is_emergency(&rule, &rule.alternatives[1]));
        rule.alternatives.remove(0);
        assert!(!is_emergency(&rule, &rule.alternatives[0]));
        assert!(is_harder(&rule), "a rule that only alarms is none of this");
    }

    #[test]
    fn a_way_for_emergencies_wants_more_people_a_delay_and_a_reason() {
        assert!(is_harder(&glass()));
        let changes: [fn(&mut Rule); 4] = [
            |rule| rule.reason_required = false,
            |rule| rule.alternatives[1].timelock = Interval(0),
            |rule| rule.alternatives[1].groups[0].quorum = 2,
            |rule| rule.alternatives[0].groups[0].quorum = 3,
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut rule = glass();
            change(&mut rule);
            assert!(!is_harder(&rule), "change {place}");
        }
    }

    #[test]
    fn what_was_used_counts_no_more_until_it_was_looked_at() {
        let mut rule = glass();
        // Nobody can go the ordinary way.
        rule.alternatives[0].groups[0].group_name = ADMINISTRATORS.into();
        let ballots = [yes(1), yes(2), yes(3)];
        let mut people = operators(4);
        let count = |people: &Electorate| tally(&[rule.clone()], people, &ballots, &about());
        assert_eq!(count(&people).rules[0].satisfied, [1]);
        people.spent = vec!["another rule".into()];
        assert_eq!(count(&people).rules[0].satisfied, [1]);
        people.spent = vec![rule.rule_name.clone()];
        let counted = count(&people);
        assert!(counted.rules[0].satisfied.is_empty() && !counted.is_reachable());
        assert!(
            !counted.is_eligible(&id(1)),
            "nobody has a vote by a way that is closed"
        );
    }

    #[test]
    fn whoever_took_no_part_looks_at_it() {
        let (rule, mut people) = (glass(), operators(4));
        let part = [id(1), id(2), id(3)];
        let may = |people: &Electorate, number| may_follow_up(&rule, people, &id(number), &part);
        assert!(may(&people, 4) && !may(&people, 1) && !may(&people, 5));
        people.members[3].active = false;
        assert!(!may(&people, 4));
    }
}
