//! Who there is to agree: the people of a domain and its groups, as they are at one moment.

use crate::identity::Id;
use kmip_protocol::PersonRole;
use std::collections::BTreeSet;

/// A person, as far as votes are concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Which person.
    pub person: Id,
    /// Its name in its domain.
    pub name: String,
    /// Its one role.
    pub role: PersonRole,
    /// Whether it may act now. Who may not does not count.
    pub active: bool,
    /// Since when it is a member of its domain and role, in milliseconds since 1970. 0: seasoned from the beginning.
    pub member_since_ms: i64,
    /// Its keys that are not revoked.
    pub keys: Vec<MemberKey>,
}

/// A key of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemberKey {
    /// SHA-256 of the key (SubjectPublicKeyInfo).
    pub fingerprint: [u8; 32],
    /// Whether it counts as one in hardware.
    pub hardware: bool,
    /// The end of its certificate's validity, in milliseconds since 1970.
    pub not_after_ms: i64,
}

/// A named group of a domain's people, beside those that their roles make.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Who belongs to it.
    pub members: Vec<GroupMember>,
}

/// A person in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupMember {
    /// Which person.
    pub person: Id,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// Groups that roles make: nobody puts or deletes them.
const ROLE_GROUPS: &[(&str, &[PersonRole])] = &[
    (ADMINISTRATORS, &[PersonRole::Administrator]),
    (OPERATORS, &[PersonRole::Operator]),
    (AUDITORS, &[PersonRole::Auditor, PersonRole::SystemAuditor]),
    (CUSTODIANS, &[PersonRole::Custodian]),
];

/// Everybody who is an administrator.
pub const ADMINISTRATORS: &str = "administrators";
/// Everybody who is an operator.
pub const OPERATORS: &str = "operators";
/// Everybody who is an auditor.
pub const AUDITORS: &str = "auditors";
/// Everybody who is a custodian.
pub const CUSTODIANS: &str = "custodians";

/// Whether a group of this name is made by a role.
#[must_use]
pub fn is_role_group(name: &str) -> bool {
    ROLE_GROUPS.iter().any(|(group, _)| *group == name)
}

/// The people of a domain and its groups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Electorate {
    /// Everybody, once each.
    pub members: Vec<Member>,
    /// The groups that the domain has made.
    pub groups: Vec<Group>,
    /// The rules whose alternatives for emergencies were used, and nobody has looked at that yet: those count for nothing.
    pub spent: Vec<String>,
}

impl Electorate {
    /// A person.
    #[must_use]
    pub fn member(&self, person: &Id) -> Option<&Member> {
        self.members.iter().find(|member| member.person == *person)
    }

    /// Whether there is a group of this name.
    #[must_use]
    pub fn has_group(&self, name: &str) -> bool {
        is_role_group(name) || self.groups.iter().any(|group| group.name == name)
    }

    /// Who belongs to a group, with the time since when he counts as belonging to it. Nobody, if there is no such group.
    #[must_use]
    pub fn group(&self, name: &str) -> Vec<(&Member, i64)> {
        if let Some((_, roles)) = ROLE_GROUPS.iter().find(|(group, _)| *group == name) {
            let of_role = self.members.iter().filter(|member| roles.contains(&member.role));
            return of_role.map(|member| (member, member.member_since_ms)).collect();
        }
        let Some(group) = self.groups.iter().find(|group| group.name == name) else {
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for belonging in &group.members {
            // Named twice is there once.
            if let Some(member) = self.member(&belonging.person).filter(|m| seen.insert(m.person)) {
                found.push((member, belonging.since_ms.max(member.member_since_ms)));
            }
        }
        found
    }

    /// The same without a person: what a deletion or a suspension would leave.
    #[must_use]
    pub fn without(&self, person: &Id) -> Self {
        let mut rest = self.clone();
        rest.members.retain(|member| member.person != *person);
        rest
    }

    /// The same with a group as it would be.
    #[must_use]
    pub fn with_group(&self, group: Group) -> Self {
        let mut rest = self.without_group(&group.name);
        rest.groups.push(group);
        rest
    }

    /// The same without a group.
    #[must_use]
    pub fn without_group(&self, name: &str) -> Self {
        let mut rest = self.clone();
        rest.groups.retain(|group| group.name != name);
        rest
    }
}
