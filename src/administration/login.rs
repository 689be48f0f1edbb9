//! The second factor of people: password and one-time password.
//!
//! Judged before any item is: what is counted must stay whatever becomes of the items. A person that is locked out, a name that is
//! another's and a person without a password cost and say the same as a wrong password.

use super::lockout::Lockout;
use super::sealed;
use crate::audit::alarm::Event;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::heavy::Account;
use crate::identity::{PersonId, PersonPrincipal, PersonRecord, SecondFactor, one_time, person_counter};
use crate::operations::{Batch, Services};
use crate::records;
use crate::store::Work;
use kmip_protocol::SecretText;

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
pub struct Verified {
    judged: Option<(String, bool)>,
    /// Whether a user's message was counted against its rate.
    pub admitted: bool,
}

impl Verified {
    /// Whether a password was computed with.
    #[cfg(test)]
    pub(crate) const fn is_judged(&self) -> bool {
        self.judged.is_some()
    }

    /// Whether a password is the one that was kept.
    pub async fn verify(
        &mut self,
        services: &Services,
        account: Account,
        password: &SecretText,
        kept: String,
    ) -> Result<bool, Failure> {
        if let Some((before, right)) = &self.judged
            && *before == kept
        {
            return Ok(*right);
        }
        let (passwords, password, hash) = (services.passwords, password.clone(), kept.clone());
        let right = services
            .heavy
            .run_password(account, move || passwords.verify(password.expose(), &hash))
            .await?;
        self.judged = Some((kept, right));
        Ok(right)
    }
}

/// Where a person's second factor is judged.
pub struct Scene<'a> {
    /// The rooms below.
    pub services: &'a Services,
    /// What is counted.
    pub work: &'a mut Work,
    /// What is alarmed.
    pub batch: &'a mut Batch,
    /// When.
    pub now: Moment,
}

/// Judges what a person shows, and counts it.
pub async fn judge(
    mut scene: Scene<'_>,
    person: &PersonPrincipal,
    shown: &Shown<'_>,
    verified: &mut Verified,
) -> Result<SecondFactor, Failure> {
    let id = PersonId {
        domain: person.domain,
        person: person.person,
    };
    let key = id.key();
    let now = scene.now;
    let record = scene.work.load(key).await?;
    let record = record.ok_or(Failure::new(Fault::CredentialRefused))?;
    let record = PersonRecord::decode(records::open(&scene.services.custody, &record)?)?;
    let lockout = Lockout::read(key, scene.work).await?;
    let locked = lockout.holds(now.0);
    let refused = locked || shown.foreign;
    let Some(factor) = scene.right(id, &record, shown, refused, verified).await? else {
        if !locked && lockout.fail(now.0, scene.work).await? {
            scene.alarm(Event::LoginLockout, id, &record);
        }
        return Err(Failure::detailed(
            Fault::CredentialRefused,
            "the second factor was wrong",
        ));
    };
    lockout.succeed(scene.work).await?;
    if let SecondFactor::Login { initial: true, .. } = factor {
        let logins = scene.work.counter(key, person_counter::INITIAL_LOGINS).await?;
        if logins.is_some_and(|logins| logins > 0) {
            scene.alarm(Event::InitialPasswordReused, id, &record);
            return Err(Failure::detailed(
                Fault::CredentialRefused,
                "the initial password was used before",
            ));
        }
    }
    Ok(factor)
}

impl Scene<'_> {
    /// What was shown, if it is right. A password that is shown is always computed.
    async fn right(
        &mut self,
        id: PersonId,
        record: &PersonRecord,
        shown: &Shown<'_>,
        refused: bool,
        verified: &mut Verified,
    ) -> Result<Option<SecondFactor>, Failure> {
        let holds = !refused && record.password_holds(self.now.0);
        let kept = record.password.as_ref().filter(|_| holds);
        let initial = kept.is_some_and(|kept| kept.initial);
        let hash = kept.map_or_else(|| self.services.passwords.nobodys(), |kept| kept.hash.clone());
        let password = match shown.password {
            Some(password) => Some(verified.verify(self.services, id.into(), password, hash).await?),
            None => None,
        };
        if refused {
            return Ok(None);
        }
        if shown.change {
            return Ok((password == Some(true)).then_some(SecondFactor::Change));
        }
        // An initial password is for whoever has nothing else yet.
        let one_time = record.one_time.as_ref();
        let Some(one_time) = one_time.filter(|one_time| one_time.confirmed && !initial) else {
            let right = password == Some(true) && shown.code.is_none();
            return Ok(right.then_some(SecondFactor::Login { initial, step: None }));
        };
        let Some(code) = shown.code.filter(|_| password != Some(false)) else {
            return Ok(None);
        };
        let secret = sealed::open(&self.services.custody, id, &one_time.sealed).await?;
        let last = self
            .work
            .counter(id.key(), person_counter::LAST_STEP)
            .await?
            .unwrap_or(0);
        let step = one_time::step_of(secret.expose(), code.expose(), self.now.seconds(), last);
        Ok(step.map(|step| SecondFactor::Login {
            initial: false,
            step: Some(step),
        }))
    }

    fn alarm(&mut self, event: Event, id: PersonId, record: &PersonRecord) {
        self.batch.alarm(self.work, event, id.domain, self.now, &record.name);
    }
}
