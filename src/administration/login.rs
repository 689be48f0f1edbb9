//! The second factor of people: password and one-time password, and the lock-out that failures lead to.
//!
//! Judged before any item is: what is counted must stay whatever becomes of the items. A person that is locked out, a name that is
//! another's and a person without a password cost and say the same as a wrong password.

use super::sealed;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{PersonId, PersonPrincipal, PersonRecord, SecondFactor, one_time, person_counter};
use crate::operations::Services;
use crate::records;
use crate::store::{Key, Work};
use kmip_protocol::SecretText;

/// Failures until a person is locked out.
const FAILURES: i64 = 5;
/// How long the first lock-out lasts, in milliseconds; each further failure doubles it.
const FIRST_LOCK_MS: i64 = 60_000;
/// How long one lasts at most.
const LONGEST_LOCK_MS: i64 = 60 * 60_000;

/// What a person shows beside its certificate.
#[derive(Default)]
pub struct Shown<'a> {
    password: Option<&'a SecretText>,
    code: Option<&'a SecretText>,
    /// A credential names somebody else than the certificate, or two contradict each other.
    foreign: bool,
    /// The password is shown to change it: a one-time password is not wanted.
    change: bool,
}

impl<'a> Shown<'a> {
    /// The present password of somebody who changes it.
    #[must_use]
    pub fn of_change(password: &'a SecretText) -> Self {
        Self {
            password: Some(password),
            change: true,
            ..Self::default()
        }
    }

    /// Adds a credential.
    pub fn add(
        &mut self,
        person: &PersonPrincipal,
        username: &str,
        password: Option<&'a SecretText>,
        code: Option<&'a SecretText>,
    ) {
        let twice = (password.is_some() && self.password.is_some()) || (code.is_some() && self.code.is_some());
        self.foreign |= twice || username != person.name;
        self.password = self.password.or(password);
        self.code = self.code.or(code);
    }

    /// Whether it is refused whatever it shows.
    #[must_use]
    pub const fn names_another(&self) -> bool {
        self.foreign
    }
}

/// What verifying a password gave, for when the message runs again after a conflict: it takes a tenth of a second.
#[derive(Default)]
pub struct Verified(Option<(String, bool)>);

impl Verified {
    async fn verify(&mut self, services: &Services, password: &SecretText, kept: String) -> Result<bool, Failure> {
        if let Some((before, right)) = &self.0
            && *before == kept
        {
            return Ok(*right);
        }
        let (passwords, password, hash) = (services.passwords, password.clone(), kept.clone());
        let right = services
            .heavy
            .run(move || passwords.verify(password.expose(), &hash))
            .await?;
        self.0 = Some((kept, right));
        Ok(right)
    }
}

/// Judges what a person shows, and counts it.
pub async fn judge(
    services: &Services,
    work: &mut Work,
    person: &PersonPrincipal,
    shown: &Shown<'_>,
    verified: &mut Verified,
    now: Moment,
) -> Result<SecondFactor, Failure> {
    let id = PersonId {
        domain: person.domain,
        person: person.person,
    };
    let key = id.key();
    let record = work.load(key).await?.ok_or(Failure::new(Fault::CredentialRefused))?;
    let record = PersonRecord::decode(records::open(&services.custody, &record)?)?;
    let failed = work.counter(key, person_counter::FAILED_LOGINS).await?.unwrap_or(0);
    let until = work.counter(key, person_counter::LOCKED_UNTIL).await?;
    let locked = until.is_some_and(|until| now.0 < until);
    let judged = right(
        services,
        work,
        id,
        &record,
        shown,
        locked || shown.foreign,
        verified,
        now,
    )
    .await?;
    let Some(factor) = judged else {
        if !locked {
            count_failure(work, key, failed, now).await?;
        }
        return Err(Failure::detailed(
            Fault::CredentialRefused,
            "the second factor was wrong",
        ));
    };
    // Counted against the failures seen: one that was counted meanwhile makes this run again.
    let (counter, none) = (person_counter::FAILED_LOGINS, Failure::new(Fault::Contention));
    work.adjust(key, counter, 0, (0, failed)).await?.map_err(|_| none)?;
    if failed > 0 {
        let none = Failure::new(Fault::Contention);
        let reset = work.adjust(key, counter, failed.saturating_neg(), (0, i64::MAX));
        reset.await?.map_err(|_| none)?;
        work.remove_counter(key, person_counter::LOCKED_UNTIL);
    }
    if let SecondFactor::Login { initial: true, .. } = factor {
        let logins = work.counter(key, person_counter::INITIAL_LOGINS).await?;
        if logins.is_some_and(|logins| logins > 0) {
            tracing::warn!(target: "alarm", event = "initial-password-again", domain = %id.domain, person = record.name,
                "an initial password was used a second time");
            return Err(Failure::detailed(
                Fault::CredentialRefused,
                "the initial password was used before",
            ));
        }
    }
    Ok(factor)
}

