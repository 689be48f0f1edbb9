//! Users: clients without a certificate, who show a user name and password over the connection of a client that admits them. The request
//! is judged as the user's from then on; the connection's client is among what its commit rests on.
//!
//! An unknown user, a wrong password, one who is locked out, suspended or bound to other connections, and one of another tenant are
//! refused alike, after the same reads and one computation.

use crate::administration::lockout::Lockout;
use crate::administration::login::{Scene, Verified};
use crate::audit::alarm::Event;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientId, ClientPasswords, ClientPrincipal, ClientRecord, Found, Id, TenantRecord, kind};
use crate::operations::Services;
use crate::records;
use crate::store::{Domain, Work};
use kmip_protocol::Credential;

/// The place of whoever is nobody: no record is there.
const NOBODY: Id = [0; 16];

/// The user that the header names and shows the password of; nobody, if it names none: then the connection's client asks itself.
pub(super) async fn judge(
    scene: Scene<'_>,
    known: &ClientPasswords,
    connection: &ClientPrincipal,
    given: impl Iterator<Item = &Credential>,
    verified: &mut Verified,
) -> Result<Option<ClientPrincipal>, Failure> {
    let refused = || Failure::new(Fault::CredentialRefused);
    let mut shown = given.filter_map(|credential| match credential {
        Credential::UsernameAndPassword(shown) => Some(shown),
        _ => None,
    });
    let (username, password) = match (shown.next(), shown.next()) {
        (None, _) => return Ok(None),
        (Some(shown), None) => (&shown.username, shown.password.as_ref().ok_or_else(refused)?),
        _ => return Err(refused()),
    };
    let Scene {
        services,
        work,
        batch,
        now,
    } = scene;
    let of_tenant = serving(services, connection.tenant, work).await?;
    let tenant = connection.tenant;
    let holder = work.claimed(&ClientRecord::username_claim(tenant, username)).await?;
    let holder = holder
        .filter(|key| key.kind == kind::CLIENT)
        .map_or(NOBODY, |key| key.id);
    let named = ClientId { tenant, client: holder };
    let found = load(services, named, connection, now.seconds(), work).await?;
    // A claim only points to the record; the record says whose name it is.
    let found = found.filter(|found| {
        found
            .record
            .password
            .as_ref()
            .is_some_and(|own| own.username == *username)
    });
    let lockout = Lockout::read(named.key(), work).await?;
    let kept = found.as_ref().and_then(|found| found.record.password.as_ref());
    let locked = lockout.holds(now.0);
    let hash = match kept {
        Some(kept) if !locked => kept.hash.clone(),
        _ => services.passwords.nobodys(),
    };
    let seen = found.as_ref().and_then(|found| found.seen);
    let remembered = !locked && found.is_some() && known.knows(named, seen, &hash, password.expose());
    let right = remembered
        || verified
            .verify(services, place(connection, username).into(), password, hash.clone())
            .await?;
    let Some(found) = found.filter(|_| !locked) else {
        return Err(refused());
    };
    if !right {
        if lockout.fail(now.0, work).await? {
            batch.alarm(work, Event::ClientLockout, tenant, now, &found.record.name);
        }
        return Err(refused());
    }
    if !remembered {
        known.remember(named, seen, &hash, password.expose());
        lockout.succeed(work).await?;
    }
    Ok(Some(principal(named, found, &of_tenant, connection)))
}

/// The user to whom a ticket was given, if one of this tenant's that is admitted over this connection has it.
pub(super) async fn of_ticket(
    scene: Scene<'_>,
    owner: Id,
    connection: &ClientPrincipal,
) -> Result<Option<ClientPrincipal>, Failure> {
    let Scene {
        services, work, now, ..
    } = scene;
    let named = ClientId {
        tenant: connection.tenant,
        client: owner,
    };
    let of_tenant = serving(services, connection.tenant, work).await?;
    let found = load(services, named, connection, now.seconds(), work).await?;
    Ok(found.map(|found| principal(named, found, &of_tenant, connection)))
}

/// The tenant, if its users are served: the connection's client was recognised by an earlier state of it, perhaps. Read before anything
/// that is shown is looked at, so that this tells nothing of anybody.
async fn serving(services: &Services, tenant: Domain, work: &mut Work) -> Result<Found<TenantRecord>, Failure> {
    let refused = || Failure::new(Fault::NotAuthenticated);
    let record = work.load(TenantRecord::key(tenant)).await?.ok_or_else(refused)?;
    let found = Found {
        seen: Some(record.seen()),
        record: TenantRecord::decode(records::open(&services.custody, &record)?)?,
    };
    if found.record.suspended {
        return Err(refused());
    }
    Ok(found)
}

/// The record, if it is that of a user that is served over this connection now.
async fn load(
    services: &Services,
    named: ClientId,
    connection: &ClientPrincipal,
    now: i64,
    work: &mut Work,
) -> Result<Option<Found<ClientRecord>>, Failure> {
    let Some(record) = work.load(named.key()).await? else {
        return Ok(None);
    };
    let seen = Some(record.seen());
    let record = ClientRecord::decode(records::open(&services.custody, &record)?)?;
    let admitted = record.is_admitted_over(connection.client, now);
    Ok(admitted.then_some(Found { record, seen }))
}

fn principal(
    named: ClientId,
    found: Found<ClientRecord>,
    tenant: &Found<TenantRecord>,
    connection: &ClientPrincipal,
) -> ClientPrincipal {
    ClientPrincipal {
        over: Some((connection.id(), connection.seen)),
        ..ClientPrincipal::new(named, found, tenant)
    }
}

/// Whose turn a computation takes: each name's own, whether there is such a user or not.
fn place(connection: &ClientPrincipal, username: &str) -> ClientId {
    let mut client = NOBODY;
    let digest = certs::fingerprint(username.as_bytes());
    client.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    ClientId {
        tenant: connection.tenant,
        client,
    }
}
