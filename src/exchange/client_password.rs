//! The user name and password that a client shows beside its certificate, where it has them registered.

use crate::failure::{Failure, Fault};
use crate::identity::{ClientId, ClientPasswords, ClientPrincipal, ClientRecord};
use crate::operations::Services;
use crate::records;
use crate::store::Work;
use kmip_protocol::{Credential, SecretText};

/// Judges what a client shows. One without a password of its own may show what it likes: its certificate says who it is.
pub(super) async fn judge(
    services: &Services,
    known: &ClientPasswords,
    client: &ClientPrincipal,
    given: impl Iterator<Item = &Credential>,
    work: &mut Work,
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
    let id = ClientId {
        tenant: client.tenant,
        client: client.client,
    };
    let record = work.load(id.key()).await?.ok_or_else(refused)?;
    let record = ClientRecord::decode(records::open(&services.custody, &record)?)?;
    let kept = record.password.ok_or_else(refused)?;
    if kept.username != username {
        return Err(refused());
    }
    if known.knows(id, client.seen, &kept.hash, password.expose()) {
        return Ok(());
    }
    let (passwords, hash, tried) = (
        services.passwords,
        kept.hash.clone(),
        SecretText::new(password.expose()),
    );
    let right = services
        .heavy
        .run(move || passwords.verify(tried.expose(), &hash))
        .await?;
    if !right {
        return Err(refused());
    }
    known.remember(id, client.seen, &kept.hash, password.expose());
    Ok(())
}
