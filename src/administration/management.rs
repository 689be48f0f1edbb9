//! The key-management credential of an HSM-Profile: shared among those who decide about KEKs, opened by what their votes carry, passed on
//! by whoever makes or destroys keys in the HSM for as long as that takes.

use super::{desk, hsm_profile};
use crate::authority::policy::PolicyRecord;
use crate::authority::quorum::{Electorate, Group, governing};
use crate::authority::{Origin, Target, electorate};
use crate::custody::probe::Separation;
use crate::custody::sharing::{EnrolledKey, PlannedGroup, Recipient, SHARE_KEY, SHARING, ShareKey};
use crate::custody::{
    Binding, Capabilities, Custody, CustodyError, Locked, Plan, ProfileId, ProfileRecord, SealerKind, Sharing,
};
use crate::failure::{Failure, Fault};
use crate::identity::Id;
use crate::operations::keeper::Keeper;
use crate::operations::{Context, Notice, shares};
use crate::records;
use crate::store::{Domain, Key, Work};
use kmip_protocol::{Operation, Policy, Rule, RuleGroup};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The key-management credential of a profile, as the votes on what is carried out have opened it; `None` where the profile keeps none of
/// its own: its token has one user for both roles, and its key-usage credential is used.
///
/// # Errors
/// [`Fault::AwaitingShares`] if what was opened is gone; [`Fault::ManagementNotShared`].
pub(super) async fn login(
    context: &mut Context<'_>,
    origin: Origin,
    profile: ProfileId,
) -> Result<Option<Locked>, Failure> {
    let domain = desk::domain(context)?;
    match shared(context, domain, profile).await? {
        Some(sharing) => opened(context, origin, &sharing).map(Some),
        None => Ok(None),
    }
}

/// The credential, as what was opened for this proposal gives it.
pub(super) fn opened(context: &Context<'_>, origin: Origin, sharing: &Sharing) -> Result<Locked, Failure> {
    let Origin::Proposal(proposal) = origin else {
        return Err(Fault::ApprovalRequired.into());
    };
    let occasion = shares::occasion(context, &proposal)?;
    let opened = context.services.custody.open_for(&occasion, sharing);
    opened.map_err(|error| match error {
        CustodyError::Unavailable => Failure::new(Fault::AwaitingShares),
        other => other.into(),
    })
}

/// What is told when the HSM refuses. With the credential of votes that is for ever: it is not tried again until it locks.
pub(super) fn refusal(login: Option<&Locked>) -> impl Fn(CustodyError) -> Failure {
    let by_votes = login.is_some();
    move |error| match error {
        CustodyError::Credential if by_votes => Failure::detailed(Fault::ManagementRefused, error),
        other => other.into(),
    }
}

/// How a profile's credential is shared among the people of a domain; `None` if it has none.
async fn shared(context: &mut Context<'_>, domain: Domain, profile: ProfileId) -> Result<Option<Sharing>, Failure> {
    let own = shares::load(context, Sharing::key(domain, profile)).await?;
    if own.is_none() && domain != Domain::SYSTEM && has_credential(context, profile).await? {
        return Err(Fault::ManagementNotShared.into());
    }
    Ok(own)
}

/// Whether a profile has a key-management credential of its own: administrators have entered it.
pub(super) async fn has_credential(context: &mut Context<'_>, profile: ProfileId) -> Result<bool, Failure> {
    let key = Sharing::key(Domain::SYSTEM, profile);
    Ok(context.work.load(key).await?.is_some())
}

/// The name of a profile.
pub(super) async fn name(context: &mut Context<'_>, profile: ProfileId) -> Result<Option<String>, Failure> {
    let record = hsm_profile::load(context, profile).await?;
    Ok(record.map(|record| record.name))
}

/// What a request binds its proposal to that has keys made or destroyed in the HSM of a profile.
pub(super) async fn needed(context: &mut Context<'_>, domain: Domain, profile: ProfileId) -> Result<Vec<Key>, Failure> {
    let own = shared(context, domain, profile).await?;
    Ok(own.map(|_| Sharing::key(domain, profile)).into_iter().collect())
}

/// What those who agree must know of a profile in which one secret does both: their votes are all that stands before it.
pub(super) const NO_SEPARATION: &str = "no separation: quorum enforced by software only";