/// What was shown, if it is right. A password that is shown is always computed.
#[expect(clippy::too_many_arguments, reason = "one decision over everything that it rests on")]
async fn right(
    services: &Services,
    work: &mut Work,
    id: PersonId,
    record: &PersonRecord,
    shown: &Shown<'_>,
    refused: bool,
    verified: &mut Verified,
    now: Moment,
) -> Result<Option<SecondFactor>, Failure> {
    let kept = record
        .password
        .as_ref()
        .filter(|_| !refused && record.password_holds(now.0));
    let initial = kept.is_some_and(|kept| kept.initial);
    let hash = kept.map_or_else(|| services.passwords.nobodys(), |kept| kept.hash.clone());
    let password = match shown.password {
        Some(password) => Some(verified.verify(services, password, hash).await?),
        None => None,
    };
    if refused {
        return Ok(None);
    }
    if shown.change {
        return Ok((password == Some(true)).then_some(SecondFactor::Change));
    }
    // An initial password is for whoever has nothing else yet.
    let one_time = record
        .one_time
        .as_ref()
        .filter(|one_time| one_time.confirmed && !initial);
    let Some(one_time) = one_time else {
        let right = password == Some(true) && shown.code.is_none();
        return Ok(right.then_some(SecondFactor::Login { initial, step: None }));
    };
    let Some(code) = shown.code.filter(|_| password != Some(false)) else {
        return Ok(None);
    };
    let secret = sealed::open(&services.custody, id, &one_time.sealed).await?;
    let last = work.counter(id.key(), person_counter::LAST_STEP).await?.unwrap_or(0);
    let step = one_time::step_of(secret.expose(), code.expose(), now.seconds(), last);
    Ok(step.map(|step| SecondFactor::Login {
        initial: false,
        step: Some(step),
    }))
}

/// Counts a failure and locks out when they are too many. Bound to the number seen, so that of many at once each counts.
async fn count_failure(work: &mut Work, key: Key, failed: i64, now: Moment) -> Result<(), Failure> {
    let failures = failed.saturating_add(1);
    let counted = work
        .adjust(key, person_counter::FAILED_LOGINS, 1, (0, failures))
        .await?;
    counted.map_err(|_| Failure::new(Fault::Contention))?;
    if failures >= FAILURES {
        let until = now.0.saturating_add(lock_ms(failures));
        work.set_counter(key, person_counter::LOCKED_UNTIL, until);
        tracing::warn!(target: "alarm", event = "locked-out", person = ?key, failures, "a person is locked out after failed logins");
    }
    Ok(())
}

/// How long a person is locked out after so many failures.
fn lock_ms(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(FAILURES))
        .unwrap_or(u32::MAX)
        .min(16);
    FIRST_LOCK_MS.saturating_mul(1_i64 << doublings).min(LONGEST_LOCK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_outs_double_up_to_an_hour() {
        let minutes = [5, 6, 7, 10, 11, 12, 1_000_000, i64::MAX].map(|failures| lock_ms(failures) / 60_000);
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
