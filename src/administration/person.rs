//! People: made, told, renamed, suspended, resumed, reset, unlocked, deleted (family 02).

use super::desk;
use super::group::bearable;
use super::hardware::{self, Claim, Hardware};
use super::lockout::Lockout;
use super::password::{self, Hashing, INITIAL_LIFETIME_MS, history};
use super::people::{
    alarm, asker, check_name, everybody, id_of, is_of_domain, keep, keep_and_end, load, named, target, told,
};
use super::possession::Registry;
use super::{management, management_change};
use crate::audit::alarm::Event;
use crate::authority::quorum::Member;
use crate::authority::{Granted, Target, electorate};
use crate::custody::Sharing;
use crate::failure::{Failure, Fault};
use crate::heavy::Account;
use crate::identity::{Id, PasswordRecord, PersonId, PersonKey, PersonRecord, person_counter};
use crate::operations::keeper::Keeper;
use crate::operations::{Context, Handle};
use crate::store::{Domain, Key, Work};
use certs::CertificateFacts;
use kmip_protocol::{
    NewPerson, PersonCreateRequest, PersonCreateResponse, PersonDeleteRequest, PersonDeleteResponse, PersonGetRequest,
    PersonGetResponse, PersonListRequest, PersonListResponse, PersonModifyRequest, PersonModifyResponse,
    PersonResetRequest, PersonResetResponse, PersonResumeRequest, PersonResumeResponse, PersonRole, PersonStatus,
    PersonSuspendRequest, PersonSuspendResponse, PersonUnlockRequest, PersonUnlockResponse,
};
use std::sync::Arc;

/// People told in one answer.
const MOST_TOLD: usize = 1_000;
/// Administrators and operators that are never gone below where no policy says how many there must be.
const FEWEST: usize = 2;

/// Since when a new person counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Membership {
    /// From the beginning: people of genesis, and those that a tenant is made with.
    Founding,
    /// Once it has changed its initial password.
    Joining,
}

/// How a new person's key stands.
pub(super) struct KeyStanding {
    /// Whether it counts as one in hardware.
    pub(super) hardware: Hardware,
    /// Whether its holder has proven it.
    pub(super) proven: bool,
}

/// A person as it is invited: its role is one of its domain, its name can be shown, its certificate can be read. Its password is
/// single-use.
pub(super) async fn invite(
    with: impl Into<Hashing<'_>>,
    domain: Domain,
    new: &NewPerson,
    key: KeyStanding,
    membership: Membership,
    created_by: Option<Id>,
    now_ms: i64,
) -> Result<(PersonId, PersonRecord), Failure> {
    check_name(&new.person_name)?;
    if !is_of_domain(new.person_role, domain) {
        return Err(Fault::PersonRoleRefused.into());
    }
    let facts = CertificateFacts::read(&new.certificate).map_err(|e| Failure::detailed(Fault::InvalidField, e))?;
    password::check(new.initial_password.expose(), &new.person_name)?;
    let with = with.into();
    let id = PersonId {
        domain,
        person: with.randomness.array()?,
    };
    let account = Account {
        domain: domain.0,
        member: created_by.unwrap_or_default(),
    };
    let record = PersonRecord {
        name: new.person_name.clone(),
        role: new.person_role,
        status: PersonStatus::Invited,
        created_ms: now_ms,
        member_since_ms: match membership {
            Membership::Founding => 0,
            Membership::Joining => now_ms,
        },
        created_by,
        credentials: vec![PersonKey {
            fingerprint: facts.key_fingerprint,
            certificate: new.certificate.clone(),
            hardware: key.hardware.counts,
            attested_by: key.hardware.attested_by,
            proven: key.proven,
            enrolled_ms: now_ms,
            revoked_ms: None,
        }],
        password: Some(initial(with, account, &new.initial_password, Vec::new(), now_ms).await?),
        one_time: None,
    };
    Ok((id, record))
}

/// Whether the key that somebody begins with counts as one in hardware.
pub(super) async fn hardware_of(
    context: &mut Context<'_>,
    domain: Domain,
    new: &NewPerson,
) -> Result<Hardware, Failure> {
    let claim = Claim {
        certificate: &new.certificate,
        attestation: &new.attestation,
        declared: new.hardware,
    };
    hardware::judge(context, domain, &claim).await
}

/// An initial password as it is kept.
async fn initial(
    with: impl Into<Hashing<'_>>,
    account: Account,
    given: &kmip_protocol::SecretText,
    history: Vec<String>,
    now_ms: i64,
) -> Result<PasswordRecord, Failure> {
    Ok(PasswordRecord {
        hash: password::hash(with, account, given).await?,
        initial: true,
        expires_ms: Some(now_ms.saturating_add(INITIAL_LIFETIME_MS)),
        history,
    })
}

/// Forgets failed logins and the use of an initial password.
fn clear_counters(work: &mut Work, key: Key) {
    Lockout::clear(key, work);
    work.remove_counter(key, person_counter::INITIAL_LOGINS);
}

/// Refuses what would leave too few of those who manage a domain, or a rule of its policy without the people that it needs. Only who
/// is active counts, before and after.
async fn check_enough_left(context: &mut Context<'_>, leaving: PersonId, record: &PersonRecord) -> Result<(), Failure> {
    if record.status != PersonStatus::Active {
        return Ok(());
    }
    let keeper = Keeper(Arc::clone(&context.services.custody));
    let people = electorate(leaving.domain, context.work, &keeper).await?;
    let after = people.without(&leaving.person);
    if bearable(leaving.domain, &after, context).await? {
        return Ok(());
    }
    let manages = matches!(record.role, PersonRole::Administrator | PersonRole::Operator);
    let counts = |other: &&Member| other.active && other.role == record.role && !other.keys.is_empty();
    if manages && after.members.iter().filter(counts).count() < FEWEST {
        return Err(Fault::TooFewLeft.into());
    }
    Ok(())
}