/// Whether making and destroying keys in a profile takes another login than using them, as far as this server knows: it has the credential
/// for the one, and its token was not found to let the other do both.
pub(super) async fn is_separated(
    context: &mut Context<'_>,
    profile: ProfileId,
    record: Option<&ProfileRecord>,
) -> Result<bool, Failure> {
    let found = record.and_then(ProfileRecord::found).map(|found| found.separation());
    Ok(found != Some(Separation::None) && has_credential(context, profile).await?)
}

/// Whether a profile is an HSM that is not known to keep the roles apart. Of key files other things are said.
pub(super) async fn lacks_separation(context: &mut Context<'_>, profile: ProfileId) -> Result<bool, Failure> {
    let provider = context.services.custody.provider(profile);
    let in_hsm = provider.is_ok_and(|provider| provider.kind() != SealerKind::Software);
    let record = hsm_profile::load(context, profile).await?;
    Ok(in_hsm && !is_separated(context, profile, record.as_ref()).await?)
}

/// Refuses a profile without separation where the policy of the domain requires it; else what its people are to be told.
pub(super) async fn judge_separation(
    context: &mut Context<'_>,
    domain: Domain,
    profile: ProfileId,
) -> Result<Option<&'static str>, Failure> {
    let policy = policy(context, domain).await?;
    let required = policy.and_then(|policy| policy.policy.separation_required);
    judge_required(context, profile, required == Some(true)).await
}

/// The same for a policy that is to be.
pub(super) async fn judge_required(
    context: &mut Context<'_>,
    profile: ProfileId,
    required: bool,
) -> Result<Option<&'static str>, Failure> {
    match lacks_separation(context, profile).await? {
        true if required => Err(Fault::SeparationRequired.into()),
        true => Ok(Some(NO_SEPARATION)),
        false => Ok(None),
    }
}

/// The policy of a domain, with this overlay's changes.
async fn policy(context: &mut Context<'_>, domain: Domain) -> Result<Option<PolicyRecord>, Failure> {
    desk::read(context, PolicyRecord::key(domain), PolicyRecord::decode).await
}

/// The rules of a policy that say who holds shares: those that govern making a KEK.
fn rules_of(policy: &Policy) -> Vec<Rule> {
    let rules = governing(policy, Operation::KekCreate, &Target::default());
    rules.into_iter().cloned().collect()
}

/// The people of a domain, their share keys, and the policy: all that a sharing follows from.
pub(super) struct Ground {
    people: Electorate,
    keys: BTreeMap<Id, ShareKey>,
    rules: Vec<Rule>,
    policy_digest: [u8; 32],
}

impl Ground {
    /// That of a domain, with this overlay's changes.
    pub(super) async fn of(context: &mut Context<'_>, domain: Domain) -> Result<Self, Failure> {
        let custody = Arc::clone(&context.services.custody);
        Self::read(&custody, context.work, domain).await
    }

    async fn read(custody: &Arc<Custody>, work: &mut Work, domain: Domain) -> Result<Self, Failure> {
        let people = electorate(domain, work, &Keeper(Arc::clone(custody))).await?;
        let mut keys = BTreeMap::new();
        for record in work.all(domain, SHARE_KEY).await? {
            let enrolled = EnrolledKey::decode(records::open(custody, &record)?)?;
            if enrolled.revoked_ms.is_none() && people.member(&record.key.id).is_some() {
                keys.insert(record.key.id, enrolled.key);
            }
        }
        let policy = match work.load(PolicyRecord::key(domain)).await? {
            Some(record) => Some(PolicyRecord::decode(records::open(custody, &record)?)?),
            None => None,
        };
        let policy_digest = policy.as_ref().map_or([0; 32], PolicyRecord::digest);
        let rules = policy.map(|record| record.policy).unwrap_or_default();
        Ok(Self {
            people,
            keys,
            rules: rules_of(&rules),
            policy_digest,
        })
    }

    /// The same without a person.
    pub(super) fn without(mut self, person: &Id) -> Self {
        self.people = self.people.without(person);
        self.keys.remove(person);
        self
    }

    /// The same with a group as it would be, or without it.
    pub(super) fn with_group(mut self, name: &str, group: Option<Group>) -> Self {
        self.people = match group {
            Some(group) => self.people.with_group(group),
            None => self.people.without_group(name),
        };
        self
    }

