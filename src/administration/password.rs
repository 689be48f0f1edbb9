//! Passwords of people: what they must be like, and changing one's own.

use super::people::{asker, id_of, keep, load};
use crate::authority::Granted;
use crate::crypto::Randomness;
use crate::failure::{Failure, Fault};
use crate::heavy::{Account, Heavy};
use crate::identity::{PasswordRecord, Passwords, SecondFactor, Session, TicketRecord, person_counter};
use crate::operations::{Context, Handle, Services};
use kmip_protocol::{PasswordChangeRequest, PasswordChangeResponse, PersonStatus, SecretText};

/// How long an initial password lasts, in milliseconds.
pub(super) const INITIAL_LIFETIME_MS: i64 = 72 * 60 * 60 * 1000;
/// Characters that a password has at least.
const SHORTEST: usize = 12;
/// Bytes that one has at most: more make no password better.
const LONGEST: usize = 1024;
/// Passwords of before that may not come again.
const REMEMBERED: usize = 5;
/// Names shorter than this are not looked for in passwords.
const SHORTEST_NAME: usize = 3;

/// What people choose where twelve characters are asked for, in small letters. A password is refused that is one of these, or one of
/// them with something at its ends.
const DENIED: &[&str] = &[
    "123456789012",
    "1234567890ab",
    "abcdefghijkl",
    "administrator",
    "changemechangeme",
    "iloveyouiloveyou",
    "letmeinletmein",
    "passwordpassword",
    "password1234",
    "password12345",
    "passwort1234",
    "passwortpasswort",
    "qwertyuiopas",
    "qwertzuiopas",
    "qwertyqwerty",
    "welcomewelcome",
    "correcthorsebatterystaple",
];

/// Whether a password may be chosen by a person of this name.
pub(super) fn check(password: &str, name: &str) -> Result<(), Failure> {
    let lower = zeroize::Zeroizing::new(password.to_lowercase());
    let name = name.to_lowercase();
    let named = name.chars().count() >= SHORTEST_NAME && lower.contains(&name);
    let first = password.chars().next();
    let uniform = password.chars().all(|c| Some(c) == first);
    let denied = DENIED.iter().any(|denied| {
        let rest = lower.len().saturating_sub(denied.len());
        lower.contains(denied) && rest < SHORTEST.div_ceil(2)
    });
    let length = password.chars().count() >= SHORTEST && password.len() <= LONGEST;
    if length && !named && !uniform && !denied {
        return Ok(());
    }
    Err(Fault::PasswordPolicy.into())
}

/// What it takes to hash a password: those of a server, or of genesis, before there is one.
#[derive(Clone, Copy)]
pub struct Hashing<'a> {
    /// How much it costs.
    pub passwords: Passwords,
    /// Where it is done.
    pub heavy: &'a Heavy,
    /// Where salts come from.
    pub randomness: &'a dyn Randomness,
}

impl<'a> From<&'a Services> for Hashing<'a> {
    fn from(services: &'a Services) -> Self {
        Self {
            passwords: services.passwords,
            heavy: &services.heavy,
            randomness: services.randomness.as_ref(),
        }
    }
}

/// What is kept of a password, on the heavy pool.
pub(super) async fn hash(
    with: impl Into<Hashing<'_>>,
    account: Account,
    password: &SecretText,
) -> Result<String, Failure> {
    let Hashing {
        passwords,
        heavy,
        randomness,
    } = with.into();
    let (password, salt) = (password.clone(), randomness.array()?);
    let hash = heavy
        .run(account, move || passwords.hash(password.expose(), &salt))
        .await?;
    hash.map_err(|error| Failure::detailed(Fault::Internal, error))
}

/// What is remembered of passwords of before once this one is replaced.
pub(super) fn history(replaced: Option<PasswordRecord>) -> Vec<String> {
    let Some(PasswordRecord {
        hash, initial, history, ..
    }) = replaced
    else {
        return Vec::new();
    };
    // One that nobody chose is not remembered.
    let own = (!initial).then_some(hash);
    own.into_iter().chain(history).take(REMEMBERED).collect()
}