impl Handle for PersonCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonCreateResponse, Failure> {
        let by = asker(context)?;
        let (now, joining) = (context.now.0, Membership::Joining);
        let key = KeyStanding {
            hardware: hardware_of(context, by.domain, &self.person).await?,
            proven: Registry::of(context, by.domain).await?.judge_person(&self.person)?,
        };
        let (new, creator) = (&self.person, Some(by.person));
        let made = invite(context.services, by.domain, new, key, joining, creator, now);
        let (id, record) = made.await?;
        keep(context, id, &record).await?;
        Ok(PersonCreateResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let by = asker(context)?;
        check_name(&self.person.person_name)?;
        if !is_of_domain(self.person.person_role, by.domain) {
            return Err(Fault::PersonRoleRefused.into());
        }
        // Nobody need agree to what would not be done.
        Registry::of(context, by.domain).await?.judge_person(&self.person)?;
        let hardware = hardware_of(context, by.domain, &self.person).await?;
        Ok(hardware.tell(Target {
            description: Some(format!(
                "person {} ({})",
                self.person.person_name, self.person.person_role
            )),
            roles: vec![self.person.person_role],
            ..Target::default()
        }))
    }
}

impl Handle for PersonGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonGetResponse, Failure> {
        let asker = asker(context)?;
        let own = id_of(&asker);
        let (id, record) = match &self.person_name {
            Some(name) if *name != asker.name => {
                // A custodian knows itself.
                if asker.role == PersonRole::Custodian {
                    return Err(Fault::PermissionDenied.into());
                }
                named(context, name).await?
            }
            _ => {
                let record = load(context, own).await?;
                (own, record.ok_or(Failure::new(Fault::PersonNotFound))?)
            }
        };
        let person = told(context, id, &record).await?;
        Ok(PersonGetResponse { person })
    }
}

impl Handle for PersonListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonListResponse, Failure> {
        let offset = desk::count(self.offset_items, 0)?;
        let most = desk::count(self.maximum_items, MOST_TOLD)?.min(MOST_TOLD);
        let mut persons = Vec::new();
        for (id, record) in everybody(context).await?.iter().skip(offset).take(most) {
            persons.push(told(context, *id, record).await?);
        }
        Ok(PersonListResponse { persons })
    }
}

impl Handle for PersonModifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonModifyResponse, Failure> {
        check_name(&self.new_name)?;
        let id = id_of(asker(context)?.as_ref());
        let record = load(context, id).await?;
        let mut record = record.ok_or(Failure::new(Fault::PersonNotFound))?;
        record.name.clone_from(&self.new_name);
        keep(context, id, &record).await?;
        Ok(PersonModifyResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        super::people::target_self(context).await
    }
}

impl Handle for PersonSuspendRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonSuspendResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        record.status = PersonStatus::Suspended;
        keep_and_end(context, id, &record).await?;
        context.services.custody.openings().forget_person(id.domain, &id.person);
        alarm(context, Event::PersonSuspended, id, &record);
        management_change::mourn(context, id.domain).await?;
        Ok(PersonSuspendResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}

impl Handle for PersonResumeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonResumeResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        if record.status != PersonStatus::Suspended {
            return Err(Fault::PersonState.into());
        }
        // Whoever never changed its first password is as it was: invited.
        let joined = record
            .password
            .as_ref()
            .is_some_and(|p| !p.initial || !p.history.is_empty());
        record.status = if joined {
            PersonStatus::Active
        } else {
            PersonStatus::Invited
        };
        keep(context, id, &record).await?;
        Ok(PersonResumeResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}

impl Handle for PersonResetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonResetResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        if id == id_of(asker(context)?.as_ref()) {
            return Err(Fault::NotByOneself.into());
        }
        password::check(self.initial_password.expose(), &record.name)?;
        let former = history(record.password.take());
        record.password = Some(
            initial(
                context.services,
                context.principal.into(),
                &self.initial_password,
                former,
                context.now.0,
            )
            .await?,
        );
        record.one_time = None;
        clear_counters(context.work, id.key());
        keep_and_end(context, id, &record).await?;
        alarm(context, Event::PasswordReset, id, &record);
        Ok(PersonResetResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}

impl Handle for PersonDeleteRequest {
    async fn handle(
        &self,
        granted: &Granted<Self>,
        context: &mut Context<'_>,
    ) -> Result<PersonDeleteResponse, Failure> {
        let (id, mut record) = named(context, &self.person_name).await?;
        check_enough_left(context, id, &record).await?;
        let now = context.now.0;
        record.status = PersonStatus::Deleted;
        record.password = None;
        record.one_time = None;
        for key in &mut record.credentials {
            key.revoked_ms.get_or_insert(now);
        }
        clear_counters(context.work, id.key());
        keep_and_end(context, id, &record).await?;
        management_change::follow(context, granted.origin()).await?;
        Ok(PersonDeleteResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let target = target(context, &self.person_name).await?;
        let (id, _) = named(context, &self.person_name).await?;
        let holds = |sharing: &Sharing| !sharing.slots(&id.person).is_empty();
        let without = |ground: management::Ground| ground.without(&id.person);
        let affected = management_change::affected(context, id.domain, holds, without).await?;
        Ok(affected.in_target(target))
    }
}

impl Handle for PersonUnlockRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PersonUnlockResponse, Failure> {
        let (id, _) = named(context, &self.person_name).await?;
        if id == id_of(asker(context)?.as_ref()) {
            return Err(Fault::NotByOneself.into());
        }
        Lockout::clear(id.key(), context.work);
        Ok(PersonUnlockResponse::default())
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.person_name).await
    }
}