    /// The same with other rules.
    pub(super) fn with_policy(mut self, policy: &Policy) -> Self {
        self.rules = rules_of(policy);
        self
    }

    /// The same with a person's new share key.
    pub(super) fn with_key(mut self, person: Id, key: ShareKey) -> Self {
        self.keys.insert(person, key);
        self
    }

    /// Whether a credential that is shared so can be opened by those who may act.
    pub(super) fn is_enough(&self) -> bool {
        let opens = |member: &Recipient| self.people.member(&member.person).is_some_and(|member| member.active);
        let group = |group: &PlannedGroup| {
            group.members.iter().filter(|member| opens(member)).count() >= usize::from(group.quorum)
        };
        let plan = self.plan();
        let mut rules = plan.iter();
        !plan.is_empty() && rules.all(|ways| ways.iter().any(|way| !way.is_empty() && way.iter().all(group)))
    }

    /// Who would hold which share: by the rules that govern making a KEK, those of their groups who have a share key. A way for which too
    /// few have one opens nothing.
    pub(super) fn plan(&self) -> Plan {
        let can = |way: &Vec<PlannedGroup>| way.iter().all(|group| group.members.len() >= usize::from(group.quorum));
        let rules = self.rules.iter().map(|rule| {
            let ways = rule.alternatives.iter();
            ways.map(|way| self.groups(&way.groups)).filter(can).collect()
        });
        rules.collect()
    }

    /// Of these groups those who have a share key.
    pub(super) fn groups(&self, groups: &[RuleGroup]) -> Vec<PlannedGroup> {
        let member = |person: &Id| {
            let key = self.keys.get(person)?.clone();
            Some(Recipient { person: *person, key })
        };
        let group = |group: &RuleGroup| PlannedGroup {
            name: group.group_name.clone(),
            // A policy has no quorum that no group could have.
            quorum: u8::try_from(group.quorum).unwrap_or(u8::MAX),
            members: self
                .people
                .group(&group.group_name)
                .iter()
                .filter_map(|(one, _)| member(&one.person))
                .collect(),
        };
        groups.iter().map(group).collect()
    }

    /// Whether somebody can open a share of this key now.
    pub(super) fn can_open(&self, person: &Id, key_fingerprint: &[u8; 32]) -> bool {
        let active = self.people.member(person).is_some_and(|member| member.active);
        let key = self.keys.get(person).map(ShareKey::fingerprint);
        active && key.as_ref() == Some(key_fingerprint)
    }

    /// Whether those who can open a share are enough.
    pub(super) fn can_recover(&self, sharing: &Sharing) -> bool {
        sharing.is_sufficient(|_, share| self.can_open(&share.person, &share.key_fingerprint))
    }

    /// The name of somebody.
    pub(super) fn name(&self, person: &Id) -> Option<String> {
        self.people.member(person).map(|member| member.name.clone())
    }
}

/// All credentials that are shared among the people of a domain, of profiles that it may still use.
pub(super) async fn all(context: &mut Context<'_>, domain: Domain) -> Result<Vec<Sharing>, Failure> {
    let found = context.work.all(domain, SHARING).await?;
    let mut sharings = Vec::with_capacity(found.len());
    for record in &found {
        let sharing = Sharing::decode(records::open(&context.services.custody, record)?)?;
        if may_use(context, domain, sharing.binding.profile).await? {
            sharings.push(sharing);
        }
    }
    Ok(sharings)
}

/// Whether a tenant may use a profile; administrators, whether it is there.
async fn may_use(context: &mut Context<'_>, domain: Domain, profile: ProfileId) -> Result<bool, Failure> {
    match domain {
        Domain::SYSTEM => Ok(hsm_profile::load(context, profile).await?.is_some()),
        tenant => Ok(hsm_profile::links(context, tenant).await?.0.contains(&profile)),
    }
}

