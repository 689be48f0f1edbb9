//! Groups of a domain's people.

use super::management_change;
use super::policy::{policy_refused, scope};
use super::proposal::{keeper, person};
use crate::authority::quorum::{Electorate, Group, GroupMember, check_policy, counting, is_role_group};
use crate::authority::{Granted, Target, electorate};
use crate::custody::Sharing;
use crate::failure::{Failure, Fault};
use crate::identity::name::is_name;
use crate::identity::{Id, PersonId, people_guard};
use crate::operations::proposed::register;
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    GroupDeleteRequest, GroupDeleteResponse, GroupListRequest, GroupListResponse, GroupPutRequest, GroupPutResponse,
};

/// People of a group.
const MOST_MEMBERS: usize = 64;
/// Groups of a domain.
const MOST_GROUPS: usize = 64;

impl Handle for GroupListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<GroupListResponse, Failure> {
        let domain = person(context)?.domain;
        let keeper = keeper(context);
        let people = electorate(domain, context.work, &keeper).await?;
        let mut groups: Vec<_> = people.groups.iter().map(|group| told(group, &people)).collect();
        groups.sort_by(|a, b| a.group_name.cmp(&b.group_name));
        Ok(GroupListResponse { groups })
    }
}

fn told(group: &Group, people: &Electorate) -> kmip_protocol::Group {
    let name = |member: &GroupMember| people.member(&member.person).map(|member| member.name.clone());
    kmip_protocol::Group {
        group_name: group.name.clone(),
        persons: group.members.iter().filter_map(name).collect(),
    }
}

/// Refuses what would leave the policy in force, or a rule of it, without the people that it needs. Whether there is a policy.
pub(super) async fn bearable(domain: Domain, after: &Electorate, context: &mut Context<'_>) -> Result<bool, Failure> {
    let keeper = keeper(context);
    let services = context.services;
    let register = register(services, &keeper);
    let Some(policy) = register.policy(domain, context.work).await? else {
        return Ok(false);
    };
    let judged = check_policy(&policy.record.policy, after, scope(domain));
    judged.map(|_| true).map_err(|fault| policy_refused(&fault))
}

/// What a change of a group acts upon: the group, those who are to be in it, and, where a rule counts the group's votes, whoever comes or
/// goes: he has no vote about it. People are named by names, which their holders may change: bound to their records, it is they who are
/// meant. What cannot be done is refused before anybody is asked to agree to it.
async fn target(
    context: &mut Context<'_>,
    name: &str,
    after: impl FnOnce(&Electorate) -> Result<Vec<GroupMember>, Failure> + Send,
) -> Result<Target, Failure> {
    let domain = person(context)?.domain;
    let keeper = keeper(context);
    let people = electorate(domain, context.work, &keeper).await?;
    let members = after(&people)?;
    let after: Vec<Id> = members.iter().map(|member| member.person).collect();
    let before = people.groups.iter().find(|group| group.name == *name);
    let before: Vec<Id> = before
        .iter()
        .flat_map(|group| &group.members)
        .map(|m| m.person)
        .collect();
    let services = context.services;
    let policy = register(services, &keeper).policy(domain, context.work).await?;
    let counts = policy.is_some_and(|policy| !counting(&policy.record.policy, name).is_empty());
    let comes = after.iter().filter(|one| !before.contains(one));
    let goes = before.iter().filter(|one| !after.contains(one));
    let subjects = comes.chain(goes).filter(|_| counts).copied().collect();
    let records = after.iter().map(|person| {
        PersonId {
            domain,
            person: *person,
        }
        .key()
    });
    let target = Target {
        description: Some(format!("group {name}")),
        records: core::iter::once(Group::key(domain, name)).chain(records).collect(),
        subjects,
        ..Target::default()
    };
    // No group is without anybody: it would be one that is deleted.
    let group = (!members.is_empty()).then(|| Group {
        name: name.to_owned(),
        members,
    });
    let counts = |sharing: &Sharing| sharing.groups().any(|(_, group)| group.name == name);
    let affected =
        management_change::affected(context, domain, counts, |ground| ground.with_group(name, group)).await?;
    Ok(affected.in_target(target))
}

/// Who is in a group as it is to be.
fn members(group: &kmip_protocol::Group, people: &Electorate, now_ms: i64) -> Result<Vec<GroupMember>, Failure> {
    let kmip_protocol::Group { group_name, persons } = group;
    if !is_name(group_name) || is_role_group(group_name) || persons.len() > MOST_MEMBERS {
        return Err(Fault::InvalidField.into());
    }
    let before = people.groups.iter().find(|group| group.name == *group_name);
    if before.is_none() && people.groups.len() >= MOST_GROUPS {
        return Err(Fault::LimitExceeded.into());
    }
    let mut members: Vec<GroupMember> = Vec::with_capacity(persons.len());
    for name in persons {
        let found = people.members.iter().find(|member| member.name == *name);
        let member = found.ok_or(Failure::new(Fault::PersonNotFound))?;
        if members.iter().any(|other| other.person == member.person) {
            return Err(Fault::InvalidField.into());
        }
        // Who was in it stays in it since then; who comes new must be seasoned there first.
        let since = before.and_then(|group| group.members.iter().find(|other| other.person == member.person));
        members.push(since.copied().unwrap_or(GroupMember {
            person: member.person,
            since_ms: now_ms,
        }));
    }
    Ok(members)
}

/// Refuses to change a group that there is not; those that roles make are none that anybody has made.
fn exists(name: &str, people: &Electorate) -> Result<(), Failure> {
    let found = people.groups.iter().any(|group| group.name == name);
    found.then_some(()).ok_or(Failure::new(Fault::GroupNotFound))
}

impl Handle for GroupPutRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<GroupPutResponse, Failure> {
        let domain = person(context)?.domain;
        let group_name = &self.group.group_name;
        let keeper = keeper(context);
        let people = electorate(domain, context.work, &keeper).await?;
        let group = Group {
            name: group_name.clone(),
            members: members(&self.group, &people, context.now.0)?,
        };
        bearable(domain, &people.with_group(group.clone()), context).await?;
        let key = Group::key(domain, group_name);
        context.work.load(key).await?;
        let revision = context.work.next_revision(key);
        let (body, _) = records::close(&context.services.custody, key, revision, group.encode())?;
        context.work.put(key, body, Vec::new());
        context.work.bump_guard(people_guard(domain));
        context.touch(group_name.clone(), key)?;
        management_change::follow(context, granted.origin()).await?;
        Ok(GroupPutResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let now_ms = context.now.0;
        target(context, &self.group.group_name, |people| {
            members(&self.group, people, now_ms)
        })
        .await
    }
}

impl Handle for GroupDeleteRequest {
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<GroupDeleteResponse, Failure> {
        let domain = person(context)?.domain;
        let keeper = keeper(context);
        let people = electorate(domain, context.work, &keeper).await?;
        exists(&self.group_name, &people)?;
        bearable(domain, &people.without_group(&self.group_name), context).await?;
        let key = Group::key(domain, &self.group_name);
        context.work.delete(key).await?;
        context.work.bump_guard(people_guard(domain));
        context.touch(self.group_name.clone(), key)?;
        management_change::follow(context, granted.origin()).await?;
        Ok(GroupDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.group_name, |people| {
            exists(&self.group_name, people).map(|()| Vec::new())
        })
        .await
    }
}
