//! What the handlers over people share: who asks, people by name, keeping a record with what it changes elsewhere.

use crate::audit::alarm::Event;
use crate::authority::Target;
use crate::failure::{Failure, Fault};
use crate::identity::name::is_name;
use crate::identity::{Enroll, EnrollError, IdentityChange, PersonId, PersonPrincipal, PersonRecord, Principal, kind};
use crate::identity::{TicketRecord, lockout_counter, people_guard, person_counter};
use crate::operations::keeper::Keeper;
use crate::operations::{Context, Notice};
use crate::records;
use crate::store::{Domain, Record};
use kmip_protocol::{DateTime, Person, PersonCredential, PersonRole, PersonStatus};
use std::sync::Arc;

/// The person that asks.
pub(super) fn asker(context: &Context<'_>) -> Result<Arc<PersonPrincipal>, Failure> {
    match context.principal {
        Principal::Person(person) => Ok(Arc::clone(person)),
        _ => Err(Fault::PermissionDenied.into()),
    }
}

/// The ids of the person that asks.
pub(super) const fn id_of(person: &PersonPrincipal) -> PersonId {
    PersonId {
        domain: person.domain,
        person: person.person,
    }
}

/// A person's record, with this overlay's changes.
pub(super) async fn load(context: &mut Context<'_>, id: PersonId) -> Result<Option<PersonRecord>, Failure> {
    let found = context.work.load(id.key()).await?;
    found.map(|record| read(context, &record)).transpose()
}

fn read(context: &Context<'_>, record: &Record) -> Result<PersonRecord, Failure> {
    Ok(PersonRecord::decode(records::open(&context.services.custody, record)?)?)
}

/// The person of this name in the asker's own domain.
pub(super) async fn named(context: &mut Context<'_>, name: &str) -> Result<(PersonId, PersonRecord), Failure> {
    let domain = asker(context)?.domain;
    let holder = context.work.claimed(&PersonRecord::name_claim(domain, name)).await?;
    let holder = holder.filter(|key| key.kind == kind::PERSON && key.domain == domain);
    let unknown = || Failure::new(Fault::PersonNotFound);
    let id = PersonId {
        domain,
        person: holder.ok_or_else(unknown)?.id,
    };
    let record = load(context, id).await?.ok_or_else(unknown)?;
    Ok((id, record))
}

/// The people of the asker's domain who are not deleted, in the order of their names. A decision over them rests on the set.
pub(super) async fn everybody(context: &mut Context<'_>) -> Result<Vec<(PersonId, PersonRecord)>, Failure> {
    let domain = asker(context)?.domain;
    context.work.read_guard(people_guard(domain)).await?;
    let mut people = Vec::new();
    for found in context.work.all(domain, kind::PERSON).await? {
        let id = PersonId {
            domain,
            person: found.key.id,
        };
        people.push((id, read(context, &found)?));
    }
    people.retain(|(_, person)| person.status != PersonStatus::Deleted);
    people.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    Ok(people)
}

/// Keeps a person's record, with its claims, and has everybody told.
pub(super) async fn keep(context: &mut Context<'_>, id: PersonId, record: &PersonRecord) -> Result<(), Failure> {
    let keeper = Keeper(Arc::clone(&context.services.custody));
    let kept = Enroll::new(context.work, &keeper).person(id, record).await;
    kept.map_err(|error| match error {
        EnrollError::Store(error) => error.into(),
        EnrollError::Taken => Failure::new(Fault::PersonTaken),
        EnrollError::Certificate(error) => Failure::detailed(Fault::InvalidField, error),
        EnrollError::Sealing => Failure::detailed(Fault::CustodyUnavailable, error),
    })?;
    context.batch.notices.push(Notice::Identity(IdentityChange::Person(id)));
    context.touch(record.name.clone(), id.key())
}

/// Keeps a change after which nobody is logged in as that person.
pub(super) async fn keep_and_end(
    context: &mut Context<'_>,
    id: PersonId,
    record: &PersonRecord,
) -> Result<(), Failure> {
    keep(context, id, record).await?;
    TicketRecord::end_all(id, context.work).await?;
    Ok(())
}

/// Alarms somebody of what happens to a person.
pub(super) fn alarm(context: &mut Context<'_>, event: Event, id: PersonId, record: &PersonRecord) {
    let now = context.now;
    context.batch.alarm(context.work, event, id.domain, now, &record.name);
}

/// Whether people can tell a name from others when they read it.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    if is_name(name) {
        Ok(())
    } else {
        Err(Fault::PersonName.into())
    }
}

/// Whether a role is one of this domain: administrators and system auditors of the system, all others of tenants.
pub(super) const fn is_of_domain(role: PersonRole, domain: Domain) -> bool {
    let system = matches!(domain.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    match role {
        PersonRole::Administrator | PersonRole::SystemAuditor => system,
        PersonRole::Operator | PersonRole::Auditor | PersonRole::Custodian => !system,
        _ => false,
    }
}

/// What a request about a person acts upon.
pub(super) async fn target(context: &mut Context<'_>, name: &str) -> Result<Target, Failure> {
    let (id, record) = named(context, name).await?;
    Ok(Target {
        description: Some(format!("person {} ({})", record.name, record.role)),
        records: vec![id.key()],
        subjects: vec![id.person],
        roles: vec![record.role],
        ..Target::default()
    })
}

/// What a request about oneself acts upon.
pub(super) async fn target_self(context: &mut Context<'_>) -> Result<Target, Failure> {
    let name = asker(context)?.name.clone();
    target(context, &name).await
}

/// A person as it is told.
pub(super) async fn told(context: &mut Context<'_>, id: PersonId, record: &PersonRecord) -> Result<Person, Failure> {
    let key = id.key();
    let last_login = context.work.counter(key, person_counter::LAST_LOGIN).await?;
    let locked = context.work.counter(key, lockout_counter::LOCKED_UNTIL).await?;
    let share_key = super::sharing::share_key(context, id).await?;
    let now = context.now.0;
    let seconds = |ms: i64| DateTime(ms.div_euclid(1000));
    let credential = |key: &crate::identity::PersonKey| PersonCredential {
        key_fingerprint: key.fingerprint.to_vec(),
        certificate: key.certificate.clone(),
        hardware: key.hardware,
        enrolled: seconds(key.enrolled_ms),
        revoked: key.revoked_ms.map(seconds),
        attested_by: key.attested_by.clone(),
        proven: key.proven.then_some(true),
    };
    Ok(Person {
        person_name: record.name.clone(),
        person_role: record.role,
        person_status: record.status,
        // Who is there from the beginning is a member since he was made; that he counts from the beginning is another matter.
        member_since: seconds(match record.member_since_ms {
            0 => record.created_ms,
            since => since,
        }),
        last_login: last_login.map(seconds),
        locked_until: locked.filter(|until| now < *until).map(seconds),
        credentials: record.credentials.iter().map(credential).collect(),
        share_key: share_key.map(|enrolled| enrolled.key.fingerprint().to_vec()),
    })
}