/// Shares a credential among those who decide about KEKs in a domain, in place of how it was shared there.
///
/// # Errors
/// [`Fault::ShareKeysMissing`] if the rule counts more votes than there are share keys.
pub(super) async fn seal(
    context: &mut Context<'_>,
    domain: Domain,
    profile: ProfileId,
    credential: &Locked,
) -> Result<(), Failure> {
    let ground = Ground::of(context, domain).await?;
    if !ground.is_enough() {
        return Err(Fault::ShareKeysMissing.into());
    }
    let key = Sharing::key(domain, profile);
    let before = shares::load(context, key).await?;
    let generation = before.map_or(0, |before| before.binding.generation).checked_add(1);
    let binding = Binding {
        instance: context.services.installation.instance,
        profile,
        scope: domain,
        generation: generation.ok_or(Failure::new(Fault::LimitExceeded))?,
        policy_digest: ground.policy_digest,
    };
    let custody = &context.services.custody;
    let shared = deal(custody, binding, &ground, credential, context.now.0)?;
    super::kek::put(custody, context.work, key, shared.encode()).await?;
    let record = hsm_profile::load(context, profile).await?;
    let mut record = record.ok_or(Failure::new(Fault::NotFound))?;
    if domain == Domain::SYSTEM {
        // That it has one is told of the profile, too; what it is recovered from lies with its holders.
        record.management = Some(binding.generation.to_be_bytes().to_vec());
        hsm_profile::put(&context.services.custody, context.work, profile, &record).await?;
    }
    desk::touch(context, "sharing of the credential of", &record.name, key)
}

/// Shares the credential that an installation begins with among its administrators, who have not shown themselves yet.
pub(super) async fn found(
    custody: &Arc<Custody>,
    work: &mut Work,
    instance: [u8; 16],
    profile: ProfileId,
    credential: &Locked,
    now_ms: i64,
) -> Result<(), Failure> {
    let ground = Ground::read(custody, work, Domain::SYSTEM).await?;
    let binding = Binding {
        instance,
        profile,
        scope: Domain::SYSTEM,
        generation: 1,
        policy_digest: ground.policy_digest,
    };
    let shared = deal(custody, binding, &ground, credential, now_ms)?;
    super::kek::put(custody, work, Sharing::key(Domain::SYSTEM, profile), shared.encode()).await?;
    Ok(())
}

fn deal(
    custody: &Custody,
    binding: Binding,
    ground: &Ground,
    credential: &Locked,
    now_ms: i64,
) -> Result<Sharing, Failure> {
    let shared = custody.share(binding, &ground.plan(), credential, now_ms);
    shared.map_err(|error| match error {
        CustodyError::Limit => Failure::detailed(Fault::ShareKeysMissing, error),
        other => other.into(),
    })
}

/// Refuses a token in which the user that uses keys makes and destroys them, too.
pub(super) fn ensure_separate(found: &Capabilities) -> Result<(), Failure> {
    match found.separation() {
        Separation::None => Err(Fault::NotSeparated.into()),
        Separation::ByToken | Separation::Unknown => Ok(()),
    }
}

/// Takes a credential that the HSM accepts, and shares it among the administrators. One that it refuses is not kept: nobody would notice
/// before a KEK is to be made. Nor is one where the token's other user does it all as well.
pub(super) async fn enter(context: &mut Context<'_>, profile: ProfileId, credential: &Locked) -> Result<(), Failure> {
    let provider = context.services.custody.provider(profile)?;
    if provider.kind() == SealerKind::Software {
        return Err(Fault::NoToken.into());
    }
    let found = provider.examine(Some(credential)).await.map_err(|error| match error {
        CustodyError::Credential => Failure::detailed(Fault::PinRefused, error),
        other => other.into(),
    })?;
    ensure_separate(&found)?;
    seal(context, Domain::SYSTEM, profile, credential).await?;
    let Some(mut record) = hsm_profile::load(context, profile)
        .await?
        .filter(|record| record.token.is_some())
    else {
        return Ok(());
    };
    record.capabilities = Some(found.encode()?);
    record.probed_ms = Some(context.now.0);
    hsm_profile::put(&context.services.custody, context.work, profile, &record).await?;
    // It wraps as it was found to be able to.
    context.batch.notices.push(Notice::Profile(profile));
    Ok(())
}

/// Shares a profile's credential among the people of a tenant, as the administrators' shares open it. Nothing where there is none.
pub(super) async fn grant(
    context: &mut Context<'_>,
    origin: Origin,
    tenant: Domain,
    profile: ProfileId,
) -> Result<(), Failure> {
    let Some(sharing) = shares::load(context, Sharing::key(Domain::SYSTEM, profile)).await? else {
        return Ok(());
    };
    if !may_use(context, tenant, profile).await? {
        return Err(Fault::NotFound.into());
    }
    let credential = opened(context, origin, &sharing)?;
    seal(context, tenant, profile, &credential).await
}
