//! The quorum: which rules govern a request, who may agree to it, and whether enough have. Pure: no store, no clock; what is decided
//! here is decided again by anybody who has the same rules, people and ballots.

mod check;
mod emergency;
mod matching;
mod people;
mod rules;
pub mod statement;
mod tally;
mod template;
mod weakening;

#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod document_tests;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod statement_tests;
#[cfg(test)]
mod tally_tests;

pub use check::{PolicyFault, Reach, check_policy, is_within_reach, reach};
pub use emergency::{FOLLOW_UP_MS, may_follow_up, ordinary};
pub use people::{
    ADMINISTRATORS, AUDITORS, CUSTODIANS, Electorate, Group, GroupMember, Member, MemberKey, OPERATORS, is_role_group,
};
pub use rules::{counting, governing, governing_request, is_like, is_never_governed, is_relabelling, may_govern, uses};
pub use tally::{About, Ballot, RuleTally, Tally, tally};
pub use template::{Scope, template};
pub use weakening::weakened;
