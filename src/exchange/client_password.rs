//! The user name and password that a client shows beside its certificate, where it has them registered.

use crate::administration::lockout::Lockout;
use crate::administration::login::{Scene, Verified};
use crate::audit::alarm::Event;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientPasswords, ClientPrincipal, ClientRecord};
use crate::records;
use kmip_protocol::Credential;

/// Judges what a client shows, and counts what was wrong. One without a password of its own may show what it likes: its certificate
/// says who it is.
///
/// What was right a moment ago costs no computation, and a client that is locked out causes none: it knows the certificate's key, and
/// learns from the time that a refusal takes only what it did itself.
pub(super) async fn judge(
    scene: Scene<'_>,
    known: &ClientPasswords,
    client: &ClientPrincipal,
    given: impl Iterator<Item = &Credential>,
    verified: &mut Verified,
) -> Result<(), Failure> {
    if !client.limits.password {
        return Ok(());
    }
    let refused = || Failure::new(Fault::CredentialRefused);
    let mut shown = given.filter_map(|credential| match credential {
        Credential::UsernameAndPassword(shown) => Some((shown.username.as_str(), shown.password.as_ref()?)),
        _ => None,
    });
    let (Some((username, password)), None) = (shown.next(), shown.next()) else {
        return Err(refused());
    };
    let Scene {
        services,
        work,
        batch,
        now,
    } = scene;
    let id = client.id();
    let record = work.load(id.key()).await?.ok_or_else(refused)?;
    let record = ClientRecord::decode(records::open(&services.custody, &record)?)?;
    let kept = record.password.ok_or_else(refused)?;
    // Asked before anything is compared, so that guesses at what is remembered are none either.
    let lockout = Lockout::read(id.key(), work).await?;
    if lockout.holds(now.0) {
        return Err(refused());
    }
    let named = kept.username == username;
    if named && known.knows(id, client.seen, &kept.hash, password.expose()) {
        return Ok(());
    }
    // Another name costs what a wrong password does.
    let hash = if named {
        kept.hash.clone()
    } else {
        services.passwords.nobodys()
    };
    let right = verified.verify(services, id.into(), password, hash).await?;
    if named && right {
        known.remember(id, client.seen, &kept.hash, password.expose());
        return lockout.succeed(work).await;
    }
    if lockout.fail(now.0, work).await? {
        batch.alarm(work, Event::ClientLockout, id.tenant, now, &record.name);
    }
    Err(refused())
}