impl Handle for PasswordChangeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PasswordChangeResponse, Failure> {
        let asker = asker(context)?;
        let id = id_of(&asker);
        // The present password was judged with the message's credentials, so that a wrong one is counted.
        if context.batch.second_factor.take() != Some(SecondFactor::Change) {
            return Err(Fault::CredentialRefused.into());
        }
        let record = load(context, id).await?;
        let mut record = record.ok_or(Failure::new(Fault::PersonNotFound))?;
        check(self.new_password.expose(), &record.name)?;
        let before = record.password.take();
        // The present one was shown just now, so that it can be compared without hashing.
        if self.new_password == self.current_password {
            return Err(Fault::PasswordPolicy.into());
        }
        let former: Vec<String> = before.iter().flat_map(|b| b.history.iter().cloned()).collect();
        let (passwords, new) = (context.services.passwords, self.new_password.clone());
        let again = context.services.heavy.run_password(id.into(), move || {
            former.iter().any(|kept| passwords.verify(new.expose(), kept))
        });
        if again.await? {
            return Err(Fault::PasswordPolicy.into());
        }
        let remembered = match &before {
            Some(before) if before.initial => core::iter::once(before.hash.clone())
                .chain(before.history.iter().cloned())
                .take(REMEMBERED)
                .collect(),
            _ => history(before),
        };
        record.password = Some(PasswordRecord {
            hash: hash(context.services, id.into(), &self.new_password).await?,
            initial: false,
            expires_ms: None,
            history: remembered,
        });
        // Who changes a password has shown the key in the handshake, and agrees by logging in.
        let shown = record
            .credentials
            .iter_mut()
            .filter(|key| key.fingerprint == asker.key_fingerprint);
        shown.for_each(|key| key.proven = true);
        if record.status == PersonStatus::Invited {
            record.status = PersonStatus::Active;
            // Those who founded their domain count from its beginning.
            if record.member_since_ms != 0 {
                record.member_since_ms = context.now.0;
            }
        }
        context.work.remove_counter(id.key(), person_counter::INITIAL_LOGINS);
        keep(context, id, &record).await?;
        // Every other session ends, and the one that was good for this only.
        let own = match asker.session {
            Session::Full(ticket) => Some(ticket),
            Session::Initial(_) | Session::Certificate => None,
        };
        for ticket in TicketRecord::all(id, context.work).await? {
            if Some(ticket.id) != own {
                context.work.delete(ticket).await?;
            }
        }
        Ok(PasswordChangeResponse::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_anybody_guesses_are_refused() {
        let refused = [
            "",
            "short",
            "elevenchars",
            "aaaaaaaaaaaaaaaa",
            "Password12345",
            "xPASSWORD1234!",
            "1234567890123",
            "Olga's garden gate",
            "qwertzuiopasdf",
        ];
        for password in refused {
            assert!(check(password, "olga").is_err(), "{password}");
        }
        assert!(check(&"x1".repeat(600), "olga").is_err());
        for password in [
            "twelve chars",
            "a garden gate, green",
            "Übermäßig gut",
            "password1234 and seven more",
        ] {
            assert!(check(password, "olga").is_ok(), "{password}");
        }
        // A short name is part of everything.
        assert!(check("a garden gate, green", "a").is_ok());
    }

    #[test]
    fn five_passwords_are_remembered() {
        let record = |initial, count: usize| PasswordRecord {
            hash: "now".into(),
            initial,
            expires_ms: None,
            history: (0..count).map(|n| n.to_string()).collect(),
        };
        assert_eq!(history(None), [""; 0]);
        assert_eq!(history(Some(record(false, 5))), ["now", "0", "1", "2", "3"]);
        assert_eq!(history(Some(record(true, 2))), ["0", "1"]);
    }
}
